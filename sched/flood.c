/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Floods: what the watch takes from behind a handler that does not return.
 *
 * A handler that goes on for long and is busy sending all the time, to many, is a
 * flood.  What waits behind it is what it sends to, as a rule, and whoever took
 * those would get a stream of messages from another core for each, while the
 * sender's way to them gets longer: one worker alone does it in less.  So the
 * watch has patience with it: it takes one after TRI_FLOOD_LOOKS, not at once all it
 * can get, and tells the worker, which does not give away what it has for itself
 * meanwhile (share.c).  When the handler returns all are called as ever.  Where it
 * sends to a FEW only they are taken as they would be otherwise: who has one stream
 * keeps up with it (actors/apart.h); and so they are by a worker whose own messages,
 * of late, took longer than LIGHT_NS each: two do more of those than one.  Who is
 * aside leaves any handler alone that does so much.
 *
 * On the thread of the worker that looks.
 */
#include "sched/sched.h"

enum {
	LIGHT_NS = 120, /* a message that is not worth another core */
	PATIENCE = 4, /* looks */
	FEW = 4, /* words that wait */
};

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
