/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bursts, for send.c, run.c and die.c: burst.c says what they are.
 */
#ifndef TROUPE_ACTORS_BURST_H
#define TROUPE_ACTORS_BURST_H

#include "actors/apart.h"
#include "mailbox/burst.h"
#include "mailbox/pack.h"

enum {
	TRI_BURST_AFTER = 64, /* pushes of one handler to one inlet */
	TRI_BURST_LOOKS = 64, /* in vain, for more; some 50 us */
};

/* -------------------------------------------------------- the sender ---- */

/* Once in so many pushes: whether that is the time for a burst. */
void tri_stream_looks(struct tri_crew *c) TRI_COLD;

/* A turn begins whose actor sent to one mailbox, mostly, in its last. */
void tri_stream_expect(struct tri_crew *c);

/* The first message of that turn for there is about to be sent; `small`: it could be
 * in the array as it is.  false: there is no burst for it. */
bool tri_stream_begin(struct tri_crew *c, bool small);

/* The burst is full, or the receiver has shut it.  `seen`: the last message, if
 * who looks on is to be told of it once it is on its way.  Returns what its send
 * returns: TR_ENOMEM: it was not taken, and is lost. */
int tri_stream_turn(struct tri_crew *c, struct tr_msg *seen) TRI_COLD;

/* It ends: the turn is over, or the handler sends to another one. */
void tri_stream_end(struct tri_crew *c) TRI_COLD;

/* ------------------------------------------------------ the receiver ---- */

/* The next message of a burst that is in its list, as tri_burst_take.  NULL: there is
 * none, or no memory for it: tri_burst_leave. */
static inline struct tr_msg *
tri_burst_next(struct tri_crew *c, struct tri_burst *b, struct tr_msg **spare,
    bool *small)
{
	struct tr_msg *m = tri_burst_take(b, c->desk.pool, spare, small);

	if (TRI_UNLIKELY(m == NULL))
		return NULL;
	b->early++;
	if (!*small)
		tri_count(&c->worker.counts.streamed, (uint64_t)1);
	if (TRI_UNLIKELY((b->msg.flags & TRI_MSG_STALE) != 0))
		m->flags |= TRI_MSG_STALE;
	return m;
}

/* The first of the list is a burst that had none: it leaves the list.  It is over;
 * or it is parked, or, unless it `parks`, shut.  false: something has come, or
 * there was no memory: it stays, for later. */
bool tri_burst_leave(struct tri_crew *c, struct tr_self *a,
    struct tr_msg **list, bool parks);

/* Some of its messages were taken. */
void tri_burst_seen(struct tri_aside *p, struct tri_burst *b);

/* All that is parked, in front of the list; how many. */
uint32_t tri_burst_unpark(struct tri_aside *p, struct tr_msg **list);

/* Something is parked, and nothing else is there to be handled.  true: see what
 * is now; false: its turn is over, and it comes back for more. */
bool tri_bursts_go_on(struct tri_crew *c, struct tr_self *a);

#endif
