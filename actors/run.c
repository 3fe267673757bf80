/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Running an actor: one batch of its messages.
 *
 * What was taken from the inlet and not handled yet is `pending`, and so is what
 * a worker sent to an actor that it has (send.h); the inlet is looked at only
 * when that is empty.  A lone message in the inlet is handled in place: it
 * stays reachable from the inlet, so that one CAS afterwards both removes it
 * and gives the actor back.  Only when something needs it to outlive the turn
 * is it detached first (tri_turn_detach).
 *
 * A batch ends after 128 messages or 200 us, and after one list of the inlet's
 * if others wait.  With a backlog it may be followed by another at once
 * (sched/owe.c).  The cycle counter is read every 16 messages, across batches;
 * after a slow message at every one.
 *
 * Nearly every message is one, simple, and for an actor that this worker keeps
 * and has nothing else for: run_usual is all that is done for it.  At five
 * instructions in a cycle each one counts there; what is rare is out of line.
 *
 * The worker that has the actor scheduled runs all of this; after
 * tri_inlet_rest_owner succeeded the cell is not its own any more.  An actor
 * that this worker woke is not let go of, but kept (sched/reserve.h), unless
 * handlers take long: then no other should wait for this worker.
 */
#include "actors/backlog.h"
#include "actors/burst.h"
#include "actors/gather.h"
#include "actors/keep.h"
#include "actors/send.h"

/* In an ident, too: there is something to be done before. */
#define RUN_FIRST TRI_IDENT_COLD

/* Messages that tri_actor_reserve walks over. */
enum { RUN_RESERVE_MAX = 4096 };

static void
run_tick_clock(struct tri_crew *c)
{
	struct tri_worker *w = &c->worker;
	int64_t before = w->clock_last, now = tri_worker_clock(w);
	bool slow = now - before > (int64_t)TRI_SLOW_NS * w->clock_every;
	bool may_have_kept = !tri_worker_is_slow(w); /* else none */

	w->clock_last = now;
	w->message_ns += ((now - before) / w->clock_every - w->message_ns) / 8;
	tri_runq_spend(&w->q, now - before);
	if (TRI_UNLIKELY(tri_load_relaxed(&w->floods) != 0))
		tri_store_relaxed(&w->floods, 0u);
	tri_owe_took(w, now - before, tri_load_relaxed(&w->running));
	if (slow)
		w->clock_every = 1;
	else if (w->clock_every < TRI_CLOCK_MESSAGES)
		w->clock_every *= 2;
	w->clock_in = w->clock_every;
	if (slow && w->sched->n > 1) {
		tri_sched_reopen(w);
		if (may_have_kept)
			tri_sched_rest_all(w);
	}
}

/* A message was handled: now and then look at the clock. */
static inline void
run_spend(struct tri_crew *c)
{
	if (TRI_UNLIKELY(--c->worker.clock_in == 0))
		run_tick_clock(c);
}

/* ------------------------------------------------------ one message ----- */

static bool
kind_is_counted(unsigned kind)
{
	return kind <= TRI_MSG_COUNTED;
}

_Static_assert(TRI_MSG_PLAIN < TRI_MSG_TICK && TRI_MSG_ASK < TRI_MSG_TICK &&
	TRI_MSG_REPLY < TRI_MSG_TICK && TRI_MSG_COUNTED < TRI_MSG_OUTCOME,
    "users' messages come first");

static int
run_start(struct tri_crew *c, struct tr_self *a, struct tr_msg *m)
{
	const struct tr_behavior *b = tri_load_relaxed(&a->behavior);
	const void *arg = b->arg_size == 0 ? *(void **)tri_msg_payload(m) :
					     tri_msg_payload(m);
	int rc = TR_OK;

	if (b->start != NULL)
		rc = b->start(a, tri_actor_state(a, b), arg);
	if (rc == TR_OK && !c->turn.failed &&
	    (tri_load_relaxed(&a->ident) & TRI_IDENT_KEPT) != 0)
		tri_keep_start_returned(c, a);
	return rc;
}

static bool
run_traps_stop(const struct tri_crew *c, const struct tr_self *a)
{
	return (tri_load_relaxed(&a->ident) & TRI_IDENT_COLD) != 0 &&
	    tri_cold(c->desk.sys, a)->traps_stop;
}

static int
run_stop(struct tri_crew *c, struct tr_self *a)
{
	const struct tr_behavior *b = tri_load_relaxed(&a->behavior);

	if (run_traps_stop(c, a))
		return tri_supervisor_told(a, tri_actor_state(a, b), false);
	return tr_exit(a, TR_SHUTDOWN);
}

