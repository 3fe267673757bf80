/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Limits that an actor fails at: the time of a handler, and a mailbox that may
 * not be over its bound.
 *
 * The root watches the actor, feeds it, and notes how it ended.  Both are on
 * one worker, so the actor handles nothing while the root sends.
 */
#include "actors/system.h"
#include "kit.h"

enum { SPIN, EXIT, FAIL, ITEM, ASKED, TICK, GO, DOWN };

struct care {
	struct kit k;
	struct tr_spawn_options options;
	bool spins_in_start;
	int64_t asks_for; /* the tag of the one message; or GO: many items */
	unsigned send; /* how many items */
	size_t size; /* of each */
	bool ask, post, try;
	tr_ref actor;
	uint64_t monitor;
	int rc[64]; /* of each send */
	unsigned outcomes[3]; /* answered, EDEAD or ENOREPLY, EFULL */
	unsigned handled, stops;
	bool was_cancelled, is_cancelled; /* before and after the limit */
	bool cancelled_in_stop;
	struct tr_reason seen_by_stop, reason;
};

/* -------------------------------------------------------------- actor --- */

/* Longer than any limit here. */
static void
spin(struct care *t, struct tr_self *self)
{
	int64_t limit = t->options.max_handler_ns;

	t->was_cancelled = tr_cancelled(self);
	kit_spin_for(self, limit != 0 ? limit + TR_MS(2) : TR_MS(2));
	t->is_cancelled = tr_cancelled(self);
}

static int
actor_start(struct tr_self *self, void *state, const void *arg)
{
	struct care *t;

	(void)kit_start_ctx(self, state, arg);
	t = kit_ctx(state);
	if (t->spins_in_start)
		spin(t, self);
	return TR_OK;
}

static int
actor_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct care *t = kit_ctx(state);

	t->handled++;
	switch (tr_tag(msg)) {
	case SPIN: spin(t, self); return TR_OK;
	case EXIT: spin(t, self); return tr_exit(self, TR_NORMAL);
	case FAIL: spin(t, self); return tr_fail(self, TR_EINVAL, "mine");
	case ASKED: return tr_reply(self, msg, ASKED, NULL, 0);
	default: return TR_OK;
	}
}

static void
actor_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct care *t = kit_ctx(state);

	t->stops++;
	t->seen_by_stop = *why;
	if (t->options.max_handler_ns <= TR_SECONDS(1))
		kit_spin_for(self, t->options.max_handler_ns + TR_MS(1));
	t->cancelled_in_stop = tr_cancelled(self);
}

static const struct tr_behavior actor = {
	.name = "actor",
	.state_size = sizeof(void *),
	.start = actor_start,
	.receive = actor_receive,
	.stop = actor_stop,
};

/* --------------------------------------------------------------- root --- */

static int
on_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct care *t = kit_ctx(state);

	(void)self;
	(void)answer;
	(void)cookie;
	t->outcomes[outcome == TR_OK                          ? 0 :
		outcome == TR_EDEAD || outcome == TR_ENOREPLY ? 1 :
								2]++;
	return TR_OK;
}

static int
send_one(struct care *t, struct tr_self *self)
{
	static const char payload[4096];

	if (t->ask)
		return tr_ask(self, t->actor, ASKED, payload, t->size,
			   tr_forever(), on_answer, 0) != 0 ?
		    TR_OK :
		    TR_ENOMEM;
	if (t->post)
		return tr_post(t->k.sys, t->actor, ITEM, payload, t->size);
	if (t->try)
		return tr_try_send(self, t->actor, ITEM, payload, t->size);
	return tr_send(self, t->actor, ITEM, payload, t->size);
}

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct care *t;

	(void)kit_start_ctx(self, state, arg);
	t = kit_ctx(state);
	t->options.placement = TR_PLACE_PINNED;
	t->options.monitor = &t->monitor;
	t->options.monitor_tag = DOWN;
	t->actor = tr_spawn(self, &actor, t, &t->options);
	if (!tr_ref_valid(t->actor))
		return TR_EINVAL;
	/* Let it start first. */
	return tr_after(self, TR_MS(5), GO, 0) != 0 ? TR_OK : TR_ENOMEM;
}

static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct care *t = kit_ctx(state);
	const struct tr_down *down;

	switch (tr_tag(msg)) {
	case GO:
		if (t->asks_for != GO)
			return tr_send(self, t->actor, (uint32_t)t->asks_for,
			    NULL, 0);
		for (unsigned i = 0; i < t->send; i++)
			t->rc[i % 64] = send_one(t, self);
		/* For those who are not to fail: this tells of their end. */
		return tr_stop(self, t->actor, tr_forever());
	case DOWN:
		down = tr_data(msg, sizeof(*down));
		t->reason = down->reason;
		return kit_finish(self);
	default: return TR_OK;
	}
}

