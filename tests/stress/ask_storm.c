/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ask_storm: asks with random deadlines, cancels, silent, slow, dying and dead
 * callees, and askers that die with asks open.
 *
 * Every ask of an asker that lives has exactly one outcome, which fits what
 * was done: never early, never cancelled unless tr_cancel() said so.
 */
#define KIT_STRESS
#include "kit.h"

enum {
	ASKERS = 40,
	CALLEES = 24,
	EACH = TEST_SCALE(40000), /* asks per asker */
	OPEN = 32, /* at once */
};

enum { REQUEST, FLUSH, NEXT, DONE };

static struct {
	tr_ref root;
	_Atomic uint64_t callee[CALLEES]; /* references; they change */
	atomic_ullong asked, ended, by[8], abandoned;
	int done;
} storm;

static void
count(int outcome)
{
	static const int kinds[] = { TR_OK, TR_ETIMEDOUT, TR_ECANCELED,
		TR_EDEAD, TR_ENOREPLY, TR_EUNHANDLED, -EIO };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (outcome == kinds[i]) {
			atomic_fetch_add(&storm.by[i], 1);
			return;
		}
	printf("outcome %d\n", outcome);
	kit_failed("an outcome nobody gave", __FILE__, __LINE__);
}

/* ----------------------------------------------------------- callees --- */

enum { TOKENS = 8 };

struct callee {
	uint64_t index, seed;
	tr_token token[TOKENS];
	uint64_t value[TOKENS];
	struct tr_msg *taken;
};

static int
callee_later(struct tr_self *self, struct callee *c, const struct tr_msg *msg)
{
	uint64_t i = kit_below(&c->seed, TOKENS);

	/* An older one is answered to make room; it may be too late. */
	if (c->token[i].bits != 0)
		KIT_CHECK(tr_token_reply(self, &c->token[i], 0, &c->value[i],
			      sizeof(c->value[i])) == TR_OK);
	c->value[i] = kit_u64(msg);
	c->token[i] = tr_reply_token(self);
	KIT_CHECK(c->token[i].bits != 0);
	return TR_OK;
}

static int
callee_take(struct tr_self *self, struct callee *c, const struct tr_msg *msg)
{
	uint64_t value;

	if (c->taken != NULL && kit_below(&c->seed, 2) == 0) {
		value = kit_u64(c->taken);
		KIT_CHECK(tr_reply(self, c->taken, 0, &value, sizeof(value)) ==
		    TR_OK);
	}
	tr_msg_drop(&c->taken);
	c->taken = tr_take(self, msg);
	KIT_CHECK(c->taken != NULL);
	return TR_OK;
}

static int
callee_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct callee *c = state;
	uint64_t value = kit_u64(msg);

	switch (kit_below(&c->seed, 300)) {
	case 0: return tr_exit(self, TR_NORMAL);
	case 1: return -EPIPE;
	case 2: return tr_kill(self, tr_self_ref(self));
	case 3:
	case 4:
	case 5: return TR_OK; /* no reply */
	case 6:
	case 7:
	case 8: return tr_unhandled(self, msg);
	case 9:
	case 10:
	case 11: return tr_reply_error(self, msg, -EIO);
	case 12:
	case 13: kit_spin_for(self, TR_US(50)); break;
	case 14:
	case 15:
	case 16:
	case 17:
	case 18:
	case 19:
	case 20: return callee_take(self, c, msg);
	default:
		if (kit_below(&c->seed, 3) == 0)
			return callee_later(self, c, msg);
	}
	return tr_reply(self, msg, 0, &value, sizeof(value));
}

static int
callee_start(struct tr_self *self, void *state, const void *arg)
{
	struct callee *c = state;

	c->index = *(const uint64_t *)arg;
	c->seed = tr_self_ref(self).bits;
	return TR_OK;
}

/* The root puts another into the place. */
static void
callee_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct callee *c = state;

	(void)why;
	tr_msg_drop(&c->taken);
	(void)tr_send(self, storm.root, NEXT, &c->index, sizeof(c->index));
}

static const struct tr_behavior callee = {
	.name = "callee",
	.state_size = sizeof(struct callee),
	.arg_size = sizeof(uint64_t),
	.start = callee_start,
	.receive = callee_receive,
	.stop = callee_stop,
};

/* ------------------------------------------------------------ askers --- */

struct ask {
	tr_ask_id id;
	uint64_t value; /* 0: not open */
	int64_t deadline;
	bool cancelled;
};

struct asker {
	uint64_t seed, next;
	int left, open;
	struct ask ask[OPEN];
};

static int
on_outcome(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct asker *a = state;
	struct ask *ask = &a->ask[cookie];

	KIT_CHECK(cookie < OPEN && ask->value != 0);
	KIT_CHECK((outcome == TR_OK) == (answer != NULL));
	KIT_CHECK((outcome == TR_ECANCELED) == ask->cancelled);
	if (outcome == TR_OK)
		KIT_CHECK(kit_u64(answer) == ask->value);
	if (outcome == TR_ETIMEDOUT)
		KIT_CHECK(tr_now(self) >= ask->deadline);
	KIT_CHECK(tr_cancel(self, ask->id) == TR_EINVAL);
	ask->value = 0;
	a->open--;
	count(outcome);
	atomic_fetch_add(&storm.ended, 1);
	if (a->left == 0 && a->open == 0)
		kit_tell(self, storm.root, DONE);
	return TR_OK;
}

