/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptions: what is wrong with them, and what they leave to the defaults.
 *
 * A whole tree is looked at before anything of it is spawned, without
 * recursion: the path from the top is an array.  So a description that leads
 * back to itself is one that is too deep.
 */
#include <string.h>

#include "actors/supervise/supervise.h"

enum {
	INTENSITY = 1,
	SHUTDOWN_S = 5,
	PERIOD_S = 5,
	IDS_FEW = 32, /* are compared with each other */
};

const char *
tri_spec_name(const struct tr_supervisor *spec)
{
	return spec->name != NULL ? spec->name : "supervisor";
}

uint32_t
tri_spec_intensity(const struct tr_supervisor *spec)
{
	if (spec->intensity == TR_NO_RESTARTS)
		return 0;
	return spec->intensity == 0 ? INTENSITY : (uint32_t)spec->intensity;
}

int64_t
tri_spec_period(const struct tr_supervisor *spec)
{
	return spec->period_ns == 0 ? TR_SECONDS(PERIOD_S) : spec->period_ns;
}

int64_t
tri_spec_shutdown(const struct tr_child *child)
{
	if (child->shutdown_ns != 0)
		return child->shutdown_ns;
	return child->supervisor != NULL ? TR_INFINITE : TR_SECONDS(SHUTDOWN_S);
}

/* ------------------------------------------------------------- one child - */

static bool
length_is_valid(const char *text, size_t most)
{
	size_t length = text != NULL ? strnlen(text, most + 1) : 0;

	return length > 0 && length <= most;
}

static const char *
backoff_problem(const struct tr_backoff *b)
{
	if (b->min_ns < 0 || b->max_ns < 0 || b->reset_ns < 0)
		return "backoff: a negative time";
	if (b->max_ns != 0 && b->max_ns < b->min_ns)
		return "backoff: max_ns is below min_ns";
	if (b->max_ns != 0 && b->min_ns == 0)
		return "backoff: max_ns without min_ns";
	return b->jitter_percent <= 100 ? NULL : "backoff: jitter beyond 100 %";
}

static const char *
options_problem(const struct tr_system *sys, const struct tr_spawn_options *o)
{
	if (o->name != NULL)
		return "options.name: the child's own name is meant for that";
	if (o->link || o->monitor != NULL || o->error != NULL)
		return "options: no link, monitor or error here";
	if (o->placement < TR_PLACE_ANY || o->placement > TR_PLACE_WORKER ||
	    (o->placement == TR_PLACE_WORKER && o->worker >= sys->sched.n))
		return "options: no such place";
	return tri_bound_is_valid(o) ? NULL : "options: a bound out of range";
}

static const char *
what_problem(const struct tr_child *c)
{
	if ((c->behavior == NULL) == (c->supervisor == NULL))
		return "either a behavior or a supervisor is needed";
	if (c->behavior != NULL && c->behavior->receive == NULL)
		return "a behavior without receive";
	return NULL;
}

/* What is wrong with it, whoever its supervisor is; NULL: nothing. */
static const char *
child_problem(const struct tr_system *sys, const struct tr_child *c)
{
	const char *problem = what_problem(c);

	if (problem != NULL)
		return problem;
	if (!length_is_valid(c->id, TR_CHILD_ID_MAX))
		return "an id of 1 to 47 bytes is needed";
	if (c->name != NULL && !length_is_valid(c->name, TRI_NAME_MAX))
		return "a name of 1 to 63 bytes, or none, is needed";
	if (c->restart < TR_PERMANENT || c->restart > TR_TEMPORARY)
		return "no such restart";
	if (c->shutdown_ns < TR_BRUTAL_KILL)
		return "shutdown_ns is negative";
	if (c->significant && c->restart == TR_PERMANENT)
		return "significant, but permanent";
	problem = backoff_problem(&c->backoff);
	if (problem == NULL && c->options != NULL)
		problem = options_problem(sys, c->options);
	return problem;
}

/* -------------------------------------------------------- one supervisor - */

static const char *
spec_problem(const struct tr_supervisor *s)
{
	if (s->strategy < TR_ONE_FOR_ONE || s->strategy > TR_SIMPLE_ONE_FOR_ONE)
		return "no such strategy";
	if (s->intensity < TR_NO_RESTARTS || s->intensity > TR_INTENSITY_MAX)
		return "intensity is not within -1 to 10000";
	if (s->period_ns < 0)
		return "period_ns is negative";
	if (s->auto_shutdown < TR_AUTO_SHUTDOWN_NEVER ||
	    s->auto_shutdown > TR_AUTO_SHUTDOWN_ALL)
		return "no such auto_shutdown";
	if (s->children == NULL && s->child_count > 0)
		return "children without an array";
	if (s->strategy == TR_SIMPLE_ONE_FOR_ONE && s->child_count != 1)
		return "simple_one_for_one needs exactly one child, the "
		       "pattern";
	return s->child_count <= TRI_SPEC_CHILDREN ? NULL : "too many children";
}

/* A level's children by their ids, as far as they were looked at: index + 1,
 * open addressing.  Without memory for it each is compared with all others. */
