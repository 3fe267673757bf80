/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The real world behind the seam: clock, memory, threads, event loops with
 * their sleep, and signals.  (The pool of threads is sched_jobs.c.)
 *
 * Nothing here asks for speed.  What sleeps must not get up early: a deadline
 * or an alarm ends a sleep up to a millisecond too soon at most, since libev
 * counts in these.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "scale.h"
#include "sched/env.h"

#define MS INT64_C(1000000)

enum {
	THREADS = 3,
	TOO_LONG_S = 100,
};

static struct tri_env *env; /* made once, for all tests */

static int
setup(void **unused)
{
	(void)unused;
	env = tri_env_real();
	return env == NULL ? -1 : 0;
}

static int
teardown(void **unused)
{
	(void)unused;
	env->free(env);
	return 0;
}

static void
nap_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

/* ------------------------------------------------------------- clocks ---- */

static atomic_llong latest; /* time that any thread has seen */
static atomic_int behind;

static void *
clock_main(void *unused)
{
	(void)unused;
	for (int i = 0; i < TEST_SCALE(100000); i++) {
		long long before = atomic_load(&latest);
		int64_t now = env->now(env);

		/* Also when another thread read the one before. */
		if (now < before)
			atomic_fetch_add(&behind, 1);
		while (before < now &&
		    !atomic_compare_exchange_weak(&latest, &before, now))
			continue;
	}
	return NULL;
}

static void
clock_never_steps_back(void **unused)
{
	pthread_t thread[THREADS];
	int64_t begun = env->now(env);

	(void)unused;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(0,
		    pthread_create(&thread[i], NULL, clock_main, NULL));
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(0, pthread_join(thread[i], NULL));
	assert_int_equal(behind, 0);
	nap_ms(2);
	assert_true(env->now(env) >= begun + 2 * MS);
}

static void
cycles_advance_with_the_clock(void **unused)
{
	uint64_t begun = env->cycles(env);

	(void)unused;
	nap_ms(2);
	assert_true(env->cycles(env) - begun > 0);
	assert_true(env->cycles(env) - begun < (uint64_t)1 << 62);
}

static void
entropy_fills_the_buffer_differently_each_time(void **unused)
{
	unsigned char a[32] = { 0 }, b[32] = { 0 };

	(void)unused;
	env->entropy(env, a, sizeof(a) - 1);
	env->entropy(env, b, sizeof(b) - 1);
	assert_memory_not_equal(a, b, sizeof(a));
	assert_int_equal(a[31], 0);
	env->entropy(env, a, 0);
}

/* ------------------------------------------------------------- memory ---- */

static void
memory_is_aligned_as_promised(void **unused)
{
	const struct tri_memory *m = &env->memory;
	const size_t size[] = { 0, 1, 32, 33, 100000 };

	(void)unused;
	for (unsigned i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
		void *p = m->alloc(m->ctx, size[i]);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 32, 0);
		memset(p, 1, size[i]);
		m->free(m->ctx, p);
	}
	for (int i = 0; i < 20; i++) {
		char *slab = m->slab_new(m->ctx, TRI_SLAB_BYTES);

		assert_non_null(slab);
		assert_int_equal((uintptr_t)slab % TRI_SLAB_BYTES, 0);
		if (i % 2)
			m->populate(m->ctx, slab, TRI_SLAB_BYTES);
		assert_int_equal(slab[0], 0);
		memset(slab, 1, TRI_SLAB_BYTES);
		m->slab_free(m->ctx, slab, TRI_SLAB_BYTES);
	}
}

static void
reserved_space_is_usable_and_zero_where_committed(void **unused)
{
	const size_t space = (size_t)1 << 32, page = (size_t)1 << 16;
	char *p = env->reserve(env, space);

	(void)unused;
	assert_non_null(p);
	for (size_t at = 0; at < space; at += space / 4) {
		assert_true(env->commit(env, p + at, page));
		for (size_t i = 0; i < page; i += 512)
			assert_int_equal(p[at + i], 0);
		memset(p + at, 1, page);
		/* Once more is no harm, and takes nothing away. */
		assert_true(env->commit(env, p + at, page));
		assert_int_equal(p[at + page - 1], 1);
	}
	env->release(env, p, space);
	assert_null(env->reserve(env, SIZE_MAX / 2));
}

/* ------------------------------------------------------------ threads ---- */

struct visit {
	int cpus, cpu;
	bool blocked, faults;
	char name[16];
};

