/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ring.c - 100 actors pass one token.
 *
 * The token's payload is the number of hops to go.  The actors are made from
 * the last to the first, each with its successor as argument; the last one
 * gets its successor, the first, in a message, and then the token.  The token
 * ends where it has no hops to go.
 */
#include "micro.h"

enum {
	NEXT,
	TOKEN,
	DONE,
	MEMBERS = 100,
};

struct member {
	tr_ref next;
	tr_ref root;
};

struct root {
	struct bench *b;
};

static int
member_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	*(struct member *)state = *(const struct member *)arg;
	return TR_OK;
}

static int
member_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct member *member = state;
	const uint64_t *hops;
	uint64_t left;

	if (tr_tag(msg) == TOKEN) {
		hops = tr_data(msg, sizeof(*hops));
		bench_check(hops != NULL, "ring: the token has a payload");
		if (*hops == 0)
			return tr_send(self, member->root, DONE, NULL, 0);
		left = *hops - 1;
		return tr_send(self, member->next, TOKEN, &left, sizeof(left));
	}
	bench_check(tr_tag(msg) == NEXT && !tr_ref_valid(member->next),
	    "ring: one successor each");
	member->next = *(const tr_ref *)tr_data(msg, sizeof(member->next));
	return TR_OK;
}

static const struct tr_behavior member_behavior = {
	.name = "member",
	.state_size = sizeof(struct member),
	.arg_size = sizeof(struct member),
	.start = member_start,
	.receive = member_receive,
};

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct member member = { .next = TR_REF_NONE };
	struct root *root = state;
	uint64_t hops;
	tr_ref first;
	tr_ref last;
	int error;

	root->b = bench_of(arg);
	hops = root->b->size;
	bench_begin(root->b, self);
	member.root = tr_self_ref(self);
	last = tr_spawn(self, &member_behavior, &member, NULL);
	first = last;
	for (int i = 1; i < MEMBERS; i++) {
		member.next = first;
		first = tr_spawn(self, &member_behavior, &member, NULL);
		bench_check(tr_ref_valid(first), "ring: spawn");
	}
	error = tr_send(self, last, NEXT, &first, sizeof(first));
	bench_check(error == TR_OK, "ring: send");
	return tr_send(self, last, TOKEN, &hops, sizeof(hops));
}

static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct root *root = state;

	bench_check(tr_tag(msg) == DONE, "ring: the token is home");
	return bench_end(root->b, self, root->b->size);
}

static const struct tr_behavior root_behavior = {
	.name = "root",
	.state_size = sizeof(struct root),
	.arg_size = sizeof(struct bench *),
	.start = root_start,
	.receive = root_receive,
};

void
ring_run(struct bench *b)
{
	bench_system(b, &root_behavior);
}
