/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buffer.c - see buffer.h.
 */
#include "buffer.h"

#include <string.h>

static struct sched_delayed *
buffer_at(struct sched_buffer *b, unsigned i)
{
	return &b->store[(b->first + i) % SCHED_BUFFERED];
}

void
sched_buffer_leave(struct sched_buffer *b)
{
	/* The newest first: an older one to the same place comes back. */
	for (unsigned i = b->count; i > 0; i--) {
		struct sched_delayed *d = buffer_at(b, i - 1);

		memcpy(&d->value, d->p, d->size);
		memcpy(d->p, &d->before, d->size);
	}
}

void
sched_buffer_enter(struct sched_buffer *b)
{
	for (unsigned i = 0; i < b->count; i++) {
		struct sched_delayed *d = buffer_at(b, i);

		memcpy(&d->before, d->p, d->size);
		memcpy(d->p, &d->value, d->size);
	}
}

void
sched_buffer_add(struct sched_buffer *b, void *p, size_t size)
{
	struct sched_delayed *d = buffer_at(b, b->count++);

	*d = (struct sched_delayed){ .p = p, .size = size };
	memcpy(&d->before, p, size);
}

void
sched_buffer_drop(struct sched_buffer *b)
{
	b->first++;
	b->count--;
}

void
sched_buffer_arrive(struct sched_buffer *b, struct sched_buffer *running)
{
	struct sched_delayed *d = buffer_at(b, 0);
	void *to = d->p;

	/* The running thread goes on seeing its own store. */
	for (unsigned i = 0; running != NULL && i < running->count; i++)
		if (buffer_at(running, i)->p == d->p) {
			to = &buffer_at(running, i)->before;
			break;
		}
	memcpy(to, &d->value, d->size);
	sched_buffer_drop(b);
}
