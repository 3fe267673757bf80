/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inlet: an actor's mailbox as one atomic word.
 *
 * A Treiber stack (IBM RJ 5118, 1986) that also says whether its actor is
 * scheduled.  The word is a state, or the newest message (its `link` leads to
 * the one sent before) with the number of messages in the top 16 bits,
 * saturating.  Any thread pushes; only the worker that runs the actor takes.
 * An idle actor's mailbox costs no other memory.
 *
 * | transition                  | who            | operation              |
 * |-----------------------------|----------------|------------------------|
 * | IDLE -> message             | any sender     | CAS acq_rel: it then   |
 * |                             |                | schedules the actor    |
 * | IDLE -> RESERVED            | a worker that  | CAS acq_rel: it then   |
 * |                             | sends          | schedules the actor,   |
 * |                             |                | with the message       |
 * | RUNNING, HELD, msg -> msg   | any sender     | CAS acq_rel: nothing   |
 * | RESERVED -> message         | any sender     | CAS acq_rel: it then   |
 * |                             |                | tells that worker      |
 * | CLOSED seen                 | any sender     | load acquire: refused  |
 * | message -> RUNNING          | running worker | exchange acquire       |
 * | message, RUNNING, RESERVED  | a worker that  |                        |
 * |                 -> RESERVED | has it         | exchange acquire       |
 * | lone message, handled -> IDLE | running worker | CAS acq_rel          |
 * | RUNNING, RESERVED -> IDLE   | who has it     | CAS acq_rel            |
 * | any -> CLOSED               | running worker | exchange acq_rel       |
 * | RUNNING, RESERVED -> HELD   | running worker | CAS acq_rel            |
 * | HELD -> RUNNING             | who has it     | CAS acq_rel            |
 * | message -> APART            | running worker | exchange acq_rel       |
 *
 * APART is for good: another word is the actor's inlet from then on (apart.h).
 *
 * HELD is an actor that has failed and waits to be started again.  Nobody has
 * it scheduled, and a message to it does not schedule it.  Where messages wait
 * already there is no need to say HELD, for the same is true of them: somebody
 * will run the actor, the sender need not care who.
 *
 * RESERVED is RUNNING with a worker's number.  That worker woke the actor, and
 * may keep it when there is nothing to do (sched/reserve.h): whoever pushes to
 * it tells the worker.  While the worker has it, scheduled or kept, the worker's
 * own messages need not pass through here: as long as nothing has been pushed
 * they are the newest (actors/send.h).  Where somebody else runs the actor
 * meanwhile, the number is just an old one.
 *
 * Why a stack that is reversed and not an MPSC queue: a taken batch is
 * complete (no half-linked gap), the states live in the same word so that
 * closing is exact, and there is no stub node.  What it costs is the reversal,
 * one load per message.
 *
 * ABA: the CAS of a sender may succeed on a later incarnation of the slot.
 * That is harmless: the message carries its target's generation, and the taker
 * drops it as a dead letter.
 */
#ifndef TROUPE_MAILBOX_INLET_H
#define TROUPE_MAILBOX_INLET_H

#include "mailbox/atomic.h"
#include "mailbox/message.h"

enum tri_inlet_state {
	TRI_INLET_CLOSED = 0, /* no actor; fresh memory is closed */
	TRI_INLET_APART = 1, /* another word is the mailbox now */
	TRI_INLET_RUNNING = 2, /* scheduled or running, nothing new */
	TRI_INLET_IDLE = 3, /* nobody has it, nothing in it */
	TRI_INLET_HELD = 4, /* failed, waits for its restart */
	TRI_INLET_RESERVED = 64, /* RUNNING; plus a worker's number */
	TRI_INLET_STATES = 128, /* from here on it is a message */
};

enum tri_inlet_pushed {
	TRI_PUSH_QUEUED, /* somebody else runs the actor */
	TRI_PUSH_WAKE, /* the caller has to schedule it */
	TRI_PUSH_CLOSED, /* not pushed */
	TRI_PUSH_MOVED, /* not pushed: it is APART by now */
	/* Not pushed either, by those who bound a mailbox: */
	TRI_PUSH_FULL,
	TRI_PUSH_DROPPED,
};

struct tri_inlet {
	_Atomic uint64_t head;
};

/* Messages to fetch ahead in a backlog: where they are handled, and where they
 * are only turned round, which takes a few ns for each. */
enum { TRI_INLET_AHEAD = 8, TRI_INLET_STRIDES = 32 };
/* Bytes between neighbours that are likely to be as far from the next ones. */
enum { TRI_INLET_NEAR = 4096 };

#define TRI_INLET_ONE  ((uint64_t)1 << 48)
#define TRI_INLET_ADDR (TRI_INLET_ONE - 1)

static inline bool
tri_inlet_is_msg(uint64_t head)
{
	return (head & TRI_INLET_ADDR) >= TRI_INLET_STATES;
}

static inline struct tr_msg *
tri_inlet_msg(uint64_t head)
{
	return (struct tr_msg *)(uintptr_t)(head & TRI_INLET_ADDR);
}

