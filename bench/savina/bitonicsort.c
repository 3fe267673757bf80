/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bitonicsort.c - Savina 18, Bitonic Sort: a large network of tiny actors.
 *
 * Batcher's network, a comparator being an actor.  It is put together as in the
 * original, which has it from StreamIt: the kernel is a pipeline of merge
 * stages, a stage one of steps; a step splits what comes by turns among its
 * partitions and joins what comes out of them in the same order; a partition
 * does so with its comparers.  Each of these makes what it consists of in its
 * start(), and hands its input on to it.
 *
 *     forward   value  ->  the same: what consists of others is one
 *     splitter  value  ->  its branches, `run` values to each in turn
 *     comparer  value  ->  two of them in order, as data
 *     joiner    data   ->  value, `run` of each branch in turn
 *     labeller  value  ->  data: says of which branch it is
 *
 * A quarter of a million actors that see a handful of messages each: spawning,
 * cold states, and dying in a wave.  Checked as in the original: order, sum and
 * number of what comes out.  The root is the network's end.
 */
#include <stdlib.h>

#include "savina.h"

enum { SEED = 2048 };

#define NET(MSG, P)                        \
	MSG(P, value, { uint64_t value; }) \
	MSG(P, data, {                     \
		uint64_t value;            \
		uint32_t branch;           \
	})                                 \
	MSG(P, end, TR_EMPTY)
TR_PROTOCOL(net, NET);

static net_ref
net_make(struct tr_self *self, const struct tr_behavior *behavior,
    const void *arg)
{
	net_ref ref = net_spawn(self, behavior, arg, NULL);

	bench_check(tr_ref_valid(ref.ref), "bitonicsort: spawn");
	return ref;
}

/* The end of input is handed on as the last deed. */
static int
net_end(struct tr_self *self, net_ref next)
{
	(void)net_send_end(self, next);
	return tr_exit(self, TR_NORMAL);
}

/* ----------------------------------------------------------- comparer --- */

/* What partitions and steps are made of, and comparers. */
struct part_arg {
	net_ref next;
	uint32_t length; /* values of a bitonic sequence */
	uint32_t sequences; /* of that length, in a step */
	uint32_t branch; /* its place among a step's partitions */
	uint32_t period; /* sequences of one direction; 0: all go up */
	bool up;
};

struct comparer {
	struct part_arg given;
	uint64_t first;
	bool waiting; /* for the second */
};

static int
comparer_start(struct tr_self *self, void *state, const void *arg)
{
	struct comparer *comparer = state;

	(void)self;
	comparer->given = *(const struct part_arg *)arg;
	return TR_OK;
}

static int
comparer_on_value(struct tr_self *self, struct comparer *comparer,
    const struct net_value *value)
{
	const struct part_arg *given = &comparer->given;
	struct net_data a = { comparer->first, given->branch };
	struct net_data b = { value->value, given->branch };
	bool keep = (a.value <= b.value) == given->up;
	int error;

	comparer->waiting = !comparer->waiting;
	if (comparer->waiting) {
		comparer->first = value->value;
		return TR_OK;
	}
	error = net_send_data(self, given->next, keep ? a : b);
	return error != TR_OK ? error :
				net_send_data(self, given->next, keep ? b : a);
}

static int
comparer_on_end(struct tr_self *self, struct comparer *comparer)
{
	return net_end(self, comparer->given.next);
}

TR_ACTOR(comparer, struct comparer, net, NET, .value = comparer_on_value,
    .end = comparer_on_end);

static const struct tr_behavior comparer_behavior = {
	.name = "comparer",
	.state_size = sizeof(struct comparer),
	.arg_size = sizeof(struct part_arg),
	.start = comparer_start,
	.receive = comparer_receive,
	.protocol = &net_protocol,
};

/* ----------------------------------------------------------- labeller --- */

struct labeller {
	net_ref next;
	uint32_t branch;
};

static int
labeller_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	*(struct labeller *)state = *(const struct labeller *)arg;
	return TR_OK;
}

static int
labeller_on_value(struct tr_self *self, struct labeller *labeller,
    const struct net_value *value)
{
	return net_send_data(self, labeller->next,
	    (struct net_data){ value->value, labeller->branch });
}

static int
labeller_on_end(struct tr_self *self, struct labeller *labeller)
{
	return net_end(self, labeller->next);
}

TR_ACTOR(labeller, struct labeller, net, NET, .value = labeller_on_value,
    .end = labeller_on_end);

