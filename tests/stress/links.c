/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links against death: actors that link, unlink and end at random, half of
 * them trapping exits.  An actor that has unlinked from a linked partner and
 * whose partner never links must not see its EXIT; everything ends, and
 * nothing is left behind.
 *
 * Members link only those of a higher place in the table, so who links whom is
 * known, and a member can tell which EXITs it may see.
 */
#define KIT_STRESS
#include "kit.h"

enum {
	PLACES = 24,
	LIFE = 60, /* steps of a member */
	LIVES = TEST_SCALE(30000), /* in all */
};

enum { GO = 1, EXITED, DEAD };

static _Atomic uint64_t table[PLACES];
static _Atomic uint64_t trapped, fell, linked;

struct member {
	uint64_t seed;
	uint64_t place;
	unsigned left;
	bool traps;
	/* Those of higher places that it has linked, and not unlinked. */
	uint64_t partner[PLACES];
};

static void
member_exited(struct member *m, const struct tr_msg *msg)
{
	const struct tr_exit_signal *exit = tr_data(msg, sizeof(*exit));

	KIT_CHECK(m->traps && exit != NULL);
	atomic_fetch_add(&trapped, 1);
	for (uint64_t i = m->place + 1; i < PLACES; i++)
		if (m->partner[i] == exit->from.bits) {
			m->partner[i] = 0;
			return;
		}
	/* Else it was linked from below, or by a former tenant of a place. */
	for (uint64_t i = m->place + 1; i < PLACES; i++)
		KIT_CHECK(atomic_load(&table[i]) != exit->from.bits ||
		    exit->reason.code == TR_NOPROC);
}

static void
member_act(struct member *m, struct tr_self *self)
{
	uint64_t span = PLACES - m->place - 1;
	uint64_t i = m->place + 1 + (span > 0 ? kit_below(&m->seed, span) : 0);
	tr_ref other;

	if (span == 0)
		return;
	if (m->partner[i] != 0 && kit_below(&m->seed, 2) == 0) {
		other.bits = m->partner[i];
		KIT_CHECK(tr_unlink(self, other) == TR_OK);
		m->partner[i] = 0;
		if (kit_below(&m->seed, 3) != 0)
			return;
	} else {
		other.bits = atomic_load(&table[i]);
		if (m->partner[i] != 0 && m->partner[i] != other.bits)
			return; /* its EXIT is on the way */
	}
	KIT_CHECK(tr_link(self, other) == TR_OK);
	atomic_fetch_add(&linked, 1);
	m->partner[i] = other.bits;
}

static int
member_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct member *m = state;

	if (tr_tag(msg) == EXITED) {
		member_exited(m, msg);
		return TR_OK;
	}
	if (m->left-- == 0)
		return tr_exit(self, kit_below(&m->seed, 2) ? 7 : TR_NORMAL);
	member_act(m, self);
	return tr_send(self, tr_self_ref(self), GO, NULL, 0);
}

static int
member_start(struct tr_self *self, void *state, const void *arg)
{
	struct member *m = state;

	memcpy(state, arg, sizeof(*m));
	if (m->traps)
		(void)tr_trap_exit(self, true, EXITED);
	return tr_send(self, tr_self_ref(self), GO, NULL, 0);
}

static void
member_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)self;
	(void)state;
	if (why->code == 7 || why->code == TR_NOPROC)
		atomic_fetch_add(&fell, 1);
}

static const struct tr_behavior member = {
	.name = "member",
	.state_size = sizeof(struct member),
	.arg_size = sizeof(struct member),
	.start = member_start,
	.receive = member_receive,
	.stop = member_stop,
};

/* --------------------------------------------------------------- keeper -- */

struct keeper {
	uint64_t seed, spawned, ended;
};

static void
keeper_spawn(struct tr_self *self, struct keeper *k, uint64_t place)
{
	struct member m = {
		.seed = kit_random(&k->seed),
		.place = place,
		.left = (unsigned)kit_below(&k->seed, LIFE),
		.traps = kit_below(&k->seed, 2) == 0,
	};
	tr_monitor_id id;
	tr_ref ref = tr_spawn(self, &member, &m,
	    &(struct tr_spawn_options){
		.monitor = &id,
		.monitor_tag = DEAD,
		.monitor_cookie = place,
	    });

	KIT_CHECK(tr_ref_valid(ref));
	k->spawned++;
	atomic_store(&table[place], ref.bits);
}

static int
keeper_start(struct tr_self *self, void *state, const void *arg)
{
	struct keeper *k = state;

	k->seed = *(const uint64_t *)arg;
	for (uint64_t i = 0; i < PLACES; i++)
		keeper_spawn(self, k, i);
	return TR_OK;
}

static int
keeper_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const struct tr_down *down = tr_data(msg, sizeof(*down));
	struct keeper *k = state;

	k->ended++;
	if (k->spawned < LIVES)
		keeper_spawn(self, k, down->cookie);
	else if (k->ended == k->spawned)
		return kit_finish(self);
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
	printf("linked %" PRIu64 ", trapped %" PRIu64 ", fell %" PRIu64 "\n",
	    atomic_load(&linked), atomic_load(&trapped), atomic_load(&fell));
	kit_print_stats(&k.stats);
	KIT_CHECK(atomic_load(&trapped) > 0 && atomic_load(&fell) > 0);
	return 0;
}
