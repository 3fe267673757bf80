/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tr_stash_all(): an actor that waits for an answer and handles nothing else
 * meanwhile, whatever its mailbox is like; and who may not put more aside than the
 * message in hand.
 */
#include "kit.h"

#include "actors/system.h"

enum { KNOCK = 1, ASKED, BELL, REST, LIMIT = 65536, KNOCKS = 500 };

struct desk {
	struct kit k;
	struct tr_spawn_options how; /* the desk's */
	bool spread; /* each knock comes from a handler of its own */
	bool lists; /* no bursts, no packs */
	tr_ref desk, friend;
	uint64_t sent, handled, answers, meanwhile;
	bool waits, in_order;
	uint64_t stashed, failures, wrong;
};

/* What is pending for the desk is as long as it says: between two turns of its, so
 * in one of the same worker, and where there are no bursts. */
static void
count_pending(struct desk *d)
{
	const struct tr_self *self = tri_cell_find(d->k.sys, d->desk);
	uint32_t n = 0;

	for (const struct tr_msg *m = self->pending; m != NULL; m = m->link)
		n++;
	d->wrong += tri_load_relaxed(&self->taken) != n;
}

static const struct tr_behavior open_desk, waiting_desk;

/* -------------------------------------------------------------- desk ---- */

static int
desk_answered(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct desk *d = kit_ctx(state);

	(void)answer;
	(void)cookie;
	d->failures += outcome != TR_OK;
	d->waits = false;
	if (tr_become(self, &open_desk) != TR_OK)
		return TR_EINVAL;
	return d->handled == KNOCKS ? kit_finish(self) : tr_unstash_n(self, 1);
}

static int
desk_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct desk *d = kit_ctx(state);

	d->meanwhile += d->waits;
	if (tr_tag(msg) == BELL)
		return tr_unstash_n(self, 1);
	d->in_order = d->in_order && kit_u64(msg) == d->handled;
	d->handled++;
	if (tr_tag(msg) == ASKED)
		(void)tr_reply(self, msg, ASKED, NULL, 0);
	d->waits = true;
	return tr_ask(self, d->friend, KNOCK, NULL, 0, tr_forever(),
		   desk_answered, 0) != 0 ?
	    tr_become(self, &waiting_desk) :
	    TR_ENOMEM;
}

static int
desk_start(struct tr_self *self, void *state, const void *arg)
{
	(void)kit_start_ctx(self, state, arg);
	return tr_every(self, TR_MS(1), BELL, 0) != 0 ? TR_OK : TR_ENOMEM;
}

static const struct tr_behavior open_desk = {
	.name = "open desk",
	.state_size = sizeof(void *),
	.start = desk_start,
	.receive = desk_receive,
};

static const struct tr_behavior waiting_desk = {
	.name = "waiting desk",
	.state_size = sizeof(void *),
	.receive = tr_stash_all,
};

/* ------------------------------------------------------------ others ---- */

static int
friend_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct desk *d = kit_ctx(state);

	if (d->lists && tr_system_workers(d->k.sys) == 1)
		count_pending(d);
	return tr_reply(self, msg, KNOCK, NULL, 0);
}

static const struct tr_behavior friend_behavior = {
	.name = "friend",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = friend_receive,
};

static int
crowd_answered(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct desk *d = kit_ctx(state);

	(void)self;
	(void)answer;
	(void)cookie;
	d->answers += outcome == TR_OK;
	return TR_OK;
}

static int
crowd_knock(struct tr_self *self, struct desk *d)
{
	uint64_t i = d->sent++;

	if (i % 50 != 7)
		return tr_send(self, d->desk, KNOCK, &i, sizeof(i));
	return tr_ask(self, d->desk, ASKED, &i, sizeof(i), tr_forever(),
		   crowd_answered, 0) != 0 ?
	    TR_OK :
	    TR_ENOMEM;
}

