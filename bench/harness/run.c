/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run.c - `troupe-bench list` and `troupe-bench run`: from the command line to
 * the report.
 */
#include "run.h"

#include "args.h"
#include "list.h"
#include "proc.h"
#include "report.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	WORKERS_MANY = 16, /* numbers of workers in one call */
	SETTINGS_MAX = 16,
};

enum run_form { RUN_TABLE, RUN_JSON, RUN_CSV };

struct setting {
	const char *name; /* up to its '=' */
	size_t length;
	uint64_t value;
	bool used;
};

struct run {
	struct rounds rounds;
	enum bench_size size;
	unsigned workers[WORKERS_MANY];
	size_t workers_count;
	struct setting settings[SETTINGS_MAX];
	size_t settings_count;
	bool peers;
	const char *against; /* another build's program; NULL: none */
	enum run_form form;
	const char *output; /* a file for JSON; NULL: none */
	bool help;
};

static const char run_usage[] =
    "usage: troupe-bench run [NAME...] [options]\n"
    "\n"
    "Run benchmarks NAME..., or all.  A NAME is a benchmark's, a suite's\n"
    "(micro, savina, kin), a group's, or SUITE/BENCHMARK; `list` says which\n"
    "there are.\n"
    "\n"
    "  --size SIZE        small, savina (the original's) or large (large)\n"
    "  --small, --savina, --large   the same\n"
    "  --set NAME=VALUE   another value for a parameter\n"
    "  --workers LIST     numbers of workers, 1 to 64: 1,2,4\n"
    "                     (1, 2, 4, ... up to the number of cpus)\n"
    "  --iterations N     runs of each, 1 to 100 (5)\n"
    "  --warm-up N        runs before each, in its process, not timed (0)\n"
    "  --pin              bind workers to cpus\n"
    "  --peers            also the peers that are installed\n"
    "  --against PROGRAM  also by the troupe-bench of another build, as runtime\n"
    "                     other; compare FILE then says what has changed\n"
    "  --time-limit TIME  begin no round that would take longer than 90s, 25m,\n"
    "                     2h in all; each is run once\n"
    "  --timeout TIME     a single run that takes longer has failed (120s)\n"
    "  --json             an object per line instead of the table\n"
    "  --csv              comma-separated values instead of the table\n"
    "  --output FILE      also write all results to FILE, as JSON\n"
    "  --near NS          a cache line's round trip below NS is near (120)\n"
    "  --far NS           above NS is far (200)\n"
    "  --help             print this and end\n"
    "\n"
    "Exit codes: 0; 1 when a run failed or its result was wrong; 2 for a wrong\n"
    "call; 130 when it was interrupted: what there is is reported all the same.\n";

/* ------------------------------------------------------------ options --- */

static bool
run_workers(struct run *run, const char *list)
{
	char text[16];
	size_t length;
	unsigned workers;

	for (run->workers_count = 0; *list != '\0';
	     list += length + (list[length] == ',')) {
		length = strcspn(list, ",");
		(void)snprintf(text, sizeof(text), "%.*s", (int)length, list);
		if (!args_count("workers", text, ARGS_WORKERS_MAX, &workers))
			return false;
		if (run->workers_count == WORKERS_MANY) {
			(void)fprintf(stderr,
			    "bench: --workers takes at most "
			    "%d numbers\n",
			    WORKERS_MANY);
			return false;
		}
		run->workers[run->workers_count++] = workers;
	}
	if (run->workers_count == 0)
		(void)fprintf(stderr, "bench: --workers takes numbers\n");
	return run->workers_count > 0;
}

static void
run_default_workers(struct run *run)
{
	unsigned cpus = (unsigned)xfer_cpus();

	for (unsigned w = 1; w <= cpus && w <= ARGS_WORKERS_MAX; w *= 2)
		run->workers[run->workers_count++] = w;
}

static bool
run_set(struct run *run, const char *text)
{
	struct setting *setting = &run->settings[run->settings_count];
	const char *value = strchr(text, '=');
	char *end;

	if (run->settings_count == SETTINGS_MAX || value == NULL ||
	    value == text || value[1] < '0' || value[1] > '9')
		goto wrong;
	errno = 0;
	setting->name = text;
	setting->length = (size_t)(value - text);
	setting->value = strtoull(value + 1, &end, 10);
	if (errno != 0 || *end != '\0')
		goto wrong;
	run->settings_count++;
	return true;
wrong:
	(void)fprintf(stderr,
	    "bench: --set takes NAME=VALUE, a whole number, not '%s'\n", text);
	return false;
}

static bool
run_timeout(struct run *run, const char *text)
{
	double seconds;

	if (!args_seconds("timeout", text, &seconds))
		return false;
	run->rounds.options.timeout_s = seconds < 1 ? 1 : (unsigned)seconds;
	return true;
}

static bool
run_size(struct run *run, const char *text)
{
	if (bench_size_of(text, &run->size))
		return true;
	(void)fprintf(stderr,
	    "bench: --size takes small, savina or large, not '%s'\n", text);
	return false;
}

