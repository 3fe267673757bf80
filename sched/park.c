/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sleeping and waking.
 *
 * Shared words: `idle` (a bit per worker that has announced sleep),
 * `searching` (places taken by workers that look for work), `watch` (the one
 * idle worker that keeps an eye on the busy ones), and per worker `bell` and
 * `sleeping`.
 *
 * NO WAKE-UP IS LOST, by three store-load pairs, each of seq_cst
 * read-modify-writes (Dekker):
 *
 *   pusher: enqueue; exchange its `pushes`     | load `searching`, `idle`
 *   sleeper: set its bit in `idle`; leave
 *            `searching`                       | load every `pushes`, look at
 *                                              | rings, lists, `injected`
 *
 *   pusher to an inbox: push (CAS)             | load `sleeping`
 *   sleeper: exchange `sleeping` = 1           | look at its inbox and bell
 *
 *   waker: clear the sleeper's bit; ring bell  | load `sleeping`
 *   sleeper: exchange `sleeping` = 1           | load `bell`
 *
 * Whoever clears a sleeper's bit gives it a searcher's place, so a burst of
 * pushes wakes one worker, and that one wakes the next when it finds work.  A
 * waker that took a place and found nobody to wake looks at `idle` again after
 * it has given the place back, because a pusher may have relied on the place.
 *
 * THE WATCH.  A word in `next`, or kept (reserve.h), or behind a handler that
 * does not return, is taken over by an idle worker: the watch sleeps 1 ms at a time while any
 * worker is busy, and steals from those whose batch counter has not moved.  A
 * worker that leaves idleness and finds no watch, or was the watch itself,
 * makes a sleeper the watch by arming that one's alarm, which wakes nobody
 * now.  When the watch finds all asleep it sleeps without a timer: an idle
 * process makes no wake-ups.
 */
#include "sched/sched.h"

static uint64_t
bit_of(const struct tri_worker *w)
{
	return (uint64_t)1 << w->index;
}

/* ------------------------------------------------------------- waking --- */

/* Any thread. */
void
tri_park_ring(struct tri_worker *w)
{
	/* seq_cst: after the caller's push; pairs with park_lie_down. */
	if (tri_load_seq_cst(&w->sleeping) == 0)
		return;
	if (tri_exchange_seq_cst(&w->bell, 1u) == 0)
		w->env->loop_wake(w->env, w->loop);
}

/* The same for one that may be between two sleeps: it does not lie down again
 * before it has looked for work. */
static void
park_call(struct tri_worker *w)
{
	/* seq_cst both: pairs with park_lie_down. */
	if (tri_exchange_seq_cst(&w->bell, 1u) == 0 &&
	    tri_load_seq_cst(&w->sleeping) != 0)
		w->env->loop_wake(w->env, w->loop);
}

/* Take one idle worker out of the mask and wake it; false: there is none. */
static bool
park_claim_one(struct tri_sched *s)
{
	uint64_t idle = tri_load_seq_cst(&s->idle);

	while (idle != 0) {
		unsigned i = (unsigned)__builtin_ctzll(idle);
		struct tri_worker *w = tri_sched_worker(s, i);
		uint64_t bit = bit_of(w);

		if (tri_fetch_and_seq_cst(&s->idle, ~bit) & bit) {
			park_call(w);
			return true;
		}
		idle = tri_load_seq_cst(&s->idle);
	}
	return false;
}

/* Any thread: something was pushed that another worker can take. */
void
tri_park_wake_one(struct tri_sched *s)
{
	while (tri_load_seq_cst(&s->idle) != 0) {
		int32_t none = 0;

		/* seq_cst: see the essay; whoever searches will look at what
		 * was pushed. */
		if (!tri_cas_seq_cst(&s->searching, &none, 1))
			return;
		if (park_claim_one(s))
			return; /* it has our place now */
		tri_fetch_sub_seq_cst(&s->searching, 1);
	}
}

void
tri_park_work_pushed(struct tri_sched *s)
{
	/* After the seq_cst exchange on `pushes`. */
	if (TRI_UNLIKELY(tri_load_seq_cst(&s->idle) != 0))
		tri_park_wake_one(s);
}

/* ---------------------------------------------------------- searching --- */

bool
tri_park_may_search(struct tri_worker *w)
{
	struct tri_sched *s = w->sched;
	int32_t most = s->n > 1 ? (int32_t)(s->n / 2) : 0;

	if (w->searching)
		return true;
	if (tri_load_relaxed(&s->searching) >= most)
		return false;
	tri_fetch_add_seq_cst(&s->searching, 1);
	w->searching = true;
	return true;
}

