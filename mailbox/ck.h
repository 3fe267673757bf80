/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ck.h - the one door to libck (Concurrency Kit).
 *
 * What is used, header-only, and for what:
 *
 *   ck_ring      SPMC: a worker's run queue; the owner enqueues, anyone
 *                dequeues
 *   ck_stack     push_upmc and batch_pop_upmc: inboxes with many writers and
 *                one reader.  Never pop_mpmc, least of all mixed with
 *                batch_pop_mpmc: the packaged versions get that wrong
 *   ck_spinlock  cold tables and overflow lists, held for a few lines
 *   ck_backoff   between two tries of the same thing
 *   ck_pr_stall  in a loop that spins
 *
 * Objects of these types are touched by libck's functions only, never by
 * those of atomic.h.  Builds with a sanitizer find cmake/shim/ck_pr.h and
 * ck_string.h before libck's own; see there.
 */
#ifndef TROUPE_MAILBOX_CK_H
#define TROUPE_MAILBOX_CK_H

#include <stdbool.h>
#include <stddef.h>

#include <ck_backoff.h>
#include <ck_pr.h>
#include <ck_ring.h>
#include <ck_spinlock.h>
#include <ck_stack.h>

/* The shim's memcpy() is meant for the functions of ck_ring.h alone. */
#ifdef TR_CK_SHIM
#undef memcpy
#endif

/*
 * Whether nothing was pushed.  CK_STACK_ISEMPTY is a plain load; this is an
 * atomic one, which on x86 is not moved before the caller's own
 * read-modify-write.
 */
static inline bool
tri_stack_is_empty(ck_stack_t *stack)
{
	return ck_pr_load_ptr(&stack->head) == NULL;
}

#endif /* TROUPE_MAILBOX_CK_H */
