/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Floods: what the watch and a thief leave behind a handler that sends all the
 * time, and what is given back (sched/flood.c); with made-up counts and a clock that
 * the test moves.
 */
#include "rig_throttle.h"

/* As the watch, a ms later: worker 0 is stuck, or not. */
static enum tri_rob
look(struct sim *sim, bool stuck, uint64_t acts)
{
	work(sim, 0, TR_MS(1), 0, acts, 0);
	worker(sim, 1)->now = sim->now;
	return tri_flood_robs(worker(sim, 1), 0, stuck);
}

static void
the_watch_is_patient_while_it_is_aside(void **unused)
{
	struct sim *sim = throttled(2);
	struct tri_worker *w = worker(sim, 1);

	(void)unused;
	step_aside(sim);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(look(sim, true, 0), TRI_ROB_NOTHING);
	assert_int_equal(look(sim, true, 0), TRI_ROB_ANY);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(look(sim, true, 0), TRI_ROB_NOTHING);
	/* It has got on. */
	assert_int_equal(look(sim, false, 0), TRI_ROB_NOTHING);
	assert_int_equal(look(sim, true, 0), TRI_ROB_NOTHING);
	assert_int_equal(atomic_load(&w->floods), 0);
	end(sim);
}

static void
but_not_where_much_is_done(void **unused)
{
	struct sim *sim = throttled(2);

	(void)unused;
	step_aside(sim);
	worker(sim, 1)->message_ns = 1000;
	for (unsigned i = 0; i < 15; i++)
		assert_int_equal(look(sim, true, 2100), TRI_ROB_NOTHING);
	assert_int_equal(look(sim, true, 2100), TRI_ROB_ONE);
	end(sim);
}

/* There is that much behind what worker 0 is in. */
static void
behind(struct sim *sim, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		tri_sched_push_back(worker(sim, 0), word(sim, i));
}

static bool
floods(struct sim *sim)
{
	return atomic_load(&worker(sim, 0)->floods) != 0;
}

static void
the_watch_is_patient_with_a_flood(void **unused)
{
	struct sim *sim = throttled(2);

	(void)unused;
	behind(sim, 5);
	for (unsigned i = 0; i < 15; i++) {
		assert_int_equal(look(sim, true, 50000), TRI_ROB_NOTHING);
		assert_true(floods(sim));
	}
	assert_int_equal(look(sim, true, 50000), TRI_ROB_ONE);
	for (unsigned i = 0; i < 15; i++)
		assert_int_equal(look(sim, true, 50000), TRI_ROB_NOTHING);
	assert_int_equal(look(sim, true, 50000), TRI_ROB_ONE);
	/* As soon as that is over there is no reason to be. */
	assert_int_equal(look(sim, true, 50000), TRI_ROB_NOTHING);
	assert_int_equal(look(sim, false, 50000), TRI_ROB_ANY);
	atomic_store(&worker(sim, 0)->floods, 0);
	assert_int_equal(look(sim, true, 50000), TRI_ROB_NOTHING);
	end(sim);
}

static void
a_flood_that_falters_is_one_until_it_is_over(void **unused)
{
	struct sim *sim = throttled(2);

	(void)unused;
	behind(sim, 5);
	assert_int_equal(look(sim, true, 50000), TRI_ROB_NOTHING);
	assert_int_equal(look(sim, true, 100), TRI_ROB_NOTHING);
	/* Its worker has seen the end of that handler. */
	atomic_store(&worker(sim, 0)->floods, 0);
	assert_int_equal(look(sim, true, 100), TRI_ROB_ANY);
	end(sim);
}

static void
who_does_little_in_a_long_handler_is_robbed_at_once(void **unused)
{
	struct sim *sim = throttled(2);

	(void)unused;
	behind(sim, 5);
	assert_int_equal(look(sim, true, 1900), TRI_ROB_ANY);
	assert_false(floods(sim));
	assert_int_equal(look(sim, true, 2100), TRI_ROB_NOTHING);
	assert_true(floods(sim));
	end(sim);
}

