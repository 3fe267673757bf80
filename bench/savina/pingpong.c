/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pingpong.c - Savina 1, Ping Pong: two actors, one message under way.
 *
 * It shows what a send and a dispatch cost one after the other; nothing can be
 * done in parallel, so the two should stay on one core.  The original checks
 * nothing; here both count.
 */
#include "savina.h"

#define TABLE(MSG, P) \
	MSG(P, ping, TR_EMPTY) MSG(P, pong, TR_EMPTY) MSG(P, done, TR_EMPTY)
TR_PROTOCOL(table, TABLE);

struct pinger {
	struct bench *b;
	table_ref ponger;
	uint64_t left; /* pongs to come */
};

struct ponger {
	uint64_t left; /* pings to come */
};

/* ------------------------------------------------------------- ponger --- */

static int
ponger_start(struct tr_self *self, void *state, const void *arg)
{
	struct ponger *ponger = state;

	(void)self;
	ponger->left = *(const uint64_t *)arg;
	return TR_OK;
}

static int
on_ping(struct tr_self *self, struct ponger *ponger)
{
	ponger->left--;
	return table_reply_pong(self);
}

static int
on_done(struct tr_self *self, struct ponger *ponger)
{
	bench_check(ponger->left == 0, "pingpong: every ping arrived, once");
	return tr_exit(self, TR_NORMAL);
}

TR_ACTOR(ponger, struct ponger, table, TABLE, .ping = on_ping, .done = on_done);

static const struct tr_behavior ponger_behavior = {
	.name = "ponger",
	.state_size = sizeof(struct ponger),
	.arg_size = sizeof(uint64_t),
	.start = ponger_start,
	.receive = ponger_receive,
	.protocol = &table_protocol,
};

/* ------------------------------------------------------------- pinger --- */

static int
pinger_start(struct tr_self *self, void *state, const void *arg)
{
	struct pinger *pinger = state;

	pinger->b = bench_of(arg);
	pinger->left = bench_param(pinger->b, "pings");
	bench_begin(pinger->b, self);
	pinger->ponger =
	    table_spawn(self, &ponger_behavior, &pinger->left, NULL);
	bench_check(tr_ref_valid(pinger->ponger.ref), "pingpong: spawn");
	return table_send_ping(self, pinger->ponger);
}

static int
on_pong(struct tr_self *self, struct pinger *pinger)
{
	if (--pinger->left > 0)
		return table_send_ping(self, pinger->ponger);
	(void)table_send_done(self, pinger->ponger);
	return bench_end(pinger->b, self, 2 * bench_param(pinger->b, "pings"));
}

TR_ACTOR(pinger, struct pinger, table, TABLE, .pong = on_pong);

static const struct tr_behavior pinger_behavior = {
	.name = "pinger",
	.state_size = sizeof(struct pinger),
	.arg_size = sizeof(struct bench *),
	.start = pinger_start,
	.receive = pinger_receive,
	.protocol = &table_protocol,
};

const struct bench_case savina_pingpong = {
	.name = "pingpong",
	.suite = SAVINA_SUITE,
	.group = SAVINA_MESSAGES,
	.op = "a message; two actors, one of them under way",
	.params = { { "pings", { 2000, 40000, 20000000 } } },
	.root = &pinger_behavior,
};
