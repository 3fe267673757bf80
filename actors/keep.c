/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeping: see keep.h for what it is, and whose a held cell is.
 *
 * WHO CHANGES `holds` of a bond.  The child, in one CAS: what happened, and
 * that the notice is under way; with the CAS that says HELD its cell is not
 * its any more.  The keeper, or who finds a notice that the keeper will not
 * take: clears both in one step, and owns what it read.  So each HELD is seen
 * exactly once, and whoever has seen GONE in its CAS acts itself.
 *
 * LIVES.  A child's lives are numbered (`life` in its cold part).  STOPs,
 * KILLs and exit signals carry the number of the life they were sent to, and
 * are void in another one; so is the deadline of a tr_stop().
 */
#include "actors/apart.h"
#include "actors/keep.h"

#include <string.h>

enum {
	EVENTS_SHIFT = 8, /* in `holds` */
	EVENTS = 15 << EVENTS_SHIFT,
	POLICY_SHIFT = 12,
	POLICY = 3 << POLICY_SHIFT,
	HELD_BIT = TRI_KEEP_HELD << EVENTS_SHIFT,
	OURS = 1, /* outcome: the keeper has a held cell */
};

/* What a bond's payload says. */
struct bond {
	struct tr_reason why; /* written by the child before it says so */
	bool late_start; /* set once, as the next */
	bool drop_mailbox;
};

_Static_assert(sizeof(struct bond) <= 64, "it is in a record");

static struct bond *
bond_of(struct tri_record *r)
{
	return (struct bond *)(void *)r->payload;
}

static struct tr_self *
bond_cell(struct tri_crew *c, const struct tri_record *r)
{
	return tri_cell(c->desk.sys, tri_ref_slot((tr_ref){ r->u.target }));
}

/* ------------------------------------------------------------ the child -- */

/* Say what happened; false: nobody keeps it.  With `end` the cell is done with
 * the bond, and with HELD the caller with the cell. */
static bool
bond_tell(struct tri_crew *c, struct tri_record *r, unsigned events, bool end)
{
	/* acq: pairs with the rel of bond_take and record_let_go_far. */
	uint32_t holds = tri_load_acquire(&r->holds), want;
	bool gone;

	do {
		gone = (holds & TRI_GONE) != 0;
		want = gone ? holds :
			      holds | events << EVENTS_SHIFT | TRI_HOLD_SENT;
		if (end)
			want &= ~(uint32_t)TRI_HOLD_WATCHED;
		/* rel: publishes why, and a held cell; pairs with bond_take. */
	} while (!tri_cas_weak_acq_rel(&r->holds, &holds, want));
	if (gone) {
		if (end && (want & TRI_HOLDS) == 0)
			tri_record_free(c, r);
		return false;
	}
	if ((holds & TRI_HOLD_SENT) != 0)
		return true; /* the one under way says it */
	r->msg = (struct tr_msg){
		.sender = r->u.target,
		.offset = sizeof(struct tr_msg),
		.kind = TRI_MSG_KEPT,
		.size_class = TRI_CLASS_EMBEDDED,
	};
	tri_deliver_control(c, (tr_ref){ tri_load_relaxed(&r->owner) },
	    &r->msg);
	return true;
}

void
tri_keep_start_returned(struct tri_crew *c, struct tr_self *a)
{
	struct tri_record *r = tri_cold(c->desk.sys, a)->keep;

	if (!bond_of(r)->late_start)
		(void)bond_tell(c, r, TRI_KEEP_STARTED, false);
}

void
tri_keep_started(struct tri_crew *c)
{
	struct tr_self *a = c->turn.cell;

	if ((tri_load_relaxed(&a->ident) & TRI_IDENT_KEPT) != 0)
		(void)bond_tell(c, tri_cold(c->desk.sys, a)->keep,
		    TRI_KEEP_STARTED, false);
}

