/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Restarts that fail or wait: they are tried again, and meanwhile the
 * supervisor has time for others.
 */
#include "rig_tree.h"

static const struct tr_child two[] = { { MEMBER(a) }, { MEMBER(b) } };

static const struct tr_supervisor patient = {
	.name = "patient",
	.intensity = 10000,
	.period_ns = TR_SECONDS(600),
	TR_CHILDREN(two),
};

static bool
b_will_not_start(struct tr_self *self)
{
	(void)self;
	atomic_store(&b.fails, -1);
	return true;
}

static bool
b_has_failed_often(struct tr_self *self)
{
	(void)self;
	return atomic_load(&b.starts) > 5;
}

static bool
b_will_start(struct tr_self *self)
{
	(void)self;
	atomic_store(&b.fails, 0);
	return true;
}

static bool
b_runs(struct tr_self *self)
{
	(void)self;
	return tree_count("+b") == 1;
}

static bool
b_was_restarting(struct tr_self *self)
{
	(void)self;
	assert_int_equal(tree.info_count, 2);
	assert_int_equal(tree.infos[0].state, TR_CHILD_RUNNING);
	assert_true(tree.infos[1].state == TR_CHILD_RESTARTING ||
	    tree.infos[1].state == TR_CHILD_STARTING);
	assert_true(tree.infos[1].restarts > 0);
	assert_int_equal(tree.infos[1].last.code, -7);
	return true;
}

static void
a_restart_that_fails_is_tried_until_it_succeeds(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&patient, SEEN("+a +b"), DO(b_will_not_start), TELL(b, CRASH),
	    DO(b_has_failed_often), DO(ask_which), DO(answers),
	    DO(b_was_restarting), RESTART("b"), ANSWER(TR_EEXIST), DELETE("b"),
	    ANSWER(TR_EBUSY), START(c), ANSWER(TR_OK), DO(b_will_start),
	    DO(b_runs), DO(ask_count), DO(answers));
	assert_int_equal(tree.counts.active, 3);
	assert_true(tree_logged("child b did not start: -7"));
}

static void
a_stop_comes_through_between_the_tries(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&patient, SEEN("+a +b"), DO(b_will_not_start), TELL(b, CRASH),
	    DO(b_has_failed_often));
	assert_int_equal(tree_count("-a"), 1);
	assert_int_equal(tree_count("-b"), 1);
}

static unsigned starts;

static bool
remembers_starts(struct tr_self *self)
{
	(void)self;
	starts = atomic_load(&b.starts);
	return true;
}

static bool
has_not_started(struct tr_self *self)
{
	(void)self;
	assert_int_equal(atomic_load(&b.starts), starts);
	return true;
}

static void
to_terminate_a_child_ends_its_tries(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&patient, SEEN("+a +b"), DO(b_will_not_start), TELL(b, CRASH),
	    DO(b_has_failed_often), TERMINATE("b"), ANSWER(TR_OK),
	    DO(remembers_starts), NAP(20), DO(has_not_started), RESTART("b"),
	    ANSWER(-7), DO(b_will_start), RESTART("b"), ANSWER(TR_OK),
	    DO(b_runs));
}

static const struct tr_supervisor impatient = {
	.name = "impatient",
	.intensity = 3,
	.period_ns = TR_SECONDS(600),
	TR_CHILDREN(two),
};

static void
failed_starts_count(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&impatient, SEEN("+a +b"), DO(b_will_not_start), TELL(b, CRASH),
	    SEEN("-b !b !b !b -a"), DO(has_ended));
	assert_int_equal(tree.why.code, TR_SHUTDOWN);
}

/* --------------------------------------------------------------- groups -- */

static const struct tr_child four[] = {
	{ MEMBER(a) },
	{ MEMBER(b) },
	{ MEMBER(c) },
	{ MEMBER(d) },
};

static const struct tr_supervisor all = {
	.strategy = TR_ONE_FOR_ALL,
	.intensity = 20,
	TR_CHILDREN(four),
};

static const struct tr_supervisor rest = {
	.strategy = TR_REST_FOR_ONE,
	.intensity = 20,
	TR_CHILDREN(four),
};

static bool
c_fails_twice(struct tr_self *self)
{
	(void)self;
	atomic_store(&c.fails, 2);
	return true;
}

static void
all_start_again_when_one_fails_to(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&all, SEEN("+a +b +c +d"), DO(c_fails_twice), TELL(d, CRASH),
	    SEEN("-d -c -b -a +a +b !c -b -a +a +b !c -b -a +a +b +c +d"));
}

static void
the_rest_starts_again_from_the_one_that_failed(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&rest, SEEN("+a +b +c +d"), DO(c_fails_twice), TELL(b, CRASH),
	    SEEN("-b -d -c +b !c !c +c +d"));
}

/* -------------------------------------------------------------- backoff -- */

static const struct tr_child slow[] = {
	{ MEMBER(a) },
	{ MEMBER(b), .backoff = { .min_ns = TR_SECONDS(3600) } },
	{ MEMBER(c) },
};

static const struct tr_supervisor slowly = {
	.name = "slowly",
	.intensity = 20,
	TR_CHILDREN(slow),
};

