/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mixed_case.c - of CAF's benchmarks: rings of actors beside long calculations.
 *
 * Each of some masters makes a ring of actors around itself, sends a token
 * round that it decrements whenever it comes by, and gives its worker a number
 * to factorize.  When the token is used up the ring ends, and the master makes
 * another.  So actors are made and end all the time, most messages are tokens
 * that are handed on, and now and then a handler takes as long as thousands of
 * them.
 *
 * As in the original a collector looks at the factors.  Here each member
 * besides has to have seen the token as often as it went round.
 */
#include "savina.h"

#define MIXED(MSG, P)                      \
	MSG(P, token, { uint64_t value; }) \
	MSG(P, calc, { uint64_t number; }) \
	MSG(P, factors, {                  \
		uint64_t low;              \
		uint64_t high;             \
	})                                 \
	MSG(P, done, TR_EMPTY)
TR_PROTOCOL(mixed, MIXED);

struct worker {
	mixed_ref collector;
};

struct link_arg {
	mixed_ref next;
	uint64_t token;
};

struct link {
	struct link_arg given;
	uint64_t seen; /* tokens */
};

struct master_arg {
	mixed_ref collector;
	uint64_t members;
	uint64_t token;
	uint64_t rings;
	uint64_t number; /* to factorize */
};

struct master {
	struct master_arg given;
	mixed_ref worker;
	mixed_ref next;
	uint64_t rings; /* that are over */
	uint64_t token; /* expected value */
};

struct collector {
	struct bench *b;
	uint64_t masters; /* that are not done */
	uint64_t factors; /* to come */
	struct mixed_factors expected;
};

/* ------------------------------------------------------------- worker --- */

static int
worker_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	((struct worker *)state)->collector = *(const mixed_ref *)arg;
	return TR_OK;
}

/* The number has two prime factors.  As the original this does not stop at the
 * root, but takes every odd number up to the larger one. */
static int
on_calc(struct tr_self *self, struct worker *worker,
    const struct mixed_calc *calc)
{
	struct mixed_factors factors = { .low = 0 };
	uint64_t n = calc->number;
	uint64_t d = 2;

	while (d < n) {
		if (n % d == 0) {
			factors.low = d;
			n /= d;
		} else {
			d = d == 2 ? 3 : d + 2;
		}
	}
	factors.high = d;
	return mixed_send_factors(self, worker->collector, factors);
}

TR_ACTOR(worker, struct worker, mixed, MIXED, .calc = on_calc);

static const struct tr_behavior worker_behavior = {
	.name = "worker",
	.state_size = sizeof(struct worker),
	.arg_size = sizeof(mixed_ref),
	.start = worker_start,
	.receive = worker_receive,
	.protocol = &mixed_protocol,
};

/* --------------------------------------------------------------- link --- */

static int
link_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	((struct link *)state)->given = *(const struct link_arg *)arg;
	return TR_OK;
}

static int
on_token(struct tr_self *self, struct link *link,
    const struct mixed_token *token)
{
	bool last = token->value == 0;
	int error;

	link->seen++;
	error = tr_forward(self, link->given.next.ref, tr_msg_in_hand(self));
	if (error != TR_OK || !last)
		return error;
	bench_check(link->seen == link->given.token + 1,
	    "mixed_case: the token came by as often as it went round");
	return tr_exit(self, TR_NORMAL);
}

TR_ACTOR(link, struct link, mixed, MIXED, .token = on_token);

static const struct tr_behavior link_behavior = {
	.name = "link",
	.state_size = sizeof(struct link),
	.arg_size = sizeof(struct link_arg),
	.start = link_start,
	.receive = link_receive,
	.protocol = &mixed_protocol,
};

/* ------------------------------------------------------------- master --- */

static mixed_ref
mixed_new(struct tr_self *self, const struct tr_behavior *behavior,
    const void *arg)
{
	mixed_ref ref = mixed_spawn(self, behavior, arg, NULL);

	bench_check(tr_ref_valid(ref.ref), "mixed_case: spawn");
	return ref;
}

