/* SPDX-License-Identifier: BSD-2-Clause */
/* database.c - see database.h. */
#include "database.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { CACHE_KIB = 8192 };

/*
 * What the system said when a file could not be written: asked of the database
 * file and of its journal, since sqlite3_system_errno() may be too late.
 */
static int
database_errno(struct database *d)
{
	sqlite3_file *journal = NULL;
	int error = 0;

	sqlite3_file_control(d->db, "main", SQLITE_FCNTL_LAST_ERRNO, &error);
	if (error != 0)
		return error;
	sqlite3_file_control(d->db, "main", SQLITE_FCNTL_JOURNAL_POINTER,
	    &journal);
	if (journal != NULL && journal->pMethods != NULL)
		journal->pMethods->xFileControl(journal,
		    SQLITE_FCNTL_LAST_ERRNO, &error);
	return error != 0 ? error : sqlite3_system_errno(d->db);
}

/* Turn SQLite's last error into a fault. */
static int
database_fault(struct database *d, const char *doing, struct fault *fault)
{
	const char *path = d->options->into, *text = sqlite3_errmsg(d->db);
	enum status status = STATUS_DATABASE;
	int error;

	switch (sqlite3_errcode(d->db) & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return fault_set(fault, STATUS_LOCKED,
		    "%s: %s: locked by another process for more than %u ms "
		    "(see --busy-timeout)",
		    path, doing, d->options->busy_ms);
	case SQLITE_FULL: status = STATUS_FULL; break;
	case SQLITE_IOERR:
		error = database_errno(d);
		if (error == ENOSPC || error == EDQUOT || error == EFBIG)
			status = STATUS_FULL;
		if (error != 0)
			text = strerror(error);
		break;
	case SQLITE_NOMEM: status = STATUS_INTERNAL; break;
	default: break;
	}
	return fault_set(fault, status, "%s: %s: %s", path, doing, text);
}

/* Run an SQL text made from a format, %w and %Q included. */
static int
database_run(struct database *d, const char *doing, struct fault *fault,
    const char *format, ...)
{
	va_list ap;
	char *sql;
	int rc;

	va_start(ap, format);
	sql = sqlite3_vmprintf(format, ap);
	va_end(ap);
	if (sql == NULL)
		return fault_no_memory(fault);
	rc = sqlite3_exec(d->db, sql, NULL, NULL, NULL);
	sqlite3_free(sql);
	return rc == SQLITE_OK ? 0 : database_fault(d, doing, fault);
}

/* The first column of the first row; empty when there is no row. */
static int
database_query(struct database *d, const char *sql, const char *argument,
    char *answer, size_t size, struct fault *fault)
{
	sqlite3_stmt *s;
	int rc;

	*answer = '\0';
	if (sqlite3_prepare_v2(d->db, sql, -1, &s, NULL) != SQLITE_OK)
		return database_fault(d, "cannot be read", fault);
	if (argument != NULL)
		sqlite3_bind_text(s, 1, argument, -1, SQLITE_STATIC);
	rc = sqlite3_step(s);
	if (rc == SQLITE_ROW && sqlite3_column_text(s, 0) != NULL)
		snprintf(answer, size, "%s",
		    (const char *)sqlite3_column_text(s, 0));
	sqlite3_finalize(s);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ?
	    0 :
	    database_fault(d, "cannot be read", fault);
}

static int
database_set_journal(struct database *d, struct fault *fault)
{
	const char *want = d->options->journal;
	char sql[64], mode[32];

	if (want == NULL && d->existed)
		return 0;
	want = want != NULL ? want : "wal";
	snprintf(sql, sizeof sql, "pragma journal_mode = %s", want);
	if (database_query(d, sql, NULL, mode, sizeof mode, fault) != 0)
		return -1;
	if (strcasecmp(mode, want) != 0)
		return fault_set(fault, STATUS_DATABASE,
		    "%s: cannot have a journal of kind %s, it stays %s",
		    d->options->into, want, mode);
	return 0;
}

static int
database_setup(struct database *d, struct fault *fault)
{
	char kind[32];

	/* The first access finds a file that is locked or no database. */
	sqlite3_busy_timeout(d->db, (int)d->options->busy_ms);
	if (database_query(d, "select type from sqlite_master limit 1", NULL,
		kind, sizeof kind, fault) != 0 ||
	    database_set_journal(d, fault) != 0)
		return -1;
	return database_run(d, "cannot be set up", fault,
	    "pragma synchronous = %s; pragma cache_size = -%d;",
	    d->options->sync, CACHE_KIB);
}

static int
database_check_table(struct database *d, const struct input *input,
    struct fault *fault)
{
	char kind[32];

	if (database_query(d,
		"select type from sqlite_master "
		"where name = ?1 collate nocase and type in "
		"('table', 'view', 'index')",
		input->table, kind, sizeof kind, fault) != 0)
		return -1;
	if (*kind == '\0' ||
	    (strcmp(kind, "table") == 0 &&
		d->options->if_exists != IF_EXISTS_FAIL))
		return 0;
	return fault_set(fault, STATUS_TABLE_EXISTS,
	    "%s: there is a %s '%s' already%s", d->options->into, kind,
	    input->table,
	    strcmp(kind, "table") == 0 ? "; use --append or --replace" : "");
}

