/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * astar.c - Savina 29, A* Search: a search that spreads over a grid.
 *
 * From a corner of a cube of nodes, whose edges are drawn by chance and lead
 * away from the corner, a way is searched to a node near the far corner.  Each
 * node that is reached costs some time.
 *
 * In the original all workers mark nodes in one table, by compare-and-swap, and
 * get nodes to go on from by way of a master, in turn.  Here nothing that
 * changes is shared: each node belongs to a worker, who alone knows whether and
 * from where it was reached, and who is told of each edge that leads to it.  So
 * there are many more messages, and none goes through the master.  A worker
 * that has gone on from as many nodes as the threshold says lets others run
 * first.
 *
 * Checked: the way leads from the target back to the origin, by edges of the
 * graph, and is as long as the search said.  (The original: it leads there.)
 */
#include <stdlib.h>

#include "savina.h"

enum { EDGES = 6, SEED = 123456, BUSY = 100 };

#define NOWHERE UINT32_MAX

#define SEARCH(MSG, P)                        \
	MSG(P, reach, {                       \
		uint32_t node;                \
		uint32_t from;                \
		uint32_t distance;            \
	})                                    \
	MSG(P, more, TR_EMPTY)                \
	MSG(P, found, { uint32_t distance; }) \
	MSG(P, finish, TR_EMPTY)              \
	MSG(P, finished, { uint64_t nodes; }) \
	MSG(P, trace, {                       \
		uint32_t node;                \
		uint32_t length;              \
	})                                    \
	MSG(P, traced, { uint32_t length; })
TR_PROTOCOL(search, SEARCH);

/* It does not change. */
struct graph {
	uint32_t side;
	uint32_t nodes;
	uint32_t target;
	uint32_t (*edge)[EDGES]; /* of each node: others, then NOWHERE */
	search_ref *worker; /* node n belongs to number n % workers; the master
	                     * fills it in before the first message */
	uint32_t workers;
};

static search_ref
graph_owner(const struct graph *graph, uint32_t node)
{
	return graph->worker[node % graph->workers];
}

static bool
graph_has_edge(const struct graph *graph, uint32_t from, uint32_t to)
{
	for (int i = 0; i < EDGES; i++) {
		if (graph->edge[from][i] == to)
			return true;
	}
	return false;
}

/* ------------------------------------------------------------- worker --- */

struct worker_arg {
	search_ref master;
	const struct graph *graph;
	uint64_t threshold;
	uint32_t number;
};

/* How a node was reached. */
struct reached {
	uint32_t from;
	uint32_t distance;
};

struct worker {
	struct worker_arg given;
	struct reached *reached; /* its node n: at n / workers */
	uint32_t *queue; /* nodes to go on from, each at most once */
	size_t head, tail;
	uint64_t nodes; /* that it went on from */
	struct savina_java_random random;
	double busy;
	bool more; /* a message to itself is under way */
	bool finish;
};

static struct reached *
worker_reached(const struct worker *worker, uint32_t node)
{
	return &worker->reached[node / worker->given.graph->workers];
}

static int
worker_start(struct tr_self *self, void *state, const void *arg)
{
	struct worker *worker = state;
	const struct graph *graph;
	size_t nodes;

	(void)self;
	worker->given = *(const struct worker_arg *)arg;
	graph = worker->given.graph;
	nodes = graph->nodes / graph->workers + 1;
	worker->reached = malloc(nodes * sizeof(*worker->reached));
	worker->queue = malloc(nodes * sizeof(*worker->queue));
	bench_check(worker->reached != NULL && worker->queue != NULL,
	    "astar: memory");
	for (size_t i = 0; i < nodes; i++)
		worker->reached[i].from = NOWHERE;
	worker->random = savina_java_random(worker->given.number);
	return TR_OK;
}

static void
worker_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct worker *worker = state;

	(void)self;
	(void)why;
	free(worker->reached);
	free(worker->queue);
}

static int
worker_reach(struct tr_self *self, struct worker *worker,
    const struct search_reach *reach)
{
	struct reached *reached = worker_reached(worker, reach->node);

	if (reached->from != NOWHERE)
		return TR_OK;
	*reached = (struct reached){ reach->from, reach->distance };
	if (reach->node == worker->given.graph->target)
		return search_send_found(self, worker->given.master,
		    (struct search_found){ reach->distance });
	worker->queue[worker->tail++] = reach->node;
	return TR_OK;
}

