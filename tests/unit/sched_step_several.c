/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several workers, stepped by hand in a chosen order: stealing, who searches,
 * who is woken for what, and the watch over words that a stuck worker keeps.
 */
#include "rig_step.h"

static void
idle_worker_steals_half_and_runs(void **unused)
{
	struct sim *sim = sim_begin(2);
	struct tri_worker *thief = worker(sim, 1);

	(void)unused;
	for (unsigned i = 0; i < 20; i++)
		tri_sched_push_back(worker(sim, 0), word(sim, i));
	expect_step(thief, TRI_SEARCH);
	expect_step(thief, TRI_RUN);
	assert_int_equal(sim->ran, 1);
	assert_int_equal(atomic_load(&thief->counts.steals), 10);
	for (unsigned i = 1; i < 10; i++)
		expect_step(thief, TRI_RUN);
	assert_int_equal(sim->ran, 10);
	for (unsigned i = 10; i < 20; i++)
		expect_step(worker(sim, 0), TRI_RUN);
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(sim->order[i], i);
		assert_int_equal(sim->job[i].ran_on, i < 10);
	}
	sim_end(sim);
}

/* While it is still in the poll that has pushed them: it never runs one. */
static void
worker_that_is_robbed_of_all_it_got_gives_its_memory_back(void **unused)
{
	struct sim *sim = sim_begin(2);
	struct tri_worker *robbed = worker(sim, 0), *thief = worker(sim, 1);

	(void)unused;
	for (unsigned i = 0; i < JOBS; i++)
		tri_sched_inject(&sim->sched, word(sim, i));
	expect_step(robbed, TRI_SEARCH);
	tri_worker_poll(robbed);
	assert_true(tri_spill_is_used(&robbed->q.spill));
	assert_true(atomic_load(&robbed->pool.bytes) > 0);
	while (sim->ran < JOBS)
		assert_true(tri_worker_step(thief));
	for (unsigned i = 0; i < JOBS; i++)
		assert_int_equal(sim->job[i].ran_on, 1);
	sim->now += TRI_TRIM_NS;
	for (unsigned i = 0; i < 20; i++) {
		assert_true(tri_worker_step(robbed));
		assert_true(tri_worker_step(thief));
	}
	assert_true(is_idle(sim, 0) && is_idle(sim, 1));
	assert_int_equal(atomic_load(&robbed->pool.bytes), 0);
	assert_int_equal(atomic_load(&thief->pool.bytes), 0);
	sim_end(sim);
}

static void
no_more_than_half_of_the_workers_search(void **unused)
{
	struct sim *sim = sim_begin(WORKERS);
	unsigned parked = 0;

	(void)unused;
	sim->sleep = sleep_not_at_all;
	for (unsigned i = 0; i < WORKERS; i++) {
		expect_step(worker(sim, i), TRI_SEARCH);
		expect_step(worker(sim, i), TRI_PARK);
		parked += worker(sim, i)->searching;
		assert_true(atomic_load(&sim->sched.searching) <= WORKERS / 2);
	}
	assert_int_equal(parked, WORKERS / 2);
	for (unsigned i = 0; i < WORKERS; i++)
		expect_step(worker(sim, i), TRI_PARK);
	assert_int_equal(atomic_load(&sim->sched.searching), 0);
	assert_true(atomic_load(&sim->sched.idle) == sim->sched.all);
	sim_end(sim);
}

static unsigned
awake_of(struct sim *sim, unsigned first)
{
	unsigned n = 0;

	for (unsigned i = first; i < sim->sched.n; i++)
		n += !is_idle(sim, i);
	return n;
}

static void
push_wakes_one_sleeper_with_a_place_to_search(void **unused)
{
	struct sim *sim = sim_begin(WORKERS);

	(void)unused;
	sim->sleep = sleep_not_at_all;
	/* The first one to sleep, the last one here, is the watch. */
	for (unsigned i = WORKERS - 1; i >= 1; i--) {
		step_to_park(worker(sim, i));
		expect_step(worker(sim, i), TRI_PARK);
	}
	for (unsigned i = 0; i < 10; i++)
		tri_sched_push_back(worker(sim, 0), word(sim, i));
	assert_int_equal(awake_of(sim, 1), 1);
	assert_false(is_idle(sim, 1));
	assert_int_equal(atomic_load(&sim->sched.searching), 1);
	/* When that one has found work it wakes another. */
	expect_step(worker(sim, 1), TRI_SEARCH);
	assert_int_equal(awake_of(sim, 1), 1);
	expect_step(worker(sim, 1), TRI_RUN);
	assert_int_equal(sim->job[0].ran_on, 1);
	assert_int_equal(awake_of(sim, 1), 2);
	sim_end(sim);
}

