/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mailbox/burst.h: both sides, one step at a time.
 */
#include "mailbox/burst.h"

#include "rig_pool.h"

enum { SENDER, RECEIVER };

/* A burst, and what is put into it: message k has tag k, and its payload is its
 * first bytes of `text`. */
struct play {
	struct rig *r;
	struct tri_burst *b;
	uint32_t at; /* the sender's */
	uint32_t put, taken; /* messages */
};

static const char text[] = "0123456789abcdefghijklmnopqrstuv";

_Static_assert(sizeof(text) == TRI_SMALL + 1, "as many bytes");

#define BLOCK UINT32_MAX /* not small */

enum { ANYONE = 4711 };

static struct play
play_begin(void)
{
	struct play p = { .r = rig_begin() };

	p.b = tri_pool_alloc(&p.r->pool[SENDER], TRI_BURST_CLASS);
	assert_non_null(p.b);
	/* A block that was used before. */
	memset(p.b, 0xa5, sizeof(*p.b));
	tri_burst_init(p.b, ANYONE);
	return p;
}

static void
play_end(struct play *p)
{
	tri_pool_free(&p->r->pool[SENDER], p->b, TRI_BURST_CLASS);
	rig_end(p->r);
}

/* Put the next message, of that size, or a block, if `size` is BLOCK. */
static bool
put(struct play *p, uint32_t size)
{
	uint32_t at = p->at;
	struct tr_msg *m;

	if (size != BLOCK) {
		p->at += tri_burst_words(size);
		return tri_burst_put_small(p->b, at, p->put++, text, size);
	}
	m = tri_pool_alloc(&p->r->pool[SENDER], 1);
	assert_non_null(m);
	*m = (struct tr_msg){ .tag = p->put++, .size_class = 1, .ahead = 5 };
	p->at++;
	return tri_burst_put(p->b, at, m);
}

static void
put_all(struct play *p, uint32_t n, uint32_t size)
{
	for (; n > 0; n--)
		assert_true(put(p, size));
}

static struct tr_msg *
take_any(struct play *p, bool *small)
{
	struct tr_msg *none = NULL;

	return tri_burst_take(p->b, &p->r->pool[RECEIVER], &none, small);
}

/* The next message is there, and is the one that was put so. */
static void
take(struct play *p, uint32_t size)
{
	bool small;
	struct tr_msg *m = take_any(p, &small);

	assert_non_null(m);
	assert_int_equal(small, size != BLOCK);
	assert_int_equal(m->tag, p->taken++);
	assert_int_equal(m->ahead, 0);
	assert_null(m->link);
	if (small) {
		assert_int_equal(m->size, size);
		assert_memory_equal(tri_msg_payload(m), text, size);
		assert_int_equal(m->sender, ANYONE);
		assert_true(tri_msg_is_simple(m, TRI_MSG_PLAIN));
		assert_ptr_equal(tri_pool_of(m), &p->r->pool[RECEIVER]);
	}
	tri_pool_free(&p->r->pool[RECEIVER], m, m->size_class);
}

static void
take_all(struct play *p, uint32_t n, uint32_t size)
{
	for (; n > 0; n--)
		take(p, size);
}

static void
take_none(struct play *p)
{
	bool small;

	assert_false(tri_burst_has_any(p->b));
	assert_null(take_any(p, &small));
	assert_false(tri_burst_has_any(p->b));
}

/* --------------------------------------------------------- messages ----- */

static void
a_fresh_one_is_open_and_empty(void **unused)
{
	struct play p = play_begin();

	(void)unused;
	take_none(&p);
	assert_true(tri_burst_is_open(p.b));
	assert_false(tri_burst_is_over(p.b));
	assert_int_equal(p.b->msg.kind, TRI_MSG_BURST);
	assert_false(tri_msg_is_simple(&p.b->msg, TRI_MSG_BURST));
	play_end(&p);
}

static void
what_is_put_is_taken_in_order(void **unused)
{
	struct play p = play_begin();

	(void)unused;
	put_all(&p, 30, BLOCK);
	take_all(&p, 7, BLOCK);
	put_all(&p, 70, BLOCK);
	take_all(&p, 93, BLOCK);
	take_none(&p);
	play_end(&p);
}

static void
a_small_one_is_a_block_of_its_taker(void **unused)
{
	(void)unused;
	for (uint32_t size = 0; size <= TRI_SMALL; size++) {
		struct play p = play_begin();

		put_all(&p, 3, size);
		take_all(&p, 3, size);
		take_none(&p);
		/* Nothing but the burst is the sender's. */
		assert_int_equal(held(&p.r->pool[SENDER]), TRI_SLAB_BYTES);
		play_end(&p);
	}
}

static void
both_kinds_keep_their_order(void **unused)
{
	static const uint32_t size[] = { 8, BLOCK, 0, 32, BLOCK, BLOCK, 1 };
	struct play p = play_begin();

	(void)unused;
	for (unsigned i = 0; i < 7; i++)
		put_all(&p, 1 + i % 2, size[i]);
	for (unsigned i = 0; i < 7; i++)
		take_all(&p, 1 + i % 2, size[i]);
	take_none(&p);
	play_end(&p);
}

static void
a_tag_is_any_word(void **unused)
{
	struct play p = play_begin();

	(void)unused;
	p.put = p.taken = UINT32_MAX - 1;
	put_all(&p, 3, 8);
	take_all(&p, 3, 8);
	play_end(&p);
}

/* Its memory was used before, and the receiver looks one place ahead. */
static void
each_word_is_empty_before_its_turn(void **unused)
{
	(void)unused;
	for (uint32_t size = 0; size <= TRI_SMALL + 1; size++) {
		uint32_t what = size > TRI_SMALL ? BLOCK : size;
		struct play p = play_begin();

		while (p.at < TRI_BURST_FULL) {
			put_all(&p, 1, what);
			take(&p, what);
			take_none(&p);
		}
		play_end(&p);
	}
}

