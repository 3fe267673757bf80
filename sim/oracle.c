/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The oracles: what must be true of every event.
 *
 *     flying   each message sent is taken exactly once
 *     pairs    of one sender and one receiver, in the order of sending
 *     asks     each ends exactly once, by a call or with its asker
 *     actors   stop() at most once in a life, before the end, and once an end
 *     drops    a drop function runs once
 *     bonds    monitors and links: bonds.c
 *
 * The tables' keys are addresses of messages and names of asks and actors.
 * Addresses are not part of the hash: they differ from run to run.
 */
#include "sim/sim.h"

#include <stdlib.h>

/* A message on its way. */
struct flight {
	uint64_t from, to; /* refs; from 0: not an actor */
	uint64_t number; /* of all that were sent */
};

/* ------------------------------------------------------------ messages --- */

static uint64_t
key_of(const struct tr_msg *m)
{
	return (uint64_t)(uintptr_t)m;
}

/* Of a pair of actors: their references mixed. */
static uint64_t
pair_key(uint64_t from, uint64_t to)
{
	uint64_t x = from * UINT64_C(0xbf58476d1ce4e5b9) ^
	    to * UINT64_C(0x94d049bb133111eb);

	return (x ^ x >> 31) | 1;
}

tr_ref
sim_who_sends(void)
{
	struct tri_crew *c = (struct tri_crew *)(void *)tri_worker_here;

	return c != NULL && c->turn.cell != NULL ? c->turn.ref : TR_REF_NONE;
}

static void
saw_sent(struct tr_sim *sim, tr_ref to, const struct tr_msg *m)
{
	struct sim_oracle *o = &sim->oracle;
	size_t n;

	if (sim_map_get(&o->flying, key_of(m)) != 0)
		sim_fail(sim, "a message is in two mailboxes (tag %u)", m->tag);
	for (n = o->free_flight; n < o->flights && o->flight[n].number != 0;)
		n++;
	if (n == o->flights) {
		size_t more = o->flights == 0 ? 64 : o->flights;

		o->flight = sim_grow(o->flight, o->flights * sizeof(*o->flight),
		    (o->flights + more) * sizeof(*o->flight));
		o->flights += more;
	}
	o->free_flight = n + 1;
	o->flight[n] =
	    (struct flight){ sim_who_sends().bits, to.bits, ++o->sent };
	sim_map_set(&o->flying, key_of(m), n + 1);
}

static void
saw_taken(struct tr_sim *sim, const struct tr_msg *m, bool to_handle)
{
	struct sim_oracle *o = &sim->oracle;
	uint64_t n = sim_map_remove(&o->flying, key_of(m)), pair;
	struct flight *f;

	if (n == 0)
		sim_fail(sim, "a message was taken twice (tag %u)", m->tag);
	f = &o->flight[n - 1];
	if (to_handle && f->from != 0 && m->kind != TRI_MSG_TICK) {
		pair = pair_key(f->from, f->to);
		if (sim_map_get(&o->pairs, pair) > f->number)
			sim_fail(sim,
			    "messages were taken out of order (tag %u)",
			    m->tag);
		sim_map_set(&o->pairs, pair, f->number);
	}
	f->number = 0;
	if (n - 1 < o->free_flight)
		o->free_flight = n - 1;
}

/* -------------------------------------------------------------- the rest - */

static void
saw_ask(struct tr_sim *sim, enum tri_event event, tr_ref ref, uint64_t ask)
{
	struct sim_map *asks = &sim->oracle.asks;

	if (event == TRI_EVENT_ASKED) {
		if (sim_map_get(asks, ask) != 0)
			sim_fail(sim, "two asks have one name");
		sim_map_set(asks, ask, (uint64_t)tri_ref_slot(ref) + 1);
	} else if (sim_map_remove(asks, ask) == 0) {
		sim_fail(sim, "an ask ended twice");
	}
}

