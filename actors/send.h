/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hot half of sending, inline: a block, a push, a schedule.
 *
 * A message between two actors of one worker is some two hundred instructions
 * in all, so calls, and the registers they save, are what there is to win
 * here.  Everything unusual is out of line, in send.c.
 */
#ifndef TROUPE_ACTORS_SEND_H
#define TROUPE_ACTORS_SEND_H

#include <string.h>

#include "actors/apart.h"
#include "mailbox/pack.h"

/* A header, but for its sender. */
static inline void
tri_msg_set(struct tr_msg *m, unsigned kind, unsigned flags, uint32_t tag,
    size_t size, unsigned size_class)
{
	tri_msg_set_said(m, tag, (uint32_t)size);
	tri_msg_set_kind(m, kind, flags, size_class);
}

/* A message's block and header, but for its sender; NULL: no memory. */
static inline struct tr_msg *
tri_msg_make(struct tri_desk *d, unsigned kind, unsigned flags, uint32_t tag,
    size_t size)
{
	size_t head = tri_msg_head(flags);
	unsigned size_class;
	struct tr_msg *m;

	if (TRI_LIKELY(head + size <= 64))
		size_class = head + size > 32;
	else
		size_class = tri_class_of(head + size);
	m = TRI_LIKELY(size_class != TRI_CLASS_LARGE) ?
	    tri_pool_alloc(d->pool, size_class) :
	    tri_pool_alloc_large(d->pool, head + size);
	if (TRI_LIKELY(m != NULL))
		tri_msg_set(m, kind, flags, tag, size, size_class);
	return m;
}

/* Its drop function; it has room for one. */
static inline void
tri_msg_set_drop(struct tr_system *sys, struct tr_msg *m,
    void (*drop)(void *payload, size_t size))
{
	*tri_msg_extra(m) = (struct tri_msg_extra){ .drop = drop };
	tri_seen(sys, TRI_EVENT_MADE, TR_REF_NONE, m, 0, 0);
}

/* Copy a payload in. */
static inline void
tri_msg_copy_in(struct tr_msg *m, const void *data, size_t size)
{
	void *to = tri_msg_payload(m);

	if (TRI_LIKELY(size <= TRI_SMALL))
		tri_copy_small(to, data, size);
	else
		memcpy(to, data, size);
}

/* A tick or DOWN in hand that was taken already, or handed on. */
static inline bool
tri_tick_is_lent(const struct tr_msg *m)
{
	return m->size_class == TRI_CLASS_EMBEDDED &&
	    (m->flags & TRI_MSG_LENT) != 0;
}

/*
 * The cell of a plain actor of this system that is still there, as far as one
 * can tell; NULL for all others: tri_push finds out.
 *
 * A ref of this system names a slot that was handed out, so its cell is there;
 * another system's has that one's number in its generation, and is none of
 * this one's.  acq: pairs with table_fresh, for refs that are made up.
 */
static inline struct tr_self *
tri_usual_target(struct tr_system *sys, tr_ref to)
{
	uint32_t slot = tri_ref_slot(to), generation = tri_ref_generation(to);
	struct tr_self *a;

	if (TRI_UNLIKELY(slot >= tri_load_acquire(&sys->actors.limit)))
		return NULL;
	a = tri_cell(sys, slot);
	/* Only a hint: what decides is the taker's look at m->generation. */
	if (TRI_UNLIKELY(
		(tri_load_relaxed(&a->ident) &
		    (TRI_IDENT_GENERATION | TRI_IDENT_UNUSUAL)) != generation))
		return NULL;
	return a;
}

/* The first message of an actor that this worker has: to where it will be
 * handled from. */
static inline void
deliver_alone(struct tr_self *a, struct tr_msg *m)
{
	m->link = NULL;
	m->ahead = 0;
	a->pending = m;
	tri_store_relaxed(&a->taken, 1u);
}

/* The same if it may be for a former actor of the slot: then it is marked, as
 * tri_inlet_reverse does. */
static inline void
tri_deliver_first(struct tr_self *a, struct tr_msg *m)
{
	if (TRI_UNLIKELY(
		(uint32_t)tri_load_relaxed(&a->ident) != m->generation))
		m->flags |= TRI_MSG_STALE;
	deliver_alone(a, m);
}

/* To one that this worker has, behind the newest message.  Returns how many it has
 * now. */
static inline uint32_t
deliver_behind(struct tr_self *a, struct tr_msg *newest, struct tr_msg *m)
{
	uint32_t taken = tri_load_relaxed(&a->taken) + 1;

	m->link = NULL;
	m->ahead = 0;
	newest->ahead = (int32_t)(((intptr_t)m - (intptr_t)newest) / 32 *
	    TRI_INLET_STRIDES);
	newest->link = m;
	tri_store_relaxed(&a->taken, taken);
	return taken;
}

