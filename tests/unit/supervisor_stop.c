/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How children are stopped: told, timed, killed; and how a supervisor ends.
 */
#include "actors/system.h"
#include "rig_tree.h"

static bool
logged_a_kill(struct tr_self *self)
{
	(void)self;
	return tree_logged("child b did not end within 10 ms: killed");
}

static const struct tr_child timed[] = {
	{ MEMBER(a) },
	{ DOZER(b), .shutdown_ns = TR_MS(10) },
	{ MEMBER(c) },
};

static const struct tr_supervisor timing = {
	.name = "timing",
	TR_CHILDREN(timed),
};

static bool
stops_it(struct tr_self *self)
{
	return tr_stop(self, tree.sup, tr_forever()) == TR_OK;
}

/* The message that it dozes over is followed by one that it never sees. */
static void
who_takes_too_long_is_killed(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&timing, SEEN("+a +b +c"), TELL(b, DOZE), DO(one_dozes),
	    DO(stops_it), SEEN("-c"), DO(logged_a_kill), DO(all_wake),
	    SEEN("xb -a"), DO(has_ended));
	assert_int_equal(tree.why.code, TR_SHUTDOWN);
}

static const struct tr_child brutal[] = {
	{ MEMBER(a), .shutdown_ns = TR_BRUTAL_KILL },
	{ DOZER(b), .shutdown_ns = TR_BRUTAL_KILL },
};

static const struct tr_supervisor brutally = { TR_CHILDREN(brutal) };

static bool
sends_ones(struct tr_self *self)
{
	for (int i = 0; i < 7; i++)
		tell(self, &b, COUNT_ONE);
	return true;
}

/* That it is, shows only in its cell while it dozes. */
static bool
b_is_killed(struct tr_self *self)
{
	tr_ref ref = { atomic_load(&b.ref) };

	return (tri_load_relaxed(
		    &tri_cell_find(tr_system_of(self), ref)->ident) &
		   TRI_IDENT_KILL) != 0;
}

static void
brutal_kill_does_not_ask(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&brutally, SEEN("+a +b"), TELL(b, DOZE), DO(one_dozes),
	    DO(sends_ones), TERMINATE("b"), DO(b_is_killed), DO(all_wake),
	    ANSWER(TR_OK), SEEN("xb"), DO(stops_it), SEEN("xa"), DO(has_ended));
	assert_int_equal(atomic_load(&b.ones), 0);
	assert_int_equal(kit_letters(&tree.k, TR_DEAD_CLOSED, COUNT_ONE), 7);
}

static const struct tr_child endless[] = {
	{ DOZER(a), .shutdown_ns = TR_INFINITE },
};

static const struct tr_supervisor waiting = { TR_CHILDREN(endless) };

static bool
has_not_ended(struct tr_self *self)
{
	(void)self;
	assert_false(tree.down);
	return true;
}

static void
infinity_waits_and_what_was_sent_before_is_handled(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&waiting, SEEN("+a"), TELL(a, DOZE), DO(one_dozes),
	    TELL(a, COUNT_ONE), DO(stops_it), NAP(20), DO(has_not_ended),
	    DO(all_wake), SEEN("-a"), DO(has_ended));
	assert_int_equal(atomic_load(&a.ones), 1);
}

/* ------------------------------------------------------ the system's stop - */

static bool
stops_the_system(struct tr_self *self)
{
	return tr_system_stop(tr_system_of(self), tr_in(self, TR_MS(20))) ==
	    TR_OK;
}

static const struct tr_child last[] = {
	{ MEMBER(a) },
	{ DOZER(b), .shutdown_ns = TR_INFINITE },
	{ MEMBER(c) },
};

static const struct tr_supervisor lasting = { TR_CHILDREN(last) };

/* In order as far as it comes; behind the deadline all are killed. */
static void
the_systems_deadline_kills_whoever_is_left(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&lasting, SEEN("+a +b +c"), TELL(b, DOZE_ON), DO(one_dozes),
	    DO(stops_the_system));
	assert_int_equal(tree_count("xa"), 1);
	assert_int_equal(tree_count("xb"), 1);
	assert_int_equal(tree.k.report.left, 0);
	/* The supervisor, a and b; others, if they had no time before. */
	assert_true(tree.k.report.killed >= 3);
}

