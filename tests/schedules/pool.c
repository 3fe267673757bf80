/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool.c - schedules of mailbox/pool.c: blocks that are allocated on one
 * thread, freed on another, and come home in batches.
 *
 * Large classes are used, so that a batch is two to four blocks and a slab
 * seven to fifteen.  The properties: no block is handed out twice, or changed
 * while it is out; afterwards all blocks are there, once each; the pools'
 * counts add up to nothing.
 */
#include "world.h"

#include <string.h>

#include "mailbox/pool.h"

enum {
	POOLS = 3,
	CLASS = 10, /* 32 KiB: seven in a slab, two in a batch */
	OTHER_CLASS = 9, /* 16 KiB: fifteen, four */
	STOCK = 24,
	MARKED = 64, /* bytes of a block that are its user's mark */
};

/*
 * What a thread does, a character each:
 *   a  allocate a block and put it into the stock; A: of the other class
 *   f  take a block from the stock and free it
 *   s  send home what is collected
 *   t  trim
 */
struct shape {
	const char *script[POOLS];
	unsigned before; /* blocks allocated from pool 0 beforehand */
};

struct stocked {
	char *block;
	unsigned size_class;
	unsigned from;
};

static struct {
	struct shape shape;
	struct tri_pool pool[POOLS];
	unsigned pools;
	struct stocked stock[STOCK];
	unsigned first, last;
	char *out[STOCK]; /* not free */
	unsigned outs;
	uint64_t history;
} rig;

/* --------------------------------------------------------------- blocks -- */

static void
out_add(char *block)
{
	for (unsigned i = 0; i < rig.outs; i++)
		if (rig.out[i] == block)
			sched_fail("a block is handed out twice");
	SCHED_CHECK(rig.outs < STOCK);
	rig.out[rig.outs++] = block;
	memset(block, 0xa5, MARKED);
}

static void
out_remove(char *block)
{
	unsigned i;

	for (i = 0; i < MARKED; i++)
		if ((unsigned char)block[i] != 0xa5)
			sched_fail("a block was changed while it was out");
	for (i = 0; i < rig.outs && rig.out[i] != block; i++)
		;
	SCHED_CHECK(i < rig.outs);
	rig.out[i] = rig.out[--rig.outs];
}

static void
allocate(unsigned thread, unsigned size_class)
{
	char *block = tri_pool_alloc(&rig.pool[thread], size_class);

	SCHED_CHECK(block != NULL);
	SCHED_CHECK(tri_slab_of(block)->owner == &rig.pool[thread]);
	SCHED_CHECK(tri_slab_of(block)->size_class == size_class);
	out_add(block);
	SCHED_CHECK(rig.last < STOCK);
	rig.history =
	    sched_mix(rig.history, (uint64_t)((uintptr_t)block / 4096 % 64));
	rig.stock[rig.last++] = (struct stocked){ block, size_class, thread };
}

static bool
stock_has_some(const void *unused)
{
	(void)unused;
	return rig.first < rig.last;
}

static void
give_back(unsigned thread)
{
	struct stocked s;

	sched_wait(stock_has_some, NULL);
	s = rig.stock[rig.first++];
	out_remove(s.block);
	tri_pool_free(&rig.pool[thread], s.block, s.size_class);
}

static void
body(unsigned thread)
{
	for (const char *p = rig.shape.script[thread]; *p != '\0'; p++) {
		switch (*p) {
		case 'a': allocate(thread, CLASS); break;
		case 'A': allocate(thread, OTHER_CLASS); break;
		case 'f': give_back(thread); break;
		case 's': tri_pool_flush(&rig.pool[thread]); break;
		default: (void)tri_pool_trim(&rig.pool[thread], 4); break;
		}
	}
}

/* --------------------------------------------------------------- cases -- */