/* Take the time that a node costs, and follow its edges. */
static int
worker_go_on(struct tr_self *self, struct worker *worker, uint32_t node)
{
	const struct graph *graph = worker->given.graph;
	struct search_reach reach = { .from = node,
		.distance = worker_reached(worker, node)->distance + 1 };
	int error = TR_OK;

	for (int i = 0; i < BUSY; i++)
		worker->busy += savina_java_double(&worker->random);
	worker->nodes++;
	for (int i = 0; i < EDGES && error == TR_OK; i++) {
		reach.node = graph->edge[node][i];
		if (reach.node == NOWHERE)
			break;
		if (reach.node % graph->workers == worker->given.number)
			error = worker_reach(self, worker, &reach);
		else
			error = search_send_reach(self,
			    graph_owner(graph, reach.node), reach);
	}
	return error;
}

static int
worker_search(struct tr_self *self, struct worker *worker)
{
	uint64_t left = worker->given.threshold;
	int error = TR_OK;

	while (worker->head < worker->tail && left-- > 0 && error == TR_OK)
		error =
		    worker_go_on(self, worker, worker->queue[worker->head++]);
	if (error != TR_OK || worker->head == worker->tail)
		return error;
	worker->more = true;
	return search_send_more(self, search_of(tr_self_ref(self)));
}

static int
on_reach(struct tr_self *self, struct worker *worker,
    const struct search_reach *reach)
{
	int error;

	if (worker->finish)
		return TR_OK;
	error = worker_reach(self, worker, reach);
	if (error != TR_OK || worker->more)
		return error;
	return worker_search(self, worker);
}

static int
on_more(struct tr_self *self, struct worker *worker)
{
	worker->more = false;
	return worker->finish ? TR_OK : worker_search(self, worker);
}

static int
on_finish(struct tr_self *self, struct worker *worker)
{
	worker->finish = true;
	return search_reply_finished(self,
	    (struct search_finished){ worker->nodes });
}

static int
on_trace(struct tr_self *self, struct worker *worker,
    const struct search_trace *trace)
{
	const struct graph *graph = worker->given.graph;
	uint32_t from = worker_reached(worker, trace->node)->from;

	bench_check(from != NOWHERE, "astar: a node of the way was reached");
	if (trace->node == 0)
		return search_send_traced(self, worker->given.master,
		    (struct search_traced){ trace->length });
	bench_check(graph_has_edge(graph, from, trace->node),
	    "astar: the way goes by edges");
	return search_send_trace(self, graph_owner(graph, from),
	    (struct search_trace){ from, trace->length + 1 });
}

TR_ACTOR(worker, struct worker, search, SEARCH, .reach = on_reach,
    .more = on_more, .finish = on_finish, .trace = on_trace);

static const struct tr_behavior worker_behavior = {
	.name = "worker",
	.state_size = sizeof(struct worker),
	.arg_size = sizeof(struct worker_arg),
	.start = worker_start,
	.receive = worker_receive,
	.stop = worker_stop,
	.protocol = &search_protocol,
};

/* ------------------------------------------------------------- master --- */

struct master {
	struct bench *b;
	const struct graph *graph;
	uint64_t nodes; /* that workers went on from */
	uint32_t distance; /* of the target, as the search says */
	uint32_t left; /* workers that have not finished */
};

static int
master_start(struct tr_self *self, void *state, const void *arg)
{
	struct master *master = state;
	struct worker_arg given = { .master = search_of(tr_self_ref(self)) };
	struct graph *graph;

	master->b = bench_of(arg);
	graph = master->b->ctx;
	given.graph = master->graph = graph;
	given.threshold = bench_param(master->b, "threshold");
	bench_begin(master->b, self);
	master->left = graph->workers;
	for (uint32_t i = 0; i < graph->workers; i++) {
		given.number = i;
		graph->worker[i] =
		    search_spawn(self, &worker_behavior, &given, NULL);
		bench_check(tr_ref_valid(graph->worker[i].ref), "astar: spawn");
	}
	return search_send_reach(self, graph->worker[0],
	    (struct search_reach){ 0 });
}

static int
on_found(struct tr_self *self, struct master *master,
    const struct search_found *found)
{
	int error = TR_OK;

	master->distance = found->distance;
	for (uint32_t i = 0; i < master->graph->workers && error == TR_OK; i++)
		error = search_send_finish(self, master->graph->worker[i]);
	return error;
}

