/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The real world behind the seam: Linux system calls and POSIX threads.
 *
 * Stateless but for the start thread's affinity and the program's allocator;
 * any thread.
 */
#include "sched/env.h"

#include "troupe.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

struct env_real {
	struct tri_env env;
	cpu_set_t allowed; /* when the environment was made */
	unsigned quota; /* cores by cgroup; 0: no limit */
	struct tr_allocator allocator; /* the program's, if it gave one */
};

struct tri_thread {
	pthread_t thread;
	void (*fn)(void *arg);
	void *arg;
	int cpu;
	char name[16];
};

/* ------------------------------------------------------------ clocks ---- */

static int64_t
real_now(struct tri_env *env)
{
	struct timespec ts;

	(void)env;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int64_t
real_wall(struct tri_env *env)
{
	struct timespec ts;

	(void)env;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static uint64_t
real_cycles(struct tri_env *env)
{
#if defined(__x86_64__)
	(void)env;
	return __rdtsc();
#else
	return (uint64_t)real_now(env);
#endif
}

static void
real_entropy(struct tri_env *env, void *buf, size_t size)
{
	struct timespec ts;

	if (getrandom(buf, size, GRND_NONBLOCK) == (ssize_t)size)
		return;
	/* Early boot: the clock will do, this is no secret. */
	clock_gettime(CLOCK_REALTIME, &ts);
	(void)env;
	memset(buf, 0, size);
	memcpy(buf, &ts.tv_nsec, size < 8 ? size : 8);
}

/* ------------------------------------------------------------ memory ---- */

static void *
real_slab_new(void *ctx, size_t size)
{
	char *p, *aligned;
	size_t before;

	(void)ctx;
	p = mmap(NULL, size * 2, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	aligned = (char *)(((uintptr_t)p + size - 1) & ~((uintptr_t)size - 1));
	before = (size_t)(aligned - p);
	if (before > 0)
		munmap(p, before);
	munmap(aligned + size, size - before);
	return aligned;
}

static void
real_slab_free(void *ctx, void *slab, size_t size)
{
	(void)ctx;
	munmap(slab, size);
}

static void
real_populate(void *ctx, void *p, size_t size)
{
	(void)ctx;
#ifdef MADV_POPULATE_WRITE
	/* Linux 5.14; without it the pages come one by one. */
	(void)madvise(p, size, MADV_POPULATE_WRITE);
#else
	(void)p;
	(void)size;
#endif
}

static void *
real_alloc(void *ctx, size_t size)
{
	void *p = NULL;

	(void)ctx;
	return posix_memalign(&p, TRI_LINE, size == 0 ? 1 : size) == 0 ? p :
									 NULL;
}

static void
real_mem_free(void *ctx, void *p)
{
	(void)ctx;
	free(p);
}

/* The same three with the program's allocator; ctx is the environment. */

static void *
given_slab_new(void *ctx, size_t size)
{
	const struct tr_allocator *a = &((struct env_real *)ctx)->allocator;

	return a->alloc(a->ctx, size, size);
}

static void *
given_alloc(void *ctx, size_t size)
{
	const struct tr_allocator *a = &((struct env_real *)ctx)->allocator;

	return a->alloc(a->ctx, size == 0 ? 1 : size, TRI_LINE);
}

static void
given_free(void *ctx, void *p)
{
	const struct tr_allocator *a = &((struct env_real *)ctx)->allocator;

	a->free(a->ctx, p);
}

static void
given_slab_free(void *ctx, void *slab, size_t size)
{
	(void)size;
	given_free(ctx, slab);
}

static void *
real_reserve(struct tri_env *env, size_t size)
{
	void *p = mmap(NULL, size, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	(void)env;
	return p == MAP_FAILED ? NULL : p;
}

static bool
real_commit(struct tri_env *env, void *p, size_t size)
{
	(void)env;
	return mprotect(p, size, PROT_READ | PROT_WRITE) == 0;
}

static void
real_release(struct tri_env *env, void *p, size_t size)
{
	(void)env;
	munmap(p, size);
}

static void
real_discard(struct tri_env *env, void *p, size_t size)
{
	uintptr_t rest = (uintptr_t)sysconf(_SC_PAGESIZE) - 1;

	(void)env;
	if (((uintptr_t)p & rest) == 0 && (size & rest) == 0)
		(void)madvise(p, size, MADV_DONTNEED);
}

/* -------------------------------------------------------------- cpus ---- */

/* Up to two numbers from a small file; -1: none there. */
static long
read_number(const char *path, long *second)
{
	FILE *f = fopen(path, "re");
	long first = -1;

	if (f == NULL)
		return -1;
	/* NOLINTNEXTLINE(cert-err34-c): written by the kernel */
	if (fscanf(f, "%ld %ld", &first, second) < 1)
		first = -1;
	fclose(f);
	return first;
}

/* Whole cores that the cgroup may use, rounded up; 0: no limit. */
static unsigned
cgroup_quota(void)
{
	long period = 0, quota, unused = 0;

	quota = read_number("/sys/fs/cgroup/cpu.max", &period);
	if (quota <= 0 || period <= 0) {
		quota =
		    read_number("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", &unused);
		period = read_number("/sys/fs/cgroup/cpu/cpu.cfs_period_us",
		    &unused);
	}
	if (quota <= 0 || period <= 0)
		return 0;
	return (unsigned)((quota + period - 1) / period);
}

static unsigned
real_cpus(struct tri_env *env)
{
	struct env_real *r = tri_container_of(env, struct env_real, env);
	int n = CPU_COUNT(&r->allowed);

	if (n < 1)
		n = 1;
	if (r->quota > 0 && (unsigned)n > r->quota)
		n = (int)r->quota;
	return (unsigned)n;
}

static int
real_cpu_at(struct tri_env *env, unsigned k)
{
	struct env_real *r = tri_container_of(env, struct env_real, env);
	int n = CPU_COUNT(&r->allowed), cpu;

	if (n < 1)
		return -1;
	k %= (unsigned)n;
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET((size_t)cpu, &r->allowed) && k-- == 0)
			return cpu;
	return -1;
}

static long
cpu_number(int cpu, const char *what)
{
	char path[96];
	long unused = 0;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/%s", cpu,
	    what);
	return read_number(path, &unused);
}

static bool
cpus_share(int a, int b, const char *what)
{
	long n = cpu_number(a, what);

	return n >= 0 && n == cpu_number(b, what);
}

static unsigned
real_cpu_distance(struct tri_env *env, int a, int b)
{
	(void)env;
	if (a < 0 || b < 0 || !cpus_share(a, b, "topology/physical_package_id"))
		return 3;
	if (cpus_share(a, b, "topology/core_id"))
		return 0;
	return cpus_share(a, b, "cache/index3/id") ? 1 : 2;
}

/* ----------------------------------------------------------- threads ---- */

static void
real_thread_bind(struct tri_env *env, int cpu)
{
	cpu_set_t set;

	(void)env;
	if (cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

static void
real_thread_unbind(struct tri_env *env)
{
	struct env_real *r = tri_container_of(env, struct env_real, env);

	pthread_setaffinity_np(pthread_self(), sizeof(r->allowed), &r->allowed);
}

static void *
thread_main(void *arg)
{
	struct tri_thread *t = arg;

	pthread_setname_np(pthread_self(), t->name);
	real_thread_bind(NULL, t->cpu);
	t->fn(t->arg);
	return NULL;
}

static int
real_thread_start(struct tri_env *env, struct tri_thread **thread,
    void (*fn)(void *), void *arg, const char *name, int cpu)
{
	struct tri_thread *t = tri_env_alloc(env, sizeof(*t));
	/* Those that a thread's own fault raises, and profilers'. */
	static const int keep[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP,
		SIGSYS, SIGPROF };
	sigset_t others, old;
	size_t i;
	int rc;

	if (t == NULL)
		return -ENOMEM;
	t->fn = fn;
	t->arg = arg;
	t->cpu = cpu;
	snprintf(t->name, sizeof(t->name), "%s", name);
	/* Signals are the program's business, not a worker's. */
	sigfillset(&others);
	for (i = 0; i < sizeof(keep) / sizeof(*keep); i++)
		sigdelset(&others, keep[i]);
	pthread_sigmask(SIG_SETMASK, &others, &old);
	rc = pthread_create(&t->thread, NULL, thread_main, t);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0) {
		tri_env_free(env, t);
		return -rc;
	}
	*thread = t;
	return 0;
}

static void
real_thread_join(struct tri_env *env, struct tri_thread *thread)
{
	pthread_join(thread->thread, NULL);
	tri_env_free(env, thread);
}

static void
real_yield(struct tri_env *env)
{
	(void)env;
	sched_yield();
}

static bool
real_fence_others(struct tri_env *env)
{
	(void)env;
	return syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0,
		   0) == 0;
}

/* ------------------------------------------------------------- the rest - */

static int
write_all(int fd, const char *p, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

/*
 * A reader that has gone is an error, not the end of the process: SIGPIPE is
 * held back meanwhile, and taken away if it came of this write.
 */
static int
real_write(struct tri_env *env, int fd, const void *buf, size_t size)
{
	const struct timespec none = { 0 };
	sigset_t pipe, before, pending;
	bool was_pending;
	int rc;

	(void)env;
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	sigemptyset(&pending);
	sigpending(&pending);
	was_pending = sigismember(&pending, SIGPIPE) == 1;
	pthread_sigmask(SIG_BLOCK, &pipe, &before);
	rc = write_all(fd, buf, size);
	if (rc == -EPIPE && !was_pending)
		while (sigtimedwait(&pipe, NULL, &none) < 0 && errno == EINTR)
			;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

static void
real_free(struct tri_env *env)
{
	struct env_real *r = tri_container_of(env, struct env_real, env);
	struct tr_allocator a = r->allocator;

	if (a.free != NULL)
		a.free(a.ctx, r);
	else
		real_mem_free(NULL, r);
}

static struct env_real *
env_real_alloc(const struct tr_allocator *a)
{
	struct env_real *r = a == NULL ? real_alloc(NULL, sizeof(*r)) :
					 a->alloc(a->ctx, sizeof(*r), TRI_LINE);

	if (r == NULL)
		return NULL;
	memset(r, 0, sizeof(*r));
	if (a != NULL)
		r->allocator = *a;
	return r;
}

struct tri_env *
tri_env_real_with(const struct tr_allocator *allocator)
{
	struct env_real *r = env_real_alloc(allocator);
	bool given = allocator != NULL;

	if (r == NULL)
		return NULL;
	if (sched_getaffinity(0, sizeof(r->allowed), &r->allowed) != 0)
		CPU_ZERO(&r->allowed);
	r->quota = cgroup_quota();
	r->env = (struct tri_env){
		.now = real_now,
		.cycles = real_cycles,
		.wall = real_wall,
		.entropy = real_entropy,
		.memory = {
			.slab_new = given ? given_slab_new : real_slab_new,
			.slab_free = given ? given_slab_free : real_slab_free,
			.populate = real_populate,
			.alloc = given ? given_alloc : real_alloc,
			.free = given ? given_free : real_mem_free,
			.ctx = r,
			.free_late = given ? allocator->free : real_mem_free,
			.late_ctx = given ? allocator->ctx : NULL,
		},
		.reserve = real_reserve,
		.commit = real_commit,
		.release = real_release,
		.discard = real_discard,
		.cpus = real_cpus,
		.cpu_at = real_cpu_at,
		.cpu_distance = real_cpu_distance,
		.thread_start = real_thread_start,
		.thread_join = real_thread_join,
		.yield = real_yield,
		.fence_others = real_fence_others,
		.thread_bind = real_thread_bind,
		.thread_unbind = real_thread_unbind,
		.write = real_write,
		.free = real_free,
	};
	/* Since Linux 4.14.  Where it fails fence_others() will. */
	(void)syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED,
	    0, 0);
	tri_loop_ops(&r->env);
	tri_jobs_ops(&r->env);
	tri_fault_ops(&r->env);
	return &r->env;
}

struct tri_env *
tri_env_real(void)
{
	return tri_env_real_with(NULL);
}

static void __attribute__((format(printf, 1, 0)))
complain(const char *format, va_list ap)
{
	char text[512];
	int n;

	n = vsnprintf(text, sizeof(text) - 1, format, ap);
	if (n > (int)sizeof(text) - 2)
		n = (int)sizeof(text) - 2;
	text[n] = '\n';
	(void)real_write(NULL, STDERR_FILENO, text, (size_t)n + 1);
}

void
tri_complain(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	complain(format, ap);
	va_end(ap);
}

void
tri_panic(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	complain(format, ap);
	va_end(ap);
	abort();
}
