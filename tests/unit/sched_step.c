/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler without a thread and without a clock: workers that are stepped
 * by hand, in a world where time passes when the test says so.
 *
 * The environment below is a simulator in small.  It shows that the seam
 * (sched/env.h) suffices for one: nothing that it leaves out is ever called.
 * Its loop_sleep() does what the test at hand wants (struct sim.sleep): let
 * the time pass, come back at once, or step the other workers until somebody
 * wakes this one.  The last makes a lost wake-up a matter of course: all
 * sleep, nothing will wake them, and work is left.
 */
#include <errno.h>
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
#include "sched/sched.h"

enum {
	WORKERS = 4, /* at most */
	JOBS = 400,
	KIND = 3,
	TICK = 1 << TRI_WHEEL_SHIFT,
	TOO_LONG_S = 100,
};

/* ------------------------------------------------------------ the world -- */

struct tri_loop {
	struct sim *sim;
	bool open;
	bool asleep;
	bool woken;
	bool ready; /* a descriptor is: the next poll or sleep sees it */
	int64_t alarm; /* INT64_MAX: none */
	int64_t deadline; /* of the last sleep */
	unsigned depth; /* of sleeps inside sleeps */
	unsigned polls, sleeps;
};

struct job {
	alignas(TRI_LINE) struct tri_link link;
	struct sim *sim;
	struct tri_timer_node timer;
	unsigned runs;
	unsigned left; /* how often it goes on by itself */
	int ran_on; /* worker, the last time */
	int must_run_on; /* -1: anywhere */
};

struct sim {
	struct tri_env env;
	struct tri_sched sched;
	struct tri_kind kinds[TRI_KINDS];
	struct tri_loop loop[WORKERS];
	struct job job[JOBS];
	int64_t now;
	int64_t step_ns; /* that each job takes */
	unsigned loops;
	unsigned memory; /* blocks out */
	unsigned calls, fail_at; /* of what wants memory */

	/* What the test wants. */
	unsigned (*sleep)(struct sim *sim, struct tri_loop *loop);
	void (*run)(struct sim *sim, struct tri_worker *w, struct job *job);

	/* What was seen. */
	unsigned attended, polled, fired, early, late, wrong;
	unsigned order[JOBS];
	unsigned ran;
	uint64_t seed;
	unsigned todo;
	unsigned depth;
	bool over;
};

static struct sim *
sim_of(struct tri_env *env)
{
	return tri_container_of(env, struct sim, env);
}

static int64_t
sim_now(struct tri_env *env)
{
	return sim_of(env)->now;
}

static uint64_t
sim_cycles(struct tri_env *env)
{
	return (uint64_t)sim_of(env)->now;
}

static bool
sim_fails(struct sim *sim)
{
	return ++sim->calls == sim->fail_at;
}

static void *
sim_alloc(void *ctx, size_t size)
{
	struct sim *sim = ctx;
	void *p = sim_fails(sim) ?
	    NULL :
	    aligned_alloc(TRI_LINE,
		(size + TRI_LINE - 1) / TRI_LINE * TRI_LINE);

	sim->memory += p != NULL;
	return p;
}

static void
sim_free(void *ctx, void *p)
{
	struct sim *sim = ctx;

	sim->memory--;
	free(p);
}

static void *
sim_slab_new(void *ctx, size_t size)
{
	struct sim *sim = ctx;
	void *p = sim_fails(sim) ? NULL : aligned_alloc(size, size);

	sim->memory += p != NULL;
	return p;
}

static void
sim_slab_free(void *ctx, void *slab, size_t size)
{
	(void)size;
	sim_free(ctx, slab);
}

static void
sim_populate(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)p;
	(void)size;
}

static unsigned
sim_distance(struct tri_env *env, int a, int b)
{
	(void)env;
	if (a < 0 || b < 0)
		return 3;
	return a / 2 == b / 2 ? 1 : 2;
}

static struct tri_loop *
sim_loop_new(struct tri_env *env)
{
	struct sim *sim = sim_of(env);
	struct tri_loop *loop = &sim->loop[sim->loops];

	if (sim_fails(sim))
		return NULL;
	sim->loops++;
	*loop =
	    (struct tri_loop){ .sim = sim, .open = true, .alarm = INT64_MAX };
	return loop;
}

static void
sim_loop_free(struct tri_env *env, struct tri_loop *loop)
{
	if (loop == NULL)
		return;
	sim_of(env)->wrong += !loop->open;
	loop->open = false;
	sim_of(env)->loops--;
}

static unsigned
sim_loop_poll(struct tri_env *env, struct tri_loop *loop)
{
	bool ready = loop->ready;

	(void)env;
	loop->polls++;
	loop->ready = false;
	return ready;
}

static unsigned
sim_loop_sleep(struct tri_env *env, struct tri_loop *loop, int64_t deadline)
{
	struct sim *sim = sim_of(env);
	unsigned events;

	loop->sleeps++;
	loop->deadline = deadline;
	loop->asleep = true;
	events = sim->sleep(sim, loop);
	loop->asleep = false;
	loop->woken = false;
	if (loop->alarm <= sim->now)
		loop->alarm = INT64_MAX;
	return events;
}

