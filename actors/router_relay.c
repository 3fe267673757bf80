/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Routers that count: asks made in the asker's stead.
 *
 * LEAST LOADED has to know when an ask has ended.  There the router puts an
 * ask of its own between: the request's block is re-addressed to it, and it
 * keeps two records, the ask it waits for and the duty to answer the asker.
 * The answer's block is re-addressed in turn.  If the router dies, its duties
 * end as any actor's do, with TR_EDEAD.  Its ask is marked as a relay of the
 * asker's, so that a callee sees through it whether the asker has cancelled.
 */
#include "actors/router.h"

enum { RELAYS_FIRST = 16 };

/* A free entry; TRI_RELAY_NONE: no memory. */
static uint32_t
relay_new(struct tr_system *sys, struct tri_router *r)
{
	uint32_t i = r->relay_free, room = r->relay_room;
	void *array = r->relay;

	if (i == TRI_RELAY_NONE) {
		if (!tri_router_grow(&sys->env->memory, &array, &r->relay_room,
			sizeof(*r->relay), room > 0 ? room * 2 : RELAYS_FIRST))
			return TRI_RELAY_NONE;
		r->relay = array;
		for (i = r->relay_room; i-- > room; r->relay_free = i)
			r->relay[i].at = r->relay_free;
		i = room;
	}
	r->relay_free = r->relay[i].at;
	r->relays++;
	return i;
}

static void
relay_free(struct tri_router *r, uint32_t i)
{
	r->relay[i].at = r->relay_free;
	r->relay_free = i;
	r->relays--;
}

/* One ask less for the entry it was counted for, if that is still there. */
static void
relay_uncount(struct tri_router *r, const struct tri_relay *relay)
{
	uint32_t i = relay->at;

	if (i >= r->count || r->routee[i].serial != relay->serial)
		for (i = 0;
		     i < r->count && r->routee[i].serial != relay->serial; i++)
			;
	if (i < r->count)
		r->routee[i].asks--;
}

/* The answer, or what else ended the router's ask. */
static int
router_answered(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct tri_crew *c = tri_crew_of(self);
	struct tri_router *r = state;
	struct tri_relay *relay = &r->relay[cookie];
	struct tri_record *duty =
	    tri_record_find(c, relay->duty, TRI_RECORD_DUTY);
	struct tr_msg *m = c->turn.msg;
	bool shrunk = relay->shrunk;
	tr_ref asker;

	(void)answer;
	TR_ASSERT(duty != NULL);
	relay_uncount(r, relay);
	relay_free(r, (uint32_t)cookie);
	if (m->kind != TRI_MSG_REPLY && !shrunk) {
		/* The deadline, and the asker knows that one itself. */
		tri_record_end(c, duty);
	} else if (outcome != TR_OK) {
		tri_duty_end(c, duty, outcome);
	} else {
		m = tri_router_take(c);
		asker.bits = duty->u.asker;
		tri_msg_reply(m)->ask = duty->cookie;
		tri_record_end(c, duty);
		tri_deliver(c, asker, m);
	}
	return TR_OK;
}

/* The records of an ask that is passed on.  false: no memory. */
static bool
relay_records(struct tri_crew *c, struct tri_record **ask,
    struct tri_record **duty)
{
	*ask = tri_record_new(c, TRI_RECORD_ASK);
	if (*ask == NULL)
		return false;
	*duty = tri_record_new(c, TRI_RECORD_DUTY);
	if (*duty == NULL)
		tri_record_end(c, *ask);
	return *duty != NULL;
}

/* Put an ask of the router's between.  NULL: no memory, it is passed on as it
 * is and not counted. */
static struct tri_record *
relay_begin(struct tri_crew *c, struct tri_router *r, struct tr_msg *m)
{
	struct tri_msg_ask *ext = tri_msg_ask(m);
	uint32_t i = relay_new(c->desk.sys, r);
	struct tri_record *ask, *duty;

	if (i == TRI_RELAY_NONE)
		return NULL;
	if (!relay_records(c, &ask, &duty)) {
		relay_free(r, i);
		return NULL;
	}
	duty->u.asker = m->sender;
	duty->cookie = ext->ask;
	r->relay[i].duty = tri_record_id(duty);
	ask->u.answer = router_answered;
	ask->cookie = i;
	ask->node.deadline = ext->deadline;
	tri_record_relay(ask, ext->ask);
	if (ext->deadline != INT64_MAX)
		tri_record_arm(c, ask);
	/* The router does know of it, and tells. */
	r->relay[i].shrunk = (m->flags & TRI_MSG_SHRUNK) != 0;
	m->flags &= (uint8_t)~TRI_MSG_SHRUNK;
	ext->ask = tri_record_id(ask);
	m->sender = c->turn.ref.bits;
	tri_seen(c->desk.sys, TRI_EVENT_ASKED, c->turn.ref, m, ext->ask, 0);
	return ask;
}

/* Nobody was there to ask: the request is the asker's again. */
static void
relay_undo(struct tri_crew *c, struct tri_router *r, struct tr_msg *m,
    struct tri_record *ask)
{
	uint32_t i = (uint32_t)ask->cookie;
	struct tri_record *duty =
	    tri_record_find(c, r->relay[i].duty, TRI_RECORD_DUTY);

	m->sender = duty->u.asker;
	tri_msg_ask(m)->ask = duty->cookie;
	if (r->relay[i].shrunk)
		m->flags |= TRI_MSG_SHRUNK;
	tri_record_end(c, duty);
	tri_seen(c->desk.sys, TRI_EVENT_ASK_LEFT, c->turn.ref, NULL,
	    tri_record_id(ask), 0);
	tri_record_end(c, ask);
	relay_free(r, i);
}

void
tri_router_relay(struct tri_crew *c, struct tri_router *r, struct tr_msg *m)
{
	struct tri_record *ask = relay_begin(c, r, m);
	uint32_t at;

	if (!tri_router_hand_on(c, r, m, &at)) {
		if (ask != NULL)
			relay_undo(c, r, m, ask);
		tri_router_lose(c, m, TR_DEAD_NO_ACTOR);
	} else if (ask != NULL) {
		struct tri_relay *relay = &r->relay[ask->cookie];

		relay->serial = r->routee[at].serial;
		relay->at = at;
		r->routee[at].asks++;
	}
}