static int
run_kept(struct tri_crew *c, struct tr_self *a, struct tr_msg *m)
{
	const struct tr_behavior *b = tri_load_relaxed(&a->behavior);
	struct tri_keep_notice notice;

	if (!tri_keep_taken(c, m, &notice))
		return TR_OK;
	return tri_supervisor_notice(a, tri_actor_state(a, b), &notice);
}

int
tri_handle_special(struct tri_crew *c, struct tr_self *a, struct tr_msg *m)
{
	struct tri_record *r;

	switch ((enum tri_msg_kind)m->kind) {
	case TRI_MSG_ASK: return tri_ask_handle(c, a, m);
	case TRI_MSG_REPLY: return tri_ask_answered(c, a, m);
	case TRI_MSG_TICK:
		r = tri_container_of(m, struct tri_record, msg);
		return tri_timer_ticked(c, a, r, m);
	case TRI_MSG_OUTCOME:
		r = tri_container_of(m, struct tri_record, msg);
		if (r->kind == TRI_RECORD_JOB)
			return tri_job_outcome(c, a, r);
		return tri_ask_ended(c, a, r);
	case TRI_MSG_START: return run_start(c, a, m);
	case TRI_MSG_STOP: return run_stop(c, a);
	case TRI_MSG_DOWN: return tri_monitor_down(c, a, m);
	case TRI_MSG_MONITOR: tri_monitor_asked(c, a, m); break;
	case TRI_MSG_DEMONITOR: tri_monitor_left(c, a, m); break;
	case TRI_MSG_EXIT: return tri_exit_taken(c, a, m);
	case TRI_MSG_LINK: tri_link_asked(c, a, m); break;
	case TRI_MSG_UNLINK: tri_unlink_asked(c, m); break;
	case TRI_MSG_UNLINKED: tri_unlink_done(c, m); break;
	case TRI_MSG_KEPT: return run_kept(c, a, m);
	case TRI_MSG_CALL:
		return (*(tri_call_fn **)tri_msg_payload(m))(c, a, m);
	case TRI_MSG_PLAIN:
	case TRI_MSG_BURST: /* run_burst */
	case TRI_MSG_PACK: /* run_pack */
	case TRI_MSG_KILL: break;
	}
	return TR_OK;
}

/* Why a message is not handled although its actor lives; else it is. */
static TRI_COLD enum tr_dead_reason
run_refused(struct tri_crew *c, struct tr_msg *m)
{
	enum tr_dead_reason why = TR_DEAD_REASONS;
	bool awaited = true;

	switch ((enum tri_msg_kind)m->kind) {
	case TRI_MSG_ASK: (void)tri_ask_wanted(c, m, &why); return why;
	case TRI_MSG_REPLY: awaited = tri_ask_awaits(c, m); break;
	case TRI_MSG_TICK:
	case TRI_MSG_DOWN: awaited = tri_record_awaits(m); break;
	case TRI_MSG_EXIT: awaited = tri_exit_awaits(c, m); break;
	case TRI_MSG_STOP:
	case TRI_MSG_KILL:
		awaited = tri_keep_concerns(c, c->turn.cell, m);
		break;
	default: break; /* the runtime's own */
	}
	return awaited ? TR_DEAD_REASONS : TR_DEAD_LATE;
}

/* Let the actor handle the message in hand. */
static inline void
run_handle(struct tri_crew *c, struct tr_self *a, struct tr_msg *m)
{
	const struct tr_behavior *b = tri_load_relaxed(&a->behavior);
	int rc;

	tri_store_relaxed(&c->tag, m->tag);
	if (TRI_LIKELY(m->kind == TRI_MSG_PLAIN))
		rc = b->receive(a, tri_actor_state(a, b), m);
	else
		rc = tri_handle_special(c, a, m);
	c->turn.ran = true;
	if (TRI_UNLIKELY(rc != TR_OK))
		tri_turn_fail(c, rc);
}

/* The message in hand was not handled: it is a dead letter. */
static TRI_COLD uint32_t
run_dead(struct tri_crew *c, struct tr_msg *m, enum tr_dead_reason why)
{
	tri_turn_detach(c);
	c->turn.msg = NULL;
	if (kind_is_counted(m->kind))
		tri_msg_dead(c,
		    why == TR_DEAD_NO_ACTOR ? TR_REF_NONE : c->turn.ref, m, why,
		    why == TR_DEAD_EXPIRED ? TR_ETIMEDOUT : TR_EDEAD);
	else
		tri_msg_dispose(c, m, TR_EDEAD);
	return 0;
}

/* It was handled, and that counts; the message that made its actor fail is a
 * dead letter, unless it was taken. */
static inline uint32_t
run_counted(const struct tri_crew *c, uint32_t counted)
{
	return c->turn.failed && c->turn.msg != NULL ? 0 : counted;
}

