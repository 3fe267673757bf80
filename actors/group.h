/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Groups, for those who send to one, and for those who follow one: a router
 * holds its group, sees by the version that something has changed, and copies
 * the members then.
 */
#ifndef TROUPE_ACTORS_GROUP_H
#define TROUPE_ACTORS_GROUP_H

#include "actors/system.h"

struct tri_group;

/* References in a block of memory, or in the caller's own `few`. */
struct tri_refs {
	tr_ref *ref;
	uint32_t count;
	uint32_t room;
	tr_ref *few; /* not to be freed; NULL: none */
};

void tri_refs_free(struct tr_system *sys, struct tri_refs *refs);

/* The group of that name, there until it is released, with or without members.
 * NULL: no memory, or no name. */
struct tri_group *tri_group_hold(struct tr_system *sys, const char *name);
void tri_group_release(struct tr_system *sys, struct tri_group *g);
/* Another value whenever somebody has joined or left. */
uint64_t tri_group_version(const struct tri_group *g);
/* Copy the members of a group that is held, and the version they are of.
 * false: no memory. */
bool tri_group_copy(struct tr_system *sys, struct tri_group *g,
    struct tri_refs *refs, uint64_t *version);
/* The same for a group that is only named. */
bool tri_group_members(struct tr_system *sys, const struct tri_named *name,
    struct tri_refs *refs);

#endif
