/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fan_in: many actors and some foreign threads send to one.
 *
 * The sink checks that each sender's numbers come in order and without gap.
 * Senders work in bursts, so that the sink's mailbox is at times long.
 */
#define KIT_STRESS
#include "kit.h"

enum { SENDERS = 64, THREADS = 2, EACH = TEST_SCALE(80000), BURST = 500 };

enum { NUMBER, GO };

struct item {
	uint32_t from, number;
};

static struct {
	struct kit k;
	tr_ref sink;
	uint32_t next[SENDERS + THREADS];
	uint64_t received;
	sem_t done;
} fan;

static int
sink_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const struct item *item = tr_data(msg, sizeof(*item));

	(void)self;
	(void)state;
	KIT_CHECK(item != NULL && item->from < SENDERS + THREADS);
	KIT_CHECK(item->number == fan.next[item->from]);
	fan.next[item->from]++;
	KIT_CHECK(tr_ref_valid(tr_sender(msg)) == (item->from < SENDERS));
	if (++fan.received == (uint64_t)(SENDERS + THREADS) * EACH)
		sem_post(&fan.done);
	return TR_OK;
}

static const struct tr_behavior sink = {
	.name = "sink",
	.receive = sink_receive,
};

static int
sender_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct item *item = state;

	(void)msg;
	for (int i = 0; i < BURST && item->number < EACH; i++) {
		KIT_CHECK(tr_send(self, fan.sink, NUMBER, item,
			      sizeof(*item)) == TR_OK);
		item->number++;
	}
	if (item->number < EACH)
		kit_tell(self, tr_self_ref(self), GO);
	return TR_OK;
}

static int
sender_start(struct tr_self *self, void *state, const void *arg)
{
	memcpy(state, arg, sizeof(struct item));
	return tr_send(self, tr_self_ref(self), GO, NULL, 0);
}

static const struct tr_behavior sender = {
	.name = "sender",
	.state_size = sizeof(struct item),
	.arg_size = sizeof(struct item),
	.start = sender_start,
	.receive = sender_receive,
};

static void *
thread_main(void *arg)
{
	struct item item = *(const struct item *)arg;

	for (; item.number < EACH; item.number++)
		KIT_CHECK(tr_post(fan.k.sys, fan.sink, NUMBER, &item,
			      sizeof(item)) == TR_OK);
	return NULL;
}

int
main(int argc, char **argv)
{
	uint64_t seed;
	unsigned workers = kit_stress_args(argc, argv, &seed);
	struct item item[SENDERS + THREADS];
	pthread_t thread[THREADS];

	sem_init(&fan.done, 0, 0);
	kit_new(&fan.k, workers);
	fan.sink = tr_system_spawn(fan.k.sys, &sink, NULL, NULL);
	for (uint32_t i = 0; i < SENDERS + THREADS; i++)
		item[i] = (struct item){ .from = i };
	for (int i = 0; i < SENDERS; i++)
		KIT_CHECK(tr_ref_valid(
		    tr_system_spawn(fan.k.sys, &sender, &item[i], NULL)));
	kit_begin(&fan.k);
	for (int i = 0; i < THREADS; i++)
		KIT_CHECK(pthread_create(&thread[i], NULL, thread_main,
			      &item[SENDERS + i]) == 0);
	kit_await(&fan.done);
	for (int i = 0; i < THREADS; i++)
		KIT_CHECK(pthread_join(thread[i], NULL) == 0);
	kit_stop(&fan.k);
	for (int i = 0; i < SENDERS + THREADS; i++)
		KIT_CHECK(fan.next[i] == EACH);
	KIT_CHECK(kit_dead(&fan.k.stats) == 0);
	printf("fan_in: %d actors and %d threads to one, %d each, in order\n",
	    SENDERS, THREADS, EACH);
	kit_print_stats(&fan.k.stats);
	return 0;
}
