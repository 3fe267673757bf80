/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The dump: every worker and every living actor as a line of text.
 *
 * It reads what the owners publish with relaxed stores and stops nobody, so a
 * line may be of a slightly different moment than the next.  Any thread.
 */
#include "actors/apart.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { OUT_BYTES = 16384, LINE_BYTES = 512, PIECE_BYTES = 160 };

struct out {
	struct tri_env *env;
	int fd;
	int error;
	size_t used;
	char *text;
};

/* Names by slot, open addressing; copied, for their actors may end. */
struct names {
	uint32_t size; /* a power of two; 0: none */
	struct tri_name *entry;
};

static void
out_flush(struct out *o)
{
	if (o->error == 0 && o->used > 0)
		o->error = o->env->write(o->env, o->fd, o->text, o->used);
	o->used = 0;
}

static void __attribute__((format(printf, 2, 3)))
out_line(struct out *o, const char *format, ...)
{
	va_list ap;
	int n;

	if (OUT_BYTES - o->used < LINE_BYTES)
		out_flush(o);
	va_start(ap, format);
	n = vsnprintf(o->text + o->used, LINE_BYTES, format, ap);
	va_end(ap);
	if (n > 0)
		o->used += (size_t)n < LINE_BYTES ? (size_t)n : LINE_BYTES - 1;
}

/*
 * The pieces of a line that is written a million times: printf would take most
 * of the time.  A line begins with out_room, and none is longer than that.
 */
static void
out_room(struct out *o)
{
	if (OUT_BYTES - o->used < LINE_BYTES)
		out_flush(o);
}

static void
out_text(struct out *o, const char *text)
{
	size_t n = strnlen(text, PIECE_BYTES);

	memcpy(o->text + o->used, text, n);
	o->used += n;
}

static void
out_decimal(struct out *o, uint64_t n)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	memcpy(o->text + o->used, digits + at, sizeof(digits) - at);
	o->used += sizeof(digits) - at;
}

static void
out_hex8(struct out *o, uint32_t n)
{
	int shift;

	for (shift = 28; shift >= 0; shift -= 4)
		o->text[o->used++] = "0123456789abcdef"[n >> shift & 15];
}

/* -------------------------------------------------------------- names --- */

static void
names_count(const struct tri_name *name, void *arg)
{
	(void)name;
	++*(uint32_t *)arg;
}

static void
names_copy(const struct tri_name *name, void *arg)
{
	struct names *n = arg;
	uint32_t at = tri_ref_slot(name->ref), tries;

	if (!tr_ref_valid(name->ref))
		return;
	/* More may have come since they were counted: those are left out. */
	for (tries = 0; tries < n->size / 2; tries++, at++) {
		struct tri_name *e = &n->entry[at & (n->size - 1)];

		if (!tr_ref_valid(e->ref)) {
			/* Its links to others are not the lock's. */
			e->ref = name->ref;
			e->named = name->named;
			return;
		}
	}
}

static void
names_collect(struct tr_system *sys, struct names *n)
{
	struct tri_memory *memory = &sys->env->memory;
	uint32_t count = 0;

	n->size = 0;
	n->entry = NULL;
	tri_names_each(sys, names_count, &count);
	if (count == 0)
		return;
	n->size = 16;
	while (n->size < count * 2)
		n->size *= 2;
	n->entry =
	    tri_memory_alloc(memory, n->size * sizeof(*n->entry), "dump names");
	if (n->entry == NULL) {
		n->size = 0;
		return;
	}
	memset(n->entry, 0, n->size * sizeof(*n->entry));
	tri_names_each(sys, names_copy, n);
}

static const char *
names_find(const struct names *n, tr_ref ref)
{
	uint32_t at = tri_ref_slot(ref), tries;

	for (tries = 0; tries < n->size; tries++, at++) {
		const struct tri_name *e = &n->entry[at & (n->size - 1)];

		if (!tr_ref_valid(e->ref))
			break;
		if (tr_ref_equal(e->ref, ref))
			return e->named.text;
	}
	return "-";
}

/* -------------------------------------------------------------- lines --- */

static const char *
dump_worker_state(const struct tri_worker *w)
{
	if (tri_load_relaxed(&w->sleeping))
		return tri_load_relaxed(&w->aside) ? "aside" : "asleep";
	return tri_load_relaxed(&w->running) ? "running" : "awake";
}

