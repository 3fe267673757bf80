/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cancelled ask ends with TR_ECANCELED, also when its answer was there first
 * and only not handled yet.
 */
#include "kit.h"

enum { BACK, WORK, DONE };

struct cancel {
	tr_ref root;
	tr_ask_id ask;
	int canceled; /* what tr_cancel() said */
	int outcome;
	unsigned outcomes;
	bool had_answer;
};

/* It answers at once, and what it sent before goes before the answer. */
static int
callee_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct cancel *c = kit_ctx(state);

	if (tr_tag(msg) == WORK)
		return tr_reply(self, msg, 0, NULL, 0);
	kit_tell(self, c->root, BACK);
	return TR_OK;
}

static const struct tr_behavior callee = {
	.name = "callee",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = callee_receive,
};

static int
asker_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct cancel *c = kit_ctx(state);

	(void)cookie;
	c->outcome = outcome;
	c->outcomes++;
	c->had_answer = answer != NULL;
	/* Whatever else would come is in the mailbox by now. */
	return tr_send(self, c->root, DONE, NULL, 0);
}

static int
asker_start(struct tr_self *self, void *state, const void *arg)
{
	struct cancel *c;
	tr_ref to;

	(void)kit_start_ctx(self, state, arg);
	c = kit_ctx(state);
	c->root = tr_self_ref(self);
	to = tr_spawn(self, &callee, c, NULL);
	kit_tell(self, to, BACK);
	c->ask = tr_ask(self, to, WORK, NULL, 0, tr_forever(), asker_answer, 0);
	return c->ask != 0 ? TR_OK : TR_ENOMEM;
}

/* One worker, and the callee had both in one turn: the answer is queued. */
static int
asker_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct cancel *c = kit_ctx(state);

	if (tr_tag(msg) == DONE)
		return kit_finish(self);
	c->canceled = tr_cancel(self, c->ask);
	return TR_OK;
}

static const struct tr_behavior asker = {
	.name = "asker",
	.state_size = sizeof(void *),
	.start = asker_start,
	.receive = asker_receive,
};

static void
a_cancelled_ask_ends_as_such_though_its_answer_was_there(void **unused)
{
	struct cancel c = { .canceled = 1, .outcome = 1 };
	struct kit k;

	(void)unused;
	kit_play(&k, 1, &asker, &c);
	assert_int_equal(c.canceled, TR_OK);
	assert_int_equal(c.outcomes, 1);
	assert_int_equal(c.outcome, TR_ECANCELED);
	assert_false(c.had_answer);
	assert_int_equal(k.stats.dead[TR_DEAD_LATE], 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(
		    a_cancelled_ask_ends_as_such_though_its_answer_was_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
