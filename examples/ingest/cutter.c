/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cutter.c - the CSV state machine behind cutter.h.
 *
 * Speed comes from never looking at single bytes: memchr() finds the line end,
 * then whether a quote or a CR lies before it.  A plain row of 75 bytes costs
 * three short memchr() calls.  The line end that was found is remembered while
 * quoted fields before it are passed, so each byte is searched once.
 *
 * Only bytes that were looked at with a final verdict count as `seen`; a CR or
 * a closing quote at the very end of what is there waits for its next byte.
 */
#include "cutter.h"

#include <string.h>

void
cutter_init(struct cutter *c, char delimiter, size_t limit)
{
	memset(c, 0, sizeof *c);
	c->delimiter = delimiter;
	c->limit = limit;
}

void
cutter_restart(struct cutter *c)
{
	c->seen = 0;
	c->quote = 0;
	c->end = 0;
	c->end_length = 0;
	c->quoted = false;
	c->dropping = false;
	c->state = CUTTER_PLAIN;
}

uint64_t
cutter_count_lines(const char *bytes, size_t size)
{
	const char *at, *end = bytes + size;
	uint64_t lines = 0;

	for (at = bytes; (at = memchr(at, '\n', (size_t)(end - at))); at++)
		lines++;
	for (at = bytes; (at = memchr(at, '\r', (size_t)(end - at))); at++)
		lines += at + 1 == end || at[1] != '\n';
	return lines;
}

/*
 * Find the first line end at or behind `from`.  Returns its position, with its
 * length in *length; or `size` with length 0 when there is none.  A CR at the
 * end of bytes that are not final has length 0 too.
 */
static size_t
cutter_line_end(const char *row, size_t from, size_t size, bool final,
    size_t *length)
{
	const char *lf, *cr;
	size_t end;

	lf = memchr(row + from, '\n', size - from);
	end = lf != NULL ? (size_t)(lf - row) : size;
	cr = memchr(row + from, '\r', end - from);
	if (cr == NULL) {
		*length = lf != NULL;
		return end;
	}
	end = (size_t)(cr - row);
	if (end + 1 == size)
		*length = final;
	else
		*length = row[end + 1] == '\n' ? 2 : 1;
	return end;
}

/* The region of `size` bytes is done: the next one starts behind it. */
static enum cut_kind
cutter_finish(struct cutter *c, enum cut_kind kind, const char *row,
    size_t body, size_t length, struct cut *cut)
{
	cut->body = body;
	cut->size = body + length;
	if (c->quoted)
		cut->lines = cutter_count_lines(row, cut->size);
	else
		cut->lines = length != 0;
	if (kind == CUT_ROW && body == 0)
		kind = CUT_BLANK;
	cutter_restart(c);
	return kind;
}

/* Reject up to the line end at or behind `from`. */
static enum cut_kind
cutter_skip(struct cutter *c, const char *row, size_t from, size_t size,
    bool final, struct cut *cut)
{
	size_t end, length;

	end = cutter_line_end(row, from, size, final, &length);
	if (length != 0 || (final && end == size))
		return cutter_finish(c, c->fault, row, end, length, cut);
	c->state = CUTTER_SKIP;
	c->seen = end;
	if (end == 0 || (end <= c->limit && !c->dropping))
		return CUT_MORE;
	cut->size = cut->body = end;
	cut->lines = c->quoted ? cutter_count_lines(row, end) : 0;
	c->seen = 0;
	c->quoted = false;
	c->dropping = true;
	return CUT_PART;
}

static enum cut_kind
cutter_reject(struct cutter *c, enum cut_kind fault, const char *row,
    size_t from, size_t size, bool final, struct cut *cut)
{
	c->fault = fault;
	return cutter_skip(c, row, from, size, final, cut);
}

