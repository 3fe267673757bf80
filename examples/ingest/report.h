/* SPDX-License-Identifier: BSD-2-Clause */
/* report.h - what is said at the end. */
#ifndef INGEST_REPORT_H
#define INGEST_REPORT_H

#include "pipeline.h"

/* What became of each input, and the throughput, to standard output. */
void report_print(const struct load *load, int64_t elapsed_ns);

/*
 * After a fault or a signal, to standard error: what is in the database and
 * what is not.
 */
void report_partial(const struct load *load);

#endif
