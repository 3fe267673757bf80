/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * park.c - schedules of sched/park.c and sched/worker.c: real workers, stepped
 * by logical threads, that run jobs, search, fall asleep and are woken.
 *
 * A lost wake-up shows in either of two ways.  All sleep and there is work: a
 * bug whatever the clock does.  Or a job waits, inside its handler, for another
 * one that nobody runs: then time would have to pass, and that is allowed
 * only where the watch is meant to help (`watch`).  Afterwards all has to come
 * to rest: nobody wakes up by itself for more than a few milliseconds.
 */
#include "world.h"

#include <string.h>

enum {
	KIND = 3,
	JOBS = 4,
	PASSES = 8, /* of the watch, until it must have helped, or lie down */
};

struct job {
	alignas(TRI_LINE) struct tri_link link;
	unsigned begun, done;
	int by;
};

struct shape {
	unsigned workers;
	unsigned jobs; /* that have to run */
	unsigned wait_for; /* jobs wait until so many have begun; or */
	bool pair; /* job 0 alone waits, for job 1 */
	bool watch; /* time may pass until then */
	void (*first)(struct tri_worker *w); /* what the first one does */
	void (*foreign)(unsigned k); /* what foreign threads do */
	unsigned at_start; /* jobs that worker 0 has then */
	unsigned ring; /* slots of the rings; 0: as usual */
	bool aside; /* worker 1 is, for a while */
};

static struct {
	struct shape shape;
	struct tri_sched sched;
	struct tri_kind kinds[TRI_KINDS];
	struct job job[JOBS];
	unsigned begun, done, attended, naps;
	uint64_t history;
} rig;

/* ---------------------------------------------------------------- jobs -- */

static tri_word
word(unsigned job)
{
	return tri_word_of(&rig.job[job], KIND);
}

static bool
enough_have_begun(const void *unused)
{
	(void)unused;
	return rig.begun >= rig.shape.wait_for;
}

static bool
second_has_begun(const void *unused)
{
	(void)unused;
	return rig.job[1].begun > 0;
}

static void
job_run(struct tri_worker *w, void *object)
{
	struct job *job = object;

	sched_note("runs job %u", (unsigned)(job - rig.job));
	SCHED_CHECK(tri_worker_here == w);
	SCHED_CHECK(job->begun == 0);
	job->begun++;
	rig.begun++;
	job->by = (int)w->index;
	rig.history =
	    sched_mix(rig.history, (uint64_t)(job - rig.job) * 8 + w->index);
	if (job == rig.job && rig.shape.first != NULL)
		rig.shape.first(w);
	if (!rig.shape.pair)
		sched_wait(enough_have_begun, NULL);
	else if (job == rig.job)
		sched_wait(second_has_begun, NULL);
	job->done++;
	rig.done++;
	sched_note("job %u ends", (unsigned)(job - rig.job));
}

static struct tri_link *
job_link(void *ctx, void *object)
{
	(void)ctx;
	return &((struct job *)object)->link;
}

static void
no_poll(struct tri_worker *w)
{
	(void)w;
}

/* Nobody gets anything done, with or without the others. */
static uint64_t
acts(const struct tri_worker *w)
{
	(void)w;
	return 0;
}

static void
attend(struct tri_worker *w)
{
	rig.attended |= 1u << w->index;
}

/* --------------------------------------------------------------- cases -- */

