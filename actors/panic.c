/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programmers' errors: what the process says before it ends.
 *
 * The commonest is to use an actor's `self` where it is not that actor's turn:
 * in another actor's, on another thread, after its end.  The message names the
 * function that was called, the actor whose `self` it was, and the turn it was
 * called in.  Cells are never anything else, so an actor that has ended can
 * still be named by its behaviour, as long as its slot has no other.
 */
#include "actors/system.h"

#include <stdio.h>
#include <string.h>

enum { WHO_BYTES = 160 };

static const char *
behavior_name(const struct tr_self *a)
{
	const struct tr_behavior *b = tri_load_relaxed(&a->behavior);

	return b != NULL && b->name != NULL ? b->name : "actor";
}

/* An actor, by its cell; of the slot's last one, if nobody has it now. */
static void
describe_cell(const struct tr_system *sys, struct tr_self *a, char *text,
    size_t size)
{
	/* acq: pairs with tri_inlet_open, for the behaviour. */
	uint64_t head = tri_load_acquire(&a->inlet.head);

	snprintf(text, size, "actor %s (%08x.%u)%s", behavior_name(a),
	    (unsigned)tri_load_relaxed(&a->ident),
	    (unsigned)tri_cell_slot(sys, a),
	    head == TRI_INLET_CLOSED ? ", which has ended" : "");
}

/* Whether it points to a cell of this system that was ever used. */
static bool
is_cell(const struct tr_system *sys, const struct tr_self *a)
{
	uintptr_t from = (uintptr_t)sys->actors.array[0], at = (uintptr_t)a;
	uint64_t limit = tri_load_acquire(&sys->actors.limit);

	return at >= from && (at - from) % sizeof(*a) == 0 &&
	    (at - from) / sizeof(*a) < limit;
}

/* The turn of the calling worker. */
static void
describe_turn(const struct tri_crew *c, char *text, size_t size)
{
	static const char between[] = "between turns";
	const struct tri_turn *t = &c->turn;
	int n;

	if (t->cell == NULL) {
		memcpy(text, between, sizeof(between));
		return;
	}
	n = snprintf(text, size, "in the turn of actor %s (%08x.%u)",
	    behavior_name(t->cell), (unsigned)tri_ref_generation(t->ref),
	    (unsigned)tri_ref_slot(t->ref));
	if (n < 0 || (size_t)n >= size)
		return;
	if (t->stopping)
		snprintf(text + n, size - (size_t)n, ", in its stop()");
	else if (t->msg != NULL && t->msg->kind <= TRI_MSG_COUNTED)
		snprintf(text + n, size - (size_t)n, ", message tag %u",
		    (unsigned)t->msg->tag);
}

void
tri_turn_blame(const struct tri_crew *c, const char *function, const char *what)
{
	char where[WHO_BYTES];

	describe_turn(c, where, sizeof(where));
	tri_panic("troupe: %s: %s (%s)", function, what, where);
}

void
tri_turn_panic(const struct tri_crew *c, struct tr_self *self,
    const char *function)
{
	char who[WHO_BYTES] = "no actor of this system";
	char where[WHO_BYTES];

	if (c != NULL) {
		if (is_cell(c->desk.sys, self))
			describe_cell(c->desk.sys, self, who, sizeof(who));
		describe_turn(c, where, sizeof(where));
		tri_panic("troupe: %s: called outside of its actor's turn: "
			  "self is %s; called %s",
		    function, who, where);
	}
	/* Nobody knows whether there is a cell, so say first what is sure. */
	tri_complain("troupe: %s: called outside of its actor's turn, on a "
		     "thread that runs no actors",
	    function);
	tri_panic("troupe: self is actor %s (generation %08x)",
	    self != NULL ? behavior_name(self) : "NULL",
	    self != NULL ? (unsigned)tri_load_relaxed(&self->ident) : 0);
}
