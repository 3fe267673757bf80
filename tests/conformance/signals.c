/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows G1 to G14: signals between actors, as scripts.  docs/supervision.md has
 * the table; what cannot be scripted is in races.c and resources.c.
 */
#include "play.h"

static void
G1_signals_of_one_sender_arrive_in_order(void **unused)
{
	(void)unused;
	play_row("G1");
}

static void
G2_what_was_sent_before_death_comes_before_the_down(void **unused)
{
	(void)unused;
	play_row("G2");
}

static void
G3_a_monitor_of_the_dead_is_noproc_once(void **unused)
{
	(void)unused;
	play_row("G3");
}

static void
G4_every_monitor_brings_its_down(void **unused)
{
	(void)unused;
	play_row("G4");
}

static void
G6_the_name_is_free_when_the_down_is_handled(void **unused)
{
	(void)unused;
	play_row("G6");
}

static void
G7_normal_is_ignored_unless_trapped_or_self(void **unused)
{
	(void)unused;
	play_row("G7");
}

static void
G8_an_untrapped_reason_propagates_unchanged(void **unused)
{
	(void)unused;
	play_row("G8");
}

static void
G9_kill_is_untrappable_and_over_a_link_it_is_not(void **unused)
{
	(void)unused;
	play_row("G9");
}

static void
G10_no_exit_after_unlink(void **unused)
{
	(void)unused;
	play_row("G10");
}

static void
G11_a_double_link_is_one_link(void **unused)
{
	(void)unused;
	play_row("G11");
}

static void
G12_spawning_with_link_or_monitor_is_atomic(void **unused)
{
	(void)unused;
	play_row("G12");
}

static void
G13_a_late_answer_is_never_delivered(void **unused)
{
	(void)unused;
	play_row("G13");
}

static void
G14_who_ends_in_a_handler_handles_nothing_more(void **unused)
{
	(void)unused;
	play_row("G14");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(G1_signals_of_one_sender_arrive_in_order),
		KIT_TEST(G2_what_was_sent_before_death_comes_before_the_down),
		KIT_TEST(G3_a_monitor_of_the_dead_is_noproc_once),
		KIT_TEST(G4_every_monitor_brings_its_down),
		KIT_TEST(G6_the_name_is_free_when_the_down_is_handled),
		KIT_TEST(G7_normal_is_ignored_unless_trapped_or_self),
		KIT_TEST(G8_an_untrapped_reason_propagates_unchanged),
		KIT_TEST(G9_kill_is_untrappable_and_over_a_link_it_is_not),
		KIT_TEST(G10_no_exit_after_unlink),
		KIT_TEST(G11_a_double_link_is_one_link),
		KIT_TEST(G12_spawning_with_link_or_monitor_is_atomic),
		KIT_TEST(G13_a_late_answer_is_never_delivered),
		KIT_TEST(G14_who_ends_in_a_handler_handles_nothing_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
