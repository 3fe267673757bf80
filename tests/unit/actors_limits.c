/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Limits: address space, threads, descriptors, slots, records, generations.
 * docs/limits.md names these tests.
 *
 * What limits the whole process is tried in a child, so that an end of the
 * process is a failure of one test.
 */
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "rig_faults.h"

enum { NOTE, CHECK, END, SLOTS_MIN = 1 << 16, SKIP = 77 };

/* An actor that ends when it is told anything. */
static int
mortal_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	(void)msg;
	return tr_exit(self, TR_NORMAL);
}

static const struct tr_behavior mortal = {
	.name = "mortal",
	.receive = mortal_receive,
};

/* ------------------------------------------------------- in a child ----- */

/* Its exit code; or, negative, the signal that ended it. */
static int
in_child(int (*fn)(void))
{
	int status = 0;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		kit_watchdog();
		_exit(fn());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static bool
limit_to(__rlimit_resource_t what, rlim_t n)
{
	struct rlimit limit;

	if (getrlimit(what, &limit) != 0)
		return false;
	limit.rlim_cur = n;
	return setrlimit(what, &limit) == 0;
}

/* ---------------------------------------------------- address space ----- */

/* What the larger of the two tables, the actors', takes for so many. */
static size_t
space_for(uint32_t n)
{
	struct tr_options options = { .workers = 1, .max_actors = n };
	struct tr_system *sys;
	size_t space;

	assert_int_equal(tr_system_new(&sys, &options), TR_OK);
	assert_int_equal(sys->actors.max, n);
	assert_true(sys->actors.bytes > sys->records.bytes);
	space = sys->actors.bytes;
	assert_int_equal(tr_system_free(sys), TR_OK);
	return space;
}

static void
tables_are_halved_while_address_space_is_refused(void **unused)
{
	struct tr_options options = { .workers = 1, .max_actors = 1 << 20 };
	struct tr_system *sys;
	uint32_t n;

	(void)unused;
	for (n = 1 << 20; n >= SLOTS_MIN; n /= 2) {
		faults_begin();
		atomic_store(&faults.reserve_most, space_for(n));
		sys = faults_system_made(&options);
		assert_int_equal(sys->actors.max, n);
		assert_in_range(sys->records.max, n, 2 * n);
		assert_true(
		    tr_ref_valid(tr_system_spawn(sys, &mortal, NULL, NULL)));
		assert_int_equal(tr_system_free(sys), TR_OK);
		faults_over();
	}
	faults_begin();
	atomic_store(&faults.reserve_most, space_for(SLOTS_MIN) - 1);
	assert_int_equal(faults_system(&sys, &options), TR_ENOMEM);
	faults_over();
}

static void
a_reservation_refused_once_only_halves(void **unused)
{
	struct tr_options options = { .workers = 1, .max_actors = 1 << 20 };
	struct tr_system *sys;
	unsigned halved = 0;

	(void)unused;
	/* Actors; records. */
	for (unsigned long k = 1; k <= 2; k++) {
		faults_begin();
		faults_refuse(FAULT_RESERVE, k, 1);
		sys = faults_system_made(&options);
		halved += sys->actors.max == 1 << 19;
		halved += sys->records.max == 1 << 19;
		assert_int_equal(tr_system_free(sys), TR_OK);
		faults_over();
	}
	assert_int_equal(halved, 2);
}

static size_t
address_space(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	unsigned long pages = 0;

	if (file == NULL || fscanf(file, "%lu", &pages) != 1)
		pages = 0;
	if (file != NULL)
		fclose(file);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static int
crowd_start(struct tr_self *self, void *state, const void *arg)
{
	(void)state;
	(void)arg;
	for (int i = 0; i < 1000; i++)
		if (!tr_ref_valid(tr_spawn(self, &mortal, NULL, NULL)))
			return TR_ENOMEM;
	return kit_finish(self);
}

static const struct tr_behavior crowd = {
	.name = "crowd",
	.start = crowd_start,
	.receive = kit_ignore,
};

/* One system with so much room; what its table got, 0: refused.  A second
 * worker's thread may not get its stack. */
static uint32_t
space_try(size_t before, size_t room, unsigned workers, int *wrong)
{
	struct tr_options options = { .workers = workers };
	struct tr_system *sys;
	struct tr_stats stats;
	uint32_t max;
	int rc;

	if (!limit_to(RLIMIT_AS, before + room))
		*wrong = 10;
	rc = tr_system_new(&sys, &options);
	if (rc != TR_OK) {
		if (rc != TR_ENOMEM || sys != NULL)
			*wrong = 11;
		return 0;
	}
	max = sys->actors.max;
	if (!tr_ref_valid(tr_system_spawn(sys, &crowd, NULL, NULL)))
		*wrong = 12;
	rc = tr_system_run(sys, NULL);
	if (rc != TR_OK && (workers == 1 || rc != -EAGAIN))
		*wrong = 15;
	if (tr_stats(sys, &stats) != TR_OK || stats.ended != stats.spawned)
		*wrong = 13;
	if (tr_system_free(sys) != TR_OK)
		*wrong = 14;
	return max;
}

/* What malloc and the C library may keep: the stack and the arena of a thread
 * that has ended. */
static const size_t space_kept = (size_t)160 << 20;

/* Room for everything, then three quarters of it, and so on. */
static int
child_without_space(void)
{
	size_t room = (size_t)40 << 30, before = address_space();
	unsigned whole = 0, halved = 0, refused = 0;
	int wrong = 0;

	for (; room > (size_t)1 << 20 && wrong == 0; room -= room / 4) {
		uint32_t max = space_try(before, room, 1, &wrong);

		whole += max == 1 << 24;
		halved += max != 0 && max < 1 << 24;
		refused += max == 0;
		if (max != 0 && max < SLOTS_MIN)
			wrong = 20;
		(void)space_try(before, room, 2, &wrong);
		/* malloc may keep something, tables may not. */
		if (address_space() > before + space_kept)
			wrong = 21;
	}
	if (wrong == 0 && (whole == 0 || halved == 0 || refused == 0))
		wrong = 22;
	return wrong;
}

static void
with_little_address_space_a_system_is_smaller_or_refused(void **unused)
{
	(void)unused;
#if defined(TEST_TSAN) || defined(TEST_ASAN)
	skip(); /* the sanitizers take address space without end */
#endif
	assert_int_equal(in_child(child_without_space), 0);
}

/* ------------------------------------------------------------ threads --- */

static unsigned stopped;

static void
count_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)self;
	(void)state;
	if (why->code == TR_KILLED)
		stopped++;
}

