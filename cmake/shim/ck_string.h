/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ck_string.h - memcpy() as ck_ring.h needs it under a sanitizer.
 *
 * A consumer of an SPMC ring copies the slot first and then claims it with a
 * CAS; when it loses the CAS it may have read a slot that was being written,
 * and throws the copy away.  That is harmless on real machines and still a
 * data race, so here the copy is made of relaxed atomic words.  What the slot
 * points to stays ordered by the ring's counters only: a real race is found.
 *
 * mailbox/ck.h takes the macro back after <ck_ring.h>.
 */
#ifndef CK_STRING_H
#define CK_STRING_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <ck_pr.h>

typedef uintptr_t tr_shim_word __attribute__((__may_alias__));

static inline void *
tr_shim_copy(void *to, const void *from, size_t size)
{
	const size_t word = sizeof(tr_shim_word);
	size_t at = 0;

	from = TR_SHIM_LOAD(from, size);
	if ((((uintptr_t)to | (uintptr_t)from | size) & (word - 1)) == 0) {
		for (; at < size; at += word) {
			tr_shim_word value = __atomic_load_n(
			    (const tr_shim_word *)((const char *)from + at),
			    __ATOMIC_RELAXED);

			__atomic_store_n((tr_shim_word *)((char *)to + at),
			    value, __ATOMIC_RELAXED);
		}
	}
	for (; at < size; at++) {
		char value =
		    __atomic_load_n((const char *)from + at, __ATOMIC_RELAXED);

		__atomic_store_n((char *)to + at, value, __ATOMIC_RELAXED);
	}
	return to;
}

#define memcpy(to, from, size) tr_shim_copy((to), (from), (size))

#endif /* CK_STRING_H */