static int
crowd_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct desk *d = kit_ctx(state);
	int rc;

	(void)msg;
	do {
		rc = crowd_knock(self, d);
	} while (rc == TR_OK && d->sent < KNOCKS && !d->spread);
	if (d->sent < KNOCKS)
		kit_tell(self, tr_self_ref(self), KNOCK);
	return rc;
}

static int
crowd_start(struct tr_self *self, void *state, const void *arg)
{
	struct desk *d;

	(void)kit_start_ctx(self, state, arg);
	d = kit_ctx(state);
	d->friend = tr_spawn(self, &friend_behavior, d, NULL);
	d->desk = tr_spawn(self, &open_desk, d, &d->how);
	kit_tell(self, tr_self_ref(self), KNOCK);
	return tr_ref_valid(d->friend) && tr_ref_valid(d->desk) ? TR_OK :
								  TR_ENOMEM;
}

static const struct tr_behavior crowd = {
	.name = "crowd",
	.state_size = sizeof(void *),
	.start = crowd_start,
	.receive = crowd_receive,
};

/* --------------------------------------------------------------- tests -- */

static void
play(struct desk *d, unsigned workers, const struct tr_behavior *root)
{
	kit_new(&d->k, workers);
	if (d->lists)
		d->k.sys->burst_after = 1u << 30;
	(void)kit_root(&d->k, root, d);
	kit_run(&d->k);
}

static void
an_actor_that_waits_handles_nothing_else_and_then_all_in_order(void **unused)
{
	static const struct tr_spawn_options how[] = {
		{ .placement = TR_PLACE_ANY },
		{ .placement = TR_PLACE_PINNED },
		{ .max_items = KNOCKS },
		{ .max_handler_ns = TR_SECONDS(60) },
	};
	static struct desk d;

	(void)unused;
	for (unsigned i = 0; i < 8 * sizeof(how) / sizeof(*how); i++) {
		d = (struct desk){
			.how = how[i / 8],
			.spread = i % 2,
			.lists = i / 4 % 2,
			.in_order = true,
		};
		play(&d, 1 + i / 2 % 2, &crowd);
		assert_int_equal(d.handled, KNOCKS);
		assert_true(d.in_order);
		assert_int_equal(d.meanwhile, 0);
		assert_int_equal(d.wrong, 0);
		assert_int_equal(d.failures, 0);
		assert_int_equal(d.answers, KNOCKS / 50);
		assert_int_equal(kit_letters_of(&d.k, KNOCK), 0);
		assert_int_equal(kit_letters_of(&d.k, ASKED), 0);
	}
}

/* It puts all of its list aside, and what has come meanwhile is its own, and long
 * enough to be put behind what is pending (backlog.h): of that nothing is left. */
static const struct tr_behavior hoarder;

static int
hoarder_knocks(struct tr_self *self, struct desk *d, uint64_t until)
{
	int rc = TR_OK;

	while (rc == TR_OK && d->sent < until) {
		uint64_t i = d->sent++;

		rc = tr_send(self, tr_self_ref(self), KNOCK, &i, sizeof(i));
	}
	return rc;
}

static int
hoarder_answered(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct desk *d = kit_ctx(state);

	(void)answer;
	(void)cookie;
	d->failures += outcome != TR_OK;
	d->waits = false;
	return tr_become(self, &hoarder) == TR_OK ? tr_unstash(self) :
						    TR_EINVAL;
}

static int
hoarder_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct desk *d = kit_ctx(state);

	d->in_order = d->in_order && kit_u64(msg) == d->handled;
	d->meanwhile += d->waits;
	if (++d->handled == KNOCKS)
		return kit_finish(self);
	if (d->handled > 1)
		return TR_OK;
	d->waits = true;
	if (hoarder_knocks(self, d, KNOCKS) != TR_OK ||
	    tr_ask(self, d->friend, KNOCK, NULL, 0, tr_forever(),
		hoarder_answered, 0) == 0)
		return TR_ENOMEM;
	return tr_become(self, &waiting_desk);
}

