/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking one of libck's spin locks for a few lines.
 *
 * With more threads than cores a holder may lose its core, and then everybody
 * who spins keeps it from coming back.  So after some tries one gives the core
 * away between two of them.  Where something else can be done instead of
 * waiting, ck_spinlock_trylock is the better choice.
 */
#ifndef TROUPE_SCHED_LOCK_H
#define TROUPE_SCHED_LOCK_H

#include "mailbox/ck.h"
#include "sched/env.h"

enum { TRI_LOCK_SPINS = 100 };

static inline void
tri_lock(struct tri_env *env, ck_spinlock_t *lock)
{
	unsigned n = 0;

	while (!ck_spinlock_trylock(lock)) {
		if (n++ < TRI_LOCK_SPINS)
			ck_pr_stall();
		else
			env->yield(env);
	}
}

static inline void
tri_unlock(ck_spinlock_t *lock)
{
	ck_spinlock_unlock(lock);
}

#endif
