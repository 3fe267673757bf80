/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pools of message blocks: see pool.h for the structure.
 *
 * The free list is last-in first-out, so the block used next is the one still
 * in the cache; touching fresh memory costs more than a whole message.  The
 * idea of sending blocks home in batches is Pony's and snmalloc's ("snmalloc:
 * a message passing allocator", ISMM 2019, section 3).
 */
#include "mailbox/pool.h"

#include <string.h>

_Static_assert(sizeof(struct tri_slab) <= TRI_SLAB_HEAD,
    "no head reaches into the blocks");

/* Before a large block: whose it is, and its place in that pool's list. */
struct tri_large {
	struct tri_pool *pool;
	size_t bytes;
	struct tri_large *prev;
	struct tri_large *next;
};

_Static_assert(sizeof(struct tri_large) == 32, "blocks are aligned to 32");

/* Fresh memory is carved in runs: who needs one block needs more, and gets those the
 * quick way.  A page: no other is touched for that. */
enum { CARVE_BYTES = 4096 };

CK_STACK_CONTAINER(struct tri_block, batch, block_of_batch)

struct tri_pool *
tri_pool_of(const struct tr_msg *m)
{
	if (m->size_class == TRI_CLASS_LARGE)
		return ((const struct tri_large *)(const void *)m - 1)->pool;
	return tri_slab_of(m)->owner;
}

bool
tri_pool_init(struct tri_pool *pool, const struct tri_memory *memory,
    void *owner, unsigned index, unsigned pools)
{
	size_t bytes = (size_t)pools * TRI_CLASSES * sizeof(*pool->out);

	memset(pool, 0, sizeof(*pool));
	pool->memory = memory;
	pool->owner = owner;
	pool->index = index;
	ck_stack_init(&pool->returned);
	ck_spinlock_init(&pool->large_lock);
	pool->out = memory->alloc(memory->ctx, bytes);
	if (pool->out == NULL)
		return false;
	memset(pool->out, 0, bytes);
	return true;
}

void
tri_pool_fini(struct tri_pool *pool)
{
	const struct tri_memory *memory = pool->memory;
	unsigned c;

	if (memory == NULL)
		return;
	for (c = 0; c < TRI_CLASSES; c++) {
		struct tri_slab *s = pool->classes[c].slabs;

		while (s != NULL) {
			struct tri_slab *next = s->next;

			tri_unpoison(s, TRI_SLAB_BYTES);
			memory->slab_free(memory->ctx, s, TRI_SLAB_BYTES);
			s = next;
		}
	}
	/* What somebody took and forgot. */
	while (pool->large != NULL) {
		struct tri_large *next = pool->large->next;

		memory->free(memory->ctx, pool->large);
		pool->large = next;
	}
	if (pool->out != NULL)
		memory->free(memory->ctx, pool->out);
	memset(pool, 0, sizeof(*pool));
}

/* Blocks that came home, to their classes' lists of batches. */
static void
pool_collect(struct tri_pool *pool)
{
	ck_stack_entry_t *e;

	if (tri_stack_is_empty(&pool->returned))
		return;
	e = ck_stack_batch_pop_upmc(&pool->returned);
	while (e != NULL) {
		ck_stack_entry_t *next = CK_STACK_NEXT(e);
		struct tri_block *b = block_of_batch(e);
		unsigned c = ((struct tr_msg *)(void *)b)->size_class;

		TR_DASSERT(c < TRI_CLASSES);
		b->batch.next = pool->classes[c].batches == NULL ?
		    NULL :
		    &pool->classes[c].batches->batch;
		pool->classes[c].batches = b;
		e = next;
	}
}

static struct tri_block *
class_take_batch(struct tri_pool_class *c)
{
	struct tri_block *b = c->batches;

	if (b != NULL)
		c->batches = b->batch.next == NULL ?
		    NULL :
		    block_of_batch(b->batch.next);
	return b;
}

static void
class_unlink_sorted(struct tri_pool_class *c, struct tri_slab *s)
{
	if (s->prev_sorted != NULL)
		s->prev_sorted->next_sorted = s->next_sorted;
	else
		c->sorted = s->next_sorted;
	if (s->next_sorted != NULL)
		s->next_sorted->prev_sorted = s->prev_sorted;
	s->local = NULL;
	s->sorted = 0;
}

static struct tri_block *
class_take_sorted(struct tri_pool_class *c)
{
	struct tri_slab *s = c->sorted;
	struct tri_block *b;

	if (s == NULL)
		return NULL;
	b = s->local;
	class_unlink_sorted(c, s);
	return b;
}

/* Fresh blocks, in the order of their addresses; there is room for one. */
static struct tri_block *
class_carve(struct tri_pool_class *c, unsigned size_class)
{
	size_t bytes = tri_class_bytes(size_class);
	size_t left = (size_t)(c->bump_end - c->bump);
	struct tri_block *list = NULL;
	char *p;

	if (left > CARVE_BYTES)
		left = bytes < CARVE_BYTES ? CARVE_BYTES : bytes;
	tri_slab_of(c->bump)->carved += (uint32_t)(left / bytes);
	for (p = c->bump + left; p > c->bump;) {
		struct tri_block *b;

		p -= bytes;
		b = (struct tri_block *)(void *)p;
		((struct tr_msg *)(void *)p)->size_class = (uint8_t)size_class;
		tri_block_poison(p, size_class);
		tri_block_link(b, list);
		list = b;
	}
	c->bump += left;
	return list;
}

static bool
class_grow(struct tri_pool *pool, unsigned size_class)
{
	struct tri_pool_class *c = &pool->classes[size_class];
	struct tri_slab *s;
	size_t bytes = tri_class_bytes(size_class);

	s = pool->memory->slab_new(pool->memory->ctx, TRI_SLAB_BYTES);
	if (s == NULL)
		return false;
	/* The second slab of a class is the sign of a backlog; one page fault
	 * at a time costs more than all that is done with the messages. */
	if (c->slabs != NULL)
		pool->memory->populate(pool->memory->ctx, s, TRI_SLAB_BYTES);
	memset(s, 0, sizeof(*s));
	s->owner = pool;
	s->quick = pool->counted ? NULL : pool;
	s->size_class = size_class;
	s->next = c->slabs;
	if (c->slabs != NULL)
		c->slabs->prev = s;
	c->slabs = s;
	c->bump = (char *)s + TRI_SLAB_HEAD;
	c->bump_end =
	    c->bump + (TRI_SLAB_BYTES - TRI_SLAB_HEAD) / bytes * bytes;
	tri_count(&pool->bytes, (uint64_t)TRI_SLAB_BYTES);
	return true;
}

static void
pool_count(struct tri_pool *pool, size_t bytes)
{
	if (pool->counted)
		tri_count(&pool->live, (uint64_t)bytes);
}

/* The list of what is free at once. */
static struct tri_block **
class_list(struct tri_pool *pool, struct tri_pool_class *c)
{
	return pool->counted ? &c->kept : &c->free;
}

static void *
pool_find(struct tri_pool *pool, unsigned size_class)
{
	struct tri_pool_class *c = &pool->classes[size_class];
	struct tri_block *b;

	b = c->kept;
	if (b == NULL) {
		pool_collect(pool);
		b = class_take_batch(c);
	}
	if (b == NULL)
		b = class_take_sorted(c);
	if (b == NULL) {
		if (c->bump == c->bump_end && !class_grow(pool, size_class))
			return NULL;
		b = class_carve(c, size_class);
	}
	*class_list(pool, c) = b->next;
	return b;
}

void *
tri_pool_alloc_slow(struct tri_pool *pool, unsigned size_class)
{
	void *block = pool_find(pool, size_class);

	if (block == NULL)
		return NULL;
	pool_count(pool, tri_class_bytes(size_class));
	tri_block_unpoison(block, size_class);
	return block;
}

static void
out_send(struct tri_pool *pool, struct tri_pool_out *out)
{
	struct tri_block *first = out->first;

	tri_count(&pool->far, (uint64_t)out->count);

	out->last->next = NULL;
	out->first = NULL;
	out->count = 0;
	ck_stack_push_upmc(&out->owner->returned, &first->batch);
}

/* Blocks of a class that go home together. */
static uint32_t
out_most(unsigned size_class)
{
	uint32_t most = TRI_RETURN_BYTES >> (5 + size_class);

	return most < TRI_RETURN_BLOCKS ? most : TRI_RETURN_BLOCKS;
}

static void
out_begin(struct tri_pool *pool, struct tri_pool_out *out, struct tri_block *b,
    struct tri_pool *owner)
{
	out->last = b;
	if (out->dirty)
		return;
	out->dirty = true;
	out->owner = owner;
	out->next_dirty = pool->dirty;
	pool->dirty = out;
}

/* Hand home a block that another pool owns. */
static void
pool_free_far(struct tri_pool *pool, struct tri_block *b,
    struct tri_pool *owner, unsigned c)
{
	struct tri_pool_out *out = &pool->out[owner->index * TRI_CLASSES + c];
	struct tri_block **recent = &out->recent[out->count % TRI_RETURN_AHEAD];

	b->next = out->first;
	b->ahead = *recent;
	*recent = b;
	out->first = b;
	if (TRI_UNLIKELY(out->count++ == 0))
		out_begin(pool, out, b, owner);
	if (TRI_UNLIKELY(out->count >= out_most(c)))
		out_send(pool, out);
}

void
tri_pool_free_slow(struct tri_pool *pool, struct tri_block *b,
    unsigned size_class)
{
	struct tri_pool *owner = tri_slab_of(b)->owner;
	struct tri_pool_class *c = &pool->classes[size_class];

	pool_count(pool, 0 - tri_class_bytes(size_class));
	if (owner != pool) {
		pool_free_far(pool, b, owner, size_class);
		return;
	}
	tri_block_link(b, c->kept);
	c->kept = b;
}

void
tri_pool_flush(struct tri_pool *pool)
{
	struct tri_pool_out *out = pool->dirty;

	pool->dirty = NULL;
	while (out != NULL) {
		struct tri_pool_out *next = out->next_dirty;

		out->dirty = false;
		if (out->first != NULL)
			out_send(pool, out);
		out = next;
	}
}

static void
slab_release(struct tri_pool *pool, struct tri_slab *s)
{
	struct tri_pool_class *c = &pool->classes[s->size_class];

	class_unlink_sorted(c, s);
	if (s->prev != NULL)
		s->prev->next = s->next;
	else
		c->slabs = s->next;
	if (s->next != NULL)
		s->next->prev = s->prev;
	if (c->bump != NULL && tri_slab_of(c->bump - 1) == s)
		c->bump = c->bump_end = NULL;
	tri_count(&pool->bytes, (uint64_t)0 - TRI_SLAB_BYTES);
	tri_unpoison(s, TRI_SLAB_BYTES);
	pool->memory->slab_free(pool->memory->ctx, s, TRI_SLAB_BYTES);
}

static void
slab_sort(struct tri_pool *pool, struct tri_block *b)
{
	struct tri_slab *s = tri_slab_of(b);
	struct tri_pool_class *c = &pool->classes[s->size_class];

	if (s->local == NULL) {
		s->prev_sorted = NULL;
		s->next_sorted = c->sorted;
		if (c->sorted != NULL)
			c->sorted->prev_sorted = s;
		c->sorted = s;
	}
	b->next = s->local;
	s->local = b;
	if (++s->sorted == s->carved)
		slab_release(pool, s);
}

bool
tri_pool_trim(struct tri_pool *pool, unsigned blocks)
{
	pool_collect(pool);
	for (; pool->trim_class < TRI_CLASSES; pool->trim_class++) {
		struct tri_pool_class *c = &pool->classes[pool->trim_class];

		for (; blocks > 0; blocks--) {
			struct tri_block **list = class_list(pool, c);
			struct tri_block *b = *list;

			if (b == NULL)
				b = class_take_batch(c);
			if (b == NULL)
				break;
			*list = b->next;
			slab_sort(pool, b);
		}
		if (blocks == 0)
			return true;
	}
	pool->trim_class = 0;
	return false;
}

void *
tri_pool_alloc_large(struct tri_pool *pool, size_t bytes)
{
	struct tri_large *l;

	if (bytes > SIZE_MAX - sizeof(*l))
		return NULL;
	l = tri_memory_alloc(pool->memory, bytes + sizeof(*l), "large block");
	if (l == NULL)
		return NULL;
	l->pool = pool;
	l->bytes = bytes;
	pool_count(pool, bytes);
	l->prev = NULL;
	ck_spinlock_lock(&pool->large_lock);
	l->next = pool->large;
	if (l->next != NULL)
		l->next->prev = l;
	pool->large = l;
	ck_spinlock_unlock(&pool->large_lock);
	return l + 1;
}

void
tri_pool_forget_large(struct tri_pool *pool, void *block)
{
	pool_count(pool, 0 - ((struct tri_large *)block - 1)->bytes);
}

void
tri_pool_free_large(void *block)
{
	struct tri_large *l = (struct tri_large *)block - 1;

	ck_spinlock_lock(&l->pool->large_lock);
	if (l->prev != NULL)
		l->prev->next = l->next;
	else
		l->pool->large = l->next;
	if (l->next != NULL)
		l->next->prev = l->prev;
	ck_spinlock_unlock(&l->pool->large_lock);
	l->pool->memory->free(l->pool->memory->ctx, l);
}
