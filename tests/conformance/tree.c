/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Supervisors in scripts: see README.md.
 *
 * A script's supervisor becomes a struct tr_supervisor when it is first
 * started, and stays as long as the script.  What is asked of one is noted when
 * the answer comes; the operation does not wait for it.
 */
#include "player.h"

#include <stdlib.h>
#include <string.h>

#include <troupe/supervisor.h>

enum { ANSWER_S = 20, LOOK_MS = 2 };

struct tree {
	struct tr_supervisor spec;
	struct tr_child child[SCRIPT_ACTORS];
};

static const struct {
	const char *word;
	int value;
} strategies[] = {
	{ "one_for_one", TR_ONE_FOR_ONE },
	{ "one_for_all", TR_ONE_FOR_ALL },
	{ "rest_for_one", TR_REST_FOR_ONE },
	{ "simple_one_for_one", TR_SIMPLE_ONE_FOR_ONE },
	{ NULL, 0 },
}, restarts[] = {
	{ "permanent", TR_PERMANENT },
	{ "transient", TR_TRANSIENT },
	{ "temporary", TR_TEMPORARY },
	{ NULL, 0 },
};

/* ------------------------------------------------- what a script says --- */

static bool
is_word(const struct script_op *op, unsigned i, const char *word)
{
	return i < op->words && strcmp(op->word[i], word) == 0;
}

static long
number(const struct script_op *op, unsigned i)
{
	char *end;
	long n;

	if (i >= op->words)
		script_bad(op, "a number is missing");
	n = strtol(op->word[i], &end, 10);
	if (*end != '\0')
		script_bad(op, "%s is no number", op->word[i]);
	return n;
}

static int64_t
shutdown_of(const struct script_op *op, unsigned i)
{
	if (is_word(op, i, "brutal"))
		return TR_BRUTAL_KILL;
	return is_word(op, i, "infinity") ? TR_INFINITE : TR_MS(number(op, i));
}

/* Words from `i` on: permanent, shutdown 500, ... */
static void
read_child(const struct script_op *op, unsigned i, struct tr_child *child)
{
	unsigned r;

	for (; i < op->words; i++) {
		for (r = 0; restarts[r].word != NULL; r++)
			if (is_word(op, i, restarts[r].word))
				break;
		if (restarts[r].word != NULL)
			child->restart = (enum tr_restart)restarts[r].value;
		else if (is_word(op, i, "shutdown"))
			child->shutdown_ns = shutdown_of(op, ++i);
		else if (is_word(op, i, "significant"))
			child->significant = true;
		else if (is_word(op, i, "drop"))
			child->drop_mailbox = true;
		else if (is_word(op, i, "backoff"))
			child->backoff.min_ns = TR_MS(number(op, ++i));
		else
			script_bad(op, "what is %s?", op->word[i]);
	}
}

/* The line `supervisor NAME STRATEGY ...`. */
static void
read_supervisor(const struct script_op *op, struct tr_supervisor *spec)
{
	unsigned i;
	long n;

	for (i = 0; strategies[i].word != NULL; i++)
		if (is_word(op, 2, strategies[i].word))
			spec->strategy = (enum tr_strategy)strategies[i].value;
	spec->name = op->word[1];
	for (i = 3; i < op->words; i++)
		if (is_word(op, i, "intensity")) {
			n = number(op, ++i);
			spec->intensity = n == 0 ? TR_NO_RESTARTS : (int)n;
		} else if (is_word(op, i, "period")) {
			spec->period_ns = TR_SECONDS(number(op, ++i));
		} else if (is_word(op, i, "any")) {
			spec->auto_shutdown = TR_AUTO_SHUTDOWN_ANY;
		} else if (is_word(op, i, "all")) {
			spec->auto_shutdown = TR_AUTO_SHUTDOWN_ALL;
		} else {
			script_bad(op, "what is %s?", op->word[i]);
		}
}

static struct tree *
tree_new(struct script_actor *a)
{
	struct tree *t = calloc(1, sizeof(*t));

	if (t == NULL || a->supervisor.words == 0 || a->ops > SCRIPT_ACTORS)
		script_bad(&a->op[0], "%s cannot be a supervisor", a->name);
	read_supervisor(&a->supervisor, &t->spec);
	t->spec.children = t->child;
	t->spec.child_count = a->ops;
	a->tree = t;
	return t;
}

/* `child NAME ...`: a supervisor beneath has to be made already. */
static void
describe(struct script_actor *a, struct tr_child *child)
{
	child->id = a->name;
	if (a->supervisor.words > 0) {
		child->supervisor = &((struct tree *)a->tree)->spec;
	} else {
		child->behavior = &player_behavior;
		child->arg = a;
	}
}

/* All of the scene's supervisors, whoever is above. */
static void
trees_make(struct script_scene *scene)
{
	unsigned i, k;

	for (i = 0; i < scene->actors; i++)
		if (scene->actor[i].supervisor.words > 0 &&
		    scene->actor[i].tree == NULL)
			(void)tree_new(&scene->actor[i]);
	for (i = 0; i < scene->actors; i++) {
		struct script_actor *a = &scene->actor[i];
		struct tree *t = a->tree;

		for (k = 0; t != NULL && k < a->ops; k++) {
			describe(script_actor(scene, &a->op[k],
				     a->op[k].word[1]),
			    &t->child[k]);
			read_child(&a->op[k], 2, &t->child[k]);
		}
	}
}