/* Whether there is anything that any worker can take. */
bool
tri_park_has_any(struct tri_sched *s)
{
	unsigned i;

	if (!tri_stack_is_empty(&s->injected))
		return true;
	for (i = 0; i < s->n; i++)
		if (tri_runq_stealable(&tri_sched_worker(s, i)->q))
			return true;
	return false;
}

/* Give the searcher's place back, to somebody else if there is need. */
static void
park_end_search(struct tri_worker *w)
{
	struct tri_sched *s = w->sched;

	if (!w->searching)
		return;
	w->searching = false;
	if (tri_fetch_sub_seq_cst(&s->searching, 1) == 1 &&
	    tri_load_seq_cst(&s->idle) != 0 && tri_park_has_any(s))
		tri_park_wake_one(s);
}

/* The worker has something to run. */
void
tri_park_found(struct tri_worker *w)
{
	w->idle_since = 0;
	w->trimmed = false;
	park_end_search(w);
}

/* -------------------------------------------------------------- watch --- */

/* Make one of the idle workers the watch. */
static void
watch_hand_over(struct tri_sched *s)
{
	for (;;) {
		uint64_t idle = tri_load_seq_cst(&s->idle);
		uint32_t nobody = 0, i;
		struct tri_worker *v;

		if (idle == 0)
			return; /* whoever goes idle next will be it */
		i = (uint32_t)__builtin_ctzll(idle);
		if (!tri_cas_seq_cst(&s->watch, &nobody, i + 1))
			return;
		v = tri_sched_worker(s, i);
		if (tri_load_seq_cst(&s->idle) & bit_of(v)) {
			v->env->loop_alarm(v->env, v->loop, TRI_WATCH_NS);
			return;
		}
		/* It woke up meanwhile, maybe without seeing that it is the
		 * watch. */
		i++;
		if (!tri_cas_seq_cst(&s->watch, &i, 0u))
			return;
	}
}

static bool
is_watch(const struct tri_worker *w)
{
	return tri_load_seq_cst(&w->sched->watch) == w->index + 1;
}

/* No longer asleep: who keeps the watch? */
static void
park_leave_watch(struct tri_worker *w)
{
	struct tri_sched *s = w->sched;

	if (s->n == 1)
		return;
	/* seq_cst: after the bit was cleared; pairs with watch_hand_over and
	 * with watch_rest. */
	if (is_watch(w))
		tri_exchange_seq_cst(&s->watch, 0u);
	if (tri_load_seq_cst(&s->watch) == 0)
		watch_hand_over(s);
}

/* Leave the mask.  Being taken out of it by a waker gives a searcher's
 * place. */
static void
park_leave(struct tri_worker *w)
{
	uint64_t bit = bit_of(w);

	if (!(tri_fetch_and_seq_cst(&w->sched->idle, ~bit) & bit))
		w->searching = true;
	park_leave_watch(w);
}

/* From a worker that does not get on: up to `most` of what it has for itself. */
static tri_word
watch_take_kept(struct tri_worker *w, struct tri_worker *v, unsigned most,
    unsigned *taken)
{
	tri_word first = tri_reserve_steal(&v->reserve, w->env, w), word;

	*taken = first != 0;
	while (*taken > 0 && *taken < most) {
		word = tri_reserve_steal(&v->reserve, w->env, w);
		if (word == 0)
			break;
		tri_runq_push_back(&w->q, word);
		++*taken;
	}
	return first;
}

/* As the watch: look for a worker that does not get on, and take its work. */
static tri_word
watch_look(struct tri_worker *w)
{
	struct tri_sched *s = w->sched;
	uint64_t idle = tri_load_seq_cst(&s->idle);
	unsigned i, taken = 0;
	tri_word word = 0;

	for (i = 0; word == 0 && i + 1 < s->n; i++) {
		unsigned k = w->victims[i];
		struct tri_worker *v = tri_sched_worker(s, k);
		uint64_t batches = tri_load_relaxed(&v->counts.batches);
		bool stuck = batches == w->seen[k];
		enum tri_rob rob;

		w->seen[k] = batches;
		if (idle & bit_of(v))
			continue;
		rob = tri_flood_robs(w, k, stuck);
		if (rob == TRI_ROB_ONE)
			word = watch_take_kept(w, v, 1, &taken);
		if (rob != TRI_ROB_NOTHING && word == 0)
			word = tri_runq_steal(&w->q, &v->q, stuck, &taken);
		if (rob == TRI_ROB_ANY && word == 0 && stuck)
			word = watch_take_kept(w, v, TRI_STEAL, &taken);
	}
	if (word != 0)
		tri_count(&w->counts.steals, (uint64_t)taken);
	return word;
}

/* Whether this worker, as the watch, has anybody to watch; else it lays the
 * office down. */
