/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peers.h - the same benchmarks in other runtimes.
 */
#ifndef BENCH_PEERS_H
#define BENCH_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench.h"
#include "proc.h"

enum { PEERS = 5 };

struct peer;

/** The nth peer. */
const struct peer *peer_at(int nth);

/** Its runtime's name, as in the reports. */
const char *peer_runtime(const struct peer *peer);

/** What exactly it is, in a line; "" when it does not say. */
void peer_version(const struct peer *peer, char *text, size_t size);

/** Whether it has a benchmark of that name. */
bool peer_has(const struct peer *peer, const struct bench_case *c);

/**
 * What the peer is run with: the parameters, or less.  A runtime that is much
 * slower, or takes much more memory, does less of the same work, and what an
 * operation takes is to be compared.  Returns whether it is less.
 */
bool peer_limit(const struct peer *peer, const struct bench_case *c,
    uint64_t value_of[BENCH_PARAMS]);

/**
 * Build the peers' programs where that is needed (`wanted`; else there is
 * none), and say which can be run; of the others it says on stderr, in a line
 * each, why they are left out.  Returns false when this process was told to
 * end.
 */
bool peers_build(bool wanted, bool usable[PEERS]);

/**
 * Run one benchmark with these parameters, or less of it; *ns_per_op and *ops are set when
 * PROC_OK is returned.
 */
enum proc_end peer_run(const struct peer *peer, const struct bench_case *c,
    const uint64_t value_of[BENCH_PARAMS], unsigned workers, int timeout_s,
    struct proc_result *result, double *ns_per_op, double *ops);

#endif /* BENCH_PEERS_H */
