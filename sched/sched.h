/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler: workers that run words.
 *
 * A worker is a step function; its thread is a loop over it, so a simulator
 * can step workers as it likes.  The phases:
 *
 *     RUN     run one batch; poll when it is time
 *     SEARCH  nothing of its own: poll, then look at the others' queues
 *     PARK    announce sleep, look everywhere once more, spin, sleep
 *
 * sched/ knows no actor.  What is above it gives a table of kinds, and hooks.
 */
#ifndef TROUPE_SCHED_SCHED_H
#define TROUPE_SCHED_SCHED_H

#include "mailbox/atomic.h"
#include "mailbox/ck.h"
#include "mailbox/pool.h"
#include "sched/env.h"
#include "sched/reserve.h"
#include "sched/runq.h"
#include "sched/spin.h"
#include "sched/wheel.h"
#include "sched/word.h"

enum {
	TRI_WORKERS_MAX = 64,
	TRI_BATCH_MESSAGES = 128,
	TRI_BATCH_NS = 200 * 1000,
	TRI_CLOCK_MESSAGES = 16, /* between two looks at the cycle counter */
	TRI_POLL_BATCHES = 64, /* between two looks at the clock */
	TRI_POLL_NS = 100 * 1000,
	TRI_POLL_NS_MAX = 400 * 1000, /* while polls come back empty */
	TRI_WATCH_NS = 1000 * 1000,
	TRI_THROTTLE_NS = 500 * 1000,
	TRI_TRIM_NS = 1000 * 1000 * 1000, /* of idleness before trimming */
	TRI_TRIM_BLOCKS = 4096, /* per step */
};

enum tri_phase { TRI_RUN, TRI_SEARCH, TRI_PARK, TRI_ENDED };

struct tri_hooks {
	/* A timer of this worker is due; it is disarmed. */
	void (*fire)(struct tri_worker *w, struct tri_timer_node *node);
	/* At every poll: what else waits for this worker. */
	void (*poll)(struct tri_worker *w);
	/* While attention is asked for (tri_sched_attend): before each step. */
	void (*attend)(struct tri_worker *w);
	/* Idle for long: give memory back, a slice.  true: call again.  NULL:
	 * nothing to give. */
	bool (*trim)(struct tri_worker *w);
	/* What a worker has done: messages sent and handled, actors spawned
	 * and ended; any thread.  NULL: nobody steps aside. */
	uint64_t (*acts)(const struct tri_worker *w);
	/* Messages it has sent less those that it has handled, or that were dead
	 * letters here; only the sum over all workers means something. */
	uint64_t (*open)(const struct tri_worker *w);
	/* On its thread, before its first step and after its last.  NULL:
	 * nothing to do. */
	void (*enter)(struct tri_worker *w);
	void (*leave)(struct tri_worker *w);
};

/* Relaxed counters, written by the worker only, summed by readers. */
struct tri_worker_counts {
	_Atomic uint64_t batches; /* also shows that it is not stuck */
	_Atomic uint64_t steals;
	_Atomic uint64_t parks;
	_Atomic uint64_t wakeups;
	_Atomic uint64_t polls;
	_Atomic uint64_t asides;
	_Atomic uint64_t streamed; /* messages from elsewhere, in arrays */
	_Atomic uint64_t crowds; /* met at mailboxes: mailbox/backoff.h */
};

/* Acts per ms of all workers, on average: throttle.c. */
struct tri_pace {
	uint64_t acts;
	unsigned samples; /* how many it is of, up to a few */
};

/* What a worker that looks round saw of another one: flood.c. */
struct tri_sight {
	uint64_t acts;
	int64_t at;
	unsigned looks; /* since it got on */
};

enum { TRI_ROBBED = 32 };

/* What a thief has taken from behind one handler of another worker: flood.c. */
struct tri_robbed {
	unsigned victim;
	unsigned count; /* of the words that came again */
	unsigned spared; /* looks since the last theft */
	int64_t since; /* the handler: when it began, */
	uint64_t batches; /* and how many had ended there */
	int64_t at; /* when that was first seen, */
	uint64_t acts; /* and what had been done there */
	uint64_t own; /* and here, */
	uint64_t far; /* and messages from elsewhere */
	tri_word words[TRI_ROBBED]; /* at places by their hash, the first */
	bool again[TRI_ROBBED]; /* it came again */
};