static const struct tr_behavior labeller_behavior = {
	.name = "labeller",
	.state_size = sizeof(struct labeller),
	.arg_size = sizeof(struct labeller),
	.start = labeller_start,
	.receive = labeller_receive,
	.protocol = &net_protocol,
};

/* ------------------------------------------------------------ forward --- */

struct forward {
	net_ref first;
};

static int
forward_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	*(struct forward *)state = *(const struct forward *)arg;
	return TR_OK;
}

static int
forward_on_value(struct tr_self *self, struct forward *forward,
    const struct net_value *value)
{
	return net_send_value(self, forward->first, *value);
}

static int
forward_on_end(struct tr_self *self, struct forward *forward)
{
	return net_end(self, forward->first);
}

TR_ACTOR(forward, struct forward, net, NET, .value = forward_on_value,
    .end = forward_on_end);

static const struct tr_behavior forward_behavior = {
	.name = "forward",
	.state_size = sizeof(struct forward),
	.arg_size = sizeof(struct forward),
	.start = forward_start,
	.receive = forward_receive,
	.protocol = &net_protocol,
};

/* ----------------------------------------------------------- splitter --- */

/* How a splitter and its joiner share values among branches. */
struct sharing {
	uint32_t branches;
	uint32_t run; /* values for one, before it is the next one's turn */
	uint32_t each; /* values that a branch gets in all */
};

struct splitter_arg {
	const struct tr_behavior *behavior; /* of its branches */
	struct part_arg branch;
	struct sharing sharing;
};

struct splitter {
	struct sharing sharing;
	net_ref *branch;
	uint32_t at; /* the branch whose turn it is */
	uint32_t sent; /* to it in this turn */
};

static int
splitter_start(struct tr_self *self, void *state, const void *arg)
{
	const struct splitter_arg *given = arg;
	struct splitter *splitter = state;
	struct part_arg branch = given->branch;

	splitter->sharing = given->sharing;
	splitter->branch =
	    calloc(given->sharing.branches, sizeof(*splitter->branch));
	bench_check(splitter->branch != NULL, "bitonicsort: memory");
	for (uint32_t i = 0; i < given->sharing.branches; i++) {
		branch.branch = i;
		if (branch.period > 0)
			branch.up = i / branch.period % 2 == 0;
		splitter->branch[i] = net_make(self, given->behavior, &branch);
	}
	return TR_OK;
}

static void
splitter_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)self;
	(void)why;
	free(((struct splitter *)state)->branch);
}

static int
splitter_on_value(struct tr_self *self, struct splitter *splitter,
    const struct net_value *value)
{
	net_ref branch = splitter->branch[splitter->at];

	if (++splitter->sent == splitter->sharing.run) {
		splitter->sent = 0;
		splitter->at = (splitter->at + 1) % splitter->sharing.branches;
	}
	return net_send_value(self, branch, *value);
}

static int
splitter_on_end(struct tr_self *self, struct splitter *splitter)
{
	for (uint32_t i = 0; i < splitter->sharing.branches; i++)
		(void)net_send_end(self, splitter->branch[i]);
	return tr_exit(self, TR_NORMAL);
}

TR_ACTOR(splitter, struct splitter, net, NET, .value = splitter_on_value,
    .end = splitter_on_end);

static const struct tr_behavior splitter_behavior = {
	.name = "splitter",
	.state_size = sizeof(struct splitter),
	.arg_size = sizeof(struct splitter_arg),
	.start = splitter_start,
	.receive = splitter_receive,
	.stop = splitter_stop,
	.protocol = &net_protocol,
};

/* ------------------------------------------------------------- joiner --- */

struct joiner_arg {
	net_ref next;
	struct sharing sharing;
};

struct joiner {
	struct joiner_arg given;
	uint64_t *value; /* of branch b: from b * each on */
	uint32_t *came; /* of each branch */
	uint32_t passed; /* of all, in the order of their turns */
	uint32_t ended; /* branches */
};

static int
joiner_start(struct tr_self *self, void *state, const void *arg)
{
	struct joiner *joiner = state;
	const struct sharing *sharing = &joiner->given.sharing;

	(void)self;
	joiner->given = *(const struct joiner_arg *)arg;
	joiner->value = calloc((size_t)sharing->branches * sharing->each,
	    sizeof(*joiner->value));
	joiner->came = calloc(sharing->branches, sizeof(*joiner->came));
	bench_check(joiner->value != NULL && joiner->came != NULL,
	    "bitonicsort: memory");
	return TR_OK;
}

