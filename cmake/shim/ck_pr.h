/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ck_pr.h - libck's primitives on compiler builtins.
 *
 * libck writes its atomic operations in inline assembly, which no sanitizer
 * can see: ThreadSanitizer then reports each correct use as a race.  Builds
 * with a sanitizer put this folder before libck's in the include path; then
 * ck_ring.h, ck_stack.h, ck_spinlock.h, ck_sequence.h, ck_bitmap.h and
 * ck_backoff.h are compiled on the operations below, unchanged otherwise.
 *
 * Orders: a load acquires, a store releases, a read-modify-write is
 * sequentially consistent.  libck's code orders its relaxed operations with
 * fences; on these stronger ones a fence only has to keep the compiler from
 * reordering, except where a store must be visible before a later load.
 *
 * The feature macros (CK_F_PR_*) are part of the interface: they decide
 * which functions ck_stack.h offers and how the ticket lock is laid out.
 * Left out: double, and the operations on two words, for which ThreadSanitizer
 * has no equal (so ck_stack_pop_mpmc() does not exist here).
 */
#ifndef CK_PR_H
#define CK_PR_H

#include <ck_cc.h>
#include <ck_limits.h>
#include <ck_md.h>
#include <ck_stdbool.h>
#include <ck_stdint.h>

#define TR_CK_SHIM 1

/*
 * Where the build that explores schedules comes in (tests/schedules): it may
 * switch to another thread, and a load or store may go to a store buffer.
 */
#ifdef TR_SCHEDULES
#include "points.h"
#else
#define TR_SHIM_LOAD(target, size)  (target)
#define TR_SHIM_STORE(target, size) (target)
#define TR_SHIM_RMW(target)         (target)
#define TR_SHIM_STORED()            ((void)0)
#define TR_SHIM_FENCE()             ((void)0)
#define TR_SHIM_STALL()             ((void)0)
#endif

/* ------------------------------------------------- barriers and fences --- */

CK_CC_INLINE static void
ck_pr_barrier(void)
{
	__asm__ __volatile__("" ::: "memory");
}

CK_CC_INLINE static void
ck_pr_stall(void)
{
	TR_SHIM_STALL();
#if defined(__x86_64__) || defined(__i386__)
	__asm__ __volatile__("pause" ::: "memory");
#else
	ck_pr_barrier();
#endif
}

/* Assembly, because gcc warns of __atomic_thread_fence() with its TSan. */
CK_CC_INLINE static void
ck_pr_fence_full(void)
{
	TR_SHIM_FENCE();
#if defined(__x86_64__)
	__asm__ __volatile__("lock orl $0, (%%rsp)" ::: "memory", "cc");
#else
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

#define CK_PR_FENCE(name, how)                                   \
	CK_CC_INLINE static void ck_pr_fence_##name(void)        \
	{                                                        \
		how();                                           \
	}                                                        \
	CK_CC_INLINE static void ck_pr_fence_strict_##name(void) \
	{                                                        \
		how();                                           \
	}

CK_PR_FENCE(load_depends, ck_pr_barrier)
CK_PR_FENCE(atomic, ck_pr_barrier)
CK_PR_FENCE(atomic_load, ck_pr_barrier)
CK_PR_FENCE(atomic_store, ck_pr_barrier)
CK_PR_FENCE(store_atomic, ck_pr_barrier)
CK_PR_FENCE(load_atomic, ck_pr_barrier)
CK_PR_FENCE(load_store, ck_pr_barrier)
CK_PR_FENCE(load, ck_pr_barrier)
CK_PR_FENCE(store, ck_pr_barrier)
CK_PR_FENCE(acquire, ck_pr_barrier)
CK_PR_FENCE(release, ck_pr_barrier)
CK_PR_FENCE(acqrel, ck_pr_barrier)
CK_PR_FENCE(lock, ck_pr_barrier)
CK_PR_FENCE(unlock, ck_pr_barrier)
CK_PR_FENCE(store_load, ck_pr_fence_full)
CK_PR_FENCE(memory, ck_pr_fence_full)

#undef CK_PR_FENCE

CK_CC_INLINE static void
ck_pr_rfo(const void *target)
{
	(void)target;
}

/* ------------------------------------------------- loads, stores, swaps --- */

/*
 * S is the suffix, M the type of the object as libck's interface has it (void
 * for pointers), T the type of the value, W the type that is accessed.
 */
#define CK_PR_ACCESS(S, M, T, W)                                               \
	CK_CC_INLINE static T ck_pr_md_load_##S(const M *target)               \
	{                                                                      \
		return __atomic_load_n((const W *)TR_SHIM_LOAD(target,         \
					   sizeof(W)),                         \
		    __ATOMIC_ACQUIRE);                                         \
	}                                                                      \
	CK_CC_INLINE static void ck_pr_md_store_##S(M *target, T value)        \
	{                                                                      \
		__atomic_store_n((W *)TR_SHIM_STORE(target, sizeof(W)),        \
		    (W)value, __ATOMIC_RELEASE);                               \
		TR_SHIM_STORED();                                              \
	}                                                                      \
	CK_CC_INLINE static T ck_pr_fas_##S(M *target, T value)                \
	{                                                                      \
		return __atomic_exchange_n((W *)TR_SHIM_RMW(target), (W)value, \
		    __ATOMIC_SEQ_CST);                                         \
	}                                                                      \
	CK_CC_INLINE static bool ck_pr_cas_##S(M *target, T expected, T value) \
	{                                                                      \
		W seen = (W)expected;                                          \
                                                                               \
		return __atomic_compare_exchange_n((W *)TR_SHIM_RMW(target),   \
		    &seen, (W)value, false, __ATOMIC_SEQ_CST,                  \
		    __ATOMIC_SEQ_CST);                                         \
	}                                                                      \
	CK_CC_INLINE static bool ck_pr_cas_##S##_value(M *target, T expected,  \
	    T value, M *was)                                                   \
	{                                                                      \
		W seen = (W)expected;                                          \
		bool done;                                                     \
                                                                               \
		done = __atomic_compare_exchange_n((W *)TR_SHIM_RMW(target),   \
		    &seen, (W)value, false, __ATOMIC_SEQ_CST,                  \
		    __ATOMIC_SEQ_CST);                                         \
		*(W *)was = seen;                                              \
		return done;                                                   \
	}

