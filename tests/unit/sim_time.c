/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtual time, faults on demand, and what a run's rest is.
 */
#include <troupe/sim.h>

#include <signal.h>

#include "kit.h"

enum { GO = 1, TICK, SIGNAL, ENDED };

/* Run for some seeds; every one has to pass. */
static uint64_t
play(tr_sim_fn *fn, const struct tr_sim_options *o)
{
	struct tr_sim_result r;
	uint64_t seed, faults = 0;

	for (seed = 1; seed <= 40; seed++) {
		assert_int_equal(tr_sim_run(seed, o, fn, NULL, &r), TR_OK);
		if (r.failed)
			fail_msg("seed %" PRIu64 ": %s", seed, r.why);
		faults += r.faults;
	}
	return faults;
}

/* ----------------------------------------------------------------- time -- */

struct clock {
	int64_t delay_ns, fired_at;
	unsigned ticks;
	bool repeat;
};

static struct clock clocks; /* the run's; its actor writes, the test reads */

static int
clock_start(struct tr_self *self, void *state, const void *arg)
{
	(void)state;
	(void)arg;
	return (clocks.repeat ? tr_every(self, clocks.delay_ns, TICK, 0) :
				tr_after(self, clocks.delay_ns, TICK, 0)) == 0 ?
	    TR_ENOMEM :
	    TR_OK;
}

static int
clock_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	(void)msg;
	clocks.fired_at = tr_now(self);
	clocks.ticks++;
	return TR_OK;
}

static const struct tr_behavior clock_behavior = {
	.name = "clock",
	.start = clock_start,
	.receive = clock_receive,
};

static void
an_hour_passes(struct tr_sim *sim, void *arg)
{
	int64_t before = tr_sim_now(sim);

	(void)arg;
	clocks = (struct clock){ .delay_ns = TR_SECONDS(3600) };
	(void)tr_sim_spawn(sim, &clock_behavior, NULL);
	tr_sim_check(sim,
	    tr_sim_run_until_quiet(sim, TR_SECONDS(100)) == TR_ETIMEDOUT,
	    "the timer is armed");
	tr_sim_check(sim, clocks.ticks == 0, "too early");
	tr_sim_check(sim,
	    tr_sim_run_until_quiet(sim, TR_SECONDS(7200)) == TR_OK, "rest");
	tr_sim_check(sim, clocks.ticks == 1, "it fired");
	tr_sim_check(sim, clocks.fired_at - before >= TR_SECONDS(3600),
	    "an hour");
	tr_sim_check(sim,
	    clocks.fired_at - before < TR_SECONDS(3600) + TR_MS(2),
	    "an hour and %lld ns more",
	    (long long)(clocks.fired_at - before - TR_SECONDS(3600)));
}

static void
timer_of_an_hour_fires_in_virtual_time(void **unused)
{
	struct tr_sim_options o = { .max_steps = 100000 };

	(void)unused;
	(void)play(an_hour_passes, &o);
}

static void
clock_ticks_on(struct tr_sim *sim, void *arg)
{
	(void)arg;
	clocks = (struct clock){ .delay_ns = TR_MS(10), .repeat = true };
	(void)tr_sim_spawn(sim, &clock_behavior, NULL);
	tr_sim_check(sim,
	    tr_sim_run_until_quiet(sim, TR_SECONDS(1)) == TR_ETIMEDOUT,
	    "a repeating timer never rests");
	tr_sim_check(sim, clocks.ticks >= 95 && clocks.ticks <= 100, "%u ticks",
	    clocks.ticks);
}

static void
repeating_timers_run_to_the_limit(void **unused)
{
	(void)unused;
	(void)play(clock_ticks_on, NULL);
}

