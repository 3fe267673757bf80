/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shop's actors: ledger, tills, report.
 *
 * They break: a till before it has booked a sale or after that, the ledger
 * between writing a sale down and saying so.  Whoever asked hears of it, but
 * cannot know which of it was, so he asks again; and so that a sale that is
 * asked for twice is booked once, it has a number, and the ledger a journal.
 *
 * A restarted actor's state is new.  The ledger makes its own from the journal;
 * a till needs none.  Neither has anything that would have to be freed, so it
 * does not matter at which moment they die.
 */
#include "shop.h"

#include <inttypes.h>
#include <stdio.h>

/* -------------------------------------------------------------- ledger -- */

struct ledger {
	struct total total;
	bool has[SALES_MAX]; /* by number */
};

static void
ledger_count(struct ledger *l, const struct sale *s)
{
	l->has[s->number] = true;
	l->total.sales++;
	l->total.cents += s->cents;
}

/* Each life begins with what the former ones have written. */
static int
ledger_start(struct tr_self *self, void *state, const void *arg)
{
	struct ledger *l = state;
	uint32_t i;

	(void)self, (void)arg;
	for (i = 0; i < paper.booked; i++)
		ledger_count(l, &paper.journal[i]);
	return TR_OK;
}

/* Whether it is in the journal already. */
static bool
ledger_has(const struct ledger *l, const struct sale *s)
{
#ifdef SHOP_PLANTED
	(void)l, (void)s;
	return paper.booked == SALES_MAX;
#else
	return l->has[s->number];
#endif
}

static int
ledger_book(struct tr_self *self, struct ledger *l, const struct tr_msg *msg)
{
	const struct sale *s = tr_data(msg, sizeof(*s));

	if (s == NULL || s->number >= paper.sales)
		return tr_reply_error(self, msg, TR_EINVAL);
	if (!ledger_has(l, s)) {
		paper.journal[paper.booked++] = *s;
		ledger_count(l, s);
		if (breaks(IN_LEDGER, s->number, s->attempt))
			return tr_fail(self, TR_EINVAL, "ink on sale %" PRIu32,
			    s->number);
	}
	return tr_reply(self, msg, BOOKED, NULL, 0);
}

static int
ledger_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct ledger *l = state;

	switch (tr_tag(msg)) {
	case BOOK: return ledger_book(self, l, msg);
	case TOTAL:
		return tr_reply(self, msg, TOTAL, &l->total, sizeof(l->total));
	default: return tr_unhandled(self, msg);
	}
}

const struct tr_behavior ledger = {
	.name = "ledger",
	.state_size = sizeof(struct ledger),
	.start = ledger_start,
	.receive = ledger_receive,
};

/* ---------------------------------------------------------------- till -- */

enum { OPEN = 16 };

struct till {
	struct {
		tr_token customer; /* zero: a free place */
		struct sale sale;
	} open[OPEN];
};

static int
on_booked(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct till *t = state;
	const struct sale *s = &t->open[cookie].sale;

	(void)answer;
	if (breaks(AFTER_BOOKING, s->number, s->attempt))
		return tr_fail(self, TR_EINVAL, "no paper for %" PRIu32,
		    s->number);
	if (outcome == TR_OK)
		return tr_token_reply(self, &t->open[cookie].customer, SOLD,
		    &s->cents, sizeof(s->cents));
	return tr_token_reply_error(self, &t->open[cookie].customer, outcome);
}

static int
till_sell(struct tr_self *self, struct till *t, const struct tr_msg *msg)
{
	const struct sale *s = tr_data(msg, sizeof(*s));
	tr_ref ledger_ref = tr_whereis(tr_system_of(self), "ledger");
	unsigned i;

	if (s == NULL)
		return tr_reply_error(self, msg, TR_EINVAL);
	if (breaks(BEFORE_BOOKING, s->number, s->attempt))
		return tr_fail(self, TR_EINVAL, "drawer stuck at %" PRIu32,
		    s->number);
	for (i = 0; i < OPEN && t->open[i].customer.bits != 0; i++)
		;
	if (i == OPEN)
		return tr_reply_error(self, msg, TR_EFULL);
	t->open[i].sale = *s;
	t->open[i].customer = tr_reply_token(self);
	if (t->open[i].customer.bits == 0)
		return TR_OK; /* no memory: the customer has been told */
	if (tr_ask(self, ledger_ref, BOOK, s, sizeof(*s), tr_forever(),
		on_booked, i) == 0)
		return tr_token_reply_error(self, &t->open[i].customer,
		    TR_ENOMEM);
	return TR_OK;
}

static int
till_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	return tr_tag(msg) == SELL ? till_sell(self, state, msg) :
				     tr_unhandled(self, msg);
}

const struct tr_behavior till = {
	.name = "till",
	.state_size = sizeof(struct till),
	.receive = till_receive,
};

/* -------------------------------------------------------------- report -- */

struct report {
	uint32_t lines;
};

static int
report_next(struct tr_self *self)
{
	return tr_after(self, TR_MS(50), REPORT, 0) != 0 ? TR_OK : TR_ENOMEM;
}

/* It is transient: a failure is mended, TR_NORMAL is the end. */
static int
on_total(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	const struct total *total =
	    outcome == TR_OK ? tr_data(answer, sizeof(*total)) : NULL;
	struct report *r = state;

	(void)cookie;
	if (total == NULL)
		return tr_fail(self, outcome, "the ledger does not answer");
	if (breaks(IN_REPORT, total->sales, r->lines++))
		return tr_fail(self, TR_EINVAL, "out of ink");
	if (!paper.quiet)
		printf("report: %" PRIu32 " sales, %" PRId64 ".%02" PRId64 "\n",
		    total->sales, total->cents / 100, total->cents % 100);
	return total->sales == paper.sales ? tr_exit(self, TR_NORMAL) :
					     report_next(self);
}

static int
report_start(struct tr_self *self, void *state, const void *arg)
{
	(void)state, (void)arg;
	return report_next(self);
}

static int
report_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	if (tr_tag(msg) != REPORT)
		return tr_unhandled(self, msg);
	return tr_ask(self, tr_whereis(tr_system_of(self), "ledger"), TOTAL,
		   NULL, 0, tr_in(self, TR_SECONDS(1)), on_total, 0) != 0 ?
	    TR_OK :
	    TR_ENOMEM;
}

const struct tr_behavior report = {
	.name = "report",
	.state_size = sizeof(struct report),
	.start = report_start,
	.receive = report_receive,
};
