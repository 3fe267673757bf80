/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The simulated world: what stands behind the seam.
 *
 * Time passes when the engine says so, and a little with every look at the
 * clock, so that a handler that waits for a moment gets there.  A loop never
 * waits: who sleeps is told to be called again (TRI_SLEEPS_ON), and the engine
 * calls when there is a reason.  Memory is the C library's, counted, and
 * refused now and then.
 */
#include "sim/sim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	READ_NS = 20, /* what a look at the clock costs */
	WAKE_LATE_NS = 3000000,
	JOB_NS = 200000,
	JOB_LATE_NS = 80000000,
	SPOILT = 4096, /* bytes of a block, at most */
};

static struct tr_sim *
sim_of(struct tri_env *env)
{
	return (struct tr_sim *)(void *)env;
}

/* ------------------------------------------------------------- clocks --- */

static int64_t
world_now(struct tri_env *env)
{
	struct tr_sim *sim = sim_of(env);

	sim->now += READ_NS;
	return sim->now;
}

static uint64_t
world_cycles(struct tri_env *env)
{
	return (uint64_t)world_now(env);
}

static int64_t
world_wall(struct tri_env *env)
{
	struct tr_sim *sim = sim_of(env);

	return sim->wall + world_now(env);
}

static void
world_entropy(struct tri_env *env, void *buf, size_t size)
{
	unsigned char *p = buf;

	while (size-- > 0)
		*p++ = (unsigned char)sim_random(sim_of(env));
}

/* ------------------------------------------------------------- memory --- */

static bool
memory_fails(struct tr_sim *sim, const char *purpose)
{
	if (sim->fail_next > 0) {
		sim->fail_next--;
		sim->result->faults++;
		return true;
	}
	return sim_strikes(sim, TR_FAULT_NOMEM, purpose);
}

/* Other bytes in each run, so that who reads what was never written makes two
 * runs of a seed differ. */
static void
memory_spoil(struct tr_sim *sim, void *p, size_t size)
{
	memset(p, sim->cache->runs % 2 == 0 ? 0xa5 : 0x3c,
	    size < SPOILT ? size : SPOILT);
}

static void *
block_new(struct sim_block *ring, size_t size)
{
	char *raw = aligned_alloc(TRI_LINE,
	    (size + 2 * TRI_LINE - 1) / TRI_LINE * TRI_LINE);
	struct sim_block *b = (struct sim_block *)(void *)raw;

	if (raw == NULL)
		return NULL;
	*b = (struct sim_block){ ring, ring->next, raw, size };
	b->next->prev = b;
	ring->next = b;
	return raw + TRI_LINE;
}

_Static_assert(sizeof(struct sim_block) <= TRI_LINE, "it fits before a block");

static void
block_free(void *p)
{
	struct sim_block *b =
	    (struct sim_block *)(void *)((char *)p - TRI_LINE);

	b->prev->next = b->next;
	b->next->prev = b->prev;
	free(b->raw);
}

static void *
world_alloc(void *ctx, size_t size)
{
	struct tr_sim *sim = ctx;
	const char *purpose = sim->purpose;
	void *p;

	sim->purpose = NULL;
	if (memory_fails(sim, purpose != NULL ? purpose : "other"))
		return NULL;
	p = block_new(&sim->blocks, size);
	if (p == NULL)
		return NULL;
	memory_spoil(sim, p, size);
	sim->live++;
	return p;
}

static void
world_free(void *ctx, void *p)
{
	struct tr_sim *sim = ctx;

	sim->live--;
	block_free(p);
}

void *
sim_own(struct tr_sim *sim, size_t size)
{
	void *p = block_new(&sim->own, size);

	if (p == NULL)
		abort(); /* the machine's memory, not the simulated one */
	memset(p, 0, size);
	return p;
}

void
sim_own_free(struct tr_sim *sim, void *p)
{
	(void)sim;
	block_free(p);
}

static struct sim_range *
range_add(struct tr_sim *sim, void *p, size_t size)
{
	struct sim_range *r = malloc(sizeof(*r));

	if (r == NULL)
		abort(); /* the machine's memory */
	*r = (struct sim_range){ sim->ranges, p, size };
	sim->ranges = r;
	sim->live++;
	return r;
}

static void
range_remove(struct tr_sim *sim, void *p)
{
	struct sim_range **at = &sim->ranges, *r;

	while (*at != NULL && (*at)->p != p)
		at = &(*at)->next;
	r = *at;
	if (r == NULL)
		sim_fail(sim, "memory was released that was never reserved");
	*at = r->next;
	sim->live--;
	free(r);
}

