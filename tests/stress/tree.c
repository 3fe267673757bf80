/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tree: trees of new actors, some deep, some so broad that they run over their
 * worker's stack, and its ring, into blocks.
 *
 * Each node spawns its children, now with a start, now without, so that their
 * first message is what makes them run, and answers with how many there are below
 * it when all have answered.  Some take long, before they spawn or after that, so
 * that the watch takes from what waits behind them; some children get further
 * messages while they wait.  Beside the trees a pair of actors goes on talking: it
 * has its turns however much is new.  All counts are exact.
 */
#define KIT_STRESS
#include "kit.h"

enum {
	BROAD = 1500, /* children, of a few */
	DEPTH = 60, /* of a chain with twins */
	ROUNDS = TEST_SCALE(20),
	TREES = 3,
};

enum { GROW, MORE, COUNT, TALK, DONE };

struct plan {
	tr_ref parent;
	uint64_t random;
	uint32_t depth; /* levels to go */
	uint32_t size; /* nodes to have, roughly */
};

struct node {
	struct plan plan;
	uint32_t left; /* children who have not answered */
	uint32_t below;
	uint32_t more; /* messages to come */
	bool grown;
};

static struct {
	unsigned rounds, left; /* trees that have not answered */
	uint64_t random;
	unsigned long counted;
	atomic_ulong spawned, talked, more, handled;
	atomic_bool over;
	tr_ref root, talker[2];
} forest;

static const struct tr_behavior starter, waiter;

static int
node_answer(struct tr_self *self, struct node *n)
{
	uint32_t all = n->below + 1;

	KIT_CHECK(
	    tr_send(self, n->plan.parent, COUNT, &all, sizeof(all)) == TR_OK);
	return tr_exit(self, TR_NORMAL);
}

static void
node_spawn(struct tr_self *self, struct node *n, uint32_t size)
{
	struct plan plan = {
		.parent = tr_self_ref(self),
		.random = kit_random(&n->plan.random),
		.depth = n->plan.depth - 1,
		.size = size,
	};
	bool starts = plan.random % 2 == 0;
	tr_ref child = tr_spawn(self, starts ? &starter : &waiter, &plan, NULL);

	KIT_CHECK(tr_ref_valid(child));
	n->left++;
	atomic_fetch_add(&forest.spawned, 1);
	if (!starts)
		KIT_CHECK(
		    tr_send(self, child, GROW, &plan, sizeof(plan)) == TR_OK);
	if (plan.random % 16 == 3) {
		kit_tell(self, child, MORE);
		atomic_fetch_add(&forest.more, 1);
	}
}

static int
node_grow(struct tr_self *self, struct node *n)
{
	uint64_t kind = kit_random(&n->plan.random);
	uint32_t size = n->plan.size;

	n->grown = true;
	if (kind % 700 == 0)
		kit_spin_for(self, 2500000);
	if (n->plan.depth == 0 || size <= 1)
		return node_answer(self, n);
	if (size >= BROAD && kind % 3 == 0) {
		for (uint32_t i = 0; i < BROAD; i++)
			node_spawn(self, n, size / BROAD);
	} else {
		node_spawn(self, n, size / 2);
		node_spawn(self, n, size - size / 2 - 1);
	}
	if (kind % 900 == 1)
		kit_spin_for(self, 2500000);
	return TR_OK;
}

static int
node_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct node *n = state;

	switch (tr_tag(msg)) {
	case GROW:
		KIT_CHECK(!n->grown);
		memcpy(&n->plan, tr_data(msg, sizeof(n->plan)),
		    sizeof(n->plan));
		return node_grow(self, n);
	case MORE:
		/* It came after what made it grow. */
		KIT_CHECK(n->grown);
		atomic_fetch_add(&forest.handled, 1);
		return TR_OK;
	default:
		KIT_CHECK(tr_tag(msg) == COUNT && n->left > 0);
		n->below += *(const uint32_t *)tr_data(msg, sizeof(uint32_t));
		return --n->left > 0 ? TR_OK : node_answer(self, n);
	}
}

static int
node_start(struct tr_self *self, void *state, const void *arg)
{
	struct node *n = state;

	memcpy(&n->plan, arg, sizeof(n->plan));
	return node_grow(self, n);
}

static const struct tr_behavior starter = {
	.name = "starter",
	.state_size = sizeof(struct node),
	.arg_size = sizeof(struct plan),
	.start = node_start,
	.receive = node_receive,
};

static const struct tr_behavior waiter = {
	.name = "waiter",
	.state_size = sizeof(struct node),
	.arg_size = sizeof(struct plan),
	.receive = node_receive,
};

/* -------------------------------------------------------- bystanders ----- */

static int
talker_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	(void)msg;
	atomic_fetch_add(&forest.talked, 1);
	if (atomic_load(&forest.over)) {
		kit_tell(self, forest.root, DONE);
		return tr_exit(self, TR_NORMAL);
	}
	kit_tell(self,
	    forest.talker[tr_self_ref(self).bits == forest.talker[0].bits],
	    TALK);
	return TR_OK;
}

static const struct tr_behavior talker = {
	.name = "talker",
	.receive = talker_receive,
};

/* ------------------------------------------------------------- root ----- */

static void
plant(struct tr_self *self)
{
	forest.left = TREES;
	for (unsigned i = 0; i < TREES; i++) {
		struct plan plan = {
			.parent = tr_self_ref(self),
			.random = kit_random(&forest.random),
			.depth = DEPTH,
			.size = 1 + (uint32_t)kit_below(&forest.random, 20000),
		};

		atomic_fetch_add(&forest.spawned, 1);
		KIT_CHECK(tr_ref_valid(tr_spawn(self, &starter, &plan, NULL)));
	}
}

static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	if (tr_tag(msg) == DONE)
		return kit_finish(self);
	KIT_CHECK(tr_tag(msg) == COUNT && forest.left > 0);
	forest.counted += *(const uint32_t *)tr_data(msg, sizeof(uint32_t));
	if (--forest.left > 0)
		return TR_OK;
	KIT_CHECK(forest.counted == atomic_load(&forest.spawned));
	if (++forest.rounds < ROUNDS)
		plant(self);
	else
		atomic_store(&forest.over, true);
	return TR_OK;
}

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	(void)state;
	(void)arg;
	forest.root = tr_self_ref(self);
	for (unsigned i = 0; i < 2; i++) {
		forest.talker[i] = tr_spawn(self, &talker, NULL, NULL);
		KIT_CHECK(tr_ref_valid(forest.talker[i]));
	}
	kit_tell(self, forest.talker[0], TALK);
	plant(self);
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
	unsigned workers = kit_stress_args(argc, argv, &forest.random);
	struct kit k;

	kit_new(&k, workers);
	(void)kit_root(&k, &root, NULL);
	kit_run(&k);
	KIT_CHECK(kit_dead(&k.stats) + forest.handled == forest.more);
	printf(
	    "tree: %d rounds, %lu nodes, each counted once, %lu turns beside "
	    "them\n",
	    ROUNDS, forest.counted, atomic_load(&forest.talked));
	kit_print_stats(&k.stats);
	return 0;
}
