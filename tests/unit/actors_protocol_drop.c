/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages whose trait is a drop function: whatever becomes of one, and
 * whatever the function that was given it returns, it is dropped exactly once.
 */
#include "kit.h"
#include "rig_protocol.h"

enum {
	SENT, /* from here on: what the store does with it, see on_upload */
	TRIED,
	POSTED,
	ASKED,
	TAKEN,
	TOKEN,
	EXPIRED,
	BEHIND_THE_END,
	ASKED_BEHIND_THE_END,
	SENT_DEAD,
	TRIED_DEAD,
	ASKED_DEAD,
	POSTED_DEAD,
	REPLY_PLAIN,
	REPLY_NOBODY,
	REPLY_ASK,
	REPLY_ASK_TWICE,
	REPLY_TAKEN,
	REPLY_TOKEN,
	REPLY_TOKEN_TWICE,
	REPLY_NOTHING,
	UNHANDLED,
	THINGS
};

struct store {
	bank_ref store, lazy;
	struct rig_thing thing[THINGS];
	int rc[THINGS];
	int outcome[THINGS];
	int answers; /* that carried an upload */
	int uploads;
	int outcomes;
};

static struct bank_upload
upload(struct store *s, int which)
{
	return (struct bank_upload){ &s->thing[which] };
}

/* --------------------------------------------------------- the callee --- */

struct keeper {
	struct store *s;
};

static int
on_upload(struct tr_self *self, struct keeper *k, const struct bank_upload *m)
{
	struct store *s = k->s;
	struct tr_msg *msg;
	tr_token token;

	s->uploads++;
	switch (m->thing - s->thing) {
	case SENT:
		s->rc[REPLY_PLAIN] =
		    bank_reply_upload(self, upload(s, REPLY_PLAIN));
		break;
	case POSTED:
		s->rc[REPLY_NOBODY] =
		    bank_reply_upload(self, upload(s, REPLY_NOBODY));
		break;
	case ASKED:
		s->rc[REPLY_ASK] =
		    bank_reply_upload(self, upload(s, REPLY_ASK));
		s->rc[REPLY_ASK_TWICE] =
		    bank_reply_upload(self, upload(s, REPLY_ASK_TWICE));
		break;
	case TAKEN:
		msg = tr_take(self, tr_msg_in_hand(self));
		s->rc[REPLY_TAKEN] =
		    bank_reply_to_upload(self, msg, upload(s, REPLY_TAKEN));
		tr_msg_drop(&msg);
		break;
	case TOKEN:
		token = tr_reply_token(self);
		s->rc[REPLY_TOKEN] = bank_token_reply_upload(self, &token,
		    upload(s, REPLY_TOKEN));
		s->rc[REPLY_TOKEN_TWICE] = bank_token_reply_upload(self, &token,
		    upload(s, REPLY_TOKEN_TWICE));
		break;
	}
	return TR_OK;
}

static int
on_ping(struct tr_self *self, struct keeper *k)
{
	(void)k;
	return tr_exit(self, TR_NORMAL);
}

TR_ACTOR(keeper, struct keeper, bank, BANK, .upload = on_upload,
    .ping = on_ping);
TR_ACTOR(lazy, struct keeper, bank, BANK, .ping = on_ping);

static const struct tr_behavior keeper = {
	.name = "keeper",
	.state_size = sizeof(struct keeper),
	.start = kit_start_ctx,
	.receive = keeper_receive,
	.protocol = &bank_protocol,
}, lazy = {
	.name = "lazy",
	.state_size = sizeof(struct keeper),
	.receive = lazy_receive,
	.protocol = &bank_protocol,
};

/* --------------------------------------------------------- the caller --- */

static int
root_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct store *s = kit_ctx(state);

	s->outcome[cookie] = outcome;
	s->answers += bank_is_upload(answer);
	if (++s->outcomes == 6)
		return kit_finish(self);
	if (cookie != ASKED_BEHIND_THE_END)
		return TR_OK;
	/* The store has ended. */
	s->rc[SENT_DEAD] =
	    bank_send_upload(self, s->store, upload(s, SENT_DEAD));
	s->rc[TRIED_DEAD] =
	    bank_try_send_upload(self, s->store, upload(s, TRIED_DEAD));
	return bank_ask_upload(self, s->store, upload(s, ASKED_DEAD),
		   tr_forever(), root_answer, ASKED_DEAD) == 0 ?
	    TR_ENOMEM :
	    TR_OK;
}

