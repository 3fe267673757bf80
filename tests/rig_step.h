/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rig_step.h - the scheduler without a thread and without a clock: workers that
 * are stepped by hand, in a world where time passes when the test says so.
 *
 * The environment below is a simulator in small.  It shows that the seam
 * (sched/env.h) suffices for one: nothing that it leaves out is ever called.
 * Its loop_sleep() does what the test at hand wants (struct sim.sleep): let
 * the time pass, come back at once, or step the other workers until somebody
 * wakes this one.  The last makes a lost wake-up a matter of course: all
 * sleep, nothing will wake them, and work is left.
 *
 * A test begins with sim_begin() and ends with sim_end(), which asks that all
 * memory and all loops have come back, that nothing was wrong, and that no
 * timer fired early or late.
 */
#ifndef TESTS_RIG_STEP_H
#define TESTS_RIG_STEP_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "scale.h"
#include "sched/sched.h"

enum {
	WORKERS = 4, /* in most tests */
	WORKERS_MAX = 16, /* at most */
	JOBS = 400,
	KIND = 3,
	TICK = 1 << TRI_WHEEL_SHIFT,
	TOO_LONG_S = 100,
};

/* ------------------------------------------------------------ the world -- */

struct tri_loop {
	struct sim *sim;
	bool open;
	bool asleep;
	bool woken;
	bool ready; /* a descriptor is: the next poll or sleep sees it */
	int64_t alarm; /* INT64_MAX: none */
	int64_t deadline; /* of the last sleep */
	unsigned depth; /* of sleeps inside sleeps */
	unsigned polls, sleeps;
};

struct job {
	alignas(TRI_LINE) struct tri_link link;
	struct sim *sim;
	struct tri_timer_node timer;
	unsigned runs;
	unsigned left; /* how often it goes on by itself */
	int ran_on; /* worker, the last time */
	int must_run_on; /* -1: anywhere */
};

struct sim {
	struct tri_env env;
	struct tri_sched sched;
	struct tri_kind kinds[TRI_KINDS];
	struct tri_loop loop[WORKERS_MAX];
	struct job job[JOBS];
	int64_t now;
	int64_t step_ns; /* that each job takes */
	unsigned loops;
	unsigned memory; /* blocks out */
	unsigned calls, fail_at; /* of what wants memory */

	/* What the test wants. */
	unsigned (*sleep)(struct sim *sim, struct tri_loop *loop);
	void (*run)(struct sim *sim, struct tri_worker *w, struct job *job);

	/* What was seen. */
	unsigned attended, polled, fired, early, late, wrong;
	unsigned order[JOBS];
	unsigned ran;
	uint64_t seed;
	unsigned todo;
	unsigned depth;
	bool over;
};

static inline struct sim *
sim_of(struct tri_env *env)
{
	return tri_container_of(env, struct sim, env);
}

static inline int64_t
sim_now(struct tri_env *env)
{
	return sim_of(env)->now;
}

static inline uint64_t
sim_cycles(struct tri_env *env)
{
	return (uint64_t)sim_of(env)->now;
}

static inline bool
sim_fails(struct sim *sim)
{
	return ++sim->calls == sim->fail_at;
}

static inline void *
sim_alloc(void *ctx, size_t size)
{
	struct sim *sim = ctx;
	void *p = sim_fails(sim) ?
	    NULL :
	    aligned_alloc(TRI_LINE,
		(size + TRI_LINE - 1) / TRI_LINE * TRI_LINE);

	sim->memory += p != NULL;
	return p;
}

static inline void
sim_free(void *ctx, void *p)
{
	struct sim *sim = ctx;

	sim->memory--;
	free(p);
}

static inline void *
sim_slab_new(void *ctx, size_t size)
{
	struct sim *sim = ctx;
	void *p = sim_fails(sim) ? NULL : aligned_alloc(size, size);

	sim->memory += p != NULL;
	return p;
}

