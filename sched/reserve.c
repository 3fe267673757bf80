/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reservations, what is rarer: see reserve.h.
 */
#include "sched/reserve.h"

void
tri_reserve_init(struct tri_reserve *r, unsigned slots, bool plain)
{
	TR_ASSERT(slots >= 1 && slots <= TRI_RESERVE_SLOTS &&
	    (slots & (slots - 1)) == 0);
	tri_store_relaxed(&r->told, (uint64_t)0);
	r->mask = slots - 1;
	memset(r->used, 0, sizeof(r->used));
	r->first = r->count = 0;
	r->stack_first = r->stack_count = r->turn = 0;
	for (unsigned i = 0; i < slots; i++) {
		tri_next_init(&r->place[i].slot, plain);
		tri_store_relaxed(&r->place[i].note, (void *)NULL);
	}
}

/* The owner: its word, if that is idle. */
static tri_word
place_take_idle(struct tri_place *p)
{
	return tri_next_is_free(&p->slot) || tri_reserve_note(p) != NULL ?
	    0 :
	    tri_next_take(&p->slot);
}

/* The places of a bit, one after the other: the first is *at = 0. */
static struct tri_place *
reserve_of_bit(struct tri_reserve *r, unsigned bit, unsigned *at)
{
	unsigned i = *at + (bit & r->mask);

	if (i > r->mask)
		return NULL;
	*at += TRI_RESERVE_BITS;
	return &r->place[i];
}

static tri_word
steal_waiting(struct tri_reserve *r, struct tri_env *env, const void *thief)
{
	for (unsigned i = 0; i <= r->mask; i++) {
		struct tri_place *p = &r->place[i];
		tri_word word = tri_reserve_note(p) == NULL ?
		    0 :
		    tri_next_steal(&p->slot, env, thief);

		if (word != 0)
			return word;
	}
	return 0;
}

tri_word
tri_reserve_steal(struct tri_reserve *r, struct tri_env *env, const void *thief)
{
	/* acq: pairs with tri_reserve_tell. */
	uint64_t told = tri_load_acquire(&r->told);

	for (; told != 0; told &= told - 1) {
		unsigned bit = (unsigned)__builtin_ctzll(told), at = 0;
		struct tri_place *p;

		while ((p = reserve_of_bit(r, bit, &at)) != NULL) {
			tri_word word = tri_next_steal(&p->slot, env, thief);

			if (word != 0)
				return word;
		}
	}
	return steal_waiting(r, env, thief);
}

unsigned
tri_reserve_waiting(struct tri_reserve *r)
{
	unsigned n = 0;

	for (unsigned i = 0; i <= r->mask; i++)
		n += tri_next_waits(&r->place[i].slot) &&
		    tri_reserve_note(&r->place[i]) != NULL;
	return n;
}

tri_word
tri_reserve_take_told(struct tri_reserve *r, uint64_t *told)
{
	for (; *told != 0; *told &= *told - 1) {
		unsigned bit = (unsigned)__builtin_ctzll(*told), at = 0;
		struct tri_place *p;

		while ((p = reserve_of_bit(r, bit, &at)) != NULL) {
			tri_word word = place_take_idle(p);

			/* Its bit stays, for the slots that share it. */
			if (word != 0)
				return word;
		}
	}
	return 0;
}

tri_word
tri_reserve_take_any(struct tri_reserve *r)
{
	bool *used = r->used;

	while ((used = memchr(used, true,
		    (size_t)(&r->used[r->mask + 1] - used))) != NULL) {
		tri_word word = place_take_idle(&r->place[used - r->used]);

		*used = false;
		if (word != 0)
			return word;
	}
	return 0;
}
