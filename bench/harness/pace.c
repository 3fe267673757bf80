/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pace.c - how fast the cpus are, right now.
 *
 * A loop of independent chains of integer operations, as many as a core can do
 * at once, so that it takes longer as soon as another thread wants some of the
 * core's units; it touches no memory.  Both cpus do it at the same time, and
 * for a fixed time: what counts is how often they came round, pauses and all.
 */
#include <pthread.h>
#include <stdint.h>

#include "clock.h"
#include "pace.h"
#include "xfer.h"

enum {
	PACE_NS = 5 * 1000 * 1000,
	SLICE_LOOPS = 4000, /* after which one looks at the clock */
	FIRST_LOOKS = 20, /* for what is best */
};

struct pace_cpu {
	int cpu;
	double loop_ns;
};

/* Four chains of multiplications and four of additions. */
static void
pace_loops(void)
{
	uint64_t a = 1, b = 3, c = 5, d = 7;
	uint64_t e = 1, f = 2, g = 3, h = 4;

	for (uint64_t i = 0; i < SLICE_LOOPS; i++) {
		a = a * 3 + 1;
		b = b * 3 + 1;
		c = c * 3 + 1;
		d = d * 3 + 1;
		e += f ^ i;
		f += g ^ i;
		g += h ^ i;
		h += e ^ i;
		/* Or the compiler would do several of a kind at once. */
		__asm__ volatile(""
				 : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e),
				 "+r"(f), "+r"(g), "+r"(h));
	}
}

static void *
pace_run(void *arg)
{
	struct pace_cpu *cpu = arg;
	uint64_t slices = 0;
	int64_t begin;
	int64_t took;

	(void)xfer_pin(cpu->cpu);
	begin = clock_now_ns();
	do {
		pace_loops();
		slices++;
		took = clock_now_ns() - begin;
	} while (took < PACE_NS);
	cpu->loop_ns = (double)took / (double)(slices * SLICE_LOOPS);
	return NULL;
}

/* The slower one's nanoseconds per loop. */
static double
pace_look(void)
{
	struct pace_cpu cpus[2];
	pthread_t threads[2];
	int count = xfer_cpus() < 2 ? 1 : 2;
	double ns = 0;
	int n;

	for (n = 0; n < count; n++) {
		cpus[n].cpu = xfer_cpu(n);
		if (pthread_create(&threads[n], NULL, pace_run, &cpus[n]) != 0)
			break;
	}
	while (n-- > 0) {
		(void)pthread_join(threads[n], NULL);
		if (cpus[n].loop_ns > ns)
			ns = cpus[n].loop_ns;
	}
	return ns;
}

double
pace_measure_ns(struct pace *pace)
{
	int looks = pace->best_ns > 0 ? 1 : FIRST_LOOKS;
	double ns = 0;

	for (int i = 0; i < looks; i++) {
		ns = pace_look();
		if (ns > 0 && (pace->best_ns <= 0 || ns < pace->best_ns))
			pace->best_ns = ns;
	}
	return ns;
}

/* Without a thread there is no measurement, and nothing to wait for. */
double
pace_of(const struct pace *pace, double ns)
{
	return ns > 0 && pace->best_ns > 0 ? ns / pace->best_ns : 1;
}

bool
pace_is_full(const struct pace *pace, double ns)
{
	return pace_of(pace, ns) <= PACE_FULL;
}

double
pace_wait_ns(struct pace *pace, double limit_s)
{
	int64_t begin = clock_now_ns();
	double ns;

	do {
		ns = pace_measure_ns(pace);
	} while (!pace_is_full(pace, ns) &&
	    (double)(clock_now_ns() - begin) < limit_s * 1e9);
	return ns;
}
