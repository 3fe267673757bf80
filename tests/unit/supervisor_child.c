/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Children that come and go while the supervisor runs.
 */
#include "rig_tree.h"

static const struct tr_child two[] = { { MEMBER(a) }, { DOZER(b) } };

static const struct tr_supervisor top = {
	.name = "top",
	.intensity = 10,
	TR_CHILDREN(two),
};

#define UP SEEN("+a +b")

static void
one_more_is_started_behind_the_others(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&top, UP, START(c), ANSWER(TR_OK), SEEN("+c"), DO(ask_which),
	    DO(answers), TELL(c, CRASH), SEEN("-c +c"));
	assert_int_equal(tree.info_count, 3);
	assert_string_equal(tree.infos[2].id, "c");
	assert_true(tr_ref_equal(tree.infos[2].ref, ref_of(&c)));
	assert_string_equal(tree_notes(), "-c -b -a");
}

static bool
info_is_of_a(struct tr_self *self)
{
	(void)self;
	assert_string_equal(tree.info.id, "a");
	assert_true(tr_ref_equal(tree.info.ref, ref_of(&a)));
	assert_int_equal(tree.info.state, TR_CHILD_RUNNING);
	return true;
}

static bool
info_is_of_a_stopped(struct tr_self *self)
{
	(void)self;
	assert_string_equal(tree.info.id, "a");
	assert_false(tr_ref_valid(tree.info.ref));
	assert_int_equal(tree.info.state, TR_CHILD_STOPPED);
	return true;
}

static void
an_id_is_there_once(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&top, UP, START(a), ANSWER(TR_EEXIST), DO(info_is_of_a),
	    TERMINATE("a"), ANSWER(TR_OK), DO(info_is_of_a_stopped), SEEN("-a"),
	    START(a), ANSWER(TR_EEXIST), DO(info_is_of_a_stopped));
}

static void
terminate_restart_delete(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&top, UP, RESTART("a"), ANSWER(TR_EEXIST), DELETE("a"),
	    ANSWER(TR_EBUSY), TERMINATE("a"), ANSWER(TR_OK), SEEN("-a"),
	    TERMINATE("a"), ANSWER(TR_OK), RESTART("a"), ANSWER(TR_OK),
	    SEEN("+a"), DO(info_is_of_a), TERMINATE("a"), ANSWER(TR_OK),
	    SEEN("-a"), DELETE("a"), ANSWER(TR_OK), DELETE("a"),
	    ANSWER(TR_EDEAD), RESTART("a"), ANSWER(TR_EDEAD), TERMINATE("a"),
	    ANSWER(TR_EDEAD), START(a), ANSWER(TR_OK), SEEN("+a"));
	assert_string_equal(tree_notes(), "-a -b");
	assert_int_equal(tree.k.stats.restarted, 0);
}

static bool
c_fails(struct tr_self *self)
{
	(void)self;
	atomic_store(&c.fails, 1);
	return true;
}

static bool
c_ignores(struct tr_self *self)
{
	(void)self;
	atomic_store(&c.ignores, true);
	return true;
}

static void
a_start_that_fails_adds_nothing(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&top, UP, DO(c_fails), START(c), ANSWER(-7), SEEN("!c"),
	    DO(ask_count), DO(answers), START(c), ANSWER(TR_OK), SEEN("+c"));
	assert_int_equal(tree.counts.specs, 2);
	assert_int_equal(tree.info.state, TR_CHILD_RUNNING);
}

static void
who_ignores_its_start_is_there_and_stopped(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&top, UP, DO(c_ignores), START(c), ANSWER(TR_OK), SEEN("?c"),
	    DO(ask_count), DO(answers));
	assert_int_equal(tree.info.state, TR_CHILD_STOPPED);
	assert_int_equal(tree.counts.specs, 3);
	assert_int_equal(tree.counts.active, 2);
}

static bool
starts_temporary_c(struct tr_self *self)
{
	return ask_start(self,
	    &(struct tr_child){
		MEMBER(c),
		.restart = TR_TEMPORARY,
	    });
}

static void
a_temporary_one_is_forgotten(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&top, UP, DO(starts_temporary_c), ANSWER(TR_OK), SEEN("+c"),
	    TERMINATE("c"), ANSWER(TR_OK), SEEN("-c"), RESTART("c"),
	    ANSWER(TR_EDEAD), DO(starts_temporary_c), ANSWER(TR_OK), SEEN("+c"),
	    TELL(c, QUIT), SEEN("-c"), GONE("c"), DO(starts_temporary_c),
	    ANSWER(TR_OK), SEEN("+c"));
}

