/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bursts: who sends a lot to a mailbox that has moved, within one handler, puts it
 * into an array that the receiver empties meanwhile (mailbox/burst.h).
 *
 * The sender's side, here and in send.c:
 *
 * - After BURST_AFTER pushes to the same inlet in one handler it pushes a burst, and
 *   puts what it sends there into that.
 * - When the handler returns it ends the burst: an actor may go on elsewhere, and
 *   what it sends from there shall come after that.  So the clock is to be looked
 *   at after this handler, whatever it takes (run_tick_clock).
 * - If the places are used up the next burst follows at once.  If the receiver has
 *   shut it messages are pushed again as ever.
 *
 * The receiver's side: a burst is a message in its list, in whose place come the
 * messages that it has, some at a time.  One that has none for now, and is not
 * over, is parked; whenever all else is handled the receiver looks there, and
 * before it goes on to a list that it has taken: what has been sent before that
 * must not come after it.  An actor with parked bursts is not let go of.  It lets
 * others have their turns, or waits for the next messages for some time, in which
 * its worker is busy with nothing; then, or as soon as there is something to do
 * elsewhere, it shuts them and rests.
 */
#include "actors/burst.h"

#include "actors/send.h"

enum {
	UNPACK = 128, /* messages at a time */
	STALLS = 16, /* a us, about: looks take the line from the sender */
	WORTH = 8, /* messages, for each look in vain: then it goes on */
};

/* -------------------------------------------------------- the sender ---- */

static void
stream_forget(struct tri_stream *s)
{
	s->burst = NULL;
	s->pushes = 0;
}

/* Push a burst. */
static void
stream_open(struct tri_crew *c)
{
	struct tri_stream *s = &c->stream;
	tr_ref to = { s->target };
	uint64_t head = tri_inlet_look(s->inlet);
	enum tri_inlet_pushed pushed;
	struct tri_burst *b;

	if (!tri_inlet_is_msg(head) && head != TRI_INLET_RUNNING)
		return;
	b = tri_pool_alloc(c->desk.pool, TRI_BURST_CLASS);
	if (b == NULL)
		return;
	tri_burst_init(b);
	b->msg.generation = tri_ref_generation(to);
	pushed = tri_inlet_push_over(s->inlet, &b->msg, &head);
	if (TRI_UNLIKELY(pushed == TRI_PUSH_CLOSED)) {
		tri_pool_free(c->desk.pool, b, TRI_BURST_CLASS);
		return;
	}
	s->burst = b;
	s->put = 0;
	c->worker.clock_in = 1;
	if (TRI_UNLIKELY(pushed != TRI_PUSH_QUEUED))
		tri_deliver_pushed(c, to, s->cell, &b->msg, pushed);
	else if (tri_inlet_is_reserved(head))
		tri_tell_reserver(c->desk.sys, s->cell, head);
}

void
tri_stream_looks(struct tri_crew *c)
{
	struct tri_stream *s = &c->stream;
	uint64_t handler = tri_handler_number(c);
	uint64_t sent = tri_load_relaxed(&c->desk.counts.sent);

	/* It does not do much else than send there. */
	if (s->pushes > 1 && s->handler == handler && c->turn.msg != NULL &&
	    sent - s->sent <= 2 * (uint64_t)c->desk.sys->burst_after &&
	    c->worker.q.next.plain)
		stream_open(c);
	s->handler = handler;
	s->sent = sent;
	s->pushes = 1;
}

/* What was not taken is sent again. */
void
tri_stream_end(struct tri_crew *c)
{
	struct tri_stream *s = &c->stream;
	struct tri_burst *b = s->burst;
	struct tr_msg *last =
	    s->put == 0 ? NULL : tri_load_relaxed(&b->place[s->put - 1]);
	bool own;
	uint32_t end = tri_burst_end(b, s->put, &own);
	bool missed = end < s->put;

	/* The burst counts itself as one as long as it is in the mailbox. */
	tri_fetch_add_relaxed(&tri_aside(c->desk.sys, s->cell)->put, end - 1);
	stream_forget(s);
	if (own)
		tri_pool_free(c->desk.pool, b, TRI_BURST_CLASS);
	if (missed) {
		/* It was counted.  The receiver may have ended, and the slot be
		 * another's: that is looked up. */
		tri_count(&c->desk.counts.sent, (uint64_t)0 - 1);
		tri_deliver_usual(c, (tr_ref){ s->target }, last);
	}
}

void
tri_stream_turn(struct tri_crew *c)
{
	bool full = c->stream.put == TRI_BURST_PLACES;

	tri_stream_end(c);
	if (full && c->stream.target != 0)
		stream_open(c);
}

/* ------------------------------------------------------ the receiver ---- */

/* So many of its messages have been taken: they are counted elsewhere now. */
static void
burst_saw(struct tri_aside *p, struct tri_burst *b, uint32_t n)
{
	b->early += n;
	if (tri_burst_is_open(b))
		return;
	tri_count(&p->seen, b->early);
	b->early = 0;
}

static void
burst_mark_stale(struct tr_msg *m, const struct tr_msg *end)
{
	for (; m != end; m = m->link)
		m->flags |= TRI_MSG_STALE;
}

