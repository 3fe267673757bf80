/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Telling an actor to end, whatever the memory.
 *
 * STOP and KILL are messages, so that a STOP keeps its place behind what was
 * sent before.  They come from the pool; when that has no block, the slot's
 * own message serves, the mark in its intake.  One is enough: what follows
 * the first STOP or KILL in a mailbox is never handled.
 *
 * Blocks come first because the intake of a plain actor is memory that was
 * never touched: to stop a million of them shall not fault in a page for each
 * few.
 *
 * mark_state names the users of the mark, by generation:
 *
 *     bits  0-31  the actor it is under way to; 0: it is free
 *     bits 32-63  a later actor of the slot that wants it next; 0: none
 *
 * It is under way until whoever takes it from the mailbox, or fails to push
 * it, has released it.  Meanwhile the slot may have got its next actor: the
 * mark is stale there (as any message to the former one is), and if that actor
 * is told to end too, the release sends the mark once more.
 *
 * On a worker's thread.
 */
#include "actors/keep.h"
#include "actors/send.h"

/* false: nobody there took it. */
static bool
mark_push(struct tri_crew *c, struct tri_intake *in, tr_ref to)
{
	struct tr_self *a = NULL;
	enum tri_inlet_pushed pushed;

	in->mark = (struct tr_msg){
		.offset = sizeof(struct tr_msg),
		.kind = TRI_MSG_STOP,
		.tag = tri_keep_life(c->desk.sys, to),
		.size_class = TRI_CLASS_MARK,
	};
	pushed = tri_push(c->desk.sys, to, &in->mark, &a);
	if (pushed == TRI_PUSH_WAKE)
		tri_schedule(c->desk.sys, &c->worker, a);
	return pushed != TRI_PUSH_CLOSED;
}

/* It is ours: send it, and give it up when nobody wants it any more. */
static void
mark_run(struct tri_crew *c, struct tri_intake *in, uint32_t slot,
    uint32_t generation)
{
	while (!mark_push(c, in, tri_ref_make(slot, generation))) {
		/* acq_rel: as in tri_mark_release. */
		uint64_t state = tri_load_relaxed(&in->mark_state);

		while (
		    !tri_cas_weak_acq_rel(&in->mark_state, &state, state >> 32))
			;
		generation = (uint32_t)(state >> 32);
		if (generation == 0)
			return;
	}
}

static void
mark_send(struct tri_crew *c, tr_ref to)
{
	struct tr_self *a = tri_cell_find(c->desk.sys, to);
	uint32_t generation = tri_ref_generation(to);
	struct tri_intake *in;
	uint64_t state, want;

	if (a == NULL)
		return; /* it has ended */
	in = tri_intake(c->desk.sys, a);
	state = tri_load_relaxed(&in->mark_state);
	do {
		/* Somebody else has told it; or a later actor of the slot was
		 * told (a slot's generations only go up): `to` has ended. */
		if ((uint32_t)state >= generation || state >> 32 >= generation)
			return;
		/* Whoever wanted it next has ended: `to` has its slot. */
		want = (uint32_t)state == 0 ?
		    generation :
		    (uint64_t)generation << 32 | (uint32_t)state;
		/* acq: the mark as its last user left it. */
	} while (!tri_cas_weak_acq_rel(&in->mark_state, &state, want));
	if ((uint32_t)state == 0)
		mark_run(c, in, tri_ref_slot(to), generation);
}

void
tri_mark_release(struct tri_crew *c, struct tr_msg *mark)
{
	struct tri_table *t = &c->desk.sys->actors;
	struct tri_intake *in = tri_container_of(mark, struct tri_intake, mark);
	uint32_t slot = (uint32_t)(in -
	    (struct tri_intake *)(void *)t->array[TRI_ACTOR_INTAKE]);
	uint64_t state = tri_load_relaxed(&in->mark_state);

	/* rel: the next user may write the mark; acq: we may be the next. */
	while (!tri_cas_weak_acq_rel(&in->mark_state, &state, state >> 32))
		;
	if (state >> 32 != 0)
		mark_run(c, in, slot, (uint32_t)(state >> 32));
}

void
tri_tell_end(struct tri_crew *c, tr_ref to, enum tri_msg_kind kind)
{
	struct tr_msg *m =
	    tri_msg_alloc(&c->desk, kind, 0, tri_keep_life(c->desk.sys, to), 0);

	if (TRI_LIKELY(m != NULL))
		tri_deliver_control(c, to, m);
	else
		mark_send(c, to);
}