/* It leaves the mailbox; true: it is for a former actor of the slot. */
static TRI_COLD bool
run_leaves(struct tri_crew *c, struct tr_self *a, struct tr_msg *m)
{
	if (m->flags & (TRI_MSG_BOUNDED | TRI_MSG_TRACED))
		tri_push_undo(c->desk.sys, a, m,
		    (m->flags & TRI_MSG_STALE) == 0);
	return (m->flags & TRI_MSG_STALE) != 0;
}

/* Its ident says that it ends before the message in hand; unless it traps
 * kills: then it ends later, and goes on until then. */
static bool
run_ends(struct tri_crew *c, struct tr_self *a, uint64_t ident)
{
	const struct tr_behavior *b = tri_load_relaxed(&a->behavior);
	int rc;

	if ((ident & TRI_IDENT_KILL) == 0 || !run_traps_stop(c, a))
		return tri_care_ends(c, ident);
	tri_fetch_and_acq_rel(&a->ident, ~TRI_IDENT_KILL);
	rc = tri_supervisor_told(a, tri_actor_state(a, b), true);
	if (rc != TR_OK)
		tri_turn_fail(c, rc);
	return c->turn.ended || tri_care_ends(c, ident & ~TRI_IDENT_KILL);
}

/* As run_message, for an actor whose ident says that there is more to it. */
static __attribute__((noinline)) uint32_t
run_with_care(struct tri_crew *c, struct tr_self *a, struct tr_msg *m)
{
	uint64_t ident = tri_load_relaxed(&a->ident);
	enum tr_dead_reason why = TR_DEAD_REASONS;
	uint32_t counted = kind_is_counted(m->kind);

	if (run_ends(c, a, ident))
		return 0;
	if ((m->flags & TRI_MSG_LEAVES) != 0 && run_leaves(c, a, m))
		return run_dead(c, m, TR_DEAD_NO_ACTOR);
	if (m->kind != TRI_MSG_PLAIN)
		why = run_refused(c, m);
	if (why != TR_DEAD_REASONS)
		return run_dead(c, m, why);
	tri_care_before(c, a, ident);
	run_handle(c, a, m);
	tri_care_after(c, ident);
	return run_counted(c, counted);
}

/*
 * Take the message in hand as far as its handling: dead letters, kills.
 * Afterwards turn.msg is NULL if it was taken or is a dead letter already.
 * Returns 1 if it counts as handled.
 */
static inline uint32_t
run_message(struct tri_crew *c, struct tr_self *a, struct tr_msg *m)
{
	uint64_t ident = tri_load_relaxed(&a->ident);
	uint32_t counted = kind_is_counted(m->kind);
	enum tr_dead_reason why;

	c->turn.msg = m;
	c->turn.ran = false;
	if (TRI_UNLIKELY(ident >> TRI_IDENT_CARE_SHIFT != 0))
		return run_with_care(c, a, m);
	if (TRI_UNLIKELY((m->flags & TRI_MSG_LEAVES) != 0) &&
	    run_leaves(c, a, m))
		return run_dead(c, m, TR_DEAD_NO_ACTOR);
	if (m->kind != TRI_MSG_PLAIN) {
		why = run_refused(c, m);
		if (TRI_UNLIKELY(why != TR_DEAD_REASONS))
			return run_dead(c, m, why);
	}
	run_handle(c, a, m);
	return run_counted(c, counted);
}

/* ---------------------------------------------------------- one batch --- */

/* Returns the actor's ident. */
static inline uint64_t
run_begin(struct tri_crew *c, struct tr_self *a)
{
	uint64_t ident = tri_load_relaxed(&a->ident);

	c->turn.cell = a;
	c->turn.ref =
	    tri_ref_make(tri_cell_slot(c->desk.sys, a), (uint32_t)ident);
	tri_store_relaxed(&c->worker.running_since, c->worker.now);
	return ident;
}

static inline void
run_add_counts(struct tri_crew *c, struct tr_self *a, uint32_t handled)
{
	tri_count(&a->handled, handled);
	tri_count(&c->desk.counts.handled, (uint64_t)handled);
}

static void
run_requeue(struct tri_crew *c, struct tr_self *a, struct tr_msg *newest)
{
	uint64_t ident = tri_load_relaxed(&a->ident);
	unsigned home =
	    (unsigned)(ident >> TRI_IDENT_HOME_SHIFT & TRI_IDENT_HOME);

	c->turn.cell = NULL;
	if (home != 0)
		tri_sched_push_home(c->worker.sched, &c->worker, home - 1,
		    tri_word_of(a, TRI_KIND_ACTOR));
	else
		tri_sched_push_turned(&c->worker,
		    tri_word_of(a, TRI_KIND_ACTOR), newest);
}

void
tri_actor_requeue(struct tri_crew *c, struct tr_self *a)
{
	run_requeue(c, a, NULL);
}

