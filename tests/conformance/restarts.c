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

static void
S7_children_of_simple_one_for_one_are_started_by_request(void **unused)
{
	(void)unused;
	play_row("S7");
}

static void
S8_types_say_after_which_ends_a_child_is_started_again(void **unused)
{
	(void)unused;
	play_row("S8");
}

static void
S9_a_temporary_child_is_not_started_again_with_the_others(void **unused)
{
	(void)unused;
	play_row("S9");
}

static void
S10_one_restart_too_many_ends_it(void **unused)
{
	(void)unused;
	play_row("S10");
}

static void
S11_a_restart_that_fails_is_tried_again_and_counts(void **unused)
{
	(void)unused;
	play_row("S11");
}

static void
S12_a_failed_start_among_several_goes_on_from_there(void **unused)
{
	(void)unused;
	play_row("S12");
}

static void
S12_who_waited_for_one_that_is_terminated_is_started(void **unused)
{
	(void)unused;
	play_row("troupe/S12");
}

static void
S13_a_supervisor_that_gives_up_is_a_child_that_has_ended(void **unused)
{
	(void)unused;
	play_row("S13");
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
		KIT_TEST(
		    S7_children_of_simple_one_for_one_are_started_by_request),
		KIT_TEST(
		    S8_types_say_after_which_ends_a_child_is_started_again),
		KIT_TEST(
		    S9_a_temporary_child_is_not_started_again_with_the_others),
		KIT_TEST(S10_one_restart_too_many_ends_it),
		KIT_TEST(S11_a_restart_that_fails_is_tried_again_and_counts),
		KIT_TEST(S12_a_failed_start_among_several_goes_on_from_there),
		KIT_TEST(S12_who_waited_for_one_that_is_terminated_is_started),
		KIT_TEST(
		    S13_a_supervisor_that_gives_up_is_a_child_that_has_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
