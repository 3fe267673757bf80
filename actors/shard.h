/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables by name: hash tables in shards, each behind a spin lock that is held
 * for a few lines.  Registered names and process groups are such tables.
 *
 * What is in a table begins with a struct tri_named, whose hash and text do
 * not change while it is there.
 */
#ifndef TROUPE_ACTORS_SHARD_H
#define TROUPE_ACTORS_SHARD_H

#include "mailbox/ck.h"
#include "sched/env.h"
#include "sched/lock.h"

enum {
	TRI_NAME_MAX = 63,
	TRI_NAME_SHARDS = 16,
};

struct tri_named {
	struct tri_named *next; /* in its bucket */
	uint64_t hash;
	char text[TRI_NAME_MAX + 1];
};

struct tri_shard {
	struct tri_lock lock; /* for all below */
	struct tri_named **bucket;
	uint32_t buckets;
	uint32_t count;
};

/* Set up a table of TRI_NAME_SHARDS shards.  false: no memory; then fini. */
bool tri_shards_init(struct tri_shard *table, struct tri_env *env);
/* Free the buckets, and what is still in them with `free_entry`. */
void tri_shards_fini(struct tri_shard *table, struct tri_env *env,
    void (*free_entry)(struct tri_memory *memory, struct tri_named *e));

/* Of some bytes; what all tables by name or id go by. */
uint64_t tri_text_hash(const char *text, size_t length);

/* Fill in hash and text.  false: the name is empty or too long. */
bool tri_named_set(struct tri_named *e, const char *text);

/* The shard of a name. */
static inline struct tri_shard *
tri_shard_of(struct tri_shard *table, uint64_t hash)
{
	return &table[hash >> 60];
}

_Static_assert(TRI_NAME_SHARDS == 16, "the top four bits choose the shard");

/* Under the lock: where the entry of that name is linked, or would be. */
struct tri_named **tri_shard_find(struct tri_shard *s,
    const struct tri_named *name);
/* Under the lock: link it where tri_shard_find said. */
void tri_shard_insert(struct tri_shard *s, struct tri_env *env,
    struct tri_named **at, struct tri_named *e);
/* Under the lock: unlink it. */
void tri_shard_remove(struct tri_shard *s, struct tri_named *e);

#endif
