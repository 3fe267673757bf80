/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * between: four systems in one process that post to each other.
 *
 * Each is foreign to the others.  Actors post to sinks of the other systems
 * while these are stopped one after the other; whoever is refused once is
 * refused ever after.  A sender's items arrive in order, and over all systems
 * each accepted post is received or a counted dead letter.
 */
#define KIT_STRESS
#include "kit.h"

enum {
	SYSTEMS = 4,
	SENDERS = 3, /* of each system */
	SINKS = 2,
	BURST = 20, /* posts of a turn */
	POSTS = TEST_SCALE(40000), /* of a sender, at most */
	ROUNDS = TEST_SCALE(40) + 2,
};

enum { GO, ITEM };

struct item {
	uint32_t system, sender, number;
};

struct sink {
	uint32_t next[SYSTEMS][SENDERS]; /* the least that may come */
	uint64_t received;
};

struct land {
	struct kit k;
	tr_ref ref[SINKS];
	struct sink sink[SINKS];
	atomic_ullong accepted; /* posts from elsewhere */
	atomic_ullong gone; /* messages of its own */
};

struct sender {
	uint32_t system, index, number, posts;
	uint64_t seed;
	bool refused[SYSTEMS];
};

static struct land lands[SYSTEMS];
static atomic_ullong posted;

static int
sink_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const struct item *item = tr_data(msg, sizeof(*item));
	struct sink *sink = kit_ctx(state);
	uint32_t *next;

	(void)self;
	KIT_CHECK(tr_tag(msg) == ITEM && item != NULL);
	KIT_CHECK(!tr_ref_valid(tr_sender(msg)));
	next = &sink->next[item->system][item->sender];
	KIT_CHECK(item->number >= *next);
	*next = item->number + 1;
	sink->received++;
	return TR_OK;
}

static const struct tr_behavior sink_behavior = {
	.name = "sink",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = sink_receive,
};

static void
sender_post(struct sender *s)
{
	unsigned other =
	    (s->system + 1 + (unsigned)kit_below(&s->seed, SYSTEMS - 1)) %
	    SYSTEMS;
	struct land *land = &lands[other];
	struct item item = { s->system, s->index, s->number++ };
	int rc = tr_post(land->k.sys, land->ref[kit_below(&s->seed, SINKS)],
	    ITEM, &item, sizeof(item));

	KIT_CHECK(rc == (s->refused[other] ? TR_ESTOPPING : rc));
	KIT_CHECK(rc == TR_OK || rc == TR_ESTOPPING);
	if (rc == TR_OK)
		atomic_fetch_add(&land->accepted, 1);
	s->refused[other] = rc != TR_OK;
	atomic_fetch_add(&posted, 1);
}

static int
sender_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct sender *s = state;

	(void)msg;
	for (int i = 0; i < BURST; i++)
		sender_post(s);
	s->posts += BURST;
	if (s->posts >= POSTS)
		return TR_OK;
	atomic_fetch_add(&lands[s->system].gone, 1);
	return tr_send(self, tr_self_ref(self), GO, NULL, 0);
}

static int
sender_start(struct tr_self *self, void *state, const void *arg)
{
	struct sender *s = state;

	memcpy(s, arg, sizeof(*s));
	atomic_fetch_add(&lands[s->system].gone, 1);
	return tr_send(self, tr_self_ref(self), GO, NULL, 0);
}

static const struct tr_behavior sender_behavior = {
	.name = "sender",
	.state_size = sizeof(struct sender),
	.arg_size = sizeof(struct sender),
	.start = sender_start,
	.receive = sender_receive,
};

static void
lands_begin(unsigned workers, uint64_t *seed)
{
	memset(lands, 0, sizeof(lands));
	atomic_store(&posted, 0);
	for (uint32_t i = 0; i < SYSTEMS; i++) {
		kit_new(&lands[i].k, workers);
		for (int k = 0; k < SINKS; k++)
			lands[i].ref[k] = tr_system_spawn(lands[i].k.sys,
			    &sink_behavior, &lands[i].sink[k], NULL);
	}
	for (uint32_t i = 0; i < SYSTEMS * SENDERS; i++) {
		struct sender s = { .system = i % SYSTEMS,
			.index = i / SYSTEMS,
			.seed = kit_random(seed) };

		KIT_CHECK(tr_ref_valid(tr_system_spawn(lands[s.system].k.sys,
		    &sender_behavior, &s, NULL)));
	}
	for (int i = 0; i < SYSTEMS; i++)
		kit_begin(&lands[i].k);
}

/* One after the other, each when the senders have come some way. */
static void
lands_stop(uint64_t *seed)
{
	for (uint64_t i = 0; i < SYSTEMS; i++) {
		uint64_t until = (i + 1) * POSTS / 2 + kit_below(seed, POSTS);

		while (i < SYSTEMS - 1 && atomic_load(&posted) < until)
			sched_yield();
		KIT_CHECK(
		    tr_system_stop(lands[i].k.sys, tr_forever()) == TR_OK);
		KIT_CHECK(pthread_join(lands[i].k.thread, NULL) == 0);
	}
}

/* Posts received, of all systems. */
static uint64_t
lands_check(uint64_t *lost)
{
	uint64_t accepted = 0, received = 0, gone = 0, sent = 0, ended = 0;

	for (int i = 0; i < SYSTEMS; i++) {
		struct land *l = &lands[i];

		kit_end(&l->k);
		for (int k = 0; k < SINKS; k++)
			received += l->sink[k].received;
		accepted += atomic_load(&l->accepted);
		gone += atomic_load(&l->gone);
		sent += l->k.stats.sent;
		ended += l->k.stats.handled + kit_dead(&l->k.stats);
		KIT_CHECK(l->k.stats.sent ==
		    atomic_load(&l->accepted) + atomic_load(&l->gone));
	}
	KIT_CHECK(sent == accepted + gone);
	KIT_CHECK(sent == ended);
	KIT_CHECK(received <= accepted);
	*lost += accepted - received;
	return received;
}

int
main(int argc, char **argv)
{
	uint64_t seed, received = 0, lost = 0;
	unsigned workers = kit_stress_args(argc, argv, &seed);

	for (int i = 0; i < ROUNDS; i++) {
		lands_begin(workers, &seed);
		lands_stop(&seed);
		received += lands_check(&lost);
	}
	printf("between: %d rounds, %" PRIu64 " posts between %d systems "
	       "received in order, %" PRIu64 " more were dead letters\n",
	    ROUNDS, received, SYSTEMS, lost);
	return 0;
}
