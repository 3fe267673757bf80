/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looking on: what the simulator's oracles are told.
 *
 * A system that is traced has TRI_IDENT_TRACED in every actor's ident, so its
 * senders take the unusual way (bound.c), and its messages are marked, so that
 * their takers do.  One that is not traced does not look.  `seen` is called on
 * the thread where it happens, after the fact; the one user so far runs
 * everything on one thread.
 */
#ifndef TROUPE_ACTORS_TRACE_H
#define TROUPE_ACTORS_TRACE_H

#include "actors/actor.h"

enum tri_event {
	TRI_EVENT_SENT, /* m went into the mailbox of `ref` */
	TRI_EVENT_TAKEN, /* m left it; `value` is 1: to be handled, 0: not */
	TRI_EVENT_DEAD, /* m is a dead letter; `value` is the reason */
	TRI_EVENT_ASKED, /* `ref` asked; `value` is the ask */
	TRI_EVENT_OUTCOME, /* that ask ended; `code` */
	TRI_EVENT_ASK_LEFT, /* it ended with its asker, without a call */
	TRI_EVENT_SPAWNED, /* `ref` */
	TRI_EVENT_STOPPING, /* stop() of `ref` is about to run */
	TRI_EVENT_ENDED, /* `ref`; `code` is its reason */
	TRI_EVENT_RESTARTED, /* `ref`, after it was STOPPING */
	TRI_EVENT_MADE, /* m has a drop function */
	TRI_EVENT_DROP, /* it ran */
	/* `value` is the monitor, but for links, where it is the other. */
	TRI_EVENT_WATCHED, /* the running actor watches `ref` */
	TRI_EVENT_DOWN, /* `ref`, its watcher, is told: `code` is the reason */
	TRI_EVENT_UNWATCHED, /* `ref` has withdrawn it, or ends */
	TRI_EVENT_LINKED, /* `ref` has a side */
	TRI_EVENT_EXIT, /* the other's exit has used it up; `code` */
	TRI_EVENT_UNLINKED, /* it is undone, or ends with `ref` */
};

struct tri_trace {
	void (*seen)(struct tri_trace *trace, enum tri_event event, tr_ref ref,
	    const struct tr_msg *m, uint64_t value, int code);
};

#endif
