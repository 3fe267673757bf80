/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bounded mailboxes.
 *
 * Bounds are opt-in.  A plain actor's senders see no more of them than a bit
 * in the word they look at anyway; a bounded one has, beside its cell, one
 * atomic word of what waits: items in the upper 24 bits, bytes in the lower
 * 40.  A sender reserves with one fetch_add and gives back when it went over;
 * so of several that race for the last place all may be refused, but never is
 * one admitted too many.
 *
 * Who has been admitted carries the flag BOUNDED until it leaves the mailbox:
 * to be handled, or as a dead letter.  The word belongs to the slot and is
 * never reset: each reservation is given back exactly once, also when the slot
 * has got its next actor meanwhile.
 *
 * An actor that is to fail when it has too much (TR_FAIL_FULL) is told so by a
 * bit in its ident, at which its worker looks before each message (care.c).
 * That it looks is seen to by the message that was too much: it goes into the
 * mailbox like those before it, only that it does not count, and shares their
 * fate.  So telling needs neither memory nor a worker, and goes beyond the
 * bound by one message.
 *
 * Only messages and asks count.  Replies, ticks, outcomes, start and stop are
 * never refused.  No data hangs on the word, only the sum has to be right,
 * hence its orders are relaxed.
 */
#include "actors/send.h"

enum {
	BYTES_BITS = 40,
	ITEMS_MAX = 1 << 22, /* twice that, and some more, fits into 24 bits */
};

#define BYTES_MASK (((uint64_t)1 << BYTES_BITS) - 1)
#define BYTES_MAX  ((uint64_t)1 << 38)
#define ITEM       ((uint64_t)1 << BYTES_BITS)

/* -------------------------------------------------------------- setup --- */

bool
tri_bound_is_valid(const struct tr_spawn_options *o)
{
	return o->max_items <= ITEMS_MAX && o->max_bytes <= BYTES_MAX &&
	    (unsigned)o->overflow <= TR_FAIL_FULL;
}

uint64_t
tri_bound_set(struct tr_system *sys, struct tr_self *a,
    const struct tr_spawn_options *o)
{
	struct tri_intake *in = tri_intake(sys, a);
	uint64_t items = o->max_items, bytes = o->max_bytes;

	if (items == 0)
		items = ITEMS_MAX;
	if (bytes == 0)
		bytes = BYTES_MAX;
	tri_store_relaxed(&in->bound, items << BYTES_BITS | bytes);
	tri_store_relaxed(&in->overflow, (uint32_t)o->overflow);
	return TRI_IDENT_BOUND;
}

/* ------------------------------------------------------------ counting -- */

/* What a message counts: the payload and what stands before it. */
static uint64_t
bound_cost(const struct tr_msg *m)
{
	return ITEM + m->offset + m->size;
}

static bool
bound_is_over(uint64_t waiting, uint64_t bound, unsigned times)
{
	return waiting >> BYTES_BITS > (bound >> BYTES_BITS) * times ||
	    (waiting & BYTES_MASK) > (bound & BYTES_MASK) * times;
}

/* Any thread: the actor is to fail.  true: nobody has said so before. */
static bool
bound_burst(struct tr_self *a, uint32_t generation)
{
	uint64_t ident = tri_load_relaxed(&a->ident);

	do {
		if ((uint32_t)ident != generation ||
		    (ident & TRI_IDENT_OVERFULL) != 0)
			return false;
		/* Seen by who takes the message that is pushed next. */
	} while (!tri_cas_weak_acq_rel(&a->ident, &ident,
	    ident | TRI_IDENT_OVERFULL));
	return true;
}

/* Any thread.  QUEUED: it may be pushed. */
static enum tri_inlet_pushed
bound_admit(struct tri_intake *in, struct tr_self *a, struct tr_msg *m)
{
	uint64_t cost = bound_cost(m);
	uint64_t waiting = tri_fetch_add_relaxed(&in->waiting, cost) + cost;
	uint32_t overflow = tri_load_relaxed(&in->overflow);
	uint64_t bound = tri_load_relaxed(&in->bound);

	/* With DROP_OLD it is the receiver that drops, when it takes its list;
	 * until then there may be twice as much. */
	if (!bound_is_over(waiting, bound, overflow == TR_DROP_OLD ? 2 : 1)) {
		m->flags |= TRI_MSG_BOUNDED;
		return TRI_PUSH_QUEUED;
	}
	tri_fetch_sub_relaxed(&in->waiting, cost);
	if (overflow == TR_FAIL_FULL && bound_burst(a, m->generation))
		return TRI_PUSH_QUEUED;
	return overflow == TR_REJECT || overflow == TR_FAIL_FULL ?
	    TRI_PUSH_FULL :
	    TRI_PUSH_DROPPED;
}

