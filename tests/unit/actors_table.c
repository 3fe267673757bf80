/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * actors/table.h: memory goes back where all is free, no index is lost or
 * handed out twice, and generations go on where they were.
 */
#include "actors/system.h"
#include "kit.h"

enum { MAX = 1 << 17, N = 20 * TRI_CHUNK };

/* A table of its own, with elements that begin with a generation. */
struct element {
	uint32_t generation;
	uint32_t rest[15];
};

struct rig {
	struct tri_env *env;
	struct tri_table table;
	struct tri_cache cache;
	uint32_t index[MAX];
	bool used[MAX];
	uint32_t n;
};

static uint32_t
element_generation(const void *element)
{
	return ((const struct element *)element)->generation;
}

static struct rig *
rig_begin(void)
{
	const size_t sizes[] = { sizeof(struct element), 4, 16 };
	struct rig *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	r->env = tri_env_real();
	assert_non_null(r->env);
	assert_true(tri_table_init(&r->table, r->env, MAX, 2, sizes, 3));
	assert_int_equal(r->table.max, MAX);
	r->table.generation = element_generation;
	r->table.discards = 2; /* of the three arrays */
	return r;
}

static void
rig_end(struct rig *r)
{
	tri_table_fini(&r->table);
	r->env->free(r->env);
	free(r);
}

static struct element *
element_at(struct rig *r, uint32_t index)
{
	return (struct element *)(void *)tri_table_at(&r->table, 0, index);
}

/* Of an element of another array. */
static char *
last_byte(struct rig *r, unsigned array, uint32_t index)
{
	return (char *)tri_table_at(&r->table, array, index) +
	    r->table.size[array] - 1;
}

/* Take until there are n; each is new, and its generation goes on. */
static void
rig_take(struct rig *r, uint32_t n)
{
	for (; r->n < n; r->n++) {
		uint32_t i = 0;

		assert_true(tri_table_get(&r->table, &r->cache, &i));
		assert_true(i < MAX && !r->used[i]);
		r->used[i] = true;
		r->index[r->n] = i;
		if (element_at(r, i)->generation == 0)
			element_at(r, i)->generation =
			    tri_table_floor(&r->table, i) + 1;
		element_at(r, i)->rest[14] = i + 1;
		*last_byte(r, 1, i) = 1;
		*last_byte(r, 2, i) = 1;
	}
}

static void
rig_put(struct rig *r, uint32_t index)
{
	element_at(r, index)->generation++;
	r->used[index] = false;
	tri_table_put(&r->table, &r->cache, index);
}

static void
rig_put_all(struct rig *r)
{
	while (r->n > 0)
		rig_put(r, r->index[--r->n]);
	tri_table_give_back(&r->table, &r->cache);
}

static unsigned
rig_trim(struct rig *r)
{
	unsigned slices = 1;

	while (tri_table_trim(&r->table))
		slices++;
	return slices;
}

static void
what_is_all_free_is_zeroed_and_used_again(void **unused)
{
	struct rig *r = rig_begin();

	(void)unused;
	for (uint32_t round = 1; round <= 5; round++) {
		rig_take(r, N);
		assert_int_equal(r->table.limit, N);
		rig_put_all(r);
		assert_int_equal(element_at(r, 5)->rest[14], 6);
		assert_true(rig_trim(r) >= N / TRI_CHUNK / 8);
		assert_int_equal(r->table.n_freed, 0);
		for (uint32_t i = 0; i < N; i++) {
			assert_int_equal(element_at(r, i)->generation, 0);
			assert_int_equal(element_at(r, i)->rest[14], 0);
			assert_int_equal(*last_byte(r, 1, i), 0);
			assert_int_equal(*last_byte(r, 2, i), 1);
			/* Past all that was: a take and a put each round. */
			assert_true(tri_table_floor(&r->table, i) >= 2 * round);
		}
	}
	assert_false(tri_table_trim(&r->table));
	rig_end(r);
}

static void
chunks_with_one_in_use_stay_as_they_are(void **unused)
{
	struct rig *r = rig_begin();
	uint32_t keep = 3 * TRI_CHUNK + 77, i;

	(void)unused;
	rig_take(r, N);
	for (i = 0; i < N; i++)
		if (i != keep)
			rig_put(r, i);
	tri_table_give_back(&r->table, &r->cache);
	(void)rig_trim(r);
	assert_int_equal(r->table.n_freed, TRI_CHUNK - 1);
	assert_int_equal(element_at(r, keep)->rest[14], keep + 1);
	assert_int_equal(element_at(r, keep)->generation, 1);
	assert_int_equal(element_at(r, keep + 1)->generation, 2);
	assert_int_equal(element_at(r, 2 * TRI_CHUNK)->generation, 0);
	/* All the others can be had once, before any that is new. */
	r->n = 0;
	rig_take(r, N - 1);
	assert_int_equal(r->table.limit, N);
	rig_end(r);
}

