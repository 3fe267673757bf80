/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a row is, and that it does not depend on how the file comes in pieces.
 *
 * The cutter is compared with a second implementation of the same rules that
 * sees the whole file and goes byte by byte.
 */
#include "slicer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS_MAX = 4096, TEXT_MAX = 64, RANDOM_FILES = 20000 };

struct row {
	uint64_t offset;
	uint64_t line;
	uint32_t kind;
	size_t size;
	char text[TEXT_MAX];
};

struct rows {
	size_t count;
	uint64_t bytes; /* covered by batches */
	struct row at[ROWS_MAX];
};

static const char tricky[] = "\xef\xbb\xbfid,text,\"more\"\r\n"
			     "1,\"a \"\"quoted\"\" word\",x\n"
			     "2,\"two\nlines\",y\r\n"
			     "3,\"cr\rand crlf\r\nand lf\n\",\"\"\n"
			     "\n\r\n\r"
			     "4,mid\"dle,\"\"\"\"\r"
			     "5,\"bad\"x,y\r\n"
			     "6,\"bad\nover two lines\" ,y\n"
			     ",,\n"
			     "\"7\",\"\",\"a,b\"\n"
			     "8,ab\"\"c,\"x\"\"\"\n"
			     "9,\"never closed,z\n"
			     "10,last row,\xc3\xa4";

static void
rows_add(struct rows *r, uint64_t offset, uint64_t line, uint32_t kind,
    const char *text, size_t size)
{
	struct row *row = &r->at[r->count++];

	assert_in_range(r->count, 1, ROWS_MAX - 1);
	memset(row, 0, sizeof *row);
	row->offset = offset;
	row->line = line;
	row->kind = kind;
	row->size = size;
	memcpy(row->text, text, size < TEXT_MAX ? size : TEXT_MAX);
}

/* --- the second implementation ------------------------------------------ */

/* Length of the line end at `at`, or 0. */
static size_t
model_line_end(const char *file, size_t size, size_t at)
{
	if (at < size && file[at] == '\n')
		return 1;
	if (at < size && file[at] == '\r')
		return at + 1 < size && file[at + 1] == '\n' ? 2 : 1;
	return 0;
}

/* Where the row at `row` ends, line end not included, and why. */
static uint32_t
model_row(const char *file, size_t size, size_t row, size_t limit, size_t *end)
{
	bool quoted = false, start = true;
	uint32_t kind = CUT_ROW;
	size_t at = row, quote = row;

	for (; at < size; at++) {
		if (at - row >= limit &&
		    (quoted || model_line_end(file, size, at) == 0)) {
			kind = quoted ? CUT_LONG_QUOTE : CUT_TOO_LONG;
			break;
		}
		if (quoted && file[at] == '"') {
			if (at + 1 < size && file[at + 1] == '"') {
				at++;
				continue;
			}
			quoted = false;
			if (at + 1 < size && file[at + 1] != ',' &&
			    model_line_end(file, size, at + 1) == 0) {
				kind = CUT_BAD_QUOTE;
				at++;
				break;
			}
		} else if (!quoted && start && file[at] == '"') {
			quoted = true;
			quote = at;
		} else if (!quoted && model_line_end(file, size, at) != 0) {
			break;
		}
		start = !quoted && file[at] == ',';
	}
	if (quoted && at - row >= limit)
		kind = CUT_LONG_QUOTE;
	else if (quoted && at >= size)
		kind = CUT_OPEN_QUOTE;
	if (kind == CUT_OPEN_QUOTE || kind == CUT_LONG_QUOTE)
		at = quote + 1;
	while (at < size && model_line_end(file, size, at) == 0)
		at++;
	*end = at;
	return kind;
}

static void
model_cut(const char *file, size_t size, size_t limit, struct rows *rows)
{
	uint64_t line = 1;
	size_t at = 0, end;

	rows->count = 0;
	rows->bytes = size;
	if (size >= 3 && memcmp(file, "\xef\xbb\xbf", 3) == 0)
		at = 3;
	while (at < size) {
		uint32_t kind = model_row(file, size, at, limit, &end);
		size_t length = end - at;
		size_t next = end + model_line_end(file, size, end);

		if (kind != CUT_ROW && length > limit)
			length = limit;
		if (kind != CUT_ROW || length > 0)
			rows_add(rows, at, line, kind, file + at, length);
		while (at < next) {
			size_t n = model_line_end(file, size, at);

			line += n != 0;
			at += n != 0 ? n : 1;
		}
	}
}

/* --- the cutter ---------------------------------------------------------- */

static void
batch_collect(struct batch *b, struct rows *rows)
{
	assert_int_equal(b->offset, rows->bytes);
	rows->bytes += b->bytes;
	for (size_t i = 0; i < b->span_count; i++) {
		const struct span *s = &b->spans[i];

		assert_true(s->start + s->body <= b->raw_size);
		rows_add(rows, b->offset + s->start, b->line + s->line, s->kind,
		    b->raw + s->start, s->body);
	}
	batch_clear(b);
}