static void
sim_loop_wake(struct tri_env *env, struct tri_loop *loop)
{
	(void)env;
	loop->woken = true;
}

static void
sim_loop_alarm(struct tri_env *env, struct tri_loop *loop, int64_t delay_ns)
{
	loop->alarm = sim_of(env)->now + delay_ns;
}

/* Whether the loop's sleep has a reason to end. */
static bool
is_due(const struct sim *sim, const struct tri_loop *loop)
{
	return loop->woken || loop->ready || loop->alarm <= sim->now ||
	    loop->deadline <= sim->now;
}

/* --------------------------------------------------------- the program --- */

static void
job_run(struct tri_worker *w, void *object)
{
	struct job *job = object;
	struct sim *sim = job->sim;

	sim->now += sim->step_ns;
	if (job->must_run_on >= 0 && job->must_run_on != (int)w->index)
		sim->wrong++;
	if (atomic_load(&w->running) != tri_word_of(job, KIND))
		sim->wrong++;
	job->ran_on = (int)w->index;
	job->runs++;
	if (sim->ran < JOBS)
		sim->order[sim->ran] = (unsigned)(job - sim->job);
	sim->ran++;
	if (sim->run != NULL)
		sim->run(sim, w, job);
}

static struct tri_link *
job_link(void *ctx, void *object)
{
	struct job *job = object;

	(void)ctx;
	return &job->link;
}

static struct sim *
sim_of_worker(struct tri_worker *w)
{
	return sim_of(w->env);
}

static void
on_fire(struct tri_worker *w, struct tri_timer_node *node)
{
	struct job *job = tri_container_of(node, struct job, timer);
	struct sim *sim = sim_of_worker(w);

	sim->fired++;
	sim->early += sim->now < node->deadline;
	sim->late += sim->now > node->deadline + TICK;
	tri_sched_push_back(w, tri_word_of(job, KIND));
}

static void
on_poll(struct tri_worker *w)
{
	sim_of_worker(w)->polled++;
}

static void
on_attend(struct tri_worker *w)
{
	sim_of_worker(w)->attended++;
}

/* Time passes until the sleep's own end; asleep for good: a moment. */
static unsigned
sleep_through(struct sim *sim, struct tri_loop *loop)
{
	int64_t until =
	    loop->alarm < loop->deadline ? loop->alarm : loop->deadline;

	if (!is_due(sim, loop) && until != INT64_MAX)
		sim->now = until;
	return sim_loop_poll(&sim->env, loop);
}

/* Back at once: a simulator that steps the others meanwhile. */
static unsigned
sleep_not_at_all(struct sim *sim, struct tri_loop *loop)
{
	(void)sim;
	(void)loop;
	return 0;
}

static void
sim_env(struct sim *sim)
{
	/* No thread, no job, no signal: they are not there to be called. */
	sim->env = (struct tri_env){
		.now = sim_now,
		.cycles = sim_cycles,
		.memory = {
			.slab_new = sim_slab_new,
			.slab_free = sim_slab_free,
			.populate = sim_populate,
			.alloc = sim_alloc,
			.free = sim_free,
			.ctx = sim,
		},
		.cpu_distance = sim_distance,
		.loop_new = sim_loop_new,
		.loop_free = sim_loop_free,
		.loop_poll = sim_loop_poll,
		.loop_sleep = sim_loop_sleep,
		.loop_wake = sim_loop_wake,
		.loop_alarm = sim_loop_alarm,
	};
}

static struct sim *
sim_new(void)
{
	struct sim *sim = aligned_alloc(TRI_LINE, sizeof(*sim));

	assert_non_null(sim);
	memset(sim, 0, sizeof(*sim));
	sim_env(sim);
	sim->now = INT64_C(1000000000000);
	sim->sleep = sleep_through;
	sim->kinds[KIND] = (struct tri_kind){ job_run, job_link, NULL };
	for (unsigned i = 0; i < JOBS; i++) {
		sim->job[i].sim = sim;
		sim->job[i].ran_on = -1;
		sim->job[i].must_run_on = -1;
	}
	return sim;
}

static int
sim_init(struct sim *sim, unsigned workers)
{
	return tri_sched_init(&sim->sched, &sim->env,
	    &(struct tri_sched_config){
		.workers = workers,
		.worker_size = sizeof(struct tri_worker) + 24,
		.kinds = sim->kinds,
		.hooks = { .fire = on_fire,
		    .poll = on_poll,
		    .attend = on_attend },
		.pool_owner = sim,
		.pools = workers,
	    });
}

static struct sim *
sim_begin(unsigned workers)
{
	struct sim *sim = sim_new();

	assert_int_equal(sim_init(sim, workers), 0);
	return sim;
}

static void
sim_end(struct sim *sim)
{
	tri_sched_fini(&sim->sched);
	assert_int_equal(sim->memory, 0);
	assert_int_equal(sim->loops, 0);
	assert_int_equal(sim->wrong, 0);
	assert_int_equal(sim->early, 0);
	assert_int_equal(sim->late, 0);
	free(sim);
}

static struct tri_worker *
worker(struct sim *sim, unsigned index)
{
	return tri_sched_worker(&sim->sched, index);
}

static tri_word
word(struct sim *sim, unsigned job)
{
	return tri_word_of(&sim->job[job], KIND);
}

