/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers: never early, one shot or at a fixed rate, never seen once they were
 * cancelled, gone with their actor.  How late a tick may be is not tested:
 * that would be a test of the machine.
 */
#include "kit.h"

enum { TICK, OTHER, LOAD, DONE, NEXT };

static struct tr_tick
tick_of(const struct tr_msg *msg)
{
	const struct tr_tick *tick = tr_data(msg, sizeof(*tick));

	return tick == NULL ? (struct tr_tick){ 0 } : *tick;
}

/* -------------------------------------------------- early, and once --- */

enum { SHOTS = 5000 };

struct shots {
	int64_t due[SHOTS]; /* not before */
	int64_t due_by[SHOTS]; /* but by then: setting it takes a while */
	tr_timer timer[SHOTS];
	uint8_t fired[SHOTS];
	uint64_t seed;
	int armed, seen, early, wrong, unordered;
	int64_t last_due;
	int in_turn, nested;
	bool strict; /* they come in the order in which they are due */
};

static int64_t
shot_delay(struct shots *s, int i)
{
	if (s->strict) /* whole ms apart, in no order */
		return TR_MS(5 + (i * 37) % 101);
	switch (i % 10) {
	case 0: return 0;
	case 1: return -TR_SECONDS(1);
	case 2: return (int64_t)kit_below(&s->seed, 2000);
	default: return (int64_t)kit_below(&s->seed, (uint64_t)TR_MS(30));
	}
}

static int
shots_start(struct tr_self *self, void *state, const void *arg)
{
	int64_t delay;
	struct shots *s;

	(void)kit_start_ctx(self, state, arg);
	s = kit_ctx(state);
	s->in_turn = 1;
	for (int i = 0; i < s->armed; i++) {
		delay = shot_delay(s, i);
		s->due[i] = tr_now(self) + (delay < 0 ? 0 : delay);
		s->timer[i] = tr_after(self, delay, TICK, (uint64_t)i);
		s->due_by[i] = tr_now(self) + (delay < 0 ? 0 : delay);
		if (s->timer[i] == 0)
			return TR_ENOMEM;
	}
	s->in_turn = 0;
	return TR_OK;
}

static int
shots_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct shots *s = kit_ctx(state);
	struct tr_tick tick = tick_of(msg);
	uint64_t i = tick.cookie;

	s->nested += s->in_turn;
	if (tr_tag(msg) != TICK || tr_size(msg) != sizeof(tick) ||
	    tr_ref_valid(tr_sender(msg)) || tick.missed != 0 ||
	    tick.timer != s->timer[i] || s->fired[i]++ != 0)
		s->wrong++;
	if (tr_now(self) < s->due[i])
		s->early++;
	/* Within one ms they may come in any order. */
	if (s->due_by[i] < s->last_due - TR_MS(1))
		s->unordered++;
	s->last_due = s->due[i];
	if (tr_timer_cancel(self, tick.timer) != TR_EINVAL)
		s->wrong++;
	if (++s->seen == s->armed)
		return kit_finish(self);
	return TR_OK;
}

static const struct tr_behavior shots_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = shots_start,
	.receive = shots_receive,
};

static void
timers_fire_once_and_never_early(void **unused)
{
	static struct shots s;
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		s = (struct shots){ .armed = SHOTS, .seed = workers };
		kit_play(&k, workers, &shots_root, &s);
		assert_int_equal(s.seen, SHOTS);
		assert_int_equal(s.early, 0);
		assert_int_equal(s.wrong, 0);
		assert_int_equal(s.nested, 0);
	}
}

static void
timers_far_enough_apart_come_in_order(void **unused)
{
	static struct shots s;
	struct kit k;

	(void)unused;
	s = (struct shots){ .armed = 101, .strict = true };
	kit_play(&k, 1, &shots_root, &s);
	assert_int_equal(s.seen, 101);
	assert_int_equal(s.early, 0);
	assert_int_equal(s.wrong, 0);
	assert_int_equal(s.unordered, 0);
}

/* -------------------------------------------------- at a fixed rate --- */

enum { PERIOD_NS = 2000000, BEATS = 40, BLOCKED = 10 };

