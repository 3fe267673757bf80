/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Real workers that are told something: to end, at any moment and by anybody,
 * or to attend; and what ends them when not all of them can be started.
 */
#include "rig_park.h"

/* A worker does what is its own before it leaves; so let that end. */
static void
quit_ends_all_workers_at_any_moment(void **unused)
{
	enum { ROUNDS = TEST_SCALE(150) };

	(void)unused;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct rig *rig = rig_new(worker_counts[round % COUNTS], 8);

		/* Before the start, at it, asleep, and in full swing. */
		if (round % 16 == 0)
			tri_sched_quit(&rig->sched);
		if (round % 2 == 0) {
			rig->run = go_on;
			for (unsigned i = 0; i < rig->n; i++) {
				rig->jobs[i].left = 1 << 30;
				tri_sched_inject(&rig->sched,
				    word_of(&rig->jobs[i]));
			}
		}
		rig_start(rig);
		if (round % 5 == 4)
			nap_ms(2);
		else
			pause_before(round);
		tri_sched_quit(&rig->sched);
		atomic_store(&rig->over, true);
		rig_join(rig);
		rig_free(rig);
	}
}

static void
quit_from_a_job(struct tri_worker *w, struct job *job)
{
	(void)job;
	tri_sched_quit(w->sched);
}

static void
quit_may_be_called_by_a_worker(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < COUNTS; i++) {
		for (unsigned home = 0; home < worker_counts[i]; home++) {
			struct rig *rig = rig_new(worker_counts[i], 1);

			rig->run = quit_from_a_job;
			rig->jobs[0].home = (int)home;
			rig_start(rig);
			tri_sched_push_home(&rig->sched, NULL, home,
			    word_of(rig->jobs));
			rig_join(rig);
			expect_runs(rig, 1);
			rig_free(rig);
		}
	}
}

static void
attention_reaches_all_workers_even_asleep(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < COUNTS; i++) {
		struct rig *rig = rig_begin(worker_counts[i], 1);

		nap_ms(20);
		assert_int_equal(rig->attended, 0);
		tri_sched_attend(&rig->sched);
		/* Again and again, of each. */
		while (atomic_load(&rig->attended) < 20 * worker_counts[i])
			nap_ms(1);
		rig_end(rig);
	}
}

/* What of tri_env.thread_start is real, and how many may still start. */
static int (*real_start)(struct tri_env *, struct tri_thread **,
    void (*)(void *), void *, const char *, int);
static int may_start;

static int
start_some(struct tri_env *env, struct tri_thread **thread, void (*fn)(void *),
    void *arg, const char *name, int cpu)
{
	if (may_start-- == 0)
		return -EAGAIN;
	return real_start(env, thread, fn, arg, name, cpu);
}

static void
worker_that_cannot_be_started_ends_those_that_were(void **unused)
{
	enum { N = 4 };

	(void)unused;
	for (int started = 0; started < N - 1; started++) {
		struct rig *rig = rig_new(N, 1);

		real_start = rig->env->thread_start;
		rig->env->thread_start = start_some;
		may_start = started;
		assert_int_equal(tri_sched_run(&rig->sched), -EAGAIN);
		while (tri_sched_running(&rig->sched) > 0)
			nap_ms(1);
		tri_sched_join(&rig->sched);
		rig_free(rig);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quit_ends_all_workers_at_any_moment),
		cmocka_unit_test(quit_may_be_called_by_a_worker),
		cmocka_unit_test(attention_reaches_all_workers_even_asleep),
		cmocka_unit_test(
		    worker_that_cannot_be_started_ends_those_that_were),
	};

	signal(SIGALRM, on_too_long);
	alarm(TOO_LONG_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
