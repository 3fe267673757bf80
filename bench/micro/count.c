/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * count.c - one producer, one counter.
 *
 * The messages have no payload, as the peers' have none; the number of each is
 * its tag, so that their order is checked at no cost.  The count is asked for
 * behind them, so that the order of an ask behind plain sends is checked too.
 */
#include "micro.h"

enum { GET, COUNT, FIRST_ITEM };

struct counter {
	uint32_t items;
};

struct producer {
	struct bench *b;
};

static int
counter_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct counter *counter = state;

	if (tr_tag(msg) == GET)
		return tr_reply(self, msg, COUNT, &counter->items,
		    sizeof(counter->items));
	bench_check(tr_tag(msg) == FIRST_ITEM + counter->items,
	    "count: items arrive in order, once each");
	counter->items++;
	return TR_OK;
}

static const struct tr_behavior counter_behavior = {
	.name = "counter",
	.state_size = sizeof(struct counter),
	.receive = counter_receive,
};

static int
producer_counted(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	const struct producer *producer = state;
	const uint32_t *items;

	(void)cookie;
	bench_check(outcome == TR_OK, "count: the counter answers");
	items = tr_data(answer, sizeof(*items));
	bench_check(items != NULL && *items == producer->b->size,
	    "count: the counter saw every item");
	return bench_end(producer->b, self, producer->b->size);
}

static int
producer_start(struct tr_self *self, void *state, const void *arg)
{
	struct producer *producer = state;
	uint32_t size;
	tr_ask_id ask;
	tr_ref counter;
	int error;

	producer->b = bench_of(arg);
	size = (uint32_t)producer->b->size;
	bench_begin(producer->b, self);
	counter = tr_spawn(self, &counter_behavior, NULL, NULL);
	bench_check(tr_ref_valid(counter), "count: spawn");
	for (uint32_t item = 0; item < size; item++) {
		error = tr_send(self, counter, FIRST_ITEM + item, NULL, 0);
		bench_check(error == TR_OK, "count: send");
	}
	ask = tr_ask(self, counter, GET, NULL, 0, tr_forever(),
	    producer_counted, 0);
	bench_check(ask != 0, "count: ask");
	return TR_OK;
}

static int
producer_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	return tr_unhandled(self, msg);
}

static const struct tr_behavior producer_behavior = {
	.name = "producer",
	.state_size = sizeof(struct producer),
	.arg_size = sizeof(struct bench *),
	.start = producer_start,
	.receive = producer_receive,
};

void
count_run(struct bench *b)
{
	bench_system(b, &producer_behavior);
}
