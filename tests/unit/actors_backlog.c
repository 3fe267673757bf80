/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of a long backlog (actors/backlog.c): nobody can tell, but by what is in
 * the cells.
 *
 * First a ring of more actors than wait in their worker's own places.  The root gives
 * each a list for several turns, and for each message of that an actor sends the next
 * one of the ring another.  Then one actor, which looks at its own backlog.
 */
#include "slow_clock.h"

#include "actors/backlog.h"
#include "actors/gather.h"

enum { ITEM, MORE, GO };
enum { ACTORS = 200, LIST = 600, TURN = 128, HOT = 1024, FEW = 63 };

static uint32_t
in_inlet(struct tr_self *self)
{
	uint64_t head = tri_inlet_look_owner(&self->inlet);

	return tri_inlet_is_msg(head) ? tri_inlet_length(head) : 0;
}

/* ---------------------------------------------------------------- ring -- */

struct ring {
	struct kit k;
	struct tr_spawn_options options;
	tr_ref link[ACTORS];
	unsigned items[ACTORS], more[ACTORS]; /* expected next */
	/* In the inlet of who had a backlog: more than of two turns; the most. */
	bool behind[ACTORS];
	uint32_t most;
	unsigned lost, done;
};

struct link {
	struct ring *t;
	unsigned number;
};

static void
link_look(struct ring *t, unsigned i, uint32_t n)
{
	t->behind[i] |= n > 2 * TURN;
	t->most = n > t->most ? n : t->most;
}

static int
link_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct link *s = state;
	struct ring *t = s->t;
	unsigned i = s->number;
	uint64_t n = kit_u64(msg);

	if (self->pending != NULL)
		link_look(t, i, in_inlet(self));
	/* It never has that many. */
	t->lost += tri_load_relaxed(&self->taken) > 3 * LIST;
	if (tr_tag(msg) == ITEM) {
		t->lost += n != t->items[i]++;
		(void)tr_send(self, t->link[(i + 1) % ACTORS], MORE, &n,
		    sizeof(n));
	} else {
		t->lost += n != t->more[i]++;
	}
	if (t->items[i] + t->more[i] == 2 * LIST && ++t->done == ACTORS)
		return kit_finish(self);
	return TR_OK;
}

static int
link_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	memcpy(state, arg, sizeof(struct link));
	return TR_OK;
}

static const struct tr_behavior link_behavior = {
	.name = "link",
	.state_size = sizeof(struct link),
	.arg_size = sizeof(struct link),
	.start = link_start,
	.receive = link_receive,
};

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct ring *t;

	(void)kit_start_ctx(self, state, arg);
	t = kit_ctx(state);
	for (unsigned i = 0; i < ACTORS; i++)
		t->link[i] = tr_spawn(self, &link_behavior,
		    &(struct link){ t, i }, &t->options);
	for (uint64_t n = 0; n < LIST; n++)
		for (unsigned i = 0; i < ACTORS; i++)
			assert_int_equal(tr_send(self, t->link[i], ITEM, &n,
					     sizeof(n)),
			    TR_OK);
	return TR_OK;
}

static const struct tr_behavior root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = root_start,
	.receive = kit_ignore,
};

/* Each gets all, in order.  Returns how many were behind. */
static unsigned
play(struct tr_spawn_options options)
{
	struct ring *t = test_calloc(1, sizeof(*t));
	unsigned behind = 0;

	t->options = options;
	kit_new(&t->k, 1);
	slow_clock(&t->k);
	(void)kit_root(&t->k, &root, t);
	kit_run(&t->k);
	assert_int_equal(t->lost, 0);
	assert_int_equal(t->done, ACTORS);
	/* They are pushed. */
	assert_true(t->most >= TRI_GATHER_LEAST);
	for (unsigned i = 0; i < ACTORS; i++)
		behind += t->behind[i];
	test_free(t);
	return behind;
}

static void
a_backlog_gets_more_before_it_is_handled(void **unused)
{
	(void)unused;
	assert_int_equal(play((struct tr_spawn_options){ 0 }), 0);
}

static void
also_one_with_a_home(void **unused)
{
	(void)unused;
	assert_int_equal(play((struct tr_spawn_options){
			     .placement = TR_PLACE_PINNED }),
	    0);
}

static void
but_none_with_a_bound(void **unused)
{
	(void)unused;
	assert_in_range(play((struct tr_spawn_options){ .max_items = 100000 }),
	    ACTORS - 2, ACTORS);
}

/* ----------------------------------------------------------------- one -- */

struct one {
	struct kit k;
	void (*look)(struct tri_crew *c, struct tr_self *self, struct one *t);
	tr_ref feeder; /* on another worker */
	uint32_t items; /* that the feeder is to send */
	unsigned before; /* messages of its own that it waits for */
	unsigned handled;
};

/* As this worker's actors push. */
static void
push_own(struct tri_crew *c, struct tr_self *self, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct tr_msg *m =
		    tri_msg_alloc(&c->desk, TRI_MSG_PLAIN, 0, ITEM, 0);

		assert_non_null(m);
		m->generation = tri_ref_generation(c->turn.ref);
		tri_count(&c->desk.counts.sent, (uint64_t)1);
		assert_int_equal(tri_push_to(c->desk.sys, self, m),
		    TRI_PUSH_QUEUED);
	}
}

