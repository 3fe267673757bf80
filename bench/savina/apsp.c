/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * apsp.c - Savina 27, All-Pairs Shortest Paths: phases of blocks.
 *
 * Floyd and Warshall's algorithm on a matrix of distances that is cut into
 * blocks, an actor each.  For each node in turn, a block improves its paths by
 * way of that node; for this it has to know what the blocks beside it in its
 * row and column had before, so each sends what it has to all of them, once for
 * each node.  A phase cannot begin before those beside have ended theirs, but
 * there is no barrier.  As in the original a block sends itself whole, and to
 * all, although only two of those are looked at; it is a blob, so not copied.
 *
 * A neighbour may be one phase ahead, and its message come before that of a
 * slower one: what is too early is stashed.  (The original takes it for the one
 * that it waits for, loses count, and may wait for ever in the end.)
 *
 * Checked (the original checks nothing): the matrix is that of the plain
 * algorithm.
 */
#include <stdlib.h>
#include <string.h>

#include "savina.h"

/* What a block had before a phase. */
struct before {
	uint32_t row; /* of the block, in blocks */
	uint32_t column;
	uint64_t phase; /* also the node that it improves paths by */
	tr_blob distances; /* int64_t, row by row */
};

static void
before_drop(void *payload, size_t size)
{
	struct before *before = payload;

	(void)size;
	tr_blob_drop(&before->distances);
}

#define APSP(MSG, P)                         \
	MSG(P, neighbour, { apsp_ref ref; }) \
	MSG(P, begin, TR_EMPTY)              \
	MSG(P, before, { struct before it; })
TR_PROTOCOL(apsp, APSP, .before = { .drop = before_drop });

struct graph {
	size_t nodes;
	int64_t *distance; /* does not change */
	int64_t *shortest; /* the root's */
};

/* -------------------------------------------------------------- block --- */

struct block_arg {
	apsp_ref root;
	const struct graph *graph;
	uint32_t row;
	uint32_t column;
	size_t side; /* nodes */
};

struct block {
	struct block_arg given;
	apsp_ref *neighbour;
	size_t neighbours;
	size_t came; /* of this phase's messages */
	struct before now;
	tr_blob in_row; /* the block of this row that has the phase's node */
	tr_blob in_column;
	bool begun;
};

static int64_t *
block_alloc(struct tr_self *self, const struct block *block, tr_blob *blob)
{
	size_t side = block->given.side;
	int64_t *distance;

	distance = tr_blob_alloc(tr_system_of(self),
	    side * side * sizeof(*distance), blob);
	bench_check(distance != NULL, "apsp: memory");
	return distance;
}

static int
block_start(struct tr_self *self, void *state, const void *arg)
{
	const struct block_arg *given = arg;
	struct block *block = state;
	const struct graph *graph = given->graph;
	size_t side = given->side, blocks = graph->nodes / side;
	int64_t *distance;

	block->given = *given;
	block->now.row = given->row;
	block->now.column = given->column;
	block->neighbour = calloc(2 * (blocks - 1), sizeof(*block->neighbour));
	bench_check(block->neighbour != NULL, "apsp: memory");
	distance = block_alloc(self, block, &block->now.distances);
	for (size_t i = 0; i < side; i++)
		memcpy(distance + i * side,
		    graph->distance + (given->row * side + i) * graph->nodes +
			given->column * side,
		    side * sizeof(*distance));
	return TR_OK;
}

static void
block_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct block *block = state;

	(void)self;
	(void)why;
	tr_blob_drop(&block->now.distances);
	tr_blob_drop(&block->in_row);
	tr_blob_drop(&block->in_column);
	free(block->neighbour);
}

static int
block_send(struct tr_self *self, const struct block *block, apsp_ref to)
{
	struct before it = block->now;

	it.distances = tr_blob_ref(&block->now.distances);
	return apsp_send_before(self, to, (struct apsp_before){ it });
}

static int
block_tell(struct tr_self *self, const struct block *block)
{
	int error = TR_OK;

	for (size_t i = 0; i < block->neighbours && error == TR_OK; i++)
		error = block_send(self, block, block->neighbour[i]);
	return error;
}

