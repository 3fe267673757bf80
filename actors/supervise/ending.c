/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A supervisor's own end: its children in the reverse order of their start, one
 * after the other; side by side, and with one deadline for all of them, if it
 * is a simple_one_for_one supervisor, or if it was killed.
 *
 * Whatever it was about is over then.  Requests that wait are answered by its
 * death.
 *
 * Side by side means perhaps a hundred thousand: they are told in slices, with
 * a message to itself in between, so that the worker has time for others.
 */
#include "actors/supervise/supervise.h"

#include <stdio.h>
#include <string.h>

enum { SLICE = 512 };

/* --------------------------------------------------------- it shall end -- */

static void
end_because(struct tri_super *s, const struct tr_reason *why)
{
	s->why = *why;
	s->ending = true;
	s->op.kind = TRI_OP_NONE; /* who has asked for it has still asked */
	s->tell = s->kids.order.next;
}

void
tri_super_end(struct tri_super *s, int code, const char *text)
{
	struct tr_reason why = { .code = code };

	if (s->ending)
		return;
	memcpy(why.text, text, strnlen(text, sizeof(why.text) - 1));
	end_because(s, &why);
}

void
tri_super_fail(struct tri_super *s, const struct tri_kid *kid)
{
	struct tr_reason why = { .code = kid->last.code };
	char text[TR_CHILD_ID_MAX + 64];

	snprintf(text, sizeof(text), "%s: %.40s", kid->spec->id,
	    kid->last.text[0] != '\0' ? kid->last.text :
					tr_strerror(kid->last.code));
	memcpy(why.text, text, strnlen(text, sizeof(why.text) - 1));
	s->failed = true;
	end_because(s, &why);
}

void
tri_super_kill(struct tri_super *s)
{
	if (s->killed)
		return;
	s->killed = true;
	s->failed = false;
	end_because(s, &(struct tr_reason){ .code = TR_KILLED });
}

/* -------------------------------------------------------- side by side --- */

/* Its turn goes on in a later one. */
static int
ending_called(struct tri_crew *c, struct tr_self *a, struct tr_msg *m)
{
	(void)c;
	(void)m;
	return tri_super_go_on(a,
	    tri_actor_state(a, tri_load_relaxed(&a->behavior)));
}

/* A message to itself; false: no memory. */
static bool
ending_call(struct tr_self *self)
{
	struct tri_crew *c = tri_crew_of(self);
	tri_call_fn *fn = ending_called;
	struct tr_msg *m =
	    tri_msg_alloc(&c->desk, TRI_MSG_CALL, 0, 0, sizeof(fn));

	if (m == NULL)
		return false;
	m->sender = c->turn.ref.bits;
	memcpy(tri_msg_payload(m), &fn, sizeof(fn));
	tri_deliver_control(c, c->turn.ref, m);
	return true;
}

static int64_t
ending_time(const struct tri_super *s)
{
	return tri_spec_shutdown(&s->spec->children[0]);
}

static bool
ending_kills(const struct tri_super *s)
{
	return s->killed || s->timed_out || ending_time(s) == TR_BRUTAL_KILL;
}

/* They are killed, all those who are left. */
static void
ending_time_out(struct tr_self *self, struct tri_super *s, const char *why)
{
	tri_log(tr_system_of(self), TR_LOG_WARNING,
	    "supervisor %s: %u children are killed: %s", tri_spec_name(s->spec),
	    s->bonds, why);
	s->timed_out = true;
	s->tell = s->kids.order.next;
}

/* Their deadline, once all are told. */
static void
ending_arm(struct tr_self *self, struct tri_super *s)
{
	int64_t time = ending_time(s);

	if (time == TR_INFINITE || s->bonds == 0)
		return;
	s->deadline = tr_after(self, time, TRI_SUPER_DEADLINES, 0);
	if (s->deadline == 0)
		ending_time_out(self, s, "no memory to wait for their end");
}

static void
ending_tell(struct tr_self *self, struct tri_super *s)
{
	unsigned n = 0;

	while (s->tell != &s->kids.order) {
		struct tri_kid *kid =
		    tri_container_of(s->tell, struct tri_kid, order);
		bool kill = ending_kills(s);

		if (n++ >= SLICE && ending_call(self))
			return;
		s->tell = s->tell->next;
		tri_kid_tell(self, s, kid, kill);
		if (s->tell == &s->kids.order && !kill)
			ending_arm(self, s);
	}
}

void
tri_super_deadline(struct tr_self *self, struct tri_super *s)
{
	s->deadline = 0;
	ending_time_out(self, s, "they did not end in time");
}

/* ---------------------------------------------------------- its steps ---- */

/* Nobody is left. */
static int
ending_finish(struct tr_self *self, struct tri_super *s)
{
	struct tri_crew *c = tri_crew_of(self);

	if (s->failed)
		return tr_fail(self, s->why.code, "%s", s->why.text);
	(void)tr_exit(self, s->why.code);
	c->turn.reason = s->why;
	return TR_OK;
}

int
tri_super_ending(struct tr_self *self, struct tri_super *s)
{
	const struct tri_memory *memory = &tr_system_of(self)->env->memory;
	struct tri_kid *kid;

	if (s->killed || tri_super_is_simple(s)) {
		ending_tell(self, s);
		return s->bonds == 0 ? ending_finish(self, s) : TR_OK;
	}
	while ((kid = tri_kids_last(&s->kids)) != NULL) {
		if (!tri_kid_stop(self, s, kid, true))
			return TR_OK;
		tri_kid_free(&s->kids, memory, kid);
	}
	return ending_finish(self, s);
}