/* Whether a backlog is so long that it is time to look who makes it. */
static inline bool
deliver_grows(const struct tri_crew *c, uint32_t length)
{
	return TRI_UNLIKELY((length & (c->desk.sys->burst_after - 1)) == 0);
}

/* The same, or into a pack that is the newest.  Returns what is the newest then;
 * *grows: it is time for tri_stream_grows. */
static inline struct tr_msg *
tri_deliver_behind(struct tri_crew *c, struct tr_self *a, struct tr_msg *newest,
    struct tr_msg *m, bool *grows)
{
	bool takes = tri_pack_takes(m), packed = newest->kind == TRI_MSG_PACK;

	*grows = false;
	if (packed && takes && tri_pack_has_room(tri_pack_of(newest))) {
		tri_pack_put(tri_pack_of(newest), m);
		tri_store_relaxed(&a->taken, tri_load_relaxed(&a->taken) + 1);
		tri_pool_free(c->desk.pool, m, m->size_class);
		return newest;
	}
	*grows = deliver_grows(c, deliver_behind(a, newest, m)) &&
	    m->kind == TRI_MSG_PLAIN;
	*grows |= packed && takes;
	return m;
}

/*
 * To an actor whose inlet is reserved for this worker, and empty: if the worker
 * has it for itself, idle, or waiting, or about to run next, then no message is
 * newer than what is pending, and nobody else looks at that.  false: it has
 * not; it is in the queue for all, or runs.
 *
 * In a backlog each message says where a later one is likely to be, if that is
 * as far from the next as the next is from here, and so on (tri_inlet_reverse
 * knows it exactly).
 */
static inline bool
tri_deliver_reserved(struct tri_crew *c, tr_ref to, struct tr_self *a,
    struct tr_msg *m)
{
	struct tri_worker *w = &c->worker;
	tri_word word = tri_word_of(a, TRI_KIND_ACTOR);
	struct tri_place *p = tri_reserve_place(&w->reserve, word);
	struct tr_msg *newest;
	bool grows = false;

	if (tri_reserve_take(p, word)) {
		newest = tri_reserve_note(p);
		if (newest == NULL) {
			tri_deliver_first(a, m);
			tri_sched_push_noted(w, word, m, false);
		} else {
			newest = tri_deliver_behind(c, a, newest, m, &grows);
			tri_reserve_return(p, word, newest);
		}
	} else {
		newest = tri_sched_lift(w, word);
		if (newest == NULL)
			return false;
		newest = tri_deliver_behind(c, a, newest, m, &grows);
		tri_sched_lay(w, word, newest);
	}
	if (TRI_UNLIKELY(grows))
		tri_stream_grows(c, to, a);
	return true;
}

/* Whether the actor may be run by any worker. */
static inline bool
tri_actor_roams(const struct tr_self *a)
{
	return (tri_load_relaxed(&a->ident) &
		   TRI_IDENT_HOME << TRI_IDENT_HOME_SHIFT) == 0;
}

/* To an idle actor, which this worker reserves.  false: it is not idle. */
static inline bool
tri_deliver_waking(struct tri_crew *c, struct tr_self *a, struct tri_inlet *in,
    struct tr_msg *m)
{
	if (TRI_UNLIKELY(!tri_inlet_reserve(in, c->reserved)))
		return false;
	tri_deliver_first(a, m);
	/* Now the actor is ours to schedule, whoever it is by now: its home is
	 * read after that. */
	if (TRI_LIKELY(tri_actor_roams(a)))
		tri_sched_push_noted(&c->worker, tri_word_of(a, TRI_KIND_ACTOR),
		    m, tri_load_relaxed(&a->handled) == 0);
	else
		tri_schedule(c->desk.sys, &c->worker, a);
	return true;
}

/* Past the inlet, to an actor that this worker has or can have; `head`: what is
 * in its inlet.  false: it has to be pushed, or is APART. */
static inline bool
tri_deliver_direct(struct tri_crew *c, tr_ref to, struct tr_self *a,
    struct tri_inlet *in, struct tr_msg *m, uint64_t head)
{
	if (TRI_LIKELY(head == c->reserved))
		return tri_deliver_reserved(c, to, a, m);
	return head == TRI_INLET_IDLE && TRI_LIKELY(tri_actor_roams(a)) &&
	    tri_deliver_waking(c, a, in, m);
}

/* Pushed over `head`: if others push there all the time, leave it to them for a
 * moment. */
static inline void
tri_crowd_pushed(struct tri_crew *c, tr_ref to, const struct tr_msg *m,
    uint64_t head)
{
	if (TRI_UNLIKELY(tri_backoff_pushed(&c->backoff, to.bits, m,
		tri_inlet_is_msg(head) ? tri_inlet_msg(head) : NULL)))
		tri_crowd_leave(c);
}

