/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mailbox/inlet.h: each transition of its table, one at a time, and what a
 * taken batch looks like.
 */
#include "rig_inlet.h"

enum { SATURATED = 65535 };

static struct tri_inlet
inlet_in(uint64_t head)
{
	struct tri_inlet in;

	atomic_init(&in.head, head);
	return in;
}

/* The word of a mailbox that holds n messages, the newest of which is m. */
static uint64_t
word_of(struct tr_msg *m, uint64_t n)
{
	return n << 48 | (uint64_t)(uintptr_t)m;
}

/* ------------------------------------------------- the table's rows ------ */

static void
fresh_memory_is_closed_and_refuses(void **unused)
{
	static struct tri_inlet in; /* zeroed, as fresh memory is */
	struct tr_msg m = { .link = &m, .generation = GENERATION };

	(void)unused;
	assert_int_equal(tri_inlet_push(&in, &m), TRI_PUSH_CLOSED);
	assert_true(head_of(&in) == TRI_INLET_CLOSED);
	assert_ptr_equal(m.link, &m);
	assert_false(tri_inlet_is_msg(head_of(&in)));
}

static void
push_on_idle_asks_the_sender_to_schedule(void **unused)
{
	struct tri_inlet in = inlet_in(TRI_INLET_IDLE);
	struct tr_msg m = { .link = &m };

	(void)unused;
	assert_int_equal(tri_inlet_push(&in, &m), TRI_PUSH_WAKE);
	assert_true(head_of(&in) == word_of(&m, 1));
	assert_null(m.link);
}

static void
push_on_running_and_held_asks_for_nothing(void **unused)
{
	const uint64_t state[] = { TRI_INLET_RUNNING, TRI_INLET_HELD };

	(void)unused;
	for (int i = 0; i < 2; i++) {
		struct tri_inlet in = inlet_in(state[i]);
		struct tr_msg m = { .link = &m };

		assert_int_equal(tri_inlet_push(&in, &m), TRI_PUSH_QUEUED);
		assert_true(head_of(&in) == word_of(&m, 1));
		assert_null(m.link);
	}
}

static void
push_on_a_message_goes_above_it(void **unused)
{
	struct tr_msg first = { .link = NULL }, second = { .link = NULL };
	struct tri_inlet in = inlet_in(word_of(&first, 1));

	(void)unused;
	assert_int_equal(tri_inlet_push(&in, &second), TRI_PUSH_QUEUED);
	assert_true(head_of(&in) == word_of(&second, 2));
	assert_ptr_equal(second.link, &first);
	assert_null(first.link);
	assert_int_equal(tri_inlet_length(head_of(&in)), 2);
	assert_ptr_equal(tri_inlet_msg(head_of(&in)), &second);
}

static void
take_leaves_running_whatever_was_there(void **unused)
{
	const uint64_t state[] = { TRI_INLET_RUNNING, TRI_INLET_IDLE,
		TRI_INLET_HELD };
	struct tr_msg m = { .generation = GENERATION };
	struct tri_inlet in = inlet_in(word_of(&m, 1));
	uint32_t count = 99;

	(void)unused;
	assert_ptr_equal(tri_inlet_take_owner(&in, GENERATION, &count), &m);
	assert_int_equal(count, 1);
	assert_true(head_of(&in) == TRI_INLET_RUNNING);
	for (int i = 0; i < 3; i++) {
		in = inlet_in(state[i]);
		count = 99;
		assert_null(tri_inlet_take_owner(&in, GENERATION, &count));
		assert_int_equal(count, 0);
		assert_true(head_of(&in) == TRI_INLET_RUNNING);
	}
}

static void
rest_gives_back_only_what_nobody_touched(void **unused)
{
	struct tri_inlet in = inlet_in(TRI_INLET_RUNNING);
	struct tr_msg m = { .link = NULL };

	(void)unused;
	assert_true(tri_inlet_rest_owner(&in, TRI_INLET_RUNNING));
	assert_true(head_of(&in) == TRI_INLET_IDLE);
	in = inlet_in(word_of(&m, 1));
	assert_false(tri_inlet_rest_owner(&in, TRI_INLET_RUNNING));
	assert_true(head_of(&in) == word_of(&m, 1));
}

static void
lone_message_is_handled_in_place(void **unused)
{
	struct tr_msg lone = { .generation = GENERATION };
	struct tr_msg late = { .generation = GENERATION };
	struct tri_inlet in = inlet_in(TRI_INLET_IDLE);
	uint32_t count;
	uint64_t seen;

	(void)unused;
	assert_int_equal(tri_inlet_push(&in, &lone), TRI_PUSH_WAKE);
	seen = tri_inlet_look_owner(&in);
	assert_true(seen == word_of(&lone, 1));
	assert_true(tri_inlet_rest_owner(&in, seen));
	assert_true(head_of(&in) == TRI_INLET_IDLE);

	/* A second one came meanwhile: both are still there. */
	assert_int_equal(tri_inlet_push(&in, &lone), TRI_PUSH_WAKE);
	seen = tri_inlet_look_owner(&in);
	assert_int_equal(tri_inlet_push(&in, &late), TRI_PUSH_QUEUED);
	assert_false(tri_inlet_rest_owner(&in, seen));
	assert_ptr_equal(tri_inlet_take_owner(&in, GENERATION, &count), &lone);
	assert_int_equal(count, 2);
	assert_ptr_equal(lone.link, &late);
	assert_null(late.link);
}

