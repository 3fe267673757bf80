/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * row_hook.c - the place for computations of your own.
 *
 * Write a function as below, add a line to row_hooks[], build, and use it:
 *
 *     ingest people.csv --into people.db --derive 'domain=domain(email)'
 *
 * What to know:
 * - args[i].type says what an argument is; a field of the file is VALUE_TEXT
 *   and not terminated (use .size).  function_text() and value_number() turn
 *   any value into a text or a number.
 * - Set *result with value_text(), value_integer() or value_real().  A text
 *   must lie in the arena, in an argument, or be a literal.
 * - Parsers run in parallel: keep no state outside the arguments.
 * - Return 0; -1 means that there was no memory and ends the load.
 */
#include "function.h"

#include <string.h>

/* domain(EMAIL): what stands behind the last @; empty when there is none. */
static int
hook_domain(struct arena *arena, const struct value *args, size_t count,
    struct value *result)
{
	const char *at;

	(void)count;
	if (function_text(arena, args, result) != 0)
		return -1;
	at = memrchr(result->as.text, '@', result->size);
	if (at == NULL) {
		result->size = 0;
		return 0;
	}
	result->size -= (uint32_t)(at + 1 - result->as.text);
	result->as.text = at + 1;
	return 0;
}

/* hash(COL): a 63-bit hash (FNV-1a), say to spread rows over shards. */
static int
hook_hash(struct arena *arena, const struct value *args, size_t count,
    struct value *result)
{
	uint64_t hash = 0xcbf29ce484222325u;
	struct value text;

	(void)count;
	if (function_text(arena, args, &text) != 0)
		return -1;
	for (uint32_t i = 0; i < text.size; i++)
		hash = (hash ^ (unsigned char)text.as.text[i]) * 0x100000001b3u;
	*result = value_integer((int64_t)(hash >> 1));
	return 0;
}

const struct function row_hooks[] = {
	{ "domain", 1, 1, hook_domain, "(EMAIL)  what is behind the @" },
	{ "hash", 1, 1, hook_hash, "(COL)  a 63-bit hash" },
};

const size_t row_hook_count = sizeof row_hooks / sizeof row_hooks[0];
