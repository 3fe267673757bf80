/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Running out of memory, address space, threads and loops: at every request a
 * system makes, once or from then on.
 *
 * One scene uses every verb that needs something.  What it is refused it does
 * without; all that it was granted has to come to its end: each ask has one
 * outcome, each job one end, each drop function and each stop() runs once, no
 * message is lost, and all memory comes back.
 */
#include "rig_faults.h"

enum { ASK, LATER, KEEP, HOLD, NOTE, BIG, TICK, BEAT, POSTED };

enum {
	BIG_BYTES = 100000, /* beyond the pools' classes */
	TOKENS = 4,
	ASKS_EACH = 2,
};

/* One run: what was granted, and what came of it. */
struct scene {
	struct tr_system *sys;
	struct tr_stats stats;
	atomic_uint asks, outcomes; /* the root's */
	atomic_uint jobs, jobs_ended;
	atomic_uint made, dropped; /* messages with a drop function */
	atomic_uint started, stopped; /* actors that count themselves */
	atomic_uint refused;
	atomic_uint twice; /* things that came once too often */
	atomic_uint dirty; /* states that were not zero */
	tr_ref keeper, taker, echo, mute;
	unsigned busy; /* root: what it waits for */
	tr_timer beat;
};

static struct scene scene;

static bool
granted(bool yes)
{
	if (!yes)
		atomic_fetch_add(&scene.refused, 1);
	return yes;
}

/* ------------------------------------------------------- who is asked --- */

static int
count_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	(void)state;
	(void)arg;
	atomic_fetch_add(&scene.started, 1);
	return TR_OK;
}

static void
count_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)self;
	(void)state;
	(void)why;
	atomic_fetch_add(&scene.stopped, 1);
}

static int
echo_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	if (tr_tag(msg) != ASK)
		return TR_OK;
	if (!granted(tr_reply(self, msg, ASK, tr_data(msg, 0), tr_size(msg)) ==
		TR_OK))
		return tr_reply_error(self, msg, TR_ENOMEM);
	return TR_OK;
}

static const struct tr_behavior echo = {
	.name = "echo",
	.start = count_start,
	.receive = echo_receive,
	.stop = count_stop,
};

struct keeper {
	tr_token token[TOKENS];
	struct tr_msg *taken;
	char more[800];
};

static void
keeper_answer(struct tr_self *self, tr_token *token)
{
	if (!granted(tr_token_reply(self, token, LATER, "late", 5) == TR_OK))
		(void)tr_token_reply_error(self, token, TR_ENOMEM);
}

/* Answers by token, after a while if there is a timer. */
static int
keeper_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct keeper *s = state;
	tr_token token;

	if (tr_tag(msg) == TICK) {
		for (int i = 0; i < TOKENS; i++)
			if (s->token[i].bits != 0)
				keeper_answer(self, &s->token[i]);
		return TR_OK;
	}
	if (tr_tag(msg) != LATER)
		return TR_OK;
	token = tr_reply_token(self);
	if (!granted(token.bits != 0))
		return TR_OK;
	for (int i = 0; i < TOKENS; i++) {
		if (s->token[i].bits != 0)
			continue;
		s->token[i] = token;
		if (!granted(tr_after(self, TR_US(200), TICK, 0) != 0))
			keeper_answer(self, &s->token[i]);
		return TR_OK;
	}
	return tr_token_reply_error(self, &token, TR_EFULL);
}

static const struct tr_behavior keeper = {
	.name = "keeper",
	.state_size = sizeof(struct keeper),
	.start = count_start,
	.receive = keeper_receive,
	.stop = count_stop,
};

static void
taker_answer(struct tr_self *self, struct keeper *s)
{
	if (s->taken == NULL)
		return;
	if (granted(tr_reply(self, s->taken, KEEP, NULL, 0) == TR_OK) ||
	    tr_reply_error(self, s->taken, TR_ENOMEM) == TR_OK)
		tr_msg_drop(&s->taken);
}

/* Takes what it is asked, and answers it when it has told itself to. */
static int
taker_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct keeper *s = state;

	taker_answer(self, s);
	if (tr_tag(msg) != KEEP)
		return TR_OK;
	s->taken = tr_take(self, msg);
	if (granted(s->taken != NULL) &&
	    !granted(tr_send(self, tr_self_ref(self), NOTE, NULL, 0) == TR_OK))
		taker_answer(self, s);
	return TR_OK;
}