static void
root_ask(struct tr_self *self, struct store *s, int which, int64_t deadline)
{
	if (bank_ask_upload(self, s->store, upload(s, which), deadline,
		root_answer, (uintptr_t)which) == 0)
		abort();
}

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct store *s;

	(void)kit_start_ctx(self, state, arg);
	s = kit_ctx(state);
	s->rc[REPLY_NOTHING] =
	    bank_reply_upload(self, upload(s, REPLY_NOTHING));
	s->rc[UNHANDLED] =
	    bank_send_upload(self, s->lazy, upload(s, UNHANDLED));
	s->rc[SENT] = bank_send_upload(self, s->store, upload(s, SENT));
	s->rc[TRIED] = bank_try_send_upload(self, s->store, upload(s, TRIED));
	root_ask(self, s, ASKED, tr_forever());
	root_ask(self, s, TAKEN, tr_in(self, TR_SECONDS(1000)));
	root_ask(self, s, TOKEN, tr_forever());
	root_ask(self, s, EXPIRED, 1);
	(void)bank_send_ping(self, s->store);
	s->rc[BEHIND_THE_END] =
	    bank_send_upload(self, s->store, upload(s, BEHIND_THE_END));
	root_ask(self, s, ASKED_BEHIND_THE_END, tr_forever());
	return TR_OK;
}

static const struct tr_behavior root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = root_start,
	.receive = kit_ignore,
};

static void
check_results(const struct store *s)
{
	for (int i = 0; i < THINGS; i++)
		assert_int_equal(s->rc[i],
		    i == TRIED_DEAD ? TR_EDEAD :
			i == REPLY_ASK_TWICE || i == REPLY_TOKEN_TWICE ||
			    i == REPLY_NOTHING ?
				      TR_EINVAL :
				      TR_OK);
	assert_int_equal(s->outcome[ASKED], TR_OK);
	assert_int_equal(s->outcome[TAKEN], TR_OK);
	assert_int_equal(s->outcome[TOKEN], TR_OK);
	assert_int_equal(s->outcome[EXPIRED], TR_ETIMEDOUT);
	assert_int_equal(s->outcome[ASKED_BEHIND_THE_END], TR_EDEAD);
	assert_int_equal(s->outcome[ASKED_DEAD], TR_EDEAD);
	assert_int_equal(s->answers, 3);
	assert_int_equal(s->uploads, 6);
}

static void
whatever_becomes_of_a_message_it_is_dropped_once(void **unused)
{
	struct store *s;
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 2; workers++) {
		s = calloc(1, sizeof(*s));
		assert_non_null(s);
		kit_new(&k, workers);
		s->store = bank_system_spawn(k.sys, &keeper, s, NULL);
		s->lazy = bank_system_spawn(k.sys, &lazy, NULL, NULL);
		s->rc[POSTED] =
		    bank_post_upload(k.sys, s->store, upload(s, POSTED));
		s->rc[POSTED_DEAD] =
		    bank_post_upload(k.sys, bank_none, upload(s, POSTED_DEAD));
		(void)kit_root(&k, &root, s);
		kit_run(&k);
		check_results(s);
		assert_int_equal(k.stats.dead[TR_DEAD_NO_SENDER], 1);
		assert_int_equal(k.stats.dead[TR_DEAD_UNHANDLED], 1);
		for (int i = 0; i < THINGS; i++)
			assert_int_equal(atomic_load(&s->thing[i].drops), 1);
		free(s);
	}
}

/* ------------------------------------------------------ never a message --- */

static void
a_post_that_is_refused_is_dropped(void **unused)
{
	struct store s = { .uploads = 0 };
	struct kit k;

	(void)unused;
	kit_new(&k, 1);
	(void)kit_root(&k, &kit_idler, NULL);
	assert_int_equal(tr_system_stop(k.sys, tr_forever()), TR_OK);
	assert_int_equal(bank_post_upload(k.sys, bank_none, upload(&s, 0)),
	    TR_ESTOPPING);
	assert_int_equal(atomic_load(&s.thing[0].drops), 1);
	kit_run(&k);
}

static int
large_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct store *s = kit_ctx(state);
	bank_ref me = bank_of(tr_self_ref(self));
	tr_token token;

	(void)msg;
	s->rc[0] = bank_send_upload(self, me, upload(s, 0));
	s->rc[1] = bank_try_send_upload(self, me, upload(s, 1));
	s->rc[2] = bank_ask_upload(self, me, upload(s, 2), tr_forever(),
		       root_answer, 0) == 0 ?
	    -1 :
	    0;
	s->rc[3] = bank_reply_upload(self, upload(s, 3));
	token = tr_reply_token(self);
	s->rc[4] = bank_token_reply_upload(self, &token, upload(s, 4));
	assert_true(token.bits != 0);
	(void)tr_token_reply_error(self, &token, TR_EFULL);
	s->rc[5] = bank_ask_upload(self, me, upload(s, 5), tr_forever(), NULL,
		       0) == 0 ?
	    -1 :
	    0;
	return TR_OK;
}

static const struct tr_behavior large = {
	.name = "large",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = large_receive,
};

static int
large_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct store *s = kit_ctx(state);

	(void)answer;
	(void)cookie;
	s->outcome[0] = outcome;
	return kit_finish(self);
}

