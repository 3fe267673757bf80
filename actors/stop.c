/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ordered stop.
 *
 * From tr_system_stop() on every worker calls tri_stop_attend before each of
 * its steps; one of them at a time (a try-lock) does a slice of the work:
 *
 *   tell    every living actor gets a STOP mark, behind what it has; but
 *           supervisors tell their children
 *   kill    at the deadline, every one that is left
 *   end     when nobody lives; or when nobody has died for a while and some
 *           were in one and the same turn all that time, in handlers that do
 *           not return: they are reported
 *
 * Nobody is born meanwhile: tr_spawn refuses, and one that had not seen the
 * flag yet is found by the next sweep.
 */
#include "actors/system.h"

enum {
	SLICE = 1024, /* slots looked at per step */
	SWEEP_NS = 1000 * 1000, /* between two sweeps */
	GRACE_NS = 250 * 1000 * 1000, /* without any death after the kill, and
	                               * in one turn */
};

uint64_t
tri_system_alive(struct tr_system *sys)
{
	uint64_t ended, spawned;
	unsigned i;

	/*
	 * The deaths first: each was counted after its birth, so the
	 * difference is never too small.
	 * acq: pairs with tri_actor_die and spawn_launch.
	 */
	ended = tri_load_acquire(&sys->foreign.counts.ended);
	for (i = 0; i < sys->sched.n; i++)
		ended +=
		    tri_load_acquire(&tri_crew_at(sys, i)->desk.counts.ended);
	spawned = tri_load_acquire(&sys->foreign.counts.spawned);
	for (i = 0; i < sys->sched.n; i++)
		spawned +=
		    tri_load_acquire(&tri_crew_at(sys, i)->desk.counts.spawned);
	return spawned - ended;
}

int
tr_system_stop(struct tr_system *system, int64_t deadline)
{
	int64_t before = tri_load_relaxed(&system->stop_deadline);

	while (deadline < before &&
	    !tri_cas_weak_acq_rel(&system->stop_deadline, &before, deadline))
		;
	/* seq_cst: the deadline is there before anybody acts on the flag. */
	if (tri_exchange_seq_cst(&system->stopping, 1u) == 0)
		tri_sched_attend(&system->sched);
	return TR_OK;
}

/* One actor. */
static void
stop_tell(struct tri_crew *c, uint32_t slot)
{
	struct tr_system *sys = c->desk.sys;
	struct tr_self *a = tri_cell(sys, slot);
	uint64_t ident = tri_load_acquire(&a->ident);
	tr_ref ref = tri_ref_make(slot, (uint32_t)ident);

	if (tri_load_acquire(&a->inlet.head) == TRI_INLET_CLOSED)
		return;
	if (sys->stop_killed)
		tri_kill(c, ref);
	else if ((ident & TRI_IDENT_KEPT) != 0)
		return; /* its supervisor stops it, in its order */
	else if ((ident & TRI_IDENT_TOLD) == 0 &&
	    tri_cas_acq_rel(&a->ident, &ident, ident | TRI_IDENT_TOLD))
		tri_tell_end(c, ref, TRI_MSG_STOP);
	/* If somebody changed its flags: the next sweep. */
}

static void
stop_sweep(struct tri_crew *c)
{
	struct tr_system *sys = c->desk.sys;
	uint32_t limit = tri_load_acquire(&sys->actors.limit), n;
	int64_t now = c->worker.exact;

	if (sys->stop_at >= limit) {
		if (now < sys->stop_next_sweep)
			return;
		sys->stop_at = 0;
	}
	for (n = 0; n < SLICE && sys->stop_at < limit; n++)
		stop_tell(c, sys->stop_at++);
	/* Those killed once need no second message soon. */
	if (sys->stop_at >= limit)
		sys->stop_next_sweep =
		    now + (sys->stop_killed ? GRACE_NS / 2 : SWEEP_NS);
}

/*
 * Look which turn a worker is in.  The number is read before it is asked
 * whether it is in one: so what is seen may be a turn that is over, and the next
 * look then sees another one, but never an old number for a new turn.
 */
static void
stop_look(struct tri_crew *c, int64_t now)
{
	/* acq: not after the load below. */
	uint64_t turn = tri_load_acquire(&c->worker.counts.batches) + 1;

	if (tri_load_relaxed(&c->worker.running) == 0)
		turn = 0;
	if (turn != 0 && turn == c->stop_turn)
		return;
	c->stop_turn = turn;
	c->stop_since = now;
}

