/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links and exit signals.
 */
#include "kit.h"

enum { GO = 1, EXITED, DOWN, LATER, END, POKE };
enum { CHAIN = TEST_SCALE(10000) };

struct links {
	struct kit k;
	tr_ref other, root;
	int code; /* with which the other ends */
	bool trap, twice, unlink, relink, spawned, dead_before;
	unsigned exits, downs, survived;
	struct tr_exit_signal exit;
	struct tr_down down;
	int rc[4];
	tr_monitor_id id;
	unsigned chain, fell;
};

/* A linked actor; ends as it is told. */
static int
other_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct links *l = kit_ctx(state);

	if (tr_tag(msg) == END && l->code == TR_NORMAL)
		return tr_exit(self, TR_NORMAL);
	if (tr_tag(msg) == END)
		return tr_fail(self, l->code, "told to");
	return TR_OK;
}

static const struct tr_behavior other = {
	.name = "other",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = other_receive,
};

/* The linked one, watched by the root. */
static int
subject_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const struct tr_exit_signal *exit = tr_data(msg, sizeof(*exit));
	struct links *l = kit_ctx(state);
	struct tr_stats stats;

	switch (tr_tag(msg)) {
	case GO:
		if (l->trap)
			(void)tr_trap_exit(self, true, EXITED);
		if (!l->spawned)
			l->rc[0] = tr_link(self, l->other);
		if (l->twice)
			l->rc[1] = tr_link(self, l->other);
		if (l->unlink)
			l->rc[2] = tr_unlink(self, l->other);
		if (l->relink)
			l->rc[3] = tr_link(self, l->other);
		kit_tell(self, l->other, END);
		return tr_monitor(self, l->other, DOWN, 0) != 0 ? TR_OK :
								  TR_ENOMEM;
	case DOWN:
		/* Once the other has ended its EXIT waits, if there is one. */
		do
			KIT_CHECK(
			    tr_stats(tr_system_of(self), &stats) == TR_OK);
		while (stats.ended == 0);
		kit_tell(self, tr_self_ref(self), LATER);
		break;
	case EXITED:
		l->exits++;
		l->exit = *exit;
		break;
	case LATER: l->survived++; return tr_exit(self, TR_NORMAL);
	default: break;
	}
	return TR_OK;
}

static int
subject_start(struct tr_self *self, void *state, const void *arg)
{
	struct links *l;

	(void)kit_start_ctx(self, state, arg);
	l = kit_ctx(state);
	l->other = tr_spawn(self, &other, l,
	    &(struct tr_spawn_options){ .link = l->spawned });
	if (l->dead_before)
		(void)tr_kill(self, l->other);
	kit_tell(self, tr_self_ref(self), GO);
	return tr_ref_valid(l->other) ? TR_OK : TR_ENOMEM;
}

static const struct tr_behavior subject = {
	.name = "subject",
	.state_size = sizeof(void *),
	.start = subject_start,
	.receive = subject_receive,
};

static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const struct tr_down *down = tr_data(msg, sizeof(*down));
	struct links *l = kit_ctx(state);

	if (tr_tag(msg) != DOWN)
		return TR_OK;
	l->downs++;
	l->down = *down;
	return kit_finish(self);
}

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct links *l;

	(void)kit_start_ctx(self, state, arg);
	l = kit_ctx(state);
	return tr_ref_valid(tr_spawn(self, &subject, l,
		   &(struct tr_spawn_options){ .monitor = &l->id,
		       .monitor_tag = DOWN })) ?
	    TR_OK :
	    TR_ENOMEM;
}

static const struct tr_behavior root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = root_start,
	.receive = root_receive,
};

static void
play(struct links *l, struct links how)
{
	*l = how;
	kit_play(&l->k, 2, &root, l);
	assert_int_equal(l->downs, 1);
	for (int i = 0; i < 4; i++)
		assert_int_equal(l->rc[i], TR_OK);
}

static void
a_failure_takes_the_linked_along(void **unused)
{
	static struct links l;

	(void)unused;
	for (int spawned = 0; spawned < 2; spawned++) {
		play(&l, (struct links){ .code = -5, .spawned = spawned });
		assert_int_equal(l.survived, 0);
		assert_int_equal(l.down.reason.code, -5);
		assert_string_equal(l.down.reason.text, "told to");
	}
}

