/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The benchmarks of bench/savina, in small sizes, in the simulator: the same
 * object code, other schedules.  Their results have to be right whatever the
 * order in which actors run, and however late they wake up.
 *
 *     sim_bench [NAME [PARAMETER=VALUE]...] [options of tr_sim_main()]
 *
 * Without a name all of them are run.
 */
#include <stdio.h>
#include <string.h>

#include <troupe/sim.h>

#include "list.h"

enum { LIMIT_S = 3600, ARGS_MAX = 32 };

/* The run under way: a check that fails says so here. */
static struct tr_sim *bench_sim;

_Noreturn void
bench_fail(const char *what)
{
	tr_sim_check(bench_sim, false, "%s", what);
	__builtin_unreachable();
}

/* Nothing that is run here asks for it. */
_Noreturn void
bench_system(struct bench *b, const struct tr_behavior *root)
{
	(void)b;
	bench_fail(root->name);
}

struct scenario {
	const struct bench_case *bench;
	char **settings; /* parameters with another value */
	int count;
};

static void
result_is_right(struct tr_sim *sim, void *arg)
{
	const struct scenario *s = arg;
	const struct bench_case *c = s->bench;
	struct bench b, *given = &b;

	bench_sim = sim;
	bench_init(&b, c, BENCH_SMALL, tr_system_workers(tr_sim_system(sim)));
	for (int i = 0; i < s->count; i++)
		tr_sim_check(sim, bench_set(&b, s->settings[i]),
		    "bad parameter or value: %s", s->settings[i]);
	if (c->setup != NULL)
		c->setup(&b);
	(void)tr_sim_spawn(sim, c->root, &given);
	tr_sim_faults(sim, TR_FAULT_WAKE | TR_FAULT_SLOW | TR_FAULT_CLOCK);
	tr_sim_check(sim,
	    tr_sim_run_until_quiet(sim, TR_SECONDS(LIMIT_S)) == TR_OK,
	    "timers are still armed");
	tr_sim_check(sim, b.end_ns > 0, "the root did not come to its end");
	bench_check_stats(&b, tr_sim_system(sim));
	if (c->teardown != NULL)
		c->teardown(&b);
}

/* argv[0] becomes part of how a failure is replayed. */
static int
run(struct scenario *s, int argc, char **argv)
{
	char *args[ARGS_MAX] = { NULL };
	char name[64];

	if (argc >= ARGS_MAX)
		return 2;
	memcpy(args, argv, (size_t)argc * sizeof(args[0]));
	(void)snprintf(name, sizeof(name), "sim_bench %s", s->bench->name);
	(void)printf("%s/%s\n", s->bench->suite, s->bench->name);
	(void)fflush(stdout);
	args[0] = name;
	return tr_sim_main(argc, args, result_is_right, s);
}

int
main(int argc, char **argv)
{
	struct scenario s = { .count = 0 };
	const char *name = NULL;
	int found = 0;
	int status = 0;

	if (argc > 1 && argv[1][0] != '-') {
		name = argv[1];
		s.settings = argv + 2;
		while (s.count + 2 < argc && s.settings[s.count][0] != '-')
			s.count++;
		argc -= s.count + 1;
		argv += s.count + 1;
	}
	for (size_t i = 0; savina_cases[i] != NULL && status == 0; i++) {
		s.bench = savina_cases[i];
		if (name != NULL && strcmp(name, s.bench->name) != 0)
			continue;
		found++;
		status = run(&s, argc, argv);
	}
	if (found == 0)
		(void)fprintf(stderr, "sim_bench: no benchmark %s\n", name);
	return found == 0 ? 2 : status;
}
