/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bursts: who sends a lot to a mailbox, within one turn, puts it into an array
 * that the receiver empties meanwhile (mailbox/burst.h), and packs, for those who
 * send a lot to many (mailbox/pack.h).
 *
 * The sender's side, here and in send.c:
 *
 * - After BURST_AFTER pushes to the same inlet apart in one handler it pushes a burst,
 *   and puts what it sends there into that.  So it does if a backlog elsewhere grows
 *   by as many, and again: on its own worker, as a rule.  If it is not one handler
 *   that makes it grow, or not only that backlog, a pack is begun at its end.
 * - When the turn is over it ends the burst (tri_actor_run): the actor may go on
 *   elsewhere, and whoever has the next turn here may come from there.
 * - An actor of a pipeline sends a message or two for each that it handles, so no
 *   handler of it sends a lot, but a turn does.  If a backlog grows so, and this turn
 *   has sent half of BURST_AFTER, the worker remembers where to: the actor's habit.
 *   In its next turn the first message to there opens a burst, which wakes the
 *   receiver if need be.  If that gets fewer than half of BURST_AFTER the habit is
 *   forgotten, for each takes a block of 4 KiB.  If the worker has the receiver,
 *   messages that do not lie in the array as they are get none: there they are as
 *   cheap without it.
 * - If the places are used up the next burst follows at once.  If the receiver has
 *   shut it messages are pushed again as ever.
 *
 * The receiver's side: a burst is a message in its list, in whose place come the
 * messages that it has, one by one.  One that has none for now, and is not
 * over, is parked; whenever all else is handled the receiver looks there, and
 * before it goes on to a list that it has taken: what has been sent before that
 * must not come after it.  It looks beside an inlet apart, so if its own is not, it
 * moves there first.  An actor with parked bursts is not let go of.  It lets
 * others have their turns, or waits for the next messages for some time, in which
 * its worker is busy with nothing; then, or as soon as there is something to do
 * elsewhere, it shuts them and rests.
 */
#include "actors/burst.h"

#include "actors/send.h"

enum {
	FEW = 2, /* fewer than one in so many of BURST_AFTER: no habit */
	STALLS = 16, /* a us, about: looks take the line from the sender */
	WORTH = 8, /* messages, for each look in vain: then it goes on */
};

/* -------------------------------------------------------- the sender ---- */

/* Put the burst `m` into the mailbox.  false: not now. */
static bool
stream_push(struct tri_crew *c, struct tr_msg *m)
{
	struct tri_stream *s = &c->stream;
	tr_ref to = { s->target };
	uint64_t head = tri_inlet_look(s->inlet);
	enum tri_inlet_pushed pushed;

	if (head == c->reserved || head == TRI_INLET_IDLE) {
		if (tri_cell_find(c->desk.sys, to) != s->cell)
			return false;
		if (tri_deliver_direct(c, to, s->cell, s->inlet, m, head))
			return true;
	}
	pushed = tri_inlet_push_over(s->inlet, m, &head);
	if (pushed == TRI_PUSH_CLOSED || pushed == TRI_PUSH_MOVED)
		return false;
	if (pushed == TRI_PUSH_WAKE)
		tri_schedule(c->desk.sys, &c->worker, s->cell);
	else if (tri_inlet_is_reserved(head))
		tri_tell_reserver(c->desk.sys, s->cell, head);
	return true;
}

static void
stream_open(struct tri_crew *c)
{
	struct tri_stream *s = &c->stream;
	struct tri_burst *b = tri_pool_alloc(c->desk.pool, TRI_BURST_CLASS);

	if (b == NULL)
		return;
	tri_burst_init(b, c->turn.ref.bits);
	b->msg.generation = tri_ref_generation((tr_ref){ s->target });
	if (!stream_push(c, &b->msg)) {
		tri_pool_free(c->desk.pool, b, TRI_BURST_CLASS);
		return;
	}
	s->burst = b;
	/* Who looks on wants to see messages. */
	s->small = c->desk.sys->trace == NULL;
	s->put = s->at = 0;
	s->guessed = false;
}

/* Whether the handler of a message may open a burst to this actor.  A poll sends, too,
 * and so does stop(). */
static bool
stream_may(const struct tri_crew *c, const struct tr_self *a)
{
	return c->turn.msg != NULL && c->turn.cell != NULL &&
	    c->turn.cell != a && !c->turn.stopping && c->worker.q.next.plain;
}

