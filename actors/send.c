/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages: making, sending, keeping and freeing them.
 *
 * The hot path of the library.  A send is: a block from the worker's pool, a
 * copy of the payload, one look at the target's cell (generation, home), one
 * CAS on its inlet, and, if it was idle, a store into the worker's `next`
 * slot.  All of it on the sender's worker; no lock, no allocation by malloc.
 */
#include "actors/burst.h"
#include "actors/keep.h"
#include "actors/send.h"

/* ----------------------------------------------------------- making ---- */

struct tr_msg *
tri_msg_alloc(struct tri_desk *d, unsigned kind, unsigned flags, uint32_t tag,
    size_t size)
{
	struct tr_msg *m = tri_msg_make(d, kind, flags, tag, size);

	if (m != NULL)
		m->sender = 0;
	return m;
}

/* ---------------------------------------------------------- freeing ---- */

void
tri_msg_free(struct tri_desk *d, struct tr_msg *m)
{
	if (TRI_LIKELY(m->size_class < TRI_CLASSES)) {
		tri_pool_free(d->pool, m, m->size_class);
	} else {
		tri_pool_forget_large(d->pool, m);
		tri_pool_free_large(m);
	}
}

static void
msg_run_drop(struct tr_system *sys, struct tr_msg *m)
{
	struct tri_msg_extra *extra = tri_msg_extra(m);

	if (extra->drop != NULL) {
		tri_seen(sys, TRI_EVENT_DROP, TR_REF_NONE, m, 0, 0);
		extra->drop(tri_msg_payload(m), m->size);
	}
	extra->drop = NULL;
}

static TRI_COLD void
msg_dispose_special(struct tri_crew *c, struct tr_msg *m, int outcome)
{
	if (m->size_class == TRI_CLASS_EMBEDDED) {
		struct tri_record *r =
		    tri_container_of(m, struct tri_record, msg);

		if (m->kind == TRI_MSG_MONITOR)
			tri_monitor_refused(c, r);
		else if (m->kind == TRI_MSG_LINK)
			tri_link_refused(c, r);
		else if (m->kind == TRI_MSG_UNLINK)
			tri_unlink_refused(c, r);
		else if (m->kind == TRI_MSG_KEPT)
			tri_keep_refused(c, r);
		else
			tri_record_release(c, r, TRI_HOLD_SENT);
		return;
	}
	if (m->size_class == TRI_CLASS_MARK) {
		tri_mark_release(c, m);
		return;
	}
	if (m->flags & TRI_MSG_EXTRA_EXT)
		msg_run_drop(c->desk.sys, m);
	if (m->flags & TRI_MSG_LENT) {
		uint64_t id = (uint64_t)tri_msg_ask(m)->deadline;
		struct tri_record *r = tri_record_find(c, id, TRI_RECORD_DUTY);

		if (r != NULL)
			tri_duty_end(c, r, outcome);
	}
	if (m->flags & TRI_MSG_DUTY) {
		tri_ask_refuse(c, m, outcome);
		return;
	}
	tri_msg_free(&c->desk, m);
}

void
tri_msg_dispose(struct tri_crew *c, struct tr_msg *m, int outcome)
{
	if (TRI_LIKELY((m->flags & TRI_MSG_SPECIAL) == 0 &&
		m->size_class < TRI_CLASSES))
		tri_pool_free(c->desk.pool, m, m->size_class);
	else
		msg_dispose_special(c, m, outcome);
}

void
tri_msg_dead(struct tri_crew *c, tr_ref to, struct tr_msg *m,
    enum tr_dead_reason reason, int outcome)
{
	tri_dead_letter(&c->desk, reason, to, m);
	tri_msg_dispose(c, m, outcome);
}

/* ---------------------------------------------------------- sending ---- */

void
tri_tell_reserver(struct tr_system *sys, struct tr_self *a, uint64_t reserved)
{
	unsigned index = (unsigned)(reserved - tri_inlet_reserved_by(0));

	tri_reserve_tell(&tri_sched_worker(&sys->sched, index)->reserve,
	    tri_word_of(a, TRI_KIND_ACTOR));
}