/*
 * The lone message `m`, seen as `head`, was handled.  true: the actor is idle
 * now and not ours.
 */
static inline bool
run_leave_place(struct tri_crew *c, struct tri_inlet *in, uint64_t head,
    struct tr_msg *m)
{
	if (TRI_UNLIKELY(!c->turn.in_place))
		return false; /* detached meanwhile */
	if (TRI_UNLIKELY((m->flags & TRI_MSG_DUTY) != 0)) {
		/* Its block becomes the answer, and that has to go out while
		 * the actor is ours: its messages keep their order. */
		tri_turn_detach(c);
		return false;
	}
	c->turn.in_place = false;
	if (TRI_LIKELY(tri_inlet_rest_owner(in, head))) {
		c->turn.cell = NULL;
		tri_msg_dispose_inline(c, m, c->turn.unanswered);
		return true;
	}
	c->turn.in_place = true;
	tri_turn_detach(c);
	return false;
}

/* The lone message `m`, seen as `head`, was handled in place.  true: the batch
 * is over. */
static inline bool
run_after_place(struct tri_crew *c, struct tr_self *a, struct tri_inlet *in,
    uint64_t head, struct tr_msg *m, uint32_t counted)
{
	run_add_counts(c, a, counted);
	run_spend(c);
	if (TRI_UNLIKELY(c->turn.ended)) {
		tri_actor_die(c, a);
		return true;
	}
	if (run_leave_place(c, in, head, m))
		return true;
	if (c->turn.msg != NULL)
		tri_msg_dispose_inline(c, m, c->turn.unanswered);
	c->turn.msg = NULL;
	return false;
}

/* Handle a lone message in place.  true: the batch is over. */
static bool
run_in_place(struct tri_crew *c, struct tr_self *a, struct tri_inlet *in,
    uint64_t head)
{
	struct tr_msg *m = tri_inlet_msg(head);

	if (TRI_UNLIKELY(m->generation != tri_ref_generation(c->turn.ref)))
		m->flags |= TRI_MSG_STALE;
	c->turn.in_place = true;
	return run_after_place(c, a, in, head, m, run_message(c, a, m));
}

/* Nothing is left to do: the actor is idle, and kept or not.  true: it is not
 * ours any more; false: something has come. */
static inline bool
run_rest(struct tri_crew *c, struct tr_self *a, struct tri_inlet *in,
    uint64_t ident, uint64_t head)
{
	c->turn.cell = NULL;
	if (TRI_LIKELY(head == c->reserved &&
		(ident & TRI_IDENT_HOME << TRI_IDENT_HOME_SHIFT) == 0 &&
		!tri_sched_is_slow(&c->worker))) {
		tri_sched_keep(&c->worker, tri_word_of(a, TRI_KIND_ACTOR));
		return true;
	}
	if (tri_inlet_rest_owner(in, head))
		return true;
	c->turn.cell = a;
	return false;
}

bool
tri_actor_rest(struct tri_worker *w, void *object)
{
	struct tr_self *a = object;
	struct tri_crew *c = (struct tri_crew *)(void *)w;
	struct tri_inlet *in = tri_inlet_of(c->desk.sys, a);
	uint64_t head = tri_inlet_look_owner(in);

	return !tri_inlet_is_msg(head) && tri_inlet_rest_owner(in, head);
}

/* The newest of what is pending, for an actor of which that is not known. */
static struct tr_msg *
run_find_newest(const struct tr_self *a)
{
	struct tr_msg *m, *newest = NULL;

	for (m = a->pending; m != NULL; m = m->link) {
		tri_inlet_fetch_ahead(m);
		newest = m;
	}
	return newest;
}

void *
tri_actor_reserve(struct tri_worker *w, void *object)
{
	struct tr_self *a = object;
	struct tri_crew *c = (struct tri_crew *)(void *)w;
	uint64_t ident = tri_load_relaxed(&a->ident);
	struct tri_inlet *in = tri_inlet_of(c->desk.sys, a);
	struct tr_msg *newest, *before, *came;
	uint32_t n;

	if ((ident & (TRI_IDENT_CARE | TRI_IDENT_BOUND)) != 0 ||
	    tri_has_parked(c->desk.sys, a, in) ||
	    tri_inlet_length(tri_inlet_look_owner(in)) > RUN_RESERVE_MAX)
		return NULL;
	before = tri_backlog_is_long(w, a) ? tri_backlog_recall(c, a) : NULL;
	if (before == NULL) {
		if (tri_load_relaxed(&a->taken) > RUN_RESERVE_MAX)
			return NULL;
		before = run_find_newest(a);
	}
	newest = before;
	came =
	    tri_inlet_take_noted(in, c->reserved, (uint32_t)ident, &newest, &n);
	if (before == NULL)
		a->pending = came;
	else
		before->link = came;
	tri_store_relaxed(&a->taken, tri_load_relaxed(&a->taken) + n);
	return newest;
}

