/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sched/reserve.h: what a worker keeps it gets back, once; others get what it
 * was told of.  And the note that goes with a worker's `next`.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rig_runq.h"
#include "sched/sched.h"

enum {
	WORDS = 4 * TRI_RESERVE_SLOTS,
	SHARERS = TRI_RESERVE_SLOTS / TRI_RESERVE_BITS, /* of a bit */
};

static const char thief;

static bool
fence(struct tri_env *env)
{
	(void)env;
	return true;
}

static struct tri_env env = { .fence_others = fence };

/* Words whose places follow one another. */
static tri_word
word(unsigned i)
{
	return ((tri_word)i + 2 * TRI_RESERVE_SLOTS) * TRI_LINE;
}

static struct tri_reserve *
reserve_new(unsigned slots)
{
	struct tri_reserve *r = aligned_alloc(TRI_LINE, sizeof(*r));

	assert_non_null(r);
	tri_reserve_init(r, slots, true);
	return r;
}

static bool
take(struct tri_reserve *r, tri_word w)
{
	return tri_reserve_take(tri_reserve_place(r, w), w);
}

static void
keep_free(struct tri_reserve *r, unsigned i)
{
	assert_int_equal(tri_reserve_keep(r, word(i)), 0);
}

static void
expect_none(struct tri_reserve *r)
{
	assert_int_equal(tri_reserve_take_any(r), 0);
	assert_false(tri_reserve_has_any(r));
	for (unsigned i = 0; i < WORDS; i++)
		assert_false(take(r, word(i)));
}

static void
what_is_kept_is_taken_once(void **unused)
{
	struct tri_reserve *r = reserve_new(TRI_RESERVE_SLOTS);

	(void)unused;
	expect_none(r);
	for (unsigned i = 0; i < TRI_RESERVE_SLOTS; i++)
		keep_free(r, i);
	assert_true(tri_reserve_has_any(r));
	for (unsigned i = 0; i < TRI_RESERVE_SLOTS; i++) {
		assert_false(take(r, word(i + TRI_RESERVE_SLOTS)));
		assert_true(take(r, word(i)));
		assert_false(take(r, word(i)));
	}
	expect_none(r);
	free(r);
}

static void
all_are_taken_one_by_one(void **unused)
{
	struct tri_reserve *r = reserve_new(TRI_RESERVE_SLOTS);
	unsigned seen[TRI_RESERVE_SLOTS] = { 0 }, n = 0;
	tri_word w;

	(void)unused;
	for (unsigned i = 0; i < TRI_RESERVE_SLOTS; i++)
		keep_free(r, i);
	/* Some are gone already. */
	assert_true(take(r, word(3)));
	assert_true(take(r, word(TRI_RESERVE_SLOTS - 1)));
	while ((w = tri_reserve_take_any(r)) != 0) {
		n++;
		for (unsigned i = 0; i < TRI_RESERVE_SLOTS; i++)
			seen[i] += word(i) == w;
	}
	assert_int_equal(n, TRI_RESERVE_SLOTS - 2);
	for (unsigned i = 0; i < TRI_RESERVE_SLOTS; i++)
		assert_int_equal(seen[i], i != 3 && i != TRI_RESERVE_SLOTS - 1);
	expect_none(r);
	free(r);
}

static void
whoever_had_the_place_comes_out(void **unused)
{
	(void)unused;
	for (unsigned slots = 1; slots <= TRI_RESERVE_SLOTS; slots *= 2) {
		struct tri_reserve *r = reserve_new(slots);

		keep_free(r, 0);
		assert_int_equal(tri_reserve_keep(r, word(slots)), word(0));
		assert_int_equal(tri_reserve_keep(r, word(2 * slots)),
		    word(slots));
		assert_false(take(r, word(0)));
		assert_true(take(r, word(2 * slots)));
		expect_none(r);
		free(r);
	}
}