struct beats {
	int64_t begun;
	tr_timer timer;
	int64_t due; /* ticks and missed ones so far */
	int seen, early, wrong;

	int64_t after_block;
	int after_ticks;
};

static int
beats_start(struct tr_self *self, void *state, const void *arg)
{
	struct beats *b;

	(void)kit_start_ctx(self, state, arg);
	b = kit_ctx(state);
	b->begun = tr_now(self);
	b->timer = tr_every(self, PERIOD_NS, TICK, 5);
	return b->timer == 0 ? TR_ENOMEM : TR_OK;
}

static int
beats_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct beats *b = kit_ctx(state);
	struct tr_tick tick = tick_of(msg);

	if (tr_tag(msg) != TICK || tick.timer != b->timer || tick.cookie != 5)
		b->wrong++;
	b->due += 1 + (int64_t)tick.missed;
	if (tr_now(self) < b->begun + b->due * PERIOD_NS)
		b->early++;
	b->seen++;
	if (b->seen == BEATS / 2) {
		/* What falls due now is in the next two ticks' account. */
		kit_spin_for(self, BLOCKED * (int64_t)PERIOD_NS);
		return TR_OK;
	}
	if (b->seen > BEATS / 2 && b->after_ticks < 2) {
		b->after_ticks++;
		b->after_block += 1 + (int64_t)tick.missed;
	}
	if (b->seen < BEATS)
		return TR_OK;
	if (tr_timer_cancel(self, b->timer) != TR_OK ||
	    tr_timer_cancel(self, b->timer) != TR_EINVAL)
		b->wrong++;
	return kit_finish(self);
}

static const struct tr_behavior beats_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = beats_start,
	.receive = beats_receive,
};

static void
repeating_timers_count_what_they_missed(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct beats b = { .seen = 0 };

		kit_play(&k, workers, &beats_root, &b);
		assert_int_equal(b.seen, BEATS);
		assert_int_equal(b.early, 0);
		assert_int_equal(b.wrong, 0);
		assert_true(b.after_block >= BLOCKED);
	}
}

/* ------------------------------------------------------------ cancel --- */

enum { GROUP = 200 };

/*
 * Timers that fall due together: the first to be seen cancels the others,
 * most of which are in the mailbox by then.  One that is armed afterwards
 * shows when all of that must have arrived.
 */
struct group {
	tr_timer timer[GROUP];
	bool every;
	bool block; /* let all of them fall due before the first is seen */
	int seen, refused, wrong;
};

static int
group_start(struct tr_self *self, void *state, const void *arg)
{
	struct group *g;

	(void)kit_start_ctx(self, state, arg);
	g = kit_ctx(state);
	for (int i = 0; i < GROUP; i++)
		g->timer[i] = g->every ?
		    tr_every(self, TR_MS(3), TICK, (uint64_t)i) :
		    tr_after(self, TR_MS(3), TICK, (uint64_t)i);
	if (g->block)
		kit_spin_for(self, TR_MS(5));
	return TR_OK;
}

static int
group_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct group *g = kit_ctx(state);
	uint64_t first = tick_of(msg).cookie;
	int rc;

	if (tr_tag(msg) == OTHER)
		return kit_finish(self);
	if (g->seen++ > 0)
		return TR_OK;
	for (uint64_t i = 0; i < GROUP; i++) {
		rc = tr_timer_cancel(self, g->timer[i]);
		if (rc != (i == first && !g->every ? TR_EINVAL : TR_OK))
			g->refused++;
		if (tr_timer_cancel(self, g->timer[i]) != TR_EINVAL)
			g->wrong++;
	}
	return tr_after(self, TR_MS(10), OTHER, 0) == 0 ? TR_ENOMEM : TR_OK;
}

static const struct tr_behavior group_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = group_start,
	.receive = group_receive,
};

static void
a_cancelled_timer_is_never_seen_even_if_its_tick_waits(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2)
		for (int i = 0; i < 4; i++) {
			struct group g = { .every = i % 2 != 0,
				.block = i / 2 != 0 };

			kit_play(&k, workers, &group_root, &g);
			assert_int_equal(g.seen, 1);
			assert_int_equal(g.refused, 0);
			assert_int_equal(g.wrong, 0);
		}
}

