/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What must be true between two steps, when nobody runs: a walk over all
 * queues and wheels.
 *
 * - An actor's word is in at most one place of one queue: were it in two, two
 *   workers could run the actor at the same time.
 * - It is in one exactly if its mailbox says that it is scheduled; an actor
 *   with messages that is in none would never run again.
 * - A registered name is that of an actor that lives.
 * - A wheel holds armed records of its own worker: those that live, and those
 *   whose end the worker still has to hear of.
 */
#include "sim/sim.h"

#include <stdlib.h>
#include <string.h>

static void
walk_word(struct tr_sim *sim, tri_word word)
{
	struct sim_oracle *o = &sim->oracle;
	struct tr_self *a = tri_word_object(word);
	size_t slot = tri_cell_slot(sim->sys, a);
	char name[96];

	if (slot >= o->slots)
		sim_fail(sim, "a queue holds a word that is no actor's");
	if (o->queued[slot]++ == 0)
		return;
	sim_fail(sim, "two workers could run %s: it is in two queues",
	    sim_actor_name(sim,
		tri_ref_make((uint32_t)slot,
		    (uint32_t)tri_load_relaxed(&a->ident)),
		name, sizeof(name)));
}

static void
walk_links(struct tr_sim *sim, struct tri_link *link)
{
	for (; link != NULL; link = tri_link_next(link))
		walk_word(sim, link->word);
}

static void
walk_stack(struct tr_sim *sim, ck_stack_t *stack)
{
	ck_stack_entry_t *e;

	for (e = stack->head; e != NULL; e = CK_STACK_NEXT(e))
		walk_word(sim, tri_link_of_entry(e)->word);
}

/* One that waits with a note has messages, and the newest is what that says. */
static void
walk_note(struct tr_sim *sim, struct tri_worker *w, tri_word word,
    const void *note)
{
	struct tr_self *a = tri_word_object(word);
	const struct tr_msg *m = a->pending;

	if (tri_word_kind(word) != TRI_KIND_ACTOR)
		return;
	while (m != NULL && m->link != NULL)
		m = m->link;
	if (m == NULL || m != note)
		sim_fail(sim,
		    "worker %u does not know an actor's newest message",
		    w->index);
}

/* An idle actor that a worker keeps is nowhere else.  If it has got a message,
 * the worker knows. */
static void
walk_idle(struct tr_sim *sim, struct tri_worker *w, tri_word word)
{
	struct tr_self *a = tri_word_object(word);
	uint64_t bit = (uint64_t)1 << word / TRI_LINE % TRI_RESERVE_BITS;
	uint64_t head = tri_inlet_head(sim->sys, a);

	if (head == tri_inlet_reserved_by(w->index) ||
	    (tri_inlet_is_msg(head) &&
		(tri_load_relaxed(&w->reserve.told) & bit) != 0))
		return;
	sim_fail(sim, "worker %u keeps an actor, and %s", w->index,
	    tri_inlet_is_msg(head) ? "was not told of its messages" :
				     "has not reserved it");
}

/* What a worker has for itself. */
static void
walk_reserve(struct tr_sim *sim, struct tri_worker *w)
{
	struct tri_reserve *r = &w->reserve;
	unsigned idle = 0, waiting = 0;

	for (unsigned i = 0; i <= r->mask; i++) {
		struct tri_place *p = &r->place[i];
		tri_word word = tri_load_relaxed(&p->slot.word);

		if (!tri_next_waits(&p->slot))
			continue;
		walk_word(sim, word);
		if (tri_reserve_note(p) == NULL) {
			walk_idle(sim, w, word);
			idle++;
		} else {
			walk_note(sim, w, word, tri_reserve_note(p));
			waiting++;
		}
	}
	if (waiting > tri_reserve_count(r))
		sim_fail(sim,
		    "worker %u has actors wait whose turn never comes",
		    w->index);
	if (idle > 0 && w->phase != TRI_RUN)
		sim_fail(sim, "worker %u has nothing to do, and keeps actors",
		    w->index);
	if (waiting > 0 && w->phase == TRI_PARK)
		sim_fail(sim, "worker %u sleeps, and actors wait for it",
		    w->index);
	/* A poll that is due will see to those that wait. */
	if ((idle > 0 || (waiting > 0 && w->now < w->poll_at)) &&
	    tri_sched_is_slow(w))
		sim_fail(sim, "worker %u takes long, and keeps actors",
		    w->index);
}

/* The words in blocks, and that there are as many as it says. */
static void
walk_spill(struct tr_sim *sim, const struct tri_worker *w)
{
	const struct tri_spill *s = &w->q.spill;
	const struct tri_spill_block *b = s->first;
	unsigned at = s->from;

	for (uint64_t n = tri_spill_count(s); n > 0; n--) {
		if (b != NULL && at == s->words) {
			b = b->next;
			at = 0;
		}
		if (b == NULL) {
			sim_fail(sim, "worker %u misses a block of its queue",
			    w->index);
			return;
		}
		walk_word(sim, b->word[at++]);
	}
}

