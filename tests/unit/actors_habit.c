/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Habits (actors/burst.c): an actor whose turns send to one mailbox, a message for
 * each that it handles, begins the next one with a burst, and nobody can tell, but by
 * the time that it takes.
 *
 * All is on one worker, but for the last tests: the root floods the stage, which has
 * turns of 128 messages and passes them on to the sink.
 */
#include "slow_clock.h"

#include "actors/burst.h"

enum { ITEM, GO, CRASH, HOLD };

enum {
	TURN = TRI_BATCH_MESSAGES,
	TURNS = 8,
	MANY = 8 * TURN,
	SENDERS = 300,
	FLOOD = 2000,
};

/* An item that does not lie in an array of words. */
struct item {
	uint64_t number;
	char rest[TRI_SMALL];
};

struct play {
	struct kit k;
	unsigned workers;
	uint64_t n; /* items for the stage */
	size_t size; /* of those that it passes on */
	/* What the stage does with an item; NULL: it passes it on. */
	void (*pass)(struct play *t, struct tr_self *self, uint64_t number);
	/* What the root does once all have come; NULL: nothing. */
	void (*then)(struct play *t, struct tr_self *self);
	tr_ref root, stage, sink, other;
	uint64_t turn;
	unsigned parts; /* that have started */
	unsigned turns, steps;
	bool open[TURNS]; /* after the first item of a turn */
	bool guessed[TURNS]; /* and that was no flood */
	bool before; /* before the first of any */
	uint64_t habit[TURNS]; /* after that turn */
	uint64_t passed; /* to the sink */
	atomic_ulong next; /* expected there */
	unsigned lost, opened;
	bool seen_open; /* a burst, by the sink */
	atomic_bool held, go;
};

/* ----------------------------------------------------------- looking ---- */

static struct tri_stream *
stream_of(struct tr_self *self)
{
	return &tri_crew_of(self)->stream;
}

static bool
is_open(struct tr_self *self)
{
	return stream_of(self)->burst != NULL;
}

static uint64_t
habit_of(struct tr_self *self, tr_ref who)
{
	return tri_crew_of(self)->habits[tri_ref_slot(who) % TRI_HABITS];
}

/* --------------------------------------------------------------- sink --- */

/* The root begins when both are there, so their turns are of items only. */
static int
part_start(struct tr_self *self, void *state, const void *arg)
{
	struct play *t;

	(void)kit_start_ctx(self, state, arg);
	t = kit_ctx(state);
	kit_tell(self, t->root, GO);
	return TR_OK;
}

static int
sink_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct play *t = kit_ctx(state);
	const struct item *i = tr_data(msg, tr_size(msg));

	if (tr_tag(msg) == CRASH)
		return TR_EINVAL;
	if (tr_tag(msg) == HOLD) {
		tri_turn_detach(tri_crew_of(self));
		atomic_store(&t->held, true);
		kit_spin_until(&t->go);
		return TR_OK;
	}
	if (t->workers == 1)
		t->seen_open |= is_open(self);
	t->lost += i->number != atomic_load(&t->next);
	if (atomic_fetch_add(&t->next, 1) + 1 == t->n)
		kit_tell(self, t->root, GO);
	return TR_OK;
}

static const struct tr_behavior sink = {
	.name = "sink",
	.state_size = sizeof(void *),
	.start = part_start,
	.receive = sink_receive,
};

/* -------------------------------------------------------------- stage --- */

static void
pass_on(struct play *t, struct tr_self *self, uint64_t number)
{
	struct item i = { .number = t->passed++ };

	(void)number;
	assert_int_equal(tr_send(self, t->sink, ITEM, &i, t->size), TR_OK);
}

