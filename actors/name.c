/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names: a table by name (shard.h).
 *
 * An entry is linked twice: in its bucket (under the shard's lock) and in its
 * actor's list (the actor's worker only).
 */
#include "actors/system.h"
#include "sched/lock.h"

#include <string.h>

static struct tri_name *
name_of(struct tri_named *e)
{
	return e == NULL ? NULL : tri_container_of(e, struct tri_name, named);
}

static struct tri_shard *
name_shard(struct tr_system *sys, const struct tri_name *e)
{
	return tri_shard_of(sys->names, e->named.hash);
}

bool
tri_names_init(struct tr_system *sys)
{
	return tri_shards_init(sys->names, sys->env);
}

static void
name_free(struct tri_memory *memory, struct tri_named *e)
{
	memory->free(memory->ctx, name_of(e));
}

void
tri_names_fini(struct tr_system *sys)
{
	tri_shards_fini(sys->names, sys->env, name_free);
}

int
tri_name_add(struct tri_desk *d, struct tr_self *a, tr_ref ref,
    const char *name, struct tri_name **entry)
{
	struct tr_system *sys = d->sys;
	struct tri_memory *memory = &sys->env->memory;
	struct tri_cold *cold = tri_cold(sys, a);
	struct tri_name key = { .ref = ref }, *e;
	struct tri_named **at;
	struct tri_shard *s;

	if (!tri_named_set(&key.named, name))
		return TR_EINVAL;
	e = tri_memory_alloc(memory, sizeof(*e), "name");
	if (e == NULL)
		return TR_ENOMEM;
	*e = key;
	s = name_shard(sys, e);
	tri_lock(sys->env, &s->lock);
	at = tri_shard_find(s, &e->named);
	if (*at != NULL) {
		bool own =
		    tr_ref_valid(ref) && tr_ref_equal(name_of(*at)->ref, ref);

		tri_unlock(&s->lock);
		memory->free(memory->ctx, e);
		return own ? TR_OK : TR_EEXIST;
	}
	tri_shard_insert(s, sys->env, at, &e->named);
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
	struct tri_shard *s = name_shard(sys, name);

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
		struct tri_shard *s = name_shard(sys, e);
		struct tri_name *next = e->next_own;

		tri_lock(sys->env, &s->lock);
		tri_shard_remove(s, &e->named);
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
	tr_ref ref = TR_REF_NONE;
	struct tri_name key, *e;
	struct tri_shard *s;

	if (!tri_named_set(&key.named, name))
		return ref;
	s = name_shard(system, &key);
	tri_lock(system->env, &s->lock);
	e = name_of(*tri_shard_find(s, &key.named));
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
		struct tri_shard *s = &sys->names[i];
		struct tri_named *e;

		tri_lock(sys->env, &s->lock);
		for (k = 0; k < s->buckets; k++)
			for (e = s->bucket[k]; e != NULL; e = e->next)
				fn(name_of(e), arg);
		tri_unlock(&s->lock);
	}
}
