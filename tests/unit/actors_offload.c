/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blocking calls on the bounded pool: results, deadlines, cancelling, the
 * bound, and actors or systems that end before their jobs do.  Each job's
 * argument must come back exactly once, by done() or by drop().
 *
 * A gate is a job that runs until the test opens it; with one pool thread
 * everything behind it stays queued.
 */
#include "kit.h"

enum { OPEN, TIMEOUT, DONE, END, GO };

enum { JOBS = 64 };

struct yard;

struct task {
	struct yard *yard;
	int result;
	atomic_int ran, done, dropped;
	int outcome;
	bool foreign; /* work() was on another thread than its actor */
};

struct yard {
	tr_ref root, owner;
	sem_t gate;
	atomic_bool entered; /* the gate's work() runs */
	pthread_t home;
	struct task task[JOBS];
	int rc[JOBS];
	tr_ask_id id[JOBS];
	int cancel_rc[4];
	int done, expected;
	int64_t patience_ns; /* of the stop; 0: for ever */
};

static void
yard_init(struct yard *y)
{
	memset(y, 0, sizeof(*y));
	sem_init(&y->gate, 0, 0);
	for (int i = 0; i < JOBS; i++) {
		y->task[i].yard = y;
		y->task[i].result = i;
	}
}

static int
task_work(struct tr_system *system, void *arg)
{
	struct task *t = arg;

	(void)system;
	atomic_fetch_add(&t->ran, 1);
	t->foreign = !pthread_equal(pthread_self(), t->yard->home);
	return t->result;
}

static int
gate_work(struct tr_system *system, void *arg)
{
	struct task *t = arg;

	atomic_fetch_add(&t->ran, 1);
	atomic_store(&t->yard->entered, true);
	(void)tr_post(system, t->yard->root, OPEN, NULL, 0);
	kit_await(&t->yard->gate);
	return t->result;
}

static int
task_done(struct tr_self *self, void *state, int outcome, void *arg)
{
	struct yard *y = kit_ctx(state);
	struct task *t = arg;

	atomic_fetch_add(&t->done, 1);
	t->outcome = outcome;
	if (++y->done == y->expected)
		return kit_finish(self);
	return TR_OK;
}

static void
task_drop(void *arg)
{
	struct task *t = arg;

	atomic_fetch_add(&t->dropped, 1);
}

static const struct tr_job task_job = {
	.work = task_work, .done = task_done, .drop = task_drop,
}, gate_job = {
	.work = gate_work, .done = task_done, .drop = task_drop,
};

static int
offload(struct tr_self *self, struct yard *y, int i, int64_t deadline)
{
	y->rc[i] = tr_offload_blocking(self, i == 0 ? &gate_job : &task_job,
	    &y->task[i], deadline, &y->id[i]);
	return y->rc[i];
}

/* ----------------------------------------------------------- results --- */

static int
results_start(struct tr_self *self, void *state, const void *arg)
{
	struct yard *y;

	(void)kit_start_ctx(self, state, arg);
	y = kit_ctx(state);
	y->root = tr_self_ref(self);
	y->home = pthread_self();
	y->expected = JOBS - 1;
	for (int i = 1; i < JOBS; i++) {
		y->task[i].result = i % 2 == 0 ? i : -i;
		if (offload(self, y, i, tr_forever()) != TR_OK)
			return TR_ENOMEM;
	}
	return TR_OK;
}

static const struct tr_behavior results_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = results_start,
	.receive = kit_ignore,
};

static void
results_come_back_once_from_another_thread(void **unused)
{
	static struct yard y;
	struct kit k;

	(void)unused;
	for (unsigned threads = 0; threads <= 4; threads += 2) {
		yard_init(&y);
		kit_new_with(&k,
		    (struct tr_options){ .workers = 2,
			.blocking_threads = threads });
		(void)kit_root(&k, &results_root, &y);
		kit_run(&k);
		for (int i = 1; i < JOBS; i++) {
			assert_int_equal(y.task[i].ran, 1);
			assert_int_equal(y.task[i].done, 1);
			assert_int_equal(y.task[i].dropped, 0);
			assert_int_equal(y.task[i].outcome,
			    i % 2 == 0 ? i : -i);
			assert_true(y.task[i].foreign);
		}
		assert_int_equal(k.stats.failed, 0);
		sem_destroy(&y.gate);
	}
}

/* ----------------------------------- deadline, cancel, and the bound --- */

enum { QUEUE = 4, LATE_ONE = 1, CANCELLED_ONE = 2 };

/*
 * Behind the gate: one job that expires, one that is cancelled, two that run
 * in the end, and one too many.
 */
