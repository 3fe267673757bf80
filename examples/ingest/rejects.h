/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rejects.h - writes the rows that were not loaded to a file.
 *
 * The file is CSV itself: line, offset, reason, raw, file.  `line` is where
 * the region begins (1 is the first), `offset` its first byte's place in the
 * input, `raw` its bytes without the line end (the first 64 KiB of a malformed
 * region).  It is made with the first reject; one of an earlier run with the
 * same name is removed at the start, so that it does not mislead.
 */
#ifndef INGEST_REJECTS_H
#define INGEST_REJECTS_H

#include "batch.h"
#include "plan.h"

#include <stdio.h>

struct rejects {
	FILE *file; /* NULL: not made yet */
	const struct plan *plan;
	const struct input *input;
	uint64_t count; /* of the run */
};

/* Go on to the next input. */
void rejects_begin(struct rejects *r, const struct plan *plan,
    const struct input *input);

/* Write a batch's rejects; -1: the fault is filled, also when too many. */
int rejects_write(struct rejects *r, const struct batch *b,
    struct fault *fault);

void rejects_end(struct rejects *r);

#endif
