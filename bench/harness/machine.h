/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine.h - on what was measured, and what.
 */
#ifndef BENCH_MACHINE_H
#define BENCH_MACHINE_H

#include <stddef.h>

#if defined(__clang__)
#define MACHINE_COMPILER __VERSION__
#else
#define MACHINE_COMPILER "gcc " __VERSION__
#endif

/** The cpu's name. */
void machine_cpu(char *text, size_t size);

/** The kernel's name and release. */
void machine_kernel(char *text, size_t size);

/** The machine's memory, in MB. */
double machine_memory_mb(void);

#endif /* BENCH_MACHINE_H */
