/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages that carry a blob, for those who make many of them: groups and
 * routers.
 */
#ifndef TROUPE_ACTORS_BLOB_H
#define TROUPE_ACTORS_BLOB_H

#include "actors/system.h"
#include "troupe/blob.h"

/* A message with a hold of its own; NULL: no memory.  Its sender is 0. */
struct tr_msg *tri_blob_msg(struct tri_desk *d, unsigned kind, unsigned flags,
    uint32_t tag, const tr_blob *blob);

#endif
