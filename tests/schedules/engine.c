/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine.c - the logical threads and their yield points.
 *
 * Each logical thread has a stack, entered once with makecontext().  From then
 * on threads are switched with _setjmp() and _longjmp(), which make no system
 * call, and a thread that ended or was given up is started anew by a jump to
 * its base.
 *
 * A point is a decision: go on, drain a store, or let another thread go on.
 * Decisions are numbered whether or not there was a choice, so that a schedule
 * is a short list and stays valid when the ways to choose change.
 */
#include "buffer.h"
#include "engine.h"

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

enum {
	STACK_BYTES = 256 * 1024,
	ADDRESSES = 1 << 14, /* a power of two */
	ALONE = 1000, /* points in a row of one thread, if others can go on */
	LOCALS = 2,
};

struct thread {
	jmp_buf at;
	jmp_buf base;
	bool done;
	bool stalled; /* until another thread has made a step */
	bool (*until)(const void *arg);
	const void *arg;
	struct sched_buffer buffer;
	void *local[LOCALS];
	char *stack;
};

struct sched_run sched_run;

static struct thread threads[SCHED_THREADS];
static int current = -1;
/* The case looks at the world: no points. */
static bool looking;
static unsigned alone;
static uint64_t stamp;
static jmp_buf outside;
static void **local_at[LOCALS];
static unsigned locals;
/* Which threads have been at an address, over all schedules of a case. */
static struct {
	const volatile void *p;
	unsigned mask;
} addresses[ADDRESSES];

/* ----------------------------------------------------------- switching -- */

static void
locals_swap(const struct thread *to)
{
	for (unsigned i = 0; i < locals; i++) {
		if (current >= 0)
			threads[current].local[i] = *local_at[i];
		*local_at[i] = to == NULL ? NULL : to->local[i];
	}
}

/* Out of all threads, for good. */
static _Noreturn void
leave(void)
{
	locals_swap(NULL);
	looking = false;
	current = -1;
	_longjmp(outside, 1);
}

static _Noreturn void
enter(unsigned t)
{
	locals_swap(&threads[t]);
	current = (int)t;
	_longjmp(threads[t].at, 1);
}

static void
switch_to(unsigned t)
{
	if ((int)t == current)
		return;
	sched_run.switches++;
	alone = 0;
	sched_buffer_leave(&threads[current].buffer);
	sched_buffer_enter(&threads[t].buffer);
	if (_setjmp(threads[current].at) == 0)
		enter(t);
}

void
sched_fail(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(sched_run.why, sizeof(sched_run.why), format, ap);
	va_end(ap);
	sched_run.failed = true;
	leave();
}

/* ------------------------------------------------------------ draining -- */

/* The oldest store of a thread arrives. */
static void
drain_one(unsigned t)
{
	struct sched_buffer *b = &threads[t].buffer;

	if (sched_run.trace)
		sched_trace_arrival(t, b->store[b->first % SCHED_BUFFERED].p);
	if ((int)t == current)
		sched_buffer_drop(b);
	else
		sched_buffer_arrive(b,
		    current < 0 ? NULL : &threads[current].buffer);
}

static void
drain_all(unsigned t)
{
	while (threads[t].buffer.count > 0)
		drain_one(t);
}

/* ------------------------------------------------------------- choosing - */

static bool
can_go_on(const struct thread *t)
{
	bool can = !t->done && !t->stalled;

	if (can && t->until != NULL) {
		looking = true;
		can = t->until(t->arg);
		looking = false;
	}
	return can;
}

static uint8_t
choose(const uint8_t *agent, unsigned n, unsigned cheap)
{
	uint32_t at = sched_run.decisions++;
	unsigned pick;

	if (at >= SCHED_DECISIONS)
		sched_fail("no end after %u decisions", at);
	if (n == 1)
		return agent[0];
	pick = sched_run.strategy->pick(agent, n, cheap);
	if (pick != 0) {
		if (sched_run.choices == SCHED_CHOICES)
			sched_fail("too many choices");
		sched_run.choice[sched_run.choices++] =
		    (struct sched_choice){ at, agent[pick] };
	}
	return agent[pick];
}

/* Who may go on: this thread, stores that may arrive, the other threads. */
static unsigned
agents(uint8_t *agent, unsigned *cheap)
{
	unsigned all = sched_run.of->threads, n = 0;
	bool usual = current >= 0 && can_go_on(&threads[current]);

	if (usual)
		agent[n++] = (uint8_t)current;
	for (unsigned i = 0; usual && i < all; i++)
		if (threads[i].buffer.count > 0)
			agent[n++] = (uint8_t)(SCHED_DRAIN + i);
	*cheap = n;
	for (unsigned i = 1; i <= all; i++) {
		unsigned k = ((unsigned)current + i) % all;

		if ((int)k != current && can_go_on(&threads[k]))
			agent[n++] = (uint8_t)k;
	}
	for (unsigned i = 0; !usual && n > 0 && i < all; i++)
		if (threads[i].buffer.count > 0)
			agent[n++] = (uint8_t)(SCHED_DRAIN + i);
	/* Threads that spin take turns; another order costs a preemption, or
	 * two that spin could keep the third from going on for ever. */
	if (!usual)
		*cheap = threads[current].stalled ? 1 : n;
	return n;
}

