/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * simple_one_for_one: any number of children after one pattern.
 */
#include "rig_tree.h"

static const struct tr_child pattern[] = {
	{ .id = "one", .behavior = &member, .restart = TR_TRANSIENT },
};

static const struct tr_supervisor pool = {
	.name = "pool",
	.strategy = TR_SIMPLE_ONE_FOR_ONE,
	.intensity = 100,
	TR_CHILDREN(pattern),
};

static bool
starts(struct tr_self *self, struct member *m)
{
	return ask_start(self, &(struct tr_child){ .arg = m });
}

static bool
starts_a(struct tr_self *self)
{
	return starts(self, &a);
}

static bool
starts_b(struct tr_self *self)
{
	return starts(self, &b);
}

static bool
terminates_a(struct tr_self *self)
{
	return asked(tr_supervisor_terminate_child(self, tree.sup, NULL,
	    ref_of(&a), tr_forever(), director_answer, 0));
}

static bool
nobody_is_there(struct tr_self *self)
{
	(void)self;
	assert_int_equal(tree.info_count, 0);
	assert_int_equal(tree.counts.specs, 1);
	assert_int_equal(tree.counts.active, 0);
	assert_int_equal(tree.counts.workers, 0);
	return true;
}

static bool
two_are_there(struct tr_self *self)
{
	(void)self;
	assert_int_equal(tree.info_count, 2);
	assert_int_equal(tree.counts.specs, 1);
	assert_int_equal(tree.counts.active, 2);
	assert_int_equal(tree.counts.workers, 2);
	assert_string_equal(tree.infos[0].id, "one");
	assert_string_equal(tree.infos[1].id, "one");
	assert_true(tr_ref_equal(tree.infos[1].ref, ref_of(&b)));
	return true;
}

static void
children_are_started_by_request(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&pool, DO(ask_which), DO(ask_count), DO(answers),
	    DO(nobody_is_there), DO(starts_a), ANSWER(TR_OK), DO(starts_b),
	    ANSWER(TR_OK), SEEN("+a +b"), DO(ask_which), DO(ask_count),
	    DO(answers), DO(two_are_there), TELL(a, CRASH), SEEN("-a +a"),
	    DO(terminates_a), ANSWER(TR_OK), SEEN("-a"), DO(terminates_a),
	    ANSWER(TR_OK), TELL(b, QUIT), SEEN("-b"), GONE("one"),
	    DO(ask_which), DO(ask_count), DO(answers), DO(nobody_is_there));
}

/* --------------------------------------------- told of before it is over - */

static tr_ref leaver;
static atomic_bool leaver_ends, leaver_may_end;

static int
leaver_start(struct tr_self *self, void *state, const void *arg)
{
	(void)state;
	(void)arg;
	return tr_exit(self, TR_SHUTDOWN);
}

static void
leaver_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)self;
	(void)state;
	(void)why;
	atomic_store(&leaver_ends, true);
	while (!atomic_load(&leaver_may_end))
		kit_nap();
}

static int
leaver_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	return tr_unhandled(self, msg);
}

static const struct tr_behavior leaver_behavior = {
	.name = "leaver",
	.start = leaver_start,
	.receive = leaver_receive,
	.stop = leaver_stop,
};

static bool
one_leaves(struct tr_self *self)
{
	atomic_store(&leaver_ends, false);
	atomic_store(&leaver_may_end, false);
	leaver = tr_spawn(self, &leaver_behavior, NULL, &aside);
	return true;
}

static bool
it_is_about_to_end(struct tr_self *self)
{
	(void)self;
	return atomic_load(&leaver_ends);
}

static bool
terminates_it(struct tr_self *self)
{
	return asked(tr_supervisor_terminate_child(self, tree.sup, NULL, leaver,
	    tr_forever(), director_answer, 0));
}

static bool
it_may_end(struct tr_self *self)
{
	(void)self;
	atomic_store(&leaver_may_end, true);
	return true;
}

/* A child's end is told, to its supervisor, too, before its slot is free. */
static void
who_is_about_to_end_is_no_child_any_more(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&pool, DO(one_leaves), DO(it_is_about_to_end), DO(terminates_it),
	    ANSWER(TR_OK), DO(it_may_end));
}

static void
ids_say_nothing(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&pool, DO(starts_a), ANSWER(TR_OK), SEEN("+a"), TERMINATE("one"),
	    ANSWER(TR_EINVAL), RESTART("one"), ANSWER(TR_EINVAL), DELETE("one"),
	    ANSWER(TR_EINVAL));
}

