/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fjthrput.c - Savina 5, Fork Join (throughput): one actor sends to many.
 *
 * The root sends messages to all actors in turn, all of them in one go; each
 * takes a sine for each message.  It shows sending to many mailboxes, and
 * whether their owners come to run meanwhile.  The original counts nothing; here
 * each actor says when it has had all, and one too many is a fault.
 *
 * More work is more such rounds, not longer ones.
 */
#include <math.h>
#include <stdlib.h>

#include "savina.h"

#define THETA 37.2

#define FORK(MSG, P) MSG(P, work, { double theta; }) MSG(P, done, TR_EMPTY)
TR_PROTOCOL(throughput, FORK);

struct worker_arg {
	throughput_ref root;
	uint64_t messages; /* of each round */
	uint64_t rounds;
};

struct worker {
	struct worker_arg given;
	uint64_t left; /* messages to come in this round */
	uint64_t rounds; /* to come, this one counted */
};

struct root {
	struct bench *b;
	throughput_ref *workers;
	uint64_t actors;
	uint64_t messages; /* of each round */
	uint64_t rounds; /* to come */
	uint64_t left; /* workers that are not done with this round */
};

/* ------------------------------------------------------------- worker --- */

static int
worker_start(struct tr_self *self, void *state, const void *arg)
{
	struct worker *worker = state;

	(void)self;
	worker->given = *(const struct worker_arg *)arg;
	worker->left = worker->given.messages;
	worker->rounds = worker->given.rounds;
	return TR_OK;
}

static int
on_work(struct tr_self *self, struct worker *worker,
    const struct throughput_work *work)
{
	double sine = sin(work->theta);

	bench_check(sine * sine > 0, "fjthrput: the square of a sine");
	bench_check(worker->rounds > 0, "fjthrput: no message too many");
	if (--worker->left > 0)
		return TR_OK;
	worker->left = worker->given.messages;
	worker->rounds--;
	return throughput_send_done(self, worker->given.root);
}

TR_ACTOR(worker, struct worker, throughput, FORK, .work = on_work);

static const struct tr_behavior worker_behavior = {
	.name = "worker",
	.state_size = sizeof(struct worker),
	.arg_size = sizeof(struct worker_arg),
	.start = worker_start,
	.receive = worker_receive,
	.protocol = &throughput_protocol,
};

/* --------------------------------------------------------------- root --- */

static int
root_round(struct tr_self *self, struct root *root)
{
	struct throughput_work work = { THETA };
	int error = TR_OK;

	root->rounds--;
	root->left = root->actors;
	for (uint64_t m = 0; m < root->messages; m++) {
		for (uint64_t i = 0; i < root->actors && error == TR_OK; i++)
			error =
			    throughput_send_work(self, root->workers[i], work);
	}
	return error;
}

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct worker_arg given = { throughput_of(tr_self_ref(self)), 0, 0 };
	struct root *root = state;

	root->b = bench_of(arg);
	root->actors = bench_param(root->b, "actors");
	root->messages = bench_param(root->b, "messages");
	root->rounds = bench_param(root->b, "rounds");
	given.messages = root->messages;
	given.rounds = root->rounds;
	root->workers = calloc(root->actors, sizeof(*root->workers));
	if (root->workers == NULL)
		return TR_ENOMEM;
	bench_begin(root->b, self);
	for (uint64_t i = 0; i < root->actors; i++) {
		root->workers[i] =
		    throughput_spawn(self, &worker_behavior, &given, NULL);
		bench_check(tr_ref_valid(root->workers[i].ref),
		    "fjthrput: spawn");
	}
	return root_round(self, root);
}

static int
on_done(struct tr_self *self, struct root *root)
{
	bench_check(root->left > 0, "fjthrput: each actor is done once");
	if (--root->left > 0)
		return TR_OK;
	if (root->rounds > 0)
		return root_round(self, root);
	return bench_end(root->b, self,
	    root->actors * root->messages * bench_param(root->b, "rounds"));
}

TR_ACTOR(root, struct root, throughput, FORK, .done = on_done);

static void
root_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)self;
	(void)why;
	free(((struct root *)state)->workers);
}

static const struct tr_behavior root_behavior = {
	.name = "root",
	.state_size = sizeof(struct root),
	.arg_size = sizeof(struct bench *),
	.start = root_start,
	.receive = root_receive,
	.stop = root_stop,
	.protocol = &throughput_protocol,
};

const struct bench_case savina_fjthrput = {
	.name = "fjthrput",
	.suite = SAVINA_SUITE,
	.group = SAVINA_MESSAGES,
	.op = "a message and a sine; one actor sends to 60",
	.note = "no priorities; each actor says when it has had all",
	.params = { { "messages", { 100, 10000, 10000 } },
	    { "actors", { 60, 60, 60 } }, { "rounds", { 2, 1, 40 } } },
	.root = &root_behavior,
};
