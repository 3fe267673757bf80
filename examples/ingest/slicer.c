/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slicer.c - see slicer.h.
 *
 * Bytes are appended to the batch in small pieces and cut at once, so that at
 * the end of a batch only the rest of a piece must be carried into the next
 * one.  The carry is read like a chunk that comes before the others; bytes of
 * it that are left over again are given back by moving its read position.
 *
 * A reject that is too long to keep is kept up to SLICER_KEEP_BYTES, for the
 * rejects file.  Its batch ends behind it, since offsets no longer agree.
 */
#include "slicer.h"

#include <stdlib.h>
#include <string.h>

enum { SLICER_PIECE_BYTES = 64 << 10, SLICER_KEEP_BYTES = 64 << 10 };

static const char byte_order_mark[3] = { '\xef', '\xbb', '\xbf' };

void
slicer_init(struct slicer *s, char delimiter, unsigned skip_rows, size_t limit)
{
	memset(s, 0, sizeof *s);
	cutter_init(&s->cutter, delimiter, limit);
	s->batch_bytes = BATCH_BYTES;
	s->batch_rows = BATCH_ROWS;
	s->keep = limit < SLICER_KEEP_BYTES ? limit : SLICER_KEEP_BYTES;
	s->line = 1;
	s->skip_rows = skip_rows;
}

void
slicer_fini(struct slicer *s)
{
	free(s->carry);
	s->carry = NULL;
}

void
slicer_give(struct slicer *s, struct batch *batch)
{
	s->batch = batch;
	s->row = 0;
	s->broken = false;
	batch->sequence = s->sequence++;
	batch->offset = s->position;
	batch->line = s->line;
}

/* Append the next piece, from the carry first; -1: no memory. */
static int
slicer_fill(struct slicer *s, const char **bytes, size_t *size)
{
	size_t left = s->carry_size - s->carry_at, piece;

	if (left > 0) {
		piece = left < SLICER_PIECE_BYTES ? left : SLICER_PIECE_BYTES;
		if (batch_append(s->batch, s->carry + s->carry_at, piece) != 0)
			return -1;
		s->carry_at += piece;
		return 0;
	}
	piece = *size < SLICER_PIECE_BYTES ? *size : SLICER_PIECE_BYTES;
	if (piece > 0 && batch_append(s->batch, *bytes, piece) != 0)
		return -1;
	*bytes += piece;
	*size -= piece;
	return 0;
}

/* Drop a byte order mark.  False: more bytes must show whether it is one. */
static bool
slicer_start(struct slicer *s, bool final)
{
	size_t have = s->batch->raw_size < 3 ? s->batch->raw_size : 3;

	if (have == 0 || memcmp(s->batch->raw, byte_order_mark, have) != 0) {
		s->started = have > 0;
		return s->started || final;
	}
	if (have < 3)
		return final;
	s->started = true;
	s->row = 3;
	s->position = 3;
	return true;
}

/* The current row is over: the next one starts behind it. */
static void
slicer_advance(struct slicer *s, const struct cut *cut)
{
	s->row += cut->size;
	s->position += cut->size;
	s->line += cut->lines;
}

static int
slicer_add(struct slicer *s, enum cut_kind kind, const struct cut *cut)
{
	size_t body = cut->body;

	if (s->skip_rows > 0) {
		s->skip_rows--;
		return 0;
	}
	if (kind != CUT_ROW && body > s->keep)
		body = s->keep;
	return batch_add_span(s->batch,
	    (struct span){ .start = (uint32_t)s->row,
		.body = (uint32_t)body,
		.size = (uint32_t)cut->size,
		.kind = kind,
		.line = (uint32_t)(s->line - s->batch->line) });
}

/*
 * A part of a reject that is too long.  The first part becomes the span, cut
 * short; what follows is dropped from behind it.
 */
static int
slicer_drop(struct slicer *s, const struct cut *cut)
{
	struct batch *b = s->batch;
	size_t drop = cut->size, rest;

	if (s->kept == 0) {
		if (slicer_add(s, s->cutter.fault, cut) != 0)
			return -1;
		s->kept = s->keep;
		s->row += s->keep;
		drop -= s->keep;
	}
	rest = b->raw_size - s->row - drop;
	memmove(b->raw + s->row, b->raw + s->row + drop, rest);
	b->raw_size = s->row + rest;
	s->position += cut->size;
	s->line += cut->lines;
	return 0;
}

/* The last part of such a reject. */
static void
slicer_drop_last(struct slicer *s, const struct cut *cut)
{
	slicer_advance(s, cut);
	s->kept = 0;
	s->broken = true;
}

static bool
slicer_is_full(const struct slicer *s)
{
	if (s->kept != 0)
		return false;
	return s->broken || s->row >= s->batch_bytes ||
	    s->batch->span_count >= s->batch_rows;
}

/* Cut what the batch holds. */
static enum slicer_result
slicer_cut(struct slicer *s, bool final)
{
	struct cut cut;

	while (!slicer_is_full(s)) {
		enum cut_kind kind =
		    cutter_next(&s->cutter, s->batch->raw + s->row,
			s->batch->raw_size - s->row, final, &cut);

		if (kind == CUT_MORE)
			return SLICER_HUNGRY;
		if (kind == CUT_END)
			return SLICER_END;
		if (kind == CUT_PART) {
			if (slicer_drop(s, &cut) != 0)
				return SLICER_NO_MEMORY;
			continue;
		}
		if (s->kept != 0) {
			slicer_drop_last(s, &cut);
			continue;
		}
		if (kind != CUT_BLANK && slicer_add(s, kind, &cut) != 0)
			return SLICER_NO_MEMORY;
		slicer_advance(s, &cut);
	}
	return SLICER_FULL;
}

enum slicer_result
slicer_feed(struct slicer *s, const char **bytes, size_t *size, bool final)
{
	enum slicer_result result = SLICER_HUNGRY;
	bool end = false;

	while (result == SLICER_HUNGRY && !end) {
		if (s->carry_at == s->carry_size && *size == 0 && !final)
			return SLICER_HUNGRY;
		if (slicer_fill(s, bytes, size) != 0)
			return SLICER_NO_MEMORY;
		end = final && s->carry_at == s->carry_size && *size == 0;
		if (!s->started && !slicer_start(s, end))
			continue;
		if (s->batch->raw == NULL)
			return SLICER_END;
		result = slicer_cut(s, end);
	}
	return result;
}

/* Keep what lies behind the batch's rows for the next batch. */
static int
slicer_carry(struct slicer *s)
{
	size_t rest = s->batch->raw_size - s->row;
	char *carry;

	if (s->carry_at < s->carry_size) {
		s->carry_at -= rest;
		return 0;
	}
	carry = malloc(rest + 1);
	if (carry == NULL)
		return -1;
	if (rest > 0)
		memcpy(carry, s->batch->raw + s->row, rest);
	free(s->carry);
	s->carry = carry;
	s->carry_size = rest;
	s->carry_at = 0;
	return 0;
}

struct batch *
slicer_take(struct slicer *s)
{
	struct batch *b = s->batch;

	if (slicer_carry(s) != 0)
		return NULL;
	cutter_restart(&s->cutter);
	b->raw_size = s->row;
	b->bytes = s->position - b->offset;
	s->batch = NULL;
	return b;
}
