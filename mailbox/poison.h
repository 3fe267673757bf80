/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Telling AddressSanitizer what is free: memory that stays with a pool is still
 * mapped, so a use after its free would go unseen.  Nothing in other builds.
 */
#ifndef TROUPE_MAILBOX_POISON_H
#define TROUPE_MAILBOX_POISON_H

#if defined(__SANITIZE_ADDRESS__)
#define TRI_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TRI_ASAN 1
#endif
#endif

#ifdef TRI_ASAN
#include <sanitizer/asan_interface.h>

#define tri_poison(p, size)   ASAN_POISON_MEMORY_REGION((p), (size))
#define tri_unpoison(p, size) ASAN_UNPOISON_MEMORY_REGION((p), (size))
#else
#define tri_poison(p, size)   ((void)(p), (void)(size))
#define tri_unpoison(p, size) ((void)(p), (void)(size))
#endif

#endif
