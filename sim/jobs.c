/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The simulated pool for blocking calls.  A call takes a drawn time; what it
 * does is done for real, at its end and in no time.  Its begin and its end are
 * steps of the engine's.
 */
#include "sim/sim.h"

#include <errno.h>
#include <string.h>

enum {
	JOB_NS = 200000,
	JOB_LATE_NS = 80000000,
};

static struct tri_jobs *
jobs_env_new(struct tri_env *env, unsigned threads, unsigned queue)
{
	struct tr_sim *sim = sim_of_env(env);
	struct tri_jobs *jobs = sim->env.memory.alloc(sim, sizeof(*jobs));

	if (jobs == NULL)
		return NULL;
	memset(jobs, 0, sizeof(*jobs));
	jobs->sim = sim;
	jobs->threads = threads < SIM_RUNNING ? threads : SIM_RUNNING;
	jobs->limit = queue;
	sim->jobs = jobs;
	return jobs;
}

static int
jobs_env_submit(struct tri_env *env, struct tri_jobs *jobs, struct tri_job *job)
{
	if (jobs->closed)
		return -ESHUTDOWN;
	if (jobs->queued >= jobs->limit ||
	    sim_strikes(sim_of_env(env), TR_FAULT_JOBS, "job pool full"))
		return -ENOBUFS;
	job->next = NULL;
	job->prev = jobs->last;
	if (jobs->last != NULL)
		jobs->last->next = job;
	else
		jobs->first = job;
	jobs->last = job;
	job->queued = true;
	jobs->queued++;
	return 0;
}

static bool
jobs_env_cancel(struct tri_env *env, struct tri_jobs *jobs, struct tri_job *job)
{
	(void)env;
	if (!job->queued)
		return false;
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
	return true;
}

static void
jobs_begin(struct tri_jobs *jobs)
{
	struct tr_sim *sim = jobs->sim;
	struct tri_job *job = jobs->first;
	bool late = sim_strikes(sim, TR_FAULT_JOBS, "job late");
	int64_t takes = (int64_t)sim_below(sim, late ? JOB_LATE_NS : JOB_NS);

	(void)jobs_env_cancel(&sim->env, jobs, job);
	sim_trace(sim, "pool: a call begins");
	jobs->run[jobs->running++] =
	    (struct sim_running){ job, sim->now + takes };
}

/* How many are over. */
static unsigned
jobs_due(const struct tri_jobs *jobs)
{
	unsigned i, due = 0;

	for (i = 0; i < jobs->running; i++)
		due += jobs->run[i].done_at <= jobs->sim->now;
	return due;
}

/* The n-th of those that are over. */
static void
jobs_end(struct tri_jobs *jobs, unsigned n)
{
	struct tri_job *job;
	unsigned i = 0;

	while (jobs->run[i].done_at > jobs->sim->now || n-- > 0)
		i++;
	job = jobs->run[i].job;
	jobs->run[i] = jobs->run[--jobs->running];
	sim_trace(jobs->sim, "pool: a call ends");
	job->run(job);
	job->finish(job);
}

static bool
jobs_can_begin(const struct tri_jobs *jobs)
{
	return jobs->first != NULL && jobs->running < jobs->threads;
}

bool
sim_jobs_can(const struct tr_sim *sim)
{
	const struct tri_jobs *jobs = sim->jobs;

	return jobs != NULL && (jobs_can_begin(jobs) || jobs_due(jobs) > 0);
}

void
sim_jobs_step(struct tr_sim *sim)
{
	struct tri_jobs *jobs = sim->jobs;
	unsigned due = jobs_due(jobs);

	if (due == 0 || (jobs_can_begin(jobs) && sim_below(sim, 2) == 0))
		jobs_begin(jobs);
	else
		jobs_end(jobs, (unsigned)sim_below(sim, due));
}

int64_t
sim_jobs_next(const struct tr_sim *sim)
{
	const struct tri_jobs *jobs = sim->jobs;
	int64_t at = INT64_MAX;
	unsigned i;

	for (i = 0; jobs != NULL && i < jobs->running; i++)
		if (jobs->run[i].done_at < at)
			at = jobs->run[i].done_at;
	return at;
}

static void
jobs_env_close(struct tri_env *env, struct tri_jobs *jobs)
{
	jobs->closed = true;
	while (jobs->first != NULL)
		(void)jobs_env_cancel(env, jobs, jobs->first);
}

static unsigned
jobs_env_wait(struct tri_env *env, struct tri_jobs *jobs, int64_t deadline)
{
	struct tr_sim *sim = sim_of_env(env);

	while (jobs->running > 0) {
		int64_t at = sim_jobs_next(sim);

		if (at > deadline)
			break;
		if (at > sim->now)
			sim->now = at;
		jobs_end(jobs, 0);
	}
	return jobs->running;
}

static void
jobs_env_free(struct tri_env *env, struct tri_jobs *jobs)
{
	struct tr_sim *sim = sim_of_env(env);

	if (jobs == NULL)
		return;
	sim->jobs = NULL;
	sim->env.memory.free(sim, jobs);
}

void
sim_jobs_init(struct tr_sim *sim)
{
	struct tri_env *env = &sim->env;

	env->jobs_new = jobs_env_new;
	env->jobs_submit = jobs_env_submit;
	env->jobs_cancel = jobs_env_cancel;
	env->jobs_close = jobs_env_close;
	env->jobs_wait = jobs_env_wait;
	env->jobs_free = jobs_env_free;
}