static bool
run_warm_up(struct run *run, const char *text)
{
	double number;

	if (!args_number("warm-up", text, 0, RUNS_MAX, &number))
		return false;
	run->rounds.options.warm_up = (unsigned)number;
	return true;
}

static bool
run_against(struct run *run, const char *program)
{
	run->against = program;
	if (strchr(program, '/') != NULL && access(program, X_OK) == 0)
		return true;
	(void)fprintf(stderr,
	    "bench: --against takes the path of a program, not '%s'\n",
	    program);
	return false;
}

static bool
run_option(struct run *run, int letter)
{
	struct rounds_options *options = &run->rounds.options;

	switch (letter) {
	case 's': return run_size(run, optarg);
	case '0': run->size = BENCH_SMALL; return true;
	case '1': run->size = BENCH_SAVINA; return true;
	case '2': run->size = BENCH_LARGE; return true;
	case 'S': return run_set(run, optarg);
	case 'w': return run_workers(run, optarg);
	case 'i':
		return args_count("iterations", optarg, RUNS_MAX,
		    &options->iterations);
	case 'W': return run_warm_up(run, optarg);
	case 'P': options->pin = true; return true;
	case 'p': run->peers = true; return true;
	case 'a': return run_against(run, optarg);
	case 'l': return args_seconds("time-limit", optarg, &options->budget_s);
	case 't': return run_timeout(run, optarg);
	case 'j': run->form = RUN_JSON; return true;
	case 'c': run->form = RUN_CSV; return true;
	case 'o': run->output = optarg; return true;
	case 'n':
		return args_number("near", optarg, 1, 1e6,
		    &options->limits.near_ns);
	case 'f':
		return args_number("far", optarg, 1, 1e6,
		    &options->limits.far_ns);
	case 'h': run->help = true; return true;
	default: /* getopt_long() has said what is wrong */ return false;
	}
}

