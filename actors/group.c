/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Process groups: a table by name (shard.h) of arrays of members.
 *
 * A membership is seen from two sides.  The group has an array of seats, from
 * which a sender copies the references; the member, in its actor's own list,
 * knows its seat.  Who leaves puts the last seat into the place of its own,
 * and so an actor that ends leaves each of its groups in O(1).
 *
 * The shard's lock guards seats and members' `at`; an actor's list is its
 * own.  A group's name and address hold as long as it has members or is held,
 * so a member reads the name of its group without the lock.  No message is
 * made or sent under a lock, and no array allocated; a seats array that grows
 * is copied under it.
 */
#include "actors/group.h"

#include "sched/lock.h"
#include "troupe/group.h"

#include <string.h>

enum { SEATS_FIRST = 4 };

struct seat {
	tr_ref ref;
	struct tri_member *member;
};

struct tri_group {
	struct tri_named named;
	struct seat *seat; /* it keeps its size until the group is empty */
	uint32_t count;
	uint32_t room;
	uint32_t holds;
	_Atomic uint64_t version;
};

struct tri_member {
	struct tri_member *next_own; /* of its actor */
	struct tri_group *group;
	uint32_t at; /* its seat */
};

/* What a join may turn out to need, found out under the lock and allocated
 * outside of it. */
struct spare {
	struct tri_group *group;
	struct seat *seat;
	uint32_t room;
};

static struct tri_group *
group_of(struct tri_named *e)
{
	return e == NULL ? NULL : tri_container_of(e, struct tri_group, named);
}

static struct tri_shard *
group_shard(struct tr_system *sys, const struct tri_named *name)
{
	return tri_shard_of(sys->groups, name->hash);
}

static void
group_free(struct tri_memory *memory, struct tri_named *e)
{
	struct tri_group *g = group_of(e);

	if (g->seat != NULL)
		memory->free(memory->ctx, g->seat);
	memory->free(memory->ctx, g);
}

bool
tri_groups_init(struct tr_system *sys)
{
	return tri_shards_init(sys->groups, sys->env);
}

void
tri_groups_fini(struct tr_system *sys)
{
	tri_shards_fini(sys->groups, sys->env, group_free);
}

/* Under the lock: others shall see that it is another set of members. */
static void
group_changed(struct tri_group *g)
{
	/* rel: pairs with tri_group_version. */
	tri_store_release(&g->version, tri_load_relaxed(&g->version) + 1);
}

/* Under the lock: true if nobody needs it any more, and it was unlinked. */
static bool
group_unlink_if_empty(struct tri_shard *s, struct tri_group *g)
{
	if (g->count > 0 || g->holds > 0)
		return false;
	tri_shard_remove(s, &g->named);
	return true;
}

/* ------------------------------------------------- joining and leaving -- */

static void
spare_free(struct tri_memory *memory, struct spare *spare)
{
	if (spare->group != NULL)
		memory->free(memory->ctx, spare->group);
	if (spare->seat != NULL)
		memory->free(memory->ctx, spare->seat);
}

/* Have a group and `room` seats in store.  false: no memory. */
static bool
spare_fill(struct tri_memory *memory, struct spare *spare,
    const struct tri_named *name, uint32_t room)
{
	if (spare->group == NULL)
		spare->group =
		    tri_memory_alloc(memory, sizeof(*spare->group), "group");
	if (spare->group == NULL)
		return false;
	memset(spare->group, 0, sizeof(*spare->group));
	spare->group->named = *name;
	if (spare->room >= room)
		return true;
	if (spare->seat != NULL)
		memory->free(memory->ctx, spare->seat);
	spare->seat = tri_memory_alloc(memory, room * sizeof(*spare->seat),
	    "group seats");
	spare->room = spare->seat != NULL ? room : 0;
	return spare->seat != NULL;
}

/* Under the lock: the group of that name, if need be the spare one. */
static struct tri_group *
group_find_or_add(struct tr_system *sys, struct tri_shard *s,
    const struct tri_named *name, struct spare *spare)
{
	struct tri_named **at = tri_shard_find(s, name);
	struct tri_group *g = group_of(*at);

	if (g != NULL || spare->group == NULL)
		return g;
	g = spare->group;
	spare->group = NULL;
	tri_shard_insert(s, sys->env, at, &g->named);
	return g;
}

/* Under the lock: one more seat, if need be in the spare array, which the old
 * one replaces. */
