/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fjcreate.c - Savina 4, Fork Join (actor creation): actors that live for one
 * message.
 *
 * The root spawns actors, sends each a piece of work, and waits until all of
 * them are done; each takes a sine and ends.  It shows what an actor's life
 * costs when thousands of them begin at once.  The original counts nothing and
 * lets its runtime wait for the ends; here each says that it is done.
 *
 * More work is more such rounds.
 */
#include <math.h>

#include "savina.h"

#define THETA 37.2

#define FORK(MSG, P) \
	MSG(P, work, { double theta; }) MSG(P, done, { double result; })
TR_PROTOCOL(fork_join, FORK);

struct root {
	struct bench *b;
	uint64_t actors; /* of each round */
	uint64_t left; /* actors of this round that are not done */
	uint64_t rounds; /* to come */
};

/* ------------------------------------------------------------- worker --- */

static int
on_work(struct tr_self *self, void *state, const struct fork_join_work *work)
{
	double sine = sin(work->theta);
	int error;

	(void)state;
	error =
	    fork_join_reply_done(self, (struct fork_join_done){ sine * sine });
	return error != TR_OK ? error : tr_exit(self, TR_NORMAL);
}

TR_ACTOR(worker, void, fork_join, FORK, .work = on_work);

static const struct tr_behavior worker_behavior = {
	.name = "worker",
	.receive = worker_receive,
	.protocol = &fork_join_protocol,
};

/* --------------------------------------------------------------- root --- */

static int
root_fork(struct tr_self *self, struct root *root)
{
	fork_join_ref worker;
	int error = TR_OK;

	root->rounds--;
	root->left = root->actors;
	for (uint64_t i = 0; i < root->actors && error == TR_OK; i++) {
		worker = fork_join_spawn(self, &worker_behavior, NULL, NULL);
		bench_check(tr_ref_valid(worker.ref), "fjcreate: spawn");
		error = fork_join_send_work(self, worker,
		    (struct fork_join_work){ THETA });
	}
	return error;
}

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct root *root = state;

	root->b = bench_of(arg);
	root->actors = bench_param(root->b, "actors");
	root->rounds = bench_param(root->b, "rounds");
	bench_begin(root->b, self);
	return root_fork(self, root);
}

static int
on_done(struct tr_self *self, struct root *root,
    const struct fork_join_done *done)
{
	bench_check(done->result > 0 && done->result <= 1,
	    "fjcreate: the square of a sine");
	bench_check(root->left > 0, "fjcreate: each actor is done once");
	if (--root->left > 0)
		return TR_OK;
	if (root->rounds > 0)
		return root_fork(self, root);
	return bench_end(root->b, self,
	    root->actors * bench_param(root->b, "rounds"));
}

TR_ACTOR(root, struct root, fork_join, FORK, .done = on_done);

static const struct tr_behavior root_behavior = {
	.name = "root",
	.state_size = sizeof(struct root),
	.arg_size = sizeof(struct bench *),
	.start = root_start,
	.receive = root_receive,
	.protocol = &fork_join_protocol,
};

const struct bench_case savina_fjcreate = {
	.name = "fjcreate",
	.suite = SAVINA_SUITE,
	.group = SAVINA_MESSAGES,
	.op = "an actor: spawn, a message, a sine, done, death",
	.note = "each actor says that it is done",
	.params = { { "actors", { 1500, 40000, 40000 } },
	    { "rounds", { 2, 1, 240 } } },
	.root = &root_behavior,
};
