/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mailbox/pool.h, on a memory that counts what is out and can be told to fail
 * at its k-th call.
 *
 * Slabs come from aligned_alloc(), so AddressSanitizer sees a pool that
 * touches a slab it has released, or one end of a slab too many.  At the end
 * of a test all memory has come back (rig_end).
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mailbox/pool.h"
#include "scale.h"

enum {
	POOLS = 4,
	LARGEST = 1 << 28, /* what the memory refuses to give at once */
	TOO_LONG_S = 100,
};

/* ------------------------------------------------------------- memory ---- */

struct fake_memory {
	struct tri_memory ops;
	atomic_int slabs; /* out */
	atomic_int others; /* out */
	atomic_int populated;
	atomic_int calls; /* that want memory */
	int fail_at; /* the k-th of these; 0: none */
	bool fail_on; /* and all that follow it */
	atomic_int refused;
};

static bool
fake_fails(struct fake_memory *f)
{
	int call = atomic_fetch_add(&f->calls, 1) + 1;

	if (f->fail_at == 0 ||
	    (f->fail_on ? call < f->fail_at : call != f->fail_at))
		return false;
	atomic_fetch_add(&f->refused, 1);
	return true;
}

static void *
fake_slab_new(void *ctx, size_t size)
{
	struct fake_memory *f = ctx;
	void *p = fake_fails(f) ? NULL : aligned_alloc(size, size);

	if (p != NULL) {
		memset(p, 0xa5, size);
		atomic_fetch_add(&f->slabs, 1);
	}
	return p;
}

static void
fake_slab_free(void *ctx, void *slab, size_t size)
{
	struct fake_memory *f = ctx;

	memset(slab, 0x5a, size);
	free(slab);
	atomic_fetch_sub(&f->slabs, 1);
}

static void
fake_populate(void *ctx, void *p, size_t size)
{
	struct fake_memory *f = ctx;

	memset(p, 0xa5, size);
	atomic_fetch_add(&f->populated, 1);
}

static void *
fake_alloc(void *ctx, size_t size)
{
	struct fake_memory *f = ctx;
	void *p;

	if (fake_fails(f) || size > LARGEST)
		return NULL;
	p = aligned_alloc(32, (size + 31) / 32 * 32);
	if (p != NULL) {
		memset(p, 0xa5, size);
		atomic_fetch_add(&f->others, 1);
	}
	return p;
}

static void
fake_free(void *ctx, void *p)
{
	struct fake_memory *f = ctx;

	free(p);
	atomic_fetch_sub(&f->others, 1);
}

struct rig {
	struct fake_memory memory;
	struct tri_pool pool[POOLS];
};

static struct rig *
rig_new(void)
{
	struct rig *r = aligned_alloc(TRI_LINE,
	    (sizeof(*r) + TRI_LINE - 1) / TRI_LINE * TRI_LINE);

	assert_non_null(r);
	memset(r, 0, sizeof(*r));
	r->memory.ops = (struct tri_memory){
		.slab_new = fake_slab_new,
		.slab_free = fake_slab_free,
		.populate = fake_populate,
		.alloc = fake_alloc,
		.free = fake_free,
		.ctx = &r->memory,
	};
	return r;
}

static struct rig *
rig_begin(void)
{
	struct rig *r = rig_new();

	for (unsigned i = 0; i < POOLS; i++)
		assert_true(
		    tri_pool_init(&r->pool[i], &r->memory.ops, r, i, POOLS));
	return r;
}

static void
rig_end(struct rig *r)
{
	for (unsigned i = 0; i < POOLS; i++)
		tri_pool_fini(&r->pool[i]);
	assert_int_equal(r->memory.slabs, 0);
	assert_int_equal(r->memory.others, 0);
	free(r);
}

static uint64_t
held(struct tri_pool *pool)
{
	return atomic_load(&pool->bytes);
}

/* All that is free goes back. */
static void
trim_all(struct tri_pool *pool)
{
	while (tri_pool_trim(pool, 1000))
		continue;
}

/* A block whose bytes say which one it is; false: they do not any more. */
static void
paint(void *block, unsigned size_class, unsigned number)
{
	memset(block, (int)(number % 251), tri_class_bytes(size_class));
}

static bool
is_painted(const void *block, unsigned size_class, unsigned number)
{
	const unsigned char *p = block;
	size_t n = tri_class_bytes(size_class);

	return p[0] == number % 251 && memcmp(p, p + 1, n - 1) == 0;
}

static unsigned
blocks_of_slab(unsigned size_class)
{
	return (unsigned)((TRI_SLAB_BYTES - 128) / tri_class_bytes(size_class));
}

static void
alloc_all(struct tri_pool *pool, unsigned size_class, void **block, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		block[i] = tri_pool_alloc(pool, size_class);
		assert_non_null(block[i]);
		paint(block[i], size_class, i);
	}
}

static void
free_all(struct tri_pool *pool, unsigned size_class, void **block, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		tri_pool_free(pool, block[i], size_class);
}

static int
by_address(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t) * (void *const *)a;
	uintptr_t y = (uintptr_t) * (void *const *)b;

	return x < y ? -1 : x > y;
}

/* Whether two lists hold the same blocks.  Sorts them. */
static bool
same_blocks(void **a, void **b, unsigned n)
{
	qsort(a, n, sizeof(void *), by_address);
	qsort(b, n, sizeof(void *), by_address);
	return memcmp(a, b, n * sizeof(void *)) == 0;
}

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

