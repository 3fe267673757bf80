/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sched/wheel.h against a model that is nothing but a list.
 *
 * The model knows of each armed timer the tick in which the wheel has to fire
 * it: that of its deadline, rounded up, or the one after the time at which it
 * was armed, whichever is later.  So a timer that fires is never early, and
 * not late by more than a tick after the time that the wheel was given.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scale.h"
#include "sched/wheel.h"

#define TICK ((int64_t)1 << TRI_WHEEL_SHIFT)

static const int64_t START = INT64_C(1234567890123456);

/* ------------------------------------------------------------- model ----- */

struct timer {
	struct tri_timer_node node;
	uint64_t due; /* tick; model */
	bool armed; /* model */
	unsigned fired;
};

struct model {
	struct tri_wheel wheel;
	int64_t now; /* of the last expiry that was played to its end */
	struct timer *timer;
	unsigned n;
	uint64_t seed;
};

static struct model *
model_new(unsigned timers, uint64_t seed)
{
	struct model *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	m->timer = calloc(timers, sizeof(*m->timer));
	assert_non_null(m->timer);
	m->n = timers;
	m->seed = seed;
	m->now = START;
	tri_wheel_init(&m->wheel, START);
	return m;
}

static void
model_free(struct model *m)
{
	free(m->timer);
	free(m);
}

static uint64_t
random_below(struct model *m, uint64_t limit)
{
	m->seed = m->seed * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return ((m->seed >> 33) ^ (m->seed << 20)) % limit;
}

static struct timer *
timer_of(struct tri_timer_node *node)
{
	return tri_container_of(node, struct timer, node);
}

static void
model_add(struct model *m, struct timer *t, int64_t deadline)
{
	uint64_t soonest = ((uint64_t)m->now >> TRI_WHEEL_SHIFT) + 1;
	uint64_t up = deadline <= 0 ?
	    0 :
	    ((uint64_t)(deadline + TICK - 1)) >> TRI_WHEEL_SHIFT;

	t->node.deadline = deadline;
	t->due = up > soonest ? up : soonest;
	t->armed = true;
	tri_wheel_add(&m->wheel, &t->node);
}

static void
model_remove(struct model *m, struct timer *t)
{
	t->armed = false;
	tri_wheel_remove(&m->wheel, &t->node);
}

/* The earliest tick of the model; UINT64_MAX: none. */
static uint64_t
model_earliest(const struct model *m)
{
	uint64_t earliest = UINT64_MAX;

	for (unsigned i = 0; i < m->n; i++)
		if (m->timer[i].armed && m->timer[i].due < earliest)
			earliest = m->timer[i].due;
	return earliest;
}

static void
check_next(const struct model *m)
{
	uint64_t earliest = model_earliest(m);
	int64_t next = tri_wheel_next(&m->wheel);

	if (earliest == UINT64_MAX)
		assert_true(next == INT64_MAX);
	else if (earliest <= (uint64_t)INT64_MAX >> TRI_WHEEL_SHIFT)
		assert_true(next <= (int64_t)(earliest << TRI_WHEEL_SHIFT));
}

static void
check_fired(const struct model *m, const struct timer *t, int64_t now)
{
	(void)m;
	assert_true(t->armed);
	assert_null(t->node.prev);
	assert_true(t->node.deadline <= now);
	assert_true(t->due <= (uint64_t)now >> TRI_WHEEL_SHIFT);
}

/* Fire what is due at `now`, and nothing else, in the order of ticks. */
static unsigned
model_expire(struct model *m, int64_t now)
{
	struct tri_timer_node *node;
	uint64_t last = 0;
	unsigned fired = 0;

	while ((node = tri_wheel_expire(&m->wheel, now)) != NULL) {
		struct timer *t = timer_of(node);

		check_fired(m, t, now);
		assert_true(t->due >= last);
		last = t->due;
		t->armed = false;
		t->fired++;
		fired++;
	}
	m->now = now;
	assert_true(model_earliest(m) > (uint64_t)now >> TRI_WHEEL_SHIFT);
	return fired;
}

/* A distance of any order of magnitude up to 2^bits ns. */
static int64_t
random_distance(struct model *m, unsigned bits)
{
	unsigned shift = (unsigned)random_below(m, bits + 1);

	return (int64_t)(random_below(m, UINT64_MAX) &
	    (((uint64_t)1 << shift) - 1));
}

/* ------------------------------------------------------------- tests ----- */

static void
empty_wheel_has_nothing_to_say(void **unused)
{
	struct model *m = model_new(1, 1);

	(void)unused;
	check_next(m);
	assert_null(tri_wheel_expire(&m->wheel, START));
	assert_null(tri_wheel_expire(&m->wheel, INT64_MAX));
	check_next(m);
	/* Removing what is not armed is allowed. */
	tri_wheel_remove(&m->wheel, &m->timer[0].node);
	tri_wheel_remove(&m->wheel, &m->timer[0].node);
	model_free(m);
}