static void
expect_step(struct tri_worker *w, enum tri_phase after)
{
	assert_true(tri_worker_step(w));
	assert_int_equal(w->phase, after);
	assert_true(atomic_load(&w->running) == 0);
}

/* Without work to its first sleep. */
static void
step_to_park(struct tri_worker *w)
{
	expect_step(w, TRI_SEARCH);
	expect_step(w, TRI_PARK);
}

static bool
is_idle(struct sim *sim, unsigned index)
{
	return atomic_load(&sim->sched.idle) >> index & 1;
}

/* -------------------------------------------------------- one worker ----- */

static void
worker_without_work_searches_parks_and_sleeps_for_good(void **unused)
{
	struct sim *sim = sim_begin(1);
	struct tri_worker *w = worker(sim, 0);
	int64_t begun = sim->now;

	(void)unused;
	assert_int_equal(w->phase, TRI_RUN);
	expect_step(w, TRI_SEARCH);
	assert_int_equal(sim->loop[0].polls, 0);
	expect_step(w, TRI_PARK);
	assert_int_equal(sim->loop[0].polls, 1);
	assert_int_equal(sim->polled, 1);
	assert_false(is_idle(sim, 0));
	/* The first sleep ends when it is time to give memory back. */
	expect_step(w, TRI_PARK);
	assert_true(is_idle(sim, 0));
	assert_true(sim->loop[0].deadline == begun + TRI_TRIM_NS);
	assert_true(sim->now == begun + TRI_TRIM_NS);
	/* Then there is no reason to wake up any more. */
	for (int i = 0; i < 3; i++) {
		expect_step(w, TRI_PARK);
		assert_true(sim->loop[0].deadline == INT64_MAX);
	}
	assert_int_equal(atomic_load(&w->counts.parks), 4);
	assert_int_equal(sim->loop[0].sleeps, 4);
	assert_int_equal(atomic_load(&w->counts.wakeups), 0);
	sim_end(sim);
}

static void
each_step_runs_one_word(void **unused)
{
	struct sim *sim = sim_begin(1);
	struct tri_worker *w = worker(sim, 0);
	const unsigned order[] = { 9, 1, 2, 3 };

	(void)unused;
	for (unsigned i = 1; i <= 3; i++)
		tri_sched_push_back(w, word(sim, i));
	tri_sched_push(w, word(sim, 9));
	for (unsigned i = 0; i < 4; i++) {
		expect_step(w, TRI_RUN);
		assert_int_equal(sim->ran, i + 1);
		assert_int_equal(sim->order[i], order[i]);
	}
	assert_int_equal(atomic_load(&w->counts.batches), 4);
	expect_step(w, TRI_SEARCH);
	sim_end(sim);
}

static void
go_on(struct sim *sim, struct tri_worker *w, struct job *job)
{
	(void)sim;
	tri_sched_push_back(w, tri_word_of(job, KIND));
}

static void
busy_worker_polls_when_it_is_time(void **unused)
{
	const int64_t step[] = { 0, 100, 1000, 10000, 1000000 };

	(void)unused;
	for (unsigned k = 0; k < sizeof(step) / sizeof(step[0]); k++) {
		struct sim *sim = sim_begin(1);
		struct tri_worker *w = worker(sim, 0);
		int64_t last = sim->now;
		unsigned polls = 0;

		sim->step_ns = step[k];
		sim->run = go_on;
		tri_sched_push(w, word(sim, 0));
		for (unsigned i = 0; i < 20000; i++) {
			expect_step(w, TRI_RUN);
			if (sim->loop[0].polls == polls)
				continue;
			if (polls > 0)
				assert_in_range(sim->now - last, TRI_POLL_NS,
				    TRI_POLL_NS_MAX +
					TRI_POLL_BATCHES * step[k]);
			polls = sim->loop[0].polls;
			last = sim->now;
		}
		/* A clock that stands is never past the next poll. */
		assert_true(polls >= (step[k] == 0 ? 1 : 2));
		sim_end(sim);
	}
}

static void
events_keep_the_polls_frequent(void **unused)
{
	struct sim *sim = sim_begin(1);
	struct tri_worker *w = worker(sim, 0);
	unsigned quiet, lively;

	(void)unused;
	sim->step_ns = 500;
	sim->run = go_on;
	tri_sched_push(w, word(sim, 0));
	for (unsigned i = 0; i < 10000; i++)
		expect_step(w, TRI_RUN);
	quiet = sim->loop[0].polls;
	for (unsigned i = 0; i < 10000; i++) {
		sim->loop[0].ready = true;
		expect_step(w, TRI_RUN);
	}
	lively = sim->loop[0].polls - quiet;
	assert_true(lively >= 2 * quiet);
	sim_end(sim);
}

static void
expect_no_poll_before_the_first(struct sim *sim, struct tri_worker *w,
    struct job *job)
{
	(void)job;
	sim->wrong += sim->ran == 1 && sim->loop[w->index].polls != 0;
}

