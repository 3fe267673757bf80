// SPDX-License-Identifier: BSD-2-Clause

// bench/savina/nqueenk.c: a master and workers.
#include "bench.hpp"

using namespace caf;

enum { QUEENS_MAX = 16 };

struct board {
	int8_t queens = 0;
	int8_t row[QUEENS_MAX] = {};

	// Whether the last queen is safe from those before it.
	bool
	is_safe() const
	{
		int last = queens - 1, mine = row[last];

		for (int i = 0; i < last; i++) {
			if (row[i] == mine || row[i] == mine - (last - i) ||
			    row[i] == mine + (last - i))
				return false;
		}
		return true;
	}
};

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(board)

using work_atom = atom_constant<atom("work")>;
using solution_atom = atom_constant<atom("solution")>;
using done_atom = atom_constant<atom("done")>;
using finish_atom = atom_constant<atom("finish")>;
using finished_atom = atom_constant<atom("finished")>;

// --------------------------------------------------------------- worker ---

// Hand back the boards with one queen more.
static void
divide(event_based_actor *self, const actor &master, board b, int8_t size)
{
	int8_t column = b.queens++;

	for (int8_t row = 0; row < size; row++) {
		b.row[column] = row;
		if (b.is_safe())
			self->send(master, work_atom::value, b);
	}
}

// Find all solutions that begin with a board: the last queen moves up, and
// where it can move no more it goes.
static void
solve(event_based_actor *self, const actor &master, board b, int8_t size)
{
	int8_t begin = b.queens;

	b.row[b.queens++] = 0;
	while (b.queens > begin) {
		int8_t &row = b.row[b.queens - 1];

		if (row == size) {
			if (--b.queens > begin)
				b.row[b.queens - 1]++;
		} else if (!b.is_safe()) {
			row++;
		} else if (b.queens < size) {
			b.row[b.queens++] = 0;
		} else {
			self->send(master, solution_atom::value, b);
			row++;
		}
	}
}

static behavior
worker(event_based_actor *self, actor master, int8_t size, int8_t threshold)
{
	return { [=](work_atom, const board &b) {
			if (b.queens < threshold)
				divide(self, master, b, size);
			else
				solve(self, master, b, size);
			self->send(master, done_atom::value);
		},
		[=](finish_atom) {
			self->send(master, finished_atom::value);
			self->quit();
		} };
}

// --------------------------------------------------------------- master ---

struct master_state {
	std::vector<actor> workers;
	size_t next = 0;
	int64_t working = 0;
	int64_t boards = 0;
	int64_t solutions = 0;
	size_t finished = 0;
	bool finish = false;
};

using master_actor = stateful_actor<master_state>;

static void
master_work(master_actor *self, const board &b)
{
	master_state &s = self->state;

	if (s.finish)
		return;
	self->send(s.workers[s.next], work_atom::value, b);
	s.next = (s.next + 1) % s.workers.size();
	s.working++;
	s.boards++;
}

static void
master_finish(master_actor *self)
{
	if (self->state.finish)
		return;
	self->state.finish = true;
	for (const actor &a : self->state.workers)
		self->send(a, finish_atom::value);
}

static behavior
master(master_actor *self, const sizes &size, actor root)
{
	int8_t queens = static_cast<int8_t>(size[0]);
	int64_t limit = size[3];

	for (int64_t i = 0; i < size[2]; i++)
		self->state.workers.push_back(self->spawn(worker, actor{ self },
		    queens, static_cast<int8_t>(size[1])));
	master_work(self, board{});
	return { [=](work_atom, const board &b) { master_work(self, b); },
		[=](solution_atom, const board &b) {
			check(b.queens == queens && b.is_safe(),
			    "nqueenk: a solution with all queens");
			if (++self->state.solutions == limit)
				master_finish(self);
		},
		[=](done_atom) {
			if (--self->state.working == 0)
				master_finish(self);
		},
		[=](finished_atom) {
			master_state &s = self->state;

			if (++s.finished == s.workers.size())
				self->send(root, done_atom::value, s.boards,
				    s.solutions);
		} };
}

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sizes)

int64_t
nqueenk(actor_system &system, const sizes &size)
{
	static const int64_t known[QUEENS_MAX + 1] = { 1, 1, 0, 0, 2, 10, 4, 40,
		92, 352, 724, 2680, 14200, 73712, 365596, 2279184, 14772512 };
	scoped_actor self{ system };
	int64_t most, ops = 0;

	check(size[0] <= QUEENS_MAX && size[1] < size[0], "nqueenk: a board");
	most = known[size[0]];
	system.spawn(master, size, actor{ self });
	self->receive([&](done_atom, int64_t boards, int64_t solutions) {
		check(solutions >= size[3] || solutions == most,
		    "nqueenk: as many solutions as wanted, or all,");
		check(solutions <= most,
		    "nqueenk: no more solutions than there are");
		ops = boards + solutions;
	});
	return ops;
}