static void
a_normal_end_does_not(void **unused)
{
	static struct links l;

	(void)unused;
	play(&l, (struct links){ .code = TR_NORMAL });
	assert_int_equal(l.survived, 1);
	assert_int_equal(l.down.reason.code, TR_NORMAL);
}

static void
who_traps_gets_a_message(void **unused)
{
	static struct links l;

	(void)unused;
	for (int normal = 0; normal < 2; normal++) {
		int code = normal ? TR_NORMAL : -7;

		play(&l, (struct links){ .code = code, .trap = true });
		assert_int_equal(l.survived, 1);
		assert_int_equal(l.exits, 1);
		assert_int_equal(l.exit.reason.code, code);
		assert_true(tr_ref_equal(l.exit.from, l.other));
	}
}

static void
two_links_are_one(void **unused)
{
	static struct links l;

	(void)unused;
	play(&l, (struct links){ .code = -7, .trap = true, .twice = true });
	assert_int_equal(l.exits, 1);
}

static void
what_is_unlinked_brings_nothing(void **unused)
{
	static struct links l;

	(void)unused;
	for (int spawned = 0; spawned < 2; spawned++) {
		play(&l,
		    (struct links){ .code = -7,
			.trap = true,
			.unlink = true,
			.spawned = spawned });
		assert_int_equal(l.exits, 0);
		assert_int_equal(l.survived, 1);
	}
}

static void
unlinked_and_linked_again_is_linked(void **unused)
{
	static struct links l;

	(void)unused;
	play(&l,
	    (struct links){ .code = -7,
		.trap = true,
		.unlink = true,
		.relink = true });
	assert_int_equal(l.exits, 1);
	assert_int_equal(l.exit.reason.code, -7);
}

static void
a_link_to_the_dead_is_noproc(void **unused)
{
	static struct links l;

	(void)unused;
	play(&l,
	    (struct links){ .code = -7, .trap = true, .dead_before = true });
	assert_int_equal(l.exits, 1);
	assert_true(
	    l.exit.reason.code == TR_NOPROC || l.exit.reason.code == TR_KILLED);
}

/* ------------------------------------------- an EXIT that is under way --- */

static int
late_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct links *l = kit_ctx(state);
	struct tr_stats stats;

	switch (tr_tag(msg)) {
	case GO:
		/* Once the other has ended, its EXIT waits in the mailbox. */
		do
			KIT_CHECK(
			    tr_stats(tr_system_of(self), &stats) == TR_OK);
		while (stats.ended == 0);
		l->rc[0] = tr_unlink(self, l->other);
		return tr_after(self, TR_MS(10), LATER, 0) ? TR_OK : TR_ENOMEM;
	case EXITED: l->exits++; break;
	case LATER: l->survived++; return kit_finish(self);
	default: break;
	}
	return TR_OK;
}

static int
late_start(struct tr_self *self, void *state, const void *arg)
{
	struct links *l;

	(void)kit_start_ctx(self, state, arg);
	l = kit_ctx(state);
	l->other = tr_spawn(self, &other, l,
	    &(struct tr_spawn_options){ .link = true,
		.placement = TR_PLACE_WORKER,
		.worker = 1 });
	(void)tr_trap_exit(self, true, EXITED);
	/* In the mailbox before the other can end. */
	kit_tell(self, tr_self_ref(self), GO);
	kit_tell(self, l->other, END);
	return TR_OK;
}

static const struct tr_behavior late = {
	.name = "late",
	.state_size = sizeof(void *),
	.start = late_start,
	.receive = late_receive,
};

static void
an_exit_under_way_is_not_seen_after_unlink(void **unused)
{
	static struct links l;

	(void)unused;
	l = (struct links){ .code = -7, .rc = { -1 } };
	kit_play(&l.k, 2, &late, &l);
	assert_int_equal(l.rc[0], TR_OK);
	assert_int_equal(l.exits, 0);
	assert_int_equal(l.survived, 1);
	assert_int_equal(l.k.stats.dead[TR_DEAD_LATE], 1);
}

/* -------------------------------------------------------------- signals - */

struct signals {
	struct kit k;
	tr_ref to;
	int reason;
	bool trap;
	unsigned exits, alive;
	int code, left;
	tr_monitor_id id;
};

static int
target_start(struct tr_self *self, void *state, const void *arg)
{
	struct signals *s;

	(void)kit_start_ctx(self, state, arg);
	s = kit_ctx(state);
	return s->trap ? tr_trap_exit(self, true, EXITED) : TR_OK;
}

