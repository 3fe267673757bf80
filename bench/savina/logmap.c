/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * logmap.c - Savina 15, Logistic Map: a request that has to be answered before
 * the next message may be looked at.
 *
 * A master asks some series for many next terms, all at once.  A series asks
 * its computer for a term and puts aside whatever comes until it has the
 * answer; so almost all that it gets is put aside once.  It shows what asking
 * and putting aside cost, where nobody but the series asks its computer.
 *
 * A series takes the messages and queues them, as the original does in its
 * manual variant: a stash has room for 65,536 of them.
 *
 * The original prints the sum of the terms.  Here the master computes the last
 * term of each series itself, and they have to be equal to the last bit.
 */
#include <stdlib.h>

#include "savina.h"

#define SERIES(MSG, P)                     \
	MSG(P, next, TR_EMPTY)             \
	MSG(P, get_term, TR_EMPTY)         \
	MSG(P, compute, { double term; })  \
	MSG(P, computed, { double term; }) \
	MSG(P, term, {                     \
		uint64_t number;           \
		double term;               \
	})
TR_PROTOCOL(series, SERIES);

#define START_RATE 3.46
#define INCREMENT  0.0025

struct computer {
	double rate;
};

struct series_arg {
	series_ref computer;
	uint64_t number;
	double term;
	uint64_t terms; /* that will be asked for */
};

struct series {
	struct series_arg given;
	double term;
	uint64_t terms; /* asked for up to now */
	bool waits; /* for the computer */
	struct tr_msg **aside; /* taken meanwhile, oldest first */
	uint64_t aside_first;
	uint64_t aside_end;
};

struct master {
	struct bench *b;
	uint64_t terms;
	uint64_t count; /* of series */
	uint64_t left; /* series that have not said their term */
};

static double
next_term(double rate, double term)
{
	return rate * term * (1 - term);
}

static double
series_rate(uint64_t number)
{
	return START_RATE + (double)number * INCREMENT;
}

/* ----------------------------------------------------------- computer --- */

static int
computer_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	((struct computer *)state)->rate = *(const double *)arg;
	return TR_OK;
}

static int
on_compute(struct tr_self *self, struct computer *computer,
    const struct series_compute *compute)
{
	return series_reply_computed(self,
	    (struct series_computed){
		next_term(computer->rate, compute->term) });
}

TR_ACTOR(computer, struct computer, series, SERIES, .compute = on_compute);

static const struct tr_behavior computer_behavior = {
	.name = "computer",
	.state_size = sizeof(struct computer),
	.arg_size = sizeof(double),
	.start = computer_start,
	.receive = computer_receive,
	.protocol = &series_protocol,
};

/* ------------------------------------------------------------- series --- */

static int
series_start(struct tr_self *self, void *state, const void *arg)
{
	struct series *series = state;

	(void)self;
	series->given = *(const struct series_arg *)arg;
	series->term = series->given.term;
	series->aside = calloc(series->given.terms + 1, sizeof(*series->aside));
	return series->aside != NULL ? TR_OK : TR_ENOMEM;
}

static int
series_handle(struct tr_self *self, struct series *series,
    const struct tr_msg *msg)
{
	if (!series_is_next(msg))
		return series_reply_to_term(self, msg,
		    (struct series_term){ series->given.number, series->term });
	series->waits = true;
	return series_send_compute(self, series->given.computer,
	    (struct series_compute){ series->term });
}

/* Handles the message in hand, or keeps it until there is an answer. */
static int
series_handle_or_keep(struct tr_self *self, struct series *series)
{
	const struct tr_msg *msg = tr_msg_in_hand(self);
	struct tr_msg *taken;

	if (!series->waits)
		return series_handle(self, series, msg);
	taken = tr_take(self, msg);
	if (taken == NULL)
		return TR_ENOMEM;
	series->aside[series->aside_end++] = taken;
	return TR_OK;
}

