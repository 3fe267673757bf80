/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * micro.c - the micro benchmarks' command line.
 */
#include "micro.h"

#include "args.h"
#include "list.h"
#include "plan.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_USAGE = 2 };

struct options {
	struct plan_options plan;
	bool list;
	bool help;
};

static const char usage[] =
    "usage: micro [NAME...] [options]\n"
    "\n"
    "Run the micro benchmarks NAME..., or all, and compare them with their\n"
    "budgets.\n"
    "\n"
    "  --list       print the benchmarks and end\n"
    "  --workers N  worker threads, 1 to 64 (2)\n"
    "  --runs N     runs of each, 1 to 100 (5)\n"
    "  --scale X    multiply the sizes (1); other sizes are not judged\n"
    "  --peers      also run the peers that are installed: Go, Erlang, ...\n"
    "  --json       print one object per line\n"
    "  --near NS    a cache line's round trip below NS is near (120)\n"
    "  --far NS     above NS is far (200)\n"
    "  --help       print this and end\n"
    "\n"
    "Exit codes: 0; 1 when a run failed; 2 for a wrong call.\n";

static const struct bench_case *
micro_find(const char *name)
{
	for (const struct bench_case *c = micro_cases; c->name != NULL; c++) {
		if (strcmp(c->name, name) == 0)
			return c;
	}
	return NULL;
}

static void
micro_list(void)
{
	for (const struct bench_case *c = micro_cases; c->name != NULL; c++)
		(void)printf("%-12s %9" PRIu64 "  %s: %s\n", c->name,
		    c->params[0].value[BENCH_LARGE], c->unit, c->op);
}

static bool
micro_option(struct options *options, int letter)
{
	switch (letter) {
	case 'w':
		return args_count("workers", optarg, ARGS_WORKERS_MAX,
		    &options->plan.report.workers);
	case 'r':
		return args_count("runs", optarg, RUNS_MAX,
		    &options->plan.report.runs);
	case 's':
		return args_number("scale", optarg, 1e-6, PLAN_SCALE_MAX,
		    &options->plan.scale);
	case 'n':
		return args_number("near", optarg, 1, 1e6,
		    &options->plan.limits.near_ns);
	case 'f':
		return args_number("far", optarg, 1, 1e6,
		    &options->plan.limits.far_ns);
	case 'j': options->plan.report.json = true; return true;
	case 'p': options->plan.peers = true; return true;
	case 'l': options->list = true; return true;
	case 'h': options->help = true; return true;
	default: /* getopt_long() has said what is wrong */ return false;
	}
}

static bool
micro_options(struct options *options, int argc, char *argv[])
{
	static const struct option known[] = {
		{ "workers", required_argument, NULL, 'w' },
		{ "runs", required_argument, NULL, 'r' },
		{ "scale", required_argument, NULL, 's' },
		{ "near", required_argument, NULL, 'n' },
		{ "far", required_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{ "peers", no_argument, NULL, 'p' },
		{ "list", no_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int letter;

	while ((letter = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (!micro_option(options, letter)) {
			(void)fprintf(stderr, "Try 'micro --help'.\n");
			return false;
		}
	}
	options->plan.report.full_size = options->plan.scale == 1;
	for (int i = optind; i < argc; i++) {
		if (micro_find(argv[i]) == NULL) {
			(void)fprintf(stderr,
			    "micro: no benchmark '%s'; see 'micro --list'\n",
			    argv[i]);
			return false;
		}
	}
	return true;
}

int
micro_main(int argc, char *argv[])
{
	struct options options = {
		.plan = {
			.report = { .runs = 5, .workers = 2 },
			.limits = {
				.near_ns = XFER_NEAR_NS,
				.far_ns = XFER_FAR_NS,
			},
			.scale = 1,
		},
	};

	if (!micro_options(&options, argc, argv))
		return EXIT_USAGE;
	if (options.help)
		(void)fputs(usage, stdout);
	else if (options.list)
		micro_list();
	else
		return plan_main(&options.plan, argc - optind, argv + optind);
	return EXIT_SUCCESS;
}
