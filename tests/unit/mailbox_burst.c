/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mailbox/burst.h: both sides, one step at a time.
 */
#include "mailbox/burst.h"

#include "rig_inlet.h"

struct rig {
	alignas(TRI_LINE) struct tri_burst b;
	struct tr_msg *all;
	uint32_t put, taken;
};

static struct rig *
rig_new(uint32_t messages_in_all)
{
	struct rig *r = aligned_alloc(TRI_LINE,
	    (sizeof(*r) + TRI_LINE - 1) / TRI_LINE * TRI_LINE);

	assert_non_null(r);
	/* A block that was used before. */
	memset(r, 0xa5, sizeof(*r));
	r->all = messages(messages_in_all);
	r->put = r->taken = 0;
	tri_burst_init(&r->b);
	return r;
}

static void
rig_free(struct rig *r)
{
	free(r->all);
	free(r);
}

static void
put(struct rig *r, uint32_t n)
{
	for (; n > 0; n--, r->put++)
		assert_true(tri_burst_put(&r->b, r->put, &r->all[r->put]));
}

/* Take up to `most`, and see that they are the next ones. */
static uint32_t
take(struct rig *r, uint32_t most)
{
	struct tr_msg *first, *last;
	uint32_t n = tri_burst_take(&r->b, most, &first, &last), i;

	for (i = 0; i < n; i++, r->taken++) {
		assert_ptr_equal(first, &r->all[r->taken]);
		assert_int_equal(first->ahead, 0);
		assert_true(i + 1 < n || first == last);
		first = first->link;
	}
	assert_null(first);
	return n;
}

static void
a_fresh_one_is_open_and_empty(void **unused)
{
	struct rig *r = rig_new(1);

	(void)unused;
	assert_null(tri_burst_peek(&r->b));
	assert_int_equal(take(r, 10), 0);
	assert_true(tri_burst_is_open(&r->b));
	assert_false(tri_burst_is_over(&r->b));
	assert_int_equal(r->b.msg.kind, TRI_MSG_BURST);
	assert_false(tri_msg_is_simple(&r->b.msg, TRI_MSG_BURST));
	rig_free(r);
}

static void
what_is_put_is_taken_in_order(void **unused)
{
	struct rig *r = rig_new(100);

	(void)unused;
	put(r, 30);
	assert_int_equal(take(r, 7), 7);
	put(r, 70);
	assert_int_equal(take(r, 1000), 93);
	assert_int_equal(take(r, 1000), 0);
	assert_null(tri_burst_peek(&r->b));
	rig_free(r);
}

/* Its memory was used before, and the receiver looks one place ahead. */
static void
each_place_is_empty_before_its_turn(void **unused)
{
	struct rig *r = rig_new(TRI_BURST_PLACES);

	(void)unused;
	while (r->put < TRI_BURST_PLACES) {
		assert_null(tri_burst_peek(&r->b));
		put(r, 1);
		assert_int_equal(take(r, 2), 1);
	}
	assert_null(tri_burst_peek(&r->b));
	assert_int_equal(take(r, 1), 0);
	rig_free(r);
}

static void
it_is_over_when_it_has_ended_and_all_is_taken(void **unused)
{
	struct rig *r = rig_new(3);
	bool own;

	(void)unused;
	put(r, 3);
	assert_int_equal(tri_burst_end(&r->b, 3, &own), 3);
	assert_false(own);
	assert_false(tri_burst_is_open(&r->b));
	assert_int_equal(take(r, 2), 2);
	assert_false(tri_burst_is_over(&r->b));
	assert_int_equal(take(r, 2), 1);
	assert_true(tri_burst_is_over(&r->b));
	rig_free(r);
}

static void
all_its_places_can_be_used(void **unused)
{
	struct rig *r = rig_new(TRI_BURST_PLACES);
	bool own;

	(void)unused;
	put(r, TRI_BURST_PLACES);
	assert_int_equal(take(r, UINT32_MAX), TRI_BURST_PLACES);
	assert_false(tri_burst_is_over(&r->b));
	assert_int_equal(tri_burst_end(&r->b, TRI_BURST_PLACES, &own),
	    TRI_BURST_PLACES);
	assert_false(own);
	assert_true(tri_burst_is_over(&r->b));
	rig_free(r);
}

static void
one_that_was_empty_may_end(void **unused)
{
	struct rig *r = rig_new(1);
	bool own;

	(void)unused;
	assert_int_equal(tri_burst_end(&r->b, 0, &own), 0);
	assert_false(own);
	assert_true(tri_burst_is_over(&r->b));
	rig_free(r);
}

static void
who_puts_sees_that_it_was_shut(void **unused)
{
	struct rig *r = rig_new(2);

	(void)unused;
	put(r, 1);
	tri_burst_shut(&r->b);
	assert_false(tri_burst_put(&r->b, 1, &r->all[1]));
	rig_free(r);
}

static void
it_is_not_settled_over_a_message(void **unused)
{
	struct rig *r = rig_new(2);

	(void)unused;
	put(r, 2);
	assert_int_equal(take(r, 1), 1);
	tri_burst_shut(&r->b);
	assert_false(tri_burst_settle(&r->b));
	assert_true(tri_burst_is_open(&r->b));
	assert_int_equal(take(r, 1), 1);
	assert_true(tri_burst_settle(&r->b));
	assert_false(tri_burst_is_open(&r->b));
	rig_free(r);
}

static void
nor_after_its_end(void **unused)
{
	struct rig *r = rig_new(1);
	bool own;

	(void)unused;
	put(r, 1);
	assert_int_equal(take(r, 1), 1);
	(void)tri_burst_end(&r->b, 1, &own);
	tri_burst_shut(&r->b);
	assert_false(tri_burst_settle(&r->b));
	assert_true(tri_burst_is_over(&r->b));
	rig_free(r);
}

static void
once_settled_it_is_the_senders(void **unused)
{
	struct rig *r = rig_new(2);
	bool own;

	(void)unused;
	put(r, 2);
	assert_int_equal(take(r, 2), 2);
	tri_burst_shut(&r->b);
	assert_true(tri_burst_settle(&r->b));
	assert_int_equal(tri_burst_end(&r->b, 2, &own), 2);
	assert_true(own);
	rig_free(r);
}

static void
what_came_too_late_is_the_senders_again(void **unused)
{
	struct rig *r = rig_new(3);
	bool own;

	(void)unused;
	put(r, 2);
	assert_int_equal(take(r, 2), 2);
	tri_burst_shut(&r->b);
	assert_true(tri_burst_settle(&r->b));
	assert_false(tri_burst_put(&r->b, 2, &r->all[2]));
	assert_int_equal(tri_burst_end(&r->b, 3, &own), 2);
	assert_true(own);
	rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fresh_one_is_open_and_empty),
		cmocka_unit_test(what_is_put_is_taken_in_order),
		cmocka_unit_test(each_place_is_empty_before_its_turn),
		cmocka_unit_test(it_is_over_when_it_has_ended_and_all_is_taken),
		cmocka_unit_test(all_its_places_can_be_used),
		cmocka_unit_test(one_that_was_empty_may_end),
		cmocka_unit_test(who_puts_sees_that_it_was_shut),
		cmocka_unit_test(it_is_not_settled_over_a_message),
		cmocka_unit_test(nor_after_its_end),
		cmocka_unit_test(once_settled_it_is_the_senders),
		cmocka_unit_test(what_came_too_late_is_the_senders_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
