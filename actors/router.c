/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Routers: actors of the library that hand messages on.
 *
 * The message in hand is detached and pushed into the routee's mailbox as it
 * is: same block, same sender, same duty to answer.  The router has handled
 * it, and it is sent once more, so the counters add up.
 *
 * LEAST LOADED has to know when an ask has ended.  There the router puts an
 * ask of its own between: the request's block is re-addressed to it, and it
 * keeps two records, the ask it waits for and the duty to answer the asker.
 * The answer's block is re-addressed in turn.  If the router dies, its duties
 * end as any actor's do, with TR_EDEAD.  Its ask is marked as a relay of the
 * asker's, so that a callee sees through it whether the asker has cancelled.
 *
 * A routee that is taken out leaves its place to the last in the list, which
 * is what the jump hash wants: only the keys of these two move.
 *
 * Everything here runs in the router's turn, but for the spawning and the
 * calls' sending.
 */
#include "actors/blob.h"
#include "actors/group.h"
#include "actors/send.h"
#include "troupe/router.h"

#include <string.h>

enum {
	ROUTEES_MAX = 1 << 20, /* when spawned */
	ROUTEES_FIRST = 8,
	RELAYS_FIRST = 16,
};

#define RELAY_NONE UINT32_MAX

/* What a new router is told: its argument. */
struct plan {
	tr_route_key_fn *key;
	uint32_t strategy;
	uint32_t count;
	char group[TRI_NAME_MAX + 1]; /* empty: none */
	tr_ref routee[];
};

struct routee {
	tr_ref ref;
	uint32_t asks; /* unanswered */
	uint32_t serial; /* this entry, whatever place it is in */
};

/* An ask that was passed on and is counted. */
struct relay {
	uint64_t duty; /* the record that owes the answer */
	uint32_t serial; /* of the routee's entry */
	uint32_t at; /* its place then; of a free one: the next free */
	bool shrunk; /* the asker does not know of its deadline */
};

struct router {
	enum tr_route strategy;
	uint32_t next; /* whose turn it is */
	tr_route_key_fn *key;
	struct routee *routee;
	uint32_t count;
	uint32_t room;
	uint32_t serial; /* the next entry's */
	uint32_t relays; /* in use */
	struct relay *relay;
	uint32_t relay_room;
	uint32_t relay_free; /* the first free one, or RELAY_NONE */
	struct tri_group *group; /* that it follows; NULL: none */
	uint64_t version; /* of the group, as it is in the list */
	struct tri_refs members; /* room for a copy of them */
};

/* ------------------------------------------------------------ routees --- */

/* More room in an array of `*room` elements.  false: no memory. */
static bool
array_grow(struct tri_memory *memory, void **array, uint32_t *room, size_t size,
    uint32_t wanted)
{
	void *larger;

	if (wanted <= *room)
		return true;
	larger = memory->alloc(memory->ctx, wanted * size);
	if (larger == NULL)
		return false;
	if (*room > 0) {
		memcpy(larger, *array, *room * size);
		memory->free(memory->ctx, *array);
	}
	*array = larger;
	*room = wanted;
	return true;
}

static bool
routees_grow(struct tr_system *sys, struct router *r, uint32_t wanted)
{
	void *array = r->routee;
	bool done = array_grow(&sys->env->memory, &array, &r->room,
	    sizeof(*r->routee), wanted);

	r->routee = array;
	return done;
}

/* There is room. */
static void
routee_append(struct router *r, tr_ref ref)
{
	TR_ASSERT(r->routee != NULL && r->count < r->room);
	r->routee[r->count++] =
	    (struct routee){ .ref = ref, .serial = r->serial++ };
}

static void
routee_take_out(struct router *r, uint32_t i)
{
	r->routee[i] = r->routee[--r->count];
}

/* The place of a routee in an array, `hint` being likely; n: not there. */
static uint32_t
routee_find(const struct routee *array, uint32_t n, uint32_t hint, tr_ref ref)
{
	uint32_t i;

	if (hint < n && tr_ref_equal(array[hint].ref, ref))
		return hint;
	for (i = 0; i < n && !tr_ref_equal(array[i].ref, ref); i++)
		;
	return i;
}

