/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * msg1k.c - a stream of messages of 1 KiB.
 *
 * The consumer gives credit back for 32 messages at a time, so that at most 64
 * are under way and memory stays flat.  The producer sends from one buffer
 * (tr_send() copies it); the consumer looks at the first and the last word.
 */
#include "micro.h"

enum {
	BLOCK,
	CREDIT,
	WINDOW = 64,
	CREDIT_STEP = 32,
	WORDS = 128,
};

struct block {
	uint64_t words[WORDS];
};

struct consumer {
	uint64_t seen;
};

struct producer {
	struct bench *b;
	tr_ref consumer;
	uint64_t sent;
	uint64_t allowed; /* how many may have been sent by now */
	struct block block;
};

static int
consumer_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const struct block *block = tr_data(msg, sizeof(*block));
	struct consumer *consumer = state;

	bench_check(tr_tag(msg) == BLOCK && block != NULL,
	    "msg1k: whole blocks");
	bench_check(block->words[0] == consumer->seen &&
		block->words[WORDS - 1] == consumer->seen,
	    "msg1k: blocks arrive in order, once each");
	if (++consumer->seen % CREDIT_STEP == 0)
		return tr_send(self, tr_sender(msg), CREDIT, NULL, 0);
	return TR_OK;
}

static const struct tr_behavior consumer_behavior = {
	.name = "consumer",
	.state_size = sizeof(struct consumer),
	.receive = consumer_receive,
};

static int
producer_send(struct tr_self *self, struct producer *producer)
{
	struct block *block = &producer->block;
	int error;

	while (producer->sent < producer->allowed &&
	    producer->sent < producer->b->size) {
		block->words[0] = producer->sent;
		block->words[WORDS - 1] = producer->sent;
		producer->sent++;
		error = tr_send(self, producer->consumer, BLOCK, block,
		    sizeof(*block));
		bench_check(error == TR_OK, "msg1k: send");
	}
	return TR_OK;
}

static int
producer_start(struct tr_self *self, void *state, const void *arg)
{
	struct producer *producer = state;

	producer->b = bench_of(arg);
	/* The last credit is the sign that all has arrived. */
	producer->b->size += CREDIT_STEP - 1;
	producer->b->size -= producer->b->size % CREDIT_STEP;
	producer->allowed = WINDOW;
	producer->consumer = tr_spawn(self, &consumer_behavior, NULL, NULL);
	bench_check(tr_ref_valid(producer->consumer), "msg1k: spawn");
	bench_begin(producer->b, self);
	return producer_send(self, producer);
}

static int
producer_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct producer *producer = state;

	bench_check(tr_tag(msg) == CREDIT, "msg1k: credit");
	producer->allowed += CREDIT_STEP;
	if (producer->allowed == producer->b->size + WINDOW)
		return bench_end(producer->b, self, producer->b->size);
	return producer_send(self, producer);
}

static const struct tr_behavior producer_behavior = {
	.name = "producer",
	.state_size = sizeof(struct producer),
	.arg_size = sizeof(struct bench *),
	.start = producer_start,
	.receive = producer_receive,
};

void
msg1k_run(struct bench *b)
{
	bench_system(b, &producer_behavior);
}
