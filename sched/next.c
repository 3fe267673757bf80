/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The `next` slot, what is rare: see next.h.
 */
#include "sched/next.h"

void
tri_next_init(struct tri_next *n, bool plain)
{
	tri_store_relaxed(&n->word, (tri_word)0);
	tri_store_relaxed(&n->claim, (uintptr_t)TRI_NEXT_FREE);
	n->plain = plain;
}

tri_word
tri_next_settle(struct tri_next *n, tri_word word)
{
	/* acq: pairs with the CAS of tri_next_steal. */
	uintptr_t claim = tri_load_acquire(&n->claim);

	for (;;) {
		if (claim == TRI_NEXT_TAKEN) {
			/* rel: the slot is empty; pairs with the CAS of the
			 * next thief. */
			tri_store_release(&n->claim, (uintptr_t)TRI_NEXT_FREE);
			return 0;
		}
		/* FREE: it gave up by itself, for it found the slot empty. */
		if (claim == TRI_NEXT_FREE ||
		    tri_cas_acq_rel(&n->claim, &claim,
			(uintptr_t)TRI_NEXT_FREE))
			return word;
	}
}

void
tri_next_leave(struct tri_next *n, tri_word word)
{
	if (tri_next_settle(n, word) != 0)
		tri_next_put(n, word);
}

tri_word
tri_next_steal(struct tri_next *n, struct tri_env *env, const void *thief)
{
	uintptr_t claim = TRI_NEXT_FREE;
	/* acq: pairs with the rel of tri_next_put. */
	tri_word word = tri_load_acquire(&n->word);

	if (word == 0)
		return 0;
	if (!n->plain)
		/* acq_rel: pairs with the exchange of tri_next_take. */
		return tri_cas_acq_rel(&n->word, &word, (tri_word)0) ? word : 0;
	/* Before the fence; pairs with the load in tri_next_take. */
	if (!tri_cas_seq_cst(&n->claim, &claim, (uintptr_t)thief))
		return 0;
	word = env->fence_others(env) ? tri_load_acquire(&n->word) : 0;
	claim = (uintptr_t)thief;
	/* acq_rel: pairs with the owner's in tri_next_settle. */
	if (!tri_cas_acq_rel(&n->claim, &claim,
		word != 0 ? (uintptr_t)TRI_NEXT_TAKEN :
			    (uintptr_t)TRI_NEXT_FREE))
		return 0;
	return word;
}
