/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * star: a hub sends to many points at once and each answers.
 *
 * A round is over when all have answered; each point must have seen each
 * round once and in order, and the hub each point once in a round.  Some of
 * the points' answers are asks back to the hub.
 */
#define KIT_STRESS
#include "kit.h"

enum { POINTS = 500, ROUNDS = TEST_SCALE(4000) };

enum { RAY, ANSWER, ASKED };

static struct {
	tr_ref hub;
	tr_ref point[POINTS];
	uint32_t seen[POINTS]; /* by the point */
	uint32_t heard[POINTS]; /* by the hub */
	atomic_ullong asks, outcomes;
	uint32_t round, left;
} star;

static int
on_outcome(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	(void)self;
	(void)state;
	(void)answer;
	(void)cookie;
	KIT_CHECK(outcome == TR_OK);
	atomic_fetch_add(&star.outcomes, 1);
	return TR_OK;
}

static int
point_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	uint64_t i = *(uint64_t *)state;

	KIT_CHECK(kit_u64(msg) == star.seen[i]);
	star.seen[i]++;
	if ((i + star.seen[i]) % 16 != 0)
		return tr_reply(self, msg, ANSWER, &i, sizeof(i));
	atomic_fetch_add(&star.asks, 1);
	KIT_CHECK(tr_ask(self, tr_sender(msg), ASKED, &i, sizeof(i),
		      tr_in(self, TR_SECONDS(1000)), on_outcome, 0) != 0);
	return TR_OK;
}

static int
point_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	memcpy(state, arg, sizeof(uint64_t));
	return TR_OK;
}

static const struct tr_behavior point_behavior = {
	.name = "point",
	.state_size = sizeof(uint64_t),
	.arg_size = sizeof(uint64_t),
	.start = point_start,
	.receive = point_receive,
};

static void
next_round(struct tr_self *self)
{
	uint64_t round = star.round++;

	star.left = POINTS;
	for (int i = 0; i < POINTS; i++)
		(void)tr_send(self, star.point[i], RAY, &round, sizeof(round));
}

static int
hub_start(struct tr_self *self, void *state, const void *arg)
{
	(void)state;
	(void)arg;
	for (uint64_t i = 0; i < POINTS; i++) {
		star.point[i] = tr_spawn(self, &point_behavior, &i, NULL);
		KIT_CHECK(tr_ref_valid(star.point[i]));
	}
	next_round(self);
	return TR_OK;
}

static int
hub_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	uint64_t i = kit_u64(msg);

	(void)state;
	KIT_CHECK(i < POINTS);
	KIT_CHECK(tr_ref_equal(tr_sender(msg), star.point[i]));
	KIT_CHECK(++star.heard[i] == star.round);
	if (tr_tag(msg) == ASKED)
		KIT_CHECK(tr_reply(self, msg, ANSWER, NULL, 0) == TR_OK);
	if (--star.left > 0)
		return TR_OK;
	if (star.round == ROUNDS)
		return kit_finish(self);
	next_round(self);
	return TR_OK;
}

static const struct tr_behavior hub_behavior = {
	.name = "hub",
	.start = hub_start,
	.receive = hub_receive,
};

int
main(int argc, char **argv)
{
	uint64_t seed;
	unsigned workers = kit_stress_args(argc, argv, &seed);
	struct kit k;

	kit_play(&k, workers, &hub_behavior, NULL);
	for (int i = 0; i < POINTS; i++) {
		KIT_CHECK(star.seen[i] == ROUNDS);
		KIT_CHECK(star.heard[i] == ROUNDS);
	}
	KIT_CHECK(star.outcomes <= star.asks);
	printf("star: %d rounds of %d points, %llu asks back, each once and "
	       "in order\n",
	    ROUNDS, POINTS, star.asks);
	kit_print_stats(&k.stats);
	return 0;
}
