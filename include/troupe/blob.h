/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * troupe/blob.h - immutable bytes that many may hold.
 *
 * A message's payload has one owner.  What shall go to many actors, or is too
 * big to copy, is a blob: bytes that nobody changes any more, with a count of
 * who holds them.  A tr_blob is a handle on such bytes or on a slice of them.
 * Each handle is one hold: who makes, copies or slices one drops it once, and
 * the last drop, on whichever thread it happens, frees the bytes.
 *
 *     tr_blob page;
 *
 *     if (tr_blob_new(tr_system_of(self), text, size, &page) != TR_OK)
 *             return TR_ENOMEM;
 *     for (i = 0; i < n; i++)
 *             (void)tr_send_blob(self, reader[i], PAGE, &page);
 *     tr_blob_drop(&page);
 *
 * Each of the n messages carries a hold of its own and no copy.  The receiver
 * borrows the blob from its message; to keep it, it takes a hold:
 *
 *     const tr_blob *page = tr_msg_blob(msg);
 *
 *     if (page != NULL)
 *             state->page = tr_blob_ref(page);
 *
 * All functions take any thread, also one the library does not know, and also
 * after the actors that made or sent a blob have ended.  A blob may even
 * outlive its system: its memory comes from the system's allocator
 * (options.allocator), and the blob remembers how to give it back.  So a
 * program's own allocator has to work until the last blob is gone.  Messages
 * that are still queued when a system ends drop what they hold.
 *
 * Bytes in blobs do not count as message memory in tr_stats().  A blob has at
 * most 4 GiB - 1 bytes; an empty one is a zeroed handle, and holds nothing.
 */
/* Before the guard: troupe.h includes this one at its end. */
#include <troupe.h>

#ifndef TROUPE_BLOB_H
#define TROUPE_BLOB_H

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes that are shared; the rest of it is the library's. */
struct tr_bytes {
	const char *data;
};

/**
 * A hold on shared bytes, or on a slice of them.  To copy the struct is to
 * move it; for a second hold there is tr_blob_ref().  Zeroed: empty.
 */
typedef struct tr_blob {
	struct tr_bytes *bytes; /* NULL: empty */
	uint32_t at;
	uint32_t size;
} tr_blob;

/**
 * Gives back memory that was wrapped.  It runs once, on whichever thread drops
 * the last hold, and may call no tr_ verb.
 */
typedef void tr_blob_free_fn(void *data, size_t size, void *ctx);

/**
 * The bytes.
 *
 * They stay where they are as long as somebody holds them.  Those of
 * tr_blob_new() and tr_blob_alloc() are aligned for any type of up to 16, a
 * slice is where it was cut.
 */
static inline const void *
tr_blob_data(const tr_blob *blob)
{
	return blob->bytes == NULL ? NULL : blob->bytes->data + blob->at;
}

/** How many bytes there are. */
static inline size_t
tr_blob_size(const tr_blob *blob)
{
	return blob->size;
}

/**
 * Make a blob by copying.
 *
 * \param system  whose memory is used
 * \param data    what is copied; may be NULL when size is 0
 * \param size    bytes, up to 4 GiB - 1
 * \param blob    where the blob is stored; zeroed unless TR_OK
 * \returns       TR_OK; TR_ENOMEM; TR_EINVAL (too large)
 * \owner         borrows data until it returns; caller frees the blob with
 *                tr_blob_drop()
 * \threads       any
 * \blocks        never
 */
TR_API TR_MUST_CHECK int tr_blob_new(struct tr_system *system, const void *data,
    size_t size, tr_blob *blob);

/**
 * Make a blob to be filled in place.
 *
 * It may be written until it is shared: sent, sliced, or held a second time.
 *
 * \param system  whose memory is used
 * \param size    bytes, 1 to 4 GiB - 1; they are not zeroed
 * \param blob    where the blob is stored; zeroed when there is none
 * \returns       the bytes, writable; NULL: no memory, or a bad size
 * \owner         caller frees the blob with tr_blob_drop()
 * \threads       any
 * \blocks        never
 */
TR_API TR_MUST_CHECK void *tr_blob_alloc(struct tr_system *system, size_t size,
    tr_blob *blob);

/**
 * Make a blob of memory that is there already: a mapped file, another
 * library's buffer, a constant.  Nothing is copied.
 *
 * \param system  whose memory is used for the count
 * \param data    the bytes; nobody changes them from now on
 * \param size    how many, up to 4 GiB - 1; with 0 free_fn is called at once
 * \param free_fn gives them back; NULL: they stay for ever
 * \param ctx     passed to it
 * \param blob    where the blob is stored; zeroed unless TR_OK
 * \returns       TR_OK; TR_ENOMEM; TR_EINVAL (too large, or data is NULL)
 * \owner         data moves on TR_OK; caller frees the blob with
 *                tr_blob_drop()
 * \threads       any
 * \blocks        never
 */
