/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sched/next.h: what the owner and a thief get, whatever the owner does while
 * the thief waits for its fence.
 *
 * The environment's fence_others() is this test's: it does what the owner does
 * meanwhile, so every order is made on purpose, on one thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sched/next.h"

enum { A = 64, B = 128, C = 192 }; /* words */

struct rig {
	struct tri_env env; /* first */
	struct tri_next next;
	void (*meanwhile)(struct rig *r);
	bool can_fence;
	unsigned fences;
	tri_word taken; /* by the owner, meanwhile */
	tri_word stolen; /* by another thief, meanwhile */
};

static const char thief, other;

static bool
rig_fence(struct tri_env *env)
{
	struct rig *r = (struct rig *)(void *)env;

	r->fences++;
	if (r->meanwhile != NULL)
		r->meanwhile(r);
	return r->can_fence;
}

static struct rig
rig_init(bool can_fence)
{
	struct rig r = { .env.fence_others = rig_fence,
		.can_fence = can_fence };

	tri_next_init(&r.next, r.env.fence_others(&r.env));
	assert_int_equal(r.next.plain, can_fence);
	r.fences = 0;
	return r;
}

static tri_word
steal(struct rig *r)
{
	return tri_next_steal(&r->next, &r->env, &thief);
}

static void
expect_empty(struct rig *r)
{
	assert_true(tri_next_is_free(&r->next));
	assert_false(tri_next_waits(&r->next));
	assert_int_equal(tri_next_take(&r->next), 0);
	assert_int_equal(steal(r), 0);
}

/* ------------------------------------------------------------- alone ---- */

static void
owner_gets_back_what_it_put(void **unused)
{
	(void)unused;
	for (int fences = 0; fences < 2; fences++) {
		struct rig r = rig_init(fences == 1);

		expect_empty(&r);
		tri_next_put(&r.next, A);
		assert_false(tri_next_is_free(&r.next));
		assert_true(tri_next_waits(&r.next));
		assert_int_equal(tri_next_take(&r.next), A);
		expect_empty(&r);
		assert_int_equal(r.fences, 0);
	}
}

static void
thief_gets_it_and_the_owner_nothing(void **unused)
{
	(void)unused;
	for (int fences = 0; fences < 2; fences++) {
		struct rig r = rig_init(fences == 1);

		tri_next_put(&r.next, A);
		assert_int_equal(steal(&r), A);
		assert_int_equal(r.fences, fences);
		assert_false(tri_next_waits(&r.next));
		assert_int_equal(tri_next_take(&r.next), 0);
		expect_empty(&r);
		tri_next_put(&r.next, B);
		assert_true(tri_next_waits(&r.next));
		assert_int_equal(tri_next_take(&r.next), B);
		expect_empty(&r);
	}
}

static void
what_was_stolen_is_stolen_once(void **unused)
{
	struct rig r = rig_init(true);

	(void)unused;
	tri_next_put(&r.next, A);
	assert_int_equal(steal(&r), A);
	/* The owner has not come to it yet. */
	assert_int_equal(steal(&r), 0);
	assert_int_equal(tri_next_steal(&r.next, &r.env, &other), 0);
	assert_int_equal(r.fences, 1);
	assert_int_equal(tri_next_take(&r.next), 0);
	tri_next_put(&r.next, B);
	assert_int_equal(steal(&r), B);
	assert_int_equal(tri_next_take(&r.next), 0);
	expect_empty(&r);
}

/* ----------------------------------------- while the thief waits -------- */

static void
take(struct rig *r)
{
	r->taken = tri_next_take(&r->next);
}

static void
owner_that_is_faster_has_it(void **unused)
{
	struct rig r = rig_init(true);

	(void)unused;
	r.meanwhile = take;
	tri_next_put(&r.next, A);
	assert_int_equal(steal(&r), 0);
	assert_int_equal(r.taken, A);
	r.meanwhile = NULL;
	expect_empty(&r);
	tri_next_put(&r.next, B);
	assert_int_equal(steal(&r), B);
	assert_int_equal(tri_next_take(&r.next), 0);
	expect_empty(&r);
}

static void
take_and_put(struct rig *r)
{
	take(r);
	tri_next_put(&r->next, B);
}

static void
owner_that_ends_the_claim_keeps_what_it_puts_then(void **unused)
{
	struct rig r = rig_init(true);

	(void)unused;
	r.meanwhile = take_and_put;
	tri_next_put(&r.next, A);
	assert_int_equal(steal(&r), 0);
	assert_int_equal(r.taken, A);
	assert_true(tri_next_waits(&r.next));
	assert_int_equal(tri_next_take(&r.next), B);
	r.meanwhile = NULL;
	expect_empty(&r);
}

static void
take_put_and_another_steals(struct rig *r)
{
	r->meanwhile = NULL;
	take_and_put(r);
	r->stolen = tri_next_steal(&r->next, &r->env, &other);
}

static void
slow_thief_does_not_take_anothers_claim_for_its_own(void **unused)
{
	struct rig r = rig_init(true);

	(void)unused;
	r.meanwhile = take_put_and_another_steals;
	tri_next_put(&r.next, A);
	assert_int_equal(steal(&r), 0);
	assert_int_equal(r.taken, A);
	assert_int_equal(r.stolen, B);
	assert_int_equal(tri_next_take(&r.next), 0);
	expect_empty(&r);
}

static void
another_steals(struct rig *r)
{
	r->stolen = tri_next_steal(&r->next, &r->env, &other);
}

static void
second_thief_finds_the_claim_and_goes(void **unused)
{
	struct rig r = rig_init(true);

	(void)unused;
	r.meanwhile = another_steals;
	tri_next_put(&r.next, A);
	assert_int_equal(steal(&r), A);
	assert_int_equal(r.stolen, 0);
	assert_int_equal(r.fences, 1);
}

/* A filter of system calls that came later. */
static void
fence_that_fails_leaves_the_word(void **unused)
{
	struct rig r = rig_init(true);

	(void)unused;
	r.can_fence = false;
	tri_next_put(&r.next, A);
	assert_int_equal(steal(&r), 0);
	assert_int_equal(r.fences, 1);
	assert_true(tri_next_waits(&r.next));
	assert_int_equal(tri_next_take(&r.next), A);
	assert_int_equal(tri_load_relaxed(&r.next.claim), TRI_NEXT_FREE);
	expect_empty(&r);
}

/* The owner has taken its word, and has not looked at the claim. */
static void
thief_that_finds_nothing_lets_the_owner_have_it(void **unused)
{
	struct rig r = rig_init(true);

	(void)unused;
	tri_next_put(&r.next, C);
	tri_store_relaxed(&r.next.claim, (uintptr_t)&other);
	assert_int_equal(tri_next_take(&r.next), C);
	assert_int_equal(tri_load_relaxed(&r.next.claim), TRI_NEXT_FREE);
	assert_int_equal(tri_next_settle(&r.next, A), A);
	expect_empty(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(owner_gets_back_what_it_put),
		cmocka_unit_test(thief_gets_it_and_the_owner_nothing),
		cmocka_unit_test(what_was_stolen_is_stolen_once),
		cmocka_unit_test(owner_that_is_faster_has_it),
		cmocka_unit_test(
		    owner_that_ends_the_claim_keeps_what_it_puts_then),
		cmocka_unit_test(
		    slow_thief_does_not_take_anothers_claim_for_its_own),
		cmocka_unit_test(second_thief_finds_the_claim_and_goes),
		cmocka_unit_test(fence_that_fails_leaves_the_word),
		cmocka_unit_test(
		    thief_that_finds_nothing_lets_the_owner_have_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
