/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pool of threads for blocking calls: how many run and wait at most, who
 * has a job when it is cancelled, and what closing it leaves behind.
 *
 * Jobs that shall take long wait for a gate which the test opens.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "scale.h"
#include "sched/env.h"

#define MS INT64_C(1000000)

enum {
	THREADS = 3,
	TOO_LONG_S = 100,
};

static struct tri_env *env; /* made once, for all tests */

static int
setup(void **unused)
{
	(void)unused;
	env = tri_env_real();
	return env == NULL ? -1 : 0;
}

static int
teardown(void **unused)
{
	(void)unused;
	env->free(env);
	return 0;
}

static void
nap_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static struct {
	atomic_int now, most, done; /* that run, at most at once, finished */
	atomic_bool open; /* those that wait for the gate may go on */
} gate;

static void
gate_init(bool open)
{
	atomic_store(&gate.now, 0);
	atomic_store(&gate.most, 0);
	atomic_store(&gate.done, 0);
	atomic_store(&gate.open, open);
}

static void
gated_run(struct tri_job *job)
{
	int now = atomic_fetch_add(&gate.now, 1) + 1;
	int most = atomic_load(&gate.most);

	(void)job;
	while (
	    now > most && !atomic_compare_exchange_weak(&gate.most, &most, now))
		continue;
	while (!atomic_load(&gate.open))
		nap_ms(1);
	atomic_fetch_sub(&gate.now, 1);
}

static void
gated_finish(struct tri_job *job)
{
	(void)job;
	atomic_fetch_add(&gate.done, 1);
}

/* Jobs that wait for the gate. */
static void
gated_jobs(struct tri_job *job, int n)
{
	memset(job, 0, (size_t)n * sizeof(*job));
	for (int i = 0; i < n; i++) {
		job[i].run = gated_run;
		job[i].finish = gated_finish;
	}
}

static void
wait_for(atomic_int *counter, int n)
{
	while (atomic_load(counter) < n)
		nap_ms(1);
}

static struct tri_jobs *
jobs_begin(unsigned threads, unsigned queue)
{
	struct tri_jobs *jobs = env->jobs_new(env, threads, queue);

	assert_non_null(jobs);
	return jobs;
}

static void
jobs_end(struct tri_jobs *jobs)
{
	env->jobs_close(env, jobs);
	assert_int_equal(env->jobs_wait(env, jobs, INT64_MAX), 0);
	env->jobs_free(env, jobs);
}

static void
unused_pool_comes_and_goes(void **unused)
{
	(void)unused;
	jobs_end(jobs_begin(4, 10));
	env->jobs_free(env, jobs_begin(1, 1));
	env->jobs_free(env, NULL);
}

static void
jobs_run_on_no_more_threads_than_allowed(void **unused)
{
	enum { N = 12 };
	struct tri_job job[N];
	struct tri_jobs *jobs = jobs_begin(THREADS, N);

	(void)unused;
	gate_init(false);
	gated_jobs(job, N);
	for (int i = 0; i < N; i++) {
		assert_int_equal(env->jobs_submit(env, jobs, &job[i]), 0);
	}
	wait_for(&gate.now, THREADS);
	nap_ms(5);
	assert_int_equal(gate.now, THREADS);
	assert_int_equal(env->jobs_wait(env, jobs, 0), THREADS);
	atomic_store(&gate.open, true);
	wait_for(&gate.done, N);
	assert_int_equal(gate.most, THREADS);
	jobs_end(jobs);
}

