/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uct.c - Savina 21, Unbalanced Cobwebbed Tree: a tree that chance grows.
 *
 * A node asks the root whether it may have children; the root tosses a coin and
 * grants it ten or none, until there are enough nodes.  Then the tree is
 * traversed, all nodes compute for a while, and it ends from the leaves up.
 * Spawning all over the tree, one actor that everybody asks, and waves of
 * messages down and up again.
 *
 * The original ends at the first node that is refused for want of nodes: what
 * was granted meanwhile comes too late, and its tree is of a different size in
 * each run.  Here everybody gets an answer, and the tree is complete when all
 * have.  Which nodes have children depends on the order of their questions, how
 * many have does not: the coin does not look who asks.
 *
 * Checked (the original prints size and height): nodes, height, nodes with
 * children and urgent ones, counted on the way up, are what the root granted;
 * and a parent heard of all of its children's grants.
 */
#include <math.h>
#include <stdlib.h>

#include "savina.h"

enum { CHILDREN = 10, SEED = 2, ASK_LENGTH = 100 };

#define UCT(MSG, P)                         \
	MSG(P, try, TR_EMPTY)               \
	MSG(P, may_i, { uint64_t height; }) \
	MSG(P, grant, {                     \
		uint32_t length;            \
		uint32_t urgent;            \
	})                                  \
	MSG(P, refuse, TR_EMPTY)            \
	MSG(P, granted, TR_EMPTY)           \
	MSG(P, traverse, TR_EMPTY)          \
	MSG(P, finish, TR_EMPTY)            \
	MSG(P, finished, {                  \
		uint64_t nodes;             \
		uint64_t inner;             \
		uint64_t urgent;            \
		uint64_t height;            \
		bool has_children;          \
	})
TR_PROTOCOL(uct, UCT);

struct node_arg {
	uct_ref parent;
	uct_ref root;
	uint64_t height;
	uint32_t length; /* how long it computes */
	bool urgent;
};

struct node {
	struct node_arg given;
	uct_ref *child; /* NULL: it has none */
	struct uct_finished below; /* itself, and those that have told */
	unsigned left; /* children that have not told */
	unsigned grants; /* children that said that they have children */
	uint32_t result; /* of the computation */
};

/* Take some time.  The result is kept, lest the compiler see through it. */
static uint32_t
uct_compute(uint32_t length)
{
	struct savina_random random = { length };

	while (length-- > 0)
		(void)savina_random_next(&random);
	return (uint32_t)random.value;
}

/* --------------------------------------------------------------- node --- */

/* Defined below; a node spawns actors of its own kind. */
static const struct tr_behavior node_behavior;

/* Ten children of `like`; the one of number `urgent` is urgent. */
static uct_ref *
node_children(struct tr_self *self, struct node_arg like, uint32_t urgent)
{
	uct_ref *child = malloc(CHILDREN * sizeof(*child));

	bench_check(child != NULL, "uct: memory");
	for (uint32_t i = 0; i < CHILDREN; i++) {
		like.urgent = i == urgent;
		child[i] = uct_spawn(self, &node_behavior, &like, NULL);
		bench_check(tr_ref_valid(child[i].ref), "uct: spawn");
	}
	for (uint32_t i = 0; i < CHILDREN; i++)
		(void)uct_send_try(self, child[i]);
	return child;
}

/* Add what a child told to what is known. */
static void
node_add(struct uct_finished *sum, const struct uct_finished *child)
{
	sum->nodes += child->nodes;
	sum->inner += child->inner;
	sum->urgent += child->urgent;
	if (child->height > sum->height)
		sum->height = child->height;
}

static int
node_start(struct tr_self *self, void *state, const void *arg)
{
	struct node *node = state;

	(void)self;
	node->given = *(const struct node_arg *)arg;
	node->below.nodes = 1;
	node->below.height = node->given.height;
	node->below.urgent = node->given.urgent;
	return TR_OK;
}

static void
node_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct node *node = state;

	(void)self;
	(void)why;
	free(node->child);
}

