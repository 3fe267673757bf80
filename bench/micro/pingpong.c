/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pingpong.c - two actors, one message under way.
 *
 * The two have a behaviour each.  One behaviour with a switch over PING and
 * PONG would measure the branch predictor: its one indirect jump would go the
 * other way every time.
 */
#include "micro.h"

enum { PING, PONG };

struct pinger {
	struct bench *b;
	tr_ref ponger;
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
ponger_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct ponger *ponger = state;

	ponger->left--;
	return tr_send(self, tr_sender(msg), PONG, NULL, 0);
}

static void
ponger_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	const struct ponger *ponger = state;

	(void)self;
	(void)why;
	bench_check(ponger->left == 0, "pingpong: every ping arrived, once");
}

static const struct tr_behavior ponger_behavior = {
	.name = "ponger",
	.state_size = sizeof(struct ponger),
	.arg_size = sizeof(uint64_t),
	.start = ponger_start,
	.receive = ponger_receive,
	.stop = ponger_stop,
};

static int
pinger_start(struct tr_self *self, void *state, const void *arg)
{
	struct pinger *pinger = state;

	pinger->b = bench_of(arg);
	pinger->left = pinger->b->size;
	bench_begin(pinger->b, self);
	pinger->ponger = tr_spawn(self, &ponger_behavior, &pinger->left, NULL);
	bench_check(tr_ref_valid(pinger->ponger), "pingpong: spawn");
	return tr_send(self, pinger->ponger, PING, NULL, 0);
}

static int
pinger_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct pinger *pinger = state;

	bench_check(tr_tag(msg) == PONG, "pingpong: the ponger sends pongs");
	if (--pinger->left == 0)
		return bench_end(pinger->b, self, 2 * pinger->b->size);
	return tr_send(self, pinger->ponger, PING, NULL, 0);
}

static const struct tr_behavior pinger_behavior = {
	.name = "pinger",
	.state_size = sizeof(struct pinger),
	.arg_size = sizeof(struct bench *),
	.start = pinger_start,
	.receive = pinger_receive,
};

void
pingpong_run(struct bench *b)
{
	bench_system(b, &pinger_behavior);
}
