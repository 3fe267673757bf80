/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main.c - troupe-bench: the benchmarks' command line.
 */
#include "child.h"
#include "compare.h"
#include "micro.h"
#include "render.h"
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: troupe-bench COMMAND [arguments]\n"
    "\n"
    "  list [NAME...]  say which benchmarks there are: their groups, their\n"
    "                  parameters (small|savina|large), and what one operation\n"
    "                  is\n"
    "  run [NAME...]   run benchmarks, by name, suite or group, and report\n"
    "  compare A [B]   compare two results written by run (--output, --json),\n"
    "                  or two builds in one (--against)\n"
    "  report FILE     make a report of results, plain or as a page (--output)\n"
    "  micro [NAME...] run the micro benchmarks and judge them by their budgets\n"
    "  help            this text; all but list have a --help\n";

int
main(int argc, char *argv[])
{
	const char *command = argc > 1 ? argv[1] : "";

	if (strcmp(command, "child") == 0)
		return child_main(argc - 2, argv + 2);
	if (strcmp(command, "list") == 0)
		return list_main(argc - 1, argv + 1);
	if (strcmp(command, "run") == 0)
		return run_main(argc - 1, argv + 1);
	if (strcmp(command, "compare") == 0)
		return compare_main(argc - 1, argv + 1);
	if (strcmp(command, "report") == 0)
		return render_main(argc - 1, argv + 1);
	if (strcmp(command, "micro") == 0)
		return micro_main(argc - 1, argv + 1);
	if (strcmp(command, "help") == 0 || strcmp(command, "--help") == 0) {
		(void)fputs(usage, stdout);
		return EXIT_SUCCESS;
	}
	if (*command != '\0')
		(void)fprintf(stderr, "bench: there is no command '%s'\n",
		    command);
	(void)fputs(usage, stderr);
	return RUN_EXIT_USAGE;
}