static void
visit_main(void *arg)
{
	struct visit *v = arg;
	sigset_t mask;
	cpu_set_t set;

	pthread_getaffinity_np(pthread_self(), sizeof(set), &set);
	v->cpus = CPU_COUNT(&set);
	v->cpu = sched_getcpu();
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	v->blocked = sigismember(&mask, SIGUSR1) && sigismember(&mask, SIGINT);
	v->faults = !sigismember(&mask, SIGSEGV) && !sigismember(&mask, SIGBUS);
	pthread_getname_np(pthread_self(), v->name, sizeof(v->name));
}

static void
threads_are_named_bound_and_without_signals(void **unused)
{
	struct visit v = { 0 };
	struct tri_thread *thread = NULL;
	sigset_t mask;
	int cpu = env->cpu_at(env, 1);

	(void)unused;
	assert_int_equal(env->thread_start(env, &thread, visit_main, &v,
			     "troupe-blocking", cpu),
	    0);
	env->thread_join(env, thread);
	assert_int_equal(v.cpus, 1);
	assert_int_equal(v.cpu, cpu);
	assert_true(v.blocked);
	/* But for those that its own fault raises. */
	assert_true(v.faults);
	assert_string_equal(v.name, "troupe-blocking");

	assert_int_equal(env->thread_start(env, &thread, visit_main, &v,
			     "a name that is too long for it", -1),
	    0);
	env->thread_join(env, thread);
	assert_true(v.cpus >= (int)env->cpus(env));
	/* The starter's own mask is as before. */
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	assert_false(sigismember(&mask, SIGUSR1));
}

static void
caller_may_be_bound_and_unbound(void **unused)
{
	cpu_set_t before, bound, after;

	(void)unused;
	sched_getaffinity(0, sizeof(before), &before);
	env->thread_bind(env, env->cpu_at(env, 0));
	sched_getaffinity(0, sizeof(bound), &bound);
	assert_int_equal(CPU_COUNT(&bound), 1);
	env->thread_unbind(env);
	sched_getaffinity(0, sizeof(after), &after);
	assert_true(CPU_EQUAL(&before, &after));
	env->thread_bind(env, -1);
	sched_getaffinity(0, sizeof(after), &after);
	assert_true(CPU_EQUAL(&before, &after));
}

static void
cpus_have_numbers_and_distances(void **unused)
{
	unsigned n = env->cpus(env);

	(void)unused;
	assert_true(n >= 1);
	for (unsigned i = 0; i < 2 * n; i++) {
		int a = env->cpu_at(env, i);

		assert_true(a >= 0);
		for (unsigned k = 0; k < n; k++) {
			int b = env->cpu_at(env, k);
			unsigned d = env->cpu_distance(env, a, b);

			assert_in_range(d, 0, 3);
			assert_int_equal(d, env->cpu_distance(env, b, a));
		}
		assert_int_equal(env->cpu_distance(env, a, -1), 3);
		assert_int_equal(env->cpu_distance(env, -1, a), 3);
	}
}

/* ------------------------------------------------------------- writing --- */

static void *
drain_main(void *arg)
{
	int fd = *(int *)arg;
	unsigned char buf[777];
	uintptr_t sum = 0;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++)
			sum += buf[i];
	return (void *)sum;
}

static void
write_writes_all_or_says_why_not(void **unused)
{
	enum { BYTES = 1000000 };
	unsigned char *buf = malloc(BYTES);
	uintptr_t sum = 0;
	pthread_t thread;
	void *seen;
	int fd[2];

	(void)unused;
	assert_non_null(buf);
	assert_int_equal(pipe(fd), 0);
	for (int i = 0; i < BYTES; i++)
		sum += buf[i] = (unsigned char)(i * 7);
	assert_int_equal(0, pthread_create(&thread, NULL, drain_main, &fd[0]));
	assert_int_equal(env->write(env, fd[1], buf, BYTES), 0);
	assert_int_equal(env->write(env, fd[1], buf, 0), 0);
	close(fd[1]);
	assert_int_equal(0, pthread_join(thread, &seen));
	assert_true((uintptr_t)seen == sum);
	close(fd[0]);
	assert_int_equal(env->write(env, -1, buf, 1), -EBADF);
	free(buf);
}

/* -------------------------------------------------------------- loops ---- */

static struct tri_loop *
loop_begin(void)
{
	struct tri_loop *loop = env->loop_new(env);

	assert_non_null(loop);
	return loop;
}

/* Sleep until something but `deadline` was the reason, or it has come. */
static void
sleep_until(struct tri_loop *loop, int64_t deadline)
{
	(void)env->loop_sleep(env, loop, deadline);
}

