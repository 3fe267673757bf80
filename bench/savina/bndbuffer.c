/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bndbuffer.c - Savina 11, Producer-Consumer with Bounded Buffer.
 *
 * The manager is the buffer.  It tells a producer to make the next item only
 * where there is room, hands each item to a consumer that has nothing to do, or
 * keeps it.  Making and using up an item is some thousand logarithms, so that
 * the manager should never be what all wait for.
 *
 * Every producer may have one item under way that nobody refuses, so producers
 * are held back when that many places are left.  The original checks nothing.
 * Here the buffer never holds more than it may, and the consumers have had
 * every item of each producer, once.
 */
#include <math.h>
#include <stdlib.h>

#include "savina.h"

#define BUFFER(MSG, P)              \
	MSG(P, produce, TR_EMPTY)   \
	MSG(P, item, {              \
		uint64_t number;    \
		double data;        \
	})                          \
	MSG(P, available, TR_EMPTY) \
	MSG(P, finished, TR_EMPTY)  \
	MSG(P, leave, TR_EMPTY)     \
	MSG(P, consumed, {          \
		uint64_t items;     \
		uint64_t numbers;   \
	})
TR_PROTOCOL(buffer, BUFFER);

/* Where in an array a queue of bounded length stands. */
struct ring {
	uint64_t first;
	uint64_t count;
	uint64_t room;
};

struct worker_arg {
	buffer_ref manager;
	uint64_t number;
	uint64_t items; /* of each producer */
	uint64_t cost;
};

struct producer {
	struct worker_arg given;
	uint64_t produced;
	double data;
};

struct consumer {
	struct worker_arg given;
	struct buffer_consumed consumed;
	double data;
};

struct manager {
	struct bench *b;
	uint64_t producers;
	uint64_t consumers;
	uint64_t items; /* of each producer */
	uint64_t finished; /* producers */
	uint64_t gone; /* consumers */
	uint64_t held_back_at; /* that many items wait: producers do, too */
	struct buffer_item *pending;
	buffer_ref *idle_producers;
	buffer_ref *idle_consumers;
	struct ring pending_ring;
	struct ring producer_ring;
	struct ring consumer_ring;
	struct buffer_consumed consumed; /* by consumers that are gone */
};

/* Not inlined: with one loop for both handlers, not two, it takes 1 to 3 % less. */
static __attribute__((noinline)) void
process(double *data, uint64_t cost)
{
	struct savina_random random = { cost };

	for (uint64_t i = 0; i < cost; i++) {
#pragma GCC unroll 10 /* as rustc does unasked */
		for (unsigned k = 0; k < 100; k++)
			*data +=
			    log(1.0 / (savina_random_next(&random) + 1) + 0.01);
	}
}

/* The place of a new last element. */
static uint64_t
ring_push(struct ring *ring)
{
	bench_check(ring->count < ring->room, "bndbuffer: bounded");
	return (ring->first + ring->count++) % ring->room;
}

/* The place of the first element, which is taken. */
static uint64_t
ring_pop(struct ring *ring)
{
	uint64_t at = ring->first;

	ring->first = (at + 1) % ring->room;
	ring->count--;
	return at;
}

/* ----------------------------------------------------------- producer --- */

static int
producer_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	((struct producer *)state)->given = *(const struct worker_arg *)arg;
	return TR_OK;
}

static int
on_produce(struct tr_self *self, struct producer *producer)
{
	const struct worker_arg *given = &producer->given;
	struct buffer_item item;
	int error;

	if (producer->produced == given->items) {
		error = buffer_send_finished(self, given->manager);
		return error != TR_OK ? error : tr_exit(self, TR_NORMAL);
	}
	process(&producer->data, given->cost);
	item.number = given->number * given->items + producer->produced++;
	item.data = producer->data;
	return buffer_send_item(self, given->manager, item);
}

TR_ACTOR(producer, struct producer, buffer, BUFFER, .produce = on_produce);

static const struct tr_behavior producer_behavior = {
	.name = "producer",
	.state_size = sizeof(struct producer),
	.arg_size = sizeof(struct worker_arg),
	.start = producer_start,
	.receive = producer_receive,
	.protocol = &buffer_protocol,
};

/* ----------------------------------------------------------- consumer --- */

static int
consumer_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	((struct consumer *)state)->given = *(const struct worker_arg *)arg;
	return TR_OK;
}

static int
on_consume(struct tr_self *self, struct consumer *consumer,
    const struct buffer_item *item)
{
	consumer->consumed.items++;
	consumer->consumed.numbers += item->number;
	consumer->data += item->data;
	process(&consumer->data, consumer->given.cost);
	return buffer_send_available(self, consumer->given.manager);
}

static int
on_leave(struct tr_self *self, struct consumer *consumer)
{
	int error = buffer_reply_consumed(self, consumer->consumed);

	return error != TR_OK ? error : tr_exit(self, TR_NORMAL);
}

TR_ACTOR(consumer, struct consumer, buffer, BUFFER, .item = on_consume,
    .leave = on_leave);

static const struct tr_behavior consumer_behavior = {
	.name = "consumer",
	.state_size = sizeof(struct consumer),
	.arg_size = sizeof(struct worker_arg),
	.start = consumer_start,
	.receive = consumer_receive,
	.protocol = &buffer_protocol,
};

/* ------------------------------------------------------------ manager --- */

