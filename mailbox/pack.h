/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pack: small messages of a backlog, one behind the other in one block.
 *
 * A backlog of single blocks takes a line for each message, from wherever in the
 * memory the pool has one, and who handles it waits for one after the other.  So
 * whoever has an actor with a backlog, and appends to that (actors/send.h), puts
 * small messages into a pack at its end, with tag, size, sender and payload; the
 * block that a message came in is free at once, and the next one comes in it.  Long
 * backlogs go through the memory, so what is not said does not cost: a sender is
 * there only where it is another one than before.
 *
 * Only who has the actor looks into its packs, so there is nothing atomic about
 * them.  For what a sender puts into a mailbox while somebody else handles what
 * is there see burst.h.
 */
#ifndef TROUPE_MAILBOX_PACK_H
#define TROUPE_MAILBOX_PACK_H

#include "mailbox/pool.h"

enum {
	TRI_PACK_CLASS = 7, /* a block of 4 KiB */
	TRI_PACK_WORDS =
	    ((32 << TRI_PACK_CLASS) - (int)sizeof(struct tr_msg) - 24) / 8,
	/* From here on there is no room for the largest. */
	TRI_PACK_FULL = TRI_PACK_WORDS - TRI_SMALL / 8 - 1,
};

struct tri_pack {
	struct tr_msg msg; /* in the list, for all of them */
	uint32_t at; /* word of the next to be taken */
	uint32_t end; /* behind the last one */
	uint64_t taken_from; /* the sender of the last one that was taken, */
	uint64_t put_by; /* and of the last one */
	/* Of each: tag << 32 | size, maybe with PACK_SAME; else its sender; and
	 * (size + 7) / 8 of payload. */
	uint64_t word[TRI_PACK_WORDS];
};

enum { PACK_SAME = 0x100, PACK_SIZE = 0xff };

_Static_assert(sizeof(struct tri_pack) <= 32 << TRI_PACK_CLASS, "fits");

static inline struct tri_pack *
tri_pack_of(struct tr_msg *m)
{
	TR_DASSERT(m->kind == TRI_MSG_PACK);
	return tri_container_of(m, struct tri_pack, msg);
}

/* Set it up, in a block of its class. */
static inline void
tri_pack_init(struct tri_pack *p)
{
	p->msg = (struct tr_msg){
		.kind = TRI_MSG_PACK,
		.size_class = TRI_CLASS_BURST,
	};
	p->at = p->end = 0;
	p->put_by = UINT64_MAX; /* nobody: the first has its sender */
}

/* Whether it takes one more. */
static inline bool
tri_pack_has_room(const struct tri_pack *p)
{
	return p->end < TRI_PACK_FULL;
}

/* A message that may go there. */
static inline bool
tri_pack_takes(const struct tr_msg *m)
{
	return m->size <= TRI_SMALL && tri_msg_is_simple(m, TRI_MSG_PLAIN);
}

/* A copy of it, into one that has room.  The next line is fetched: whoever sends to
 * many comes back here when it would be too late. */
static inline void
tri_pack_put(struct tri_pack *p, const struct tr_msg *m)
{
	uint64_t *word = &p->word[p->end];
	uint64_t first = (uint64_t)m->tag << 32 | m->size;

	if (TRI_LIKELY(m->sender == p->put_by))
		first |= PACK_SAME;
	else
		word[1] = p->put_by = m->sender;
	*word = first;
	word += (first & PACK_SAME) != 0 ? 1 : 2;
	tri_copy_small(word, (const char *)m + m->offset, m->size);
	__builtin_prefetch(word + TRI_LINE / sizeof(*word), 1);
	p->end = (uint32_t)(word - p->word) + (m->size + 7) / 8;
}

static inline bool
tri_pack_has_any(const struct tri_pack *p)
{
	return p->at < p->end;
}

/* The next message, if there is one, as a block of class TRI_CLASS_SMALL that the
 * caller has. */
static inline void
tri_pack_take(struct tri_pack *p, struct tr_msg *m)
{
	const uint64_t *word = &p->word[p->at];
	uint64_t first = *word++;
	uint32_t size = first & PACK_SIZE;

	if (TRI_UNLIKELY((first & PACK_SAME) == 0))
		p->taken_from = *word++;
	m->link = NULL;
	m->ahead = 0;
	m->sender = p->taken_from;
	tri_msg_set_said(m, (uint32_t)(first >> 32), size);
	tri_msg_set_kind(m, TRI_MSG_PLAIN, 0, TRI_CLASS_SMALL);
	tri_copy_small(m + 1, word, size);
	p->at = (uint32_t)(word - p->word) + (size + 7) / 8;
}

/* It is the first of the list and has none: it leaves that, and is freed. */
static inline void
tri_pack_leave(struct tri_pack *p, struct tr_msg **list, struct tri_pool *pool)
{
	*list = p->msg.link;
	tri_pool_free(pool, p, TRI_PACK_CLASS);
}

#endif
