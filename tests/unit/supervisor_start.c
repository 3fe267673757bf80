/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a supervisor starts and stops: in order, acknowledged, and in reverse.
 */
#include "rig_tree.h"

static const struct tr_child three[] = {
	{ MEMBER(a) },
	{ DOZER(b) },
	{ MEMBER(c) },
};

static const struct tr_supervisor top = { .name = "top", TR_CHILDREN(three) };

static bool
three_are_up(struct tr_self *self)
{
	(void)self;
	return tree_is("+a +b +c");
}

static void
children_start_in_order_and_stop_in_reverse(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&top, DO(three_are_up));
	assert_string_equal(tree_notes(), "+a +b +c -c -b -a");
	assert_int_equal(tree.k.stats.failed, 0);
}

static bool
looks_and_wakes(struct tr_self *self)
{
	(void)self;
	for (int i = 0; i < 20; i++)
		kit_nap();
	assert_string_equal(tree_notes(), "+a");
	assert_int_equal(atomic_load(&c.starts), 0);
	atomic_store(&b.dozes, false);
	return true;
}

static void
the_next_starts_when_the_former_has_started(void **unused)
{
	(void)unused;
	tree_reset();
	atomic_store(&b.dozes, true);
	PLAY(&top, BEGUN(b, 1), DO(looks_and_wakes), DO(three_are_up));
}

static void
a_failed_start_stops_those_before_in_reverse(void **unused)
{
	(void)unused;
	tree_reset();
	atomic_store(&c.fails, 1);
	PLAY(&top, DO(has_ended));
	assert_string_equal(tree_notes(), "+a +b !c -b -a");
	assert_int_equal(tree.why.code, -7);
	assert_string_equal(tree.why.text, "c: no c");
	assert_true(tree_logged("supervisor top: child c did not start"));
}

/* ---------------------------------------------------------------- ignore - */

static const struct tr_child some[] = {
	{ MEMBER(a) },
	{ MEMBER(b) },
	{ MEMBER(c), .restart = TR_TEMPORARY },
	{ MEMBER(d) },
};

static const struct tr_supervisor ignoring = { TR_CHILDREN(some) };

static bool
a_and_d_are_up(struct tr_self *self)
{
	(void)self;
	return tree_is("+a ?b ?c +d");
}

static void
who_ignores_is_kept_unless_temporary(void **unused)
{
	(void)unused;
	tree_reset();
	atomic_store(&b.ignores, true);
	atomic_store(&c.ignores, true);
	PLAY(&ignoring, DO(a_and_d_are_up), DO(ask_which), DO(answers),
	    DO(ask_count), DO(answers));
	assert_int_equal(tree.info_count, 3);
	assert_string_equal(tree.infos[1].id, "b");
	assert_int_equal(tree.infos[1].state, TR_CHILD_STOPPED);
	assert_false(tr_ref_valid(tree.infos[1].ref));
	assert_string_equal(tree.infos[2].id, "d");
	assert_int_equal(tree.infos[2].state, TR_CHILD_RUNNING);
	assert_int_equal(tree.counts.specs, 3);
	assert_int_equal(tree.counts.active, 2);
	assert_int_equal(tree.counts.workers, 3);
	assert_int_equal(tree.k.stats.failed, 0);
}

/* -------------------------------------------------------------- in a tree - */

static const struct tr_child beneath[] = { { MEMBER(b) }, { DOZER(c) } };
static const struct tr_supervisor mid = { .name = "mid", TR_CHILDREN(beneath) };
static const struct tr_child outer[] = {
	{ MEMBER(a) },
	{ .id = "mid", .supervisor = &mid },
	{ MEMBER(d) },
};
static const struct tr_supervisor nested = { TR_CHILDREN(outer) };

static bool
wakes_c(struct tr_self *self)
{
	(void)self;
	for (int i = 0; i < 20; i++)
		kit_nap();
	assert_string_equal(tree_notes(), "+a +b");
	atomic_store(&c.dozes, false);
	return true;
}

static bool
four_are_up(struct tr_self *self)
{
	(void)self;
	return tree_is("+a +b +c +d");
}

static void
a_supervisor_has_started_when_its_children_have(void **unused)
{
	(void)unused;
	tree_reset();
	atomic_store(&c.dozes, true);
	PLAY(&nested, BEGUN(c, 1), DO(wakes_c), DO(four_are_up), DO(ask_which),
	    DO(answers), DO(ask_count), DO(answers));
	assert_string_equal(tree_notes(), "+a +b +c +d -d -c -b -a");
	assert_true(tree.infos[1].supervisor);
	assert_int_equal(tree.counts.supervisors, 1);
	assert_int_equal(tree.counts.workers, 2);
	assert_int_equal(tree.counts.active, 3);
}

static void
a_start_that_fails_beneath_fails_above(void **unused)
{
	(void)unused;
	tree_reset();
	atomic_store(&c.fails, 1);
	PLAY(&nested, DO(has_ended));
	assert_string_equal(tree_notes(), "+a +b !c -b -a");
	assert_int_equal(tree.why.code, -7);
	assert_string_equal(tree.why.text, "mid: c: no c");
}

