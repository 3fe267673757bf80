/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows S14 to S25 as scripts: how a supervisor's children are stopped, asked
 * for, and forgotten.  docs/supervision.md has the table; what a script cannot
 * show is in crowds.c.
 */
#include "play.h"

static void
S14_what_is_left_out_is_the_default(void **unused)
{
	(void)unused;
	play_row("S14");
}

static void
S15_a_child_is_told_and_killed_when_its_time_is_over(void **unused)
{
	(void)unused;
	play_row("S15");
}

static void
S16_brutal_kill_does_not_ask(void **unused)
{
	(void)unused;
	play_row("S16");
}

static void
S17_infinity_waits_and_the_leaves_end_first(void **unused)
{
	(void)unused;
	play_row("S17");
}

static void
S18_another_reason_does_not_stop_the_stopping(void **unused)
{
	(void)unused;
	play_row("S18");
}

/* How often the log said that y failed. */
static atomic_uint reports;

static void
count_reports(enum tr_log_level level, const char *text, void *ctx)
{
	(void)level;
	(void)ctx;
	if (strstr(text, "child y failed while it was stopped") != NULL)
		atomic_fetch_add(&reports, 1);
}

/* Whether it failed after it was told or before: once in each of two scenes,
 * each with 1, 2 and 4 workers, and in two with 2 and 4. */
static void
S18_and_is_reported(void **unused)
{
	(void)unused;
	atomic_store(&reports, 0);
	play_row_logged("S18", count_reports);
	assert_int_equal(atomic_load(&reports), 2 * 3 + 2 * 2);
}

static void
S19_a_child_that_unlinked_itself_hangs_nobody(void **unused)
{
	(void)unused;
	play_row("S19");
}

static void
S19_and_does_not_leave_its_supervisor(void **unused)
{
	(void)unused;
	play_row("troupe/S19");
}

static void
S20_a_terminated_child_keeps_its_description(void **unused)
{
	(void)unused;
	play_row("S20");
}

static void
S21_an_id_is_given_once(void **unused)
{
	(void)unused;
	play_row("S21");
}

static void
S22_a_restart_can_be_seen(void **unused)
{
	(void)unused;
	play_row("S22");
}

static void
S23_a_supervisor_ends_with_its_significant_children(void **unused)
{
	(void)unused;
	play_row("S23");
}

static void
S24_a_killed_supervisor_leaves_no_orphans(void **unused)
{
	(void)unused;
	play_row("S24");
}

static void
S25_many_temporary_children_come_and_go(void **unused)
{
	(void)unused;
	play_row("S25");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(S14_what_is_left_out_is_the_default),
		KIT_TEST(S15_a_child_is_told_and_killed_when_its_time_is_over),
		KIT_TEST(S16_brutal_kill_does_not_ask),
		KIT_TEST(S17_infinity_waits_and_the_leaves_end_first),
		KIT_TEST(S18_another_reason_does_not_stop_the_stopping),
		KIT_TEST(S18_and_is_reported),
		KIT_TEST(S19_a_child_that_unlinked_itself_hangs_nobody),
		KIT_TEST(S19_and_does_not_leave_its_supervisor),
		KIT_TEST(S20_a_terminated_child_keeps_its_description),
		KIT_TEST(S21_an_id_is_given_once),
		KIT_TEST(S22_a_restart_can_be_seen),
		KIT_TEST(S23_a_supervisor_ends_with_its_significant_children),
		KIT_TEST(S24_a_killed_supervisor_leaves_no_orphans),
		KIT_TEST(S25_many_temporary_children_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
