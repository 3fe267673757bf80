/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How often children may fail, and how long they wait: the pure parts.
 */
#include "actors/supervise/supervise.h"
#include "kit.h"

static void *
plain_alloc(void *ctx, size_t size)
{
	unsigned *allowed = ctx;

	if (*allowed == 0)
		return NULL;
	--*allowed;
	return malloc(size);
}

static void
plain_free(void *ctx, void *p)
{
	(void)ctx;
	free(p);
}

static unsigned allowed;

static const struct tri_memory memory = {
	.alloc = plain_alloc,
	.free = plain_free,
	.ctx = &allowed,
};

static void
window(struct tri_window *w, uint32_t size, int64_t period)
{
	allowed = 1;
	assert_true(tri_window_init(w, &memory, size, period));
}

static void
a_window_takes_so_many_within_its_period(void **unused)
{
	struct tri_window w;

	(void)unused;
	window(&w, 3, 100);
	assert_true(tri_window_add(&w, 1000));
	assert_true(tri_window_add(&w, 1010));
	assert_true(tri_window_add(&w, 1020));
	assert_false(tri_window_add(&w, 1030));
	/* What was refused does not count; what is as old as the period is
	 * still in it. */
	assert_false(tri_window_add(&w, 1100));
	assert_true(tri_window_add(&w, 1101));
	assert_false(tri_window_add(&w, 1102));
	tri_window_fini(&w, &memory);
}

/* The same as to keep all of them, and to look at those in the period. */
static void
a_window_slides(void **unused)
{
	enum { SIZE = 5, PERIOD = 1000, TRIES = 5000 };
	static int64_t at[TRIES];
	struct tri_window w;
	uint64_t seed = 4711;
	int64_t now = 0;
	unsigned n = 0, refused = 0;

	(void)unused;
	window(&w, SIZE, PERIOD);
	for (unsigned i = 0; i < TRIES; i++) {
		unsigned within = 0;

		now += (int64_t)kit_below(&seed, 400);
		for (unsigned k = 0; k < n; k++)
			within += at[k] >= now - PERIOD;
		if (tri_window_add(&w, now)) {
			assert_true(within < SIZE);
			at[n++] = now;
		} else {
			assert_true(within >= SIZE);
			refused++;
		}
	}
	assert_true(refused > 100 && n > 100);
	tri_window_fini(&w, &memory);
}

static void
a_window_of_none_takes_none(void **unused)
{
	struct tri_window w;

	(void)unused;
	allowed = 0;
	assert_true(tri_window_init(&w, &memory, 0, 100));
	assert_false(tri_window_add(&w, 1));
	tri_window_fini(&w, &memory);
	assert_false(tri_window_init(&w, &memory, 1, 100));
	tri_window_fini(&w, &memory);
}

static void
a_backoff_doubles_up_to_its_most(void **unused)
{
	const struct tr_backoff b = { .min_ns = 10, .max_ns = 75 };
	const int64_t expected[] = { 10, 20, 40, 75, 75, 75 };
	uint8_t step = 0;

	(void)unused;
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(tri_backoff_next(&b, &step, 0), expected[i]);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(tri_backoff_next(&b, &step, 0), 75);
}

static void
a_backoff_without_a_most_stays(void **unused)
{
	const struct tr_backoff none = { 0 }, same = { .min_ns = 10 };
	const struct tr_backoff ever = { .min_ns = INT64_MAX / 3,
		.max_ns = INT64_MAX,
		.jitter_percent = 100 };
	uint8_t step = 0;

	(void)unused;
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(tri_backoff_next(&none, &step, 77), 0);
		assert_int_equal(tri_backoff_next(&same, &step, 77), 10);
	}
	step = 0;
	assert_int_equal(tri_backoff_next(&ever, &step, 0), INT64_MAX / 3);
	assert_int_equal(tri_backoff_next(&ever, &step, 0), INT64_MAX / 3 * 2);
	assert_int_equal(tri_backoff_next(&ever, &step, 0), INT64_MAX);
	assert_int_equal(tri_backoff_next(&ever, &step, UINT64_MAX - 7),
	    INT64_MAX);
}

static void
jitter_makes_it_longer_by_chance(void **unused)
{
	const struct tr_backoff b = { .min_ns = 1000, .jitter_percent = 25 };
	unsigned hit[251] = { 0 };
	uint64_t seed = 7;
	uint8_t step = 0;

	(void)unused;
	for (unsigned i = 0; i < 100000; i++) {
		int64_t delay = tri_backoff_next(&b, &step, kit_random(&seed));

		assert_true(delay >= 1000 && delay <= 1250);
		hit[delay - 1000]++;
	}
	assert_true(hit[0] > 0 && hit[125] > 0 && hit[250] > 0);
}

static void
a_backoff_is_over_after_a_while(void **unused)
{
	const struct tr_backoff none = { 0 }, same = { .min_ns = 10 };
	const struct tr_backoff most = { .min_ns = 10, .max_ns = 100 };
	const struct tr_backoff said = { .min_ns = 10,
		.max_ns = 100,
		.reset_ns = 50 };

	(void)unused;
	assert_true(tri_backoff_is_over(&none, 0));
	assert_false(tri_backoff_is_over(&same, 9));
	assert_true(tri_backoff_is_over(&same, 10));
	assert_false(tri_backoff_is_over(&most, 99));
	assert_true(tri_backoff_is_over(&most, 100));
	assert_false(tri_backoff_is_over(&said, 49));
	assert_true(tri_backoff_is_over(&said, 50));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(a_window_takes_so_many_within_its_period),
		KIT_TEST(a_window_slides),
		KIT_TEST(a_window_of_none_takes_none),
		KIT_TEST(a_backoff_doubles_up_to_its_most),
		KIT_TEST(a_backoff_without_a_most_stays),
		KIT_TEST(jitter_makes_it_longer_by_chance),
		KIT_TEST(a_backoff_is_over_after_a_while),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
