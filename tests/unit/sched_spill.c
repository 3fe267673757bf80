/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sched/spill.h by itself: words come out once, in their order, whoever takes
 * them; and every block comes back.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "scale.h"
#include "sched/lock.h"
#include "sched/spill.h"

enum { TAKERS = 2, POOLS = 1 + TAKERS, MOST = 128, TOO_LONG_S = 100 };

struct rig {
	struct tri_env *env;
	struct tri_pool pool[POOLS]; /* the owner's is the first */
	struct tri_lock lock;
	struct tri_spill spill;
	tri_word in, out; /* pushed, and taken, if one takes all */
};

static void *
no_slab(void *ctx, size_t size)
{
	(void)ctx;
	(void)size;
	return NULL;
}

static struct rig *
rig_new(unsigned words)
{
	struct rig *r = aligned_alloc(TRI_LINE, sizeof(*r));

	assert_non_null(r);
	memset(r, 0, sizeof(*r));
	r->env = tri_env_real();
	assert_non_null(r->env);
	for (unsigned i = 0; i < POOLS; i++) {
		assert_true(
		    tri_pool_init(&r->pool[i], &r->env->memory, r, i, POOLS));
		r->pool[i].counted = true;
	}
	tri_lock_init(&r->lock);
	tri_spill_init(&r->spill, words);
	return r;
}

/* Bytes of blocks in use. */
static uint64_t
live(struct rig *r)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < POOLS; i++)
		sum += atomic_load(&r->pool[i].live);
	return sum;
}

static void
rig_free(struct rig *r)
{
	assert_int_equal(live(r), 0);
	for (unsigned i = 0; i < POOLS; i++)
		tri_pool_fini(&r->pool[i]);
	r->env->free(r->env);
	free(r);
}

static void
push(struct rig *r, unsigned n)
{
	for (; n > 0; n--) {
		if (!tri_spill_push(&r->spill, r->in + 1)) {
			assert_true(tri_spill_grow(&r->spill, &r->pool[0]));
			assert_true(tri_spill_push(&r->spill, r->in + 1));
		}
		r->in++;
	}
}

static unsigned
take(struct rig *r, unsigned pool, unsigned max, unsigned share)
{
	struct tri_spill_block *done;
	tri_word words[MOST];
	unsigned n;

	tri_lock(r->env, &r->lock);
	n = tri_spill_take(&r->spill, words, max, share, &done);
	if (pool == 0)
		tri_spill_end(&r->spill, &done);
	tri_unlock(&r->lock);
	tri_spill_free(&r->pool[pool], done);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(words[i], ++r->out);
	return n;
}

static void
words_come_out_in_their_order(void **unused)
{
	(void)unused;
	for (unsigned words = 1; words <= TRI_SPILL_WORDS; words++) {
		struct rig *r = rig_new(words);
		uint64_t seed = words;

		assert_false(tri_spill_is_used(&r->spill));
		for (unsigned lap = 0; lap < 100; lap++) {
			seed = seed * UINT64_C(6364136223846793005) + 1;
			push(r, (unsigned)(seed >> 33) % 100);
			assert_int_equal(tri_spill_count(&r->spill),
			    r->in - r->out);
			(void)take(r, lap % POOLS,
			    (unsigned)(seed >> 43) % MOST, 100);
		}
		while (take(r, 1, MOST, 100) > 0)
			;
		assert_int_equal(r->in, r->out);
		/* Others leave the last block. */
		(void)take(r, 0, MOST, 100);
		assert_false(tri_spill_is_used(&r->spill));
		rig_free(r);
	}
}

static void
thief_takes_its_share(void **unused)
{
	struct rig *r = rig_new(TRI_SPILL_WORDS);

	(void)unused;
	assert_int_equal(take(r, 1, MOST, 50), 0);
	push(r, 99);
	assert_int_equal(take(r, 1, MOST, 50), 50);
	assert_int_equal(take(r, 1, 10, 50), 10);
	assert_int_equal(take(r, 1, MOST, 50), 20);
	push(r, 1000);
	assert_int_equal(take(r, 2, MOST, 50), MOST);
	while (take(r, 1, MOST, 50) > 1)
		;
	assert_int_equal(take(r, 1, MOST, 50), 0);
	assert_true(tri_spill_is_used(&r->spill));
	(void)take(r, 0, 1, 100);
	rig_free(r);
}

