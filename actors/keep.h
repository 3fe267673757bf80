/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeping: the bond between a supervisor and its child.
 *
 * The keeper (a supervisor) spawns a child with tri_keep_spawn().  It is told
 * what becomes of it, in turns of its own, by notices that need no memory; and
 * a child that has ended may be HELD: its cell, ref, names, groups and mailbox
 * stay, and the keeper gives it another life, or lets it go.
 *
 * A bond is one record (TRI_RECORD_KEEP), owned by the keeper; its embedded
 * message is the notice.  A notice says only "look": what happened is in bits
 * of the record's `holds`, which the keeper takes all at once.
 *
 *     WATCHED   the child's cell leads to it: until the child's very end
 *     SENT      a notice is under way
 *     GONE      the keeper has let go of it
 *
 * WHOSE A HELD CELL IS.  Nobody runs a HELD actor, and nothing that is sent to
 * it schedules it, so exactly one party may touch its cell: who has the HELD
 * bit.  The child sets it last of all, in the same step in which the notice
 * becomes the keeper's; the keeper takes it with the notice or, having died,
 * leaves it to whoever finds that nobody is there, and then the child is let go
 * on the spot.  So a held actor is never forgotten.
 *
 * THE KEEPER'S END.  A keeper has called tri_stop_trap(): a STOP or KILL does
 * not end it but calls tri_supervisor_told(), and it ends when its children
 * have.  One that fails all the same kills the children it still has.
 */
#ifndef TROUPE_ACTORS_KEEP_H
#define TROUPE_ACTORS_KEEP_H

#include "actors/system.h"

/* What a keeper is told; several at once are possible, in this order. */
enum tri_keep_event {
	TRI_KEEP_STARTED = 1, /* start() has returned TR_OK */
	TRI_KEEP_IGNORED = 2, /* start() has returned TR_IGNORE */
	TRI_KEEP_HELD = 4, /* it has ended, and waits: tri_keep_restart() or
	                    * tri_keep_release() */
	TRI_KEEP_ENDED = 8, /* it has ended for good */
};

/* Which ends are not for good. */
enum tri_keep_policy {
	TRI_KEEP_NONE, /* they all are */
	TRI_KEEP_FAILED, /* all but TR_NORMAL, TR_SHUTDOWN and TR_IGNORE */
	TRI_KEEP_ALL, /* none but TR_IGNORE */
};

struct tri_keep_options {
	enum tri_keep_policy policy;
	bool late_start; /* STARTED is told by tri_keep_started(), not by the
	                  * return of start() */
	bool drop_mailbox; /* what waits when it is held is dead letters */
	uint64_t cookie; /* passed in its notices */
};

struct tri_keep_notice {
	struct tri_record *bond;
	uint64_t cookie;
	unsigned events; /* enum tri_keep_event */
	struct tr_reason why; /* with HELD or ENDED */
};

/* From now on a STOP or KILL does not end the running actor, but calls
 * tri_supervisor_told(). */
void tri_stop_trap(struct tri_crew *c);

/* supervise/: called in a supervisor's turn, what they return is as of
 * receive().  A notice of one of its children; */
int tri_supervisor_notice(struct tr_self *self, void *state,
    const struct tri_keep_notice *notice);
/* a STOP, or a KILL: then it kills its children and ends with TR_KILLED when
 * they have ended.  It may come in any number and order. */
int tri_supervisor_told(struct tr_self *self, void *state, bool kill);

/* Spawn a child of the running actor.  TR_REF_NONE: *error says why.  The bond
 * is the running actor's until tri_keep_forget(), or its death. */
tr_ref tri_keep_spawn(struct tri_crew *c, const struct tr_behavior *b,
    const void *arg, const struct tr_spawn_options *o,
    const struct tri_keep_options *keep, struct tri_record **bond, int *error);

/* The keeper changes its mind.  A child that is ending at that moment may
 * still go by the former one. */
void tri_keep_set_policy(struct tri_record *bond, enum tri_keep_policy policy);

/* A HELD child's next life begins.  TR_ENOMEM: it is still held. */
int tri_keep_restart(struct tri_crew *c, struct tri_record *bond,
    const struct tr_behavior *b, const void *arg);

/* A HELD child ends for good; ENDED will follow. */
void tri_keep_release(struct tri_crew *c, struct tri_record *bond);

/* After ENDED: give the bond back. */
void tri_keep_forget(struct tri_crew *c, struct tri_record *bond);

/* The running actor, a child spawned with late_start, has started now. */
void tri_keep_started(struct tri_crew *c);

/* ------------------------------------------- for run.c, die.c, spawn.c --- */

/* At spawn: the bond of the running actor with one that nobody knows yet. */
int tri_keep_attach(struct tri_crew *c, tr_ref child,
    const struct tri_keep_options *keep, struct tri_record **bond);
/* A child's start() has returned TR_OK. */
void tri_keep_start_returned(struct tri_crew *c, struct tr_self *a);
/* Whether this end is not for good. */
bool tri_keep_holds(struct tri_crew *c, struct tr_self *a,
    const struct tr_reason *why);
bool tri_keep_drops_mailbox(struct tri_crew *c, struct tr_self *a);
/* The child has ended: HELD, or ENDED, perhaps with IGNORED.  A HELD cell is
 * not the caller's afterwards, unless nobody keeps it: false. */
bool tri_keep_tell_end(struct tri_crew *c, struct tr_self *a, unsigned events,
    const struct tr_reason *why);
/* Whether a STOP, KILL or signal that was taken is for this life of its. */
bool tri_keep_concerns(struct tri_crew *c, struct tr_self *a,
    const struct tr_msg *m);
/* The number of the actor's life, for their tags. */
uint32_t tri_keep_life(const struct tr_system *sys, tr_ref actor);
/* The keeper takes a notice; false: it says nothing new. */
bool tri_keep_taken(struct tri_crew *c, struct tr_msg *m,
    struct tri_keep_notice *notice);
/* A notice found nobody. */
void tri_keep_refused(struct tri_crew *c, struct tri_record *bond);
/* The keeper dies. */
void tri_keep_abandon(struct tri_crew *c, struct tri_record *bond);

#endif
