/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counters, summed on read.
 */
#include "actors/system.h"

#include <string.h>

static void
stats_add_desk(struct tr_stats *s, const struct tri_desk *d)
{
	unsigned i;

	s->spawned += tri_load_relaxed(&d->counts.spawned);
	s->ended += tri_load_relaxed(&d->counts.ended);
	s->failed += tri_load_relaxed(&d->counts.failed);
	s->restarted += tri_load_relaxed(&d->counts.restarted);
	s->sent += tri_load_relaxed(&d->counts.sent);
	s->handled += tri_load_relaxed(&d->counts.handled);
	for (i = 0; i < TR_DEAD_REASONS; i++)
		s->dead[i] += tri_load_relaxed(&d->counts.dead[i]);
	s->pool_bytes += tri_load_relaxed(&d->pool->bytes);
}

static void
stats_add_worker(struct tr_stats *s, const struct tri_worker *w)
{
	s->turns += tri_load_relaxed(&w->counts.batches);
	s->steals += tri_load_relaxed(&w->counts.steals);
	s->parks += tri_load_relaxed(&w->counts.parks);
	s->wakeups += tri_load_relaxed(&w->counts.wakeups);
	s->asides += tri_load_relaxed(&w->counts.asides);
	s->polls += tri_load_relaxed(&w->counts.polls);
}

int
tr_stats(struct tr_system *system, struct tr_stats *stats)
{
	uint64_t done = 0;
	unsigned i;

	memset(stats, 0, sizeof(*stats));
	stats->workers = system->sched.n;
	stats->live_bytes = tri_budget_live(system);
	stats_add_desk(stats, &system->foreign);
	for (i = 0; i < system->sched.n; i++) {
		struct tri_crew *c = tri_crew_at(system, i);

		stats_add_desk(stats, &c->desk);
		stats_add_worker(stats, &c->worker);
	}
	stats->actors =
	    stats->spawned > stats->ended ? stats->spawned - stats->ended : 0;
	done = stats->handled;
	for (i = 0; i < TR_DEAD_UNHANDLED; i++)
		done += stats->dead[i];
	stats->queued = stats->sent > done ? stats->sent - done : 0;
	return TR_OK;
}