static const struct tr_behavior counted = {
	.name = "counted",
	.receive = kit_ignore,
	.stop = count_stop,
};

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
	(void)arg;
	return tr_exit(self, outcome);
}

static const struct tr_job job = { job_work, job_done, NULL };

static int
offload_start(struct tr_self *self, void *state, const void *arg)
{
	(void)state;
	(void)arg;
	return tr_offload_blocking(self, &job, NULL, tr_forever(), NULL);
}

static const struct tr_behavior offload = {
	.name = "offload",
	.start = offload_start,
	.receive = kit_ignore,
};

static void *
no_thread(void *arg)
{
	return arg;
}

static int
run_without_threads(void)
{
	static const char large[100000];
	struct tr_options options = { .workers = 4, .max_actors = 1024 };
	struct tr_stop_report report;
	struct tr_stats stats;
	struct tr_system *sys;
	tr_ref ref[8];

	if (tr_system_new(&sys, &options) != TR_OK)
		return 1;
	for (unsigned i = 0; i < 8; i++) {
		ref[i] = tr_system_spawn(sys, &counted, NULL,
		    &(struct tr_spawn_options){
			.placement = TR_PLACE_WORKER,
			.worker = i % 4,
		    });
		if (tr_post(sys, ref[i], NOTE, large, sizeof(large)) != TR_OK)
			return 2;
	}
	if (tr_system_run(sys, &report) != -EAGAIN)
		return 3;
	if (stopped != 8 || report.killed != 8 || report.left != 0)
		return 4;
	if (tr_stats(sys, &stats) != TR_OK || !kit_balanced(&stats) ||
	    stats.dead[TR_DEAD_CLOSED] != 8)
		return 5;
	if (tr_system_run(sys, NULL) != TR_EINVAL)
		return 6;
	return tr_system_free(sys) == TR_OK ? 0 : 7;
}

