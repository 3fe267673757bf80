/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tree and the script of a seed, and how both are written.
 *
 * So that much happens, a step often concerns who the one before did or one of
 * its siblings, and seldom somebody who is not there; the model says who is.
 */
#include "trees.h"

#include <stdlib.h>

static const char *const verbs[TREE_VERBS] = {
	[DO_FAIL] = "fail",
	[DO_IGNORE] = "ignore",
	[DO_CRASH] = "crash",
	[DO_NORMAL] = "normal",
	[DO_QUIT] = "quit",
	[DO_STOP] = "stop",
	[DO_KILL] = "kill",
	[DO_TERMINATE] = "terminate",
	[DO_RESTART] = "restart",
	[DO_DELETE] = "delete",
	[DO_START] = "start",
	[DO_PAUSE] = "pause",
};

static const char *const strategies[] = {
	[TR_ONE_FOR_ONE] = "one_for_one",
	[TR_ONE_FOR_ALL] = "one_for_all",
	[TR_REST_FOR_ONE] = "rest_for_one",
	[TR_SIMPLE_ONE_FOR_ONE] = "simple_one_for_one",
};

static const char *const restarts[] = {
	[TR_PERMANENT] = "permanent",
	[TR_TRANSIENT] = "transient",
	[TR_TEMPORARY] = "temporary",
};

static const char *const shutdowns[] = {
	[SHUTDOWN_DEFAULT] = "5000",
	[SHUTDOWN_BRUTAL] = "brutal_kill",
	[SHUTDOWN_INFINITE] = "infinity",
};

static const char *const autos[] = {
	[TR_AUTO_SHUTDOWN_NEVER] = "never",
	[TR_AUTO_SHUTDOWN_ANY] = "any_significant",
	[TR_AUTO_SHUTDOWN_ALL] = "all_significant",
};

/* --------------------------------------------------------------- chance -- */

/* SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number
 * generators", OOPSLA 2014. */
static uint64_t
chance_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static unsigned
below(uint64_t *state, unsigned limit)
{
	return (unsigned)(chance_next(state) % limit);
}

/* One of a few, by their weights. */
static unsigned
weighted(uint64_t *state, const unsigned char *weight, unsigned n)
{
	unsigned sum = 0, i, at;

	for (i = 0; i < n; i++)
		sum += weight[i];
	at = below(state, sum);
	for (i = 0; at >= weight[i]; i++)
		at -= weight[i];
	return i;
}

/* ----------------------------------------------------------------- tree -- */

bool
tree_is_simple(const struct tree *t, unsigned n)
{
	return t->node[n].is_super &&
	    t->node[n].strategy == TR_SIMPLE_ONE_FOR_ONE;
}

static void
make_super(struct tree_node *node, uint64_t *chance)
{
	static const unsigned char strategy[] = { 30, 30, 30, 10 };
	static const unsigned char autos_of[] = { 60, 20, 20 };
	static const unsigned char intensity[] = { 8, 25, 30, 22, 10, 5 };
	static const unsigned char restart[] = { 50, 30, 20 };
	static const unsigned char shutdown[] = { 50, 25, 25 };

	node->is_super = true;
	node->strategy = (enum tr_strategy)weighted(chance, strategy, 4);
	node->intensity = (int)weighted(chance, intensity, 6);
	if (node->strategy != TR_SIMPLE_ONE_FOR_ONE)
		node->auto_shutdown =
		    (enum tr_auto_shutdown)weighted(chance, autos_of, 3);
	node->kids_restart = (enum tr_restart)weighted(chance, restart, 3);
	node->kids_shutdown = (enum tree_shutdown)weighted(chance, shutdown, 3);
}

/* A child of a supervisor that is no simple one. */
static void
make_child(const struct tree *t, struct tree_node *node, uint64_t *chance)
{
	static const unsigned char restart[] = { 55, 28, 17 };
	static const unsigned char leafs[] = { 50, 25, 25 };
	static const unsigned char supers[] = { 60, 5, 35 };

	node->restart = (enum tr_restart)weighted(chance, restart, 3);
	node->shutdown = (enum tree_shutdown)weighted(chance,
	    node->is_super ? supers : leafs, 3);
	node->significant = node->restart != TR_PERMANENT &&
	    t->node[node->parent].auto_shutdown != TR_AUTO_SHUTDOWN_NEVER &&
	    below(chance, 10) < 6;
	node->later = below(chance, 100) < 15;
}

