/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Slots and records are used again: what was meant for the former user does
 * not reach the next one.  And an end that takes many slices is one end.
 */
#include "actors/send.h"
#include "kit.h"

enum { GO, STALE, FRESH, TICK, DONE };

/* ----------------------------------------- a message for the former one -- */

struct late {
	tr_ref root, tenant;
	unsigned stale, fresh;
};

/* Of the test that runs. */
static struct late *late_now;

/* Without start() it is idle at once: what comes first is handled in place. */
static int
tenant_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	if (tr_tag(msg) == STALE) {
		late_now->stale++;
		return TR_OK;
	}
	late_now->fresh++;
	return tr_send(self, late_now->root, DONE, NULL, 0);
}

static const struct tr_behavior tenant = {
	.name = "tenant",
	.receive = tenant_receive,
};

/* As a sender does that had looked at the slot before it changed hands. */
static void
push_late(struct tri_crew *c, tr_ref to)
{
	struct tr_self *a = tri_cell(c->desk.sys, tri_ref_slot(to));
	struct tr_msg *m = tri_msg_alloc(&c->desk, TRI_MSG_PLAIN, 0, STALE, 0);

	if (m == NULL)
		abort();
	m->generation = tri_ref_generation(to) - 1;
	tri_count(&c->desk.counts.sent, (uint64_t)1);
	if (tri_inlet_push(&a->inlet, m) != TRI_PUSH_WAKE)
		abort();
	tri_schedule(c->desk.sys, &c->worker, a);
}

/* One worker: the tenant has handled the first before the root goes on. */
static int
late_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct late *l = kit_ctx(state);

	switch (tr_tag(msg)) {
	case GO:
		l->root = tr_self_ref(self);
		l->tenant = tr_spawn(self, &tenant, NULL, NULL);
		push_late(tri_crew_of(self), l->tenant);
		return tr_after(self, TR_MS(1), FRESH, 0) != 0 ? TR_OK :
								 TR_ENOMEM;
	case FRESH: return tr_send(self, l->tenant, FRESH, NULL, 0);
	default: return kit_finish(self);
	}
}

static int
go_start(struct tr_self *self, void *state, const void *arg)
{
	(void)kit_start_ctx(self, state, arg);
	return tr_send(self, tr_self_ref(self), GO, NULL, 0);
}

static const struct tr_behavior late = {
	.name = "late",
	.state_size = sizeof(void *),
	.start = go_start,
	.receive = late_receive,
};

static void
a_lone_message_for_the_former_actor_is_a_dead_letter(void **unused)
{
	struct late l = { .stale = 0 };
	struct kit k;

	(void)unused;
	late_now = &l;
	kit_play(&k, 1, &late, &l);
	assert_int_equal(l.stale, 0);
	assert_int_equal(l.fresh, 1);
	assert_int_equal(k.stats.dead[TR_DEAD_NO_ACTOR], 1);
	assert_int_equal(kit_letters(&k, TR_DEAD_NO_ACTOR, STALE), 1);
}

/* ------------------------------------------- a kill for the former one --- */

struct heirs {
	tr_ref root, former, heir;
	unsigned ended, answered, reused;
};

static int
heir_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct heirs *h = kit_ctx(state);

	if (tr_tag(msg) == DONE)
		return tr_exit(self, TR_NORMAL);
	return tr_send(self, h->root, FRESH, NULL, 0);
}

static void
heir_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct heirs *h = kit_ctx(state);

	(void)self;
	h->ended += why->code != TR_SHUTDOWN;
}

static const struct tr_behavior heir = {
	.name = "heir",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = heir_receive,
	.stop = heir_stop,
};

