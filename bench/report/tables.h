/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tables.h - the page's sections that are made of tables.
 */
#ifndef BENCH_TABLES_H
#define BENCH_TABLES_H

#include "findings.h"
#include "results.h"

#include <stdio.h>

/** Where we lose. */
void tables_findings(FILE *out, const struct results *results,
    const struct findings *findings);

/** Ours beside the peers', with the geometric means. */
void tables_ratios(FILE *out, const struct results *results);

/** The budgets; nothing when there is none. */
void tables_budgets(FILE *out, const struct results *results);

/** All figures of one benchmark. */
void tables_figures(FILE *out, const struct results *results,
    const struct result_bench *bench);

/** How much faster more workers are. */
void tables_scaling(FILE *out, const struct results *results);

/** Memory and processor time. */
void tables_memory(FILE *out, const struct results *results);

#endif /* BENCH_TABLES_H */