/* Whether the others do without it; throttle.c. */
struct tri_trial {
	bool on;
	bool few; /* others had little to do when it began */
	unsigned still; /* looks in a row at which all stood still */
	unsigned close; /* so often it went on because it was close */
	int64_t began;
	int64_t backlog; /* it counts when so many wait; INT64_MAX: it does */
	uint64_t batches; /* of all, at the last look */
};

/* What they do with it after a trial that failed; throttle.c. */
struct tri_review {
	int64_t since; /* 0: that has been seen */
	int64_t span;
	uint64_t acts; /* of all workers until then */
	bool again; /* it is not the first look */
};

/* throttle.c; owner only. */
struct tri_throttle {
	struct tri_pace with; /* while it takes part, */
	struct tri_pace without; /* and while it does not */
	uint32_t asides; /* while so many did not, `with` */
	struct tri_trial trial;
	struct tri_review review;
	int64_t since; /* it counts from here on; 0: it does not */
	int64_t until; /* aside, or left alone */
	int64_t aside_ns; /* for how long, the next time */
	int64_t alone_ns; /* likewise, if the trial shows it is missed */
	uint64_t own; /* counts at that time: its acts, */
	uint64_t acts; /* all workers', */
	int64_t crossed; /* and messages between workers */
	uint64_t parks; /* and its own, */
	uint64_t crowds; /* likewise */
	int64_t open; /* messages that waited */
	uint64_t pace; /* in the trial */
};

/* owe.c; owner only. */
struct tri_owed {
	int64_t took_ns; /* a handler, where that was long; 0: none */
	tri_word by; /* whose it was; 0: somebody who is over */
	tri_word to; /* who is owed that, and goes on, */
	int64_t until; /* at once until then */
};

struct tri_worker {
	/* Set once. */
	struct tri_sched *sched;
	struct tri_env *env;
	struct tri_loop *loop;
	unsigned index;
	int cpu; /* bound to; -1: not */
	struct tri_thread *thread; /* NULL: the caller's */
	uint8_t victims[TRI_WORKERS_MAX]; /* the others, nearest first */

	/* Owner only. */
	enum tri_phase phase;
	bool searching; /* holds a searcher's place */
	bool napping; /* woke for nothing: still in the idle mask */
	bool asleep; /* in a sleep that goes on over several steps */
	bool trimmed; /* nothing more to give back for now */
	bool open; /* what it queues is for anybody, until it polls */
	int64_t trim_at; /* then it is worth another look */
	int64_t now; /* the clock, maybe a little ahead (tri_worker_clock) */
	int64_t exact; /* the clock as last read */
	uint64_t cycles; /* when `now` was set */
	int64_t poll_at;
	int64_t poll_ns;
	int64_t idle_since; /* 0: not idle */
	int64_t sleep_until; /* when it goes to sleep */
	uint32_t batch; /* messages in a turn, at most */
	unsigned turn; /* alternates between its own queue and the rest */
	unsigned held; /* so many of its own queue come before the rest */
	unsigned hot_looks; /* at words of others, in vain: tri_sched_is_hot */
	uint64_t seen[TRI_WORKERS_MAX]; /* batches at the watch's last look */
	/* How long its handlers take (actors/run.c). */
	uint32_t clock_in; /* so many messages on, a look at the clock */
	uint32_t clock_every; /* at that many */
	int64_t clock_last; /* what it said */
	int64_t
	    message_ns; /* that one took, on average of the last few looks */
	struct tri_owed owed;
	struct tri_spin spin;
	struct tri_throttle throttle;
	struct tri_sight sight[TRI_WORKERS_MAX];
	struct tri_robbed robbed;
	struct tri_wheel wheel;
	struct tri_pool pool;

	alignas(TRI_LINE) struct tri_worker_counts counts;
	/* What it runs, for dumps: 0 between batches.  Relaxed. */
	_Atomic(tri_word) running;
	_Atomic int64_t running_since;
	/* Whose turn was over last where turns take long, and when: share.c.
	 * Relaxed. */
	_Atomic(tri_word) hot;
	_Atomic int64_t hot_since;

	struct tri_runq q;
	struct tri_reserve reserve;

