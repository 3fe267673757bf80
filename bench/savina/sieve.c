/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sieve.c - Savina 20, Sieve of Eratosthenes: a pipeline that grows.
 *
 * A filter keeps primes, up to a limit, and drops their multiples.  What no
 * filter's prime divides is a prime: the last filter keeps it, or, being full,
 * spawns the next one for it.  Filters at the front see everything and divide
 * little, those behind see only primes and divide a lot.
 *
 * The original prints the number of primes (9,592 below 100,000); here it is
 * compared with that of a plain sieve, and so is their sum.
 */
#include <stdlib.h>

#include "savina.h"

/* What a pipeline found. */
struct total {
	uint64_t primes;
	uint64_t sum;
};

#define SIEVE(MSG, P)                                     \
	MSG(P, candidate, { uint64_t number; })           \
	MSG(P, end, {                                     \
		struct total before; /* those in front */ \
	})                                                \
	MSG(P, found, { struct total total; })
TR_PROTOCOL(sieve, SIEVE);

struct filter_arg {
	sieve_ref root;
	uint64_t prime; /* its first one */
	uint64_t room; /* how many it keeps */
};

struct filter {
	sieve_ref root;
	sieve_ref next;
	uint64_t room;
	uint64_t count;
	uint64_t *prime;
	struct total total; /* of its primes */
};

struct source_arg {
	sieve_ref first;
	uint64_t limit;
};

struct source {
	char none;
};

struct root {
	struct bench *b;
	const struct total *expected;
};

/* ------------------------------------------------------------- filter --- */

/* Defined below; a filter spawns the next one. */
static const struct tr_behavior filter_behavior;

static void
filter_keep(struct filter *filter, uint64_t prime)
{
	filter->prime[filter->count++] = prime;
	filter->total.primes++;
	filter->total.sum += prime;
}

static int
filter_start(struct tr_self *self, void *state, const void *arg)
{
	const struct filter_arg *given = arg;
	struct filter *filter = state;

	(void)self;
	filter->root = given->root;
	filter->room = given->room;
	filter->prime = malloc(given->room * sizeof(*filter->prime));
	if (filter->prime == NULL)
		return TR_ENOMEM;
	filter_keep(filter, given->prime);
	return TR_OK;
}

static void
filter_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct filter *filter = state;

	(void)self;
	(void)why;
	free(filter->prime);
}

static int
on_candidate(struct tr_self *self, struct filter *filter,
    const struct sieve_candidate *candidate)
{
	struct filter_arg next = { .root = filter->root,
		.prime = candidate->number,
		.room = filter->room };

	for (uint64_t i = 0; i < filter->count; i++) {
		if (candidate->number % filter->prime[i] == 0)
			return TR_OK;
	}
	if (tr_ref_valid(filter->next.ref))
		return sieve_send_candidate(self, filter->next, *candidate);
	if (filter->count < filter->room) {
		filter_keep(filter, candidate->number);
		return TR_OK;
	}
	filter->next = sieve_spawn(self, &filter_behavior, &next, NULL);
	bench_check(tr_ref_valid(filter->next.ref), "sieve: spawn");
	return TR_OK;
}

/* The last one knows them all. */
static int
on_end(struct tr_self *self, struct filter *filter, const struct sieve_end *end)
{
	struct total total = { end->before.primes + filter->total.primes,
		end->before.sum + filter->total.sum };

	if (tr_ref_valid(filter->next.ref))
		(void)sieve_send_end(self, filter->next,
		    (struct sieve_end){ total });
	else
		(void)sieve_send_found(self, filter->root,
		    (struct sieve_found){ total });
	return tr_exit(self, TR_NORMAL);
}

TR_ACTOR(filter, struct filter, sieve, SIEVE, .candidate = on_candidate,
    .end = on_end);

static const struct tr_behavior filter_behavior = {
	.name = "filter",
	.state_size = sizeof(struct filter),
	.arg_size = sizeof(struct filter_arg),
	.start = filter_start,
	.receive = filter_receive,
	.stop = filter_stop,
	.protocol = &sieve_protocol,
};

/* ------------------------------------------------------------- source --- */

/* It sends all there is, and ends. */
static int
source_start(struct tr_self *self, void *state, const void *arg)
{
	const struct source_arg *given = arg;
	int error = TR_OK;

	(void)state;
	for (uint64_t n = 3; n < given->limit && error == TR_OK; n += 2)
		error = sieve_send_candidate(self, given->first,
		    (struct sieve_candidate){ n });
	(void)sieve_send_end(self, given->first, (struct sieve_end){ { 0 } });
	return error == TR_OK ? tr_exit(self, TR_NORMAL) : error;
}

TR_ACTOR(source, struct source, sieve, SIEVE, .end = NULL);

static const struct tr_behavior source_behavior = {
	.name = "source",
	.arg_size = sizeof(struct source_arg),
	.start = source_start,
	.receive = source_receive,
	.protocol = &sieve_protocol,
};

/* --------------------------------------------------------------- root --- */

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct root *root = state;
	struct filter_arg first = { .prime = 2 };
	struct source_arg source;

	root->b = bench_of(arg);
	root->expected = root->b->ctx;
	first.root = sieve_of(tr_self_ref(self));
	first.room = bench_param(root->b, "primes_per_actor");
	source.limit = bench_param(root->b, "limit");
	bench_begin(root->b, self);
	source.first = sieve_spawn(self, &filter_behavior, &first, NULL);
	bench_check(tr_ref_valid(source.first.ref), "sieve: spawn");
	bench_check(tr_ref_valid(
			sieve_spawn(self, &source_behavior, &source, NULL).ref),
	    "sieve: spawn");
	return TR_OK;
}

static int
on_found(struct tr_self *self, struct root *root,
    const struct sieve_found *found)
{
	bench_check(found->total.primes == root->expected->primes &&
		found->total.sum == root->expected->sum,
	    "sieve: number and sum of the primes");
	return bench_end(root->b, self, bench_param(root->b, "limit") / 2);
}

TR_ACTOR(root, struct root, sieve, SIEVE, .found = on_found);

static const struct tr_behavior root_behavior = {
	.name = "root",
	.state_size = sizeof(struct root),
	.arg_size = sizeof(struct bench *),
	.start = root_start,
	.receive = root_receive,
	.protocol = &sieve_protocol,
};

/* ------------------------------------------------- what it has to find --- */

static void
sieve_setup(struct bench *b)
{
	uint64_t limit = bench_param(b, "limit");
	struct total *total = calloc(1, sizeof(*total));
	bool *composite = calloc(limit, sizeof(*composite));

	bench_check(total != NULL && composite != NULL, "sieve: memory");
	for (uint64_t n = 2; n < limit; n++) {
		if (composite[n])
			continue;
		total->primes++;
		total->sum += n;
		for (uint64_t m = n * n; m < limit; m += n)
			composite[m] = true;
	}
	free(composite);
	b->ctx = total;
}

static void
sieve_teardown(struct bench *b)
{
	free(b->ctx);
}

const struct bench_case savina_sieve = {
	.name = "sieve",
	.suite = SAVINA_SUITE,
	.group = SAVINA_PARALLELISM,
	.op = "a candidate: an odd number below the limit",
	.params = {
		{ "limit", { 4000, 100000, 500000 } },
		{ "primes_per_actor", { 40, 1000, 1000 } },
	},
	.root = &root_behavior,
	.setup = sieve_setup,
	.teardown = sieve_teardown,
};
