/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a long backlog ends, and what this worker has put behind it: backlog.c says
 * why.
 */
#ifndef TROUPE_ACTORS_BACKLOG_H
#define TROUPE_ACTORS_BACKLOG_H

#include "actors/apart.h"

/* Whoever has the actor: whether so much is pending that its end is remembered. */
static inline bool
tri_backlog_is_long(const struct tri_worker *w, const struct tr_self *a)
{
	return tri_load_relaxed(&a->taken) > w->batch;
}

/* Its turn is over: `newest` is the last message of what is pending, NULL: that is
 * not known.  From then on it is whoever's who has the actor next. */
static inline void
tri_backlog_remember(struct tri_crew *c, struct tr_self *a,
    struct tr_msg *newest)
{
	if (TRI_UNLIKELY(tri_backlog_is_long(&c->worker, a)))
		tri_aside(c->desk.sys, a)->tail = newest;
}

/* Whoever has it next, before anything of its long backlog is handled: what was
 * remembered, if that is still the last message.  It is forgotten. */
struct tr_msg *tri_backlog_recall(const struct tri_crew *c, struct tr_self *a);

/* The turn of the actor that this worker runs is over, `newest` is the last of its
 * backlog, or NULL: takes what is in the inlet, if that is the worker's own and better
 * taken now.  Returns what is the last then. */
struct tr_msg *tri_backlog_absorb(struct tri_crew *c, struct tr_self *a,
    struct tr_msg *newest);

#endif
