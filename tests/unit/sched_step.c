/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One worker, step by step: what it does in each phase and where each step
 * leads, when it polls, sleeps and wakes up, and how it begins and ends.
 */
#include "rig_step.h"

static void
worker_without_work_searches_parks_and_sleeps_for_good(void **unused)
{
	struct sim *sim = sim_begin(1);
	struct tri_worker *w = worker(sim, 0);
	int64_t begun = sim->now;

	(void)unused;
	assert_int_equal(w->phase, TRI_RUN);
	expect_step(w, TRI_SEARCH);
	assert_int_equal(sim->loop[0].polls, 0);
	expect_step(w, TRI_PARK);
	assert_int_equal(sim->loop[0].polls, 1);
	assert_int_equal(sim->polled, 1);
	assert_false(is_idle(sim, 0));
	/* The first sleep ends when it is time to give memory back. */
	expect_step(w, TRI_PARK);
	assert_true(is_idle(sim, 0));
	assert_true(sim->loop[0].deadline == begun + TRI_TRIM_NS);
	assert_true(sim->now == begun + TRI_TRIM_NS);
	/* Then there is no reason to wake up any more. */
	for (int i = 0; i < 3; i++) {
		expect_step(w, TRI_PARK);
		assert_true(sim->loop[0].deadline == INT64_MAX);
	}
	assert_int_equal(atomic_load(&w->counts.parks), 4);
	assert_int_equal(sim->loop[0].sleeps, 4);
	assert_int_equal(atomic_load(&w->counts.wakeups), 0);
	sim_end(sim);
}

static void
each_step_runs_one_word(void **unused)
{
	struct sim *sim = sim_begin(1);
	struct tri_worker *w = worker(sim, 0);
	const unsigned order[] = { 9, 1, 2, 3 };

	(void)unused;
	for (unsigned i = 1; i <= 3; i++)
		tri_sched_push_back(w, word(sim, i));
	tri_sched_push(w, word(sim, 9));
	for (unsigned i = 0; i < 4; i++) {
		expect_step(w, TRI_RUN);
		assert_int_equal(sim->ran, i + 1);
		assert_int_equal(sim->order[i], order[i]);
	}
	assert_int_equal(atomic_load(&w->counts.batches), 4);
	expect_step(w, TRI_SEARCH);
	sim_end(sim);
}

static void
go_on(struct sim *sim, struct tri_worker *w, struct job *job)
{
	(void)sim;
	tri_sched_push_back(w, tri_word_of(job, KIND));
}

static void
busy_worker_polls_when_it_is_time(void **unused)
{
	const int64_t step[] = { 0, 100, 1000, 10000, 1000000 };

	(void)unused;
	for (unsigned k = 0; k < sizeof(step) / sizeof(step[0]); k++) {
		struct sim *sim = sim_begin(1);
		struct tri_worker *w = worker(sim, 0);
		int64_t last = sim->now;
		unsigned polls = 0;

		sim->step_ns = step[k];
		sim->run = go_on;
		tri_sched_push(w, word(sim, 0));
		for (unsigned i = 0; i < 20000; i++) {
			expect_step(w, TRI_RUN);
			if (sim->loop[0].polls == polls)
				continue;
			if (polls > 0)
				assert_in_range(sim->now - last, TRI_POLL_NS,
				    TRI_POLL_NS_MAX +
					TRI_POLL_BATCHES * step[k]);
			polls = sim->loop[0].polls;
			last = sim->now;
		}
		/* A clock that stands is never past the next poll. */
		assert_true(polls >= (step[k] == 0 ? 1 : 2));
		sim_end(sim);
	}
}

static void
events_keep_the_polls_frequent(void **unused)
{
	struct sim *sim = sim_begin(1);
	struct tri_worker *w = worker(sim, 0);
	unsigned quiet, lively;

	(void)unused;
	sim->step_ns = 500;
	sim->run = go_on;
	tri_sched_push(w, word(sim, 0));
	for (unsigned i = 0; i < 10000; i++)
		expect_step(w, TRI_RUN);
	quiet = sim->loop[0].polls;
	for (unsigned i = 0; i < 10000; i++) {
		sim->loop[0].ready = true;
		expect_step(w, TRI_RUN);
	}
	lively = sim->loop[0].polls - quiet;
	assert_true(lively >= 2 * quiet);
	sim_end(sim);
}

