/* SPDX-License-Identifier: BSD-2-Clause */
/* rejects.c - see rejects.h. */
#include "rejects.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether an earlier input of this run has the same rejects file. */
static bool
rejects_is_shared(const struct rejects *r)
{
	for (size_t i = 0; &r->plan->inputs[i] != r->input; i++) {
		if (strcmp(r->plan->inputs[i].rejects, r->input->rejects) == 0)
			return true;
	}
	return false;
}

void
rejects_begin(struct rejects *r, const struct plan *plan,
    const struct input *input)
{
	struct stat st;

	rejects_end(r);
	r->plan = plan;
	r->input = input;
	if (!rejects_is_shared(r) && lstat(input->rejects, &st) == 0 &&
	    S_ISREG(st.st_mode))
		unlink(input->rejects);
}

static int
rejects_open(struct rejects *r, struct fault *fault)
{
	struct stat st;

	if (r->file != NULL)
		return 0;
	r->file = fopen(r->input->rejects, "ae");
	if (r->file == NULL)
		return fault_set(fault, STATUS_REJECTS_FILE,
		    "%s: the rejects file cannot be made: %s",
		    r->input->rejects, strerror(errno));
	if (fstat(fileno(r->file), &st) != 0 || st.st_size == 0)
		fputs("line,offset,reason,raw,file\n", r->file);
	return 0;
}

static void
rejects_put_quoted(FILE *file, const char *text, size_t size)
{
	const char *quote;

	putc('"', file);
	while ((quote = memchr(text, '"', size)) != NULL) {
		size_t n = (size_t)(quote - text) + 1;

		fwrite(text, 1, n, file);
		putc('"', file);
		text += n;
		size -= n;
	}
	fwrite(text, 1, size, file);
	putc('"', file);
}

static void
rejects_put(const struct rejects *r, const struct reject *reject)
{
	fprintf(r->file, "%" PRIu64 ",%" PRIu64 ",%s,", reject->line,
	    reject->offset, reject->reason);
	rejects_put_quoted(r->file, reject->raw, reject->size);
	putc(',', r->file);
	rejects_put_quoted(r->file, r->input->path, strlen(r->input->path));
	putc('\n', r->file);
}

int
rejects_write(struct rejects *r, const struct batch *b, struct fault *fault)
{
	uint64_t max = r->plan->options->max_rejects;

	if (b->reject_count == 0)
		return 0;
	if (rejects_open(r, fault) != 0)
		return -1;
	for (size_t i = 0; i < b->reject_count; i++)
		rejects_put(r, &b->rejects[i]);
	if (fflush(r->file) != 0 || ferror(r->file))
		return fault_set(fault, STATUS_REJECTS_FILE,
		    "%s: the rejects file cannot be written: %s",
		    r->input->rejects, strerror(errno));
	r->count += b->reject_count;
	if (r->count > max)
		return fault_set(fault, STATUS_TOO_MANY_REJECTS,
		    "%s: more than %" PRIu64 " rejected rows (see %s)",
		    r->input->path, max, r->input->rejects);
	return 0;
}

void
rejects_end(struct rejects *r)
{
	if (r->file != NULL)
		fclose(r->file);
	r->file = NULL;
}
