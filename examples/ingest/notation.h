/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * notation.h - reads names, literals and operators of option values.
 *
 * A struct notation is a position in a text; each function moves it on over
 * what it has read and the blanks behind.  What is returned lies in the arena.
 */
#ifndef INGEST_NOTATION_H
#define INGEST_NOTATION_H

#include "arena.h"

#include <stdbool.h>

struct notation {
	const char *at;
	struct arena *arena;
};

struct notation notation_init(const char *text, struct arena *arena);

/*
 * A name: in double quotes, or all up to one of `stops`, without the blanks
 * around it.  NULL: there is none.
 */
const char *notation_name(struct notation *n, const char *stops);

/* A text in single quotes, a quote in it doubled; NULL: there is none. */
const char *notation_quoted(struct notation *n);

/* Skip this text if it comes next. */
bool notation_accept(struct notation *n, const char *text);

bool notation_at_end(const struct notation *n);

#endif
