/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where actors run: pinned ones stay, the others are taken over from a worker
 * that is busy.
 */
#include "kit.h"

enum { GO, DONE };

/* ------------------------------------------------------ those who stay --- */

enum { HOPS = 200 };

struct stay {
	tr_ref root;
	unsigned workers;
	atomic_int strayed, done;
	atomic_uint visited[64];
	int expected;
};

struct stayer {
	struct stay *stay;
	unsigned home; /* UINT32_MAX: anywhere */
	unsigned hops;
};

static int
stayer_start(struct tr_self *self, void *state, const void *arg)
{
	struct stayer *s = state;

	memcpy(s, arg, sizeof(*s));
	if (s->home != UINT32_MAX && tr_self_worker(self) != s->home)
		atomic_fetch_add(&s->stay->strayed, 1);
	return tr_send(self, tr_self_ref(self), GO, NULL, 0);
}

static int
stayer_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct stayer *s = state;
	unsigned here = tr_self_worker(self);

	(void)msg;
	if (s->home != UINT32_MAX && here != s->home)
		atomic_fetch_add(&s->stay->strayed, 1);
	if (here >= s->stay->workers)
		atomic_fetch_add(&s->stay->strayed, 1);
	else
		atomic_fetch_add(&s->stay->visited[here], 1);
	kit_spin_for(self, TR_US(5));
	if (++s->hops == HOPS)
		return tr_send(self, s->stay->root, DONE, NULL, 0);
	return tr_send(self, tr_self_ref(self), GO, NULL, 0);
}

static const struct tr_behavior stayer = {
	.name = "stayer",
	.state_size = sizeof(struct stayer),
	.arg_size = sizeof(struct stayer),
	.start = stayer_start,
	.receive = stayer_receive,
};

static int
stay_start(struct tr_self *self, void *state, const void *arg)
{
	struct stayer one = { .hops = 0 };
	struct stay *stay;

	(void)kit_start_ctx(self, state, arg);
	stay = one.stay = kit_ctx(state);
	stay->root = tr_self_ref(self);
	stay->workers = tr_system_workers(tr_system_of(self));
	for (unsigned w = 0; w < stay->workers; w++) {
		one.home = w;
		(void)tr_spawn(self, &stayer, &one,
		    &(struct tr_spawn_options){ .placement = TR_PLACE_WORKER,
			.worker = w });
		one.home = tr_self_worker(self);
		(void)tr_spawn(self, &stayer, &one,
		    &(struct tr_spawn_options){ .placement = TR_PLACE_PINNED });
		one.home = UINT32_MAX;
		(void)tr_spawn(self, &stayer, &one, NULL);
		stay->expected += 3;
	}
	return TR_OK;
}

static int
stay_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct stay *stay = kit_ctx(state);

	(void)msg;
	if (tr_self_worker(self) != 0)
		atomic_fetch_add(&stay->strayed, 1);
	if (atomic_fetch_add(&stay->done, 1) + 1 == stay->expected)
		return kit_finish(self);
	return TR_OK;
}

static const struct tr_behavior stay_root = {
	.name = "root", .state_size = sizeof(void *),
	.start = stay_start, .receive = stay_receive,
}, stay_counter = {
	.name = "counter", .state_size = sizeof(void *),
	.start = kit_start_ctx, .receive = stay_receive,
};

static void
pinned_actors_stay_at_any_number_of_workers(void **unused)
{
	static const unsigned counts[] = { 1, 2, 3, 4, 8, 16, 64 };
	struct kit k;

	(void)unused;
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		struct stay stay = { .done = 0 };

		kit_new(&k, counts[i]);
		assert_int_equal(tr_system_workers(k.sys), counts[i]);
		(void)kit_root(&k, &stay_root, &stay);
		kit_run(&k);
		assert_int_equal(k.stats.workers, counts[i]);
		assert_int_equal(stay.strayed, 0);
		assert_int_equal(stay.done, stay.expected);
		for (unsigned w = 0; w < counts[i]; w++)
			assert_true(stay.visited[w] >= HOPS);
	}
}

