// SPDX-License-Identifier: BSD-2-Clause

// bench/savina/chameneos.c: creatures and the mall are actors.
#include "bench.hpp"

using namespace caf;

enum { COLORS = 3 };

using meet_atom = atom_constant<atom("meet")>;
using change_atom = atom_constant<atom("change")>;
using fade_atom = atom_constant<atom("fade")>;
using met_atom = atom_constant<atom("met")>;
using done_atom = atom_constant<atom("done")>;

struct creature_state {
	int color;
	int64_t count = 0;
};

static behavior
creature(stateful_actor<creature_state> *self, actor mall, int color)
{
	self->state.color = color;
	self->send(mall, meet_atom::value, color, actor{ self });
	return { [=](meet_atom, int other, const actor &from) {
			creature_state &s = self->state;

			check(from != self, "chameneos: somebody else");
			s.color = (2 * COLORS - s.color - other) % COLORS;
			s.count++;
			self->send(from, change_atom::value, s.color);
			self->send(mall, meet_atom::value, s.color,
			    actor{ self });
		},
		[=](change_atom, int color) {
			self->state.color = color;
			self->state.count++;
			self->send(mall, meet_atom::value, color,
			    actor{ self });
		},
		[=](fade_atom) {
			self->send(mall, met_atom::value, self->state.count);
			self->quit();
		} };
}

struct mall_state {
	actor waiting;
	int64_t left; // meetings
	int64_t creatures; // that have not faded
	int64_t sum = 0;
};

static behavior
mall(stateful_actor<mall_state> *self, int64_t meetings, int64_t creatures,
    actor root)
{
	self->state.left = meetings;
	self->state.creatures = creatures;
	for (int64_t i = 0; i < creatures; i++)
		self->spawn(creature, actor{ self },
		    static_cast<int>(i % COLORS));
	return { [=](meet_atom, int color, const actor &from) {
			mall_state &s = self->state;

			if (s.left == 0) {
				self->send(from, fade_atom::value);
			} else if (!s.waiting) {
				s.waiting = from;
			} else {
				s.left--;
				self->send(s.waiting, meet_atom::value, color,
				    from);
				s.waiting = nullptr;
			}
		},
		[=](met_atom, int64_t count) {
			self->state.sum += count;
			if (--self->state.creatures == 0)
				self->send(root, done_atom::value,
				    self->state.sum);
		} };
}

int64_t
chameneos(actor_system &system, const sizes &size)
{
	scoped_actor self{ system };
	int64_t meetings = size[0];

	system.spawn(mall, meetings, size[1], actor{ self });
	self->receive([=](done_atom, int64_t sum) {
		check(sum == 2 * meetings, "chameneos: two for a meeting");
	});
	return meetings;
}
