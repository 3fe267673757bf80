/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.h - what troupe-bench says of its runs: a table, CSV, or JSON.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "rounds.h"

#include <stdio.h>

/** What JSON files of this form call themselves. */
#define REPORT_SCHEMA "troupe-bench/1"

struct report_head {
	int64_t began_s; /* since 1970 */
	double took_s;
	bool complete; /* else it was interrupted */
};

/** Print an aligned table. */
void report_table(FILE *out, const struct rounds *rounds);

/** Print comma-separated values, a line for each series below their names. */
void report_csv(FILE *out, const struct rounds *rounds);

/** Print an object on a line for each series. */
void report_json_lines(FILE *out, const struct rounds *rounds);

/** Print one object: the machine, the options, and all series. */
void report_json(FILE *out, const struct rounds *rounds,
    const struct report_head *head);

/** Whether the results of all runs of a series were right. */
bool report_is_valid(const struct series *series);

/** Whether a conclusion may be compared with budgets and peers. */
bool report_is_judged(const struct series *series, const struct summary *sum);

#endif /* BENCH_REPORT_H */
