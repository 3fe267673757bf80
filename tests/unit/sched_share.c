/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sched/share.c: what a worker queues for itself, and when others get it; with
 * workers that are stepped by hand.
 */
#include "rig_share.h"

static void
what_is_displaced_waits_for_its_worker(void **unused)
{
	struct sim *sim = share_begin(2);

	(void)unused;
	for (unsigned i = 0; i < 4; i++)
		push_noted(sim, i, false);
	assert_int_equal(waiting(sim), 3);
	assert_false(is_shared(sim));
	assert_true(tri_sched_waits(worker(sim, 0)));
	for (unsigned i = 0; i < 4; i++)
		expect_step(worker(sim, 0), TRI_RUN);
	expect_order(sim, (unsigned[]){ 3, 0, 1, 2 }, 4);
	assert_false(tri_sched_waits(worker(sim, 0)));
	sim_end(sim);
}

static void
who_has_no_note_is_for_all(void **unused)
{
	struct sim *sim = share_begin(2);

	(void)unused;
	tri_sched_push(worker(sim, 0), word(sim, 0));
	push_noted(sim, 1, false);
	assert_int_equal(waiting(sim), 0);
	assert_true(is_shared(sim));
	tri_sched_push_back(worker(sim, 0), word(sim, 2));
	assert_int_equal(waiting(sim), 0);
	sim_end(sim);
}

static void
many_for_all_are_joined_by_others(void **unused)
{
	struct sim *sim = share_begin(2);

	(void)unused;
	for (unsigned i = 0; i < TRI_RESERVE_FEW; i++)
		tri_sched_push_back(worker(sim, 0), word(sim, i));
	push_noted(sim, TRI_RESERVE_FEW, false);
	push_noted(sim, TRI_RESERVE_FEW + 1, false);
	assert_int_equal(waiting(sim), 0);
	expect_step(worker(sim, 0), TRI_RUN);
	expect_step(worker(sim, 0), TRI_RUN);
	expect_step(worker(sim, 0), TRI_RUN);
	push_noted(sim, TRI_RESERVE_FEW + 2, false);
	push_noted(sim, TRI_RESERVE_FEW + 3, false);
	assert_int_equal(waiting(sim), 1);
	sim_end(sim);
}

static void
nobody_waits_until_handlers_are_known_to_be_quick(void **unused)
{
	struct sim *sim = sim_begin(2);

	(void)unused;
	push_noted(sim, 0, false);
	push_noted(sim, 1, false);
	assert_int_equal(waiting(sim), 0);
	assert_true(is_shared(sim));
	sim_end(sim);
}

static void
who_is_not_alone_queues_for_all(void **unused)
{
	struct sim *sim = share_begin(3);
	struct tri_worker *w = worker(sim, 0);

	(void)unused;
	push_noted(sim, 0, false);
	push_noted(sim, 1, false);
	assert_int_equal(waiting(sim), 1);
	atomic_store(&sim->sched.asides, 1);
	tri_worker_poll(w);
	assert_int_equal(waiting(sim), 0);
	push_noted(sim, 2, false);
	assert_int_equal(waiting(sim), 0);
	sim_end(sim);
}

static void
push_gives_all_to_those_who_look_for_work(void **unused)
{
	struct sim *sim = share_begin(2);

	(void)unused;
	for (unsigned i = 0; i < 4; i++)
		push_noted(sim, i, false);
	put_to_sleep(sim);
	assert_int_equal(waiting(sim), 3);
	push_noted(sim, 4, false);
	assert_int_equal(waiting(sim), 0);
	assert_true(is_shared(sim));
	assert_false(is_idle(sim, 1));
	/* As the watch it brings work at once. */
	expect_step(worker(sim, 1), TRI_RUN);
	expect_step(worker(sim, 1), TRI_RUN);
	assert_int_equal(sim->job[0].ran_on, 1);
	sim_end(sim);
}