static void
pinned_word_is_run_without_a_poll(void **unused)
{
	struct sim *sim = sim_begin(2);

	(void)unused;
	sim->run = expect_no_poll_before_the_first;
	sim->job[4].must_run_on = 1;
	sim->job[5].must_run_on = 1;
	tri_sched_push_home(&sim->sched, NULL, 1, word(sim, 4));
	tri_sched_push_home(&sim->sched, worker(sim, 0), 1, word(sim, 5));
	expect_step(worker(sim, 1), TRI_RUN);
	expect_step(worker(sim, 1), TRI_RUN);
	assert_int_equal(sim->order[0], 4);
	assert_int_equal(sim->order[1], 5);
	/* It was awake: nobody had to wake it. */
	assert_false(sim->loop[1].woken);
	sim_end(sim);
}

static void
injected_words_are_found_by_the_search_in_order(void **unused)
{
	struct sim *sim = sim_begin(1);
	struct tri_worker *w = worker(sim, 0);

	(void)unused;
	for (unsigned i = 0; i < 10; i++)
		tri_sched_inject(&sim->sched, word(sim, i));
	expect_step(w, TRI_SEARCH);
	expect_step(w, TRI_RUN);
	for (unsigned i = 0; i < 10; i++) {
		expect_step(w, TRI_RUN);
		assert_int_equal(sim->order[i], i);
	}
	assert_int_equal(sim->ran, 10);
	sim_end(sim);
}

static void
word_that_comes_before_the_sleep_prevents_it(void **unused)
{
	(void)unused;
	for (int pinned = 0; pinned < 2; pinned++) {
		struct sim *sim = sim_begin(1);
		struct tri_worker *w = worker(sim, 0);

		step_to_park(w);
		if (pinned)
			tri_sched_push_home(&sim->sched, NULL, 0, word(sim, 7));
		else
			tri_sched_inject(&sim->sched, word(sim, 7));
		expect_step(w, TRI_SEARCH);
		assert_int_equal(sim->loop[0].sleeps, 0);
		assert_false(is_idle(sim, 0));
		expect_step(w, TRI_RUN);
		expect_step(w, TRI_RUN);
		assert_int_equal(sim->ran, 1);
		sim_end(sim);
	}
}

/* Somebody outside gives work while the worker sleeps. */
static unsigned
sleep_and_be_given_a_word(struct sim *sim, struct tri_loop *loop)
{
	sim->now += 12345;
	if (sim->todo == 1)
		tri_sched_inject(&sim->sched, word(sim, 7));
	else if (sim->todo == 2)
		tri_sched_push_home(&sim->sched, NULL, 0, word(sim, 7));
	else
		sim->over = true;
	/* That is what must have ended the sleep. */
	sim->wrong += sim->todo != 0 && !loop->woken;
	sim->todo = 0;
	return 0;
}

static void
word_that_comes_during_the_sleep_ends_it(void **unused)
{
	(void)unused;
	for (unsigned how = 1; how <= 2; how++) {
		struct sim *sim = sim_begin(1);
		struct tri_worker *w = worker(sim, 0);

		sim->sleep = sleep_and_be_given_a_word;
		sim->todo = how;
		step_to_park(w);
		expect_step(w, TRI_SEARCH);
		assert_int_equal(atomic_load(&w->counts.wakeups), 1);
		assert_false(is_idle(sim, 0));
		expect_step(w, TRI_RUN);
		expect_step(w, TRI_RUN);
		assert_int_equal(sim->ran, 1);
		/* No searcher's place is left behind. */
		assert_int_equal(atomic_load(&sim->sched.searching), 0);
		sim_end(sim);
	}
}

static void
sleep_that_ends_for_nothing_is_a_nap(void **unused)
{
	struct sim *sim = sim_begin(1);
	struct tri_worker *w = worker(sim, 0);

	(void)unused;
	sim->sleep = sleep_not_at_all;
	step_to_park(w);
	for (unsigned i = 1; i < 10; i++) {
		expect_step(w, TRI_PARK);
		assert_true(is_idle(sim, 0));
		assert_int_equal(sim->loop[0].sleeps, i);
		assert_int_equal(sim->loop[0].polls, 1);
	}
	/* One that ends for an event is not. */
	sim->sleep = sleep_through;
	sim->loop[0].ready = true;
	expect_step(w, TRI_SEARCH);
	assert_false(is_idle(sim, 0));
	sim_end(sim);
}

static void
timers_fire_in_virtual_time(void **unused)
{
	enum { TIMERS = 100 };
	struct sim *sim = sim_begin(1);
	struct tri_worker *w = worker(sim, 0);
	unsigned steps = 0;

	(void)unused;
	for (unsigned i = 0; i < TIMERS; i++) {
		/* From microseconds to years. */
		sim->job[i].timer.deadline =
		    sim->now + ((int64_t)(i + 1000) << (i % 45));
		tri_wheel_add(&w->wheel, &sim->job[i].timer);
	}
	while (sim->ran < TIMERS) {
		assert_true(tri_worker_step(w));
		assert_true(steps++ < TIMERS * 20);
	}
	assert_int_equal(sim->fired, TIMERS);
	assert_true(sim->now >= sim->job[44].timer.deadline);
	for (unsigned i = 0; i < TIMERS; i++)
		assert_int_equal(sim->job[i].runs, 1);
	/* sim_end() sees that none was early, or late by more than a tick. */
	sim_end(sim);
}