static void
time_passes_as_told(struct tr_sim *sim, void *arg)
{
	struct tr_system *sys = tr_sim_system(sim);
	int64_t before = tr_sim_now(sim), wall = tr_wall_time(sys);
	uint64_t one, two;

	(void)arg;
	tr_sim_run_for(sim, TR_SECONDS(10));
	tr_sim_check(sim, tr_sim_now(sim) - before >= TR_SECONDS(10), "10 s");
	tr_sim_check(sim, tr_sim_now(sim) - before < TR_SECONDS(11), "11 s");
	before = tr_system_now(sys);
	tr_sim_jump(sim, -TR_SECONDS(3600));
	tr_sim_check(sim, tr_system_now(sys) - before < TR_MS(1), "evenly");
	tr_sim_check(sim, tr_wall_time(sys) < wall - TR_SECONDS(3500), "back");
	tr_entropy(sys, &one, sizeof(one));
	tr_entropy(sys, &two, sizeof(two));
	tr_sim_check(sim, one != two, "entropy");
	tr_sim_check(sim, tr_sim_random(sim, 1) == 0, "below 1");
	tr_sim_run_for(sim, 0);
	tr_sim_check(sim,
	    tr_sim_run_until_quiet(sim, 0) == TR_OK ||
		tr_sim_run_until_quiet(sim, TR_SECONDS(9)) == TR_OK,
	    "rest");
}

static void
time_passes_as_the_scenario_says(void **unused)
{
	(void)unused;
	(void)play(time_passes_as_told, NULL);
}

/* --------------------------------------------------------------- faults -- */

/* Spawns, registers and sends large messages, and counts what fails. */
static struct {
	unsigned tried, refused, stopped;
	int reason;
} eaten;

static int
eater_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	static const char data[40000];

	(void)state;
	if (tr_tag(msg) != GO)
		return TR_OK;
	eaten.tried++;
	eaten.refused += tr_try_send(self, tr_self_ref(self), TICK, data,
			     sizeof(data)) == TR_ENOMEM;
	return TR_OK;
}

static void
eater_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)self;
	(void)state;
	eaten.stopped++;
	eaten.reason = why->code;
}

static const struct tr_behavior eater = {
	.name = "eater",
	.receive = eater_receive,
	.stop = eater_stop,
};

static void
eat(struct tr_sim *sim, struct tr_probe *p, tr_ref ref, unsigned times)
{
	unsigned i;

	for (i = 0; i < times; i++)
		tr_probe_send(p, ref, GO, NULL, 0);
	tr_sim_run_for(sim, TR_MS(100));
}

static void
memory_fails_as_told(struct tr_sim *sim, void *arg)
{
	struct tr_probe *p = tr_probe_new(sim, NULL);
	tr_ref ref = tr_sim_spawn(sim, &eater, NULL);

	(void)arg;
	memset(&eaten, 0, sizeof(eaten));
	eat(sim, p, ref, 5);
	tr_sim_check(sim, eaten.tried == 5 && eaten.refused == 0, "none fails");
	tr_sim_fail_memory(sim, 2);
	eat(sim, p, ref, 5);
	tr_sim_check(sim, eaten.tried == 10 && eaten.refused == 2,
	    "%u of %u failed", eaten.refused, eaten.tried);
	tr_sim_fail_memory(sim, 1000);
	tr_sim_check(sim, tr_ref_valid(tr_sim_spawn(sim, &kit_idler, NULL)),
	    "spared");
	eat(sim, p, ref, 5);
	tr_sim_check(sim, eaten.refused == 7, "all fail");
	tr_sim_fail_memory(sim, 0);
	eat(sim, p, ref, 5);
	tr_sim_check(sim, eaten.refused == 7, "none fails any more");
	tr_sim_kill(sim, ref);
	tr_sim_run_for(sim, TR_MS(1));
	tr_sim_check(sim, eaten.stopped == 1 && eaten.reason == TR_KILLED,
	    "killed");
}

static void
memory_and_kill_strike_when_told(void **unused)
{
	(void)unused;
	assert_int_equal(play(memory_fails_as_told, NULL), 40 * 7);
}

static void
eat_with(struct tr_sim *sim, void *arg)
{
	struct tr_probe *p = tr_probe_new(sim, NULL);
	tr_ref ref = tr_sim_spawn(sim, &eater, NULL);
	unsigned i;

	(void)arg;
	memset(&eaten, 0, sizeof(eaten));
	tr_sim_faults(sim, TR_FAULT_ALL);
	for (i = 0; i < 5; i++)
		eat(sim, p, ref, 20);
	(void)tr_sim_run_until_quiet(sim, TR_SECONDS(10));
}

static void
each_kind_of_fault_strikes_alone(void **unused)
{
	struct tr_sim_options o = { .faults = TR_FAULT_NONE };
	unsigned bit;

	(void)unused;
	assert_int_equal(play(eat_with, &o), 0);
	for (bit = 1; bit <= TR_FAULT_CLOCK; bit *= 2) {
		o.faults = bit;
		assert_true(play(eat_with, &o) > 0);
	}
}

