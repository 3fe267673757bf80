/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mailboxes apart from their cells: see apart.h.
 */
#include "actors/apart.h"

bool
tri_apart_is_worth(const struct tri_crew *c, const struct tr_self *a,
    uint64_t head)
{
	const struct tr_msg *newest = tri_inlet_msg(head);

	/* Its block says whose it is. */
	return newest->size_class < TRI_CLASSES &&
	    tri_slab_of(newest)->owner != c->desk.pool &&
	    tri_load_relaxed(&a->inlet.head) != TRI_INLET_APART;
}