static void
saw_life(struct tr_sim *sim, enum tri_event event, tr_ref ref, int code)
{
	struct sim_map *actors = &sim->oracle.actors;
	uint64_t was = sim_map_get(actors, ref.bits);

	if (event == TRI_EVENT_SPAWNED) {
		if (was != 0)
			sim_fail(sim, "two actors have one reference");
		sim_map_set(actors, ref.bits, ++sim->oracle.spawned << 1);
	} else if (event == TRI_EVENT_STOPPING) {
		if (was == 0 || (was & SIM_STOPPING) != 0)
			sim_fail(sim, "stop() runs a second time");
		sim_map_set(actors, ref.bits, was | SIM_STOPPING);
		sim_bonds_died(sim, ref, code);
	} else if (event == TRI_EVENT_RESTARTED) {
		if ((was & SIM_STOPPING) == 0)
			sim_fail(sim, "an actor is restarted that lives");
		sim_map_set(actors, ref.bits, was & ~(uint64_t)SIM_STOPPING);
	} else {
		if ((was & SIM_STOPPING) == 0)
			sim_fail(sim, "an actor ended that was not stopped");
		(void)sim_map_remove(actors, ref.bits);
	}
}

uint64_t
sim_serial(const struct tr_sim *sim, tr_ref ref)
{
	return sim_map_get(&sim->oracle.actors, ref.bits) >> 1;
}

static void
saw_drop(struct tr_sim *sim, enum tri_event event, const struct tr_msg *m)
{
	struct sim_map *drops = &sim->oracle.drops;

	if (event == TRI_EVENT_MADE)
		sim_map_set(drops, key_of(m), 1);
	else if (sim_map_remove(drops, key_of(m)) == 0)
		sim_fail(sim, "a drop function runs twice (tag %u)", m->tag);
}

/* The system's number in a reference depends on what else is in the process. */
static uint64_t
without_system(tr_ref ref)
{
	return ref.bits & ~((uint64_t)63 << (32 + TRI_COUNT_BITS));
}

static void
oracle_seen(struct tri_trace *trace, enum tri_event event, tr_ref ref,
    const struct tr_msg *m, uint64_t value, int code)
{
	struct sim_oracle *o =
	    tri_container_of(trace, struct sim_oracle, trace);
	struct tr_sim *sim = tri_container_of(o, struct tr_sim, oracle);
	bool link = event == TRI_EVENT_LINKED || event == TRI_EVENT_EXIT ||
	    event == TRI_EVENT_UNLINKED;

	sim_mix(sim,
	    (uint64_t)event << 56 ^ without_system(ref) ^
		(link ? without_system((tr_ref){ value }) : value) << 13);
	sim_mix(sim,
	    (uint64_t)(unsigned)code << 32 ^
		(m != NULL ? (uint64_t)m->tag << 8 ^ m->size : 0));
	sim_show(sim, event, ref, m, value, code);
	TR_ASSERT(m != NULL ||
	    (event != TRI_EVENT_SENT && event != TRI_EVENT_TAKEN &&
		event != TRI_EVENT_MADE && event != TRI_EVENT_DROP));
	switch (event) {
	case TRI_EVENT_SENT: saw_sent(sim, ref, m); break;
	case TRI_EVENT_TAKEN: saw_taken(sim, m, value != 0); break;
	case TRI_EVENT_DEAD: break;
	case TRI_EVENT_ASKED:
	case TRI_EVENT_OUTCOME:
	case TRI_EVENT_ASK_LEFT: saw_ask(sim, event, ref, value); break;
	case TRI_EVENT_SPAWNED:
	case TRI_EVENT_STOPPING:
	case TRI_EVENT_RESTARTED:
	case TRI_EVENT_ENDED: saw_life(sim, event, ref, code); break;
	case TRI_EVENT_MADE:
	case TRI_EVENT_DROP: saw_drop(sim, event, m); break;
	case TRI_EVENT_WATCHED:
	case TRI_EVENT_DOWN:
	case TRI_EVENT_UNWATCHED:
	case TRI_EVENT_LINKED:
	case TRI_EVENT_EXIT:
	case TRI_EVENT_UNLINKED:
		sim_bonds_seen(sim, event, ref, value, code);
		break;
	}
}

/* -------------------------------------------------------- at certain times */

void
sim_oracle_asleep(struct tr_sim *sim)
{
	struct tri_sched *s = &sim->sys->sched;
	unsigned i;

	for (i = 0; i < sim->workers; i++) {
		struct tri_worker *w = tri_sched_worker(s, i);

		/* A wake-up may be on its way, only late. */
		if (w->loop->wake_at != INT64_MAX ||
		    sim->preempted[i] > sim->now)
			return;
	}
	if (!tri_stack_is_empty(&s->injected))
		sim_fail(sim, "all workers sleep, and a word is injected");
	for (i = 0; i < sim->workers; i++) {
		struct tri_worker *w = tri_sched_worker(s, i);

		if (!sim->ended[i] &&
		    (tri_sched_waits(w) || !tri_stack_is_empty(&w->inbox)))
			sim_fail(sim,
			    "all workers sleep, and worker %u has work", i);
	}
}

