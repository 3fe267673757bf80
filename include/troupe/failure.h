/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * troupe/failure.h - to know of each other's end.  <troupe.h> includes it.
 *
 * An actor's end is data: a reason, which whoever watches the actor gets in a
 * message.  A monitor is one-way, and each is its own: two monitors of one
 * actor on another bring two messages.  The message comes behind all that the
 * actor had sent before.
 *
 *     tr_monitor_id id = tr_monitor(self, worker, WORKER_DOWN, 7);
 *     ...
 *     case WORKER_DOWN:
 *             down = tr_data(msg, sizeof *down);
 *             printf("job %d: %s\n", (int)down->cookie,
 *                 tr_strerror(down->reason.code));
 */
#ifndef TROUPE_FAILURE_H
#define TROUPE_FAILURE_H

#include <troupe.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A monitor; 0 is none. */
typedef uint64_t tr_monitor_id;

/** Payload of the message that says that a monitored actor has ended. */
struct tr_down {
	tr_monitor_id monitor;
	tr_ref actor; /* which one */
	uint64_t cookie; /* as given to tr_monitor() */
	struct tr_reason reason; /* why; TR_NOPROC: it had ended already, or
	                          * never was */
};

/**
 * Be told when an actor has ended.
 *
 * Exactly one message comes for each monitor that is not withdrawn, when the
 * actor's names are free and its mailbox is closed: it has the tag, the actor
 * as its sender, and a struct tr_down.
 *
 * \param self    who watches
 * \param actor   whom
 * \param tag     the message's tag
 * \param cookie  passed in the message
 * \returns       the monitor, or 0: no memory, or in stop()
 * \owner         none
 * \threads       self
 * \blocks        never
 */
TR_API TR_MUST_CHECK tr_monitor_id tr_monitor(struct tr_self *self,
    tr_ref actor, uint32_t tag, uint64_t cookie);

/**
 * Withdraw a monitor: its message is not seen any more, not even if it waits
 * in the mailbox.
 *
 * \param self     who watches
 * \param monitor  from tr_monitor(), or from tr_spawn_options.monitor
 * \returns        TR_OK; TR_EINVAL (it is over, or another actor's)
 * \owner          none
 * \threads        self
 * \blocks         never
 */
TR_API int tr_demonitor(struct tr_self *self, tr_monitor_id monitor);

/* --------------------------------------------------------------- links --- */

/** Payload of the message that an actor gets that traps exits. */
struct tr_exit_signal {
	tr_ref from; /* who ended, or sent the signal */
	struct tr_reason reason; /* TR_NOPROC: it had ended before the link */
};

/**
 * Link this actor with another: when one ends, the other gets an exit signal.
 *
 * The signal ends its receiver with the same reason, unless that is TR_NORMAL,
 * or unless the receiver traps exits and gets a message instead; that goes for
 * TR_KILLED, too.  A link goes both ways, there is at most one between two
 * actors, and it is used up by the signal.  The other having ended already
 * brings a signal with TR_NOPROC.
 *
 * \param self   one of both
 * \param other  the other; oneself: nothing happens
 * \returns      TR_OK, also when they are linked already; TR_ENOMEM;
 *               TR_ESTOPPING (in stop())
 * \owner        none
 * \threads      self
 * \blocks       never
 */
TR_API TR_MUST_CHECK int tr_link(struct tr_self *self, tr_ref other);

/**
 * Undo a link: from now on no exit signal of the other is seen because of it,
 * not even one that waits in the mailbox.
 *
 * \param self   one of both
 * \param other  the other
 * \returns      TR_OK, also when they are not linked
 * \owner        none
 * \threads      self
 * \blocks       never
 */
TR_API int tr_unlink(struct tr_self *self, tr_ref other);

/**
 * Have exit signals come as messages with this tag and a struct
 * tr_exit_signal, instead of ending this actor; or not any more.
 *
 * \param self  the running actor
 * \param trap  whether they come as messages
 * \param tag   the messages' tag
 * \returns     TR_OK
 * \owner       none
 * \threads     self
 * \blocks      never
 */
TR_API int tr_trap_exit(struct tr_self *self, bool trap, uint32_t tag);

/**
 * Send an exit signal, as if a linked actor had ended with the reason.
 *
 * TR_NORMAL does nothing to one that does not trap, but for oneself.
 * TR_KILLED cannot be trapped: it is tr_kill().
 *
 * \param self    the sender
 * \param actor   who gets it; may be the sender
 * \param reason  TR_NORMAL, TR_SHUTDOWN, TR_KILLED, or an error code
 * \returns       TR_OK, also when the actor has ended; TR_ENOMEM
 * \owner         none
 * \threads       self
 * \blocks        never
 */
TR_API int tr_exit_other(struct tr_self *self, tr_ref actor, int reason);

#ifdef __cplusplus
}
#endif

#endif /* TROUPE_FAILURE_H */
