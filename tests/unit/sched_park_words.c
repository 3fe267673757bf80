/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Real workers that are given a lot to do: no word is lost however it came,
 * each runs as often and where it has to, and timers are never early.
 */
#include "rig_park.h"

static void
words_from_foreign_threads_all_run_once(void **unused)
{
	enum { N = TEST_SCALE(60000) };

	(void)unused;
	for (unsigned i = 0; i < COUNTS; i++) {
		struct rig *rig = rig_begin(worker_counts[i], N);

		give_all(rig, 1);
		tri_sched_quit(&rig->sched);
		rig_join(rig);
		expect_runs(rig, 1);
		rig_free(rig);
	}
}

static void
words_pinned_to_a_home_run_there(void **unused)
{
	enum { N = TEST_SCALE(10000) };

	(void)unused;
	for (unsigned i = 0; i < COUNTS; i++) {
		struct rig *rig = rig_new(worker_counts[i], N);

		for (unsigned k = 0; k < N; k++)
			rig->jobs[k].home = (int)(k % worker_counts[i]);
		rig_start(rig);
		give_all(rig, 1);
		tri_sched_quit(&rig->sched);
		rig_join(rig);
		expect_runs(rig, 1);
		rig_free(rig);
	}
}

static void
words_that_go_on_from_worker_to_worker_all_get_there(void **unused)
{
	enum { N = 400, HOPS = TEST_SCALE(200) };

	(void)unused;
	for (unsigned i = 0; i < COUNTS; i++) {
		struct rig *rig = rig_new(worker_counts[i], N);

		rig->run = go_on;
		for (unsigned k = 0; k < N; k++) {
			rig->jobs[k].left = HOPS;
			if (k % 4 == 0)
				rig->jobs[k].home =
				    (int)(k / 4 % worker_counts[i]);
		}
		rig_start(rig);
		give_all(rig, HOPS + 1);
		tri_sched_quit(&rig->sched);
		rig_join(rig);
		expect_runs(rig, HOPS + 1);
		rig_free(rig);
	}
}

/* ------------------------------------------------------------- timers ---- */

/* Arm a timer of one's own worker. */
static void
arm(struct tri_worker *w, struct job *job)
{
	job->timer.deadline = w->env->now(w->env) + (int64_t)job->left;
	tri_wheel_add(&w->wheel, &job->timer);
	atomic_fetch_add(&job->rig->ran, 1);
}

static void
timers_fire_on_idle_workers_and_never_early(void **unused)
{
	enum { N = 200, LAST_NS = 60 * 1000 * 1000 };

	(void)unused;
	for (unsigned i = 0; i < COUNTS; i++) {
		struct rig *rig = rig_new(worker_counts[i], N);

		rig->run = arm;
		for (unsigned k = 0; k < N; k++) {
			rig->jobs[k].home = (int)(k % worker_counts[i]);
			rig->jobs[k].left = LAST_NS / N * k;
		}
		rig_start(rig);
		give_all(rig, 1);
		while (atomic_load(&rig->fired) < N)
			nap_ms(1);
		rig_end(rig);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_from_foreign_threads_all_run_once),
		cmocka_unit_test(words_pinned_to_a_home_run_there),
		cmocka_unit_test(
		    words_that_go_on_from_worker_to_worker_all_get_there),
		cmocka_unit_test(timers_fire_on_idle_workers_and_never_early),
	};

	signal(SIGALRM, on_too_long);
	alarm(TOO_LONG_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
