/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bursts, for send.c, run.c and die.c: burst.c says what they are.
 */
#ifndef TROUPE_ACTORS_BURST_H
#define TROUPE_ACTORS_BURST_H

#include "actors/apart.h"
#include "mailbox/burst.h"

enum {
	TRI_BURST_AFTER = 64, /* pushes of one handler to one inlet */
	TRI_BURST_LOOKS = 64, /* in vain, for more; some 50 us */
};

/* -------------------------------------------------------- the sender ---- */

/* Once in so many pushes: whether that is the time for a burst. */
void tri_stream_looks(struct tri_crew *c) TRI_COLD;

/* The burst is full, or the receiver has shut it. */
void tri_stream_turn(struct tri_crew *c) TRI_COLD;

/* It ends: the handler has returned, or sends to another one. */
void tri_stream_end(struct tri_crew *c) TRI_COLD;

/* ------------------------------------------------------ the receiver ---- */

/* The first of the list is a burst; what it has is put in front of it.  If that is
 * nothing it leaves the list: it is over, or it is parked, or, unless it `parks`,
 * shut.  Returns by how many the list is longer. */
int32_t tri_burst_unpack(struct tri_crew *c, struct tr_self *a,
    struct tr_msg **list, bool parks);

/* All that is parked, in front of the list; how many. */
uint32_t tri_burst_unpark(struct tri_aside *p, struct tr_msg **list);

/* Something is parked, and nothing else is there to be handled.  true: see what
 * is now; false: its turn is over, and it comes back for more. */
bool tri_bursts_go_on(struct tri_crew *c, struct tr_self *a);

#endif
