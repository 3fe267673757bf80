/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sched/share.c: words that have never run wait in a stack, so that a tree of
 * them is run depth first; with workers that are stepped by hand.
 */
#include "rig_share.h"

enum { HALF = TRI_RESERVE_STACK / 2 };

static void
push_new(struct sim *sim, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		push_noted(sim, i, true);
}

static uint64_t
shared(struct sim *sim)
{
	return tri_runq_length(&worker(sim, 0)->q);
}

static void
run(struct sim *sim, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		expect_step(worker(sim, 0), TRI_RUN);
}

static void
newest_goes_first(void **unused)
{
	struct sim *sim = share_begin(2);

	(void)unused;
	push_new(sim, 0, 4);
	assert_int_equal(waiting(sim), 3);
	assert_false(is_shared(sim));
	run(sim, 2);
	push_new(sim, 4, 6);
	run(sim, 4);
	expect_order(sim, (unsigned[]){ 3, 2, 5, 4, 1, 0 }, 6);
	assert_false(tri_sched_waits(worker(sim, 0)));
	sim_end(sim);
}

static void
it_has_its_note_when_it_runs(void **unused)
{
	struct sim *sim = share_begin(1);

	(void)unused;
	push_new(sim, 0, 2);
	run(sim, 2);
	expect_order(sim, (unsigned[]){ 1, 0 }, 2);
	assert_ptr_equal(worker(sim, 0)->q.note, &sim->job[0]);
	sim_end(sim);
}

static void
who_has_no_note_goes_to_the_queue_for_all(void **unused)
{
	struct sim *sim = share_begin(2);

	(void)unused;
	tri_sched_push(worker(sim, 0), word(sim, 0));
	push_new(sim, 1, 2);
	assert_int_equal(waiting(sim), 0);
	assert_int_equal(shared(sim), 1);
	sim_end(sim);
}

static void
full_stack_gives_its_oldest_half_to_all(void **unused)
{
	struct sim *sim = share_begin(2);
	unsigned taken;

	(void)unused;
	/* One is next. */
	push_new(sim, 0, TRI_RESERVE_STACK + 1);
	assert_int_equal(waiting(sim), TRI_RESERVE_STACK);
	assert_false(is_shared(sim));
	push_new(sim, TRI_RESERVE_STACK + 1, TRI_RESERVE_STACK + 2);
	assert_int_equal(waiting(sim), HALF + 1);
	assert_int_equal(shared(sim), HALF);
	/* In their order. */
	for (unsigned i = 0; i < HALF; i++)
		assert_int_equal(tri_runq_pop_shared(&worker(sim, 0)->q),
		    word(sim, i));
	assert_int_equal(tri_runq_steal(&worker(sim, 1)->q, &worker(sim, 0)->q,
			     false, &taken),
	    0);
	run(sim, HALF + 2);
	for (unsigned i = 0; i < HALF + 2; i++)
		assert_int_equal(sim->order[i], TRI_RESERVE_STACK + 1 - i);
	sim_end(sim);
}

/* Each runs, and is new again: there is always one, and none is next. */
static void
again_runs(struct sim *sim, struct tri_worker *w, struct job *job)
{
	tri_word before;

	if (job - sim->job >= 10)
		assert_true(tri_reserve_stack(&w->reserve,
		    tri_word_of(job, KIND), job, &before));
}

static void
others_have_their_turns(void **unused)
{
	struct sim *sim = share_begin(1);
	struct tri_worker *w = worker(sim, 0);
	unsigned others = 0, row = 0;

	(void)unused;
	sim->run = again_runs;
	for (unsigned i = 0; i < 2; i++)
		tri_sched_push_back(w, word(sim, i));
	push_noted(sim, 2, false);
	push_noted(sim, 3, false);
	run(sim, 1);
	push_new(sim, 10, 12);
	while (others < 3) {
		w->poll_at = INT64_MAX;
		sim->ran = 0;
		run(sim, 1);
		if (sim->order[0] < 4) {
			others++;
			row = 0;
		} else {
			/* Or it is the turn of the oldest of them. */
			assert_in_range(++row, 1, 2 * TRI_NEXT_USES + 2);
		}
	}
	sim_end(sim);
}

static void
oldest_has_its_turns_too(void **unused)
{
	struct sim *sim = share_begin(1);
	struct tri_worker *w = worker(sim, 0);
	unsigned turns = 0;

	(void)unused;
	push_new(sim, 0, 10);
	/* The newest come again and again; 0 is below them all. */
	do {
		w->poll_at = INT64_MAX;
		sim->ran = 0;
		run(sim, 1);
		if (sim->order[0] != 0)
			push_noted(sim, sim->order[0], true);
		assert_in_range(++turns, 1, 2 * TRI_NEW_USES);
	} while (sim->order[0] != 0);
	sim_end(sim);
}

static void
others_turns_come_sooner_with_slow_handlers(void **unused)
{
	struct sim *sim = share_begin(1);
	struct tri_worker *w = worker(sim, 0);

	(void)unused;
	push_new(sim, 10, 20);
	tri_sched_push_back(w, word(sim, 0));
	tri_sched_push_back(w, word(sim, 1));
	tri_worker_measure(w);
	w->clock_in = UINT32_MAX;
	w->poll_at = INT64_MAX;
	run(sim, 5);
	/* What is next, then by turns, the oldest first. */
	assert_int_equal(sim->order[0], 19);
	for (unsigned i = 1; i < 5; i++)
		assert_true(sim->order[i] < 12);
	sim_end(sim);
}

