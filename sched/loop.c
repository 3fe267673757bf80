/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event loops: the only file that knows libev.
 *
 * A worker has one loop (epoll).  Three things end its sleep besides the
 * descriptors it watches: an eventfd for loop_wake(), a libev timer for the
 * sleeper's own deadline, and a timerfd that any thread may arm
 * (loop_alarm()), which costs a system call and wakes nobody.
 *
 * THE LOOP RULE: watchers are started and stopped only by whoever holds the
 * loop's lock.  The owner polls and sleeps under it; it only tries the lock,
 * and who does not get it leaves an operation for the next poller.  That will
 * let an idle worker borrow the loop of one that is stuck in a handler.
 *
 * WHEN THINGS RUN OUT.  libev's process-wide hooks are not touched, and
 * without them it ends the process when it gets no memory, or no descriptor
 * for an ev_async.  So there is no ev_async: the eventfd is ours, and what
 * libev opens itself, the epoll descriptor, it may be refused.  Its memory is
 * asked for before it asks, and a new loop is driven once through all it does
 * later, so a running loop allocates only when more is watched than ever
 * before.  A watcher that epoll refuses is stopped by libev; that is looked
 * for when the loop is new, afterwards no descriptor is added but a signal's.
 */
#include "sched/env.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <ev.h>

enum {
	LIBEV_ROOM = 64 * 1024, /* more than a loop allocates... */
	LIBEV_ROOM_FD = 64, /* ...but for its table of descriptors */
};

/* A signal to be watched; freed with its loop. */
struct watch {
	ck_stack_entry_t op; /* while it waits for a poller */
	struct watch *next; /* once started */
	ev_signal signal;
	struct sigaction before;
	void (*fn)(void *arg, int signo);
	void *arg;
};

struct tri_loop {
	struct tri_env *env;
	struct ev_loop *ev;
	ev_io wake;
	ev_timer deadline;
	ev_io alarm;
	int wake_fd;
	int alarm_fd;
	unsigned events; /* seen in this run */
	struct watch *watches;
	/* Other threads. */
	alignas(TRI_LINE) _Atomic uint32_t rung; /* wake_fd was written to */
	ck_spinlock_t lock;
	ck_stack_t ops;
};

CK_STACK_CONTAINER(struct watch, op, watch_of_op)

static void
on_wake(struct ev_loop *ev, ev_io *w, int revents)
{
	struct tri_loop *loop = ev_userdata(ev);
	uint64_t times;

	(void)w;
	(void)revents;
	if (read(loop->wake_fd, &times, sizeof(times)) < 0)
		return; /* nobody has: the loop is new */
	/* acq_rel: who found it rung and did not write is seen from here on;
	 * pairs with loop_wake. */
	tri_exchange_acq_rel(&loop->rung, 0u);
}

static void
on_deadline(struct ev_loop *ev, ev_timer *w, int revents)
{
	(void)ev;
	(void)w;
	(void)revents;
}

static void
on_alarm(struct ev_loop *ev, ev_io *w, int revents)
{
	struct tri_loop *loop = ev_userdata(ev);
	uint64_t expirations;

	(void)w;
	(void)revents;
	if (read(loop->alarm_fd, &expirations, sizeof(expirations)) < 0)
		return; /* re-armed meanwhile: not due yet */
}

static void
on_signal(struct ev_loop *ev, ev_signal *w, int revents)
{
	struct tri_loop *loop = ev_userdata(ev);
	struct watch *watch = w->data;

	(void)revents;
	loop->events++;
	watch->fn(watch->arg, w->signum);
}

