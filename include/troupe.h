/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * troupe.h - lightweight actors in C.  This header is the manual.
 *
 * THE MODEL
 *
 * An actor is a behaviour (three callbacks), a private state and a mailbox.
 * It handles one message at a time, never on two threads at once, so its
 * state needs no lock.  Actors share nothing and talk by messages.  A system
 * runs its actors on one worker thread per core; each worker has its own
 * event loop, and idle workers steal runnable actors from busy ones.
 *
 *     enum { HELLO };
 *
 *     static int
 *     greeter_receive(struct tr_self *self, void *state,
 *         const struct tr_msg *msg)
 *     {
 *             printf("hello, %s\n", (const char *)tr_data(msg, 0));
 *             return tr_exit(self, TR_NORMAL);
 *     }
 *
 *     static int
 *     greeter_start(struct tr_self *self, void *state, const void *arg)
 *     {
 *             return tr_send(self, tr_self_ref(self), HELLO, "world", 6);
 *     }
 *
 *     static const struct tr_behavior greeter = {
 *             .name = "greeter",
 *             .start = greeter_start, .receive = greeter_receive,
 *     };
 *
 *     int
 *     main(void)
 *     {
 *             return tr_run(&greeter, NULL, NULL) == TR_OK ? 0 : 1;
 *     }
 *
 * WHAT IS GUARANTEED
 *
 * - Messages from one sender to one receiver arrive in sending order, asks
 *   and plain sends alike.  Nothing is promised across senders.
 * - Every message is handled, or counted as a dead letter with its reason.
 * - Every ask ends exactly once: answered, failed, timed out, cancelled, or
 *   with TR_EDEAD / TR_ENOREPLY.
 * - A tr_ref never dangles.  A send to an actor that has ended, even one
 *   whose slot lives on with another actor, is a dead letter.
 * - stop() runs exactly once for each actor whose start() returned TR_OK, or
 *   that has none.
 * - A timer never fires early; a cancelled timer's tick is never seen.
 *
 * WHO MAY CALL WHAT
 *
 * The signature says it.  A function that takes `struct tr_self *` may be
 * called only in that actor's turn (asserted).  One that takes `struct
 * tr_system *` may be called from any thread.
 *
 * CAVEATS
 *
 * - A handler must not block: its worker serves nobody else meanwhile (the
 *   others steal what waits).  Blocking calls go to tr_offload_blocking().
 * - Mailboxes are unbounded unless tr_spawn_options says otherwise.  Use asks
 *   or credit to keep a fast producer from outrunning a slow consumer.
 * - After fork() without exec() the child may call nothing of this library.
 *
 * CONVENTIONS
 *
 * Functions return TR_OK (0) or a negative TR_E*; errors of system calls keep
 * their negative errno value.  Times are int64_t nanoseconds of one monotonic
 * clock; deadlines are absolute (tr_in()).  In option structs zero means the
 * default.  Each function says: \owner, what becomes of what is passed;
 * \threads, who may call it (any | self: in that actor's turn | setup: before
 * tr_system_run()); \blocks, whether it can wait.
 */
#ifndef TROUPE_H
#define TROUPE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TR_VERSION_MAJOR 0
#define TR_VERSION_MINOR 1
#define TR_VERSION_PATCH 0

#if defined(__GNUC__)
#define TR_API               __attribute__((visibility("default")))
#define TR_MUST_CHECK        __attribute__((warn_unused_result))
#define TR_PRINTF(at, first) __attribute__((format(printf, at, first)))
#else
#define TR_API
#define TR_MUST_CHECK
#define TR_PRINTF(at, first)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------- errors --- */

/** What functions return, and how actors and asks end. */
enum tr_error {
	TR_OK = 0,
	TR_NORMAL = 0, /* exit reason: done */
	TR_ENOMEM = -ENOMEM, /* no memory, no actor slot */
	TR_EINVAL = -EINVAL, /* bad argument, too large, second answer */
	TR_EEXIST = -EEXIST, /* the name or the signal is taken */
	TR_EBUSY = -EBUSY, /* a handler still runs */
	TR_EDEAD = -ESRCH, /* the actor has ended or never was */
	TR_EFULL = -ENOBUFS, /* a bounded queue is full */
	TR_ETIMEDOUT = -ETIMEDOUT, /* the deadline has passed */
	TR_ECANCELED = -ECANCELED, /* tr_cancel() was called */
	TR_ENOREPLY = -ENODATA, /* the request was dropped unanswered */
	TR_EUNHANDLED = -ENOSYS, /* the callee does not know the request */
	TR_ESTOPPING = -ESHUTDOWN, /* the system is stopping */
	TR_SHUTDOWN = -10001, /* exit reason: told to stop */
	TR_KILLED = -10002, /* exit reason: tr_kill(), or a stop's deadline */
	TR_NOPROC = -10003, /* exit reason: it had ended already */
	TR_IGNORE = -10004, /* start(): nothing to do here; it ends, and that is
	                     * no failure */
	TR_EGAVEUP = -10005, /* a supervisor's restarts became too many */
};

/**
 * Describe an error code or exit reason.
 *
 * \param error a TR_* code, or a negative errno value
 * \returns     a static English string, never NULL
 * \owner       none
 * \threads     any
 * \blocks      never
 */
TR_API const char *tr_strerror(int error);

/* -------------------------------------------------------------- types --- */

struct tr_system; /* a set of workers and their actors */
struct tr_self; /* the running actor, in its own turn */
struct tr_msg; /* a message */
struct tr_protocol; /* what messages an actor knows */

/**
 * A reference to an actor: a value to copy, store and send freely.  There is
 * nothing to free, and it never dangles.
 */
typedef struct tr_ref {
	uint64_t bits; /* opaque */
} tr_ref;

/** An ask (or offload) under way; 0 is none. */
typedef uint64_t tr_ask_id;

/** A timer; 0 is none. */
typedef uint64_t tr_timer;

/** The duty to answer one ask, kept for later.  Zeroed once it is answered. */
typedef struct tr_token {
	uint64_t bits; /* opaque */
} tr_token;

#ifdef __cplusplus
#define TR_REF_NONE (tr_ref{ 0 })
#else
#define TR_REF_NONE ((tr_ref){ 0 })
#endif

#define TR_US(n)      (1000 * (int64_t)(n))
#define TR_MS(n)      (1000000 * (int64_t)(n))
#define TR_SECONDS(n) (1000000000 * (int64_t)(n))

/** Why an actor ended. */
struct tr_reason {
	int code; /* TR_NORMAL, TR_SHUTDOWN, TR_KILLED, or an error */
	char text[32]; /* from tr_fail(), else empty; cut at 31 bytes */
};

/* ---------------------------------------------------------- behaviour --- */

/**
 * First turn of an actor.  `arg` points to a copy of the spawner's argument
 * (or is the spawner's pointer when arg_size is 0) and is valid during the
 * call.  Anything but TR_OK: the actor fails, stop() does not run.
 */
typedef int tr_start_fn(struct tr_self *self, void *state, const void *arg);

/**
 * Handle one message, borrowed until the call returns (tr_take() keeps it).
 * Anything but TR_OK, also a positive value: the actor fails with that code.
 */
typedef int tr_receive_fn(struct tr_self *self, void *state,
    const struct tr_msg *msg);

/**
 * Last turn: free what the state holds.  It may send, and answer what it still
 * owes; it may not ask, spawn, register or arm timers (those calls fail).
 */
typedef void tr_stop_fn(struct tr_self *self, void *state,
    const struct tr_reason *why);

/** What an actor is.  Must outlive the system, whose dead letters and dumps
 * name it: make it static const. */
struct tr_behavior {
	const char *name; /* shown in dumps and logs; NULL: "actor" */
	size_t state_size; /* bytes, zeroed before start(), aligned for any type
	                    * of up to 16; up to 24 are free of any
	                    * allocation; at most 1 GiB */
	size_t arg_size; /* bytes of the spawner's *arg that are copied; 0:
	                  * the pointer itself travels and what it points
	                  * to must outlive start() */
	tr_start_fn *start; /* NULL: nothing to do, and spawning schedules
	                     * nothing; stop() runs all the same */
	tr_receive_fn *receive; /* required */
	tr_stop_fn *stop; /* NULL: nothing to do */
	const struct tr_protocol *protocol; /* <troupe/protocol.h>: names its
	                                     * messages in dumps and dead
	                                     * letters; NULL: unknown */
};

/** Which worker runs an actor. */
enum tr_placement {
	TR_PLACE_ANY = 0, /* any worker; may move between turns */
	TR_PLACE_PINNED = 1, /* stays on the spawner's worker */
	TR_PLACE_WORKER = 2, /* stays on the worker in `worker` */
};

/** What becomes of a message to an actor whose mailbox is full. */
enum tr_overflow {
	TR_REJECT = 0, /* it is refused: tr_try_send() says TR_EFULL, a plain
	                * send is a dead letter (TR_DEAD_FULL) */
	TR_DROP_NEW = 1, /* it is dropped (TR_DEAD_DROPPED), the sender is not
	                  * told */
	TR_DROP_OLD = 2, /* the oldest are dropped when the actor next looks
	                  * into its mailbox; until then up to twice the bound
	                  * may wait, and what goes beyond is dropped as by
	                  * TR_DROP_NEW */
	TR_FAIL_FULL = 3, /* the actor fails with TR_EFULL before it handles
	                   * another message, and what waits goes with it;
	                   * until then others are refused as by TR_REJECT */
};

/** How an actor is spawned.  All zero: anywhere, without a name. */
struct tr_spawn_options {
	const char *name; /* registered name, as by tr_register(); NULL: none */
	enum tr_placement placement;
	unsigned worker; /* with TR_PLACE_WORKER: 0 to workers - 1 */
	/* The mailbox's bound: messages and asks that wait.  Answers, ticks,
	 * start and stop are never refused and do not count.  An ask that
	 * does not fit ends with TR_EFULL. */
	uint32_t max_items; /* up to 2^22; 0: unbounded, or 2^22 if max_bytes
	                     * is given */
	size_t max_bytes; /* payloads and 32 to 64 bytes more for each, up to
	                   * 2^38; 0: unbounded, or 2^38 */
	enum tr_overflow overflow;
	int64_t max_handler_ns; /* a handler that has run longer makes the
	                         * actor fail when it returns (TR_ETIMEDOUT);
	                         * stop() may take its time; up to an hour,
	                         * rounded up to 1 us; 0: no limit */
	bool link; /* the spawner is linked with it from its first moment; not
	            * for tr_system_spawn() */
	uint64_t *monitor; /* the spawner watches the actor from its first
	                    * moment: where to store the monitor (a
	                    * tr_monitor_id); NULL: it does not; not for
	                    * tr_system_spawn() */
	uint32_t monitor_tag; /* as of tr_monitor() */
	uint64_t monitor_cookie;
	int *error; /* where to store why TR_REF_NONE was returned; NULL: not
	             * wanted */
};

/* ------------------------------------------------------------- system --- */

/** How much a text of the log hook matters. */
enum tr_log_level { TR_LOG_ERROR = 1, TR_LOG_WARNING, TR_LOG_INFO };

/** Log hook: `text` has no line end.  Any thread, also concurrently. */
typedef void tr_log_fn(enum tr_log_level level, const char *text, void *ctx);

/** Why a message was not handled. */
enum tr_dead_reason {
	TR_DEAD_NO_ACTOR, /* ended, never existed, or of another system */
	TR_DEAD_CLOSED, /* was in the mailbox when its actor ended */
	TR_DEAD_FAILED, /* its handling made the actor fail */
	TR_DEAD_EXPIRED, /* an ask whose deadline passed unhandled */
	TR_DEAD_CANCELED, /* an ask cancelled before it was handled */
	TR_DEAD_LATE, /* an answer or tick that nobody awaits any more */
	TR_DEAD_NO_SENDER, /* a reply to a message that has no sender */
	TR_DEAD_FULL, /* refused: the receiver's bound was reached */
	TR_DEAD_DROPPED, /* dropped by the policy of the receiver's bound */
	TR_DEAD_BUDGET, /* refused: the system is over its byte budget */
	TR_DEAD_UNHANDLED, /* reported by tr_unhandled(); counted apart */
	TR_DEAD_REASONS /* how many there are */
};

/** What the dead-letter hook is told. */
struct tr_dead_letter {
	enum tr_dead_reason reason;
	tr_ref target; /* TR_REF_NONE: a former actor of a slot in use again */
	tr_ref sender; /* TR_REF_NONE when it came from outside */
	uint32_t tag;
	uint32_t size;
	const char *behavior; /* the target's; NULL: unknown, for it was none,
	                       * or its slot is in use again */
	const char *message; /* as the target's protocol names the tag, or else
	                      * the sender's; NULL: unknown */
};

/**
 * Dead-letter hook.  Called at most 1,000 times a second for a system, the
 * rest is only counted.  Any thread, also concurrently; no tr_ verb may be
 * called from it.
 */
typedef void tr_dead_letter_fn(const struct tr_dead_letter *letter, void *ctx);

/** How much of its byte budget a system uses. */
enum tr_pressure {
	TR_PRESSURE_NONE,
	TR_PRESSURE_SOFT, /* time for sources to pause */
	TR_PRESSURE_HARD, /* new messages, posts and spawns are refused */
};

/**
 * Called when the pressure has changed, on a worker's thread, `bytes` being in
 * use.  It may look (tr_stats(), tr_dump()) and post; it must not block.
 */
typedef void tr_pressure_fn(struct tr_system *system, enum tr_pressure pressure,
    uint64_t bytes, void *ctx);

/**
 * Where a system gets its memory: messages, states, names and all else that it
 * keeps.  Both functions are called by any of its threads and by those that
 * post or spawn, also concurrently, some calls with a spin lock held: they
 * should be quick and may call no tr_ verb.  alloc() may fail at any time; what
 * then happens is in docs/limits.md.
 *
 * Not through it: the tables of actors and of what they wait for (reserved
 * address space, used up step by step), libev's loops, threads' stacks, and
 * what the C library allocates for itself.
 *
 * It has to work until tr_system_free() has returned TR_OK, and until the last
 * blob of the system is dropped.
 */
struct tr_allocator {
	/* `size` bytes, at least 1, not zeroed, aligned to `align`: a power of
	 * two, 64 or the 262,144 (256 KiB) of the slabs that messages are cut
	 * from.  NULL: no memory. */
	void *(*alloc)(void *ctx, size_t size, size_t align);
	/* What alloc() returned, never NULL. */
	void (*free)(void *ctx, void *p);
	void *ctx; /* passed to both */
};

/** How a system is made.  All zero: the defaults. */
struct tr_options {
	unsigned workers; /* threads, 1 to 64; 0: one per core allowed by
	                   * affinity and cgroup quota */
	bool pin; /* bind each worker to a core of the affinity mask */
	int64_t spin_ns; /* how long an idle worker spins before it sleeps; 0:
	                  * 20 us, up to 80 while it is called soon after it
	                  * has fallen asleep, or none where there are fewer
	                  * cores than workers; negative: none; at most 1 s */
	uint32_t max_actors; /* 1,024 to 2^26; 0: 2^24; address space only */
	size_t max_message_bytes; /* payload; 0: 64 MiB; at most 1 GiB */
	/* The byte budget: memory of messages and of states beyond 24 bytes.
	 * It is looked at when workers poll, so enforced some 100 us late.  A
	 * limit counts as left when one eighth below it.  Beyond hard_bytes:
	 * tr_try_send(), tr_post() and spawns say TR_EFULL, an ask ends with
	 * it, a plain send is a dead letter (TR_DEAD_BUDGET); answers, ticks
	 * and stops go on. */
	uint64_t soft_bytes; /* 0: none */
	uint64_t hard_bytes; /* 0: none; at least soft_bytes */
	tr_pressure_fn *on_pressure; /* NULL: not wanted */
	unsigned blocking_threads; /* pool of tr_offload_blocking(), 1 to 256;
	                            * 0: 8; started when needed */
	unsigned blocking_queue; /* jobs that may wait; 0: 1,024 */
	int64_t stop_ns; /* deadline of the stop when tr_run()'s root ends; 0:
	                  * 5 s */
	/* When a signal ends the process (SIGSEGV, SIGBUS, SIGFPE, SIGILL,
	 * SIGABRT, so assertions too), write to stderr which actors and
	 * messages were in hand; then what the process had for the signal goes
	 * on: see docs/crashes.md. */
	bool fault_report; /* installs handlers, for the whole process */
	unsigned fault_messages; /* the last messages that each worker remembers
	                          * for that, up to 4,096, rounded up to a power
	                          * of two; 0: none; costs some ns for each
	                          * message */
	tr_log_fn *log; /* NULL: tr_run() writes to stderr, others nowhere */
	tr_dead_letter_fn *on_dead_letter; /* NULL: only counted */
	void *hook_ctx; /* passed to the hooks */
	const struct tr_allocator *allocator; /* copied; NULL: the C library's,
	                                       * and pages of the system's */
};

enum { TR_LEFT_MAX = 16 };

/** How a system ended. */
struct tr_stop_report {
	uint64_t stopped; /* actors that ended by themselves or by the stop, in
	                   * the system's whole life */
	uint64_t killed; /* actors that the deadline killed */
	uint64_t left; /* actors whose handler still ran at the end */
	struct {
		tr_ref ref;
		const char *behavior; /* its behaviour's name */
		uint32_t tag; /* of the message in its hands */
		int64_t running_ns; /* since its turn began */
	} left_at[TR_LEFT_MAX]; /* the first of those */
};

/**
 * Run a system for one root actor.
 *
 * Makes the caller's thread worker 0, spawns the root, and returns when the
 * root has ended and everything else was stopped (options->stop_ns, then
 * kill).  Logs to stderr unless options->log is set.
 *
 * \param root    the root's behaviour
 * \param arg     as in tr_spawn()
 * \param options NULL: defaults
 * \returns       TR_OK when the root ended with TR_NORMAL or TR_SHUTDOWN, else
 *                the root's reason; TR_ENOMEM, TR_EINVAL (options)
 * \owner         borrows until it returns
 * \threads       any
 * \blocks        until the system has ended
 */
TR_API TR_MUST_CHECK int tr_run(const struct tr_behavior *root, const void *arg,
    const struct tr_options *options);

/**
 * Make a system.  Nothing runs before tr_system_run(); posts and spawns are
 * already accepted.
 *
 * \param system  where the system is stored
 * \param options NULL: defaults
 * \returns       TR_OK; TR_EINVAL (an option out of range), TR_ENOMEM (also:
 *                63 systems exist), or a negative errno value
 * \owner         caller frees with tr_system_free()
 * \threads       any
 * \blocks        never
 */
TR_API TR_MUST_CHECK int tr_system_new(struct tr_system **system,
    const struct tr_options *options);

/**
 * Run a system until tr_system_stop() has taken effect.
 *
 * The caller's thread becomes worker 0, the others are started.  May be
 * called once.  Blocking calls under way are waited for until the deadline of
 * the stop.  A handler that never returns cannot be stopped: if it has run on
 * for 250 ms after the deadline, and nobody else ended meanwhile, it is listed
 * in the report, and tr_system_free() refuses while it runs.  If it runs on
 * worker 0, this call does not return before it does.
 *
 * \param system  the system
 * \param report  filled at the end; NULL: not wanted
 * \returns       TR_OK; TR_EBUSY (actors were left); TR_EINVAL (second run);
 *                or a negative errno value when a thread could not be started:
 *                nothing has run then, what was spawned has been killed
 * \owner         none
 * \threads       any
 * \blocks        until the system has stopped
 */
TR_API TR_MUST_CHECK int tr_system_run(struct tr_system *system,
    struct tr_stop_report *report);

/**
 * Begin the ordered stop.
 *
 * From now on posts and spawns are refused.  Every actor is told to stop
 * behind what its mailbox holds; at the deadline those left are killed.  A
 * second call can only bring the deadline forward.
 *
 * \param system   the system
 * \param deadline absolute, see tr_system_now(); tr_forever(): never kill
 * \returns        TR_OK
 * \owner          none
 * \threads        any
 * \blocks         never
 */
TR_API int tr_system_stop(struct tr_system *system, int64_t deadline);

/**
 * Free a system that has run to its end, or never ran.
 *
 * No other thread may be in a call with it any more.  That a message has been
 * handled does not say that its tr_post() has returned: join who posts first.
 *
 * \param system  NULL: nothing happens
 * \returns       TR_OK; TR_EBUSY while it runs or a handler or a blocking call
 *                still does: try again later
 * \owner         moves on TR_OK
 * \threads       any, the last to use it
 * \blocks        never
 */
TR_API TR_MUST_CHECK int tr_system_free(struct tr_system *system);

/**
 * The system an actor lives in.
 *
 * \param self  the running actor
 * \returns     its system
 * \owner       none
 * \threads     self
 * \blocks      never
 */
TR_API struct tr_system *tr_system_of(struct tr_self *self);

/**
 * How many workers a system has.
 *
 * \param system  the system
 * \returns       1 to 64
 * \owner         none
 * \threads       any
 * \blocks        never
 */
TR_API unsigned tr_system_workers(struct tr_system *system);

/**
 * How much of the byte budget is in use, as of a moment ago.
 *
 * \param system  the system
 * \returns       the pressure; TR_PRESSURE_NONE without a budget
 * \owner         none
 * \threads       any
 * \blocks        never
 */
TR_API enum tr_pressure tr_pressure(struct tr_system *system);

/**
 * Send a message from outside: from a thread that is not this system's.
 *
 * Posts of one thread to one actor keep their order.  The sender is
 * TR_REF_NONE.  Like tr_send(), it does not report about the receiver.
 *
 * \param system  the receiver's system
 * \param to      the receiver
 * \param tag     what the receiver sees as tr_tag()
 * \param data    payload, copied; may be NULL when size is 0
 * \param size    bytes, up to options.max_message_bytes
 * \returns       TR_OK; TR_ENOMEM; TR_EINVAL (too large); TR_ESTOPPING;
 *                TR_EFULL (over the byte budget)
 * \owner         borrows until it returns
 * \threads       any
 * \blocks        never
 */
TR_API int tr_post(struct tr_system *system, tr_ref to, uint32_t tag,
    const void *data, size_t size);

/**
 * Spawn an actor from outside.  As tr_spawn(); TR_PLACE_PINNED means worker 0.
 *
 * \param system   the system
 * \param behavior what the actor is; must outlive it
 * \param arg      see behavior->arg_size
 * \param options  NULL: defaults
 * \returns        the actor, or TR_REF_NONE (see options->error)
 * \owner          borrows until it returns
 * \threads        any
 * \blocks         never
 */
TR_API TR_MUST_CHECK tr_ref tr_system_spawn(struct tr_system *system,
    const struct tr_behavior *behavior, const void *arg,
    const struct tr_spawn_options *options);

/**
 * Turn a signal of the process into messages.
 *
 * From now on each arrival of the signal sends an empty message (arrivals that
 * come together may be one message).  The handler is removed when the system
 * ends.
 *
 * \param system  the system
 * \param signo   a signal whose disposition is the default or ignored
 * \param to      who is told
 * \param tag     the message's tag
 * \returns       TR_OK; TR_EEXIST (the signal has a handler already);
 *                TR_EINVAL (no such signal); TR_ENOMEM; TR_ESTOPPING; or a
 *                negative errno value (no descriptor)
 * \owner         none
 * \threads       any
 * \blocks        never
 */
TR_API TR_MUST_CHECK int tr_signal_send(struct tr_system *system, int signo,
    tr_ref to, uint32_t tag);

/**
 * Set the dead-letter hook, instead of through the options.
 *
 * \param system  the system
 * \param hook    called for dead letters; NULL: none
 * \param ctx     passed to it
 * \returns       TR_OK; TR_EBUSY once the system runs
 * \owner         borrows ctx until tr_system_free()
 * \threads       setup
 * \blocks        never
 */
TR_API TR_MUST_CHECK int tr_on_dead_letter(struct tr_system *system,
    tr_dead_letter_fn *hook, void *ctx);

/* ------------------------------------------------------------- actors --- */

/** Whether a reference names an actor at all (it may have ended). */
static inline bool
tr_ref_valid(tr_ref ref)
{
	return ref.bits != 0;
}

/** Whether two references name the same actor. */
static inline bool
tr_ref_equal(tr_ref a, tr_ref b)
{
	return a.bits == b.bits;
}

/**
 * Spawn an actor.
 *
 * Its start() runs soon, on whichever worker takes it, before any message.
 * Of several that one handler spawns, or sends their first message, the newest
 * often starts first, so that a tree of actors is worked off depth first; no order
 * is promised.
 *
 * \param self     the spawner
 * \param behavior what the actor is; must outlive it
 * \param arg      see behavior->arg_size; NULL: zeros are passed
 * \param options  NULL: defaults
 * \returns        the actor, or TR_REF_NONE: no memory, no free slot, name
 *                 taken, bad option, over the byte budget, or the system is
 *                 stopping
 * \owner          borrows until it returns
 * \threads        self
 * \blocks         never
 */
TR_API tr_ref tr_spawn(struct tr_self *self, const struct tr_behavior *behavior,
    const void *arg, const struct tr_spawn_options *options);

/**
 * The running actor's reference.
 *
 * \param self  the running actor
 * \returns     its reference
 * \owner       none
 * \threads     self
 * \blocks      never
 */
TR_API tr_ref tr_self_ref(struct tr_self *self);

/**
 * The worker that runs this turn.
 *
 * \param self  the running actor
 * \returns     0 to tr_system_workers() - 1
 * \owner       none
 * \threads     self
 * \blocks      never
 */
TR_API unsigned tr_self_worker(struct tr_self *self);

/**
 * End this actor after the current turn.  Later calls in the same turn still
 * work; messages not yet handled become dead letters.
 *
 * \param self    the running actor
 * \param reason  TR_NORMAL, TR_SHUTDOWN, or an error code
 * \returns       TR_OK, so that a handler can return it
 * \owner         none
 * \threads       self
 * \blocks        never
 */
TR_API int tr_exit(struct tr_self *self, int reason);

/**
 * Fail with a text: `return tr_fail(self, TR_EINVAL, "row %zu", n);`.
 *
 * \param self    the running actor
 * \param code    the reason's code, not 0 (0 is taken as TR_EINVAL)
 * \param format  printf format of the reason's text, cut at 31 bytes
 * \returns       the code, for the handler to return (it fails either way)
 * \owner         borrows until it returns
 * \threads       self
 * \blocks        never
 */
TR_API int tr_fail(struct tr_self *self, int code, const char *format, ...)
    TR_PRINTF(3, 4);

/**
 * Ask an actor to stop: what was sent to it before is handled, then it ends
 * with TR_SHUTDOWN.
 *
 * \param self     the caller
 * \param actor    who stops; may be the caller
 * \param deadline absolute; then it is killed; tr_forever(): never
 * \returns        TR_OK, also when it has already ended; TR_ENOMEM (it was told
 *                 to stop, but there is no memory for the deadline)
 * \owner          none
 * \threads        self
 * \blocks         never
 */
TR_API int tr_stop(struct tr_self *self, tr_ref actor, int64_t deadline);

/**
 * End an actor at once: no further handler of it starts.  One that runs is
 * not interrupted; tr_cancelled() tells it.
 *
 * \param self   the caller
 * \param actor  who ends with TR_KILLED; may be the caller
 * \returns      TR_OK, also when it has already ended
 * \owner        none
 * \threads      self
 * \blocks       never
 */
TR_API int tr_kill(struct tr_self *self, tr_ref actor);

/**
 * Put the message in hand aside, to handle it later: tr_unstash(),
 * tr_unstash_n().
 *
 * It leaves the mailbox and its bound.  An ask keeps its duty to be answered
 * and its deadline; a tick is kept as a plain message.  What is stashed when
 * the actor ends becomes dead letters.
 *
 * \param self  the running actor
 * \param msg   the message in hand
 * \returns     TR_OK; TR_EFULL (65,536 are stashed); TR_ENOMEM (ticks only);
 *              TR_EINVAL (not the message in hand, an answer, already
 *              answered or taken)
 * \owner       moves on TR_OK
 * \threads     self
 * \blocks      never
 */
TR_API TR_MUST_CHECK int tr_stash(struct tr_self *self,
    const struct tr_msg *msg);

/**
 * receive() of an actor that waits: tr_stash() for every message.
 *
 * An actor that has asked, and is not to handle anything else meanwhile, becomes
 * a behaviour with this one.  The answer, which is none of receive()'s, makes
 * it another again, and takes the next message out of the stash, or all:
 *
 *     static const struct tr_behavior waiting = {
 *         .state_size = sizeof(struct account),
 *         .receive = tr_stash_all,
 *     };
 *
 * It costs less than a function of one's own that calls tr_stash(): what
 * waits behind the message in hand is put aside with it.
 *
 * \param self   the running actor
 * \param state  not looked at
 * \param msg    the message in hand
 * \returns      as tr_stash()
 * \owner        moves on TR_OK
 * \threads      self
 * \blocks       never
 */
TR_API TR_MUST_CHECK int tr_stash_all(struct tr_self *self, void *state,
    const struct tr_msg *msg);

/**
 * Put what is stashed back, oldest first, before all that waits.
 *
 * \param self  the running actor
 * \returns     TR_OK, also when nothing is stashed
 * \owner       none
 * \threads     self
 * \blocks      never
 */
TR_API int tr_unstash(struct tr_self *self);

/**
 * Put some of what is stashed back: the oldest, before all that waits.
 *
 * For who can handle one and then has to wait again: to put all back only to
 * have them stashed again, one after the other, costs the square of their
 * number.  Whoever takes one at a time does so each time it is ready for
 * another; else what is left stays where it is.  What is put aside again comes
 * behind that.
 *
 * \param self  the running actor
 * \param max   how many at most; their order is kept
 * \returns     TR_OK, also when nothing is stashed
 * \owner       none
 * \threads     self
 * \blocks      never
 */
TR_API int tr_unstash_n(struct tr_self *self, unsigned max);

/**
 * Handle messages by another behaviour from the next one on.
 *
 * The state stays; start() is not called; when the actor ends it is the new
 * behaviour's stop() that runs.
 *
 * \param self      the running actor
 * \param behavior  of the same state_size; must outlive the actor
 * \returns         TR_OK; TR_EINVAL (no receive, another state_size, in stop())
 * \owner           borrows until the actor ends
 * \threads         self
 * \blocks          never
 */
TR_API int tr_become(struct tr_self *self, const struct tr_behavior *behavior);

/**
 * Say that a message is not understood.  It is counted and reported to the
 * dead-letter hook; an ask is answered with TR_EUNHANDLED.
 *
 * \param self  the running actor
 * \param msg   the message in hand
 * \returns     TR_OK, so that a handler can return it
 * \owner       none
 * \threads     self
 * \blocks      never
 */
TR_API int tr_unhandled(struct tr_self *self, const struct tr_msg *msg);

/* ----------------------------------------------------------- messages --- */

/**
 * A message's tag.
 *
 * \param msg  a message
 * \returns    what the sender gave
 * \owner      none
 * \threads    any
 * \blocks     never
 */
TR_API uint32_t tr_tag(const struct tr_msg *msg);

/**
 * A message's payload size.
 *
 * \param msg  a message
 * \returns    bytes
 * \owner      none
 * \threads    any
 * \blocks     never
 */
TR_API size_t tr_size(const struct tr_msg *msg);

/**
 * A message's sender.
 *
 * \param msg  a message
 * \returns    the sender, or TR_REF_NONE for posts, ticks and signals
 * \owner      none
 * \threads    any
 * \blocks     never
 */
TR_API tr_ref tr_sender(const struct tr_msg *msg);

/**
 * A message's payload, aligned for any type up to 16 bytes.
 *
 * \param msg   a message
 * \param size  how many bytes the caller is going to read
 * \returns     the payload, or NULL when it is shorter than `size`
 * \owner       borrows from the message
 * \threads     any
 * \blocks      never
 */
TR_API const void *tr_data(const struct tr_msg *msg, size_t size);

/**
 * The message in hand.
 *
 * \param self  the running actor
 * \returns     what receive() was called with, or an answer; NULL in start()
 *              and stop(), and once it was taken
 * \owner       borrows until the handler returns
 * \threads     self
 * \blocks      never
 */
TR_API const struct tr_msg *tr_msg_in_hand(struct tr_self *self);

/**
 * Send a message.
 *
 * It is put into the receiver's mailbox; an idle receiver becomes runnable on
 * this worker.  Nothing is reported about the receiver: a message to an actor
 * that has ended is a counted dead letter.
 *
 * \param self  the sender
 * \param to    the receiver
 * \param tag   what the receiver sees as tr_tag()
 * \param data  payload, copied; may be NULL when size is 0
 * \param size  bytes, up to options.max_message_bytes
 * \returns     TR_OK; TR_ENOMEM; TR_EINVAL (too large)
 * \owner       borrows until it returns
 * \threads     self
 * \blocks      never
 */
TR_API int tr_send(struct tr_self *self, tr_ref to, uint32_t tag,
    const void *data, size_t size);

/**
 * Send a message, and learn whether the receiver had already ended, or its
 * mailbox is full.
 *
 * TR_OK is no promise that it is handled: the receiver may end before.
 *
 * \param self  the sender
 * \param to    the receiver
 * \param tag   what the receiver sees as tr_tag()
 * \param data  payload, copied; may be NULL when size is 0
 * \param size  bytes, up to options.max_message_bytes
 * \returns     TR_OK; TR_EDEAD; TR_EFULL; TR_ENOMEM; TR_EINVAL (too large)
 * \owner       borrows until it returns
 * \threads     self
 * \blocks      never
 */
TR_API TR_MUST_CHECK int tr_try_send(struct tr_self *self, tr_ref to,
    uint32_t tag, const void *data, size_t size);

/**
 * Drop function of a message: frees what the payload points to.  It runs once,
 * when the library frees a message that was not taken, handled or not, on any
 * thread.  It may call no tr_ verb.
 */
typedef void tr_drop_fn(void *payload, size_t size);

/**
 * Make a message to be filled in place and sent without a copy.
 *
 * \param self  the maker
 * \param tag   what the receiver sees as tr_tag()
 * \param size  payload bytes (not zeroed), up to options.max_message_bytes
 * \param drop  called when the message is freed; NULL: nothing to do
 * \returns     the message, or NULL: no memory, or too large
 * \owner       caller sends it, or frees it with tr_msg_drop()
 * \threads     self
 * \blocks      never
 */
TR_API TR_MUST_CHECK struct tr_msg *tr_msg_new(struct tr_self *self,
    uint32_t tag, size_t size, tr_drop_fn *drop);

/**
 * The payload of a message one owns, writable.
 *
 * \param msg  from tr_msg_new() or tr_take()
 * \returns    the payload, never NULL
 * \owner      borrows from the message
 * \threads    any, one at a time
 * \blocks     never
 */
TR_API void *tr_msg_data(struct tr_msg *msg);

/**
 * Free a message one owns.  Its drop function runs.  An ask that was taken and
 * not answered ends with TR_ENOREPLY.
 *
 * \param msg  from tr_msg_new() or tr_take(); *msg becomes NULL; *msg NULL:
 *             nothing happens
 * \owner      moves always
 * \threads    any; a taken ask: in the turn of the actor that took it
 * \blocks     never
 */
TR_API void tr_msg_drop(struct tr_msg **msg);

/**
 * Send a message one owns, as tr_send() does.  A taken ask that is sent on is
 * a plain message: the ask ends with TR_ENOREPLY.  A message stays in the
 * system that made it (asserted).
 *
 * \param self  the sender
 * \param to    the receiver
 * \param msg   the message; *msg becomes NULL
 * \returns     TR_OK; TR_EINVAL (*msg is NULL)
 * \owner       moves always
 * \threads     self
 * \blocks      never
 */
TR_API int tr_send_msg(struct tr_self *self, tr_ref to, struct tr_msg **msg);

/**
 * Send a message one owns, and learn whether the receiver had already ended,
 * or its mailbox is full.
 *
 * \param self  the sender
 * \param to    the receiver
 * \param msg   the message; *msg becomes NULL on TR_OK
 * \returns     TR_OK; TR_EDEAD; TR_EFULL; TR_EINVAL (*msg is NULL)
 * \owner       moves on TR_OK
 * \threads     self
 * \blocks      never
 */
TR_API TR_MUST_CHECK int tr_try_send_msg(struct tr_self *self, tr_ref to,
    struct tr_msg **msg);

/**
 * Hand the message in hand on, as if its sender had sent it there.
 *
 * The duty to answer an ask moves along: the answer goes straight to the
 * asker, whose cancel and deadline reach whoever has the request.  The
 * receiver sees the original sender.  A tick goes on as a plain message
 * without sender, an answer as a plain one.
 *
 * \param self  the running actor
 * \param to    the receiver
 * \param msg   the message in hand; not to be used afterwards
 * \returns     TR_OK; TR_ENOMEM (ticks only); TR_EINVAL (not the message in
 *              hand, or an ask that was answered already)
 * \owner       moves on TR_OK
 * \threads     self
 * \blocks      never
 */
TR_API int tr_forward(struct tr_self *self, tr_ref to,
    const struct tr_msg *msg);

/**
 * Hand a taken message on, as tr_forward() does.  A taken ask that is handed
 * on while another is handled gets the earlier of both deadlines.
 *
 * \param self  the actor that took it
 * \param to    the receiver
 * \param msg   from tr_take(); *msg becomes NULL on TR_OK
 * \returns     TR_OK; TR_EINVAL (*msg is NULL, or an ask that was answered)
 * \owner       moves on TR_OK
 * \threads     self
 * \blocks      never
 */
TR_API int tr_forward_msg(struct tr_self *self, tr_ref to, struct tr_msg **msg);

/**
 * Keep the message in hand beyond this turn.
 *
 * The payload stays where it is.  Taking an ask takes the duty to answer it
 * along: it may be answered later with tr_reply().
 *
 * \param self  the running actor
 * \param msg   the message in hand
 * \returns     the message, or NULL: no memory (asks only), already taken, or
 *              not the message in hand
 * \owner       caller frees with tr_msg_drop(), or sends it
 * \threads     self
 * \blocks      never
 */
TR_API TR_MUST_CHECK struct tr_msg *tr_take(struct tr_self *self,
    const struct tr_msg *msg);

/* ----------------------------------------------------------- requests --- */

/**
 * How an ask ends, exactly once, in the asker's turn.
 *
 * `outcome` is TR_OK with an answer, or what was passed to tr_reply_error(),
 * or TR_ETIMEDOUT, TR_ECANCELED, TR_EDEAD, TR_EFULL, TR_ENOREPLY,
 * TR_EUNHANDLED, with `answer` NULL.  It returns as receive() does.  When the asker itself ends,
 * its asks end without a call.
 */
typedef int tr_answer_fn(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie);

/**
 * Ask an actor, and go on; the answer is a later turn.
 *
 * While an ask is handled, the deadline of what it asks in turn is no later
 * than its own.
 *
 * \param self     the asker
 * \param to       who is asked
 * \param tag      what it sees as tr_tag()
 * \param data     payload, copied; may be NULL when size is 0
 * \param size     bytes, up to options.max_message_bytes
 * \param deadline absolute, tr_in(); tr_forever(): none
 * \param fn       called with the outcome
 * \param cookie   passed to fn
 * \returns        the ask, or 0: no memory, too large, or in stop()
 * \owner          borrows until it returns
 * \threads        self
 * \blocks         never
 */
TR_API TR_MUST_CHECK tr_ask_id tr_ask(struct tr_self *self, tr_ref to,
    uint32_t tag, const void *data, size_t size, int64_t deadline,
    tr_answer_fn *fn, uintptr_t cookie);

/**
 * Cancel an ask or an offload that was made by this actor.
 *
 * The outcome TR_ECANCELED follows in a later turn.  A request that is not yet
 * handled is dropped; tr_cancelled() tells a callee at work.
 *
 * \param self  the asker
 * \param ask   what tr_ask() returned
 * \returns     TR_OK; TR_EINVAL (it has ended, or is not this actor's);
 *              TR_EBUSY (an offload that already runs: its outcome follows)
 * \owner       none
 * \threads     self
 * \blocks      never
 */
TR_API int tr_cancel(struct tr_self *self, tr_ask_id ask);

/**
 * Answer the message in hand, or a taken one.  A plain message's answer is a
 * message to its sender.
 *
 * \param self  the running actor
 * \param msg   what is answered
 * \param tag   the answer's tag
 * \param data  payload, copied; may be NULL when size is 0
 * \param size  bytes, up to options.max_message_bytes
 * \returns     TR_OK, also when the asker has ended; TR_ENOMEM (an ask can
 *              still be answered); TR_EINVAL (too large, or a second answer to
 *              one ask)
 * \owner       borrows until it returns
 * \threads     self
 * \blocks      never
 */
TR_API int tr_reply(struct tr_self *self, const struct tr_msg *msg,
    uint32_t tag, const void *data, size_t size);

/**
 * Answer an ask with an error; for a plain message nothing happens.
 *
 * \param self   the running actor
 * \param msg    what is answered
 * \param error  the outcome; 0 is taken as TR_EINVAL
 * \returns      TR_OK; TR_EINVAL (a second answer)
 * \owner        none
 * \threads      self
 * \blocks       never
 */
TR_API int tr_reply_error(struct tr_self *self, const struct tr_msg *msg,
    int error);

/**
 * Keep the duty to answer the ask in hand, to answer it in a later turn.
 *
 * A token that is never answered ends the ask with TR_EDEAD when this actor
 * ends.
 *
 * \param self  the running actor
 * \returns     the token; zero when the message in hand is no open ask, or
 *              when there is no memory (the ask then ends with TR_ENOMEM)
 * \owner       none
 * \threads     self
 * \blocks      never
 */
TR_API tr_token tr_reply_token(struct tr_self *self);

/**
 * Answer by token.
 *
 * \param self   the actor that made the token
 * \param token  zeroed when answered
 * \param tag    the answer's tag
 * \param data   payload, copied; may be NULL when size is 0
 * \param size   bytes, up to options.max_message_bytes
 * \returns      TR_OK; TR_ENOMEM (the token stays); TR_EINVAL (already
 *               answered, zero, another actor's, or too large)
 * \owner        borrows until it returns
 * \threads      self
 * \blocks       never
 */
TR_API int tr_token_reply(struct tr_self *self, tr_token *token, uint32_t tag,
    const void *data, size_t size);

/**
 * Answer by token with an error.
 *
 * \param self   the actor that made the token
 * \param token  zeroed
 * \param error  the outcome; 0 is taken as TR_EINVAL
 * \returns      TR_OK; TR_EINVAL (already answered, zero, another actor's)
 * \owner        none
 * \threads      self
 * \blocks       never
 */
TR_API int tr_token_reply_error(struct tr_self *self, tr_token *token,
    int error);

/**
 * Whether an answer by token is still wanted.
 *
 * \param self   the actor that made the token
 * \param token  the token
 * \returns      true when the ask was cancelled or has ended, or the token is
 *               answered, zero or another actor's
 * \owner        none
 * \threads      self
 * \blocks       never
 */
TR_API bool tr_token_cancelled(struct tr_self *self, const tr_token *token);

/**
 * Whether the work in hand is still wanted.
 *
 * \param self  the running actor
 * \returns     true when the ask in hand was cancelled or has ended, when this
 *              actor was killed, or when this handler has run longer than
 *              the actor's max_handler_ns
 * \owner       none
 * \threads     self
 * \blocks      never
 */
TR_API bool tr_cancelled(struct tr_self *self);

/**
 * The deadline of the ask in hand.
 *
 * \param self  the running actor
 * \returns     absolute; tr_forever() when there is none
 * \owner       none
 * \threads     self
 * \blocks      never
 */
TR_API int64_t tr_deadline(struct tr_self *self);

/* --------------------------------------------------------------- time --- */

/**
 * The time now.
 *
 * \param self  the running actor
 * \returns     monotonic nanoseconds, read from the clock
 * \owner       none
 * \threads     self
 * \blocks      never
 */
TR_API int64_t tr_now(struct tr_self *self);

/**
 * The time now, for other threads.
 *
 * \param system  the system
 * \returns       the same clock as tr_now()
 * \owner         none
 * \threads       any
 * \blocks        never
 */
TR_API int64_t tr_system_now(struct tr_system *system);

/**
 * The wall clock: what people call the time.  It may jump, forward and back, so
 * it is for showing and storing, not for measuring.
 *
 * \param system  the system
 * \returns       nanoseconds since 1970-01-01 00:00 UTC
 * \owner         none
 * \threads       any
 * \blocks        never
 */
TR_API int64_t tr_wall_time(struct tr_system *system);

/**
 * Random bytes: the operating system's; in a simulation the seed's.
 *
 * \param system  the system
 * \param buf     filled
 * \param size    bytes
 * \owner         none
 * \threads       any
 * \blocks        never
 */
TR_API void tr_entropy(struct tr_system *system, void *buf, size_t size);

/**
 * A deadline: the time now and a delay.
 *
 * \param self      the running actor
 * \param delay_ns  from now on; negative: now
 * \returns         absolute, never beyond tr_forever()
 * \owner           none
 * \threads         self
 * \blocks          never
 */
TR_API int64_t tr_in(struct tr_self *self, int64_t delay_ns);

/** The deadline that never comes. */
static inline int64_t
tr_forever(void)
{
	return INT64_MAX;
}

/** Payload of a timer's message. */
struct tr_tick {
	tr_timer timer;
	uint64_t cookie;
	uint64_t missed; /* ticks of tr_every() that fell due since the last
	                  * one seen, this one not counted */
};

/**
 * Get a message after a delay.
 *
 * The message has the tag, no sender, and a struct tr_tick.  It comes no
 * earlier, and about 1 ms later at most when the worker is not busy.
 *
 * \param self      who gets it
 * \param delay_ns  from now on; negative: 0
 * \param tag       the message's tag
 * \param cookie    passed in the tick
 * \returns         the timer, or 0: no memory, or in stop()
 * \owner           none
 * \threads         self
 * \blocks          never
 */
TR_API tr_timer tr_after(struct tr_self *self, int64_t delay_ns, uint32_t tag,
    uint64_t cookie);

/**
 * Get a message every period, at a fixed rate.
 *
 * At most one tick waits in the mailbox; it says how many more fell due.
 *
 * \param self       who gets it
 * \param period_ns  at least 1 us
 * \param tag        the messages' tag
 * \param cookie     passed in the ticks
 * \returns          the timer, or 0: no memory, a bad period, or in stop()
 * \owner            none
 * \threads          self
 * \blocks           never
 */
TR_API tr_timer tr_every(struct tr_self *self, int64_t period_ns, uint32_t tag,
    uint64_t cookie);

/**
 * Get a message again and again, with a fixed delay: each comes that long
 * after the one before was handled.
 *
 * \param self      who gets it
 * \param delay_ns  at least 1 us
 * \param tag       the messages' tag
 * \param cookie    passed in the ticks
 * \returns         the timer, or 0: no memory, a bad delay, or in stop()
 * \owner           none
 * \threads         self
 * \blocks          never
 */
TR_API tr_timer tr_repeat(struct tr_self *self, int64_t delay_ns, uint32_t tag,
    uint64_t cookie);

/**
 * Cancel a timer: no tick of it is seen any more, not even one that waits in
 * the mailbox.
 *
 * \param self   who armed it
 * \param timer  from tr_after(), tr_every() or tr_repeat()
 * \returns      TR_OK; TR_EINVAL (already over, or another actor's)
 * \owner        none
 * \threads      self
 * \blocks       never
 */
TR_API int tr_timer_cancel(struct tr_self *self, tr_timer timer);

/* -------------------------------------------------------------- names --- */

/**
 * Give this actor a name, unique in its system until the actor ends.  An actor
 * may have several.
 *
 * \param self  the running actor
 * \param name  1 to 63 bytes, copied
 * \returns     TR_OK, also if it has the name already, as a restarted child
 *              does; TR_EEXIST: another actor has it; TR_EINVAL (length);
 *              TR_ENOMEM; TR_ESTOPPING (in stop())
 * \owner       borrows until it returns
 * \threads     self
 * \blocks      never
 */
TR_API TR_MUST_CHECK int tr_register(struct tr_self *self, const char *name);

/**
 * Find an actor by name.
 *
 * \param system  the system
 * \param name    the name
 * \returns       the actor, or TR_REF_NONE
 * \owner         borrows until it returns
 * \threads       any
 * \blocks        never
 */
TR_API tr_ref tr_whereis(struct tr_system *system, const char *name);

/* ----------------------------------------------------- blocking calls --- */

/** Work that may block.  Static const, as a behaviour is. */
struct tr_job {
	/* Runs on a thread of the pool; no tr_ verb that takes a self. */
	int (*work)(struct tr_system *system, void *arg);

	/*
	 * The outcome, exactly once, in the actor's turn; returns as
	 * receive().  `outcome` is what work() returned; or, when it never
	 * ran, TR_ETIMEDOUT or TR_ECANCELED.  arg is the actor's again.
	 */
	int (*done)(struct tr_self *self, void *state, int outcome, void *arg);

	/*
	 * Frees arg when the actor has ended before done() could run.  Any
	 * thread; no tr_ verb.  NULL: nothing to free.
	 */
	void (*drop)(void *arg);
};

/**
 * Run a blocking call on the bounded pool.
 *
 * \param self     the running actor
 * \param job      its functions; must outlive the call
 * \param arg      passed to them; belongs to the job until done() or drop()
 * \param deadline absolute: not to be started later; tr_forever(): none
 * \param id       where to store what tr_cancel() takes; NULL: not wanted
 * \returns        TR_OK; TR_EFULL (options.blocking_queue jobs wait already);
 *                 TR_ENOMEM (also: no thread); TR_ESTOPPING (in stop(): an
 *                 actor that still drains its mailbox may offload); TR_EINVAL
 * \owner          arg moves on TR_OK
 * \threads        self
 * \blocks         never
 */
TR_API TR_MUST_CHECK int tr_offload_blocking(struct tr_self *self,
    const struct tr_job *job, void *arg, int64_t deadline, tr_ask_id *id);

/* ------------------------------------------------------ seeing inside --- */

/**
 * Counters of a system.  Between two quiet moments
 * sent = handled + sum of dead[] without TR_DEAD_UNHANDLED + queued.
 */
struct tr_stats {
	unsigned workers;
	uint64_t actors; /* alive now */
	uint64_t spawned; /* in all */
	uint64_t ended; /* in all */
	uint64_t failed; /* lives that ended by an error */
	uint64_t restarted; /* by supervisors */
	uint64_t sent; /* messages of all kinds put into mailboxes, or tried */
	uint64_t handled; /* messages whose handling has ended */
	uint64_t queued; /* sent, not handled, not dead; exact when quiet */
	uint64_t dead[TR_DEAD_REASONS];
	uint64_t turns; /* batches run */
	uint64_t steals; /* runnable actors taken from another worker */
	uint64_t parks; /* times a worker went to sleep */
	uint64_t wakeups; /* times a worker was woken by another thread */
	uint64_t asides; /* times a worker stepped aside, because fewer
	                  * seemed to be faster: docs/design.md, Workers */
	uint64_t polls; /* times an event loop was polled */
	uint64_t pool_bytes; /* message memory held from the system */
	uint64_t live_bytes; /* in use by messages and states, in a system
	                      * with a byte budget; else 0 */
};

/**
 * Read the counters.  They are summed while others go on counting.
 *
 * \param system  the system
 * \param stats   filled
 * \returns       TR_OK
 * \owner         none
 * \threads       any
 * \blocks        never
 */
TR_API int tr_stats(struct tr_system *system, struct tr_stats *stats);

/**
 * Write the workers and every live actor as text: reference, name, behaviour,
 * mailbox length, messages handled, and state (idle, queued, running since,
 * waiting for answers).  Nothing is stopped meanwhile, so lines may be of
 * slightly different moments; and what an actor has sent in a turn that is not over
 * may be missing in a mailbox's length, where it sends a lot to one.
 *
 * \param system  the system
 * \param fd      where to write
 * \returns       TR_OK, or a negative errno value of the write
 * \owner         none
 * \threads       any
 * \blocks        until fd takes the text
 */
TR_API int tr_dump(struct tr_system *system, int fd);

#ifdef __cplusplus
}
#endif

#include <troupe/blob.h>
#include <troupe/failure.h>
#include <troupe/group.h>
#include <troupe/router.h>
#include <troupe/supervisor.h>
#include <troupe/protocol.h>

#endif /* TROUPE_H */
