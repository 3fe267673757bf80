/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Monitors against death: actors that watch, withdraw and end while those they
 * watch end.  Exactly one DOWN for each monitor that was not withdrawn, none
 * for the others, and nothing left behind.
 *
 * Victims end at their first message and have a table's slot refilled by the
 * keeper; watchers pick any, so some requests come late and are noproc.
 */
#define KIT_STRESS
#include "kit.h"

enum {
	VICTIMS = 16,
	WATCHERS = 12,
	ROUNDS = TEST_SCALE(20000), /* of each watcher */
	OPEN = 64, /* monitors of a watcher, at most */
};

enum { GO = 1, DOWN, END, DEAD };

static _Atomic uint64_t table[VICTIMS];
static _Atomic uint64_t told, withdrawn, noproc;

struct watcher {
	uint64_t seed;
	tr_ref keeper;
	unsigned left;
	tr_monitor_id open[OPEN];
};

/* -------------------------------------------------------------- victims -- */

static int
victim_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	(void)msg;
	return tr_exit(self, 5);
}

static const struct tr_behavior victim = {
	.name = "victim",
	.receive = victim_receive,
};

/* ------------------------------------------------------------- watchers -- */

static void
watcher_down(struct watcher *w, const struct tr_msg *msg)
{
	const struct tr_down *down = tr_data(msg, sizeof(*down));

	KIT_CHECK(down != NULL && down->cookie < OPEN);
	KIT_CHECK(w->open[down->cookie] == down->monitor);
	KIT_CHECK(down->reason.code == 5 || down->reason.code == TR_NOPROC ||
	    down->reason.code == TR_SHUTDOWN);
	if (down->reason.code == TR_NOPROC)
		atomic_fetch_add(&noproc, 1);
	w->open[down->cookie] = 0;
	atomic_fetch_add(&told, 1);
}

static void
watcher_act(struct watcher *w, struct tr_self *self)
{
	uint64_t i = kit_below(&w->seed, OPEN);
	tr_ref to = { atomic_load(&table[kit_below(&w->seed, VICTIMS)]) };

	if (w->open[i] != 0) {
		KIT_CHECK(tr_demonitor(self, w->open[i]) == TR_OK);
		w->open[i] = 0;
		atomic_fetch_add(&withdrawn, 1);
	} else {
		w->open[i] = tr_monitor(self, to, DOWN, i);
		KIT_CHECK(w->open[i] != 0);
		if (kit_below(&w->seed, 2) == 0)
			(void)tr_send(self, to, END, NULL, 0);
	}
}

static int
watcher_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct watcher *w = state;

	if (tr_tag(msg) == DOWN) {
		watcher_down(w, msg);
		return TR_OK;
	}
	if (w->left-- == 0) {
		/* With monitors still open. */
		kit_tell(self, w->keeper, GO);
		return tr_exit(self, TR_NORMAL);
	}
	watcher_act(w, self);
	return tr_send(self, tr_self_ref(self), GO, NULL, 0);
}

static int
watcher_start(struct tr_self *self, void *state, const void *arg)
{
	memcpy(state, arg, sizeof(struct watcher));
	return tr_send(self, tr_self_ref(self), GO, NULL, 0);
}

static const struct tr_behavior watcher = {
	.name = "watcher",
	.state_size = sizeof(struct watcher),
	.arg_size = sizeof(struct watcher),
	.start = watcher_start,
	.receive = watcher_receive,
};

/* --------------------------------------------------------------- keeper -- */

struct keeper {
	unsigned watchers;
	uint64_t spawned, downs;
};

static void
keeper_spawn(struct tr_self *self, struct keeper *k, uint64_t at)
{
	tr_monitor_id id;
	tr_ref ref = tr_spawn(self, &victim, NULL,
	    &(struct tr_spawn_options){
		.monitor = &id,
		.monitor_tag = DEAD,
		.monitor_cookie = at,
	    });

	KIT_CHECK(tr_ref_valid(ref));
	k->spawned++;
	atomic_store(&table[at], ref.bits);
}

static int
keeper_start(struct tr_self *self, void *state, const void *arg)
{
	uint64_t seed = *(const uint64_t *)arg;
	struct keeper *k = state;

	for (uint64_t i = 0; i < VICTIMS; i++)
		keeper_spawn(self, k, i);
	for (k->watchers = 0; k->watchers < WATCHERS; k->watchers++) {
		struct watcher w = { .seed = kit_random(&seed),
			.keeper = tr_self_ref(self),
			.left = ROUNDS };

		KIT_CHECK(tr_ref_valid(tr_spawn(self, &watcher, &w, NULL)));
	}
	return TR_OK;
}

static int
keeper_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const struct tr_down *down = tr_data(msg, sizeof(*down));
	struct keeper *k = state;

	if (tr_tag(msg) == DEAD) {
		k->downs++;
		KIT_CHECK(down->reason.code == 5);
		if (k->watchers > 0)
			keeper_spawn(self, k, down->cookie);
		else if (k->downs == k->spawned)
			return kit_finish(self);
		return TR_OK;
	}
	if (--k->watchers == 0)
		for (int i = 0; i < VICTIMS; i++)
			(void)tr_send(self, (tr_ref){ atomic_load(&table[i]) },
			    END, NULL, 0);
	return TR_OK;
}

static const struct tr_behavior keeper = {
	.name = "keeper",
	.state_size = sizeof(struct keeper),
	.arg_size = sizeof(uint64_t),
	.start = keeper_start,
	.receive = keeper_receive,
};

int
main(int argc, char **argv)
{
	uint64_t seed;
	unsigned workers = kit_stress_args(argc, argv, &seed);
	static struct kit k;

	kit_new(&k, workers);
	KIT_CHECK(tr_ref_valid(tr_system_spawn(k.sys, &keeper, &seed, NULL)));
	kit_run(&k);
	printf("told %" PRIu64 ", of these noproc %" PRIu64
	       ", withdrawn %" PRIu64 "\n",
	    atomic_load(&told), atomic_load(&noproc), atomic_load(&withdrawn));
	kit_print_stats(&k.stats);
	KIT_CHECK(atomic_load(&told) > 0 && atomic_load(&withdrawn) > 0);
	return 0;
}
