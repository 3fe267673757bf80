/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a run queue's ring has no room for: words side by side in blocks, oldest
 * first.
 *
 * One appends, the queue's owner, without a lock.  All others, and the owner when
 * it wants words back, take from the front, under the queue's lock:
 *
 *     owner, appending                whoever takes, under the lock
 *
 *     write the word behind the last  read `pushed`
 *     pushed + 1                      read words, from the oldest
 *                                     taken + as many
 *
 * A word is the taker's to read once `pushed` says so, and so is the block that it
 * is in.  A place is never written again.  The owner goes on writing to the last
 * block, so others free all but that.
 *
 * In a list of links a word costs its pusher two locked instructions, and a line
 * of its own; a thief has to follow it from line to line, each from another
 * core's cache.  Blocks of words for a thief's sake are those of BWoS (Wang and
 * others, "BWoS: Formally Verified Block-based Work Stealing for Parallel
 * Processing", OSDI 2023).  Five hundred thousand actors spawned in one handler
 * (fjcreate of bench/micro) took 149 ns each with links, 123 with blocks, and with
 * a thief beside them 170 and 134.
 *
 * Blocks are of the owner's message pool, and go home as messages do.
 */
#ifndef TROUPE_SCHED_SPILL_H
#define TROUPE_SCHED_SPILL_H

#include "mailbox/pool.h"
#include "sched/word.h"

enum { TRI_SPILL_CLASS = 4, TRI_SPILL_WORDS = 63 };

struct tri_spill_block {
	struct tri_spill_block *next; /* set before its first word is there */
	tri_word word[TRI_SPILL_WORDS];
};

_Static_assert(sizeof(struct tri_spill_block) == 32u << TRI_SPILL_CLASS,
    "all of a block");

struct tri_spill {
	/* The owner's; `pushed` is read by others. */
	unsigned words; /* in a block */
	unsigned filled; /* words of the last one */
	struct tri_spill_block *last; /* NULL: no word is here */
	_Atomic uint64_t pushed;

	/* Under the lock, but for the first block's arrival; `taken` is read
	 * without it. */
	alignas(TRI_LINE) struct tri_spill_block *first;
	unsigned from; /* its oldest word */
	_Atomic uint64_t taken;
};

/* `words`: in a block, up to TRI_SPILL_WORDS. */
void tri_spill_init(struct tri_spill *s, unsigned words);

/* The owner: append another block.  false: no memory. */
bool tri_spill_grow(struct tri_spill *s, struct tri_pool *pool);

/* Under the lock: take up to `max` words, but at most `share` of all in percent;
 * returns how many.  *done: blocks that are not needed any more, to be given to
 * tri_spill_free() after that. */
unsigned tri_spill_take(struct tri_spill *s, tri_word *words, unsigned max,
    unsigned share, struct tri_spill_block **done);

/* The owner, under the lock: if no word is left, end the last block, too.
 * *done: likewise. */
void tri_spill_end(struct tri_spill *s, struct tri_spill_block **done);

/* With the caller's own pool. */
void tri_spill_free(struct tri_pool *pool, struct tri_spill_block *done);

/* Anyone: how many words there are; for others than the owner a hint. */
static inline uint64_t
tri_spill_count(const struct tri_spill *s)
{
	/* acq: what was taken had been pushed; pairs with tri_spill_take. */
	uint64_t taken = tri_load_acquire(&s->taken);

	/* seq_cst: for a worker about to sleep, as the ring's; see runq.h. */
	return tri_load_seq_cst(&s->pushed) - taken;
}

/* The owner: whether new words go here, for others may be before them. */
static inline bool
tri_spill_is_used(const struct tri_spill *s)
{
	return s->last != NULL;
}

/* The owner: append a word.  false: there is no room, tri_spill_grow(). */
static inline bool
tri_spill_push(struct tri_spill *s, tri_word word)
{
	if (TRI_UNLIKELY(s->last == NULL) ||
	    TRI_UNLIKELY(s->filled == s->words))
		return false;
	s->last->word[s->filled++] = word;
	/* rel: the word is there; pairs with tri_spill_take. */
	tri_store_release(&s->pushed, tri_load_relaxed(&s->pushed) + 1);
	return true;
}

#endif
