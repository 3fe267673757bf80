/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records: what an actor waits for, or owes.
 *
 * Timers, asks made, offloads under way and duties to answer are entries of
 * one kind, named by {index, generation} and linked into their actor's list.
 * Whatever arrives later (tick, answer, outcome) carries that name and is
 * checked when it is taken: ending an entry bumps its generation, at once and
 * in the actor's own turn, and that is why a cancelled timer's tick or a late
 * answer is never seen.  Every actor ends all of its entries when it dies.
 *
 * A record embeds the message that it delivers, so ticks, timeouts and error
 * answers need no allocation.
 *
 * Records are type-stable and their memory has several users: the actor that
 * owns it, the timing wheel of the worker it was armed on, the mailbox that
 * its message is in, the blocking pool.  `holds` says who, in one atomic word;
 * whoever removes the last hold from a record with GONE set frees it.
 */
#ifndef TROUPE_ACTORS_RECORD_H
#define TROUPE_ACTORS_RECORD_H

#include "actors/actor.h"
#include "sched/env.h"
#include "sched/wheel.h"

enum tri_record_kind {
	TRI_RECORD_TIMER,
	TRI_RECORD_ASK,
	TRI_RECORD_DUTY, /* an ask to be answered, by token or taken */
	TRI_RECORD_JOB, /* an offload */
	TRI_RECORD_DEADLINE, /* of a stop: kills its target; no owner */
	TRI_RECORD_MONITOR, /* its message is the request, then the DOWN */
	TRI_RECORD_LINK, /* one side of a link: link.c */
	TRI_RECORD_KEEP, /* the bond with a child: keep.h; its message is the
	                  * notice */
};

enum tri_hold {
	TRI_HOLD_ARMED = 1, /* in the wheel of `home` */
	TRI_HOLD_SENT = 2, /* the message is in a mailbox or in hand */
	TRI_HOLD_OP = 4, /* in `home`'s stack of records to disarm */
	TRI_HOLD_POOL = 8, /* the blocking pool has it */
	TRI_HOLD_WATCHED = 128, /* in the list of the actor it watches */
	TRI_HOLDS = 15 | 128,
	TRI_DONE = 16, /* the blocking pool has finished it */
	TRI_GONE = 32, /* its owner has let go of it */
	TRI_ABANDONED = 64, /* the pool has to drop the argument */
	/* Bits 8 to 13: keep.c. */
};

/* The state beside the generation in ident. */
#define TRI_RECORD_CANCELED (UINT64_C(1) << 32)
#define TRI_RECORD_LIVE     (UINT64_C(1) << 33)
#define TRI_RECORD_RELAY    (UINT64_C(1) << 34) /* an ask made for another */

struct tri_record {
	_Atomic uint64_t ident; /* generation, state; callees look at it */
	_Atomic uint64_t owner; /* tr_ref bits */
	struct tri_record *prev; /* in the owner's list */
	struct tri_record *next;
	struct tri_timer_node node; /* home's wheel; a job's: own use */

	union {
		tr_answer_fn *answer; /* ask */
		const struct tr_job *job;
		int64_t period_ns; /* timer; 0: once */
		uint64_t asker; /* duty: tr_ref bits */
		uint64_t target; /* monitor, link, keep: tr_ref bits */
	} u;
	/* Its message; ASK_EXT for duties, struct tr_tick for timers, struct
	 * tr_down for monitors. */
	alignas(32) struct tr_msg msg;
	union {
		char payload[64];
		struct tri_job run; /* offload: in the pool's queue */
		struct tri_record *watched[2]; /* monitor: the one before and
		                                * the one behind; link: in its
		                                * bucket, the next */
	};
	uint64_t cookie; /* ask, timer, monitor, keep; a job's argument; a
	                  * link's number */

	_Atomic uint32_t holds; /* enum tri_hold */
	_Atomic uint32_t missed; /* ticks, since the last one seen; monitor:
	                          * the tag of its DOWN; link: 1, the other
	                          * has asked for it */
	ck_stack_entry_t op; /* in home's stack */
	uint32_t index; /* its own; set once */
	int32_t outcome; /* job; link: being undone; keep: a held cell is
	                  * the owner's */
	uint16_t home; /* worker whose wheel it is in */
	uint8_t kind; /* enum tri_record_kind */
	uint8_t linked; /* in the owner's list */
	struct tr_system *system; /* jobs: for the pool's threads */
	_Atomic uint64_t relay; /* with RELAY: whose ask it is made for; link:
	                         * the other side's number for it */
};

static inline uint64_t
tri_record_id(struct tri_record *r)
{
	return (tri_load_relaxed(&r->ident) & TRI_IDENT_GENERATION) << 32 |
	    r->index;
}

struct tri_crew;

/* A new entry of the running actor; NULL: no memory, or not allowed now. */
struct tri_record *tri_record_new(struct tri_crew *c,
    enum tri_record_kind kind);

/* Make a record that came in a message the running actor's own. */
void tri_record_adopt(struct tri_crew *c, struct tri_record *r);

/* The same for an actor that nobody knows yet. */
void tri_record_give(struct tri_crew *c, struct tr_self *a, tr_ref ref,
    struct tri_record *r);

/* A record without an owner, for the worker's own use. */
struct tri_record *tri_record_new_free(struct tri_crew *c,
    enum tri_record_kind kind);

/* The running actor's live entry of that name and kind; NULL: none. */
struct tri_record *tri_record_find(struct tri_crew *c, uint64_t id,
    enum tri_record_kind kind);

/* An ask that is made for another one: wanted only as long as that is, which
 * callees look up.  Before it is sent. */
static inline void
tri_record_relay(struct tri_record *r, uint64_t ask)
{
	/* rel: who sees this sees that its former name is stale; pairs with
	 * the acq in ask_is_live. */
	tri_store_release(&r->relay, ask);
	tri_store_release(&r->ident,
	    tri_load_relaxed(&r->ident) | TRI_RECORD_RELAY);
}

/* Whether somebody still waits for its message. */
static inline bool
tri_record_awaits(struct tr_msg *m)
{
	struct tri_record *r = tri_container_of(m, struct tri_record, msg);

	/* acq: pairs with record_let_go_far. */
	return (tri_load_acquire(&r->holds) & TRI_GONE) == 0;
}

/* The running actor lets go of its entry. */
void tri_record_end(struct tri_crew *c, struct tri_record *r);

/* Remove a hold; frees the record when it was the last. */
void tri_record_release(struct tri_crew *c, struct tri_record *r,
    enum tri_hold hold);

/* Give its memory back: nobody holds it. */
void tri_record_free(struct tri_crew *c, struct tri_record *r);

/* Put it into the worker's wheel; node.deadline is set. */
void tri_record_arm(struct tri_crew *c, struct tri_record *r);

/* Fill in the message that says: look at me. */
void tri_record_prepare_outcome(struct tri_record *r);

/* Send the embedded message to the owner, unless it is under way already. */
void tri_record_notify(struct tri_crew *c, struct tri_record *r);

/* hooks.fire: its time has come. */
void tri_record_fire(struct tri_worker *w, struct tri_timer_node *node);

/* At a poll: disarm what other workers let go of. */
void tri_record_disarm_gone(struct tri_crew *c);

#endif