/* ---------------------------------------------------------- operations --- */

static const struct script_op *
op_of(uintptr_t cookie)
{
	return (const struct script_op *)cookie;
}

static void
must_ask(const struct script_op *op, tr_ask_id ask)
{
	if (ask == 0)
		script_bad(op, "it cannot be asked");
}

static int
tree_is_up(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct player *p = state;

	(void)answer;
	player_see(p, "%s %s", op_of(cookie)->word[1],
	    outcome == TR_OK ? "is up" : "failed");
	return player_go_on(self, p);
}

/* tree NAME [monitor]: start a supervisor.  Notes "NAME is up", or "NAME
 * failed". */
static enum player_step
do_tree(struct tr_self *self, struct player *p, const struct script_op *op,
    int *rc)
{
	struct script_actor *a = script_actor(p->part->scene, op, op->word[1]);
	struct tr_spawn_options o = { .monitor_tag = PLAYER_DOWN };
	tr_monitor_id id;
	tr_ref ref;

	(void)rc;
	if (a->tree == NULL)
		trees_make(p->part->scene);
	if (is_word(op, 2, "monitor"))
		o.monitor = &id;
	ref = tr_supervisor_spawn(self, &((struct tree *)a->tree)->spec, &o);
	if (!tr_ref_valid(ref)) {
		player_see(p, "%s failed", op->word[1]);
		return PLAYER_NEXT;
	}
	script_know(a, ref);
	must_ask(op,
	    tr_supervisor_count_children(self, ref,
		tr_in(self, TR_SECONDS(ANSWER_S)), tree_is_up, (uintptr_t)op));
	return PLAYER_NEXT;
}

/* What is noted of an answer that is an error. */
static const char *
error_word(int error, enum tr_child_state state, bool starts)
{
	switch (error) {
	case TR_EDEAD: return "not_found";
	case TR_EINVAL: return "refused";
	case TR_EBUSY:
	case TR_EEXIST: break;
	default: return "failed";
	}
	if (starts)
		return state == TR_CHILD_STOPPED ||
			state == TR_CHILD_RESTARTING ?
		    "already_present" :
		    "already_started";
	return state == TR_CHILD_RESTARTING ? "restarting" : "running";
}

/* start_child, terminate, restart, delete: "restart a: running". */
static int
child_answered(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	const struct script_op *op = op_of(cookie);
	bool starts = strcmp(op->word[0], "start_child") == 0;
	bool runs = starts || strcmp(op->word[0], "restart") == 0;
	struct player *p = state;
	struct tr_child_info info;
	int error = tr_child_result(outcome, answer, &info);
	const char *word = "ok";

	if (error != TR_OK)
		word = error_word(error, info.state, starts);
	else if (runs && info.state == TR_CHILD_STOPPED)
		word = "ignored";
	player_see(p, "%s %s: %s", op->word[0], op->word[2], word);
	return player_go_on(self, p);
}

static bool
is_simple(const struct script_actor *a)
{
	const struct tree *t = a->tree;

	return t != NULL && t->spec.strategy == TR_SIMPLE_ONE_FOR_ONE;
}

/* start_child SUPERVISOR NAME [permanent ...] */
static enum player_step
do_start_child(struct tr_self *self, struct player *p,
    const struct script_op *op, int *rc)
{
	struct script_scene *scene = p->part->scene;
	struct tr_child child = { 0 };

	(void)rc;
	describe(script_actor(scene, op, op->word[2]), &child);
	read_child(op, 3, &child);
	if (tr_supervisor_start_child(self, script_ref(scene, op, op->word[1]),
		&child, tr_in(self, TR_SECONDS(ANSWER_S)), child_answered,
		(uintptr_t)op) == 0)
		player_see(p, "start_child %s: refused", op->word[2]);
	return PLAYER_NEXT;
}

/* terminate, restart, delete: SUPERVISOR NAME */
static enum player_step
do_child(struct tr_self *self, struct player *p, const struct script_op *op,
    int *rc)
{
	struct script_scene *scene = p->part->scene;
	tr_ref sup = script_ref(scene, op, op->word[1]), child = TR_REF_NONE;
	int64_t deadline = tr_in(self, TR_SECONDS(ANSWER_S));
	const char *id = op->word[2];
	tr_ask_id ask;

	(void)rc;
	if (is_simple(script_actor(scene, op, op->word[1])))
		child = script_ref(scene, op, id);
	if (strcmp(op->word[0], "terminate") == 0)
		ask = tr_supervisor_terminate_child(self, sup,
		    tr_ref_valid(child) ? NULL : id, child, deadline,
		    child_answered, (uintptr_t)op);
	else if (strcmp(op->word[0], "restart") == 0)
		ask = tr_supervisor_restart_child(self, sup, id, deadline,
		    child_answered, (uintptr_t)op);
	else
		ask = tr_supervisor_delete_child(self, sup, id, deadline,
		    child_answered, (uintptr_t)op);
	must_ask(op, ask);
	return PLAYER_NEXT;
}