/* ---------------------------------------- behind a worker that is stuck --- */

enum { STUCK_ROUNDS = 100 };

/*
 * The root makes a child runnable on its own worker and stays in its handler
 * until the child has run: only another worker can do that.  In the rounds the
 * others are at times asleep and at times just awake.
 */
struct stuck {
	atomic_bool ran;
	int rounds;
	bool message; /* a child that is there gets a message, else a start */
	tr_ref child;
};

static int
stuck_child_start(struct tr_self *self, void *state, const void *arg)
{
	struct stuck *s;

	(void)kit_start_ctx(self, state, arg);
	s = kit_ctx(state);
	atomic_store(&s->ran, true);
	return s->message ? TR_OK : tr_exit(self, TR_NORMAL);
}

static int
stuck_child_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct stuck *s = kit_ctx(state);

	(void)self;
	(void)msg;
	atomic_store(&s->ran, true);
	return TR_OK;
}

static const struct tr_behavior stuck_child = {
	.name = "child",
	.state_size = sizeof(void *),
	.start = stuck_child_start,
	.receive = stuck_child_receive,
};

static int
stuck_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct stuck *s = kit_ctx(state);

	(void)msg;
	atomic_store(&s->ran, false);
	if (s->message && tr_ref_valid(s->child))
		kit_tell(self, s->child, GO);
	else
		s->child = tr_spawn(self, &stuck_child, s, NULL);
	kit_spin_until(&s->ran);
	if (++s->rounds == STUCK_ROUNDS)
		return kit_finish(self);
	if (s->rounds % 4 != 0)
		return tr_send(self, tr_self_ref(self), GO, NULL, 0);
	return tr_after(self, TR_MS(2), GO, 0) == 0 ? TR_ENOMEM : TR_OK;
}

static int
stuck_start(struct tr_self *self, void *state, const void *arg)
{
	(void)kit_start_ctx(self, state, arg);
	return tr_send(self, tr_self_ref(self), GO, NULL, 0);
}

static const struct tr_behavior stuck_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = stuck_start,
	.receive = stuck_receive,
};

static void
others_take_over_what_waits_behind_a_stuck_worker(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 2; workers <= 8; workers *= 2)
		for (int spin = -1; spin <= 0; spin++)
			for (int message = 0; message <= 1; message++) {
				struct stuck s = { .message = message != 0 };

				kit_new_with(&k,
				    (struct tr_options){ .workers = workers,
					.spin_ns = spin });
				(void)kit_root(&k, &stuck_root, &s);
				kit_run(&k);
				assert_int_equal(s.rounds, STUCK_ROUNDS);
				assert_true(k.stats.steals > 0);
			}
}

/* -------------------------------------------------- sleepers are woken --- */

enum { ROUND_TRIPS = 3000 };

/* Two pinned actors on two workers that sleep at once when idle. */
struct wake {
	tr_ref far;
	int trips;
	int64_t pause_ns; /* between two trips */
};

static int
far_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	return tr_reply(self, msg, DONE, NULL, 0);
}

static const struct tr_behavior far_side = {
	.name = "far",
	.receive = far_receive,
};

static int
wake_start(struct tr_self *self, void *state, const void *arg)
{
	struct wake *w;

	(void)kit_start_ctx(self, state, arg);
	w = kit_ctx(state);
	w->far = tr_spawn(self, &far_side, NULL,
	    &(struct tr_spawn_options){ .placement = TR_PLACE_WORKER,
		.worker = tr_system_workers(tr_system_of(self)) - 1 });
	return tr_send(self, w->far, GO, NULL, 0);
}

static int
wake_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct wake *w = kit_ctx(state);

	(void)msg;
	if (++w->trips == TEST_SCALE(ROUND_TRIPS))
		return kit_finish(self);
	if (w->pause_ns > 0)
		kit_spin_for(self, w->trips % 16 * w->pause_ns);
	return tr_send(self, w->far, GO, NULL, 0);
}

static const struct tr_behavior wake_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = wake_start,
	.receive = wake_receive,
};

