/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Real workers that fall asleep: they wake up when they are wanted and not
 * otherwise, and what a stuck worker leaves behind is taken over by others.
 */
#include "rig_park.h"

/* --------------------------------------------------------- idle and wake - */

static void
tell(struct tri_worker *w, struct job *job)
{
	(void)w;
	sem_post(&job->rig->told);
}

static void
sleepers_wake_up_for_each_single_word(void **unused)
{
	enum { ROUNDS = TEST_SCALE(1500) };

	(void)unused;
	for (unsigned i = 0; i < COUNTS; i++) {
		struct rig *rig = rig_new(worker_counts[i], 1);

		rig->run = tell;
		rig_start(rig);
		for (unsigned round = 0; round < ROUNDS; round++) {
			pause_before(round);
			tri_sched_inject(&rig->sched, word_of(rig->jobs));
			wait_until_told(rig);
		}
		tri_sched_quit(&rig->sched);
		rig_join(rig);
		expect_runs(rig, ROUNDS);
		rig_free(rig);
	}
}

static void
sleepers_wake_up_for_each_pinned_word(void **unused)
{
	enum { ROUNDS = TEST_SCALE(1200) };

	(void)unused;
	for (unsigned i = 0; i < COUNTS; i++) {
		struct rig *rig = rig_new(worker_counts[i], 1);
		struct job *job = rig->jobs;

		rig->run = tell;
		rig_start(rig);
		for (unsigned round = 0; round < ROUNDS; round++) {
			pause_before(round);
			job->home = (int)(round % worker_counts[i]);
			tri_sched_push_home(&rig->sched, NULL,
			    (unsigned)job->home, word_of(job));
			wait_until_told(rig);
		}
		tri_sched_quit(&rig->sched);
		rig_join(rig);
		expect_runs(rig, ROUNDS);
		rig_free(rig);
	}
}

/* The first job pushes all others and waits until they all run at once. */
static void
meet(struct tri_worker *w, struct job *job)
{
	struct rig *rig = job->rig;
	unsigned long target = job->left;

	if (job == rig->jobs) {
		for (unsigned i = 1; i < rig->n; i++) {
			rig->jobs[i].left = job->left;
			tri_sched_push_back(w, word_of(&rig->jobs[i]));
		}
	}
	atomic_fetch_add(&rig->ran, 1);
	while (atomic_load(&rig->ran) < target)
		sched_yield();
	sem_post(&rig->told);
}

static void
burst_of_one_worker_wakes_as_many_as_it_needs(void **unused)
{
	enum { ROUNDS = TEST_SCALE(500) };

	(void)unused;
	for (unsigned n = 2; n <= 6; n += 2) {
		struct rig *rig = rig_new(n, n);

		rig->run = meet;
		rig_start(rig);
		for (unsigned round = 1; round <= ROUNDS; round++) {
			pause_before(round);
			rig->jobs[0].left = round * n;
			tri_sched_inject(&rig->sched, word_of(rig->jobs));
			for (unsigned i = 0; i < n; i++)
				wait_until_told(rig);
		}
		tri_sched_quit(&rig->sched);
		rig_join(rig);
		expect_runs(rig, ROUNDS);
		rig_free(rig);
	}
}

/* ---------------------------------------------------------- stuck ones --- */

/* The first job leaves the second as `next` and waits until it has run. */
static void
wait_for_next(struct tri_worker *w, struct job *job)
{
	struct rig *rig = job->rig;
	unsigned long before = atomic_load(&rig->ran);

	if (job == rig->jobs) {
		tri_sched_push(w, word_of(&rig->jobs[1]));
		while (atomic_load(&rig->ran) == before)
			sched_yield();
	} else {
		atomic_fetch_add(&rig->ran, 1);
	}
	sem_post(&rig->told);
}

