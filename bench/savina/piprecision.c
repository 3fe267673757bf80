/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * piprecision.c - Savina 24, Precise Pi: terms from workers, on demand.
 *
 * The master has workers compute terms of the formula of Bailey, Borwein and
 * Plouffe, ten each to begin with and one more for each that comes back, until
 * a term is too small to matter; it adds them up.  A term is a message of some
 * kilobytes.
 *
 * The original's numbers are BigDecimals.  Here they are binary fractions, on
 * which all that is needed is four short loops: dividing by a word, adding,
 * subtracting, shifting.  A library for them (GMP) would be a dependency of the
 * benchmarks alone, for these loops.
 *
 * The original prints the digits; here they are compared with those of
 * Machin's formula.
 */
#include <stdlib.h>
#include <string.h>

#include "savina.h"

enum { AHEAD = 10, RESULT = 1, GUARD = 2 /* words behind the precision */ };

#define PI(MSG, P) MSG(P, work, { uint32_t term; })
TR_PROTOCOL(pi, PI);

/*
 * A number from 0 to below 2^32: `size` words, the first of which stands before
 * the point, the most significant first.
 */

/* a = whole / divisor */
static void
number_ratio(uint32_t *a, size_t size, uint32_t whole, uint32_t divisor)
{
	uint64_t rest = whole;

	for (size_t i = 0; i < size; i++) {
		a[i] = (uint32_t)(rest / divisor);
		rest = (rest % divisor) << 32;
	}
}

/* a = b / divisor; words before `from` are 0.  Returns the first that may not
 * be. */
static size_t
number_divide(uint32_t *a, const uint32_t *b, size_t from, size_t size,
    uint32_t divisor)
{
	uint64_t rest = 0;

	for (size_t i = from; i < size; i++) {
		rest = rest << 32 | b[i];
		a[i] = (uint32_t)(rest / divisor);
		rest %= divisor;
	}
	while (from < size && a[from] == 0)
		from++;
	return from;
}

/* a += b */
static void
number_add(uint32_t *a, const uint32_t *b, size_t size)
{
	uint64_t sum = 0;

	for (size_t i = size; i-- > 0;) {
		sum += (uint64_t)a[i] + b[i];
		a[i] = (uint32_t)sum;
		sum >>= 32;
	}
}

/* a -= b */
static void
number_subtract(uint32_t *a, const uint32_t *b, size_t size)
{
	uint64_t difference, borrow = 0;

	for (size_t i = size; i-- > 0;) {
		difference = (uint64_t)a[i] - b[i] - borrow;
		a[i] = (uint32_t)difference;
		borrow = difference >> 63;
	}
}

/* a /= 2^bits */
static void
number_shift(uint32_t *a, size_t size, size_t bits)
{
	size_t words = bits / 32;
	unsigned rest = bits % 32;
	uint64_t two;

	for (size_t i = size; i-- > 0;) {
		two = i >= words ? a[i - words] : 0;
		if (i > words)
			two |= (uint64_t)a[i - words - 1] << 32;
		a[i] = (uint32_t)(two >> rest);
	}
}

static bool
number_is_zero(const uint32_t *a, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (a[i] != 0)
			return false;
	}
	return true;
}

/* Words for so many decimal digits: a digit is less than 27213 / 8192 bits. */
static size_t
number_size(uint64_t digits)
{
	return 1 + digits * 27214 / 8192 / 32 + 1 + GUARD;
}

/* ------------------------------------------------------------- worker --- */

struct worker_arg {
	tr_ref master;
	size_t size; /* words of a number */
};

struct worker {
	struct worker_arg given;
	uint32_t *part; /* of a term */
};

static int
worker_start(struct tr_self *self, void *state, const void *arg)
{
	struct worker *worker = state;

	(void)self;
	worker->given = *(const struct worker_arg *)arg;
	worker->part = malloc(worker->given.size * sizeof(uint32_t));
	return worker->part != NULL ? TR_OK : TR_ENOMEM;
}

static void
worker_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct worker *worker = state;

	(void)self;
	(void)why;
	free(worker->part);
}

/* (4 / (8k + 1) - 2 / (8k + 4) - 1 / (8k + 5) - 1 / (8k + 6)) / 16^k */
static int
on_work(struct tr_self *self, struct worker *worker, const struct pi_work *work)
{
	size_t size = worker->given.size;
	uint32_t k = work->term;
	struct tr_msg *msg =
	    tr_msg_new(self, RESULT, size * sizeof(uint32_t), NULL);
	uint32_t *term;

	if (msg == NULL)
		return TR_ENOMEM;
	term = tr_msg_data(msg);
	number_ratio(term, size, 4, 8 * k + 1);
	number_ratio(worker->part, size, 2, 8 * k + 4);
	number_subtract(term, worker->part, size);
	number_ratio(worker->part, size, 1, 8 * k + 5);
	number_subtract(term, worker->part, size);
	number_ratio(worker->part, size, 1, 8 * k + 6);
	number_subtract(term, worker->part, size);
	number_shift(term, size, 4 * (size_t)k);
	return tr_send_msg(self, worker->given.master, &msg);
}

TR_ACTOR(worker, struct worker, pi, PI, .work = on_work);

