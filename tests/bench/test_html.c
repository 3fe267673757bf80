/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench/report/html.c: texts and results within a page stay what they are.
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

#include "html.h"

#define REPLACED "\xef\xbf\xbd"

/* What html_text() makes of a text. */
static char *
as_text(const char *text)
{
	char *made = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&made, &size);

	assert_non_null(out);
	html_text(out, text);
	assert_int_equal(fclose(out), 0);
	return made;
}

/* What html_json() makes of a file. */
static char *
as_json(const char *content, size_t length)
{
	char path[] = "bench_test_html.XXXXXX";
	int fd = mkstemp(path);
	char *made = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&made, &size);

	assert_true(fd >= 0);
	assert_non_null(out);
	assert_int_equal(write(fd, content, length), (ssize_t)length);
	assert_int_equal(close(fd), 0);
	assert_true(html_json(out, path));
	assert_int_equal(fclose(out), 0);
	assert_int_equal(unlink(path), 0);
	return made;
}

static void
what_html_gives_a_meaning_is_a_reference(void **state)
{
	char *made = as_text("<a href=\"x\" id='y'>&amp;</a>");

	(void)state;
	assert_string_equal(made,
	    "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;amp;&lt;/a&gt;");
	free(made);
}

static void
text_is_kept_and_what_is_none_is_replaced(void **state)
{
	static const struct {
		const char *text;
		const char *made;
	} cases[] = {
		{ "", "" },
		{ "a\xc3\xa9\xe6\xbc\xa2\xf0\x9f\x8e\xad",
		    "a\xc3\xa9\xe6\xbc\xa2\xf0\x9f\x8e\xad" },
		{ "a\x1b[31m\x7f", "a" REPLACED "[31m" REPLACED },
		{ "\xff.", REPLACED "." },
		{ "\xc0\xaf.", REPLACED REPLACED "." }, /* longer than needed */
		{ "\xed\xa0\x80", REPLACED REPLACED REPLACED }, /* surrogate */
		{ "\xf4\x90\x80\x80", REPLACED REPLACED REPLACED REPLACED },
		{ "\xe2\x82", REPLACED REPLACED }, /* cut off */
		{ "\xe2<b>", REPLACED "&lt;b&gt;" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *made = as_text(cases[i].text);

		assert_string_equal(made, cases[i].made);
		free(made);
	}
}

static void
json_ends_no_script_and_stays_the_same(void **state)
{
	static const char json[] =
	    "{\"a\":\"</script><!-- & \\\" \xe6\xbc\xa2\"}\n";
	char *made = as_json(json, strlen(json));

	(void)state;
	assert_string_equal(made,
	    "{\"a\":\"\\u003c/script\\u003e\\u003c!-- \\u0026 \\\" "
	    "\xe6\xbc\xa2\"}\n");
	free(made);
	made = as_json("\"\xff\xe6\xbc\"", 5);
	assert_string_equal(made, "\"" REPLACED REPLACED REPLACED "\"");
	free(made);
	made = as_json("", 0);
	assert_string_equal(made, "");
	free(made);
	assert_false(html_json(stdout, "bench_test_html.none"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_html_gives_a_meaning_is_a_reference),
		cmocka_unit_test(text_is_kept_and_what_is_none_is_replaced),
		cmocka_unit_test(json_ends_no_script_and_stays_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