static int
hoarder_start(struct tr_self *self, void *state, const void *arg)
{
	struct desk *d;

	(void)kit_start_ctx(self, state, arg);
	d = kit_ctx(state);
	d->desk = tr_self_ref(self);
	d->friend = tr_spawn(self, &friend_behavior, d, NULL);
	return hoarder_knocks(self, d, KNOCKS / 5);
}

static const struct tr_behavior hoarder = {
	.name = "hoarder",
	.state_size = sizeof(void *),
	.start = hoarder_start,
	.receive = hoarder_receive,
};

static void
what_comes_while_all_is_put_aside_comes_after_it(void **unused)
{
	static struct desk d;

	(void)unused;
	for (unsigned i = 0; i < 4; i++) {
		d = (struct desk){ .lists = i / 2, .in_order = true };
		play(&d, 1 + i % 2, &hoarder);
		assert_int_equal(d.handled, KNOCKS);
		assert_true(d.in_order);
		assert_int_equal(d.meanwhile, 0);
		assert_int_equal(d.failures, 0);
		assert_int_equal(d.wrong, 0);
	}
}

/* An actor that waits for nothing, and gets more than it can keep. */
static void
sleeper_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct desk *d = kit_ctx(state);

	d->failures += why->code == TR_EFULL;
	(void)kit_finish(self);
}

static int
sleeper_start(struct tr_self *self, void *state, const void *arg)
{
	(void)kit_start_ctx(self, state, arg);
	for (int i = 0; i < LIMIT + KNOCKS; i++)
		kit_tell(self, tr_self_ref(self), KNOCK);
	return TR_OK;
}

static const struct tr_behavior sleeper = {
	.name = "sleeper",
	.state_size = sizeof(void *),
	.start = sleeper_start,
	.receive = tr_stash_all,
	.stop = sleeper_stop,
};

static void
who_puts_too_much_aside_fails_and_nothing_is_lost(void **unused)
{
	static struct desk d;

	(void)unused;
	for (unsigned i = 0; i < 2; i++) {
		d = (struct desk){ .lists = i };
		play(&d, 1, &sleeper);
		assert_int_equal(d.failures, 1);
		assert_int_equal(d.k.stats.handled, 0);
		assert_int_equal(d.k.stats.dead[TR_DEAD_FAILED], 1);
		assert_int_equal(d.k.stats.dead[TR_DEAD_CLOSED],
		    LIMIT + KNOCKS - 1);
	}
}

/* One whose own function calls it puts aside what that was called with. */
static int
chooser_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct desk *d = kit_ctx(state);

	if (tr_tag(msg) == REST)
		return kit_finish(self);
	if (kit_u64(msg) % 2 == 0) {
		d->stashed++;
		return tr_stash_all(self, state, msg);
	}
	d->handled++;
	return TR_OK;
}

static int
chooser_start(struct tr_self *self, void *state, const void *arg)
{
	(void)kit_start_ctx(self, state, arg);
	for (uint64_t i = 0; i < KNOCKS; i++)
		(void)tr_send(self, tr_self_ref(self), KNOCK, &i, sizeof(i));
	kit_tell(self, tr_self_ref(self), REST);
	return TR_OK;
}

static const struct tr_behavior chooser = {
	.name = "chooser",
	.state_size = sizeof(void *),
	.start = chooser_start,
	.receive = chooser_receive,
};

static void
who_only_calls_it_puts_one_aside(void **unused)
{
	static struct desk d;

	(void)unused;
	d = (struct desk){ .lists = true };
	play(&d, 1, &chooser);
	assert_int_equal(d.stashed, KNOCKS / 2);
	assert_int_equal(d.handled, KNOCKS / 2);
	assert_int_equal(kit_letters(&d.k, TR_DEAD_CLOSED, KNOCK), KNOCKS / 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(
		    an_actor_that_waits_handles_nothing_else_and_then_all_in_order),
		KIT_TEST(what_comes_while_all_is_put_aside_comes_after_it),
		KIT_TEST(who_puts_too_much_aside_fails_and_nothing_is_lost),
		KIT_TEST(who_only_calls_it_puts_one_aside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