static void
told_of_one_gets_all_that_share_its_bit(void **unused)
{
	struct tri_reserve *r = reserve_new(TRI_RESERVE_SLOTS);
	uint64_t told;
	tri_word w, sum = 0;
	unsigned n;

	(void)unused;
	for (unsigned i = 0; i < TRI_RESERVE_SLOTS; i++)
		keep_free(r, i);
	assert_false(tri_reserve_is_told(r));
	tri_reserve_tell(r, word(70));
	tri_reserve_tell(r, word(70));
	tri_reserve_tell(r, word(5));
	assert_true(tri_reserve_is_told(r));
	told = tri_reserve_listen(r);
	assert_false(tri_reserve_is_told(r));
	for (n = 0; (w = tri_reserve_take_told(r, &told)) != 0; n++)
		sum += w;
	assert_int_equal(told, 0);
	assert_int_equal(n, 2 * SHARERS);
	for (unsigned i = 0; i < SHARERS; i++)
		sum -= word(5 + i * TRI_RESERVE_BITS) +
		    word(6 + i * TRI_RESERVE_BITS);
	assert_int_equal(sum, 0);
	for (n = 0; tri_reserve_take_any(r) != 0; n++)
		continue;
	assert_int_equal(n, TRI_RESERVE_SLOTS - 2 * SHARERS);
	free(r);
}

static void
told_of_one_that_is_not_kept_is_nothing(void **unused)
{
	struct tri_reserve *r = reserve_new(16);
	uint64_t told;

	(void)unused;
	keep_free(r, 1);
	tri_reserve_tell(r, word(2));
	told = tri_reserve_listen(r);
	assert_int_equal(tri_reserve_take_told(r, &told), 0);
	assert_true(take(r, word(1)));
	/* With few slots bits share them. */
	keep_free(r, 2);
	tri_reserve_tell(r, word(2 + 32));
	told = tri_reserve_listen(r);
	assert_int_equal(tri_reserve_take_told(r, &told), word(2));
	free(r);
}

static void
thief_gets_whom_the_owner_was_told_of(void **unused)
{
	struct tri_reserve *r = reserve_new(TRI_RESERVE_SLOTS);
	uint64_t told;

	(void)unused;
	keep_free(r, 7);
	keep_free(r, 8 + TRI_RESERVE_BITS);
	assert_int_equal(tri_reserve_steal(r, &env, &thief), 0);
	tri_reserve_tell(r, word(8));
	assert_int_equal(tri_reserve_steal(r, &env, &thief),
	    word(8 + TRI_RESERVE_BITS));
	assert_int_equal(tri_reserve_steal(r, &env, &thief), 0);
	/* The owner was told all the same, and finds that it is gone. */
	told = tri_reserve_listen(r);
	assert_int_equal(tri_reserve_take_told(r, &told), 0);
	assert_false(take(r, word(8 + TRI_RESERVE_BITS)));
	keep_free(r, 8 + TRI_RESERVE_BITS);
	assert_true(take(r, word(8 + TRI_RESERVE_BITS)));
	assert_int_equal(tri_reserve_take_any(r), word(7));
	assert_int_equal(tri_reserve_take_any(r), 0);
	free(r);
}

/* ------------------------------------------------------- those that wait --- */

static int notes[TRI_RESERVE_SLOTS];

static void
wait_free(struct tri_reserve *r, unsigned i)
{
	tri_word before;

	assert_true(tri_reserve_queue(r, word(i), &notes[i % TRI_RESERVE_SLOTS],
	    &before));
	assert_int_equal(before, 0);
}

static void
expect_next(struct tri_reserve *r, unsigned i)
{
	void *note = NULL;

	assert_int_equal(tri_reserve_pop(r, &note), word(i));
	assert_ptr_equal(note, &notes[i % TRI_RESERVE_SLOTS]);
}

static void
expect_nobody_waits(struct tri_reserve *r)
{
	void *note = &notes[0];

	assert_int_equal(tri_reserve_pop(r, &note), 0);
	assert_null(note);
	assert_false(tri_reserve_waits(r));
}

