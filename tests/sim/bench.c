/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The benchmarks of bench/savina, in small sizes, in the simulator: the same
 * object code, other schedules.  Their results have to be right whatever the
 * order in which actors run, and however late they wake up.
 *
 *     sim_bench [NAME] [options of tr_sim_main()]
 *
 * Without a name all of them are run; with one the name comes first.
 */
#include <stdio.h>
#include <string.h>

#include <troupe/sim.h>

#include "list.h"

enum { LIMIT_S = 3600 };

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

static void
result_is_right(struct tr_sim *sim, void *arg)
{
	const struct bench_case *c = arg;
	struct bench b, *given = &b;

	bench_sim = sim;
	bench_init(&b, c, BENCH_SMALL, tr_system_workers(tr_sim_system(sim)));
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

static int
run(const struct bench_case *c, int argc, char **argv)
{
	(void)printf("%s/%s\n", c->suite, c->name);
	return tr_sim_main(argc, argv, result_is_right, (void *)(uintptr_t)c);
}

int
main(int argc, char **argv)
{
	const char *name = NULL;
	int status = 0;

	if (argc > 1 && argv[1][0] != '-') {
		name = argv[1];
		argv[1] = argv[0];
		argv++;
		argc--;
	}
	for (size_t i = 0; savina_cases[i] != NULL && status == 0; i++) {
		if (name == NULL || strcmp(name, savina_cases[i]->name) == 0)
			status = run(savina_cases[i], argc, argv);
	}
	return status;
}