void
tri_push_undo(struct tr_system *sys, struct tr_self *a, struct tr_msg *m,
    bool to_handle)
{
	if (m->flags & TRI_MSG_BOUNDED)
		tri_fetch_sub_relaxed(&tri_intake(sys, a)->waiting,
		    bound_cost(m));
	if (m->flags & TRI_MSG_TRACED)
		tri_seen(sys, TRI_EVENT_TAKEN,
		    tri_ref_make(tri_cell_slot(sys, a), 0), m, to_handle, 0);
	m->flags &= (uint8_t) ~(TRI_MSG_BOUNDED | TRI_MSG_TRACED);
}

/* ------------------------------------------------------------- sending -- */

/* Into the mailbox of a bounded actor. */
static enum tri_inlet_pushed
push_bounded(struct tr_system *sys, struct tr_self *a, struct tr_msg *m)
{
	enum tri_inlet_pushed pushed;

	/* A bounded actor on its way out is not full, but dead.  acq: as in
	 * tri_inlet_push. */
	if (tri_inlet_head(sys, a) == TRI_INLET_CLOSED)
		return TRI_PUSH_CLOSED;
	pushed = bound_admit(tri_intake(sys, a), a, m);
	return pushed == TRI_PUSH_QUEUED ? tri_push_to(sys, a, m) : pushed;
}

enum tri_inlet_pushed
tri_push_unusual(struct tr_system *sys, struct tr_self *a, uint64_t ident,
    struct tr_msg *m)
{
	bool traced =
	    (ident & TRI_IDENT_TRACED) != 0 && m->kind <= TRI_MSG_COUNTED;
	uint32_t slot = tri_cell_slot(sys, a);
	enum tri_inlet_pushed pushed;

	if ((uint32_t)ident != m->generation)
		return TRI_PUSH_CLOSED;
	if (traced)
		m->flags |= TRI_MSG_TRACED;
	pushed = (ident & TRI_IDENT_BOUND) != 0 && m->kind <= TRI_MSG_ASK ?
	    push_bounded(sys, a, m) :
	    tri_push_to(sys, a, m);
	if (pushed > TRI_PUSH_WAKE) {
		m->flags &= (uint8_t)~TRI_MSG_TRACED;
		if (m->flags & TRI_MSG_BOUNDED)
			tri_push_undo(sys, a, m, false);
	} else if (traced) {
		tri_seen(sys, TRI_EVENT_SENT,
		    tri_ref_make(slot, (uint32_t)ident), m, 0, 0);
	}
	return pushed;
}

enum tr_dead_reason
tri_push_reason(enum tri_inlet_pushed pushed)
{
	switch (pushed) {
	case TRI_PUSH_FULL: return TR_DEAD_FULL;
	case TRI_PUSH_DROPPED: return TR_DEAD_DROPPED;
	case TRI_PUSH_CLOSED:
	case TRI_PUSH_MOVED:
	case TRI_PUSH_QUEUED:
	case TRI_PUSH_WAKE: break;
	}
	return TR_DEAD_NO_ACTOR;
}

/* ----------------------------------------------------------- DROP_OLD --- */

/* The oldest that counts, out of the list of those taken. */
static struct tr_msg *
bound_oldest(struct tr_self *a, struct tr_msg ***from)
{
	struct tr_msg *m;

	while ((m = **from) != NULL && (m->flags & TRI_MSG_BOUNDED) == 0)
		*from = &m->link;
	if (m != NULL) {
		**from = m->link;
		tri_store_relaxed(&a->taken, tri_load_relaxed(&a->taken) - 1);
	}
	return m;
}

void
tri_bound_drop_old(struct tri_crew *c, struct tr_self *a)
{
	struct tri_intake *in = tri_intake(c->desk.sys, a);
	uint64_t bound = tri_load_relaxed(&in->bound);
	struct tr_msg **from = &a->pending, *m;

	if (tri_load_relaxed(&in->overflow) != TR_DROP_OLD)
		return;
	while (bound_is_over(tri_load_relaxed(&in->waiting), bound, 1)) {
		m = bound_oldest(a, &from);
		if (m == NULL)
			break; /* the rest has come since */
		tri_push_undo(c->desk.sys, a, m, false);
		tri_msg_dead(c,
		    m->flags & TRI_MSG_STALE ? TR_REF_NONE : c->turn.ref, m,
		    TR_DEAD_DROPPED, TR_EFULL);
	}
}
