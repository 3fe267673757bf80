/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables by name: see shard.h.  Any thread.
 */
#include "actors/shard.h"

#include <string.h>

enum { BUCKETS_FIRST = 16 };

/* FNV-1a, 64 bits. */
uint64_t
tri_text_hash(const char *text, size_t length)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	size_t i;

	for (i = 0; i < length; i++)
		hash =
		    (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
	return hash;
}

bool
tri_named_set(struct tri_named *e, const char *text)
{
	size_t length = text != NULL ? strnlen(text, TRI_NAME_MAX + 1) : 0;

	if (length == 0 || length > TRI_NAME_MAX)
		return false;
	e->next = NULL;
	e->hash = tri_text_hash(text, length);
	memcpy(e->text, text, length);
	e->text[length] = '\0';
	return true;
}

bool
tri_shards_init(struct tri_shard *table, struct tri_env *env)
{
	struct tri_memory *memory = &env->memory;
	unsigned i;

	for (i = 0; i < TRI_NAME_SHARDS; i++) {
		struct tri_shard *s = &table[i];
		size_t bytes = BUCKETS_FIRST * sizeof(struct tri_named *);

		tri_lock_init(&s->lock);
		s->bucket = memory->alloc(memory->ctx, bytes);
		if (s->bucket == NULL)
			return false;
		memset(s->bucket, 0, bytes);
		s->buckets = BUCKETS_FIRST;
	}
	return true;
}

void
tri_shards_fini(struct tri_shard *table, struct tri_env *env,
    void (*free_entry)(struct tri_memory *, struct tri_named *))
{
	struct tri_memory *memory = &env->memory;
	uint32_t i, k;

	for (i = 0; i < TRI_NAME_SHARDS; i++) {
		struct tri_shard *s = &table[i];

		for (k = 0; k < s->buckets; k++)
			while (s->bucket[k] != NULL) {
				struct tri_named *e = s->bucket[k];

				s->bucket[k] = e->next;
				free_entry(memory, e);
			}
		if (s->bucket != NULL)
			memory->free(memory->ctx, s->bucket);
		s->bucket = NULL;
		s->buckets = 0;
	}
}

struct tri_named **
tri_shard_find(struct tri_shard *s, const struct tri_named *name)
{
	struct tri_named **at = &s->bucket[name->hash & (s->buckets - 1)];

	while (*at != NULL &&
	    ((*at)->hash != name->hash || strcmp((*at)->text, name->text) != 0))
		at = &(*at)->next;
	return at;
}

/* Twice the buckets, if there is memory for them. */
static void
shard_grow(struct tri_shard *s, struct tri_memory *memory)
{
	uint32_t n = s->buckets * 2, i;
	size_t bytes = n * sizeof(struct tri_named *);
	struct tri_named **bucket =
	    tri_memory_alloc(memory, bytes, "shard growth");

	if (bucket == NULL)
		return; /* longer chains, that is all */
	memset(bucket, 0, bytes);
	for (i = 0; i < s->buckets; i++) {
		struct tri_named *e = s->bucket[i];

		while (e != NULL) {
			struct tri_named *next = e->next;

			e->next = bucket[e->hash & (n - 1)];
			bucket[e->hash & (n - 1)] = e;
			e = next;
		}
	}
	memory->free(memory->ctx, s->bucket);
	s->bucket = bucket;
	s->buckets = n;
}

void
tri_shard_insert(struct tri_shard *s, struct tri_env *env,
    struct tri_named **at, struct tri_named *e)
{
	e->next = NULL;
	*at = e;
	if (++s->count > s->buckets)
		shard_grow(s, &env->memory);
}

void
tri_shard_remove(struct tri_shard *s, struct tri_named *e)
{
	*tri_shard_find(s, e) = e->next;
	s->count--;
}
