/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A burst: an array of messages on their way from one thread to one mailbox.
 *
 * Who sends to a mailbox on another core over and over, within one handler, pays
 * for each push with a locked instruction, and the receiver turns round a list of
 * lines that it has to fetch from there, each waiting for the one before.  So
 * such a sender pushes a burst instead, once, as a message among the others, and
 * from then on puts its messages into that: a store each.  Whoever takes the burst
 * out of the mailbox finds them in order, and where the next are, so that it can
 * fetch ahead.  An empty place says that there is no more for now; there is no
 * index that both sides touch (Giacomoni, Moseley and Vachharajani, "FastForward
 * for Efficient Pipeline Parallelism", PPoPP 2008).  Places are used once.
 *
 * Messages are there for the receiver as soon as they are put, so they are where
 * a push would have had them: behind what was pushed before the burst, and before
 * what anybody has pushed who knows of them, if the receiver first takes the
 * mailbox's list and then empties the burst as far as it can, before it goes on
 * to what is behind.
 *
 * The end.  `end` is how many messages it has in all, once that is known.  The
 * sender says so when its handler returns or the places are used up; then the
 * receiver frees the burst when it has taken those.  Or the receiver has waited
 * in vain, and wants to rest: then it has to make sure that the sender, who only
 * stores, does not put more unseen.  That is Dekker's algorithm with an asymmetric
 * fence, as in sched/next.h:
 *
 *     sender, putting                 receiver, shutting
 *
 *     place n = message               shut = 1
 *     (only the compiler's order)     fence_others()
 *     read shut                       read its place; a message: go on
 *     0: done                         CAS end: OPEN -> its place; succeeds: it
 *     1: CAS end: OPEN -> n + 1         is over, and the sender's to free
 *
 * If the sender read 0 before the fence, its message was stored before the fence,
 * too, and the receiver sees it.  Else it reads 1 and settles by a CAS of `end`,
 * as the receiver does, and one of them has it.  If the receiver has, the sender
 * reads there whether its last message was taken: all before it were.
 *
 * Measured: micro/count with two workers 27 to 17 ns (bench/README.md, What was
 * tried).  Model: burst.pml.
 */
#ifndef TROUPE_MAILBOX_BURST_H
#define TROUPE_MAILBOX_BURST_H

#include "mailbox/atomic.h"
#include "mailbox/message.h"

enum {
	TRI_BURST_CLASS = 7, /* a block of 4 KiB */
	TRI_BURST_PLACES = ((32 << TRI_BURST_CLASS) - 2 * TRI_LINE) / 8,
	TRI_BURST_LINE = TRI_LINE / 8, /* places in a line */
	TRI_BURST_AHEAD = 32, /* places, to fetch early */
};

#define TRI_BURST_OPEN UINT32_MAX

struct tri_burst {
	struct tr_msg msg; /* in the mailbox, for all of them */
	/* The receiver's. */
	uint32_t at; /* the next place */
	uint32_t early; /* that many were taken while it was open */
	/* Both. */
	alignas(TRI_LINE) _Atomic uint32_t shut;
	_Atomic uint32_t end;
	alignas(TRI_LINE) _Atomic(struct tr_msg *) place[TRI_BURST_PLACES];
};

_Static_assert(sizeof(struct tri_burst) <= 32 << TRI_BURST_CLASS, "fits");

static inline struct tri_burst *
tri_burst_of(struct tr_msg *m)
{
	TR_DASSERT(m->kind == TRI_MSG_BURST);
	return tri_container_of(m, struct tri_burst, msg);
}

/* -------------------------------------------------------- the sender ---- */

/* The places of a line are empty. */
static inline void
burst_clear(struct tri_burst *b, uint32_t from)
{
	for (uint32_t i = from; i < from + TRI_BURST_LINE; i++)
		tri_store_relaxed(&b->place[i], (struct tr_msg *)NULL);
}

/* Set it up, in a block of its class; the caller pushes `msg`. */
static inline void
tri_burst_init(struct tri_burst *b)
{
	b->msg = (struct tr_msg){
		.kind = TRI_MSG_BURST,
		.size_class = TRI_CLASS_BURST,
	};
	b->at = b->early = 0;
	tri_store_relaxed(&b->shut, 0u);
	tri_store_relaxed(&b->end, (uint32_t)TRI_BURST_OPEN);
	burst_clear(b, 0);
}

/* Put the message number n < TRI_BURST_PLACES.  false: the receiver has shut it:
 * tri_burst_end. */
static inline bool
tri_burst_put(struct tri_burst *b, uint32_t n, struct tr_msg *m)
{
	/* The next place is empty before this one is not. */
	if ((n + 1) % TRI_BURST_LINE == 0 && n + 1 < TRI_BURST_PLACES)
		burst_clear(b, n + 1);
	/* rel: publishes the message; pairs with tri_burst_peek. */
	tri_store_release(&b->place[n], m);
	/* Pairs with the receiver's fence_others(). */
	tri_compiler_fence();
	return TRI_LIKELY(tri_load_relaxed(&b->shut) == 0);
}

/* It gets no more than the n that were put.  Returns how many have been or will be
 * taken: n - 1 if the last was not; and whether the burst is the caller's: else
 * it must not be touched any more. */
static inline uint32_t
tri_burst_end(struct tri_burst *b, uint32_t n, bool *own)
{
	uint32_t end = TRI_BURST_OPEN;

	/* rel: pairs with tri_burst_is_over; acq: with tri_burst_settle. */
	*own = !tri_cas_acq_rel(&b->end, &end, n);
	return *own ? end : n;
}

/* ------------------------------------------------------ the receiver ---- */

static inline struct tr_msg *
burst_look(struct tri_burst *b, uint32_t at)
{
	/* acq: pairs with tri_burst_put. */
	return tri_load_acquire(&b->place[at]);
}

/* The next message; NULL: none for now. */
static inline struct tr_msg *
tri_burst_peek(struct tri_burst *b)
{
	return b->at == TRI_BURST_PLACES ? NULL : burst_look(b, b->at);
}

/* Whether the sender may put more. */
static inline bool
tri_burst_is_open(struct tri_burst *b)
{
	return tri_load_relaxed(&b->end) == TRI_BURST_OPEN;
}

/* Whether the sender has ended it, and all is taken: it is there to be freed. */
static inline bool
tri_burst_is_over(struct tri_burst *b)
{
	/* acq: the sender does not touch it any more. */
	return tri_load_acquire(&b->end) == b->at;
}

/* Take up to `max` messages, oldest first; *last: the last of them.  Returns how
 * many. */
static inline uint32_t
tri_burst_take(struct tri_burst *b, uint32_t max, struct tr_msg **first,
    struct tr_msg **last)
{
	struct tr_msg **link = first, *m = NULL;
	uint32_t at = b->at, n;

	*first = *last = NULL;
	if (max > TRI_BURST_PLACES - at)
		max = TRI_BURST_PLACES - at;
	for (n = 0; n < max; n++, at++) {
		struct tr_msg *next = burst_look(b, at);

		if (next == NULL)
			break;
		if (at + TRI_BURST_AHEAD < TRI_BURST_PLACES)
			tri_fetch_to_write(
			    tri_load_relaxed(&b->place[at + TRI_BURST_AHEAD]));
		m = next;
		m->ahead = 0;
		*link = m;
		link = &m->link;
	}
	*link = NULL;
	*last = m;
	b->at = at;
	return n;
}

/* It shall end: the sender sees that, after a fence_others(). */
static inline void
tri_burst_shut(struct tri_burst *b)
{
	tri_store_relaxed(&b->shut, 1u);
}

/* After that fence: true: it is over, and not the caller's any more.  false: there
 * is more, or the sender has ended it. */
static inline bool
tri_burst_settle(struct tri_burst *b)
{
	uint32_t end = TRI_BURST_OPEN;

	if (tri_burst_peek(b) != NULL)
		return false;
	/* rel: the sender may free it; pairs with tri_burst_end. */
	return tri_cas_acq_rel(&b->end, &end, b->at);
}

#endif
