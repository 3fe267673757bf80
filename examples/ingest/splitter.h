/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * splitter.h - splits one well-formed row into fields, with libcsv.
 *
 * The cutter has decided what a row is, so libcsv never sees a malformed one.
 * Its habit of trimming blanks is switched off: fields are as written.
 */
#ifndef INGEST_SPLITTER_H
#define INGEST_SPLITTER_H

#include "arena.h"
#include "value.h"

#include <csv.h>

struct splitter {
	struct csv_parser csv;
	struct arena *arena; /* where the fields of the current row go */
	struct value *fields; /* the first `room` of them */
	size_t room;
	size_t count; /* how many there are, also beyond the room */
	bool no_memory;
};

/* Returns 0, or -1: no memory. */
int splitter_init(struct splitter *s, char delimiter);
void splitter_fini(struct splitter *s);

/*
 * Split the `size` bytes of a row, of which the first `body` are not the line
 * end.  Up to `room` fields are stored; s->count says how many there were.
 * Returns 0, or -1: no memory.
 */
int splitter_row(struct splitter *s, const char *row, size_t body, size_t size,
    struct value *fields, size_t room, struct arena *arena);

#endif