static void
what_goes_to_a_few_is_taken_at_once(void **unused)
{
	struct sim *sim = throttled(2);
	struct tri_worker *w = worker(sim, 0);
	tri_word before;

	(void)unused;
	behind(sim, 4);
	assert_int_equal(look(sim, true, 50000), TRI_ROB_ANY);
	assert_false(floods(sim));
	/* Wherever they wait. */
	assert_true(tri_reserve_queue(&w->reserve, word(sim, 4), sim, &before));
	assert_int_equal(look(sim, true, 50000), TRI_ROB_NOTHING);
	assert_true(floods(sim));
	end(sim);
}

static void
who_handles_what_takes_long_helps_at_once(void **unused)
{
	struct sim *sim = throttled(2);

	(void)unused;
	behind(sim, 5);
	worker(sim, 1)->message_ns = 121;
	assert_int_equal(look(sim, true, 50000), TRI_ROB_ANY);
	assert_false(floods(sim));
	worker(sim, 1)->message_ns = 120;
	assert_int_equal(look(sim, true, 50000), TRI_ROB_NOTHING);
	end(sim);
}

/* One of those that it has for itself first; the others when it is their turn. */
static void
one_is_taken_out_of_a_flood(void **unused)
{
	struct sim *sim = throttled(2);
	struct tri_worker *w = worker(sim, 0), *watch = worker(sim, 1);
	tri_word before;

	(void)unused;
	sim->sleep = sleep_not_at_all;
	step_to_park(watch);
	expect_step(watch, TRI_PARK);
	assert_true(is_idle(sim, 1));
	for (unsigned i = 0; i < 6; i++)
		assert_true(
		    tri_reserve_queue(&w->reserve, word(sim, i), sim, &before));
	for (unsigned i = 0; sim->ran == 0 && i < 40; i++) {
		work(sim, 0, TR_MS(1), 0, 50000, 0);
		(void)tri_worker_step(watch);
	}
	assert_int_equal(sim->ran, 1);
	assert_int_equal(atomic_load(&watch->counts.steals), 1);
	assert_int_equal(tri_reserve_waiting(&w->reserve), 5);
	while (tri_sched_waits(w))
		(void)tri_worker_step(w);
	end(sim);
}

/* ---------------------------------------------------------- the thief --- */

enum { HANDLER = JOBS - 1 };

#define LONG_NS (INT64_C(50) * 1000)

/* Worker 0 has just begun to run a handler. */
static struct sim *
in_handler(unsigned workers)
{
	struct sim *sim = throttled(workers);
	struct tri_worker *w = worker(sim, 0);

	tri_store_relaxed(&w->running_since, sim->now);
	tri_store_relaxed(&w->running, word(sim, HANDLER));
	worker(sim, 1)->now = sim->now;
	return sim;
}

/* It has sent so much in that time. */
static void
sends(struct sim *sim, int64_t ns, uint64_t acts)
{
	work(sim, 0, ns, 0, acts, 0);
	worker(sim, 1)->now = sim->now;
}

/* Worker 1 has taken these from behind it. */
static void
takes(struct sim *sim, unsigned first, unsigned n)
{
	for (unsigned i = first; i < first + n; i++)
		tri_flood_stole(worker(sim, 1), 0, word(sim, i));
}

static bool
spares(struct sim *sim)
{
	return tri_flood_spares(worker(sim, 1), 0);
}

static void
end_handler(struct sim *sim)
{
	tri_store_relaxed(&worker(sim, 0)->running, (tri_word)0);
	end(sim);
}

/* Five have come again, and worker 0 did not do much but send. */
static struct sim *
in_flood(void)
{
	struct sim *sim = in_handler(2);

	sends(sim, LONG_NS + 1, 0);
	takes(sim, 0, 5);
	takes(sim, 0, 5);
	sends(sim, LONG_NS, 1000);
	return sim;
}

