/* SPDX-License-Identifier: BSD-2-Clause */
/* notation.c - see notation.h. */
#include "notation.h"

#include <string.h>

static void
notation_skip_blanks(struct notation *n)
{
	n->at += strspn(n->at, " \t");
}

struct notation
notation_init(const char *text, struct arena *arena)
{
	struct notation n = { .at = text, .arena = arena };

	notation_skip_blanks(&n);
	return n;
}

/* What stands in quotes; NULL: it does not end. */
static const char *
notation_in_quotes(struct notation *n, char quote)
{
	char *copy = arena_alloc(n->arena, strlen(n->at) + 1), *to = copy;
	const char *at = n->at + 1;

	if (copy == NULL)
		return NULL;
	for (; *at != '\0'; *to++ = *at++) {
		if (*at != quote)
			continue;
		at++;
		if (*at != quote) {
			*to = '\0';
			n->at = at;
			notation_skip_blanks(n);
			return copy;
		}
	}
	return NULL;
}

const char *
notation_name(struct notation *n, const char *stops)
{
	size_t size = strcspn(n->at, stops);
	char *copy;

	if (*n->at == '"')
		return notation_in_quotes(n, '"');
	copy = arena_copy(n->arena, n->at, size + 1);
	if (copy == NULL)
		return NULL;
	n->at += size;
	while (size > 0 && (copy[size - 1] == ' ' || copy[size - 1] == '\t'))
		size--;
	copy[size] = '\0';
	return size > 0 ? copy : NULL;
}

const char *
notation_quoted(struct notation *n)
{
	return *n->at == '\'' ? notation_in_quotes(n, '\'') : NULL;
}

bool
notation_accept(struct notation *n, const char *text)
{
	size_t size = strlen(text);

	if (strncmp(n->at, text, size) != 0)
		return false;
	n->at += size;
	notation_skip_blanks(n);
	return true;
}

bool
notation_at_end(const struct notation *n)
{
	return *n->at == '\0';
}
