/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One child: it is started, told to end, and what its bond says of it.
 *
 *     DOWN -> STARTING -> RUNNING        a new actor, or the next life of a
 *     HELD -> STARTING -> RUNNING        held one
 *     STARTING, RUNNING -> HELD, DOWN    it has failed to start, or ended
 *     STARTING, RUNNING -> STOPPING      it was told to end
 *     STOPPING -> HELD, DOWN             and has
 *     HELD -> LEAVING -> DOWN            it is let go
 *
 * Which ends lead to HELD the bond's policy says: those after which the child
 * would be started again and, while it is stopped for the sake of another's
 * restart, all; none when it is stopped for good.
 */
#include "actors/supervise/supervise.h"

#include <stdio.h>

const char *
tri_why(struct tri_why *w, const struct tr_reason *why)
{
	if (why->code == TR_NORMAL)
		snprintf(w->text, sizeof(w->text), "ended");
	else
		snprintf(w->text, sizeof(w->text), "%d %s%s%s", why->code,
		    tr_strerror(why->code), why->text[0] != '\0' ? ": " : "",
		    why->text);
	return w->text;
}

/* -------------------------------------------------------------- starting - */

static enum tri_keep_policy
kid_policy(const struct tri_kid *kid)
{
	switch (kid->spec->restart) {
	case TR_PERMANENT: return TRI_KEEP_ALL;
	case TR_TRANSIENT: return TRI_KEEP_FAILED;
	case TR_TEMPORARY: break;
	}
	return TRI_KEEP_NONE;
}

static const struct tr_behavior *
kid_behavior(const struct tri_kid *kid)
{
	return kid->spec->supervisor != NULL ? &tri_supervisor_behavior :
					       kid->spec->behavior;
}

static const void *
kid_arg(const struct tri_kid *kid)
{
	return kid->spec->supervisor != NULL ? kid->spec->supervisor : kid->arg;
}

static int
kid_spawn(struct tr_self *self, struct tri_super *s, struct tri_kid *kid)
{
	struct tri_crew *c = tri_crew_of(self);
	struct tr_spawn_options options = { 0 };
	struct tri_keep_options keep = {
		.policy = kid_policy(kid),
		.late_start = kid->spec->supervisor != NULL,
		.drop_mailbox = kid->spec->drop_mailbox,
		.cookie = (uintptr_t)kid,
	};
	int error = TR_ENOMEM;
	tr_ref ref;

	if (kid->spec->options != NULL)
		options = *kid->spec->options;
	options.name = kid->spec->name;
	ref = tri_keep_spawn(c, kid_behavior(kid), kid_arg(kid), &options,
	    &keep, &kid->bond, &error);
	if (!tr_ref_valid(ref))
		return error;
	s->bonds++;
	tri_kid_set_ref(&s->kids, &c->desk.sys->env->memory, kid, ref);
	return TR_OK;
}

int
tri_kid_start(struct tr_self *self, struct tri_super *s, struct tri_kid *kid)
{
	struct tri_crew *c = tri_crew_of(self);
	int rc;

	TR_ASSERT(kid->todo.kind == TRI_TODO_NONE && !kid->waits);
	if (kid->state == TRI_KID_HELD) {
		tri_keep_set_policy(kid->bond, kid_policy(kid));
		rc = tri_keep_restart(c, kid->bond, kid_behavior(kid),
		    kid_arg(kid));
	} else {
		rc = kid_spawn(self, s, kid);
	}
	kid->no_room = rc != TR_OK;
	if (rc != TR_OK) {
		kid->last = (struct tr_reason){ .code = rc };
		return rc;
	}
	kid->since = 0;
	kid->for_good = false;
	kid->state = TRI_KID_STARTING;
	return TR_OK;
}

/* ------------------------------------------------------------- stopping -- */

/* It ended as it was told, more or less, or just before. */
static void
kid_note_stopped(struct tr_system *sys, const struct tri_super *s,
    const struct tri_kid *kid)
{
	int code = kid->last.code;
	struct tri_why why;

	if (code == TR_SHUTDOWN || code == TR_NORMAL || code == TR_KILLED)
		return;
	tri_log(sys, TR_LOG_WARNING,
	    "supervisor %s: child %s failed while it was stopped: %s",
	    tri_spec_name(s->spec), kid->spec->id, tri_why(&why, &kid->last));
}

/* It waits for nothing any more.  One that has ended by itself meanwhile, and
 * whose turn did not come, has failed while it was stopped. */
