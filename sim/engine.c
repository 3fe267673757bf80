/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine: who takes the next step, and what time it is.
 *
 * A step is one step of a worker (tri_worker_step), or one of the pool: a
 * blocking call begins or ends.  A worker whose sleep goes on can take one only
 * when its loop has a reason to.  When nobody can, time jumps to the next thing
 * that happens by itself.
 *
 * Each step takes some virtual time, so deadlines pass while there is work.
 *
 * PCT gives each a priority, and takes it away from whoever is first at d
 * moments, drawn among the k steps that a run has.  Pure, it would let one that
 * always has something to do go on for ever; so who could go on and was passed
 * over for some number of steps, drawn for each seed, gets one step.
 */
#include "sim/sim.h"

#include <string.h>

enum {
	STEP_NS = 4000, /* a step takes up to that */
	SLOW_NS = 50000000, /* a slow one */
	WALK_STEPS = 16, /* between two walks, at least */
	JUMP_NS = 2000000000, /* of the wall clock, up to that */
};

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

	return !sim->ended[i] && sim->preempted[i] <= sim->now &&
	    (!w->asleep || sim_loop_is_ready(w->loop, sim->now));
}

/* The pool for blocking calls is one more, behind the workers. */
static unsigned
everybody(const struct tr_sim *sim)
{
	return sim->workers + 1;
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

/* Whoever was passed over too often; else the first by priority. */
static unsigned
first_by_priority(struct tr_sim *sim, unsigned can)
{
	unsigned best = (unsigned)__builtin_ctz(can), i;

	for (i = 0; i < everybody(sim); i++) {
		if ((can & 1u << i) == 0)
			continue;
		if (++sim->waited[i] > sim->patience)
			return i;
		if (sim->priority[i] > sim->priority[best])
			best = i;
	}
	return best;
}

static unsigned
choose_by_priority(struct tr_sim *sim, unsigned can)
{
	unsigned best = first_by_priority(sim, can), i;

	for (i = 0; i < sim->changes; i++)
		if (sim->change[i] == sim->steps) {
			sim->priority[best] = i; /* below all drawn ones */
			best = first_by_priority(sim, can);
		}
	sim->waited[best] = 0;
	return best;
}

static unsigned
choose_in_turn(struct tr_sim *sim, unsigned can)
{
	do
		sim->turn = (sim->turn + 1) % everybody(sim);
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

/* A worker's thread has no cpu for a while. */
static void
preempt(struct tr_sim *sim)
{
	unsigned i = (unsigned)sim_below(sim, sim->workers);

	sim->preempted[i] = sim->now + (int64_t)sim_below(sim, SLOW_NS);
}

static void
strike_kill(struct tr_sim *sim)
{
	tr_ref victim = sim_oracle_victim(sim);
	char name[96];

	if (!tr_ref_valid(victim))
		return;
	if (sim->options->trace != NULL)
		sim_trace(sim, "  the victim is %s",
		    sim_actor_name(sim, victim, name, sizeof(name)));
	sim_agent_kill(sim, victim);
}

/* The worst moment for a timer: now, before anything else. */
static void
strike_timer(struct tr_sim *sim)
{
	int64_t at = sim_next_event(sim);

	if (at != INT64_MAX && at > sim->now && at - sim->now < TR_SECONDS(1))
		sim->now = at;
}

static void
strike(struct tr_sim *sim)
{
	if (sim->allowed == 0)
		return;
	if (sim_strikes(sim, TR_FAULT_KILL, "kill"))
		strike_kill(sim);
	if (sim_strikes(sim, TR_FAULT_SLOW, "slow step"))
		sim->now += (int64_t)sim_below(sim, SLOW_NS);
	if (sim_strikes(sim, TR_FAULT_SLOW, "preempted"))
		preempt(sim);
	if (sim_strikes(sim, TR_FAULT_WAKE, "wake for nothing"))
		disturb(sim);
	if (sim_strikes(sim, TR_FAULT_CLOCK, "clock jumps"))
		sim->wall += (int64_t)sim_below(sim, JUMP_NS) - JUMP_NS / 2;
	if (sim_strikes(sim, TR_FAULT_CLOCK, "timer first"))
		strike_timer(sim);
}

/* --------------------------------------------------------------- steps -- */

/* What a worker that was about to sleep, or slept, has done; NULL: it sleeps
 * on. */
static const char *
parked_word(bool slept, bool sleeps)
{
	if (sleeps)
		return slept ? NULL : "goes to sleep";
	return slept ? "gets up" : "does not sleep yet";
}

static void
step_worker(struct tr_sim *sim, unsigned i)
{
	struct tri_worker *w = worker_at(sim, i);
	enum tri_phase before = w->phase;
	bool slept = w->asleep, more;

	if (before != TRI_PARK)
		sim_trace(sim, "worker %u %s", i,
		    before == TRI_SEARCH ? "looks for work" : "runs");
	tri_worker_here = w;
	more = tri_worker_step(w);
	tri_worker_here = NULL;
	if (before == TRI_PARK && parked_word(slept, w->asleep) != NULL)
		sim_trace(sim, "worker %u %s", i,
		    parked_word(slept, w->asleep));
	if (!more) {
		tri_worker_end(w);
		sim->ended[i] = true;
	}
}

static void
step(struct tr_sim *sim, unsigned i)
{
	sim_mix(sim, i);
	sim->stepping = true;
	sim->now += (int64_t)sim_below(sim, STEP_NS);
	if (i == sim->workers)
		sim_jobs_step(sim);
	else
		step_worker(sim, i);
	sim->stepping = false;
	sim_mix(sim, (uint64_t)sim->now);
	if (sim->steps >= sim->next_walk) {
		sim_walk(sim);
		/* Never dearer than the steps themselves. */
		sim->next_walk = sim->steps + WALK_STEPS +
		    tri_load_relaxed(&sim->sys->actors.limit) / 16;
	}
}

/* Workers that can take a step, as bits. */
static unsigned
who_can(struct tr_sim *sim)
{
	unsigned can = 0, i;

	for (i = 0; i < sim->workers; i++)
		if (worker_can_step(sim, i))
			can |= 1u << i;
	if (sim_jobs_can(sim))
		can |= 1u << sim->workers;
	return can;
}

/* When something happens that lets it take a step. */
static int64_t
worker_next_event(struct tr_sim *sim, unsigned i)
{
	struct tri_worker *w = worker_at(sim, i);
	int64_t at = sim->preempted[i];

	if (sim->ended[i])
		return INT64_MAX;
	if (at > sim->now &&
	    (!w->asleep || sim_loop_is_ready(w->loop, sim->now)))
		return at;
	if (!w->asleep)
		return INT64_MAX;
	return sim_loop_next(w->loop) > at ? sim_loop_next(w->loop) : at;
}

int64_t
sim_next_event(struct tr_sim *sim)
{
	int64_t at = sim_jobs_next(sim);
	unsigned i;

	for (i = 0; i < sim->workers; i++) {
		int64_t its = worker_next_event(sim, i);

		if (its < at)
			at = its;
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
	if (sim->stepping)
		sim_fail(sim, "the scenario's functions are not for actors");
	strike(sim);
	can = who_can(sim);
	if (can != 0) {
		step(sim, choose(sim, can));
		return true;
	}
	sim_walk(sim);
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

/*
 * k, the steps in which the priorities change: as many as the scenario is known
 * to take, or else anything between 64 and half a million, small ones as often
 * as large ones.
 */
static void
pct_draw(struct tr_sim *sim)
{
	uint64_t length = sim->options->length;
	unsigned i;

	if (length == 0)
		length = (uint64_t)64 << sim_below(sim, 14);
	sim->patience = 32u << 3 * sim_below(sim, 3);
	sim->changes = 1 + (unsigned)sim_below(sim, SIM_CHANGES);
	for (i = 0; i <= SIM_WORKERS; i++)
		sim->priority[i] = SIM_CHANGES + (uint32_t)sim_below(sim, 1000);
	for (i = 0; i < sim->changes; i++)
		sim->change[i] = 1 + sim_below(sim, length);
}

void
sim_engine_init(struct tr_sim *sim)
{
	static const uint32_t batches[] = { 1, 2, 16, 128 };
	static const unsigned rings[] = { 2, 4, 256, 256 };
	/* Words that a worker keeps. */
	static const unsigned kept[] = { 1, 4, 128, 128 };
	/* Whether and how soon workers step aside. */
	static const int64_t windows[] = { 0, 1, 20000, INT64_MAX };

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
	sim->env.kept = kept[sim_below(sim, 4)];
	sim->env.throttle_ns = windows[sim_below(sim, 4)];
	sim->env.eager = sim_below(sim, 2) != 0;
	pct_draw(sim);
	sim_faults_draw(sim);
	sim->result->workers = sim->workers;
	sim->result->strategy = sim->strategy;
}
