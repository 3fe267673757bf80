/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peers.h - the same workloads in other runtimes.
 */
#ifndef BENCH_PEERS_H
#define BENCH_PEERS_H

#include <stdbool.h>
#include <stdint.h>

#include "bench.h"
#include "proc.h"

enum { PEERS = 3 };

struct peer;

/** The nth peer. */
const struct peer *peer_at(int nth);

/** Its runtime's name, as in the reports. */
const char *peer_runtime(const struct peer *peer);

/** Whether it has a benchmark of that name. */
bool peer_has(const struct peer *peer, const struct bench_case *c);

/**
 * Build a peer's program if needed.  Returns PROC_OK when it can be run; else
 * says on stderr, in one line, why it is left out.
 */
enum proc_end peer_build(const struct peer *peer);

/** Run one workload; *ns_per_op is set when PROC_OK is returned. */
enum proc_end peer_run(const struct peer *peer, const char *bench,
    uint64_t size, unsigned workers, int timeout_s, struct proc_result *result,
    double *ns_per_op);

#endif /* BENCH_PEERS_H */
