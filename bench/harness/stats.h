/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stats.h - a few figures of a few numbers.
 */
#ifndef BENCH_STATS_H
#define BENCH_STATS_H

#include <stddef.h>

/** Sort numbers, the smallest first. */
void stats_sort(double *values, size_t count);

/**
 * The value below which a share of sorted numbers lies (0.5: the median),
 * between two of them where it falls between two.  There has to be one.
 */
double stats_quantile(const double *sorted, size_t count, double share);

/**
 * How likely two samples of the same population are to differ as much as these
 * do, in either direction: the two-sided test of Mann and Whitney.
 */
double stats_mann_whitney(const double *a, size_t count_a, const double *b,
    size_t count_b);

#endif /* BENCH_STATS_H */
