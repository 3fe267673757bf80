/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tree on Troupe, in a simulated schedule: each step is done by an actor (the
 * hand), and what it shows is compared with what the model says.
 *
 * Leaves note their starts in start() and their ends in stop().  When the tree
 * is at rest the hand asks its supervisors, from the top, who their children
 * are, and monitors each supervisor that it finds: once for each life.
 *
 * There is one thread, so all of them write to the same struct play.
 */
#include "trees.h"

#include <stdlib.h>
#include <string.h>

enum {
	FAILURE = -77, /* a leaf's */
	ASK_S = 20, /* it leaves no timer behind at rest */
	REST_S = 60,
};

enum tag {
	HAND_UP,
	HAND_WALK,
	HAND_STEP,
	HAND_DOWN,
	LEAF_CRASH,
	LEAF_NORMAL,
	LEAF_QUIT,
};

struct leaf {
	struct play *play;
	unsigned node;
};

struct play {
	struct tr_sim *sim;
	const struct tree *tree;
	struct tree_seen *seen;
	const struct tree_step *step;
	tr_ref top;
	bool top_runs;
	tr_ref ref[TREE_NODES]; /* at rest; TR_REF_NONE: it does not run */
	tr_ref rested[TREE_NODES]; /* at the rest before */
	tr_ref leaf[TREE_NODES]; /* who was started last */
	bool watched[TREE_NODES];
	unsigned fails[TREE_NODES], ignores[TREE_NODES];
	struct leaf arg[TREE_NODES];
	struct tr_supervisor super[TREE_NODES];
	struct tr_child child[TREE_NODES];
	/* What supervisors are described with: runs of this. */
	struct tr_child listed[2 * TREE_NODES];
};

/* --------------------------------------------------------------- leaves -- */

static enum tree_event
event_of(int code)
{
	switch (code) {
	case TR_NORMAL: return EVENT_NORMAL;
	case TR_SHUTDOWN: return EVENT_SHUTDOWN;
	case TR_KILLED: return EVENT_KILLED;
	case FAILURE: return EVENT_CRASH;
	default: return EVENT_OTHER;
	}
}

static int
leaf_start(struct tr_self *self, void *state, const void *arg)
{
	const struct leaf *leaf = arg;
	struct play *p = leaf->play;

	*(const struct leaf **)state = leaf;
	if (p->fails[leaf->node] > 0) {
		p->fails[leaf->node]--;
		tree_seen_add(p->seen, leaf->node, EVENT_FAILS);
		return FAILURE;
	}
	if (p->ignores[leaf->node] > 0) {
		p->ignores[leaf->node]--;
		tree_seen_add(p->seen, leaf->node, EVENT_IGNORES);
		return TR_IGNORE;
	}
	p->leaf[leaf->node] = tr_self_ref(self);
	tree_seen_add(p->seen, leaf->node, EVENT_STARTS);
	return TR_OK;
}

static int
leaf_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	switch (tr_tag(msg)) {
	case LEAF_CRASH: return FAILURE;
	case LEAF_NORMAL: return tr_exit(self, TR_NORMAL);
	case LEAF_QUIT: return tr_exit(self, TR_SHUTDOWN);
	default: return tr_unhandled(self, msg);
	}
}

static void
leaf_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	const struct leaf *leaf = *(const struct leaf **)state;

	(void)self;
	tree_seen_add(leaf->play->seen, leaf->node, event_of(why->code));
}

static const struct tr_behavior leaf_behavior = {
	.name = "leaf",
	.state_size = sizeof(struct leaf *),
	.start = leaf_start,
	.receive = leaf_receive,
	.stop = leaf_stop,
};

/* --------------------------------------------------------- descriptions -- */

static int64_t
shutdown_of(enum tree_shutdown how)
{
	switch (how) {
	case SHUTDOWN_BRUTAL: return TR_BRUTAL_KILL;
	case SHUTDOWN_INFINITE: return TR_INFINITE;
	case SHUTDOWN_DEFAULT: break;
	}
	return 0;
}

static void
describe_child(struct play *p, unsigned n)
{
	const struct tree_node *node = &p->tree->node[n];

	p->arg[n] = (struct leaf){ .play = p, .node = n };
	p->child[n] = (struct tr_child){
		.id = node->name,
		.behavior = node->is_super ? NULL : &leaf_behavior,
		.supervisor = node->is_super ? &p->super[n] : NULL,
		.arg = node->is_super ? NULL : &p->arg[n],
		.restart = node->restart,
		.shutdown_ns = shutdown_of(node->shutdown),
		.significant = node->significant,
		.drop_mailbox = node->drop,
		.backoff = { .min_ns = TR_MS(node->backoff_ms),
		    .max_ns = TR_MS(2 * node->backoff_ms),
		    .jitter_percent = node->backoff_ms % 2 ? 30 : 0 },
	};
}