static int
stage_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct play *t = kit_ctx(state);
	uint64_t turn = tri_turn_number(tri_crew_of(self));
	bool first = turn != t->turn;

	if (first) {
		if (t->turns > 0 && t->turns <= TURNS)
			t->habit[t->turns - 1] = habit_of(self, t->stage);
		t->turn = turn;
		t->turns++;
		t->before |= is_open(self);
	}
	(t->pass != NULL ? t->pass : pass_on)(t, self, kit_u64(msg));
	if (first && t->turns <= TURNS) {
		t->open[t->turns - 1] = is_open(self);
		t->guessed[t->turns - 1] = stream_of(self)->guessed;
	}
	return TR_OK;
}

static const struct tr_behavior stage = {
	.name = "stage",
	.state_size = sizeof(void *),
	.start = part_start,
	.receive = stage_receive,
};

/* --------------------------------------------------------------- root --- */

static const struct tr_spawn_options here = { .placement = TR_PLACE_PINNED };
static const struct tr_spawn_options there = { .placement = TR_PLACE_WORKER,
	.worker = 1 };

/* The sink is in a handler, on the other worker. */
static void
hold(struct play *t, struct tr_self *self)
{
	kit_tell(self, t->sink, HOLD);
	kit_spin_until(&t->held);
}

static void
feed(struct play *t, struct tr_self *self, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		assert_int_equal(tr_send(self, t->stage, ITEM, &i, sizeof(i)),
		    TR_OK);
}

static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct play *t = kit_ctx(state);

	(void)msg;
	if (t->parts < 2 && ++t->parts < 2)
		return TR_OK;
	if (t->steps++ > 0 && t->then == NULL)
		return kit_finish(self);
	if (t->steps > 1)
		t->then(t, self);
	else
		feed(t, self, t->n);
	return TR_OK;
}

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct play *t;

	(void)kit_start_ctx(self, state, arg);
	t = kit_ctx(state);
	t->root = tr_self_ref(self);
	t->sink = tr_spawn(self, &sink, t, t->workers > 1 ? &there : NULL);
	t->stage = tr_spawn(self, &stage, t, t->workers > 1 ? &here : NULL);
	return TR_OK;
}

static const struct tr_behavior root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = root_start,
	.receive = root_receive,
};

static struct play *
play(struct play shape)
{
	struct play *t = test_calloc(1, sizeof(*t));

	*t = shape;
	if (t->n == 0)
		t->n = MANY;
	if (t->size == 0)
		t->size = sizeof(uint64_t);
	if (t->workers == 0)
		t->workers = 1;
	kit_new(&t->k, t->workers);
	slow_clock(&t->k);
	(void)kit_root(&t->k, &root, t);
	kit_run(&t->k);
	assert_int_equal(t->lost, 0);
	assert_false(t->before);
	assert_false(t->seen_open);
	return t;
}

/* -------------------------------------------------------------- tests --- */

/* Each turn from that one on began with a burst. */
static void
assert_open_from(const struct play *t, unsigned first)
{
	for (unsigned i = first; i < TURNS; i++)
		assert_true(t->open[i]);
}

/* The stage says when it is through, for the sink does not have all. */
static void
tell_last(struct play *t, struct tr_self *self, uint64_t number)
{
	if (number == MANY - 1)
		kit_tell(self, t->root, GO);
}

static void
the_next_turn_begins_with_a_burst(void **unused)
{
	struct play *t = play((struct play){ 0 });

	(void)unused;
	assert_int_equal(t->next, MANY);
	assert_int_equal(t->turns, MANY / TURN);
	assert_false(t->open[0]);
	for (unsigned i = 1; i < MANY / TURN; i++) {
		assert_int_equal(t->habit[i - 1], t->sink.bits);
		assert_true(t->open[i]);
		assert_true(t->guessed[i]);
	}
	test_free(t);
}

/* Half of them. */
static void
filter(struct play *t, struct tr_self *self, uint64_t number)
{
	if (number % 2 == 0)
		pass_on(t, self, number);
	tell_last(t, self, number);
}

static void
half_of_a_turn_is_enough(void **unused)
{
	struct play *t = play((struct play){ .pass = filter });

	(void)unused;
	assert_int_equal(t->next, MANY / 2);
	assert_open_from(t, 2);
	test_free(t);
}