static void *
world_slab_new(void *ctx, size_t size)
{
	struct tr_sim *sim = ctx;
	void *p;

	if (memory_fails(sim, "slab"))
		return NULL;
	p = sim->cache->n > 0 ? sim->cache->slab[--sim->cache->n] :
				aligned_alloc(size, size);
	if (p == NULL)
		return NULL;
	memory_spoil(sim, p, size);
	(void)range_add(sim, p, 0);
	return p;
}

static void
world_slab_free(void *ctx, void *slab, size_t size)
{
	struct tr_sim *sim = ctx;

	(void)size;
	range_remove(sim, slab);
	if (sim->cache->n < 64)
		sim->cache->slab[sim->cache->n++] = slab;
	else
		free(slab);
}

static void
world_populate(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)p;
	(void)size;
}

static void *
world_reserve(struct tri_env *env, size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	(void)range_add(sim_of(env), p, size);
	return p;
}

static bool
world_commit(struct tri_env *env, void *p, size_t size)
{
	(void)p;
	(void)size;
	return !memory_fails(sim_of(env), "table");
}

static void
world_release(struct tri_env *env, void *p, size_t size)
{
	range_remove(sim_of(env), p);
	munmap(p, size);
}

static void
world_discard(struct tri_env *env, void *p, size_t size)
{
	size_t rest = (size_t)sysconf(_SC_PAGESIZE) - 1;

	(void)env;
	if (((uintptr_t)p & rest) == 0 && (size & rest) == 0)
		(void)madvise(p, size, MADV_DONTNEED);
}

/* ------------------------------------------------------------ threads --- */

static unsigned
world_cpus(struct tri_env *env)
{
	(void)env;
	return SIM_WORKERS;
}

static int
world_cpu_at(struct tri_env *env, unsigned k)
{
	(void)env;
	return (int)k;
}

static unsigned
world_cpu_distance(struct tri_env *env, int a, int b)
{
	(void)env;
	return a == b ? 0 : 1;
}

static int
world_thread_start(struct tri_env *env, struct tri_thread **thread,
    void (*fn)(void *), void *arg, const char *name, int cpu)
{
	(void)env;
	(void)thread;
	(void)fn;
	(void)arg;
	(void)name;
	(void)cpu;
	return -ENOSYS; /* the engine steps the workers */
}

static void
world_thread_join(struct tri_env *env, struct tri_thread *thread)
{
	(void)env;
	(void)thread;
}

static void
world_yield(struct tri_env *env)
{
	/* Nobody else can ever give back what is waited for. */
	sim_fail(sim_of(env), "a lock is held by nobody who runs");
}

static void
world_bind(struct tri_env *env, int cpu)
{
	(void)env;
	(void)cpu;
}

static void
world_unbind(struct tri_env *env)
{
	(void)env;
}

/* -------------------------------------------------------------- loops --- */

static struct tri_loop *
world_loop_new(struct tri_env *env)
{
	struct tr_sim *sim = sim_of(env);
	struct tri_loop *loop;

	if (sim->loops == SIM_WORKERS)
		return NULL;
	loop = &sim->loop[sim->loops++];
	*loop = (struct tri_loop){
		.sim = sim,
		.open = true,
		.wake_at = INT64_MAX,
		.alarm = INT64_MAX,
	};
	return loop;
}

static void
world_loop_free(struct tri_env *env, struct tri_loop *loop)
{
	(void)env;
	if (loop != NULL)
		loop->open = false;
}

static unsigned
loop_events(struct tri_loop *loop)
{
	unsigned events = 0;
	int signo;

	for (signo = 1; loop->raised != 0 && signo < SIM_SIGNALS; signo++) {
		uint64_t bit = (uint64_t)1 << (signo - 1);

		if ((loop->raised & bit) == 0)
			continue;
		loop->raised &= ~bit;
		if (loop->signal[signo].fn != NULL)
			loop->signal[signo].fn(loop->signal[signo].arg, signo);
		events++;
	}
	return events;
}

static unsigned
world_loop_poll(struct tri_env *env, struct tri_loop *loop)
{
	(void)env;
	return loop_events(loop);
}

bool
sim_loop_is_ready(const struct tri_loop *loop, int64_t now)
{
	return loop->woken || loop->spurious || loop->raised != 0 ||
	    now >= sim_loop_next(loop);
}

int64_t
sim_loop_next(const struct tri_loop *loop)
{
	int64_t at = loop->deadline;

	if (loop->alarm < at)
		at = loop->alarm;
	return loop->wake_at < at ? loop->wake_at : at;
}

