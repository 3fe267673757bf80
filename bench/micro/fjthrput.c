/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fjthrput.c - one actor hands out work to 60, round robin.
 *
 * The number of each piece of work is its tag, so that the order is checked;
 * the peers multiply two numbers instead.
 */
#include "micro.h"

enum {
	DONE = 0,
	PLAYERS = 60,
};

struct player_arg {
	tr_ref root;
	uint32_t pieces;
};

struct player {
	tr_ref root;
	uint32_t pieces; /* to come in all */
	uint32_t next; /* number of the next piece */
};

struct root {
	struct bench *b;
	unsigned left; /* players that are not done */
};

static int
player_start(struct tr_self *self, void *state, const void *arg)
{
	const struct player_arg *given = arg;
	struct player *player = state;

	(void)self;
	player->root = given->root;
	player->pieces = given->pieces;
	return TR_OK;
}

static int
player_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct player *player = state;

	bench_check(tr_tag(msg) == player->next,
	    "fjthrput: work arrives in order, once each");
	if (++player->next < player->pieces)
		return TR_OK;
	return tr_send(self, player->root, DONE, NULL, 0);
}

static const struct tr_behavior player_behavior = {
	.name = "player",
	.state_size = sizeof(struct player),
	.arg_size = sizeof(struct player_arg),
	.start = player_start,
	.receive = player_receive,
};

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct root *root = state;
	tr_ref players[PLAYERS];
	struct player_arg given;
	int error;

	root->b = bench_of(arg);
	root->left = PLAYERS;
	bench_begin(root->b, self);
	given.root = tr_self_ref(self);
	given.pieces = (uint32_t)root->b->size;
	for (int i = 0; i < PLAYERS; i++) {
		players[i] = tr_spawn(self, &player_behavior, &given, NULL);
		bench_check(tr_ref_valid(players[i]), "fjthrput: spawn");
	}
	for (uint32_t piece = 0; piece < given.pieces; piece++) {
		for (int i = 0; i < PLAYERS; i++) {
			error = tr_send(self, players[i], piece, NULL, 0);
			bench_check(error == TR_OK, "fjthrput: send");
		}
	}
	return TR_OK;
}

static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct root *root = state;

	bench_check(tr_tag(msg) == DONE, "fjthrput: a player is done");
	if (--root->left > 0)
		return TR_OK;
	return bench_end(root->b, self, PLAYERS * root->b->size);
}

static const struct tr_behavior root_behavior = {
	.name = "root",
	.state_size = sizeof(struct root),
	.arg_size = sizeof(struct bench *),
	.start = root_start,
	.receive = root_receive,
};

void
fjthrput_run(struct bench *b)
{
	bench_system(b, &root_behavior);
}