/* One in the second turn, and all again from the third on. */
static void
change(struct play *t, struct tr_self *self, uint64_t number)
{
	if (number / TURN != 1 || number % TURN == 0)
		pass_on(t, self, number);
	tell_last(t, self, number);
}

static void
what_was_a_habit_is_forgotten(void **unused)
{
	struct play *t = play((struct play){ .pass = change });

	(void)unused;
	assert_int_equal(t->next, MANY - TURN + 1);
	assert_true(t->open[1]);
	assert_int_equal(t->habit[0], t->sink.bits);
	assert_int_equal(t->habit[1], 0);
	assert_false(t->open[2]);
	assert_int_equal(t->habit[2], t->sink.bits);
	assert_true(t->open[3]);
	test_free(t);
}

/* The first item of the second turn is answered by a flood: that is a burst, too, and
 * goes on to the end of the turn. */
static void
flood(struct play *t, struct tr_self *self, uint64_t number)
{
	unsigned n = number == TURN ? FLOOD : 1;

	while (n-- > 0)
		pass_on(t, self, number);
	tell_last(t, self, number);
}

static void
a_flood_in_the_first_handler_goes_on(void **unused)
{
	struct play *t = play((struct play){ .pass = flood });

	(void)unused;
	assert_int_equal(t->next, MANY + FLOOD - 1);
	assert_true(t->open[1]);
	assert_true(t->open[2]);
	test_free(t);
}

/* A lone message whose handler floods, and more that come meanwhile. */
static void
lone_flood(struct play *t, struct tr_self *self, uint64_t number)
{
	unsigned n = t->turns == 1 ? 1 : FLOOD;

	(void)number;
	while (n-- > 0)
		pass_on(t, self, number);
	if (t->turns > 1 && t->opened++ == 0) {
		feed(t, self, 2);
		kit_tell(self, t->root, GO);
	}
}

static void
feed_one(struct play *t, struct tr_self *self)
{
	const struct tri_aside *p =
	    tri_aside(t->k.sys, tri_cell(t->k.sys, tri_ref_slot(t->sink)));

	if (t->steps == 2) {
		feed(t, self, 1);
		return;
	}
	if (atomic_load(&t->next) < t->passed) {
		kit_tell(self, t->root, GO);
		return;
	}
	/* No burst is left without an end: all count. */
	assert_int_equal(tri_load_relaxed(&p->put), tri_load_relaxed(&p->seen));
	(void)kit_finish(self);
}

static void
a_flood_of_a_lone_message_goes_on(void **unused)
{
	struct play *t = play(
	    (struct play){ .n = TURN, .pass = lone_flood, .then = feed_one });

	(void)unused;
	assert_int_equal(t->habit[0], t->sink.bits);
	assert_int_equal(t->next, TURN + 3 * FLOOD);
	test_free(t);
}

/* Many send one message each: its backlog grows, and nobody has a habit. */
static int
one_start(struct tr_self *self, void *state, const void *arg)
{
	(void)kit_start_ctx(self, state, arg);
	kit_tell(self, tr_self_ref(self), GO);
	return TR_OK;
}

static int
one_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct play *t = kit_ctx(state);

	(void)msg;
	pass_on(t, self, 0);
	t->opened += is_open(self);
	t->opened += habit_of(self, tr_self_ref(self)) != 0;
	if (t->passed == SENDERS)
		atomic_store(&t->go, true);
	return TR_OK;
}

static const struct tr_behavior one = {
	.name = "one",
	.state_size = sizeof(void *),
	.start = one_start,
	.receive = one_receive,
};

static int
crowd_start(struct tr_self *self, void *state, const void *arg)
{
	struct play *t;

	(void)kit_start_ctx(self, state, arg);
	t = kit_ctx(state);
	t->root = tr_self_ref(self);
	t->sink = tr_spawn(self, &sink, t, &there);
	hold(t, self);
	for (unsigned i = 0; i < SENDERS; i++)
		(void)tr_spawn(self, &one, t, NULL);
	t->steps = 1;
	return TR_OK;
}