	/* Written by others. */
	alignas(TRI_LINE) _Atomic uint32_t bell; /* rung: do not sleep */
	_Atomic uint32_t sleeping; /* in loop_sleep, or about to be */
	_Atomic uint32_t ended; /* its thread has left the loop */
	_Atomic uint32_t aside; /* it takes no part for a while: throttle.c */
	_Atomic uint32_t yielded; /* another one does not any more: share.c */
	_Atomic uint32_t floods; /* in the handler that it is in: flood.c */
	alignas(TRI_LINE) ck_stack_t inbox; /* pinned words from others */
};

struct tri_sched {
	/* Set once. */
	struct tri_env *env;
	unsigned n;
	bool pin;
	int64_t throttle_ns; /* a window of throttle.c; INT64_MAX: never */
	bool eager; /* see struct tri_sched_config */
	size_t worker_size;
	char *workers; /* n of worker_size bytes */
	const struct tri_kind *kinds;
	struct tri_hooks hooks;
	uint64_t all; /* idle mask with every worker in it */

	/* Cycles to nanoseconds: fixed point, 32 fraction bits; 0: unknown. */
	uint64_t cycles0;
	int64_t now0;
	_Atomic uint64_t ns_per_cycle;

	_Atomic uint32_t gate; /* sched.c */
	_Atomic uint32_t attention; /* hooks.attend is wanted */
	_Atomic uint32_t asides; /* how many are: throttle.c */
	_Atomic uint32_t quit;
	_Atomic int64_t no_trials; /* before that time: throttle.c */

	/* Who sleeps, searches, watches: park.c. */
	alignas(TRI_LINE) _Atomic uint64_t idle;
	_Atomic int32_t searching;
	_Atomic uint32_t watch; /* index + 1; 0: nobody */

	/* Words from foreign threads. */
	alignas(TRI_LINE) ck_stack_t injected;
};

/* The worker whose thread this is; NULL: a foreign thread.  The one
 * thread-local variable of the library. */
extern _Thread_local struct tri_worker *tri_worker_here
    __attribute__((tls_model("initial-exec")));

struct tri_sched_config {
	unsigned workers;
	size_t worker_size; /* of the structure that begins with tri_worker */
	uint32_t batch; /* messages in a turn; 0: TRI_BATCH_MESSAGES */
	unsigned ring; /* slots of the run queues, a power of two from 2 on;
	                * 0: TRI_RING_SLOTS */
	unsigned kept; /* words that a worker keeps, a power of two;
	                   * 0: TRI_RESERVE_SLOTS */
	int64_t throttle_ns; /* 0: TRI_THROTTLE_NS */
	/* Workers queue for themselves (share.c) before their handlers are known
	 * to be quick, and although they are not alone. */
	bool eager;
	bool pin;
	int64_t
	    spin_ns; /* at least, before it sleeps; not above 0: not at all */
	int64_t spin_most_ns; /* not below that */
	const struct tri_kind *kinds;
	struct tri_hooks hooks;
	void *pool_owner; /* struct tri_pool.owner */
	unsigned pools; /* of that owner, the workers' included */
};

/* 0, or a negative errno value. */
int tri_sched_init(struct tri_sched *s, struct tri_env *env,
    const struct tri_sched_config *config);
void tri_sched_fini(struct tri_sched *s);

/* Run: starts the other workers, makes the caller worker 0, returns when
 * tri_sched_quit() was called and worker 0 has left; see tri_sched_join. */
int tri_sched_run(struct tri_sched *s);
/* Its parts, for whoever steps the workers himself: before the first step,
 * and after a worker's last. */
void tri_sched_begin(struct tri_sched *s);
void tri_worker_end(struct tri_worker *w);
void tri_sched_quit(struct tri_sched *s);
/* Workers whose thread has not left its loop yet. */
unsigned tri_sched_running(struct tri_sched *s);
/* After they all have. */
void tri_sched_join(struct tri_sched *s);

/* After tri_sched_run() has failed and the others were joined: the caller's
 * thread is every worker in turn, until all have ended. */
void tri_sched_drain(struct tri_sched *s);

/* Ask every worker to call hooks.attend before each step from now on. */
void tri_sched_attend(struct tri_sched *s);

