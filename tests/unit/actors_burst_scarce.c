/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bursts (actors/burst.c) when there is no memory: for a copy of a message that
 * lies in one, or to send again what came too late for it.
 *
 * The root, on worker 0, sends to the receiver, on worker 1, whose mailbox moves
 * at once.
 */
#include "rig_faults.h"

#include "actors/burst.h"

enum { HOLD, ITEM, MARK, DONE, CALL, FREE, MANY = 200, MOVES = 50 };

struct scarce {
	struct kit k;
	void (*const *step)(struct scarce *t, struct tr_self *self);
	unsigned steps;
	tr_ref root, receiver, helper;
	uint64_t sent;
	atomic_ulong next; /* item expected */
	atomic_bool lost; /* one that was not the next */
	atomic_bool held, go, called;
	bool starves; /* the receiver, when it goes on */
	bool opened, late;
	int refused; /* what the send without memory returned */
	uint64_t pushed; /* items that were not put into a burst */
	uint64_t stuck; /* items handled when there was no memory */
	/* Blocks of the worker whose actors hoard. */
	struct tri_block *hoard[2];
};

/* ----------------------------------------------------------- memory ----- */

static void
hoard(struct scarce *t, struct tr_self *self)
{
	struct tri_pool *pool = tri_crew_of(self)->desk.pool;
	struct tri_block *b;

	faults_refuse_all(FAULT_ALLOC, true);
	for (unsigned c = 0; c < 2; c++)
		while ((b = tri_pool_alloc(pool, c)) != NULL) {
			b->next = t->hoard[c];
			t->hoard[c] = b;
		}
}

static void
unhoard(struct scarce *t, struct tr_self *self)
{
	struct tri_pool *pool = tri_crew_of(self)->desk.pool;
	struct tri_block *b;

	faults_refuse_all(FAULT_ALLOC, false);
	for (unsigned c = 0; c < 2; c++)
		while ((b = t->hoard[c]) != NULL) {
			t->hoard[c] = b->next;
			tri_pool_free(pool, b, c);
		}
}

/* --------------------------------------------------------- receiver ----- */

static int
receiver_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct scarce *t = kit_ctx(state);

	switch (tr_tag(msg)) {
	case HOLD:
		tri_turn_detach(tri_crew_of(self));
		atomic_store(&t->held, true);
		kit_spin_until(&t->go);
		if (t->starves)
			hoard(t, self);
		return TR_OK;
	case ITEM:
		if (kit_u64(msg) != atomic_load(&t->next))
			atomic_store(&t->lost, true);
		atomic_fetch_add(&t->next, 1);
		return TR_OK;
	default: return tr_send(self, t->root, DONE, NULL, 0);
	}
}

static const struct tr_behavior receiver = {
	.name = "receiver",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = receiver_receive,
};

/* Beside it, on the same worker. */
static int
helper_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct scarce *t = kit_ctx(state);

	if (tr_tag(msg) == FREE)
		unhoard(t, self);
	else
		atomic_store(&t->called, true);
	return TR_OK;
}

static const struct tr_behavior helper = {
	.name = "helper",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = helper_receive,
};

/* ------------------------------------------------------------- root ----- */

static void
items(struct scarce *t, struct tr_self *self, uint64_t n)
{
	for (; n > 0; n--, t->sent++)
		assert_int_equal(tr_send(self, t->receiver, ITEM, &t->sent,
				     sizeof(t->sent)),
		    TR_OK);
}

static void
hold(struct scarce *t, struct tr_self *self)
{
	atomic_store(&t->held, false);
	atomic_store(&t->go, false);
	kit_tell(self, t->receiver, HOLD);
	kit_spin_until(&t->held);
}

static void
move(struct scarce *t, struct tr_self *self)
{
	hold(t, self);
	items(t, self, MOVES);
	kit_tell(self, t->receiver, MARK);
	atomic_store(&t->go, true);
}

static void
finish(struct scarce *t, struct tr_self *self)
{
	(void)t;
	(void)kit_finish(self);
}

