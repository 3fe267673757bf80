/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mailbox/pool.h with several threads: each has its own pool, sends blocks of
 * it to the others, and frees those that it was sent.
 */
#include <pthread.h>
#include <sched.h>

#include "rig_pool.h"

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
		cmocka_unit_test(every_block_that_travels_comes_home),
	};

	alarm(TOO_LONG_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