static void
expect_no_poll_before_the_first(struct sim *sim, struct tri_worker *w,
    struct job *job)
{
	(void)job;
	sim->wrong += sim->ran == 1 && sim->loop[w->index].polls != 0;
}

static void
pinned_word_is_run_without_a_poll(void **unused)
{
	struct sim *sim = sim_begin(2);

	(void)unused;
	sim->run = expect_no_poll_before_the_first;
	sim->job[4].must_run_on = 1;
	sim->job[5].must_run_on = 1;
	tri_sched_push_home(&sim->sched, NULL, 1, word(sim, 4));
	tri_sched_push_home(&sim->sched, worker(sim, 0), 1, word(sim, 5));
	expect_step(worker(sim, 1), TRI_RUN);
	expect_step(worker(sim, 1), TRI_RUN);
	assert_int_equal(sim->order[0], 4);
	assert_int_equal(sim->order[1], 5);
	/* It was awake: nobody had to wake it. */
	assert_false(sim->loop[1].woken);
	sim_end(sim);
}

static void
injected_words_are_found_by_the_search_in_order(void **unused)
{
	struct sim *sim = sim_begin(1);
	struct tri_worker *w = worker(sim, 0);

	(void)unused;
	for (unsigned i = 0; i < 10; i++)
		tri_sched_inject(&sim->sched, word(sim, i));
	expect_step(w, TRI_SEARCH);
	expect_step(w, TRI_RUN);
	for (unsigned i = 0; i < 10; i++) {
		expect_step(w, TRI_RUN);
		assert_int_equal(sim->order[i], i);
	}
	assert_int_equal(sim->ran, 10);
	sim_end(sim);
}

static void
word_that_comes_before_the_sleep_prevents_it(void **unused)
{
	(void)unused;
	for (int pinned = 0; pinned < 2; pinned++) {
		struct sim *sim = sim_begin(1);
		struct tri_worker *w = worker(sim, 0);

		step_to_park(w);
		if (pinned)
			tri_sched_push_home(&sim->sched, NULL, 0, word(sim, 7));
		else
			tri_sched_inject(&sim->sched, word(sim, 7));
		expect_step(w, TRI_SEARCH);
		assert_int_equal(sim->loop[0].sleeps, 0);
		assert_false(is_idle(sim, 0));
		expect_step(w, TRI_RUN);
		expect_step(w, TRI_RUN);
		assert_int_equal(sim->ran, 1);
		sim_end(sim);
	}
}

/* Somebody outside gives work while the worker sleeps. */
static unsigned
sleep_and_be_given_a_word(struct sim *sim, struct tri_loop *loop)
{
	sim->now += 12345;
	if (sim->todo == 1)
		tri_sched_inject(&sim->sched, word(sim, 7));
	else if (sim->todo == 2)
		tri_sched_push_home(&sim->sched, NULL, 0, word(sim, 7));
	else
		sim->over = true;
	/* That is what must have ended the sleep. */
	sim->wrong += sim->todo != 0 && !loop->woken;
	sim->todo = 0;
	return 0;
}

static void
word_that_comes_during_the_sleep_ends_it(void **unused)
{
	(void)unused;
	for (unsigned how = 1; how <= 2; how++) {
		struct sim *sim = sim_begin(1);
		struct tri_worker *w = worker(sim, 0);

		sim->sleep = sleep_and_be_given_a_word;
		sim->todo = how;
		step_to_park(w);
		expect_step(w, TRI_SEARCH);
		assert_int_equal(atomic_load(&w->counts.wakeups), 1);
		assert_false(is_idle(sim, 0));
		expect_step(w, TRI_RUN);
		expect_step(w, TRI_RUN);
		assert_int_equal(sim->ran, 1);
		/* No searcher's place is left behind. */
		assert_int_equal(atomic_load(&sim->sched.searching), 0);
		sim_end(sim);
	}
}

