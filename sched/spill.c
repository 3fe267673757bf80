/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a ring has no room for, what is rarer: see spill.h.
 */
#include "sched/spill.h"

void
tri_spill_init(struct tri_spill *s, unsigned words)
{
	TR_ASSERT(words >= 1 && words <= TRI_SPILL_WORDS);
	s->words = words;
	s->filled = s->from = 0;
	s->first = s->last = NULL;
	tri_store_relaxed(&s->pushed, (uint64_t)0);
	tri_store_relaxed(&s->taken, (uint64_t)0);
}

bool
tri_spill_grow(struct tri_spill *s, struct tri_pool *pool)
{
	struct tri_spill_block *b = tri_pool_alloc(pool, TRI_SPILL_CLASS);

	if (b == NULL)
		return false;
	b->next = NULL;
	/* Nobody looks at these until there is a word in it. */
	if (s->last != NULL) {
		s->last->next = b;
	} else {
		s->first = b;
		s->from = 0;
	}
	s->last = b;
	s->filled = 0;
	return true;
}

/* Under the lock: on to the next block, which is there. */
static void
spill_next(struct tri_spill *s, struct tri_spill_block **done)
{
	struct tri_spill_block *b = s->first;

	s->first = b->next;
	s->from = 0;
	b->next = *done;
	*done = b;
}

unsigned
tri_spill_take(struct tri_spill *s, tri_word *words, unsigned max,
    unsigned share, struct tri_spill_block **done)
{
	uint64_t taken = tri_load_relaxed(&s->taken);
	/* acq: pairs with tri_spill_push. */
	uint64_t have = tri_load_acquire(&s->pushed) - taken;
	uint64_t want = (have * share + 99) / 100, n;

	*done = NULL;
	if (want > max)
		want = max;
	for (n = 0; n < want; n++) {
		/* There is more, so the next block is there. */
		if (s->from == s->words)
			spill_next(s, done);
		words[n] = s->first->word[s->from++];
	}
	/* rel: pairs with tri_spill_count. */
	tri_store_release(&s->taken, taken + n);
	return (unsigned)n;
}

void
tri_spill_end(struct tri_spill *s, struct tri_spill_block **done)
{
	if (tri_spill_count(s) > 0)
		return;
	while (s->first != NULL)
		spill_next(s, done);
	s->last = NULL;
}

void
tri_spill_free(struct tri_pool *pool, struct tri_spill_block *done)
{
	while (done != NULL) {
		struct tri_spill_block *next = done->next;

		tri_pool_free(pool, done, TRI_SPILL_CLASS);
		done = next;
	}
}