static int
child_without_threads(void)
{
	struct tr_options one = { .workers = 1, .max_actors = 1024 };
	struct rlimit none = { 0, 0 };
	pthread_t thread;
	int rc;

	/* The limit is none for root. */
	if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0)
		return SKIP;
	if (setrlimit(RLIMIT_NPROC, &none) != 0)
		return SKIP;
	if (pthread_create(&thread, NULL, no_thread, NULL) == 0)
		return SKIP;
	rc = run_without_threads();
	if (rc != 0)
		return rc;
	return tr_run(&offload, NULL, &one) == TR_ENOMEM ? 0 : 8;
}

static void
without_threads_a_run_fails_and_an_offload_is_refused(void **unused)
{
	int rc;

	(void)unused;
	rc = in_child(child_without_threads);
	if (rc == SKIP)
		skip(); /* somebody whom the limit does not concern */
	assert_int_equal(rc, 0);
}

/* -------------------------------------------------------- descriptors --- */

/* What the process may still open, with the limit at n. */
static unsigned
descriptors_free(void)
{
	int fd[64];
	unsigned n = 0;

	while (n < 64 && (fd[n] = epoll_create1(EPOLL_CLOEXEC)) >= 0)
		n++;
	for (unsigned i = 0; i < n; i++)
		close(fd[i]);
	return n;
}

static int
busy_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	if (tr_tag(msg) == NOTE)
		return tr_after(self, TR_MS(1), END, 0) == 0 ? TR_ENOMEM :
							       TR_OK;
	return kit_finish(self);
}

static const struct tr_behavior busy = {
	.name = "busy",
	.receive = busy_receive,
};

/* With no descriptor left a system runs, but watches no signal. */
static int
run_without_descriptors(struct tr_system *sys)
{
	tr_ref ref = tr_system_spawn(sys, &busy, NULL, NULL);

	if (descriptors_free() != 0)
		return 30;
	if (tr_signal_send(sys, SIGUSR1, ref, NOTE) != -EMFILE)
		return 31;
	if (tr_post(sys, ref, NOTE, NULL, 0) != TR_OK ||
	    tr_system_run(sys, NULL) != TR_OK)
		return 32;
	return tr_system_free(sys) == TR_OK ? 0 : 33;
}

static int
child_without_descriptors(void)
{
	struct tr_options options = { .workers = 2, .max_actors = 1024 };
	struct tr_system *sys;
	unsigned refused = 0, free;
	rlim_t n = 0;
	int rc;

	for (;; n++) {
		if (!limit_to(RLIMIT_NOFILE, n))
			return 1;
		rc = tr_system_new(&sys, &options);
		if (rc == TR_OK)
			break;
		if (rc != TR_ENOMEM || n > 1000)
			return 2;
		/* What the test inherited may lie anywhere below n. */
		free = descriptors_free();
		if (free > refused)
			refused = free;
	}
	/* Three for a worker: five free ones are not enough. */
	if (refused != 5)
		return 3;
	rc = run_without_descriptors(sys);
	return rc == 0 && descriptors_free() != 6 ? 4 : rc;
}

static void
without_descriptors_a_system_is_refused(void **unused)
{
	(void)unused;
	assert_int_equal(in_child(child_without_descriptors), 0);
}

/* -------------------------------------------------------------- slots --- */

static void *
run_main(void *arg)
{
	return tr_system_run(arg, NULL) == TR_OK ? arg : NULL;
}

