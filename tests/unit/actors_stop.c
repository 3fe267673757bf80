/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ordered stop: who is waited for, who is killed, who is left, and what
 * the report says of them.
 */
#include "kit.h"
#include "slow_clock.h"

enum { SLOW = 7, HANG = 42, NOTE, GO };

/* ----------------------------------------------- stopped from inside --- */

enum { STAFF = 50 };

struct house {
	atomic_int notes, stops, shutdowns, killed;
	atomic_bool busy;
	int rc[2];
	int late_post, late_error;
	bool late_spawn;
	tr_ref root;
};

static int
staff_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct house *h = kit_ctx(state);

	if (tr_tag(msg) == SLOW) {
		kit_spin_for(self, TR_MS(1));
		atomic_store(&h->busy, true);
	}
	atomic_fetch_add(&h->notes, 1);
	return TR_OK;
}

static void
staff_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct house *h = kit_ctx(state);

	(void)self;
	atomic_fetch_add(&h->stops, 1);
	if (why->code == TR_SHUTDOWN)
		atomic_fetch_add(&h->shutdowns, 1);
	if (why->code == TR_KILLED)
		atomic_fetch_add(&h->killed, 1);
}

static const struct tr_behavior staff = {
	.name = "staff",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = staff_receive,
	.stop = staff_stop,
};

static int
house_start(struct tr_self *self, void *state, const void *arg)
{
	struct tr_system *sys = tr_system_of(self);
	struct house *h;
	tr_ref one = TR_REF_NONE;

	(void)kit_start_ctx(self, state, arg);
	h = kit_ctx(state);
	for (int i = 0; i < STAFF; i++) {
		one = tr_spawn(self, &staff, h, NULL);
		for (int j = 0; j < 20; j++)
			kit_tell(self, one, NOTE);
	}
	h->rc[0] = tr_system_stop(sys, tr_forever());
	h->rc[1] = tr_system_stop(sys, tr_in(self, TR_SECONDS(50)));
	h->late_post = tr_post(sys, one, NOTE, NULL, 0);
	h->late_spawn = tr_ref_valid(tr_spawn(self, &staff, h,
	    &(struct tr_spawn_options){ .error = &h->late_error }));
	return TR_OK;
}

static const struct tr_behavior house = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = house_start,
	.receive = kit_ignore,
};

static void
the_stop_waits_for_what_was_sent_before_it(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct house h = { .late_spawn = true };

		kit_play(&k, workers, &house, &h);
		assert_int_equal(h.rc[0], TR_OK);
		assert_int_equal(h.rc[1], TR_OK);
		assert_int_equal(h.notes, STAFF * 20);
		assert_int_equal(h.shutdowns, STAFF);
		assert_int_equal(h.stops, STAFF);
		assert_int_equal(h.late_post, TR_ESTOPPING);
		assert_false(h.late_spawn);
		assert_int_equal(h.late_error, TR_ESTOPPING);
		assert_int_equal(k.report.killed, 0);
		assert_true(k.report.stopped <= k.stats.ended);
	}
}

/* -------------------------------------------- killed by the deadline --- */

enum { HOURS = 50000 };

static int
late_house_start(struct tr_self *self, void *state, const void *arg)
{
	struct house *h;
	tr_ref slow;

	(void)kit_start_ctx(self, state, arg);
	h = kit_ctx(state);
	slow = tr_spawn(self, &staff, h, NULL);
	for (int i = 0; i < HOURS; i++)
		kit_tell(self, slow, SLOW);
	(void)tr_spawn(self, &staff, h, NULL);
	return tr_send(self, tr_self_ref(self), GO, NULL, 0);
}

/* Once the slow one has begun. */
static int
late_house_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct tr_system *sys = tr_system_of(self);
	struct house *h = kit_ctx(state);

	(void)msg;
	if (!atomic_load(&h->busy))
		return tr_send(self, tr_self_ref(self), GO, NULL, 0);
	h->rc[0] = tr_system_stop(sys, tr_forever());
	/* Brings the deadline forward; the third call cannot move it back. */
	h->rc[1] = tr_system_stop(sys, tr_in(self, TR_MS(20)));
	return tr_system_stop(sys, tr_forever());
}

static const struct tr_behavior late_house = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = late_house_start,
	.receive = late_house_receive,
};

static void
the_deadline_kills_and_can_only_come_forward(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct house h = { .notes = 0 };

		kit_play(&k, workers, &late_house, &h);
		assert_int_equal(h.rc[0], TR_OK);
		assert_int_equal(h.rc[1], TR_OK);
		assert_int_equal(h.stops, 2);
		/* On a machine that is busy with other things the deadline
		 * may find the quick one still there, too. */
		assert_true(h.killed >= 1);
		assert_int_equal(h.killed + h.shutdowns, 2);
		assert_true(h.notes < HOURS);
		assert_true(k.report.killed >= (uint64_t)h.killed);
		assert_int_equal(k.report.left, 0);
	}
}

