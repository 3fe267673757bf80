/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An actor dies with a million messages in its mailbox: its worker serves
 * others in between, every message becomes a dead letter, every ask among them
 * is answered, and the order of dying is kept.
 *
 * All three actors are pinned to one worker, so whose turn it is can be
 * counted.
 */
#include "kit.h"

enum {
	QUEUED = TEST_SCALE(1000000),
	EACH = 100,
	ASKS = (QUEUED + EACH - 1) / EACH
};

enum { NOTE, ASK, DIE, TURN, FILL };

struct hospice {
	tr_ref patient, neighbour;
	uint64_t turns; /* of the neighbour */
	uint64_t turns_at_end; /* when the patient's stop() ran */
	uint64_t turns_at_death; /* when it was told to die */
	uint64_t answered, edead;
	int way;
	int stops, name_in_stop;
	bool dying;
};

/* Another one on the same worker, always with something to do. */
static int
neighbour_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct hospice *h = kit_ctx(state);

	(void)msg;
	h->turns++;
	if (h->answered < ASKS || h->stops == 0)
		return tr_send(self, tr_self_ref(self), TURN, NULL, 0);
	return kit_finish(self);
}

static const struct tr_behavior neighbour = {
	.name = "neighbour",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = neighbour_receive,
};

static int
patient_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct hospice *h = kit_ctx(state);

	if (tr_tag(msg) != DIE)
		return TR_EINVAL;
	h->dying = true;
	h->turns_at_death = h->turns;
	return h->way == 0 ? tr_exit(self, TR_NORMAL) :
			     tr_kill(self, tr_self_ref(self));
}

static int
patient_start(struct tr_self *self, void *state, const void *arg)
{
	(void)kit_start_ctx(self, state, arg);
	return tr_register(self, "patient");
}

/* After the mailbox, before the names. */
static void
patient_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct hospice *h = kit_ctx(state);

	(void)why;
	h->stops++;
	h->turns_at_end = h->turns;
	h->name_in_stop =
	    tr_ref_equal(tr_whereis(tr_system_of(self), "patient"),
		tr_self_ref(self));
}

static const struct tr_behavior patient = {
	.name = "patient",
	.state_size = sizeof(void *),
	.start = patient_start,
	.receive = patient_receive,
	.stop = patient_stop,
};

static int
visitor_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct hospice *h = kit_ctx(state);

	(void)self;
	(void)answer;
	(void)cookie;
	KIT_CHECK(h->dying);
	h->answered++;
	h->edead += outcome == TR_EDEAD;
	return TR_OK;
}

/* Fill the mailbox in one turn: nothing of it is handled meanwhile. */
static int
visitor_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct hospice *h = kit_ctx(state);

	(void)msg;
	kit_tell(self, h->patient, DIE);
	for (int i = 0; i < QUEUED; i++) {
		if (i % EACH != 0)
			kit_tell(self, h->patient, NOTE);
		else if (tr_ask(self, h->patient, ASK, NULL, 0, tr_forever(),
			     visitor_answer, 0) == 0)
			return TR_ENOMEM;
	}
	return tr_send(self, h->neighbour, TURN, NULL, 0);
}

static const struct tr_behavior visitor = {
	.name = "visitor",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = visitor_receive,
};

static void
play(struct hospice *h, struct kit *k, unsigned workers, int way)
{
	struct tr_spawn_options here = { .placement = TR_PLACE_WORKER,
		.worker = workers - 1 };
	tr_ref ref;

	*h = (struct hospice){ .way = way };
	kit_new(k, workers);
	h->patient = tr_system_spawn(k->sys, &patient, h, &here);
	h->neighbour = tr_system_spawn(k->sys, &neighbour, h, &here);
	ref = tr_system_spawn(k->sys, &visitor, h, &here);
	assert_int_equal(tr_post(k->sys, ref, FILL, NULL, 0), TR_OK);
	kit_run(k);
}

static void
all_that_a_dying_actor_has_is_accounted_for_in_order(void **unused)
{
	struct hospice h;
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 2; workers++)
		for (int way = 0; way < 2; way++) {
			play(&h, &k, workers, way);
			assert_int_equal(h.answered, ASKS);
			assert_int_equal(h.edead, ASKS);
			assert_int_equal(h.stops, 1);
			assert_true(h.name_in_stop);
			assert_int_equal(k.stats.dead[TR_DEAD_CLOSED], QUEUED);
			assert_int_equal(kit_dead(&k.stats), QUEUED);
		}
}

static void
others_have_turns_while_an_actor_dies(void **unused)
{
	struct hospice h;
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 2; workers++)
		for (int way = 0; way < 2; way++) {
			play(&h, &k, workers, way);
			/* Between its last message and its stop(). */
			assert_true(h.turns_at_end >= h.turns_at_death + 10);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(all_that_a_dying_actor_has_is_accounted_for_in_order),
		KIT_TEST(others_have_turns_while_an_actor_dies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
