/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mailboxes apart from their cells.
 *
 * A cell is one cache line, with the mailbox's word in it and all that running
 * the actor takes.  That is best as long as who sends and who receives are on
 * one core, or take turns.  Where one core sends all the time while another
 * handles, each push takes the line away from the receiver, who needs it for
 * the next message: 50 ns for a message that takes 20 if they had a line each.
 *
 * So the inlet of an actor that takes a long list from another worker moves
 * (mailbox/apart.h), to a word in a line of its own, and stays there until the
 * actor ends.  Messages of its own worker take some ns longer from there on, so it
 * has to be a really long one: that tells that somebody sends to it all the time.
 * A worker remembers where it pushed to last, so that a stream of messages does not
 * even look at the cell (tri_deliver_streamed, send.c).
 * Bounds are looked up in the cell, so bounded actors' senders always go there;
 * theirs is a line that is contended anyway.
 *
 * Measured with two workers, where another core's line takes 150 ns: count 52 to
 * 23 ns a message; chameneos, whose hall never has more than 100 in its mailbox,
 * 80, and 99 if lists of 64 are long enough.
 */
#ifndef TROUPE_ACTORS_APART_H
#define TROUPE_ACTORS_APART_H

#include "actors/system.h"
#include "mailbox/apart.h"

enum {
	TRI_APART_LIST = 1024, /* messages from another worker at once */
	TRI_APART_STOLEN = 32, /* so many times that, with the actor */
	TRI_APART_SOME = 16, /* messages, among which there may be bursts */
};

/* What an actor has whose mailbox has moved. */
struct tri_aside {
	/* Anyone. */
	alignas(TRI_LINE) struct tri_inlet inlet;
	/* Messages in bursts that have ended; senders add.  Of those that many
	 * the receiver has taken: what is between the two waits, and nobody else
	 * counts it. */
	_Atomic uint32_t put;
	_Atomic uint32_t seen;
	/* Whoever has the actor; next to the word that it looks at then, too.
	 * Bursts that are open, and empty for now; or what was in the inlet when it
	 * moved (apart.c). */
	struct tr_msg *parked;
	uint32_t parked_count;
	/* Looks there in vain, and what it had handled before the first. */
	uint32_t vain;
	uint32_t handled;
	/* Whoever has the actor: the end of what is pending, if it was known when its
	 * last turn ended (backlog.h). */
	struct tr_msg *tail;
};

_Static_assert(sizeof(struct tri_aside) == TRI_LINE, "a line");

static inline struct tri_aside *
tri_aside(const struct tr_system *sys, const struct tr_self *a)
{
	return tri_table_at(&sys->actors, TRI_ACTOR_APART,
	    tri_cell_slot(sys, a));
}

/* Anyone: messages that wait in bursts, and are not counted otherwise; about. */
static inline uint32_t
tri_bursts_length(const struct tr_system *sys, const struct tr_self *a)
{
	const struct tri_aside *p = tri_aside(sys, a);
	uint32_t n = tri_load_relaxed(&p->put);

	n -= tri_load_relaxed(&p->seen);
	/* The receiver may have counted what the sender has not yet. */
	return n > INT32_MAX ? 0 : n;
}

/* Whoever has the actor: messages that wait, but for what is in its inlet; about: it
 * looks for bursts where they are likely. */
static inline uint32_t
tri_waiting(const struct tr_system *sys, const struct tr_self *a)
{
	uint32_t n = tri_load_relaxed(&a->taken);

	if (n >= TRI_APART_SOME ||
	    (a->pending != NULL && a->pending->kind == TRI_MSG_BURST) ||
	    TRI_UNLIKELY(tri_load_relaxed(&a->inlet.head) == TRI_INLET_APART))
		n += tri_bursts_length(sys, a);
	return n;
}

/* Its other word. */
static inline struct tri_inlet *
tri_apart(const struct tr_system *sys, const struct tr_self *a)
{
	return &tri_aside(sys, a)->inlet;
}

/* Whoever has the actor: where its mailbox is. */
static inline struct tri_inlet *
tri_inlet_of(const struct tr_system *sys, struct tr_self *a)
{
	return tri_apart_owner(&a->inlet, tri_apart(sys, a));
}

/* The same, `in`: where it is: whether there are bursts that may get more. */
static inline bool
tri_has_parked(const struct tr_system *sys, const struct tr_self *a,
    const struct tri_inlet *in)
{
	return TRI_UNLIKELY(in != &a->inlet) &&
	    tri_aside(sys, a)->parked != NULL;
}

/* Any thread: where it is, and *head, what is there. */
static inline struct tri_inlet *
tri_inlet_find(const struct tr_system *sys, struct tr_self *a, uint64_t *head)
{
	return tri_apart_find(&a->inlet, tri_apart(sys, a), head);
}

/* Any thread: only what is there. */
static inline uint64_t
tri_inlet_head(const struct tr_system *sys, struct tr_self *a)
{
	uint64_t head;

	(void)tri_inlet_find(sys, a, &head);
	return head;
}

/* Whether a message's block is another worker's. */
bool tri_apart_is_far(const struct tri_crew *c, const struct tr_msg *m);

/* The worker that runs the actor, and is about to take a long list (sys->apart),
 * whose newest message is in `head`: whether its inlet had better move with
 * that. */
bool tri_apart_is_worth(const struct tri_crew *c, const struct tr_self *a,
    uint64_t head);

/* The worker that runs the actor, which has a backlog of other worker's messages that
 * begins with `m`: its inlet moves if that can be.  What is in it is parked. */
void tri_apart_move(struct tri_crew *c, struct tr_self *a,
    const struct tr_msg *m);

/* It does: what tri_inlet_take_owner returns. */
static inline struct tr_msg *
tri_apart_take(struct tri_crew *c, struct tr_self *a, uint32_t *count)
{
	return tri_apart_move_owner(&a->inlet, tri_apart(c->desk.sys, a),
	    tri_ref_generation(c->turn.ref), count);
}

#endif
