/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Handing messages on: the duty, the sender, the deadline and the cancel go
 * with them.
 *
 * A chain: the asker asks the first desk, each desk hands on to the next, the
 * last one does what the test says.
 */
#include "kit.h"

enum { REQUEST = 1, PLAIN, TICK, LOOK, RELEASE, OTHER };
enum { DESKS = 5 };

enum last {
	ANSWERS,
	HOLDS, /* keeps a token until the asker says RELEASE */
	HAS_ENDED,
	KEEPS_BUSY, /* works until the ask is cancelled */
	ANSWERS_SENDER,
};

struct chain {
	struct kit k;
	enum last last;
	bool taken; /* desks take the message first, hand it on later */
	int64_t deadline_ns; /* 0: none */
	bool cancel;
	tr_ref desk[DESKS];
	tr_ref asker;
	tr_ask_id ask;
	/* What was seen. */
	unsigned passed, outcomes;
	int outcome;
	uint64_t answer;
	bool from_last, sender_kept;
	int second, after_reply, stranger;
	int64_t deadline_set, deadline_seen;
	bool cancelled_before;
	atomic_bool cancelled_after;
	unsigned plain, ticks;
	tr_token token;
	atomic_bool busy;
};

struct desk {
	struct chain *chain;
	unsigned index;
	struct tr_msg *kept;
};

/* -------------------------------------------------------------- desks --- */

static int
desk_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	memcpy(state, arg, sizeof(struct desk));
	return TR_OK;
}

static int
desk_pass_on(struct desk *d, struct tr_self *self, const struct tr_msg *msg)
{
	struct chain *ch = d->chain;
	tr_ref next = ch->desk[d->index + 1];
	int rc;

	ch->passed++;
	if (ch->taken) {
		d->kept = tr_take(self, msg);
		KIT_CHECK(d->kept != NULL);
		kit_tell(self, tr_self_ref(self), LOOK);
		return TR_OK;
	}
	rc = tr_forward(self, next, msg);
	ch->second = tr_forward(self, next, msg);
	return rc;
}

static int
desk_last(struct desk *d, struct tr_self *self, const struct tr_msg *msg)
{
	struct chain *ch = d->chain;
	uint64_t value = kit_u64(msg) + 1;

	ch->deadline_seen = tr_deadline(self);
	ch->sender_kept = tr_ref_equal(tr_sender(msg), ch->asker);
	switch (ch->last) {
	case ANSWERS:
	case ANSWERS_SENDER:
		(void)tr_reply(self, msg, tr_tag(msg), &value, sizeof(value));
		if (ch->last == ANSWERS)
			ch->after_reply = tr_forward(self, ch->asker, msg);
		break;
	case HOLDS:
		ch->token = tr_reply_token(self);
		ch->cancelled_before = tr_token_cancelled(self, &ch->token);
		kit_tell(self, ch->asker, OTHER);
		break;
	case KEEPS_BUSY:
		ch->cancelled_before = tr_cancelled(self);
		atomic_store(&ch->busy, true);
		while (!tr_cancelled(self))
			sched_yield();
		atomic_store(&ch->cancelled_after, true);
		break;
	case HAS_ENDED: break;
	}
	return TR_OK;
}

static int
desk_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct desk *d = state;

	switch (tr_tag(msg)) {
	case LOOK:
		KIT_CHECK(tr_forward_msg(self, d->chain->desk[d->index + 1],
			      &d->kept) == TR_OK);
		KIT_CHECK(d->kept == NULL);
		KIT_CHECK(tr_forward_msg(self, d->chain->desk[0], &d->kept) ==
		    TR_EINVAL);
		return TR_OK;
	case RELEASE:
		atomic_store(&d->chain->cancelled_after,
		    tr_token_cancelled(self, &d->chain->token));
		(void)tr_token_reply(self, &d->chain->token, REQUEST, NULL, 0);
		return TR_OK;
	default: break;
	}
	if (d->index + 1 < DESKS)
		return desk_pass_on(d, self, msg);
	return desk_last(d, self, msg);
}

static const struct tr_behavior desk = {
	.name = "desk",
	.state_size = sizeof(struct desk),
	.arg_size = sizeof(struct desk),
	.start = desk_start,
	.receive = desk_receive,
};

/* -------------------------------------------------------------- asker --- */

static int
on_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct chain *ch = kit_ctx(state);

	(void)cookie;
	ch->outcomes++;
	ch->outcome = outcome;
	if (answer != NULL) {
		ch->answer = kit_u64(answer);
		ch->from_last =
		    tr_ref_equal(tr_sender(answer), ch->desk[DESKS - 1]);
	}
	if (ch->last == HOLDS) {
		kit_tell(self, ch->desk[DESKS - 1], RELEASE);
		return TR_OK;
	}
	return kit_finish(self);
}

