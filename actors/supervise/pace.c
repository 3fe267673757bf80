/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How often children may fail, and how long they wait for their restart.
 *
 * The window slides: with n restarts allowed in a period, one more is too many
 * if the n-th before it is no older than the period.  So the last n times are
 * all there is to remember.
 */
#include "actors/supervise/supervise.h"

enum { STEP_MAX = 62 };

bool
tri_window_init(struct tri_window *w, const struct tri_memory *memory,
    uint32_t size, int64_t period_ns)
{
	*w = (struct tri_window){ .size = size, .period_ns = period_ns };
	if (size == 0)
		return true;
	w->at = tri_memory_alloc(memory, size * sizeof(*w->at),
	    "supervisor window");
	return w->at != NULL;
}

void
tri_window_fini(struct tri_window *w, const struct tri_memory *memory)
{
	if (w->at != NULL)
		memory->free(memory->ctx, w->at);
	w->at = NULL;
}

bool
tri_window_add(struct tri_window *w, int64_t now)
{
	if (w->size == 0)
		return false;
	if (w->count < w->size) {
		w->at[w->count++] = now;
		return true;
	}
	if (now - w->at[w->oldest] <= w->period_ns)
		return false;
	w->at[w->oldest] = now;
	w->oldest = w->oldest + 1 < w->size ? w->oldest + 1 : 0;
	return true;
}

/* min_ns, doubled so often, and at most max_ns. */
static int64_t
backoff_base(const struct tr_backoff *b, unsigned step)
{
	int64_t most = b->max_ns > b->min_ns ? b->max_ns : b->min_ns;

	/* Compared shifted down, for shifted up it might overflow. */
	return b->min_ns > most >> step ? most : b->min_ns << step;
}

int64_t
tri_backoff_next(const struct tr_backoff *b, uint8_t *step, uint64_t random)
{
	int64_t delay = backoff_base(b, *step), extra;

	if (*step < STEP_MAX)
		++*step;
	extra = delay / 100 * b->jitter_percent +
	    delay % 100 * b->jitter_percent / 100;
	if (extra > 0)
		extra = (int64_t)(random % ((uint64_t)extra + 1));
	return tri_time_after(delay, extra);
}

bool
tri_backoff_is_over(const struct tr_backoff *b, int64_t ran_ns)
{
	int64_t reset = b->reset_ns;

	if (reset == 0)
		reset = b->max_ns > 0 ? b->max_ns : b->min_ns;
	return ran_ns >= reset;
}
