/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * batch.h - a run of whole rows on its way from the file to the database.
 *
 * A batch has one owner at a time.  The slicer fills the first part: bytes of
 * the file and where each row lies in them.  The parser fills the second:
 * typed values ready for the database, and the rejects.  The writer reads
 * both; then the batch is cleared and used again.  The number of batches is
 * what bounds memory, so an empty batch is the credit to cut another one.
 */
#ifndef INGEST_BATCH_H
#define INGEST_BATCH_H

#include "arena.h"
#include "cutter.h"
#include "value.h"

#include <stdint.h>

enum {
	BATCH_BYTES = 256 << 10, /* a batch is full at this size ... */
	BATCH_ROWS = 8192, /* ... or at this many rows */
	BATCH_KEEP_BYTES = 1 << 20, /* buffers over this are not kept */
};

/* A row, or a region that the cutter rejects. */
struct span {
	uint32_t start; /* in the batch's raw bytes */
	uint32_t body; /* bytes without the line end */
	uint32_t size; /* bytes with it */
	uint32_t line; /* lines between the batch's first and this one */
	uint32_t kind; /* enum cut_kind */
};

struct reject {
	const char *reason; /* a literal, or in the batch's arena */
	const char *raw; /* the bytes, without the line end */
	size_t size;
	uint64_t offset; /* in the file */
	uint64_t line; /* the first one is 1 */
};

struct input;

struct batch {
	/* What was cut. */
	const struct input *input; /* the file */
	uint64_t sequence; /* 0 is a file's first batch */
	uint64_t offset; /* in the file, of raw[0] */
	uint64_t line; /* number of raw[0]'s line */
	uint64_t bytes; /* of the file, up to the next batch */
	char *raw;
	size_t raw_size;
	size_t raw_capacity;
	struct span *spans;
	size_t span_count;
	size_t span_capacity;
	uint64_t rows_read; /* of the file, with this batch's */
	bool last; /* of its file */

	/* What was parsed. */
	struct value *cells; /* row by row */
	size_t rows;
	size_t cell_capacity;
	struct reject *rejects;
	size_t reject_count;
	size_t reject_capacity;
	uint64_t filtered;
	uint64_t *misfits; /* per column: values kept as text */
	size_t columns; /* of the table */
	struct arena text;

	/* What it cost, for the progress line. */
	int64_t read_ns;
	int64_t cut_ns;
	int64_t parse_ns;
};

struct batch *batch_new(void);
void batch_free(struct batch *b);

/* Empty it for its next use. */
void batch_clear(struct batch *b);

/* Each returns 0, or -1: no memory. */
int batch_append(struct batch *b, const char *bytes, size_t size);
int batch_add_span(struct batch *b, struct span span);
int batch_add_reject(struct batch *b, struct reject reject);
int batch_set_columns(struct batch *b, size_t columns);

/* Room for one more row of values; NULL: no memory.  Counted by batch->rows. */
struct value *batch_next_row(struct batch *b);

/* The reject of a span; the reason must outlive the batch's contents. */
int batch_reject_span(struct batch *b, const struct span *span,
    const char *reason);

#endif