static int
on_finished(struct tr_self *self, struct master *master,
    const struct search_finished *finished)
{
	uint32_t target = master->graph->target;

	master->nodes += finished->nodes;
	if (--master->left > 0)
		return TR_OK;
	return search_send_trace(self, graph_owner(master->graph, target),
	    (struct search_trace){ target, 0 });
}

static int
on_traced(struct tr_self *self, struct master *master,
    const struct search_traced *traced)
{
	bench_check(traced->length == master->distance,
	    "astar: the way is as long as the search said");
	return bench_end(master->b, self, master->nodes);
}

TR_ACTOR(master, struct master, search, SEARCH, .found = on_found,
    .finished = on_finished, .traced = on_traced);

static const struct tr_behavior master_behavior = {
	.name = "master",
	.state_size = sizeof(struct master),
	.arg_size = sizeof(struct bench *),
	.start = master_start,
	.receive = master_receive,
	.protocol = &search_protocol,
};

/* -------------------------------------------------------------- graph --- */

static uint32_t
graph_step(const struct graph *graph, uint32_t at, uint32_t by)
{
	return at + by < graph->side ? at + by : graph->side - 1;
}

static void
graph_add_edge(struct graph *graph, uint32_t from, uint32_t to, int *edges)
{
	if (to != from && !graph_has_edge(graph, from, to))
		graph->edge[from][(*edges)++] = to;
}

/* The original's edges: to six of the eight corners of the small cube that
 * begins at the node, each by the toss of a coin, but at least one. */
static void
graph_draw(struct graph *graph, struct savina_java_random *random,
    uint32_t node)
{
	uint32_t side = graph->side, to;
	uint32_t x = node / side / side, y = node / side % side;
	uint32_t z = node % side;
	int edges = 0;

	for (int i = 0; i < EDGES; i++)
		graph->edge[node][i] = NOWHERE;
	for (uint32_t corner = 1; corner < 7; corner++) {
		if (!(corner == 6 && edges == 0) &&
		    savina_java_bits(random, 1) == 0)
			continue;
		to = graph_step(graph, x, corner >> 2);
		to = to * side + graph_step(graph, y, corner >> 1 & 1);
		to = to * side + graph_step(graph, z, corner & 1);
		graph_add_edge(graph, node, to, &edges);
	}
}

/* Edges lead to higher numbers, so one pass finds what can be reached. */
static bool
graph_can_reach(const struct graph *graph)
{
	bool *can = calloc(graph->nodes, sizeof(*can)), found;

	bench_check(can != NULL, "astar: memory");
	can[0] = true;
	for (uint32_t node = 0; node < graph->nodes; node++) {
		for (int i = 0; can[node] && i < EDGES; i++) {
			if (graph->edge[node][i] != NOWHERE)
				can[graph->edge[node][i]] = true;
		}
	}
	found = can[graph->target];
	free(can);
	return found;
}

static void
astar_setup(struct bench *b)
{
	struct savina_java_random random = savina_java_random(SEED);
	struct graph *graph = calloc(1, sizeof(*graph));
	uint32_t far;

	bench_check(graph != NULL, "astar: memory");
	graph->side = (uint32_t)bench_param(b, "side");
	graph->nodes = graph->side * graph->side * graph->side;
	far = graph->side * 8 / 10;
	graph->target = (far * graph->side + far) * graph->side + far;
	graph->workers = (uint32_t)bench_param(b, "workers");
	bench_check(graph->workers > 0, "astar: workers");
	graph->edge = malloc(graph->nodes * sizeof(*graph->edge));
	graph->worker = calloc(graph->workers, sizeof(*graph->worker));
	bench_check(graph->edge != NULL && graph->worker != NULL,
	    "astar: memory");
	for (uint32_t node = 0; node < graph->nodes; node++)
		graph_draw(graph, &random, node);
	bench_check(graph_can_reach(graph), "astar: there is a way");
	b->ctx = graph;
}

static void
astar_teardown(struct bench *b)
{
	struct graph *graph = b->ctx;

	free(graph->edge);
	free(graph->worker);
	free(graph);
}

const struct bench_case savina_astar = {
	.name = "astar",
	.suite = SAVINA_SUITE,
	.group = SAVINA_PARALLELISM,
	.op = "a node that the search went on from",
	.note = "no priorities; each node belongs to a worker, where the "
		"original's workers share a table",
	.params = {
		{ "side", { 12, 30, 180 } },
		{ "threshold", { 3, 1024, 1024 } },
		{ "workers", { 20, 20, 20 } },
	},
	.root = &master_behavior,
	.setup = astar_setup,
	.teardown = astar_teardown,
};
