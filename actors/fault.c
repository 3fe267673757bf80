/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a fault leaves behind: the report that is written to stderr when a
 * signal ends the process (tr_options.fault_report).
 *
 * It says which signal it was, on which thread; then for every worker what it
 * has in hand; then the last messages of the worker that faulted
 * (fault_messages), the newest first.  What could be broken is read last: a
 * fault in the report ends it, and what was written stays.
 *
 * All of it runs in a signal's handler, at any point of whatever the thread
 * was doing.  So there is no lock, no memory but the stack's, no printf; of
 * other workers it reads only what they publish by relaxed stores.  Each line
 * is one write.
 *
 * The handler itself is sched/fault_real.c's.  It has a stack of its own on
 * each worker, for a stack that has overflowed cannot carry it.
 */
#include "actors/flight.h"
#include "actors/system.h"

#include <string.h>

enum {
	LINE_BYTES = 256,
	NAME_BYTES = 64, /* of a name, at most */
	STACK_BYTES = 64 * 1024,
	GUARD_BYTES = 64 * 1024, /* below it; a page of any machine */
};

/* --------------------------------------------------------------- lines --- */

struct line {
	struct tri_env *env;
	size_t used;
	char text[LINE_BYTES];
};

static void
put_char(struct line *l, char c)
{
	if (l->used < LINE_BYTES - 1)
		l->text[l->used++] = c;
}

static void
put(struct line *l, const char *text)
{
	unsigned n;

	for (n = 0; n < NAME_BYTES && text[n] != '\0'; n++)
		put_char(l, text[n]);
}

static void
put_decimal(struct line *l, uint64_t n, unsigned width)
{
	char digits[20];
	unsigned at = sizeof(digits);

	do
		digits[--at] = (char)('0' + n % 10);
	while ((n /= 10) > 0 || sizeof(digits) - at < width);
	while (at < sizeof(digits))
		put_char(l, digits[at++]);
}

static void
put_hex(struct line *l, uint64_t n, unsigned width)
{
	int shift;

	for (shift = 60; shift >= 0; shift -= 4)
		if (n >> shift != 0 || (unsigned)shift < 4 * width)
			put_char(l, "0123456789abcdef"[n >> shift & 15]);
}

static void
put_ref(struct line *l, tr_ref ref)
{
	put_hex(l, tri_ref_generation(ref), 8);
	put(l, ".");
	put_decimal(l, tri_ref_slot(ref), 1);
}

static void
put_actor(struct line *l, const struct tr_behavior *b, tr_ref ref)
{
	put(l, b != NULL ? tri_behavior_name(b) : "actor");
	put(l, " (");
	put_ref(l, ref);
	put(l, ")");
}

static void
put_ms(struct line *l, int64_t ns)
{
	uint64_t us = ns > 0 ? (uint64_t)ns / 1000 : 0;

	put_decimal(l, us / 1000, 1);
	put(l, ".");
	put_decimal(l, us % 1000, 3);
	put(l, " ms");
}

static void
line_begin(struct line *l, struct tri_env *env)
{
	l->env = env;
	l->used = 0;
	put(l, "troupe: ");
}

static void
line_end(struct line *l)
{
	l->text[l->used++] = '\n';
	(void)l->env->write(l->env, 2, l->text, l->used);
}

/* ------------------------------------------------------------ messages --- */

static void
put_kind(struct line *l, unsigned kind)
{
	static const char *const names[] = {
		[TRI_MSG_PLAIN] = "message",
		[TRI_MSG_ASK] = "ask",
		[TRI_MSG_REPLY] = "answer",
		[TRI_MSG_TICK] = "tick",
		[TRI_MSG_DOWN] = "DOWN",
		[TRI_MSG_EXIT] = "EXIT",
		[TRI_MSG_OUTCOME] = "outcome",
		[TRI_MSG_START] = "start",
		[TRI_MSG_STOP] = "stop",
		[TRI_MSG_KILL] = "kill",
		[TRI_MSG_MONITOR] = "monitor",
		[TRI_MSG_DEMONITOR] = "demonitor",
		[TRI_MSG_LINK] = "link",
		[TRI_MSG_UNLINK] = "unlink",
		[TRI_MSG_UNLINKED] = "unlinked",
		[TRI_MSG_CALL] = "call",
	};
	const char *name =
	    kind < sizeof(names) / sizeof(names[0]) ? names[kind] : NULL;

	put(l, name != NULL ? name : "control message");
}

/* As the receiver's protocol names it, or the sender's. */
static void
put_tag(struct line *l, const struct tr_system *sys,
    const struct tr_behavior *b, tr_ref sender, uint32_t tag)
{
	const char *name = tri_message_name(b, tag);

	if (name == NULL)
		name = tri_message_name(tri_behavior_of(sys, sender), tag);
	put(l, " ");
	put_decimal(l, tag, 1);
	if (name != NULL) {
		put(l, " ");
		put(l, name);
	}
}

