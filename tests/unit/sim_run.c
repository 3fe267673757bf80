/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs: the same seed is the same run, whatever ran before, and whoever looks.
 */
#include <troupe/sim.h>

#include <sys/wait.h>

#include "kit.h"
#include "scale.h"

enum { HOP = 1, HOPS = 200, RING = 5 };

static tr_ref ring[RING];

static int
hop_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	uint32_t left = *(const uint32_t *)tr_data(msg, sizeof(left));
	uint8_t dice;

	(void)state;
	if (left == 0)
		return TR_OK;
	left--;
	tr_entropy(tr_system_of(self), &dice, sizeof(dice));
	(void)tr_after(self, TR_US(dice), 99, 0);
	return tr_send(self, ring[dice % RING], HOP, &left, sizeof(left));
}

static int
hop_receive_all(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	return tr_tag(msg) == HOP ? hop_receive(self, state, msg) : TR_OK;
}

static const struct tr_behavior hopper = {
	.name = "hopper",
	.receive = hop_receive_all,
};

static void
messages_hop(struct tr_sim *sim, void *arg)
{
	struct tr_probe *p = tr_probe_new(sim, NULL);
	uint32_t hops = HOPS;
	unsigned i;

	(void)arg;
	for (i = 0; i < RING; i++)
		ring[i] = tr_sim_spawn(sim, &hopper, NULL);
	tr_sim_faults(sim, TR_FAULT_ALL);
	for (i = 0; i < 3; i++)
		tr_probe_send(p, ring[i], HOP, &hops, sizeof(hops));
	(void)tr_sim_run_until_quiet(sim, TR_SECONDS(10));
}

static void
messages_hop_and_fail(struct tr_sim *sim, void *arg)
{
	struct tr_probe *p = tr_probe_new(sim, "of a run that fails");
	uint32_t hops = HOPS;
	unsigned i;

	for (i = 0; i < RING; i++)
		ring[i] = tr_sim_spawn(sim, &hopper, NULL);
	tr_probe_send(p, ring[0], HOP, &hops, sizeof(hops));
	tr_sim_run_for(sim, TR_US(100));
	tr_probe_send(p, ring[0], HOP, &hops, sizeof(hops));
	tr_sim_check(sim, false, "as %s", (const char *)arg);
}

static uint64_t
hash_of(uint64_t seed)
{
	struct tr_sim_result r;

	assert_int_equal(tr_sim_run(seed, NULL, messages_hop, NULL, &r), TR_OK);
	if (r.failed)
		fail_msg("seed %" PRIu64 ": %s", seed, r.why);
	assert_true(r.messages > 0 && r.steps > 0 && r.virtual_ns > 0);
	assert_in_range(r.workers, 1, 8);
	assert_in_range(r.strategy, TR_SIM_RANDOM, TR_SIM_ROUND_ROBIN);
	return r.hash;
}

static void
same_seed_is_the_same_run(void **unused)
{
	uint64_t seed;

	(void)unused;
	for (seed = 1; seed <= 20; seed++)
		assert_true(hash_of(seed) == hash_of(seed));
}

static void
other_seeds_are_other_runs(void **unused)
{
	uint64_t hash[20];
	unsigned i, k;

	(void)unused;
	for (i = 0; i < 20; i++) {
		hash[i] = hash_of(i);
		for (k = 0; k < i; k++)
			assert_true(hash[i] != hash[k]);
	}
}

/* What the first run of a process says, by way of a child that has run none. */
static uint64_t fresh[5];

static void
fresh_process(void)
{
	int fd[2], status;
	unsigned i;

	for (i = 0; i < 5; i++) {
		pid_t child;

		if (pipe(fd) != 0 || (child = fork()) < 0)
			abort();
		if (child == 0) {
			uint64_t hash = hash_of(i);

			_exit(
			    write(fd[1], &hash, sizeof(hash)) == sizeof(hash) ?
				0 :
				1);
		}
		if (waitpid(child, &status, 0) != child || status != 0 ||
		    read(fd[0], &fresh[i], sizeof(fresh[i])) !=
			sizeof(fresh[i]))
			abort();
		close(fd[0]);
		close(fd[1]);
	}
}

static void
run_after_a_failed_one_is_as_in_a_fresh_process(void **unused)
{
	struct tr_sim_result r;
	unsigned i;

	(void)unused;
	for (i = 0; i < 5; i++) {
		assert_int_equal(tr_sim_run(77 + i, NULL, messages_hop_and_fail,
				     (void *)(uintptr_t) "expected", &r),
		    TR_OK);
		assert_true(r.failed);
		assert_string_equal(r.why, "as expected");
		assert_true(hash_of(i) == fresh[i]);
	}
}

static void
other_systems_of_the_process_change_nothing(void **unused)
{
	struct tr_system *sys;
	uint64_t hash = hash_of(3);

	(void)unused;
	assert_int_equal(tr_system_new(&sys, NULL), TR_OK);
	assert_true(hash_of(3) == hash);
	assert_int_equal(tr_system_free(sys), TR_OK);
}

static void
count_line(const char *line, void *ctx)
{
	assert_non_null(strstr(line, " us "));
	++*(unsigned *)ctx;
}

