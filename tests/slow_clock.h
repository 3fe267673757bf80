/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A clock for tests of what is done by turns: each look at it takes 100 ns, and
 * nothing else takes time.  So handlers are quick and nobody is owed anything
 * (sched/owe.c), however busy the machine is.
 */
#ifndef TROUPE_TESTS_SLOW_CLOCK_H
#define TROUPE_TESTS_SLOW_CLOCK_H

#include "kit.h"

#include "actors/system.h"

static _Atomic int64_t slow_clock_time;

static inline int64_t
slow_clock_now(struct tri_env *env)
{
	(void)env;
	return atomic_fetch_add(&slow_clock_time, 100);
}

static inline uint64_t
slow_clock_cycles(struct tri_env *env)
{
	return (uint64_t)slow_clock_now(env);
}

/* Before it runs.  The workers have looked at the clock already: it goes on from
 * there. */
static inline void
slow_clock(struct kit *k)
{
	int64_t now = k->sys->env->now(k->sys->env);

	if (slow_clock_time < now)
		slow_clock_time = now;
	k->sys->env->now = slow_clock_now;
	k->sys->env->cycles = slow_clock_cycles;
}

#endif
