/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The simulated world: what stands behind the seam.
 *
 * Time passes when the engine says so, and a little with every look at the
 * clock, so that a handler that waits for a moment gets there.  A loop never
 * waits: who sleeps is told to be called again (TRI_SLEEPS_ON), and the engine
 * calls when there is a reason.  Memory is memory.c's, blocking calls are
 * jobs.c's.
 */
#include "sim/sim.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
	READ_NS = 20, /* what a look at the clock costs */
	WAKE_LATE_NS = 3000000,
};

/* ------------------------------------------------------------- clocks --- */

static int64_t
world_now(struct tri_env *env)
{
	struct tr_sim *sim = sim_of_env(env);

	sim->now += READ_NS;
	return sim->now;
}

static uint64_t
world_cycles(struct tri_env *env)
{
	return (uint64_t)world_now(env);
}

static int64_t
world_wall(struct tri_env *env)
{
	struct tr_sim *sim = sim_of_env(env);

	return sim->wall + world_now(env);
}

static void
world_entropy(struct tri_env *env, void *buf, size_t size)
{
	unsigned char *p = buf;

	while (size-- > 0)
		*p++ = (unsigned char)sim_random(sim_of_env(env));
}

/* ------------------------------------------------------------ threads --- */

static unsigned
world_cpus(struct tri_env *env)
{
	(void)env;
	return SIM_WORKERS;
}

static int
world_cpu_at(struct tri_env *env, unsigned k)
{
	(void)env;
	return (int)k;
}

static unsigned
world_cpu_distance(struct tri_env *env, int a, int b)
{
	(void)env;
	return a == b ? 0 : 1;
}

static int
world_thread_start(struct tri_env *env, struct tri_thread **thread,
    void (*fn)(void *), void *arg, const char *name, int cpu)
{
	(void)env;
	(void)thread;
	(void)fn;
	(void)arg;
	(void)name;
	(void)cpu;
	return -ENOSYS; /* the engine steps the workers */
}

static void
world_thread_join(struct tri_env *env, struct tri_thread *thread)
{
	(void)env;
	(void)thread;
}

static void
world_yield(struct tri_env *env)
{
	/* Nobody else can ever give back what is waited for. */
	sim_fail(sim_of_env(env), "a lock is held by nobody who runs");
}

/* There is one thread. */
static bool
world_fence_others(struct tri_env *env)
{
	(void)env;
	return true;
}

static void
world_bind(struct tri_env *env, int cpu)
{
	(void)env;
	(void)cpu;
}

static void
world_unbind(struct tri_env *env)
{
	(void)env;
}

/* -------------------------------------------------------------- loops --- */

static struct tri_loop *
world_loop_new(struct tri_env *env)
{
	struct tr_sim *sim = sim_of_env(env);
	struct tri_loop *loop;

	if (sim->loops == SIM_WORKERS)
		return NULL;
	loop = &sim->loop[sim->loops++];
	*loop = (struct tri_loop){
		.sim = sim,
		.open = true,
		.wake_at = INT64_MAX,
		.alarm = INT64_MAX,
	};
	return loop;
}

static void
world_loop_free(struct tri_env *env, struct tri_loop *loop)
{
	(void)env;
	if (loop != NULL)
		loop->open = false;
}

static unsigned
loop_events(struct tri_loop *loop)
{
	unsigned events = 0;
	int signo;

	for (signo = 1; loop->raised != 0 && signo < SIM_SIGNALS; signo++) {
		uint64_t bit = (uint64_t)1 << (signo - 1);

		if ((loop->raised & bit) == 0)
			continue;
		loop->raised &= ~bit;
		if (loop->signal[signo].fn != NULL)
			loop->signal[signo].fn(loop->signal[signo].arg, signo);
		events++;
	}
	return events;
}

static unsigned
world_loop_poll(struct tri_env *env, struct tri_loop *loop)
{
	(void)env;
	return loop_events(loop);
}

bool
sim_loop_is_ready(const struct tri_loop *loop, int64_t now)
{
	return loop->woken || loop->spurious || loop->raised != 0 ||
	    now >= sim_loop_next(loop);
}

int64_t
sim_loop_next(const struct tri_loop *loop)
{
	int64_t at = loop->deadline;

	if (loop->alarm < at)
		at = loop->alarm;
	return loop->wake_at < at ? loop->wake_at : at;
}

static unsigned
world_loop_sleep(struct tri_env *env, struct tri_loop *loop, int64_t deadline)
{
	struct tr_sim *sim = sim_of_env(env);

	loop->deadline = deadline;
	if (!sim_loop_is_ready(loop, sim->now))
		return TRI_SLEEPS_ON;
	loop->woken = false;
	loop->spurious = false;
	loop->deadline = INT64_MAX;
	if (loop->wake_at <= sim->now)
		loop->wake_at = INT64_MAX;
	if (loop->alarm <= sim->now)
		loop->alarm = INT64_MAX;
	return loop_events(loop);
}

static void
world_loop_wake(struct tri_env *env, struct tri_loop *loop)
{
	struct tr_sim *sim = sim_of_env(env);
	int64_t at;

	if (!sim_strikes(sim, TR_FAULT_WAKE, "wake late")) {
		loop->woken = true;
		return;
	}
	/* Late; those that come meanwhile are one with it. */
	at = sim->now + (int64_t)sim_below(sim, WAKE_LATE_NS);
	if (at < loop->wake_at)
		loop->wake_at = at;
}

static void
world_loop_alarm(struct tri_env *env, struct tri_loop *loop, int64_t delay_ns)
{
	loop->alarm = sim_of_env(env)->now + delay_ns;
}

static int
world_loop_signal(struct tri_env *env, struct tri_loop *loop, int signo,
    void (*fn)(void *, int), void *arg)
{
	(void)env;
	if (signo < 1 || signo >= SIM_SIGNALS)
		return -EINVAL;
	loop->signal[signo].fn = fn;
	loop->signal[signo].arg = arg;
	return 0;
}

/* ------------------------------------------------------------ its ends -- */

static int
world_write(struct tri_env *env, int fd, const void *buf, size_t size)
{
	const char *p = buf;

	(void)env;
	while (size > 0) {
		ssize_t n = write(fd, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

static void
world_env_free(struct tri_env *env)
{
	(void)env;
}

void
sim_world_init(struct tr_sim *sim)
{
	sim->now = TR_SECONDS(1000);
	/* Some day in 2026. */
	sim->wall = TR_SECONDS(1790000000);
	sim->env = (struct tri_env){
		.now = world_now,
		.cycles = world_cycles,
		.wall = world_wall,
		.entropy = world_entropy,
		.cpus = world_cpus,
		.cpu_at = world_cpu_at,
		.cpu_distance = world_cpu_distance,
		.thread_start = world_thread_start,
		.thread_join = world_thread_join,
		.yield = world_yield,
		.fence_others = world_fence_others,
		.thread_bind = world_bind,
		.thread_unbind = world_unbind,
		.loop_new = world_loop_new,
		.loop_free = world_loop_free,
		.loop_poll = world_loop_poll,
		.loop_sleep = world_loop_sleep,
		.loop_wake = world_loop_wake,
		.loop_alarm = world_loop_alarm,
		.loop_signal = world_loop_signal,
		.write = world_write,
		.free = world_env_free,
	};
	sim_memory_init(sim);
	sim_jobs_init(sim);
}