bool
tri_keep_holds(struct tri_crew *c, struct tr_self *a,
    const struct tr_reason *why)
{
	struct tri_record *r = tri_cold(c->desk.sys, a)->keep;
	uint32_t holds = tri_load_acquire(&r->holds);

	if ((holds & TRI_GONE) != 0)
		return false;
	switch ((enum tri_keep_policy)((holds & POLICY) >> POLICY_SHIFT)) {
	case TRI_KEEP_ALL: return true;
	case TRI_KEEP_FAILED:
		return why->code != TR_NORMAL && why->code != TR_SHUTDOWN;
	case TRI_KEEP_NONE: break;
	}
	return false;
}

bool
tri_keep_drops_mailbox(struct tri_crew *c, struct tr_self *a)
{
	return bond_of(tri_cold(c->desk.sys, a)->keep)->drop_mailbox;
}

bool
tri_keep_tell_end(struct tri_crew *c, struct tr_self *a, unsigned events,
    const struct tr_reason *why)
{
	struct tri_record *r = tri_cold(c->desk.sys, a)->keep;

	bond_of(r)->why = *why;
	return bond_tell(c, r, events, (events & TRI_KEEP_ENDED) != 0);
}

bool
tri_keep_concerns(struct tri_crew *c, struct tr_self *a, const struct tr_msg *m)
{
	return (tri_load_relaxed(&a->ident) & TRI_IDENT_KEPT) == 0 ||
	    m->tag == tri_load_relaxed(&tri_cold(c->desk.sys, a)->life);
}

uint32_t
tri_keep_life(const struct tr_system *sys, tr_ref actor)
{
	const struct tr_self *a = tri_cell_find(sys, actor);

	if (a == NULL || (tri_load_relaxed(&a->ident) & TRI_IDENT_KEPT) == 0)
		return 0;
	return tri_load_relaxed(&tri_cold(sys, a)->life);
}

/* ----------------------------------------------------------- the notice -- */

/* It left the mailbox: what it says; then it may be under way again.  The
 * bond may be gone afterwards, if its keeper has let go of it. */
static uint32_t
bond_take(struct tri_crew *c, struct tri_record *r)
{
	/* acq: sees why, and a held cell, as bond_tell left them. */
	uint32_t holds = tri_fetch_and_acq_rel(&r->holds,
	    ~(uint32_t)(TRI_HOLD_SENT | EVENTS));

	if ((holds & TRI_GONE) != 0 &&
	    (holds & TRI_HOLDS & ~(uint32_t)TRI_HOLD_SENT) == 0)
		tri_record_free(c, r);
	return holds;
}

bool
tri_keep_taken(struct tri_crew *c, struct tr_msg *m,
    struct tri_keep_notice *notice)
{
	struct tri_record *r = tri_container_of(m, struct tri_record, msg);
	struct tr_self *child = bond_cell(c, r);
	uint32_t holds;

	/* From now on it may be sent again. */
	tri_turn_detach(c);
	c->turn.msg = NULL;
	holds = bond_take(c, r);
	if ((holds & TRI_GONE) != 0) {
		if ((holds & HELD_BIT) != 0)
			tri_actor_let_go(c, child);
		return false;
	}
	if ((holds & HELD_BIT) != 0)
		r->outcome = OURS;
	*notice = (struct tri_keep_notice){
		.bond = r,
		.cookie = r->cookie,
		.events = (holds & EVENTS) >> EVENTS_SHIFT,
	};
	/* Else it may be written just now. */
	if ((notice->events & (TRI_KEEP_HELD | TRI_KEEP_ENDED)) != 0)
		notice->why = bond_of(r)->why;
	return true;
}

void
tri_keep_refused(struct tri_crew *c, struct tri_record *r)
{
	struct tr_self *child = bond_cell(c, r);

	if ((bond_take(c, r) & HELD_BIT) != 0)
		tri_actor_let_go(c, child);
}

/* ----------------------------------------------------------- the keeper -- */

int
tri_keep_attach(struct tri_crew *c, tr_ref child,
    const struct tri_keep_options *keep, struct tri_record **bond)
{
	struct tr_self *a = tri_cell(c->desk.sys, tri_ref_slot(child));
	struct tri_record *r = tri_record_new(c, TRI_RECORD_KEEP);

	if (r == NULL)
		return TR_ENOMEM;
	r->u.target = child.bits;
	r->cookie = keep->cookie;
	r->outcome = 0;
	*bond_of(r) = (struct bond){
		.late_start = keep->late_start,
		.drop_mailbox = keep->drop_mailbox,
	};
	tri_store_relaxed(&r->holds,
	    (uint32_t)TRI_HOLD_WATCHED |
		(uint32_t)keep->policy << POLICY_SHIFT);
	tri_cold(c->desk.sys, a)->keep = r;
	tri_fetch_or_acq_rel(&a->ident, TRI_IDENT_COLD | TRI_IDENT_KEPT);
	*bond = r;
	return TR_OK;
}

