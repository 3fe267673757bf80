/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * migrate: few actors that compute in bursts, so that idle workers must take
 * them over.
 *
 * All are spawned on one worker.  They get long batches from each other, so
 * that an actor moves with its mailbox half full and while others send to it.
 * An actor marks itself as in use and counts without a lock in its own state:
 * two workers inside one actor, or a move that does not carry the state along,
 * would show.  Pairs keep their order across all moves.
 */
#define KIT_STRESS
#include "kit.h"

enum {
	NOMADS = 6,
	BATCH = 150,
	ROUNDS = TEST_SCALE(1500),
	BURST_NS = 5000,
};

enum { WORK, GO, DONE };

struct nomad {
	atomic_int in_use;
	uint64_t plain; /* counted without a lock */
	uint64_t seed;
	uint32_t next_out[NOMADS], next_in[NOMADS];
	uint32_t rounds;
	unsigned worker, moves;
};

static struct {
	tr_ref root, ref[NOMADS];
	struct nomad nomad[NOMADS];
	int done;
} tribe;

static void
nomad_batch(struct tr_self *self, struct nomad *n)
{
	uint32_t to = (uint32_t)kit_below(&n->seed, NOMADS);
	struct {
		uint32_t from, number;
	} work;

	for (int i = 0; i < BATCH; i++) {
		work.from = (uint32_t)(n - tribe.nomad);
		work.number = n->next_out[to]++;
		KIT_CHECK(tr_send(self, tribe.ref[to], WORK, &work,
			      sizeof(work)) == TR_OK);
	}
	if (++n->rounds < ROUNDS)
		kit_tell(self, tribe.ref[n - tribe.nomad], GO);
	else
		kit_tell(self, tribe.root, DONE);
}

static void
nomad_work(struct nomad *n, const struct tr_msg *msg)
{
	const struct {
		uint32_t from, number;
	} *work = tr_data(msg, sizeof(*work));

	KIT_CHECK(work != NULL && work->from < NOMADS);
	KIT_CHECK(work->number == n->next_in[work->from]);
	n->next_in[work->from]++;
	n->plain++;
}

static int
nomad_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct nomad *n = kit_ctx(state);

	KIT_CHECK(atomic_exchange(&n->in_use, 1) == 0);
	if (n->worker != tr_self_worker(self)) {
		n->worker = tr_self_worker(self);
		n->moves++;
	}
	if (tr_tag(msg) == WORK)
		nomad_work(n, msg);
	else
		nomad_batch(self, n);
	if (kit_below(&n->seed, 8) == 0)
		kit_spin_for(self, BURST_NS);
	KIT_CHECK(atomic_exchange(&n->in_use, 0) == 1);
	return TR_OK;
}

static const struct tr_behavior nomad_behavior = {
	.name = "nomad",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = nomad_receive,
};

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	(void)state;
	(void)arg;
	tribe.root = tr_self_ref(self);
	for (int i = 0; i < NOMADS; i++) {
		tribe.ref[i] =
		    tr_spawn(self, &nomad_behavior, &tribe.nomad[i], NULL);
		KIT_CHECK(tr_ref_valid(tribe.ref[i]));
	}
	for (int i = 0; i < NOMADS; i++)
		kit_tell(self, tribe.ref[i], GO);
	return TR_OK;
}

/* The last batches may still be on their way: stop comes behind them. */
static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	(void)msg;
	return ++tribe.done == NOMADS ? kit_finish(self) : TR_OK;
}

static const struct tr_behavior root_behavior = {
	.name = "root",
	.start = root_start,
	.receive = root_receive,
};

int
main(int argc, char **argv)
{
	uint64_t seed, plain = 0;
	unsigned workers = kit_stress_args(argc, argv, &seed), moves = 0;
	struct kit k;

	for (int i = 0; i < NOMADS; i++)
		tribe.nomad[i].seed = kit_random(&seed);
	kit_play(&k, workers, &root_behavior, NULL);
	for (int i = 0; i < NOMADS; i++) {
		plain += tribe.nomad[i].plain;
		moves += tribe.nomad[i].moves;
		KIT_CHECK(tribe.nomad[i].rounds == ROUNDS);
		for (int j = 0; j < NOMADS; j++)
			KIT_CHECK(tribe.nomad[i].next_out[j] ==
			    tribe.nomad[j].next_in[i]);
	}
	KIT_CHECK(plain == (uint64_t)NOMADS * ROUNDS * BATCH);
	KIT_CHECK(kit_dead(&k.stats) == 0);
	if (workers == 1)
		KIT_CHECK(moves == 0);
	else
		KIT_CHECK(moves > 0 && k.stats.steals > 0);
	printf("migrate: %" PRIu64 " messages, %u moves between workers, one "
	       "worker at a time, pairs in order\n",
	    plain, moves);
	kit_print_stats(&k.stats);
	return 0;
}
