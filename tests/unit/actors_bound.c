/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bounded mailboxes: what is refused, what is dropped, what always passes.
 *
 * Root and receiver are pinned to one worker, so the receiver handles nothing
 * while the root sends: what waits is exactly what was admitted.
 */
#include "actors/system.h"
#include "kit.h"

enum { ITEM = 1, ASKED, TICK, GO, CHECK, LAST };

struct bound {
	struct kit k;
	struct tr_spawn_options options;
	unsigned send; /* how many */
	size_t size; /* payload of each */
	bool ask, post, try; /* instead of plain sends */
	tr_ref receiver;
	int rc[64];
	unsigned full, dead, ok; /* what try_send said */
	unsigned outcomes[3]; /* answered, EFULL, other */
	uint64_t seen[64];
	unsigned n_seen;
	unsigned ticks, late;
	int late_rc;
	char payload[4096];
};

/* ----------------------------------------------------------- receiver --- */

static int
receiver_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct bound *b = kit_ctx(state);

	switch (tr_tag(msg)) {
	case ITEM:
		if (b->n_seen < 64)
			b->seen[b->n_seen] = kit_u64(msg);
		b->n_seen++;
		break;
	case ASKED: return tr_reply(self, msg, ASKED, NULL, 0);
	case TICK: b->ticks++; break;
	default: break;
	}
	return TR_OK;
}

static int
receiver_start(struct tr_self *self, void *state, const void *arg)
{
	(void)kit_start_ctx(self, state, arg);
	/* Its tick comes while the mailbox is full. */
	return tr_after(self, 0, TICK, 0) != 0 ? TR_OK : TR_ENOMEM;
}

static const struct tr_behavior receiver = {
	.name = "receiver",
	.state_size = sizeof(void *),
	.start = receiver_start,
	.receive = receiver_receive,
};

/* --------------------------------------------------------------- root --- */

static int
on_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct bound *b = kit_ctx(state);

	(void)self;
	(void)answer;
	(void)cookie;
	b->outcomes[outcome == TR_OK ? 0 : outcome == TR_EFULL ? 1 : 2]++;
	return TR_OK;
}

static void
send_one(struct bound *b, struct tr_self *self, uint64_t i)
{
	int rc = TR_OK;

	memcpy(b->payload, &i, sizeof(i));
	if (b->ask) {
		if (tr_ask(self, b->receiver, ASKED, b->payload, b->size,
			tr_forever(), on_answer, 0) == 0)
			rc = TR_ENOMEM;
	} else if (b->post) {
		rc = tr_post(b->k.sys, b->receiver, ITEM, b->payload, b->size);
	} else if (b->try) {
		rc = tr_try_send(self, b->receiver, ITEM, b->payload, b->size);
	} else {
		rc = tr_send(self, b->receiver, ITEM, b->payload, b->size);
	}
	b->ok += rc == TR_OK;
	b->full += rc == TR_EFULL;
	b->dead += rc == TR_EDEAD;
}

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct bound *b;

	(void)kit_start_ctx(self, state, arg);
	b = kit_ctx(state);
	b->options.placement = TR_PLACE_PINNED;
	b->receiver = tr_spawn(self, &receiver, b, &b->options);
	if (!tr_ref_valid(b->receiver))
		return TR_EINVAL;
	/* Let it start first. */
	return tr_after(self, TR_MS(5), GO, 0) != 0 ? TR_OK : TR_ENOMEM;
}

