/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * driver.c - the command line of a program that explores schedules.
 *
 *     PROGRAM                    the quick tier: some ten thousand per case
 *     PROGRAM --budget SECONDS   as many as there is time for
 *     PROGRAM --list             the cases
 *
 * and with --case NAME one case only; with --strategy dfs|pct|random, --bound,
 * --depth, --runs, --seed, --buffers one way only; with --replay LIST one
 * schedule, and what it did.
 *
 * A failure is replayed, shortened as long as it stays one, and printed with
 * its operations.  Now and then a schedule is replayed to see whether it comes
 * out the same: if not, something but the choices decides here, and nothing
 * that was explored means anything.
 */
#include "engine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	ENDS = 1 << 20, /* distinct results that are told apart; a power of 2 */
	REPLAY_ONE_IN = 499,
	SHORTEN_TRIES = 4000,
};

/* One way to explore a case. */
struct phase {
	const struct sched_strategy *strategy;
	unsigned bound; /* dfs: preemptions; pct: depth */
	bool buffers;
	unsigned quick; /* schedules in the quick tier */
	unsigned share; /* of the time, in the long one */
};

/* Random walks come first: they also learn which addresses are shared. */
static const struct phase phases[] = {
	{ &sched_random, 0, false, 1500, 3 },
	{ &sched_random, 0, true, 1500, 2 },
	{ &sched_dfs, 1, false, 2000, 1 },
	{ &sched_dfs, 2, false, 2000, 3 },
	{ &sched_dfs, 2, true, 2000, 3 },
	{ &sched_dfs, 3, false, 0, 4 },
	{ &sched_pct, 2, false, 1000, 1 },
	{ &sched_pct, 3, false, 1000, 2 },
	{ &sched_pct, 3, true, 1000, 2 },
	{ &sched_pct, 5, false, 500, 2 },
};

enum { PHASES = sizeof(phases) / sizeof(*phases) };

static struct {
	const char *program;
	const char *only; /* case */
	const char *replay;
	struct phase phase; /* the only one, if it has a strategy */
	uint64_t runs;
	uint64_t seed;
	double budget; /* seconds; 0: the quick tier */
	bool list;
} options;

static uint64_t ends[ENDS];

static struct {
	uint64_t schedules, all;
	uint64_t ends, all_ends;
	uint32_t longest;
	unsigned switches;
} seen;

static double
seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* ------------------------------------------------------------- failures - */

static bool
replays_to_failure(const struct sched_choice *choice, unsigned n)
{
	sched_replay_list(choice, n);
	sched_run.strategy = &sched_replay;
	sched_run.skip_private = false;
	sched_run.learn = false;
	sched_one();
	return sched_run.failed;
}

/* Leave choices out while it fails; blocks of them first. */
static unsigned
shorten(struct sched_choice *choice, unsigned n)
{
	static struct sched_choice less[SCHED_CHOICES];
	unsigned tries = 0, block = n / 2;

	while (block > 0) {
		bool shorter = false;

		for (unsigned at = 0;
		     at + block <= n && tries++ < SHORTEN_TRIES;) {
			memcpy(less, choice, at * sizeof(*choice));
			memcpy(less + at, choice + at + block,
			    (n - at - block) * sizeof(*choice));
			if (!replays_to_failure(less, n - block)) {
				at++;
				continue;
			}
			n -= block;
			memcpy(choice, less, n * sizeof(*choice));
			shorter = true;
		}
		if (!shorter || block > n)
			block /= 2;
	}
	return n;
}

static void
print_list(const struct sched_choice *choice, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		printf("%s%u:%u", i == 0 ? "" : ",", choice[i].decision,
		    choice[i].agent);
	printf("%s\n", n == 0 ? "-" : "");
}

