/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * value.c - reading and writing of typed values.
 *
 * A decimal of at most 15 digits is an integer below 2^53 divided by a power
 * of ten up to 10^15.  Both are exact doubles, so one division rounds
 * correctly (Clinger, PLDI 1990): the result is the one strtod() gives, at a
 * tenth of its cost.
 */
#include "value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { INT64_DIGITS = 19 };

static const double powers_of_ten[VALUE_REAL_DIGITS + 1] = { 1e0, 1e1, 1e2, 1e3,
	1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };

static bool
value_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool
value_parse_integer(const char *text, size_t size, int64_t *integer)
{
	const char *end = text + size;
	bool negative = size > 0 && *text == '-';
	uint64_t number = 0;

	text += negative;
	if (text == end || end - text > INT64_DIGITS)
		return false;
	if (*text == '0' && (negative || end - text > 1))
		return false;
	for (; text < end; text++) {
		if (!value_is_digit(*text))
			return false;
		number = number * 10 + (uint64_t)(*text - '0');
	}
	if (number > (uint64_t)INT64_MAX + negative)
		return false;
	*integer = negative ? (int64_t)(0 - number) : (int64_t)number;
	return true;
}

bool
value_parse_real(const char *text, size_t size, double *real)
{
	const char *point = NULL, *end = text + size;
	bool negative = size > 0 && *text == '-';
	int64_t number = 0;
	size_t digits = 0;

	text += negative;
	if (text == end || end - text > VALUE_REAL_DIGITS + 1)
		return false;
	if (*text == '0' && end - text > 1 && text[1] != '.')
		return false;
	for (; text < end; text++) {
		if (*text == '.' && point == NULL && digits > 0) {
			point = text;
			continue;
		}
		if (!value_is_digit(*text) || ++digits > VALUE_REAL_DIGITS)
			return false;
		number = number * 10 + (*text - '0');
	}
	if (point != NULL && point + 1 == end)
		return false;
	if (number == 0 && negative)
		return false;
	*real = (double)(negative ? -number : number);
	if (point != NULL)
		*real /= powers_of_ten[end - point - 1];
	return true;
}

bool
value_number(const struct value *v, double *number)
{
	int64_t integer;

	switch (v->type) {
	case VALUE_INTEGER: *number = (double)v->as.integer; return true;
	case VALUE_REAL: *number = v->as.real; return true;
	case VALUE_TEXT:
		if (value_parse_real(v->as.text, v->size, number))
			return true;
		if (!value_parse_integer(v->as.text, v->size, &integer))
			return false;
		*number = (double)integer;
		return true;
	default: return false;
	}
}

/* An integer that every double of 15 digits can hold. */
static bool
value_integer_is_real(int64_t integer)
{
	return integer > -1000000000000000 && integer < 1000000000000000;
}

static bool
value_fit_integer(struct value *v)
{
	int64_t integer;

	if (v->type == VALUE_INTEGER)
		return true;
	if (v->type != VALUE_TEXT ||
	    !value_parse_integer(v->as.text, v->size, &integer))
		return false;
	*v = value_integer(integer);
	return true;
}

static bool
value_fit_real(struct value *v)
{
	double real;

	if (v->type == VALUE_REAL)
		return true;
	if (v->type == VALUE_INTEGER && value_integer_is_real(v->as.integer)) {
		*v = value_real((double)v->as.integer);
		return true;
	}
	if (v->type != VALUE_TEXT ||
	    !value_parse_real(v->as.text, v->size, &real))
		return false;
	*v = value_real(real);
	return true;
}

bool
value_fit(struct value *v, enum value_type type)
{
	if (type == VALUE_TEXT || value_is_empty(v))
		return true;
	return type == VALUE_INTEGER ? value_fit_integer(v) : value_fit_real(v);
}

/* The shortest of 15 to 17 digits that reads back as the same double. */
size_t
value_print(const struct value *v, char text[VALUE_NUMBER_MAX])
{
	int n = 0;

	if (v->type == VALUE_INTEGER)
		return (size_t)snprintf(text, VALUE_NUMBER_MAX, "%" PRId64,
		    v->as.integer);
	for (int digits = VALUE_REAL_DIGITS; digits <= 17; digits++) {
		n = snprintf(text, VALUE_NUMBER_MAX, "%.*g", digits,
		    v->as.real);
		if (strtod(text, NULL) == v->as.real)
			break;
	}
	return (size_t)n;
}

void
value_guess_add(struct value_guess *guess, const struct value *v)
{
	struct value copy = *v;

	if (value_is_empty(v))
		return;
	guess->any = true;
	if (!guess->not_integer && !value_fit_integer(&copy))
		guess->not_integer = true;
	copy = *v;
	if (!guess->not_real && !value_fit_real(&copy))
		guess->not_real = true;
}

enum value_type
value_guess_type(const struct value_guess *guess)
{
	if (!guess->any || (guess->not_integer && guess->not_real))
		return VALUE_TEXT;
	return guess->not_integer ? VALUE_REAL : VALUE_INTEGER;
}

const char *
value_type_name(enum value_type type)
{
	static const char *const names[] = { "NULL", "INTEGER", "REAL",
		"TEXT" };

	return names[type];
}

bool
value_type_parse(const char *name, enum value_type *type)
{
	for (int t = VALUE_INTEGER; t <= VALUE_TEXT; t++) {
		if (strcasecmp(name, value_type_name((enum value_type)t)) ==
		    0) {
			*type = (enum value_type)t;
			return true;
		}
	}
	return false;
}
