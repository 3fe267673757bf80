/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nto1.c - 64 producers, one receiver.
 *
 * As in count.c the messages have no payload; a tag is the number of the
 * producer and, below it, the number of the item, so that the order of each
 * producer's items is checked.
 */
#include "micro.h"

enum {
	DONE,
	PRODUCERS = 64,
	ITEM_BITS = 26,
};

#define ITEM_MASK ((UINT32_C(1) << ITEM_BITS) - 1)

struct receiver_arg {
	tr_ref root;
	uint64_t items; /* of all producers */
};

struct receiver {
	tr_ref root;
	uint64_t left; /* items to come */
	uint32_t next[PRODUCERS]; /* item expected from each */
};

struct producer_arg {
	tr_ref receiver;
	uint32_t number;
	uint32_t items;
};

struct root {
	struct bench *b;
};

static int
receiver_start(struct tr_self *self, void *state, const void *arg)
{
	const struct receiver_arg *given = arg;
	struct receiver *receiver = state;

	(void)self;
	receiver->root = given->root;
	receiver->left = given->items;
	return TR_OK;
}

static int
receiver_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct receiver *receiver = state;
	uint32_t *next = &receiver->next[tr_tag(msg) >> ITEM_BITS];

	bench_check((tr_tag(msg) & ITEM_MASK) == *next,
	    "nto1: each producer's items arrive in order, once each");
	++*next;
	if (--receiver->left > 0)
		return TR_OK;
	return tr_send(self, receiver->root, DONE, NULL, 0);
}

static const struct tr_behavior receiver_behavior = {
	.name = "receiver",
	.state_size = sizeof(struct receiver),
	.arg_size = sizeof(struct receiver_arg),
	.start = receiver_start,
	.receive = receiver_receive,
};

/* Sends everything in its first turn, and ends. */
static int
producer_start(struct tr_self *self, void *state, const void *arg)
{
	const struct producer_arg *given = arg;
	uint32_t first = given->number << ITEM_BITS;
	int error;

	(void)state;
	for (uint32_t item = 0; item < given->items; item++) {
		error = tr_send(self, given->receiver, first + item, NULL, 0);
		bench_check(error == TR_OK, "nto1: send");
	}
	return tr_exit(self, TR_NORMAL);
}

static int
producer_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	return tr_unhandled(self, msg);
}

static const struct tr_behavior producer_behavior = {
	.name = "producer",
	.arg_size = sizeof(struct producer_arg),
	.start = producer_start,
	.receive = producer_receive,
};

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct root *root = state;
	struct receiver_arg receiver;
	struct producer_arg producer;
	tr_ref ref;

	root->b = bench_of(arg);
	bench_check(root->b->size <= ITEM_MASK, "nto1: the size fits a tag");
	bench_begin(root->b, self);
	receiver.root = tr_self_ref(self);
	receiver.items = PRODUCERS * root->b->size;
	producer.items = (uint32_t)root->b->size;
	producer.receiver = tr_spawn(self, &receiver_behavior, &receiver, NULL);
	bench_check(tr_ref_valid(producer.receiver), "nto1: spawn");
	for (uint32_t i = 0; i < PRODUCERS; i++) {
		producer.number = i;
		ref = tr_spawn(self, &producer_behavior, &producer, NULL);
		bench_check(tr_ref_valid(ref), "nto1: spawn");
	}
	return TR_OK;
}

static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct root *root = state;

	bench_check(tr_tag(msg) == DONE, "nto1: the receiver is done");
	return bench_end(root->b, self, PRODUCERS * root->b->size);
}

static const struct tr_behavior root_behavior = {
	.name = "root",
	.state_size = sizeof(struct root),
	.arg_size = sizeof(struct bench *),
	.start = root_start,
	.receive = root_receive,
};

void
nto1_run(struct bench *b)
{
	bench_system(b, &root_behavior);
}
