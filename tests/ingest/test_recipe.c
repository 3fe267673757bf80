/* SPDX-License-Identifier: BSD-2-Clause */
/* Options, and what derives, filters, selections and types make of a row. */
#include "recipe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ARGS_MAX = 16, FIELDS_MAX = 8 };

static struct options options;
static struct recipe recipe;
static struct fault fault;

/* Parse `args` (NULL at the end), with a file and a database put before. */
static int
parse(const char *const *args)
{
	const char *argv[ARGS_MAX + 4] = { "ingest", "in.csv", "--into",
		"out.db" };
	int argc = 4;

	while (*args != NULL)
		argv[argc++] = *args++;
	return options_parse(&options, argc, (char **)(uintptr_t)argv, &fault);
}

/* Split at ; and make values of it. */
static size_t
fields_of(const char *text, struct value *fields)
{
	size_t count = 0;

	while (true) {
		size_t size = strcspn(text, ";");

		fields[count++] = value_text(text, size);
		if (text[size] == '\0')
			return count;
		text += size + 1;
	}
}

static int
make(const char *header, const char *const *args)
{
	struct value fields[FIELDS_MAX];
	size_t count = fields_of(header, fields);

	assert_int_equal(parse(args), 0);
	return recipe_init(&recipe, &options, fields, count, &fault);
}

static void
drop(void)
{
	recipe_fini(&recipe);
	options_fini(&options);
}

/* The row that `text` becomes, joined by |, or "-" when it is filtered. */
static const char *
row_of(const char *text)
{
	static char joined[512];
	struct value slots[FIELDS_MAX * 2], row[FIELDS_MAX * 2];
	uint64_t misfits[FIELDS_MAX * 2] = { 0 };
	struct arena arena = { 0 };

	assert_int_equal(fields_of(text, slots), recipe.inputs);
	if (recipe_apply(&recipe, slots, &arena) == RECIPE_DROP) {
		arena_clear(&arena, 0);
		return "-";
	}
	assert_int_equal(recipe_finish(&recipe, slots, row, misfits, &arena),
	    0);
	*joined = '\0';
	for (size_t i = 0; i < recipe.column_count; i++) {
		struct value t;

		assert_int_equal(function_text(&arena, &row[i], &t), 0);
		snprintf(joined + strlen(joined),
		    sizeof joined - strlen(joined), "%s%.*s%s",
		    i > 0 ? "|" : "", (int)t.size, t.as.text,
		    row[i].type == VALUE_NULL ? "NULL" : "");
	}
	arena_clear(&arena, 0);
	return joined;
}

static void
header_names_become_unique_and_not_empty(void **state)
{
	static const char *const none[] = { NULL };

	(void)state;
	assert_int_equal(make("a;;A;a;column_2", none), 0);
	assert_string_equal(recipe.columns[0].name, "a");
	assert_string_equal(recipe.columns[1].name, "column_2");
	assert_string_equal(recipe.columns[2].name, "A_2");
	assert_string_equal(recipe.columns[3].name, "a_3");
	assert_string_equal(recipe.columns[4].name, "column_2_2");
	drop();
}

static void
derives_run_in_order_and_may_replace_a_column(void **state)
{
	static const char *const args[] = { "--derive", "user=upper(user)",
		"--derive", "gross=mul(amount, 1.19)", "--derive",
		"gross = round(gross,2)", "--derive",
		"tag=concat(user,'-',\"a b\")", NULL };

	(void)state;
	assert_int_equal(make("user;amount;a b", args), 0);
	assert_int_equal(recipe.column_count, 5);
	assert_string_equal(row_of("bob;10.01;x"), "BOB|10.01|x|11.91|BOB-x");
	assert_string_equal(row_of("bob;n/a;x"), "BOB|n/a|x|n/a|BOB-x");
	drop();
}

