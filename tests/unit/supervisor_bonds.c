/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Monitors and links with an actor that lives more than once: what belongs to
 * which of its lives.
 */
#include "kit.h"

#include <troupe/supervisor.h>

enum { CRASH = 1, DOWN, EXIT, FLEE, MEET, CLING, AGAIN, END };

/* Of the last test. */
static struct flight {
	const char *name;
	tr_ref child, friend;
	bool clings; /* it is the child that links at last */
	unsigned downs;
	int why;
} flight;

static int
mortal_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	switch (tr_tag(msg)) {
	case CRASH: return tr_fail(self, -7, "told to");
	case FLEE:
		/* Comes back just before the UNLINK does. */
		if (!flight.clings)
			kit_tell(self, flight.friend, CRASH);
		assert_int_equal(tr_link(self, flight.friend), TR_OK);
		assert_int_equal(tr_unlink(self, flight.friend), TR_OK);
		return flight.clings ? tr_fail(self, -7, "told to") : TR_OK;
	case CLING:
		assert_int_equal(tr_link(self, flight.friend), TR_OK);
		kit_tell(self, flight.friend, END);
		break;
	default: break;
	}
	return TR_OK;
}

static const struct tr_behavior mortal = {
	.name = "mortal",
	.receive = mortal_receive,
};

static const struct tr_child children[] = {
	{ .id = "mortal", .behavior = &mortal, .name = "mortal" },
	{ .id = "forgetful",
	    .behavior = &mortal,
	    .name = "forgetful",
	    .drop_mailbox = true },
};

static const struct tr_supervisor tree = {
	.name = "tree",
	.intensity = 10,
	TR_CHILDREN(children),
};

struct friend
{
	const char *name; /* the child that it is a friend of */
	tr_ref child;
	unsigned downs, exits;
	int why[4];
};

/* The child is up. */
static int
on_up(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct friend *f = kit_ctx(state);

	(void)answer;
	(void)cookie;
	assert_int_equal(outcome, TR_OK);
	f->child = tr_whereis(tr_system_of(self), f->name);
	assert_true(tr_ref_valid(f->child));
	(void)tr_trap_exit(self, true, EXIT);
	assert_int_equal(tr_link(self, f->child), TR_OK);
	assert_true(tr_monitor(self, f->child, DOWN, 0) != 0);
	return tr_send(self, f->child, CRASH, NULL, 0);
}

static int
friend_start(struct tr_self *self, void *state, const void *arg)
{
	tr_ref top;

	(void)kit_start_ctx(self, state, arg);
	top = tr_supervisor_spawn(self, &tree, NULL);
	assert_true(tr_ref_valid(top));
	assert_true(tr_supervisor_count_children(self, top, tr_forever(), on_up,
			0) != 0);
	return TR_OK;
}

/*
 * The EXIT of the first life comes behind its DOWN.  By then there is another
 * link, with the next life, and only that one's EXIT is seen.
 */
static int
friend_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct friend *f = kit_ctx(state);
	const struct tr_exit_signal *exit;

	if (tr_tag(msg) == DOWN) {
		if (f->downs++ > 0)
			return TR_OK;
		(void)tr_unlink(self, f->child);
		assert_int_equal(tr_link(self, f->child), TR_OK);
		assert_true(tr_monitor(self, f->child, DOWN, 0) != 0);
		return tr_send(self, f->child, CRASH, NULL, 0);
	}
	exit = tr_data(msg, sizeof(*exit));
	assert_non_null(exit);
	/* Both lives have ended: behind the second DOWN. */
	assert_int_equal(f->downs, 2);
	f->why[f->exits++] = exit->reason.code;
	return kit_finish(self);
}

static const struct tr_behavior friend_behavior = {
	.name = "friend",
	.state_size = sizeof(void *),
	.start = friend_start,
	.receive = friend_receive,
};

static void
an_exit_is_of_the_life_that_was_linked(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct friend f = { .name = "mortal" };

		kit_play(&k, workers, &friend_behavior, &f);
		assert_int_equal(f.downs, 2);
		assert_int_equal(f.exits, 1);
		assert_int_equal(f.why[0], -7);
	}
}

/* ----------------------------------------------- with the mailbox dropped - */

/* The first CRASH ends it; what is behind goes, but for who wants to know. */
static int
on_up_again(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct friend *f = kit_ctx(state);

	(void)answer;
	(void)cookie;
	assert_int_equal(outcome, TR_OK);
	f->child = tr_whereis(tr_system_of(self), f->name);
	(void)tr_trap_exit(self, true, EXIT);
	(void)tr_send(self, f->child, CRASH, NULL, 0);
	assert_true(tr_monitor(self, f->child, DOWN, 0) != 0);
	return tr_link(self, f->child);
}

