/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * troupe/group.h - process groups: send to all who have joined a name.
 *
 *     (void)tr_pg_join(self, "readers");
 *     ...
 *     return tr_pg_send(self, "readers", NEWS, text, size, NULL);
 *
 * A group is there as long as it has members; nobody makes or frees it.  An
 * actor joins and leaves for itself, may be in many groups, and leaves all of
 * them when it ends, after its stop().  A send goes to those who are members
 * at that moment, to the sender too if it is one; a member that ends before
 * its message comes leaves a dead letter, as with tr_send().  Messages of one
 * sender to one member keep their order, whether they were sent to the group
 * or to the actor.  Nothing is promised about whom a message that is sent
 * while somebody joins or leaves goes to: it is sent to the members of one
 * moment of the call.
 *
 * Either all members are sent to, or, without memory, none: the messages are
 * made before the first is sent.  A send costs what that many sends cost, in
 * one turn; what is big is better sent as a blob (tr_pg_send_blob).
 *
 * To have one member do the work, put a router in front of a group
 * (<troupe/router.h>).
 */
/* Before the guard: troupe.h includes this one at its end. */
#include <troupe.h>

#ifndef TROUPE_GROUP_H
#define TROUPE_GROUP_H
#include <troupe/blob.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Become a member of a group.
 *
 * It costs a look at each of the groups that this actor is in already.
 *
 * \param self  the running actor
 * \param name  the group, 1 to 63 bytes, copied
 * \returns     TR_OK, also if it is one already, as a restarted child is;
 *              TR_EINVAL (length); TR_ENOMEM; TR_ESTOPPING (in stop())
 * \owner       borrows until it returns
 * \threads     self
 * \blocks      never
 */
TR_API TR_MUST_CHECK int tr_pg_join(struct tr_self *self, const char *name);

/**
 * Leave a group.  What was sent before still comes.
 *
 * \param self  the running actor
 * \param name  the group
 * \returns     TR_OK; TR_EINVAL (it is no member)
 * \owner       borrows until it returns
 * \threads     self
 * \blocks      never
 */
TR_API int tr_pg_leave(struct tr_self *self, const char *name);

/**
 * Send a message to every member of a group.
 *
 * How many there were is stored, not returned, so that a handler can return
 * what this returns.
 *
 * \param self  the sender
 * \param name  the group; without members nothing is sent
 * \param tag   what the receivers see as tr_tag()
 * \param data  payload, copied for each; may be NULL when size is 0
 * \param size  bytes, up to options.max_message_bytes
 * \param sent  where to store how many members it was sent to; NULL: not
 *              wanted
 * \returns     TR_OK, also for an empty group; TR_ENOMEM (nothing was sent);
 *              TR_EINVAL (too large, or the name's length)
 * \owner       borrows until it returns
 * \threads     self
 * \blocks      never
 */
TR_API int tr_pg_send(struct tr_self *self, const char *name, uint32_t tag,
    const void *data, size_t size, size_t *sent);

/**
 * Send a blob to every member of a group.  The bytes are not copied.
 *
 * \param self  the sender
 * \param name  the group; without members nothing is sent
 * \param tag   what the receivers see as tr_tag()
 * \param blob  what they get from tr_msg_blob()
 * \param sent  where to store how many members it was sent to; NULL: not
 *              wanted
 * \returns     TR_OK, also for an empty group; TR_ENOMEM (nothing was sent);
 *              TR_EINVAL (the name's length)
 * \owner       borrows until it returns; each message has a hold of its own
 * \threads     self
 * \blocks      never
 */
TR_API int tr_pg_send_blob(struct tr_self *self, const char *name, uint32_t tag,
    const tr_blob *blob, size_t *sent);

/**
 * Send a message to every member of a group from outside, as tr_post() does.
 *
 * \param system  the group's system
 * \param name    the group; without members nothing is sent
 * \param tag     what the receivers see as tr_tag()
 * \param data    payload, copied for each; may be NULL when size is 0
 * \param size    bytes, up to options.max_message_bytes
 * \param sent    where to store how many members it was sent to; NULL: not
 *                wanted
 * \returns       TR_OK, also for an empty group; TR_ENOMEM (nothing was sent);
 *                TR_EINVAL (too large, or the name's length); TR_EFULL (over
 *                the byte budget); TR_ESTOPPING
 * \owner         borrows until it returns
 * \threads       any
 * \blocks        never
 */
TR_API int tr_pg_post(struct tr_system *system, const char *name, uint32_t tag,
    const void *data, size_t size, size_t *sent);

/**
 * Who is in a group.
 *
 * \param system  the group's system
 * \param name    the group
 * \param refs    where to store the members, in no order; may be NULL when max
 *                is 0
 * \param max     how many there is room for
 * \returns       how many members there are, which may be more than max; 0
 *                when there is no such group
 * \owner         borrows until it returns
 * \threads       any
 * \blocks        never
 */
TR_API size_t tr_pg_members(struct tr_system *system, const char *name,
    tr_ref *refs, size_t max);

#ifdef __cplusplus
}
#endif

#endif /* TROUPE_GROUP_H */
