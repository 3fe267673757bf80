/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mailbox/pool.h: the classes of blocks, blocks that are freed far from home,
 * those without a class, and what becomes of a pool when memory fails.
 */
#include "rig_pool.h"

/* ------------------------------------------------------------- classes --- */

static void
class_is_the_smallest_that_holds_the_bytes(void **unused)
{
	const size_t most = tri_class_bytes(TRI_CLASSES - 1);

	(void)unused;
	for (size_t bytes = 0; bytes <= most; bytes++) {
		unsigned c = tri_class_of(bytes);

		if (c >= TRI_CLASSES || tri_class_bytes(c) < bytes ||
		    (c > 0 && tri_class_bytes(c - 1) >= bytes))
			fail_msg("%zu bytes in class %u", bytes, c);
	}
	assert_int_equal(tri_class_of(most + 1), TRI_CLASS_LARGE);
	assert_int_equal(tri_class_of(SIZE_MAX), TRI_CLASS_LARGE);
}

static void
blocks_are_aligned_and_apart_in_every_class(void **unused)
{
	(void)unused;
	for (unsigned c = 0; c < TRI_CLASSES; c++) {
		struct rig *r = rig_begin();
		unsigned n = 3 * blocks_of_slab(c) + 1;
		size_t align = c == 0 ? 32 : TRI_LINE;
		void **block = calloc(n, sizeof(void *));

		assert_non_null(block);
		alloc_all(&r->pool[1], c, block, n);
		assert_int_equal(r->memory.slabs, 4);
		assert_int_equal(held(&r->pool[1]), 4 * TRI_SLAB_BYTES);
		assert_int_equal(r->memory.populated, 3);
		for (unsigned i = 0; i < n; i++) {
			struct tr_msg *m = block[i];

			assert_int_equal((uintptr_t)m % align, 0);
			assert_true(is_painted(m, c, i));
			m->size_class = (uint8_t)c;
			assert_ptr_equal(tri_pool_of(m), &r->pool[1]);
		}
		free_all(&r->pool[1], c, block, n);
		trim_all(&r->pool[1]);
		assert_int_equal(r->memory.slabs, 0);
		free(block);
		rig_end(r);
	}
}

static void
block_freed_last_is_used_first(void **unused)
{
	struct rig *r = rig_begin();
	struct tri_pool *pool = &r->pool[0];
	void *a, *b;

	(void)unused;
	for (unsigned c = 0; c < TRI_CLASSES; c++) {
		a = tri_pool_alloc(pool, c);
		b = tri_pool_alloc(pool, c);
		assert_non_null(a);
		assert_non_null(b);
		tri_pool_free(pool, a, c);
		tri_pool_free(pool, b, c);
		assert_ptr_equal(tri_pool_alloc(pool, c), b);
		assert_ptr_equal(tri_pool_alloc(pool, c), a);
	}
	assert_int_equal(held(pool), TRI_CLASSES * TRI_SLAB_BYTES);
	rig_end(r);
}

static void
freed_blocks_are_used_before_new_memory(void **unused)
{
	enum { N = 30000 };
	struct rig *r = rig_begin();
	struct tri_pool *pool = &r->pool[0];
	void **first = calloc(N, sizeof(void *));
	void **again = calloc(N, sizeof(void *));
	int slabs;

	(void)unused;
	assert_non_null(first);
	assert_non_null(again);
	alloc_all(pool, 1, first, N);
	slabs = r->memory.slabs;
	for (int round = 0; round < 3; round++) {
		free_all(pool, 1, first, N);
		alloc_all(pool, 1, again, N);
		assert_true(same_blocks(first, again, N));
	}
	assert_int_equal(r->memory.slabs, slabs);
	free(first);
	free(again);
	rig_end(r);
}

/* -------------------------------------------------------- far frees ------ */

static void
far_frees_come_home_in_batches(void **unused)
{
	(void)unused;
	for (unsigned c = 0; c < TRI_CLASSES; c++) {
		struct rig *r = rig_begin();
		struct tri_pool *home = &r->pool[0], *far = &r->pool[2];
		unsigned batch = TRI_RETURN_BYTES / (32u << c);
		void *block[TRI_RETURN_BLOCKS], *again[TRI_RETURN_BLOCKS];
		int slabs;

		if (batch > TRI_RETURN_BLOCKS)
			batch = TRI_RETURN_BLOCKS;
		alloc_all(home, c, block, batch);
		slabs = r->memory.slabs;
		for (unsigned i = 0; i < batch; i++) {
			assert_true(tri_stack_is_empty(&home->returned));
			tri_pool_free(far, block[i], c);
		}
		assert_false(tri_stack_is_empty(&home->returned));
		alloc_all(home, c, again, batch);
		assert_true(same_blocks(block, again, batch));
		assert_int_equal(r->memory.slabs, slabs);
		assert_int_equal(held(far), 0);
		rig_end(r);
	}
}

