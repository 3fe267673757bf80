/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench/harness/json.c: what it reads, and what it refuses and where.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "json.h"

/* Read a text from a file; true when it is JSON. */
static bool
read_text(struct json_file *file, const char *text, size_t size)
{
	char path[] = "bench_test_json.XXXXXX";
	int fd = mkstemp(path);
	bool ok;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, size), (ssize_t)size);
	assert_int_equal(close(fd), 0);
	ok = json_read(file, path);
	assert_int_equal(unlink(path), 0);
	return ok;
}

static void
members_are_found_by_name_whatever_is_around_them(void **state)
{
	static const char text[] =
	    " {\"a\" : -1.5e2 , \"b\":\"x\\n\\u0041\\u00e9\\u20ac\\\"\",\n"
	    "\"c\":[true,false,null,[],{}], \"d\":{\"a\":7}}\n{\"a\":2}\n";
	struct json_file file;
	const struct json *c;

	(void)state;
	assert_true(read_text(&file, text, strlen(text)));
	assert_true(json_number(file.first, "a") == -150);
	assert_string_equal(json_text(file.first, "b"),
	    "x\nA\xc3\xa9\xe2\x82\xac\"");
	c = json_get(file.first, "c");
	assert_int_equal(c->type, JSON_ARRAY);
	assert_int_equal(c->first->type, JSON_TRUE);
	assert_int_equal(c->first->next->type, JSON_FALSE);
	assert_int_equal(c->first->next->next->type, JSON_NULL);
	assert_null(c->first->next->next->next->first);
	assert_int_equal(c->first->next->next->next->next->type, JSON_OBJECT);
	assert_true(json_number(json_get(file.first, "d"), "a") == 7);
	assert_true(json_number(file.first->next, "a") == 2);
	assert_null(file.first->next->next);
	assert_null(json_get(file.first, "e"));
	assert_null(json_get(c, "a"));
	assert_string_equal(json_text(file.first, "a"), "");
	assert_true(json_number(file.first, "b") == 0);
	json_free(&file);
}

static void
what_is_not_json_is_refused_with_its_line(void **state)
{
	static const char *const texts[] = { "{", "{\"a\"}", "{\"a\":}",
		"{\"a\":1", "{\"a\":1,}", "[1,]", "[1 2]", "nan", "inf", "1x",
		"-", "0x10", "\"a", "\"\\q\"", "\"\\u00g0\"", "\"\\u12", "tru",
		"{a:1}", "]", "\"a\nb\"" };
	struct json_file file;
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		(void)snprintf(text, sizeof(text), "{}\n%s", texts[i]);
		if (read_text(&file, text, strlen(text)))
			fail_msg("read: %s", texts[i]);
		assert_non_null(file.error);
		assert_true(file.line >= 2);
		json_free(&file);
	}
}

static void
a_tree_that_is_too_deep_is_refused(void **state)
{
	char text[2000];
	struct json_file file;

	(void)state;
	memset(text, '[', sizeof(text));
	assert_false(read_text(&file, text, sizeof(text)));
	assert_string_equal(file.error, "too many levels");
	json_free(&file);
}

static void
a_long_file_is_read_whole(void **state)
{
	enum { LINES = 20000 };
	char *text = malloc((size_t)LINES * 16 + 1);
	struct json_file file;
	size_t used = 0;
	int n = 0;

	(void)state;
	assert_non_null(text);
	for (int i = 0; i < LINES; i++)
		used += (size_t)sprintf(text + used, "{\"n\":%d}\n", i);
	assert_true(read_text(&file, text, used));
	for (const struct json *v = file.first; v != NULL; v = v->next)
		assert_true(json_number(v, "n") == n++);
	assert_int_equal(n, LINES);
	json_free(&file);
	free(text);
}

static void
a_file_that_is_not_there_is_an_error(void **state)
{
	struct json_file file;

	(void)state;
	assert_false(json_read(&file, "bench_test_json.none"));
	assert_non_null(file.error);
	assert_int_equal(file.line, 0);
	json_free(&file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    members_are_found_by_name_whatever_is_around_them),
		cmocka_unit_test(what_is_not_json_is_refused_with_its_line),
		cmocka_unit_test(a_tree_that_is_too_deep_is_refused),
		cmocka_unit_test(a_long_file_is_read_whole),
		cmocka_unit_test(a_file_that_is_not_there_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
