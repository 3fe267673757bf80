/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system, and what each worker keeps for its actors (the crew).
 *
 * The files of actors/ share these structures; each function's file is named
 * beside its declaration.  A `desk` is what one needs to make, send and free
 * messages: every crew has one, and one serves all foreign threads under its
 * lock.
 */
#ifndef TROUPE_ACTORS_SYSTEM_H
#define TROUPE_ACTORS_SYSTEM_H

#include "actors/actor.h"
#include "actors/record.h"
#include "actors/shard.h"
#include "actors/table.h"
#include "actors/trace.h"
#include "mailbox/backoff.h"
#include "sched/sched.h"

enum {
	TRI_SLOW_NS = 5000, /* a message slower than this: look each time */
	TRI_HOOK_CALLS = 1000, /* of the dead-letter hook, per second */
};

/* Written by one thread at a time; read by anyone, relaxed. */
struct tri_counts {
	_Atomic uint64_t spawned;
	_Atomic uint64_t ended;
	_Atomic uint64_t failed;
	_Atomic uint64_t restarted;
	_Atomic uint64_t killed; /* by the system's stop */
	_Atomic uint64_t sent;
	_Atomic uint64_t handled;
	_Atomic uint64_t dead[TR_DEAD_REASONS];
};

struct tri_desk {
	struct tr_system *sys;
	struct tri_worker *worker; /* NULL: the foreign desk */
	struct tri_pool *pool;
	struct tri_counts counts;
	struct tri_cache slots;
	struct tri_cache records;
};

/*
 * The actor at work, its message, and what became of them.  What only few
 * turns use is as it should be between turns: whoever sets it resets it.
 */
struct tri_turn {
	struct tr_self *cell; /* NULL: between turns */
	struct tr_msg *msg; /* in hand; NULL: taken, or none */
	tr_ref ref;
	int64_t deadline; /* of the ask in hand */
	uint64_t ask; /* the ask in hand; 0: none */
	int unanswered; /* its outcome if nobody answers it */
	bool in_place; /* still reachable from the inlet */
	bool ran; /* the handler of the message in hand was called */
	bool failed; /* its handling made the actor fail */
	bool ended; /* by tr_exit, tr_fail, a failure or a kill */
	bool stopping; /* in stop(): no asks, no spawns, no timers */
	struct tr_reason reason;
};

/* Where the last message went that went to an inlet apart (apart.h), or those of
 * the burst that is open. */
struct tri_stream {
	uint64_t target; /* tr_ref bits; 0: nowhere */
	struct tri_inlet *inlet;
	struct tr_self *cell;
	struct tri_burst *burst; /* open; NULL: none */
	bool small; /* small messages go there as they are */
	uint32_t put; /* messages, into that */
	uint32_t at; /* its word for the next one */
	uint32_t last; /* that of the last one */
	uint32_t pushes; /* of one handler, before it */
	uint64_t handler; /* that one */
	uint64_t sent; /* by this worker in all, before them */
	/* The turn whose messages, it is expected, go there: the first of them
	 * opens a burst; 0: it is not. */
	uint64_t expected;
	bool guessed; /* that one did */
};

/* From now on it goes there, without a burst; 0: nowhere.  All that tells something
 * then is set, and no more: it is often another one with each message. */
static inline void
tri_stream_set(struct tri_stream *s, uint64_t target, struct tr_self *cell,
    struct tri_inlet *in)
{
	s->target = target;
	s->inlet = in;
	s->cell = cell;
	s->burst = NULL;
	s->pushes = 0;
	s->expected = 0;
}

/* The last backlog of this worker's messages that was seen to grow. */
struct tri_growth {
	uint64_t target; /* tr_ref bits */
	uint64_t handler; /* that was running then */
	uint64_t sent; /* by this worker in all until then */
};

enum { TRI_HABITS = 128 };

