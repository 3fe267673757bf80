/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xfer.h - how far apart two cpus are, right now.
 *
 * A virtual machine's cpus may be moved by the host between two runs: a cache
 * line then takes five times as long from one to the other, and whatever
 * crosses cores with it.  So each run is put between two of these measurements
 * and carries what they say.
 */
#ifndef BENCH_XFER_H
#define BENCH_XFER_H

enum xfer_state {
	XFER_NEAR, /* both measurements below the near limit */
	XFER_FAR, /* both above the far limit, and below XFER_BUSY_NS */
	XFER_MIXED, /* anything else: not to be judged */
	XFER_ONE_CPU, /* there is no second cpu */
	XFER_SLOW, /* near, but slowed down as it began: see series_settle() */
	XFER_STATES /* how many there are */
};

struct xfer_limits {
	double near_ns;
	double far_ns;
};

#define XFER_NEAR_NS 120.0 /* the usual limits */
#define XFER_FAR_NS  200.0
#define XFER_BUSY_NS 2000.0 /* no line takes as long: the cpus were busy */
#define XFER_NONE    (-1.0) /* the measurement where there is one cpu */

/** How many cpus this process may use. */
int xfer_cpus(void);

/** The nth cpu of those this process may use, or -1. */
int xfer_cpu(int nth);

/** Bind the calling thread to a cpu.  Returns 0 or an error number. */
int xfer_pin(int cpu);

/** Round trip of a cache line between the first two cpus; takes ~50 ms. */
double xfer_measure_ns(void);

/** What two measurements around a run say. */
enum xfer_state xfer_classify(const struct xfer_limits *limits,
    double before_ns, double after_ns);

const char *xfer_state_name(enum xfer_state state);

#endif /* BENCH_XFER_H */