static inline uint64_t
tri_inlet_reserved_by(unsigned worker)
{
	return TRI_INLET_RESERVED + (uint64_t)worker;
}

static inline bool
tri_inlet_is_reserved(uint64_t head)
{
	return head >= TRI_INLET_RESERVED && head < TRI_INLET_STATES;
}

/* How many messages wait to be taken; 65535 means that or more. */
static inline unsigned
tri_inlet_length(uint64_t head)
{
	return (unsigned)(head >> 48);
}

static inline uint64_t
tri_inlet_above(uint64_t head, struct tr_msg *m)
{
	uint64_t count = head & ~TRI_INLET_ADDR;

	if (TRI_LIKELY(count != ~TRI_INLET_ADDR))
		count += TRI_INLET_ONE;
	return count | (uint64_t)(uintptr_t)m;
}

/* Any thread: what is there; a guess for tri_inlet_push_over. */
static inline uint64_t
tri_inlet_look(struct tri_inlet *in)
{
	/* acq: pairs with the closing exchange of tri_inlet_close_owner. */
	return tri_load_acquire(&in->head);
}

/* Any thread.  *head: what was seen there, and then what was there before: if
 * that is RESERVED the caller tells its worker, if it is a message it is not to
 * be looked into. */
static inline enum tri_inlet_pushed
tri_inlet_push_over(struct tri_inlet *in, struct tr_msg *m, uint64_t *head)
{
	uint64_t under = *head;

	do {
		if (TRI_UNLIKELY(under <= TRI_INLET_APART)) {
			*head = under;
			return under == TRI_INLET_CLOSED ? TRI_PUSH_CLOSED :
							   TRI_PUSH_MOVED;
		}
		m->link = tri_inlet_is_msg(under) ? tri_inlet_msg(under) : NULL;
		/*
		 * rel: publishes the message; pairs with the acq of the taker.
		 * acq: on IDLE, sees the state as the last turn left it
		 * (tri_inlet_rest_owner) and hands it to whoever runs next.
		 */
	} while (!tri_cas_weak_acq_rel(&in->head, &under,
	    tri_inlet_above(under, m)));
	*head = under;
	return under == TRI_INLET_IDLE ? TRI_PUSH_WAKE : TRI_PUSH_QUEUED;
}

/* The same, where no worker reserves the actor. */
static inline enum tri_inlet_pushed
tri_inlet_push(struct tri_inlet *in, struct tr_msg *m)
{
	uint64_t head = tri_inlet_look(in);

	return tri_inlet_push_over(in, m, &head);
}

/* A worker: if the actor is idle it is that worker's, who schedules it.
 * `reserved`: tri_inlet_reserved_by() of it. */
static inline bool
tri_inlet_reserve(struct tri_inlet *in, uint64_t reserved)
{
	uint64_t idle = TRI_INLET_IDLE;

	/* acq: as tri_inlet_push on IDLE. */
	return tri_cas_acq_rel(&in->head, &idle, reserved);
}

/*
 * Turn newest-first into oldest-first; *count says how many.  Those that are
 * not for `generation` are marked STALE.
 *
 * A long backlog that another core wrote costs a cache miss per message and
 * pass, each waiting for the one before.  Two things are done about it.
 * Here: a producer takes its blocks from memory in a regular order, so the
 * distance between neighbours often repeats, and one can fetch ahead along it,
 * where it just has, or they are near.  A wrong guess fetches a line in vain, and
 * makes the core look for its page; an address that does not exist does nothing.
 * For the pass that handles the messages each is told exactly where a later one
 * is (`ahead`, in the place of the generation, which has done its duty).
 */
struct tri_reversal {
	struct tr_msg *newest; /* of those to come; NULL: it is done */
	struct tr_msg *oldest; /* of those that are done: the list's first */
	struct tr_msg *later[TRI_INLET_AHEAD]; /* the last of them: a ring */
	intptr_t step; /* from the one before the last to the last */
	uint32_t generation;
	uint32_t n;
};

/* Most lists are short: what only a long one looks at is not cleared. */
static inline void
tri_reversal_begin(struct tri_reversal *r, struct tr_msg *newest,
    uint32_t generation)
{
	r->newest = newest;
	r->oldest = NULL;
	r->step = 0;
	r->generation = generation;
	r->n = 0;
}

static inline void
tri_reversal_step(struct tri_reversal *r)
{
	struct tr_msg *newest = r->newest, *before = newest->link;
	intptr_t step = (intptr_t)newest - (intptr_t)before;
	struct tr_msg **at = &r->later[r->n % TRI_INLET_AHEAD];

	if (step == r->step ||
	    (uintptr_t)step + TRI_INLET_NEAR < 2 * TRI_INLET_NEAR)
		__builtin_prefetch((void *)((uintptr_t)before -
				       TRI_INLET_STRIDES * (uintptr_t)step),
		    1);
	r->step = step;
	if (TRI_UNLIKELY(newest->generation != r->generation))
		newest->flags |= TRI_MSG_STALE;
	newest->ahead = r->n++ < TRI_INLET_AHEAD ?
	    0 :
	    (int32_t)(((intptr_t)*at - (intptr_t)newest) / 32);
	*at = newest;
	newest->link = r->oldest;
	r->oldest = newest;
	r->newest = before;
}

