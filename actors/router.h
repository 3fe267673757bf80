/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A router's state, and what its files share: router.c chooses a routee and
 * hands messages on; router_relay.c counts asks; router_spawn.c makes routers
 * and changes their routees.  All of it runs in the router's own turn.
 */
#ifndef TROUPE_ACTORS_ROUTER_H
#define TROUPE_ACTORS_ROUTER_H

#include "actors/group.h"
#include "troupe/router.h"

enum { TRI_ROUTEES_FIRST = 8 };

#define TRI_RELAY_NONE UINT32_MAX

struct tri_routee {
	tr_ref ref;
	uint32_t asks; /* unanswered */
	uint32_t serial; /* this entry, whatever place it is in */
};

/* An ask that was passed on and is counted. */
struct tri_relay {
	uint64_t duty; /* the record that owes the answer */
	uint32_t serial; /* of the routee's entry */
	uint32_t at; /* its place then; of a free one: the next free */
	bool shrunk; /* the asker does not know of its deadline */
};

struct tri_router {
	enum tr_route strategy;
	uint32_t next; /* whose turn it is */
	tr_route_key_fn *key;
	struct tri_routee *routee;
	uint32_t count;
	uint32_t room;
	uint32_t serial; /* the next entry's */
	uint32_t relays; /* in use */
	struct tri_relay *relay;
	uint32_t relay_room;
	uint32_t relay_free; /* the first free one, or TRI_RELAY_NONE */
	struct tri_group *group; /* that it follows; NULL: none */
	uint64_t version; /* of the group, as it is in the list */
	struct tri_refs members; /* room for a copy of them */
};

/* More room in an array of `*room` elements.  false: no memory. */
bool tri_router_grow(struct tri_memory *memory, void **array, uint32_t *room,
    size_t size, uint32_t wanted);
/* Room for so many routees. */
bool tri_routees_grow(struct tr_system *sys, struct tri_router *r,
    uint32_t wanted);
/* There is room. */
void tri_routee_append(struct tri_router *r, tr_ref ref);
/* The last takes its place. */
void tri_routee_take_out(struct tri_router *r, uint32_t i);

/* The message in hand is the router's own now. */
struct tr_msg *tri_router_take(struct tri_crew *c);
/* Hand it to a routee, whose place is stored; those who have ended are taken
 * out.  false: nobody is left, and the message is still the caller's. */
bool tri_router_hand_on(struct tri_crew *c, struct tri_router *r,
    struct tr_msg *m, uint32_t *at);
/* Sent on, and lost at once. */
void tri_router_lose(struct tri_crew *c, struct tr_msg *m,
    enum tr_dead_reason reason);
/* Hand on an ask that is counted until it ends. */
void tri_router_relay(struct tri_crew *c, struct tri_router *r,
    struct tr_msg *m);

/* A router's receive(): it tells routers from other actors. */
int tri_router_receive(struct tr_self *self, void *state,
    const struct tr_msg *msg);

#endif