static void
timer_fires_at_its_deadline_rounded_up_to_a_tick(void **unused)
{
	const int64_t tick = (START / TICK + 10) * TICK;

	(void)unused;
	for (int64_t off = 1 - TICK; off <= 0; off += TICK / 8 + 1) {
		struct model *m = model_new(1, 1);

		model_add(m, &m->timer[0], tick + off);
		assert_true(tri_wheel_next(&m->wheel) == tick);
		assert_int_equal(model_expire(m, tick + off - 1), 0);
		assert_int_equal(model_expire(m, tick - 1), 0);
		assert_int_equal(model_expire(m, tick), 1);
		assert_int_equal(model_expire(m, tick + TICK), 0);
		check_next(m);
		model_free(m);
	}
}

static void
deadline_in_the_past_fires_at_the_next_tick(void **unused)
{
	const int64_t late[] = { INT64_MIN, -1, 0, 1, START - TICK, START - 1,
		START };
	struct model *m = model_new(1, 1);

	(void)unused;
	for (unsigned i = 0; i < sizeof(late) / sizeof(late[0]); i++) {
		model_add(m, &m->timer[0], late[i]);
		check_next(m);
		assert_int_equal(model_expire(m, m->now), 0);
		assert_int_equal(model_expire(m, m->now + TICK), 1);
	}
	model_free(m);
}

static void
random_timers_fire_when_the_model_says(void **unused)
{
	enum { TIMERS = 60, STEPS = TEST_SCALE(60000) };

	(void)unused;
	for (uint64_t seed = 1; seed <= 6; seed++) {
		struct model *m = model_new(TIMERS, seed);
		unsigned bits = 18 + 5 * (unsigned)seed;

		for (unsigned i = 0; i < STEPS; i++) {
			struct timer *t = &m->timer[random_below(m, TIMERS)];
			int64_t by = random_distance(m, bits);
			int64_t past = random_distance(m, TRI_WHEEL_SHIFT + 1);

			if (random_below(m, 3) == 0)
				(void)model_expire(m,
				    m->now + (by >> random_below(m, 20)));
			else if (t->armed)
				model_remove(m, t);
			else
				model_add(m, t, m->now + by - past);
			check_next(m);
		}
		model_free(m);
	}
}

static void
sleeping_until_next_reaches_every_timer_in_few_steps(void **unused)
{
	(void)unused;
	for (unsigned bits = 0; bits < 62; bits++) {
		struct model *m = model_new(1, bits);
		int64_t deadline = START + ((int64_t)1 << bits);
		unsigned steps = 0;

		model_add(m, &m->timer[0], deadline);
		while (m->timer[0].armed) {
			int64_t next = tri_wheel_next(&m->wheel);

			check_next(m);
			assert_true(next > m->now);
			(void)model_expire(m, next);
			steps++;
		}
		/* At most one for each level. */
		assert_in_range(steps, 1, TRI_WHEEL_LEVELS);
		assert_true(m->now >= deadline);
		assert_true(m->now - deadline <= TICK);
		model_free(m);
	}
}

static void
sleeping_until_next_never_passes_any_timer(void **unused)
{
	enum { TIMERS = 300 };

	(void)unused;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct model *m = model_new(TIMERS, seed);
		unsigned fired = 0, steps = 0;

		for (unsigned i = 0; i < TIMERS; i++)
			model_add(m, &m->timer[i],
			    START + random_distance(m, 50));
		while (fired < TIMERS) {
			int64_t next = tri_wheel_next(&m->wheel);

			check_next(m);
			assert_true(next > m->now);
			fired += model_expire(m, next);
			assert_true(steps++ < TIMERS * TRI_WHEEL_LEVELS);
		}
		for (unsigned i = 0; i < TIMERS; i++)
			assert_int_equal(m->timer[i].fired, 1);
		model_free(m);
	}
}

static void
jumps_over_everything_fire_all_in_order(void **unused)
{
	enum { TIMERS = 1000 };

	(void)unused;
	for (unsigned bits = 10; bits < 61; bits += 10) {
		struct model *m = model_new(TIMERS, bits);

		for (unsigned i = 0; i < TIMERS; i++)
			model_add(m, &m->timer[i],
			    START + random_distance(m, bits));
		assert_int_equal(model_expire(m, START + ((int64_t)1 << 61)),
		    TIMERS);
		check_next(m);
		model_free(m);
	}
}

static void
deadlines_at_the_end_of_time_wait(void **unused)
{
	struct model *m = model_new(4, 1);

	(void)unused;
	for (unsigned i = 0; i < 4; i++) {
		m->timer[i].node.deadline = INT64_MAX - (int64_t)i;
		tri_wheel_add(&m->wheel, &m->timer[i].node);
	}
	assert_null(tri_wheel_expire(&m->wheel, START + TICK));
	assert_null(tri_wheel_expire(&m->wheel, INT64_MAX / 2));
	assert_null(tri_wheel_expire(&m->wheel, INT64_MAX - 4));
	for (unsigned i = 0; i < 4; i++)
		tri_wheel_remove(&m->wheel, &m->timer[i].node);
	assert_true(tri_wheel_next(&m->wheel) == INT64_MAX);
	model_free(m);
}

