/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * threadring.c - Savina 6, Thread Ring: actors in a ring pass a token.
 *
 * The token says how often it is still to be passed.  At its end a second one
 * goes round once, and each actor ends when it comes by.  It shows what it
 * costs to change from one actor to another, with nothing to do in parallel.
 * The original checks nothing; here each actor counts, and the second token
 * collects the counts.
 */
#include "savina.h"

#define RING(MSG, P)                      \
	MSG(P, next, { ring_ref actor; }) \
	MSG(P, ping, { uint64_t left; })  \
	MSG(P, leave, {                   \
		uint64_t left;            \
		uint64_t pings;           \
	})                                \
	MSG(P, result, { uint64_t pings; })
TR_PROTOCOL(ring, RING);

struct member_arg {
	ring_ref root;
	uint64_t members;
};

struct member {
	struct member_arg given;
	ring_ref next;
	uint64_t pings;
};

struct root {
	struct bench *b;
};

/* ------------------------------------------------------------- member --- */

static int
member_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	((struct member *)state)->given = *(const struct member_arg *)arg;
	return TR_OK;
}

static int
on_next(struct tr_self *self, struct member *member,
    const struct ring_next *next)
{
	(void)self;
	member->next = next->actor;
	return TR_OK;
}

static int
on_ping(struct tr_self *self, struct member *member,
    const struct ring_ping *ping)
{
	if (ping->left > 0) {
		member->pings++;
		return ring_send_ping(self, member->next,
		    (struct ring_ping){ ping->left - 1 });
	}
	return ring_send_leave(self, member->next,
	    (struct ring_leave){ member->given.members, 0 });
}

/* Each member ends here; the last one was the first to see no ping left. */
static int
on_leave(struct tr_self *self, struct member *member,
    const struct ring_leave *leave)
{
	uint64_t pings = leave->pings + member->pings;
	int error;

	if (leave->left > 1)
		error = ring_send_leave(self, member->next,
		    (struct ring_leave){ leave->left - 1, pings });
	else
		error = ring_send_result(self, member->given.root,
		    (struct ring_result){ pings });
	return error != TR_OK ? error : tr_exit(self, TR_NORMAL);
}

TR_ACTOR(member, struct member, ring, RING, .next = on_next, .ping = on_ping,
    .leave = on_leave);

static const struct tr_behavior member_behavior = {
	.name = "member",
	.state_size = sizeof(struct member),
	.arg_size = sizeof(struct member_arg),
	.start = member_start,
	.receive = member_receive,
	.protocol = &ring_protocol,
};

/* --------------------------------------------------------------- root --- */

static ring_ref
root_spawn(struct tr_self *self, const struct member_arg *given)
{
	ring_ref member = ring_spawn(self, &member_behavior, given, NULL);

	bench_check(tr_ref_valid(member.ref), "threadring: spawn");
	return member;
}

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct member_arg given = { ring_of(tr_self_ref(self)), 0 };
	struct root *root = state;
	ring_ref first, member, next;

	root->b = bench_of(arg);
	given.members = bench_param(root->b, "actors");
	bench_begin(root->b, self);
	first = root_spawn(self, &given);
	member = first;
	for (uint64_t i = 1; i < given.members; i++) {
		next = root_spawn(self, &given);
		(void)ring_send_next(self, member, (struct ring_next){ next });
		member = next;
	}
	(void)ring_send_next(self, member, (struct ring_next){ first });
	return ring_send_ping(self, first,
	    (struct ring_ping){ bench_param(root->b, "passes") });
}

static int
on_result(struct tr_self *self, struct root *root,
    const struct ring_result *result)
{
	uint64_t passes = bench_param(root->b, "passes");

	bench_check(result->pings == passes,
	    "threadring: the number of passes");
	return bench_end(root->b, self, passes);
}

TR_ACTOR(root, struct root, ring, RING, .result = on_result);

static const struct tr_behavior root_behavior = {
	.name = "root",
	.state_size = sizeof(struct root),
	.arg_size = sizeof(struct bench *),
	.start = root_start,
	.receive = root_receive,
	.protocol = &ring_protocol,
};

const struct bench_case savina_threadring = {
	.name = "threadring",
	.suite = SAVINA_SUITE,
	.group = SAVINA_MESSAGES,
	.op = "a pass of the token; 100 actors",
	.params = { { "passes", { 5000, 100000, 50000000 } },
	    { "actors", { 100, 100, 100 } } },
	.root = &root_behavior,
};