static void
flush_sends_everything_home_to_everyone(void **unused)
{
	enum { N = 50 };
	struct rig *r = rig_begin();
	void *block[3][TRI_CLASSES][N], *again[N];
	struct tri_pool *far = &r->pool[3];

	(void)unused;
	for (int round = 0; round < 3; round++) {
		for (unsigned p = 0; p < 3; p++)
			for (unsigned c = 0; c < TRI_CLASSES; c++)
				alloc_all(&r->pool[p], c, block[p][c], c + 1);
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

	(void)unused;
	alloc_all(home, 0, block, N);
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

/* ------------------------------------------------------------- trimming -- */

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

/* ----------------------------------------------------- several threads --- */

enum {
	THREADS = 3,
	PRODUCED = TEST_SCALE(300000), /* by each */
	IN_FLIGHT = 20000, /* blocks on their way, at most */
};

struct parcel {
	struct tr_msg head; /* its link is the stack's */
	uint64_t check;
};

struct trader {
	struct traders *all;
	struct tri_pool *pool;
	unsigned index;
	ck_stack_t arrived; /* of parcels, by head.link */
	uint64_t seed;
	uint64_t received, wrong;
};

struct traders {
	struct trader trader[THREADS];
	atomic_int in_flight;
	atomic_int producing;
	atomic_int none; /* allocations that failed */
};

static void
trader_receive(struct trader *t)
{
	ck_stack_entry_t *e = ck_stack_batch_pop_upmc(&t->arrived);

	while (e != NULL) {
		struct parcel *p = (struct parcel *)(void *)e;
		unsigned c = p->head.size_class;

		e = CK_STACK_NEXT(e);
		t->wrong += p->check != ((uintptr_t)p ^ p->head.sender);
		t->received++;
		if (c == TRI_CLASS_LARGE)
			tri_pool_free_large(p);
		else
			tri_pool_free(t->pool, p, c);
		atomic_fetch_sub(&t->all->in_flight, 1);
	}
}

static void
trader_send(struct trader *t, uint64_t number)
{
	uint64_t z = t->seed = t->seed * UINT64_C(6364136223846793005) + 1;
	/* Small ones mostly; now and then one without a class. */
	unsigned c = (z >> 60) == 0 ? 1 + (unsigned)(z >> 50) % 6 : 1;
	struct trader *to = &t->all->trader[(z >> 40) % THREADS];
	struct parcel *p;

	if ((z >> 52) == 0)
		c = TRI_CLASS_LARGE;
	p = c == TRI_CLASS_LARGE ? tri_pool_alloc_large(t->pool, 70000) :
				   tri_pool_alloc(t->pool, c);
	if (p == NULL) {
		atomic_fetch_add(&t->all->none, 1);
		return;
	}
	p->head.sender = number * THREADS + t->index;
	p->head.size_class = (uint8_t)c;
	p->check = (uintptr_t)p ^ p->head.sender;
	atomic_fetch_add(&t->all->in_flight, 1);
	ck_stack_push_upmc(&to->arrived, (ck_stack_entry_t *)(void *)p);
}

static void *
trader_main(void *arg)
{
	struct trader *t = arg;

	for (uint64_t i = 0; i < PRODUCED; i++) {
		trader_send(t, i);
		if (i % 64 == 0)
			trader_receive(t);
		if (i % 1024 == 0) {
			tri_pool_flush(t->pool);
			(void)tri_pool_trim(t->pool, 100);
		}
		while (atomic_load(&t->all->in_flight) > IN_FLIGHT) {
			trader_receive(t);
			sched_yield();
		}
	}
	atomic_fetch_sub(&t->all->producing, 1);
	while (atomic_load(&t->all->producing) > 0 ||
	    atomic_load(&t->all->in_flight) > 0) {
		trader_receive(t);
		sched_yield();
	}
	tri_pool_flush(t->pool);
	return NULL;
}

static void
every_block_that_travels_comes_home(void **unused)
{
	struct rig *r = rig_begin();
	static struct traders all;
	pthread_t thread[THREADS];
	uint64_t received = 0;

	(void)unused;
	memset(&all, 0, sizeof(all));
	atomic_store(&all.producing, THREADS);
	for (unsigned i = 0; i < THREADS; i++) {
		all.trader[i] = (struct trader){ .all = &all,
			.index = i,
			.pool = &r->pool[i],
			.seed = i + 1 };
		ck_stack_init(&all.trader[i].arrived);
	}
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(0,
		    pthread_create(&thread[i], NULL, trader_main,
			&all.trader[i]));
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(0, pthread_join(thread[i], NULL));
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(all.trader[i].wrong, 0);
		received += all.trader[i].received;
		trim_all(&r->pool[i]);
		trim_all(&r->pool[i]);
		assert_int_equal(held(&r->pool[i]), 0);
	}
	assert_int_equal(all.none, 0);
	assert_int_equal(received, THREADS * PRODUCED);
	assert_int_equal(r->memory.slabs, 0);
	assert_int_equal(r->memory.others, POOLS);
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
		cmocka_unit_test(trim_gives_back_what_is_all_free),
		cmocka_unit_test(
		    trim_keeps_slabs_in_use_and_the_rest_of_them_usable),
		cmocka_unit_test(trim_finds_what_came_home_by_itself),
		cmocka_unit_test(trim_may_stop_anywhere_while_the_pool_is_used),
		cmocka_unit_test(trim_handles_no_more_blocks_than_it_is_told),
		cmocka_unit_test(large_blocks_come_and_go_at_any_size),
		cmocka_unit_test(impossible_sizes_are_refused),
		cmocka_unit_test(every_single_failure_of_memory_is_survived),
		cmocka_unit_test(
		    pool_without_memory_says_so_and_goes_on_with_what_it_has),
		cmocka_unit_test(every_block_that_travels_comes_home),
	};

	alarm(TOO_LONG_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
