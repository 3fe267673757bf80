/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The oracles of monitors and links.
 *
 *     monitors  each ends exactly once: by its DOWN, withdrawn, or with its
 *               watcher; none comes after that
 *     links     a side of one takes at most one EXIT, and none once it is
 *               undone; both sides are there, or neither
 *     reasons   a DOWN's and an EXIT's is one that the other died of; TR_NOPROC
 *               only from one whose mailbox is closed
 *     at rest   nobody watches, or is linked with, an actor that has ended
 *
 * A reason is known from the moment the dying actor's stop() begins: its
 * watchers may hear of it before it has ended.  Reasons are kept for each
 * actor as a set, not as the last one, so that an actor may die more than once
 * under one reference.
 */
#include "sim/sim.h"

#include <stdlib.h>

struct watch {
	uint64_t id; /* 0: free */
	uint64_t watcher, watched; /* refs */
};

/* One side of a link. */
struct tie {
	uint64_t own; /* 0: free */
	uint64_t other;
};

/* Two numbers as one key: not the same as of b and a. */
static uint64_t
two_key(uint64_t a, uint64_t b)
{
	uint64_t x = a * UINT64_C(0xbf58476d1ce4e5b9) ^
	    (b + 1) * UINT64_C(0x94d049bb133111eb);

	return (x ^ x >> 31) | 1;
}

/* ------------------------------------------------------------- reasons --- */

void
sim_bonds_died(struct tr_sim *sim, tr_ref ref, int code)
{
	sim_map_set(&sim->bonds.reasons,
	    two_key(ref.bits, (uint64_t)(unsigned)code), 1);
}

static bool
lives(const struct tr_sim *sim, uint64_t ref)
{
	return sim_map_get(&sim->oracle.actors, ref) != 0;
}

/* Whether requests to it come back as refused. */
static bool
is_closed(const struct tr_sim *sim, uint64_t ref)
{
	struct tr_self *a;

	if (!lives(sim, ref))
		return true;
	a = tri_cell(sim->sys, tri_ref_slot((tr_ref){ ref }));
	return tri_inlet_head(sim->sys, a) == TRI_INLET_CLOSED;
}

static bool
may_say(const struct tr_sim *sim, uint64_t ref, int code)
{
	if (code == TR_NOPROC && is_closed(sim, ref))
		return true;
	return sim_map_get(&sim->bonds.reasons,
		   two_key(ref, (uint64_t)(unsigned)code)) != 0;
}

static const char *
code_text(int code)
{
	return code == TR_NORMAL ? "normal" : tr_strerror(code);
}

/* ------------------------------------------------------------ monitors --- */

static void
watch_begin(struct tr_sim *sim, uint64_t id, struct watch watch)
{
	struct sim_bonds *b = &sim->bonds;
	size_t n = 0;

	if (sim_map_get(&b->watches, id) != 0)
		sim_fail(sim, "two monitors have one name");
	while (n < b->watch_room && b->watch[n].id != 0)
		n++;
	if (n == b->watch_room) {
		size_t more = n == 0 ? 64 : n;

		b->watch = sim_grow(b->watch, n * sizeof(*b->watch),
		    (n + more) * sizeof(*b->watch));
		b->watch_room += more;
	}
	b->watch[n] = watch;
	sim_map_set(&b->watches, id, n + 1);
}

/* The monitor is over, and was its. */
static struct watch
watch_end(struct tr_sim *sim, uint64_t id, tr_ref watcher, const char *how)
{
	struct sim_bonds *b = &sim->bonds;
	uint64_t n = sim_map_remove(&b->watches, id);
	struct watch was;

	if (n == 0)
		sim_fail(sim, "a monitor that was over %s", how);
	was = b->watch[n - 1];
	b->watch[n - 1].id = 0;
	if (was.watcher != watcher.bits)
		sim_fail(sim, "a monitor of somebody else %s", how);
	return was;
}

static void
saw_down(struct tr_sim *sim, tr_ref watcher, uint64_t id, int code)
{
	struct watch was = watch_end(sim, id, watcher, "brings a DOWN");
	char who[96];

	if (!may_say(sim, was.watched, code))
		sim_fail(sim, "a DOWN says of %s: %s, and that is not so",
		    sim_actor_name(sim, (tr_ref){ was.watched }, who,
			sizeof(who)),
		    code_text(code));
}

