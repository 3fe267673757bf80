/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rig_park.h - real workers on the real environment that run jobs of a made-up
 * kind.
 *
 * A lost wake-up shows as a test that hangs; an alarm ends it with a message.
 * The main thread is a foreign one: it gives work and asserts.  A run ends
 * with rig_join(), which asks that no job ran where it must not and that no
 * timer fired early.
 */
#ifndef TESTS_RIG_PARK_H
#define TESTS_RIG_PARK_H

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

static inline tri_word
word_of(struct job *job)
{
	return tri_word_of(job, KIND);
}

static inline void
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

static inline struct tri_link *
job_link(void *ctx, void *object)
{
	(void)ctx;
	return &((struct job *)object)->link;
}

static inline void
on_fire(struct tri_worker *w, struct tri_timer_node *node)
{
	struct job *job = tri_container_of(node, struct job, timer);

	if (w->env->now(w->env) < node->deadline)
		atomic_fetch_add(&job->rig->early, 1);
	atomic_fetch_add(&job->rig->fired, 1);
}

static inline void
on_poll(struct tri_worker *w)
{
	(void)w;
}

static inline void
on_attend(struct tri_worker *w)
{
	struct rig *rig = tri_container_of(w->sched, struct rig, sched);

	atomic_fetch_add(&rig->attended, 1);
}

static inline struct rig *
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
	rig->kinds[KIND] =
	    (struct tri_kind){ .run = job_run, .link = job_link };
	assert_int_equal(0,
	    tri_sched_init(&rig->sched, rig->env,
		&(struct tri_sched_config){
		    .workers = workers,
		    .worker_size = sizeof(struct tri_worker),
		    .spin_ns = workers == 2 ? 20000 : 0,
		    .spin_most_ns = workers == 2 ? 80000 : 0,
		    .kinds = rig->kinds,
		    .hooks = { .fire = on_fire,
			.poll = on_poll,
			.attend = on_attend },
		    .pools = workers,
		}));
	return rig;
}

static inline void *
rig_main(void *arg)
{
	struct rig *rig = arg;

	rig->rc = tri_sched_run(&rig->sched);
	return NULL;
}

static inline void
rig_start(struct rig *rig)
{
	assert_int_equal(0, pthread_create(&rig->runner, NULL, rig_main, rig));
}

static inline void
nap_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static inline void
rig_free(struct rig *rig)
{
	tri_sched_fini(&rig->sched);
	rig->env->free(rig->env);
	sem_destroy(&rig->told);
	free(rig->jobs);
	free(rig);
}

/* Quit was called: wait for the end of all workers. */
static inline void
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

static inline void
rig_end(struct rig *rig)
{
	tri_sched_quit(&rig->sched);
	rig_join(rig);
	rig_free(rig);
}

static inline struct rig *
rig_begin(unsigned workers, unsigned jobs)
{
	struct rig *rig = rig_new(workers, jobs);

	rig_start(rig);
	return rig;
}

static inline void
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
static inline void
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

static inline void *
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
static inline void
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

/* Each job goes on in all ways in turn, pinned ones to the next home. */
static inline void
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

static inline void
wait_until_told(struct rig *rig)
{
	while (sem_wait(&rig->told) != 0)
		continue;
}

/* Some rounds follow at once, others find everybody asleep. */
static inline void
pause_before(unsigned round)
{
	struct timespec t = { .tv_nsec = (long)(round % 7) * 10000 };

	if (round % 3 == 1)
		sched_yield();
	else if (round % 3 == 2)
		nanosleep(&t, NULL);
}

/* ---------------------------------------------------------- alarm -------- */

static inline void
on_too_long(int signo)
{
	static const char text[] = "hangs: a lost wake-up?\n";

	(void)signo;
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	abort();
}

#endif /* TESTS_RIG_PARK_H */