static int
large_root_start(struct tr_self *self, void *state, const void *arg)
{
	(void)kit_start_ctx(self, state, arg);
	return tr_ask(self, tr_spawn(self, &large, arg, NULL), 1, NULL, 0,
		   tr_forever(), large_answer, 0) == 0 ?
	    TR_ENOMEM :
	    TR_OK;
}

static const struct tr_behavior large_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = large_root_start,
	.receive = kit_ignore,
};

static void
one_too_large_to_become_a_message_is_dropped(void **unused)
{
	struct store s = { .uploads = 0 };
	struct kit k;

	(void)unused;
	kit_new_with(&k,
	    (struct tr_options){ .workers = 1, .max_message_bytes = 4 });
	(void)kit_root(&k, &large_root, &s);
	assert_int_equal(bank_post_upload(k.sys, bank_none, upload(&s, 6)),
	    TR_EINVAL);
	kit_run(&k);
	for (int i = 0; i < 6; i++)
		assert_true(s.rc[i] < 0);
	for (int i = 0; i < 7; i++)
		assert_int_equal(atomic_load(&s.thing[i].drops), 1);
	/* Neither try had used the duty up. */
	assert_int_equal(s.outcome[0], TR_EFULL);
}

/* ----------------------------------------------- refused by a bound --- */

enum { HARD = 8 << 20, PIECE = 64 << 10, PIECES = HARD / PIECE + 1, TICK = 3 };

struct full {
	struct store s;
	struct tr_msg *hoard[PIECES];
	bool budget; /* else a bound of the mailbox */
};

static int
full_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct full *f = kit_ctx(state);

	(void)answer;
	(void)cookie;
	f->s.outcome[0] = outcome;
	for (int i = 0; i < PIECES; i++)
		tr_msg_drop(&f->hoard[i]);
	return kit_finish(self);
}

static int
full_try_all(struct tr_self *self, struct full *f)
{
	struct store *s = &f->s;

	s->rc[0] = bank_send_upload(self, s->store, upload(s, 0));
	s->rc[1] = bank_try_send_upload(self, s->store, upload(s, 1));
	s->rc[2] = bank_post_upload(tr_system_of(self), s->store, upload(s, 2));
	return bank_ask_upload(self, s->store, upload(s, 3), tr_forever(),
		   full_answer, 0) == 0 ?
	    TR_ENOMEM :
	    TR_OK;
}

/* The budget is looked at between two turns. */
static int
full_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct full *f = kit_ctx(state);

	(void)msg;
	if (tr_pressure(tr_system_of(self)) == TR_PRESSURE_HARD)
		return full_try_all(self, f);
	return tr_after(self, TR_MS(1), TICK, 0) == 0 ? TR_ENOMEM : TR_OK;
}

static int
full_start(struct tr_self *self, void *state, const void *arg)
{
	struct full *f;

	(void)kit_start_ctx(self, state, arg);
	f = kit_ctx(state);
	f->s.store = bank_spawn(self, &lazy, NULL,
	    &(struct tr_spawn_options){ .max_items = f->budget ? 0 : 1 });
	if (f->budget) {
		for (int i = 0; i < PIECES; i++)
			f->hoard[i] = tr_msg_new(self, 1, PIECE, NULL);
		return full_receive(self, state, NULL);
	}
	(void)bank_send_ping(self, f->s.store);
	return full_try_all(self, f);
}

static const struct tr_behavior full_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = full_start,
	.receive = full_receive,
};

static void
check_full(bool budget)
{
	struct full *f = calloc(1, sizeof(*f));
	struct kit k;

	assert_non_null(f);
	f->budget = budget;
	kit_new_with(&k,
	    (struct tr_options){
		.workers = 1,
		.hard_bytes = budget ? HARD : 0,
	    });
	(void)kit_root(&k, &full_root, f);
	kit_run(&k);
	assert_int_equal(f->s.rc[0], TR_OK);
	assert_int_equal(f->s.rc[1], TR_EFULL);
	assert_int_equal(f->s.rc[2], budget ? TR_EFULL : TR_OK);
	assert_int_equal(f->s.outcome[0], TR_EFULL);
	assert_int_equal(k.stats.dead[budget ? TR_DEAD_BUDGET : TR_DEAD_FULL],
	    budget ? 2 : 3);
	for (int i = 0; i < 4; i++)
		assert_int_equal(atomic_load(&f->s.thing[i].drops), 1);
	free(f);
}

static void
one_refused_by_a_full_mailbox_is_dropped(void **unused)
{
	(void)unused;
	check_full(false);
}

static void
one_refused_by_the_byte_budget_is_dropped(void **unused)
{
	(void)unused;
	check_full(true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(whatever_becomes_of_a_message_it_is_dropped_once),
		KIT_TEST(a_post_that_is_refused_is_dropped),
		KIT_TEST(one_too_large_to_become_a_message_is_dropped),
		KIT_TEST(one_refused_by_a_full_mailbox_is_dropped),
		KIT_TEST(one_refused_by_the_byte_budget_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