static const struct tr_behavior root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = root_start,
	.receive = root_receive,
};

/* Run, and see that every reservation was given back. */
static void
play(struct care *t)
{
	struct tri_intake *in;

	kit_new(&t->k, 1);
	(void)kit_root(&t->k, &root, t);
	t->k.run_rc = tr_system_run(t->k.sys, &t->k.report);
	in = tri_table_at(&t->k.sys->actors, TRI_ACTOR_INTAKE,
	    tri_ref_slot(t->actor));
	assert_true(tri_load_relaxed(&in->waiting) == 0);
	kit_end(&t->k);
}

/* ----------------------------------------------------- a handler's time -- */

static void
a_handler_beyond_its_limit_makes_the_actor_fail_when_it_returns(void **unused)
{
	static struct care t;

	(void)unused;
	t = (struct care){ .asks_for = SPIN };
	t.options.max_handler_ns = TR_MS(20);
	play(&t);
	assert_int_equal(t.reason.code, TR_ETIMEDOUT);
	assert_int_equal(strncmp(t.reason.text, "handler ran ", 12), 0);
	assert_true(atoi(t.reason.text + 12) >= 22);
	assert_non_null(strstr(t.reason.text, " ms"));
	assert_int_equal(t.stops, 1);
	assert_int_equal(t.seen_by_stop.code, TR_ETIMEDOUT);
	assert_int_equal(t.k.stats.failed, 1);
	/* Its message was handled: the handler did all it wanted. */
	assert_int_equal(t.handled, 1);
	assert_int_equal(kit_letters_of(&t.k, SPIN), 0);
}

static void
short_limits_are_told_in_microseconds(void **unused)
{
	static struct care t;

	(void)unused;
	t = (struct care){ .asks_for = SPIN };
	t.options.max_handler_ns = 1;
	/* A handler that is held up for longer than 10 ms says so in ms. */
	for (int i = 0; i < 50 && strstr(t.reason.text, " us") == NULL; i++)
		play(&t);
	assert_int_equal(t.reason.code, TR_ETIMEDOUT);
	assert_non_null(strstr(t.reason.text, " us"));
	assert_true(atoi(t.reason.text + 12) >= 1);
}

static void
a_handler_can_ask_whether_it_is_over_its_limit(void **unused)
{
	static struct care t;

	(void)unused;
	t = (struct care){ .asks_for = SPIN };
	t.options.max_handler_ns = TR_SECONDS(1);
	play(&t);
	assert_false(t.was_cancelled);
	assert_true(t.is_cancelled);
	/* stop() has no limit. */
	assert_false(t.cancelled_in_stop);
}

static void
without_a_limit_a_handler_may_run_as_long_as_it_likes(void **unused)
{
	static struct care t;

	(void)unused;
	t = (struct care){ .asks_for = EXIT };
	play(&t);
	assert_int_equal(t.reason.code, TR_NORMAL);
	assert_false(t.is_cancelled);
}

static void
within_the_limit_nothing_happens(void **unused)
{
	static struct care t;

	(void)unused;
	t = (struct care){ .asks_for = GO, .send = 40, .ask = true };
	t.options.max_handler_ns = TR_SECONDS(3600);
	play(&t);
	assert_int_equal(t.reason.code, TR_SHUTDOWN);
	assert_int_equal(t.outcomes[0], 40);
}

static void
an_end_of_its_own_goes_before_the_limit(void **unused)
{
	static struct care t;

	(void)unused;
	t = (struct care){ .asks_for = EXIT };
	t.options.max_handler_ns = TR_MS(1);
	play(&t);
	assert_int_equal(t.reason.code, TR_NORMAL);
	t = (struct care){ .asks_for = FAIL };
	t.options.max_handler_ns = TR_MS(1);
	play(&t);
	assert_int_equal(t.reason.code, TR_EINVAL);
	assert_string_equal(t.reason.text, "mine");
}

static void
start_has_the_same_limit_and_stop_runs_all_the_same(void **unused)
{
	static struct care t;

	(void)unused;
	t = (struct care){ .spins_in_start = true, .asks_for = SPIN };
	t.options.max_handler_ns = TR_MS(1);
	play(&t);
	assert_int_equal(t.reason.code, TR_ETIMEDOUT);
	assert_int_equal(t.stops, 1); /* start() had returned TR_OK */
	assert_int_equal(t.handled, 0);
}

/* ------------------------------------------------- a mailbox too full --- */

