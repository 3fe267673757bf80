/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who steps aside, who stays, and what brings it back: sched/throttle.c with
 * made-up counts and a clock that the test moves.
 */
#include "rig_throttle.h"

/* So many ms in which both work as they do in a window of step_aside(). */
static void
both_work(struct sim *sim, int64_t ns)
{
	uint64_t each = (uint64_t)(ns * 10000 / TRI_THROTTLE_NS);

	work(sim, 1, ns, each, each, 0);
}

/* Up after a nap, of two; whether it takes part again. */
static bool
nap_of(struct sim *sim, unsigned index, int64_t ns, uint64_t others)
{
	work(sim, 1 - index, ns, 0, others, 0);
	tri_count(&worker(sim, 1 - index)->counts.batches, (uint64_t)1);
	tri_worker_read_clock(worker(sim, index));
	return tri_throttle_is_over(worker(sim, index));
}

static bool
nap(struct sim *sim, int64_t ns, uint64_t others)
{
	return nap_of(sim, 1, ns, others);
}

static void
who_steps_aside_gives_all_it_has(void **unused)
{
	struct sim *sim = throttled(2);

	(void)unused;
	for (unsigned i = 0; i < JOBS; i++) /* the ring takes 255 */
		tri_sched_push_back(worker(sim, 1), word(sim, i));
	step_aside(sim);
	assert_false(tri_runq_waits(&worker(sim, 1)->q));
	assert_int_equal(tri_runq_length(&worker(sim, 0)->q), JOBS);
	assert_int_equal(atomic_load(&worker(sim, 1)->counts.asides), 1);
	while (tri_runq_waits(&worker(sim, 0)->q))
		expect_step(worker(sim, 0), TRI_RUN);
	assert_int_equal(sim->ran, JOBS);
	end(sim);
}

static void
what_it_wakes_meanwhile_goes_there_too(void **unused)
{
	struct sim *sim = throttled(2);

	(void)unused;
	step_aside(sim);
	tri_sched_push(worker(sim, 1), word(sim, 0));
	tri_sched_push_back(worker(sim, 1), word(sim, 1));
	tri_worker_poll(worker(sim, 1));
	assert_int_equal(tri_runq_length(&worker(sim, 0)->q), 2);
	/* But not to somebody who sleeps: then it takes part again. */
	tri_sched_push(worker(sim, 1), word(sim, 2));
	atomic_store(&sim->sched.idle, 1);
	tri_worker_poll(worker(sim, 1));
	assert_false(is_aside(sim, 1));
	assert_true(tri_runq_waits(&worker(sim, 1)->q));
	atomic_store(&sim->sched.idle, 0);
	expect_step(worker(sim, 1), TRI_RUN);
	end(sim);
}

static void
a_pinned_word_stays(void **unused)
{
	struct sim *sim = throttled(2);

	(void)unused;
	sim->job[0].must_run_on = 1;
	tri_sched_push_home(&sim->sched, worker(sim, 1), 1, word(sim, 0));
	step_aside(sim);
	expect_step(worker(sim, 1), TRI_RUN);
	assert_int_equal(sim->ran, 1);
	end(sim);
}

static void
who_has_reason_to_stay_stays(void **unused)
{
	struct sim *sim = throttled(2);

	(void)unused;
	window(sim, 1, 4000, 999, 5000); /* large messages */
	assert_false(is_aside(sim, 1));
	window(sim, 1, 10000, 10000, 1200); /* few of which cross */
	assert_false(is_aside(sim, 1));
	atomic_store(&sim->sched.idle, 1);
	window(sim, 1, 10000, 10000, 5000); /* the other sleeps */
	assert_false(is_aside(sim, 1));
	atomic_store(&sim->sched.idle, 0);
	step_aside(sim);
	end(sim);
}

/* What was done while another one was aside is no measure for what is done with
 * it: worker 0 is not missed, though it has done more alone. */
