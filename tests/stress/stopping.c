/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stopping: stop a busy system at a random moment, hundreds of times.
 *
 * The load is a bit of everything: chatter between actors, spawning and dying,
 * asks, timers, blocking calls and foreign posts.  The deadline is at times
 * for ever, at times near, at times over.  After each stop nothing may be left
 * and everything must be accounted for: messages, stop() calls, asks that
 * ended at most once, arguments of blocking calls.
 */
#define KIT_STRESS
#include "kit.h"

enum { ROUNDS = TEST_SCALE(300) + 60, TALKERS = 20 };

enum { CHAT, REQUEST, TICK, BRIEF };

struct load {
	struct kit k;
	tr_ref ref[TALKERS];
	atomic_ullong started, stopped, jobs, back, asks, outcomes;
};

struct talker {
	struct load *load;
	uint64_t seed;
};

static int
load_work(struct tr_system *system, void *arg)
{
	struct load *load = arg;

	(void)tr_post(system, load->ref[0], CHAT, NULL, 0);
	return TR_OK;
}

static int
load_done(struct tr_self *self, void *state, int outcome, void *arg)
{
	struct load *load = arg;

	(void)self;
	(void)state;
	(void)outcome;
	atomic_fetch_add(&load->back, 1);
	return TR_OK;
}

static void
load_drop(void *arg)
{
	struct load *load = arg;

	atomic_fetch_add(&load->back, 1);
}

static const struct tr_job job = {
	.work = load_work,
	.done = load_done,
	.drop = load_drop,
};

static int
on_outcome(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct talker *t = state;

	(void)self;
	(void)outcome;
	(void)answer;
	(void)cookie;
	atomic_fetch_add(&t->load->outcomes, 1);
	return TR_OK;
}

/* ------------------------------------------------- brief, dying soon --- */

static int
brief_start(struct tr_self *self, void *state, const void *arg)
{
	struct load *load;

	(void)kit_start_ctx(self, state, arg);
	load = kit_ctx(state);
	atomic_fetch_add(&load->started, 1);
	return TR_OK;
}

static int
brief_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	(void)msg;
	return tr_exit(self, TR_NORMAL);
}

static void
brief_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct load *load = kit_ctx(state);

	(void)why;
	atomic_fetch_add(&load->stopped, 1);
	kit_tell(self, load->ref[0], CHAT);
}

static const struct tr_behavior brief = {
	.name = "brief",
	.state_size = sizeof(void *),
	.start = brief_start,
	.receive = brief_receive,
	.stop = brief_stop,
};

/* ----------------------------------------------------------- talkers --- */

static void
talk(struct tr_self *self, struct talker *t)
{
	tr_ref to = t->load->ref[kit_below(&t->seed, TALKERS)];
	tr_ref child;

	kit_tell(self, to, CHAT);
	switch (kit_below(&t->seed, 40)) {
	case 0:
		child = tr_spawn(self, &brief, t->load, NULL);
		kit_tell(self, child, BRIEF);
		break;
	case 1:
		(void)!tr_after(self, TR_US(kit_below(&t->seed, 3000)), TICK,
		    0);
		break;
	case 2:
		if (tr_ask(self, to, REQUEST, NULL, 0,
			tr_in(self, TR_US(kit_below(&t->seed, 3000))),
			on_outcome, 0) != 0)
			atomic_fetch_add(&t->load->asks, 1);
		break;
	case 3:
		if (tr_offload_blocking(self, &job, t->load, tr_forever(),
			NULL) == TR_OK)
			atomic_fetch_add(&t->load->jobs, 1);
		break;
	case 4: kit_spin_for(self, TR_US(kit_below(&t->seed, 100))); break;
	default: break;
	}
}

static int
talker_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct talker *t = state;

	switch (tr_tag(msg)) {
	case REQUEST:
		if (kit_below(&t->seed, 4) == 0)
			return tr_reply_token(self).bits == 0 ? TR_ENOMEM :
								TR_OK;
		return tr_reply(self, msg, CHAT, NULL, 0);
	case TICK: return TR_OK;
	default: talk(self, t); return TR_OK;
	}
}

