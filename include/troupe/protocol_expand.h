/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * troupe/protocol_expand.h - what TR_PROTOCOL() and TR_ACTOR() expand to.
 *
 * Nothing here is for users; <troupe/protocol.h> is the manual.  C only.
 *
 * Everything is static and marked as perhaps unused, for a program uses some
 * of it only.  Each expansion ends in a declaration without its semicolon,
 * which the user writes.
 *
 * In a list's second parameter travels what the expansion of an entry has to
 * know: the protocol's name, or, for an actor, its name, the type of its state
 * and the protocol's name in parentheses.  Parameters are called as no
 * designator is that stands in the same macro.
 */
#ifndef TROUPE_PROTOCOL_EXPAND_H
#define TROUPE_PROTOCOL_EXPAND_H

#include <troupe/protocol.h>

#ifndef __cplusplus

/* --------------------------------------------------------------- tools --- */

#if defined(__GNUC__)
#define TRI_UNUSED    __attribute__((unused))
#define TRI_EXTENSION __extension__
#else
#define TRI_UNUSED
#define TRI_EXTENSION
#endif

#define TRI_UNPACK(...)             __VA_ARGS__
#define TRI_APPLY(macro, args)      macro args
#define TRI_CAT_(a, b)              a##b
#define TRI_CAT(a, b)               TRI_CAT_(a, b)
#define TRI_SECOND_(a, second, ...) second
#define TRI_SECOND(...)             TRI_SECOND_(__VA_ARGS__)

/*
 * EMPTY for a message of TR_EMPTY, else BODY.  A list that begins with ()
 * calls TRI_IS_EMPTY, whose expansion brings a second argument along; one that
 * begins with a brace leaves it alone.  Only the first argument is looked at:
 * a struct's body may contain commas.
 */
#define TRI_IS_EMPTY()        ~, EMPTY
#define TRI_FORM_(first, ...) TRI_SECOND(TRI_IS_EMPTY first, BODY, ~)
#define TRI_FORM(...)         TRI_FORM_(__VA_ARGS__, ~)

/*
 * A number of the protocol's name.  The characters of a string literal are no
 * integer constants in C, but both gcc and clang fold memcmp() into one: a
 * letter counts how many of these it is not below.  Behind the name follow
 * zeros.
 */
#define TRI_PAD           "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define TRI_FROM(s, i, c) (__builtin_memcmp(&s TRI_PAD[i], c, 1) >= 0)
#define TRI_DIGIT(s, i)                                                       \
	(TRI_FROM(s, i, "0") + TRI_FROM(s, i, "1") + TRI_FROM(s, i, "2") +    \
	    TRI_FROM(s, i, "3") + TRI_FROM(s, i, "4") + TRI_FROM(s, i, "5") + \
	    TRI_FROM(s, i, "6") + TRI_FROM(s, i, "7") + TRI_FROM(s, i, "8") + \
	    TRI_FROM(s, i, "9") + TRI_FROM(s, i, "A") + TRI_FROM(s, i, "_"))
#define TRI_LETTER(s, i)                                                      \
	(TRI_FROM(s, i, "a") + TRI_FROM(s, i, "b") + TRI_FROM(s, i, "c") +    \
	    TRI_FROM(s, i, "d") + TRI_FROM(s, i, "e") + TRI_FROM(s, i, "f") + \
	    TRI_FROM(s, i, "g") + TRI_FROM(s, i, "h") + TRI_FROM(s, i, "i") + \
	    TRI_FROM(s, i, "j") + TRI_FROM(s, i, "k") + TRI_FROM(s, i, "l") + \
	    TRI_FROM(s, i, "m") + TRI_FROM(s, i, "n") + TRI_FROM(s, i, "o") + \
	    TRI_FROM(s, i, "p") + TRI_FROM(s, i, "q") + TRI_FROM(s, i, "r") + \
	    TRI_FROM(s, i, "s") + TRI_FROM(s, i, "t") + TRI_FROM(s, i, "u") + \
	    TRI_FROM(s, i, "v") + TRI_FROM(s, i, "w") + TRI_FROM(s, i, "x") + \
	    TRI_FROM(s, i, "y") + TRI_FROM(s, i, "z"))
#define TRI_CHAR(s, i, unit) \
	((unsigned)(TRI_DIGIT(s, i) + TRI_LETTER(s, i)) * (unit))
#define TRI_FIVE(s, a, b, c, d, e)                                          \
	(TRI_CHAR(s, a, 1u) + TRI_CHAR(s, b, 39u) + TRI_CHAR(s, c, 1521u) + \
	    TRI_CHAR(s, d, 59319u) + TRI_CHAR(s, e, 2313441u))