static void
begin(struct shape shape)
{
	world_begin();
	memset(&rig, 0, sizeof(rig));
	rig.shape = shape;
	for (rig.pools = 0;
	     rig.pools < POOLS && shape.script[rig.pools] != NULL;
	     rig.pools++) {
		SCHED_CHECK(tri_pool_init(&rig.pool[rig.pools],
		    &world.env.memory, &rig, rig.pools, POOLS));
		rig.pool[rig.pools].counted = true;
	}
	for (unsigned i = 0; i < shape.before; i++)
		allocate(0, CLASS);
	for (unsigned i = 0; i < rig.pools; i++)
		sched_name(&rig.pool[i].returned, sizeof(rig.pool[i].returned),
		    "returned");
}

/* How many blocks of a class a pool's slabs have. */
static unsigned
capacity(const struct tri_pool *pool, unsigned size_class)
{
	unsigned n = 0;

	for (const struct tri_slab *s = pool->classes[size_class].slabs;
	     s != NULL; s = s->next)
		n += (unsigned)((TRI_SLAB_BYTES - TRI_SLAB_HEAD) /
		    tri_class_bytes(size_class));
	return n;
}

/* Without new slabs it hands out all that it has, and nothing twice. */
static void
check_class(struct tri_pool *pool, unsigned size_class)
{
	unsigned n = 0;
	char *block;

	rig.outs = 0;
	while ((block = tri_pool_alloc(pool, size_class)) != NULL) {
		SCHED_CHECK(tri_slab_of(block)->owner == pool);
		out_add(block);
		n++;
	}
	if (n != capacity(pool, size_class))
		sched_fail("%u blocks of %u are there", n,
		    capacity(pool, size_class));
}

static uint64_t
check(void)
{
	uint64_t live = 0;

	while (rig.first < rig.last) {
		struct stocked s = rig.stock[rig.first++];

		out_remove(s.block);
		tri_pool_free(&rig.pool[0], s.block, s.size_class);
	}
	SCHED_CHECK(rig.outs == 0);
	for (unsigned i = 0; i < rig.pools; i++) {
		tri_pool_flush(&rig.pool[i]);
		live += rig.pool[i].live;
	}
	SCHED_CHECK(live == 0);
	world.dry = true;
	for (unsigned i = 0; i < rig.pools; i++) {
		check_class(&rig.pool[i], CLASS);
		check_class(&rig.pool[i], OTHER_CLASS);
	}
	return rig.history;
}

static void
begin_home(void)
{
	begin((struct shape){ { "aaaa", "fffs", "fffs" }, 6 });
}

static void
begin_batches(void)
{
	begin((struct shape){ { "aaaaa", "ffff", "fffff" }, 7 });
}

static void
begin_round(void)
{
	begin((struct shape){ { "aafsa", "aafsa", "afsa" }, 0 });
}

static void
begin_classes(void)
{
	begin((struct shape){ { "AaAaAa", "ffffs", "fffs" }, 2 });
}

static void
begin_trim(void)
{
	begin((struct shape){ { "ttatta", "ffffs", "ffsf" }, 8 });
}

static void
begin_release(void)
{
	begin((struct shape){ { "ttttt", "ffs", "fs" }, 3 });
}

#define POOL_CASE(n, b, w)                                                    \
	{                                                                     \
		.name = n, .what = w, .threads = 3, .setup = b, .body = body, \
		.check = check, .buffers = true                               \
	}

static const struct sched_case cases[] = {
	POOL_CASE("home", begin_home, "one allocates, two free and send home"),
	POOL_CASE("batches", begin_batches,
	    "the same, batches go home by themselves"),
	POOL_CASE("round", begin_round,
	    "three allocate, and free each other's"),
	POOL_CASE("classes", begin_classes, "two classes of blocks"),
	POOL_CASE("release", begin_release,
	    "the owner releases the slab when all are home"),
	POOL_CASE("trim", begin_trim, "the owner trims while blocks come home"),
};

int
main(int argc, char **argv)
{
	return sched_main(argc, argv, cases, sizeof(cases) / sizeof(*cases),
	    " pool.h pool.c ");
}
