/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stash and become: a door that is opened later, handles what came before in
 * the order in which it came, and what becomes of it when it never opens.
 */
#include "kit.h"

enum { KNOCK = 1, OPEN, ASKED, TICK, GO, CLOSE, KNOCKS = 20 };

struct door {
	struct kit k;
	tr_ref door, guest;
	bool never; /* it is not opened, but stopped */
	bool one_by_one; /* each message comes alone: handled in place */
	uint64_t seen[4 * KNOCKS];
	unsigned n_seen, stashed, ticks;
	unsigned outcomes;
	int outcome;
	int bad_state, bad_receive, twice, answer_rc, null_rc;
	unsigned stop_closed, stop_open;
	uint64_t next;
	int64_t deadline_ns;
};

static const struct tr_behavior open_door;

static void
note(struct door *d, const struct tr_msg *msg)
{
	if (d->n_seen < 4 * KNOCKS)
		d->seen[d->n_seen++] = kit_u64(msg);
}

static int
door_stash(struct door *d, struct tr_self *self, const struct tr_msg *msg)
{
	int rc = tr_stash(self, msg);

	d->twice |= tr_stash(self, msg) == TR_EINVAL ? 1 : 2;
	d->stashed += rc == TR_OK;
	return rc;
}

static const struct tr_behavior other_size = {
	.name = "other size",
	.state_size = 400,
	.receive = kit_ignore,
};
static const struct tr_behavior no_receive = {
	.name = "no receive",
	.state_size = sizeof(void *),
};

static int
closed_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct door *d = kit_ctx(state);

	if (tr_tag(msg) == CLOSE)
		return tr_exit(self, TR_NORMAL);
	/* The tick is the first to wait; then the guest comes. */
	if (tr_tag(msg) == TICK)
		kit_tell(self, d->guest, GO);
	if (tr_tag(msg) != OPEN)
		return door_stash(d, self, msg);
	d->null_rc = tr_stash(self, NULL);
	d->bad_state = tr_become(self, &other_size);
	d->bad_receive = tr_become(self, &no_receive);
	if (tr_become(self, &open_door) != TR_OK)
		return TR_EINVAL;
	return tr_unstash(self);
}

static int
open_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct door *d = kit_ctx(state);

	switch (tr_tag(msg)) {
	case KNOCK: note(d, msg); break;
	case TICK: d->ticks++; break;
	case ASKED:
		note(d, msg);
		(void)tr_reply(self, msg, ASKED, NULL, 0);
		d->answer_rc = tr_stash(self, msg);
		break;
	case CLOSE: return tr_exit(self, TR_NORMAL);
	default: break;
	}
	return TR_OK;
}

static void
closed_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)self;
	(void)why;
	((struct door *)kit_ctx(state))->stop_closed++;
}

static void
open_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)self;
	(void)why;
	((struct door *)kit_ctx(state))->stop_open++;
}

static int
door_start(struct tr_self *self, void *state, const void *arg)
{
	(void)kit_start_ctx(self, state, arg);
	return tr_after(self, 0, TICK, 7) != 0 ? TR_OK : TR_ENOMEM;
}

static const struct tr_behavior closed_door = {
	.name = "closed door",
	.state_size = sizeof(void *),
	.start = door_start,
	.receive = closed_receive,
	.stop = closed_stop,
};

static const struct tr_behavior open_door = {
	.name = "open door",
	.state_size = sizeof(void *),
	.receive = open_receive,
	.stop = open_stop,
};

/* --------------------------------------------------------------- guest -- */

static int
on_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct door *d = kit_ctx(state);

	(void)answer;
	(void)cookie;
	d->outcomes++;
	d->outcome = outcome;
	/* The last of all: behind it the door closes. */
	kit_tell(self, d->door, CLOSE);
	return kit_finish(self);
}