static void
those_that_wait_come_in_order_with_their_notes(void **unused)
{
	(void)unused;
	for (unsigned slots = 1; slots <= TRI_RESERVE_SLOTS; slots *= 2) {
		struct tri_reserve *r = reserve_new(slots);
		tri_word before;

		expect_nobody_waits(r);
		for (unsigned lap = 0; lap < 3; lap++) {
			for (unsigned i = 0; i < slots; i++)
				wait_free(r, i * 3 % slots);
			assert_true(tri_reserve_waits(r));
			assert_false(tri_reserve_queue(r, word(slots),
			    &notes[0], &before));
			assert_int_equal(before, 0);
			for (unsigned i = 0; i < slots; i++)
				expect_next(r, i * 3 % slots);
			expect_nobody_waits(r);
		}
		expect_none(r);
		free(r);
	}
}

static void
who_waits_keeps_its_place(void **unused)
{
	struct tri_reserve *r = reserve_new(4);
	tri_word before;

	(void)unused;
	wait_free(r, 1);
	assert_int_equal(tri_reserve_keep(r, word(5)), word(5));
	assert_false(tri_reserve_queue(r, word(9), &notes[0], &before));
	assert_int_equal(before, 0);
	/* It is not idle, so it is not let go of, and told of it is nothing. */
	assert_int_equal(tri_reserve_take_any(r), 0);
	tri_reserve_tell(r, word(1));
	assert_int_equal(tri_reserve_take_told(r,
			     &(uint64_t){ tri_reserve_listen(r) }),
	    0);
	expect_next(r, 1);
	expect_nobody_waits(r);
	free(r);
}

static void
who_is_idle_makes_room_for_one_that_waits(void **unused)
{
	struct tri_reserve *r = reserve_new(4);
	tri_word before;

	(void)unused;
	keep_free(r, 1);
	assert_true(tri_reserve_queue(r, word(5), &notes[5], &before));
	assert_int_equal(before, word(1));
	expect_next(r, 5);
	expect_none(r);
	free(r);
}

static void
note_is_renewed_in_place(void **unused)
{
	struct tri_reserve *r = reserve_new(4);
	struct tri_place *p = tri_reserve_place(r, word(1));

	(void)unused;
	wait_free(r, 0);
	wait_free(r, 1);
	assert_true(tri_reserve_take(p, word(1)));
	assert_ptr_equal(tri_reserve_note(p), &notes[1]);
	tri_reserve_return(p, word(1), &notes[2]);
	expect_next(r, 0);
	assert_int_equal(tri_reserve_pop(r, &(void *){ NULL }), word(1));
	assert_ptr_equal(tri_reserve_note(p), &notes[2]);
	free(r);
}

static void
thief_gets_those_that_wait(void **unused)
{
	struct tri_reserve *r = reserve_new(TRI_RESERVE_SLOTS);

	(void)unused;
	keep_free(r, 1);
	wait_free(r, 2);
	wait_free(r, 3);
	assert_int_equal(tri_reserve_steal(r, &env, &thief), word(2));
	assert_int_equal(tri_reserve_steal(r, &env, &thief), word(3));
	assert_int_equal(tri_reserve_steal(r, &env, &thief), 0);
	/* The owner finds out when their turn comes. */
	assert_true(tri_reserve_waits(r));
	expect_nobody_waits(r);
	assert_true(take(r, word(1)));
	expect_none(r);
	free(r);
}

static void
stack_free(struct tri_reserve *r, unsigned i)
{
	tri_word before;

	assert_true(tri_reserve_stack(r, word(i), &notes[i % TRI_RESERVE_SLOTS],
	    &before));
	assert_int_equal(before, 0);
}

static void
expect_newest(struct tri_reserve *r, unsigned i)
{
	void *note = NULL;

	assert_int_equal(tri_reserve_pop_newest(r, &note), word(i));
	assert_ptr_equal(note, &notes[i % TRI_RESERVE_SLOTS]);
}