static bool
watch_rest(struct tri_worker *w)
{
	struct tri_sched *s = w->sched;

	for (;;) {
		uint32_t nobody = 0;

		if (tri_load_seq_cst(&s->idle) != s->all)
			return true;
		tri_exchange_seq_cst(&s->watch, 0u);
		/* seq_cst: pairs with park_leave. */
		if (tri_load_seq_cst(&s->idle) == s->all)
			return false;
		if (!tri_cas_seq_cst(&s->watch, &nobody, w->index + 1))
			return false; /* somebody else is it */
	}
}

/* Whether this worker has to wake up in 1 ms. */
static bool
watch_duty(struct tri_worker *w)
{
	struct tri_sched *s = w->sched;
	uint32_t nobody = 0;

	if (s->n == 1)
		return false;
	if (!is_watch(w) &&
	    (tri_load_seq_cst(&s->idle) == s->all ||
		!tri_cas_seq_cst(&s->watch, &nobody, w->index + 1)))
		return false;
	return watch_rest(w);
}

/* -------------------------------------------------------------- sleep --- */

/* After the bit was set and the place given back: is there work after all? */
bool
tri_park_sees_work(struct tri_worker *w)
{
	struct tri_sched *s = w->sched;
	unsigned i;

	for (i = 0; i < s->n; i++) {
		struct tri_runq *q = &tri_sched_worker(s, i)->q;

		/* seq_cst: pairs with the exchange in tri_runq_push_back. */
		(void)tri_load_seq_cst(&q->pushes);
		if (tri_runq_stealable(q))
			return true;
	}
	return !tri_stack_is_empty(&s->injected) ||
	    !tri_stack_is_empty(&w->inbox);
}

/* By its bell, its inbox, or a gift (throttle.c). */
static bool
park_called(struct tri_worker *w)
{
	return tri_load_seq_cst(&w->bell) != 0 ||
	    !tri_stack_is_empty(&w->inbox) ||
	    tri_load_seq_cst(&w->q.over.count) != 0 ||
	    tri_load_seq_cst(&w->q.soon.count) != 0;
}

/* On its own line only. */
static bool
park_spin(struct tri_worker *w)
{
	int64_t until;

	if (w->spin.ns <= 0)
		return park_called(w);
	until = tri_worker_clock(w) + w->spin.ns;
	do {
		unsigned i;

		for (i = 0; i < 32; i++) {
			if (park_called(w))
				return true;
			ck_pr_stall();
		}
	} while (tri_worker_clock(w) < until);
	return false;
}

/* From now on wakers wake it.  true: it may sleep. */
static bool
park_lie_down(struct tri_worker *w)
{
	/* seq_cst: pairs with tri_park_ring and park_claim_one. */
	tri_exchange_seq_cst(&w->sleeping, 1u);
	if (park_called(w) || tri_load_seq_cst(&w->sched->quit) != 0)
		return false;
	tri_count(&w->counts.parks, (uint64_t)1);
	return true;
}

/* true: somebody rang. */
static bool
park_stand_up(struct tri_worker *w)
{
	tri_exchange_seq_cst(&w->sleeping, 0u);
	if (tri_exchange_seq_cst(&w->bell, 0u) == 0)
		return false;
	tri_count(&w->counts.wakeups, (uint64_t)1);
	return true;
}

/* When to wake up by itself. */
static int64_t
park_deadline(struct tri_worker *w, bool watch)
{
	int64_t at = tri_wheel_next(&w->wheel);

	if (tri_load_relaxed(&w->aside) != 0 && at > tri_throttle_nap(w))
		at = tri_throttle_nap(w);
	if (watch && at > w->now + TRI_WATCH_NS)
		at = w->now + TRI_WATCH_NS;
	if (!w->trimmed && at > w->idle_since + TRI_TRIM_NS)
		at = w->idle_since + TRI_TRIM_NS;
	/* Who coordinates a stop looks after it now and then. */
	if (tri_load_relaxed(&w->sched->attention) != 0 &&
	    at > w->now + TRI_WATCH_NS)
		at = w->now + TRI_WATCH_NS;
	return at;
}

/* Those who sleep over blocks that came home meanwhile have to trim, too. */
static void
park_tell_owners(struct tri_worker *w)
{
	struct tri_sched *s = w->sched;
	unsigned i;

	for (i = 0; i < s->n; i++) {
		struct tri_worker *v = tri_sched_worker(s, i);

		if (v != w && !tri_stack_is_empty(&v->pool.returned))
			park_call(v);
	}
}