/* Find the first quote in [from, end) that stands at a field's start. */
static size_t
cutter_opening(const struct cutter *c, const char *row, size_t from, size_t end)
{
	const char *quote;

	while (from < end) {
		quote = memchr(row + from, '"', end - from);
		if (quote == NULL)
			return end;
		if (quote == row || quote[-1] == c->delimiter)
			return (size_t)(quote - row);
		from = (size_t)(quote - row) + 1;
	}
	return end;
}

/*
 * Outside quotes: look for a line end, or a quote that opens before it.
 * Returns CUT_PART when a quote has opened.
 */
static enum cut_kind
cutter_plain(struct cutter *c, const char *row, size_t size, bool final,
    struct cut *cut)
{
	size_t end, open, stop;

	if (c->end < c->seen || c->end_length == 0)
		c->end =
		    cutter_line_end(row, c->end < c->seen ? c->seen : c->end,
			size, final, &c->end_length);
	end = c->end;
	stop = end < c->limit ? end : c->limit;
	open = cutter_opening(c, row, c->seen, stop);
	if (open < stop) {
		c->state = CUTTER_QUOTED;
		c->quoted = true;
		c->quote = open;
		c->seen = open + 1;
		return CUT_PART;
	}
	if (end > c->limit)
		return cutter_reject(c, CUT_TOO_LONG, row,
		    c->seen > c->limit ? c->seen : c->limit, size, final, cut);
	if (c->end_length == 0 && !final) {
		c->seen = end;
		return CUT_MORE;
	}
	return cutter_finish(c, CUT_ROW, row, end, c->end_length, cut);
}

/* Inside quotes: look for the quote that closes.  Returns CUT_PART then. */
static enum cut_kind
cutter_quoted(struct cutter *c, const char *row, size_t size, bool final,
    struct cut *cut)
{
	size_t stop = size < c->limit ? size : c->limit;
	const char *quote = NULL;
	size_t next;

	if (c->seen < stop)
		quote = memchr(row + c->seen, '"', stop - c->seen);
	if (quote == NULL) {
		c->seen = c->seen > stop ? c->seen : stop;
		if (size < c->limit && !final)
			return CUT_MORE;
		return cutter_reject(c,
		    size < c->limit ? CUT_OPEN_QUOTE : CUT_LONG_QUOTE, row,
		    c->quote + 1, size, final, cut);
	}
	next = (size_t)(quote - row) + 1;
	c->seen = next - 1;
	if (next == size && !final)
		return CUT_MORE;
	c->seen = next;
	if (next == size || row[next] == '\n' || row[next] == '\r') {
		c->state = CUTTER_PLAIN;
	} else if (row[next] == '"') {
		c->seen = next + 1;
	} else if (row[next] == c->delimiter) {
		c->seen = next + 1;
		c->state = CUTTER_PLAIN;
	} else {
		return cutter_reject(c, CUT_BAD_QUOTE, row, next, size, final,
		    cut);
	}
	return CUT_PART;
}

enum cut_kind
cutter_next(struct cutter *c, const char *row, size_t size, bool final,
    struct cut *cut)
{
	enum cut_kind kind;

	if (c->state == CUTTER_SKIP)
		return cutter_skip(c, row, c->seen, size, final, cut);
	if (size == 0)
		return final ? CUT_END : CUT_MORE;
	do {
		if (c->state == CUTTER_QUOTED)
			kind = cutter_quoted(c, row, size, final, cut);
		else
			kind = cutter_plain(c, row, size, final, cut);
	} while (kind == CUT_PART && c->state != CUTTER_SKIP);
	return kind;
}

const char *
cutter_reason(enum cut_kind kind)
{
	switch (kind) {
	case CUT_BAD_QUOTE: return "text after a closing quote";
	case CUT_OPEN_QUOTE: return "quote never closed";
	case CUT_LONG_QUOTE: return "quote not closed within 16 MiB";
	case CUT_TOO_LONG: return "row over 16 MiB";
	default: return "no fault";
	}
}
