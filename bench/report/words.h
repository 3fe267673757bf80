/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * words.h - figures and reasons as people read them, for both reports.
 */
#ifndef BENCH_WORDS_H
#define BENCH_WORDS_H

#include "results.h"

enum { WORDS_BYTES = 96 };

/** A short text. */
struct words {
	char text[WORDS_BYTES];
};

/** A value with its unit: "56.3 ns", "1.2 s", "68 B".  Times get the unit that
 * suits them; micro is how that prefix is written. */
struct words words_value(double value, const char *unit, const char *micro);

/** The same for what somebody has chosen: "20 ns" and not "20.0 ns". */
struct words words_exact(double value, const char *unit, const char *micro);

/** A quotient, with three digits: "0.93", "12.4". */
struct words words_ratio(double ratio);

/** SUITE/BENCHMARK. */
struct words words_name(const struct result *result);

/** The parameters, "n=2000, m=3", that a member of the result lists: "params",
 * or "limited", with which a peer was run instead. */
struct words words_params(const struct result *result, const char *member);

/** Why a result is not judged: "far", "2 runs"; "": it is judged. */
struct words words_unjudged(const struct result *result);

/** How many a mean is of: "8", "5 of 8", "8, none judged". */
struct words words_mean(const struct mean *mean);

/** What a budget's state is called: "aim", "must", "MISSED", "". */
const char *words_budget(enum budget budget);

#endif /* BENCH_WORDS_H */
