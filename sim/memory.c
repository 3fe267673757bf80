/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Simulated memory: the C library's, counted, and refused now and then.
 *
 * Two rings hold all blocks of a run: the simulated system's, which have to be
 * gone at the end, and the simulation's own.  After a failure both are freed as
 * they are.
 */
#include "sim/sim.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SPOILT = 4096 }; /* bytes of a block, at most */

static bool
memory_fails(struct tr_sim *sim, const char *purpose)
{
	if (sim->fail_next > 0) {
		sim->fail_next--;
		sim->result->faults++;
		return true;
	}
	return sim_strikes(sim, TR_FAULT_NOMEM, purpose);
}

/* Other bytes in each run, so that who reads what was never written makes two
 * runs of a seed differ. */
static void
memory_spoil(struct tr_sim *sim, void *p, size_t size)
{
	memset(p, sim->cache->runs % 2 == 0 ? 0xa5 : 0x3c,
	    size < SPOILT ? size : SPOILT);
}

static void *
block_new(struct sim_block *ring, size_t size)
{
	char *raw = aligned_alloc(TRI_LINE,
	    (size + (size_t)2 * TRI_LINE - 1) / TRI_LINE * TRI_LINE);
	struct sim_block *b = (struct sim_block *)(void *)raw;

	if (raw == NULL)
		return NULL;
	*b = (struct sim_block){ ring, ring->next, raw, size };
	b->next->prev = b;
	ring->next = b;
	return raw + TRI_LINE;
}

_Static_assert(sizeof(struct sim_block) <= TRI_LINE, "it fits before a block");

static void
block_free(void *p)
{
	struct sim_block *b =
	    (struct sim_block *)(void *)((char *)p - TRI_LINE);

	b->prev->next = b->next;
	b->next->prev = b->prev;
	free(b->raw);
}

static void *
memory_alloc(void *ctx, size_t size)
{
	struct tr_sim *sim = ctx;
	const char *purpose = sim->purpose;
	void *p;

	sim->purpose = NULL;
	if (memory_fails(sim, purpose != NULL ? purpose : "other"))
		return NULL;
	p = block_new(&sim->blocks, size);
	if (p == NULL)
		return NULL;
	memory_spoil(sim, p, size);
	sim->live++;
	return p;
}

static void
memory_free(void *ctx, void *p)
{
	struct tr_sim *sim = ctx;

	sim->live--;
	block_free(p);
}

void *
sim_own(struct tr_sim *sim, size_t size)
{
	void *p = block_new(&sim->own, size);

	if (p == NULL)
		abort(); /* the machine's memory, not the simulated one */
	memset(p, 0, size);
	return p;
}

void
sim_own_free(struct tr_sim *sim, void *p)
{
	(void)sim;
	block_free(p);
}

static struct sim_range *
range_add(struct tr_sim *sim, void *p, size_t size)
{
	struct sim_range *r = malloc(sizeof(*r));

	if (r == NULL)
		abort(); /* the machine's memory */
	*r = (struct sim_range){ sim->ranges, p, size };
	sim->ranges = r;
	sim->live++;
	return r;
}

static void
range_remove(struct tr_sim *sim, void *p)
{
	struct sim_range **at = &sim->ranges, *r;

	while (*at != NULL && (*at)->p != p)
		at = &(*at)->next;
	r = *at;
	if (r == NULL)
		sim_fail(sim, "memory was released that was never reserved");
	*at = r->next;
	sim->live--;
	free(r);
}

static void *
memory_slab_new(void *ctx, size_t size)
{
	struct tr_sim *sim = ctx;
	void *p;

	if (memory_fails(sim, "slab"))
		return NULL;
	p = sim->cache->n > 0 ? sim->cache->slab[--sim->cache->n] :
				aligned_alloc(size, size);
	if (p == NULL)
		return NULL;
	memory_spoil(sim, p, size);
	(void)range_add(sim, p, 0);
	return p;
}

/* Kept for a later run, or given back.  After a failed run its pool was not
 * asked, so it is as poisoned as it was. */
static void
slab_put(struct tr_sim *sim, void *slab)
{
	tri_unpoison(slab, TRI_SLAB_BYTES);
	if (sim->cache->n < SIM_SLABS)
		sim->cache->slab[sim->cache->n++] = slab;
	else
		free(slab);
}

static void
memory_slab_free(void *ctx, void *slab, size_t size)
{
	(void)size;
	range_remove(ctx, slab);
	slab_put(ctx, slab);
}

static void
memory_populate(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)p;
	(void)size;
}

static void *
memory_reserve(struct tri_env *env, size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	(void)range_add(sim_of_env(env), p, size);
	return p;
}

static bool
memory_commit(struct tri_env *env, void *p, size_t size)
{
	(void)p;
	(void)size;
	return !memory_fails(sim_of_env(env), "table");
}

static void
memory_release(struct tri_env *env, void *p, size_t size)
{
	range_remove(sim_of_env(env), p);
	munmap(p, size);
}

static void
memory_discard(struct tri_env *env, void *p, size_t size)
{
	size_t rest = (size_t)sysconf(_SC_PAGESIZE) - 1;

	(void)env;
	if (((uintptr_t)p & rest) == 0 && (size & rest) == 0)
		(void)madvise(p, size, MADV_DONTNEED);
}

/* ---------------------------------------------------------- all of it --- */

void
sim_memory_init(struct tr_sim *sim)
{
	struct tri_env *env = &sim->env;

	sim->blocks.next = sim->blocks.prev = &sim->blocks;
	sim->own.next = sim->own.prev = &sim->own;
	env->memory = (struct tri_memory){
		.slab_new = memory_slab_new,
		.slab_free = memory_slab_free,
		.populate = memory_populate,
		.alloc = memory_alloc,
		.free = memory_free,
		.ctx = sim,
		.free_late = memory_free,
		.late_ctx = sim,
		.purpose = &sim->purpose,
	};
	env->reserve = memory_reserve;
	env->commit = memory_commit;
	env->release = memory_release;
	env->discard = memory_discard;
}

static void
ring_free(struct sim_block *ring)
{
	struct sim_block *b = ring->next;

	while (b != ring) {
		struct sim_block *next = b->next;

		free(b->raw);
		b = next;
	}
	ring->next = ring->prev = ring;
}

/* What a failed run left behind. */
void
sim_memory_fini(struct tr_sim *sim)
{
	struct sim_range *r, *next;

	ring_free(&sim->blocks);
	ring_free(&sim->own);
	for (r = sim->ranges; r != NULL; r = next) {
		next = r->next;
		if (r->size == 0)
			slab_put(sim, r->p);
		else
			munmap(r->p, r->size);
		free(r);
	}
	sim->ranges = NULL;
}

void
sim_cache_fini(struct sim_cache *cache)
{
	while (cache->n > 0)
		free(cache->slab[--cache->n]);
}
