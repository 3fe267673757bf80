/* SPDX-License-Identifier: BSD-2-Clause */
/* usage.c - the text of --help. */
#include "function.h"
#include "options.h"

#include <stdio.h>

static const char *const usage_head =
    "usage: ingest FILE.csv... --into FILE.db [options]\n"
    "\n"
    "Loads CSV files into an SQLite database, in parallel.  The columns come\n"
    "from the header and keep their order; rows keep the order of the file.\n"
    "Without --table each file becomes a table named after it (people.csv:\n"
    "people); with it all files go into one, and must have the same header.\n"
    "\n"
    "Where to\n"
    "  --into FILE          the database; made if it is not there\n"
    "  --table NAME         one table for all files\n"
    "  --append             add to a table that exists\n"
    "  --replace            drop a table that exists, in the transaction that\n"
    "                       brings the first new rows\n"
    "\n"
    "What the files are like\n"
    "  --delimiter C        instead of the comma; \\t or tab for a tab\n"
    "  --no-header          the first row is data; columns are c1, c2, ...\n"
    "\n"
    "What becomes of the rows\n"
    "  --type COL=TYPE      INTEGER, REAL or TEXT, instead of the type that\n"
    "                       the first 10,000 rows have\n"
    "  --empty-null         an empty field is NULL, not the empty text\n"
    "  --derive NAME=FUNCTION(ARG, ...)\n"
    "                       a new column, or another content of one that is\n"
    "                       there; arguments are columns, numbers, 'texts'\n"
    "  --where 'COL OP VALUE'\n"
    "                       load only rows for which this holds; OP is one of\n"
    "                       = != < <= > >= ~ (contains) !~; several: all hold\n"
    "  --select COL,...     only these columns, in this order\n"
    "  --rename COL=NAME    another name in the table\n"
    "Names with special characters are written in \"double quotes\".\n"
    "\n"
    "Bad rows\n"
    "  --rejects FILE       where they go; default: FILE.csv.rejects beside\n"
    "                       the database.  Made only if there are any\n"
    "  --max-rejects N      give up when there are more, in all files\n"
    "\n"
    "How\n"
    "  --commit-rows N      rows in a transaction (250000); 0: all of a file,\n"
    "                       which is then loaded completely or not at all\n"
    "  --journal MODE       wal, delete, truncate, persist, memory or off;\n"
    "                       default: wal for a new database, else as it is\n"
    "  --sync MODE          off, normal, full or extra (normal)\n"
    "  --busy-timeout MS    how long to wait for a locked database (2000)\n"
    "  --workers N          threads, and parsers (one per core)\n"
    "  -q, --quiet          no progress and no report\n"
    "  -h, --help           this text\n"
    "  --version            the version\n"
    "\n"
    "Functions for --derive\n";

static const char *const usage_tail =
    "\n"
    "Exit codes\n"
    "    0  all rows were loaded, rejected into the rejects file, or filtered\n"
    "    1  no memory, or an internal error: the counts do not add up\n"
    "    2  wrong options\n"
    "    3  an input file is missing\n"
    "    4  an input file cannot be read\n"
    "    5  an input is a directory or no regular file\n"
    "    6  an input file is empty\n"
    "    7  a header that cannot be used, or headers that differ\n"
    "    8  the database cannot be opened, is none, or another error of it\n"
    "    9  the database is locked\n"
    "   10  the disk is full\n"
    "   11  the table exists\n"
    "   12  more rejects than --max-rejects\n"
    "   13  the rejects file cannot be written\n"
    "  130  Ctrl-C: what was read until then is loaded and committed\n"
    "  143  SIGTERM: likewise\n"
    "After any code but 0, standard error says what is in the database.\n";

void
usage_print(void)
{
	const struct function *f;

	fputs(usage_head, stdout);
	for (size_t i = 0; (f = function_at(i)) != NULL; i++)
		printf("  %s%s\n", f->name, f->help);
	fputs(usage_tail, stdout);
}
