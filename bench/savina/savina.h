/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * savina.h - what the suite's programs share.
 *
 * Savina (Imam and Sarkar, "Savina: an actor benchmark suite", AGERE 2014) is
 * thirty programs, described by the code of its implementations.  Here each is
 * a file that defines `const struct bench_case savina_NAME`; so do their kin,
 * programs of the same sort from elsewhere.
 *
 * The random numbers are those of the original, so that the same seed makes the
 * same work.
 */
#ifndef BENCH_SAVINA_H
#define BENCH_SAVINA_H

#include "bench.h"

/** The suites' names. */
#define SAVINA_SUITE "savina"
#define SAVINA_KIN   "kin"

/** The groups of the suite. */
#define SAVINA_MESSAGES    "messages" /* its numbers 1 to 8 */
#define SAVINA_CONCURRENCY "concurrency" /* 9 to 16 */
#define SAVINA_PARALLELISM "parallelism" /* 17 to 30 */

/** The suite's own generator (edu.rice.habanero.benchmarks.PseudoRandom). */
struct savina_random {
	uint64_t value;
};

#define SAVINA_SEED 74755

/** The next number, 0 to 65535. */
static inline uint32_t
savina_random_next(struct savina_random *r)
{
	r->value = (r->value * 1309 + 13849) & 65535;
	return (uint32_t)r->value;
}

/** java.util.Random. */
struct savina_java_random {
	uint64_t state;
};

/** new Random(seed). */
static inline struct savina_java_random
savina_java_random(int64_t seed)
{
	return (struct savina_java_random){ ((uint64_t)seed ^
						UINT64_C(0x5deece66d)) &
		((UINT64_C(1) << 48) - 1) };
}

/** next(bits), `bits` from 1 to 32. */
static inline uint32_t
savina_java_bits(struct savina_java_random *r, unsigned bits)
{
	r->state = (r->state * UINT64_C(0x5deece66d) + 0xb) &
	    ((UINT64_C(1) << 48) - 1);
	return (uint32_t)(r->state >> (48 - bits));
}

/** nextInt(bound), `bound` from 1 to 2^31 - 1. */
static inline uint32_t
savina_java_below(struct savina_java_random *r, uint32_t bound)
{
	uint32_t bits = savina_java_bits(r, 31);
	uint32_t value;

	if ((bound & (bound - 1)) == 0)
		return (uint32_t)(((uint64_t)bound * bits) >> 31);
	while (value = bits % bound, bits - value + (bound - 1) >= 1U << 31)
		bits = savina_java_bits(r, 31);
	return value;
}

/** nextLong(). */
static inline int64_t
savina_java_long(struct savina_java_random *r)
{
	uint64_t high = (uint64_t)savina_java_bits(r, 32) << 32;

	return (int64_t)(high +
	    (uint64_t)(int64_t)(int32_t)savina_java_bits(r, 32));
}

/** nextDouble(): 0 to below 1. */
static inline double
savina_java_double(struct savina_java_random *r)
{
	uint64_t high = (uint64_t)savina_java_bits(r, 26) << 27;

	return (double)(high + savina_java_bits(r, 27)) * 0x1p-53;
}

#endif /* BENCH_SAVINA_H */