static void
walk_queue(struct tr_sim *sim, struct tri_worker *w)
{
	struct tri_runq *q = &w->q;
	unsigned at;

	if (tri_next_waits(&q->next)) {
		tri_word word = tri_load_relaxed(&q->next.word);

		walk_word(sim, word);
		if (q->note != NULL)
			walk_note(sim, w, word, q->note);
	}
	for (at = q->ring.c_head; at != q->ring.p_tail; at++)
		walk_word(sim, (tri_word)q->buffer[at & q->ring.mask].value);
	walk_spill(sim, w);
	walk_links(sim, q->over.first);
	walk_links(sim, q->soon.first);
	walk_links(sim, q->local_first);
}

/* The mailbox of an actor that lives says that it is scheduled. */
static bool
is_scheduled(const struct tr_sim *sim, struct tr_self *a)
{
	/* Whoever is held is its supervisor's, with all that it has got. */
	if ((tri_load_relaxed(&a->ident) & TRI_IDENT_HELD) != 0)
		return false;
	/* CLOSED: on its way out. */
	return tri_inlet_head(sim->sys, a) != TRI_INLET_IDLE;
}

static void
walk_actors(struct tr_sim *sim)
{
	uint32_t slot;

	for (slot = 0; slot < sim->oracle.slots; slot++) {
		struct tr_self *a = tri_cell(sim->sys, slot);
		tr_ref ref =
		    tri_ref_make(slot, (uint32_t)tri_load_relaxed(&a->ident));
		bool lives = sim_map_get(&sim->oracle.actors, ref.bits) != 0;
		bool wants = lives && is_scheduled(sim, a);
		char name[96];

		if (wants == (sim->oracle.queued[slot] != 0))
			continue;
		sim_actor_name(sim, ref, name, sizeof(name));
		sim_fail(sim,
		    wants     ? "%s has messages, and no worker has it" :
			lives ? "%s is in a queue, and its mailbox says idle" :
				"%s is in a queue, and has ended",
		    name);
	}
}

static void
walk_timers(struct tr_sim *sim, struct tri_worker *w)
{
	unsigned i;

	for (i = 0; i < TRI_WHEEL_LEVELS * TRI_WHEEL_SLOTS; i++) {
		struct tri_timer_node *n =
		    w->wheel.slot[i / TRI_WHEEL_SLOTS][i % TRI_WHEEL_SLOTS];

		for (; n != NULL; n = n->next) {
			struct tri_record *r =
			    tri_container_of(n, struct tri_record, node);
			uint32_t holds = tri_load_relaxed(&r->holds);

			if ((holds & TRI_HOLD_ARMED) == 0 ||
			    r->home != w->index)
				sim_fail(sim,
				    "the wheel of worker %u holds a record "
				    "that is not armed there",
				    w->index);
			if ((holds & (TRI_GONE | TRI_HOLD_OP)) == TRI_GONE)
				sim_fail(sim,
				    "the wheel of worker %u holds a timer of "
				    "nobody",
				    w->index);
		}
	}
}

/* Under a shard's lock: only look. */
static void
name_look(const struct tri_name *name, void *arg)
{
	struct sim_oracle *o = arg;

	if (tr_ref_valid(name->ref) &&
	    sim_map_get(&o->actors, name->ref.bits) == 0)
		o->stale_name = name;
}

static void
walk_names(struct tr_sim *sim)
{
	sim->oracle.stale_name = NULL;
	tri_names_each(sim->sys, name_look, &sim->oracle);
	if (sim->oracle.stale_name != NULL)
		sim_fail(sim, "the name %s is that of an actor that has ended",
		    sim->oracle.stale_name->named.text);
}

void
sim_walk(struct tr_sim *sim)
{
	struct sim_oracle *o = &sim->oracle;
	size_t slots = tri_load_relaxed(&sim->sys->actors.limit);
	unsigned i;

	if (slots > o->slots)
		o->queued = sim_grow(o->queued, o->slots, slots);
	o->slots = slots;
	if (slots > 0)
		memset(o->queued, 0, slots);
	walk_stack(sim, &sim->sys->sched.injected);
	for (i = 0; i < sim->workers; i++) {
		struct tri_worker *w = tri_sched_worker(&sim->sys->sched, i);

		walk_queue(sim, w);
		walk_reserve(sim, w);
		walk_stack(sim, &w->inbox);
		walk_timers(sim, w);
	}
	walk_actors(sim);
	walk_names(sim);
}
