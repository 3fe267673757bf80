/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is owed: turns of those who come behind a handler that took long.
 *
 * Everybody has a turn of so many messages, 200 us at most; but a handler that
 * takes ms has them.  If it sends a hundred thousand messages in that time, and
 * whoever gets them has a turn of 128 after all the others that send as many, then
 * the backlog leaves the cache long before it is handled, and grows without
 * bound.  So the one with a backlog that runs behind such a handler is owed twice
 * the time that it took, up to OWED_MAX_NS:
 *
 * - until then it runs again and again, turn by turn, so the worker polls in
 *   between, counts, and lets others have work as ever;
 * - after that it waits for one other only (tri_runq_push_soon), which may be
 *   the next of those handlers, for which it is owed again.
 *
 * Others wait three times as long for their turns as they would behind those
 * handlers alone, at most; what they send is handled all the sooner.  Nobody is
 * owed his own handler's time: who takes long himself has turns like all others.
 *
 * Who was stolen has waited in another worker's queue, for what is not known; it
 * is owed nothing, but comes after one other, too.  And one that is the only one
 * to have anything to do stays where it is, in `next`, where others only take it
 * from a worker that is stuck: somebody who is idle would get it, and this worker
 * would be.
 *
 * Measured (micro/nto1, ns for a message, and the memory of the backlog): with one
 * worker 25 to 12 and 400 MB to 60, with two 33 to 25.
 */
#include "sched/sched.h"

#define OWED_MAX_NS (INT64_C(10) * 1000 * 1000)

void
tri_owe_took(struct tri_worker *w, int64_t ns, tri_word by)
{
	if (ns <= TRI_BATCH_NS)
		return;
	w->owed.took_ns = ns;
	w->owed.by = by;
}

void
tri_owe_begin(struct tri_worker *w, tri_word word)
{
	struct tri_owed *o = &w->owed;
	int64_t ns = 2 * o->took_ns;

	if (ns == 0 || o->by == word)
		return;
	/* It may have been a poll: long ones shall not keep it going for ever. */
	if (o->by == 0 && o->to == word && w->now < o->until)
		return;
	o->took_ns = 0;
	o->to = word;
	o->until = w->now + (ns < OWED_MAX_NS ? ns : OWED_MAX_NS);
}

void
tri_owe_stolen(struct tri_worker *w, tri_word word)
{
	w->owed.to = word;
	w->owed.until = w->now;
}

bool
tri_owe_pushes(struct tri_worker *w, tri_word word, void *note)
{
	struct tri_owed *o = &w->owed;
	bool owed = o->to == word, alone = !tri_sched_waits(w);

	if (!owed && !alone)
		return false;
	if (alone ||
	    (w->now < o->until && tri_next_is_free(&w->q.next) &&
		!tri_sched_is_wanted(w->sched))) {
		tri_sched_push_noted(w, word, note, false);
		w->q.next_left = TRI_NEXT_USES;
		return true;
	}
	o->to = 0;
	tri_runq_push_soon(&w->q, word);
	tri_park_work_pushed(w->sched);
	return true;
}