static void
step_gives_all_to_those_who_look_for_work(void **unused)
{
	struct sim *sim = share_begin(2);

	(void)unused;
	for (unsigned i = 0; i < 4; i++)
		push_noted(sim, i, false);
	put_to_sleep(sim);
	expect_step(worker(sim, 0), TRI_RUN);
	assert_int_equal(sim->job[3].runs, 1);
	assert_int_equal(waiting(sim), 0);
	assert_false(is_idle(sim, 1));
	/* As the watch it brings work at once. */
	expect_step(worker(sim, 1), TRI_RUN);
	expect_step(worker(sim, 1), TRI_RUN);
	assert_int_equal(sim->job[0].ran_on, 1);
	sim_end(sim);
}

static void
searcher_is_enough(void **unused)
{
	struct sim *sim = share_begin(2);

	(void)unused;
	push_noted(sim, 0, false);
	push_noted(sim, 1, false);
	atomic_store(&sim->sched.searching, 1);
	expect_step(worker(sim, 0), TRI_RUN);
	assert_int_equal(waiting(sim), 0);
	assert_true(is_shared(sim));
	atomic_store(&sim->sched.searching, 0);
	sim_end(sim);
}

static void
queue_stays_open_until_the_poll(void **unused)
{
	struct sim *sim = share_begin(2);
	struct tri_worker *w = worker(sim, 0);

	(void)unused;
	tri_sched_publish(w);
	push_noted(sim, 0, false);
	push_noted(sim, 1, false);
	assert_int_equal(waiting(sim), 0);
	assert_true(is_shared(sim));
	tri_worker_poll(w);
	push_noted(sim, 2, false);
	assert_int_equal(waiting(sim), 1);
	sim_end(sim);
}

static void
who_takes_long_queues_for_all_if_there_are_others(void **unused)
{
	for (unsigned workers = 1; workers <= 2; workers++) {
		struct sim *sim = share_begin(workers);
		struct tri_worker *w = worker(sim, 0);

		(void)unused;
		push_noted(sim, 0, false);
		push_noted(sim, 1, false);
		tri_worker_measure(w);
		tri_sched_reopen(w);
		assert_int_equal(waiting(sim), workers == 1);
		push_noted(sim, 2, false);
		assert_int_equal(waiting(sim), workers == 1 ? 2 : 0);
		tri_worker_poll(w);
		push_noted(sim, 3, false);
		assert_int_equal(waiting(sim), workers == 1 ? 3 : 0);
		sim_end(sim);
	}
}

static void
neither_queue_starves_the_other(void **unused)
{
	struct sim *sim = share_begin(1);
	struct tri_worker *w = worker(sim, 0);
	unsigned shared = 0;

	(void)unused;
	for (unsigned i = 0; i < 8; i++)
		tri_sched_push_back(w, word(sim, i));
	for (unsigned i = 8; i < 17; i++)
		push_noted(sim, i, false);
	expect_step(w, TRI_RUN); /* the one that is next */
	for (unsigned i = 0; i < 8; i++)
		expect_step(w, TRI_RUN);
	for (unsigned i = 1; i < 9; i++)
		shared += sim->order[i] < 8;
	assert_int_equal(shared, 4);
	for (unsigned i = 0; i < 8; i++)
		expect_step(w, TRI_RUN);
	assert_int_equal(sim->ran, 17);
	sim_end(sim);
}

static void
note_goes_with_its_word(void **unused)
{
	struct sim *sim = share_begin(1);
	struct tri_worker *w = worker(sim, 0);

	(void)unused;
	for (unsigned i = 0; i < 3; i++)
		push_noted(sim, i, false);
	/* Its turn comes while none is next: its note is at hand. */
	expect_step(w, TRI_RUN);
	expect_step(w, TRI_RUN);
	expect_order(sim, (unsigned[]){ 2, 0 }, 2);
	assert_ptr_equal(w->q.note, &sim->job[0]);
	/* One is next that had too many turns: nobody's note is. */
	push_noted(sim, 5, false);
	w->q.next_left = 0;
	expect_step(w, TRI_RUN);
	assert_int_equal(sim->order[2], 1);
	assert_null(w->q.note);
	assert_null(tri_sched_lift(w, word(sim, 5)));
	expect_step(w, TRI_RUN);
	sim_end(sim);
}

