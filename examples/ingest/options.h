/* SPDX-License-Identifier: BSD-2-Clause */
/* options.h - the command line. */
#ifndef INGEST_OPTIONS_H
#define INGEST_OPTIONS_H

#include "status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INGEST_VERSION "0.1.0"

/* The values of an option that may be given several times. */
struct option_list {
	const char **at;
	size_t count;
};

enum if_exists { IF_EXISTS_FAIL, IF_EXISTS_APPEND, IF_EXISTS_REPLACE };

struct options {
	const char **files;
	size_t file_count;
	const char *into;
	const char *table; /* NULL: a table per file, named after it */
	const char *rejects; /* NULL: FILE.rejects beside the database */
	const char *select; /* NULL: all columns */
	struct option_list types;
	struct option_list renames;
	struct option_list filters;
	struct option_list derives;
	enum if_exists if_exists;
	uint64_t max_rejects; /* UINT64_MAX: any number */
	uint64_t commit_rows; /* 0: one transaction per table */
	const char *journal; /* NULL: wal if new, else as it is */
	const char *sync;
	unsigned busy_ms;
	unsigned workers; /* 0: one per core */
	char delimiter;
	bool no_header;
	bool empty_null;
	bool quiet;
	bool help;
	bool version;
};

/* The lists point into argv.  Returns 0, or -1 with the fault filled. */
int options_parse(struct options *o, int argc, char **argv,
    struct fault *fault);
void options_fini(struct options *o);

/* The text of --help. */
void usage_print(void);

#endif