static int
on_try(struct tr_self *self, struct node *node)
{
	node->result = uct_compute(ASK_LENGTH);
	return uct_send_may_i(self, node->given.root,
	    (struct uct_may_i){ node->given.height });
}

static int
on_grant(struct tr_self *self, struct node *node, const struct uct_grant *grant)
{
	struct node_arg child = node->given;

	child.parent = uct_of(tr_self_ref(self));
	child.height++;
	child.length = grant->length;
	node->child = node_children(self, child, grant->urgent);
	node->left = CHILDREN;
	node->below.inner = 1;
	node->below.has_children = true;
	return uct_send_granted(self, node->given.parent);
}

static int
on_refuse(struct tr_self *self, struct node *node)
{
	(void)self;
	(void)node;
	return TR_OK;
}

static int
on_granted(struct tr_self *self, struct node *node)
{
	(void)self;
	node->grants++;
	return TR_OK;
}

static int
on_traverse(struct tr_self *self, struct node *node)
{
	int error = TR_OK;

	node->result += uct_compute(node->given.length);
	for (unsigned i = 0; i < node->left && error == TR_OK; i++)
		error = uct_send_traverse(self, node->child[i]);
	return error;
}

static int
node_finish(struct tr_self *self, const struct node *node)
{
	bench_check(node->grants == 0,
	    "uct: a child with children had told its parent");
	(void)uct_send_finished(self, node->given.parent, node->below);
	return tr_exit(self, TR_NORMAL);
}

static int
on_finish(struct tr_self *self, struct node *node)
{
	int error = TR_OK;

	for (unsigned i = 0; i < node->left && error == TR_OK; i++)
		error = uct_send_finish(self, node->child[i]);
	if (error != TR_OK || node->left > 0)
		return error;
	return node_finish(self, node);
}

static int
on_finished(struct tr_self *self, struct node *node,
    const struct uct_finished *child)
{
	node_add(&node->below, child);
	node->grants -= child->has_children;
	return --node->left > 0 ? TR_OK : node_finish(self, node);
}

TR_ACTOR(node, struct node, uct, UCT, .try = on_try, .grant = on_grant,
    .refuse = on_refuse, .granted = on_granted, .traverse = on_traverse,
    .finish = on_finish, .finished = on_finished);

static const struct tr_behavior node_behavior = {
	.name = "node",
	.state_size = sizeof(struct node),
	.arg_size = sizeof(struct node_arg),
	.start = node_start,
	.receive = node_receive,
	.stop = node_stop,
	.protocol = &uct_protocol,
};

/* --------------------------------------------------------------- root --- */

struct root {
	struct bench *b;
	struct savina_java_random random;
	double spare; /* a normal number that was drawn together with another */
	bool has_spare;
	uct_ref *child;
	struct uct_finished granted; /* what there will be */
	struct uct_finished counted; /* what there is */
	uint64_t limit; /* nodes */
	uint64_t asked;
	unsigned left; /* children that have not told */
	unsigned grants;
};

/* nextGaussian() of java.util.Random. */
static double
root_gaussian(struct root *root)
{
	double a, b, square, factor;

	root->has_spare = !root->has_spare;
	if (!root->has_spare)
		return root->spare;
	do {
		a = 2 * savina_java_double(&root->random) - 1;
		b = 2 * savina_java_double(&root->random) - 1;
		square = a * a + b * b;
	} while (square >= 1 || square == 0);
	factor = sqrt(-2 * log(square) / square);
	root->spare = b * factor;
	return a * factor;
}

