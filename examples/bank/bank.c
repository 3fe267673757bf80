/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bank with typed messages.
 *
 * Accounts are actors that know the protocol `bank`.  Tellers ask them for
 * transfers; an account that is asked takes the money from itself, asks the
 * other one to take it as a deposit, and answers its teller when that one has
 * said so.  When the tellers are done the office closes the accounts and
 * counts: not a cent has come or gone.
 *
 *     bank [TRANSFERS]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <troupe.h>

enum { ACCOUNTS = 20, TELLERS = 4, OPENING = 10000 /* cents */ };

/* --------------------------------------------------------- protocols ---- */

/* What one says to an account, and what it answers. */
#define BANK(MSG, P)                        \
	MSG(P, deposit, { int64_t cents; }) \
	MSG(P, transfer, {                  \
		bank_ref to;                \
		int64_t cents;              \
	})                                  \
	MSG(P, close, TR_EMPTY)             \
	MSG(P, balance, { int64_t cents; })
TR_PROTOCOL(bank, BANK);

/* What tellers say to the office. */
#define OFFICE(MSG, P) MSG(P, done, { int transfers, refused; })
TR_PROTOCOL(office, OFFICE);

/* ----------------------------------------------------------- account ---- */

struct account {
	int64_t cents;
};

/* A transfer whose deposit is under way. */
struct transfer {
	tr_token teller;
	int64_t cents;
};

static int
account_start(struct tr_self *self, void *state, const void *arg)
{
	struct account *a = state;

	(void)self;
	a->cents = *(const int64_t *)arg;
	return TR_OK;
}

static int
on_deposit(struct tr_self *self, struct account *a,
    const struct bank_deposit *m)
{
	a->cents += m->cents;
	return bank_reply_balance(self,
	    (struct bank_balance){ .cents = a->cents });
}

/* The deposit has ended, one way or the other: so has the transfer. */
static int
on_deposited(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct transfer *t = (struct transfer *)cookie;
	struct account *a = state;

	if (bank_get_balance(answer) != NULL) {
		bank_token_reply_balance(self, &t->teller,
		    (struct bank_balance){ .cents = a->cents });
	} else {
		a->cents += t->cents;
		tr_token_reply_error(self, &t->teller, outcome);
	}
	free(t);
	return TR_OK;
}

static int
on_transfer(struct tr_self *self, struct account *a,
    const struct bank_transfer *m)
{
	struct transfer *t;

	if (m->cents <= 0 || m->cents > a->cents)
		return tr_reply_error(self, tr_msg_in_hand(self), TR_EINVAL);
	t = malloc(sizeof(*t));
	if (t == NULL)
		return tr_reply_error(self, tr_msg_in_hand(self), TR_ENOMEM);
	*t = (struct transfer){ tr_reply_token(self), m->cents };
	if (bank_ask_deposit(self, m->to,
		(struct bank_deposit){ .cents = m->cents }, tr_forever(),
		on_deposited, (uintptr_t)t) == 0) {
		tr_token_reply_error(self, &t->teller, TR_ENOMEM);
		free(t);
		return TR_OK;
	}
	a->cents -= m->cents;
	return TR_OK;
}

static int
on_close(struct tr_self *self, struct account *a)
{
	bank_reply_balance(self, (struct bank_balance){ .cents = a->cents });
	return tr_exit(self, TR_NORMAL);
}

TR_ACTOR(account, struct account, bank, BANK, .deposit = on_deposit,
    .transfer = on_transfer, .close = on_close);

static const struct tr_behavior account_behavior = {
	.name = "account",
	.state_size = sizeof(struct account),
	.arg_size = sizeof(int64_t),
	.start = account_start,
	.receive = account_receive,
	.protocol = &bank_protocol,
};

/* ------------------------------------------------------------ teller ---- */

struct plan {
	office_ref office;
	bank_ref account[ACCOUNTS];
	int transfers; /* to make */
	uint32_t seed;
};

struct teller {
	struct plan plan;
	int made, refused;
};

static uint32_t
teller_random(struct teller *t, uint32_t below)
{
	t->plan.seed = t->plan.seed * 1664525u + 1013904223u;
	return (t->plan.seed >> 8) % below;
}

/* The next transfer, between two different accounts; or the end.  `answered` hears
 * of it. */