static int
asker_start(struct tr_self *self, void *state, const void *arg)
{
	uint64_t value = 41;
	struct chain *ch;

	(void)kit_start_ctx(self, state, arg);
	ch = kit_ctx(state);
	ch->asker = tr_self_ref(self);
	for (unsigned i = 0; i < DESKS; i++)
		/* Away from the asker: one keeps its worker busy. */
		ch->desk[i] = tr_spawn(self, &desk,
		    &(struct desk){ .chain = ch, .index = i },
		    &(struct tr_spawn_options){ .placement = TR_PLACE_WORKER,
			.worker = 1 });
	if (ch->last == HAS_ENDED)
		(void)tr_kill(self, ch->desk[DESKS - 1]);
	if (ch->last == ANSWERS_SENDER)
		return tr_send(self, ch->desk[0], PLAIN, &value, sizeof(value));
	ch->deadline_set =
	    ch->deadline_ns == 0 ? tr_forever() : tr_in(self, ch->deadline_ns);
	ch->ask = tr_ask(self, ch->desk[0], REQUEST, &value, sizeof(value),
	    ch->deadline_set, on_answer, 0);
	if (ch->cancel && ch->last == KEEPS_BUSY)
		return tr_after(self, 0, TICK, 0) != 0 ? TR_OK : TR_ENOMEM;
	return ch->ask != 0 ? TR_OK : TR_ENOMEM;
}

static int
asker_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct chain *ch = kit_ctx(state);

	switch (tr_tag(msg)) {
	case PLAIN: /* the plain request's answer */
		ch->plain++;
		ch->answer = kit_u64(msg);
		ch->from_last =
		    tr_ref_equal(tr_sender(msg), ch->desk[DESKS - 1]);
		return kit_finish(self);
	case TICK:
		if (!atomic_load(&ch->busy))
			return tr_after(self, TR_MS(1), TICK, 0) != 0 ?
			    TR_OK :
			    TR_ENOMEM;
		return tr_cancel(self, ch->ask);
	case OTHER: /* the last desk holds it */
		if (ch->cancel)
			return tr_cancel(self, ch->ask);
		kit_tell(self, ch->desk[DESKS - 1], RELEASE);
		return TR_OK;
	default: return TR_OK;
	}
}

static const struct tr_behavior asker = {
	.name = "asker",
	.state_size = sizeof(void *),
	.start = asker_start,
	.receive = asker_receive,
};

static void
play(struct chain *ch, unsigned workers)
{
	kit_play(&ch->k, workers, &asker, ch);
}

/* -------------------------------------------------------------- tests --- */

static void
the_last_in_a_chain_answers_the_asker(void **unused)
{
	static struct chain ch;

	(void)unused;
	for (int taken = 0; taken < 2; taken++) {
		ch = (struct chain){ .last = ANSWERS, .taken = taken };
		play(&ch, 2);
		assert_int_equal(ch.passed, DESKS - 1);
		assert_int_equal(ch.outcomes, 1);
		assert_int_equal(ch.outcome, TR_OK);
		assert_int_equal(ch.answer, 42);
		assert_true(ch.from_last);
		assert_true(ch.sender_kept);
		assert_int_equal(ch.after_reply, TR_EINVAL);
		if (!taken)
			assert_int_equal(ch.second, TR_EINVAL);
	}
}

static void
a_plain_message_keeps_its_sender(void **unused)
{
	static struct chain ch;

	(void)unused;
	for (int taken = 0; taken < 2; taken++) {
		ch = (struct chain){ .last = ANSWERS_SENDER, .taken = taken };
		play(&ch, 2);
		assert_int_equal(ch.plain, 1);
		assert_int_equal(ch.answer, 42);
		assert_true(ch.from_last);
	}
}

static void
a_chain_that_ends_at_the_dead_ends_the_ask(void **unused)
{
	static struct chain ch;

	(void)unused;
	for (int taken = 0; taken < 2; taken++) {
		ch = (struct chain){ .last = HAS_ENDED, .taken = taken };
		play(&ch, 2);
		assert_int_equal(ch.outcomes, 1);
		assert_true(
		    ch.outcome == TR_EDEAD || ch.outcome == TR_ENOREPLY);
	}
}

static void
the_deadline_goes_along(void **unused)
{
	static struct chain ch;

	(void)unused;
	for (int taken = 0; taken < 2; taken++) {
		ch = (struct chain){ .last = ANSWERS,
			.taken = taken,
			.deadline_ns = TR_SECONDS(100) };
		play(&ch, 2);
		assert_int_equal(ch.outcome, TR_OK);
		assert_true(ch.deadline_seen == ch.deadline_set);
	}
}

static void
cancel_reaches_the_last_one_at_work(void **unused)
{
	static struct chain ch;

	(void)unused;
	ch = (struct chain){ .last = KEEPS_BUSY, .cancel = true };
	play(&ch, 2);
	assert_int_equal(ch.outcomes, 1);
	assert_int_equal(ch.outcome, TR_ECANCELED);
	assert_false(ch.cancelled_before);
	assert_true(atomic_load(&ch.cancelled_after));
}