static void
stolen_word_has_no_note(void **unused)
{
	struct sim *sim = share_begin(2);
	struct tri_worker *w = worker(sim, 0);

	(void)unused;
	push_noted(sim, 0, false);
	expect_step(w, TRI_RUN);
	assert_non_null(w->q.note);
	expect_step(w, TRI_SEARCH);
	tri_runq_push_back(&worker(sim, 1)->q, word(sim, 1));
	expect_step(w, TRI_RUN);
	assert_int_equal(sim->job[1].ran_on, 0);
	assert_null(w->q.note);
	sim_end(sim);
}

/* A thief took the one that waited: its turn is another's, from the queue for
 * all. */
static void
turn_of_a_stolen_word_leaves_no_note(void **unused)
{
	struct sim *sim = share_begin(1);
	struct tri_worker *w = worker(sim, 0);

	(void)unused;
	push_noted(sim, 0, false);
	push_noted(sim, 1, false);
	tri_sched_push_back(w, word(sim, 2));
	expect_step(w, TRI_RUN);
	assert_int_equal(tri_reserve_steal(&w->reserve, w->env, sim),
	    word(sim, 0));
	w->turn = 1;
	expect_step(w, TRI_RUN);
	expect_order(sim, (unsigned[]){ 1, 2 }, 2);
	assert_null(w->q.note);
	sim_end(sim);
}

/* What is pushed while a worker polls is next; a thief took that at once. */
static void
searcher_has_no_note_for_what_it_steals(void **unused)
{
	struct sim *sim = share_begin(2);
	struct tri_worker *w = worker(sim, 0);

	(void)unused;
	expect_step(w, TRI_SEARCH);
	push_noted(sim, 0, false);
	assert_int_equal(tri_next_steal(&w->q.next, w->env, sim), word(sim, 0));
	tri_runq_push_back(&worker(sim, 1)->q, word(sim, 1));
	expect_step(w, TRI_RUN);
	assert_int_equal(sim->job[1].ran_on, 0);
	assert_null(w->q.note);
	sim_end(sim);
}

/* The first is in its worker's cache, after a turn that took long if `slow`; the
 * other worker looks for work. */
static struct sim *
hot_begin(bool slow)
{
	struct sim *sim = share_begin(2);
	struct tri_worker *w = worker(sim, 0);

	sim->now = TICK;
	(void)tri_worker_clock(w);
	if (slow)
		tri_worker_measure(w);
	tri_sched_publish(w);
	tri_sched_push_turned(w, word(sim, 0), &sim->job[0]);
	assert_true(is_shared(sim));
	return sim;
}

static bool
thief_gets(struct sim *sim, unsigned i)
{
	worker(sim, 1)->phase = TRI_SEARCH;
	(void)tri_worker_step(worker(sim, 1));
	return sim->job[i].runs == 1 && sim->job[i].ran_on == 1;
}

static void
hot_word_is_left_to_its_worker_for_a_moment(void **unused)
{
	struct sim *sim = hot_begin(true);

	(void)unused;
	assert_false(thief_gets(sim, 0));
	sim->now += 49000;
	assert_false(thief_gets(sim, 0));
	sim->now += 1000;
	assert_true(thief_gets(sim, 0));
	sim_end(sim);
}

/* Nor for ever, if time does not pass. */
static void
nor_is_it_after_so_many_looks(void **unused)
{
	struct sim *sim = hot_begin(true);
	unsigned looks = 0;

	(void)unused;
	while (!thief_gets(sim, 0) && looks < 1000)
		looks++;
	assert_int_equal(looks, 64);
	sim_end(sim);
}

static void
but_not_what_waits_beside_it(void **unused)
{
	struct sim *sim = hot_begin(true);

	(void)unused;
	tri_sched_push_back(worker(sim, 0), word(sim, 1));
	assert_true(thief_gets(sim, 0));
	sim_end(sim);
}