/* What this turn sends goes there, as far as can be told. */
static void
stream_learn(struct tri_crew *c, uint64_t target)
{
	uint64_t sent = tri_load_relaxed(&c->desk.counts.sent) - c->batch_sent;

	if (c->batch_turn == tri_turn_number(c) &&
	    sent * FEW >= c->desk.sys->burst_after)
		*tri_habit(c) = target;
}

/* Whether what was sent since then, `most` messages in all, is by one handler. */
static bool
stream_is_worth(const struct tri_crew *c, uint64_t handler, uint64_t sent,
    uint64_t most)
{
	return handler == tri_handler_number(c) &&
	    tri_load_relaxed(&c->desk.counts.sent) - sent <= most;
}

void
tri_stream_looks(struct tri_crew *c)
{
	struct tri_stream *s = &c->stream;

	if (stream_may(c, s->cell)) {
		stream_learn(c, s->target);
		/* It does not do much else than send there. */
		if (s->pushes > 1 &&
		    stream_is_worth(c, s->handler, s->sent,
			2 * (uint64_t)c->desk.sys->burst_after))
			stream_open(c);
	}
	s->handler = tri_handler_number(c);
	s->sent = tri_load_relaxed(&c->desk.counts.sent);
	s->pushes = 1;
}

/* Without a burst there is nothing to be remembered of a mailbox that has not
 * moved. */
static void
stream_settle(struct tri_stream *s)
{
	if (s->burst == NULL && s->inlet == &s->cell->inlet)
		tri_stream_set(s, 0, NULL, NULL);
}

/* Begin a pack at the end of the backlog of an actor that this worker may have;
 * `head`: what is in its inlet. */
static void
pack_begin(struct tri_crew *c, tr_ref to, struct tr_self *a, uint64_t head)
{
	struct tri_pack *p;

	if (head != c->reserved_plain || tri_usual_target(c->desk.sys, to) != a)
		return;
	p = tri_pool_alloc(c->desk.pool, TRI_PACK_CLASS);
	if (p == NULL)
		return;
	tri_pack_init(p);
	p->msg.generation = tri_ref_generation(to);
	if (!tri_deliver_reserved(c, to, a, &p->msg))
		tri_pool_free(c->desk.pool, p, TRI_PACK_CLASS);
}

void
tri_stream_grows(struct tri_crew *c, tr_ref to, struct tr_self *a)
{
	struct tri_growth *g = &c->growth;
	uint64_t head;
	struct tri_inlet *in = tri_inlet_find(c->desk.sys, a, &head);
	bool may = stream_may(c, a);

	if (may)
		stream_learn(c, to.bits);
	/* Where there are packs it takes more until a backlog is seen to grow. */
	if (may && g->target == to.bits &&
	    stream_is_worth(c, g->handler, g->sent,
		8 * (uint64_t)c->desk.sys->burst_after)) {
		if (c->stream.burst != NULL)
			tri_stream_end(c);
		tri_stream_set(&c->stream, to.bits, a, in);
		stream_open(c);
		stream_settle(&c->stream);
	} else {
		pack_begin(c, to, a, head);
	}
	*g = (struct tri_growth){
		.target = to.bits,
		.handler = tri_handler_number(c),
		.sent = tri_load_relaxed(&c->desk.counts.sent),
	};
}

void
tri_stream_expect(struct tri_crew *c)
{
	tr_ref to = { *tri_habit(c) };
	struct tr_self *a = tri_usual_target(c->desk.sys, to);

	/* Its first message has been handled, and that handler sent a lot. */
	if (c->stream.burst != NULL)
		return;
	if (a == NULL || a == c->turn.cell) {
		*tri_habit(c) = 0;
		return;
	}
	tri_stream_set(&c->stream, to.bits, a, NULL);
	c->stream.expected = tri_turn_number(c);
}

bool
tri_stream_begin(struct tri_crew *c, bool small)
{
	struct tri_stream *s = &c->stream;
	tr_ref to = { s->target };
	uint64_t head;

	if (s->expected == tri_turn_number(c) && stream_may(c, s->cell) &&
	    tri_usual_target(c->desk.sys, to) == s->cell) {
		s->inlet = tri_inlet_find(c->desk.sys, s->cell, &head);
		/* For others there is nothing to be won within a worker. */
		if (small || tri_inlet_is_msg(head) ||
		    head == TRI_INLET_RUNNING)
			stream_open(c);
	}
	if (s->burst == NULL) {
		tri_stream_set(s, 0, NULL, NULL);
		return false;
	}
	s->expected = 0;
	s->guessed = true;
	return true;
}

