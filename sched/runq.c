/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The run queue: see runq.h.  The owner's functions run on its worker's
 * thread, tri_runq_steal and tri_runq_stealable on any worker's.
 */
#include "sched/runq.h"

#include "sched/lock.h"
#include "sched/sched.h"

enum { NEAR = 4096 }; /* bytes */

void
tri_runq_init(struct tri_runq *q, struct tri_sched *sched,
    struct tri_pool *pool)
{
	q->sched = sched;
	q->pool = pool;
	q->next_left = TRI_NEW_USES;
	tri_next_init(&q->next, sched->env->fence_others(sched->env));
	ck_ring_init(&q->ring, TRI_RING_SLOTS);
	tri_spill_init(&q->spill, TRI_SPILL_WORDS);
	tri_lock_init(&q->lock);
}

void
tri_runq_set_slots(struct tri_runq *q, unsigned slots)
{
	TR_ASSERT(slots >= 2 && slots <= TRI_RING_SLOTS &&
	    (slots & (slots - 1)) == 0);
	ck_ring_init(&q->ring, slots);
	tri_spill_init(&q->spill,
	    slots < TRI_SPILL_WORDS ? slots : TRI_SPILL_WORDS);
}

static struct tri_link *
runq_link(struct tri_runq *q, tri_word word)
{
	return tri_sched_link(q->sched, word);
}

/* ------------------------------------- lists: overflow, and what runs soon */

/* Under the lock. */
static void
list_append(struct tri_runq_list *list, struct tri_link *link)
{
	link->entry.next = NULL;
	if (list->last != NULL)
		list->last->entry.next = &link->entry;
	else
		list->first = link;
	list->last = link;
}

/* Under the lock: cut off up to `max`, but at most `share` of all in percent;
 * returns the first, *count how many. */
static struct tri_link *
list_cut(struct tri_runq_list *list, uint64_t max, unsigned share,
    unsigned *count)
{
	uint64_t have = tri_load_relaxed(&list->count);
	uint64_t want = (have * share + 99) / 100, n;
	struct tri_link *first = list->first, *last = first;

	*count = 0;
	if (first == NULL)
		return NULL;
	if (want > max)
		want = max;
	for (n = 1; n < want; n++)
		last = tri_link_of_entry(last->entry.next);
	list->first = tri_link_next(last);
	if (list->first == NULL)
		list->last = NULL;
	last->entry.next = NULL;
	tri_store_relaxed(&list->count, have - n);
	*count = (unsigned)n;
	return first;
}

static void
list_push(struct tri_runq *q, struct tri_runq_list *list, const tri_word *words,
    unsigned n)
{
	tri_lock(q->sched->env, &q->lock);
	for (unsigned i = 0; i < n; i++) {
		struct tri_link *link = runq_link(q, words[i]);

		link->word = words[i];
		list_append(list, link);
	}
	/* seq_cst: announces them, as runq_announce does for the ring. */
	tri_fetch_add_seq_cst(&list->count, (uint64_t)n);
	tri_unlock(&q->lock);
}

static void
over_push(struct tri_runq *q, tri_word word)
{
	list_push(q, &q->over, &word, 1);
}

static void
soon_push(struct tri_runq *q, tri_word word)
{
	list_push(q, &q->soon, &word, 1);
}

static tri_word
soon_pop(struct tri_runq *q)
{
	struct tri_link *link;
	unsigned n;

	if (TRI_LIKELY(tri_load_relaxed(&q->soon.count) == 0))
		return 0;
	tri_lock(q->sched->env, &q->lock);
	link = list_cut(&q->soon, 1, 100, &n);
	tri_unlock(&q->lock);
	return link != NULL ? link->word : 0;
}

/*
 * seq_cst: between an enqueue and the caller's load of the idle mask; pairs
 * with the load in park_sees_work.
 */
static void
runq_announce(struct tri_runq *q)
{
	tri_exchange_seq_cst(&q->pushes, tri_load_relaxed(&q->pushes) + 1);
}

/* ------------------------------------------------- blocks, and overflow --- */

/*
 * The caller's words, whose turns come soon: most have been in no cache for long,
 * or come from another core's, so all are fetched at once.  So is what they begin
 * with, but where one object lies next to the other: then so does that, likely,
 * and the hardware sees as much.
 */
static void
runq_fetch(const struct tri_runq *q, const tri_word *words, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		tri_fetch_to_write(tri_word_object(words[i]));
	for (unsigned i = 1; i < n; i++) {
		size_t at = q->sched->kinds[tri_word_kind(words[i])].begins_at;
		char *object = tri_word_object(words[i]);
		bool is_near = words[i] - words[i - 1] + NEAR < 2 * NEAR;

		if (!is_near && at != 0)
			tri_fetch_to_write(*(void **)(void *)(object + at));
	}
}