static struct tr_msg *
last_of(struct tr_self *self)
{
	struct tr_msg *m = self->pending;

	while (m->link != NULL)
		m = m->link;
	return m;
}

static int
one_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct one *t = kit_ctx(state);
	struct tri_crew *c = tri_crew_of(self);

	(void)msg;
	if (t->handled++ == 0) {
		/* Too little to be remembered. */
		tri_backlog_remember(c, self, (struct tr_msg *)(uintptr_t)msg);
		assert_null(tri_backlog_recall(c, self));
		push_own(c, self, LIST);
		t->before = LIST;
	} else if (t->handled == 2) {
		assert_int_equal(tri_load_relaxed(&self->taken), LIST);
		t->look(c, self, t);
	}
	return t->handled == 1 + t->before ? kit_finish(self) : TR_OK;
}

static int
feeder_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct one *t = kit_ctx(state);

	for (uint32_t i = 0; i < t->items; i++)
		kit_tell(self, tr_sender(msg), ITEM);
	return TR_OK;
}

static const struct tr_behavior feeder = {
	.name = "feeder",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = feeder_receive,
};

static int
one_start(struct tr_self *self, void *state, const void *arg)
{
	struct one *t;

	(void)kit_start_ctx(self, state, arg);
	t = kit_ctx(state);
	if (t->items > 0)
		t->feeder = tr_spawn(self, &feeder, t,
		    &(struct tr_spawn_options){ .placement = TR_PLACE_WORKER,
			.worker = 1 });
	kit_tell(self, tr_self_ref(self), GO);
	return TR_OK;
}

static const struct tr_behavior one = {
	.name = "one",
	.state_size = sizeof(void *),
	.start = one_start,
	.receive = one_receive,
};

static int
boss_start(struct tr_self *self, void *state, const void *arg)
{
	(void)state;
	return tr_ref_valid(tr_spawn(self, &one, arg,
		   &(struct tr_spawn_options){ .placement = TR_PLACE_WORKER,
		       .worker = 0 })) ?
	    TR_OK :
	    TR_ENOMEM;
}

static const struct tr_behavior boss = {
	.name = "boss",
	.start = boss_start,
	.receive = kit_ignore,
};

static void
play_one(unsigned workers, uint32_t items,
    void (*look)(struct tri_crew *c, struct tr_self *self, struct one *t))
{
	struct one *t = test_calloc(1, sizeof(*t));

	t->look = look;
	t->items = items;
	kit_play(&t->k, workers, &boss, t);
	assert_int_equal(t->handled, 1 + t->before);
	test_free(t);
}

static void
look_at_the_end(struct tri_crew *c, struct tr_self *self, struct one *t)
{
	struct tr_msg *last = last_of(self);

	(void)t;
	assert_null(tri_backlog_recall(c, self));
	tri_backlog_remember(c, self, last);
	assert_ptr_equal(tri_backlog_recall(c, self), last);
	/* Once. */
	assert_null(tri_backlog_recall(c, self));
	/* Something has been appended. */
	tri_backlog_remember(c, self, self->pending);
	assert_null(tri_backlog_recall(c, self));
	assert_null(tri_aside(c->desk.sys, self)->tail);
	tri_backlog_remember(c, self, NULL);
	assert_null(tri_backlog_recall(c, self));
}

static void
the_end_is_remembered_once(void **unused)
{
	(void)unused;
	play_one(1, 0, look_at_the_end);
}

/* Not taken: it stays in the inlet. */
static void
assert_left(struct tri_crew *c, struct tr_self *self, struct tr_msg *last)
{
	uint32_t n = in_inlet(self), pending = tri_load_relaxed(&self->taken);

	assert_ptr_equal(tri_backlog_absorb(c, self, last), last);
	assert_int_equal(in_inlet(self), n);
	assert_int_equal(tri_load_relaxed(&self->taken), pending);
}

static void
look_at_what_is_left(struct tri_crew *c, struct tr_self *self, struct one *t)
{
	struct tr_msg *last = last_of(self);

	assert_left(c, self, last);
	push_own(c, self, FEW);
	assert_left(c, self, last);
	push_own(c, self, HOT - FEW);
	/* Where it ends is not known. */
	assert_left(c, self, NULL);
	push_own(c, self, 1);
	assert_left(c, self, last);
	t->before += HOT + 1;
}

static void
too_few_and_too_many_are_left(void **unused)
{
	(void)unused;
	play_one(1, 0, look_at_what_is_left);
}

static void
look_at_what_comes_from_elsewhere(struct tri_crew *c, struct tr_self *self,
    struct one *t)
{
	kit_tell(self, t->feeder, GO);
	while (in_inlet(self) < t->items)
		sched_yield();
	assert_left(c, self, last_of(self));
	t->before += t->items;
}

static void
what_comes_from_elsewhere_is_left(void **unused)
{
	(void)unused;
	play_one(2, 100, look_at_what_comes_from_elsewhere);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_backlog_gets_more_before_it_is_handled),
		cmocka_unit_test(also_one_with_a_home),
		cmocka_unit_test(but_none_with_a_bound),
		cmocka_unit_test(the_end_is_remembered_once),
		cmocka_unit_test(too_few_and_too_many_are_left),
		cmocka_unit_test(what_comes_from_elsewhere_is_left),
	};

	kit_watchdog();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
