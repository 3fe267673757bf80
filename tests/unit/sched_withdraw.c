/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sched/share.c: what a worker takes back from the queue for all when the others
 * have stepped aside while it is in a handler; with workers that are stepped by
 * hand.  Jobs 0 to 9 can be had by a worker for itself, the others cannot.
 */
#include "rig_share.h"

enum { SENDER = JOBS - 1, ABLE = 10 };

static unsigned asked; /* how often one was to be reserved */

static void *
job_reserve(struct tri_worker *w, void *object)
{
	struct job *job = object;

	(void)w;
	asked++;
	return job - job->sim->job < ABLE ? job : NULL;
}

static void
sender_runs(struct sim *sim, struct tri_worker *w, struct job *job)
{
	if (job == &sim->job[SENDER])
		tri_sched_withdraw(w);
}

/* Worker 0 has these in its queue for all, and is about to run a job that finds
 * itself alone, or not. */
static struct sim *
withdraw_begin(unsigned workers, unsigned asides, const unsigned *jobs,
    unsigned n)
{
	struct sim *sim = sim_begin(workers);
	struct tri_worker *w = worker(sim, 0);

	asked = 0;
	sim->run = sender_runs;
	sim->kinds[KIND].reserve = job_reserve;
	w->clock_every = TRI_CLOCK_MESSAGES;
	w->poll_at = INT64_MAX;
	atomic_store(&sim->sched.asides, asides);
	for (unsigned i = 0; i < n; i++)
		tri_sched_push_back(w, word(sim, jobs[i]));
	tri_sched_push(w, word(sim, SENDER));
	atomic_store(&w->yielded, 1);
	return sim;
}

static void
expect_rest(struct sim *sim, const unsigned *order, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		expect_step(worker(sim, 0), TRI_RUN);
	assert_int_equal(sim->ran, n + 1);
	assert_int_equal(sim->order[0], SENDER);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(sim->order[i + 1], order[i]);
	sim_end(sim);
}

static void
who_is_alone_takes_all_back_in_their_order(void **unused)
{
	static const unsigned jobs[] = { 3, 1, 4, 0, 5 };
	struct sim *sim = withdraw_begin(2, 1, jobs, 5);
	struct tri_place *p =
	    tri_reserve_place(&worker(sim, 0)->reserve, word(sim, 4));

	(void)unused;
	expect_step(worker(sim, 0), TRI_RUN);
	assert_int_equal(waiting(sim), 5);
	assert_false(tri_runq_stealable(&worker(sim, 0)->q));
	assert_ptr_equal(tri_reserve_note(p), &sim->job[4]);
	assert_int_equal(atomic_load(&worker(sim, 0)->yielded), 0);
	expect_rest(sim, jobs, 5);
}

static void
what_it_cannot_have_stays_where_it_was(void **unused)
{
	static const unsigned jobs[] = { 20, 1, 21, 2, 22 };
	struct sim *sim = withdraw_begin(2, 1, jobs, 5);

	(void)unused;
	expect_step(worker(sim, 0), TRI_RUN);
	assert_int_equal(waiting(sim), 2);
	assert_int_equal(tri_runq_length(&worker(sim, 0)->q), 3);
	/* By turns, each queue in its order. */
	expect_rest(sim, (unsigned[]){ 20, 1, 21, 2, 22 }, 5);
}

static void
kinds_that_cannot_be_reserved_stay(void **unused)
{
	static const unsigned jobs[] = { 0, 1 };
	struct sim *sim = withdraw_begin(2, 1, jobs, 2);

	(void)unused;
	sim->kinds[KIND].reserve = NULL;
	expect_step(worker(sim, 0), TRI_RUN);
	assert_int_equal(waiting(sim), 0);
	expect_rest(sim, jobs, 2);
}

static void
who_is_not_alone_takes_nothing_back(void **unused)
{
	static const unsigned jobs[] = { 0, 1 };
	struct sim *sim = withdraw_begin(3, 1, jobs, 2);

	(void)unused;
	expect_step(worker(sim, 0), TRI_RUN);
	assert_int_equal(waiting(sim), 0);
	assert_int_equal(asked, 0);
	/* It was told once, and need not ask again. */
	assert_int_equal(atomic_load(&worker(sim, 0)->yielded), 0);
	expect_rest(sim, jobs, 2);
}

static void
but_who_floods_does(void **unused)
{
	static const unsigned jobs[] = { 0, 1 };
	struct sim *sim = withdraw_begin(3, 1, jobs, 2);

	(void)unused;
	atomic_store(&worker(sim, 0)->floods, 1);
	expect_step(worker(sim, 0), TRI_RUN);
	assert_int_equal(waiting(sim), 2);
	assert_false(tri_runq_stealable(&worker(sim, 0)->q));
	expect_rest(sim, jobs, 2);
}

