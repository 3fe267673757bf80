/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * More of asks: whose tokens are, asks to oneself, many at once, payloads,
 * answers that are kept, and answer functions that fail.
 */
#include "kit.h"

enum { TOKEN_PLEASE, ANSWER_ONE, FOREIGN, ECHO, KEEP, FLUSH, ANSWER, GO };

/* ----------------------------------------------------------- tokens --- */

struct tokens {
	tr_ref root, owner, thief;
	tr_token token;
	int foreign[2]; /* what the thief was told */
	int zero[2], first, again, again_error, copy;
	bool cleared, plain;
	int outcome, outcomes;
};

static int
owner_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct tokens *t = kit_ctx(state);
	tr_token copy;

	if (tr_tag(msg) == TOKEN_PLEASE) {
		t->token = tr_reply_token(self);
		return tr_send(self, t->thief, FOREIGN, &t->token,
		    sizeof(t->token));
	}
	t->plain = tr_reply_token(self).bits != 0;
	copy = (tr_token){ 0 };
	t->zero[0] = tr_token_reply(self, &copy, ANSWER, NULL, 0);
	t->zero[1] = tr_token_reply_error(self, &copy, -EIO);
	copy = t->token;
	t->first = tr_token_reply(self, &t->token, ANSWER, NULL, 0);
	t->cleared = t->token.bits == 0;
	t->again = tr_token_reply(self, &t->token, ANSWER, NULL, 0);
	t->again_error = tr_token_reply_error(self, &t->token, -EIO);
	t->copy = tr_token_reply(self, &copy, ANSWER, NULL, 0);
	return TR_OK;
}

static const struct tr_behavior owner = {
	.name = "owner",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = owner_receive,
};

static int
thief_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct tokens *t = kit_ctx(state);
	const tr_token *stolen = tr_data(msg, sizeof(*stolen));
	tr_token copy = *stolen;

	t->foreign[0] = tr_token_reply(self, &copy, ANSWER, NULL, 0);
	copy = *stolen;
	t->foreign[1] = tr_token_reply_error(self, &copy, -EIO);
	return tr_send(self, t->owner, ANSWER_ONE, NULL, 0);
}

static const struct tr_behavior thief = {
	.name = "thief",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = thief_receive,
};

static int
tokens_outcome(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct tokens *t = kit_ctx(state);

	(void)answer;
	(void)cookie;
	t->outcome = outcome;
	t->outcomes++;
	return kit_finish(self);
}

static int
tokens_start(struct tr_self *self, void *state, const void *arg)
{
	struct tokens *t;

	(void)kit_start_ctx(self, state, arg);
	t = kit_ctx(state);
	t->owner = tr_spawn(self, &owner, t, NULL);
	t->thief = tr_spawn(self, &thief, t, NULL);
	if (tr_ask(self, t->owner, TOKEN_PLEASE, NULL, 0, tr_forever(),
		tokens_outcome, 0) == 0)
		return TR_ENOMEM;
	return TR_OK;
}

static const struct tr_behavior tokens_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = tokens_start,
	.receive = kit_ignore,
};

static void
a_token_answers_once_and_only_for_its_maker(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct tokens t = { .plain = true };

		kit_play(&k, workers, &tokens_root, &t);
		assert_int_equal(t.foreign[0], TR_EINVAL);
		assert_int_equal(t.foreign[1], TR_EINVAL);
		assert_int_equal(t.zero[0], TR_EINVAL);
		assert_int_equal(t.zero[1], TR_EINVAL);
		assert_false(t.plain);
		assert_int_equal(t.first, TR_OK);
		assert_true(t.cleared);
		assert_int_equal(t.again, TR_EINVAL);
		assert_int_equal(t.again_error, TR_EINVAL);
		assert_int_equal(t.copy, TR_EINVAL);
		assert_int_equal(t.outcomes, 1);
		assert_int_equal(t.outcome, TR_OK);
	}
}

/* ---------------------------------------------------- asking oneself --- */

struct alone {
	bool in_handler;
	int nested, requests, outcomes, outcome;
	uint64_t value;
};

static int
alone_outcome(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct alone *a = kit_ctx(state);

	(void)cookie;
	a->nested += a->in_handler;
	a->outcome = outcome;
	a->outcomes++;
	if (answer != NULL)
		a->value = kit_u64(answer);
	return kit_finish(self);
}

static int
alone_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct alone *a = kit_ctx(state);
	uint64_t value = kit_u64(msg) + 1;
	int rc;

	a->nested += a->in_handler;
	a->in_handler = true;
	a->requests++;
	rc = tr_reply(self, msg, ANSWER, &value, sizeof(value));
	a->in_handler = false;
	return rc;
}

