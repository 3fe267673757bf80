/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lives: 10^7 actors are born and die, and the memory stays flat.
 *
 * A nursery on each worker keeps a number of children alive.  Each child gets
 * state outside of its cell, a timer and a name now and then, which all have
 * to be given back; it ends in one of the ways there are and tells its nursery
 * with its last message, and the nursery spawns the next.  The counts are
 * exact: every child started, and stop() ran once for it.
 */
#include "long.h"

enum {
	FAMILY = 500, /* children of a nursery that live at the same time */
	NURSERIES = 8,
	SMALL = TEST_SCALE(100000),
	WARM_UP = 50,
};

enum { LIVE, DIED, TICK };

enum { WAYS = 4 };

static struct {
	uint64_t goal;
	atomic_ullong born, started, stopped;
	atomic_int nurseries;
} world;

struct child {
	uint64_t number;
	tr_ref nursery;
	char filler[200]; /* not in the cell */
};

static int
child_start(struct tr_self *self, void *state, const void *arg)
{
	struct child *c = state;
	char name[32];

	KIT_CHECK(c->number == 0 && c->filler[199] == 0);
	memcpy(c, arg, offsetof(struct child, filler));
	c->filler[199] = 1;
	atomic_fetch_add_explicit(&world.started, 1, memory_order_relaxed);
	if (c->number % 16 == 0) {
		KIT_CHECK(tr_after(self, TR_SECONDS(1000), TICK, 0) != 0);
		snprintf(name, sizeof(name), "%" PRIu64, c->number);
		KIT_CHECK(tr_register(self, name) == TR_OK);
	}
	return tr_send(self, tr_self_ref(self), LIVE, NULL, 0);
}

static int
child_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct child *c = state;

	if (tr_tag(msg) != LIVE)
		return TR_OK;
	switch (c->number % WAYS) {
	case 0: return tr_kill(self, tr_self_ref(self));
	case 1: return tr_stop(self, tr_self_ref(self), tr_forever());
	case 2: return TR_EINVAL;
	default: return tr_exit(self, TR_NORMAL);
	}
}

static void
child_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	static const int code[WAYS] = { TR_KILLED, TR_SHUTDOWN, TR_EINVAL,
		TR_NORMAL };
	struct child *c = state;

	KIT_CHECK(c->number != 0 && c->filler[199] == 1);
	KIT_CHECK(why->code == code[c->number % WAYS]);
	atomic_fetch_add_explicit(&world.stopped, 1, memory_order_relaxed);
	KIT_CHECK(tr_send(self, c->nursery, DIED, NULL, 0) == TR_OK);
}

static const struct tr_behavior child = {
	.name = "child",
	.state_size = sizeof(struct child),
	.arg_size = offsetof(struct child, filler),
	.start = child_start,
	.receive = child_receive,
	.stop = child_stop,
};

struct nursery {
	uint64_t alive;
};

static bool
nursery_raise(struct tr_self *self, struct nursery *n)
{
	struct child c = { .nursery = tr_self_ref(self) };

	c.number = atomic_fetch_add(&world.born, 1) + 1;
	if (c.number > world.goal) {
		atomic_fetch_sub(&world.born, 1);
		return false;
	}
	KIT_CHECK(tr_ref_valid(tr_spawn(self, &child, &c, NULL)));
	n->alive++;
	return true;
}

static int
nursery_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct nursery *n = state;

	if (tr_tag(msg) == DIED)
		n->alive--;
	while (n->alive < FAMILY)
		if (!nursery_raise(self, n))
			break;
	if (n->alive == 0 && atomic_fetch_sub(&world.nurseries, 1) == 1)
		return kit_finish(self);
	return TR_OK;
}

static const struct tr_behavior nursery = {
	.name = "nursery",
	.state_size = sizeof(struct nursery),
	.receive = nursery_receive,
};

static void
watch(struct kit *k, struct long_run *l)
{
	struct tr_stats stats = { 0 };
	uint64_t goal = world.goal;
	bool warm = false;

	for (;;) {
		KIT_CHECK(tr_stats(k->sys, &stats) == TR_OK);
		if (atomic_load(&world.nurseries) == 0)
			break;
		if (!warm && stats.ended >= goal / WARM_UP)
			long_memory_begin(l);
		else if (warm)
			long_memory_sample(l);
		warm = warm || stats.ended >= goal / WARM_UP;
		for (int i = 0; i < 20; i++)
			kit_nap();
	}
}

int
main(int argc, char **argv)
{
	struct long_run l = long_begin(argc, argv,
	    "10^7 actors spawned and ended in all ways, counts exact, flat "
	    "memory");
	struct kit k;

	world.goal = l.small ? SMALL : 10000000;
	/* About a microsecond each on two cores, many times that elsewhere. */
	if (l.budget != 0 && world.goal > (uint64_t)l.budget / 2000)
		world.goal = (uint64_t)l.budget / 2000;
	kit_new(&k, l.small ? 2 : 0);
	world.nurseries = NURSERIES;
	for (unsigned i = 0; i < NURSERIES; i++) {
		tr_ref ref = tr_system_spawn(k.sys, &nursery, NULL,
		    &(struct tr_spawn_options){ .placement = TR_PLACE_WORKER,
			.worker = i % tr_system_workers(k.sys) });

		KIT_CHECK(tr_post(k.sys, ref, LIVE, NULL, 0) == TR_OK);
	}
	kit_begin(&k);
	watch(&k, &l);
	kit_stop(&k);
	KIT_CHECK(world.born == world.goal);
	KIT_CHECK(world.started == world.goal && world.stopped == world.goal);
	KIT_CHECK(k.stats.spawned == world.goal + NURSERIES);
	KIT_CHECK(k.stats.failed == (world.goal + WAYS - 2) / WAYS);
	if (l.rss_first != 0)
		long_memory_end(&l);
	printf("%" PRIu64 " lives on %u workers, flat at %.1f MB\n", world.goal,
	    k.stats.workers, long_mb(l.rss_most));
	return 0;
}
