/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Systems from outside: many one after the other, several at once, options,
 * and what other threads may do before, during and after the run.
 */
#include <dirent.h>

#include "kit.h"

enum { NOTE, DONE, BALL };

/* -------------------------------------------------- a thousand of them --- */

enum { STARTS = 1000, WARM = 20 };

static int
entries_of(const char *path)
{
	DIR *dir = opendir(path);
	int n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

/* Address space in pages; a system that is not given back shows at once. */
static unsigned long
pages(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	unsigned long n = 0;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%lu", &n), 1);
	fclose(file);
	return n;
}

static int
visitor_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	return tr_reply(self, msg, DONE, NULL, 0);
}

static const struct tr_behavior visitor = {
	.name = "visitor",
	.receive = visitor_receive,
};

static int
host_start(struct tr_self *self, void *state, const void *arg)
{
	(void)state;
	(void)arg;
	for (int i = 0; i < 10; i++)
		kit_tell(self, tr_spawn(self, &visitor, NULL, NULL), NOTE);
	return tr_after(self, TR_SECONDS(1000), NOTE, 0) == 0 ? TR_ENOMEM :
								TR_OK;
}

static int
host_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	uint64_t *heard = state;

	(void)msg;
	return ++*heard < 10 ? TR_OK : tr_exit(self, TR_NORMAL);
}

static const struct tr_behavior host = {
	.name = "host",
	.state_size = sizeof(uint64_t),
	.start = host_start,
	.receive = host_receive,
};

static void
a_thousand_systems_in_a_row_leave_nothing_behind(void **unused)
{
	struct tr_options options = { .workers = 2 };
	int files = 0, threads = 0;
	unsigned long before = 0;

	(void)unused;
	for (int i = 0; i < TEST_SCALE(STARTS); i++) {
		if (i == WARM) {
			files = entries_of("/proc/self/fd");
			threads = entries_of("/proc/self/task");
			before = pages();
		}
		options.workers = 1 + (unsigned)i % 4;
		assert_int_equal(tr_run(&host, NULL, &options), TR_OK);
	}
	assert_int_equal(entries_of("/proc/self/fd"), files);
	assert_int_equal(entries_of("/proc/self/task"), threads);
	/* Less than four systems' address space; malloc's arenas grow. */
	assert_true(pages() < before + (UINT64_C(3) << 30) / 4096);
}

static void
systems_that_never_run_are_freed(void **unused)
{
	struct tr_stats stats;
	struct kit k;
	tr_ref ref;

	(void)unused;
	for (int i = 0; i < 50; i++) {
		kit_new(&k, 1 + (unsigned)i % 3);
		ref = kit_root(&k, &host, NULL);
		for (int j = 0; j < 20; j++)
			assert_int_equal(tr_post(k.sys, ref, NOTE, &j,
					     sizeof(j)),
			    TR_OK);
		assert_int_equal(tr_stats(k.sys, &stats), TR_OK);
		assert_true(kit_balanced(&stats));
		assert_int_equal(tr_system_free(k.sys), TR_OK);
	}
	assert_int_equal(tr_system_free(NULL), TR_OK);
}

static void
there_are_63_systems_and_no_more(void **unused)
{
	struct tr_options small = { .workers = 1, .max_actors = 1024 };
	struct tr_system *sys[63], *one_more = NULL;

	(void)unused;
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 63; i++)
			assert_int_equal(tr_system_new(&sys[i], &small), TR_OK);
		assert_int_equal(tr_system_new(&one_more, &small), TR_ENOMEM);
		for (int i = 0; i < 63; i++)
			assert_int_equal(tr_system_free(sys[i]), TR_OK);
	}
}

/* ----------------------------------------------------------- options --- */

