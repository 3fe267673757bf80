/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What concerns several children: stop these in reverse, then start those in
 * order; and what follows when one of them fails.
 *
 * An operation has a half that stops and one that starts, and either may be
 * empty.  Each goes from child to child, and waits for the one at hand; every
 * notice makes it look again (tri_super_go_on), so it does not matter what the
 * notice was.
 *
 * A RESTART that has to wait, for the backoff or because the start has failed
 * before, ends between its halves: the failed child `waits`, those that are
 * started with it stay held, others go on, and requests are served.  When the
 * time has come it begins anew, with the stopping half, for others may have
 * been started meanwhile.  (Erlang's supervisors do the same when a start
 * fails: they send themselves a message.)
 */
#include "actors/supervise/supervise.h"

#include <stdio.h>

/* ---------------------------------------------------------------- todo --- */

void
tri_super_todo(struct tri_super *s, struct tri_todo *todo,
    enum tri_todo_kind kind)
{
	TR_DASSERT(todo->kind == TRI_TODO_NONE);
	todo->kind = kind;
	tri_ring_append(&s->todo, &todo->ring);
}

void
tri_super_undo(struct tri_todo *todo)
{
	if (todo->kind == TRI_TODO_NONE)
		return;
	todo->kind = TRI_TODO_NONE;
	tri_ring_remove(&todo->ring);
}

/* ---------------------------------------------------------- the range ---- */

static bool
op_is_for_all(const struct tri_super *s)
{
	return s->op.kind == TRI_OP_FIRST ||
	    (s->op.kind == TRI_OP_RESTART &&
		s->spec->strategy == TR_ONE_FOR_ALL);
}

static bool
op_is_for_rest(const struct tri_super *s)
{
	return s->op.kind == TRI_OP_RESTART &&
	    s->spec->strategy == TR_REST_FOR_ONE;
}

static struct tri_kid *
op_first(const struct tri_super *s)
{
	return op_is_for_all(s) ? tri_kids_first(&s->kids) : s->op.kid;
}

static struct tri_kid *
op_last(const struct tri_super *s)
{
	return op_is_for_all(s) || op_is_for_rest(s) ? tri_kids_last(&s->kids) :
						       s->op.kid;
}

/* The half that starts is next. */
static void
op_turn(struct tri_super *s)
{
	s->op.stops = false;
	s->op.at = op_first(s);
	s->op.result = TRI_START_NOT_YET;
}

/* Stop what it is about, then do what is next. */
static void
op_turn_back(struct tri_super *s)
{
	s->op.stops = true;
	s->op.at = op_last(s);
	s->op.result = TRI_START_NOT_YET;
}

void
tri_super_begin(struct tri_super *s, enum tri_operation_kind kind,
    struct tri_kid *kid, struct tri_asked *asked)
{
	s->op = (struct tri_operation){
		.kind = kind,
		.kid = kid,
		.asked = asked,
		.was_waiting = kid != NULL && kid->waits,
	};
	if (kind == TRI_OP_RESTART || kind == TRI_OP_REMOVE)
		op_turn_back(s);
	else
		op_turn(s);
}

/* --------------------------------------------------- children that fail -- */

static uint64_t
random_for(struct tr_self *self, const struct tr_backoff *b)
{
	uint64_t random = 0;

	if (b->jitter_percent > 0)
		tr_entropy(tr_system_of(self), &random, sizeof(random));
	return random;
}

/* How long the kid's restart waits. */
static int64_t
restart_delay(struct tr_self *self, struct tri_kid *kid, int64_t now)
{
	const struct tr_backoff *b = &kid->spec->backoff;
	int64_t delay;

	if (kid->since != 0 && tri_backoff_is_over(b, now - kid->since))
		kid->step = 0;
	delay = tri_backoff_next(b, &kid->step, random_for(self, b));
	return kid->no_room && delay < TRI_PAUSE_NS ? TRI_PAUSE_NS : delay;
}

static void
restart_log(struct tr_self *self, const struct tri_super *s,
    const struct tri_kid *kid, bool again, int64_t delay)
{
	char when[40] = "";
	struct tri_why why;

	if (delay > 0)
		snprintf(when, sizeof(when), " in %lld ms",
		    (long long)(delay / 1000000));
	tri_log(tr_system_of(self), TR_LOG_WARNING,
	    "supervisor %s: child %s%s: %s; restart %u%s",
	    tri_spec_name(s->spec), kid->spec->id,
	    again ? " did not start" : "", tri_why(&why, &kid->last),
	    kid->restarts + 1, when);
}

static void
restart_give_up(struct tr_self *self, struct tri_super *s,
    const struct tri_kid *kid)
{
	struct tri_why why;

	tri_log(tr_system_of(self), TR_LOG_ERROR,
	    "supervisor %s: child %s: %s; gives up: more than %u restarts "
	    "within %lld ms",
	    tri_spec_name(s->spec), kid->spec->id, tri_why(&why, &kid->last),
	    s->window.size, (long long)(s->window.period_ns / 1000000));
	tri_super_end(s, s->root ? TR_EGAVEUP : TR_SHUTDOWN,
	    "too many restarts");
}

