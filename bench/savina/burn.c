/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * burn.c - pairs of actors ping each other while one actor in a hundred burns
 * 10 ms in each of its turns.
 *
 * A handler is never interrupted, so whoever is behind a burner on its worker
 * waits.  The pairs play for as long as it takes the burners to burn as often
 * as they shall, and the figure is the time that passes for each ping: it shows
 * whether other workers take over what waits behind a long turn, and what is
 * left for the pairs where every worker burns.  Beside it (raw) is the same
 * when nobody burns, measured first.
 *
 * The pairs' pings have an end of their own, too high to be reached except in
 * the small size, lest a schedule that is not fair never comes to the burners.
 *
 * Burning is a loop, 10 ms long on a core of about 4 GHz.  Each ponger checks
 * that it has seen all pings of its pinger, which has had all pongs.
 */
#include <stdlib.h>

#include "savina.h"

#define GAME(MSG, P)                        \
	MSG(P, play, { uint64_t pings; })   \
	MSG(P, enough, TR_EMPTY)            \
	MSG(P, ping, TR_EMPTY)              \
	MSG(P, pong, TR_EMPTY)              \
	MSG(P, finish, { uint64_t pings; }) \
	MSG(P, over, { uint64_t pings; })   \
	MSG(P, burn, TR_EMPTY)              \
	MSG(P, burned, TR_EMPTY)
TR_PROTOCOL(game, GAME);

struct ponger {
	game_ref root;
	uint64_t pings; /* of this game */
};

struct pinger {
	game_ref ponger;
	uint64_t left; /* pings to be sent */
	uint64_t pongs; /* of this game */
};

struct burner_arg {
	game_ref root;
	uint64_t burns;
	uint64_t steps; /* of each */
};

struct burner {
	struct burner_arg given;
	struct savina_random random;
};

struct root {
	struct bench *b;
	game_ref *pingers;
	uint64_t pairs;
	uint64_t burners;
	uint64_t left; /* pairs that play */
	uint64_t burning; /* burners that burn */
	uint64_t pings; /* of this game */
	int64_t quiet_ns; /* when the game without burners began */
	bool quiet; /* this is that game */
};

/* ------------------------------------------------------------- ponger --- */

static int
ponger_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	((struct ponger *)state)->root = *(const game_ref *)arg;
	return TR_OK;
}

static int
on_ping(struct tr_self *self, struct ponger *ponger)
{
	ponger->pings++;
	return game_reply_pong(self);
}

static int
on_finish(struct tr_self *self, struct ponger *ponger,
    const struct game_finish *finish)
{
	bench_check(ponger->pings == finish->pings, "burn: pings and pongs");
	ponger->pings = 0;
	return game_send_over(self, ponger->root,
	    (struct game_over){ finish->pings });
}

TR_ACTOR(ponger, struct ponger, game, GAME, .ping = on_ping,
    .finish = on_finish);

static const struct tr_behavior ponger_behavior = {
	.name = "ponger",
	.state_size = sizeof(struct ponger),
	.arg_size = sizeof(game_ref),
	.start = ponger_start,
	.receive = ponger_receive,
	.protocol = &game_protocol,
};

/* ------------------------------------------------------------- pinger --- */

static int
pinger_start(struct tr_self *self, void *state, const void *arg)
{
	struct pinger *pinger = state;

	pinger->ponger = game_spawn(self, &ponger_behavior, arg, NULL);
	bench_check(tr_ref_valid(pinger->ponger.ref), "burn: spawn");
	return TR_OK;
}

static int
pinger_ping(struct tr_self *self, struct pinger *pinger)
{
	if (pinger->left == 0)
		return game_send_finish(self, pinger->ponger,
		    (struct game_finish){ pinger->pongs });
	pinger->left--;
	return game_send_ping(self, pinger->ponger);
}

static int
on_play(struct tr_self *self, struct pinger *pinger,
    const struct game_play *play)
{
	pinger->left = play->pings;
	pinger->pongs = 0;
	return pinger_ping(self, pinger);
}

/* The ping under way is the last. */
static int
on_enough(struct tr_self *self, struct pinger *pinger)
{
	(void)self;
	pinger->left = 0;
	return TR_OK;
}

static int
on_pong(struct tr_self *self, struct pinger *pinger)
{
	pinger->pongs++;
	return pinger_ping(self, pinger);
}

TR_ACTOR(pinger, struct pinger, game, GAME, .play = on_play,
    .enough = on_enough, .pong = on_pong);

static const struct tr_behavior pinger_behavior = {
	.name = "pinger",
	.state_size = sizeof(struct pinger),
	.arg_size = sizeof(game_ref),
	.start = pinger_start,
	.receive = pinger_receive,
	.protocol = &game_protocol,
};

/* ------------------------------------------------------------- burner --- */

