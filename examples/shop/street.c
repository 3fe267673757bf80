/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The customers: some at a time, each with one purchase.
 *
 * A purchase is tried until there is a receipt, always under its number.
 * Whatever an attempt ends with (the till has crashed, the time is over, all
 * are restarting just now) is no more than a reason to try again after a pause,
 * each time a longer one.  A customer who has tried for too long makes all of
 * this fail, and the town decides what is to be done then.
 *
 * The receipts are on paper, so another life goes on where this one ended.
 */
#include "shop.h"

#include <inttypes.h>
#include <stdio.h>

enum { QUEUE = 8, PATIENCE = 30 /* attempts */, PAUSE_MAX_MS = 64 };

struct street {
	struct sale at[QUEUE]; /* cents 0: nobody */
	uint32_t next; /* purchase that nobody has begun */
	unsigned shopping;
};

/* The next till in turn; it has its name in each of its lives, and so has the
 * one that takes its place when all of the shop was restarted. */
static tr_ref
a_till(struct tr_self *self, const struct sale *s)
{
	char name[] = "till 1";

	name[5] = (char)('1' + (s->number + s->attempt) % 3);
	return tr_whereis(tr_system_of(self), name);
}

/* Have the tree printed; the last customer leaves when that is done. */
static int
street_look_back(struct tr_self *self)
{
	tr_ref shop = tr_whereis(tr_system_of(self), "shop");
	uint64_t printer;
	struct tr_stats stats;

	tr_stats(tr_system_of(self), &stats);
	paper.restarts = stats.restarted;
	return tr_ref_valid(tr_spawn(self, &tree_printer, &shop,
		   &(struct tr_spawn_options){ .monitor = &printer,
		       .monitor_tag = PRINTED })) ?
	    TR_OK :
	    TR_ENOMEM;
}

/* All is sold; the report has time for its last line. */
static int
street_linger(struct tr_self *self)
{
	return tr_after(self, TR_MS(200), ALL_SOLD, 0) != 0 ? TR_OK : TR_ENOMEM;
}

static int
street_try(struct tr_self *self, struct street *st, unsigned who,
    tr_answer_fn *heard)
{
	const struct sale *s = &st->at[who];

	return tr_ask(self, a_till(self, s), SELL, s, sizeof(*s),
		   tr_in(self, TR_MS(200)), heard, who) != 0 ?
	    TR_OK :
	    TR_ENOMEM;
}

/* The next purchase for which there is no receipt. */
static int
street_next(struct tr_self *self, struct street *st, unsigned who,
    tr_answer_fn *heard)
{
	while (st->next < paper.sales && paper.receipt[st->next] != 0)
		st->next++;
	if (st->next == paper.sales)
		return --st->shopping > 0 ? TR_OK : street_linger(self);
	st->at[who] = (struct sale){
		.number = st->next,
		.cents = price(st->next),
	};
	st->next++;
	return street_try(self, st, who, heard);
}

static int
on_sold(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t who)
{
	struct street *st = state;
	struct sale *s = &st->at[who];
	const int64_t *cents =
	    outcome == TR_OK ? tr_data(answer, sizeof(*cents)) : NULL;
	int64_t pause_ms;

	if (cents != NULL) {
		paper.receipt[s->number] = *cents;
		return street_next(self, st, (unsigned)who, on_sold);
	}
	if (++s->attempt == PATIENCE)
		return tr_fail(self, outcome, "nobody sells %" PRIu32,
		    s->number);
	pause_ms = s->attempt < 6 ? 1 << s->attempt : PAUSE_MAX_MS;
	return tr_after(self, TR_MS(pause_ms), AGAIN, who) != 0 ? TR_OK :
								  TR_ENOMEM;
}

static int
street_start(struct tr_self *self, void *state, const void *arg)
{
	struct street *st = state;
	unsigned who;
	int error = TR_OK;

	(void)arg;
	st->shopping = QUEUE;
	for (who = 0; who < QUEUE && error == TR_OK; who++)
		error = street_next(self, st, who, on_sold);
	return error;
}

static int
street_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const struct tr_tick *tick;

	switch (tr_tag(msg)) {
	case AGAIN:
		tick = tr_data(msg, sizeof(*tick));
		return tick == NULL ?
		    tr_unhandled(self, msg) :
		    street_try(self, state, (unsigned)tick->cookie, on_sold);
	case ALL_SOLD: return street_look_back(self);
	case PRINTED: return tr_exit(self, TR_NORMAL);
	default: return tr_unhandled(self, msg);
	}
}

const struct tr_behavior customers = {
	.name = "customers",
	.state_size = sizeof(struct street),
	.start = street_start,
	.receive = street_receive,
};
