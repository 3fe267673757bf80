/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The simulation's parts, and what they share.
 *
 *     world.c   the environment behind the seam: clocks, loops
 *     memory.c  its memory
 *     jobs.c    its pool for blocking calls
 *     chance.c  random numbers, the hash, faults by site
 *     engine.c  who takes the next step; time
 *     oracle.c  what must be true of every event
 *     bonds.c   the same for monitors and links
 *     map.c     the oracles' tables
 *     walk.c    what must be true between two steps: queues, wheels
 *     show.c    events as text
 *     run.c     a run from its seed to its end; the scenario's functions
 *     probe.c   actors that the scenario speaks for
 *     main.c    many seeds, as a program
 *
 * Everything runs on one thread.  Whatever goes wrong ends in sim_fail(),
 * which leaves the scenario by a jump to run.c.
 */
#ifndef TROUPE_SIM_SIM_H
#define TROUPE_SIM_SIM_H

#include <setjmp.h>

#include <troupe/sim.h>

#include "actors/apart.h"

enum {
	SIM_WORKERS = 8,
	SIM_RUNNING = 256, /* jobs */
	SIM_SIGNALS = 65,
	SIM_CHANGES = 8, /* of priorities, in PCT */
	SIM_SITES = 48, /* of faults */
	SIM_SLABS = 64, /* kept */
};

/* A worker's event loop. */
struct tri_loop {
	struct tr_sim *sim;
	bool open;
	bool woken;
	bool spurious; /* it gets up for nothing */
	int64_t wake_at; /* a wake-up under way; INT64_MAX: none */
	int64_t alarm;
	int64_t deadline; /* of the sleep that goes on */
	uint64_t raised; /* signals */
	struct {
		void (*fn)(void *arg, int signo);
		void *arg;
	} signal[SIM_SIGNALS];
};

struct sim_running {
	struct tri_job *job;
	int64_t done_at;
};

struct tri_jobs {
	struct tr_sim *sim;
	unsigned threads, limit;
	struct tri_job *first, *last;
	unsigned queued, running;
	bool closed;
	struct sim_running run[SIM_RUNNING];
};

/* A block of memory, before its first byte. */
struct sim_block {
	struct sim_block *prev, *next;
	void *raw;
	size_t size;
};

/* A range of addresses. */
struct sim_range {
	struct sim_range *next;
	void *p;
	size_t size;
};

/* Where a fault may strike: whether this seed has it, how often it does, and
 * how often it could have and has. */
struct sim_site {
	const char *name; /* static */
	enum tr_fault fault;
	bool active;
	uint32_t per_million;
	uint64_t asked, struck;
};

/* An open hash table: key to value; 0 is no key. */
struct sim_map {
	uint64_t *slot; /* pairs */
	size_t size, used;
};

struct sim_oracle {
	struct tri_trace trace;
	struct sim_map flying; /* message -> number of `flight` + 1 */
	struct sim_map pairs; /* sender, receiver -> last number taken */
	struct sim_map asks; /* ask -> asker's slot + 1 */
	struct sim_map actors; /* ref -> serial number, then SIM_STOPPING */
	struct sim_map drops; /* message -> 1 */
	struct flight *flight;
	size_t flights, free_flight;
	uint64_t sent, spawned;
	unsigned char *queued; /* by slot, of one walk */
	size_t slots;
	const struct tri_name *stale_name; /* of one walk */
	/* With a trace only: ref -> serial number, behaviour by that. */
	struct sim_map labels;
	struct sim_label {
		const struct tr_behavior *behavior;
	} * label;
	size_t label_room;
};

struct sim_bonds {
	struct sim_map watches; /* monitor -> number of `watch` + 1 */
	struct sim_map ties; /* side of a link -> number of `tie` + 1 */
	struct sim_map reasons; /* actor, what it died of -> 1 */
	struct watch *watch;
	struct tie *tie;
	size_t watch_room, tie_room;
};

enum { SIM_STOPPING = 1 }; /* the lowest bit: stop() was called */

struct tr_probe;

struct tr_sim {
	struct tri_env env; /* first */
	const struct tr_sim_options *options;
	uint64_t seed, random;
	struct tr_sim_result *result;
	jmp_buf failed;
	bool stepping; /* inside of a step: the scenario does not run */

	/* world.c */
	int64_t now, wall;
	uint64_t read; /* clock reads, which cost time */
	struct sim_block blocks; /* a ring */
	struct sim_block own; /* the simulation's, of this run */
	const char *purpose; /* of the next allocation */
	struct sim_range *ranges;
	size_t live;
	unsigned fail_next;
	struct tri_loop loop[SIM_WORKERS];
	unsigned loops;
	struct tri_jobs *jobs;
	struct sim_cache *cache;

	/* engine.c */
	struct tr_system *sys;
	unsigned workers;
	enum tr_sim_strategy strategy;
	bool ended[SIM_WORKERS];
	int64_t preempted[SIM_WORKERS]; /* until then */
	unsigned turn; /* round robin */
	/* PCT; the last one is the pool for blocking calls. */
	uint32_t priority[SIM_WORKERS + 1];
	uint32_t waited[SIM_WORKERS + 1]; /* steps that it could have taken */
	uint32_t patience;
	unsigned changes;
	uint64_t change[SIM_CHANGES]; /* steps */
	uint64_t steps;
	uint64_t max_steps;
	uint64_t next_walk; /* step */

	/* chance.c */
	uint64_t hash;
	unsigned allowed, ever_allowed;
	struct sim_site site[SIM_SITES];
	unsigned sites;

	struct sim_oracle oracle;
	struct sim_bonds bonds;

	/* probe.c */
	struct tr_probe *probes;
	struct tr_probe *agent;
};

