/* SPDX-License-Identifier: BSD-2-Clause */
/* progress.h - how far the load is, as a line of text. */
#ifndef INGEST_PROGRESS_H
#define INGEST_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PROGRESS_LINE_MAX = 256 };

/* Sums over the run so far; times are those the stages were busy. */
struct progress {
	uint64_t total_bytes;
	uint64_t bytes;
	uint64_t rows;
	unsigned parsers;
	int64_t read_ns;
	int64_t cut_ns;
	int64_t parse_ns; /* of all parsers */
	int64_t write_ns;
};

/* The stage that was busy for the largest part of the time. */
const char *progress_bottleneck(const struct progress *p);

/*
 * Write the line: for a terminal a bar that overwrites the last one, else a
 * plain line.  Returns its length.
 */
size_t progress_format(const struct progress *p, int64_t elapsed_ns,
    bool terminal, char line[PROGRESS_LINE_MAX]);

#endif
