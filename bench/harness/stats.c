/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stats.c - a few figures of a few numbers.
 *
 * Times of runs are not distributed normally: they have a floor and a long
 * tail.  So whether two series differ is decided by ranks (Mann and Whitney,
 * "On a test of whether one of two random variables is stochastically larger
 * than the other", 1947).  With so few runs the normal approximation is off by
 * more than the probabilities in question, so all ways to deal out the ranks
 * are counted, by dynamic programming over the sum of ranks; equal values share
 * their ranks' mean, which is counted in halves.
 */
#include "stats.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
	EXACT_MAX = 40, /* values in all for which the ways are counted */
	EXACT_SUM = EXACT_MAX * (EXACT_MAX + 1), /* of all ranks, doubled */
};

struct ranked {
	double value;
	bool of_a;
	uint32_t rank2; /* doubled: ranks may be halves */
};

/* Ways to choose n values whose doubled ranks have the sum s. */
struct ways {
	double of[EXACT_MAX + 1][EXACT_SUM + 1];
};

static int
stats_compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static int
stats_compare_ranked(const void *a, const void *b)
{
	return stats_compare(&((const struct ranked *)a)->value,
	    &((const struct ranked *)b)->value);
}

void
stats_sort(double *values, size_t count)
{
	qsort(values, count, sizeof(values[0]), stats_compare);
}

double
stats_quantile(const double *sorted, size_t count, double share)
{
	double at = share * (double)(count - 1);
	size_t below = (size_t)at;

	if (below + 1 >= count)
		return sorted[count - 1];
	return sorted[below] +
	    (at - (double)below) * (sorted[below + 1] - sorted[below]);
}

/* Sort and number; returns the sum of t^3 - t over groups of t equal values. */
static double
stats_rank(struct ranked *all, size_t count)
{
	double ties = 0;
	size_t end;

	qsort(all, count, sizeof(all[0]), stats_compare_ranked);
	for (size_t i = 0; i < count; i = end) {
		double equal;

		for (end = i + 1; end < count && all[end].value <= all[i].value;
		     end++)
			continue;
		/* The mean of i + 1 to end, doubled. */
		for (size_t j = i; j < end; j++)
			all[j].rank2 = (uint32_t)(i + 1 + end);
		equal = (double)(end - i);
		ties += equal * equal * equal - equal;
	}
	return ties;
}

/* The share of all ways to choose count_a ranks that are as far out. */
static double
stats_exact(const struct ranked *all, size_t count, size_t count_a,
    uint32_t sum2)
{
	struct ways *ways = calloc(1, sizeof(*ways));
	double mean2 = (double)count_a * (double)(count + 1);
	double off = fabs((double)sum2 - mean2);
	double far = 0;
	double every = 0;

	if (ways == NULL)
		return 1;
	ways->of[0][0] = 1;
	for (size_t i = 0; i < count; i++) {
		for (size_t n = count_a; n > 0; n--) {
			for (size_t s = EXACT_SUM; s >= all[i].rank2; s--)
				ways->of[n][s] +=
				    ways->of[n - 1][s - all[i].rank2];
		}
	}
	for (size_t s = 0; s <= EXACT_SUM; s++) {
		every += ways->of[count_a][s];
		if (fabs((double)s - mean2) >= off)
			far += ways->of[count_a][s];
	}
	free(ways);
	return far / every;
}

/* By the normal distribution, corrected for continuity and for ties. */
static double
stats_approximate(size_t count, size_t count_a, uint32_t sum2, double ties)
{
	double n = (double)count;
	double a = (double)count_a;
	double b = n - a;
	double off = fabs((double)sum2 / 2 - a * (n + 1) / 2) - 0.5;
	double variance = a * b / 12 * (n + 1 - ties / (n * (n - 1)));

	if (off <= 0 || variance <= 0)
		return 1;
	return erfc(off / sqrt(2 * variance));
}

double
stats_mann_whitney(const double *a, size_t count_a, const double *b,
    size_t count_b)
{
	size_t count = count_a + count_b;
	struct ranked *all = calloc(count + 1, sizeof(*all));
	uint32_t sum2 = 0;
	double ties;
	double p;

	if (all == NULL || count_a == 0 || count_b == 0) {
		free(all);
		return 1;
	}
	for (size_t i = 0; i < count; i++) {
		all[i].of_a = i < count_a;
		all[i].value = i < count_a ? a[i] : b[i - count_a];
	}
	ties = stats_rank(all, count);
	for (size_t i = 0; i < count; i++)
		sum2 += all[i].of_a ? all[i].rank2 : 0;
	p = count <= EXACT_MAX ? stats_exact(all, count, count_a, sum2) :
				 stats_approximate(count, count_a, sum2, ties);
	free(all);
	return p;
}
