/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The `next` slot of a run queue: one word that its owner puts there and takes
 * out, twice for nearly every message, and that a thief takes once in a while,
 * from an owner that is stuck in a handler.
 *
 * So the owner shall pay nothing for the thief: where the environment can make
 * all other threads pass a barrier (sched/env.h, fence_others), the owner
 * takes the word with a plain load and store.  That is Dekker's algorithm with
 * an asymmetric fence (Dice, Huang and Yang, "Asymmetric Dekker
 * Synchronization", Sun Microsystems, 2001).  The two flags are the word that
 * is gone and the thief's claim:
 *
 *     owner, taking                   thief
 *
 *     read the word                   claim: CAS FREE -> itself
 *     word = 0                        fence_others()
 *     (only the compiler's order)     read the word; 0: claim = FREE, it has
 *     read the claim                  none
 *     FREE: the word is the owner's   CAS itself -> TAKEN; succeeds: the word
 *     else: settle                    is the thief's
 *
 * If the owner's read of the claim was before the thief's CAS, its store was
 * before the thief's fence, so the thief reads 0, or a word put there later.
 * If it was after that, the owner sees the claim and settles with a CAS: claim
 * to FREE, and the word is its own, for the thief's second CAS fails; or it
 * finds TAKEN, and the word is not its own.
 *
 * TAKEN stays, and the word with it, until the owner comes to it: only the
 * owner writes the word.  Meanwhile nobody else can claim.  A claim is the
 * thief's own address, so a thief that was slow does not mistake another's
 * claim for its own; it has one at a time.
 *
 * Measured: 5 to 7 of the 36 ns of a message within a worker, where a locked
 * instruction takes 7 ns.  The fence costs some microseconds and an interrupt of
 * the process's other cpus, at most once for each ms that a handler runs too
 * long.  Where there is no such fence (an old kernel, a filter of system calls)
 * both use read-modify-writes.  Model: next.pml.
 */
#ifndef TROUPE_SCHED_NEXT_H
#define TROUPE_SCHED_NEXT_H

#include "mailbox/atomic.h"
#include "sched/env.h"
#include "sched/word.h"

enum { TRI_NEXT_FREE, TRI_NEXT_TAKEN };

struct tri_next {
	_Atomic(tri_word) word;
	_Atomic uintptr_t claim; /* FREE, TAKEN, or a thief's address */
	bool plain; /* the owner takes without a read-modify-write */
};

/* plain: whether the environment has such a fence, that is, fence_others()
 * returned true. */
void tri_next_init(struct tri_next *n, bool plain);

/* The owner: the thief whose claim was seen has the word, or gives up. */
tri_word tri_next_settle(struct tri_next *n, tri_word word);

/* Another thread, with an address of its own: take the word; 0: there is none,
 * or not now.  The word's owner does not get to it. */
tri_word tri_next_steal(struct tri_next *n, struct tri_env *env,
    const void *thief);

/* Whether there is a word; for others than the owner a hint. */
static inline bool
tri_next_waits(struct tri_next *n)
{
	return tri_load_relaxed(&n->word) != 0 &&
	    tri_load_relaxed(&n->claim) != TRI_NEXT_TAKEN;
}

/* The owner: whether it is there to be put to, at once. */
static inline bool
tri_next_is_free(struct tri_next *n)
{
	return tri_load_relaxed(&n->word) == 0;
}

/* The owner, and it is free. */
static inline void
tri_next_put(struct tri_next *n, tri_word word)
{
	/* rel: publishes the word; pairs with the acq of tri_next_steal. */
	tri_store_release(&n->word, word);
}

/* The owner, after such a claim: leave the word there after all, unless the
 * thief has it. */
void tri_next_leave(struct tri_next *n, tri_word word);

/*
 * The owner of a plain one: take the word that it has read there.  false: that
 * is up to tri_next_settle() or tri_next_leave() now, because of a thief; so that
 * the hot paths need no call.
 */
static inline bool
tri_next_take_plain(struct tri_next *n)
{
	tri_store_relaxed(&n->word, (tri_word)0);
	/* Pairs with fence_others() in tri_next_steal. */
	tri_compiler_fence();
	return TRI_LIKELY(tri_load_relaxed(&n->claim) == TRI_NEXT_FREE);
}

/* The owner, who has read the word there: take it; 0: a thief has it. */
static inline tri_word
tri_next_take_this(struct tri_next *n, tri_word word)
{
	if (TRI_UNLIKELY(!n->plain))
		/* acq_rel: a thief may be faster; pairs with its CAS. */
		return tri_exchange_acq_rel(&n->word, (tri_word)0);
	return tri_next_take_plain(n) ? word : tri_next_settle(n, word);
}

/* The owner: the word, which is not there any more; 0: there was none, or a
 * thief has it. */
static inline tri_word
tri_next_take(struct tri_next *n)
{
	return tri_next_take_this(n, tri_load_relaxed(&n->word));
}

#endif
