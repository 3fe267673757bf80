/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making actors: a slot, a cell, a state, and the first message.
 *
 * On the spawner's desk; any thread with a desk of its own.
 */
#include "actors/keep.h"
#include "actors/send.h"

#include <string.h>

enum { STATE_MAX = 1 << 30 };

/* Mix a slot with the system's seed (the finalizer of splitmix64). */
static uint32_t
first_generation(const struct tr_system *sys, uint32_t slot)
{
	uint64_t x = ((uint64_t)sys->seed << 32) ^ slot;

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	x ^= x >> 31;
	/* In the lower half, so that a slot lasts; never 0. */
	return (uint32_t)sys->number << TRI_COUNT_BITS |
	    ((uint32_t)x & (TRI_COUNT_MASK >> 1)) | 1;
}

void *
tri_state_new(struct tri_desk *d, struct tr_self *a,
    const struct tr_behavior *b)
{
	void *state;
	unsigned size_class;

	if (b->state_size <= TRI_STATE_INLINE) {
		memset(a->state, 0, sizeof(a->state));
		return a->state;
	}
	size_class = tri_class_of(b->state_size);
	state = size_class != TRI_CLASS_LARGE ?
	    tri_pool_alloc(d->pool, size_class) :
	    tri_pool_alloc_large(d->pool, b->state_size);
	if (state == NULL)
		return NULL;
	memset(state, 0, b->state_size);
	memcpy(a->state, &state, sizeof(state));
	return state;
}

void
tri_state_free(struct tri_desk *d, struct tr_self *a,
    const struct tr_behavior *b)
{
	unsigned size_class = tri_class_of(b->state_size);
	void *state;

	if (b->state_size <= TRI_STATE_INLINE)
		return;
	memcpy(&state, a->state, sizeof(state));
	if (size_class != TRI_CLASS_LARGE) {
		tri_pool_free(d->pool, state, size_class);
	} else {
		tri_pool_forget_large(d->pool, state);
		tri_pool_free_large(state);
	}
}

struct tr_msg *
tri_start_message(struct tri_desk *d, tr_ref parent,
    const struct tr_behavior *b, const void *arg)
{
	size_t size = b->arg_size == 0 ? sizeof(arg) : b->arg_size;
	struct tr_msg *m = tri_msg_make(d, TRI_MSG_START, 0, 0, size);

	if (m == NULL)
		return NULL;
	m->sender = parent.bits;
	if (b->arg_size == 0)
		memcpy(tri_msg_payload(m), &arg, sizeof(arg));
	else if (arg == NULL)
		memset(tri_msg_payload(m), 0, size);
	else
		tri_msg_copy_in(m, arg, size);
	return m;
}

/* Which worker it is pinned to, + 1; 0: any; -1: no such worker. */
static int
spawn_home(const struct tr_system *sys, unsigned here,
    const struct tr_spawn_options *o)
{
	if (o == NULL || o->placement == TR_PLACE_ANY)
		return 0;
	if (o->placement == TR_PLACE_PINNED)
		return (int)here + 1;
	if (o->placement != TR_PLACE_WORKER || o->worker >= sys->sched.n)
		return -1;
	return (int)o->worker + 1;
}

static bool
spawn_is_valid(const struct tr_system *sys, const struct tr_behavior *b,
    const struct tr_spawn_options *o)
{
	return (o == NULL || (tri_bound_is_valid(o) && tri_care_is_valid(o))) &&
	    b != NULL && b->receive != NULL && b->state_size <= STATE_MAX &&
	    b->arg_size <= sys->options.max_message_bytes;
}