/* Make the list anew; who stays keeps what is counted for it. */
static bool
router_replace(struct tr_system *sys, struct router *r,
    const struct tri_refs *refs)
{
	struct tri_memory *memory = &sys->env->memory;
	struct routee *old = r->routee;
	uint32_t n = r->count, room = r->room, i, k;

	r->routee = NULL;
	r->room = 0;
	if (!routees_grow(sys, r, refs->count + ROUTEES_FIRST)) {
		r->routee = old;
		r->room = room;
		return false;
	}
	r->count = 0;
	for (i = 0; i < refs->count; i++) {
		routee_append(r, refs->ref[i]);
		k = r->relays > 0 ? routee_find(old, n, i, refs->ref[i]) : n;
		if (k < n)
			r->routee[i] = old[k];
	}
	if (old != NULL)
		memory->free(memory->ctx, old);
	return true;
}

/* Have the group's members in the list, if they are others than before.
 * Without memory it stays as it was until the next message. */
static void
router_follow(struct tr_system *sys, struct router *r)
{
	uint64_t version;

	if (r->group == NULL || tri_group_version(r->group) == r->version)
		return;
	if (tri_group_copy(sys, r->group, &r->members, &version) &&
	    router_replace(sys, r, &r->members))
		r->version = version;
}

/* ------------------------------------------------------------ choosing -- */

/* The finalizer of splitmix64: keys may be small numbers. */
static uint64_t
key_mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/*
 * Jump consistent hash (Lamping and Veach, "A Fast, Minimal Memory, Consistent
 * Hash Algorithm", 2014, figure 1): which of n buckets a key belongs to.
 */
static uint32_t
jump_hash(uint64_t key, uint32_t n)
{
	int64_t b = -1, j = 0;

	while (j < (int64_t)n) {
		b = j;
		key = key * UINT64_C(2862933555777941757) + 1;
		j = (int64_t)((double)(b + 1) *
		    ((double)(INT64_C(1) << 31) / (double)((key >> 33) + 1)));
	}
	return (uint32_t)b;
}

/* The one with the fewest asks, from the one whose turn it is on. */
static uint32_t
router_least(const struct router *r)
{
	uint32_t first = r->next < r->count ? r->next : 0, best = first, i;

	for (i = first + 1; i < r->count; i++)
		if (r->routee[i].asks < r->routee[best].asks)
			best = i;
	for (i = 0; i < first; i++)
		if (r->routee[i].asks < r->routee[best].asks)
			best = i;
	return best;
}

/* One of at least one. */
static uint32_t
router_pick(struct router *r, uint64_t key)
{
	uint32_t i;

	if (r->strategy == TR_ROUTE_HASH)
		return jump_hash(key, r->count);
	if (r->strategy == TR_ROUTE_LEAST_LOADED)
		i = router_least(r);
	else
		i = r->next < r->count ? r->next : 0;
	r->next = i + 1;
	return i;
}

static uint64_t
router_key(const struct router *r, const struct tr_msg *m)
{
	if (r->strategy != TR_ROUTE_HASH)
		return 0;
	return key_mix(r->key != NULL ? r->key(m) : m->sender);
}

/* ---------------------------------------------------------- handing on -- */

/* The message in hand is the router's own now. */
static struct tr_msg *
router_take(struct tri_crew *c)
{
	struct tr_msg *m = c->turn.msg;

	tri_turn_detach(c);
	c->turn.msg = NULL;
	return m;
}

/* Push it to a routee; false: that one has ended, and the message is still the
 * caller's.  One whose mailbox is full refuses it as it does a sender's. */
static bool
router_push(struct tri_crew *c, tr_ref to, struct tr_msg *m)
{
	struct tr_self *a = NULL;
	enum tri_inlet_pushed pushed = tri_push(c->desk.sys, to, m, &a);

	if (pushed == TRI_PUSH_CLOSED)
		return false;
	tri_count(&c->desk.counts.sent, (uint64_t)1);
	if (pushed == TRI_PUSH_WAKE)
		tri_schedule(c->desk.sys, &c->worker, a);
	else if (pushed != TRI_PUSH_QUEUED)
		tri_push_failed(c, to, m, pushed);
	return true;
}

