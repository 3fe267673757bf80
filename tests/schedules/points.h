/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * points.h - the atomic operations as yield points.
 *
 * In the build that explores schedules (TR_SCHEDULES) mailbox/atomic.h and
 * cmake/shim/ck_pr.h take their operations from here; the library's C code is
 * compiled as it is.  Each operation first calls the engine, which may let
 * another logical thread go on, and which says where the operation is to take
 * place: at its address, or in the thread's store buffer.  A value to be
 * stored is computed before, as a machine does it: what a store's operand
 * reads is a point of its own.
 *
 * All logical threads run on one thread of the system, so the orders have no
 * meaning for the machine here.  They do for the engine: relaxed and release
 * stores may be delayed behind later loads, as on x86; what is a locked
 * instruction there drains the buffer.
 *
 * Every use is a site, in a section of its own, so that those that no schedule
 * reaches can be named.
 */
#ifndef TESTS_SCHEDULES_POINTS_H
#define TESTS_SCHEDULES_POINTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct sched_site {
	const char *file;
	const char *op;
	int line;
	unsigned hits;
} __attribute__((aligned(32)));

/* Where to load from, to store to, to change. */
void *sched_load(struct sched_site *site, const volatile void *p, size_t size);
void *sched_store(struct sched_site *site, volatile void *p, size_t size);
void *sched_rmw(struct sched_site *site, volatile void *p, size_t size);
/* A store or a read-modify-write has taken place. */
void sched_written(void);
void sched_fence(void);
/* In a loop that waits for another thread. */
void sched_stall(void);

#define SCHED_SITE(op)                                          \
	__extension__({                                         \
		static struct sched_site site_                  \
		    __attribute__((section("sched_sites"),      \
			used)) = { __FILE__, op, __LINE__, 0 }; \
		&site_;                                         \
	})

/* What an atomic object holds: of its type, but not atomic. */
#define SCHED_VALUE(p) \
	__typeof__(atomic_load_explicit((p), memory_order_relaxed))

#define SCHED_LOAD(op, p)                                                  \
	atomic_load_explicit((__typeof__(&*(p)))sched_load(SCHED_SITE(op), \
				 (p), sizeof(*(p))),                       \
	    memory_order_relaxed)

#define SCHED_STORE(op, p, v)                                                  \
	__extension__({                                                        \
		SCHED_VALUE(p) sched_v_ = (v);                                 \
		atomic_store_explicit((__typeof__(&*(                          \
					  p)))sched_store(SCHED_SITE(op), (p), \
					  sizeof(*(p))),                       \
		    sched_v_, memory_order_relaxed);                           \
		sched_written();                                               \
	})

#define SCHED_RMW(op, fn, p, v)                                              \
	__extension__({                                                      \
		SCHED_VALUE(p) sched_v_ = (v);                               \
		SCHED_VALUE(p)                                               \
		sched_was_ = fn((__typeof__(&*(p)))sched_rmw(SCHED_SITE(op), \
				    (p), sizeof(*(p))),                      \
		    sched_v_, memory_order_relaxed);                         \
		sched_written();                                             \
		sched_was_;                                                  \
	})

#define SCHED_CAS(op, p, expected, v)                                       \
	__extension__({                                                     \
		SCHED_VALUE(p) sched_v_ = (v);                              \
		bool sched_done_ = atomic_compare_exchange_strong_explicit( \
		    (__typeof__(&*(p)))sched_rmw(SCHED_SITE(op), (p),       \
			sizeof(*(p))),                                      \
		    (expected), sched_v_, memory_order_relaxed,             \
		    memory_order_relaxed);                                  \
		sched_written();                                            \
		sched_done_;                                                \
	})

/* ------------------------------------------------- mailbox/atomic.h ----- */

#define tri_load_relaxed(p) SCHED_LOAD("load relaxed", p)
#define tri_load_acquire(p) SCHED_LOAD("load acquire", p)
#define tri_load_seq_cst(p) SCHED_LOAD("load seq_cst", p)

#define tri_store_relaxed(p, v) SCHED_STORE("store relaxed", p, v)
#define tri_store_release(p, v) SCHED_STORE("store release", p, v)

#define tri_exchange_acquire(p, v) \
	SCHED_RMW("exchange acquire", atomic_exchange_explicit, p, v)
#define tri_exchange_acq_rel(p, v) \
	SCHED_RMW("exchange acq_rel", atomic_exchange_explicit, p, v)
#define tri_exchange_seq_cst(p, v) \
	SCHED_RMW("exchange seq_cst", atomic_exchange_explicit, p, v)

#define tri_fetch_add_relaxed(p, v) \
	SCHED_RMW("fetch_add relaxed", atomic_fetch_add_explicit, p, v)
#define tri_fetch_sub_relaxed(p, v) \
	SCHED_RMW("fetch_sub relaxed", atomic_fetch_sub_explicit, p, v)
#define tri_fetch_add_seq_cst(p, v) \
	SCHED_RMW("fetch_add seq_cst", atomic_fetch_add_explicit, p, v)
#define tri_fetch_sub_acq_rel(p, v) \
	SCHED_RMW("fetch_sub acq_rel", atomic_fetch_sub_explicit, p, v)
#define tri_fetch_sub_seq_cst(p, v) \
	SCHED_RMW("fetch_sub seq_cst", atomic_fetch_sub_explicit, p, v)
#define tri_fetch_or_acq_rel(p, v) \
	SCHED_RMW("fetch_or acq_rel", atomic_fetch_or_explicit, p, v)
#define tri_fetch_or_seq_cst(p, v) \
	SCHED_RMW("fetch_or seq_cst", atomic_fetch_or_explicit, p, v)
#define tri_fetch_and_acq_rel(p, v) \
	SCHED_RMW("fetch_and acq_rel", atomic_fetch_and_explicit, p, v)
#define tri_fetch_and_seq_cst(p, v) \
	SCHED_RMW("fetch_and seq_cst", atomic_fetch_and_explicit, p, v)

/* A weak one fails for no reason on other machines only. */
#define tri_cas_acq_rel(p, expected, v) SCHED_CAS("cas acq_rel", p, expected, v)
#define tri_cas_weak_acq_rel(p, expected, v) \
	SCHED_CAS("cas weak acq_rel", p, expected, v)
#define tri_cas_seq_cst(p, expected, v) SCHED_CAS("cas seq_cst", p, expected, v)

#define tri_compiler_fence() ((void)0)

/* -------------------------------------------------- cmake/shim/ck_pr.h -- */

#define TR_SHIM_LOAD(target, size) \
	sched_load(SCHED_SITE("ck load"), (target), (size))
#define TR_SHIM_STORE(target, size) \
	sched_store(SCHED_SITE("ck store"), (target), (size))
#define TR_SHIM_RMW(target)                                                \
	((__typeof__(target))sched_rmw(SCHED_SITE("ck read-modify-write"), \
	    (target), sizeof(unsigned)))
#define TR_SHIM_STORED() sched_written()
#define TR_SHIM_FENCE()  sched_fence()
#define TR_SHIM_STALL()  sched_stall()

#endif /* TESTS_SCHEDULES_POINTS_H */
