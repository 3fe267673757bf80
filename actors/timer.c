/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers: records whose message is a tick.  In the actor's own turn.
 */
#include "actors/system.h"

#include <string.h>

enum { PERIOD_MIN_NS = 1000 };

static struct tr_tick *
timer_tick(struct tri_record *r)
{
	return (struct tr_tick *)(void *)r->payload;
}

_Static_assert(sizeof(struct tr_tick) == 24, "it fits into a record");
_Static_assert(offsetof(struct tri_record, payload) ==
	offsetof(struct tri_record, msg) + sizeof(struct tr_msg),
    "the payload follows the header");

static tr_timer
timer_arm(struct tr_self *self, int64_t first_ns, int64_t period_ns,
    uint32_t tag, uint64_t cookie)
{
	struct tri_crew *c = tri_crew_of(self);
	struct tri_record *r = tri_record_new(c, TRI_RECORD_TIMER);
	tr_timer id;

	if (r == NULL)
		return 0;
	id = tri_record_id(r);
	r->u.period_ns = period_ns;
	tri_store_relaxed(&r->missed, 0u);
	r->msg = (struct tr_msg){
		.tag = tag,
		.size = sizeof(struct tr_tick),
		.offset = sizeof(struct tr_msg),
		.kind = TRI_MSG_TICK,
		.size_class = TRI_CLASS_EMBEDDED,
	};
	*timer_tick(r) = (struct tr_tick){ .timer = id, .cookie = cookie };
	r->node.deadline = tr_in(self, first_ns);
	if (r->node.deadline != INT64_MAX)
		tri_record_arm(c, r);
	return id;
}

tr_timer
tr_after(struct tr_self *self, int64_t delay_ns, uint32_t tag, uint64_t cookie)
{
	return timer_arm(self, delay_ns, 0, tag, cookie);
}

/* The record's period is negative: armed again once a tick was handled. */
tr_timer
tr_repeat(struct tr_self *self, int64_t delay_ns, uint32_t tag, uint64_t cookie)
{
	if (delay_ns < PERIOD_MIN_NS)
		return 0;
	return timer_arm(self, delay_ns, -delay_ns, tag, cookie);
}

tr_timer
tr_every(struct tr_self *self, int64_t period_ns, uint32_t tag, uint64_t cookie)
{
	if (period_ns < PERIOD_MIN_NS)
		return 0;
	return timer_arm(self, period_ns, period_ns, tag, cookie);
}

int
tr_timer_cancel(struct tr_self *self, tr_timer timer)
{
	struct tri_crew *c = tri_crew_of(self);
	struct tri_record *r = tri_record_find(c, timer, TRI_RECORD_TIMER);

	if (r == NULL)
		return TR_EINVAL;
	tri_record_end(c, r);
	return TR_OK;
}

/* Its tick, which is in hand, was handled; if it has not been cancelled, the
 * next one follows, from this worker's wheel. */
static void
timer_rearm(struct tri_crew *c, struct tri_record *r)
{
	int64_t now = c->worker.env->now(c->worker.env);

	if (tri_load_acquire(&r->holds) & TRI_GONE)
		return;
	r->node.deadline = tri_time_after(now, -r->u.period_ns);
	if (r->node.deadline == INT64_MAX)
		return;
	r->home = (uint16_t)c->worker.index;
	/* SENT is still held, so this is no store. */
	tri_fetch_or_acq_rel(&r->holds, (uint32_t)TRI_HOLD_ARMED);
	tri_wheel_add(&c->worker.wheel, &r->node);
}

int
tri_timer_ticked(struct tri_crew *c, struct tr_self *a, struct tri_record *r,
    struct tr_msg *m)
{
	const struct tr_behavior *b = tri_load_relaxed(&a->behavior);
	bool repeats = r->u.period_ns < 0;
	int rc;

	m->flags &= (uint8_t)~TRI_MSG_LENT;
	timer_tick(r)->missed = tri_exchange_acquire(&r->missed, 0u);
	if (r->u.period_ns == 0)
		tri_record_end(c, r); /* the tick itself still holds it */
	rc = b->receive(a, tri_actor_state(a, b), m);
	if (repeats && rc == TR_OK && !c->turn.ended)
		timer_rearm(c, r);
	return rc;
}

/* -------------------------------------------------------------- clock --- */

int64_t
tr_now(struct tr_self *self)
{
	struct tri_crew *c = tri_crew_of(self);

	return c->worker.env->now(c->worker.env);
}

int64_t
tr_in(struct tr_self *self, int64_t delay_ns)
{
	return tri_time_after(tr_now(self), delay_ns);
}
