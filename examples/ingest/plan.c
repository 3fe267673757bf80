/* SPDX-License-Identifier: BSD-2-Clause */
/* plan.c - see plan.h. */
#include "plan.h"

#include "sample.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

int
plan_open(const char *path, uint64_t *size, struct fault *fault)
{
	struct stat st;
	int fd;

	if (stat(path, &st) != 0)
		return fault_set(fault,
		    errno == ENOENT || errno == ENOTDIR ? STATUS_NO_FILE :
							  STATUS_UNREADABLE,
		    "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fault_set(fault, STATUS_NOT_A_FILE,
		    "%s: is %s, not a regular file", path,
		    S_ISDIR(st.st_mode) ? "a directory" : "a pipe or device");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fault_set(fault, STATUS_UNREADABLE,
		    "%s: cannot be opened: %s", path, strerror(errno));
	*size = (uint64_t)st.st_size;
	return fd;
}

/* The file's name without its folder. */
static const char *
plan_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* The table's name: --table, or the file's name without its extension. */
static int
plan_name_table(struct input *input, const struct options *o,
    struct fault *fault)
{
	const char *base = plan_base_name(input->path);
	const char *dot = strrchr(base, '.');
	size_t size =
	    dot != NULL && dot != base ? (size_t)(dot - base) : strlen(base);

	input->table =
	    o->table != NULL ? strdup(o->table) : strndup(base, size);
	if (input->table == NULL)
		return fault_no_memory(fault);
	if (strncasecmp(input->table, "sqlite_", 7) == 0)
		return fault_set(fault, STATUS_USAGE,
		    "table '%s': SQLite keeps names with sqlite_ for itself; "
		    "use --table",
		    input->table);
	return 0;
}

static int
plan_name_rejects(struct input *input, const struct options *o,
    struct fault *fault)
{
	const char *base = plan_base_name(o->into);
	int n;

	if (o->rejects != NULL) {
		input->rejects = strdup(o->rejects);
		return input->rejects != NULL ? 0 : fault_no_memory(fault);
	}
	n = asprintf(&input->rejects, "%.*s%s.rejects", (int)(base - o->into),
	    o->into, plan_base_name(input->path));
	if (n < 0) {
		input->rejects = NULL;
		return fault_no_memory(fault);
	}
	return 0;
}

static bool
plan_is_same_file(const char *a, const char *b)
{
	struct stat sa, sb;

	return stat(a, &sa) == 0 && stat(b, &sb) == 0 &&
	    sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

/* Nothing that is written may be a file that is read. */
static int
plan_check_paths(const struct plan *plan, struct fault *fault)
{
	const char *into = plan->options->into;

	for (size_t i = 0; i < plan->count; i++) {
		const char *path = plan->inputs[i].path;

		if (plan_is_same_file(path, into))
			return fault_set(fault, STATUS_USAGE,
			    "%s: is the database as well as an input", path);
		for (size_t k = 0; k < plan->count; k++) {
			const char *rejects = plan->inputs[k].rejects;

			if (plan_is_same_file(path, rejects) ||
			    plan_is_same_file(into, rejects))
				return fault_set(fault, STATUS_USAGE,
				    "%s: would be overwritten by the rejects; "
				    "use --rejects",
				    rejects);
		}
	}
	return 0;
}

/* Another file of the same table must have the same columns. */
static int
plan_check_columns(const struct input *first, struct input *next,
    struct fault *fault)
{
	const struct recipe *a = &first->recipe;
	struct recipe *b = &next->recipe;
	bool same = a->inputs == b->inputs;

	for (size_t i = 0; same && i < a->inputs; i++)
		same = strcmp(a->names[i], b->names[i]) == 0;
	if (!same)
		return fault_set(fault, STATUS_HEADER,
		    "%s: the header differs from that of %s, but both go into "
		    "table '%s'",
		    next->path, first->path, first->table);
	for (size_t i = 0; i < a->column_count; i++)
		b->columns[i].type = a->columns[i].type;
	next->same_table = true;
	return 0;
}

static int
plan_check_tables(struct plan *plan, struct fault *fault)
{
	for (size_t i = 1; i < plan->count; i++) {
		struct input *input = &plan->inputs[i];

		if (plan->options->table != NULL) {
			if (plan_check_columns(&plan->inputs[0], input,
				fault) != 0)
				return -1;
			continue;
		}
		for (size_t k = 0; k < i; k++) {
			if (strcasecmp(input->table, plan->inputs[k].table) ==
			    0)
				return fault_set(fault, STATUS_USAGE,
				    "%s and %s would both make table '%s'; to "
				    "load both into one, use --table",
				    plan->inputs[k].path, input->path,
				    input->table);
		}
	}
	return 0;
}

int
plan_make(struct plan *plan, const struct options *o, struct fault *fault)
{
	*plan = (struct plan){ .options = o };
	plan->inputs = calloc(o->file_count, sizeof *plan->inputs);
	if (plan->inputs == NULL)
		return fault_no_memory(fault);
	for (size_t i = 0; i < o->file_count; i++) {
		struct input *input = &plan->inputs[plan->count++];

		input->path = o->files[i];
		if (plan_name_table(input, o, fault) != 0 ||
		    plan_name_rejects(input, o, fault) != 0 ||
		    sample_input(input, o, fault) != 0)
			return -1;
		plan->total_bytes += input->size;
	}
	if (plan_check_tables(plan, fault) != 0)
		return -1;
	return plan_check_paths(plan, fault);
}

void
plan_fini(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		free(plan->inputs[i].table);
		free(plan->inputs[i].rejects);
		recipe_fini(&plan->inputs[i].recipe);
	}
	free(plan->inputs);
	plan->inputs = NULL;
	plan->count = 0;
}
