/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Setting workers up, running them, and taking them down.  Cold code.
 */
#include "sched/sched.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Threads wait until all of them could be started. */
enum { GATE_CLOSED, GATE_OPEN, GATE_LOCKED };

/* The others, nearest first; those as near as each other from the own index
 * on, so that not everybody robs worker 0 first. */
static void
worker_sort_victims(struct tri_worker *w)
{
	struct tri_sched *s = w->sched;
	unsigned distance, i, n = 0;

	for (distance = 0; distance <= 3; distance++) {
		for (i = 1; i < s->n; i++) {
			unsigned k = (w->index + i) % s->n;
			struct tri_worker *v = tri_sched_worker(s, k);

			if (s->env->cpu_distance(s->env, w->cpu, v->cpu) ==
			    distance)
				w->victims[n++] = (uint8_t)k;
		}
	}
	TR_ASSERT(n + 1 == s->n);
}

static int
worker_init(struct tri_sched *s, unsigned index,
    const struct tri_sched_config *config)
{
	struct tri_worker *w = tri_sched_worker(s, index);

	w->sched = s;
	w->env = s->env;
	w->index = index;
	w->cpu = s->pin ? s->env->cpu_at(s->env, index) : -1;
	w->poll_ns = TRI_POLL_NS;
	tri_spin_init(&w->spin, config->spin_ns, config->spin_most_ns);
	tri_throttle_init(w);
	tri_worker_read_clock(w);
	tri_worker_measure(w);
	tri_wheel_init(&w->wheel, w->exact);
	w->batch = config->batch != 0 ? config->batch : TRI_BATCH_MESSAGES;
	tri_runq_init(&w->q, s, &w->pool);
	if (config->ring != 0)
		tri_runq_set_slots(&w->q, config->ring);
	tri_reserve_init(&w->reserve,
	    config->kept != 0 ? config->kept : TRI_RESERVE_SLOTS,
	    w->q.next.plain);
	tri_sched_reopen(w);
	ck_stack_init(&w->inbox);
	if (!tri_pool_init(&w->pool, &s->env->memory, config->pool_owner, index,
		config->pools))
		return -ENOMEM;
	w->loop = s->env->loop_new(s->env);
	return w->loop == NULL ? -ENOMEM : 0;
}

int
tri_sched_init(struct tri_sched *s, struct tri_env *env,
    const struct tri_sched_config *config)
{
	size_t bytes;
	unsigned i;
	int rc = 0;

	memset(s, 0, sizeof(*s));
	s->env = env;
	s->n = config->workers;
	s->all = s->n == 64 ? UINT64_MAX : ((uint64_t)1 << s->n) - 1;
	s->pin = config->pin;
	s->throttle_ns =
	    config->throttle_ns != 0 ? config->throttle_ns : TRI_THROTTLE_NS;
	if (config->hooks.acts == NULL)
		s->throttle_ns = INT64_MAX;
	s->eager = config->eager;
	s->kinds = config->kinds;
	s->hooks = config->hooks;
	ck_stack_init(&s->injected);
	s->worker_size =
	    (config->worker_size + TRI_LINE - 1) & ~(size_t)(TRI_LINE - 1);
	bytes = s->worker_size * s->n;
	s->workers = env->memory.alloc(env->memory.ctx, bytes);
	if (s->workers == NULL)
		return -ENOMEM;
	memset(s->workers, 0, bytes);
	for (i = 0; i < s->n && rc == 0; i++)
		rc = worker_init(s, i, config);
	if (rc != 0) {
		tri_sched_fini(s);
		return rc;
	}
	for (i = 0; i < s->n; i++)
		worker_sort_victims(tri_sched_worker(s, i));
	return 0;
}

void
tri_sched_fini(struct tri_sched *s)
{
	unsigned i;

	if (s->workers == NULL)
		return;
	for (i = 0; i < s->n; i++) {
		struct tri_worker *w = tri_sched_worker(s, i);

		s->env->loop_free(s->env, w->loop);
		tri_pool_fini(&w->pool);
	}
	s->env->memory.free(s->env->memory.ctx, s->workers);
	s->workers = NULL;
}

void
tri_worker_end(struct tri_worker *w)
{
	tri_pool_flush(&w->pool);
	/* rel: publishes all this worker did; pairs with tri_sched_running. */
	tri_store_release(&w->ended, 1u);
}