struct tri_crew {
	struct tri_worker worker; /* first: a crew is a worker */
	struct tri_desk desk;
	struct tri_turn turn;
	struct tri_backoff backoff;
	struct tri_stream stream;
	struct tri_growth growth;
	/* The last turn of several messages: its number, and what had been sent by
	 * this worker in all before it. */
	uint64_t batch_turn;
	uint64_t batch_sent;
	uint64_t reserved; /* what this worker reserves inlets with */
	uint64_t reserved_plain; /* the same if its places are plain (next.h);
	                          * else nothing that an inlet holds */
	_Atomic uint32_t tag; /* of the message in hand, for reports */
	/* care.c: of the handler that runs. */
	int64_t handler_since;
	int64_t handler_until; /* INT64_MAX: it has no limit */
	/* stop.c, under its lock: the turn it was in at the last look, and since
	 * when. */
	uint64_t stop_turn; /* 0: none */
	int64_t stop_since;
	/* fault.c */
	struct tri_flight *flight; /* NULL: nothing is recorded */
	struct tri_signal_stack fault_stack; /* without a base: none */
	struct tri_signal_stack fault_stack_before; /* its thread's */
	/* Where actors sent to in their last turn, mostly (tr_ref bits; 0: not
	 * known), at places by their slots. */
	uint64_t habits[TRI_HABITS];
	alignas(TRI_LINE) ck_stack_t gone; /* records to disarm */
};

/* Which handler runs: these two say which message is in hand (run_spend). */
static inline uint64_t
tri_handler_number(const struct tri_crew *c)
{
	return (uint64_t)c->worker.clock_last * 64 + c->worker.clock_in;
}

/* Which turn is under way, on this worker; never 0. */
static inline uint64_t
tri_turn_number(const struct tri_crew *c)
{
	return tri_load_relaxed(&c->worker.counts.batches) + 1;
}

/* Where the actor whose turn it is sent to in its last turns; it may be another
 * actor's. */
static inline uint64_t *
tri_habit(struct tri_crew *c)
{
	return &c->habits[tri_ref_slot(c->turn.ref) % TRI_HABITS];
}

struct signal_route;
struct tri_pack;

struct tri_name {
	struct tri_named named;
	struct tri_name *next_own; /* of its actor */
	tr_ref ref; /* NONE: reserved, not published yet */
};

enum { TRI_LINK_SHARDS = 16 };

/* Links by their two ends: link.c. */
struct tri_links {
	struct tri_lock lock; /* for all below */
	struct tri_record **bucket;
	uint32_t buckets;
	uint32_t count;
};

/* What a slot of an actor has; all but the last go back when it is free. */
enum tri_actor_array {
	TRI_ACTOR_CELL,
	TRI_ACTOR_LINK,
	TRI_ACTOR_COLD,
	TRI_ACTOR_APART, /* its inlet, once it has moved */
	TRI_ACTOR_INTAKE,
	TRI_ACTOR_ARRAYS,
};

enum tri_life { TRI_NEW, TRI_STARTED, TRI_FINISHED };

struct tr_system {
	/* Set once. */
	struct tri_env *env;
	unsigned number; /* 1 to 63: in every generation */
	uint32_t seed; /* of the generations' first counts */
	struct tri_kind kinds[1];
	/* Payloads of this size and above are unusual: too large; or, when it
	 * is 0, the system is over its budget.  budget.c. */
	_Atomic size_t send_end;
	struct tri_trace *trace; /* NULL: nobody looks on */
	struct tr_options options; /* with the defaults filled in */
	void *log_ctx; /* for options.log */
	void *dead_ctx; /* for options.on_dead_letter */
	struct tri_table actors; /* arrays: enum tri_actor_array */
	uint32_t apart; /* a list from afar that long makes an inlet move */
	uint32_t burst_after; /* pushes to one that has moved, and */
	uint32_t burst_looks; /* looks in vain for more: burst.c */
	struct tri_table records;
	struct tri_sched sched;
	struct tri_jobs *jobs;

	_Atomic uint32_t life; /* enum tri_life */
	_Atomic uint32_t root_done;
	tr_ref root; /* tr_run's */
	struct tr_reason root_reason; /* once it has ended */

	struct tri_shard names[TRI_NAME_SHARDS];
	struct tri_shard groups[TRI_NAME_SHARDS];
	struct tri_links links[TRI_LINK_SHARDS];
	struct signal_route *signals; /* under foreign_lock */

	/* Foreign threads. */
	alignas(TRI_LINE) struct tri_lock foreign_lock;
	struct tri_desk foreign;
	struct tri_pool foreign_pool;

	/* The stop: stop.c. */
	alignas(TRI_LINE) _Atomic uint32_t stopping;
	_Atomic int64_t stop_deadline;
	ck_spinlock_t stop_lock; /* who coordinates */
	uint32_t stop_at; /* next slot to tell */
	bool stop_killed; /* the deadline has passed */
	uint64_t stop_alive; /* at the last look */
	int64_t stop_next_sweep;
	int64_t stop_grace; /* until when killed handlers may run on */
	struct tr_stop_report report;

