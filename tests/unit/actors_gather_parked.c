/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who gathers the backlogs of others (actors/gather.c) leaves alone those that have
 * parked bursts (actors/burst.c): what is in these comes first.
 *
 * The source, on worker 1, streams to the taker, which runs on worker 0 in turns with
 * the root.  When the taker has handled all, the burst is parked, and not over.  Then
 * the root holds its worker, while the source puts more into the burst, ends it, and
 * gives the taker and the lister a long list each.  The lister is the next to run there,
 * with the taker behind it; the source is in its handler until then, so nobody looks for
 * work.
 */
#include "slow_clock.h"

#include "actors/apart.h"

enum { GO, ITEM };

enum stage { BEGUN, HELD, SPAWNED, STREAMED, PARKED, SENT, LISTED };

enum {
	STREAM = 400,
	MORE = 10,
	LIST = 100,
	ALL = STREAM + MORE + LIST,
	STEPS = 1000
};

struct play {
	struct kit k;
	_Atomic enum stage stage;
	tr_ref source, taker, lister;
	uint64_t sent; /* to the taker */
	uint64_t handled; /* by it */
	unsigned lost, steps;
	uint32_t taker_has, lister_has; /* messages in their lists */
	bool is_parked;
};

static void
wait_for(struct play *t, enum stage stage)
{
	while (atomic_load(&t->stage) < stage)
		sched_yield();
}

static uint32_t
list_of(const struct play *t, tr_ref ref)
{
	struct tr_self *a = tri_cell(t->k.sys, tri_ref_slot(ref));

	return tri_inlet_length(tri_inlet_look(tri_inlet_of(t->k.sys, a)));
}

static bool
is_parked(const struct play *t)
{
	struct tr_self *a = tri_cell(t->k.sys, tri_ref_slot(t->taker));

	return tri_has_parked(t->k.sys, a, tri_inlet_of(t->k.sys, a));
}

/* ------------------------------------------------------------ actors ---- */

static int
taker_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct play *t = kit_ctx(state);

	t->lost += kit_u64(msg) != t->handled++;
	return t->handled == ALL ? kit_finish(self) : TR_OK;
}

static const struct tr_behavior taker = {
	.name = "taker",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = taker_receive,
};

static int
lister_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct play *t = kit_ctx(state);

	(void)self;
	if (tr_tag(msg) == ITEM)
		atomic_store(&t->stage, LISTED);
	return TR_OK;
}

static const struct tr_behavior lister = {
	.name = "lister",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = lister_receive,
};

static void
source_streams(struct tr_self *self, struct play *t, uint64_t until)
{
	for (; t->sent < until; t->sent++)
		(void)tr_send(self, t->taker, ITEM, &t->sent, sizeof(t->sent));
}

static int
source_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct play *t = kit_ctx(state);

	(void)msg;
	atomic_store(&t->stage, HELD);
	wait_for(t, SPAWNED);
	source_streams(self, t, STREAM);
	atomic_store(&t->stage, STREAMED);
	wait_for(t, PARKED);
	source_streams(self, t, STREAM + MORE);
	/* What goes another way ends the burst, and there is no other. */
	t->k.sys->burst_after = 1u << 30;
	t->lost += tr_post(t->k.sys, t->taker, ITEM, &t->sent,
		       sizeof(t->sent)) != TR_OK;
	t->sent++;
	source_streams(self, t, ALL);
	for (unsigned i = 0; i < LIST; i++)
		kit_tell(self, t->lister, ITEM);
	atomic_store(&t->stage, SENT);
	wait_for(t, LISTED);
	return TR_OK;
}

static const struct tr_behavior source = {
	.name = "source",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = source_receive,
};

static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct play *t = kit_ctx(state);

	(void)msg;
	if (!is_parked(t) && ++t->steps < STEPS) {
		kit_tell(self, tr_self_ref(self), GO);
		return TR_OK;
	}
	kit_tell(self, t->lister, GO);
	atomic_store(&t->stage, PARKED);
	wait_for(t, SENT);
	t->is_parked = is_parked(t);
	t->taker_has = list_of(t, t->taker);
	t->lister_has = list_of(t, t->lister);
	return TR_OK;
}

static const struct tr_spawn_options here = { .placement = TR_PLACE_WORKER };
static const struct tr_spawn_options there = { .placement = TR_PLACE_WORKER,
	.worker = 1 };

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct play *t;

	(void)kit_start_ctx(self, state, arg);
	t = kit_ctx(state);
	t->source = tr_spawn(self, &source, t, &there);
	kit_tell(self, t->source, GO);
	wait_for(t, HELD);
	t->taker = tr_spawn(self, &taker, t, NULL);
	t->lister = tr_spawn(self, &lister, t, NULL);
	atomic_store(&t->stage, SPAWNED);
	wait_for(t, STREAMED);
	kit_tell(self, tr_self_ref(self), GO);
	return TR_OK;
}

static const struct tr_behavior root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = root_start,
	.receive = root_receive,
};

/* -------------------------------------------------------------- test ---- */

static void
what_is_parked_comes_before_what_could_be_gathered(void **unused)
{
	struct play *t = test_calloc(1, sizeof(*t));

	(void)unused;
	kit_new(&t->k, 2);
	slow_clock(&t->k);
	t->k.sys->burst_looks = 1u << 30; /* it waits on */
	assert_true(tr_ref_valid(tr_system_spawn(t->k.sys, &root, t, &here)));
	kit_run(&t->k);
	assert_true(t->is_parked);
	assert_true(t->taker_has >= LIST);
	assert_true(t->lister_has >= LIST);
	assert_int_equal(t->handled, ALL);
	assert_int_equal(t->lost, 0);
	test_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(what_is_parked_comes_before_what_could_be_gathered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