static bool
group_make_room(struct tri_group *g, struct spare *spare)
{
	struct spare old = { .seat = g->seat, .room = g->room };

	if (g->count < g->room)
		return true;
	if (spare->room <= g->room)
		return false;
	if (g->count > 0)
		memcpy(spare->seat, g->seat, g->count * sizeof(*g->seat));
	g->seat = spare->seat;
	g->room = spare->room;
	spare->seat = old.seat;
	spare->room = old.room;
	return true;
}

/* Try to seat a member; 0: it is, else how many seats are wanted in store. */
static uint32_t
group_seat(struct tr_system *sys, const struct tri_named *name,
    struct tri_member *m, tr_ref ref, struct spare *spare)
{
	struct tri_shard *s = group_shard(sys, name);
	uint32_t wanted = SEATS_FIRST;
	struct tri_group *g;

	tri_lock(sys->env, &s->lock);
	g = group_of(*tri_shard_find(s, name));
	/* A group is not left in the table without a member for its seat. */
	if (g == NULL && spare->room >= SEATS_FIRST)
		g = group_find_or_add(sys, s, name, spare);
	if (g != NULL) {
		wanted = g->room < SEATS_FIRST ? SEATS_FIRST : g->room * 2;
		if (group_make_room(g, spare)) {
			wanted = 0;
			m->group = g;
			m->at = g->count;
			g->seat[g->count++] = (struct seat){ ref, m };
			group_changed(g);
		}
	}
	tri_unlock(&s->lock);
	return wanted;
}

/* The actor's membership, and where it is linked; NULL: none. */
static struct tri_member **
member_find(struct tri_cold *cold, const struct tri_named *name)
{
	struct tri_member **at = &cold->groups;

	while (*at != NULL &&
	    ((*at)->group->named.hash != name->hash ||
		strcmp((*at)->group->named.text, name->text) != 0))
		at = &(*at)->next_own;
	return at;
}

int
tr_pg_join(struct tr_self *self, const char *name)
{
	struct tri_crew *c = tri_crew_of(self);
	struct tr_system *sys = c->desk.sys;
	struct tri_memory *memory = &sys->env->memory;
	struct tri_cold *cold = tri_cold(sys, self);
	struct spare spare = { 0 };
	struct tri_member *m;
	struct tri_named key;
	uint32_t wanted;
	bool enough = true;

	if (c->turn.stopping)
		return TR_ESTOPPING;
	if (!tri_named_set(&key, name))
		return TR_EINVAL;
	if (*member_find(cold, &key) != NULL)
		return TR_OK;
	m = tri_memory_alloc(memory, sizeof(*m), "group membership");
	if (m == NULL)
		return TR_ENOMEM;
	while ((wanted = group_seat(sys, &key, m, c->turn.ref, &spare)) > 0 &&
	    enough)
		enough = spare_fill(memory, &spare, &key, wanted);
	spare_free(memory, &spare);
	if (wanted > 0) {
		memory->free(memory->ctx, m);
		return TR_ENOMEM;
	}
	m->next_own = cold->groups;
	cold->groups = m;
	if ((tri_load_relaxed(&self->ident) & TRI_IDENT_COLD) == 0)
		tri_fetch_or_acq_rel(&self->ident, TRI_IDENT_COLD);
	return TR_OK;
}

/* Give the seat up; the member is out of its actor's list. */
static void
member_leave(struct tr_system *sys, struct tri_member *m)
{
	struct tri_memory *memory = &sys->env->memory;
	struct tri_group *g = m->group;
	struct tri_shard *s = group_shard(sys, &g->named);
	struct seat *last;
	bool empty;

	tri_lock(sys->env, &s->lock);
	TR_ASSERT(m->at < g->count && g->seat[m->at].member == m);
	last = &g->seat[--g->count];
	last->member->at = m->at;
	g->seat[m->at] = *last;
	group_changed(g);
	empty = group_unlink_if_empty(s, g);
	tri_unlock(&s->lock);
	if (empty)
		group_free(memory, &g->named);
	memory->free(memory->ctx, m);
}

int
tr_pg_leave(struct tr_self *self, const char *name)
{
	struct tri_crew *c = tri_crew_of(self);
	struct tri_named key;
	struct tri_member **at, *m;

	if (!tri_named_set(&key, name))
		return TR_EINVAL;
	at = member_find(tri_cold(c->desk.sys, self), &key);
	m = *at;
	if (m == NULL)
		return TR_EINVAL;
	*at = m->next_own;
	member_leave(c->desk.sys, m);
	return TR_OK;
}