static int
guest_ask(struct door *d, struct tr_self *self)
{
	uint64_t value = KNOCKS;
	int64_t deadline =
	    d->deadline_ns == 0 ? tr_forever() : tr_in(self, d->deadline_ns);

	return tr_ask(self, d->door, ASKED, &value, sizeof(value), deadline,
		   on_answer, 0) != 0 ?
	    TR_OK :
	    TR_ENOMEM;
}

static void
guest_open(struct door *d, struct tr_self *self)
{
	uint64_t value = KNOCKS + 1;

	if (d->deadline_ns != 0)
		return;
	kit_tell(self, d->door, d->never ? CLOSE : OPEN);
	/* These find an open door, behind those that waited. */
	(void)tr_send(self, d->door, KNOCK, &value, sizeof(value));
}

static int
guest_start(struct tr_self *self, void *state, const void *arg)
{
	struct door *d;

	(void)kit_start_ctx(self, state, arg);
	d = kit_ctx(state);
	d->guest = tr_self_ref(self);
	d->door = tr_spawn(self, &closed_door, d,
	    &(struct tr_spawn_options){ .placement = TR_PLACE_PINNED });
	return tr_ref_valid(d->door) ? TR_OK : TR_ENOMEM;
}

static int
guest_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct door *d = kit_ctx(state);

	(void)msg;
	do {
		(void)tr_send(self, d->door, KNOCK, &d->next, sizeof(d->next));
		d->next++;
	} while (d->next < KNOCKS && !d->one_by_one);
	if (d->next < KNOCKS) {
		/* The door is as pinned as we are: it has its turn first. */
		kit_tell(self, tr_self_ref(self), GO);
		return TR_OK;
	}
	if (guest_ask(d, self) != TR_OK)
		return TR_ENOMEM;
	guest_open(d, self);
	return TR_OK;
}

static const struct tr_behavior guest = {
	.name = "guest",
	.state_size = sizeof(void *),
	.start = guest_start,
	.receive = guest_receive,
};

/* --------------------------------------------------------------- tests -- */

static void
what_was_stashed_comes_first_and_in_order(void **unused)
{
	static struct door d;

	(void)unused;
	for (int alone = 0; alone < 2; alone++) {
		d = (struct door){ .one_by_one = alone };
		kit_play(&d.k, 1, &guest, &d);
		/* The knocks, the ask, the tick. */
		assert_int_equal(d.stashed, KNOCKS + 2);
		assert_int_equal(d.n_seen, KNOCKS + 2);
		for (unsigned i = 0; i < KNOCKS + 2; i++)
			assert_int_equal(d.seen[i], i);
		assert_int_equal(d.ticks, 1);
		assert_int_equal(d.outcomes, 1);
		assert_int_equal(d.outcome, TR_OK);
		assert_int_equal(d.twice, 1);
		assert_int_equal(d.null_rc, TR_EINVAL);
		assert_int_equal(d.answer_rc, TR_EINVAL);
	}
}

static void
become_takes_the_new_behaviours_stop(void **unused)
{
	static struct door d;

	(void)unused;
	d = (struct door){ 0 };
	kit_play(&d.k, 1, &guest, &d);
	assert_int_equal(d.bad_state, TR_EINVAL);
	assert_int_equal(d.bad_receive, TR_EINVAL);
	assert_int_equal(d.stop_closed, 0);
	assert_int_equal(d.stop_open, 1);
}

static void
what_is_stashed_at_the_end_is_dead(void **unused)
{
	static struct door d;

	(void)unused;
	d = (struct door){ .never = true };
	kit_play(&d.k, 1, &guest, &d);
	assert_int_equal(d.outcomes, 1);
	assert_int_equal(d.outcome, TR_EDEAD);
	assert_int_equal(kit_letters(&d.k, TR_DEAD_CLOSED, KNOCK), KNOCKS + 1);
	assert_int_equal(kit_letters(&d.k, TR_DEAD_CLOSED, ASKED), 1);
	assert_int_equal(kit_letters(&d.k, TR_DEAD_CLOSED, TICK), 1);
	assert_int_equal(d.stop_closed, 1);
}

