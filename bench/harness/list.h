/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * list.h - all benchmarks.
 *
 * Those of bench/savina enter themselves by being there: CMake writes a line
 * for each file.
 */
#ifndef BENCH_LIST_H
#define BENCH_LIST_H

#include <stddef.h>

#include "bench.h"

/** Those of the folder bench/savina, by file name; ends with a NULL. */
extern const struct bench_case *const savina_cases[];

/** The micro benchmarks in the order of the report; ends with a NULL name. */
extern const struct bench_case micro_cases[];

/** The nth of all benchmarks; NULL beyond the last. */
const struct bench_case *bench_at(size_t nth);

/** Whether a benchmark is meant by a name: its own, with its suite before it
 * or not (suite/name), its suite's, or its group's. */
bool bench_is_named(const struct bench_case *c, const char *name);

/** The size's name on the command line. */
const char *bench_size_name(enum bench_size size);

/** The size of that name; false: there is none. */
bool bench_size_of(const char *name, enum bench_size *size);

#endif /* BENCH_LIST_H */
