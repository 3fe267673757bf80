/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Type-stable tables: see table.h.
 */
#include "actors/table.h"

#include "sched/lock.h"

#include <string.h>

_Static_assert(TRI_CACHE_MAX == 2 * 64, "two batches fit into a cache");
_Static_assert(TRI_TABLE_STEP % TRI_CHUNK == 0, "whole chunks are committed");

enum {
	TABLE_MIN = 1 << 16,
	CACHE_BATCH = 64,
	POPULATE_MIN = 1024, /* elements; a whole number of pages */
	POPULATE_BYTES = 128 * 1024, /* more is out of the cache before use */
	STACK_PAGE = 1 << 14, /* indices: 64 KiB of the stack */
	TRIM_MIN = 4, /* whole chunks that are worth a pass */
	DISCARD_CHUNKS = 8, /* in one slice of trimming */
	PART_ALIGN = 64 * 1024, /* of the arrays: whole pages everywhere */
};

static size_t
chunks_bytes(const struct tri_table *t)
{
	return ((size_t)t->max + TRI_CHUNK - 1) / TRI_CHUNK * sizeof(*t->chunk);
}

/* Of a part of the table, with what is left free behind it. */
static size_t
part_bytes(size_t bytes)
{
	return (bytes + PART_ALIGN - 1) & ~((size_t)PART_ALIGN - 1);
}

static size_t
table_bytes(const struct tri_table *t)
{
	size_t bytes = part_bytes(sizeof(*t->freed) * t->max) +
	    part_bytes(chunks_bytes(t));
	unsigned i;

	for (i = 0; i < TRI_TABLE_ARRAYS; i++)
		bytes += part_bytes(t->size[i] * t->max);
	return bytes;
}

static void
table_lay_out(struct tri_table *t)
{
	char *at = t->space;
	unsigned i;

	for (i = 0; i < TRI_TABLE_ARRAYS; i++) {
		t->array[i] = at;
		at += part_bytes(t->size[i] * t->max);
	}
	t->freed = (uint32_t *)(void *)at;
	at += part_bytes(sizeof(*t->freed) * t->max);
	t->chunk = (struct tri_chunk *)(void *)at;
}

/* In one piece: giving one back interrupts all cores that have had its pages. */
static bool
table_reserve(struct tri_table *t)
{
	t->bytes = table_bytes(t);
	t->space = t->env->reserve(t->env, t->bytes);
	if (t->space == NULL)
		return false;
	table_lay_out(t);
	return t->env->commit(t->env, t->chunk, chunks_bytes(t));
}

static void
table_release(struct tri_table *t)
{
	if (t->space != NULL)
		t->env->release(t->env, t->space, t->bytes);
	t->space = NULL;
}

bool
tri_table_init(struct tri_table *t, struct tri_env *env, uint32_t max,
    unsigned users, const size_t *sizes, unsigned arrays)
{
	memset(t, 0, sizeof(*t));
	TR_ASSERT(arrays <= TRI_TABLE_ARRAYS);
	t->env = env;
	t->max = max;
	memcpy(t->size, sizes, arrays * sizeof(*sizes));
	tri_lock_init(&t->lock);
	t->discard = TRI_CHUNK_NONE;
	t->fresh = TRI_CHUNK_NONE;
	while (!table_reserve(t)) {
		table_release(t);
		if (t->max / 2 < TABLE_MIN)
			return false;
		t->max /= 2;
	}
	/* Small tables: no cache shall hold most of what there is. */
	t->batch = t->max / (8 * users);
	if (t->batch > CACHE_BATCH)
		t->batch = CACHE_BATCH;
	if (t->batch == 0)
		t->batch = 1;
	t->keep = t->batch * 2;
	return true;
}

void
tri_table_fini(struct tri_table *t)
{
	if (t->env != NULL)
		table_release(t);
	t->env = NULL;
}

/* Under the lock: memory for indices up to `limit`. */
static bool
table_commit(struct tri_table *t, uint32_t limit)
{
	uint32_t n;
	unsigned i;

	if (limit <= t->committed)
		return true;
	n = t->max - t->committed;
	if (n > TRI_TABLE_STEP)
		n = TRI_TABLE_STEP;
	for (i = 0; i < TRI_TABLE_ARRAYS; i++)
		if (t->size[i] != 0 &&
		    !t->env->commit(t->env, tri_table_at(t, i, t->committed),
			t->size[i] * n))
			return false;
	if (!t->env->commit(t->env, t->freed + t->committed,
		sizeof(*t->freed) * n))
		return false;
	t->committed += n;
	return true;
}