/* One step.  false: the worker is done. */
bool tri_worker_step(struct tri_worker *w);

/* All that are left. */
void tri_worker_loop(struct tri_worker *w);

/* Run this on its home worker; w is the caller's worker of this scheduler, or
 * NULL. */
void tri_sched_push_home(struct tri_sched *s, struct tri_worker *w,
    unsigned home, tri_word word);
/* From a foreign thread: run this anywhere. */
void tri_sched_inject(struct tri_sched *s, tri_word word);

/* The clock, cheaply: off by microseconds at most since the last poll. */
int64_t tri_worker_clock(struct tri_worker *w);
/* Read the clock. */
void tri_worker_read_clock(struct tri_worker *w);

/* From now on look at the clock after each message, until they have been found
 * to be quick: nobody knows yet what this worker will run. */
static inline void
tri_worker_measure(struct tri_worker *w)
{
	w->clock_last = w->now;
	w->clock_every = w->sched->eager ? TRI_CLOCK_MESSAGES : 1;
	w->clock_in = w->clock_every;
}

/* Whether its handlers take long, of late, or may, for all that is known. */
static inline bool
tri_worker_is_slow(const struct tri_worker *w)
{
	return w->clock_every < TRI_CLOCK_MESSAGES;
}

/* And whether others would wait too long for it to share what it has for itself. */
static inline bool
tri_sched_is_slow(const struct tri_worker *w)
{
	return TRI_UNLIKELY(tri_worker_is_slow(w)) && w->sched->n > 1;
}

static inline struct tri_worker *
tri_sched_worker(struct tri_sched *s, unsigned index)
{
	return (struct tri_worker *)(void *)(s->workers +
	    (size_t)index * s->worker_size);
}

static inline struct tri_link *
tri_sched_link(struct tri_sched *s, tri_word word)
{
	const struct tri_kind *kind = &s->kinds[tri_word_kind(word)];

	return kind->link(kind->ctx, tri_word_object(word));
}

/* ------------------------------------------------ between the files ---- */

/* worker.c for park.c */
void tri_worker_poll(struct tri_worker *w);

/* park.c for worker.c */
void tri_park_work_pushed(struct tri_sched *s);
void tri_park_wake_one(struct tri_sched *s);
void tri_park_ring(struct tri_worker *w);
bool tri_park_may_search(struct tri_worker *w);
void tri_park_found(struct tri_worker *w);
void tri_park(struct tri_worker *w);

/* What the watch may take from another worker. */
enum tri_rob {
	TRI_ROB_NOTHING,
	TRI_ROB_ONE, /* of what that one has for itself */
	TRI_ROB_ANY,
};

/* throttle.c for worker.c and park.c */
void tri_throttle_init(struct tri_worker *w);
void tri_throttle_poll(struct tri_worker *w);
bool tri_throttle_is_over(struct tri_worker *w);
int64_t tri_throttle_nap(const struct tri_worker *w);

/* flood.c for park.c, worker.c and throttle.c */
enum {
	TRI_SMALL_NS = 500, /* an act: throttle.c */
	TRI_FLOOD_LOOKS = 16, /* with a flood, before anything is taken */
};
enum tri_rob tri_flood_robs(struct tri_worker *w, unsigned victim, bool stuck);
/* A word was taken from the queue of the victim. */
void tri_flood_stole(struct tri_worker *w, unsigned victim, tri_word word);
/* Whether to leave alone what waits behind the handler of the victim. */
bool tri_flood_spares(struct tri_worker *w, unsigned victim);
/* At a poll: the worker to give all back to, for it floods this one; NULL: none. */
struct tri_worker *tri_flood_over(struct tri_worker *w);

/* park.c for throttle.c */
bool tri_park_sees_work(struct tri_worker *w);

/* Something that any worker can take; a hint. */
bool tri_park_has_any(struct tri_sched *s);

/* From a worker's thread: let go of a word that it kept. */
void tri_sched_rest(struct tri_worker *w, tri_word word);
/* Of all that it keeps. */
void tri_sched_rest_all(struct tri_worker *w);

/* share.c: from a worker's thread. */
/* Run this next, and what was to run next later. */
void tri_sched_push_instead(struct tri_worker *w, tri_word word, void *note,
    bool fresh);
