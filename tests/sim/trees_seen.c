/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a step shows, in lines:
 *
 *     4 crash a3
 *     a3 ends crash            starts and ends of leaves, in their order
 *     a3 starts
 *     answer ok                of what was asked
 *     s2 down shutdown         supervisors that ran before have ended
 *     s0 (3 2 1 2): a1 -a3 s2  who runs; -: who does not; *: another actor
 *
 * The numbers are those of count_children.  Supervisors stop the children of
 * simple_one_for_one all at once, and all that are beneath one that is killed
 * die at once, so ends that may be in any order are sorted.
 */
#include "trees.h"

#include <stdlib.h>

static const char *const events[TREE_EVENT_KINDS] = {
	[EVENT_STARTS] = "starts",
	[EVENT_FAILS] = "fails",
	[EVENT_IGNORES] = "ignores",
	[EVENT_NORMAL] = "normal",
	[EVENT_SHUTDOWN] = "shutdown",
	[EVENT_KILLED] = "killed",
	[EVENT_CRASH] = "crash",
	[EVENT_OTHER] = "of something else",
};

static const char *const answers[TREE_ANSWERS] = {
	[ANSWER_NOBODY] = "nobody",
	[ANSWER_OK] = "ok",
	[ANSWER_IGNORED] = "ignored",
	[ANSWER_STARTED] = "already_started",
	[ANSWER_PRESENT] = "already_present",
	[ANSWER_RUNNING] = "running",
	[ANSWER_FAILED] = "failed",
	[ANSWER_NOT_FOUND] = "not_found",
	[ANSWER_REFUSED] = "refused",
};

void
tree_seen_add(struct tree_seen *seen, unsigned node, enum tree_event what)
{
	if (seen->events == TREE_EVENTS)
		abort(); /* a child is restarted for ever */
	seen->event[seen->events].node = node;
	seen->event[seen->events++].what = what;
}

/* Whose children end in any order; or the node itself. */
static unsigned
disorder_of(const struct tree *t, const struct tree_step *step, unsigned n,
    enum tree_event what)
{
	unsigned above = n, found = n;

	if (what < EVENT_NORMAL)
		return n;
	while (what == EVENT_KILLED && above != TREE_TOP) {
		above = t->node[above].parent;
		if (t->node[above].shutdown == SHUTDOWN_BRUTAL ||
		    (step->verb == DO_KILL && step->node == above))
			found = above;
	}
	if (found == n && tree_is_simple(t, t->node[n].parent))
		found = t->node[n].parent;
	return found;
}

/* As many lines from `from` on as may be in any order. */
static unsigned
disorder(const struct tree *t, const struct tree_step *step,
    const struct tree_seen *seen, unsigned from)
{
	unsigned i = from, who;

	who = disorder_of(t, step, seen->event[from].node,
	    seen->event[from].what);
	while (i < seen->events &&
	    disorder_of(t, step, seen->event[i].node, seen->event[i].what) ==
		who)
		i++;
	return i;
}

static void
print_event(const struct tree *t, unsigned node, enum tree_event what, FILE *to)
{
	fprintf(to, "%s %s%s\n", t->node[node].name,
	    what >= EVENT_NORMAL ? "ends " : "", events[what]);
}

/* Those of one disorder, by number. */
static void
print_disorder(const struct tree *t, const struct tree_seen *seen,
    unsigned from, unsigned to, FILE *out)
{
	for (unsigned n = 0; n < t->nodes; n++)
		for (unsigned i = from; i < to; i++)
			if (seen->event[i].node == n)
				print_event(t, n, seen->event[i].what, out);
}

static void
print_events(const struct tree *t, const struct tree_step *step,
    const struct tree_seen *seen, FILE *out)
{
	unsigned i = 0, next;

	for (; i < seen->events; i = next) {
		next = disorder(t, step, seen, i);
		/* One's own lines have an order. */
		if (disorder_of(t, step, seen->event[i].node,
			seen->event[i].what) == seen->event[i].node)
			next = i + 1;
		print_disorder(t, seen, i, next, out);
	}
}

static void
print_kid(const struct tree *t, const struct tree_kid *kid, bool actors,
    FILE *to)
{
	static const char *const marks[] = {
		[STATE_STOPPED] = "-",
		[STATE_RUNNING] = "",
		[STATE_OTHER] = "?",
	};

	fprintf(to, " %s%s%s", marks[kid->state], t->node[kid->node].name,
	    actors && kid->another ? "*" : "");
}

static void
print_list(const struct tree *t, unsigned s, const struct tree_list *list,
    bool actors, FILE *to)
{
	bool simple = tree_is_simple(t, s);

	fprintf(to, "%s (%u %u %u %u):", t->node[s].name, list->counts.specs,
	    list->counts.active, list->counts.supervisors,
	    list->counts.workers);
	/* A simple one tells its children in no order. */
	for (unsigned n = 0; n < (simple ? t->nodes : 1); n++)
		for (unsigned i = 0; i < list->kids; i++)
			if (!simple || list->kid[i].node == n)
				print_kid(t, &list->kid[i], actors, to);
	fputc('\n', to);
}

void
tree_seen_print(const struct tree *t, unsigned step,
    const struct tree_seen *seen, bool actors, FILE *to)
{
	char text[32];
	unsigned i;

	tree_step_text(t, step, text);
	fprintf(to, "%s\n", text);
	if (seen->tried)
		fprintf(to, "s0 %s\n", seen->failed ? "failed" : "is up");
	print_events(t, &t->step[step], seen, to);
	if (seen->answer != ANSWER_NONE)
		fprintf(to, "answer %s\n", answers[seen->answer]);
	for (i = 0; i < t->nodes; i++)
		if (seen->down[i])
			fprintf(to, "%s down %s\n", t->node[i].name,
			    events[seen->why[i]]);
	for (i = 0; i < t->nodes; i++)
		if (seen->list[i].runs)
			print_list(t, i, &seen->list[i], actors, to);
}
