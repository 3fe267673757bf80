/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buffer.h - the store buffer of a logical thread.
 *
 * Memory is what the running thread sees: also the plain accesses of libck's
 * ring to its own tail have to see its own stores.  So delayed stores are
 * undone when their thread is left, and done again when it is entered.
 */
#ifndef TESTS_SCHEDULES_BUFFER_H
#define TESTS_SCHEDULES_BUFFER_H

#include <stddef.h>
#include <stdint.h>

enum { SCHED_BUFFERED = 16 };

/* A store that its thread alone sees yet. */
struct sched_delayed {
	void *p;
	uint64_t value; /* while the thread does not run */
	uint64_t before; /* while it does: what the others see */
	size_t size;
};

/* In the order of the program. */
struct sched_buffer {
	struct sched_delayed store[SCHED_BUFFERED];
	unsigned first, count;
};

/* Its thread is left, entered. */
void sched_buffer_leave(struct sched_buffer *b);
void sched_buffer_enter(struct sched_buffer *b);

/* The running thread is about to store to p; others see it later. */
void sched_buffer_add(struct sched_buffer *b, void *p, size_t size);

/* Others see the oldest store now; of the running thread. */
void sched_buffer_drop(struct sched_buffer *b);
/* Of another thread; `running`: the running one's, or NULL. */
void sched_buffer_arrive(struct sched_buffer *b, struct sched_buffer *running);

#endif /* TESTS_SCHEDULES_BUFFER_H */
