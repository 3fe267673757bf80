/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What <troupe/protocol.h> rests on: names of messages, and messages whose
 * type has a drop function.
 *
 * Those are moved always: whatever a function returns, the payload is dropped
 * exactly once, by whoever frees the message, or here when there was none.
 * Asks and answers are built here as ask.c builds them, with one extension
 * more.
 */
#include "actors/send.h"

#include <inttypes.h>
#include <stdio.h>

/* -------------------------------------------------------------- names --- */

const struct tr_message_type *
tr_protocol_find(const struct tr_protocol *protocol, uint32_t tag)
{
	/* A tag below the first one wraps and is too large as well. */
	if (protocol == NULL || tag - protocol->first >= protocol->count)
		return NULL;
	return &protocol->types[tag - protocol->first];
}

const char *
tr_protocol_name(const struct tr_protocol *protocol, uint32_t tag)
{
	const struct tr_message_type *type = tr_protocol_find(protocol, tag);

	return type != NULL ? type->name : NULL;
}

void
tr_protocol_print(const struct tr_protocol *protocol, const struct tr_msg *msg,
    char *text, size_t room)
{
	const struct tr_message_type *type =
	    tr_protocol_find(protocol, msg->tag);
	int n;

	if (room == 0)
		return;
	if (type == NULL) {
		(void)snprintf(text, room, "tag %" PRIu32 ", %" PRIu32 " bytes",
		    msg->tag, msg->size);
	} else if (msg->size != type->size) {
		(void)snprintf(text, room, "%s, %" PRIu32 " bytes", type->name,
		    msg->size);
	} else if (type->traits->print == NULL) {
		(void)snprintf(text, room, "%s", type->name);
	} else {
		n = snprintf(text, room, "%s ", type->name);
		if (n > 0 && (size_t)n < room)
			type->traits->print((const char *)msg + msg->offset,
			    msg->size, text + n, room - (size_t)n);
	}
}

const char *
tri_message_name(const struct tr_behavior *b, uint32_t tag)
{
	return b != NULL ? tr_protocol_name(b->protocol, tag) : NULL;
}

/* Whether the slot's behaviour is that of its actor of this generation. */
static bool
ident_is_of(uint64_t ident, uint32_t generation)
{
	return (uint32_t)ident ==
	    generation + ((ident & TRI_IDENT_FREE) != 0 ? 1 : 0);
}

/*
 * The behaviour is read between two looks at the ident.  While the slot is
 * free it is still that of the last actor; who fills the slot takes the flag
 * away before it stores another (spawn_fill_cell).
 */
const struct tr_behavior *
tri_behavior_of(const struct tr_system *sys, tr_ref actor)
{
	uint32_t generation = tri_ref_generation(actor);
	const struct tr_behavior *b;
	struct tr_self *a;

	if (generation >> TRI_COUNT_BITS != sys->number ||
	    tri_ref_slot(actor) >= tri_load_acquire(&sys->actors.limit))
		return NULL;
	a = tri_cell(sys, tri_ref_slot(actor));
	/* acq: pairs with die_free_slot and the opening of the inlet. */
	if (!ident_is_of(tri_load_acquire(&a->ident), generation))
		return NULL;
	/* acq: pairs with spawn_fill_cell. */
	b = tri_load_acquire(&a->behavior);
	return ident_is_of(tri_load_relaxed(&a->ident), generation) ? b : NULL;
}

struct tr_view
tr_msg_view(const struct tr_msg *msg)
{
	return (struct tr_view){
		.data = (const char *)msg + msg->offset,
		.tag = msg->tag,
		.size = msg->size,
	};
}

/* ------------------------------------------- messages with a drop ------- */

/* No message took the payload: end what it owns here. */
static void
typed_drop(const struct tr_message_type *type, const void *payload)
{
	if (type->traits->drop != NULL)
		type->traits->drop((void *)(uintptr_t)payload, type->size);
}

static struct tr_msg *
typed_new(struct tr_self *self, const struct tr_message_type *type,
    const void *payload)
{
	struct tr_msg *m =
	    tr_msg_new(self, type->tag, type->size, type->traits->drop);

	if (m == NULL)
		typed_drop(type, payload);
	else
		tri_msg_copy_in(m, payload, type->size);
	return m;
}

int
tr_typed_send(struct tr_self *self, tr_ref to,
    const struct tr_message_type *type, const void *payload)
{
	struct tr_msg *m = typed_new(self, type, payload);

	return m != NULL ? tr_send_msg(self, to, &m) : TR_ENOMEM;
}

int
tr_typed_try_send(struct tr_self *self, tr_ref to,
    const struct tr_message_type *type, const void *payload)
{
	struct tr_msg *m = typed_new(self, type, payload);
	int rc;

	if (m == NULL)
		return TR_ENOMEM;
	rc = tr_try_send_msg(self, to, &m);
	if (rc != TR_OK)
		tr_msg_drop(&m);
	return rc;
}

int
tr_typed_post(struct tr_system *system, tr_ref to,
    const struct tr_message_type *type, const void *payload)
{
	int rc = tri_post(system, to, type->tag, payload, type->size,
	    type->traits->drop);

	if (rc != TR_OK)
		typed_drop(type, payload);
	return rc;
}

static struct tri_content
typed_content(const struct tr_message_type *type, const void *payload)
{
	return (struct tri_content){ type->tag, type->size, payload,
		type->traits->drop };
}

tr_ask_id
tr_typed_ask(struct tr_self *self, tr_ref to,
    const struct tr_message_type *type, const void *payload, int64_t deadline,
    tr_answer_fn *fn, uintptr_t cookie)
{
	struct tri_content what = typed_content(type, payload);
	tr_ask_id id =
	    tri_ask_send(tri_crew_of(self), to, &what, deadline, fn, cookie);

	if (id == 0)
		typed_drop(type, payload);
	return id;
}

static int
typed_reply_ask(struct tri_crew *c, struct tr_msg *m,
    const struct tr_message_type *type, const void *payload)
{
	struct tri_content what = typed_content(type, payload);
	int rc = tri_reply_ask(c, m, &what);

	if (rc != TR_OK)
		typed_drop(type, payload);
	return rc;
}

int
tr_typed_reply(struct tr_self *self, const struct tr_msg *msg,
    const struct tr_message_type *type, const void *payload)
{
	struct tri_crew *c = tri_crew_of(self);

	if (msg != NULL && msg->kind == TRI_MSG_ASK)
		return typed_reply_ask(c, (struct tr_msg *)(uintptr_t)msg, type,
		    payload);
	if (msg != NULL && msg->sender != 0)
		return tr_typed_send(self, (tr_ref){ msg->sender }, type,
		    payload);
	typed_drop(type, payload);
	/* Nobody to send it to: tr_reply() only counts that. */
	return msg == NULL ? TR_EINVAL :
			     tr_reply(self, msg, type->tag, NULL, type->size);
}

int
tr_typed_token_reply(struct tr_self *self, tr_token *token,
    const struct tr_message_type *type, const void *payload)
{
	struct tri_content what = typed_content(type, payload);
	int rc = tri_token_reply(tri_crew_of(self), token, &what);

	if (rc != TR_OK)
		typed_drop(type, payload);
	return rc;
}
