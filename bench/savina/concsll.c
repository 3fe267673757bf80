/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * concsll.c - Savina 10, Concurrent Sorted Linked-List: one actor owns a list.
 *
 * Twenty workers insert numbers, look for numbers and ask for the length, one
 * request at a time each.  As in the dictionary one mailbox has many senders,
 * but the service takes as long as the list is.
 *
 * The original checks nothing.  Here the list is never shorter than what a
 * worker has inserted, and says as often that it found a number as is heard.
 * At the end the workers' numbers are drawn a second time: the list has to hold
 * these and be sorted, and finds those that it holds and no others.
 */
#include <stdlib.h>

#include "savina.h"

#define LIST(MSG, P)                          \
	MSG(P, insert, { uint32_t value; })   \
	MSG(P, contains, { uint32_t value; }) \
	MSG(P, length, TR_EMPTY)              \
	MSG(P, found, TR_EMPTY)               \
	MSG(P, result, { uint64_t value; })   \
	MSG(P, done, { uint64_t found; })
TR_PROTOCOL(list, LIST);

enum { VALUES = 65536 }; /* the generator's range */

struct node {
	struct node *next;
	uint32_t value;
};

struct sorted {
	struct node *first;
	uint64_t length;
};

struct list {
	struct sorted *sorted; /* looked through in teardown() */
	uint64_t found; /* so many times a number was */
};

enum request { INSERT, CONTAINS, LENGTH };

/* What a worker does is known from its number. */
struct worker_plan {
	uint64_t number;
	uint64_t requests;
	uint32_t write_percent;
	uint32_t size_percent;
};

struct worker_arg {
	list_ref list;
	list_ref root;
	struct worker_plan plan;
};

struct worker {
	struct worker_arg given;
	struct savina_random random;
	uint64_t left; /* requests to be made */
	uint64_t inserted;
	enum request request; /* under way */
	uint32_t value; /* the one looked for or inserted */
	uint64_t found; /* so many times one was */
};

struct root {
	struct bench *b;
	uint64_t workers;
	uint64_t left; /* workers that are not done */
	list_ref list;
	uint64_t found; /* as often as workers heard so */
};

/* --------------------------------------------------------------- list --- */

/* Behind its equals, as in the original. */
static bool
sorted_insert(struct sorted *sorted, uint32_t value)
{
	struct node **at = &sorted->first;
	struct node *node = malloc(sizeof(*node));

	if (node == NULL)
		return false;
	while (*at != NULL && (*at)->value <= value)
		at = &(*at)->next;
	*node = (struct node){ *at, value };
	*at = node;
	sorted->length++;
	return true;
}

static bool
sorted_contains(const struct sorted *sorted, uint32_t value)
{
	const struct node *node = sorted->first;

	while (node != NULL && node->value < value)
		node = node->next;
	return node != NULL && node->value == value;
}

static int
list_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	((struct list *)state)->sorted = *(struct sorted *const *)arg;
	return TR_OK;
}

static int
on_insert(struct tr_self *self, struct list *list,
    const struct list_insert *insert)
{
	if (!sorted_insert(list->sorted, insert->value))
		return TR_ENOMEM;
	return list_reply_result(self, (struct list_result){ insert->value });
}

static int
on_contains(struct tr_self *self, struct list *list,
    const struct list_contains *contains)
{
	bool found = sorted_contains(list->sorted, contains->value);

	list->found += found;
	return list_reply_result(self, (struct list_result){ found });
}

static int
on_length(struct tr_self *self, struct list *list)
{
	return list_reply_result(self,
	    (struct list_result){ list->sorted->length });
}

static int
on_found(struct tr_self *self, struct list *list)
{
	return list_reply_result(self, (struct list_result){ list->found });
}

TR_ACTOR(list, struct list, list, LIST, .found = on_found, .insert = on_insert,
    .contains = on_contains, .length = on_length);

static const struct tr_behavior list_behavior = {
	.name = "list",
	.state_size = sizeof(struct list),
	.arg_size = sizeof(struct sorted *),
	.start = list_start,
	.receive = list_receive,
	.protocol = &list_protocol,
};

/* ------------------------------------------------------------- worker --- */

static struct savina_random
worker_random(const struct worker_plan *plan)
{
	return (struct savina_random){ plan->number + plan->requests +
		plan->write_percent + plan->size_percent };
}

static enum request
worker_draw(const struct worker_plan *plan, struct savina_random *random,
    uint32_t *value)
{
	uint32_t percent = savina_random_next(random) % 100;

	*value = 0;
	if (percent < plan->size_percent)
		return LENGTH;
	*value = savina_random_next(random);
	return percent < plan->size_percent + plan->write_percent ? INSERT :
								    CONTAINS;
}

static int
worker_request(struct tr_self *self, struct worker *worker)
{
	list_ref list = worker->given.list;

	if (worker->left == 0)
		return list_send_done(self, worker->given.root,
		    (struct list_done){ worker->found });
	worker->left--;
	worker->request =
	    worker_draw(&worker->given.plan, &worker->random, &worker->value);
	switch (worker->request) {
	case INSERT:
		return list_send_insert(self, list,
		    (struct list_insert){ worker->value });
	case CONTAINS:
		return list_send_contains(self, list,
		    (struct list_contains){ worker->value });
	case LENGTH: break;
	}
	return list_send_length(self, list);
}

