/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names: a hash table in shards, each behind a spin lock held for a few lines.
 *
 * An entry is linked twice: in its bucket (under the shard's lock) and in its
 * actor's list (the actor's worker only).
 */
#include "actors/system.h"
#include "sched/lock.h"

#include <string.h>

enum { BUCKETS_FIRST = 16 };

/* FNV-1a, 64 bits. */
static uint64_t
name_hash(const char *name, size_t length)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	size_t i;

	for (i = 0; i < length; i++)
		hash =
		    (hash ^ (unsigned char)name[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static struct tri_names *
name_shard(struct tr_system *sys, uint64_t hash)
{
	return &sys->names[hash >> 60];
}

_Static_assert(TRI_NAME_SHARDS == 16, "the top four bits choose the shard");

/* Under the lock. */
static struct tri_name **
name_slot(struct tri_names *s, uint64_t hash, const char *text)
{
	struct tri_name **at = &s->bucket[hash & (s->buckets - 1)];

	while (*at != NULL &&
	    ((*at)->hash != hash || strcmp((*at)->text, text) != 0))
		at = &(*at)->next;
	return at;
}

/* Under the lock: twice the buckets, if there is memory for them. */
static void
names_grow(struct tr_system *sys, struct tri_names *s)
{
	struct tri_memory *memory = &sys->env->memory;
	uint32_t n = s->buckets * 2, i;
	size_t bytes = n * sizeof(void *);
	struct tri_name **bucket = memory->alloc(memory->ctx, bytes);

	if (bucket == NULL)
		return; /* longer chains, that is all */
	memset(bucket, 0, bytes);
	for (i = 0; i < s->buckets; i++) {
		struct tri_name *e = s->bucket[i];

		while (e != NULL) {
			struct tri_name *next = e->next;

			e->next = bucket[e->hash & (n - 1)];
			bucket[e->hash & (n - 1)] = e;
			e = next;
		}
	}
	memory->free(memory->ctx, s->bucket);
	s->bucket = bucket;
	s->buckets = n;
}

bool
tri_names_init(struct tr_system *sys)
{
	struct tri_memory *memory = &sys->env->memory;
	unsigned i;

	for (i = 0; i < TRI_NAME_SHARDS; i++) {
		struct tri_names *s = &sys->names[i];
		size_t bytes = BUCKETS_FIRST * sizeof(struct tri_name *);

		ck_spinlock_init(&s->lock);
		s->bucket = memory->alloc(memory->ctx, bytes);
		if (s->bucket == NULL)
			return false;
		memset(s->bucket, 0, bytes);
		s->buckets = BUCKETS_FIRST;
	}
	return true;
}

void
tri_names_fini(struct tr_system *sys)
{
	struct tri_memory *memory = &sys->env->memory;
	uint32_t i, k;

	for (i = 0; i < TRI_NAME_SHARDS; i++) {
		struct tri_names *s = &sys->names[i];

		for (k = 0; k < s->buckets; k++)
			while (s->bucket[k] != NULL) {
				struct tri_name *e = s->bucket[k];

				s->bucket[k] = e->next;
				memory->free(memory->ctx, e);
			}
		if (s->bucket != NULL)
			memory->free(memory->ctx, s->bucket);
		s->bucket = NULL;
		s->buckets = 0;
	}
}

int
tri_name_add(struct tri_desk *d, struct tr_self *a, tr_ref ref,
    const char *name, struct tri_name **entry)
{
	struct tr_system *sys = d->sys;
	struct tri_memory *memory = &sys->env->memory;
	size_t length = strnlen(name, TRI_NAME_MAX + 1);
	uint64_t hash = name_hash(name, length);
	struct tri_names *s = name_shard(sys, hash);
	struct tri_name *e, **at;
	struct tri_cold *cold = tri_cold(sys, a);

	if (length == 0 || length > TRI_NAME_MAX)
		return TR_EINVAL;
	e = memory->alloc(memory->ctx, sizeof(*e));
	if (e == NULL)
		return TR_ENOMEM;
	*e = (struct tri_name){ .hash = hash, .ref = ref };
	memcpy(e->text, name, length);
	tri_lock(sys->env, &s->lock);
	at = name_slot(s, hash, e->text);
	if (*at != NULL) {
		tri_unlock(&s->lock);
		memory->free(memory->ctx, e);
		return TR_EEXIST;
	}
	*at = e;
	if (++s->count > s->buckets)
		names_grow(sys, s);
	tri_unlock(&s->lock);
	e->next_own = cold->names;
	cold->names = e;
	tri_fetch_or_acq_rel(&a->ident, TRI_IDENT_COLD);
	*entry = e;
	return TR_OK;
}

void
tri_name_publish(struct tr_system *sys, struct tri_name *name, tr_ref ref)
{
	struct tri_names *s = name_shard(sys, name->hash);

	tri_lock(sys->env, &s->lock);
	name->ref = ref;
	tri_unlock(&s->lock);
}

void
tri_names_remove(struct tri_desk *d, struct tr_self *a)
{
	struct tr_system *sys = d->sys;
	struct tri_cold *cold = tri_cold(sys, a);
	struct tri_name *e = cold->names;

	cold->names = NULL;
	while (e != NULL) {
		struct tri_names *s = name_shard(sys, e->hash);
		struct tri_name *next = e->next_own;

		tri_lock(sys->env, &s->lock);
		*name_slot(s, e->hash, e->text) = e->next;
		s->count--;
		tri_unlock(&s->lock);
		sys->env->memory.free(sys->env->memory.ctx, e);
		e = next;
	}
}

int
tr_register(struct tr_self *self, const char *name)
{
	struct tri_crew *c = tri_crew_of(self);
	struct tri_name *entry;

	if (c->turn.stopping)
		return TR_ESTOPPING;
	return tri_name_add(&c->desk, self, c->turn.ref, name, &entry);
}

tr_ref
tr_whereis(struct tr_system *system, const char *name)
{
	size_t length = strnlen(name, TRI_NAME_MAX + 1);
	uint64_t hash = name_hash(name, length);
	struct tri_names *s = name_shard(system, hash);
	tr_ref ref = TR_REF_NONE;
	struct tri_name *e;

	if (length > TRI_NAME_MAX)
		return ref;
	tri_lock(system->env, &s->lock);
	e = *name_slot(s, hash, name);
	if (e != NULL)
		ref = e->ref;
	tri_unlock(&s->lock);
	return ref;
}

void
tri_names_each(struct tr_system *sys,
    void (*fn)(const struct tri_name *, void *), void *arg)
{
	uint32_t i, k;

	for (i = 0; i < TRI_NAME_SHARDS; i++) {
		struct tri_names *s = &sys->names[i];
		struct tri_name *e;

		tri_lock(sys->env, &s->lock);
		for (k = 0; k < s->buckets; k++)
			for (e = s->bucket[k]; e != NULL; e = e->next)
				fn(e, arg);
		tri_unlock(&s->lock);
	}
}
