/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json.c - read JSON (RFC 8259), as a tree.
 *
 * Strings are decoded in place, in the file's bytes.  Values come from blocks
 * that are freed all at once.  A tree of more than DEPTH levels is refused, so
 * the recursion has a bound.
 */
#include "json.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	DEPTH = 16,
	BLOCK = 1024, /* values */
	BYTES_MAX = 1 << 28,
};

struct reader {
	struct json_file *file;
	char *at;
};

static bool
json_fail(struct reader *r, const char *error)
{
	if (r->file->error == NULL)
		r->file->error = error;
	return false;
}

static void
json_space(struct reader *r)
{
	/* strspn() looks at all of the text where a sanitizer checks it. */
	while (
	    *r->at == ' ' || *r->at == '\t' || *r->at == '\r' || *r->at == '\n')
		r->at++;
}

static struct json *
json_new(struct reader *r)
{
	struct json_file *file = r->file;
	struct json **blocks;
	struct json *block;

	if (file->blocks_count == 0 || file->used == BLOCK) {
		blocks = realloc(file->blocks,
		    (file->blocks_count + 1) * sizeof(struct json *));
		if (blocks == NULL)
			return NULL;
		file->blocks = blocks;
		block = calloc(BLOCK, sizeof(*block));
		if (block == NULL)
			return NULL;
		blocks[file->blocks_count++] = block;
		file->used = 0;
	}
	return &file->blocks[file->blocks_count - 1][file->used++];
}

static bool
json_hex4(const char *text, uint32_t *code)
{
	*code = 0;
	for (int i = 0; i < 4; i++) {
		static const char digits[] = "0123456789abcdef";
		char c = text[i];
		const char *digit;

		if (c >= 'A' && c <= 'F')
			c = (char)(c - 'A' + 'a');
		digit = c != '\0' ? strchr(digits, c) : NULL;
		if (digit == NULL)
			return false;
		*code = *code << 4 | (uint32_t)(digit - digits);
	}
	return true;
}

/* Write a code point as UTF-8; a lone surrogate as a question mark. */
static char *
json_utf8(char *to, uint32_t code)
{
	if (code < 0x80) {
		*to++ = (char)code;
	} else if (code < 0x800) {
		*to++ = (char)(0xc0 | code >> 6);
		*to++ = (char)(0x80 | (code & 0x3f));
	} else if (code >= 0xd800 && code < 0xe000) {
		*to++ = '?';
	} else {
		*to++ = (char)(0xe0 | code >> 12);
		*to++ = (char)(0x80 | (code >> 6 & 0x3f));
		*to++ = (char)(0x80 | (code & 0x3f));
	}
	return to;
}

/* What follows a backslash at r->at; *to moves on. */
static bool
json_escape(struct reader *r, char **to)
{
	static const char from[] = "\"\\/bfnrt";
	static const char into[] = "\"\\/\b\f\n\r\t";
	const char *which;
	uint32_t code;

	if (*r->at == 'u') {
		if (!json_hex4(r->at + 1, &code) || code == 0)
			return json_fail(r, "a bad \\u in a string");
		r->at += 5;
		*to = json_utf8(*to, code);
		return true;
	}
	which = *r->at != '\0' ? strchr(from, *r->at) : NULL;
	if (which == NULL)
		return json_fail(r, "a bad escape in a string");
	*(*to)++ = into[which - from];
	r->at++;
	return true;
}

/* A string, decoded to where it stands: that is never longer. */
static bool
json_read_string(struct reader *r, const char **text)
{
	char *to = r->at;

	if (*r->at != '"')
		return json_fail(r, "a string was expected");
	*text = to;
	r->at++;
	while (*r->at != '"') {
		if ((unsigned char)*r->at < ' ')
			return json_fail(r, "a string without an end");
		if (*r->at != '\\') {
			*to++ = *r->at++;
			continue;
		}
		r->at++;
		if (!json_escape(r, &to))
			return false;
	}
	r->at++;
	*to = '\0';
	return true;
}