static void
what_others_did_alone_does_not_count(void **unused)
{
	struct sim *sim = throttled(2);

	(void)unused;
	step_aside(sim);
	for (unsigned i = 0; i < 4; i++)
		window(sim, 0, 0, 50000, 5000);
	assert_false(is_aside(sim, 0)); /* it is the last */
	assert_false(nap(sim, TR_MS(1), 100000)); /* the trial */
	assert_true(nap(sim, TR_MS(24), 2400000));
	window(sim, 0, 10000, 10000, 5000);
	window(sim, 0, 10000, 10000, 5000);
	assert_true(is_aside(sim, 0));
	assert_false(nap_of(sim, 0, TR_MS(1), 60000));
	end(sim);
}

/* But one of many more or less makes no difference. */
static void
one_of_many_is_no_change(void **unused)
{
	struct sim *sim = throttled(WORKERS_MAX);
	struct tri_throttle *t = &worker(sim, 2)->throttle;

	(void)unused;
	for (unsigned i = 0; i < 4; i++)
		window(sim, 2, 100 * (WORKERS_MAX - 1), 100, 0);
	assert_int_equal(t->with.samples, 4);
	atomic_store(&sim->sched.asides, 1);
	window(sim, 2, 100 * (WORKERS_MAX - 1), 100, 0);
	assert_int_equal(t->with.samples, 4);
	atomic_store(&sim->sched.asides, 3);
	tri_worker_poll(worker(sim, 2));
	assert_int_equal(t->with.samples, 0);
	atomic_store(&sim->sched.asides, 0);
	end(sim);
}

/* Who has answers handed out once in a while, and takes long otherwise. */
static void
a_burst_is_no_reason(void **unused)
{
	struct sim *sim = throttled(2);

	(void)unused;
	for (unsigned i = 0; i < 8; i++) {
		for (unsigned quiet = 0; quiet < 3; quiet++)
			window(sim, 1, 20, 20, 10);
		window(sim, 1, 250, 2300, 1250);
		assert_false(is_aside(sim, 1));
	}
	window(sim, 1, 250, 2300, 1250);
	assert_true(is_aside(sim, 1)); /* that is how it is now */
	end(sim);
}

/* What one does while the others do nothing, or they without it. */
static void
who_takes_no_part_has_no_say(void **unused)
{
	struct sim *sim = throttled(2);

	(void)unused;
	for (unsigned i = 0; i < 4; i++) {
		window(sim, 1, 20000, 1200, 5000);
		window(sim, 1, 1200, 20000, 5000);
	}
	assert_false(is_aside(sim, 1));
	assert_int_equal(worker(sim, 1)->throttle.with.samples, 0);
	window(sim, 1, 18600, 1400, 5000);
	assert_true(is_aside(sim, 1));
	end(sim);
}

static void
stolen_actors_cross_over(void **unused)
{
	struct sim *sim = throttled(2);

	(void)unused;
	for (unsigned i = 0; i < 2; i++) {
		assert_false(is_aside(sim, 1));
		tri_worker_poll(worker(sim, 1));
		tri_count(&worker(sim, i)->counts.steals,
		    i == 0 ? (uint64_t)150 : 160);
		work(sim, 1, TRI_THROTTLE_NS, 10000, 10000, 0);
		tri_worker_poll(worker(sim, 1));
	}
	assert_true(is_aside(sim, 1));
	end(sim);
}

/* They cross as well, but in arrays that are fetched ahead. */
static void
what_comes_in_a_stream_is_none(void **unused)
{
	struct sim *sim = throttled(2);

	(void)unused;
	for (unsigned i = 0; i < 3; i++) {
		tri_worker_poll(worker(sim, 1));
		tri_store_relaxed(&worker(sim, 0)->counts.streamed,
		    4500 * (uint64_t)(i + 1));
		window(sim, 1, 10000, 10000, 5000);
		assert_false(is_aside(sim, 1));
	}
	/* More than have gone home by now. */
	tri_store_relaxed(&worker(sim, 0)->counts.streamed, 500000u);
	window(sim, 1, 10000, 10000, 5000);
	assert_false(is_aside(sim, 1));
	end(sim);
}