static void
options_out_of_range_are_refused(void **unused)
{
	static const struct tr_options bad[] = {
		{ .workers = 65 },
		{ .spin_ns = TR_SECONDS(1) + 1 },
		{ .max_actors = 1023 },
		{ .max_actors = (UINT32_C(1) << 26) + 1 },
		{ .max_message_bytes = (size_t)1073741824 + 1 },
		{ .blocking_threads = 257 },
	};
	static const struct tr_options good[] = {
		{ .workers = 64 },
		{ .spin_ns = TR_SECONDS(1) },
		{ .spin_ns = INT64_MIN },
		{ .max_actors = 1024 },
		{ .max_actors = UINT32_C(1) << 26 },
		{ .max_message_bytes = 1073741824 },
		{ .max_message_bytes = 1 },
		{ .blocking_threads = 256, .blocking_queue = 1 },
	};
	struct tr_system *sys;

	(void)unused;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(tr_system_new(&sys, &bad[i]), TR_EINVAL);
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(tr_system_new(&sys, &good[i]), TR_OK);
		assert_int_equal(tr_system_free(sys), TR_OK);
	}
	assert_int_equal(tr_system_new(&sys, NULL), TR_OK);
	assert_in_range(tr_system_workers(sys), 1, 64);
	assert_int_equal(tr_system_free(sys), TR_OK);
}

/* ------------------------------------------------------ before the run --- */

enum { EARLY = 1000 };

struct early {
	int started, received, wrong;
	struct tr_system *sys;
};

static int
early_start(struct tr_self *self, void *state, const void *arg)
{
	struct early *e;

	(void)kit_start_ctx(self, state, arg);
	e = kit_ctx(state);
	e->started++;
	if (tr_system_of(self) != e->sys || e->received != 0)
		e->wrong++;
	return TR_OK;
}

static int
early_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct early *e = kit_ctx(state);

	if (kit_u64(msg) != (uint64_t)e->received++ ||
	    tr_ref_valid(tr_sender(msg)))
		e->wrong++;
	return e->received == EARLY ? kit_finish(self) : TR_OK;
}

static const struct tr_behavior early = {
	.name = "early",
	.state_size = sizeof(void *),
	.start = early_start,
	.receive = early_receive,
};

static void
posts_and_spawns_before_the_run_are_kept_in_order(void **unused)
{
	struct kit k;
	tr_ref ref;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct early e = { .started = 0 };

		kit_new(&k, workers);
		e.sys = k.sys;
		ref = tr_system_spawn(k.sys, &early, &e, NULL);
		assert_true(tr_ref_valid(ref));
		for (uint64_t i = 0; i < EARLY; i++)
			assert_int_equal(tr_post(k.sys, ref, NOTE, &i,
					     sizeof(i)),
			    TR_OK);
		assert_int_equal(e.started, 0);
		kit_run(&k);
		assert_int_equal(e.started, 1);
		assert_int_equal(e.received, EARLY);
		assert_int_equal(e.wrong, 0);
	}
}

static void
a_system_stopped_before_its_run_ends_at_once(void **unused)
{
	struct kit k;
	int error = TR_OK;
	tr_ref ref;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		kit_new(&k, workers);
		ref = kit_root(&k, &kit_idler, NULL);
		assert_int_equal(tr_system_stop(k.sys, tr_forever()), TR_OK);
		assert_int_equal(tr_post(k.sys, ref, NOTE, NULL, 0),
		    TR_ESTOPPING);
		assert_false(tr_ref_valid(tr_system_spawn(k.sys, &kit_idler,
		    NULL, &(struct tr_spawn_options){ .error = &error })));
		assert_int_equal(error, TR_ESTOPPING);
		kit_run(&k);
	}
}

/* -------------------------------------------------------- run and free --- */