static void
sleep_that_ends_for_nothing_is_a_nap(void **unused)
{
	struct sim *sim = sim_begin(1);
	struct tri_worker *w = worker(sim, 0);

	(void)unused;
	sim->sleep = sleep_not_at_all;
	step_to_park(w);
	for (unsigned i = 1; i < 10; i++) {
		expect_step(w, TRI_PARK);
		assert_true(is_idle(sim, 0));
		assert_int_equal(sim->loop[0].sleeps, i);
		assert_int_equal(sim->loop[0].polls, 1);
	}
	/* One that ends for an event is not. */
	sim->sleep = sleep_through;
	sim->loop[0].ready = true;
	expect_step(w, TRI_SEARCH);
	assert_false(is_idle(sim, 0));
	sim_end(sim);
}

static void
timers_fire_in_virtual_time(void **unused)
{
	enum { TIMERS = 100 };
	struct sim *sim = sim_begin(1);
	struct tri_worker *w = worker(sim, 0);
	unsigned steps = 0;

	(void)unused;
	for (unsigned i = 0; i < TIMERS; i++) {
		/* From microseconds to years. */
		sim->job[i].timer.deadline =
		    sim->now + ((int64_t)(i + 1000) << (i % 45));
		tri_wheel_add(&w->wheel, &sim->job[i].timer);
	}
	while (sim->ran < TIMERS) {
		assert_true(tri_worker_step(w));
		assert_true(steps++ < TIMERS * 20);
	}
	assert_int_equal(sim->fired, TIMERS);
	assert_true(sim->now >= sim->job[44].timer.deadline);
	for (unsigned i = 0; i < TIMERS; i++)
		assert_int_equal(sim->job[i].runs, 1);
	/* sim_end() sees that none was early, or late by more than a tick. */
	sim_end(sim);
}

static void
attention_calls_the_hook_before_each_step(void **unused)
{
	struct sim *sim = sim_begin(1);
	struct tri_worker *w = worker(sim, 0);

	(void)unused;
	step_to_park(w);
	assert_int_equal(sim->attended, 0);
	tri_sched_attend(&sim->sched);
	assert_true(sim->loop[0].woken);
	for (unsigned i = 1; i <= 100; i++) {
		int64_t before = sim->now;

		assert_true(tri_worker_step(w));
		assert_int_equal(sim->attended, i);
		/* Who attends does not sleep for long. */
		assert_true(sim->now <= before + TRI_WATCH_NS);
	}
	sim_end(sim);
}

static void
quit_ends_a_worker_in_any_phase_after_its_own_work(void **unused)
{
	(void)unused;
	for (unsigned steps = 0; steps < 12; steps++) {
		struct sim *sim = sim_begin(1);
		struct tri_worker *w = worker(sim, 0);
		unsigned more = 0, jobs = steps < 6 ? 0 : 3;

		for (unsigned i = 0; i < steps % 6; i++)
			assert_true(tri_worker_step(w));
		if (jobs > 0) {
			tri_sched_push(w, word(sim, 0));
			tri_sched_push_back(w, word(sim, 1));
			tri_sched_push_home(&sim->sched, NULL, 0, word(sim, 2));
		}
		tri_sched_quit(&sim->sched);
		while (tri_worker_step(w))
			assert_true(more++ < 10);
		assert_int_equal(sim->ran, jobs);
		for (int i = 0; i < 3; i++) {
			assert_false(tri_worker_step(w));
			assert_int_equal(w->phase, TRI_ENDED);
		}
		sim_end(sim);
	}
}

