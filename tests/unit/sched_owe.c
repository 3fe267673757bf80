/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sched/owe.c: who goes on behind a handler that took long, for how long, and
 * who has his turn in between; with workers that are stepped by hand.
 *
 * Jobs up to LONG are handlers that take long and then are over.  The others
 * have a backlog: so many turns of TURN_NS, for each of which they go where
 * tri_owe_pushes() wants them, or behind the others.
 */
#include "rig_step.h"

enum { LONG = 10, BACKLOG = 10, OTHER };

#define TURN_NS (INT64_C(100) * 1000)
#define MS      (INT64_C(1000) * 1000)

static int64_t takes; /* each of those that take long, */
static int64_t turn; /* and each turn of the others */

static void
spend(struct sim *sim, struct tri_worker *w, int64_t ns, tri_word by)
{
	sim->now += ns;
	tri_worker_read_clock(w);
	tri_owe_took(w, ns, by);
}

static void
run_one(struct sim *sim, struct tri_worker *w, struct job *job)
{
	tri_word self = tri_word_of(job, KIND);

	if (job < &sim->job[LONG]) {
		spend(sim, w, takes, self);
		return;
	}
	tri_worker_read_clock(w);
	tri_owe_begin(w, self);
	spend(sim, w, turn, self);
	if (job->left-- > 0 && !tri_owe_pushes(w, self, NULL))
		tri_sched_push_back(w, self);
}

/* Jobs 0 to `longs` and the one with the backlog wait, that one as the second. */
static struct sim *
owe_begin(unsigned workers, unsigned longs, unsigned turns)
{
	struct sim *sim = sim_begin(workers);

	takes = MS;
	turn = TURN_NS;
	sim->run = run_one;
	for (unsigned i = 0; i < longs; i++) {
		tri_sched_push_back(worker(sim, 0), word(sim, i));
		if (i == 0)
			tri_sched_push_back(worker(sim, 0), word(sim, BACKLOG));
	}
	sim->job[BACKLOG].left = turns - 1;
	return sim;
}

/* What ran next: so often in a row. */
static void
expect_row(struct sim *sim, unsigned *at, unsigned job, unsigned times)
{
	while (sim->ran < *at + times)
		expect_step(worker(sim, 0), TRI_RUN);
	for (unsigned i = 0; i < times; i++)
		assert_int_equal(sim->order[(*at)++], job);
}

static void
who_comes_behind_a_long_handler_goes_on_for_twice_that_time(void **unused)
{
	struct sim *sim = owe_begin(1, 3, 50);
	unsigned at = 0;

	(void)unused;
	expect_row(sim, &at, 0, 1);
	expect_row(sim, &at, BACKLOG, 20);
	/* After one other it goes on, and is owed again. */
	expect_row(sim, &at, 1, 1);
	expect_row(sim, &at, BACKLOG, 20);
	expect_row(sim, &at, 2, 1);
	expect_row(sim, &at, BACKLOG, 10);
	assert_false(tri_runq_waits(&worker(sim, 0)->q));
	sim_end(sim);
}

/* It was over before its time was, and its next backlog comes behind another. */
static void
each_long_handler_counts_anew(void **unused)
{
	struct sim *sim = owe_begin(1, 1, 5);
	unsigned at = 0;

	(void)unused;
	expect_row(sim, &at, 0, 1);
	expect_row(sim, &at, BACKLOG, 5);
	tri_sched_push_back(worker(sim, 0), word(sim, 1));
	tri_sched_push_back(worker(sim, 0), word(sim, BACKLOG));
	tri_sched_push_back(worker(sim, 0), word(sim, 2));
	sim->job[BACKLOG].left = 30;
	expect_row(sim, &at, 1, 1);
	expect_row(sim, &at, BACKLOG, 20);
	expect_row(sim, &at, 2, 1);
	expect_row(sim, &at, BACKLOG, 11);
	sim_end(sim);
}

/* It was no handler's, for all that is known, but a poll, say. */
static void
who_goes_on_is_owed_nothing_for_nobody(void **unused)
{
	struct sim *sim = sim_begin(1);
	struct tri_worker *w = worker(sim, 0);
	int64_t until;

	(void)unused;
	tri_owe_took(w, MS, word(sim, 0));
	tri_owe_begin(w, word(sim, BACKLOG));
	until = w->owed.until;
	assert_int_equal(until, w->now + 2 * MS);
	w->now += MS;
	tri_owe_took(w, MS, 0);
	tri_owe_begin(w, word(sim, BACKLOG));
	assert_int_equal(w->owed.until, until);
	tri_owe_took(w, MS, word(sim, 1));
	tri_owe_begin(w, word(sim, BACKLOG));
	assert_int_equal(w->owed.until, w->now + 2 * MS);
	sim_end(sim);
}

static void
others_are_polled_for_meanwhile(void **unused)
{
	struct sim *sim = owe_begin(1, 2, 50);
	unsigned at = 0, polled;

	(void)unused;
	takes = 5 * MS;
	expect_row(sim, &at, 0, 1);
	polled = sim->polled;
	expect_row(sim, &at, BACKLOG, 50);
	/* Each 100 to 400 us, as ever. */
	assert_in_range(sim->polled - polled, 5 * MS / TRI_POLL_NS_MAX, 50);
	expect_row(sim, &at, 1, 1);
	sim_end(sim);
}

static void
nobody_goes_on_for_longer_than_10_ms(void **unused)
{
	struct sim *sim = owe_begin(1, 2, 300);
	unsigned at = 0;

	(void)unused;
	takes = 1000 * MS;
	expect_row(sim, &at, 0, 1);
	expect_row(sim, &at, BACKLOG, 100);
	expect_row(sim, &at, 1, 1);
	expect_row(sim, &at, BACKLOG, 100);
	/* Then it is the only one. */
	expect_row(sim, &at, BACKLOG, 100);
	sim_end(sim);
}