static bool
terminates_by_ref(struct tr_self *self)
{
	return asked(tr_supervisor_terminate_child(self, tree.sup, NULL,
	    ref_of(&b), tr_forever(), director_answer, 0));
}

static bool
terminates_a_stranger(struct tr_self *self)
{
	return asked(tr_supervisor_terminate_child(self, tree.sup, NULL,
	    tr_self_ref(self), tr_forever(), director_answer, 0));
}

static void
a_child_can_be_meant_by_its_ref(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&top, UP, DO(terminates_a_stranger), ANSWER(TR_EDEAD),
	    DO(terminates_by_ref), ANSWER(TR_OK), SEEN("-b"));
}

/* ------------------------------------------------------------ arguments -- */

struct sized {
	char text[200];
	struct member *m;
};

static int
sized_start(struct tr_self *self, void *state, const void *arg)
{
	const struct sized *s = arg;

	assert_string_equal(s->text, "copied");
	return member_start(self, state, s->m);
}

static const struct tr_behavior sized = {
	.name = "sized",
	.state_size = sizeof(struct member_state),
	.arg_size = sizeof(struct sized),
	.start = sized_start,
	.receive = member_receive,
	.stop = member_stop,
};

/* All of it is gone when it starts again. */
static bool
starts_with_copies(struct tr_self *self)
{
	struct sized arg = { .text = "copied", .m = &c };
	char id[] = "copy", name[] = "name";
	struct tr_spawn_options options = {
		.placement = TR_PLACE_WORKER,
		.worker = 1,
	};
	struct tr_child child = {
		.id = id,
		.behavior = &sized,
		.arg = &arg,
		.name = name,
		.options = &options,
	};

	(void)ask_start(self, &child);
	memset(&arg, 0xa5, sizeof(arg));
	memset(id, 'z', 4);
	memset(name, 'z', 4);
	memset(&options, 0xa5, sizeof(options));
	return true;
}

static bool
has_its_name(struct tr_self *self)
{
	assert_true(
	    tr_ref_equal(tr_whereis(tr_system_of(self), "name"), ref_of(&c)));
	return true;
}

static void
what_describes_a_child_is_copied(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&top, UP, DO(starts_with_copies), ANSWER(TR_OK), SEEN("+c"),
	    DO(has_its_name), TELL(c, CRASH), SEEN("-c +c"), DO(has_its_name),
	    TERMINATE("copy"), ANSWER(TR_OK), SEEN("-c"), RESTART("copy"),
	    ANSWER(TR_OK), SEEN("+c"), DO(has_its_name), TERMINATE("copy"),
	    ANSWER(TR_OK), SEEN("-c"), DELETE("copy"), ANSWER(TR_OK));
}

/* A description of a whole tree. */
static const struct tr_child under[] = { { MEMBER(c) }, { MEMBER(d) } };
static const struct tr_supervisor branch = { TR_CHILDREN(under) };

static bool
starts_a_branch(struct tr_self *self)
{
	return ask_start(self,
	    &(struct tr_child){ .id = "branch", .supervisor = &branch });
}

static void
a_branch_can_be_added(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&top, UP, DO(starts_a_branch), ANSWER(TR_OK), SEEN("+c +d"),
	    TERMINATE("branch"), ANSWER(TR_OK), SEEN("-d -c"));
}

/* --------------------------------------------------------- what is wrong -- */

static int
no_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	(void)self;
	(void)state;
	(void)outcome;
	(void)answer;
	(void)cookie;
	fail_msg("it was asked");
	return TR_OK;
}

static bool
refuses(struct tr_self *self, const struct tr_child *child)
{
	return tr_supervisor_start_child(self, tree.sup, child, tr_forever(),
		   no_answer, 0) == 0;
}

static bool
asks_nonsense(struct tr_self *self)
{
	const char long_id[] =
	    "an-id-of-48-bytes-is-one-byte-too-long----------";

	assert_int_equal(strlen(long_id), TR_CHILD_ID_MAX + 1);
	assert_true(refuses(self, &(struct tr_child){ .id = "x" }));
	assert_true(
	    refuses(self, &(struct tr_child){ .id = "", .behavior = &member }));
	assert_true(refuses(self,
	    &(struct tr_child){ .id = long_id, .behavior = &member }));
	assert_true(refuses(self,
	    &(struct tr_child){
		.id = "x",
		.behavior = &member,
		.significant = true,
	    }));
	assert_true(tr_supervisor_terminate_child(self, tree.sup, long_id,
			TR_REF_NONE, tr_forever(), no_answer, 0) == 0);
	assert_true(tr_supervisor_restart_child(self, tree.sup, "",
			tr_forever(), no_answer, 0) == 0);
	assert_true(tr_supervisor_delete_child(self, tree.sup, NULL,
			tr_forever(), no_answer, 0) == 0);
	return true;
}