enum tri_inlet_pushed
tri_push_to(struct tr_system *sys, struct tr_self *a, struct tr_msg *m)
{
	uint64_t head;
	enum tri_inlet_pushed pushed =
	    tri_apart_push(&a->inlet, tri_apart(sys, a), m, &head);

	if (TRI_UNLIKELY(tri_inlet_is_reserved(head)))
		tri_tell_reserver(sys, a, head);
	return pushed;
}

/* Something goes into the mailbox that the handler of this thread, if there is one,
 * puts messages into: what it puts from there on comes later. */
static inline void
push_ends_burst(tr_ref to)
{
	struct tri_crew *c = (struct tri_crew *)(void *)tri_worker_here;

	if (TRI_UNLIKELY(c != NULL && c->stream.burst != NULL &&
		c->stream.target == to.bits))
		tri_stream_end(c);
}

enum tri_inlet_pushed
tri_push(struct tr_system *sys, tr_ref to, struct tr_msg *m,
    struct tr_self **cell)
{
	struct tr_self *a = tri_usual_target(sys, to);

	push_ends_burst(to);
	m->generation = tri_ref_generation(to);
	if (TRI_LIKELY(a != NULL)) {
		*cell = a;
		return tri_push_to(sys, a, m);
	}
	a = tri_cell_find(sys, to);
	if (a == NULL)
		return TRI_PUSH_CLOSED;
	*cell = a;
	return tri_push_unusual(sys, a, tri_load_relaxed(&a->ident), m);
}

/* A message had to be pushed.  If other workers have stepped aside meanwhile, the
 * next need not. */
static inline void
send_looks_round(struct tri_crew *c)
{
	if (TRI_UNLIKELY(tri_load_relaxed(&c->worker.yielded) != 0))
		tri_sched_withdraw(&c->worker);
}

/* Messages to this actor, which is not bounded, go there. */
static void
stream_set(struct tri_crew *c, tr_ref to, struct tr_self *a,
    struct tri_inlet *in)
{
	if (c->stream.target == to.bits)
		return;
	if (TRI_UNLIKELY(c->stream.burst != NULL))
		tri_stream_end(c);
	tri_stream_set(&c->stream, to.bits, a, in);
}

/* To an actor that is looked on, and has no bound. */
static bool
deliver_traced(struct tri_crew *c, tr_ref to, struct tr_msg *m)
{
	struct tr_self *a = tri_cell_find(c->desk.sys, to);
	struct tri_inlet *in;
	uint64_t head;

	if (a == NULL ||
	    (tri_load_relaxed(&a->ident) & TRI_IDENT_UNUSUAL) !=
		TRI_IDENT_TRACED)
		return false;
	m->generation = tri_ref_generation(to);
	m->flags |= TRI_MSG_TRACED;
	in = tri_inlet_find(c->desk.sys, a, &head);
	if (in != &a->inlet)
		stream_set(c, to, a, in);
	if (tri_deliver_direct(c, to, a, in, m, head)) {
		tri_seen(c->desk.sys, TRI_EVENT_SENT, to, m, 0, 0);
		return true;
	}
	m->flags &= (uint8_t)~TRI_MSG_TRACED;
	return false;
}

/* Whether somebody looks on at it. */
static bool
is_traced(const struct tri_crew *c, const struct tr_msg *m)
{
	return c->desk.sys->trace != NULL && m->kind <= TRI_MSG_COUNTED;
}

/* Into the burst that is open. */
static inline void
stream_put(struct tri_crew *c, tr_ref to, struct tr_msg *m, bool traced)
{
	struct tri_stream *s = &c->stream;
	bool open;

	tri_count(&c->desk.counts.sent, (uint64_t)1);
	m->generation = tri_ref_generation(to);
	if (TRI_UNLIKELY(traced))
		m->flags |= TRI_MSG_TRACED;
	s->put++;
	s->last = s->at++;
	open = tri_burst_put(s->burst, s->last, m);
	if (TRI_UNLIKELY(traced) && open)
		tri_seen(c->desk.sys, TRI_EVENT_SENT, to, m, 0, 0);
	if (TRI_UNLIKELY(!open || s->at >= TRI_BURST_FULL))
		(void)tri_stream_turn(c, traced && !open ? m : NULL);
}