static void
worker_main(void *arg)
{
	struct tri_worker *w = arg;
	struct tri_worker *before = tri_worker_here;

	tri_worker_here = w;
	/* acq: pairs with tri_sched_run: all workers exist, or none works. */
	while (tri_load_acquire(&w->sched->gate) == GATE_CLOSED)
		(void)w->env->loop_sleep(w->env, w->loop, INT64_MAX);
	if (w->sched->hooks.enter != NULL)
		w->sched->hooks.enter(w);
	tri_worker_read_clock(w);
	if (tri_load_relaxed(&w->sched->gate) == GATE_OPEN)
		tri_worker_loop(w);
	if (w->sched->hooks.leave != NULL)
		w->sched->hooks.leave(w);
	tri_worker_here = before;
	tri_worker_end(w);
}

static void
gate_set(struct tri_sched *s, uint32_t gate)
{
	unsigned i;

	/* rel: pairs with worker_main. */
	tri_store_release(&s->gate, gate);
	/* Worker 0 is the caller. */
	for (i = 1; i < s->n; i++)
		s->env->loop_wake(s->env, tri_sched_worker(s, i)->loop);
}

void
tri_sched_begin(struct tri_sched *s)
{
	/* From here on cycles are measured against the clock. */
	s->now0 = s->env->now(s->env);
	s->cycles0 = s->env->cycles(s->env);
}

int
tri_sched_run(struct tri_sched *s)
{
	struct tri_worker *first = tri_sched_worker(s, 0);
	char name[16];
	unsigned i;
	int rc = 0;

	tri_sched_begin(s);
	for (i = 1; i < s->n; i++) {
		struct tri_worker *w = tri_sched_worker(s, i);

		snprintf(name, sizeof(name), "troupe-%u", i & 63);
		rc = s->env->thread_start(s->env, &w->thread, worker_main, w,
		    name, w->cpu);
		if (rc != 0)
			break;
	}
	gate_set(s, rc == 0 ? GATE_OPEN : GATE_LOCKED);
	if (rc != 0) {
		/* Those not started have not run and never will. */
		for (; i < s->n; i++)
			tri_store_release(&tri_sched_worker(s, i)->ended, 1u);
		tri_store_release(&first->ended, 1u);
		return rc;
	}
	s->env->thread_bind(s->env, first->cpu);
	worker_main(first);
	if (first->cpu >= 0)
		s->env->thread_unbind(s->env);
	return 0;
}

void
tri_sched_drain(struct tri_sched *s)
{
	struct tri_worker *before = tri_worker_here;
	unsigned i, left;

	do {
		left = 0;
		for (i = 0; i < s->n; i++) {
			struct tri_worker *w = tri_sched_worker(s, i);

			if (w->phase == TRI_ENDED)
				continue;
			tri_worker_here = w;
			/* It must not sleep: who would wake it comes later. */
			s->env->loop_wake(s->env, w->loop);
			left += tri_worker_step(w);
		}
	} while (left > 0);
	for (i = 0; i < s->n; i++)
		tri_pool_flush(&tri_sched_worker(s, i)->pool);
	tri_worker_here = before;
}

void
tri_sched_attend(struct tri_sched *s)
{
	unsigned i;

	tri_exchange_seq_cst(&s->attention, 1u);
	for (i = 0; i < s->n; i++) {
		struct tri_worker *w = tri_sched_worker(s, i);

		/* Unconditional: whether it sleeps or is about to. */
		tri_exchange_seq_cst(&w->bell, 1u);
		s->env->loop_wake(s->env, w->loop);
	}
}

void
tri_sched_quit(struct tri_sched *s)
{
	tri_exchange_seq_cst(&s->quit, 1u);
	tri_sched_attend(s);
}

unsigned
tri_sched_running(struct tri_sched *s)
{
	unsigned i, n = 0;

	for (i = 0; i < s->n; i++)
		/* acq: pairs with worker_main. */
		if (tri_load_acquire(&tri_sched_worker(s, i)->ended) == 0)
			n++;
	return n;
}

void
tri_sched_join(struct tri_sched *s)
{
	unsigned i;

	for (i = 1; i < s->n; i++) {
		struct tri_worker *w = tri_sched_worker(s, i);

		if (w->thread != NULL)
			s->env->thread_join(s->env, w->thread);
		w->thread = NULL;
	}
}
