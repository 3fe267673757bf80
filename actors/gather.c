/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Long backlogs of several actors, turned round at the same time.
 *
 * Who turns round a list of an inlet waits for one message after the other, each
 * of which says where the next one is; where a sender has spread a million over a
 * thousand actors they are all over the memory.  Lists of different actors do not
 * wait for each other.  So a worker that is about to turn round a long one takes
 * the next few actors out of its queue as well, if they have such lists, too, and
 * goes through all of them step by step ("group prefetching": Chen, Ailamaki,
 * Gibbons and Mowry, "Improving Hash Join Performance through Prefetching",
 * ICDE 2004).  From there on they wait in the worker's own queue (sched/share.c)
 * and keep their turns; so it does that only while nobody else looks for work.
 *
 * Measured (banking of the suite, a hundred messages for each of 24,000 accounts, one
 * worker): 615 ns for a transfer, 488 with four lists at a time, 436 with eight, when
 * only lists longer than a batch were gathered; afterwards 409, and 349 with all that
 * have 64 messages (299 and 264 with two workers).  A round of 600,000 messages for
 * sixty actors leaves lists of thousands, of another core's blocks, in mailboxes that
 * have moved (fjthrput of the suite, two workers): 64 ns for a message where only the
 * first kind was gathered, 50 with both.
 */
#include "actors/gather.h"

#include "actors/apart.h"

enum {
	TOGETHER = 8, /* lists */
	FEW = 64, /* messages, or packs, that were taken before */
	/* Another's list is up to so many times as long as its own, or a batch, */
	TIMES = 2,
	SHORT = 4096, /* or so long, if its own is longer than that */
};

/* The end of what an actor has taken before; NULL: that is too far away. */
static struct tr_msg **
gather_end(struct tr_self *a)
{
	struct tr_msg **end = &a->pending;

	for (unsigned n = 0; *end != NULL; end = &(*end)->link)
		if (++n > FEW)
			return NULL;
	return end;
}

/* How long the lists may be that are turned round with one of `length`, which waits
 * for them. */
static uint32_t
gather_longest(const struct tri_worker *w, uint32_t length)
{
	if (length <= w->batch)
		return TIMES * w->batch;
	return TIMES * length > SHORT ? TIMES * length : SHORT;
}

/* The next actor of the queue, if it has such a list, of up to `longest`; else it
 * stays where it was, about. */
static struct tr_self *
gather_next(struct tri_crew *c, uint32_t longest)
{
	struct tri_worker *w = &c->worker;
	tri_word word = tri_runq_pop_shared(&w->q);
	struct tr_self *a = tri_word_object(word);

	if (word == 0)
		return NULL;
	if (tri_word_kind(word) == TRI_KIND_ACTOR &&
	    (tri_load_relaxed(&a->ident) &
		(TRI_IDENT_CARE | TRI_IDENT_BOUND)) == 0 &&
	    gather_end(a) != NULL) {
		struct tri_inlet *in = tri_inlet_of(c->desk.sys, a);
		uint64_t head = tri_inlet_look_owner(in);
		uint32_t n = tri_inlet_length(head);

		if (tri_inlet_is_msg(head) && tri_gather_is_worth(w, n) &&
		    n <= longest && !tri_has_parked(c->desk.sys, a, in))
			return a;
	}
	tri_runq_push_soon(&w->q, word);
	return NULL;
}

struct tr_msg *
tri_gather_take(struct tri_crew *c, struct tr_self *a, struct tri_inlet *in,
    uint32_t *count, struct tr_msg **last)
{
	struct tri_reversal r[TOGETHER];
	struct tr_self *of[TOGETHER];
	struct tr_msg *newest[TOGETHER];
	uint64_t state = TRI_INLET_RUNNING;
	uint32_t longest = gather_longest(&c->worker,
	    tri_inlet_length(tri_inlet_look_owner(in)));
	unsigned n = 0;
	bool goes_on;

	do {
		newest[n] = tri_inlet_take_newest(in, state);
		tri_reversal_begin(&r[n], newest[n],
		    (uint32_t)tri_load_relaxed(&a->ident));
		of[n++] = a;
		a = n < TOGETHER ? gather_next(c, longest) : NULL;
		if (a != NULL)
			in = tri_inlet_of(c->desk.sys, a);
		state = c->reserved;
	} while (a != NULL);
	do {
		goes_on = false;
		for (unsigned i = 0; i < n; i++)
			if (r[i].newest != NULL) {
				tri_reversal_step(&r[i]);
				__builtin_prefetch(r[i].newest, 1);
				goes_on = true;
			}
	} while (goes_on);
	for (unsigned i = 1; i < n; i++) {
		*gather_end(of[i]) = r[i].oldest;
		tri_store_relaxed(&of[i]->taken,
		    tri_load_relaxed(&of[i]->taken) + r[i].n);
		tri_sched_hold(&c->worker, tri_word_of(of[i], TRI_KIND_ACTOR),
		    newest[i]);
	}
	*count = r[0].n;
	*last = newest[0];
	return r[0].oldest;
}
