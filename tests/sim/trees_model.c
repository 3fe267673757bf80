/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reference: what Erlang's supervisors do, step by step.
 *
 * It is written from their manual, and Erlang itself plays the same trees and
 * has to show the same (trees.sh).  Nothing happens at the same time here: a
 * step ends when all that follows from it has happened, and a function that
 * starts or stops somebody returns when that is done.
 *
 * Two things that Erlang's do not have are Troupe's: a supervisor that is
 * killed takes its children along; and a child that is started again is the
 * same actor, unless it had been stopped for good.
 */
#include "trees.h"

#include <stdlib.h>
#include <string.h>

enum { INTENSITY_MOST = 8 };

struct model_node {
	bool runs;
	bool held; /* failed, or stopped to be started again: its actor stays */
	bool watched; /* ran when the tree was at rest last */
	unsigned actor;
	unsigned rested; /* the actor that it was then; 0: none */
	unsigned fails, ignores; /* that many starts */

	/* A supervisor: its children in the order of their start. */
	unsigned kids;
	unsigned kid[TREE_NODES];
	unsigned restarts;
	int restarted[INTENSITY_MOST + 1]; /* when */
};

struct tree_model {
	const struct tree *tree;
	struct tree_seen *seen;
	int now; /* seconds */
	unsigned actors;
	struct model_node node[TREE_NODES];
};

enum started { STARTED, IGNORED, FAILED };

/* ------------------------------------------------------------ children --- */

static unsigned
place_of(const struct model_node *s, unsigned kid)
{
	unsigned i = 0;

	while (i < s->kids && s->kid[i] != kid)
		i++;
	return i;
}

static bool
is_listed(const struct model_node *s, unsigned kid)
{
	return place_of(s, kid) < s->kids;
}

static void
append(struct model_node *s, unsigned kid)
{
	s->kid[s->kids++] = kid;
}

static void
unlist(struct model_node *s, unsigned kid)
{
	unsigned i = place_of(s, kid);

	for (s->kids--; i < s->kids; i++)
		s->kid[i] = s->kid[i + 1];
}

/* Whether it is forgotten when it has ended and is not started again. */
static bool
is_forgotten(const struct tree *t, unsigned kid)
{
	return t->node[kid].restart == TR_TEMPORARY ||
	    tree_is_simple(t, t->node[kid].parent);
}

static void
forget(struct tree_model *m, unsigned kid)
{
	m->node[kid].held = false;
	if (is_forgotten(m->tree, kid))
		unlist(&m->node[m->tree->node[kid].parent], kid);
}

/* -------------------------------------------------------- start and end --- */

static void
note_end(struct tree_model *m, unsigned n, enum tree_event why)
{
	struct model_node *node = &m->node[n];

	node->runs = false;
	if (!m->tree->node[n].is_super) {
		tree_seen_add(m->seen, n, why);
		return;
	}
	for (unsigned i = 0; i < node->kids; i++)
		m->node[node->kid[i]].held = false;
	node->kids = 0;
	if (node->watched) {
		m->seen->down[n] = true;
		m->seen->why[n] = why;
	}
	node->watched = false;
}

/* How its supervisor ends it. */
static enum tree_event
end_of(const struct tree_model *m, unsigned kid, enum tree_event above)
{
	if (above == EVENT_KILLED)
		return EVENT_KILLED;
	return m->tree->node[kid].shutdown == SHUTDOWN_BRUTAL ? EVENT_KILLED :
								EVENT_SHUTDOWN;
}

/* It ends, and before it its children in reverse. */
static void
end(struct tree_model *m, unsigned n, enum tree_event why)
{
	struct model_node *node = &m->node[n];

	for (unsigned i = node->kids; i-- > 0;)
		if (m->node[node->kid[i]].runs)
			end(m, node->kid[i], end_of(m, node->kid[i], why));
	note_end(m, n, why);
}

