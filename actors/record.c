/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records: see record.h for what they are.
 *
 * WHO CHANGES `holds`.  A record that is at most armed, on the worker that runs
 * its owner, is seen by that worker's thread only, so it is freed without any
 * read-modify-write: that is the hot path of an ask with a deadline.  An owner
 * that has moved finds its record armed elsewhere, or its message in a mailbox
 * or in another worker's hand; then all concerned use read-modify-writes.
 *
 * Letting go of a record that is armed elsewhere: GONE and OP are set in one
 * CAS, then the record goes onto the home worker's stack; the home disarms it
 * at its next poll.  If the timer fires first, the home sees GONE and leaves
 * the freeing to whoever handles OP.
 */
#include "actors/system.h"

#include <string.h>

static struct tri_crew *
record_home(struct tri_crew *c, const struct tri_record *r)
{
	return (struct tri_crew *)(void *)tri_sched_worker(c->worker.sched,
	    r->home);
}

/* ------------------------------------------------------- make and free -- */

struct tri_record *
tri_record_new_free(struct tri_crew *c, enum tri_record_kind kind)
{
	struct tr_system *sys = c->desk.sys;
	struct tri_record *r;
	uint32_t index;
	uint64_t generation;

	if (!tri_table_get(&sys->records, &c->desk.records, &index))
		return NULL;
	r = tri_record_at(sys, index);
	generation = tri_load_relaxed(&r->ident) & TRI_IDENT_GENERATION;
	if (generation == 0) /* fresh memory */
		generation = tri_table_floor(&sys->records, index);
	if (generation == 0)
		generation = 1; /* never used before */
	r->index = index;
	r->kind = (uint8_t)kind;
	r->linked = false;
	tri_store_relaxed(&r->owner, (uint64_t)0);
	r->node.prev = NULL;
	tri_store_relaxed(&r->holds, 0u);
	/* rel: pairs with the acq of a callee's look at a canceled ask. */
	tri_store_release(&r->ident, generation | TRI_RECORD_LIVE);
	return r;
}

void
tri_record_free(struct tri_crew *c, struct tri_record *r)
{
	tri_table_put(&c->desk.sys->records, &c->desk.records, r->index);
}

/* Links outlive an actor's other entries: they end when its names are free. */
static struct tri_record **
record_list(struct tri_cold *cold, const struct tri_record *r)
{
	return r->kind == TRI_RECORD_LINK ? &cold->links : &cold->records;
}

void
tri_record_give(struct tri_crew *c, struct tr_self *a, tr_ref ref,
    struct tri_record *r)
{
	struct tri_cold *cold = tri_cold(c->desk.sys, a);
	struct tri_record **list = record_list(cold, r);

	if ((tri_load_relaxed(&a->ident) & TRI_IDENT_COLD) == 0)
		tri_fetch_or_acq_rel(&a->ident, TRI_IDENT_COLD);
	tri_store_relaxed(&r->owner, ref.bits);
	r->prev = NULL;
	r->next = *list;
	if (r->next != NULL)
		r->next->prev = r;
	*list = r;
	r->linked = true;
	if (r->kind == TRI_RECORD_ASK || r->kind == TRI_RECORD_JOB)
		tri_count(&cold->asks, 1u);
}

void
tri_record_adopt(struct tri_crew *c, struct tri_record *r)
{
	tri_record_give(c, c->turn.cell, c->turn.ref, r);
}

static void
record_unlink(struct tri_crew *c, struct tri_record *r)
{
	struct tri_cold *cold = tri_cold(c->desk.sys, c->turn.cell);

	TR_DASSERT(tri_load_relaxed(&r->owner) == c->turn.ref.bits);
	if (r->prev != NULL)
		r->prev->next = r->next;
	else
		*record_list(cold, r) = r->next;
	if (r->next != NULL)
		r->next->prev = r->prev;
	r->linked = false;
	if (r->kind == TRI_RECORD_ASK || r->kind == TRI_RECORD_JOB)
		tri_count(&cold->asks, 0u - 1u);
}

struct tri_record *
tri_record_new(struct tri_crew *c, enum tri_record_kind kind)
{
	struct tri_record *r;

	if (c->turn.stopping)
		return NULL;
	r = tri_record_new_free(c, kind);
	if (r != NULL)
		tri_record_adopt(c, r);
	return r;
}

