/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Care: what some actors need around each of their messages.
 *
 * The uppermost bits of an ident say that its actor was killed, that its
 * mailbox has gone over its bound, that its handlers have a time limit, or that
 * what they handle is to be recorded.  Whoever runs it looks at all of them by one shift, so an actor without any
 * pays for none; the others take the longer way (run.c), which asks here.
 *
 * The time limit is looked at when the handler has returned: C cannot end a
 * function from outside.  Its clock is read twice for each message of such an
 * actor.
 *
 * On the actor's worker.
 */
#include "actors/flight.h"
#include "actors/system.h"

#include <stdio.h>

enum { HANDLER_SECONDS_MAX = 3600 };

bool
tri_care_is_valid(const struct tr_spawn_options *o)
{
	return o->max_handler_ns >= 0 &&
	    o->max_handler_ns <= TR_SECONDS(HANDLER_SECONDS_MAX);
}

uint64_t
tri_care_set(struct tr_system *sys, struct tr_self *a,
    const struct tr_spawn_options *o)
{
	tri_intake(sys, a)->handler_us =
	    (uint32_t)((o->max_handler_ns + 999) / 1000);
	return TRI_IDENT_TIMED;
}

static void
care_end(struct tri_crew *c, struct tr_reason reason)
{
	c->turn.ended = true;
	c->turn.reason = reason;
}

bool
tri_care_ends(struct tri_crew *c, uint64_t ident)
{
	if ((ident & TRI_IDENT_KILL) != 0)
		care_end(c, (struct tr_reason){ .code = TR_KILLED });
	else if ((ident & TRI_IDENT_OVERFULL) != 0)
		care_end(c,
		    (struct tr_reason){ TR_EFULL, "mailbox over its bound" });
	else
		return false;
	return true;
}

void
tri_care_before(struct tri_crew *c, struct tr_self *a, uint64_t ident)
{
	struct tr_system *sys = c->desk.sys;

	if ((ident & TRI_IDENT_RECORDED) != 0)
		tri_flight_record(c->flight, c->turn.ref,
		    tri_load_relaxed(&a->behavior), c->turn.msg, c->worker.now);
	if ((ident & TRI_IDENT_TIMED) == 0)
		return;
	c->handler_since = sys->env->now(sys->env);
	c->handler_until =
	    c->handler_since + 1000 * (int64_t)tri_intake(sys, a)->handler_us;
}

/* It ends as if the handler had said so itself: the message was handled. */
static void
care_overdue(struct tri_crew *c, int64_t ran)
{
	struct tr_reason why = { .code = TR_ETIMEDOUT };
	bool ms = ran >= TR_MS(10);

	if (c->turn.ended)
		return; /* for a reason of its own */
	(void)snprintf(why.text, sizeof(why.text), "handler ran %u %s",
	    (unsigned)(ran / (ms ? TR_MS(1) : TR_US(1))), ms ? "ms" : "us");
	care_end(c, why);
}

void
tri_care_after(struct tri_crew *c, uint64_t ident)
{
	struct tr_system *sys = c->desk.sys;
	int64_t now;

	if ((ident & TRI_IDENT_TIMED) == 0)
		return;
	now = sys->env->now(sys->env);
	if (now > c->handler_until)
		care_overdue(c, now - c->handler_since);
	c->handler_until = INT64_MAX;
}

bool
tri_care_cancels(struct tri_crew *c, uint64_t ident)
{
	struct tr_system *sys = c->desk.sys;

	if ((ident & TRI_IDENT_KILL) != 0)
		return true;
	return c->handler_until != INT64_MAX &&
	    sys->env->now(sys->env) > c->handler_until;
}
