/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sched/runq.h: in which order the owner gets its words back, what thieves
 * take, and that no word is lost or doubled when they do it at the same time.
 *
 * The scheduler is no more than a table with one kind: the run queue asks it
 * for nothing but a word's link.
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

#include "rig_runq.h"
#include "scale.h"
#include "sched/runq.h"
#include "sched/sched.h"

enum {
	KIND = 5, /* any but the first */
	WORDS = 4000,
	RING = TRI_RING_SLOTS - 1, /* words that a ring of libck holds */
	TOO_LONG_S = 100,
};

struct thing {
	alignas(TRI_LINE) struct tri_link link;
	unsigned number;
	unsigned runs; /* plain: a word belongs to whoever got it */
};

enum { THIEVES = 3, POOLS = 2 + THIEVES };

struct rig {
	struct tri_env *env;
	struct tri_pool pool[POOLS];
	struct tri_sched sched;
	struct tri_kind kinds[TRI_KINDS];
	struct tri_runq mine;
	struct tri_runq other;
	struct thing thing[WORDS];
};

static struct tri_link *
thing_link(void *ctx, void *object)
{
	struct thing *t = object;

	(void)ctx;
	return &t->link;
}

/* Whether there is no memory for blocks. */
static bool dry;

static void *
no_slab(void *ctx, size_t size)
{
	(void)ctx;
	(void)size;
	return NULL;
}

static bool
cannot_fence(struct tri_env *env)
{
	(void)env;
	return false;
}

/* Whether the owner takes `next` without a read-modify-write: where there is a
 * fence for other threads it does. */
static bool fenceless;

static struct rig *
rig_new(void)
{
	struct rig *r = aligned_alloc(TRI_LINE, sizeof(*r));

	assert_non_null(r);
	memset(r, 0, sizeof(*r));
	r->kinds[KIND].link = thing_link;
	r->sched.kinds = r->kinds;
	r->env = tri_env_real();
	assert_non_null(r->env);
	if (fenceless)
		r->env->fence_others = cannot_fence;
	if (dry)
		r->env->memory.slab_new = no_slab;
	r->sched.env = r->env;
	for (unsigned i = 0; i < POOLS; i++) {
		assert_true(
		    tri_pool_init(&r->pool[i], &r->env->memory, r, i, POOLS));
		r->pool[i].counted = true;
	}
	tri_runq_init(&r->mine, &r->sched, &r->pool[0]);
	tri_runq_init(&r->other, &r->sched, &r->pool[1]);
	for (unsigned i = 0; i < WORDS; i++)
		r->thing[i].number = i;
	return r;
}

