/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A run: from the seed, over the scenario, to the end where all must be as it
 * was before.
 *
 * Whatever fails jumps back here, out of the scenario and out of the runtime.
 * Nothing of a failed run is used again: its memory is freed as raw blocks.
 */
#include "sim/sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STOP_NS = 1000000000 };

/* ------------------------------------------------------- what goes wrong - */

static __attribute__((format(printf, 2, 0))) void
fail_at(struct tr_sim *sim, const char *format, va_list ap)
{
	if (!sim->result->failed)
		vsnprintf(sim->result->why, sizeof(sim->result->why), format,
		    ap);
	sim->result->failed = true;
	sim_trace(sim, "FAILED: %s", sim->result->why);
}

void
sim_fail(struct tr_sim *sim, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fail_at(sim, format, ap);
	va_end(ap);
	longjmp(sim->failed, 1);
}

void
sim_trace(struct tr_sim *sim, const char *format, ...)
{
	char text[512], line[560];
	va_list ap;

	if (sim->options->trace == NULL)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	snprintf(line, sizeof(line), "%12.3f us %s",
	    (double)(sim->now - TR_SECONDS(1000)) / 1000.0, text);
	sim->options->trace(line, sim->options->trace_ctx);
}

/* --------------------------------------------------------------- running - */

/* Only the scenario runs the system; its actors are run by it. */
static void
not_inside(struct tr_sim *sim, const char *function)
{
	if (sim->stepping)
		sim_fail(sim, "%s: called by an actor", function);
}

static bool
everybody_ended(const struct tr_sim *sim)
{
	unsigned i;

	for (i = 0; i < sim->workers; i++)
		if (!sim->ended[i])
			return false;
	return true;
}

/* Until nobody has anything to do at this moment. */
static void
run_down(struct tr_sim *sim)
{
	while (!everybody_ended(sim) && sim_step(sim, sim->now))
		;
}

void
tr_sim_run_for(struct tr_sim *sim, int64_t ns)
{
	int64_t until = tri_time_after(sim->now, ns);

	not_inside(sim, __func__);
	while (
	    sim->now < until && !everybody_ended(sim) && sim_step(sim, until))
		;
}

/*
 * To the next moment at which something happens by itself, if that is not
 * beyond the limit.  At rest the workers still have to trim their pools a
 * second later; that is all that happens then.
 */
int
tr_sim_run_until_quiet(struct tr_sim *sim, int64_t limit_ns)
{
	int64_t limit = tri_time_after(sim->now, limit_ns);
	unsigned allowed = sim->allowed;

	not_inside(sim, __func__);
	if (allowed != 0 && limit_ns > 4)
		tr_sim_run_for(sim,
		    (int64_t)sim_below(sim, (uint64_t)limit_ns / 4));
	sim->allowed = 0;
	sim_trace(sim, "no more faults");
	while (
	    sim->now < limit && !everybody_ended(sim) && sim_step(sim, limit))
		;
	run_down(sim);
	sim_walk(sim);
	sim_oracle_at_rest(sim);
	sim->allowed = allowed;
	return sim_next_event(sim) == INT64_MAX ? TR_OK : TR_ETIMEDOUT;
}

/* ----------------------------------------------------------- the scenario - */

/* What the scenario itself does meets no faults. */
struct sim_calm
sim_calm_begin(struct tr_sim *sim)
{
	struct sim_calm calm = { sim->allowed, sim->fail_next };

	sim->allowed = 0;
	sim->fail_next = 0;
	return calm;
}

void
sim_calm_end(struct tr_sim *sim, struct sim_calm calm)
{
	sim->allowed = calm.allowed;
	sim->fail_next = calm.fail_next;
}

struct tr_system *
tr_sim_system(struct tr_sim *sim)
{
	return sim->sys;
}

tr_ref
tr_sim_spawn(struct tr_sim *sim, const struct tr_behavior *behavior,
    const void *arg)
{
	struct sim_calm calm = sim_calm_begin(sim);
	int error = TR_OK;
	tr_ref ref = tr_system_spawn(sim->sys, behavior, arg,
	    &(struct tr_spawn_options){ .error = &error });

	sim_calm_end(sim, calm);
	if (!tr_ref_valid(ref))
		sim_fail(sim, "tr_sim_spawn: %s", tr_strerror(error));
	return ref;
}

void
tr_sim_faults(struct tr_sim *sim, unsigned faults)
{
	sim_set_faults(sim, faults);
}

int64_t
tr_sim_now(struct tr_sim *sim)
{
	return sim->now;
}

uint64_t
tr_sim_random(struct tr_sim *sim, uint64_t below)
{
	return sim_below(sim, below == 0 ? 1 : below);
}

void
tr_sim_check(struct tr_sim *sim, bool holds, const char *format, ...)
{
	va_list ap;

	if (holds)
		return;
	va_start(ap, format);
	fail_at(sim, format, ap);
	va_end(ap);
	longjmp(sim->failed, 1);
}

void
tr_sim_kill(struct tr_sim *sim, tr_ref actor)
{
	sim_agent_kill(sim, actor);
}

void
tr_sim_fail_memory(struct tr_sim *sim, unsigned count)
{
	sim->fail_next = count;
}

void
tr_sim_jump(struct tr_sim *sim, int64_t ns)
{
	sim->wall += ns;
}