static void
stalls_end(int but)
{
	for (unsigned i = 0; i < sched_run.of->threads; i++)
		if ((int)i != but)
			threads[i].stalled = false;
}

/* Nobody can go on: the end, or the world has to change. */
static void
nobody(void)
{
	bool waits = false, again;

	for (unsigned i = 0; i < sched_run.of->threads; i++) {
		drain_all(i);
		waits |= !threads[i].done;
	}
	if (!waits)
		leave();
	looking = true;
	again = sched_run.of->quiet != NULL && sched_run.of->quiet();
	looking = false;
	if (again)
		return;
	if (!sched_run.of->may_wait)
		sched_fail("all wait, and nothing will wake them");
	leave();
}

/* Let whoever is chosen go on; returns when it is this thread's turn. */
static void
schedule(void)
{
	uint8_t agent[2 * SCHED_THREADS];

	for (;;) {
		unsigned cheap, n = agents(agent, &cheap);
		uint8_t to;

		if (n == 0) {
			bool stalled = false;

			for (unsigned i = 0; i < SCHED_THREADS; i++)
				stalled |= threads[i].stalled;
			stalls_end(-1);
			if (!stalled)
				nobody();
			continue;
		}
		to = choose(agent, n, cheap);
		if (to >= SCHED_DRAIN) {
			drain_one(to - SCHED_DRAIN);
			continue;
		}
		stalls_end(to);
		stamp++;
		switch_to(to);
		return;
	}
}

/* --------------------------------------------------------------- points - */

static bool
is_point(void)
{
	return current >= 0 && !looking;
}

void
sched_drain(void)
{
	if (is_point())
		drain_all((unsigned)current);
}

void
sched_stall(void)
{
	if (!is_point())
		return;
	sched_drain();
	alone = 0;
	threads[current].stalled = true;
	schedule();
}

/* Whether more than one thread has ever been at this address. */
static bool
is_shared(const volatile void *p)
{
	size_t i = ((uintptr_t)p * UINT64_C(0x9e3779b97f4a7c15)) >> 50;
	unsigned mask = 1u << current;

	for (unsigned tries = 0;; i = (i + 1) & (ADDRESSES - 1)) {
		if (++tries == ADDRESSES)
			sched_fail("more addresses than expected");
		if (addresses[i].p == p)
			break;
		if (addresses[i].p != NULL)
			continue;
		if (!sched_run.learn)
			return true; /* never seen: better a choice too many */
		addresses[i].p = p;
		break;
	}
	if (sched_run.learn)
		addresses[i].mask |= mask;
	return (addresses[i].mask & (addresses[i].mask - 1)) != 0;
}

static void
point(const volatile void *p)
{
	bool shared = is_shared(p);

	/* A loop that waits for another thread and does not say so. */
	if (++alone > ALONE) {
		sched_stall();
		return;
	}
	if (!shared && sched_run.skip_private) {
		sched_run.decisions++;
		stalls_end(current);
		stamp++;
		return;
	}
	schedule();
}

void *
sched_load(struct sched_site *site, const volatile void *p, size_t size)
{
	site->hits++;
	if (is_point()) {
		point(p);
		if (sched_run.trace)
			sched_trace_op(site, p, size, "");
	}
	return (void *)(uintptr_t)p;
}

/* Whether this store is to be delayed. */
static bool
delays(const struct thread *t, const volatile void *p)
{
	static const uint8_t agent[2] = { SCHED_PROMPT, SCHED_DELAY };

	if (!sched_run.buffers)
		return false;
	if (t->buffer.count > 0)
		return true; /* stores arrive in order */
	if (sched_run.skip_private && !is_shared(p)) {
		sched_run.decisions++;
		return false;
	}
	return choose(agent, 2, 1) == SCHED_DELAY;
}

void *
sched_store(struct sched_site *site, volatile void *p, size_t size)
{
	void *at = (void *)(uintptr_t)p;
	bool late;

	site->hits++;
	if (!is_point())
		return at;
	point(p);
	if (threads[current].buffer.count == SCHED_BUFFERED)
		drain_one((unsigned)current);
	late = size <= sizeof(uint64_t) && delays(&threads[current], p);
	if (late)
		sched_buffer_add(&threads[current].buffer, at, size);
	if (sched_run.trace)
		sched_trace_op(site, p, size, late ? " [delayed]" : "");
	return at;
}

