/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mailbox/pool.h: trimming gives back the slabs that are all free, leaves the
 * others as they are, and may stop anywhere.
 */
#include "rig_pool.h"

static void
trim_gives_back_what_is_all_free(void **unused)
{
	struct rig *r = rig_begin();
	struct tri_pool *pool = &r->pool[0];
	void *block[200];

	(void)unused;
	for (int round = 0; round < 3; round++) {
		for (unsigned c = 0; c < TRI_CLASSES; c++) {
			/* Slabs used in part, and whole. */
			unsigned n = c + 1u + (c > 6 ? 100u : 0u);

			alloc_all(pool, c, block, n);
			free_all(pool, c, block, n);
		}
		assert_true(
		    held(pool) >= TRI_CLASSES * (uint64_t)TRI_SLAB_BYTES);
		trim_all(pool);
		assert_int_equal(held(pool), 0);
		assert_int_equal(r->memory.slabs, 0);
	}
	assert_false(tri_pool_trim(pool, 1));
	rig_end(r);
}

static void
trim_keeps_slabs_in_use_and_the_rest_of_them_usable(void **unused)
{
	enum { SLABS = 4, C = 2 };
	struct rig *r = rig_begin();
	struct tri_pool *pool = &r->pool[0];
	unsigned per = blocks_of_slab(C), n = SLABS * per, left = 0;
	void **block = calloc(n, sizeof(void *));

	(void)unused;
	assert_non_null(block);
	alloc_all(pool, C, block, n);
	assert_int_equal(r->memory.slabs, SLABS);
	/* One block of the second and of the last slab is in use. */
	for (unsigned i = 0; i < n; i++)
		if (i != per + 5 && i != n - 1)
			tri_pool_free(pool, block[i], C);
	trim_all(pool);
	assert_int_equal(r->memory.slabs, 2);
	assert_int_equal(held(pool), 2 * TRI_SLAB_BYTES);
	assert_true(is_painted(block[per + 5], C, per + 5));
	assert_true(is_painted(block[n - 1], C, n - 1));
	/* The others of these two slabs are there to be had. */
	for (; left < 2 * per - 2; left++)
		assert_non_null(tri_pool_alloc(pool, C));
	assert_int_equal(r->memory.slabs, 2);
	assert_true(is_painted(block[per + 5], C, per + 5));
	assert_true(is_painted(block[n - 1], C, n - 1));
	assert_non_null(tri_pool_alloc(pool, C));
	assert_int_equal(r->memory.slabs, 3);
	free(block);
	rig_end(r);
}

static void
trim_finds_what_came_home_by_itself(void **unused)
{
	enum { N = 1000 };
	struct rig *r = rig_begin();
	void *block[N];

	(void)unused;
	alloc_all(&r->pool[0], 4, block, N);
	free_all(&r->pool[1], 4, block, N);
	tri_pool_flush(&r->pool[1]);
	trim_all(&r->pool[0]);
	assert_int_equal(held(&r->pool[0]), 0);
	rig_end(r);
}

/* What one random user of a pool has. */
struct user {
	void *block[4000];
	unsigned char size_class[4000];
	unsigned n;
	uint64_t seed;
};

static uint64_t
user_random(struct user *u, uint64_t limit)
{
	u->seed = u->seed * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return (u->seed >> 33) % limit;
}

static void
user_alloc(struct user *u, struct tri_pool *pool)
{
	unsigned c = (unsigned)user_random(u, TRI_CLASSES);

	if (u->n == 4000)
		return;
	u->block[u->n] = tri_pool_alloc(pool, c);
	assert_non_null(u->block[u->n]);
	memset(u->block[u->n], 0x11 + (int)c, tri_class_bytes(c));
	u->size_class[u->n++] = (unsigned char)c;
}

static void
user_free(struct user *u, struct tri_pool *pool)
{
	unsigned at, c;
	unsigned char *p;

	if (u->n == 0)
		return;
	at = (unsigned)user_random(u, u->n);
	c = u->size_class[at];
	p = u->block[at];
	/* Nobody else wrote to it. */
	assert_int_equal(p[0], 0x11 + c);
	assert_memory_equal(p, p + 1, tri_class_bytes(c) - 1);
	tri_pool_free(pool, p, c);
	u->block[at] = u->block[--u->n];
	u->size_class[at] = u->size_class[u->n];
}

static void
trim_may_stop_anywhere_while_the_pool_is_used(void **unused)
{
	enum { STEPS = TEST_SCALE(200000) };
	struct rig *r = rig_begin();
	struct user *u = calloc(1, sizeof(*u));

	(void)unused;
	assert_non_null(u);
	for (unsigned i = 0; i < STEPS; i++) {
		/* Mostly growing, then mostly shrinking, and again. */
		bool grow = user_random(u, 8) < (i / 10000 % 2 ? 3 : 5);

		if (grow)
			user_alloc(u, &r->pool[0]);
		else
			user_free(u, &r->pool[user_random(u, 3) == 0]);
		if (user_random(u, 4) == 0)
			(void)tri_pool_trim(&r->pool[0],
			    1 + (unsigned)user_random(u, 3));
		if (user_random(u, 100) == 0)
			tri_pool_flush(&r->pool[1]);
	}
	while (u->n > 0)
		user_free(u, &r->pool[0]);
	tri_pool_flush(&r->pool[1]);
	/* One pass may have begun behind a class that has changed. */
	trim_all(&r->pool[0]);
	trim_all(&r->pool[0]);
	assert_int_equal(held(&r->pool[0]), 0);
	assert_int_equal(r->memory.slabs, 0);
	free(u);
	rig_end(r);
}

static void
trim_handles_no_more_blocks_than_it_is_told(void **unused)
{
	enum { N = 100 };
	struct rig *r = rig_begin();
	struct tri_pool *pool = &r->pool[0];
	void *block[N];
	unsigned calls = 0;

	(void)unused;
	alloc_all(pool, 6, block, N);
	free_all(pool, 6, block, N);
	while (tri_pool_trim(pool, 1))
		calls++;
	assert_int_equal(calls, N);
	assert_int_equal(held(pool), 0);
	rig_end(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trim_gives_back_what_is_all_free),
		cmocka_unit_test(
		    trim_keeps_slabs_in_use_and_the_rest_of_them_usable),
		cmocka_unit_test(trim_finds_what_came_home_by_itself),
		cmocka_unit_test(trim_may_stop_anywhere_while_the_pool_is_used),
		cmocka_unit_test(trim_handles_no_more_blocks_than_it_is_told),
	};

	alarm(TOO_LONG_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