static unsigned
world_loop_sleep(struct tri_env *env, struct tri_loop *loop, int64_t deadline)
{
	struct tr_sim *sim = sim_of(env);

	loop->deadline = deadline;
	if (!sim_loop_is_ready(loop, sim->now))
		return TRI_SLEEPS_ON;
	loop->woken = false;
	loop->spurious = false;
	loop->deadline = INT64_MAX;
	if (loop->wake_at <= sim->now)
		loop->wake_at = INT64_MAX;
	if (loop->alarm <= sim->now)
		loop->alarm = INT64_MAX;
	return loop_events(loop);
}

static void
world_loop_wake(struct tri_env *env, struct tri_loop *loop)
{
	struct tr_sim *sim = sim_of(env);
	int64_t at;

	if (!sim_strikes(sim, TR_FAULT_WAKE, "wake late")) {
		loop->woken = true;
		return;
	}
	/* Late; those that come meanwhile are one with it. */
	at = sim->now + (int64_t)sim_below(sim, WAKE_LATE_NS);
	if (at < loop->wake_at)
		loop->wake_at = at;
}

static void
world_loop_alarm(struct tri_env *env, struct tri_loop *loop, int64_t delay_ns)
{
	loop->alarm = sim_of(env)->now + delay_ns;
}

static int
world_loop_signal(struct tri_env *env, struct tri_loop *loop, int signo,
    void (*fn)(void *, int), void *arg)
{
	(void)env;
	if (signo < 1 || signo >= SIM_SIGNALS)
		return -EINVAL;
	loop->signal[signo].fn = fn;
	loop->signal[signo].arg = arg;
	return 0;
}

/* --------------------------------------------------------------- jobs --- */

static struct tri_jobs *
world_jobs_new(struct tri_env *env, unsigned threads, unsigned queue)
{
	struct tr_sim *sim = sim_of(env);
	struct tri_jobs *jobs = world_alloc(sim, sizeof(*jobs));

	if (jobs == NULL)
		return NULL;
	memset(jobs, 0, sizeof(*jobs));
	jobs->sim = sim;
	jobs->threads = threads < SIM_RUNNING ? threads : SIM_RUNNING;
	jobs->limit = queue;
	sim->jobs = jobs;
	return jobs;
}

static int
world_jobs_submit(struct tri_env *env, struct tri_jobs *jobs,
    struct tri_job *job)
{
	if (jobs->closed)
		return -ESHUTDOWN;
	if (jobs->queued >= jobs->limit ||
	    sim_strikes(sim_of(env), TR_FAULT_JOBS, "job pool full"))
		return -ENOBUFS;
	job->next = NULL;
	job->prev = jobs->last;
	if (jobs->last != NULL)
		jobs->last->next = job;
	else
		jobs->first = job;
	jobs->last = job;
	job->queued = true;
	jobs->queued++;
	return 0;
}

static bool
world_jobs_cancel(struct tri_env *env, struct tri_jobs *jobs,
    struct tri_job *job)
{
	(void)env;
	if (!job->queued)
		return false;
	if (job->prev != NULL)
		job->prev->next = job->next;
	else
		jobs->first = job->next;
	if (job->next != NULL)
		job->next->prev = job->prev;
	else
		jobs->last = job->prev;
	job->queued = false;
	jobs->queued--;
	return true;
}

static void
jobs_begin(struct tri_jobs *jobs)
{
	struct tr_sim *sim = jobs->sim;
	struct tri_job *job = jobs->first;
	bool late = sim_strikes(sim, TR_FAULT_JOBS, "job late");
	int64_t takes = (int64_t)sim_below(sim, late ? JOB_LATE_NS : JOB_NS);

	(void)world_jobs_cancel(&sim->env, jobs, job);
	sim_trace(sim, "pool: a call begins");
	jobs->run[jobs->running++] =
	    (struct sim_running){ job, sim->now + takes };
}

/* How many are over. */
static unsigned
jobs_due(const struct tri_jobs *jobs)
{
	unsigned i, due = 0;

	for (i = 0; i < jobs->running; i++)
		due += jobs->run[i].done_at <= jobs->sim->now;
	return due;
}

/* The n-th of those that are over. */
static void
jobs_end(struct tri_jobs *jobs, unsigned n)
{
	struct tri_job *job;
	unsigned i = 0;

	while (jobs->run[i].done_at > jobs->sim->now || n-- > 0)
		i++;
	job = jobs->run[i].job;
	jobs->run[i] = jobs->run[--jobs->running];
	sim_trace(jobs->sim, "pool: a call ends");
	job->run(job);
	job->finish(job);
}

static bool
jobs_can_begin(const struct tri_jobs *jobs)
{
	return jobs->first != NULL && jobs->running < jobs->threads;
}

