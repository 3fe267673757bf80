/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Probes: what the scenario says and hears through them; and that what goes
 * wrong fails the run with a text, instead of crashing.
 */
#include <troupe/sim.h>

#include "kit.h"

enum { HELLO = 1, ANSWER, NEVER, TICK };

/* Answers HELLO after a while, lets NEVER fall, sends plain ones back. */
static int
echo_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	switch (tr_tag(msg)) {
	case HELLO:
		return tr_reply(self, msg, ANSWER, tr_data(msg, tr_size(msg)),
		    tr_size(msg));
	case TICK: (void)tr_after(self, TR_MS(5), TICK, 7); return TR_OK;
	default: return TR_OK;
	}
}

static const struct tr_behavior echo = {
	.name = "echo",
	.receive = echo_receive,
};

/* Keeps what it gets for ever. */
static int
hoard_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	return (*(struct tr_msg **)state = tr_take(self, msg)) == NULL ?
	    TR_ENOMEM :
	    TR_OK;
}

static void
hoard_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)self;
	(void)why;
	tr_msg_drop(state);
}

static const struct tr_behavior hoard = {
	.name = "hoard",
	.state_size = sizeof(struct tr_msg *),
	.receive = hoard_receive,
	.stop = hoard_stop,
};

/* Asks whoever is called "oracle", and sends what came of it to "listener". */
static int
seeker_answered(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	tr_ref to = tr_whereis(tr_system_of(self), "listener");

	(void)state;
	(void)answer;
	(void)cookie;
	return tr_send(self, to, ANSWER, &outcome, sizeof(outcome));
}

static int
seeker_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	tr_ref to = tr_whereis(tr_system_of(self), "oracle");

	(void)state;
	(void)msg;
	return tr_ask(self, to, HELLO, "why", 4, tr_in(self, TR_SECONDS(9)),
		   seeker_answered, 0) == 0 ?
	    TR_ENOMEM :
	    TR_OK;
}

static const struct tr_behavior seeker = {
	.name = "seeker",
	.receive = seeker_receive,
};

/* Run for some seeds; NULL: it has to pass, else to fail with this text. */
static void
play(tr_sim_fn *fn, const char *why)
{
	struct tr_sim_result r;
	uint64_t seed;

	for (seed = 1; seed <= 40; seed++) {
		assert_int_equal(tr_sim_run(seed, NULL, fn, NULL, &r), TR_OK);
		if (why == NULL && r.failed)
			fail_msg("seed %" PRIu64 ": %s", seed, r.why);
		if (why != NULL) {
			assert_true(r.failed);
			assert_string_equal(r.why, why);
		}
	}
}

static void
send_and_expect(struct tr_sim *sim, void *arg)
{
	struct tr_probe *p = tr_probe_new(sim, NULL), *q = tr_probe_new(sim, 0);
	const struct tr_msg *m;
	int i;

	(void)arg;
	for (i = 0; i < 3; i++)
		tr_probe_send(p, tr_probe_ref(q), HELLO, &i, sizeof(i));
	for (i = 0; i < 3; i++) {
		m = tr_probe_expect(q, HELLO, TR_MS(1));
		tr_sim_check(sim, tr_size(m) == sizeof(i), "size");
		tr_sim_check(sim, memcmp(tr_data(m, sizeof(i)), &i, 4) == 0,
		    "number %d", i);
		tr_sim_check(sim, tr_ref_equal(tr_sender(m), tr_probe_ref(p)),
		    "sender");
	}
	tr_probe_expect_none(q, TR_SECONDS(1));
}

static void
probes_hear_what_was_sent_in_order(void **unused)
{
	(void)unused;
	play(send_and_expect, NULL);
}

static void
ask_an_echo(struct tr_sim *sim, void *arg)
{
	struct tr_probe *p = tr_probe_new(sim, NULL);
	tr_ref ref = tr_sim_spawn(sim, &echo, NULL);
	const struct tr_msg *m = NULL;

	(void)arg;
	tr_sim_faults(sim, TR_FAULT_ALL & ~TR_FAULT_KILL & ~TR_FAULT_NOMEM);
	tr_sim_check(sim,
	    tr_probe_ask(p, ref, HELLO, "abc", 4, TR_SECONDS(60), &m) == TR_OK,
	    "outcome");
	tr_sim_check(sim, m != NULL && tr_tag(m) == ANSWER, "answer");
	tr_sim_check(sim, strcmp(tr_data(m, 4), "abc") == 0, "payload");
	/* Without the answer being wanted. */
	tr_sim_check(sim,
	    tr_probe_ask(p, ref, HELLO, NULL, 0, TR_SECONDS(60), NULL) == TR_OK,
	    "outcome 2");
	tr_sim_check(sim,
	    tr_probe_ask(p, ref, NEVER, NULL, 0, TR_SECONDS(60), &m) ==
		    TR_ENOREPLY &&
		m == NULL,
	    "no reply");
}

