/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the scheduler schedules: words.
 *
 * A word is a pointer aligned to 64 whose low 6 bits name a kind (an actor, a
 * compute task, ...).  A table of kinds says how one is run and where its link
 * is, so the scheduler knows no actor.  A word is in at most one queue at a
 * time, hence one link is enough.
 */
#ifndef TROUPE_SCHED_WORD_H
#define TROUPE_SCHED_WORD_H

#include "mailbox/base.h"
#include "mailbox/ck.h"

typedef uintptr_t tri_word; /* 0: none */

struct tri_worker;

/* A word's place in a list, or in a stack that others push to. */
struct tri_link {
	ck_stack_entry_t entry; /* entry.next leads to the next one's */
	tri_word word;
};

struct tri_kind {
	/* One batch.  Afterwards the word is idle, gone, or pushed again. */
	void (*run)(struct tri_worker *w, void *object);
	/* One that the worker kept (reserve.h): let go of it.  false: there is
	 * something to do for it, it has to be pushed. */
	bool (*rest)(struct tri_worker *w, void *object);
	/* One that the worker has taken out of its queue for all: make it one
	 * that it can have for itself (share.c).  Returns the note for that;
	 * NULL: it cannot.  NULL as a function: none of them can. */
	void *(*reserve)(struct tri_worker *w, void *object);
	struct tri_link *(*link)(void *ctx, void *object);
	void *ctx;
	/* Where in an object it says what its next turn begins with, a pointer or
	 * NULL, whoever has the word: that is fetched with it; 0: nowhere. */
	size_t begins_at;
};

CK_STACK_CONTAINER(struct tri_link, entry, tri_link_of_entry)

/* The next in a list; NULL: none. */
static inline struct tri_link *
tri_link_next(struct tri_link *link)
{
	return link->entry.next == NULL ? NULL :
					  tri_link_of_entry(link->entry.next);
}

enum { TRI_KINDS = 64, TRI_KIND_ACTOR = 0 };

static inline tri_word
tri_word_of(void *object, unsigned kind)
{
	return (uintptr_t)object | kind;
}

static inline void *
tri_word_object(tri_word word)
{
	return (void *)(word & ~(uintptr_t)(TRI_KINDS - 1));
}

static inline unsigned
tri_word_kind(tri_word word)
{
	return (unsigned)(word & (TRI_KINDS - 1));
}

#endif