static int
bound_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct yard *y = kit_ctx(state);

	if (tr_tag(msg) == TIMEOUT) {
		sem_post(&y->gate);
		return TR_OK;
	}
	(void)offload(self, y, LATE_ONE, tr_in(self, TR_MS(2)));
	(void)offload(self, y, CANCELLED_ONE, tr_forever());
	(void)offload(self, y, 3, tr_in(self, TR_SECONDS(50)));
	(void)offload(self, y, 4, tr_forever());
	(void)offload(self, y, 5, tr_forever());
	y->cancel_rc[0] = tr_cancel(self, y->id[CANCELLED_ONE]);
	y->cancel_rc[1] = tr_cancel(self, y->id[0]); /* it runs */
	y->cancel_rc[2] = tr_cancel(self, 0);
	y->expected = 5;
	return tr_after(self, TR_MS(20), TIMEOUT, 0) == 0 ? TR_ENOMEM : TR_OK;
}

static int
bound_start(struct tr_self *self, void *state, const void *arg)
{
	struct yard *y;

	(void)kit_start_ctx(self, state, arg);
	y = kit_ctx(state);
	y->root = tr_self_ref(self);
	y->home = pthread_self();
	return offload(self, y, 0, tr_forever());
}

static const struct tr_behavior bound_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = bound_start,
	.receive = bound_receive,
};

static void
queued_jobs_expire_are_cancelled_and_bounded(void **unused)
{
	static const int outcomes[] = { 0, TR_ETIMEDOUT, TR_ECANCELED, 3, 4 };
	static struct yard y;
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		yard_init(&y);
		kit_new_with(&k,
		    (struct tr_options){ .workers = workers,
			.blocking_threads = 1,
			.blocking_queue = QUEUE });
		(void)kit_root(&k, &bound_root, &y);
		kit_run(&k);
		for (int i = 0; i < 5; i++) {
			assert_int_equal(y.rc[i], TR_OK);
			assert_int_equal(y.task[i].done, 1);
			assert_int_equal(y.task[i].dropped, 0);
			assert_int_equal(y.task[i].outcome, outcomes[i]);
			assert_int_equal(y.task[i].ran,
			    i != LATE_ONE && i != CANCELLED_ONE);
		}
		assert_int_equal(y.rc[5], TR_EFULL);
		assert_int_equal(y.task[5].ran, 0);
		assert_int_equal(y.task[5].done, 0);
		assert_int_equal(y.task[5].dropped, 0);
		assert_int_equal(y.cancel_rc[0], TR_OK);
		assert_int_equal(y.cancel_rc[1], TR_EBUSY);
		assert_int_equal(y.cancel_rc[2], TR_EINVAL);
		sem_destroy(&y.gate);
	}
}

/* ------------------------------------------------- the actor ends first --- */

/* The owner offloads the gate and some jobs behind it, and ends. */
static int
owner_start(struct tr_self *self, void *state, const void *arg)
{
	struct yard *y;

	(void)kit_start_ctx(self, state, arg);
	y = kit_ctx(state);
	y->home = pthread_self();
	for (int i = 0; i < 10; i++)
		if (offload(self, y, i, tr_forever()) != TR_OK)
			return TR_ENOMEM;
	return TR_OK;
}

static int
owner_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	(void)msg;
	return tr_exit(self, TR_NORMAL);
}

static void
owner_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct yard *y = kit_ctx(state);

	(void)why;
	kit_tell(self, y->root, DONE);
}

static const struct tr_behavior owner = {
	.name = "owner",
	.state_size = sizeof(void *),
	.start = owner_start,
	.receive = owner_receive,
	.stop = owner_stop,
};

static int
orphans_start(struct tr_self *self, void *state, const void *arg)
{
	struct yard *y;

	(void)kit_start_ctx(self, state, arg);
	y = kit_ctx(state);
	y->root = tr_self_ref(self);
	y->owner = tr_spawn(self, &owner, y, NULL);
	return TR_OK;
}

/* The gate runs: end its owner.  The owner has ended: open the gate. */
static int
orphans_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct yard *y = kit_ctx(state);

	if (tr_tag(msg) == OPEN) {
		kit_tell(self, y->owner, END);
		return TR_OK;
	}
	sem_post(&y->gate);
	return kit_finish(self);
}

static const struct tr_behavior orphans_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = orphans_start,
	.receive = orphans_receive,
};

/* Until the last blocking call has returned a system cannot be freed. */
static void
free_when_idle(struct kit *k)
{
	int rc;

	while ((rc = tr_system_free(k->sys)) == TR_EBUSY)
		kit_nap();
	assert_int_equal(rc, TR_OK);
}

static void
drop_runs_once_when_the_actor_has_ended(void **unused)
{
	static struct yard y;
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		yard_init(&y);
		kit_new_with(&k,
		    (struct tr_options){ .workers = workers,
			.blocking_threads = 1 });
		(void)kit_root(&k, &orphans_root, &y);
		assert_int_equal(tr_system_run(k.sys, &k.report), TR_OK);
		free_when_idle(&k);
		assert_int_equal(y.task[0].ran, 1);
		for (int i = 0; i < 10; i++) {
			assert_int_equal(y.rc[i], TR_OK);
			assert_int_equal(y.task[i].done, 0);
			assert_int_equal(y.task[i].dropped, 1);
			assert_in_range(y.task[i].ran, 0, 1);
		}
		sem_destroy(&y.gate);
	}
}

