/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many seeds, as a program: tr_sim_main().
 */
#include "sim/sim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct sim_args {
	uint64_t first, seeds;
	bool one, trace, once, keep_going, quiet;
	double budget_s; /* 0: none */
	struct tr_sim_options options;
};

static void
usage(FILE *out, const char *program)
{
	fprintf(out,
	    "usage: %s [options]\n"
	    "\n"
	    "Runs the scenario for many seeds; each seed is another schedule, "
	    "other faults.\n"
	    "\n"
	    "  --seeds N       how many (default 100)\n"
	    "  --first S       the first of them (default 1)\n"
	    "  --seed S        only this one\n"
	    "  --budget SECS   as many as this time allows, up to --seeds\n"
	    "  --trace         print every event (with --seed)\n"
	    "  --workers N     1 to 8 (default: drawn for each seed)\n"
	    "  --strategy X    random, pct or round-robin (default: drawn)\n"
	    "  --no-faults     none, whatever the scenario allows\n"
	    "  --once          do not run each seed a second time\n"
	    "  --keep-going    do not end at the first seed that fails\n"
	    "  --quiet         only say what fails\n"
	    "  --help          this text\n"
	    "\n"
	    "Exit status: 0, all passed; 1, a seed failed; 2, bad arguments.\n",
	    program);
}

static bool
number_of(const char *text, uint64_t *value)
{
	char *end;

	if (text == NULL || *text < '0' || *text > '9')
		return false;
	errno = 0;
	*value = strtoull(text, &end, 0);
	return errno == 0 && *end == '\0';
}

static bool
strategy_of(const char *text, enum tr_sim_strategy *strategy)
{
	static const char *const names[] = { "any", "random", "pct",
		"round-robin" };
	unsigned i;

	for (i = 0; text != NULL && i < 4; i++)
		if (strcmp(text, names[i]) == 0) {
			*strategy = (enum tr_sim_strategy)i;
			return true;
		}
	return false;
}

/* An option without a value; false: it is none. */
static bool
args_flag(struct sim_args *a, const char *name)
{
	if (strcmp(name, "--trace") == 0)
		a->trace = true;
	else if (strcmp(name, "--once") == 0)
		a->once = true;
	else if (strcmp(name, "--keep-going") == 0)
		a->keep_going = true;
	else if (strcmp(name, "--quiet") == 0)
		a->quiet = true;
	else if (strcmp(name, "--no-faults") == 0)
		a->options.faults = 1u << 31; /* of none that there is */
	else
		return false;
	return true;
}

static bool
args_value(struct sim_args *a, const char *name, const char *value)
{
	uint64_t n = 0;

	if (strcmp(name, "--strategy") == 0)
		return strategy_of(value, &a->options.strategy);
	if (!number_of(value, &n))
		return false;
	if (strcmp(name, "--seeds") == 0) {
		a->seeds = n;
	} else if (strcmp(name, "--first") == 0) {
		a->first = n;
	} else if (strcmp(name, "--seed") == 0) {
		a->first = n;
		a->one = true;
	} else if (strcmp(name, "--budget") == 0) {
		a->budget_s = (double)n;
	} else if (strcmp(name, "--workers") == 0 && n >= 1 &&
	    n <= SIM_WORKERS) {
		a->options.workers = (unsigned)n;
	} else {
		return false;
	}
	return true;
}

static bool
args_parse(struct sim_args *a, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (args_flag(a, argv[i]))
			continue;
		if (!args_value(a, argv[i],
			i + 1 < argc ? argv[i + 1] : NULL)) {
			fprintf(stderr,
			    "%s: bad option or value: %s %s (--help lists "
			    "them)\n",
			    argv[0], argv[i], i + 1 < argc ? argv[i + 1] : "");
			return false;
		}
		i++;
	}
	if (a->one)
		a->seeds = 1;
	if (a->trace && !a->one) {
		fprintf(stderr, "%s: --trace needs --seed\n", argv[0]);
		return false;
	}
	return true;
}

