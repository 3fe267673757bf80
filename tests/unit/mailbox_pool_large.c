/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Large messages are in one list of the pool they came from, and are freed by
 * any thread: several free neighbours in that list at the same moment.
 */
#include <pthread.h>

#include "rig_pool.h"

enum { THREADS = 4, EACH = TEST_SCALE(2000), LARGE_BYTES = 40000 };

struct freer {
	pthread_t thread;
	pthread_barrier_t *begin;
	void **block; /* its own are each THREADS-th from here on */
};

static void *
freer_main(void *arg)
{
	struct freer *f = arg;

	pthread_barrier_wait(f->begin);
	for (unsigned i = 0; i < EACH; i++)
		tri_pool_free_large(f->block[i * THREADS]);
	return NULL;
}

static void
large_messages_are_freed_by_many_threads_at_once(void **unused)
{
	enum { BLOCKS = THREADS * EACH };

	static void *block[BLOCKS];
	struct rig *r = rig_begin();
	struct tri_pool *pool = &r->pool[0];
	struct freer freer[THREADS];
	pthread_barrier_t begin;

	(void)unused;
	pthread_barrier_init(&begin, NULL, THREADS);
	for (unsigned i = 0; i < BLOCKS; i++) {
		block[i] = tri_pool_alloc_large(pool, LARGE_BYTES);
		assert_non_null(block[i]);
	}
	assert_int_equal(r->memory.others, POOLS + BLOCKS);
	for (unsigned i = 0; i < THREADS; i++) {
		freer[i].begin = &begin;
		freer[i].block = block + i;
		assert_int_equal(0,
		    pthread_create(&freer[i].thread, NULL, freer_main,
			&freer[i]));
	}
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(0, pthread_join(freer[i].thread, NULL));
	assert_null(pool->large);
	assert_int_equal(r->memory.others, POOLS);
	pthread_barrier_destroy(&begin);
	rig_end(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    large_messages_are_freed_by_many_threads_at_once),
	};

	alarm(TOO_LONG_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
