/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sample.c - see sample.h.
 *
 * The sample goes through the same cutter, splitter and recipe as the load
 * does later, so both mean the same by a row.  Nothing of it is kept but what
 * the values of each column have in common.
 */
#include "sample.h"

#include "slicer.h"
#include "splitter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SAMPLE_READ_BYTES = 256 << 10 };

struct sample {
	struct input *input;
	const struct options *options;
	struct splitter splitter;
	struct batch *batch;
	struct value *slots; /* of a row; NULL before the header */
	struct value_guess *guesses; /* of each slot */
	size_t rows;
};

/* The first row says how many columns there are and, mostly, their names. */
static int
sample_header(struct sample *s, const struct span *span, struct fault *fault)
{
	const char *row = s->batch->raw + span->start;
	const struct options *o = s->options;
	struct value *fields;
	int rc = -1;

	if (span->kind != CUT_ROW)
		return fault_set(fault, STATUS_HEADER,
		    "%s: line %u: the first row is malformed: %s",
		    s->input->path, span->line + 1,
		    cutter_reason((enum cut_kind)span->kind));
	fields = calloc(RECIPE_COLUMNS_MAX, sizeof *fields);
	if (fields == NULL ||
	    splitter_row(&s->splitter, row, span->body, span->size, fields,
		RECIPE_COLUMNS_MAX, &s->batch->text) != 0)
		fault_no_memory(fault);
	else
		rc = recipe_init(&s->input->recipe, o,
		    o->no_header ? NULL : fields, s->splitter.count, fault);
	free(fields);
	if (rc != 0)
		return -1;
	s->slots = calloc(s->input->recipe.slots, sizeof *s->slots);
	s->guesses = calloc(s->input->recipe.slots, sizeof *s->guesses);
	if (s->slots == NULL || s->guesses == NULL)
		return fault_no_memory(fault);
	return 0;
}

static int
sample_row(struct sample *s, const struct span *span, struct fault *fault)
{
	const struct recipe *r = &s->input->recipe;

	s->rows++;
	if (span->kind != CUT_ROW)
		return 0;
	if (splitter_row(&s->splitter, s->batch->raw + span->start, span->body,
		span->size, s->slots, r->inputs, &s->batch->text) != 0)
		return fault_no_memory(fault);
	if (s->splitter.count != r->inputs)
		return 0;
	if (recipe_apply(r, s->slots, &s->batch->text) == RECIPE_NO_MEMORY)
		return fault_no_memory(fault);
	for (size_t i = 0; i < r->slots; i++)
		value_guess_add(&s->guesses[i], &s->slots[i]);
	return 0;
}

static int
sample_batch(struct sample *s, struct fault *fault)
{
	const struct batch *b = s->batch;
	struct arena_mark mark = arena_mark(&b->text);

	for (size_t i = 0; i < b->span_count; i++) {
		arena_rewind(&s->batch->text, mark);
		if (s->slots == NULL) {
			if (sample_header(s, &b->spans[i], fault) != 0)
				return -1;
			if (!s->options->no_header)
				continue;
		}
		if (s->rows == PLAN_SAMPLE_ROWS)
			return 0;
		if (sample_row(s, &b->spans[i], fault) != 0)
			return -1;
	}
	return 0;
}

/* Use what was read; *done when no more is wanted. */
static int
sample_bytes(struct sample *s, struct slicer *slicer, const char *bytes,
    size_t size, bool *done, struct fault *fault)
{
	bool final = size == 0;
	enum slicer_result result;

	do {
		result = slicer_feed(slicer, &bytes, &size, final);
		if (result == SLICER_NO_MEMORY)
			return fault_no_memory(fault);
		if (result == SLICER_HUNGRY)
			return 0;
		if (slicer_take(slicer) == NULL)
			return fault_no_memory(fault);
		if (sample_batch(s, fault) != 0)
			return -1;
		batch_clear(s->batch);
		slicer_give(slicer, s->batch);
		*done = result == SLICER_END || s->rows == PLAN_SAMPLE_ROWS;
	} while (!*done);
	return 0;
}

static int
sample_read(struct sample *s, int fd, struct fault *fault)
{
	char *bytes = malloc(SAMPLE_READ_BYTES);
	struct slicer slicer;
	bool done = false;
	int rc = 0;

	slicer_init(&slicer, s->options->delimiter, 0, CUTTER_ROW_MAX);
	slicer_give(&slicer, s->batch);
	if (bytes == NULL)
		rc = fault_no_memory(fault);
	while (!done && rc == 0) {
		ssize_t n = read(fd, bytes, SAMPLE_READ_BYTES);

		if (n < 0)
			rc = fault_set(fault, STATUS_UNREADABLE,
			    "%s: cannot be read: %s", s->input->path,
			    strerror(errno));
		else
			rc = sample_bytes(s, &slicer, bytes, (size_t)n, &done,
			    fault);
	}
	slicer_fini(&slicer);
	free(bytes);
	return rc;
}

static void
sample_set_types(struct sample *s)
{
	struct recipe *r = &s->input->recipe;

	for (size_t i = 0; i < r->column_count; i++) {
		struct recipe_column *c = &r->columns[i];

		if (!c->fixed)
			c->type = value_guess_type(&s->guesses[c->slot]);
	}
}

int
sample_input(struct input *input, const struct options *o, struct fault *fault)
{
	struct sample s = { .input = input, .options = o };
	int fd = plan_open(input->path, &input->size, fault), rc = -1;

	if (fd < 0)
		return -1;
	s.batch = batch_new();
	if (s.batch == NULL || splitter_init(&s.splitter, o->delimiter) != 0) {
		fault_no_memory(fault);
		goto fail_memory;
	}
	rc = sample_read(&s, fd, fault);
	if (rc == 0 && s.slots == NULL)
		rc = fault_set(fault, STATUS_EMPTY, "%s: the file is empty%s",
		    input->path, input->size > 0 ? ": it has no row" : "");
	if (rc == 0)
		sample_set_types(&s);
	splitter_fini(&s.splitter);
fail_memory:
	batch_free(s.batch);
	free(s.slots);
	free(s.guesses);
	close(fd);
	return rc;
}
