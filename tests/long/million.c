/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * million: 10^6 monitors on one actor, whose death delivers every DOWN in less
 * than 2 s, and its worker serves others meanwhile.
 *
 * All on one worker: the watched actor, a thousand watchers with a thousand
 * monitors each, an actor with a timer of 1 ms, and one that answers what a
 * foreign thread posts to it.  From the moment at which the watched actor is
 * told to end to the last DOWN the worst gap between two ticks is taken, and
 * the worst round trip of a post.  Turns are of bounded length, so both must
 * have been served in between; how long they waited is printed.
 *
 * A machine that is busy with other things is not held against it: the best of
 * a few tries counts.
 */
#include "long.h"

enum { WATCHERS = 1000, TRIES = 5, SMALL = 10 };

enum { READY = 1, END, DOWN, TICK, PING };

static struct {
	unsigned watchers, each; /* monitors of a watcher */
	tr_ref watched, echo;
	unsigned ready;
	uint64_t downs, wrong;
	int64_t began, ended, last_tick;
	int64_t tick_gap, ping_gap; /* the worst */
	unsigned ticks, pings;
	atomic_bool falls, over;
	sem_t pong;
} m;

/* ------------------------------------------------- watched and watchers --- */

static int
watched_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	if (tr_tag(msg) == READY && ++m.ready < m.watchers)
		return TR_OK;
	m.began = m.last_tick = tr_now(self);
	atomic_store(&m.falls, true);
	return tr_exit(self, 7);
}

static const struct tr_behavior watched = {
	.name = "watched",
	.receive = watched_receive,
};

static int
watcher_start(struct tr_self *self, void *state, const void *arg)
{
	(void)state;
	(void)arg;
	for (unsigned i = 0; i < m.each; i++)
		KIT_CHECK(tr_monitor(self, m.watched, DOWN, i) != 0);
	kit_tell(self, m.watched, READY);
	return TR_OK;
}

static int
watcher_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const struct tr_down *down = tr_data(msg, sizeof(*down));
	unsigned *seen = state;

	++*seen;
	if (tr_tag(msg) != DOWN || down->reason.code != 7 || *seen > m.each)
		m.wrong++;
	if (++m.downs < (uint64_t)m.watchers * m.each)
		return TR_OK;
	m.ended = tr_now(self);
	atomic_store(&m.falls, false);
	atomic_store(&m.over, true);
	return kit_finish(self);
}

static const struct tr_behavior watcher = {
	.name = "watcher",
	.state_size = sizeof(unsigned),
	.start = watcher_start,
	.receive = watcher_receive,
};

/* -------------------------------------------------- who wants to be served */

static int
ticker_start(struct tr_self *self, void *state, const void *arg)
{
	(void)state;
	(void)arg;
	return tr_every(self, TR_MS(1), TICK, 0) != 0 ? TR_OK : TR_ENOMEM;
}

static int
ticker_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	int64_t now = tr_now(self);

	(void)state;
	(void)msg;
	if (!atomic_load(&m.falls))
		return TR_OK;
	if (now - m.last_tick > m.tick_gap)
		m.tick_gap = now - m.last_tick;
	m.last_tick = now;
	m.ticks++;
	return TR_OK;
}

static const struct tr_behavior ticker = {
	.name = "ticker",
	.start = ticker_start,
	.receive = ticker_receive,
};

static int
echo_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)self;
	(void)state;
	(void)msg;
	sem_post(&m.pong);
	return TR_OK;
}

static const struct tr_behavior echo = {
	.name = "echo",
	.receive = echo_receive,
};

/* The foreign thread: this program's first. */
static void
ping_until_over(struct kit *k)
{
	while (!atomic_load(&m.over)) {
		bool counts = atomic_load(&m.falls);
		int64_t before = long_clock(), gap;

		if (tr_post(k->sys, m.echo, PING, NULL, 0) != TR_OK)
			break; /* it stops */
		/* What is posted at the end may not be handled any more. */
		while (sem_trywait(&m.pong) != 0 && !atomic_load(&m.over))
			sched_yield();
		gap = long_clock() - before;
		if (counts && !atomic_load(&m.over)) {
			m.pings++;
			m.ping_gap = gap > m.ping_gap ? gap : m.ping_gap;
		}
		kit_nap();
	}
}

/* One try: how long it took. */
static int64_t
fall(unsigned watchers, unsigned each)
{
	static struct kit k;

	memset(&m, 0, sizeof(m));
	m.watchers = watchers;
	m.each = each;
	KIT_CHECK(sem_init(&m.pong, 0, 0) == 0);
	kit_new(&k, 1);
	m.watched = kit_root(&k, &watched, NULL);
	m.echo = kit_root(&k, &echo, NULL);
	(void)kit_root(&k, &ticker, NULL);
	for (unsigned i = 0; i < watchers; i++)
		(void)kit_root(&k, &watcher, NULL);
	kit_begin(&k);
	ping_until_over(&k);
	KIT_CHECK(pthread_join(k.thread, NULL) == 0);
	kit_end(&k);
	(void)sem_destroy(&m.pong);
	KIT_CHECK(m.wrong == 0 && m.downs == (uint64_t)watchers * each);
	return m.ended - m.began;
}

int
main(int argc, char **argv)
{
	struct long_run l = long_begin(argc, argv,
	    "10^6 monitors on one actor: every DOWN in 2 s, others are served");
	bool plain = TEST_SCALE(60) == 60;
	int64_t took = 0;
	int tries = 0;

	do {
		took = fall(l.small ? SMALL : WATCHERS, WATCHERS);
		printf("%" PRIu64 " DOWNs in %.3f s; worst gap of a 1 ms timer "
		       "%.2f ms (%u ticks), of a post %.2f ms (%u posts)\n",
		    m.downs, (double)took / 1e9, (double)m.tick_gap / 1e6,
		    m.ticks, (double)m.ping_gap / 1e6, m.pings);
	} while (!l.small && ++tries < TRIES && long_time_left(&l, 70) &&
	    (took > TR_SECONDS(2) || m.ticks < 10 || m.pings < 10));
	if (!l.small && plain)
		KIT_CHECK(took < TR_SECONDS(2));
	if (!l.small)
		KIT_CHECK(m.ticks >= 10 && m.pings >= 10);
	return 0;
}