static void
an_actor_fails_when_its_mailbox_goes_over_its_bound(void **unused)
{
	static struct care t;

	(void)unused;
	t = (struct care){ .asks_for = GO, .send = 30, .try = true };
	t.options.max_items = 10;
	t.options.overflow = TR_FAIL_FULL;
	play(&t);
	assert_int_equal(t.reason.code, TR_EFULL);
	assert_string_equal(t.reason.text, "mailbox over its bound");
	assert_int_equal(t.stops, 1);
	assert_int_equal(t.handled, 0);
	/* The one too many goes with those that waited; then it is full. */
	for (int i = 0; i < 30; i++)
		assert_int_equal(t.rc[i], i <= 10 ? TR_OK : TR_EFULL);
	assert_int_equal(t.k.stats.dead[TR_DEAD_CLOSED], 11);
	assert_int_equal(t.k.stats.failed, 1);
}

static void
within_the_bound_it_lives(void **unused)
{
	static struct care t;

	(void)unused;
	t = (struct care){ .asks_for = GO, .send = 10, .try = true };
	t.options.max_items = 10;
	t.options.overflow = TR_FAIL_FULL;
	play(&t);
	assert_int_equal(t.reason.code, TR_SHUTDOWN);
	assert_int_equal(t.handled, 10);
	assert_int_equal(kit_dead(&t.k.stats), 0);
}

static void
sends_and_posts_beyond_the_one_too_many_are_dead_letters(void **unused)
{
	static struct care t;

	(void)unused;
	for (int post = 0; post <= 1; post++) {
		t = (struct care){ .asks_for = GO, .send = 30, .post = post };
		t.options.max_items = 10;
		t.options.overflow = TR_FAIL_FULL;
		play(&t);
		assert_int_equal(t.reason.code, TR_EFULL);
		assert_int_equal(t.k.stats.dead[TR_DEAD_CLOSED], 11);
		assert_int_equal(t.k.stats.dead[TR_DEAD_FULL], 19);
	}
}

static void
asks_to_it_end_as_those_to_a_dead_or_a_full_one(void **unused)
{
	static struct care t;

	(void)unused;
	t = (struct care){ .asks_for = GO, .send = 30, .ask = true };
	t.options.max_items = 10;
	t.options.overflow = TR_FAIL_FULL;
	play(&t);
	assert_int_equal(t.reason.code, TR_EFULL);
	assert_int_equal(t.outcomes[0], 0);
	assert_int_equal(t.outcomes[1], 11);
	assert_int_equal(t.outcomes[2], 19);
}

/* Nothing waits for it, nobody has scheduled it: the message itself has to. */
static void
one_message_larger_than_the_bound_is_enough(void **unused)
{
	static struct care t;

	(void)unused;
	t = (struct care){ .asks_for = GO, .send = 1, .size = 4000 };
	t.options.max_bytes = 1000;
	t.options.overflow = TR_FAIL_FULL;
	play(&t);
	assert_int_equal(t.reason.code, TR_EFULL);
	assert_int_equal(t.k.stats.dead[TR_DEAD_CLOSED], 1);
}

/* ------------------------------------------------------------- misuse --- */

static void
bad_limits_are_refused(void **unused)
{
	const int64_t bad[] = { -1, TR_SECONDS(3600) + 1, INT64_MIN,
		INT64_MAX };
	struct kit k;

	(void)unused;
	kit_new(&k, 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int error = TR_OK;

		assert_false(
		    tr_ref_valid(tr_system_spawn(k.sys, &kit_idler, NULL,
			&(struct tr_spawn_options){ .max_handler_ns = bad[i],
			    .error = &error })));
		assert_int_equal(error, TR_EINVAL);
	}
	assert_int_equal(tr_system_free(k.sys), TR_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(
		    a_handler_beyond_its_limit_makes_the_actor_fail_when_it_returns),
		KIT_TEST(short_limits_are_told_in_microseconds),
		KIT_TEST(a_handler_can_ask_whether_it_is_over_its_limit),
		KIT_TEST(without_a_limit_a_handler_may_run_as_long_as_it_likes),
		KIT_TEST(within_the_limit_nothing_happens),
		KIT_TEST(an_end_of_its_own_goes_before_the_limit),
		KIT_TEST(start_has_the_same_limit_and_stop_runs_all_the_same),
		KIT_TEST(an_actor_fails_when_its_mailbox_goes_over_its_bound),
		KIT_TEST(within_the_bound_it_lives),
		KIT_TEST(
		    sends_and_posts_beyond_the_one_too_many_are_dead_letters),
		KIT_TEST(asks_to_it_end_as_those_to_a_dead_or_a_full_one),
		KIT_TEST(one_message_larger_than_the_bound_is_enough),
		KIT_TEST(bad_limits_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
