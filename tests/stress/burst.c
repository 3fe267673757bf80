/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * burst: runs of messages to mailboxes that move, put into arrays that are shut and
 * opened again at any time; or, where they wait on their sender's worker, into
 * packs.
 *
 * Senders have no place of their own: each of their handlers sends runs of some
 * length to some receivers, and some to all in turn, with pauses that are about as
 * long as a receiver waits for more, and the next handler may be on another worker.
 * Receivers are pinned or not, take long now and then, and end when they have all
 * of a round, or earlier; the next round has new ones in their slots.  Every
 * sender's messages come once each and in their order; those to receivers that end
 * early are handled or dead letters.
 */
#define KIT_STRESS
#include "kit.h"

#include "actors/system.h"

enum {
	SENDERS = 5,
	RECEIVERS = 6,
	ITEMS = 3000, /* of each sender to each receiver */
	RUN = 900, /* at most, in one go */
	SPREAD = 120, /* the same, to each */
	ROUNDS = TEST_SCALE(150),
};

enum { GO, ITEM, DONE };

struct receiver {
	unsigned left; /* until it ends */
	unsigned next[SENDERS];
	bool early;
	uint64_t random;
};

struct item {
	unsigned sender, number;
	unsigned rest[8]; /* the number again: as many as one likes */
};

/* Some lie in a burst as they are, one in nine does not. */
static size_t
item_size(unsigned number)
{
	return (2 + number % 9) * sizeof(unsigned);
}

struct sender {
	unsigned number;
	unsigned sent[RECEIVERS];
	uint64_t random;
};

static struct {
	tr_ref root;
	tr_ref sender[SENDERS];
	tr_ref receiver[RECEIVERS];
	uint64_t random;
	unsigned rounds, done;
	atomic_ulong opened, missed, refused;
} burst;

static uint64_t
next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return *state >> 33;
}

/* -------------------------------------------------------- receivers ----- */

static int
receiver_start(struct tr_self *self, void *state, const void *arg)
{
	struct receiver *r = state;
	unsigned number;

	(void)self;
	memcpy(&number, arg, sizeof(number));
	*r = (struct receiver){
		.left = SENDERS * ITEMS,
		.early = number == 0,
		.random = number,
	};
	if (r->early)
		r->left /= 3;
	return TR_OK;
}

static int
receiver_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct receiver *r = state;
	const struct item *item = tr_data(msg, item_size(0));

	KIT_CHECK(tr_tag(msg) == ITEM && item != NULL);
	KIT_CHECK(item->number == r->next[item->sender]++);
	KIT_CHECK(tr_size(msg) == item_size(item->number));
	for (unsigned i = 0; i < item->number % 9; i++)
		KIT_CHECK(item->rest[i] == item->number);
	if (next_random(&r->random) % 4096 == 0)
		kit_spin_for(self, 200000);
	if (--r->left > 0)
		return TR_OK;
	kit_tell(self, burst.root, DONE);
	if (r->early)
		atomic_fetch_add(&burst.missed,
		    (unsigned long)SENDERS * ITEMS -
			(unsigned long)SENDERS * ITEMS / 3);
	return tr_exit(self, TR_NORMAL);
}

static const struct tr_behavior receiver = {
	.name = "receiver",
	.state_size = sizeof(struct receiver),
	.arg_size = sizeof(unsigned),
	.start = receiver_start,
	.receive = receiver_receive,
};

/* ---------------------------------------------------------- senders ----- */

/* The next item, in one of two ways, which keep one order. */
static void
sender_item(struct tr_self *self, struct sender *s, unsigned to)
{
	struct item item = { .sender = s->number, .number = s->sent[to]++ };
	size_t size = item_size(item.number);

	for (unsigned i = 0; i < 8; i++)
		item.rest[i] = item.number;
	if (next_random(&s->random) % 128 == 0)
		atomic_fetch_add(&burst.refused,
		    tr_try_send(self, burst.receiver[to], ITEM, &item, size) !=
			TR_OK);
	else
		KIT_CHECK(tr_send(self, burst.receiver[to], ITEM, &item,
			      size) == TR_OK);
	if (next_random(&s->random) % 256 == 0)
		kit_spin_for(self, (int64_t)next_random(&s->random) % 70000);
}

