/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A user of the installed simulator: ten seeds of an actor that answers.
 */
#include <stdio.h>

#include <troupe/sim.h>

enum { HELLO = 1 };

static int
answer_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	return tr_reply(self, msg, HELLO, NULL, 0);
}

static const struct tr_behavior answerer = {
	.name = "answerer",
	.receive = answer_receive,
};

static void
it_answers(struct tr_sim *sim, void *arg)
{
	tr_ref ref = tr_sim_spawn(sim, &answerer, NULL);
	struct tr_probe *p = tr_probe_new(sim, NULL);

	tr_sim_check(sim,
	    tr_probe_ask(p, ref, HELLO, NULL, 0, TR_SECONDS(1), NULL) == TR_OK,
	    "no answer");
	++*(int *)arg;
}

int
main(void)
{
	char name[] = "consumer", quiet[] = "--quiet", seeds[] = "--seeds";
	char ten[] = "10", *argv[] = { name, quiet, seeds, ten, NULL };
	int runs = 0;

	if (tr_sim_main(4, argv, it_answers, &runs) != 0)
		return 1;
	/* One to measure, and each seed twice. */
	printf("consumer: %d runs\n", runs);
	return runs == 21 ? 0 : 1;
}