struct tri_record *
tri_record_find(struct tri_crew *c, uint64_t id, enum tri_record_kind kind)
{
	struct tr_system *sys = c->desk.sys;
	uint32_t index = (uint32_t)id;
	struct tri_record *r;

	/* acq: pairs with table_fresh. */
	if (id == 0 || c->turn.cell == NULL ||
	    index >= tri_load_acquire(&sys->records.limit))
		return NULL;
	r = tri_record_at(sys, index);
	if ((tri_load_relaxed(&r->ident) &
		(TRI_IDENT_GENERATION | TRI_RECORD_LIVE)) !=
	    (id >> 32 | TRI_RECORD_LIVE))
		return NULL;
	/* Only if it is ours may the other fields be looked at. */
	return tri_load_relaxed(&r->owner) == c->turn.ref.bits &&
		r->kind == kind ?
	    r :
	    NULL;
}

/* --------------------------------------------------------- letting go --- */

/* From here on its name is stale. */
static void
record_retire_name(struct tri_record *r)
{
	uint64_t generation =
	    (tri_load_relaxed(&r->ident) + 1) & TRI_IDENT_GENERATION;

	tri_store_release(&r->ident, generation == 0 ? 1 : generation);
}

/* Others may have it: a mailbox, another worker's wheel, the pool. */
static void
record_let_go_far(struct tri_crew *c, struct tri_record *r)
{
	/* acq: pairs with the CAS of tri_record_fire. */
	uint32_t holds = tri_load_acquire(&r->holds), want;

	do {
		want = holds | TRI_GONE;
		if (holds & TRI_HOLD_ARMED)
			want |= TRI_HOLD_OP;
		/* In the list of whom it watches: its message tells that one,
		 * unless it is on its way as the DOWN. */
		if (r->kind == TRI_RECORD_MONITOR &&
		    (holds & (TRI_HOLD_WATCHED | TRI_HOLD_SENT)) ==
			TRI_HOLD_WATCHED)
			want |= TRI_HOLD_SENT;
	} while (!tri_cas_weak_acq_rel(&r->holds, &holds, want));
	if ((want & ~holds & TRI_HOLD_SENT) != 0)
		tri_monitor_withdraw(c, r);
	else if (want & TRI_HOLD_OP)
		ck_stack_push_upmc(&record_home(c, r)->gone, &r->op);
	else if ((want & TRI_HOLDS) == 0)
		tri_record_free(c, r);
}

/* Armed here, and nobody else has it: the hot path of an ask. */
static bool
record_is_mine(struct tri_crew *c, const struct tri_record *r, uint32_t holds)
{
	return r->kind != TRI_RECORD_JOB &&
	    ((holds & TRI_HOLDS) == 0 ||
		((holds & TRI_HOLDS) == TRI_HOLD_ARMED &&
		    r->home == c->worker.index));
}

void
tri_record_end(struct tri_crew *c, struct tri_record *r)
{
	/* acq: what others did before they removed their hold. */
	uint32_t holds = tri_load_acquire(&r->holds);

	if (r->linked)
		record_unlink(c, r);
	record_retire_name(r);
	if (TRI_LIKELY(record_is_mine(c, r, holds))) {
		tri_wheel_remove(&c->worker.wheel, &r->node);
		tri_record_free(c, r);
		return;
	}
	if ((holds & TRI_HOLD_ARMED) != 0 && r->home == c->worker.index) {
		tri_wheel_remove(&c->worker.wheel, &r->node);
		tri_fetch_and_acq_rel(&r->holds, ~(uint32_t)TRI_HOLD_ARMED);
	}
	record_let_go_far(c, r);
}

void
tri_record_release(struct tri_crew *c, struct tri_record *r, enum tri_hold hold)
{
	/* acq_rel: the last one sees all that the others did. */
	uint32_t holds = tri_fetch_and_acq_rel(&r->holds, ~(uint32_t)hold);

	if ((holds & TRI_GONE) != 0 &&
	    (holds & TRI_HOLDS & ~(uint32_t)hold) == 0)
		tri_record_free(c, r);
}

