/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of a long backlog.
 *
 * The inlet is looked at when nothing is pending.  Who has a hundred thousand
 * messages pending has many turns before that, and between two of them others on the
 * same worker send it a hundred more: in the end there is a list of a hundred
 * thousand in the inlet, in no cache any more, to be turned round one cache miss
 * after the other, and all of it again.  In a pipeline one such backlog wanders from
 * stage to stage.
 *
 * So what an actor's own worker has pushed since its last turn is taken at the end of
 * this one, hot, and put behind what is pending.  That takes to know where it ends:
 * it is the newest message of the list that was taken last.  The worker's own queue
 * hands that on from turn to turn (a note, sched/share.c); the queue for all does
 * not, so it is remembered beside the mailbox as well.  Whoever has the actor next
 * looks at it before anything is handled, and only if a next message has not been
 * appended without it.
 *
 * What another core has pushed is not hot here, and tells besides that the mailbox
 * had better move (apart.h), or be gathered with others (gather.c): it waits.
 *
 * Measured (radixsort of the suite, a million values through sixty stages, two
 * workers): 3 to 10 % less for a hop, 13.4 to 12.8 ns in the last of six sets of turns;
 * what is left of long lists is of the other core's blocks.
 */
#include "actors/backlog.h"

#include "actors/gather.h"

enum { HOT = 1024 }; /* messages: 64 KiB */

struct tr_msg *
tri_backlog_recall(const struct tri_crew *c, struct tr_self *a)
{
	struct tri_aside *p = tri_aside(c->desk.sys, a);
	struct tr_msg *tail = p->tail;

	if (tail == NULL)
		return NULL;
	p->tail = NULL;
	return tail->link == NULL ? tail : NULL;
}

struct tr_msg *
tri_backlog_absorb(struct tri_crew *c, struct tr_self *a, struct tr_msg *newest)
{
	struct tr_msg *before = newest;
	struct tri_inlet *in;
	uint64_t head;
	uint32_t n;

	if (newest == NULL)
		return NULL;
	in = tri_inlet_of(c->desk.sys, a);
	head = tri_inlet_look_owner(in);
	n = tri_inlet_length(head);
	if (!tri_inlet_is_msg(head) || !tri_gather_is_worth(&c->worker, n) ||
	    n > HOT || tri_has_parked(c->desk.sys, a, in) ||
	    tri_apart_is_far(c, tri_inlet_msg(head)))
		return newest;
	TR_DASSERT(before->link == NULL);
	before->link = tri_inlet_take_noted(in, TRI_INLET_RUNNING,
	    tri_ref_generation(c->turn.ref), &newest, &n);
	tri_store_relaxed(&a->taken, tri_load_relaxed(&a->taken) + n);
	return newest;
}
