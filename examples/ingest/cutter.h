/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cutter.h - decides where each row of a CSV file ends.
 *
 * The cutter looks at bytes and at nothing else: no file, no memory of its
 * own.  Whoever feeds it keeps the bytes from the start of the current row on,
 * and calls cutter_next() until it asks for more.  What it says depends on the
 * bytes of the file only, never on how they were cut into pieces.
 *
 * THE RULES
 *
 * - A line end is LF, CR LF, or a CR that no LF follows.
 * - A quote opens only at the start of a field; elsewhere in an unquoted field
 *   it is text.  Inside quotes a doubled quote is a quote, and delimiters and
 *   line ends are text.
 * - A closing quote must be followed by the delimiter, a line end or the end
 *   of the file.  If not, all from the row's start to the next line end is
 *   rejected.
 * - A quote that is still open at the end of the file, or 16 MiB after the
 *   row's start: all from the row's start to the next line end after that
 *   quote is rejected, so that the rows behind it are not lost.
 * - A row of more than 16 MiB without its line end is rejected up to the next
 *   line end.
 * - A line without any byte is no row.
 *
 * Going back to the line end after an open quote costs no more than one second
 * look at each byte: had a later row of the same bytes an open quote at a line
 * end, the first look would have opened that very quote itself.
 */
#ifndef INGEST_CUTTER_H
#define INGEST_CUTTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CUTTER_ROW_MAX = 16 << 20 };

enum cut_kind {
	CUT_ROW,
	CUT_BAD_QUOTE, /* a closing quote with text behind it */
	CUT_OPEN_QUOTE, /* a quote still open at the end of the file */
	CUT_LONG_QUOTE, /* a quote still open at the limit */
	CUT_TOO_LONG, /* a row over the limit */
	CUT_BLANK, /* an empty line */
	CUT_PART, /* the first part of a reject that is too long to keep: to be
	           * dropped, the same reject goes on behind it */
	CUT_MORE, /* nothing yet: call again with more bytes */
	CUT_END, /* the end of the file */
};

struct cut {
	size_t size; /* bytes to move on by, the line end included */
	size_t body; /* bytes without the line end */
	uint64_t lines; /* line ends among the `size` bytes */
};

enum cutter_state { CUTTER_PLAIN, CUTTER_QUOTED, CUTTER_SKIP };

/* What is known about the current row; read by nobody else. */
struct cutter {
	size_t limit; /* longest row in bytes */
	size_t seen; /* bytes of the row that need no second look */
	size_t quote; /* where the last quote opened */
	size_t end; /* the first line end that is not before `seen`, ... */
	size_t
	    end_length; /* ... if this is not 0; else how far there is none */
	enum cutter_state state;
	enum cut_kind fault; /* why a row is skipped */
	bool quoted; /* the row has had a quoted field */
	bool dropping; /* a CUT_PART of this reject was returned */
	char delimiter;
};

/* `limit` is CUTTER_ROW_MAX but in tests. */
void cutter_init(struct cutter *c, char delimiter, size_t limit);

/* Forget the current row: its bytes will be shown again. */
void cutter_restart(struct cutter *c);

/*
 * Find the end of the row that starts at `row`.  `final` says that the file
 * ends behind the `size` bytes.  CUT_MORE and CUT_END move nothing.
 */
enum cut_kind cutter_next(struct cutter *c, const char *row, size_t size,
    bool final, struct cut *cut);

/* Why a region was rejected, for people. */
const char *cutter_reason(enum cut_kind kind);

/* How many line ends there are; a CR at the very end counts as one. */
uint64_t cutter_count_lines(const char *bytes, size_t size);

#endif