static void
trace_changes_nothing(void **unused)
{
	struct tr_sim_result plain, traced;
	unsigned lines = 0;
	struct tr_sim_options o = { .trace = count_line, .trace_ctx = &lines };

	(void)unused;
	assert_int_equal(tr_sim_run(5, NULL, messages_hop, NULL, &plain),
	    TR_OK);
	assert_int_equal(tr_sim_run(5, &o, messages_hop, NULL, &traced), TR_OK);
	assert_true(plain.hash == traced.hash);
	assert_int_equal(plain.steps, traced.steps);
	assert_true(lines > traced.messages);
}

static void
options_are_validated(void **unused)
{
	struct tr_sim_result r;
	struct tr_sim_options o = { .workers = 9 };

	(void)unused;
	assert_int_equal(tr_sim_run(1, &o, messages_hop, NULL, &r), TR_EINVAL);
	o = (struct tr_sim_options){ .strategy = (enum tr_sim_strategy)4 };
	assert_int_equal(tr_sim_run(1, &o, messages_hop, NULL, &r), TR_EINVAL);
	o = (struct tr_sim_options){ .faults = 1u << 20 };
	assert_int_equal(tr_sim_run(1, &o, messages_hop, NULL, &r), TR_EINVAL);
	o = (struct tr_sim_options){
		.system = &(struct tr_options){ .max_actors = 1 },
	};
	assert_int_equal(tr_sim_run(1, &o, messages_hop, NULL, &r), TR_EINVAL);
	assert_int_equal(tr_sim_run(1, NULL, NULL, NULL, &r), TR_EINVAL);
	assert_int_equal(tr_sim_run(1, NULL, messages_hop, NULL, NULL),
	    TR_EINVAL);
}

static void
options_hold(void **unused)
{
	struct tr_sim_result r;
	struct tr_sim_options o = { .faults = TR_FAULT_NONE };
	unsigned seed;

	(void)unused;
	for (seed = 1; seed <= 8; seed++) {
		o.workers = seed;
		o.strategy = (enum tr_sim_strategy)(1 + seed % 3);
		o.length = (uint64_t)seed * 100;
		assert_int_equal(tr_sim_run(seed, &o, messages_hop, NULL, &r),
		    TR_OK);
		assert_false(r.failed);
		assert_int_equal(r.workers, seed);
		assert_int_equal(r.strategy, o.strategy);
		assert_int_equal(r.faults, 0);
		assert_int_equal(r.active, 0);
	}
}

static void
too_many_steps_fail_the_run(void **unused)
{
	struct tr_sim_options o = { .max_steps = 50 };
	struct tr_sim_result r;

	(void)unused;
	assert_int_equal(tr_sim_run(1, &o, messages_hop, NULL, &r), TR_OK);
	assert_true(r.failed);
	assert_string_equal(r.why, "it does not end: 50 steps");
	assert_int_equal(r.steps, 51);
}

/* A worker that always has something to do does not keep the others from
 * theirs, with any strategy. */
static int
busy_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	(void)msg;
	return tr_send(self, tr_self_ref(self), HOP, NULL, 0);
}

static const struct tr_behavior busy = {
	.name = "busy",
	.receive = busy_receive,
};

static void
others_are_answered_beside_a_busy_one(struct tr_sim *sim, void *arg)
{
	struct tr_probe *p = tr_probe_new(sim, NULL);
	struct tr_spawn_options o = { .placement = TR_PLACE_WORKER };
	tr_ref ref[4];
	unsigned i;

	(void)arg;
	for (i = 0; i < 4; i++) {
		o.worker = i;
		ref[i] = tr_system_spawn(tr_sim_system(sim), &busy, NULL, &o);
		tr_sim_check(sim, tr_ref_valid(ref[i]), "no actor");
		tr_probe_send(p, ref[i], HOP, NULL, 0);
	}
	for (i = 0; i < 4; i++) {
		o.worker = i;
		ref[0] =
		    tr_system_spawn(tr_sim_system(sim), &kit_idler, NULL, &o);
		tr_sim_check(sim,
		    tr_probe_ask(p, ref[0], 2, NULL, 0, TR_SECONDS(100),
			NULL) == TR_ENOREPLY,
		    "worker %u is starved", i);
	}
}

static void
no_strategy_starves_a_worker(void **unused)
{
	struct tr_sim_options o = { .workers = 4 };
	struct tr_sim_result r;
	uint64_t seed;

	(void)unused;
	for (seed = 1; seed <= 3 * TEST_SCALE(10); seed++) {
		o.strategy = (enum tr_sim_strategy)(1 + seed % 3);
		assert_int_equal(tr_sim_run(seed, &o,
				     others_are_answered_beside_a_busy_one,
				     NULL, &r),
		    TR_OK);
		if (r.failed)
			fail_msg("seed %" PRIu64 ": %s", seed, r.why);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(same_seed_is_the_same_run),
		KIT_TEST(other_seeds_are_other_runs),
		KIT_TEST(run_after_a_failed_one_is_as_in_a_fresh_process),
		KIT_TEST(other_systems_of_the_process_change_nothing),
		KIT_TEST(trace_changes_nothing),
		KIT_TEST(options_are_validated),
		KIT_TEST(options_hold),
		KIT_TEST(too_many_steps_fail_the_run),
		KIT_TEST(no_strategy_starves_a_worker),
	};

	fresh_process();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
