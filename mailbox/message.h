/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a message looks like in memory.
 *
 * A header of 32 bytes, then the extensions its flags name (16 bytes each, in
 * this order), then the payload:
 *
 *     header | ASK or REPLY extension | EXTRA extension | payload
 *
 * So a plain message of up to 32 bytes, or an ask of up to 16, is one cache
 * line, and one without payload half a line.  Exactly one party owns a message
 * at each instant: the sender, a mailbox, the handler's worker, or whoever
 * took it.  Only the owner reads or writes it, hence nothing here is atomic.
 */
#ifndef TROUPE_MAILBOX_MESSAGE_H
#define TROUPE_MAILBOX_MESSAGE_H

#include <string.h>

#include "mailbox/base.h"

enum tri_msg_kind {
	TRI_MSG_PLAIN,
	TRI_MSG_ASK, /* has the ASK extension */
	TRI_MSG_REPLY, /* has the REPLY extension */
	TRI_MSG_TICK, /* a timer's, embedded in its record */
	TRI_MSG_DOWN, /* a monitor's, embedded in its record */
	TRI_MSG_EXIT, /* a link's, embedded in its record; or a signal's */
	TRI_MSG_COUNTED = TRI_MSG_EXIT, /* up to here they are users' */
	TRI_MSG_OUTCOME, /* a record's: deadline, cancel, or work done */
	TRI_MSG_START, /* an actor's first */
	TRI_MSG_STOP, /* what was sent before is handled, then it ends */
	TRI_MSG_KILL, /* wakes a killed actor */
	TRI_MSG_MONITOR, /* asks for a DOWN, in the record that will be it */
	TRI_MSG_DEMONITOR, /* wants none any more: the same record */
	TRI_MSG_LINK, /* brings the receiver's record of a link */
	TRI_MSG_UNLINK, /* in the sender's record of it */
	TRI_MSG_UNLINKED, /* the same, on its way back */
	TRI_MSG_KEPT, /* tells a supervisor of its child */
	TRI_MSG_BURST, /* many, in an array: burst.h */
	TRI_MSG_PACK, /* many, in a block: pack.h */
	TRI_MSG_CALL, /* begins with a function to be run in its turn */
};

enum tri_msg_flags {
	TRI_MSG_ASK_EXT = 1, /* the ASK or REPLY extension is there */
	TRI_MSG_EXTRA_EXT = 2, /* the EXTRA extension is there */
	TRI_MSG_DUTY = 4, /* an ask whose duty to answer rests here */
	TRI_MSG_LENT = 8, /* a taken ask: a record holds the duty; a tick: a
	                   * copy was taken */
	TRI_MSG_STALE = 16, /* taken, and for a former actor of the slot */
	TRI_MSG_BOUNDED = 32, /* counts in its mailbox's bound */
	TRI_MSG_TRACED = 128, /* somebody waits to see it taken */
	TRI_MSG_LEAVES = TRI_MSG_STALE | TRI_MSG_BOUNDED | TRI_MSG_TRACED,
	TRI_MSG_SHRUNK = 64, /* a forwarded ask with an earlier deadline than
	                      * its asker's */
	/* What makes freeing it more than returning a block. */
	TRI_MSG_SPECIAL = TRI_MSG_EXTRA_EXT | TRI_MSG_DUTY | TRI_MSG_LENT,
};

/* Size classes: 32 << class bytes, then those that are not pooled. */
enum {
	TRI_CLASSES = 11, /* the largest is 32 KiB */
	TRI_CLASS_BURST = 252, /* a block with others: burst.h, pack.h */
	TRI_CLASS_MARK = 253, /* an actor's own, for lack of a block */
	TRI_CLASS_LARGE = 254, /* straight from the allocator */
	TRI_CLASS_EMBEDDED = 255, /* part of a record, not a block */
};

struct tr_msg {
	struct tr_msg *link; /* in a mailbox: the one sent before */
	uint64_t sender; /* tr_ref bits; 0: none */
	union {
		uint32_t generation; /* of the target; its slot is the
		                      * mailbox's */
		int32_t ahead; /* once taken: from here to a later one, in
		                * units of 32 bytes; tri_inlet_reverse */
	};
	uint32_t tag;
	uint32_t size; /* of the payload */
	uint8_t offset; /* of the payload */
	uint8_t kind; /* enum tri_msg_kind */
	uint8_t flags; /* enum tri_msg_flags */
	uint8_t size_class;
};

_Static_assert(sizeof(struct tr_msg) == 32, "the header is half a line");

struct tri_msg_ask {
	int64_t deadline; /* absolute; in a taken one: the duty's record id */
	uint64_t ask; /* the asker's record id */
};

struct tri_msg_reply {
	int64_t outcome; /* TR_OK: the payload is the answer */
	uint64_t ask;
};

struct tri_msg_extra {
	void (*drop)(void *payload, size_t size);
	uint64_t trace; /* room for a trace stamp */
};

