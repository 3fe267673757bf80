/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * results.c - from a file of results to what they say beside each other.
 *
 * The file has said of each series whether it may be judged.  A comparison may
 * be when both of its sides may; what may not is still computed, and marked.
 * Times from different states of the machine are not compared at all: the
 * quotient would say which of the two was lucky.
 */
#include "results.h"

#include "list.h"
#include "series.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the peers on the machine on which the budgets were set, near, 2 workers:
 * the best.  Goals are relative to these figures, so they do not change. */
static const struct record {
	const char *bench; /* of the suite micro */
	double ns;
} records[] = {
	{ "pingpong", 56 },
	{ "count", 32 },
	{ "nto1", 23 },
	{ "ring", 59 },
	{ "fjthrput", 32 },
	{ "fjcreate", 264 },
	{ "big", 88 },
	{ "fib", 197 },
};

#define RESULTS_LEAST 1e-6
#define RESULTS_MOST  1e15

/* ------------------------------------------------------------- reading --- */

/* The number that stands for a runtime; -1: there are too many. */
static int
results_runtime(struct results *results, const char *name)
{
	int i;

	for (i = 0; i < results->runtimes_count; i++) {
		if (strcmp(results->runtimes[i], name) == 0)
			return i;
	}
	if (i == RESULTS_RUNTIMES)
		return -1;
	results->runtimes[results->runtimes_count++] = name;
	return i;
}

static bool
results_flag(const struct json *json, const char *name)
{
	const struct json *flag = json_get(json, name);

	return flag != NULL && flag->type == JSON_TRUE;
}

double
result_number(const struct result *result, const char *name)
{
	double number = json_number(result->json, name);

	return number >= RESULTS_LEAST && number <= RESULTS_MOST ? number : 0;
}

/* A count, as far as it is one. */
static unsigned
results_count(const struct json *json, const char *name)
{
	double number = json_number(json, name);

	return number >= 1 && number <= 1e6 ? (unsigned)number : 0;
}

static bool
results_same_params(const struct json *a, const struct json *b)
{
	const struct json *x = json_get(a, "params");
	const struct json *y = json_get(b, "params");

	x = x != NULL ? x->first : NULL;
	y = y != NULL ? y->first : NULL;
	for (; x != NULL && y != NULL; x = x->next, y = y->next) {
		if (x->name == NULL || y->name == NULL ||
		    strcmp(x->name, y->name) != 0 || x->number != y->number)
			return false;
	}
	return x == NULL && y == NULL;
}

/* The number of the benchmark that a result is of: that of the first result of
 * the same, or one more than there are. */
static size_t
results_bench(const struct results *results, const struct result *result)
{
	size_t benches = 0;

	for (size_t i = 0; i < results->count; i++) {
		const struct result *r = &results->list[i];

		if (strcmp(r->suite, result->suite) == 0 &&
		    strcmp(r->bench, result->bench) == 0 &&
		    results_same_params(r->json, result->json))
			return r->bench_at;
		if (r->bench_at + 1 > benches)
			benches = r->bench_at + 1;
	}
	return benches;
}

static void
results_fill(struct result *r, const struct json *json)
{
	*r = (struct result){
		.json = json,
		.suite = json_text(json, "suite"),
		.bench = json_text(json, "bench"),
		.unit = json_text(json, "unit"),
		.state = json_text(json, "state"),
		.size = json_text(json, "size"),
		.workers = results_count(json, "workers"),
		.runs = results_count(json, "runs"),
		.valid = results_flag(json, "valid"),
		.judged = results_flag(json, "judged"),
	};
	r->value = result_number(r, "value");
	r->min = result_number(r, "min");
	r->p90 = result_number(r, "p90");
	r->max = result_number(r, "max");
	r->peak_mb = result_number(r, "peak_mb");
	r->cpu_s = result_number(r, "cpu_s");
	r->is_time =
	    strcmp(r->unit, "bytes") != 0 && strcmp(r->unit, "per_s") != 0;
	/* What was not right has no figure, whatever the file says. */
	r->valid = r->valid && r->runs > 0;
	r->judged = r->judged && r->valid;
}

