/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blocking calls on the pool.
 *
 * An offload is a record with a job embedded.  The argument belongs to the
 * pool while it holds the record (POOL), then to the actor: done() gives it
 * back.  If the actor has ended meanwhile (ABANDONED) whoever comes last drops
 * the argument: the pool's thread when it finishes, or the actor's death when
 * the job is not with the pool any more.
 */
#include "actors/system.h"

/* ---------------------------------------------- on a thread of the pool - */

static void
job_run(struct tri_job *run)
{
	struct tri_record *r = tri_container_of(run, struct tri_record, run);

	struct tri_env *env = r->system->env;

	/* Its deadline may have passed while nobody looked. */
	if (r->node.deadline != INT64_MAX && env->now(env) >= r->node.deadline)
		r->outcome = TR_ETIMEDOUT;
	else
		r->outcome =
		    r->u.job->work(r->system, (void *)(uintptr_t)r->cookie);
}

static void
job_ended(struct tri_job *run)
{
	struct tri_record *r = tri_container_of(run, struct tri_record, run);
	const struct tr_job *job = r->u.job;
	void *arg = (void *)(uintptr_t)r->cookie;
	struct tr_system *sys = r->system;
	uint32_t holds = tri_load_acquire(&r->holds), want;

	do {
		want = (holds & ~(uint32_t)TRI_HOLD_POOL) | TRI_DONE;
		if ((holds & TRI_ABANDONED) == 0)
			want |= TRI_HOLD_SENT;
		/* rel: publishes the outcome; pairs with tri_job_outcome. */
	} while (!tri_cas_weak_acq_rel(&r->holds, &holds, want));
	if (holds & TRI_ABANDONED) {
		if (job->drop != NULL)
			job->drop(arg);
		if ((holds & TRI_GONE) != 0 && (want & TRI_HOLDS) == 0)
			tri_record_free_foreign(sys, r);
	} else if ((holds & TRI_HOLD_SENT) == 0) {
		tri_record_notify_foreign(sys, r);
	}
	/* Else its message is under way, and whoever takes it sees DONE. */
}

/* ------------------------------------------------------- in the turn ---- */

int
tr_offload_blocking(struct tr_self *self, const struct tr_job *job, void *arg,
    int64_t deadline, tr_ask_id *id)
{
	struct tri_crew *c = tri_crew_of(self);
	struct tr_system *sys = c->desk.sys;
	struct tri_record *r;
	int rc;

	if (job == NULL || job->work == NULL || job->done == NULL)
		return TR_EINVAL;
	if (c->turn.stopping)
		return TR_ESTOPPING;
	r = tri_record_new(c, TRI_RECORD_JOB);
	if (r == NULL)
		return TR_ENOMEM;
	r->u.job = job;
	r->cookie = (uintptr_t)arg;
	r->system = sys;
	r->run.run = job_run;
	r->run.finish = job_ended;
	tri_store_relaxed(&r->holds, (uint32_t)TRI_HOLD_POOL);
	r->node.deadline = deadline;
	if (deadline != INT64_MAX)
		tri_record_arm(c, r);
	if (id != NULL)
		*id = tri_record_id(r);
	rc = c->worker.env->jobs_submit(c->worker.env, sys->jobs, &r->run);
	if (rc == 0)
		return TR_OK;
	tri_fetch_and_acq_rel(&r->holds, ~(uint32_t)TRI_HOLD_POOL);
	tri_record_end(c, r);
	if (id != NULL)
		*id = 0;
	return rc;
}

static int
job_finish(struct tri_crew *c, struct tr_self *a, struct tri_record *r,
    int outcome)
{
	const struct tr_behavior *b = tri_load_relaxed(&a->behavior);
	const struct tr_job *job = r->u.job;
	void *arg = (void *)(uintptr_t)r->cookie;

	tri_record_end(c, r);
	return job->done(a, tri_actor_state(a, b), outcome, arg);
}

/*
 * The record's message came: the work is done, or its deadline has passed, or
 * it was cancelled.  If it turns out that the work is going on, the message
 * has to be free for the pool again before this turn ends.
 */
int
tri_job_outcome(struct tri_crew *c, struct tr_self *a, struct tri_record *r)
{
	struct tri_env *env = c->worker.env;
	/* acq: pairs with job_run. */
	uint32_t holds = tri_load_acquire(&r->holds);
	bool canceled =
	    (tri_load_relaxed(&r->ident) & TRI_RECORD_CANCELED) != 0;

	if (holds & TRI_GONE)
		return TR_OK;
	if ((holds & (TRI_DONE | TRI_HOLD_POOL)) == TRI_HOLD_POOL) {
		if (env->jobs_cancel(env, c->desk.sys->jobs, &r->run)) {
			tri_fetch_and_acq_rel(&r->holds,
			    ~(uint32_t)TRI_HOLD_POOL);
		} else {
			tri_turn_detach(c);
			holds = tri_load_acquire(&r->holds);
			while ((holds & TRI_DONE) == 0) {
				if (!tri_cas_acq_rel(&r->holds, &holds,
					holds & ~(uint32_t)TRI_HOLD_SENT))
					continue;
				c->turn.msg = NULL; /* not ours any more */
				return TR_OK;
			}
		}
		holds = tri_load_acquire(&r->holds);
	}
	if (holds & TRI_DONE)
		return job_finish(c, a, r, r->outcome);
	return job_finish(c, a, r, canceled ? TR_ECANCELED : TR_ETIMEDOUT);
}

/* The actor dies: see to it that somebody drops the argument. */
void
tri_job_abandon(struct tri_crew *c, struct tri_record *r)
{
	struct tri_env *env = c->worker.env;
	const struct tr_job *job = r->u.job;
	void *arg = (void *)(uintptr_t)r->cookie;
	uint32_t holds;

	if (env->jobs_cancel(env, c->desk.sys->jobs, &r->run))
		tri_fetch_and_acq_rel(&r->holds, ~(uint32_t)TRI_HOLD_POOL);
	/* acq_rel: either the pool's thread sees this, or we see its DONE. */
	holds = tri_fetch_or_acq_rel(&r->holds, TRI_ABANDONED);
	if ((holds & TRI_HOLD_POOL) == 0 && job->drop != NULL)
		job->drop(arg);
	tri_record_end(c, r);
}
