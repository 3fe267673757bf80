/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine.h - logical threads whose every step is chosen.
 *
 * A case is a small program of two to four logical threads that call the real
 * code.  They share one thread of the system; at every yield point (points.h)
 * the engine chooses who goes on.  A schedule is the list of those choices
 * that were not the usual one ("go on as before"), each named by the number of
 * its decision; it can be printed, and replayed exactly.
 *
 * Store buffers: in cases that ask for them a store may be delayed until the
 * thread's next read-modify-write, until it waits or ends, or until a choice
 * drains it; the thread itself sees it at once, as on x86.
 *
 * engine.c has the threads, buffer.c their store buffers, strategy.c the
 * choices, driver.c the command line, trace.c what a schedule did.
 */
#ifndef TESTS_SCHEDULES_ENGINE_H
#define TESTS_SCHEDULES_ENGINE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "points.h"

enum {
	SCHED_THREADS = 4,
	SCHED_DECISIONS = 20000, /* of one schedule: more is no progress */
	SCHED_CHOICES = 4096, /* unusual ones, of one schedule */
};

struct sched_case {
	const char *name;
	const char *what;
	unsigned threads;
	bool buffers; /* explore with store buffers too */
	/* Before each schedule; no yield points. */
	void (*setup)(void);
	/* What a logical thread does. */
	void (*body)(unsigned thread);
	/* Nobody can go on.  true: the world has changed (time has passed),
	 * try again.  May call sched_fail().  NULL: never. */
	bool (*quiet)(void);
	/* May threads wait at the end, for good? */
	bool may_wait;
	/* Afterwards; no yield points.  Calls sched_fail(), or returns a hash
	 * of what has become of it all. */
	uint64_t (*check)(void);
};

/* ------------------------------------------------------- for the cases -- */

/* Something is wrong with this schedule.  Does not return. */
void sched_fail(const char *format, ...)
    __attribute__((noreturn, format(printf, 1, 2)));

#define SCHED_CHECK(x)   \
	((x) ? (void)0 : \
	       sched_fail("%s:%d: not so: %s", __FILE__, __LINE__, #x))

/* A logical thread: wait until `until` holds.  It may only look. */
void sched_wait(bool (*until)(const void *arg), const void *arg);
/* A logical thread: let others go on, for what is no atomic operation. */
void sched_pass(void);
/* A logical thread, or setup: a system call drains the store buffer. */
void sched_drain(void);
/* A logical thread, or setup: all others pass a fence, one after the other. */
void sched_fence_others(void);
/* Increases with every step: when something was. */
uint64_t sched_stamp(void);
/* For traces. */
void sched_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
void sched_name(const volatile void *p, size_t size, const char *name);
/* A variable that every logical thread has of its own. */
void sched_local(void **variable, void *const value[], unsigned n);

uint64_t sched_mix(uint64_t hash, uint64_t value);

/* Explore the cases as the command line says; the exit status. */
int sched_main(int argc, char **argv, const struct sched_case *cases, size_t n,
    const char *files);

/* ------------------------------------------------ between the files ----- */

/* What may go on: a thread, or the oldest store of a thread's buffer; or what
 * happens to a store: it arrives at once, or is delayed. */
enum {
	SCHED_DRAIN = SCHED_THREADS,
	SCHED_PROMPT = 100,
	SCHED_DELAY,
};

struct sched_choice {
	uint32_t decision;
	uint8_t agent;
};

/* A way to choose.  `agent` begins with the usual one, and the first `cheap`
 * cost no preemption. */
struct sched_strategy {
	const char *name;
	void (*begin)(void);
	unsigned (*pick)(const uint8_t *agent, unsigned n, unsigned cheap);
	/* After a schedule.  false: there is no other. */
	bool (*next)(void);
};

extern const struct sched_strategy sched_dfs, sched_pct, sched_random,
    sched_replay;

/* strategy.c: how. */
void sched_dfs_start(unsigned bound);
void sched_seed(uint64_t seed, unsigned depth);
bool sched_replay_parse(const char *text);
void sched_replay_list(const struct sched_choice *choice, unsigned n);
extern unsigned sched_depth; /* of the running schedule, for pct */

struct sched_run {
	/* Set by the driver. */
	const struct sched_case *of;
	const struct sched_strategy *strategy;
	bool buffers;
	bool skip_private; /* no choice where only one thread ever was */
	bool learn; /* which addresses are private */
	bool trace;
	/* Results. */
	uint32_t decisions;
	unsigned choices;
	unsigned switches;
	struct sched_choice choice[SCHED_CHOICES];
	bool failed;
	uint64_t hash;
	char why[400];
};

extern struct sched_run sched_run;

/* Run one schedule. */
void sched_one(void);
/* Once per process, and once per case. */
void sched_init(void);
void sched_forget(void);
/* trace.c */
void sched_trace_begin(void);
void sched_trace_op(const struct sched_site *site, const volatile void *p,
    size_t size, const char *how);
void sched_trace_written(void);
void sched_trace_arrival(unsigned thread, const void *p);
/* The running logical thread, or -1. */
int sched_current(void);

#endif /* TESTS_SCHEDULES_ENGINE_H */