/*
 * Under the lock: have the first array's pages faulted in some way ahead, an
 * eighth of what is used: many at a time cost a fraction of one by one.  But no
 * more than stays in the cache until it is used, zeroed as it is.
 */
static void
table_populate(struct tri_table *t, uint32_t limit)
{
	uint32_t n = limit / 8;

	if (limit <= t->populated || n < POPULATE_MIN)
		return;
	if (n > POPULATE_BYTES / t->size[0])
		n = (uint32_t)(POPULATE_BYTES / t->size[0]);
	n &= ~(uint32_t)(POPULATE_MIN - 1);
	if (n == 0)
		n = POPULATE_MIN;
	if (t->populated < limit - limit % POPULATE_MIN)
		t->populated = limit - limit % POPULATE_MIN;
	if (n > t->committed - t->populated)
		n = t->committed - t->populated;
	t->env->memory.populate(t->env->memory.ctx,
	    tri_table_at(t, 0, t->populated), t->size[0] * n);
	t->populated += n;
}

/* Under the lock: indices never used before, lowest on top. */
static bool
table_fresh(struct tri_table *t, struct tri_cache *c)
{
	uint32_t limit = tri_load_relaxed(&t->limit), n = t->batch, i;

	if (limit == t->max)
		return false;
	if (n > t->max - limit)
		n = t->max - limit;
	if (limit / TRI_TABLE_STEP != (limit + n - 1) / TRI_TABLE_STEP)
		n = TRI_TABLE_STEP - limit % TRI_TABLE_STEP;
	if (!table_commit(t, limit + n))
		return false;
	table_populate(t, limit + n);
	for (i = 0; i < n; i++)
		c->index[i] = limit + n - 1 - i;
	c->n = n;
	/* rel: who sees an index below the limit sees committed memory. */
	tri_store_release(&t->limit, limit + n);
	return true;
}

/* Under the lock: an index came onto the stack, or left it. */
static void
chunk_gain(struct tri_table *t, uint32_t index)
{
	if (++t->chunk[index / TRI_CHUNK].free == TRI_CHUNK)
		t->whole++;
}

static void
chunk_lose(struct tri_table *t, uint32_t index)
{
	if (t->chunk[index / TRI_CHUNK].free-- == TRI_CHUNK)
		t->whole--;
}

/* Under the lock: a chunk from a list, or TRI_CHUNK_NONE. */
static int32_t
chunk_take(struct tri_table *t, int32_t *list)
{
	int32_t k = *list;

	if (k != TRI_CHUNK_NONE)
		*list = t->chunk[k].next;
	return k;
}

static void
chunk_put(struct tri_table *t, int32_t *list, int32_t k)
{
	t->chunk[k].next = *list;
	*list = k;
}

/* Under the lock: the stack is empty; put a chunk back onto it. */
static void
table_take_chunk(struct tri_table *t)
{
	int32_t k = chunk_take(t, &t->fresh);
	uint32_t i;

	if (k == TRI_CHUNK_NONE)
		k = chunk_take(t, &t->discard);
	if (k == TRI_CHUNK_NONE)
		return;
	for (i = TRI_CHUNK; i-- > 0; t->n_freed++)
		t->freed[t->n_freed] = (uint32_t)k * TRI_CHUNK + i;
	t->chunk[k].free = TRI_CHUNK;
	t->whole++;
}

bool
tri_table_refill(struct tri_table *t, struct tri_cache *c)
{
	uint32_t n, i;
	bool some = true;

	tri_lock(t->env, &t->lock);
	if (t->n_freed == 0)
		table_take_chunk(t);
	n = t->n_freed < t->batch ? t->n_freed : t->batch;
	if (n > 0) {
		t->n_freed -= n;
		memcpy(c->index, t->freed + t->n_freed, n * sizeof(*t->freed));
		c->n = n;
		for (i = 0; i < n; i++)
			chunk_lose(t, c->index[i]);
	} else {
		some = table_fresh(t, c);
	}
	tri_unlock(&t->lock);
	for (i = 0; i < TRI_CACHE_AHEAD && i < c->n; i++)
		tri_fetch_to_write(tri_table_at(t, 0, c->index[c->n - 1 - i]));
	return some;
}

