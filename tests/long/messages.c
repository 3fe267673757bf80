/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * messages: 10^9 messages, and the memory stays flat.
 *
 * A fixed number of messages goes round among some actors on all workers: who
 * gets one sends one to another, picked at random, of a random size that
 * covers the size classes and what lies beyond them.  So what is in flight is
 * constant, and memory that grows would be lost.  In the end every message has
 * to be accounted for.
 */
#include "long.h"

enum {
	ACTORS = 64,
	IN_FLIGHT = 512,
	WARM_UP = 10, /* parts of the whole before the memory is looked at */
	SMALL = TEST_SCALE(1000000),
};

enum { BALL };

static struct {
	tr_ref player[ACTORS];
	atomic_bool over;
	atomic_int caught; /* balls that came to rest */
} game;

struct player {
	uint64_t seed;
};

/* Mostly small; one in 4,096 is larger than the largest class. */
static size_t
ball_size(uint64_t random)
{
	static const uint16_t sizes[16] = { 8, 8, 8, 8, 0, 16, 16, 24, 32, 32,
		40, 64, 100, 200, 900, 2000 };

	if (random % 4096 == 0)
		return 50000;
	return sizes[random >> 16 & 15];
}

static void
player_throw(struct tr_self *self, struct player *p)
{
	static const char payload[50000];
	uint64_t random = kit_random(&p->seed);

	KIT_CHECK(tr_send(self, game.player[random >> 32 & (ACTORS - 1)], BALL,
		      payload, ball_size(random)) == TR_OK);
}

static int
player_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)msg;
	if (!atomic_load_explicit(&game.over, memory_order_relaxed))
		player_throw(self, state);
	else
		atomic_fetch_add(&game.caught, 1);
	return TR_OK;
}

static int
player_start(struct tr_self *self, void *state, const void *arg)
{
	struct player *p = state;

	(void)self;
	p->seed = *(const uint64_t *)arg;
	return TR_OK;
}

static const struct tr_behavior player = {
	.name = "player",
	.state_size = sizeof(struct player),
	.arg_size = sizeof(uint64_t),
	.start = player_start,
	.receive = player_receive,
};

static uint64_t
handled(struct kit *k)
{
	struct tr_stats stats;

	KIT_CHECK(tr_stats(k->sys, &stats) == TR_OK);
	return stats.handled;
}

/* Wait until `goal` messages were handled, or the budget is used up. */
static void
watch(struct kit *k, struct long_run *l, uint64_t goal)
{
	uint64_t warm = goal / WARM_UP;

	while (handled(k) < warm)
		kit_nap();
	long_memory_begin(l);
	while (handled(k) < goal && long_time_left(l, 90)) {
		for (int i = 0; i < 50 && handled(k) < goal; i++)
			kit_nap();
		long_memory_sample(l);
	}
}

int
main(int argc, char **argv)
{
	struct long_run l = long_begin(argc, argv,
	    "10^9 messages of all sizes with flat memory, all accounted for");
	uint64_t goal = l.small ? SMALL : UINT64_C(1000000000), seed = l.seed;
	struct kit k;

	kit_new(&k, l.small ? 2 : 0);
	for (int i = 0; i < ACTORS; i++) {
		uint64_t own = kit_random(&seed);

		game.player[i] = tr_system_spawn(k.sys, &player, &own, NULL);
		KIT_CHECK(tr_ref_valid(game.player[i]));
	}
	for (int i = 0; i < IN_FLIGHT; i++)
		KIT_CHECK(tr_post(k.sys, game.player[i % ACTORS], BALL, NULL,
			      0) == TR_OK);
	kit_begin(&k);
	watch(&k, &l, goal);
	atomic_store(&game.over, true);
	while (atomic_load(&game.caught) < IN_FLIGHT)
		kit_nap();
	kit_stop(&k);
	KIT_CHECK(game.caught == IN_FLIGHT);
	KIT_CHECK(kit_dead(&k.stats) == 0);
	KIT_CHECK(k.stats.handled == k.stats.sent);
	long_memory_end(&l);
	printf("%.3g messages on %u workers, flat at %.1f MB\n",
	    (double)k.stats.handled, k.stats.workers, long_mb(l.rss_most));
	return 0;
}
