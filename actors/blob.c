/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blobs: shared bytes and the messages that carry them.
 *
 * The count lies in front of the bytes, or, for wrapped memory, in a block of
 * its own.  That block says how it is freed, by value, so that a blob needs
 * neither its system nor any lock when it goes.  A message with a blob is a
 * message with a drop function, and that function is how it is known again.
 *
 * Everything here runs on any thread.
 */
#include "actors/blob.h"

#include "actors/send.h"

#include <string.h>

_Static_assert(sizeof(tr_blob) == 16,
    "header, EXTRA extension and handle are one cache line");

struct bytes {
	struct tr_bytes pub; /* first: what users see */
	_Atomic uint64_t holds;
	size_t size; /* of the whole */
	tr_blob_free_fn *free_fn; /* wrapped memory; NULL: nothing to do */
	void *ctx;
	/* Gives this block back, also when the system is gone. */
	void (*mem_free)(void *ctx, void *p);
	void *mem_ctx;
	uint64_t room;
};

_Static_assert(sizeof(struct bytes) == TRI_LINE, "the bytes stay aligned");

static struct bytes *
blob_bytes(const tr_blob *blob)
{
	return tri_container_of(blob->bytes, struct bytes, pub);
}

/* A count of 1, with room for `extra` bytes behind it. */
static struct bytes *
bytes_new(struct tr_system *sys, size_t size, size_t extra)
{
	const struct tri_memory *memory = &sys->env->memory;
	struct bytes *b = tri_memory_alloc(memory, sizeof(*b) + extra, "blob");

	if (b == NULL)
		return NULL;
	b->pub.data = (const char *)(b + 1);
	b->size = size;
	b->free_fn = NULL;
	b->ctx = NULL;
	b->mem_free = memory->free_late;
	b->mem_ctx = memory->late_ctx;
	tri_store_relaxed(&b->holds, (uint64_t)1);
	return b;
}

static void
bytes_free(struct bytes *b)
{
	if (b->free_fn != NULL)
		b->free_fn((void *)(uintptr_t)b->pub.data, b->size, b->ctx);
	b->mem_free(b->mem_ctx, b);
}

/* ----------------------------------------------------- making and freeing */

void *
tr_blob_alloc(struct tr_system *system, size_t size, tr_blob *blob)
{
	struct bytes *b;

	*blob = (tr_blob){ 0 };
	if (size == 0 || size > UINT32_MAX)
		return NULL;
	b = bytes_new(system, size, size);
	if (b == NULL)
		return NULL;
	blob->bytes = &b->pub;
	blob->size = (uint32_t)size;
	return b + 1;
}

int
tr_blob_new(struct tr_system *system, const void *data, size_t size,
    tr_blob *blob)
{
	void *to;

	*blob = (tr_blob){ 0 };
	if (size > UINT32_MAX)
		return TR_EINVAL;
	if (size == 0)
		return TR_OK;
	to = tr_blob_alloc(system, size, blob);
	if (to == NULL)
		return TR_ENOMEM;
	memcpy(to, data, size);
	return TR_OK;
}

int
tr_blob_wrap(struct tr_system *system, void *data, size_t size,
    tr_blob_free_fn *free_fn, void *ctx, tr_blob *blob)
{
	struct bytes *b;

	*blob = (tr_blob){ 0 };
	if (size > UINT32_MAX || data == NULL)
		return TR_EINVAL;
	if (size == 0) {
		if (free_fn != NULL)
			free_fn(data, size, ctx);
		return TR_OK;
	}
	b = bytes_new(system, size, 0);
	if (b == NULL)
		return TR_ENOMEM;
	b->pub.data = data;
	b->free_fn = free_fn;
	b->ctx = ctx;
	blob->bytes = &b->pub;
	blob->size = (uint32_t)size;
	return TR_OK;
}

tr_blob
tr_blob_ref(const tr_blob *blob)
{
	if (blob == NULL || blob->bytes == NULL)
		return (tr_blob){ 0 };
	/* Relaxed: the caller has a hold, so it cannot go meanwhile, and
	 * whoever gets the new one gets it by something that orders. */
	tri_fetch_add_relaxed(&blob_bytes(blob)->holds, (uint64_t)1);
	return *blob;
}

int
tr_blob_slice(const tr_blob *blob, size_t at, size_t size, tr_blob *slice)
{
	*slice = (tr_blob){ 0 };
	if (at > blob->size || size > blob->size - at)
		return TR_EINVAL;
	if (size == 0)
		return TR_OK;
	*slice = tr_blob_ref(blob);
	slice->at += (uint32_t)at;
	slice->size = (uint32_t)size;
	return TR_OK;
}

void
tr_blob_drop(tr_blob *blob)
{
	struct bytes *b;

	if (blob == NULL || blob->bytes == NULL)
		return;
	b = blob_bytes(blob);
	*blob = (tr_blob){ 0 };
	/* rel: this holder's reads come before the end; acq: the last one's
	 * end comes after all of them.  It pairs with itself. */
	if (tri_fetch_sub_acq_rel(&b->holds, (uint64_t)1) == 1)
		bytes_free(b);
}