/* Sent on, and lost at once. */
static void
router_lose(struct tri_crew *c, struct tr_msg *m, enum tr_dead_reason reason)
{
	tri_count(&c->desk.counts.sent, (uint64_t)1);
	tri_msg_dead(c, c->turn.ref, m, reason, TR_EDEAD);
}

/* Hand it to a routee, whose place is stored; those who have ended are taken
 * out.  false: nobody is left, and the message is still the caller's. */
static bool
router_hand_on(struct tri_crew *c, struct router *r, struct tr_msg *m,
    uint32_t *at)
{
	uint64_t key = router_key(r, m);

	while (r->count > 0) {
		*at = router_pick(r, key);
		if (router_push(c, r->routee[*at].ref, m))
			return true;
		routee_take_out(r, *at);
	}
	return false;
}

/* ------------------------------------------------------------ relaying -- */

/* A free entry; RELAY_NONE: no memory. */
static uint32_t
relay_new(struct tr_system *sys, struct router *r)
{
	uint32_t i = r->relay_free, room = r->relay_room;
	void *array = r->relay;

	if (i == RELAY_NONE) {
		if (!array_grow(&sys->env->memory, &array, &r->relay_room,
			sizeof(*r->relay), room > 0 ? room * 2 : RELAYS_FIRST))
			return RELAY_NONE;
		r->relay = array;
		for (i = r->relay_room; i-- > room; r->relay_free = i)
			r->relay[i].at = r->relay_free;
		i = room;
	}
	r->relay_free = r->relay[i].at;
	r->relays++;
	return i;
}

static void
relay_free(struct router *r, uint32_t i)
{
	r->relay[i].at = r->relay_free;
	r->relay_free = i;
	r->relays--;
}

/* One ask less for the entry it was counted for, if that is still there. */
static void
relay_uncount(struct router *r, const struct relay *relay)
{
	uint32_t i = relay->at;

	if (i >= r->count || r->routee[i].serial != relay->serial)
		for (i = 0;
		     i < r->count && r->routee[i].serial != relay->serial; i++)
			;
	if (i < r->count)
		r->routee[i].asks--;
}

/* The answer, or what else ended the router's ask. */
static int
router_answered(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct tri_crew *c = tri_crew_of(self);
	struct router *r = state;
	struct relay *relay = &r->relay[cookie];
	struct tri_record *duty =
	    tri_record_find(c, relay->duty, TRI_RECORD_DUTY);
	struct tr_msg *m = c->turn.msg;
	bool shrunk = relay->shrunk;
	tr_ref asker;

	(void)answer;
	TR_ASSERT(duty != NULL);
	relay_uncount(r, relay);
	relay_free(r, (uint32_t)cookie);
	if (m->kind != TRI_MSG_REPLY && !shrunk) {
		/* The deadline, and the asker knows that one itself. */
		tri_record_end(c, duty);
	} else if (outcome != TR_OK) {
		tri_duty_end(c, duty, outcome);
	} else {
		m = router_take(c);
		asker.bits = duty->u.asker;
		tri_msg_reply(m)->ask = duty->cookie;
		tri_record_end(c, duty);
		tri_deliver(c, asker, m);
	}
	return TR_OK;
}

/* The records of an ask that is passed on.  false: no memory. */
static bool
relay_records(struct tri_crew *c, struct tri_record **ask,
    struct tri_record **duty)
{
	*ask = tri_record_new(c, TRI_RECORD_ASK);
	if (*ask == NULL)
		return false;
	*duty = tri_record_new(c, TRI_RECORD_DUTY);
	if (*duty == NULL)
		tri_record_end(c, *ask);
	return *duty != NULL;
}

/* Put an ask of the router's between.  NULL: no memory, it is passed on as it
 * is and not counted. */
