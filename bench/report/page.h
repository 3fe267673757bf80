/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page.h - the report as a page of HTML.
 */
#ifndef BENCH_PAGE_H
#define BENCH_PAGE_H

#include "findings.h"
#include "results.h"

#include <stdbool.h>
#include <stdio.h>

/**
 * Write it; `path` is the file that the results were read from, and becomes a
 * part of the page.  Returns false when that cannot be read again.
 */
bool page_write(FILE *out, const struct results *results,
    const struct findings *findings, const char *path);

#endif /* BENCH_PAGE_H */
