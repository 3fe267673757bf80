// SPDX-License-Identifier: BSD-2-Clause

// The eight workloads of bench/micro.
#include "bench.hpp"

using namespace caf;

using ping_atom = atom_constant<atom("ping")>;
using pong_atom = atom_constant<atom("pong")>;
using inc_atom = atom_constant<atom("inc")>;
using get_atom = atom_constant<atom("get")>;
using token_atom = atom_constant<atom("token")>;
using next_atom = atom_constant<atom("next")>;
using work_atom = atom_constant<atom("work")>;
using done_atom = atom_constant<atom("done")>;
using all_atom = atom_constant<atom("all")>;

using actors = std::vector<actor>;

static void
wait_done(scoped_actor &self, int64_t n)
{
	int64_t i = 0;

	self->receive_for(i, n)([](done_atom) {});
}

struct counted {
	int64_t n = 0;
};

// ------------------------------------------------------------- pingpong ---

static behavior
ponger(event_based_actor *self)
{
	return { [=](ping_atom, const actor &pinger) {
		self->send(pinger, pong_atom::value);
	} };
}

static behavior
pinger(stateful_actor<counted> *self, actor ponger, int64_t n, actor root)
{
	self->state.n = n;
	self->send(ponger, ping_atom::value, actor{ self });
	return { [=](pong_atom) {
		if (--self->state.n > 0) {
			self->send(ponger, ping_atom::value, actor{ self });
		} else {
			self->send(root, done_atom::value);
			self->quit();
		}
	} };
}

int64_t
micro_pingpong(actor_system &system, const sizes &size)
{
	scoped_actor self{ system };

	system.spawn(pinger, system.spawn(ponger), size[0], actor{ self });
	wait_done(self, 1);
	return 2 * size[0];
}

// ----------------------------------------------------------- count, nto1 ---

static behavior
counter(stateful_actor<counted> *self)
{
	return { [=](inc_atom) { self->state.n++; },
		[=](get_atom, const actor &root) {
			self->send(root, self->state.n);
		} };
}

static void
send_incs(event_based_actor *self, actor counter, int64_t n, actor root)
{
	for (int64_t i = 0; i < n; i++)
		self->send(counter, inc_atom::value);
	self->send(root, done_atom::value);
}

static int64_t
count(actor_system &system, int64_t producers, int64_t n, const char *what)
{
	scoped_actor self{ system };
	actor counter_actor = system.spawn(counter);

	for (int64_t i = 0; i < producers; i++)
		system.spawn(send_incs, counter_actor, n, actor{ self });
	wait_done(self, producers);
	self->send(counter_actor, get_atom::value, actor{ self });
	self->receive([=](int64_t got) { check(got == producers * n, what); });
	return producers * n;
}

int64_t
micro_count(actor_system &system, const sizes &size)
{
	return count(system, 1, size[0], "count: every message");
}

int64_t
micro_nto1(actor_system &system, const sizes &size)
{
	return count(system, 64, size[0], "nto1: every message");
}

// ------------------------------------------------------------------ ring ---

struct ring_state {
	actor next;
};

static behavior
ring_member(stateful_actor<ring_state> *self, actor root)
{
	return { [=](next_atom, const actor &next) {
			self->state.next = next;
		},
		[=](token_atom, int64_t hops) {
			if (hops == 0)
				self->send(root, done_atom::value);
			else
				self->send(self->state.next, token_atom::value,
				    hops - 1);
		} };
}

int64_t
micro_ring(actor_system &system, const sizes &size)
{
	scoped_actor self{ system };
	actors ring;

	for (size_t i = 0; i < 100; i++)
		ring.push_back(system.spawn(ring_member, actor{ self }));
	for (size_t i = 0; i < 100; i++)
		self->send(ring[i], next_atom::value, ring[(i + 1) % 100]);
	self->send(ring[0], token_atom::value, size[0]);
	wait_done(self, 1);
	return size[0];
}

// ---------------------------------------------------- fjthrput, fjcreate ---