static void
dump_workers(struct tr_system *sys, struct out *o)
{
	unsigned i;

	for (i = 0; i < sys->sched.n; i++) {
		struct tri_worker *w = tri_sched_worker(&sys->sched, i);

		out_line(o,
		    "worker %u %s batches %" PRIu64 " steals %" PRIu64
		    " parks %" PRIu64 " wakeups %" PRIu64 " polls %" PRIu64
		    "\n",
		    i, dump_worker_state(w),
		    tri_load_relaxed(&w->counts.batches),
		    tri_load_relaxed(&w->counts.steals),
		    tri_load_relaxed(&w->counts.parks),
		    tri_load_relaxed(&w->counts.wakeups),
		    tri_load_relaxed(&w->counts.polls));
	}
}

/* What it runs, where it is running. */
static void
dump_running(struct tr_system *sys, unsigned worker,
    const struct tr_behavior *b, char *text, size_t size)
{
	struct tri_crew *c = tri_crew_at(sys, worker);
	uint32_t tag = tri_load_relaxed(&c->tag);
	const char *message = tri_message_name(b, tag);

	snprintf(text, size, "running on %u since %.3f ms, tag %" PRIu32 "%s%s",
	    worker,
	    (double)(sys->env->now(sys->env) -
		tri_load_relaxed(&c->worker.running_since)) *
		1e-6,
	    tag, message != NULL ? " " : "", message != NULL ? message : "");
}

/* Its state in words; `text` holds what has a number in it. */
static const char *
dump_state(struct tr_system *sys, struct tr_self *a,
    const struct tr_behavior *b, uint64_t head, char *text, size_t size)
{
	tri_word word = tri_word_of(a, TRI_KIND_ACTOR);
	uint32_t asks;
	unsigned i;

	for (i = 0; i < sys->sched.n; i++) {
		struct tri_crew *c = tri_crew_at(sys, i);

		if (tri_load_relaxed(&c->worker.running) != word)
			continue;
		dump_running(sys, i, b, text, size);
		return text;
	}
	if ((tri_load_relaxed(&a->ident) & TRI_IDENT_HELD) != 0)
		return "held";
	if (head != TRI_INLET_IDLE &&
	    !(tri_inlet_is_reserved(head) && tri_load_relaxed(&a->taken) == 0))
		return "queued";
	if ((tri_load_relaxed(&a->ident) & TRI_IDENT_COLD) == 0)
		return "idle";
	asks = tri_load_relaxed(&tri_cold(sys, a)->asks);
	if (asks == 0)
		return "idle";
	snprintf(text, size, "waiting for %u", asks);
	return text;
}

static bool
dump_actor(struct tr_system *sys, struct out *o, const struct names *names,
    uint32_t slot)
{
	struct tr_self *a = tri_cell(sys, slot);
	/* acq: pairs with tri_inlet_open, for the behaviour. */
	uint64_t head = tri_inlet_head(sys, a);
	const struct tr_behavior *b = tri_load_relaxed(&a->behavior);
	tr_ref ref = tri_ref_make(slot, (uint32_t)tri_load_relaxed(&a->ident));
	char state[160];

	if (head == TRI_INLET_CLOSED || b == NULL)
		return false;
	out_room(o);
	out_text(o, "actor ");
	out_hex8(o, tri_ref_generation(ref));
	out_text(o, ".");
	out_decimal(o, slot);
	out_text(o, " name ");
	out_text(o, names_find(names, ref));
	out_text(o, " behavior ");
	out_text(o, tri_behavior_name(b));
	out_text(o, " mailbox ");
	out_decimal(o,
	    (uint64_t)tri_inlet_length(head) + tri_load_relaxed(&a->taken) +
		tri_bursts_length(sys, a));
	out_text(o, " handled ");
	out_decimal(o, tri_load_relaxed(&a->handled));
	out_text(o, " ");
	out_text(o, dump_state(sys, a, b, head, state, sizeof(state)));
	out_text(o, "\n");
	return true;
}

int
tr_dump(struct tr_system *system, int fd)
{
	struct tri_memory *memory = &system->env->memory;
	struct out o = { .env = system->env, .fd = fd };
	uint32_t limit, slot;
	uint64_t actors = 0;
	struct names names;

	o.text = tri_memory_alloc(memory, OUT_BYTES, "dump text");
	if (o.text == NULL)
		return TR_ENOMEM;
	names_collect(system, &names);
	out_line(&o, "system %u workers %u actors %" PRIu64 "%s\n",
	    system->number, system->sched.n, tri_system_alive(system),
	    tri_load_relaxed(&system->stopping) ? " stopping" : "");
	dump_workers(system, &o);
	limit = tri_load_acquire(&system->actors.limit);
	for (slot = 0; slot < limit && o.error == 0; slot++)
		actors += dump_actor(system, &o, &names, slot);
	out_line(&o, "%" PRIu64 " actors listed\n", actors);
	out_flush(&o);
	if (names.entry != NULL)
		memory->free(memory->ctx, names.entry);
	memory->free(memory->ctx, o.text);
	return o.error;
}
