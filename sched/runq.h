/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The run queue of one worker.
 *
 * - `next`: one word that runs before all others (what was just woken, so that
 *   a pair of actors that talk stays on one core and in its cache).  It is
 *   used at most TRI_NEXT_USES times in a row while others wait; TRI_NEW_USES
 *   times, or some 65 us, while only the words for all wait, of which none has
 *   been pushed meanwhile that is not new.  Who spawns a tree has it in the cache
 *   the longer; a consumer whose messages pile up has its turn the sooner.  Only
 *   the owner puts a word there; a thief may take it from a worker that is stuck
 *   in a handler (next.h).
 * - a ring of 256 words (libck's SPMC): the owner enqueues, anyone dequeues.
 * - blocks of its own for what does not fit (spill.h), which others take from
 *   under a spin lock; never one queue shared by all.  While they hold anything
 *   new words go behind it, so the order stays first-in first-out.
 * - an overflow list behind them, under the same lock, for want of memory, and
 *   for what another worker gives to this one.
 * - a list, behind the same lock, of what is to run soon: each of them when one
 *   other has been run, and by turns with those (owe.c).
 * - `local`: words pinned to this worker; the owner only.
 *
 * `pushes` is what makes a push visible to a worker about to sleep: the ring's
 * tail is libck's and only stored, so the pusher does a seq_cst exchange on
 * `pushes` between its enqueue and its look at who sleeps; see park.c.  So it is
 * for the blocks, and the lists' counts do the same.
 */
#ifndef TROUPE_SCHED_RUNQ_H
#define TROUPE_SCHED_RUNQ_H

#include "mailbox/atomic.h"
#include "mailbox/ck.h"
#include "sched/lock.h"
#include "sched/next.h"
#include "sched/spill.h"
#include "sched/word.h"

enum {
	TRI_RING_SLOTS = 256,
	TRI_NEXT_USES = 32,
	TRI_NEW_USES =
	    256, /* of `next`, and of new words, while only new wait */
	TRI_NEW_USE_NS = 256, /* one of these, if they take longer */
	TRI_REFILL = 128, /* words from the blocks, or the list, at a time */
	TRI_STEAL = 32, /* words a thief takes at most */
};

struct tri_sched;

struct tri_runq_list {
	struct tri_link *first;
	struct tri_link *last;
	_Atomic uint64_t count;
};

struct tri_runq {
	/* Owner only. */
	struct tri_sched *sched;
	struct tri_pool *pool; /* its worker's, for blocks */
	unsigned next_left; /* how often `next` still goes first */
	unsigned turn; /* alternates between local and the rest */
	bool passed; /* over what is to run soon */
	struct tri_link *local_first;
	struct tri_link *local_last;
	/* Of `next`, or of what was popped last: by whoever put it there (NULL:
	 * none), and whether it is new (share.c). */
	void *note;
	bool fresh;

	/* Owner; a thief takes from it. */
	alignas(TRI_LINE) struct tri_next next;
	_Atomic uint64_t pushes;

	/* libck's. */
	alignas(TRI_LINE) ck_ring_t ring;
	alignas(TRI_LINE) ck_ring_buffer_t buffer[TRI_RING_SLOTS];

	alignas(TRI_LINE) struct tri_spill spill;

	/* Under the lock; their counts are read without it. */
	alignas(TRI_LINE) struct tri_lock lock;
	struct tri_runq_list over; /* what there was no block for */
	struct tri_runq_list soon; /* tri_runq_push_soon */
};

/* `pool`: its worker's, maybe not set up yet. */
void tri_runq_init(struct tri_runq *q, struct tri_sched *sched,
    struct tri_pool *pool);
/* Before its first use: a smaller ring, of a power of two slots, and blocks of as
 * many words at most. */
void tri_runq_set_slots(struct tri_runq *q, unsigned slots);

/* The owner: run this next.  Returns what was to run next, which is the caller's
 * now; 0: nothing, or a thief has it. */
tri_word tri_runq_replace_next(struct tri_runq *q, tri_word word);

/* The owner: one that is not new has to wait, but not for more than that. */
static inline void
tri_runq_hurry(struct tri_runq *q)
{
	if (q->next_left > TRI_NEXT_USES)
		q->next_left = TRI_NEXT_USES;
}

/* The owner: what ran took that long. */
static inline void
tri_runq_spend(struct tri_runq *q, int64_t ns)
{
	int64_t uses = ns / TRI_NEW_USE_NS;

	if (q->next_left <= TRI_NEXT_USES)
		return;
	if (uses < q->next_left - TRI_NEXT_USES)
		q->next_left -= (unsigned)uses;
	else
		q->next_left = TRI_NEXT_USES;
}

/* The owner: it is the others' turn now; `old`: some wait for it elsewhere that
 * are not new. */
static inline void
tri_runq_turn(struct tri_runq *q, bool old)
{
	q->next_left = old || q->local_first != NULL ||
		tri_load_relaxed(&q->soon.count) > 0 ?
	    TRI_NEXT_USES :
	    TRI_NEW_USES;
}

/* The owner: run this after the others. */
void tri_runq_push_back(struct tri_runq *q, tri_word word);

/* The same for `n` of them, at the price of one, and without a hurry: for what has
 * never run, and for what a thief has. */
void tri_runq_push_many(struct tri_runq *q, const tri_word *words, unsigned n);

/* The owner: run this when one other has been run. */
void tri_runq_push_soon(struct tri_runq *q, tri_word word);

/* The owner: run this, which must stay here, after the others. */
void tri_runq_push_local(struct tri_runq *q, struct tri_link *link);

/* The owner: the first of what anybody may take, but for what is to run soon; 0:
 * nothing. */
tri_word tri_runq_pop_shared(struct tri_runq *q);

/* The owner: the first of what is to run soon, whether or not its time has come;
 * 0: nothing.  untake: back again, and it is as soon as it was. */
tri_word tri_runq_take_soon(struct tri_runq *q);
void tri_runq_untake_soon(struct tri_runq *q, tri_word word);

/* The owner: how many are to run soon. */
static inline uint64_t
tri_runq_soon(struct tri_runq *q)
{
	return tri_load_relaxed(&q->soon.count);
}

/* The owner: what to run, but for `next`; 0: nothing. */
tri_word tri_runq_pop_slow(struct tri_runq *q);

/* The owner: whether anything waits. */
bool tri_runq_waits(struct tri_runq *q);

/* The owner: whether anything but `next` waits. */
static inline bool
tri_runq_has_others(struct tri_runq *q)
{
	return q->local_first != NULL || ck_ring_size(&q->ring) > 0 ||
	    tri_spill_count(&q->spill) > 0 ||
	    tri_load_relaxed(&q->over.count) > 0 ||
	    tri_load_relaxed(&q->soon.count) > 0;
}

/* Anyone: whether there is something to steal (not counting `next`). */
bool tri_runq_stealable(struct tri_runq *q);

/* Another worker: move up to half, at most TRI_STEAL, of q's words to mine;
 * returns one of them, or 0.  `stuck`: q's owner does not get to it, so also
 * take `next`. */
tri_word tri_runq_steal(struct tri_runq *mine, struct tri_runq *q, bool stuck,
    unsigned *taken);

/* The owner: how many words there are for anybody, but for `next`. */
uint64_t tri_runq_length(struct tri_runq *q);

/* The owner: give all of that, and `next`, to another worker, behind what that
 * one has; returns how many.  The caller wakes it. */
unsigned tri_runq_give(struct tri_runq *q, struct tri_runq *to);

/* The owner: what is to run next; 0: nothing, or others' turn has come. */
static inline tri_word
tri_runq_pop_next(struct tri_runq *q)
{
	tri_word word = tri_load_relaxed(&q->next.word);

	if (TRI_UNLIKELY(q->next_left == 0) || TRI_UNLIKELY(word == 0))
		return 0;
	q->next_left--;
	return tri_next_take_this(&q->next, word);
}

#endif
