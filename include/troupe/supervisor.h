/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * troupe/supervisor.h - trees that heal.  <troupe.h> includes it.
 *
 * A supervisor is an actor whose work is to start other actors, its children,
 * in order, to start them again when they fail, and to stop them in reverse
 * order.  What it supervises is data:
 *
 *     static const struct tr_child shop[] = {
 *             { .id = "ledger", .behavior = &ledger, .name = "ledger" },
 *             { .id = "tills", .supervisor = &tills },
 *             { .id = "report", .behavior = &report,
 *               .restart = TR_TRANSIENT,
 *               .backoff = { .min_ns = TR_MS(100),
 *                       .max_ns = TR_SECONDS(10) } },
 *     };
 *     static const struct tr_supervisor root = {
 *             .name = "shop", .strategy = TR_REST_FOR_ONE,
 *             .intensity = 5, .period_ns = TR_SECONDS(10),
 *             TR_CHILDREN(shop),
 *     };
 *
 *     int
 *     main(void)
 *     {
 *             return tr_run_supervisor(&root, NULL) == TR_OK ? 0 : 1;
 *     }
 *
 * The semantics are those of Erlang's supervisors; docs/supervision.md has
 * them point by point.  What is different: a child that is started again is
 * the same actor.  Its tr_ref, its names, its groups and the messages that
 * wait in its mailbox stay; its state is new, and what its former life had
 * asked, armed, monitored or stashed is gone.  The message that it failed on
 * is a dead letter.  Who monitors or is linked with it is told, once, of the
 * end of that life; a new monitor sees the next one.  A child that was
 * stopped for good, by tr_supervisor_terminate_child() say, has ended, and
 * tr_supervisor_restart_child() makes another actor.
 *
 * A child counts as started when its start() has returned TR_OK; a supervisor
 * when all of its children have.  start() may return TR_IGNORE: the child does
 * not run, and that is no failure.
 *
 * Told to stop, a supervisor first stops its children; one that is killed
 * kills them, and ends when they have.  If whoever has spawned it is linked
 * with it (options.link) and ends, it stops likewise, and ends with that
 * reason, whatever it is; other exit signals it ignores.  A supervisor that
 * gives up ends with TR_SHUTDOWN, so its own supervisor starts it again if it
 * is TR_PERMANENT.
 *
 * It does one thing at a time: while it waits for a child to start or to end,
 * other ends and requests wait their turn, in the order of their arrival.  Its
 * own end, and questions about its children, do not wait.
 */
#ifndef TROUPE_SUPERVISOR_H
#define TROUPE_SUPERVISOR_H

#include <troupe.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Who else is restarted when a child is. */
enum tr_strategy {
	TR_ONE_FOR_ONE = 0, /* nobody */
	TR_ONE_FOR_ALL, /* all others are stopped, and all are started */
	TR_REST_FOR_ONE, /* those behind it in the list likewise */
	TR_SIMPLE_ONE_FOR_ONE, /* any number of children after one pattern, the
	                        * only entry of the list; none at first */
};

/** When a child is started again. */
enum tr_restart {
	TR_PERMANENT = 0, /* whenever it has ended */
	TR_TRANSIENT, /* not after TR_NORMAL and TR_SHUTDOWN */
	TR_TEMPORARY, /* never, and then it is forgotten */
};

/** Whether a supervisor ends when its significant children have ended by
 * themselves. */
enum tr_auto_shutdown {
	TR_AUTO_SHUTDOWN_NEVER = 0,
	TR_AUTO_SHUTDOWN_ANY, /* with the first */
	TR_AUTO_SHUTDOWN_ALL, /* with the last */
};

enum {
	TR_CHILD_ID_MAX = 47, /* bytes of a child's id, without its 0 */
	TR_INTENSITY_MAX = 10000,
	TR_NO_RESTARTS = -1, /* intensity: the first failure is the last */
};

#define TR_INFINITE    INT64_MAX /* shutdown_ns: as long as it takes */
#define TR_BRUTAL_KILL ((int64_t)-1) /* shutdown_ns: killed, not asked */