static const struct tr_behavior crowd = {
	.name = "crowd",
	.state_size = sizeof(void *),
	.start = crowd_start,
	.receive = root_receive,
};

static void
who_sends_little_has_none(void **unused)
{
	struct play *t = test_calloc(1, sizeof(*t));

	(void)unused;
	*t = (struct play){ .n = SENDERS, .size = 8, .workers = 2 };
	kit_new(&t->k, 2);
	slow_clock(&t->k);
	(void)kit_root(&t->k, &crowd, t);
	kit_run(&t->k);
	assert_int_equal(t->next, SENDERS);
	assert_int_equal(t->lost, 0);
	assert_int_equal(t->opened, 0);
	test_free(t);
}

/* To itself, until all have been there twice. */
static void
back(struct play *t, struct tr_self *self, uint64_t number)
{
	t->opened += is_open(self);
	if (t->passed++ < t->n) {
		assert_int_equal(tr_send(self, t->stage, ITEM, &number,
				     sizeof(number)),
		    TR_OK);
		t->opened += is_open(self);
	} else if (t->passed == 2 * t->n) {
		kit_tell(self, t->root, GO);
	}
}

static void
nobody_has_a_burst_for_himself(void **unused)
{
	struct play *t = play((struct play){ .pass = back });

	(void)unused;
	assert_int_equal(t->passed, 2 * MANY);
	assert_int_equal(t->opened, 0);
	for (unsigned i = 0; i < TURNS; i++)
		assert_int_equal(t->habit[i], 0);
	test_free(t);
}

/* The sink ends before the second turn. */
static void
to_nobody(struct play *t, struct tr_self *self, uint64_t number)
{
	if (number == TURN - 2)
		kit_tell(self, t->sink, CRASH);
	else
		pass_on(t, self, number);
	tell_last(t, self, number);
}

static void
who_is_gone_is_not_expected(void **unused)
{
	struct play *t = play((struct play){ .n = MANY, .pass = to_nobody });

	(void)unused;
	assert_int_equal(t->next, TURN - 2);
	/* By the first message of the second turn that is seen. */
	assert_int_equal(t->habit[0], 0);
	assert_false(t->open[1]);
	/* The crash is one. */
	assert_int_equal(kit_dead(&t->k.stats), MANY - TURN + 2);
	test_free(t);
}

/* Somebody begins to look on at it, in the turn in which something is expected to go
 * there. */
static void
to_one_looked_on(struct play *t, struct tr_self *self, uint64_t number)
{
	struct tr_self *cell = tri_cell(t->k.sys, tri_ref_slot(t->sink));

	if (number == TURN)
		tri_fetch_or_acq_rel(&cell->ident, TRI_IDENT_TRACED);
	pass_on(t, self, number);
	if (number == TURN) {
		t->opened = is_open(self);
		tri_fetch_and_acq_rel(&cell->ident, ~TRI_IDENT_TRACED);
	}
}

static void
who_became_unusual_has_no_burst(void **unused)
{
	struct play *t = play((struct play){ .pass = to_one_looked_on });

	(void)unused;
	assert_int_equal(t->next, MANY);
	assert_int_equal(t->opened, 0);
	assert_true(t->open[2]);
	test_free(t);
}

/* The stage's turn sends nothing there, and the next one's, of another, does. */
static int
other_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct play *t = kit_ctx(state);

	(void)msg;
	t->seen_open |= is_open(self);
	t->opened += stream_of(self)->expected != 0;
	pass_on(t, self, 0);
	t->seen_open |= is_open(self);
	assert_int_equal(stream_of(self)->expected, 0);
	kit_tell(self, t->root, GO);
	return TR_OK;
}

static const struct tr_behavior other = {
	.name = "other",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = other_receive,
};

static void
quiet(struct play *t, struct tr_self *self, uint64_t number)
{
	if (t->turns == 1)
		pass_on(t, self, number);
	else if (number == TURN - 1)
		kit_tell(self, t->other, GO);
}

