/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several workers, stepped in an order that a seed decides: at the end all
 * sleep for good and no word is left, and the same seed gives the same run.
 *
 * The sleep of a worker steps the others (sleep_and_let_others_run), so there
 * are sleeps inside sleeps, and a wake-up that is lost leaves work behind.
 */
#include "rig_step.h"

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
		    no_word_is_left_when_all_workers_sleep_for_good),
		cmocka_unit_test(same_seed_gives_the_same_run),
	};

	alarm(TOO_LONG_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