TR_API TR_MUST_CHECK int tr_blob_wrap(struct tr_system *system, void *data,
    size_t size, tr_blob_free_fn *free_fn, void *ctx, tr_blob *blob);

/**
 * Take a second hold.
 *
 * \param blob  what is held; NULL is taken as empty
 * \returns     the same bytes, or an empty blob
 * \owner       caller frees with tr_blob_drop()
 * \threads     any
 * \blocks      never
 */
TR_API TR_MUST_CHECK tr_blob tr_blob_ref(const tr_blob *blob);

/**
 * Hold a part of a blob.
 *
 * The whole is kept as long as one of its slices is.
 *
 * \param blob   the blob
 * \param at     where the part begins, in bytes
 * \param size   its bytes
 * \param slice  where the part is stored; may not be `blob` itself; zeroed
 *               unless TR_OK
 * \returns      TR_OK; TR_EINVAL (it does not lie inside)
 * \owner        caller frees the slice with tr_blob_drop()
 * \threads      any
 * \blocks       never
 */
TR_API TR_MUST_CHECK int tr_blob_slice(const tr_blob *blob, size_t at,
    size_t size, tr_blob *slice);

/**
 * Let go of a blob.  The last hold frees the bytes.
 *
 * \param blob  the hold; becomes empty; NULL or empty: nothing happens
 * \owner       moves always
 * \threads     any
 * \blocks      never
 */
TR_API void tr_blob_drop(tr_blob *blob);

/**
 * Whether two blobs have the same bytes in them.
 *
 * \param a   a blob
 * \param b   a blob
 * \returns   true when sizes and contents are equal
 * \owner     none
 * \threads   any
 * \blocks    never
 */
TR_API bool tr_blob_equal(const tr_blob *a, const tr_blob *b);

/**
 * Send a blob.  As tr_send(); nothing is copied.
 *
 * \param self  the sender
 * \param to    the receiver
 * \param tag   what the receiver sees as tr_tag()
 * \param blob  what it gets from tr_msg_blob()
 * \returns     TR_OK; TR_ENOMEM
 * \owner       borrows until it returns; the message has a hold of its own
 * \threads     self
 * \blocks      never
 */
TR_API int tr_send_blob(struct tr_self *self, tr_ref to, uint32_t tag,
    const tr_blob *blob);

/**
 * Send a blob, and learn what tr_try_send() tells.
 *
 * \param self  the sender
 * \param to    the receiver
 * \param tag   what the receiver sees as tr_tag()
 * \param blob  what it gets from tr_msg_blob()
 * \returns     TR_OK; TR_ENOMEM; else as tr_try_send_msg()
 * \owner       borrows until it returns; the message has a hold of its own
 * \threads     self
 * \blocks      never
 */
TR_API TR_MUST_CHECK int tr_try_send_blob(struct tr_self *self, tr_ref to,
    uint32_t tag, const tr_blob *blob);

/**
 * Send a blob from outside, as tr_post() does.
 *
 * \param system  the receiver's system
 * \param to      the receiver
 * \param tag     what the receiver sees as tr_tag()
 * \param blob    what it gets from tr_msg_blob(); may be another system's
 * \returns       TR_OK; TR_ENOMEM; TR_EFULL (over the byte budget);
 *                TR_ESTOPPING
 * \owner         borrows until it returns; the message has a hold of its own
 * \threads       any
 * \blocks        never
 */
TR_API int tr_post_blob(struct tr_system *system, tr_ref to, uint32_t tag,
    const tr_blob *blob);

/**
 * Answer with a blob, as tr_reply() does.
 *
 * \param self  the running actor
 * \param msg   what is answered
 * \param tag   the answer's tag
 * \param blob  what the asker gets from tr_msg_blob()
 * \returns     TR_OK, also when the asker has ended; TR_ENOMEM (an ask can
 *              still be answered); TR_EINVAL (a second answer to one ask)
 * \owner       borrows until it returns; the message has a hold of its own
 * \threads     self
 * \blocks      never
 */
TR_API int tr_reply_blob(struct tr_self *self, const struct tr_msg *msg,
    uint32_t tag, const tr_blob *blob);

/**
 * The blob that a message carries.
 *
 * Only a message of the functions above carries one: bytes of another message
 * that look like a handle are not taken for one.
 *
 * \param msg  a message; NULL is allowed
 * \returns    its blob, or NULL when it carries none
 * \owner      borrows from the message; tr_blob_ref() to keep it
 * \threads    any
 * \blocks     never
 */
TR_API const tr_blob *tr_msg_blob(const struct tr_msg *msg);

#ifdef __cplusplus
}
#endif

#endif /* TROUPE_BLOB_H */