/*
 * Pointers come as void *, whatever they point to: the accesses must be
 * allowed to alias.
 */
typedef void *ck_pr_any_ptr __attribute__((__may_alias__));

CK_PR_ACCESS(char, char, char, char)
CK_PR_ACCESS(int, int, int, int)
CK_PR_ACCESS(uint, unsigned int, unsigned int, unsigned int)
CK_PR_ACCESS(ptr, void, void *, ck_pr_any_ptr)
CK_PR_ACCESS(8, uint8_t, uint8_t, uint8_t)
CK_PR_ACCESS(16, uint16_t, uint16_t, uint16_t)
CK_PR_ACCESS(32, uint32_t, uint32_t, uint32_t)
CK_PR_ACCESS(64, uint64_t, uint64_t, uint64_t)

#undef CK_PR_ACCESS

/* The macros that check the types, as in libck. */
#define CK_PR_STORE_SAFE(target, value, S)                                \
	ck_pr_md_store_##S(((void)sizeof(*(target) = (value)), (target)), \
	    (value))

#define ck_pr_load_char(target) ck_pr_md_load_char((target))
#define ck_pr_load_int(target)  ck_pr_md_load_int((target))
#define ck_pr_load_uint(target) ck_pr_md_load_uint((target))
#define ck_pr_load_8(target)    ck_pr_md_load_8((target))
#define ck_pr_load_16(target)   ck_pr_md_load_16((target))
#define ck_pr_load_32(target)   ck_pr_md_load_32((target))
#define ck_pr_load_64(target)   ck_pr_md_load_64((target))
#define ck_pr_load_ptr(target) \
	((CK_CC_TYPEOF(*(target), (void *)))ck_pr_md_load_ptr((target)))

#define ck_pr_store_char(target, value) CK_PR_STORE_SAFE(target, value, char)
#define ck_pr_store_int(target, value)  CK_PR_STORE_SAFE(target, value, int)
#define ck_pr_store_uint(target, value) CK_PR_STORE_SAFE(target, value, uint)
#define ck_pr_store_8(target, value)    CK_PR_STORE_SAFE(target, value, 8)
#define ck_pr_store_16(target, value)   CK_PR_STORE_SAFE(target, value, 16)
#define ck_pr_store_32(target, value)   CK_PR_STORE_SAFE(target, value, 32)
#define ck_pr_store_64(target, value)   CK_PR_STORE_SAFE(target, value, 64)
#define ck_pr_store_ptr(target, value)  CK_PR_STORE_SAFE(target, value, ptr)
#define ck_pr_store_ptr_unsafe(target, value) \
	ck_pr_md_store_ptr((target), (value))

/* ---------------------------------------------------------- arithmetic --- */