static void
a_turn_is_owed_for_nothing_that_is_within_a_turn(void **unused)
{
	struct sim *sim = owe_begin(1, 3, 5);
	unsigned at = 0;

	(void)unused;
	takes = TRI_BATCH_NS;
	expect_row(sim, &at, 0, 1);
	expect_row(sim, &at, BACKLOG, 1);
	expect_row(sim, &at, 1, 1);
	expect_row(sim, &at, 2, 1);
	expect_row(sim, &at, BACKLOG, 4);
	sim_end(sim);
}

static void
nobody_is_owed_what_he_took_himself(void **unused)
{
	struct sim *sim = owe_begin(1, 0, 4);
	unsigned at = 0;

	(void)unused;
	takes = 1;
	turn = 5 * MS;
	tri_sched_push_back(worker(sim, 0), word(sim, BACKLOG));
	for (unsigned i = 0; i < 3; i++)
		tri_sched_push_back(worker(sim, 0), word(sim, i));
	expect_row(sim, &at, BACKLOG, 1);
	for (unsigned i = 0; i < 3; i++)
		expect_row(sim, &at, i, 1);
	for (unsigned i = 3; i < 6; i++)
		tri_sched_push_back(worker(sim, 0), word(sim, i));
	expect_row(sim, &at, BACKLOG, 1);
	for (unsigned i = 3; i < 6; i++)
		expect_row(sim, &at, i, 1);
	expect_row(sim, &at, BACKLOG, 2);
	sim_end(sim);
}

/* Each comes behind the other. */
static void
two_that_take_long_take_turns(void **unused)
{
	struct sim *sim = owe_begin(1, 0, 5);
	unsigned at = 0;

	(void)unused;
	turn = 5 * MS;
	sim->job[OTHER].left = 4;
	tri_sched_push_back(worker(sim, 0), word(sim, BACKLOG));
	tri_sched_push_back(worker(sim, 0), word(sim, OTHER));
	expect_row(sim, &at, BACKLOG, 1);
	expect_row(sim, &at, OTHER, 2);
	expect_row(sim, &at, BACKLOG, 2);
	expect_row(sim, &at, OTHER, 2);
	expect_row(sim, &at, BACKLOG, 2);
	expect_row(sim, &at, OTHER, 1);
	sim_end(sim);
}

static void
who_is_alone_stays_until_another_comes(void **unused)
{
	struct sim *sim = owe_begin(1, 0, 200);
	unsigned at = 0;

	(void)unused;
	tri_sched_push_back(worker(sim, 0), word(sim, BACKLOG));
	expect_row(sim, &at, BACKLOG, 100);
	assert_false(tri_runq_stealable(&worker(sim, 0)->q));
	assert_true(tri_sched_waits(worker(sim, 0)));
	tri_sched_push_back(worker(sim, 0), word(sim, 0));
	expect_row(sim, &at, BACKLOG, 1);
	expect_row(sim, &at, 0, 1);
	expect_row(sim, &at, BACKLOG, 99);
	sim_end(sim);
}

static void
who_looks_for_work_may_have_it(void **unused)
{
	struct sim *sim = owe_begin(2, 2, 50);
	struct tri_worker *w = worker(sim, 0);
	unsigned at = 0;

	(void)unused;
	expect_row(sim, &at, 0, 1);
	atomic_store(&sim->sched.searching, 1);
	expect_row(sim, &at, BACKLOG, 1);
	assert_int_equal(atomic_load(&w->q.soon.count), 1);
	atomic_store(&sim->sched.searching, 0);
	expect_row(sim, &at, 1, 1);
	expect_row(sim, &at, BACKLOG, 49);
	sim_end(sim);
}

static void
who_was_stolen_comes_after_one_other(void **unused)
{
	struct sim *sim = owe_begin(2, 0, 6);
	struct tri_worker *w = worker(sim, 0);
	unsigned at = 0;

	(void)unused;
	takes = 1;
	for (unsigned i = 0; i < 3; i++)
		tri_sched_push_back(w, word(sim, i));
	tri_sched_push(w, word(sim, BACKLOG));
	tri_owe_stolen(w, word(sim, BACKLOG));
	expect_row(sim, &at, BACKLOG, 1);
	expect_row(sim, &at, 0, 1);
	/* Once. */
	expect_row(sim, &at, BACKLOG, 1);
	expect_row(sim, &at, 1, 1);
	expect_row(sim, &at, 2, 1);
	expect_row(sim, &at, BACKLOG, 4);
	sim_end(sim);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    who_comes_behind_a_long_handler_goes_on_for_twice_that_time),
		cmocka_unit_test(each_long_handler_counts_anew),
		cmocka_unit_test(who_goes_on_is_owed_nothing_for_nobody),
		cmocka_unit_test(others_are_polled_for_meanwhile),
		cmocka_unit_test(nobody_goes_on_for_longer_than_10_ms),
		cmocka_unit_test(
		    a_turn_is_owed_for_nothing_that_is_within_a_turn),
		cmocka_unit_test(nobody_is_owed_what_he_took_himself),
		cmocka_unit_test(two_that_take_long_take_turns),
		cmocka_unit_test(who_is_alone_stays_until_another_comes),
		cmocka_unit_test(who_looks_for_work_may_have_it),
		cmocka_unit_test(who_was_stolen_comes_after_one_other),
	};

	alarm(TOO_LONG_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
