/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * world.h - the environment (sched/env.h) that schedules run in: memory that
 * is the same at each start, a clock that moves when a case says so, loops in
 * which a logical thread waits.
 *
 * A sleep ends by loop_wake(), an alarm, or its deadline.  Time stands still
 * while anybody can go on; when nobody can, the case decides whether that was
 * right (struct sched_case.quiet) and lets it pass, or not.
 */
#ifndef TESTS_SCHEDULES_WORLD_H
#define TESTS_SCHEDULES_WORLD_H

#include "engine.h"
#include "sched/sched.h"

enum { WORLD_LOOPS = SCHED_THREADS };

struct tri_loop {
	bool asleep;
	bool woken;
	int64_t alarm; /* INT64_MAX: none */
	int64_t deadline; /* of the sleep */
	unsigned sleeps;
};

struct world {
	struct tri_env env;
	int64_t now;
	struct tri_loop loop[WORLD_LOOPS];
	unsigned loops;
	unsigned passed; /* how often time had to pass */
	bool dry; /* no slab is to be had any more */
	bool fenceless; /* other threads cannot be fenced */
};

extern struct world world;

/* As if nothing had ever been. */
void world_begin(void);

/* Let time pass until the next sleeper's alarm or deadline, but at most
 * `most`.  false: there is none. */
bool world_pass_time(int64_t most);

/* How many loops are asleep. */
unsigned world_asleep(void);

/* Logical thread t is worker t of the scheduler, up to n of them; later ones
 * are foreign threads. */
void world_workers(struct tri_sched *s, unsigned n);

#endif /* TESTS_SCHEDULES_WORLD_H */
