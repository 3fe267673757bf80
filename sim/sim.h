/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The simulation's parts, and what they share.
 *
 *     world.c   the environment behind the seam: clocks, memory, loops, jobs
 *     engine.c  who takes the next step; time; faults
 *     oracle.c  what must be true of every event
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

#include "actors/system.h"

enum {
	SIM_WORKERS = 8,
	SIM_RUNNING = 256, /* jobs */
	SIM_SIGNALS = 65,
	SIM_CHANGES = 4, /* of priorities, in PCT */
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

/* A fault: whether this seed has it, and how often it strikes. */
struct sim_fault {
	bool active;
	uint32_t per_million;
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
	struct sim_map actors; /* ref -> 1: lives, 2: stop() was called */
	struct sim_map drops; /* message -> 1 */
	struct flight *flight;
	size_t flights, free_flight;
	uint64_t sent;
};

struct tr_probe;

struct tr_sim {
	struct tri_env env; /* first */
	const struct tr_sim_options *options;
	uint64_t seed, random;
	struct tr_sim_result *result;
	jmp_buf failed;
	bool in_scenario;

	/* world.c */
	int64_t now, wall;
	uint64_t read; /* clock reads, which cost time */
	struct sim_block blocks; /* a ring */
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
	unsigned turn; /* round robin */
	uint32_t priority[SIM_WORKERS];
	uint64_t change[SIM_CHANGES]; /* steps */
	uint64_t steps;
	uint64_t max_steps;
	uint64_t hash;
	unsigned allowed;
	struct sim_fault fault[6]; /* by bit of enum tr_fault */

	struct sim_oracle oracle;

	/* probe.c */
	struct tr_probe *probes;
	struct tr_probe *agent;
};

/* Blocks of slab size, kept from run to run. */
struct sim_cache {
	void *slab[64];
	unsigned n;
};

/* world.c */
void sim_world_init(struct tr_sim *sim);
void sim_world_fini(struct tr_sim *sim);
void sim_cache_fini(struct sim_cache *cache);
/* The loop may end its sleep now. */
bool sim_loop_is_ready(const struct tri_loop *loop, int64_t now);
/* When it may by itself; INT64_MAX: never. */
int64_t sim_loop_next(const struct tri_loop *loop);
/* Begin and end what is due.  true: something was. */
bool sim_jobs_work(struct tr_sim *sim);
int64_t sim_jobs_next(const struct tr_sim *sim);

/* engine.c */
uint64_t sim_random(struct tr_sim *sim);
uint64_t sim_below(struct tr_sim *sim, uint64_t below);
bool sim_strikes(struct tr_sim *sim, enum tr_fault fault);
void sim_set_faults(struct tr_sim *sim, unsigned faults);
void sim_engine_init(struct tr_sim *sim);
/* One step of somebody.  false: nobody can go on before `until`; the time is
 * `until` then, or, if nothing will ever happen, as it was. */
bool sim_step(struct tr_sim *sim, int64_t until);
/* Something will happen by itself. */
int64_t sim_next_event(struct tr_sim *sim);
void sim_mix(struct tr_sim *sim, uint64_t value);

/* oracle.c */
void sim_oracle_init(struct tr_sim *sim);
void sim_oracle_fini(struct tr_sim *sim);
/* Nothing is under way. */
void sim_oracle_at_rest(struct tr_sim *sim);
void sim_oracle_at_end(struct tr_sim *sim);
/* A random actor that lives and is no probe, or TR_REF_NONE. */
tr_ref sim_oracle_victim(struct tr_sim *sim);
/* No worker sleeps over work. */
void sim_oracle_asleep(struct tr_sim *sim);

/* probe.c */
bool sim_probe_is(const struct tr_sim *sim, tr_ref ref);
void sim_probes_fini(struct tr_sim *sim);
void sim_agent_kill(struct tr_sim *sim, tr_ref victim);

/* run.c */
void sim_fail(struct tr_sim *sim, const char *format, ...)
    __attribute__((noreturn, cold, format(printf, 2, 3)));
void sim_trace(struct tr_sim *sim, const char *format, ...)
    __attribute__((cold, format(printf, 2, 3)));
int sim_run_once(uint64_t seed, const struct tr_sim_options *options,
    tr_sim_fn *fn, void *arg, struct tr_sim_result *result,
    struct sim_cache *cache);

#endif
