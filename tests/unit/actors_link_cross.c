/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links that cross: both sides undo a link and make it anew, each before it has
 * heard of what the other does; all on one worker, so that it is so every time.
 */
#include "kit.h"

enum { MEET = 1, PART, PARTED, MET, DONE, END, EXITED, DOWN };

struct cross {
	tr_ref pair[2];
	unsigned ends; /* which of the two, at last */
	unsigned done, exits, downs;
	int why;
	tr_ref root;
};

static tr_ref
other_of(const struct cross *x, struct tr_self *self)
{
	return x->pair[tr_ref_equal(tr_self_ref(self), x->pair[0])];
}

static int
one_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct cross *x = kit_ctx(state);
	const struct tr_exit_signal *exit;

	switch (tr_tag(msg)) {
	case MEET:
		assert_int_equal(tr_link(self, other_of(x, self)), TR_OK);
		kit_tell(self, other_of(x, self), MET);
		break;
	case PART:
		assert_int_equal(tr_unlink(self, other_of(x, self)), TR_OK);
		assert_int_equal(tr_link(self, other_of(x, self)), TR_OK);
		kit_tell(self, other_of(x, self), PARTED);
		break;
	case MET: kit_tell(self, x->root, MET); break;
	case PARTED: kit_tell(self, x->root, DONE); break;
	case END: return tr_fail(self, -5, "told to");
	case EXITED:
		exit = tr_data(msg, sizeof(*exit));
		x->exits++;
		x->why = exit->reason.code;
		break;
	default: break;
	}
	return TR_OK;
}

static int
one_start(struct tr_self *self, void *state, const void *arg)
{
	(void)kit_start_ctx(self, state, arg);
	return tr_trap_exit(self, true, EXITED);
}

static const struct tr_behavior one = {
	.name = "one",
	.state_size = sizeof(void *),
	.start = one_start,
	.receive = one_receive,
};

static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct cross *x = kit_ctx(state);

	switch (tr_tag(msg)) {
	case MET:
		kit_tell(self, x->pair[0], PART);
		kit_tell(self, x->pair[1], PART);
		break;
	case DONE:
		if (++x->done < 2)
			break;
		assert_true(tr_monitor(self, x->pair[x->ends], DOWN, 0) != 0);
		kit_tell(self, x->pair[x->ends], END);
		break;
	case DOWN:
		/* The EXIT is sent right behind it. */
		if (x->downs++ == 0)
			assert_true(tr_after(self, TR_MS(50), DOWN, 0) != 0);
		else
			return kit_finish(self);
		break;
	default: break;
	}
	return TR_OK;
}

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct cross *x;

	(void)kit_start_ctx(self, state, arg);
	x = kit_ctx(state);
	x->root = tr_self_ref(self);
	for (int i = 0; i < 2; i++) {
		x->pair[i] = tr_spawn(self, &one, x, NULL);
		assert_true(tr_ref_valid(x->pair[i]));
	}
	kit_tell(self, x->pair[0], MEET);
	return TR_OK;
}

static const struct tr_behavior root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = root_start,
	.receive = root_receive,
};

static void
both_undo_and_link_again_and_are_linked(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned ends = 0; ends < 2; ends++) {
		struct cross x = { .ends = ends };

		kit_play(&k, 1, &root, &x);
		assert_int_equal(x.exits, 1);
		assert_int_equal(x.why, -5);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(both_undo_and_link_again_and_are_linked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
