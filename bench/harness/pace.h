/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pace.h - how fast the cpus are, right now.
 *
 * What a virtual machine has for a cpu may be one half of a core, and whoever
 * has the other half makes it up to two times slower, for milliseconds or for
 * minutes; its own kernel knows nothing of that.  So runs are begun when the
 * cpus are as fast as they have been seen, if that comes soon enough.
 */
#ifndef BENCH_PACE_H
#define BENCH_PACE_H

#include <stdbool.h>

struct pace {
	double best_ns; /* the fastest that was seen; 0: none yet */
};

/** This many times as long as at best is still full speed. */
#define PACE_FULL 1.15

/** The longest wait, in seconds. */
#define PACE_WAIT_S 0.5

/**
 * Nanoseconds for a round of a loop on the first two cpus, the slower of them;
 * the first call looks longer, for what is best.  Takes some 5 ms.
 */
double pace_measure_ns(struct pace *pace);

/** How many times as long as at best that is, as far as is known by now. */
double pace_of(const struct pace *pace, double ns);

/** Whether that was full speed. */
bool pace_is_full(const struct pace *pace, double ns);

/**
 * Wait until the cpus are at full speed, at most about `limit_s` seconds.
 * Returns what was measured last.
 */
double pace_wait_ns(struct pace *pace, double limit_s);

#endif /* BENCH_PACE_H */
