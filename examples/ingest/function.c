/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * function.c - the built-in functions; see function.h.
 *
 * Texts are UTF-8.  upper and lower change ASCII letters only, as SQLite's do;
 * length and substr count code points.  The arithmetic functions give their
 * first argument back unchanged when one of them is not a number: it is then
 * reported as a value that did not fit.
 */
#include "function.h"

#include <math.h>
#include <string.h>

int
function_text(struct arena *arena, const struct value *v, struct value *text)
{
	char printed[VALUE_NUMBER_MAX] = "";
	char *copy;
	size_t size;

	*text = *v;
	if (v->type == VALUE_TEXT)
		return 0;
	size = v->type == VALUE_NULL ? 0 : value_print(v, printed);
	copy = arena_copy(arena, printed, size);
	*text = value_text(copy, size);
	return copy != NULL ? 0 : -1;
}

static int
function_map(struct arena *arena, const struct value *arg, char first,
    char last, struct value *result)
{
	char *copy;

	if (function_text(arena, arg, result) != 0)
		return -1;
	copy = arena_copy(arena, result->as.text, result->size);
	if (copy == NULL)
		return -1;
	for (uint32_t i = 0; i < result->size; i++) {
		if (copy[i] >= first && copy[i] <= last)
			copy[i] ^= 'a' ^ 'A';
	}
	result->as.text = copy;
	return 0;
}

static int
function_upper(struct arena *arena, const struct value *args, size_t count,
    struct value *result)
{
	(void)count;
	return function_map(arena, args, 'a', 'z', result);
}

static int
function_lower(struct arena *arena, const struct value *args, size_t count,
    struct value *result)
{
	(void)count;
	return function_map(arena, args, 'A', 'Z', result);
}

static bool
function_is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static int
function_trim(struct arena *arena, const struct value *args, size_t count,
    struct value *result)
{
	(void)count;
	if (function_text(arena, args, result) != 0)
		return -1;
	while (result->size > 0 &&
	    function_is_blank(result->as.text[result->size - 1]))
		result->size--;
	while (result->size > 0 && function_is_blank(*result->as.text)) {
		result->as.text++;
		result->size--;
	}
	return 0;
}

/* Move over `count` code points; returns the bytes they take. */
static size_t
function_utf8_skip(const char *text, size_t size, int64_t count)
{
	size_t at = 0;

	while (at < size && count-- > 0) {
		at++;
		while (at < size && ((unsigned char)text[at] & 0xc0) == 0x80)
			at++;
	}
	return at;
}

static int
function_length(struct arena *arena, const struct value *args, size_t count,
    struct value *result)
{
	struct value text;
	int64_t points = 0;

	(void)count;
	if (function_text(arena, args, &text) != 0)
		return -1;
	for (size_t at = 0; at < text.size; points++)
		at += function_utf8_skip(text.as.text + at, text.size - at, 1);
	*result = value_integer(points);
	return 0;
}

static int
function_concat(struct arena *arena, const struct value *args, size_t count,
    struct value *result)
{
	struct value texts[FUNCTION_ARGS_MAX];
	size_t size = 0;
	char *to;

	for (size_t i = 0; i < count; i++) {
		if (function_text(arena, &args[i], &texts[i]) != 0)
			return -1;
		size += texts[i].size;
	}
	to = arena_alloc(arena, size);
	if (to == NULL)
		return -1;
	*result = value_text(to, size);
	for (size_t i = 0; i < count; i++) {
		if (texts[i].size > 0)
			memcpy(to, texts[i].as.text, texts[i].size);
		to += texts[i].size;
	}
	return 0;
}

/* substr(text, start[, length]): start 1 is the first code point. */
static int
function_substr(struct arena *arena, const struct value *args, size_t count,
    struct value *result)
{
	double start = 1, length = (double)INT32_MAX;
	size_t skip;

	if (function_text(arena, args, result) != 0)
		return -1;
	if (!value_number(&args[1], &start) ||
	    (count > 2 && !value_number(&args[2], &length)))
		return 0;
	start = fmin(fmax(start, 1), (double)INT32_MAX);
	length = fmin(fmax(length, 0), (double)INT32_MAX);
	skip = function_utf8_skip(result->as.text, result->size,
	    (int64_t)start - 1);
	result->as.text += skip;
	result->size -= (uint32_t)skip;
	result->size = (uint32_t)function_utf8_skip(result->as.text,
	    result->size, (int64_t)length);
	return 0;
}

/* replace(text, what, by): from left to right, what was put in is passed. */
static int
function_replace(struct arena *arena, const struct value *args, size_t count,
    struct value *result)
{
	struct value text, what, by;
	const char *at, *end, *hit;
	size_t hits = 0;
	char *to;

