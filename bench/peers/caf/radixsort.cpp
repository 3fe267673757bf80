// SPDX-License-Identifier: BSD-2-Clause

// bench/savina/radixsort.c: an actor for each bit.  A stage passes values
// without its bit on at once and keeps those with it until all have come by.
#include "bench.hpp"

using namespace caf;

enum { SEED = 2048 };

using done_atom = atom_constant<atom("done")>;

struct stage_state {
	std::vector<int64_t> kept;
	int64_t left;
};

static behavior
stage(stateful_actor<stage_state> *self, actor next, int64_t bit,
    int64_t values)
{
	self->state.left = values;
	self->state.kept.reserve(static_cast<size_t>(values));
	return { [=](int64_t value) {
		if ((value & bit) == 0)
			self->send(next, value);
		else
			self->state.kept.push_back(value);
		if (--self->state.left > 0)
			return;
		for (int64_t v : self->state.kept)
			self->send(next, v);
		self->quit();
	} };
}

static void
source(event_based_actor *self, actor first, int64_t values)
{
	random_numbers random{ SEED };

	for (int64_t i = 0; i < values; i++)
		self->send(first, random.next());
}

struct sink_state {
	int64_t left;
	int64_t last = 0;
	int64_t sum = 0;
};

static behavior
sink(stateful_actor<sink_state> *self, int64_t values, actor root)
{
	self->state.left = values;
	return { [=](int64_t value) {
		sink_state &s = self->state;

		check(value >= s.last, "radixsort: the values in order");
		s.last = value;
		s.sum += value;
		if (--s.left > 0)
			return;
		self->send(root, done_atom::value, s.sum);
		self->quit();
	} };
}

int64_t
radixsort(actor_system &system, const sizes &size)
{
	scoped_actor self{ system };
	random_numbers random{ SEED };
	int64_t values = size[0], bits = size[1], sum = 0;

	for (int64_t i = 0; i < values; i++)
		sum += random.next();
	begin();
	actor next = system.spawn(sink, values, actor{ self });
	for (int64_t bit = bits; bit-- > 0;)
		next = system.spawn(stage, next, int64_t{ 1 } << bit, values);
	system.spawn(source, next, values);
	self->receive([=](done_atom, int64_t got) {
		end();
		check(got == sum, "radixsort: the sum of the values");
	});
	return values * (bits + 1);
}