static void
taker_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct keeper *s = state;

	count_stop(self, state, why);
	tr_msg_drop(&s->taken);
}

static const struct tr_behavior taker = {
	.name = "taker",
	.state_size = sizeof(struct keeper),
	.start = count_start,
	.receive = taker_receive,
	.stop = taker_stop,
};

/* Holds what it is asked until it ends: a deadline comes before. */
static int
mute_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	if (tr_tag(msg) == HOLD)
		(void)granted(tr_reply_token(self).bits != 0);
	return TR_OK;
}

static const struct tr_behavior mute = {
	.name = "mute",
	.receive = mute_receive,
	.stop = count_stop,
};

static int
heavy_start(struct tr_self *self, void *state, const void *arg)
{
	const char *p = state;

	(void)self;
	(void)arg;
	for (size_t i = 0; i < BIG_BYTES; i++)
		if (p[i] != 0)
			atomic_fetch_add(&scene.dirty, 1);
	atomic_fetch_add(&scene.started, 1);
	return TR_OK;
}

static const struct tr_behavior heavy = {
	.name = "heavy",
	.state_size = BIG_BYTES,
	.arg_size = 4000,
	.start = heavy_start,
	.receive = kit_ignore,
	.stop = count_stop,
};

/* ------------------------------------------------------------ the root -- */

static void
root_done_one(struct tr_self *self)
{
	if (--scene.busy == 0)
		(void)kit_finish(self);
}

static int
root_outcome(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	bool *seen = (bool *)cookie;

	(void)state;
	if (*seen || (outcome == TR_OK) != (answer != NULL))
		atomic_fetch_add(&scene.twice, 1);
	*seen = true;
	atomic_fetch_add(&scene.outcomes, 1);
	root_done_one(self);
	return TR_OK;
}

static int
job_work(struct tr_system *system, void *arg)
{
	(void)system;
	(void)arg;
	return TR_OK;
}

static int
job_done(struct tr_self *self, void *state, int outcome, void *arg)
{
	(void)state;
	(void)outcome;
	free(arg);
	atomic_fetch_add(&scene.jobs_ended, 1);
	root_done_one(self);
	return TR_OK;
}

static void
job_drop(void *arg)
{
	free(arg);
	atomic_fetch_add(&scene.jobs_ended, 1);
}

static const struct tr_job job = { job_work, job_done, job_drop };

static void
note_dropped(void *payload, size_t size)
{
	(void)payload;
	(void)size;
	atomic_fetch_add(&scene.dropped, 1);
}

static tr_ask_id
root_ask(struct tr_self *self, tr_ref to, uint32_t tag, size_t size,
    int64_t deadline)
{
	static char big[BIG_BYTES];
	static bool seen[64];
	unsigned n = atomic_load(&scene.asks);
	tr_ask_id id;

	seen[n % 64] = false;
	id = tr_ask(self, to, tag, big, size, deadline, root_outcome,
	    (uintptr_t)&seen[n % 64]);
	if (granted(id != 0)) {
		atomic_store(&scene.asks, n + 1);
		scene.busy++;
	}
	return id;
}

static void
root_ask_all(struct tr_self *self)
{
	int64_t soon = tr_in(self, TR_MS(2));
	tr_ask_id id;

	for (int i = 0; i < ASKS_EACH; i++) {
		(void)root_ask(self, scene.echo, ASK, 8, tr_forever());
		(void)root_ask(self, scene.echo, ASK, 300, tr_forever());
		(void)root_ask(self, scene.echo, ASK, BIG_BYTES, tr_forever());
		(void)root_ask(self, scene.keeper, LATER, 1000, tr_forever());
		(void)root_ask(self, scene.taker, KEEP, 16, tr_forever());
		(void)root_ask(self, scene.mute, HOLD, 0, soon);
		(void)root_ask(self, TR_REF_NONE, ASK, 0, soon);
	}
	id = root_ask(self, scene.mute, HOLD, 0, tr_forever());
	if (id != 0)
		assert_int_equal(tr_cancel(self, id), TR_OK);
}