bool
sim_jobs_can(const struct tr_sim *sim)
{
	const struct tri_jobs *jobs = sim->jobs;

	return jobs != NULL && (jobs_can_begin(jobs) || jobs_due(jobs) > 0);
}

void
sim_jobs_step(struct tr_sim *sim)
{
	struct tri_jobs *jobs = sim->jobs;
	unsigned due = jobs_due(jobs);

	if (due == 0 || (jobs_can_begin(jobs) && sim_below(sim, 2) == 0))
		jobs_begin(jobs);
	else
		jobs_end(jobs, (unsigned)sim_below(sim, due));
}

int64_t
sim_jobs_next(const struct tr_sim *sim)
{
	const struct tri_jobs *jobs = sim->jobs;
	int64_t at = INT64_MAX;
	unsigned i;

	for (i = 0; jobs != NULL && i < jobs->running; i++)
		if (jobs->run[i].done_at < at)
			at = jobs->run[i].done_at;
	return at;
}

static void
world_jobs_close(struct tri_env *env, struct tri_jobs *jobs)
{
	jobs->closed = true;
	while (jobs->first != NULL)
		(void)world_jobs_cancel(env, jobs, jobs->first);
}

static unsigned
world_jobs_wait(struct tri_env *env, struct tri_jobs *jobs, int64_t deadline)
{
	struct tr_sim *sim = sim_of(env);

	while (jobs->running > 0) {
		int64_t at = sim_jobs_next(sim);

		if (at > deadline)
			break;
		if (at > sim->now)
			sim->now = at;
		jobs_end(jobs, 0);
	}
	return jobs->running;
}

static void
world_jobs_free(struct tri_env *env, struct tri_jobs *jobs)
{
	struct tr_sim *sim = sim_of(env);

	if (jobs == NULL)
		return;
	sim->jobs = NULL;
	world_free(sim, jobs);
}

/* ------------------------------------------------------------ its ends -- */

static int
world_write(struct tri_env *env, int fd, const void *buf, size_t size)
{
	const char *p = buf;

	(void)env;
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

static void
world_env_free(struct tri_env *env)
{
	(void)env;
}

void
sim_world_init(struct tr_sim *sim)
{
	sim->blocks.next = sim->blocks.prev = &sim->blocks;
	sim->own.next = sim->own.prev = &sim->own;
	sim->now = TR_SECONDS(1000);
	/* Some day in 2026. */
	sim->wall = TR_SECONDS(1790000000);
	sim->env = (struct tri_env){
		.now = world_now,
		.cycles = world_cycles,
		.wall = world_wall,
		.entropy = world_entropy,
		.memory = {
			.slab_new = world_slab_new,
			.slab_free = world_slab_free,
			.populate = world_populate,
			.alloc = world_alloc,
			.free = world_free,
			.ctx = sim,
			.free_late = world_free,
			.late_ctx = sim,
			.purpose = &sim->purpose,
		},
		.reserve = world_reserve,
		.commit = world_commit,
		.release = world_release,
		.discard = world_discard,
		.cpus = world_cpus,
		.cpu_at = world_cpu_at,
		.cpu_distance = world_cpu_distance,
		.thread_start = world_thread_start,
		.thread_join = world_thread_join,
		.yield = world_yield,
		.thread_bind = world_bind,
		.thread_unbind = world_unbind,
		.loop_new = world_loop_new,
		.loop_free = world_loop_free,
		.loop_poll = world_loop_poll,
		.loop_sleep = world_loop_sleep,
		.loop_wake = world_loop_wake,
		.loop_alarm = world_loop_alarm,
		.loop_signal = world_loop_signal,
		.jobs_new = world_jobs_new,
		.jobs_submit = world_jobs_submit,
		.jobs_cancel = world_jobs_cancel,
		.jobs_close = world_jobs_close,
		.jobs_wait = world_jobs_wait,
		.jobs_free = world_jobs_free,
		.write = world_write,
		.free = world_env_free,
	};
}

/* What a failed run left behind. */
void
sim_world_fini(struct tr_sim *sim)
{
	while (sim->blocks.next != &sim->blocks)
		world_free(sim, (char *)sim->blocks.next->raw + TRI_LINE);
	while (sim->own.next != &sim->own)
		block_free((char *)sim->own.next->raw + TRI_LINE);
	while (sim->ranges != NULL) {
		struct sim_range *r = sim->ranges;

		if (r->size == 0)
			world_slab_free(sim, r->p, 0);
		else
			world_release(&sim->env, r->p, r->size);
	}
}

void
sim_cache_fini(struct sim_cache *cache)
{
	while (cache->n > 0)
		free(cache->slab[--cache->n]);
}
