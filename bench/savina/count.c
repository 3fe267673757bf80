/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * count.c - Savina 2, Counting: one actor floods another, which counts.
 *
 * It shows what a mailbox takes when nobody waits for anybody, and how memory
 * grows meanwhile: the producer sends all increments in one turn.  Then it asks
 * for the count, which has to be the number sent, as in the original; so the
 * question must not overtake the increments.
 *
 * More work is more such rounds, not a longer one, which would only measure
 * fresh memory.
 */
#include "savina.h"

#define COUNTING(MSG, P)            \
	MSG(P, increment, TR_EMPTY) \
	MSG(P, retrieve, TR_EMPTY)  \
	MSG(P, result, { uint64_t count; })
TR_PROTOCOL(counting, COUNTING);

struct counter {
	uint64_t count;
};

struct producer {
	struct bench *b;
	counting_ref counter;
	uint64_t increments; /* of each round */
	uint64_t sent; /* of all rounds up to now */
	uint64_t rounds; /* to come */
};

/* ------------------------------------------------------------ counter --- */

static int
on_increment(struct tr_self *self, struct counter *counter)
{
	(void)self;
	counter->count++;
	return TR_OK;
}

static int
on_retrieve(struct tr_self *self, struct counter *counter)
{
	return counting_reply_result(self,
	    (struct counting_result){ counter->count });
}

TR_ACTOR(counter, struct counter, counting, COUNTING, .increment = on_increment,
    .retrieve = on_retrieve);

static const struct tr_behavior counter_behavior = {
	.name = "counter",
	.state_size = sizeof(struct counter),
	.receive = counter_receive,
	.protocol = &counting_protocol,
};

/* ----------------------------------------------------------- producer --- */

static int
producer_round(struct tr_self *self, struct producer *producer)
{
	int error = TR_OK;

	for (uint64_t i = 0; i < producer->increments && error == TR_OK; i++)
		error = counting_send_increment(self, producer->counter);
	producer->sent += producer->increments;
	producer->rounds--;
	if (error != TR_OK)
		return error;
	return counting_send_retrieve(self, producer->counter);
}

static int
producer_start(struct tr_self *self, void *state, const void *arg)
{
	struct producer *producer = state;

	producer->b = bench_of(arg);
	producer->increments = bench_param(producer->b, "increments");
	producer->rounds = bench_param(producer->b, "rounds");
	bench_begin(producer->b, self);
	producer->counter = counting_spawn(self, &counter_behavior, NULL, NULL);
	bench_check(tr_ref_valid(producer->counter.ref), "count: spawn");
	return producer_round(self, producer);
}

static int
on_result(struct tr_self *self, struct producer *producer,
    const struct counting_result *result)
{
	bench_check(result->count == producer->sent,
	    "count: all increments before the question, once each");
	if (producer->rounds > 0)
		return producer_round(self, producer);
	return bench_end(producer->b, self, producer->sent);
}

TR_ACTOR(producer, struct producer, counting, COUNTING, .result = on_result);

static const struct tr_behavior producer_behavior = {
	.name = "producer",
	.state_size = sizeof(struct producer),
	.arg_size = sizeof(struct bench *),
	.start = producer_start,
	.receive = producer_receive,
	.protocol = &counting_protocol,
};

const struct bench_case savina_count = {
	.name = "count",
	.suite = SAVINA_SUITE,
	.group = SAVINA_MESSAGES,
	.op = "an increment; one actor sends, another counts",
	.params = { { "increments", { 5000, 1000000, 1000000 } },
	    { "rounds", { 3, 1, 55 } } },
	.root = &producer_behavior,
};
