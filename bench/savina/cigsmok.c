/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cigsmok.c - Savina 14, Cigarette Smokers.
 *
 * The arbiter puts what a smoker lacks on the table; the smoker takes it, says
 * so, and smokes for a while, during which the arbiter goes on with the next
 * one.  It shows one actor that sends to one of many at random, and whether
 * smokers that are busy get in its way.
 *
 * The original checks nothing.  Here the arbiter adds up how many it served and
 * how long they were to smoke, and the smokers say at the end what they did.
 */
#include <stdlib.h>

#include "savina.h"

#define SMOKE(MSG, P)                      \
	MSG(P, smoke, { uint64_t steps; }) \
	MSG(P, started, TR_EMPTY)          \
	MSG(P, leave, TR_EMPTY)            \
	MSG(P, smoked, {                   \
		uint64_t cigarettes;       \
		uint64_t steps;            \
	})
TR_PROTOCOL(smoke, SMOKE);

enum { STEPS_MAX = 1000, STEPS_MIN = 10 };

struct smoker {
	struct smoke_smoked smoked;
	struct savina_random random;
};

struct arbiter {
	struct bench *b;
	smoke_ref *smokers;
	uint64_t count;
	uint64_t rounds;
	uint64_t left; /* rounds that are not over, then smokers */
	struct savina_random random;
	uint64_t steps; /* that were to be smoked */
	struct smoke_smoked smoked;
};

/* ------------------------------------------------------------- smoker --- */

static int
on_smoke(struct tr_self *self, struct smoker *smoker,
    const struct smoke_smoke *smoke)
{
	int error = smoke_reply_started(self);

	for (uint64_t i = 0; i < smoke->steps; i++) {
		(void)savina_random_next(&smoker->random);
		smoker->smoked.steps++;
	}
	smoker->smoked.cigarettes++;
	return error;
}

static int
on_leave(struct tr_self *self, struct smoker *smoker)
{
	int error = smoke_reply_smoked(self, smoker->smoked);

	return error != TR_OK ? error : tr_exit(self, TR_NORMAL);
}

TR_ACTOR(smoker, struct smoker, smoke, SMOKE, .smoke = on_smoke,
    .leave = on_leave);

static const struct tr_behavior smoker_behavior = {
	.name = "smoker",
	.state_size = sizeof(struct smoker),
	.receive = smoker_receive,
	.protocol = &smoke_protocol,
};

/* ------------------------------------------------------------ arbiter --- */

static int
arbiter_serve(struct tr_self *self, struct arbiter *arbiter)
{
	uint64_t smoker = savina_random_next(&arbiter->random) % arbiter->count;
	uint64_t steps =
	    STEPS_MIN + savina_random_next(&arbiter->random) % STEPS_MAX;

	arbiter->steps += steps;
	return smoke_send_smoke(self, arbiter->smokers[smoker],
	    (struct smoke_smoke){ steps });
}

static int
arbiter_start(struct tr_self *self, void *state, const void *arg)
{
	struct arbiter *arbiter = state;

	arbiter->b = bench_of(arg);
	arbiter->count = bench_param(arbiter->b, "smokers");
	arbiter->rounds = bench_param(arbiter->b, "rounds");
	arbiter->left = arbiter->rounds;
	arbiter->random.value = arbiter->rounds * arbiter->count;
	arbiter->smokers = calloc(arbiter->count, sizeof(*arbiter->smokers));
	if (arbiter->smokers == NULL)
		return TR_ENOMEM;
	bench_begin(arbiter->b, self);
	for (uint64_t i = 0; i < arbiter->count; i++) {
		arbiter->smokers[i] =
		    smoke_spawn(self, &smoker_behavior, NULL, NULL);
		bench_check(tr_ref_valid(arbiter->smokers[i].ref),
		    "cigsmok: spawn");
	}
	return arbiter_serve(self, arbiter);
}

static int
on_started(struct tr_self *self, struct arbiter *arbiter)
{
	int error = TR_OK;

	if (--arbiter->left > 0)
		return arbiter_serve(self, arbiter);
	arbiter->left = arbiter->count;
	for (uint64_t i = 0; i < arbiter->count && error == TR_OK; i++)
		error = smoke_send_leave(self, arbiter->smokers[i]);
	return error;
}

static int
on_smoked(struct tr_self *self, struct arbiter *arbiter,
    const struct smoke_smoked *smoked)
{
	arbiter->smoked.cigarettes += smoked->cigarettes;
	arbiter->smoked.steps += smoked->steps;
	if (--arbiter->left > 0)
		return TR_OK;
	bench_check(arbiter->smoked.cigarettes == arbiter->rounds,
	    "cigsmok: a cigarette in each round");
	bench_check(arbiter->smoked.steps == arbiter->steps,
	    "cigsmok: each is smoked as long as it was to be");
	return bench_end(arbiter->b, self, arbiter->rounds);
}

TR_ACTOR(arbiter, struct arbiter, smoke, SMOKE, .started = on_started,
    .smoked = on_smoked);

static void
arbiter_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)self;
	(void)why;
	free(((struct arbiter *)state)->smokers);
}

static const struct tr_behavior arbiter_behavior = {
	.name = "arbiter",
	.state_size = sizeof(struct arbiter),
	.arg_size = sizeof(struct bench *),
	.start = arbiter_start,
	.receive = arbiter_receive,
	.stop = arbiter_stop,
	.protocol = &smoke_protocol,
};

const struct bench_case savina_cigsmok = {
	.name = "cigsmok",
	.suite = SAVINA_SUITE,
	.group = SAVINA_CONCURRENCY,
	.op = "a round: two messages, 500 steps of a loop",
	.note = "its loops draw from the suite's generator, not Java's",
	.params = { { "rounds", { 500, 1000, 3000000 } },
	    { "smokers", { 20, 200, 200 } } },
	.root = &arbiter_behavior,
};
