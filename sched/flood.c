/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Floods: what other workers do about a handler that sends all the time.
 *
 * A handler that goes on for long and is busy sending all the time, to many, is a
 * flood.  What waits behind it is what it sends to, as a rule, and whoever took
 * those would get a stream of messages from another core for each, while the
 * sender's way to them gets longer: one worker alone does it in less.  When the
 * handler returns all are called as ever, and then two do in half the time what
 * has come.
 *
 * THE WATCH has patience with it: it takes one after TRI_FLOOD_LOOKS, not at once all
 * it can get, and tells the worker, which does not give away what it has for itself
 * meanwhile (share.c).  Where it sends to a FEW only they are taken as they would be
 * otherwise: who has one stream keeps up with it (actors/apart.h); and so they are by
 * a worker whose own messages, of late, took longer than LIGHT_NS each: two do more
 * of those than one.  Who is aside leaves any handler alone that does so much.
 *
 * A THIEF, who is awake, sees a flood by what becomes of its loot.
 *
 * - What it took has its few messages at once, and with the next one the sender puts
 *   it into its queue again, so there always is something to take.  So the thief
 *   remembers what it took from behind one handler.  Once more than FEW of those have
 *   come again it spares that worker, for SPARES looks, and tells it, which withdraws
 *   its words from the queue for all (share.c).  Then the thief finds nothing, and is
 *   the watch.
 * - Or its loot has new messages all the time, and it does not come to look for
 *   more.  So it asks at each poll whether the one whom it last took from is in a
 *   handler that has sent so much, and most of what it did itself since it first saw
 *   that handler was messages of others.  If so it gives back all it has, as if it
 *   stepped aside (throttle.c); but it goes on taking part.
 *
 * A handler that has gone on for LONGEST_NS will not return soon, and what it sends
 * fills the memory: a thief does not leave that to it any more, nor gives it back.
 *
 * On the thread of the worker that looks.
 */
#include "sched/sched.h"

enum {
	LIGHT_NS = 120, /* a message that is not worth another core */
	LONG_NS = 50 * 1000, /* a handler that may be a flood */
	LONGEST_NS = 64 * 1000 * 1000, /* it will not return soon */
	PATIENCE = 4, /* looks */
	FEW = 4, /* words that wait */
	SPARES = 64, /* looks in vain */
	NONE = -1,
};

/* ---------------------------------------------------------- the watch --- */

/* Whether the handler that another worker has been in since the last look is a
 * flood; `acts`: what was done there in that time, `ns`. */
static bool
flood_is_one(const struct tri_worker *w, struct tri_worker *v, uint64_t acts,
    int64_t ns)
{
	if (tri_load_relaxed(&w->aside) != 0)
		return acts * TRI_SMALL_NS > (uint64_t)ns;
	if (w->message_ns > LIGHT_NS)
		return false;
	if (tri_runq_length(&v->q) + tri_reserve_waiting(&v->reserve) <= FEW)
		return false;
	/* Once it has been one a window without much in it does not count. */
	return acts * TRI_SMALL_NS > (uint64_t)ns ||
	    tri_load_relaxed(&v->floods) != 0;
}

/*
 * As the watch: what to take of what waits behind a handler that does not return.
 * There is patience with a flood; and if this worker is aside, for it may well be
 * the one that sends all the messages: where it is not, the pace falls, and that is
 * noticed at once.
 */
enum tri_rob
tri_flood_robs(struct tri_worker *w, unsigned victim, bool stuck)
{
	struct tri_sight *seen = &w->sight[victim];
	struct tri_worker *v = tri_sched_worker(w->sched, victim);
	bool aside = tri_load_relaxed(&w->aside) != 0, floods;
	uint64_t acts;

	if (w->sched->throttle_ns == INT64_MAX)
		return TRI_ROB_ANY;
	acts = w->sched->hooks.acts(v);
	floods =
	    stuck && flood_is_one(w, v, acts - seen->acts, w->now - seen->at);
	seen->acts = acts;
	seen->at = w->now;
	seen->looks = stuck ? seen->looks + 1 : 0;
	if (floods)
		tri_store_relaxed(&v->floods, 1u);
	else if (!aside)
		return TRI_ROB_ANY;
	if (seen->looks < (floods ? TRI_FLOOD_LOOKS : PATIENCE))
		return TRI_ROB_NOTHING;
	seen->looks = 0;
	return floods ? TRI_ROB_ONE : TRI_ROB_ANY;
}

