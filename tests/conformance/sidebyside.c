/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What row S7 says that a script cannot show: the children of a
 * simple_one_for_one supervisor are all told to stop before the first of them
 * has ended, and one deadline is for all of them.
 */
#include "rig_tree.h"

enum { KIDS = 3, PATIENCE = 20000 /* naps */ };

static bool
stops_it(struct tr_self *self)
{
	return tr_stop(self, tree.sup, tr_forever()) == TR_OK;
}

/* --------------------------------------------------------- side by side -- */

static struct {
	atomic_uint there; /* in stop() by now */
	atomic_uint met; /* who have seen all others there */
} meeting;

/* None of them ends before all are about to. */
static void
guest_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	unsigned n;

	(void)self;
	(void)state;
	(void)why;
	atomic_fetch_add(&meeting.there, 1);
	for (n = 0; n < PATIENCE && atomic_load(&meeting.there) < KIDS; n++)
		kit_nap();
	if (atomic_load(&meeting.there) == KIDS)
		atomic_fetch_add(&meeting.met, 1);
}

static const struct tr_behavior guest = {
	.name = "guest",
	.receive = kit_ignore,
	.stop = guest_stop,
};

static const struct tr_child guests[] = {
	{ .id = "guest", .behavior = &guest, .shutdown_ns = TR_SECONDS(600) },
};

static const struct tr_supervisor party = {
	.name = "party",
	.strategy = TR_SIMPLE_ONE_FOR_ONE,
	TR_CHILDREN(guests),
};

static bool
invites(struct tr_self *self)
{
	return ask_start(self, &(struct tr_child){ .arg = NULL });
}

static void
S7_they_stop_side_by_side(void **unused)
{
	const struct step script[] = {
		DO(invites),
		ANSWER(TR_OK),
		DO(invites),
		ANSWER(TR_OK),
		DO(invites),
		ANSWER(TR_OK),
		DO(stops_it),
		DO(has_ended),
		{ .plain = NULL },
	};

	(void)unused;
	tree_reset();
	/* Each of them holds up a worker, and one is the director's. */
	tree_play_on(KIDS + 1, &party, script);
	assert_int_equal(atomic_load(&meeting.met), KIDS);
	assert_int_equal(tree.why.code, TR_SHUTDOWN);
}

/* --------------------------------------------------------- one deadline -- */

static const struct tr_child slow[] = {
	{ .id = "slow",
	    .behavior = &member,
	    .options = &aside,
	    .shutdown_ns = TR_MS(100) },
};

static const struct tr_supervisor slow_pool = {
	.name = "slow",
	.strategy = TR_SIMPLE_ONE_FOR_ONE,
	TR_CHILDREN(slow),
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
starts_c(struct tr_self *self)
{
	return starts(self, &c);
}

static bool
logged_their_kill(struct tr_self *self)
{
	(void)self;
	return tree_logged(
	    "supervisor slow: 3 children are killed: they did not end in time");
}

/* All are on one worker, which the first one told holds up; with a deadline of
 * its own each of the others would have had time. */
static void
S7_one_deadline_is_for_all(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY(&slow_pool, DO(starts_a), ANSWER(TR_OK), DO(starts_b),
	    ANSWER(TR_OK), DO(starts_c), ANSWER(TR_OK), SEEN("+a +b +c"),
	    TELL(a, DOZE), DO(one_dozes), DO(stops_it), DO(logged_their_kill),
	    DO(all_wake), DO(has_ended));
	assert_int_equal(tree_count("xa"), 1);
	assert_int_equal(tree_count("xb"), 1);
	assert_int_equal(tree_count("xc"), 1);
	assert_int_equal(tree.why.code, TR_SHUTDOWN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(S7_they_stop_side_by_side),
		KIT_TEST(S7_one_deadline_is_for_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
