/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rounds.c - run series of benchmarks, in turns.
 *
 * Every run is a process of its own, so that none finds the pools, the pages
 * or the threads of another; ours is this program again, called as `child`.
 * The runs are made in rounds: in each, every benchmark comes once, in random
 * order, and within it, in random order too, its series: numbers of workers,
 * and the peers beside ours.  A machine that becomes slower for a minute makes
 * all of them slower, and not the one whose turn it was.  The distance between
 * the cpus is measured between any two runs, and no run is begun while a cpu is
 * slowed down by others, unless that lasts longer than the run itself.
 *
 * Runs during which the machine changed its state do not count, nor do those
 * that were begun slowed down where there are enough others; so a series that
 * lacks good ones, and has had some, may get further rounds, as many again at
 * most.  With a budget, every series has one run; then rounds are begun as long
 * as they fit in, at first without the slowest ones.
 */
#include "rounds.h"

#include "clock.h"
#include "list.h"
#include "proc.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum {
	ARGS_MAX = 8 + BENCH_PARAMS,
	ARG_BYTES = 64,
};

struct args {
	const char
	    *argv[ARGS_MAX + 2]; /* the program first; ends with a NULL */
	char text[ARGS_MAX][ARG_BYTES];
	size_t count;
};

static double
rounds_now_s(void)
{
	return (double)clock_now_ns() / 1e9;
}

static uint64_t
rounds_random(struct rounds *rounds, uint64_t below)
{
	rounds->rng ^= rounds->rng << 13;
	rounds->rng ^= rounds->rng >> 7;
	rounds->rng ^= rounds->rng << 17;
	return rounds->rng % below;
}

struct series *
rounds_add(struct rounds *rounds, const struct bench_case *c,
    const struct peer *peer, enum bench_size size, unsigned workers)
{
	size_t room = rounds->room > 0 ? 2 * rounds->room : 16;
	struct series *series;

	if (rounds->count == rounds->room) {
		series = realloc(rounds->series, room * sizeof(*series));
		if (series == NULL)
			return NULL;
		rounds->series = series;
		rounds->room = room;
	}
	series = &rounds->series[rounds->count++];
	memset(series, 0, sizeof(*series));
	series->bench = c;
	series->peer = peer;
	series->size = size;
	series->workers = c->workers != 0 ? c->workers : workers;
	for (int i = 0; i < BENCH_PARAMS && c->params[i].name != NULL; i++)
		series->value_of[i] = c->params[i].value[size];
	return series;
}

void
rounds_fini(struct rounds *rounds)
{
	free(rounds->series);
	rounds->series = NULL;
	rounds->count = 0;
	rounds->room = 0;
}

/* ------------------------------------------------------------- a run --- */

/* What child.c prints in its line; another build may know less of it. */
static bool
rounds_read(const char *out, struct sample *s)
{
	return sscanf(out, "%lf %lf %lf %lf %lf %lf %lf %lf %lf %lf %lf",
		   &s->value, &s->raw, &s->ns, &s->ops, &s->peak_kb, &s->sent,
		   &s->spawned, &s->steals, &s->parks, &s->wakeups,
		   &s->asides) >= 10;
}

static TR_PRINTF(2, 3) void rounds_arg(struct args *args, const char *format,
    ...)
{
	char *text = args->text[args->count];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, ARG_BYTES, format, ap);
	va_end(ap);
	args->argv[++args->count] = text;
}

/* This program again, or that of another build, for one run. */
static void
rounds_args(const struct rounds *rounds, const struct series *series,
    struct args *args)
{
	const struct bench_case *c = series->bench;

	memset(args, 0, sizeof(*args));
	args->argv[0] =
	    series->program != NULL ? series->program : "/proc/self/exe";
	rounds_arg(args, "child");
	rounds_arg(args, "%s/%s", c->suite, c->name);
	rounds_arg(args, "%s", bench_size_name(series->size));
	rounds_arg(args, "%u", series->workers);
	if (rounds->options.pin)
		rounds_arg(args, "--pin");
	if (rounds->options.warm_up > 0)
		rounds_arg(args, "--warm-up=%u", rounds->options.warm_up);
	for (int i = 0; i < BENCH_PARAMS && c->params[i].name != NULL; i++)
		rounds_arg(args, "%s=%" PRIu64, c->params[i].name,
		    series->value_of[i]);
}

