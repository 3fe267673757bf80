/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plan.h - what is to be done with each input file, found out beforehand.
 *
 * Planning opens every file, reads its header and its first 10,000 rows, makes
 * its recipe and guesses the types of its columns.  Whatever is wrong with a
 * file or an option is found before anything is written.
 */
#ifndef INGEST_PLAN_H
#define INGEST_PLAN_H

#include "options.h"
#include "recipe.h"

enum { PLAN_SAMPLE_ROWS = 10000 };

struct input {
	const char *path;
	char *table; /* its name */
	char *rejects; /* path of the rejects file */
	uint64_t size; /* bytes, when it was looked at */
	struct recipe recipe;
	bool same_table; /* as the file before */
};

struct plan {
	const struct options *options;
	struct input *inputs;
	size_t count;
	uint64_t total_bytes;
};

/* Returns 0, or -1 with the fault filled.  plan_fini() also after that. */
int plan_make(struct plan *plan, const struct options *o, struct fault *fault);
void plan_fini(struct plan *plan);

/* Open an input for reading; -1 with the fault filled. */
int plan_open(const char *path, uint64_t *size, struct fault *fault);

#endif