static void
pinned_actors_on_sleeping_workers_are_woken(void **unused)
{
	static const int64_t spins[] = { -1, TR_US(1), TR_US(50) };
	struct kit k;

	(void)unused;
	for (unsigned workers = 2; workers <= 4; workers *= 2)
		for (size_t i = 0; i < 3; i++)
			for (int64_t pause = 0; pause <= 3000; pause += 3000) {
				struct wake w = { .pause_ns = pause };

				kit_new_with(&k,
				    (struct tr_options){ .workers = workers,
					.spin_ns = spins[i] });
				(void)kit_root(&k, &wake_root, &w);
				kit_run(&k);
				assert_int_equal(w.trips,
				    TEST_SCALE(ROUND_TRIPS));
			}
}

enum { KNOCKS = 10000 };

static int
door_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)self;
	(void)msg;
	atomic_fetch_add((atomic_int *)kit_ctx(state), 1);
	return TR_OK;
}

static const struct tr_behavior door = {
	.name = "door",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = door_receive,
};

/* Knock, and wait until it was heard: nothing else would wake anybody. */
static void
knock(struct kit *k, tr_ref to, atomic_int *heard)
{
	uint64_t seed = 9;

	for (int i = 0; i < TEST_SCALE(KNOCKS); i++) {
		assert_int_equal(tr_post(k->sys, to, GO, NULL, 0), TR_OK);
		while (atomic_load(heard) <= i)
			sched_yield();
		/* Next time it may be just about to fall asleep. */
		for (uint64_t n = kit_below(&seed, 8000); n > 0; n--)
			(void)atomic_load(heard);
	}
}

static void
posts_wake_a_system_that_is_falling_asleep(void **unused)
{
	static const int64_t spins[] = { -1, TR_US(1) };
	atomic_int heard;
	struct kit k;
	tr_ref to;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2)
		for (unsigned i = 0; i < 4; i++) {
			heard = 0;
			kit_new_with(&k,
			    (struct tr_options){ .workers = workers,
				.spin_ns = spins[i / 2] });
			to = tr_system_spawn(k.sys, &door, &heard,
			    &(struct tr_spawn_options){
				.placement =
				    i % 2 == 0 ? TR_PLACE_ANY : TR_PLACE_WORKER,
				.worker = workers - 1 });
			assert_true(tr_ref_valid(to));
			kit_begin(&k);
			knock(&k, to, &heard);
			kit_stop(&k);
			assert_int_equal(heard, TEST_SCALE(KNOCKS));
		}
}

/* -------------------------------------------- placed from the outside --- */

static void
spawns_from_outside_are_placed_too(void **unused)
{
	struct tr_spawn_options options = { .placement = TR_PLACE_PINNED };
	struct stay stay = { .expected = 5 };
	struct stayer one = { .stay = &stay };
	int error = TR_OK;
	struct kit k;

	(void)unused;
	kit_new(&k, 4);
	stay.workers = 4;
	stay.root = tr_system_spawn(k.sys, &stay_counter, &stay, &options);
	assert_true(
	    tr_ref_valid(tr_system_spawn(k.sys, &stayer, &one, &options)));
	options.placement = TR_PLACE_WORKER;
	for (one.home = 0; one.home < 4; one.home++) {
		options.worker = one.home;
		assert_true(tr_ref_valid(
		    tr_system_spawn(k.sys, &stayer, &one, &options)));
	}
	options.worker = 4;
	options.error = &error;
	assert_false(
	    tr_ref_valid(tr_system_spawn(k.sys, &stayer, &one, &options)));
	assert_int_equal(error, TR_EINVAL);
	kit_run(&k);
	assert_int_equal(stay.strayed, 0);
	assert_int_equal(stay.done, 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(pinned_actors_stay_at_any_number_of_workers),
		KIT_TEST(others_take_over_what_waits_behind_a_stuck_worker),
		KIT_TEST(pinned_actors_on_sleeping_workers_are_woken),
		KIT_TEST(posts_wake_a_system_that_is_falling_asleep),
		KIT_TEST(spawns_from_outside_are_placed_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
