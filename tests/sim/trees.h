/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trees.h - random trees of supervisors, and what becomes of them.
 *
 * A seed is a tree and a script: one step after another, each when the tree has
 * come to rest from the one before.  So what is seen is determined, down to the
 * order of all starts and ends.  Three play it and are compared:
 *
 *     trees_model.c    what Erlang's supervisors do, said in plain C
 *     trees_play.c     Troupe, in simulated schedules
 *     trees.erl        Erlang, which judges the model
 *
 * What a step shows is a struct tree_seen; trees_seen.c prints it.
 *
 *     trees_make.c     the tree and the script of a seed
 *     trees.c          the program
 */
#ifndef TESTS_SIM_TREES_H
#define TESTS_SIM_TREES_H

#include <stdio.h>

#include <troupe.h>
#include <troupe/sim.h>
#include <troupe/supervisor.h>

enum {
	TREE_NODES = 31, /* the top, and up to 30 children */
	TREE_DEPTH = 4,
	TREE_STEPS = 24,
	TREE_EVENTS = 4096,
	TREE_TOP = 0,
	/* All else takes no time that matters beside these. */
	TREE_PERIOD_S = 1000000,
	TREE_PAUSE_S = 600000,
};

/* ----------------------------------------------------- tree and script --- */

enum tree_shutdown { SHUTDOWN_DEFAULT, SHUTDOWN_BRUTAL, SHUTDOWN_INFINITE };

struct tree_node {
	char name[8]; /* s0, the top; s7, a supervisor; a9, a leaf */
	unsigned parent;
	unsigned depth;
	bool gone; /* taken out, to see whether the rest still fails */
	bool is_super;
	bool later; /* not described above it: it is there by start_child */
	enum tr_restart restart;
	enum tree_shutdown shutdown;
	bool significant;
	unsigned backoff_ms; /* Troupe's alone; no order depends on it */
	bool drop; /* likewise */

	/* A supervisor. */
	enum tr_strategy strategy;
	int intensity;
	enum tr_auto_shutdown auto_shutdown;
	enum tr_restart
	    kids_restart; /* of simple_one_for_one: all children's */
	enum tree_shutdown kids_shutdown;
};

enum tree_verb {
	DO_FAIL, /* the leaf's next starts fail */
	DO_IGNORE, /* its next start says that there is nothing to do */
	DO_CRASH,
	DO_NORMAL, /* it ends by itself */
	DO_QUIT, /* likewise, with shutdown */
	DO_STOP, /* another tells it to stop, not its supervisor */
	DO_KILL,
	DO_TERMINATE, /* asked of the node's supervisor, as those below */
	DO_RESTART,
	DO_DELETE,
	DO_START,
	DO_PAUSE, /* some of the period goes by */
	TREE_VERBS
};

struct tree_step {
	enum tree_verb verb;
	unsigned node;
	unsigned count; /* FAIL */
};

struct tree {
	uint64_t seed;
	unsigned nodes;
	unsigned steps;
	struct tree_node node[TREE_NODES];
	struct tree_step step[TREE_STEPS];
};

void tree_make(struct tree *t, uint64_t seed);
void tree_print(const struct tree *t, FILE *to);
void tree_step_text(const struct tree *t, unsigned i, char text[32]);
/* Only prepares what is to come: nothing happens. */
bool tree_step_is_quiet(const struct tree_step *step);
/* Nothing in it that Erlang does otherwise, or takes too long for. */
bool tree_is_erlangs(const struct tree *t);
/* For trees.erl: a term. */
void tree_term(const struct tree *t, FILE *to);
bool tree_is_simple(const struct tree *t, unsigned n);

/* ------------------------------------------------------- what is seen --- */

enum tree_event {
	EVENT_STARTS,
	EVENT_FAILS, /* to start */
	EVENT_IGNORES,
	EVENT_NORMAL, /* it ends, and of what */
	EVENT_SHUTDOWN,
	EVENT_KILLED,
	EVENT_CRASH,
	EVENT_OTHER, /* none of these */
	TREE_EVENT_KINDS
};

enum tree_answer {
	ANSWER_NONE,
	ANSWER_NOBODY, /* whom it is about, or is asked, is not there */
	ANSWER_OK,
	ANSWER_IGNORED,
	ANSWER_STARTED, /* already */
	ANSWER_PRESENT, /* already, but does not run */
	ANSWER_RUNNING,
	ANSWER_FAILED,
	ANSWER_NOT_FOUND,
	ANSWER_REFUSED,
	TREE_ANSWERS
};

enum tree_state { STATE_STOPPED, STATE_RUNNING, STATE_OTHER };

/* A supervisor at rest, as it tells it. */
struct tree_list {
	bool runs;
	unsigned kids;
	struct tree_kid {
		unsigned node;
		enum tree_state state;
		bool another; /* it ran before, and was another actor */
	} kid[TREE_NODES];
	struct tr_child_counts counts;
};

struct tree_seen {
	bool tried; /* the top did not run, and was started */
	bool failed; /* but did not want to */
	enum tree_answer answer;
	unsigned events;
	struct {
		unsigned node;
		enum tree_event what;
	} event[TREE_EVENTS]; /* of leaves, in their order */
	bool down[TREE_NODES]; /* supervisors that ran before and have ended */
	enum tree_event why[TREE_NODES];
	struct tree_list list[TREE_NODES];
};

void tree_seen_add(struct tree_seen *seen, unsigned node, enum tree_event what);
void tree_seen_print(const struct tree *t, unsigned step,
    const struct tree_seen *seen, bool actors, FILE *to);

/* ------------------------------------------------------------- players --- */

struct tree_model;
struct tree_model *tree_model_new(const struct tree *t); /* to be freed */
void tree_model_step(struct tree_model *m, const struct tree_step *step,
    struct tree_seen *seen);
/* Whether a step would find somebody, and have something to do. */
bool tree_model_concerns(const struct tree_model *m,
    const struct tree_step *step);

/* A tree in play. */
struct tree_play {
	const struct tree *tree;
	/* What a scenario that fails leaves behind, to be freed. */
	struct tree_model *model;
	char *expected; /* of the step that was not as it should be, or NULL */
	char *noted;
};

/* The scenario; arg is a struct tree_play. */
tr_sim_fn tree_play;

#endif /* TESTS_SIM_TREES_H */