static void
kid_calm(struct tr_self *self, const struct tri_super *s, struct tri_kid *kid)
{
	if (kid->todo.kind == TRI_TODO_END)
		kid_note_stopped(tr_system_of(self), s, kid);
	tri_super_undo(&kid->todo);
	if (!kid->waits)
		return;
	kid->waits = false;
	if (kid->timer != 0)
		(void)tr_timer_cancel(self, kid->timer);
	kid->timer = 0;
}

/* By force, for the polite way cannot be timed. */
static void
kid_kill_untimed(struct tr_self *self, struct tri_super *s, struct tri_kid *kid)
{
	struct tri_crew *c = tri_crew_of(self);

	tri_log(c->desk.sys, TR_LOG_WARNING,
	    "supervisor %s: no memory to wait for child %s to end: killed",
	    tri_spec_name(s->spec), kid->spec->id);
	tri_kill(c, kid->ref);
}

/* It runs: tell it, and see to it that it does not take too long. */
static void
kid_tell_timed(struct tr_self *self, struct tri_super *s, struct tri_kid *kid)
{
	struct tri_crew *c = tri_crew_of(self);
	int64_t shutdown = tri_spec_shutdown(kid->spec);

	if (shutdown == TR_BRUTAL_KILL) {
		tri_kill(c, kid->ref);
		return;
	}
	tri_tell_end(c, kid->ref, TRI_MSG_STOP);
	if (shutdown == TR_INFINITE)
		return;
	kid->timer =
	    tr_after(self, shutdown, TRI_SUPER_DEADLINE, (uintptr_t)kid);
	if (kid->timer == 0)
		kid_kill_untimed(self, s, kid);
}

/* What is not held any more ends. */
static void
kid_let_go(struct tr_self *self, struct tri_kid *kid)
{
	kid->state = TRI_KID_LEAVING;
	tri_keep_release(tri_crew_of(self), kid->bond);
}

static void
kid_commit(struct tri_kid *kid, bool for_good)
{
	if (kid->state == TRI_KID_STOPPING && kid->for_good >= for_good)
		return; /* it was told already */
	kid->for_good = for_good;
	tri_keep_set_policy(kid->bond, for_good ? TRI_KEEP_NONE : TRI_KEEP_ALL);
}

bool
tri_kid_stop(struct tr_self *self, struct tri_super *s, struct tri_kid *kid,
    bool for_good)
{
	if (tri_kid_is_temporary(kid))
		for_good = true;
	kid_calm(self, s, kid);
	if (kid->state == TRI_KID_DOWN ||
	    (kid->state == TRI_KID_HELD && !for_good))
		return true;
	if (kid->state == TRI_KID_LEAVING)
		return false;
	kid_commit(kid, for_good);
	if (kid->state == TRI_KID_HELD) {
		kid_let_go(self, kid);
	} else if (kid->state != TRI_KID_STOPPING) {
		kid->state = TRI_KID_STOPPING;
		kid_tell_timed(self, s, kid);
	}
	return false;
}

void
tri_kid_tell(struct tr_self *self, const struct tri_super *s,
    struct tri_kid *kid, bool kill)
{
	struct tri_crew *c = tri_crew_of(self);
	bool told = kid->state == TRI_KID_STOPPING;

	kid_calm(self, s, kid);
	if (kid->state == TRI_KID_DOWN || kid->state == TRI_KID_LEAVING)
		return;
	kid_commit(kid, true);
	if (kid->state == TRI_KID_HELD) {
		kid_let_go(self, kid);
		return;
	}
	kid->state = TRI_KID_STOPPING;
	if (kill)
		tri_kill(c, kid->ref);
	else if (!told)
		tri_tell_end(c, kid->ref, TRI_MSG_STOP);
}

void
tri_kid_deadline(struct tr_self *self, struct tri_super *s, struct tri_kid *kid)
{
	struct tri_crew *c = tri_crew_of(self);

	kid->timer = 0;
	tri_log(c->desk.sys, TR_LOG_WARNING,
	    "supervisor %s: child %s did not end within %lld ms: killed",
	    tri_spec_name(s->spec), kid->spec->id,
	    (long long)(tri_spec_shutdown(kid->spec) / 1000000));
	tri_kill(c, kid->ref);
}

/* -------------------------------------------------------------- waiting -- */

