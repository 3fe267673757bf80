/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every ask ends exactly once: one table of everything that can become of a
 * request, played at 1, 2 and 4 workers.
 *
 * The asker asks one callee, sends it further instructions, and waits for the
 * outcome.  Then it tells the callee to do what is too late, and asks again:
 * when that fence's answer has come, whatever the callee sent before it would
 * have come too, since one sender's messages keep their order.
 */
#include "kit.h"

enum {
	NONE,
	/* Requests, and what the callee does with them. */
	ANSWER_IT,
	ERROR_IT,
	ERROR_0_IT,
	IGNORE_IT,
	TAKE_DROP_IT,
	TAKE_IT, /* the rest follows by instruction */
	TAKE_SEND_IT, /* to itself, as a plain message */
	TOKEN_IT, /* the rest follows by instruction */
	TOKEN_AT_STOP, /* stop() answers */
	FAIL_AT_IT,
	EXIT_AT_IT,
	KILL_AT_IT,
	UNHANDLED_IT,
	TWICE_IT,
	/* Instructions. */
	DROP_TAKEN,
	ANSWER_TAKEN,
	ERROR_TAKEN,
	ANSWER_TOKEN,
	ERROR_TOKEN,
	EXIT,
	FAIL,
	KILL,
	/* The answer's tag. */
	ANSWER,
};

enum { PAYLOAD = 4711 };

struct play {
	/* The table's columns. */
	uint32_t before; /* sent to the callee ahead of the request */
	uint32_t ask;
	uint32_t then; /* sent behind the request */
	uint32_t late; /* sent after the outcome */
	int timeout_ms; /* 0: none; negative: already over */
	int cancels; /* how often, at once */
	int expected, or ; /* the outcome; or this one, when not 0 */
	bool is_late; /* the late answer is a counted dead letter */

	/* What happened. */
	tr_ref callee;
	tr_ask_id id;
	int64_t deadline;
	bool in_turn;
	int outcome, outcomes, fences, early, malformed, nested;
	int cancel_rc[2], over_rc;
	int reply_rc[3];
	tr_token token;
	struct tr_msg *taken;
	bool second_token;
	bool missed; /* the deadline passed before the callee had it in hand */
};

/* ------------------------------------------------------- the callee --- */

static int
answer(struct tr_self *self, struct play *p, const struct tr_msg *msg)
{
	uint64_t value = PAYLOAD;

	p->reply_rc[0] = tr_reply(self, msg, ANSWER, &value, sizeof(value));
	return TR_OK;
}

static int
answer_twice(struct tr_self *self, struct play *p, const struct tr_msg *msg)
{
	(void)answer(self, p, msg);
	p->reply_rc[1] = tr_reply(self, msg, ANSWER, NULL, 0);
	p->reply_rc[2] = tr_reply_error(self, msg, TR_ENOMEM);
	p->second_token = tr_reply_token(self).bits != 0;
	return TR_OK;
}

static int
callee_request(struct tr_self *self, struct play *p, const struct tr_msg *msg)
{
	switch (tr_tag(msg)) {
	case ERROR_IT: return tr_reply_error(self, msg, -EIO);
	case ERROR_0_IT: return tr_reply_error(self, msg, 0);
	case TAKE_DROP_IT:
		p->taken = tr_take(self, msg);
		tr_msg_drop(&p->taken);
		return TR_OK;
	case TAKE_IT:
		p->taken = tr_take(self, msg);
		return p->taken == NULL ? TR_ENOMEM : TR_OK;
	case TAKE_SEND_IT:
		/* Comes back without a duty to answer. */
		if (tr_ref_equal(tr_sender(msg), tr_self_ref(self)))
			return TR_OK;
		p->taken = tr_take(self, msg);
		return tr_send_msg(self, p->callee, &p->taken);
	case TOKEN_IT:
	case TOKEN_AT_STOP:
		p->token = tr_reply_token(self);
		return p->token.bits == 0 ? TR_ENOMEM : TR_OK;
	case FAIL_AT_IT: return -EIO;
	case EXIT_AT_IT: return tr_exit(self, TR_NORMAL);
	case KILL_AT_IT: return tr_kill(self, tr_self_ref(self));
	case UNHANDLED_IT: return tr_unhandled(self, msg);
	default: return TR_OK;
	}
}