/* What is in a supervisor's list from the beginning, at listed[at] and on. */
static unsigned
describe_kids(struct play *p, unsigned s, unsigned at)
{
	const struct tree *t = p->tree;
	unsigned n = at, i;

	if (tree_is_simple(t, s))
		p->listed[n++] = (struct tr_child){
			.id = "pattern",
			.behavior = &leaf_behavior,
			.restart = t->node[s].kids_restart,
			.shutdown_ns = shutdown_of(t->node[s].kids_shutdown),
			.backoff = { .min_ns = TR_MS(t->node[s].backoff_ms) },
		};
	for (i = 1; i < t->nodes; i++)
		if (t->node[i].parent == s && !t->node[i].later &&
		    !t->node[i].gone)
			p->listed[n++] = p->child[i];
	return n;
}

static void
describe(struct play *p)
{
	const struct tree *t = p->tree;
	unsigned i, at = 0, next;

	for (i = 1; i < t->nodes; i++)
		describe_child(p, i);
	for (i = 0; i < t->nodes; i++) {
		if (!t->node[i].is_super)
			continue;
		next = describe_kids(p, i, at);
		p->super[i] = (struct tr_supervisor){
			.name = t->node[i].name,
			.strategy = t->node[i].strategy,
			.intensity = t->node[i].intensity > 0 ?
			    t->node[i].intensity :
			    TR_NO_RESTARTS,
			.period_ns = TR_SECONDS(TREE_PERIOD_S),
			.auto_shutdown = t->node[i].auto_shutdown,
			.children = &p->listed[at],
			.child_count = next - at,
		};
		at = next;
	}
}

/* ------------------------------------------------------- looking around -- */

static unsigned
node_of(const struct play *p, unsigned s, const struct tr_child_info *info)
{
	unsigned i;

	for (i = 1; i < p->tree->nodes; i++)
		if (tree_is_simple(p->tree, s) ?
			p->tree->node[i].parent == s &&
			    tr_ref_equal(p->leaf[i], info->ref) :
			strcmp(p->tree->node[i].name, info->id) == 0)
			return i;
	tr_sim_check(p->sim, false, "%s has a child %s that nobody knows",
	    p->tree->node[s].name, info->id);
	abort();
}

static enum tree_state
state_of(enum tr_child_state state)
{
	if (state == TR_CHILD_RUNNING)
		return STATE_RUNNING;
	return state == TR_CHILD_STOPPED ? STATE_STOPPED : STATE_OTHER;
}

static void
note_kid(struct tr_self *self, struct play *p, unsigned s,
    const struct tr_child_info *info)
{
	struct tree_list *list = &p->seen->list[s];
	unsigned n = node_of(p, s, info);

	tr_sim_check(p->sim, list->kids < TREE_NODES, "too many children");
	list->kid[list->kids++] = (struct tree_kid){
		.node = n,
		.state = state_of(info->state),
		.another = info->state == TR_CHILD_RUNNING &&
		    tr_ref_valid(p->rested[n]) &&
		    !tr_ref_equal(p->rested[n], info->ref),
	};
	if (info->state != TR_CHILD_RUNNING)
		return;
	p->ref[n] = info->ref;
	if (p->tree->node[n].is_super)
		(void)tr_send(self, tr_self_ref(self), HAND_WALK, &n,
		    sizeof(n));
}

static int
which_answered(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t s)
{
	const struct tr_child_info *info;
	struct play *p = *(struct play **)state;
	size_t i;

	if (outcome != TR_OK)
		return TR_OK; /* the model has it, and so it is missed */
	p->seen->list[s].runs = true;
	info = tr_data(answer, 0);
	for (i = 0; i < tr_size(answer) / sizeof(*info); i++)
		note_kid(self, p, (unsigned)s, &info[i]);
	return TR_OK;
}

static int
count_answered(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t s)
{
	struct play *p = *(struct play **)state;

	(void)self;
	if (outcome == TR_OK)
		p->seen->list[s].counts =
		    *(const struct tr_child_counts *)tr_data(answer,
			sizeof(struct tr_child_counts));
	return TR_OK;
}

static void
walk(struct tr_self *self, struct play *p, unsigned s)
{
	int64_t deadline = tr_in(self, TR_SECONDS(ASK_S));

	tr_sim_check(p->sim,
	    tr_supervisor_which_children(self, p->ref[s], deadline,
		which_answered, s) != 0 &&
		tr_supervisor_count_children(self, p->ref[s], deadline,
		    count_answered, s) != 0,
	    "it cannot be asked");
	if (p->watched[s])
		return;
	p->watched[s] = true;
	tr_sim_check(p->sim, tr_monitor(self, p->ref[s], HAND_DOWN, s) != 0,
	    "it cannot be monitored");
}

