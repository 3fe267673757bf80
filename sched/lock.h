/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking one of libck's spin locks for a few lines.
 *
 * With more threads than cores a holder may lose its core, and then everybody
 * who spins keeps it from coming back.  So after some tries one gives the core
 * away between two of them.  Where something else can be done instead of
 * waiting, tri_trylock is the better choice.
 *
 * WHO WAITS IS LET IN.  libck's lock is whoever's that comes first, so a
 * thread that takes it again and again, and loses its core with it, would keep
 * it from one that waits: where threads take turns of the same length
 * (valgrind) each turn may end with the lock held, at the same instruction.
 * Hence who has waited for long says so, and others give the core away once
 * before they try.
 */
#ifndef TROUPE_SCHED_LOCK_H
#define TROUPE_SCHED_LOCK_H

#include "mailbox/atomic.h"
#include "mailbox/ck.h"
#include "sched/env.h"

enum { TRI_LOCK_SPINS = 100 };

struct tri_lock {
	ck_spinlock_t word;
	_Atomic uint32_t waiting; /* those who have spun in vain */
};

static inline void
tri_lock_init(struct tri_lock *lock)
{
	ck_spinlock_init(&lock->word);
	tri_store_relaxed(&lock->waiting, 0u);
}

static inline bool
tri_trylock(struct tri_lock *lock)
{
	return ck_spinlock_trylock(&lock->word);
}

static inline void
tri_lock_wait(struct tri_env *env, struct tri_lock *lock)
{
	unsigned n;

	for (n = 0; n < TRI_LOCK_SPINS; n++) {
		ck_pr_stall();
		if (tri_trylock(lock))
			return;
	}
	tri_fetch_add_relaxed(&lock->waiting, 1u);
	do
		env->yield(env);
	while (!tri_trylock(lock));
	tri_fetch_sub_relaxed(&lock->waiting, 1u);
}

static inline void
tri_lock(struct tri_env *env, struct tri_lock *lock)
{
	/* Relaxed: a hint, nothing hangs on when it is seen. */
	if (TRI_UNLIKELY(tri_load_relaxed(&lock->waiting) != 0))
		env->yield(env);
	if (TRI_UNLIKELY(!tri_trylock(lock)))
		tri_lock_wait(env, lock);
}

static inline void
tri_unlock(struct tri_lock *lock)
{
	ck_spinlock_unlock(&lock->word);
}

#endif
