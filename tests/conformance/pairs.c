/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Row G15, as far as there is one node: between two actors nothing is ever
 * reordered or doubled, whatever fails.
 *
 * What OTP says of a lost node (noconnection, messages after a new connection)
 * waits for the cluster.  Here, in the simulator: senders that number their
 * messages, receivers that are killed at any moment and replaced, memory that
 * fails, turns that take long.  A receiver sees each sender's numbers rise,
 * without a gap unless memory failed; what is missing was counted as a dead
 * letter.  A sender is told of the end of its receiver once, goes to the next
 * one, and that one begins above all that the former has seen of it.
 */
#include <troupe/sim.h>

#include "kit.h"

enum { SEEDS = TEST_SCALE(400), SENDERS = 4, MESSAGES = 60 };

enum { NUMBER = 1, STEP, DOWN, GONE };

static struct {
	struct tr_sim *sim;
	tr_ref receiver; /* the youngest */
	unsigned receivers, downs, monitors;
	uint64_t got, sent, dead;
	uint64_t highest[SENDERS]; /* seen by any receiver */
	bool memory; /* it may fail */
} pairs;

struct number {
	uint32_t sender;
	uint64_t n; /* from 1 on */
};

/* ---------------------------------------------------------- receivers --- */

struct receiver {
	uint64_t last[SENDERS];
};

static int
receiver_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const struct number *m = tr_data(msg, sizeof(*m));
	struct receiver *r = state;
	uint64_t before = r->last[m->sender];

	(void)self;
	tr_sim_check(pairs.sim,
	    m->n > before && m->n > pairs.highest[m->sender],
	    "sender %u: %llu after %llu", (unsigned)m->sender,
	    (unsigned long long)m->n,
	    (unsigned long long)pairs.highest[m->sender]);
	tr_sim_check(pairs.sim,
	    before == 0 || m->n == before + 1 || pairs.memory,
	    "sender %u: a gap before %llu", (unsigned)m->sender,
	    (unsigned long long)m->n);
	r->last[m->sender] = m->n;
	pairs.highest[m->sender] = m->n;
	pairs.got++;
	return TR_OK;
}

static const struct tr_behavior receiver = {
	.name = "receiver",
	.state_size = sizeof(struct receiver),
	.receive = receiver_receive,
};

/* ------------------------------------------------------------- senders --- */

struct sender {
	uint32_t number;
	uint64_t n;
	tr_ref to;
	tr_monitor_id monitor;
};

/* The youngest receiver; if that is the one that has ended, a new one. */
static bool
sender_connect(struct tr_self *self, struct sender *s)
{
	if (tr_ref_equal(pairs.receiver, s->to)) {
		tr_ref next = tr_spawn(self, &receiver, NULL, NULL);

		if (!tr_ref_valid(next))
			return false;
		pairs.receiver = next;
		pairs.receivers++;
	}
	s->monitor = tr_monitor(self, pairs.receiver, DOWN, 0);
	if (s->monitor == 0)
		return false;
	s->to = pairs.receiver;
	pairs.monitors++;
	return true;
}

static int
sender_step(struct tr_self *self, struct sender *s)
{
	struct number m = { .sender = s->number };

	if (s->n == MESSAGES)
		return tr_exit(self, TR_NORMAL);
	if (s->monitor == 0 && !sender_connect(self, s))
		return TR_OK; /* no memory: at the next tick */
	for (unsigned i = 0; i < 1 + s->n % 5 && s->n < MESSAGES; i++) {
		m.n = ++s->n;
		if (tr_send(self, s->to, NUMBER, &m, sizeof(m)) == TR_OK)
			pairs.sent++;
	}
	return TR_OK;
}

static int
sender_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const struct tr_down *down = tr_data(msg, sizeof(*down));
	struct sender *s = state;

	if (tr_tag(msg) == STEP)
		return sender_step(self, s);
	tr_sim_check(pairs.sim,
	    down->monitor == s->monitor && tr_ref_equal(down->actor, s->to),
	    "sender %u is told twice, or of another", (unsigned)s->number);
	s->monitor = 0;
	pairs.downs++;
	return TR_OK;
}

static int
sender_start(struct tr_self *self, void *state, const void *arg)
{
	struct sender *s = state;

	s->number = *(const uint32_t *)arg;
	/* Each at its own pace. */
	return tr_every(self, TR_US(100 + 37 * s->number), STEP, 0) != 0 ?
	    TR_OK :
	    TR_ENOMEM;
}

static const struct tr_behavior sender = {
	.name = "sender",
	.state_size = sizeof(struct sender),
	.arg_size = sizeof(uint32_t),
	.start = sender_start,
	.receive = sender_receive,
};

/* ----------------------------------------------------------- scenarios --- */

static void
senders_and_receivers(struct tr_sim *sim, void *arg)
{
	memset(&pairs, 0, sizeof(pairs));
	pairs.sim = sim;
	pairs.memory = *(const bool *)arg;
	pairs.receiver = tr_sim_spawn(sim, &receiver, NULL);
	for (uint32_t i = 0; i < SENDERS; i++)
		(void)tr_sim_spawn(sim, &sender, &i);
	tr_sim_faults(sim,
	    TR_FAULT_SLOW | TR_FAULT_WAKE | TR_FAULT_CLOCK |
		(pairs.memory ? TR_FAULT_NOMEM : 0));
	for (int i = 0; i < 20; i++) {
		tr_sim_run_for(sim, (int64_t)tr_sim_random(sim, TR_MS(1)));
		tr_sim_kill(sim, pairs.receiver);
	}
	(void)tr_sim_run_until_quiet(sim, TR_SECONDS(60));
	tr_sim_check(sim, pairs.downs <= pairs.monitors, "a DOWN too many");
	tr_sim_check(sim, pairs.sent == pairs.got + pairs.dead,
	    "%llu sent, %llu seen, %llu dead letters",
	    (unsigned long long)pairs.sent, (unsigned long long)pairs.got,
	    (unsigned long long)pairs.dead);
}

/* Fewer than the thousand in a second of which the hook is told. */
static void
pairs_on_dead_letter(const struct tr_dead_letter *letter, void *ctx)
{
	(void)ctx;
	if (letter->tag == NUMBER)
		pairs.dead++;
}

static void
G15_between_two_nothing_is_reordered_or_doubled(void **unused)
{
	struct tr_options system = { .on_dead_letter = pairs_on_dead_letter };
	struct tr_sim_options options = { .system = &system };
	struct tr_sim_result r;
	unsigned replaced = 0, downs = 0;
	bool memory;

	(void)unused;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		memory = seed % 4 == 0;
		assert_int_equal(tr_sim_run(seed, &options,
				     senders_and_receivers, &memory, &r),
		    TR_OK);
		if (r.failed)
			fail_msg("seed %" PRIu64 ": %s", seed, r.why);
		replaced += pairs.receivers;
		downs += pairs.downs;
	}
	assert_true(replaced > 0 && downs > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(G15_between_two_nothing_is_reordered_or_doubled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