static void
report_failure(const struct sched_case *c, const struct phase *phase)
{
	static struct sched_choice choice[SCHED_CHOICES];
	unsigned n = sched_run.choices;

	printf("FAILED %s (%s %u%s, schedule %" PRIu64 ", seed %" PRIu64
	       "): %s\n",
	    c->name, phase->strategy->name, phase->bound,
	    phase->buffers ? ", buffers" : "", seen.schedules, options.seed,
	    sched_run.why);
	memcpy(choice, sched_run.choice, n * sizeof(*choice));
	if (phase->strategy != &sched_replay) {
		if (!replays_to_failure(choice, n))
			printf("and does not when it is replayed\n");
		n = shorten(choice, n);
	}
	printf("replay: %s --case %s%s --replay ", options.program, c->name,
	    phase->buffers ? " --buffers" : "");
	print_list(choice, n);
	sched_run.trace = true;
	(void)replays_to_failure(choice, n);
	sched_run.trace = false;
	printf("=> %s\n", sched_run.failed ? sched_run.why : "no failure");
}

/* ------------------------------------------------------------ exploring - */

static void
count_end(uint64_t hash)
{
	size_t i = (hash | 1) % ENDS;

	hash |= 1;
	for (unsigned tries = 0; tries < 64; tries++) {
		if (ends[i] == hash)
			return;
		if (ends[i] == 0) {
			ends[i] = hash;
			seen.ends++;
			return;
		}
		i = (i + 1) % ENDS;
	}
}

/* false: it came out otherwise. */
static bool
same_again(const struct phase *phase)
{
	static struct sched_choice choice[SCHED_CHOICES];
	uint32_t decisions = sched_run.decisions;
	uint64_t hash = sched_run.hash;
	bool skip = sched_run.skip_private, learn = sched_run.learn, same;

	memcpy(choice, sched_run.choice, sched_run.choices * sizeof(*choice));
	same = !replays_to_failure(choice, sched_run.choices) &&
	    sched_run.decisions == decisions && sched_run.hash == hash;
	if (!same && !sched_run.failed)
		snprintf(sched_run.why, sizeof(sched_run.why),
		    "the same choices led elsewhere: %u decisions, then %u",
		    decisions, sched_run.decisions);
	sched_run.strategy = phase->strategy;
	sched_run.skip_private = skip;
	sched_run.learn = learn;
	return same;
}

static void
phase_start(const struct phase *phase)
{
	sched_run.buffers = phase->buffers;
	sched_run.strategy = phase->strategy;
	sched_run.skip_private = phase->strategy == &sched_dfs;
	sched_run.learn = phase->strategy != &sched_dfs;
	sched_seed(options.seed, phase->bound);
	if (phase->strategy == &sched_dfs)
		sched_dfs_start(phase->bound);
}

/* Until it failed (false), all are done (*all), `runs`, or `until`. */
static bool
phase_run(const struct sched_case *c, const struct phase *phase, uint64_t runs,
    double until, bool *all)
{
	uint64_t n;

	*all = false;
	phase_start(phase);
	for (n = 1;; n++) {
		sched_one();
		seen.schedules++;
		if (sched_run.failed) {
			report_failure(c, phase);
			return false;
		}
		count_end(sched_run.hash);
		if (sched_run.decisions > seen.longest)
			seen.longest = sched_run.decisions;
		if (sched_run.switches > seen.switches)
			seen.switches = sched_run.switches;
		if (!phase->strategy->next()) {
			*all = true;
			return true;
		}
		if (n % REPLAY_ONE_IN == 0 && !same_again(phase)) {
			printf("FAILED %s: %s\n", c->name, sched_run.why);
			return false;
		}
		if (n == runs ||
		    (n % 64 == 0 && until > 0 && seconds() > until))
			return true;
	}
}

static bool
phase_is_wanted(const struct sched_case *c, const struct phase *phase)
{
	return (!phase->buffers || c->buffers) &&
	    (options.budget > 0 || phase->quick > 0);
}

