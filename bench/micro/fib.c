/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fib.c - the recursive Fibonacci tree, an actor for each call.
 */
#include "micro.h"

enum { RESULT };

struct call_arg {
	tr_ref caller;
	uint64_t n;
};

struct call {
	tr_ref caller;
	uint64_t sum;
	unsigned left; /* results to come */
};

struct root {
	struct bench *b;
};

/* Defined below; a call spawns actors of its own kind. */
static const struct tr_behavior call_behavior;

static int
call_return(struct tr_self *self, tr_ref caller, uint64_t result)
{
	(void)tr_send(self, caller, RESULT, &result, sizeof(result));
	return tr_exit(self, TR_NORMAL);
}

static int
call_start(struct tr_self *self, void *state, const void *arg)
{
	const struct call_arg *given = arg;
	struct call_arg below = { .caller = tr_self_ref(self) };
	struct call *call = state;
	tr_ref ref;

	if (given->n < 2)
		return call_return(self, given->caller, given->n);
	call->caller = given->caller;
	call->left = 2;
	for (uint64_t back = 1; back <= 2; back++) {
		below.n = given->n - back;
		ref = tr_spawn(self, &call_behavior, &below, NULL);
		bench_check(tr_ref_valid(ref), "fib: spawn");
	}
	return TR_OK;
}

static int
call_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const uint64_t *result = tr_data(msg, sizeof(*result));
	struct call *call = state;

	bench_check(result != NULL, "fib: a result");
	call->sum += *result;
	if (--call->left > 0)
		return TR_OK;
	return call_return(self, call->caller, call->sum);
}

static const struct tr_behavior call_behavior = {
	.name = "call",
	.state_size = sizeof(struct call),
	.arg_size = sizeof(struct call_arg),
	.start = call_start,
	.receive = call_receive,
};

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct root *root = state;
	struct call_arg first;
	tr_ref ref;

	root->b = bench_of(arg);
	bench_begin(root->b, self);
	first.caller = tr_self_ref(self);
	first.n = root->b->size;
	ref = tr_spawn(self, &call_behavior, &first, NULL);
	bench_check(tr_ref_valid(ref), "fib: spawn");
	return TR_OK;
}

static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const uint64_t *result = tr_data(msg, sizeof(*result));
	struct root *root = state;
	uint64_t fib = 0;
	uint64_t fib_next = 1;
	uint64_t calls = 1;
	uint64_t calls_next = 1;
	uint64_t sum;

	for (uint64_t i = 0; i < root->b->size; i++) {
		sum = fib + fib_next;
		fib = fib_next;
		fib_next = sum;
		sum = 1 + calls + calls_next;
		calls = calls_next;
		calls_next = sum;
	}
	bench_check(result != NULL && *result == fib, "fib: the right result");
	return bench_end(root->b, self, calls);
}

static const struct tr_behavior root_behavior = {
	.name = "root",
	.state_size = sizeof(struct root),
	.arg_size = sizeof(struct bench *),
	.start = root_start,
	.receive = root_receive,
};

void
fib_run(struct bench *b)
{
	bench_system(b, &root_behavior);
}
