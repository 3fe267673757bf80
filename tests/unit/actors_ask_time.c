/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asks and time: requests that expire or are cancelled while the callee is
 * busy, what a callee at work is told, and deadlines of nested asks.
 *
 * The callee sits on worker 1 and the asker on worker 0, so that the one can
 * be busy while the other goes on; both are told by flags, not by clocks.
 */
#include "kit.h"

enum { HOLD, WORK, FENCE, ANSWER, RELEASE, GO };

/* -------------------------------------- requests behind a busy callee --- */

struct busy {
	tr_ref callee;
	atomic_bool holding, release;
	int64_t deadline;
	bool cancel; /* else the deadline ends it */
	int cancel_rc;
	int handled; /* how many WORKs the callee saw */
	int outcome, outcomes, early, fences;
};

static int
busy_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct busy *b = kit_ctx(state);

	if (tr_tag(msg) == HOLD) {
		atomic_store(&b->holding, true);
		kit_spin_until(&b->release);
		return TR_OK;
	}
	if (tr_tag(msg) == WORK)
		b->handled++;
	return tr_reply(self, msg, ANSWER, NULL, 0);
}

static const struct tr_behavior busy = {
	.name = "busy",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = busy_receive,
};

static int
busy_fence(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct busy *b = kit_ctx(state);

	(void)answer;
	(void)cookie;
	if (outcome == TR_OK)
		b->fences++;
	return kit_finish(self);
}

static int
busy_outcome(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct busy *b = kit_ctx(state);

	(void)answer;
	(void)cookie;
	b->outcome = outcome;
	b->outcomes++;
	if (!b->cancel && tr_now(self) < b->deadline)
		b->early++;
	atomic_store(&b->release, true);
	if (tr_ask(self, b->callee, FENCE, NULL, 0, tr_forever(), busy_fence,
		0) == 0)
		return TR_ENOMEM;
	return TR_OK;
}

static int
busy_start(struct tr_self *self, void *state, const void *arg)
{
	struct busy *b;
	tr_ask_id id;

	(void)kit_start_ctx(self, state, arg);
	b = kit_ctx(state);
	b->callee = tr_spawn(self, &busy, b,
	    &(struct tr_spawn_options){ .placement = TR_PLACE_WORKER,
		.worker = 1 });
	kit_tell(self, b->callee, HOLD);
	kit_spin_until(&b->holding);
	b->deadline = b->cancel ? tr_forever() : tr_in(self, TR_MS(3));
	id = tr_ask(self, b->callee, WORK, NULL, 0, b->deadline, busy_outcome,
	    0);
	if (id == 0)
		return TR_ENOMEM;
	if (b->cancel)
		b->cancel_rc = tr_cancel(self, id);
	return TR_OK;
}

static const struct tr_behavior busy_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = busy_start,
	.receive = kit_ignore,
};

static void
ask_expired_in_the_mailbox_is_never_handled(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 2; workers <= 4; workers *= 2) {
		struct busy b = { .handled = 0 };

		kit_play(&k, workers, &busy_root, &b);
		assert_int_equal(b.outcomes, 1);
		assert_int_equal(b.outcome, TR_ETIMEDOUT);
		assert_int_equal(b.early, 0);
		assert_int_equal(b.fences, 1);
		assert_int_equal(b.handled, 0);
		assert_int_equal(kit_letters(&k, TR_DEAD_EXPIRED, WORK), 1);
	}
}

static void
ask_cancelled_in_the_mailbox_is_never_handled(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 2; workers <= 4; workers *= 2) {
		struct busy b = { .cancel = true };

		kit_play(&k, workers, &busy_root, &b);
		assert_int_equal(b.cancel_rc, TR_OK);
		assert_int_equal(b.outcomes, 1);
		assert_int_equal(b.outcome, TR_ECANCELED);
		assert_int_equal(b.fences, 1);
		assert_int_equal(b.handled, 0);
		assert_int_equal(kit_letters(&k, TR_DEAD_CANCELED, WORK), 1);
	}
}

/* ------------------------------------------ a callee that is at work --- */

enum wake { BY_CANCEL, BY_TIMEOUT, BY_DEATH };

