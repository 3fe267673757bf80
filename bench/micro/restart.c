/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * restart.c - a child ends and its supervisor starts it again.
 *
 * The root tells the child to end, and its next life tells the root that it is
 * there: two messages, the end, the notice to the supervisor, and the start.
 * The child is permanent and ends with TR_NORMAL, so that it is restarted
 * without having failed.
 */
#include "micro.h"

enum { END, THERE };

struct pair {
	struct bench *b;
	tr_ref root;
	struct tr_child child[1];
	struct tr_supervisor supervisor;
};

/* child */

struct child {
	const struct pair *pair;
};

static int
child_start(struct tr_self *self, void *state, const void *arg)
{
	struct child *child = state;

	child->pair = arg;
	return tr_send(self, child->pair->root, THERE, NULL, 0);
}

static int
child_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	bench_check(tr_tag(msg) == END, "restart: told to end");
	return tr_exit(self, TR_NORMAL);
}

static const struct tr_behavior child_behavior = {
	.name = "child",
	.state_size = sizeof(struct child),
	.start = child_start,
	.receive = child_receive,
};

/* root */

struct root {
	struct pair *pair;
	uint64_t lives; /* begun */
	tr_ref child;
};

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct root *root = state;
	struct bench *b = *(struct bench *const *)arg;
	tr_ref supervisor;

	root->pair = b->ctx;
	root->pair->b = b;
	root->pair->root = tr_self_ref(self);
	supervisor = tr_supervisor_spawn(self, &root->pair->supervisor, NULL);
	bench_check(tr_ref_valid(supervisor), "restart: supervisor");
	return TR_OK;
}

static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct root *root = state;
	struct bench *b = root->pair->b;

	bench_check(tr_tag(msg) == THERE, "restart: a life has begun");
	if (root->lives++ == 0) {
		root->child = tr_sender(msg);
		bench_begin(b, self);
	}
	bench_check(tr_ref_equal(tr_sender(msg), root->child),
	    "restart: it is the same actor");
	if (root->lives > b->size)
		return bench_end(b, self, b->size);
	return tr_send(self, root->child, END, NULL, 0);
}

static const struct tr_behavior root_behavior = {
	.name = "root",
	.state_size = sizeof(struct root),
	.arg_size = sizeof(struct bench *),
	.start = root_start,
	.receive = root_receive,
};

void
restart_run(struct bench *b)
{
	struct pair pair = {
		.child = { { .id = "child",
		    .behavior = &child_behavior,
		    .arg = &pair } },
		.supervisor = {
			.name = "supervisor",
			.intensity = TR_INTENSITY_MAX,
			.period_ns = TR_US(1), /* more than there can be */
			.children = pair.child,
			.child_count = 1,
		},
	};

	b->ctx = &pair;
	bench_system(b, &root_behavior);
}