static void
joiner_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)self;
	(void)why;
	free(((struct joiner *)state)->value);
	free(((struct joiner *)state)->came);
}

static int
joiner_on_data(struct tr_self *self, struct joiner *joiner,
    const struct net_data *data)
{
	const struct sharing *sharing = &joiner->given.sharing;
	uint32_t branch, nth = joiner->came[data->branch]++;
	int error = TR_OK;

	bench_check(nth < sharing->each,
	    "bitonicsort: a branch has no more than its share");
	joiner->value[data->branch * sharing->each + nth] = data->value;
	while (joiner->passed < sharing->branches * sharing->each) {
		branch = joiner->passed / sharing->run % sharing->branches;
		nth = joiner->passed / (sharing->run * sharing->branches) *
			sharing->run +
		    joiner->passed % sharing->run;
		if (nth >= joiner->came[branch] || error != TR_OK)
			break;
		error = net_send_value(self, joiner->given.next,
		    (struct net_value){
			joiner->value[branch * sharing->each + nth] });
		joiner->passed++;
	}
	return error;
}

static int
joiner_on_end(struct tr_self *self, struct joiner *joiner)
{
	if (++joiner->ended < joiner->given.sharing.branches)
		return TR_OK;
	return net_end(self, joiner->given.next);
}

TR_ACTOR(joiner, struct joiner, net, NET, .data = joiner_on_data,
    .end = joiner_on_end);

static const struct tr_behavior joiner_behavior = {
	.name = "joiner",
	.state_size = sizeof(struct joiner),
	.arg_size = sizeof(struct joiner_arg),
	.start = joiner_start,
	.receive = joiner_receive,
	.stop = joiner_stop,
	.protocol = &net_protocol,
};

/* --------------------------------------- partitions, steps and stages --- */

/* Compares the values of its sequence with those half of it later. */
static int
partition_start(struct tr_self *self, void *state, const void *arg)
{
	const struct part_arg *given = arg;
	struct labeller labeller = { given->next, given->branch };
	struct joiner_arg joiner = {
		.sharing = { .branches = given->length / 2,
		    .run = 1,
		    .each = 2 },
	};
	struct splitter_arg splitter = {
		.behavior = &comparer_behavior,
		.branch = { .up = given->up },
		.sharing = joiner.sharing,
	};

	joiner.next = net_make(self, &labeller_behavior, &labeller);
	splitter.branch.next = net_make(self, &joiner_behavior, &joiner);
	((struct forward *)state)->first =
	    net_make(self, &splitter_behavior, &splitter);
	return TR_OK;
}

static const struct tr_behavior partition_behavior = {
	.name = "partition",
	.state_size = sizeof(struct forward),
	.arg_size = sizeof(struct part_arg),
	.start = partition_start,
	.receive = forward_receive,
	.protocol = &net_protocol,
};

/* All sequences of one length; a partition of two values is a comparer. */
static int
step_start(struct tr_self *self, void *state, const void *arg)
{
	const struct part_arg *given = arg;
	struct forward out = { given->next };
	struct joiner_arg joiner = {
		.next = given->next,
		.sharing = { .branches = given->sequences,
		    .run = given->length,
		    .each = given->length },
	};
	struct splitter_arg splitter = {
		.behavior = given->length > 2 ? &partition_behavior :
						&comparer_behavior,
		.branch = *given,
		.sharing = joiner.sharing,
	};

	if (given->period > 0)
		joiner.next = net_make(self, &forward_behavior, &out);
	splitter.branch.next = net_make(self, &joiner_behavior, &joiner);
	((struct forward *)state)->first =
	    net_make(self, &splitter_behavior, &splitter);
	return TR_OK;
}

static const struct tr_behavior step_behavior = {
	.name = "step",
	.state_size = sizeof(struct forward),
	.arg_size = sizeof(struct part_arg),
	.start = step_start,
	.receive = forward_receive,
	.protocol = &net_protocol,
};

struct stage_arg {
	net_ref next;
	uint32_t merged; /* the length of what it leaves sorted */
	uint32_t values;
};