static void
somebody_busy_always_remains(void **unused)
{
	struct sim *sim = throttled(3);

	(void)unused;
	step_aside(sim);
	atomic_store(&sim->sched.idle, 1);
	/* Worker 0 sleeps, worker 1 is aside. */
	window(sim, 2, 10000, 10000, 10000);
	assert_false(is_aside(sim, 2));
	atomic_store(&sim->sched.idle, 0);
	window(sim, 2, 10000, 10000, 10000);
	assert_true(is_aside(sim, 2));
	window(sim, 0, 10000, 10000, 10000);
	assert_false(is_aside(sim, 0));
	end(sim);
}

/* Whichever of them it is, and the other is told. */
static void
any_worker_steps_aside(void **unused)
{
	struct sim *sim = throttled(2);

	(void)unused;
	/* The other one is about to, at this moment. */
	atomic_store(&sim->sched.asides, 1);
	window(sim, 0, 5000, 5000, 5000);
	assert_false(is_aside(sim, 0));
	atomic_store(&sim->sched.asides, 0);
	window(sim, 0, 5000, 5000, 5000);
	assert_true(is_aside(sim, 0));
	assert_int_equal(atomic_load(&sim->sched.asides), 1);
	assert_int_equal(atomic_load(&worker(sim, 1)->yielded), 1);
	assert_int_equal(atomic_load(&worker(sim, 0)->yielded), 0);
	window(sim, 1, 10000, 10000, 5000);
	assert_false(is_aside(sim, 1));
	assert_int_equal(atomic_load(&sim->sched.asides), 1);
	end(sim);
}

static void
who_is_not_missed_stays_away_longer_each_time(void **unused)
{
	static const int64_t away[] = { 8, 16, 32, 64, 64 };
	struct sim *sim = throttled(2);

	(void)unused;
	for (unsigned i = 0; i < 5; i++) {
		step_aside(sim);
		assert_false(nap(sim, TR_MS(1), 40000)); /* the trial */
		for (int64_t ms = 1; ms < away[i]; ms++)
			assert_false(nap(sim, TR_MS(1), 40000));
		assert_true(nap(sim, TR_MS(1), 40000));
		assert_false(is_aside(sim, 1));
	}
	end(sim);
}

static void
who_is_missed_comes_back_and_is_left_alone(void **unused)
{
	/* Sixteen times the trial at least; all but the first begin earlier. */
	static const int64_t alone[] = { 16, 24, 32, 64, 128, 256, 256 };
	struct sim *sim = throttled(2);

	(void)unused;
	for (unsigned i = 0; i < 7; i++) {
		step_aside(sim); /* all did 20,000 in half a millisecond */
		assert_true(nap(sim, TR_MS(1), 5000));
		assert_false(is_aside(sim, 1));
		both_work(sim, TR_MS(alone[i]) - 2 * TRI_THROTTLE_NS);
		window(sim, 1, 10000, 10000, 5000);
		assert_false(is_aside(sim, 1));
		work(sim, 1, TRI_THROTTLE_NS, 10000, 10000, 5000);
	}
	end(sim);
}

/* Away for that long, while so much is done in each ms. */
static void
stay_away(struct sim *sim, int64_t ms, uint64_t pace)
{
	while (--ms > 0)
		assert_false(nap(sim, TR_MS(1), pace));
	assert_true(nap(sim, TR_MS(1), pace));
}

/* A trial of one ms, in which so much is done, and it fails. */
static void
try_in_vain(struct sim *sim, uint64_t alone)
{
	step_aside(sim);
	assert_true(nap(sim, TR_MS(1), alone));
	assert_false(is_aside(sim, 1));
}

/* Then they do so much together; whether it is aside after that. */
static bool
review(struct sim *sim, int64_t ns, uint64_t both)
{
	work(sim, 1, ns, both / 2, both / 2, 0);
	tri_worker_poll(worker(sim, 1));
	return is_aside(sim, 1);
}

static void
who_turns_out_not_to_be_missed_goes_at_once(void **unused)
{
	struct sim *sim = throttled(2);

	(void)unused;
	try_in_vain(sim, 26000);
	assert_true(review(sim, TR_MS(1), 24400));
	stay_away(sim, 8, 26000);
	/* It is forgotten that it had been missed. */
	assert_int_equal(atomic_load(&sim->sched.no_trials), 0);
	end(sim);
}