#define CK_PR_BINARY(S, T, name, builtin)                               \
	CK_CC_INLINE static void ck_pr_##name##_##S(T *target, T value) \
	{                                                               \
		(void)__atomic_##builtin(TR_SHIM_RMW(target), value,    \
		    __ATOMIC_SEQ_CST);                                  \
	}

#define CK_PR_UNARY(S, T, name, builtin)                                 \
	CK_CC_INLINE static void ck_pr_##name##_##S(T *target)           \
	{                                                                \
		(void)__atomic_##builtin(TR_SHIM_RMW(target), 1,         \
		    __ATOMIC_SEQ_CST);                                   \
	}                                                                \
	CK_CC_INLINE static bool ck_pr_##name##_##S##_is_zero(T *target) \
	{                                                                \
		return __atomic_##builtin(TR_SHIM_RMW(target), 1,        \
			   __ATOMIC_SEQ_CST) == 0;                       \
	}                                                                \
	CK_CC_INLINE static void ck_pr_##name##_##S##_zero(T *target,    \
	    bool *zero)                                                  \
	{                                                                \
		*zero = ck_pr_##name##_##S##_is_zero(target);            \
	}

#define CK_PR_ARITHMETIC(S, T)                                        \
	CK_CC_INLINE static T ck_pr_faa_##S(T *target, T value)       \
	{                                                             \
		return __atomic_fetch_add(TR_SHIM_RMW(target), value, \
		    __ATOMIC_SEQ_CST);                                \
	}                                                             \
	CK_PR_BINARY(S, T, add, fetch_add)                            \
	CK_PR_BINARY(S, T, sub, fetch_sub)                            \
	CK_PR_BINARY(S, T, and, fetch_and)                            \
	CK_PR_BINARY(S, T, or, fetch_or)                              \
	CK_PR_BINARY(S, T, xor, fetch_xor)                            \
	CK_PR_UNARY(S, T, inc, add_fetch)                             \
	CK_PR_UNARY(S, T, dec, sub_fetch)

CK_PR_ARITHMETIC(char, char)
CK_PR_ARITHMETIC(int, int)
CK_PR_ARITHMETIC(uint, unsigned int)
CK_PR_ARITHMETIC(8, uint8_t)
CK_PR_ARITHMETIC(16, uint16_t)
CK_PR_ARITHMETIC(32, uint32_t)
CK_PR_ARITHMETIC(64, uint64_t)

#undef CK_PR_ARITHMETIC
#undef CK_PR_UNARY
#undef CK_PR_BINARY

/* Test a bit and set, reset or complement it; the bit as it was. */
#define CK_PR_BIT(S, T, name, builtin, mask)                               \
	CK_CC_INLINE static bool ck_pr_##name##_##S(T *target,             \
	    unsigned int bit)                                              \
	{                                                                  \
		const T one = (T)((T)1 << bit);                            \
                                                                           \
		return (__atomic_##builtin(TR_SHIM_RMW(target), (T)(mask), \
			    __ATOMIC_SEQ_CST) &                            \
			   one) != 0;                                      \
	}

#define CK_PR_BITS(S, T)                      \
	CK_PR_BIT(S, T, bts, fetch_or, one)   \
	CK_PR_BIT(S, T, btr, fetch_and, ~one) \
	CK_PR_BIT(S, T, btc, fetch_xor, one)

CK_PR_BITS(uint, unsigned int)
CK_PR_BITS(16, uint16_t)
CK_PR_BITS(32, uint32_t)
CK_PR_BITS(64, uint64_t)

#undef CK_PR_BITS
#undef CK_PR_BIT

/* ------------------------------------------------------- feature macros --- */