static void
attention_calls_the_hook_before_each_step(void **unused)
{
	struct sim *sim = sim_begin(1);
	struct tri_worker *w = worker(sim, 0);

	(void)unused;
	step_to_park(w);
	assert_int_equal(sim->attended, 0);
	tri_sched_attend(&sim->sched);
	assert_true(sim->loop[0].woken);
	for (unsigned i = 1; i <= 100; i++) {
		int64_t before = sim->now;

		assert_true(tri_worker_step(w));
		assert_int_equal(sim->attended, i);
		/* Who attends does not sleep for long. */
		assert_true(sim->now <= before + TRI_WATCH_NS);
	}
	sim_end(sim);
}

static void
quit_ends_a_worker_in_any_phase_after_its_own_work(void **unused)
{
	(void)unused;
	for (unsigned steps = 0; steps < 12; steps++) {
		struct sim *sim = sim_begin(1);
		struct tri_worker *w = worker(sim, 0);
		unsigned more = 0, jobs = steps < 6 ? 0 : 3;

		for (unsigned i = 0; i < steps % 6; i++)
			assert_true(tri_worker_step(w));
		if (jobs > 0) {
			tri_sched_push(w, word(sim, 0));
			tri_sched_push_back(w, word(sim, 1));
			tri_sched_push_home(&sim->sched, NULL, 0, word(sim, 2));
		}
		tri_sched_quit(&sim->sched);
		while (tri_worker_step(w))
			assert_true(more++ < 10);
		assert_int_equal(sim->ran, jobs);
		for (int i = 0; i < 3; i++) {
			assert_false(tri_worker_step(w));
			assert_int_equal(w->phase, TRI_ENDED);
		}
		sim_end(sim);
	}
}

static void
idle_worker_gives_its_memory_back(void **unused)
{
	enum { N = 30000 };
	struct sim *sim = sim_begin(1);
	struct tri_worker *w = worker(sim, 0);
	void **block = calloc(N, sizeof(void *));
	int64_t begun = sim->now;

	(void)unused;
	assert_non_null(block);
	for (unsigned i = 0; i < N; i++) {
		block[i] = tri_pool_alloc(&w->pool, 0);
		assert_non_null(block[i]);
	}
	for (unsigned i = 0; i < N; i++)
		tri_pool_free(&w->pool, block[i], 0);
	free(block);
	step_to_park(w);
	for (unsigned i = 0; i < 20; i++) {
		bool empty = atomic_load(&w->pool.bytes) == 0;

		assert_true(!empty || sim->now >= begun + TRI_TRIM_NS);
		expect_step(w, TRI_PARK);
	}
	assert_int_equal(atomic_load(&w->pool.bytes), 0);
	assert_true(sim->now == begun + TRI_TRIM_NS);
	assert_true(sim->loop[0].deadline == INT64_MAX);
	/* After some work it does so once more. */
	assert_non_null(block = tri_pool_alloc(&w->pool, 3));
	tri_pool_free(&w->pool, block, 3);
	tri_sched_push_home(&sim->sched, NULL, 0, word(sim, 1));
	for (unsigned i = 0; i < 20; i++)
		assert_true(tri_worker_step(w));
	assert_int_equal(sim->ran, 1);
	assert_int_equal(atomic_load(&w->pool.bytes), 0);
	sim_end(sim);
}

static void
every_failure_of_the_start_is_undone(void **unused)
{
	unsigned k = 0;
	int rc;

	(void)unused;
	do {
		struct sim *sim = sim_new();

		sim->fail_at = ++k;
		rc = sim_init(sim, 3);
		if (rc == 0)
			tri_sched_fini(&sim->sched);
		else
			assert_int_equal(rc, -ENOMEM);
		/* Again: of what is down. */
		tri_sched_fini(&sim->sched);
		assert_int_equal(sim->memory, 0);
		assert_int_equal(sim->loops, 0);
		free(sim);
	} while (rc != 0);
	/* The workers; for each of three its pool and its loop. */
	assert_int_equal(k, 1 + 3 * 2 + 1);
}

static void
victims_are_all_others_nearest_first(void **unused)
{
	struct sim *sim = sim_begin(WORKERS);

	(void)unused;
	for (unsigned i = 0; i < WORKERS; i++) {
		unsigned seen = 1u << i;

		for (unsigned k = 0; k + 1 < WORKERS; k++)
			seen |= 1u << worker(sim, i)->victims[k];
		assert_int_equal(seen, (1u << WORKERS) - 1);
		/* Not bound: all as far; the next index comes first. */
		assert_int_equal(worker(sim, i)->victims[0], (i + 1) % WORKERS);
		assert_int_equal((uintptr_t)worker(sim, i) % TRI_LINE, 0);
	}
	sim_end(sim);
}

/* ---------------------------------------------------- several workers ---- */

