/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * database.h - the database that is written to.
 *
 * All of these calls may block.  They are made by one thread at a time: by
 * main() before and after the load, by the writer's blocking calls during it.
 *
 * Columns are declared without a type, so that SQLite converts nothing: each
 * value is stored with the type it was given.  Rows go in within transactions
 * of --commit-rows rows; making the table is part of the first one.
 */
#ifndef INGEST_DATABASE_H
#define INGEST_DATABASE_H

#include "batch.h"
#include "feed.h"
#include "plan.h"

struct database {
	sqlite3 *db;
	sqlite3_stmt *insert;
	const struct options *options;
	const struct input *input; /* being loaded */
	struct feed feed;
	unsigned feeds; /* registered so far */
	bool existed; /* there was such a file before */
	bool committed; /* something was */
	uint64_t inserted; /* rows of the input, as SQLite counts them */
	uint64_t open_rows; /* in the open transaction */
	bool table_committed; /* something of the current table was */
	uint64_t table_rows; /* of this run, committed to the current table */
};

/* Open it, and see that the tables of the plan can be made. */
int database_open(struct database *d, const struct plan *plan,
    struct fault *fault);

/* Make or find the input's table; the transaction stays open. */
int database_begin(struct database *d, const struct input *input,
    struct fault *fault);

/* Insert a batch's rows, and commit when the transaction is large enough. */
int database_insert(struct database *d, const struct batch *b,
    struct fault *fault);

/* Commit; the input is done. */
int database_end(struct database *d, struct fault *fault);

/* Undo what is not committed. */
void database_rollback(struct database *d);

/* Close it; a file that is new and got nothing committed is removed. */
int database_close(struct database *d, struct fault *fault);

#endif