static int
alone_start(struct tr_self *self, void *state, const void *arg)
{
	struct alone *a;
	uint64_t value = 41;

	(void)kit_start_ctx(self, state, arg);
	a = kit_ctx(state);
	a->in_handler = true;
	if (tr_ask(self, tr_self_ref(self), ECHO, &value, sizeof(value),
		tr_in(self, TR_SECONDS(50)), alone_outcome, 0) == 0)
		return TR_ENOMEM;
	a->in_handler = false;
	return TR_OK;
}

static const struct tr_behavior alone_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = alone_start,
	.receive = alone_receive,
};

static void
an_actor_can_ask_itself(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 2; workers++) {
		struct alone a = { .nested = 0 };

		kit_play(&k, workers, &alone_root, &a);
		assert_int_equal(a.requests, 1);
		assert_int_equal(a.outcomes, 1);
		assert_int_equal(a.outcome, TR_OK);
		assert_int_equal(a.value, 42);
		assert_int_equal(a.nested, 0);
	}
}

/* ------------------------------------------------------ many at once --- */

enum { MANY = 20000 };

/* The keeper holds all duties and answers the newest first. */
struct many {
	tr_ref keeper;
	int kept;
	tr_token token[MANY];
	uint64_t number[MANY];
	uint8_t seen[MANY];
	int outcomes, wrong, failed_replies;
};

static int
keeper_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct many *m = kit_ctx(state);

	if (tr_tag(msg) == KEEP) {
		m->number[m->kept] = kit_u64(msg);
		m->token[m->kept] = tr_reply_token(self);
		if (m->token[m->kept].bits == 0)
			m->failed_replies++;
		m->kept++;
		return TR_OK;
	}
	while (m->kept-- > 0)
		if (tr_token_reply(self, &m->token[m->kept], ANSWER,
			&m->number[m->kept], sizeof(uint64_t)) != TR_OK)
			m->failed_replies++;
	return TR_OK;
}

static const struct tr_behavior keeper = {
	.name = "keeper",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = keeper_receive,
};

static int
many_outcome(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct many *m = kit_ctx(state);

	if (outcome != TR_OK || kit_u64(answer) != cookie ||
	    m->seen[cookie]++ != 0)
		m->wrong++;
	if (++m->outcomes == TEST_SCALE(MANY))
		return kit_finish(self);
	return TR_OK;
}

static int
many_start(struct tr_self *self, void *state, const void *arg)
{
	struct many *m;
	int64_t deadline;

	(void)kit_start_ctx(self, state, arg);
	m = kit_ctx(state);
	m->keeper = tr_spawn(self, &keeper, m, NULL);
	for (uint64_t i = 0; i < TEST_SCALE(MANY); i++) {
		deadline = i % 2 == 0 ?
		    tr_forever() :
		    tr_in(self, TR_SECONDS(100 + (int64_t)(i % 1000)));
		if (tr_ask(self, m->keeper, KEEP, &i, sizeof(i), deadline,
			many_outcome, (uintptr_t)i) == 0)
			return TR_ENOMEM;
	}
	return tr_send(self, m->keeper, FLUSH, NULL, 0);
}

static const struct tr_behavior many_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = many_start,
	.receive = kit_ignore,
};

static void
many_outstanding_asks_get_each_their_own_answer(void **unused)
{
	static struct many m;
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		memset(&m, 0, sizeof(m));
		kit_play(&k, workers, &many_root, &m);
		assert_int_equal(m.outcomes, TEST_SCALE(MANY));
		assert_int_equal(m.wrong, 0);
		assert_int_equal(m.failed_replies, 0);
	}
}

/* ---------------------------------------- outstanding at the very end --- */

static int
never_outcome(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct many *m = kit_ctx(state);

	(void)self;
	(void)outcome;
	(void)answer;
	(void)cookie;
	m->outcomes++;
	return TR_OK;
}

static int
abandoned_start(struct tr_self *self, void *state, const void *arg)
{
	struct many *m;

	(void)kit_start_ctx(self, state, arg);
	m = kit_ctx(state);
	m->keeper = tr_spawn(self, &keeper, m, NULL);
	for (uint64_t i = 0; i < 1000; i++)
		if (tr_ask(self, m->keeper, KEEP, &i, sizeof(i),
			tr_in(self, TR_SECONDS(100)), never_outcome, 0) == 0)
			return TR_ENOMEM;
	(void)tr_exit(self, TR_NORMAL);
	return kit_finish(self);
}

static const struct tr_behavior abandoned_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = abandoned_start,
	.receive = kit_ignore,
};