/* While a child starts again an Erlang supervisor answers nothing, and between
 * two tries it calls that "restarting". */
static const char *
state_word(const struct tr_child_info *info)
{
	switch (info->state) {
	case TR_CHILD_STOPPED: return "stopped";
	case TR_CHILD_RESTARTING: return "restarting";
	case TR_CHILD_STARTING:
		return info->restarts > 0 ? "restarting" : "starting";
	default: return "running";
	}
}

/* The part that a child plays: its supervisor may not have told its name. */
static const char *
child_name(struct script_scene *scene, const struct script_op *op,
    const struct tr_child_info *info)
{
	struct script_actor *a;

	if (is_simple(script_actor(scene, op, op->word[1])))
		return script_name(scene, info->ref);
	a = script_actor(scene, op, info->id);
	if (tr_ref_valid(info->ref))
		script_know(a, info->ref);
	return a->name;
}

static int
which_answered(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	const struct script_op *op = op_of(cookie);
	const struct tr_child_info *info;
	struct player *p = state;
	size_t i;

	if (outcome == TR_OK) {
		info = tr_data(answer, 0);
		for (i = 0; i < tr_size(answer) / sizeof(*info); i++)
			player_see(p, "%s: %s %s", op->word[1],
			    child_name(p->part->scene, op, &info[i]),
			    state_word(&info[i]));
	}
	player_see(p, "which %s: %s", op->word[1],
	    outcome == TR_OK ? "ok" : "dead");
	return player_go_on(self, p);
}

static int
count_answered(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	const char *name = op_of(cookie)->word[1];
	const struct tr_child_counts *n;
	struct player *p = state;

	if (outcome == TR_OK) {
		n = tr_data(answer, sizeof(*n));
		player_see(p,
		    "%s: %u specs, %u active, %u supervisors, %u workers", name,
		    n->specs, n->active, n->supervisors, n->workers);
	}
	player_see(p, "count %s: %s", name, outcome == TR_OK ? "ok" : "dead");
	return player_go_on(self, p);
}

/* which SUPERVISOR, count SUPERVISOR */
static enum player_step
do_look(struct tr_self *self, struct player *p, const struct script_op *op,
    int *rc)
{
	tr_ref sup = script_ref(p->part->scene, op, op->word[1]);
	int64_t deadline = tr_in(self, TR_SECONDS(ANSWER_S));

	(void)rc;
	must_ask(op,
	    strcmp(op->word[0], "which") == 0 ?
		tr_supervisor_which_children(self, sup, deadline,
		    which_answered, (uintptr_t)op) :
		tr_supervisor_count_children(self, sup, deadline,
		    count_answered, (uintptr_t)op));
	return PLAYER_NEXT;
}

/* Whether a child is as the operation says; "gone": it is none. */
static bool
is_so(struct script_scene *scene, const struct script_op *op,
    const struct tr_msg *answer)
{
	const struct tr_child_info *info = tr_data(answer, 0);
	size_t i;

	for (i = 0; i < tr_size(answer) / sizeof(*info); i++)
		if (strcmp(child_name(scene, op, &info[i]), op->word[2]) == 0)
			return strcmp(state_word(&info[i]), op->word[3]) == 0;
	return strcmp(op->word[3], "gone") == 0;
}

static int
until_answered(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	const struct script_op *op = op_of(cookie);
	struct player *p = state;

	if (outcome != TR_OK)
		script_bad(op, "there is no such supervisor any more");
	if (is_so(p->part->scene, op, answer)) {
		p->look = PLAYER_LOOK_DONE;
		return player_go_on(self, p);
	}
	if (tr_after(self, TR_MS(LOOK_MS), PLAYER_LOOK, 0) == 0)
		script_bad(op, "no memory");
	return TR_OK;
}

/* until SUPERVISOR NAME STATE */
static enum player_step
do_until(struct tr_self *self, struct player *p, const struct script_op *op,
    int *rc)
{
	(void)rc;
	if (p->look == PLAYER_LOOK_DONE) {
		p->look = PLAYER_LOOK_NOT_YET;
		return PLAYER_NEXT;
	}
	if (p->look == PLAYER_LOOK_NOT_YET)
		must_ask(op,
		    tr_supervisor_which_children(self,
			script_ref(p->part->scene, op, op->word[1]),
			tr_in(self, TR_SECONDS(ANSWER_S)), until_answered,
			(uintptr_t)op));
	p->look = PLAYER_LOOK_WAITS;
	return PLAYER_BLOCK;
}

const struct player_verb tree_verbs[] = {
	{ "tree", 1, do_tree },
	{ "start_child", 2, do_start_child },
	{ "terminate", 2, do_child },
	{ "restart", 2, do_child },
	{ "delete", 2, do_child },
	{ "which", 1, do_look },
	{ "count", 1, do_look },
	{ "until", 3, do_until },
	{ NULL, 0, NULL },
};