static void
results_add(struct results *results, const struct json *json)
{
	struct result *r = &results->list[results->count];
	int runtime;

	results_fill(r, json);
	if (*r->bench == '\0' || r->workers == 0)
		return; /* this is no series */
	runtime = results_runtime(results, json_text(json, "runtime"));
	if (runtime < 0) {
		results->left_out++;
		return;
	}
	r->runtime = runtime;
	r->order = results->count;
	r->bench_at = results_bench(results, r);
	results->count++;
}

/* Benchmarks in the file's order, and in each first by workers. */
static int
results_compare(const void *a, const void *b)
{
	const struct result *x = a;
	const struct result *y = b;

	if (x->bench_at != y->bench_at)
		return x->bench_at < y->bench_at ? -1 : 1;
	if (x->workers != y->workers)
		return x->workers < y->workers ? -1 : 1;
	if (x->runtime != y->runtime)
		return x->runtime < y->runtime ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

static void
results_group(struct results *results)
{
	qsort(results->list, results->count, sizeof(results->list[0]),
	    results_compare);
	for (size_t i = 0; i < results->count; i++) {
		const struct result *r = &results->list[i];
		struct result_bench *bench = &results->benches[r->bench_at];

		if (bench->count++ == 0)
			bench->first = r;
		if (r->bench_at + 1 > results->benches_count)
			results->benches_count = r->bench_at + 1;
	}
	/* What budgets are for, or else the most there is below. */
	for (unsigned w = 0; (w = results_next_workers(results, w)) != 0;) {
		if (results->workers == 0 || w <= RESULTS_WORKERS)
			results->workers = w;
	}
}

bool
results_read(struct results *results, const char *path)
{
	const struct json *first;
	size_t room = 0;

	memset(results, 0, sizeof(*results));
	if (!json_read(&results->file, path)) {
		if (results->file.line > 0)
			(void)fprintf(stderr, "bench: %s:%zu: %s\n", path,
			    results->file.line, results->file.error);
		else
			(void)fprintf(stderr, "bench: cannot read %s: %s\n",
			    path, results->file.error);
		return false;
	}
	first = results->file.first;
	if (json_get(first, "results") != NULL) {
		results->head = first;
		first = json_get(first, "results")->first;
	}
	for (const struct json *json = first; json != NULL; json = json->next)
		room++;
	results->list = calloc(room + 1, sizeof(results->list[0]));
	results->benches = calloc(room + 1, sizeof(results->benches[0]));
	if (results->list == NULL || results->benches == NULL) {
		(void)fprintf(stderr, "bench: out of memory\n");
		return false;
	}
	results->runtimes[results->runtimes_count++] = SERIES_OURS;
	for (const struct json *json = first; json != NULL; json = json->next)
		results_add(results, json);
	results_group(results);
	if (results->count == 0)
		(void)fprintf(stderr, "bench: %s has no results\n", path);
	return results->count > 0;
}

void
results_free(struct results *results)
{
	free(results->list);
	free(results->benches);
	json_free(&results->file);
	memset(results, 0, sizeof(*results));
}

/* ------------------------------------------------------------- finding --- */

const struct result *
results_find(const struct result_bench *bench, unsigned workers, int runtime)
{
	for (size_t i = 0; i < bench->count; i++) {
		if (bench->first[i].workers == workers &&
		    bench->first[i].runtime == runtime)
			return &bench->first[i];
	}
	return NULL;
}

bool
results_is_peer(const struct results *results, int runtime)
{
	return runtime > 0 &&
	    strcmp(results->runtimes[runtime], SERIES_OTHER) != 0;
}

unsigned
results_next_workers(const struct results *results, unsigned above)
{
	unsigned next = 0;

	for (size_t i = 0; i < results->count; i++) {
		unsigned workers = results->list[i].workers;

		if (workers > above && (next == 0 || workers < next))
			next = workers;
	}
	return next;
}

/* ------------------------------------------------------------- budgets --- */

/* What this program knows of a benchmark; NULL: nothing. */
static const struct bench_case *
result_case(const struct result *result)
{
	const struct bench_case *c;

	for (size_t at = 0; (c = bench_at(at)) != NULL; at++) {
		if (strcmp(c->suite, result->suite) == 0 &&
		    strcmp(c->name, result->bench) == 0)
			return c;
	}
	return NULL;
}

double
result_budget_value(const struct result *result, const char **unit)
{
	const struct json *ratio = json_get(result->json, "ratio");

	*unit = ratio != NULL ? "" : result->unit;
	return ratio != NULL ? result_number(result, "ratio") : result->value;
}

enum budget
result_budget(const struct result *result, bool *judged)
{
	const struct bench_case *c = result_case(result);
	const char *unit;
	double value = result_budget_value(result, &unit);
	bool any_state = !result->is_time || *unit == '\0';

	*judged = false;
	if (json_get(result->json, "must") == NULL || result->runtime != 0 ||
	    !result->valid)
		return BUDGET_NONE;
	if (result->workers != RESULTS_WORKERS &&
	    (c == NULL || c->workers != result->workers))
		return BUDGET_NONE;
	*judged = result->runs >= JUDGED_RUNS &&
	    strcmp(result->size, bench_size_name(BENCH_SMALL)) != 0 &&
	    (any_state || result->judged);
	if (value <= result_number(result, "aim"))
		return BUDGET_AIM;
	return value <= result_number(result, "must") ? BUDGET_MUST :
							BUDGET_MISSED;
}

double
results_record(const struct result *result)
{
	if (strcmp(result->suite, "micro") != 0)
		return 0;
	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		if (strcmp(records[i].bench, result->bench) == 0)
			return records[i].ns;
	}
	return 0;
}

