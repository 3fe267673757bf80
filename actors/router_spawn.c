/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making routers, and changing their routees.
 *
 * The spawning and the calls' sending are the caller's; the rest runs in the
 * router's turn.
 */
#include "actors/router.h"
#include "actors/send.h"

#include <string.h>

enum { ROUTEES_MAX = 1 << 20 }; /* when spawned */

/* What a new router is told: its argument. */
struct plan {
	tr_route_key_fn *key;
	uint32_t strategy;
	uint32_t count;
	char group[TRI_NAME_MAX + 1]; /* empty: none */
	tr_ref routee[];
};

static void
router_free(struct tr_system *sys, struct tri_router *r)
{
	struct tri_memory *memory = &sys->env->memory;

	if (r->group != NULL)
		tri_group_release(sys, r->group);
	tri_refs_free(sys, &r->members);
	if (r->routee != NULL)
		memory->free(memory->ctx, r->routee);
	if (r->relay != NULL)
		memory->free(memory->ctx, r->relay);
}

static int
router_start(struct tr_self *self, void *state, const void *arg)
{
	struct tr_system *sys = tr_system_of(self);
	const struct plan *plan = arg;
	struct tri_router *r = state;
	uint32_t i;

	r->strategy = (enum tr_route)plan->strategy;
	r->key = plan->key;
	r->relay_free = TRI_RELAY_NONE;
	r->version = UINT64_MAX;
	if (plan->group[0] != '\0') {
		r->group = tri_group_hold(sys, plan->group);
		return r->group != NULL ? TR_OK : TR_ENOMEM;
	}
	if (!tri_routees_grow(sys, r, plan->count + TRI_ROUTEES_FIRST))
		return TR_ENOMEM;
	for (i = 0; i < plan->count; i++)
		tri_routee_append(r, plan->routee[i]);
	return TR_OK;
}

static void
router_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)why;
	router_free(tr_system_of(self), state);
}

/*
 * The plan travels in the first message, so that it goes with it if the router
 * never starts.  How long a behaviour's argument is belongs to the behaviour:
 * there is one for each of some lengths.
 */
#define ROUTER(routees)                                                    \
	{                                                                  \
		.name = "router", .state_size = sizeof(struct tri_router), \
		.arg_size = offsetof(struct plan, routee) +                \
		    (routees) * sizeof(tr_ref),                            \
		.start = router_start, .receive = tri_router_receive,      \
		.stop = router_stop,                                       \
	}

static const struct tr_behavior routers[] = {
	ROUTER(4),
	ROUTER(1 << 5),
	ROUTER(1 << 8),
	ROUTER(1 << 11),
	ROUTER(1 << 14),
	ROUTER(1 << 17),
	ROUTER(ROUTEES_MAX),
};

static size_t
plan_size(size_t routees)
{
	return offsetof(struct plan, routee) + routees * sizeof(tr_ref);
}

/* ------------------------------------------------------------ spawning -- */

static bool
options_are_valid(const struct tr_router_options *o)
{
	struct tri_named name;
	size_t i;

	if (o->strategy < TR_ROUTE_ROUND_ROBIN ||
	    o->strategy > TR_ROUTE_LEAST_LOADED || o->count > ROUTEES_MAX ||
	    (o->count > 0 && (o->routees == NULL || o->group != NULL)) ||
	    (o->group != NULL && !tri_named_set(&name, o->group)))
		return false;
	for (i = 0; i < o->count; i++)
		if (!tr_ref_valid(o->routees[i]))
			return false;
	return true;
}

static void
plan_fill(struct plan *plan, const struct tr_router_options *o)
{
	plan->key = o->key;
	plan->strategy = (uint32_t)o->strategy;
	plan->count = (uint32_t)o->count;
	if (o->group != NULL)
		memcpy(plan->group, o->group, strlen(o->group));
	if (o->count > 0)
		memcpy(plan->routee, o->routees,
		    o->count * sizeof(*o->routees));
}

static tr_ref
router_spawn(struct tr_self *self, const struct tr_router_options *o,
    int *error)
{
	struct tri_memory *memory = &tr_system_of(self)->env->memory;
	const struct tr_behavior *b = routers;
	struct plan *plan;
	tr_ref ref;

	*error = TR_EINVAL;
	if (!options_are_valid(o))
		return TR_REF_NONE;
	while (b->arg_size < plan_size(o->count))
		b++;
	*error = TR_ENOMEM;
	plan = tri_memory_alloc(memory, b->arg_size, "router plan");
	if (plan == NULL)
		return TR_REF_NONE;
	memset(plan, 0, b->arg_size);
	plan_fill(plan, o);
	ref = tr_spawn(self, b, plan,
	    &(struct tr_spawn_options){ .name = o->name, .error = error });
	memory->free(memory->ctx, plan);
	return ref;
}

tr_ref
tr_router_spawn(struct tr_self *self, const struct tr_router_options *options)
{
	int error;
	tr_ref ref = router_spawn(self, options, &error);

	if (!tr_ref_valid(ref) && options->error != NULL)
		*options->error = error;
	return ref;
}

/* --------------------------------------------------- adding and removing */

/* Payload of a TRI_MSG_CALL. */
struct router_call {
	tri_call_fn *fn; /* first */
	tr_ref routee;
};

/* The router whose turn it is; NULL: it is none, or follows a group. */
static struct tri_router *
call_router(struct tr_self *a)
{
	const struct tr_behavior *b = tri_load_relaxed(&a->behavior);
	struct tri_router *r;

	if (b->receive != tri_router_receive)
		return NULL;
	r = tri_actor_state(a, b);
	return r->group == NULL ? r : NULL;
}

static int
call_add(struct tri_crew *c, struct tr_self *a, struct tr_msg *m)
{
	const struct router_call *call = tri_msg_payload(m);
	struct tri_router *r = call_router(a);

	if (r == NULL)
		return TR_OK;
	if (r->count == r->room &&
	    !tri_routees_grow(c->desk.sys, r, r->room * 2)) {
		tri_log(c->desk.sys, TR_LOG_ERROR,
		    "router: no memory for one routee more");
		return TR_OK;
	}
	tri_routee_append(r, call->routee);
	return TR_OK;
}

static int
call_remove(struct tri_crew *c, struct tr_self *a, struct tr_msg *m)
{
	const struct router_call *call = tri_msg_payload(m);
	struct tri_router *r = call_router(a);
	uint32_t i;

	(void)c;
	if (r == NULL)
		return TR_OK;
	for (i = r->count; i-- > 0;)
		if (tr_ref_equal(r->routee[i].ref, call->routee))
			tri_routee_take_out(r, i);
	return TR_OK;
}

static int
call_send(struct tr_self *self, tr_ref router, tr_ref routee, tri_call_fn *fn)
{
	struct tri_crew *c = tri_crew_of(self);
	struct router_call call = { fn, routee };
	struct tr_msg *m;

	if (!tr_ref_valid(routee) || tr_ref_equal(routee, router))
		return TR_EINVAL;
	m = tri_msg_alloc(&c->desk, TRI_MSG_CALL, 0, 0, sizeof(call));
	if (m == NULL)
		return TR_ENOMEM;
	m->sender = c->turn.ref.bits;
	tri_msg_copy_in(m, &call, sizeof(call));
	tri_deliver_control(c, router, m);
	return TR_OK;
}

int
tr_router_add(struct tr_self *self, tr_ref router, tr_ref routee)
{
	return call_send(self, router, routee, call_add);
}

int
tr_router_remove(struct tr_self *self, tr_ref router, tr_ref routee)
{
	return call_send(self, router, routee, call_remove);
}
