/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flight recorder: the last messages that a worker has handled, for the
 * report of a fault (fault.c).
 *
 * A ring for each worker of a system that asked for it (fault_messages); its
 * actors have a bit in their ident, at which their worker takes the longer way
 * (care.c), so nobody else pays.  An entry names only what outlives the
 * message: references, and the behaviour.
 *
 * Written by the worker, and read by it alone: in a signal's handler.
 */
#ifndef TROUPE_ACTORS_FLIGHT_H
#define TROUPE_ACTORS_FLIGHT_H

#include "mailbox/message.h"
#include "troupe.h"

enum { TRI_FLIGHT_MAX = 4096 }; /* entries */

struct tri_flight_entry {
	tr_ref actor;
	tr_ref sender;
	const struct tr_behavior *behavior;
	int64_t at; /* the worker's clock */
	uint32_t tag;
	uint8_t kind; /* enum tri_msg_kind */
};

struct tri_flight {
	uint64_t count; /* in all */
	uint32_t mask; /* entries, a power of two, - 1 */
	struct tri_flight_entry entry[];
};

static inline void
tri_flight_record(struct tri_flight *f, tr_ref actor,
    const struct tr_behavior *b, const struct tr_msg *m, int64_t now)
{
	struct tri_flight_entry *e = &f->entry[f->count & f->mask];

	e->actor = actor;
	e->sender = (tr_ref){ m->sender };
	e->behavior = b;
	e->at = now;
	e->tag = m->tag;
	e->kind = m->kind;
	f->count++;
}

#endif