/* ---------------------------------------------------------- the thief --- */

/* Whether the victim is in a handler that may be a flood, as far as can be told
 * without a look at what it writes with each batch; never where nothing counts
 * acts. */
static bool
flood_may_be(const struct tri_worker *w, const struct tri_worker *v)
{
	int64_t ns = w->now - tri_load_relaxed(&v->running_since);

	return w->sched->throttle_ns != INT64_MAX && ns > LONG_NS &&
	    ns < LONGEST_NS && tri_load_relaxed(&v->running) != 0;
}

/* Whether what is known of the victim is of the handler that it is in; else that
 * begins from here on. */
static bool
flood_knows(struct tri_worker *w, unsigned victim)
{
	struct tri_worker *v = tri_sched_worker(w->sched, victim);
	struct tri_robbed *r = &w->robbed;
	int64_t since = tri_load_relaxed(&v->running_since);
	uint64_t batches = tri_load_relaxed(&v->counts.batches);

	if (r->victim == victim && r->since == since && r->batches == batches)
		return true;
	*r = (struct tri_robbed){
		.victim = victim,
		.since = since,
		.batches = batches,
		.at = w->now,
		.acts = w->sched->hooks.acts(v),
		.own = w->sched->hooks.acts(w),
		.far = tri_load_relaxed(&w->pool.far),
	};
	return false;
}

/* Whether the handler does so much, and what it sends takes so little, that what
 * waits is better left to its worker. */
static bool
flood_goes_on(const struct tri_worker *w, const struct tri_worker *v)
{
	uint64_t acts = w->sched->hooks.acts(v) - w->robbed.acts;

	return w->message_ns <= LIGHT_NS &&
	    acts * TRI_SMALL_NS > (uint64_t)(w->now - w->robbed.at);
}

static void
flood_tell(struct tri_worker *v)
{
	tri_store_relaxed(&v->floods, 1u);
	/* rel: pairs with tri_sched_withdraw, which looks at the other. */
	tri_store_release(&v->yielded, 1u);
}

void
tri_flood_stole(struct tri_worker *w, unsigned victim, tri_word word)
{
	struct tri_robbed *r = &w->robbed;
	/* Fibonacci hashing: Knuth, The Art of Computer Programming 3, 6.4. */
	unsigned place = (unsigned)(word * UINT64_C(0x9e3779b97f4a7c15) >> 59);

	if (!flood_may_be(w, tri_sched_worker(w->sched, victim))) {
		if (r->victim != victim || r->since != NONE)
			*r = (struct tri_robbed){ .victim = victim,
				.since = NONE };
		return;
	}
	(void)flood_knows(w, victim);
	r->spared = 0;
	if (r->words[place] == 0) {
		r->words[place] = word;
	} else if (r->words[place] == word && !r->again[place]) {
		r->again[place] = true;
		r->count++;
	}
}

bool
tri_flood_spares(struct tri_worker *w, unsigned victim)
{
	struct tri_worker *v = tri_sched_worker(w->sched, victim);
	struct tri_robbed *r = &w->robbed;

	if (r->victim != victim || r->count <= FEW || !flood_may_be(w, v) ||
	    !flood_knows(w, victim) || r->spared >= SPARES ||
	    !flood_goes_on(w, v))
		return false;
	r->spared++;
	if (tri_load_relaxed(&v->floods) == 0)
		flood_tell(v);
	return true;
}

/* Whether most of what this worker did since then was messages of others, and more
 * waits for it. */
static bool
flood_feeds(struct tri_worker *w)
{
	uint64_t far = tri_load_relaxed(&w->pool.far) - w->robbed.far;
	uint64_t own = w->sched->hooks.acts(w) - w->robbed.own;

	return far * 2 > own &&
	    tri_runq_length(&w->q) + tri_reserve_waiting(&w->reserve) > FEW;
}

struct tri_worker *
tri_flood_over(struct tri_worker *w)
{
	struct tri_robbed *r = &w->robbed;
	struct tri_worker *v = tri_sched_worker(w->sched, r->victim);

	if (v == w || !flood_may_be(w, v) || !flood_knows(w, r->victim) ||
	    w->now - r->at < LONG_NS || !flood_feeds(w) ||
	    tri_load_relaxed(&v->aside) != 0 || !flood_goes_on(w, v))
		return NULL;
	/* All that it gives back would come again. */
	r->count = TRI_ROBBED;
	flood_tell(v);
	return v;
}
