/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How actors end.
 *
 * Always in this order, on the actor's worker: (1) the inlet is closed; (2)
 * what is queued becomes dead letters, asks among it are answered TR_EDEAD;
 * (3) stop(); (4) own asks, timers, monitors and duties end; (5) names and
 * groups are removed; (6) DOWNs and EXITs go out; (7) the slot's generation goes up and
 * it is free.
 *
 * When its supervisor will start it again only a life ends: (3), (4) and (6).
 * Then it is HELD, with what is queued, and its supervisor's (keep.h), who
 * starts it or lets it go: the rest of the above.
 *
 * In slices: after so many dead letters and ended entries others have their
 * turn, and the rest is done in the actor's next ones.  Its inlet is CLOSED by
 * then, so nobody else schedules it.  Most actors have little to clear away
 * and end in one turn, without touching their cold part.
 */
#include "actors/burst.h"
#include "actors/keep.h"

enum { SLICE = 256 };

/* ------------------------------------------------- (2) what is queued --- */

/* An actor that will live again is not gone for those who want to know of its
 * end: they hear of this one.  And what it has undone is at an end for its next
 * life, too.  true: the message is not its own any more. */
static bool
die_binds(struct tri_crew *c, struct tr_msg *m)
{
	if ((m->flags & TRI_MSG_STALE) != 0)
		return false;
	if (m->kind == TRI_MSG_MONITOR) {
		tri_monitor_asked(c, c->turn.cell, m);
		return true;
	}
	if (m->kind == TRI_MSG_LINK) {
		tri_link_asked(c, c->turn.cell, m);
		return true;
	}
	if (m->kind == TRI_MSG_UNLINKED)
		tri_unlink_done(c, m);
	return false;
}

static void
die_dead_letter(struct tri_crew *c, struct tri_dying *d, struct tr_msg *m)
{
	if (m->flags & (TRI_MSG_BOUNDED | TRI_MSG_TRACED))
		tri_push_undo(c->desk.sys, c->turn.cell, m, false);
	if (m->kind == TRI_MSG_START && !(m->flags & TRI_MSG_STALE))
		d->unstarted = true;
	if (d->holds && die_binds(c, m))
		return;
	if (m->kind > TRI_MSG_COUNTED)
		tri_msg_dispose(c, m, TR_EDEAD);
	else if (m->flags & TRI_MSG_STALE)
		tri_msg_dead(c, TR_REF_NONE, m, TR_DEAD_NO_ACTOR, TR_EDEAD);
	else
		tri_msg_dead(c, c->turn.ref, m, TR_DEAD_CLOSED, TR_EDEAD);
}

/* The queue begins with a burst: *m is its next message, or NULL.  false: there is
 * one, but no memory for it now. */
static bool
die_unfold_burst(struct tri_crew *c, struct tr_msg **queue, struct tr_msg **m)
{
	struct tr_msg *spare = NULL;
	bool small;

	*m = tri_burst_next(c, tri_burst_of(*queue), &spare, &small);
	return *m != NULL || tri_burst_leave(c, c->turn.cell, queue, false);
}

/* The same for a pack. */
static bool
die_unfold_pack(struct tri_crew *c, struct tr_msg **queue, struct tr_msg **m)
{
	struct tri_pack *p = tri_pack_of(*queue);

	*m = NULL;
	if (!tri_pack_has_any(p)) {
		tri_pack_leave(p, queue, c->desk.pool);
		return true;
	}
	*m = tri_pool_alloc(c->desk.pool, TRI_CLASS_SMALL);
	if (*m != NULL)
		tri_pack_take(p, *m);
	return *m != NULL;
}

/* false: not all of it. */
static bool
die_drain(struct tri_crew *c, struct tri_dying *d, struct tr_msg **queue,
    unsigned *left)
{
	struct tr_msg *m;

	while ((m = *queue) != NULL) {
		if (*left == 0)
			return false;
		--*left;
		if (TRI_UNLIKELY(m->kind == TRI_MSG_BURST)) {
			if (!die_unfold_burst(c, queue, &m))
				return false;
		} else if (TRI_UNLIKELY(m->kind == TRI_MSG_PACK)) {
			if (!die_unfold_pack(c, queue, &m))
				return false;
		} else {
			*queue = m->link;
			tri_inlet_fetch_ahead(m);
		}
		if (m != NULL)
			die_dead_letter(c, d, m);
	}
	return true;
}

/* As die_drain(). */
static bool
die_drain_stash(struct tri_crew *c, struct tri_dying *d, struct tri_cold *cold,
    unsigned *left)
{
	for (; cold->stash_oldest != NULL; --*left) {
		if (*left == 0)
			return false;
		die_dead_letter(c, d, tri_stash_take(cold));
	}
	return true;
}