static void
close_refuses_from_every_state_and_returns_the_rest(void **unused)
{
	struct tr_msg first = { .generation = GENERATION };
	struct tr_msg second = { .generation = GENERATION };
	struct tri_inlet in;
	uint32_t count;

	(void)unused;
	for (uint64_t s = 0; s < TRI_INLET_STATES; s++) {
		in = inlet_in(s);
		count = 99;
		assert_null(tri_inlet_close_owner(&in, GENERATION, &count));
		assert_int_equal(count, 0);
		assert_true(head_of(&in) == TRI_INLET_CLOSED);
		assert_int_equal(tri_inlet_push(&in, &first), TRI_PUSH_CLOSED);
	}
	in = inlet_in(TRI_INLET_RUNNING);
	assert_int_equal(tri_inlet_push(&in, &first), TRI_PUSH_QUEUED);
	assert_int_equal(tri_inlet_push(&in, &second), TRI_PUSH_QUEUED);
	assert_ptr_equal(tri_inlet_close_owner(&in, GENERATION, &count),
	    &first);
	assert_int_equal(count, 2);
	assert_ptr_equal(first.link, &second);
	assert_null(second.link);
	assert_true(head_of(&in) == TRI_INLET_CLOSED);
}

static void
open_is_idle(void **unused)
{
	static struct tri_inlet in;

	(void)unused;
	tri_inlet_open(&in);
	assert_true(head_of(&in) == TRI_INLET_IDLE);
}

static void
an_idle_actor_is_reserved_and_no_other(void **unused)
{
	struct tr_msg m = { .generation = GENERATION };
	const uint64_t reserved = tri_inlet_reserved_by(63);
	struct tri_inlet in = inlet_in(TRI_INLET_IDLE);
	uint64_t under = TRI_INLET_IDLE; /* a guess, and a wrong one */

	(void)unused;
	assert_true(tri_inlet_reserve(&in, reserved));
	assert_true(head_of(&in) == reserved);
	assert_false(tri_inlet_is_msg(reserved));
	assert_int_equal(tri_inlet_length(reserved), 0);
	assert_false(tri_inlet_reserve(&in, tri_inlet_reserved_by(0)));
	assert_true(head_of(&in) == reserved);
	/* Whoever has it schedules it, not who sends next: that one is told
	 * whom to tell. */
	assert_int_equal(tri_inlet_push_over(&in, &m, &under), TRI_PUSH_QUEUED);
	assert_true(under == reserved);
	assert_null(m.link);
	assert_false(tri_inlet_rest_owner(&in, reserved));
	for (uint64_t s = 0; s < TRI_INLET_STATES; s++) {
		assert_int_equal(tri_inlet_is_reserved(s),
		    s >= TRI_INLET_RESERVED);
		in = inlet_in(s);
		assert_int_equal(tri_inlet_reserve(&in, reserved),
		    s == TRI_INLET_IDLE);
	}
}

static void
who_has_it_lets_go_of_a_reserved_actor(void **unused)
{
	const uint64_t reserved = tri_inlet_reserved_by(5);
	struct tri_inlet in = inlet_in(reserved);

	(void)unused;
	assert_true(tri_inlet_rest_owner(&in, reserved));
	assert_true(head_of(&in) == TRI_INLET_IDLE);
	in = inlet_in(reserved);
	tri_inlet_hold_owner(&in);
	assert_true(head_of(&in) == TRI_INLET_HELD);
}

static void
open_running_takes_messages_and_wakes_nobody(void **unused)
{
	static struct tri_inlet in;
	struct tr_msg m = { .generation = GENERATION };
	uint32_t count;

	(void)unused;
	tri_inlet_open_running(&in, TRI_INLET_RUNNING);
	assert_true(head_of(&in) == TRI_INLET_RUNNING);
	assert_int_equal(tri_inlet_push(&in, &m), TRI_PUSH_QUEUED);
	assert_false(tri_inlet_rest_owner(&in, TRI_INLET_RUNNING));
	assert_ptr_equal(tri_inlet_take_owner(&in, GENERATION, &count), &m);
	assert_true(tri_inlet_rest_owner(&in, TRI_INLET_RUNNING));
	assert_true(head_of(&in) == TRI_INLET_IDLE);
}

/* ------------------------------------------------------ taken batches ---- */

