/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plan.c - what is run, in which order.
 *
 * Every run is a process of its own, so that none finds the pools, the pages
 * or the threads of another; ours is this program again, called as
 * `micro --child NAME SIZE WORKERS`.  The runs are made in rounds: in each,
 * every workload comes once, in random order, and right beside ours, in random
 * order too, the peers' runs of the same workload.  The distance between the
 * cpus is measured between any two runs.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "list.h"
#include "peers.h"
#include "plan.h"
#include "proc.h"

enum {
	EXIT_INTERRUPTED = 130,
	RUN_TIMEOUT_S = 120,
	SERIES_MAX = 128,
};

#define GOLDEN 1.6180339887 /* fib's tree grows by it with each level */

/* All that is to be run. */
struct plan {
	const struct plan_options *options;
	struct series series[SERIES_MAX]; /* grouped by workload, ours first */
	const struct peer *peer[SERIES_MAX]; /* who runs it; NULL: we */
	size_t count;
	size_t done; /* runs */
	uint64_t rng;
	double xfer_ns; /* the last measurement */
};

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
plan_add(struct plan *plan, const struct bench_case *c, const struct peer *peer)
{
	const struct plan_options *options = plan->options;
	struct series *series = &plan->series[plan->count];

	if (plan->count == SERIES_MAX)
		return false;
	series->bench = c;
	series->runtime = peer != NULL ? peer_runtime(peer) : REPORT_OURS;
	series->size = plan_size(c, options->scale);
	series->workers =
	    c->workers != 0 ? c->workers : options->report.workers;
	plan->peer[plan->count] = peer;
	plan->count++;
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

/* Builds the peers; returns which can be run. */
static enum proc_end
plan_peers(const struct plan_options *options, bool usable[PEERS])
{
	enum proc_end end;

	for (int i = 0; i < PEERS; i++) {
		usable[i] = false;
		if (!options->peers)
			continue;
		end = peer_build(peer_at(i));
		if (end == PROC_INTERRUPTED)
			return end;
		usable[i] = end == PROC_OK;
	}
	return PROC_OK;
}

static bool
plan_fill(struct plan *plan, const bool usable[PEERS], int names,
    char *const *name)
{
	for (const struct bench_case *c = micro_cases; c->name != NULL; c++) {
		if (!plan_wants(c, names, name))
			continue;
		if (!plan_add(plan, c, NULL))
			return false;
		for (int i = 0; i < PEERS; i++) {
			if (usable[i] && peer_has(peer_at(i), c) &&
			    !plan_add(plan, c, peer_at(i)))
				return false;
		}
	}
	return true;
}

static size_t
plan_random(struct plan *plan, size_t below)
{
	plan->rng ^= plan->rng << 13;
	plan->rng ^= plan->rng >> 7;
	plan->rng ^= plan->rng << 17;
	return (size_t)(plan->rng % below);
}

/*
 * The order of one round: groups of the same workload in random order, and each
 * group in random order.  Fills order[] with indices of series.
 */
static void
plan_shuffle(struct plan *plan, size_t order[SERIES_MAX])
{
	uint64_t keys[SERIES_MAX];
	uint64_t group = 0;
	size_t key;

	for (size_t i = 0; i < plan->count; i++) {
		if (i == 0 ||
		    plan->series[i].bench != plan->series[i - 1].bench)
			group = (uint64_t)plan_random(plan, 1U << 20) << 40 |
			    (uint64_t)i << 32;
		keys[i] = group | (uint64_t)plan_random(plan, 1U << 30);
		/* Insertion sort by key. */
		for (key = i; key > 0 && keys[order[key - 1]] > keys[i]; key--)
			order[key] = order[key - 1];
		order[key] = i;
	}
}

/* This program again, for one run. */
static enum proc_end
plan_run_ours(const struct series *series, struct proc_result *result,
    struct sample *sample)
{
	char size[24];
	char workers[12];
	const char *argv[] = { "/proc/self/exe", "--child", series->bench->name,
		size, workers, NULL };
	struct proc proc = { .argv = argv, .timeout_s = RUN_TIMEOUT_S };
	enum proc_end end;

	(void)snprintf(size, sizeof(size), "%" PRIu64, series->size);
	(void)snprintf(workers, sizeof(workers), "%u", series->workers);
	end = proc_run(&proc, result);
	if (end == PROC_OK &&
	    sscanf(result->out, "%lf %lf", &sample->value, &sample->raw) != 2) {
		(void)snprintf(result->error, sizeof(result->error),
		    "printed no figure");
		return PROC_FAILED;
	}
	return end;
}

/* One run between two measurements; returns false when interrupted. */
static bool
plan_run(struct plan *plan, size_t which)
{
	struct series *series = &plan->series[which];
	const struct peer *peer = plan->peer[which];
	struct sample sample = { .value = 0 };
	double before_ns = plan->xfer_ns;
	struct proc_result result;
	enum proc_end end;

	if (peer == NULL)
		end = plan_run_ours(series, &result, &sample);
	else
		end = peer_run(peer, series->bench->name, series->size,
		    series->workers, RUN_TIMEOUT_S, &result, &sample.value);
	if (end == PROC_INTERRUPTED)
		return false;
	plan->xfer_ns = xfer_measure_ns();
	sample.xfer_ns = fmax(before_ns, plan->xfer_ns);
	sample.state =
	    xfer_classify(&plan->options->limits, before_ns, plan->xfer_ns);
	sample.rss_kb = result.rss_kb;
	sample.preempted = result.preempted;
	if (end == PROC_OK) {
		series->samples[series->count++] = sample;
		return true;
	}
	series->failed++;
	series->error_xfer_ns = sample.xfer_ns;
	memcpy(series->error, result.error, sizeof(series->error));
	(void)fprintf(stderr, "micro: %s of %s failed: %s\n",
	    series->bench->name, series->runtime, result.error);
	return true;
}

static void
plan_progress(const struct plan *plan, size_t which)
{
	if (isatty(STDERR_FILENO) == 1)
		(void)fprintf(stderr, "\r\033[K[%zu/%zu] %s, %s\r",
		    plan->done + 1, plan->count * plan->options->report.runs,
		    plan->series[which].bench->name,
		    plan->series[which].runtime);
}

/* All rounds; returns false when interrupted. */
static bool
plan_run_all(struct plan *plan)
{
	size_t order[SERIES_MAX] = { 0 };

	plan->xfer_ns = xfer_measure_ns();
	for (unsigned round = 0; round < plan->options->report.runs; round++) {
		plan_shuffle(plan, order);
		for (size_t i = 0; i < plan->count; i++) {
			plan_progress(plan, order[i]);
			if (!plan_run(plan, order[i]))
				return false;
			plan->done++;
		}
	}
	if (isatty(STDERR_FILENO) == 1)
		(void)fprintf(stderr, "\r\033[K");
	return true;
}

static int
plan_report(const struct plan *plan)
{
	const struct report *report = &plan->options->report;
	size_t failed = 0;

	report_header(report);
	for (size_t i = 0; i < plan->count; i++) {
		report_series(report, &plan->series[i]);
		failed += plan->series[i].failed;
	}
	if (plan->options->peers)
		report_ratios(report, plan->series, plan->count);
	if (fflush(stdout) != 0) {
		(void)fprintf(stderr, "micro: cannot write the report: %s\n",
		    strerror(errno));
		return EXIT_FAILURE;
	}
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* All but the memory. */
static int
plan_carry_out(struct plan *plan, int names, char *const *name)
{
	bool usable[PEERS];

	proc_init();
	if (getrandom(&plan->rng, sizeof(plan->rng), 0) < 0 || plan->rng == 0)
		plan->rng = 1;
	if (plan_peers(plan->options, usable) == PROC_INTERRUPTED)
		return EXIT_INTERRUPTED;
	if (!plan_fill(plan, usable, names, name)) {
		(void)fprintf(stderr, "micro: too many benchmarks\n");
		return EXIT_FAILURE;
	}
	return plan_run_all(plan) ? plan_report(plan) : EXIT_INTERRUPTED;
}

int
plan_main(const struct plan_options *options, int names, char *const *name)
{
	struct plan *plan = calloc(1, sizeof(*plan));
	int code;

	if (plan == NULL) {
		(void)fprintf(stderr, "micro: out of memory\n");
		return EXIT_FAILURE;
	}
	plan->options = options;
	code = plan_carry_out(plan, names, name);
	if (code == EXIT_INTERRUPTED)
		(void)fprintf(stderr, "micro: interrupted\n");
	free(plan);
	return code;
}
