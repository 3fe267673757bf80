/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * races: 10^7 monitors that race with the end of whom they watch, and each
 * brings exactly one DOWN, or none if it was withdrawn.
 *
 * Row G5 of docs/supervision.md; what races with what: conformance/race.h.
 */
#include "long.h"

#include "conformance/race.h"

enum { SMALL = TEST_SCALE(50000) };

static struct long_run run;

static int share; /* percent of the budget */

static bool
time_is_left(void)
{
	return long_time_left(&run, share);
}

/* How many were met in all. */
static struct {
	unsigned long long monitors, alive, gone, withdrawn;
} sum;

static void
run_with(unsigned workers, uint64_t races)
{
	static struct kit k;

	race_run(&k, workers, races, run.seed ^ workers, time_is_left);
	sum.monitors += race.monitors;
	sum.alive += race.told - race.noproc;
	sum.gone += race.noproc;
	sum.withdrawn += race.withdrawn;
}

int
main(int argc, char **argv)
{
	unsigned long cores = (unsigned long)sysconf(_SC_NPROCESSORS_ONLN);
	unsigned workers = cores > 16 ? 16 : cores > 1 ? (unsigned)cores : 2;
	uint64_t goal;

	run = long_begin(argc, argv,
	    "10^7 races of monitor against death: exactly one DOWN each");
	goal = run.small ? SMALL : UINT64_C(10000000);
	/* On one worker it is the order of turns that decides, on several the
	 * moment. */
	share = 20;
	run_with(1, goal / 10);
	share = 90;
	run_with(workers, goal - goal / 10);
	KIT_CHECK(sum.alive > 0 && sum.gone > 0 && sum.withdrawn > 0);
	printf(
	    "%llu races on 1 and %u workers: %llu found it alive, %llu gone, "
	    "%llu were withdrawn\n",
	    sum.monitors, workers, sum.alive, sum.gone, sum.withdrawn);
	return 0;
}