	/* The byte budget: budget.c. */
	_Atomic uint32_t budget_asked; /* looks that somebody owes */
	_Atomic uint32_t pressure; /* enum tr_pressure */

	/* Dead-letter hook: second << 16 | calls. */
	_Atomic uint64_t hook_budget;
};

static inline struct tr_self *
tri_cell(const struct tr_system *sys, uint32_t slot)
{
	struct tr_self *cell =
	    (struct tr_self *)(void *)sys->actors.array[0] + slot;

	if (cell == NULL)
		__builtin_unreachable();
	return cell;
}

static inline uint32_t
tri_cell_slot(const struct tr_system *sys, const struct tr_self *a)
{
	return (uint32_t)(a - (struct tr_self *)(void *)sys->actors.array[0]);
}

static inline struct tri_cold *
tri_cold(const struct tr_system *sys, const struct tr_self *a)
{
	return (struct tri_cold *)(void *)sys->actors.array[TRI_ACTOR_COLD] +
	    tri_cell_slot(sys, a);
}

static inline struct tri_intake *
tri_intake(const struct tr_system *sys, const struct tr_self *a)
{
	return tri_table_at(&sys->actors, TRI_ACTOR_INTAKE,
	    tri_cell_slot(sys, a));
}

static inline struct tri_crew *
tri_crew_at(struct tr_system *sys, unsigned index)
{
	return (struct tri_crew *)(void *)tri_sched_worker(&sys->sched, index);
}

static inline struct tri_record *
tri_record_at(const struct tr_system *sys, uint32_t index)
{
	return (struct tri_record *)(void *)sys->records.array[0] + index;
}

/* A deadline, never beyond the one that never comes. */
static inline int64_t
tri_time_after(int64_t now, int64_t delay_ns)
{
	if (delay_ns <= 0)
		return now;
	return delay_ns > INT64_MAX - now ? INT64_MAX : now + delay_ns;
}

/* The cell of an actor that is still this one; NULL: it has ended, or is of
 * another system.  It may end at any time. */
static inline struct tr_self *
tri_cell_find(const struct tr_system *sys, tr_ref ref)
{
	uint32_t generation = tri_ref_generation(ref);
	struct tr_self *a;

	/* acq: pairs with table_fresh, for refs that are made up. */
	if (generation >> TRI_COUNT_BITS != sys->number ||
	    tri_ref_slot(ref) >= tri_load_acquire(&sys->actors.limit))
		return NULL;
	a = tri_cell(sys, tri_ref_slot(ref));
	return (uint32_t)tri_load_relaxed(&a->ident) == generation ? a : NULL;
}

/* Tell whoever looks on. */
static inline void
tri_seen(const struct tr_system *sys, enum tri_event event, tr_ref ref,
    const struct tr_msg *m, uint64_t value, int code)
{
	if (TRI_UNLIKELY(sys->trace != NULL))
		sys->trace->seen(sys->trace, event, ref, m, value, code);
}

/* The largest payload. */
static inline size_t
tri_message_limit(const struct tr_system *sys)
{
	return sys->options.max_message_bytes;
}

/* Payloads of this size and above are unusual. */
static inline size_t
tri_send_end(struct tr_system *sys)
{
	return tri_load_relaxed(&sys->send_end);
}

static inline bool
tri_is_over_budget(struct tr_system *sys)
{
	return tri_send_end(sys) == 0;
}

/* panic.c */
/* `self` was used where it is not its turn; c: the calling worker's, or
 * NULL. */
void tri_turn_panic(const struct tri_crew *c, struct tr_self *self,
    const char *function) __attribute__((noreturn, cold));
/* Another error in the turn at hand. */
void tri_turn_blame(const struct tri_crew *c, const char *function,
    const char *what) __attribute__((noreturn, cold));

/* The crew whose actor this is, in its turn; else `function` is blamed. */
static inline struct tri_crew *
tri_crew_in_turn(struct tr_self *self, const char *function)
{
	struct tri_crew *c = (struct tri_crew *)(void *)tri_worker_here;

	if (TRI_UNLIKELY(c == NULL || c->turn.cell != self))
		tri_turn_panic(c, self, function);
	return c;
}

