/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mailbox/ck.h: libck does what we use it for, and a sanitizer build sees it
 * (no false report, and a real race is still found).
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "mailbox/ck.h"
#include "scale.h"

#if defined(TEST_TSAN) && !defined(TR_CK_SHIM)
#error "a ThreadSanitizer build without the libck shim reports false races"
#endif

#ifdef memcpy
#error "mailbox/ck.h must not leave the shim's memcpy() behind"
#endif

enum {
	RING_SIZE = 64,
	CONSUMERS = 2,
	PRODUCERS = 2,
	ITEMS = TEST_SCALE(1000000),
	TSAN_EXIT_CODE = 66, /* what ThreadSanitizer exits with by default */
};

/* An item's value is plain memory: publishing it is the structure's work. */
struct item {
	ck_stack_entry_t link;
	uint64_t value;
};

CK_STACK_CONTAINER(struct item, link, item_of)

static struct item items[ITEMS];

static uint64_t
sum_to(uint64_t n)
{
	return n * (n + 1) / 2;
}

/* -------------------------------------------------------------- ring --- */

struct ring_case {
	ck_ring_t ring;
	ck_ring_buffer_t buffer[RING_SIZE];
	unsigned int done; /* set by the producer, by ck_pr_* only */
};

struct ring_tally {
	struct ring_case *rc;
	uint64_t count;
	uint64_t sum;
};

static void *
ring_consume(void *arg)
{
	struct ring_tally *tally = arg;
	struct ring_case *rc = tally->rc;
	void *item;

	for (;;) {
		const bool last = ck_pr_load_uint(&rc->done) != 0;

		ck_pr_fence_load();
		while (ck_ring_dequeue_spmc(&rc->ring, rc->buffer, &item)) {
			tally->sum += ((struct item *)item)->value;
			tally->count++;
		}
		if (last)
			return NULL;
		ck_pr_stall();
	}
}

static void
ring_hands_each_item_to_one_consumer(void **unused)
{
	struct ring_case rc;
	struct ring_tally tally[CONSUMERS];
	pthread_t thread[CONSUMERS];
	uint64_t count = 0;
	uint64_t sum = 0;

	(void)unused;
	memset(&rc, 0, sizeof(rc));
	ck_ring_init(&rc.ring, RING_SIZE);
	for (int i = 0; i < CONSUMERS; i++) {
		tally[i] = (struct ring_tally){ .rc = &rc };
		assert_int_equal(0,
		    pthread_create(&thread[i], NULL, ring_consume, &tally[i]));
	}
	for (uint64_t i = 0; i < ITEMS; i++) {
		items[i].value = i + 1;
		while (!ck_ring_enqueue_spmc(&rc.ring, rc.buffer, &items[i]))
			ck_pr_stall();
	}
	ck_pr_fence_store();
	ck_pr_store_uint(&rc.done, 1);
	for (int i = 0; i < CONSUMERS; i++) {
		assert_int_equal(0, pthread_join(thread[i], NULL));
		count += tally[i].count;
		sum += tally[i].sum;
	}
	assert_int_equal(ITEMS, count);
	assert_true(sum == sum_to(ITEMS));
}

/* ------------------------------------------------------------- stack --- */

struct stack_share {
	ck_stack_t *stack;
	uint64_t first;
};

static void *
stack_push_share(void *arg)
{
	struct stack_share *share = arg;

	for (uint64_t i = share->first; i < ITEMS; i += PRODUCERS) {
		items[i].value = i + 1;
		ck_stack_push_upmc(share->stack, &items[i].link);
	}
	return NULL;
}