static int
master_ring(struct tr_self *self, struct master *master)
{
	struct link_arg given = { mixed_of(tr_self_ref(self)),
		master->given.token };
	int error;

	error = mixed_send_calc(self, master->worker,
	    (struct mixed_calc){ master->given.number });
	if (error != TR_OK)
		return error;
	for (uint64_t i = 1; i < master->given.members; i++)
		given.next = mixed_new(self, &link_behavior, &given);
	master->next = given.next;
	master->token = master->given.token;
	return mixed_send_token(self, master->next,
	    (struct mixed_token){ master->token });
}

static int
master_start(struct tr_self *self, void *state, const void *arg)
{
	struct master *master = state;

	master->given = *(const struct master_arg *)arg;
	master->worker =
	    mixed_new(self, &worker_behavior, &master->given.collector);
	return master_ring(self, master);
}

static int
on_round(struct tr_self *self, struct master *master,
    const struct mixed_token *token)
{
	int error;

	bench_check(token->value == master->token, "mixed_case: one token");
	if (token->value > 0)
		return mixed_send_token(self, master->next,
		    (struct mixed_token){ --master->token });
	if (++master->rings < master->given.rings)
		return master_ring(self, master);
	error = mixed_send_done(self, master->given.collector);
	if (error == TR_OK)
		error = tr_stop(self, master->worker.ref, tr_forever());
	return error != TR_OK ? error : tr_exit(self, TR_NORMAL);
}

TR_ACTOR(master, struct master, mixed, MIXED, .token = on_round);

static const struct tr_behavior master_behavior = {
	.name = "master",
	.state_size = sizeof(struct master),
	.arg_size = sizeof(struct master_arg),
	.start = master_start,
	.receive = master_receive,
	.protocol = &mixed_protocol,
};

/* ---------------------------------------------------------- collector --- */

static int
collector_start(struct tr_self *self, void *state, const void *arg)
{
	struct collector *collector = state;
	struct bench *b = bench_of(arg);
	struct master_arg given = {
		.collector = mixed_of(tr_self_ref(self)),
		.members = bench_param(b, "members"),
		.token = bench_param(b, "token"),
		.rings = bench_param(b, "repetitions"),
	};

	collector->b = b;
	collector->masters = bench_param(b, "rings");
	collector->factors = collector->masters * given.rings;
	collector->expected.low = bench_param(b, "factor_low");
	collector->expected.high = bench_param(b, "factor_high");
	given.number = collector->expected.low * collector->expected.high;
	bench_begin(b, self);
	for (uint64_t i = 0; i < collector->masters; i++)
		(void)mixed_new(self, &master_behavior, &given);
	return TR_OK;
}

static int
collector_try_end(struct tr_self *self, const struct collector *collector)
{
	const struct bench *b = collector->b;

	if (collector->masters > 0 || collector->factors > 0)
		return TR_OK;
	return bench_end(collector->b, self,
	    bench_param(b, "rings") * bench_param(b, "repetitions") *
		bench_param(b, "members") * (bench_param(b, "token") + 1));
}

static int
on_factors(struct tr_self *self, struct collector *collector,
    const struct mixed_factors *factors)
{
	bench_check(factors->low == collector->expected.low &&
		factors->high == collector->expected.high,
	    "mixed_case: the two factors");
	bench_check(collector->factors > 0, "mixed_case: once for each ring");
	collector->factors--;
	return collector_try_end(self, collector);
}

static int
on_done(struct tr_self *self, struct collector *collector)
{
	collector->masters--;
	return collector_try_end(self, collector);
}

TR_ACTOR(collector, struct collector, mixed, MIXED, .factors = on_factors,
    .done = on_done);

static const struct tr_behavior collector_behavior = {
	.name = "collector",
	.state_size = sizeof(struct collector),
	.arg_size = sizeof(struct bench *),
	.start = collector_start,
	.receive = collector_receive,
	.protocol = &mixed_protocol,
};

const struct bench_case savina_mixed_case = {
	.name = "mixed_case",
	.suite = SAVINA_KIN,
	.op = "a token handed on; 20 rings, a calculation for each",
	.note = "the workers are actors as all others, not threads",
	.params = { { "rings", { 5, 20, 20 } }, { "members", { 10, 50, 50 } },
	    { "token", { 100, 10000, 5000 } }, { "repetitions", { 2, 5, 8 } },
	    { "factor_low", { 101, 86028157, 1299709 } },
	    { "factor_high", { 211, 329545133, 2750159 } } },
	.root = &collector_behavior,
};
