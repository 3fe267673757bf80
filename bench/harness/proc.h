/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proc.h - run a program, with a time limit, and read what it prints.
 */
#ifndef BENCH_PROC_H
#define BENCH_PROC_H

#include <stdbool.h>

enum proc_end {
	PROC_OK, /* exited with 0 */
	PROC_FAILED, /* could not be run, another exit code, or a signal */
	PROC_TIMEOUT, /* killed at the time limit */
	PROC_INTERRUPTED /* killed because this process was told to end */
};

struct proc {
	const char *const *argv; /* argv[0] is looked for in PATH */
	const char *dir; /* where it runs; NULL: here */
	const char *log; /* file in dir for its stderr; NULL: ours */
	int timeout_s;
};

enum { PROC_OUT_MAX = 1024 };

struct proc_result {
	char out[PROC_OUT_MAX]; /* what it wrote to stdout, cut */
	char error[64]; /* why it did not end well */
	long rss_kb; /* its peak */
	double cpu_s; /* of it and of all that it waited for */
	long preempted; /* how often another thread was given its cpu */
};

/** Hold back the signals that end this process; before any proc_run(). */
void proc_init(void);

/** Run a program to its end, together with all that it starts. */
enum proc_end proc_run(const struct proc *proc, struct proc_result *result);

/** Whether a command is in PATH. */
bool proc_exists(const char *command);

#endif /* BENCH_PROC_H */
