/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A supervisor's entries: in the order of their start, and in a table.
 *
 * The table is by id or, where children have none of their own
 * (simple_one_for_one), by the reference of their actor.  Its chains are within
 * the entries, so putting one in needs no memory; for lack of it the chains
 * only get longer.
 */
#include "actors/supervise/supervise.h"

#include <string.h>

enum { BUCKETS_FIRST = 8 };

/* A description that belongs to an entry. */
struct own_spec {
	struct tr_child child; /* first */
	struct tr_spawn_options options;
	char id[TR_CHILD_ID_MAX + 1];
	char name[TRI_NAME_MAX + 1];
};

static struct tri_kid *
kid_of(const struct tri_ring *r)
{
	return tri_container_of(r, struct tri_kid, order);
}

/* --------------------------------------------------------------- table --- */

/* Slots count up, and generations are much the same: spread them. */
static uint64_t
ref_hash(tr_ref ref)
{
	uint64_t x = ref.bits * UINT64_C(0x9e3779b97f4a7c15);

	return x ^ x >> 32;
}

/* Twice the buckets, if there is memory for them. */
static void
table_grow(struct tri_kids *kids, const struct tri_memory *memory)
{
	uint32_t n = kids->buckets * 2, i;
	struct tri_kid **bucket =
	    tri_memory_alloc(memory, n * sizeof(*bucket), "supervisor growth");

	if (bucket == NULL)
		return;
	memset(bucket, 0, n * sizeof(*bucket));
	for (i = 0; i < kids->buckets; i++)
		while (kids->bucket[i] != NULL) {
			struct tri_kid *kid = kids->bucket[i];
			struct tri_kid **at = &bucket[kid->hash & (n - 1)];

			kids->bucket[i] = kid->hashed;
			kid->hashed = *at;
			*at = kid;
		}
	memory->free(memory->ctx, kids->bucket);
	kids->bucket = bucket;
	kids->buckets = n;
}

static void
table_add(struct tri_kids *kids, const struct tri_memory *memory,
    struct tri_kid *kid, uint64_t hash)
{
	struct tri_kid **at;

	if (kids->count > kids->buckets)
		table_grow(kids, memory);
	at = &kids->bucket[hash & (kids->buckets - 1)];
	kid->hash = hash;
	kid->hashed = *at;
	kid->found = true;
	*at = kid;
}

static void
table_remove(struct tri_kids *kids, struct tri_kid *kid)
{
	struct tri_kid **at;

	if (!kid->found)
		return;
	at = &kids->bucket[kid->hash & (kids->buckets - 1)];
	while (*at != kid)
		at = &(*at)->hashed;
	*at = kid->hashed;
	kid->found = false;
}

static struct tri_kid *
table_chain(const struct tri_kids *kids, uint64_t hash)
{
	return kids->bucket[hash & (kids->buckets - 1)];
}

struct tri_kid *
tri_kids_find_id(const struct tri_kids *kids, const char *id)
{
	struct tri_kid *kid;
	uint64_t hash;

	if (kids->by_ref)
		return NULL;
	hash = tri_text_hash(id, strlen(id));
	kid = table_chain(kids, hash);
	while (kid != NULL &&
	    (kid->hash != hash || strcmp(kid->spec->id, id) != 0))
		kid = kid->hashed;
	return kid;
}

struct tri_kid *
tri_kids_find_ref(const struct tri_kids *kids, tr_ref ref)
{
	struct tri_kid *kid;

	if (!tr_ref_valid(ref))
		return NULL;
	if (kids->by_ref) {
		kid = table_chain(kids, ref_hash(ref));
		while (kid != NULL && !tr_ref_equal(kid->ref, ref))
			kid = kid->hashed;
		return kid;
	}
	kid = tri_kids_first(kids);
	while (kid != NULL && !tr_ref_equal(kid->ref, ref))
		kid = tri_kids_next(kids, kid);
	return kid;
}

void
tri_kid_set_ref(struct tri_kids *kids, const struct tri_memory *memory,
    struct tri_kid *kid, tr_ref ref)
{
	if (kids->by_ref)
		table_remove(kids, kid);
	kid->ref = ref;
	if (kids->by_ref && tr_ref_valid(ref))
		table_add(kids, memory, kid, ref_hash(ref));
}

/* --------------------------------------------------------------- order --- */

struct tri_kid *
tri_kids_first(const struct tri_kids *kids)
{
	return tri_ring_is_empty(&kids->order) ? NULL :
						 kid_of(kids->order.next);
}

struct tri_kid *
tri_kids_last(const struct tri_kids *kids)
{
	return tri_ring_is_empty(&kids->order) ? NULL :
						 kid_of(kids->order.prev);
}

struct tri_kid *
tri_kids_next(const struct tri_kids *kids, const struct tri_kid *kid)
{
	return kid->order.next == &kids->order ? NULL : kid_of(kid->order.next);
}

struct tri_kid *
tri_kids_prev(const struct tri_kids *kids, const struct tri_kid *kid)
{
	return kid->order.prev == &kids->order ? NULL : kid_of(kid->order.prev);
}

/* ------------------------------------------------------- make and free --- */

