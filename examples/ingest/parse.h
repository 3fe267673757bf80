/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parse.h - turns the bytes of a batch into typed rows and rejects.
 *
 * A parser is used by one thread at a time; the recipe is shared and only
 * read.  After parse_batch() each span of the batch is a row of cells, a
 * reject, or counted as filtered.
 */
#ifndef INGEST_PARSE_H
#define INGEST_PARSE_H

#include "batch.h"
#include "recipe.h"
#include "splitter.h"

struct parser {
	const struct recipe *recipe;
	struct splitter splitter;
	struct value *slots;
};

/* Each returns 0, or -1: no memory. */
int parser_init(struct parser *p, const struct recipe *recipe, char delimiter);
int parse_batch(struct parser *p, struct batch *b);

void parser_fini(struct parser *p);

#endif
