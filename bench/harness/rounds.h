/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rounds.h - run series of benchmarks, in turns.
 */
#ifndef BENCH_ROUNDS_H
#define BENCH_ROUNDS_H

#include "series.h"

enum { ROUNDS_TIMEOUT_S = 120 }; /* the usual one of a single run */

struct rounds_options {
	unsigned iterations; /* runs of each, 1 to RUNS_MAX */
	unsigned warm_up; /* runs before it in the same process, not timed */
	bool pin;
	bool more; /* further rounds for those that lack near runs */
	struct xfer_limits limits;
	unsigned timeout_s; /* of a single run */
	double budget_s; /* begin no round that would take longer; 0: none */
};

struct rounds {
	struct rounds_options options;
	struct series *series; /* those of one benchmark next to each other */
	size_t count;
	size_t room;
	/* Private. */
	uint64_t rng;
	double xfer_ns; /* the last measurement */
	struct pace pace;
	double begin_s;
	size_t done; /* runs */
	size_t planned;
};

/**
 * Add a series with the parameters of a size; the caller may change them.
 * Returns NULL when there is no memory; valid until the next one is added.
 */
struct series *rounds_add(struct rounds *rounds, const struct bench_case *c,
    const struct peer *peer, enum bench_size size, unsigned workers);

/** Run all of them.  Returns false when this process was told to end. */
bool rounds_run(struct rounds *rounds);

void rounds_fini(struct rounds *rounds);

#endif /* BENCH_ROUNDS_H */
