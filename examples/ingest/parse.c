/* SPDX-License-Identifier: BSD-2-Clause */
/* parse.c - see parse.h. */
#include "parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REASON_BYTES = 64 };

int
parser_init(struct parser *p, const struct recipe *recipe, char delimiter)
{
	p->recipe = recipe;
	p->slots = calloc(recipe->slots, sizeof *p->slots);
	if (p->slots == NULL)
		return -1;
	if (splitter_init(&p->splitter, delimiter) != 0) {
		free(p->slots);
		return -1;
	}
	return 0;
}

void
parser_fini(struct parser *p)
{
	splitter_fini(&p->splitter);
	free(p->slots);
}

static int
parse_ragged(const struct parser *p, struct batch *b, const struct span *span)
{
	char *reason = arena_alloc(&b->text, REASON_BYTES);
	size_t fields = p->splitter.count;

	if (reason == NULL)
		return -1;
	snprintf(reason, REASON_BYTES, "%zu field%s instead of %zu", fields,
	    fields == 1 ? "" : "s", p->recipe->inputs);
	return batch_reject_span(b, span, reason);
}

static int
parse_row(struct parser *p, struct batch *b, const struct span *span)
{
	struct arena_mark mark = arena_mark(&b->text);
	const struct recipe *r = p->recipe;
	enum recipe_result result;
	struct value *row;

	if (splitter_row(&p->splitter, b->raw + span->start, span->body,
		span->size, p->slots, r->inputs, &b->text) != 0)
		return -1;
	if (p->splitter.count != r->inputs) {
		arena_rewind(&b->text, mark);
		return parse_ragged(p, b, span);
	}
	result = recipe_apply(r, p->slots, &b->text);
	if (result == RECIPE_NO_MEMORY)
		return -1;
	if (result == RECIPE_DROP) {
		arena_rewind(&b->text, mark);
		b->filtered++;
		return 0;
	}
	row = batch_next_row(b);
	if (row == NULL ||
	    recipe_finish(r, p->slots, row, b->misfits, &b->text) != 0)
		return -1;
	b->rows++;
	return 0;
}

int
parse_batch(struct parser *p, struct batch *b)
{
	int rc = batch_set_columns(b, p->recipe->column_count);

	for (size_t i = 0; i < b->span_count && rc == 0; i++) {
		const struct span *span = &b->spans[i];

		if (span->kind == CUT_ROW)
			rc = parse_row(p, b, span);
		else
			rc = batch_reject_span(b, span,
			    cutter_reason((enum cut_kind)span->kind));
	}
	return rc;
}
