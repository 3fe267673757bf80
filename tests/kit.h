/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kit.h - what the tests of the runtime share.
 *
 * A test runs a whole system: it spawns actors that record what they see in a
 * context of the test, ends it, and only then, in the main thread, asserts on
 * what was recorded.  When tr_system_run() has returned every worker was
 * joined, so plain fields that one actor wrote may be read without a lock;
 * fields that several actors write are atomic.
 *
 * Each run ends with the same questions (kit_end): was every message handled
 * or counted as dead, has every actor ended, could the system be freed.  The
 * dead letters of a run are kept, so that a test can ask what became of the
 * messages with one of its tags.
 *
 * A test that hangs is ended by an alarm; cmocka has printed its name before.
 *
 * A stress program defines KIT_STRESS before it includes this file: it gets
 * the same helpers without cmocka, and a failed check ends the program.
 */
#ifndef TESTS_KIT_H
#define TESTS_KIT_H

#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifndef KIT_STRESS
#include <cmocka.h>
#endif

#include <troupe.h>

#include "scale.h"

enum {
	KIT_LETTERS = 1024, /* dead letters kept of one run */
	KIT_ALARM_S = 60, /* after which a test has hung, plain build */
};

/* One system under test and what it left behind. */
struct kit {
	struct tr_system *sys;
	struct tr_stats stats; /* read after the run */
	struct tr_stop_report report;
	int run_rc; /* what tr_system_run() returned */
	pthread_t thread; /* when the system runs beside the test */
	pthread_mutex_t lock;
	unsigned letters; /* how many the hook was called for */
	struct tr_dead_letter letter[KIT_LETTERS];
};

