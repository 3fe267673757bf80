/* SPDX-License-Identifier: BSD-2-Clause */
/* recipe.c - runs a recipe over a row; see recipe.h. */
#include "recipe.h"

#include <string.h>

static int
recipe_derive(const struct recipe_derive *d, struct value *slots,
    struct arena *arena)
{
	struct value args[FUNCTION_ARGS_MAX], result;

	for (size_t i = 0; i < d->count; i++)
		args[i] = d->args[i].is_slot ? slots[d->args[i].slot] :
					       d->args[i].literal;
	if (d->function->compute(arena, args, d->count, &result) != 0)
		return -1;
	slots[d->slot] = result;
	return 0;
}

static int
recipe_compare_texts(const struct value *a, const struct value *b)
{
	size_t size = a->size < b->size ? a->size : b->size;
	int order = size > 0 ? memcmp(a->as.text, b->as.text, size) : 0;

	if (order != 0)
		return order;
	return (a->size > b->size) - (a->size < b->size);
}

static bool
recipe_ordered(enum recipe_operator compare, int order)
{
	switch (compare) {
	case OP_EQUAL: return order == 0;
	case OP_UNEQUAL: return order != 0;
	case OP_LESS: return order < 0;
	case OP_LESS_EQUAL: return order <= 0;
	case OP_GREATER: return order > 0;
	default: return order >= 0;
	}
}

static enum recipe_result
recipe_filter(const struct recipe_filter *f, const struct value *slots,
    struct arena *arena)
{
	struct value text;
	double number;
	bool keep;

	if (f->is_number && f->compare < OP_CONTAINS &&
	    value_number(&slots[f->slot], &number)) {
		keep = recipe_ordered(f->compare,
		    (number > f->number) - (number < f->number));
		return keep ? RECIPE_KEEP : RECIPE_DROP;
	}
	if (function_text(arena, &slots[f->slot], &text) != 0)
		return RECIPE_NO_MEMORY;
	if (f->compare >= OP_CONTAINS)
		keep = (f->value.size == 0 ||
			   memmem(text.as.text, text.size, f->value.as.text,
			       f->value.size) != NULL) ==
		    (f->compare == OP_CONTAINS);
	else
		keep = recipe_ordered(f->compare,
		    recipe_compare_texts(&text, &f->value));
	return keep ? RECIPE_KEEP : RECIPE_DROP;
}

enum recipe_result
recipe_apply(const struct recipe *r, struct value *slots, struct arena *arena)
{
	enum recipe_result result = RECIPE_KEEP;

	for (size_t i = 0; i < r->derive_count; i++) {
		if (recipe_derive(&r->derives[i], slots, arena) != 0)
			return RECIPE_NO_MEMORY;
	}
	for (size_t i = 0; i < r->filter_count && result == RECIPE_KEEP; i++)
		result = recipe_filter(&r->filters[i], slots, arena);
	return result;
}

int
recipe_finish(const struct recipe *r, const struct value *slots,
    struct value *row, uint64_t *misfits, struct arena *arena)
{
	for (size_t i = 0; i < r->column_count; i++) {
		const struct recipe_column *c = &r->columns[i];

		row[i] = slots[c->slot];
		if (c->type == VALUE_TEXT && row[i].type != VALUE_TEXT &&
		    row[i].type != VALUE_NULL &&
		    function_text(arena, &slots[c->slot], &row[i]) != 0)
			return -1;
		if (!value_fit(&row[i], c->type))
			misfits[i]++;
		if (r->empty_null && value_is_empty(&row[i]))
			row[i].type = VALUE_NULL;
	}
	return 0;
}
