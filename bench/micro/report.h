/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.h - from single runs to what is printed.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "series.h"

struct report {
	bool json;
	bool full_size; /* scale 1: the figures may be judged */
	unsigned runs;
	unsigned workers; /* as the user asked */
};

/** Print what the report is about; nothing in JSON. */
void report_header(const struct report *report);

/** Print a series: a line for each state that its runs met. */
void report_series(const struct report *report, const struct series *series);

/**
 * Print how much faster ours is than the best peer, for each workload that has
 * both, and the geometric mean.  `series` holds `count` of them, those of one
 * workload next to each other, ours first.
 */
void report_ratios(const struct report *report, const struct series *series,
    size_t count);

#endif /* BENCH_REPORT_H */
