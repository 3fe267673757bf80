/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Supervised trees under faults: whatever fails, is killed, is slow or finds no
 * memory, no child has two lives at once, no child outlives its supervisor,
 * every request ends, and the tree comes to rest: whole, or gone.
 *
 * A vandal asks for children, stops and deletes them, and makes them fail, as
 * the seed has it; members fail to start now and then.
 */
#include <troupe/sim.h>

#include "kit.h"

enum { SEEDS = TEST_SCALE(300), MEMBERS = 12, ACTS = 150 };
enum { CRASH = 1, QUIT, GO };

static struct {
	struct tr_sim *sim;
	int lives[MEMBERS]; /* now */
	tr_ref ref[MEMBERS];
	unsigned started, stopped;
	unsigned asked, answered;
	bool vandal_lives;
	bool peace;
} world;

static struct {
	uint64_t started, answered, whole, gone, restarted;
} total;

static uint64_t
dice(struct tr_self *self, uint64_t below)
{
	uint64_t random;

	tr_entropy(tr_system_of(self), &random, sizeof(random));
	return random % below;
}

/* ------------------------------------------------------------- members --- */

static int
member_start(struct tr_self *self, void *state, const void *arg)
{
	unsigned at = *(const unsigned *)arg;

	*(unsigned *)state = at;
	if (!world.peace && dice(self, 8) == 0)
		return dice(self, 4) == 0 ? TR_IGNORE : -7;
	tr_sim_check(world.sim, world.lives[at]++ == 0 || at >= 8,
	    "%u has two lives", at);
	world.ref[at] = tr_self_ref(self);
	world.started++;
	if (!world.peace && dice(self, 16) == 0)
		return tr_exit(self, -9);
	return TR_OK;
}

static int
member_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	if (tr_tag(msg) == CRASH)
		return tr_fail(self, -5, "crash");
	return tr_tag(msg) == QUIT ? tr_exit(self, TR_NORMAL) : TR_OK;
}

static void
member_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)self;
	(void)why;
	world.lives[*(unsigned *)state]--;
	world.stopped++;
}

static const struct tr_behavior member = {
	.name = "member",
	.state_size = sizeof(unsigned),
	.arg_size = sizeof(unsigned),
	.start = member_start,
	.receive = member_receive,
	.stop = member_stop,
};

static const unsigned number[MEMBERS] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
	11 };

#define MEMBER(i) .id = #i, .behavior = &member, .arg = &number[i]

static const struct tr_child all_kids[] = {
	{ MEMBER(0) },
	{ MEMBER(1), .restart = TR_TRANSIENT },
	{ MEMBER(2),
	    .backoff = { .min_ns = TR_MS(3),
		.max_ns = TR_MS(50),
		.jitter_percent = 50 } },
};

static const struct tr_supervisor all = {
	.name = "all",
	.strategy = TR_ONE_FOR_ALL,
	.intensity = 20,
	TR_CHILDREN(all_kids),
};

static const struct tr_child pool_kids[] = {
	{ MEMBER(8), .restart = TR_TRANSIENT, .shutdown_ns = TR_MS(20) },
};

static const struct tr_supervisor pool = {
	.name = "pool",
	.strategy = TR_SIMPLE_ONE_FOR_ONE,
	.intensity = 20,
	TR_CHILDREN(pool_kids),
};

static const struct tr_child top_kids[] = {
	{ MEMBER(3), .name = "three", .shutdown_ns = TR_BRUTAL_KILL },
	{ .id = "all", .supervisor = &all, .name = "all" },
	{ MEMBER(4), .shutdown_ns = TR_MS(5) },
	{ .id = "pool", .supervisor = &pool, .name = "pool" },
	{ MEMBER(5), .restart = TR_TEMPORARY },
};

static const struct tr_supervisor top = {
	.name = "top",
	.strategy = TR_REST_FOR_ONE,
	.intensity = 200,
	TR_CHILDREN(top_kids),
};

/* -------------------------------------------------------------- vandal --- */

static int
vandal_answered(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct tr_child_info info;

	(void)self;
	(void)state;
	world.answered++;
	if (cookie == 0)
		(void)tr_child_result(outcome, answer, &info);
	return TR_OK;
}

