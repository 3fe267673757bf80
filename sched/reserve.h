/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reservations: words that a worker has for itself.  Idle ones have nothing to
 * do for now, and it keeps them all the same, for they will have before long;
 * others wait their turn (share.c says which).
 *
 * Letting go of an actor and waking it again takes a locked instruction each,
 * and so does a place in a queue that others steal from; that is half of what a
 * message costs.  Two actors of one worker that talk need neither: who has the
 * right to run the receiver gives it the message with plain stores, and only
 * others have to ask.  So a lock is reserved for the thread that takes it again
 * and again (Kawachiya, Koseki and Onodera, "Lock Reservation", OOPSLA 2002).
 *
 * Here is a table of the words, by their address, each with a note, which is
 * NULL while it is idle.  An idle word whose place is wanted rests; one that
 * waits stays, and who wants its place goes elsewhere.  The queue says only in
 * which order they come: the right to run a word is in its place, so an entry
 * whose word is not there any more counts for nothing.  There are two of them,
 * one whose first is its oldest, and one for words that are new, whose first is
 * its newest, and whose oldest go elsewhere when it is full.
 *
 * The owner puts and takes; others can do two things:
 *
 * - tell: push a message as ever, and set the word's bit in `told`.  The owner
 *   looks at that before each batch, and runs whoever has got something.  It
 *   cannot miss it: the pusher sets the bit after its push, and the owner clears
 *   it before it looks at the mailbox; where it clears the bit before it has
 *   put the word here, the look that comes before keeping it (run.c) sees the
 *   message.  Those that wait are run anyway.
 * - steal: the watch, from a worker that is stuck in a handler, takes whom that
 *   worker was told of, and those that wait.  Each place is a slot as `next` is
 *   one, and next.h tells why the owner pays nothing for it.
 *
 * Nobody waits for longer than with `next`: a worker without work, or, where there
 * are others, with handlers that take long (TRI_SLOW_NS), has nobody for itself.
 *
 * Model: reserve.pml.
 */
#ifndef TROUPE_SCHED_RESERVE_H
#define TROUPE_SCHED_RESERVE_H

#include <string.h>

#include "sched/next.h"

enum {
	TRI_RESERVE_SLOTS = 256, /* a power of two, at least 64 */
	TRI_RESERVE_FEW = 64, /* words: share.c */
	TRI_RESERVE_STACK = 64, /* new ones that wait; a power of two */
	TRI_RESERVE_BITS = 64, /* of `told`: slots share them */
};

struct tri_place {
	struct tri_next slot;
	/* Relaxed; the owner's, for others a hint. */
	_Atomic(void *) note;
};

struct tri_reserve {
	/* Any thread. */
	alignas(TRI_LINE) _Atomic uint64_t told;

	/* Owner only, but for the words. */
	alignas(TRI_LINE) unsigned mask; /* places - 1 */
	unsigned first; /* in the queue: grows for ever */
	unsigned count;
	unsigned stack_first; /* its oldest, likewise */
	unsigned stack_count;
	unsigned turn; /* of the queue, or of the stack's oldest */
	/* There may be a word; bytes, for each is set with one store. */
	bool used[TRI_RESERVE_SLOTS];
	struct tri_place place[TRI_RESERVE_SLOTS];
	tri_word queue[TRI_RESERVE_SLOTS]; /* those that wait, oldest first */
	tri_word stack[TRI_RESERVE_STACK]; /* likewise, that are new */
};

/* `slots`: a power of two up to TRI_RESERVE_SLOTS; plain: see next.h. */
void tri_reserve_init(struct tri_reserve *r, unsigned slots, bool plain);

/* Another thread, of a worker that does not get on: take a word that it was
 * told of, or one that waits; 0: there is none. */
tri_word tri_reserve_steal(struct tri_reserve *r, struct tri_env *env,
    const void *thief);

/* Anyone: how many wait, about. */
unsigned tri_reserve_waiting(struct tri_reserve *r);

/* The owner: take any idle word; 0: none is left. */
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