/* Run this after the others.  The note: see tri_sched_push_noted. */
void tri_sched_push_behind(struct tri_worker *w, tri_word word, void *note);
/* The same after its turn, for it has more to do. */
void tri_sched_push_turned(struct tri_worker *w, tri_word word, void *note);
/* Any thread: whether what others might take from that worker is better left to it
 * for a moment. */
bool tri_sched_is_hot(struct tri_worker *v, int64_t now);
/* Whether the next few words of the queue for all may wait in this worker's own:
 * nobody else looks for work, it does not take long, and none wait there. */
bool tri_sched_may_hold(struct tri_worker *w);
/* Have one that was taken out of there wait so; it keeps its turn.  The note: see
 * tri_sched_push_noted. */
void tri_sched_hold(struct tri_worker *w, tri_word word, void *note);
/* Let others have what waits in this worker's own queue, and will. */
void tri_sched_publish(struct tri_worker *w);
/* The same if its handlers take long. */
void tri_sched_reopen(struct tri_worker *w);
/* From a worker's thread, after another one has stepped aside, or has found out that
 * the handler floods. */
void tri_sched_withdraw(struct tri_worker *w);
/* Whether anything waits, in any queue. */
bool tri_sched_waits(struct tri_worker *w);

/* owe.c: from a worker's thread. */
/* What it ran took that long: `by`, or 0, somebody who is over. */
void tri_owe_took(struct tri_worker *w, int64_t ns, tri_word by);
/* A long backlog of this word begins to be handled. */
void tri_owe_begin(struct tri_worker *w, tri_word word);
/* It was stolen, and is to run now. */
void tri_owe_stolen(struct tri_worker *w, tri_word word);
/* It has had its turn, and more to do.  true: it has been pushed, to run again
 * before its turn would come.  The note: see tri_sched_push_noted. */
bool tri_owe_pushes(struct tri_worker *w, tri_word word, void *note);

/* Whether anybody is owed turns, at once or soon. */
static inline bool
tri_owe_any(struct tri_worker *w)
{
	return tri_runq_soon(&w->q) > 0 ||
	    (w->owed.to != 0 && w->now < w->owed.until);
}

/* Whether somebody looks for work. */
static inline bool
tri_sched_is_wanted(struct tri_sched *s)
{
	return tri_load_relaxed(&s->idle) != 0 ||
	    tri_load_relaxed(&s->searching) != 0;
}

/* From a worker's thread: run this next.  The note, if there is one, is what
 * tri_sched_lift and tri_reserve_note give back as long as the worker has it for
 * itself.  `fresh`: it has never run. */
static inline void
tri_sched_push_noted(struct tri_worker *w, tri_word word, void *note,
    bool fresh)
{
	if (TRI_LIKELY(tri_next_is_free(&w->q.next))) {
		w->q.note = note;
		w->q.fresh = fresh;
		tri_next_put(&w->q.next, word);
	} else {
		tri_sched_push_instead(w, word, note, fresh);
	}
}

/* Run this after the others. */
static inline void
tri_sched_push_back(struct tri_worker *w, tri_word word)
{
	tri_sched_push_behind(w, word, NULL);
}

static inline void
tri_sched_push(struct tri_worker *w, tri_word word)
{
	tri_sched_push_noted(w, word, NULL, true);
}

/* From a worker's thread: if this is to run next, and has a note, have it back
 * for a moment, to push it again at once; NULL: no. */
static inline void *
tri_sched_lift(struct tri_worker *w, tri_word word)
{
	void *note = w->q.note;

	if (note == NULL || tri_load_relaxed(&w->q.next.word) != word ||
	    TRI_UNLIKELY(tri_next_take(&w->q.next) == 0))
		return NULL;
	return note;
}

/* After that: push it back, with this note. */
static inline void
tri_sched_lay(struct tri_worker *w, tri_word word, void *note)
{
	w->q.note = note;
	tri_next_put(&w->q.next, word);
}

/* From a worker's thread: there is nothing to do for this, which the caller
 * has; keep it, for there will be. */
static inline void
tri_sched_keep(struct tri_worker *w, tri_word word)
{
	tri_word before = tri_reserve_keep(&w->reserve, word);

	if (TRI_UNLIKELY(before != 0))
		tri_sched_rest(w, before);
}

#endif
