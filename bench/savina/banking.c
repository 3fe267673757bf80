/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * banking.c - Savina 16, Bank Transaction: requests that get in each other's
 * way.
 *
 * A teller tells accounts to transfer money to others, all transfers at once.
 * An account takes it off, asks the other to take it, and until that has
 * answered puts aside whatever else comes, by becoming another behaviour; then
 * it tells the teller.  It shows asks, stash and unstash, and chains of
 * accounts that wait for each other.  Money goes to accounts of higher number
 * only, so nobody waits in a circle.
 *
 * The original checks nothing, and its balances are so large that no transfer
 * changes them.  Here amounts are whole cents, setup() computes what every
 * account will have, and each looks in the end whether it does.
 */
#include <stdlib.h>

#include "savina.h"

#define BANK(MSG, P)                        \
	MSG(P, transfer, {                  \
		bank_ref teller;            \
		bank_ref to;                \
		int64_t cents;              \
	})                                  \
	MSG(P, deposit, { int64_t cents; }) \
	MSG(P, done, TR_EMPTY)
TR_PROTOCOL(bank, BANK);

#define FIRST_BALANCE INT64_C(1000000000)

enum { SEED = 123456, AMOUNT_MAX_CENTS = 100000 };

struct account_arg {
	int64_t expected; /* in the end */
};

struct account {
	int64_t balance;
	int64_t expected;
	bank_ref teller; /* who hears of the transfer under way */
};

struct teller {
	struct bench *b;
	uint64_t transfers;
	uint64_t left; /* transfers that are not done */
};

struct transfer {
	uint64_t from;
	uint64_t to; /* always a higher number */
	int64_t cents;
};

/* The next transfer, drawn as in the original. */
static struct transfer
transfer_draw(struct savina_random *random, uint64_t accounts)
{
	struct transfer t;
	uint64_t further;

	t.from = savina_random_next(random) % (accounts / 10 * 8);
	further = savina_random_next(random) % (accounts - t.from);
	t.to = t.from + (further > 0 ? further : 1);
	t.cents = AMOUNT_MAX_CENTS / (1 + savina_random_next(random));
	return t;
}

/* ------------------------------------------------------------ account --- */

/* Both defined below; an account is one or the other. */
static const struct tr_behavior account_behavior;
static const struct tr_behavior waiting_behavior;

static int
account_start(struct tr_self *self, void *state, const void *arg)
{
	struct account *account = state;

	(void)self;
	account->balance = FIRST_BALANCE;
	account->expected = ((const struct account_arg *)arg)->expected;
	return TR_OK;
}

static int
on_deposit(struct tr_self *self, struct account *account,
    const struct bank_deposit *deposit)
{
	int error = bank_reply_done(self);

	account->balance += deposit->cents;
	return error != TR_OK ? error : tr_unstash_n(self, 1);
}

static int
account_deposited(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct account *account = state;
	int error;

	(void)cookie;
	bench_check(outcome == TR_OK && bank_is_done(answer),
	    "banking: a deposit is answered");
	error = bank_send_done(self, account->teller);
	if (error == TR_OK)
		error = tr_become(self, &account_behavior);
	return error != TR_OK ? error : tr_unstash_n(self, 1);
}

static int
on_transfer(struct tr_self *self, struct account *account,
    const struct bank_transfer *transfer)
{
	tr_ask_id ask;

	account->balance -= transfer->cents;
	account->teller = transfer->teller;
	ask = bank_ask_deposit(self, transfer->to,
	    (struct bank_deposit){ transfer->cents }, tr_forever(),
	    account_deposited, 0);
	return ask != 0 ? tr_become(self, &waiting_behavior) : TR_ENOMEM;
}

TR_ACTOR(account, struct account, bank, BANK, .deposit = on_deposit,
    .transfer = on_transfer);

static void
account_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	const struct account *account = state;

	(void)self;
	(void)why;
	bench_check(account->balance == account->expected,
	    "banking: an account's balance");
}