/* --------------------------------------------------------- comparisons --- */

struct versus
results_versus(const struct result *ours, const struct result *other)
{
	struct versus v = { .other = NULL };

	if (ours == NULL || other == NULL || !ours->valid || !other->valid ||
	    !(ours->value > 0) || !(other->value > 0) ||
	    strcmp(ours->unit, other->unit) != 0 ||
	    (ours->is_time && strcmp(ours->state, other->state) != 0))
		return v;
	v.other = other;
	v.ratio = other->value / ours->value;
	v.judged = ours->judged && other->judged;
	return v;
}

/* The best is known only when all peers that were right may be judged: the one
 * that was not could have been it. */
struct versus
results_best(const struct results *results, const struct result_bench *bench,
    unsigned workers)
{
	const struct result *ours = results_find(bench, workers, 0);
	struct versus best = { .other = NULL };
	bool judged = true;

	for (int i = 1; i < results->runtimes_count; i++) {
		const struct result *peer = results_find(bench, workers, i);
		struct versus v = results_versus(ours, peer);

		if (!results_is_peer(results, i))
			continue;
		if (peer != NULL && peer->valid && !v.judged)
			judged = false;
		if (v.other != NULL &&
		    (best.other == NULL || v.ratio < best.ratio))
			best = v;
	}
	best.judged = best.other != NULL && judged;
	return best;
}

/* From sums and counts of what is not judged, and of what is. */
static struct mean
results_mean_of(const double logarithms[2], const size_t counts[2])
{
	bool judged = counts[true] > 0;
	struct mean mean = { .count = counts[judged],
		.all = counts[false] + counts[true],
		.judged = judged };

	if (mean.count > 0)
		mean.value = exp(logarithms[judged] / (double)mean.count);
	return mean;
}

struct mean
results_mean(const struct results *results, int runtime, unsigned workers)
{
	double sums[2] = { 0, 0 };
	size_t counts[2] = { 0, 0 };

	for (size_t i = 0; i < results->benches_count; i++) {
		const struct result_bench *bench = &results->benches[i];
		struct versus v = runtime == 0 ?
		    results_best(results, bench, workers) :
		    results_versus(results_find(bench, workers, 0),
			results_find(bench, workers, runtime));

		if (v.other == NULL)
			continue;
		sums[v.judged] += log(v.ratio);
		counts[v.judged]++;
	}
	return results_mean_of(sums, counts);
}

struct mean
results_record_mean(const struct results *results)
{
	double sums[2] = { 0, 0 };
	size_t counts[2] = { 0, 0 };
	bool judged;

	for (size_t i = 0; i < results->count; i++) {
		const struct result *r = &results->list[i];

		if (result_budget(r, &judged) == BUDGET_NONE ||
		    !(results_record(r) > 0) || !(r->value > 0))
			continue;
		sums[judged] += log(results_record(r) / r->value);
		counts[judged]++;
	}
	return results_mean_of(sums, counts);
}

struct versus
results_scaling(const struct result_bench *bench, const struct result *result)
{
	const struct result *one = results_find(bench, 1, result->runtime);

	if (one == NULL || result->workers == 1 || !result->is_time)
		return (struct versus){ .other = NULL };
	return results_versus(result, one);
}
