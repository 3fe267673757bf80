/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An actor that is owed turns (sched/owe.c) goes on with what has come to its
 * mailbox meanwhile, as it does with what it took from there before.
 */
#include <unistd.h>

#include "kit.h"

#include "actors/system.h"

enum { WORK, OWN = 200, TAKEN = 1000, MEANWHILE = 300 };

struct owed {
	struct kit k;
	tr_ref to;
	uint64_t got;
	unsigned own; /* messages of the boss */
	uint64_t got_before; /* the last of them */
};

/* What others send meanwhile does not go to what it has taken already. */
static void
others_send(struct owed *o)
{
	for (uint64_t i = 0; i < MEANWHILE; i++) {
		uint64_t what = TAKEN + i;

		assert_int_equal(tr_post(o->k.sys, o->to, WORK, &what,
				     sizeof(what)),
		    TR_OK);
	}
}

static int
taker_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct owed *o = kit_ctx(state);
	struct tri_worker *w = &tri_crew_of(self)->worker;

	assert_int_equal(kit_u64(msg), o->got);
	if (++o->got == TAKEN) {
		/* Its turn is over by the clock. */
		tri_sched_publish(w);
		w->clock_in = 1;
		usleep(2 * TRI_BATCH_NS / 1000);
	}
	if (o->got > 1)
		return TR_OK;
	w->owed.to = tri_word_of(self, TRI_KIND_ACTOR);
	w->owed.until = INT64_MAX;
	others_send(o);
	return TR_OK;
}

static const struct tr_behavior taker = {
	.name = "taker",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = taker_receive,
};

/* It has more to do itself than fits into its turn, after which comes the taker's;
 * in its next turn it sees what was done in that. */
static int
boss_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct owed *o = kit_ctx(state);

	(void)msg;
	if (o->own == OWN && o->got == 0) {
		/* The taker has had no turn yet. */
		kit_tell(self, tr_self_ref(self), WORK);
		return TR_OK;
	}
	if (o->own++ == OWN) {
		o->got_before = o->got;
		return kit_finish(self);
	}
	/* All wait in one queue. */
	tri_sched_publish(&tri_crew_of(self)->worker);
	if (o->own > 1)
		return TR_OK;
	for (uint64_t i = 0; i < TAKEN; i++)
		assert_int_equal(tr_send(self, o->to, WORK, &i, sizeof(i)),
		    TR_OK);
	for (unsigned i = 0; i < OWN; i++)
		kit_tell(self, tr_self_ref(self), WORK);
	return TR_OK;
}

static const struct tr_behavior boss = {
	.name = "boss",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = boss_receive,
};

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct owed *o;

	(void)kit_start_ctx(self, state, arg);
	o = kit_ctx(state);
	o->to = tr_spawn(self, &taker, o, NULL);
	kit_tell(self, tr_spawn(self, &boss, o, NULL), WORK);
	return TR_OK;
}

static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	return tr_unhandled(self, msg);
}

static const struct tr_behavior root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = root_start,
	.receive = root_receive,
};

static void
who_is_owed_goes_on_with_what_has_come(void **unused)
{
	struct owed *o = test_calloc(1, sizeof(*o));

	(void)unused;
	kit_new(&o->k, 1);
	(void)kit_root(&o->k, &root, o);
	kit_run(&o->k);
	assert_int_equal(o->got, TAKEN + MEANWHILE);
	assert_int_equal(o->got_before, TAKEN + MEANWHILE);
	test_free(o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(who_is_owed_goes_on_with_what_has_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
