/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mailbox_performance.c - of CAF's benchmarks: many senders, one receiver.
 *
 * Every sender sends all that it has in one turn.  It shows what many workers
 * that push into one mailbox cost each other; with nothing to hold the senders
 * back the mailbox grows to whatever the receiver does not keep up with, so
 * memory is a part of the figure.  The original's senders are threads, and its
 * receiver counts to the total and ends; here one message more is a fault.
 *
 * More work is more such rounds, each with a new receiver.
 */
#include "savina.h"

#define MAILBOX(MSG, P) MSG(P, item, TR_EMPTY) MSG(P, done, TR_EMPTY)
TR_PROTOCOL(mailbox, MAILBOX);

struct receiver_arg {
	mailbox_ref root;
	uint64_t items; /* of all senders */
};

struct receiver {
	mailbox_ref root;
	uint64_t left; /* items to come */
};

struct sender_arg {
	mailbox_ref receiver;
	uint64_t items;
};

struct root {
	struct bench *b;
	uint64_t senders;
	uint64_t items; /* of each sender */
	uint64_t rounds; /* to come */
};

/* ----------------------------------------------------------- receiver --- */

static int
receiver_start(struct tr_self *self, void *state, const void *arg)
{
	const struct receiver_arg *given = arg;
	struct receiver *receiver = state;

	(void)self;
	receiver->root = given->root;
	receiver->left = given->items;
	return TR_OK;
}

static int
on_item(struct tr_self *self, struct receiver *receiver)
{
	bench_check(receiver->left > 0, "mailbox_performance: one too many");
	if (--receiver->left > 0)
		return TR_OK;
	/* It stays, so that it would see one too many. */
	return mailbox_send_done(self, receiver->root);
}

TR_ACTOR(receiver, struct receiver, mailbox, MAILBOX, .item = on_item);

static const struct tr_behavior receiver_behavior = {
	.name = "receiver",
	.state_size = sizeof(struct receiver),
	.arg_size = sizeof(struct receiver_arg),
	.start = receiver_start,
	.receive = receiver_receive,
	.protocol = &mailbox_protocol,
};

/* ------------------------------------------------------------- sender --- */

static int
sender_start(struct tr_self *self, void *state, const void *arg)
{
	const struct sender_arg *given = arg;
	int error = TR_OK;

	(void)state;
	for (uint64_t i = 0; i < given->items && error == TR_OK; i++)
		error = mailbox_send_item(self, given->receiver);
	return error != TR_OK ? error : tr_exit(self, TR_NORMAL);
}

TR_ACTOR(sender, void, mailbox, MAILBOX, .other = NULL);

static const struct tr_behavior sender_behavior = {
	.name = "sender",
	.arg_size = sizeof(struct sender_arg),
	.start = sender_start,
	.receive = sender_receive,
	.protocol = &mailbox_protocol,
};

/* --------------------------------------------------------------- root --- */

static mailbox_ref
root_spawn(struct tr_self *self, const struct tr_behavior *behavior,
    const void *arg)
{
	mailbox_ref ref = mailbox_spawn(self, behavior, arg, NULL);

	bench_check(tr_ref_valid(ref.ref), "mailbox_performance: spawn");
	return ref;
}

static int
root_round(struct tr_self *self, struct root *root)
{
	struct receiver_arg to = { mailbox_of(tr_self_ref(self)), 0 };
	struct sender_arg from = { .items = root->items };

	root->rounds--;
	to.items = root->senders * root->items;
	from.receiver = root_spawn(self, &receiver_behavior, &to);
	for (uint64_t i = 0; i < root->senders; i++)
		(void)root_spawn(self, &sender_behavior, &from);
	return TR_OK;
}

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct root *root = state;

	root->b = bench_of(arg);
	root->senders = bench_param(root->b, "senders");
	root->items = bench_param(root->b, "items");
	root->rounds = bench_param(root->b, "rounds");
	bench_begin(root->b, self);
	return root_round(self, root);
}

static int
on_done(struct tr_self *self, struct root *root)
{
	if (root->rounds > 0)
		return root_round(self, root);
	return bench_end(root->b, self,
	    root->senders * root->items * bench_param(root->b, "rounds"));
}

TR_ACTOR(root, struct root, mailbox, MAILBOX, .done = on_done);

static const struct tr_behavior root_behavior = {
	.name = "root",
	.state_size = sizeof(struct root),
	.arg_size = sizeof(struct bench *),
	.start = root_start,
	.receive = root_receive,
	.protocol = &mailbox_protocol,
};

const struct bench_case savina_mailbox_performance = {
	.name = "mailbox_performance",
	.suite = SAVINA_KIN,
	.op = "a message; 20 actors send to one",
	.note = "the senders are actors, not threads",
	.params = { { "items", { 500, 1000000, 1000000 } },
	    { "senders", { 20, 20, 20 } }, { "rounds", { 2, 1, 2 } } },
	.root = &root_behavior,
};