_Static_assert(sizeof(struct tri_msg_ask) == 16, "16 bytes each");
_Static_assert(sizeof(struct tri_msg_reply) == 16, "16 bytes each");
_Static_assert(sizeof(struct tri_msg_extra) == 16, "16 bytes each");

/* Whether it is of that kind, and a block from a pool that is just to be freed:
 * what most are.  All is in one word. */
static inline bool
tri_msg_is_simple(const struct tr_msg *m, enum tri_msg_kind kind)
{
	union {
		uint8_t byte[4]; /* offset, kind, flags, size_class */
		uint32_t word;
	} asked = { { 0, 0xff, 0xff, 0x80 } },
	  wanted = { { 0, (uint8_t)kind, 0, 0 } };
	uint32_t word;

	memcpy(&word, &m->offset, sizeof(word));
	return (word & asked.word) == wanted.word;
}

/* One store: who reads both with one load does not wait for two (a load gets its
 * data from a store that has not left the core if that has all of them). */
static inline void
tri_msg_set_said(struct tr_msg *m, uint32_t tag, uint32_t size)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	const uint64_t both = (uint64_t)size << 32 | tag;
#else
	const uint64_t both = (uint64_t)tag << 32 | size;
#endif

	memcpy(&m->tag, &both, sizeof(both));
}

_Static_assert(offsetof(struct tr_msg, size) ==
	offsetof(struct tr_msg, tag) + 4,
    "as there");

/* Bytes before the payload of a message with these flags. */
static inline size_t
tri_msg_head(unsigned flags)
{
	return sizeof(struct tr_msg) + (flags & TRI_MSG_ASK_EXT ? 16u : 0u) +
	    (flags & TRI_MSG_EXTRA_EXT ? 16u : 0u);
}

/* Likewise one store: who asks whether it is simple reads all of that. */
static inline void
tri_msg_set_kind(struct tr_msg *m, unsigned kind, unsigned flags,
    unsigned size_class)
{
	const uint32_t offset = (uint32_t)tri_msg_head(flags);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	const uint32_t all =
	    size_class << 24 | flags << 16 | kind << 8 | offset;
#else
	const uint32_t all =
	    offset << 24 | kind << 16 | flags << 8 | size_class;
#endif

	memcpy(&m->offset, &all, sizeof(all));
}

_Static_assert(offsetof(struct tr_msg, size_class) ==
	    offsetof(struct tr_msg, offset) + 3 &&
	TRI_CLASS_BURST >= 0x80 && TRI_CLASSES < 0x80,
    "as there; blocks have the lower classes");

static inline void *
tri_msg_payload(struct tr_msg *m)
{
	return (char *)m + m->offset;
}

static inline struct tri_msg_ask *
tri_msg_ask(struct tr_msg *m)
{
	TR_DASSERT(m->flags & TRI_MSG_ASK_EXT);
	return (struct tri_msg_ask *)(void *)(m + 1);
}

static inline struct tri_msg_reply *
tri_msg_reply(struct tr_msg *m)
{
	TR_DASSERT(m->flags & TRI_MSG_ASK_EXT);
	return (struct tri_msg_reply *)(void *)(m + 1);
}

static inline struct tri_msg_extra *
tri_msg_extra(struct tr_msg *m)
{
	size_t at = sizeof(*m) + (m->flags & TRI_MSG_ASK_EXT ? 16 : 0);

	TR_DASSERT(m->flags & TRI_MSG_EXTRA_EXT);
	return (struct tri_msg_extra *)(void *)((char *)m + at);
}

enum {
	TRI_SMALL = 32, /* bytes that are copied without a call */
	TRI_CLASS_SMALL = 1, /* of a block for a message with so many */
};

/* Up to TRI_SMALL bytes, in two moves that may overlap. */
static inline void
tri_copy_small(void *to, const void *from, size_t size)
{
	char *t = to;
	const char *f = from;

	if (size >= 16) {
		struct {
			uint64_t half[2];
		} a, b;

		memcpy(&a, f, 16);
		memcpy(&b, f + size - 16, 16);
		memcpy(t, &a, 16);
		memcpy(t + size - 16, &b, 16);
	} else if (size >= 8) {
		uint64_t a, b;

		memcpy(&a, f, 8);
		memcpy(&b, f + size - 8, 8);
		memcpy(t, &a, 8);
		memcpy(t + size - 8, &b, 8);
	} else if (size >= 4) {
		uint32_t a, b;

		memcpy(&a, f, 4);
		memcpy(&b, f + size - 4, 4);
		memcpy(t, &a, 4);
		memcpy(t + size - 4, &b, 4);
	} else if (size > 0) {
		/* The first, the middle, the last. */
		t[0] = f[0];
		t[size / 2] = f[size / 2];
		t[size - 1] = f[size - 1];
	}
}

#endif