static void
word_behind_a_stuck_worker_is_taken_over(void **unused)
{
	enum { ROUNDS = TEST_SCALE(60) };

	(void)unused;
	for (unsigned n = 2; n <= 6; n += 2) {
		struct rig *rig = rig_new(n, 2);

		rig->run = wait_for_next;
		rig_start(rig);
		for (unsigned round = 0; round < ROUNDS; round++) {
			/* Now and then all sleep and nobody watches. */
			if (round % 16 == 0)
				nap_ms(5);
			pause_before(round);
			tri_sched_inject(&rig->sched, word_of(rig->jobs));
			wait_until_told(rig);
			wait_until_told(rig);
		}
		tri_sched_quit(&rig->sched);
		rig_join(rig);
		expect_runs(rig, ROUNDS);
		rig_free(rig);
	}
}

/* Stuck, and what is injected meanwhile is for the others. */
static void
wait_for_foreign(struct tri_worker *w, struct job *job)
{
	struct rig *rig = job->rig;

	(void)w;
	if (job != rig->jobs)
		atomic_fetch_add(&rig->ran, 1);
	else
		while (atomic_load(&rig->ran) < rig->n - 1)
			sched_yield();
	sem_post(&rig->told);
}

static void
stuck_worker_does_not_keep_injected_words(void **unused)
{
	enum { N = 1000 };

	(void)unused;
	for (unsigned n = 2; n <= 4; n++) {
		struct rig *rig = rig_new(n, N);

		rig->run = wait_for_foreign;
		rig_start(rig);
		for (unsigned i = 0; i < N; i++) {
			tri_sched_inject(&rig->sched, word_of(&rig->jobs[i]));
			if (i == 0)
				nap_ms(3);
		}
		for (unsigned i = 0; i < N; i++)
			wait_until_told(rig);
		tri_sched_quit(&rig->sched);
		rig_join(rig);
		expect_runs(rig, 1);
		rig_free(rig);
	}
}

/* ---------------------------------------------------------- quiet time --- */

/* What all workers together have done. */
static uint64_t
activity(struct rig *rig)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < rig->sched.n; i++) {
		struct tri_worker *w = tri_sched_worker(&rig->sched, i);

		sum += atomic_load(&w->counts.parks) +
		    atomic_load(&w->counts.polls) +
		    atomic_load(&w->counts.wakeups);
	}
	return sum;
}

/* Leave some memory behind that is to be given back. */
static void
use_memory(struct tri_worker *w, struct job *job)
{
	void *block = tri_pool_alloc(&w->pool, 2);

	if (block != NULL)
		tri_pool_free(&w->pool, block, 2);
	atomic_fetch_add(&job->rig->ran, 1);
}

/* Bytes that all workers together hold. */
static uint64_t
memory_held(struct rig *rig)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < rig->sched.n; i++)
		sum +=
		    atomic_load(&tri_sched_worker(&rig->sched, i)->pool.bytes);
	return sum;
}

/* Who has missed the time for it never gives it back: nothing wakes it. */
static void
wait_until_memory_is_given_back(struct rig *rig)
{
	while (memory_held(rig) > 0)
		nap_ms(10);
}

/* Somebody may still be on the way to sleep, but not again and again. */
static void
wait_until_quiet(struct rig *rig)
{
	uint64_t before;

	do {
		before = activity(rig);
		nap_ms(300);
	} while (activity(rig) != before);
}

static void
idle_workers_give_memory_back_and_never_wake_up_again(void **unused)
{
	enum { RIGS = 3, N = 1000 };
	struct rig *rig[RIGS];

	(void)unused;
	for (unsigned i = 0; i < RIGS; i++) {
		rig[i] = rig_new(worker_counts[i], N);
		rig[i]->run = use_memory;
		rig_start(rig[i]);
		give_all(rig[i], 1);
	}
	for (unsigned i = 0; i < RIGS; i++) {
		wait_until_memory_is_given_back(rig[i]);
		wait_until_quiet(rig[i]);
		rig_end(rig[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sleepers_wake_up_for_each_single_word),
		cmocka_unit_test(sleepers_wake_up_for_each_pinned_word),
		cmocka_unit_test(burst_of_one_worker_wakes_as_many_as_it_needs),
		cmocka_unit_test(word_behind_a_stuck_worker_is_taken_over),
		cmocka_unit_test(stuck_worker_does_not_keep_injected_words),
		cmocka_unit_test(
		    idle_workers_give_memory_back_and_never_wake_up_again),
	};

	signal(SIGALRM, on_too_long);
	alarm(TOO_LONG_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
