/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench/harness/stats.c: quantiles, and the test of Mann and Whitney against a
 * count of all ways to deal out the values.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>

#include <cmocka.h>

#include "stats.h"

enum { MOST = 6, TRIALS = 300 };

static void
close_to(double value, double expected)
{
	if (fabs(value - expected) > 1e-9 * (1 + fabs(expected)))
		fail_msg("%.12g, not %.12g", value, expected);
}

/* Twice the pairs in which a's value is the smaller one; ties count half. */
static unsigned
pairs2(const double *values, size_t count, unsigned of_a)
{
	unsigned sum = 0;

	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < count; j++) {
			if ((of_a >> i & 1) == 0 || (of_a >> j & 1) != 0)
				continue;
			if (values[i] < values[j])
				sum += 2;
			else if (!(values[i] > values[j]))
				sum += 1;
		}
	}
	return sum;
}

/* The definition: of all choices of a's values, those as far from the mean. */
static double
by_counting(const double *values, size_t count_a, size_t count_b)
{
	size_t count = count_a + count_b;
	int mean2 = (int)(count_a * count_b);
	int off = (int)pairs2(values, count, (1U << count_a) - 1) - mean2;
	double far = 0;
	double every = 0;

	for (unsigned of_a = 0; of_a < 1U << count; of_a++) {
		int other;

		if ((size_t)__builtin_popcount(of_a) != count_a)
			continue;
		other = (int)pairs2(values, count, of_a) - mean2;
		every++;
		far += (other < 0 ? -other : other) >= (off < 0 ? -off : off);
	}
	return far / every;
}

static void
mann_whitney_is_exact_for_few_values_with_and_without_ties(void **state)
{
	uint32_t random = 1;

	(void)state;
	for (int trial = 0; trial < TRIALS; trial++) {
		double values[2 * MOST];
		size_t a = 1 + (size_t)trial % MOST;
		size_t b = 1 + (size_t)trial / MOST % MOST;
		uint32_t kinds = trial % 2 == 0 ? 4 : 100000;

		for (size_t i = 0; i < a + b; i++) {
			random = random * 1664525 + 1013904223;
			values[i] = (random >> 8) % kinds;
		}
		close_to(stats_mann_whitney(values, a, values + a, b),
		    by_counting(values, a, b));
	}
}

static void
mann_whitney_knows_five_runs_that_are_all_faster(void **state)
{
	static const double a[] = { 5, 4, 3, 2, 1 };
	static const double b[] = { 10, 6, 7, 9, 8 };

	(void)state;
	close_to(stats_mann_whitney(a, 5, b, 5), 2.0 / 252);
	close_to(stats_mann_whitney(b, 5, a, 5), 2.0 / 252);
}

static void
mann_whitney_is_one_where_nothing_can_be_said(void **state)
{
	static const double same[] = { 3, 3, 3, 3 };

	(void)state;
	close_to(stats_mann_whitney(same, 4, same, 4), 1);
	close_to(stats_mann_whitney(same, 0, same, 4), 1);
	close_to(stats_mann_whitney(same, 4, same, 0), 1);
}

static void
mann_whitney_is_approximate_for_many_values(void **state)
{
	double a[50], b[50];
	double p;

	(void)state;
	for (int i = 0; i < 50; i++) {
		a[i] = i;
		b[i] = i + 0.5;
	}
	p = stats_mann_whitney(a, 50, b, 50);
	assert_true(p > 0.8 && p <= 1);
	for (int i = 0; i < 50; i++)
		b[i] = i + 100;
	/* 21 against 21 that are all larger: z is 5.534. */
	p = stats_mann_whitney(a, 21, b, 21);
	assert_true(p > 3.0e-8 && p < 3.3e-8);
	for (int i = 0; i < 50; i++)
		a[i] = b[i] = 7;
	close_to(stats_mann_whitney(a, 50, b, 50), 1);
}

static void
quantiles_lie_between_their_neighbours(void **state)
{
	double values[] = { 40, 10, 30, 20 };

	(void)state;
	stats_sort(values, 4);
	close_to(values[0], 10);
	close_to(values[3], 40);
	close_to(stats_quantile(values, 4, 0), 10);
	close_to(stats_quantile(values, 4, 0.5), 25);
	close_to(stats_quantile(values, 3, 0.5), 20);
	close_to(stats_quantile(values, 4, 0.9), 37);
	close_to(stats_quantile(values, 4, 1), 40);
	close_to(stats_quantile(values, 1, 0.9), 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    mann_whitney_is_exact_for_few_values_with_and_without_ties),
		cmocka_unit_test(
		    mann_whitney_knows_five_runs_that_are_all_faster),
		cmocka_unit_test(mann_whitney_is_one_where_nothing_can_be_said),
		cmocka_unit_test(mann_whitney_is_approximate_for_many_values),
		cmocka_unit_test(quantiles_lie_between_their_neighbours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