static void
root_send_all(struct tr_self *self)
{
	static const char big[BIG_BYTES];
	const size_t sizes[] = { 0, 40, 5000, BIG_BYTES };
	struct tr_msg *m;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		(void)granted(
		    tr_send(self, scene.echo, BIG, big, sizes[i]) == TR_OK);
		(void)granted(
		    tr_try_send(self, scene.mute, BIG, big, sizes[i]) == TR_OK);
		(void)granted(tr_post(scene.sys, scene.echo, POSTED, big,
				  sizes[i]) == TR_OK);
		m = tr_msg_new(self, NOTE, sizes[i], note_dropped);
		if (!granted(m != NULL))
			continue;
		atomic_fetch_add(&scene.made, 1);
		if (i % 2 == 0)
			(void)tr_send_msg(self, scene.mute, &m);
		tr_msg_drop(&m);
	}
}

static tr_ref
root_spawn(struct tr_self *self, const struct tr_behavior *b, const char *name)
{
	static const char zeros[4096];
	tr_ref ref = tr_spawn(self, b, zeros,
	    &(struct tr_spawn_options){ .name = name });

	if (granted(tr_ref_valid(ref)) && b->start == NULL)
		atomic_fetch_add(&scene.started, 1);
	return ref;
}

/* Spawn all, and some that end at once in each of the ways there are. */
static void
root_spawn_all(struct tr_self *self)
{
	static const char *const names[] = { "a", "b", "c", "d" };
	tr_ref ref;

	scene.echo = root_spawn(self, &echo, "echo");
	scene.keeper = root_spawn(self, &keeper, NULL);
	scene.taker = root_spawn(self, &taker, "taker");
	scene.mute = root_spawn(self, &mute, NULL);
	for (int i = 0; i < 4; i++) {
		ref = root_spawn(self, &heavy, names[i]);
		if (i == 0)
			(void)granted(
			    tr_stop(self, ref, tr_forever()) == TR_OK);
		if (i == 1)
			(void)granted(
			    tr_stop(self, ref, tr_in(self, TR_MS(1))) == TR_OK);
		if (i == 2)
			(void)granted(tr_kill(self, ref) == TR_OK);
	}
	ref = tr_system_spawn(scene.sys, &mute, NULL, NULL);
	if (granted(tr_ref_valid(ref)))
		atomic_fetch_add(&scene.started, 1);
}

static void
root_offload_all(struct tr_self *self)
{
	for (int i = 0; i < 3; i++) {
		void *arg = malloc(16);

		assert_non_null(arg);
		if (granted(tr_offload_blocking(self, &job, arg, tr_forever(),
				NULL) == TR_OK)) {
			atomic_fetch_add(&scene.jobs, 1);
			scene.busy++;
		} else {
			free(arg);
		}
	}
}

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	(void)state;
	(void)arg;
	atomic_fetch_add(&scene.started, 1);
	scene.busy = 1;
	(void)granted(tr_register(self, "root") == TR_OK);
	scene.beat = tr_every(self, TR_US(300), BEAT, 0);
	(void)granted(scene.beat != 0);
	root_spawn_all(self);
	root_send_all(self);
	root_ask_all(self);
	root_offload_all(self);
	root_done_one(self);
	return TR_OK;
}

static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const struct tr_tick *tick = tr_data(msg, sizeof(*tick));

	(void)state;
	if (tr_tag(msg) == BEAT && tick != NULL)
		(void)tr_timer_cancel(self, tick->timer);
	return TR_OK;
}

static const struct tr_behavior root = {
	.name = "root",
	.state_size = 2000,
	.start = root_start,
	.receive = root_receive,
	.stop = count_stop,
};

/* ----------------------------------------------------------- one run ---- */

/* Bytes of blocks handed out and not freed, of all pools. */
static uint64_t
scene_bytes(void)
{
	uint64_t sum = tri_load_relaxed(&scene.sys->foreign_pool.live);

	for (unsigned i = 0; i < tr_system_workers(scene.sys); i++)
		sum += tri_load_relaxed(
		    &tri_crew_at(scene.sys, i)->worker.pool.live);
	return sum;
}

static void
scene_check(int rc)
{
	struct tr_stats *s = &scene.stats;

	assert_int_equal(tr_stats(scene.sys, s), TR_OK);
	if (!kit_balanced(s) || s->queued != 0 || s->actors != 0)
		kit_print_stats(s);
	assert_true(kit_balanced(s));
	assert_int_equal(s->queued, 0);
	assert_int_equal(s->actors, 0);
	assert_int_equal(s->spawned, s->ended);
	assert_int_equal(scene_bytes(), 0);
	assert_int_equal(scene.twice, 0);
	assert_int_equal(scene.dirty, 0);
	assert_int_equal(scene.outcomes, scene.asks);
	assert_int_equal(scene.jobs_ended, scene.jobs);
	assert_int_equal(scene.dropped, scene.made);
	assert_int_equal(scene.stopped, scene.started);
	/* A thread could not be started: for want of memory, or by the rig. */
	assert_true(rc == TR_OK || rc == TR_ENOMEM || rc == -EAGAIN);
}