/* What waits now is another. */
static void
nor_what_waits_while_it_runs(void **unused)
{
	struct sim *sim = hot_begin(true);
	struct tri_worker *w = worker(sim, 0);

	(void)unused;
	assert_int_equal(tri_runq_pop_slow(&w->q), word(sim, 0));
	atomic_store(&w->running, word(sim, 0));
	tri_sched_push_back(w, word(sim, 1));
	assert_true(thief_gets(sim, 1));
	atomic_store(&w->running, 0);
	sim_end(sim);
}

static void
nor_one_whose_turns_are_short(void **unused)
{
	struct sim *sim = hot_begin(false);

	(void)unused;
	assert_true(thief_gets(sim, 0));
	sim_end(sim);
}

static void
held_words_keep_their_turns(void **unused)
{
	struct sim *sim = share_begin(1);
	struct tri_worker *w = worker(sim, 0);

	(void)unused;
	tri_sched_push_back(w, word(sim, 3));
	tri_sched_push_back(w, word(sim, 4));
	assert_true(tri_sched_may_hold(w));
	for (unsigned i = 0; i < 3; i++)
		tri_sched_hold(w, word(sim, i), &sim->job[i]);
	assert_int_equal(waiting(sim), 3);
	for (unsigned i = 0; i < 5; i++)
		expect_step(w, TRI_RUN);
	expect_order(sim, (unsigned[]){ 0, 1, 2, 3, 4 }, 5);
	sim_end(sim);
}

static void
none_is_held_if_others_look_for_work_or_by_one_that_takes_long(void **unused)
{
	struct sim *sim = share_begin(2);
	struct tri_worker *w = worker(sim, 0);

	(void)unused;
	assert_true(tri_sched_may_hold(w));
	atomic_store(&sim->sched.asides, 0);
	assert_true(tri_sched_may_hold(w));
	atomic_store(&sim->sched.searching, 1);
	assert_false(tri_sched_may_hold(w));
	atomic_store(&sim->sched.searching, 0);
	atomic_store(&sim->sched.asides, 1);
	tri_worker_measure(w);
	assert_false(tri_sched_may_hold(w));
	sim_end(sim);
}

static void
nor_behind_what_waits_already(void **unused)
{
	struct sim *sim = share_begin(1);
	struct tri_worker *w = worker(sim, 0);

	(void)unused;
	push_noted(sim, 0, false);
	push_noted(sim, 1, false);
	assert_int_equal(waiting(sim), 1);
	assert_false(tri_sched_may_hold(w));
	expect_step(w, TRI_RUN);
	expect_step(w, TRI_RUN);
	sim_end(sim);
}

static void
who_has_no_place_is_for_all(void **unused)
{
	struct sim *sim = share_begin(1);
	struct tri_worker *w = worker(sim, 0);

	(void)unused;
	for (unsigned i = 0; i < JOBS; i++)
		tri_sched_hold(w, word(sim, i), &sim->job[i]);
	assert_true(waiting(sim) < JOBS);
	assert_int_equal(waiting(sim) + tri_runq_length(&w->q), JOBS);
	for (unsigned i = 0; i < JOBS; i++)
		expect_step(w, TRI_RUN);
	assert_int_equal(sim->ran, JOBS);
	sim_end(sim);
}

/* It has found nothing in the queue for all, for a thief was faster. */
static void
who_waits_is_work(void **unused)
{
	struct sim *sim = share_begin(1);
	struct tri_worker *w = worker(sim, 0);

	(void)unused;
	push_noted(sim, 0, false);
	push_noted(sim, 1, false);
	expect_step(w, TRI_RUN);
	w->phase = TRI_SEARCH;
	expect_step(w, TRI_RUN);
	expect_step(w, TRI_RUN);
	expect_order(sim, (unsigned[]){ 1, 0 }, 2);
	sim_end(sim);
}

