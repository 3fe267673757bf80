/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many seeds, as a program: tr_sim_main().
 *
 * A seed that ends the program (an assertion, a bad address, a sanitizer's
 * finding, a handler that never returns) is named, too: what to say then is
 * written before the seed begins, because a signal handler cannot.
 */
#include "sim/sim.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct sim_args {
	uint64_t first, seeds;
	bool one, trace, once, keep_going, quiet, coverage;
	double budget_s; /* 0: none */
	unsigned hang_s; /* 0: never */
	const struct tr_sim_options *given; /* by the program */
	char replay[160]; /* the options that a replay needs */
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
	    "  --coverage      print which faults struck, and where never\n"
	    "  --workers N     1 to 8 (default: drawn for each seed)\n"
	    "  --strategy X    random, pct or round-robin (default: drawn)\n"
	    "  --no-faults     none, whatever the scenario allows\n"
	    "  --max-steps N   of a run, then it has failed (default "
	    "5000000)\n"
	    "  --hang SECS     give up on a seed after this time (default "
	    "120; 0: never)\n"
	    "  --once          do not run each seed a second time\n"
	    "  --keep-going    do not end at the first seed that fails\n"
	    "  --quiet         only say what fails\n"
	    "  --help          this text\n"
	    "\n"
	    "Exit status: 0, all passed; 1, a seed failed; 2, bad arguments.\n",
	    program);
}

/* ------------------------------------------------------ last words --- */

/* Signal handlers are the process's, and so is what they say. */
static struct {
	char text[512];
	size_t size;
} last_words;

/* In the sanitizers' libraries, where there is one. */
extern void __sanitizer_set_death_callback(void (*fn)(void))
    __attribute__((weak));

static void
say_last_words(void)
{
	ssize_t n = write(STDERR_FILENO, last_words.text, last_words.size);

	(void)n;
}

static void
on_crash(int signo)
{
	say_last_words();
	signal(signo, SIG_DFL);
	raise(signo);
}

static void
last_words_listen(void)
{
	/* The sanitizers have more to say about the others. */
	if (__sanitizer_set_death_callback != NULL) {
		__sanitizer_set_death_callback(say_last_words);
	} else {
		signal(SIGSEGV, on_crash);
		signal(SIGBUS, on_crash);
		signal(SIGFPE, on_crash);
	}
	signal(SIGABRT, on_crash);
	signal(SIGALRM, on_crash);
}

static void
last_words_set(const struct sim_args *a, const char *program, uint64_t seed,
    const char *more)
{
	int n = snprintf(last_words.text, sizeof(last_words.text),
	    "seed %llu ended the program; replay it with\n"
	    "  %s --seed %llu%s%s --trace\n",
	    (unsigned long long)seed, program, (unsigned long long)seed,
	    a->replay, more);

	last_words.size = n < (int)sizeof(last_words.text) ?
	    (size_t)n :
	    sizeof(last_words.text) - 1;
}

/* ------------------------------------------------------- arguments --- */

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
	enum tr_sim_strategy s;

	for (s = TR_SIM_ANY; text != NULL && s <= TR_SIM_ROUND_ROBIN; s++)
		if (strcmp(text, sim_strategy_name(s)) == 0) {
			*strategy = s;
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
	else if (strcmp(name, "--coverage") == 0)
		a->coverage = true;
	else if (strcmp(name, "--no-faults") == 0)
		a->options.faults = TR_FAULT_NONE;
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
	} else if (strcmp(name, "--max-steps") == 0 && n >= 1) {
		a->options.max_steps = n;
	} else if (strcmp(name, "--hang") == 0 && n <= 1000000) {
		a->hang_s = (unsigned)n;
	} else if (strcmp(name, "--workers") == 0 && n >= 1 &&
	    n <= SIM_WORKERS) {
		a->options.workers = (unsigned)n;
	} else {
		return false;
	}
	return true;
}

/* What changes a run beside its seed. */
static void
args_replay(struct sim_args *a)
{
	char *p = a->replay;
	size_t room = sizeof(a->replay);
	int n = 0;

	if (a->options.workers != a->given->workers)
		n += snprintf(p + n, room - (size_t)n, " --workers %u",
		    a->options.workers);
	if (a->options.strategy != a->given->strategy)
		n += snprintf(p + n, room - (size_t)n, " --strategy %s",
		    sim_strategy_name(a->options.strategy));
	if (a->options.faults != a->given->faults)
		n += snprintf(p + n, room - (size_t)n, " --no-faults");
	if (a->options.max_steps != a->given->max_steps)
		snprintf(p + n, room - (size_t)n, " --max-steps %llu",
		    (unsigned long long)a->options.max_steps);
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
	args_replay(a);
	return true;
}

/* ----------------------------------------------------------- seeds --- */

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
	fflush(ctx); /* a crash may come next */
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
report_failure(const struct sim_args *a, const char *program, uint64_t seed,
    const struct tr_sim_result *r)
{
	char faults[80];

	printf(
	    "seed %llu failed: %s\n"
	    "  at step %llu, after %.3f ms; %u workers, strategy %s, faults: "
	    "%s (%llu struck)\n"
	    "  replay it with\n"
	    "  %s --seed %llu%s --trace\n",
	    (unsigned long long)seed, r->why, (unsigned long long)r->steps,
	    (double)r->virtual_ns * 1e-6, r->workers,
	    sim_strategy_name(r->strategy),
	    sim_fault_names(r->active, faults, sizeof(faults)),
	    (unsigned long long)r->faults, program, (unsigned long long)seed,
	    a->replay);
	fflush(stdout);
}