/* The message in hand: its handling has ended the actor.  If it was killed
 * before it came to that, the message is as good as queued. */
static void
die_drop_in_hand(struct tri_crew *c, struct tr_self *a, struct tri_dying *d)
{
	struct tr_msg *m = c->turn.msg;

	c->turn.msg = NULL;
	if (m == NULL)
		return;
	if (m->kind == TRI_MSG_START && (!c->turn.ran || c->turn.failed))
		d->unstarted = true;
	else if (!c->turn.ran) {
		m->link = a->pending;
		a->pending = m;
		tri_store_relaxed(&a->taken, tri_load_relaxed(&a->taken) + 1);
		return;
	}
	if (m->kind > TRI_MSG_COUNTED)
		tri_msg_dispose(c, m, TR_EDEAD);
	else if (c->turn.failed)
		tri_msg_dead(c, c->turn.ref, m, TR_DEAD_FAILED, TR_EDEAD);
	else
		tri_msg_dispose(c, m, c->turn.unanswered);
}

/* ---------------------------------------- (4) what it waits for, owes --- */

static bool
die_end_records(struct tri_crew *c, struct tr_self *a, unsigned *left)
{
	struct tri_cold *cold = tri_cold(c->desk.sys, a);
	struct tri_record *r;

	while ((r = cold->records) != NULL) {
		if (*left == 0)
			return false;
		--*left;
		switch ((enum tri_record_kind)r->kind) {
		case TRI_RECORD_DUTY: tri_duty_end(c, r, TR_EDEAD); break;
		case TRI_RECORD_JOB: tri_job_abandon(c, r); break;
		case TRI_RECORD_KEEP: tri_keep_abandon(c, r); break;
		case TRI_RECORD_ASK:
			tri_seen(c->desk.sys, TRI_EVENT_ASK_LEFT, c->turn.ref,
			    NULL, tri_record_id(r), 0);
			tri_record_end(c, r);
			break;
		case TRI_RECORD_MONITOR: tri_monitor_end(c, r); break;
		case TRI_RECORD_LINK: /* has a list of its own */
		case TRI_RECORD_TIMER:
		case TRI_RECORD_DEADLINE: tri_record_end(c, r); break;
		}
	}
	cold->traps_stop = false;
	return true;
}

/* ------------------------------------------------------- (7) its end ---- */

static bool
reason_is_failure(const struct tr_reason *why)
{
	return why->code != TR_NORMAL && why->code != TR_SHUTDOWN &&
	    why->code != TR_KILLED;
}

static void
die_tell(struct tri_crew *c, const struct tr_behavior *b,
    const struct tr_reason *why)
{
	struct tr_system *sys = c->desk.sys;

	if (why->code == TR_KILLED && tri_load_relaxed(&sys->stopping) != 0)
		tri_count(&c->desk.counts.killed, (uint64_t)1);
	if (reason_is_failure(why)) {
		tri_count(&c->desk.counts.failed, (uint64_t)1);
		tri_log(sys, TR_LOG_ERROR,
		    "actor %s (%08x.%u) failed: %d %s%s%s",
		    b->name != NULL ? b->name : "actor",
		    tri_ref_generation(c->turn.ref),
		    (unsigned)tri_ref_slot(c->turn.ref), why->code,
		    tr_strerror(why->code), why->text[0] != '\0' ? ": " : "",
		    why->text);
	}
	if (tr_ref_equal(c->turn.ref, sys->root)) {
		sys->root_reason = *why;
		/* rel: publishes the reason; pairs with tr_run. */
		tri_store_release(&sys->root_done, 1u);
		(void)tr_system_stop(sys,
		    tri_time_after(sys->env->now(sys->env),
			sys->options.stop_ns));
	}
}

/* The slot is free, for its next generation. */
static void
die_free_slot(struct tri_crew *c, struct tr_self *a)
{
	uint32_t generation = tri_ref_generation(c->turn.ref);
	uint32_t slot = tri_cell_slot(c->desk.sys, a);

	/* rel: the cell is as its next actor finds it. */
	if ((generation & TRI_COUNT_MASK) == TRI_COUNT_MASK) {
		/* The count would wrap: the slot is retired.  Generation 0 of
		 * its system number is never given out. */
		tri_store_release(&a->ident,
		    (uint64_t)(generation & ~(uint32_t)TRI_COUNT_MASK));
		return;
	}
	tri_store_release(&a->ident,
	    ((uint64_t)generation + 1) | TRI_IDENT_FREE);
	tri_table_put(&c->desk.sys->actors, &c->desk.slots, slot);
}

