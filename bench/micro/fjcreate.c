/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fjcreate.c - actors that live for one message.
 */
#include "micro.h"

enum { WORK, DONE };

struct root {
	struct bench *b;
	uint64_t left; /* answers to come */
};

static int
player_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	bench_check(tr_tag(msg) == WORK, "fjcreate: one piece of work each");
	(void)tr_send(self, tr_sender(msg), DONE, NULL, 0);
	return tr_exit(self, TR_NORMAL);
}

static const struct tr_behavior player_behavior = {
	.name = "player",
	.receive = player_receive,
};

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct root *root = state;
	tr_ref player;
	int error;

	root->b = bench_of(arg);
	root->left = root->b->size;
	bench_begin(root->b, self);
	for (uint64_t i = 0; i < root->b->size; i++) {
		player = tr_spawn(self, &player_behavior, NULL, NULL);
		bench_check(tr_ref_valid(player), "fjcreate: spawn");
		error = tr_send(self, player, WORK, NULL, 0);
		bench_check(error == TR_OK, "fjcreate: send");
	}
	return TR_OK;
}

static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct root *root = state;

	bench_check(tr_tag(msg) == DONE, "fjcreate: a player is done");
	if (--root->left > 0)
		return TR_OK;
	return bench_end(root->b, self, root->b->size);
}

static const struct tr_behavior root_behavior = {
	.name = "root",
	.state_size = sizeof(struct root),
	.arg_size = sizeof(struct bench *),
	.start = root_start,
	.receive = root_receive,
};

void
fjcreate_run(struct bench *b)
{
	bench_system(b, &root_behavior);
}
