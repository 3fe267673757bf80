/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pingpong_typed.c - pingpong with typed messages.
 *
 * As pingpong.c, but for the protocols: tags and sizes are checked before a
 * handler runs, and answers are typed replies.
 */
#include "micro.h"

#define COURT(MSG, P) MSG(P, ping, TR_EMPTY) MSG(P, pong, TR_EMPTY)
TR_PROTOCOL(court, COURT);

struct pinger {
	struct bench *b;
	court_ref ponger;
	uint64_t left; /* pongs to come */
};

struct ponger {
	uint64_t left; /* pings to come */
};

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
	return court_reply_pong(self);
}

static void
ponger_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	const struct ponger *ponger = state;

	(void)self;
	(void)why;
	bench_check(ponger->left == 0,
	    "pingpong_typed: every ping arrived, once");
}

TR_ACTOR(ponger, struct ponger, court, COURT, .ping = on_ping);

static const struct tr_behavior ponger_behavior = {
	.name = "ponger",
	.state_size = sizeof(struct ponger),
	.arg_size = sizeof(uint64_t),
	.start = ponger_start,
	.receive = ponger_receive,
	.stop = ponger_stop,
	.protocol = &court_protocol,
};

static int
pinger_start(struct tr_self *self, void *state, const void *arg)
{
	struct pinger *pinger = state;

	pinger->b = bench_of(arg);
	pinger->left = pinger->b->size;
	bench_begin(pinger->b, self);
	pinger->ponger =
	    court_spawn(self, &ponger_behavior, &pinger->left, NULL);
	bench_check(tr_ref_valid(pinger->ponger.ref), "pingpong_typed: spawn");
	return court_send_ping(self, pinger->ponger);
}

static int
on_pong(struct tr_self *self, struct pinger *pinger)
{
	if (--pinger->left == 0)
		return bench_end(pinger->b, self, 2 * pinger->b->size);
	return court_send_ping(self, pinger->ponger);
}

TR_ACTOR(pinger, struct pinger, court, COURT, .pong = on_pong);

static const struct tr_behavior pinger_behavior = {
	.name = "pinger",
	.state_size = sizeof(struct pinger),
	.arg_size = sizeof(struct bench *),
	.start = pinger_start,
	.receive = pinger_receive,
	.protocol = &court_protocol,
};

void
pingpong_typed_run(struct bench *b)
{
	bench_system(b, &pinger_behavior);
}