static void
die_free(struct tri_crew *c, struct tr_self *a)
{
	tri_state_free(&c->desk, a, tri_load_relaxed(&a->behavior));
	c->turn.cell = NULL;
	die_free_slot(c, a);
	/* rel: pairs with the acq in tri_system_alive. */
	tri_store_release(&c->desk.counts.ended,
	    tri_load_relaxed(&c->desk.counts.ended) + 1);
}

static void
die_finish(struct tri_crew *c, struct tr_self *a, struct tri_dying *d)
{
	if ((tri_load_relaxed(&a->ident) & TRI_IDENT_KEPT) != 0)
		(void)tri_keep_tell_end(c, a,
		    TRI_KEEP_ENDED | (d->ignored ? TRI_KEEP_IGNORED : 0u),
		    &d->why);
	tri_seen(c->desk.sys, TRI_EVENT_ENDED, c->turn.ref, NULL, 0,
	    d->why.code);
	if (!d->told)
		die_tell(c, tri_load_relaxed(&a->behavior), &d->why);
	die_free(c, a);
}

/* A life has ended: now the actor is its supervisor's. */
static void
die_hold(struct tri_crew *c, struct tr_self *a, const struct tri_dying *d)
{
	struct tri_cold *cold = tri_cold(c->desk.sys, a);
	struct tr_reason why = d->why;

	die_tell(c, tri_load_relaxed(&a->behavior), &why);
	cold->dying = (struct tri_dying){ .why = why };
	tri_fetch_and_acq_rel(&a->ident, ~TRI_IDENT_DYING);
	tri_fetch_or_acq_rel(&a->ident, TRI_IDENT_HELD);
	c->turn.cell = NULL;
	tri_inlet_hold_owner(tri_inlet_of(c->desk.sys, a));
	if (!tri_keep_tell_end(c, a, TRI_KEEP_HELD, &why))
		tri_actor_let_go(c, a);
}

/* --------------------------------------------------------- in slices ---- */

/* (2); false: there is more to do. */
static bool
die_clear(struct tri_crew *c, struct tr_self *a, struct tri_dying *d, bool cold,
    unsigned *left)
{
	if (!d->holds || d->drops) {
		if (!die_drain(c, d, &a->pending, left))
			return false;
		tri_store_relaxed(&a->taken, 0u);
		if (!die_drain(c, d, &d->queued, left))
			return false;
	}
	if (!cold)
		return true;
	return die_drain_stash(c, d, tri_cold(c->desk.sys, a), left);
}

/* (3) */
static void
die_stop(struct tri_crew *c, struct tr_self *a, struct tri_dying *d)
{
	const struct tr_behavior *b = tri_load_relaxed(&a->behavior);

	d->stopped = true;
	c->turn.stopping = true;
	tri_seen(c->desk.sys, TRI_EVENT_STOPPING, c->turn.ref, NULL,
	    !d->unstarted, d->why.code);
	if (!d->unstarted && b->stop != NULL)
		b->stop(a, tri_actor_state(a, b), &d->why);
	c->turn.stopping = false;
}

static bool
actor_is_cold(const struct tr_self *a)
{
	return (tri_load_relaxed(&a->ident) & TRI_IDENT_COLD) != 0;
}

/* false: there is more to do. */
static bool
die_work(struct tri_crew *c, struct tr_self *a, struct tri_dying *d)
{
	unsigned left = SLICE;

	if (!die_clear(c, a, d, actor_is_cold(a), &left))
		return false;
	if (!d->stopped)
		die_stop(c, a, d);
	if (actor_is_cold(a)) {
		if (!die_end_records(c, a, &left))
			return false;
		if (!d->holds) {
			tri_names_remove(&c->desk, a);
			tri_groups_remove(&c->desk, a);
		}
		if (!tri_monitors_tell(c, a, &d->why, &left) ||
		    !tri_links_tell(c, a, &d->why, d->holds, &left))
			return false;
	}
	if (d->holds)
		die_hold(c, a, d);
	else
		die_finish(c, a, d);
	return true;
}

/* What waits in bursts is queued, before what is in the inlet. */
static void
die_unpark(struct tri_crew *c, struct tr_self *a)
{
	if (TRI_UNLIKELY(tri_load_relaxed(&a->inlet.head) == TRI_INLET_APART))
		(void)tri_burst_unpark(tri_aside(c->desk.sys, a), &a->pending);
}

/* (1): nothing more comes in; returns what is queued. */
static struct tr_msg *
die_close(struct tri_crew *c, struct tr_self *a)
{
	uint32_t n;
	struct tr_msg *queued;

	die_unpark(c, a);
	queued = tri_apart_close_owner(&a->inlet, tri_apart(c->desk.sys, a),
	    tri_ref_generation(c->turn.ref), &n);
	if (!c->turn.in_place)
		return queued;
	/* The message in hand was still reachable: the oldest. */
	TR_ASSERT(queued == c->turn.msg);
	c->turn.in_place = false;
	return queued->link;
}