struct work {
	enum wake wake;
	tr_ref asker, root, callee;
	tr_ask_id id;
	bool before, after, plain; /* what tr_cancelled() said */
	int64_t forever; /* tr_deadline() of a plain message */
	int reply_rc;
	int outcome, outcomes;
};

static int
work_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct work *w = kit_ctx(state);

	if (tr_tag(msg) == GO) {
		w->plain = tr_cancelled(self);
		w->forever = tr_deadline(self);
		return TR_OK;
	}
	if (tr_tag(msg) != WORK)
		return tr_reply(self, msg, FENCE, NULL, 0);
	w->before = tr_cancelled(self);
	kit_tell(self, w->asker, GO);
	while (!tr_cancelled(self))
		sched_yield();
	w->after = true;
	w->reply_rc = tr_reply(self, msg, ANSWER, NULL, 0);
	return TR_OK;
}

static const struct tr_behavior worker = {
	.name = "worker",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = work_receive,
};

static int
work_outcome(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct work *w = kit_ctx(state);

	(void)self;
	(void)answer;
	(void)cookie;
	w->outcome = outcome;
	w->outcomes++;
	return TR_OK;
}

static int
work_asker_start(struct tr_self *self, void *state, const void *arg)
{
	struct work *w;
	int64_t deadline;

	(void)kit_start_ctx(self, state, arg);
	w = kit_ctx(state);
	w->asker = tr_self_ref(self);
	deadline =
	    w->wake == BY_TIMEOUT ? tr_in(self, TR_MS(500)) : tr_forever();
	kit_tell(self, w->callee, GO);
	w->id =
	    tr_ask(self, w->callee, WORK, NULL, 0, deadline, work_outcome, 0);
	return w->id == 0 ? TR_ENOMEM : TR_OK;
}

/* The callee has begun. */
static int
work_asker_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct work *w = kit_ctx(state);

	(void)msg;
	if (w->wake == BY_CANCEL)
		return tr_cancel(self, w->id);
	if (w->wake == BY_DEATH)
		return tr_exit(self, TR_NORMAL);
	return TR_OK;
}

static const struct tr_behavior work_asker = {
	.name = "asker",
	.state_size = sizeof(void *),
	.start = work_asker_start,
	.receive = work_asker_receive,
};

/* The root's own ask ends when the worker is done with the other one. */
static int
work_fence(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	(void)state;
	(void)outcome;
	(void)answer;
	(void)cookie;
	return kit_finish(self);
}

static int
work_start(struct tr_self *self, void *state, const void *arg)
{
	struct work *w;

	(void)kit_start_ctx(self, state, arg);
	w = kit_ctx(state);
	w->root = tr_self_ref(self);
	w->callee = tr_spawn(self, &worker, w,
	    &(struct tr_spawn_options){ .placement = TR_PLACE_WORKER,
		.worker = 1 });
	(void)tr_spawn(self, &work_asker, w,
	    &(struct tr_spawn_options){ .placement = TR_PLACE_PINNED });
	kit_tell(self, w->root, GO);
	return TR_OK;
}

/* By now the asker has asked: it was spawned before this was sent. */
static int
work_root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct work *w = kit_ctx(state);

	(void)msg;
	if (w->id == 0) {
		kit_tell(self, w->root, GO);
		return TR_OK;
	}
	if (tr_ask(self, w->callee, FENCE, NULL, 0, tr_forever(), work_fence,
		0) == 0)
		return TR_ENOMEM;
	return TR_OK;
}

static const struct tr_behavior work_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = work_start,
	.receive = work_root_receive,
};