/* Fresh memory is carved in runs: what is left of the last one is used up, so that
 * what comes home is what is used next. */
struct rest {
	void *block[4096 / 32];
	unsigned n;
};

static void
rest_use_up(struct tri_pool *pool, unsigned c, struct rest *rest)
{
	rest->n = 0;
	while (pool->classes[c].free != NULL) {
		assert_true(rest->n < 4096 / 32);
		rest->block[rest->n++] = tri_pool_alloc(pool, c);
	}
}

static void
flush_sends_everything_home_to_everyone(void **unused)
{
	enum { N = 50 };
	struct rig *r = rig_begin();
	void *block[3][TRI_CLASSES][N], *again[N];
	static struct rest rest[3][TRI_CLASSES];
	struct tri_pool *far = &r->pool[3];

	(void)unused;
	for (int round = 0; round < 3; round++) {
		for (unsigned p = 0; p < 3; p++) {
			for (unsigned c = 0; c < TRI_CLASSES; c++) {
				alloc_all(&r->pool[p], c, block[p][c], c + 1);
				rest_use_up(&r->pool[p], c, &rest[p][c]);
			}
		}
		for (unsigned p = 0; p < 3; p++)
			for (unsigned c = 0; c < TRI_CLASSES; c++)
				free_all(far, c, block[p][c], c + 1);
		tri_pool_flush(far);
		for (unsigned p = 0; p < 3; p++) {
			for (unsigned c = 0; c < TRI_CLASSES; c++) {
				alloc_all(&r->pool[p], c, again, c + 1);
				assert_true(
				    same_blocks(again, block[p][c], c + 1));
				free_all(&r->pool[p], c, again, c + 1);
				free_all(&r->pool[p], c, rest[p][c].block,
				    rest[p][c].n);
			}
		}
		/* Nothing is left to send. */
		tri_pool_flush(far);
		for (unsigned p = 0; p < 3; p++)
			assert_true(tri_stack_is_empty(&r->pool[p].returned));
	}
	for (unsigned p = 0; p < 3; p++) {
		trim_all(&r->pool[p]);
		assert_int_equal(held(&r->pool[p]), 0);
	}
	rig_end(r);
}

static void
several_batches_come_home_at_once(void **unused)
{
	enum { N = 5 * TRI_RETURN_BLOCKS + 17 };
	struct rig *r = rig_begin();
	struct tri_pool *home = &r->pool[1];
	void *block[N], *again[N];
	struct rest rest;

	(void)unused;
	alloc_all(home, 0, block, N);
	rest_use_up(home, 0, &rest);
	for (unsigned i = 0; i < N; i++)
		tri_pool_free(&r->pool[i % 2 == 0 ? 0 : 2], block[i], 0);
	tri_pool_flush(&r->pool[0]);
	tri_pool_flush(&r->pool[2]);
	/* Those of another class take their own way. */
	assert_non_null(tri_pool_alloc(home, 3));
	alloc_all(home, 0, again, N);
	assert_true(same_blocks(block, again, N));
	rig_end(r);
}

/* ------------------------------------------------------- large blocks ---- */

static void
large_blocks_come_and_go_at_any_size(void **unused)
{
	const size_t size[] = { 0, 1, 31, 32, 33, 32769, 1 << 20,
		(1 << 20) + 1 };
	struct rig *r = rig_begin();

	(void)unused;
	for (unsigned i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
		struct tr_msg *m = tri_pool_alloc_large(&r->pool[2], size[i]);

		assert_non_null(m);
		assert_int_equal((uintptr_t)m % 32, 0);
		memset(m, 7, size[i]);
		if (size[i] >= sizeof(*m)) {
			m->size_class = TRI_CLASS_LARGE;
			assert_ptr_equal(tri_pool_of(m), &r->pool[2]);
		}
		assert_int_equal(r->memory.others, POOLS + 1);
		tri_pool_free_large(m);
		assert_int_equal(r->memory.others, POOLS);
	}
	assert_int_equal(r->memory.slabs, 0);
	rig_end(r);
}

