/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How actors end.
 *
 * Dying, always in this order, on the actor's worker: (1) the inlet is closed;
 * (2) what is queued becomes dead letters, asks among it are answered TR_EDEAD;
 * (3) stop(); (4) own asks, timers and duties end; (5) names are removed;
 * (6) the slot's generation goes up and it is free.
 */
#include "actors/system.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ------------------------------------------------- ending oneself ------- */

int
tr_exit(struct tr_self *self, int reason)
{
	struct tri_crew *c = tri_crew_of(self);

	if (c->turn.ended)
		return TR_OK; /* the first reason counts */
	c->turn.ended = true;
	c->turn.reason = (struct tr_reason){ .code = reason };
	return TR_OK;
}

int
tr_fail(struct tr_self *self, int code, const char *format, ...)
{
	struct tri_crew *c = tri_crew_of(self);
	va_list ap;

	if (code == TR_OK)
		code = TR_EINVAL;
	if (c->turn.stopping)
		return code;
	c->turn.ended = true;
	c->turn.failed = true;
	c->turn.reason.code = code;
	va_start(ap, format);
	vsnprintf(c->turn.reason.text, sizeof(c->turn.reason.text), format, ap);
	va_end(ap);
	return code;
}

/* A handler returned something else than TR_OK. */
void
tri_turn_fail(struct tri_crew *c, int code)
{
	if (c->turn.failed)
		return; /* it called tr_fail, and that says more */
	c->turn.ended = true;
	c->turn.failed = true;
	c->turn.reason = (struct tr_reason){ .code = code };
}

/* ----------------------------------------------------- ending others ---- */

/* Set a flag of an actor, if it is still that one. */
static bool
ident_set(struct tr_system *sys, tr_ref actor, uint64_t flag)
{
	struct tr_self *a = tri_cell_find(sys, actor);
	uint64_t ident;

	if (a == NULL)
		return false;
	ident = tri_load_relaxed(&a->ident);
	do {
		if ((uint32_t)ident != tri_ref_generation(actor))
			return false;
	} while (!tri_cas_weak_acq_rel(&a->ident, &ident, ident | flag));
	return true;
}

void
tri_kill(struct tri_crew *c, tr_ref actor)
{
	/* The flag overtakes what is queued, the message wakes the actor. */
	if (ident_set(c->desk.sys, actor, TRI_IDENT_KILL))
		tri_tell_end(c, actor, TRI_MSG_KILL);
}

int
tr_kill(struct tr_self *self, tr_ref actor)
{
	tri_kill(tri_crew_of(self), actor);
	return TR_OK;
}

void
tri_life_deadline(struct tri_crew *c, struct tri_record *r)
{
	tri_kill(c, (tr_ref){ r->u.asker });
	tri_record_free(c, r);
}

int
tr_stop(struct tr_self *self, tr_ref actor, int64_t deadline)
{
	struct tri_crew *c = tri_crew_of(self);
	struct tri_record *r;
	int rc = TR_OK;

	if (deadline != INT64_MAX) {
		r = tri_record_new_free(c, TRI_RECORD_DEADLINE);
		if (r != NULL) {
			r->u.asker = actor.bits;
			r->node.deadline = deadline;
			tri_record_arm(c, r);
		} else {
			rc = TR_ENOMEM;
		}
	}
	tri_tell_end(c, actor, TRI_MSG_STOP);
	return rc;
}

/* -------------------------------------------------------------- dying --- */

/* Everything queued; true if its first message, start, was among it. */
static bool
die_drain(struct tri_crew *c, struct tr_msg *m)
{
	bool unstarted = false;

	while (m != NULL) {
		struct tr_msg *next = m->link;

		if (m->kind == TRI_MSG_START && !(m->flags & TRI_MSG_STALE))
			unstarted = true;
		if (m->kind > TRI_MSG_TICK)
			tri_msg_dispose(c, m, TR_EDEAD);
		else if (m->flags & TRI_MSG_STALE)
			tri_msg_dead(c, TR_REF_NONE, m, TR_DEAD_NO_ACTOR,
			    TR_EDEAD);
		else
			tri_msg_dead(c, c->turn.ref, m, TR_DEAD_CLOSED,
			    TR_EDEAD);
		m = next;
	}
	return unstarted;
}

/* The message in hand; true if it was start, and start did not succeed. */
static bool
die_drop_in_hand(struct tri_crew *c)
{
	struct tr_msg *m = c->turn.msg;
	bool unstarted;

	if (m == NULL)
		return false;
	c->turn.msg = NULL;
	unstarted =
	    m->kind == TRI_MSG_START && (!c->turn.ran || c->turn.failed);
	if (m->kind > TRI_MSG_TICK)
		tri_msg_dispose(c, m, TR_EDEAD);
	else if (c->turn.failed)
		tri_msg_dead(c, c->turn.ref, m, TR_DEAD_FAILED, TR_EDEAD);
	else if (!c->turn.ran)
		tri_msg_dead(c, c->turn.ref, m, TR_DEAD_CLOSED, TR_EDEAD);
	else
		tri_msg_dispose(c, m, c->turn.unanswered);
	return unstarted;
}

static void
die_end_records(struct tri_crew *c, struct tr_self *a)
{
	struct tri_cold *cold = tri_cold(c->desk.sys, a);
	struct tri_record *r;

	while ((r = cold->records) != NULL) {
		switch ((enum tri_record_kind)r->kind) {
		case TRI_RECORD_DUTY: tri_duty_end(c, r, TR_EDEAD); break;
		case TRI_RECORD_JOB: tri_job_abandon(c, r); break;
		case TRI_RECORD_TIMER:
		case TRI_RECORD_ASK:
		case TRI_RECORD_DEADLINE: tri_record_end(c, r); break;
		}
	}
}

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
	tri_store_release(&a->ident, (uint64_t)generation + 1);
	tri_table_put(&c->desk.sys->actors, &c->desk.slots, slot);
}

void
tri_actor_die(struct tri_crew *c, struct tr_self *a)
{
	const struct tr_behavior *b = tri_load_relaxed(&a->behavior);
	struct tr_reason why = c->turn.reason;
	struct tr_msg *queued;
	bool unstarted;
	uint32_t n;

	queued = tri_inlet_close_owner(&a->inlet,
	    tri_ref_generation(c->turn.ref), &n);
	if (c->turn.in_place) {
		/* The message in hand was still reachable: the oldest. */
		TR_ASSERT(queued == c->turn.msg);
		queued = queued->link;
		c->turn.in_place = false;
	}
	unstarted = die_drop_in_hand(c);
	unstarted |= die_drain(c, a->pending);
	unstarted |= die_drain(c, queued);
	a->pending = NULL;
	c->turn.stopping = true;
	if (!unstarted && b->stop != NULL)
		b->stop(a, tri_actor_state(a, b), &why);
	if (tri_load_relaxed(&a->ident) & TRI_IDENT_COLD) {
		die_end_records(c, a);
		tri_names_remove(&c->desk, a);
	}
	tri_state_free(&c->desk, a, b);
	die_tell(c, b, &why);
	c->turn.stopping = false;
	c->turn.ended = false;
	c->turn.failed = false;
	c->turn.unanswered = TR_ENOREPLY;
	c->turn.cell = NULL;
	die_free_slot(c, a);
	/* rel: pairs with the acq in tri_system_alive. */
	tri_store_release(&c->desk.counts.ended,
	    tri_load_relaxed(&c->desk.counts.ended) + 1);
}
