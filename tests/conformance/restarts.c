/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows S1 to S13: how supervisors start, stop and restart their children, as
 * scripts.  docs/supervision.md has the table; what of S7 cannot be scripted is
 * in sidebyside.c.
 */
#include "play.h"

static void
S1_children_start_in_list_order_and_stop_in_reverse(void **unused)
{
	(void)unused;
	play_row("S1");
}

static void
S2_a_failed_start_stops_those_before_it_and_fails_above(void **unused)
{
	(void)unused;
	play_row("S2");
}

static void
S3_who_ignores_its_start_is_kept_and_not_active(void **unused)
{
	(void)unused;
	play_row("S3");
}

static void
S4_one_for_one_leaves_the_others_alone(void **unused)
{
	(void)unused;
	play_row("S4");
}

static void
S5_one_for_all_stops_all_in_reverse_and_starts_all_in_order(void **unused)
{
	(void)unused;
	play_row("S5");
}

static void
S6_rest_for_one_does_so_with_those_behind(void **unused)
{
	(void)unused;
	play_row("S6");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(S1_children_start_in_list_order_and_stop_in_reverse),
		KIT_TEST(
		    S2_a_failed_start_stops_those_before_it_and_fails_above),
		KIT_TEST(S3_who_ignores_its_start_is_kept_and_not_active),
		KIT_TEST(S4_one_for_one_leaves_the_others_alone),
		KIT_TEST(
		    S5_one_for_all_stops_all_in_reverse_and_starts_all_in_order),
		KIT_TEST(S6_rest_for_one_does_so_with_those_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