/* Feed pieces whose sizes next() tells; each piece is a copy of its own. */
static void
cut_pieces(const char *file, size_t size, size_t limit, size_t batch_rows,
    size_t (*next)(void *arg, size_t at), void *arg, struct rows *rows)
{
	enum slicer_result result = SLICER_HUNGRY;
	struct batch *batch = batch_new();
	struct slicer s;
	size_t at = 0;

	rows->count = 0;
	rows->bytes = 0;
	slicer_init(&s, ',', 0, limit);
	s.batch_rows = batch_rows;
	slicer_give(&s, batch);
	while (result != SLICER_END) {
		size_t n = next(arg, at), left;
		char *piece;
		const char *p;

		n = n < size - at ? n : size - at;
		left = n;
		p = piece = malloc(n + 1);
		if (n > 0)
			memcpy(piece, file + at, n);
		at += n;
		while ((result = slicer_feed(&s, &p, &left, at == size)) !=
		    SLICER_HUNGRY) {
			assert_int_not_equal(result, SLICER_NO_MEMORY);
			assert_ptr_equal(slicer_take(&s), batch);
			batch_collect(batch, rows);
			slicer_give(&s, batch);
			if (result == SLICER_END)
				break;
		}
		free(piece);
	}
	slicer_fini(&s);
	batch_free(batch);
}

static void
assert_rows_equal(const struct rows *a, const struct rows *b)
{
	assert_int_equal(a->bytes, b->bytes);
	assert_int_equal(a->count, b->count);
	assert_memory_equal(a->at, b->at, a->count * sizeof a->at[0]);
}

static size_t
next_cut_at(void *arg, size_t at)
{
	size_t cut = *(size_t *)arg;

	return at < cut ? cut - at : SIZE_MAX / 2;
}

static size_t
next_always(void *arg, size_t at)
{
	(void)at;
	return *(size_t *)arg;
}

static size_t
next_random(void *arg, size_t at)
{
	uint64_t *state = arg;

	(void)at;
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (size_t)(*state >> 33) % 7;
}

/* --- tests --------------------------------------------------------------- */

static struct rows expected, actual;

static void
tricky_file_is_cut_as_the_rules_say(void **state)
{
	static const uint32_t kinds[] = { CUT_ROW, CUT_ROW, CUT_ROW, CUT_ROW,
		CUT_ROW, CUT_BAD_QUOTE, CUT_BAD_QUOTE, CUT_ROW, CUT_ROW,
		CUT_ROW, CUT_OPEN_QUOTE, CUT_ROW };
	static const uint64_t lines[] = { 1, 2, 3, 5, 12, 13, 14, 16, 17, 18,
		19, 20 };
	size_t whole = SIZE_MAX / 2;

	(void)state;
	cut_pieces(tricky, sizeof tricky - 1, CUTTER_ROW_MAX, BATCH_ROWS,
	    next_always, &whole, &actual);
	assert_int_equal(actual.count, sizeof kinds / sizeof kinds[0]);
	for (size_t i = 0; i < actual.count; i++) {
		assert_int_equal(actual.at[i].kind, kinds[i]);
		assert_int_equal(actual.at[i].line, lines[i]);
	}
	assert_string_equal(actual.at[4].text, "4,mid\"dle,\"\"\"\"");
	assert_string_equal(actual.at[10].text, "9,\"never closed,z");
	assert_string_equal(actual.at[11].text, "10,last row,\xc3\xa4");
}

static void
every_cut_position_gives_the_same_rows(void **state)
{
	size_t size = sizeof tricky - 1;

	(void)state;
	for (size_t limit = 1; limit < 64; limit += limit < 40 ? 1 : 23) {
		model_cut(tricky, size, limit, &expected);
		for (size_t cut = 0; cut <= size; cut++) {
			cut_pieces(tricky, size, limit, 1 + cut % 5,
			    next_cut_at, &cut, &actual);
			assert_rows_equal(&expected, &actual);
		}
	}
}

static void
every_piece_size_gives_the_same_rows(void **state)
{
	size_t size = sizeof tricky - 1;

	(void)state;
	model_cut(tricky, size, CUTTER_ROW_MAX, &expected);
	for (size_t piece = 1; piece <= size; piece++) {
		cut_pieces(tricky, size, CUTTER_ROW_MAX, BATCH_ROWS,
		    next_always, &piece, &actual);
		assert_rows_equal(&expected, &actual);
	}
}

