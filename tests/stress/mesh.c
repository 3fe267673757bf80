/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mesh: every actor sends to random others.
 *
 * Balls are passed on at random for a fixed number of hops, so that the number
 * of messages is known.  Each message carries its sender's index and a number
 * of that pair; a receiver checks that every sender's numbers come without gap
 * and in order.  Each actor marks itself as in use while it runs: two workers
 * inside one actor would see each other's mark.
 */
#define KIT_STRESS
#include "kit.h"

enum { NODES = 48, BALLS = 8, HOPS = TEST_SCALE(20000) };

enum { START, BALL, DONE };

struct ball {
	uint32_t from, number, hops;
	unsigned char filler[52]; /* some are longer than a cache line */
};

struct node {
	atomic_int in_use;
	uint64_t seed;
	uint64_t received;
	uint32_t next_out[NODES];
	uint32_t next_in[NODES];
};

static struct {
	tr_ref root;
	tr_ref ref[NODES];
	struct node node[NODES];
	int done;
} mesh;

static void
node_pass(struct tr_self *self, struct node *node, uint32_t hops)
{
	uint32_t to = (uint32_t)kit_below(&node->seed, NODES);
	struct ball ball = { .from = (uint32_t)(node - mesh.node),
		.number = node->next_out[to]++,
		.hops = hops };
	size_t size = kit_below(&node->seed, 4) == 0 ?
	    sizeof(ball) :
	    offsetof(struct ball, filler);

	KIT_CHECK(tr_send(self, mesh.ref[to], BALL, &ball, size) == TR_OK);
}

static int
node_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct node *node = kit_ctx(state);
	const struct ball *ball = tr_data(msg, offsetof(struct ball, filler));

	KIT_CHECK(atomic_exchange(&node->in_use, 1) == 0);
	if (tr_tag(msg) == START) {
		for (int i = 0; i < BALLS; i++)
			node_pass(self, node, HOPS);
	} else {
		KIT_CHECK(ball != NULL && ball->from < NODES);
		KIT_CHECK(tr_ref_equal(tr_sender(msg), mesh.ref[ball->from]));
		KIT_CHECK(ball->number == node->next_in[ball->from]++);
		node->received++;
		if (ball->hops > 1)
			node_pass(self, node, ball->hops - 1);
		else
			kit_tell(self, mesh.root, DONE);
	}
	KIT_CHECK(atomic_exchange(&node->in_use, 0) == 1);
	return TR_OK;
}

static const struct tr_behavior node_behavior = {
	.name = "node",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = node_receive,
};

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	(void)state;
	(void)arg;
	mesh.root = tr_self_ref(self);
	for (int i = 0; i < NODES; i++) {
		mesh.ref[i] =
		    tr_spawn(self, &node_behavior, &mesh.node[i], NULL);
		KIT_CHECK(tr_ref_valid(mesh.ref[i]));
	}
	for (int i = 0; i < NODES; i++)
		kit_tell(self, mesh.ref[i], START);
	return TR_OK;
}

static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	(void)msg;
	return ++mesh.done == NODES * BALLS ? kit_finish(self) : TR_OK;
}

static const struct tr_behavior root_behavior = {
	.name = "root",
	.start = root_start,
	.receive = root_receive,
};

int
main(int argc, char **argv)
{
	uint64_t seed, received = 0;
	unsigned workers = kit_stress_args(argc, argv, &seed);
	struct kit k;

	for (int i = 0; i < NODES; i++)
		mesh.node[i].seed = kit_random(&seed);
	kit_play(&k, workers, &root_behavior, NULL);
	for (int i = 0; i < NODES; i++) {
		received += mesh.node[i].received;
		for (int j = 0; j < NODES; j++)
			KIT_CHECK(mesh.node[i].next_out[j] ==
			    mesh.node[j].next_in[i]);
	}
	KIT_CHECK(received == (uint64_t)NODES * BALLS * HOPS);
	KIT_CHECK(kit_dead(&k.stats) == 0);
	printf("mesh: %" PRIu64 " messages between %d actors, each pair in "
	       "order, none lost\n",
	    received, NODES);
	kit_print_stats(&k.stats);
	return 0;
}