static void
a_halved_table_gives_out_each_of_its_slots(void **unused)
{
	struct tr_options options = { .workers = 1, .max_actors = 1 << 20 };
	int error = TR_OK;
	struct tr_spawn_options o = { .error = &error };
	struct tr_system *sys;
	pthread_t thread;
	uint32_t n = 0;
	tr_ref ref, last = TR_REF_NONE;
	void *ran;

	(void)unused;
	faults_begin();
	atomic_store(&faults.reserve_most, space_for(SLOTS_MIN));
	sys = faults_system_made(&options);
	for (;;) {
		ref = tr_system_spawn(sys, &mortal, NULL, &o);
		if (!tr_ref_valid(ref))
			break;
		last = ref;
		n++;
	}
	assert_in_range(n, SLOTS_MIN, 2 * SLOTS_MIN);
	assert_int_equal(n, sys->actors.max);
	assert_int_equal(error, TR_ENOMEM);
	/* One ends, one is born. */
	assert_int_equal(pthread_create(&thread, NULL, run_main, sys), 0);
	assert_int_equal(tr_post(sys, last, NOTE, NULL, 0), TR_OK);
	while (!tr_ref_valid(tr_system_spawn(sys, &mortal, NULL, &o))) {
		assert_int_equal(error, TR_ENOMEM);
		kit_nap();
	}
	assert_false(tr_ref_valid(tr_system_spawn(sys, &mortal, NULL, &o)));
	assert_int_equal(tr_system_stop(sys, tr_forever()), TR_OK);
	assert_int_equal(pthread_join(thread, &ran), 0);
	assert_non_null(ran);
	assert_int_equal(tr_system_free(sys), TR_OK);
	faults_over();
}

/* ------------------------------------------------------------ records --- */

static int
armed_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	(void)self;
	(void)state;
	(void)outcome;
	(void)answer;
	(void)cookie;
	return TR_EINVAL; /* never: the asker ends in this turn */
}

static int
armed_start(struct tr_self *self, void *state, const void *arg)
{
	uint32_t n = 0;
	tr_timer first = 0, timer;

	(void)state;
	(void)arg;
	while ((timer = tr_after(self, TR_SECONDS(1000), NOTE, 0)) != 0) {
		if (n++ == 0)
			first = timer;
	}
	assert_int_equal(n, SLOTS_MIN);
	/* Others of the same kind are refused as well; one for one. */
	assert_true(tr_ask(self, tr_self_ref(self), NOTE, NULL, 0, tr_forever(),
			armed_answer, 0) == 0);
	assert_int_equal(tr_offload_blocking(self, &job, NULL, tr_forever(),
			     NULL),
	    TR_ENOMEM);
	assert_int_equal(tr_timer_cancel(self, first), TR_OK);
	assert_true(tr_ask(self, tr_self_ref(self), NOTE, NULL, 0, tr_forever(),
			armed_answer, 0) != 0);
	assert_true(tr_after(self, TR_SECONDS(1000), NOTE, 0) == 0);
	return tr_exit(self, TR_NORMAL);
}

static const struct tr_behavior armed = {
	.name = "armed",
	.start = armed_start,
	.receive = kit_ignore,
};

static void
timers_asks_and_offloads_share_65536_records_at_least(void **unused)
{
	(void)unused;
	assert_int_equal(tr_run(&armed, NULL,
			     &(struct tr_options){ .workers = 1,
				 .max_actors = 1024 }),
	    TR_OK);
}

/* -------------------------------------------------------- generations --- */

struct ages {
	tr_ref child; /* the newest in the slot */
	tr_ref oldest;
	uint32_t slot;
	unsigned step, elsewhere;
	uint64_t ended; /* as many have to have */
};

static uint32_t
count_of(tr_ref ref)
{
	return tri_ref_generation(ref) & TRI_COUNT_MASK;
}

/* The next actor in the slot, which is what this worker uses next. */
static void
ages_next(struct tr_self *self, struct ages *g)
{
	for (int i = 0; i < 1000; i++) {
		g->child = tr_spawn(self, &mortal, NULL, NULL);
		assert_true(tr_ref_valid(g->child));
		if (tri_ref_slot(g->child) == g->slot)
			break;
	}
	assert_int_equal(tri_ref_slot(g->child), g->slot);
	g->ended++;
	kit_tell(self, g->child, END);
}

/* The slot is used up: nobody gets it, and all its references are dead. */
static int
ages_over(struct tr_self *self, struct ages *g)
{
	tr_ref zero = tri_ref_make(g->slot,
	    tri_ref_generation(g->child) & ~(uint32_t)TRI_COUNT_MASK);

	for (int i = 0; i < 500; i++)
		g->elsewhere += tri_ref_slot(tr_spawn(self, &mortal, NULL,
				    NULL)) != g->slot;
	assert_int_equal(g->elsewhere, 500);
	assert_int_equal(tr_try_send(self, g->child, NOTE, NULL, 0), TR_EDEAD);
	assert_int_equal(tr_try_send(self, g->oldest, NOTE, NULL, 0), TR_EDEAD);
	assert_int_equal(tr_try_send(self, zero, NOTE, NULL, 0), TR_EDEAD);
	assert_int_equal(tr_kill(self, zero), TR_OK);
	return kit_finish(self);
}

