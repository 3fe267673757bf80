/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rig_pool.h - pools on a memory that counts what is out and can be told to
 * fail at its k-th call.
 *
 * Slabs come from aligned_alloc(), so AddressSanitizer sees a pool that
 * touches a slab it has released, or one end of a slab too many.  At the end
 * of a test all memory has come back (rig_end).
 */
#ifndef TESTS_RIG_POOL_H
#define TESTS_RIG_POOL_H

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

static inline bool
fake_fails(struct fake_memory *f)
{
	int call = atomic_fetch_add(&f->calls, 1) + 1;

	if (f->fail_at == 0 ||
	    (f->fail_on ? call < f->fail_at : call != f->fail_at))
		return false;
	atomic_fetch_add(&f->refused, 1);
	return true;
}

static inline void *
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

static inline void
fake_slab_free(void *ctx, void *slab, size_t size)
{
	struct fake_memory *f = ctx;

	memset(slab, 0x5a, size);
	free(slab);
	atomic_fetch_sub(&f->slabs, 1);
}

static inline void
fake_populate(void *ctx, void *p, size_t size)
{
	struct fake_memory *f = ctx;

	memset(p, 0xa5, size);
	atomic_fetch_add(&f->populated, 1);
}

static inline void *
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

static inline void
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

static inline struct rig *
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

static inline struct rig *
rig_begin(void)
{
	struct rig *r = rig_new();

	for (unsigned i = 0; i < POOLS; i++)
		assert_true(
		    tri_pool_init(&r->pool[i], &r->memory.ops, r, i, POOLS));
	return r;
}

static inline void
rig_end(struct rig *r)
{
	for (unsigned i = 0; i < POOLS; i++)
		tri_pool_fini(&r->pool[i]);
	assert_int_equal(r->memory.slabs, 0);
	assert_int_equal(r->memory.others, 0);
	free(r);
}

static inline uint64_t
held(struct tri_pool *pool)
{
	return atomic_load(&pool->bytes);
}

/* All that is free goes back. */
static inline void
trim_all(struct tri_pool *pool)
{
	while (tri_pool_trim(pool, 1000))
		continue;
}

/* A block whose bytes say which one it is; false: they do not any more. */
static inline void
paint(void *block, unsigned size_class, unsigned number)
{
	memset(block, (int)(number % 251), tri_class_bytes(size_class));
}

static inline bool
is_painted(const void *block, unsigned size_class, unsigned number)
{
	const unsigned char *p = block;
	size_t n = tri_class_bytes(size_class);

	return p[0] == number % 251 && memcmp(p, p + 1, n - 1) == 0;
}

static inline unsigned
blocks_of_slab(unsigned size_class)
{
	return (unsigned)((TRI_SLAB_BYTES - TRI_SLAB_HEAD) /
	    tri_class_bytes(size_class));
}

static inline void
alloc_all(struct tri_pool *pool, unsigned size_class, void **block, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		block[i] = tri_pool_alloc(pool, size_class);
		assert_non_null(block[i]);
		paint(block[i], size_class, i);
	}
}

static inline void
free_all(struct tri_pool *pool, unsigned size_class, void **block, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		tri_pool_free(pool, block[i], size_class);
}

static inline int
by_address(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t) * (void *const *)a;
	uintptr_t y = (uintptr_t) * (void *const *)b;

	return x < y ? -1 : x > y;
}

/* Whether two lists hold the same blocks.  Sorts them. */
static inline bool
same_blocks(void **a, void **b, unsigned n)
{
	qsort(a, n, sizeof(void *), by_address);
	qsort(b, n, sizeof(void *), by_address);
	return memcmp(a, b, n * sizeof(void *)) == 0;
}

#endif /* TESTS_RIG_POOL_H */
