/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mailbox/pack.h: what is taken out of a pack is what was put there, in order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mailbox/pack.h"

/* A message block with room for TRI_SMALL bytes. */
union block {
	struct tr_msg m;
	char bytes[32 << TRI_CLASS_SMALL];
};

/* In a block of exactly its class, so that a sanitizer sees what is too much. */
static struct tri_pack *
pack_new(void)
{
	struct tri_pack *p =
	    aligned_alloc(TRI_LINE, (size_t)32 << TRI_PACK_CLASS);

	assert_non_null(p);
	memset(p, 0xa5, (size_t)32 << TRI_PACK_CLASS);
	tri_pack_init(p);
	return p;
}

/* All have other senders, but for ALIKE. */
enum { ALIKE = 1 << 20 };

static union block
message(uint32_t tag, uint32_t size)
{
	union block b = { .m = {
			      .sender = tag >= ALIKE ? 0 : tag + 1,
			      .tag = tag,
			      .size = size,
			  } };
	char *payload = b.bytes + sizeof(b.m);

	tri_msg_set_kind(&b.m, TRI_MSG_PLAIN, 0, TRI_CLASS_SMALL);
	for (uint32_t i = 0; i < size; i++)
		payload[i] = (char)(tag + i);
	return b;
}

static void
put(struct tri_pack *p, uint32_t tag, uint32_t size)
{
	union block b = message(tag, size);

	assert_true(tri_pack_takes(&b.m));
	assert_true(tri_pack_has_room(p));
	tri_pack_put(p, &b.m);
}

static void
expect(struct tri_pack *p, uint32_t tag, uint32_t size)
{
	union block expected = message(tag, size), b;

	memset(&b, 0x5a, sizeof(b));
	assert_true(tri_pack_has_any(p));
	tri_pack_take(p, &b.m);
	assert_null(b.m.link);
	assert_int_equal(b.m.ahead, 0);
	assert_int_equal(b.m.sender, expected.m.sender);
	assert_int_equal(b.m.tag, tag);
	assert_int_equal(b.m.size, size);
	assert_true(tri_msg_is_simple(&b.m, TRI_MSG_PLAIN));
	assert_int_equal(b.m.size_class, TRI_CLASS_SMALL);
	assert_memory_equal(tri_msg_payload(&b.m), expected.bytes + 32, size);
}

static void
all_sizes_come_out_in_order(void **unused)
{
	struct tri_pack *p = pack_new();

	(void)unused;
	assert_false(tri_pack_has_any(p));
	for (uint32_t i = 0; i <= TRI_SMALL; i++)
		put(p, i, i);
	for (uint32_t i = 0; i <= TRI_SMALL; i++)
		expect(p, i, i);
	assert_false(tri_pack_has_any(p));
	free(p);
}

static void
it_gets_more_while_it_is_emptied(void **unused)
{
	struct tri_pack *p = pack_new();

	(void)unused;
	for (uint32_t i = 0; i < 20; i++) {
		put(p, 2 * i, 8);
		put(p, 2 * i + 1, 3);
		expect(p, i, i % 2 == 0 ? 8 : 3);
	}
	for (uint32_t i = 20; i < 40; i++)
		expect(p, i, i % 2 == 0 ? 8 : 3);
	assert_false(tri_pack_has_any(p));
	free(p);
}

/* A word for each, its payload, and `senders`. */
static void
full(uint32_t size, uint32_t tag, bool senders)
{
	const uint32_t words = (size + 7) / 8 + 1;
	struct tri_pack *p = pack_new();
	uint32_t n = 0;

	while (tri_pack_has_room(p))
		put(p, tag + n++, size);
	assert_in_range(p->end, TRI_PACK_FULL, TRI_PACK_WORDS);
	assert_int_equal(p->end, n * words + (senders ? n : 1));
	for (uint32_t i = 0; i < n; i++)
		expect(p, tag + i, size);
	assert_false(tri_pack_has_any(p));
	free(p);
}

static void
it_says_when_it_is_full(void **unused)
{
	(void)unused;
	for (uint32_t size = 0; size <= TRI_SMALL; size++)
		full(size, 0, true);
}

static void
a_sender_is_there_once(void **unused)
{
	(void)unused;
	for (uint32_t size = 0; size <= TRI_SMALL; size++)
		full(size, ALIKE, false);
}

/* Also when it is emptied meanwhile. */
static void
senders_may_take_turns(void **unused)
{
	struct tri_pack *p = pack_new();
	uint32_t in = 0, out = 0;

	(void)unused;
	while (tri_pack_has_room(p)) {
		put(p, in % 5 < 3 ? ALIKE + in : in, 8);
		if (in++ % 3 == 0) {
			expect(p, out % 5 < 3 ? ALIKE + out : out, 8);
			out++;
		}
	}
	for (; out < in; out++)
		expect(p, out % 5 < 3 ? ALIKE + out : out, 8);
	assert_false(tri_pack_has_any(p));
	free(p);
}

static void
what_is_more_than_a_block_goes_elsewhere(void **unused)
{
	union block b = message(1, 8);

	(void)unused;
	assert_true(tri_pack_takes(&b.m));
	b.m.size = TRI_SMALL + 1;
	assert_false(tri_pack_takes(&b.m));
	b.m.size = 8;
	b.m.flags = TRI_MSG_EXTRA_EXT;
	assert_false(tri_pack_takes(&b.m));
	b.m.flags = 0;
	b.m.kind = TRI_MSG_ASK;
	assert_false(tri_pack_takes(&b.m));
	b.m.kind = TRI_MSG_PLAIN;
	b.m.size_class = TRI_CLASS_EMBEDDED;
	assert_false(tri_pack_takes(&b.m));
}

static void
it_is_none_of_the_messages(void **unused)
{
	struct tri_pack *p = pack_new();

	(void)unused;
	assert_ptr_equal(tri_pack_of(&p->msg), p);
	assert_false(tri_msg_is_simple(&p->msg, TRI_MSG_PACK));
	assert_false(tri_pack_takes(&p->msg));
	free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_sizes_come_out_in_order),
		cmocka_unit_test(it_gets_more_while_it_is_emptied),
		cmocka_unit_test(it_says_when_it_is_full),
		cmocka_unit_test(a_sender_is_there_once),
		cmocka_unit_test(senders_may_take_turns),
		cmocka_unit_test(what_is_more_than_a_block_goes_elsewhere),
		cmocka_unit_test(it_is_none_of_the_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