static int
ages_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct ages *g = kit_ctx(state);
	struct tr_system *sys = tr_system_of(self);
	struct tr_stats stats;
	struct tr_self *cell = tri_cell(sys, g->slot);

	(void)msg;
	if (g->step == 3)
		return TR_OK;
	kit_tell(self, tr_self_ref(self), CHECK);
	assert_int_equal(tr_stats(sys, &stats), TR_OK);
	if (stats.ended < g->ended)
		return TR_OK;
	if (g->step == 0) {
		/* Almost 2^26 actors later. */
		uint32_t generation = (uint32_t)tri_load_relaxed(&cell->ident);

		g->oldest = g->child;
		tri_store_release(&cell->ident,
		    (uint64_t)((generation | TRI_COUNT_MASK) - 1));
	}
	if (g->step > 0)
		assert_int_equal(count_of(g->child),
		    TRI_COUNT_MASK - 2 + (int)g->step);
	if (++g->step == 3)
		return ages_over(self, g);
	ages_next(self, g);
	return TR_OK;
}

static int
ages_start(struct tr_self *self, void *state, const void *arg)
{
	struct ages *g;

	(void)kit_start_ctx(self, state, arg);
	g = kit_ctx(state);
	g->child = tr_spawn(self, &mortal, NULL, NULL);
	g->slot = tri_ref_slot(g->child);
	g->ended = 1;
	kit_tell(self, g->child, END);
	kit_tell(self, tr_self_ref(self), CHECK);
	return TR_OK;
}

static const struct tr_behavior ages_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = ages_start,
	.receive = ages_receive,
};

static void
a_slot_whose_generations_are_used_up_is_retired(void **unused)
{
	struct ages g = { .step = 0 };
	struct kit k;

	(void)unused;
	kit_play(&k, 1, &ages_root, &g);
	assert_int_equal(g.step, 3);
	assert_int_equal(g.elsewhere, 500);
}

/* --------------------------------------------------------------- sizes -- */

static void
states_and_arguments_past_the_limit_are_refused(void **unused)
{
	const struct tr_behavior fits = { .receive = kit_ignore,
		.arg_size = 1000 };
	const struct tr_behavior too_large[] = {
		{ .receive = kit_ignore, .arg_size = 1001 },
		{ .receive = kit_ignore, .arg_size = SIZE_MAX },
		{ .receive = kit_ignore, .state_size = ((size_t)1 << 30) + 1 },
		{ .receive = kit_ignore, .state_size = SIZE_MAX },
	};
	struct tr_options options = { .workers = 1, .max_message_bytes = 1000 };
	int error = TR_OK;
	struct tr_spawn_options o = { .error = &error };
	struct tr_system *sys;

	(void)unused;
	assert_int_equal(tr_system_new(&sys, &options), TR_OK);
	assert_true(tr_ref_valid(tr_system_spawn(sys, &fits, NULL, &o)));
	for (size_t i = 0; i < sizeof(too_large) / sizeof(*too_large); i++) {
		error = TR_OK;
		assert_false(tr_ref_valid(
		    tr_system_spawn(sys, &too_large[i], NULL, &o)));
		assert_int_equal(error, TR_EINVAL);
	}
	assert_int_equal(tr_system_free(sys), TR_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(tables_are_halved_while_address_space_is_refused),
		KIT_TEST(a_reservation_refused_once_only_halves),
		KIT_TEST(
		    with_little_address_space_a_system_is_smaller_or_refused),
		KIT_TEST(without_threads_a_run_fails_and_an_offload_is_refused),
		KIT_TEST(without_descriptors_a_system_is_refused),
		KIT_TEST(a_halved_table_gives_out_each_of_its_slots),
		KIT_TEST(timers_asks_and_offloads_share_65536_records_at_least),
		KIT_TEST(states_and_arguments_past_the_limit_are_refused),
		KIT_TEST(a_slot_whose_generations_are_used_up_is_retired),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