static void
loop_free(struct tri_env *env, struct tri_loop *loop)
{
	ck_stack_entry_t *e;

	if (loop == NULL)
		return;
	while (loop->watches != NULL) {
		struct watch *watch = loop->watches;

		loop->watches = watch->next;
		ev_signal_stop(loop->ev, &watch->signal);
		(void)sigaction(watch->signal.signum, &watch->before, NULL);
		tri_env_free(env, watch);
	}
	e = ck_stack_batch_pop_upmc(&loop->ops);
	while (e != NULL) {
		struct watch *watch = watch_of_op(e);

		e = CK_STACK_NEXT(e);
		tri_env_free(env, watch);
	}
	if (loop->ev != NULL)
		ev_loop_destroy(loop->ev);
	if (loop->alarm_fd >= 0)
		close(loop->alarm_fd);
	if (loop->wake_fd >= 0)
		close(loop->wake_fd);
	tri_env_free(env, loop);
}

/* Whether the C library has the memory that libev is about to ask it for. */
static bool
libev_has_room(const struct tri_loop *loop)
{
	int fd =
	    loop->wake_fd > loop->alarm_fd ? loop->wake_fd : loop->alarm_fd;
	void *volatile room =
	    malloc(LIBEV_ROOM + LIBEV_ROOM_FD * ((size_t)fd + 1));

	free(room);
	return room != NULL;
}

/*
 * Start what every loop has, and let all of it happen once: what libev keeps
 * in arrays has been allocated then.  false: epoll refused a descriptor.
 */
static bool
loop_rehearse(struct tri_loop *loop)
{
	ev_set_userdata(loop->ev, loop);
	ev_io_init(&loop->wake, on_wake, loop->wake_fd, EV_READ);
	ev_io_start(loop->ev, &loop->wake);
	ev_io_init(&loop->alarm, on_alarm, loop->alarm_fd, EV_READ);
	ev_io_start(loop->ev, &loop->alarm);
	ev_init(&loop->deadline, on_deadline);
	ev_timer_set(&loop->deadline, -1., 0.);
	ev_timer_start(loop->ev, &loop->deadline);
	ev_feed_event(loop->ev, &loop->wake, EV_READ);
	ev_feed_event(loop->ev, &loop->alarm, EV_READ);
	ev_run(loop->ev, EVRUN_NOWAIT);
	ev_timer_stop(loop->ev, &loop->deadline);
	return ev_is_active(&loop->wake) && ev_is_active(&loop->alarm);
}

static struct tri_loop *
loop_new(struct tri_env *env)
{
	struct tri_loop *loop = tri_env_alloc(env, sizeof(*loop));

	if (loop == NULL)
		return NULL;
	memset(loop, 0, sizeof(*loop));
	loop->env = env;
	ck_spinlock_init(&loop->lock);
	ck_stack_init(&loop->ops);
	loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	loop->alarm_fd =
	    timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (loop->wake_fd >= 0 && loop->alarm_fd >= 0 && libev_has_room(loop))
		loop->ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	if (loop->ev == NULL || !loop_rehearse(loop)) {
		loop_free(env, loop);
		return NULL;
	}
	return loop;
}

/* Whether somebody else handles the signal by now: libev allows one loop per
 * signal in a process, and sees to it by an assertion. */
static bool
signal_is_taken(struct tri_loop *loop, int signo)
{
	struct sigaction old;
	struct watch *watch;

	for (watch = loop->watches; watch != NULL; watch = watch->next)
		if (watch->signal.signum == signo)
			return false;
	return sigaction(signo, NULL, &old) != 0 ||
	    (old.sa_handler != SIG_DFL && old.sa_handler != SIG_IGN);
}

/* libev opens a descriptor for the first signal of a loop, and ends the
 * process if it cannot. */