static void
random_bytes_are_cut_as_the_second_implementation_says(void **state)
{
	static const char alphabet[] = "ab,,\"\"\"\n\r";
	uint64_t random = 42;
	char file[128];

	(void)state;
	for (int i = 0; i < RANDOM_FILES; i++) {
		size_t size = (size_t)i % sizeof file;
		size_t limit =
		    i % 3 == 0 ? CUTTER_ROW_MAX : (size_t)(1 + i % 29);

		for (size_t k = 0; k < size; k++) {
			random = random * 6364136223846793005u + 1;
			file[k] = alphabet[(random >> 33) % 9];
		}
		model_cut(file, size, limit, &expected);
		cut_pieces(file, size, limit, (size_t)(1 + i % 9), next_random,
		    &random, &actual);
		assert_rows_equal(&expected, &actual);
	}
}

static char *
big_file(size_t size)
{
	char *file = malloc(size + 64);

	assert_non_null(file);
	memset(file, 'x', size + 64);
	return file;
}

static void
row_of_16_mib_is_a_row_and_one_byte_more_is_not(void **state)
{
	size_t size = CUTTER_ROW_MAX, piece = 1 << 20;
	char *file = big_file(size);

	(void)state;
	memcpy(file + size, "\nab\n", 4);
	cut_pieces(file, size + 4, CUTTER_ROW_MAX, BATCH_ROWS, next_always,
	    &piece, &actual);
	assert_int_equal(actual.count, 2);
	assert_int_equal(actual.at[0].kind, CUT_ROW);
	memcpy(file + size, "x\r\nab\n", 6);
	cut_pieces(file, size + 6, CUTTER_ROW_MAX, BATCH_ROWS, next_always,
	    &piece, &actual);
	assert_int_equal(actual.count, 2);
	assert_int_equal(actual.at[0].kind, CUT_TOO_LONG);
	assert_int_equal(actual.at[1].kind, CUT_ROW);
	assert_int_equal(actual.at[1].line, 2);
	assert_int_equal(actual.at[1].offset, size + 3);
	assert_string_equal(actual.at[1].text, "ab");
	free(file);
}

static void
quote_open_for_16_mib_costs_one_line_only(void **state)
{
	size_t size = (size_t)CUTTER_ROW_MAX + (5 << 20), piece = 100000;
	char *file = big_file(size);

	(void)state;
	for (size_t at = 99999; at < size; at += 100000)
		file[at] = '\n';
	memcpy(file, "1,\"", 3);
	cut_pieces(file, size, CUTTER_ROW_MAX, BATCH_ROWS, next_always, &piece,
	    &actual);
	assert_int_equal(actual.bytes, size);
	assert_int_equal(actual.count, size / 100000 + 1);
	assert_int_equal(actual.at[0].kind, CUT_LONG_QUOTE);
	for (size_t i = 1; i < actual.count; i++) {
		assert_int_equal(actual.at[i].kind, CUT_ROW);
		assert_int_equal(actual.at[i].line, i + 1);
		assert_int_equal(actual.at[i].offset, i * 100000);
	}
	free(file);
}

/* Each line leaves the quote open again: a second look per line would hang. */
static void
adversarial_quotes_are_cut_in_linear_time(void **state)
{
	size_t size = CUTTER_ROW_MAX - 4, piece = 1 << 20;
	char *file = big_file(size);

	(void)state;
	for (size_t at = 0; at + 6 <= size; at += 6)
		memcpy(file + at, "a\",\"b\n", 6);
	cut_pieces(file, size, CUTTER_ROW_MAX, BATCH_ROWS, next_always, &piece,
	    &actual);
	assert_int_equal(actual.bytes, size);
	assert_int_equal(actual.count, 1);
	assert_int_equal(actual.at[0].kind, CUT_OPEN_QUOTE);
	free(file);
}

static void
header_is_skipped_whatever_it_is(void **state)
{
	static const char *const files[] = { "h\n1\n", "\n\nh\n1\n",
		"\"h\nh\"\r\n1", "h\"\r1\n" };

	(void)state;
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		struct batch *batch = batch_new();
		const char *p = files[i];
		size_t size = strlen(p);
		struct slicer s;

		slicer_init(&s, ',', 1, CUTTER_ROW_MAX);
		slicer_give(&s, batch);
		assert_int_equal(slicer_feed(&s, &p, &size, true), SLICER_END);
		assert_int_equal(batch->span_count, 1);
		assert_int_equal(batch->raw[batch->spans[0].start], '1');
		slicer_fini(&s);
		batch_free(batch);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tricky_file_is_cut_as_the_rules_say),
		cmocka_unit_test(every_cut_position_gives_the_same_rows),
		cmocka_unit_test(every_piece_size_gives_the_same_rows),
		cmocka_unit_test(
		    random_bytes_are_cut_as_the_second_implementation_says),
		cmocka_unit_test(
		    row_of_16_mib_is_a_row_and_one_byte_more_is_not),
		cmocka_unit_test(quote_open_for_16_mib_costs_one_line_only),
		cmocka_unit_test(adversarial_quotes_are_cut_in_linear_time),
		cmocka_unit_test(header_is_skipped_whatever_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
