/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * players.h - a real system of two workers, stepped by logical threads, with
 * actors that do what a case says.
 *
 * Whatever happens, afterwards (players_check): what was sent was handled or
 * is dead; no block is in use; no record and no slot is lost, or free twice.
 */
#ifndef TESTS_SCHEDULES_PLAYERS_H
#define TESTS_SCHEDULES_PLAYERS_H

#include "world.h"

#include "actors/system.h"

enum {
	WORKERS = 2,
	ACTORS = 1024,
	TICK_NS = 1000 * 1000,
	LATER_NS = 3 * TICK_NS,
	SENDS = 3,
	PASSES = 12,
	RECORDS_SEEN = 1 << 12,
};

enum { GO = 1, TICK, CANCEL, WORK };

struct player_rig {
	struct tr_system *sys;
	int (*receive[4])(struct tr_self *self, const struct tr_msg *msg);
	tr_ref actor[4];
	unsigned alive; /* actors at the end */
	unsigned max_items; /* of actors that are added; 0: no bound */
	enum tr_overflow overflow; /* of those with one */
	unsigned naps;
	bool met; /* what has to happen has happened */
	bool ends; /* the system does */
	uint64_t history;

	/* timers, asks */
	tr_timer timer;
	tr_ask_id ask;
	unsigned ticks, outcomes, stops, told;
	bool cancelled, repeats;
	int64_t delay_ns;

	/* mail */
	unsigned got[4][SENDS + 1], last[4], worked;
};

extern struct player_rig rig;

/* An actor without start(): it is number 0. */
extern const struct tr_behavior player_plain;

/* A system.  hard_bytes: its budget; 0: none. */
void players_begin(uint64_t hard_bytes);

/* An actor that has started on this worker; it may move unless `pinned`. */
void players_add(unsigned who, unsigned worker, bool pinned,
    int (*receive)(struct tr_self *self, const struct tr_msg *msg));

void players_post(unsigned who, uint32_t tag);

/* The logical thread of a worker. */
void players_work(unsigned worker);

bool players_quiet(void);
uint64_t players_check(void);

#define PLAYERS_CASE(n, t, b, f, c, w)                                     \
	{                                                                  \
		.name = n, .what = w, .threads = t, .setup = b, .body = f, \
		.quiet = players_quiet, .check = c, .buffers = true,       \
		.may_wait = true                                           \
	}

#endif /* TESTS_SCHEDULES_PLAYERS_H */