static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct bound *b = kit_ctx(state);

	switch (tr_tag(msg)) {
	case GO:
		for (unsigned i = 0; i < b->send; i++)
			send_one(b, self, i);
		return tr_after(self, TR_MS(5), CHECK, 0) != 0 ? TR_OK :
								 TR_ENOMEM;
	case CHECK:
		/* Once it has handled some there is room again. */
		b->late_rc = tr_try_send(self, b->receiver, LAST, NULL, 0);
		if (b->late_rc == TR_EFULL)
			return tr_after(self, TR_MS(5), CHECK, 0) != 0 ?
			    TR_OK :
			    TR_ENOMEM;
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
play(struct bound *b)
{
	struct tri_intake *in;

	kit_new(&b->k, 1);
	(void)kit_root(&b->k, &root, b);
	b->k.run_rc = tr_system_run(b->k.sys, &b->k.report);
	in = tri_table_at(&b->k.sys->actors, TRI_ACTOR_INTAKE,
	    tri_ref_slot(b->receiver));
	assert_true(tri_load_relaxed(&in->waiting) == 0);
	kit_end(&b->k);
	assert_int_equal(b->late_rc, TR_OK);
}

/* -------------------------------------------------------------- tests --- */

static void
a_full_mailbox_refuses(void **unused)
{
	static struct bound b;

	(void)unused;
	b = (struct bound){ .send = 30, .size = 8, .try = true };
	b.options.max_items = 10;
	play(&b);
	assert_int_equal(b.ok, 10);
	assert_int_equal(b.full, 20);
	assert_int_equal(b.n_seen, 10);
	assert_int_equal(b.seen[9], 9);
	assert_int_equal(kit_dead(&b.k.stats), 0);
}

static void
plain_sends_to_a_full_mailbox_are_dead_letters(void **unused)
{
	static struct bound b;

	(void)unused;
	b = (struct bound){ .send = 30, .size = 8 };
	b.options.max_items = 10;
	play(&b);
	assert_int_equal(b.ok, 30);
	assert_int_equal(b.n_seen, 10);
	assert_int_equal(b.k.stats.dead[TR_DEAD_FULL], 20);
	assert_int_equal(kit_letters(&b.k, TR_DEAD_FULL, ITEM), 20);
}

static void
posts_to_a_full_mailbox_are_dead_letters(void **unused)
{
	static struct bound b;

	(void)unused;
	b = (struct bound){ .send = 30, .size = 8, .post = true };
	b.options.max_items = 10;
	play(&b);
	assert_int_equal(b.n_seen, 10);
	assert_int_equal(b.k.stats.dead[TR_DEAD_FULL], 20);
}

static void
bytes_are_bounded_with_their_headers(void **unused)
{
	static struct bound b;

	(void)unused;
	b = (struct bound){ .send = 30, .size = 1000, .try = true };
	b.options.max_bytes = 5 * 1032;
	play(&b);
	assert_int_equal(b.ok, 5);
	assert_int_equal(b.full, 25);
	assert_int_equal(b.n_seen, 5);
}

static void
a_message_larger_than_the_bound_never_fits(void **unused)
{
	static struct bound b;

	(void)unused;
	b = (struct bound){ .send = 1, .size = 4000, .try = true };
	b.options.max_bytes = 4000;
	play(&b);
	assert_int_equal(b.full, 1);
}

static void
drop_new_keeps_the_first(void **unused)
{
	static struct bound b;

	(void)unused;
	b = (struct bound){ .send = 30, .size = 8, .try = true };
	b.options.max_items = 10;
	b.options.overflow = TR_DROP_NEW;
	play(&b);
	assert_int_equal(b.ok, 30); /* the sender is not told */
	assert_int_equal(b.n_seen, 10);
	assert_int_equal(b.seen[0], 0);
	assert_int_equal(b.seen[9], 9);
	assert_int_equal(b.k.stats.dead[TR_DEAD_DROPPED], 20);
}

static void
drop_old_keeps_the_last_of_twice_as_many(void **unused)
{
	static struct bound b;

	(void)unused;
	b = (struct bound){ .send = 30, .size = 8 };
	b.options.max_items = 10;
	b.options.overflow = TR_DROP_OLD;
	play(&b);
	assert_int_equal(b.n_seen, 10);
	assert_int_equal(b.seen[0], 10);
	assert_int_equal(b.seen[9], 19);
	assert_int_equal(b.k.stats.dead[TR_DEAD_DROPPED], 20);
}

static void
drop_old_drops_nothing_within_the_bound(void **unused)
{
	static struct bound b;

	(void)unused;
	b = (struct bound){ .send = 10, .size = 8 };
	b.options.max_items = 10;
	b.options.overflow = TR_DROP_OLD;
	play(&b);
	assert_int_equal(b.n_seen, 10);
	assert_int_equal(b.seen[0], 0);
	assert_int_equal(kit_dead(&b.k.stats), 0);
}

static void
asks_that_do_not_fit_end_with_full(void **unused)
{
	static struct bound b;

	(void)unused;
	for (int policy = TR_REJECT; policy <= TR_DROP_OLD; policy++) {
		b = (struct bound){ .send = 30, .size = 8, .ask = true };
		b.options.max_items = 10;
		b.options.overflow = (enum tr_overflow)policy;
		play(&b);
		assert_int_equal(b.outcomes[0], 10);
		assert_int_equal(b.outcomes[1], 20);
		assert_int_equal(b.outcomes[2], 0);
	}
}

static void
ticks_and_stop_pass_a_full_mailbox(void **unused)
{
	static struct bound b;

	(void)unused;
	b = (struct bound){ .send = 30, .size = 8 };
	b.options.max_items = 1;
	play(&b);
	assert_int_equal(b.ticks, 1);
	assert_int_equal(b.n_seen, 1);
}

static void
bad_bounds_are_refused(void **unused)
{
	static struct bound b;
	struct tr_spawn_options bad[] = {
		{ .max_items = (1u << 22) + 1 },
		{ .max_bytes = ((size_t)1 << 38) + 1 },
		{ .max_items = 1, .overflow = (enum tr_overflow)4 },
	};

	(void)unused;
	kit_new(&b.k, 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int error = TR_OK;

		bad[i].error = &error;
		assert_false(tr_ref_valid(
		    tr_system_spawn(b.k.sys, &kit_idler, NULL, &bad[i])));
		assert_int_equal(error, TR_EINVAL);
	}
	assert_int_equal(tr_system_free(b.k.sys), TR_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(a_full_mailbox_refuses),
		KIT_TEST(plain_sends_to_a_full_mailbox_are_dead_letters),
		KIT_TEST(posts_to_a_full_mailbox_are_dead_letters),
		KIT_TEST(bytes_are_bounded_with_their_headers),
		KIT_TEST(a_message_larger_than_the_bound_never_fits),
		KIT_TEST(drop_new_keeps_the_first),
		KIT_TEST(drop_old_keeps_the_last_of_twice_as_many),
		KIT_TEST(drop_old_drops_nothing_within_the_bound),
		KIT_TEST(asks_that_do_not_fit_end_with_full),
		KIT_TEST(ticks_and_stop_pass_a_full_mailbox),
		KIT_TEST(bad_bounds_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