/* It has ended, or did not start again: once more, if that is allowed. */
static void
kid_restart(struct tr_self *self, struct tri_super *s, struct tri_kid *kid,
    bool again)
{
	int64_t now = tr_now(self), delay;

	if (!tri_window_add(&s->window, now)) {
		restart_give_up(self, s, kid);
		return;
	}
	delay = restart_delay(self, kid, now);
	restart_log(self, s, kid, again, delay);
	tri_super_begin(s, TRI_OP_RESTART, kid, NULL);
	s->op.delay_ns = delay;
	s->op.waits = again || delay > 0;
}

/* In a system that stops, nobody is started again. */
static bool
system_stops(struct tr_self *self, struct tri_super *s)
{
	if (tri_load_acquire(&tr_system_of(self)->stopping) == 0)
		return false;
	tri_super_end(s, TR_SHUTDOWN, "");
	return true;
}

static bool
reason_is_good(const struct tr_reason *why)
{
	return why->code == TR_NORMAL || why->code == TR_SHUTDOWN;
}

static bool
others_are_significant(const struct tri_super *s)
{
	const struct tri_kid *kid = tri_kids_first(&s->kids);

	if (tri_super_is_simple(s))
		return kid != NULL; /* only those that are there are listed */
	for (; kid != NULL; kid = tri_kids_next(&s->kids, kid))
		if (kid->spec->significant &&
		    (kid->state != TRI_KID_DOWN || kid->waits ||
			kid->todo.kind != TRI_TODO_NONE))
			return true;
	return false;
}

/* A child has ended by itself for good: is that the supervisor's end? */
static void
significant_ended(struct tri_super *s)
{
	if (s->spec->auto_shutdown == TR_AUTO_SHUTDOWN_ANY ||
	    (s->spec->auto_shutdown == TR_AUTO_SHUTDOWN_ALL &&
		!others_are_significant(s)))
		tri_super_end(s, TR_SHUTDOWN, "auto shutdown");
}

static void
kid_forget(struct tr_self *self, struct tri_super *s, struct tri_kid *kid)
{
	if (tri_kid_is_temporary(kid) || tri_super_is_simple(s))
		tri_kid_free(&s->kids, &tr_system_of(self)->env->memory, kid);
}

/* It has ended by itself. */
static void
kid_lost(struct tr_self *self, struct tri_super *s, struct tri_kid *kid)
{
	bool good = reason_is_good(&kid->last);
	bool significant = kid->spec->significant;
	struct tri_why why;

	if (system_stops(self, s))
		return;
	if (kid->spec->restart == TR_PERMANENT ||
	    (kid->spec->restart == TR_TRANSIENT && !good)) {
		kid_restart(self, s, kid, false);
		return;
	}
	TR_ASSERT(kid->state == TRI_KID_DOWN);
	if (!good)
		tri_log(tr_system_of(self), TR_LOG_WARNING,
		    "supervisor %s: child %s: %s; it is temporary",
		    tri_spec_name(s->spec), kid->spec->id,
		    tri_why(&why, &kid->last));
	kid_forget(self, s, kid);
	if (significant)
		significant_ended(s);
}

/* ------------------------------------------------ the half that stops ---- */

/* All are down that had to be. */
static void
op_stopped(struct tr_self *self, struct tri_super *s)
{
	struct tri_operation op = s->op;
	bool group = s->spec->strategy == TR_ONE_FOR_ALL ||
	    s->spec->strategy == TR_REST_FOR_ONE;

	if (op.kind == TRI_OP_RESTART && !op.waits) {
		op_turn(s);
		return;
	}
	s->op = (struct tri_operation){ .kind = TRI_OP_NONE };
	if (op.kind == TRI_OP_RESTART) {
		tri_kid_wait(self, s, op.kid, op.delay_ns);
		return;
	}
	/* A start that was asked for, and failed; or a stop. */
	tri_asked_answer(self, op.asked, op.error,
	    op.kind == TRI_OP_REMOVE ? op.kid : NULL);
	if (op.kind == TRI_OP_ADD)
		tri_kid_free(&s->kids, &tr_system_of(self)->env->memory,
		    op.kid);
	else if (op.was_waiting && group) {
		/* Who waited with it need not wait any more. */
		tri_super_begin(s, TRI_OP_RESTART, op.kid, NULL);
		s->op.held_only = true;
		op_turn(s);
	} else if (op.kind == TRI_OP_REMOVE)
		kid_forget(self, s, op.kid);
}

