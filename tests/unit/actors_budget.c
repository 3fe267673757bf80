/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The byte budget: what is refused beyond it, and that it recovers.
 *
 * A hoarder takes messages until the pressure is there, then tries everything,
 * then lets go of them.  Between these it lets its worker poll: by a timer.
 */
#include "kit.h"

enum { TRY, EASE, AFTER, ITEM, ASKED };
enum { SOFT = 4 << 20, HARD = 8 << 20, PIECE = 64 << 10, PIECES = 400 };

struct budget {
	struct kit k;
	tr_ref other;
	struct tr_msg *hoard[PIECES];
	unsigned hoarded;
	enum tr_pressure seen[8]; /* as the hook was told */
	unsigned n_seen;
	uint64_t bytes[8];
	enum tr_pressure at_try, at_end;
	int try_send, try_msg, post, spawn, outcome;
	int after_send, after_post;
	bool kept; /* the message of a refused try */
	unsigned received;
};

static void
on_pressure(struct tr_system *sys, enum tr_pressure pressure, uint64_t bytes,
    void *ctx)
{
	struct budget *b = ctx; /* the kit, its first member */

	(void)sys;
	b->bytes[b->n_seen % 8] = bytes;
	b->seen[b->n_seen++ % 8] = pressure;
}

static int
other_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct budget *b = kit_ctx(state);

	b->received++;
	if (tr_tag(msg) == ASKED)
		return tr_reply(self, msg, ASKED, NULL, 0);
	return TR_OK;
}

static const struct tr_behavior other = {
	.name = "other",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = other_receive,
};

static int
on_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct budget *b = kit_ctx(state);

	(void)self;
	(void)answer;
	(void)cookie;
	b->outcome = outcome;
	return TR_OK;
}

static void
fill(struct budget *b, struct tr_self *self)
{
	while (b->hoarded < PIECES && b->hoarded * PIECE <= HARD) {
		struct tr_msg *m = tr_msg_new(self, ITEM, PIECE, NULL);

		KIT_CHECK(m != NULL);
		b->hoard[b->hoarded++] = m;
	}
}

static void
try_all(struct budget *b, struct tr_self *self)
{
	struct tr_msg *m = tr_msg_new(self, ITEM, 8, NULL);
	int error = TR_OK;

	KIT_CHECK(m != NULL);
	b->at_try = tr_pressure(b->k.sys);
	(void)tr_send(self, b->other, ITEM, NULL, 0);
	b->try_send = tr_try_send(self, b->other, ITEM, NULL, 0);
	b->try_msg = tr_try_send_msg(self, b->other, &m);
	b->kept = m != NULL;
	(void)tr_send_msg(self, b->other, &m);
	b->post = tr_post(b->k.sys, b->other, ITEM, NULL, 0);
	(void)tr_spawn(self, &kit_idler, NULL,
	    &(struct tr_spawn_options){ .error = &error });
	b->spawn = error;
	KIT_CHECK(tr_ask(self, b->other, ASKED, NULL, 0, tr_forever(),
		      on_answer, 0) != 0);
}

static int
hoarder_start(struct tr_self *self, void *state, const void *arg)
{
	struct budget *b;

	(void)kit_start_ctx(self, state, arg);
	b = kit_ctx(state);
	b->other = tr_spawn(self, &other, b, NULL);
	fill(b, self);
	return tr_after(self, TR_MS(20), TRY, 0) != 0 ? TR_OK : TR_ENOMEM;
}

static int
hoarder_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct budget *b = kit_ctx(state);
	uint32_t next = 0;

	switch (tr_tag(msg)) {
	case TRY:
		try_all(b, self);
		next = EASE;
		break;
	case EASE:
		while (b->hoarded > 0)
			tr_msg_drop(&b->hoard[--b->hoarded]);
		next = AFTER;
		break;
	case AFTER:
		b->at_end = tr_pressure(b->k.sys);
		b->after_send = tr_try_send(self, b->other, ITEM, NULL, 0);
		b->after_post = tr_post(b->k.sys, b->other, ITEM, NULL, 0);
		return kit_finish(self);
	default: return TR_OK;
	}
	return tr_after(self, TR_MS(20), next, 0) != 0 ? TR_OK : TR_ENOMEM;
}