/* Paths by way of the phase's node: to it stands in the row's block, from it in
 * the column's; one of these may be this one. */
static void
block_improve(struct tr_self *self, struct block *block)
{
	struct before *now = &block->now;
	size_t side = block->given.side, node = now->phase % side;
	const int64_t *old = tr_blob_data(&now->distances);
	const int64_t *to = tr_blob_data(&block->in_row);
	const int64_t *from = tr_blob_data(&block->in_column);
	int64_t *distance, by;
	tr_blob blob;

	to = (to != NULL ? to : old) + node;
	from = (from != NULL ? from : old) + node * side;
	distance = block_alloc(self, block, &blob);
	for (size_t i = 0; i < side; i++) {
		for (size_t j = 0; j < side; j++) {
			by = to[i * side] + from[j];
			distance[i * side + j] =
			    old[i * side + j] < by ? old[i * side + j] : by;
		}
	}
	tr_blob_drop(&now->distances);
	tr_blob_drop(&block->in_row);
	tr_blob_drop(&block->in_column);
	now->distances = blob;
	now->phase++;
	block->came = 0;
}

static int
on_neighbour(struct tr_self *self, struct block *block,
    const struct apsp_neighbour *neighbour)
{
	(void)self;
	block->neighbour[block->neighbours++] = neighbour->ref;
	return TR_OK;
}

static int
on_begin(struct tr_self *self, struct block *block)
{
	int error = block_tell(self, block);

	block->begun = true;
	return error != TR_OK ? error : tr_unstash(self);
}

static int
on_before(struct tr_self *self, struct block *block,
    const struct apsp_before *message)
{
	const struct before *before = &message->it;
	struct before *now = &block->now;
	uint64_t at = now->phase / block->given.side;
	int error;

	if (!block->begun || before->phase != now->phase)
		return tr_stash(self, tr_msg_in_hand(self));
	if (before->row == now->row && before->column == at)
		block->in_row = tr_blob_ref(&before->distances);
	if (before->column == now->column && before->row == at)
		block->in_column = tr_blob_ref(&before->distances);
	if (++block->came < block->neighbours)
		return TR_OK;
	block_improve(self, block);
	if (now->phase < block->given.graph->nodes) {
		error = block_tell(self, block);
		return error != TR_OK ? error : tr_unstash(self);
	}
	error = block_send(self, block, block->given.root);
	return error != TR_OK ? error : tr_exit(self, TR_NORMAL);
}

TR_ACTOR(block, struct block, apsp, APSP, .neighbour = on_neighbour,
    .begin = on_begin, .before = on_before);

static const struct tr_behavior block_behavior = {
	.name = "block",
	.state_size = sizeof(struct block),
	.arg_size = sizeof(struct block_arg),
	.start = block_start,
	.receive = block_receive,
	.stop = block_stop,
	.protocol = &apsp_protocol,
};

/* --------------------------------------------------------------- root --- */

struct root {
	struct bench *b;
	struct graph *graph;
	size_t side;
	size_t blocks; /* in a row */
	size_t left; /* blocks that have not ended */
};