/* What is kept from run to run: blocks of slab size, which faults struck. */
struct sim_cache {
	void *slab[SIM_SLABS];
	unsigned n;
	unsigned runs;
	struct sim_site site[SIM_SITES];
	unsigned sites;
};

static inline struct tr_sim *
sim_of_env(struct tri_env *env)
{
	return (struct tr_sim *)(void *)env;
}

/* world.c */
void sim_world_init(struct tr_sim *sim);
/* The loop may end its sleep now. */
bool sim_loop_is_ready(const struct tri_loop *loop, int64_t now);
/* When it may by itself; INT64_MAX: never. */
int64_t sim_loop_next(const struct tri_loop *loop);

/* memory.c */
void sim_memory_init(struct tr_sim *sim);
/* What a failed run left behind. */
void sim_memory_fini(struct tr_sim *sim);
void sim_cache_fini(struct sim_cache *cache);
/* Memory of the simulation itself, no part of the simulated one; freed with
 * the run. */
void *sim_own(struct tr_sim *sim, size_t size);
void sim_own_free(struct tr_sim *sim, void *p);

/* jobs.c */
void sim_jobs_init(struct tr_sim *sim);
/* A blocking call can begin or end. */
bool sim_jobs_can(const struct tr_sim *sim);
void sim_jobs_step(struct tr_sim *sim);
int64_t sim_jobs_next(const struct tr_sim *sim);

/* chance.c */
uint64_t sim_random(struct tr_sim *sim);
uint64_t sim_below(struct tr_sim *sim, uint64_t below);
void sim_mix(struct tr_sim *sim, uint64_t value);
/* `site` is a string that stays where it is. */
bool sim_strikes(struct tr_sim *sim, enum tr_fault fault, const char *site);
void sim_set_faults(struct tr_sim *sim, unsigned faults);
/* Which kinds this seed has. */
void sim_faults_draw(struct tr_sim *sim);
/* Add this run's counts to those of all. */
void sim_sites_keep(const struct tr_sim *sim);
/* Every site there is, for reports: NULL at the end. */
const char *sim_site_name(unsigned i, enum tr_fault *fault);
const char *sim_fault_names(unsigned faults, char *text, size_t room);
const char *sim_strategy_name(enum tr_sim_strategy strategy);

/* engine.c */
void sim_engine_init(struct tr_sim *sim);
/* One step of somebody.  false: nobody can go on before `until`; the time is
 * `until` then, or, if nothing will ever happen, as it was. */
bool sim_step(struct tr_sim *sim, int64_t until);
/* Something will happen by itself. */
int64_t sim_next_event(struct tr_sim *sim);

/* map.c */
/* 0: it has none. */
uint64_t sim_map_get(const struct sim_map *m, uint64_t key);
void sim_map_set(struct sim_map *m, uint64_t key, uint64_t value);
/* Returns what it had. */
uint64_t sim_map_remove(struct sim_map *m, uint64_t key);
/* Machine memory, zeroed; never NULL. */
void *sim_grow(void *p, size_t had, size_t wanted);

/* walk.c */
/* Words, wheels and mailboxes agree with each other; nobody runs now. */
void sim_walk(struct tr_sim *sim);

/* show.c */
void sim_show(struct tr_sim *sim, enum tri_event event, tr_ref ref,
    const struct tr_msg *m, uint64_t value, int code);
/* An actor as text, into `text`. */
const char *sim_actor_name(struct tr_sim *sim, tr_ref ref, char *text,
    size_t room);

/* oracle.c */
void sim_oracle_init(struct tr_sim *sim);
void sim_oracle_fini(struct tr_sim *sim);
/* Nothing is under way. */
void sim_oracle_at_rest(struct tr_sim *sim);
void sim_oracle_at_end(struct tr_sim *sim);
/* A random actor that lives and is no probe, or TR_REF_NONE. */
tr_ref sim_oracle_victim(struct tr_sim *sim);
/* The running actor, which sends; none: TR_REF_NONE. */
tr_ref sim_who_sends(void);
/* Of all actors of the run, in the order of spawning, from 1; 0: unknown. */
uint64_t sim_serial(const struct tr_sim *sim, tr_ref ref);
/* No worker sleeps over work. */
void sim_oracle_asleep(struct tr_sim *sim);

/* bonds.c */
void sim_bonds_seen(struct tr_sim *sim, enum tri_event event, tr_ref ref,
    uint64_t value, int code);
/* An actor dies of that. */
void sim_bonds_died(struct tr_sim *sim, tr_ref ref, int code);
void sim_bonds_at_rest(struct tr_sim *sim);
void sim_bonds_at_end(struct tr_sim *sim);
void sim_bonds_fini(struct tr_sim *sim);

/* probe.c */
/* The scenario's own hand: no fault strikes between the two. */
struct sim_calm {
	unsigned allowed, fail_next;
};
struct sim_calm sim_calm_begin(struct tr_sim *sim);
void sim_calm_end(struct tr_sim *sim, struct sim_calm calm);

bool sim_probe_is(const struct tr_sim *sim, tr_ref ref);
void sim_agent_kill(struct tr_sim *sim, tr_ref victim);

/* run.c */
void sim_fail(struct tr_sim *sim, const char *format, ...)
    __attribute__((noreturn, cold, format(printf, 2, 3)));
void sim_trace(struct tr_sim *sim, const char *format, ...)
    __attribute__((cold, format(printf, 2, 3)));
bool sim_options_are_valid(const struct tr_sim_options *o);
int sim_run_once(uint64_t seed, const struct tr_sim_options *options,
    tr_sim_fn *fn, void *arg, struct tr_sim_result *result,
    struct sim_cache *cache);

#endif
