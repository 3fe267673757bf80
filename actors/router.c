/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Routers: actors of the library that hand messages on.
 *
 * The message in hand is detached and pushed into the routee's mailbox as it
 * is: same block, same sender, same duty to answer.  The router has handled
 * it, and it is sent once more, so the counters add up.
 *
 * A routee that is taken out leaves its place to the last in the list, which
 * is what the jump hash wants: only the keys of these two move.
 */
#include "actors/router.h"

#include "actors/blob.h"
#include "actors/send.h"

#include <string.h>

/* ------------------------------------------------------------ routees --- */

bool
tri_router_grow(struct tri_memory *memory, void **array, uint32_t *room,
    size_t size, uint32_t wanted)
{
	void *larger;

	if (wanted <= *room)
		return true;
	larger = tri_memory_alloc(memory, wanted * size, "router list");
	if (larger == NULL)
		return false;
	if (*array != NULL) {
		memcpy(larger, *array, *room * size);
		memory->free(memory->ctx, *array);
	}
	*array = larger;
	*room = wanted;
	return true;
}

bool
tri_routees_grow(struct tr_system *sys, struct tri_router *r, uint32_t wanted)
{
	void *array = r->routee;
	bool done = tri_router_grow(&sys->env->memory, &array, &r->room,
	    sizeof(*r->routee), wanted);

	r->routee = array;
	return done;
}

void
tri_routee_append(struct tri_router *r, tr_ref ref)
{
	TR_ASSERT(r->routee != NULL && r->count < r->room);
	r->routee[r->count++] =
	    (struct tri_routee){ .ref = ref, .serial = r->serial++ };
}

void
tri_routee_take_out(struct tri_router *r, uint32_t i)
{
	r->routee[i] = r->routee[--r->count];
}

/* The place of a routee in an array, `hint` being likely; n: not there. */
static uint32_t
routee_find(const struct tri_routee *array, uint32_t n, uint32_t hint,
    tr_ref ref)
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
router_replace(struct tr_system *sys, struct tri_router *r,
    const struct tri_refs *refs)
{
	struct tri_memory *memory = &sys->env->memory;
	struct tri_routee *old = r->routee;
	uint32_t n = r->count, room = r->room, i, k;

	r->routee = NULL;
	r->room = 0;
	if (!tri_routees_grow(sys, r, refs->count + TRI_ROUTEES_FIRST)) {
		r->routee = old;
		r->room = room;
		return false;
	}
	r->count = 0;
	for (i = 0; i < refs->count; i++) {
		tri_routee_append(r, refs->ref[i]);
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
router_follow(struct tr_system *sys, struct tri_router *r)
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
router_least(const struct tri_router *r)
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
router_pick(struct tri_router *r, uint64_t key)
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
router_key(const struct tri_router *r, const struct tr_msg *m)
{
	if (r->strategy != TR_ROUTE_HASH)
		return 0;
	return key_mix(r->key != NULL ? r->key(m) : m->sender);
}

/* ---------------------------------------------------------- handing on -- */

struct tr_msg *
tri_router_take(struct tri_crew *c)
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

void
tri_router_lose(struct tri_crew *c, struct tr_msg *m,
    enum tr_dead_reason reason)
{
	tri_count(&c->desk.counts.sent, (uint64_t)1);
	tri_msg_dead(c, c->turn.ref, m, reason, TR_EDEAD);
}

bool
tri_router_hand_on(struct tri_crew *c, struct tri_router *r, struct tr_msg *m,
    uint32_t *at)
{
	uint64_t key = router_key(r, m);

	while (r->count > 0) {
		*at = router_pick(r, key);
		if (router_push(c, r->routee[*at].ref, m))
			return true;
		tri_routee_take_out(r, *at);
	}
	return false;
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
copies_send(struct tri_crew *c, struct tri_router *r, struct tr_msg *list)
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
		tri_routee_take_out(r, i);
		if (refused != NULL)
			tri_msg_dispose(c, refused, TR_EDEAD);
		refused = m;
	}
	if (refused != NULL && !delivered)
		tri_router_lose(c, refused, TR_DEAD_NO_ACTOR);
	else if (refused != NULL)
		tri_msg_dispose(c, refused, TR_EDEAD);
}

static int
router_broadcast(struct tri_crew *c, struct tri_router *r, struct tr_msg *m)
{
	if (m->kind == TRI_MSG_ASK)
		return tr_reply_error(c->turn.cell, m, TR_EINVAL);
	if (r->count > 1 && !copy_is_possible(m))
		return tr_unhandled(c->turn.cell, m);
	m = tri_router_take(c);
	if (r->count == 0)
		tri_router_lose(c, m, TR_DEAD_NO_ACTOR);
	else if (!copies_make(c, m, r->count))
		tri_router_lose(c, m, TR_DEAD_BUDGET);
	else
		copies_send(c, r, m);
	return TR_OK;
}

/* ------------------------------------------------------------ behaviour - */

int
tri_router_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct tri_crew *c = tri_crew_of(self);
	struct tri_router *r = state;
	struct tr_msg *m = c->turn.msg;
	uint32_t at;

	/* What is embedded in a record cannot be passed on. */
	if (m->size_class == TRI_CLASS_EMBEDDED)
		return tr_unhandled(self, msg);
	router_follow(c->desk.sys, r);
	if (r->strategy == TR_ROUTE_BROADCAST)
		return router_broadcast(c, r, m);
	m = tri_router_take(c);
	if (r->strategy == TR_ROUTE_LEAST_LOADED && m->kind == TRI_MSG_ASK)
		tri_router_relay(c, r, m);
	else if (!tri_router_hand_on(c, r, m, &at))
		tri_router_lose(c, m, TR_DEAD_NO_ACTOR);
	return TR_OK;
}
