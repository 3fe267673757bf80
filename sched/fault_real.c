/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals that end the process: their handler, for systems that asked for it.
 *
 * A signal's handler belongs to the process, and is told of nothing but the
 * signal.  So here is a structure of the process: who watches, by system
 * number, and what was installed before.  The first watcher installs, the last
 * one puts back what was there.
 *
 * There is one report.  When it is over the former handlers are back, all of
 * them, and the signal comes once more: a fault by its instruction, which is
 * tried again; what was sent or raised by raising it.  So whatever was there,
 * a sanitizer's handler or the program's, or the end with a core dump, goes on
 * as if we had not been asked.  A thread that faults while another one reports
 * waits for it, and says nothing.
 *
 * A fault in the report itself comes to this handler, too (SA_NODEFER): it
 * knows its thread, and gives up.
 *
 * The handler runs on the thread that got the signal.  What it calls is
 * async-signal-safe.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "mailbox/atomic.h"
#include "sched/lock.h"

enum {
	REPORTED = -1,
	WAIT_MS = 10,
	WAITS = 1000, /* for the report of another thread */
};

static const struct {
	int signo;
	const char *name;
} deadly[] = {
	{ SIGSEGV, "SIGSEGV" },
	{ SIGBUS, "SIGBUS" },
	{ SIGFPE, "SIGFPE" },
	{ SIGILL, "SIGILL" },
	{ SIGABRT, "SIGABRT" },
};

enum { DEADLY = sizeof(deadly) / sizeof(deadly[0]) };

/* What the process has of handlers. */
static struct {
	struct tri_lock lock; /* for the three below, and to change watchers */
	bool installed;
	void (*handler)(int signo, siginfo_t *info, void *context); /* ours */
	struct sigaction former[DEADLY];
	_Atomic(tri_fault_fn *) fn;
	_Atomic(void *) watcher[TRI_FAULT_WATCHERS];
	_Atomic int reporter; /* its thread; 0: nobody so far; REPORTED */
} process;

/* --------------------------------------------------------- the handler --- */

/* true: the calling thread, `me`, is the one that reports. */
static bool
report_begin(int me)
{
	static const char text[] = "troupe: a fault in this report ends it\n";
	int reporter = 0, n;

	if (tri_cas_acq_rel(&process.reporter, &reporter, me))
		return true;
	if (reporter == me) {
		if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
			return false; /* what else could be done? */
		return false;
	}
	for (n = 0; n < WAITS && reporter != REPORTED; n++) {
		(void)poll(NULL, 0, WAIT_MS);
		reporter = tri_load_acquire(&process.reporter);
	}
	return false;
}

/* Not by the instruction that would be tried again. */
static bool
was_sent(int signo, const siginfo_t *info)
{
	return info->si_code <= 0 ||
	    (signo == SIGBUS && info->si_code == BUS_MCEERR_AO);
}

static void
report(int signo, const siginfo_t *info, int me)
{
	struct tri_fault fault = { .signo = signo, .thread = me };
	unsigned i;

	for (i = 0; i < DEADLY; i++)
		if (deadly[i].signo == signo)
			fault.name = deadly[i].name;
	if (was_sent(signo, info))
		fault.sender = info->si_pid != getpid() ? info->si_pid : 0;
	else
		fault.has_address = info->si_code != SI_KERNEL;
	if (fault.has_address)
		fault.address = (uintptr_t)info->si_addr;
	for (i = 0; i < TRI_FAULT_WATCHERS; i++)
		/* acq: the system as it was made. */
		fault.watcher[i] = tri_load_acquire(&process.watcher[i]);
	tri_load_acquire (&process.fn)(&fault);
}

static bool
is_ours(const struct sigaction *action)
{
	return (action->sa_flags & SA_SIGINFO) != 0 &&
	    action->sa_sigaction == process.handler;
}

/* Put back what was there before, unless somebody else came after us; for
 * `signo` in any case. */