/*
 * Let an actor without anything handle a simple message, or its first, in which
 * run_message would find nothing.  true: nothing has come of it but other
 * messages, and it is there to be freed.
 */
static inline __attribute__((always_inline)) bool
run_simple(struct tri_crew *c, struct tr_self *a, struct tr_msg *m, bool first)
{
	const struct tr_behavior *b = tri_load_relaxed(&a->behavior);
	int rc;

	c->turn.msg = m;
	tri_store_relaxed(&c->tag, m->tag);
	if (first)
		rc = run_start(c, a, m);
	else
		rc = b->receive(a, tri_actor_state(a, b), m);
	if (TRI_LIKELY(rc == TR_OK) && TRI_LIKELY(!c->turn.ended) &&
	    TRI_LIKELY(c->turn.msg == m))
		return true;
	c->turn.ran = true;
	if (rc != TR_OK)
		tri_turn_fail(c, rc);
	return false;
}

/* A lone one in the inlet. */
static inline bool
run_usual_in_place(struct tri_crew *c, struct tr_self *a, uint64_t head)
{
	struct tr_msg *m = tri_inlet_msg(head);

	c->turn.in_place = true;
	(void)run_simple(c, a, m, false);
	return run_after_place(c, a, &a->inlet, head, m, run_counted(c, 1));
}

/* Whether a message that was taken is one for that. */
static inline bool
run_is_simple(const struct tr_self *a, const struct tr_msg *m)
{
	return tri_msg_is_simple(m, TRI_MSG_PLAIN) &&
	    tri_load_relaxed(&a->ident) >> TRI_IDENT_CARE_SHIFT == 0;
}

/* Whether it is, and run_message would find nothing in it. */
static inline bool
run_is_usual_in_place(uint64_t ident, uint64_t head)
{
	const struct tr_msg *m = tri_inlet_msg(head);

	return tri_inlet_is_msg(head) && m->link == NULL &&
	    tri_msg_is_simple(m, TRI_MSG_PLAIN) &&
	    m->generation == (uint32_t)ident &&
	    ident >> TRI_IDENT_CARE_SHIFT == 0;
}

/* Handle a message that is not in a list any more.  false: that has ended the
 * actor.  `again`: leave its block to the caller, if it is not needed any more, and
 * say so. */
static inline __attribute__((always_inline)) bool
run_taken(struct tri_crew *c, struct tr_self *a, struct tr_msg *m, bool *again,
    uint32_t *handled)
{
	if (TRI_LIKELY(run_is_simple(a, m))) {
		if (TRI_LIKELY(run_simple(c, a, m, false))) {
			run_spend(c);
			++*handled;
			if (again == NULL)
				tri_pool_free(c->desk.pool, m, m->size_class);
			else
				*again = true;
			return true;
		}
		*handled += run_counted(c, 1);
	} else {
		*handled += run_message(c, a, m);
	}
	run_spend(c);
	if (TRI_UNLIKELY(c->turn.ended))
		return false;
	if (TRI_UNLIKELY(c->turn.msg != NULL))
		tri_msg_dispose_inline(c, m, c->turn.unanswered);
	return true;
}

/* As run_taken, for a small one that is a copy; *spare: its block, if it is not
 * needed any more. */
static inline __attribute__((always_inline)) bool
run_copy(struct tri_crew *c, struct tr_self *a, struct tr_msg *m,
    struct tr_msg **spare, uint32_t *handled)
{
	bool again = false, goes_on = run_taken(c, a, m, &again, handled);

	if (TRI_LIKELY(again)) {
		tri_block_poison(m, TRI_CLASS_SMALL);
		*spare = m;
	}
	return goes_on;
}

/* What is pending begins with a burst: handle what it has, until *n is `left`.
 * false: the batch is over. */
static __attribute__((noinline)) bool
run_burst(struct tri_crew *c, struct tr_self *a, uint32_t left, int64_t until,
    uint32_t *n, uint32_t *handled)
{
	struct tri_burst *b = tri_burst_of(a->pending);
	bool goes_on = true, gone = false, small;
	struct tr_msg *m, *spare = NULL;

	while (goes_on && a->pending == &b->msg && *n < left) {
		m = tri_burst_next(c, b, &spare, &small);
		if (TRI_UNLIKELY(m == NULL)) {
			gone = tri_burst_leave(c, a, &a->pending, true);
			goes_on = gone;
			break;
		}
		++*n;
		goes_on =
		    (TRI_LIKELY(small) ? run_copy(c, a, m, &spare, handled) :
					 run_taken(c, a, m, NULL, handled)) &&
		    c->worker.now < until;
	}
	if (spare != NULL)
		tri_pool_free(c->desk.pool, spare, TRI_CLASS_SMALL);
	if (gone)
		tri_store_relaxed(&a->taken, tri_load_relaxed(&a->taken) - 1);
	else
		tri_burst_seen(tri_aside(c->desk.sys, a), b);
	return goes_on;
}