/* How long the next nodes compute. */
static uint32_t
root_length(struct root *root)
{
	double mean = (double)bench_param(root->b, "computation");
	double deviation = (double)bench_param(root->b, "deviation");
	double length;

	do {
		length = floor(root_gaussian(root) * deviation + mean + 0.5);
	} while (length <= 0);
	return (uint32_t)length;
}

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct root *root = state;
	uct_ref me = uct_of(tr_self_ref(self));
	struct node_arg child = { .parent = me, .root = me, .height = 2 };

	root->b = bench_of(arg);
	root->random = savina_java_random(SEED);
	root->limit = bench_param(root->b, "nodes");
	bench_begin(root->b, self);
	child.length = root_length(root);
	root->granted = (struct uct_finished){ .nodes = 1 + CHILDREN,
		.height = 2,
		.inner = 1 };
	root->counted = (struct uct_finished){ .nodes = 1, .inner = 1 };
	root->left = CHILDREN;
	root->child = node_children(self, child, CHILDREN);
	return TR_OK;
}

static void
root_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct root *root = state;

	(void)self;
	(void)why;
	free(root->child);
}

/* Everybody has an answer: traverse the tree, and end it. */
static int
root_complete(struct tr_self *self, struct root *root)
{
	for (int i = 0; i < CHILDREN; i++)
		(void)uct_send_traverse(self, root->child[i]);
	for (int i = 0; i < CHILDREN; i++)
		(void)uct_send_finish(self, root->child[i]);
	return TR_OK;
}

static int
root_on_may_i(struct tr_self *self, struct root *root,
    const struct uct_may_i *ask)
{
	struct uct_grant grant = { .urgent = CHILDREN };
	bool more = root->granted.nodes + CHILDREN <= root->limit &&
	    savina_java_bits(&root->random, 1) != 0;
	int error;

	root->asked++;
	if (more) {
		grant.length = root_length(root);
		if (savina_java_below(&root->random, 100) <=
		    bench_param(root->b, "urgent_percent")) {
			grant.urgent =
			    savina_java_below(&root->random, CHILDREN);
			root->granted.urgent++;
		}
		root->granted.nodes += CHILDREN;
		root->granted.inner++;
		if (ask->height + 1 > root->granted.height)
			root->granted.height = ask->height + 1;
	}
	error = more ? uct_reply_grant(self, grant) : uct_reply_refuse(self);
	if (error == TR_OK && root->asked == root->granted.nodes - 1)
		return root_complete(self, root);
	return error;
}

static int
root_on_granted(struct tr_self *self, struct root *root)
{
	(void)self;
	root->grants++;
	return TR_OK;
}

static int
root_on_finished(struct tr_self *self, struct root *root,
    const struct uct_finished *child)
{
	const struct uct_finished *granted = &root->granted;
	const struct uct_finished *counted = &root->counted;

	node_add(&root->counted, child);
	root->grants -= child->has_children;
	if (--root->left > 0)
		return TR_OK;
	bench_check(counted->nodes == granted->nodes &&
		counted->inner == granted->inner &&
		counted->urgent == granted->urgent &&
		counted->height == granted->height && root->grants == 0,
	    "uct: the tree is what was granted");
	bench_check(counted->nodes + CHILDREN > root->limit,
	    "uct: the tree has grown to its limit");
	return bench_end(root->b, self, counted->nodes);
}

TR_ACTOR(root, struct root, uct, UCT, .may_i = root_on_may_i,
    .granted = root_on_granted, .finished = root_on_finished);

static const struct tr_behavior root_behavior = {
	.name = "root",
	.state_size = sizeof(struct root),
	.arg_size = sizeof(struct bench *),
	.start = root_start,
	.receive = root_receive,
	.stop = root_stop,
	.protocol = &uct_protocol,
};

const struct bench_case savina_uct = {
	.name = "uct",
	.suite = SAVINA_SUITE,
	.group = SAVINA_PARALLELISM,
	.op = "a node: spawned, granted, traversed and ended",
	.note = "a computation is of as many steps as its size, not 40,000 "
		"times as many (the JVM leaves them out); the tree is "
		"completed; urgent nodes are not preferred",
	.params = {
		{ "nodes", { 1500, 200000, 1500000 } },
		{ "computation", { 500, 500, 500 } },
		{ "deviation", { 100, 100, 100 } },
		{ "urgent_percent", { 50, 50, 50 } },
	},
	.root = &root_behavior,
};
