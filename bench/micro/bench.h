/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench.h - what a workload sees.
 *
 * A workload is a function that runs once in a process of its own.  Most of
 * them hand a root behaviour to bench_system(); the root gets the struct bench
 * as its argument, calls bench_begin() before the first thing that is timed and
 * bench_end() after the last, and leaves how many operations that was.  The
 * others set `value` themselves.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include <troupe.h>

struct bench {
	/* Given. */
	uint64_t size; /* what the workload's N is */
	unsigned workers;

	/* Set by the workload before bench_system(). */
	bool pin; /* bind workers to cores, the root to worker 0 */
	void *ctx; /* for the root */

	/* Left by the workload. */
	uint64_t ops; /* `value` becomes nanoseconds per op, unless 0 */
	double value; /* the figure, in the unit of the workload */
	double raw; /* what it is compared with in the same run; else 0 */

	/* Between bench_begin() and bench_end(). */
	int64_t begin_ns;
	int64_t end_ns;
};

struct bench_case {
	const char *name;
	const char *unit; /* ns_per_op, bytes, us, per_s */
	const char *op; /* what one operation is */
	uint64_t size; /* N at scale 1 */
	uint64_t size_max; /* at any scale; 0: no limit */
	unsigned workers; /* 0: as the user asks */
	bool peers; /* the peers have this one too */
	bool depth; /* size is a tree's depth: it scales by the logarithm */
	bool relative; /* must and aim are of value / raw */
	bool no_limits; /* there is no must and no aim */
	double must; /* at scale 1, near, 2 workers */
	double aim;
	void (*run)(struct bench *b);
};

/** The workloads in the order of the report; ends with a NULL name. */
extern const struct bench_case bench_cases[];

/** End the process with a message. */
_Noreturn void bench_fail(const char *what);

/** End the process with a message unless `ok`. */
static inline void
bench_check(bool ok, const char *what)
{
	if (!ok)
		bench_fail(what);
}

/**
 * Run a system for a root actor, whose start() finds a struct bench * at `arg`
 * and which calls bench_end() in the end; then check that every message is
 * accounted for and that nothing failed or was left over.
 */
void bench_system(struct bench *b, const struct tr_behavior *root);

/** Check the counters of a system that has ended. */
void bench_check_stats(struct tr_system *system);

/** Begin the timed part, in the root's turn. */
void bench_begin(struct bench *b, struct tr_self *self);

/**
 * End the timed part of `ops` operations and stop the system.  Returns TR_OK,
 * for a handler to return.
 */
int bench_end(struct bench *b, struct tr_self *self, uint64_t ops);

/** Run one case and print its result for main.c; the child's whole life. */
void bench_child(const struct bench_case *c, uint64_t size, unsigned workers);

/* The workloads, one file for one or two of them. */
void pingpong_run(struct bench *b);
void count_run(struct bench *b);
void nto1_run(struct bench *b);
void ring_run(struct bench *b);
void fjthrput_run(struct bench *b);
void fjcreate_run(struct bench *b);
void big_run(struct bench *b);
void fib_run(struct bench *b);
void pingpong_typed_run(struct bench *b);
void idle_actor_run(struct bench *b);
void spawn_run(struct bench *b);
void ask_run(struct bench *b);
void timer_run(struct bench *b);
void msg1k_run(struct bench *b);
void post_run(struct bench *b);
void wake_run(struct bench *b);
void idle_wakeups_run(struct bench *b);
void start_stop_run(struct bench *b);

#endif /* BENCH_BENCH_H */