static void
an_ask_expires_in_the_stash(void **unused)
{
	static struct door d;

	(void)unused;
	d = (struct door){ .deadline_ns = TR_MS(20) };
	kit_play(&d.k, 1, &guest, &d);
	assert_int_equal(d.outcomes, 1);
	assert_int_equal(d.outcome, TR_ETIMEDOUT);
}

/* ---------------------------------------------------------- its limit --- */

enum { LIMIT = 65536 };

static int
full_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct door *d = kit_ctx(state);
	int rc = tr_stash(self, msg);

	d->stashed += rc == TR_OK;
	if (rc != TR_EFULL)
		return rc;
	d->outcome = rc;
	return kit_finish(self);
}

static int
full_start(struct tr_self *self, void *state, const void *arg)
{
	(void)kit_start_ctx(self, state, arg);
	for (int i = 0; i <= LIMIT; i++)
		kit_tell(self, tr_self_ref(self), KNOCK);
	return TR_OK;
}

static const struct tr_behavior full = {
	.name = "full",
	.state_size = sizeof(void *),
	.start = full_start,
	.receive = full_receive,
};

static void
the_stash_is_bounded(void **unused)
{
	static struct door d;

	(void)unused;
	d = (struct door){ 0 };
	kit_play(&d.k, 1, &full, &d);
	assert_int_equal(d.stashed, LIMIT);
	assert_int_equal(d.outcome, TR_EFULL);
	assert_int_equal(d.k.stats.dead[TR_DEAD_CLOSED], LIMIT);
}

/* --------------------------------------------------- some at a time ---- */

/*
 * A clerk serves one after the other: busy from a knock until its own TICK, it
 * puts aside who knocks meanwhile, and then takes as many back as it is told.
 */
struct clerk {
	struct kit k;
	unsigned at_a_time;
	uint64_t seen[KNOCKS];
	unsigned n_seen;
	unsigned stashed;
	bool busy;
};

static int
clerk_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct clerk *clerk = kit_ctx(state);

	if (tr_tag(msg) == TICK) {
		clerk->busy = false;
		return clerk->n_seen == KNOCKS ?
		    kit_finish(self) :
		    tr_unstash_n(self, clerk->at_a_time);
	}
	if (clerk->busy) {
		clerk->stashed++;
		return tr_stash(self, msg);
	}
	clerk->seen[clerk->n_seen++] = kit_u64(msg);
	clerk->busy = true;
	kit_tell(self, tr_self_ref(self), TICK);
	return TR_OK;
}

static int
clerk_start(struct tr_self *self, void *state, const void *arg)
{
	(void)kit_start_ctx(self, state, arg);
	if (tr_unstash_n(self, 1) != TR_OK) /* there is nothing */
		return TR_EINVAL;
	for (uint64_t i = 0; i < KNOCKS; i++)
		(void)tr_send(self, tr_self_ref(self), KNOCK, &i, sizeof(i));
	return TR_OK;
}

static const struct tr_behavior clerk_behavior = {
	.name = "clerk",
	.state_size = sizeof(void *),
	.start = clerk_start,
	.receive = clerk_receive,
};

static void
some_of_the_stash_comes_back_in_order(void **unused)
{
	static struct clerk c;

	(void)unused;
	for (unsigned all = 0; all < 2; all++) {
		c = (struct clerk){ .at_a_time = all ? KNOCKS : 1 };
		kit_play(&c.k, 1, &clerk_behavior, &c);
		assert_int_equal(c.n_seen, KNOCKS);
		for (unsigned i = 0; i < KNOCKS; i++)
			assert_int_equal(c.seen[i], i);
		/* One at a time, nobody is put aside twice; and if all come
		 * back, all but one are. */
		assert_int_equal(c.stashed,
		    all ? KNOCKS * (KNOCKS - 1) / 2 : KNOCKS - 1);
	}
}

