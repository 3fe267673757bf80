/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mailbox/backoff.h: who pauses, and for how long.
 */
#include "mailbox/backoff.h"

#include "rig_inlet.h"

enum { PUSH_NS = 100, HANDLER = 5 };

/* `n` pushes of one worker to `target`, each on somebody else's; returns how
 * often it was time for a pause. */
static unsigned
meet(struct tri_backoff *b, uint64_t target, unsigned n)
{
	static struct tr_msg mine[2], other;
	unsigned pauses = 0;

	for (unsigned i = 0; i < n; i++)
		if (tri_backoff_pushed(b, target, &mine[i % 2], &other)) {
			pauses++;
			b->meetings = 0;
		}
	return pauses;
}

/* The same on its own, or on nothing. */
static unsigned
push_alone(struct tri_backoff *b, uint64_t target, unsigned n)
{
	static struct tr_msg mine;
	unsigned pauses = 0;

	for (unsigned i = 0; i < n; i++)
		pauses += tri_backoff_pushed(b, target, &mine,
		    i % 2 == 0 ? b->last : NULL);
	return pauses;
}

static void
whoever_pushes_alone_does_not_pause(void **unused)
{
	struct tri_backoff b = { 0 };

	(void)unused;
	assert_int_equal(push_alone(&b, 1, 1000), 0);
	assert_int_equal(b.pushes, 1000);
}

static void
four_meetings_in_a_row_are_one_pause(void **unused)
{
	struct tri_backoff b = { .target = 1 };

	(void)unused;
	assert_int_equal(meet(&b, 1, 3), 0);
	assert_int_equal(push_alone(&b, 1, 1), 0);
	assert_int_equal(meet(&b, 1, 3), 0);
	assert_int_equal(meet(&b, 1, 1), 1);
	assert_int_equal(meet(&b, 1, 8), 2);
}

/* Of different mailboxes: whose message is below says nothing. */
static void
meetings_in_many_mailboxes_are_none(void **unused)
{
	struct tri_backoff b = { 0 };

	(void)unused;
	for (uint64_t target = 1; target < 100; target++)
		assert_int_equal(meet(&b, target, 1), 0);
}

/* A crowd is met after `pushes` in `span_ns`, by `handler`; returns the limit of
 * the pause. */
static uint32_t
limit_in(struct tri_backoff *b, uint64_t handler, uint32_t pushes,
    int64_t span_ns)
{
	uint32_t stalls;

	b->pushes = pushes;
	assert_true(tri_backoff_begin(b, handler, b->since + span_ns, PUSH_NS));
	stalls = tri_backoff_draw(b);
	assert_true(stalls < b->stalls || (stalls == 0 && b->stalls == 0));
	assert_int_equal(b->pushes, 0);
	return b->stalls;
}

static uint32_t
limit_after(struct tri_backoff *b, uint32_t pushes, int64_t span_ns)
{
	return limit_in(b, HANDLER, pushes, span_ns);
}

static void
pauses_grow_while_they_are_too_short(void **unused)
{
	struct tri_backoff b = { .handler = HANDLER };
	uint32_t expected = TRI_BACKOFF_STALLS;

	(void)unused;
	while (expected <= TRI_BACKOFF_STALLS_MAX) {
		assert_int_equal(limit_after(&b, 4, 400), expected);
		expected *= 2;
	}
	assert_int_equal(limit_after(&b, 4, 400), TRI_BACKOFF_STALLS_MAX);
	/* Neither too short nor too long. */
	assert_int_equal(limit_after(&b, TRI_BACKOFF_FEW, 400),
	    TRI_BACKOFF_STALLS_MAX);
	assert_int_equal(limit_after(&b, TRI_BACKOFF_MANY, 400),
	    TRI_BACKOFF_STALLS_MAX);
}

static void
pauses_shrink_while_they_are_too_long(void **unused)
{
	struct tri_backoff b = { .stalls = TRI_BACKOFF_STALLS_MAX,
		.handler = HANDLER };
	uint32_t expected = TRI_BACKOFF_STALLS_MAX / 2;

	(void)unused;
	while (expected >= TRI_BACKOFF_STALLS) {
		assert_int_equal(limit_after(&b, TRI_BACKOFF_MANY + 1, 400),
		    expected);
		expected /= 2;
	}
	assert_int_equal(limit_after(&b, TRI_BACKOFF_MANY + 1, 400),
	    TRI_BACKOFF_STALLS);
}

/* It may be one that sends one message, as the one before. */
static void
nobody_pauses_at_once_in_the_next_handler(void **unused)
{
	struct tri_backoff b = { .stalls = 1024, .handler = HANDLER };

	(void)unused;
	for (uint64_t handler = HANDLER + 1; handler < 100; handler++)
		assert_int_equal(limit_in(&b, handler, 4, 400), 0);
	/* Pauses are short at first. */
	assert_int_equal(limit_in(&b, 99, 4, 400), TRI_BACKOFF_STALLS);
	assert_int_equal(limit_in(&b, 99, 4, 400), TRI_BACKOFF_STALLS * 2);
}

/* Four pushes take it 400 ns here, if it does nothing else. */
static void
whoever_has_other_things_to_do_does_not_pause(void **unused)
{
	struct tri_backoff b = { .stalls = 1024, .handler = HANDLER };

	(void)unused;
	b.pushes = 4;
	assert_false(tri_backoff_begin(&b, HANDLER, 4 * PUSH_NS + 1, PUSH_NS));
	assert_int_equal(tri_backoff_draw(&b), 0);
	/* It begins anew. */
	assert_int_equal(limit_after(&b, 4, 4 * PUSH_NS), TRI_BACKOFF_STALLS);
}

/* Two that meet shall not come back together. */
static void
pauses_are_random(void **unused)
{
	struct tri_backoff a = { .random = 0, .handler = HANDLER };
	struct tri_backoff b = { .random = 1, .handler = HANDLER };
	unsigned same = 0;

	(void)unused;
	for (unsigned i = 0; i < 100; i++) {
		a.pushes = b.pushes = TRI_BACKOFF_FEW;
		assert_true(tri_backoff_begin(&a, HANDLER, 0, PUSH_NS));
		assert_true(tri_backoff_begin(&b, HANDLER, 0, PUSH_NS));
		same += tri_backoff_draw(&a) == tri_backoff_draw(&b);
	}
	assert_true(same < 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whoever_pushes_alone_does_not_pause),
		cmocka_unit_test(four_meetings_in_a_row_are_one_pause),
		cmocka_unit_test(meetings_in_many_mailboxes_are_none),
		cmocka_unit_test(pauses_grow_while_they_are_too_short),
		cmocka_unit_test(pauses_shrink_while_they_are_too_long),
		cmocka_unit_test(nobody_pauses_at_once_in_the_next_handler),
		cmocka_unit_test(whoever_has_other_things_to_do_does_not_pause),
		cmocka_unit_test(pauses_are_random),
	};

	alarm(TOO_LONG_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
