/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Row G5: a monitor that races with the end of whom it watches brings exactly
 * one DOWN.  10^5 times here, 10^7 times in the long tier (tests/long/races.c).
 */
#include "kit.h"

#include "conformance/race.h"

enum { RACES = TEST_SCALE(100000) };

static void
G5_a_monitor_racing_with_death_brings_one_down(void **unused)
{
	static struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		race_run(&k, workers, RACES, workers, NULL);
		print_message("%u workers: %llu monitors, %llu noproc, "
			      "%llu withdrawn\n",
		    workers, race.monitors, race.noproc, race.withdrawn);
		assert_true(race.monitors + workers > RACES);
		assert_true(race.withdrawn > 0 && race.told > race.withdrawn);
		/* On one worker both ways are met, however busy the machine. */
		assert_true(workers > 1 ||
		    (race.noproc > 0 && race.noproc < race.told));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(G5_a_monitor_racing_with_death_brings_one_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
