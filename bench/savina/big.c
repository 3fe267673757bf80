/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * big.c - Savina 8, Big: many actors, each pings a random one.
 *
 * Each waits for its pong before its next ping, and answers the pings of the
 * others meanwhile, also when it is done itself.  It shows traffic of all with
 * all: messages cross workers, and mailboxes have several senders.
 *
 * The list of all actors is a blob that each of them holds, as the original's
 * is an array that all may read.  As there a pong has to be of the actor that
 * was pinged.
 */
#include "savina.h"

#define BIG(MSG, P)                      \
	MSG(P, ping, TR_EMPTY)           \
	MSG(P, pong, { uint64_t from; }) \
	MSG(P, done, TR_EMPTY)
TR_PROTOCOL(big, BIG);

enum { NEIGHBORS }; /* tag of the message that carries the list */

struct member_arg {
	big_ref root;
	uint64_t number;
	uint64_t pings;
};

struct member {
	struct member_arg given;
	tr_blob neighbors; /* big_ref[] */
	struct savina_random random;
	uint64_t sent;
	uint64_t pinged; /* the last one's number */
};

struct root {
	struct bench *b;
	uint64_t actors;
	uint64_t left; /* actors that are not done */
};

/* ------------------------------------------------------------- member --- */

static int
member_start(struct tr_self *self, void *state, const void *arg)
{
	struct member *member = state;

	(void)self;
	member->given = *(const struct member_arg *)arg;
	member->random.value = member->given.number;
	return TR_OK;
}

static int
member_ping(struct tr_self *self, struct member *member)
{
	const big_ref *neighbors = tr_blob_data(&member->neighbors);
	size_t count = tr_blob_size(&member->neighbors) / sizeof(*neighbors);

	if (member->sent == member->given.pings)
		return big_send_done(self, member->given.root);
	member->sent++;
	member->pinged = savina_random_next(&member->random) % count;
	return big_send_ping(self, neighbors[member->pinged]);
}

static int
on_ping(struct tr_self *self, struct member *member)
{
	return big_reply_pong(self, (struct big_pong){ member->given.number });
}

static int
on_pong(struct tr_self *self, struct member *member,
    const struct big_pong *pong)
{
	bench_check(pong->from == member->pinged,
	    "big: the pong is of who was pinged");
	return member_ping(self, member);
}

static int
on_other(struct tr_self *self, struct member *member, const struct tr_msg *msg)
{
	const tr_blob *neighbors = tr_msg_blob(msg);

	if (tr_tag(msg) != NEIGHBORS || neighbors == NULL)
		return tr_unhandled(self, msg);
	member->neighbors = tr_blob_ref(neighbors);
	return member_ping(self, member);
}

TR_ACTOR(member, struct member, big, BIG, .ping = on_ping, .pong = on_pong,
    .other = on_other);

static void
member_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)self;
	(void)why;
	tr_blob_drop(&((struct member *)state)->neighbors);
}

static const struct tr_behavior member_behavior = {
	.name = "member",
	.state_size = sizeof(struct member),
	.arg_size = sizeof(struct member_arg),
	.start = member_start,
	.receive = member_receive,
	.stop = member_stop,
	.protocol = &big_protocol,
};

/* --------------------------------------------------------------- root --- */

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct member_arg given = { .root = big_of(tr_self_ref(self)) };
	struct root *root = state;
	tr_blob neighbors;
	big_ref *members;

	root->b = bench_of(arg);
	root->actors = bench_param(root->b, "actors");
	root->left = root->actors;
	given.pings = bench_param(root->b, "pings");
	bench_begin(root->b, self);
	members = tr_blob_alloc(tr_system_of(self),
	    root->actors * sizeof(*members), &neighbors);
	if (members == NULL)
		return TR_ENOMEM;
	for (uint64_t i = 0; i < root->actors; i++) {
		given.number = i;
		members[i] = big_spawn(self, &member_behavior, &given, NULL);
		bench_check(tr_ref_valid(members[i].ref), "big: spawn");
	}
	for (uint64_t i = 0; i < root->actors; i++)
		(void)tr_send_blob(self, members[i].ref, NEIGHBORS, &neighbors);
	tr_blob_drop(&neighbors);
	return TR_OK;
}

static int
on_done(struct tr_self *self, struct root *root)
{
	if (--root->left > 0)
		return TR_OK;
	return bench_end(root->b, self,
	    root->actors * bench_param(root->b, "pings"));
}

TR_ACTOR(root, struct root, big, BIG, .done = on_done);

static const struct tr_behavior root_behavior = {
	.name = "root",
	.state_size = sizeof(struct root),
	.arg_size = sizeof(struct bench *),
	.start = root_start,
	.receive = root_receive,
	.protocol = &big_protocol,
};

const struct bench_case savina_big = {
	.name = "big",
	.suite = SAVINA_SUITE,
	.group = SAVINA_MESSAGES,
	.op = "a ping and its pong; 120 actors",
	.params = { { "pings", { 60, 20000, 140000 } },
	    { "actors", { 120, 120, 120 } } },
	.root = &root_behavior,
};
