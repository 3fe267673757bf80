/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The spin lock that gives the core away (sched/lock.h): who has waited for
 * long is let in by one that takes the lock again and again.
 *
 * The environment's yield is the test's: the waiter sleeps in it until the
 * greedy thread gives the core away, and that one until the waiter has the
 * lock.  So the order does not depend on anybody's luck.
 */
#include "sched/lock.h"

#include "kit.h"

struct contest {
	struct tri_env env; /* first */
	struct tri_lock lock;
	pthread_t greedy;
	sem_t go, got;
	atomic_int yields; /* of the greedy one */
	int order[2], taken; /* under the lock */
};

enum { GREEDY = 1, WAITER = 2 };

static void
wait_for(sem_t *sem)
{
	while (sem_wait(sem) != 0)
		assert_int_equal(errno, EINTR);
}

static void
contest_yield(struct tri_env *env)
{
	struct contest *t = (struct contest *)(void *)env;

	if (!pthread_equal(pthread_self(), t->greedy)) {
		wait_for(&t->go);
		return;
	}
	atomic_fetch_add(&t->yields, 1);
	sem_post(&t->go);
	wait_for(&t->got);
}

static void *
waiter(void *arg)
{
	struct contest *t = arg;

	tri_lock(&t->env, &t->lock);
	t->order[t->taken++] = WAITER;
	tri_unlock(&t->lock);
	sem_post(&t->got);
	return NULL;
}

static void
one_that_waits_is_let_in_by_one_that_comes_again(void **unused)
{
	static struct contest t;
	pthread_t thread;

	(void)unused;
	memset(&t, 0, sizeof(t));
	t.env.yield = contest_yield;
	t.greedy = pthread_self();
	sem_init(&t.go, 0, 0);
	sem_init(&t.got, 0, 0);
	tri_lock_init(&t.lock);
	tri_lock(&t.env, &t.lock);
	assert_int_equal(pthread_create(&thread, NULL, waiter, &t), 0);
	while (tri_load_relaxed(&t.lock.waiting) == 0)
		sched_yield();
	tri_unlock(&t.lock);
	tri_lock(&t.env, &t.lock);
	t.order[t.taken++] = GREEDY;
	tri_unlock(&t.lock);
	sem_post(&t.go); /* should nobody have let it in */
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(t.order[0], WAITER);
	assert_int_equal(t.order[1], GREEDY);
	assert_int_equal(t.yields, 1);
	assert_int_equal(tri_load_relaxed(&t.lock.waiting), 0);
	sem_destroy(&t.got);
	sem_destroy(&t.go);
}

static void
a_lock_that_nobody_waits_for_is_taken_at_once(void **unused)
{
	static struct contest t;

	(void)unused;
	memset(&t, 0, sizeof(t));
	t.env.yield = contest_yield;
	t.greedy = pthread_self();
	tri_lock_init(&t.lock);
	for (int i = 0; i < 3; i++) {
		tri_lock(&t.env, &t.lock);
		assert_false(tri_trylock(&t.lock));
		tri_unlock(&t.lock);
		assert_true(tri_trylock(&t.lock));
		tri_unlock(&t.lock);
	}
	assert_int_equal(t.yields, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(one_that_waits_is_let_in_by_one_that_comes_again),
		KIT_TEST(a_lock_that_nobody_waits_for_is_taken_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