static const struct tr_behavior account_behavior = {
	.name = "account",
	.state_size = sizeof(struct account),
	.arg_size = sizeof(struct account_arg),
	.start = account_start,
	.receive = account_receive,
	.stop = account_stop,
	.protocol = &bank_protocol,
};

static const struct tr_behavior waiting_behavior = {
	.name = "account, waiting",
	.state_size = sizeof(struct account),
	.receive = tr_stash_all,
	.stop = account_stop,
	.protocol = &bank_protocol,
};

/* ------------------------------------------------------------- teller --- */

static int
on_done(struct tr_self *self, struct teller *teller)
{
	if (--teller->left > 0)
		return TR_OK;
	return bench_end(teller->b, self, teller->transfers);
}

static int
teller_order(struct tr_self *self, const struct teller *teller,
    const bank_ref *accounts, uint64_t count)
{
	struct savina_random random = { SEED };
	bank_ref me = bank_of(tr_self_ref(self));
	struct transfer t;
	int error = TR_OK;

	for (uint64_t i = 0; i < teller->transfers && error == TR_OK; i++) {
		t = transfer_draw(&random, count);
		error = bank_send_transfer(self, accounts[t.from],
		    (struct bank_transfer){ me, accounts[t.to], t.cents });
	}
	return error;
}

static int
teller_start(struct tr_self *self, void *state, const void *arg)
{
	struct teller *teller = state;
	const struct account_arg *given;
	uint64_t count;
	bank_ref *accounts;
	int error;

	teller->b = bench_of(arg);
	given = teller->b->ctx;
	count = bench_param(teller->b, "accounts");
	teller->transfers = bench_param(teller->b, "transfers");
	teller->left = teller->transfers;
	accounts = calloc(count, sizeof(*accounts));
	if (accounts == NULL)
		return TR_ENOMEM;
	bench_begin(teller->b, self);
	for (uint64_t i = 0; i < count; i++) {
		accounts[i] =
		    bank_spawn(self, &account_behavior, &given[i], NULL);
		bench_check(tr_ref_valid(accounts[i].ref), "banking: spawn");
	}
	error = teller_order(self, teller, accounts, count);
	free(accounts);
	return error;
}

TR_ACTOR(teller, struct teller, bank, BANK, .done = on_done);

static const struct tr_behavior teller_behavior = {
	.name = "teller",
	.state_size = sizeof(struct teller),
	.arg_size = sizeof(struct bench *),
	.start = teller_start,
	.receive = teller_receive,
	.protocol = &bank_protocol,
};

/* -------------------------------------------------- before and after ----- */

static void
setup(struct bench *b)
{
	uint64_t count = bench_param(b, "accounts");
	struct account_arg *accounts = calloc(count, sizeof(*accounts));
	struct savina_random random = { SEED };
	struct transfer t;

	bench_check(accounts != NULL, "banking: memory");
	for (uint64_t i = 0; i < count; i++)
		accounts[i].expected = FIRST_BALANCE;
	for (uint64_t i = 0; i < bench_param(b, "transfers"); i++) {
		t = transfer_draw(&random, count);
		accounts[t.from].expected -= t.cents;
		accounts[t.to].expected += t.cents;
	}
	b->ctx = accounts;
}

static void
teardown(struct bench *b)
{
	free(b->ctx);
}

const struct bench_case savina_banking = {
	.name = "banking",
	.suite = SAVINA_SUITE,
	.group = SAVINA_CONCURRENCY,
	.op = "a transfer: two messages and an ask, the stash meanwhile",
	.note = "amounts are whole cents; the deposit is an ask",
	.params = { { "transfers", { 1000, 50000, 3000000 } },
	    { "accounts", { 50, 1000, 30000 } } },
	.root = &teller_behavior,
	.setup = setup,
	.teardown = teardown,
};
