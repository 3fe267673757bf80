/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mailbox/message.h: where the parts of a message lie.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mailbox/message.h"
#include "mailbox/pool.h"

enum {
	BLOCK = 256,
	EXTENSIONS = TRI_MSG_ASK_EXT | TRI_MSG_EXTRA_EXT,
	OTHER_FLAGS = TRI_MSG_DUTY | TRI_MSG_LENT | TRI_MSG_STALE,
};

static struct tr_msg *
message_with(void *block, unsigned flags)
{
	struct tr_msg *m = block;

	memset(block, 0, BLOCK);
	m->flags = (uint8_t)flags;
	m->offset = (uint8_t)tri_msg_head(flags);
	return m;
}

static size_t
distance(const struct tr_msg *m, const void *part)
{
	return (size_t)((const char *)part - (const char *)m);
}

static void
extensions_follow_the_header_in_the_documented_order(void **unused)
{
	alignas(TRI_LINE) char block[BLOCK];
	struct tr_msg *m;

	(void)unused;
	m = message_with(block, TRI_MSG_ASK_EXT);
	assert_int_equal(distance(m, tri_msg_ask(m)), 32);
	assert_int_equal(distance(m, tri_msg_reply(m)), 32);
	assert_int_equal(distance(m, tri_msg_payload(m)), 48);

	m = message_with(block, TRI_MSG_EXTRA_EXT);
	assert_int_equal(distance(m, tri_msg_extra(m)), 32);
	assert_int_equal(distance(m, tri_msg_payload(m)), 48);

	m = message_with(block, EXTENSIONS);
	assert_int_equal(distance(m, tri_msg_ask(m)), 32);
	assert_int_equal(distance(m, tri_msg_extra(m)), 48);
	assert_int_equal(distance(m, tri_msg_payload(m)), 64);

	m = message_with(block, 0);
	assert_int_equal(distance(m, tri_msg_payload(m)), 32);
}

static void
flags_that_name_no_extension_take_no_room(void **unused)
{
	(void)unused;
	for (unsigned flags = 0; flags <= UINT8_MAX; flags++)
		assert_int_equal(tri_msg_head(flags),
		    tri_msg_head(flags & EXTENSIONS));
	assert_int_equal(tri_msg_head(OTHER_FLAGS), sizeof(struct tr_msg));
}

static void
payloads_are_aligned_for_any_type(void **unused)
{
	(void)unused;
	for (unsigned flags = 0; flags <= EXTENSIONS; flags++) {
		assert_int_equal(tri_msg_head(flags) % alignof(max_align_t), 0);
		/* struct tr_msg.offset is one byte. */
		assert_true(tri_msg_head(flags) <= UINT8_MAX);
	}
}

static void
parts_do_not_overlap(void **unused)
{
	alignas(TRI_LINE) char block[BLOCK];
	struct tr_msg *m = message_with(block, EXTENSIONS);
	struct tr_msg before;

	(void)unused;
	m->sender = UINT64_MAX;
	m->size_class = TRI_CLASS_LARGE;
	before = *m;
	memset(tri_msg_payload(m), 3, BLOCK - m->offset);
	*tri_msg_ask(m) = (struct tri_msg_ask){ -1, UINT64_MAX };
	*tri_msg_extra(m) = (struct tri_msg_extra){ NULL, 5 };
	assert_memory_equal(m, &before, sizeof(before));
	assert_true(tri_msg_ask(m)->deadline == -1);
	assert_true(tri_msg_ask(m)->ask == UINT64_MAX);
	assert_true(tri_msg_extra(m)->trace == 5);
	assert_int_equal(((char *)tri_msg_payload(m))[0], 3);
}

static void
small_messages_are_one_cache_line(void **unused)
{
	const size_t plain = tri_msg_head(0);
	const size_t ask = tri_msg_head(TRI_MSG_ASK_EXT);

	(void)unused;
	assert_int_equal(tri_class_bytes(tri_class_of(plain)), TRI_LINE / 2);
	assert_int_equal(tri_class_bytes(tri_class_of(plain + 1)), TRI_LINE);
	assert_int_equal(tri_class_bytes(tri_class_of(plain + 32)), TRI_LINE);
	assert_int_equal(tri_class_bytes(tri_class_of(ask)), TRI_LINE);
	assert_int_equal(tri_class_bytes(tri_class_of(ask + 16)), TRI_LINE);
	assert_true(tri_class_bytes(tri_class_of(plain + 33)) > TRI_LINE);
	assert_true(tri_class_bytes(tri_class_of(ask + 17)) > TRI_LINE);
}

static void
classes_and_flags_fit_their_bytes(void **unused)
{
	(void)unused;
	assert_true((int)TRI_CLASSES < (int)TRI_CLASS_LARGE);
	assert_true((int)TRI_CLASS_LARGE != (int)TRI_CLASS_EMBEDDED);
	assert_true((int)TRI_CLASS_EMBEDDED <= UINT8_MAX);
	assert_true((EXTENSIONS | OTHER_FLAGS) <= UINT8_MAX);
	assert_int_equal(TRI_MSG_SPECIAL & TRI_MSG_ASK_EXT, 0);
	assert_int_equal(TRI_MSG_SPECIAL & TRI_MSG_STALE, 0);
	assert_int_equal(tri_class_bytes(TRI_CLASSES - 1), 32 * 1024);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    extensions_follow_the_header_in_the_documented_order),
		cmocka_unit_test(flags_that_name_no_extension_take_no_room),
		cmocka_unit_test(payloads_are_aligned_for_any_type),
		cmocka_unit_test(parts_do_not_overlap),
		cmocka_unit_test(small_messages_are_one_cache_line),
		cmocka_unit_test(classes_and_flags_fit_their_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