static void
a_system_runs_once_and_is_not_freed_meanwhile(void **unused)
{
	struct tr_stop_report report;
	struct kit k;
	int rc;

	(void)unused;
	kit_new(&k, 2);
	(void)kit_root(&k, &kit_idler, NULL);
	kit_begin(&k);
	/* It runs once a look at the counters shows a worker asleep. */
	do {
		kit_nap();
		assert_int_equal(tr_stats(k.sys, &k.stats), TR_OK);
	} while (k.stats.parks == 0);
	assert_int_equal(tr_system_free(k.sys), TR_EBUSY);
	assert_int_equal(tr_system_run(k.sys, &report), TR_EINVAL);
	assert_int_equal(tr_on_dead_letter(k.sys, NULL, NULL), TR_EBUSY);
	assert_int_equal(tr_system_stop(k.sys, tr_forever()), TR_OK);
	assert_int_equal(pthread_join(k.thread, NULL), 0);
	rc = tr_system_run(k.sys, &report);
	assert_int_equal(rc, TR_EINVAL);
	assert_int_equal(tr_post(k.sys, TR_REF_NONE, NOTE, NULL, 0),
	    TR_ESTOPPING);
	assert_int_equal(tr_system_stop(k.sys, tr_forever()), TR_OK);
	kit_end(&k);
}

/* -------------------------------------------- posting while it stops --- */

enum { POSTERS = 4, STOP_ROUNDS = 60 };

struct flood {
	struct kit k;
	tr_ref sink;
	atomic_bool go;
	atomic_ullong accepted, refused, wrong, spawned;
	atomic_ullong received, started, stopped;
};

static int
flood_start(struct tr_self *self, void *state, const void *arg)
{
	struct flood *f;

	(void)kit_start_ctx(self, state, arg);
	f = kit_ctx(state);
	atomic_fetch_add(&f->started, 1);
	return TR_OK;
}

static int
flood_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct flood *f = kit_ctx(state);

	(void)self;
	(void)msg;
	atomic_fetch_add(&f->received, 1);
	return TR_OK;
}

static void
flood_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct flood *f = kit_ctx(state);

	(void)self;
	(void)why;
	atomic_fetch_add(&f->stopped, 1);
}

static const struct tr_behavior flooded = {
	.name = "sink",
	.state_size = sizeof(void *),
	.start = flood_start,
	.receive = flood_receive,
	.stop = flood_stop,
};

/* Post and spawn until it is refused; from then on all must be. */
static void *
poster(void *arg)
{
	struct flood *f = arg;
	int rc = TR_OK, error = TR_OK;
	tr_ref child;

	for (int i = 0; rc == TR_OK; i++) {
		rc = tr_post(f->k.sys, f->sink, NOTE, &i, sizeof(i));
		if (rc == TR_OK)
			atomic_fetch_add(&f->accepted, 1);
		else if (rc != TR_ESTOPPING)
			atomic_fetch_add(&f->wrong, 1);
		if (i == 100)
			atomic_store(&f->go, true);
		if (i % 64 != 0 || rc != TR_OK)
			continue;
		child = tr_system_spawn(f->k.sys, &flooded, f,
		    &(struct tr_spawn_options){ .error = &error });
		if (tr_ref_valid(child))
			atomic_fetch_add(&f->spawned, 1);
		else if (error != TR_ESTOPPING)
			atomic_fetch_add(&f->wrong, 1);
	}
	if (tr_post(f->k.sys, f->sink, NOTE, NULL, 0) != TR_ESTOPPING)
		atomic_fetch_add(&f->wrong, 1);
	atomic_fetch_add(&f->refused, 1);
	return NULL;
}

static void
flood_round(struct flood *f, unsigned workers, uint64_t *seed)
{
	pthread_t thread[POSTERS];
	uint64_t lost;

	memset(f, 0, sizeof(*f));
	kit_new(&f->k, workers);
	f->sink = tr_system_spawn(f->k.sys, &flooded, f, NULL);
	assert_true(tr_ref_valid(f->sink));
	kit_begin(&f->k);
	for (int i = 0; i < POSTERS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, poster, f),
		    0);
	kit_spin_until(&f->go);
	for (uint64_t i = kit_below(seed, 10); i > 0; i--)
		sched_yield();
	assert_int_equal(tr_system_stop(f->k.sys, tr_forever()), TR_OK);
	for (int i = 0; i < POSTERS; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	assert_int_equal(pthread_join(f->k.thread, NULL), 0);
	kit_end(&f->k);
	assert_int_equal(f->wrong, 0);
	assert_int_equal(f->refused, POSTERS);
	/* Each accepted post was received or is among the dead letters. */
	lost = f->accepted - f->received;
	assert_true(f->received <= f->accepted);
	assert_true(kit_dead(&f->k.stats) >= lost);
	assert_int_equal(f->k.stats.spawned, f->spawned + 1);
	assert_int_equal(f->started, f->spawned + 1);
	assert_int_equal(f->stopped, f->started);
}