static void
feed_quietly(struct play *t, struct tr_self *self)
{
	if (t->steps > 2) {
		(void)kit_finish(self);
		return;
	}
	t->other = tr_spawn(self, &other, t, NULL);
	feed(t, self, TURN);
}

static void
what_was_expected_of_another_turn_is_not(void **unused)
{
	struct play *t = play(
	    (struct play){ .n = TURN, .pass = quiet, .then = feed_quietly });

	(void)unused;
	assert_int_equal(t->habit[0], t->sink.bits);
	assert_int_equal(t->opened, 1);
	assert_int_equal(t->next, TURN + 1);
	test_free(t);
}

static void
large_ones_need_none_within_a_worker(void **unused)
{
	struct play *t = play((struct play){ .size = sizeof(struct item) });

	(void)unused;
	assert_int_equal(t->next, MANY);
	assert_int_equal(t->habit[0], t->sink.bits);
	for (unsigned i = 0; i < TURNS; i++)
		assert_false(t->open[i]);
	test_free(t);
}

/* The sink is held, on another worker, until all have been sent. */
static void
to_one_that_is_held(struct play *t, struct tr_self *self, uint64_t number)
{
	if (number == 0)
		hold(t, self);
	pass_on(t, self, number);
	if (number == MANY - 1)
		atomic_store(&t->go, true);
}

static void
large_ones_have_one_for_another_worker(void **unused)
{
	struct play *t = play((struct play){ .workers = 2,
	    .size = sizeof(struct item),
	    .pass = to_one_that_is_held });

	(void)unused;
	assert_int_equal(t->next, MANY);
	assert_open_from(t, 2);
	test_free(t);
}

static void
so_have_small_ones(void **unused)
{
	struct play *t =
	    play((struct play){ .workers = 2, .pass = to_one_that_is_held });

	(void)unused;
	assert_int_equal(t->next, MANY);
	assert_open_from(t, 2);
	test_free(t);
}

/* It is held for a turn, and idle before the others, if they are whole: the other
 * worker looks at the clock as well. */
static void
to_one_that_rests(struct play *t, struct tr_self *self, uint64_t number)
{
	struct tr_self *cell = tri_cell(t->k.sys, tri_ref_slot(t->sink));
	bool begins = number % TURN == 0 && t->passed > 0;

	if (t->passed == 0)
		hold(t, self);
	while (begins && tri_inlet_head(t->k.sys, cell) != TRI_INLET_IDLE)
		sched_yield();
	begins = begins && !is_open(self);
	pass_on(t, self, number);
	t->opened += begins && is_open(self);
	if (t->passed == TURN)
		atomic_store(&t->go, true);
}

static void
again(struct play *t, struct tr_self *self)
{
	if (t->opened > 0 || t->steps > 100) {
		(void)kit_finish(self);
		return;
	}
	t->n += MANY;
	feed(t, self, MANY);
}

static void
a_burst_wakes_its_receiver(void **unused)
{
	struct play *t = play((struct play){ .workers = 2,
	    .pass = to_one_that_rests,
	    .then = again });

	(void)unused;
	assert_int_equal(t->next, t->n);
	assert_true(t->opened > 0);
	test_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(the_next_turn_begins_with_a_burst),
		KIT_TEST(half_of_a_turn_is_enough),
		KIT_TEST(what_was_a_habit_is_forgotten),
		KIT_TEST(a_flood_in_the_first_handler_goes_on),
		KIT_TEST(a_flood_of_a_lone_message_goes_on),
		KIT_TEST(who_sends_little_has_none),
		KIT_TEST(nobody_has_a_burst_for_himself),
		KIT_TEST(who_is_gone_is_not_expected),
		KIT_TEST(who_became_unusual_has_no_burst),
		KIT_TEST(what_was_expected_of_another_turn_is_not),
		KIT_TEST(large_ones_need_none_within_a_worker),
		KIT_TEST(large_ones_have_one_for_another_worker),
		KIT_TEST(so_have_small_ones),
		KIT_TEST(a_burst_wakes_its_receiver),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