/* Under the lock: the oldest n go back: the newest are warm. */
static void
table_take_back(struct tri_table *t, struct tri_cache *c, uint32_t n)
{
	uint32_t i;

	memcpy(t->freed + t->n_freed, c->index, n * sizeof(*t->freed));
	t->n_freed += n;
	for (i = 0; i < n; i++)
		chunk_gain(t, c->index[i]);
	c->n -= n;
	memmove(c->index, c->index + n, c->n * sizeof(*c->index));
}

void
tri_table_flush(struct tri_table *t, struct tri_cache *c)
{
	tri_lock(t->env, &t->lock);
	table_take_back(t, c, c->n - c->n / 2);
	tri_unlock(&t->lock);
}

void
tri_table_give_back(struct tri_table *t, struct tri_cache *c)
{
	/* It is not urgent: if somebody has the lock, another time. */
	if (c->n == 0 || !tri_trylock(&t->lock))
		return;
	table_take_back(t, c, c->n);
	tri_unlock(&t->lock);
}

/* ----------------------------------------------------------- trimming --- */

/* Under the lock: what lies above the stack, and what was faulted in ahead. */
static void
table_discard_unused(struct tri_table *t)
{
	uint32_t from = (t->n_freed + STACK_PAGE - 1) / STACK_PAGE * STACK_PAGE;
	uint32_t limit = tri_load_relaxed(&t->limit);

	if (from < t->committed)
		t->env->discard(t->env, t->freed + from,
		    sizeof(*t->freed) * (t->committed - from));
	limit = (limit + POPULATE_MIN - 1) / POPULATE_MIN * POPULATE_MIN;
	if (limit < t->populated) {
		t->env->discard(t->env, tri_table_at(t, 0, limit),
		    t->size[0] * (t->populated - limit));
		t->populated = limit;
	}
}

/*
 * Under the lock: the indices of whole chunks leave the stack, in one pass over
 * it.  It is only worth it if many do.
 */
static void
table_claim(struct tri_table *t)
{
	uint32_t i, n = 0, limit = tri_load_relaxed(&t->limit);

	if (t->whole < TRIM_MIN || t->whole < t->n_freed / TRI_CHUNK / 8)
		return;
	for (i = 0; i < t->n_freed; i++)
		if (t->chunk[t->freed[i] / TRI_CHUNK].free != TRI_CHUNK)
			t->freed[n++] = t->freed[i];
	t->n_freed = n;
	for (i = 0; i < limit / TRI_CHUNK; i++) {
		if (t->chunk[i].free != TRI_CHUNK)
			continue;
		t->chunk[i].free = 0;
		chunk_put(t, &t->discard, (int32_t)i);
	}
	t->whole = 0;
	table_discard_unused(t);
}

/* Of a chunk that nobody else has: its generations, then its pages. */
static void
table_discard(struct tri_table *t, uint32_t k)
{
	uint32_t from = k * TRI_CHUNK, i, generation;

	for (i = 0; i < TRI_CHUNK; i++) {
		generation = t->generation(tri_table_at(t, 0, from + i));
		if (generation > t->chunk[k].floor)
			t->chunk[k].floor = generation;
	}
	for (i = 0; i < t->discards; i++)
		if (t->size[i] != 0)
			t->env->discard(t->env, tri_table_at(t, i, from),
			    t->size[i] * TRI_CHUNK);
}

bool
tri_table_trim(struct tri_table *t)
{
	int32_t k = TRI_CHUNK_NONE;
	unsigned n;

	if (t->generation == NULL)
		return false;
	for (n = 0; n < DISCARD_CHUNKS; n++) {
		tri_lock(t->env, &t->lock);
		if (k != TRI_CHUNK_NONE)
			chunk_put(t, &t->fresh, k);
		if (t->discard == TRI_CHUNK_NONE)
			table_claim(t);
		k = chunk_take(t, &t->discard);
		tri_unlock(&t->lock);
		if (k == TRI_CHUNK_NONE)
			return false;
		table_discard(t, (uint32_t)k);
	}
	tri_lock(t->env, &t->lock);
	chunk_put(t, &t->fresh, k);
	tri_unlock(&t->lock);
	return true;
}