static void
restore(int signo)
{
	struct sigaction now;
	unsigned i;

	for (i = 0; i < DEADLY; i++)
		if (deadly[i].signo == signo ||
		    (sigaction(deadly[i].signo, NULL, &now) == 0 &&
			is_ours(&now)))
			(void)sigaction(deadly[i].signo, &process.former[i],
			    NULL);
}

static void
on_fault(int signo, siginfo_t *info, void *context)
{
	int error = errno, me = gettid();
	sigset_t again;

	(void)context;
	if (report_begin(me))
		report(signo, info, me);
	/* rel: others may go on; in a fault of the report, too. */
	tri_store_release(&process.reporter, REPORTED);
	restore(signo);
	if (was_sent(signo, info)) {
		/* Blocked until this handler has returned. */
		sigemptyset(&again);
		sigaddset(&again, signo);
		(void)pthread_sigmask(SIG_BLOCK, &again, NULL);
		(void)raise(signo);
	}
	errno = error;
}

/* -------------------------------------------------- installing, removing - */

/* Under the lock. */
static int
install(void)
{
	struct sigaction action, now;
	unsigned i;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = on_fault;
	action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
	/* One that is sent meanwhile is no fault of the report. */
	sigemptyset(&action.sa_mask);
	sigaddset(&action.sa_mask, SIGABRT);
	process.handler = on_fault;
	tri_store_release(&process.reporter, 0);
	for (i = 0; i < DEADLY; i++) {
		if (sigaction(deadly[i].signo, NULL, &now) != 0)
			return -errno;
		/* Somebody who came after us may have put us back. */
		if (!is_ours(&now))
			process.former[i] = now;
		if (sigaction(deadly[i].signo, &action, NULL) != 0)
			return -errno;
	}
	return 0;
}

/* Under the lock, when nobody watches. */
static void
uninstall(void)
{
	restore(0);
	process.installed = false;
}

static bool
is_watched(void)
{
	unsigned i;

	for (i = 0; i < TRI_FAULT_WATCHERS; i++)
		if (tri_load_relaxed(&process.watcher[i]) != NULL)
			return true;
	return false;
}

static int
faults_watch(struct tri_env *env, unsigned number, tri_fault_fn *fn, void *arg)
{
	int rc = 0;

	tri_lock(env, &process.lock);
	tri_store_release(&process.fn, fn);
	/* rel: pairs with report. */
	tri_store_release(&process.watcher[number], arg);
	if (!process.installed) {
		process.installed = true;
		rc = install();
	}
	if (rc != 0) {
		tri_store_release(&process.watcher[number], NULL);
		uninstall();
	}
	tri_unlock(&process.lock);
	return rc;
}

static void
faults_unwatch(struct tri_env *env, unsigned number)
{
	int reporter, me = gettid();

	tri_lock(env, &process.lock);
	tri_store_release(&process.watcher[number], NULL);
	if (!is_watched())
		uninstall();
	tri_unlock(&process.lock);
	/* A report under way on another thread may have seen it. */
	while ((reporter = tri_load_acquire(&process.reporter)) > 0 &&
	    reporter != me)
		env->yield(env);
}

static void
signal_stack(struct tri_env *env, const struct tri_signal_stack *stack,
    struct tri_signal_stack *former)
{
	stack_t set = { .ss_sp = stack->base, .ss_size = stack->size }, before;

	(void)env;
	if (stack->base == NULL)
		set.ss_flags = SS_DISABLE;
	if (sigaltstack(&set, &before) != 0)
		return;
	if (former == NULL)
		return;
	*former = (struct tri_signal_stack){ 0 };
	if ((before.ss_flags & SS_DISABLE) == 0) {
		former->base = before.ss_sp;
		former->size = before.ss_size;
	}
}

void
tri_fault_ops(struct tri_env *env)
{
	env->faults_watch = faults_watch;
	env->faults_unwatch = faults_unwatch;
	env->signal_stack = signal_stack;
}
