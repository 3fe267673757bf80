/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * list.c - finding benchmarks by name.
 */
#include "list.h"

#include "savina.h"

#include <stdio.h>
#include <string.h>

enum { RANKS = 4 };

const char *
bench_size_name(enum bench_size size)
{
	static const char *const names[BENCH_SIZES] = {
		[BENCH_SMALL] = "small",
		[BENCH_SAVINA] = "savina",
		[BENCH_LARGE] = "large",
	};

	return names[size];
}

bool
bench_size_of(const char *name, enum bench_size *size)
{
	for (*size = 0; *size < BENCH_SIZES; (*size)++) {
		if (strcmp(bench_size_name(*size), name) == 0)
			return true;
	}
	return false;
}

/* Where a benchmark of bench/savina stands: the suite in the order of its
 * groups, then the kin. */
static size_t
bench_rank(const struct bench_case *c)
{
	static const char *const groups[RANKS - 1] = { SAVINA_MESSAGES,
		SAVINA_CONCURRENCY, SAVINA_PARALLELISM };

	for (size_t rank = 0; rank < RANKS - 1; rank++) {
		if (c->group != NULL && strcmp(c->group, groups[rank]) == 0)
			return rank;
	}
	return RANKS - 1;
}

const struct bench_case *
bench_at(size_t nth)
{
	for (const struct bench_case *c = micro_cases; c->name != NULL; c++) {
		if (nth-- == 0)
			return c;
	}
	for (size_t rank = 0; rank < RANKS; rank++) {
		for (size_t i = 0; savina_cases[i] != NULL; i++) {
			if (bench_rank(savina_cases[i]) == rank && nth-- == 0)
				return savina_cases[i];
		}
	}
	return NULL;
}

bool
bench_is_named(const struct bench_case *c, const char *name)
{
	char full[64];

	(void)snprintf(full, sizeof(full), "%s/%s", c->suite, c->name);
	return strcmp(name, full) == 0 || strcmp(name, c->suite) == 0 ||
	    strcmp(name, c->name) == 0 ||
	    (c->group != NULL && strcmp(name, c->group) == 0);
}