static int
teller_next(struct tr_self *self, struct teller *t, tr_answer_fn *answered)
{
	uint32_t from = teller_random(t, ACCOUNTS);
	uint32_t to = (from + 1 + teller_random(t, ACCOUNTS - 1)) % ACCOUNTS;
	struct bank_transfer transfer = {
		.to = t->plan.account[to],
		.cents = 1 + teller_random(t, OPENING / 2),
	};

	if (t->made + t->refused < t->plan.transfers)
		return bank_ask_transfer(self, t->plan.account[from], transfer,
			   tr_forever(), answered, 0) == 0 ?
		    TR_ENOMEM :
		    TR_OK;
	office_send_done(self, t->plan.office,
	    (struct office_done){ t->made, t->refused });
	return tr_exit(self, TR_NORMAL);
}

static int
on_transferred(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct teller *t = state;

	(void)cookie;
	if (!bank_is_balance(answer) && outcome != TR_EINVAL)
		return tr_fail(self, outcome, "transfer");
	t->made += bank_is_balance(answer);
	t->refused += !bank_is_balance(answer);
	return teller_next(self, t, on_transferred);
}

static int
teller_start(struct tr_self *self, void *state, const void *arg)
{
	struct teller *t = state;

	t->plan = *(const struct plan *)arg;
	return teller_next(self, t, on_transferred);
}

static int
teller_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	return tr_unhandled(self, msg);
}

static const struct tr_behavior teller_behavior = {
	.name = "teller",
	.state_size = sizeof(struct teller),
	.arg_size = sizeof(struct plan),
	.start = teller_start,
	.receive = teller_receive,
};

/* ------------------------------------------------------------ office ---- */

struct office {
	bank_ref account[ACCOUNTS];
	int tellers; /* still at work */
	int transfers, refused;
	int closed;
	int64_t cents;
};

static int
on_closed(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	const struct bank_balance *balance = bank_get_balance(answer);
	const int64_t opening = (int64_t)ACCOUNTS * OPENING;
	struct office *o = state;

	(void)cookie;
	if (balance == NULL)
		return tr_fail(self, outcome, "an account is lost");
	o->cents += balance->cents;
	if (++o->closed < ACCOUNTS)
		return TR_OK;
	printf("%d transfers, %d refused; %d accounts opened with %" PRId64
	       " cents, closed with %" PRId64 "\n",
	    o->transfers, o->refused, o->closed, opening, o->cents);
	if (o->cents != opening)
		return tr_fail(self, TR_EINVAL, "money was made or lost");
	return tr_exit(self, TR_NORMAL);
}

static int
on_done(struct tr_self *self, struct office *o, const struct office_done *m)
{
	int i;

	o->transfers += m->transfers;
	o->refused += m->refused;
	if (--o->tellers > 0)
		return TR_OK;
	for (i = 0; i < ACCOUNTS; i++)
		if (bank_ask_close(self, o->account[i], tr_forever(), on_closed,
			0) == 0)
			return TR_ENOMEM;
	return TR_OK;
}

TR_ACTOR(office, struct office, office, OFFICE, .done = on_done);

static int
office_start(struct tr_self *self, void *state, const void *arg)
{
	struct plan plan = { .office = office_of(tr_self_ref(self)) };
	int transfers = *(const int *)arg, i;
	struct office *o = state;
	int64_t opening = OPENING;

	for (i = 0; i < ACCOUNTS; i++) {
		o->account[i] =
		    bank_spawn(self, &account_behavior, &opening, NULL);
		if (!tr_ref_valid(o->account[i].ref))
			return TR_ENOMEM;
		plan.account[i] = o->account[i];
	}
	for (i = 0; i < TELLERS; i++) {
		plan.transfers = (transfers + i) / TELLERS;
		plan.seed = (uint32_t)i + 1;
		if (!tr_ref_valid(
			tr_spawn(self, &teller_behavior, &plan, NULL)))
			return TR_ENOMEM;
		o->tellers++;
	}
	return TR_OK;
}

static const struct tr_behavior office_behavior = {
	.name = "office",
	.state_size = sizeof(struct office),
	.arg_size = sizeof(int),
	.start = office_start,
	.receive = office_receive,
	.protocol = &office_protocol,
};

int
main(int argc, char **argv)
{
	int transfers = argc > 1 ? atoi(argv[1]) : 5000;

	if (transfers < 1) {
		fprintf(stderr, "usage: bank [TRANSFERS], at least 1\n");
		return 2;
	}
	return tr_run(&office_behavior, &transfers, NULL) == TR_OK ? 0 : 1;
}