/** How long a failed child waits for its restart.  All zero: not at all. */
struct tr_backoff {
	int64_t min_ns; /* after the first failure; doubled after each more */
	int64_t max_ns; /* at most; not below min_ns; 0: min_ns, so always
	                 * the same */
	unsigned jitter_percent; /* 0 to 100: up to so much longer, by chance */
	int64_t reset_ns; /* having run for so long it starts from min_ns
	                   * again; 0: max_ns, or min_ns if that is 0 */
};

struct tr_supervisor;

/** One child: what it is and how it is looked after. */
struct tr_child {
	const char *id; /* its own among its supervisor's; 1 to 47 bytes */
	const struct tr_behavior *behavior; /* what runs; or: */
	const struct tr_supervisor *supervisor; /* a supervisor beneath */
	const void *arg; /* as of tr_spawn(), for every start; with arg_size 0
	                  * it must live as long as the supervisor */
	const char *name; /* registered; NULL: none */
	const struct tr_spawn_options *options; /* placement and bounds; its
	                                         * name, link, monitor and
	                                         * error stay unset; NULL: none
	                                         */
	enum tr_restart restart;
	int64_t shutdown_ns; /* how long it may take to end when it is told to,
	                      * then it is killed; TR_BRUTAL_KILL,
	                      * TR_INFINITE; 0: 5 s, or for ever if it is a
	                      * supervisor */
	struct tr_backoff backoff;
	bool significant; /* see enum tr_auto_shutdown, which must not be NEVER;
	                   * not if TR_PERMANENT */
	bool drop_mailbox; /* a restart finds an empty mailbox: what waited is
	                    * dead letters (TR_DEAD_CLOSED) */
};

/** A supervisor.  Must live, with its children, as long as it runs: make it
 * static const. */
struct tr_supervisor {
	const char *name; /* for logs; NULL: "supervisor" */
	enum tr_strategy strategy;
	int intensity; /* more restarts than this within period_ns: it gives
	                * up; up to 10,000; TR_NO_RESTARTS; 0: 1 */
	int64_t period_ns; /* a sliding window; 0: 5 s */
	enum tr_auto_shutdown auto_shutdown;
	const struct tr_child *children; /* in the order of their start */
	size_t child_count;
};

/** The children of a struct tr_supervisor: an array's name. */
#define TR_CHILDREN(array) \
	.children = (array), .child_count = sizeof(array) / sizeof((array)[0])

/** What a child is doing. */
enum tr_child_state {
	TR_CHILD_STOPPED, /* only its description is there */
	TR_CHILD_STARTING,
	TR_CHILD_RUNNING,
	TR_CHILD_RESTARTING, /* failed; will be started again */
	TR_CHILD_STOPPING, /* was told to end */
};

/** A child, as its supervisor sees it. */
struct tr_child_info {
	char id[TR_CHILD_ID_MAX + 1]; /* of simple_one_for_one: the pattern's */
	tr_ref ref; /* TR_REF_NONE while it is stopped */
	enum tr_child_state state;
	enum tr_restart restart;
	bool supervisor; /* it is one */
	bool significant;
	uint32_t restarts; /* how often it was started again, or was to be */
	struct tr_reason last; /* why it last ended */
};

/** How many children there are. */
struct tr_child_counts {
	uint32_t specs; /* descriptions; of simple_one_for_one: 1 */
	uint32_t active; /* starting, running, stopping */
	uint32_t supervisors; /* of all, also those that do not run */
	uint32_t workers; /* the others */
};

/**
 * Run a system for a supervisor, as tr_run() does for a root actor.
 *
 * \param root     the tree's top
 * \param options  NULL: defaults; the stop's deadline (stop_ns) is 5 s unless
 *                 given, however long the children may take
 * \returns        TR_OK when it was stopped, or ended because of its
 *                 significant children; TR_EGAVEUP when the restarts became
 *                 too many (here it ends with that); what a child's first
 *                 start failed with; TR_EINVAL (a description, then the log
 *                 says what is wrong; or an option), TR_ENOMEM
 * \owner          borrows until it returns
 * \threads        any
 * \blocks         until the system has ended
 */
