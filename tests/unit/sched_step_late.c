/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Words that come after a worker has searched in vain and before it has
 * announced that it sleeps: nobody wakes it for them, so it has to look again.  (What went
 * into another's ring is in sched_step_several.c.)
 */
#include "rig_step.h"

static unsigned
must_not_sleep(struct sim *sim, struct tri_loop *loop)
{
	(void)sim;
	(void)loop;
	fail_msg("it went to sleep over work");
	return 0;
}

static struct sim *
begin_with_one_about_to_sleep(void)
{
	struct sim *sim = sim_begin(2);

	sim->sleep = must_not_sleep;
	step_to_park(worker(sim, 1));
	assert_true(atomic_load(&sim->sched.idle) == 0);
	return sim;
}

/* Worker 1 finds it, and has said by then that it is up. */
static void
expect_found(struct sim *sim)
{
	expect_step(worker(sim, 1), TRI_SEARCH);
	assert_false(is_idle(sim, 1));
	expect_step(worker(sim, 1), TRI_RUN);
	while (sim->ran == 0)
		expect_step(worker(sim, 1), TRI_RUN);
	assert_int_equal(sim->order[0], 0);
	assert_int_equal(sim->job[0].ran_on, 1);
}

static void
what_overflowed_late_is_stolen(void **unused)
{
	struct sim *sim = begin_with_one_about_to_sleep();

	(void)unused;
	for (unsigned i = 0; i < TRI_RING_SLOTS + 10; i++)
		tri_sched_push_back(worker(sim, 0), word(sim, i));
	expect_found(sim);
	while (sim->ran < TRI_RING_SLOTS + 10)
		(void)tri_worker_step(worker(sim, sim->ran % 2));
	sim_end(sim);
}

static void
what_came_late_from_outside_is_taken(void **unused)
{
	struct sim *sim = begin_with_one_about_to_sleep();

	(void)unused;
	tri_sched_inject(&sim->sched, word(sim, 0));
	expect_found(sim);
	sim_end(sim);
}

static void
what_was_pinned_here_late_is_taken(void **unused)
{
	struct sim *sim = begin_with_one_about_to_sleep();

	(void)unused;
	tri_sched_push_home(&sim->sched, worker(sim, 0), 1, word(sim, 0));
	expect_found(sim);
	sim_end(sim);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_overflowed_late_is_stolen),
		cmocka_unit_test(what_came_late_from_outside_is_taken),
		cmocka_unit_test(what_was_pinned_here_late_is_taken),
	};

	alarm(TOO_LONG_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
