/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Real workers on the real environment that run jobs of a made-up kind: no
 * word is lost however it came, sleepers wake up when they are wanted and not
 * otherwise, and all of it ends when it is told to.
 *
 * A lost wake-up shows as a test that hangs; an alarm ends it with a message.
 * The main thread is a foreign one: it gives work and asserts.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
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
#include "sched/sched.h"

enum {
	KIND = 1,
	FOREIGN = 3, /* threads that give work */
	TOO_LONG_S = 100,
	COUNTS = 4,
};

static const unsigned worker_counts[COUNTS] = { 1, 2, 4, 7 };

/* --------------------------------------------------------------- rig ----- */

struct job {
	alignas(TRI_LINE) struct tri_link link;
	struct rig *rig;
	struct tri_timer_node timer;
	unsigned runs; /* plain: whoever runs it has it alone */
	unsigned left; /* how often it goes on by itself */
	int home; /* -1: any */
};

struct rig {
	struct tri_sched sched;
	struct tri_env *env;
	struct tri_kind kinds[TRI_KINDS];
	pthread_t runner;
	int rc; /* of tri_sched_run */
	struct job *jobs;
	unsigned n;
	void (*run)(struct tri_worker *w, struct job *job);

	atomic_ulong ran;
	atomic_uint wrong; /* on a worker where it must not be */
	atomic_uint early; /* timers */
	atomic_uint fired;
	atomic_uint attended;
	atomic_bool over; /* jobs do not go on */
	sem_t told;
};

static tri_word
word_of(struct job *job)
{
	return tri_word_of(job, KIND);
}

static void
job_run(struct tri_worker *w, void *object)
{
	struct job *job = object;
	struct rig *rig = job->rig;

	if (tri_worker_here != w ||
	    (job->home >= 0 && (unsigned)job->home != w->index))
		atomic_fetch_add(&rig->wrong, 1);
	job->runs++;
	if (rig->run != NULL)
		rig->run(w, job);
	else
		atomic_fetch_add(&rig->ran, 1);
}

static struct tri_link *
job_link(void *ctx, void *object)
{
	(void)ctx;
	return &((struct job *)object)->link;
}

static void
on_fire(struct tri_worker *w, struct tri_timer_node *node)
{
	struct job *job = tri_container_of(node, struct job, timer);

	if (w->env->now(w->env) < node->deadline)
		atomic_fetch_add(&job->rig->early, 1);
	atomic_fetch_add(&job->rig->fired, 1);
}

static void
on_poll(struct tri_worker *w)
{
	(void)w;
}

static void
on_attend(struct tri_worker *w)
{
	struct rig *rig = tri_container_of(w->sched, struct rig, sched);

	atomic_fetch_add(&rig->attended, 1);
}

static struct rig *
rig_new(unsigned workers, unsigned jobs)
{
	size_t bytes = (jobs + 1) * sizeof(struct job);
	struct rig *rig = aligned_alloc(TRI_LINE, sizeof(*rig));

	assert_non_null(rig);
	memset(rig, 0, sizeof(*rig));
	rig->jobs = aligned_alloc(TRI_LINE, bytes);
	assert_non_null(rig->jobs);
	memset(rig->jobs, 0, bytes);
	rig->n = jobs;
	for (unsigned i = 0; i < jobs; i++) {
		rig->jobs[i].rig = rig;
		rig->jobs[i].home = -1;
	}
	sem_init(&rig->told, 0, 0);
	rig->env = tri_env_real();
	assert_non_null(rig->env);
	rig->kinds[KIND] = (struct tri_kind){ job_run, job_link, NULL };
	assert_int_equal(0,
	    tri_sched_init(&rig->sched, rig->env,
		&(struct tri_sched_config){
		    .workers = workers,
		    .worker_size = sizeof(struct tri_worker),
		    .spin_ns = workers == 2 ? 20000 : 0,
		    .kinds = rig->kinds,
		    .hooks = { .fire = on_fire,
			.poll = on_poll,
			.attend = on_attend },
		    .pools = workers,
		}));
	return rig;
}

static void *
rig_main(void *arg)
{
	struct rig *rig = arg;

	rig->rc = tri_sched_run(&rig->sched);
	return NULL;
}

static void
rig_start(struct rig *rig)
{
	assert_int_equal(0, pthread_create(&rig->runner, NULL, rig_main, rig));
}

static void
nap_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static void
rig_free(struct rig *rig)
{
	tri_sched_fini(&rig->sched);
	rig->env->free(rig->env);
	sem_destroy(&rig->told);
	free(rig->jobs);
	free(rig);
}

/* Quit was called: wait for the end of all workers. */
static void
rig_join(struct rig *rig)
{
	assert_int_equal(0, pthread_join(rig->runner, NULL));
	while (tri_sched_running(&rig->sched) > 0)
		nap_ms(1);
	tri_sched_join(&rig->sched);
	assert_int_equal(rig->rc, 0);
	assert_int_equal(rig->wrong, 0);
	assert_int_equal(rig->early, 0);
}

static void
rig_end(struct rig *rig)
{
	tri_sched_quit(&rig->sched);
	rig_join(rig);
	rig_free(rig);
}

static struct rig *
rig_begin(unsigned workers, unsigned jobs)
{
	struct rig *rig = rig_new(workers, jobs);

	rig_start(rig);
	return rig;
}

static void
wait_for_ran(struct rig *rig, unsigned long n)
{
	for (unsigned i = 0; atomic_load(&rig->ran) < n; i++) {
		if (i < 100)
			sched_yield();
		else
			nap_ms(1);
	}
	assert_int_equal(rig->ran, n);
}