static int
late_start(struct tr_self *self, void *state, const void *arg)
{
	tr_ref top;

	(void)kit_start_ctx(self, state, arg);
	top = tr_supervisor_spawn(self, &tree, NULL);
	assert_true(tr_supervisor_count_children(self, top, tr_forever(),
			on_up_again, 0) != 0);
	return TR_OK;
}

/* On one worker both requests are in the mailbox when it fails; on several they
 * may come to the next life, which is made to end too. */
static int
late_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct friend *f = kit_ctx(state);
	const struct tr_down *down;

	if (tr_tag(msg) == DOWN) {
		down = tr_data(msg, sizeof(*down));
		f->why[f->downs++] = down->reason.code;
	} else {
		f->exits++;
	}
	return f->downs == 1 && f->exits == 1 ? kit_finish(self) : TR_OK;
}

static const struct tr_behavior late_behavior = {
	.name = "late",
	.state_size = sizeof(void *),
	.start = late_start,
	.receive = late_receive,
};

static void
a_request_in_a_dropped_mailbox_hears_of_that_end(void **unused)
{
	struct friend f = { .name = "forgetful" };
	struct kit k;

	(void)unused;
	kit_play(&k, 1, &late_behavior, &f);
	assert_int_equal(f.downs, 1);
	assert_int_equal(f.why[0], -7);
	assert_int_equal(f.exits, 1);
}

/* ------------------------------------- undone in one life, linked in the next */

static int
companion_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	if (tr_tag(msg) == MEET)
		assert_int_equal(tr_link(self, flight.child), TR_OK);
	if (tr_tag(msg) == CRASH)
		kit_tell(self, flight.child, CRASH);
	return tr_tag(msg) == END ? tr_fail(self, -5, "told to") : TR_OK;
}

static const struct tr_behavior companion = {
	.name = "companion",
	.receive = companion_receive,
};

/* Each links with the other before it knows that the other has. */
static int
on_both_up(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	(void)state;
	(void)answer;
	(void)cookie;
	assert_int_equal(outcome, TR_OK);
	flight.child = tr_whereis(tr_system_of(self), flight.name);
	flight.friend = tr_spawn(self, &companion, NULL, NULL);
	assert_true(tr_ref_valid(flight.child));
	assert_true(tr_ref_valid(flight.friend));
	if (flight.clings)
		kit_tell(self, flight.friend, MEET);
	kit_tell(self, flight.child, FLEE);
	/* The next life is up by then. */
	return tr_after(self, TR_MS(20), AGAIN, 0) != 0 ? TR_OK : TR_ENOMEM;
}

static int
watcher_start(struct tr_self *self, void *state, const void *arg)
{
	tr_ref top = tr_supervisor_spawn(self, &tree, NULL);

	(void)state;
	(void)arg;
	assert_true(tr_supervisor_count_children(self, top, tr_forever(),
			on_both_up, 0) != 0);
	return TR_OK;
}

static int
watcher_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const struct tr_down *down;

	(void)state;
	switch (tr_tag(msg)) {
	case AGAIN:
		assert_true(tr_monitor(self, flight.child, DOWN, 0) != 0);
		if (flight.clings) {
			kit_tell(self, flight.child, CLING);
		} else {
			kit_tell(self, flight.friend, MEET);
			kit_tell(self, flight.friend, END);
		}
		assert_true(tr_after(self, TR_MS(100), END, 0) != 0);
		break;
	case DOWN:
		down = tr_data(msg, sizeof(*down));
		flight.why = down->reason.code;
		flight.downs++;
		break;
	case END: return kit_finish(self);
	default: break;
	}
	return TR_OK;
}

static const struct tr_behavior watcher = {
	.name = "watcher",
	.start = watcher_start,
	.receive = watcher_receive,
};

static void
what_one_life_undid_the_next_knows(void **unused)
{
	struct kit k;

	(void)unused;
	for (int forgets = 0; forgets < 2; forgets++)
		for (int clings = 0; clings < 2; clings++) {
			flight = (struct flight){
				.name = forgets ? "forgetful" : "mortal",
				.clings = clings,
			};
			kit_play(&k, 1, &watcher, NULL);
			assert_int_equal(flight.downs, 1);
			assert_int_equal(flight.why, -5);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(an_exit_is_of_the_life_that_was_linked),
		KIT_TEST(a_request_in_a_dropped_mailbox_hears_of_that_end),
		KIT_TEST(what_one_life_undid_the_next_knows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