/* Into the empty ring: all but the first, which is run at once. */
static tri_word
ring_refill(struct tri_runq *q, const tri_word *words, unsigned n)
{
	runq_fetch(q, words, n);
	for (unsigned i = 1; i < n; i++) {
		if (!ck_ring_enqueue_spmc(&q->ring, q->buffer,
			(void *)words[i]))
			tri_panic("troupe: an empty ring is full");
	}
	if (n > 1) {
		/* For a while they were neither here nor there: who fell
		 * asleep then did not see them. */
		runq_announce(q);
		tri_park_work_pushed(q->sched);
	}
	return words[0];
}

/* Move a part of the blocks, or of the list behind them, into the empty ring. */
static tri_word
over_refill(struct tri_runq *q)
{
	/* One is run at once; a ring holds one less than it has slots. */
	unsigned max = ck_ring_capacity(&q->ring), n;
	struct tri_spill_block *done;
	struct tri_link *link = NULL;
	tri_word words[TRI_REFILL];

	if (!tri_spill_is_used(&q->spill) &&
	    tri_load_relaxed(&q->over.count) == 0)
		return 0;
	if (max > TRI_REFILL)
		max = TRI_REFILL;
	tri_lock(q->sched->env, &q->lock);
	n = tri_spill_take(&q->spill, words, max, 100, &done);
	tri_spill_end(&q->spill, &done);
	if (n == 0)
		link = list_cut(&q->over, max, 100, &n);
	tri_unlock(&q->lock);
	tri_spill_free(q->pool, done);
	for (unsigned i = 0; link != NULL; link = tri_link_next(link))
		words[i++] = link->word;
	return n > 0 ? ring_refill(q, words, n) : 0;
}

/* What the ring has no room for.  Returns how many it could not take. */
static unsigned
spill_push(struct tri_runq *q, const tri_word *words, unsigned n)
{
	/* What is in the list is before it. */
	if (tri_load_relaxed(&q->over.count) > 0)
		return n;
	while (n > 0) {
		if (tri_spill_push(&q->spill, *words)) {
			words++;
			n--;
		} else if (!tri_spill_grow(&q->spill, q->pool)) {
			break;
		}
	}
	return n;
}

/* -------------------------------------------------------------- owner --- */

void
tri_runq_push_many(struct tri_runq *q, const tri_word *words, unsigned n)
{
	unsigned i = 0, left;

	if (TRI_LIKELY(!tri_spill_is_used(&q->spill)) &&
	    TRI_LIKELY(tri_load_relaxed(&q->over.count) == 0))
		while (i < n &&
		    ck_ring_enqueue_spmc(&q->ring, q->buffer, (void *)words[i]))
			i++;
	left = spill_push(q, words + i, n - i);
	if (left < n)
		runq_announce(q);
	if (left > 0)
		list_push(q, &q->over, words + n - left, left);
}

void
tri_runq_push_back(struct tri_runq *q, tri_word word)
{
	if (TRI_LIKELY(!tri_spill_is_used(&q->spill)) &&
	    TRI_LIKELY(tri_load_relaxed(&q->over.count) == 0) &&
	    ck_ring_enqueue_spmc(&q->ring, q->buffer, (void *)word))
		runq_announce(q);
	else
		tri_runq_push_many(q, &word, 1);
	tri_runq_hurry(q);
}

void
tri_runq_push_soon(struct tri_runq *q, tri_word word)
{
	q->passed = false;
	soon_push(q, word);
	tri_runq_hurry(q);
}

static tri_word
runq_pop_next(struct tri_runq *q)
{
	return tri_next_is_free(&q->next) ? 0 : tri_next_take(&q->next);
}

tri_word
tri_runq_replace_next(struct tri_runq *q, tri_word word)
{
	tri_word before = runq_pop_next(q);

	tri_next_put(&q->next, word);
	return before;
}

void
tri_runq_push_local(struct tri_runq *q, struct tri_link *link)
{
	link->entry.next = NULL;
	if (q->local_last != NULL)
		q->local_last->entry.next = &link->entry;
	else
		q->local_first = link;
	q->local_last = link;
	tri_runq_hurry(q);
}

static tri_word
runq_pop_local(struct tri_runq *q)
{
	struct tri_link *link = q->local_first;

	if (link == NULL)
		return 0;
	q->local_first = tri_link_next(link);
	if (q->local_first == NULL)
		q->local_last = NULL;
	return link->word;
}

static tri_word
runq_pop_ring(struct tri_runq *q)
{
	void *word;

	if (ck_ring_dequeue_spmc(&q->ring, q->buffer, &word))
		return (tri_word)word;
	return over_refill(q);
}

tri_word
tri_runq_pop_shared(struct tri_runq *q)
{
	return runq_pop_ring(q);
}

tri_word
tri_runq_take_soon(struct tri_runq *q)
{
	return soon_pop(q);
}

void
tri_runq_untake_soon(struct tri_runq *q, tri_word word)
{
	soon_push(q, word);
}