static int
worker_start(struct tr_self *self, void *state, const void *arg)
{
	struct worker *worker = state;

	worker->given = *(const struct worker_arg *)arg;
	worker->random = worker_random(&worker->given.plan);
	worker->left = worker->given.plan.requests;
	return worker_request(self, worker);
}

static int
on_result(struct tr_self *self, struct worker *worker,
    const struct list_result *result)
{
	switch (worker->request) {
	case INSERT:
		bench_check(result->value == worker->value,
		    "concsll: what was inserted");
		worker->inserted++;
		break;
	case CONTAINS: worker->found += result->value; break;
	case LENGTH:
		bench_check(result->value >= worker->inserted,
		    "concsll: the list has all of a worker's numbers");
		break;
	}
	return worker_request(self, worker);
}

TR_ACTOR(worker, struct worker, list, LIST, .result = on_result);

static const struct tr_behavior worker_behavior = {
	.name = "worker",
	.state_size = sizeof(struct worker),
	.arg_size = sizeof(struct worker_arg),
	.start = worker_start,
	.receive = worker_receive,
	.protocol = &list_protocol,
};

/* --------------------------------------------------------------- root --- */

static struct worker_plan
root_plan(const struct bench *b, uint64_t number)
{
	return (struct worker_plan){
		.number = number,
		.requests = bench_param(b, "requests"),
		.write_percent = (uint32_t)bench_param(b, "write_percent"),
		.size_percent = (uint32_t)bench_param(b, "size_percent"),
	};
}

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct worker_arg given = { list_none, list_of(tr_self_ref(self)),
		{ 0 } };
	struct root *root = state;
	list_ref worker;

	root->b = bench_of(arg);
	root->workers = bench_param(root->b, "workers");
	root->left = root->workers;
	bench_begin(root->b, self);
	root->list = list_spawn(self, &list_behavior, &root->b->ctx, NULL);
	bench_check(tr_ref_valid(root->list.ref), "concsll: spawn");
	given.list = root->list;
	for (uint64_t i = 0; i < root->workers; i++) {
		given.plan = root_plan(root->b, i);
		worker = list_spawn(self, &worker_behavior, &given, NULL);
		bench_check(tr_ref_valid(worker.ref), "concsll: spawn");
	}
	return TR_OK;
}

static int
on_done(struct tr_self *self, struct root *root, const struct list_done *done)
{
	root->found += done->found;
	if (--root->left > 0)
		return TR_OK;
	return list_send_found(self, root->list);
}

static int
on_total(struct tr_self *self, struct root *root,
    const struct list_result *result)
{
	bench_check(result->value == root->found,
	    "concsll: what was found was said");
	return bench_end(root->b, self,
	    root->workers * bench_param(root->b, "requests"));
}

TR_ACTOR(root, struct root, list, LIST, .done = on_done, .result = on_total);

static const struct tr_behavior root_behavior = {
	.name = "root",
	.state_size = sizeof(struct root),
	.arg_size = sizeof(struct bench *),
	.start = root_start,
	.receive = root_receive,
	.protocol = &list_protocol,
};

/* -------------------------------------------------- before and after ----- */

static void
setup(struct bench *b)
{
	b->ctx = calloc(1, sizeof(struct sorted));
	bench_check(b->ctx != NULL, "concsll: memory");
}

/* Takes the numbers that a worker inserted off the counts. */
static void
check_worker(const struct worker_plan *plan, int64_t *counts)
{
	struct savina_random random = worker_random(plan);
	uint32_t value;

	for (uint64_t i = 0; i < plan->requests; i++) {
		if (worker_draw(plan, &random, &value) == INSERT)
			counts[value]--;
	}
}

/* Counts the list's numbers; only some are looked for, for that takes long. */
static void
check_list(const struct sorted *sorted, int64_t *counts)
{
	uint32_t before = 0;

	for (struct node *node = sorted->first; node != NULL;
	     node = node->next) {
		bench_check(node->value >= before, "concsll: sorted");
		before = node->value;
		counts[before]++;
	}
	for (uint32_t value = 0; value < VALUES; value += 61) {
		bench_check(sorted_contains(sorted, value) ==
			(counts[value] > 0),
		    "concsll: what is in the list is found");
	}
}

static void
teardown(struct bench *b)
{
	int64_t *counts = calloc(VALUES, sizeof(*counts));
	struct sorted *sorted = b->ctx;
	struct worker_plan plan;
	struct node *node;

	bench_check(counts != NULL, "concsll: memory");
	check_list(sorted, counts);
	for (uint64_t i = 0; i < bench_param(b, "workers"); i++) {
		plan = root_plan(b, i);
		check_worker(&plan, counts);
	}
	for (size_t i = 0; i < VALUES; i++)
		bench_check(counts[i] == 0, "concsll: the numbers inserted");
	free(counts);
	while ((node = sorted->first) != NULL) {
		sorted->first = node->next;
		free(node);
	}
	free(sorted);
}

const struct bench_case savina_concsll = {
	.name = "concsll",
	.suite = SAVINA_SUITE,
	.group = SAVINA_CONCURRENCY,
	.op = "a request and its answer; 20 workers, one list",
	.params = { { "requests", { 250, 8000, 8000 } },
	    { "workers", { 20, 20, 20 } }, { "write_percent", { 10, 10, 10 } },
	    { "size_percent", { 1, 1, 1 } } },
	.root = &root_behavior,
	.setup = setup,
	.teardown = teardown,
};