void
tri_groups_remove(struct tri_desk *d, struct tr_self *a)
{
	struct tri_cold *cold = tri_cold(d->sys, a);
	struct tri_member *m;

	while ((m = cold->groups) != NULL) {
		cold->groups = m->next_own;
		member_leave(d->sys, m);
	}
}

/* ------------------------------------------------------------- members -- */

void
tri_refs_free(struct tr_system *sys, struct tri_refs *refs)
{
	struct tri_memory *memory = &sys->env->memory;

	if (refs->ref != NULL && refs->ref != refs->few)
		memory->free(memory->ctx, refs->ref);
	refs->ref = NULL;
	refs->room = 0;
	refs->count = 0;
}

/* Room for n, and a few who join meanwhile; what was there is lost. */
static bool
refs_make_room(struct tr_system *sys, struct tri_refs *refs, uint32_t n)
{
	struct tri_memory *memory = &sys->env->memory;
	uint32_t room = n + n / 8 + 8;

	tri_refs_free(sys, refs);
	refs->ref = tri_memory_alloc(memory, room * sizeof(*refs->ref),
	    "group members");
	if (refs->ref != NULL)
		refs->room = room;
	return refs->ref != NULL;
}

/* Under the lock: copy the members, if there is room. */
static bool
group_copy(const struct tri_group *g, struct tri_refs *refs)
{
	uint32_t i;

	refs->count = g != NULL ? g->count : 0;
	if (refs->count > refs->room)
		return false;
	for (i = 0; i < refs->count; i++)
		refs->ref[i] = g->seat[i].ref;
	return true;
}

bool
tri_group_copy(struct tr_system *sys, struct tri_group *g,
    struct tri_refs *refs, uint64_t *version)
{
	struct tri_shard *s = group_shard(sys, &g->named);
	bool done;

	do {
		tri_lock(sys->env, &s->lock);
		*version = tri_load_relaxed(&g->version);
		done = group_copy(g, refs);
		tri_unlock(&s->lock);
	} while (!done && refs_make_room(sys, refs, refs->count));
	return done;
}

bool
tri_group_members(struct tr_system *sys, const struct tri_named *name,
    struct tri_refs *refs)
{
	struct tri_shard *s = group_shard(sys, name);
	bool done;

	do {
		tri_lock(sys->env, &s->lock);
		done = group_copy(group_of(*tri_shard_find(s, name)), refs);
		tri_unlock(&s->lock);
	} while (!done && refs_make_room(sys, refs, refs->count));
	return done;
}

size_t
tr_pg_members(struct tr_system *system, const char *name, tr_ref *refs,
    size_t max)
{
	size_t count = 0, i;
	struct tri_named key;
	struct tri_shard *s;
	struct tri_group *g;

	if (!tri_named_set(&key, name))
		return 0;
	s = group_shard(system, &key);
	tri_lock(system->env, &s->lock);
	g = group_of(*tri_shard_find(s, &key));
	if (g != NULL)
		count = g->count;
	for (i = 0; i < count && i < max; i++)
		refs[i] = g->seat[i].ref;
	tri_unlock(&s->lock);
	return count;
}

struct tri_group *
tri_group_hold(struct tr_system *sys, const char *name)
{
	struct tri_memory *memory = &sys->env->memory;
	struct spare spare = { 0 };
	struct tri_group *g;
	struct tri_named key;
	struct tri_shard *s;

	if (!tri_named_set(&key, name) || !spare_fill(memory, &spare, &key, 0))
		return NULL;
	s = group_shard(sys, &key);
	tri_lock(sys->env, &s->lock);
	g = group_find_or_add(sys, s, &key, &spare);
	g->holds++;
	tri_unlock(&s->lock);
	spare_free(memory, &spare);
	return g;
}

void
tri_group_release(struct tr_system *sys, struct tri_group *g)
{
	struct tri_shard *s = group_shard(sys, &g->named);
	bool empty;

	tri_lock(sys->env, &s->lock);
	g->holds--;
	empty = group_unlink_if_empty(s, g);
	tri_unlock(&s->lock);
	if (empty)
		group_free(&sys->env->memory, &g->named);
}

uint64_t
tri_group_version(const struct tri_group *g)
{
	/* acq: pairs with group_changed. */
	return tri_load_acquire(&g->version);
}
