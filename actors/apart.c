/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mailboxes apart from their cells: see apart.h.
 */
#include "actors/apart.h"

bool
tri_apart_is_far(const struct tri_crew *c, const struct tr_msg *m)
{
	return (m->size_class < TRI_CLASSES ||
		   m->size_class == TRI_CLASS_BURST) &&
	    tri_slab_of(m)->owner != c->desk.pool;
}

bool
tri_apart_is_worth(const struct tri_crew *c, const struct tr_self *a,
    uint64_t head)
{
	return tri_apart_is_far(c, tri_inlet_msg(head)) &&
	    tri_load_relaxed(&a->inlet.head) != TRI_INLET_APART;
}

void
tri_apart_move(struct tri_crew *c, struct tr_self *a, const struct tr_msg *m)
{
	struct tri_aside *p = tri_aside(c->desk.sys, a);

	if (!tri_apart_is_far(c, m) ||
	    (tri_load_relaxed(&a->ident) & TRI_IDENT_BOUND) != 0 ||
	    tri_load_relaxed(&a->inlet.head) == TRI_INLET_APART)
		return;
	p->parked = tri_apart_take(c, a, &p->parked_count);
}
