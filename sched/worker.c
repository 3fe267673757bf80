/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The worker's steps: run, poll, search.  (Sleeping is park.c.)
 *
 * All on the worker's own thread, except what is said to be for any thread at
 * the end of the file.
 *
 * The order of the search follows Go's and Tokio's schedulers: at most half of
 * the workers search at once, the nearest victims first, half of a victim's
 * ring at a time, and the last searcher that finds work wakes the next.
 */
#include "sched/sched.h"

_Thread_local struct tri_worker *tri_worker_here
    __attribute__((tls_model("initial-exec")));

/* ------------------------------------------------------------- clock ---- */

void
tri_worker_read_clock(struct tri_worker *w)
{
	struct tri_sched *s = w->sched;
	uint64_t cycles, span;
	int64_t now;

	now = w->env->now(w->env);
	cycles = w->env->cycles(w->env);
	w->exact = now;
	w->now = now;
	w->cycles = cycles;
	span = cycles - s->cycles0;
	/* The rate gets better the longer the system runs; after 1 s it is as
	 * good as it needs to be. */
	if (now - s->now0 > 1000000 && now - s->now0 < 1000000000 && span > 0)
		tri_store_relaxed(&s->ns_per_cycle,
		    ((uint64_t)(now - s->now0) << 32) / span);
}

int64_t
tri_worker_clock(struct tri_worker *w)
{
	uint64_t rate = tri_load_relaxed(&w->sched->ns_per_cycle);
	uint64_t cycles, span;

	if (rate == 0) {
		tri_worker_read_clock(w);
		return w->now;
	}
	cycles = w->env->cycles(w->env);
	span = cycles - w->cycles;
	if (span > (uint64_t)1 << 31) {
		tri_worker_read_clock(w);
		return w->now;
	}
	w->now += (int64_t)(span * rate >> 32);
	w->cycles = cycles;
	return w->now;
}

/* -------------------------------------------------------------- poll ---- */

/* Oldest first: what others pushed is a stack. */
static struct tri_link *
stack_in_order(ck_stack_t *stack)
{
	ck_stack_entry_t *e = ck_stack_batch_pop_upmc(stack), *oldest = NULL;

	while (e != NULL) {
		ck_stack_entry_t *before = CK_STACK_NEXT(e);

		e->next = oldest;
		oldest = e;
		e = before;
	}
	return oldest == NULL ? NULL : tri_link_of_entry(oldest);
}

static void
worker_take_inbox(struct tri_worker *w)
{
	struct tri_link *link = stack_in_order(&w->inbox);

	while (link != NULL) {
		struct tri_link *next = tri_link_next(link);

		tri_runq_push_local(&w->q, link);
		link = next;
	}
}

static void
worker_take_injected(struct tri_worker *w)
{
	struct tri_link *link = stack_in_order(&w->sched->injected);
	bool pushed = link != NULL;

	while (link != NULL) {
		struct tri_link *next = tri_link_next(link);

		tri_runq_push_back(&w->q, link->word);
		link = next;
	}
	if (pushed)
		tri_park_work_pushed(w->sched);
}

void
tri_worker_poll(struct tri_worker *w)
{
	struct tri_timer_node *node;
	unsigned events;

	tri_sched_reopen(w);
	tri_count(&w->counts.polls, (uint64_t)1);
	events = w->env->loop_poll(w->env, w->loop);
	tri_worker_read_clock(w);
	while ((node = tri_wheel_expire(&w->wheel, w->exact)) != NULL) {
		w->sched->hooks.fire(w, node);
		events++;
	}
	w->sched->hooks.poll(w);
	if (!tri_stack_is_empty(&w->inbox))
		worker_take_inbox(w);
	if (!tri_stack_is_empty(&w->sched->injected))
		worker_take_injected(w);
	tri_pool_flush(&w->pool);
	if (events > 0)
		w->poll_ns = TRI_POLL_NS;
	else if (w->poll_ns < TRI_POLL_NS_MAX)
		w->poll_ns *= 2;
	w->poll_at = w->now + w->poll_ns;
	if (w->sched->n > 1 && w->sched->throttle_ns != INT64_MAX)
		tri_throttle_poll(w);
}

/* --------------------------------------------------------- reserved ---- */

