/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mailbox/apart.h: each transition of its table, one at a time.
 */
#include "mailbox/apart.h"

#include "rig_inlet.h"

/* A mailbox that has moved. */
struct moved {
	struct tri_inlet in, other;
	struct tr_msg *all;
	struct tr_msg *list; /* what the move returned */
	uint32_t count;
};

static void
move(struct moved *b, unsigned waiting)
{
	memset(b, 0, sizeof(*b));
	b->all = messages(8);
	tri_inlet_open_running(&b->in, TRI_INLET_RUNNING);
	for (uint32_t i = 0; i < waiting; i++)
		assert_int_equal(tri_inlet_push(&b->in, &b->all[i]),
		    TRI_PUSH_QUEUED);
	b->list =
	    tri_apart_move_owner(&b->in, &b->other, GENERATION, &b->count);
}

static void
moving_takes_what_has_come(void **unused)
{
	struct moved b;

	(void)unused;
	move(&b, 2);
	assert_int_equal(b.count, 2);
	assert_ptr_equal(b.list, &b.all[0]);
	assert_ptr_equal(b.list->link, &b.all[1]);
	assert_null(b.list->link->link);
	assert_int_equal(head_of(&b.in), TRI_INLET_APART);
	assert_int_equal(head_of(&b.other), TRI_INLET_RUNNING);
	free(b.all);
}

static void
moving_may_take_nothing(void **unused)
{
	struct moved b;

	(void)unused;
	move(&b, 0);
	assert_int_equal(b.count, 0);
	assert_null(b.list);
	free(b.all);
}

static void
pushes_go_to_the_other_word(void **unused)
{
	struct moved b;
	uint64_t head;

	(void)unused;
	move(&b, 0);
	assert_ptr_equal(tri_apart_find(&b.in, &b.other, &head), &b.other);
	assert_int_equal(head, TRI_INLET_RUNNING);
	assert_ptr_equal(tri_apart_owner(&b.in, &b.other), &b.other);
	assert_int_equal(tri_apart_push(&b.in, &b.other, &b.all[4], &head),
	    TRI_PUSH_QUEUED);
	assert_int_equal(head_of(&b.in), TRI_INLET_APART);
	assert_ptr_equal(tri_inlet_msg(head_of(&b.other)), &b.all[4]);
	free(b.all);
}

/* Who has looked at the first word before the move looks again. */
static void
a_late_push_is_told_that_it_moved(void **unused)
{
	struct moved b;
	uint64_t head = TRI_INLET_RUNNING;

	(void)unused;
	move(&b, 0);
	assert_int_equal(tri_inlet_push_over(&b.in, &b.all[4], &head),
	    TRI_PUSH_MOVED);
	assert_int_equal(head, TRI_INLET_APART);
	assert_int_equal(head_of(&b.in), TRI_INLET_APART);
	assert_false(tri_inlet_reserve(&b.in, tri_inlet_reserved_by(0)));
	free(b.all);
}

static void
one_that_has_not_moved_is_where_it_was(void **unused)
{
	struct tri_inlet in, other = { 0 };
	struct tr_msg *all = messages(1);
	uint64_t head;

	(void)unused;
	tri_inlet_open(&in);
	assert_ptr_equal(tri_apart_owner(&in, &other), &in);
	assert_ptr_equal(tri_apart_find(&in, &other, &head), &in);
	assert_int_equal(head, TRI_INLET_IDLE);
	assert_int_equal(tri_apart_push(&in, &other, all, &head),
	    TRI_PUSH_WAKE);
	assert_int_equal(head_of(&other), TRI_INLET_CLOSED);
	free(all);
}

static void
closing_closes_both(void **unused)
{
	struct moved b;
	uint64_t head;
	uint32_t n;

	(void)unused;
	move(&b, 0);
	(void)tri_apart_push(&b.in, &b.other, &b.all[4], &head);
	(void)tri_apart_push(&b.in, &b.other, &b.all[5], &head);
	assert_ptr_equal(tri_apart_close_owner(&b.in, &b.other, GENERATION, &n),
	    &b.all[4]);
	assert_int_equal(n, 2);
	assert_int_equal(head_of(&b.in), TRI_INLET_CLOSED);
	assert_int_equal(head_of(&b.other), TRI_INLET_CLOSED);
	assert_int_equal(tri_apart_push(&b.in, &b.other, &b.all[6], &head),
	    TRI_PUSH_CLOSED);
	free(b.all);
}

static void
closing_one_that_has_not_moved(void **unused)
{
	struct tri_inlet in, other = { 0 };
	uint32_t n;

	(void)unused;
	tri_inlet_open_running(&in, TRI_INLET_RUNNING);
	assert_null(tri_apart_close_owner(&in, &other, GENERATION, &n));
	assert_int_equal(n, 0);
	assert_int_equal(head_of(&in), TRI_INLET_CLOSED);
	assert_int_equal(head_of(&other), TRI_INLET_CLOSED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moving_takes_what_has_come),
		cmocka_unit_test(moving_may_take_nothing),
		cmocka_unit_test(pushes_go_to_the_other_word),
		cmocka_unit_test(a_late_push_is_told_that_it_moved),
		cmocka_unit_test(one_that_has_not_moved_is_where_it_was),
		cmocka_unit_test(closing_closes_both),
		cmocka_unit_test(closing_one_that_has_not_moved),
	};

	alarm(TOO_LONG_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
