/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plain.h - the report as plain text.
 */
#ifndef BENCH_PLAIN_H
#define BENCH_PLAIN_H

#include "findings.h"
#include "results.h"

#include <stdio.h>

/** Print it. */
void plain_report(FILE *out, const struct results *results,
    const struct findings *findings);

#endif /* BENCH_PLAIN_H */