/* What is pending begins with a pack: the same. */
static __attribute__((noinline)) bool
run_pack(struct tri_crew *c, struct tr_self *a, uint32_t left, int64_t until,
    uint32_t *n, uint32_t *handled)
{
	struct tri_pack *p = tri_pack_of(a->pending);
	struct tr_msg *m, *spare = NULL;
	uint32_t taken = *n;
	bool goes_on = true;

	__builtin_prefetch(p->msg.link, 1);
	while (goes_on && a->pending == &p->msg && *n < left &&
	    tri_pack_has_any(p)) {
		m = spare != NULL ?
		    spare :
		    tri_pool_alloc(c->desk.pool, TRI_CLASS_SMALL);
		if (TRI_UNLIKELY(m == NULL)) {
			goes_on = false;
			break;
		}
		tri_block_unpoison(m, TRI_CLASS_SMALL);
		spare = NULL;
		tri_pack_take(p, m);
		++*n;
		goes_on =
		    run_copy(c, a, m, &spare, handled) && c->worker.now < until;
	}
	if (spare != NULL)
		tri_pool_free(c->desk.pool, spare, TRI_CLASS_SMALL);
	taken = *n - taken;
	if (a->pending == &p->msg && !tri_pack_has_any(p)) {
		tri_pack_leave(p, &a->pending, c->desk.pool);
		taken++;
	}
	tri_store_relaxed(&a->taken, tri_load_relaxed(&a->taken) - taken);
	return goes_on;
}

/* Handle what is pending, up to *left messages and to `until`.  true: the
 * actor died. */
static inline bool
run_pending(struct tri_crew *c, struct tr_self *a, uint32_t *left,
    int64_t until, struct tr_msg **newest)
{
	uint32_t handled = 0, n = 0, listed = 0;
	struct tr_msg *m;
	bool goes_on;

	while ((m = a->pending) != NULL && n < *left) {
		if (m->kind == TRI_MSG_PACK) {
			goes_on = run_pack(c, a, *left, until, &n, &handled);
			if (m == *newest && a->pending != m)
				*newest = NULL;
			if (!goes_on)
				break;
			continue;
		}
		if (m == *newest)
			*newest = NULL;
		if (TRI_UNLIKELY(m->kind == TRI_MSG_BURST)) {
			if (!run_burst(c, a, *left, until, &n, &handled))
				break;
			continue;
		}
		a->pending = m->link;
		tri_inlet_fetch_ahead(m);
		n++;
		listed++;
		if (TRI_UNLIKELY(!run_taken(c, a, m, NULL, &handled)) ||
		    TRI_UNLIKELY(c->worker.now >= until))
			break;
	}
	tri_store_relaxed(&a->taken, tri_load_relaxed(&a->taken) - listed);
	run_add_counts(c, a, handled);
	if (TRI_UNLIKELY(c->turn.ended)) {
		tri_actor_die(c, a);
		return true;
	}
	*left = a->pending != NULL ? 0 : *left - n;
	return false;
}

/* For assertions: whether nothing that is pending is newer, as far as one has
 * the time to look. */
static bool
run_is_newest(const struct tr_self *a, const struct tr_msg *newest)
{
	const struct tr_msg *m = a->pending;

	for (unsigned n = 0; m != NULL && n < 1000; n++) {
		if (m == newest)
			return m->link == NULL;
		m = m->link;
	}
	return m != NULL;
}

/*
 * It has a backlog for more than this turn, which now begins to be handled.  What
 * has taken long before that was not this actor (sched/owe.c).  Returns when the
 * batch is to end: its time begins now.
 */
static int64_t
run_backlog(struct tri_crew *c, struct tr_self *a)
{
	struct tri_worker *w = &c->worker;
	int64_t before = w->clock_last;

	if (a->pending != NULL &&
	    tri_waiting(c->desk.sys, a) >=
		c->desk.sys->apart * TRI_APART_STOLEN)
		tri_apart_move(c, a, a->pending);
	run_tick_clock(c);
	tri_owe_took(w, w->now - before, 0);
	tri_owe_begin(w, tri_word_of(a, TRI_KIND_ACTOR));
	return w->now + TRI_BATCH_NS;
}

/* It has been taken: that may have taken long, too, but was no handler. */
static int64_t
run_backlog_taken(struct tri_crew *c)
{
	struct tri_worker *w = &c->worker;

	w->clock_last = tri_worker_clock(w);
	return w->now + TRI_BATCH_NS;
}

