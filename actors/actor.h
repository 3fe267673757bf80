/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cell: an actor as one cache line; and its cold part.
 *
 * `struct tr_self` is the cell.  Cells are type-stable: a slot's memory is
 * only ever a cell.  A free slot's inlet is CLOSED, and its generation is that
 * of its next actor.
 *
 * ident packs what senders, killers and the owner have to see as one:
 *
 *     bits  0-31  generation: 6 bits of system number, 26 bits of count
 *     bits 32-47  home worker + 1 of a pinned actor; 0: any
 *     bits 48-63  flags
 */
#ifndef TROUPE_ACTORS_ACTOR_H
#define TROUPE_ACTORS_ACTOR_H

#include "mailbox/inlet.h"
#include "mailbox/pool.h"
#include "sched/word.h"
#include "troupe.h"

enum {
	TRI_STATE_INLINE = 24,
	TRI_COUNT_BITS = 26, /* of the generation */
	TRI_COUNT_MASK = (1 << TRI_COUNT_BITS) - 1,
};

#define TRI_IDENT_GENERATION UINT64_C(0xffffffff)
#define TRI_IDENT_HOME_SHIFT 32
#define TRI_IDENT_HOME_BITS  16
#define TRI_IDENT_HOME       UINT64_C(0xffff)
#define TRI_IDENT_TOLD       (UINT64_C(1) << 49) /* by the system's stop */
#define TRI_IDENT_COLD       (UINT64_C(1) << 50) /* the cold part is used */
#define TRI_IDENT_DYING      (UINT64_C(1) << 51) /* closed, ends in slices */
#define TRI_IDENT_BOUND      (UINT64_C(1) << 52) /* its mailbox has a bound */
#define TRI_IDENT_TRACED     (UINT64_C(1) << 53) /* somebody looks on */
#define TRI_IDENT_KEPT       (UINT64_C(1) << 54) /* by a supervisor: keep.h */
#define TRI_IDENT_HELD       (UINT64_C(1) << 55) /* waits for its restart */
/* What senders have to know. */
#define TRI_IDENT_UNUSUAL (TRI_IDENT_BOUND | TRI_IDENT_TRACED)
/* What its worker has to know before each message (care.c): the uppermost, so
 * that one shift tells whether there is any. */
#define TRI_IDENT_RECORDED   (UINT64_C(1) << 59) /* in the flight recorder */
#define TRI_IDENT_TIMED      (UINT64_C(1) << 60) /* its handlers have a limit */
#define TRI_IDENT_OVERFULL   (UINT64_C(1) << 61) /* no handler starts */
#define TRI_IDENT_KILL       (UINT64_C(1) << 62) /* no handler starts */
#define TRI_IDENT_CARE_SHIFT 59
/* Its messages cannot be handled without a look at those bits, or not here. */
#define TRI_IDENT_CARE                        \
	(UINT64_MAX << TRI_IDENT_CARE_SHIFT | \
	    TRI_IDENT_HOME << TRI_IDENT_HOME_SHIFT | TRI_IDENT_DYING)
/* No actor is here; `behavior` is still that of the last one. */
#define TRI_IDENT_FREE (UINT64_C(1) << 63)

struct tr_self {
	struct tri_inlet inlet; /* any thread */
	struct tr_msg *pending; /* owner: taken, not handled yet */
	_Atomic(const struct tr_behavior *) behavior; /* set at spawn */
	_Atomic uint64_t ident; /* any thread */
	alignas(16) char state[TRI_STATE_INLINE]; /* or a pointer to it */
	_Atomic uint32_t handled; /* owner; read by dumps */
	_Atomic uint32_t taken; /* length of pending; owner; read by dumps */
};

_Static_assert(sizeof(struct tr_self) == TRI_LINE, "a cell is a line");

struct tri_record;
struct tri_name;
struct tri_member;

/* An actor on its way out: die.c. */
struct tri_dying {
	struct tr_reason why;
	bool unstarted : 1; /* start() never succeeded: no stop() */
	bool ignored : 1; /* it did not want to run */
	bool holds : 1; /* a life ends, not the actor: it will be HELD */
	bool drops : 1; /* its mailbox ends all the same */
	bool stopped : 1; /* stop() has run */
	bool told : 1; /* the log, and who counts */
	struct tr_msg *queued; /* behind pending */
};

/* What a plain actor never touches.  Owner only, but for `asks`. */
struct tri_cold {
	struct tri_record *records; /* subscriptions */
	struct tri_name *names;
	struct tri_member *groups;
	struct tri_record *watchers; /* the monitors on this actor */
	struct tri_record *links;
	struct tr_msg *stash_oldest; /* what was put aside; NULL: nothing */
	struct tr_msg *stash_newest;
	uint32_t stashed : 24; /* how many */
	bool traps : 1; /* EXITs */
	bool traps_stop : 1; /* STOP and KILL are told to it: keep.h */
	_Atomic uint32_t asks; /* under way; read by dumps */

	alignas(TRI_LINE) struct tri_dying dying;
	struct tri_record *keep; /* its supervisor's bond, if it is KEPT */
	uint32_t trap_tag; /* of EXITs */
	_Atomic uint32_t life; /* counts up; read by who stops it */
};

_Static_assert(sizeof(struct tri_cold) == 2 * TRI_LINE, "its cold part");

/* Out of the stash: the oldest; NULL: it is empty. */
struct tr_msg *tri_stash_take(struct tri_cold *cold);

/* Fetch that, and what freeing its block looks at: it has waited for long. */
static inline void
tri_stash_fetch(const struct tri_cold *cold)
{
	const struct tr_msg *m = cold->stash_oldest;

	__builtin_prefetch(m, 1);
	__builtin_prefetch(tri_slab_of(m));
}

/*
 * What strangers write: what waits in the mailbox, and how much may (bound.c);
 * and a message that needs no memory (mark.c).  Somebody who knew a former
 * actor of the slot may still be about to give something back here, so this
 * memory is never discarded.
 */
struct tri_intake {
	_Atomic uint64_t waiting; /* items and bytes */
	_Atomic uint64_t bound; /* the same two */
	_Atomic uint32_t overflow; /* enum tr_overflow */
	uint32_t handler_us; /* care.c; set at spawn, read by the owner */
	_Atomic uint64_t mark_state;
	struct tr_msg mark;
};

_Static_assert(sizeof(struct tri_intake) == TRI_LINE, "a line");

static inline uint32_t
tri_ref_slot(tr_ref ref)
{
	return (uint32_t)ref.bits;
}

static inline uint32_t
tri_ref_generation(tr_ref ref)
{
	return (uint32_t)(ref.bits >> 32);
}

static inline tr_ref
tri_ref_make(uint32_t slot, uint32_t generation)
{
	return (tr_ref){ (uint64_t)generation << 32 | slot };
}

static inline void *
tri_actor_state(struct tr_self *a, const struct tr_behavior *b)
{
	return b->state_size <= TRI_STATE_INLINE ? (void *)a->state :
						   *(void **)(void *)a->state;
}

#endif
