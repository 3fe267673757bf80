/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pools of message blocks, one per worker and one for foreign threads.
 *
 * Blocks of a size class are carved from 256 KiB slabs; a slab belongs to one
 * pool and one class, and its header says which.  A pool is used by one thread
 * at a time (its worker; the foreign pool under its lock).  A block freed
 * elsewhere goes home: the freeing pool collects it by owner and class and
 * hands 512 blocks or 64 KiB, whichever is first, to the owner with one push.
 * That a batch is of one class lets the owner take it as it is, without
 * touching the blocks.  Blocks that are handed out one after the other had better
 * lie so, too, and each time they have been elsewhere the batches cut such runs
 * into shorter ones.
 *
 * Memory goes back in tri_pool_trim(): free blocks are sorted into their slabs
 * a few thousand at a time, and a slab that has all of its own is released.
 * What has been sorted stays usable, so trimming can stop at any point.
 *
 * Payloads too large for the classes come straight from the allocator and go
 * back at once, from any thread.  They are kept in a list, so that those that
 * somebody took and forgot end with their pool, as all blocks do.
 */
#ifndef TROUPE_MAILBOX_POOL_H
#define TROUPE_MAILBOX_POOL_H

#include "mailbox/atomic.h"
#include "mailbox/ck.h"
#include "mailbox/message.h"
#include "mailbox/poison.h"

/* Where pools get their memory; all functions may be called by any thread. */
struct tri_memory {
	void *(*slab_new)(void *ctx, size_t size); /* aligned to its size */
	void (*slab_free)(void *ctx, void *slab, size_t size);
	/* It is going to be used whole and soon: fault it in at once, if that
	 * is possible. */
	void (*populate)(void *ctx, void *p, size_t size);
	void *(*alloc)(void *ctx, size_t size); /* aligned to 32 */
	void (*free)(void *ctx, void *p);
	void *ctx;
	/* What free() does, for memory that outlives the environment. */
	void (*free_late)(void *late_ctx, void *p);
	void *late_ctx;
	/* Where a simulation wants to be told what the next alloc() is for, so
	 * that it can refuse by purpose; NULL: nobody asks. */
	const char **purpose;
};

/* alloc(), for a purpose with a name. */
static inline void *
tri_memory_alloc(const struct tri_memory *memory, size_t size,
    const char *purpose)
{
	if (TRI_UNLIKELY(memory->purpose != NULL))
		*memory->purpose = purpose;
	return memory->alloc(memory->ctx, size);
}

enum {
	TRI_SLAB_BYTES = 256 * 1024,
	TRI_RETURN_BLOCKS = 512, /* a batch that goes home */
	TRI_RETURN_BYTES = 64 * 1024,
	TRI_RETURN_AHEAD = 8, /* places; a power of two */
	/* Before a slab's blocks.  So a block of a page is a page, and what is
	 * read or written there from one end to the other (pack.h) is fetched
	 * ahead all the way: the hardware does not go on into the next page. */
	TRI_SLAB_HEAD = 4096,
};

/* A free block.  Its size_class byte (struct tr_msg) stays valid; what follows
 * a message's header is poisoned while it is free. */
struct tri_block {
	ck_stack_entry_t batch; /* in a batch's first block: its place in the
	                         * owner's stack of returned batches */
	struct tri_block *next;
	struct tri_block *ahead; /* one some places on, to fetch early: it has
	                          * been in no cache for long, or in another
	                          * core's */
};

/* `b` comes before `next`, the first of a list on this thread. */
static inline void
tri_block_link(struct tri_block *b, struct tri_block *next)
{
	b->next = next;
	b->ahead = TRI_LIKELY(next != NULL) ? next->next : NULL;
}

struct tri_slab {
	struct tri_pool *owner;
	struct tri_pool *quick; /* the owner, unless it counts what is freed */
	unsigned size_class;
	uint32_t carved; /* blocks handed out of fresh memory */
	uint32_t sorted; /* blocks in `local` */
	struct tri_block *local;
	struct tri_slab *prev; /* in the class's list */
	struct tri_slab *next;
	struct tri_slab *prev_sorted;
	struct tri_slab *next_sorted;
};

struct tri_pool_class {
	/* Found with a shift. */
	alignas(TRI_LINE) struct tri_block *free;
	struct tri_block *kept; /* what is free, where it is counted */
	struct tri_block *batches; /* whole lists, linked by `batch` */
	char *bump; /* not yet carved */
	char *bump_end;
	struct tri_slab *slabs; /* all of this class */
	struct tri_slab *sorted; /* those with blocks sorted into them */
};

/* Blocks on their way home to one owner, of one class. */
struct tri_pool_out {
	struct tri_block *first;
	struct tri_block *last;
	uint32_t count;
	bool dirty; /* in the pool's list of those */
	struct tri_block *recent[TRI_RETURN_AHEAD]; /* the last ones added */
	struct tri_pool_out *next_dirty;
	struct tri_pool *owner;
};