static void
the_last_has_room_whatever_it_is(void **unused)
{
	struct play p = play_begin();

	(void)unused;
	put_all(&p, TRI_BURST_FULL - 1, BLOCK);
	assert_true(p.at < TRI_BURST_FULL);
	put_all(&p, 1, TRI_SMALL);
	assert_true(p.at < TRI_BURST_WORDS);
	take_all(&p, TRI_BURST_FULL - 1, BLOCK);
	take(&p, TRI_SMALL);
	take_none(&p);
	play_end(&p);
}

static void
without_memory_a_small_one_waits(void **unused)
{
	struct play p = play_begin();
	bool small;

	(void)unused;
	put_all(&p, 2, 8);
	put_all(&p, 1, BLOCK);
	take(&p, 8);
	trim_all(&p.r->pool[RECEIVER]);
	p.r->memory.fail_at = 1;
	p.r->memory.fail_on = true;
	for (unsigned i = 0; i < 3; i++) {
		assert_null(take_any(&p, &small));
		assert_true(tri_burst_has_any(p.b));
	}
	p.r->memory.fail_at = 0;
	take(&p, 8);
	take(&p, BLOCK);
	take_none(&p);
	play_end(&p);
}

/* ---------------------------------------------------------- the end ----- */

static void
it_is_over_when_it_has_ended_and_all_is_taken(void **unused)
{
	struct play p = play_begin();
	bool own;

	(void)unused;
	put_all(&p, 3, 8);
	assert_int_equal(tri_burst_end(p.b, p.at, &own), p.at);
	assert_false(own);
	assert_false(tri_burst_is_open(p.b));
	take_all(&p, 2, 8);
	assert_false(tri_burst_is_over(p.b));
	take(&p, 8);
	assert_true(tri_burst_is_over(p.b));
	play_end(&p);
}

static void
one_that_was_empty_may_end(void **unused)
{
	struct play p = play_begin();
	bool own;

	(void)unused;
	assert_int_equal(tri_burst_end(p.b, 0, &own), 0);
	assert_false(own);
	assert_true(tri_burst_is_over(p.b));
	play_end(&p);
}

static void
who_puts_sees_that_it_was_shut(void **unused)
{
	struct play p = play_begin();

	(void)unused;
	put_all(&p, 1, 8);
	tri_burst_shut(p.b);
	assert_false(put(&p, 8));
	assert_false(put(&p, BLOCK));
	take_all(&p, 2, 8);
	take(&p, BLOCK);
	play_end(&p);
}

static void
it_is_not_settled_over_a_message(void **unused)
{
	struct play p = play_begin();

	(void)unused;
	put_all(&p, 2, 8);
	take(&p, 8);
	tri_burst_shut(p.b);
	assert_false(tri_burst_settle(p.b));
	assert_true(tri_burst_is_open(p.b));
	take(&p, 8);
	assert_true(tri_burst_settle(p.b));
	assert_false(tri_burst_is_open(p.b));
	play_end(&p);
}

static void
nor_after_its_end(void **unused)
{
	struct play p = play_begin();
	bool own;

	(void)unused;
	put_all(&p, 1, 8);
	take(&p, 8);
	(void)tri_burst_end(p.b, p.at, &own);
	tri_burst_shut(p.b);
	assert_false(tri_burst_settle(p.b));
	assert_true(tri_burst_is_over(p.b));
	play_end(&p);
}

static void
once_settled_it_is_the_senders(void **unused)
{
	struct play p = play_begin();
	bool own;

	(void)unused;
	put_all(&p, 2, 8);
	take_all(&p, 2, 8);
	tri_burst_shut(p.b);
	assert_true(tri_burst_settle(p.b));
	assert_int_equal(tri_burst_end(p.b, p.at, &own), p.at);
	assert_true(own);
	play_end(&p);
}

static void
what_came_too_late_is_the_senders_again(void **unused)
{
	(void)unused;
	for (uint32_t size = 0; size <= TRI_SMALL + 1; size++) {
		uint32_t what = size > TRI_SMALL ? BLOCK : size, before;
		struct play p = play_begin();
		bool own;

		put_all(&p, 2, 8);
		take_all(&p, 2, 8);
		tri_burst_shut(p.b);
		assert_true(tri_burst_settle(p.b));
		before = p.at;
		assert_false(put(&p, what));
		assert_int_equal(tri_burst_end(p.b, p.at, &own), before);
		assert_true(own);
		/* There it is. */
		p.b->at = before;
		take(&p, what);
		play_end(&p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fresh_one_is_open_and_empty),
		cmocka_unit_test(what_is_put_is_taken_in_order),
		cmocka_unit_test(a_small_one_is_a_block_of_its_taker),
		cmocka_unit_test(both_kinds_keep_their_order),
		cmocka_unit_test(a_tag_is_any_word),
		cmocka_unit_test(each_word_is_empty_before_its_turn),
		cmocka_unit_test(the_last_has_room_whatever_it_is),
		cmocka_unit_test(without_memory_a_small_one_waits),
		cmocka_unit_test(it_is_over_when_it_has_ended_and_all_is_taken),
		cmocka_unit_test(one_that_was_empty_may_end),
		cmocka_unit_test(who_puts_sees_that_it_was_shut),
		cmocka_unit_test(it_is_not_settled_over_a_message),
		cmocka_unit_test(nor_after_its_end),
		cmocka_unit_test(once_settled_it_is_the_senders),
		cmocka_unit_test(what_came_too_late_is_the_senders_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