static void
a_thief_spares_who_floods(void **unused)
{
	struct sim *sim = in_flood();
	struct tri_worker *w = worker(sim, 0);

	(void)unused;
	assert_false(floods(sim));
	assert_true(spares(sim));
	assert_true(floods(sim));
	assert_int_equal(atomic_load(&w->yielded), 1);
	/* Once is enough. */
	atomic_store(&w->yielded, 0);
	for (unsigned i = 1; i < 64; i++)
		assert_true(spares(sim));
	assert_int_equal(atomic_load(&w->yielded), 0);
	/* There still is something to take. */
	assert_false(spares(sim));
	takes(sim, 0, 1);
	assert_true(spares(sim));
	end_handler(sim);
}

static void
what_comes_once_is_no_sign_of_a_flood(void **unused)
{
	struct sim *sim = in_handler(2);

	(void)unused;
	sends(sim, LONG_NS + 1, 0);
	takes(sim, 0, JOBS);
	sends(sim, LONG_NS, 1000);
	assert_false(spares(sim));
	assert_false(floods(sim));
	end_handler(sim);
}

static void
nor_are_a_few_that_come_again(void **unused)
{
	struct sim *sim = in_handler(2);

	(void)unused;
	sends(sim, LONG_NS + 1, 0);
	for (unsigned i = 0; i < 10; i++)
		takes(sim, 0, 4);
	sends(sim, LONG_NS, 1000);
	assert_false(spares(sim));
	takes(sim, 4, 1);
	takes(sim, 4, 1);
	assert_true(spares(sim));
	end_handler(sim);
}

static void
nor_is_what_comes_from_behind_short_ones(void **unused)
{
	struct sim *sim = in_handler(2);

	(void)unused;
	sends(sim, LONG_NS, 1000);
	takes(sim, 0, 5);
	takes(sim, 0, 5);
	sends(sim, LONG_NS, 1000);
	assert_false(spares(sim));
	end_handler(sim);
}

static void
each_handler_is_judged_for_itself(void **unused)
{
	struct sim *sim = in_flood();
	struct tri_worker *w = worker(sim, 0);

	(void)unused;
	/* Another batch, as it looks at the same time; or at another. */
	tri_count(&w->counts.batches, (uint64_t)1);
	assert_false(spares(sim));
	end_handler(sim);

	sim = in_flood();
	w = worker(sim, 0);
	tri_store_relaxed(&w->running_since, TR_MS(1) + 1);
	assert_false(spares(sim));
	end_handler(sim);

	sim = in_flood();
	tri_store_relaxed(&worker(sim, 0)->running, (tri_word)0);
	assert_false(spares(sim));
	end_handler(sim);
}

static void
who_does_little_is_not_spared(void **unused)
{
	struct sim *sim = in_handler(2);

	(void)unused;
	sends(sim, LONG_NS + 1, 1000000);
	takes(sim, 0, 5);
	takes(sim, 0, 5);
	/* One in 500 ns since the first theft. */
	sends(sim, LONG_NS, 100);
	assert_false(spares(sim));
	sends(sim, 0, 1);
	assert_true(spares(sim));
	end_handler(sim);
}

static void
nor_by_who_handles_what_takes_long(void **unused)
{
	struct sim *sim = in_flood();

	(void)unused;
	worker(sim, 1)->message_ns = 121;
	assert_false(spares(sim));
	worker(sim, 1)->message_ns = 120;
	assert_true(spares(sim));
	end_handler(sim);
}

static void
nor_where_nothing_counts_acts(void **unused)
{
	struct sim *sim = in_flood();

	(void)unused;
	sim->sched.throttle_ns = INT64_MAX;
	sim->sched.hooks.acts = NULL;
	assert_false(spares(sim));
	takes(sim, 0, 5);
	assert_false(spares(sim));
	end_handler(sim);
}

