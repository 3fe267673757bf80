/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A timer that needs no memory: for what is to be tried again when there was
 * none.
 *
 * It is made with the supervisor, as a repeating timer that falls due never,
 * and is not given back before it ends.  Arming it puts its record into the
 * wheel; its tick is handled like any other, and afterwards the runtime arms it
 * again after its period: never, unless somebody wanted it meanwhile.
 */
#include "actors/supervise/supervise.h"

static struct tri_record *
pause_record(struct tr_self *self, const struct tri_pause *p)
{
	struct tri_record *r =
	    tri_record_find(tri_crew_of(self), p->timer, TRI_RECORD_TIMER);

	TR_ASSERT(r != NULL);
	return r;
}

bool
tri_pause_init(struct tr_self *self, struct tri_pause *p)
{
	*p = (struct tri_pause){
		.timer = tr_repeat(self, INT64_MAX, TRI_SUPER_PAUSE, 0),
	};
	return p->timer != 0;
}

void
tri_pause_arm(struct tr_self *self, struct tri_pause *p)
{
	struct tri_record *r;

	if (p->armed)
		return;
	p->armed = true;
	r = pause_record(self, p);
	if (p->ticking) {
		r->u.period_ns = -TRI_PAUSE_NS;
		return;
	}
	r->node.deadline = tr_in(self, TRI_PAUSE_NS);
	tri_record_arm(tri_crew_of(self), r);
}

void
tri_pause_begin(struct tr_self *self, struct tri_pause *p)
{
	p->armed = false;
	p->ticking = true;
	pause_record(self, p)->u.period_ns = -INT64_MAX;
}

void
tri_pause_end(struct tri_pause *p)
{
	p->ticking = false;
}