void
tri_kid_wait(struct tr_self *self, struct tri_super *s, struct tri_kid *kid,
    int64_t delay_ns)
{
	kid->waits = true;
	kid->timer = tr_after(self, delay_ns, TRI_SUPER_RETRY, (uintptr_t)kid);
	if (kid->timer != 0)
		return;
	kid->todo.kind = TRI_TODO_PAUSE;
	tri_ring_append(&s->paused, &kid->todo.ring);
	tri_pause_arm(self, &s->pause);
}

void
tri_kid_retry(struct tri_super *s, struct tri_kid *kid)
{
	kid->timer = 0;
	tri_super_todo(s, &kid->todo, TRI_TODO_RETRY);
}

void
tri_kids_unpause(struct tri_super *s)
{
	while (!tri_ring_is_empty(&s->paused)) {
		struct tri_todo *todo =
		    tri_container_of(s->paused.next, struct tri_todo, ring);

		tri_super_undo(todo);
		tri_super_todo(s, todo, TRI_TODO_RETRY);
	}
}

/* ------------------------------------------------------ what became of it - */

static bool
kid_is_at_hand(const struct tri_super *s, const struct tri_kid *kid)
{
	return s->op.kind != TRI_OP_NONE && s->op.at == kid &&
	    s->op.result == TRI_START_WAITS;
}

/* It has ended, and is HELD or DOWN: what that means. */
static void
kid_has_ended(struct tr_self *self, struct tri_super *s, struct tri_kid *kid,
    enum tri_kid_state before, bool ignored)
{
	if (kid->timer != 0)
		(void)tr_timer_cancel(self, kid->timer);
	kid->timer = 0;
	if (before == TRI_KID_STOPPING ||
	    (before == TRI_KID_RUNNING && s->ending)) {
		kid_note_stopped(tr_system_of(self), s, kid);
	} else if (before == TRI_KID_STARTING) {
		if (kid_is_at_hand(s, kid))
			s->op.result =
			    ignored ? TRI_START_DONE : TRI_START_FAILED;
	} else if (before == TRI_KID_RUNNING) {
		tri_super_todo(s, &kid->todo, TRI_TODO_END);
	}
}

static void
kid_started(struct tr_self *self, struct tri_super *s, struct tri_kid *kid)
{
	if (kid->state != TRI_KID_STARTING)
		return; /* it was told to end meanwhile */
	kid->state = TRI_KID_RUNNING;
	kid->since = tr_now(self);
	if (kid_is_at_hand(s, kid))
		s->op.result = TRI_START_DONE;
}

static void
kid_held(struct tr_self *self, struct tri_super *s, struct tri_kid *kid)
{
	enum tri_kid_state before = (enum tri_kid_state)kid->state;

	kid->state = TRI_KID_HELD;
	kid_has_ended(self, s, kid, before, false);
	if (before == TRI_KID_STOPPING && kid->for_good)
		kid_let_go(self, kid);
}

static void
kid_ended(struct tr_self *self, struct tri_super *s, struct tri_kid *kid,
    bool ignored)
{
	struct tri_crew *c = tri_crew_of(self);
	enum tri_kid_state before = (enum tri_kid_state)kid->state;

	tri_keep_forget(c, kid->bond);
	kid->bond = NULL;
	kid->state = TRI_KID_DOWN;
	s->bonds--;
	tri_kid_set_ref(&s->kids, &c->desk.sys->env->memory, kid, TR_REF_NONE);
	kid_has_ended(self, s, kid, before, ignored);
}

int
tri_supervisor_notice(struct tr_self *self, void *state,
    const struct tri_keep_notice *notice)
{
	struct tri_kid *kid = (struct tri_kid *)(uintptr_t)notice->cookie;
	struct tri_super *s = state;
	bool ended = (notice->events & (TRI_KEEP_HELD | TRI_KEEP_ENDED)) != 0;

	if (notice->events & TRI_KEEP_STARTED) {
		kid_started(self, s, kid);
		/* Who has asked for it is told so, whatever came of it since.
		 * (Its bond is left, so this is not the supervisor's end.) */
		if (ended)
			(void)tri_super_go_on(self, s);
	}
	/* One that was held had ended before. */
	if (ended && kid->state != TRI_KID_LEAVING)
		kid->last = notice->why;
	if (notice->events & TRI_KEEP_HELD)
		kid_held(self, s, kid);
	if (notice->events & TRI_KEEP_ENDED)
		kid_ended(self, s, kid,
		    (notice->events & TRI_KEEP_IGNORED) != 0);
	return tri_super_go_on(self, s);
}
