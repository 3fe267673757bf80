/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Type-stable tables: see table.h.
 */
#include "actors/table.h"

#include "sched/lock.h"

#include <string.h>

_Static_assert(TRI_CACHE_MAX == 2 * 64, "two batches fit into a cache");

enum {
	TABLE_MIN = 1 << 16,
	CACHE_BATCH = 64,
	POPULATE_MIN = 1024, /* elements; a whole number of pages */
};

static bool
table_reserve(struct tri_table *t)
{
	unsigned i;

	for (i = 0; i < TRI_TABLE_ARRAYS; i++) {
		if (t->size[i] == 0)
			continue;
		t->array[i] = t->env->reserve(t->env, t->size[i] * t->max);
		if (t->array[i] == NULL)
			return false;
	}
	t->freed = t->env->reserve(t->env, sizeof(*t->freed) * t->max);
	return t->freed != NULL;
}

static void
table_release(struct tri_table *t)
{
	unsigned i;

	for (i = 0; i < TRI_TABLE_ARRAYS; i++) {
		if (t->array[i] != NULL)
			t->env->release(t->env, t->array[i],
			    t->size[i] * t->max);
		t->array[i] = NULL;
	}
	if (t->freed != NULL)
		t->env->release(t->env, t->freed, sizeof(*t->freed) * t->max);
	t->freed = NULL;
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
	ck_spinlock_init(&t->lock);
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
 * eighth of what is used: many at a time cost a fraction of one by one.
 */
static void
table_populate(struct tri_table *t, uint32_t limit)
{
	uint32_t n = limit / 8;

	if (limit <= t->populated || n < POPULATE_MIN)
		return;
	n &= ~(uint32_t)(POPULATE_MIN - 1);
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

bool
tri_table_refill(struct tri_table *t, struct tri_cache *c)
{
	uint32_t n;
	bool some = true;

	tri_lock(t->env, &t->lock);
	n = t->n_freed < t->batch ? t->n_freed : t->batch;
	if (n > 0) {
		t->n_freed -= n;
		memcpy(c->index, t->freed + t->n_freed, n * sizeof(*t->freed));
		c->n = n;
	} else {
		some = table_fresh(t, c);
	}
	tri_unlock(&t->lock);
	return some;
}

/* Under the lock: the oldest n go back: the newest are warm. */
static void
table_take_back(struct tri_table *t, struct tri_cache *c, uint32_t n)
{
	memcpy(t->freed + t->n_freed, c->index, n * sizeof(*t->freed));
	t->n_freed += n;
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
	if (c->n == 0 || !ck_spinlock_trylock(&t->lock))
		return;
	table_take_back(t, c, c->n);
	tri_unlock(&t->lock);
}