static void
a_token_knows_that_its_ask_was_cancelled(void **unused)
{
	static struct chain ch;

	(void)unused;
	ch = (struct chain){ .last = HOLDS, .cancel = true };
	kit_new(&ch.k, 2);
	(void)kit_root(&ch.k, &asker, &ch);
	kit_begin(&ch.k);
	for (int i = 0; i < 20000 && !atomic_load(&ch.cancelled_after); i++)
		kit_nap();
	kit_stop(&ch.k);
	assert_int_equal(ch.outcomes, 1);
	assert_int_equal(ch.outcome, TR_ECANCELED);
	assert_false(ch.cancelled_before);
	assert_true(atomic_load(&ch.cancelled_after));
}

/* ------------------------------------------------ the earlier deadline -- */

/*
 * A desk keeps one ask, and hands it on while it handles another that has an
 * earlier deadline.  The last one sees that deadline; or, if it looks too
 * late, never sees the request, and the asker is told although it would have
 * waited longer.
 */
struct shrink {
	struct kit k;
	bool expires;
	tr_ref keeper, last;
	int64_t late, early, seen;
	unsigned handled, outcomes;
	int outcome[2];
};

static int
last_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct shrink *h = kit_ctx(state);

	if (tr_tag(msg) != REQUEST)
		return TR_OK;
	h->handled++;
	h->seen = tr_deadline(self);
	return tr_reply(self, msg, REQUEST, NULL, 0);
}

static const struct tr_behavior last_behavior = {
	.name = "last",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = last_receive,
};

struct keeper {
	struct shrink *shrink;
	struct tr_msg *kept;
};

static int
keeper_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct keeper *k = state;

	if (tr_tag(msg) == REQUEST) {
		k->kept = tr_take(self, msg);
		return k->kept != NULL ? TR_OK : TR_ENOMEM;
	}
	/*
	 * Longer than the earlier deadline, if it is to be missed.  A worker
	 * looks at its clock every so many messages.
	 */
	if (k->shrink->expires) {
		kit_spin_for(self, k->shrink->early - tr_now(self));
		for (int i = 0; i < 100; i++)
			kit_tell(self, k->shrink->last, LOOK);
	}
	KIT_CHECK(tr_forward_msg(self, k->shrink->last, &k->kept) == TR_OK);
	return tr_reply(self, msg, OTHER, NULL, 0);
}

static const struct tr_behavior keeper_behavior = {
	.name = "keeper",
	.state_size = sizeof(struct keeper),
	.start = kit_start_ctx,
	.receive = keeper_receive,
};

static int
shrink_outcome(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct shrink *h = kit_ctx(state);

	(void)answer;
	h->outcome[cookie] = outcome;
	return ++h->outcomes == 2 ? kit_finish(self) : TR_OK;
}

static int
shrink_start(struct tr_self *self, void *state, const void *arg)
{
	struct shrink *h;

	(void)kit_start_ctx(self, state, arg);
	h = kit_ctx(state);
	h->last = tr_spawn(self, &last_behavior, h, NULL);
	h->keeper = tr_spawn(self, &keeper_behavior, h, NULL);
	h->late = tr_in(self, TR_SECONDS(1000));
	h->early = tr_in(self, h->expires ? TR_MS(50) : TR_SECONDS(100));
	return tr_ask(self, h->keeper, REQUEST, NULL, 0, h->late,
		   shrink_outcome, 0) != 0 &&
		tr_ask(self, h->keeper, PLAIN, NULL, 0, h->early,
		    shrink_outcome, 1) != 0 ?
	    TR_OK :
	    TR_ENOMEM;
}

static const struct tr_behavior shrink_root = {
	.name = "asker",
	.state_size = sizeof(void *),
	.start = shrink_start,
	.receive = kit_ignore,
};

static void
handed_on_in_another_ask_the_earlier_deadline_counts(void **unused)
{
	static struct shrink h;

	(void)unused;
	h = (struct shrink){ 0 };
	kit_play(&h.k, 2, &shrink_root, &h);
	assert_true(h.seen == h.early);
	assert_int_equal(h.outcome[0], TR_OK);
	assert_int_equal(h.outcome[1], TR_OK);
}

static void
what_expires_by_the_earlier_deadline_is_told(void **unused)
{
	static struct shrink h;

	(void)unused;
	h = (struct shrink){ .expires = true };
	kit_play(&h.k, 2, &shrink_root, &h);
	assert_int_equal(h.handled, 0);
	assert_int_equal(h.outcome[0], TR_ETIMEDOUT);
	assert_int_equal(h.k.stats.dead[TR_DEAD_EXPIRED], 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(the_last_in_a_chain_answers_the_asker),
		KIT_TEST(a_plain_message_keeps_its_sender),
		KIT_TEST(a_chain_that_ends_at_the_dead_ends_the_ask),
		KIT_TEST(the_deadline_goes_along),
		KIT_TEST(cancel_reaches_the_last_one_at_work),
		KIT_TEST(a_token_knows_that_its_ask_was_cancelled),
		KIT_TEST(handed_on_in_another_ask_the_earlier_deadline_counts),
		KIT_TEST(what_expires_by_the_earlier_deadline_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