#define tri_crew_of(self) tri_crew_in_turn((self), __func__)
bool tri_options_are_valid(const struct tr_options *o);
/* system.c: tr_system_new() in a given environment, which it frees in any case
 * but success; valid options, *system is NULL. */
int tri_system_new(struct tr_system **system, const struct tr_options *options,
    struct tri_env *env);

/* The parts of tr_system_run(), for whoever steps the workers himself: between
 * them tri_sched_begin() and steps until every worker has ended. */
int tri_system_begin(struct tr_system *system);
int tri_system_end(struct tr_system *system, struct tr_stop_report *report);
/* Its memory is freed by other means, as it is: only its number comes back. */
void tri_system_forget(struct tr_system *system);

/* send.c: messages and where they go; the hot ones inline in send.h */

/* A message of `size` payload bytes; NULL: no memory.  Its target's generation
 * is set when it is sent. */
struct tr_msg *tri_msg_alloc(struct tri_desk *d, unsigned kind, unsigned flags,
    uint32_t tag, size_t size);
/* Give a message's memory back, whatever it holds. */
void tri_msg_free(struct tri_desk *d, struct tr_msg *m);
/* Free a message, with its drop function; an ask's duty is answered with
 * `outcome`.  On a worker's desk. */
void tri_msg_dispose(struct tri_crew *c, struct tr_msg *m, int outcome);
/* As a dead letter, counted and reported. */
void tri_msg_dead(struct tri_crew *c, tr_ref to, struct tr_msg *m,
    enum tr_dead_reason reason, int outcome);
/* Put it into the mailbox: any thread.  On WAKE the caller schedules the
 * cell. */
enum tri_inlet_pushed tri_push(struct tr_system *sys, tr_ref to,
    struct tr_msg *m, struct tr_self **cell);
/* The last step of both: push, and tell the worker that has it reserved. */
enum tri_inlet_pushed tri_push_to(struct tr_system *sys, struct tr_self *a,
    struct tr_msg *m);
/* Something was pushed to an actor whose inlet was RESERVED before. */
void tri_tell_reserver(struct tr_system *sys, struct tr_self *a,
    uint64_t reserved) TRI_COLD;
/* The same for an ident that is not just the generation: bound.c. */
enum tri_inlet_pushed tri_push_unusual(struct tr_system *sys, struct tr_self *a,
    uint64_t ident, struct tr_msg *m);
/* The rest of tri_deliver, to any actor; the message is counted. */
void tri_deliver_unusual(struct tri_crew *c, tr_ref to,
    struct tr_msg *m) TRI_COLD;
/* The rest for a plain actor's cell; the message is counted.  No register of
 * the caller's has to be saved for them. */
void tri_deliver_other(struct tri_crew *c, tr_ref to, struct tr_self *a,
    struct tr_msg *m);
/* The same where a thief's claim has been seen: see tri_next_take_plain. */
void tri_deliver_claimed(struct tri_crew *c, tr_ref to, struct tr_self *a,
    struct tr_msg *m, struct tri_next *at) TRI_COLD;
/* The rest of tri_deliver_kept where the newest message is a pack, and the actor has
 * been taken from `at`. */
void tri_deliver_packed(struct tri_crew *c, tr_ref to, struct tr_self *a,
    struct tri_pack *newest, struct tr_msg *m, struct tri_next *at);
/* A backlog of usual messages for the actor has grown by sys->burst_after, the last
 * of them from this worker: burst.c. */
void tri_stream_grows(struct tri_crew *c, tr_ref to,
    struct tr_self *a) TRI_COLD;
/* To c->stream.target, if it still takes them there: send.c. */
void tri_deliver_streamed(struct tri_crew *c, tr_ref to, struct tr_msg *m);
/* Pause, if this worker and others flood the mailbox it has just pushed to. */
void tri_crowd_leave(struct tri_crew *c) TRI_COLD;
/* What is to be done after a push that found nobody at it; a = its cell. */
void tri_deliver_pushed(struct tri_crew *c, tr_ref to, struct tr_self *a,
    struct tr_msg *m, enum tri_inlet_pushed pushed);
/* A message that was not pushed becomes a dead letter. */
void tri_push_failed(struct tri_crew *c, tr_ref to, struct tr_msg *m,
    enum tri_inlet_pushed pushed);
/* Schedule a cell that was idle; w: the caller's worker of this system, or
 * NULL. */
void tri_schedule(struct tr_system *sys, struct tri_worker *w,
    struct tr_self *a);