static const struct tr_supervisor slowly_all = {
	.strategy = TR_ONE_FOR_ALL,
	.intensity = 20,
	TR_CHILDREN(slow),
};

static const struct tr_supervisor slowly_rest = {
	.strategy = TR_REST_FOR_ONE,
	.intensity = 20,
	TR_CHILDREN(slow),
};

static bool
b_waits(struct tr_self *self)
{
	(void)self;
	assert_int_equal(tree.infos[0].state, TR_CHILD_RUNNING);
	assert_int_equal(tree.infos[1].state, TR_CHILD_RESTARTING);
	assert_true(tr_ref_equal(tree.infos[1].ref, ref_of(&b)));
	assert_int_equal(tree.infos[2].state, TR_CHILD_RUNNING);
	assert_int_equal(tree.counts.specs, 3);
	assert_int_equal(tree.counts.active, 2);
	return true;
}

static void
who_waits_does_not_hold_up_the_others(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&slowly, SEEN("+a +b +c"), TELL(b, CRASH), SEEN("-b"),
	    STATE("b", TR_CHILD_RESTARTING), TELL(a, CRASH), SEEN("-a +a"),
	    DO(ask_which), DO(ask_count), DO(answers), DO(b_waits),
	    TELL(c, CRASH), SEEN("-c +c"), TERMINATE("b"), ANSWER(TR_OK),
	    DO(ask_which), DO(answers));
	assert_int_equal(tree.infos[1].state, TR_CHILD_STOPPED);
	assert_false(tr_ref_valid(tree.infos[1].ref));
	assert_true(tree_logged("restart 1 in 3600000 ms"));
}

static bool
all_wait(struct tr_self *self)
{
	(void)self;
	for (int i = 0; i < 3; i++)
		assert_int_equal(tree.infos[i].state, TR_CHILD_RESTARTING);
	return true;
}

/* When the one they wait for is given up, they need not wait. */
static void
siblings_wait_held_for_the_one_that_failed(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&slowly_all, SEEN("+a +b +c"), TELL(b, CRASH), SEEN("-b -c -a"),
	    STATE("a", TR_CHILD_RESTARTING), DO(ask_which), DO(answers),
	    DO(all_wait), START(d), ANSWER(TR_OK), SEEN("+d"), TERMINATE("b"),
	    ANSWER(TR_OK), SEEN("+a +c"));
	assert_string_equal(tree_notes(), "-d -c -a");
}

static void
a_failure_before_them_makes_all_wait_for_that_one(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&slowly_rest, SEEN("+a +b +c"), TELL(b, CRASH), SEEN("-b -c"),
	    TELL(a, CRASH), SEEN("-a +a +b +c"));
}

static bool
starts_slow_d(struct tr_self *self)
{
	return ask_start(self,
	    &(struct tr_child){
		MEMBER(d),
		.backoff = { .min_ns = TR_SECONDS(3600) },
	    });
}

static void
who_waits_for_itself_goes_on_waiting(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&slowly_rest, SEEN("+a +b +c"), TELL(b, CRASH), SEEN("-b -c"),
	    STATE("c", TR_CHILD_RESTARTING), DO(starts_slow_d), ANSWER(TR_OK),
	    SEEN("+d"), TELL(d, CRASH), SEEN("-d"),
	    STATE("d", TR_CHILD_RESTARTING), TERMINATE("b"), ANSWER(TR_OK),
	    SEEN("+c"), STATE("d", TR_CHILD_RESTARTING));
	assert_string_equal(tree_notes(), "-c -a");
}

static void
a_stop_while_some_wait(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&slowly_rest, SEEN("+a +b +c"), TELL(b, CRASH), SEEN("-b -c"));
	assert_string_equal(tree_notes(), "-a");
}

static const struct tr_child soon[] = {
	{ MEMBER(a) },
	{ MEMBER(b),
	    .backoff = { .min_ns = TR_MS(2),
		.max_ns = TR_MS(8),
		.jitter_percent = 50 } },
};

static const struct tr_supervisor soonish = {
	.strategy = TR_ONE_FOR_ALL,
	.intensity = 20,
	TR_CHILDREN(soon),
};

static void
those_who_waited_are_started_in_order(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&soonish, SEEN("+a +b"), TELL(b, CRASH), SEEN("-b -a +a +b"),
	    TELL(b, CRASH), SEEN("-b -a +a +b"), TELL(a, CRASH),
	    SEEN("-a -b +a +b"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(a_restart_that_fails_is_tried_until_it_succeeds),
		KIT_TEST(a_stop_comes_through_between_the_tries),
		KIT_TEST(to_terminate_a_child_ends_its_tries),
		KIT_TEST(failed_starts_count),
		KIT_TEST(all_start_again_when_one_fails_to),
		KIT_TEST(the_rest_starts_again_from_the_one_that_failed),
		KIT_TEST(who_waits_does_not_hold_up_the_others),
		KIT_TEST(siblings_wait_held_for_the_one_that_failed),
		KIT_TEST(a_failure_before_them_makes_all_wait_for_that_one),
		KIT_TEST(who_waits_for_itself_goes_on_waiting),
		KIT_TEST(a_stop_while_some_wait),
		KIT_TEST(those_who_waited_are_started_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