/* It is in a handler that may never return.  One that kills somebody with a long
 * mailbox is not: that takes many turns. */
static bool
stop_is_stuck(const struct tri_crew *c, int64_t now)
{
	return c->stop_turn != 0 && now - c->stop_since >= GRACE_NS;
}

/* How many are.  The caller's is in no turn. */
static unsigned
stop_look_all(struct tr_system *sys, int64_t now)
{
	unsigned i, n = 0;

	for (i = 0; i < sys->sched.n; i++) {
		struct tri_crew *c = tri_crew_at(sys, i);

		stop_look(c, now);
		n += stop_is_stuck(c, now);
	}
	return n;
}

/* Whose handler still runs, after all that. */
static void
stop_report_left(struct tr_system *sys, int64_t now)
{
	struct tr_stop_report *report = &sys->report;
	unsigned i, n = 0;

	for (i = 0; i < sys->sched.n && n < TR_LEFT_MAX; i++) {
		struct tri_crew *c = tri_crew_at(sys, i);
		tri_word word = tri_load_relaxed(&c->worker.running);
		const struct tr_behavior *b;
		const char *message;
		struct tr_self *a;

		if (!stop_is_stuck(c, now) || word == 0)
			continue;
		a = tri_word_object(word);
		b = tri_load_relaxed(&a->behavior);
		report->left_at[n].ref = tri_ref_make(tri_cell_slot(sys, a),
		    (uint32_t)tri_load_relaxed(&a->ident));
		report->left_at[n].behavior = tri_behavior_name(b);
		report->left_at[n].tag = tri_load_relaxed(&c->tag);
		message = tri_message_name(b, report->left_at[n].tag);
		report->left_at[n].running_ns =
		    now - tri_load_relaxed(&c->worker.running_since);
		tri_log(sys, TR_LOG_ERROR,
		    "stop: %s still runs, tag %u%s%s, for %lld ms",
		    report->left_at[n].behavior, report->left_at[n].tag,
		    message != NULL ? " " : "", message != NULL ? message : "",
		    (long long)(report->left_at[n].running_ns / 1000000));
		n++;
	}
}

/*
 * Nobody lives; or nobody has died for a while and so many handlers do not
 * return.  A worker that comes out of such a handler later still runs what waits
 * for it, as the others do before they end, and all of that has been killed.
 */
static void
stop_end(struct tr_system *sys, unsigned stuck, int64_t now)
{
	sys->report.left = stuck;
	if (stuck > 0)
		stop_report_left(sys, now);
	tri_sched_quit(&sys->sched);
}

/* With the lock. */
static void
stop_step(struct tri_crew *c)
{
	struct tr_system *sys = c->desk.sys;
	uint64_t alive = tri_system_alive(sys);
	unsigned stuck;
	int64_t now;

	if (alive == 0) {
		/*
		 * A foreign spawn looks at the flag and is counted under one
		 * hold of the lock: who had not seen the flag is counted now.
		 */
		tri_foreign_lock(sys);
		tri_foreign_unlock(sys);
		if (tri_system_alive(sys) == 0)
			stop_end(sys, 0, 0);
		return;
	}
	tri_worker_read_clock(&c->worker);
	now = c->worker.exact;
	if (!sys->stop_killed && now >= tri_load_acquire(&sys->stop_deadline)) {
		sys->stop_killed = true;
		sys->stop_at = 0;
		sys->stop_alive = 0;
	}
	if (alive != sys->stop_alive) {
		sys->stop_alive = alive;
		sys->stop_grace = now + GRACE_NS;
	}
	stuck = sys->stop_killed ? stop_look_all(sys, now) : 0;
	if (stuck > 0 && now >= sys->stop_grace) {
		stop_end(sys, stuck, now);
		return;
	}
	stop_sweep(c);
}

void
tri_stop_attend(struct tri_worker *w)
{
	struct tri_crew *c = (struct tri_crew *)(void *)w;
	struct tr_system *sys = c->desk.sys;

	if (!ck_spinlock_trylock(&sys->stop_lock))
		return;
	if (tri_load_acquire(&sys->sched.quit) == 0)
		stop_step(c);
	ck_spinlock_unlock(&sys->stop_lock);
}