static void
deadline_ends_a_sleep_and_not_early(void **unused)
{
	const int64_t delay[] = { INT64_MIN / 2, -5 * MS, 0, 1, 1000, MS / 2,
		MS, 3 * MS + 1, 20 * MS };
	struct tri_loop *loop = loop_begin();

	(void)unused;
	for (unsigned i = 0; i < sizeof(delay) / sizeof(delay[0]); i++) {
		int64_t deadline = env->now(env) + delay[i];

		assert_int_equal(env->loop_sleep(env, loop, deadline), 0);
		assert_true(env->now(env) >= deadline - MS);
	}
	env->loop_free(env, loop);
}

static void
wake_before_the_sleep_is_not_lost(void **unused)
{
	struct tri_loop *loop = loop_begin();

	(void)unused;
	for (int i = 0; i < 100; i++) {
		env->loop_wake(env, loop);
		if (i % 2)
			env->loop_wake(env, loop);
		/* Would never end otherwise. */
		sleep_until(loop, INT64_MAX);
	}
	env->loop_free(env, loop);
}

struct waker {
	struct tri_loop *loop;
	atomic_uint asked; /* how often it shall have woken */
	atomic_uint done;
	unsigned rounds;
};

static void *
waker_main(void *arg)
{
	struct waker *k = arg;

	for (unsigned round = 1; round <= k->rounds; round++) {
		while (atomic_load(&k->asked) < round)
			sched_yield();
		if (round % 64 == 0)
			nap_ms(1);
		atomic_store(&k->done, round);
		env->loop_wake(env, k->loop);
	}
	return NULL;
}

static void
wake_ends_a_sleep_of_any_length(void **unused)
{
	struct waker k = { .rounds = TEST_SCALE(20000) };
	pthread_t thread;

	(void)unused;
	k.loop = loop_begin();
	assert_int_equal(0, pthread_create(&thread, NULL, waker_main, &k));
	for (unsigned round = 1; round <= k.rounds; round++) {
		atomic_store(&k.asked, round);
		/* As the sleeper's protocol has it: look, sleep, look. */
		while (atomic_load(&k.done) < round)
			sleep_until(k.loop, INT64_MAX);
	}
	assert_int_equal(0, pthread_join(thread, NULL));
	env->loop_free(env, k.loop);
}

static void
alarm_ends_a_sleep_and_not_early(void **unused)
{
	struct tri_loop *loop = loop_begin();

	(void)unused;
	for (int i = 1; i <= 10; i++) {
		int64_t begun = env->now(env);

		env->loop_alarm(env, loop, i * MS);
		sleep_until(loop, INT64_MAX);
		assert_true(env->now(env) >= begun + (i - 1) * MS);
	}
	env->loop_free(env, loop);
}

static void
alarm_replaces_the_one_before(void **unused)
{
	struct tri_loop *loop = loop_begin();
	int64_t begun = env->now(env);

	(void)unused;
	env->loop_alarm(env, loop, 3600000 * MS);
	env->loop_alarm(env, loop, 5 * MS);
	sleep_until(loop, INT64_MAX);
	assert_true(env->now(env) >= begun + 4 * MS);
	/* One that has rung does not ring again. */
	begun = env->now(env);
	sleep_until(loop, begun + 20 * MS);
	assert_true(env->now(env) >= begun + 19 * MS);
	env->loop_free(env, loop);
}

static void *
alarm_main(void *arg)
{
	nap_ms(5);
	env->loop_alarm(env, arg, 3 * MS);
	return NULL;
}

static void
alarm_set_during_the_sleep_ends_it(void **unused)
{
	struct tri_loop *loop = loop_begin();
	int64_t begun = env->now(env);
	pthread_t thread;

	(void)unused;
	assert_int_equal(0, pthread_create(&thread, NULL, alarm_main, loop));
	sleep_until(loop, INT64_MAX);
	assert_true(env->now(env) >= begun + 7 * MS);
	assert_int_equal(0, pthread_join(thread, NULL));
	env->loop_free(env, loop);
}

static void
poll_does_not_wait(void **unused)
{
	struct tri_loop *loop = loop_begin();

	(void)unused;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(env->loop_poll(env, loop), 0);
	env->loop_wake(env, loop);
	/* A wake-up is no event. */
	assert_int_equal(env->loop_poll(env, loop), 0);
	env->loop_free(env, loop);
	env->loop_free(env, NULL);
}

/* ------------------------------------------------------------ signals ---- */

struct seen {
	int n, last;
};

static void
on_signal(void *arg, int signo)
{
	struct seen *s = arg;

	s->n++;
	s->last = signo;
}