/* It ends.  Returns it if its last message was not taken: then it is the
 * caller's, to be freed. */
static struct tri_burst *
stream_close(struct tri_crew *c)
{
	struct tri_stream *s = &c->stream;
	struct tri_burst *b = s->burst;
	bool own;
	bool missed = tri_burst_end(b, s->at, &own) < s->at;

	/* The burst counts itself as one as long as it is in the mailbox. */
	tri_fetch_add_relaxed(&tri_aside(c->desk.sys, s->cell)->put,
	    s->put - missed - 1);
	/* The guess was wrong. */
	if (s->guessed && s->put * FEW < c->desk.sys->burst_after)
		*tri_habit(c) = 0;
	s->burst = NULL;
	s->pushes = 0;
	stream_settle(s);
	if (missed)
		return b;
	if (own)
		tri_pool_free(c->desk.pool, b, TRI_BURST_CLASS);
	return NULL;
}

void
tri_stream_end(struct tri_crew *c)
{
	struct tri_burst *missed = stream_close(c);

	/* Who put it would have seen that the burst was shut. */
	TR_ASSERT(missed == NULL);
}

/* The message in word `at` of a burst that is the caller's now, and is freed, was
 * not taken: it is sent again. */
static int
stream_again(struct tri_crew *c, tr_ref to, struct tri_burst *b, uint32_t at)
{
	struct tr_msg *m, *spare = NULL;
	bool small;

	b->at = at;
	m = tri_burst_take(b, c->desk.pool, &spare, &small);
	tri_pool_free(c->desk.pool, b, TRI_BURST_CLASS);
	/* It was counted. */
	tri_count(&c->desk.counts.sent, (uint64_t)0 - 1);
	if (m == NULL)
		return TR_ENOMEM;
	/* The receiver may have ended, and the slot be another's: that is looked
	 * up. */
	tri_deliver_usual(c, to, m);
	return TR_OK;
}

int
tri_stream_turn(struct tri_crew *c, struct tr_msg *seen)
{
	struct tri_stream before = c->stream;
	tr_ref to = { before.target };
	struct tri_burst *missed = stream_close(c);

	if (missed != NULL)
		return stream_again(c, to, missed, before.last);
	if (TRI_UNLIKELY(seen != NULL))
		tri_seen(c->desk.sys, TRI_EVENT_SENT, to, seen, 0, 0);
	if (before.at >= TRI_BURST_FULL) {
		tri_stream_set(&c->stream, to.bits, before.cell, before.inlet);
		stream_open(c);
		stream_settle(&c->stream);
	}
	return TR_OK;
}

/* ------------------------------------------------------ the receiver ---- */

void
tri_burst_seen(struct tri_aside *p, struct tri_burst *b)
{
	/* Until then nobody has counted them. */
	if (tri_burst_is_open(b))
		return;
	tri_count(&p->seen, b->early);
	b->early = 0;
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
static bool
burst_shut_out(struct tri_crew *c, struct tr_self *a, struct tr_msg **list)
{
	struct tri_env *env = c->desk.sys->env;
	struct tri_burst *b = tri_burst_of(*list);
	struct tr_msg *next = b->msg.link;

	tri_burst_shut(b);
	(void)env->fence_others(env);
	if (!burst_settle(tri_aside(c->desk.sys, a), b))
		return false;
	*list = next;
	return true;
}

bool
tri_burst_leave(struct tri_crew *c, struct tr_self *a, struct tr_msg **list,
    bool parks)
{
	struct tri_aside *p = tri_aside(c->desk.sys, a);
	struct tr_msg *m = *list;
	struct tri_burst *b = tri_burst_of(m);

	if (tri_burst_has_any(b))
		return false;
	if (tri_burst_is_over(b)) {
		*list = m->link;
		b->early--;
		tri_burst_seen(p, b);
		tri_pool_free(c->desk.pool, b, TRI_BURST_CLASS);
		return true;
	}
	if (parks && (m->flags & TRI_MSG_STALE) == 0)
		tri_apart_move(c, a, m);
	if (!parks || (m->flags & TRI_MSG_STALE) != 0 ||
	    tri_load_relaxed(&a->inlet.head) != TRI_INLET_APART)
		return burst_shut_out(c, a, list);
	*list = m->link;
	m->link = p->parked;
	p->parked = m;
	p->parked_count++;
	return true;
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
		if (tri_burst_has_any(b) || tri_burst_is_over(b))
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
