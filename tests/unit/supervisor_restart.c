/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is restarted when a child fails; and that it is the same actor.
 */
#include "rig_tree.h"

static const struct tr_child four[] = {
	{ MEMBER(a) },
	{ MEMBER(b) },
	{ MEMBER(c) },
	{ MEMBER(d) },
};

static const struct tr_supervisor one_for_one = {
	.name = "one",
	.intensity = 10,
	TR_CHILDREN(four),
};

static const struct tr_supervisor one_for_all = {
	.strategy = TR_ONE_FOR_ALL,
	.intensity = 10,
	TR_CHILDREN(four),
};

static const struct tr_supervisor rest_for_one = {
	.strategy = TR_REST_FOR_ONE,
	.intensity = 10,
	TR_CHILDREN(four),
};

static tr_ref before[4];

static bool
remembers(struct tr_self *self)
{
	(void)self;
	before[0] = ref_of(&a);
	before[1] = ref_of(&b);
	before[2] = ref_of(&c);
	before[3] = ref_of(&d);
	return true;
}

static bool
all_are_the_same(struct tr_self *self)
{
	(void)self;
	assert_true(tr_ref_equal(before[0], ref_of(&a)));
	assert_true(tr_ref_equal(before[1], ref_of(&b)));
	assert_true(tr_ref_equal(before[2], ref_of(&c)));
	assert_true(tr_ref_equal(before[3], ref_of(&d)));
	return true;
}

#define UP SEEN("+a +b +c +d"), DO(remembers)

static void
one_for_one_leaves_siblings_alone(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&one_for_one, UP, TELL(b, CRASH), SEEN("-b +b"), TELL(b, QUIT),
	    SEEN("-b +b"), DO(ask_which), DO(answers), DO(all_are_the_same));
	assert_int_equal(tree.infos[1].restarts, 2);
	assert_int_equal(tree.infos[1].last.code, TR_NORMAL);
	assert_int_equal(tree.infos[0].restarts, 0);
	assert_string_equal(tree_notes(), "-d -c -b -a");
	assert_true(tree_logged("supervisor one: child b: -5"));
}

static void
one_for_all_stops_all_in_reverse_and_starts_all(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&one_for_all, UP, TELL(b, CRASH), SEEN("-b -d -c -a +a +b +c +d"),
	    DO(all_are_the_same), TELL(d, CRASH),
	    SEEN("-d -c -b -a +a +b +c +d"), DO(all_are_the_same));
}

static void
rest_for_one_restarts_those_behind(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&rest_for_one, UP, TELL(b, CRASH), SEEN("-b -d -c +b +c +d"),
	    DO(all_are_the_same), TELL(d, CRASH), SEEN("-d +d"));
}

/* -------------------------------------------------------- restart types -- */

static const struct tr_child types[] = {
	{ MEMBER(a) },
	{ MEMBER(b), .restart = TR_TRANSIENT },
	{ MEMBER(c), .restart = TR_TEMPORARY },
};

static const struct tr_supervisor typed = {
	.intensity = 10,
	TR_CHILDREN(types),
};

static void
types_say_after_which_ends(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&typed, SEEN("+a +b +c"), TELL(a, QUIT), SEEN("-a +a"),
	    TELL(a, LEAVE), SEEN("-a +a"), TELL(b, CRASH), SEEN("-b +b"),
	    TELL(b, QUIT), SEEN("-b"), TELL(c, CRASH), SEEN("-c"), GONE("c"),
	    DO(ask_which), DO(answers), DO(ask_count), DO(answers));
	assert_int_equal(tree.info_count, 2);
	assert_int_equal(tree.infos[1].state, TR_CHILD_STOPPED);
	assert_int_equal(tree.infos[1].last.code, TR_NORMAL);
	assert_int_equal(tree.counts.specs, 2);
	assert_int_equal(tree.counts.active, 1);
	assert_string_equal(tree_notes(), "-a");
}

static const struct tr_supervisor typed_all = {
	.strategy = TR_ONE_FOR_ALL,
	.intensity = 10,
	TR_CHILDREN(types),
};

/* As Erlang does: the temporary sibling is gone, and a transient one that had
 * ended is started with the others. */
static void
siblings_of_other_types(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&typed_all, SEEN("+a +b +c"), TELL(a, CRASH),
	    SEEN("-a -c -b +a +b"), TELL(b, QUIT), SEEN("-b"), TELL(a, CRASH),
	    SEEN("-a +a +b"), DO(ask_which), DO(answers));
	assert_int_equal(tree.info_count, 2);
	assert_int_equal(tree.infos[1].state, TR_CHILD_RUNNING);
}

/* ------------------------------------------------------------ the mailbox - */

static bool
fills_a(struct tr_self *self)
{
	tell(self, &a, DOZE);
	tell(self, &a, CRASH);
	for (int i = 0; i < 5; i++)
		tell(self, &a, COUNT_ONE);
	atomic_store(&tree.awake, true);
	return true;
}