/* Its supervisor stops it. */
static void
stop(struct tree_model *m, unsigned kid)
{
	if (m->node[kid].runs)
		end(m, kid, end_of(m, kid, EVENT_SHUTDOWN));
}

static enum started
start_leaf(struct tree_model *m, unsigned n)
{
	struct model_node *node = &m->node[n];

	if (node->fails > 0) {
		node->fails--;
		tree_seen_add(m->seen, n, EVENT_FAILS);
		return FAILED;
	}
	if (node->ignores > 0) {
		node->ignores--;
		tree_seen_add(m->seen, n, EVENT_IGNORES);
		return IGNORED;
	}
	tree_seen_add(m->seen, n, EVENT_STARTS);
	return STARTED;
}

/* The children that a supervisor is described with. */
static void
list_kids(struct tree_model *m, unsigned s)
{
	const struct tree_node *node = m->tree->node;

	m->node[s].kids = 0;
	m->node[s].restarts = 0;
	for (unsigned i = 1; i < m->tree->nodes; i++)
		if (node[i].parent == s && !node[i].later && !node[i].gone)
			append(&m->node[s], i);
}

/* Of a supervisor all children start in order; when one fails to, those before
 * are stopped, and it has failed itself. */
static enum started
start(struct tree_model *m, unsigned n)
{
	struct model_node *node = &m->node[n];
	enum started how = STARTED;
	unsigned i = 0;

	if (!node->held)
		node->actor = ++m->actors;
	if (!m->tree->node[n].is_super) {
		how = start_leaf(m, n);
	} else {
		list_kids(m, n);
		while (i < node->kids && how != FAILED) {
			how = start(m, node->kid[i]);
			if (how == IGNORED &&
			    is_forgotten(m->tree, node->kid[i]))
				unlist(node, node->kid[i]);
			else
				i++;
		}
		if (how == FAILED)
			while (node->kids > 0)
				stop(m, node->kid[--node->kids]);
		else
			how = STARTED;
	}
	node->runs = how == STARTED;
	if (how == IGNORED)
		node->held = false;
	return how;
}

/* ------------------------------------------------------------- restarts --- */

/* One more restart; false: that is too many. */
static bool
is_allowed(struct tree_model *m, unsigned s)
{
	struct model_node *node = &m->node[s];
	unsigned i, kept = 0;

	for (i = 0; i < node->restarts; i++)
		if (m->now - node->restarted[i] <= TREE_PERIOD_S)
			node->restarted[kept++] = node->restarted[i];
	node->restarted[kept++] = m->now;
	node->restarts = kept;
	return (int)kept <= m->tree->node[s].intensity;
}

/* Start a child again, and with it whom the strategy says: they are stopped in
 * reverse, and all of them are started, also who did not run.  Who failed to; 0:
 * nobody did. */
static unsigned
restart(struct tree_model *m, unsigned s, unsigned kid)
{
	enum tr_strategy strategy = m->tree->node[s].strategy;
	struct model_node *node = &m->node[s];
	unsigned from = place_of(node, kid), to = from + 1, i;

	m->node[kid].held = true;
	if (strategy == TR_ONE_FOR_ALL)
		from = 0;
	if (strategy == TR_ONE_FOR_ALL || strategy == TR_REST_FOR_ONE)
		to = node->kids;
	for (i = to; i-- > from;) {
		unsigned sibling = node->kid[i];

		m->node[sibling].held |= m->node[sibling].runs;
		stop(m, sibling);
		if (m->tree->node[sibling].restart == TR_TEMPORARY) {
			unlist(node, sibling);
			m->node[sibling].held = false;
			to--;
		}
	}
	for (i = from; i < to; i++)
		if (start(m, node->kid[i]) == FAILED)
			return node->kid[i];
	return 0;
}

/* Until all run, each time counted; false: it gives up. */
static bool
restart_until_up(struct tree_model *m, unsigned s, unsigned kid)
{
	while (kid != 0) {
		if (!is_allowed(m, s))
			return false;
		kid = restart(m, s, kid);
	}
	return true;
}