static void
put_message(struct line *l, const struct tr_system *sys,
    const struct tr_behavior *b, unsigned kind, uint32_t tag, tr_ref sender)
{
	put_kind(l, kind);
	if (kind <= TRI_MSG_COUNTED)
		put_tag(l, sys, b, sender, tag);
	if (tr_ref_valid(sender) && kind <= TRI_MSG_START) {
		put(l, " from ");
		put_actor(l, tri_behavior_of(sys, sender), sender);
	}
}

/* ------------------------------------------------------------- workers --- */

static void
put_worker(struct line *l, const struct tri_crew *c)
{
	put(l, "worker ");
	put_decimal(l, c->worker.index, 1);
	put(l, " of system ");
	put_decimal(l, c->desk.sys->number, 1);
}

/* What this thread's worker has in hand. */
static void
report_own(const struct tri_crew *c)
{
	const struct tri_turn *t = &c->turn;
	const struct tr_behavior *b;
	struct line l;

	line_begin(&l, c->worker.env);
	put_worker(&l, c);
	if (t->cell == NULL) {
		put(&l, ": between two actors");
		line_end(&l);
		return;
	}
	b = tri_load_relaxed(&t->cell->behavior);
	put(&l, ": actor ");
	put_actor(&l, b, t->ref);
	if (t->stopping) {
		put(&l, " in its stop()");
	} else if (t->msg != NULL) {
		put(&l, " handles ");
		put_message(&l, c->desk.sys, b, t->msg->kind, t->msg->tag,
		    (tr_ref){ t->msg->sender });
	} else {
		put(&l, " handles, or has taken,");
		put_tag(&l, c->desk.sys, b, TR_REF_NONE,
		    tri_load_relaxed(&c->tag));
	}
	line_end(&l);
}

/* What another one has, as far as one can see from here. */
static void
report_other(struct tr_system *sys, unsigned index)
{
	struct tri_crew *c = tri_crew_at(sys, index);
	tri_word word = tri_load_relaxed(&c->worker.running);
	const struct tr_behavior *b;
	struct tr_self *a;
	struct line l;

	line_begin(&l, sys->env);
	put_worker(&l, c);
	if (word != 0) {
		a = tri_word_object(word);
		b = tri_load_relaxed(&a->behavior);
		put(&l, ": actor ");
		put_actor(&l, b,
		    tri_ref_make(tri_cell_slot(sys, a),
			(uint32_t)tri_load_relaxed(&a->ident)));
		put(&l, " handles tag");
		put_tag(&l, sys, b, TR_REF_NONE, tri_load_relaxed(&c->tag));
		put(&l, ", runs for ");
		put_ms(&l,
		    sys->env->now(sys->env) -
			tri_load_relaxed(&c->worker.running_since));
	} else {
		put(&l,
		    tri_load_relaxed(&c->worker.sleeping) ?
			": asleep" :
			": between two actors");
	}
	line_end(&l);
}

static void
report_workers(struct tr_system *sys, const struct tri_crew *but)
{
	unsigned i;

	for (i = 0; i < sys->sched.n; i++)
		if (tri_crew_at(sys, i) != but)
			report_other(sys, i);
}

/* ------------------------------------------------------- last messages --- */

static void
report_entry(const struct tri_crew *c, const struct tri_flight_entry *e,
    int64_t now)
{
	struct line l;

	line_begin(&l, c->worker.env);
	put(&l, "  ");
	put_ms(&l, now - e->at);
	put(&l, " before: ");
	put_actor(&l, e->behavior, e->actor);
	put(&l, ", ");
	put_message(&l, c->desk.sys, e->behavior, e->kind, e->tag, e->sender);
	line_end(&l);
}

static void
report_flight(const struct tri_crew *c)
{
	const struct tri_flight *f = c->flight;
	int64_t now = c->worker.env->now(c->worker.env);
	uint64_t n, i;
	struct line l;

	if (f == NULL)
		return;
	n = f->count <= f->mask ? f->count : (uint64_t)f->mask + 1;
	line_begin(&l, c->worker.env);
	put(&l, "the last ");
	put_decimal(&l, n, 1);
	put(&l, n == 1 ? " message of " : " messages of ");
	put_worker(&l, c);
	put(&l, ", the newest first:");
	line_end(&l);
	for (i = 1; i <= n; i++)
		report_entry(c, &f->entry[(f->count - i) & f->mask], now);
}

/* ---------------------------------------------------------- the report --- */

