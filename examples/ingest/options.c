/* SPDX-License-Identifier: BSD-2-Clause */
/* options.c - reads the command line; what is wrong with it is said. */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_WORKERS = 64, MAX_BUSY_MS = 3600000, DEFAULT_COMMIT = 250000 };

enum option_id {
	OPT_INTO = 256,
	OPT_TABLE,
	OPT_REJECTS,
	OPT_SELECT,
	OPT_TYPE,
	OPT_RENAME,
	OPT_WHERE,
	OPT_DERIVE,
	OPT_APPEND,
	OPT_REPLACE,
	OPT_MAX_REJECTS,
	OPT_COMMIT_ROWS,
	OPT_JOURNAL,
	OPT_SYNC,
	OPT_BUSY_TIMEOUT,
	OPT_WORKERS,
	OPT_DELIMITER,
	OPT_NO_HEADER,
	OPT_EMPTY_NULL,
	OPT_QUIET,
	OPT_HELP,
	OPT_VERSION,
};

static const struct option option_table[] = {
	{ "into", required_argument, NULL, OPT_INTO },
	{ "table", required_argument, NULL, OPT_TABLE },
	{ "rejects", required_argument, NULL, OPT_REJECTS },
	{ "select", required_argument, NULL, OPT_SELECT },
	{ "type", required_argument, NULL, OPT_TYPE },
	{ "rename", required_argument, NULL, OPT_RENAME },
	{ "where", required_argument, NULL, OPT_WHERE },
	{ "derive", required_argument, NULL, OPT_DERIVE },
	{ "append", no_argument, NULL, OPT_APPEND },
	{ "replace", no_argument, NULL, OPT_REPLACE },
	{ "max-rejects", required_argument, NULL, OPT_MAX_REJECTS },
	{ "commit-rows", required_argument, NULL, OPT_COMMIT_ROWS },
	{ "journal", required_argument, NULL, OPT_JOURNAL },
	{ "sync", required_argument, NULL, OPT_SYNC },
	{ "busy-timeout", required_argument, NULL, OPT_BUSY_TIMEOUT },
	{ "workers", required_argument, NULL, OPT_WORKERS },
	{ "delimiter", required_argument, NULL, OPT_DELIMITER },
	{ "no-header", no_argument, NULL, OPT_NO_HEADER },
	{ "empty-null", no_argument, NULL, OPT_EMPTY_NULL },
	{ "quiet", no_argument, NULL, OPT_QUIET },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

static const char *const journals[] = { "wal", "delete", "truncate", "persist",
	"memory", "off", NULL };
static const char *const syncs[] = { "off", "normal", "full", "extra", NULL };

static int
options_bad(const char *name, const char *value, const char *want,
    struct fault *fault)
{
	return fault_set(fault, STATUS_USAGE, "--%s '%s': it must be %s", name,
	    value, want);
}

static int
options_number(const char *name, const char *value, uint64_t max,
    uint64_t *number, struct fault *fault)
{
	char *end;

	errno = 0;
	*number = strtoull(value, &end, 10);
	if (*value < '0' || *value > '9' || *end != '\0' || errno != 0 ||
	    *number > max)
		return fault_set(fault, STATUS_USAGE,
		    "--%s '%s': it must be a number up to %llu", name, value,
		    (unsigned long long)max);
	return 0;
}

static int
options_word(const char *name, const char *value, const char *const *words,
    const char **word, struct fault *fault)
{
	char list[128] = "one of";
	size_t used = strlen(list);

	for (size_t i = 0; words[i] != NULL; i++) {
		if (strcasecmp(value, words[i]) == 0) {
			*word = words[i];
			return 0;
		}
		if (used < sizeof(list))
			used +=
			    (size_t)snprintf(list + used, sizeof(list) - used,
				"%s%s", i == 0 ? " " : ", ", words[i]);
	}
	return options_bad(name, value, list, fault);
}

static int
options_delimiter(const char *value, char *delimiter, struct fault *fault)
{
	if (strcmp(value, "\\t") == 0 || strcmp(value, "tab") == 0)
		value = "\t";
	if (strlen(value) != 1 || strchr("\"\r\n", *value) != NULL ||
	    (*value & 0x80) != 0)
		return options_bad("delimiter", value,
		    "one ASCII character other than a quote or a line end, "
		    "or \\t",
		    fault);
	*delimiter = *value;
	return 0;
}

static int
options_if_exists(struct options *o, enum if_exists what, struct fault *fault)
{
	if (o->if_exists != IF_EXISTS_FAIL && o->if_exists != what)
		return fault_set(fault, STATUS_USAGE,
		    "--append and --replace exclude each other");
	o->if_exists = what;
	return 0;
}

/* Room for argc values is there. */
static int
options_push(struct option_list *list, const char *value)
{
	list->at[list->count++] = value;
	return 0;
}

static int
options_set_text(struct options *o, int id, const char *value)
{
	switch (id) {
	case OPT_INTO: o->into = value; return 0;
	case OPT_TABLE: o->table = value; return 0;
	case OPT_REJECTS: o->rejects = value; return 0;
	case OPT_SELECT: o->select = value; return 0;
	case OPT_TYPE: return options_push(&o->types, value);
	case OPT_RENAME: return options_push(&o->renames, value);
	case OPT_WHERE: return options_push(&o->filters, value);
	default: return options_push(&o->derives, value);
	}
}

static int
options_set_number(struct options *o, int id, const char *value,
    struct fault *fault)
{
	uint64_t number = 0;

	switch (id) {
	case OPT_MAX_REJECTS:
		return options_number("max-rejects", value, UINT64_MAX - 1,
		    &o->max_rejects, fault);
	case OPT_COMMIT_ROWS:
		return options_number("commit-rows", value, UINT64_MAX,
		    &o->commit_rows, fault);
	case OPT_BUSY_TIMEOUT:
		if (options_number("busy-timeout", value, MAX_BUSY_MS, &number,
			fault) != 0)
			return -1;
		o->busy_ms = (unsigned)number;
		return 0;
	default:
		if (options_number("workers", value, MAX_WORKERS, &number,
			fault) != 0)
			return -1;
		o->workers = (unsigned)number;
		return 0;
	}
}

static int
options_set_flag(struct options *o, int id, struct fault *fault)
{
	switch (id) {
	case OPT_APPEND: return options_if_exists(o, IF_EXISTS_APPEND, fault);
	case OPT_REPLACE: return options_if_exists(o, IF_EXISTS_REPLACE, fault);
	case OPT_NO_HEADER: o->no_header = true; return 0;
	case OPT_EMPTY_NULL: o->empty_null = true; return 0;
	case OPT_QUIET: o->quiet = true; return 0;
	case OPT_HELP: o->help = true; return 0;
	default: o->version = true; return 0;
	}
}

static int
options_set(struct options *o, int id, const char *value, struct fault *fault)
{
	switch (id) {
	case OPT_JOURNAL:
		return options_word("journal", value, journals, &o->journal,
		    fault);
	case OPT_SYNC:
		return options_word("sync", value, syncs, &o->sync, fault);
	case OPT_DELIMITER:
		return options_delimiter(value, &o->delimiter, fault);
	case OPT_MAX_REJECTS:
	case OPT_COMMIT_ROWS:
	case OPT_BUSY_TIMEOUT:
	case OPT_WORKERS: return options_set_number(o, id, value, fault);
	default:
		if (value != NULL)
			return options_set_text(o, id, value);
		return options_set_flag(o, id, fault);
	}
}

static int
options_check(struct options *o, struct fault *fault)
{
	if (o->help || o->version)
		return 0;
	if (o->file_count == 0)
		return fault_set(fault, STATUS_USAGE, "no FILE.csv was given");
	if (o->into == NULL)
		return fault_set(fault, STATUS_USAGE,
		    "no database was given: --into FILE.db");
	if (*o->into == '\0' || (o->table != NULL && *o->table == '\0'))
		return fault_set(fault, STATUS_USAGE,
		    "--into and --table must not be empty");
	return 0;
}

/* One allocation holds all the lists: none is longer than the arguments. */
static int
options_init(struct options *o, int argc)
{
	size_t room = (size_t)argc;

	memset(o, 0, sizeof *o);
	o->files = calloc(room * 5, sizeof *o->files);
	if (o->files == NULL)
		return -1;
	o->types.at = o->files + room;
	o->renames.at = o->files + room * 2;
	o->filters.at = o->files + room * 3;
	o->derives.at = o->files + room * 4;
	o->max_rejects = UINT64_MAX;
	o->commit_rows = DEFAULT_COMMIT;
	o->sync = syncs[1];
	o->busy_ms = 2000;
	o->delimiter = ',';
	return 0;
}

int
options_parse(struct options *o, int argc, char **argv, struct fault *fault)
{
	int id;

	if (options_init(o, argc) != 0)
		return fault_no_memory(fault);
	opterr = 0;
	optind = 0;
	while (
	    (id = getopt_long(argc, argv, ":qh", option_table, NULL)) != -1) {
		if (id == 'q' || id == 'h')
			id = id == 'q' ? OPT_QUIET : OPT_HELP;
		if (id == ':')
			return fault_set(fault, STATUS_USAGE,
			    "option %s needs a value", argv[optind - 1]);
		if (id == '?')
			return fault_set(fault, STATUS_USAGE,
			    "unknown option %s", argv[optind - 1]);
		if (options_set(o, id, optarg, fault) != 0)
			return -1;
	}
	while (optind < argc)
		o->files[o->file_count++] = argv[optind++];
	return options_check(o, fault);
}

void
options_fini(struct options *o)
{
	free(o->files);
	o->files = NULL;
}