/* There was one more for c->stream.target. */
static inline void
stream_counts(struct tri_crew *c)
{
	uint32_t n = c->stream.pushes++;

	if (TRI_UNLIKELY((n & (c->desk.sys->burst_after - 1)) == 0))
		tri_stream_looks(c);
}

/* Whether this worker keeps the actor; `head`: what is in its inlet. */
static inline bool
stream_is_kept(struct tri_crew *c, tr_ref to, uint64_t head)
{
	return head == c->reserved_plain &&
	    TRI_LIKELY(tri_usual_target(c->desk.sys, to) == c->stream.cell);
}

/* As tri_send_inline, to an actor that this worker may keep. */
static int
stream_send(struct tri_crew *c, tr_ref to, uint32_t tag, const void *data,
    size_t size)
{
	struct tri_stream *s = &c->stream;
	struct tr_msg *m;

	if (s->expected != 0 && tri_stream_begin(c, true))
		return tri_send_streamed(c, to, tag, data, size);
	if (s->inlet == NULL ||
	    !stream_is_kept(c, to, tri_inlet_look(s->inlet)) ||
	    (m = tri_msg_make_small(c, tag, data, size)) == NULL)
		return tri_send_large(c, to, tag, data, size);
	tri_count(&c->desk.counts.sent, (uint64_t)1);
	tri_deliver_kept(c, to, s->cell, m);
	stream_counts(c);
	return TR_OK;
}

int
tri_send_streamed(struct tri_crew *c, tr_ref to, uint32_t tag, const void *data,
    size_t size)
{
	struct tri_stream *s = &c->stream;

	if (s->burst == NULL)
		return stream_send(c, to, tag, data, size);
	if (!s->small)
		return tri_send_large(c, to, tag, data, size);
	tri_count(&c->desk.counts.sent, (uint64_t)1);
	s->put++;
	s->last = s->at;
	s->at += tri_burst_words(size);
	if (TRI_UNLIKELY(
		!tri_burst_put_small(s->burst, s->last, tag, data, size) ||
		s->at >= TRI_BURST_FULL))
		return tri_stream_turn(c, NULL);
	return TR_OK;
}

/* Neither put nor pushed. */
static void
stream_deliver(struct tri_crew *c, tr_ref to, struct tr_msg *m, uint64_t head)
{
	if (!stream_is_kept(c, to, head)) {
		tri_stream_set(&c->stream, 0, NULL, NULL);
		tri_deliver_usual(c, to, m);
		return;
	}
	tri_count(&c->desk.counts.sent, (uint64_t)1);
	tri_deliver_kept(c, to, c->stream.cell, m);
	stream_counts(c);
}

/*
 * To the actor that this worker sent to before, whose mailbox has moved: a push,
 * while that is not empty, or it runs.
 */
void
tri_deliver_streamed(struct tri_crew *c, tr_ref to, struct tr_msg *m)
{
	struct tri_stream *s = &c->stream;
	enum tri_inlet_pushed pushed;
	bool traced = is_traced(c, m);
	uint64_t head;

	if (TRI_LIKELY(s->burst != NULL)) {
		stream_put(c, to, m, traced);
		return;
	}
	if (s->inlet == NULL) {
		if (s->expected != 0 && tri_stream_begin(c, false))
			stream_put(c, to, m, traced);
		else
			tri_deliver_usual(c, to, m);
		return;
	}
	head = tri_inlet_look(s->inlet);
	if (!tri_inlet_is_msg(head) && head != TRI_INLET_RUNNING) {
		stream_deliver(c, to, m, head);
		return;
	}
	tri_count(&c->desk.counts.sent, (uint64_t)1);
	m->generation = tri_ref_generation(to);
	if (TRI_UNLIKELY(traced))
		m->flags |= TRI_MSG_TRACED;
	pushed = tri_inlet_push_over(s->inlet, m, &head);
	if (TRI_UNLIKELY(pushed == TRI_PUSH_CLOSED))
		m->flags &= (uint8_t)~TRI_MSG_TRACED;
	else if (TRI_UNLIKELY(traced))
		tri_seen(c->desk.sys, TRI_EVENT_SENT, to, m, 0, 0);
	if (TRI_UNLIKELY(pushed != TRI_PUSH_QUEUED))
		tri_deliver_pushed(c, to, s->cell, m, pushed);
	else if (tri_inlet_is_reserved(head))
		tri_tell_reserver(c->desk.sys, s->cell, head);
	else
		tri_crowd_pushed(c, to, m, head);
	stream_counts(c);
	send_looks_round(c);
}