static void
balance(struct tr_sim *sim, bool at_end)
{
	struct tr_stats s;
	uint64_t dead = 0;
	int i;

	(void)tr_stats(sim->sys, &s);
	for (i = 0; i < TR_DEAD_UNHANDLED; i++)
		dead += s.dead[i];
	if (at_end && (s.actors != 0 || s.spawned != s.ended))
		sim_fail(sim,
		    "actors are lost: %llu spawned, %llu ended, %llu live",
		    (unsigned long long)s.spawned, (unsigned long long)s.ended,
		    (unsigned long long)s.actors);
	if (s.sent != s.handled + dead + s.queued || (at_end && s.queued != 0))
		sim_fail(sim,
		    "messages are lost: %llu sent, %llu handled, %llu dead",
		    (unsigned long long)s.sent, (unsigned long long)s.handled,
		    (unsigned long long)dead);
	sim->result->messages = s.sent;
}

/*
 * Messages of those who wait for their restart, if that can still come: it may take
 * a name that somebody else has, for as long as he lives, and a supervisor tries again
 * and again.
 */
static size_t
waiting_for_restart(struct tr_sim *sim)
{
	const struct sim_oracle *o = &sim->oracle;
	size_t i, n = 0;

	if (sim_next_event(sim) == INT64_MAX)
		return 0;
	for (i = 0; i < o->flights; i++) {
		const struct tr_self *a = o->flight[i].number == 0 ?
		    NULL :
		    tri_cell_find(sim->sys, (tr_ref){ o->flight[i].to });

		n += a != NULL &&
		    (tri_load_relaxed(&a->ident) & TRI_IDENT_HELD) != 0;
	}
	return n;
}

void
sim_oracle_at_rest(struct tr_sim *sim)
{
	size_t held = waiting_for_restart(sim);

	if (sim->oracle.flying.used != held)
		sim_fail(sim, "it rests, and %zu messages were not taken",
		    sim->oracle.flying.used - held);
	/* They may be asks. */
	if (sim->oracle.asks.used != 0 && held == 0)
		sim_fail(sim, "it rests, and %zu asks have not ended",
		    sim->oracle.asks.used);
	sim_bonds_at_rest(sim);
	balance(sim, false);
}

void
sim_oracle_at_end(struct tr_sim *sim)
{
	if (sim->oracle.flying.used != 0 || sim->oracle.asks.used != 0 ||
	    sim->oracle.actors.used != 0)
		sim_fail(sim,
		    "left at the end: %zu messages, %zu asks, %zu actors",
		    sim->oracle.flying.used, sim->oracle.asks.used,
		    sim->oracle.actors.used);
	if (sim->oracle.drops.used != 0)
		sim_fail(sim, "%zu drop functions never ran",
		    sim->oracle.drops.used);
	sim_bonds_at_end(sim);
	balance(sim, true);
}

tr_ref
sim_oracle_victim(struct tr_sim *sim)
{
	struct tri_table *t = &sim->sys->actors;
	uint32_t limit = tri_load_relaxed(&t->limit), slot, tries;

	if (limit == 0)
		return TR_REF_NONE;
	slot = (uint32_t)sim_below(sim, limit);
	/* By slots, not by the table's order: that has addresses in it. */
	for (tries = 0; tries < limit; tries++, slot = (slot + 1) % limit) {
		struct tr_self *a = tri_cell(sim->sys, slot);
		tr_ref ref =
		    tri_ref_make(slot, (uint32_t)tri_load_relaxed(&a->ident));

		if (sim_serial(sim, ref) != 0 && !sim_probe_is(sim, ref) &&
		    (sim_map_get(&sim->oracle.actors, ref.bits) &
			SIM_STOPPING) == 0)
			return ref;
	}
	return TR_REF_NONE;
}

void
sim_oracle_init(struct tr_sim *sim)
{
	sim->oracle.trace.seen = oracle_seen;
}

void
sim_oracle_fini(struct tr_sim *sim)
{
	struct sim_oracle *o = &sim->oracle;

	free(o->flying.slot);
	free(o->pairs.slot);
	free(o->asks.slot);
	free(o->actors.slot);
	free(o->drops.slot);
	free(o->flight);
	free(o->queued);
	free(o->labels.slot);
	free(o->label);
	sim_bonds_fini(sim);
}
