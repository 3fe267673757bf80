/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine: who takes the next step, what time it is, which faults strike.
 *
 * A step is one step of a worker (tri_worker_step), or the begin or end of a
 * blocking call.  A worker whose sleep goes on can take one only when its loop
 * has a reason to.  When nobody can, time jumps to the next thing that happens
 * by itself.
 *
 * Each step takes some virtual time, so deadlines pass while there is work.
 * The random numbers are splitmix64's, one sequence for all that is drawn.
 */
#include "sim/sim.h"

#include <string.h>

enum {
	STEP_NS = 4000, /* a step takes up to that */
	SLOW_NS = 50000000, /* a slow one */
	PCT_STEPS = 3000, /* in which the priorities change */
	JUMP_NS = 2000000000, /* of the wall clock, up to that */
};

/* -------------------------------------------------------------- chance --- */

uint64_t
sim_random(struct tr_sim *sim)
{
	uint64_t z = sim->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

uint64_t
sim_below(struct tr_sim *sim, uint64_t below)
{
	return sim_random(sim) % below;
}

void
sim_mix(struct tr_sim *sim, uint64_t value)
{
	/* FNV-1a over whole words, and a shift for the upper bits. */
	sim->hash = (sim->hash ^ value) * UINT64_C(0x100000001b3);
	sim->hash ^= sim->hash >> 29;
}

/* ------------------------------------------------------------- faults --- */

static struct sim_fault *
fault_of(struct tr_sim *sim, enum tr_fault fault)
{
	return &sim->fault[__builtin_ctz((unsigned)fault)];
}

bool
sim_strikes(struct tr_sim *sim, enum tr_fault fault)
{
	const struct sim_fault *f = fault_of(sim, fault);

	if (!f->active || (sim->allowed & (unsigned)fault) == 0 ||
	    sim_below(sim, 1000000) >= f->per_million)
		return false;
	sim->result->faults++;
	return true;
}

void
sim_set_faults(struct tr_sim *sim, unsigned faults)
{
	if (sim->options->faults != 0)
		faults &= sim->options->faults;
	sim->allowed = faults;
}

/* Which faults this seed has, and how often. */
static void
faults_draw(struct tr_sim *sim)
{
	/* Per million of what could go wrong; upper limits. */
	static const uint32_t most[6] = { 250000, 250000, 20000, 3000, 20000,
		250000 };
	unsigned i;

	for (i = 0; i < 6; i++) {
		sim->fault[i].active = sim_below(sim, 2) == 0;
		sim->fault[i].per_million =
		    (uint32_t)sim_below(sim, most[i]) + 1;
		if (sim->fault[i].active)
			sim->result->active |= 1u << i;
	}
}

/* ----------------------------------------------------------- choosing --- */

static struct tri_worker *
worker_at(struct tr_sim *sim, unsigned i)
{
	return tri_sched_worker(&sim->sys->sched, i);
}

static bool
worker_can_step(struct tr_sim *sim, unsigned i)
{
	struct tri_worker *w = worker_at(sim, i);

	return !sim->ended[i] &&
	    (!w->asleep || sim_loop_is_ready(w->loop, sim->now));
}

static unsigned
choose_random(struct tr_sim *sim, unsigned can)
{
	unsigned n =
	    (unsigned)sim_below(sim, (uint64_t)__builtin_popcount(can));

	while (n-- > 0)
		can &= can - 1;
	return (unsigned)__builtin_ctz(can);
}

static unsigned
choose_by_priority(struct tr_sim *sim, unsigned can)
{
	unsigned best = (unsigned)__builtin_ctz(can), i;

	for (i = 0; i < sim->workers; i++)
		if ((can & 1u << i) != 0 &&
		    sim->priority[i] > sim->priority[best])
			best = i;
	for (i = 0; i < SIM_CHANGES; i++)
		if (sim->change[i] == sim->steps)
			sim->priority[best] = i; /* below all drawn ones */
	/* One that only waits must not keep the others waiting for ever. */
	if (sim->steps % 64 == 63)
		sim->priority[best] =
		    SIM_CHANGES + (uint32_t)sim_below(sim, 1000);
	return best;
}

static unsigned
choose_in_turn(struct tr_sim *sim, unsigned can)
{
	do
		sim->turn = (sim->turn + 1) % sim->workers;
	while ((can & 1u << sim->turn) == 0);
	return sim->turn;
}

static unsigned
choose(struct tr_sim *sim, unsigned can)
{
	switch (sim->strategy) {
	case TR_SIM_PCT: return choose_by_priority(sim, can);
	case TR_SIM_ROUND_ROBIN: return choose_in_turn(sim, can);
	case TR_SIM_ANY:
	case TR_SIM_RANDOM: break;
	}
	return choose_random(sim, can);
}

/* -------------------------------------------------------------- faults -- */

/* Somebody gets up for nothing. */
static void
disturb(struct tr_sim *sim)
{
	unsigned i = (unsigned)sim_below(sim, sim->workers);

	if (worker_at(sim, i)->asleep)
		worker_at(sim, i)->loop->spurious = true;
}

static void
strike(struct tr_sim *sim)
{
	if (sim_strikes(sim, TR_FAULT_KILL)) {
		tr_ref victim = sim_oracle_victim(sim);

		if (tr_ref_valid(victim)) {
			sim_trace(sim, "fault: kill %08x.%u",
			    tri_ref_generation(victim), tri_ref_slot(victim));
			sim_agent_kill(sim, victim);
		}
	}
	if (sim_strikes(sim, TR_FAULT_SLOW)) {
		sim->now += (int64_t)sim_below(sim, SLOW_NS);
		sim_trace(sim, "fault: slow");
	}
	if (sim_strikes(sim, TR_FAULT_WAKE))
		disturb(sim);
	if (sim_strikes(sim, TR_FAULT_CLOCK)) {
		int64_t at = sim_next_event(sim);

		sim->wall += (int64_t)sim_below(sim, JUMP_NS) - JUMP_NS / 2;
		/* The worst moment for a timer: now, before anything else. */
		if (at != INT64_MAX && at > sim->now &&
		    at - sim->now < TR_SECONDS(1))
			sim->now = at;
	}
}

/* --------------------------------------------------------------- steps -- */

static const char *
phase_name(enum tri_phase phase)
{
	switch (phase) {
	case TRI_RUN: return "run";
	case TRI_SEARCH: return "search";
	case TRI_PARK: return "park";
	case TRI_ENDED: break;
	}
	return "ended";
}

static void
step_worker(struct tr_sim *sim, unsigned i)
{
	struct tri_worker *w = worker_at(sim, i);
	enum tri_phase before = w->phase;
	bool slept = w->asleep, more;

	sim_mix(sim, (uint64_t)i << 8 | (unsigned)before);
	tri_worker_here = w;
	more = tri_worker_step(w);
	tri_worker_here = NULL;
	if (!slept || !w->asleep)
		sim_trace(sim, "worker %u: %s", i,
		    w->asleep              ? "sleeps" :
			slept              ? "gets up" :
			before == TRI_PARK ? "looks once more" :
					     phase_name(before));
	if (!more) {
		tri_worker_end(w);
		sim->ended[i] = true;
	}
	sim_mix(sim, (uint64_t)sim->now);
}

/* Workers that can take a step, as bits. */
static unsigned
who_can(struct tr_sim *sim)
{
	unsigned can = 0, i;

	for (i = 0; i < sim->workers; i++)
		if (worker_can_step(sim, i))
			can |= 1u << i;
	return can;
}

int64_t
sim_next_event(struct tr_sim *sim)
{
	int64_t at = sim_jobs_next(sim);
	unsigned i;

	for (i = 0; i < sim->workers; i++) {
		struct tri_worker *w = worker_at(sim, i);

		if (!sim->ended[i] && w->asleep && sim_loop_next(w->loop) < at)
			at = sim_loop_next(w->loop);
	}
	return at;
}

bool
sim_step(struct tr_sim *sim, int64_t until)
{
	unsigned can;
	int64_t at;

	if (++sim->steps > sim->max_steps)
		sim_fail(sim, "it does not end: %llu steps",
		    (unsigned long long)sim->max_steps);
	strike(sim);
	if (sim_jobs_work(sim)) {
		sim_mix(sim, 0xb10cc);
		return true;
	}
	can = who_can(sim);
	if (can != 0) {
		sim->now += (int64_t)sim_below(sim, STEP_NS);
		step_worker(sim, choose(sim, can));
		return true;
	}
	sim_oracle_asleep(sim);
	at = sim_next_event(sim);
	if (at > until) {
		if (until != INT64_MAX && until > sim->now)
			sim->now = until;
		return false;
	}
	if (at > sim->now)
		sim->now = at;
	return true;
}

void
sim_engine_init(struct tr_sim *sim)
{
	static const uint32_t batches[] = { 1, 2, 16, 128 };
	static const unsigned rings[] = { 2, 4, 256, 256 };
	unsigned i;

	sim->random = sim->seed * UINT64_C(0x2545f4914f6cdd1d) + 1;
	(void)sim_random(sim);
	sim->workers = sim->options->workers != 0 ?
	    sim->options->workers :
	    1 + (unsigned)sim_below(sim, SIM_WORKERS);
	sim->strategy = sim->options->strategy != TR_SIM_ANY ?
	    sim->options->strategy :
	    (enum tr_sim_strategy)(1 + sim_below(sim, 3));
	sim->max_steps =
	    sim->options->max_steps != 0 ? sim->options->max_steps : 5000000;
	sim->env.batch = batches[sim_below(sim, 4)];
	sim->env.ring = rings[sim_below(sim, 4)];
	for (i = 0; i < SIM_WORKERS; i++)
		sim->priority[i] = SIM_CHANGES + (uint32_t)sim_below(sim, 1000);
	for (i = 0; i < SIM_CHANGES; i++)
		sim->change[i] = sim_below(sim, PCT_STEPS);
	faults_draw(sim);
	sim->result->workers = sim->workers;
	sim->result->strategy = sim->strategy;
}
