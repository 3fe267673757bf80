/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xfer.c - how far apart two cpus are, right now.
 *
 * Two threads, each bound to one cpu, take turns at a compare-and-swap of one
 * word, so that its cache line goes to and fro.  What is wanted is the distance
 * of the cpus, and everything else can only add to it: another process on one
 * of them, or two loops whose timing happens to collide.  So it is done in
 * slices of some hundred microseconds, with a different small pause between
 * turns in each, and what counts is the fastest tenth.
 */
#include <pthread.h>
#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include "clock.h"
#include "xfer.h"

enum {
	SLICE_TRIPS = 1000,
	LOOK_TRIPS = 50, /* after which one looks at the clock */
	SLICES_MAX = 1000,
	MEASURE_NS = 50 * 1000 * 1000,
	PAUSE_STEP = 20, /* instructions */
	PAUSES = 6,
};

#define LINE_STOP UINT32_MAX

struct line {
	/* Even: the caller's turn; odd: the echo's. */
	alignas(128) _Atomic uint32_t turn;
	alignas(128) int echo_cpu;
};

static void
xfer_pause(unsigned instructions)
{
	for (unsigned i = 0; i < instructions; i++)
		__asm__ volatile("nop");
}

/* Takes a turn when it is `turn`; returns what was seen. */
static uint32_t
xfer_turn(struct line *line, uint32_t turn)
{
	(void)atomic_compare_exchange_strong(&line->turn, &turn, turn + 1);
	return turn;
}

static void *
xfer_echo(void *arg)
{
	struct line *line = arg;
	uint32_t turn = 1;
	uint32_t seen;

	(void)xfer_pin(line->echo_cpu);
	for (;;) {
		seen = xfer_turn(line, turn);
		if (seen == LINE_STOP)
			return NULL;
		if (seen == turn)
			turn += 2;
	}
}

/* Some trips from *turn on. */
static void
xfer_trips(struct line *line, uint32_t *turn, unsigned pause)
{
	for (int i = 0; i < LOOK_TRIPS; i++) {
		while (xfer_turn(line, *turn) != *turn)
			continue;
		*turn += 2;
		xfer_pause(pause);
	}
}

/*
 * One slice; returns nanoseconds per round trip.  Where others have the cpus a
 * trip takes as long as the kernel lets them run, so the slice ends early then.
 */
static double
xfer_slice(struct line *line, uint32_t *turn, unsigned pause)
{
	int64_t begin = clock_now_ns();
	int64_t took;
	int trips = 0;

	do {
		xfer_trips(line, turn, pause);
		trips += LOOK_TRIPS;
		took = clock_now_ns() - begin;
	} while (trips < SLICE_TRIPS && took < MEASURE_NS);
	return (double)took / trips;
}

static int
xfer_compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
xfer_floor(struct line *line)
{
	double slices[SLICES_MAX];
	int64_t begin = clock_now_ns();
	uint32_t turn = 0;
	uint32_t seen;
	unsigned n = 0;

	do {
		slices[n] = xfer_slice(line, &turn, n % PAUSES * PAUSE_STEP);
		n++;
	} while (n < SLICES_MAX && clock_now_ns() - begin < MEASURE_NS);
	do {
		seen = turn;
	} while (
	    !atomic_compare_exchange_strong(&line->turn, &seen, LINE_STOP));
	qsort(slices, n, sizeof(slices[0]), xfer_compare);
	return slices[n / 10];
}

int
xfer_cpus(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return 1;
	return CPU_COUNT(&set);
}

int
xfer_cpu(int nth)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return -1;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET((size_t)cpu, &set) && nth-- == 0)
			return cpu;
	}
	return -1;
}

int
xfer_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	return pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

double
xfer_measure_ns(void)
{
	struct line line = { .turn = 0, .echo_cpu = xfer_cpu(1) };
	int own_cpu = xfer_cpu(0);
	pthread_t echo;
	cpu_set_t before;
	double ns;

	if (xfer_cpus() < 2 ||
	    sched_getaffinity(0, sizeof(before), &before) != 0)
		return XFER_NONE;
	if (pthread_create(&echo, NULL, xfer_echo, &line) != 0)
		return XFER_NONE;
	(void)xfer_pin(own_cpu);
	ns = xfer_floor(&line);
	(void)pthread_join(echo, NULL);
	(void)pthread_setaffinity_np(pthread_self(), sizeof(before), &before);
	return ns;
}

enum xfer_state
xfer_classify(const struct xfer_limits *limits, double before_ns,
    double after_ns)
{
	if (before_ns < 0 || after_ns < 0)
		return XFER_ONE_CPU;
	if (before_ns < limits->near_ns && after_ns < limits->near_ns)
		return XFER_NEAR;
	if (before_ns > limits->far_ns && after_ns > limits->far_ns &&
	    before_ns < XFER_BUSY_NS && after_ns < XFER_BUSY_NS)
		return XFER_FAR;
	return XFER_MIXED;
}

const char *
xfer_state_name(enum xfer_state state)
{
	static const char *const names[XFER_STATES] = {
		[XFER_NEAR] = "near",
		[XFER_FAR] = "far",
		[XFER_MIXED] = "mixed",
		[XFER_ONE_CPU] = "one_cpu",
		[XFER_SLOW] = "slow",
	};

	return names[state];
}