static int
burner_start(struct tr_self *self, void *state, const void *arg)
{
	((struct burner *)state)->given = *(const struct burner_arg *)arg;
	return game_send_burn(self, game_of(tr_self_ref(self)));
}

static int
on_burn(struct tr_self *self, struct burner *burner)
{
	int error;

	for (uint64_t i = 0; i < burner->given.steps; i++)
		(void)savina_random_next(&burner->random);
	if (--burner->given.burns > 0)
		return game_send_burn(self, game_of(tr_self_ref(self)));
	error = game_send_burned(self, burner->given.root);
	return error != TR_OK ? error : tr_exit(self, TR_NORMAL);
}

TR_ACTOR(burner, struct burner, game, GAME, .burn = on_burn);

static const struct tr_behavior burner_behavior = {
	.name = "burner",
	.state_size = sizeof(struct burner),
	.arg_size = sizeof(struct burner_arg),
	.start = burner_start,
	.receive = burner_receive,
	.protocol = &game_protocol,
};

/* --------------------------------------------------------------- root --- */

static int
root_play(struct tr_self *self, struct root *root, uint64_t pings)
{
	int error = TR_OK;

	root->pings = 0;
	root->left = root->pairs;
	for (uint64_t i = 0; i < root->pairs && error == TR_OK; i++)
		error = game_send_play(self, root->pingers[i],
		    (struct game_play){ pings });
	return error;
}

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	game_ref me = game_of(tr_self_ref(self));
	struct root *root = state;

	root->b = bench_of(arg);
	root->pairs = bench_param(root->b, "pairs");
	root->burners = bench_param(root->b, "burners");
	root->pingers = calloc(root->pairs, sizeof(*root->pingers));
	if (root->pingers == NULL)
		return TR_ENOMEM;
	for (uint64_t i = 0; i < root->pairs; i++) {
		root->pingers[i] =
		    game_spawn(self, &pinger_behavior, &me, NULL);
		bench_check(tr_ref_valid(root->pingers[i].ref), "burn: spawn");
	}
	root->quiet_ns = tr_now(self);
	root->quiet = true;
	return root_play(self, root, bench_param(root->b, "quiet_pings"));
}

static int
root_burn(struct tr_self *self, struct root *root)
{
	struct burner_arg given = {
		.root = game_of(tr_self_ref(self)),
		.burns = bench_param(root->b, "burns"),
		.steps = bench_param(root->b, "burn_steps"),
	};
	game_ref burner;

	root->b->raw =
	    (double)(tr_now(self) - root->quiet_ns) / (double)root->pings;
	root->quiet = false;
	root->burning = root->burners;
	bench_begin(root->b, self);
	for (uint64_t i = 0; i < root->burners; i++) {
		burner = game_spawn(self, &burner_behavior, &given, NULL);
		bench_check(tr_ref_valid(burner.ref), "burn: spawn");
	}
	return root_play(self, root, bench_param(root->b, "pings_max"));
}

static int
root_try_end(struct tr_self *self, struct root *root)
{
	if (root->left > 0 || root->burning > 0)
		return TR_OK;
	if (!root->quiet)
		return bench_end(root->b, self, root->pings);
	bench_check(root->pings ==
		root->pairs * bench_param(root->b, "quiet_pings"),
	    "burn: as many pings as there shall be");
	return root_burn(self, root);
}

static int
on_burned(struct tr_self *self, struct root *root)
{
	int error = TR_OK;

	if (--root->burning > 0)
		return TR_OK;
	for (uint64_t i = 0; i < root->pairs && error == TR_OK; i++)
		error = game_send_enough(self, root->pingers[i]);
	return error != TR_OK ? error : root_try_end(self, root);
}

static int
on_over(struct tr_self *self, struct root *root, const struct game_over *over)
{
	root->pings += over->pings;
	root->left--;
	return root_try_end(self, root);
}

TR_ACTOR(root, struct root, game, GAME, .over = on_over, .burned = on_burned);

static void
root_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)self;
	(void)why;
	free(((struct root *)state)->pingers);
}

static const struct tr_behavior root_behavior = {
	.name = "root",
	.state_size = sizeof(struct root),
	.arg_size = sizeof(struct bench *),
	.start = root_start,
	.receive = root_receive,
	.stop = root_stop,
	.protocol = &game_protocol,
};

const struct bench_case savina_burn = {
	.name = "burn",
	.suite = SAVINA_KIN,
	.op = "a ping and its pong; 2 of 200 actors burn 10 ms at a time",
	.note = "raw: the same, when nobody burns",
	.params = { { "burns", { 10, 25, 100 } }, { "burners", { 2, 2, 2 } },
	    { "burn_steps", { 10000, 6000000, 6000000 } },
	    { "pairs", { 99, 99, 99 } },
	    { "quiet_pings", { 10, 10000, 10000 } },
	    { "pings_max", { 40, 1000000000, 1000000000 } } },
	.root = &root_behavior,
};
