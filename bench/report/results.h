/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * results.h - a file of results, put in order for a report.
 */
#ifndef BENCH_RESULTS_H
#define BENCH_RESULTS_H

#include <stdbool.h>
#include <stddef.h>

#include "json.h"

enum {
	RESULTS_RUNTIMES = 8, /* further ones are left out, and counted */
	RESULTS_WORKERS = 2, /* what budgets are for */
};

/** A series: a benchmark with a number of workers in one runtime. */
struct result {
	const struct json *json; /* what else is known of it */
	const char *suite;
	const char *bench;
	const char *unit;
	const char *state;
	const char *size;
	size_t order; /* in the file */
	size_t bench_at; /* in struct results */
	int runtime; /* in struct results; 0: ours */
	unsigned workers;
	unsigned runs;
	bool valid;
	bool judged; /* as the file says */
	bool is_time; /* so that the machine's state matters */
	double value; /* median and so on; 0: there is none */
	double min;
	double p90;
	double max;
	double peak_mb;
	double cpu_s;
};

/** A benchmark with its parameters, and its series. */
struct result_bench {
	const struct result *first; /* by workers, then by runtime */
	size_t count;
};

struct results {
	const struct json *head; /* machine, options; NULL: only series */
	struct result *list;
	size_t count;
	struct result_bench *benches;
	size_t benches_count;
	const char *runtimes[RESULTS_RUNTIMES]; /* ours first */
	int runtimes_count;
	size_t left_out; /* series of further runtimes */
	unsigned workers; /* those of the comparisons that are shown first */
	/* Private. */
	struct json_file file;
};

/** How a result stands to its budget. */
enum budget {
	BUDGET_NONE, /* it has none, or none for so many workers */
	BUDGET_AIM,
	BUDGET_MUST,
	BUDGET_MISSED,
};

/** A quotient of two results' values, above 1 in our favour. */
struct versus {
	const struct result *other; /* NULL: there is nothing to compare */
	double ratio;
	bool judged;
};

/** A geometric mean. */
struct mean {
	double value;
	size_t count; /* of how many; 0: there is none */
	size_t all; /* how many there are, judged or not */
	bool judged; /* those that count were; else none was */
};

/**
 * Read a file that `run` has written.  Returns false with a message on stderr
 * when there are no results.  To be freed in either case.
 */
bool results_read(struct results *results, const char *path);

void results_free(struct results *results);

/** The series of a benchmark with so many workers; NULL: there is none. */
const struct result *results_find(const struct result_bench *bench,
    unsigned workers, int runtime);

/** A member of a series that is a figure; 0 for what can be none: what is
 * negative, endless, or too small or large to be drawn. */
double result_number(const struct result *result, const char *name);

/** Whether a runtime is another's, and not another build of ours. */
bool results_is_peer(const struct results *results, int runtime);

/** The value that budgets speak of; the unit changes with it, to "" where the
 * value is a quotient. */
double result_budget_value(const struct result *result, const char **unit);

/** How a result stands to its budget, and whether that is a verdict. */
enum budget result_budget(const struct result *result, bool *judged);

/** Compare ours with a runtime's.  Results in different states of the machine
 * are not compared. */
struct versus results_versus(const struct result *ours,
    const struct result *other);

/** Compare ours with the best peer's. */
struct versus results_best(const struct results *results,
    const struct result_bench *bench, unsigned workers);

/** The mean of all comparisons with a runtime (0: with the best peer): of those
 * that are judged, or of all of them where none is. */
struct mean results_mean(const struct results *results, int runtime,
    unsigned workers);

/**
 * How many times faster a result is than the same with one worker; 0: not
 * known.
 */
struct versus results_scaling(const struct result_bench *bench,
    const struct result *result);

/** What the best peer took when the budgets were set, in ns; 0: not known. */
double results_record(const struct result *result);

/** The mean of that and ours, of what has a budget. */
struct mean results_record_mean(const struct results *results);

/**
 * The next number of workers above `above` that there is; 0: none.
 */
unsigned results_next_workers(const struct results *results, unsigned above);

#endif /* BENCH_RESULTS_H */
