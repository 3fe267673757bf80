/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plan.c - what is run: the workloads, scaled, and the peers' beside ours.
 */
#include "plan.h"

#include "list.h"
#include "proc.h"
#include "report.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_INTERRUPTED = 130 };

#define GOLDEN 1.6180339887 /* fib's tree grows by it with each level */

static uint64_t
plan_size(const struct bench_case *c, double scale)
{
	double size = (double)c->params[0].value[BENCH_LARGE];

	size = c->depth ? size + round(log(scale) / log(GOLDEN)) : size * scale;
	if (size < 1)
		return 1;
	if (c->size_max != 0 && size > (double)c->size_max)
		return c->size_max;
	return (uint64_t)size;
}

static bool
plan_add(struct rounds *rounds, const struct plan_options *options,
    const struct bench_case *c, const struct peer *peer)
{
	struct series *series =
	    rounds_add(rounds, c, peer, BENCH_LARGE, options->report.workers);

	if (series == NULL)
		return false;
	series->value_of[0] = plan_size(c, options->scale);
	return true;
}

static bool
plan_wants(const struct bench_case *c, int names, char *const *name)
{
	for (int i = 0; i < names; i++) {
		if (strcmp(name[i], c->name) == 0)
			return true;
	}
	return names == 0;
}

static bool
plan_fill(struct rounds *rounds, const struct plan_options *options,
    const bool usable[PEERS], int names, char *const *name)
{
	for (const struct bench_case *c = micro_cases; c->name != NULL; c++) {
		if (!plan_wants(c, names, name))
			continue;
		if (!plan_add(rounds, options, c, NULL))
			return false;
		for (int i = 0; i < PEERS; i++) {
			if (usable[i] && peer_has(peer_at(i), c) &&
			    !plan_add(rounds, options, c, peer_at(i)))
				return false;
		}
	}
	return true;
}

static int
plan_report(const struct plan_options *options, const struct rounds *rounds)
{
	const struct report *report = &options->report;
	size_t failed = 0;

	report_header(report);
	for (size_t i = 0; i < rounds->count; i++) {
		report_series(report, &rounds->series[i]);
		failed += rounds->series[i].failed;
	}
	if (options->peers)
		report_ratios(report, rounds->series, rounds->count);
	if (fflush(stdout) != 0) {
		(void)fprintf(stderr, "micro: cannot write the report: %s\n",
		    strerror(errno));
		return EXIT_FAILURE;
	}
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
plan_main(const struct plan_options *options, int names, char *const *name)
{
	struct rounds rounds = {
		.options = {
			.iterations = options->report.runs,
			.more = true,
			.limits = options->limits,
			.timeout_s = ROUNDS_TIMEOUT_S,
		},
	};
	bool usable[PEERS];
	int code = EXIT_INTERRUPTED;

	proc_init();
	if (!peers_build(options->peers, usable)) {
		(void)fprintf(stderr, "micro: interrupted\n");
		return code;
	}
	if (!plan_fill(&rounds, options, usable, names, name)) {
		(void)fprintf(stderr, "micro: out of memory\n");
		code = EXIT_FAILURE;
	} else if (rounds_run(&rounds)) {
		code = plan_report(options, &rounds);
	} else {
		(void)fprintf(stderr, "micro: interrupted\n");
	}
	rounds_fini(&rounds);
	return code;
}
