/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * feed.h - shows typed rows in memory to SQLite as a table.
 *
 * One `insert into t select * from feed` then puts a whole batch into the
 * database: no binding, stepping and resetting for each row.  This halves the
 * time of the insert, which is the one stage that cannot run in parallel.
 */
#ifndef INGEST_FEED_H
#define INGEST_FEED_H

#include "value.h"

#include <sqlite3.h>

/* What the table shows; set before each step of the statement. */
struct feed {
	const struct value
	    *cells; /* row by row; must stay until the step ends */
	size_t columns; /* fixed when it is registered */
	size_t rows;
};

/* Make the table `name` in a connection; returns an SQLite code. */
int feed_register(sqlite3 *db, const char *name, struct feed *feed);

#endif
