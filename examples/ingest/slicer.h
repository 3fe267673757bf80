/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slicer.h - cuts a file that comes in chunks into batches of whole rows.
 *
 * It keeps the bytes that the cutter still needs, drops a byte order mark at
 * the start of the file, skips the header, and counts lines and offsets.  The
 * rows do not depend on the chunks; where one batch ends and the next begins
 * may.
 *
 *     slicer_give(s, batch);
 *     while ((what = slicer_feed(s, &bytes, &size, final)) != SLICER_HUNGRY)
 *             ... slicer_take(s) ... slicer_give(s, another);
 */
#ifndef INGEST_SLICER_H
#define INGEST_SLICER_H

#include "batch.h"
#include "cutter.h"

enum slicer_result {
	SLICER_HUNGRY, /* all bytes were used: more are needed */
	SLICER_FULL, /* take the batch, give another, go on */
	SLICER_END, /* the file's last batch, perhaps without rows */
	SLICER_NO_MEMORY,
};

struct slicer {
	struct cutter cutter;
	struct batch *batch;
	size_t row; /* start of the current row in batch->raw */
	uint64_t position; /* the same in the file */
	uint64_t line; /* the same as a line number */
	uint64_t sequence; /* of the next batch */
	unsigned skip_rows; /* rows still to drop: the header */
	bool started; /* past the byte order mark */
	bool broken; /* the batch ends here: bytes were dropped */
	size_t batch_bytes; /* a batch is full at this size ... */
	size_t batch_rows; /* ... or at this many rows; tests lower both */
	size_t keep; /* bytes of a reject that are kept at most */
	size_t kept; /* bytes kept of a reject that goes on; 0: none does */
	char *carry; /* bytes behind the last batch's rows, ... */
	size_t carry_size;
	size_t carry_at; /* ... read up to here */
};

void slicer_init(struct slicer *s, char delimiter, unsigned skip_rows,
    size_t limit);
void slicer_fini(struct slicer *s);

/* Give it an empty batch to fill; it has none. */
void slicer_give(struct slicer *s, struct batch *batch);

/*
 * Use bytes: *bytes and *size move on.  `final` says that the file ends behind
 * them.  It must have a batch.
 */
enum slicer_result slicer_feed(struct slicer *s, const char **bytes,
    size_t *size, bool final);

/* Take the batch after SLICER_FULL or SLICER_END; NULL: no memory. */
struct batch *slicer_take(struct slicer *s);

#endif
