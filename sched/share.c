/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sharing: which words a worker queues for itself, and when others get them.
 *
 * Each word in a queue that others steal from costs its owner two locked
 * instructions, in vain as long as nobody steals.  So a worker that is alone,
 * for there is no other, or all others are aside (throttle.c), has a second
 * queue, of its own (reserve.h); thieves do not look into it, the owner looks
 * whether there are thieves.  Acar, Charguéraud and Rainey have found that to be
 * as fast as deques that thieves come to ("Scheduling Parallel Programs by Work
 * Stealing with Private Deques", PPoPP 2013); here, with batches of 128
 * messages between two looks, it was 5 to 20 % slower where workers steal from
 * each other all the time, so then there is none.  What is more, the owner can go
 * on giving messages to actors that wait there, with plain stores
 * (actors/send.h).
 *
 * - A word waits there if it has a note: its pushers know which message of it
 *   is the newest.  And only as long as few are in the queue for all: of a
 *   thousand that talk hardly one would find its place, and two queues are worse
 *   for the cache than one.
 * - Before each batch, and at each push, the owner looks for workers that are
 *   idle, or search.  If there are, it moves all that waits to the queue for
 *   all, wakes one of them as ever (park.c), and leaves that queue open until it
 *   polls: they will be back soon.  A look that comes too early is made up for
 *   by the next; and one who sends all the time in one long handler
 *   (flood.c) does not look while that lasts.
 * - Who is in a handler may get to be alone, for the others step aside because of
 *   it, and not know.  So whoever does says so (`yielded`), and a send that goes
 *   the long way, for others may take its receiver, is the moment to look: then
 *   as few as may wait for the worker are withdrawn from the queue for all, and
 *   what it sends to those has the short way from there on (nto1 of bench/micro
 *   with two workers: 26 to 21 ns).
 *   And so they are if others find that the handler floods them (flood.c).
 * - One whose handlers take long does not look often enough, and neither, maybe,
 *   one that has just begun: it queues for all, if there are others.  If a
 *   handler takes long unexpectedly, the watch takes from the places.
 *
 * What is in both queues is run in turns, so neither starves the other.
 *
 * HOT WORDS.  An actor whose turn is over, but not its work, waits behind the
 * others, and where those are few and quick a thief finds it alone in the queue.
 * If its turn took long its data are in this core's cache, as a rule, and whoever
 * takes it fetches them from there; and it would have gone on here at once.  So
 * for HOT_NS, or some looks, thieves leave it alone, if nothing else waits; it is
 * what Linux's scheduler calls cache-hot (sched_migration_cost).  A worker that gets
 * stuck in between is the watch's affair, as ever.  The sorted list of the suite (concsll),
 * of half a MB, with two workers: 25.1 to 22.6 us, and 19 with one.
 *
 * NEW WORDS, that have never run, wait in a stack, also where a worker is not
 * alone, and the newest goes first: who spawns some, which spawn some, has a tree
 * of them run depth first.  So there are as many at a time as the tree is deep,
 * and they are in the cache, where breadth first there would be all of a level.
 * Thieves get the oldest, the largest part of the tree, seldom.  That is how
 * fork/join is scheduled since Blumofe and Leiserson ("Scheduling Multithreaded
 * Computations by Work Stealing", J. ACM 46, 1999); among actors, which owe each
 * other fairness, it is for those that nobody has heard of yet.  They and `next`
 * go first for so many turns in a row (runq.h); among the others' turns are those
 * of the oldest of them.  What has no room in the stack goes to the queue for all by
 * halves, the oldest first, for the price of one word.
 *
 * With two workers fib of bench/micro took 105 ns before that and 47 after it,
 * skynet of the suite's kin 140 and 41.
 */
#include "sched/sched.h"

#define HOT_NS (INT64_C(50) * 1000)

/* Up to half of the new ones, the oldest, to the queue for all. */
static void
share_spills(struct tri_worker *w)
{
	tri_word words[TRI_RESERVE_STACK / 2];
	unsigned n = 0;
	void *note;

	while (n < TRI_RESERVE_STACK / 2 &&
	    (words[n] = tri_reserve_pop_oldest(&w->reserve, &note)) != 0)
		n++;
	tri_runq_push_many(&w->q, words, n);
	tri_park_work_pushed(w->sched);
}

/* From now on others get what would wait in the queue here, but not the new. */
static void
share_opens(struct tri_worker *w)
{
	tri_word word;
	void *note;

	w->open = true;
	if (w->reserve.count == 0)
		return;
	while ((word = tri_reserve_pop_queued(&w->reserve, &note)) != 0)
		tri_runq_push_back(&w->q, word);
	tri_park_work_pushed(w->sched);
}

void
tri_sched_publish(struct tri_worker *w)
{
	while (w->reserve.stack_count > 0)
		share_spills(w);
	share_opens(w);
}

/* Whether it is the only one that takes part, or shall act as if. */
static bool
share_is_alone(struct tri_sched *s)
{
	/* Relaxed: whoever comes back looks for work, and that is seen. */
	return s->eager || tri_load_relaxed(&s->asides) == s->n - 1;
}

void
tri_sched_reopen(struct tri_worker *w)
{
	struct tri_sched *s = w->sched;

	w->open = false;
	if (tri_sched_is_slow(w))
		tri_sched_publish(w);
	else if (s->n > 1 && !share_is_alone(s))
		share_opens(w);
}

/* Let it wait for this worker.  false: there is no room. */
static bool
share_queues(struct tri_worker *w, tri_word word, void *note)
{
	tri_word before;

	if (!tri_reserve_queue(&w->reserve, word, note, &before))
		return false;
	tri_runq_hurry(&w->q);
	if (before != 0)
		tri_sched_rest(w, before);
	return true;
}

bool
tri_sched_may_hold(struct tri_worker *w)
{
	return w->reserve.count == 0 && !tri_sched_is_slow(w) &&
	    (share_is_alone(w->sched) || !tri_sched_is_wanted(w->sched));
}

void
tri_sched_hold(struct tri_worker *w, tri_word word, void *note)
{
	if (share_queues(w, word, note))
		w->held++;
	else
		tri_sched_push_back(w, word);
}

/* The same for one that is new. */
static bool
share_stacks(struct tri_worker *w, tri_word word, void *note)
{
	tri_word before;

	if (w->reserve.stack_count == TRI_RESERVE_STACK)
		share_spills(w);
	if (!tri_reserve_stack(&w->reserve, word, note, &before))
		return false;
	if (before != 0)
		tri_sched_rest(w, before);
	return true;
}

/* The same for one of the queue for all.  false: it cannot. */
static bool
share_withdraws(struct tri_worker *w, tri_word word)
{
	const struct tri_kind *kind = &w->sched->kinds[tri_word_kind(word)];
	void *note = kind->reserve == NULL ?
	    NULL :
	    kind->reserve(w, tri_word_object(word));

	return note != NULL && share_queues(w, word, note);
}

void
tri_sched_withdraw(struct tri_worker *w)
{
	uint64_t n;
	tri_word word;

	/* acq: pairs with whoever said so, and why. */
	tri_exchange_acq_rel(&w->yielded, 0u);
	/* Between handlers it is up to the poll. */
	if (tri_load_relaxed(&w->running) == 0 ||
	    (!share_is_alone(w->sched) && tri_load_relaxed(&w->floods) == 0))
		return;
	/* This handler may be the first of many that take long: tri_sched_reopen
	 * will see to that, right after the batch. */
	if (tri_worker_is_slow(w))
		w->poll_at = w->now;
	w->open = false;
	/* As long as nobody comes back, and takes them.  What cannot wait here
	 * goes back to where it was. */
	for (n = tri_runq_soon(&w->q);
	     n > 0 && (word = tri_runq_take_soon(&w->q)) != 0; n--)
		if (!share_withdraws(w, word))
			tri_runq_untake_soon(&w->q, word);
	n = tri_runq_length(&w->q) - tri_runq_soon(&w->q);
	if (n > TRI_RESERVE_FEW)
		n = TRI_RESERVE_FEW;
	while (n-- > 0 && (word = tri_runq_pop_shared(&w->q)) != 0)
		if (!share_withdraws(w, word))
			tri_sched_push_back(w, word);
}

/* Whether others look for work, and so get what waits here. */
static inline bool
share_is_wanted(struct tri_worker *w)
{
	if (TRI_LIKELY(!tri_sched_is_wanted(w->sched)) ||
	    tri_load_relaxed(&w->floods) != 0)
		return false;
	tri_sched_publish(w);
	return true;
}

/* false: it has to go to the queue for all. */
static bool
share_keeps(struct tri_worker *w, tri_word word, void *note)
{
	if (note == NULL || w->open || share_is_wanted(w))
		return false;
	return tri_runq_length(&w->q) < TRI_RESERVE_FEW &&
	    share_queues(w, word, note);
}

/* The same for one that is new. */
static bool
share_keeps_new(struct tri_worker *w, tri_word word, void *note)
{
	return note != NULL && !share_is_wanted(w) &&
	    share_stacks(w, word, note);
}

static void
share_push_new(struct tri_worker *w, tri_word word, void *note)
{
	/* Where handlers take long it comes in its turn. */
	if (tri_worker_is_slow(w)) {
		tri_sched_push_behind(w, word,
		    w->reserve.count < TRI_RESERVE_FEW ? note : NULL);
		return;
	}
	if (share_keeps_new(w, word, note))
		return;
	tri_runq_push_many(&w->q, &word, 1);
	tri_park_work_pushed(w->sched);
}

void
tri_sched_push_behind(struct tri_worker *w, tri_word word, void *note)
{
	if (share_keeps(w, word, note))
		return;
	tri_runq_push_back(&w->q, word);
	tri_park_work_pushed(w->sched);
}

void
tri_sched_push_turned(struct tri_worker *w, tri_word word, void *note)
{
	if (tri_sched_is_slow(w)) {
		tri_store_relaxed(&w->hot, word);
		tri_store_relaxed(&w->hot_since, w->now);
	}
	tri_sched_push_behind(w, word, note);
}

bool
tri_sched_is_hot(struct tri_worker *v, int64_t now)
{
	tri_word word = tri_load_relaxed(&v->hot);

	/* Once it runs again what waits is something else. */
	return word != 0 && now - tri_load_relaxed(&v->hot_since) < HOT_NS &&
	    tri_load_relaxed(&v->running) != word &&
	    tri_runq_length(&v->q) <= 1;
}

void
tri_sched_push_instead(struct tri_worker *w, tri_word word, void *note,
    bool fresh)
{
	tri_word before = tri_runq_replace_next(&w->q, word);
	void *its = w->q.note;
	bool was_new = w->q.fresh;

	w->q.note = note;
	w->q.fresh = fresh;
	if (before == 0)
		return;
	if (was_new)
		share_push_new(w, before, its);
	else
		tri_sched_push_behind(w, before, its);
}

bool
tri_sched_waits(struct tri_worker *w)
{
	return tri_reserve_waits(&w->reserve) || tri_runq_waits(&w->q);
}