static void
last_block_goes_on_when_a_thief_has_emptied_it(void **unused)
{
	struct rig *r = rig_new(8);

	(void)unused;
	for (unsigned lap = 0; lap < 30; lap++) {
		push(r, 5);
		assert_int_equal(take(r, 1, MOST, 100), 5);
		assert_int_equal(live(r), sizeof(struct tri_spill_block));
	}
	/* Full, and empty. */
	push(r, 2);
	assert_int_equal(take(r, 1, MOST, 100), 2);
	assert_int_equal(live(r), sizeof(struct tri_spill_block));
	push(r, 1);
	assert_int_equal(take(r, 0, MOST, 100), 1);
	assert_int_equal(live(r), 0);
	rig_free(r);
}

static void
without_memory_nothing_is_there(void **unused)
{
	struct rig *r = rig_new(4);

	(void)unused;
	r->env->memory.slab_new = no_slab;
	for (unsigned i = 0; i < 2; i++) {
		assert_false(tri_spill_push(&r->spill, 99));
		assert_false(tri_spill_grow(&r->spill, &r->pool[0]));
		assert_false(tri_spill_is_used(&r->spill));
		assert_int_equal(tri_spill_count(&r->spill), 0);
	}
	rig_free(r);
}

/* ------------------------------------------- an owner, and two that take - */

enum { PUSHED = TEST_SCALE(2000000), WORDS = 5 };

struct crowd {
	struct rig *rig;
	unsigned char *seen;
	atomic_bool over;
	atomic_ulong count;
};

struct taker {
	struct crowd *crowd;
	unsigned pool;
	unsigned long wrong;
};

static unsigned
crowd_take(struct crowd *c, unsigned pool, unsigned share, tri_word *last,
    unsigned long *wrong)
{
	struct rig *r = c->rig;
	struct tri_spill_block *done;
	tri_word words[MOST];
	unsigned n;

	tri_lock(r->env, &r->lock);
	n = tri_spill_take(&r->spill, words, MOST, share, &done);
	if (pool == 0)
		tri_spill_end(&r->spill, &done);
	tri_unlock(&r->lock);
	tri_spill_free(&r->pool[pool], done);
	for (unsigned i = 0; i < n; i++) {
		*wrong += words[i] <= *last || c->seen[words[i]]++ != 0;
		*last = words[i];
	}
	atomic_fetch_add(&c->count, n);
	return n;
}

static void *
taker_main(void *arg)
{
	struct taker *t = arg;
	tri_word last = 0;

	while (!atomic_load(&t->crowd->over))
		if (crowd_take(t->crowd, t->pool, 50, &last, &t->wrong) == 0)
			sched_yield();
	tri_pool_flush(&t->crowd->rig->pool[t->pool]);
	return NULL;
}

static void
owner_and_others_get_each_word_once(void **unused)
{
	struct crowd c = { .rig = rig_new(WORDS) };
	struct taker taker[TAKERS];
	pthread_t thread[TAKERS];
	unsigned long wrong = 0;
	tri_word last = 0;

	(void)unused;
	c.seen = calloc(PUSHED + 1, 1);
	assert_non_null(c.seen);
	for (unsigned i = 0; i < TAKERS; i++) {
		taker[i] = (struct taker){ &c, 1 + i, 0 };
		assert_int_equal(0,
		    pthread_create(&thread[i], NULL, taker_main, &taker[i]));
	}
	while (c.rig->in < PUSHED) {
		push(c.rig, 1);
		/* Now ahead of them, now behind. */
		if (c.rig->in % 3001 < 3)
			(void)crowd_take(&c, 0, 100, &last, &wrong);
	}
	while (atomic_load(&c.count) < PUSHED)
		if (crowd_take(&c, 0, 100, &last, &wrong) == 0)
			sched_yield();
	atomic_store(&c.over, true);
	for (unsigned i = 0; i < TAKERS; i++) {
		assert_int_equal(0, pthread_join(thread[i], NULL));
		wrong += taker[i].wrong;
	}
	assert_int_equal(wrong, 0);
	(void)crowd_take(&c, 0, 100, &last, &wrong);
	free(c.seen);
	rig_free(c.rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_come_out_in_their_order),
		cmocka_unit_test(thief_takes_its_share),
		cmocka_unit_test(
		    last_block_goes_on_when_a_thief_has_emptied_it),
		cmocka_unit_test(without_memory_nothing_is_there),
		cmocka_unit_test(owner_and_others_get_each_word_once),
	};

	alarm(TOO_LONG_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