static void
expect_oldest(struct tri_reserve *r, unsigned i)
{
	void *note = NULL;

	assert_int_equal(tri_reserve_pop_oldest(r, &note), word(i));
	assert_ptr_equal(note, &notes[i % TRI_RESERVE_SLOTS]);
}

static void
new_ones_come_from_either_end(void **unused)
{
	struct tri_reserve *r = reserve_new(TRI_RESERVE_SLOTS);
	tri_word before;
	void *note = &notes[0];

	(void)unused;
	/* Also round the end of the array. */
	for (unsigned lap = 0; lap < 3; lap++) {
		for (unsigned i = 0; i < TRI_RESERVE_STACK; i++)
			stack_free(r, i);
		assert_int_equal(tri_reserve_count(r), TRI_RESERVE_STACK);
		assert_false(
		    tri_reserve_stack(r, word(100), &notes[0], &before));
		assert_int_equal(before, 0);
		for (unsigned i = 0; i < TRI_RESERVE_STACK / 2 - lap; i++) {
			expect_oldest(r, i);
			expect_newest(r, TRI_RESERVE_STACK - 1 - i);
		}
		for (unsigned i = 0; i < 2 * lap; i++)
			expect_newest(r, TRI_RESERVE_STACK / 2 + lap - 1 - i);
		assert_int_equal(tri_reserve_pop_newest(r, &note), 0);
		assert_null(note);
		assert_false(tri_reserve_waits(r));
		assert_int_equal(tri_reserve_pop_oldest(r, &note), 0);
	}
	expect_none(r);
	free(r);
}

static void
oldest_of_both_take_turns(void **unused)
{
	struct tri_reserve *r = reserve_new(TRI_RESERVE_SLOTS);

	(void)unused;
	for (unsigned i = 0; i < 3; i++) {
		wait_free(r, i);
		stack_free(r, 10 + i);
	}
	expect_next(r, 0);
	expect_next(r, 10);
	expect_next(r, 1);
	expect_next(r, 11);
	expect_newest(r, 12);
	expect_next(r, 2);
	expect_nobody_waits(r);
	/* If all of one kind are stolen, those of the other come. */
	for (unsigned i = 0; i < 2; i++) {
		wait_free(r, 20);
		stack_free(r, 30);
		assert_int_equal(tri_reserve_steal(r, &env, &thief), word(20));
		expect_next(r, 30);
		expect_nobody_waits(r);
	}
	expect_none(r);
	free(r);
}

static void
new_one_that_was_stolen_counts_for_nothing(void **unused)
{
	struct tri_reserve *r = reserve_new(TRI_RESERVE_SLOTS);

	(void)unused;
	stack_free(r, 2);
	stack_free(r, 4);
	stack_free(r, 6);
	assert_int_equal(tri_reserve_steal(r, &env, &thief), word(2));
	assert_false(take(r, word(2)));
	keep_free(r, 2);
	expect_newest(r, 6);
	expect_oldest(r, 4);
	expect_nobody_waits(r);
	assert_int_equal(tri_reserve_take_any(r), word(2));
	expect_none(r);
	free(r);
}

/* Stolen, back, and kept: its old turn is not one. */
static void
turn_of_what_was_stolen_counts_for_nothing(void **unused)
{
	struct tri_reserve *r = reserve_new(TRI_RESERVE_SLOTS);

	(void)unused;
	wait_free(r, 2);
	wait_free(r, 4);
	assert_int_equal(tri_reserve_steal(r, &env, &thief), word(2));
	/* The slot is empty only when its owner has come to it. */
	assert_false(take(r, word(2)));
	keep_free(r, 2);
	expect_next(r, 4);
	expect_nobody_waits(r);
	/* Or it waits again: then it has two turns, and takes the first. */
	wait_free(r, 8);
	assert_int_equal(tri_reserve_steal(r, &env, &thief), word(8));
	assert_false(take(r, word(8)));
	wait_free(r, 9);
	wait_free(r, 8);
	expect_next(r, 8);
	expect_next(r, 9);
	expect_nobody_waits(r);
	assert_int_equal(tri_reserve_take_any(r), word(2));
	expect_none(r);
	free(r);
}

