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

static inline int64_t
slow_clock_now(struct tri_env *env)
{
	static _Atomic int64_t now;
	int64_t unset = 0;

	(void)env;
	(void)atomic_compare_exchange_strong(&now, &unset,
	    (int64_t)time(NULL) * 1000000000);
	return atomic_fetch_add(&now, 100);
}

static inline uint64_t
slow_clock_cycles(struct tri_env *env)
{
	return (uint64_t)slow_clock_now(env);
}

/* Before it runs. */
static inline void
slow_clock(struct kit *k)
{
	k->sys->env->now = slow_clock_now;
	k->sys->env->cycles = slow_clock_cycles;
}

#endif