static void
many_timers_of_one_slot_fire_once_each(void **unused)
{
	enum { TIMERS = 20000 };
	const int64_t far[] = { 1, 100, 5000, 300000, 20000000 };

	(void)unused;
	for (unsigned k = 0; k < sizeof(far) / sizeof(far[0]); k++) {
		struct model *m = model_new(TIMERS, 1);
		int64_t deadline = START + far[k] * TICK;
		unsigned left = 0;

		for (unsigned i = 0; i < TIMERS; i++)
			model_add(m, &m->timer[i], deadline);
		for (unsigned i = 0; i < TIMERS; i++) {
			if (i % 3 == 0)
				model_remove(m, &m->timer[i]);
			else
				left++;
		}
		assert_int_equal(model_expire(m, deadline - 1), 0);
		assert_int_equal(model_expire(m, deadline + TICK), left);
		for (unsigned i = 0; i < TIMERS; i++)
			assert_int_equal(m->timer[i].fired, i % 3 != 0);
		model_free(m);
	}
}

/* While one fires, remove some and arm others. */
static void
expiry_step(struct model *m, struct timer *t, int64_t now)
{
	struct timer *other = &m->timer[random_below(m, m->n)];
	struct timer *third = &m->timer[random_below(m, m->n)];

	check_fired(m, t, now);
	t->armed = false;
	t->fired++;
	/* The wheel is at the tick that it fires just now. */
	m->now = (int64_t)(t->due << TRI_WHEEL_SHIFT);
	if (other->armed)
		model_remove(m, other);
	if (!third->armed && random_below(m, 2) == 0)
		model_add(m, third, m->now + random_distance(m, 30));
}

static void
timers_may_be_removed_and_armed_while_others_fire(void **unused)
{
	enum { TIMERS = 400, ROUNDS = TEST_SCALE(600) };
	struct model *m = model_new(TIMERS, 3);
	unsigned fired = 0;

	(void)unused;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct tri_timer_node *node;
		int64_t now = m->now + random_distance(m, 32);

		for (unsigned i = 0; i < TIMERS / 2; i++) {
			struct timer *t = &m->timer[random_below(m, TIMERS)];

			/* Many of them in one slot. */
			if (!t->armed)
				model_add(m, t,
				    m->now +
					random_distance(m, i % 2 ? 32 : 18));
		}
		while ((node = tri_wheel_expire(&m->wheel, now)) != NULL) {
			expiry_step(m, timer_of(node), now);
			fired++;
		}
		m->now = now;
		assert_true(
		    model_earliest(m) > (uint64_t)now >> TRI_WHEEL_SHIFT);
	}
	assert_true(fired > ROUNDS);
	model_free(m);
}

static void
timer_that_arms_itself_for_now_does_not_fire_for_ever(void **unused)
{
	struct model *m = model_new(1, 1);
	const int64_t now = START + 100 * TICK;
	unsigned fired = 0;

	(void)unused;
	model_add(m, &m->timer[0], START);
	while (tri_wheel_expire(&m->wheel, now) != NULL) {
		m->timer[0].node.deadline = START;
		tri_wheel_add(&m->wheel, &m->timer[0].node);
		assert_true(++fired <= 100);
	}
	assert_int_equal(fired, 100);
	model_free(m);
}

static void
clock_that_stands_or_steps_back_does_no_harm(void **unused)
{
	struct model *m = model_new(2, 1);

	(void)unused;
	model_add(m, &m->timer[0], START + 50 * TICK);
	assert_int_equal(model_expire(m, START + 40 * TICK), 0);
	assert_null(tri_wheel_expire(&m->wheel, START));
	assert_null(tri_wheel_expire(&m->wheel, START + 40 * TICK));
	model_add(m, &m->timer[1], START);
	assert_int_equal(model_expire(m, START + 41 * TICK), 1);
	assert_int_equal(m->timer[1].fired, 1);
	assert_int_equal(model_expire(m, START + 51 * TICK), 1);
	model_free(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_wheel_has_nothing_to_say),
		cmocka_unit_test(
		    timer_fires_at_its_deadline_rounded_up_to_a_tick),
		cmocka_unit_test(deadline_in_the_past_fires_at_the_next_tick),
		cmocka_unit_test(random_timers_fire_when_the_model_says),
		cmocka_unit_test(
		    sleeping_until_next_reaches_every_timer_in_few_steps),
		cmocka_unit_test(sleeping_until_next_never_passes_any_timer),
		cmocka_unit_test(jumps_over_everything_fire_all_in_order),
		cmocka_unit_test(deadlines_at_the_end_of_time_wait),
		cmocka_unit_test(many_timers_of_one_slot_fire_once_each),
		cmocka_unit_test(
		    timers_may_be_removed_and_armed_while_others_fire),
		cmocka_unit_test(
		    timer_that_arms_itself_for_now_does_not_fire_for_ever),
		cmocka_unit_test(clock_that_stands_or_steps_back_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