/*
 * To an actor that this worker keeps, idle or waiting, or runs next: as
 * tri_deliver_reserved, but without any call that something would have to be
 * saved for.
 */
static inline __attribute__((always_inline)) void
tri_deliver_kept(struct tri_crew *c, tr_ref to, struct tr_self *a,
    struct tr_msg *m)
{
	struct tri_worker *w = &c->worker;
	tri_word word = tri_word_of(a, TRI_KIND_ACTOR);
	struct tri_place *p = tri_reserve_place(&w->reserve, word);
	struct tri_next *at = &p->slot;
	struct tr_msg *newest = tri_reserve_note(p);
	uint32_t length;

	if (TRI_UNLIKELY(tri_load_relaxed(&at->word) != word)) {
		at = &w->q.next;
		newest = w->q.note;
		if (newest == NULL || tri_load_relaxed(&at->word) != word) {
			tri_deliver_other(c, to, a, m);
			return;
		}
	}
	if (TRI_UNLIKELY(!tri_next_take_plain(at))) {
		tri_deliver_claimed(c, to, a, m, at);
		return;
	}
	if (newest == NULL) {
		deliver_alone(a, m);
		tri_sched_push_noted(w, word, m, false);
		return;
	}
	if (newest->kind == TRI_MSG_PACK) {
		tri_deliver_packed(c, to, a, tri_pack_of(newest), m, at);
		return;
	}
	length = deliver_behind(a, newest, m);
	if (at == &p->slot)
		tri_reserve_return(p, word, m);
	else
		tri_sched_lay(w, word, m);
	if (deliver_grows(c, length))
		tri_stream_grows(c, to, a);
}

/*
 * Count, push, schedule on the caller's worker.  What is unusual ends in a
 * tail call, so that nothing has to be kept for it.
 */
static inline __attribute__((always_inline)) void
tri_deliver_usual(struct tri_crew *c, tr_ref to, struct tr_msg *m)
{
	struct tr_self *a = tri_usual_target(c->desk.sys, to);

	tri_count(&c->desk.counts.sent, (uint64_t)1);
	if (TRI_UNLIKELY(a == NULL))
		tri_deliver_unusual(c, to, m);
	else if (TRI_LIKELY(tri_inlet_look(&a->inlet) == c->reserved_plain))
		tri_deliver_kept(c, to, a, m);
	else
		tri_deliver_other(c, to, a, m);
}

static inline void
tri_deliver_inline(struct tri_crew *c, tr_ref to, struct tr_msg *m)
{
	if (TRI_UNLIKELY(to.bits == c->stream.target))
		tri_deliver_streamed(c, to, m);
	else
		tri_deliver_usual(c, to, m);
}

/* Free a message; anything special about it is out of line. */
static inline void
tri_msg_dispose_inline(struct tri_crew *c, struct tr_msg *m, int outcome)
{
	if (TRI_LIKELY((m->flags & TRI_MSG_SPECIAL) == 0 &&
		m->size_class < TRI_CLASSES))
		tri_pool_free(c->desk.pool, m, m->size_class);
	else
		tri_msg_dispose(c, m, outcome);
}

/* A plain message with up to TRI_SMALL bytes, if a block is at hand; else NULL. */
static inline struct tr_msg *
tri_msg_make_small(struct tri_crew *c, uint32_t tag, const void *data,
    size_t size)
{
	unsigned size_class = size > 0;
	struct tr_msg *m = tri_pool_take(c->desk.pool, size_class);

	if (TRI_UNLIKELY(m == NULL))
		return NULL;
	tri_msg_set(m, TRI_MSG_PLAIN, 0, tag, size, size_class);
	m->sender = c->turn.ref.bits;
	if (size > 0)
		tri_copy_small(m + 1, data, size);
	return m;
}

/*
 * tr_send, with the crew at hand and the size checked.  A small message for
 * which a block is at hand is made without any call, so that no register has to
 * be saved.
 */
static inline int
tri_send_inline(struct tri_crew *c, tr_ref to, uint32_t tag, const void *data,
    size_t size)
{
	struct tr_msg *m;

	if (TRI_UNLIKELY(size > TRI_SMALL))
		return tri_send_large(c, to, tag, data, size);
	if (TRI_UNLIKELY(to.bits == c->stream.target))
		return tri_send_streamed(c, to, tag, data, size);
	m = tri_msg_make_small(c, tag, data, size);
	if (TRI_UNLIKELY(m == NULL))
		return tri_send_large(c, to, tag, data, size);
	tri_deliver_usual(c, to, m);
	return TR_OK;
}

#endif