/* Count, push, schedule; or a dead letter. */
void tri_deliver(struct tri_crew *c, tr_ref to, struct tr_msg *m);
/* The same for control messages, which are not counted. */
void tri_deliver_control(struct tri_crew *c, tr_ref to, struct tr_msg *m);
/* Answer an ask with an error, in its own block. */
void tri_ask_refuse(struct tri_crew *c, struct tr_msg *m, int outcome);
/* The message in hand leaves the inlet, so that it can outlive the turn. */
void tri_turn_detach(struct tri_crew *c);

/* A message of its own with what `m`, a tick, says; NULL: no memory.  Once. */
struct tr_msg *tri_msg_copy(struct tri_crew *c, struct tr_msg *m);
/* The running actor's record of the duty of a taken ask; NULL: none. */
struct tri_record *tri_msg_lent_duty(struct tri_crew *c, struct tr_msg *m);
/* A plain send that is too large, or over budget. */
int tri_send_unusual(struct tri_crew *c, tr_ref to, uint32_t tag,
    size_t size) TRI_COLD;
int tri_send_large(struct tri_crew *c, tr_ref to, uint32_t tag,
    const void *data, size_t size);
/* Up to TRI_SMALL bytes, to c->stream.target. */
int tri_send_streamed(struct tri_crew *c, tr_ref to, uint32_t tag,
    const void *data, size_t size);

/* post.c: foreign threads */
void tri_foreign_lock(struct tr_system *sys);
void tri_foreign_unlock(struct tr_system *sys);
/* The crew of the calling thread if it is a worker of this system. */
struct tri_crew *tri_crew_here(const struct tr_system *sys);
/* tr_post, with a drop function that is not run unless it returns TR_OK. */
int tri_post(struct tr_system *system, tr_ref to, uint32_t tag,
    const void *data, size_t size, tr_drop_fn *drop);
/* Free a message from any thread. */
void tri_msg_dispose_foreign(struct tr_system *sys, struct tr_msg *m,
    int outcome);
/* Push and schedule a message that was counted as sent; or a dead letter. */
void tri_post_deliver(struct tr_system *sys, tr_ref to, struct tr_msg *m);
/* Push a record's message to its owner, from a thread of the pool. */
void tri_record_notify_foreign(struct tr_system *sys, struct tri_record *r);
/* Give a record back from there. */
void tri_record_free_foreign(struct tr_system *sys, struct tri_record *r);

/* dead.c: count and tell the hook; tell it only */
void tri_dead_tell(struct tr_system *sys, enum tr_dead_reason reason, tr_ref to,
    const struct tr_msg *m);
void tri_dead_letter(struct tri_desk *d, enum tr_dead_reason reason, tr_ref to,
    const struct tr_msg *m);

/* protocol.c: how a message to an actor is called; the behaviour of the actor
 * or, while its slot is free, of the one that has just ended */
const char *tri_message_name(const struct tr_behavior *b, uint32_t tag);
const struct tr_behavior *tri_behavior_of(const struct tr_system *sys,
    tr_ref actor);
static inline const char *
tri_behavior_name(const struct tr_behavior *b)
{
	return b->name != NULL ? b->name : "actor";
}

/* spawn.c */
struct tri_keep_options;
struct tri_spawn_how {
	tr_ref parent;
	unsigned here; /* the worker */
	const struct tri_keep_options *keep; /* a supervisor's child: keep.h */
	struct tri_record **bond;
};
tr_ref tri_spawn(struct tri_desk *d, const struct tr_behavior *b,
    const void *arg, const struct tr_spawn_options *o,
    const struct tri_spawn_how *how);
/* The first message of an actor; NULL: no memory. */
struct tr_msg *tri_start_message(struct tri_desk *d, tr_ref parent,
    const struct tr_behavior *b, const void *arg);
void *tri_state_new(struct tri_desk *d, struct tr_self *a,
    const struct tr_behavior *b);
void tri_state_free(struct tri_desk *d, struct tr_self *a,
    const struct tr_behavior *b);

/* run.c */
/* What the payload of a TRI_MSG_CALL begins with a pointer to: run in the
 * actor's turn, returns as receive() does. */
typedef int tri_call_fn(struct tri_crew *c, struct tr_self *a,
    struct tr_msg *m);