static int
callee_instruction(struct tr_self *self, struct play *p,
    const struct tr_msg *msg)
{
	uint64_t value = PAYLOAD;

	p->missed = p->late != NONE && p->token.bits == 0 && p->taken == NULL;
	if (p->missed && tr_tag(msg) != EXIT)
		return TR_OK;
	switch (tr_tag(msg)) {
	case DROP_TAKEN: tr_msg_drop(&p->taken); return TR_OK;
	case ANSWER_TAKEN:
		(void)answer_twice(self, p, p->taken);
		tr_msg_drop(&p->taken);
		return TR_OK;
	case ERROR_TAKEN:
		p->reply_rc[0] = tr_reply_error(self, p->taken, -EIO);
		tr_msg_drop(&p->taken);
		return TR_OK;
	case ANSWER_TOKEN:
		p->reply_rc[0] = tr_token_reply(self, &p->token, ANSWER, &value,
		    sizeof(value));
		if (p->token.bits != 0)
			p->malformed++;
		return TR_OK;
	case ERROR_TOKEN:
		p->reply_rc[0] = tr_token_reply_error(self, &p->token, -EIO);
		if (p->token.bits != 0)
			p->malformed++;
		return TR_OK;
	case EXIT: return tr_exit(self, TR_NORMAL);
	case FAIL: return TR_ENOMEM;
	default: return tr_kill(self, tr_self_ref(self));
	}
}

static int
callee_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct play *p = kit_ctx(state);

	if (tr_tag(msg) == ANSWER_IT)
		return answer(self, p, msg);
	if (tr_tag(msg) == TWICE_IT)
		return answer_twice(self, p, msg);
	if (tr_tag(msg) < DROP_TAKEN)
		return callee_request(self, p, msg);
	return callee_instruction(self, p, msg);
}

static void
callee_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct play *p = kit_ctx(state);
	uint64_t value = PAYLOAD;

	(void)why;
	if (p->ask == TOKEN_AT_STOP && p->token.bits != 0)
		p->reply_rc[0] = tr_token_reply(self, &p->token, ANSWER, &value,
		    sizeof(value));
	tr_msg_drop(&p->taken);
}

static const struct tr_behavior callee = {
	.name = "callee",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = callee_receive,
	.stop = callee_stop,
};

/* -------------------------------------------------------- the asker --- */

static int
on_fence(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *msg, uintptr_t cookie)
{
	struct play *p = kit_ctx(state);

	(void)outcome;
	(void)msg;
	(void)cookie;
	p->fences++;
	return kit_finish(self);
}

static int
on_outcome(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *msg, uintptr_t cookie)
{
	struct play *p = kit_ctx(state);

	p->outcome = outcome;
	if (p->in_turn)
		p->nested++;
	if (outcome == TR_ETIMEDOUT && tr_now(self) < p->deadline)
		p->early++;
	if ((outcome == TR_OK) != (msg != NULL) || cookie != 99)
		p->malformed++;
	if (msg != NULL &&
	    (tr_tag(msg) != ANSWER || kit_u64(msg) != PAYLOAD ||
		!tr_ref_equal(tr_sender(msg), p->callee)))
		p->malformed++;
	p->over_rc = tr_cancel(self, p->id);
	if (p->outcomes++ > 0)
		return TR_OK;
	if (p->late != NONE)
		kit_tell(self, p->callee, p->late);
	if (tr_ask(self, p->callee, IGNORE_IT, NULL, 0, tr_forever(), on_fence,
		0) == 0)
		return TR_ENOMEM;
	return TR_OK;
}

