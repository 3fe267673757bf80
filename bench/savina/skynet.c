/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skynet.c - skynet (atemerev/skynet): a tree of actors, ten below each.
 *
 * Every leaf sends its number up, every inner actor the sum of what it gets;
 * all of them then end.  It shows spawning in a burst, and how many actors fit.
 * The sum of the leaves' numbers is known.
 */
#include "savina.h"

enum { CHILDREN = 10 };

#define TREE(MSG, P) MSG(P, sum, { uint64_t value; })
TR_PROTOCOL(tree, TREE);

struct node_arg {
	tree_ref parent;
	uint64_t first; /* number of the first leaf */
	uint64_t leaves;
};

struct node {
	tree_ref parent;
	uint64_t sum;
	unsigned left; /* children that have not answered */
};

struct root {
	struct bench *b;
};

/* --------------------------------------------------------------- node --- */

/* Defined below; a node spawns actors of its own kind. */
static const struct tr_behavior node_behavior;

static int
node_answer(struct tr_self *self, tree_ref parent, uint64_t value)
{
	(void)tree_send_sum(self, parent, (struct tree_sum){ value });
	return tr_exit(self, TR_NORMAL);
}

static int
node_start(struct tr_self *self, void *state, const void *arg)
{
	const struct node_arg *given = arg;
	struct node *node = state;
	struct node_arg child = { .parent = tree_of(tr_self_ref(self)) };
	tree_ref ref;

	if (given->leaves == 1)
		return node_answer(self, given->parent, given->first);
	node->parent = given->parent;
	node->left = CHILDREN;
	child.leaves = given->leaves / CHILDREN;
	for (uint64_t i = 0; i < CHILDREN; i++) {
		child.first = given->first + i * child.leaves;
		ref = tree_spawn(self, &node_behavior, &child, NULL);
		bench_check(tr_ref_valid(ref.ref), "skynet: spawn");
	}
	return TR_OK;
}

static int
on_sum(struct tr_self *self, struct node *node, const struct tree_sum *sum)
{
	node->sum += sum->value;
	if (--node->left > 0)
		return TR_OK;
	return node_answer(self, node->parent, node->sum);
}

TR_ACTOR(node, struct node, tree, TREE, .sum = on_sum);

static const struct tr_behavior node_behavior = {
	.name = "node",
	.state_size = sizeof(struct node),
	.arg_size = sizeof(struct node_arg),
	.start = node_start,
	.receive = node_receive,
	.protocol = &tree_protocol,
};

/* --------------------------------------------------------------- root --- */

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct root *root = state;
	struct node_arg top = { .parent = tree_of(tr_self_ref(self)) };
	tree_ref ref;

	root->b = bench_of(arg);
	top.leaves = bench_param(root->b, "leaves");
	bench_begin(root->b, self);
	ref = tree_spawn(self, &node_behavior, &top, NULL);
	bench_check(tr_ref_valid(ref.ref), "skynet: spawn");
	return TR_OK;
}

static int
on_result(struct tr_self *self, struct root *root, const struct tree_sum *sum)
{
	uint64_t leaves = bench_param(root->b, "leaves");

	bench_check(sum->value == leaves * (leaves - 1) / 2,
	    "skynet: the sum of all leaves' numbers");
	return bench_end(root->b, self, leaves);
}

TR_ACTOR(root, struct root, tree, TREE, .sum = on_result);

static const struct tr_behavior root_behavior = {
	.name = "root",
	.state_size = sizeof(struct root),
	.arg_size = sizeof(struct bench *),
	.start = root_start,
	.receive = root_receive,
	.protocol = &tree_protocol,
};

const struct bench_case savina_skynet = {
	.name = "skynet",
	.suite = SAVINA_KIN,
	.op = "a leaf: its share of spawns, sums and deaths",
	.params = { { "leaves", { 1000, 1000000, 10000000 } } },
	.root = &root_behavior,
};
