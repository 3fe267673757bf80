// SPDX-License-Identifier: BSD-2-Clause

// bench/savina/skynet.c: a tree of actors, ten below each.
#include "bench.hpp"

using namespace caf;

enum { CHILDREN = 10 };

struct node_state {
	int64_t sum = 0;
	int answers = 0;
};

static behavior
node(stateful_actor<node_state> *self, actor parent, int64_t first,
    int64_t leaves)
{
	if (leaves == 1) {
		self->send(parent, first);
		return {};
	}
	for (int64_t i = 0; i < CHILDREN; i++)
		self->spawn(node, actor{ self }, first + i * (leaves / CHILDREN),
		    leaves / CHILDREN);
	return { [=](int64_t value) {
		self->state.sum += value;
		if (++self->state.answers < CHILDREN)
			return;
		self->send(parent, self->state.sum);
		self->quit();
	} };
}

int64_t
skynet(actor_system &system, const sizes &size)
{
	scoped_actor self{ system };
	int64_t leaves = size[0];

	system.spawn(node, actor{ self }, int64_t{ 0 }, leaves);
	self->receive([=](int64_t sum) {
		check(sum == leaves * (leaves - 1) / 2,
		    "skynet: the sum of all leaves' numbers");
	});
	return leaves;
}