/* From the top; those beneath are told by those above. */
static void
walk_all(struct tr_self *self, struct play *p)
{
	memcpy(p->rested, p->ref, sizeof(p->rested));
	memset(p->ref, 0, sizeof(p->ref));
	memset(p->seen->list, 0, sizeof(p->seen->list));
	if (!tr_ref_valid(p->top))
		return;
	p->ref[TREE_TOP] = p->top;
	walk(self, p, TREE_TOP);
}

/* -------------------------------------------------------- the hand's work - */

static int
up_answered(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct play *p = *(struct play **)state;

	(void)self;
	(void)answer;
	(void)cookie;
	if (outcome != TR_OK) {
		p->seen->failed = true;
		p->top = TR_REF_NONE;
	}
	return TR_OK;
}

static void
start_top(struct tr_self *self, struct play *p)
{
	p->seen->tried = true;
	p->top = tr_supervisor_spawn(self, &p->super[TREE_TOP], NULL);
	tr_sim_check(p->sim,
	    tr_ref_valid(p->top) &&
		tr_supervisor_count_children(self, p->top,
		    tr_in(self, TR_SECONDS(ASK_S)), up_answered, 0) != 0,
	    "the tree cannot be started");
}

static enum tree_answer
answer_of(int error, const struct tr_child_info *info, enum tree_verb verb)
{
	bool stopped = info->state == TR_CHILD_STOPPED;

	switch (error) {
	case TR_OK:
		return stopped && (verb == DO_START || verb == DO_RESTART) ?
		    ANSWER_IGNORED :
		    ANSWER_OK;
	case TR_EEXIST:
		if (verb == DO_RESTART)
			return ANSWER_RUNNING;
		return stopped ? ANSWER_PRESENT : ANSWER_STARTED;
	case TR_EBUSY: return ANSWER_RUNNING;
	case TR_EDEAD: return ANSWER_NOT_FOUND;
	case TR_EINVAL: return ANSWER_REFUSED;
	default: return ANSWER_FAILED;
	}
}

static int
child_answered(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct play *p = *(struct play **)state;
	struct tr_child_info info;
	int error = tr_child_result(outcome, answer, &info);

	(void)self;
	(void)cookie;
	p->seen->answer = answer_of(error, &info, p->step->verb);
	return TR_OK;
}

static void
ask(struct tr_self *self, struct play *p, unsigned n)
{
	unsigned s = p->tree->node[n].parent;
	const char *id = p->tree->node[n].name;
	bool simple = tree_is_simple(p->tree, s);
	int64_t deadline = tr_in(self, TR_SECONDS(ASK_S));
	enum tree_verb verb = p->step->verb;
	tr_ref top = p->ref[s];
	tr_ask_id asked;

	if (!tr_ref_valid(top) ||
	    (simple && tr_ref_valid(p->ref[n]) != (verb != DO_START))) {
		p->seen->answer = ANSWER_NOBODY;
		return;
	}
	if (verb == DO_START)
		asked = tr_supervisor_start_child(self, top, &p->child[n],
		    deadline, child_answered, 0);
	else if (verb == DO_TERMINATE)
		asked = tr_supervisor_terminate_child(self, top,
		    simple ? NULL : id, p->ref[n], deadline, child_answered, 0);
	else if (verb == DO_RESTART)
		asked = tr_supervisor_restart_child(self, top, id, deadline,
		    child_answered, 0);
	else
		asked = tr_supervisor_delete_child(self, top, id, deadline,
		    child_answered, 0);
	tr_sim_check(p->sim, asked != 0, "it cannot be asked");
}

/* Something that happens to a node, without its supervisor. */
static void
befall(struct tr_self *self, struct play *p, unsigned n)
{
	tr_ref ref = p->ref[n];

	if (!tr_ref_valid(ref)) {
		p->seen->answer = ANSWER_NOBODY;
		return;
	}
	switch (p->step->verb) {
	case DO_CRASH: (void)tr_send(self, ref, LEAF_CRASH, NULL, 0); break;
	case DO_NORMAL: (void)tr_send(self, ref, LEAF_NORMAL, NULL, 0); break;
	case DO_QUIT: (void)tr_send(self, ref, LEAF_QUIT, NULL, 0); break;
	case DO_STOP: (void)tr_stop(self, ref, tr_forever()); break;
	default: (void)tr_kill(self, ref); break;
	}
}

