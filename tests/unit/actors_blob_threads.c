/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A blob's count is right whichever threads hold and drop it, at the same
 * moment, too: its bytes go once, and not before the last holder.
 */
#include "kit.h"

enum { THREADS = 4, TURNS = 2000000 };

struct held {
	tr_blob whole;
	pthread_barrier_t begin;
	atomic_int freed;
};

static void
bytes_freed(void *data, size_t size, void *ctx)
{
	struct held *h = ctx;

	(void)data;
	(void)size;
	atomic_fetch_add(&h->freed, 1);
}

/* Its own hold keeps the blob; what it takes and drops must not change that. */
static void *
holder(void *arg)
{
	struct held *h = arg;
	tr_blob own = tr_blob_ref(&h->whole);

	pthread_barrier_wait(&h->begin);
	for (unsigned i = 0; i < TEST_SCALE(TURNS); i++) {
		tr_blob more = tr_blob_ref(&own), part;

		if (tr_blob_slice(&more, i % 8, 1, &part) != TR_OK)
			abort();
		tr_blob_drop(&more);
		tr_blob_drop(&part);
	}
	pthread_barrier_wait(&h->begin);
	tr_blob_drop(&own);
	return NULL;
}

static void
a_blob_that_many_threads_hold_goes_once(void **unused)
{
	static char bytes[8];
	struct held h = { .freed = 0 };
	pthread_t thread[THREADS];
	struct tr_system *sys;

	(void)unused;
	assert_int_equal(tr_system_new(&sys, NULL), TR_OK);
	pthread_barrier_init(&h.begin, NULL, THREADS + 1);
	assert_int_equal(tr_blob_wrap(sys, bytes, sizeof(bytes), bytes_freed,
			     &h, &h.whole),
	    TR_OK);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, holder, &h),
		    0);
	pthread_barrier_wait(&h.begin);
	pthread_barrier_wait(&h.begin);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(atomic_load(&h.freed), 0);
	tr_blob_drop(&h.whole);
	assert_int_equal(atomic_load(&h.freed), 1);
	pthread_barrier_destroy(&h.begin);
	assert_int_equal(tr_system_free(sys), TR_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(a_blob_that_many_threads_hold_goes_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