static const struct tr_behavior hoarder = {
	.name = "hoarder",
	.state_size = sizeof(void *),
	.start = hoarder_start,
	.receive = hoarder_receive,
};

static void
run_with(struct budget *b, uint64_t soft, uint64_t hard)
{
	memset(b, 0, sizeof(*b));
	kit_new_with(&b->k,
	    (struct tr_options){ .workers = 2,
		.soft_bytes = soft,
		.hard_bytes = hard,
		.on_pressure = on_pressure });
	(void)kit_root(&b->k, &hoarder, b);
	kit_run(&b->k);
}

static void
beyond_the_hard_limit_new_messages_are_refused(void **unused)
{
	static struct budget b;

	(void)unused;
	run_with(&b, 0, HARD);
	assert_int_equal(b.at_try, TR_PRESSURE_HARD);
	assert_int_equal(b.try_send, TR_EFULL);
	assert_int_equal(b.try_msg, TR_EFULL);
	assert_true(b.kept);
	assert_int_equal(b.post, TR_EFULL);
	assert_int_equal(b.spawn, TR_EFULL);
	assert_int_equal(b.outcome, TR_EFULL);
	/* The plain send, the owned message, the ask's request. */
	assert_int_equal(b.k.stats.dead[TR_DEAD_BUDGET], 3);
	assert_int_equal(b.at_end, TR_PRESSURE_NONE);
	assert_int_equal(b.after_send, TR_OK);
	assert_int_equal(b.after_post, TR_OK);
	assert_int_equal(b.received, 2);
	assert_int_equal(b.n_seen, 2);
	assert_int_equal(b.seen[0], TR_PRESSURE_HARD);
	assert_int_equal(b.seen[1], TR_PRESSURE_NONE);
	assert_true(b.bytes[0] >= HARD);
	assert_true(b.bytes[1] < HARD);
}

static void
the_soft_limit_only_tells(void **unused)
{
	static struct budget b;

	(void)unused;
	run_with(&b, SOFT, 0);
	assert_int_equal(b.at_try, TR_PRESSURE_SOFT);
	assert_int_equal(b.try_send, TR_OK);
	assert_int_equal(b.post, TR_OK);
	assert_int_equal(b.spawn, TR_OK);
	assert_int_equal(b.outcome, TR_OK);
	assert_int_equal(b.k.stats.dead[TR_DEAD_BUDGET], 0);
	assert_int_equal(b.at_end, TR_PRESSURE_NONE);
	assert_int_equal(b.n_seen, 2);
	assert_int_equal(b.seen[0], TR_PRESSURE_SOFT);
}

static void
without_a_budget_there_is_no_pressure(void **unused)
{
	static struct budget b;

	(void)unused;
	run_with(&b, 0, 0);
	assert_int_equal(b.at_try, TR_PRESSURE_NONE);
	assert_int_equal(b.try_send, TR_OK);
	assert_int_equal(b.n_seen, 0);
}

static void
everything_in_use_is_counted_and_given_back(void **unused)
{
	static struct budget b;

	(void)unused;
	run_with(&b, SOFT, 0);
	assert_true(b.bytes[0] >= SOFT);
	assert_int_equal(b.k.stats.live_bytes, 0);
}

static void
a_hard_limit_below_the_soft_one_is_refused(void **unused)
{
	struct tr_system *sys;
	struct tr_options o = { .soft_bytes = 2, .hard_bytes = 1 };

	(void)unused;
	assert_int_equal(tr_system_new(&sys, &o), TR_EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(beyond_the_hard_limit_new_messages_are_refused),
		KIT_TEST(the_soft_limit_only_tells),
		KIT_TEST(without_a_budget_there_is_no_pressure),
		KIT_TEST(everything_in_use_is_counted_and_given_back),
		KIT_TEST(a_hard_limit_below_the_soft_one_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