/* What is to run soon, if one other has been run since; 0: nothing. */
static tri_word
runq_pop_soon(struct tri_runq *q)
{
	if (TRI_LIKELY(tri_load_relaxed(&q->soon.count) == 0))
		return 0;
	q->passed = !q->passed;
	return q->passed ? 0 : soon_pop(q);
}

tri_word
tri_runq_pop_slow(struct tri_runq *q)
{
	tri_word word = runq_pop_soon(q);

	if (word != 0)
		return word;
	if (q->local_first != NULL && (q->turn++ & 1) == 0)
		return runq_pop_local(q);
	word = runq_pop_ring(q);
	if (word == 0)
		word = runq_pop_local(q);
	if (word == 0)
		word = soon_pop(q);
	return word != 0 ? word : runq_pop_next(q);
}

bool
tri_runq_waits(struct tri_runq *q)
{
	return tri_next_waits(&q->next) || q->local_first != NULL ||
	    tri_runq_stealable(q);
}

uint64_t
tri_runq_length(struct tri_runq *q)
{
	return ck_ring_size(&q->ring) + tri_spill_count(&q->spill) +
	    tri_load_relaxed(&q->over.count) + tri_load_relaxed(&q->soon.count);
}

unsigned
tri_runq_give(struct tri_runq *q, struct tri_runq *to)
{
	tri_word next = runq_pop_next(q), word;
	unsigned n = 0;

	for (; (word = soon_pop(q)) != 0; n++)
		soon_push(to, word);
	for (; (word = runq_pop_ring(q)) != 0; n++)
		over_push(to, word);
	/* There, too, it comes before those. */
	if (next != 0) {
		soon_push(to, next);
		n++;
	}
	return n;
}

/* ------------------------------------------------------------- anyone --- */

bool
tri_runq_stealable(struct tri_runq *q)
{
	/* seq_cst: pairs with list_push, for a worker about to sleep. */
	return ck_ring_size(&q->ring) > 0 || tri_spill_count(&q->spill) > 0 ||
	    tri_load_seq_cst(&q->over.count) > 0 ||
	    tri_load_seq_cst(&q->soon.count) > 0;
}

/* What was taken goes to the thief's queue, but for the first of all, which it
 * runs; returns that. */
static tri_word
steal_words(struct tri_runq *mine, const tri_word *words, unsigned n,
    tri_word first)
{
	runq_fetch(mine, words, n);
	if (n > 0 && first == 0) {
		first = *words++;
		n--;
	}
	if (n > 0)
		tri_runq_push_many(mine, words, n);
	return first;
}

static tri_word
steal_soon(struct tri_runq *mine, struct tri_link *link)
{
	tri_word first = 0;

	while (link != NULL) {
		struct tri_link *next = tri_link_next(link);

		if (first == 0)
			first = link->word;
		else
			soon_push(mine, link->word);
		link = next;
	}
	return first;
}

/* Half of what is to run soon, and of the blocks, or of the list behind them. */
static tri_word
steal_lists(struct tri_runq *mine, struct tri_runq *q, unsigned *taken)
{
	struct tri_link *soon, *over = NULL;
	struct tri_spill_block *done;
	tri_word words[TRI_REFILL];
	unsigned n;

	if ((tri_spill_count(&q->spill) == 0 &&
		tri_load_relaxed(&q->over.count) == 0 &&
		tri_load_relaxed(&q->soon.count) == 0) ||
	    !tri_trylock(&q->lock))
		return 0;
	soon = list_cut(&q->soon, TRI_STEAL, 50, taken);
	n = tri_spill_take(&q->spill, words, TRI_REFILL, 50, &done);
	if (n == 0)
		over = list_cut(&q->over, TRI_REFILL, 50, &n);
	tri_unlock(&q->lock);
	tri_spill_free(mine->pool, done);
	for (unsigned i = 0; over != NULL; over = tri_link_next(over))
		words[i++] = over->word;
	*taken += n;
	return steal_words(mine, words, n, steal_soon(mine, soon));
}

/* Half of the ring, at most TRI_STEAL. */
static tri_word
steal_ring(struct tri_runq *mine, struct tri_runq *q, unsigned *taken)
{
	unsigned want = (ck_ring_size(&q->ring) + 1) / 2, n = 0;
	tri_word words[TRI_STEAL];
	void *word;

	if (want > TRI_STEAL)
		want = TRI_STEAL;
	while (n < want && ck_ring_dequeue_spmc(&q->ring, q->buffer, &word))
		words[n++] = (tri_word)word;
	*taken = n;
	return n > 0 ? steal_words(mine, words, n, 0) : 0;
}

tri_word
tri_runq_steal(struct tri_runq *mine, struct tri_runq *q, bool stuck,
    unsigned *taken)
{
	tri_word first = steal_ring(mine, q, taken);

	if (first == 0)
		first = steal_lists(mine, q, taken);
	if (first == 0 && stuck) {
		first = tri_next_steal(&q->next, q->sched->env, mine);
		*taken = first != 0;
	}
	return first;
}