/* Prints the searches that came to their end. */
static bool
case_phases(const struct sched_case *c, double budget)
{
	unsigned shares = 0;
	double rest = budget;

	for (unsigned i = 0; i < PHASES; i++)
		if (phase_is_wanted(c, &phases[i]))
			shares += phases[i].share;
	for (unsigned i = 0; i < PHASES; i++) {
		const struct phase *p = &phases[i];
		double begun = seconds(), until = 0;
		bool all;

		if (!phase_is_wanted(c, p))
			continue;
		/* What a phase leaves over is for those behind it. */
		if (budget > 0)
			until = begun + rest * p->share / shares;
		shares -= p->share;
		if (!phase_run(c, p, budget > 0 ? UINT64_MAX : p->quick, until,
			&all))
			return false;
		rest -= seconds() - begun;
		if (all)
			printf(" %s-%u%s", p->strategy->name, p->bound,
			    p->buffers ? "+buffers" : "");
	}
	return true;
}

static bool
case_run(const struct sched_case *c, double budget)
{
	double begun = seconds();
	bool ok, all;

	memset(ends, 0, sizeof(ends));
	seen.schedules = seen.ends = 0;
	seen.longest = 0;
	seen.switches = 0;
	sched_forget();
	sched_run.of = c;
	printf("%-12s all of", c->name);
	fflush(stdout);
	if (options.phase.strategy != NULL) {
		const struct phase learn = { &sched_random, 0,
			options.phase.buffers, 0, 0 };

		/* Only the search depth-first wants to know what is shared. */
		ok = options.phase.strategy != &sched_dfs ||
		    phase_run(c, &learn, 500, 0, &all);
		ok = ok &&
		    phase_run(c, &options.phase, options.runs,
			budget > 0 ? begun + budget : 0, &all);
		if (ok && all)
			printf(" %s-%u", options.phase.strategy->name,
			    options.phase.bound);
	} else {
		ok = case_phases(c, budget);
	}
	printf("; %" PRIu64 " schedules, %" PRIu64
	       " ends, at most %u decisions and %u switches, %.1f s\n",
	    seen.schedules, seen.ends, seen.longest, seen.switches,
	    seconds() - begun);
	fflush(stdout);
	seen.all += seen.schedules;
	seen.all_ends += seen.ends;
	return ok;
}

static int
replay(const struct sched_case *c)
{
	const struct phase phase = { &sched_replay, 0, options.phase.buffers, 0,
		0 };

	if (!sched_replay_parse(options.replay)) {
		fprintf(stderr, "not a schedule: %s\n", options.replay);
		return 2;
	}
	sched_run.of = c;
	phase_start(&phase);
	sched_run.trace = true;
	sched_one();
	printf("=> %s\n", sched_run.failed ? sched_run.why : "no failure");
	return sched_run.failed;
}

/* ----------------------------------------------------------------- sites - */

extern struct sched_site __start_sched_sites[], __stop_sched_sites[];

static const char *
file_of(const struct sched_site *s)
{
	const char *slash = strrchr(s->file, '/');

	return slash == NULL ? s->file : slash + 1;
}

/* Whether this place was reached by way of any of the files it is part of. */
static bool
site_is_reached(const struct sched_site *site)
{
	for (struct sched_site *s = __start_sched_sites; s < __stop_sched_sites;
	     s++)
		if (s->line == site->line && s->hits > 0 &&
		    strcmp(s->file, site->file) == 0 &&
		    strcmp(s->op, site->op) == 0)
			return true;
	return false;
}

static bool
site_is_first(const struct sched_site *site)
{
	for (struct sched_site *s = __start_sched_sites; s < site; s++)
		if (s->line == site->line && strcmp(s->file, site->file) == 0 &&
		    strcmp(s->op, site->op) == 0)
			return false;
	return true;
}

