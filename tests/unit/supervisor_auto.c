/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Significant children: a supervisor that ends when they have.
 */
#include "rig_tree.h"

static const struct tr_child some[] = {
	{ MEMBER(a), .restart = TR_TRANSIENT, .significant = true },
	{ MEMBER(b), .restart = TR_TEMPORARY, .significant = true },
	{ MEMBER(c) },
};

static const struct tr_supervisor any = {
	.auto_shutdown = TR_AUTO_SHUTDOWN_ANY,
	.intensity = 10,
	TR_CHILDREN(some),
};

static const struct tr_supervisor all = {
	.auto_shutdown = TR_AUTO_SHUTDOWN_ALL,
	.intensity = 10,
	TR_CHILDREN(some),
};

static const struct tr_supervisor any_for_all = {
	.strategy = TR_ONE_FOR_ALL,
	.auto_shutdown = TR_AUTO_SHUTDOWN_ANY,
	.intensity = 10,
	TR_CHILDREN(some),
};

#define UP SEEN("+a +b +c")

static void
the_first_that_ends_well_ends_it(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&any, UP, TELL(a, CRASH), SEEN("-a +a"), TELL(a, QUIT),
	    SEEN("-a -c -b"), DO(has_ended));
	assert_int_equal(tree.why.code, TR_SHUTDOWN);
	assert_string_equal(tree.why.text, "auto shutdown");
}

static void
a_temporary_ones_failure_does_too(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&any, UP, TELL(b, CRASH), SEEN("-b -c -a"), DO(has_ended));
	assert_int_equal(tree.why.code, TR_SHUTDOWN);
}

static bool
still_runs(struct tr_self *self)
{
	(void)self;
	assert_false(tree.down);
	return true;
}

static void
the_last_one_ends_it(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&all, UP, TELL(a, LEAVE), SEEN("-a"), DO(ask_count), DO(answers),
	    DO(still_runs), TELL(b, QUIT), SEEN("-b -c"), DO(has_ended));
	assert_int_equal(tree.why.code, TR_SHUTDOWN);
}

/* The other has ended before it is asked for: both ends wait, and the last one
 * counts. */
static void
two_at_once(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&all, UP, TELL(a, QUIT), TELL(b, QUIT), DO(has_ended));
	assert_int_equal(tree.why.code, TR_SHUTDOWN);
	assert_int_equal(tree_count("-c"), 1);
}

static void
ends_that_the_supervisor_made_do_not_count(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&any, UP, TERMINATE("a"), ANSWER(TR_OK), SEEN("-a"),
	    TERMINATE("b"), ANSWER(TR_OK), SEEN("-b"), DO(ask_count),
	    DO(answers), DO(still_runs));
	tree_reset();
	PLAY(&any_for_all, UP, TELL(c, CRASH), SEEN("-c -b -a +a +c"),
	    DO(ask_count), DO(answers), DO(still_runs));
	assert_int_equal(tree.counts.specs, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(the_first_that_ends_well_ends_it),
		KIT_TEST(a_temporary_ones_failure_does_too),
		KIT_TEST(the_last_one_ends_it),
		KIT_TEST(two_at_once),
		KIT_TEST(ends_that_the_supervisor_made_do_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
