/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pause: see backoff.h.
 */
#include "mailbox/backoff.h"

#include "mailbox/ck.h"

TRI_COLD void
tri_backoff_wait(struct tri_backoff *b)
{
	b->meetings = 0;
	/* The generator of the C standard's example; its upper bits will do. */
	b->random = b->random * 1103515245u + 12345u;
	for (uint32_t n = b->random >> 16 & (TRI_BACKOFF_STALLS - 1); n > 0;
	     n--)
		ck_pr_stall();
}