static void
idle_worker_gives_its_memory_back(void **unused)
{
	enum { N = 30000 };
	struct sim *sim = sim_begin(1);
	struct tri_worker *w = worker(sim, 0);
	void **block = calloc(N, sizeof(void *));
	int64_t begun = sim->now;

	(void)unused;
	assert_non_null(block);
	for (unsigned i = 0; i < N; i++) {
		block[i] = tri_pool_alloc(&w->pool, 0);
		assert_non_null(block[i]);
	}
	for (unsigned i = 0; i < N; i++)
		tri_pool_free(&w->pool, block[i], 0);
	free(block);
	step_to_park(w);
	for (unsigned i = 0; i < 20; i++) {
		bool empty = atomic_load(&w->pool.bytes) == 0;

		assert_true(!empty || sim->now >= begun + TRI_TRIM_NS);
		expect_step(w, TRI_PARK);
	}
	assert_int_equal(atomic_load(&w->pool.bytes), 0);
	assert_true(sim->now == begun + TRI_TRIM_NS);
	assert_true(sim->loop[0].deadline == INT64_MAX);
	/* After some work it does so once more. */
	assert_non_null(block = tri_pool_alloc(&w->pool, 3));
	tri_pool_free(&w->pool, block, 3);
	tri_sched_push_home(&sim->sched, NULL, 0, word(sim, 1));
	for (unsigned i = 0; i < 20; i++)
		assert_true(tri_worker_step(w));
	assert_int_equal(sim->ran, 1);
	assert_int_equal(atomic_load(&w->pool.bytes), 0);
	sim_end(sim);
}

static void
every_failure_of_the_start_is_undone(void **unused)
{
	unsigned k = 0;
	int rc;

	(void)unused;
	do {
		struct sim *sim = sim_new();

		sim->fail_at = ++k;
		rc = sim_init(sim, 3);
		if (rc == 0)
			tri_sched_fini(&sim->sched);
		else
			assert_int_equal(rc, -ENOMEM);
		/* Again: of what is down. */
		tri_sched_fini(&sim->sched);
		assert_int_equal(sim->memory, 0);
		assert_int_equal(sim->loops, 0);
		free(sim);
	} while (rc != 0);
	/* The workers; for each of three its pool and its loop. */
	assert_int_equal(k, 1 + 3 * 2 + 1);
}

static void
victims_are_all_others_nearest_first(void **unused)
{
	struct sim *sim = sim_begin(WORKERS);

	(void)unused;
	for (unsigned i = 0; i < WORKERS; i++) {
		unsigned seen = 1u << i;

		for (unsigned k = 0; k + 1 < WORKERS; k++)
			seen |= 1u << worker(sim, i)->victims[k];
		assert_int_equal(seen, (1u << WORKERS) - 1);
		/* Not bound: all as far; the next index comes first. */
		assert_int_equal(worker(sim, i)->victims[0], (i + 1) % WORKERS);
		assert_int_equal((uintptr_t)worker(sim, i) % TRI_LINE, 0);
	}
	sim_end(sim);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    worker_without_work_searches_parks_and_sleeps_for_good),
		cmocka_unit_test(each_step_runs_one_word),
		cmocka_unit_test(busy_worker_polls_when_it_is_time),
		cmocka_unit_test(events_keep_the_polls_frequent),
		cmocka_unit_test(pinned_word_is_run_without_a_poll),
		cmocka_unit_test(
		    injected_words_are_found_by_the_search_in_order),
		cmocka_unit_test(word_that_comes_before_the_sleep_prevents_it),
		cmocka_unit_test(word_that_comes_during_the_sleep_ends_it),
		cmocka_unit_test(sleep_that_ends_for_nothing_is_a_nap),
		cmocka_unit_test(timers_fire_in_virtual_time),
		cmocka_unit_test(attention_calls_the_hook_before_each_step),
		cmocka_unit_test(
		    quit_ends_a_worker_in_any_phase_after_its_own_work),
		cmocka_unit_test(idle_worker_gives_its_memory_back),
		cmocka_unit_test(every_failure_of_the_start_is_undone),
		cmocka_unit_test(victims_are_all_others_nearest_first),
	};

	alarm(TOO_LONG_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
