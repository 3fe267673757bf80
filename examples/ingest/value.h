/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * value.h - the type of a field's text, and nothing lost by it.
 *
 * INTEGER  fits int64, is written as a program would write it: no plus sign,
 *          no leading zero, no blank, not -0.
 * REAL     a plain decimal: digits, or digits, a point and digits; no plus
 *          sign, no exponent, no leading zero but a single one before the
 *          point, at most 15 digits in all, not a negative zero.  Such a
 *          number is a double and back again without a change of its value.
 * TEXT     everything else.  002272 and 5885E9 are TEXT.
 *
 * A column has one type; a value that does not fit it stays TEXT.
 */
#ifndef INGEST_VALUE_H
#define INGEST_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum value_type {
	VALUE_NULL,
	VALUE_INTEGER,
	VALUE_REAL,
	VALUE_TEXT,
};

enum { VALUE_REAL_DIGITS = 15, VALUE_NUMBER_MAX = 32 };

struct value {
	union {
		int64_t integer;
		double real;
		const char *text; /* not terminated */
	} as;
	uint32_t size; /* of the text */
	uint32_t type; /* enum value_type */
};

/* What the values of a column have in common so far. */
struct value_guess {
	bool any; /* one value was not empty */
	bool not_integer;
	bool not_real;
};

static inline struct value
value_text(const char *text, size_t size)
{
	return (struct value){ .as.text = text,
		.size = (uint32_t)size,
		.type = VALUE_TEXT };
}

static inline struct value
value_integer(int64_t integer)
{
	return (struct value){ .as.integer = integer, .type = VALUE_INTEGER };
}

static inline struct value
value_real(double real)
{
	return (struct value){ .as.real = real, .type = VALUE_REAL };
}

static inline bool
value_is_empty(const struct value *v)
{
	return v->type == VALUE_NULL || (v->type == VALUE_TEXT && v->size == 0);
}

/* Read a text as a type; false: it is not of that type. */
bool value_parse_integer(const char *text, size_t size, int64_t *integer);
bool value_parse_real(const char *text, size_t size, double *real);

/* The number a value stands for; false: it stands for none. */
bool value_number(const struct value *v, double *number);

/*
 * Give a value the type of its column.  False: it does not fit and stays as it
 * is.  Empty texts fit every column.  Numbers do not become text here; see
 * value_print().
 */
bool value_fit(struct value *v, enum value_type type);

/* Write a number as text; returns the length, below VALUE_NUMBER_MAX. */
size_t value_print(const struct value *v, char text[VALUE_NUMBER_MAX]);

void value_guess_add(struct value_guess *guess, const struct value *v);
enum value_type value_guess_type(const struct value_guess *guess);

const char *value_type_name(enum value_type type);

/* INTEGER, REAL or TEXT in any case; false: none of them. */
bool value_type_parse(const char *name, enum value_type *type);

#endif
