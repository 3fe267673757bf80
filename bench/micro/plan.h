/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plan.h - what is run, in which order.
 */
#ifndef BENCH_PLAN_H
#define BENCH_PLAN_H

#include "report.h"
#include "rounds.h"

#define PLAN_SCALE_MAX 100.0

struct plan_options {
	struct report report;
	struct xfer_limits limits;
	double scale; /* multiplies the sizes */
	bool peers;
};

/**
 * Run the named benchmarks, or all when there are no names, and print the
 * report.  Returns the exit code.
 */
int plan_main(const struct plan_options *options, int names, char *const *name);

#endif /* BENCH_PLAN_H */