void
tri_record_disarm_gone(struct tri_crew *c)
{
	ck_stack_entry_t *e;

	if (tri_stack_is_empty(&c->gone))
		return;
	e = ck_stack_batch_pop_upmc(&c->gone);
	while (e != NULL) {
		struct tri_record *r =
		    tri_container_of(e, struct tri_record, op);

		e = CK_STACK_NEXT(e);
		if (r->node.prev != NULL) {
			tri_wheel_remove(&c->worker.wheel, &r->node);
			tri_fetch_and_acq_rel(&r->holds,
			    ~(uint32_t)TRI_HOLD_ARMED);
		}
		tri_record_release(c, r, TRI_HOLD_OP);
	}
}

/* ------------------------------------------------------------- timing --- */

void
tri_record_arm(struct tri_crew *c, struct tri_record *r)
{
	r->home = (uint16_t)c->worker.index;
	/* Nobody else knows the record yet. */
	tri_store_relaxed(&r->holds,
	    tri_load_relaxed(&r->holds) | TRI_HOLD_ARMED);
	tri_wheel_add(&c->worker.wheel, &r->node);
}

/* Its message, as asks and jobs send it. */
void
tri_record_prepare_outcome(struct tri_record *r)
{
	r->msg.sender = 0;
	r->msg.tag = 0;
	r->msg.size = 0;
	r->msg.offset = sizeof(r->msg);
	r->msg.kind = TRI_MSG_OUTCOME;
	r->msg.flags = 0;
	r->msg.size_class = TRI_CLASS_EMBEDDED;
}

/* SENT is set, by us: send it. */
static void
record_send(struct tri_crew *c, struct tri_record *r)
{
	tr_ref owner = { tri_load_relaxed(&r->owner) };

	if (r->kind == TRI_RECORD_TIMER) {
		tri_deliver(c, owner, &r->msg);
		return;
	}
	tri_record_prepare_outcome(r);
	tri_deliver_control(c, owner, &r->msg);
}

void
tri_record_notify(struct tri_crew *c, struct tri_record *r)
{
	/* acq_rel: the taker sees what the caller did to the record. */
	if (tri_fetch_or_acq_rel(&r->holds, TRI_HOLD_SENT) & TRI_HOLD_SENT)
		return;
	record_send(c, r);
}

/* Ticks that fell due and will not be seen; arm the next. */
static void
record_rearm(struct tri_crew *c, struct tri_record *r, bool sent)
{
	int64_t late = c->worker.exact - r->node.deadline;
	int64_t skipped = late > 0 ? late / r->u.period_ns : 0;
	uint32_t missed =
	    (uint32_t)(skipped > UINT32_MAX / 2 ? UINT32_MAX / 2 : skipped) +
	    (sent ? 1 : 0);

	if (missed > 0)
		tri_fetch_add_relaxed(&r->missed, missed);
	r->node.deadline += (skipped + 1) * r->u.period_ns;
	tri_wheel_add(&c->worker.wheel, &r->node);
}

void
tri_record_fire(struct tri_worker *w, struct tri_timer_node *node)
{
	struct tri_crew *c = (struct tri_crew *)(void *)w;
	struct tri_record *r = tri_container_of(node, struct tri_record, node);
	bool again = r->kind == TRI_RECORD_TIMER && r->u.period_ns > 0;
	/* acq: pairs with record_let_go_far. */
	uint32_t holds = tri_load_acquire(&r->holds), want;

	if (r->kind == TRI_RECORD_DEADLINE) {
		tri_life_deadline(c, r);
		return;
	}
	do {
		if (holds & TRI_GONE) {
			tri_record_release(c, r, TRI_HOLD_ARMED);
			return;
		}
		want = holds | TRI_HOLD_SENT;
		if (!again)
			want &= ~(uint32_t)TRI_HOLD_ARMED;
	} while (!tri_cas_weak_acq_rel(&r->holds, &holds, want));
	/* Armed again before it is sent: afterwards the owner may let go. */
	if (again)
		record_rearm(c, r, (holds & TRI_HOLD_SENT) != 0);
	if ((holds & TRI_HOLD_SENT) == 0)
		record_send(c, r);
}