struct odd {
	int zero, other, bad_period, long_ok, far, in_max, in_past, refused;
	tr_timer mine;
	tr_ref root;
	int ticks;
	struct tr_msg *kept[3];
	int kept_wrong;
};

static int
odd_child_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct odd *o = kit_ctx(state);

	o->other = tr_timer_cancel(self, (tr_timer)kit_u64(msg));
	return tr_send(self, o->root, DONE, NULL, 0);
}

static const struct tr_behavior odd_child = {
	.name = "child",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = odd_child_receive,
};

static int
odd_start(struct tr_self *self, void *state, const void *arg)
{
	tr_timer longest, forever;
	struct odd *o;
	int64_t now;

	(void)kit_start_ctx(self, state, arg);
	o = kit_ctx(state);
	o->root = tr_self_ref(self);
	o->zero = tr_timer_cancel(self, 0);
	o->refused = tr_timer_cancel(self, UINT64_C(0x123456789));
	o->bad_period = tr_every(self, 999, TICK, 0) == 0 &&
	    tr_every(self, 0, TICK, 0) == 0 && tr_every(self, -1, TICK, 0) == 0;
	longest = tr_after(self, INT64_MAX, OTHER, 0);
	forever = tr_every(self, INT64_MAX, OTHER, 0);
	o->far = tr_after(self, TR_SECONDS(86400 * 365), OTHER, 0) != 0;
	o->long_ok = longest != 0 && tr_timer_cancel(self, longest) == TR_OK &&
	    (forever == 0 || tr_timer_cancel(self, forever) == TR_OK);
	o->in_max = tr_in(self, INT64_MAX) == tr_forever() &&
	    tr_in(self, INT64_MAX - 1) <= tr_forever() &&
	    tr_in(self, INT64_MAX - 1) > 0;
	now = tr_now(self);
	o->in_past = tr_in(self, INT64_MIN) >= now &&
	    tr_in(self, -TR_SECONDS(9)) <= tr_now(self);
	o->mine = tr_every(self, TR_MS(2), TICK, 1);
	(void)tr_after(self, INT64_MAX, OTHER, 0);
	return tr_send(self, tr_spawn(self, &odd_child, o, NULL), NEXT,
	    &o->mine, sizeof(o->mine));
}

/* Keep three ticks of one timer: each is a message of its own. */
static int
odd_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct odd *o = kit_ctx(state);
	const struct tr_tick *tick;

	if (tr_tag(msg) == DONE)
		return TR_OK;
	if (tr_tag(msg) == OTHER)
		o->far = 0;
	o->kept[o->ticks] = tr_take(self, msg);
	if (o->kept[o->ticks] == NULL)
		return TR_ENOMEM;
	if (++o->ticks < 3)
		return TR_OK;
	for (int i = 0; i < 3; i++) {
		tick = tr_msg_data(o->kept[i]);
		if (tick->timer != o->mine || tick->cookie != 1 ||
		    tr_tag(o->kept[i]) != TICK)
			o->kept_wrong++;
		tr_msg_drop(&o->kept[i]);
	}
	return kit_finish(self);
}

static const struct tr_behavior odd_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = odd_start,
	.receive = odd_receive,
};

static void
odd_arguments_of_timers(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 2; workers++) {
		struct odd o = { .ticks = 0 };

		kit_play(&k, workers, &odd_root, &o);
		assert_int_equal(o.zero, TR_EINVAL);
		assert_int_equal(o.refused, TR_EINVAL);
		assert_int_equal(o.other, TR_EINVAL);
		assert_true(o.bad_period);
		assert_true(o.far);
		assert_true(o.long_ok);
		assert_true(o.in_max);
		assert_true(o.in_past);
		assert_int_equal(o.ticks, 3);
		assert_int_equal(o.kept_wrong, 0);
		assert_int_equal(k.stats.failed, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(timers_fire_once_and_never_early),
		KIT_TEST(timers_far_enough_apart_come_in_order),
		KIT_TEST(repeating_timers_count_what_they_missed),
		KIT_TEST(
		    a_cancelled_timer_is_never_seen_even_if_its_tick_waits),
		KIT_TEST(odd_arguments_of_timers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
