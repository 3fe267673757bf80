/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * series.h - the runs of one benchmark in one runtime.
 */
#ifndef BENCH_SERIES_H
#define BENCH_SERIES_H

#include <stdbool.h>
#include <stddef.h>

#include "bench.h"
#include "pace.h"
#include "peers.h"
#include "xfer.h"

enum {
	RUNS_MAX = 100, /* of a series */
	ERROR_BYTES = 160,
	JUDGED_RUNS = 5, /* near: fewer are not judged */
};

/** The runtime's name of our own series. */
#define SERIES_OURS "troupe"

/** The name of our runtime as another build of this program has it. */
#define SERIES_OTHER "other"

/** Runs of all states together. */
#define SERIES_ANY XFER_STATES

/* One run. */
struct sample {
	double value; /* in the benchmark's unit */
	double raw; /* see struct bench */
	double ns; /* of the whole timed part; 0: there is none */
	double ops;
	double xfer_before_ns;
	double xfer_after_ns;
	double pace_ns; /* as it began: see pace_measure_ns() */
	double pace; /* the same beside the best: series_settle() */
	enum xfer_state state;
	double cpu_s; /* of all threads, the whole process */
	double peak_kb;
	double preempted; /* how often another thread was given its cpu */
	double sent; /* messages; from here on ours only */
	double spawned;
	double steals;
	double parks;
	double wakeups;
	double asides;
};

struct series {
	const struct bench_case *bench;
	const struct peer *peer; /* who runs it; NULL: we */
	const char *program; /* ours of another build; NULL: this one */
	enum bench_size size;
	uint64_t value_of[BENCH_PARAMS];
	unsigned workers;
	struct sample samples[RUNS_MAX];
	size_t count;
	size_t failed; /* further runs, that left no sample */
	char error[ERROR_BYTES]; /* of the last of those */
	double error_xfer_ns;
	double slowest_s; /* what its longest run took, start and end and all */
	double run_s; /* its last one, without the wait before it */
};

/* One figure of several runs. */
struct spread {
	double median;
	double min;
	double max;
	double p90;
};

/* The runs of a series in one state. */
struct summary {
	enum xfer_state state;
	size_t runs;
	struct spread value;
	struct spread ns;
	double ops;
	double raw; /* median */
	double ratio; /* median of value / raw */
	double xfer_ns; /* the worst */
	double cpu_s; /* medians */
	double sent;
	double spawned;
	double steals;
	double parks;
	double wakeups;
	double asides;
	double peak_kb; /* the most */
	double preempted; /* the most */
};

/** The name of the runtime that runs it. */
const char *series_runtime(const struct series *series);

/** The unit of its values. */
const char *series_unit(const struct series *series);

/** Whether its values are times, which depend on the machine's state. */
bool series_is_time(const struct series *series);

/** How many near runs began with cpus at full speed. */
size_t series_near(const struct series *series, const struct pace *pace);

/**
 * When all runs are made: say each one's pace beside the best; and where there
 * are enough near ones that began with cpus at full speed to judge by, the other
 * near ones become slow ones.
 */
void series_settle(struct series *series, const struct pace *pace);

/**
 * Put the runs in one state together (SERIES_ANY: all).  Returns false when
 * there is none.
 */
bool series_summarize(const struct series *series, enum xfer_state state,
    struct summary *sum);

/**
 * Put those runs together that count: the near ones, or the far ones where
 * there are more of these; all of them where there is neither, or where the
 * value is no time.  Returns false when there is no run.
 */
bool series_conclude(const struct series *series, struct summary *sum);

#endif /* BENCH_SERIES_H */
