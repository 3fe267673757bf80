/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arena.h - memory for the texts of one batch, freed all at once.
 *
 * Blocks are chained and never move, so pointers into them stay good until the
 * arena is cleared.  A mark taken before a row and given back frees the row's
 * texts when the row is not wanted after all.
 */
#ifndef INGEST_ARENA_H
#define INGEST_ARENA_H

#include <stddef.h>

struct arena_block {
	struct arena_block *next;
	size_t size;
	char bytes[];
};

struct arena {
	struct arena_block *first;
	struct arena_block *current;
	size_t used; /* of the current block */
};

struct arena_mark {
	struct arena_block *current;
	size_t used;
};

/* Room for `size` bytes, not aligned; NULL: no memory. */
char *arena_alloc(struct arena *a, size_t size);

/* A copy of `size` bytes; NULL: no memory. */
char *arena_copy(struct arena *a, const void *bytes, size_t size);

struct arena_mark arena_mark(const struct arena *a);
void arena_rewind(struct arena *a, struct arena_mark mark);

/* Free the contents and keep up to `keep` bytes of blocks for the next use. */
void arena_clear(struct arena *a, size_t keep);

#endif
