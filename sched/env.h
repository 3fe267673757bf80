/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The seam: everything the runtime wants from the world outside.
 *
 * Clocks, entropy, threads, event loops with their parking, memory, and the
 * pool for blocking calls are reached through the table below and nowhere
 * else; a test checks the objects' undefined symbols.  The real world is
 * env_real.c, loop.c (the only file that knows libev), pool_real.c, and
 * fault_real.c.  A
 * simulator is another table: one thread, virtual time, chosen faults; the
 * algorithms above do not change.
 *
 * Functions are called from any thread unless they say otherwise.
 */
#ifndef TROUPE_SCHED_ENV_H
#define TROUPE_SCHED_ENV_H

#include "mailbox/base.h"
#include "mailbox/pool.h"

enum { TRI_SLEEPS_ON = 0x7fffffff }; /* see loop_sleep */

struct tri_loop; /* an event loop, of one worker */
struct tri_thread; /* a running thread */
struct tri_jobs; /* a pool of threads for blocking calls */

/* A blocking call; embedded in its owner's record. */
struct tri_job {
	struct tri_job *prev;
	struct tri_job *next;
	bool queued; /* under the pool's lock */
	/* On a thread of the pool: the call itself; then, when the job does
	 * not count as running any more, what tells of its end.  After that
	 * the job is not touched. */
	void (*run)(struct tri_job *job);
	void (*finish)(struct tri_job *job);
};

enum { TRI_FAULT_WATCHERS = 64 }; /* numbers 0 to 63 */

/* A signal that ends the process. */
struct tri_fault {
	int signo;
	const char *name; /* of the signal */
	int thread; /* the kernel's number */
	int sender; /* a process; 0: of this one's own doing */
	bool has_address;
	uintptr_t address;
	void *watcher[TRI_FAULT_WATCHERS]; /* by number; NULL: none */
};

/* In the handler of a signal, on any thread. */
typedef void tri_fault_fn(const struct tri_fault *fault);

/* Where a thread's handlers run; base is NULL: on the thread's own stack. */
struct tri_signal_stack {
	void *base;
	size_t size;
};

struct tri_env {
	/* Monotonic nanoseconds. */
	int64_t (*now)(struct tri_env *env);
	/* A cycle counter: cheap, steady, of unknown rate; or `now` again. */
	uint64_t (*cycles)(struct tri_env *env);
	/* The wall clock: nanoseconds since 1970, UTC; it may jump. */
	int64_t (*wall)(struct tri_env *env);
	void (*entropy)(struct tri_env *env, void *buf, size_t size);

	/* Messages and tables.  reserve() takes address space only, commit()
	 * makes a part of it usable (zeroed). */
	struct tri_memory memory;
	void *(*reserve)(struct tri_env *env, size_t size);
	bool (*commit)(struct tri_env *env, void *p, size_t size);
	void (*release)(struct tri_env *env, void *p, size_t size);
	/* Of what was committed: give the memory back; it stays usable, and
	 * is zeroed.  What is no whole number of pages stays as it is. */
	void (*discard)(struct tri_env *env, void *p, size_t size);

	/* Threads.  How many may run at once; the cpu of the k-th of them; how
	 * far apart two cpus are (0: same core, 1: same cache, 2: same node,
	 * 3: else). */
	unsigned (*cpus)(struct tri_env *env);
	int (*cpu_at)(struct tri_env *env, unsigned k);
	unsigned (*cpu_distance)(struct tri_env *env, int a, int b);
	/* cpu < 0: not bound.  0, or a negative errno value. */
	int (*thread_start)(struct tri_env *env, struct tri_thread **thread,
	    void (*fn)(void *arg), void *arg, const char *name, int cpu);
	void (*thread_join)(struct tri_env *env, struct tri_thread *thread);
	/* Let another thread have the core. */
	void (*yield)(struct tri_env *env);
	/* All other threads of the process that run have passed a full barrier
	 * when this returns, each at some moment of the call.  false: there is
	 * no way to do that here. */
	bool (*fence_others)(struct tri_env *env);
	/* Bind the calling thread, and undo it. */
	void (*thread_bind)(struct tri_env *env, int cpu);
	void (*thread_unbind)(struct tri_env *env);