static void
full_queue_refuses_until_there_is_room(void **unused)
{
	enum { QUEUE = 4, N = QUEUE + 2 };
	struct tri_job job[N];
	struct tri_jobs *jobs = jobs_begin(1, QUEUE);

	(void)unused;
	gate_init(false);
	gated_jobs(job, N);
	assert_int_equal(env->jobs_submit(env, jobs, &job[0]), 0);
	wait_for(&gate.now, 1);
	for (int i = 1; i <= QUEUE; i++)
		assert_int_equal(env->jobs_submit(env, jobs, &job[i]), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(env->jobs_submit(env, jobs, &job[N - 1]),
		    -ENOBUFS);
	/* One that leaves the queue makes room for another. */
	assert_true(env->jobs_cancel(env, jobs, &job[2]));
	assert_int_equal(env->jobs_submit(env, jobs, &job[N - 1]), 0);
	assert_int_equal(env->jobs_submit(env, jobs, &job[2]), -ENOBUFS);
	atomic_store(&gate.open, true);
	wait_for(&gate.done, N - 1);
	jobs_end(jobs);
	assert_int_equal(gate.done, N - 1);
}

static void
cancelled_job_has_not_begun_and_never_will(void **unused)
{
	enum { N = 6 };
	struct tri_job job[N];
	struct tri_jobs *jobs = jobs_begin(1, N);

	(void)unused;
	gate_init(false);
	gated_jobs(job, N);
	for (int i = 0; i < N; i++) {
		assert_int_equal(env->jobs_submit(env, jobs, &job[i]), 0);
		if (i == 0)
			wait_for(&gate.now, 1);
	}
	/* The running one, the first, a middle one, and the last. */
	assert_false(env->jobs_cancel(env, jobs, &job[0]));
	assert_true(env->jobs_cancel(env, jobs, &job[1]));
	assert_true(env->jobs_cancel(env, jobs, &job[3]));
	assert_true(env->jobs_cancel(env, jobs, &job[5]));
	assert_false(env->jobs_cancel(env, jobs, &job[3]));
	atomic_store(&gate.open, true);
	wait_for(&gate.done, 3);
	assert_false(env->jobs_cancel(env, jobs, &job[2]));
	jobs_end(jobs);
	assert_int_equal(gate.done, 3);
}

static void
closed_pool_forgets_what_waits_and_takes_no_more(void **unused)
{
	enum { N = 5 };
	struct tri_job job[N];
	struct tri_jobs *jobs = jobs_begin(1, N);

	(void)unused;
	gate_init(false);
	gated_jobs(job, N);
	for (int i = 0; i < N - 1; i++) {
		assert_int_equal(env->jobs_submit(env, jobs, &job[i]), 0);
		if (i == 0)
			wait_for(&gate.now, 1);
	}
	env->jobs_close(env, jobs);
	env->jobs_close(env, jobs);
	assert_true(env->jobs_submit(env, jobs, &job[N - 1]) < 0);
	assert_false(env->jobs_cancel(env, jobs, &job[1]));
	assert_int_equal(env->jobs_wait(env, jobs, 0), 1);
	atomic_store(&gate.open, true);
	assert_int_equal(env->jobs_wait(env, jobs, INT64_MAX), 0);
	env->jobs_free(env, jobs);
	assert_int_equal(gate.done, 1);
}

static void
waiting_for_running_jobs_ends_with_them_or_in_time(void **unused)
{
	enum { N = 2 };
	struct tri_job job[N];
	struct tri_jobs *jobs = jobs_begin(N, N);
	int64_t deadline;

	(void)unused;
	assert_int_equal(env->jobs_wait(env, jobs, INT64_MAX), 0);
	gate_init(false);
	gated_jobs(job, N);
	for (int i = 0; i < N; i++)
		assert_int_equal(env->jobs_submit(env, jobs, &job[i]), 0);
	wait_for(&gate.now, N);
	deadline = env->now(env) + 5 * MS;
	assert_int_equal(env->jobs_wait(env, jobs, deadline), N);
	assert_true(env->now(env) >= deadline);
	assert_int_equal(env->jobs_wait(env, jobs, INT64_MIN), N);
	atomic_store(&gate.open, true);
	assert_int_equal(env->jobs_wait(env, jobs, INT64_MAX), 0);
	/* What tells of the end may come a little later. */
	wait_for(&gate.done, N);
	jobs_end(jobs);
}

/* A job that is submitted again by whoever sees it done. */
struct lap {
	struct tri_job job;
	unsigned runs; /* plain: publishing is the pool's work */
	atomic_uint seen;
};

static void
lap_run(struct tri_job *job)
{
	struct lap *lap = tri_container_of(job, struct lap, job);

	lap->runs++;
}

static void
lap_finish(struct tri_job *job)
{
	struct lap *lap = tri_container_of(job, struct lap, job);

	/* From now on the job is the submitter's again. */
	atomic_fetch_add(&lap->seen, 1);
}

static void
many_jobs_run_once_each_time(void **unused)
{
	enum { N = 50, LAPS = TEST_SCALE(400), QUEUE = 20 };
	static struct lap lap[N];
	struct tri_jobs *jobs = jobs_begin(THREADS, QUEUE);
	unsigned full = 0, wrong = 0;

	(void)unused;
	memset(lap, 0, sizeof(lap));
	for (unsigned i = 0; i < N; i++)
		lap[i].job =
		    (struct tri_job){ .run = lap_run, .finish = lap_finish };
	for (unsigned round = 0; round < LAPS * N; round++) {
		struct lap *l = &lap[round % N];
		int rc;

		while (atomic_load(&l->seen) != round / N)
			sched_yield();
		while (
		    (rc = env->jobs_submit(env, jobs, &l->job)) == -ENOBUFS) {
			full++;
			sched_yield();
		}
		wrong += rc != 0;
	}
	for (unsigned i = 0; i < N; i++)
		while (atomic_load(&lap[i].seen) != LAPS)
			sched_yield();
	for (unsigned i = 0; i < N; i++)
		wrong += lap[i].runs != LAPS;
	jobs_end(jobs);
	assert_int_equal(wrong, 0);
	print_message("full %u times\n", full);
}

/* The canceller and the pool agree on who has the job. */
static void
cancel_and_run_exclude_each_other(void **unused)
{
	enum { ROUNDS = TEST_SCALE(20000) };
	static struct lap lap;
	struct tri_jobs *jobs = jobs_begin(2, 2);
	unsigned cancelled = 0, ran = 0;

	(void)unused;
	memset(&lap, 0, sizeof(lap));
	lap.job.run = lap_run;
	lap.job.finish = lap_finish;
	for (unsigned i = 0; i < ROUNDS; i++) {
		assert_int_equal(env->jobs_submit(env, jobs, &lap.job), 0);
		for (unsigned k = 0; k < i % 200; k++)
			(void)atomic_load(&lap.seen);
		if (i % 5 == 0)
			sched_yield();
		if (env->jobs_cancel(env, jobs, &lap.job)) {
			cancelled++;
			continue;
		}
		ran++;
		while (atomic_load(&lap.seen) != ran)
			sched_yield();
	}
	jobs_end(jobs);
	assert_int_equal(lap.runs, ran);
	assert_int_equal(cancelled + ran, ROUNDS);
	print_message("%u of %u were cancelled\n", cancelled, ROUNDS);
}

/* A copy of the environment that starts so many threads and no more. */
static int (*real_start)(struct tri_env *, struct tri_thread **,
    void (*)(void *), void *, const char *, int);
static int may_start;

static int
start_some(struct tri_env *e, struct tri_thread **thread, void (*fn)(void *),
    void *arg, const char *name, int cpu)
{
	if (may_start-- <= 0)
		return -EAGAIN;
	return real_start(e, thread, fn, arg, name, cpu);
}

static void
pool_makes_do_with_the_threads_it_gets(void **unused)
{
	enum { N = 5 };
	struct tri_env *other = tri_env_real();
	struct tri_job job[N];
	struct tri_jobs *jobs;

	(void)unused;
	assert_non_null(other);
	gated_jobs(job, N);
	gate_init(false);
	real_start = other->thread_start;
	other->thread_start = start_some;
	may_start = 0;
	jobs = other->jobs_new(other, THREADS, N);
	assert_non_null(jobs);
	/* Without any the job is not taken. */
	assert_int_equal(other->jobs_submit(other, jobs, &job[0]), -ENOMEM);
	assert_false(other->jobs_cancel(other, jobs, &job[0]));
	/* With one all are. */
	may_start = 1;
	for (int i = 0; i < N; i++)
		assert_int_equal(other->jobs_submit(other, jobs, &job[i]), 0);
	atomic_store(&gate.open, true);
	wait_for(&gate.done, N);
	assert_int_equal(gate.most, 1);
	other->jobs_close(other, jobs);
	assert_int_equal(other->jobs_wait(other, jobs, INT64_MAX), 0);
	other->jobs_free(other, jobs);
	other->free(other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unused_pool_comes_and_goes),
		cmocka_unit_test(jobs_run_on_no_more_threads_than_allowed),
		cmocka_unit_test(full_queue_refuses_until_there_is_room),
		cmocka_unit_test(cancelled_job_has_not_begun_and_never_will),
		cmocka_unit_test(
		    closed_pool_forgets_what_waits_and_takes_no_more),
		cmocka_unit_test(
		    waiting_for_running_jobs_ends_with_them_or_in_time),
		cmocka_unit_test(many_jobs_run_once_each_time),
		cmocka_unit_test(cancel_and_run_exclude_each_other),
		cmocka_unit_test(pool_makes_do_with_the_threads_it_gets),
	};

	alarm(TOO_LONG_S);
	return cmocka_run_group_tests(tests, setup, teardown);
}
