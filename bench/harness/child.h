/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * child.h - one benchmark in this process.
 */
#ifndef BENCH_CHILD_H
#define BENCH_CHILD_H

/**
 * Run one benchmark and print its figures for the parent; the arguments are
 * those behind the word `child`.  Returns main()'s result; a run that fails
 * does not return.
 */
int child_main(int argc, char *argv[]);

#endif /* BENCH_CHILD_H */
