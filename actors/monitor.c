/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Monitors: to be told, once, that another actor has ended.
 *
 * A monitor is one record with two users.  The watcher owns it; its name is
 * what tr_monitor() returns, and its message travels: to the watched actor as
 * MONITOR, back as the DOWN.  In between the record is in the list of the
 * watched actor (hold WATCHED).  So a DOWN needs no memory, and the watched
 * actor's death can tell any number of watchers.
 *
 *     on its way there     SENT
 *     in the list          WATCHED
 *     DOWN on its way      SENT
 *     withdrawn            GONE, and SENT as the message DEMONITOR
 *
 * Who sets SENT has the message: when the watcher withdraws while the other
 * dies, one of both finds it set and leaves it alone.  The watcher ending the
 * record (tr_demonitor, or its own death) makes the name stale at once, so a
 * DOWN that is already in its mailbox is never seen.
 *
 * An actor that has ended, or never was, refuses the MONITOR; then the record
 * comes back as a DOWN at once, with the reason TR_NOPROC.
 */
#include "actors/system.h"

#include <string.h>

#include <troupe/failure.h>

static struct tri_record *
record_of(struct tr_msg *m)
{
	return tri_container_of(m, struct tri_record, msg);
}

/* -------------------------------------------------- the watched actor --- */

/* On its worker, or before anybody knows it: into its list. */
static void
watchers_add(struct tri_crew *c, struct tr_self *a, struct tri_record *r)
{
	struct tri_cold *cold = tri_cold(c->desk.sys, a);

	if ((tri_load_relaxed(&a->ident) & TRI_IDENT_COLD) == 0)
		tri_fetch_or_acq_rel(&a->ident, TRI_IDENT_COLD);
	r->watched[0] = NULL;
	r->watched[1] = cold->watchers;
	if (r->watched[1] != NULL)
		r->watched[1]->watched[0] = r;
	cold->watchers = r;
}

static void
watchers_remove(struct tri_cold *cold, struct tri_record *r)
{
	if (r->watched[0] != NULL)
		r->watched[0]->watched[1] = r->watched[1];
	else
		cold->watchers = r->watched[1];
	if (r->watched[1] != NULL)
		r->watched[1]->watched[0] = r->watched[0];
}

void
tri_monitor_asked(struct tri_crew *c, struct tr_self *a, struct tr_msg *m)
{
	struct tri_record *r = record_of(m);
	uint32_t holds;

	/* From now on its message may be sent again, by the watcher. */
	tri_turn_detach(c);
	c->turn.msg = NULL;
	watchers_add(c, a, r);
	/* acq: pairs with record_let_go_far.  rel: pairs with its CAS. */
	holds = tri_load_acquire(&r->holds);
	do {
		if (holds & TRI_GONE) {
			watchers_remove(tri_cold(c->desk.sys, a), r);
			tri_record_release(c, r, TRI_HOLD_SENT);
			return;
		}
	} while (!tri_cas_weak_acq_rel(&r->holds, &holds,
	    (holds & ~(uint32_t)TRI_HOLD_SENT) | TRI_HOLD_WATCHED));
}

void
tri_monitor_left(struct tri_crew *c, struct tr_self *a, struct tr_msg *m)
{
	struct tri_record *r = record_of(m);

	/* Unless the actor has told its watchers meanwhile.  The message, which
	 * is in hand, still holds the record. */
	if (tri_load_acquire(&r->holds) & TRI_HOLD_WATCHED) {
		watchers_remove(tri_cold(c->desk.sys, a), r);
		tri_fetch_and_acq_rel(&r->holds, ~(uint32_t)TRI_HOLD_WATCHED);
	}
}

static void
monitor_send_down(struct tri_crew *c, struct tri_record *r,
    const struct tr_reason *why)
{
	struct tr_down down = {
		.monitor = tri_record_id(r),
		.actor = { r->u.target },
		.cookie = r->cookie,
		.reason = *why,
	};
	tr_ref watcher = { tri_load_relaxed(&r->owner) };

	r->msg = (struct tr_msg){
		.sender = r->u.target,
		.tag = tri_load_relaxed(&r->missed),
		.size = sizeof(down),
		.offset = sizeof(struct tr_msg),
		.kind = TRI_MSG_DOWN,
		.size_class = TRI_CLASS_EMBEDDED,
	};
	memcpy(r->payload, &down, sizeof(down));
	tri_deliver(c, watcher, &r->msg);
}