static double
seconds_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static void
print_line(const char *line, void *ctx)
{
	fprintf(ctx, "%s\n", line);
}

/* Once, and once more. */
static int
run_seed(const struct sim_args *a, uint64_t seed, tr_sim_fn *fn, void *arg,
    struct tr_sim_result *r, struct sim_cache *cache)
{
	struct tr_sim_result again;
	struct tr_sim_options silent = a->options;
	int rc = sim_run_once(seed, &a->options, fn, arg, r, cache);

	silent.trace = NULL;
	if (rc != TR_OK || r->failed || a->once)
		return rc;
	rc = sim_run_once(seed, &silent, fn, arg, &again, cache);
	if (rc == TR_OK && (again.failed || again.hash != r->hash)) {
		r->failed = true;
		snprintf(r->why, sizeof(r->why),
		    "the second run of the seed was another: %.200s",
		    again.failed ? again.why : "its events differ");
	}
	return rc;
}

struct totals {
	uint64_t ran, failed, steps, messages, faults;
};

static void
report_failure(const char *program, uint64_t seed,
    const struct tr_sim_result *r)
{
	printf("seed %llu failed: %s\n"
	       "  %u workers, step %llu, after %.3f ms; replay it with\n"
	       "  %s --seed %llu --trace\n",
	    (unsigned long long)seed, r->why, r->workers,
	    (unsigned long long)r->steps, (double)r->virtual_ns * 1e-6, program,
	    (unsigned long long)seed);
	fflush(stdout);
}

static int
run_seeds(const struct sim_args *a, const char *program, tr_sim_fn *fn,
    void *arg, struct totals *t)
{
	struct sim_cache cache = { .n = 0 };
	double start = seconds_now(), shown = start, now = start;
	uint64_t seed;
	int rc = TR_OK;

	for (seed = a->first; rc == TR_OK && seed - a->first < a->seeds;
	     seed++) {
		struct tr_sim_result r;

		rc = run_seed(a, seed, fn, arg, &r, &cache);
		t->ran++;
		t->steps += r.steps;
		t->messages += r.messages;
		t->faults += r.faults;
		t->failed += r.failed;
		if (r.failed)
			report_failure(program, seed, &r);
		if (r.failed && !a->keep_going)
			break;
		now = seconds_now();
		if (!a->quiet && isatty(STDERR_FILENO) && now - shown > 0.5) {
			fprintf(stderr, "\r%llu of %llu seeds ",
			    (unsigned long long)t->ran,
			    (unsigned long long)a->seeds);
			shown = now;
		}
		if (a->budget_s > 0 && now - start > a->budget_s)
			break;
	}
	sim_cache_fini(&cache);
	if (shown > start)
		fprintf(stderr, "\r\033[K");
	if (!a->quiet || t->failed > 0)
		printf("%llu seeds, %llu failed, %.1f s (%.0f seeds/s, each "
		       "%s), %llu steps, %llu messages, %llu faults\n",
		    (unsigned long long)t->ran, (unsigned long long)t->failed,
		    now - start, (double)t->ran / (now - start + 1e-9),
		    a->once ? "once" : "twice", (unsigned long long)t->steps,
		    (unsigned long long)t->messages,
		    (unsigned long long)t->faults);
	return rc;
}

int
tr_sim_main(int argc, char **argv, tr_sim_fn *fn, void *arg)
{
	struct sim_args a = { .first = 1, .seeds = 100 };
	struct totals t = { 0 };
	int i, rc;

	for (i = 1; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0) {
			usage(stdout, argv[0]);
			return 0;
		}
	if (!args_parse(&a, argc, argv))
		return 2;
	if (a.trace) {
		a.options.trace = print_line;
		a.options.trace_ctx = stdout;
	}
	rc = run_seeds(&a, argv[0], fn, arg, &t);
	if (rc != TR_OK) {
		fprintf(stderr, "%s: %s\n", argv[0], tr_strerror(rc));
		return 2;
	}
	return t.failed > 0 ? 1 : 0;
}