TR_API TR_MUST_CHECK int tr_run_supervisor(const struct tr_supervisor *root,
    const struct tr_options *options);

/**
 * Start a supervisor as an actor of one's own.
 *
 * It runs whatever becomes of the caller, unless options->link is set.  What is
 * asked of it is answered when all of its children are started; if one fails
 * to, it stops those before and ends with that child's reason.
 *
 * \param self     the running actor
 * \param spec     what it is; must live as long as it runs
 * \param options  as of tr_spawn(); NULL: none
 * \returns        the supervisor; TR_REF_NONE: no memory, a description that
 *                 is not valid (options->error: TR_EINVAL; the log says what
 *                 is wrong), or as tr_spawn()
 * \owner          borrows spec while it runs
 * \threads        self
 * \blocks         never
 */
TR_API tr_ref tr_supervisor_spawn(struct tr_self *self,
    const struct tr_supervisor *spec, const struct tr_spawn_options *options);

/**
 * The same from any thread, as tr_system_spawn() does.
 *
 * \param system   the system
 * \param spec     what it is; must live as long as it runs
 * \param options  as of tr_system_spawn(); NULL: none
 * \returns        as tr_supervisor_spawn()
 * \owner          borrows spec while it runs
 * \threads        any
 * \blocks         never
 */
TR_API tr_ref tr_supervisor_system_spawn(struct tr_system *system,
    const struct tr_supervisor *spec, const struct tr_spawn_options *options);

/* ------------------------------------------------ what one asks of one --- */

/*
 * Each of these is a tr_ask(): fn runs once, in the asker's turn.  With the
 * outcome TR_OK the answer holds what is named here, which is read with
 * tr_data(); of the first four, read it with tr_child_result().
 *
 * A supervisor answers when all of its children have started, and never before:
 * so tr_supervisor_count_children() asks whether it is up, too.  If it does not
 * come up the outcome is TR_EDEAD, also for who asks while those are stopped
 * that had started.
 */

/**
 * Add a child, behind all others, and start it; of a simple_one_for_one
 * supervisor: start one more after the pattern, with the child's arg (NULL: the
 * pattern's).  There `behavior` says only how large the argument is, and need
 * not be set if it is a pointer that travels as it is (arg_size 0); all else
 * stays unset.
 *
 * The answer comes when it has started: TR_OK, its ref being in the info even
 * if it has ended by now, or also if it did not want to start
 * (TR_CHILD_STOPPED, and no ref); TR_EEXIST: a child of that id is there, running (its ref
 * is in the info) or not, or its name is another actor's (the info's id is
 * empty); TR_EINVAL: no child of this supervisor's, or an argument of another
 * size; TR_ENOMEM; or what its start() failed with, and then it is not added.
 *
 * \param self        who asks
 * \param supervisor  whom
 * \param child       what; id, name, spawn options and the argument
 *                    (arg_size bytes) are copied, behaviours and descriptions
 *                    of supervisors are not
 * \param deadline    absolute
 * \param fn          gets the answer
 * \param cookie      passed to fn
 * \returns           the ask, or 0: no memory, in stop(), or `child` is
 *                    not valid
 * \owner             none
 * \threads           self
 * \blocks            never
 */
TR_API TR_MUST_CHECK tr_ask_id tr_supervisor_start_child(struct tr_self *self,
    tr_ref supervisor, const struct tr_child *child, int64_t deadline,
    tr_answer_fn *fn, uintptr_t cookie);

/**
 * Stop a child for good.  Its description stays, unless it is TR_TEMPORARY or
 * its supervisor simple_one_for_one.
 *
 * A child that waits for its restart waits no more, and nor do those that were
 * stopped with it: they are started.  The answer comes when it has ended:
 * TR_OK, also if it did not run or, with simple_one_for_one, has ended before;
 * TR_EDEAD: there is no such child; TR_EINVAL: an id, of a simple_one_for_one
 * supervisor.
 *
 * \param self        who asks
 * \param supervisor  whom
 * \param id          which; NULL: the one of `child`
 * \param child       which, if id is NULL; the only way with
 *                    simple_one_for_one
 * \param deadline    absolute
 * \param fn          gets the answer
 * \param cookie      passed to fn
 * \returns           the ask, or 0: no memory, in stop(), or a bad id
 * \owner             none
 * \threads           self
 * \blocks            never
 */