static void
impossible_sizes_are_refused(void **unused)
{
	struct rig *r = rig_begin();

	(void)unused;
	for (size_t less = 0; less < 100; less++)
		assert_null(tri_pool_alloc_large(&r->pool[0], SIZE_MAX - less));
	assert_null(tri_pool_alloc_large(&r->pool[0], LARGEST));
	rig_end(r);
}

/* ----------------------------------------------------------- failure ----- */

/* Some of everything, with whatever comes of it. */
static void
script(struct rig *r)
{
	void *block[TRI_CLASSES][20];
	void *large;
	bool up[POOLS];

	memset(block, 0, sizeof(block));
	for (unsigned p = 0; p < POOLS; p++)
		up[p] = tri_pool_init(&r->pool[p], &r->memory.ops, r, p, POOLS);
	if (up[0] && up[1]) {
		large = tri_pool_alloc_large(&r->pool[0], 100000);
		for (unsigned i = 0; i < 20; i++)
			for (unsigned c = 0; c < TRI_CLASSES; c++)
				block[c][i] = tri_pool_alloc(&r->pool[0], c);
		for (unsigned i = 0; i < 20; i++)
			for (unsigned c = 0; c < TRI_CLASSES; c++)
				if (block[c][i] != NULL)
					tri_pool_free(&r->pool[i % 2],
					    block[c][i], c);
		if (large != NULL)
			tri_pool_free_large(large);
		tri_pool_flush(&r->pool[1]);
		trim_all(&r->pool[0]);
		assert_int_equal(held(&r->pool[0]), 0);
	}
	for (unsigned p = 0; p < POOLS; p++)
		tri_pool_fini(&r->pool[p]);
	/* Again: of what is down. */
	tri_pool_fini(&r->pool[0]);
}

static void
every_single_failure_of_memory_is_survived(void **unused)
{
	int refused = 1;

	(void)unused;
	for (int k = 1; refused > 0; k++) {
		for (int on = 0; on < 2; on++) {
			struct rig *r = rig_new();

			r->memory.fail_at = k;
			r->memory.fail_on = on;
			script(r);
			assert_int_equal(r->memory.slabs, 0);
			assert_int_equal(r->memory.others, 0);
			refused = r->memory.refused;
			free(r);
		}
		assert_true(k < 1000);
	}
}

static void
pool_without_memory_says_so_and_goes_on_with_what_it_has(void **unused)
{
	enum { C = 5 };
	struct rig *r = rig_begin();
	struct tri_pool *pool = &r->pool[0];
	unsigned per = blocks_of_slab(C);
	void *block[300];

	(void)unused;
	r->memory.fail_at = r->memory.calls + 2;
	r->memory.fail_on = true;
	alloc_all(pool, C, block, per);
	for (int i = 0; i < 3; i++)
		assert_null(tri_pool_alloc(pool, C));
	assert_null(tri_pool_alloc(pool, C + 1));
	tri_pool_free(pool, block[17], C);
	assert_ptr_equal(tri_pool_alloc(pool, C), block[17]);
	assert_null(tri_pool_alloc(pool, C));
	/* Also with what comes home. */
	tri_pool_free(&r->pool[1], block[3], C);
	assert_null(tri_pool_alloc(pool, C));
	tri_pool_flush(&r->pool[1]);
	assert_ptr_equal(tri_pool_alloc(pool, C), block[3]);
	r->memory.fail_at = 0;
	assert_non_null(tri_pool_alloc(pool, C));
	rig_end(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(class_is_the_smallest_that_holds_the_bytes),
		cmocka_unit_test(blocks_are_aligned_and_apart_in_every_class),
		cmocka_unit_test(block_freed_last_is_used_first),
		cmocka_unit_test(freed_blocks_are_used_before_new_memory),
		cmocka_unit_test(far_frees_come_home_in_batches),
		cmocka_unit_test(flush_sends_everything_home_to_everyone),
		cmocka_unit_test(several_batches_come_home_at_once),
		cmocka_unit_test(large_blocks_come_and_go_at_any_size),
		cmocka_unit_test(impossible_sizes_are_refused),
		cmocka_unit_test(every_single_failure_of_memory_is_survived),
		cmocka_unit_test(
		    pool_without_memory_says_so_and_goes_on_with_what_it_has),
	};

	alarm(TOO_LONG_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
