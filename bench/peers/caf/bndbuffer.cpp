// SPDX-License-Identifier: BSD-2-Clause

// bench/savina/bndbuffer.c: the manager is the buffer; it, the producers and
// the consumers are actors.
#include "bench.hpp"

#include <cmath>
#include <deque>

using namespace caf;

using produce_atom = atom_constant<atom("produce")>;
using item_atom = atom_constant<atom("item")>;
using available_atom = atom_constant<atom("available")>;
using finished_atom = atom_constant<atom("finished")>;
using leave_atom = atom_constant<atom("leave")>;
using consumed_atom = atom_constant<atom("consumed")>;

struct item {
	int64_t number;
	double data;
};

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(item)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sizes)

static void
process(double &data, int64_t cost)
{
	random_numbers random{ static_cast<uint64_t>(cost) };

	for (int64_t i = 0; i < cost; i++) {
#pragma GCC unroll 10 /* as rustc does unasked */
		for (int k = 0; k < 100; k++)
			data += std::log(
			    1.0 / static_cast<double>(random.next() + 1) +
			    0.01);
	}
}

// ---------------------------------------------- producers and consumers ---

struct producer_state {
	int64_t produced = 0;
	double data = 0;
};

static behavior
producer(stateful_actor<producer_state> *self, actor manager, int64_t number,
    int64_t items, int64_t cost)
{
	return { [=](produce_atom) {
		producer_state &s = self->state;

		if (s.produced == items) {
			self->send(manager, finished_atom::value);
			self->quit();
			return;
		}
		process(s.data, cost);
		self->send(manager, item_atom::value,
		    item{ number * items + s.produced++, s.data },
		    actor{ self });
	} };
}

struct consumer_state {
	int64_t items = 0;
	int64_t numbers = 0;
	double data = 0;
};

static behavior
consumer(stateful_actor<consumer_state> *self, actor manager, int64_t cost)
{
	return { [=](item_atom, const item &i) {
			consumer_state &s = self->state;

			s.items++;
			s.numbers += i.number;
			s.data += i.data;
			process(s.data, cost);
			self->send(manager, available_atom::value,
			    actor{ self });
		},
		[=](leave_atom) {
			self->send(manager, consumed_atom::value,
			    self->state.items, self->state.numbers);
			self->quit();
		} };
}

// -------------------------------------------------------------- manager ---

struct manager_state {
	size_t room;
	size_t held_back_at; // that many items wait: producers do, too
	std::deque<item> pending;
	std::deque<actor> producers; // that wait
	std::deque<actor> consumers; // that wait
	int64_t producing;
	size_t consuming; // all consumers
	size_t gone = 0;
	int64_t items = 0;
	int64_t numbers = 0;
};

using manager_actor = stateful_actor<manager_state>;

static void
manager_item(manager_actor *self, const item &i, const actor &from)
{
	manager_state &s = self->state;

	if (!s.consumers.empty()) {
		self->send(s.consumers.front(), item_atom::value, i);
		s.consumers.pop_front();
	} else {
		check(s.pending.size() < s.room, "bndbuffer: bounded");
		s.pending.push_back(i);
	}
	if (s.pending.size() < s.held_back_at)
		self->send(from, produce_atom::value);
	else
		s.producers.push_back(from);
}

// All is made and used up: the consumers may go.
static void
manager_try_end(manager_actor *self)
{
	manager_state &s = self->state;

	if (s.producing > 0 || s.consumers.size() < s.consuming)
		return;
	for (const actor &a : s.consumers)
		self->send(a, leave_atom::value);
}

static void
manager_available(manager_actor *self, const actor &from)
{
	manager_state &s = self->state;

	if (s.pending.empty()) {
		s.consumers.push_back(from);
		manager_try_end(self);
		return;
	}
	self->send(from, item_atom::value, s.pending.front());
	s.pending.pop_front();
	if (!s.producers.empty()) {
		self->send(s.producers.front(), produce_atom::value);
		s.producers.pop_front();
	}
}

static void
manager_start(manager_actor *self, const sizes &size)
{
	manager_state &s = self->state;

	s.room = static_cast<size_t>(size[1]);
	s.held_back_at = static_cast<size_t>(size[1] - size[2]);
	s.producing = size[2];
	s.consuming = static_cast<size_t>(size[3]);
	for (int64_t i = 0; i < size[3]; i++)
		s.consumers.push_back(
		    self->spawn(consumer, actor{ self }, size[5]));
	for (int64_t i = 0; i < size[2]; i++)
		self->send(self->spawn(producer, actor{ self }, i, size[0],
			       size[4]),
		    produce_atom::value);
}

static behavior
manager(manager_actor *self, const sizes &size, actor root)
{
	manager_start(self, size);
	return { [=](item_atom, const item &i, const actor &from) {
			manager_item(self, i, from);
		},
		[=](available_atom, const actor &from) {
			manager_available(self, from);
		},
		[=](finished_atom) {
			self->state.producing--;
			manager_try_end(self);
		},
		[=](consumed_atom, int64_t items, int64_t numbers) {
			manager_state &s = self->state;

			s.items += items;
			s.numbers += numbers;
			if (++s.gone == s.consuming)
				self->send(root, consumed_atom::value, s.items,
				    s.numbers);
		} };
}

int64_t
bndbuffer(actor_system &system, const sizes &size)
{
	scoped_actor self{ system };
	int64_t made = size[2] * size[0];

	system.spawn(manager, size, actor{ self });
	self->receive([=](consumed_atom, int64_t items, int64_t numbers) {
		check(items == made,
		    "bndbuffer: as many items used up as made");
		check(numbers == made * (made - 1) / 2,
		    "bndbuffer: each item used up, once,");
	});
	return made;
}
