// SPDX-License-Identifier: BSD-2-Clause

// bench/savina/banking.c: an account awaits the answer of another one, so that
// all else waits in its mailbox.
#include "bench.hpp"

#include <algorithm>

using namespace caf;

enum { SEED = 123456, AMOUNT_MAX = 100000, FIRST_BALANCE = 1000000000 };

using transfer_atom = atom_constant<atom("transfer")>;
using deposit_atom = atom_constant<atom("deposit")>;
using balance_atom = atom_constant<atom("balance")>;
using done_atom = atom_constant<atom("done")>;

struct transfer {
	size_t from;
	size_t to;
	int64_t cents;
};

static transfer
draw(random_numbers &random, int64_t accounts)
{
	int64_t from = random.next() % (accounts / 10 * 8);
	int64_t further = random.next() % (accounts - from);
	int64_t to = from + std::max(further, int64_t{ 1 });

	return { static_cast<size_t>(from), static_cast<size_t>(to),
		AMOUNT_MAX / (1 + random.next()) };
}

struct account_state {
	int64_t balance = FIRST_BALANCE;
};

static behavior
account(stateful_actor<account_state> *self)
{
	return { [=](transfer_atom, const actor &teller, const actor &to,
		     int64_t cents) {
			self->state.balance -= cents;
			self->request(to, infinite, deposit_atom::value, cents)
			    .await([=](done_atom) {
				    self->send(teller, done_atom::value);
			    });
		},
		[=](deposit_atom, int64_t cents) -> result<done_atom> {
			self->state.balance += cents;
			return done_atom::value;
		},
		[=](balance_atom) -> result<int64_t> {
			return self->state.balance;
		} };
}

struct teller_state {
	int64_t left;
};

// It counts answers: as requests, with a handler each, fifty thousand of them
// took ten times as long.
static behavior
teller(stateful_actor<teller_state> *self, const std::vector<actor> &accounts,
    int64_t transfers, actor root)
{
	random_numbers random{ SEED };

	self->state.left = transfers;
	for (int64_t i = 0; i < transfers; i++) {
		transfer t =
		    draw(random, static_cast<int64_t>(accounts.size()));

		self->send(accounts[t.from], transfer_atom::value,
		    actor{ self }, accounts[t.to], t.cents);
	}
	return { [=](done_atom) {
		if (--self->state.left == 0)
			self->send(root, done_atom::value);
	} };
}

static std::vector<int64_t>
balances_after(int64_t transfers, int64_t accounts)
{
	std::vector<int64_t> balances(static_cast<size_t>(accounts),
	    FIRST_BALANCE);
	random_numbers random{ SEED };

	for (int64_t i = 0; i < transfers; i++) {
		transfer t = draw(random, accounts);

		balances[t.from] -= t.cents;
		balances[t.to] += t.cents;
	}
	return balances;
}

int64_t
banking(actor_system &system, const sizes &size)
{
	scoped_actor self{ system };
	std::vector<int64_t> balances;
	std::vector<actor> accounts;

	check(size[1] >= 10, "banking: at least 10 accounts");
	balances = balances_after(size[0], size[1]);
	begin();
	for (int64_t i = 0; i < size[1]; i++)
		accounts.push_back(system.spawn(account));
	system.spawn(teller, accounts, size[0], actor{ self });
	self->receive([](done_atom) { end(); });
	for (size_t i = 0; i < accounts.size(); i++)
		self->request(accounts[i], infinite, balance_atom::value)
		    .receive(
			[&](int64_t balance) {
				check(balance == balances[i],
				    "banking: an account's balance");
			},
			[](const error &) { fail("banking: a balance"); });
	return size[0];
}