static void
probe_asks_and_is_answered(void **unused)
{
	(void)unused;
	play(ask_an_echo, NULL);
}

static void
ask_in_vain(struct tr_sim *sim, void *arg)
{
	struct tr_probe *p = tr_probe_new(sim, NULL);
	tr_ref ref = tr_sim_spawn(sim, &hoard, NULL);
	int64_t before = tr_sim_now(sim);

	(void)arg;
	tr_sim_check(sim,
	    tr_probe_ask(p, ref, HELLO, NULL, 0, TR_SECONDS(3600), NULL) ==
		TR_ETIMEDOUT,
	    "hoard");
	tr_sim_check(sim, tr_sim_now(sim) - before >= TR_SECONDS(3600),
	    "too early");
	tr_sim_kill(sim, ref);
	tr_sim_run_for(sim, TR_MS(1));
	tr_sim_check(sim,
	    tr_probe_ask(p, ref, HELLO, NULL, 0, TR_SECONDS(1), NULL) ==
		TR_EDEAD,
	    "dead");
	tr_sim_check(sim,
	    tr_probe_ask(p, TR_REF_NONE, HELLO, NULL, 0, TR_SECONDS(1), NULL) ==
		TR_EDEAD,
	    "nobody");
}

static void
asks_end_by_deadline_and_by_death(void **unused)
{
	(void)unused;
	play(ask_in_vain, NULL);
}

static void
be_asked(struct tr_sim *sim, void *arg)
{
	struct tr_probe *p = tr_probe_new(sim, "oracle");
	struct tr_probe *q = tr_probe_new(sim, "listener");
	tr_ref ref = tr_sim_spawn(sim, &seeker, NULL);
	const struct tr_msg *m;

	(void)arg;
	tr_probe_send(q, ref, HELLO, NULL, 0);
	tr_probe_send(q, ref, HELLO, NULL, 0);
	m = tr_probe_expect(p, HELLO, TR_MS(10));
	tr_sim_check(sim, strcmp(tr_data(m, 4), "why") == 0, "payload");
	tr_probe_reply(p, ANSWER, NULL, 0);
	/* The first one's answer must not go to the second. */
	(void)tr_probe_expect(p, HELLO, TR_MS(10));
	m = tr_probe_expect(q, ANSWER, TR_MS(10));
	tr_sim_check(sim, *(const int *)tr_data(m, 4) == TR_OK, "answered");
	tr_probe_expect_none(q, TR_MS(1));
	/* Dropped unanswered. */
	tr_probe_expect_none(p, TR_MS(1));
	m = tr_probe_expect(q, ANSWER, TR_MS(10));
	tr_sim_check(sim, *(const int *)tr_data(m, 4) == TR_ENOREPLY, "drop");
	tr_sim_check(sim, tr_sim_run_until_quiet(sim, TR_SECONDS(9)) == TR_OK,
	    "rest");
}

static void
probe_answers_what_it_expected(void **unused)
{
	(void)unused;
	play(be_asked, NULL);
}

static void
have_messages_left(struct tr_sim *sim, void *arg)
{
	struct tr_probe *p = tr_probe_new(sim, "oracle");
	struct tr_probe *q = tr_probe_new(sim, "listener");
	tr_ref ref = tr_sim_spawn(sim, &seeker, NULL);
	int i;

	(void)arg;
	for (i = 0; i < 3; i++)
		tr_probe_send(q, ref, HELLO, NULL, 0);
	(void)tr_probe_expect(p, HELLO, TR_MS(10));
	(void)tr_probe_expect(p, HELLO, TR_MS(10));
}

static void
messages_that_probes_still_have_end_with_the_run(void **unused)
{
	(void)unused;
	play(have_messages_left, NULL);
}

