/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers in large numbers, timers of actors that have ended, and timers of
 * actors that move from worker to worker.
 */
#include "kit.h"

enum { TICK, GONE, LOAD, DONE };

/* ------------------------------------------- a hundred thousand timers --- */

enum { CROWD = 100000 };

struct crowd {
	int64_t due[CROWD];
	tr_timer timer[CROWD];
	uint8_t state[CROWD]; /* 0 armed, 1 fired, 2 cancelled */
	uint64_t seed;
	int left, early, wrong;
};

static int
crowd_start(struct tr_self *self, void *state, const void *arg)
{
	int64_t delay;
	struct crowd *c;

	(void)kit_start_ctx(self, state, arg);
	c = kit_ctx(state);
	for (int i = 0; i < TEST_SCALE(CROWD); i++) {
		delay = (int64_t)kit_below(&c->seed, (uint64_t)TR_MS(300));
		c->due[i] = tr_now(self) + delay;
		c->timer[i] = tr_after(self, delay, TICK, (uint64_t)i);
		if (c->timer[i] == 0)
			return TR_ENOMEM;
	}
	c->left = TEST_SCALE(CROWD);
	for (int i = 0; i < TEST_SCALE(CROWD); i += 3) {
		if (tr_timer_cancel(self, c->timer[i]) != TR_OK)
			c->wrong++;
		c->state[i] = 2;
		c->left--;
	}
	return TR_OK;
}

/* Each tick cancels one more that is still to come, now and then. */
static int
crowd_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const struct tr_tick *tick = tr_data(msg, sizeof(*tick));
	struct crowd *c = kit_ctx(state);
	uint64_t other;

	if (tick == NULL || c->state[tick->cookie] != 0)
		c->wrong++;
	if (tick == NULL)
		return TR_EINVAL;
	c->state[tick->cookie] = 1;
	c->left--;
	if (tr_now(self) < c->due[tick->cookie])
		c->early++;
	other = kit_below(&c->seed, TEST_SCALE(CROWD));
	if (other % 4 == 0 && c->state[other] == 0) {
		if (tr_timer_cancel(self, c->timer[other]) != TR_OK)
			c->wrong++;
		c->state[other] = 2;
		c->left--;
	}
	return c->left == 0 ? kit_finish(self) : TR_OK;
}

static const struct tr_behavior crowd_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = crowd_start,
	.receive = crowd_receive,
};

static void
a_hundred_thousand_timers_each_fire_once_or_never(void **unused)
{
	static struct crowd c;
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 4) {
		memset(&c, 0, sizeof(c));
		c.seed = workers;
		kit_play(&k, workers, &crowd_root, &c);
		assert_int_equal(c.left, 0);
		assert_int_equal(c.wrong, 0);
		assert_int_equal(c.early, 0);
		assert_int_equal(k.stats.failed, 0);
	}
}

/* ---------------------------------------------- timers of the departed --- */

enum { MORTALS = 500, HEIRS = 500 };

struct departed {
	tr_ref root;
	atomic_int ended, haunted;
};

static int
mortal_start(struct tr_self *self, void *state, const void *arg)
{
	(void)kit_start_ctx(self, state, arg);
	for (int i = 0; i < 10; i++) {
		if (tr_after(self, TR_US(200 * i), GONE, 0) == 0 ||
		    tr_every(self, TR_US(100 + 50 * i), GONE, 0) == 0)
			return TR_ENOMEM;
	}
	return tr_exit(self, TR_NORMAL);
}

static void
mortal_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct departed *d = kit_ctx(state);

	(void)why;
	kit_tell(self, d->root, DONE);
}

static int
mortal_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct departed *d = kit_ctx(state);

	(void)self;
	if (tr_tag(msg) == GONE)
		atomic_fetch_add(&d->haunted, 1);
	return TR_OK;
}

static const struct tr_behavior mortal = {
	.name = "mortal", .state_size = sizeof(void *),
	.start = mortal_start, .receive = mortal_receive,
	.stop = mortal_stop,
}, heir = {
	.name = "heir", .state_size = sizeof(void *),
	.start = kit_start_ctx, .receive = mortal_receive,
};

static int
departed_start(struct tr_self *self, void *state, const void *arg)
{
	struct departed *d;

	(void)kit_start_ctx(self, state, arg);
	d = kit_ctx(state);
	d->root = tr_self_ref(self);
	for (int i = 0; i < MORTALS; i++)
		if (!tr_ref_valid(tr_spawn(self, &mortal, d, NULL)))
			return TR_ENOMEM;
	return TR_OK;
}

/* Heirs take the slots; wait until all those timers would have fired. */
static int
departed_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct departed *d = kit_ctx(state);

	if (tr_tag(msg) == TICK)
		return kit_finish(self);
	if (atomic_fetch_add(&d->ended, 1) + 1 < MORTALS)
		return TR_OK;
	for (int i = 0; i < HEIRS; i++)
		if (!tr_ref_valid(tr_spawn(self, &heir, d, NULL)))
			return TR_ENOMEM;
	return tr_after(self, TR_MS(20), TICK, 0) == 0 ? TR_ENOMEM : TR_OK;
}

static const struct tr_behavior departed_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = departed_start,
	.receive = departed_receive,
};

static void
timers_die_with_their_actor(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct departed d = { .ended = 0 };

		kit_new_with(&k,
		    (struct tr_options){ .workers = workers,
			.max_actors = 1024 });
		(void)kit_root(&k, &departed_root, &d);
		kit_run(&k);
		assert_int_equal(d.ended, MORTALS);
		assert_int_equal(d.haunted, 0);
		assert_int_equal(k.stats.failed, 0);
	}
}

/* ------------------------------------------------- timers on the move --- */