static inline struct tr_msg *
tri_inlet_reverse(struct tr_msg *newest, uint32_t generation, uint32_t *count)
{
	struct tri_reversal r;

	tri_reversal_begin(&r, newest, generation);
	while (r.newest != NULL)
		tri_reversal_step(&r);
	*count = r.n;
	return r.oldest;
}

/* The message that `ahead` of one that was taken tells of, or is thought to. */
static inline struct tr_msg *
tri_inlet_ahead(struct tr_msg *m)
{
	return (struct tr_msg *)(void *)((char *)m + (intptr_t)m->ahead * 32);
}

/* A message that was taken is about to be handled: fetch a later one. */
static inline void
tri_inlet_fetch_ahead(struct tr_msg *m)
{
	__builtin_prefetch(tri_inlet_ahead(m), 1);
}

/* The worker that runs the actor: what is there. */
static inline uint64_t
tri_inlet_look_owner(struct tri_inlet *in)
{
	/* acq: pairs with the rel of tri_inlet_push. */
	return tri_load_acquire(&in->head);
}

/* The worker that runs the actor: take all, newest first; NULL: none.  `state`: what
 * the inlet says from then on, RUNNING or RESERVED for that worker. */
static inline struct tr_msg *
tri_inlet_take_newest(struct tri_inlet *in, uint64_t state)
{
	/* acq: pairs with the rel of tri_inlet_push, for the whole chain. */
	uint64_t head = tri_exchange_acquire(&in->head, state);

	return tri_inlet_is_msg(head) ? tri_inlet_msg(head) : NULL;
}

/* The same, oldest first. */
static inline struct tr_msg *
tri_inlet_take_owner(struct tri_inlet *in, uint32_t generation, uint32_t *count)
{
	return tri_inlet_reverse(tri_inlet_take_newest(in, TRI_INLET_RUNNING),
	    generation, count);
}

/* The same; `state`: as for tri_inlet_take_newest; *newest: the last of those, or
 * what it was. */
static inline struct tr_msg *
tri_inlet_take_noted(struct tri_inlet *in, uint64_t state, uint32_t generation,
    struct tr_msg **newest, uint32_t *count)
{
	struct tr_msg *m = tri_inlet_take_newest(in, state);

	if (m != NULL)
		*newest = m;
	return tri_inlet_reverse(m, generation, count);
}

/*
 * The worker that ran the actor: give it back if nothing came meanwhile.
 * `seen` is RUNNING or RESERVED, or the lone message that was handled in place.
 * After success the actor is not this worker's any more: no read, no write of
 * it.
 */
static inline bool
tri_inlet_rest_owner(struct tri_inlet *in, uint64_t seen)
{
	/* rel: publishes the actor's state; pairs with the acq of a push. */
	return tri_cas_acq_rel(&in->head, &seen, (uint64_t)TRI_INLET_IDLE);
}

/* The worker that runs a dying actor: refuse what comes, return what is there,
 * oldest first. */
static inline struct tr_msg *
tri_inlet_close_owner(struct tri_inlet *in, uint32_t generation,
    uint32_t *count)
{
	/* rel: whoever sees CLOSED sees the actor's end. */
	uint64_t head =
	    tri_exchange_acq_rel(&in->head, (uint64_t)TRI_INLET_CLOSED);

	*count = 0;
	return tri_inlet_is_msg(head) ?
	    tri_inlet_reverse(tri_inlet_msg(head), generation, count) :
	    NULL;
}

/* The worker that ran a failed actor: nobody runs it for now. */
static inline void
tri_inlet_hold_owner(struct tri_inlet *in)
{
	uint64_t head = tri_load_relaxed(&in->head);

	/* If it fails messages wait: see above. */
	if (!tri_inlet_is_msg(head))
		(void)tri_cas_acq_rel(&in->head, &head,
		    (uint64_t)TRI_INLET_HELD);
}

/* Who has a held actor, and is about to schedule it. */
static inline void
tri_inlet_unhold(struct tri_inlet *in)
{
	uint64_t held = TRI_INLET_HELD;

	(void)tri_cas_acq_rel(&in->head, &held, (uint64_t)TRI_INLET_RUNNING);
}

/* Setting up a slot: it takes messages, and nobody runs it until the caller
 * says so with tri_inlet_rest_owner, or schedules it.  `running`: RUNNING, or
 * RESERVED for the caller. */
static inline void
tri_inlet_open_running(struct tri_inlet *in, uint64_t running)
{
	/* rel: publishes the new actor's cell to its first sender. */
	tri_store_release(&in->head, running);
}

/* The same, and it is idle. */
static inline void
tri_inlet_open(struct tri_inlet *in)
{
	tri_inlet_open_running(in, TRI_INLET_IDLE);
}

#endif