static void
begin(struct shape shape)
{
	const struct tri_sched_config config = {
		.workers = shape.workers,
		.worker_size = sizeof(struct tri_worker),
		.kinds = rig.kinds,
		.throttle_ns = shape.aside ? 0 : INT64_MAX,
		.hooks = { .poll = no_poll,
		    .attend = attend,
		    .acts = acts,
		    .open = acts },
		.pool_owner = &rig,
		.pools = shape.workers,
		.ring = shape.ring,
	};

	world_begin();
	memset(&rig, 0, sizeof(rig));
	rig.shape = shape;
	rig.kinds[KIND] = (struct tri_kind){ .run = job_run, .link = job_link };
	SCHED_CHECK(tri_sched_init(&rig.sched, &world.env, &config) == 0);
	for (unsigned i = 0; i < shape.at_start; i++)
		tri_sched_push_back(tri_sched_worker(&rig.sched, 0), word(i));
	if (shape.aside) {
		struct tri_worker *w = tri_sched_worker(&rig.sched, 1);

		tri_store_relaxed(&w->aside, 1u);
		w->throttle.until = w->now + 5 * TRI_WATCH_NS;
		w->throttle.since = w->now;
	}
	world_workers(&rig.sched, shape.workers);
	sched_name(&rig.sched.idle, sizeof(rig.sched.idle), "idle");
	sched_name(&rig.sched.searching, sizeof(rig.sched.searching),
	    "searching");
	sched_name(&rig.sched.watch, sizeof(rig.sched.watch), "watch");
	sched_name(&rig.sched.injected, sizeof(rig.sched.injected), "injected");
	for (unsigned i = 0; i < shape.workers; i++) {
		struct tri_worker *w = tri_sched_worker(&rig.sched, i);

		sched_name(&w->bell, sizeof(w->bell), "bell");
		sched_name(&w->sleeping, sizeof(w->sleeping), "sleeping");
		sched_name(&w->inbox, sizeof(w->inbox), "inbox");
		sched_name(&w->q.ring, sizeof(w->q.ring), "ring");
		sched_name(&w->q.pushes, sizeof(w->q.pushes), "pushes");
		sched_name(&w->q.next, sizeof(w->q.next), "next");
	}
}

static void
body(unsigned thread)
{
	if (thread >= rig.shape.workers) {
		rig.shape.foreign(thread - rig.shape.workers);
		return;
	}
	while (tri_worker_step(tri_sched_worker(&rig.sched, thread)))
		;
}

static bool
work_is_left(void)
{
	if (!tri_stack_is_empty(&rig.sched.injected))
		return true;
	for (unsigned i = 0; i < rig.shape.workers; i++) {
		struct tri_worker *w = tri_sched_worker(&rig.sched, i);

		if (tri_runq_waits(&w->q) || !tri_stack_is_empty(&w->inbox))
			return true;
	}
	return false;
}

static bool
attention_is_paid(void)
{
	return tri_load_relaxed(&rig.sched.attention) == 0 ||
	    rig.attended == rig.sched.all;
}

static bool
quiet(void)
{
	bool met = rig.done == rig.shape.jobs && attention_is_paid();

	if (world_asleep() == rig.shape.workers && work_is_left())
		sched_fail("all sleep, and work is left");
	if (!met && !rig.shape.watch)
		sched_fail("a wake-up is lost");
	if (met && rig.sched.attention != 0)
		return false;
	/* What remains is for the watch, or to lie down. */
	if (!world_pass_time(2 * TRI_WATCH_NS)) {
		if (!met)
			sched_fail("nobody keeps watch");
		return false;
	}
	if (++rig.naps > PASSES)
		sched_fail(met ? "somebody does not come to rest" :
				 "the watch does not help");
	return true;
}

static uint64_t
check(void)
{
	uint64_t hash = rig.history;

	SCHED_CHECK(rig.done == rig.shape.jobs);
	for (unsigned i = 0; i < rig.shape.jobs; i++)
		SCHED_CHECK(rig.job[i].done == 1);
	if (rig.sched.quit == 0) {
		SCHED_CHECK(rig.sched.searching == 0);
		SCHED_CHECK(world_asleep() == rig.shape.workers);
		SCHED_CHECK(rig.sched.idle == rig.sched.all);
		SCHED_CHECK(rig.sched.watch == 0 || rig.sched.attention != 0);
	}
	for (unsigned i = 0; i < rig.shape.workers; i++)
		hash = sched_mix(hash, world.loop[i].sleeps);
	return sched_mix(hash, world.passed);
}

/* What the first job, or a foreign thread, does. */
static void
push_others(struct tri_worker *w)
{
	for (unsigned i = 1; i < rig.shape.jobs; i++)
		tri_sched_push_back(w, word(i));
}

static void
push_second(struct tri_worker *w)
{
	tri_sched_push_back(w, word(1));
}

static void
push_next(struct tri_worker *w)
{
	tri_sched_push(w, word(1));
}

static void
push_next_twice(struct tri_worker *w)
{
	tri_sched_push(w, word(1));
	tri_sched_push(w, word(2));
}

static void
push_home(struct tri_worker *w)
{
	tri_sched_push_home(&rig.sched, w, 1 - w->index, word(1));
}

