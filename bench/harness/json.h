/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json.h - read JSON.
 */
#ifndef BENCH_JSON_H
#define BENCH_JSON_H

#include <stdbool.h>
#include <stddef.h>

enum json_type {
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

/** A value.  Those inside of it are a list. */
struct json {
	enum json_type type;
	const char *name; /* of a member of an object, else NULL */
	const char *text; /* of a string, else NULL */
	double number; /* of a number, else 0 */
	struct json *first; /* what is inside, else NULL */
	struct json *next; /* beside it */
};

/** A file's values, and where reading it stopped. */
struct json_file {
	struct json *first; /* one after the other: JSON Lines are several */
	const char *error; /* what is wrong; NULL: nothing */
	size_t line; /* where */
	/* Private. */
	char *bytes;
	struct json **blocks;
	size_t blocks_count;
	size_t used;
};

/**
 * Read a file.  Returns false and says what is wrong in `error` when it cannot
 * be read or is not JSON.  To be freed in either case.
 */
bool json_read(struct json_file *file, const char *path);

void json_free(struct json_file *file);

/** A member of an object; NULL: there is none, or `value` is NULL or none. */
const struct json *json_get(const struct json *value, const char *name);

/** A member's text; "": there is none. */
const char *json_text(const struct json *value, const char *name);

/** A member's number; 0: there is none. */
double json_number(const struct json *value, const char *name);

#endif /* BENCH_JSON_H */