static int
target_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct signals *s = kit_ctx(state);

	if (tr_tag(msg) == EXITED) {
		const struct tr_exit_signal *exit = tr_data(msg, sizeof(*exit));

		s->exits++;
		s->code = exit->reason.code;
	} else if (tr_tag(msg) == POKE) {
		s->alive++;
		return tr_exit(self, TR_NORMAL);
	}
	return TR_OK;
}

static const struct tr_behavior target = {
	.name = "target",
	.state_size = sizeof(void *),
	.start = target_start,
	.receive = target_receive,
};

static int
sender_start(struct tr_self *self, void *state, const void *arg)
{
	struct signals *s;

	(void)kit_start_ctx(self, state, arg);
	s = kit_ctx(state);
	s->to = tr_spawn(self, &target, s,
	    &(struct tr_spawn_options){ .monitor = &s->id,
		.monitor_tag = DOWN });
	(void)tr_exit_other(self, s->to, s->reason);
	kit_tell(self, s->to, POKE);
	return TR_OK;
}

static int
sender_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const struct tr_down *down = tr_data(msg, sizeof(*down));
	struct signals *s = kit_ctx(state);

	if (tr_tag(msg) != DOWN)
		return TR_OK;
	s->left = down->reason.code;
	return kit_finish(self);
}

static const struct tr_behavior sender = {
	.name = "sender",
	.state_size = sizeof(void *),
	.start = sender_start,
	.receive = sender_receive,
};

static void
exit_signals_end_who_does_not_trap(void **unused)
{
	static struct signals s;
	const struct {
		int reason;
		bool trap;
		unsigned alive, exits;
		int left;
	} rows[] = {
		{ -9, false, 0, 0, -9 },
		{ TR_SHUTDOWN, false, 0, 0, TR_SHUTDOWN },
		{ TR_NORMAL, false, 1, 0, TR_NORMAL },
		{ -9, true, 1, 1, TR_NORMAL },
		{ TR_NORMAL, true, 1, 1, TR_NORMAL },
		{ TR_KILLED, true, 0, 0, TR_KILLED },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		s = (struct signals){ .reason = rows[i].reason,
			.trap = rows[i].trap };
		kit_play(&s.k, 2, &sender, &s);
		assert_int_equal(s.alive, rows[i].alive);
		assert_int_equal(s.exits, rows[i].exits);
		assert_int_equal(s.left, rows[i].left);
		if (rows[i].exits > 0)
			assert_int_equal(s.code, rows[i].reason);
	}
}

/* ---------------------------------------------------------------- chain - */

static const struct tr_behavior piece;

static int
piece_start(struct tr_self *self, void *state, const void *arg)
{
	struct links *l;

	(void)kit_start_ctx(self, state, arg);
	l = kit_ctx(state);
	if (++l->chain < CHAIN)
		return tr_ref_valid(tr_spawn(self, &piece, l,
			   &(struct tr_spawn_options){ .link = true })) ?
		    TR_OK :
		    TR_ENOMEM;
	/* The last one: all of them fall. */
	return tr_exit(self, TR_SHUTDOWN);
}

static void
piece_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct links *l = kit_ctx(state);

	KIT_CHECK(why->code == TR_SHUTDOWN);
	if (++l->fell == CHAIN)
		(void)kit_finish(self);
}

static const struct tr_behavior piece = {
	.name = "piece",
	.state_size = sizeof(void *),
	.start = piece_start,
	.receive = kit_ignore,
	.stop = piece_stop,
};

static void
a_long_chain_falls_without_recursion(void **unused)
{
	static struct links l;

	(void)unused;
	l = (struct links){ 0 };
	kit_play(&l.k, 1, &piece, &l);
	assert_int_equal(l.fell, CHAIN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(a_failure_takes_the_linked_along),
		KIT_TEST(a_normal_end_does_not),
		KIT_TEST(who_traps_gets_a_message),
		KIT_TEST(two_links_are_one),
		KIT_TEST(what_is_unlinked_brings_nothing),
		KIT_TEST(unlinked_and_linked_again_is_linked),
		KIT_TEST(a_link_to_the_dead_is_noproc),
		KIT_TEST(an_exit_under_way_is_not_seen_after_unlink),
		KIT_TEST(exit_signals_end_who_does_not_trap),
		KIT_TEST(a_long_chain_falls_without_recursion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
