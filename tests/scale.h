/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scale.h - the one table of test sizes per kind of build.
 *
 * A stress test says how much it does in a plain build; under a sanitizer it
 * does as much as takes about the same time: ThreadSanitizer costs 20 to 40
 * times, AddressSanitizer 2 to 3 times.
 *
 *     enum { ROUNDS = TEST_SCALE(1000000) };
 */
#ifndef TESTS_SCALE_H
#define TESTS_SCALE_H

#if defined(__SANITIZE_THREAD__)
#define TEST_TSAN 1
#elif defined(__SANITIZE_ADDRESS__)
#define TEST_ASAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TEST_TSAN 1
#elif __has_feature(address_sanitizer)
#define TEST_ASAN 1
#endif
#endif

#if defined(TEST_TSAN)
#define TEST_SCALE_DIVISOR 20
#elif defined(TEST_ASAN)
#define TEST_SCALE_DIVISOR 3
#else
#define TEST_SCALE_DIVISOR 1
#endif

/* A constant expression when n is one; at least 1. */
#define TEST_SCALE(n) \
	((n) / TEST_SCALE_DIVISOR > 0 ? (n) / TEST_SCALE_DIVISOR : 1)

#endif /* TESTS_SCALE_H */
