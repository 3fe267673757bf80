/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stepping aside: fewer workers where fewer are faster.
 *
 * A message to an actor on another core costs some cache misses, 100 to 300 ns
 * together, where the message itself may cost 30.  So actors that talk all the
 * time and do little else get slower when a thief takes some of them away:
 * dining philosophers and their arbiter to a third of their speed.  A thief
 * cannot tell; and how much it hurts depends on the machine.  It is measured
 * instead, by hill climbing, as .NET's thread pool finds its number of threads
 * (Hellerstein, Morrison, Eilebrecht: "Applying Control Theory in the Real
 * World", 2009), in one dimension:
 *
 * - A worker that has been busy for a window asks two things: were its acts
 *   small (a message sent or handled, an actor spawned or ended: less than
 *   TRI_SMALL_NS each), and did a good part of all messages, one in CROSSED, cross
 *   from worker to worker?  (A message that did goes home to another pool: that
 *   is what is counted.  Those of streams, mailbox/burst.h, cost hardly more than
 *   others and do not count.  An actor that is stolen brings its lines along, and
 *   those of who is the next to talk to it: it counts for STOLEN.)
 * - If so it steps aside, for a trial: it gives all it may give away to a busy
 *   worker, and sleeps.  One at least stays.
 * - If the others get as much done without it as all do with it, it stays aside,
 *   each time twice as long, BREAK_MIN_NS to ASIDE_MAX_NS; then it takes part
 *   again, until the next window has passed.  If not, it comes back, and no worker
 *   tries again for such a time, up to ALONE_MAX_NS.
 * - A program has phases, so one window of it says little.  What a trial is
 *   compared with is the average of the last few, in which the first after a change
 *   counts for half: it may be that the program has changed meanwhile.  It begins
 *   anew when others step aside or come back, and leaves out windows in which it
 *   did next to nothing, or they: those say nothing of what is done with it.
 * - Still that is two ms or so, and a program may go on for longer with what one
 *   does better, and then with what the other way is better for.  So after a trial
 *   that failed it looks what is done with it from then on, in as long a time as the
 *   trial took.  If that is less (by one in LESS) the trial was right after all, and
 *   it steps aside at once; if it gets less later, another trial is made.  Where
 *   there is little to do that says nothing.
 * - Nor does the first ms of a trial say much.  What the one that stepped aside has
 *   used is in the wrong cache, a backlog of the two has to be handled first, and
 *   whoever sends a hundred thousand messages before one of them is handled has
 *   done half the work.  So a trial goes on, up to TRIAL_MAX_NS, until no more than
 *   a quarter of the backlog is left, and then for as long as the messages that
 *   wait get more, and some ms longer if it is close.  Its result holds for so many
 *   times its length, if that is longer.  If the others are in one handler each all
 *   the time it says nothing, and ends.
 *
 * Of many workers several may be on trial at the same time; they judge together,
 * so what is found out is whether the few that are left do, not how many would
 * be best.
 *
 * While it is aside it is not in the idle mask, so nobody wakes it for work;
 * its own (timers, descriptors, pinned actors) it does, and gives what that
 * wakes away at each poll.  It gets up every NAP_NS to see whether it is missed:
 * when somebody is stuck (it may be the watch) it comes back at once, and when the
 * others' pace, on average, has fallen to half while work waits, in a few ms.
 *
 * What is given away goes to the other's overflow list, under that list's lock,
 * and then its bell is rung if it sleeps: the same pair of read-modify-writes
 * as for an inbox (park.c).
 *
 * All on the worker's own thread.
 */
#include "sched/sched.h"

enum {
	CROSSED = 8, /* one message in so many */
	STOLEN = 8, /* messages that an actor from elsewhere is worth */
	FEW = 4, /* words that wait */
	SAMPLES = 4, /* that an average remembers, about */
	OTHERS = 8, /* one of so many is a change, or takes part */
	LESS = 16, /* by one of so many */
	WINDOWS = 4, /* longer ones, if it slept, say nothing */
	BACKLOG = 16384, /* messages that wait: more take their time */
	STILL = 12, /* looks at a trial in which no batch ends */
	CLOSE = 4, /* looks at one that is close */
	GOOD_HOLDS = 8, /* so many times its length a trial's result holds, */
	BAD_HOLDS = 16,
	NONE_HOLDS = 16, /* if all stood still, and few wait for them */
	CROWD_NS = 500 * 1000, /* one met in so much is many */
	GIVE_MAX = 1024, /* who has more words than that has work for two */
};

_Static_assert((int)STILL < (int)TRI_FLOOD_LOOKS,
    "else it comes back to help before the trial is judged, and tries again");

#define TRIAL_NS     (INT64_C(1) * 1000 * 1000)
#define TRIAL_MAX_NS (INT64_C(32) * 1000 * 1000)
#define BREAK_MIN_NS (INT64_C(8) * 1000 * 1000)
#define ASIDE_MAX_NS (INT64_C(64) * 1000 * 1000)
#define ALONE_MAX_NS (INT64_C(256) * 1000 * 1000)
#define NAP_NS       (INT64_C(1) * 1000 * 1000)

/* What all workers have done (hooks.acts), and how many messages were another
 * worker's, and did not come in a stream; or as many as actors that were stolen are
 * worth. */
static void
throttle_count(struct tri_sched *s, uint64_t *acts, int64_t *crossed)
{
	*acts = 0;
	*crossed = 0;
	for (unsigned i = 0; i < s->n; i++) {
		struct tri_worker *w = tri_sched_worker(s, i);

		*acts += s->hooks.acts(w);
		*crossed += (int64_t)tri_load_relaxed(&w->pool.far) -
		    (int64_t)tri_load_relaxed(&w->counts.streamed) +
		    STOLEN * (int64_t)tri_load_relaxed(&w->counts.steals);
	}
}

/* Messages that wait, of all workers, more or less: each counts for itself. */
static int64_t
throttle_open(struct tri_sched *s)
{
	uint64_t open = 0;

	for (unsigned i = 0; i < s->n; i++)
		open += s->hooks.open(tri_sched_worker(s, i));
	return (int64_t)open;
}

static uint64_t
throttle_batches(struct tri_sched *s)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < s->n; i++)
		n += tri_load_relaxed(&tri_sched_worker(s, i)->counts.batches);
	return n;
}

