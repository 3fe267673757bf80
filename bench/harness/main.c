/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main.c - troupe-bench: the benchmarks' command line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "list.h"

enum { EXIT_USAGE = 2 };

static int
main_child(int argc, char *argv[])
{
	const struct bench_case *c;
	enum bench_size size = BENCH_SMALL;
	struct bench b;

	if (argc != 3)
		return EXIT_USAGE;
	for (size_t i = 0; (c = bench_at(i)) != NULL; i++) {
		if (bench_is_named(c, argv[0]))
			break;
	}
	while (size < BENCH_SIZES && strcmp(bench_size_name(size), argv[1]))
		size++;
	if (c == NULL || size == BENCH_SIZES)
		return EXIT_USAGE;
	bench_init(&b, c, size, (unsigned)strtoul(argv[2], NULL, 10));
	bench_child(&b);
	return EXIT_SUCCESS;
}

int
main(int argc, char *argv[])
{
	if (argc > 2 && strcmp(argv[1], "child") == 0)
		return main_child(argc - 2, argv + 2);
	return EXIT_USAGE;
}
