/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The swarm: actors that do at random whatever the library has, simulated; the
 * oracles look on.
 *
 *     swarm.c       the scenario
 *     swarm_bee.c   an actor: what it does with what it gets
 *     swarm_acts.c  what it does of its own accord
 *     swarm_tree.c  supervisors, and what is asked of them
 *
 * Everything random comes from the bees' own generators, which the scenario
 * seeds.
 */
#ifndef TESTS_SIM_SWARM_H
#define TESTS_SIM_SWARM_H

#include <stdlib.h>
#include <string.h>

#include <troupe.h>

enum { PLAIN = 1, REQUEST, PASS, TICK, ORDER, SIGNAL, DOWN, EXIT };
enum { BEES = 16, ROUTERS = 4, KEPT = 4, ORDERS = 40 };

#define HIVE(MSG, P)                     \
	MSG(P, wax, { uint32_t grams; }) \
	MSG(P, honey, { void *jar; })    \
	MSG(P, count, TR_EMPTY)          \
	MSG(P, dance, { double angle, distance; })

/* What actors, messages and calls own: counted, for it has to be freed once. */
void *held_new(size_t size);
void held_free(void *p);

static inline void
honey_drop(void *payload, size_t size)
{
	void *jar;

	(void)size;
	memcpy(&jar, payload, sizeof(jar));
	held_free(jar);
}
TR_PROTOCOL(hive, HIVE, .honey = { .drop = honey_drop });

/* One run's; the scenario's own, and looked at by its actors: they all run on
 * one thread. */
struct swarm {
	tr_ref bee[BEES];
	unsigned bees;
	tr_ref router[ROUTERS];
	unsigned routers;
	tr_ref top[4]; /* supervisors */
	unsigned tops;
	unsigned trees; /* descriptions in use */
	unsigned lives; /* that may still be busy: restarts are no end */
	unsigned children; /* that may still be spawned */
	bool may_stop; /* a bee may stop the system */
	int nowhere; /* a descriptor for dumps */
};

extern struct swarm swarm;

struct bee {
	uint64_t seed;
	unsigned left; /* orders */
	tr_timer timer;
	tr_ask_id ask, job;
	bool waits; /* for an answer, and nothing else */
	tr_monitor_id monitor;
	tr_token token;
	tr_blob blob;
	struct tr_msg *kept[KEPT];
};

/* What a bee is spawned with. */
struct bee_arg {
	uint64_t seed;
	unsigned left;
};

extern const struct tr_behavior bee, drone, waiter;

/* A number below, drawn by the bee. */
uint64_t draw(struct bee *b, uint64_t below);
/* A bee or router, which may have ended; a made-up reference now and then. */
tr_ref somebody(struct bee *b);
/* Do something; what receive() returns. */
int bee_act(struct bee *b, struct tr_self *self);
/* Start a supervisor; ask one for something. */
void plant(struct bee *b, struct tr_self *self);
void tend(struct bee *b, struct tr_self *self);
/* Options of all kinds. */
struct tr_spawn_options draw_options(struct bee *b);

#endif