static void
but_not_for_a_little(void **unused)
{
	struct sim *sim = throttled(2);

	(void)unused;
	try_in_vain(sim, 26000);
	assert_false(review(sim, TR_MS(1) - 1, 24000)); /* too early */
	assert_false(review(sim, 1, 500)); /* 24,500 */
	end(sim);
}

/* Every worker is wanted then. */
static void
nor_while_the_system_stops(void **unused)
{
	struct sim *sim = throttled(2);

	(void)unused;
	try_in_vain(sim, 26000);
	atomic_store(&sim->sched.attention, 1);
	assert_false(review(sim, TR_MS(1), 24400));
	atomic_store(&sim->sched.attention, 0);
	end(sim);
}

/* Or it was asleep meanwhile. */
static void
nor_where_little_is_done(void **unused)
{
	struct sim *sim = throttled(2);

	(void)unused;
	try_in_vain(sim, 26000);
	assert_false(review(sim, TR_MS(1), 1999));
	assert_true(worker(sim, 1)->throttle.review.again);
	end(sim);
	sim = throttled(2);
	try_in_vain(sim, 26000);
	assert_false(review(sim, TR_MS(4), 4 * 24400));
	assert_true(worker(sim, 1)->throttle.review.again);
	end(sim);
}

/* Later it may have become another program. */
static void
who_is_not_missed_later_tries_again(void **unused)
{
	struct sim *sim = throttled(2);

	(void)unused;
	try_in_vain(sim, 26000);
	assert_false(review(sim, TR_MS(1), 40000));
	assert_false(review(sim, TR_MS(8), 8 * 24400));
	step_aside(sim);
	assert_true(worker(sim, 1)->throttle.trial.on);
	end(sim);
}

/* What one of them has found out. */
static void
nobody_tries_again_so_soon(void **unused)
{
	struct sim *sim = throttled(2);

	(void)unused;
	step_aside(sim);
	assert_true(nap(sim, TR_MS(1), 26000));
	sim->now += TR_MS(16) - 2 * TRI_THROTTLE_NS;
	window(sim, 0, 10000, 10000, 10000);
	assert_false(is_aside(sim, 0));
	work(sim, 0, TRI_THROTTLE_NS, 10000, 10000, 5000);
	window(sim, 0, 10000, 10000, 10000);
	assert_true(is_aside(sim, 0));
	end(sim);
}

/* A trial that is close all the time; whether it takes part again after that. */
static bool
nap_close(struct sim *sim, uint64_t first)
{
	for (unsigned i = 0; i < 3; i++)
		assert_false(nap(sim, TR_MS(1), first));
	return nap(sim, TR_MS(1), first);
}

static void
a_trial_that_is_close_takes_longer(void **unused)
{
	struct sim *sim = throttled(2);

	(void)unused;
	step_aside(sim); /* 40,000 in a ms */
	assert_true(nap_close(sim, 39000));
	/* It took 4 ms. */
	both_work(sim, TR_MS(64) - 2 * TRI_THROTTLE_NS);
	window(sim, 1, 10000, 10000, 5000);
	assert_false(is_aside(sim, 1));
	end(sim);
}

static void
each_ms_of_it_counts_for_itself(void **unused)
{
	struct sim *sim = throttled(2);

	(void)unused;
	step_aside(sim);
	assert_false(nap(sim, TR_MS(1), 27000));
	assert_false(nap(sim, TR_MS(1), 27000));
	assert_false(nap(sim, TR_MS(1), 41000));
	stay_away(sim, 24, 41000);
	end(sim);
}

static void
a_trial_begins_when_the_backlog_is_gone(void **unused)
{
	struct sim *sim = throttled(2);

	(void)unused;
	waiting = 40000;
	step_aside(sim);
	for (waiting = 35000; waiting > 10000; waiting -= 5000)
		assert_false(nap(sim, TR_MS(1), 5000));
	assert_false(nap(sim, TR_MS(1), 5000));
	assert_false(nap(sim, TR_MS(1), 41000));
	stay_away(sim, 56, 41000); /* it took 7 ms */
	/* Few are no backlog. */
	waiting = 16384;
	step_aside(sim);
	assert_true(nap(sim, TR_MS(1), 5000));
	end(sim);
}

