/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main.c - micro: the micro benchmarks alone, as a program of their own.
 */
#include "micro.h"

#include "child.h"

#include <string.h>

int
main(int argc, char *argv[])
{
	if (argc > 1 && strcmp(argv[1], "child") == 0)
		return child_main(argc - 2, argv + 2);
	return micro_main(argc, argv);
}