void *
sched_rmw(struct sched_site *site, volatile void *p, size_t size)
{
	site->hits++;
	if (is_point()) {
		point(p);
		drain_all((unsigned)current);
		if (sched_run.trace)
			sched_trace_op(site, p, size, "");
	}
	return (void *)(uintptr_t)p;
}

/* Between a publication and the plain accesses behind it. */
void
sched_written(void)
{
	if (sched_run.trace)
		sched_trace_written();
	if (is_point() && !sched_run.skip_private)
		schedule();
	else if (is_point())
		sched_run.decisions++;
}

void
sched_fence(void)
{
	sched_drain();
}

void
sched_fence_others(void)
{
	if (!is_point())
		return;
	sched_drain();
	for (unsigned i = 0; i < sched_run.of->threads; i++) {
		schedule();
		if ((int)i != current)
			drain_all(i);
	}
}

void
sched_pass(void)
{
	if (is_point())
		schedule();
}

void
sched_wait(bool (*until)(const void *arg), const void *arg)
{
	struct thread *t = &threads[current];

	/* Before its stores arrive others may go on. */
	if (t->buffer.count > 0)
		schedule();
	sched_drain();
	t->until = until;
	t->arg = arg;
	schedule();
	t = &threads[current];
	t->until = NULL;
}

uint64_t
sched_stamp(void)
{
	return ++stamp;
}

int
sched_current(void)
{
	return current;
}

void
sched_local(void **variable, void *const value[], unsigned n)
{
	unsigned k = 0;

	while (k < locals && local_at[k] != variable)
		k++;
	if (k == locals)
		locals++;
	local_at[k] = variable;
	for (unsigned i = 0; i < n; i++)
		threads[i].local[k] = value[i];
}

uint64_t
sched_mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

/* -------------------------------------------------------- one schedule -- */

static void
thread_main(void)
{
	/* Here it comes back to, from anywhere on this stack. */
	if (_setjmp(threads[current].base) == 0)
		_longjmp(outside, 1);
	sched_run.of->body((unsigned)current);
	if (threads[current].buffer.count > 0)
		schedule();
	sched_drain();
	threads[current].done = true;
	schedule();
	abort();
}

static void
thread_make(int i)
{
	static ucontext_t context;

	threads[i].stack = malloc(STACK_BYTES);
	if (threads[i].stack == NULL || getcontext(&context) != 0)
		abort();
	context.uc_stack.ss_sp = threads[i].stack;
	context.uc_stack.ss_size = STACK_BYTES;
	makecontext(&context, thread_main, 0);
	current = i;
	if (_setjmp(outside) == 0)
		setcontext(&context);
	current = -1;
}

static void
crashed(int signo)
{
	char text[160];
	int n = snprintf(text, sizeof(text), "signal %d in thread %d\n", signo,
	    current);

	(void)!write(STDERR_FILENO, text, (size_t)n);
	/* Good enough for a test: it says which schedule it was. */
	snprintf(sched_run.why, sizeof(sched_run.why), "signal %d", signo);
	sched_run.failed = true;
	_longjmp(outside, 1);
}

void
sched_init(void)
{
	static char stack[64 * 1024];
	const stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
	const int signals[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };

	for (int i = 0; i < SCHED_THREADS; i++)
		thread_make(i);
	sigaltstack(&alternate, NULL);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaction(signals[i],
		    &(struct sigaction){ .sa_handler = crashed,
			.sa_flags = SA_ONSTACK | SA_NODEFER },
		    NULL);
}

void
sched_forget(void)
{
	memset(addresses, 0, sizeof(addresses));
}

static void
run_begin(void)
{
	struct sched_run *r = &sched_run;

	r->decisions = 0;
	r->choices = 0;
	r->switches = 0;
	r->failed = false;
	stamp = 0;
	alone = 0;
	sched_trace_begin();
	locals = 0;
	for (unsigned i = 0; i < r->of->threads; i++) {
		struct thread *t = &threads[i];

		memcpy(&t->at, &t->base, sizeof(t->at));
		t->done = false;
		t->stalled = false;
		t->until = NULL;
		t->buffer.first = t->buffer.count = 0;
	}
	for (unsigned i = r->of->threads; i < SCHED_THREADS; i++)
		threads[i].done = true;
	r->of->setup();
	r->strategy->begin();
}

/* The first thread to run is a choice, too. */
static void
run_first(void)
{
	uint8_t agent[SCHED_THREADS], to;
	unsigned n = sched_run.of->threads;

	for (unsigned i = 0; i < n; i++)
		agent[i] = (uint8_t)i;
	to = choose(agent, n, n);
	enter(to);
}

void
sched_one(void)
{
	if (_setjmp(outside) == 0) {
		run_begin();
		run_first();
	}
	current = -1;
	looking = false;
	if (!sched_run.failed && _setjmp(outside) == 0)
		sched_run.hash = sched_run.of->check();
	current = -1;
}