static void
a_callee_at_work_is_told_that_nobody_waits(void **unused)
{
	static const int outcomes[] = { TR_ECANCELED, TR_ETIMEDOUT, 0 };
	struct kit k;

	(void)unused;
	for (unsigned workers = 2; workers <= 4; workers *= 2)
		for (int i = BY_CANCEL; i <= BY_DEATH; i++) {
			struct work w = { .wake = (enum wake)i, .plain = true };

			kit_play(&k, workers, &work_root, &w);
			assert_false(w.plain);
			assert_true(w.forever == tr_forever());
			assert_false(w.before);
			assert_true(w.after);
			assert_int_equal(w.reply_rc, TR_OK);
			assert_int_equal(w.outcomes, i == BY_DEATH ? 0 : 1);
			assert_int_equal(w.outcome, outcomes[i]);
			assert_int_equal(kit_letters_of(&k, ANSWER), 1);
			if (i != BY_DEATH)
				assert_int_equal(kit_letters(&k, TR_DEAD_LATE,
						     ANSWER),
				    1);
		}
}

/* ------------------------------------------------- nested deadlines --- */

enum { DEPTH = 4 };

/* Each link asks the next with no deadline of its own; the last is silent. */
struct link {
	struct chain *chain;
	int depth;
	tr_token token;
};

struct chain {
	const struct tr_behavior *behavior; /* of the links */
	int64_t given;
	int64_t seen[DEPTH + 1];
	int outcome[DEPTH + 1];
	int outcomes, early;
	int64_t wish; /* what the second link wishes for itself */
};

static int
link_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	memcpy(state, arg, sizeof(struct link));
	return TR_OK;
}

static int
link_outcome(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct link *link = state;
	struct chain *chain = link->chain;

	(void)answer;
	(void)cookie;
	chain->outcome[link->depth + 1] = outcome;
	if (tr_now(self) < chain->given)
		chain->early++;
	(void)tr_token_reply_error(self, &link->token, outcome);
	return TR_OK;
}

static int
link_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct link *link = state, below = *link;
	tr_ref next;

	(void)msg;
	link->chain->seen[link->depth] = tr_deadline(self);
	link->token = tr_reply_token(self);
	if (link->depth == DEPTH)
		return TR_OK;
	below.depth++;
	next = tr_spawn(self, below.chain->behavior, &below, NULL);
	if (tr_ask(self, next, WORK, NULL, 0,
		link->depth == 1 ? link->chain->wish : tr_forever(),
		link_outcome, 0) == 0)
		return TR_ENOMEM;
	return TR_OK;
}

static const struct tr_behavior chain_link = {
	.name = "link",
	.state_size = sizeof(struct link),
	.arg_size = sizeof(struct link),
	.start = link_start,
	.receive = link_receive,
};

static int
chain_outcome(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct chain *chain = kit_ctx(state);

	(void)answer;
	(void)cookie;
	chain->outcome[0] = outcome;
	chain->outcomes++;
	return kit_finish(self);
}

static int
chain_start(struct tr_self *self, void *state, const void *arg)
{
	struct link first = { .depth = 0 };
	struct chain *chain;
	tr_ref next;

	(void)kit_start_ctx(self, state, arg);
	chain = kit_ctx(state);
	first.chain = chain;
	next = tr_spawn(self, &chain_link, &first, NULL);
	chain->given = tr_in(self, TR_MS(500));
	chain->wish = chain->given + TR_SECONDS(100);
	if (tr_ask(self, next, WORK, NULL, 0, chain->given, chain_outcome, 0) ==
	    0)
		return TR_ENOMEM;
	return TR_OK;
}

static const struct tr_behavior chain_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = chain_start,
	.receive = kit_ignore,
};

static void
nested_asks_end_no_later_than_the_first(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct chain chain = { .behavior = &chain_link };

		kit_play(&k, workers, &chain_root, &chain);
		assert_int_equal(chain.outcomes, 1);
		assert_int_equal(chain.outcome[0], TR_ETIMEDOUT);
		assert_true(chain.seen[0] == chain.given);
		for (int i = 1; i <= DEPTH; i++)
			assert_true(chain.seen[i] <= chain.seen[i - 1]);
		/* Inherited whole, not shortened to nothing. */
		assert_true(chain.seen[DEPTH] > chain.given - TR_MS(400));
		assert_int_equal(chain.early, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(ask_expired_in_the_mailbox_is_never_handled),
		KIT_TEST(ask_cancelled_in_the_mailbox_is_never_handled),
		KIT_TEST(a_callee_at_work_is_told_that_nobody_waits),
		KIT_TEST(nested_asks_end_no_later_than_the_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