/* It has ended by itself and is not started again: is that its supervisor's
 * end? */
static bool
shuts_down(const struct tree_model *m, unsigned s, unsigned kid)
{
	const struct model_node *node = &m->node[s];
	enum tr_auto_shutdown how = m->tree->node[s].auto_shutdown;

	if (!m->tree->node[kid].significant || how == TR_AUTO_SHUTDOWN_NEVER)
		return false;
	if (how == TR_AUTO_SHUTDOWN_ANY)
		return true;
	for (unsigned i = 0; i < node->kids; i++)
		if (m->tree->node[node->kid[i]].significant &&
		    m->node[node->kid[i]].runs)
			return false;
	return true;
}

/* A child has ended, and nobody above had told it to. */
static void
ended(struct tree_model *m, unsigned kid, enum tree_event why)
{
	enum tr_restart when = m->tree->node[kid].restart;
	bool failed = why != EVENT_NORMAL && why != EVENT_SHUTDOWN;
	unsigned s = m->tree->node[kid].parent;
	bool goes_on;

	if (kid == TREE_TOP)
		return;
	if (when == TR_PERMANENT || (when == TR_TRANSIENT && failed)) {
		goes_on = restart_until_up(m, s, kid);
	} else {
		forget(m, kid);
		goes_on = !shuts_down(m, s, kid);
	}
	if (goes_on)
		return;
	end(m, s, EVENT_SHUTDOWN);
	ended(m, s, EVENT_SHUTDOWN);
}

/* ------------------------------------------------- what supervisors do --- */

static enum tree_answer
do_start(struct tree_model *m, unsigned s, unsigned kid)
{
	if (is_listed(&m->node[s], kid))
		return m->node[kid].runs ? ANSWER_STARTED : ANSWER_PRESENT;
	switch (start(m, kid)) {
	case FAILED: return ANSWER_FAILED;
	case STARTED: append(&m->node[s], kid); return ANSWER_OK;
	case IGNORED: break;
	}
	if (!is_forgotten(m->tree, kid))
		append(&m->node[s], kid);
	return ANSWER_IGNORED;
}

static enum tree_answer
do_terminate(struct tree_model *m, unsigned s, unsigned kid)
{
	if (!is_listed(&m->node[s], kid))
		return ANSWER_NOT_FOUND;
	stop(m, kid);
	forget(m, kid);
	return ANSWER_OK;
}

static enum tree_answer
do_restart(struct tree_model *m, unsigned s, unsigned kid)
{
	if (!is_listed(&m->node[s], kid))
		return ANSWER_NOT_FOUND;
	if (m->node[kid].runs)
		return ANSWER_RUNNING;
	switch (start(m, kid)) {
	case FAILED: return ANSWER_FAILED;
	case IGNORED: return ANSWER_IGNORED;
	case STARTED: break;
	}
	return ANSWER_OK;
}

static enum tree_answer
do_delete(struct tree_model *m, unsigned s, unsigned kid)
{
	if (!is_listed(&m->node[s], kid))
		return ANSWER_NOT_FOUND;
	if (m->node[kid].runs)
		return ANSWER_RUNNING;
	unlist(&m->node[s], kid);
	return ANSWER_OK;
}

/* Something that is asked of a child's supervisor. */
static enum tree_answer
ask(struct tree_model *m, enum tree_verb verb, unsigned kid)
{
	unsigned s = m->tree->node[kid].parent;
	bool simple = tree_is_simple(m->tree, s);

	if (!m->node[s].runs)
		return ANSWER_NOBODY;
	/* Those of a simple one are known by who they are, not by a name. */
	if (simple && m->node[kid].runs != (verb != DO_START))
		return ANSWER_NOBODY;
	if (simple && (verb == DO_RESTART || verb == DO_DELETE))
		return ANSWER_REFUSED;
	switch (verb) {
	case DO_START: return do_start(m, s, kid);
	case DO_TERMINATE: return do_terminate(m, s, kid);
	case DO_RESTART: return do_restart(m, s, kid);
	default: return do_delete(m, s, kid);
	}
}