void
tri_sched_rest(struct tri_worker *w, tri_word word)
{
	if (!w->sched->kinds[tri_word_kind(word)].rest(w,
		tri_word_object(word)))
		tri_sched_push_back(w, word);
}

void
tri_sched_rest_all(struct tri_worker *w)
{
	tri_word word;

	while ((word = tri_reserve_take_any(&w->reserve)) != 0)
		tri_sched_rest(w, word);
}

/* Others have pushed to some that it keeps, or have sent it words. */
static TRI_COLD void
worker_listen(struct tri_worker *w)
{
	uint64_t told;
	tri_word word;

	if (!tri_stack_is_empty(&w->inbox))
		worker_take_inbox(w);
	if (!tri_reserve_is_told(&w->reserve))
		return;
	told = tri_reserve_listen(&w->reserve);
	while ((word = tri_reserve_take_told(&w->reserve, &told)) != 0)
		tri_sched_rest(w, word);
}

/* --------------------------------------------------------------- run ---- */

static inline void
worker_run_word(struct tri_worker *w, tri_word word)
{
	tri_store_relaxed(&w->running, word);
	w->sched->kinds[tri_word_kind(word)].run(w, tri_word_object(word));
	tri_store_relaxed(&w->running, (tri_word)0);
	tri_count(&w->counts.batches, (uint64_t)1);
}

/* What to run but for `next`, and what is new; 0: nothing. */
static tri_word
worker_pop_rest(struct tri_worker *w, void **note)
{
	tri_word word = 0;

	tri_runq_turn(&w->q, w->reserve.count > 0);
	if (TRI_UNLIKELY(w->held > 0)) {
		w->held--;
		word = tri_reserve_pop_queued(&w->reserve, note);
		if (TRI_LIKELY(word != 0))
			return word;
	}
	if (tri_reserve_waits(&w->reserve) &&
	    ((w->turn++ & 1) != 0 || !tri_runq_has_others(&w->q)))
		word = tri_reserve_pop(&w->reserve, note);
	return word != 0 ? word : tri_runq_pop_slow(&w->q);
}

/* What to run but for `next`; 0: nothing. */
static __attribute__((noinline)) tri_word
worker_pop_other(struct tri_worker *w)
{
	tri_word word = 0;
	void *note = NULL;

	/* Who takes long has the others wait for no more than one turn, and so
	 * does whoever is owed some. */
	if (w->q.next_left > 0 && !tri_worker_is_slow(w) && !tri_owe_any(w))
		word = tri_reserve_pop_newest(&w->reserve, &note);
	if (word != 0)
		w->q.next_left--;
	else
		word = worker_pop_rest(w, &note);
	/* The note that was there is that of `next`, whose turn is not now. */
	w->q.note = tri_next_is_free(&w->q.next) ? note : NULL;
	return word;
}

static TRI_COLD void
worker_idles(struct tri_worker *w)
{
	tri_sched_rest_all(w);
	w->phase = TRI_SEARCH;
}

/* false: there is nothing to run. */
static inline bool
worker_run(struct tri_worker *w)
{
	tri_word word;

	if (TRI_UNLIKELY(!tri_stack_is_empty(&w->inbox)) ||
	    TRI_UNLIKELY(tri_reserve_is_told(&w->reserve)))
		worker_listen(w);
	if (tri_reserve_waits(&w->reserve) &&
	    TRI_UNLIKELY(tri_sched_is_wanted(w->sched)))
		tri_sched_publish(w);
	word = tri_runq_pop_next(&w->q);
	if (word == 0) {
		word = worker_pop_other(w);
		if (TRI_UNLIKELY(word == 0)) {
			worker_idles(w);
			return false;
		}
	}
	worker_run_word(w, word);
	/* The batch itself moves `now` if it takes long. */
	if (TRI_UNLIKELY(
		tri_load_relaxed(&w->counts.batches) % TRI_POLL_BATCHES == 0))
		(void)tri_worker_clock(w);
	if (TRI_UNLIKELY(w->now >= w->poll_at))
		tri_worker_poll(w);
	return true;
}

/* ------------------------------------------------------------- search --- */

/* Looks at a word that is better left where it is; then it is taken, whatever the
 * clock says. */
enum { HOT_LOOKS = 64 };