static int64_t
some_deadline(struct tr_self *self, struct asker *a)
{
	switch (kit_below(&a->seed, 4)) {
	case 0: return tr_in(self, (int64_t)kit_below(&a->seed, 200000));
	default:
		/* Callees keep tokens for long: there must be an end. */
		return tr_in(self, TR_US(kit_below(&a->seed, 20000)));
	}
}

static void
ask_one(struct tr_self *self, struct asker *a, size_t i)
{
	tr_ref to = { atomic_load(
	    &storm.callee[kit_below(&a->seed, CALLEES)]) };
	struct ask *ask = &a->ask[i];

	ask->value = ++a->next;
	ask->cancelled = false;
	ask->deadline = some_deadline(self, a);
	ask->id = tr_ask(self, to, REQUEST, &ask->value, sizeof(ask->value),
	    ask->deadline, on_outcome, i);
	KIT_CHECK(ask->id != 0);
	a->left--;
	a->open++;
	atomic_fetch_add(&storm.asked, 1);
}

static int
asker_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct asker *a = state;
	size_t i;

	(void)msg;
	for (i = 0; i < OPEN; i++)
		if (a->ask[i].value == 0 && a->left > 0)
			ask_one(self, a, i);
	i = kit_below(&a->seed, OPEN);
	if (a->ask[i].value != 0 && !a->ask[i].cancelled) {
		KIT_CHECK(tr_cancel(self, a->ask[i].id) == TR_OK);
		a->ask[i].cancelled = true;
	}
	if (a->left > 0)
		KIT_CHECK(tr_after(self, (int64_t)kit_below(&a->seed, 300000),
			      NEXT, 0) != 0);
	return TR_OK;
}

static int
asker_start(struct tr_self *self, void *state, const void *arg)
{
	struct asker *a = state;

	a->seed = *(const uint64_t *)arg;
	a->left = EACH;
	return tr_send(self, tr_self_ref(self), NEXT, NULL, 0);
}

static const struct tr_behavior asker = {
	.name = "asker",
	.state_size = sizeof(struct asker),
	.arg_size = sizeof(uint64_t),
	.start = asker_start,
	.receive = asker_receive,
};

/* Asks and ends at once: its asks end without a call. */
static int
never(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	(void)self;
	(void)state;
	(void)outcome;
	(void)answer;
	(void)cookie;
	kit_failed("an ask of the dead was answered", __FILE__, __LINE__);
	return TR_OK;
}

static int
mayfly_start(struct tr_self *self, void *state, const void *arg)
{
	uint64_t seed = *(const uint64_t *)arg;
	tr_ref to;

	(void)state;
	for (int i = 0; i < 5; i++) {
		to.bits = atomic_load(&storm.callee[kit_below(&seed, CALLEES)]);
		KIT_CHECK(tr_ask(self, to, REQUEST, NULL, 0,
			      tr_in(self, TR_US(100)), never, 0) != 0);
		atomic_fetch_add(&storm.abandoned, 1);
	}
	return tr_exit(self, TR_NORMAL);
}

static const struct tr_behavior mayfly = {
	.name = "mayfly",
	.arg_size = sizeof(uint64_t),
	.start = mayfly_start,
	.receive = kit_ignore,
};

/* --------------------------------------------------------------- root --- */

static void
place_callee(struct tr_self *self, uint64_t i)
{
	tr_ref ref = tr_spawn(self, &callee, &i, NULL);

	KIT_CHECK(tr_ref_valid(ref));
	atomic_store(&storm.callee[i], ref.bits);
}

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	uint64_t seed = *(const uint64_t *)arg, own;

	*(uint64_t *)state = seed;
	storm.root = tr_self_ref(self);
	for (uint64_t i = 0; i < CALLEES; i++)
		place_callee(self, i);
	for (int i = 0; i < ASKERS; i++) {
		own = kit_random(&seed);
		KIT_CHECK(tr_ref_valid(tr_spawn(self, &asker, &own, NULL)));
	}
	return TR_OK;
}

/* With each callee that ends a mayfly asks and dies. */
static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	uint64_t own = kit_random(state);

	if (tr_tag(msg) == DONE)
		return ++storm.done == ASKERS ? kit_finish(self) : TR_OK;
	if (storm.done == ASKERS)
		return TR_OK;
	place_callee(self, kit_u64(msg));
	KIT_CHECK(tr_ref_valid(tr_spawn(self, &mayfly, &own, NULL)));
	return TR_OK;
}

static const struct tr_behavior root = {
	.name = "root",
	.state_size = sizeof(uint64_t),
	.arg_size = sizeof(uint64_t),
	.start = root_start,
	.receive = root_receive,
};

int
main(int argc, char **argv)
{
	uint64_t seed;
	unsigned workers = kit_stress_args(argc, argv, &seed);
	struct kit k;

	kit_play(&k, workers, &root, &seed);
	KIT_CHECK(storm.asked == (uint64_t)ASKERS * EACH);
	KIT_CHECK(storm.ended == storm.asked);
	printf("ask_storm: %llu asks, each ended once: %llu answered, %llu "
	       "timed out, %llu cancelled, %llu dead, %llu no reply, %llu "
	       "unhandled, %llu errors; %llu abandoned\n",
	    storm.asked, storm.by[0], storm.by[1], storm.by[2], storm.by[3],
	    storm.by[4], storm.by[5], storm.by[6], storm.abandoned);
	kit_print_stats(&k.stats);
	return 0;
}
