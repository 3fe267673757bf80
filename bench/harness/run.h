/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run.h - `troupe-bench list` and `troupe-bench run`.
 */
#ifndef BENCH_RUN_H
#define BENCH_RUN_H

enum {
	RUN_EXIT_FAILED = 1, /* a run failed, or its result was wrong */
	RUN_EXIT_USAGE = 2,
	RUN_EXIT_INTERRUPTED = 130,
};

/** Say what there is; argv[0] is the command's name.  Returns an exit code. */
int list_main(int argc, char *argv[]);

/** Run benchmarks and report; argv[0] is the command's name.  Returns an exit
 * code. */
int run_main(int argc, char *argv[]);

#endif /* BENCH_RUN_H */
