/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers of one worker: a hierarchical timing wheel.
 *
 * Varghese and Lauck, "Hashed and hierarchical timing wheels", SOSP 1987,
 * scheme 7: eight levels of 64 slots; a slot of level L spans 64^L ticks of
 * 131 us.  Arming and cancelling are a list insertion and removal.  A bitmap
 * per level finds the next slot in use without visiting the empty ones.  A
 * timer of a higher level moves down when its slot's time comes.
 *
 * A timer never fires early: its deadline is rounded up to a tick, and only
 * ticks that have passed entirely are fired.
 *
 * The owner's thread only.
 */
#ifndef TROUPE_SCHED_WHEEL_H
#define TROUPE_SCHED_WHEEL_H

#include "mailbox/base.h"

enum {
	TRI_WHEEL_LEVELS = 8,
	TRI_WHEEL_SLOTS = 64,
	TRI_WHEEL_SHIFT = 17, /* a tick is 2^17 ns */
};

struct tri_timer_node {
	struct tri_timer_node *next;
	struct tri_timer_node **prev; /* what points here; NULL: not armed */
	int64_t deadline;
};

struct tri_wheel {
	uint64_t tick; /* up to here everything has fired */
	uint64_t used[TRI_WHEEL_LEVELS]; /* slots with timers */
	struct tri_timer_node *slot[TRI_WHEEL_LEVELS][TRI_WHEEL_SLOTS];
};

void tri_wheel_init(struct tri_wheel *wheel, int64_t now);

/* Arm a node that is not armed; node->deadline is set. */
void tri_wheel_add(struct tri_wheel *wheel, struct tri_timer_node *node);

/* Disarm a node; one that is not armed is left alone. */
void tri_wheel_remove(struct tri_wheel *wheel, struct tri_timer_node *node);

/* No timer is due before this time; INT64_MAX: there is none. */
int64_t tri_wheel_next(const struct tri_wheel *wheel);

/* The next timer that is due at `now`, disarmed; NULL: no more. */
struct tri_timer_node *tri_wheel_expire(struct tri_wheel *wheel, int64_t now);

#endif