/* Two that flood, and a thief that goes from one to the other. */
static void
each_victim_is_judged_for_itself(void **unused)
{
	struct sim *sim = in_handler(3);
	struct tri_worker *w = worker(sim, 1);

	(void)unused;
	sends(sim, LONG_NS + 1, 0);
	takes(sim, 0, 5);
	takes(sim, 0, 5);
	sends(sim, LONG_NS, 1000);
	assert_false(tri_flood_spares(w, 2));
	assert_true(spares(sim));
	tri_flood_stole(w, 2, word(sim, 7));
	assert_false(spares(sim));
	end_handler(sim);
}

/* Who waits for it to return would wait for long. */
static void
nor_after_64_ms(void **unused)
{
	struct sim *sim = in_flood();
	int64_t rest = TR_MS(64) - 2 * LONG_NS - 2;

	(void)unused;
	sends(sim, rest, 1000000);
	assert_true(spares(sim));
	sends(sim, 1, 0);
	assert_false(spares(sim));
	takes(sim, 0, 5);
	takes(sim, 0, 5);
	assert_false(spares(sim));
	end_handler(sim);
}

/* As it goes: what is spared stays, and the thief rests. */
static void
what_is_spared_stays(void **unused)
{
	struct sim *sim = in_flood();
	struct tri_worker *w = worker(sim, 1);

	(void)unused;
	behind(sim, 6);
	expect_step(w, TRI_SEARCH);
	expect_step(w, TRI_PARK);
	assert_int_equal(sim->ran, 0);
	assert_int_equal(atomic_load(&w->counts.steals), 0);
	/* The handler is over. */
	tri_store_relaxed(&worker(sim, 0)->running, (tri_word)0);
	while (sim->ran == 0)
		assert_true(tri_worker_step(w));
	assert_int_equal(w->robbed.victim, 0);
	while (tri_sched_waits(w))
		assert_true(tri_worker_step(w));
	end_handler(sim);
}

/* Worker 1 has these, and the last came from behind that handler. */
static struct sim *
robbed(unsigned n)
{
	struct sim *sim = in_handler(2);

	takes(sim, 0, 1);
	for (unsigned i = 0; i < n; i++)
		tri_sched_push_back(worker(sim, 1), word(sim, i));
	sends(sim, LONG_NS + 1, 0);
	tri_worker_poll(worker(sim, 1));
	return sim;
}

/* Since then worker 0 has done so much, and worker 1, of which so much was of
 * others; whether it gives back what it has. */
static bool
gives_back(struct sim *sim, uint64_t first, uint64_t own, uint64_t crossed)
{
	bool gives;

	work(sim, 1, LONG_NS, first, own, crossed);
	tri_worker_poll(worker(sim, 1));
	gives = !tri_runq_waits(&worker(sim, 1)->q);
	while (tri_sched_waits(worker(sim, 1)))
		assert_true(tri_worker_step(worker(sim, 1)));
	end_handler(sim);
	return gives;
}

static void
who_is_flooded_gives_back_what_it_took(void **unused)
{
	struct sim *sim = robbed(5);
	struct tri_worker *w = worker(sim, 0);

	(void)unused;
	work(sim, 1, LONG_NS, 1000, 1000, 501);
	tri_worker_poll(worker(sim, 1));
	assert_false(tri_runq_waits(&worker(sim, 1)->q));
	assert_int_equal(tri_runq_length(&w->q), 5);
	assert_true(floods(sim));
	assert_int_equal(atomic_load(&w->yielded), 1);
	/* It does not take them again, but takes part. */
	assert_true(spares(sim));
	assert_false(is_aside(sim, 1));
	end_handler(sim);
}

