/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chart.h - the report's pictures, as SVG.
 */
#ifndef BENCH_CHART_H
#define BENCH_CHART_H

#include "results.h"

#include <stdio.h>

/** A picture with a row for each benchmark and a symbol for each runtime. */
struct chart_dots {
	const char *id; /* unique in the page; letters */
	const char *title;
	const char *text; /* what it shows, for those who do not see it */
	const char *unit; /* behind the numbers of its axis */
	bool one; /* what is left of 1 is to be marked */
	/* A symbol's place; 0: there is none. */
	double (*figure)(const struct results *results,
	    const struct result_bench *bench, int runtime, bool *judged);
};

/** The picture.  Returns false, and writes nothing, when it would be empty. */
bool chart_dots(FILE *out, const struct results *results,
    const struct chart_dots *chart);

/** A benchmark's bars: all numbers of workers, all runtimes. */
void chart_bars(FILE *out, const struct results *results, size_t bench);

/** How a benchmark becomes faster with more workers; `most` is the highest
 * number of workers in all such pictures. */
void chart_scaling(FILE *out, const struct results *results, size_t bench,
    unsigned most);

/** Which symbol is which runtime, from the runtime `first` on. */
void chart_legend(FILE *out, const struct results *results, int first);

#endif /* BENCH_CHART_H */