static void
asks_of_an_asker_that_ends_end_without_a_call(void **unused)
{
	static struct many m;
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		memset(&m, 0, sizeof(m));
		kit_play(&k, workers, &abandoned_root, &m);
		assert_int_equal(m.outcomes, 0);
		assert_int_equal(m.failed_replies, 0);
	}
}

/* --------------------------------------------- payloads, there and back --- */

static const size_t echo_sizes[] = {
	0,
	1,
	8,
	15,
	16,
	17,
	31,
	32,
	33,
	63,
	64,
	65,
	1000,
	4096,
	65536,
	65537,
	1000000,
};

enum { ECHOES = sizeof(echo_sizes) / sizeof(echo_sizes[0]) };

struct echo {
	unsigned char *pattern;
	struct tr_msg *kept[ECHOES]; /* the answers */
	int outcomes, wrong;
};

static int
echo_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	return tr_reply(self, msg, ANSWER, tr_data(msg, 0), tr_size(msg));
}

static const struct tr_behavior echoer = {
	.name = "echo",
	.receive = echo_receive,
};

static int
echo_outcome(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct echo *e = kit_ctx(state);

	if (outcome != TR_OK || tr_size(answer) != echo_sizes[cookie])
		return TR_EINVAL;
	if ((uintptr_t)tr_data(answer, 0) % 16 != 0)
		e->wrong++;
	e->kept[cookie] = tr_take(self, answer);
	if (e->kept[cookie] == NULL || tr_take(self, answer) != NULL)
		return TR_EINVAL;
	if (++e->outcomes < ECHOES)
		return TR_OK;
	for (size_t i = 0; i < ECHOES; i++) {
		if (memcmp(tr_msg_data(e->kept[i]), e->pattern,
			echo_sizes[i]) != 0 ||
		    tr_tag(e->kept[i]) != ANSWER)
			e->wrong++;
		tr_msg_drop(&e->kept[i]);
	}
	return kit_finish(self);
}

static int
echo_start(struct tr_self *self, void *state, const void *arg)
{
	tr_ref to = tr_spawn(self, &echoer, NULL, NULL);
	struct echo *e;

	(void)kit_start_ctx(self, state, arg);
	e = kit_ctx(state);
	for (size_t i = 0; i < ECHOES; i++)
		if (tr_ask(self, to, ECHO, e->pattern, echo_sizes[i],
			tr_forever(), echo_outcome, i) == 0)
			return TR_ENOMEM;
	return TR_OK;
}

static const struct tr_behavior echo_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = echo_start,
	.receive = kit_ignore,
};

static void
requests_and_answers_carry_any_size_and_answers_keep(void **unused)
{
	struct echo e = { .outcomes = 0 };
	uint64_t seed = 3;
	struct kit k;

	(void)unused;
	e.pattern = malloc(1000000);
	assert_non_null(e.pattern);
	for (size_t i = 0; i < 1000000; i++)
		e.pattern[i] = (unsigned char)kit_random(&seed);
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		e.outcomes = 0;
		kit_play(&k, workers, &echo_root, &e);
		assert_int_equal(e.outcomes, ECHOES);
		assert_int_equal(e.wrong, 0);
		assert_int_equal(k.stats.failed, 0);
	}
	free(e.pattern);
}

/* ------------------------------------------- answer functions that fail --- */

static int
fatal_outcome(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	(void)self;
	(void)state;
	(void)outcome;
	(void)answer;
	return (int)cookie;
}

static int
fatal_start(struct tr_self *self, void *state, const void *arg)
{
	tr_ref to = tr_spawn(self, &echoer, NULL, NULL);

	(void)kit_start_ctx(self, state, arg);
	if (tr_ask(self, to, ECHO, NULL, 0, tr_forever(), fatal_outcome, 77) ==
	    0)
		return TR_ENOMEM;
	return TR_OK;
}

static void
fatal_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	*(int *)kit_ctx(state) = why->code;
	(void)kit_finish(self);
}

static const struct tr_behavior fatal_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = fatal_start,
	.receive = kit_ignore,
	.stop = fatal_stop,
};

static void
an_answer_function_that_fails_ends_the_asker(void **unused)
{
	struct kit k;
	int code = 0;

	(void)unused;
	kit_play(&k, 2, &fatal_root, &code);
	assert_int_equal(code, 77);
	assert_int_equal(k.stats.failed, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(a_token_answers_once_and_only_for_its_maker),
		KIT_TEST(an_actor_can_ask_itself),
		KIT_TEST(many_outstanding_asks_get_each_their_own_answer),
		KIT_TEST(asks_of_an_asker_that_ends_end_without_a_call),
		KIT_TEST(requests_and_answers_carry_any_size_and_answers_keep),
		KIT_TEST(an_answer_function_that_fails_ends_the_asker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