/* What a stop has for it comes before a step. */
static void
nobody_sleeps_over_what_it_has(void **unused)
{
	struct sim *sim = share_begin(2);
	struct tri_worker *w = worker(sim, 0);

	(void)unused;
	sim->sleep = sleep_not_at_all;
	step_to_park(w);
	push_noted(sim, 0, false);
	expect_step(w, TRI_SEARCH);
	assert_false(is_idle(sim, 0));
	expect_step(w, TRI_RUN);
	expect_step(w, TRI_RUN);
	expect_order(sim, (unsigned[]){ 0 }, 1);
	/* Nor does one that naps, and is known as idle. */
	expect_step(w, TRI_SEARCH);
	expect_step(w, TRI_PARK);
	expect_step(w, TRI_PARK);
	assert_true(is_idle(sim, 0));
	push_noted(sim, 1, false);
	expect_step(w, TRI_SEARCH);
	assert_false(is_idle(sim, 0));
	expect_step(w, TRI_RUN);
	expect_step(w, TRI_RUN);
	expect_order(sim, (unsigned[]){ 0, 1 }, 2);
	sim_end(sim);
}

static void
watch_takes_those_that_wait_for_a_stuck_worker(void **unused)
{
	struct sim *sim = share_begin(2);

	(void)unused;
	put_to_sleep(sim);
	/* Nobody is idle for all that worker 0 knows. */
	atomic_store(&sim->sched.idle, 0);
	for (unsigned i = 0; i < 6; i++)
		push_noted(sim, i, false);
	assert_int_equal(waiting(sim), 5);
	atomic_store(&sim->sched.idle, 2);
	/* A look to see that it does not get on, and then `next`. */
	for (unsigned looks = 0; sim->ran < 6 && looks < 40; looks++)
		(void)tri_worker_step(worker(sim, 1));
	assert_int_equal(sim->ran, 6);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(sim->job[i].ran_on, 1);
	assert_true(atomic_load(&worker(sim, 1)->counts.steals) == 6);
	/* What is left of them are turns that count for nothing. */
	expect_step(worker(sim, 0), TRI_SEARCH);
	assert_int_equal(waiting(sim), 0);
	sim_end(sim);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_displaced_waits_for_its_worker),
		cmocka_unit_test(who_has_no_note_is_for_all),
		cmocka_unit_test(many_for_all_are_joined_by_others),
		cmocka_unit_test(
		    nobody_waits_until_handlers_are_known_to_be_quick),
		cmocka_unit_test(who_is_not_alone_queues_for_all),
		cmocka_unit_test(push_gives_all_to_those_who_look_for_work),
		cmocka_unit_test(step_gives_all_to_those_who_look_for_work),
		cmocka_unit_test(searcher_is_enough),
		cmocka_unit_test(queue_stays_open_until_the_poll),
		cmocka_unit_test(
		    who_takes_long_queues_for_all_if_there_are_others),
		cmocka_unit_test(neither_queue_starves_the_other),
		cmocka_unit_test(note_goes_with_its_word),
		cmocka_unit_test(stolen_word_has_no_note),
		cmocka_unit_test(turn_of_a_stolen_word_leaves_no_note),
		cmocka_unit_test(searcher_has_no_note_for_what_it_steals),
		cmocka_unit_test(hot_word_is_left_to_its_worker_for_a_moment),
		cmocka_unit_test(nor_is_it_after_so_many_looks),
		cmocka_unit_test(but_not_what_waits_beside_it),
		cmocka_unit_test(nor_what_waits_while_it_runs),
		cmocka_unit_test(nor_one_whose_turns_are_short),
		cmocka_unit_test(held_words_keep_their_turns),
		cmocka_unit_test(
		    none_is_held_if_others_look_for_work_or_by_one_that_takes_long),
		cmocka_unit_test(nor_behind_what_waits_already),
		cmocka_unit_test(who_has_no_place_is_for_all),
		cmocka_unit_test(who_waits_is_work),
		cmocka_unit_test(nobody_sleeps_over_what_it_has),
		cmocka_unit_test(
		    watch_takes_those_that_wait_for_a_stuck_worker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