static void
idle_worker_steals_half_and_runs(void **unused)
{
	struct sim *sim = sim_begin(2);
	struct tri_worker *thief = worker(sim, 1);

	(void)unused;
	for (unsigned i = 0; i < 20; i++)
		tri_sched_push_back(worker(sim, 0), word(sim, i));
	expect_step(thief, TRI_SEARCH);
	expect_step(thief, TRI_RUN);
	assert_int_equal(sim->ran, 1);
	assert_int_equal(atomic_load(&thief->counts.steals), 10);
	for (unsigned i = 1; i < 10; i++)
		expect_step(thief, TRI_RUN);
	assert_int_equal(sim->ran, 10);
	for (unsigned i = 10; i < 20; i++)
		expect_step(worker(sim, 0), TRI_RUN);
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(sim->order[i], i);
		assert_int_equal(sim->job[i].ran_on, i < 10);
	}
	sim_end(sim);
}

static void
no_more_than_half_of_the_workers_search(void **unused)
{
	struct sim *sim = sim_begin(WORKERS);
	unsigned parked = 0;

	(void)unused;
	sim->sleep = sleep_not_at_all;
	for (unsigned i = 0; i < WORKERS; i++) {
		expect_step(worker(sim, i), TRI_SEARCH);
		expect_step(worker(sim, i), TRI_PARK);
		parked += worker(sim, i)->searching;
		assert_true(atomic_load(&sim->sched.searching) <= WORKERS / 2);
	}
	assert_int_equal(parked, WORKERS / 2);
	for (unsigned i = 0; i < WORKERS; i++)
		expect_step(worker(sim, i), TRI_PARK);
	assert_int_equal(atomic_load(&sim->sched.searching), 0);
	assert_true(atomic_load(&sim->sched.idle) == sim->sched.all);
	sim_end(sim);
}

static unsigned
awake_of(struct sim *sim, unsigned first)
{
	unsigned n = 0;

	for (unsigned i = first; i < sim->sched.n; i++)
		n += !is_idle(sim, i);
	return n;
}

static void
push_wakes_one_sleeper_with_a_place_to_search(void **unused)
{
	struct sim *sim = sim_begin(WORKERS);

	(void)unused;
	sim->sleep = sleep_not_at_all;
	/* The first one to sleep, the last one here, is the watch. */
	for (unsigned i = WORKERS - 1; i >= 1; i--) {
		step_to_park(worker(sim, i));
		expect_step(worker(sim, i), TRI_PARK);
	}
	for (unsigned i = 0; i < 10; i++)
		tri_sched_push_back(worker(sim, 0), word(sim, i));
	assert_int_equal(awake_of(sim, 1), 1);
	assert_false(is_idle(sim, 1));
	assert_int_equal(atomic_load(&sim->sched.searching), 1);
	/* When that one has found work it wakes another. */
	expect_step(worker(sim, 1), TRI_SEARCH);
	assert_int_equal(awake_of(sim, 1), 1);
	expect_step(worker(sim, 1), TRI_RUN);
	assert_int_equal(sim->job[0].ran_on, 1);
	assert_int_equal(awake_of(sim, 1), 2);
	sim_end(sim);
}

static void
watch_that_brings_work_wakes_another(void **unused)
{
	struct sim *sim = sim_begin(WORKERS);

	(void)unused;
	sim->sleep = sleep_not_at_all;
	for (unsigned i = 1; i < WORKERS; i++) {
		step_to_park(worker(sim, i));
		expect_step(worker(sim, i), TRI_PARK);
	}
	assert_int_equal(atomic_load(&sim->sched.watch), 2);
	for (unsigned i = 0; i < 10; i++)
		tri_sched_push_back(worker(sim, 0), word(sim, i));
	expect_step(worker(sim, 1), TRI_RUN);
	assert_int_equal(awake_of(sim, 1), 2);
	expect_step(worker(sim, 1), TRI_RUN);
	assert_int_equal(sim->job[0].ran_on, 1);
	sim_end(sim);
}

/* Nobody slept yet when it was pushed, so nobody was woken. */
static void
word_pushed_between_search_and_sleep_is_seen(void **unused)
{
	struct sim *sim = sim_begin(2);

	(void)unused;
	step_to_park(worker(sim, 1));
	tri_sched_push_back(worker(sim, 0), word(sim, 0));
	expect_step(worker(sim, 1), TRI_SEARCH);
	assert_int_equal(sim->loop[1].sleeps, 0);
	assert_int_equal(atomic_load(&sim->sched.searching), 1);
	expect_step(worker(sim, 1), TRI_RUN);
	assert_int_equal(sim->job[0].ran_on, 1);
	assert_int_equal(atomic_load(&sim->sched.searching), 0);
	sim_end(sim);
}

/* The handler does not return before its successor has run elsewhere. */
static void
push_next_and_wait(struct sim *sim, struct tri_worker *w, struct job *job)
{
	struct tri_worker *other = worker(sim, 1);
	int64_t begun = sim->now;
	unsigned steps = 0;

	if (job != &sim->job[0])
		return;
	tri_sched_push(w, word(sim, 1));
	while (sim->job[1].runs == 0 && steps++ < 100) {
		int64_t at = sim->loop[1].alarm;

		if (at > sim->loop[1].deadline)
			at = sim->loop[1].deadline;
		/* Nothing but its own alarm or deadline wakes it up. */
		if (other->phase == TRI_PARK && sim->loop[1].sleeps > 0 &&
		    at > sim->now && at != INT64_MAX)
			sim->now = at;
		(void)tri_worker_step(other);
	}
	sim->wrong += sim->now > begun + 4 * (int64_t)TRI_WATCH_NS;
}