static inline struct tri_place *
tri_reserve_place(struct tri_reserve *r, tri_word word)
{
	return &r->place[reserve_place(word) & r->mask];
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

static inline void *
tri_reserve_note(struct tri_place *p)
{
	return tri_load_relaxed(&p->note);
}

/* The owner: take this word out of its place; false: it is not there. */
static inline bool
tri_reserve_take(struct tri_place *p, tri_word word)
{
	return tri_load_relaxed(&p->slot.word) == word &&
	    tri_next_take(&p->slot) != 0;
}

/* The owner, who took the word from there: put it back, with this note. */
static inline void
tri_reserve_return(struct tri_place *p, tri_word word, void *note)
{
	tri_store_relaxed(&p->note, note);
	tri_next_put(&p->slot, word);
}

/* The owner, who has the word: put it into its place, which is free. */
static inline void
reserve_put(struct tri_reserve *r, tri_word word, void *note)
{
	unsigned i = reserve_place(word) & r->mask;

	r->used[i] = true;
	tri_reserve_return(&r->place[i], word, note);
}

/* The owner, who has the word: keep it.  Returns the one that had its place,
 * or cannot have it, which is the caller's now; 0: none. */
static inline tri_word
tri_reserve_keep(struct tri_reserve *r, tri_word word)
{
	struct tri_place *p = tri_reserve_place(r, word);
	tri_word before = 0;

	if (TRI_UNLIKELY(!tri_next_is_free(&p->slot))) {
		if (tri_reserve_note(p) != NULL)
			return word;
		before = tri_next_take(&p->slot);
	}
	reserve_put(r, word, NULL);
	return before;
}

/* The owner, who has the word: put it, with a note, where it is to wait.  false:
 * another one waits there.  *before: as tri_reserve_keep returns. */
static inline bool
reserve_place_waiting(struct tri_reserve *r, tri_word word, void *note,
    tri_word *before)
{
	struct tri_place *p = tri_reserve_place(r, word);

	*before = 0;
	if (TRI_UNLIKELY(!tri_next_is_free(&p->slot))) {
		if (tri_reserve_note(p) != NULL)
			return false;
		*before = tri_next_take(&p->slot);
	}
	reserve_put(r, word, note);
	return true;
}

/* The owner: take one that waits, and its note; 0: it does not, any more. */
static inline tri_word
reserve_take_waiting(struct tri_reserve *r, tri_word word, void **note)
{
	struct tri_place *p = tri_reserve_place(r, word);

	*note = tri_reserve_note(p);
	/* NULL: it was stolen, and came back to be kept. */
	return TRI_LIKELY(*note != NULL) && tri_reserve_take(p, word) ? word :
									0;
}

/* The owner, who has the word: let it wait its turn here, with a note that is
 * not NULL.  false: there is no room.  *before: as tri_reserve_keep returns. */
static inline bool
tri_reserve_queue(struct tri_reserve *r, tri_word word, void *note,
    tri_word *before)
{
	*before = 0;
	if (r->count > r->mask || !reserve_place_waiting(r, word, note, before))
		return false;
	r->queue[(r->first + r->count++) & r->mask] = word;
	return true;
}

/* The same for a word that is new, and goes before all others that are. */
static inline bool
tri_reserve_stack(struct tri_reserve *r, tri_word word, void *note,
    tri_word *before)
{
	*before = 0;
	if (r->stack_count == TRI_RESERVE_STACK ||
	    !reserve_place_waiting(r, word, note, before))
		return false;
	r->stack[(r->stack_first + r->stack_count++) % TRI_RESERVE_STACK] =
	    word;
	return true;
}

/* The owner: how many wait; some may have been stolen. */
static inline unsigned
tri_reserve_count(const struct tri_reserve *r)
{
	return r->count + r->stack_count;
}

static inline bool
tri_reserve_waits(const struct tri_reserve *r)
{
	return tri_reserve_count(r) > 0;
}

/* The owner: take the newest of the new ones, and its note; 0 and NULL: none. */
static inline tri_word
tri_reserve_pop_newest(struct tri_reserve *r, void **note)
{
	while (r->stack_count > 0) {
		unsigned at = r->stack_first + --r->stack_count;
		tri_word word = r->stack[at % TRI_RESERVE_STACK];

		if (TRI_LIKELY(reserve_take_waiting(r, word, note) != 0))
			return word;
	}
	*note = NULL;
	return 0;
}

/* The owner: likewise the oldest of them. */
static inline tri_word
tri_reserve_pop_oldest(struct tri_reserve *r, void **note)
{
	while (r->stack_count > 0) {
		tri_word word = r->stack[r->stack_first++ % TRI_RESERVE_STACK];

		r->stack_count--;
		if (TRI_LIKELY(reserve_take_waiting(r, word, note) != 0))
			return word;
	}
	*note = NULL;
	return 0;
}

/* The owner: take the one that has waited longest in the queue, and its note. */
static inline tri_word
tri_reserve_pop_queued(struct tri_reserve *r, void **note)
{
	while (r->count > 0) {
		tri_word word = r->queue[r->first++ & r->mask];

		r->count--;
		if (TRI_LIKELY(reserve_take_waiting(r, word, note) != 0))
			return word;
	}
	*note = NULL;
	return 0;
}

/* The owner: by turns that, and the oldest of the new ones. */
static inline tri_word
tri_reserve_pop(struct tri_reserve *r, void **note)
{
	bool queued = r->stack_count == 0 || (r->turn++ & 1) == 0;
	tri_word word = queued ? tri_reserve_pop_queued(r, note) :
				 tri_reserve_pop_oldest(r, note);

	if (TRI_LIKELY(word != 0))
		return word;
	return queued ? tri_reserve_pop_oldest(r, note) :
			tri_reserve_pop_queued(r, note);
}

/* The owner: whether there may be a word. */
static inline bool
tri_reserve_has_any(const struct tri_reserve *r)
{
	return memchr(r->used, true, r->mask + 1) != NULL;
}

#endif