/* Its turn is over, but not its backlog.  false: it goes behind the others. */
static bool
run_goes_on(struct tri_crew *c, struct tr_self *a, struct tr_msg *newest)
{
	if (!tri_actor_roams(a))
		return false;
	c->turn.cell = NULL;
	return tri_owe_pushes(&c->worker, tri_word_of(a, TRI_KIND_ACTOR),
	    newest);
}

/* One batch, of up to `left` messages, of which the first may be done; `took`:
 * that was the inlet's list. */
static __attribute__((noinline)) void
run_batch(struct tri_crew *c, struct tr_self *a, uint64_t ident, uint32_t left,
    bool took)
{
	struct tri_worker *w = &c->worker;
	int64_t until = tri_load_relaxed(&w->running_since) + TRI_BATCH_NS;
	struct tr_msg *newest = left == w->batch ? w->q.note : NULL;
	struct tri_inlet *in;
	uint32_t n;
	bool parked, noted = newest != NULL;

	c->batch_turn = tri_turn_number(c);
	c->batch_sent = tri_load_relaxed(&c->desk.counts.sent);
	if (TRI_UNLIKELY(*tri_habit(c) != 0))
		tri_stream_expect(c);
	if (TRI_UNLIKELY(tri_backlog_is_long(w, a))) {
		struct tr_msg *end = tri_backlog_recall(c, a);

		if (!noted)
			newest = end;
	}
	TR_DASSERT(newest == NULL || run_is_newest(a, newest));
	if (tri_waiting(c->desk.sys, a) > w->batch)
		until = run_backlog(c, a);
	for (;;) {
		uint64_t head;

		if (a->pending != NULL &&
		    run_pending(c, a, &left, until, &newest))
			return;
		if (left == 0)
			break;
		/* It may have moved. */
		in = tri_inlet_of(c->desk.sys, a);
		head = tri_inlet_look_owner(in);
		parked = tri_has_parked(c->desk.sys, a, in);
		if (TRI_UNLIKELY(parked) &&
		    (!tri_inlet_is_msg(head) ||
			tri_aside(c->desk.sys, a)->parked->kind !=
			    TRI_MSG_BURST)) {
			if (took && tri_sched_waits(w))
				break;
			took = true;
			if (!tri_bursts_go_on(c, a))
				break;
			continue;
		}
		if (!tri_inlet_is_msg(head)) {
			if (run_rest(c, a, in, ident, head))
				return;
			continue;
		}
		if ((took && tri_sched_waits(w)) ||
		    (left < w->batch && w->now >= until))
			break;
		took = true;
		noted = false;
		if (tri_inlet_msg(head)->link == NULL && !parked &&
		    tri_inlet_msg(head)->kind != TRI_MSG_BURST) {
			left--;
			if (run_in_place(c, a, in, head))
				return;
			continue;
		}
		if (tri_inlet_length(head) > w->batch)
			(void)run_backlog(c, a);
		if (TRI_UNLIKELY(
			tri_inlet_length(head) >= c->desk.sys->apart) &&
		    tri_apart_is_worth(c, a, head)) {
			a->pending = tri_apart_take(c, a, &n);
		} else if (TRI_UNLIKELY(tri_gather_is_worth(w,
			       tri_inlet_length(head))) &&
		    !parked && tri_sched_may_hold(w)) {
			a->pending = tri_gather_take(c, a, in, &n, &newest);
		} else {
			a->pending = tri_inlet_take_noted(in, TRI_INLET_RUNNING,
			    tri_ref_generation(c->turn.ref), &newest, &n);
		}
		if (TRI_UNLIKELY(parked))
			n += tri_burst_unpark(tri_aside(c->desk.sys, a),
			    &a->pending);
		tri_store_relaxed(&a->taken, n);
		if (TRI_UNLIKELY((ident & TRI_IDENT_BOUND) != 0)) {
			tri_bound_drop_old(c, a);
			newest = NULL; /* it may have been dropped */
		}
		if (tri_gather_is_worth(w, n))
			until = run_backlog_taken(c);
	}
	newest = tri_backlog_absorb(c, a, newest);
	tri_backlog_remember(c, a, newest);
	if (!noted)
		newest = NULL;
	if (!run_goes_on(c, a, newest))
		run_requeue(c, a, newest);
}

/* It was not let go of: let it rest, or go on. */
static __attribute__((noinline)) void
run_usual_on(struct tri_crew *c, struct tr_self *a)
{
	struct tri_inlet *in = tri_inlet_of(c->desk.sys, a);
	uint64_t ident = tri_load_relaxed(&a->ident);
	uint64_t head = tri_inlet_look_owner(in);

	if (a->pending != NULL || tri_inlet_is_msg(head) ||
	    tri_has_parked(c->desk.sys, a, in) ||
	    !run_rest(c, a, in, ident, head))
		run_batch(c, a, ident, c->worker.batch - 1, false);
}