bool
tri_kids_init(struct tri_kids *kids, const struct tri_memory *memory,
    bool by_ref)
{
	size_t bytes = BUCKETS_FIRST * sizeof(*kids->bucket);

	*kids = (struct tri_kids){ .by_ref = by_ref };
	tri_ring_init(&kids->order);
	kids->bucket = tri_memory_alloc(memory, bytes, "supervisor");
	if (kids->bucket == NULL)
		return false;
	memset(kids->bucket, 0, bytes);
	kids->buckets = BUCKETS_FIRST;
	return true;
}

void
tri_kids_fini(struct tri_kids *kids, const struct tri_memory *memory)
{
	struct tri_kid *kid;

	while ((kid = tri_kids_first(kids)) != NULL)
		tri_kid_free(kids, memory, kid);
	if (kids->bucket != NULL)
		memory->free(memory->ctx, kids->bucket);
	kids->bucket = NULL;
}

struct tri_kid *
tri_kid_new(struct tri_kids *kids, const struct tri_memory *memory,
    const struct tr_child *spec)
{
	struct tri_kid *kid =
	    tri_memory_alloc(memory, sizeof(*kid), "supervisor child");

	if (kid == NULL)
		return NULL;
	*kid = (struct tri_kid){ .spec = spec, .arg = spec->arg };
	tri_ring_init(&kid->todo.ring);
	tri_ring_append(&kids->order, &kid->order);
	kids->count++;
	if (!kids->by_ref)
		table_add(kids, memory, kid,
		    tri_text_hash(spec->id, strlen(spec->id)));
	return kid;
}

bool
tri_kid_set_arg(struct tri_kid *kid, const struct tri_memory *memory,
    const void *arg, size_t size)
{
	void *own = tri_memory_alloc(memory, size, "supervisor argument");

	if (own == NULL)
		return false;
	memcpy(own, arg, size);
	kid->arg = own;
	kid->own_arg = true;
	return true;
}

struct tri_kid *
tri_kid_copy(struct tri_kids *kids, const struct tri_memory *memory,
    const struct tr_child *spec, size_t arg_size)
{
	struct own_spec *own =
	    tri_memory_alloc(memory, sizeof(*own), "supervisor description");
	struct tri_kid *kid;

	if (own == NULL)
		return NULL;
	*own = (struct own_spec){ .child = *spec };
	memcpy(own->id, spec->id, strlen(spec->id));
	own->child.id = own->id;
	if (spec->name != NULL) {
		memcpy(own->name, spec->name, strlen(spec->name));
		own->child.name = own->name;
	}
	if (spec->options != NULL) {
		own->options = *spec->options;
		own->child.options = &own->options;
	}
	kid = tri_kid_new(kids, memory, &own->child);
	if (kid == NULL) {
		memory->free(memory->ctx, own);
		return NULL;
	}
	kid->own_spec = true;
	if (arg_size > 0 && spec->arg != NULL &&
	    !tri_kid_set_arg(kid, memory, spec->arg, arg_size)) {
		tri_kid_free(kids, memory, kid);
		return NULL;
	}
	return kid;
}

void
tri_kid_free(struct tri_kids *kids, const struct tri_memory *memory,
    struct tri_kid *kid)
{
	tri_super_undo(&kid->todo);
	tri_ring_remove(&kid->order);
	table_remove(kids, kid);
	kids->count--;
	if (kid->own_arg)
		memory->free(memory->ctx, (void *)(uintptr_t)kid->arg);
	if (kid->own_spec)
		memory->free(memory->ctx, (void *)(uintptr_t)kid->spec);
	memory->free(memory->ctx, kid);
}

/* ------------------------------------------------- what there is to say -- */

static enum tr_child_state
kid_state(const struct tri_kid *kid)
{
	switch ((enum tri_kid_state)kid->state) {
	case TRI_KID_STARTING: return TR_CHILD_STARTING;
	case TRI_KID_RUNNING: return TR_CHILD_RUNNING;
	case TRI_KID_STOPPING:
	case TRI_KID_LEAVING: return TR_CHILD_STOPPING;
	case TRI_KID_HELD: return TR_CHILD_RESTARTING;
	case TRI_KID_DOWN: break;
	}
	return kid->waits ? TR_CHILD_RESTARTING : TR_CHILD_STOPPED;
}

void
tri_kid_info(const struct tri_kid *kid, struct tr_child_info *info)
{
	memset(info, 0, sizeof(*info));
	memcpy(info->id, kid->spec->id, strlen(kid->spec->id));
	info->ref = kid->ref;
	info->state = kid_state(kid);
	info->restart = kid->spec->restart;
	info->supervisor = kid->spec->supervisor != NULL;
	info->significant = kid->spec->significant;
	info->restarts = kid->restarts;
	info->last = kid->last;
}

void
tri_kids_counts(const struct tri_kids *kids, bool simple,
    struct tr_child_counts *counts)
{
	const struct tri_kid *kid = tri_kids_first(kids);

	*counts = (struct tr_child_counts){
		.specs = simple ? 1 : kids->count,
	};
	for (; kid != NULL; kid = tri_kids_next(kids, kid)) {
		if (kid->state != TRI_KID_DOWN && kid->state != TRI_KID_HELD)
			counts->active++;
		if (kid->spec->supervisor != NULL)
			counts->supervisors++;
		else
			counts->workers++;
	}
}
