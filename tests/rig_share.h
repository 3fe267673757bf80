/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For the tests of sched/share.c: workers that are stepped by hand, and what one
 * of them has for itself.
 */
#ifndef TROUPE_TESTS_RIG_SHARE_H
#define TROUPE_TESTS_RIG_SHARE_H

#include "rig_step.h"

/* Workers whose handlers are known to be quick; each is the only one that is not
 * aside, for all that it knows. */
static inline struct sim *
share_begin(unsigned workers)
{
	struct sim *sim = sim_begin(workers);

	atomic_store(&sim->sched.asides, workers - 1);
	for (unsigned i = 0; i < workers; i++) {
		worker(sim, i)->clock_every = TRI_CLOCK_MESSAGES;
		tri_sched_reopen(worker(sim, i));
	}
	return sim;
}

/* Push it next: whoever is there already waits behind. */
static inline void
push_noted(struct sim *sim, unsigned i, bool fresh)
{
	tri_sched_push_noted(worker(sim, 0), word(sim, i), &sim->job[i], fresh);
}

static inline unsigned
waiting(struct sim *sim)
{
	return tri_reserve_count(&worker(sim, 0)->reserve);
}

static inline bool
is_shared(struct sim *sim)
{
	return tri_runq_stealable(&worker(sim, 0)->q);
}

static inline void
expect_order(struct sim *sim, const unsigned *order, unsigned n)
{
	assert_int_equal(sim->ran, n);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(sim->order[i], order[i]);
}

/* The other one is asleep from here on.  Worker 0 gets on, so nobody robs it. */
static inline void
put_to_sleep(struct sim *sim)
{
	worker(sim, 1)->seen[0] = UINT64_MAX;
	sim->sleep = sleep_not_at_all;
	step_to_park(worker(sim, 1));
	expect_step(worker(sim, 1), TRI_PARK);
	assert_true(is_idle(sim, 1));
}

#endif
