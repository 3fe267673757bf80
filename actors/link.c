/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links: to end together; and exit signals.
 *
 * A link has two sides, a record each, in the list of its actor and in a table
 * by (own reference, the other's), which is what makes it at most one for a
 * pair.  Only its owner's turns look for it or change it; the shard's lock is
 * for the chains.
 *
 * tr_link() allocates both: its own, and the other's, which travels as the
 * message LINK and is adopted there.  At death a side's embedded message
 * becomes the EXIT for the other.  So an EXIT needs no memory.  A LINK that
 * finds nobody comes back as an EXIT with TR_NOPROC.
 *
 * An EXIT counts only if its receiver still has its side.  tr_unlink() marks
 * the own side at once (being undone), so no EXIT is seen from then on, and
 * sends the side's message as UNLINK; the other removes its side and sends it
 * back as UNLINKED; only then is the own side gone.  Until then a LINK of the
 * other, which had been sent before it saw the UNLINK, is ignored: else one
 * side alone would be left.  (Erlang's link protocol of OTP 23 and later.)
 * That goes for an actor that lives again meanwhile, so a side that is being
 * undone stays until then.
 *
 * An actor that lives again keeps its reference, so an EXIT of its former life
 * might meet a link with the next.  Therefore links are numbered, by their
 * first side's name (`cookie`, on both sides); where both sides link at once
 * there are two numbers, and each side learns the other's (`relay`).  An EXIT
 * counts if both sides have a number in common.
 *
 * It also counts where the own side is one that the other has asked for
 * (`missed`): its EXITs of former lives were sent before that, and have come
 * before.  Numbers would not do there: where both undo a link and link again,
 * all at once, each one's UNLINK ends the other's new side, and each adopts
 * what the other asks for next, under different numbers.
 */
#include "actors/keep.h"

#include <string.h>

#include "sched/lock.h"
#include <troupe/failure.h>

enum { BUCKETS_FIRST = 16 };

static struct tri_record *
record_of(struct tr_msg *m)
{
	return tri_container_of(m, struct tri_record, msg);
}

/* --------------------------------------------------------------- table --- */

static uint64_t
link_hash(uint64_t own, uint64_t other)
{
	uint64_t x = own * UINT64_C(0x9e3779b97f4a7c15) ^
	    other * UINT64_C(0xbf58476d1ce4e5b9);

	x ^= x >> 29;
	return x * UINT64_C(0x94d049bb133111eb);
}

static uint64_t
record_hash(const struct tri_record *r)
{
	return link_hash(tri_load_relaxed(&r->owner), r->u.target);
}

bool
tri_links_init(struct tr_system *sys)
{
	struct tri_memory *memory = &sys->env->memory;
	size_t bytes = BUCKETS_FIRST * sizeof(struct tri_record *);
	unsigned i;

	for (i = 0; i < TRI_LINK_SHARDS; i++) {
		struct tri_links *s = &sys->links[i];

		tri_lock_init(&s->lock);
		s->bucket = memory->alloc(memory->ctx, bytes);
		if (s->bucket == NULL)
			return false;
		memset(s->bucket, 0, bytes);
		s->buckets = BUCKETS_FIRST;
	}
	return true;
}

void
tri_links_fini(struct tr_system *sys)
{
	struct tri_memory *memory = &sys->env->memory;
	unsigned i;

	for (i = 0; i < TRI_LINK_SHARDS; i++) {
		if (sys->links[i].bucket != NULL)
			memory->free(memory->ctx, sys->links[i].bucket);
		sys->links[i].bucket = NULL;
	}
}

/* Under the lock: twice the buckets, if there is memory for them. */
static void
links_grow(struct tr_system *sys, struct tri_links *s)
{
	struct tri_memory *memory = &sys->env->memory;
	uint32_t n = s->buckets * 2, i;
	struct tri_record **bucket =
	    tri_memory_alloc(memory, n * sizeof(*bucket), "links growth");

	if (bucket == NULL)
		return; /* longer chains, that is all */
	memset(bucket, 0, n * sizeof(*bucket));
	for (i = 0; i < s->buckets; i++)
		while (s->bucket[i] != NULL) {
			struct tri_record *r = s->bucket[i];
			struct tri_record **at =
			    &bucket[record_hash(r) & (n - 1)];

			s->bucket[i] = r->watched[0];
			r->watched[0] = *at;
			*at = r;
		}
	memory->free(memory->ctx, s->bucket);
	s->bucket = bucket;
	s->buckets = n;
}

/* Under the lock: where it is linked, or would be. */
static struct tri_record **
links_at(struct tri_links *s, uint64_t hash, uint64_t own, uint64_t other)
{
	struct tri_record **at = &s->bucket[hash & (s->buckets - 1)];

	while (*at != NULL &&
	    (tri_load_relaxed(&(*at)->owner) != own ||
		(*at)->u.target != other))
		at = &(*at)->watched[0];
	return at;
}

/* The side of one actor; in its turn. */
static struct tri_record *
link_find(struct tri_crew *c, uint64_t own, uint64_t other)
{
	struct tr_system *sys = c->desk.sys;
	uint64_t hash = link_hash(own, other);
	struct tri_links *s = &sys->links[hash >> 60];
	struct tri_record *r;

	tri_lock(sys->env, &s->lock);
	r = *links_at(s, hash, own, other);
	tri_unlock(&s->lock);
	return r;
}

static void
link_insert(struct tri_crew *c, struct tri_record *r)
{
	struct tr_system *sys = c->desk.sys;
	uint64_t own = tri_load_relaxed(&r->owner), hash = record_hash(r);
	struct tri_links *s = &sys->links[hash >> 60];
	struct tri_record **at;

	tri_lock(sys->env, &s->lock);
	at = links_at(s, hash, own, r->u.target);
	TR_DASSERT(*at == NULL);
	r->watched[0] = NULL;
	*at = r;
	if (++s->count > s->buckets)
		links_grow(sys, s);
	tri_unlock(&s->lock);
	tri_seen(sys, TRI_EVENT_LINKED, (tr_ref){ own }, NULL, r->u.target, 0);
}

static void
link_remove(struct tri_crew *c, struct tri_record *r)
{
	struct tr_system *sys = c->desk.sys;
	uint64_t own = tri_load_relaxed(&r->owner), hash = record_hash(r);
	struct tri_links *s = &sys->links[hash >> 60];
	struct tri_record **at;

	tri_lock(sys->env, &s->lock);
	at = links_at(s, hash, own, r->u.target);
	TR_ASSERT(*at == r);
	*at = r->watched[0];
	s->count--;
	tri_unlock(&s->lock);
}

_Static_assert(TRI_LINK_SHARDS == 16, "the top four bits choose the shard");

/* The running actor's side goes. */
static void
link_end(struct tri_crew *c, struct tri_record *r)
{
	link_remove(c, r);
	tri_record_end(c, r);
}

/* No EXIT is seen because of it from now on. */
static void
link_is_over(struct tri_crew *c, const struct tri_record *r)
{
	tri_seen(c->desk.sys, TRI_EVENT_UNLINKED, c->turn.ref, NULL,
	    r->u.target, 0);
}

/* ---------------------------------------------------------------- EXITs -- */

static void
link_message(struct tri_record *r, enum tri_msg_kind kind, uint64_t sender)
{
	r->msg = (struct tr_msg){
		.sender = sender,
		.offset = sizeof(struct tr_msg),
		.kind = (uint8_t)kind,
		.size_class = TRI_CLASS_EMBEDDED,
	};
}

/* The record, which nobody owns any more, goes to `to` as an EXIT. */
static void
link_send_exit(struct tri_crew *c, struct tri_record *r, uint64_t from,
    uint64_t to, const struct tr_reason *why)
{
	struct tr_exit_signal exit = { .from = { from }, .reason = *why };

	link_message(r, TRI_MSG_EXIT, from);
	r->msg.size = sizeof(exit);
	memcpy(r->payload, &exit, sizeof(exit));
	tri_deliver(c, (tr_ref){ to }, &r->msg);
}

bool
tri_links_tell(struct tri_crew *c, struct tr_self *a,
    const struct tr_reason *why, bool lives, unsigned *left)
{
	struct tri_cold *cold = tri_cold(c->desk.sys, a);
	struct tri_record *r, *next;

	for (r = cold->links; r != NULL; r = next) {
		bool undone = r->outcome != 0;

		next = r->next;
		/* Its next life has to ignore what is under way, too. */
		if (undone && lives)
			continue;
		if (*left == 0)
			return false;
		--*left;
		/* Its message goes out now, or is on its way as an UNLINK. */
		if (!undone) {
			tri_store_relaxed(&r->holds, (uint32_t)TRI_HOLD_SENT);
			link_is_over(c, r);
		}
		link_end(c, r);
		if (!undone)
			link_send_exit(c, r, c->turn.ref.bits, r->u.target,
			    why);
	}
	cold->traps = false;
	return true;
}

/* Whether the other's side, whose EXIT has come, is of the same link as this
 * one's: see the essay. */
static bool
link_is_same(const struct tri_record *mine, const struct tri_record *theirs)
{
	uint64_t m2 = tri_load_relaxed(&mine->relay);
	uint64_t t2 = tri_load_relaxed(&theirs->relay);

	return tri_load_relaxed(&mine->missed) != 0 ||
	    mine->cookie == theirs->cookie || mine->cookie == t2 ||
	    m2 == theirs->cookie || (m2 == t2 && m2 != 0);
}

bool
tri_exit_awaits(struct tri_crew *c, struct tr_msg *m)
{
	struct tri_record *r;

	if (m->size_class != TRI_CLASS_EMBEDDED)
		return tri_keep_concerns(c, c->turn.cell, m); /* a signal */
	r = link_find(c, c->turn.ref.bits, m->sender);
	/* If it is being undone, and the other has ended, its UNLINK will come
	 * back, and then the record goes. */
	return r != NULL && r->outcome == 0 && link_is_same(r, record_of(m));
}

int
tri_exit_taken(struct tri_crew *c, struct tr_self *a, struct tr_msg *m)
{
	const struct tr_behavior *b = tri_load_relaxed(&a->behavior);
	struct tri_cold *cold = tri_cold(c->desk.sys, a);
	struct tr_exit_signal exit;

	memcpy(&exit, tri_msg_payload(m), sizeof(exit));
	if (m->size_class == TRI_CLASS_EMBEDDED) {
		tri_seen(c->desk.sys, TRI_EVENT_EXIT, c->turn.ref, m, m->sender,
		    exit.reason.code);
		link_end(c, link_find(c, c->turn.ref.bits, m->sender));
	}
	if ((tri_load_relaxed(&a->ident) & TRI_IDENT_COLD) != 0 &&
	    cold->traps) {
		m->tag = cold->trap_tag;
		if (m->size_class != TRI_CLASS_EMBEDDED)
			m->kind = TRI_MSG_PLAIN; /* if it is taken, sent on */
		return b->receive(a, tri_actor_state(a, b), m);
	}
	if (exit.reason.code != TR_NORMAL ||
	    exit.from.bits == c->turn.ref.bits) {
		c->turn.ended = true;
		c->turn.reason = exit.reason;
	}
	return TR_OK;
}

/* ------------------------------------------------------- link and unlink - */

void
tri_link_asked(struct tri_crew *c, struct tr_self *a, struct tr_msg *m)
{
	struct tri_record *r = record_of(m), *mine;

	(void)a;
	tri_turn_detach(c);
	c->turn.msg = NULL;
	mine = link_find(c, c->turn.ref.bits, r->u.target);
	if (mine != NULL) {
		/* There is one, or one is being undone: see the essay. */
		tri_store_relaxed(&mine->relay, r->cookie);
		tri_fetch_or_acq_rel(&r->holds, (uint32_t)TRI_GONE);
		tri_record_release(c, r, TRI_HOLD_SENT);
		return;
	}
	tri_store_relaxed(&r->holds, 0u);
	tri_store_relaxed(&r->missed, 1u);
	tri_record_adopt(c, r);
	link_insert(c, r);
}

void
tri_link_refused(struct tri_crew *c, struct tri_record *r)
{
	tri_fetch_or_acq_rel(&r->holds, (uint32_t)TRI_GONE);
	link_send_exit(c, r, tri_load_relaxed(&r->owner), r->u.target,
	    &(struct tr_reason){ .code = TR_NOPROC });
}

/* Two records for a link of the running actor; false: no memory. */
static bool
link_records(struct tri_crew *c, tr_ref other, struct tri_record **mine,
    struct tri_record **theirs)
{
	*theirs = tri_record_new_free(c, TRI_RECORD_LINK);
	if (*theirs == NULL)
		return false;
	*mine = tri_record_new(c, TRI_RECORD_LINK);
	if (*mine == NULL) {
		tri_record_free(c, *theirs);
		return false;
	}
	(*mine)->outcome = 0;
	(*mine)->u.target = other.bits;
	(*theirs)->outcome = 0;
	(*theirs)->u.target = c->turn.ref.bits;
	(*mine)->cookie = (*theirs)->cookie = tri_record_id(*mine);
	tri_store_relaxed(&(*mine)->missed, 0u);
	tri_store_relaxed(&(*theirs)->missed, 0u);
	tri_store_relaxed(&(*mine)->relay, (uint64_t)0);
	tri_store_relaxed(&(*theirs)->relay, (uint64_t)0);
	return true;
}

int
tri_link_attach(struct tri_crew *c, tr_ref child)
{
	struct tr_self *a = tri_cell(c->desk.sys, tri_ref_slot(child));
	struct tri_record *mine, *theirs;

	if (!link_records(c, child, &mine, &theirs))
		return TR_ENOMEM;
	tri_record_give(c, a, child, theirs);
	link_insert(c, mine);
	link_insert(c, theirs);
	return TR_OK;
}

int
tr_link(struct tr_self *self, tr_ref other)
{
	struct tri_crew *c = tri_crew_of(self);
	struct tri_record *before, *mine, *theirs;

	if (c->turn.stopping)
		return TR_ESTOPPING;
	if (other.bits == c->turn.ref.bits)
		return TR_OK;
	before = link_find(c, c->turn.ref.bits, other.bits);
	if (before != NULL && before->outcome == 0)
		return TR_OK;
	if (!link_records(c, other, &mine, &theirs))
		return TR_ENOMEM;
	/* One that is being undone: its UNLINK comes back to nobody. */
	if (before != NULL)
		link_end(c, before);
	link_insert(c, mine);
	tri_store_relaxed(&theirs->owner, other.bits);
	tri_store_relaxed(&theirs->holds, (uint32_t)TRI_HOLD_SENT);
	link_message(theirs, TRI_MSG_LINK, c->turn.ref.bits);
	tri_deliver_control(c, other, &theirs->msg);
	return TR_OK;
}

int
tr_unlink(struct tr_self *self, tr_ref other)
{
	struct tri_crew *c = tri_crew_of(self);
	struct tri_record *r = link_find(c, c->turn.ref.bits, other.bits);

	if (r == NULL || r->outcome != 0)
		return TR_OK;
	r->outcome = 1;
	link_is_over(c, r);
	tri_store_relaxed(&r->holds, (uint32_t)TRI_HOLD_SENT);
	link_message(r, TRI_MSG_UNLINK, c->turn.ref.bits);
	tri_deliver_control(c, other, &r->msg);
	return TR_OK;
}

/* Back to who sent it. */
static void
unlink_return(struct tri_crew *c, struct tri_record *r)
{
	uint64_t owner = r->msg.sender;

	link_message(r, TRI_MSG_UNLINKED, r->u.target);
	tri_deliver_control(c, (tr_ref){ owner }, &r->msg);
}

void
tri_unlink_asked(struct tri_crew *c, struct tr_msg *m)
{
	struct tri_record *mine = link_find(c, c->turn.ref.bits, m->sender);

	/* Its message leaves the mailbox before it is sent again. */
	tri_turn_detach(c);
	c->turn.msg = NULL;
	if (mine != NULL && mine->outcome == 0) {
		link_is_over(c, mine);
		link_end(c, mine);
	}
	unlink_return(c, record_of(m));
}

void
tri_unlink_refused(struct tri_crew *c, struct tri_record *r)
{
	unlink_return(c, r);
}

void
tri_unlink_done(struct tri_crew *c, struct tr_msg *m)
{
	struct tri_record *r = record_of(m);

	/* Unless it was linked again meanwhile, with another record. */
	if ((tri_load_acquire(&r->holds) & TRI_GONE) == 0)
		link_end(c, r);
}

/* -------------------------------------------------------------- signals -- */

int
tr_trap_exit(struct tr_self *self, bool trap, uint32_t tag)
{
	struct tri_crew *c = tri_crew_of(self);
	struct tri_cold *cold = tri_cold(c->desk.sys, self);

	if ((tri_load_relaxed(&self->ident) & TRI_IDENT_COLD) == 0)
		tri_fetch_or_acq_rel(&self->ident, TRI_IDENT_COLD);
	cold->traps = trap;
	cold->trap_tag = tag;
	return TR_OK;
}

int
tr_exit_other(struct tr_self *self, tr_ref actor, int reason)
{
	struct tri_crew *c = tri_crew_of(self);
	struct tr_exit_signal exit = {
		.from = c->turn.ref,
		.reason = { .code = reason },
	};
	struct tr_msg *m;

	if (reason == TR_KILLED)
		return tr_kill(self, actor);
	m = tri_msg_alloc(&c->desk, TRI_MSG_EXIT, 0,
	    tri_keep_life(c->desk.sys, actor), sizeof(exit));
	if (m == NULL)
		return TR_ENOMEM;
	m->sender = c->turn.ref.bits;
	memcpy(tri_msg_payload(m), &exit, sizeof(exit));
	tri_deliver(c, actor, m);
	return TR_OK;
}
