/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chance: random numbers, the hash of what happened, faults by site.
 *
 * The random numbers are splitmix64's, one sequence for all that is drawn while
 * a run goes on.
 *
 * A fault strikes at a site, which has a name ("large block", "wake late").
 * Which kinds of faults a seed has is drawn at its beginning.  Whether it has
 * one site of such a kind, and how often it strikes there, depends on the seed
 * and the site's name alone, so a site that is added or asked earlier changes
 * nothing for the others ("BUGGIFY", FoundationDB: Zhou et al., SIGMOD 2021,
 * section 4.2).
 */
#include "sim/sim.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	enum tr_fault fault;
} known_sites[] = {
	{ "slab", TR_FAULT_NOMEM },
	{ "large block", TR_FAULT_NOMEM },
	{ "table", TR_FAULT_NOMEM },
	{ "name", TR_FAULT_NOMEM },
	{ "shard growth", TR_FAULT_NOMEM },
	{ "group", TR_FAULT_NOMEM },
	{ "group seats", TR_FAULT_NOMEM },
	{ "group membership", TR_FAULT_NOMEM },
	{ "group members", TR_FAULT_NOMEM },
	{ "router plan", TR_FAULT_NOMEM },
	{ "router list", TR_FAULT_NOMEM },
	{ "supervisor", TR_FAULT_NOMEM },
	{ "supervisor answer", TR_FAULT_NOMEM },
	{ "supervisor argument", TR_FAULT_NOMEM },
	{ "supervisor child", TR_FAULT_NOMEM },
	{ "supervisor description", TR_FAULT_NOMEM },
	{ "supervisor growth", TR_FAULT_NOMEM },
	{ "supervisor request", TR_FAULT_NOMEM },
	{ "supervisor window", TR_FAULT_NOMEM },
	{ "supervisor wish", TR_FAULT_NOMEM },
	{ "links growth", TR_FAULT_NOMEM },
	{ "blob", TR_FAULT_NOMEM },
	{ "signal route", TR_FAULT_NOMEM },
	{ "dump names", TR_FAULT_NOMEM },
	{ "dump text", TR_FAULT_NOMEM },
	{ "wake late", TR_FAULT_WAKE },
	{ "wake for nothing", TR_FAULT_WAKE },
	{ "slow step", TR_FAULT_SLOW },
	{ "preempted", TR_FAULT_SLOW },
	{ "kill", TR_FAULT_KILL },
	{ "clock jumps", TR_FAULT_CLOCK },
	{ "timer first", TR_FAULT_CLOCK },
	{ "job late", TR_FAULT_JOBS },
	{ "job pool full", TR_FAULT_JOBS },
};

enum { KNOWN = sizeof(known_sites) / sizeof(known_sites[0]) };

static uint64_t
scramble(uint64_t z)
{
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

uint64_t
sim_random(struct tr_sim *sim)
{
	return scramble(sim->random += UINT64_C(0x9e3779b97f4a7c15));
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

/* -------------------------------------------------------------- sites --- */

/* Upper limits of how often, per million of what could go wrong. */
static uint32_t
fault_most(enum tr_fault fault)
{
	switch (fault) {
	case TR_FAULT_NOMEM:
	case TR_FAULT_WAKE:
	case TR_FAULT_JOBS: return 250000;
	case TR_FAULT_SLOW: return 60000;
	case TR_FAULT_CLOCK: return 20000;
	case TR_FAULT_KILL: return 3000;
	case TR_FAULT_NONE:
	case TR_FAULT_ALL: break;
	}
	return 1;
}

static struct sim_site *
site_find(struct sim_site *site, unsigned sites, const char *name)
{
	unsigned i;

	for (i = 0; i < sites; i++)
		if (site[i].name == name || strcmp(site[i].name, name) == 0)
			return &site[i];
	return NULL;
}

/* A site's first time in a run. */
static struct sim_site *
site_new(struct tr_sim *sim, enum tr_fault fault, const char *name)
{
	struct sim_site *s = &sim->site[sim->sites];
	uint64_t h = sim->seed;
	const char *p;

	if (sim->sites == SIM_SITES)
		return NULL;
	sim->sites++;
	for (p = name; *p != '\0'; p++)
		h = scramble(h + (unsigned char)*p);
	*s = (struct sim_site){
		.name = name,
		.fault = fault,
		/* Of these there is only one. */
		.active = fault == TR_FAULT_SLOW || fault == TR_FAULT_KILL ||
		    (h & 1) == 0,
		.per_million = (uint32_t)(scramble(h) % fault_most(fault)) + 1,
	};
	return s;
}

bool
sim_strikes(struct tr_sim *sim, enum tr_fault fault, const char *name)
{
	struct sim_site *s;

	if ((sim->allowed & sim->result->active & (unsigned)fault) == 0)
		return false;
	s = site_find(sim->site, sim->sites, name);
	if (s == NULL)
		s = site_new(sim, fault, name);
	if (s == NULL)
		return false;
	s->asked++;
	if (!s->active || sim_below(sim, 1000000) >= s->per_million)
		return false;
	s->struck++;
	sim->result->faults++;
	sim_trace(sim, "fault: %s", name);
	return true;
}

void
sim_set_faults(struct tr_sim *sim, unsigned faults)
{
	if (sim->options->faults != 0)
		faults &= sim->options->faults;
	sim->allowed = faults & TR_FAULT_ALL;
	sim->ever_allowed |= sim->allowed;
}

void
sim_faults_draw(struct tr_sim *sim)
{
	unsigned drawn = (unsigned)sim_below(sim, TR_FAULT_ALL + 1);

	sim->result->active = drawn;
	if (sim->options->faults != 0)
		sim->result->active &= sim->options->faults;
}

/* ------------------------------------------------------------ reports --- */

void
sim_sites_keep(const struct tr_sim *sim)
{
	struct sim_cache *all = sim->cache;
	unsigned i;

	for (i = 0; i < sim->sites; i++) {
		const struct sim_site *s = &sim->site[i];
		struct sim_site *t = site_find(all->site, all->sites, s->name);

		if (t == NULL) {
			t = &all->site[all->sites++];
			*t = (struct sim_site){ .name = s->name };
		}
		t->asked += s->asked;
		t->struck += s->struck;
	}
}

const char *
sim_site_name(unsigned i, enum tr_fault *fault)
{
	if (i >= KNOWN)
		return NULL;
	*fault = known_sites[i].fault;
	return known_sites[i].name;
}

const char *
sim_fault_names(unsigned faults, char *text, size_t room)
{
	static const char *const names[] = { "memory", "wake", "slow", "kill",
		"clock", "jobs" };
	size_t used = 0;
	unsigned i;

	snprintf(text, room, "none");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if ((faults & 1u << i) != 0 && used < room)
			used += (size_t)snprintf(text + used, room - used,
			    "%s%s", used == 0 ? "" : ", ", names[i]);
	return text;
}

const char *
sim_strategy_name(enum tr_sim_strategy strategy)
{
	static const char *const names[] = { "any", "random", "pct",
		"round-robin" };

	return names[strategy];
}