/* --------------------------------------------- an end of another kind ---- */

static const struct tr_child plain[] = {
	{ MEMBER(a) },
	{ DOZER(b) },
	{ MEMBER(c) },
};

static const struct tr_supervisor simply = {
	.name = "simply",
	.intensity = 10,
	TR_CHILDREN(plain),
};

/* b fails before it comes to the STOP. */
static void
who_fails_while_it_is_stopped_does_not_stop_the_others_end(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&simply, SEEN("+a +b +c"), TELL(b, DOZE), DO(one_dozes),
	    TELL(b, CRASH), DO(stops_it), SEEN("-c"), DO(all_wake),
	    SEEN("-b -a"), DO(has_ended));
	assert_int_equal(tree.why.code, TR_SHUTDOWN);
	/* It was its end, or the end before: then nobody restarts it. */
	assert_int_equal(atomic_load(&b.starts), 1);
	assert_true(tree_logged("child b failed while it was stopped: -5"));
}

/* ------------------------------------------------------- a hanging start - */

static const struct tr_child hanging[] = {
	{ MEMBER(a) },
	{ DOZER(b), .shutdown_ns = TR_MS(10) },
	{ MEMBER(c) },
};

static const struct tr_supervisor hangs = {
	.name = "hangs",
	.intensity = 10,
	TR_CHILDREN(hanging),
};

static void
a_stop_is_acted_on_while_a_start_hangs(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&hangs, SEEN("+a +b +c"), HOLD(b), TELL(b, CRASH), SEEN("-b"),
	    BEGUN(b, 2), DO(stops_it), SEEN("-c"), DO(logged_a_kill), LET_GO(b),
	    SEEN("+b xb -a"), DO(has_ended));
	assert_int_equal(tree.why.code, TR_SHUTDOWN);
}

static void
even_while_the_first_start_hangs(void **unused)
{
	(void)unused;
	tree_reset();
	atomic_store(&b.dozes, true);
	PLAY(&hangs, BEGUN(b, 1), DO(stops_it), DO(logged_a_kill), LET_GO(b),
	    SEEN("+a +b xb -a"), DO(has_ended));
	assert_int_equal(tree.why.code, TR_SHUTDOWN);
	assert_int_equal(atomic_load(&c.starts), 0);
}

static void
what_waits_meanwhile_is_answered_by_its_end(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&hangs, SEEN("+a +b +c"), HOLD(b), TELL(b, CRASH), SEEN("-b"),
	    BEGUN(b, 2), START(d), TERMINATE("a"), DO(ask_which), NAP(5),
	    DO(stops_it), DO(logged_a_kill), LET_GO(b), DO(has_ended),
	    DO(answers));
	assert_int_equal(tree.outcome, TR_EDEAD);
	assert_int_equal(tree.info_count, 3);
	assert_int_equal(tree.infos[1].state, TR_CHILD_STARTING);
	assert_int_equal(atomic_load(&d.starts), 0);
}

/* -------------------------------------------------------- killed, orphaned */

static const struct tr_child inner[] = { { MEMBER(b) }, { DOZER(c) } };
static const struct tr_supervisor mid = { TR_CHILDREN(inner) };
static const struct tr_child outer[] = {
	{ MEMBER(a) },
	{ .id = "mid", .supervisor = &mid },
	{ MEMBER(d) },
};
static const struct tr_supervisor nested = { TR_CHILDREN(outer) };

static bool
kills_it(struct tr_self *self)
{
	return tr_kill(self, tree.sup) == TR_OK;
}

static void
who_is_killed_takes_all_along(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&nested, SEEN("+a +b +c +d"), DO(kills_it), DO(has_ended));
	assert_int_equal(tree.why.code, TR_KILLED);
	assert_int_equal(tree_count("xa"), 1);
	assert_int_equal(tree_count("xb"), 1);
	assert_int_equal(tree_count("xc"), 1);
	assert_int_equal(tree_count("xd"), 1);
}

static bool
a_and_b_are_killed(struct tr_self *self)
{
	(void)self;
	return tree_count("xa") == 1 && tree_count("xb") == 1;
}