static void
a_trial_goes_on_while_messages_pile_up(void **unused)
{
	struct sim *sim = throttled(2);

	(void)unused;
	step_aside(sim);
	for (unsigned ms = 1; ms < 10; ms++) {
		waiting += 20000;
		assert_false(nap(sim, TR_MS(1), 20000));
	}
	/* 30,000 in a ms, on average, and an eighth of them. */
	waiting = 40000;
	assert_false(nap(sim, TR_MS(1), 120000));
	waiting = 0;
	assert_false(nap(sim, TR_MS(1), 20000));
	assert_true(nap(sim, TR_MS(1), 2000));
	end(sim);
}

static void
what_is_clearly_better_need_not_wait(void **unused)
{
	struct sim *sim = throttled(2);

	(void)unused;
	step_aside(sim);
	waiting += 50000;
	assert_false(nap(sim, TR_MS(1), 50000));
	stay_away(sim, 8, 50000);
	end(sim);
}

static void
no_trial_goes_on_for_ever(void **unused)
{
	struct sim *sim = throttled(2);

	(void)unused;
	step_aside(sim);
	for (unsigned ms = 1; ms < 32; ms++) {
		waiting += 20000;
		assert_false(nap(sim, TR_MS(1), 20000));
	}
	waiting += 20000;
	assert_true(nap(sim, TR_MS(1), 20000));
	end(sim);
}

/* Nobody's batch is over meanwhile: that says nothing. */
static bool
nap_still(struct sim *sim)
{
	waiting += 20000;
	work(sim, 1, TR_MS(1), 20000, 0, 0);
	tri_worker_read_clock(worker(sim, 1));
	return tri_throttle_is_over(worker(sim, 1));
}

static void
a_trial_in_which_all_stand_still_ends(void **unused)
{
	struct sim *sim = throttled(2);

	(void)unused;
	for (unsigned i = 0; i < JOBS; i++)
		tri_sched_push_back(worker(sim, 0), word(sim, i));
	step_aside(sim);
	for (unsigned i = 0; i < 11; i++)
		assert_false(nap_still(sim));
	assert_true(nap_still(sim));
	/* It is tried again as if it had never been, by anybody. */
	sim->now += TR_MS(8) - TRI_THROTTLE_NS;
	step_aside(sim);
	end(sim);
}

static void
but_not_again_soon_where_few_wait(void **unused)
{
	struct sim *sim = throttled(2);

	(void)unused;
	step_aside(sim);
	for (unsigned i = 0; i < 11; i++)
		assert_false(nap_still(sim));
	assert_true(nap_still(sim));
	sim->now += TR_MS(12 * 16) - 2 * TRI_THROTTLE_NS;
	window(sim, 1, 10000, 10000, 5000);
	assert_false(is_aside(sim, 1));
	work(sim, 1, TRI_THROTTLE_NS, 10000, 10000, 5000);
	step_aside(sim);
	end(sim);
}

static void
what_meets_crowds_at_mailboxes_crosses_over(void **unused)
{
	struct sim *sim = throttled(2);

	(void)unused;
	window(sim, 1, 10000, 10000, 0);
	assert_false(is_aside(sim, 1));
	tri_worker_poll(worker(sim, 1));
	tri_count(&worker(sim, 1)->counts.crowds, (uint64_t)2);
	work(sim, 1, TRI_THROTTLE_NS, 10000, 10000, 0);
	tri_worker_poll(worker(sim, 1));
	assert_true(is_aside(sim, 1));
	end(sim);
}

static void
what_was_done_in_its_sleep_does_not_count(void **unused)
{
	struct sim *sim = throttled(2);

	(void)unused;
	window(sim, 1, 10000, 1000, 0); /* large messages */
	sim->now += 8 * TRI_THROTTLE_NS;
	tri_count(&worker(sim, 1)->counts.parks, (uint64_t)1);
	step_aside(sim);
	/* 40,000 and 22,000, and not what is done in 4 ms. */
	assert_true(nap_close(sim, 30000));
	end(sim);
}

