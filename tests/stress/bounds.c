/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A flood of bounded actors that come and go: whoever races for the last
 * place, nobody is admitted too many, every reservation is given back, and
 * the memory stays flat.
 *
 * Senders on all workers flood the receivers through a shared table; a
 * receiver ends after so many messages, or fails when it has too many, and its
 * spawner, which watches it, puts a new one in its place, most often into the
 * same slot.
 */
#define KIT_STRESS
#include "actors/system.h"
#include "kit.h"

enum {
	RECEIVERS = 8,
	SENDERS = 16,
	ROUNDS = TEST_SCALE(60000), /* of each sender */
	LIFE = 1000, /* messages */
	BOUND = 64,
	BURST = 50,
};

enum { ITEM, GO, ENDED };

static _Atomic uint64_t table[RECEIVERS];
static _Atomic uint64_t most; /* that were ever seen waiting */
static struct tr_system *sys;

struct receiver {
	unsigned left;
};

struct keeper {
	unsigned senders;
	unsigned incarnations;
};

static void
look_at_bound(struct tr_self *self)
{
	uint64_t waiting =
	    tri_load_relaxed(&tri_intake(sys, self)->waiting) >> 40;
	uint64_t before = atomic_load(&most);

	/* Others may be on their way to be refused: one each. */
	while (waiting > before &&
	    !atomic_compare_exchange_weak(&most, &before, waiting))
		;
}

static int
receiver_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	memcpy(state, arg, sizeof(struct receiver));
	return TR_OK;
}

static int
receiver_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct receiver *r = state;

	if (tr_tag(msg) != ITEM)
		return TR_OK;
	look_at_bound(self);
	if (--r->left > 0)
		return TR_OK;
	return tr_exit(self, TR_NORMAL);
}

static const struct tr_behavior receiver = {
	.name = "receiver",
	.state_size = sizeof(struct receiver),
	.arg_size = sizeof(struct receiver),
	.start = receiver_start,
	.receive = receiver_receive,
};

/* ------------------------------------------------------------ senders --- */

struct sender {
	uint64_t seed;
	tr_ref keeper;
	unsigned left;
};

static int
sender_start(struct tr_self *self, void *state, const void *arg)
{
	memcpy(state, arg, sizeof(struct sender));
	return tr_send(self, tr_self_ref(self), GO, NULL, 0);
}

static int
sender_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	static const char payload[100];
	struct sender *s = state;

	(void)msg;
	for (unsigned i = 0; i < BURST && s->left > 0; i++, s->left--) {
		uint64_t r = kit_random(&s->seed);
		tr_ref to = { atomic_load(&table[r % RECEIVERS]) };
		int rc = TR_OK;

		if (r >> 32 & 1)
			rc = tr_try_send(self, to, ITEM, payload,
			    (r >> 40) % sizeof(payload));
		else
			(void)tr_send(self, to, ITEM, &r, 8);
		KIT_CHECK(rc == TR_OK || rc == TR_EFULL || rc == TR_EDEAD);
	}
	if (s->left > 0)
		return tr_send(self, tr_self_ref(self), GO, NULL, 0);
	kit_tell(self, s->keeper, GO);
	return tr_exit(self, TR_NORMAL);
}

static const struct tr_behavior sender = {
	.name = "sender",
	.state_size = sizeof(struct sender),
	.arg_size = sizeof(struct sender),
	.start = sender_start,
	.receive = sender_receive,
};

/* ------------------------------------------------------------- keeper --- */

static void
keeper_spawn(struct tr_self *self, struct keeper *k, unsigned index)
{
	struct receiver r = { LIFE };
	uint64_t monitor;
	tr_ref ref = tr_spawn(self, &receiver, &r,
	    &(struct tr_spawn_options){ .max_items = BOUND,
		.overflow = (enum tr_overflow)(k->incarnations++ % 4),
		.monitor = &monitor,
		.monitor_tag = ENDED,
		.monitor_cookie = index });

	KIT_CHECK(tr_ref_valid(ref));
	atomic_store(&table[index], ref.bits);
}

static int
keeper_start(struct tr_self *self, void *state, const void *arg)
{
	uint64_t seed = *(const uint64_t *)arg;
	struct keeper *k = state;

	for (unsigned i = 0; i < RECEIVERS; i++)
		keeper_spawn(self, k, i);
	for (k->senders = 0; k->senders < SENDERS; k->senders++) {
		struct sender s = { kit_random(&seed), tr_self_ref(self),
			ROUNDS };

		KIT_CHECK(tr_ref_valid(tr_spawn(self, &sender, &s, NULL)));
	}
	return TR_OK;
}

static int
keeper_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const struct tr_down *down = tr_data(msg, sizeof(*down));
	struct keeper *k = state;

	if (tr_tag(msg) == ENDED) {
		KIT_CHECK(down->reason.code == TR_NORMAL ||
		    down->reason.code == TR_EFULL);
		/* Once the senders are through, the system stops, and what
		 * receivers still had waiting may well end one. */
		if (k->senders > 0)
			keeper_spawn(self, k, (unsigned)down->cookie);
		return TR_OK;
	}
	if (--k->senders == 0)
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
	uint64_t seed, pool_bytes;
	unsigned workers = kit_stress_args(argc, argv, &seed);
	static struct kit k;

	kit_new(&k, workers);
	sys = k.sys;
	KIT_CHECK(tr_ref_valid(tr_system_spawn(k.sys, &keeper, &seed, NULL)));
	k.run_rc = tr_system_run(k.sys, &k.report);
	for (uint32_t slot = 0; slot < tri_load_relaxed(&k.sys->actors.limit);
	     slot++) {
		struct tri_intake *in =
		    tri_table_at(&k.sys->actors, TRI_ACTOR_INTAKE, slot);

		KIT_CHECK(tri_load_relaxed(&in->waiting) == 0);
	}
	KIT_CHECK(tr_stats(k.sys, &k.stats) == TR_OK);
	KIT_CHECK(k.stats.failed > 0);
	pool_bytes = k.stats.pool_bytes;
	printf("most waiting %" PRIu64 ", pools %" PRIu64 " KiB\n",
	    atomic_load(&most), pool_bytes / 1024);
	KIT_CHECK(atomic_load(&most) <= 2 * BOUND + workers);
	/* A handful of slabs for each worker, whatever was sent. */
	KIT_CHECK(pool_bytes <= (uint64_t)(workers + 1) * 16 * 256 * 1024);
	kit_end(&k);
	kit_print_stats(&k.stats);
	return 0;
}