static bool
a_fails(struct tr_self *self)
{
	(void)self;
	atomic_store(&a.fails, 1);
	return true;
}

static bool
a_ignores(struct tr_self *self)
{
	(void)self;
	atomic_store(&a.ignores, true);
	return true;
}

static void
who_does_not_start_is_not_there(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&pool, DO(a_fails), DO(starts_a), ANSWER(-7), SEEN("!a"),
	    DO(a_ignores), DO(starts_a), ANSWER(TR_OK), SEEN("?a"),
	    DO(ask_which), DO(ask_count), DO(answers), DO(nobody_is_there));
}

static bool
a_quits(struct tr_self *self)
{
	(void)self;
	atomic_store(&a.quits, true);
	return true;
}

static bool
a_is_named(struct tr_self *self)
{
	(void)self;
	assert_true(tr_ref_valid(tree.info.ref));
	assert_true(tr_ref_equal(tree.info.ref, ref_of(&a)));
	return true;
}

static void
who_ends_at_once_was_started(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&pool, DO(a_quits), DO(starts_a), ANSWER(TR_OK), SEEN("+a -a"),
	    DO(a_is_named));
}

/* a fails, and does not start again at once. */
static void
a_restart_is_tried_again(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&pool, DO(starts_a), ANSWER(TR_OK), SEEN("+a"), DO(a_fails),
	    TELL(a, CRASH), SEEN("-a !a +a"), DO(terminates_a), ANSWER(TR_OK),
	    SEEN("-a"));
}

/* ------------------------------------------------------------ arguments -- */

struct boxed {
	char text[100];
	struct member *m;
};

static int
boxed_start(struct tr_self *self, void *state, const void *arg)
{
	const struct boxed *s = arg;

	assert_string_equal(s->text, "copied");
	return member_start(self, state, s->m);
}

static const struct tr_behavior boxed = {
	.name = "boxed",
	.state_size = sizeof(struct member_state),
	.arg_size = sizeof(struct boxed),
	.start = boxed_start,
	.receive = member_receive,
	.stop = member_stop,
};

static const struct boxed default_arg = { .text = "copied", .m = &d };

static const struct tr_child boxes[] = {
	{ .id = "box", .behavior = &boxed, .arg = &default_arg },
};

static const struct tr_child brief_boxes[] = {
	{ .id = "box", .behavior = &boxed, .restart = TR_TEMPORARY },
};

static const struct tr_supervisor box_pool = {
	.strategy = TR_SIMPLE_ONE_FOR_ONE,
	.intensity = 10,
	TR_CHILDREN(boxes),
};

static const struct tr_supervisor brief_pool = {
	.strategy = TR_SIMPLE_ONE_FOR_ONE,
	TR_CHILDREN(brief_boxes),
};

static bool
starts_box(struct tr_self *self)
{
	struct boxed arg = { .text = "copied", .m = &a };

	(void)ask_start(self,
	    &(struct tr_child){ .behavior = &boxed, .arg = &arg });
	memset(&arg, 0xa5, sizeof(arg));
	return true;
}

static bool
starts_default_box(struct tr_self *self)
{
	return ask_start(self, &(struct tr_child){ 0 });
}

static bool
starts_pointer(struct tr_self *self)
{
	return ask_start(self, &(struct tr_child){ .arg = &a });
}

static void
arguments_are_copied(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&box_pool, DO(starts_box), ANSWER(TR_OK), SEEN("+a"),
	    TELL(a, CRASH), SEEN("-a +a"), DO(starts_default_box),
	    ANSWER(TR_OK), SEEN("+d"), DO(starts_pointer), ANSWER(TR_EINVAL));
	tree_reset();
	PLAY(&brief_pool, DO(starts_box), ANSWER(TR_OK), SEEN("+a"),
	    TELL(a, CRASH), SEEN("-a"), GONE("box"));
}

/* -------------------------------------------------------- side by side --- */

static const struct tr_child slow[] = {
	{ .id = "slow",
	    .behavior = &member,
	    .options = &aside,
	    .shutdown_ns = TR_MS(20) },
};

static const struct tr_supervisor slow_pool = {
	.name = "slow",
	.strategy = TR_SIMPLE_ONE_FOR_ONE,
	TR_CHILDREN(slow),
};

static bool
stops_it(struct tr_self *self)
{
	return tr_stop(self, tree.sup, tr_forever()) == TR_OK;
}

static bool
logged_a_kill(struct tr_self *self)
{
	(void)self;
	return tree_logged(
	    "supervisor slow: 2 children are killed: they did not end in time");
}