void
tri_crowd_leave(struct tri_crew *c)
{
	struct tri_worker *w = &c->worker;
	uint64_t handler = tri_handler_number(c);
	uint32_t stalls;

	if (!tri_backoff_begin(&c->backoff, handler, tri_worker_clock(w),
		(int64_t)TRI_BACKOFF_FLOOD_NS * w->sched->n))
		return;
	tri_count(&w->counts.crowds, (uint64_t)1);
	stalls = tri_backoff_draw(&c->backoff);
	if (stalls > 0) {
		tri_backoff_stall(stalls);
		c->backoff.since = tri_worker_clock(w);
	}
}

/* To one without a bound whose inlet is APART. */
static void
deliver_moved(struct tri_crew *c, tr_ref to, struct tr_self *a,
    struct tr_msg *m)
{
	struct tri_inlet *in = tri_apart(c->desk.sys, a);

	stream_set(c, to, a, in);
	if (tri_deliver_direct(c, to, a, in, m, tri_inlet_look(in)))
		return;
	tri_deliver_pushed(c, to, a, m, tri_push_to(c->desk.sys, a, m));
	send_looks_round(c);
}

void
tri_deliver_other(struct tri_crew *c, tr_ref to, struct tr_self *a,
    struct tr_msg *m)
{
	uint64_t head = tri_inlet_look(&a->inlet);
	enum tri_inlet_pushed pushed;

	m->generation = tri_ref_generation(to);
	if (TRI_UNLIKELY(head == TRI_INLET_APART)) {
		deliver_moved(c, to, a, m);
		return;
	}
	if (tri_deliver_direct(c, to, a, &a->inlet, m, head))
		return;
	pushed = tri_inlet_push_over(&a->inlet, m, &head);
	if (TRI_UNLIKELY(pushed != TRI_PUSH_QUEUED))
		tri_deliver_pushed(c, to, a, m, pushed);
	else if (TRI_LIKELY(!tri_inlet_is_reserved(head)))
		tri_crowd_pushed(c, to, m, head);
	/* For this worker there is nothing to tell: it has just looked. */
	else if (head != c->reserved)
		tri_tell_reserver(c->desk.sys, a, head);
	send_looks_round(c);
	/* Messages that it has had there before. */
	if (TRI_UNLIKELY(tri_inlet_is_msg(head)) &&
	    deliver_grows(c, tri_inlet_length(head)))
		tri_stream_grows(c, to, a);
}

void
tri_deliver_packed(struct tri_crew *c, tr_ref to, struct tr_self *a,
    struct tri_pack *newest, struct tr_msg *m, struct tri_next *at)
{
	struct tri_worker *w = &c->worker;
	tri_word word = tri_word_of(a, TRI_KIND_ACTOR);
	bool grows;
	struct tr_msg *note = tri_deliver_behind(c, a, &newest->msg, m, &grows);

	if (at == &w->q.next)
		tri_sched_lay(w, word, note);
	else
		tri_reserve_return(tri_reserve_place(&w->reserve, word), word,
		    note);
	if (TRI_UNLIKELY(grows))
		tri_stream_grows(c, to, a);
}

void
tri_deliver_claimed(struct tri_crew *c, tr_ref to, struct tr_self *a,
    struct tr_msg *m, struct tri_next *at)
{
	tri_next_leave(at, tri_word_of(a, TRI_KIND_ACTOR));
	tri_deliver_other(c, to, a, m);
}

