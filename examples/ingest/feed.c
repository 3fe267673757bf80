/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * feed.c - the virtual table behind feed.h.
 *
 * It is eponymous (there is no xCreate): it exists in the connection under its
 * module's name and leaves nothing in the database.  Texts are handed over
 * without a copy; SQLite copies them once, into the record it writes.
 */
#include "feed.h"

#include <stdlib.h>

struct feed_table {
	sqlite3_vtab base;
	struct feed *feed;
};

struct feed_cursor {
	sqlite3_vtab_cursor base;
	const struct value *row;
	const struct value *end;
	size_t columns;
};

static int
feed_connect(sqlite3 *db, void *ctx, int argc, const char *const *argv,
    sqlite3_vtab **vtab, char **error)
{
	struct feed *feed = ctx;
	sqlite3_str *sql = sqlite3_str_new(db);
	struct feed_table *t;
	char *text;
	int rc;

	(void)argc;
	(void)argv;
	(void)error;
	for (size_t i = 0; i < feed->columns; i++)
		sqlite3_str_appendf(sql, "%sc%d",
		    i == 0 ? "create table feed(" : ",", (int)i);
	sqlite3_str_appendchar(sql, 1, ')');
	text = sqlite3_str_finish(sql);
	if (text == NULL)
		return SQLITE_NOMEM;
	rc = sqlite3_declare_vtab(db, text);
	sqlite3_free(text);
	if (rc != SQLITE_OK)
		return rc;
	t = calloc(1, sizeof *t);
	if (t == NULL)
		return SQLITE_NOMEM;
	t->feed = feed;
	*vtab = &t->base;
	return SQLITE_OK;
}

static int
feed_disconnect(sqlite3_vtab *vtab)
{
	free(vtab);
	return SQLITE_OK;
}

static int
feed_best_index(sqlite3_vtab *vtab, sqlite3_index_info *info)
{
	(void)vtab;
	info->estimatedCost = 1000;
	return SQLITE_OK;
}

static int
feed_open(sqlite3_vtab *vtab, sqlite3_vtab_cursor **cursor)
{
	struct feed_cursor *c = calloc(1, sizeof *c);

	(void)vtab;
	if (c == NULL)
		return SQLITE_NOMEM;
	*cursor = &c->base;
	return SQLITE_OK;
}

static int
feed_close(sqlite3_vtab_cursor *cursor)
{
	free(cursor);
	return SQLITE_OK;
}

static int
feed_filter(sqlite3_vtab_cursor *cursor, int number, const char *text, int argc,
    sqlite3_value **argv)
{
	struct feed_cursor *c = (struct feed_cursor *)cursor;
	const struct feed *feed = ((struct feed_table *)cursor->pVtab)->feed;

	(void)number;
	(void)text;
	(void)argc;
	(void)argv;
	c->columns = feed->columns;
	c->row = feed->cells;
	c->end = feed->cells + feed->rows * feed->columns;
	return SQLITE_OK;
}

static int
feed_next(sqlite3_vtab_cursor *cursor)
{
	struct feed_cursor *c = (struct feed_cursor *)cursor;

	c->row += c->columns;
	return SQLITE_OK;
}

static int
feed_eof(sqlite3_vtab_cursor *cursor)
{
	const struct feed_cursor *c = (const struct feed_cursor *)cursor;

	return c->row >= c->end;
}

static int
feed_column(sqlite3_vtab_cursor *cursor, sqlite3_context *ctx, int column)
{
	const struct value *v = &((struct feed_cursor *)cursor)->row[column];

	switch (v->type) {
	case VALUE_INTEGER: sqlite3_result_int64(ctx, v->as.integer); break;
	case VALUE_REAL: sqlite3_result_double(ctx, v->as.real); break;
	case VALUE_TEXT:
		sqlite3_result_text(ctx, v->as.text, (int)v->size,
		    SQLITE_STATIC);
		break;
	default: sqlite3_result_null(ctx);
	}
	return SQLITE_OK;
}

static int
feed_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *rowid)
{
	const struct feed_cursor *c = (const struct feed_cursor *)cursor;

	*rowid = (c->end - c->row) / (ptrdiff_t)c->columns;
	return SQLITE_OK;
}

int
feed_register(sqlite3 *db, const char *name, struct feed *feed)
{
	static const sqlite3_module module = {
		.xConnect = feed_connect,
		.xBestIndex = feed_best_index,
		.xDisconnect = feed_disconnect,
		.xOpen = feed_open,
		.xClose = feed_close,
		.xFilter = feed_filter,
		.xNext = feed_next,
		.xEof = feed_eof,
		.xColumn = feed_column,
		.xRowid = feed_rowid,
	};

	return sqlite3_create_module(db, name, &module, feed);
}