/* As a worker that steps aside, which is throttle.c's to decide. */
static void
give_all(struct tri_worker *w)
{
	struct tri_worker *to = tri_sched_worker(&rig.sched, 1 - w->index);

	if (tri_runq_give(&w->q, &to->q) > 0)
		tri_park_ring(to);
}

static void
give_others(struct tri_worker *w)
{
	for (unsigned i = 1; i < rig.shape.jobs; i++)
		tri_runq_push_back(&w->q, word(i));
	give_all(w);
}

/* What would have been next is to run soon there. */
static void
give_next(struct tri_worker *w)
{
	(void)tri_runq_replace_next(&w->q, word(1));
	give_all(w);
}

static void
inject(unsigned k)
{
	tri_sched_inject(&rig.sched, word(k));
}

static void
inject_home(unsigned k)
{
	tri_sched_push_home(&rig.sched, NULL, k, word(k));
}

/* Or there is no watch that it would pass for. */
static bool
time_has_passed(const void *unused)
{
	bool soon = world_asleep() < rig.shape.workers;

	(void)unused;
	for (unsigned i = 0; i < rig.shape.workers; i++)
		soon |= world.loop[i].deadline <= world.now + TRI_WATCH_NS ||
		    world.loop[i].alarm <= world.now + TRI_WATCH_NS;
	return world.passed > 0 || !soon;
}

/* When the watch looks round.  What is for worker 0 alone makes nobody look
 * for more. */
static void
call_late(unsigned k)
{
	sched_wait(time_has_passed, NULL);
	inject_home(k);
}

/* One calls worker 0, the other anybody. */
static void
call_or_inject(unsigned k)
{
	if (k == 0)
		tri_sched_push_home(&rig.sched, NULL, 0, word(0));
	else
		inject(2);
}

static void
quit(unsigned k)
{
	(void)k;
	tri_sched_quit(&rig.sched);
}

static void
call(unsigned k)
{
	(void)k;
	tri_sched_attend(&rig.sched);
}

#define SHAPE(...) begin((struct shape){ __VA_ARGS__ })

static void
begin_push(void)
{
	SHAPE(.workers = 2, .jobs = 2, .wait_for = 2, .first = push_others,
	    .at_start = 1);
}

static void
begin_burst(void)
{
	SHAPE(.workers = 3, .jobs = 3, .wait_for = 3, .first = push_others,
	    .at_start = 1);
}

/* A ring of one place: the rest goes into the overflow list. */
static void
begin_overflow(void)
{
	SHAPE(.workers = 3, .jobs = 3, .wait_for = 3, .first = push_others,
	    .at_start = 1, .ring = 2);
}

static void
begin_behind(void)
{
	SHAPE(.workers = 2, .jobs = 2, .wait_for = 2, .at_start = 2);
}

static void
begin_home(void)
{
	SHAPE(.workers = 2, .jobs = 2, .wait_for = 2, .first = push_home,
	    .at_start = 1);
}

static void
begin_inject(void)
{
	SHAPE(.workers = 2, .jobs = 1, .foreign = inject);
}

static void
begin_inject_two(void)
{
	SHAPE(.workers = 2, .jobs = 2, .wait_for = 2, .foreign = inject);
}

static void
begin_inject_push(void)
{
	SHAPE(.workers = 2, .jobs = 2, .wait_for = 2, .first = push_others,
	    .foreign = inject);
}

static void
begin_inject_home(void)
{
	SHAPE(.workers = 2, .jobs = 2, .foreign = inject_home);
}

static void
begin_next(void)
{
	SHAPE(.workers = 2, .jobs = 2, .wait_for = 2, .first = push_next,
	    .watch = true, .at_start = 1);
}

static void
begin_next_three(void)
{
	SHAPE(.workers = 3, .jobs = 3, .wait_for = 3, .first = push_next_twice,
	    .watch = true, .at_start = 1);
}

static void
begin_inject_next(void)
{
	SHAPE(.workers = 2, .jobs = 2, .wait_for = 2, .first = push_next,
	    .watch = true, .foreign = inject);
}

static void
begin_late_home(void)
{
	SHAPE(.workers = 2, .jobs = 2, .wait_for = 2, .first = push_next,
	    .watch = true, .foreign = call_late);
}

