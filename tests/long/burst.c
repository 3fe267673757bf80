/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * burst: 10^7 of something at once, then silence, and the memory is back.
 *
 * Five kinds of bursts, each from an idle system back to an idle system:
 *
 *   sends    a worker's messages pile up in the mailbox of an actor of another
 *            worker that does not get to them
 *   posts    the same from a foreign thread: the pool that no worker owns
 *   asks     the same with asks, a quarter of it: records, and duties to
 *            answer
 *   actors   as many actors that exist at once, and end: cells and their cold
 *            parts
 *   busy     sends again, but afterwards the worker of the receiver has no
 *            second of idleness; the sender's sleeps over what comes home
 *
 * Afterwards the system has to give back what it took, to a tenth above the
 * base line (and 1 MB); how long that takes is printed.  A second of idleness
 * is what the library waits for before it begins.
 */
#include "long.h"

enum { SEND, GATE, WORK, DROP, SMALL = TEST_SCALE(100000) };

enum { PATIENCE_S = 20 }; /* until memory that is not back is lost */

static struct {
	uint64_t n; /* of each kind */
	tr_ref source, sink;
	atomic_ullong arrived, ended;
	atomic_bool queued, open;
} b;

enum { SENDS, POSTS, ASKS, ACTORS, BUSY, KINDS };

static const char *const kind_name[KINDS] = { "sends", "posts", "asks",
	"actors", "busy" };

/* Some take much more memory than others. */
static uint64_t
goal_of(uint64_t kind)
{
	return kind == ASKS || kind == ACTORS ? b.n / 4 : b.n;
}

/* -------------------------------------------------------------- sink ---- */

static int
sink_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	if (tr_tag(msg) == GATE) {
		kit_spin_until(&b.open);
		return TR_OK;
	}
	if (tr_tag(msg) == WORK)
		return TR_OK;
	atomic_fetch_add_explicit(&b.arrived, 1, memory_order_relaxed);
	return tr_size(msg) == 0 ? tr_reply(self, msg, DROP, NULL, 0) : TR_OK;
}

static const struct tr_behavior sink = {
	.name = "sink",
	.receive = sink_receive,
};

/* ------------------------------------------------------------ source ---- */

static int
source_answered(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	(void)self;
	(void)state;
	(void)answer;
	(void)cookie;
	KIT_CHECK(outcome == TR_OK);
	atomic_fetch_add_explicit(&b.ended, 1, memory_order_relaxed);
	return TR_OK;
}

static void
mayfly_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)self;
	(void)state;
	(void)why;
	atomic_fetch_add_explicit(&b.ended, 1, memory_order_relaxed);
}

static int
mayfly_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	/* A timer makes use of the cold part. */
	if (tr_tag(msg) == WORK)
		KIT_CHECK(tr_after(self, TR_SECONDS(1000), WORK, 0) != 0);
	return tr_tag(msg) == DROP ? tr_exit(self, TR_NORMAL) : TR_OK;
}

static const struct tr_behavior mayfly = {
	.name = "mayfly",
	.receive = mayfly_receive,
	.stop = mayfly_stop,
};

static void
source_make_one(struct tr_self *self, uint64_t kind)
{
	tr_ref fly;

	if (kind == ASKS) {
		KIT_CHECK(tr_ask(self, b.sink, SEND, NULL, 0, tr_forever(),
			      source_answered, 0) != 0);
	} else if (kind == ACTORS) {
		fly = tr_spawn(self, &mayfly, NULL, NULL);
		KIT_CHECK(tr_ref_valid(fly));
		kit_tell(self, fly, WORK);
		kit_tell(self, fly, DROP);
	} else {
		KIT_CHECK(
		    tr_send(self, b.sink, SEND, &kind, sizeof(kind)) == TR_OK);
	}
}

static int
source_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	uint64_t kind = kit_u64(msg), n = goal_of(kind);

	(void)state;
	for (uint64_t i = 0; i < n; i++)
		source_make_one(self, kind);
	atomic_store(&b.queued, true);
	return TR_OK;
}

static const struct tr_behavior source = {
	.name = "source",
	.receive = source_receive,
};

