/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random trees of supervisors, in the simulator: what they do has to be what
 * the model says (trees.h).
 *
 * Seed S is tree S in schedule S, played twice.  One that fails is made as small
 * as it still fails, step by step and child by child, and printed.
 *
 * --trace also prints all events of that.
 *
 * For trees.sh, which has Erlang play the same trees:
 *
 *     --term     print trees as terms, and nothing else; those that Erlang
 *                would play otherwise are left out
 *     --expect   print what the model says of these
 */
#include "trees.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { HANG_S = 120 };

struct args {
	uint64_t first, seeds;
	double budget_s; /* 0: none */
	bool term, expect, trace;
};

/* --------------------------------------------------------- last words --- */

static char last_words[256];

static void
say_last_words(void)
{
	ssize_t n = write(STDERR_FILENO, last_words, strlen(last_words));

	(void)n;
}

static void
on_crash(int signo)
{
	say_last_words();
	signal(signo, SIG_DFL);
	raise(signo);
}

/* In the sanitizers' libraries, where there is one. */
extern void __sanitizer_set_death_callback(void (*fn)(void))
    __attribute__((weak));

static void
last_words_listen(void)
{
	/* The sanitizers have more to say about the others. */
	if (__sanitizer_set_death_callback != NULL) {
		__sanitizer_set_death_callback(say_last_words);
	} else {
		signal(SIGSEGV, on_crash);
		signal(SIGBUS, on_crash);
	}
	signal(SIGABRT, on_crash);
	signal(SIGALRM, on_crash);
}

/* What to say should the seed end the program. */
static void
last_words_set(const char *program, uint64_t seed)
{
	(void)snprintf(last_words, sizeof(last_words),
	    "seed %llu ended the program; replay it with\n  %s --seed %llu\n",
	    (unsigned long long)seed, program, (unsigned long long)seed);
	(void)alarm(HANG_S);
}

/* -------------------------------------------------------------- one seed - */

static void
play_free(struct tree_play *play)
{
	free(play->expected);
	free(play->noted);
	free(play->model);
	*play = (struct tree_play){ .tree = play->tree };
}

/* Once, and once more. */
static bool
passes(const struct tree *t, struct tree_play *play, struct tr_sim_result *r)
{
	struct tr_sim_result again;

	*play = (struct tree_play){ .tree = t };
	if (tr_sim_run(t->seed, NULL, tree_play, play, r) != TR_OK)
		abort(); /* no memory */
	if (r->failed)
		return false;
	if (tr_sim_run(t->seed, NULL, tree_play, play, &again) != TR_OK)
		abort();
	if (!again.failed && r->hash == again.hash)
		return true;
	(void)snprintf(r->why, sizeof(r->why),
	    "the second run of the seed was another");
	return false;
}

static bool
still_fails(const struct tree *t)
{
	struct tr_sim_result r;
	struct tree_play play;
	bool fails = !passes(t, &play, &r);

	play_free(&play);
	return fails;
}

/* Without some steps from `at` on; whether it still fails. */
static bool
without_steps(struct tree *t, unsigned at, unsigned count)
{
	struct tree less = *t;

	less.steps -= count;
	memmove(&less.step[at], &less.step[at + count],
	    (less.steps - at) * sizeof(less.step[0]));
	if (!still_fails(&less))
		return false;
	*t = less;
	return true;
}

/* Without a node and those beneath. */
static bool
without_node(struct tree *t, unsigned n)
{
	struct tree less = *t;

	less.node[n].gone = true;
	for (unsigned i = n + 1; i < t->nodes; i++)
		if (less.node[less.node[i].parent].gone)
			less.node[i].gone = true;
	if (!still_fails(&less))
		return false;
	*t = less;
	return true;
}

static void
print_line(const char *line, void *ctx)
{
	fprintf(ctx, "%s\n", line);
}

/* Once more, with all of its events. */
static void
trace(const struct tree *t)
{
	struct tr_sim_options options = { .trace = print_line,
		.trace_ctx = stdout };
	struct tree_play play = { .tree = t };
	struct tr_sim_result r;

	if (tr_sim_run(t->seed, &options, tree_play, &play, &r) != TR_OK)
		abort(); /* no memory */
	play_free(&play);
}