#define CK_F_PR_LOAD_CHAR
#define CK_F_PR_STORE_CHAR
#define CK_F_PR_FAS_CHAR
#define CK_F_PR_CAS_CHAR
#define CK_F_PR_CAS_CHAR_VALUE
#define CK_F_PR_LOAD_INT
#define CK_F_PR_STORE_INT
#define CK_F_PR_FAS_INT
#define CK_F_PR_CAS_INT
#define CK_F_PR_CAS_INT_VALUE
#define CK_F_PR_LOAD_UINT
#define CK_F_PR_STORE_UINT
#define CK_F_PR_FAS_UINT
#define CK_F_PR_CAS_UINT
#define CK_F_PR_CAS_UINT_VALUE
#define CK_F_PR_LOAD_PTR
#define CK_F_PR_STORE_PTR
#define CK_F_PR_FAS_PTR
#define CK_F_PR_CAS_PTR
#define CK_F_PR_CAS_PTR_VALUE
#define CK_F_PR_LOAD_8
#define CK_F_PR_STORE_8
#define CK_F_PR_FAS_8
#define CK_F_PR_CAS_8
#define CK_F_PR_CAS_8_VALUE
#define CK_F_PR_LOAD_16
#define CK_F_PR_STORE_16
#define CK_F_PR_FAS_16
#define CK_F_PR_CAS_16
#define CK_F_PR_CAS_16_VALUE
#define CK_F_PR_LOAD_32
#define CK_F_PR_STORE_32
#define CK_F_PR_FAS_32
#define CK_F_PR_CAS_32
#define CK_F_PR_CAS_32_VALUE
#define CK_F_PR_LOAD_64
#define CK_F_PR_STORE_64
#define CK_F_PR_FAS_64
#define CK_F_PR_CAS_64
#define CK_F_PR_CAS_64_VALUE
#define CK_F_PR_FAA_CHAR
#define CK_F_PR_ADD_CHAR
#define CK_F_PR_SUB_CHAR
#define CK_F_PR_AND_CHAR
#define CK_F_PR_OR_CHAR
#define CK_F_PR_XOR_CHAR
#define CK_F_PR_INC_CHAR
#define CK_F_PR_DEC_CHAR
#define CK_F_PR_INC_CHAR_ZERO
#define CK_F_PR_DEC_CHAR_ZERO
#define CK_F_PR_FAA_INT
#define CK_F_PR_ADD_INT
#define CK_F_PR_SUB_INT
#define CK_F_PR_AND_INT
#define CK_F_PR_OR_INT
#define CK_F_PR_XOR_INT
#define CK_F_PR_INC_INT
#define CK_F_PR_DEC_INT
#define CK_F_PR_INC_INT_ZERO
#define CK_F_PR_DEC_INT_ZERO
#define CK_F_PR_FAA_UINT
#define CK_F_PR_ADD_UINT
#define CK_F_PR_SUB_UINT
#define CK_F_PR_AND_UINT
#define CK_F_PR_OR_UINT
#define CK_F_PR_XOR_UINT
#define CK_F_PR_INC_UINT
#define CK_F_PR_DEC_UINT
#define CK_F_PR_INC_UINT_ZERO
#define CK_F_PR_DEC_UINT_ZERO
#define CK_F_PR_FAA_8
#define CK_F_PR_ADD_8
#define CK_F_PR_SUB_8
#define CK_F_PR_AND_8
#define CK_F_PR_OR_8
#define CK_F_PR_XOR_8
#define CK_F_PR_INC_8
#define CK_F_PR_DEC_8
#define CK_F_PR_INC_8_ZERO
#define CK_F_PR_DEC_8_ZERO
#define CK_F_PR_FAA_16
#define CK_F_PR_ADD_16
#define CK_F_PR_SUB_16
#define CK_F_PR_AND_16
#define CK_F_PR_OR_16
#define CK_F_PR_XOR_16
#define CK_F_PR_INC_16
#define CK_F_PR_DEC_16
#define CK_F_PR_INC_16_ZERO
#define CK_F_PR_DEC_16_ZERO
#define CK_F_PR_FAA_32
#define CK_F_PR_ADD_32
#define CK_F_PR_SUB_32
#define CK_F_PR_AND_32
#define CK_F_PR_OR_32
#define CK_F_PR_XOR_32
#define CK_F_PR_INC_32
#define CK_F_PR_DEC_32
#define CK_F_PR_INC_32_ZERO
#define CK_F_PR_DEC_32_ZERO
#define CK_F_PR_FAA_64
#define CK_F_PR_ADD_64
#define CK_F_PR_SUB_64
#define CK_F_PR_AND_64
#define CK_F_PR_OR_64
#define CK_F_PR_XOR_64
#define CK_F_PR_INC_64
#define CK_F_PR_DEC_64
#define CK_F_PR_INC_64_ZERO
#define CK_F_PR_DEC_64_ZERO
#define CK_F_PR_BTS_UINT
#define CK_F_PR_BTR_UINT
#define CK_F_PR_BTC_UINT
#define CK_F_PR_BTS_16
#define CK_F_PR_BTR_16
#define CK_F_PR_BTC_16
#define CK_F_PR_BTS_32
#define CK_F_PR_BTR_32
#define CK_F_PR_BTC_32
#define CK_F_PR_BTS_64
#define CK_F_PR_BTR_64
#define CK_F_PR_BTC_64
#define CK_F_PR_BARRIER
#define CK_F_PR_STALL
#define CK_F_PR_RFO

#endif /* CK_PR_H */
