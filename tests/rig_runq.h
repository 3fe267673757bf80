/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A run queue by itself, as its owner uses it (sched/worker.c, sched/share.c).
 */
#ifndef TROUPE_TESTS_RIG_RUNQ_H
#define TROUPE_TESTS_RIG_RUNQ_H

#include "sched/runq.h"

/* What was there goes behind the others: true if there was such a one. */
static inline bool
rig_push_next(struct tri_runq *q, tri_word word)
{
	tri_word before = tri_runq_replace_next(q, word);

	if (before != 0)
		tri_runq_push_back(q, before);
	return before != 0;
}

static inline tri_word
rig_pop(struct tri_runq *q)
{
	tri_word word = tri_runq_pop_next(q);

	if (word != 0)
		return word;
	tri_runq_turn(q, false);
	return tri_runq_pop_slow(q);
}

#endif