struct tri_large;

struct tri_pool {
	/* Its user only; the counts are read by anyone. */
	struct tri_pool_class classes[TRI_CLASSES];
	struct tri_pool_out *out; /* [owner * TRI_CLASSES + class] */
	struct tri_pool_out *dirty;
	const struct tri_memory *memory;
	void *owner; /* of the pools: the system */
	unsigned index; /* among the pools of the system */
	unsigned trim_class; /* where the trimming stopped */
	_Atomic uint64_t bytes; /* held; read by anyone */
	_Atomic uint64_t far; /* blocks of others it has sent home */
	/* Bytes of blocks handed out less those freed here, if that is counted:
	 * then no block goes the quick way.  Only the sum over all pools of an
	 * owner means something. */
	_Atomic uint64_t live;
	bool counted; /* set before its first use */

	/* Written by all pools. */
	alignas(TRI_LINE) ck_stack_t returned;
	ck_spinlock_t large_lock;
	struct tri_large *large; /* in use */
};

/* Set up one of `pools` pools of one owner.  false: no memory. */
bool tri_pool_init(struct tri_pool *pool, const struct tri_memory *memory,
    void *owner, unsigned index, unsigned pools);

/* Release all memory.  No block of any of the owner's pools is used any more,
 * freed or not. */
void tri_pool_fini(struct tri_pool *pool);

/* A fresh block after the quick ways failed.  NULL: no memory. */
void *tri_pool_alloc_slow(struct tri_pool *pool, unsigned size_class);

/* Free a block that another pool owns, or that is counted. */
void tri_pool_free_slow(struct tri_pool *pool, struct tri_block *block,
    unsigned size_class);

/* Hand home all that is collected. */
void tri_pool_flush(struct tri_pool *pool);

/* Sort up to `blocks` free blocks into slabs and release whole ones.  true:
 * call again. */
bool tri_pool_trim(struct tri_pool *pool, unsigned blocks);

/* Memory beyond the classes, or any size: 0 to the size_t limit. */
void *tri_pool_alloc_large(struct tri_pool *pool, size_t bytes);
/* First it is not counted any more, by the pool of the calling thread,
 * whichever it came from; then it is freed, by any thread. */
void tri_pool_forget_large(struct tri_pool *pool, void *block);
void tri_pool_free_large(void *block);

/* The pool a pooled or large message came from. */
struct tri_pool *tri_pool_of(const struct tr_msg *m);

/* Bytes of a class. */
static inline size_t
tri_class_bytes(unsigned size_class)
{
	return (size_t)32 << size_class;
}

/* The smallest class that holds `bytes`, or TRI_CLASS_LARGE. */
static inline unsigned
tri_class_of(size_t bytes)
{
	if (bytes <= 32)
		return 0;
	if (bytes > (size_t)32 << (TRI_CLASSES - 1))
		return TRI_CLASS_LARGE;
	return 64u - 5u - (unsigned)__builtin_clzll((uint64_t)bytes - 1);
}

/* The slab a pooled block lies in. */
static inline struct tri_slab *
tri_slab_of(const void *block)
{
	return (struct tri_slab *)((uintptr_t)block &
	    ~(uintptr_t)(TRI_SLAB_BYTES - 1));
}

static inline void
tri_block_poison(void *block, unsigned size_class)
{
	tri_poison((struct tr_msg *)block + 1,
	    tri_class_bytes(size_class) - sizeof(struct tr_msg));
}

static inline void
tri_block_unpoison(void *block, unsigned size_class)
{
	tri_unpoison((struct tr_msg *)block + 1,
	    tri_class_bytes(size_class) - sizeof(struct tr_msg));
}

/* A block that is free at once; NULL: there is none. */
static inline void *
tri_pool_take(struct tri_pool *pool, unsigned size_class)
{
	struct tri_pool_class *c = &pool->classes[size_class];
	struct tri_block *b = c->free;

	if (TRI_UNLIKELY(b == NULL))
		return NULL;
	c->free = b->next;
	__builtin_prefetch(b->ahead, 1);
	tri_block_unpoison(b, size_class);
	return b;
}

static inline void *
tri_pool_alloc(struct tri_pool *pool, unsigned size_class)
{
	void *block = tri_pool_take(pool, size_class);

	return TRI_LIKELY(block != NULL) ?
	    block :
	    tri_pool_alloc_slow(pool, size_class);
}

/* Free a block of a class (not a large one) on the thread that uses `pool`. */
static inline void
tri_pool_free(struct tri_pool *pool, void *block, unsigned size_class)
{
	struct tri_block *b = block;

	((struct tr_msg *)block)->size_class = (uint8_t)size_class;
	tri_block_poison(block, size_class);
	if (TRI_LIKELY(tri_slab_of(block)->quick == pool)) {
		tri_block_link(b, pool->classes[size_class].free);
		pool->classes[size_class].free = b;
	} else {
		tri_pool_free_slow(pool, b, size_class);
	}
}

#endif