enum { NOMADS = 16, NOMAD_TICKS = 40, NOMAD_NS = 1000000 };

/*
 * Each nomad beats every ms and computes long enough between the beats that
 * idle workers take some of them over.
 */
struct nomad {
	struct nomads *all;
	tr_timer timer;
	int64_t begun, due;
	int seen;
	unsigned worker;
};

struct nomads {
	tr_ref root;
	atomic_int early, wrong, moves, done;
};

static int
nomad_start(struct tr_self *self, void *state, const void *arg)
{
	struct nomad *n = state;

	(void)kit_start_ctx(self, state, arg);
	n->worker = tr_self_worker(self);
	n->begun = tr_now(self);
	n->timer = tr_every(self, NOMAD_NS, TICK, 7);
	return n->timer == 0 ? TR_ENOMEM : TR_OK;
}

static int
nomad_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const struct tr_tick *tick = tr_data(msg, sizeof(*tick));
	struct nomad *n = state;

	if (tr_tag(msg) != TICK || tick == NULL || tick->timer != n->timer ||
	    tick->cookie != 7) {
		atomic_fetch_add(&n->all->wrong, 1);
		return TR_OK;
	}
	if (n->worker != tr_self_worker(self))
		atomic_fetch_add(&n->all->moves, 1);
	n->worker = tr_self_worker(self);
	n->due += 1 + (int64_t)tick->missed;
	if (tr_now(self) < n->begun + n->due * NOMAD_NS)
		atomic_fetch_add(&n->all->early, 1);
	kit_spin_for(self, TR_US(300));
	if (++n->seen < NOMAD_TICKS)
		return TR_OK;
	if (tr_timer_cancel(self, n->timer) != TR_OK)
		atomic_fetch_add(&n->all->wrong, 1);
	/* From now on any tick is wrong. */
	n->timer = 0;
	return tr_send(self, n->all->root, DONE, NULL, 0);
}

static const struct tr_behavior nomad = {
	.name = "nomad",
	.state_size = sizeof(struct nomad),
	.start = nomad_start,
	.receive = nomad_receive,
};

static int
nomads_start(struct tr_self *self, void *state, const void *arg)
{
	struct nomads *all;

	(void)kit_start_ctx(self, state, arg);
	all = kit_ctx(state);
	all->root = tr_self_ref(self);
	for (int i = 0; i < NOMADS; i++)
		if (!tr_ref_valid(tr_spawn(self, &nomad, all, NULL)))
			return TR_ENOMEM;
	return TR_OK;
}

static int
nomads_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct nomads *all = kit_ctx(state);

	(void)msg;
	if (atomic_fetch_add(&all->done, 1) + 1 == NOMADS)
		return kit_finish(self);
	return TR_OK;
}

static const struct tr_behavior nomads_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = nomads_start,
	.receive = nomads_receive,
};

static void
timers_follow_actors_from_worker_to_worker(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 8; workers *= 2) {
		struct nomads all = { .done = 0 };

		kit_play(&k, workers, &nomads_root, &all);
		assert_int_equal(all.done, NOMADS);
		assert_int_equal(all.early, 0);
		assert_int_equal(all.wrong, 0);
		print_message("%u workers: %d moves\n", workers, all.moves);
	}
}

/* ------------------------------------------- a tick that waits its turn --- */

enum { QUEUE = 100, TICKS = 3, WAIT_PERIOD_NS = 2000000 };

/*
 * The mailbox holds 100 ms of work when the first tick is put behind it: what
 * falls due meanwhile is in that tick's account, or in those of the next two.
 * (The second goes by a clock that may have been read before the first was
 * handled, where a worker loses its core in between; the third does not.)
 */
struct queued {
	int64_t begun, armed; /* just before that, and just after */
	int64_t at_first;
	int64_t due; /* periods in the accounts so far */
	int seen, early;
};

static int
queued_start(struct tr_self *self, void *state, const void *arg)
{
	struct queued *q;

	(void)kit_start_ctx(self, state, arg);
	q = kit_ctx(state);
	for (int i = 0; i < QUEUE; i++)
		kit_tell(self, tr_self_ref(self), LOAD);
	q->begun = tr_now(self);
	if (tr_every(self, WAIT_PERIOD_NS, TICK, 0) == 0)
		return TR_ENOMEM;
	q->armed = tr_now(self);
	return TR_OK;
}

static int
queued_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const struct tr_tick *tick = tr_data(msg, sizeof(*tick));
	struct queued *q = kit_ctx(state);
	int64_t now = tr_now(self);

	if (tr_tag(msg) == LOAD) {
		kit_spin_for(self, TR_MS(1));
		return TR_OK;
	}
	/* The system stops, which may take longer than a period. */
	if (q->seen == TICKS)
		return TR_OK;
	if (q->seen == 0)
		q->at_first = now;
	q->due += 1 + (int64_t)tick->missed;
	if (now < q->begun + q->due * WAIT_PERIOD_NS)
		q->early++;
	return ++q->seen == TICKS ? kit_finish(self) : TR_OK;
}

static const struct tr_behavior queued_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = queued_start,
	.receive = queued_receive,
};

static void
a_tick_that_waits_counts_what_falls_due_meanwhile(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct queued q = { .seen = 0 };

		kit_play(&k, workers, &queued_root, &q);
		assert_int_equal(q.seen, TICKS);
		assert_int_equal(q.early, 0);
		assert_true(q.due >= (q.at_first - q.armed) / WAIT_PERIOD_NS);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(a_hundred_thousand_timers_each_fire_once_or_never),
		KIT_TEST(timers_die_with_their_actor),
		KIT_TEST(timers_follow_actors_from_worker_to_worker),
		KIT_TEST(a_tick_that_waits_counts_what_falls_due_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