/* ----------------------------------------------------------- the steps --- */

/* Something happens to a node. */
static enum tree_answer
befall(struct tree_model *m, unsigned n, enum tree_event why)
{
	if (!m->node[n].runs)
		return ANSWER_NOBODY;
	end(m, n, why);
	ended(m, n, why);
	return ANSWER_NONE;
}

static enum tree_answer
do_step(struct tree_model *m, const struct tree_step *step)
{
	struct model_node *node = &m->node[step->node];

	switch (step->verb) {
	case DO_FAIL: node->fails += step->count; return ANSWER_NONE;
	case DO_IGNORE: node->ignores++; return ANSWER_NONE;
	case DO_PAUSE: m->now += TREE_PAUSE_S; return ANSWER_NONE;
	case DO_CRASH: return befall(m, step->node, EVENT_CRASH);
	case DO_NORMAL: return befall(m, step->node, EVENT_NORMAL);
	case DO_QUIT:
	case DO_STOP: return befall(m, step->node, EVENT_SHUTDOWN);
	case DO_KILL: return befall(m, step->node, EVENT_KILLED);
	default: return ask(m, step->verb, step->node);
	}
}

static void
show_list(const struct tree_model *m, unsigned s, struct tree_list *list)
{
	const struct model_node *node = &m->node[s];

	list->runs = true;
	list->kids = node->kids;
	for (unsigned i = 0; i < node->kids; i++) {
		const struct model_node *kid = &m->node[node->kid[i]];

		list->kid[i].node = node->kid[i];
		list->kid[i].state = kid->runs ? STATE_RUNNING : STATE_STOPPED;
		list->kid[i].another =
		    kid->runs && kid->rested != 0 && kid->rested != kid->actor;
		list->counts.active += kid->runs;
		if (m->tree->node[node->kid[i]].is_super)
			list->counts.supervisors++;
		else
			list->counts.workers++;
	}
	list->counts.specs = tree_is_simple(m->tree, s) ? 1 : node->kids;
}

/* At rest. */
static void
look(struct tree_model *m)
{
	unsigned i;

	for (i = 0; i < m->tree->nodes; i++) {
		m->seen->list[i] = (struct tree_list){ .runs = false };
		if (m->tree->node[i].is_super && m->node[i].runs)
			show_list(m, i, &m->seen->list[i]);
	}
	for (i = 0; i < m->tree->nodes; i++) {
		struct model_node *node = &m->node[i];

		node->rested = node->runs ? node->actor : 0;
		node->watched = node->runs && m->tree->node[i].is_super;
	}
}

void
tree_model_step(struct tree_model *m, const struct tree_step *step,
    struct tree_seen *seen)
{
	m->seen = seen;
	if (!tree_step_is_quiet(step) && !m->node[TREE_TOP].runs) {
		seen->tried = true;
		seen->failed = start(m, TREE_TOP) != STARTED;
		look(m);
	}
	seen->answer = do_step(m, step);
	look(m);
}

bool
tree_model_concerns(const struct tree_model *m, const struct tree_step *step)
{
	unsigned n = step->node, s = m->tree->node[n].parent;

	if (!m->node[TREE_TOP].runs) /* it will */
		return !tree_step_is_quiet(step);
	switch (step->verb) {
	case DO_PAUSE: return true;
	case DO_FAIL:
	case DO_IGNORE: return m->node[s].runs;
	case DO_TERMINATE: return is_listed(&m->node[s], n);
	case DO_RESTART:
	case DO_DELETE: return is_listed(&m->node[s], n) && !m->node[n].runs;
	case DO_START: return m->node[s].runs && !is_listed(&m->node[s], n);
	default: return m->node[n].runs;
	}
}

struct tree_model *
tree_model_new(const struct tree *t)
{
	struct tree_model *m = calloc(1, sizeof(*m));

	if (m == NULL)
		abort();
	m->tree = t;
	return m;
}