static void
what_is_stashed_again_is_behind_the_rest(void **unused)
{
	static struct clerk c;

	(void)unused;
	c = (struct clerk){ .at_a_time = 2 };
	kit_play(&c.k, 1, &clerk_behavior, &c);
	assert_int_equal(c.n_seen, KNOCKS);
	assert_int_equal(c.seen[1], 1);
	assert_int_equal(c.seen[2], 3); /* 2 came back with 1, too early */
}

static int
leaver_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct clerk *clerk = kit_ctx(state);

	if (++clerk->n_seen != KNOCKS) {
		clerk->stashed++;
		return tr_stash(self, msg);
	}
	(void)tr_unstash_n(self, 2);
	return kit_finish(self);
}

static const struct tr_behavior leaver = {
	.name = "leaver",
	.state_size = sizeof(void *),
	.start = clerk_start,
	.receive = leaver_receive,
};

static void
what_is_left_of_a_stash_is_dead(void **unused)
{
	static struct clerk c;

	(void)unused;
	c = (struct clerk){ 0 };
	kit_play(&c.k, 1, &leaver, &c);
	/* All but the one in hand, the two that came back among them. */
	assert_int_equal(c.stashed, KNOCKS - 1 + 2);
	assert_int_equal(kit_letters(&c.k, TR_DEAD_CLOSED, KNOCK), KNOCKS - 1);
}

/* -------------------------------------------------------------- porter -- */

/* Puts the first two messages aside, takes the first one out, and puts another
 * one aside when that one's block is a message of its own. */
static int
porter_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct clerk *clerk = kit_ctx(state);
	uint64_t number, last = KNOCKS;

	if (tr_tag(msg) == TICK)
		return kit_finish(self);
	number = kit_u64(msg);
	clerk->stashed++;
	switch (clerk->stashed) {
	case 1:
	case 2: return tr_stash(self, msg);
	case 3: return tr_unstash_n(self, 1);
	case 5:
		(void)tr_send(self, tr_self_ref(self), KNOCK, &last,
		    sizeof(last));
		return tr_stash(self, msg);
	}
	clerk->seen[clerk->n_seen++] = number;
	if (number == last)
		return tr_unstash(self);
	return clerk->n_seen < KNOCKS ? TR_OK : kit_finish(self);
}

static int
porter_start(struct tr_self *self, void *state, const void *arg)
{
	int rc = clerk_start(self, state, arg);

	/* In case something does not come. */
	return tr_after(self, TR_SECONDS(5), TICK, 0) != 0 ? rc : TR_ENOMEM;
}

static const struct tr_behavior porter = {
	.name = "porter",
	.state_size = sizeof(void *),
	.start = porter_start,
	.receive = porter_receive,
};

static void
what_has_left_the_stash_is_left_alone(void **unused)
{
	static struct clerk c;

	(void)unused;
	c = (struct clerk){ 0 };
	kit_play(&c.k, 1, &porter, &c);
	assert_int_equal(kit_letters(&c.k, TR_DEAD_NO_ACTOR, KNOCK), 0);
	/* All but the one that only opened the stash, and its own. */
	assert_int_equal(c.n_seen, KNOCKS);
	assert_int_equal(c.seen[0], 0);
	assert_int_equal(c.seen[KNOCKS - 3], KNOCKS);
	assert_int_equal(c.seen[KNOCKS - 2], 1);
	assert_int_equal(c.seen[KNOCKS - 1], 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(what_was_stashed_comes_first_and_in_order),
		KIT_TEST(become_takes_the_new_behaviours_stop),
		KIT_TEST(what_is_stashed_at_the_end_is_dead),
		KIT_TEST(an_ask_expires_in_the_stash),
		KIT_TEST(the_stash_is_bounded),
		KIT_TEST(some_of_the_stash_comes_back_in_order),
		KIT_TEST(what_is_stashed_again_is_behind_the_rest),
		KIT_TEST(what_is_left_of_a_stash_is_dead),
		KIT_TEST(what_has_left_the_stash_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