static void
between_handlers_nothing_is_taken_back(void **unused)
{
	static const unsigned jobs[] = { 0, 1 };
	struct sim *sim = withdraw_begin(2, 1, jobs, 2);

	(void)unused;
	sim->run = NULL;
	tri_sched_withdraw(worker(sim, 0));
	assert_int_equal(waiting(sim), 0);
	expect_step(worker(sim, 0), TRI_RUN);
	expect_rest(sim, jobs, 2);
}

static void
few_are_taken_back_of_many(void **unused)
{
	unsigned jobs[300]; /* the ring takes 255 */
	struct sim *sim;

	(void)unused;
	for (unsigned i = 0; i < 300; i++)
		jobs[i] = ABLE + i;
	sim = withdraw_begin(2, 1, jobs, 300);
	expect_step(worker(sim, 0), TRI_RUN);
	assert_int_equal(asked, TRI_RESERVE_FEW);
	assert_int_equal(tri_runq_length(&worker(sim, 0)->q), 300);
	for (unsigned i = 0; i < 300; i++)
		expect_step(worker(sim, 0), TRI_RUN);
	assert_int_equal(sim->ran, 301);
	sim_end(sim);
}

static void
what_is_to_run_soon_is_taken_back_first(void **unused)
{
	static const unsigned jobs[] = { 1, 2 };
	struct sim *sim = withdraw_begin(2, 1, jobs, 2);

	(void)unused;
	tri_runq_push_soon(&worker(sim, 0)->q, word(sim, 3));
	expect_step(worker(sim, 0), TRI_RUN);
	assert_int_equal(waiting(sim), 3);
	expect_rest(sim, (unsigned[]){ 3, 1, 2 }, 3);
}

/* After one other, as it would have been; and those keep their order. */
static void
what_is_to_run_soon_and_cannot_be_had_is_as_soon(void **unused)
{
	static const unsigned jobs[] = { 20, 21, 22 };
	struct sim *sim = withdraw_begin(2, 1, jobs, 3);

	(void)unused;
	tri_runq_push_soon(&worker(sim, 0)->q, word(sim, 23));
	expect_step(worker(sim, 0), TRI_RUN);
	assert_int_equal(waiting(sim), 0);
	expect_rest(sim, (unsigned[]){ 20, 23, 21, 22 }, 4);
}

static void
who_may_take_long_has_it_for_this_handler_only(void **unused)
{
	static const unsigned jobs[] = { 0, 1 };
	struct sim *sim = withdraw_begin(2, 1, jobs, 2);
	struct tri_worker *w = worker(sim, 0);

	(void)unused;
	tri_worker_measure(w);
	tri_sched_reopen(w);
	expect_step(w, TRI_RUN);
	assert_int_equal(asked, 2);
	assert_int_equal(waiting(sim), 0);
	assert_true(tri_runq_stealable(&w->q));
	expect_rest(sim, jobs, 2);
}

/* While it floods others, and that is known, it does not look who is idle. */
static void
who_floods_keeps_what_it_has(void **unused)
{
	static const unsigned jobs[] = { 0, 1 };
	struct sim *sim = withdraw_begin(2, 1, jobs, 2);
	struct tri_worker *w = worker(sim, 0);

	(void)unused;
	expect_step(w, TRI_RUN);
	atomic_store(&w->floods, 1);
	atomic_store(&sim->sched.idle, 2);
	tri_sched_push_noted(w, word(sim, 2), &sim->job[2], false);
	tri_sched_push_noted(w, word(sim, 3), &sim->job[3], false);
	assert_int_equal(waiting(sim), 3);
	atomic_store(&w->floods, 0);
	tri_sched_push_noted(w, word(sim, 4), &sim->job[4], false);
	assert_int_equal(waiting(sim), 0);
	atomic_store(&sim->sched.idle, 0);
	expect_rest(sim, (unsigned[]){ 4, 0, 1, 2, 3 }, 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_alone_takes_all_back_in_their_order),
		cmocka_unit_test(what_it_cannot_have_stays_where_it_was),
		cmocka_unit_test(kinds_that_cannot_be_reserved_stay),
		cmocka_unit_test(who_is_not_alone_takes_nothing_back),
		cmocka_unit_test(but_who_floods_does),
		cmocka_unit_test(between_handlers_nothing_is_taken_back),
		cmocka_unit_test(few_are_taken_back_of_many),
		cmocka_unit_test(what_is_to_run_soon_is_taken_back_first),
		cmocka_unit_test(
		    what_is_to_run_soon_and_cannot_be_had_is_as_soon),
		cmocka_unit_test(
		    who_may_take_long_has_it_for_this_handler_only),
		cmocka_unit_test(who_floods_keeps_what_it_has),
	};

	alarm(TOO_LONG_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