static struct tri_record *
relay_begin(struct tri_crew *c, struct router *r, struct tr_msg *m)
{
	struct tri_msg_ask *ext = tri_msg_ask(m);
	uint32_t i = relay_new(c->desk.sys, r);
	struct tri_record *ask, *duty;

	if (i == RELAY_NONE)
		return NULL;
	if (!relay_records(c, &ask, &duty)) {
		relay_free(r, i);
		return NULL;
	}
	duty->u.asker = m->sender;
	duty->cookie = ext->ask;
	r->relay[i].duty = tri_record_id(duty);
	ask->u.answer = router_answered;
	ask->cookie = i;
	ask->node.deadline = ext->deadline;
	tri_record_relay(ask, ext->ask);
	if (ext->deadline != INT64_MAX)
		tri_record_arm(c, ask);
	/* The router does know of it, and tells. */
	r->relay[i].shrunk = (m->flags & TRI_MSG_SHRUNK) != 0;
	m->flags &= (uint8_t)~TRI_MSG_SHRUNK;
	ext->ask = tri_record_id(ask);
	m->sender = c->turn.ref.bits;
	return ask;
}

/* Nobody was there to ask: the request is the asker's again. */
static void
relay_undo(struct tri_crew *c, struct router *r, struct tr_msg *m,
    struct tri_record *ask)
{
	uint32_t i = (uint32_t)ask->cookie;
	struct tri_record *duty =
	    tri_record_find(c, r->relay[i].duty, TRI_RECORD_DUTY);

	m->sender = duty->u.asker;
	tri_msg_ask(m)->ask = duty->cookie;
	if (r->relay[i].shrunk)
		m->flags |= TRI_MSG_SHRUNK;
	tri_record_end(c, duty);
	tri_record_end(c, ask);
	relay_free(r, i);
}

static void
router_relay(struct tri_crew *c, struct router *r, struct tr_msg *m)
{
	struct tri_record *ask = relay_begin(c, r, m);
	uint32_t at;

	if (!router_hand_on(c, r, m, &at)) {
		if (ask != NULL)
			relay_undo(c, r, m, ask);
		router_lose(c, m, TR_DEAD_NO_ACTOR);
	} else if (ask != NULL) {
		struct relay *relay = &r->relay[ask->cookie];

		relay->serial = r->routee[at].serial;
		relay->at = at;
		r->routee[at].asks++;
	}
}

/* --------------------------------------------------------- broadcasting - */

static struct tr_msg *
copy_make(struct tri_crew *c, struct tr_msg *m)
{
	const tr_blob *blob = tr_msg_blob(m);
	struct tr_msg *copy = blob != NULL ?
	    tri_blob_msg(&c->desk, TRI_MSG_PLAIN, 0, m->tag, blob) :
	    tri_msg_alloc(&c->desk, TRI_MSG_PLAIN, 0, m->tag, m->size);

	if (copy == NULL)
		return NULL;
	copy->sender = m->sender;
	if (blob == NULL)
		tri_msg_copy_in(copy, tri_msg_payload(m), m->size);
	return copy;
}

static bool
copy_is_possible(struct tr_msg *m)
{
	return (m->flags & TRI_MSG_EXTRA_EXT) == 0 || tr_msg_blob(m) != NULL;
}

/* The message and n - 1 copies, linked.  false: no memory, and only the
 * message is left. */
static bool
copies_make(struct tri_crew *c, struct tr_msg *m, uint32_t n)
{
	struct tr_msg *copy;
	uint32_t i;

	m->link = NULL;
	for (i = 1; i < n; i++) {
		copy = copy_make(c, m);
		if (copy == NULL)
			break;
		copy->link = m->link;
		m->link = copy;
	}
	if (i >= n)
		return true;
	while ((copy = m->link) != NULL) {
		m->link = copy->link;
		tri_msg_dispose(c, copy, TR_ENOMEM);
	}
	return false;
}

/* As many messages as there are routees, at least one. */
static void
copies_send(struct tri_crew *c, struct router *r, struct tr_msg *list)
{
	struct tr_msg *refused = NULL;
	bool delivered = false;
	uint32_t i;

	for (i = r->count; i-- > 0;) {
		struct tr_msg *m = list;

		list = m->link;
		if (router_push(c, r->routee[i].ref, m)) {
			delivered = true;
			continue;
		}
		/* The last one, which takes this place, was served. */
		routee_take_out(r, i);
		if (refused != NULL)
			tri_msg_dispose(c, refused, TR_EDEAD);
		refused = m;
	}
	if (refused != NULL && !delivered)
		router_lose(c, refused, TR_DEAD_NO_ACTOR);
	else if (refused != NULL)
		tri_msg_dispose(c, refused, TR_EDEAD);
}