static bool
starts_a_significant_one(struct tr_self *self)
{
	return ask_start(self,
	    &(struct tr_child){
		MEMBER(c),
		.restart = TR_TRANSIENT,
		.significant = true,
	    });
}

static bool
starts_without_an_id(struct tr_self *self)
{
	return ask_start(self,
	    &(struct tr_child){ .behavior = &member, .arg = &c });
}

static void
what_is_wrong_is_refused(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&top, UP, DO(asks_nonsense), DO(starts_a_significant_one),
	    ANSWER(TR_EINVAL), DO(starts_without_an_id), ANSWER(TR_EINVAL));
	assert_int_equal(atomic_load(&c.starts), 0);
}

/* ------------------------------------------------ one thing at a time ---- */

static bool
starts_dozing_c(struct tr_self *self)
{
	return ask_start(self, &(struct tr_child){ DOZER(c) });
}

static bool
which_was_answered_alone(struct tr_self *self)
{
	(void)self;
	if (tree.asked - tree.answered == 4)
		return false;
	assert_int_equal(tree.asked - tree.answered, 3);
	assert_int_equal(tree.info_count, 3);
	assert_int_equal(tree.infos[2].state, TR_CHILD_STARTING);
	atomic_store(&c.dozes, false);
	return true;
}

/* The end of a, and the requests, wait until c has started; a look does not. */
static void
what_comes_meanwhile_waits_its_turn(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&top, UP, HOLD(c), DO(starts_dozing_c), BEGUN(c, 1),
	    TELL(a, CRASH), SEEN("-a"), STATE("a", TR_CHILD_RESTARTING),
	    START(d), TERMINATE("d"), DO(ask_which),
	    DO(which_was_answered_alone), DO(answers), SEEN("+c +a +d -d"));
}

static bool
starts_transient_d(struct tr_self *self)
{
	return ask_start(self,
	    &(struct tr_child){ MEMBER(d), .restart = TR_TRANSIENT });
}

/* When it was asked for, d ran; when its turn comes, d has ended, but nobody
 * has looked at that end yet. */
static void
who_has_just_ended_still_counts_as_running(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&top, UP, DO(starts_transient_d), ANSWER(TR_OK), SEEN("+d"),
	    HOLD(c), DO(starts_dozing_c), BEGUN(c, 1), RESTART("d"),
	    TELL(d, QUIT), SEEN("-d"), STATE("d", TR_CHILD_STOPPED), LET_GO(c),
	    ANSWER(TR_EEXIST), SEEN("+c"), RESTART("d"), ANSWER(TR_OK),
	    SEEN("+d"));
}

static tr_ask_id to_cancel;

static bool
asks_and_cancels(struct tr_self *self)
{
	to_cancel = tr_supervisor_start_child(self, tree.sup,
	    &(struct tr_child){ MEMBER(d) }, tr_forever(), director_answer, 0);
	(void)asked(to_cancel);
	assert_int_equal(tr_cancel(self, to_cancel), TR_OK);
	return true;
}

static bool
was_cancelled(struct tr_self *self)
{
	(void)self;
	if (tree.answered == 0)
		return false;
	assert_int_equal(tree.outcome, TR_ECANCELED);
	atomic_store(&c.dozes, false);
	return true;
}

static void
a_request_that_nobody_waits_for_is_not_begun(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&top, UP, HOLD(c), DO(starts_dozing_c), BEGUN(c, 1),
	    DO(asks_and_cancels), DO(was_cancelled), DO(answers), DO(ask_count),
	    DO(answers));
	assert_int_equal(atomic_load(&d.starts), 0);
	assert_int_equal(tree.counts.specs, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(one_more_is_started_behind_the_others),
		KIT_TEST(an_id_is_there_once),
		KIT_TEST(terminate_restart_delete),
		KIT_TEST(a_start_that_fails_adds_nothing),
		KIT_TEST(who_ignores_its_start_is_there_and_stopped),
		KIT_TEST(a_temporary_one_is_forgotten),
		KIT_TEST(a_child_can_be_meant_by_its_ref),
		KIT_TEST(what_describes_a_child_is_copied),
		KIT_TEST(a_branch_can_be_added),
		KIT_TEST(what_is_wrong_is_refused),
		KIT_TEST(what_comes_meanwhile_waits_its_turn),
		KIT_TEST(who_has_just_ended_still_counts_as_running),
		KIT_TEST(a_request_that_nobody_waits_for_is_not_begun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