static tr_ask_id
vandal_ask(struct tr_self *self, tr_ref sup, unsigned extra)
{
	static const char *const ids[] = { "0", "1", "2", "3", "4", "5", "6",
		"7", "8", "all", "pool" };
	unsigned at = (unsigned)dice(self, 11);
	int64_t until =
	    dice(self, 4) == 0 ? tr_in(self, TR_MS(5)) : tr_forever();
	struct tr_child child = {
		.id = dice(self, 2) == 0 ? NULL : ids[extra],
		.behavior = &member,
		.restart = (enum tr_restart)dice(self, 3),
	};

	/* One that is this supervisor's only. */
	child.arg = child.id == NULL ? &number[8] : &number[extra];
	switch (dice(self, 7)) {
	case 0:
		return tr_supervisor_terminate_child(self, sup, ids[at],
		    TR_REF_NONE, until, vandal_answered, 0);
	case 1:
		return tr_supervisor_terminate_child(self, sup, NULL,
		    world.ref[8], until, vandal_answered, 0);
	case 2:
		return tr_supervisor_restart_child(self, sup, ids[at], until,
		    vandal_answered, 0);
	case 3:
		return tr_supervisor_delete_child(self, sup, ids[at], until,
		    vandal_answered, 0);
	case 4:
		return tr_supervisor_which_children(self, sup, until,
		    vandal_answered, 1);
	default:
		return tr_supervisor_start_child(self, sup, &child, until,
		    vandal_answered, 0);
	}
}

static int
vandal_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct tr_system *sys = tr_system_of(self);
	unsigned *left = state;
	tr_ref sup = *(const tr_ref *)tr_data(msg, sizeof(sup));
	tr_ref whom[3] = { sup, tr_whereis(sys, "all"),
		tr_whereis(sys, "pool") };
	unsigned which = (unsigned)dice(self, 3);
	tr_ref victim = world.ref[dice(self, MEMBERS)];
	tr_ask_id id;

	if (++*left > ACTS || tr_tag(msg) != GO)
		return tr_exit(self, TR_NORMAL);
	if (dice(self, 3) == 0) {
		(void)tr_send(self, victim, dice(self, 3) == 0 ? QUIT : CRASH,
		    NULL, 0);
	} else {
		id = vandal_ask(self, whom[which], 6 + which);
		world.asked += id != 0;
		if (id != 0 && dice(self, 10) == 0)
			(void)tr_cancel(self, id);
	}
	return tr_send(self, tr_self_ref(self), GO, &sup, sizeof(sup));
}

static void
vandal_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)self;
	(void)state;
	(void)why;
	world.vandal_lives = false;
}

static const struct tr_behavior vandal = {
	.name = "vandal",
	.state_size = sizeof(unsigned),
	.receive = vandal_receive,
	.stop = vandal_stop,
};

/* ------------------------------------------------------------ the check -- */

static int
lives(void)
{
	int n = 0;

	for (int i = 0; i < MEMBERS; i++)
		n += world.lives[i];
	return n;
}

static void
trees_come_to_rest(struct tr_sim *sim, void *arg)
{
	struct tr_system *sys = tr_sim_system(sim);
	struct tr_probe *p = tr_probe_new(sim, NULL);
	struct tr_stats stats;
	tr_ref sup, v;

	(void)arg;
	memset(&world, 0, sizeof(world));
	world.sim = sim;
	world.vandal_lives = true;
	sup = tr_supervisor_system_spawn(sys, &top, NULL);
	v = tr_sim_spawn(sim, &vandal, NULL);
	tr_sim_faults(sim, TR_FAULT_ALL);
	tr_probe_send(p, v, GO, &sup, sizeof(sup));
	tr_sim_check(sim, tr_sim_run_until_quiet(sim, TR_SECONDS(600)) == TR_OK,
	    "it does not come to rest");
	tr_sim_check(sim, !world.vandal_lives || world.asked == world.answered,
	    "%u asked, %u answered", world.asked, world.answered);
	(void)tr_stats(sys, &stats);
	total.restarted += stats.restarted;
	if (lives() == 0)
		total.gone++;
	else
		total.whole++;
	/* From here on nothing fails: it ends in its order, and all with it. */
	world.peace = true;
	tr_sim_faults(sim, 0);
	tr_sim_kill(sim, tr_sim_random(sim, 2) == 0 ? sup : TR_REF_NONE);
	(void)tr_system_stop(sys, INT64_MAX);
	tr_sim_check(sim, tr_sim_run_until_quiet(sim, TR_SECONDS(600)) == TR_OK,
	    "it does not come to its end");
	tr_sim_check(sim, lives() == 0 && world.started == world.stopped,
	    "%d members live on", lives());
	total.started += world.started;
	total.answered += world.answered;
}

static void
trees_come_to_rest_whatever_happens(void **unused)
{
	struct tr_sim_result r;

	(void)unused;
	memset(&total, 0, sizeof(total));
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		assert_int_equal(tr_sim_run(seed, NULL, trees_come_to_rest,
				     NULL, &r),
		    TR_OK);
		if (r.failed)
			fail_msg("seed %" PRIu64 ": %s", seed, r.why);
	}
	print_message("  %" PRIu64 " lives, %" PRIu64 " answers, %" PRIu64
		      " restarts; %" PRIu64 " whole, %" PRIu64 " gone\n",
	    total.started, total.answered, total.restarted, total.whole,
	    total.gone);
	assert_true(total.started > 5 * SEEDS);
	assert_true(total.answered > 10 * SEEDS);
	assert_true(total.restarted > 0);
	assert_true(total.whole > 0 && total.gone > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(trees_come_to_rest_whatever_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
