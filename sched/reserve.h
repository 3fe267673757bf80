/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reservations: words that have nothing to do for now, and that a worker keeps
 * all the same, for they will have before long.
 *
 * Letting go of an actor and waking it again takes a locked instruction each,
 * which is half of what a message costs.  Two actors of one worker that talk
 * need neither: who keeps the right to run the receiver gives it the message
 * with plain stores, and only others have to ask.  So a lock is reserved for
 * the thread that takes it again and again (Kawachiya, Koseki and Onodera,
 * "Lock Reservation", OOPSLA 2002).
 *
 * A word that is kept is in no queue.  Here is a table of them, by their
 * address; whoever finds its place taken makes the one that was there rest.
 * The owner keeps and takes; others can do two things:
 *
 * - tell: push a message as ever, and set the word's bit in `told`.  The owner
 *   looks at that before each batch, and runs whoever has got something.  It
 *   cannot miss it: the pusher sets the bit after its push, and the owner clears
 *   it before it looks at the mailbox; where it clears the bit before it has
 *   put the word here, the look that comes before keeping it (run.c) sees the
 *   message.
 * - steal: the watch, from a worker that is stuck in a handler, takes whom that
 *   worker was told of.  Each place is a slot as `next` is one, and next.h
 *   tells why the owner pays nothing for it.
 *
 * Nobody waits for longer than with `next`: a worker without work, or with
 * handlers that take long (TRI_SLOW_NS), keeps nobody.
 *
 * Model: reserve.pml.
 */
#ifndef TROUPE_SCHED_RESERVE_H
#define TROUPE_SCHED_RESERVE_H

#include "sched/next.h"

enum {
	TRI_RESERVE_SLOTS = 128, /* a power of two, at least 64 */
	TRI_RESERVE_BITS = 64, /* of `told`: slots share them */
};

struct tri_reserve {
	/* Any thread. */
	alignas(TRI_LINE) _Atomic uint64_t told;

	/* Owner only, but for the words. */
	alignas(TRI_LINE) unsigned mask; /* slots - 1 */
	uint64_t used[TRI_RESERVE_SLOTS / 64]; /* there may be a word */
	struct tri_next slot[TRI_RESERVE_SLOTS];
};

/* `slots`: a power of two up to TRI_RESERVE_SLOTS; plain: see next.h. */
void tri_reserve_init(struct tri_reserve *r, unsigned slots, bool plain);

/* Another thread, of a worker that does not get on: take a word that it was
 * told of; 0: there is none. */
tri_word tri_reserve_steal(struct tri_reserve *r, struct tri_env *env,
    const void *thief);

/* The owner: take any word; 0: none is left. */
tri_word tri_reserve_take_any(struct tri_reserve *r);

/* The owner: what it was told of by now, to be given to tri_reserve_take_told
 * until that returns 0. */
static inline uint64_t
tri_reserve_listen(struct tri_reserve *r)
{
	/* acq: the mailboxes as they were when it was told; pairs with
	 * tri_reserve_tell. */
	return tri_exchange_acq_rel(&r->told, (uint64_t)0);
}

tri_word tri_reserve_take_told(struct tri_reserve *r, uint64_t *told);

static inline unsigned
reserve_place(tri_word word)
{
	return (unsigned)(word / TRI_LINE);
}

static inline struct tri_next *
reserve_slot(struct tri_reserve *r, tri_word word)
{
	return &r->slot[reserve_place(word) & r->mask];
}

/* Any thread, after its push: there is something for this word. */
static inline void
tri_reserve_tell(struct tri_reserve *r, tri_word word)
{
	/* rel: after the push; pairs with tri_reserve_listen. */
	tri_fetch_or_acq_rel(&r->told,
	    (uint64_t)1 << reserve_place(word) % TRI_RESERVE_BITS);
}

/* The owner: whether it was told anything. */
static inline bool
tri_reserve_is_told(struct tri_reserve *r)
{
	return tri_load_relaxed(&r->told) != 0;
}

/* The owner: take this word; false: it is not here. */
static inline bool
tri_reserve_take(struct tri_reserve *r, tri_word word)
{
	struct tri_next *slot = reserve_slot(r, word);

	return tri_load_relaxed(&slot->word) == word &&
	    tri_next_take(slot) != 0;
}

/* The owner, who has the word: keep it.  Returns the one that had its place,
 * which is the caller's now; 0: none. */
static inline tri_word
tri_reserve_keep(struct tri_reserve *r, tri_word word)
{
	unsigned i = reserve_place(word) & r->mask;
	struct tri_next *slot = &r->slot[i];
	tri_word before = 0;

	if (TRI_UNLIKELY(!tri_next_is_free(slot)))
		before = tri_next_take(slot);
	r->used[i / 64] |= (uint64_t)1 << i % 64;
	tri_next_put(slot, word);
	return before;
}

/* The owner: whether there may be a word. */
static inline bool
tri_reserve_has_any(const struct tri_reserve *r)
{
	uint64_t any = 0;

	for (unsigned i = 0; i < TRI_RESERVE_SLOTS / 64; i++)
		any |= r->used[i];
	return any != 0;
}

#endif