void tri_actor_run(struct tri_worker *w, void *object);
/* struct tri_kind.rest */
bool tri_actor_rest(struct tri_worker *w, void *object);
/* struct tri_kind.reserve */
void *tri_actor_reserve(struct tri_worker *w, void *object);
/* The running actor has more to do, but later. */
void tri_actor_requeue(struct tri_crew *c, struct tr_self *a);
/* What special kinds of messages mean; the handler's return value. */
int tri_handle_special(struct tri_crew *c, struct tr_self *a, struct tr_msg *m);

/* care.c: actors whose ident has more to say, around each message */
bool tri_care_is_valid(const struct tr_spawn_options *o);
/* Returns the flags for ident. */
uint64_t tri_care_set(struct tr_system *sys, struct tr_self *a,
    const struct tr_spawn_options *o);
/* true: the running actor ends, and the message in hand is not handled. */
bool tri_care_ends(struct tri_crew *c, uint64_t ident);
void tri_care_before(struct tri_crew *c, struct tr_self *a, uint64_t ident);
void tri_care_after(struct tri_crew *c, uint64_t ident);
/* Whether the work in hand is in vain. */
bool tri_care_cancels(struct tri_crew *c, uint64_t ident);

/* fault.c: the report of a fault, for those who asked for it */
bool tri_fault_is_valid(const struct tr_options *o);
/* Once there are crews; undone by tri_fault_fini in any case. */
int tri_fault_init(struct tr_system *sys);
void tri_fault_fini(struct tr_system *sys);
void tri_fault_enter(struct tri_worker *w);
void tri_fault_leave(struct tri_worker *w);

/* life.c */
/* Fire of a stop's deadline. */
void tri_life_deadline(struct tri_crew *c, struct tri_record *r);
void tri_turn_fail(struct tri_crew *c, int code);
void tri_kill(struct tri_crew *c, tr_ref actor);

/* bound.c */
bool tri_bound_is_valid(const struct tr_spawn_options *o);
/* Returns the flag for ident. */
uint64_t tri_bound_set(struct tr_system *sys, struct tr_self *a,
    const struct tr_spawn_options *o);
/* A message that counts there, or is traced, leaves the mailbox of `a`. */
void tri_push_undo(struct tr_system *sys, struct tr_self *a, struct tr_msg *m,
    bool to_handle);
/* The running actor has taken its list: drop what is too much of it. */
void tri_bound_drop_old(struct tri_crew *c, struct tr_self *a);
enum tr_dead_reason tri_push_reason(enum tri_inlet_pushed pushed);

/* budget.c */
bool tri_budget_is_valid(const struct tr_options *o);
void tri_budget_init(struct tr_system *sys);
/* Once there are pools. */
void tri_budget_count(struct tr_system *sys);
/* At a poll: how much is in use? */
void tri_budget_poll(struct tr_system *sys);
uint64_t tri_budget_live(struct tr_system *sys);

/* die.c: end the running actor; what it began in an earlier turn */
void tri_actor_die(struct tri_crew *c, struct tr_self *a);
void tri_actor_die_on(struct tri_crew *c, struct tr_self *a);
/* A held actor, which the caller has, ends for good. */
void tri_actor_let_go(struct tri_crew *c, struct tr_self *a);

/* mark.c */
/* Send a STOP or KILL; it cannot fail. */
void tri_tell_end(struct tri_crew *c, tr_ref to, enum tri_msg_kind kind);
/* A slot's own message was taken. */
void tri_mark_release(struct tri_crew *c, struct tr_msg *mark);

/* ask.c */
/* A message's tag and payload; with a drop function it owns something, and
 * then it is moved only by what succeeds. */
struct tri_content {
	uint32_t tag;
	size_t size;
	const void *data;
	void (*drop)(void *payload, size_t size); /* NULL: none */
};

tr_ask_id tri_ask_send(struct tri_crew *c, tr_ref to,
    const struct tri_content *what, int64_t deadline, tr_answer_fn *fn,
    uintptr_t cookie);
int tri_reply_ask(struct tri_crew *c, struct tr_msg *m,
    const struct tri_content *what);
int tri_token_reply(struct tri_crew *c, tr_token *token,
    const struct tri_content *what);
int tri_ask_handle(struct tri_crew *c, struct tr_self *a, struct tr_msg *m);
bool tri_ask_awaits(struct tri_crew *c, struct tr_msg *reply);
int tri_ask_answered(struct tri_crew *c, struct tr_self *a, struct tr_msg *m);
int tri_ask_ended(struct tri_crew *c, struct tr_self *a, struct tri_record *r);
/* Whether an ask in hand is still worth running; else why not. */
bool tri_ask_wanted(struct tri_crew *c, struct tr_msg *m,
    enum tr_dead_reason *why);