static void
what_is_to_run_soon_does_not_wait_for_new_ones(void **unused)
{
	struct sim *sim = share_begin(1);
	struct tri_worker *w = worker(sim, 0);

	(void)unused;
	push_new(sim, 10, 20);
	tri_runq_push_soon(&w->q, word(sim, 0));
	w->poll_at = INT64_MAX;
	run(sim, 5);
	assert_int_equal(sim->job[0].runs, 1);
	sim_end(sim);
}

static void
new_ones_take_turns_while_somebody_is_owed_some(void **unused)
{
	struct sim *sim = share_begin(1);
	struct tri_worker *w = worker(sim, 0);

	(void)unused;
	push_new(sim, 10, 20);
	w->poll_at = INT64_MAX;
	w->owed.to = word(sim, 0);
	w->owed.until = INT64_MAX;
	run(sim, 3);
	w->owed.until = 0;
	run(sim, 2);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(sim->order[i],
		    ((unsigned[]){ 19, 10, 11, 18, 17 })[i]);
	sim_end(sim);
}

/* The queue that others steal from is for what is not new; here is no trial. */
static void
who_is_not_alone_has_new_ones_for_itself(void **unused)
{
	struct sim *sim = share_begin(3);
	struct tri_worker *w = worker(sim, 0);

	(void)unused;
	atomic_store(&sim->sched.asides, 0);
	tri_worker_poll(w);
	push_noted(sim, 0, false);
	push_new(sim, 1, 4);
	assert_int_equal(waiting(sim), 2);
	assert_int_equal(shared(sim), 1);
	tri_worker_poll(w);
	assert_int_equal(waiting(sim), 2);
	sim_end(sim);
}

static void
who_takes_long_has_none_for_itself(void **unused)
{
	struct sim *sim = share_begin(2);
	struct tri_worker *w = worker(sim, 0);

	(void)unused;
	push_new(sim, 0, 3);
	assert_int_equal(waiting(sim), 2);
	tri_worker_measure(w);
	tri_sched_reopen(w);
	assert_int_equal(waiting(sim), 0);
	assert_int_equal(shared(sim), 2);
	push_new(sim, 3, 5);
	assert_int_equal(waiting(sim), 0);
	assert_int_equal(shared(sim), 4);
	sim_end(sim);
}

static void
push_gives_them_to_those_who_look_for_work(void **unused)
{
	struct sim *sim = share_begin(2);

	(void)unused;
	push_new(sim, 0, 4);
	put_to_sleep(sim);
	assert_int_equal(waiting(sim), 3);
	push_new(sim, 4, 5);
	assert_int_equal(waiting(sim), 0);
	assert_true(is_shared(sim));
	assert_false(is_idle(sim, 1));
	/* As the watch it brings work at once: the oldest. */
	expect_step(worker(sim, 1), TRI_RUN);
	expect_step(worker(sim, 1), TRI_RUN);
	assert_int_equal(sim->job[0].ran_on, 1);
	sim_end(sim);
}

static void
step_gives_them_to_those_who_look_for_work(void **unused)
{
	struct sim *sim = share_begin(2);

	(void)unused;
	push_new(sim, 0, 4);
	put_to_sleep(sim);
	expect_step(worker(sim, 0), TRI_RUN);
	assert_int_equal(sim->job[3].runs, 1);
	assert_int_equal(waiting(sim), 0);
	assert_int_equal(shared(sim), 3);
	assert_false(is_idle(sim, 1));
	sim_end(sim);
}

static void
watch_takes_them_from_a_stuck_worker(void **unused)
{
	struct sim *sim = share_begin(2);

	(void)unused;
	put_to_sleep(sim);
	/* Nobody is idle for all that worker 0 knows. */
	atomic_store(&sim->sched.idle, 0);
	push_new(sim, 0, 6);
	assert_int_equal(waiting(sim), 5);
	atomic_store(&sim->sched.idle, 2);
	for (unsigned looks = 0; sim->ran < 6 && looks < 40; looks++)
		(void)tri_worker_step(worker(sim, 1));
	assert_int_equal(sim->ran, 6);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(sim->job[i].ran_on, 1);
	/* What is left of them are turns that count for nothing. */
	expect_step(worker(sim, 0), TRI_SEARCH);
	assert_int_equal(waiting(sim), 0);
	sim_end(sim);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(newest_goes_first),
		cmocka_unit_test(it_has_its_note_when_it_runs),
		cmocka_unit_test(who_has_no_note_goes_to_the_queue_for_all),
		cmocka_unit_test(full_stack_gives_its_oldest_half_to_all),
		cmocka_unit_test(others_have_their_turns),
		cmocka_unit_test(oldest_has_its_turns_too),
		cmocka_unit_test(others_turns_come_sooner_with_slow_handlers),
		cmocka_unit_test(
		    what_is_to_run_soon_does_not_wait_for_new_ones),
		cmocka_unit_test(
		    new_ones_take_turns_while_somebody_is_owed_some),
		cmocka_unit_test(who_is_not_alone_has_new_ones_for_itself),
		cmocka_unit_test(who_takes_long_has_none_for_itself),
		cmocka_unit_test(push_gives_them_to_those_who_look_for_work),
		cmocka_unit_test(step_gives_them_to_those_who_look_for_work),
		cmocka_unit_test(watch_takes_them_from_a_stuck_worker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
