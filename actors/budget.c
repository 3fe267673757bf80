/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system's byte budget.
 *
 * In a system with a budget each pool counts what it hands out and what is
 * freed on its thread; the sum over the pools is what is in use.  Whoever polls
 * adds them up, so the budget is enforced one poll late.  In a system without
 * one nothing is counted, and no message pays for it (mailbox/pool.h).
 *
 * Being over the hard limit costs the senders nothing to find out: a send
 * compares its size with the largest allowed anyway, and that becomes 0.
 *
 * One looks at a time: who comes while another looks leaves a note, and the
 * other looks again.  So the last look begins after the last free of whoever
 * goes to sleep, and no pressure is left behind by nobody.
 */
#include "actors/system.h"

bool
tri_budget_is_valid(const struct tr_options *o)
{
	return o->hard_bytes == 0 || o->soft_bytes <= o->hard_bytes;
}

void
tri_budget_init(struct tr_system *sys)
{
	tri_store_relaxed(&sys->send_end, tri_message_limit(sys) + 1);
}

void
tri_budget_count(struct tr_system *sys)
{
	bool counted =
	    sys->options.soft_bytes != 0 || sys->options.hard_bytes != 0;
	unsigned i;

	sys->foreign_pool.counted = counted;
	for (i = 0; i < sys->sched.n; i++)
		tri_sched_worker(&sys->sched, i)->pool.counted = counted;
}

uint64_t
tri_budget_live(struct tr_system *sys)
{
	uint64_t live = tri_load_relaxed(&sys->foreign_pool.live);
	unsigned i;

	for (i = 0; i < sys->sched.n; i++)
		live += tri_load_relaxed(
		    &tri_sched_worker(&sys->sched, i)->pool.live);
	/* Read while others count, it may be off to either side. */
	return (int64_t)live < 0 ? 0 : live;
}

/* Whether a limit counts as reached; once it is, an eighth below it. */
static bool
budget_is_reached(uint64_t limit, uint64_t live, bool was)
{
	return limit != 0 && live >= (was ? limit - limit / 8 : limit);
}

static void
budget_look(struct tr_system *sys)
{
	const struct tr_options *o = &sys->options;
	uint32_t before = tri_load_relaxed(&sys->pressure), now;
	uint64_t live = tri_budget_live(sys);

	now =
	    budget_is_reached(o->hard_bytes, live, before == TR_PRESSURE_HARD) ?
	    TR_PRESSURE_HARD :
	    budget_is_reached(o->soft_bytes, live, before != TR_PRESSURE_NONE) ?
	    TR_PRESSURE_SOFT :
	    TR_PRESSURE_NONE;
	if (now == before)
		return;
	/* Hints for senders: no data hangs on them. */
	tri_store_relaxed(&sys->pressure, now);
	tri_store_relaxed(&sys->send_end,
	    now == TR_PRESSURE_HARD ? 0 : tri_message_limit(sys) + 1);
	if (o->on_pressure != NULL)
		o->on_pressure(sys, (enum tr_pressure)now, live, o->hook_ctx);
}

void
tri_budget_poll(struct tr_system *sys)
{
	uint32_t asked = 1;

	if (TRI_LIKELY(
		sys->options.soft_bytes == 0 && sys->options.hard_bytes == 0))
		return;
	/* seq_cst: the frees before it are seen by who looks again. */
	if (tri_fetch_add_seq_cst(&sys->budget_asked, 1u) != 0)
		return;
	do {
		budget_look(sys);
		asked =
		    tri_fetch_sub_seq_cst(&sys->budget_asked, asked) - asked;
	} while (asked != 0);
}

enum tr_pressure
tr_pressure(struct tr_system *system)
{
	return (enum tr_pressure)tri_load_relaxed(&system->pressure);
}
