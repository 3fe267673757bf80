/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * philosopher.c - Savina 12, Dining Philosophers: all ask one arbiter.
 *
 * A hungry philosopher asks the arbiter for both forks at once; denied, it asks
 * again at once, so the arbiter has a lot to do whenever neighbours are hungry.
 * It shows one actor that decides for many, and whether those who have to give
 * something back come to run among those who only ask.
 *
 * The original prints the number of denials.  Here the arbiter checks besides
 * that forks are given back by who has them and that everybody has eaten as
 * often as it should, and every denial it sent has to have arrived.
 */
#include <stdlib.h>

#include "savina.h"

#define TABLE(MSG, P)                      \
	MSG(P, begin, TR_EMPTY)            \
	MSG(P, hungry, { uint64_t seat; }) \
	MSG(P, eat, TR_EMPTY)              \
	MSG(P, denied, TR_EMPTY)           \
	MSG(P, done, { uint64_t seat; })   \
	MSG(P, leave, {                    \
		uint64_t seat;             \
		uint64_t denials;          \
	})
TR_PROTOCOL(table, TABLE);

struct philosopher_arg {
	table_ref arbiter;
	uint64_t seat;
	uint64_t rounds;
};

struct philosopher {
	struct philosopher_arg given;
	uint64_t eaten;
	uint64_t denials;
};

struct seat {
	bool fork_taken; /* the one to the left */
	bool eats;
	uint64_t eaten;
};

struct arbiter {
	struct bench *b;
	uint64_t philosophers;
	uint64_t rounds;
	uint64_t left; /* philosophers that are still there */
	uint64_t denials; /* sent */
	uint64_t denials_seen; /* by those who have left */
	struct seat *seats;
};

/* -------------------------------------------------------- philosopher --- */

static int
philosopher_ask(struct tr_self *self, const struct philosopher *philosopher)
{
	return table_send_hungry(self, philosopher->given.arbiter,
	    (struct table_hungry){ philosopher->given.seat });
}

static int
philosopher_start(struct tr_self *self, void *state, const void *arg)
{
	struct philosopher *philosopher = state;

	philosopher->given = *(const struct philosopher_arg *)arg;
	return table_send_begin(self, table_of(tr_self_ref(self)));
}

static int
on_begin(struct tr_self *self, struct philosopher *philosopher)
{
	return philosopher_ask(self, philosopher);
}

static int
on_denied(struct tr_self *self, struct philosopher *philosopher)
{
	philosopher->denials++;
	return philosopher_ask(self, philosopher);
}

static int
on_eat(struct tr_self *self, struct philosopher *philosopher)
{
	const struct philosopher_arg *given = &philosopher->given;
	int error;

	philosopher->eaten++;
	error = table_reply_done(self, (struct table_done){ given->seat });
	if (error != TR_OK)
		return error;
	if (philosopher->eaten < given->rounds)
		return table_send_begin(self, table_of(tr_self_ref(self)));
	error = table_send_leave(self, given->arbiter,
	    (struct table_leave){ given->seat, philosopher->denials });
	return error != TR_OK ? error : tr_exit(self, TR_NORMAL);
}

TR_ACTOR(philosopher, struct philosopher, table, TABLE, .begin = on_begin,
    .denied = on_denied, .eat = on_eat);

static const struct tr_behavior philosopher_behavior = {
	.name = "philosopher",
	.state_size = sizeof(struct philosopher),
	.arg_size = sizeof(struct philosopher_arg),
	.start = philosopher_start,
	.receive = philosopher_receive,
	.protocol = &table_protocol,
};

/* ------------------------------------------------------------ arbiter --- */

static int
arbiter_start(struct tr_self *self, void *state, const void *arg)
{
	struct philosopher_arg given = { table_of(tr_self_ref(self)), 0, 0 };
	struct arbiter *arbiter = state;
	table_ref philosopher;

	arbiter->b = bench_of(arg);
	arbiter->philosophers = bench_param(arbiter->b, "philosophers");
	arbiter->rounds = bench_param(arbiter->b, "rounds");
	arbiter->left = arbiter->philosophers;
	arbiter->seats = calloc(arbiter->philosophers, sizeof(*arbiter->seats));
	if (arbiter->seats == NULL)
		return TR_ENOMEM;
	given.rounds = arbiter->rounds;
	bench_begin(arbiter->b, self);
	for (; given.seat < arbiter->philosophers; given.seat++) {
		philosopher =
		    table_spawn(self, &philosopher_behavior, &given, NULL);
		bench_check(tr_ref_valid(philosopher.ref),
		    "philosopher: spawn");
	}
	return TR_OK;
}

/* A seat's right fork is its neighbour's left one. */
static struct seat *
arbiter_neighbor(const struct arbiter *arbiter, uint64_t seat)
{
	return &arbiter->seats[(seat + 1) % arbiter->philosophers];
}

static int
on_hungry(struct tr_self *self, struct arbiter *arbiter,
    const struct table_hungry *hungry)
{
	struct seat *seat = &arbiter->seats[hungry->seat];
	struct seat *neighbor = arbiter_neighbor(arbiter, hungry->seat);

	if (seat->fork_taken || neighbor->fork_taken) {
		arbiter->denials++;
		return table_reply_denied(self);
	}
	seat->fork_taken = true;
	neighbor->fork_taken = true;
	seat->eats = true;
	return table_reply_eat(self);
}

static int
on_done(struct tr_self *self, struct arbiter *arbiter,
    const struct table_done *done)
{
	struct seat *seat = &arbiter->seats[done->seat];
	struct seat *neighbor = arbiter_neighbor(arbiter, done->seat);

	(void)self;
	bench_check(seat->eats && seat->fork_taken && neighbor->fork_taken,
	    "philosopher: forks are given back by who has them");
	seat->eats = false;
	seat->fork_taken = false;
	neighbor->fork_taken = false;
	seat->eaten++;
	return TR_OK;
}

static int
on_leave(struct tr_self *self, struct arbiter *arbiter,
    const struct table_leave *leave)
{
	bench_check(arbiter->seats[leave->seat].eaten == arbiter->rounds,
	    "philosopher: everybody has eaten in each round");
	arbiter->denials_seen += leave->denials;
	if (--arbiter->left > 0)
		return TR_OK;
	bench_check(arbiter->denials_seen == arbiter->denials,
	    "philosopher: every denial arrived, once");
	return bench_end(arbiter->b, self,
	    arbiter->philosophers * arbiter->rounds);
}

TR_ACTOR(arbiter, struct arbiter, table, TABLE, .hungry = on_hungry,
    .done = on_done, .leave = on_leave);

static void
arbiter_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)self;
	(void)why;
	free(((struct arbiter *)state)->seats);
}

static const struct tr_behavior arbiter_behavior = {
	.name = "arbiter",
	.state_size = sizeof(struct arbiter),
	.arg_size = sizeof(struct bench *),
	.start = arbiter_start,
	.receive = arbiter_receive,
	.stop = arbiter_stop,
	.protocol = &table_protocol,
};

const struct bench_case savina_philosopher = {
	.name = "philosopher",
	.suite = SAVINA_SUITE,
	.group = SAVINA_CONCURRENCY,
	.op = "a meal: hungry, eat, done, begin, and the denials before",
	.params = { { "rounds", { 50, 10000, 350000 } },
	    { "philosophers", { 20, 20, 20 } } },
	.root = &arbiter_behavior,
};