/* false: it waits. */
static bool
op_stop(struct tr_self *self, struct tri_super *s)
{
	bool for_good = s->op.kind != TRI_OP_RESTART;
	struct tri_kid *kid;

	while ((kid = s->op.at) != NULL) {
		if (!tri_kid_stop(self, s, kid, for_good))
			return false;
		s->op.at =
		    kid == op_first(s) ? NULL : tri_kids_prev(&s->kids, kid);
		/* Its siblings' restart is none for a temporary one. */
		if (kid != s->op.kid && tri_kid_is_temporary(kid))
			kid_forget(self, s, kid);
	}
	op_stopped(self, s);
	return true;
}

/* ----------------------------------------------- the half that starts ---- */

/* It did not want to. */
static bool
kid_does_not_run(const struct tri_kid *kid)
{
	return kid->state == TRI_KID_DOWN && kid->todo.kind == TRI_TODO_NONE;
}

static void
op_started(struct tr_self *self, struct tri_super *s)
{
	struct tri_operation op = s->op;

	s->op = (struct tri_operation){ .kind = TRI_OP_NONE };
	if (op.kind == TRI_OP_FIRST) {
		s->was_up = true;
		tri_keep_started(tri_crew_of(self));
		return;
	}
	if (op.asked != NULL)
		tri_asked_answer(self, op.asked, TR_OK, op.kid);
	if (kid_does_not_run(op.kid))
		kid_forget(self, s, op.kid);
}

/* The kid at hand did not start. */
static void
op_failed(struct tr_self *self, struct tri_super *s, struct tri_kid *kid)
{
	struct tri_why why;

	if (system_stops(self, s))
		return;
	if (s->op.kind == TRI_OP_RESTART) {
		kid_restart(self, s, kid, true);
		return;
	}
	if (s->op.kind != TRI_OP_FIRST) {
		s->op.error =
		    kid->last.code != TR_OK ? kid->last.code : TR_EINVAL;
		op_turn_back(s);
		return;
	}
	tri_log(tr_system_of(self), TR_LOG_ERROR,
	    "supervisor %s: child %s did not start: %s", tri_spec_name(s->spec),
	    kid->spec->id, tri_why(&why, &kid->last));
	tri_super_fail(s, kid);
}

static void
op_start_kid(struct tr_self *self, struct tri_super *s, struct tri_kid *kid)
{
	struct tri_operation *op = &s->op;

	/* One whose own end is still to be handled is started after that. */
	if (op->held_only &&
	    (kid->state != TRI_KID_HELD || kid->todo.kind != TRI_TODO_NONE)) {
		op->result = TRI_START_DONE;
		return;
	}
	if (op->kind == TRI_OP_RESTART)
		kid->restarts++;
	if (tri_kid_start(self, s, kid) != TR_OK)
		op->result = TRI_START_FAILED;
	else
		op->result = TRI_START_WAITS;
}

/* false: it waits. */
static bool
op_start(struct tr_self *self, struct tri_super *s)
{
	struct tri_operation *op = &s->op;
	struct tri_kid *kid;

	while ((kid = op->at) != NULL) {
		/* Those behind one that waits, too, wait for that. */
		if (op->held_only && kid->waits)
			break;
		if (op->result == TRI_START_NOT_YET)
			op_start_kid(self, s, kid);
		if (op->result == TRI_START_WAITS)
			return false;
		if (op->result == TRI_START_FAILED) {
			op_failed(self, s, kid);
			return true;
		}
		op->result = TRI_START_NOT_YET;
		op->at =
		    kid == op_last(s) ? NULL : tri_kids_next(&s->kids, kid);
		if (kid != op->kid && kid_does_not_run(kid))
			kid_forget(self, s, kid);
	}
	op_started(self, s);
	return true;
}

/* ---------------------------------------------------------------- going on */

static void
todo_do(struct tr_self *self, struct tri_super *s, struct tri_todo *todo)
{
	enum tri_todo_kind kind = todo->kind;
	struct tri_kid *kid = tri_container_of(todo, struct tri_kid, todo);

	tri_super_undo(todo);
	if (kind == TRI_TODO_ASK) {
		tri_super_serve(self, s,
		    tri_container_of(todo, struct tri_asked, todo));
	} else if (kind == TRI_TODO_END) {
		kid_lost(self, s, kid);
	} else if (!system_stops(self, s)) {
		kid->waits = false;
		tri_super_begin(s, TRI_OP_RESTART, kid, NULL);
	}
}

int
tri_super_go_on(struct tr_self *self, struct tri_super *s)
{
	for (;;) {
		if (s->ending)
			return tri_super_ending(self, s);
		if (s->op.kind != TRI_OP_NONE) {
			if (!(s->op.stops ? op_stop(self, s) :
					    op_start(self, s)))
				return TR_OK;
		} else if (!tri_ring_is_empty(&s->todo)) {
			todo_do(self, s,
			    tri_container_of(s->todo.next, struct tri_todo,
				ring));
		} else {
			return TR_OK;
		}
	}
}