static void
stack_batches_hold_each_pushed_item_once(void **unused)
{
	ck_stack_t stack = CK_STACK_INITIALIZER;
	struct stack_share share[PRODUCERS];
	pthread_t thread[PRODUCERS];
	uint64_t count = 0;
	uint64_t sum = 0;

	(void)unused;
	for (unsigned i = 0; i < PRODUCERS; i++) {
		share[i] = (struct stack_share){ &stack, i };
		assert_int_equal(0,
		    pthread_create(&thread[i], NULL, stack_push_share,
			&share[i]));
	}
	while (count < ITEMS) {
		ck_stack_entry_t *at = ck_stack_batch_pop_upmc(&stack);

		for (; at != NULL; at = CK_STACK_NEXT(at)) {
			sum += item_of(at)->value;
			count++;
		}
	}
	for (int i = 0; i < PRODUCERS; i++)
		assert_int_equal(0, pthread_join(thread[i], NULL));
	assert_null(ck_stack_batch_pop_upmc(&stack));
	assert_int_equal(ITEMS, count);
	assert_true(sum == sum_to(ITEMS));
}

/* ---------------------------------------------------------- spinlock --- */

struct guarded {
	ck_spinlock_t lock;
	uint64_t count; /* plain; lock */
	uint64_t rounds;
};

static void *
spinlock_count(void *arg)
{
	struct guarded *g = arg;

	for (uint64_t i = 0; i < g->rounds; i++) {
		if (i % 2 == 0) {
			ck_spinlock_lock(&g->lock);
		} else {
			while (!ck_spinlock_trylock(&g->lock))
				ck_pr_stall();
		}
		g->count++;
		ck_spinlock_unlock(&g->lock);
	}
	return NULL;
}

static void
spinlock_guards_a_plain_counter(void **unused)
{
	struct guarded g = { .rounds = ITEMS / 4 + 1 };
	pthread_t thread[2];

	(void)unused;
	ck_spinlock_init(&g.lock);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(0,
		    pthread_create(&thread[i], NULL, spinlock_count, &g));
	}
	for (int i = 0; i < 2; i++)
		assert_int_equal(0, pthread_join(thread[i], NULL));
	assert_int_equal(2 * g.rounds, g.count);
}

static void
backoff_grows(void **unused)
{
	ck_backoff_t backoff = CK_BACKOFF_INITIALIZER;

	(void)unused;
	ck_backoff_eb(&backoff);
	assert_int_equal(2 * CK_BACKOFF_INITIALIZER, backoff);
}

/* ------------------------------------------------------ planted race --- */

#ifdef TEST_TSAN
/* Publishes items through a ring and goes on writing to them. */
static int
race(void)
{
	struct ring_case rc;
	struct ring_tally tally = { .rc = &rc };
	pthread_t thread;

	memset(&rc, 0, sizeof(rc));
	ck_ring_init(&rc.ring, RING_SIZE);
	if (pthread_create(&thread, NULL, ring_consume, &tally) != 0)
		return 1;
	for (uint64_t i = 0; i < ITEMS; i++) {
		while (!ck_ring_enqueue_spmc(&rc.ring, rc.buffer, &items[i]))
			ck_pr_stall();
		items[i].value = i; /* too late: this is the race */
	}
	ck_pr_store_uint(&rc.done, 1);
	pthread_join(thread, NULL);
	return 0;
}

static void
sanitizer_finds_a_planted_race(void **unused)
{
	int status = 0;
	pid_t child;

	(void)unused;
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)!freopen("/dev/null", "w", stderr);
		execl("/proc/self/exe", "mailbox_ck", "race", (char *)NULL);
		_exit(127);
	}
	assert_int_equal(child, waitpid(child, &status, 0));
	assert_true(WIFEXITED(status));
	assert_int_equal(TSAN_EXIT_CODE, WEXITSTATUS(status));
}
#endif /* TEST_TSAN */

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ring_hands_each_item_to_one_consumer),
		cmocka_unit_test(stack_batches_hold_each_pushed_item_once),
		cmocka_unit_test(spinlock_guards_a_plain_counter),
		cmocka_unit_test(backoff_grows),
#ifdef TEST_TSAN
		cmocka_unit_test(sanitizer_finds_a_planted_race),
#endif
	};

#ifdef TEST_TSAN
	if (argc == 2 && strcmp(argv[1], "race") == 0)
		return race();
#endif
	(void)argc;
	(void)argv;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
