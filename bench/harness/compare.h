/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compare.h - `troupe-bench compare`.
 */
#ifndef BENCH_COMPARE_H
#define BENCH_COMPARE_H

/** Compare two files of results; argv[0] is the command's name.  Returns an
 * exit code. */
int compare_main(int argc, char *argv[]);

#endif /* BENCH_COMPARE_H */