static void
watch_takes_the_next_word_of_a_stuck_worker(void **unused)
{
	(void)unused;
	/* The other one has slept for a long time, or is still awake. */
	for (unsigned slept = 0; slept < 8; slept++) {
		struct sim *sim = sim_begin(2);

		sim->sleep = sleep_not_at_all;
		sim->run = push_next_and_wait;
		for (unsigned i = 0; i < slept; i++)
			assert_true(tri_worker_step(worker(sim, 1)));
		tri_sched_push(worker(sim, 0), word(sim, 0));
		expect_step(worker(sim, 0), TRI_RUN);
		assert_int_equal(sim->job[1].runs, 1);
		assert_int_equal(sim->job[1].ran_on, 1);
		sim_end(sim);
	}
}

static void
watch_is_handed_over_when_the_last_worker_wakes_up(void **unused)
{
	struct sim *sim = sim_begin(2);
	unsigned i;

	(void)unused;
	sim->sleep = sleep_not_at_all;
	/* Both asleep for good, nobody watches. */
	for (i = 0; i < 2; i++)
		step_to_park(worker(sim, i));
	for (i = 0; i < 8; i++)
		expect_step(worker(sim, i % 2), TRI_PARK);
	sim->now += 2 * (int64_t)TRI_TRIM_NS;
	for (i = 0; i < 8; i++)
		expect_step(worker(sim, i % 2), TRI_PARK);
	assert_true(sim->loop[0].deadline == INT64_MAX);
	assert_true(sim->loop[1].deadline == INT64_MAX);
	assert_int_equal(atomic_load(&sim->sched.watch), 0);
	/* One is given work: the other's alarm is set, and that is all. */
	sim->run = push_next_and_wait;
	tri_sched_push_home(&sim->sched, NULL, 0, word(sim, 0));
	expect_step(worker(sim, 0), TRI_SEARCH);
	assert_int_equal(atomic_load(&sim->sched.watch), 2);
	assert_true(sim->loop[1].alarm == sim->now + TRI_WATCH_NS);
	assert_false(sim->loop[1].woken);
	expect_step(worker(sim, 0), TRI_RUN);
	expect_step(worker(sim, 0), TRI_RUN);
	assert_int_equal(sim->job[1].ran_on, 1);
	sim_end(sim);
}

/* ----------------------------------------------- a simulator in small ---- */

static uint64_t
random_below(struct sim *sim, uint64_t limit)
{
	sim->seed = sim->seed * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return (sim->seed >> 33) % limit;
}

/* Any worker that is not asleep; NULL: they all are. */
static struct tri_worker *
pick_awake(struct sim *sim)
{
	unsigned n = sim->sched.n, first = (unsigned)random_below(sim, n);

	for (unsigned i = 0; i < n; i++) {
		unsigned k = (first + i) % n;

		if (!sim->loop[k].asleep)
			return worker(sim, k);
	}
	return NULL;
}

/* Words from outside, as long as there are any. */
static void
give_work(struct sim *sim)
{
	while (sim->todo > 0 && random_below(sim, 3) != 0) {
		unsigned i = --sim->todo;

		if (sim->job[i].must_run_on >= 0)
			tri_sched_push_home(&sim->sched, NULL,
			    (unsigned)sim->job[i].must_run_on, word(sim, i));
		else
			tri_sched_inject(&sim->sched, word(sim, i));
	}
}

/*
 * All sleep and none is due: let the time pass until the first one is, or give
 * work.  If there is neither, it is over.
 */
static void
pass_time(struct sim *sim)
{
	int64_t until = INT64_MAX;

	for (unsigned i = 0; i < sim->sched.n; i++) {
		const struct tri_loop *loop = &sim->loop[i];

		if (loop->deadline < until)
			until = loop->deadline;
		if (loop->alarm < until)
			until = loop->alarm;
	}
	if (sim->todo > 0 && (until == INT64_MAX || random_below(sim, 4) == 0))
		give_work(sim);
	else if (until != INT64_MAX)
		sim->now = until;
	else
		sim->over = true;
}

/* Whether a sleep further down has a reason to end. */
static bool
is_awaited_below(const struct sim *sim, const struct tri_loop *loop)
{
	for (unsigned i = 0; i < sim->sched.n; i++)
		if (sim->loop[i].asleep && sim->loop[i].depth < loop->depth &&
		    is_due(sim, &sim->loop[i]))
			return true;
	return false;
}

/*
 * The others are stepped from inside this one's sleep.  If one further down is
 * due, this sleep ends for nothing after a while, so that the other's can.
 */
static unsigned
sleep_and_let_others_run(struct sim *sim, struct tri_loop *loop)
{
	loop->depth = ++sim->depth;
	while (!is_due(sim, loop) && !sim->over) {
		struct tri_worker *w = pick_awake(sim);

		if (is_awaited_below(sim, loop) &&
		    (w == NULL || random_below(sim, 8) == 0))
			break;
		if (w != NULL)
			(void)tri_worker_step(w);
		else
			pass_time(sim);
		if (random_below(sim, 50) == 0)
			give_work(sim);
	}
	sim->depth--;
	return 0;
}