static void
watch_that_brings_work_wakes_another(void **unused)
{
	struct sim *sim = sim_begin(WORKERS);

	(void)unused;
	sim->sleep = sleep_not_at_all;
	for (unsigned i = 1; i < WORKERS; i++) {
		step_to_park(worker(sim, i));
		expect_step(worker(sim, i), TRI_PARK);
	}
	assert_int_equal(atomic_load(&sim->sched.watch), 2);
	for (unsigned i = 0; i < 10; i++)
		tri_sched_push_back(worker(sim, 0), word(sim, i));
	expect_step(worker(sim, 1), TRI_RUN);
	assert_int_equal(awake_of(sim, 1), 2);
	expect_step(worker(sim, 1), TRI_RUN);
	assert_int_equal(sim->job[0].ran_on, 1);
	sim_end(sim);
}

/* Nobody slept yet when it was pushed, so nobody was woken. */
static void
word_pushed_between_search_and_sleep_is_seen(void **unused)
{
	struct sim *sim = sim_begin(2);

	(void)unused;
	step_to_park(worker(sim, 1));
	tri_sched_push_back(worker(sim, 0), word(sim, 0));
	expect_step(worker(sim, 1), TRI_SEARCH);
	assert_int_equal(sim->loop[1].sleeps, 0);
	assert_int_equal(atomic_load(&sim->sched.searching), 1);
	expect_step(worker(sim, 1), TRI_RUN);
	assert_int_equal(sim->job[0].ran_on, 1);
	assert_int_equal(atomic_load(&sim->sched.searching), 0);
	sim_end(sim);
}

/* The handler does not return before its successor has run elsewhere. */
static void
push_next_and_wait(struct sim *sim, struct tri_worker *w, struct job *job)
{
	struct tri_worker *other = worker(sim, 1);
	int64_t begun = sim->now;
	unsigned steps = 0;

	if (job != &sim->job[0])
		return;
	tri_sched_push(w, word(sim, 1));
	while (sim->job[1].runs == 0 && steps++ < 100) {
		int64_t at = sim->loop[1].alarm;

		if (at > sim->loop[1].deadline)
			at = sim->loop[1].deadline;
		/* Nothing but its own alarm or deadline wakes it up. */
		if (other->phase == TRI_PARK && sim->loop[1].sleeps > 0 &&
		    at > sim->now && at != INT64_MAX)
			sim->now = at;
		(void)tri_worker_step(other);
	}
	sim->wrong += sim->now > begun + 4 * (int64_t)TRI_WATCH_NS;
}

static void
watch_takes_the_next_word_of_a_stuck_worker(void **unused)
{
	(void)unused;
	/* The other one has slept for a long time, or is still awake. */
	for (unsigned slept = 0; slept < 8; slept++) {
		struct sim *sim = sim_begin(2);

		sim->sleep = sleep_not_at_all;
		sim->run = push_next_and_wait;
		for (unsigned i = 0; i < slept; i++)
			assert_true(tri_worker_step(worker(sim, 1)));
		tri_sched_push(worker(sim, 0), word(sim, 0));
		expect_step(worker(sim, 0), TRI_RUN);
		assert_int_equal(sim->job[1].runs, 1);
		assert_int_equal(sim->job[1].ran_on, 1);
		sim_end(sim);
	}
}

static void
watch_is_handed_over_when_the_last_worker_wakes_up(void **unused)
{
	struct sim *sim = sim_begin(2);
	unsigned i;

	(void)unused;
	sim->sleep = sleep_not_at_all;
	/* Both asleep for good, nobody watches. */
	for (i = 0; i < 2; i++)
		step_to_park(worker(sim, i));
	for (i = 0; i < 8; i++)
		expect_step(worker(sim, i % 2), TRI_PARK);
	sim->now += 2 * (int64_t)TRI_TRIM_NS;
	for (i = 0; i < 8; i++)
		expect_step(worker(sim, i % 2), TRI_PARK);
	assert_true(sim->loop[0].deadline == INT64_MAX);
	assert_true(sim->loop[1].deadline == INT64_MAX);
	assert_int_equal(atomic_load(&sim->sched.watch), 0);
	/* One is given work: the other's alarm is set, and that is all. */
	sim->run = push_next_and_wait;
	tri_sched_push_home(&sim->sched, NULL, 0, word(sim, 0));
	expect_step(worker(sim, 0), TRI_SEARCH);
	assert_int_equal(atomic_load(&sim->sched.watch), 2);
	assert_true(sim->loop[1].alarm == sim->now + TRI_WATCH_NS);
	assert_false(sim->loop[1].woken);
	expect_step(worker(sim, 0), TRI_RUN);
	expect_step(worker(sim, 0), TRI_RUN);
	assert_int_equal(sim->job[1].ran_on, 1);
	sim_end(sim);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(idle_worker_steals_half_and_runs),
		cmocka_unit_test(
		    worker_that_is_robbed_of_all_it_got_gives_its_memory_back),
		cmocka_unit_test(no_more_than_half_of_the_workers_search),
		cmocka_unit_test(push_wakes_one_sleeper_with_a_place_to_search),
		cmocka_unit_test(watch_that_brings_work_wakes_another),
		cmocka_unit_test(word_pushed_between_search_and_sleep_is_seen),
		cmocka_unit_test(watch_takes_the_next_word_of_a_stuck_worker),
		cmocka_unit_test(
		    watch_is_handed_over_when_the_last_worker_wakes_up),
	};

	alarm(TOO_LONG_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