static tri_word
worker_steal(struct tri_worker *w)
{
	struct tri_sched *s = w->sched;
	unsigned i, taken = 0;
	tri_word word = 0;

	for (i = 0; word == 0 && i + 1 < s->n; i++) {
		struct tri_worker *v = tri_sched_worker(s, w->victims[i]);

		if (tri_sched_is_hot(v, w->now) && w->hot_looks++ < HOT_LOOKS)
			continue;
		w->hot_looks = 0;
		if (tri_flood_spares(w, w->victims[i]))
			continue;
		word = tri_runq_steal(&w->q, &v->q, false, &taken);
		if (word != 0)
			tri_flood_stole(w, w->victims[i], word);
	}
	if (word != 0)
		tri_count(&w->counts.steals, (uint64_t)taken);
	return word;
}

static void
worker_search(struct tri_worker *w)
{
	tri_word word;

	tri_worker_poll(w);
	tri_worker_measure(w);
	tri_sched_reopen(w);
	/* Others may have taken all that the poll has pushed: then there is a block
	 * to be ended, and memory to be given back. */
	if (tri_sched_waits(w) || tri_spill_is_used(&w->q.spill)) {
		tri_park_found(w);
		w->phase = TRI_RUN;
		return;
	}
	if (tri_load_relaxed(&w->aside) != 0 || !tri_park_may_search(w)) {
		w->phase = TRI_PARK;
		return;
	}
	word = worker_steal(w);
	if (word == 0) {
		w->phase = TRI_PARK;
		return;
	}
	tri_park_found(w);
	w->phase = TRI_RUN;
	w->q.note = NULL; /* it may be that of what the poll has pushed */
	tri_owe_stolen(w, word);
	worker_run_word(w, word);
}

/* Of its own, that nobody else will do. */
static bool
worker_has_work(struct tri_worker *w)
{
	return tri_sched_waits(w) || !tri_stack_is_empty(&w->inbox) ||
	    tri_reserve_has_any(&w->reserve);
}

static inline bool
worker_step(struct tri_worker *w)
{
	if (TRI_UNLIKELY(tri_load_relaxed(&w->sched->attention) != 0)) {
		/* acq: pairs with tri_sched_quit. */
		if (tri_load_acquire(&w->sched->quit) == 0)
			w->sched->hooks.attend(w);
		else if (!worker_has_work(w))
			w->phase = TRI_ENDED;
		else
			w->phase = TRI_RUN;
	}
	if (TRI_LIKELY(w->phase == TRI_RUN)) {
		(void)worker_run(w);
		return true;
	}
	switch (w->phase) {
	case TRI_RUN: break;
	case TRI_SEARCH: worker_search(w); return true;
	case TRI_PARK: tri_park(w); return true;
	case TRI_ENDED: return false;
	}
	return true;
}

bool
tri_worker_step(struct tri_worker *w)
{
	return worker_step(w);
}

void
tri_worker_loop(struct tri_worker *w)
{
	while (worker_step(w))
		/* The same steps, without a look at the phase for each. */
		while (w->phase == TRI_RUN &&
		    tri_load_relaxed(&w->sched->attention) == 0 &&
		    worker_run(w))
			;
}

/* --------------------------------------------- pushing, any thread ------ */

void
tri_sched_push_home(struct tri_sched *s, struct tri_worker *w, unsigned home,
    tri_word word)
{
	struct tri_worker *to = tri_sched_worker(s, home);
	struct tri_link *link = tri_sched_link(s, word);

	link->word = word;
	if (to == w) {
		tri_runq_push_local(&w->q, link);
		return;
	}
	/* A read-modify-write, seq_cst; pairs with the sleeper's look at its
	 * inbox after it has set `sleeping`. */
	ck_stack_push_upmc(&to->inbox, &link->entry);
	tri_park_ring(to);
}

void
tri_sched_inject(struct tri_sched *s, tri_word word)
{
	struct tri_link *link = tri_sched_link(s, word);

	link->word = word;
	/* A read-modify-write, seq_cst; pairs with the sleeper's look at
	 * `injected` after it has set its bit in the idle mask. */
	ck_stack_push_upmc(&s->injected, &link->entry);
	tri_park_wake_one(s);
}