static void
rig_free(struct rig *r)
{
	for (unsigned i = 0; i < POOLS; i++)
		tri_pool_fini(&r->pool[i]);
	r->env->free(r->env);
	free(r);
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

static tri_word
word_at(struct rig *r, unsigned number)
{
	assert_in_range(number, 0, WORDS - 1);
	return tri_word_of(&r->thing[number], KIND);
}

static unsigned
number_of(tri_word word)
{
	const struct thing *t = tri_word_object(word);

	return t->number;
}

static void
push_back(struct rig *r, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		tri_runq_push_back(&r->mine, word_at(r, i));
}

/* The words that push_local() is used for know themselves. */
static void
push_local(struct rig *r, unsigned number)
{
	r->thing[number].link.word = word_at(r, number);
	tri_runq_push_local(&r->mine, &r->thing[number].link);
}

static void
expect_pop(struct tri_runq *q, unsigned number)
{
	tri_word word = rig_pop(q);

	assert_true(word != 0);
	assert_int_equal(tri_word_kind(word), KIND);
	assert_int_equal(number_of(word), number);
}

static void
expect_pops(struct tri_runq *q, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		expect_pop(q, i);
}

static void
expect_empty(struct tri_runq *q)
{
	assert_false(tri_runq_waits(q));
	assert_false(tri_runq_stealable(q));
	assert_true(rig_pop(q) == 0);
}

/* -------------------------------------------------- words and objects ---- */

static void
word_is_an_object_and_its_kind(void **unused)
{
	struct rig *r = rig_new();

	(void)unused;
	for (unsigned kind = 0; kind < TRI_KINDS; kind++) {
		tri_word word = tri_word_of(&r->thing[3], kind);

		assert_int_equal(tri_word_kind(word), kind);
		assert_ptr_equal(tri_word_object(word), &r->thing[3]);
	}
	assert_ptr_equal(tri_sched_link(&r->sched, word_at(r, 9)),
	    &r->thing[9].link);
	rig_free(r);
}

/* --------------------------------------------------------- the owner ----- */

static void
fresh_queue_is_empty(void **unused)
{
	struct rig *r = rig_new();

	(void)unused;
	expect_empty(&r->mine);
	expect_empty(&r->mine);
	rig_free(r);
}

static void
words_come_back_in_order_through_ring_and_overflow(void **unused)
{
	const unsigned size[] = { 1, 2, RING - 1, RING, RING + 1,
		RING + TRI_REFILL - 1, RING + TRI_REFILL, RING + TRI_REFILL + 1,
		WORDS };
	struct rig *r = rig_new();

	(void)unused;
	for (unsigned i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
		push_back(r, 0, size[i]);
		assert_true(tri_runq_waits(&r->mine));
		assert_true(tri_runq_stealable(&r->mine));
		expect_pops(&r->mine, 0, size[i]);
		expect_empty(&r->mine);
	}
	rig_free(r);
}

static void
overflow_keeps_the_order_while_words_come_and_go(void **unused)
{
	struct rig *r = rig_new();
	unsigned in = 0, out = 0;
	uint64_t seed = 1;

	(void)unused;
	while (out < WORDS) {
		unsigned n;

		seed = seed * UINT64_C(6364136223846793005) + 1;
		n = (unsigned)(seed >> 40) % 400;
		for (; n > 0 && in < WORDS; n--)
			tri_runq_push_back(&r->mine, word_at(r, in++));
		seed = seed * UINT64_C(6364136223846793005) + 1;
		n = (unsigned)(seed >> 40) % 300;
		for (; n > 0 && out < in; n--)
			expect_pop(&r->mine, out++);
		assert_int_equal(tri_runq_waits(&r->mine), in != out);
	}
	expect_empty(&r->mine);
	rig_free(r);
}

static void
every_push_shows_to_who_is_about_to_sleep(void **unused)
{
	struct rig *r = rig_new();
	uint64_t pushes, over;

	(void)unused;
	for (unsigned i = 0; i < RING + 10; i++) {
		pushes = atomic_load(&r->mine.pushes);
		over = atomic_load(&r->mine.over.count);
		push_back(r, i, i + 1);
		assert_true(atomic_load(&r->mine.pushes) != pushes ||
		    atomic_load(&r->mine.over.count) != over);
	}
	rig_free(r);
}

static void
next_runs_first_and_gives_way_to_a_newer_one(void **unused)
{
	struct rig *r = rig_new();

	(void)unused;
	push_back(r, 1, 4);
	assert_false(rig_push_next(&r->mine, word_at(r, 10)));
	/* What was next goes behind the others: now it can be stolen. */
	assert_true(rig_push_next(&r->mine, word_at(r, 11)));
	expect_pop(&r->mine, 11);
	expect_pops(&r->mine, 1, 4);
	expect_pop(&r->mine, 10);
	expect_empty(&r->mine);
	rig_free(r);
}

static void
next_alone_waits_but_is_not_to_be_stolen(void **unused)
{
	struct rig *r = rig_new();

	(void)unused;
	assert_false(rig_push_next(&r->mine, word_at(r, 1)));
	assert_true(tri_runq_waits(&r->mine));
	assert_false(tri_runq_stealable(&r->mine));
	expect_pop(&r->mine, 1);
	expect_empty(&r->mine);
	rig_free(r);
}

/* In each row of pops `next` is used up to its cap, then one of the others. */
static void
next_is_used_so_many_times_while_others_wait(void **unused)
{
	enum { OTHERS = 5, PAIR = 100 };
	struct rig *r = rig_new();
	unsigned row = 0, other = 0;

	(void)unused;
	for (unsigned i = 0; i < OTHERS; i++)
		push_local(r, i);
	while (other < OTHERS) {
		tri_word word;

		(void)rig_push_next(&r->mine, word_at(r, PAIR));
		word = rig_pop(&r->mine);
		if (number_of(word) == PAIR) {
			assert_in_range(++row, 1, TRI_NEXT_USES);
			continue;
		}
		assert_int_equal(row, TRI_NEXT_USES);
		assert_int_equal(number_of(word), other++);
		/* The one that had to wait runs now. */
		expect_pop(&r->mine, PAIR);
		row = 1;
	}
	expect_empty(&r->mine);
	rig_free(r);
}

/* How often a pair goes first until one of the others comes. */
static unsigned
row_of_next(struct rig *r, int64_t ns)
{
	enum { PAIR = WORDS - 1 };
	unsigned row = 0;

	for (;; row++) {
		(void)rig_push_next(&r->mine, word_at(r, PAIR));
		if (number_of(rig_pop(&r->mine)) != PAIR)
			break;
		tri_runq_spend(&r->mine, ns);
	}
	expect_pop(&r->mine, PAIR);
	return row + 1;
}

static void
new_words_wait_longer(void **unused)
{
	const int64_t all = (int64_t)TRI_NEW_USES * TRI_NEW_USE_NS;
	struct rig *r = rig_new();
	tri_word words[600];

	(void)unused;
	for (unsigned i = 0; i < 600; i++)
		words[i] = word_at(r, i);
	tri_runq_push_many(&r->mine, words, 600);
	(void)row_of_next(r, 0);
	assert_int_equal(row_of_next(r, 0), TRI_NEW_USES);
	/* Less often if they take long, but not less than others would. */
	assert_in_range(row_of_next(r, TRI_NEW_USE_NS), TRI_NEW_USES / 2,
	    TRI_NEW_USES / 2 + TRI_NEXT_USES);
	assert_in_range(row_of_next(r, all), TRI_NEXT_USES, TRI_NEXT_USES + 2);
	/* One comes in between: it does not wait for all of that. */
	(void)rig_push_next(&r->mine, word_at(r, 700));
	expect_pop(&r->mine, 700);
	push_back(r, 701, 702);
	assert_in_range(row_of_next(r, 0), 1, TRI_NEXT_USES + 1);
	rig_free(r);
}

static void
words_of_other_kinds_do_not_wait_longer(void **unused)
{
	struct rig *r = rig_new();
	tri_word words[20];

	(void)unused;
	for (unsigned i = 0; i < 20; i++)
		words[i] = word_at(r, i);
	tri_runq_push_many(&r->mine, words, 20);
	(void)row_of_next(r, 0);
	assert_int_equal(row_of_next(r, 0), TRI_NEW_USES);
	push_local(r, 100);
	push_local(r, 101);
	assert_in_range(row_of_next(r, 0), 1, TRI_NEXT_USES + 1);
	assert_in_range(row_of_next(r, 0), 1, TRI_NEXT_USES);
	while (r->mine.local_first != NULL)
		(void)row_of_next(r, 0);
	(void)row_of_next(r, 0);
	assert_int_equal(row_of_next(r, 0), TRI_NEW_USES);
	tri_runq_push_soon(&r->mine, word_at(r, 101));
	assert_in_range(row_of_next(r, 0), 1, TRI_NEXT_USES + 1);
	/* And those that wait elsewhere. */
	tri_runq_turn(&r->mine, true);
	assert_int_equal(r->mine.next_left, TRI_NEXT_USES);
	rig_free(r);
}

static void
many_words_are_pushed_at_once(void **unused)
{
	tri_word words[3 * TRI_RING_SLOTS];
	struct rig *r = rig_new();
	uint64_t pushes, over;

	(void)unused;
	for (unsigned i = 0; i < 3 * TRI_RING_SLOTS; i++)
		words[i] = word_at(r, i);
	tri_runq_push_many(&r->mine, words, 0);
	expect_empty(&r->mine);
	for (unsigned i = 0; i < 3 * TRI_RING_SLOTS; i += 24) {
		pushes = atomic_load(&r->mine.pushes);
		over = atomic_load(&r->mine.over.count);
		tri_runq_push_many(&r->mine, words + i, 24);
		/* Who is about to fall asleep sees it. */
		assert_true(atomic_load(&r->mine.pushes) != pushes ||
		    atomic_load(&r->mine.over.count) != over);
		assert_int_equal(tri_runq_length(&r->mine), i + 24);
	}
	expect_pops(&r->mine, 0, 3 * TRI_RING_SLOTS);
	expect_empty(&r->mine);
	rig_free(r);
}

static void
next_goes_on_while_nobody_waits(void **unused)
{
	struct rig *r = rig_new();

	(void)unused;
	for (unsigned i = 0; i < 5 * TRI_NEW_USES; i++) {
		(void)rig_push_next(&r->mine, word_at(r, i));
		expect_pop(&r->mine, i);
	}
	expect_empty(&r->mine);
	rig_free(r);
}

static void
local_words_keep_their_order_and_stay(void **unused)
{
	struct rig *r = rig_new();
	unsigned taken = 99;

	(void)unused;
	for (unsigned i = 0; i < 100; i++)
		push_local(r, i);
	assert_true(tri_runq_waits(&r->mine));
	assert_false(tri_runq_stealable(&r->mine));
	assert_true(tri_runq_steal(&r->other, &r->mine, true, &taken) == 0);
	assert_int_equal(taken, 0);
	expect_pops(&r->mine, 0, 100);
	expect_empty(&r->mine);
	rig_free(r);
}

static void
local_words_and_others_take_turns(void **unused)
{
	enum { N = 200 };
	struct rig *r = rig_new();
	unsigned local = N, shared = 0, row = 0, before = 0;

	(void)unused;
	push_back(r, 0, N);
	for (unsigned i = N; i < 2 * N; i++)
		push_local(r, i);
	while (local < 2 * N && shared < N) {
		unsigned number = number_of(rig_pop(&r->mine));
		bool is_local = number >= N;

		assert_int_equal(number, is_local ? local++ : shared++);
		row = row > 0 && is_local == before ? row + 1 : 1;
		assert_in_range(row, 1, 2);
		before = is_local;
	}
	expect_pops(&r->mine, shared, N);
	expect_pops(&r->mine, local, 2 * N);
	expect_empty(&r->mine);
	rig_free(r);
}

static void
next_does_not_starve_local_words(void **unused)
{
	struct rig *r = rig_new();
	unsigned pops = 0;

	(void)unused;
	push_local(r, 7);
	for (;;) {
		(void)rig_push_next(&r->mine, word_at(r, 1));
		if (number_of(rig_pop(&r->mine)) == 7)
			break;
		assert_true(++pops <= TRI_NEXT_USES);
	}
	expect_pop(&r->mine, 1);
	expect_empty(&r->mine);
	rig_free(r);
}

/* --------------------------------------------------------------- soon ---- */

static void
push_soon(struct rig *r, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		tri_runq_push_soon(&r->mine, word_at(r, i));
}

static void
soon_is_when_one_other_has_been_run(void **unused)
{
	struct rig *r = rig_new();

	(void)unused;
	push_back(r, 0, 4);
	push_soon(r, 10, 13);
	expect_pop(&r->mine, 0);
	expect_pop(&r->mine, 10);
	expect_pop(&r->mine, 1);
	expect_pop(&r->mine, 11);
	/* Who comes now waits for one, too. */
	push_soon(r, 13, 14);
	expect_pop(&r->mine, 2);
	expect_pop(&r->mine, 12);
	expect_pop(&r->mine, 3);
	expect_pop(&r->mine, 13);
	expect_empty(&r->mine);
	rig_free(r);
}

static void
soon_is_now_when_there_is_no_other(void **unused)
{
	struct rig *r = rig_new();

	(void)unused;
	push_soon(r, 0, 3);
	assert_true(tri_runq_waits(&r->mine));
	assert_true(tri_runq_has_others(&r->mine));
	assert_true(tri_runq_stealable(&r->mine));
	assert_int_equal(tri_runq_length(&r->mine), 3);
	expect_pops(&r->mine, 0, 3);
	expect_empty(&r->mine);
	rig_free(r);
}

/* Whoever goes on and on so lets each of the others run, wherever they are. */
static void
soon_starves_nobody(void **unused)
{
	enum { AGAIN = 100, LOCAL = 50, OTHERS = RING + 20 };
	struct rig *r = rig_new();
	unsigned others = 0, local = 0, row = 0;

	(void)unused;
	push_back(r, 200, 200 + OTHERS);
	for (unsigned i = 0; i < 20; i++)
		push_local(r, LOCAL + i);
	push_soon(r, AGAIN, AGAIN + 1);
	while (others < OTHERS || local < 20) {
		unsigned number = number_of(rig_pop(&r->mine));

		if (number == AGAIN) {
			assert_int_equal(row, 1);
			row = 0;
			push_soon(r, AGAIN, AGAIN + 1);
			continue;
		}
		assert_int_equal(++row, 1);
		if (number >= 200)
			assert_int_equal(number, 200 + others++);
		else
			assert_int_equal(number, LOCAL + local++);
	}
	expect_pop(&r->mine, AGAIN);
	expect_empty(&r->mine);
	rig_free(r);
}

static void
soon_is_so_for_a_thief_and_for_who_is_given_it(void **unused)
{
	struct rig *r = rig_new();
	unsigned taken = 0;
	tri_word word;

	(void)unused;
	push_soon(r, 0, 5);
	word = tri_runq_steal(&r->other, &r->mine, false, &taken);
	assert_int_equal(number_of(word), 0);
	assert_int_equal(taken, 3);
	tri_runq_push_back(&r->other, word_at(r, 20));
	tri_runq_push_back(&r->other, word_at(r, 21));
	/* The others of those that were stolen. */
	expect_pop(&r->other, 20);
	expect_pop(&r->other, 1);
	expect_pop(&r->other, 21);
	expect_pop(&r->other, 2);
	expect_empty(&r->other);
	/* Given: what would have been next comes soon, behind what did. */
	push_back(r, 30, 32);
	(void)rig_push_next(&r->mine, word_at(r, 40));
	assert_int_equal(tri_runq_give(&r->mine, &r->other), 5);
	expect_empty(&r->mine);
	expect_pop(&r->other, 30);
	expect_pop(&r->other, 3);
	expect_pop(&r->other, 31);
	expect_pop(&r->other, 4);
	expect_pop(&r->other, 40);
	expect_empty(&r->other);
	rig_free(r);
}

/* ------------------------------------------------------------ thieves ---- */

static void
thief_takes_the_older_half_in_order(void **unused)
{
	(void)unused;
	for (unsigned n = 1; n <= RING; n++) {
		struct rig *r = rig_new();
		unsigned half = (n + 1) / 2, taken = 0;
		tri_word word;

		if (half > TRI_STEAL)
			half = TRI_STEAL;
		push_back(r, 0, n);
		word = tri_runq_steal(&r->other, &r->mine, false, &taken);
		assert_true(word != 0);
		assert_int_equal(taken, half);
		assert_int_equal(number_of(word), 0);
		expect_pops(&r->other, 1, half);
		expect_empty(&r->other);
		expect_pops(&r->mine, half, n);
		expect_empty(&r->mine);
		rig_free(r);
	}
}

static void
thief_finds_nothing_in_an_empty_queue(void **unused)
{
	struct rig *r = rig_new();
	unsigned taken = 99;

	(void)unused;
	assert_true(tri_runq_steal(&r->other, &r->mine, true, &taken) == 0);
	assert_int_equal(taken, 0);
	expect_empty(&r->mine);
	expect_empty(&r->other);
	rig_free(r);
}

static void
thief_takes_from_the_overflow_when_the_ring_is_empty(void **unused)
{
	enum { OVER = 100 };
	struct rig *r = rig_new();
	unsigned taken = 0;
	tri_word word;

	(void)unused;
	push_back(r, 0, RING + OVER);
	expect_pops(&r->mine, 0, RING);
	assert_true(tri_runq_stealable(&r->mine));
	word = tri_runq_steal(&r->other, &r->mine, false, &taken);
	assert_true(word != 0);
	assert_int_equal(taken, OVER / 2);
	assert_int_equal(number_of(word), RING);
	expect_pops(&r->other, RING + 1, RING + OVER / 2);
	expect_empty(&r->other);
	/* What is pushed now still goes behind the rest. */
	push_back(r, RING + OVER, RING + OVER + 10);
	expect_pops(&r->mine, RING + OVER / 2, RING + OVER + 10);
	expect_empty(&r->mine);
	rig_free(r);
}

static void
thief_takes_everything_bit_by_bit(void **unused)
{
	struct rig *r = rig_new();
	unsigned taken, sum = 0, at = 0;
	tri_word word;

	(void)unused;
	push_back(r, 0, WORDS);
	while (
	    (word = tri_runq_steal(&r->other, &r->mine, false, &taken)) != 0) {
		assert_true(taken > 0);
		sum += taken;
		assert_int_equal(number_of(word), at++);
		for (unsigned i = 1; i < taken; i++)
			expect_pop(&r->other, at++);
		expect_empty(&r->other);
	}
	assert_int_equal(sum, WORDS);
	/* It has given back the blocks, all but the last. */
	assert_int_equal(live(r), dry ? 0 : sizeof(struct tri_spill_block));
	expect_empty(&r->mine);
	assert_int_equal(live(r), 0);
	rig_free(r);
}

static void
next_is_stolen_from_the_stuck_only_and_last(void **unused)
{
	struct rig *r = rig_new();
	unsigned taken = 0;
	tri_word word;

	(void)unused;
	(void)rig_push_next(&r->mine, word_at(r, 50));
	assert_true(tri_runq_steal(&r->other, &r->mine, false, &taken) == 0);
	push_back(r, 1, 2);
	word = tri_runq_steal(&r->other, &r->mine, true, &taken);
	assert_int_equal(number_of(word), 1);
	assert_int_equal(taken, 1);
	assert_true(tri_runq_steal(&r->other, &r->mine, false, &taken) == 0);
	word = tri_runq_steal(&r->other, &r->mine, true, &taken);
	assert_int_equal(number_of(word), 50);
	assert_int_equal(taken, 1);
	expect_empty(&r->mine);
	expect_empty(&r->other);
	rig_free(r);
}

/* --------------------------------------------------- at the same time ---- */

enum {
	LAPS = TEST_SCALE(400), /* of the words, by the owner */
};

struct crowd {
	struct rig *rig; /* its `mine` is the owner's */
	atomic_uint done; /* words run in this lap */
	atomic_bool over;
	struct tri_runq queue[THIEVES];
	uint64_t stolen[THIEVES];
	atomic_uint at; /* hands the queues out */
};

static void
run_word(struct crowd *c, tri_word word)
{
	struct thing *t = tri_word_object(word);

	/* Plain: ThreadSanitizer sees whether the queues publish it. */
	t->runs++;
	atomic_fetch_add(&c->done, 1);
}

static void *
thief_main(void *arg)
{
	struct crowd *c = arg;
	unsigned me = atomic_fetch_add(&c->at, 1), taken;
	struct tri_runq *mine = &c->queue[me];

	while (!atomic_load(&c->over)) {
		/* From the owner, or from one of each other. */
		unsigned from = (unsigned)(c->stolen[me] % (THIEVES + 1));
		struct tri_runq *victim = from == THIEVES || from == me ?
		    &c->rig->mine :
		    &c->queue[from];
		tri_word word = tri_runq_steal(mine, victim, true, &taken);

		c->stolen[me] += taken + (word == 0);
		if (word == 0)
			sched_yield();
		for (; word != 0; word = rig_pop(mine))
			run_word(c, word);
	}
	return NULL;
}

/* Push all words in this and that way, and run what is still there. */
static void
owner_lap(struct crowd *c, unsigned lap)
{
	struct tri_runq *q = &c->rig->mine;
	tri_word word;

	for (unsigned i = 0; i < WORDS; i++) {
		if ((i + lap) % 5 == 0)
			(void)rig_push_next(q, word_at(c->rig, i));
		else if ((i + lap) % 17 == 0)
			push_local(c->rig, i);
		else
			push_back(c->rig, i, i + 1);
		/* Now ahead of the thieves, now behind. */
		if ((i / 256 + lap) % 3 == 0 && (word = rig_pop(q)) != 0)
			run_word(c, word);
	}
	while (atomic_load(&c->done) < WORDS) {
		word = rig_pop(q);
		if (word != 0)
			run_word(c, word);
		else
			sched_yield();
	}
}

static void
thieves_and_owner_share_each_word_once(void **unused)
{
	static struct crowd c;
	pthread_t thread[THIEVES];
	unsigned wrong = 0;

	(void)unused;
	memset(&c, 0, sizeof(c));
	c.rig = rig_new();
	for (int i = 0; i < THIEVES; i++)
		tri_runq_init(&c.queue[i], &c.rig->sched, &c.rig->pool[2 + i]);
	for (int i = 0; i < THIEVES; i++)
		assert_int_equal(0,
		    pthread_create(&thread[i], NULL, thief_main, &c));
	for (unsigned lap = 1; lap <= LAPS; lap++) {
		owner_lap(&c, lap);
		/* acq by the counter: all of them have run. */
		for (unsigned i = 0; i < WORDS; i++)
			wrong += c.rig->thing[i].runs != lap;
		wrong += atomic_load(&c.done) != WORDS;
		atomic_store(&c.done, 0);
	}
	atomic_store(&c.over, true);
	for (int i = 0; i < THIEVES; i++)
		assert_int_equal(0, pthread_join(thread[i], NULL));
	assert_int_equal(wrong, 0);
	expect_empty(&c.rig->mine);
	for (int i = 0; i < THIEVES; i++)
		expect_empty(&c.queue[i]);
	rig_free(c.rig);
}

/* ------------------------------------------------- the race for `next` --- */

enum { DUELS = TEST_SCALE(1000000), STUCK = 500 };

struct duel {
	struct rig *rig;
	atomic_bool begun, over;
	unsigned long stolen;
};

static void *
duel_main(void *arg)
{
	struct duel *d = arg;
	struct rig *r = d->rig;
	unsigned taken;

	atomic_store(&d->begun, true);
	while (!atomic_load(&d->over)) {
		tri_word word =
		    tri_runq_steal(&r->other, &r->mine, true, &taken);

		for (; word != 0; word = rig_pop(&r->other)) {
			((struct thing *)tri_word_object(word))->runs++;
			d->stolen++;
		}
	}
	return NULL;
}

static void
next_goes_to_the_owner_or_to_a_thief(void **unused)
{
	struct rig *r = rig_new();
	struct duel d = { .rig = r };
	unsigned long pushed = 0, runs = 0, sum = 0;
	pthread_t thread;

	(void)unused;
	assert_int_equal(0, pthread_create(&thread, NULL, duel_main, &d));
	while (!atomic_load(&d.begun))
		sched_yield();
	while (pushed < DUELS) {
		/* Now one, now two: the first of these goes to the ring. */
		for (unsigned n = pushed % 5 == 0 ? 2 : 1; n > 0; n--) {
			struct thing *t = &r->thing[pushed++ % WORDS];

			(void)rig_push_next(&r->mine, tri_word_of(t, KIND));
		}
		/* Let the thief in on a machine that has one core. */
		if (pushed % 512 == 0)
			sched_yield();
		/* Stuck for a while. */
		for (unsigned spin = pushed % 64 == 0 ? STUCK : 0;
		     spin > 0 && tri_next_waits(&r->mine.next); spin--)
			ck_pr_stall();
		while (rig_pop(&r->mine) != 0)
			runs++;
	}
	atomic_store(&d.over, true);
	assert_int_equal(0, pthread_join(thread, NULL));
	for (unsigned i = 0; i < WORDS; i++)
		sum += r->thing[i].runs;
	assert_int_equal(sum, d.stolen);
	print_message("%lu to the owner, %lu to the thief\n", runs, d.stolen);
	assert_int_equal(runs + d.stolen, pushed);
	rig_free(r);
}

static void
and_so_where_threads_cannot_be_fenced(void **unused)
{
	fenceless = true;
	next_is_stolen_from_the_stuck_only_and_last(unused);
	thieves_and_owner_share_each_word_once(unused);
	next_goes_to_the_owner_or_to_a_thief(unused);
	fenceless = false;
}

static void
and_so_without_memory_for_blocks(void **unused)
{
	dry = true;
	words_come_back_in_order_through_ring_and_overflow(unused);
	overflow_keeps_the_order_while_words_come_and_go(unused);
	every_push_shows_to_who_is_about_to_sleep(unused);
	many_words_are_pushed_at_once(unused);
	thief_takes_from_the_overflow_when_the_ring_is_empty(unused);
	thief_takes_everything_bit_by_bit(unused);
	thieves_and_owner_share_each_word_once(unused);
	dry = false;
}

/* Memory runs out, and comes back, between two words. */
static void
words_keep_their_order_when_memory_comes_and_goes(void **unused)
{
	enum { BLOCKS = 600 }; /* a slab has fewer */
	struct rig *r = rig_new();
	void *(*slab_new)(void *, size_t) = r->env->memory.slab_new;
	void *block[BLOCKS];
	unsigned n = 0, in = RING;

	(void)unused;
	push_back(r, 0, in);
	block[n++] = tri_pool_alloc(&r->pool[0], TRI_SPILL_CLASS);
	assert_non_null(block[0]);
	r->env->memory.slab_new = no_slab;
	while (
	    (block[n] = tri_pool_alloc(&r->pool[0], TRI_SPILL_CLASS)) != NULL)
		n++;
	for (unsigned lap = 0; lap < 6; lap++) {
		/* Enough for one block, and then for none. */
		tri_pool_free(&r->pool[0], block[--n], TRI_SPILL_CLASS);
		push_back(r, in, in + TRI_SPILL_WORDS + 10);
		in += TRI_SPILL_WORDS + 10;
		assert_true(tri_spill_is_used(&r->mine.spill));
		assert_int_equal(r->mine.over.count, lap * 73 + 10);
	}
	r->env->memory.slab_new = slab_new;
	push_back(r, in, in + 10);
	expect_pops(&r->mine, 0, in + 10);
	expect_empty(&r->mine);
	while (n > 0)
		tri_pool_free(&r->pool[0], block[--n], TRI_SPILL_CLASS);
	rig_free(r);
}

static void
blocks_are_given_back_when_the_words_are_gone(void **unused)
{
	struct rig *r = rig_new();

	(void)unused;
	for (unsigned lap = 0; lap < 3; lap++) {
		push_back(r, 0, WORDS);
		assert_true(tri_spill_is_used(&r->mine.spill));
		expect_pops(&r->mine, 0, WORDS);
		expect_empty(&r->mine);
		assert_false(tri_spill_is_used(&r->mine.spill));
		/* So the ring is used again. */
		push_back(r, 0, RING);
		assert_false(tri_spill_is_used(&r->mine.spill));
		expect_pops(&r->mine, 0, RING);
	}
	rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(word_is_an_object_and_its_kind),
		cmocka_unit_test(fresh_queue_is_empty),
		cmocka_unit_test(
		    words_come_back_in_order_through_ring_and_overflow),
		cmocka_unit_test(
		    overflow_keeps_the_order_while_words_come_and_go),
		cmocka_unit_test(every_push_shows_to_who_is_about_to_sleep),
		cmocka_unit_test(next_runs_first_and_gives_way_to_a_newer_one),
		cmocka_unit_test(next_alone_waits_but_is_not_to_be_stolen),
		cmocka_unit_test(next_is_used_so_many_times_while_others_wait),
		cmocka_unit_test(new_words_wait_longer),
		cmocka_unit_test(words_of_other_kinds_do_not_wait_longer),
		cmocka_unit_test(many_words_are_pushed_at_once),
		cmocka_unit_test(next_goes_on_while_nobody_waits),
		cmocka_unit_test(local_words_keep_their_order_and_stay),
		cmocka_unit_test(local_words_and_others_take_turns),
		cmocka_unit_test(next_does_not_starve_local_words),
		cmocka_unit_test(soon_is_when_one_other_has_been_run),
		cmocka_unit_test(soon_is_now_when_there_is_no_other),
		cmocka_unit_test(soon_starves_nobody),
		cmocka_unit_test(
		    soon_is_so_for_a_thief_and_for_who_is_given_it),
		cmocka_unit_test(thief_takes_the_older_half_in_order),
		cmocka_unit_test(thief_finds_nothing_in_an_empty_queue),
		cmocka_unit_test(
		    thief_takes_from_the_overflow_when_the_ring_is_empty),
		cmocka_unit_test(thief_takes_everything_bit_by_bit),
		cmocka_unit_test(next_is_stolen_from_the_stuck_only_and_last),
		cmocka_unit_test(thieves_and_owner_share_each_word_once),
		cmocka_unit_test(next_goes_to_the_owner_or_to_a_thief),
		cmocka_unit_test(and_so_where_threads_cannot_be_fenced),
		cmocka_unit_test(and_so_without_memory_for_blocks),
		cmocka_unit_test(
		    words_keep_their_order_when_memory_comes_and_goes),
		cmocka_unit_test(blocks_are_given_back_when_the_words_are_gone),
	};

	alarm(TOO_LONG_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