/* --------------------------------------------------------------- links --- */

static void
tie_begin(struct tr_sim *sim, tr_ref own, uint64_t other)
{
	struct sim_bonds *b = &sim->bonds;
	uint64_t key = two_key(own.bits, other);
	size_t n = 0;

	if (sim_map_get(&b->ties, key) != 0)
		sim_fail(sim, "two links between the same two actors");
	while (n < b->tie_room && b->tie[n].own != 0)
		n++;
	if (n == b->tie_room) {
		size_t more = n == 0 ? 64 : n;

		b->tie = sim_grow(b->tie, n * sizeof(*b->tie),
		    (n + more) * sizeof(*b->tie));
		b->tie_room += more;
	}
	b->tie[n] = (struct tie){ own.bits, other };
	sim_map_set(&b->ties, key, n + 1);
}

static void
tie_end(struct tr_sim *sim, tr_ref own, uint64_t other, const char *how)
{
	struct sim_bonds *b = &sim->bonds;
	uint64_t n = sim_map_remove(&b->ties, two_key(own.bits, other));

	if (n == 0)
		sim_fail(sim, "a link that was over %s", how);
	b->tie[n - 1].own = 0;
}

static void
saw_exit(struct tr_sim *sim, tr_ref own, uint64_t other, int code)
{
	char who[96];

	tie_end(sim, own, other, "brings an EXIT");
	if (!may_say(sim, other, code))
		sim_fail(sim, "an EXIT says of %s: %s, and that is not so",
		    sim_actor_name(sim, (tr_ref){ other }, who, sizeof(who)),
		    code_text(code));
}

/* ----------------------------------------------------------------- all --- */

void
sim_bonds_seen(struct tr_sim *sim, enum tri_event event, tr_ref ref,
    uint64_t value, int code)
{
	switch (event) {
	case TRI_EVENT_WATCHED:
		watch_begin(sim, value,
		    (struct watch){ value, sim_who_sends().bits, ref.bits });
		break;
	case TRI_EVENT_DOWN: saw_down(sim, ref, value, code); break;
	case TRI_EVENT_UNWATCHED:
		(void)watch_end(sim, value, ref, "ends again");
		break;
	case TRI_EVENT_LINKED: tie_begin(sim, ref, value); break;
	case TRI_EVENT_EXIT: saw_exit(sim, ref, value, code); break;
	case TRI_EVENT_UNLINKED: tie_end(sim, ref, value, "ends again"); break;
	default: break;
	}
}

/* Nothing is under way: who is watched or linked lives. */
void
sim_bonds_at_rest(struct tr_sim *sim)
{
	const struct sim_bonds *b = &sim->bonds;
	char who[96];
	size_t n;

	for (n = 0; n < b->watch_room; n++) {
		const struct watch *w = &b->watch[n];

		if (w->id != 0 &&
		    (!lives(sim, w->watched) || !lives(sim, w->watcher)))
			sim_fail(sim,
			    "it rests, and a monitor on %s has not ended",
			    sim_actor_name(sim, (tr_ref){ w->watched }, who,
				sizeof(who)));
	}
	for (n = 0; n < b->tie_room; n++) {
		const struct tie *t = &b->tie[n];

		if (t->own == 0)
			continue;
		sim_actor_name(sim, (tr_ref){ t->other }, who, sizeof(who));
		if (!lives(sim, t->own) || !lives(sim, t->other))
			sim_fail(sim,
			    "it rests, and a link with %s has not ended", who);
		if (sim_map_get(&b->ties, two_key(t->other, t->own)) == 0)
			sim_fail(sim,
			    "it rests, and a link with %s has one side", who);
	}
}

void
sim_bonds_at_end(struct tr_sim *sim)
{
	if (sim->bonds.watches.used != 0 || sim->bonds.ties.used != 0)
		sim_fail(sim,
		    "left at the end: %zu monitors, %zu sides of links",
		    sim->bonds.watches.used, sim->bonds.ties.used);
}

void
sim_bonds_fini(struct tr_sim *sim)
{
	struct sim_bonds *b = &sim->bonds;

	free(b->watches.slot);
	free(b->ties.slot);
	free(b->reasons.slot);
	free(b->watch);
	free(b->tie);
}