static void
sender_run(struct tr_self *self, struct sender *s, unsigned to)
{
	unsigned n = (unsigned)next_random(&s->random) % RUN;
	bool opened = false;

	for (; n > 0 && s->sent[to] < ITEMS; n--) {
		sender_item(self, s, to);
		opened |= tri_crew_of(self)->stream.burst != NULL;
	}
	if (opened)
		atomic_fetch_add(&burst.opened, 1);
}

/* To all in turn: what comes of that are packs, where it waits here. */
static void
sender_spread(struct tr_self *self, struct sender *s)
{
	unsigned n = (unsigned)next_random(&s->random) % SPREAD;

	for (; n > 0; n--)
		for (unsigned i = 0; i < RECEIVERS; i++)
			if (s->sent[i] < ITEMS)
				sender_item(self, s, i);
}

static bool
sender_is_through(const struct sender *s)
{
	for (unsigned i = 0; i < RECEIVERS; i++)
		if (s->sent[i] < ITEMS)
			return false;
	return true;
}

static int
sender_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct sender *s = state;

	if (tr_size(msg) > 0)
		memset(s->sent, 0, sizeof(s->sent));
	if (next_random(&s->random) % 2 == 0)
		sender_spread(self, s);
	for (unsigned i = (unsigned)next_random(&s->random) % 4; i > 0; i--)
		sender_run(self, s,
		    (unsigned)next_random(&s->random) % RECEIVERS);
	if (sender_is_through(s))
		kit_tell(self, burst.root, DONE);
	else
		kit_tell(self, tr_self_ref(self), GO);
	return TR_OK;
}

static int
sender_start(struct tr_self *self, void *state, const void *arg)
{
	struct sender *s = state;

	(void)self;
	*s = (struct sender){ 0 };
	memcpy(&s->number, arg, sizeof(s->number));
	s->random = burst.random + s->number * UINT64_C(0x9e3779b97f4a7c15);
	return TR_OK;
}

static const struct tr_behavior sender = {
	.name = "sender",
	.state_size = sizeof(struct sender),
	.arg_size = sizeof(unsigned),
	.start = sender_start,
	.receive = sender_receive,
};

/* ------------------------------------------------------------- rounds --- */

static void
round_begin(struct tr_self *self)
{
	uint64_t round = burst.rounds;

	burst.done = 0;
	for (unsigned i = 0; i < RECEIVERS; i++) {
		const struct tr_spawn_options place = {
			.placement = TR_PLACE_WORKER,
			.worker = i % tr_system_workers(tr_system_of(self)),
		};

		burst.receiver[i] =
		    tr_spawn(self, &receiver, &i, i % 2 == 0 ? NULL : &place);
		KIT_CHECK(tr_ref_valid(burst.receiver[i]));
	}
	for (unsigned i = 0; i < SENDERS; i++)
		KIT_CHECK(tr_send(self, burst.sender[i], GO, &round,
			      sizeof(round)) == TR_OK);
}

static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	KIT_CHECK(tr_tag(msg) == DONE);
	if (++burst.done < RECEIVERS + SENDERS)
		return TR_OK;
	if (++burst.rounds == ROUNDS)
		return kit_finish(self);
	round_begin(self);
	return TR_OK;
}

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	(void)state;
	(void)arg;
	burst.root = tr_self_ref(self);
	for (unsigned i = 0; i < SENDERS; i++)
		burst.sender[i] = tr_spawn(self, &sender, &i, NULL);
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
	unsigned workers = kit_stress_args(argc, argv, &burst.random);
	struct kit k;

	kit_new(&k, workers);
	k.sys->apart = 2;
	k.sys->burst_after = 4;
	(void)kit_root(&k, &root, NULL);
	kit_run(&k);
	KIT_CHECK(kit_dead(&k.stats) + burst.refused == burst.missed);
	printf("burst: %d rounds, %lu runs in bursts, nothing lost, nothing "
	       "overtook, %lu too late\n",
	    ROUNDS, atomic_load(&burst.opened), atomic_load(&burst.missed));
	kit_print_stats(&k.stats);
	return 0;
}