tr_ref
tri_keep_spawn(struct tri_crew *c, const struct tr_behavior *b, const void *arg,
    const struct tr_spawn_options *o, const struct tri_keep_options *keep,
    struct tri_record **bond, int *error)
{
	struct tr_spawn_options options =
	    o != NULL ? *o : (struct tr_spawn_options){ 0 };

	options.error = error;
	*error = TR_OK;
	if (c->turn.stopping) {
		*error = TR_ESTOPPING;
		return TR_REF_NONE;
	}
	return tri_spawn(&c->desk, b, arg, &options,
	    &(struct tri_spawn_how){
		.parent = c->turn.ref,
		.here = c->worker.index,
		.keep = keep,
		.bond = bond,
	    });
}

void
tri_keep_set_policy(struct tri_record *r, enum tri_keep_policy policy)
{
	uint32_t holds = tri_load_relaxed(&r->holds), want;

	do {
		want = (holds & ~(uint32_t)POLICY) |
		    (uint32_t)policy << POLICY_SHIFT;
	} while (!tri_cas_weak_acq_rel(&r->holds, &holds, want));
}

int
tri_keep_restart(struct tri_crew *c, struct tri_record *r,
    const struct tr_behavior *b, const void *arg)
{
	struct tr_system *sys = c->desk.sys;
	struct tr_self *a = bond_cell(c, r);
	struct tri_cold *cold = tri_cold(sys, a);
	struct tr_msg *first = tri_start_message(&c->desk, c->turn.ref, b, arg);

	TR_ASSERT(r->outcome == OURS);
	if (first == NULL)
		return TR_ENOMEM;
	r->outcome = 0;
	first->ahead = 0;
	first->link = a->pending;
	a->pending = first;
	tri_store_relaxed(&a->taken, tri_load_relaxed(&a->taken) + 1);
	memset(tri_actor_state(a, b), 0, b->state_size);
	tri_store_relaxed(&a->behavior, b);
	tri_store_relaxed(&cold->life, tri_load_relaxed(&cold->life) + 1);
	tri_fetch_and_acq_rel(&a->ident,
	    ~(TRI_IDENT_KILL | TRI_IDENT_OVERFULL | TRI_IDENT_HELD));
	tri_count(&c->desk.counts.restarted, (uint64_t)1);
	tri_seen(sys, TRI_EVENT_RESTARTED, (tr_ref){ r->u.target }, NULL, 0, 0);
	tri_inlet_unhold(tri_inlet_of(sys, a));
	tri_schedule(sys, &c->worker, a);
	return TR_OK;
}

void
tri_keep_release(struct tri_crew *c, struct tri_record *r)
{
	TR_ASSERT(r->outcome == OURS);
	r->outcome = 0;
	tri_actor_let_go(c, bond_cell(c, r));
}

void
tri_keep_forget(struct tri_crew *c, struct tri_record *r)
{
	TR_ASSERT(r->outcome == 0);
	tri_record_end(c, r);
}

void
tri_keep_abandon(struct tri_crew *c, struct tri_record *r)
{
	tr_ref child = { r->u.target };
	bool ours = r->outcome == OURS;

	r->outcome = 0;
	/* A notice that is under way is refused: it lets a held one go. */
	tri_record_end(c, r);
	if (ours)
		tri_actor_let_go(c, tri_cell(c->desk.sys, tri_ref_slot(child)));
	else
		tri_kill(c, child);
}

void
tri_stop_trap(struct tri_crew *c)
{
	struct tr_self *a = c->turn.cell;

	tri_fetch_or_acq_rel(&a->ident, TRI_IDENT_COLD);
	tri_cold(c->desk.sys, a)->traps_stop = true;
}