static int
heirs_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct heirs *h = kit_ctx(state);

	switch (tr_tag(msg)) {
	case GO:
		h->root = tr_self_ref(self);
		h->former = tr_spawn(self, &heir, h, NULL);
		kit_tell(self, h->former, DONE);
		return tr_after(self, TR_MS(1), TICK, 0) != 0 ? TR_OK :
								TR_ENOMEM;
	case TICK:
		h->heir = tr_spawn(self, &heir, h, NULL);
		h->reused = tri_ref_slot(h->former) == tri_ref_slot(h->heir);
		(void)tr_kill(self, h->former);
		(void)tr_stop(self, h->former, tr_forever());
		kit_tell(self, h->heir, FRESH);
		/* Should nobody answer. */
		return tr_after(self, TR_SECONDS(3), DONE, 0) != 0 ? TR_OK :
								     TR_ENOMEM;
	default: h->answered += tr_tag(msg) == FRESH; return kit_finish(self);
	}
}

static const struct tr_behavior heirs = {
	.name = "heirs",
	.state_size = sizeof(void *),
	.start = go_start,
	.receive = heirs_receive,
};

static void
who_is_told_to_end_is_not_the_next_actor_of_the_slot(void **unused)
{
	struct heirs h = { .ended = 0 };
	struct kit k;

	(void)unused;
	kit_play(&k, 1, &heirs, &h);
	assert_int_equal(h.reused, 1);
	assert_int_equal(h.answered, 1);
	assert_int_equal(h.ended, 1); /* the former one */
}

/* ------------------------------------------- a name for the former one --- */

struct names {
	unsigned ticks, wrong, reused;
};

static int
names_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct names *n = kit_ctx(state);
	tr_timer before, now;

	if (tr_tag(msg) == TICK) {
		n->ticks++;
		return kit_finish(self);
	}
	before = tr_after(self, TR_SECONDS(3600), TICK, 0);
	if (tr_timer_cancel(self, before) != TR_OK)
		n->wrong++;
	now = tr_after(self, TR_MS(1), TICK, 0);
	n->reused = (uint32_t)before == (uint32_t)now;
	if (before == now || tr_timer_cancel(self, before) != TR_EINVAL)
		n->wrong++;
	return TR_OK;
}

static const struct tr_behavior names = {
	.name = "names",
	.state_size = sizeof(void *),
	.start = go_start,
	.receive = names_receive,
};

static void
a_cancelled_timers_name_does_not_fit_the_next_one(void **unused)
{
	struct names n = { .ticks = 0 };
	struct kit k;

	(void)unused;
	kit_play(&k, 1, &names, &n);
	assert_int_equal(n.reused, 1);
	assert_int_equal(n.wrong, 0);
	assert_int_equal(n.ticks, 1);
}

/* ------------------------------------------------------- a long death ---- */

enum { TIMERS = 2000 };

struct slices {
	unsigned stops, named;
};

static int
slices_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	(void)msg;
	if (tr_register(self, "of many slices") != TR_OK)
		return TR_EEXIST;
	for (unsigned i = 0; i < TIMERS; i++)
		if (tr_after(self, TR_SECONDS(3600), TICK, i) == 0)
			return TR_ENOMEM;
	return kit_finish(self);
}

static void
slices_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct slices *s = kit_ctx(state);

	(void)why;
	s->stops++;
	s->named += tr_ref_equal(tr_self_ref(self),
	    tr_whereis(tr_system_of(self), "of many slices"));
}

static const struct tr_behavior slices = {
	.name = "slices",
	.state_size = sizeof(void *),
	.start = go_start,
	.receive = slices_receive,
	.stop = slices_stop,
};

static void
stop_runs_once_when_there_are_many_timers_to_end(void **unused)
{
	struct slices s = { .stops = 0 };
	struct kit k;

	(void)unused;
	kit_play(&k, 1, &slices, &s);
	assert_int_equal(s.stops, 1);
	assert_int_equal(s.named, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(a_lone_message_for_the_former_actor_is_a_dead_letter),
		KIT_TEST(who_is_told_to_end_is_not_the_next_actor_of_the_slot),
		KIT_TEST(a_cancelled_timers_name_does_not_fit_the_next_one),
		KIT_TEST(stop_runs_once_when_there_are_many_timers_to_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