	/*
	 * Event loops.  poll and sleep are for the worker that owns the loop;
	 * watchers are changed only by whoever holds the loop's lock, all
	 * others leave an operation for the next poller.
	 */
	struct tri_loop *(*loop_new)(struct tri_env *env);
	void (*loop_free)(struct tri_env *env, struct tri_loop *loop);
	/* Run what is ready.  Number of events. */
	unsigned (*loop_poll)(struct tri_env *env, struct tri_loop *loop);
	/* Wait for an event, loop_wake(), an alarm, or `deadline`, and run
	 * what is ready.  Number of events, these not counted; or
	 * TRI_SLEEPS_ON, where one may not wait: to be called again by a later
	 * step. */
	unsigned (*loop_sleep)(struct tri_env *env, struct tri_loop *loop,
	    int64_t deadline);
	/* End the owner's loop_sleep(), or its next one. */
	void (*loop_wake)(struct tri_env *env, struct tri_loop *loop);
	/* End the owner's loop_sleep() after a delay, without waking it now. */
	void (*loop_alarm)(struct tri_env *env, struct tri_loop *loop,
	    int64_t delay_ns);
	/* Call fn on the loop for each arrival.  0, or negative errno. */
	int (*loop_signal)(struct tri_env *env, struct tri_loop *loop,
	    int signo, void (*fn)(void *arg, int signo), void *arg);

	/* Blocking calls. */
	struct tri_jobs *(
	    *jobs_new)(struct tri_env *env, unsigned threads, unsigned queue);
	/* 0; -ENOBUFS: as many wait as may; -ENOMEM: no thread. */
	int (*jobs_submit)(struct tri_env *env, struct tri_jobs *jobs,
	    struct tri_job *job);
	/* true: it had not begun and never will. */
	bool (*jobs_cancel)(struct tri_env *env, struct tri_jobs *jobs,
	    struct tri_job *job);
	/* Take no more, forget what waits.  Idempotent. */
	void (*jobs_close)(struct tri_env *env, struct tri_jobs *jobs);
	/* Jobs that are running, once none is or the deadline has passed. */
	unsigned (*jobs_wait)(struct tri_env *env, struct tri_jobs *jobs,
	    int64_t deadline);
	/* After jobs_close(), with none running. */
	void (*jobs_free)(struct tri_env *env, struct tri_jobs *jobs);

	/*
	 * Signals that end the process: have fn called, the same for all who
	 * watch, at the first one.  `number` is the caller's own.  0, or a
	 * negative errno value.  Unwatching waits for a call under way on
	 * another thread.
	 */
	int (*faults_watch)(struct tri_env *env, unsigned number,
	    tri_fault_fn *fn, void *arg);
	void (*faults_unwatch)(struct tri_env *env, unsigned number);
	/* For the calling thread.  *former: what it had; NULL: not wanted. */
	void (*signal_stack)(struct tri_env *env,
	    const struct tri_signal_stack *stack,
	    struct tri_signal_stack *former);

	/* Write all to a descriptor.  0, or a negative errno value. */
	int (*write)(struct tri_env *env, int fd, const void *buf, size_t size);
	/* Other than usual, for tests: struct tri_sched_config; 0: usual. */
	uint32_t batch;
	unsigned ring;
	unsigned kept;
	int64_t throttle_ns;
	bool eager;

	/* Free the environment itself. */
	void (*free)(struct tri_env *env);
};

struct tr_allocator;

/* The real world, its memory from an allocator (copied); NULL: the C library's,
 * and pages of the system's.  NULL: no memory. */
struct tri_env *tri_env_real_with(const struct tr_allocator *allocator);
struct tri_env *tri_env_real(void);

/* Memory for the environment's own structures, aligned to a line. */
static inline void *
tri_env_alloc(struct tri_env *env, size_t size)
{
	return env->memory.alloc(env->memory.ctx, size);
}

static inline void
tri_env_free(struct tri_env *env, void *p)
{
	env->memory.free(env->memory.ctx, p);
}

/* loop.c, pool_real.c and fault_real.c, put into the table by env_real.c. */
void tri_loop_ops(struct tri_env *env);
void tri_jobs_ops(struct tri_env *env);
void tri_fault_ops(struct tri_env *env);

#endif
