/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows G1 to G16: signals between actors.  docs/supervision.md has the table.
 */
#include "play.h"

static void
G2_what_was_sent_before_death_comes_before_the_down(void **unused)
{
	(void)unused;
	play_row("G2");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(G2_what_was_sent_before_death_comes_before_the_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