void
tri_throttle_init(struct tri_worker *w)
{
	w->throttle.aside_ns = w->throttle.alone_ns = BREAK_MIN_NS;
}

static void
throttle_begin(struct tri_worker *w)
{
	struct tri_throttle *t = &w->throttle;

	throttle_count(w->sched, &t->acts, &t->crossed);
	t->own = w->sched->hooks.acts(w);
	t->open = throttle_open(w->sched);
	t->parks = tri_load_relaxed(&w->counts.parks);
	t->crowds = tri_load_relaxed(&w->counts.crowds);
	t->since = w->now;
}

/* Acts per ms of all workers since the beginning. */
static uint64_t
throttle_pace(struct tri_worker *w)
{
	int64_t span = w->now - w->throttle.since, crossed;
	uint64_t acts;

	throttle_count(w->sched, &acts, &crossed);
	return (acts - w->throttle.acts) * 1000000 /
	    (uint64_t)(span > 0 ? span : 1);
}

/* Whether acts are small where so many are done in a ms. */
static bool
throttle_is_small(uint64_t pace)
{
	return pace * TRI_SMALL_NS >= 1000000;
}

static void
throttle_sample(struct tri_pace *p, uint64_t acts)
{
	if (p->samples < SAMPLES)
		p->samples++;
	p->acts = (p->acts * (p->samples - 1) + acts) / p->samples;
}

/* Whether so many have stepped aside meanwhile, or come back, that the average is
 * of something else: of what is done without them, or with them. */
static bool
throttle_is_other(struct tri_worker *w)
{
	struct tri_throttle *t = &w->throttle;
	uint32_t asides = tri_load_relaxed(&w->sched->asides);
	uint32_t more =
	    asides > t->asides ? asides - t->asides : t->asides - asides;

	if (more * OTHERS <= w->sched->n - asides)
		return false;
	t->asides = asides;
	t->with = (struct tri_pace){ 0 };
	return true;
}

