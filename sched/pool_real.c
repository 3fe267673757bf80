/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads for blocking calls.
 *
 * A bounded queue under a mutex and a condition variable: a blocking call
 * costs microseconds, the lock does not show.  Threads are started when work
 * waits and none is idle, and stay until the pool is freed: idle ones sleep.
 */
#include "sched/env.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

enum { JOB_THREADS_MAX = 256 };

struct tri_jobs {
	struct tri_env *env;
	pthread_mutex_t lock;
	pthread_cond_t some; /* waits, or closed */
	pthread_cond_t none; /* runs; by the monotonic clock */
	struct tri_job *first; /* all below: under the lock */
	struct tri_job *last;
	unsigned queued;
	unsigned queue_max;
	unsigned idle;
	unsigned running;
	unsigned threads;
	unsigned threads_max;
	bool closed;
	struct tri_thread *thread[JOB_THREADS_MAX];
};

static void
jobs_unlink(struct tri_jobs *jobs, struct tri_job *job)
{
	if (job->prev != NULL)
		job->prev->next = job->next;
	else
		jobs->first = job->next;
	if (job->next != NULL)
		job->next->prev = job->prev;
	else
		jobs->last = job->prev;
	job->queued = false;
	jobs->queued--;
}

static void
jobs_thread(void *arg)
{
	struct tri_jobs *jobs = arg;

	pthread_mutex_lock(&jobs->lock);
	while (!jobs->closed) {
		struct tri_job *job = jobs->first;

		if (job == NULL) {
			jobs->idle++;
			pthread_cond_wait(&jobs->some, &jobs->lock);
			jobs->idle--;
			continue;
		}
		jobs_unlink(jobs, job);
		jobs->running++;
		pthread_mutex_unlock(&jobs->lock);
		job->run(job);
		pthread_mutex_lock(&jobs->lock);
		if (--jobs->running == 0)
			pthread_cond_broadcast(&jobs->none);
		pthread_mutex_unlock(&jobs->lock);
		job->finish(job);
		pthread_mutex_lock(&jobs->lock);
	}
	pthread_mutex_unlock(&jobs->lock);
}

static struct tri_jobs *
jobs_new(struct tri_env *env, unsigned threads, unsigned queue)
{
	struct tri_jobs *jobs = tri_env_alloc(env, sizeof(*jobs));
	pthread_condattr_t attr;

	if (jobs == NULL)
		return NULL;
	memset(jobs, 0, sizeof(*jobs));
	TR_ASSERT(threads <= JOB_THREADS_MAX);
	jobs->env = env;
	jobs->threads_max = threads;
	jobs->queue_max = queue;
	pthread_mutex_init(&jobs->lock, NULL);
	pthread_cond_init(&jobs->some, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&jobs->none, &attr);
	pthread_condattr_destroy(&attr);
	return jobs;
}

/* Under the lock.  Enough threads for what waits, as far as allowed. */
static int
jobs_staff(struct tri_jobs *jobs)
{
	int rc;

	if (jobs->idle > jobs->queued || jobs->threads == jobs->threads_max)
		return 0;
	rc = jobs->env->thread_start(jobs->env, &jobs->thread[jobs->threads],
	    jobs_thread, jobs, "troupe-blocking", -1);
	if (rc == 0)
		jobs->threads++;
	return jobs->threads > 0 ? 0 : -ENOMEM;
}

static int
jobs_submit(struct tri_env *env, struct tri_jobs *jobs, struct tri_job *job)
{
	int rc;

	(void)env;
	pthread_mutex_lock(&jobs->lock);
	if (jobs->closed)
		rc = -ESHUTDOWN;
	else if (jobs->queued >=
	    jobs->queue_max + (jobs->threads_max - jobs->running))
		rc = -ENOBUFS; /* also with all threads there may be */
	else
		rc = jobs_staff(jobs);
	if (rc == 0) {
		job->prev = jobs->last;
		job->next = NULL;
		job->queued = true;
		if (jobs->last != NULL)
			jobs->last->next = job;
		else
			jobs->first = job;
		jobs->last = job;
		jobs->queued++;
		pthread_cond_signal(&jobs->some);
	}
	pthread_mutex_unlock(&jobs->lock);
	return rc;
}

static bool
jobs_cancel(struct tri_env *env, struct tri_jobs *jobs, struct tri_job *job)
{
	bool removed;

	(void)env;
	pthread_mutex_lock(&jobs->lock);
	removed = job->queued;
	if (removed)
		jobs_unlink(jobs, job);
	pthread_mutex_unlock(&jobs->lock);
	return removed;
}

static void
jobs_close(struct tri_env *env, struct tri_jobs *jobs)
{
	(void)env;
	pthread_mutex_lock(&jobs->lock);
	jobs->closed = true;
	while (jobs->first != NULL)
		jobs_unlink(jobs, jobs->first);
	pthread_cond_broadcast(&jobs->some);
	pthread_mutex_unlock(&jobs->lock);
}

static unsigned
jobs_wait(struct tri_env *env, struct tri_jobs *jobs, int64_t deadline)
{
	struct timespec at = {
		.tv_sec = deadline / 1000000000,
		.tv_nsec = deadline % 1000000000,
	};
	unsigned n;
	int rc = 0;

	pthread_mutex_lock(&jobs->lock);
	while (jobs->running > 0 && rc == 0 && deadline > env->now(env))
		rc = deadline == INT64_MAX ?
		    pthread_cond_wait(&jobs->none, &jobs->lock) :
		    pthread_cond_timedwait(&jobs->none, &jobs->lock, &at);
	n = jobs->running;
	pthread_mutex_unlock(&jobs->lock);
	return n;
}

static void
jobs_free(struct tri_env *env, struct tri_jobs *jobs)
{
	unsigned i;

	if (jobs == NULL)
		return;
	jobs_close(env, jobs);
	for (i = 0; i < jobs->threads; i++)
		env->thread_join(env, jobs->thread[i]);
	pthread_cond_destroy(&jobs->none);
	pthread_cond_destroy(&jobs->some);
	pthread_mutex_destroy(&jobs->lock);
	tri_env_free(env, jobs);
}

void
tri_jobs_ops(struct tri_env *env)
{
	env->jobs_new = jobs_new;
	env->jobs_submit = jobs_submit;
	env->jobs_cancel = jobs_cancel;
	env->jobs_close = jobs_close;
	env->jobs_wait = jobs_wait;
	env->jobs_free = jobs_free;
}
