/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A till asks the ledger in order to answer its own customer: an ask that is
 * answered later by token, from the outcome of another one.  Whatever becomes
 * of the ledger or the till, the customer hears exactly once.
 */
#include "kit.h"

enum { SELL, BOOK, SOLD, BALANCE, CLOSE_TILL, RING };

enum trouble {
	ALL_WELL,
	LEDGER_GONE, /* it has ended before */
	LEDGER_FAILS, /* on the first booking */
	LEDGER_FORGETS, /* takes the booking and returns */
	LEDGER_SILENT, /* keeps the duty and never answers */
	LEDGER_REFUSES,
	TILL_CLOSES, /* ends with sales open */
	TROUBLES
};

enum { SALES = 50 };

struct shop {
	enum trouble trouble;
	tr_ref till, ledger;
	int64_t balance, last;
	atomic_int bookings;
	int booked; /* outcomes that the till has seen */
	int heard, wrong, last_outcome;
	int64_t heard_in_all;
};

/* -------------------------------------------------------- the ledger --- */

static int
ledger_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct shop *shop = kit_ctx(state);
	const int64_t *cents = tr_data(msg, sizeof(*cents));

	if (tr_tag(msg) != BOOK || cents == NULL)
		return tr_exit(self, TR_NORMAL);
	atomic_fetch_add(&shop->bookings, 1);
	switch (shop->trouble) {
	case LEDGER_FAILS: return tr_fail(self, -EIO, "disk");
	case LEDGER_FORGETS: return TR_OK;
	case LEDGER_SILENT:
	case TILL_CLOSES:
		return tr_reply_token(self).bits != 0 ? TR_OK : TR_ENOMEM;
	case LEDGER_REFUSES: return tr_reply_error(self, msg, -EDQUOT);
	default:
		shop->balance += *cents;
		return tr_reply(self, msg, BALANCE, &shop->balance,
		    sizeof(shop->balance));
	}
}

static const struct tr_behavior ledger = {
	.name = "ledger",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = ledger_receive,
};

/* ---------------------------------------------------------- the till --- */

struct sale {
	tr_token customer;
	struct sale *next;
};

struct till {
	struct shop *shop;
	struct sale *sales; /* open ones, to be freed by stop() */
};

static void
till_forget(struct till *t, struct sale *sale)
{
	struct sale **at = &t->sales;

	while (*at != sale)
		at = &(*at)->next;
	*at = sale->next;
	free(sale);
}

static int
on_booked(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct till *t = state;
	struct sale *sale = (struct sale *)cookie;
	const int64_t *balance =
	    outcome == TR_OK ? tr_data(answer, sizeof(*balance)) : NULL;

	t->shop->booked++;
	if (balance != NULL)
		tr_token_reply(self, &sale->customer, SOLD, balance,
		    sizeof(*balance));
	else
		tr_token_reply_error(self, &sale->customer, outcome);
	till_forget(t, sale);
	return TR_OK;
}

static int
till_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct till *t = state;
	struct sale *sale;

	if (tr_tag(msg) == CLOSE_TILL)
		return tr_exit(self, TR_NORMAL);
	if (tr_tag(msg) != SELL)
		return tr_unhandled(self, msg);
	sale = malloc(sizeof(*sale));
	if (sale == NULL)
		return tr_reply_error(self, msg, TR_ENOMEM);
	sale->customer = tr_reply_token(self);
	sale->next = t->sales;
	t->sales = sale;
	if (tr_ask(self, t->shop->ledger, BOOK, tr_data(msg, 8), 8,
		tr_in(self,
		    TR_MS(t->shop->trouble == LEDGER_SILENT ? 20 : 50000)),
		on_booked, (uintptr_t)sale) == 0) {
		tr_token_reply_error(self, &sale->customer, TR_ENOMEM);
		till_forget(t, sale);
	}
	return TR_OK;
}

static int
till_start(struct tr_self *self, void *state, const void *arg)
{
	return kit_start_ctx(self, state, arg);
}

static void
till_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct till *t = state;

	(void)self;
	(void)why;
	while (t->sales != NULL)
		till_forget(t, t->sales);
}

static const struct tr_behavior till = {
	.name = "till",
	.state_size = sizeof(struct till),
	.start = till_start,
	.receive = till_receive,
	.stop = till_stop,
};

/* ------------------------------------------------------ the customers --- */

static int
on_sold(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct shop *shop = kit_ctx(state);
	const int64_t *balance;

	shop->last_outcome = outcome;
	shop->heard_in_all += (int64_t)cookie;
	if (outcome == TR_OK) {
		balance = tr_data(answer, sizeof(*balance));
		/* One till, one ledger: the balance only grows. */
		if (tr_tag(answer) != SOLD || balance == NULL ||
		    *balance != shop->last + (int64_t)cookie)
			shop->wrong++;
		else
			shop->last = *balance;
	}
	if (++shop->heard == SALES)
		return kit_finish(self);
	return TR_OK;
}

static int
customer_start(struct tr_self *self, void *state, const void *arg)
{
	struct shop *shop;

	(void)kit_start_ctx(self, state, arg);
	shop = kit_ctx(state);
	shop->ledger = tr_spawn(self, &ledger, shop, NULL);
	shop->till = tr_spawn(self, &till, shop, NULL);
	if (shop->trouble == LEDGER_GONE)
		kit_tell(self, shop->ledger, RING);
	for (int64_t cents = 1; cents <= SALES; cents++)
		if (tr_ask(self, shop->till, SELL, &cents, sizeof(cents),
			tr_in(self, TR_SECONDS(50)), on_sold,
			(uintptr_t)cents) == 0)
			return TR_ENOMEM;
	if (shop->trouble == TILL_CLOSES)
		kit_tell(self, shop->till, CLOSE_TILL);
	return TR_OK;
}

static const struct tr_behavior customer = {
	.name = "customer",
	.state_size = sizeof(void *),
	.start = customer_start,
	.receive = kit_ignore,
};

static void
every_customer_hears_exactly_once(void **unused)
{
	static const int expected[TROUBLES] = {
		[ALL_WELL] = TR_OK,
		[LEDGER_GONE] = TR_EDEAD,
		[LEDGER_FAILS] = TR_EDEAD,
		[LEDGER_FORGETS] = TR_ENOREPLY,
		[LEDGER_SILENT] = TR_ETIMEDOUT,
		[LEDGER_REFUSES] = -EDQUOT,
		[TILL_CLOSES] = TR_EDEAD,
	};
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2)
		for (int i = ALL_WELL; i < TROUBLES; i++) {
			struct shop shop = { .trouble = (enum trouble)i };

			kit_play(&k, workers, &customer, &shop);
			assert_int_equal(shop.heard, SALES);
			assert_int_equal(shop.heard_in_all,
			    SALES * (SALES + 1) / 2);
			assert_int_equal(shop.last_outcome, expected[i]);
			assert_int_equal(shop.wrong, 0);
			assert_int_equal(shop.booked,
			    i == TILL_CLOSES ? 0 : SALES);
			if (i == ALL_WELL)
				assert_int_equal(shop.last,
				    SALES * (SALES + 1) / 2);
			if (i == LEDGER_FAILS)
				assert_int_equal(shop.bookings, 1);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(every_customer_hears_exactly_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