static void
functions_compute_what_help_says(void **state)
{
	static const struct {
		const char *derive, *row, *result;
	} cases[] = {
		{ "x=lower(a)",
		    "\xc3\x84"
		    "BC;",
		    "\xc3\x84"
		    "bc" },
		{ "x=trim(a)", " \ta b ;", "a b" },
		{ "x=trim(a)", "  ;", "" },
		{ "x=length(a)",
		    "\xc3\xa4"
		    "bc;",
		    "3" },
		{ "x=substr(a,2,2)",
		    "\xc3\xa4\xc3\xb6\xc3\xbc"
		    "d;",
		    "\xc3\xb6\xc3\xbc" },
		{ "x=substr(a,3)", "ab;", "" },
		{ "x=replace(a,'.','')", "1.2.3;", "123" },
		{ "x=replace(a,'a','aa')", "aba;", "aabaa" },
		{ "x=replace(a,'','z')", "aba;", "aba" },
		{ "x=coalesce(a,b,'none')", ";", "none" },
		{ "x=coalesce(a,b,'none')", ";b", "b" },
		{ "x=add(a,b)", "1;2", "3" },
		{ "x=add(a,b)", "9223372036854775807;1",
		    "9.223372036854776e+18" },
		{ "x=sub(a,b)", "1;2.5", "-1.5" },
		{ "x=mul(a,b)", "3;4", "12" },
		{ "x=div(a,b)", "3;4", "0.75" },
		{ "x=div(a,b)", "3;0", "NULL" },
		{ "x=round(a)", "2.5;", "3" },
		{ "x=round(a,1)", "-0.25;", "-0.3" },
		{ "x=domain(a)", "bob@example.org;", "example.org" },
		{ "x=domain(a)", "bob;", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *args[] = { "--derive", cases[i].derive, "--select",
			"x", NULL };

		assert_int_equal(make("a;b", args), 0);
		assert_string_equal(row_of(cases[i].row), cases[i].result);
		drop();
	}
}

static void
filters_compare_numbers_as_numbers_and_texts_as_bytes(void **state)
{
	static const struct {
		const char *where, *row;
		bool keep;
	} cases[] = {
		{ "a > 100", "99.5;", false },
		{ "a > 100", "100.5;", true },
		{ "a>9", "10;", true },
		{ "a > '9'", "10;", false },
		{ "a >= 10", "10.0;", true },
		{ "a != 10", "10.0;", false },
		{ "a = DE", "DE;", true },
		{ "a = DE", "de;", false },
		{ "a == 'D E'", "D E;", true },
		{ "a <> 1", "2;", true },
		{ "a ~ ell", "hello;", true },
		{ "a !~ ell", "hello;", false },
		{ "a ~ 1", "21;", true },
		{ "a = ", ";", true },
		{ "a != ''", ";", false },
		{ "\"b\" < 5", ";4", true },
		{ "a < 5", "abc;", false },
		{ "A <= b", "b;", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *args[] = { "--where", cases[i].where, NULL };

		assert_int_equal(make("a;b", args), 0);
		assert_int_equal(strcmp(row_of(cases[i].row), "-") != 0,
		    cases[i].keep);
		drop();
	}
}

static void
select_rename_type_and_null_make_the_row(void **state)
{
	static const char *const args[] = { "--select", "c, \"a,b\"",
		"--rename", "c=id", "--type", "c=integer", "--type", "a,b=real",
		"--empty-null", NULL };
	static const char *const quoted[] = { "--select", "c, \"a,b\"",
		"--rename", "c=id", "--type", "c=integer", "--type",
		"\"a,b\"=real", "--empty-null", NULL };

	(void)state;
	assert_int_equal(make("a,b;x;c", args), 0);
	drop();
	assert_int_equal(make("a,b;x;c", quoted), 0);
	assert_int_equal(recipe.column_count, 2);
	assert_string_equal(recipe.columns[0].name, "id");
	assert_int_equal(recipe.columns[0].type, VALUE_INTEGER);
	assert_int_equal(recipe.columns[1].type, VALUE_REAL);
	assert_string_equal(row_of("1.5;x;"), "NULL|1.5");
	assert_string_equal(row_of("1.5;x;007"), "007|1.5");
	drop();
}

static void
wrong_options_are_refused_with_what_is_wrong(void **state)
{
	static const char *const cases[][2] = {
		{ "--where", "nope > 1" },
		{ "--where", "a" },
		{ "--where", "a = 'x' y" },
		{ "--derive", "x" },
		{ "--derive", "x=nope(a)" },
		{ "--derive", "x=upper(nope)" },
		{ "--derive", "x=upper(a" },
		{ "--derive", "x=upper(a,b)" },
		{ "--derive", "x=upper()" },
		{ "--derive", "x=upper(a) y" },
		{ "--select", "a,nope" },
		{ "--select", "a,a" },
		{ "--select", "a,,b" },
		{ "--rename", "nope=x" },
		{ "--rename", "a=b" },
		{ "--rename", "a=" },
		{ "--type", "nope=TEXT" },
		{ "--type", "a=float" },
		{ "--type", "a" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *args[] = { cases[i][0], cases[i][1], NULL };

		fault.text[0] = '\0';
		assert_int_equal(make("a;b", args), -1);
		assert_int_equal(fault.status, STATUS_USAGE);
		assert_true(strlen(fault.text) > 10);
		drop();
	}
}

static void
wrong_command_lines_are_refused(void **state)
{
	static const char *const cases[][3] = {
		{ "--nope", NULL },
		{ "-x", NULL },
		{ "--table", NULL },
		{ "--workers", "65", NULL },
		{ "--workers", "two", NULL },
		{ "--max-rejects", "-1", NULL },
		{ "--journal", "x", NULL },
		{ "--sync", "always", NULL },
		{ "--delimiter", "", NULL },
		{ "--delimiter", "ab", NULL },
		{ "--delimiter", "\"", NULL },
		{ "--append", "--replace", NULL },
		{ "--into", "", NULL },
		{ "--table", "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(parse(cases[i]), -1);
		assert_int_equal(fault.status, STATUS_USAGE);
		options_fini(&options);
	}
}

static void
options_may_stand_between_the_files(void **state)
{
	static const char *const args[] = { "--delimiter", "\\t", "b.csv",
		"--workers", "3", "-q", "c.csv", NULL };

	(void)state;
	assert_int_equal(parse(args), 0);
	assert_int_equal(options.file_count, 3);
	assert_string_equal(options.files[2], "c.csv");
	assert_int_equal(options.delimiter, '\t');
	assert_int_equal(options.workers, 3);
	assert_true(options.quiet);
	options_fini(&options);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_names_become_unique_and_not_empty),
		cmocka_unit_test(derives_run_in_order_and_may_replace_a_column),
		cmocka_unit_test(functions_compute_what_help_says),
		cmocka_unit_test(
		    filters_compare_numbers_as_numbers_and_texts_as_bytes),
		cmocka_unit_test(select_rename_type_and_null_make_the_row),
		cmocka_unit_test(wrong_options_are_refused_with_what_is_wrong),
		cmocka_unit_test(wrong_command_lines_are_refused),
		cmocka_unit_test(options_may_stand_between_the_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