static void
report_sites(const char *files)
{
	unsigned n = 0, reached = 0;

	for (struct sched_site *s = __start_sched_sites; s < __stop_sched_sites;
	     s++) {
		char name[64];

		snprintf(name, sizeof(name), " %s ", file_of(s));
		if (strstr(files, name) == NULL || !site_is_first(s))
			continue;
		n++;
		if (site_is_reached(s))
			reached++;
		else
			printf("never reached: %s:%d %s\n", file_of(s), s->line,
			    s->op);
	}
	printf("%u of %u yield points of%sreached\n", reached, n, files);
}

/* ------------------------------------------------------------------ main - */

static const struct sched_strategy *
strategy_named(const char *name)
{
	static const struct sched_strategy *const all[] = { &sched_dfs,
		&sched_pct, &sched_random };

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (strcmp(all[i]->name, name) == 0)
			return all[i];
	fprintf(stderr, "no strategy %s: dfs, pct, random\n", name);
	exit(2);
}

static void
option_set(const char *name, const char *value)
{
	if (strcmp(name, "--case") == 0)
		options.only = value;
	else if (strcmp(name, "--budget") == 0)
		options.budget = strtod(value, NULL);
	else if (strcmp(name, "--strategy") == 0)
		options.phase.strategy = strategy_named(value);
	else if (strcmp(name, "--bound") == 0 || strcmp(name, "--depth") == 0)
		options.phase.bound = (unsigned)strtoul(value, NULL, 0);
	else if (strcmp(name, "--runs") == 0)
		options.runs = strtoull(value, NULL, 0);
	else if (strcmp(name, "--seed") == 0)
		options.seed = strtoull(value, NULL, 0);
	else if (strcmp(name, "--replay") == 0)
		options.replay = value;
	else {
		fprintf(stderr, "unknown option %s\n", name);
		exit(2);
	}
}

static void
options_read(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');

	options.program = slash == NULL ? argv[0] : slash + 1;
	options.phase.bound = 3;
	options.runs = UINT64_MAX;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--list") == 0)
			options.list = true;
		else if (strcmp(argv[i], "--buffers") == 0)
			options.phase.buffers = true;
		else if (i + 1 < argc) {
			option_set(argv[i], argv[i + 1]);
			i++;
		} else {
			fprintf(stderr, "%s: what about it?\n", argv[i]);
			exit(2);
		}
	}
	/* Only the long tier is another one each time. */
	if (options.seed == 0)
		options.seed =
		    options.budget > 0 && options.phase.strategy == NULL ?
		    (uint64_t)time(NULL) :
		    1;
	if (options.phase.strategy != NULL && options.runs == UINT64_MAX &&
	    options.budget <= 0)
		options.budget = 60;
}

static bool
is_wanted(const struct sched_case *c)
{
	return options.only == NULL || strcmp(options.only, c->name) == 0;
}

int
sched_main(int argc, char **argv, const struct sched_case *cases, size_t n,
    const char *files)
{
	unsigned wanted = 0, failed = 0;

	options_read(argc, argv);
	for (size_t i = 0; i < n; i++) {
		wanted += is_wanted(&cases[i]);
		if (options.list)
			printf("%-16s %s\n", cases[i].name, cases[i].what);
	}
	if (options.list)
		return 0;
	if (wanted == 0) {
		fprintf(stderr, "no case %s\n", options.only);
		return 2;
	}
	sched_init();
	if (options.replay == NULL)
		printf("%s: seed %" PRIu64 "\n", options.program, options.seed);
	for (size_t i = 0; i < n; i++) {
		if (!is_wanted(&cases[i]))
			continue;
		if (options.replay != NULL)
			return replay(&cases[i]);
		failed += !case_run(&cases[i], options.budget / wanted);
	}
	printf("%" PRIu64 " schedules, %" PRIu64 " distinct ends\n", seen.all,
	    seen.all_ends);
	if (wanted == n)
		report_sites(files);
	printf("%u passed, %u failed\n", wanted - failed, failed);
	return failed != 0;
}
