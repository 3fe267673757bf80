/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two actors play ping-pong: the smallest whole program.
 *
 *     hello [ROUNDS]
 */
#include <stdio.h>
#include <stdlib.h>

#include <troupe.h>

enum { PING, PONG };

static int
ponger_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	return tr_reply(self, msg, PONG, NULL, 0);
}

static const struct tr_behavior ponger = {
	.name = "ponger",
	.receive = ponger_receive,
};

struct pinger {
	tr_ref peer;
	int left;
};

static int
pinger_start(struct tr_self *self, void *state, const void *arg)
{
	struct pinger *p = state;

	p->left = *(const int *)arg;
	p->peer = tr_spawn(self, &ponger, NULL, NULL);
	if (!tr_ref_valid(p->peer))
		return TR_ENOMEM;
	return tr_send(self, p->peer, PING, NULL, 0);
}

static int
pinger_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct pinger *p = state;

	if (--p->left == 0)
		return tr_exit(self, TR_NORMAL);
	return tr_reply(self, msg, PING, NULL, 0);
}

static const struct tr_behavior pinger = {
	.name = "pinger",
	.state_size = sizeof(struct pinger),
	.arg_size = sizeof(int),
	.start = pinger_start,
	.receive = pinger_receive,
};

int
main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 1000000;

	if (rounds < 1) {
		fprintf(stderr, "usage: hello [ROUNDS], at least 1\n");
		return 2;
	}
	if (tr_run(&pinger, &rounds, NULL) != TR_OK)
		return 1;
	printf("%d round trips\n", rounds);
	return 0;
}