/* Play the scene in the world as it was set up.  true: it took place. */
static bool
scene_play(void)
{
	static const char big[BIG_BYTES];
	struct tr_options options = { .workers = 2, .max_actors = 1024 };
	struct tr_stop_report report;
	bool played = false;
	tr_ref ref;
	int rc;

	memset(&scene, 0, sizeof(scene));
	rc = faults_system(&scene.sys, &options);
	if (rc != TR_OK) {
		assert_int_equal(rc, TR_ENOMEM);
		assert_null(scene.sys);
		faults_over();
		return false;
	}
	ref = tr_system_spawn(scene.sys, &root, NULL, NULL);
	(void)granted(tr_post(scene.sys, ref, POSTED, NULL, 0) == TR_OK);
	(void)granted(
	    tr_post(scene.sys, ref, POSTED, big, sizeof(big)) == TR_OK);
	if (granted(tr_ref_valid(ref))) {
		played = true;
		rc = tr_system_run(scene.sys, &report);
		scene_check(rc);
	}
	assert_int_equal(tr_system_free(scene.sys), TR_OK);
	faults_over();
	return played;
}

/* Refuse the k-th request, `n` of them, for every k. */
static void
refuse_each(enum fault kind, unsigned long n)
{
	unsigned long k = 0, played = 0, refused = 0, calls;

	do {
		k++;
		faults_begin();
		faults_refuse(kind, k, n);
		played += scene_play();
		refused += atomic_load(&scene.refused) > 0;
		calls = atomic_load(&faults.calls[kind]);
	} while (k <= calls);
	/* The last run was refused nothing. */
	assert_true(played > 0);
	assert_int_equal(scene.refused, 0);
	print_message("  %lu runs, %lu took place, %lu felt it\n", k, played,
	    refused);
}

static void
nothing_is_refused_and_all_memory_comes_back(void **unused)
{
	(void)unused;
	faults_begin();
	assert_true(scene_play());
	assert_int_equal(scene.refused, 0);
	assert_true(faults.slabs > 0);
	assert_true(scene.asks > 0 && scene.jobs > 0 && scene.made > 0);
	assert_true(scene.stats.dead[TR_DEAD_NO_ACTOR] > 0);
}

static void
one_allocation_fails(void **unused)
{
	(void)unused;
	refuse_each(FAULT_ALLOC, 1);
}

static void
all_allocations_fail_from_one_on(void **unused)
{
	(void)unused;
	refuse_each(FAULT_ALLOC, ULONG_MAX);
}

static void
one_commit_fails(void **unused)
{
	(void)unused;
	refuse_each(FAULT_COMMIT, 1);
}

static void
all_commits_fail_from_one_on(void **unused)
{
	(void)unused;
	refuse_each(FAULT_COMMIT, ULONG_MAX);
}

static void
one_reservation_fails(void **unused)
{
	(void)unused;
	refuse_each(FAULT_RESERVE, 1);
}

static void
all_reservations_fail_from_one_on(void **unused)
{
	(void)unused;
	refuse_each(FAULT_RESERVE, ULONG_MAX);
}

static void
one_thread_cannot_be_started(void **unused)
{
	(void)unused;
	refuse_each(FAULT_THREAD, 1);
}

static void
no_thread_can_be_started_from_one_on(void **unused)
{
	(void)unused;
	refuse_each(FAULT_THREAD, ULONG_MAX);
}

static void
one_loop_cannot_be_made(void **unused)
{
	(void)unused;
	refuse_each(FAULT_LOOP, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(nothing_is_refused_and_all_memory_comes_back),
		KIT_TEST(one_allocation_fails),
		KIT_TEST(all_allocations_fail_from_one_on),
		KIT_TEST(one_commit_fails),
		KIT_TEST(all_commits_fail_from_one_on),
		KIT_TEST(one_reservation_fails),
		KIT_TEST(all_reservations_fail_from_one_on),
		KIT_TEST(one_thread_cannot_be_started),
		KIT_TEST(no_thread_can_be_started_from_one_on),
		KIT_TEST(one_loop_cannot_be_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