static void
report_signal(const struct tri_fault *fault, struct tri_env *env,
    const struct tri_crew *c)
{
	struct line l;

	line_begin(&l, env);
	put(&l, fault->name);
	if (fault->has_address) {
		put(&l, " at address 0x");
		put_hex(&l, fault->address, 1);
	}
	if (fault->sender != 0) {
		put(&l, " from process ");
		put_decimal(&l, (uint64_t)fault->sender, 1);
	}
	put(&l, ", thread ");
	put_decimal(&l, (uint64_t)fault->thread, 1);
	put(&l, ": ");
	if (c != NULL)
		put_worker(&l, c);
	else
		put(&l, "not a worker's thread");
	line_end(&l);
}

/* Any that watches can write; NULL: the last one has just left. */
static struct tri_env *
watcher_env(const struct tri_fault *fault)
{
	unsigned i;

	for (i = 0; i < TRI_FAULT_WATCHERS; i++)
		if (fault->watcher[i] != NULL)
			return ((struct tr_system *)fault->watcher[i])->env;
	return NULL;
}

/* tri_fault_fn */
static void
report_fault(const struct tri_fault *fault)
{
	struct tri_crew *c = (struct tri_crew *)(void *)tri_worker_here;
	struct tri_env *env = c != NULL ? c->worker.env : watcher_env(fault);
	struct tr_system *own = NULL;
	unsigned i;

	if (env == NULL)
		return;
	report_signal(fault, env, c);
	if (c != NULL) {
		own = c->desk.sys;
		report_own(c);
		report_workers(own, c);
	}
	for (i = 0; i < TRI_FAULT_WATCHERS; i++)
		if (fault->watcher[i] != NULL && fault->watcher[i] != own)
			report_workers(fault->watcher[i], NULL);
	if (c != NULL)
		report_flight(c);
}

/* --------------------------------------------------------------- setup --- */

bool
tri_fault_is_valid(const struct tr_options *o)
{
	return o->fault_messages <= TRI_FLIGHT_MAX;
}

static bool
flight_init(struct tr_system *sys, struct tri_crew *c)
{
	uint32_t entries = 1;
	size_t bytes;

	while (entries < sys->options.fault_messages)
		entries *= 2;
	bytes = sizeof(*c->flight) + entries * sizeof(c->flight->entry[0]);
	c->flight = tri_env_alloc(sys->env, bytes);
	if (c->flight == NULL)
		return false;
	memset(c->flight, 0, bytes);
	c->flight->mask = entries - 1;
	return true;
}

static bool
stack_init(struct tr_system *sys, struct tri_crew *c)
{
	char *p = sys->env->reserve(sys->env, GUARD_BYTES + STACK_BYTES);

	if (p == NULL)
		return false;
	c->fault_stack.base = p + GUARD_BYTES;
	c->fault_stack.size = STACK_BYTES;
	return sys->env->commit(sys->env, p + GUARD_BYTES, STACK_BYTES);
}

int
tri_fault_init(struct tr_system *sys)
{
	bool report = sys->options.fault_report;
	unsigned i;

	for (i = 0; i < sys->sched.n; i++) {
		struct tri_crew *c = tri_crew_at(sys, i);

		if ((sys->options.fault_messages > 0 && !flight_init(sys, c)) ||
		    (report && !stack_init(sys, c)))
			return TR_ENOMEM;
	}
	return report ?
	    sys->env->faults_watch(sys->env, sys->number, report_fault, sys) :
	    TR_OK;
}

void
tri_fault_fini(struct tr_system *sys)
{
	unsigned i;

	if (sys->sched.workers == NULL)
		return;
	if (sys->options.fault_report)
		sys->env->faults_unwatch(sys->env, sys->number);
	for (i = 0; i < sys->sched.n; i++) {
		struct tri_crew *c = tri_crew_at(sys, i);

		if (c->flight != NULL)
			tri_env_free(sys->env, c->flight);
		if (c->fault_stack.base != NULL)
			sys->env->release(sys->env,
			    (char *)c->fault_stack.base - GUARD_BYTES,
			    GUARD_BYTES + STACK_BYTES);
	}
}

/* hooks.enter, hooks.leave: the thread's handlers run on the worker's stack. */

void
tri_fault_enter(struct tri_worker *w)
{
	struct tri_crew *c = (struct tri_crew *)(void *)w;

	if (c->fault_stack.base != NULL)
		w->env->signal_stack(w->env, &c->fault_stack,
		    &c->fault_stack_before);
}

void
tri_fault_leave(struct tri_worker *w)
{
	struct tri_crew *c = (struct tri_crew *)(void *)w;

	if (c->fault_stack.base != NULL)
		w->env->signal_stack(w->env, &c->fault_stack_before, NULL);
}
