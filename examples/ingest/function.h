/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * function.h - what --derive can compute from the fields of a row.
 *
 * A function gets values and makes one.  The fields of a file are texts; what
 * other functions made may be numbers.  It runs in several threads at once, on
 * different rows, so it must keep no state of its own.
 *
 * To add one, see row_hook.c.
 */
#ifndef INGEST_FUNCTION_H
#define INGEST_FUNCTION_H

#include "arena.h"
#include "value.h"

enum { FUNCTION_ARGS_MAX = 8 };

/*
 * Compute *result.  Texts that are made are allocated from the arena; a result
 * may also point into an argument.  Returns 0, or -1: no memory.
 */
typedef int function_fn(struct arena *arena, const struct value *args,
    size_t count, struct value *result);

struct function {
	const char *name;
	unsigned min_args;
	unsigned max_args; /* at most FUNCTION_ARGS_MAX */
	function_fn *compute;
	const char *help; /* arguments and meaning, for --help */
};

/* Row_hook.c fills this one. */
extern const struct function row_hooks[];
extern const size_t row_hook_count;

/* The built-in functions and the row hooks; NULL: no such function. */
const struct function *function_find(const char *name);

/* All of them, by number; NULL: there are no more. */
const struct function *function_at(size_t index);

/* A value as text; numbers are printed into the arena.  -1: no memory. */
int function_text(struct arena *arena, const struct value *v,
    struct value *text);

#endif