static void
manager_init(struct manager *manager, struct bench *b)
{
	uint64_t size = bench_param(b, "buffer");

	manager->b = b;
	manager->producers = bench_param(b, "producers");
	manager->consumers = bench_param(b, "consumers");
	manager->items = bench_param(b, "items");
	manager->held_back_at = size - manager->producers;
	manager->pending_ring.room = size;
	manager->producer_ring.room = manager->producers;
	manager->consumer_ring.room = manager->consumers;
	manager->pending = calloc(size, sizeof(*manager->pending));
	manager->idle_producers =
	    calloc(manager->producers, sizeof(*manager->idle_producers));
	manager->idle_consumers =
	    calloc(manager->consumers, sizeof(*manager->idle_consumers));
	bench_check(manager->pending != NULL &&
		manager->idle_producers != NULL &&
		manager->idle_consumers != NULL,
	    "bndbuffer: memory");
}

static int
manager_start(struct tr_self *self, void *state, const void *arg)
{
	struct worker_arg given = { .manager = buffer_of(tr_self_ref(self)) };
	struct manager *manager = state;
	buffer_ref worker;
	int error = TR_OK;

	manager_init(manager, bench_of(arg));
	given.items = manager->items;
	bench_begin(manager->b, self);
	given.cost = bench_param(manager->b, "consumer_cost");
	for (uint64_t i = 0; i < manager->consumers; i++) {
		worker = buffer_spawn(self, &consumer_behavior, &given, NULL);
		bench_check(tr_ref_valid(worker.ref), "bndbuffer: spawn");
		manager->idle_consumers[ring_push(&manager->consumer_ring)] =
		    worker;
	}
	given.cost = bench_param(manager->b, "producer_cost");
	for (uint64_t i = 0; i < manager->producers && error == TR_OK; i++) {
		given.number = i;
		worker = buffer_spawn(self, &producer_behavior, &given, NULL);
		bench_check(tr_ref_valid(worker.ref), "bndbuffer: spawn");
		error = buffer_send_produce(self, worker);
	}
	return error;
}

/* All is made and used up: the consumers may go. */
static int
manager_try_end(struct tr_self *self, struct manager *manager)
{
	int error = TR_OK;

	if (manager->finished < manager->producers ||
	    manager->consumer_ring.count < manager->consumers)
		return TR_OK;
	for (uint64_t i = 0; i < manager->consumers && error == TR_OK; i++)
		error = buffer_send_leave(self, manager->idle_consumers[i]);
	return error;
}

static int
on_item(struct tr_self *self, struct manager *manager,
    const struct buffer_item *item)
{
	buffer_ref producer = buffer_of(tr_sender(tr_msg_in_hand(self)));
	buffer_ref consumer;
	int error = TR_OK;

	if (manager->consumer_ring.count > 0) {
		consumer =
		    manager->idle_consumers[ring_pop(&manager->consumer_ring)];
		error = buffer_send_item(self, consumer, *item);
	} else {
		manager->pending[ring_push(&manager->pending_ring)] = *item;
	}
	if (error != TR_OK)
		return error;
	if (manager->pending_ring.count < manager->held_back_at)
		return buffer_send_produce(self, producer);
	manager->idle_producers[ring_push(&manager->producer_ring)] = producer;
	return TR_OK;
}

static int
on_available(struct tr_self *self, struct manager *manager)
{
	buffer_ref consumer = buffer_of(tr_sender(tr_msg_in_hand(self)));
	buffer_ref producer;
	int error;

	if (manager->pending_ring.count == 0) {
		manager->idle_consumers[ring_push(&manager->consumer_ring)] =
		    consumer;
		return manager_try_end(self, manager);
	}
	error = buffer_send_item(self, consumer,
	    manager->pending[ring_pop(&manager->pending_ring)]);
	if (error != TR_OK || manager->producer_ring.count == 0)
		return error;
	producer = manager->idle_producers[ring_pop(&manager->producer_ring)];
	return buffer_send_produce(self, producer);
}

static int
on_finished(struct tr_self *self, struct manager *manager)
{
	manager->finished++;
	return manager_try_end(self, manager);
}

static int
on_consumed(struct tr_self *self, struct manager *manager,
    const struct buffer_consumed *consumed)
{
	uint64_t items = manager->producers * manager->items;

	manager->consumed.items += consumed->items;
	manager->consumed.numbers += consumed->numbers;
	if (++manager->gone < manager->consumers)
		return TR_OK;
	bench_check(manager->consumed.items == items,
	    "bndbuffer: as many items are used up as made");
	bench_check(manager->consumed.numbers == items * (items - 1) / 2,
	    "bndbuffer: each item is used up, once");
	return bench_end(manager->b, self, items);
}

TR_ACTOR(manager, struct manager, buffer, BUFFER, .item = on_item,
    .available = on_available, .finished = on_finished,
    .consumed = on_consumed);

static void
manager_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct manager *manager = state;

	(void)self;
	(void)why;
	free(manager->pending);
	free(manager->idle_producers);
	free(manager->idle_consumers);
}

static const struct tr_behavior manager_behavior = {
	.name = "manager",
	.state_size = sizeof(struct manager),
	.arg_size = sizeof(struct bench *),
	.start = manager_start,
	.receive = manager_receive,
	.stop = manager_stop,
	.protocol = &buffer_protocol,
};

const struct bench_case savina_bndbuffer = {
	.name = "bndbuffer",
	.suite = SAVINA_SUITE,
	.group = SAVINA_CONCURRENCY,
	.op = "an item: made, buffered, used up; 4 messages, 5000 logarithms",
	.params = { { "items", { 50, 1000, 2500 } },
	    { "buffer", { 10, 50, 50 } }, { "producers", { 8, 40, 40 } },
	    { "consumers", { 8, 40, 40 } }, { "producer_cost", { 1, 25, 25 } },
	    { "consumer_cost", { 1, 25, 25 } } },
	.root = &manager_behavior,
};
