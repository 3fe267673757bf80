/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quicksort.c - Savina 26, Quicksort: divide and conquer with large messages.
 *
 * A sorter gets a message of values.  If they are few it sorts them; else it
 * sends those below the middle one and those above it to two new sorters, and
 * puts what comes back around those equal to it.  All values are copied at each
 * level, down and up, as in the original: messages of megabytes, and memory
 * that goes from one core to another.
 *
 * Checked as in the original, and like there within the time: number and order
 * of the values; and their sum.  Values have 16 bits, so many are equal.
 */
#include <stdlib.h>
#include <string.h>

#include "savina.h"

/* Messages are of no fixed size, so they have no protocol: values, and in the
 * answer's tag on which side of the middle they belong. */
enum { SORT, BELOW, ABOVE, ALL };

enum { SEED = 1024, FRAGMENTS = 2 };

static struct tr_msg *
message_new(struct tr_self *self, uint32_t tag, size_t count)
{
	struct tr_msg *msg =
	    tr_msg_new(self, tag, count * sizeof(uint64_t), NULL);

	bench_check(msg != NULL, "quicksort: memory");
	return msg;
}

static size_t
message_count(const struct tr_msg *msg)
{
	return tr_size(msg) / sizeof(uint64_t);
}

/* ------------------------------------------------------------- sorter --- */

struct sorter_arg {
	tr_ref parent;
	uint32_t side; /* which of the parent's: the answer's tag */
	uint32_t padding;
	uint64_t few; /* so many are divided no more */
};

struct sorter {
	struct sorter_arg given;
	uint64_t middle;
	uint64_t equal; /* values equal to it */
	struct tr_msg *fragment[FRAGMENTS]; /* sorted, below and above */
	int answered;
};

/* Defined below; a sorter spawns actors of its own kind. */
static const struct tr_behavior sorter_behavior;

static int
compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

static int
sorter_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	((struct sorter *)state)->given = *(const struct sorter_arg *)arg;
	return TR_OK;
}

static void
sorter_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct sorter *sorter = state;

	(void)self;
	(void)why;
	for (int i = 0; i < FRAGMENTS; i++)
		tr_msg_drop(&sorter->fragment[i]);
}

static int
sorter_answer(struct tr_self *self, const struct sorter *sorter,
    struct tr_msg *sorted)
{
	int error = tr_send_msg(self, sorter->given.parent, &sorted);

	return error != TR_OK ? error : tr_exit(self, TR_NORMAL);
}

static int
sorter_delegate(struct tr_self *self, const struct sorter *sorter,
    uint32_t side, struct tr_msg *values)
{
	struct sorter_arg child = { tr_self_ref(self), side, 0,
		sorter->given.few };
	tr_ref ref = tr_spawn(self, &sorter_behavior, &child, NULL);

	bench_check(tr_ref_valid(ref), "quicksort: spawn");
	return tr_send_msg(self, ref, &values);
}

static int
sorter_divide(struct tr_self *self, struct sorter *sorter,
    const uint64_t *value, size_t count)
{
	uint64_t middle = value[count / 2];
	size_t below = 0, above = 0;
	struct tr_msg *low, *high;
	uint64_t *to_low, *to_high;
	int error;

	for (size_t i = 0; i < count; i++) {
		below += value[i] < middle;
		above += value[i] > middle;
	}
	sorter->middle = middle;
	sorter->equal = count - below - above;
	low = message_new(self, SORT, below);
	high = message_new(self, SORT, above);
	to_low = tr_msg_data(low);
	to_high = tr_msg_data(high);
	for (size_t i = 0; i < count; i++) {
		if (value[i] < middle)
			*to_low++ = value[i];
		else if (value[i] > middle)
			*to_high++ = value[i];
	}
	error = sorter_delegate(self, sorter, BELOW, low);
	return error != TR_OK ? error :
				sorter_delegate(self, sorter, ABOVE, high);
}

static int
on_sort(struct tr_self *self, struct sorter *sorter, const struct tr_msg *msg)
{
	size_t count = message_count(msg);
	struct tr_msg *sorted;

	if (count >= sorter->given.few)
		return sorter_divide(self, sorter, tr_data(msg, 0), count);
	sorted = message_new(self, sorter->given.side, count);
	if (count > 0) {
		memcpy(tr_msg_data(sorted), tr_data(msg, 0), tr_size(msg));
		qsort(tr_msg_data(sorted), count, sizeof(uint64_t), compare);
	}
	return sorter_answer(self, sorter, sorted);
}

