/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A mailbox that moves, once, to another word.
 *
 * It moves away from what its receiver works with (actors/apart.h says when and
 * why), and is an inlet there as it was here.  The first word says APART, and
 * whoever sees that goes on to the other one, or may go there at once if it has
 * been there before.
 *
 * | transition                  | who            | operation              |
 * |-----------------------------|----------------|------------------------|
 * | other word: CLOSED -> RUNNING | running worker | store release        |
 * | then message -> APART       | running worker | exchange acq_rel: the  |
 * |                             |                | list that had come     |
 * | APART -> CLOSED             | running worker | exchange acq_rel       |
 * | then other word: any -> CLOSED | running worker | exchange acq_rel    |
 *
 * Order: what was pushed to the first word is taken by the exchange that says
 * APART, and handled before anything of the other word.  A sender goes there
 * only after it, or a former one on its worker, has seen APART, so what it sends
 * there is later than what it sent before; and never comes back, for as long as
 * the actor lives the first word stays APART.  Whoever has looked at it before
 * the move is in time with its CAS, or fails and looks again.
 *
 * The end: both close, before the slot has its next actor.  Who goes to the
 * other word at once may still be in time there when the first is closed already;
 * what it pushes is among the dead letters.  Later it finds it closed, unless the
 * slot's next actor has moved as well: then the message is for a former actor, and
 * its taker sees that by its generation, as in the first word.  The plain store is
 * allowed since no CAS ever replaces CLOSED.
 *
 * Model: inlet.pml (MOVES).
 */
#ifndef TROUPE_MAILBOX_APART_H
#define TROUPE_MAILBOX_APART_H

#include "mailbox/inlet.h"

/* Whoever has the actor: where its mailbox is. */
static inline struct tri_inlet *
tri_apart_owner(struct tri_inlet *in, struct tri_inlet *other)
{
	/* Nobody else moves it. */
	return TRI_LIKELY(tri_load_relaxed(&in->head) != TRI_INLET_APART) ?
	    in :
	    other;
}

/* Any thread: where it is, and *head, what is there: never APART. */
static inline struct tri_inlet *
tri_apart_find(struct tri_inlet *in, struct tri_inlet *other, uint64_t *head)
{
	*head = tri_inlet_look(in);
	if (TRI_LIKELY(*head != TRI_INLET_APART))
		return in;
	*head = tri_inlet_look(other);
	return other;
}

/* Any thread: push, wherever it is; *head: as tri_inlet_push_over leaves it.
 * Never MOVED. */
static inline enum tri_inlet_pushed
tri_apart_push(struct tri_inlet *in, struct tri_inlet *other, struct tr_msg *m,
    uint64_t *head)
{
	enum tri_inlet_pushed pushed;

	do
		pushed = tri_inlet_push_over(tri_apart_find(in, other, head), m,
		    head);
	while (TRI_UNLIKELY(pushed == TRI_PUSH_MOVED));
	return pushed;
}

/* The worker that runs the actor: as tri_inlet_take_owner, and from then on it is
 * there. */
static inline struct tr_msg *
tri_apart_move_owner(struct tri_inlet *in, struct tri_inlet *other,
    uint32_t generation, uint32_t *count)
{
	uint64_t head;

	/* rel: who goes there at once may be faster than the exchange. */
	tri_store_release(&other->head, (uint64_t)TRI_INLET_RUNNING);
	/* acq: as tri_inlet_take_owner; rel: who sees APART sees that the
	 * other is open, pairs with the acq of tri_inlet_look. */
	head = tri_exchange_acq_rel(&in->head, (uint64_t)TRI_INLET_APART);
	*count = 0;
	return tri_inlet_is_msg(head) ?
	    tri_inlet_reverse(tri_inlet_msg(head), generation, count) :
	    NULL;
}

/* tri_inlet_close_owner, wherever it is. */
static inline struct tr_msg *
tri_apart_close_owner(struct tri_inlet *in, struct tri_inlet *other,
    uint32_t generation, uint32_t *count)
{
	bool moved = tri_apart_owner(in, other) != in;
	struct tr_msg *queued = tri_inlet_close_owner(in, generation, count);

	return TRI_LIKELY(!moved) ?
	    queued :
	    tri_inlet_close_owner(other, generation, count);
}

#endif