/* Introduce a block to those of its row and of its column. */
static int
root_introduce(struct tr_self *self, const struct root *root,
    const apsp_ref *block, size_t row, size_t column)
{
	apsp_ref it = block[row * root->blocks + column];
	struct apsp_neighbour beside;
	int error = TR_OK;

	for (size_t i = 0; i < root->blocks && error == TR_OK; i++) {
		beside.ref = block[i * root->blocks + column];
		if (i != row)
			error = apsp_send_neighbour(self, it, beside);
		beside.ref = block[row * root->blocks + i];
		if (i != column && error == TR_OK)
			error = apsp_send_neighbour(self, it, beside);
	}
	return error;
}

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct root *root = state;
	struct block_arg given = { .root = apsp_of(tr_self_ref(self)) };
	apsp_ref *block;
	int error = TR_OK;

	root->b = bench_of(arg);
	given.graph = root->graph = root->b->ctx;
	given.side = root->side = bench_param(root->b, "block_side");
	root->blocks = root->graph->nodes / root->side;
	root->left = root->blocks * root->blocks;
	bench_check(root->blocks > 1, "apsp: blocks beside each other");
	bench_begin(root->b, self);
	block = calloc(root->left, sizeof(*block));
	bench_check(block != NULL, "apsp: memory");
	for (size_t i = 0; i < root->left; i++) {
		given.row = (uint32_t)(i / root->blocks);
		given.column = (uint32_t)(i % root->blocks);
		block[i] = apsp_spawn(self, &block_behavior, &given, NULL);
		bench_check(tr_ref_valid(block[i].ref), "apsp: spawn");
	}
	for (size_t i = 0; i < root->left && error == TR_OK; i++)
		error = root_introduce(self, root, block, i / root->blocks,
		    i % root->blocks);
	for (size_t i = 0; i < root->left && error == TR_OK; i++)
		error = apsp_send_begin(self, block[i]);
	free(block);
	return error;
}

static int
on_result(struct tr_self *self, struct root *root,
    const struct apsp_before *message)
{
	const struct before *block = &message->it;
	const int64_t *distance = tr_blob_data(&block->distances);
	size_t nodes = root->graph->nodes, side = root->side;

	for (size_t i = 0; i < side; i++)
		memcpy(root->graph->shortest + (block->row * side + i) * nodes +
			block->column * side,
		    distance + i * side, side * sizeof(*distance));
	if (--root->left > 0)
		return TR_OK;
	return bench_end(root->b, self, nodes * nodes * nodes);
}

TR_ACTOR(root, struct root, apsp, APSP, .before = on_result);

static const struct tr_behavior root_behavior = {
	.name = "root",
	.state_size = sizeof(struct root),
	.arg_size = sizeof(struct bench *),
	.start = root_start,
	.receive = root_receive,
	.protocol = &apsp_protocol,
};

/* -------------------------------------------------------------- graph --- */

static void
apsp_setup(struct bench *b)
{
	struct graph *graph = calloc(1, sizeof(*graph));
	size_t nodes = bench_param(b, "nodes");
	uint64_t weight = bench_param(b, "weight_max");
	struct savina_random random = { nodes };

	bench_check(graph != NULL, "apsp: memory");
	graph->nodes = nodes;
	graph->distance = calloc(nodes * nodes, sizeof(int64_t));
	graph->shortest = calloc(nodes * nodes, sizeof(int64_t));
	bench_check(graph->distance != NULL && graph->shortest != NULL,
	    "apsp: memory");
	for (size_t i = 0; i < nodes; i++) {
		for (size_t j = i + 1; j < nodes; j++) {
			graph->distance[i * nodes + j] =
			    graph->distance[j * nodes + i] =
				(int64_t)(savina_random_next(&random) % weight +
				    1);
		}
	}
	b->ctx = graph;
}

static void
apsp_teardown(struct bench *b)
{
	struct graph *graph = b->ctx;
	int64_t *d = graph->distance;
	size_t n = graph->nodes;

	for (size_t k = 0; k < n; k++) {
		for (size_t i = 0; i < n; i++) {
			for (size_t j = 0; j < n; j++) {
				if (d[i * n + k] + d[k * n + j] < d[i * n + j])
					d[i * n + j] =
					    d[i * n + k] + d[k * n + j];
			}
		}
	}
	bench_check(memcmp(d, graph->shortest, n * n * sizeof(*d)) == 0,
	    "apsp: Floyd and Warshall's distances");
	free(graph->distance);
	free(graph->shortest);
	free(graph);
}

const struct bench_case savina_apsp = {
	.name = "apsp",
	.suite = SAVINA_SUITE,
	.group = SAVINA_PARALLELISM,
	.op = "a path that is compared with one by way of a node",
	.params = {
		{ "nodes", { 40, 300, 1000 } },
		{ "block_side", { 10, 50, 50 } },
		{ "weight_max", { 100, 100, 100 } },
	},
	.root = &root_behavior,
	.setup = apsp_setup,
	.teardown = apsp_teardown,
};