static void
expect_too_much(struct tr_sim *sim, void *arg)
{
	(void)arg;
	(void)tr_probe_expect(tr_probe_new(sim, NULL), HELLO, TR_MS(10));
}

static void
expect_another(struct tr_sim *sim, void *arg)
{
	struct tr_probe *p = tr_probe_new(sim, NULL);

	(void)arg;
	tr_probe_send(p, tr_probe_ref(p), 3, NULL, 0);
	(void)tr_probe_expect(p, 4, TR_MS(10));
}

static void
expect_nothing(struct tr_sim *sim, void *arg)
{
	struct tr_probe *p = tr_probe_new(sim, NULL);

	(void)arg;
	tr_probe_send(p, tr_probe_ref(p), 3, NULL, 0);
	tr_probe_expect_none(p, TR_MS(10));
}

static void
reply_to_nothing(struct tr_sim *sim, void *arg)
{
	(void)arg;
	tr_probe_reply(tr_probe_new(sim, NULL), 1, NULL, 0);
}

static void
take_a_name_twice(struct tr_sim *sim, void *arg)
{
	(void)arg;
	(void)tr_probe_new(sim, "one");
	(void)tr_probe_new(sim, "one");
}

static void
spawn_nonsense(struct tr_sim *sim, void *arg)
{
	(void)arg;
	(void)tr_sim_spawn(sim, &(const struct tr_behavior){ 0 }, NULL);
}

static int
nested_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)self;
	(void)msg;
	tr_sim_run_for(**(struct tr_sim ***)state, 1);
	return TR_OK;
}

static int
nested_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	*(const void **)state = arg;
	return TR_OK;
}

static const struct tr_behavior nested = {
	.state_size = sizeof(void *),
	.start = nested_start,
	.receive = nested_receive,
};

static void
run_inside(struct tr_sim *sim, void *arg)
{
	static struct tr_sim *it;

	(void)arg;
	it = sim;
	tr_probe_send(tr_probe_new(sim, NULL), tr_sim_spawn(sim, &nested, &it),
	    HELLO, NULL, 0);
	tr_sim_run_for(sim, TR_MS(1));
}

static void
failures_are_reported(void **unused)
{
	(void)unused;
	play(expect_too_much,
	    "tr_probe_expect: no message, tag 1 was expected");
	play(expect_another, "tr_probe_expect: tag 3, 4 was expected");
	play(expect_nothing, "tr_probe_expect_none: a message, tag 3");
	play(reply_to_nothing, "tr_probe_reply: there is no message");
	play(take_a_name_twice, "tr_probe_new: the name or signal is taken");
	play(spawn_nonsense, "tr_sim_spawn: Invalid argument");
	play(run_inside, "tr_sim_run_for: called by an actor");
}

static int
stopper_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	(void)msg;
	return tr_system_stop(tr_system_of(self), tr_forever());
}

static const struct tr_behavior stopper = { .receive = stopper_receive };

static void
stop_the_system(struct tr_sim *sim, void *arg)
{
	struct tr_probe *p = tr_probe_new(sim, NULL);
	tr_ref ref = tr_sim_spawn(sim, &stopper, NULL);

	(void)arg;
	(void)tr_probe_ask(p, ref, HELLO, NULL, 0, TR_SECONDS(1), NULL);
	tr_sim_run_for(sim, TR_SECONDS(1));
	tr_sim_check(sim,
	    tr_probe_ask(p, ref, HELLO, NULL, 0, TR_SECONDS(1), NULL) ==
		TR_ESTOPPING,
	    "the probe goes on");
	tr_probe_send(p, ref, HELLO, NULL, 0);
	tr_sim_kill(sim, ref);
	(void)tr_sim_run_until_quiet(sim, TR_SECONDS(1));
}

static void
system_may_stop_before_the_scenario_ends(void **unused)
{
	(void)unused;
	play(stop_the_system, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(probes_hear_what_was_sent_in_order),
		KIT_TEST(probe_asks_and_is_answered),
		KIT_TEST(asks_end_by_deadline_and_by_death),
		KIT_TEST(probe_answers_what_it_expected),
		KIT_TEST(messages_that_probes_still_have_end_with_the_run),
		KIT_TEST(failures_are_reported),
		KIT_TEST(system_may_stop_before_the_scenario_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