static const struct tr_behavior worker_behavior = {
	.name = "worker",
	.state_size = sizeof(struct worker),
	.arg_size = sizeof(struct worker_arg),
	.start = worker_start,
	.receive = worker_receive,
	.stop = worker_stop,
	.protocol = &pi_protocol,
};

/* ------------------------------------------------------------- master --- */

struct master {
	struct bench *b;
	size_t size; /* words of a number */
	uint32_t *sum;
	uint32_t asked; /* terms */
	uint32_t left; /* of these, not answered */
	bool enough; /* a term was too small to matter */
};

static int
master_ask(struct tr_self *self, struct master *master, pi_ref worker)
{
	master->left++;
	return pi_send_work(self, worker, (struct pi_work){ master->asked++ });
}

static int
master_start(struct tr_self *self, void *state, const void *arg)
{
	struct master *master = state;
	struct worker_arg given = { .master = tr_self_ref(self) };
	uint64_t workers;
	pi_ref worker;
	int error = TR_OK;

	master->b = bench_of(arg);
	workers = bench_param(master->b, "workers");
	given.size = number_size(bench_param(master->b, "digits"));
	bench_begin(master->b, self);
	master->size = given.size;
	master->sum = calloc(master->size, sizeof(*master->sum));
	bench_check(master->sum != NULL, "piprecision: memory");
	for (uint64_t i = 0; i < workers; i++) {
		worker = pi_spawn(self, &worker_behavior, &given, NULL);
		bench_check(tr_ref_valid(worker.ref), "piprecision: spawn");
		for (int n = 0; n < AHEAD && error == TR_OK; n++)
			error = master_ask(self, master, worker);
	}
	return error;
}

/* The numbers go to teardown(), which looks whether they are right. */
static int
master_end(struct tr_self *self, struct master *master)
{
	master->b->ctx = master->sum;
	return bench_end(master->b, self, master->asked);
}

static int
on_result(struct tr_self *self, struct master *master, const struct tr_msg *msg)
{
	const uint32_t *term = tr_data(msg, master->size * sizeof(*term));
	int error = TR_OK;

	if (tr_tag(msg) != RESULT || term == NULL)
		return tr_unhandled(self, msg);
	master->left--;
	number_add(master->sum, term, master->size);
	if (number_is_zero(term, master->size - GUARD))
		master->enough = true;
	if (!master->enough)
		error = master_ask(self, master, pi_of(tr_sender(msg)));
	if (error != TR_OK || master->left > 0)
		return error;
	return master_end(self, master);
}

/* A result is of no fixed size, so it is none of the protocol. */
TR_ACTOR(master, struct master, pi, PI, .other = on_result);

static const struct tr_behavior master_behavior = {
	.name = "master",
	.state_size = sizeof(struct master),
	.arg_size = sizeof(struct bench *),
	.start = master_start,
	.receive = master_receive,
	.protocol = &pi_protocol,
};

/* -------------------------------------------------- Machin's formula --- */

/* pi += or -= factor * arctan(1 / x) */
static void
machin_arctan(uint32_t *pi, size_t size, bool plus, uint32_t factor, uint32_t x)
{
	uint32_t *power = calloc(size, sizeof(*power));
	uint32_t *term = calloc(size, sizeof(*term));
	size_t from = 0;

	bench_check(power != NULL && term != NULL, "piprecision: memory");
	number_ratio(power, size, factor, x);
	for (uint32_t n = 1; from < size; n += 2) {
		memset(term, 0, from * sizeof(*term));
		(void)number_divide(term, power, from, size, n);
		if ((n % 4 == 1) == plus)
			number_add(pi, term, size);
		else
			number_subtract(pi, term, size);
		from = number_divide(power, power, from, size, x * x);
	}
	free(power);
	free(term);
}

/* pi = 16 arctan(1/5) - 4 arctan(1/239); the difference may be of either
 * sign, and then begins with zeros or with ones. */
static void
piprecision_teardown(struct bench *b)
{
	size_t size = number_size(bench_param(b, "digits"));
	uint32_t *pi = calloc(size, sizeof(*pi));
	uint32_t *sum = b->ctx, *difference = calloc(size, sizeof(*pi));
	uint32_t *ulp = calloc(size, sizeof(*ulp));

	bench_check(pi != NULL && difference != NULL && ulp != NULL,
	    "piprecision: memory");
	machin_arctan(pi, size, true, 16, 5);
	machin_arctan(pi, size, false, 4, 239);
	memcpy(difference, sum, size * sizeof(*sum));
	number_subtract(difference, pi, size);
	ulp[size - GUARD] = 1;
	number_add(difference, ulp, size); /* 0 to 2 of what does not count */
	bench_check(sum[0] == 3 && number_is_zero(difference, size - GUARD),
	    "piprecision: the digits of Machin's formula");
	free(pi);
	free(difference);
	free(ulp);
	free(sum);
}

const struct bench_case savina_piprecision = {
	.name = "piprecision",
	.suite = SAVINA_SUITE,
	.group = SAVINA_PARALLELISM,
	.op = "a term",
	.note = "binary fractions, not decimal ones",
	.params = {
		{ "digits", { 300, 5000, 30000 } },
		{ "workers", { 20, 20, 20 } },
	},
	.root = &master_behavior,
	.teardown = piprecision_teardown,
};