static void
begin_gift(void)
{
	SHAPE(.workers = 2, .jobs = 2, .wait_for = 2, .first = give_others,
	    .at_start = 1);
}

static void
begin_gift_two(void)
{
	SHAPE(.workers = 2, .jobs = 3, .wait_for = 2, .first = give_others,
	    .at_start = 1);
}

static void
begin_gift_next(void)
{
	SHAPE(.workers = 2, .jobs = 2, .wait_for = 2, .first = give_next,
	    .at_start = 1);
}

static void
begin_aside_home(void)
{
	SHAPE(.workers = 2, .jobs = 2, .wait_for = 2, .first = push_home,
	    .at_start = 1, .aside = true);
}

static void
begin_aside_next(void)
{
	SHAPE(.workers = 2, .jobs = 2, .wait_for = 2, .first = push_next,
	    .watch = true, .at_start = 1, .aside = true);
}

static void
begin_aside_inject(void)
{
	SHAPE(.workers = 2, .jobs = 1, .watch = true, .foreign = inject,
	    .aside = true);
}

static void
begin_relay(void)
{
	SHAPE(.workers = 2, .jobs = 3, .pair = true, .first = push_second,
	    .foreign = call_or_inject);
}

static void
begin_quit(void)
{
	SHAPE(.workers = 2, .foreign = quit);
}

static void
begin_attend(void)
{
	SHAPE(.workers = 2, .foreign = call);
}

#define PARK_CASE(n, t, b, w)                                                 \
	{                                                                     \
		.name = n, .what = w, .threads = t, .setup = b, .body = body, \
		.quiet = quiet, .check = check, .buffers = true,              \
		.may_wait = true                                              \
	}

static const struct sched_case cases[] = {
	PARK_CASE("push", 2, begin_push,
	    "a handler waits for what it pushed, 2 workers"),
	PARK_CASE("burst", 3, begin_burst,
	    "three handlers wait for one another, 3 workers"),
	PARK_CASE("overflow", 3, begin_overflow,
	    "the same with a ring of one place"),
	PARK_CASE("behind", 2, begin_behind,
	    "a handler waits for what is behind it in the ring"),
	PARK_CASE("home", 2, begin_home,
	    "a handler waits for what it pushed to the other worker"),
	PARK_CASE("inject", 3, begin_inject,
	    "a foreign thread injects, 2 workers"),
	PARK_CASE("inject_two", 4, begin_inject_two,
	    "2 foreign threads inject what waits for each other"),
	PARK_CASE("inject_push", 3, begin_inject_push,
	    "what was injected waits for what it pushes"),
	PARK_CASE("inject_home", 4, begin_inject_home,
	    "2 foreign threads push to one worker each"),
	PARK_CASE("next", 2, begin_next,
	    "a handler waits for its `next`: the watch helps"),
	PARK_CASE("next_three", 3, begin_next_three,
	    "and for one more, 3 workers"),
	PARK_CASE("inject_next", 3, begin_inject_next,
	    "what was injected waits for its `next`"),
	PARK_CASE("late_home", 3, begin_late_home,
	    "what was pushed home does, as the watch lies down"),
	PARK_CASE("gift", 2, begin_gift,
	    "a handler waits for what it gave to the other worker"),
	PARK_CASE("gift_two", 2, begin_gift_two, "the same with two"),
	PARK_CASE("gift_next", 2, begin_gift_next,
	    "the same for what it was to run next"),
	PARK_CASE("aside_home", 2, begin_aside_home,
	    "a handler waits for what it pushed to a worker that is aside"),
	PARK_CASE("aside_next", 2, begin_aside_next,
	    "a handler waits for its `next`, the other worker is aside"),
	PARK_CASE("aside_inject", 3, begin_aside_inject,
	    "a foreign thread injects, one worker is aside"),
	PARK_CASE("relay", 4, begin_relay,
	    "one is called, another wakes anybody, the first one pushes"),
	PARK_CASE("quit", 3, begin_quit, "2 workers are told to end"),
	PARK_CASE("attend", 3, begin_attend, "2 workers are called"),
};

int
main(int argc, char **argv)
{
	return sched_main(argc, argv, cases, sizeof(cases) / sizeof(*cases),
	    " park.c throttle.c worker.c ");
}