bool
tr_blob_equal(const tr_blob *a, const tr_blob *b)
{
	if (a->size != b->size)
		return false;
	return a->size == 0 ||
	    memcmp(tr_blob_data(a), tr_blob_data(b), a->size) == 0;
}

/* ------------------------------------------------------------ messages -- */

static void
blob_drop_payload(void *payload, size_t size)
{
	(void)size;
	tr_blob_drop(payload);
}

const tr_blob *
tr_msg_blob(const struct tr_msg *msg)
{
	/* Read only: the accessors below are for those who own it. */
	struct tr_msg *m = (struct tr_msg *)(uintptr_t)msg;

	if (m == NULL || (m->flags & TRI_MSG_EXTRA_EXT) == 0 ||
	    tri_msg_extra(m)->drop != blob_drop_payload)
		return NULL;
	return tri_msg_payload(m);
}

struct tr_msg *
tri_blob_msg(struct tri_desk *d, unsigned kind, unsigned flags, uint32_t tag,
    const tr_blob *blob)
{
	struct tr_msg *m = tri_msg_alloc(d, kind, flags | TRI_MSG_EXTRA_EXT,
	    tag, sizeof(*blob));
	tr_blob own;

	if (m == NULL)
		return NULL;
	own = tr_blob_ref(blob);
	tri_msg_set_drop(d->sys, m, blob_drop_payload);
	memcpy(tri_msg_payload(m), &own, sizeof(own));
	return m;
}

int
tr_send_blob(struct tr_self *self, tr_ref to, uint32_t tag, const tr_blob *blob)
{
	struct tri_crew *c = tri_crew_of(self);
	struct tr_msg *m;

	if (tri_is_over_budget(c->desk.sys))
		return tri_send_unusual(c, to, tag, sizeof(*blob));
	m = tri_blob_msg(&c->desk, TRI_MSG_PLAIN, 0, tag, blob);
	return m == NULL ? TR_ENOMEM : tr_send_msg(self, to, &m);
}

int
tr_try_send_blob(struct tr_self *self, tr_ref to, uint32_t tag,
    const tr_blob *blob)
{
	struct tri_crew *c = tri_crew_of(self);
	struct tr_msg *m;
	int rc;

	if (tri_is_over_budget(c->desk.sys))
		return TR_EFULL;
	m = tri_blob_msg(&c->desk, TRI_MSG_PLAIN, 0, tag, blob);

	if (m == NULL)
		return TR_ENOMEM;
	rc = tr_try_send_msg(self, to, &m);
	if (rc != TR_OK)
		tr_msg_drop(&m);
	return rc;
}

int
tr_post_blob(struct tr_system *system, tr_ref to, uint32_t tag,
    const tr_blob *blob)
{
	struct tr_msg *m;

	/* acq: pairs with tr_system_stop. */
	if (tri_load_acquire(&system->stopping) != 0)
		return TR_ESTOPPING;
	if (tri_is_over_budget(system))
		return TR_EFULL;
	tri_foreign_lock(system);
	m = tri_blob_msg(&system->foreign, TRI_MSG_PLAIN, 0, tag, blob);
	if (m != NULL)
		tri_count(&system->foreign.counts.sent, (uint64_t)1);
	tri_foreign_unlock(system);
	if (m == NULL)
		return TR_ENOMEM;
	tri_post_deliver(system, to, m);
	return TR_OK;
}

/* A plain message's answer is a plain message. */
static int
reply_plain(struct tr_self *self, tr_ref to, struct tr_msg *m)
{
	struct tri_crew *c = tri_crew_of(self);

	if (tr_ref_valid(to))
		return tr_send_msg(self, to, &m);
	m->sender = c->turn.ref.bits;
	tri_count(&c->desk.counts.sent, (uint64_t)1);
	tri_msg_dead(c, TR_REF_NONE, m, TR_DEAD_NO_SENDER, TR_EDEAD);
	return TR_OK;
}

int
tr_reply_blob(struct tr_self *self, const struct tr_msg *msg, uint32_t tag,
    const tr_blob *blob)
{
	struct tri_crew *c = tri_crew_of(self);
	struct tr_msg *m = (struct tr_msg *)(uintptr_t)msg, *answer;
	bool ask = m->kind == TRI_MSG_ASK;
	struct tri_record *duty = ask ? tri_msg_lent_duty(c, m) : NULL;
	if (ask && (m->flags & TRI_MSG_DUTY) == 0 && duty == NULL)
		return TR_EINVAL;
	answer = tri_blob_msg(&c->desk, ask ? TRI_MSG_REPLY : TRI_MSG_PLAIN,
	    ask ? TRI_MSG_ASK_EXT : 0, tag, blob);
	if (answer == NULL)
		return TR_ENOMEM;
	if (!ask)
		return reply_plain(self, tr_sender(msg), answer);
	answer->sender = c->turn.ref.bits;
	*tri_msg_reply(answer) =
	    (struct tri_msg_reply){ TR_OK, tri_msg_ask(m)->ask };
	m->flags &= (uint8_t) ~(TRI_MSG_DUTY | TRI_MSG_LENT);
	if (duty != NULL)
		tri_record_end(c, duty);
	tri_deliver(c, tr_sender(msg), answer);
	return TR_OK;
}