static int
router_broadcast(struct tri_crew *c, struct router *r, struct tr_msg *m)
{
	if (m->kind == TRI_MSG_ASK)
		return tr_reply_error(c->turn.cell, m, TR_EINVAL);
	if (r->count > 1 && !copy_is_possible(m))
		return tr_unhandled(c->turn.cell, m);
	m = router_take(c);
	if (r->count == 0)
		router_lose(c, m, TR_DEAD_NO_ACTOR);
	else if (!copies_make(c, m, r->count))
		router_lose(c, m, TR_DEAD_BUDGET);
	else
		copies_send(c, r, m);
	return TR_OK;
}

/* ------------------------------------------------------------ behaviour - */

static int
router_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct tri_crew *c = tri_crew_of(self);
	struct router *r = state;
	struct tr_msg *m = c->turn.msg;
	uint32_t at;

	/* What is embedded in a record cannot be passed on. */
	if (m->size_class == TRI_CLASS_EMBEDDED)
		return tr_unhandled(self, msg);
	router_follow(c->desk.sys, r);
	if (r->strategy == TR_ROUTE_BROADCAST)
		return router_broadcast(c, r, m);
	m = router_take(c);
	if (r->strategy == TR_ROUTE_LEAST_LOADED && m->kind == TRI_MSG_ASK)
		router_relay(c, r, m);
	else if (!router_hand_on(c, r, m, &at))
		router_lose(c, m, TR_DEAD_NO_ACTOR);
	return TR_OK;
}

static void
router_free(struct tr_system *sys, struct router *r)
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
	struct router *r = state;
	uint32_t i;

	r->strategy = (enum tr_route)plan->strategy;
	r->key = plan->key;
	r->relay_free = RELAY_NONE;
	r->version = UINT64_MAX;
	if (plan->group[0] != '\0') {
		r->group = tri_group_hold(sys, plan->group);
		return r->group != NULL ? TR_OK : TR_ENOMEM;
	}
	if (!routees_grow(sys, r, plan->count + ROUTEES_FIRST))
		return TR_ENOMEM;
	for (i = 0; i < plan->count; i++)
		routee_append(r, plan->routee[i]);
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
#define ROUTER(routees)                                                \
	{                                                              \
		.name = "router", .state_size = sizeof(struct router), \
		.arg_size = offsetof(struct plan, routee) +            \
		    (routees) * sizeof(tr_ref),                        \
		.start = router_start, .receive = router_receive,      \
		.stop = router_stop,                                   \
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
	plan = memory->alloc(memory->ctx, b->arg_size);
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
static struct router *
call_router(struct tr_self *a)
{
	const struct tr_behavior *b = tri_load_relaxed(&a->behavior);
	struct router *r;

	if (b->receive != router_receive)
		return NULL;
	r = tri_actor_state(a, b);
	return r->group == NULL ? r : NULL;
}

static int
call_add(struct tri_crew *c, struct tr_self *a, struct tr_msg *m)
{
	const struct router_call *call = tri_msg_payload(m);
	struct router *r = call_router(a);

	if (r == NULL)
		return TR_OK;
	if (r->count == r->room && !routees_grow(c->desk.sys, r, r->room * 2)) {
		tri_log(c->desk.sys, TR_LOG_ERROR,
		    "router: no memory for one routee more");
		return TR_OK;
	}
	routee_append(r, call->routee);
	return TR_OK;
}

static int
call_remove(struct tri_crew *c, struct tr_self *a, struct tr_msg *m)
{
	const struct router_call *call = tri_msg_payload(m);
	struct router *r = call_router(a);
	uint32_t i;

	(void)c;
	if (r == NULL)
		return TR_OK;
	for (i = r->count; i-- > 0;)
		if (tr_ref_equal(r->routee[i].ref, call->routee))
			routee_take_out(r, i);
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
