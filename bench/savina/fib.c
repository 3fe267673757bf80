/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fib.c - Savina 3, Fibonacci: an actor for each call of the recursion.
 *
 * An actor asked for one of the first two numbers answers at once and ends;
 * any other spawns two, adds their answers, hands the sum to its parent and
 * ends.  It shows spawning and dying in a tree that grows on all workers.  As
 * in the original the root knows the right number; it is computed by adding.
 */
#include "savina.h"

#define CALL(MSG, P)                     \
	MSG(P, request, { uint64_t n; }) \
	MSG(P, response, { uint64_t value; })
TR_PROTOCOL(call, CALL);

struct call {
	call_ref parent;
	uint64_t value;
	unsigned responses;
};

struct root {
	struct bench *b;
};

/* --------------------------------------------------------------- call --- */

/* Defined below; a call spawns actors of its own kind. */
static const struct tr_behavior call_behavior;

static int
call_spawn_request(struct tr_self *self, uint64_t n)
{
	call_ref parent = call_of(tr_self_ref(self));
	call_ref child = call_spawn(self, &call_behavior, &parent, NULL);

	bench_check(tr_ref_valid(child.ref), "fib: spawn");
	return call_send_request(self, child, (struct call_request){ n });
}

static int
call_start(struct tr_self *self, void *state, const void *arg)
{
	struct call *call = state;

	(void)self;
	call->parent = *(const call_ref *)arg;
	return TR_OK;
}

static int
call_return(struct tr_self *self, struct call *call, uint64_t value)
{
	int error;

	error = call_send_response(self, call->parent,
	    (struct call_response){ value });
	return error != TR_OK ? error : tr_exit(self, TR_NORMAL);
}

static int
on_request(struct tr_self *self, struct call *call,
    const struct call_request *request)
{
	int error;

	if (request->n <= 2)
		return call_return(self, call, 1);
	error = call_spawn_request(self, request->n - 1);
	if (error != TR_OK)
		return error;
	return call_spawn_request(self, request->n - 2);
}

static int
on_response(struct tr_self *self, struct call *call,
    const struct call_response *response)
{
	call->value += response->value;
	if (++call->responses < 2)
		return TR_OK;
	return call_return(self, call, call->value);
}

TR_ACTOR(call, struct call, call, CALL, .request = on_request,
    .response = on_response);

static const struct tr_behavior call_behavior = {
	.name = "call",
	.state_size = sizeof(struct call),
	.arg_size = sizeof(call_ref),
	.start = call_start,
	.receive = call_receive,
	.protocol = &call_protocol,
};

/* --------------------------------------------------------------- root --- */

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct root *root = state;

	root->b = bench_of(arg);
	bench_begin(root->b, self);
	return call_spawn_request(self, bench_param(root->b, "n"));
}

static int
on_answer(struct tr_self *self, struct root *root,
    const struct call_response *response)
{
	uint64_t n = bench_param(root->b, "n");
	uint64_t before = 0;
	uint64_t number = 1;
	uint64_t sum;

	for (uint64_t i = 1; i < n; i++) {
		sum = before + number;
		before = number;
		number = sum;
	}
	bench_check(response->value == number, "fib: the nth number");
	/* The tree has a leaf for each 1 that was added. */
	return bench_end(root->b, self, 2 * number - 1);
}

TR_ACTOR(root, struct root, call, CALL, .response = on_answer);

static const struct tr_behavior root_behavior = {
	.name = "root",
	.state_size = sizeof(struct root),
	.arg_size = sizeof(struct bench *),
	.start = root_start,
	.receive = root_receive,
	.protocol = &call_protocol,
};

const struct bench_case savina_fib = {
	.name = "fib",
	.suite = SAVINA_SUITE,
	.group = SAVINA_MESSAGES,
	.op = "an actor of the tree: spawn, request, response, death",
	.params = { { "n", { 16, 25, 34 } } },
	.root = &root_behavior,
};