/* What its ident says from the first moment. */
static uint64_t
spawn_flags(struct tr_system *sys, struct tr_self *a,
    const struct tr_spawn_options *o)
{
	uint64_t flags = sys->trace != NULL ? TRI_IDENT_TRACED : 0;

	if (sys->options.fault_messages != 0)
		flags |= TRI_IDENT_RECORDED;
	if (o != NULL && (o->max_items != 0 || o->max_bytes != 0))
		flags |= tri_bound_set(sys, a, o);
	if (o != NULL && o->max_handler_ns != 0)
		flags |= tri_care_set(sys, a, o);
	return flags;
}

/* The cell of a free slot becomes that of a new actor, still closed. */
static tr_ref
spawn_fill_cell(struct tr_system *sys, uint32_t slot, int home,
    const struct tr_behavior *b, const struct tr_spawn_options *o)
{
	struct tr_self *a = tri_cell(sys, slot);
	uint32_t generation = (uint32_t)tri_load_relaxed(&a->ident);

	if (generation == 0) /* fresh memory */
		generation = tri_table_floor(&sys->actors, slot);
	if (generation == 0)
		generation = first_generation(sys, slot);
	a->pending = NULL;
	tri_store_relaxed(&a->handled, 0u);
	tri_store_relaxed(&a->taken, 0u);
	tri_store_relaxed(&a->ident,
	    spawn_flags(sys, a, o) |
		(uint64_t)(unsigned)home << TRI_IDENT_HOME_SHIFT | generation);
	/* rel: FREE is gone before; pairs with the acq in tri_behavior_of. */
	tri_store_release(&a->behavior, b);
	return tri_ref_make(slot, generation);
}

/*
 * Open the inlet, and have the actor run if there is something to do.  Until
 * then nobody runs it, so a name is published in between: who finds it can
 * send to it, and it cannot end before.
 */
static void
spawn_open(struct tri_desk *d, struct tr_self *a, struct tr_msg *first,
    struct tri_name *name, tr_ref ref)
{
	uint64_t running = TRI_INLET_RUNNING;

	if (first == NULL && name == NULL) {
		tri_inlet_open(&a->inlet);
		return;
	}
	if (first != NULL) {
		tri_deliver_first(a, first);
		if (d->worker != NULL && tri_actor_roams(a))
			running = tri_inlet_reserved_by(d->worker->index);
	}
	tri_inlet_open_running(&a->inlet, running);
	if (name != NULL)
		tri_name_publish(d->sys, name, ref);
	if (first == NULL && tri_inlet_rest_owner(&a->inlet, running))
		return;
	if (running != TRI_INLET_RUNNING)
		tri_sched_push_noted(d->worker, tri_word_of(a, TRI_KIND_ACTOR),
		    first, true);
	else
		tri_schedule(d->sys, d->worker, a);
}

static bool
spawn_has_bonds(const struct tr_spawn_options *o)
{
	return o != NULL && (o->link || o->monitor != NULL);
}

/* The spawner watches it, or is linked with it, from the first moment. */
static int
spawn_bind(struct tri_desk *d, tr_ref ref, const struct tr_spawn_options *o)
{
	struct tri_crew *c = (struct tri_crew *)(void *)d->worker;
	uint64_t monitor = 0;

	if (o->monitor != NULL) {
		monitor = tri_monitor_attach(c, ref, o->monitor_tag,
		    o->monitor_cookie);
		if (monitor == 0)
			return TR_ENOMEM;
	}
	if (o->link && tri_link_attach(c, ref) != TR_OK) {
		if (monitor != 0)
			tri_monitor_detach(c, ref, monitor);
		return TR_ENOMEM;
	}
	if (o->monitor != NULL)
		*o->monitor = monitor;
	return TR_OK;
}

