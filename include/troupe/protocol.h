/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * troupe/protocol.h - messages with types.  <troupe.h> includes it.
 *
 * A protocol is a list of messages, written once:
 *
 *     #define BANK(MSG, P)                                    \
 *             MSG(P, deposit, { int64_t cents; })             \
 *             MSG(P, transfer, { bank_ref to; int64_t cents; }) \
 *             MSG(P, close, TR_EMPTY)                         \
 *             MSG(P, balance, { int64_t cents; })
 *     TR_PROTOCOL(bank, BANK);
 *
 * It gives, for the protocol:
 *
 *     enum bank_tag               bank_tag_deposit, ...: the tags
 *     bank_ref                    a reference to an actor that knows it
 *     bank_none                   the bank_ref of nobody
 *     bank_of(ref)                a tr_ref that is known to be one
 *     bank_spawn(self, behavior, arg, options)
 *     bank_system_spawn(system, behavior, arg, options)
 *     bank_protocol               its descriptor, for struct tr_behavior
 *
 * and for each message (one of TR_EMPTY has the same functions without the
 * value):
 *
 *     struct bank_deposit
 *     int bank_send_deposit(self, bank_ref, value)
 *     int bank_try_send_deposit(self, bank_ref, value)
 *     int bank_post_deposit(system, bank_ref, value)
 *     tr_ask_id bank_ask_deposit(self, bank_ref, value, deadline, fn, cookie)
 *     int bank_reply_deposit(self, value)         to the message in hand
 *     int bank_reply_to_deposit(self, msg, value) to one that was taken
 *     int bank_token_reply_deposit(self, token, value)
 *     bool bank_is_deposit(msg)
 *     const struct bank_deposit *bank_get_deposit(msg)
 *
 * They are the functions of <troupe.h> of the same name, inline, with the tag,
 * the address and the size filled in; bank_reply_...() is TR_EINVAL where no
 * message is in hand.  bank_get_...() is NULL for a NULL message, and for one
 * of another tag or size, so an answer can be handed to it unseen.
 *
 * An actor's handlers are typed by
 *
 *     TR_ACTOR(account, struct account, bank, BANK,
 *         .deposit = on_deposit, .close = on_close);
 *
 *     static int on_deposit(struct tr_self *, struct account *,
 *         const struct bank_deposit *);
 *     static int on_close(struct tr_self *, struct account *);
 *
 * which gives account_receive() for struct tr_behavior.  Sizes were checked
 * before a handler runs.  A message of the protocol without a handler, or of a
 * wrong size, goes to tr_unhandled(); a message of any other tag (a tick, an
 * answer to a plain message) to the handler `.other`, which is typed as
 * receive() is but for the state, or to tr_unhandled() when there is none.
 *
 * A message may have traits, which stand behind the list:
 *
 *     TR_PROTOCOL(bank, BANK, .upload = { .drop = upload_drop });
 *
 * See struct tr_message_traits.  The functions of a message with a drop
 * function move what the payload owns, always: it is dropped once, whatever
 * they return.
 *
 * RULES
 *
 * - Everything is static: a protocol stands in a header of the program, each
 *   file that includes it has its own copy, and they agree.
 * - Tags begin at 2^30, at a place that depends on the protocol's name only
 *   (22 bits of a hash of its first 20 letters), and count up in the list's
 *   order.  Tags below 2^30 stay free for raw messages; both kinds may go to
 *   the same actor.  A protocol has at most 255 messages.
 * - A payload holds at least one byte, and at most what may be passed by value
 *   with good grace; larger ones and those of no fixed size are raw messages.
 * - No message is named `ref`, `tag` or `traits`, nor `other`.
 * - C only: in C++ the functions below can be used, the macros cannot.
 */
#ifndef TROUPE_PROTOCOL_H
#define TROUPE_PROTOCOL_H

#include <troupe.h>