struct ids {
	const struct tr_supervisor *spec;
	uint32_t *slot; /* NULL: none */
	size_t mask;
};

static void
ids_init(struct ids *ids, const struct tri_memory *memory,
    const struct tr_supervisor *s)
{
	size_t size = 1;

	*ids = (struct ids){ .spec = s };
	if (s->child_count < IDS_FEW)
		return;
	while (size < 2 * s->child_count)
		size *= 2;
	ids->slot = memory->alloc(memory->ctx, size * sizeof(*ids->slot));
	if (ids->slot != NULL)
		memset(ids->slot, 0, size * sizeof(*ids->slot));
	ids->mask = size - 1;
}

static void
ids_fini(struct ids *ids, const struct tri_memory *memory)
{
	if (ids->slot != NULL)
		memory->free(memory->ctx, ids->slot);
}

/* Whether one of those before it has its id; from now on it has. */
static bool
id_is_taken(struct ids *ids, size_t i)
{
	const struct tr_child *child = ids->spec->children;
	size_t at, k;

	if (ids->slot == NULL) {
		for (k = 0; k < i; k++)
			if (strcmp(child[k].id, child[i].id) == 0)
				return true;
		return false;
	}
	at = tri_text_hash(child[i].id, strlen(child[i].id)) & ids->mask;
	for (; ids->slot[at] != 0; at = (at + 1) & ids->mask)
		if (strcmp(child[ids->slot[at] - 1].id, child[i].id) == 0)
			return true;
	ids->slot[at] = (uint32_t)i + 1;
	return false;
}

/* What is wrong with one of its children; NULL: nothing. */
static const char *
member_problem(const struct tr_system *sys, struct ids *ids, size_t i)
{
	const struct tr_supervisor *s = ids->spec;
	const char *problem = child_problem(sys, &s->children[i]);

	if (problem != NULL)
		return problem;
	if (s->children[i].significant &&
	    s->auto_shutdown == TR_AUTO_SHUTDOWN_NEVER)
		return "significant, but its supervisor has no auto_shutdown";
	return id_is_taken(ids, i) ? "its id is another child's" : NULL;
}

static const char *
child_name(const struct tr_child *c)
{
	return length_is_valid(c->id, TR_CHILD_ID_MAX) ? c->id : "?";
}

/* A supervisor and its children, but not what is beneath these. */
static bool
level_is_valid(struct tr_system *sys, const struct tr_supervisor *s)
{
	const struct tri_memory *memory = &sys->env->memory;
	const char *problem = spec_problem(s);
	struct ids ids;
	size_t i;

	if (problem != NULL) {
		tri_log(sys, TR_LOG_ERROR, "supervisor %s: %s",
		    tri_spec_name(s), problem);
		return false;
	}
	ids_init(&ids, memory, s);
	for (i = 0; i < s->child_count && problem == NULL; i++)
		problem = member_problem(sys, &ids, i);
	ids_fini(&ids, memory);
	if (problem != NULL)
		tri_log(sys, TR_LOG_ERROR, "supervisor %s: child %s (%zu): %s",
		    tri_spec_name(s), child_name(&s->children[i - 1]), i - 1,
		    problem);
	return problem == NULL;
}

/* --------------------------------------------------------------- a tree -- */

/* On the way down: a supervisor, and which of its children is next. */
struct place {
	const struct tr_supervisor *spec;
	size_t next;
};

static bool
refuse_tree(struct tr_system *sys, const struct tr_supervisor *top,
    const char *problem)
{
	tri_log(sys, TR_LOG_ERROR, "supervisor %s: %s", tri_spec_name(top),
	    problem);
	return false;
}

bool
tri_spec_is_valid(struct tr_system *sys, const struct tr_supervisor *spec)
{
	struct place path[TRI_SPEC_DEPTH] = { { spec, 0 } };
	const struct tr_supervisor *s = spec;
	size_t children = 0;
	unsigned depth = 1;

	if (spec == NULL) {
		tri_log(sys, TR_LOG_ERROR, "supervisor: no description");
		return false;
	}
	for (;;) {
		if (!level_is_valid(sys, s))
			return false;
		children += s->child_count;
		if (children > TRI_SPEC_CHILDREN)
			return refuse_tree(sys, spec,
			    "more than 1048576 children in its tree");
		/* The next supervisor, on the way down and back. */
		s = NULL;
		while (s == NULL && depth > 0) {
			struct place *at = &path[depth - 1];

			if (at->next == at->spec->child_count)
				depth--;
			else
				s = at->spec->children[at->next++].supervisor;
		}
		if (s == NULL)
			return true;
		if (depth == TRI_SPEC_DEPTH)
			return refuse_tree(sys, spec,
			    "more than 64 supervisors above each other");
		path[depth++] = (struct place){ s, 0 };
	}
}

bool
tri_spec_child_is_valid(struct tr_system *sys, const struct tr_child *child)
{
	const char *problem = child_problem(sys, child);

	if (problem != NULL) {
		tri_log(sys, TR_LOG_ERROR, "child %s: %s", child_name(child),
		    problem);
		return false;
	}
	return child->supervisor == NULL ||
	    tri_spec_is_valid(sys, child->supervisor);
}
