/* SPDX-License-Identifier: BSD-2-Clause */
/* Which texts are numbers, and that no number changes its value. */
#include "value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RANDOM_NUMBERS = 200000 };

static bool
is_integer(const char *text)
{
	int64_t integer;

	return value_parse_integer(text, strlen(text), &integer);
}

static bool
is_real(const char *text)
{
	double real;

	return value_parse_real(text, strlen(text), &real);
}

static void
integers_are_what_a_program_would_print(void **state)
{
	static const char *const yes[] = { "0", "7", "-1", "10", "2147483648",
		"9223372036854775807", "-9223372036854775808" };
	static const char *const no[] = { "", "-", "-0", "00", "007", "+1",
		" 1", "1 ", "1.0", "1e3", "0x10", "9223372036854775808",
		"-9223372036854775809", "99999999999999999999", "1_000",
		"\xd9\xa1", "--1", "1-" };

	(void)state;
	for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
		assert_true(is_integer(yes[i]));
	for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
		assert_false(is_integer(no[i]));
}

static void
integers_keep_their_value(void **state)
{
	int64_t integer;

	(void)state;
	assert_true(value_parse_integer("-9223372036854775808", 20, &integer));
	assert_int_equal(integer, INT64_MIN);
	assert_true(value_parse_integer("9223372036854775807", 19, &integer));
	assert_int_equal(integer, INT64_MAX);
	assert_true(value_parse_integer("123456", 3, &integer));
	assert_int_equal(integer, 123);
}

static void
reals_are_plain_decimals_of_15_digits(void **state)
{
	static const char *const yes[] = { "0", "1", "-1", "0.5", "-0.25",
		"1.0", "12.50", "100", "0.0", "123456789012345",
		"1.23456789012345", "-12345678901234.5" };
	static const char *const no[] = { "", "-", ".", "-.", ".5", "5.",
		"+1.5", "01.5", "00.5", "-0", "-0.0", "1e3", "1.5e3", "5885E9",
		"1.2.3", " 1.5", "1.5 ", "nan", "inf", "1234567890123456",
		"1.234567890123456", "0x1p3", "1,5" };

	(void)state;
	for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
		assert_true(is_real(yes[i]));
	for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
		assert_false(is_real(no[i]));
}

static void
reals_are_those_of_strtod_and_print_the_same(void **state)
{
	uint64_t random = 1;
	char text[64], back[64];

	(void)state;
	for (int i = 0; i < RANDOM_NUMBERS; i++) {
		double real, expected;
		int decimals = i % 15;
		size_t size;

		random = random * 6364136223846793005u + 1442695040888963407u;
		snprintf(text, sizeof text, "%.*f", decimals,
		    (double)(int64_t)(random >> 20) / 1e5);
		size = strlen(text);
		if (!value_parse_real(text, size, &real))
			continue;
		expected = strtod(text, NULL);
		assert_memory_equal(&real, &expected, sizeof real);
		snprintf(back, sizeof back, "%.*f", decimals, real);
		assert_string_equal(text, back);
	}
}

static enum value_type
guess(const char *const *texts, size_t count)
{
	struct value_guess g = { .any = false };

	for (size_t i = 0; i < count; i++) {
		struct value v = value_text(texts[i], strlen(texts[i]));

		value_guess_add(&g, &v);
	}
	return value_guess_type(&g);
}

static void
column_has_the_narrowest_type_that_holds_all(void **state)
{
	static const char *const integers[] = { "1", "", "-2" };
	static const char *const reals[] = { "1", "2.5", "" };
	static const char *const leading_zero[] = { "1", "007" };
	static const char *const long_integer[] = { "1.5", "1234567890123456" };
	static const char *const long_integers[] = { "1", "1234567890123456" };
	static const char *const empty[] = { "", "" };

	(void)state;
	assert_int_equal(guess(integers, 3), VALUE_INTEGER);
	assert_int_equal(guess(reals, 3), VALUE_REAL);
	assert_int_equal(guess(leading_zero, 2), VALUE_TEXT);
	assert_int_equal(guess(long_integer, 2), VALUE_TEXT);
	assert_int_equal(guess(long_integers, 2), VALUE_INTEGER);
	assert_int_equal(guess(empty, 2), VALUE_TEXT);
	assert_int_equal(guess(empty, 0), VALUE_TEXT);
}

static void
value_that_does_not_fit_stays_as_it_is(void **state)
{
	struct value v = value_text("007", 3);

	(void)state;
	assert_false(value_fit(&v, VALUE_INTEGER));
	assert_int_equal(v.type, VALUE_TEXT);
	assert_memory_equal(v.as.text, "007", 3);
	v = value_text("7", 1);
	assert_true(value_fit(&v, VALUE_REAL));
	assert_int_equal(v.type, VALUE_REAL);
	v = value_text("", 0);
	assert_true(value_fit(&v, VALUE_INTEGER));
	assert_int_equal(v.type, VALUE_TEXT);
	v = value_real(1.5);
	assert_false(value_fit(&v, VALUE_INTEGER));
	v = value_integer(INT64_MAX);
	assert_false(value_fit(&v, VALUE_REAL));
	assert_int_equal(v.as.integer, INT64_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_are_what_a_program_would_print),
		cmocka_unit_test(integers_keep_their_value),
		cmocka_unit_test(reals_are_plain_decimals_of_15_digits),
		cmocka_unit_test(reals_are_those_of_strtod_and_print_the_same),
		cmocka_unit_test(column_has_the_narrowest_type_that_holds_all),
		cmocka_unit_test(value_that_does_not_fit_stays_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
