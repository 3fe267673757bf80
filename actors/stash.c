/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stash and become: an actor that handles its messages in another order, or
 * in another way.
 *
 * The stash is a list in the cold part, the newest first.  A stashed message
 * was taken out of the mailbox and is not handled yet: it counts as queued, a
 * request among it keeps its duty, and the actor's end makes dead letters of
 * it.
 */
#include "actors/send.h"

enum { STASH_MAX = 65536 };

static void
stash_put(struct tri_crew *c, struct tr_msg *m)
{
	struct tr_self *a = c->turn.cell;
	struct tri_cold *cold = tri_cold(c->desk.sys, a);

	if ((tri_load_relaxed(&a->ident) & TRI_IDENT_COLD) == 0)
		tri_fetch_or_acq_rel(&a->ident, TRI_IDENT_COLD);
	m->link = cold->stash;
	cold->stash = m;
	cold->stashed++;
}

/* A tick belongs to its timer: a copy is kept, and counts as sent. */
static int
stash_copy(struct tri_crew *c, struct tr_msg *m)
{
	struct tr_msg *copy = tri_msg_copy(c, m);

	if (copy == NULL)
		return TR_ENOMEM;
	tri_count(&c->desk.counts.sent, (uint64_t)1);
	stash_put(c, copy);
	return TR_OK;
}

int
tr_stash(struct tr_self *self, const struct tr_msg *msg)
{
	struct tri_crew *c = tri_crew_of(self);
	struct tr_msg *m = c->turn.msg;

	if (m == NULL || m != msg || m->kind > TRI_MSG_COUNTED ||
	    m->kind == TRI_MSG_REPLY || tri_tick_is_lent(m) ||
	    (m->kind == TRI_MSG_ASK && (m->flags & TRI_MSG_DUTY) == 0))
		return TR_EINVAL;
	if (tri_cold(c->desk.sys, self)->stashed == STASH_MAX)
		return TR_EFULL;
	if (m->size_class == TRI_CLASS_EMBEDDED)
		return stash_copy(c, m);
	tri_turn_detach(c);
	c->turn.msg = NULL;
	stash_put(c, m);
	/* This turn will count it as handled, and it is not. */
	tri_count(&self->handled, 0u - 1u);
	tri_count(&c->desk.counts.handled, (uint64_t)0 - 1);
	return TR_OK;
}

int
tr_unstash(struct tr_self *self)
{
	struct tri_crew *c = tri_crew_of(self);
	struct tri_cold *cold = tri_cold(c->desk.sys, self);
	struct tr_msg *m, *first;

	if ((tri_load_relaxed(&self->ident) & TRI_IDENT_COLD) == 0)
		return TR_OK;
	m = cold->stash;
	if (m == NULL)
		return TR_OK;
	/* Nothing may be pending before a message that is still in place. */
	tri_turn_detach(c);
	first = self->pending;
	while (m != NULL) {
		struct tr_msg *before = m->link;

		m->ahead = 0;
		m->link = first;
		first = m;
		m = before;
	}
	self->pending = first;
	tri_store_relaxed(&self->taken,
	    tri_load_relaxed(&self->taken) + cold->stashed);
	cold->stash = NULL;
	cold->stashed = 0;
	return TR_OK;
}

int
tr_become(struct tr_self *self, const struct tr_behavior *behavior)
{
	struct tri_crew *c = tri_crew_of(self);
	const struct tr_behavior *now = tri_load_relaxed(&self->behavior);

	if (behavior == NULL || behavior->receive == NULL ||
	    behavior->state_size != now->state_size || c->turn.stopping)
		return TR_EINVAL;
	/* rel: for dumps, which look at what it points to. */
	tri_store_release(&self->behavior, behavior);
	return TR_OK;
}