static void
calm(struct tr_sim *sim, void *arg)
{
	struct tr_probe *p = tr_probe_new(sim, NULL);
	tr_ref ref = tr_sim_spawn(sim, &eater, NULL);

	(void)arg;
	memset(&eaten, 0, sizeof(eaten));
	eat(sim, p, ref, 50);
	tr_sim_faults(sim, TR_FAULT_ALL);
	tr_sim_faults(sim, 0);
	eat(sim, p, ref, 50);
	tr_sim_check(sim, tr_sim_run_until_quiet(sim, TR_SECONDS(3)) == TR_OK,
	    "rest");
	tr_sim_check(sim, eaten.refused == 0 && eaten.stopped == 0, "calm");
}

static void
no_fault_strikes_before_it_is_allowed(void **unused)
{
	(void)unused;
	assert_int_equal(play(calm, NULL), 0);
}

/* -------------------------------------------------------------- signals -- */

static void
signal_arrives(struct tr_sim *sim, void *arg)
{
	struct tr_probe *p = tr_probe_new(sim, NULL);

	(void)arg;
	tr_sim_signal(sim, SIGUSR1); /* nobody listens */
	tr_sim_signal(sim, 0);
	tr_sim_signal(sim, 65);
	tr_sim_check(sim,
	    tr_signal_send(tr_sim_system(sim), SIGUSR1, tr_probe_ref(p),
		SIGNAL) == TR_OK,
	    "signal");
	tr_probe_expect_none(p, TR_SECONDS(1));
	tr_sim_signal(sim, SIGUSR1);
	(void)tr_probe_expect(p, SIGNAL, TR_MS(1));
	tr_sim_signal(sim, SIGUSR2);
	tr_probe_expect_none(p, TR_SECONDS(1));
}

static void
signals_arrive_as_messages(void **unused)
{
	(void)unused;
	(void)play(signal_arrives, NULL);
}

/* ---------------------------------------------------------------- calls -- */

static int
call_work(struct tr_system *system, void *arg)
{
	(void)system;
	*(int *)arg += 1;
	return TR_OK;
}

static int
call_done(struct tr_self *self, void *state, int outcome, void *arg)
{
	(void)self;
	(void)state;
	*(int *)arg += outcome == TR_OK ? 10 : 100;
	return TR_OK;
}

static const struct tr_job call = { .work = call_work, .done = call_done };

static int counts[20]; /* the run's */

static int
caller_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	unsigned i;

	(void)state;
	(void)msg;
	for (i = 0; i < 20; i++)
		if (tr_offload_blocking(self, &call, &counts[i], tr_forever(),
			NULL) != TR_OK)
			counts[i] = 11;
	return TR_OK;
}

static const struct tr_behavior caller = { .receive = caller_receive };

static void
call_out(struct tr_sim *sim, void *arg)
{
	unsigned i;

	(void)arg;
	memset(counts, 0, sizeof(counts));
	tr_sim_faults(sim, TR_FAULT_JOBS | TR_FAULT_SLOW | TR_FAULT_WAKE);
	tr_probe_send(tr_probe_new(sim, NULL), tr_sim_spawn(sim, &caller, NULL),
	    GO, NULL, 0);
	tr_sim_check(sim, tr_sim_run_until_quiet(sim, TR_SECONDS(9)) == TR_OK,
	    "rest");
	for (i = 0; i < 20; i++)
		tr_sim_check(sim, counts[i] == 11, "call %u: %d", i, counts[i]);
}

static void
blocking_calls_end_once(void **unused)
{
	(void)unused;
	assert_true(play(call_out, NULL) > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(timer_of_an_hour_fires_in_virtual_time),
		KIT_TEST(repeating_timers_run_to_the_limit),
		KIT_TEST(time_passes_as_the_scenario_says),
		KIT_TEST(memory_and_kill_strike_when_told),
		KIT_TEST(each_kind_of_fault_strikes_alone),
		KIT_TEST(no_fault_strikes_before_it_is_allowed),
		KIT_TEST(signals_arrive_as_messages),
		KIT_TEST(blocking_calls_end_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