void
tri_deliver_unusual(struct tri_crew *c, tr_ref to, struct tr_msg *m)
{
	struct tr_self *a = NULL;
	enum tri_inlet_pushed pushed;

	if (is_traced(c, m) && deliver_traced(c, to, m))
		return;
	pushed = tri_push(c->desk.sys, to, m, &a);
	tri_deliver_pushed(c, to, a, m, pushed);
}

void
tri_deliver_pushed(struct tri_crew *c, tr_ref to, struct tr_self *a,
    struct tr_msg *m, enum tri_inlet_pushed pushed)
{
	if (pushed == TRI_PUSH_MOVED)
		deliver_moved(c, to, a, m);
	else if (pushed == TRI_PUSH_WAKE)
		tri_schedule(c->desk.sys, &c->worker, a);
	else if (pushed != TRI_PUSH_QUEUED)
		tri_push_failed(c, to, m, pushed);
}

void
tri_push_failed(struct tri_crew *c, tr_ref to, struct tr_msg *m,
    enum tri_inlet_pushed pushed)
{
	tri_msg_dead(c, to, m, tri_push_reason(pushed),
	    pushed == TRI_PUSH_CLOSED ? TR_EDEAD : TR_EFULL);
}

void
tri_schedule(struct tr_system *sys, struct tri_worker *w, struct tr_self *a)
{
	unsigned home =
	    (unsigned)(tri_load_relaxed(&a->ident) >> TRI_IDENT_HOME_SHIFT &
		TRI_IDENT_HOME);
	tri_word word = tri_word_of(a, TRI_KIND_ACTOR);

	if (TRI_UNLIKELY(home != 0))
		tri_sched_push_home(&sys->sched, w, home - 1, word);
	else if (TRI_LIKELY(w != NULL))
		tri_sched_push(w, word);
	else
		tri_sched_inject(&sys->sched, word);
}

void
tri_deliver_control(struct tri_crew *c, tr_ref to, struct tr_msg *m)
{
	struct tr_self *a = NULL;

	switch (tri_push(c->desk.sys, to, m, &a)) {
	case TRI_PUSH_QUEUED: break;
	case TRI_PUSH_WAKE: tri_schedule(c->desk.sys, &c->worker, a); break;
	case TRI_PUSH_CLOSED:
	case TRI_PUSH_MOVED:
	case TRI_PUSH_FULL:
	case TRI_PUSH_DROPPED: tri_msg_dispose(c, m, TR_EDEAD); break;
	}
}

void
tri_deliver(struct tri_crew *c, tr_ref to, struct tr_msg *m)
{
	tri_deliver_inline(c, to, m);
}

/* Too large, or the system is over its budget. */
int
tri_send_unusual(struct tri_crew *c, tr_ref to, uint32_t tag, size_t size)
{
	struct tr_msg m = {
		.sender = c->turn.ref.bits,
		.tag = tag,
		.size = (uint32_t)size,
	};

	if (size > tri_message_limit(c->desk.sys))
		return TR_EINVAL;
	tri_count(&c->desk.counts.sent, (uint64_t)1);
	tri_dead_letter(&c->desk, TR_DEAD_BUDGET, to, &m);
	return TR_OK;
}

int
tri_send_large(struct tri_crew *c, tr_ref to, uint32_t tag, const void *data,
    size_t size)
{
	struct tr_msg *m = tri_msg_make(&c->desk, TRI_MSG_PLAIN, 0, tag, size);

	if (TRI_UNLIKELY(m == NULL))
		return TR_ENOMEM;
	m->sender = c->turn.ref.bits;
	tri_msg_copy_in(m, data, size);
	tri_deliver_inline(c, to, m);
	return TR_OK;
}

int
tr_send(struct tr_self *self, tr_ref to, uint32_t tag, const void *data,
    size_t size)
{
	struct tri_crew *c = tri_crew_of(self);

	if (TRI_UNLIKELY(size >= tri_send_end(c->desk.sys)))
		return tri_send_unusual(c, to, tag, size);
	return tri_send_inline(c, to, tag, data, size);
}