void
tr_sim_signal(struct tr_sim *sim, int signo)
{
	unsigned i;

	if (signo < 1 || signo >= SIM_SIGNALS)
		return;
	for (i = 0; i < sim->loops; i++)
		if (sim->loop[i].signal[signo].fn != NULL)
			sim->loop[i].raised |= (uint64_t)1 << (signo - 1);
}

/* ------------------------------------------------------------- one run --- */

static int
run_system_new(struct tr_sim *sim)
{
	struct tr_options options = { 0 };

	if (sim->options->system != NULL)
		options = *sim->options->system;
	options.workers = sim->workers;
	options.spin_ns = -1;
	options.pin = false;
	options.fault_report = false; /* the process is the simulator's */
	if (options.max_actors == 0)
		options.max_actors = 1 << 16;
	return tri_system_new(&sim->sys, &options, &sim->env);
}

static void
run_begin(struct tr_sim *sim)
{
	unsigned i;

	if (tri_system_begin(sim->sys) != TR_OK)
		sim_fail(sim, "the system has run already");
	tri_sched_begin(&sim->sys->sched);
	for (i = 0; i < sim->workers; i++)
		tri_worker_read_clock(tri_sched_worker(&sim->sys->sched, i));
}

/* The system stops; nothing is left of it. */
static void
run_end(struct tr_sim *sim)
{
	struct tr_stop_report report;
	int rc;

	sim->allowed = 0;
	sim->fail_next = 0;
	sim_trace(sim, "the scenario is over: the system stops");
	(void)tr_system_stop(sim->sys, tri_time_after(sim->now, STOP_NS));
	while (!everybody_ended(sim))
		if (!sim_step(sim, INT64_MAX) && !everybody_ended(sim))
			sim_fail(sim, "the stop does not go on");
	rc = tri_system_end(sim->sys, &report);
	/* A call may outlast the deadline; its system cannot be freed before. */
	(void)sim->env.jobs_wait(&sim->env, sim->sys->jobs, INT64_MAX);
	sim_oracle_at_end(sim);
	if (rc != TR_OK)
		sim_fail(sim, "the stop left %llu actors behind",
		    (unsigned long long)report.left);
	if (tr_system_free(sim->sys) != TR_OK)
		sim_fail(sim, "the system cannot be freed");
	sim->sys = NULL;
	if (sim->live != 0)
		sim_fail(sim, "%zu blocks of memory were not given back",
		    sim->live);
}

static void
run_finish(struct tr_sim *sim)
{
	struct tr_sim_result *r = sim->result;

	r->active &= sim->ever_allowed;
	r->hash = sim->hash;
	r->steps = sim->steps;
	r->virtual_ns = sim->now - TR_SECONDS(1000);
	if (sim->sys != NULL)
		tri_system_forget(sim->sys);
	sim_sites_keep(sim);
	sim_oracle_fini(sim);
	sim_memory_fini(sim);
	free(sim);
}

static struct tr_sim *
run_new(uint64_t seed, const struct tr_sim_options *options,
    struct tr_sim_result *result, struct sim_cache *cache)
{
	struct tr_sim *sim = aligned_alloc(TRI_LINE,
	    (sizeof(*sim) + TRI_LINE - 1) / TRI_LINE * TRI_LINE);

	memset(result, 0, sizeof(*result));
	if (sim == NULL)
		return NULL;
	memset(sim, 0, sizeof(*sim));
	sim->seed = seed;
	sim->options = options;
	sim->result = result;
	sim->cache = cache;
	sim->hash = UINT64_C(0xcbf29ce484222325);
	sim_world_init(sim);
	sim_engine_init(sim);
	sim_oracle_init(sim);
	cache->runs++;
	return sim;
}

int
sim_run_once(uint64_t seed, const struct tr_sim_options *options, tr_sim_fn *fn,
    void *arg, struct tr_sim_result *result, struct sim_cache *cache)
{
	struct tr_sim *sim = run_new(seed, options, result, cache);
	/* Somebody may simulate in an actor's turn. */
	struct tri_worker *here = tri_worker_here;

	if (sim == NULL)
		return TR_ENOMEM;
	tri_worker_here = NULL;
	if (setjmp(sim->failed) == 0) {
		int rc = run_system_new(sim);

		if (rc != TR_OK) {
			sim->sys = NULL;
			sim_fail(sim, "tr_system_new: %s", tr_strerror(rc));
		}
		sim->sys->trace = &sim->oracle.trace;
		sim->agent = tr_probe_new(sim, NULL);
		run_begin(sim);
		fn(sim, arg);
		run_end(sim);
	}
	tri_worker_here = here;
	run_finish(sim);
	return TR_OK;
}

bool
sim_options_are_valid(const struct tr_sim_options *o)
{
	return o->workers <= SIM_WORKERS &&
	    (unsigned)o->strategy <= TR_SIM_ROUND_ROBIN &&
	    (o->faults & ~(unsigned)(TR_FAULT_ALL | TR_FAULT_NONE)) == 0 &&
	    (o->system == NULL || tri_options_are_valid(o->system));
}

int
tr_sim_run(uint64_t seed, const struct tr_sim_options *options, tr_sim_fn *fn,
    void *arg, struct tr_sim_result *result)
{
	const struct tr_sim_options defaults = { 0 };
	struct sim_cache cache = { .n = 0 };
	int rc;

	if (options == NULL)
		options = &defaults;
	if (fn == NULL || result == NULL || !sim_options_are_valid(options))
		return TR_EINVAL;
	rc = sim_run_once(seed, options, fn, arg, result, &cache);
	sim_cache_fini(&cache);
	return rc;
}