static void
turns_of_what_was_stolen_take_room(void **unused)
{
	struct tri_reserve *r = reserve_new(4);
	tri_word before;

	(void)unused;
	for (unsigned i = 0; i < 4; i++)
		wait_free(r, i);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(tri_reserve_steal(r, &env, &thief), word(i));
		assert_false(take(r, word(i)));
		assert_false(tri_reserve_queue(r, word(i), &notes[i], &before));
	}
	expect_nobody_waits(r);
	wait_free(r, 3);
	expect_next(r, 3);
	free(r);
}

/* ---------------------------------------------------------------- note -- */

static struct tri_worker *
worker_new(void)
{
	struct tri_worker *w = aligned_alloc(TRI_LINE,
	    (sizeof(*w) + TRI_LINE - 1) / TRI_LINE * TRI_LINE);

	assert_non_null(w);
	memset(w, 0, sizeof(*w));
	tri_next_init(&w->q.next, true);
	return w;
}

static void
next_is_lifted_with_its_note(void **unused)
{
	struct tri_worker *w = worker_new();
	int note, later;

	(void)unused;
	assert_null(tri_sched_lift(w, word(1)));
	tri_sched_push_noted(w, word(1), &note, false);
	assert_null(tri_sched_lift(w, word(2)));
	assert_ptr_equal(tri_sched_lift(w, word(1)), &note);
	assert_null(tri_sched_lift(w, word(1)));
	tri_sched_push_noted(w, word(1), &later, false);
	assert_ptr_equal(tri_sched_lift(w, word(1)), &later);
	free(w);
}

static void
note_does_not_outlive_its_word(void **unused)
{
	struct tri_worker *w = worker_new();
	int note;

	(void)unused;
	tri_sched_push_noted(w, word(1), &note, false);
	assert_int_equal(rig_pop(&w->q), word(1));
	assert_null(tri_sched_lift(w, word(1)));
	/* Somebody else pushes it, and knows no note. */
	tri_sched_push(w, word(1));
	assert_null(tri_sched_lift(w, word(1)));
	assert_int_equal(rig_pop(&w->q), word(1));
	free(w);
}

static void
what_a_thief_has_is_not_lifted(void **unused)
{
	struct tri_worker *w = worker_new();
	int note;

	(void)unused;
	tri_sched_push_noted(w, word(1), &note, false);
	assert_int_equal(tri_next_steal(&w->q.next, &env, &thief), word(1));
	assert_null(tri_sched_lift(w, word(1)));
	free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_kept_is_taken_once),
		cmocka_unit_test(all_are_taken_one_by_one),
		cmocka_unit_test(whoever_had_the_place_comes_out),
		cmocka_unit_test(told_of_one_gets_all_that_share_its_bit),
		cmocka_unit_test(told_of_one_that_is_not_kept_is_nothing),
		cmocka_unit_test(thief_gets_whom_the_owner_was_told_of),
		cmocka_unit_test(
		    those_that_wait_come_in_order_with_their_notes),
		cmocka_unit_test(who_waits_keeps_its_place),
		cmocka_unit_test(who_is_idle_makes_room_for_one_that_waits),
		cmocka_unit_test(note_is_renewed_in_place),
		cmocka_unit_test(thief_gets_those_that_wait),
		cmocka_unit_test(new_ones_come_from_either_end),
		cmocka_unit_test(oldest_of_both_take_turns),
		cmocka_unit_test(new_one_that_was_stolen_counts_for_nothing),
		cmocka_unit_test(turn_of_what_was_stolen_counts_for_nothing),
		cmocka_unit_test(turns_of_what_was_stolen_take_room),
		cmocka_unit_test(next_is_lifted_with_its_note),
		cmocka_unit_test(note_does_not_outlive_its_word),
		cmocka_unit_test(what_a_thief_has_is_not_lifted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