/* ------------------------------------------------------------- burst ---- */

static uint64_t
pool_bytes(struct kit *k)
{
	struct tr_stats stats;

	KIT_CHECK(tr_stats(k->sys, &stats) == TR_OK);
	return stats.pool_bytes;
}

/* All of it piles up before the first one is handled. */
static void
burst_make(struct kit *k, uint64_t kind)
{
	b.arrived = 0;
	b.ended = 0;
	b.queued = false;
	b.open = false;
	KIT_CHECK(tr_post(k->sys, b.sink, GATE, NULL, 0) == TR_OK);
	if (kind == POSTS) {
		for (uint64_t i = 0; i < b.n; i++)
			KIT_CHECK(tr_post(k->sys, b.sink, SEND, &i,
				      sizeof(i)) == TR_OK);
	} else {
		KIT_CHECK(tr_post(k->sys, b.source, SEND, &kind,
			      sizeof(kind)) == TR_OK);
		while (!atomic_load(&b.queued))
			kit_nap();
	}
}

static void
burst_drain(uint64_t kind)
{
	atomic_ullong *count =
	    kind == ASKS || kind == ACTORS ? &b.ended : &b.arrived;

	atomic_store(&b.open, true);
	while (atomic_load(count) < goal_of(kind))
		kit_nap();
	KIT_CHECK(atomic_load(count) == goal_of(kind));
}

/* Whether it holds no more than at the base line, as far as one can tell. */
static bool
is_back(struct kit *k, long base)
{
	if (TEST_SCALE(60) != 60) /* a sanitizer's memory is its own */
		return pool_bytes(k) <= 1000000;
	return long_rss() <= base + base / 10 + 1000000;
}

static double
burst(struct kit *k, uint64_t kind, long base)
{
	int64_t drained;
	long most;

	burst_make(k, kind);
	most = long_rss();
	burst_drain(kind);
	drained = long_clock();
	while (!is_back(k, base)) {
		if (kind == BUSY)
			KIT_CHECK(
			    tr_post(k->sys, b.sink, WORK, NULL, 0) == TR_OK);
		kit_nap();
		if (long_clock() - drained > TR_SECONDS(PATIENCE_S))
			break;
	}
	printf("%-6s %.3g at once: %.1f MB before, %.1f MB at most, %.1f MB "
	       "(pools %.1f) after %.2f s\n",
	    kind_name[kind], (double)goal_of(kind), long_mb(base),
	    long_mb(most), long_mb(long_rss()), long_mb((long)pool_bytes(k)),
	    (double)(long_clock() - drained) * 1e-9);
	fflush(stdout);
	KIT_CHECK(is_back(k, base));
	return (double)(long_clock() - drained) * 1e-9;
}

static tr_ref
spawn_on(struct kit *k, const struct tr_behavior *behavior, unsigned worker)
{
	tr_ref ref = tr_system_spawn(k->sys, behavior, NULL,
	    &(struct tr_spawn_options){ .placement = TR_PLACE_WORKER,
		.worker = worker });

	KIT_CHECK(tr_ref_valid(ref));
	return ref;
}

int
main(int argc, char **argv)
{
	struct long_run l = long_begin(argc, argv,
	    "after bursts of 10^7 messages, asks, actors the memory is given back");
	double took, most = 0;
	struct kit k;
	long base;

	b.n = l.small ? SMALL : 10000000;
	/* All of it costs some 10 us for each of n. */
	if (l.budget != 0 && b.n > (uint64_t)l.budget / 20000)
		b.n = (uint64_t)l.budget / 20000;
	kit_new(&k, 2);
	b.source = spawn_on(&k, &source, 0);
	b.sink = spawn_on(&k, &sink, 1);
	kit_begin(&k);
	for (int i = 0; i < 100; i++)
		kit_nap();
	base = long_rss();
	for (uint64_t kind = 0; kind < KINDS; kind++) {
		took = burst(&k, kind, base);
		most = took > most ? took : most;
	}
	kit_stop(&k);
	printf("bursts of %.3g: given back %.1f s after the end, at the "
	       "latest\n",
	    (double)b.n, most);
	return 0;
}