/* A job goes on in one of the ways there are. */
static void
go_on_somehow(struct sim *sim, struct tri_worker *w, struct job *job)
{
	tri_word it = tri_word_of(job, KIND);

	if (job->left == 0)
		return;
	job->left--;
	if (random_below(sim, 8) == 0) {
		job->timer.deadline =
		    sim->now + (int64_t)random_below(sim, 30000000);
		job->must_run_on = -1;
		tri_wheel_add(&w->wheel, &job->timer);
		return;
	}
	if (job->must_run_on >= 0) {
		job->must_run_on = (int)random_below(sim, sim->sched.n);
		tri_sched_push_home(&sim->sched, w, (unsigned)job->must_run_on,
		    it);
		return;
	}
	switch (random_below(sim, 3)) {
	case 0: tri_sched_push(w, it); break;
	case 1: tri_sched_push_back(w, it); break;
	default: tri_sched_inject(&sim->sched, it); break;
	}
}

/* Until everything sleeps for good. */
static void
simulate(struct sim *sim)
{
	uint64_t steps = 0;

	while (!sim->over) {
		struct tri_worker *w = pick_awake(sim);

		assert_non_null(w);
		(void)tri_worker_step(w);
		assert_true(steps++ < UINT64_C(100000000));
	}
}

static void
no_word_is_left_when_all_workers_sleep_for_good(void **unused)
{
	enum { SEEDS = TEST_SCALE(2000), MOST = 100 };

	(void)unused;
	for (unsigned seed = 1; seed <= SEEDS; seed++) {
		struct sim *sim = sim_begin(1 + seed % WORKERS);
		unsigned hops = 1 + seed % 50;

		sim->seed = seed;
		sim->todo = 1 + seed % MOST;
		sim->step_ns = 5000;
		sim->sleep = sleep_and_let_others_run;
		sim->run = go_on_somehow;
		for (unsigned i = 0; i < sim->todo; i++) {
			sim->job[i].left = hops;
			if (i % 5 == 4)
				sim->job[i].must_run_on =
				    (int)(i % sim->sched.n);
		}
		simulate(sim);
		for (unsigned i = 0; i < 1 + seed % MOST; i++)
			assert_int_equal(sim->job[i].runs, hops + 1);
		assert_int_equal(atomic_load(&sim->sched.searching), 0);
		assert_true(atomic_load(&sim->sched.idle) == sim->sched.all);
		/* A busy worker may be late; the virtual clock is not. */
		sim->late = 0;
		sim_end(sim);
	}
}

static void
same_seed_gives_the_same_run(void **unused)
{
	unsigned order[2][JOBS];
	int64_t end[2] = { 0, 0 };

	(void)unused;
	for (int k = 0; k < 2; k++) {
		struct sim *sim = sim_begin(WORKERS);

		sim->seed = 42;
		sim->todo = 20;
		sim->step_ns = 5000;
		sim->sleep = sleep_and_let_others_run;
		sim->run = go_on_somehow;
		for (unsigned i = 0; i < sim->todo; i++)
			sim->job[i].left = 25;
		simulate(sim);
		memcpy(order[k], sim->order, sizeof(order[k]));
		end[k] = sim->now;
		sim->late = 0;
		sim_end(sim);
	}
	assert_memory_equal(order[0], order[1], sizeof(order[0]));
	assert_true(end[0] == end[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    worker_without_work_searches_parks_and_sleeps_for_good),
		cmocka_unit_test(each_step_runs_one_word),
		cmocka_unit_test(busy_worker_polls_when_it_is_time),
		cmocka_unit_test(events_keep_the_polls_frequent),
		cmocka_unit_test(pinned_word_is_run_without_a_poll),
		cmocka_unit_test(
		    injected_words_are_found_by_the_search_in_order),
		cmocka_unit_test(word_that_comes_before_the_sleep_prevents_it),
		cmocka_unit_test(word_that_comes_during_the_sleep_ends_it),
		cmocka_unit_test(sleep_that_ends_for_nothing_is_a_nap),
		cmocka_unit_test(timers_fire_in_virtual_time),
		cmocka_unit_test(attention_calls_the_hook_before_each_step),
		cmocka_unit_test(
		    quit_ends_a_worker_in_any_phase_after_its_own_work),
		cmocka_unit_test(idle_worker_gives_its_memory_back),
		cmocka_unit_test(every_failure_of_the_start_is_undone),
		cmocka_unit_test(victims_are_all_others_nearest_first),
		cmocka_unit_test(idle_worker_steals_half_and_runs),
		cmocka_unit_test(no_more_than_half_of_the_workers_search),
		cmocka_unit_test(push_wakes_one_sleeper_with_a_place_to_search),
		cmocka_unit_test(watch_that_brings_work_wakes_another),
		cmocka_unit_test(word_pushed_between_search_and_sleep_is_seen),
		cmocka_unit_test(watch_takes_the_next_word_of_a_stuck_worker),
		cmocka_unit_test(
		    watch_is_handed_over_when_the_last_worker_wakes_up),
		cmocka_unit_test(
		    no_word_is_left_when_all_workers_sleep_for_good),
		cmocka_unit_test(same_seed_gives_the_same_run),
	};

	alarm(TOO_LONG_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
