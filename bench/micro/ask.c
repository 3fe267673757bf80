/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ask.c - ask and answer, one at a time, each with a deadline.
 *
 * The deadline is read from the clock for each ask, as programs do; that is
 * part of the figure.
 */
#include "micro.h"

enum { ADD_ONE, SUM };

struct client {
	struct bench *b;
	tr_ref server;
	uint64_t asked;
};

static int
server_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const uint64_t *number = tr_data(msg, sizeof(*number));
	uint64_t sum;

	(void)state;
	bench_check(tr_tag(msg) == ADD_ONE && number != NULL,
	    "ask: a request with a number");
	sum = *number + 1;
	return tr_reply(self, msg, SUM, &sum, sizeof(sum));
}

static const struct tr_behavior server_behavior = {
	.name = "server",
	.receive = server_receive,
};

/* Asks once more, or ends; `fn` is client_answered(). */
static int
client_ask(struct tr_self *self, struct client *client, tr_answer_fn *fn)
{
	tr_ask_id ask;

	if (client->asked == client->b->size)
		return bench_end(client->b, self, client->b->size);
	ask = tr_ask(self, client->server, ADD_ONE, &client->asked,
	    sizeof(client->asked), tr_in(self, TR_SECONDS(1)), fn,
	    client->asked);
	return ask != 0 ? TR_OK : TR_ENOMEM;
}

static int
client_answered(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct client *client = state;
	const uint64_t *sum;

	bench_check(outcome == TR_OK && cookie == client->asked,
	    "ask: each is answered once, in order");
	sum = tr_data(answer, sizeof(*sum));
	bench_check(sum != NULL && *sum == client->asked + 1,
	    "ask: the right answer");
	client->asked++;
	return client_ask(self, client, client_answered);
}

static int
client_start(struct tr_self *self, void *state, const void *arg)
{
	struct client *client = state;

	client->b = bench_of(arg);
	client->server = tr_spawn(self, &server_behavior, NULL, NULL);
	bench_check(tr_ref_valid(client->server), "ask: spawn");
	bench_begin(client->b, self);
	return client_ask(self, client, client_answered);
}

static int
client_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	return tr_unhandled(self, msg);
}

static const struct tr_behavior client_behavior = {
	.name = "client",
	.state_size = sizeof(struct client),
	.arg_size = sizeof(struct bench *),
	.start = client_start,
	.receive = client_receive,
};

void
ask_run(struct bench *b)
{
	bench_system(b, &client_behavior);
}