/* Both are on the worker that a holds up; b was told, and would have ended. */
static void
one_deadline_is_for_all(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&slow_pool, DO(starts_a), ANSWER(TR_OK), DO(starts_b),
	    ANSWER(TR_OK), SEEN("+a +b"), TELL(a, DOZE), DO(one_dozes),
	    DO(stops_it), DO(logged_a_kill), DO(all_wake), DO(has_ended));
	assert_int_equal(tree.why.code, TR_SHUTDOWN);
	assert_int_equal(tree_count("xa"), 1);
	assert_int_equal(tree_count("xb"), 1);
}

/* ----------------------------------------------------------------- many -- */

enum { MANY = TEST_SCALE(100000), AT_ONCE = 1000 };

static struct {
	struct kit k;
	tr_ref sup;
	unsigned asked, answered, wrong;
	atomic_uint started, stopped;
	bool mortal; /* they end by themselves */
	bool counted;
	struct tr_child_counts counts;
} many;

static int
mite_start(struct tr_self *self, void *state, const void *arg)
{
	(void)state;
	(void)arg;
	atomic_fetch_add(&many.started, 1);
	return many.mortal ? tr_exit(self, TR_NORMAL) : TR_OK;
}

static void
mite_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)self;
	(void)state;
	(void)why;
	atomic_fetch_add(&many.stopped, 1);
}

static const struct tr_behavior mite = {
	.name = "mite",
	.start = mite_start,
	.receive = kit_ignore,
	.stop = mite_stop,
};

static const struct tr_child mites[] = {
	{ .id = "mite", .behavior = &mite, .restart = TR_TEMPORARY },
};

static const struct tr_supervisor heap = {
	.name = "heap",
	.strategy = TR_SIMPLE_ONE_FOR_ONE,
	TR_CHILDREN(mites),
};

static int
many_counted(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	(void)state;
	(void)cookie;
	assert_int_equal(outcome, TR_OK);
	many.counted = true;
	many.counts = *(
	    const struct tr_child_counts *)tr_data(answer, sizeof(many.counts));
	return kit_finish(self);
}

static int many_started(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie);

static int
many_ask(struct tr_self *self)
{
	while (many.asked < MANY && many.asked - many.answered < AT_ONCE) {
		assert_true(tr_supervisor_start_child(self, many.sup,
				&(struct tr_child){ 0 }, tr_forever(),
				many_started, 0) != 0);
		many.asked++;
	}
	if (many.answered == MANY)
		assert_true(tr_supervisor_count_children(self, many.sup,
				tr_forever(), many_counted, 0) != 0);
	return TR_OK;
}

static int
many_started(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	(void)state;
	(void)cookie;
	many.answered++;
	many.wrong += tr_child_result(outcome, answer, NULL) != TR_OK;
	return many_ask(self);
}

static int
many_start(struct tr_self *self, void *state, const void *arg)
{
	(void)state;
	(void)arg;
	many.sup = tr_supervisor_spawn(self, &heap, NULL);
	assert_true(tr_ref_valid(many.sup));
	return many_ask(self);
}

static const struct tr_behavior many_root = {
	.start = many_start,
	.receive = kit_ignore,
};

static void
play_many(bool mortal)
{
	memset(&many, 0, sizeof(many));
	many.mortal = mortal;
	kit_play(&many.k, 2, &many_root, NULL);
	assert_true(many.counted);
	assert_int_equal(many.wrong, 0);
	assert_int_equal(atomic_load(&many.started), MANY);
	assert_int_equal(atomic_load(&many.stopped), MANY);
	assert_int_equal(many.k.report.killed, 0);
}

static void
a_hundred_thousand_are_stopped_together(void **unused)
{
	(void)unused;
	play_many(false);
	assert_int_equal(many.counts.active, MANY);
}

static void
a_hundred_thousand_come_and_go(void **unused)
{
	(void)unused;
	play_many(true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(children_are_started_by_request),
		KIT_TEST(who_is_about_to_end_is_no_child_any_more),
		KIT_TEST(ids_say_nothing),
		KIT_TEST(who_does_not_start_is_not_there),
		KIT_TEST(who_ends_at_once_was_started),
		KIT_TEST(a_restart_is_tried_again),
		KIT_TEST(arguments_are_copied),
		KIT_TEST(one_deadline_is_for_all),
		KIT_TEST(a_hundred_thousand_are_stopped_together),
		KIT_TEST(a_hundred_thousand_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