static int
asker_start(struct tr_self *self, void *state, const void *arg)
{
	struct play *p;

	(void)kit_start_ctx(self, state, arg);
	p = kit_ctx(state);
	p->in_turn = true;
	p->callee = tr_spawn(self, &callee, p,
	    &(struct tr_spawn_options){ .placement = TR_PLACE_WORKER,
		.worker = tr_system_workers(tr_system_of(self)) - 1 });
	if (p->before != NONE)
		kit_tell(self, p->callee, p->before);
	p->deadline = p->timeout_ms == 0 ? tr_forever() :
					   tr_now(self) + TR_MS(p->timeout_ms);
	p->id = tr_ask(self, p->callee, p->ask, NULL, 0, p->deadline,
	    on_outcome, 99);
	if (p->id == 0)
		return TR_ENOMEM;
	if (p->then != NONE)
		kit_tell(self, p->callee, p->then);
	for (int i = 0; i < p->cancels; i++)
		p->cancel_rc[i] = tr_cancel(self, p->id);
	p->in_turn = false;
	return TR_OK;
}

static const struct tr_behavior asker = {
	.name = "asker",
	.state_size = sizeof(void *),
	.start = asker_start,
	.receive = kit_ignore,
};

/* -------------------------------------------------------- the table --- */

static const struct play plays[] = {
	{ .ask = ANSWER_IT, .expected = TR_OK },
	{ .ask = ANSWER_IT, .timeout_ms = 50000, .expected = TR_OK },
	{ .ask = ERROR_IT, .expected = -EIO },
	{ .ask = ERROR_0_IT, .expected = TR_EINVAL },
	{ .ask = UNHANDLED_IT, .expected = TR_EUNHANDLED },
	{ .ask = TWICE_IT, .expected = TR_OK },

	/* Dropped unanswered. */
	{ .ask = IGNORE_IT, .expected = TR_ENOREPLY },
	{ .ask = TAKE_DROP_IT, .expected = TR_ENOREPLY },
	{ .ask = TAKE_IT, .then = DROP_TAKEN, .expected = TR_ENOREPLY },
	{ .ask = TAKE_SEND_IT, .expected = TR_ENOREPLY },

	/* Answered in a later turn. */
	{ .ask = TAKE_IT, .then = ANSWER_TAKEN, .expected = TR_OK },
	{ .ask = TAKE_IT, .then = ERROR_TAKEN, .expected = -EIO },
	{ .ask = TOKEN_IT, .then = ANSWER_TOKEN, .expected = TR_OK },
	{ .ask = TOKEN_IT, .then = ERROR_TOKEN, .expected = -EIO },
	{ .ask = TOKEN_AT_STOP, .then = EXIT, .expected = TR_OK },

	/* The callee has ended, ends with the request, or ends later. */
	{ .before = EXIT, .ask = ANSWER_IT, .expected = TR_EDEAD },
	{ .before = FAIL, .ask = ANSWER_IT, .expected = TR_EDEAD },
	{ .before = KILL, .ask = ANSWER_IT, .expected = TR_EDEAD },
	{ .ask = FAIL_AT_IT, .expected = TR_EDEAD },
	{ .ask = EXIT_AT_IT, .expected = TR_EDEAD, .or = TR_ENOREPLY },
	{ .ask = KILL_AT_IT, .expected = TR_EDEAD, .or = TR_ENOREPLY },
	{ .ask = TOKEN_IT, .then = EXIT, .expected = TR_EDEAD },
	{ .ask = TOKEN_IT, .then = FAIL, .expected = TR_EDEAD },
	{ .ask = TOKEN_IT, .then = KILL, .expected = TR_EDEAD },
	/* stop() drops what was taken: either name of it will do. */
	{ .ask = TAKE_IT,
	    .then = EXIT,
	    .expected = TR_EDEAD,
	    .or = TR_ENOREPLY },

	/* Time runs out; what comes after is never seen. */
	{ .ask = TOKEN_IT, .timeout_ms = 20, .expected = TR_ETIMEDOUT },
	{ .ask = TAKE_IT, .timeout_ms = 20, .expected = TR_ETIMEDOUT },
	{ .ask = TOKEN_IT,
	    .timeout_ms = 20,
	    .late = ANSWER_TOKEN,
	    .expected = TR_ETIMEDOUT,
	    .is_late = true },
	{ .ask = TAKE_IT,
	    .timeout_ms = 20,
	    .late = ANSWER_TAKEN,
	    .expected = TR_ETIMEDOUT,
	    .is_late = true },
	{ .ask = TOKEN_IT,
	    .timeout_ms = 20,
	    .late = ERROR_TOKEN,
	    .expected = TR_ETIMEDOUT },
	{ .ask = TAKE_IT,
	    .timeout_ms = 20,
	    .late = DROP_TAKEN,
	    .expected = TR_ETIMEDOUT },
	{ .ask = TOKEN_IT,
	    .timeout_ms = 20,
	    .late = EXIT,
	    .expected = TR_ETIMEDOUT },
	{ .ask = ANSWER_IT, .timeout_ms = -5, .expected = TR_ETIMEDOUT },

	/* Cancelled. */
	{ .ask = ANSWER_IT, .cancels = 1, .expected = TR_ECANCELED },
	{ .ask = ANSWER_IT, .cancels = 2, .expected = TR_ECANCELED },
	{ .ask = IGNORE_IT, .cancels = 1, .expected = TR_ECANCELED },
	{ .ask = TOKEN_IT, .cancels = 1, .expected = TR_ECANCELED },
	{ .ask = FAIL_AT_IT, .cancels = 1, .expected = TR_ECANCELED },
	{ .before = EXIT,
	    .ask = ANSWER_IT,
	    .cancels = 1,
	    .expected = TR_ECANCELED },
	{ .ask = TOKEN_IT,
	    .timeout_ms = 20,
	    .cancels = 1,
	    .late = EXIT,
	    .expected = TR_ECANCELED },
};