/* A kill comes through although somebody below takes its time. */
static void
a_kill_overtakes_a_stop(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&nested, SEEN("+a +b +c +d"), TELL(c, DOZE), DO(one_dozes),
	    DO(stops_it), SEEN("-d"), DO(kills_it), DO(a_and_b_are_killed),
	    DO(all_wake), DO(has_ended));
	assert_int_equal(tree.why.code, TR_KILLED);
	assert_int_equal(tree_count("xc"), 1);
}

/* ------------------------------------------------------------ its parent - */

static tr_ref sup_of_parent;
static atomic_bool parent_ready;
static int parent_reason;

static int
parent_start(struct tr_self *self, void *state, const void *arg)
{
	(void)state;
	sup_of_parent = tr_supervisor_spawn(self, arg,
	    &(struct tr_spawn_options){ .link = true });
	atomic_store(&parent_ready, true);
	return TR_OK;
}

static int
parent_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	(void)msg;
	return tr_exit(self, parent_reason);
}

static const struct tr_behavior parent = {
	.start = parent_start,
	.receive = parent_receive,
};

static tr_ref the_parent;

static const struct tr_child orphan[] = { { MEMBER(c) }, { MEMBER(d) } };
static const struct tr_supervisor orphans = { TR_CHILDREN(orphan) };

static bool
has_a_parent(struct tr_self *self)
{
	the_parent = tr_spawn(self, &parent, &orphans, NULL);
	return true;
}

static bool
watches_the_orphans(struct tr_self *self)
{
	if (!atomic_load(&parent_ready))
		return false;
	assert_true(tr_monitor(self, sup_of_parent, OTHER_DOWN, 0) != 0);
	return true;
}

static bool
ends_the_parent(struct tr_self *self)
{
	kit_tell(self, the_parent, QUIT);
	return true;
}

static bool
orphans_have_ended(struct tr_self *self)
{
	(void)self;
	return tree.downs == 1;
}

static const struct tr_supervisor empty = { .name = "empty" };

static void
play_orphans(int reason)
{
	tree_reset();
	atomic_store(&parent_ready, false);
	parent_reason = reason;
	PLAY(&empty, DO(has_a_parent), DO(watches_the_orphans), SEEN("+c +d"),
	    DO(ends_the_parent), SEEN("-d -c"), DO(orphans_have_ended));
	assert_int_equal(tree.other.code, reason);
}

static void
its_parents_end_is_its_own(void **unused)
{
	(void)unused;
	play_orphans(-33);
	play_orphans(TR_SHUTDOWN);
	play_orphans(TR_NORMAL);
}

static int
stranger_start(struct tr_self *self, void *state, const void *arg)
{
	(void)state;
	(void)arg;
	assert_int_equal(tr_link(self, tree.sup), TR_OK);
	(void)tr_exit_other(self, tree.sup, -9);
	kit_tell(self, tree.sup, 12345);
	return tr_exit(self, -8);
}

static const struct tr_behavior stranger = {
	.start = stranger_start,
	.receive = kit_ignore,
};

static bool
a_stranger_comes(struct tr_self *self)
{
	tr_ref s = tr_spawn(self, &stranger, NULL, NULL);

	assert_true(tr_monitor(self, s, OTHER_DOWN, 0) != 0);
	return true;
}

/* What others are linked with it, or signal, does not end it. */
static void
a_strangers_end_is_not(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&simply, SEEN("+a +b +c"), DO(a_stranger_comes),
	    DO(orphans_have_ended), DO(ask_count), DO(answers),
	    DO(has_not_ended));
	assert_int_equal(tree.counts.active, 3);
	assert_int_equal(tree.k.stats.dead[TR_DEAD_UNHANDLED], 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(who_takes_too_long_is_killed),
		KIT_TEST(brutal_kill_does_not_ask),
		KIT_TEST(infinity_waits_and_what_was_sent_before_is_handled),
		KIT_TEST(
		    who_fails_while_it_is_stopped_does_not_stop_the_others_end),
		KIT_TEST(the_systems_deadline_kills_whoever_is_left),
		KIT_TEST(a_stop_is_acted_on_while_a_start_hangs),
		KIT_TEST(even_while_the_first_start_hangs),
		KIT_TEST(what_waits_meanwhile_is_answered_by_its_end),
		KIT_TEST(who_is_killed_takes_all_along),
		KIT_TEST(a_kill_overtakes_a_stop),
		KIT_TEST(its_parents_end_is_its_own),
		KIT_TEST(a_strangers_end_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