static bool
descriptor_is_free(void)
{
	int fd = eventfd(0, EFD_CLOEXEC);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* With the lock held: what others left to do. */
static void
loop_do_ops(struct tri_loop *loop)
{
	ck_stack_entry_t *e;

	if (tri_stack_is_empty(&loop->ops))
		return;
	e = ck_stack_batch_pop_upmc(&loop->ops);
	while (e != NULL) {
		struct watch *watch = watch_of_op(e);

		e = CK_STACK_NEXT(e);
		if (signal_is_taken(loop, watch->signal.signum) ||
		    !descriptor_is_free()) {
			tri_env_free(loop->env, watch);
			continue;
		}
		ev_signal_start(loop->ev, &watch->signal);
		watch->next = loop->watches;
		loop->watches = watch;
	}
}

static unsigned
loop_poll(struct tri_env *env, struct tri_loop *loop)
{
	unsigned events;

	(void)env;
	if (!ck_spinlock_trylock(&loop->lock))
		return 0;
	loop_do_ops(loop);
	loop->events = 0;
	ev_run(loop->ev, EVRUN_NOWAIT);
	events = loop->events;
	ck_spinlock_unlock(&loop->lock);
	return events;
}

static unsigned
loop_sleep(struct tri_env *env, struct tri_loop *loop, int64_t deadline)
{
	int64_t left = INT64_MAX;
	unsigned events;

	if (deadline != INT64_MAX) {
		left = deadline - env->now(env);
		if (left <= 0)
			return loop_poll(env, loop);
	}
	if (!ck_spinlock_trylock(&loop->lock))
		return 0; /* somebody polls it for us: look again */
	loop_do_ops(loop);
	loop->events = 0;
	if (left != INT64_MAX) {
		/* The loop's idea of now is as old as its last run. */
		ev_now_update(loop->ev);
		ev_timer_set(&loop->deadline, (double)left * 1e-9, 0.);
		ev_timer_start(loop->ev, &loop->deadline);
	}
	ev_run(loop->ev, EVRUN_ONCE);
	ev_timer_stop(loop->ev, &loop->deadline);
	events = loop->events;
	ck_spinlock_unlock(&loop->lock);
	return events;
}

static void
loop_wake(struct tri_env *env, struct tri_loop *loop)
{
	const uint64_t once = 1;

	(void)env;
	/* acq_rel: what the caller did before is seen by the owner after the
	 * sleep that ends now; pairs with on_wake. */
	if (tri_exchange_acq_rel(&loop->rung, 1u) == 0 &&
	    write(loop->wake_fd, &once, sizeof(once)) < 0)
		return; /* only a full counter refuses: it is readable */
}

static void
loop_alarm(struct tri_env *env, struct tri_loop *loop, int64_t delay_ns)
{
	struct itimerspec at = {
		.it_value = {
			.tv_sec = delay_ns / 1000000000,
			.tv_nsec = delay_ns % 1000000000,
		},
	};

	(void)env;
	timerfd_settime(loop->alarm_fd, 0, &at, NULL);
}

static int
loop_signal(struct tri_env *env, struct tri_loop *loop, int signo,
    void (*fn)(void *, int), void *arg)
{
	struct sigaction old;
	struct watch *watch;

	if (signo == SIGKILL || signo == SIGSTOP ||
	    sigaction(signo, NULL, &old) != 0)
		return -EINVAL;
	if (old.sa_handler != SIG_DFL && old.sa_handler != SIG_IGN)
		return -EEXIST;
	if (!descriptor_is_free())
		return -EMFILE;
	watch = tri_env_alloc(env, sizeof(*watch));
	if (watch == NULL)
		return -ENOMEM;
	*watch = (struct watch){ .before = old, .fn = fn, .arg = arg };
	ev_signal_init(&watch->signal, on_signal, signo);
	watch->signal.data = watch;
	ck_stack_push_upmc(&loop->ops, &watch->op);
	if (ck_spinlock_trylock(&loop->lock)) {
		loop_do_ops(loop);
		ck_spinlock_unlock(&loop->lock);
	} else {
		loop_wake(env, loop);
	}
	return 0;
}

void
tri_loop_ops(struct tri_env *env)
{
	env->loop_new = loop_new;
	env->loop_free = loop_free;
	env->loop_poll = loop_poll;
	env->loop_sleep = loop_sleep;
	env->loop_wake = loop_wake;
	env->loop_alarm = loop_alarm;
	env->loop_signal = loop_signal;
}