/* Read when the workers are joined. */
static void
expect_runs(struct rig *rig, unsigned runs)
{
	for (unsigned i = 0; i < rig->n; i++)
		assert_int_equal(rig->jobs[i].runs, runs);
}

/* ------------------------------------------------------ foreign threads -- */

struct giver {
	struct rig *rig;
	unsigned first; /* its jobs: this one and each FOREIGN-th */
};

static void *
giver_main(void *arg)
{
	struct giver *g = arg;
	struct rig *rig = g->rig;

	for (unsigned i = g->first; i < rig->n; i += FOREIGN) {
		struct job *job = &rig->jobs[i];

		if (job->home >= 0)
			tri_sched_push_home(&rig->sched, NULL,
			    (unsigned)job->home, word_of(job));
		else
			tri_sched_inject(&rig->sched, word_of(job));
		/* Let the workers fall asleep now and then. */
		if (i / FOREIGN % 1000 == 0)
			nap_ms(1);
		else if (i / FOREIGN % 50 == 0)
			sched_yield();
	}
	return NULL;
}

/* Give all jobs away and wait until each has run and gone on to its end. */
static void
give_all(struct rig *rig, unsigned long runs)
{
	struct giver g[FOREIGN];
	pthread_t thread[FOREIGN];

	for (unsigned i = 0; i < FOREIGN; i++) {
		g[i] = (struct giver){ rig, i };
		assert_int_equal(0,
		    pthread_create(&thread[i], NULL, giver_main, &g[i]));
	}
	for (unsigned i = 0; i < FOREIGN; i++)
		assert_int_equal(0, pthread_join(thread[i], NULL));
	wait_for_ran(rig, runs * rig->n);
}

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

/* Each job goes on in all ways in turn, pinned ones to the next home. */
static void
go_on(struct tri_worker *w, struct job *job)
{
	struct rig *rig = job->rig;
	unsigned left = job->left--;

	atomic_fetch_add(&rig->ran, 1);
	if (left == 0 || atomic_load(&rig->over))
		return;
	if (job->home >= 0) {
		job->home = (int)((unsigned)(job->home + 1) % w->sched->n);
		tri_sched_push_home(w->sched, w, (unsigned)job->home,
		    word_of(job));
	} else if (left % 3 == 0) {
		tri_sched_push(w, word_of(job));
	} else if (left % 3 == 1) {
		tri_sched_push_back(w, word_of(job));
	} else {
		tri_sched_inject(w->sched, word_of(job));
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

/* --------------------------------------------------------- idle and wake - */

static void
tell(struct tri_worker *w, struct job *job)
{
	(void)w;
	sem_post(&job->rig->told);
}

static void
wait_until_told(struct rig *rig)
{
	while (sem_wait(&rig->told) != 0)
		continue;
}

/* Some rounds follow at once, others find everybody asleep. */
static void
pause_before(unsigned round)
{
	struct timespec t = { .tv_nsec = (long)(round % 7) * 10000 };

	if (round % 3 == 1)
		sched_yield();
	else if (round % 3 == 2)
		nanosleep(&t, NULL);
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

/* ------------------------------------------------------------ the end ---- */

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

static void
idle_workers_give_memory_back_and_never_wake_up_again(void **unused)
{
	enum { RIGS = 3, N = 1000 };
	struct rig *rig[RIGS];
	uint64_t before[RIGS];

	(void)unused;
	for (unsigned i = 0; i < RIGS; i++) {
		rig[i] = rig_new(worker_counts[i], N);
		rig[i]->run = use_memory;
		rig_start(rig[i]);
		give_all(rig[i], 1);
	}
	/* It is given back after a second of idleness. */
	nap_ms(TRI_TRIM_NS / 1000000 + 500);
	for (unsigned i = 0; i < RIGS; i++)
		before[i] = activity(rig[i]);
	nap_ms(300);
	for (unsigned i = 0; i < RIGS; i++) {
		assert_int_equal(activity(rig[i]), before[i]);
		for (unsigned k = 0; k < rig[i]->sched.n; k++)
			assert_int_equal(atomic_load(
					     &tri_sched_worker(&rig[i]->sched,
						 k)
						  ->pool.bytes),
			    0);
		rig_end(rig[i]);
	}
}

static void
on_too_long(int signo)
{
	static const char text[] = "sched_park: hangs: a lost wake-up?\n";

	(void)signo;
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	abort();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_from_foreign_threads_all_run_once),
		cmocka_unit_test(words_pinned_to_a_home_run_there),
		cmocka_unit_test(
		    words_that_go_on_from_worker_to_worker_all_get_there),
		cmocka_unit_test(sleepers_wake_up_for_each_single_word),
		cmocka_unit_test(sleepers_wake_up_for_each_pinned_word),
		cmocka_unit_test(burst_of_one_worker_wakes_as_many_as_it_needs),
		cmocka_unit_test(word_behind_a_stuck_worker_is_taken_over),
		cmocka_unit_test(stuck_worker_does_not_keep_injected_words),
		cmocka_unit_test(timers_fire_on_idle_workers_and_never_early),
		cmocka_unit_test(quit_ends_all_workers_at_any_moment),
		cmocka_unit_test(quit_may_be_called_by_a_worker),
		cmocka_unit_test(attention_reaches_all_workers_even_asleep),
		cmocka_unit_test(
		    worker_that_cannot_be_started_ends_those_that_were),
		cmocka_unit_test(
		    idle_workers_give_memory_back_and_never_wake_up_again),
	};

	signal(SIGALRM, on_too_long);
	alarm(TOO_LONG_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