static void
a_deadline_in_the_past_kills_at_once(void **unused)
{
	struct kit k;
	tr_ref slow;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct house h = { .notes = 0 };

		kit_new(&k, workers);
		slow = tr_system_spawn(k.sys, &staff, &h, NULL);
		assert_true(tr_ref_valid(slow));
		for (int i = 0; i < HOURS; i++)
			assert_int_equal(tr_post(k.sys, slow, SLOW, NULL, 0),
			    TR_OK);
		kit_begin(&k);
		kit_spin_until(&h.busy);
		assert_int_equal(tr_system_stop(k.sys, 0), TR_OK);
		assert_int_equal(pthread_join(k.thread, NULL), 0);
		kit_end(&k);
		assert_int_equal(h.killed, 1);
		assert_int_equal(h.stops, 1);
		assert_true(h.notes < HOURS);
	}
}

/* ------------------------------------ one whose death takes many turns --- */

enum {
	HEIRLOOMS = 2048, /* a turn of a death drops 256 at most */
	DROP_NS = 500 * 1000,
};

static atomic_uint dropped;

/* By the test's clock it takes its time; the other worker sees that. */
static void
heirloom_drop(void *payload, size_t size)
{
	(void)payload;
	(void)size;
	atomic_fetch_add(&slow_clock_time, DROP_NS);
	if (atomic_fetch_add(&dropped, 1) % 64 == 0)
		kit_nap();
}

static int
hoarder_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	(void)msg;
	while (!tr_cancelled(self))
		kit_nap();
	return TR_OK;
}

static const struct tr_behavior hoarder = {
	.name = "hoarder",
	.receive = hoarder_receive,
};

static int
testator_start(struct tr_self *self, void *state, const void *arg)
{
	tr_ref to = tr_spawn(self, &hoarder, NULL,
	    &(struct tr_spawn_options){ .placement = TR_PLACE_WORKER,
		.worker = 1 });

	(void)state;
	(void)arg;
	kit_tell(self, to, HANG);
	for (int i = 0; i < HEIRLOOMS; i++) {
		struct tr_msg *m = tr_msg_new(self, NOTE, 8, heirloom_drop);

		KIT_CHECK(m != NULL && tr_send_msg(self, to, &m) == TR_OK);
	}
	return tr_system_stop(tr_system_of(self), 0);
}

static const struct tr_behavior testator = {
	.name = "testator",
	.start = testator_start,
	.receive = kit_ignore,
};

static void
a_death_in_many_turns_is_waited_for(void **unused)
{
	struct kit k;

	(void)unused;
	atomic_store(&dropped, 0);
	kit_new(&k, 2);
	slow_clock(&k);
	(void)kit_root(&k, &testator, NULL);
	kit_run(&k);
	assert_int_equal(dropped, HEIRLOOMS);
	assert_int_equal(k.report.killed, 2);
}

/* ---------------------------------------- a handler that does not end --- */

struct stuck {
	struct kit k;
	atomic_bool inside, release, after;
	bool told; /* that it was killed */
	tr_ref self;
	int stops;
};

static int
stuck_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct stuck *s = kit_ctx(state);

	if (tr_tag(msg) != HANG) {
		atomic_store(&s->after, true);
		return TR_OK;
	}
	atomic_store(&s->inside, true);
	kit_spin_until(&s->release);
	s->told = tr_cancelled(self);
	return TR_OK;
}

static void
stuck_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct stuck *s = kit_ctx(state);

	(void)self;
	(void)why;
	s->stops++;
}

static const struct tr_behavior stuck = {
	.name = "stuck one",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = stuck_receive,
	.stop = stuck_stop,
};

static void
stuck_begin(struct stuck *s, unsigned workers, unsigned on)
{
	memset(s, 0, sizeof(*s));
	kit_new(&s->k, workers);
	s->self = tr_system_spawn(s->k.sys, &stuck, s,
	    &(struct tr_spawn_options){ .placement = TR_PLACE_WORKER,
		.worker = on });
	assert_true(tr_ref_valid(s->self));
	(void)kit_root(&s->k, &kit_idler, NULL);
	assert_int_equal(tr_post(s->k.sys, s->self, HANG, NULL, 0), TR_OK);
	assert_int_equal(tr_post(s->k.sys, s->self, NOTE, NULL, 0), TR_OK);
	kit_begin(&s->k);
	kit_spin_until(&s->inside);
}