static int
on_sorted(struct tr_self *self, struct sorter *sorter, const struct tr_msg *msg)
{
	struct tr_msg **fragment = sorter->fragment;
	struct tr_msg *sorted = tr_take(self, msg);
	uint64_t *value;

	bench_check(sorted != NULL, "quicksort: memory");
	fragment[tr_tag(msg) - BELOW] = sorted;
	if (++sorter->answered < FRAGMENTS)
		return TR_OK;
	sorted = message_new(self, sorter->given.side,
	    message_count(fragment[0]) + sorter->equal +
		message_count(fragment[1]));
	value = tr_msg_data(sorted);
	memcpy(value, tr_data(fragment[0], 0), tr_size(fragment[0]));
	value += message_count(fragment[0]);
	for (uint64_t i = 0; i < sorter->equal; i++)
		*value++ = sorter->middle;
	memcpy(value, tr_data(fragment[1], 0), tr_size(fragment[1]));
	return sorter_answer(self, sorter, sorted);
}

static int
sorter_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	switch (tr_tag(msg)) {
	case SORT: return on_sort(self, state, msg);
	case BELOW:
	case ABOVE: return on_sorted(self, state, msg);
	default: return tr_unhandled(self, msg);
	}
}

static const struct tr_behavior sorter_behavior = {
	.name = "sorter",
	.state_size = sizeof(struct sorter),
	.arg_size = sizeof(struct sorter_arg),
	.start = sorter_start,
	.receive = sorter_receive,
	.stop = sorter_stop,
};

/* --------------------------------------------------------------- root --- */

struct input {
	uint64_t *value;
	size_t count;
	uint64_t sum;
};

struct root {
	struct bench *b;
	const struct input *input;
	uint64_t left; /* times to sort it */
};

static int
root_sort(struct tr_self *self, const struct root *root)
{
	struct sorter_arg top = { .parent = tr_self_ref(self), .side = ALL };
	tr_ref sorter;

	top.few = bench_param(root->b, "sequential_below");
	sorter = tr_spawn(self, &sorter_behavior, &top, NULL);
	bench_check(tr_ref_valid(sorter), "quicksort: spawn");
	return tr_send(self, sorter, SORT, root->input->value,
	    root->input->count * sizeof(uint64_t));
}

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct root *root = state;

	root->b = bench_of(arg);
	root->input = root->b->ctx;
	root->left = bench_param(root->b, "rounds");
	bench_begin(root->b, self);
	return root_sort(self, root);
}

static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct root *root = state;
	const uint64_t *value = tr_data(msg, 0);
	size_t count = message_count(msg);
	uint64_t sum = 0;

	if (tr_tag(msg) != ALL)
		return tr_unhandled(self, msg);
	bench_check(count == root->input->count, "quicksort: all of them");
	for (size_t i = 0; i < count; i++) {
		bench_check(i == 0 || value[i - 1] <= value[i],
		    "quicksort: the values in order");
		sum += value[i];
	}
	bench_check(sum == root->input->sum, "quicksort: the values' sum");
	if (--root->left > 0)
		return root_sort(self, root);
	return bench_end(root->b, self, count * bench_param(root->b, "rounds"));
}

static const struct tr_behavior root_behavior = {
	.name = "root",
	.state_size = sizeof(struct root),
	.arg_size = sizeof(struct bench *),
	.start = root_start,
	.receive = root_receive,
};

/* -------------------------------------------------------------- input --- */

static void
quicksort_setup(struct bench *b)
{
	struct savina_random random = { SEED };
	struct input *input = calloc(1, sizeof(*input));

	bench_check(input != NULL, "quicksort: memory");
	input->count = bench_param(b, "values");
	input->value = malloc(input->count * sizeof(*input->value));
	bench_check(input->value != NULL, "quicksort: memory");
	for (size_t i = 0; i < input->count; i++) {
		input->value[i] = savina_random_next(&random);
		input->sum += input->value[i];
	}
	b->ctx = input;
}

static void
quicksort_teardown(struct bench *b)
{
	struct input *input = b->ctx;

	free(input->value);
	free(input);
}

const struct bench_case savina_quicksort = {
	.name = "quicksort",
	.suite = SAVINA_SUITE,
	.group = SAVINA_PARALLELISM,
	.op = "a value",
	.params = {
		{ "values", { 5000, 1000000, 8000000 } },
		{ "rounds", { 2, 1, 2 } },
		{ "sequential_below", { 128, 2048, 2048 } },
	},
	.root = &root_behavior,
	.setup = quicksort_setup,
	.teardown = quicksort_teardown,
};