	(void)count;
	if (function_text(arena, &args[0], &text) != 0 ||
	    function_text(arena, &args[1], &what) != 0 ||
	    function_text(arena, &args[2], &by) != 0)
		return -1;
	*result = text;
	end = text.as.text + text.size;
	if (what.size == 0)
		return 0;
	for (at = text.as.text; (hit = memmem(at, (size_t)(end - at),
				     what.as.text, what.size)) != NULL;
	     at = hit + what.size)
		hits++;
	to = arena_alloc(arena, text.size - hits * what.size + hits * by.size);
	if (to == NULL)
		return -1;
	*result = value_text(to, text.size - hits * what.size + hits * by.size);
	for (at = text.as.text; (hit = memmem(at, (size_t)(end - at),
				     what.as.text, what.size)) != NULL;
	     at = hit + what.size) {
		to = mempcpy(to, at, (size_t)(hit - at));
		to = mempcpy(to, by.as.text, by.size);
	}
	memcpy(to, at, (size_t)(end - at));
	return 0;
}

static int
function_coalesce(struct arena *arena, const struct value *args, size_t count,
    struct value *result)
{
	(void)arena;
	for (size_t i = 0; i < count; i++) {
		*result = args[i];
		if (!value_is_empty(&args[i]))
			break;
	}
	return 0;
}

/* Two integers whose result by `op` is an integer without overflow. */
static bool
function_integers(char op, const struct value *args, struct value *result)
{
	struct value a = args[0], b = args[1];
	int64_t r = 0;
	bool overflow;

	if (!value_fit(&a, VALUE_INTEGER) || !value_fit(&b, VALUE_INTEGER) ||
	    a.type != VALUE_INTEGER || b.type != VALUE_INTEGER)
		return false;
	if (op == '+')
		overflow =
		    __builtin_add_overflow(a.as.integer, b.as.integer, &r);
	else if (op == '-')
		overflow =
		    __builtin_sub_overflow(a.as.integer, b.as.integer, &r);
	else
		overflow =
		    __builtin_mul_overflow(a.as.integer, b.as.integer, &r);
	*result = value_integer(r);
	return !overflow;
}

static int
function_arithmetic(char op, const struct value *args, struct value *result)
{
	double a, b;

	if (op != '/' && function_integers(op, args, result))
		return 0;
	*result = args[0];
	if (!value_number(&args[0], &a) || !value_number(&args[1], &b))
		return 0;
	if (op == '/' && b == 0) {
		*result = (struct value){ .type = VALUE_NULL };
		return 0;
	}
	*result = value_real(op == '+' ? a + b :
		op == '-'              ? a - b :
		op == '*'              ? a * b :
					 a / b);
	return 0;
}

static int
function_add(struct arena *arena, const struct value *args, size_t count,
    struct value *result)
{
	(void)arena;
	(void)count;
	return function_arithmetic('+', args, result);
}

static int
function_sub(struct arena *arena, const struct value *args, size_t count,
    struct value *result)
{
	(void)arena;
	(void)count;
	return function_arithmetic('-', args, result);
}

static int
function_mul(struct arena *arena, const struct value *args, size_t count,
    struct value *result)
{
	(void)arena;
	(void)count;
	return function_arithmetic('*', args, result);
}

static int
function_div(struct arena *arena, const struct value *args, size_t count,
    struct value *result)
{
	(void)arena;
	(void)count;
	return function_arithmetic('/', args, result);
}

/* round(number[, decimals]): halves away from zero. */
static int
function_round(struct arena *arena, const struct value *args, size_t count,
    struct value *result)
{
	double number, decimals = 0, scale;

	(void)arena;
	*result = args[0];
	if (!value_number(&args[0], &number) ||
	    (count > 1 && !value_number(&args[1], &decimals)))
		return 0;
	scale = pow(10, fmin(fmax(decimals, 0), VALUE_REAL_DIGITS));
	if (fabs(number) < 1e15)
		number = round(number * scale) / scale;
	*result = value_real(number);
	return 0;
}

static const struct function functions[] = {
	{ "upper", 1, 1, function_upper, "(COL)  ASCII letters to capitals" },
	{ "lower", 1, 1, function_lower, "(COL)  ASCII letters to small" },
	{ "trim", 1, 1, function_trim, "(COL)  without blanks at both ends" },
	{ "length", 1, 1, function_length, "(COL)  code points" },
	{ "concat", 1, 8, function_concat, "(A, ...)  one behind the other" },
	{ "substr", 2, 3, function_substr, "(COL, START[, LENGTH])  from 1" },
	{ "replace", 3, 3, function_replace, "(COL, 'WHAT', 'BY')" },
	{ "coalesce", 1, 8, function_coalesce,
	    "(A, ...)  the first that is not empty" },
	{ "add", 2, 2, function_add, "(A, B)  A + B" },
	{ "sub", 2, 2, function_sub, "(A, B)  A - B" },
	{ "mul", 2, 2, function_mul, "(A, B)  A * B" },
	{ "div", 2, 2, function_div, "(A, B)  A / B; NULL when B is 0" },
	{ "round", 1, 2, function_round, "(A[, DECIMALS])" },
};

const struct function *
function_at(size_t index)
{
	size_t count = sizeof functions / sizeof functions[0];

	if (index < count)
		return &functions[index];
	if (index - count < row_hook_count)
		return &row_hooks[index - count];
	return NULL;
}

const struct function *
function_find(const char *name)
{
	const struct function *f;

	for (size_t i = 0; (f = function_at(i)) != NULL; i++) {
		if (strcmp(f->name, name) == 0)
			return f;
	}
	return NULL;
}
