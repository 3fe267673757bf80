/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * radixsort.c - Savina 17, Radix Sort: a pipeline with a stage for each bit.
 *
 * A stage passes values without its bit on at once and keeps those with it
 * until all have come by: first the lowest bit, last the highest.  It shows
 * what a long pipeline of small messages costs, of which only a few stages have
 * something to do at a time.  The original's generator draws 16 bits, so most
 * of the 60 stages pass everything on.
 *
 * Checked as in the original: order and sum of what comes out, and besides the
 * number.  The root is the pipeline's end.
 */
#include <stdlib.h>

#include "savina.h"

enum { SEED = 2048 };

#define PIPE(MSG, P) MSG(P, value, { uint64_t value; })
TR_PROTOCOL(pipe, PIPE);

struct stage_arg {
	pipe_ref next;
	uint64_t bit;
	uint64_t values; /* how many will come */
};

struct stage {
	struct stage_arg given;
	uint64_t *kept;
	uint64_t kept_count;
	uint64_t seen;
};

struct source_arg {
	pipe_ref first;
	uint64_t values;
};

struct root {
	struct bench *b;
	uint64_t left; /* values to come */
	uint64_t last;
	uint64_t sum; /* what the values still to come have to add up to */
};

/* -------------------------------------------------------------- stage --- */

static int
stage_start(struct tr_self *self, void *state, const void *arg)
{
	struct stage *stage = state;

	(void)self;
	stage->given = *(const struct stage_arg *)arg;
	stage->kept = malloc(stage->given.values * sizeof(*stage->kept));
	return stage->kept != NULL ? TR_OK : TR_ENOMEM;
}

static void
stage_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct stage *stage = state;

	(void)self;
	(void)why;
	free(stage->kept);
}

static int
stage_pass(struct tr_self *self, const struct stage *stage, uint64_t value)
{
	return pipe_send_value(self, stage->given.next,
	    (struct pipe_value){ value });
}

static int
on_value(struct tr_self *self, struct stage *stage,
    const struct pipe_value *value)
{
	int error = TR_OK;

	if ((value->value & stage->given.bit) == 0)
		error = stage_pass(self, stage, value->value);
	else
		stage->kept[stage->kept_count++] = value->value;
	if (++stage->seen < stage->given.values)
		return error;
	for (uint64_t i = 0; i < stage->kept_count && error == TR_OK; i++)
		error = stage_pass(self, stage, stage->kept[i]);
	return error == TR_OK ? tr_exit(self, TR_NORMAL) : error;
}

TR_ACTOR(stage, struct stage, pipe, PIPE, .value = on_value);

static const struct tr_behavior stage_behavior = {
	.name = "stage",
	.state_size = sizeof(struct stage),
	.arg_size = sizeof(struct stage_arg),
	.start = stage_start,
	.receive = stage_receive,
	.stop = stage_stop,
	.protocol = &pipe_protocol,
};

/* ------------------------------------------------------------- source --- */

struct source {
	char none;
};

/* It sends all there is, and ends. */
static int
source_start(struct tr_self *self, void *state, const void *arg)
{
	const struct source_arg *given = arg;
	struct savina_random random = { SEED };
	int error = TR_OK;

	(void)state;
	for (uint64_t i = 0; i < given->values && error == TR_OK; i++)
		error = pipe_send_value(self, given->first,
		    (struct pipe_value){ savina_random_next(&random) });
	return error == TR_OK ? tr_exit(self, TR_NORMAL) : error;
}

TR_ACTOR(source, struct source, pipe, PIPE, .value = NULL);

static const struct tr_behavior source_behavior = {
	.name = "source",
	.arg_size = sizeof(struct source_arg),
	.start = source_start,
	.receive = source_receive,
	.protocol = &pipe_protocol,
};

/* --------------------------------------------------------------- root --- */

static uint64_t
root_sum(uint64_t values)
{
	struct savina_random random = { SEED };
	uint64_t sum = 0;

	while (values-- > 0)
		sum += savina_random_next(&random);
	return sum;
}

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct root *root = state;
	struct stage_arg stage = { .next = pipe_of(tr_self_ref(self)) };
	struct source_arg source;
	uint64_t bits;

	root->b = bench_of(arg);
	root->left = bench_param(root->b, "values");
	root->sum = root_sum(root->left);
	bits = bench_param(root->b, "bits");
	bench_begin(root->b, self);
	stage.values = root->left;
	for (uint64_t bit = bits; bit-- > 0;) {
		stage.bit = UINT64_C(1) << bit;
		stage.next = pipe_spawn(self, &stage_behavior, &stage, NULL);
		bench_check(tr_ref_valid(stage.next.ref), "radixsort: spawn");
	}
	source = (struct source_arg){ stage.next, root->left };
	bench_check(tr_ref_valid(
			pipe_spawn(self, &source_behavior, &source, NULL).ref),
	    "radixsort: spawn");
	return TR_OK;
}

static int
on_sorted(struct tr_self *self, struct root *root,
    const struct pipe_value *value)
{
	bench_check(root->left > 0 && value->value >= root->last,
	    "radixsort: the values in order, each once");
	root->last = value->value;
	root->sum -= value->value;
	if (--root->left > 0)
		return TR_OK;
	bench_check(root->sum == 0, "radixsort: the sum of the values");
	return bench_end(root->b, self,
	    bench_param(root->b, "values") *
		(bench_param(root->b, "bits") + 1));
}

TR_ACTOR(root, struct root, pipe, PIPE, .value = on_sorted);

static const struct tr_behavior root_behavior = {
	.name = "root",
	.state_size = sizeof(struct root),
	.arg_size = sizeof(struct bench *),
	.start = root_start,
	.receive = root_receive,
	.protocol = &pipe_protocol,
};

const struct bench_case savina_radixsort = {
	.name = "radixsort",
	.suite = SAVINA_SUITE,
	.group = SAVINA_PARALLELISM,
	.op = "a message: a value passed on from stage to stage",
	.params = {
		{ "values", { 300, 100000, 1000000 } },
		{ "bits", { 60, 60, 60 } },
	},
	.root = &root_behavior,
};
