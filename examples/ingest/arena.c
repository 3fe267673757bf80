/* SPDX-License-Identifier: BSD-2-Clause */
/* arena.c - see arena.h. */
#include "arena.h"

#include <stdlib.h>
#include <string.h>

enum { ARENA_BLOCK_BYTES = 64 << 10 };

/* Go on in a block that has room, reusing the blocks behind the current one. */
static int
arena_grow(struct arena *a, size_t size)
{
	struct arena_block **link =
	    a->current != NULL ? &a->current->next : &a->first;
	size_t block = size > ARENA_BLOCK_BYTES ? size : ARENA_BLOCK_BYTES;
	struct arena_block *b = *link;

	if (b == NULL || b->size < size) {
		b = malloc(sizeof *b + block);
		if (b == NULL)
			return -1;
		b->size = block;
		b->next = *link;
		*link = b;
	}
	a->current = b;
	a->used = 0;
	return 0;
}

char *
arena_alloc(struct arena *a, size_t size)
{
	char *bytes;

	if ((a->current == NULL || a->current->size - a->used < size) &&
	    arena_grow(a, size) != 0)
		return NULL;
	bytes = a->current->bytes + a->used;
	a->used += size;
	return bytes;
}

char *
arena_copy(struct arena *a, const void *bytes, size_t size)
{
	char *copy = arena_alloc(a, size);

	if (copy != NULL && size > 0)
		memcpy(copy, bytes, size);
	return copy;
}

struct arena_mark
arena_mark(const struct arena *a)
{
	return (struct arena_mark){ .current = a->current, .used = a->used };
}

void
arena_rewind(struct arena *a, struct arena_mark mark)
{
	a->current = mark.current;
	a->used = mark.used;
}

void
arena_clear(struct arena *a, size_t keep)
{
	struct arena_block **link = &a->first, *b;

	while ((b = *link) != NULL) {
		if (b->size > keep) {
			*link = b->next;
			free(b);
			continue;
		}
		keep -= b->size;
		link = &b->next;
	}
	a->current = NULL;
	a->used = 0;
}