/* ------------------------------------------------ the system ends first --- */

static int
stopping_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct yard *y = kit_ctx(state);

	if (tr_tag(msg) != OPEN)
		return TR_OK;
	(void)tr_system_stop(tr_system_of(self),
	    y->patience_ns == 0 ? tr_forever() : tr_in(self, y->patience_ns));
	(void)offload(self, y, 10, tr_forever());
	return TR_OK;
}

static int
stopping_start(struct tr_self *self, void *state, const void *arg)
{
	/* Before the first job, which looks at it, can run. */
	((struct yard *)(uintptr_t)arg)->root = tr_self_ref(self);
	return owner_start(self, state, arg);
}

static const struct tr_behavior stopping_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = stopping_start,
	.receive = stopping_receive,
};

/* The gate opens from outside, once the run is over or while it ends. */
static void *
opener(void *arg)
{
	struct yard *y = arg;

	while (!atomic_load(&y->entered))
		kit_nap();
	for (int i = 0; i < 20; i++)
		kit_nap();
	sem_post(&y->gate);
	return NULL;
}

static void
a_system_that_stops_gives_every_job_back_once(void **unused)
{
	static struct yard y;
	pthread_t thread;
	struct kit k;
	int rc;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		yard_init(&y);
		kit_new_with(&k,
		    (struct tr_options){ .workers = workers,
			.blocking_threads = 1 });
		y.root = kit_root(&k, &stopping_root, &y);
		assert_int_equal(pthread_create(&thread, NULL, opener, &y), 0);
		rc = tr_system_run(k.sys, &k.report);
		assert_int_equal(rc, TR_OK);
		assert_int_equal(pthread_join(thread, NULL), 0);
		free_when_idle(&k);
		/* The last one was handed over after the stop had begun. */
		for (int i = 0; i < 11; i++) {
			assert_int_equal(y.rc[i], TR_OK);
			assert_int_equal(y.task[i].done + y.task[i].dropped, 1);
		}
		sem_destroy(&y.gate);
	}
}

/* A blocking call that outlives the deadline of the stop outlives the run, and
 * keeps the system from being freed. */
static void
a_blocking_call_that_runs_on_keeps_the_system(void **unused)
{
	static struct yard y;
	struct kit k;

	(void)unused;
	yard_init(&y);
	y.patience_ns = TR_MS(20);
	kit_new_with(&k,
	    (struct tr_options){ .workers = 2, .blocking_threads = 1 });
	y.root = kit_root(&k, &stopping_root, &y);
	assert_int_equal(tr_system_run(k.sys, &k.report), TR_OK);
	assert_int_equal(tr_system_free(k.sys), TR_EBUSY);
	sem_post(&y.gate);
	free_when_idle(&k);
	for (int i = 0; i < 10; i++)
		assert_int_equal(y.task[i].done + y.task[i].dropped, 1);
	sem_destroy(&y.gate);
}

/* --------------------------------------------------- done() may fail --- */

static int
fatal_done(struct tr_self *self, void *state, int outcome, void *arg)
{
	(void)self;
	(void)state;
	(void)arg;
	return outcome;
}

static const struct tr_job fatal_job = {
	.work = task_work,
	.done = fatal_done,
	.drop = task_drop,
};

static int
fatal_start(struct tr_self *self, void *state, const void *arg)
{
	struct yard *y;

	(void)kit_start_ctx(self, state, arg);
	y = kit_ctx(state);
	return tr_offload_blocking(self, &fatal_job, &y->task[33], tr_forever(),
	    NULL);
}

static void
fatal_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct yard *y = kit_ctx(state);

	y->rc[0] = why->code;
	(void)kit_finish(self);
}

static const struct tr_behavior fatal_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = fatal_start,
	.receive = kit_ignore,
	.stop = fatal_stop,
};

static void
done_that_fails_ends_the_actor(void **unused)
{
	static struct yard y;
	struct kit k;

	(void)unused;
	yard_init(&y);
	kit_play(&k, 2, &fatal_root, &y);
	assert_int_equal(y.rc[0], 33);
	assert_int_equal(y.task[33].ran, 1);
	assert_int_equal(y.task[33].dropped, 0);
	sem_destroy(&y.gate);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(results_come_back_once_from_another_thread),
		KIT_TEST(queued_jobs_expire_are_cancelled_and_bounded),
		KIT_TEST(drop_runs_once_when_the_actor_has_ended),
		KIT_TEST(a_system_that_stops_gives_every_job_back_once),
		KIT_TEST(a_blocking_call_that_runs_on_keeps_the_system),
		KIT_TEST(done_that_fails_ends_the_actor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