static inline void
sim_slab_free(void *ctx, void *slab, size_t size)
{
	(void)size;
	sim_free(ctx, slab);
}

static inline void
sim_populate(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)p;
	(void)size;
}

static inline bool
sim_fence_others(struct tri_env *env)
{
	(void)env;
	return true;
}

static inline unsigned
sim_distance(struct tri_env *env, int a, int b)
{
	(void)env;
	if (a < 0 || b < 0)
		return 3;
	return a / 2 == b / 2 ? 1 : 2;
}

static inline struct tri_loop *
sim_loop_new(struct tri_env *env)
{
	struct sim *sim = sim_of(env);
	struct tri_loop *loop = &sim->loop[sim->loops];

	if (sim_fails(sim))
		return NULL;
	sim->loops++;
	*loop =
	    (struct tri_loop){ .sim = sim, .open = true, .alarm = INT64_MAX };
	return loop;
}

static inline void
sim_loop_free(struct tri_env *env, struct tri_loop *loop)
{
	if (loop == NULL)
		return;
	sim_of(env)->wrong += !loop->open;
	loop->open = false;
	sim_of(env)->loops--;
}

static inline unsigned
sim_loop_poll(struct tri_env *env, struct tri_loop *loop)
{
	bool ready = loop->ready;

	(void)env;
	loop->polls++;
	loop->ready = false;
	return ready;
}

static inline unsigned
sim_loop_sleep(struct tri_env *env, struct tri_loop *loop, int64_t deadline)
{
	struct sim *sim = sim_of(env);
	unsigned events;

	loop->sleeps++;
	loop->deadline = deadline;
	loop->asleep = true;
	events = sim->sleep(sim, loop);
	loop->asleep = false;
	loop->woken = false;
	if (loop->alarm <= sim->now)
		loop->alarm = INT64_MAX;
	return events;
}

static inline void
sim_loop_wake(struct tri_env *env, struct tri_loop *loop)
{
	(void)env;
	loop->woken = true;
}

static inline void
sim_loop_alarm(struct tri_env *env, struct tri_loop *loop, int64_t delay_ns)
{
	loop->alarm = sim_of(env)->now + delay_ns;
}

/* Whether the loop's sleep has a reason to end. */
static inline bool
is_due(const struct sim *sim, const struct tri_loop *loop)
{
	return loop->woken || loop->ready || loop->alarm <= sim->now ||
	    loop->deadline <= sim->now;
}

/* --------------------------------------------------------- the program --- */

static inline void
job_run(struct tri_worker *w, void *object)
{
	struct job *job = object;
	struct sim *sim = job->sim;

	sim->now += sim->step_ns;
	if (job->must_run_on >= 0 && job->must_run_on != (int)w->index)
		sim->wrong++;
	if (atomic_load(&w->running) != tri_word_of(job, KIND))
		sim->wrong++;
	job->ran_on = (int)w->index;
	job->runs++;
	if (sim->ran < JOBS)
		sim->order[sim->ran] = (unsigned)(job - sim->job);
	sim->ran++;
	if (sim->run != NULL)
		sim->run(sim, w, job);
}

static inline struct tri_link *
job_link(void *ctx, void *object)
{
	struct job *job = object;

	(void)ctx;
	return &job->link;
}

static inline struct sim *
sim_of_worker(struct tri_worker *w)
{
	return sim_of(w->env);
}

static inline void
on_fire(struct tri_worker *w, struct tri_timer_node *node)
{
	struct job *job = tri_container_of(node, struct job, timer);
	struct sim *sim = sim_of_worker(w);

	sim->fired++;
	sim->early += sim->now < node->deadline;
	sim->late += sim->now > node->deadline + TICK;
	tri_sched_push_back(w, tri_word_of(job, KIND));
}

static inline void
on_poll(struct tri_worker *w)
{
	sim_of_worker(w)->polled++;
}

static inline void
on_attend(struct tri_worker *w)
{
	sim_of_worker(w)->attended++;
}

