/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recipe.h - what is done with each row: derive, filter, select, type.
 *
 * A recipe is made once from the options and the header, then only read, by
 * all parsers at once.  A row's fields go into slots, one for each column of
 * the file and one for each derived name that is new.  The derives run in the
 * order in which they were given; one with the name of a column replaces it
 * for all that follows.  Then the filters are asked, all of which must agree.
 * Then the selected slots become the row of the table.
 *
 * NOTATION
 *
 *     --derive 'NAME=FUNCTION(ARG, ...)'  ARG: a column, a number, or 'text'
 *     --where  'COLUMN OP VALUE'          OP: = != < <= > >= ~ !~
 *     --rename 'COLUMN=NAME'
 *     --type   'COLUMN=TYPE'              TYPE: INTEGER REAL TEXT
 *     --select 'COLUMN, ...'
 *
 * A name with blanks at its ends or with one of = ! < > ~ , ( ) is written in
 * "double quotes", a quote in it doubled.  A VALUE is the rest of the text, or
 * in 'single quotes'.  A comparison is one of numbers when both sides are
 * numbers and the value is not quoted; else of bytes.  ~ means: contains.
 */
#ifndef INGEST_RECIPE_H
#define INGEST_RECIPE_H

#include "function.h"
#include "options.h"
#include "status.h"
#include "value.h"

enum { RECIPE_COLUMNS_MAX = 2000 };

struct recipe_arg {
	bool is_slot;
	size_t slot;
	struct value literal;
};

struct recipe_derive {
	size_t slot;
	const struct function *function;
	size_t count;
	struct recipe_arg args[FUNCTION_ARGS_MAX];
};

enum recipe_operator {
	OP_EQUAL,
	OP_UNEQUAL,
	OP_LESS,
	OP_LESS_EQUAL,
	OP_GREATER,
	OP_GREATER_EQUAL,
	OP_CONTAINS,
	OP_CONTAINS_NOT,
};

struct recipe_filter {
	size_t slot;
	enum recipe_operator compare;
	struct value value; /* always TEXT */
	double number;
	bool is_number;
};

struct recipe_column {
	const char *name; /* in the table */
	size_t slot;
	enum value_type type;
	bool fixed; /* by --type */
};

struct recipe {
	size_t inputs; /* columns of the file: the first slots */
	size_t slots;
	const char **names; /* of the slots */
	struct recipe_derive *derives;
	size_t derive_count;
	struct recipe_filter *filters;
	size_t filter_count;
	struct recipe_column *columns; /* of the table */
	size_t column_count;
	bool empty_null;
	struct arena text; /* names and literals */
};

/*
 * Make a recipe for a file whose header has these fields; NULL instead of the
 * fields: c1, c2, ...  An empty name becomes column_N by its place, a name
 * that was there before (letters' case aside) gets _2, _3, ... behind it.
 */
int recipe_init(struct recipe *r, const struct options *o,
    const struct value *header, size_t count, struct fault *fault);
void recipe_fini(struct recipe *r);

enum recipe_result { RECIPE_KEEP, RECIPE_DROP, RECIPE_NO_MEMORY };

/* Run the derives and filters over the slots of a row. */
enum recipe_result recipe_apply(const struct recipe *r, struct value *slots,
    struct arena *arena);

/*
 * Make the row of the table from the slots.  A value that does not fit its
 * column is counted in misfits.  -1: no memory.
 */
int recipe_finish(const struct recipe *r, const struct value *slots,
    struct value *row, uint64_t *misfits, struct arena *arena);

#endif
