/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proc.c - run a program, with a time limit, and read what it prints.
 *
 * The program gets a process group of its own, which is killed as a whole: at
 * its time limit, when this process is told to end, and after its end (what it
 * left behind).  There are no signal handlers: the signals are held back and
 * waited for beside SIGCHLD.  Its output goes to a file in memory, so that
 * nobody has to read along while it is timed.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proc.h"

#include "clock.h"

enum { EXIT_CANNOT_RUN = 127 };

static void
proc_signals(sigset_t *set)
{
	(void)sigemptyset(set);
	(void)sigaddset(set, SIGCHLD);
	(void)sigaddset(set, SIGHUP);
	(void)sigaddset(set, SIGINT);
	(void)sigaddset(set, SIGTERM);
}

static int64_t
proc_now_ms(void)
{
	return clock_now_ns() / 1000000;
}

/* In the child. */
static _Noreturn void
proc_exec(const struct proc *proc, int out)
{
	char *const *argv = (char *const *)(uintptr_t)proc->argv;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t set;
	int log;

	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (proc->dir != NULL && chdir(proc->dir) != 0)
		_exit(EXIT_CANNOT_RUN);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(out, STDOUT_FILENO) < 0)
		_exit(EXIT_CANNOT_RUN);
	if (proc->log != NULL) {
		log = open(proc->log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		    0666);
		if (log < 0 || dup2(log, STDERR_FILENO) < 0)
			_exit(EXIT_CANNOT_RUN);
	}
	proc_signals(&set);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
	(void)execvp(argv[0], argv);
	_exit(EXIT_CANNOT_RUN);
}

/*
 * Wait for a child, at most until the deadline; true when it has ended.  *told
 * is set when this process was told to end.
 */
static bool
proc_wait(pid_t pid, int64_t deadline_ms, int *status, struct rusage *usage,
    bool *told)
{
	struct timespec ts;
	int64_t left_ms;
	sigset_t set;
	int signo;

	proc_signals(&set);
	while (wait4(pid, status, WNOHANG, usage) != pid) {
		left_ms = deadline_ms - proc_now_ms();
		if (left_ms <= 0)
			return false;
		ts.tv_sec = (time_t)(left_ms / 1000);
		ts.tv_nsec = (long)(left_ms % 1000) * 1000000;
		signo = sigtimedwait(&set, NULL, &ts);
		if (signo > 0 && signo != SIGCHLD) {
			*told = true;
			return false;
		}
	}
	return true;
}

static void
proc_read(int out, struct proc_result *result)
{
	ssize_t n = pread(out, result->out, sizeof(result->out) - 1, 0);

	result->out[n > 0 ? n : 0] = '\0';
}

static enum proc_end
proc_judge(int status, struct proc_result *result)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return PROC_OK;
	if (WIFSIGNALED(status))
		(void)snprintf(result->error, sizeof(result->error),
		    "killed by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) == EXIT_CANNOT_RUN)
		(void)snprintf(result->error, sizeof(result->error),
		    "could not be run");
	else
		(void)snprintf(result->error, sizeof(result->error),
		    "exit code %d", WEXITSTATUS(status));
	return PROC_FAILED;
}

static enum proc_end
proc_cannot(struct proc_result *result, const char *what)
{
	(void)snprintf(result->error, sizeof(result->error), "%s: %s", what,
	    strerror(errno));
	return PROC_FAILED;
}

void
proc_init(void)
{
	sigset_t set;

	proc_signals(&set);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
}

enum proc_end
proc_run(const struct proc *proc, struct proc_result *result)
{
	struct rusage usage = { .ru_maxrss = 0 };
	enum proc_end end = PROC_OK;
	bool told = false;
	int status = 0;
	pid_t pid;
	int out;

	memset(result, 0, sizeof(*result));
	out = memfd_create("bench", MFD_CLOEXEC);
	if (out < 0)
		return proc_cannot(result, "memfd_create");
	pid = fork();
	if (pid == 0)
		proc_exec(proc, out);
	if (pid < 0) {
		end = proc_cannot(result, "fork");
		goto close_out;
	}
	(void)setpgid(pid, pid);
	if (!proc_wait(pid, proc_now_ms() + proc->timeout_s * 1000LL, &status,
		&usage, &told)) {
		(void)kill(-pid, SIGKILL);
		(void)wait4(pid, &status, 0, &usage);
		end = told ? PROC_INTERRUPTED : PROC_TIMEOUT;
		(void)snprintf(result->error, sizeof(result->error),
		    told ? "interrupted" : "still running after %d s",
		    proc->timeout_s);
	} else {
		end = proc_judge(status, result);
	}
	(void)kill(-pid, SIGKILL);
	result->rss_kb = usage.ru_maxrss;
	result->cpu_s =
	    (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	    (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	result->preempted = usage.ru_nivcsw;
	proc_read(out, result);
close_out:
	(void)close(out);
	return end;
}

bool
proc_exists(const char *command)
{
	const char *path = getenv("PATH");
	char file[4096];
	size_t length;

	while (path != NULL && *path != '\0') {
		length = strcspn(path, ":");
		(void)snprintf(file, sizeof(file), "%.*s/%s", (int)length, path,
		    command);
		if (access(file, X_OK) == 0)
			return true;
		path += length + (path[length] == ':');
	}
	return false;
}