static bool
five_are_counted(struct tr_self *self)
{
	(void)self;
	return atomic_load(&a.ones) == 5;
}

static bool
has_name(struct tr_self *self)
{
	assert_true(
	    tr_ref_equal(tr_whereis(tr_system_of(self), "ann"), ref_of(&a)));
	return true;
}

static const struct tr_child keeper[] = {
	{ DOZER(a), .name = "ann" },
	{ DOZER(b), .drop_mailbox = true },
};

static const struct tr_supervisor keeping = {
	.intensity = 10,
	TR_CHILDREN(keeper),
};

static void
names_and_waiting_messages_stay(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&keeping, SEEN("+a +b"), DO(has_name), DO(fills_a), SEEN("-a +a"),
	    DO(five_are_counted), DO(has_name));
	assert_int_equal(kit_letters(&tree.k, TR_DEAD_FAILED, CRASH), 1);
	assert_int_equal(kit_letters_of(&tree.k, COUNT_ONE), 0);
}

static bool
fills_b(struct tr_self *self)
{
	tell(self, &b, DOZE);
	tell(self, &b, CRASH);
	for (int i = 0; i < 5; i++)
		tell(self, &b, COUNT_ONE);
	atomic_store(&tree.awake, true);
	return true;
}

static void
a_mailbox_can_be_dropped(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&keeping, SEEN("+a +b"), DO(fills_b), SEEN("-b +b"));
	assert_int_equal(kit_letters(&tree.k, TR_DEAD_CLOSED, COUNT_ONE), 5);
	assert_int_equal(atomic_load(&b.ones), 0);
}

/* ------------------------------------------------------------- intensity - */

static const struct tr_supervisor twice = {
	.intensity = 2,
	.period_ns = TR_SECONDS(600),
	TR_CHILDREN(four),
};

static void
one_restart_too_many_ends_it(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&twice, UP, TELL(b, CRASH), SEEN("-b +b"), TELL(a, CRASH),
	    SEEN("-a +a"), TELL(c, CRASH), SEEN("-c -d -b -a"), DO(has_ended));
	assert_int_equal(tree.why.code, TR_SHUTDOWN);
	assert_string_equal(tree.why.text, "too many restarts");
	assert_true(tree_logged("gives up"));
}

static const struct tr_supervisor never = {
	.intensity = TR_NO_RESTARTS,
	TR_CHILDREN(four),
};

static void
no_restarts_means_none(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&never, UP, TELL(d, CRASH), SEEN("-d -c -b -a"), DO(has_ended));
	assert_int_equal(tree.why.code, TR_SHUTDOWN);
}

static const struct tr_supervisor brief = {
	.intensity = 1,
	.period_ns = TR_MS(20),
	TR_CHILDREN(four),
};

static void
what_is_older_than_the_period_does_not_count(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&brief, UP, TELL(b, CRASH), SEEN("-b +b"), NAP(40), TELL(b, CRASH),
	    SEEN("-b +b"), NAP(40), TELL(b, CRASH), SEEN("-b +b"));
	assert_false(tree.down);
}

/* ------------------------------------------------------------ escalation - */

static const struct tr_child inner[] = { { MEMBER(b) }, { MEMBER(c) } };
static const struct tr_supervisor mid = {
	.name = "mid",
	.intensity = 1,
	.period_ns = TR_SECONDS(600),
	TR_CHILDREN(inner),
};
static const struct tr_child outer[] = {
	{ MEMBER(a) },
	{ .id = "mid", .supervisor = &mid, .name = "middle" },
	{ MEMBER(d) },
};
static const struct tr_supervisor nested = {
	.intensity = 1,
	.period_ns = TR_SECONDS(600),
	TR_CHILDREN(outer),
};

/* Two lives of one failure each, and in each the last one too many. */
static void
a_supervisor_that_gives_up_is_restarted_by_its_own(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&nested, SEEN("+a +b +c +d"), TELL(b, CRASH), SEEN("-b +b"),
	    TELL(b, CRASH), SEEN("-b -c +b +c"), TELL(c, CRASH), SEEN("-c +c"),
	    TELL(c, CRASH), SEEN("-c -b -d -a"), DO(has_ended));
	assert_int_equal(tree.why.code, TR_SHUTDOWN);
	assert_true(tree_logged("child mid: -10001"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(one_for_one_leaves_siblings_alone),
		KIT_TEST(one_for_all_stops_all_in_reverse_and_starts_all),
		KIT_TEST(rest_for_one_restarts_those_behind),
		KIT_TEST(types_say_after_which_ends),
		KIT_TEST(siblings_of_other_types),
		KIT_TEST(names_and_waiting_messages_stay),
		KIT_TEST(a_mailbox_can_be_dropped),
		KIT_TEST(one_restart_too_many_ends_it),
		KIT_TEST(no_restarts_means_none),
		KIT_TEST(what_is_older_than_the_period_does_not_count),
		KIT_TEST(a_supervisor_that_gives_up_is_restarted_by_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