static bool
asks_at_once(struct tr_self *self)
{
	return ask_count(self);
}

static bool
counts_have_not_come(struct tr_self *self)
{
	(void)self;
	assert_int_equal(tree.answered, 0);
	return wakes_c(self);
}

static void
what_is_asked_at_first_is_answered_when_it_is_up(void **unused)
{
	(void)unused;
	tree_reset();
	atomic_store(&c.dozes, true);
	PLAY(&nested, DO(asks_at_once), BEGUN(c, 1), DO(counts_have_not_come),
	    DO(answers));
	assert_int_equal(tree.outcome, TR_OK);
	assert_int_equal(tree.counts.active, 3);
	assert_true(tree_count("+d") == 1);
}

/* c does not start, and a takes its time to stop: the supervisor knows the
 * first when it is asked, and not the second. */
static const struct tr_child slow_to_stop[] = {
	{ DOZER(a), .shutdown_ns = TR_INFINITE },
	{ DOZER(c) },
};

static const struct tr_supervisor doomed = { TR_CHILDREN(slow_to_stop) };

static void
one_that_never_comes_up_does_not_answer(void **unused)
{
	(void)unused;
	tree_reset();
	atomic_store(&c.dozes, true);
	atomic_store(&c.fails, 1);
	PLAY(&doomed, BEGUN(c, 1), TELL(a, DOZE), LET_GO(c), DO(one_dozes),
	    DO(ask_count), DO(all_wake), ANSWER(TR_EDEAD), DO(has_ended));
	assert_string_equal(tree_notes(), "+a !c -a");
	assert_string_equal(tree.why.text, "c: no c");
}

/* ------------------------------------------------------------ the system - */

static int
brief_start(struct tr_self *self, void *state, const void *arg)
{
	(void)state;
	(void)arg;
	return tr_exit(self, TR_NORMAL);
}

static int
weak_start(struct tr_self *self, void *state, const void *arg)
{
	(void)state;
	(void)arg;
	kit_tell(self, tr_self_ref(self), CRASH);
	return TR_OK;
}

static int
weak_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)self;
	(void)state;
	(void)msg;
	return -5;
}

static const struct tr_behavior brief = {
	.start = brief_start,
	.receive = kit_ignore,
};
static const struct tr_behavior weak = {
	.start = weak_start,
	.receive = weak_receive,
};

static int
run(const struct tr_behavior *behavior, enum tr_restart restart,
    enum tr_auto_shutdown shutdown, const char *id)
{
	const struct tr_child children[] = {
		{ MEMBER(b) },
		{ .id = id,
		    .behavior = behavior,
		    .arg = &c,
		    .restart = restart,
		    .significant = shutdown != TR_AUTO_SHUTDOWN_NEVER },
	};
	const struct tr_supervisor root = {
		.name = "root",
		.auto_shutdown = shutdown,
		TR_CHILDREN(children),
	};

	return tr_run_supervisor(&root,
	    &(struct tr_options){ .workers = 2, .log = tree_log });
}

static void
a_run_ends_as_its_root_does(void **unused)
{
	(void)unused;
	tree_reset();
	assert_int_equal(run(&brief, TR_TRANSIENT, TR_AUTO_SHUTDOWN_ANY, "c"),
	    TR_OK);
	assert_string_equal(tree_notes(), "+b -b");
	tree_forget();
	assert_int_equal(run(&weak, TR_PERMANENT, TR_AUTO_SHUTDOWN_NEVER, "c"),
	    TR_EGAVEUP);
	assert_true(tree_logged("gives up"));
	assert_string_equal(tree_notes(), "+b -b");
	tree_forget();
	atomic_store(&c.fails, -1);
	assert_int_equal(run(&member, TR_PERMANENT, TR_AUTO_SHUTDOWN_NEVER,
			     "c"),
	    -7);
	assert_string_equal(tree_notes(), "+b !c -b");
	tree_forget();
	assert_int_equal(run(&member, TR_PERMANENT, TR_AUTO_SHUTDOWN_NEVER, ""),
	    TR_EINVAL);
	assert_string_equal(tree_notes(), "");
	assert_true(tree_logged("an id of 1 to 47 bytes is needed"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(children_start_in_order_and_stop_in_reverse),
		KIT_TEST(the_next_starts_when_the_former_has_started),
		KIT_TEST(a_failed_start_stops_those_before_in_reverse),
		KIT_TEST(who_ignores_is_kept_unless_temporary),
		KIT_TEST(a_supervisor_has_started_when_its_children_have),
		KIT_TEST(a_start_that_fails_beneath_fails_above),
		KIT_TEST(what_is_asked_at_first_is_answered_when_it_is_up),
		KIT_TEST(one_that_never_comes_up_does_not_answer),
		KIT_TEST(a_run_ends_as_its_root_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
