/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A burst: an array of messages on their way from one thread to one mailbox.
 *
 * Who sends to a mailbox on another core over and over, within one turn, pays
 * for each push with a locked instruction, and the receiver turns round a list of
 * lines that it has to fetch from there, each waiting for the one before; on the same
 * core a long backlog leaves the cache.  So such a sender pushes a burst instead, once,
 * as a message among the others, and from then on puts its messages into that: a store
 * each.  Whoever takes the burst out of the mailbox finds them in order, and where the
 * next are, so that it can fetch ahead.  An empty place says that there is no more
 * for now; there is no index that both sides touch (Giacomoni, Moseley and
 * Vachharajani, "FastForward for Efficient Pipeline Parallelism", PPoPP 2008).
 * Places are used once.
 *
 * The array is one of words.  A small message is in it as it is, so that no block
 * goes from core to core and home again: its first word has tag and size, and its
 * payload follows.  Its sender is the burst's.  All others are a word, which says
 * where the message is.
 *
 * | first word                | message                                         |
 * |---------------------------|-------------------------------------------------|
 * | 0                         | none yet                                        |
 * | address, even             | there                                           |
 * | tag << 32 | size << 1 | 1 | the next (size + 7) / 8 words                   |
 *
 * The word behind a message is 0 before its first is not.
 *
 * Messages are there for the receiver as soon as they are put, so they are where
 * a push would have had them: behind what was pushed before the burst, and before
 * what anybody has pushed who knows of them, if the receiver first takes the
 * mailbox's list and then empties the burst as far as it can, before it goes on
 * to what is behind.
 *
 * The end.  `end` is how many messages it has in all, once that is known.  The
 * sender says so when its turn is over or the places are used up; then the
 * receiver frees the burst when it has taken those.  Or the receiver has waited
 * in vain, and wants to rest: then it has to make sure that the sender, who only
 * stores, does not put more unseen.  That is Dekker's algorithm with an asymmetric
 * fence, as in sched/next.h:
 *
 *     sender, putting                 receiver, shutting
 *
 *     place n = message               shut = 1
 *     (only the compiler's order)     fence_others()
 *     read shut                       read its place; a message: go on
 *     0: done                         CAS end: OPEN -> its place; succeeds: it
 *     1: CAS end: OPEN -> n + 1         is over, and the sender's to free
 *
 * If the sender read 0 before the fence, its message was stored before the fence,
 * too, and the receiver sees it.  Else it reads 1 and settles by a CAS of `end`,
 * as the receiver does, and one of them has it.  If the receiver has, the sender
 * reads there whether its last message was taken: all before it were.
 *
 * Measured: micro/count with two workers 27 to 11 ns (bench/README.md, What was
 * tried).  Model: burst.pml.
 */
#ifndef TROUPE_MAILBOX_BURST_H
#define TROUPE_MAILBOX_BURST_H

#include "mailbox/pool.h"

enum {
	TRI_BURST_CLASS = 7, /* a block of 4 KiB */
	TRI_BURST_WORDS = ((32 << TRI_BURST_CLASS) - 2 * TRI_LINE) / 8,
	/* From here on there is no room for the largest, and the word behind. */
	TRI_BURST_FULL = TRI_BURST_WORDS - TRI_SMALL / 8 - 1,
	TRI_BURST_AHEAD = 32, /* words, to fetch early */
};

#define TRI_BURST_OPEN UINT32_MAX

union tri_burst_word {
	_Atomic uint64_t first;
	uint64_t payload;
};

struct tri_burst {
	struct tr_msg msg; /* in the mailbox, for all of them */
	/* The receiver's. */
	uint32_t at; /* the next word */
	uint32_t fetched; /* up to there: burst_fetch */
	uint32_t early; /* messages that were taken, and are not counted yet */
	/* Both. */
	alignas(TRI_LINE) _Atomic uint32_t shut;
	_Atomic uint32_t end;
	alignas(TRI_LINE) union tri_burst_word word[TRI_BURST_WORDS];
};

_Static_assert(sizeof(struct tri_burst) <= 32 << TRI_BURST_CLASS, "fits");
_Static_assert(sizeof(struct tr_msg) + TRI_SMALL <= 32 << TRI_CLASS_SMALL,
    "a small message fits");

static inline struct tri_burst *
tri_burst_of(struct tr_msg *m)
{
	TR_DASSERT(m->kind == TRI_MSG_BURST);
	return tri_container_of(m, struct tri_burst, msg);
}

/* -------------------------------------------------------- the sender ---- */

/* Set it up, in a block of its class, for the messages of `sender`; the caller
 * pushes `msg`. */
static inline void
tri_burst_init(struct tri_burst *b, uint64_t sender)
{
	b->msg = (struct tr_msg){
		.sender = sender,
		.kind = TRI_MSG_BURST,
		.size_class = TRI_CLASS_BURST,
	};
	b->at = b->fetched = b->early = 0;
	tri_store_relaxed(&b->shut, 0u);
	tri_store_relaxed(&b->end, (uint32_t)TRI_BURST_OPEN);
	tri_store_relaxed(&b->word[0].first, (uint64_t)0);
}

/* Words of a small message of that size. */
static inline uint32_t
tri_burst_words(size_t size)
{
	return 1 + (uint32_t)(size + 7) / 8;
}

static inline bool
burst_publish(struct tri_burst *b, uint32_t at, uint64_t first)
{
	/* rel: publishes the message; pairs with burst_look. */
	tri_store_release(&b->word[at].first, first);
	/* Pairs with the receiver's fence_others(). */
	tri_compiler_fence();
	return TRI_LIKELY(tri_load_relaxed(&b->shut) == 0);
}

/* Put a message into word `at` < TRI_BURST_FULL, behind the one before; the next
 * goes into word at + 1.  false: the receiver has shut it: tri_burst_end. */
static inline bool
tri_burst_put(struct tri_burst *b, uint32_t at, struct tr_msg *m)
{
	tri_store_relaxed(&b->word[at + 1].first, (uint64_t)0);
	return burst_publish(b, at, (uintptr_t)m);
}

/* The same for a plain message of the burst's sender with size <= TRI_SMALL; the
 * next goes into word at + tri_burst_words(size). */
static inline bool
tri_burst_put_small(struct tri_burst *b, uint32_t at, uint32_t tag,
    const void *data, size_t size)
{
	tri_store_relaxed(&b->word[at + tri_burst_words(size)].first,
	    (uint64_t)0);
	tri_copy_small(&b->word[at + 1], data, size);
	return burst_publish(b, at, (uint64_t)tag << 32 | size << 1 | 1);
}

/* It gets no more than what is before word `at`.  Returns where what has been or
 * will be taken ends: before that if the last message was not; and whether the
 * burst is the caller's: else it must not be touched any more. */
static inline uint32_t
tri_burst_end(struct tri_burst *b, uint32_t at, bool *own)
{
	uint32_t end = TRI_BURST_OPEN;

	/* rel: pairs with tri_burst_is_over; acq: with tri_burst_settle. */
	*own = !tri_cas_acq_rel(&b->end, &end, at);
	return *own ? end : at;
}

/* ------------------------------------------------------ the receiver ---- */

static inline uint64_t
burst_look(struct tri_burst *b, uint32_t at)
{
	/* acq: pairs with burst_publish. */
	return tri_load_acquire(&b->word[at].first);
}

/* Of a small message. */
static inline uint32_t
burst_size(uint64_t first)
{
	return first >> 1 & 63;
}

/* A block of `pool` for small messages of the burst; NULL: no memory. */
static inline struct tr_msg *
burst_block(struct tri_burst *b, struct tri_pool *pool)
{
	struct tr_msg *m = tri_pool_alloc(pool, TRI_CLASS_SMALL);

	if (TRI_UNLIKELY(m == NULL))
		return NULL;
	m->link = NULL;
	m->sender = b->msg.sender;
	m->ahead = 0;
	return m;
}

/* A small message in a block of `pool`, or in that of the one before, if *spare is
 * that, and it is not needed any more; NULL: no memory. */
static inline struct tr_msg *
burst_copy(struct tri_burst *b, uint64_t first, struct tri_pool *pool,
    struct tr_msg **spare)
{
	uint32_t size = burst_size(first);
	struct tr_msg *m = *spare;

	*spare = NULL;
	if (TRI_LIKELY(m != NULL)) {
		tri_block_unpoison(m, TRI_CLASS_SMALL);
	} else {
		m = burst_block(b, pool);
		if (TRI_UNLIKELY(m == NULL))
			return NULL;
	}
	tri_msg_set_said(m, (uint32_t)(first >> 32), size);
	tri_msg_set_kind(m, TRI_MSG_PLAIN, 0, TRI_CLASS_SMALL);
	tri_copy_small(m + 1, &b->word[b->at + 1], size);
	b->at += tri_burst_words(size);
	return m;
}

/* Whether there is a message now. */
static inline bool
tri_burst_has_any(struct tri_burst *b)
{
	return burst_look(b, b->at) != 0;
}

/* Whether the sender may put more. */
static inline bool
tri_burst_is_open(struct tri_burst *b)
{
	return tri_load_relaxed(&b->end) == TRI_BURST_OPEN;
}

/* Whether the sender has ended it, and all is taken: it is there to be freed. */
static inline bool
tri_burst_is_over(struct tri_burst *b)
{
	/* acq: the sender does not touch it any more. */
	return tri_load_acquire(&b->end) == b->at;
}

/* Fetch messages that are elsewhere, up to some words ahead. */
static inline void
burst_fetch(struct tri_burst *b)
{
	uint64_t first;

	if (b->fetched < b->at)
		b->fetched = b->at;
	while (b->fetched < b->at + TRI_BURST_AHEAD &&
	    (first = burst_look(b, b->fetched)) != 0) {
		if ((first & 1) == 0)
			tri_fetch_to_write((void *)(uintptr_t)first);
		b->fetched +=
		    (first & 1) == 0 ? 1 : tri_burst_words(burst_size(first));
	}
}

/* Take the next message; *small: it was, and is in a block of `pool` now, or in
 * *spare: burst_copy.  NULL: there is none for now, or (tri_burst_has_any) no
 * memory. */
static inline struct tr_msg *
tri_burst_take(struct tri_burst *b, struct tri_pool *pool,
    struct tr_msg **spare, bool *small)
{
	uint64_t first = burst_look(b, b->at);
	struct tr_msg *m;

	*small = first & 1;
	if (TRI_LIKELY(*small))
		return burst_copy(b, first, pool, spare);
	if (first == 0)
		return NULL;
	m = (struct tr_msg *)(uintptr_t)first;
	b->at++;
	burst_fetch(b);
	m->link = NULL;
	m->ahead = 0;
	return m;
}

/* It shall end: the sender sees that, after a fence_others(). */
static inline void
tri_burst_shut(struct tri_burst *b)
{
	tri_store_relaxed(&b->shut, 1u);
}

/* After that fence: true: it is over, and not the caller's any more.  false: there
 * is more, or the sender has ended it. */
static inline bool
tri_burst_settle(struct tri_burst *b)
{
	uint32_t end = TRI_BURST_OPEN;

	if (tri_burst_has_any(b))
		return false;
	/* rel: the sender may free it; pairs with tri_burst_end. */
	return tri_cas_acq_rel(&b->end, &end, b->at);
}

#endif
