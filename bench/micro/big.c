/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * big.c - 120 actors, each pings a random one N times.
 *
 * Each waits for its pong before the next ping and answers the pings of the
 * others meanwhile, also when it is done itself.  The table of all references
 * is read by all of them, as the peers' is; it outlives the system and is not
 * written any more once they are told to go.
 */
#include "micro.h"

enum {
	GO,
	PING,
	PONG,
	DONE,
	MEMBERS = 120,
};

struct table {
	tr_ref root;
	tr_ref members[MEMBERS];
};

struct member_arg {
	const struct table *table;
	uint32_t seed;
	uint32_t pings;
};

struct member {
	const struct table *table;
	uint64_t rng;
	uint32_t left; /* pongs to come */
};

struct root {
	struct bench *b;
	unsigned left; /* members that are not done */
};

static int
member_start(struct tr_self *self, void *state, const void *arg)
{
	const struct member_arg *given = arg;
	struct member *member = state;

	(void)self;
	member->table = given->table;
	member->rng = given->seed;
	member->left = given->pings;
	return TR_OK;
}

/* xorshift64, as in the peers. */
static int
member_ping(struct tr_self *self, struct member *member)
{
	member->rng ^= member->rng << 13;
	member->rng ^= member->rng >> 7;
	member->rng ^= member->rng << 17;
	return tr_send(self, member->table->members[member->rng % MEMBERS],
	    PING, NULL, 0);
}

static int
member_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct member *member = state;

	if (tr_tag(msg) == PING)
		return tr_send(self, tr_sender(msg), PONG, NULL, 0);
	if (tr_tag(msg) == GO)
		return member_ping(self, member);
	bench_check(tr_tag(msg) == PONG && member->left > 0,
	    "big: one pong for each ping");
	if (--member->left > 0)
		return member_ping(self, member);
	return tr_send(self, member->table->root, DONE, NULL, 0);
}

static const struct tr_behavior member_behavior = {
	.name = "member",
	.state_size = sizeof(struct member),
	.arg_size = sizeof(struct member_arg),
	.start = member_start,
	.receive = member_receive,
};

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct root *root = state;
	struct member_arg member;
	struct table *table;
	tr_ref ref;
	int error;

	root->b = bench_of(arg);
	root->left = MEMBERS;
	bench_begin(root->b, self);
	table = root->b->ctx;
	table->root = tr_self_ref(self);
	member.table = table;
	member.pings = (uint32_t)root->b->size;
	for (uint32_t i = 0; i < MEMBERS; i++) {
		member.seed = i * 7919 + 1;
		ref = tr_spawn(self, &member_behavior, &member, NULL);
		bench_check(tr_ref_valid(ref), "big: spawn");
		table->members[i] = ref;
	}
	for (int i = 0; i < MEMBERS; i++) {
		error = tr_send(self, table->members[i], GO, NULL, 0);
		bench_check(error == TR_OK, "big: send");
	}
	return TR_OK;
}

static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct root *root = state;

	bench_check(tr_tag(msg) == DONE, "big: a member is done");
	if (--root->left > 0)
		return TR_OK;
	return bench_end(root->b, self, MEMBERS * root->b->size);
}

static const struct tr_behavior root_behavior = {
	.name = "root",
	.state_size = sizeof(struct root),
	.arg_size = sizeof(struct bench *),
	.start = root_start,
	.receive = root_receive,
};

void
big_run(struct bench *b)
{
	struct table table;

	b->ctx = &table;
	bench_system(b, &root_behavior);
}