#ifdef KIT_STRESS
#define KIT_CHECK(cond) \
	((cond) ? (void)0 : kit_failed(#cond, __FILE__, __LINE__))

/* A failed check of a stress program ends it. */
static inline void
kit_failed(const char *what, const char *file, int line)
{
	printf("FAILED: %s (%s:%d)\n", what, file, line);
	fflush(stdout);
	_exit(1);
}
#else
#define KIT_CHECK(cond) assert_true(cond)
#endif

/* The context that an actor started with kit_start_ctx() was given. */
static inline void *
kit_ctx(void *state)
{
	return *(void **)state;
}

/* A start function: the state is one pointer, the spawner's argument. */
static inline int
kit_start_ctx(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	*(const void **)state = arg;
	return TR_OK;
}

/* A receive function that takes everything and does nothing. */
static inline int
kit_ignore(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)self;
	(void)state;
	(void)msg;
	return TR_OK;
}

/* An actor that is only there. */
static const struct tr_behavior kit_idler = {
	.name = "idler",
	.receive = kit_ignore,
};

/* End the run from inside an actor; nobody is killed. */
static inline int
kit_finish(struct tr_self *self)
{
	return tr_system_stop(tr_system_of(self), tr_forever());
}

/* Send a message without payload. */
static inline void
kit_tell(struct tr_self *self, tr_ref to, uint32_t tag)
{
	(void)tr_send(self, to, tag, NULL, 0);
}

/* A whole, small payload, or zero. */
static inline uint64_t
kit_u64(const struct tr_msg *msg)
{
	const uint64_t *value = tr_data(msg, sizeof(*value));

	return value == NULL ? 0 : *value;
}

/* Keep a handler busy until somebody else says so. */
static inline void
kit_spin_until(const atomic_bool *flag)
{
	while (!atomic_load(flag))
		sched_yield();
}

/* Keep a handler busy for a while. */
static inline void
kit_spin_for(struct tr_self *self, int64_t ns)
{
	int64_t until = tr_now(self) + ns;

	while (tr_now(self) < until)
		continue;
}

/* Let a test thread wait a moment between two looks at a condition. */
static inline void
kit_nap(void)
{
	struct timespec ms = { .tv_nsec = 1000000 };

	nanosleep(&ms, NULL);
}

/* splitmix64: a small generator that any seed starts well. */
static inline uint64_t
kit_random(uint64_t *seed)
{
	uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* A number below `limit`. */
static inline uint64_t
kit_below(uint64_t *seed, uint64_t limit)
{
	return kit_random(seed) % limit;
}

/* Dead letters of all reasons that stand for a message. */
static inline uint64_t
kit_dead(const struct tr_stats *stats)
{
	uint64_t sum = 0;

	for (int i = 0; i < TR_DEAD_REASONS; i++)
		if (i != TR_DEAD_UNHANDLED)
			sum += stats->dead[i];
	return sum;
}

/* Nothing was lost: the equation of struct tr_stats. */
static inline bool
kit_balanced(const struct tr_stats *stats)
{
	return stats->sent == stats->handled + kit_dead(stats) + stats->queued;
}

static inline void
kit_print_stats(const struct tr_stats *stats)
{
	printf("  sent %" PRIu64 " handled %" PRIu64 " queued %" PRIu64 " dead",
	    stats->sent, stats->handled, stats->queued);
	for (int i = 0; i < TR_DEAD_REASONS; i++)
		printf(" %" PRIu64, stats->dead[i]);
	printf(" spawned %" PRIu64 " ended %" PRIu64 " failed %" PRIu64
	       " steals %" PRIu64 " parks %" PRIu64 "\n",
	    stats->spawned, stats->ended, stats->failed, stats->steals,
	    stats->parks);
	fflush(stdout);
}

/* The dead-letter hook of every run. */
static inline void
kit_on_dead_letter(const struct tr_dead_letter *letter, void *ctx)
{
	struct kit *k = ctx;

	pthread_mutex_lock(&k->lock);
	if (k->letters < KIT_LETTERS)
		k->letter[k->letters] = *letter;
	k->letters++;
	pthread_mutex_unlock(&k->lock);
}

/* How many letters with this reason and tag the hook was called for. */
static inline unsigned
kit_letters(struct kit *k, enum tr_dead_reason reason, uint32_t tag)
{
	unsigned n = k->letters < KIT_LETTERS ? k->letters : KIT_LETTERS;
	unsigned found = 0;

	for (unsigned i = 0; i < n; i++)
		if (k->letter[i].reason == reason && k->letter[i].tag == tag)
			found++;
	return found;
}

/* The same for a message that went astray, whatever the reason. */
static inline unsigned
kit_letters_of(struct kit *k, uint32_t tag)
{
	unsigned found = 0;

	for (int i = 0; i < TR_DEAD_REASONS; i++)
		if (i != TR_DEAD_UNHANDLED)
			found += kit_letters(k, (enum tr_dead_reason)i, tag);
	return found;
}

/* Make the system of a run; the hook is the kit's. */
static inline void
kit_new_with(struct kit *k, struct tr_options options)
{
	memset(k, 0, sizeof(*k));
	pthread_mutex_init(&k->lock, NULL);
	options.on_dead_letter = kit_on_dead_letter;
	options.hook_ctx = k;
	KIT_CHECK(tr_system_new(&k->sys, &options) == TR_OK);
}

static inline void
kit_new(struct kit *k, unsigned workers)
{
	kit_new_with(k, (struct tr_options){ .workers = workers });
}

/* Spawn a test's root: it stays on worker 0. */
static inline tr_ref
kit_root(struct kit *k, const struct tr_behavior *behavior, const void *arg)
{
	tr_ref root = tr_system_spawn(k->sys, behavior, arg,
	    &(struct tr_spawn_options){ .placement = TR_PLACE_PINNED });

	KIT_CHECK(tr_ref_valid(root));
	return root;
}

/* Whose handlers a run has left behind. */
static inline void
kit_print_left(const struct tr_stop_report *report)
{
	for (uint64_t i = 0; i < report->left && i < TR_LEFT_MAX; i++)
		printf("  left: %s, tag %u, for %" PRId64 " us\n",
		    report->left_at[i].behavior, report->left_at[i].tag,
		    report->left_at[i].running_ns / 1000);
	fflush(stdout);
}

/* What must be true after each run that left no handler behind. */
static inline void
kit_end(struct kit *k)
{
	if (k->run_rc != TR_OK)
		kit_print_left(&k->report);
	KIT_CHECK(k->run_rc == TR_OK);
	KIT_CHECK(tr_stats(k->sys, &k->stats) == TR_OK);
	if (!kit_balanced(&k->stats) || k->stats.queued != 0 ||
	    k->stats.actors != 0)
		kit_print_stats(&k->stats);
	KIT_CHECK(kit_balanced(&k->stats));
	KIT_CHECK(k->stats.queued == 0);
	KIT_CHECK(k->stats.actors == 0);
	KIT_CHECK(k->stats.spawned == k->stats.ended);
	KIT_CHECK(k->report.left == 0);
	KIT_CHECK(tr_system_free(k->sys) == TR_OK);
	pthread_mutex_destroy(&k->lock);
}

/* Run on this thread until an actor ends the run. */
static inline void
kit_run(struct kit *k)
{
	k->run_rc = tr_system_run(k->sys, &k->report);
	kit_end(k);
}

/* The usual test: a root, everything that it starts, and the end. */
static inline void
kit_play(struct kit *k, unsigned workers, const struct tr_behavior *behavior,
    const void *arg)
{
	kit_new(k, workers);
	(void)kit_root(k, behavior, arg);
	kit_run(k);
}

static inline void *
kit_thread(void *arg)
{
	struct kit *k = arg;

	k->run_rc = tr_system_run(k->sys, &k->report);
	return NULL;
}

/* Run on a thread of its own, the test goes on. */
static inline void
kit_begin(struct kit *k)
{
	KIT_CHECK(pthread_create(&k->thread, NULL, kit_thread, k) == 0);
}

/* Stop what kit_begin() started, until all its threads have ended. */
static inline void
kit_halt(struct kit *k)
{
	KIT_CHECK(tr_system_stop(k->sys, tr_forever()) == TR_OK);
	KIT_CHECK(pthread_join(k->thread, NULL) == 0);
}

/* The same, and ask the questions, and free it. */
static inline void
kit_stop(struct kit *k)
{
	kit_halt(k);
	kit_end(k);
}

/* Wait for what an actor tells the test. */
static inline void
kit_await(sem_t *sem)
{
	while (sem_wait(sem) != 0)
		KIT_CHECK(errno == EINTR);
}

/* Sanitizers are slow: five times longer until a test counts as hung. */
static inline void
kit_watchdog(void)
{
	(void)alarm(TEST_SCALE(60) == 60 ? KIT_ALARM_S : 5 * KIT_ALARM_S);
}

#ifdef KIT_STRESS
/* Read the arguments of a stress program: workers and seed. */
static inline unsigned
kit_stress_args(int argc, char **argv, uint64_t *seed)
{
	unsigned long workers = argc > 1 ? strtoul(argv[1], NULL, 10) : 2;

	*seed = argc > 2 ? strtoull(argv[2], NULL, 0) :
			   (uint64_t)time(NULL) ^ ((uint64_t)getpid() << 32);
	printf("%s: %lu workers, seed %" PRIu64 "\n", argv[0], workers, *seed);
	fflush(stdout);
	kit_watchdog();
	return (unsigned)workers;
}
#else
static inline int
kit_setup(void **unused)
{
	(void)unused;
	kit_watchdog();
	return 0;
}

static inline int
kit_teardown(void **unused)
{
	(void)unused;
	(void)alarm(0);
	return 0;
}

/* An entry of a cmocka test table, guarded by the alarm. */
#define KIT_TEST(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)
#endif

#endif /* TESTS_KIT_H */
