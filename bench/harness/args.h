/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * args.h - values of options, with a message on stderr when they are wrong.
 */
#ifndef BENCH_ARGS_H
#define BENCH_ARGS_H

#include <stdbool.h>

enum { ARGS_WORKERS_MAX = 64 };

/** A number within limits; false with a message otherwise. */
bool args_number(const char *option, const char *text, double least,
    double most, double *number);

/** A whole number from 1 to `most`. */
bool args_count(const char *option, const char *text, unsigned most,
    unsigned *count);

/** A time as people write it, 90s, 25m, 2h, or plain seconds. */
bool args_seconds(const char *option, const char *text, double *seconds);

#endif /* BENCH_ARGS_H */
