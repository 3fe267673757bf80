/* SPDX-License-Identifier: BSD-2-Clause */
/* batch.c - memory of batches; see batch.h. */
#include "batch.h"

#include <stdlib.h>
#include <string.h>

/*
 * Make room for `need` elements, at least doubling what there is.  Returns the
 * array, or NULL: no memory, and the old one is as it was.
 */
static void *
batch_reserve(void *array, size_t *capacity, size_t need, size_t element)
{
	size_t larger = *capacity * 2 > need ? *capacity * 2 : need;

	if (need <= *capacity)
		return array;
	array = realloc(array, larger * element);
	if (array != NULL)
		*capacity = larger;
	return array;
}

struct batch *
batch_new(void)
{
	return calloc(1, sizeof(struct batch));
}

void
batch_free(struct batch *b)
{
	if (b == NULL)
		return;
	arena_clear(&b->text, 0);
	free(b->raw);
	free(b->spans);
	free(b->cells);
	free(b->rejects);
	free(b->misfits);
	free(b);
}

/* Free an array that has grown beyond what is kept. */
static void *
batch_trim(void *array, size_t *capacity, size_t element)
{
	if (*capacity * element <= BATCH_KEEP_BYTES)
		return array;
	free(array);
	*capacity = 0;
	return NULL;
}

void
batch_clear(struct batch *b)
{
	b->raw = batch_trim(b->raw, &b->raw_capacity, 1);
	b->spans = batch_trim(b->spans, &b->span_capacity, sizeof *b->spans);
	b->cells = batch_trim(b->cells, &b->cell_capacity, sizeof *b->cells);
	b->rejects =
	    batch_trim(b->rejects, &b->reject_capacity, sizeof *b->rejects);
	arena_clear(&b->text, BATCH_KEEP_BYTES);
	b->bytes = 0;
	b->raw_size = 0;
	b->span_count = 0;
	b->rows = 0;
	b->reject_count = 0;
	b->filtered = 0;
	b->last = false;
	b->read_ns = b->cut_ns = b->parse_ns = 0;
	if (b->columns > 0)
		memset(b->misfits, 0, b->columns * sizeof *b->misfits);
}

int
batch_append(struct batch *b, const char *bytes, size_t size)
{
	char *raw =
	    batch_reserve(b->raw, &b->raw_capacity, b->raw_size + size, 1);

	if (raw == NULL)
		return -1;
	b->raw = raw;
	memcpy(raw + b->raw_size, bytes, size);
	b->raw_size += size;
	return 0;
}

int
batch_add_span(struct batch *b, struct span span)
{
	struct span *spans = batch_reserve(b->spans, &b->span_capacity,
	    b->span_count + 1, sizeof *spans);

	if (spans == NULL)
		return -1;
	b->spans = spans;
	spans[b->span_count++] = span;
	return 0;
}

int
batch_add_reject(struct batch *b, struct reject reject)
{
	struct reject *rejects = batch_reserve(b->rejects, &b->reject_capacity,
	    b->reject_count + 1, sizeof *rejects);

	if (rejects == NULL)
		return -1;
	b->rejects = rejects;
	rejects[b->reject_count++] = reject;
	return 0;
}

int
batch_set_columns(struct batch *b, size_t columns)
{
	uint64_t *misfits;

	if (columns == b->columns)
		return 0;
	misfits = calloc(columns, sizeof *misfits);
	if (misfits == NULL)
		return -1;
	free(b->misfits);
	b->misfits = misfits;
	b->columns = columns;
	return 0;
}

struct value *
batch_next_row(struct batch *b)
{
	struct value *cells = batch_reserve(b->cells, &b->cell_capacity,
	    (b->rows + 1) * b->columns, sizeof *cells);

	if (cells == NULL)
		return NULL;
	b->cells = cells;
	return cells + b->rows * b->columns;
}

int
batch_reject_span(struct batch *b, const struct span *span, const char *reason)
{
	return batch_add_reject(b,
	    (struct reject){ .reason = reason,
		.raw = b->raw + span->start,
		.size = span->body,
		.offset = b->offset + span->start,
		.line = b->line + span->line });
}