/* true: it has nothing for now, and may get more. */
static bool
burst_unpack(struct tri_crew *c, struct tr_self *a, struct tr_msg **list,
    int32_t *more)
{
	struct tri_burst *b = tri_burst_of(*list);
	struct tr_msg *first, *last;
	uint32_t n = tri_burst_take(b, UNPACK, &first, &last);

	burst_saw(tri_aside(c->desk.sys, a), b, n);
	tri_count(&c->worker.counts.streamed, (uint64_t)n);
	*more = (int32_t)n;
	if (n > 0) {
		last->link = &b->msg;
		if (TRI_UNLIKELY((b->msg.flags & TRI_MSG_STALE) != 0))
			burst_mark_stale(first, &b->msg);
		*list = first;
		return false;
	}
	if (!tri_burst_is_over(b))
		return true;
	*list = b->msg.link;
	*more = -1;
	burst_saw(tri_aside(c->desk.sys, a), b, 0u - 1u);
	tri_pool_free(c->desk.pool, b, TRI_BURST_CLASS);
	return false;
}

/* After a fence: whether it is over, and not ours any more. */
static bool
burst_settle(struct tri_aside *p, struct tri_burst *b)
{
	uint32_t early = b->early;

	if (!tri_burst_settle(b))
		return false;
	tri_count(&p->seen, early - 1);
	return true;
}

/* The first of the list is a burst that is to end. */
static int32_t
burst_shut_out(struct tri_crew *c, struct tr_self *a, struct tr_msg **list)
{
	struct tri_env *env = c->desk.sys->env;
	struct tri_burst *b = tri_burst_of(*list);
	struct tr_msg *next = b->msg.link;

	tri_burst_shut(b);
	(void)env->fence_others(env);
	if (!burst_settle(tri_aside(c->desk.sys, a), b))
		return 0;
	*list = next;
	return -1;
}

int32_t
tri_burst_unpack(struct tri_crew *c, struct tr_self *a, struct tr_msg **list,
    bool parks)
{
	struct tri_aside *p = tri_aside(c->desk.sys, a);
	struct tr_msg *m = *list;
	int32_t more;

	if (!burst_unpack(c, a, list, &more))
		return more;
	if (!parks || (m->flags & TRI_MSG_STALE) != 0)
		return burst_shut_out(c, a, list);
	*list = m->link;
	m->link = p->parked;
	p->parked = m;
	p->parked_count++;
	return -1;
}

uint32_t
tri_burst_unpark(struct tri_aside *p, struct tr_msg **list)
{
	struct tr_msg *first = p->parked, *last = first;
	uint32_t n = p->parked_count;

	if (first == NULL)
		return 0;
	if (*list != NULL) {
		while (last->link != NULL)
			last = last->link;
		last->link = *list;
	}
	*list = first;
	p->parked = NULL;
	p->parked_count = 0;
	return n;
}

static bool
bursts_have_any(const struct tri_aside *p)
{
	for (struct tr_msg *m = p->parked; m != NULL; m = m->link) {
		struct tri_burst *b;

		if (m->kind != TRI_MSG_BURST)
			return true;
		b = tri_burst_of(m);
		if (tri_burst_peek(b) != NULL || tri_burst_is_over(b))
			return true;
	}
	return false;
}

static void
bursts_shut(struct tri_crew *c, struct tri_aside *p)
{
	struct tri_env *env = c->desk.sys->env;
	struct tr_msg **at = &p->parked, *m;

	for (m = p->parked; m != NULL; m = m->link)
		tri_burst_shut(tri_burst_of(m));
	(void)env->fence_others(env);
	while ((m = *at) != NULL) {
		/* Once it is settled it is not ours to read. */
		struct tr_msg *next = m->link;

		if (burst_settle(p, tri_burst_of(m))) {
			*at = next;
			p->parked_count--;
		} else {
			at = &m->link;
		}
	}
}

/* It looked in vain, again: whether it has waited too long for too little. */
static bool
bursts_tire(struct tri_aside *p, uint32_t looks, uint32_t handled)
{
	uint32_t got = handled - p->handled;

	if (++p->vain < looks)
		return false;
	p->vain = 0;
	p->handled = handled;
	return got / WORTH < looks;
}

/* It has waited in vain.  false: it waits on. */
static bool
bursts_give_up(struct tri_crew *c, struct tr_self *a, struct tri_aside *p)
{
	struct tri_worker *w = &c->worker;
	bool waits = tri_sched_waits(w);

	(void)tri_worker_clock(w);
	if (bursts_tire(p, c->desk.sys->burst_looks,
		tri_load_relaxed(&a->handled)) ||
	    (!waits && tri_park_has_any(w->sched))) {
		bursts_shut(c, p);
		return true;
	}
	if (!waits)
		tri_backoff_stall(STALLS);
	return false;
}

bool
tri_bursts_go_on(struct tri_crew *c, struct tr_self *a)
{
	struct tri_aside *p = tri_aside(c->desk.sys, a);
	uint32_t n;

	if (!bursts_have_any(p) && !bursts_give_up(c, a, p))
		return false;
	/* What could not be shut has something. */
	n = tri_burst_unpark(p, &a->pending);
	tri_store_relaxed(&a->taken, tri_load_relaxed(&a->taken) + n);
	return true;
}
