/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asking, and answering later.
 *
 * Customers ask a till to sell them something; the till asks the ledger in
 * order to answer, and goes on serving meanwhile: the duty to answer waits in
 * a token.  The ledger is slow with every fifth booking, so some sales time
 * out.  Whatever happens, each customer hears exactly once.
 *
 *     ask [CUSTOMERS]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <troupe.h>

enum { SELL, SOLD, BOOK, BOOKED };

/* ------------------------------------------------------------ ledger ---- */

struct ledger {
	int64_t balance;
	unsigned bookings;
	tr_token slow; /* a booking that is never answered */
};

static int
ledger_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const int64_t *cents = tr_data(msg, sizeof(*cents));
	struct ledger *l = state;

	if (tr_tag(msg) != BOOK || cents == NULL)
		return tr_unhandled(self, msg);
	if (++l->bookings % 5 == 0) {
		l->slow = tr_reply_token(self);
		return TR_OK;
	}
	l->balance += *cents;
	return tr_reply(self, msg, BOOKED, &l->balance, sizeof(l->balance));
}

static const struct tr_behavior ledger = {
	.name = "ledger",
	.state_size = sizeof(struct ledger),
	.receive = ledger_receive,
};

/* -------------------------------------------------------------- till ---- */

struct till {
	tr_ref ledger;
};

struct sale {
	tr_token customer;
};

static int
on_booked(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct sale *sale = (struct sale *)cookie;
	const int64_t *balance =
	    outcome == TR_OK ? tr_data(answer, sizeof(*balance)) : NULL;

	(void)state;
	if (balance != NULL)
		tr_token_reply(self, &sale->customer, SOLD, balance,
		    sizeof(*balance));
	else
		tr_token_reply_error(self, &sale->customer, outcome);
	free(sale);
	return TR_OK;
}

static int
till_start(struct tr_self *self, void *state, const void *arg)
{
	struct till *t = state;

	(void)arg;
	t->ledger = tr_spawn(self, &ledger, NULL, NULL);
	return tr_ref_valid(t->ledger) ? TR_OK : TR_ENOMEM;
}

static int
till_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct till *t = state;
	struct sale *sale;

	if (tr_tag(msg) != SELL || tr_data(msg, 8) == NULL)
		return tr_unhandled(self, msg);
	sale = malloc(sizeof(*sale));
	if (sale == NULL)
		return tr_reply_error(self, msg, TR_ENOMEM);
	sale->customer = tr_reply_token(self);
	if (tr_ask(self, t->ledger, BOOK, tr_data(msg, 8), 8,
		tr_in(self, TR_MS(200)), on_booked, (uintptr_t)sale) == 0) {
		tr_token_reply_error(self, &sale->customer, TR_ENOMEM);
		free(sale);
	}
	return TR_OK;
}

static const struct tr_behavior till = {
	.name = "till",
	.state_size = sizeof(struct till),
	.start = till_start,
	.receive = till_receive,
};

/* -------------------------------------------------------------- shop ---- */

struct shop {
	int customers;
	int heard;
	int sold;
	int64_t balance;
};

static int
on_sold(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct shop *s = state;

	(void)cookie;
	if (outcome == TR_OK) {
		const int64_t *balance = tr_data(answer, sizeof(*balance));

		s->sold++;
		if (balance != NULL && *balance > s->balance)
			s->balance = *balance;
	}
	if (++s->heard < s->customers)
		return TR_OK;
	printf("%d customers, %d sold, %d timed out, balance %" PRId64
	       ".%02" PRId64 "\n",
	    s->customers, s->sold, s->customers - s->sold, s->balance / 100,
	    s->balance % 100);
	return tr_exit(self, TR_NORMAL);
}

static int
shop_start(struct tr_self *self, void *state, const void *arg)
{
	struct shop *s = state;
	int64_t cents = 250;
	tr_ref ref;
	int i;

	s->customers = *(const int *)arg;
	ref = tr_spawn(self, &till, NULL, NULL);
	if (!tr_ref_valid(ref))
		return TR_ENOMEM;
	for (i = 0; i < s->customers; i++)
		if (tr_ask(self, ref, SELL, &cents, sizeof(cents), tr_forever(),
			on_sold, 0) == 0)
			return TR_ENOMEM;
	return TR_OK;
}

static int
shop_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	return tr_unhandled(self, msg);
}

static const struct tr_behavior shop = {
	.name = "shop",
	.state_size = sizeof(struct shop),
	.arg_size = sizeof(int),
	.start = shop_start,
	.receive = shop_receive,
};

int
main(int argc, char **argv)
{
	int customers = argc > 1 ? atoi(argv[1]) : 100;

	if (customers < 1) {
		fprintf(stderr, "usage: ask [CUSTOMERS], at least 1\n");
		return 2;
	}
	return tr_run(&shop, &customers, NULL) == TR_OK ? 0 : 1;
}