static void
make_node(struct tree *t, uint64_t *chance)
{
	struct tree_node *node = &t->node[t->nodes];
	const struct tree_node *above;

	do
		node->parent = below(chance, t->nodes);
	while (!t->node[node->parent].is_super ||
	    t->node[node->parent].depth == TREE_DEPTH);
	above = &t->node[node->parent];
	node->depth = above->depth + 1;
	node->backoff_ms = below(chance, 4) == 0 ? below(chance, 200) : 0;
	if (above->strategy == TR_SIMPLE_ONE_FOR_ONE) {
		node->restart = above->kids_restart;
		node->shutdown = above->kids_shutdown;
		node->later = true;
		/* One pattern. */
		node->backoff_ms = above->backoff_ms;
	} else {
		if (node->depth < TREE_DEPTH && below(chance, 10) < 3)
			make_super(node, chance);
		node->drop = below(chance, 4) == 0;
		make_child(t, node, chance);
	}
	(void)snprintf(node->name, sizeof(node->name), "%c%u",
	    node->is_super ? 's' : 'a', t->nodes);
	t->nodes++;
}

/* --------------------------------------------------------------- script -- */

static bool
fits(const struct tree *t, const struct tree_step *step)
{
	const struct tree_node *node = &t->node[step->node];

	switch (step->verb) {
	case DO_FAIL:
	case DO_CRASH:
	case DO_NORMAL:
	case DO_QUIT: return !node->is_super;
	/* What Erlang's do with a simple one's child that ignores its restart
	 * is no example. */
	case DO_IGNORE:
		return !node->is_super && !tree_is_simple(t, node->parent);
	case DO_TERMINATE:
	case DO_RESTART:
	case DO_DELETE:
	case DO_START:
	case DO_STOP:
	case DO_KILL: return step->node != TREE_TOP;
	default: return true;
	}
}

/* Who is next: the last one again, one of its siblings, or anybody. */
static unsigned
stay_near(const struct tree *t, unsigned last, unsigned any, uint64_t *chance)
{
	unsigned n = below(chance, 10), tries;

	if (n < 3)
		return last;
	for (tries = 0; n < 6 && tries < 40; tries++) {
		any = below(chance, t->nodes);
		if (any != TREE_TOP &&
		    t->node[any].parent == t->node[last].parent)
			break;
	}
	return any;
}

static struct tree_step
make_step(const struct tree *t, uint64_t *chance)
{
	static const unsigned char weight[TREE_VERBS] = { 12, 4, 30, 8, 4, 6, 8,
		8, 7, 5, 10, 3 };
	struct tree_step step;

	step.verb = (enum tree_verb)weighted(chance, weight, TREE_VERBS);
	step.node = below(chance, t->nodes);
	step.count = 1 + below(chance, 4);
	if (t->steps > 0)
		step.node =
		    stay_near(t, t->step[t->steps - 1].node, step.node, chance);
	return step;
}

static void
make_script(struct tree *t, unsigned steps, uint64_t *chance)
{
	static struct tree_seen seen; /* nobody looks */
	struct tree_model *m = tree_model_new(t);

	while (t->steps < steps) {
		struct tree_step step = make_step(t, chance);

		if (!fits(t, &step) ||
		    (below(chance, 5) > 0 && !tree_model_concerns(m, &step)))
			continue;
		seen.events = 0;
		tree_model_step(m, &step, &seen);
		t->step[t->steps++] = step;
	}
	free(m);
}

void
tree_make(struct tree *t, uint64_t seed)
{
	uint64_t chance = seed;
	unsigned nodes, steps;

	*t = (struct tree){ .seed = seed, .nodes = 1 };
	make_super(&t->node[TREE_TOP], &chance);
	(void)snprintf(t->node[TREE_TOP].name, sizeof(t->node[TREE_TOP].name),
	    "s0");
	nodes = 2 + below(&chance, TREE_NODES - 1);
	steps = 4 + below(&chance, TREE_STEPS - 5);
	while (t->nodes < nodes)
		make_node(t, &chance);
	make_script(t, steps, &chance);
	/* Its end. */
	t->step[t->steps++] = (struct tree_step){
		.verb = below(&chance, 8) == 0 ? DO_KILL : DO_STOP,
		.node = TREE_TOP,
	};
}