/* Instead of (1): what comes in waits for the next life, and so does, unless
 * the supervisor wants it otherwise, what is there. */
static void
die_keep_open(struct tri_crew *c, struct tr_self *a, struct tri_dying *d)
{
	struct tri_inlet *in = tri_inlet_of(c->desk.sys, a);
	uint32_t n;

	tri_turn_detach(c);
	d->drops = tri_keep_drops_mailbox(c, a);
	if (d->drops)
		die_unpark(c, a);
	if (d->drops && tri_inlet_is_msg(tri_inlet_look_owner(in)))
		d->queued = tri_inlet_take_owner(in,
		    tri_ref_generation(c->turn.ref), &n);
}

/* What is in the turn because an actor ends. */
static void
die_reset_turn(struct tri_crew *c)
{
	c->turn.ended = false;
	c->turn.failed = false;
	c->turn.unanswered = TR_ENOREPLY;
}

/* `closed`: (1) is done. */
static void
die_in_steps(struct tri_crew *c, struct tr_self *a, bool closed,
    struct tr_msg *queued)
{
	struct tri_dying d = { .why = c->turn.reason, .queued = queued };

	if (c->turn.msg != NULL && c->turn.msg->kind == TRI_MSG_START &&
	    c->turn.failed && d.why.code == TR_IGNORE) {
		d.ignored = true;
		d.why = (struct tr_reason){ .code = TR_NORMAL };
	}
	d.holds = (tri_load_relaxed(&a->ident) & TRI_IDENT_KEPT) != 0 &&
	    !d.ignored && tri_keep_holds(c, a, &d.why);
	if (d.holds)
		die_keep_open(c, a, &d);
	else if (!closed)
		d.queued = die_close(c, a);
	die_drop_in_hand(c, a, &d);
	die_reset_turn(c);
	if (die_work(c, a, &d))
		return;
	tri_cold(c->desk.sys, a)->dying = d;
	tri_fetch_or_acq_rel(&a->ident, TRI_IDENT_DYING);
	tri_actor_requeue(c, a);
}

/* Whether all it takes is (1) and (7), unless something is queued. */
static bool
die_is_simple(const struct tri_crew *c, const struct tr_self *a)
{
	uint64_t flags = tri_load_relaxed(&a->ident) >>
	    (TRI_IDENT_HOME_SHIFT + TRI_IDENT_HOME_BITS);
	const struct tr_behavior *b = tri_load_relaxed(&a->behavior);

	return flags == 0 && a->pending == NULL && b->stop == NULL &&
	    tri_load_relaxed(&a->inlet.head) != TRI_INLET_APART &&
	    c->turn.ran && !c->turn.failed &&
	    (c->turn.reason.code == TR_NORMAL ||
		c->turn.reason.code == TR_SHUTDOWN) &&
	    !tr_ref_equal(c->turn.ref, c->desk.sys->root);
}

/* (7) for one of those: nothing else is left. */
static void
die_simply(struct tri_crew *c, struct tr_self *a)
{
	struct tr_msg *m = c->turn.msg;

	c->turn.msg = NULL;
	if (m != NULL)
		tri_msg_dispose(c, m,
		    m->kind > TRI_MSG_COUNTED ? TR_EDEAD : c->turn.unanswered);
	die_reset_turn(c);
	die_free(c, a);
}

void
tri_actor_die(struct tri_crew *c, struct tr_self *a)
{
	bool simple = die_is_simple(c, a);
	struct tr_msg *queued = simple ? die_close(c, a) : NULL;

	if (TRI_LIKELY(simple && queued == NULL))
		die_simply(c, a);
	else
		die_in_steps(c, a, simple, queued);
}

void
tri_actor_die_on(struct tri_crew *c, struct tr_self *a)
{
	if (!die_work(c, a, &tri_cold(c->desk.sys, a)->dying))
		tri_actor_requeue(c, a);
}

void
tri_actor_let_go(struct tri_crew *c, struct tr_self *a)
{
	struct tri_dying *d = &tri_cold(c->desk.sys, a)->dying;
	uint32_t n;

	die_unpark(c, a);
	*d = (struct tri_dying){
		.why = d->why,
		.stopped = true,
		.told = true,
		.queued =
		    tri_apart_close_owner(&a->inlet, tri_apart(c->desk.sys, a),
			(uint32_t)tri_load_relaxed(&a->ident), &n),
	};
	tri_fetch_and_acq_rel(&a->ident, ~TRI_IDENT_HELD);
	tri_fetch_or_acq_rel(&a->ident, TRI_IDENT_DYING);
	tri_schedule(c->desk.sys, &c->worker, a);
}