/* With a cell and a state: the name, the first message, and off it goes. */
static int
spawn_launch(struct tri_desk *d, tr_ref ref, const struct tr_behavior *b,
    const void *arg, const struct tr_spawn_options *o,
    const struct tri_spawn_how *how)
{
	struct tr_self *a = tri_cell(d->sys, tri_ref_slot(ref));
	const char *name = o != NULL ? o->name : NULL;
	struct tri_name *entry = NULL;
	struct tr_msg *first = NULL;
	int rc;

	/* A supervisor's child says when it has started. */
	if (b->start != NULL || how->keep != NULL) {
		first = tri_start_message(d, how->parent, b, arg);
		if (first == NULL)
			return TR_ENOMEM;
		first->generation = tri_ref_generation(ref);
	}
	rc = name != NULL ? tri_name_add(d, a, TR_REF_NONE, name, &entry) :
			    TR_OK;
	if (rc == TR_OK && spawn_has_bonds(o))
		rc = spawn_bind(d, ref, o);
	if (rc == TR_OK && how->keep != NULL)
		rc = tri_keep_attach((struct tri_crew *)(void *)d->worker, ref,
		    how->keep, how->bond);
	if (rc != TR_OK) {
		if (entry != NULL)
			tri_names_remove(d, a);
		if (first != NULL)
			tri_msg_free(d, first);
		return rc;
	}
	/* rel: counted before anybody can see it end; pairs with the acq in
	 * tri_system_alive. */
	tri_store_release(&d->counts.spawned,
	    tri_load_relaxed(&d->counts.spawned) + 1);
	tri_seen(d->sys, TRI_EVENT_SPAWNED, ref, NULL, 0, 0);
	spawn_open(d, a, first, entry, ref);
	return TR_OK;
}

static inline __attribute__((always_inline)) tr_ref
spawn(struct tri_desk *d, const struct tr_behavior *b, const void *arg,
    const struct tr_spawn_options *o, const struct tri_spawn_how *how)
{
	struct tr_system *sys = d->sys;
	int home = spawn_home(sys, how->here, o), rc;
	tr_ref ref = TR_REF_NONE;
	uint32_t slot;

	if (!spawn_is_valid(sys, b, o) || home < 0 ||
	    (spawn_has_bonds(o) && d->worker == NULL)) {
		rc = TR_EINVAL;
	} else if (tri_load_acquire(&sys->stopping) != 0) {
		rc = TR_ESTOPPING;
	} else if (tri_is_over_budget(sys)) {
		rc = TR_EFULL;
	} else if (!tri_table_get(&sys->actors, &d->slots, &slot)) {
		rc = TR_ENOMEM;
	} else {
		ref = spawn_fill_cell(sys, slot, home, b, o);
		rc = TR_ENOMEM;
		if (tri_state_new(d, tri_cell(sys, slot), b) != NULL) {
			rc = spawn_launch(d, ref, b, arg, o, how);
			if (rc != TR_OK)
				tri_state_free(d, tri_cell(sys, slot), b);
		}
		if (rc != TR_OK) {
			/* The generation was never seen: it can be reused. */
			tri_table_put(&sys->actors, &d->slots, slot);
			ref = TR_REF_NONE;
		}
	}
	if (rc != TR_OK && o != NULL && o->error != NULL)
		*o->error = rc;
	return ref;
}

tr_ref
tri_spawn(struct tri_desk *d, const struct tr_behavior *b, const void *arg,
    const struct tr_spawn_options *o, const struct tri_spawn_how *how)
{
	return spawn(d, b, arg, o, how);
}

tr_ref
tr_spawn(struct tr_self *self, const struct tr_behavior *behavior,
    const void *arg, const struct tr_spawn_options *options)
{
	struct tri_crew *c = tri_crew_of(self);
	struct tri_spawn_how how = {
		.parent = c->turn.ref,
		.here = c->worker.index,
	};

	if (TRI_UNLIKELY(c->turn.stopping)) {
		if (options != NULL && options->error != NULL)
			*options->error = TR_ESTOPPING;
		return TR_REF_NONE;
	}
	if (TRI_LIKELY(options == NULL))
		return spawn(&c->desk, behavior, arg, NULL, &how);
	return tri_spawn(&c->desk, behavior, arg, options, &how);
}
