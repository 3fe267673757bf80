/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event loops: the only file that knows libev.
 *
 * A worker has one loop (epoll).  Three things end its sleep besides the
 * descriptors it watches: an ev_async for loop_wake(), a libev timer for the
 * sleeper's own deadline, and a timerfd that any thread may arm
 * (loop_alarm()), which costs a system call and wakes nobody.
 *
 * THE LOOP RULE: watchers are started and stopped only by whoever holds the
 * loop's lock.  The owner polls and sleeps under it; it only tries the lock,
 * and who does not get it leaves an operation for the next poller.  That will
 * let an idle worker borrow the loop of one that is stuck in a handler.
 *
 * libev's process-wide hooks are not touched.  Its own allocations cannot be
 * made to fail gracefully: loops are made at the start of a system, and
 * everything they need is started there, so a running loop allocates only
 * when more descriptors are watched than ever before.
 */
#include "sched/env.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <ev.h>

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
	struct ev_loop *ev;
	ev_async wake;
	ev_timer deadline;
	ev_io alarm;
	int alarm_fd;
	unsigned events; /* seen in this run */
	struct watch *watches;
	/* Other threads. */
	alignas(TRI_LINE) ck_spinlock_t lock;
	ck_stack_t ops;
};

CK_STACK_CONTAINER(struct watch, op, watch_of_op)

static void
on_wake(struct ev_loop *ev, ev_async *w, int revents)
{
	(void)ev;
	(void)w;
	(void)revents;
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

	(void)env;
	if (loop == NULL)
		return;
	while (loop->watches != NULL) {
		struct watch *watch = loop->watches;

		loop->watches = watch->next;
		ev_signal_stop(loop->ev, &watch->signal);
		(void)sigaction(watch->signal.signum, &watch->before, NULL);
		free(watch);
	}
	e = ck_stack_batch_pop_upmc(&loop->ops);
	while (e != NULL) {
		struct watch *watch = watch_of_op(e);

		e = CK_STACK_NEXT(e);
		free(watch);
	}
	if (loop->ev != NULL)
		ev_loop_destroy(loop->ev);
	if (loop->alarm_fd >= 0)
		close(loop->alarm_fd);
	free(loop);
}

static struct tri_loop *
loop_new(struct tri_env *env)
{
	struct tri_loop *loop = NULL;

	if (posix_memalign((void **)&loop, TRI_LINE, sizeof(*loop)) != 0)
		return NULL;
	memset(loop, 0, sizeof(*loop));
	ck_spinlock_init(&loop->lock);
	ck_stack_init(&loop->ops);
	loop->alarm_fd =
	    timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	loop->ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	if (loop->ev == NULL || loop->alarm_fd < 0) {
		loop_free(env, loop);
		return NULL;
	}
	ev_set_userdata(loop->ev, loop);
	ev_async_init(&loop->wake, on_wake);
	ev_async_start(loop->ev, &loop->wake);
	ev_io_init(&loop->alarm, on_alarm, loop->alarm_fd, EV_READ);
	ev_io_start(loop->ev, &loop->alarm);
	ev_init(&loop->deadline, on_deadline);
	/* Let epoll know now, so that the first sleep allocates nothing. */
	ev_run(loop->ev, EVRUN_NOWAIT);
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
		if (signal_is_taken(loop, watch->signal.signum)) {
			free(watch);
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
	(void)env;
	ev_async_send(loop->ev, &loop->wake);
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
	watch = calloc(1, sizeof(*watch));
	if (watch == NULL)
		return -ENOMEM;
	watch->before = old;
	watch->fn = fn;
	watch->arg = arg;
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