static bool
run_options(struct run *run, int argc, char *argv[])
{
	static const struct option known[] = {
		{ "size", required_argument, NULL, 's' },
		{ "small", no_argument, NULL, '0' },
		{ "savina", no_argument, NULL, '1' },
		{ "large", no_argument, NULL, '2' },
		{ "set", required_argument, NULL, 'S' },
		{ "workers", required_argument, NULL, 'w' },
		{ "iterations", required_argument, NULL, 'i' },
		{ "warm-up", required_argument, NULL, 'W' },
		{ "pin", no_argument, NULL, 'P' },
		{ "peers", no_argument, NULL, 'p' },
		{ "against", required_argument, NULL, 'a' },
		{ "time-limit", required_argument, NULL, 'l' },
		{ "timeout", required_argument, NULL, 't' },
		{ "json", no_argument, NULL, 'j' },
		{ "csv", no_argument, NULL, 'c' },
		{ "output", required_argument, NULL, 'o' },
		{ "near", required_argument, NULL, 'n' },
		{ "far", required_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int letter;

	while ((letter = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (!run_option(run, letter)) {
			(void)fprintf(stderr,
			    "Try 'troupe-bench run --help'.\n");
			return false;
		}
	}
	if (run->workers_count == 0)
		run_default_workers(run);
	return true;
}

/* ------------------------------------------------------- what is run --- */

static bool
run_wants(const struct bench_case *c, int names, char *const *name)
{
	for (int i = 0; i < names; i++) {
		if (bench_is_named(c, name[i]))
			return true;
	}
	return names == 0;
}

static bool
run_names_are_known(int names, char *const *name)
{
	const struct bench_case *c;

	for (int i = 0; i < names; i++) {
		for (size_t at = 0; (c = bench_at(at)) != NULL; at++) {
			if (bench_is_named(c, name[i]))
				break;
		}
		if (c == NULL) {
			(void)fprintf(stderr,
			    "bench: there is no benchmark '%s'; see "
			    "'troupe-bench list'\n",
			    name[i]);
			return false;
		}
	}
	return true;
}

static void
run_apply(struct run *run, struct series *series)
{
	const struct bench_param *params = series->bench->params;

	for (size_t s = 0; s < run->settings_count; s++) {
		struct setting *setting = &run->settings[s];

		for (int i = 0; i < BENCH_PARAMS && params[i].name; i++) {
			if (strlen(params[i].name) != setting->length ||
			    strncmp(params[i].name, setting->name,
				setting->length) != 0)
				continue;
			series->value_of[i] = setting->value;
			setting->used = true;
		}
	}
}

/* One benchmark with one number of workers in one runtime. */
static bool
run_add_one(struct run *run, const struct bench_case *c,
    const struct peer *peer, const char *program, unsigned workers)
{
	struct series *series =
	    rounds_add(&run->rounds, c, peer, run->size, workers);

	if (series == NULL) {
		(void)fprintf(stderr, "bench: out of memory\n");
		return false;
	}
	series->program = program;
	run_apply(run, series);
	return true;
}

/* One benchmark with all numbers of workers: ours, and whoever else's. */
static bool
run_add(struct run *run, const struct bench_case *c, const bool usable[PEERS])
{
	for (size_t w = 0; w < run->workers_count; w++) {
		unsigned workers = run->workers[w];

		if (c->workers != 0 && w > 0)
			break; /* it has a number of its own */
		if (!run_add_one(run, c, NULL, NULL, workers))
			return false;
		if (run->against != NULL &&
		    !run_add_one(run, c, NULL, run->against, workers))
			return false;
		for (int i = 0; i < PEERS; i++) {
			if (usable[i] && peer_has(peer_at(i), c) &&
			    !run_add_one(run, c, peer_at(i), NULL, workers))
				return false;
		}
	}
	return true;
}

static bool
run_fill(struct run *run, const bool usable[PEERS], int names,
    char *const *name)
{
	const struct bench_case *c;

	for (size_t at = 0; (c = bench_at(at)) != NULL; at++) {
		if (run_wants(c, names, name) && !run_add(run, c, usable))
			return false;
	}
	for (size_t s = 0; s < run->settings_count; s++) {
		if (run->settings[s].used)
			continue;
		(void)fprintf(stderr,
		    "bench: nothing that is run has a parameter '%.*s'\n",
		    (int)run->settings[s].length, run->settings[s].name);
		return false;
	}
	return true;
}

/* --------------------------------------------------------- the report --- */

static bool
run_write(const struct run *run, const struct report_head *head)
{
	FILE *file = fopen(run->output, "we");
	bool ok = file != NULL;

	if (ok) {
		report_json(file, &run->rounds, head);
		ok = ferror(file) == 0;
		ok = fclose(file) == 0 && ok;
	}
	if (!ok)
		(void)fprintf(stderr, "bench: cannot write %s: %s\n",
		    run->output, strerror(errno));
	return ok;
}

static int
run_report(const struct run *run, const struct report_head *head)
{
	bool ok = true;

	switch (run->form) {
	case RUN_JSON: report_json_lines(stdout, &run->rounds); break;
	case RUN_CSV: report_csv(stdout, &run->rounds); break;
	case RUN_TABLE: report_table(stdout, &run->rounds); break;
	}
	if (fflush(stdout) != 0) {
		(void)fprintf(stderr, "bench: cannot write the report: %s\n",
		    strerror(errno));
		ok = false;
	}
	if (run->output != NULL && !run_write(run, head))
		ok = false;
	for (size_t i = 0; i < run->rounds.count; i++) {
		if (run->rounds.series[i].failed > 0)
			ok = false;
	}
	if (!head->complete)
		return RUN_EXIT_INTERRUPTED;
	return ok ? EXIT_SUCCESS : RUN_EXIT_FAILED;
}

static int
run_carry_out(struct run *run, int names, char *const *name)
{
	struct report_head head = { .began_s = (int64_t)time(NULL) };
	bool usable[PEERS];

	proc_init();
	if (!peers_build(run->peers, usable))
		return RUN_EXIT_INTERRUPTED;
	if (!run_fill(run, usable, names, name))
		return RUN_EXIT_USAGE;
	head.complete = rounds_run(&run->rounds);
	head.took_s = (double)((int64_t)time(NULL) - head.began_s);
	if (!head.complete)
		(void)fprintf(stderr, "bench: interrupted\n");
	return run_report(run, &head);
}

int
run_main(int argc, char *argv[])
{
	struct run run = {
		.rounds.options = {
			.iterations = 5,
			.more = true,
			.limits = {
				.near_ns = XFER_NEAR_NS,
				.far_ns = XFER_FAR_NS,
			},
			.timeout_s = ROUNDS_TIMEOUT_S,
		},
		.size = BENCH_LARGE,
	};
	int code;

	if (!run_options(&run, argc, argv) ||
	    !run_names_are_known(argc - optind, argv + optind))
		return RUN_EXIT_USAGE;
	if (run.help) {
		(void)fputs(run_usage, stdout);
		return EXIT_SUCCESS;
	}
	code = run_carry_out(&run, argc - optind, argv + optind);
	rounds_fini(&run.rounds);
	return code;
}

/* ---------------------------------------------------------------- list --- */

int
list_main(int argc, char *argv[])
{
	const struct bench_case *c;
	char name[64];

	if (!run_names_are_known(argc - 1, argv + 1))
		return RUN_EXIT_USAGE;
	for (size_t at = 0; (c = bench_at(at)) != NULL; at++) {
		if (!run_wants(c, argc - 1, argv + 1))
			continue;
		(void)snprintf(name, sizeof(name), "%s/%s", c->suite, c->name);
		(void)printf("%-24s %-12s", name,
		    c->group != NULL ? c->group : "");
		for (int i = 0; i < BENCH_PARAMS && c->params[i].name; i++)
			(void)printf(" %s=%" PRIu64 "|%" PRIu64 "|%" PRIu64,
			    c->params[i].name, c->params[i].value[0],
			    c->params[i].value[1], c->params[i].value[2]);
		(void)printf("\n    %s\n", c->op);
	}
	return EXIT_SUCCESS;
}