static void
do_step(struct tr_self *self, struct play *p)
{
	unsigned n = p->step->node;

	switch (p->step->verb) {
	case DO_FAIL: p->fails[n] += p->step->count; break;
	case DO_IGNORE: p->ignores[n]++; break;
	case DO_PAUSE: break;
	case DO_TERMINATE:
	case DO_RESTART:
	case DO_DELETE:
	case DO_START: ask(self, p, n); break;
	default: befall(self, p, n); break;
	}
}

static void
note_down(struct play *p, const struct tr_down *down)
{
	tr_sim_check(p->sim, p->watched[down->cookie], "%s is down once more",
	    p->tree->node[down->cookie].name);
	p->watched[down->cookie] = false;
	p->seen->down[down->cookie] = true;
	p->seen->why[down->cookie] = event_of(down->reason.code);
	if (down->cookie == TREE_TOP)
		p->top = TR_REF_NONE;
}

static int
hand_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	*(const struct play **)state = arg;
	return TR_OK;
}

static int
hand_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct play *p = *(struct play **)state;

	switch (tr_tag(msg)) {
	case HAND_UP: start_top(self, p); break;
	case HAND_WALK:
		if (tr_size(msg) == 0)
			walk_all(self, p);
		else
			walk(self, p, *(const unsigned *)tr_data(msg, 0));
		break;
	case HAND_STEP: do_step(self, p); break;
	case HAND_DOWN: note_down(p, tr_data(msg, 0)); break;
	default: return tr_unhandled(self, msg);
	}
	return TR_OK;
}

static const struct tr_behavior hand_behavior = {
	.name = "hand",
	.state_size = sizeof(struct play *),
	.start = hand_start,
	.receive = hand_receive,
};

/* ------------------------------------------------------------ the scenario */

static void
until_rest(struct tr_sim *sim)
{
	tr_sim_check(sim,
	    tr_sim_run_until_quiet(sim, TR_SECONDS(REST_S)) == TR_OK,
	    "the tree does not come to rest");
}

static void
let(struct tr_sim *sim, tr_ref hand, enum tag tag)
{
	tr_sim_check(sim,
	    tr_post(tr_sim_system(sim), hand, tag, NULL, 0) == TR_OK,
	    "nothing can be posted");
	until_rest(sim);
}

static void
play_step(struct play *p, tr_ref hand)
{
	if (!tree_step_is_quiet(p->step) && !tr_ref_valid(p->top)) {
		let(p->sim, hand, HAND_UP);
		let(p->sim, hand, HAND_WALK);
	}
	if (p->step->verb == DO_PAUSE)
		tr_sim_run_for(p->sim, TR_SECONDS(TREE_PAUSE_S));
	let(p->sim, hand, HAND_STEP);
	let(p->sim, hand, HAND_WALK);
}

static char *
text_of(const struct tree *t, unsigned step, const struct tree_seen *seen)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (to == NULL)
		abort();
	tree_seen_print(t, step, seen, true, to);
	fclose(to);
	return text;
}

/* Both have done the step: have they seen the same? */
static void
compare(struct tree_play *play, struct tr_sim *sim, unsigned step,
    const struct tree_seen *expected, const struct tree_seen *noted)
{
	play->expected = text_of(play->tree, step, expected);
	play->noted = text_of(play->tree, step, noted);
	tr_sim_check(sim, strcmp(play->expected, play->noted) == 0,
	    "step %u is not as it should be", step);
	free(play->expected);
	free(play->noted);
	play->expected = NULL;
	play->noted = NULL;
}

void
tree_play(struct tr_sim *sim, void *arg)
{
	static struct play p; /* leaves end when the scenario is over */
	static struct tree_seen expected, noted;
	struct tree_play *play = arg;
	const struct tree *t = play->tree;
	tr_ref hand;

	play->model = tree_model_new(t);
	p = (struct play){ .sim = sim, .tree = t, .seen = &noted };
	describe(&p);
	hand = tr_sim_spawn(sim, &hand_behavior, &p);
	tr_sim_faults(sim, TR_FAULT_SLOW | TR_FAULT_WAKE | TR_FAULT_CLOCK);
	for (unsigned i = 0; i < t->steps; i++) {
		memset(&expected, 0, sizeof(expected));
		memset(&noted, 0, sizeof(noted));
		p.step = &t->step[i];
		if (t->node[p.step->node].gone)
			continue;
		play_step(&p, hand);
		tree_model_step(play->model, p.step, &expected);
		compare(play, sim, i, &expected, &noted);
	}
	free(play->model);
	play->model = NULL;
}
