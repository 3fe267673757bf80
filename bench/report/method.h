/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * method.h - the page's section on how and on what was measured.
 */
#ifndef BENCH_METHOD_H
#define BENCH_METHOD_H

#include "results.h"

#include <stdio.h>

/** Write it. */
void method_write(FILE *out, const struct results *results);

#endif /* BENCH_METHOD_H */
