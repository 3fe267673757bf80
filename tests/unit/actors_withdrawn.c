/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Actors that a worker takes back from the queue for all in the middle of a
 * handler (tri_actor_reserve): whatever they have by then they get once, and in
 * its order, and what is sent to them from there on comes last.
 */
#include "kit.h"

#include "actors/system.h"

enum { WORK, MANY = 5000, MOST = 6000 };

struct withdrawn {
	struct kit k;
	tr_ref to, other;
	uint64_t got[MOST];
	unsigned n;
	unsigned before; /* messages, sent while all may run the actor */
	bool bounded;
	bool was_alone, was_direct;
	bool floods; /* the last one's worker does, for all it knows */
};

static int
taker_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct withdrawn *t = kit_ctx(state);

	(void)self;
	assert_true(t->n < MOST);
	t->got[t->n++] = kit_u64(msg);
	return TR_OK;
}

static const struct tr_behavior taker = {
	.name = "taker",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = taker_receive,
};

static int
last_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct withdrawn *t = kit_ctx(state);

	(void)msg;
	t->floods = tri_load_relaxed(&tri_crew_of(self)->worker.floods) != 0;
	return kit_finish(self);
}

static const struct tr_behavior last = {
	.name = "last",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = last_receive,
};

static void
give(struct tr_self *self, struct withdrawn *t, uint64_t what)
{
	assert_int_equal(tr_send(self, t->to, WORK, &what, sizeof(what)),
	    TR_OK);
}

static struct tr_self *
cell_of(struct withdrawn *t, tr_ref ref)
{
	return tri_cell(t->k.sys, (uint32_t)ref.bits);
}

static uint64_t
head_of(struct withdrawn *t)
{
	return tri_inlet_look(&cell_of(t, t->to)->inlet);
}

static bool
waits(struct withdrawn *t, struct tri_worker *w)
{
	tri_word word = tri_word_of(cell_of(t, t->to), TRI_KIND_ACTOR);
	struct tri_place *p = tri_reserve_place(&w->reserve, word);

	return tri_load_relaxed(&p->slot.word) == word &&
	    tri_reserve_note(p) != NULL;
}

/* The actor has messages, of which some are pending, and is in the queue for
 * all; then there is nobody else. */
static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct withdrawn *t = kit_ctx(state);
	struct tri_crew *c = tri_crew_of(self);
	struct tri_worker *w = &c->worker;
	unsigned i = 0;

	(void)msg;
	if (t->before > 0)
		give(self, t, i++);
	/* The other one is next from here on. */
	kit_tell(self, t->other, WORK);
	tri_sched_publish(w);
	while (i < t->before)
		give(self, t, i++);
	assert_false(waits(t, w));
	tri_store_relaxed(&w->yielded, 1u);
	give(self, t, i++);
	t->was_alone = waits(t, w);
	give(self, t, i++);
	t->was_direct = head_of(t) == c->reserved;
	give(self, t, i++);
	/* Not before the taker. */
	w->q.next_left = 0;
	/* Others found that this handler floods them; it is looked at when it is
	 * over. */
	tri_store_relaxed(&w->floods, 1u);
	w->clock_in = 1;
	return TR_OK;
}

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct withdrawn *t;
	struct tr_spawn_options bound = {
		.max_items = MOST,
	};

	(void)kit_start_ctx(self, state, arg);
	t = kit_ctx(state);
	tri_crew_of(self)->worker.clock_every = TRI_CLOCK_MESSAGES;
	tri_crew_of(self)->worker.clock_in = UINT32_MAX;
	t->to = tr_spawn(self, &taker, t, t->bounded ? &bound : NULL);
	t->other = tr_spawn(self, &last, t, NULL);
	kit_tell(self, tr_self_ref(self), WORK);
	return TR_OK;
}

static const struct tr_behavior root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = root_start,
	.receive = root_receive,
};

static struct withdrawn *
withdrawn(unsigned before, bool bounded)
{
	struct withdrawn *t = test_calloc(1, sizeof(*t));

	t->before = before;
	t->bounded = bounded;
	kit_new(&t->k, 1);
	(void)kit_root(&t->k, &root, t);
	kit_run(&t->k);
	assert_int_equal(t->n, before + 3);
	assert_false(t->floods);
	for (unsigned i = 0; i < t->n; i++)
		assert_int_equal(t->got[i], i);
	return t;
}

static void
what_is_pending_and_what_has_come_keep_their_order(void **unused)
{
	struct withdrawn *t = withdrawn(10, false);

	(void)unused;
	assert_true(t->was_alone);
	assert_true(t->was_direct);
	test_free(t);
}

static void
one_message_is_enough(void **unused)
{
	struct withdrawn *t = withdrawn(1, false);

	(void)unused;
	assert_true(t->was_alone);
	assert_true(t->was_direct);
	test_free(t);
}

static void
a_long_backlog_stays_where_it_is(void **unused)
{
	struct withdrawn *t = withdrawn(MANY, false);

	(void)unused;
	assert_false(t->was_alone);
	assert_false(t->was_direct);
	test_free(t);
}

static void
a_bounded_one_stays_where_it_is(void **unused)
{
	struct withdrawn *t = withdrawn(10, true);

	(void)unused;
	assert_false(t->was_alone);
	test_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(what_is_pending_and_what_has_come_keep_their_order),
		KIT_TEST(one_message_is_enough),
		KIT_TEST(a_long_backlog_stays_where_it_is),
		KIT_TEST(a_bounded_one_stays_where_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