/* Whether what was done in this window is of all: it has done some of that, and the
 * others have; else it does not say what they do with it. */
static bool
throttle_is_of_all(struct tri_worker *w)
{
	struct tri_throttle *t = &w->throttle;
	uint64_t n = w->sched->n - tri_load_relaxed(&w->sched->asides);
	uint64_t own = w->sched->hooks.acts(w) - t->own, acts;
	int64_t crossed;

	throttle_count(w->sched, &acts, &crossed);
	acts -= t->acts;
	return own * n * OTHERS >= acts &&
	    (acts - own) * n * OTHERS >= acts * (n - 1);
}

/* What comes next is of another time. */
static void
throttle_forget(struct tri_pace *p)
{
	if (p->samples > 1)
		p->samples = 1;
}

/* A busy worker that may be given work; NULL: there is none. */
static struct tri_worker *
throttle_taker(struct tri_worker *w)
{
	struct tri_sched *s = w->sched;
	uint64_t idle = tri_load_seq_cst(&s->idle);

	for (unsigned i = 0; i < s->n; i++) {
		struct tri_worker *v = tri_sched_worker(s, i);

		if (v != w && (idle >> i & 1) == 0 &&
		    tri_load_relaxed(&v->aside) == 0)
			return v;
	}
	return NULL;
}

static void
throttle_give(struct tri_worker *w, struct tri_worker *to)
{
	tri_sched_publish(w);
	if (tri_runq_give(&w->q, &to->q) > 0)
		tri_park_ring(to);
	/* rel: pairs with tri_sched_withdraw. */
	tri_store_release(&to->yielded, 1u);
}

/* It does not take part from here on.  false: it is the last that does. */
static bool
throttle_leave(struct tri_worker *w, struct tri_worker *to)
{
	uint32_t n = tri_load_relaxed(&w->sched->asides);

	do
		if (n >= w->sched->n - 1)
			return false;
	while (!tri_cas_weak_acq_rel(&w->sched->asides, &n, n + 1));
	tri_store_relaxed(&w->aside, 1u);
	w->throttle.review.since = 0;
	tri_count(&w->counts.asides, (uint64_t)1);
	throttle_give(w, to);
	return true;
}

static int64_t
throttle_between(int64_t ns, int64_t max)
{
	return ns < BREAK_MIN_NS ? BREAK_MIN_NS : ns > max ? max : ns;
}

/* It takes part again. */
static void
throttle_return(struct tri_worker *w)
{
	tri_store_relaxed(&w->aside, 0u);
	tri_fetch_sub_relaxed(&w->sched->asides, 1u);
	w->throttle.since = 0;
	throttle_forget(&w->throttle.with);
}

static void
trial_begin(struct tri_worker *w, struct tri_worker *to)
{
	struct tri_trial *trial = &w->throttle.trial;
	int64_t open = throttle_open(w->sched);

	*trial = (struct tri_trial){
		.on = true,
		.few = tri_runq_length(&to->q) <= FEW,
		.began = w->now,
		.backlog = open > BACKLOG ? open / 4 : INT64_MAX,
		.batches = throttle_batches(w->sched),
	};
	w->throttle.until = w->now + TRIAL_NS;
}

/* Whether the last look is one of several at which nothing was over, or hardly
 * anything was done. */
static bool
trial_stands_still(struct tri_worker *w, uint64_t pace)
{
	struct tri_trial *trial = &w->throttle.trial;
	uint64_t batches = throttle_batches(w->sched);

	if (batches == trial->batches || !throttle_is_small(pace))
		trial->still++;
	else
		trial->still = 0;
	trial->batches = batches;
	return trial->still >= STILL;
}

