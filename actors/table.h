/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Type-stable tables: actors' cells, records.
 *
 * An element is named by its index and never moves; its memory is never used
 * for anything else, so a stale index leads to a live object of the same type
 * whose generation tells.  Address space for all is reserved at the start and
 * committed in steps.  Each user (a worker, or the foreign threads under their
 * lock) keeps a cache of free indices; a table's lock is taken once for a
 * batch of them.
 *
 * A table may have parallel arrays: what is seldom touched stays out of the
 * cache lines of what often is.
 *
 * Memory goes back in tri_table_trim(): a chunk of elements that are all free
 * is taken off the stack of free indices, its pages are discarded, and it
 * waits as fresh memory.  An element read meanwhile is all zeros, as one never
 * used; the chunk remembers the highest generation that was in it (`floor`),
 * so that no stale name ever fits again.
 */
#ifndef TROUPE_ACTORS_TABLE_H
#define TROUPE_ACTORS_TABLE_H

#include "mailbox/atomic.h"
#include "mailbox/ck.h"
#include "sched/env.h"
#include "sched/lock.h"

enum {
	TRI_TABLE_ARRAYS = 5,
	TRI_TABLE_STEP = 32768, /* elements committed at a time: 2 MiB of
	                         * cells */
	TRI_CACHE_MAX = 128,
	TRI_CACHE_AHEAD =
	    8, /* elements that are fetched before they are used */
	TRI_CHUNK = 1024, /* elements that are given back together; a whole
	                   * number of pages in every array */
	TRI_CHUNK_NONE = -1,
};

/* All under the table's lock, but for `floor`. */
struct tri_chunk {
	uint32_t free; /* of its elements, in the stack */
	uint32_t floor; /* generations begin here; 0: anywhere; set before its
	                 * indices are handed out again */
	int32_t next; /* in the lists of chunks */
};

struct tri_table {
	struct tri_env *env;
	char *space; /* all that follows is in there */
	size_t bytes; /* of it */
	char *array[TRI_TABLE_ARRAYS];
	size_t size[TRI_TABLE_ARRAYS]; /* of an element; 0: no such array */
	uint32_t max;
	uint32_t batch; /* indices a cache gets at a time */
	uint32_t keep; /* and keeps at most */
	_Atomic uint32_t limit; /* all indices below were handed out once */

	struct tri_lock lock; /* for all below */
	uint32_t committed;
	uint32_t populated; /* of the first array, ahead of its use */
	uint32_t *freed; /* a stack */
	uint32_t n_freed;
	struct tri_chunk *chunk;
	uint32_t whole; /* chunks that are all free */
	int32_t discard; /* taken off the stack, still with their pages */
	int32_t fresh; /* without */
	unsigned discards; /* how many of the arrays go back */
	/* The generation of a free element; NULL: never trimmed. */
	uint32_t (*generation)(const void *element);
};

struct tri_cache {
	uint32_t n;
	uint32_t index[TRI_CACHE_MAX];
};

/* `max` is halved, down to 2^16, while the address space is refused.  `users`:
 * how many caches there will be. */
bool tri_table_init(struct tri_table *t, struct tri_env *env, uint32_t max,
    unsigned users, const size_t *sizes, unsigned arrays);
void tri_table_fini(struct tri_table *t);

/* Out of line: the cache is empty, or full. */
bool tri_table_refill(struct tri_table *t, struct tri_cache *c);
void tri_table_flush(struct tri_table *t, struct tri_cache *c);
/* Give all indices back: the cache's user goes to sleep. */
void tri_table_give_back(struct tri_table *t, struct tri_cache *c);
/* Give memory back, a slice.  true: call again.  Any thread. */
bool tri_table_trim(struct tri_table *t);

/* Where the generations of an element that is all zeros begin; 0: anywhere. */
static inline uint32_t
tri_table_floor(const struct tri_table *t, uint32_t index)
{
	return t->chunk[index / TRI_CHUNK].floor;
}

static inline void *
tri_table_at(const struct tri_table *t, unsigned array, uint32_t index)
{
	return t->array[array] + (size_t)index * t->size[array];
}

/* false: no memory, or all are in use. */
static inline bool
tri_table_get(struct tri_table *t, struct tri_cache *c, uint32_t *index)
{
	if (TRI_UNLIKELY(c->n == 0) && !tri_table_refill(t, c))
		return false;
	*index = c->index[--c->n];
	if (TRI_LIKELY(c->n >= TRI_CACHE_AHEAD))
		tri_fetch_to_write(
		    tri_table_at(t, 0, c->index[c->n - TRI_CACHE_AHEAD]));
	return true;
}

static inline void
tri_table_put(struct tri_table *t, struct tri_cache *c, uint32_t index)
{
	if (TRI_UNLIKELY(c->n >= t->keep))
		tri_table_flush(t, c);
	c->index[c->n++] = index;
}

#endif