static void
check_play(struct kit *k, const struct play *p)
{
	if (p->outcome != p->expected)
		print_message("ask %u then %u late %u workers %u\n", p->ask,
		    p->then, p->late, k->stats.workers);
	assert_int_equal(p->outcomes, 1);
	if (p->or == 0 || p->outcome != p->or)
		assert_int_equal(p->outcome, p->expected);
	assert_int_equal(p->fences, 1);
	assert_int_equal(p->nested, 0);
	assert_int_equal(p->early, 0);
	assert_int_equal(p->malformed, 0);
	assert_int_equal(p->over_rc, TR_EINVAL);
	if (p->cancels > 0)
		assert_int_equal(p->cancel_rc[0], TR_OK);
	assert_int_equal(p->reply_rc[0], TR_OK);
	if (p->missed && p->cancels == 0)
		assert_int_equal(kit_letters(k, TR_DEAD_EXPIRED, p->ask), 1);
	else if (p->is_late)
		assert_int_equal(kit_letters(k, TR_DEAD_LATE, ANSWER), 1);
	if (p->ask == TWICE_IT || p->then == ANSWER_TAKEN) {
		assert_int_equal(p->reply_rc[1], TR_EINVAL);
		assert_int_equal(p->reply_rc[2], TR_EINVAL);
		assert_false(p->second_token);
	}
}

static void
every_ask_ends_exactly_once(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2)
		for (size_t i = 0; i < sizeof(plays) / sizeof(*plays); i++) {
			struct play p = plays[i];

			kit_play(&k, workers, &asker, &p);
			check_play(&k, &p);
		}
}

/* With one worker the callee cannot have run before the cancel. */
static void
cancelled_while_queued_is_never_handled(void **unused)
{
	struct play p = { .ask = FAIL_AT_IT,
		.cancels = 1,
		.expected = TR_ECANCELED };
	struct kit k;

	(void)unused;
	kit_play(&k, 1, &asker, &p);
	check_play(&k, &p);
	assert_int_equal(k.stats.failed, 0);
	assert_int_equal(kit_letters(&k, TR_DEAD_CANCELED, FAIL_AT_IT), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(every_ask_ends_exactly_once),
		KIT_TEST(cancelled_while_queued_is_never_handled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
