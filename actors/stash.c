/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stash and become: an actor that handles its messages in another order, or
 * in another way.
 *
 * The stash is a list, and the cold part has both its ends, so that it costs the
 * same to give one message back as it did to put it aside.  The next ones are
 * fetched then, for what has waited for long is not in the cache any more.  A
 * stashed message was taken out of the mailbox and is not handled yet: it counts
 * as queued, a request among it keeps its duty, and the actor's end makes dead
 * letters of it.
 */
#include "actors/send.h"

enum {
	STASH_MAX = 65536,
	STASH_OTHERS = 64, /* that are put aside with one */
};

/* In units of 32 bytes, as `ahead`; 0: it is not a number of those. */
static int32_t
stash_distance(const struct tr_msg *from, const struct tr_msg *to)
{
	intptr_t bytes = (intptr_t)to - (intptr_t)from;
	int32_t units = (int32_t)(bytes / 32);

	return (intptr_t)units * 32 == bytes ? units : 0;
}

/* Behind the newest one.  Whoever is handled fetches what comes two later (jump
 * pointers: Roth and Sohi, ISCA 1999); until that has come, `ahead` says
 * where the one before is, which has to be told. */
static void
stash_behind(struct tr_msg *newest, bool alone, struct tr_msg *m)
{
	struct tr_msg *before;

	if (!alone && newest->ahead != 0) {
		before = tri_inlet_ahead(newest);
		before->ahead = stash_distance(before, m);
	}
	m->ahead = stash_distance(m, newest);
	newest->link = m;
}

static void
stash_append(struct tri_cold *cold, struct tr_msg *m)
{
	m->ahead = 0;
	m->link = NULL;
	if (cold->stash_oldest == NULL)
		cold->stash_oldest = m;
	else
		stash_behind(cold->stash_newest, cold->stashed == 1, m);
	cold->stash_newest = m;
	cold->stashed++;
}

static void
stash_put(struct tri_crew *c, struct tr_msg *m)
{
	struct tr_self *a = c->turn.cell;

	if ((tri_load_relaxed(&a->ident) & TRI_IDENT_COLD) == 0)
		tri_fetch_or_acq_rel(&a->ident, TRI_IDENT_COLD);
	stash_append(tri_cold(c->desk.sys, a), m);
}

struct tr_msg *
tri_stash_take(struct tri_cold *cold)
{
	struct tr_msg *m = cold->stash_oldest;

	if (m == NULL)
		return NULL;
	cold->stash_oldest = m->link;
	cold->stashed--;
	return m;
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

/*
 * What would come next is put aside, too, up to what needs a look.  The last that is
 * pending stays there: others may know it as the newest (backlog.h), and add to
 * it.
 */
static void
stash_others(struct tri_crew *c, struct tr_self *a)
{
	struct tri_cold *cold = tri_cold(c->desk.sys, a);
	struct tr_msg *m = a->pending, *next;
	uint32_t n = 0, most = STASH_MAX - cold->stashed;

	if (most > STASH_OTHERS)
		most = STASH_OTHERS;
	for (; n < most && m != NULL && (next = m->link) != NULL &&
	     tri_msg_is_simple(m, TRI_MSG_PLAIN);
	     n++) {
		tri_inlet_fetch_ahead(m);
		stash_append(cold, m);
		m = next;
	}
	a->pending = m;
	tri_store_relaxed(&a->taken, tri_load_relaxed(&a->taken) - n);
}

int
tr_stash_all(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	int rc = tr_stash(self, msg);

	(void)state;
	if (rc == TR_OK &&
	    tri_load_relaxed(&self->behavior)->receive == tr_stash_all &&
	    tri_load_relaxed(&self->ident) >> TRI_IDENT_CARE_SHIFT == 0)
		stash_others(tri_crew_of(self), self);
	return rc;
}

int
tr_unstash_n(struct tr_self *self, unsigned max)
{
	struct tri_crew *c = tri_crew_of(self);
	struct tri_cold *cold = tri_cold(c->desk.sys, self);
	struct tr_msg *first = NULL, *last = NULL, *m;
	uint32_t n = 0;

	if ((tri_load_relaxed(&self->ident) & TRI_IDENT_COLD) == 0)
		return TR_OK;
	for (; n < max && (m = tri_stash_take(cold)) != NULL; n++) {
		if (last == NULL)
			first = m;
		else
			last->link = m;
		last = m;
	}
	if (last == NULL)
		return TR_OK;
	/* The next may be wanted soon. */
	tri_stash_fetch(cold);
	/* Nothing may be pending before a message that is still in place. */
	tri_turn_detach(c);
	last->link = self->pending;
	self->pending = first;
	tri_store_relaxed(&self->taken, tri_load_relaxed(&self->taken) + n);
	return TR_OK;
}

int
tr_unstash(struct tr_self *self)
{
	return tr_unstash_n(self, STASH_MAX);
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
