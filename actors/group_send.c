/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sending to a group: the members are copied, all messages made, then sent.
 */
#include "actors/group.h"

#include "actors/blob.h"
#include "actors/send.h"
#include "troupe/group.h"

enum {
	FEW = 64, /* members that a sender has room for on its stack */
	CHUNK = 64, /* messages made under one hold of the foreign lock */
};

/* What each member gets. */
struct letter {
	uint32_t tag;
	const void *data;
	size_t size;
	const tr_blob *blob; /* instead of data */
};

static struct tr_msg *
letter_make(struct tri_desk *d, const struct letter *l)
{
	return l->blob != NULL ?
	    tri_blob_msg(d, TRI_MSG_PLAIN, 0, l->tag, l->blob) :
	    tri_msg_alloc(d, TRI_MSG_PLAIN, 0, l->tag, l->size);
}

static void
letter_fill(struct tr_msg *m, const struct letter *l)
{
	if (l->blob == NULL)
		tri_msg_copy_in(m, l->data, l->size);
}

/* Up to n messages more at the head of the list; how many it became. */
static uint32_t
letters_make(struct tri_desk *d, const struct letter *l, uint32_t n,
    struct tr_msg **list)
{
	uint32_t i;

	for (i = 0; i < n; i++) {
		struct tr_msg *m = letter_make(d, l);

		if (m == NULL)
			break;
		m->link = *list;
		*list = m;
	}
	return i;
}

static struct tr_msg *
letters_pop(struct tr_msg **list)
{
	struct tr_msg *m = *list;

	*list = m->link;
	return m;
}

static int
letters_send(struct tri_crew *c, const struct tri_refs *to,
    const struct letter *l)
{
	struct tr_msg *list = NULL;
	uint32_t i;

	if (tri_is_over_budget(c->desk.sys)) {
		for (i = 0; i < to->count; i++)
			(void)tri_send_unusual(c, to->ref[i], l->tag, l->size);
		return TR_OK;
	}
	if (letters_make(&c->desk, l, to->count, &list) < to->count) {
		while (list != NULL)
			tri_msg_dispose(c, letters_pop(&list), TR_ENOMEM);
		return TR_ENOMEM;
	}
	for (i = 0; i < to->count; i++) {
		struct tr_msg *m = letters_pop(&list);

		letter_fill(m, l);
		m->sender = c->turn.ref.bits;
		tri_deliver(c, to->ref[i], m);
	}
	return TR_OK;
}

/* All of them, some at a time; how many it became. */
static uint32_t
letters_make_foreign(struct tr_system *sys, const struct letter *l, uint32_t n,
    struct tr_msg **list)
{
	uint32_t made = 0, chunk, got;

	do {
		chunk = n - made < CHUNK ? n - made : CHUNK;
		tri_foreign_lock(sys);
		got = letters_make(&sys->foreign, l, chunk, list);
		tri_foreign_unlock(sys);
		made += got;
	} while (got == chunk && made < n);
	return made;
}

static int
letters_post(struct tr_system *sys, const struct tri_refs *to,
    const struct letter *l)
{
	struct tr_msg *list = NULL;
	uint32_t i;

	if (letters_make_foreign(sys, l, to->count, &list) < to->count) {
		while (list != NULL)
			tri_msg_dispose_foreign(sys, letters_pop(&list),
			    TR_ENOMEM);
		return TR_ENOMEM;
	}
	tri_foreign_lock(sys);
	tri_count(&sys->foreign.counts.sent, (uint64_t)to->count);
	tri_foreign_unlock(sys);
	for (i = 0; i < to->count; i++) {
		struct tr_msg *m = letters_pop(&list);

		letter_fill(m, l);
		tri_post_deliver(sys, to->ref[i], m);
	}
	return TR_OK;
}

/* c: the sender's; NULL: from outside. */
static int
group_send(struct tr_system *sys, struct tri_crew *c, const char *name,
    const struct letter *l, size_t *sent)
{
	tr_ref few[FEW];
	struct tri_refs to = { .ref = few, .room = FEW, .few = few };
	struct tri_named key;
	int rc;

	if (sent != NULL)
		*sent = 0;
	if (!tri_named_set(&key, name) || l->size > tri_message_limit(sys))
		return TR_EINVAL;
	if (!tri_group_members(sys, &key, &to))
		return TR_ENOMEM;
	rc = c != NULL ? letters_send(c, &to, l) : letters_post(sys, &to, l);
	if (rc == TR_OK && sent != NULL)
		*sent = to.count;
	tri_refs_free(sys, &to);
	return rc;
}

int
tr_pg_send(struct tr_self *self, const char *name, uint32_t tag,
    const void *data, size_t size, size_t *sent)
{
	struct tri_crew *c = tri_crew_of(self);
	struct letter l = { .tag = tag, .data = data, .size = size };

	return group_send(c->desk.sys, c, name, &l, sent);
}

int
tr_pg_send_blob(struct tr_self *self, const char *name, uint32_t tag,
    const tr_blob *blob, size_t *sent)
{
	static const tr_blob none;
	struct tri_crew *c = tri_crew_of(self);
	struct letter l = {
		.tag = tag,
		.size = sizeof(*blob),
		.blob = blob != NULL ? blob : &none,
	};

	return group_send(c->desk.sys, c, name, &l, sent);
}

int
tr_pg_post(struct tr_system *system, const char *name, uint32_t tag,
    const void *data, size_t size, size_t *sent)
{
	struct letter l = { .tag = tag, .data = data, .size = size };

	if (sent != NULL)
		*sent = 0;
	/* acq: pairs with tr_system_stop. */
	if (tri_load_acquire(&system->stopping) != 0)
		return TR_ESTOPPING;
	if (tri_is_over_budget(system))
		return TR_EFULL;
	return group_send(system, NULL, name, &l, sent);
}
