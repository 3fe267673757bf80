/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every file of the library needs: alignment, branch hints, assertions.
 *
 * TR_ASSERT is always on and O(1).  TR_DASSERT is for debug builds
 * (TR_DEBUG_ASSERTS).  Neither may have a side effect.
 */
#ifndef TROUPE_MAILBOX_BASE_H
#define TROUPE_MAILBOX_BASE_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TRI_LINE = 64 }; /* bytes of a cache line */

#define TRI_LIKELY(x)   __builtin_expect(!!(x), 1)
#define TRI_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define TRI_HOT         static inline __attribute__((always_inline))
#define TRI_COLD        __attribute__((cold, noinline))

/* Fetch a line that is going to be written soon.  The builtin alone asks for
 * it to be read, unless the compiler may use newer instructions. */
#ifdef __x86_64__
#define tri_fetch_to_write(p) \
	__asm__ volatile("prefetchw %0" : : "m"(*(const char *)(p)))
#else
#define tri_fetch_to_write(p) __builtin_prefetch((const void *)(p), 1)
#endif

#define tri_container_of(p, type, member) \
	((type *)(void *)((char *)(p)-offsetof(type, member)))

/* A line on stderr: the first of a panic. */
void tri_complain(const char *format, ...)
    __attribute__((cold, format(printf, 1, 2)));
/* End the process with a message on stderr: a programmer's error. */
void tri_panic(const char *format, ...)
    __attribute__((noreturn, cold, format(printf, 1, 2)));

#define TR_ASSERT(x)                                                          \
	(TRI_LIKELY(x) ? (void)0 :                                            \
			 tri_panic("troupe: %s:%d: %s: assertion failed: %s", \
			     __FILE__, __LINE__, __func__, #x))

#ifdef TR_DEBUG_ASSERTS
#define TR_DASSERT(x) TR_ASSERT(x)
#else
#define TR_DASSERT(x) ((void)sizeof(!(x)))
#endif

#endif
