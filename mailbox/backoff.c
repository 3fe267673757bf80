/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pause: see backoff.h.
 */
#include "mailbox/backoff.h"

#include "mailbox/ck.h"

/* How long the next pause may be. */
static uint32_t
backoff_limit(const struct tri_backoff *b)
{
	if (b->stalls == 0)
		return TRI_BACKOFF_STALLS;
	if (b->pushes < TRI_BACKOFF_FEW && b->stalls < TRI_BACKOFF_STALLS_MAX)
		return b->stalls * 2;
	if (b->pushes > TRI_BACKOFF_MANY && b->stalls > TRI_BACKOFF_STALLS)
		return b->stalls / 2;
	return b->stalls;
}

bool
tri_backoff_begin(struct tri_backoff *b, uint64_t handler, int64_t now,
    int64_t push_ns)
{
	bool crowd = now - b->since <= (int64_t)b->pushes * push_ns;

	b->stalls = crowd && b->handler == handler ? backoff_limit(b) : 0;
	b->handler = handler;
	b->meetings = 0;
	b->pushes = 0;
	b->since = now;
	return crowd;
}

uint32_t
tri_backoff_draw(struct tri_backoff *b)
{
	if (b->stalls == 0)
		return 0;
	/* The generator of the C standard's example; its upper bits will do. */
	b->random = b->random * 1103515245u + 12345u;
	return b->random >> 16 & (b->stalls - 1);
}

void
tri_backoff_stall(uint32_t stalls)
{
	while (stalls-- > 0)
		ck_pr_stall();
}