static void
signals_arrive_on_the_loop(void **unused)
{
	struct tri_loop *loop = loop_begin();
	struct seen one = { 0, 0 }, two = { 0, 0 };

	(void)unused;
	assert_int_equal(env->loop_signal(env, loop, SIGUSR1, on_signal, &one),
	    0);
	assert_int_equal(env->loop_signal(env, loop, SIGUSR2, on_signal, &two),
	    0);
	for (int i = 1; i <= 5; i++) {
		assert_int_equal(kill(getpid(), SIGUSR1), 0);
		while (one.n < i)
			sleep_until(loop, INT64_MAX);
		assert_int_equal(one.n, i);
		assert_int_equal(one.last, SIGUSR1);
	}
	assert_int_equal(two.n, 0);
	assert_int_equal(raise(SIGUSR2), 0);
	while (two.n == 0)
		(void)env->loop_poll(env, loop);
	assert_int_equal(two.n, 1);
	env->loop_free(env, loop);
}

static void
signals_count_as_events(void **unused)
{
	struct tri_loop *loop = loop_begin();
	struct seen seen = { 0, 0 };
	unsigned events = 0;

	(void)unused;
	assert_int_equal(env->loop_signal(env, loop, SIGUSR1, on_signal, &seen),
	    0);
	assert_int_equal(raise(SIGUSR1), 0);
	while (seen.n == 0)
		events += env->loop_sleep(env, loop, INT64_MAX);
	assert_int_equal(events, 1);
	env->loop_free(env, loop);
}

static void
signals_are_as_before_after_their_loop(void **unused)
{
	struct sigaction now;

	(void)unused;
	for (int i = 0; i < 4; i++) {
		void (*before)(int) = i % 2 ? SIG_IGN : SIG_DFL;
		struct tri_loop *loop = loop_begin();
		struct seen seen = { 0, 0 };

		(void)signal(SIGUSR1, before);
		assert_int_equal(env->loop_signal(env, loop, SIGUSR1, on_signal,
				     &seen),
		    0);
		assert_int_equal(raise(SIGUSR1), 0);
		while (seen.n == 0)
			sleep_until(loop, INT64_MAX);
		env->loop_free(env, loop);
		assert_int_equal(sigaction(SIGUSR1, NULL, &now), 0);
		assert_ptr_equal(now.sa_handler, before);
	}
	(void)signal(SIGUSR1, SIG_DFL);
}

static void
signals_that_others_handle_are_refused(void **unused)
{
	struct tri_loop *loop = loop_begin(), *other = loop_begin();
	struct seen seen = { 0, 0 };

	(void)unused;
	assert_int_equal(env->loop_signal(env, loop, SIGKILL, on_signal, &seen),
	    -EINVAL);
	assert_int_equal(env->loop_signal(env, loop, 12345, on_signal, &seen),
	    -EINVAL);
	assert_int_equal(env->loop_signal(env, loop, -1, on_signal, &seen),
	    -EINVAL);
	/* libev allows one loop per signal. */
	assert_int_equal(env->loop_signal(env, loop, SIGUSR1, on_signal, &seen),
	    0);
	assert_int_equal(env->loop_signal(env, other, SIGUSR1, on_signal,
			     &seen),
	    -EEXIST);
	env->loop_free(env, loop);
	env->loop_free(env, other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clock_never_steps_back),
		cmocka_unit_test(cycles_advance_with_the_clock),
		cmocka_unit_test(
		    entropy_fills_the_buffer_differently_each_time),
		cmocka_unit_test(memory_is_aligned_as_promised),
		cmocka_unit_test(
		    reserved_space_is_usable_and_zero_where_committed),
		cmocka_unit_test(threads_are_named_bound_and_without_signals),
		cmocka_unit_test(caller_may_be_bound_and_unbound),
		cmocka_unit_test(cpus_have_numbers_and_distances),
		cmocka_unit_test(write_writes_all_or_says_why_not),
		cmocka_unit_test(deadline_ends_a_sleep_and_not_early),
		cmocka_unit_test(wake_before_the_sleep_is_not_lost),
		cmocka_unit_test(wake_ends_a_sleep_of_any_length),
		cmocka_unit_test(alarm_ends_a_sleep_and_not_early),
		cmocka_unit_test(alarm_replaces_the_one_before),
		cmocka_unit_test(alarm_set_during_the_sleep_ends_it),
		cmocka_unit_test(poll_does_not_wait),
		cmocka_unit_test(signals_arrive_on_the_loop),
		cmocka_unit_test(signals_count_as_events),
		cmocka_unit_test(signals_are_as_before_after_their_loop),
		cmocka_unit_test(signals_that_others_handle_are_refused),
	};

	alarm(TOO_LONG_S);
	return cmocka_run_group_tests(tests, setup, teardown);
}