/* As small as it still fails. */
static void
shrink(struct tree *t)
{
	bool smaller = true;

	while (smaller) {
		smaller = false;
		for (unsigned count = t->steps / 2; count >= 1; count /= 2)
			for (unsigned i = t->steps; i-- > 0;)
				if (i + count <= t->steps && t->steps > count)
					smaller |= without_steps(t, i, count);
		for (unsigned n = t->nodes; n-- > 1;)
			if (!t->node[n].gone)
				smaller |= without_node(t, n);
	}
}

static void
report(const struct args *a, const char *program, struct tree *t)
{
	struct tr_sim_result r;
	struct tree_play play;

	(void)passes(t, &play, &r);
	play_free(&play);
	printf("seed %llu failed: %s\n", (unsigned long long)t->seed, r.why);
	fflush(stdout);
	shrink(t);
	if (a->trace)
		trace(t);
	(void)passes(t, &play, &r);
	printf("the least that fails: %s\n", r.why);
	tree_print(t, stdout);
	if (play.expected != NULL)
		printf("--- what should be seen\n%s--- what is seen\n%s",
		    play.expected, play.noted);
	play_free(&play);
	printf("replay it with\n  %s --seed %llu\n", program,
	    (unsigned long long)t->seed);
}

/* ------------------------------------------------------------- many seeds */

static double
seconds_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static int
run_seeds(const struct args *a, const char *program)
{
	double begin = seconds_now();
	uint64_t ran = 0, steps = 0, nodes = 0;
	bool failed = false;

	for (; ran < a->seeds && !failed; ran++) {
		struct tr_sim_result r;
		struct tree_play play;
		struct tree t;

		if (a->budget_s > 0 && seconds_now() - begin > a->budget_s)
			break;
		tree_make(&t, a->first + ran);
		last_words_set(program, t.seed);
		failed = !passes(&t, &play, &r);
		play_free(&play);
		steps += t.steps;
		nodes += t.nodes;
		(void)alarm(0);
		if (failed)
			report(a, program, &t);
	}
	printf("%llu trees, %d failed, %llu children, %llu steps, %.1f s\n",
	    (unsigned long long)ran, failed, (unsigned long long)(nodes - ran),
	    (unsigned long long)steps, seconds_now() - begin);
	return failed;
}

/* ------------------------------------------------------------ for Erlang - */

static void
expect(const struct tree *t)
{
	static struct tree_seen seen;
	struct tree_model *m = tree_model_new(t);

	printf("[%llu]\n", (unsigned long long)t->seed);
	for (unsigned i = 0; i < t->steps; i++) {
		memset(&seen, 0, sizeof(seen));
		tree_model_step(m, &t->step[i], &seen);
		tree_seen_print(t, i, &seen, false, stdout);
	}
	free(m);
}

static int
print_seeds(const struct args *a)
{
	uint64_t seed, printed = 0;
	struct tree t;

	for (seed = a->first; printed < a->seeds; seed++) {
		tree_make(&t, seed);
		if (!tree_is_erlangs(&t))
			continue;
		printed++;
		if (a->expect)
			expect(&t);
		else
			tree_term(&t, stdout);
	}
	return 0;
}

/* -------------------------------------------------------------- arguments */

static int
usage(const char *program)
{
	fprintf(stderr,
	    "usage: %s [--seeds N] [--first S] [--seed S] [--trace] "
	    "[--budget SECS] [--term | --expect]\n",
	    program);
	return 2;
}

static bool
args_value(struct args *a, const char *name, const char *value)
{
	uint64_t n;
	char *end;

	if (value == NULL || *value < '0' || *value > '9')
		return false;
	n = strtoull(value, &end, 0);
	if (strcmp(name, "--seeds") == 0)
		a->seeds = n;
	else if (strcmp(name, "--first") == 0)
		a->first = n;
	else if (strcmp(name, "--seed") == 0) {
		a->first = n;
		a->seeds = 1;
	} else if (strcmp(name, "--budget") == 0)
		a->budget_s = (double)n;
	else
		return false;
	return *end == '\0';
}

int
main(int argc, char **argv)
{
	struct args a = { .first = 1, .seeds = 200 };

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--term") == 0)
			a.term = true;
		else if (strcmp(argv[i], "--expect") == 0)
			a.expect = true;
		else if (strcmp(argv[i], "--trace") == 0)
			a.trace = true;
		else if (args_value(&a, argv[i], argv[i + 1]))
			i++;
		else
			return usage(argv[0]);
	}
	if (a.term || a.expect)
		return print_seeds(&a);
	last_words_listen();
	return run_seeds(&a, argv[0]);
}