/* Push a message that its owner gets back when the receiver is gone or full. */
static int
send_try(struct tri_crew *c, tr_ref to, struct tr_msg *m)
{
	struct tr_self *a = NULL;
	enum tri_inlet_pushed pushed = tri_push(c->desk.sys, to, m, &a);

	if (pushed == TRI_PUSH_CLOSED)
		return TR_EDEAD;
	if (pushed == TRI_PUSH_FULL)
		return TR_EFULL;
	tri_count(&c->desk.counts.sent, (uint64_t)1);
	if (pushed == TRI_PUSH_WAKE)
		tri_schedule(c->desk.sys, &c->worker, a);
	else if (pushed == TRI_PUSH_DROPPED)
		tri_push_failed(c, to, m, pushed);
	return TR_OK;
}

int
tr_try_send(struct tr_self *self, tr_ref to, uint32_t tag, const void *data,
    size_t size)
{
	struct tri_crew *c = tri_crew_of(self);
	struct tr_msg *m;
	int rc;

	if (size >= tri_send_end(c->desk.sys))
		return size > tri_message_limit(c->desk.sys) ? TR_EINVAL :
							       TR_EFULL;
	m = tri_msg_make(&c->desk, TRI_MSG_PLAIN, 0, tag, size);
	if (m == NULL)
		return TR_ENOMEM;
	m->sender = c->turn.ref.bits;
	tri_msg_copy_in(m, data, size);
	rc = send_try(c, to, m);
	if (rc != TR_OK)
		tri_msg_dispose(c, m, rc);
	return rc;
}

/* ------------------------------------------- messages that one owns ---- */

struct tr_msg *
tr_msg_new(struct tr_self *self, uint32_t tag, size_t size, tr_drop_fn *drop)
{
	struct tri_crew *c = tri_crew_of(self);
	struct tr_msg *m;

	if (size > tri_message_limit(c->desk.sys))
		return NULL;
	m = tri_msg_alloc(&c->desk, TRI_MSG_PLAIN,
	    drop != NULL ? TRI_MSG_EXTRA_EXT : 0, tag, size);
	if (m != NULL && drop != NULL)
		tri_msg_set_drop(c->desk.sys, m, drop);
	return m;
}

void *
tr_msg_data(struct tr_msg *msg)
{
	return tri_msg_payload(msg);
}

/*
 * A message about to be sent on is plain, whatever it was.  Returns the duty
 * of a taken ask, to be ended once it is sent.
 */
static struct tri_record *
msg_make_plain(struct tri_crew *c, struct tr_msg *m)
{
	struct tri_record *duty = NULL;

	if (TRI_UNLIKELY(tri_pool_of(m)->owner != c->desk.sys))
		tri_turn_blame(c, "tr_send_msg",
		    "the message is another system's");
	if (m->flags & TRI_MSG_LENT)
		duty = tri_record_find(c, (uint64_t)tri_msg_ask(m)->deadline,
		    TRI_RECORD_DUTY);
	m->flags &= (uint8_t)~TRI_MSG_LENT;
	m->kind = TRI_MSG_PLAIN;
	m->sender = c->turn.ref.bits;
	return duty;
}

int
tr_send_msg(struct tr_self *self, tr_ref to, struct tr_msg **msg)
{
	struct tri_crew *c = tri_crew_of(self);
	struct tr_msg *m = *msg;
	struct tri_record *duty;

	if (m == NULL)
		return TR_EINVAL;
	*msg = NULL;
	duty = msg_make_plain(c, m);
	if (duty != NULL)
		tri_duty_end(c, duty, TR_ENOREPLY);
	if (TRI_UNLIKELY(tri_is_over_budget(c->desk.sys))) {
		tri_count(&c->desk.counts.sent, (uint64_t)1);
		tri_msg_dead(c, to, m, TR_DEAD_BUDGET, TR_EFULL);
	} else {
		tri_deliver(c, to, m);
	}
	return TR_OK;
}