/* Whether it is too early to say; `pace`: since the throttle began to count. */
static bool
trial_goes_on(struct tri_worker *w, uint64_t pace)
{
	struct tri_throttle *t = &w->throttle;
	struct tri_trial *trial = &t->trial;
	int64_t open = throttle_open(w->sched);
	int64_t acts = (int64_t)pace * (w->now - t->since) / 1000000;

	if (w->now - trial->began >= TRIAL_MAX_NS)
		return false;
	if (trial->backlog != INT64_MAX) {
		if (open <= trial->backlog) {
			trial->backlog = INT64_MAX;
			throttle_begin(w);
		}
		return true;
	}
	/* Clearly better is good enough. */
	if ((open - t->open) * 8 > acts && pace * 4 < t->with.acts * 5)
		return true;
	if (pace >= t->with.acts || pace * 3 < t->with.acts * 2 ||
	    ++trial->close >= CLOSE)
		return false;
	throttle_begin(w);
	return true;
}

/* It is not missed: it stays aside, for so long at least. */
static void
throttle_stay(struct tri_worker *w, int64_t holds)
{
	struct tri_throttle *t = &w->throttle;

	t->until = w->now + (holds < t->aside_ns ? t->aside_ns : holds);
	t->aside_ns = throttle_between(t->aside_ns * 2, ASIDE_MAX_NS);
	t->alone_ns = BREAK_MIN_NS;
	throttle_begin(w);
}

/* It is missed, or that cannot be said: it takes part, and leaves off trying. */
static void
throttle_rejoin(struct tri_worker *w, int64_t holds)
{
	struct tri_throttle *t = &w->throttle;

	t->until = w->now + (holds < t->alone_ns ? t->alone_ns : holds);
	t->aside_ns = throttle_between(t->aside_ns / 2, ASIDE_MAX_NS);
	t->alone_ns = throttle_between(t->alone_ns * 2, ALONE_MAX_NS);
	throttle_return(w);
}

static void
review_begin(struct tri_worker *w, int64_t span, bool again)
{
	struct tri_review *review = &w->throttle.review;
	int64_t crossed;

	review->since = w->now;
	review->span = span;
	review->again = again;
	throttle_count(w->sched, &review->acts, &crossed);
}

/*
 * As much time has passed as the trial took, or since the last such look.  If less is
 * done with it than was without, the trial was right after all, and it steps aside;
 * or, later, another one can be made.  true: it is aside.
 */
static bool
review_look(struct tri_worker *w)
{
	struct tri_throttle *t = &w->throttle;
	struct tri_review *review = &t->review;
	int64_t took = w->now - review->since, crossed;
	struct tri_worker *to = review->again ? NULL : throttle_taker(w);
	uint64_t acts, pace;

	throttle_count(w->sched, &acts, &crossed);
	pace = (acts - review->acts) * 1000000 / (uint64_t)took;
	review->since = 0;
	/* It slept for most of it, or there is little to do: that says nothing. */
	if (took >= WINDOWS * review->span || !throttle_is_small(pace) ||
	    pace * (LESS + 1) >= t->pace * LESS) {
		if (w->now < t->until)
			review_begin(w,
			    throttle_between(review->span, ALONE_MAX_NS), true);
		return false;
	}
	t->with = (struct tri_pace){ pace, SAMPLES };
	t->until = 0;
	tri_store_relaxed(&w->sched->no_trials, (int64_t)0);
	if (to == NULL || !throttle_leave(w, to))
		return false;
	throttle_stay(w, GOOD_HOLDS * review->span);
	return true;
}

/* The trial is over. */
static void
trial_judge(struct tri_worker *w, uint64_t pace, bool still)
{
	struct tri_throttle *t = &w->throttle;
	int64_t took = w->now - t->trial.began;
	int64_t none = t->trial.few ? NONE_HOLDS * took : 0;

	t->trial.on = false;
	t->pace = pace;
	t->without = (struct tri_pace){ pace, SAMPLES };
	if (pace >= t->with.acts) {
		throttle_stay(w, still ? none : GOOD_HOLDS * took);
		return;
	}
	throttle_rejoin(w, still ? none : BAD_HOLDS * took);
	if (still)
		return;
	/* Of all those that might try: one finds out. */
	tri_store_relaxed(&w->sched->no_trials, t->until);
	review_begin(w, took, false);
}