/* Take some and put some at random, trim in between, and lose none. */
static void
trimming_at_any_time_loses_no_index(void **unused)
{
	enum { STEPS = TEST_SCALE(2000) };
	struct rig *r = rig_begin();
	uint64_t seed = 11;

	(void)unused;
	for (int step = 0; step < STEPS; step++) {
		uint32_t want =
		    (uint32_t)kit_below(&seed, step % 8 == 0 ? 2 * N : 64);

		rig_take(r, r->n > want ? r->n : want);
		while (r->n > want) {
			uint32_t at = (uint32_t)kit_below(&seed, r->n);
			uint32_t i = r->index[at];

			r->index[at] = r->index[--r->n];
			assert_int_equal(element_at(r, i)->rest[14], i + 1);
			rig_put(r, i);
		}
		if (step % 3 == 0)
			tri_table_give_back(&r->table, &r->cache);
		for (uint64_t n = kit_below(&seed, 8); n > 0; n--)
			(void)tri_table_trim(&r->table);
	}
	/* Every one that there can be. */
	rig_take(r, MAX);
	assert_false(tri_table_get(&r->table, &r->cache, &(uint32_t){ 0 }));
	rig_end(r);
}

/* ------------------------------------------- in a system, from outside --- */

enum { FLIES = TEST_SCALE(100000) + 10 * TRI_CHUNK, DIE };

static int
fly_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	return tr_tag(msg) == DIE ? tr_exit(self, TR_NORMAL) : TR_EINVAL;
}

static const struct tr_behavior fly = {
	.name = "fly",
	.receive = fly_receive,
};

static void
await_ended(struct kit *k, uint64_t n)
{
	struct tr_stats stats;

	do {
		kit_nap();
		assert_int_equal(tr_stats(k->sys, &stats), TR_OK);
	} while (stats.ended < n);
}

/* They all live at the same time, and all end. */
static void
flies_live(struct kit *k, tr_ref *ref)
{
	for (int i = 0; i < FLIES; i++) {
		ref[i] = tr_system_spawn(k->sys, &fly, NULL, NULL);
		assert_true(tr_ref_valid(ref[i]));
	}
}

static void
flies_end(struct kit *k, const tr_ref *ref, uint64_t ended)
{
	for (int i = 0; i < FLIES; i++)
		assert_int_equal(tr_post(k->sys, ref[i], DIE, NULL, 0), TR_OK);
	await_ended(k, ended);
}

/* A second of idleness, then the cells are zeroed. */
static void
await_zeros(struct kit *k, tr_ref ref)
{
	struct tr_self *a = tri_cell(k->sys, tri_ref_slot(ref));

	while (tri_load_relaxed(&a->ident) != 0)
		kit_nap();
}

/* The memory of a whole generation is given back; its references fit nobody of
 * the next one, which lives in the same slots. */
static void
references_from_before_the_trimming_reach_nobody(void **unused)
{
	tr_ref *old = calloc(FLIES, sizeof(*old));
	tr_ref *new = calloc(FLIES, sizeof(*new));
	uint64_t same = 0;
	struct kit k;

	(void)unused;
	assert_non_null(old);
	assert_non_null(new);
	kit_new(&k, 2);
	kit_begin(&k);
	flies_live(&k, old);
	flies_end(&k, old, FLIES);
	await_zeros(&k, old[FLIES / 2]);
	flies_live(&k, new);
	for (int i = 0; i < FLIES; i++) {
		same += tri_ref_slot(new[i]) < FLIES;
		/* The new one would fail of it. */
		assert_int_equal(tr_post(k.sys, old[i], 77, NULL, 0), TR_OK);
	}
	flies_end(&k, new, 2 * FLIES);
	kit_stop(&k);
	assert_true(same > FLIES / 2);
	assert_int_equal(k.stats.failed, 0);
	assert_int_equal(k.stats.dead[TR_DEAD_NO_ACTOR], FLIES);
	free(old);
	free(new);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(what_is_all_free_is_zeroed_and_used_again),
		KIT_TEST(chunks_with_one_in_use_stay_as_they_are),
		KIT_TEST(trimming_at_any_time_loses_no_index),
		KIT_TEST(references_from_before_the_trimming_reach_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