int
tr_try_send_msg(struct tr_self *self, tr_ref to, struct tr_msg **msg)
{
	struct tri_crew *c = tri_crew_of(self);
	struct tr_msg *m = *msg, before;
	struct tri_record *duty;
	int rc;

	if (m == NULL)
		return TR_EINVAL;
	if (tri_is_over_budget(c->desk.sys))
		return TR_EFULL;
	before = *m;
	duty = msg_make_plain(c, m);
	rc = send_try(c, to, m);
	if (rc != TR_OK) {
		*m = before; /* still the caller's, and still an ask */
		return rc;
	}
	*msg = NULL;
	if (duty != NULL)
		tri_duty_end(c, duty, TR_ENOREPLY);
	return TR_OK;
}

void
tr_msg_drop(struct tr_msg **msg)
{
	struct tr_msg *m = *msg;
	struct tr_system *sys;
	struct tri_crew *c;

	if (m == NULL)
		return;
	*msg = NULL;
	sys = tri_pool_of(m)->owner;
	c = tri_crew_here(sys);
	if (c != NULL)
		tri_msg_dispose(c, m, TR_ENOREPLY);
	else
		tri_msg_dispose_foreign(sys, m, TR_ENOREPLY);
}

void
tri_turn_detach(struct tri_crew *c)
{
	struct tr_self *a = c->turn.cell;
	struct tr_msg *rest;
	uint32_t n;

	if (!c->turn.in_place)
		return;
	c->turn.in_place = false;
	/* The message in hand is the oldest: nothing was pending. */
	rest = tri_inlet_take_owner(tri_inlet_of(c->desk.sys, a),
	    tri_ref_generation(c->turn.ref), &n);
	TR_ASSERT(rest == c->turn.msg && a->pending == NULL);
	a->pending = rest->link;
	tri_store_relaxed(&a->taken, n - 1);
}

struct tr_msg *
tri_msg_copy(struct tri_crew *c, struct tr_msg *m)
{
	struct tr_msg *copy =
	    tri_msg_alloc(&c->desk, TRI_MSG_PLAIN, 0, m->tag, m->size);

	if (copy == NULL)
		return NULL;
	tri_msg_copy_in(copy, (const char *)m + m->offset, m->size);
	m->flags |= TRI_MSG_LENT;
	return copy;
}

struct tr_msg *
tr_take(struct tr_self *self, const struct tr_msg *msg)
{
	struct tri_crew *c = tri_crew_of(self);
	struct tr_msg *m = c->turn.msg;
	struct tri_record *r;

	if (m == NULL || m != msg)
		return NULL;
	if (tri_tick_is_lent(m))
		return NULL;
	if (m->size_class == TRI_CLASS_EMBEDDED)
		return tri_msg_copy(c, m); /* it is part of its record */
	if (m->flags & TRI_MSG_DUTY) {
		struct tri_msg_ask *ask = tri_msg_ask(m);

		r = tri_record_new(c, TRI_RECORD_DUTY);
		if (r == NULL)
			return NULL;
		r->u.asker = m->sender;
		r->cookie = ask->ask;
		r->node.deadline = ask->deadline;
		ask->deadline = (int64_t)tri_record_id(r);
		m->flags = (uint8_t)((m->flags & ~TRI_MSG_DUTY) | TRI_MSG_LENT);
	}
	tri_turn_detach(c);
	c->turn.msg = NULL;
	return m;
}

/* ------------------------------------------------- what a message says - */

const struct tr_msg *
tr_msg_in_hand(struct tr_self *self)
{
	struct tr_msg *m = tri_crew_of(self)->turn.msg;

	if (m == NULL || m->kind >= TRI_MSG_OUTCOME ||
	    (m->kind == TRI_MSG_REPLY && tri_msg_reply(m)->outcome != TR_OK))
		return NULL;
	return m;
}

uint32_t
tr_tag(const struct tr_msg *msg)
{
	return msg->tag;
}

size_t
tr_size(const struct tr_msg *msg)
{
	return msg->size;
}

tr_ref
tr_sender(const struct tr_msg *msg)
{
	return (tr_ref){ msg->sender };
}

const void *
tr_data(const struct tr_msg *msg, size_t size)
{
	return size > msg->size ? NULL : (const char *)msg + msg->offset;
}
