/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.h - from single runs to what is printed.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "bench.h"
#include "xfer.h"

enum { RUNS_MAX = 100 };

/* One run. */
struct sample {
	double value;
	double raw; /* see struct bench */
	double xfer_ns; /* the worse of before and after */
	enum xfer_state state;
	long rss_kb;
	long preempted; /* how often another thread was given its cpu */
};

/* The runs of one workload in one runtime. */
struct series {
	const struct bench_case *bench;
	const char *runtime;
	uint64_t size;
	unsigned workers;
	struct sample samples[RUNS_MAX];
	size_t count;
	size_t failed; /* further runs, that left no sample */
	char error[64]; /* of the last of those */
	double error_xfer_ns;
};

struct report {
	bool json;
	bool full_size; /* scale 1: the figures may be judged */
	unsigned runs;
	unsigned workers; /* as the user asked */
};

/** The runtime's name of our own series. */
#define REPORT_OURS "troupe"

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