#ifdef __cplusplus
extern "C" {
#endif

/* -------------------------------------------------------- descriptors --- */

/** What is special about one message; all of it may be NULL. */
struct tr_message_traits {
	/* Frees what the payload owns: see tr_drop_fn. */
	tr_drop_fn *drop;

	/*
	 * Writes the payload as text, at most `room` bytes with the closing 0
	 * (`room` is at least 1).  Any thread; no tr_ verb.
	 */
	void (
	    *print)(const void *payload, size_t size, char *text, size_t room);

	/*
	 * For messages that leave the process; nothing calls them yet.
	 * encode() writes the payload's bytes and stores their number, also
	 * when it returns TR_EFULL because they are more than `room`.
	 * decode() fills a payload of `size` bytes, or returns TR_EINVAL for
	 * bytes that are none; what it allocates, drop() frees.  Any thread;
	 * no tr_ verb.  NULL: the payload is its own bytes.
	 */
	int (*encode)(const void *payload, size_t size, void *bytes,
	    size_t room, size_t *length);
	int (*decode)(const void *bytes, size_t length, void *payload,
	    size_t size);
};

/** One message of a protocol. */
struct tr_message_type {
	const char *name;
	uint32_t tag;
	uint32_t size; /* of its payload */
	const struct tr_message_traits *traits; /* never NULL */
};

/** A protocol; made by TR_PROTOCOL(). */
struct tr_protocol {
	const char *name;
	uint32_t first; /* tag of the first message; the others follow */
	uint32_t count;
	const struct tr_message_type *types; /* `count` of them, by tag */
};

/**
 * Find a message by its tag.
 *
 * \param protocol  where to look; NULL: nowhere
 * \param tag       the tag
 * \returns         the message's description, or NULL: it has none of that tag
 * \owner           none
 * \threads         any
 * \blocks          never
 */
TR_API const struct tr_message_type *tr_protocol_find(
    const struct tr_protocol *protocol, uint32_t tag);

/**
 * Name a message.
 *
 * \param protocol  where to look; NULL: nowhere
 * \param tag       its tag
 * \returns         its name, or NULL: the protocol has none of that tag
 * \owner           none
 * \threads         any
 * \blocks          never
 */
TR_API const char *tr_protocol_name(const struct tr_protocol *protocol,
    uint32_t tag);

/**
 * Write a message as text: its name, and what its printer says.  One that the
 * protocol does not know is written as its tag and size.
 *
 * \param protocol  of which it may be; NULL: of none
 * \param msg       a message
 * \param text      filled, with a closing 0; cut at the room
 * \param room      bytes of `text`; 0: nothing is written
 * \owner           borrows until it returns
 * \threads         any
 * \blocks          never
 */
TR_API void tr_protocol_print(const struct tr_protocol *protocol,
    const struct tr_msg *msg, char *text, size_t room);

/* ---------------------------------------------------- what they rest on --- */

/** What a message says, all at once. */
struct tr_view {
	const void *data; /* its payload, never NULL */
	uint32_t tag;
	uint32_t size;
};

/**
 * Look at a message: tr_tag(), tr_size() and tr_data() in one.
 *
 * \param msg  a message
 * \returns    what it says
 * \owner      data borrows from the message
 * \threads    any
 * \blocks     never
 */
TR_API struct tr_view tr_msg_view(const struct tr_msg *msg);

/** A message's payload if it is of this tag and exactly this size, else NULL;
 * of a NULL message NULL. */
static inline const void *
tr_msg_get(const struct tr_msg *msg, uint32_t tag, size_t size)
{
	struct tr_view view;

	if (msg == NULL)
		return NULL;
	view = tr_msg_view(msg);
	return view.tag == tag && view.size == size ? view.data : NULL;
}

/**
 * Send a message that may have a drop function, as tr_send() does.
 *
 * \param self     the sender
 * \param to       the receiver
 * \param type     what it is
 * \param payload  type->size bytes
 * \returns        TR_OK; TR_ENOMEM (or too large)
 * \owner          moves always: what the payload owns
 * \threads        self
 * \blocks         never
 */
TR_API int tr_typed_send(struct tr_self *self, tr_ref to,
    const struct tr_message_type *type, const void *payload);

/**
 * Send a message that may have a drop function, as tr_try_send() does.
 *
 * \param self     the sender
 * \param to       the receiver
 * \param type     what it is
 * \param payload  type->size bytes
 * \returns        as tr_try_send_msg(); TR_ENOMEM (or too large)
 * \owner          moves always: what the payload owns
 * \threads        self
 * \blocks         never
 */
TR_API TR_MUST_CHECK int tr_typed_try_send(struct tr_self *self, tr_ref to,
    const struct tr_message_type *type, const void *payload);

/**
 * Send a message that may have a drop function from outside, as tr_post()
 * does.
 *
 * \param system   the receiver's system
 * \param to       the receiver
 * \param type     what it is
 * \param payload  type->size bytes
 * \returns        as tr_post()
 * \owner          moves always: what the payload owns
 * \threads        any
 * \blocks         never
 */
TR_API int tr_typed_post(struct tr_system *system, tr_ref to,
    const struct tr_message_type *type, const void *payload);

/**
 * Ask with a message that may have a drop function, as tr_ask() does.
 *
 * \param self     the asker
 * \param to       who is asked
 * \param type     what it is
 * \param payload  type->size bytes
 * \param deadline absolute, tr_in(); tr_forever(): none
 * \param fn       called with the outcome
 * \param cookie   passed to fn
 * \returns        as tr_ask()
 * \owner          moves always: what the payload owns
 * \threads        self
 * \blocks         never
 */
TR_API TR_MUST_CHECK tr_ask_id tr_typed_ask(struct tr_self *self, tr_ref to,
    const struct tr_message_type *type, const void *payload, int64_t deadline,
    tr_answer_fn *fn, uintptr_t cookie);

/**
 * Answer with a message that may have a drop function, as tr_reply() does.
 *
 * \param self     the running actor
 * \param msg      what is answered; NULL: TR_EINVAL
 * \param type     what the answer is
 * \param payload  type->size bytes
 * \returns        as tr_reply()
 * \owner          moves always: what the payload owns
 * \threads        self
 * \blocks         never
 */
TR_API int tr_typed_reply(struct tr_self *self, const struct tr_msg *msg,
    const struct tr_message_type *type, const void *payload);

/**
 * Answer by token with a message that may have a drop function, as
 * tr_token_reply() does.
 *
 * \param self     the actor that made the token
 * \param token    zeroed when answered
 * \param type     what the answer is
 * \param payload  type->size bytes
 * \returns        as tr_token_reply()
 * \owner          moves always: what the payload owns
 * \threads        self
 * \blocks         never
 */
TR_API int tr_typed_token_reply(struct tr_self *self, tr_token *token,
    const struct tr_message_type *type, const void *payload);

#ifdef __cplusplus
}
#else

/* ------------------------------------------------------- the two macros --- */

/** A message without payload: an empty struct is not ISO C. */
#define TR_EMPTY         ()

/**
 * TR_PROTOCOL(name, LIST [, .message = { traits } ...]); declares a protocol,
 * as said above.
 */
#define TR_PROTOCOL(...) TRI_PROTOCOL(__VA_ARGS__, )

/**
 * TR_ACTOR(name, state type, protocol, LIST, .message = handler ...); defines
 * name_receive() and the type of its handlers, as said above.
 */
#define TR_ACTOR(name, state_type, protocol, LIST, ...) \
	TRI_ACTOR(name, state_type, protocol, LIST, __VA_ARGS__)

#include <troupe/protocol_expand.h>

#endif /* __cplusplus */

#endif /* TROUPE_PROTOCOL_H */