static enum proc_end
rounds_run_ours(const struct rounds *rounds, const struct series *series,
    struct proc_result *result, struct sample *sample)
{
	struct args args;
	struct proc proc = {
		.argv = args.argv,
		.timeout_s = (int)rounds->options.timeout_s,
	};
	enum proc_end end;

	rounds_args(rounds, series, &args);
	end = proc_run(&proc, result);
	if (end == PROC_OK && !rounds_read(result->out, sample)) {
		(void)snprintf(result->error, sizeof(result->error),
		    "printed no figure");
		return PROC_FAILED;
	}
	return end;
}

static enum proc_end
rounds_run_peer(const struct rounds *rounds, const struct series *series,
    struct proc_result *result, struct sample *sample)
{
	enum proc_end end = peer_run(series->peer, series->bench,
	    series->value_of, series->workers, (int)rounds->options.timeout_s,
	    result, &sample->value, &sample->ops);

	sample->ns = sample->value * sample->ops;
	sample->peak_kb = (double)result->rss_kb;
	return end;
}

/* The reason that a child gave before it ended, if it did. */
static void
rounds_fail(struct series *series, const struct proc_result *result)
{
	const char *why = strstr(result->out, "failed ");

	series->failed++;
	if (why != NULL)
		(void)snprintf(series->error, sizeof(series->error),
		    "check failed: %.*s", (int)strcspn(why + 7, "\n"), why + 7);
	else
		(void)snprintf(series->error, sizeof(series->error), "%s",
		    result->error);
	(void)fprintf(stderr, "bench: %s/%s of %s failed: %s\n",
	    series->bench->suite, series->bench->name, series_runtime(series),
	    series->error);
}

/* One run between two measurements; returns false when interrupted. */
static bool
rounds_run_one(struct rounds *rounds, struct series *series)
{
	struct sample sample = { .xfer_before_ns = rounds->xfer_ns };
	double begin_s = rounds_now_s();
	struct proc_result result;
	enum proc_end end;
	double waited_s;
	double took_s;

	sample.pace_ns = pace_wait_ns(&rounds->pace,
	    series->run_s < PACE_WAIT_S ? series->run_s : PACE_WAIT_S);
	waited_s = rounds_now_s() - begin_s;
	if (series->peer == NULL)
		end = rounds_run_ours(rounds, series, &result, &sample);
	else
		end = rounds_run_peer(rounds, series, &result, &sample);
	if (end == PROC_INTERRUPTED)
		return false;
	rounds->xfer_ns = xfer_measure_ns();
	sample.xfer_after_ns = rounds->xfer_ns;
	sample.state = xfer_classify(&rounds->options.limits,
	    sample.xfer_before_ns, sample.xfer_after_ns);
	sample.preempted = (double)result.preempted;
	sample.cpu_s = result.cpu_s;
	took_s = rounds_now_s() - begin_s;
	series->run_s = took_s - waited_s;
	if (took_s > series->slowest_s)
		series->slowest_s = took_s;
	if (end == PROC_OK) {
		series->samples[series->count++] = sample;
	} else {
		series->error_xfer_ns = sample.xfer_after_ns;
		rounds_fail(series, &result);
	}
	return true;
}

/* ----------------------------------------------------------- a round --- */

static void
rounds_progress(const struct rounds *rounds, const struct series *series)
{
	double spent_s = rounds_now_s() - rounds->begin_s;
	double left_s = 0;

	if (isatty(STDERR_FILENO) != 1)
		return;
	if (rounds->done > 0 && rounds->planned > rounds->done)
		left_s = spent_s / (double)rounds->done *
		    (double)(rounds->planned - rounds->done);
	if (rounds->options.budget_s > 0 &&
	    spent_s + left_s > rounds->options.budget_s)
		left_s = rounds->options.budget_s - spent_s;
	(void)fprintf(stderr,
	    "\r\033[K[%zu/%zu, %.0f min left] %s/%s, %s, %u workers\r",
	    rounds->done + 1, rounds->planned, left_s / 60,
	    series->bench->suite, series->bench->name, series_runtime(series),
	    series->workers);
}

