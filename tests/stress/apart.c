/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * apart: mailboxes that move while several workers push to them.
 *
 * Each round has new receivers, in the slots of the former ones, most of them
 * pinned somewhere, and the same senders.  Every receiver moves with the first two messages that it finds from
 * another worker, and ends when it has all.  Each sender's messages come once
 * each and in their order; what a sender sends to receivers of the round before,
 * which it may remember, are dead letters, and nothing else is.
 */
#define KIT_STRESS
#include "kit.h"

#include "actors/apart.h"

enum {
	SENDERS = 5,
	RECEIVERS = 24,
	ITEMS = 40, /* of each sender to each receiver */
	ROUNDS = TEST_SCALE(3000),
};

enum { GO, ITEM, LATE, DONE };

struct receiver {
	unsigned left;
	unsigned next[SENDERS];
};

struct item {
	unsigned sender, number;
};

static struct {
	tr_ref root;
	tr_ref sender[SENDERS];
	tr_ref receiver[2][RECEIVERS]; /* of odd and even rounds */
	unsigned rounds, done;
	atomic_ulong moved, late;
} apart;

static int
receiver_start(struct tr_self *self, void *state, const void *arg)
{
	struct receiver *r = state;

	(void)self;
	(void)arg;
	*r = (struct receiver){ .left = SENDERS * ITEMS };
	return TR_OK;
}

static int
receiver_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct receiver *r = state;
	const struct item *item = tr_data(msg, sizeof(*item));

	KIT_CHECK(tr_tag(msg) == ITEM && item != NULL);
	KIT_CHECK(item->number == r->next[item->sender]++);
	if (--r->left > 0)
		return TR_OK;
	if (tri_load_relaxed(&self->inlet.head) == TRI_INLET_APART)
		atomic_fetch_add(&apart.moved, 1);
	kit_tell(self, apart.root, DONE);
	return tr_exit(self, TR_NORMAL);
}

static const struct tr_behavior receiver = {
	.name = "receiver",
	.state_size = sizeof(struct receiver),
	.start = receiver_start,
	.receive = receiver_receive,
};

/* All items of a round, the last one after all that is for the former round. */
static int
sender_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	unsigned number = *(unsigned *)state;
	unsigned round = (unsigned)kit_u64(msg);
	const tr_ref *now = apart.receiver[round % 2];
	const tr_ref *former = apart.receiver[(round + 1) % 2];
	unsigned stride = 1 + number % 3;

	for (unsigned r = 0; r < RECEIVERS; r += stride)
		for (unsigned i = 0; i < ITEMS; i++)
			for (unsigned k = r; k < r + stride && k < RECEIVERS;
			     k++) {
				struct item item = { number, i };

				KIT_CHECK(tr_send(self, now[k], ITEM, &item,
					      sizeof(item)) == TR_OK);
				if (round == 0 || i % 8 != 0)
					continue;
				kit_tell(self, former[k], LATE);
				atomic_fetch_add(&apart.late, 1);
			}
	return TR_OK;
}

static int
sender_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	memcpy(state, arg, sizeof(unsigned));
	return TR_OK;
}

static const struct tr_behavior sender = {
	.name = "sender",
	.state_size = sizeof(unsigned),
	.arg_size = sizeof(unsigned),
	.start = sender_start,
	.receive = sender_receive,
};

static void
round_begin(struct tr_self *self)
{
	uint64_t round = apart.rounds;

	apart.done = 0;
	for (unsigned i = 0; i < RECEIVERS; i++) {
		const struct tr_spawn_options place = {
			.placement = TR_PLACE_WORKER,
			.worker = i % tr_system_workers(tr_system_of(self)),
		};
		tr_ref ref =
		    tr_spawn(self, &receiver, NULL, i % 4 == 0 ? NULL : &place);

		KIT_CHECK(tr_ref_valid(ref));
		apart.receiver[round % 2][i] = ref;
	}
	for (unsigned i = 0; i < SENDERS; i++)
		KIT_CHECK(tr_send(self, apart.sender[i], GO, &round,
			      sizeof(round)) == TR_OK);
}

static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	KIT_CHECK(tr_tag(msg) == DONE);
	if (++apart.done < RECEIVERS)
		return TR_OK;
	if (++apart.rounds == ROUNDS)
		return kit_finish(self);
	round_begin(self);
	return TR_OK;
}

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	(void)state;
	(void)arg;
	apart.root = tr_self_ref(self);
	for (unsigned i = 0; i < SENDERS; i++)
		apart.sender[i] = tr_spawn(self, &sender, &i, NULL);
	round_begin(self);
	return TR_OK;
}

static const struct tr_behavior root = {
	.name = "root",
	.start = root_start,
	.receive = root_receive,
};

int
main(int argc, char **argv)
{
	uint64_t seed;
	unsigned workers = kit_stress_args(argc, argv, &seed);
	struct kit k;

	kit_new(&k, workers);
	k.sys->apart = 2;
	(void)kit_root(&k, &root, NULL);
	kit_run(&k);
	KIT_CHECK(kit_dead(&k.stats) == apart.late);
	printf("apart: %d rounds, %lu of %d mailboxes moved, nothing lost, "
	       "nothing overtook, %lu too late\n",
	    ROUNDS, atomic_load(&apart.moved), ROUNDS * RECEIVERS,
	    atomic_load(&apart.late));
	kit_print_stats(&k.stats);
	return 0;
}
