/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * world.c - see world.h.  It stands in for env_real.c, loop.c and pool_real.c.
 */
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum {
	ARENA_BYTES = 1 << 20,
	SLABS = 64,
	RANGES = 16,
	/* What of a range can have been used when it is used again; tables
	 * hand their lowest entries out first. */
	RANGE_DIRTY = 96 * 1024,
};

struct world world;

static struct {
	alignas(TRI_LINE) char arena[ARENA_BYTES];
	size_t used;
	char *slab; /* of TRI_SLAB_BYTES each */
	unsigned slabs;
	struct {
		char *p;
		size_t size;
	} range[RANGES];
	unsigned ranges;
} memory;

void
tri_panic(const char *format, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	sched_fail("%s", text);
}

void
tri_complain(const char *format, ...)
{
	(void)format;
}

/* -------------------------------------------------------------- memory -- */

static void *
world_alloc(void *ctx, size_t size)
{
	char *p = memory.arena + memory.used;

	(void)ctx;
	size = (size + TRI_LINE - 1) & ~(size_t)(TRI_LINE - 1);
	if (size > sizeof(memory.arena) - memory.used)
		sched_fail("the arena is too small");
	memory.used += size;
	return p;
}

static void
world_mem_free(void *ctx, void *p)
{
	(void)ctx;
	(void)p;
}