TR_API TR_MUST_CHECK tr_ask_id
tr_supervisor_terminate_child(struct tr_self *self, tr_ref supervisor,
    const char *id, tr_ref child, int64_t deadline, tr_answer_fn *fn,
    uintptr_t cookie);

/**
 * Start a child again that was stopped.
 *
 * The answer: TR_OK; TR_EEXIST: it runs, or is being restarted; TR_EDEAD: there
 * is no such child; TR_EINVAL: a simple_one_for_one supervisor; or what its
 * start() failed with.
 *
 * \param self        who asks
 * \param supervisor  whom
 * \param id          which
 * \param deadline    absolute
 * \param fn          gets the answer
 * \param cookie      passed to fn
 * \returns           the ask, or 0: no memory, in stop(), or a bad id
 * \owner             none
 * \threads           self
 * \blocks            never
 */
TR_API TR_MUST_CHECK tr_ask_id tr_supervisor_restart_child(struct tr_self *self,
    tr_ref supervisor, const char *id, int64_t deadline, tr_answer_fn *fn,
    uintptr_t cookie);

/**
 * Forget the description of a child that was stopped.
 *
 * The answer: TR_OK; TR_EBUSY: it runs, or is being restarted (the info says
 * which); TR_EDEAD: there is no such child; TR_EINVAL: a simple_one_for_one
 * supervisor.
 *
 * \param self        who asks
 * \param supervisor  whom
 * \param id          which
 * \param deadline    absolute
 * \param fn          gets the answer
 * \param cookie      passed to fn
 * \returns           the ask, or 0: no memory, in stop(), or a bad id
 * \owner             none
 * \threads           self
 * \blocks            never
 */
TR_API TR_MUST_CHECK tr_ask_id tr_supervisor_delete_child(struct tr_self *self,
    tr_ref supervisor, const char *id, int64_t deadline, tr_answer_fn *fn,
    uintptr_t cookie);

/**
 * Read the answer to one of the four above.
 *
 * \param outcome  as given to the answer's function
 * \param answer   likewise
 * \param info     where the child's state is stored; NULL: not wanted.
 *                 Zeroed if the answer says nothing of a child
 * \returns        TR_OK or the error
 * \owner          none
 * \threads        any
 * \blocks         never
 */
TR_API int tr_child_result(int outcome, const struct tr_msg *answer,
    struct tr_child_info *info);

/**
 * Ask for the children: the answer is an array of struct tr_child_info, in the
 * order of their start, tr_size() / sizeof(struct tr_child_info) of them.
 *
 * TR_EFULL: they would not fit into a message; TR_ENOMEM.
 *
 * \param self        who asks
 * \param supervisor  whom
 * \param deadline    absolute
 * \param fn          gets the answer
 * \param cookie      passed to fn
 * \returns           the ask, or 0: no memory, or in stop()
 * \owner             none
 * \threads           self
 * \blocks            never
 */
TR_API TR_MUST_CHECK tr_ask_id
tr_supervisor_which_children(struct tr_self *self, tr_ref supervisor,
    int64_t deadline, tr_answer_fn *fn, uintptr_t cookie);

/**
 * Ask how many children there are: the answer is a struct tr_child_counts.
 *
 * \param self        who asks
 * \param supervisor  whom
 * \param deadline    absolute
 * \param fn          gets the answer
 * \param cookie      passed to fn
 * \returns           the ask, or 0: no memory, or in stop()
 * \owner             none
 * \threads           self
 * \blocks            never
 */
TR_API TR_MUST_CHECK tr_ask_id
tr_supervisor_count_children(struct tr_self *self, tr_ref supervisor,
    int64_t deadline, tr_answer_fn *fn, uintptr_t cookie);

#ifdef __cplusplus
}
#endif

#endif /* TROUPE_SUPERVISOR_H */
