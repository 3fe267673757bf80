/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * players.c - see players.h.
 */
#include "players.h"

#include <string.h>

#include "actors/keep.h"

struct player_rig rig;

/* --------------------------------------------------------------- actors -- */

static int
player_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	unsigned who = *(unsigned *)state;

	sched_note("actor %u gets %u", who, tr_tag(msg));
	rig.history = sched_mix(rig.history,
	    who * 64 + tr_tag(msg) * 4 + tr_self_worker(self));
	return rig.receive[who](self, msg);
}

static int
player_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	*(unsigned *)state = (unsigned)(uintptr_t)arg;
	return rig.receive[(unsigned)(uintptr_t)arg](self, NULL);
}

static void
player_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)self;
	(void)why;
	sched_note("actor %u stops", *(unsigned *)state);
	rig.stops++;
}

static const struct tr_behavior player = {
	.name = "player",
	.state_size = sizeof(unsigned),
	.start = player_start,
	.receive = player_receive,
	.stop = player_stop,
};

const struct tr_behavior player_plain = {
	.name = "plain",
	.state_size = sizeof(unsigned),
	.receive = player_receive,
};

/* Nobody here is a supervisor, but in keep.c. */
__attribute__((weak)) int
tri_supervisor_notice(struct tr_self *self, void *state,
    const struct tri_keep_notice *notice)
{
	(void)self;
	(void)state;
	(void)notice;
	return TR_EINVAL;
}

__attribute__((weak)) int
tri_supervisor_told(struct tr_self *self, void *state, bool kill)
{
	(void)self;
	(void)state;
	(void)kill;
	return TR_EINVAL;
}

/* ---------------------------------------------------------------- setup -- */

/* One worker alone, until it has nothing to do. */
static void
run_alone(unsigned worker)
{
	struct tri_worker *w = tri_sched_worker(&rig.sys->sched, worker);

	tri_worker_here = w;
	while (w->phase != TRI_PARK)
		SCHED_CHECK(tri_worker_step(w));
	w->phase = TRI_RUN;
	tri_park_found(w);
	tri_worker_here = NULL;
}

void
players_add(unsigned who, unsigned worker, bool pinned,
    int (*receive)(struct tr_self *self, const struct tr_msg *msg))
{
	const struct tr_spawn_options o = {
		.placement = pinned ? TR_PLACE_WORKER : TR_PLACE_ANY,
		.worker = pinned ? worker : 0,
		.max_items = rig.max_items,
		.overflow = rig.overflow,
	};

	rig.receive[who] = receive;
	rig.actor[who] =
	    tr_system_spawn(rig.sys, &player, (void *)(uintptr_t)who, &o);
	SCHED_CHECK(tr_ref_valid(rig.actor[who]));
	run_alone(worker);
	rig.alive++;
}

void
players_begin(uint64_t hard_bytes)
{
	const struct tr_options o = { .workers = WORKERS,
		.max_actors = ACTORS,
		.spin_ns = -1,
		.hard_bytes = hard_bytes };
	struct tri_sched *s;

	/* The one before may have been given up in the middle. */
	if (rig.sys != NULL)
		tri_system_forget(rig.sys);
	world_begin();
	memset(&rig, 0, sizeof(rig));
	SCHED_CHECK(tri_system_new(&rig.sys, &o, &world.env) == TR_OK);
	SCHED_CHECK(tri_system_begin(rig.sys) == TR_OK);
	s = &rig.sys->sched;
	/* The oracle wants to know what is in use. */
	rig.sys->foreign_pool.counted = true;
	for (unsigned i = 0; i < WORKERS; i++)
		tri_sched_worker(s, i)->pool.counted = true;
	s->now0 = world.now;
	s->cycles0 = (uint64_t)world.now;
	world_workers(s, WORKERS);
	rig.delay_ns = TICK_NS;
}

void
players_post(unsigned who, uint32_t tag)
{
	SCHED_CHECK(tr_post(rig.sys, rig.actor[who], tag, NULL, 0) == TR_OK);
}

void
players_work(unsigned worker)
{
	struct tri_worker *w = tri_sched_worker(&rig.sys->sched, worker);

	while (tri_worker_step(w))
		;
}

/* -------------------------------------------------------------- oracles -- */

bool
players_quiet(void)
{
	if (world_asleep() == WORKERS && rig.met && !rig.ends &&
	    !world_pass_time(2 * TRI_WATCH_NS))
		return false;
	if (!rig.met && !world_pass_time(INT64_MAX / 2))
		sched_fail("nothing more will happen");
	if (++rig.naps > PASSES)
		sched_fail("it does not come to its end");
	return true;
}

/* Each index of a table is free, once, but for `used` of them. */
static void
check_table(struct tri_table *t, struct tri_cache *cache[], unsigned n,
    uint32_t used)
{
	static uint8_t is_free[RECORDS_SEEN];
	uint32_t limit = t->limit, count = t->n_freed;

	SCHED_CHECK(limit <= RECORDS_SEEN);
	memset(is_free, 0, limit);
	for (uint32_t i = 0; i < t->n_freed; i++)
		is_free[t->freed[i]]++;
	for (unsigned k = 0; k < n; k++) {
		for (uint32_t i = 0; i < cache[k]->n; i++)
			is_free[cache[k]->index[i]]++;
		count += cache[k]->n;
	}
	for (uint32_t i = 0; i < limit; i++)
		if (is_free[i] > 1)
			sched_fail("index %u is free twice", i);
	if (count + used != limit)
		sched_fail("%u are in use, not %u", limit - count, used);
}

static void
check_tables(void)
{
	struct tri_cache *records[WORKERS + 1], *slots[WORKERS + 1];

	for (unsigned i = 0; i < WORKERS; i++) {
		/* A worker that sleeps does this when it polls again. */
		tri_record_disarm_gone(tri_crew_at(rig.sys, i));
		records[i] = &tri_crew_at(rig.sys, i)->desk.records;
		slots[i] = &tri_crew_at(rig.sys, i)->desk.slots;
	}
	records[WORKERS] = &rig.sys->foreign.records;
	slots[WORKERS] = &rig.sys->foreign.slots;
	check_table(&rig.sys->records, records, WORKERS + 1, 0);
	check_table(&rig.sys->actors, slots, WORKERS + 1, rig.alive);
}

uint64_t
players_check(void)
{
	struct tr_stats stats;
	uint64_t dead = 0;

	SCHED_CHECK(tr_stats(rig.sys, &stats) == TR_OK);
	for (unsigned i = 0; i < TR_DEAD_REASONS; i++)
		dead += stats.dead[i];
	if (stats.sent != stats.handled + dead)
		sched_fail("%u sent, %u handled, %u dead", (unsigned)stats.sent,
		    (unsigned)stats.handled, (unsigned)dead);
	SCHED_CHECK(stats.actors == rig.alive);
	SCHED_CHECK(tri_budget_live(rig.sys) == 0);
	check_tables();
	return sched_mix(rig.history, dead);
}