static int
on_next(struct tr_self *self, struct series *series)
{
	bench_check(series->terms < series->given.terms, "logmap: once each");
	series->terms++;
	return series_handle_or_keep(self, series);
}

static int
on_get_term(struct tr_self *self, struct series *series)
{
	return series_handle_or_keep(self, series);
}

static int
on_computed(struct tr_self *self, struct series *series,
    const struct series_computed *computed)
{
	struct tr_msg *msg;
	int error = TR_OK;

	series->term = computed->term;
	series->waits = false;
	while (!series->waits && series->aside_first < series->aside_end &&
	    error == TR_OK) {
		msg = series->aside[series->aside_first++];
		error = series_handle(self, series, msg);
		tr_msg_drop(&msg);
	}
	return error;
}

TR_ACTOR(series, struct series, series, SERIES, .next = on_next,
    .get_term = on_get_term, .computed = on_computed);

static void
series_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct series *series = state;

	(void)self;
	(void)why;
	while (series->aside_first < series->aside_end)
		tr_msg_drop(&series->aside[series->aside_first++]);
	free(series->aside);
}

static const struct tr_behavior series_behavior = {
	.name = "series",
	.state_size = sizeof(struct series),
	.arg_size = sizeof(struct series_arg),
	.start = series_start,
	.receive = series_receive,
	.stop = series_stop,
	.protocol = &series_protocol,
};

/* ------------------------------------------------------------- master --- */

static series_ref
master_spawn(struct tr_self *self, const struct tr_behavior *behavior,
    const void *arg)
{
	series_ref ref = series_spawn(self, behavior, arg, NULL);

	bench_check(tr_ref_valid(ref.ref), "logmap: spawn");
	return ref;
}

static int
master_start(struct tr_self *self, void *state, const void *arg)
{
	struct series_arg given = { .number = 0 };
	struct master *master = state;
	series_ref *series;
	double rate;
	int error = TR_OK;

	master->b = bench_of(arg);
	master->terms = bench_param(master->b, "terms");
	master->count = bench_param(master->b, "series");
	master->left = master->count;
	given.terms = master->terms;
	series = calloc(master->count, sizeof(*series));
	if (series == NULL)
		return TR_ENOMEM;
	bench_begin(master->b, self);
	for (uint64_t i = 0; i < master->count; i++) {
		rate = series_rate(i);
		given.computer = master_spawn(self, &computer_behavior, &rate);
		given.number = i;
		given.term = (double)i * INCREMENT;
		series[i] = master_spawn(self, &series_behavior, &given);
	}
	for (uint64_t term = 0; term < master->terms; term++) {
		for (uint64_t i = 0; i < master->count && error == TR_OK; i++)
			error = series_send_next(self, series[i]);
	}
	for (uint64_t i = 0; i < master->count && error == TR_OK; i++)
		error = series_send_get_term(self, series[i]);
	free(series);
	return error;
}

static int
on_term(struct tr_self *self, struct master *master,
    const struct series_term *got)
{
	double rate = series_rate(got->number);
	double term = (double)got->number * INCREMENT;

	for (uint64_t i = 0; i < master->terms; i++)
		term = next_term(rate, term);
	bench_check(!(got->term < term) && !(got->term > term),
	    "logmap: a series' last term");
	if (--master->left > 0)
		return TR_OK;
	return bench_end(master->b, self, master->terms * master->count);
}

TR_ACTOR(master, struct master, series, SERIES, .term = on_term);

static const struct tr_behavior master_behavior = {
	.name = "master",
	.state_size = sizeof(struct master),
	.arg_size = sizeof(struct bench *),
	.start = master_start,
	.receive = master_receive,
	.protocol = &series_protocol,
};

const struct bench_case savina_logmap = {
	.name = "logmap",
	.suite = SAVINA_SUITE,
	.group = SAVINA_CONCURRENCY,
	.op = "a term: asked for, put aside, computed; three messages",
	.params = { { "terms", { 300, 25000, 1700000 } },
	    { "series", { 10, 10, 10 } } },
	.root = &master_behavior,
};
