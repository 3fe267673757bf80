/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Free blocks are poisoned: where AddressSanitizer looks, what lies behind the
 * header of a free block may not be touched, and that of one in use may.  Other
 * builds see to it only that poisoning changes nothing.
 */
#include "rig_pool.h"

#ifdef TRI_ASAN
#define IS_POISONED(p) (__asan_address_is_poisoned(p) != 0)
#else
#define IS_POISONED(p) ((void)(p), false)
#endif

#ifdef TRI_ASAN
#define POISONED true
#else
#define POISONED false
#endif

static void
expect(char *block, unsigned size_class, bool poisoned)
{
	size_t bytes = tri_class_bytes(size_class);

	assert_false(IS_POISONED(block));
	assert_false(IS_POISONED(block + sizeof(struct tr_msg) - 1));
	if (bytes == sizeof(struct tr_msg))
		return;
	assert_int_equal(IS_POISONED(block + sizeof(struct tr_msg)), poisoned);
	assert_int_equal(IS_POISONED(block + bytes - 1), poisoned);
}

static void
what_is_free_is_poisoned(void **unused)
{
	struct rig *r = rig_begin();

	(void)unused;
	for (unsigned c = 0; c < TRI_CLASSES; c++) {
		char *block = tri_pool_alloc(&r->pool[0], c);

		assert_non_null(block);
		expect(block, c, false);
		tri_pool_free(&r->pool[0], block, c);
		expect(block, c, POISONED);
		assert_ptr_equal(tri_pool_alloc(&r->pool[0], c), block);
		expect(block, c, false);
		/* Freed by another pool, and back home. */
		tri_pool_free(&r->pool[1], block, c);
		expect(block, c, POISONED);
		tri_pool_flush(&r->pool[1]);
		expect(block, c, POISONED);
	}
	rig_end(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_free_is_poisoned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