static void
posts_during_the_stop_are_accounted_for_or_refused(void **unused)
{
	static struct flood f;
	uint64_t seed = 11;

	(void)unused;
	for (int i = 0; i < TEST_SCALE(STOP_ROUNDS) + 3; i++)
		flood_round(&f, 1 + (unsigned)i % 4, &seed);
}

/* -------------------------------------------- several systems at once --- */

enum { SYSTEMS = 3, RALLY = 3000 };

struct court {
	struct kit k[SYSTEMS];
	tr_ref player[SYSTEMS];
	atomic_int wrong, hits;
	sem_t over;
};

struct seat {
	struct court *court;
	int number;
};

static int
seat_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	memcpy(state, arg, sizeof(struct seat));
	return TR_OK;
}

static int
seat_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct seat *seat = state;
	struct court *c = seat->court;
	int next = (seat->number + 1) % SYSTEMS;
	uint64_t hits = kit_u64(msg) + 1;

	if (tr_system_of(self) != c->k[seat->number].sys ||
	    tr_ref_valid(tr_sender(msg)))
		atomic_fetch_add(&c->wrong, 1);
	atomic_fetch_add(&c->hits, 1);
	if (hits == TEST_SCALE(RALLY))
		sem_post(&c->over);
	else if (hits < TEST_SCALE(RALLY) &&
	    tr_post(c->k[next].sys, c->player[next], BALL, &hits,
		sizeof(hits)) != TR_OK)
		atomic_fetch_add(&c->wrong, 1);
	return TR_OK;
}

static const struct tr_behavior player = {
	.name = "player",
	.state_size = sizeof(struct seat),
	.arg_size = sizeof(struct seat),
	.start = seat_start,
	.receive = seat_receive,
};

static void
several_systems_post_to_each_other(void **unused)
{
	static struct court c;
	uint64_t zero = 0;

	(void)unused;
	memset(&c, 0, sizeof(c));
	sem_init(&c.over, 0, 0);
	for (int i = 0; i < SYSTEMS; i++) {
		struct seat seat = { &c, i };

		kit_new(&c.k[i], 2);
		c.player[i] = tr_system_spawn(c.k[i].sys, &player, &seat, NULL);
		assert_true(tr_ref_valid(c.player[i]));
	}
	for (int i = 0; i < SYSTEMS; i++)
		kit_begin(&c.k[i]);
	/* One ball in each system at once. */
	for (int i = 0; i < SYSTEMS; i++)
		assert_int_equal(tr_post(c.k[i].sys, c.player[i], BALL, &zero,
				     sizeof(zero)),
		    TR_OK);
	for (int i = 0; i < SYSTEMS; i++)
		kit_await(&c.over);
	/* A ball has been played on, but who has posted it may be at it still. */
	for (int i = 0; i < SYSTEMS; i++)
		kit_halt(&c.k[i]);
	for (int i = 0; i < SYSTEMS; i++)
		kit_end(&c.k[i]);
	assert_int_equal(c.wrong, 0);
	assert_int_equal(c.hits, SYSTEMS * TEST_SCALE(RALLY));
	sem_destroy(&c.over);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(there_are_63_systems_and_no_more),
		KIT_TEST(a_thousand_systems_in_a_row_leave_nothing_behind),
		KIT_TEST(systems_that_never_run_are_freed),
		KIT_TEST(options_out_of_range_are_refused),
		KIT_TEST(posts_and_spawns_before_the_run_are_kept_in_order),
		KIT_TEST(a_system_stopped_before_its_run_ends_at_once),
		KIT_TEST(a_system_runs_once_and_is_not_freed_meanwhile),
		KIT_TEST(posts_during_the_stop_are_accounted_for_or_refused),
		KIT_TEST(several_systems_post_to_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