bool
tree_step_is_quiet(const struct tree_step *step)
{
	return step->verb == DO_FAIL || step->verb == DO_IGNORE ||
	    step->verb == DO_PAUSE;
}

bool
tree_is_erlangs(const struct tree *t)
{
	unsigned i;

	for (i = 0; i < t->nodes; i++)
		if (t->node[i].is_super &&
		    t->node[i].shutdown == SHUTDOWN_BRUTAL)
			return false;
	for (i = 0; i < t->steps; i++)
		if (t->step[i].verb == DO_PAUSE ||
		    (t->step[i].verb == DO_KILL &&
			t->node[t->step[i].node].is_super))
			return false;
	return true;
}

/* --------------------------------------------------------------- as text - */

void
tree_step_text(const struct tree *t, unsigned i, char text[32])
{
	const struct tree_step *step = &t->step[i];
	int n = snprintf(text, 32, "%u %s", i, verbs[step->verb]);

	if (step->verb != DO_PAUSE)
		n += snprintf(text + n, 32 - (size_t)n, " %s",
		    t->node[step->node].name);
	if (step->verb == DO_FAIL)
		(void)snprintf(text + n, 32 - (size_t)n, " %u", step->count);
}

static void
print_node(const struct tree *t, unsigned n, FILE *to)
{
	const struct tree_node *node = &t->node[n];

	fprintf(to, "%*s%s", (int)(2 + 4 * node->depth), "", node->name);
	if (n != TREE_TOP)
		fprintf(to, " %s, %s%s%s", restarts[node->restart],
		    shutdowns[node->shutdown],
		    node->significant ? ", significant" : "",
		    node->later ? ", later" : "");
	if (node->is_super)
		fprintf(to, "; %s, %d, %s", strategies[node->strategy],
		    node->intensity, autos[node->auto_shutdown]);
	fputc('\n', to);
	for (unsigned i = n + 1; i < t->nodes; i++)
		if (t->node[i].parent == n && !t->node[i].gone)
			print_node(t, i, to);
}

void
tree_print(const struct tree *t, FILE *to)
{
	char text[32];

	print_node(t, TREE_TOP, to);
	for (unsigned i = 0; i < t->steps; i++) {
		tree_step_text(t, i, text);
		fprintf(to, "  %s\n", text);
	}
}

/* {Name, Parent, Restart, Shutdown, Significant, Later, leaf}, or instead of
 * leaf {Strategy, Intensity, AutoShutdown, KidsRestart, KidsShutdown}. */
static void
term_node(const struct tree *t, unsigned n, FILE *to)
{
	const struct tree_node *node = &t->node[n];

	fprintf(to, "  {\"%s\",\"%s\",%s,%s,%s,%s,", node->name,
	    n == TREE_TOP ? "" : t->node[node->parent].name,
	    restarts[node->restart], shutdowns[node->shutdown],
	    node->significant ? "true" : "false",
	    node->later ? "true" : "false");
	if (node->is_super)
		fprintf(to, "{%s,%d,%s,%s,%s}}", strategies[node->strategy],
		    node->intensity, autos[node->auto_shutdown],
		    restarts[node->kids_restart],
		    shutdowns[node->kids_shutdown]);
	else
		fprintf(to, "leaf}");
}

void
tree_term(const struct tree *t, FILE *to)
{
	char text[32];
	unsigned i;

	fprintf(to, "{%llu,[\n", (unsigned long long)t->seed);
	for (i = 0; i < t->nodes; i++) {
		term_node(t, i, to);
		fprintf(to, i + 1 < t->nodes ? ",\n" : "],[\n");
	}
	for (i = 0; i < t->steps; i++) {
		tree_step_text(t, i, text);
		fprintf(to, "  {\"%s\",%s,\"%s\",%u}", text,
		    verbs[t->step[i].verb], t->node[t->step[i].node].name,
		    t->step[i].count);
		fprintf(to, i + 1 < t->steps ? ",\n" : "]}.\n");
	}
}
