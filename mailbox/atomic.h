/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Atomics whose name carries the order.
 *
 * Every atomic of the library goes through these, so that one build can turn
 * them into the yield points of a scheduler that explores interleavings, and
 * so that a reader sees the order where the operation is.  There is no
 * stand-alone fence but the compiler's: ThreadSanitizer cannot see one.  Each
 * use names its pair in a comment.
 *
 * The objects are C11 _Atomic; libck's own structures are never touched with
 * these, nor ours with libck's operations.
 */
#ifndef TROUPE_MAILBOX_ATOMIC_H
#define TROUPE_MAILBOX_ATOMIC_H

#include <stdatomic.h>

#ifdef TR_SCHEDULES

#include "points.h" /* the same names, each a yield point: tests/schedules */

#else

#define tri_load_relaxed(p) atomic_load_explicit((p), memory_order_relaxed)
#define tri_load_acquire(p) atomic_load_explicit((p), memory_order_acquire)
#define tri_load_seq_cst(p) atomic_load_explicit((p), memory_order_seq_cst)

#define tri_store_relaxed(p, v) \
	atomic_store_explicit((p), (v), memory_order_relaxed)
#define tri_store_release(p, v) \
	atomic_store_explicit((p), (v), memory_order_release)

#define tri_exchange_acquire(p, v) \
	atomic_exchange_explicit((p), (v), memory_order_acquire)
#define tri_exchange_acq_rel(p, v) \
	atomic_exchange_explicit((p), (v), memory_order_acq_rel)
#define tri_exchange_seq_cst(p, v) \
	atomic_exchange_explicit((p), (v), memory_order_seq_cst)

#define tri_fetch_add_relaxed(p, v) \
	atomic_fetch_add_explicit((p), (v), memory_order_relaxed)
#define tri_fetch_sub_relaxed(p, v) \
	atomic_fetch_sub_explicit((p), (v), memory_order_relaxed)
#define tri_fetch_add_seq_cst(p, v) \
	atomic_fetch_add_explicit((p), (v), memory_order_seq_cst)
#define tri_fetch_sub_acq_rel(p, v) \
	atomic_fetch_sub_explicit((p), (v), memory_order_acq_rel)
#define tri_fetch_sub_seq_cst(p, v) \
	atomic_fetch_sub_explicit((p), (v), memory_order_seq_cst)
#define tri_fetch_or_acq_rel(p, v) \
	atomic_fetch_or_explicit((p), (v), memory_order_acq_rel)
#define tri_fetch_or_seq_cst(p, v) \
	atomic_fetch_or_explicit((p), (v), memory_order_seq_cst)
#define tri_fetch_and_acq_rel(p, v) \
	atomic_fetch_and_explicit((p), (v), memory_order_acq_rel)
#define tri_fetch_and_seq_cst(p, v) \
	atomic_fetch_and_explicit((p), (v), memory_order_seq_cst)

/* Compare and swap; a failure loads *expected, with acquire. */
#define tri_cas_acq_rel(p, expected, v)                               \
	atomic_compare_exchange_strong_explicit((p), (expected), (v), \
	    memory_order_acq_rel, memory_order_acquire)
#define tri_cas_weak_acq_rel(p, expected, v)                        \
	atomic_compare_exchange_weak_explicit((p), (expected), (v), \
	    memory_order_acq_rel, memory_order_acquire)
#define tri_cas_seq_cst(p, expected, v)                               \
	atomic_compare_exchange_strong_explicit((p), (expected), (v), \
	    memory_order_seq_cst, memory_order_seq_cst)

/* What is before it in the program is not moved behind it by the compiler; the
 * machine may.  One half of an asymmetric fence: sched/next.h. */
#define tri_compiler_fence() atomic_signal_fence(memory_order_seq_cst)

#endif /* TR_SCHEDULES */

/*
 * A counter with one writer: a plain increment that others may read.  Not a
 * read-modify-write.
 */
#define tri_count(p, n) tri_store_relaxed((p), tri_load_relaxed(p) + (n))

#endif
