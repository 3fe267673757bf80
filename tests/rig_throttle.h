/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rig_throttle.h - workers that are stepped by hand (rig_step.h), with made-up
 * counts of what they have done: for sched/throttle.c and sched/flood.c.
 */
#ifndef TESTS_RIG_THROTTLE_H
#define TESTS_RIG_THROTTLE_H

#include "rig_step.h"
#include "troupe.h"

static uint64_t done[WORKERS_MAX]; /* messages sent and handled */
static uint64_t waiting; /* messages sent and not handled */

static inline uint64_t
acts(const struct tri_worker *w)
{
	return done[w->index];
}

/* Worker 0 has sent them all, and worker 1 has handled 1000 of others. */
static inline uint64_t
open_messages(const struct tri_worker *w)
{
	if (w->index == 0)
		return waiting + 1000;
	return w->index == 1 ? UINT64_MAX - 999 : 0;
}

static inline struct sim *
throttled(unsigned workers)
{
	struct sim *sim = sim_begin(workers);

	memset(done, 0, sizeof(done));
	sim->now = TR_MS(1);
	waiting = 0;
	sim->sched.hooks.acts = acts;
	sim->sched.hooks.open = open_messages;
	sim->sched.throttle_ns = TRI_THROTTLE_NS;
	return sim;
}

static inline bool
is_aside(struct sim *sim, unsigned index)
{
	return tri_load_relaxed(&worker(sim, index)->aside) != 0;
}

/* So much is done by worker 0 and by worker `index`, or by 1 and by 0, and so many
 * messages go from one to the other, while time passes. */
static inline void
work(struct sim *sim, unsigned index, int64_t ns, uint64_t first, uint64_t own,
    uint64_t crossed)
{
	struct tri_worker *w = worker(sim, index);

	done[index == 0 ? 1 : 0] += first;
	done[index] += own;
	tri_store_relaxed(&w->pool.far,
	    tri_load_relaxed(&w->pool.far) + crossed);
	sim->now += ns;
}

/* A window of worker `index`, from its beginning to its end. */
static inline void
window(struct sim *sim, unsigned index, uint64_t first, uint64_t own,
    uint64_t crossed)
{
	tri_worker_poll(worker(sim, index));
	work(sim, index, TRI_THROTTLE_NS, first, own, crossed);
	tri_worker_poll(worker(sim, index));
}

/* Small messages, half of which cross: worker 1 steps aside. */
static inline void
step_aside(struct sim *sim)
{
	window(sim, 1, 10000, 10000, 5000);
	assert_true(is_aside(sim, 1));
}

static inline void
end(struct sim *sim)
{
	while (tri_runq_waits(&worker(sim, 0)->q))
		expect_step(worker(sim, 0), TRI_RUN);
	sim_end(sim);
}

#endif /* TESTS_RIG_THROTTLE_H */