static bool
is_of_number(char c)
{
	return (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.' ||
	    c == 'e' || c == 'E';
}

static bool
json_read_number(struct reader *r, double *number)
{
	char text[64], *end;
	size_t n = 0;

	/* strtod() also reads what JSON does not know: nan, inf, 0x1p3. */
	if (*r->at != '-' && (*r->at < '0' || *r->at > '9'))
		return json_fail(r, "a value was expected");
	/* From a text of its own: some strtod() look at all of it. */
	while (is_of_number(r->at[n]) && n < sizeof(text) - 1) {
		text[n] = r->at[n];
		n++;
	}
	text[n] = '\0';
	*number = strtod(text, &end);
	if (*end != '\0' || is_of_number(r->at[n]))
		return json_fail(r, "a bad number");
	r->at += n;
	return true;
}

static bool
json_read_scalar(struct reader *r, struct json *value)
{
	static const struct {
		const char *word;
		enum json_type type;
	} words[] = { { "null", JSON_NULL }, { "true", JSON_TRUE },
		{ "false", JSON_FALSE } };

	if (*r->at == '"') {
		value->type = JSON_STRING;
		return json_read_string(r, &value->text);
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t length = strlen(words[i].word);

		if (strncmp(r->at, words[i].word, length) == 0) {
			value->type = words[i].type;
			r->at += length;
			return true;
		}
	}
	value->type = JSON_NUMBER;
	return json_read_number(r, &value->number);
}

/* A member's name, up to its value. */
static bool
json_read_name(struct reader *r, const char **name)
{
	json_space(r);
	if (!json_read_string(r, name))
		return false;
	json_space(r);
	if (*r->at != ':')
		return json_fail(r, "a colon was expected");
	r->at++;
	return true;
}

/* NULL when there is none: then r->file says why. */
static struct json *
json_read_value(struct reader *r, int depth)
{
	struct json *v = json_new(r);
	struct json **last;
	const char *name = NULL;
	char end;

	if (v == NULL || depth > DEPTH) {
		json_fail(r, v == NULL ? "out of memory" : "too many levels");
		return NULL;
	}
	json_space(r);
	if (*r->at != '{' && *r->at != '[')
		return json_read_scalar(r, v) ? v : NULL;
	v->type = *r->at == '{' ? JSON_OBJECT : JSON_ARRAY;
	end = *r->at == '{' ? '}' : ']';
	last = &v->first;
	do {
		r->at++;
		json_space(r);
		if (*r->at == end && v->first == NULL)
			break;
		if (v->type == JSON_OBJECT && !json_read_name(r, &name))
			return NULL;
		*last = json_read_value(r, depth + 1);
		if (*last == NULL)
			return NULL;
		(*last)->name = name;
		last = &(*last)->next;
		json_space(r);
	} while (*r->at == ',');
	if (*r->at != end) {
		json_fail(r, "a comma or the end was expected");
		return NULL;
	}
	r->at++;
	return v;
}

/* All of a file, with a zero behind it. */
static char *
json_load(const char *path)
{
	FILE *in = fopen(path, "re");
	size_t room = 1 << 16;
	size_t used = 0;
	char *bytes = NULL;
	char *more;

	while (in != NULL) {
		more = room <= BYTES_MAX ? realloc(bytes, room + 1) : NULL;
		if (more == NULL) {
			errno = EFBIG;
			break;
		}
		bytes = more;
		used += fread(bytes + used, 1, room - used, in);
		if (used < room) {
			bytes[used] = '\0';
			if (ferror(in) != 0)
				break;
			(void)fclose(in);
			return bytes;
		}
		room *= 2;
	}
	free(bytes);
	if (in != NULL)
		(void)fclose(in);
	return NULL;
}

bool
json_read(struct json_file *file, const char *path)
{
	struct reader r = { .file = file };
	struct json **last = &file->first;

	memset(file, 0, sizeof(*file));
	file->bytes = json_load(path);
	if (file->bytes == NULL) {
		file->error = strerror(errno);
		return false;
	}
	r.at = file->bytes;
	json_space(&r);
	while (*r.at != '\0') {
		*last = json_read_value(&r, 0);
		if (*last == NULL)
			break;
		last = &(*last)->next;
		json_space(&r);
	}
	if (file->error == NULL)
		return true;
	/* Decoding strings in place leaves the line ends where they are. */
	file->line = 1;
	for (const char *c = file->bytes; c < r.at; c++)
		file->line += *c == '\n';
	return false;
}

void
json_free(struct json_file *file)
{
	for (size_t i = 0; i < file->blocks_count; i++)
		free(file->blocks[i]);
	free(file->blocks);
	free(file->bytes);
	memset(file, 0, sizeof(*file));
}

const struct json *
json_get(const struct json *value, const char *name)
{
	if (value == NULL || value->type != JSON_OBJECT)
		return NULL;
	for (const struct json *v = value->first; v != NULL; v = v->next) {
		if (strcmp(v->name, name) == 0)
			return v;
	}
	return NULL;
}

const char *
json_text(const struct json *value, const char *name)
{
	const struct json *v = json_get(value, name);

	return v != NULL && v->text != NULL ? v->text : "";
}

double
json_number(const struct json *value, const char *name)
{
	const struct json *v = json_get(value, name);

	return v != NULL ? v->number : 0;
}