static void *
world_slab_new(void *ctx, size_t size)
{
	(void)ctx;
	if (memory.slab == NULL) {
		uintptr_t p = (uintptr_t)mmap(NULL, (SLABS + 1) * size,
		    PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		memory.slab = (char *)((p + size - 1) & ~(uintptr_t)(size - 1));
	}
	if (world.dry || memory.slabs == SLABS)
		return NULL;
	return memory.slab + size * memory.slabs++;
}

/* Not used again in the same schedule: who still looks at it shall see it. */
static void
world_slab_free(void *ctx, void *slab, size_t size)
{
	(void)ctx;
	(void)size;
	memset(slab, 0x5a, 4096);
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
	unsigned i = memory.ranges;
	void *p;

	(void)env;
	if (i == RANGES)
		return NULL;
	if (memory.range[i].p == NULL) {
		p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (p == MAP_FAILED)
			return NULL;
		memory.range[i].p = p;
		memory.range[i].size = size;
	}
	if (memory.range[i].size != size)
		sched_fail("another world than before");
	memset(memory.range[i].p, 0, size < RANGE_DIRTY ? size : RANGE_DIRTY);
	memory.ranges++;
	return memory.range[i].p;
}

static bool
world_commit(struct tri_env *env, void *p, size_t size)
{
	(void)env;
	(void)p;
	(void)size;
	return true;
}

static void
world_release(struct tri_env *env, void *p, size_t size)
{
	(void)env;
	(void)p;
	(void)size;
}

static void
world_discard(struct tri_env *env, void *p, size_t size)
{
	(void)env;
	memset(p, 0, size);
}

/* --------------------------------------------------- clocks and threads - */

static int64_t
world_now(struct tri_env *env)
{
	(void)env;
	return world.now;
}

static uint64_t
world_cycles(struct tri_env *env)
{
	(void)env;
	return (uint64_t)world.now;
}

static void
world_entropy(struct tri_env *env, void *buf, size_t size)
{
	(void)env;
	memset(buf, 0x42, size);
}

static unsigned
world_cpus(struct tri_env *env)
{
	(void)env;
	return 2;
}

static int
world_cpu_at(struct tri_env *env, unsigned k)
{
	(void)env;
	(void)k;
	return -1;
}

static unsigned
world_cpu_distance(struct tri_env *env, int a, int b)
{
	(void)env;
	(void)a;
	(void)b;
	return 3;
}

static void
world_yield(struct tri_env *env)
{
	(void)env;
	sched_stall();
}

/* --------------------------------------------------------------- loops -- */

static bool
world_fence_others(struct tri_env *env)
{
	(void)env;
	if (!world.fenceless)
		sched_fence_others();
	return !world.fenceless;
}

static struct tri_loop *
world_loop_new(struct tri_env *env)
{
	struct tri_loop *loop = &world.loop[world.loops];

	(void)env;
	if (world.loops == WORLD_LOOPS)
		return NULL;
	world.loops++;
	*loop = (struct tri_loop){ .alarm = INT64_MAX };
	return loop;
}

static void
world_loop_free(struct tri_env *env, struct tri_loop *loop)
{
	(void)env;
	(void)loop;
}

static unsigned
world_loop_poll(struct tri_env *env, struct tri_loop *loop)
{
	(void)env;
	(void)loop;
	return 0;
}

static bool
loop_is_due(const void *arg)
{
	const struct tri_loop *loop = arg;

	return loop->woken || loop->alarm <= world.now ||
	    loop->deadline <= world.now;
}

static unsigned
world_loop_sleep(struct tri_env *env, struct tri_loop *loop, int64_t deadline)
{
	(void)env;
	loop->deadline = deadline;
	loop->asleep = true;
	loop->sleeps++;
	sched_note("sleeps");
	sched_wait(loop_is_due, loop);
	sched_note("is awake");
	loop->asleep = false;
	loop->woken = false;
	if (loop->alarm <= world.now)
		loop->alarm = INT64_MAX;
	return 0;
}

static void
world_loop_wake(struct tri_env *env, struct tri_loop *loop)
{
	(void)env;
	sched_pass();
	sched_drain();
	sched_note("wakes %u", (unsigned)(loop - world.loop));
	loop->woken = true;
}

static void
world_loop_alarm(struct tri_env *env, struct tri_loop *loop, int64_t delay_ns)
{
	(void)env;
	sched_pass();
	sched_drain();
	sched_note("sets the alarm of %u", (unsigned)(loop - world.loop));
	loop->alarm = world.now + delay_ns;
}

/* ---------------------------------------------------- what is not there - */

static struct tri_jobs *
world_jobs_new(struct tri_env *env, unsigned n, unsigned queue)
{
	static char jobs;

	(void)env;
	(void)n;
	(void)queue;
	return (struct tri_jobs *)(void *)&jobs;
}

static void
world_jobs_free(struct tri_env *env, struct tri_jobs *jobs)
{
	(void)env;
	(void)jobs;
}

static int
world_write(struct tri_env *env, int fd, const void *buf, size_t size)
{
	(void)env;
	(void)fd;
	(void)buf;
	(void)size;
	return -EBADF;
}

static void
world_free(struct tri_env *env)
{
	(void)env;
}

/* Nobody makes a real system here. */
struct tri_env *
tri_env_real_with(const struct tr_allocator *allocator)
{
	(void)allocator;
	return NULL;
}

void
world_begin(void)
{
	memory.used = 0;
	memory.slabs = 0;
	memory.ranges = 0;
	memset(&world, 0, sizeof(world));
	world.now = INT64_C(1000000000000);
	world.env = (struct tri_env){
		.now = world_now,
		.cycles = world_cycles,
		.wall = world_now,
		.entropy = world_entropy,
		.memory = {
			.slab_new = world_slab_new,
			.slab_free = world_slab_free,
			.populate = world_populate,
			.alloc = world_alloc,
			.free = world_mem_free,
		},
		.reserve = world_reserve,
		.commit = world_commit,
		.release = world_release,
		.discard = world_discard,
		.cpus = world_cpus,
		.cpu_at = world_cpu_at,
		.cpu_distance = world_cpu_distance,
		.yield = world_yield,
		.fence_others = world_fence_others,
		.loop_new = world_loop_new,
		.loop_free = world_loop_free,
		.loop_poll = world_loop_poll,
		.loop_sleep = world_loop_sleep,
		.loop_wake = world_loop_wake,
		.loop_alarm = world_loop_alarm,
		.jobs_new = world_jobs_new,
		.jobs_close = world_jobs_free,
		.jobs_free = world_jobs_free,
		.write = world_write,
		.free = world_free,
	};
}

bool
world_pass_time(int64_t most)
{
	int64_t next = INT64_MAX;

	for (unsigned i = 0; i < world.loops; i++) {
		const struct tri_loop *loop = &world.loop[i];

		if (loop->asleep && loop->alarm < next)
			next = loop->alarm;
		if (loop->asleep && loop->deadline < next)
			next = loop->deadline;
	}
	if (next == INT64_MAX || next - world.now > most)
		return false;
	world.now = next;
	world.passed++;
	sched_note("time passes");
	return true;
}

unsigned
world_asleep(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < world.loops; i++)
		n += world.loop[i].asleep;
	return n;
}

void
world_workers(struct tri_sched *s, unsigned n)
{
	void *value[SCHED_THREADS] = { NULL };

	for (unsigned i = 0; i < n; i++)
		value[i] = tri_sched_worker(s, i);
	sched_local((void **)(void *)&tri_worker_here, value, SCHED_THREADS);
}
