/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What ends actors: themselves, a failure, a stop, a kill.  How they end is in
 * die.c.
 */
#include "actors/keep.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ------------------------------------------------- ending oneself ------- */

int
tr_exit(struct tr_self *self, int reason)
{
	struct tri_crew *c = tri_crew_of(self);

	if (c->turn.ended || c->turn.stopping)
		return TR_OK; /* the first reason counts */
	c->turn.ended = true;
	c->turn.reason = (struct tr_reason){ .code = reason };
	return TR_OK;
}

int
tr_fail(struct tr_self *self, int code, const char *format, ...)
{
	struct tri_crew *c = tri_crew_of(self);
	va_list ap;

	if (code == TR_OK)
		code = TR_EINVAL;
	if (c->turn.stopping)
		return code;
	c->turn.ended = true;
	c->turn.failed = true;
	c->turn.reason.code = code;
	va_start(ap, format);
	vsnprintf(c->turn.reason.text, sizeof(c->turn.reason.text), format, ap);
	va_end(ap);
	return code;
}

/* A handler returned something else than TR_OK. */
void
tri_turn_fail(struct tri_crew *c, int code)
{
	if (c->turn.failed)
		return; /* it called tr_fail, and that says more */
	c->turn.ended = true;
	c->turn.failed = true;
	c->turn.reason = (struct tr_reason){ .code = code };
}

/* ----------------------------------------------------- ending others ---- */

/* Set a flag of an actor, if it is still that one. */
static bool
ident_set(struct tr_system *sys, tr_ref actor, uint64_t flag)
{
	struct tr_self *a = tri_cell_find(sys, actor);
	uint64_t ident;

	if (a == NULL)
		return false;
	ident = tri_load_relaxed(&a->ident);
	do {
		if ((uint32_t)ident != tri_ref_generation(actor))
			return false;
	} while (!tri_cas_weak_acq_rel(&a->ident, &ident, ident | flag));
	return true;
}

void
tri_kill(struct tri_crew *c, tr_ref actor)
{
	/* The flag overtakes what is queued, the message wakes the actor. */
	if (ident_set(c->desk.sys, actor, TRI_IDENT_KILL))
		tri_tell_end(c, actor, TRI_MSG_KILL);
}

int
tr_kill(struct tr_self *self, tr_ref actor)
{
	tri_kill(tri_crew_of(self), actor);
	return TR_OK;
}

void
tri_life_deadline(struct tri_crew *c, struct tri_record *r)
{
	tr_ref actor = { r->u.asker };

	/* The life it was set for. */
	if (tri_keep_life(c->desk.sys, actor) == tri_load_relaxed(&r->missed))
		tri_kill(c, actor);
	tri_record_free(c, r);
}

int
tr_stop(struct tr_self *self, tr_ref actor, int64_t deadline)
{
	struct tri_crew *c = tri_crew_of(self);
	struct tri_record *r;
	int rc = TR_OK;

	if (deadline != INT64_MAX) {
		r = tri_record_new_free(c, TRI_RECORD_DEADLINE);
		if (r != NULL) {
			r->u.asker = actor.bits;
			tri_store_relaxed(&r->missed,
			    tri_keep_life(c->desk.sys, actor));
			r->node.deadline = deadline;
			tri_record_arm(c, r);
		} else {
			rc = TR_ENOMEM;
		}
	}
	tri_tell_end(c, actor, TRI_MSG_STOP);
	return rc;
}