/* A place in the order of a round. */
struct place {
	uint64_t key;
	struct series *series;
};

static int
rounds_compare_keys(const void *a, const void *b)
{
	const struct place *x = a;
	const struct place *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

static int
rounds_compare_times(const void *a, const void *b)
{
	double x = ((const struct place *)a)->series->slowest_s;
	double y = ((const struct place *)b)->series->slowest_s;

	return (x > y) - (x < y);
}

/*
 * Whether a series takes part in a round.  A failed run is not repeated: what
 * is wrong once has been shown to be wrong.
 */
static bool
rounds_wants(const struct rounds *rounds, const struct series *series,
    unsigned round)
{
	unsigned iterations = rounds->options.iterations;
	size_t near;

	if (series->failed > 0 || series->count == RUNS_MAX)
		return false;
	if (round < iterations)
		return true;
	near = series_near(series, &rounds->pace);
	return series_is_time(series) && near > 0 && near < iterations;
}

/*
 * Who takes part in a round: the quickest ones, as many as fit into what is
 * left of the budget when it is shared among the rounds to come.
 */
static size_t
rounds_choose(const struct rounds *rounds, unsigned round, struct place *order)
{
	unsigned iterations = rounds->options.iterations;
	double left_s = rounds->options.budget_s;
	double used_s = 0;
	size_t n = 0;
	size_t fit;

	for (size_t i = 0; i < rounds->count; i++) {
		if (rounds_wants(rounds, &rounds->series[i], round))
			order[n++].series = &rounds->series[i];
	}
	if (left_s <= 0 || round == 0)
		return n;
	left_s -= rounds_now_s() - rounds->begin_s;
	if (round < iterations)
		left_s /= iterations - round;
	qsort(order, n, sizeof(order[0]), rounds_compare_times);
	for (fit = 0; fit < n; fit++) {
		used_s += order[fit].series->slowest_s;
		if (used_s > left_s)
			break;
	}
	return fit;
}

/* Random keys: benchmarks in random order, and each one's series too. */
static void
rounds_shuffle(struct rounds *rounds, struct place *order, size_t count)
{
	uint64_t seed = rounds_random(rounds, UINT32_MAX);

	for (size_t i = 0; i < count; i++) {
		uint64_t bench = (uint64_t)(uintptr_t)order[i].series->bench;

		/* Any permutation of the benchmarks will do. */
		bench = (bench ^ seed) * UINT64_C(0x9e3779b97f4a7c15);
		order[i].key = (bench & ~(uint64_t)UINT16_MAX) |
		    rounds_random(rounds, UINT16_MAX);
	}
	qsort(order, count, sizeof(order[0]), rounds_compare_keys);
}

/* Returns false when interrupted; *ran says how many runs there were. */
static bool
rounds_round(struct rounds *rounds, unsigned round, struct place *order,
    size_t *ran)
{
	size_t count = rounds_choose(rounds, round, order);

	*ran = count;
	rounds_shuffle(rounds, order, count);
	for (size_t i = 0; i < count; i++) {
		rounds_progress(rounds, order[i].series);
		if (!rounds_run_one(rounds, order[i].series))
			return false;
		rounds->done++;
	}
	return true;
}

bool
rounds_run(struct rounds *rounds)
{
	struct place *order = calloc(rounds->count + 1, sizeof(*order));
	unsigned iterations = rounds->options.iterations;
	unsigned last = rounds->options.more ? 2 * iterations : iterations;
	bool goes_on = order != NULL;
	size_t ran = 1;

	proc_init();
	if (getrandom(&rounds->rng, sizeof(rounds->rng), 0) < 0 ||
	    rounds->rng == 0)
		rounds->rng = 1;
	rounds->begin_s = rounds_now_s();
	rounds->planned = rounds->count * iterations;
	rounds->xfer_ns = xfer_measure_ns();
	for (unsigned round = 0; goes_on && round < last; round++) {
		goes_on = rounds_round(rounds, round, order, &ran);
		if (ran == 0)
			break;
	}
	for (size_t i = 0; i < rounds->count; i++)
		series_settle(&rounds->series[i], &rounds->pace);
	if (isatty(STDERR_FILENO) == 1)
		(void)fprintf(stderr, "\r\033[K");
	free(order);
	return goes_on;
}