static void
trial_look(struct tri_worker *w, uint64_t pace)
{
	bool still = trial_stands_still(w, pace);

	if (!still && trial_goes_on(w, pace))
		w->throttle.until = w->now + TRIAL_NS;
	else
		trial_judge(w, pace, still);
}

/* Whether its messages are small and cross over, or will, for it sends them where
 * others do. */
static bool
throttle_wanted(struct tri_worker *w)
{
	struct tri_throttle *t = &w->throttle;
	uint64_t span = (uint64_t)(w->now - t->since), acts, crowds;
	int64_t crossed;

	throttle_count(w->sched, &acts, &crossed);
	acts -= t->acts;
	crossed -= t->crossed;
	crowds = tri_load_relaxed(&w->counts.crowds) - t->crowds;
	/* On average, too: a burst between long handlers is no reason. */
	return (w->sched->hooks.acts(w) - t->own) * TRI_SMALL_NS > span &&
	    throttle_is_small(t->with.acts) &&
	    /* A message: sent and handled. */
	    (crossed * CROSSED * 2 > (int64_t)acts ||
		crowds * CROWD_NS > span) &&
	    tri_runq_length(&w->q) + tri_reserve_count(&w->reserve) <= GIVE_MAX;
}

/* The system stops: every worker is wanted, and soon one after the other ends. */
static bool
throttle_stops(const struct tri_worker *w)
{
	return tri_load_relaxed(&w->sched->attention) != 0;
}

/* At the end of a poll. */
void
tri_throttle_poll(struct tri_worker *w)
{
	struct tri_throttle *t = &w->throttle;
	struct tri_worker *to;

	if (tri_load_relaxed(&w->aside) != 0) {
		to = throttle_taker(w);
		if (to == NULL || w->now >= t->until || throttle_stops(w))
			throttle_return(w);
		else
			throttle_give(w, to);
		return;
	}
	to = throttle_stops(w) ? NULL : tri_flood_over(w);
	if (to != NULL)
		throttle_give(w, to);
	if (t->review.since != 0 &&
	    w->now - t->review.since >= t->review.span && !throttle_stops(w) &&
	    review_look(w))
		return;
	if (throttle_is_other(w) || t->since == 0) {
		throttle_begin(w);
		return;
	}
	if (w->now - t->since < w->sched->throttle_ns || throttle_stops(w))
		return;
	if (!throttle_is_of_all(w)) {
		throttle_begin(w);
		return;
	}
	/* Else it was asleep for most of it. */
	if (w->now - t->since < WINDOWS * w->sched->throttle_ns ||
	    tri_load_relaxed(&w->counts.parks) == t->parks)
		throttle_sample(&t->with, throttle_pace(w));
	to = NULL;
	if (w->now >= t->until &&
	    w->now >= tri_load_relaxed(&w->sched->no_trials) &&
	    throttle_wanted(w))
		to = throttle_taker(w);
	if (to != NULL && throttle_leave(w, to))
		trial_begin(w, to);
	throttle_begin(w);
}

/* Aside, and up for a moment.  true: it takes part again. */
bool
tri_throttle_is_over(struct tri_worker *w)
{
	struct tri_throttle *t = &w->throttle;
	uint64_t pace = throttle_pace(w);

	if (t->trial.on) {
		if (w->now >= t->until)
			trial_look(w, pace);
	} else if (w->now >= t->until) {
		throttle_return(w);
	} else if (w->now - t->since >= NAP_NS) {
		throttle_sample(&t->without, pace);
		if (pace < t->pace / 2 && t->without.acts < t->pace / 2 &&
		    tri_park_sees_work(w)) {
			t->until = w->now + BREAK_MIN_NS;
			throttle_return(w);
		} else {
			throttle_begin(w);
		}
	}
	return tri_load_relaxed(&w->aside) == 0;
}

/* When to get up and ask that. */
int64_t
tri_throttle_nap(const struct tri_worker *w)
{
	int64_t at = w->now + NAP_NS;

	return at < w->throttle.until ? at : w->throttle.until;
}