/* There is no memory for copies; then there is. */
static void
starve(struct scarce *t, struct tr_self *self)
{
	hold(t, self);
	while (tri_crew_of(self)->stream.burst == NULL && t->sent < MANY)
		items(t, self, 1);
	t->opened = tri_crew_of(self)->stream.burst != NULL;
	t->pushed = t->sent;
	items(t, self, MANY);
	t->starves = true;
	atomic_store(&t->go, true);
	/* What was pushed is handled, and it is the others' turn. */
	while (atomic_load(&t->next) < t->pushed)
		sched_yield();
	kit_tell(self, t->helper, CALL);
	kit_spin_until(&t->called);
	kit_spin_for(self, TR_MS(20));
	t->stuck = atomic_load(&t->next);
	kit_tell(self, t->helper, FREE);
	kit_tell(self, t->receiver, MARK);
}

/* The receiver rests, while its burst is open here. */
static void
open_and_wait(struct scarce *t, struct tr_self *self)
{
	struct tri_stream *s = &tri_crew_of(self)->stream;

	t->k.sys->burst_looks = 1;
	hold(t, self);
	items(t, self, MANY);
	t->opened = s->burst != NULL;
	atomic_store(&t->go, true);
	while (t->opened && tri_burst_is_open(s->burst))
		sched_yield();
	t->late = atomic_load(&t->next) == t->sent;
}

static void
refuse(struct scarce *t, struct tr_self *self)
{
	open_and_wait(t, self);
	hoard(t, self);
	t->refused = tr_send(self, t->receiver, ITEM, &t->sent, 8);
	unhoard(t, self);
	items(t, self, MANY);
	kit_tell(self, t->receiver, MARK);
}

/* One that is a block already needs none. */
static void
send_block(struct scarce *t, struct tr_self *self)
{
	struct tr_msg *m = tr_msg_new(self, ITEM, sizeof(t->sent), NULL);

	assert_non_null(m);
	open_and_wait(t, self);
	memcpy(tr_msg_data(m), &t->sent, sizeof(t->sent));
	t->sent++;
	hoard(t, self);
	t->refused = tr_send_msg(self, t->receiver, &m);
	unhoard(t, self);
	items(t, self, MANY);
	kit_tell(self, t->receiver, MARK);
}

static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct scarce *t = kit_ctx(state);

	(void)msg;
	t->step[t->steps++](t, self);
	return TR_OK;
}

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	const struct tr_spawn_options there = { .placement = TR_PLACE_WORKER,
		.worker = 1 };
	struct scarce *t;

	(void)kit_start_ctx(self, state, arg);
	t = kit_ctx(state);
	t->root = tr_self_ref(self);
	t->receiver = tr_spawn(self, &receiver, t, &there);
	t->helper = tr_spawn(self, &helper, t, &there);
	kit_tell(self, t->root, DONE);
	return TR_OK;
}

static const struct tr_behavior root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = root_start,
	.receive = root_receive,
};

typedef void (*const scene[4])(struct scarce *t, struct tr_self *self);

static struct scarce *
play(scene steps)
{
	struct tr_allocator a = { fault_alloc, fault_free, &faults };
	struct scarce *t = test_calloc(1, sizeof(*t));

	faults_begin();
	t->step = steps;
	kit_new_with(&t->k,
	    (struct tr_options){ .workers = 2, .allocator = &a });
	t->k.sys->apart = 2;
	(void)kit_root(&t->k, &root, t);
	kit_run(&t->k);
	faults_over();
	assert_true(t->opened);
	assert_false(t->lost);
	assert_int_equal(t->next, t->sent);
	return t;
}

/* ------------------------------------------------------------ tests ----- */

static void
a_receiver_without_memory_lets_others_go_first(void **unused)
{
	struct scarce *t = play((scene){ move, starve, finish });

	(void)unused;
	assert_int_equal(t->stuck, t->pushed);
	test_free(t);
}

static void
what_came_too_late_is_refused_without_memory(void **unused)
{
	struct scarce *t = play((scene){ move, refuse, finish });

	(void)unused;
	assert_true(t->late);
	assert_int_equal(t->refused, TR_ENOMEM);
	test_free(t);
}

static void
but_not_if_it_is_a_block(void **unused)
{
	struct scarce *t = play((scene){ move, send_block, finish });

	(void)unused;
	assert_true(t->late);
	assert_int_equal(t->refused, TR_OK);
	test_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_receiver_without_memory_lets_others_go_first),
		cmocka_unit_test(what_came_too_late_is_refused_without_memory),
		cmocka_unit_test(but_not_if_it_is_a_block),
	};

	kit_watchdog();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