/* Multiplicative hashing: Knuth, The Art of Computer Programming 3, 6.4. */
#define TRI_GOLDEN 2654435769u
#define TRI_HASH(s)                                                   \
	((((TRI_FIVE(s, 0, 1, 2, 3, 4) * TRI_GOLDEN +                 \
	       TRI_FIVE(s, 5, 6, 7, 8, 9)) *                          \
		  TRI_GOLDEN +                                        \
	      TRI_FIVE(s, 10, 11, 12, 13, 14)) *                      \
		 TRI_GOLDEN +                                         \
	     TRI_FIVE(s, 15, 16, 17, 18, 19) + (unsigned)sizeof(s)) * \
	    TRI_GOLDEN)

#define TRI_TAG_BASE(s) (int)(0x40000000u + (TRI_HASH(s) >> 10 << 8))

/* -------------------------------- the enum, the structs, the descriptor --- */

#define TRI_TAG(p, name, ...)   p##_tag_##name,
#define TRI_TRAIT(p, name, ...) struct tr_message_traits name;
#define TRI_STRUCT(p, name, ...) \
	TRI_CAT(TRI_STRUCT_, TRI_FORM(__VA_ARGS__))(p, name, __VA_ARGS__)
#define TRI_STRUCT_BODY(p, name, ...) struct p##_##name __VA_ARGS__;
#define TRI_STRUCT_EMPTY(p, name, ...)

