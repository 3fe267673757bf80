/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sched/spin.h: how long a worker spins before it sleeps.
 */
#include "rig_step.h"

enum { US = 1000, LEAST = 20 * US, MOST = 70 * US };

/* ------------------------------------------------------------ the rule --- */

/* A sleep of so long; returns the next spin's time. */
static int64_t
sleep_of(struct tri_spin *spin, int64_t ns, bool called)
{
	spin->since += 1000 * MOST;
	tri_spin_slept(spin, spin->since + ns, called);
	return spin->ns;
}

static void
spins_grow_while_calls_come_soon(void **unused)
{
	struct tri_spin spin;

	(void)unused;
	tri_spin_init(&spin, LEAST, MOST);
	assert_int_equal(spin.ns, LEAST);
	assert_int_equal(sleep_of(&spin, 0, true), 2 * LEAST);
	assert_int_equal(sleep_of(&spin, MOST, true), MOST);
	assert_int_equal(sleep_of(&spin, MOST, true), MOST);
}

static void
a_long_sleep_or_one_that_no_call_has_ended_makes_them_short(void **unused)
{
	struct tri_spin spin;

	(void)unused;
	tri_spin_init(&spin, LEAST, MOST);
	spin.ns = MOST;
	assert_int_equal(sleep_of(&spin, MOST + 1, true), LEAST);
	spin.ns = MOST;
	assert_int_equal(sleep_of(&spin, 1, false), LEAST);
}

/* As an option says, or not at all. */
static void
what_is_fixed_stays(void **unused)
{
	static const int64_t fixed[] = { LEAST, INT64_C(1000000000), 0, -1,
		INT64_MIN };

	(void)unused;
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		struct tri_spin spin;

		tri_spin_init(&spin, fixed[i], fixed[i]);
		for (int64_t ns = 0; ns < 2 * MOST; ns += MOST / 2)
			for (unsigned called = 0; called < 2; called++)
				assert_int_equal(sleep_of(&spin, ns, called),
				    fixed[i]);
	}
}

/* ------------------------------------------------------------ a worker --- */

/* Looking at the clock takes a us here, or a spin would not end. */
static int64_t
slow_now(struct tri_env *env)
{
	return sim_of(env)->now += US;
}

static int64_t slept_at, sleeps_ns; /* when, and for how long */
static bool is_called; /* then, or a descriptor is ready */

static unsigned
sleep_until_called(struct sim *sim, struct tri_loop *loop)
{
	struct tri_worker *w = worker(sim, 0);

	slept_at = sim->now;
	sim->now += sleeps_ns;
	if (is_called)
		tri_sched_push_home(&sim->sched, NULL, 0, word(sim, 0));
	else
		loop->ready = true;
	assert_true(loop->woken == is_called);
	assert_int_equal(atomic_load(&w->sleeping), 1);
	return sim_loop_poll(&sim->env, loop);
}

/* It has nothing to do, sleeps, and gets up again; returns how long it has spun,
 * in us, or one more. */
static int64_t
spin_and_sleep(struct sim *sim, int64_t ns, bool called)
{
	struct tri_worker *w = worker(sim, 0);
	int64_t from;

	sleeps_ns = ns;
	is_called = called;
	while (w->phase != TRI_PARK)
		assert_true(tri_worker_step(w));
	from = sim->now;
	expect_step(w, TRI_SEARCH);
	return (slept_at - from) / US;
}

#define ASSERT_SPINS(us) \
	assert_in_range(spin_and_sleep(sim, 30 * US, true), (us), (us) + 5)

static void
a_worker_that_is_called_again_and_again_spins_for_longer(void **unused)
{
	struct sim *sim = sim_begin(1);

	(void)unused;
	sim->env.now = slow_now;
	sim->sleep = sleep_until_called;
	tri_spin_init(&worker(sim, 0)->spin, LEAST, MOST);
	ASSERT_SPINS(20);
	ASSERT_SPINS(40);
	ASSERT_SPINS(70);
	(void)spin_and_sleep(sim, 30 * US, false);
	ASSERT_SPINS(20);
	ASSERT_SPINS(40);
	(void)spin_and_sleep(sim, 1000 * US, true);
	ASSERT_SPINS(20);
	sim_end(sim);
}

/* A call ends the spin, and says nothing of how long the next shall be. */
static void
who_is_called_while_it_spins_does_not_sleep(void **unused)
{
	struct sim *sim = sim_begin(1);
	struct tri_worker *w = worker(sim, 0);

	(void)unused;
	sim->env.now = slow_now;
	tri_spin_init(&w->spin, LEAST, MOST);
	step_to_park(w);
	tri_store_relaxed(&w->bell, 1u);
	expect_step(w, TRI_SEARCH);
	assert_int_equal(sim->loop[0].sleeps, 0);
	assert_int_equal(atomic_load(&w->bell), 0);
	assert_false(is_idle(sim, 0));
	assert_int_equal(w->spin.ns, LEAST);
	sim_end(sim);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spins_grow_while_calls_come_soon),
		cmocka_unit_test(
		    a_long_sleep_or_one_that_no_call_has_ended_makes_them_short),
		cmocka_unit_test(what_is_fixed_stays),
		cmocka_unit_test(
		    a_worker_that_is_called_again_and_again_spins_for_longer),
		cmocka_unit_test(who_is_called_while_it_spins_does_not_sleep),
	};

	alarm(TOO_LONG_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