bool
tri_monitors_tell(struct tri_crew *c, struct tr_self *a,
    const struct tr_reason *why, unsigned *left)
{
	struct tri_cold *cold = tri_cold(c->desk.sys, a);
	struct tri_record *r;
	uint32_t holds, want;

	while ((r = cold->watchers) != NULL) {
		if (*left == 0)
			return false;
		--*left;
		watchers_remove(cold, r);
		/* acq: pairs with record_let_go_far. */
		holds = tri_load_acquire(&r->holds);
		do {
			want = holds & ~(uint32_t)TRI_HOLD_WATCHED;
			if ((holds & TRI_GONE) == 0)
				want |= TRI_HOLD_SENT;
		} while (!tri_cas_weak_acq_rel(&r->holds, &holds, want));
		if ((holds & TRI_GONE) == 0)
			monitor_send_down(c, r, why);
		else if ((want & TRI_HOLDS) == 0)
			tri_record_free(c, r);
	}
	return true;
}

/* ---------------------------------------------------------- the watcher -- */

/* The request came to nobody: it comes back as the DOWN. */
void
tri_monitor_refused(struct tri_crew *c, struct tri_record *r)
{
	if (tri_load_acquire(&r->holds) & TRI_GONE)
		tri_record_release(c, r, TRI_HOLD_SENT);
	else
		monitor_send_down(c, r,
		    &(struct tr_reason){ .code = TR_NOPROC });
}

void
tri_monitor_withdraw(struct tri_crew *c, struct tri_record *r)
{
	r->msg = (struct tr_msg){
		.offset = sizeof(struct tr_msg),
		.kind = TRI_MSG_DEMONITOR,
		.size_class = TRI_CLASS_EMBEDDED,
	};
	tri_deliver_control(c, (tr_ref){ r->u.target }, &r->msg);
}

static int
down_code(const struct tr_msg *m)
{
	const struct tr_down *down = tr_data(m, sizeof(*down));

	return down->reason.code;
}

void
tri_monitor_end(struct tri_crew *c, struct tri_record *r)
{
	tri_seen(c->desk.sys, TRI_EVENT_UNWATCHED, c->turn.ref, NULL,
	    tri_record_id(r), 0);
	tri_record_end(c, r);
}

int
tri_monitor_down(struct tri_crew *c, struct tr_self *a, struct tr_msg *m)
{
	const struct tr_behavior *b = tri_load_relaxed(&a->behavior);

	tri_seen(c->desk.sys, TRI_EVENT_DOWN, c->turn.ref, m,
	    tri_record_id(record_of(m)), down_code(m));
	/* It is used up; the message in hand still holds its memory. */
	tri_record_end(c, record_of(m));
	return b->receive(a, tri_actor_state(a, b), m);
}

static struct tri_record *
monitor_new(struct tri_crew *c, tr_ref target, uint32_t tag, uint64_t cookie)
{
	struct tri_record *r = tri_record_new(c, TRI_RECORD_MONITOR);

	if (r == NULL)
		return NULL;
	r->u.target = target.bits;
	r->cookie = cookie;
	tri_store_relaxed(&r->missed, tag);
	tri_seen(c->desk.sys, TRI_EVENT_WATCHED, target, NULL, tri_record_id(r),
	    0);
	return r;
}

uint64_t
tri_monitor_attach(struct tri_crew *c, tr_ref target, uint32_t tag,
    uint64_t cookie)
{
	struct tri_record *r = monitor_new(c, target, tag, cookie);

	if (r == NULL)
		return 0;
	tri_store_relaxed(&r->holds, (uint32_t)TRI_HOLD_WATCHED);
	watchers_add(c, tri_cell(c->desk.sys, tri_ref_slot(target)), r);
	return tri_record_id(r);
}

void
tri_monitor_detach(struct tri_crew *c, tr_ref target, uint64_t monitor)
{
	struct tri_record *r = tri_record_find(c, monitor, TRI_RECORD_MONITOR);

	watchers_remove(tri_cold(c->desk.sys,
			    tri_cell(c->desk.sys, tri_ref_slot(target))),
	    r);
	tri_store_relaxed(&r->holds, 0u);
	tri_monitor_end(c, r);
}

tr_monitor_id
tr_monitor(struct tr_self *self, tr_ref actor, uint32_t tag, uint64_t cookie)
{
	struct tri_crew *c = tri_crew_of(self);
	struct tri_record *r = monitor_new(c, actor, tag, cookie);
	uint64_t id;

	if (r == NULL)
		return 0;
	id = tri_record_id(r);
	r->msg = (struct tr_msg){
		.sender = c->turn.ref.bits,
		.offset = sizeof(struct tr_msg),
		.kind = TRI_MSG_MONITOR,
		.size_class = TRI_CLASS_EMBEDDED,
	};
	tri_store_relaxed(&r->holds, (uint32_t)TRI_HOLD_SENT);
	tri_deliver_control(c, actor, &r->msg);
	return id;
}

int
tr_demonitor(struct tr_self *self, tr_monitor_id monitor)
{
	struct tri_crew *c = tri_crew_of(self);
	struct tri_record *r = tri_record_find(c, monitor, TRI_RECORD_MONITOR);

	if (r == NULL)
		return TR_EINVAL;
	tri_monitor_end(c, r);
	return TR_OK;
}