#define TRI_TYPE(p, msg, ...) TRI_CAT(TRI_TYPE_, TRI_FORM(__VA_ARGS__))(p, msg)
#define TRI_TYPE_BODY(p, msg)                     \
	{ .name = #msg,                           \
		.tag = p##_tag_##msg,             \
		.size = sizeof(struct p##_##msg), \
		.traits = &p##_traits.msg },
#define TRI_TYPE_EMPTY(p, msg) \
	{ .name = #msg, .tag = p##_tag_##msg, .traits = &p##_traits.msg },

/* ------------------------------------------------------------- an actor --- */

#define TRI_HANDLER(P, name, ...)                               \
	TRI_APPLY(TRI_CAT(TRI_HANDLER_, TRI_FORM(__VA_ARGS__)), \
	    (TRI_UNPACK P, name))
#define TRI_HANDLER_BODY(a, state_type, p, name) \
	int (*name)(struct tr_self *, state_type *, const struct p##_##name *);
#define TRI_HANDLER_EMPTY(a, state_type, p, name) \
	int (*name)(struct tr_self *, state_type *);

#define TRI_CASE(P, name, ...)                               \
	TRI_APPLY(TRI_CAT(TRI_CASE_, TRI_FORM(__VA_ARGS__)), \
	    (TRI_UNPACK P, name))
#define TRI_CASE_BODY(a, state_type, p, name)               \
	case p##_tag_##name:                                \
		if (a##_handlers.name == NULL ||            \
		    view.size != sizeof(struct p##_##name)) \
			break;                              \
		return a##_handlers.name(self, state,       \
		    (const struct p##_##name *)view.data);
#define TRI_CASE_EMPTY(a, state_type, p, name)                   \
	case p##_tag_##name:                                     \
		if (a##_handlers.name == NULL || view.size != 0) \
			break;                                   \
		return a##_handlers.name(self, state);

#define TRI_ACTOR(a, state_type, p, LIST, ...)                               \
	struct a##_handlers {                                                \
		LIST(TRI_HANDLER, (a, state_type, p))                        \
		int (*other)(struct tr_self *, state_type *,                 \
		    const struct tr_msg *);                                  \
	};                                                                   \
	static const struct a##_handlers a##_handlers = { __VA_ARGS__ };     \
	static int a##_receive(struct tr_self *self, void *state,            \
	    const struct tr_msg *msg)                                        \
	{                                                                    \
		struct tr_view view = tr_msg_view(msg);                      \
                                                                             \
		switch (view.tag) {                                          \
			LIST(TRI_CASE, (a, state_type, p))                   \
		default:                                                     \
			if (a##_handlers.other != NULL)                      \
				return a##_handlers.other(self, state, msg); \
		}                                                            \
		return tr_unhandled(self, msg);                              \
	}                                                                    \
	struct a##_handlers

/* -------------------------------------------------------- the functions --- */

/* Whether a behaviour may be spawned as one of the protocol. */
static inline bool
tri_protocol_fits(const struct tr_protocol *protocol,
    const struct tr_behavior *behavior, const struct tr_spawn_options *options)
{
	if (behavior == NULL || behavior->protocol == NULL ||
	    behavior->protocol->first == protocol->first)
		return true;
	if (options != NULL && options->error != NULL)
		*options->error = TR_EINVAL;
	return false;
}

#define TRI_TYPE_OF(p, name) (&p##_types[p##_tag_##name - p##_tags_begin - 1])

#define TRI_FUNCTIONS(p, name, ...) \
	TRI_CAT(TRI_FUNCTIONS_, TRI_FORM(__VA_ARGS__))(p, name)

#define TRI_FUNCTIONS_BODY(p, name)                                            \
	TRI_UNUSED static inline int p##_send_##name(struct tr_self *self,     \
	    p##_ref to, struct p##_##name value)                               \
	{                                                                      \
		if (p##_traits.name.drop != NULL)                              \
			return tr_typed_send(self, to.ref,                     \
			    TRI_TYPE_OF(p, name), &value);                     \
		return tr_send(self, to.ref, p##_tag_##name, &value,           \
		    sizeof(value));                                            \
	}                                                                      \
	TRI_UNUSED TR_MUST_CHECK static inline int p##_try_send_##name(        \
	    struct tr_self *self, p##_ref to, struct p##_##name value)         \
	{                                                                      \
		if (p##_traits.name.drop != NULL)                              \
			return tr_typed_try_send(self, to.ref,                 \
			    TRI_TYPE_OF(p, name), &value);                     \
		return tr_try_send(self, to.ref, p##_tag_##name, &value,       \
		    sizeof(value));                                            \
	}                                                                      \
	TRI_UNUSED static inline int p##_post_##name(struct tr_system *system, \
	    p##_ref to, struct p##_##name value)                               \
	{                                                                      \
		if (p##_traits.name.drop != NULL)                              \
			return tr_typed_post(system, to.ref,                   \
			    TRI_TYPE_OF(p, name), &value);                     \
		return tr_post(system, to.ref, p##_tag_##name, &value,         \
		    sizeof(value));                                            \
	}                                                                      \
	TRI_UNUSED TR_MUST_CHECK static inline tr_ask_id p##_ask_##name(       \
	    struct tr_self *self, p##_ref to, struct p##_##name value,         \
	    int64_t deadline, tr_answer_fn *fn, uintptr_t cookie)              \
	{                                                                      \
		if (p##_traits.name.drop != NULL)                              \
			return tr_typed_ask(self, to.ref,                      \
			    TRI_TYPE_OF(p, name), &value, deadline, fn,        \
			    cookie);                                           \
		return tr_ask(self, to.ref, p##_tag_##name, &value,            \
		    sizeof(value), deadline, fn, cookie);                      \
	}                                                                      \
	TRI_UNUSED static inline int p##_reply_to_##name(struct tr_self *self, \
	    const struct tr_msg *msg, struct p##_##name value)                 \
	{                                                                      \
		if (p##_traits.name.drop != NULL)                              \
			return tr_typed_reply(self, msg, TRI_TYPE_OF(p, name), \
			    &value);                                           \
		return msg == NULL ? TR_EINVAL :                               \
				     tr_reply(self, msg, p##_tag_##name,       \
					 &value, sizeof(value));               \
	}                                                                      \
	TRI_UNUSED static inline int p##_reply_##name(struct tr_self *self,    \
	    struct p##_##name value)                                           \
	{                                                                      \
		return p##_reply_to_##name(self, tr_msg_in_hand(self), value); \
	}                                                                      \
	TRI_UNUSED static inline int p##_token_reply_##name(                   \
	    struct tr_self *self, tr_token *token, struct p##_##name value)    \
	{                                                                      \
		if (p##_traits.name.drop != NULL)                              \
			return tr_typed_token_reply(self, token,               \
			    TRI_TYPE_OF(p, name), &value);                     \
		return tr_token_reply(self, token, p##_tag_##name, &value,     \
		    sizeof(value));                                            \
	}                                                                      \
	TRI_UNUSED static inline const struct p##_##name *p##_get_##name(      \
	    const struct tr_msg *msg)                                          \
	{                                                                      \
		return (const struct p##_##name *)tr_msg_get(msg,              \
		    p##_tag_##name, sizeof(struct p##_##name));                \
	}                                                                      \
	TRI_UNUSED static inline bool p##_is_##name(const struct tr_msg *msg)  \
	{                                                                      \
		return p##_get_##name(msg) != NULL;                            \
	}

#define TRI_FUNCTIONS_EMPTY(p, name)                                           \
	TRI_UNUSED static inline int p##_send_##name(struct tr_self *self,     \
	    p##_ref to)                                                        \
	{                                                                      \
		return tr_send(self, to.ref, p##_tag_##name, NULL, 0);         \
	}                                                                      \
	TRI_UNUSED TR_MUST_CHECK static inline int                             \
	    p##_try_send_##name(struct tr_self *self, p##_ref to)              \
	{                                                                      \
		return tr_try_send(self, to.ref, p##_tag_##name, NULL, 0);     \
	}                                                                      \
	TRI_UNUSED static inline int p##_post_##name(struct tr_system *system, \
	    p##_ref to)                                                        \
	{                                                                      \
		return tr_post(system, to.ref, p##_tag_##name, NULL, 0);       \
	}                                                                      \
	TRI_UNUSED TR_MUST_CHECK static inline tr_ask_id                       \
	    p##_ask_##name(struct tr_self *self, p##_ref to, int64_t deadline, \
		tr_answer_fn *fn, uintptr_t cookie)                            \
	{                                                                      \
		return tr_ask(self, to.ref, p##_tag_##name, NULL, 0, deadline, \
		    fn, cookie);                                               \
	}                                                                      \
	TRI_UNUSED static inline int p##_reply_to_##name(struct tr_self *self, \
	    const struct tr_msg *msg)                                          \
	{                                                                      \
		return msg == NULL ?                                           \
		    TR_EINVAL :                                                \
		    tr_reply(self, msg, p##_tag_##name, NULL, 0);              \
	}                                                                      \
	TRI_UNUSED static inline int p##_reply_##name(struct tr_self *self)    \
	{                                                                      \
		return p##_reply_to_##name(self, tr_msg_in_hand(self));        \
	}                                                                      \
	TRI_UNUSED static inline int                                           \
	    p##_token_reply_##name(struct tr_self *self, tr_token *token)      \
	{                                                                      \
		return tr_token_reply(self, token, p##_tag_##name, NULL, 0);   \
	}                                                                      \
	TRI_UNUSED static inline bool p##_is_##name(const struct tr_msg *msg)  \
	{                                                                      \
		return tr_msg_get(msg, p##_tag_##name, 0) != NULL;             \
	}

/* ----------------------------------------------------------- a protocol --- */

#define TRI_PROTOCOL(p, LIST, ...)                                           \
	TRI_EXTENSION enum p##_tag{ p##_tags_begin = TRI_TAG_BASE(#p) - 1,   \
		LIST(TRI_TAG, p) p##_tags_end };                             \
	typedef struct p##_ref {                                             \
		tr_ref ref;                                                  \
	} p##_ref;                                                           \
	LIST(TRI_STRUCT, p)                                                  \
	struct p##_traits {                                                  \
		LIST(TRI_TRAIT, p)                                           \
		char tri_none;                                               \
	};                                                                   \
	TRI_UNUSED static const p##_ref p##_none = { { 0 } };                \
	TRI_UNUSED static const struct p##_traits p##_traits = { .tri_none = \
								     0,      \
		__VA_ARGS__ };                                               \
	TRI_UNUSED static const struct tr_message_type p##_types[] = {       \
		LIST(TRI_TYPE, p)                                            \
	};                                                                   \
	TRI_UNUSED static const struct tr_protocol p##_protocol = {          \
		.name = #p,                                                  \
		.first = (uint32_t)p##_tags_begin + 1,                       \
		.count = p##_tags_end - p##_tags_begin - 1,                  \
		.types = p##_types,                                          \
	};                                                                   \
	TRI_UNUSED static inline p##_ref p##_of(tr_ref ref)                  \
	{                                                                    \
		return (p##_ref){ ref };                                     \
	}                                                                    \
	TRI_UNUSED static inline p##_ref p##_spawn(struct tr_self *self,     \
	    const struct tr_behavior *behavior, const void *arg,             \
	    const struct tr_spawn_options *options)                          \
	{                                                                    \
		if (!tri_protocol_fits(&p##_protocol, behavior, options))    \
			return p##_none;                                     \
		return p##_of(tr_spawn(self, behavior, arg, options));       \
	}                                                                    \
	TRI_UNUSED TR_MUST_CHECK static inline p##_ref p##_system_spawn(     \
	    struct tr_system *system, const struct tr_behavior *behavior,    \
	    const void *arg, const struct tr_spawn_options *options)         \
	{                                                                    \
		if (!tri_protocol_fits(&p##_protocol, behavior, options))    \
			return p##_none;                                     \
		return p##_of(                                               \
		    tr_system_spawn(system, behavior, arg, options));        \
	}                                                                    \
	LIST(TRI_FUNCTIONS, p)                                               \
	_Static_assert(p##_tags_end - p##_tags_begin - 1 <= 255,             \
	    "a protocol has at most 255 messages")

#endif /* __cplusplus */

#endif /* TROUPE_PROTOCOL_EXPAND_H */
