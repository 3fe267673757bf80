/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * troupe/router.h - one reference in front of many actors.
 *
 * A router is an actor that hands on what it gets to one of its routees, or to
 * all.  Others send to it and ask it as they would any actor.
 *
 *     tr_ref pool = tr_router_spawn(self, &(struct tr_router_options){
 *             .strategy = TR_ROUTE_LEAST_LOADED,
 *             .routees = worker, .count = 8,
 *     });
 *
 *     ask = tr_ask(self, pool, WORK, &job, sizeof(job), deadline, on_done, 0);
 *
 * Messages are handed on as they are, without a copy, and keep their sender.
 * With an ask goes the duty to answer it: the answer goes straight to the
 * asker, its deadline holds, and tr_cancel() reaches the routee.  Messages of
 * one sender that go to the same routee keep their order.
 *
 * Which routees there are is said when the router is spawned, and changed by
 * tr_router_add() and tr_router_remove(); or it follows a process group
 * (<troupe/group.h>), whose members come and go by themselves.  An actor that
 * is listed twice gets two shares.
 *
 * A routee that has ended is noticed when the next message for it is refused:
 * it is taken out and the next one tried.  What it had in its mailbox ends as
 * it does without a router (asks: TR_EDEAD).  With no routee left, asks end
 * with TR_EDEAD and plain messages are dead letters (TR_DEAD_NO_ACTOR).
 *
 * A routee whose mailbox is full refuses what a router hands on as it does what
 * a sender sends; nobody else is tried.
 *
 * A router lives until it is stopped.  When it ends, asks that wait in it end
 * with TR_EDEAD, and, where it counts them (least loaded), also those that its
 * routees have; other asks and messages it has handed on are not concerned.
 */
/* Before the guard: troupe.h includes this one at its end. */
#include <troupe.h>

#ifndef TROUPE_ROUTER_H
#define TROUPE_ROUTER_H

#ifdef __cplusplus
extern "C" {
#endif

/** Who gets a message. */
enum tr_route {
	/* One after the other. */
	TR_ROUTE_ROUND_ROBIN = 0,
	/* The same one for the same key, as long as the routees stay the same;
	 * one routee more takes over its share of keys and moves no others
	 * (jump consistent hash). */
	TR_ROUTE_HASH = 1,
	/* All of them.  Payloads are copied, blobs shared.  A message with
	 * another drop function cannot be copied: with more than one routee it
	 * is reported as tr_unhandled() does and dropped.  An ask is answered
	 * with TR_EINVAL.  Without memory for all copies the message is a dead
	 * letter (TR_DEAD_BUDGET) and nobody gets it. */
	TR_ROUTE_BROADCAST = 2,
	/* The one with the fewest asks unanswered that came through this
	 * router, in turn where several have.  Plain messages do not count.
	 * The router asks in the asker's stead, so for an ask the routee's
	 * tr_sender() is the router; the answer's sender is the routee.  Each
	 * message costs a look at all routees. */
	TR_ROUTE_LEAST_LOADED = 3,
};

/**
 * The key of a message, for TR_ROUTE_HASH.  It runs in the router's turn, may
 * read the message, and calls no verb that takes a self.
 */
typedef uint64_t tr_route_key_fn(const struct tr_msg *msg);

/** Which routees a router has, and which of them gets a message. */
struct tr_router_options {
	enum tr_route strategy;
	const tr_ref *routees; /* copied; more can be added later */
	size_t count; /* of routees; up to 2^20 */
	const char *group; /* instead of routees: the members of this process
	                    * group, at each moment; NULL: none */
	tr_route_key_fn *key; /* NULL: the sender */
	const char *name; /* registered name of the router; NULL: none */
	int *error; /* where to store why TR_REF_NONE was returned; NULL: not
	             * wanted */
};

/**
 * Spawn a router.
 *
 * \param self     the spawner
 * \param options  which routees, and which of them gets a message
 * \returns        the router, or TR_REF_NONE: as tr_spawn(); bad options are
 *                 an unknown strategy, both routees and group, a routee that
 *                 is TR_REF_NONE, a group's name of a bad length
 * \owner          borrows until it returns
 * \threads        self
 * \blocks         never
 */
TR_API tr_ref tr_router_spawn(struct tr_self *self,
    const struct tr_router_options *options);

/**
 * Add a routee.  It gets its share of what is sent to the router after this
 * call by the caller, and of others' messages soon.
 *
 * \param self    the caller
 * \param router  from tr_router_spawn(); one that follows a group ignores it
 * \param routee  who is added, last in the list
 * \returns       TR_OK, also when the router has ended; TR_ENOMEM; TR_EINVAL
 *                (the routee is the router itself, or TR_REF_NONE)
 * \owner         none
 * \threads       self
 * \blocks        never
 */
TR_API int tr_router_add(struct tr_self *self, tr_ref router, tr_ref routee);

/**
 * Remove a routee, with all of its shares; the last in the list takes its
 * place.  What it has got already it keeps.
 *
 * \param self    the caller
 * \param router  from tr_router_spawn(); one that follows a group ignores it
 * \param routee  who is removed
 * \returns       TR_OK, also when it is no routee; TR_ENOMEM; TR_EINVAL (as
 *                for tr_router_add())
 * \owner         none
 * \threads       self
 * \blocks        never
 */
TR_API int tr_router_remove(struct tr_self *self, tr_ref router, tr_ref routee);

#ifdef __cplusplus
}
#endif

#endif /* TROUPE_ROUTER_H */