static int
talker_start(struct tr_self *self, void *state, const void *arg)
{
	struct talker *t = state;

	(void)kit_start_ctx(self, state, arg);
	t->seed = tr_self_ref(self).bits;
	atomic_fetch_add(&t->load->started, 1);
	return TR_OK;
}

static void
talker_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct talker *t = state;

	(void)self;
	KIT_CHECK(why->code == TR_SHUTDOWN || why->code == TR_KILLED);
	atomic_fetch_add(&t->load->stopped, 1);
}

static const struct tr_behavior talker = {
	.name = "talker",
	.state_size = sizeof(struct talker),
	.start = talker_start,
	.receive = talker_receive,
	.stop = talker_stop,
};

/* ------------------------------------------------------------- rounds --- */

static int64_t
some_deadline(struct load *load, uint64_t *seed)
{
	switch (kit_below(seed, 3)) {
	case 0: return tr_forever();
	case 1:
		return tr_system_now(load->k.sys) +
		    TR_US(kit_below(seed, 2000));
	default: return 0;
	}
}

static void
play_round(struct load *load, unsigned workers, uint64_t *seed)
{
	int64_t until, deadline;
	int rc;

	memset(load, 0, sizeof(*load));
	kit_new(&load->k, workers);
	for (int i = 0; i < TALKERS; i++) {
		load->ref[i] =
		    tr_system_spawn(load->k.sys, &talker, load, NULL);
		KIT_CHECK(tr_ref_valid(load->ref[i]));
	}
	for (int i = 0; i < TALKERS; i++)
		KIT_CHECK(
		    tr_post(load->k.sys, load->ref[i], CHAT, NULL, 0) == TR_OK);
	kit_begin(&load->k);
	until = tr_system_now(load->k.sys) + TR_US(kit_below(seed, 8000));
	while (tr_system_now(load->k.sys) < until)
		(void)tr_post(load->k.sys, load->ref[kit_below(seed, TALKERS)],
		    TICK, NULL, 0);
	deadline = some_deadline(load, seed);
	KIT_CHECK(tr_system_stop(load->k.sys, deadline) == TR_OK);
	KIT_CHECK(pthread_join(load->k.thread, NULL) == 0);
	KIT_CHECK(load->k.run_rc == TR_OK || deadline != tr_forever());
	/* A near deadline may find a handler or a job still at work, and the
	 * job's post between its count and its fate. */
	while ((rc = tr_stats(load->k.sys, &load->k.stats)) == TR_OK &&
	    (load->k.stats.actors != 0 || load->k.stats.queued != 0))
		sched_yield();
	KIT_CHECK(rc == TR_OK);
	KIT_CHECK(kit_balanced(&load->k.stats));
	KIT_CHECK(load->k.stats.spawned == load->k.stats.ended);
	if (deadline == tr_forever())
		KIT_CHECK(load->k.report.killed == 0);
	while ((rc = tr_system_free(load->k.sys)) == TR_EBUSY)
		sched_yield();
	KIT_CHECK(rc == TR_OK);
	KIT_CHECK(load->started == load->stopped);
	KIT_CHECK(load->jobs == load->back);
	KIT_CHECK(load->outcomes <= load->asks);
}

int
main(int argc, char **argv)
{
	static struct load load;
	uint64_t seed, messages = 0, killed = 0;
	unsigned workers = kit_stress_args(argc, argv, &seed);

	for (int i = 0; i < ROUNDS; i++) {
		play_round(&load, workers, &seed);
		messages += load.k.stats.sent;
		killed += load.k.report.killed;
	}
	printf("stopping: %d stops under load, %" PRIu64 " messages accounted "
	       "for, %" PRIu64 " actors killed\n",
	    ROUNDS, messages, killed);
	kit_print_stats(&load.k.stats);
	return 0;
}
