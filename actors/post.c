/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Foreign threads: posts, spawns, and what the blocking pool brings back.
 *
 * They share one desk (pool, caches, counters) under a spin lock that is held
 * for an allocation or a count; copying and pushing happen outside it.
 */
#include "actors/send.h"
#include "sched/lock.h"

void
tri_foreign_lock(struct tr_system *sys)
{
	tri_lock(sys->env, &sys->foreign_lock);
}

void
tri_foreign_unlock(struct tr_system *sys)
{
	tri_unlock(&sys->foreign_lock);
}

struct tri_crew *
tri_crew_here(const struct tr_system *sys)
{
	struct tri_worker *w = tri_worker_here;

	return w != NULL && w->sched == &sys->sched ?
	    (struct tri_crew *)(void *)w :
	    NULL;
}

/* Give a message's memory back; its class is read before it is gone. */
static void
post_free(struct tr_system *sys, struct tr_msg *m)
{
	unsigned size_class = m->size_class;

	tri_foreign_lock(sys);
	if (size_class == TRI_CLASS_LARGE) {
		tri_pool_forget_large(sys->foreign.pool, m);
	} else {
		tri_pool_free(sys->foreign.pool, m, size_class);
		tri_pool_flush(sys->foreign.pool);
	}
	tri_foreign_unlock(sys);
	if (size_class == TRI_CLASS_LARGE)
		tri_pool_free_large(m); /* may take its time */
}

/* A taken ask that is dropped here stays with its actor's duties. */
void
tri_msg_dispose_foreign(struct tr_system *sys, struct tr_msg *m, int outcome)
{
	(void)outcome;
	if (m->flags & TRI_MSG_EXTRA_EXT) {
		struct tri_msg_extra *extra = tri_msg_extra(m);

		if (extra->drop != NULL) {
			tri_seen(sys, TRI_EVENT_DROP, TR_REF_NONE, m, 0, 0);
			extra->drop(tri_msg_payload(m), m->size);
		}
	}
	post_free(sys, m);
}

/* A dead letter that was built but never reached a mailbox. */
static void
post_dead(struct tr_system *sys, tr_ref to, struct tr_msg *m,
    enum tr_dead_reason reason)
{
	tri_foreign_lock(sys);
	tri_count(&sys->foreign.counts.dead[reason], (uint64_t)1);
	tri_foreign_unlock(sys);
	tri_seen(sys, TRI_EVENT_DEAD, to, m, reason, 0);
	/* The program's hook may take its time. */
	tri_dead_tell(sys, reason, to, m);
	tri_msg_dispose_foreign(sys, m, TR_EDEAD);
}

void
tri_post_deliver(struct tr_system *sys, tr_ref to, struct tr_msg *m)
{
	enum tri_inlet_pushed pushed;
	struct tr_self *a = NULL;

	pushed = tri_push(sys, to, m, &a);
	if (pushed == TRI_PUSH_WAKE)
		tri_schedule(sys, NULL, a);
	else if (pushed != TRI_PUSH_QUEUED)
		post_dead(sys, to, m, tri_push_reason(pushed));
}

int
tri_post(struct tr_system *system, tr_ref to, uint32_t tag, const void *data,
    size_t size, tr_drop_fn *drop)
{
	struct tr_msg *m;

	if (size > tri_message_limit(system))
		return TR_EINVAL;
	/* acq: pairs with tr_system_stop. */
	if (tri_load_acquire(&system->stopping) != 0)
		return TR_ESTOPPING;
	if (tri_is_over_budget(system))
		return TR_EFULL;
	tri_foreign_lock(system);
	m = tri_msg_alloc(&system->foreign, TRI_MSG_PLAIN,
	    drop != NULL ? TRI_MSG_EXTRA_EXT : 0, tag, size);
	if (m != NULL)
		tri_count(&system->foreign.counts.sent, (uint64_t)1);
	tri_foreign_unlock(system);
	if (m == NULL)
		return TR_ENOMEM;
	if (drop != NULL)
		tri_msg_set_drop(system, m, drop);
	tri_msg_copy_in(m, data, size);
	tri_post_deliver(system, to, m);
	return TR_OK;
}

int
tr_post(struct tr_system *system, tr_ref to, uint32_t tag, const void *data,
    size_t size)
{
	return tri_post(system, to, tag, data, size, NULL);
}

tr_ref
tr_system_spawn(struct tr_system *system, const struct tr_behavior *behavior,
    const void *arg, const struct tr_spawn_options *options)
{
	tr_ref ref;

	tri_foreign_lock(system);
	ref = tri_spawn(&system->foreign, behavior, arg, options,
	    &(struct tri_spawn_how){ .here = 0 });
	/* Where every slot was handed out once, none is kept in store here. */
	if (tri_load_relaxed(&system->actors.limit) == system->actors.max)
		tri_table_give_back(&system->actors, &system->foreign.slots);
	tri_foreign_unlock(system);
	return ref;
}

void
tri_record_free_foreign(struct tr_system *sys, struct tri_record *r)
{
	tri_foreign_lock(sys);
	tri_table_put(&sys->records, &sys->foreign.records, r->index);
	tri_foreign_unlock(sys);
}

void
tri_record_notify_foreign(struct tr_system *sys, struct tri_record *r)
{
	tr_ref owner = { tri_load_relaxed(&r->owner) };
	struct tr_self *a = NULL;
	uint32_t holds;

	tri_record_prepare_outcome(r);
	switch (tri_push(sys, owner, &r->msg, &a)) {
	case TRI_PUSH_QUEUED: break;
	case TRI_PUSH_WAKE: tri_schedule(sys, NULL, a); break;
	case TRI_PUSH_MOVED:
	case TRI_PUSH_CLOSED:
	case TRI_PUSH_FULL:
	case TRI_PUSH_DROPPED:
		holds =
		    tri_fetch_and_acq_rel(&r->holds, ~(uint32_t)TRI_HOLD_SENT);
		if ((holds & TRI_GONE) != 0 &&
		    (holds & TRI_HOLDS & ~(uint32_t)TRI_HOLD_SENT) == 0)
			tri_record_free_foreign(sys, r);
		break;
	}
}