struct worker_state {
	int64_t n = 0;
	double x = 0.5;
};

static behavior
worker(stateful_actor<worker_state> *self, int64_t n, actor root)
{
	self->state.n = n;
	return { [=](work_atom) {
		self->state.x = self->state.x * self->state.x;
		if (--self->state.n > 0)
			return;
		self->send(root, done_atom::value);
		self->quit();
	} };
}

static void
deal_work(event_based_actor *self, const actors &workers, int64_t n)
{
	for (int64_t i = 0; i < n; i++) {
		for (const actor &a : workers)
			self->send(a, work_atom::value);
	}
}

int64_t
micro_fjthrput(actor_system &system, const sizes &size)
{
	scoped_actor self{ system };
	actors workers;

	for (int i = 0; i < 60; i++)
		workers.push_back(
		    system.spawn(worker, size[0], actor{ self }));
	system.spawn(deal_work, workers, size[0]);
	wait_done(self, 60);
	return 60 * size[0];
}

static void
spawn_workers(event_based_actor *self, int64_t n, actor root)
{
	for (int64_t i = 0; i < n; i++)
		self->send(self->spawn(worker, int64_t{ 1 }, root),
		    work_atom::value);
}

int64_t
micro_fjcreate(actor_system &system, const sizes &size)
{
	scoped_actor self{ system };

	system.spawn(spawn_workers, size[0], actor{ self });
	wait_done(self, size[0]);
	return size[0];
}

// ------------------------------------------------------------------- big ---

struct big_state {
	std::shared_ptr<const actors> all;
	uint64_t rng;
	int64_t left;
};

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::shared_ptr<const actors>)

static void
big_ping(stateful_actor<big_state> *self)
{
	uint64_t &rng = self->state.rng;

	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	self->send((*self->state.all)[rng % self->state.all->size()],
	    ping_atom::value, actor{ self });
}

static behavior
big_actor(stateful_actor<big_state> *self, uint64_t i, int64_t n, actor root)
{
	self->state.rng = i * 7919 + 1;
	self->state.left = n;
	return { [=](all_atom, const std::shared_ptr<const actors> &all) {
			self->state.all = all;
			big_ping(self);
		},
		[=](ping_atom, const actor &from) {
			self->send(from, pong_atom::value);
		},
		[=](pong_atom) {
			if (--self->state.left == 0)
				self->send(root, done_atom::value);
			else
				big_ping(self);
		} };
}

int64_t
micro_big(actor_system &system, const sizes &size)
{
	scoped_actor self{ system };
	auto all = std::make_shared<actors>();

	for (uint64_t i = 0; i < 120; i++)
		all->push_back(
		    system.spawn(big_actor, i, size[0], actor{ self }));
	for (const actor &a : *all)
		self->send(a, all_atom::value,
		    std::shared_ptr<const actors>{ all });
	wait_done(self, 120);
	return 120 * size[0];
}

// ------------------------------------------------------------------- fib ---

struct fib_state {
	int64_t sum = 0;
	int answers = 0;
};

static behavior
fib_actor(stateful_actor<fib_state> *self, int64_t n, actor parent)
{
	if (n < 2) {
		self->send(parent, n);
		return {};
	}
	self->spawn(fib_actor, n - 1, actor{ self });
	self->spawn(fib_actor, n - 2, actor{ self });
	return { [=](int64_t value) {
		self->state.sum += value;
		if (++self->state.answers < 2)
			return;
		self->send(parent, self->state.sum);
		self->quit();
	} };
}

int64_t
micro_fib(actor_system &system, const sizes &size)
{
	scoped_actor self{ system };
	int64_t a = 0, b = 1, count = 1, more = 1, next;

	system.spawn(fib_actor, size[0], actor{ self });
	for (int64_t i = 0; i < size[0]; i++) {
		next = a + b;
		a = b;
		b = next;
		next = 1 + count + more;
		count = more;
		more = next;
	}
	self->receive(
	    [=](int64_t got) { check(got == a, "fib: the nth number"); });
	return count;
}