/* Something has come of it. */
static __attribute__((noinline)) void
run_usual_ends(struct tri_crew *c, struct tr_self *a, struct tr_msg *m,
    uint32_t counted)
{
	run_add_counts(c, a, run_counted(c, counted));
	run_spend(c);
	if (c->turn.ended) {
		tri_actor_die(c, a);
		return;
	}
	if (c->turn.msg != NULL)
		tri_msg_dispose_inline(c, m, c->turn.unanswered);
	run_usual_on(c, a);
}

/*
 * The usual case, without anything that it does not need: one simple message,
 * or the first of a new actor, from this worker to an actor that it woke, and
 * will keep.  `stashes`: something may come out of its stash.
 */
static inline __attribute__((always_inline)) void
run_usual(struct tri_crew *c, struct tr_self *a, struct tr_msg *m, bool first,
    bool stashes)
{
	a->pending = NULL;
	tri_store_relaxed(&a->taken, 0u);
	if (TRI_UNLIKELY(!run_simple(c, a, m, first))) {
		run_usual_ends(c, a, m, !first);
		return;
	}
	if (!first)
		run_add_counts(c, a, 1);
	run_spend(c);
	tri_pool_free(c->desk.pool, m, m->size_class);
	TR_DASSERT(stashes || a->pending == NULL);
	if ((!stashes || TRI_LIKELY(a->pending == NULL)) &&
	    TRI_LIKELY(tri_inlet_look_owner(&a->inlet) == c->reserved) &&
	    TRI_LIKELY(!tri_sched_is_slow(&c->worker))) {
		c->turn.cell = NULL;
		tri_sched_keep(&c->worker, tri_word_of(a, TRI_KIND_ACTOR));
		return;
	}
	run_usual_on(c, a);
}

/* Whether what is pending is one message for run_usual. */
static inline bool
run_is_usual(const struct tr_self *a, enum tri_msg_kind kind)
{
	const struct tr_msg *m = a->pending;

	return m != NULL && m->link == NULL && tri_msg_is_simple(m, kind);
}

/* Whether what is pending is one message, an ask or an answer: they come one by one,
 * as a rule. */
static inline bool
run_is_asked(const struct tr_self *a)
{
	const struct tr_msg *m = a->pending;

	return m != NULL && m->link == NULL &&
	    (m->kind == TRI_MSG_ASK || m->kind == TRI_MSG_REPLY);
}

/* As run_usual, for such a one. */
static void
run_asked(struct tri_crew *c, struct tr_self *a, struct tr_msg *m)
{
	a->pending = NULL;
	tri_store_relaxed(&a->taken, 0u);
	run_usual_ends(c, a, m, run_message(c, a, m));
}

/* Not just one simple message that is pending for an actor without anything. */
static __attribute__((noinline)) void
run_unusual(struct tri_crew *c, struct tr_self *a, uint64_t ident)
{
	uint32_t left = c->worker.batch;
	bool took = false;
	uint64_t head;

	if (TRI_UNLIKELY((ident & TRI_IDENT_DYING) != 0)) {
		tri_actor_die_on(c, a);
		return;
	}
	if ((ident & TRI_IDENT_COLD) != 0)
		tri_stash_fetch(tri_cold(c->desk.sys, a));
	if ((ident & TRI_IDENT_CARE) == 0) {
		if (run_is_usual(a, TRI_MSG_PLAIN)) {
			run_usual(c, a, a->pending, false, true);
			return;
		}
		if (run_is_usual(a, TRI_MSG_START)) {
			run_usual(c, a, a->pending, true, true);
			return;
		}
		if (run_is_asked(a)) {
			run_asked(c, a, a->pending);
			return;
		}
	}
	if (a->pending == NULL) {
		head = tri_inlet_look_owner(&a->inlet);
		if (TRI_LIKELY(run_is_usual_in_place(ident, head))) {
			if (TRI_LIKELY(run_usual_in_place(c, a, head)))
				return;
			left--;
			took = true;
		}
	}
	run_batch(c, a, ident, left, took);
}

void
tri_actor_run(struct tri_worker *w, void *object)
{
	struct tri_crew *c = (struct tri_crew *)(void *)w;
	struct tr_self *a = object;
	uint64_t ident = run_begin(c, a);

	if (TRI_LIKELY((ident & (TRI_IDENT_CARE | RUN_FIRST)) == 0) &&
	    TRI_LIKELY(run_is_usual(a, TRI_MSG_PLAIN)))
		run_usual(c, a, a->pending, false, false);
	else
		run_unusual(c, a, ident);
	if (TRI_UNLIKELY(c->stream.burst != NULL))
		tri_stream_end(c);
}
