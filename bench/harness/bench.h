/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench.h - what a benchmark sees.
 *
 * A benchmark is a struct bench_case: a name, what one operation is, parameters
 * with a value for each size, and a root behaviour.  The root gets the struct
 * bench as its argument, calls bench_begin() before the first thing that is
 * timed and bench_end() after the last, which stops the system.  What is no
 * part of the work (making the input, looking through the output) is done by
 * setup() and teardown(), before the system is made and after it has ended.
 *
 * The result is checked, always: bench_check() says what was expected.  After
 * the end it is checked besides that every message was handled, that no actor
 * failed, and that none is left over.
 *
 * A benchmark is run in two worlds by the same object code: as a process of its
 * own on real threads (child.c), and in the simulator, which has neither
 * threads nor clocks.  So it uses the verbs of <troupe.h> and plain C, takes no
 * time, makes no system call, and draws its random numbers from a seed of its
 * own.  Those of bench/micro are about threads, clocks and memory themselves,
 * run in the real world only, and have a run() instead of a root.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include <troupe.h>

/** How much a benchmark does. */
enum bench_size {
	BENCH_SMALL, /* for tests: some 10,000 messages, milliseconds */
	BENCH_SAVINA, /* the original's parameters */
	BENCH_LARGE, /* at least a second on two workers */
	BENCH_SIZES /* how many there are */
};

enum { BENCH_PARAMS = 8 };

/** A parameter: a whole number that the report shows by its name. */
struct bench_param {
	const char *name; /* letters and underscores, the unit last */
	uint64_t value[BENCH_SIZES]; /* small, the original's, large */
};

struct bench {
	/* Given. */
	const struct bench_case *bench;
	uint64_t value_of[BENCH_PARAMS]; /* see bench_param() */
	uint64_t size; /* the first parameter */
	unsigned workers;

	/* The benchmark's own. */
	bool pin; /* bind workers to cores, the root to worker 0 */
	void *ctx; /* what setup() made, for the root and for teardown() */
	void (*ended)(struct bench *b); /* before the system is freed: for who
	                                 * has other threads that post to it */

	/* Left by the benchmark. */
	uint64_t ops; /* `value` becomes nanoseconds per op, unless 0 */
	double value; /* the figure, in the benchmark's unit */
	double raw; /* what it is compared with in the same run; else 0 */

	/* Left by bench_begin() and bench_end(). */
	int64_t begin_ns;
	int64_t end_ns;

	/* Left by the system. */
	struct tr_stats stats;
};

struct bench_case {
	const char *name;
	const char *suite; /* micro, savina or kin */
	const char *group; /* within the suite; NULL: none */
	const char *op; /* what one operation is */
	const char
	    *note; /* where it differs from the original; NULL: nowhere */
	struct bench_param params[BENCH_PARAMS]; /* up to a NULL name */

	/* What to run: its start() finds a struct bench * at `arg`, see
	 * bench_of().  arg_size has to be sizeof(struct bench *). */
	const struct tr_behavior *root;
	void (*setup)(struct bench *b); /* NULL: nothing to do */
	void (*teardown)(struct bench *b); /* NULL: nothing to do */
	bool dead_letters; /* messages may be on their way to actors that have
	                    * ended: these are no fault */

	/* Micro only. */
	void (*run)(struct bench *b); /* instead of a root */
	const char *unit; /* ns_per_op, bytes, us, per_s; NULL: ns_per_op */
	unsigned workers; /* 0: as the user asks */
	uint64_t size_max; /* of the first parameter; 0: no limit */
	bool depth; /* the first parameter is a tree's depth: it scales by the
	             * logarithm */
	bool relative; /* must and aim are of value / raw */
	bool budget; /* there is one: */
	double must; /* near, 2 workers, full size */
	double aim;
};

/** End the run: the result is wrong.  `what` was expected. */
_Noreturn void bench_fail(const char *what);

/** End the run unless `ok`. */
static inline void
bench_check(bool ok, const char *what)
{
	if (!ok)
		bench_fail(what);
}

/** What start() of a root was given. */
static inline struct bench *
bench_of(const void *arg)
{
	return *(struct bench *const *)arg;
}

/** The value of a parameter in this run; there has to be one of that name. */
uint64_t bench_param(const struct bench *b, const char *name);

/** Begin the timed part, in the root's turn. */
void bench_begin(struct bench *b, struct tr_self *self);

/**
 * End the timed part of `ops` operations and stop the system: every actor
 * handles what its mailbox holds and ends.  Returns TR_OK, for a handler to
 * return.
 */
int bench_end(struct bench *b, struct tr_self *self, uint64_t ops);

/* ------------------------------------------- for those who run benchmarks - */

/** Fill in a benchmark's given part. */
void bench_init(struct bench *b, const struct bench_case *c,
    enum bench_size size, unsigned workers);

/** Give a parameter another value, PARAMETER=VALUE.  False: it has none of that
 * name, or the value is no whole number. */
bool bench_set(struct bench *b, const char *setting);

/** Keep the counters of a system that has ended, and check them. */
void bench_check_stats(struct bench *b, struct tr_system *system);

/**
 * Run a system for a root actor, then check that every message is accounted
 * for and that nothing failed or was left over.
 */
void bench_system(struct bench *b, const struct tr_behavior *root);

#endif /* BENCH_BENCH_H */