void tri_duty_end(struct tri_crew *c, struct tri_record *r, int outcome);

/* timer.c, offload.c: a record's message was taken */
int tri_timer_ticked(struct tri_crew *c, struct tr_self *a,
    struct tri_record *r, struct tr_msg *m);
int tri_job_outcome(struct tri_crew *c, struct tr_self *a,
    struct tri_record *r);
void tri_job_abandon(struct tri_crew *c, struct tri_record *r);

/* monitor.c: their messages were taken, or refused; the watched actor dies */
int tri_monitor_down(struct tri_crew *c, struct tr_self *a, struct tr_msg *m);
/* The watcher, which runs, withdraws it, or dies. */
void tri_monitor_end(struct tri_crew *c, struct tri_record *r);
void tri_monitor_asked(struct tri_crew *c, struct tr_self *a, struct tr_msg *m);
void tri_monitor_left(struct tri_crew *c, struct tr_self *a, struct tr_msg *m);
void tri_monitor_refused(struct tri_crew *c, struct tri_record *r);
/* A slice of them; false: there are more. */
bool tri_monitors_tell(struct tri_crew *c, struct tr_self *a,
    const struct tr_reason *why, unsigned *left);
/* The watcher has let go of its record, which is another actor's to give
 * back. */
void tri_monitor_withdraw(struct tri_crew *c, struct tri_record *r);
/* At spawn: watch an actor that nobody knows yet.  0: no memory. */
uint64_t tri_monitor_attach(struct tri_crew *c, tr_ref target, uint32_t tag,
    uint64_t cookie);
/* Undo that: it was never spawned. */
void tri_monitor_detach(struct tri_crew *c, tr_ref target, uint64_t monitor);

/* link.c: their messages were taken, or refused; a linked actor dies */
bool tri_links_init(struct tr_system *sys);
void tri_links_fini(struct tr_system *sys);
/* Whether an EXIT still concerns the running actor. */
bool tri_exit_awaits(struct tri_crew *c, struct tr_msg *m);
int tri_exit_taken(struct tri_crew *c, struct tr_self *a, struct tr_msg *m);
void tri_link_asked(struct tri_crew *c, struct tr_self *a, struct tr_msg *m);
void tri_link_refused(struct tri_crew *c, struct tri_record *r);
void tri_unlink_asked(struct tri_crew *c, struct tr_msg *m);
void tri_unlink_refused(struct tri_crew *c, struct tri_record *r);
void tri_unlink_done(struct tri_crew *c, struct tr_msg *m);
/* A slice of them; false: there are more.  `lives`: it will live again. */
bool tri_links_tell(struct tri_crew *c, struct tr_self *a,
    const struct tr_reason *why, bool lives, unsigned *left);
/* At spawn: link the running actor with one that nobody knows yet. */
int tri_link_attach(struct tri_crew *c, tr_ref child);

/* name.c */
/* Name an actor of the caller; with TR_REF_NONE the name is only reserved, and
 * nobody finds it before it is published. */
int tri_name_add(struct tri_desk *d, struct tr_self *a, tr_ref ref,
    const char *name, struct tri_name **entry);
void tri_name_publish(struct tr_system *sys, struct tri_name *name, tr_ref ref);
void tri_names_remove(struct tri_desk *d, struct tr_self *a);
bool tri_names_init(struct tr_system *sys);
void tri_names_fini(struct tr_system *sys);
/* Call fn for every name; under a shard's lock: fn must be quick. */
void tri_names_each(struct tr_system *sys,
    void (*fn)(const struct tri_name *name, void *arg), void *arg);

/* group.c */
bool tri_groups_init(struct tr_system *sys);
void tri_groups_fini(struct tr_system *sys);
/* An actor that ends leaves all of its groups. */
void tri_groups_remove(struct tri_desk *d, struct tr_self *a);

/* signal.c */
void tri_signals_fini(struct tr_system *sys);

/* stop.c */
void tri_stop_attend(struct tri_worker *w);
uint64_t tri_system_alive(struct tr_system *sys);

/* log.c */
void tri_log(struct tr_system *sys, enum tr_log_level level, const char *format,
    ...) __attribute__((format(printf, 3, 4)));

#endif
