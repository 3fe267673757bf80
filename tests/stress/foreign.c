/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * foreign: threads that are not the system's post and spawn, also while it
 * stops.
 *
 * In each round some threads post to shared sinks and spawn sinks of their
 * own until the system refuses.  Every accepted post was received or is a
 * counted dead letter, a thread's posts arrive in order, every accepted spawn
 * is started and stopped once.
 */
#define KIT_STRESS
#include "kit.h"

enum {
	ROUNDS = TEST_SCALE(30) + 10,
	THREADS = 4,
	SINKS = 3,
	POSTS = 2000, /* of one thread until the stop may begin */
};

enum { ITEM };

struct item {
	uint32_t from, number;
};

struct sink {
	uint32_t next[THREADS + 1]; /* the least number that may come */
	uint64_t received;
};

struct round {
	struct kit k;
	tr_ref ref[SINKS];
	struct sink sink[SINKS];
	atomic_int ready;
	atomic_ullong accepted, received, spawned, started, stopped;
};

struct thread {
	struct round *round;
	uint32_t index;
	uint64_t seed;
	pthread_t id;
};

static int
sink_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const struct item *item = tr_data(msg, sizeof(*item));
	struct sink *sink = kit_ctx(state);

	(void)self;
	KIT_CHECK(item != NULL && item->from < THREADS);
	KIT_CHECK(item->number >= sink->next[item->from]);
	sink->next[item->from] = item->number + 1;
	sink->received++;
	return TR_OK;
}

static const struct tr_behavior sink_behavior = {
	.name = "sink",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = sink_receive,
};

/* A sink of one thread only: gets one message, answers nobody. */
static int
own_start(struct tr_self *self, void *state, const void *arg)
{
	struct round *r;

	(void)kit_start_ctx(self, state, arg);
	r = kit_ctx(state);
	atomic_fetch_add(&r->started, 1);
	return TR_OK;
}

static int
own_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct round *r = kit_ctx(state);

	(void)msg;
	atomic_fetch_add(&r->received, 1);
	return tr_exit(self, TR_NORMAL);
}

static void
own_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct round *r = kit_ctx(state);

	(void)self;
	(void)why;
	atomic_fetch_add(&r->stopped, 1);
}

static const struct tr_behavior own_behavior = {
	.name = "own",
	.state_size = sizeof(void *),
	.start = own_start,
	.receive = own_receive,
	.stop = own_stop,
};

static bool
post(struct thread *t, tr_ref to, uint32_t number)
{
	struct item item = { t->index, number };
	int rc = tr_post(t->round->k.sys, to, ITEM, &item, sizeof(item));

	KIT_CHECK(rc == TR_OK || rc == TR_ESTOPPING);
	if (rc == TR_OK)
		atomic_fetch_add(&t->round->accepted, 1);
	return rc == TR_OK;
}

static bool
spawn(struct thread *t, uint32_t number)
{
	struct round *r = t->round;
	int error = TR_OK;
	tr_ref ref = tr_system_spawn(r->k.sys, &own_behavior, r,
	    &(struct tr_spawn_options){ .error = &error });

	if (!tr_ref_valid(ref)) {
		KIT_CHECK(error == TR_ESTOPPING);
		return false;
	}
	atomic_fetch_add(&r->spawned, 1);
	return post(t, ref, number);
}

static void *
thread_main(void *arg)
{
	struct thread *t = arg;
	bool accepted = true;

	for (uint32_t i = 0; accepted; i++) {
		if (i % 50 == 49)
			accepted = spawn(t, i);
		else
			accepted = post(t,
			    t->round->ref[kit_below(&t->seed, SINKS)], i);
		if (i == POSTS)
			atomic_fetch_add(&t->round->ready, 1);
	}
	/* Once refused, always refused. */
	KIT_CHECK(!post(t, t->round->ref[0], 0));
	KIT_CHECK(!spawn(t, 0));
	return NULL;
}

static uint64_t
play_round(struct round *r, unsigned workers, uint64_t *seed)
{
	struct thread thread[THREADS];
	uint64_t received = 0, wait = kit_below(seed, THREADS + 1);

	memset(r, 0, sizeof(*r));
	kit_new(&r->k, workers);
	for (int i = 0; i < SINKS; i++)
		r->ref[i] = tr_system_spawn(r->k.sys, &sink_behavior,
		    &r->sink[i], NULL);
	kit_begin(&r->k);
	for (uint32_t i = 0; i < THREADS; i++) {
		thread[i] = (struct thread){ .round = r,
			.index = i,
			.seed = kit_random(seed) };
		KIT_CHECK(pthread_create(&thread[i].id, NULL, thread_main,
			      &thread[i]) == 0);
	}
	while ((uint64_t)atomic_load(&r->ready) < wait)
		sched_yield();
	KIT_CHECK(tr_system_stop(r->k.sys, tr_forever()) == TR_OK);
	for (int i = 0; i < THREADS; i++)
		KIT_CHECK(pthread_join(thread[i].id, NULL) == 0);
	KIT_CHECK(pthread_join(r->k.thread, NULL) == 0);
	kit_end(&r->k);
	for (int i = 0; i < SINKS; i++)
		received += r->sink[i].received;
	received += r->received;
	KIT_CHECK(received <= r->accepted);
	KIT_CHECK(kit_dead(&r->k.stats) >= r->accepted - received);
	KIT_CHECK(r->k.stats.spawned == r->spawned + SINKS);
	KIT_CHECK(r->started == r->spawned);
	KIT_CHECK(r->stopped == r->spawned);
	return r->accepted;
}

int
main(int argc, char **argv)
{
	static struct round round;
	uint64_t seed, posts = 0;
	unsigned workers = kit_stress_args(argc, argv, &seed);

	for (int i = 0; i < ROUNDS; i++)
		posts += play_round(&round, workers, &seed);
	printf("foreign: %d rounds, %" PRIu64 " accepted posts, each received "
	       "or counted, in order\n",
	    ROUNDS, posts);
	kit_print_stats(&round.k.stats);
	return 0;
}