static void
a_handler_that_never_returns_is_named_in_the_report(void **unused)
{
	static struct stuck s;
	struct kit *k = &s.k;
	int rc;

	(void)unused;
	for (unsigned workers = 2; workers <= 4; workers *= 2) {
		stuck_begin(&s, workers, 1);
		assert_int_equal(tr_system_stop(k->sys,
				     tr_system_now(k->sys) + TR_MS(20)),
		    TR_OK);
		assert_int_equal(pthread_join(k->thread, NULL), 0);
		assert_int_equal(k->run_rc, TR_EBUSY);
		assert_int_equal(k->report.left, 1);
		assert_true(tr_ref_equal(k->report.left_at[0].ref, s.self));
		assert_string_equal(k->report.left_at[0].behavior, "stuck one");
		assert_int_equal(k->report.left_at[0].tag, HANG);
		assert_true(k->report.left_at[0].running_ns > 0);
		assert_int_equal(tr_system_free(k->sys), TR_EBUSY);
		atomic_store(&s.release, true);
		while ((rc = tr_system_free(k->sys)) == TR_EBUSY)
			kit_nap();
		assert_int_equal(rc, TR_OK);
		assert_false(s.after);
		assert_true(s.told);
		assert_int_equal(s.stops, 1);
	}
}

static void *
releaser(void *arg)
{
	struct stuck *s = arg;

	for (int i = 0; i < 50; i++)
		kit_nap();
	atomic_store(&s->release, true);
	return NULL;
}

static void
the_run_waits_for_a_handler_on_worker_0(void **unused)
{
	static struct stuck s;
	pthread_t thread;
	int rc;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		stuck_begin(&s, workers, 0);
		assert_int_equal(tr_system_stop(s.k.sys,
				     tr_system_now(s.k.sys) + TR_MS(5)),
		    TR_OK);
		assert_int_equal(pthread_create(&thread, NULL, releaser, &s),
		    0);
		assert_int_equal(pthread_join(s.k.thread, NULL), 0);
		/* It has returned, so the handler has, too. */
		assert_true(s.release);
		assert_int_equal(pthread_join(thread, NULL), 0);
		while ((rc = tr_system_free(s.k.sys)) == TR_EBUSY)
			kit_nap();
		assert_int_equal(rc, TR_OK);
		assert_int_equal(s.stops, 1);
	}
}

/* A slow handler that does end within the deadline is waited for. */
static void
a_handler_that_returns_in_time_is_waited_for(void **unused)
{
	static struct stuck s;
	pthread_t thread;

	(void)unused;
	for (unsigned workers = 2; workers <= 4; workers *= 2) {
		stuck_begin(&s, workers, 1);
		assert_int_equal(tr_system_stop(s.k.sys, tr_forever()), TR_OK);
		assert_int_equal(pthread_create(&thread, NULL, releaser, &s),
		    0);
		assert_int_equal(pthread_join(s.k.thread, NULL), 0);
		assert_int_equal(pthread_join(thread, NULL), 0);
		kit_end(&s.k);
		assert_true(s.after);
		assert_false(s.told);
		assert_int_equal(s.stops, 1);
		assert_int_equal(s.k.report.killed, 0);
	}
}

/* ------------------------------------------------ many rounds, quickly --- */

enum { QUICK = 300 };

static int
restless_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	if (tr_ref_valid(tr_sender(msg)))
		return tr_reply(self, msg, NOTE, NULL, 0);
	return tr_send(self, tr_self_ref(self), NOTE, NULL, 0);
}

static const struct tr_behavior restless = {
	.name = "restless",
	.receive = restless_receive,
};

static void
a_stop_at_any_moment_ends(void **unused)
{
	uint64_t seed = 5;
	struct kit k;
	tr_ref ref;

	(void)unused;
	for (int i = 0; i < TEST_SCALE(QUICK) + 5; i++) {
		kit_new(&k, 1 + (unsigned)i % 4);
		for (int j = 0; j < 5; j++) {
			ref = tr_system_spawn(k.sys, &restless, NULL, NULL);
			assert_int_equal(tr_post(k.sys, ref, NOTE, NULL, 0),
			    TR_OK);
		}
		kit_begin(&k);
		for (uint64_t n = kit_below(&seed, 2000); n > 0; n--)
			(void)tr_system_now(k.sys);
		kit_stop(&k);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(the_stop_waits_for_what_was_sent_before_it),
		KIT_TEST(the_deadline_kills_and_can_only_come_forward),
		KIT_TEST(a_deadline_in_the_past_kills_at_once),
		KIT_TEST(a_death_in_many_turns_is_waited_for),
		KIT_TEST(a_handler_that_never_returns_is_named_in_the_report),
		KIT_TEST(the_run_waits_for_a_handler_on_worker_0),
		KIT_TEST(a_handler_that_returns_in_time_is_waited_for),
		KIT_TEST(a_stop_at_any_moment_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
