/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small scenario that can go wrong in several ways, for main.sh.
 *
 *     sim_toy good|bad|crash|hang|differs [options of tr_sim_main()]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <troupe/sim.h>

enum { PING = 1 };

static const char *how;
static int runs;

static int
toy_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	if (strcmp(how, "crash") == 0)
		abort();
	while (strcmp(how, "hang") == 0)
		(void)tr_now(self);
	return tr_reply(self, msg, PING, NULL, 0);
}

static const struct tr_behavior toy = {
	.name = "toy",
	.receive = toy_receive,
};

static void
toy_is_pinged(struct tr_sim *sim, void *arg)
{
	tr_ref ref = tr_sim_spawn(sim, &toy, NULL);
	struct tr_probe *p = tr_probe_new(sim, "pinger");
	int i, n = 3;

	(void)arg;
	if (strcmp(how, "differs") == 0)
		n += ++runs % 2;
	for (i = 0; i < n; i++)
		tr_sim_check(sim,
		    tr_probe_ask(p, ref, PING, NULL, 0, TR_SECONDS(1), NULL) ==
			TR_OK,
		    "no pong");
	tr_sim_check(sim, strcmp(how, "bad") != 0 || tr_sim_random(sim, 4) != 0,
	    "bad luck, %d pings", n);
	tr_sim_check(sim, tr_sim_run_until_quiet(sim, TR_SECONDS(9)) == TR_OK,
	    "no rest");
}

int
main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: sim_toy HOW [options]\n");
		return 2;
	}
	how = argv[1];
	return tr_sim_main(argc - 1, argv + 1, toy_is_pinged, NULL);
}
