/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rig_crash.h - children that end by a signal, and what they say before.
 *
 * Each case is a function that runs in a child process; the parent reads its
 * stderr and its status.  The parent has one thread when it forks.
 */
#ifndef TESTS_RIG_CRASH_H
#define TESTS_RIG_CRASH_H

#include "kit.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { SAID = 1 << 16 };

/* Sanitizers leave these signals alone, so that the status is the signal's. */
#define LEAVE_SIGNALS                                                    \
	"handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:" \
	"handle_abort=0"
const char *__asan_default_options(void);
const char *__tsan_default_options(void);

const char *
__asan_default_options(void)
{
	return LEAVE_SIGNALS;
}

const char *
__tsan_default_options(void)
{
	return LEAVE_SIGNALS;
}

static inline void
child_prepare(int fd)
{
	const struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)signal(SIGABRT, SIG_DFL); /* cmocka has one of its own */
	(void)signal(SIGSEGV, SIG_DFL);
	(void)signal(SIGBUS, SIG_DFL);
	(void)signal(SIGFPE, SIG_DFL);
	(void)signal(SIGILL, SIG_DFL);
	(void)dup2(fd, STDERR_FILENO);
	(void)close(fd);
	kit_watchdog();
}

/* The status of a child that ran `child`; what it said is a string. */
static inline int
child_status(void (*child)(void), char *said)
{
	size_t used = 0;
	int end[2], status = 0;
	ssize_t n;
	pid_t pid;

	KIT_CHECK(pipe(end) == 0);
	fflush(NULL);
	pid = fork();
	KIT_CHECK(pid >= 0);
	if (pid == 0) {
		(void)close(end[0]);
		child_prepare(end[1]);
		child();
		_exit(0);
	}
	(void)close(end[1]);
	while ((n = read(end[0], said + used, SAID - 1 - used)) > 0)
		used += (size_t)n;
	said[used] = '\0';
	(void)close(end[0]);
	KIT_CHECK(waitpid(pid, &status, 0) == pid);
	return status;
}

/* The child has to end by this signal. */
static inline void
must_end_by(int signo, void (*child)(void), char *said)
{
	int status = child_status(child, said);

	if (!WIFSIGNALED(status) || WTERMSIG(status) != signo)
		print_error("status %x; it said: %s\n", (unsigned)status, said);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), signo);
}

/* Where it says so; it has to. */
static inline const char *
must_say(const char *said, const char *words)
{
	const char *at = strstr(said, words);

	if (at == NULL)
		print_error("no \"%s\" in: %s\n", words, said);
	assert_non_null(at);
	return at;
}

static inline unsigned
times_said(const char *said, const char *words)
{
	unsigned n = 0;

	while ((said = strstr(said, words)) != NULL) {
		said += strlen(words);
		n++;
	}
	return n;
}

#endif /* TESTS_RIG_CRASH_H */
