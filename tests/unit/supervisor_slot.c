/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The slot of a supervisor is anybody's when the supervisor has ended.
 */
#include "kit.h"

enum { ROUNDS = 20, DOWN = 1 };

static const struct tr_child children[] = {
	{ .id = "idler", .behavior = &kit_idler, .restart = TR_TEMPORARY },
};

static const struct tr_supervisor supervisor = {
	.name = "supervisor",
	TR_CHILDREN(children),
};

struct seen {
	unsigned round, slots_again;
	uint32_t slot; /* of the last supervisor */
	int reasons[2 * ROUNDS];
};

/* Of references the lower half is the slot. */
static uint32_t
slot_of(tr_ref ref)
{
	return (uint32_t)ref.bits;
}

/* By turns a supervisor and an actor with a cold part; each is told to stop. */
static int
root_next(struct tr_self *self, struct seen *seen)
{
	uint64_t monitor;
	struct tr_spawn_options watched = { .monitor = &monitor,
		.monitor_tag = DOWN };
	tr_ref ref;

	if (seen->round == 2 * ROUNDS)
		return kit_finish(self);
	if (seen->round % 2 == 0) {
		ref = tr_supervisor_spawn(self, &supervisor, &watched);
		seen->slot = slot_of(ref);
	} else {
		watched.name = "heir";
		ref = tr_spawn(self, &kit_idler, NULL, &watched);
		seen->slots_again += slot_of(ref) == seen->slot;
	}
	assert_true(tr_ref_valid(ref));
	return tr_stop(self, ref, tr_forever());
}

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	(void)kit_start_ctx(self, state, arg);
	return root_next(self, kit_ctx(state));
}

static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const struct tr_down *down = tr_data(msg, sizeof(*down));
	struct seen *seen = kit_ctx(state);

	if (tr_tag(msg) != DOWN || down == NULL)
		return tr_unhandled(self, msg);
	seen->reasons[seen->round++] = down->reason.code;
	return root_next(self, seen);
}

static const struct tr_behavior root = {
	.name = "root",
	.state_size = sizeof(struct seen *),
	.start = root_start,
	.receive = root_receive,
};

static void
who_has_a_supervisors_slot_is_stopped_like_anybody(void **unused)
{
	struct seen seen = { 0 };
	struct kit k;

	(void)unused;
	kit_play(&k, 1, &root, &seen);
	for (unsigned i = 0; i < 2 * ROUNDS; i++)
		assert_int_equal(seen.reasons[i], TR_SHUTDOWN);
	assert_true(seen.slots_again > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(who_has_a_supervisors_slot_is_stopped_like_anybody),
	};

	return cmocka_run_group_tests_name("supervisor_slot", tests, NULL,
	    NULL);
}
