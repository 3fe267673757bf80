/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Backlogs of several actors, turned round together, for run.c: gather.c says why.
 */
#ifndef TROUPE_ACTORS_GATHER_H
#define TROUPE_ACTORS_GATHER_H

#include "actors/system.h"

enum { TRI_GATHER_LEAST = 64 }; /* messages */

/* Whether a list of so many is long. */
static inline bool
tri_gather_is_worth(const struct tri_worker *w, uint32_t length)
{
	return length >= TRI_GATHER_LEAST || length > w->batch;
}

/* The worker that runs the actor, and may hold others (share.c): what
 * tri_inlet_take_owner returns.  `in`: its inlet, with a long list, and no parked
 * bursts.  *last: the newest. */
struct tr_msg *tri_gather_take(struct tri_crew *c, struct tr_self *a,
    struct tri_inlet *in, uint32_t *count, struct tr_msg **last);

#endif
