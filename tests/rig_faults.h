/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rig_faults.h - a system whose world runs out of things.
 *
 * The system gets its memory from an allocator that counts, and the rest from
 * the real environment with some functions wrapped.  For each kind of thing
 * the test says which requests are refused, counted from 1: one of them, or
 * all from one on.  faults_over() asks whether all memory has come back.
 *
 * One rig at a time: it is static, because the wrapped functions get no
 * context but the environment.
 */
#ifndef TESTS_RIG_FAULTS_H
#define TESTS_RIG_FAULTS_H

#include <limits.h>

#include "actors/system.h"
#include "kit.h"

enum fault {
	FAULT_ALLOC, /* the allocator */
	FAULT_RESERVE, /* address space */
	FAULT_COMMIT, /* memory for a part of it */
	FAULT_THREAD,
	FAULT_LOOP,
	FAULT_KINDS
};

struct faults {
	atomic_ulong calls[FAULT_KINDS];
	atomic_ulong first[FAULT_KINDS]; /* refused; 0: none is */
	atomic_ulong last[FAULT_KINDS];
	atomic_size_t reserve_most; /* larger ones are refused; 0: none is */
	atomic_long live; /* blocks */
	atomic_ulong slabs; /* in all */
	atomic_ulong wrong; /* odd requests, strange pointers */
	struct tri_env real; /* what is wrapped */
};

/* Before each block, so that it is known when it comes back. */
struct fault_block {
	void *owner; /* the context it was asked for with */
	void *base;
	uint64_t magic;
};

#define FAULT_MAGIC UINT64_C(0x7ea5e1eac0ffee01)

static struct faults faults;

/* Count a request; true: it is refused. */
static inline bool
fault_hits(enum fault kind)
{
	unsigned long n = atomic_fetch_add(&faults.calls[kind], 1) + 1;
	unsigned long first = atomic_load(&faults.first[kind]);

	return first != 0 && n >= first && n <= atomic_load(&faults.last[kind]);
}

static inline void *
fault_alloc(void *ctx, size_t size, size_t align)
{
	struct fault_block *b;
	void *base = NULL;

	if (size == 0 || (align != TRI_LINE && align != TRI_SLAB_BYTES))
		atomic_fetch_add(&faults.wrong, 1);
	if (align == TRI_SLAB_BYTES)
		atomic_fetch_add(&faults.slabs, 1);
	if (fault_hits(FAULT_ALLOC) ||
	    posix_memalign(&base, align, size + align) != 0)
		return NULL;
	b = (struct fault_block *)(void *)((char *)base + align) - 1;
	*b = (struct fault_block){ ctx, base, FAULT_MAGIC };
	atomic_fetch_add(&faults.live, 1);
	memset(b + 1, 0xa5, size < 4096 ? size : 4096);
	return b + 1;
}

static inline void
fault_free(void *ctx, void *p)
{
	struct fault_block *b = (struct fault_block *)p - 1;

	if (p == NULL || b->magic != FAULT_MAGIC || b->owner != ctx) {
		atomic_fetch_add(&faults.wrong, 1);
		return;
	}
	b->magic = 0;
	atomic_fetch_sub(&faults.live, 1);
	free(b->base);
}

static inline void *
fault_reserve(struct tri_env *env, size_t size)
{
	size_t most = atomic_load(&faults.reserve_most);

	if (fault_hits(FAULT_RESERVE) || (most != 0 && size > most))
		return NULL;
	return faults.real.reserve(env, size);
}

static inline bool
fault_commit(struct tri_env *env, void *p, size_t size)
{
	return !fault_hits(FAULT_COMMIT) && faults.real.commit(env, p, size);
}

static inline int
fault_thread_start(struct tri_env *env, struct tri_thread **thread,
    void (*fn)(void *), void *arg, const char *name, int cpu)
{
	if (fault_hits(FAULT_THREAD))
		return -EAGAIN;
	return faults.real.thread_start(env, thread, fn, arg, name, cpu);
}

static inline struct tri_loop *
fault_loop_new(struct tri_env *env)
{
	return fault_hits(FAULT_LOOP) ? NULL : faults.real.loop_new(env);
}

/* Forget the run before. */
static inline void
faults_begin(void)
{
	memset(&faults, 0, sizeof(faults));
}

/* Refuse the requests of one kind from the `first`, for `n` of them. */
static inline void
faults_refuse(enum fault kind, unsigned long first, unsigned long n)
{
	atomic_store(&faults.last[kind],
	    n > ULONG_MAX - first ? ULONG_MAX : first + n - 1);
	atomic_store(&faults.first[kind], first);
}

/* From now on, or not any more. */
static inline void
faults_refuse_all(enum fault kind, bool refuse)
{
	if (refuse)
		faults_refuse(kind, atomic_load(&faults.calls[kind]) + 1,
		    ULONG_MAX);
	else
		atomic_store(&faults.first[kind], 0);
}

/* tr_system_new() in that world. */
static inline int
faults_system(struct tr_system **system, const struct tr_options *options)
{
	struct tr_allocator a = { fault_alloc, fault_free, &faults };
	struct tri_env *env = tri_env_real_with(&a);

	*system = NULL;
	memset(&a, 0xff, sizeof(a)); /* it was copied */
	if (env == NULL)
		return TR_ENOMEM;
	faults.real = *env;
	env->reserve = fault_reserve;
	env->commit = fault_commit;
	env->thread_start = fault_thread_start;
	env->loop_new = fault_loop_new;
	return tri_system_new(system, options, env);
}

/* One that is to be made. */
static inline struct tr_system *
faults_system_made(const struct tr_options *options)
{
	struct tr_system *sys;
	int rc = faults_system(&sys, options);

	if (rc != TR_OK || sys == NULL) {
		printf("no system: %d\n", rc);
		abort();
	}
	return sys;
}

/* The system is gone: so is all that it had. */
static inline void
faults_over(void)
{
	KIT_CHECK(atomic_load(&faults.live) == 0);
	KIT_CHECK(atomic_load(&faults.wrong) == 0);
}

#endif /* TESTS_RIG_FAULTS_H */
