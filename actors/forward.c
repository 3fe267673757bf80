/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Handing a message on, as if its sender had sent it there.
 *
 * The message itself moves, and with it the duty to answer: the sender, the
 * asker's record and the deadline stay what they were, so the answer goes
 * straight to the asker, and its cancel and its deadline reach whoever has the
 * request by then.
 */
#include "actors/send.h"

/* A tick is part of its record, so a copy of it goes on. */
static int
forward_copy(struct tri_crew *c, tr_ref to, struct tr_msg *m)
{
	struct tr_msg *copy = tri_msg_copy(c, m);

	if (copy == NULL)
		return TR_ENOMEM;
	tri_deliver(c, to, copy);
	return TR_OK;
}

int
tr_forward(struct tr_self *self, tr_ref to, const struct tr_msg *msg)
{
	struct tri_crew *c = tri_crew_of(self);
	struct tr_msg *m = c->turn.msg;

	if (m == NULL || m != msg || m->kind > TRI_MSG_COUNTED ||
	    tri_tick_is_lent(m) ||
	    (m->kind == TRI_MSG_ASK && (m->flags & TRI_MSG_DUTY) == 0))
		return TR_EINVAL;
	if (m->size_class == TRI_CLASS_EMBEDDED)
		return forward_copy(c, to, m);
	tri_turn_detach(c);
	c->turn.msg = NULL;
	if (m->kind == TRI_MSG_REPLY)
		m->kind = TRI_MSG_PLAIN; /* the ask it answered has ended */
	tri_deliver(c, to, m);
	return TR_OK;
}

/* A taken ask: the duty moves from the record back into the message. */
static bool
forward_duty(struct tri_crew *c, struct tr_msg *m)
{
	struct tri_record *duty = tri_msg_lent_duty(c, m);
	struct tri_msg_ask *ask = tri_msg_ask(m);

	if (duty == NULL)
		return false;
	ask->deadline = duty->node.deadline;
	if (c->turn.deadline < ask->deadline) {
		/* The asker's record does not know of this one. */
		ask->deadline = c->turn.deadline;
		m->flags |= TRI_MSG_SHRUNK;
	}
	m->flags = (uint8_t)((m->flags & ~TRI_MSG_LENT) | TRI_MSG_DUTY);
	tri_record_end(c, duty);
	return true;
}

int
tr_forward_msg(struct tr_self *self, tr_ref to, struct tr_msg **msg)
{
	struct tri_crew *c = tri_crew_of(self);
	struct tr_msg *m = *msg;

	if (m == NULL)
		return TR_EINVAL;
	TR_ASSERT(tri_pool_of(m)->owner == c->desk.sys);
	if (m->kind == TRI_MSG_ASK && !forward_duty(c, m))
		return TR_EINVAL;
	*msg = NULL;
	if (m->kind == TRI_MSG_REPLY)
		m->kind = TRI_MSG_PLAIN;
	tri_deliver(c, to, m);
	return TR_OK;
}