/* Steps for sequences of length `merged`, half of it, ..., 2. */
static int
stage_start(struct tr_self *self, void *state, const void *arg)
{
	const struct stage_arg *given = arg;
	struct part_arg step = { .next = given->next, .up = true };
	bool last = given->merged == given->values;

	for (uint32_t i = given->merged / 2; i >= 1; i /= 2) {
		step.length = given->merged / i;
		step.sequences = given->values / step.length;
		step.period = last ? 0 : i;
		step.next = net_make(self, &step_behavior, &step);
	}
	((struct forward *)state)->first = step.next;
	return TR_OK;
}

static const struct tr_behavior stage_behavior = {
	.name = "stage",
	.state_size = sizeof(struct forward),
	.arg_size = sizeof(struct stage_arg),
	.start = stage_start,
	.receive = forward_receive,
	.protocol = &net_protocol,
};

static int
kernel_start(struct tr_self *self, void *state, const void *arg)
{
	struct stage_arg stage = *(const struct stage_arg *)arg;

	for (stage.merged = stage.values; stage.merged >= 2; stage.merged /= 2)
		stage.next = net_make(self, &stage_behavior, &stage);
	((struct forward *)state)->first = stage.next;
	return TR_OK;
}

static const struct tr_behavior kernel_behavior = {
	.name = "kernel",
	.state_size = sizeof(struct forward),
	.arg_size = sizeof(struct stage_arg),
	.start = kernel_start,
	.receive = forward_receive,
	.protocol = &net_protocol,
};

/* ------------------------------------------------------------- source --- */

struct source {
	net_ref first;
	uint32_t values;
};

/* It sends all there is, and ends. */
static int
source_start(struct tr_self *self, void *state, const void *arg)
{
	const struct source *given = arg;
	struct savina_random random = { SEED };
	int error = TR_OK;

	(void)state;
	for (uint32_t i = 0; i < given->values && error == TR_OK; i++)
		error = net_send_value(self, given->first,
		    (struct net_value){ savina_random_next(&random) });
	return error == TR_OK ? net_end(self, given->first) : error;
}

TR_ACTOR(source, struct source, net, NET, .value = NULL);

static const struct tr_behavior source_behavior = {
	.name = "source",
	.arg_size = sizeof(struct source),
	.start = source_start,
	.receive = source_receive,
	.protocol = &net_protocol,
};

/* --------------------------------------------------------------- root --- */

struct root {
	struct bench *b;
	uint64_t last;
	uint64_t sum; /* what the values still to come have to add up to */
	uint32_t left; /* values to come */
};

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct root *root = state;
	struct savina_random random = { SEED };
	struct stage_arg stage = { .next = net_of(tr_self_ref(self)) };
	struct source source;

	root->b = bench_of(arg);
	root->left = (uint32_t)bench_param(root->b, "values");
	for (uint32_t i = 0; i < root->left; i++)
		root->sum += savina_random_next(&random);
	bench_begin(root->b, self);
	stage.values = source.values = root->left;
	source.first = net_make(self, &kernel_behavior, &stage);
	(void)net_make(self, &source_behavior, &source);
	return TR_OK;
}

static int
root_on_value(struct tr_self *self, struct root *root,
    const struct net_value *value)
{
	(void)self;
	bench_check(root->left > 0 && value->value >= root->last,
	    "bitonicsort: the values in order, each once");
	root->last = value->value;
	root->sum -= value->value;
	root->left--;
	return TR_OK;
}

/* Each of the values met a comparator of each step. */
static int
root_on_end(struct tr_self *self, struct root *root)
{
	uint64_t values = bench_param(root->b, "values");
	uint64_t stages = (uint64_t)__builtin_ctzll(values);

	bench_check(root->left == 0 && root->sum == 0,
	    "bitonicsort: all of the values");
	return bench_end(root->b, self, values * stages * (stages + 1) / 2);
}

TR_ACTOR(root, struct root, net, NET, .value = root_on_value,
    .end = root_on_end);

static const struct tr_behavior root_behavior = {
	.name = "root",
	.state_size = sizeof(struct root),
	.arg_size = sizeof(struct bench *),
	.start = root_start,
	.receive = root_receive,
	.protocol = &net_protocol,
};

const struct bench_case savina_bitonicsort = {
	.name = "bitonicsort",
	.suite = SAVINA_SUITE,
	.group = SAVINA_PARALLELISM,
	.op = "a value that passes a step: some nine messages",
	.params = { { "values", { 32, 4096, 32768 } } }, /* a power of two */
	.root = &root_behavior,
};