/*
 * Idle for a while: give memory back, a slice at a time.  Whoever is through
 * tells the others, once.  A worker that sleeps on while others are at work
 * gets blocks back from them, and so do those that nobody tells: hence it
 * looks again a second later, if it is up anyway, as the watch often is.
 */
static void
park_trim(struct tri_worker *w)
{
	struct tri_sched *s = w->sched;
	bool more;

	if (w->trimmed && w->now >= w->trim_at)
		w->trimmed = false;
	if (w->trimmed || w->now - w->idle_since < TRI_TRIM_NS)
		return;
	more = tri_pool_trim(&w->pool, TRI_TRIM_BLOCKS);
	if (s->hooks.trim != NULL)
		more |= s->hooks.trim(w);
	if (more)
		return;
	w->trimmed = true;
	w->trim_at = w->now + TRI_TRIM_NS;
	park_tell_owners(w);
}

/* Whether the sleep ended for a reason that concerns this worker. */
static bool
park_roused(struct tri_worker *w, unsigned events)
{
	struct tri_sched *s = w->sched;

	return events > 0 || tri_wheel_next(&w->wheel) <= w->exact ||
	    !tri_stack_is_empty(&s->injected) ||
	    !tri_stack_is_empty(&w->inbox) || tri_sched_waits(w) ||
	    tri_load_relaxed(&s->attention) != 0;
}

static void
park_begin_idle(struct tri_worker *w)
{
	if (w->idle_since == 0) {
		w->idle_since = w->now;
		w->pool.trim_class = 0;
	}
	if (!tri_stack_is_empty(&w->pool.returned))
		w->trimmed = false;
}

/* Aside: it sleeps without being known as idle, and leaves the work to others. */
static void
park_enter_aside(struct tri_worker *w)
{
	park_end_search(w);
	park_begin_idle(w);
}

/* Announce sleep, and look once more; true: there is work. */
static bool
park_enter(struct tri_worker *w)
{
	struct tri_sched *s = w->sched;

	tri_fetch_or_seq_cst(&s->idle, bit_of(w));
	if (w->searching) {
		w->searching = false;
		tri_fetch_sub_seq_cst(&s->searching, 1);
	}
	park_begin_idle(w);
	if (tri_park_sees_work(w)) {
		/* It may be another worker's: take a place to fetch it. */
		park_leave(w);
		if (!w->searching) {
			tri_fetch_add_seq_cst(&s->searching, 1);
			w->searching = true;
		}
		return true;
	}
	if (park_spin(w)) {
		tri_store_relaxed(&w->bell, 0u);
		park_leave(w);
		return true;
	}
	w->spin.since = tri_worker_clock(w);
	return false;
}

/* Up, and about to look for work. */
static void
park_get_up(struct tri_worker *w, bool aside)
{
	w->napping = false;
	if (aside)
		park_leave_watch(w);
	else
		park_leave(w);
	w->phase = TRI_SEARCH;
}

/*
 * Go to sleep, and get up again.  A sleep that ends for nothing, or only for
 * the watch's look round, is a nap: the worker stays in the idle mask and
 * sleeps on.
 */
void
tri_park(struct tri_worker *w)
{
	bool aside = tri_load_relaxed(&w->aside) != 0, called;
	tri_word word = 0;
	unsigned events = 0;

	if (!w->asleep) {
		/* What a stop has for it comes before a step (worker.c). */
		if (TRI_UNLIKELY(tri_sched_waits(w))) {
			if (w->napping)
				park_get_up(w, aside);
			w->phase = TRI_SEARCH;
			return;
		}
		if (!w->napping && aside) {
			park_enter_aside(w);
		} else if (!w->napping && park_enter(w)) {
			w->phase = TRI_SEARCH;
			return;
		}
		park_trim(w);
		w->sleep_until = park_deadline(w, watch_duty(w));
		w->asleep = park_lie_down(w);
		if (!aside)
			w->throttle.since = 0;
	}
	if (w->asleep)
		events = w->env->loop_sleep(w->env, w->loop, w->sleep_until);
	if (events == TRI_SLEEPS_ON)
		return;
	w->asleep = false;
	called = park_stand_up(w);
	tri_worker_read_clock(w);
	if (is_watch(w) && w->sched->n > 1)
		word = watch_look(w);
	w->napping = word == 0 && !called && !park_roused(w, events) &&
	    !(aside && tri_throttle_is_over(w));
	if (w->napping)
		return;
	tri_spin_slept(&w->spin, w->exact, called);
	park_get_up(w, aside);
	if (word != 0) {
		tri_park_found(w);
		w->phase = TRI_RUN;
		tri_sched_push(w, word);
		/* It may have brought more than one. */
		if (tri_runq_stealable(&w->q))
			tri_park_work_pushed(w->sched);
	}
}