static void
others_keep_it(void **unused)
{
	struct sim *sim;

	(void)unused;
	assert_true(gives_back(robbed(5), 1000, 1000, 501));
	assert_false(gives_back(robbed(4), 1000, 1000, 501));
	assert_false(gives_back(robbed(5), 1000, 1000, 500));
	assert_false(gives_back(robbed(5), 100, 1000, 501));
	/* It was in another handler then. */
	sim = robbed(5);
	tri_count(&worker(sim, 0)->counts.batches, (uint64_t)1);
	assert_false(gives_back(sim, 1000, 1000, 501));
	/* It would give it away. */
	sim = robbed(5);
	tri_store_relaxed(&worker(sim, 0)->aside, 1u);
	assert_false(gives_back(sim, 1000, 1000, 501));
	/* It goes on for too long. */
	sim = robbed(5);
	sends(sim, TR_MS(64), 1000000);
	assert_false(gives_back(sim, 1000, 1000, 501));
	/* What they take is worth another core. */
	sim = robbed(5);
	worker(sim, 1)->message_ns = 121;
	assert_false(gives_back(sim, 1000, 1000, 501));
}

static void
nothing_is_given_back_while_the_system_stops(void **unused)
{
	struct sim *sim = robbed(5);

	(void)unused;
	atomic_store(&sim->sched.attention, 1);
	work(sim, 1, LONG_NS, 1000, 1000, 501);
	tri_worker_poll(worker(sim, 1));
	assert_true(tri_runq_waits(&worker(sim, 1)->q));
	atomic_store(&sim->sched.attention, 0);
	while (tri_sched_waits(worker(sim, 1)))
		assert_true(tri_worker_step(worker(sim, 1)));
	end_handler(sim);
}

/* The handler returned meanwhile, and its worker sleeps. */
static void
who_sleeps_by_then_is_woken(void **unused)
{
	struct sim *sim = robbed(5);

	(void)unused;
	tri_store_relaxed(&worker(sim, 0)->sleeping, 1u);
	work(sim, 1, LONG_NS, 1000, 1000, 501);
	tri_worker_poll(worker(sim, 1));
	assert_int_equal(atomic_load(&worker(sim, 0)->bell), 1);
	assert_true(sim->loop[0].woken);
	atomic_store(&worker(sim, 0)->bell, 0);
	tri_store_relaxed(&worker(sim, 0)->sleeping, 0u);
	end_handler(sim);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_watch_is_patient_while_it_is_aside),
		cmocka_unit_test(but_not_where_much_is_done),
		cmocka_unit_test(the_watch_is_patient_with_a_flood),
		cmocka_unit_test(a_flood_that_falters_is_one_until_it_is_over),
		cmocka_unit_test(
		    who_does_little_in_a_long_handler_is_robbed_at_once),
		cmocka_unit_test(what_goes_to_a_few_is_taken_at_once),
		cmocka_unit_test(who_handles_what_takes_long_helps_at_once),
		cmocka_unit_test(one_is_taken_out_of_a_flood),
		cmocka_unit_test(a_thief_spares_who_floods),
		cmocka_unit_test(what_comes_once_is_no_sign_of_a_flood),
		cmocka_unit_test(nor_are_a_few_that_come_again),
		cmocka_unit_test(nor_is_what_comes_from_behind_short_ones),
		cmocka_unit_test(each_handler_is_judged_for_itself),
		cmocka_unit_test(who_does_little_is_not_spared),
		cmocka_unit_test(nor_by_who_handles_what_takes_long),
		cmocka_unit_test(nor_where_nothing_counts_acts),
		cmocka_unit_test(each_victim_is_judged_for_itself),
		cmocka_unit_test(nor_after_64_ms),
		cmocka_unit_test(what_is_spared_stays),
		cmocka_unit_test(who_is_flooded_gives_back_what_it_took),
		cmocka_unit_test(others_keep_it),
		cmocka_unit_test(nothing_is_given_back_while_the_system_stops),
		cmocka_unit_test(who_sleeps_by_then_is_woken),
	};

	alarm(TOO_LONG_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