/* Time passes until the sleep's own end; asleep for good: a moment. */
static inline unsigned
sleep_through(struct sim *sim, struct tri_loop *loop)
{
	int64_t until =
	    loop->alarm < loop->deadline ? loop->alarm : loop->deadline;

	if (!is_due(sim, loop) && until != INT64_MAX)
		sim->now = until;
	return sim_loop_poll(&sim->env, loop);
}

/* Back at once: a simulator that steps the others meanwhile. */
static inline unsigned
sleep_not_at_all(struct sim *sim, struct tri_loop *loop)
{
	(void)sim;
	(void)loop;
	return 0;
}

static inline void
sim_env(struct sim *sim)
{
	/* No thread, no job, no signal: they are not there to be called. */
	sim->env = (struct tri_env){
		.now = sim_now,
		.cycles = sim_cycles,
		.memory = {
			.slab_new = sim_slab_new,
			.slab_free = sim_slab_free,
			.populate = sim_populate,
			.alloc = sim_alloc,
			.free = sim_free,
			.ctx = sim,
		},
		.cpu_distance = sim_distance,
		.fence_others = sim_fence_others,
		.loop_new = sim_loop_new,
		.loop_free = sim_loop_free,
		.loop_poll = sim_loop_poll,
		.loop_sleep = sim_loop_sleep,
		.loop_wake = sim_loop_wake,
		.loop_alarm = sim_loop_alarm,
	};
}

static inline struct sim *
sim_new(void)
{
	struct sim *sim = aligned_alloc(TRI_LINE, sizeof(*sim));

	assert_non_null(sim);
	memset(sim, 0, sizeof(*sim));
	sim_env(sim);
	sim->now = INT64_C(1000000000000);
	sim->sleep = sleep_through;
	sim->kinds[KIND] =
	    (struct tri_kind){ .run = job_run, .link = job_link };
	for (unsigned i = 0; i < JOBS; i++) {
		sim->job[i].sim = sim;
		sim->job[i].ran_on = -1;
		sim->job[i].must_run_on = -1;
	}
	return sim;
}

static inline int
sim_init(struct sim *sim, unsigned workers)
{
	return tri_sched_init(&sim->sched, &sim->env,
	    &(struct tri_sched_config){
		.workers = workers,
		.worker_size = sizeof(struct tri_worker) + 24,
		.kinds = sim->kinds,
		.hooks = { .fire = on_fire,
		    .poll = on_poll,
		    .attend = on_attend },
		.pool_owner = sim,
		.pools = workers,
	    });
}

static inline struct sim *
sim_begin(unsigned workers)
{
	struct sim *sim = sim_new();

	assert_int_equal(sim_init(sim, workers), 0);
	return sim;
}

static inline void
sim_end(struct sim *sim)
{
	tri_sched_fini(&sim->sched);
	assert_int_equal(sim->memory, 0);
	assert_int_equal(sim->loops, 0);
	assert_int_equal(sim->wrong, 0);
	assert_int_equal(sim->early, 0);
	assert_int_equal(sim->late, 0);
	free(sim);
}

static inline struct tri_worker *
worker(struct sim *sim, unsigned index)
{
	return tri_sched_worker(&sim->sched, index);
}

static inline tri_word
word(struct sim *sim, unsigned job)
{
	return tri_word_of(&sim->job[job], KIND);
}

static inline void
expect_step(struct tri_worker *w, enum tri_phase after)
{
	assert_true(tri_worker_step(w));
	assert_int_equal(w->phase, after);
	assert_true(atomic_load(&w->running) == 0);
}

/* Without work to its first sleep. */
static inline void
step_to_park(struct tri_worker *w)
{
	expect_step(w, TRI_SEARCH);
	expect_step(w, TRI_PARK);
}

static inline bool
is_idle(struct sim *sim, unsigned index)
{
	return atomic_load(&sim->sched.idle) >> index & 1;
}

#endif /* TESTS_RIG_STEP_H */
