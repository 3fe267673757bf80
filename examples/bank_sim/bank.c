/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accounts: see bank.h.
 *
 * A transfer takes the money from the account at once, so that it cannot be
 * spent twice, and asks the other one to take it.  When that one does not
 * answer in time, nobody knows whether it has the money: so it is asked again,
 * and knows by the transfer's number whether it was asked before.  The money is
 * put back only when it is known not to have arrived.
 *
 * THE PLANTED BUG (BANK_PLANTED): a deposit that is not answered in time is
 * given up, and the money put back.  But it may arrive all the same.
 */
#include "bank.h"

#include <inttypes.h>
#include <stdio.h>

enum {
	OUT = 8, /* transfers under way */
	SEEN = 64, /* deposits that are remembered */
	LIMIT = 5000, /* cents on an account */
	AGAIN = 1, /* a tick: ask once more */
};

struct transfer {
	tr_token teller;
	bank_ref to; /* bank_none: a free place */
	uint32_t number;
	int64_t cents;
};

struct account {
	int64_t cents;
	struct transfer out[OUT];
	uint32_t seen[SEEN];
	unsigned deposits;
};

void
bank_print(const void *payload, size_t size, char *text, size_t room)
{
	const struct bank_deposit *deposit = payload;
	const struct bank_balance *balance = payload;

	if (size == sizeof(*deposit))
		snprintf(text, room, "%" PRIu32 " of %" PRId64 " cents",
		    deposit->number, deposit->cents);
	else
		snprintf(text, room, "%" PRId64 " cents", balance->cents);
}

static int
account_start(struct tr_self *self, void *state, const void *arg)
{
	struct account *a = state;

	(void)self;
	a->cents = *(const int64_t *)arg;
	return TR_OK;
}

/* ----------------------------------------------------------- receiving -- */

static bool
has_seen(const struct account *a, uint32_t number)
{
	unsigned i;

	for (i = 0; i < SEEN && i < a->deposits; i++)
		if (a->seen[i] == number)
			return true;
	return false;
}

static int
on_deposit(struct tr_self *self, struct account *a,
    const struct bank_deposit *m)
{
	if (!has_seen(a, m->number)) {
		if (a->cents + m->cents > LIMIT)
			return tr_reply_error(self, tr_msg_in_hand(self),
			    TR_EFULL);
		a->seen[a->deposits++ % SEEN] = m->number;
		a->cents += m->cents;
	}
	return bank_reply_balance(self, (struct bank_balance){ a->cents });
}

static int
on_show(struct tr_self *self, struct account *a)
{
	return bank_reply_balance(self, (struct bank_balance){ a->cents });
}

/* ------------------------------------------------------------- sending -- */

/* Whether it may have arrived although it failed. */
static bool
is_in_doubt(int outcome)
{
#ifdef BANK_PLANTED
	(void)outcome;
	return false;
#else
	return outcome != TR_EFULL && outcome != TR_EDEAD;
#endif
}

static int
on_deposited(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct account *a = state;
	struct transfer *t = &a->out[cookie];

	if (outcome != TR_OK && is_in_doubt(outcome))
		return tr_after(self, TR_MS(5), AGAIN, cookie) == 0 ?
		    TR_ENOMEM :
		    TR_OK;
	if (bank_is_balance(answer)) {
		(void)bank_token_reply_balance(self, &t->teller,
		    (struct bank_balance){ a->cents });
	} else {
		a->cents += t->cents;
		(void)tr_token_reply_error(self, &t->teller, outcome);
	}
	*t = (struct transfer){ .to = bank_none };
	return TR_OK;
}

static int
ask_for_deposit(struct tr_self *self, struct account *a, uint64_t i)
{
	const struct transfer *t = &a->out[i];

	return bank_ask_deposit(self, t->to,
		   (struct bank_deposit){ t->number, t->cents },
		   tr_in(self, TR_MS(10)), on_deposited, (uintptr_t)i) == 0 ?
	    TR_ENOMEM :
	    TR_OK;
}

static int
on_other(struct tr_self *self, struct account *a, const struct tr_msg *msg)
{
	const struct tr_tick *tick = tr_data(msg, sizeof(*tick));

	if (tr_tag(msg) != AGAIN || tick == NULL)
		return tr_unhandled(self, msg);
	return ask_for_deposit(self, a, tick->cookie);
}

static int
on_transfer(struct tr_self *self, struct account *a,
    const struct bank_transfer *m)
{
	unsigned i;

	for (i = 0; i < OUT && tr_ref_valid(a->out[i].to.ref); i++)
		;
	if (i == OUT)
		return tr_reply_error(self, tr_msg_in_hand(self), TR_EBUSY);
	if (m->cents <= 0 || m->cents > a->cents)
		return tr_reply_error(self, tr_msg_in_hand(self), TR_EINVAL);
	a->out[i] = (struct transfer){
		.teller = tr_reply_token(self),
		.to = m->to,
		.number = m->number,
		.cents = m->cents,
	};
	a->cents -= m->cents;
	return ask_for_deposit(self, a, i);
}

TR_ACTOR(account, struct account, bank, BANK, .transfer = on_transfer,
    .deposit = on_deposit, .show = on_show, .other = on_other);

const struct tr_behavior account_behavior = {
	.name = "account",
	.state_size = sizeof(struct account),
	.arg_size = sizeof(int64_t),
	.start = account_start,
	.receive = account_receive,
	.protocol = &bank_protocol,
};