static void
count_saturates_and_the_batch_stays_whole(void **unused)
{
	enum { MANY = SATURATED + 10 };
	struct tri_inlet in = inlet_in(TRI_INLET_RUNNING);
	struct tr_msg *all = messages(MANY), *m;
	uint32_t count, wrong = 0, n = 0;

	(void)unused;
	for (uint32_t i = 0; i < MANY; i++) {
		uint32_t now = i + 1 < SATURATED ? i + 1 : SATURATED;

		wrong += tri_inlet_push(&in, &all[i]) != TRI_PUSH_QUEUED;
		wrong += tri_inlet_length(head_of(&in)) != now;
		wrong += tri_inlet_msg(head_of(&in)) != &all[i];
	}
	m = tri_inlet_take_owner(&in, GENERATION, &count);
	assert_int_equal(count, MANY);
	for (; m != NULL; m = m->link)
		wrong += m->tag != n++;
	assert_int_equal(n, MANY);
	assert_int_equal(wrong, 0);
	free(all);
}

/* Push all in the given order of places; take them, or close; look at the
 * order and at where each one's `ahead` leads. */
static void
check_batch(uint32_t n, uint32_t stride, bool closing)
{
	struct tri_inlet in = inlet_in(TRI_INLET_RUNNING);
	struct tr_msg *all = messages(n), **in_order, *m;
	uint32_t count, at = 0;

	in_order = calloc(n, sizeof(struct tr_msg *));
	assert_non_null(in_order);
	for (uint32_t i = 0; i < n; i++) {
		in_order[i] = &all[(uint64_t)i * stride % n];
		(void)tri_inlet_push(&in, in_order[i]);
	}
	m = closing ? tri_inlet_close_owner(&in, GENERATION, &count) :
		      tri_inlet_take_owner(&in, GENERATION, &count);
	assert_int_equal(count, n);
	for (; m != NULL; m = m->link, at++) {
		uint32_t later = at + TRI_INLET_AHEAD;

		assert_ptr_equal(m, in_order[at]);
		assert_int_equal(m->flags, 0);
		assert_ptr_equal((char *)m + (intptr_t)m->ahead * 32,
		    later < n ? in_order[later] : m);
		tri_inlet_fetch_ahead(m);
	}
	assert_int_equal(at, n);
	free(in_order);
	free(all);
}

static void
batches_are_oldest_first_and_tell_what_is_ahead(void **unused)
{
	(void)unused;
	for (uint32_t n = 1; n < 40; n++) {
		check_batch(n, 1, false);
		check_batch(n, 1, true);
	}
	/* Strides without a common divisor: places all over the memory. */
	check_batch(10007, 1, false);
	check_batch(10007, 10006, false);
	check_batch(10007, 7919, false);
	check_batch(10007, 4409, true);
}

static void
messages_for_a_former_actor_are_marked_stale(void **unused)
{
	enum { N = 50 };
	struct tr_msg *all = messages(N), *m;
	struct tri_inlet in = inlet_in(TRI_INLET_RUNNING);
	uint32_t count;

	(void)unused;
	for (int closing = 0; closing < 2; closing++) {
		in = inlet_in(TRI_INLET_RUNNING);
		for (uint32_t i = 0; i < N; i++) {
			all[i].generation = GENERATION - (i % 3 == 0);
			all[i].flags = i % 2 ? TRI_MSG_DUTY : 0;
			(void)tri_inlet_push(&in, &all[i]);
		}
		m = closing ? tri_inlet_close_owner(&in, GENERATION, &count) :
			      tri_inlet_take_owner(&in, GENERATION, &count);
		assert_int_equal(count, N);
		for (; m != NULL; m = m->link)
			assert_int_equal(m->flags,
			    (m->tag % 3 == 0 ? TRI_MSG_STALE : 0) |
				(m->tag % 2 ? TRI_MSG_DUTY : 0));
	}
	free(all);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fresh_memory_is_closed_and_refuses),
		cmocka_unit_test(push_on_idle_asks_the_sender_to_schedule),
		cmocka_unit_test(push_on_running_and_held_asks_for_nothing),
		cmocka_unit_test(push_on_a_message_goes_above_it),
		cmocka_unit_test(take_leaves_running_whatever_was_there),
		cmocka_unit_test(rest_gives_back_only_what_nobody_touched),
		cmocka_unit_test(lone_message_is_handled_in_place),
		cmocka_unit_test(
		    close_refuses_from_every_state_and_returns_the_rest),
		cmocka_unit_test(open_is_idle),
		cmocka_unit_test(an_idle_actor_is_reserved_and_no_other),
		cmocka_unit_test(who_has_it_lets_go_of_a_reserved_actor),
		cmocka_unit_test(open_running_takes_messages_and_wakes_nobody),
		cmocka_unit_test(count_saturates_and_the_batch_stays_whole),
		cmocka_unit_test(
		    batches_are_oldest_first_and_tell_what_is_ahead),
		cmocka_unit_test(messages_for_a_former_actor_are_marked_stale),
	};

	alarm(TOO_LONG_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