static void
what_was_done_in_a_long_handler_does(void **unused)
{
	struct sim *sim = throttled(2);

	(void)unused;
	tri_worker_poll(worker(sim, 1));
	work(sim, 1, 10 * TRI_THROTTLE_NS, 50000, 50000, 0);
	tri_worker_poll(worker(sim, 1)); /* 20,000 in a ms */
	step_aside(sim); /* 40,000 */
	assert_false(nap(sim, TR_MS(1), 32000));
	stay_away(sim, 8, 32000);
	end(sim);
}

static void
who_is_missed_later_comes_back_soon(void **unused)
{
	struct sim *sim = throttled(2);

	(void)unused;
	step_aside(sim);
	assert_false(nap(sim, TR_MS(1), 50000));
	/* It gets slower, but there is nothing to take. */
	for (unsigned i = 0; i < 4; i++)
		assert_false(nap(sim, TR_MS(1), 1000));
	/* There is, but it is not slow any more. */
	tri_sched_push_back(worker(sim, 0), word(sim, 0));
	assert_false(nap(sim, TR_MS(1), 26000));
	assert_true(nap(sim, TR_MS(1), 24000));
	assert_false(is_aside(sim, 1));
	end(sim);
}

static void
one_slow_ms_is_not_missed(void **unused)
{
	struct sim *sim = throttled(2);

	(void)unused;
	step_aside(sim);
	assert_false(nap(sim, TR_MS(1), 50000));
	tri_sched_push_back(worker(sim, 0), word(sim, 0));
	assert_false(nap(sim, TR_MS(1), 0));
	assert_false(nap(sim, TR_MS(1), 50000));
	assert_false(nap(sim, TR_MS(1), 0));
	/* 31,875 on average. */
	assert_true(nap(sim, TR_MS(1), 0));
	end(sim);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_steps_aside_gives_all_it_has),
		cmocka_unit_test(what_it_wakes_meanwhile_goes_there_too),
		cmocka_unit_test(a_pinned_word_stays),
		cmocka_unit_test(who_has_reason_to_stay_stays),
		cmocka_unit_test(what_others_did_alone_does_not_count),
		cmocka_unit_test(one_of_many_is_no_change),
		cmocka_unit_test(a_burst_is_no_reason),
		cmocka_unit_test(who_takes_no_part_has_no_say),
		cmocka_unit_test(stolen_actors_cross_over),
		cmocka_unit_test(what_comes_in_a_stream_is_none),
		cmocka_unit_test(somebody_busy_always_remains),
		cmocka_unit_test(who_is_not_missed_stays_away_longer_each_time),
		cmocka_unit_test(who_is_missed_comes_back_and_is_left_alone),
		cmocka_unit_test(who_turns_out_not_to_be_missed_goes_at_once),
		cmocka_unit_test(but_not_for_a_little),
		cmocka_unit_test(nor_while_the_system_stops),
		cmocka_unit_test(nor_where_little_is_done),
		cmocka_unit_test(who_is_not_missed_later_tries_again),
		cmocka_unit_test(nobody_tries_again_so_soon),
		cmocka_unit_test(a_trial_that_is_close_takes_longer),
		cmocka_unit_test(each_ms_of_it_counts_for_itself),
		cmocka_unit_test(a_trial_begins_when_the_backlog_is_gone),
		cmocka_unit_test(a_trial_goes_on_while_messages_pile_up),
		cmocka_unit_test(what_is_clearly_better_need_not_wait),
		cmocka_unit_test(no_trial_goes_on_for_ever),
		cmocka_unit_test(a_trial_in_which_all_stand_still_ends),
		cmocka_unit_test(but_not_again_soon_where_few_wait),
		cmocka_unit_test(what_meets_crowds_at_mailboxes_crosses_over),
		cmocka_unit_test(what_was_done_in_its_sleep_does_not_count),
		cmocka_unit_test(what_was_done_in_a_long_handler_does),
		cmocka_unit_test(who_is_missed_later_comes_back_soon),
		cmocka_unit_test(one_slow_ms_is_not_missed),
		cmocka_unit_test(any_worker_steps_aside),
	};

	alarm(TOO_LONG_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