int
database_open(struct database *d, const struct plan *plan, struct fault *fault)
{
	const char *path = plan->options->into;

	*d = (struct database){ .options = plan->options };
	d->existed = access(path, F_OK) == 0;
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	if (sqlite3_open_v2(path, &d->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
		    SQLITE_OPEN_NOMUTEX,
		NULL) != SQLITE_OK)
		return database_fault(d, "cannot be opened", fault);
	if (database_setup(d, fault) != 0)
		return -1;
	for (size_t i = 0; i < plan->count; i++) {
		if (database_check_table(d, &plan->inputs[i], fault) != 0)
			return -1;
	}
	return 0;
}

/* The columns in parentheses; NULL: no memory. */
static char *
database_columns(const struct recipe *r)
{
	sqlite3_str *s = sqlite3_str_new(NULL);

	for (size_t i = 0; i < r->column_count; i++)
		sqlite3_str_appendf(s, "%s\"%w\"", i == 0 ? "(" : ", ",
		    r->columns[i].name);
	sqlite3_str_appendchar(s, 1, ')');
	return sqlite3_str_finish(s);
}

static int
database_start(struct database *d, struct fault *fault)
{
	if (!sqlite3_get_autocommit(d->db))
		return 0;
	return database_run(d, "cannot begin to write", fault,
	    "begin immediate");
}

static int
database_make_table(struct database *d, const char *columns,
    struct fault *fault)
{
	const char *table = d->input->table;

	if (d->input->same_table)
		return 0;
	if (d->options->if_exists == IF_EXISTS_REPLACE &&
	    database_run(d, "cannot drop the table", fault,
		"drop table if exists main.\"%w\"", table) != 0)
		return -1;
	return database_run(d, "cannot create the table", fault,
	    "create table %s main.\"%w\" %s",
	    d->options->if_exists == IF_EXISTS_APPEND ? "if not exists" : "",
	    table, columns);
}

static int
database_prepare(struct database *d, const char *columns, struct fault *fault)
{
	char *sql, name[32];
	int rc;

	snprintf(name, sizeof name, "ingest_feed_%u", ++d->feeds);
	d->feed = (struct feed){ .columns = d->input->recipe.column_count };
	if (feed_register(d->db, name, &d->feed) != SQLITE_OK)
		return database_fault(d, "cannot prepare", fault);
	sql = sqlite3_mprintf("insert into main.\"%w\" %s select * from %s",
	    d->input->table, columns, name);
	if (sql == NULL)
		return fault_no_memory(fault);
	rc = sqlite3_prepare_v3(d->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
	    &d->insert, NULL);
	sqlite3_free(sql);
	return rc == SQLITE_OK ? 0 : database_fault(d, "cannot prepare", fault);
}

int
database_begin(struct database *d, const struct input *input,
    struct fault *fault)
{
	char *columns = database_columns(&input->recipe);
	int rc = -1;

	if (columns == NULL)
		return fault_no_memory(fault);
	d->input = input;
	d->inserted = 0;
	if (!input->same_table) {
		d->table_rows = 0;
		d->table_committed = false;
	}
	if (database_start(d, fault) == 0 &&
	    database_make_table(d, columns, fault) == 0)
		rc = database_prepare(d, columns, fault);
	sqlite3_free(columns);
	return rc;
}

static int
database_commit(struct database *d, struct fault *fault)
{
	if (sqlite3_get_autocommit(d->db))
		return 0;
	if (database_run(d, "cannot commit", fault, "commit") != 0)
		return -1;
	d->committed = true;
	d->table_committed = true;
	d->table_rows += d->open_rows;
	d->open_rows = 0;
	return 0;
}

int
database_insert(struct database *d, const struct batch *b, struct fault *fault)
{
	uint64_t limit = d->options->commit_rows;

	if (b->rows == 0)
		return 0;
	if (database_start(d, fault) != 0)
		return -1;
	d->feed.cells = b->cells;
	d->feed.rows = b->rows;
	if (sqlite3_step(d->insert) != SQLITE_DONE) {
		sqlite3_reset(d->insert);
		return database_fault(d, "cannot insert", fault);
	}
	sqlite3_reset(d->insert);
	d->inserted += (uint64_t)sqlite3_changes64(d->db);
	d->open_rows += b->rows;
	if (limit > 0 && d->open_rows >= limit)
		return database_commit(d, fault);
	return 0;
}

int
database_end(struct database *d, struct fault *fault)
{
	sqlite3_finalize(d->insert);
	d->insert = NULL;
	return database_commit(d, fault);
}

void
database_rollback(struct database *d)
{
	sqlite3_finalize(d->insert);
	d->insert = NULL;
	if (d->db != NULL && !sqlite3_get_autocommit(d->db))
		sqlite3_exec(d->db, "rollback", NULL, NULL, NULL);
	d->open_rows = 0;
}

int
database_close(struct database *d, struct fault *fault)
{
	int rc = 0;

	if (d->options == NULL)
		return 0;
	database_rollback(d);
	if (sqlite3_close(d->db) != SQLITE_OK)
		rc = database_fault(d, "cannot be closed", fault);
	d->db = NULL;
	if (!d->existed && !d->committed)
		unlink(d->options->into);
	return rc;
}
