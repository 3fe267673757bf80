/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Backing off from a mailbox that several workers flood at the same time.
 *
 * Each push takes the cache line of the mailbox's word away from the other
 * producer, and waits some 100 ns for it, where it takes 10 as long as nobody
 * else pushes.  The CAS hardly ever fails, so failures tell nothing.  What tells
 * is the message under one's own: it is not the one this worker has pushed
 * before.  Who meets others MEETINGS times in a row, in the same mailbox, pauses
 * for a random time: the other gets the line to itself, pushes hundreds of
 * messages meanwhile, and meets nobody.  The time has to be random, or both
 * pause and come back together.
 *
 * Only within one handler, that sends very many messages: where each handler
 * sends one, what its worker does between two pushes takes longer than the line,
 * which a pause gives to others who have as much to do.  (It had better go on: in
 * banking one of two workers spent 40 % of its time in pauses of 5 us at most.)
 * Nor does anybody pause who pushes seldom.
 *
 * Pauses are short at first, 5 us at most.  Who meets others again after a FEW
 * pushes has paused too short, so they get longer, up to STALLS_MAX pause
 * instructions (160 us on a CPU where that takes long); after MANY they get
 * shorter.
 *
 * Random and exponential backoff are those of Anderson, "The Performance of Spin
 * Lock Alternatives for Shared-Memory Multiprocessors" (IEEE TPDS 1(1), 1990).
 */
#ifndef TROUPE_MAILBOX_BACKOFF_H
#define TROUPE_MAILBOX_BACKOFF_H

#include "mailbox/atomic.h"
#include "mailbox/message.h"

enum {
	TRI_BACKOFF_MEETINGS = 4,
	TRI_BACKOFF_FEW = 32,
	TRI_BACKOFF_MANY = 2048,
	TRI_BACKOFF_STALLS = 128, /* these two: powers of two */
	TRI_BACKOFF_STALLS_MAX = 4096,
	TRI_BACKOFF_FLOOD_NS = 256, /* a push, for each worker */
};

/* Of one worker. */
struct tri_backoff {
	uint64_t target; /* whose mailbox it has pushed to last */
	const struct tr_msg *last; /* what; only compared */
	uint32_t meetings; /* in a row */
	uint32_t pushes; /* since `since` */
	int64_t since; /* the end of its last pause, or what was none */
	uint32_t stalls; /* pauses are shorter than this; 0: none */
	uint32_t random;
	uint64_t handler; /* in which it met others last */
};

/* It is `now`, and others were met, by `handler`, which no other has as its
 * number.  Returns whether that is a crowd: it pushes all the time.  push_ns: what
 * a push takes in one, at most. */
bool tri_backoff_begin(struct tri_backoff *b, uint64_t handler, int64_t now,
    int64_t push_ns);

/* Behind that: how many pause instructions the pause shall take; 0: none. */
uint32_t tri_backoff_draw(struct tri_backoff *b);

/* That many. */
void tri_backoff_stall(uint32_t stalls);

/* `m` was pushed to a mailbox in which something waited; `under` is what was
 * the newest there, NULL: all that there was had been taken.  true: it is time
 * for a pause. */
static inline bool
tri_backoff_pushed(struct tri_backoff *b, uint64_t target,
    const struct tr_msg *m, const struct tr_msg *under)
{
	bool alone = under == b->last || under == NULL || target != b->target;

	b->last = m;
	b->target = target;
	b->pushes++;
	if (TRI_LIKELY(alone)) {
		b->meetings = 0;
		return false;
	}
	return ++b->meetings == TRI_BACKOFF_MEETINGS;
}

#endif