/* Where faults could strike, and did. */
static void
report_coverage(const struct sim_cache *cache)
{
	enum tr_fault fault = TR_FAULT_NONE;
	const char *name;
	unsigned i, k;

	printf("%-18s %12s %12s\n", "fault", "could strike", "struck");
	for (i = 0; (name = sim_site_name(i, &fault)) != NULL; i++) {
		const struct sim_site *s = NULL;

		for (k = 0; k < cache->sites && s == NULL; k++)
			if (strcmp(cache->site[k].name, name) == 0)
				s = &cache->site[k];
		printf("%-18s %12llu %12llu%s\n", name,
		    s != NULL ? (unsigned long long)s->asked : 0,
		    s != NULL ? (unsigned long long)s->struck : 0,
		    s == NULL          ? "  never asked" :
			s->struck == 0 ? "  never struck" :
					 "");
	}
}

/* How long the scenario is, for PCT: the same for each call of the program, so
 * that a seed stays the same run. */
static void
measure(struct sim_args *a, const char *program, tr_sim_fn *fn, void *arg,
    struct sim_cache *cache)
{
	struct tr_sim_options o = a->options;
	struct tr_sim_result r;

	if (o.strategy != TR_SIM_ANY && o.strategy != TR_SIM_PCT)
		return;
	o.strategy = TR_SIM_RANDOM;
	o.trace = NULL;
	last_words_set(a, program, 0, " --strategy random");
	if (sim_run_once(0, &o, fn, arg, &r, cache) == TR_OK)
		a->options.length = r.steps;
}

static void
show_progress(const struct sim_args *a, const struct totals *t)
{
	fprintf(stderr, "\r%llu of %llu seeds ", (unsigned long long)t->ran,
	    (unsigned long long)a->seeds);
}

static void
report_totals(const struct sim_args *a, const struct totals *t, double seconds)
{
	printf("%llu seeds, %llu failed, %.1f s (%.0f seeds/s, each %s), %llu "
	       "steps, %llu messages, %llu faults\n",
	    (unsigned long long)t->ran, (unsigned long long)t->failed, seconds,
	    (double)t->ran / (seconds + 1e-9), a->once ? "once" : "twice",
	    (unsigned long long)t->steps, (unsigned long long)t->messages,
	    (unsigned long long)t->faults);
}

/* One more seed is in. */
static void
count_seed(const struct sim_args *a, const char *program, uint64_t seed,
    const struct tr_sim_result *r, struct totals *t)
{
	t->ran++;
	t->steps += r->steps;
	t->messages += r->messages;
	t->faults += r->faults;
	t->failed += r->failed;
	if (r->failed)
		report_failure(a, program, seed, r);
	else if (a->one && !a->quiet)
		printf("seed %llu passed, hash %016llx\n",
		    (unsigned long long)seed, (unsigned long long)r->hash);
}

static int
run_seeds(struct sim_args *a, const char *program, tr_sim_fn *fn, void *arg,
    struct totals *t)
{
	struct sim_cache cache = { .n = 0 };
	double start = seconds_now(), shown = start, now = start;
	bool progress = !a->quiet && !a->trace && isatty(STDERR_FILENO);
	uint64_t seed;
	int rc = TR_OK;

	last_words_listen();
	(void)alarm(a->hang_s);
	measure(a, program, fn, arg, &cache);
	for (seed = a->first; rc == TR_OK && seed - a->first < a->seeds;
	     seed++) {
		struct tr_sim_result r;

		last_words_set(a, program, seed, "");
		(void)alarm(a->hang_s);
		rc = run_seed(a, seed, fn, arg, &r, &cache);
		count_seed(a, program, seed, &r, t);
		now = seconds_now();
		if (progress && now - shown > 0.5) {
			show_progress(a, t);
			shown = now;
		}
		if ((r.failed && !a->keep_going) ||
		    (a->budget_s > 0 && now - start > a->budget_s))
			break;
	}
	(void)alarm(0);
	if (shown > start)
		fprintf(stderr, "\r\033[K");
	if (!a->quiet || t->failed > 0)
		report_totals(a, t, now - start);
	if (a->coverage)
		report_coverage(&cache);
	sim_cache_fini(&cache);
	return rc;
}

int
tr_sim_main_with(int argc, char **argv, const struct tr_sim_options *options,
    tr_sim_fn *fn, void *arg)
{
	struct sim_args a = { .first = 1, .seeds = 100, .hang_s = 120 };
	struct totals t = { 0 };
	int i, rc;

	if (!sim_options_are_valid(options)) {
		fprintf(stderr, "%s: %s\n", argv[0], tr_strerror(TR_EINVAL));
		return 2;
	}
	a.options = *options;
	a.given = options;
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

int
tr_sim_main(int argc, char **argv, tr_sim_fn *fn, void *arg)
{
	const struct tr_sim_options options = { 0 };

	return tr_sim_main_with(argc, argv, &options, fn, arg);
}
