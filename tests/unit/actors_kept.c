/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Actors that a worker keeps while they have nothing to do (sched/reserve.h):
 * nobody can tell, neither who sends to them, nor who asks what they do.
 */
#include "kit.h"

#include "actors/system.h"

enum { GO, WORK, TICK, LOOK, GIVE_UP_S = 20 };

struct keep {
	struct kit k;
	tr_ref kept, busy, other;
	char log[64];
	unsigned logged, ticks, ended;
	int64_t give_up;
	atomic_bool started, got;
	bool late, was_kept, left;
	FILE *dump;
};

static void
note(struct keep *t, char what)
{
	if (t->logged + 1 < sizeof(t->log))
		t->log[t->logged++] = what;
}

static int
kept_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct keep *t = kit_ctx(state);

	(void)self;
	note(t, (char)('0' + kit_u64(msg)));
	if (kit_u64(msg) == 9)
		atomic_store(&t->got, true);
	return TR_OK;
}

static const struct tr_behavior kept = {
	.name = "kept",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = kept_receive,
};

static void
give(struct tr_self *self, struct keep *t, uint64_t what)
{
	assert_int_equal(tr_send(self, t->kept, WORK, &what, sizeof(what)),
	    TR_OK);
}

/* Whether worker 0 keeps it now. */
static bool
is_kept(struct keep *t)
{
	struct tri_reserve *r = &tri_crew_at(t->k.sys, 0)->worker.reserve;
	tri_word word = tri_word_of(tri_cell(t->k.sys, (uint32_t)t->kept.bits),
	    TRI_KIND_ACTOR);

	struct tri_place *p = tri_reserve_place(r, word);

	return tri_load_relaxed(&p->slot.word) == word &&
	    tri_reserve_note(p) == NULL;
}

/* Handlers are quick here, whatever the machine thinks, or they are measured. */
static void
set_quick(struct tr_self *self, bool quick)
{
	struct tri_worker *w = &tri_crew_of(self)->worker;

	w->clock_every = TRI_CLOCK_MESSAGES;
	w->clock_in = quick ? UINT32_MAX : 1;
}

/* Another worker may have run it: until this one keeps it, or too late. */
static bool
waits_for_it(struct tr_self *self, struct keep *t)
{
	t->was_kept = is_kept(t);
	t->late = tr_now(self) > t->give_up;
	if (t->was_kept || t->late)
		return false;
	give(self, t, 1);
	kit_tell(self, tr_self_ref(self), TICK);
	return true;
}

static struct keep *
keep_begin(unsigned workers, const struct tr_behavior *root)
{
	struct keep *t = test_calloc(1, sizeof(*t));

	kit_new(&t->k, workers);
	(void)kit_root(&t->k, root, t);
	return t;
}

/* ------------------------------------------------ one turn for them all - */

static int
bystander_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct keep *t = kit_ctx(state);

	note(t, tr_tag(msg) == WORK ? 'x' : 'y');
	return tr_tag(msg) == WORK ? kit_finish(self) : TR_OK;
}

static const struct tr_behavior bystander = {
	.name = "bystander",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = bystander_receive,
};

static int
turn_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct keep *t = kit_ctx(state);

	(void)msg;
	/* To one about to run next, then behind somebody else. */
	give(self, t, 1);
	give(self, t, 2);
	kit_tell(self, t->other, WORK);
	give(self, t, 3);
	give(self, t, 4);
	kit_tell(self, t->busy, TICK);
	return TR_OK;
}

static int
turn_start(struct tr_self *self, void *state, const void *arg)
{
	struct keep *t;

	(void)kit_start_ctx(self, state, arg);
	t = kit_ctx(state);
	set_quick(self, true);
	/* The newest goes first. */
	t->other = tr_spawn(self, &bystander, t, NULL);
	t->kept = tr_spawn(self, &kept, t, NULL);
	t->busy = tr_spawn(self, &bystander, t, NULL);
	kit_tell(self, tr_self_ref(self), GO);
	return TR_OK;
}

static const struct tr_behavior turn_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = turn_start,
	.receive = turn_receive,
};

static void
what_waits_in_two_places_is_handled_in_one_turn(void **unused)
{
	struct keep *t = keep_begin(1, &turn_root);

	(void)unused;
	kit_run(&t->k);
	assert_string_equal(t->log, "y1234x");
	test_free(t);
}

/* ---------------------------------------------- killed as it gets one --- */

static int
kill_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct keep *t = kit_ctx(state);

	(void)msg;
	if (t->logged < t->ticks || t->ticks < 2) {
		if (t->logged == t->ticks)
			give(self, t, ++t->ticks);
		kit_tell(self, tr_self_ref(self), TICK);
		return TR_OK;
	}
	t->was_kept = is_kept(t);
	give(self, t, 3);
	assert_int_equal(tr_kill(self, t->kept), TR_OK);
	kit_tell(self, t->other, WORK);
	return TR_OK;
}

static int
kill_start(struct tr_self *self, void *state, const void *arg)
{
	struct keep *t;

	(void)kit_start_ctx(self, state, arg);
	t = kit_ctx(state);
	set_quick(self, true);
	t->kept = tr_spawn(self, &kept, t, NULL);
	t->other = tr_spawn(self, &bystander, t, NULL);
	kit_tell(self, tr_self_ref(self), TICK);
	return TR_OK;
}

static const struct tr_behavior kill_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = kill_start,
	.receive = kill_receive,
};

static void
one_that_is_killed_handles_nothing_more(void **unused)
{
	struct keep *t = keep_begin(1, &kill_root);

	(void)unused;
	kit_run(&t->k);
	assert_true(t->was_kept);
	assert_string_equal(t->log, "12x");
	test_free(t);
}

/* --------------------------------------------- a worker that is at work - */

/* Has work for ever, until the kept one has got what a stranger sends. */
static int
ticker_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct keep *t = kit_ctx(state);

	(void)msg;
	if (t->ticks++ == 2) {
		t->was_kept = is_kept(t);
		atomic_store(&t->started, true);
	}
	if (atomic_load(&t->got))
		return kit_finish(self);
	if (tr_now(self) > t->give_up) {
		t->late = true;
		return kit_finish(self);
	}
	kit_tell(self, tr_self_ref(self), TICK);
	return TR_OK;
}

static int
ticker_start(struct tr_self *self, void *state, const void *arg)
{
	struct keep *t;

	(void)kit_start_ctx(self, state, arg);
	t = kit_ctx(state);
	set_quick(self, true);
	t->kept = tr_spawn(self, &kept, t, NULL);
	t->give_up = tr_now(self) + (int64_t)GIVE_UP_S * 1000000000;
	kit_tell(self, tr_self_ref(self), TICK);
	give(self, t, 1);
	return TR_OK;
}

static const struct tr_behavior ticker = {
	.name = "ticker",
	.state_size = sizeof(void *),
	.start = ticker_start,
	.receive = ticker_receive,
};

static void
post_from_outside(struct keep *t)
{
	uint64_t what = 9;

	while (!atomic_load(&t->started))
		kit_nap();
	assert_int_equal(tr_post(t->k.sys, t->kept, WORK, &what, sizeof(what)),
	    TR_OK);
}

static void
strangers_reach_one_that_is_kept(void **unused)
{
	struct keep *t = keep_begin(1, &ticker);

	(void)unused;
	kit_begin(&t->k);
	post_from_outside(t);
	kit_stop(&t->k);
	assert_true(t->was_kept);
	assert_false(t->late);
	assert_string_equal(t->log, "19");
	test_free(t);
}

/* ----------------------------------------------- a worker that is stuck - */

/* Does not return before the kept one has got its message. */
static int
stuck_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct keep *t = kit_ctx(state);

	(void)msg;
	if (waits_for_it(self, t))
		return TR_OK;
	atomic_store(&t->started, true);
	while (!atomic_load(&t->got) && !t->late) {
		sched_yield();
		t->late = tr_now(self) > t->give_up;
	}
	return kit_finish(self);
}

static const struct tr_behavior stuck = {
	.name = "stuck",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = stuck_receive,
};

static int
stuck_root_start(struct tr_self *self, void *state, const void *arg)
{
	struct keep *t;

	(void)kit_start_ctx(self, state, arg);
	t = kit_ctx(state);
	set_quick(self, true);
	t->give_up = tr_now(self) + (int64_t)GIVE_UP_S * 1000000000;
	t->kept = tr_spawn(self, &kept, t, NULL);
	t->busy = tr_spawn(self, &stuck, t,
	    &(struct tr_spawn_options){ .placement = TR_PLACE_WORKER });
	kit_tell(self, t->busy, GO);
	give(self, t, 1);
	return TR_OK;
}

static const struct tr_behavior stuck_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = stuck_root_start,
	.receive = kit_ignore,
};

static void
one_kept_by_a_stuck_worker_is_run_by_another(void **unused)
{
	struct keep *t = keep_begin(2, &stuck_root);

	(void)unused;
	kit_begin(&t->k);
	post_from_outside(t);
	kit_stop(&t->k);
	assert_true(t->was_kept);
	assert_false(t->late);
	assert_int_equal(t->log[0], '1');
	assert_string_equal(t->log + strspn(t->log, "1"), "9");
	test_free(t);
}

/* -------------------------------------------------------- slow handlers - */

static int
slow_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct keep *t = kit_ctx(state);

	(void)msg;
	if (t->ticks == 0 && waits_for_it(self, t))
		return TR_OK;
	if (++t->ticks == 4) {
		t->was_kept = is_kept(t);
		set_quick(self, false);
		kit_spin_for(self, 20 * 1000 * 1000);
	}
	if (t->ticks == 8 * TRI_CLOCK_MESSAGES) {
		t->left = is_kept(t);
		return kit_finish(self);
	}
	kit_tell(self, tr_self_ref(self), TICK);
	return TR_OK;
}

static const struct tr_behavior slow = {
	.name = "slow",
	.state_size = sizeof(void *),
	.start = ticker_start,
	.receive = slow_receive,
};

static void
slow_handlers_let_go_of_what_was_kept(void **unused)
{
	struct keep *t = keep_begin(2, &slow);

	(void)unused;
	kit_run(&t->k);
	assert_true(t->was_kept);
	assert_false(t->left);
	test_free(t);
}

static void
but_not_where_nobody_else_would_run_it(void **unused)
{
	struct keep *t = keep_begin(1, &slow);

	(void)unused;
	kit_run(&t->k);
	assert_true(t->was_kept);
	assert_true(t->left);
	test_free(t);
}

/* ------------------------------------------------ those that end at once - */

enum { ENDERS = 40 };

/* Takes long, and ends in its first turn. */
static int
ender_start(struct tr_self *self, void *state, const void *arg)
{
	struct keep *t;

	(void)kit_start_ctx(self, state, arg);
	t = kit_ctx(state);
	kit_spin_for(self, 2 * 1000 * 1000);
	t->ticks++;
	return tr_exit(self, TR_NORMAL);
}

static const struct tr_behavior ender = {
	.name = "ender",
	.state_size = sizeof(void *),
	.start = ender_start,
	.receive = kit_ignore,
};

static int
ending_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct keep *t = kit_ctx(state);

	(void)msg;
	t->ended = t->ticks;
	return kit_finish(self);
}

static int
ending_start(struct tr_self *self, void *state, const void *arg)
{
	(void)kit_start_ctx(self, state, arg);
	for (unsigned i = 0; i < ENDERS; i++)
		(void)tr_spawn(self, &ender, kit_ctx(state), NULL);
	(void)tr_after(self, TR_MS(1), TICK, 0);
	return TR_OK;
}

static const struct tr_behavior ending_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = ending_start,
	.receive = ending_receive,
};

/* The timer fires after the first of them, or the second, not after sixteen. */
static void
those_that_end_at_once_do_not_hold_up_the_loop(void **unused)
{
	struct keep *t = keep_begin(1, &ending_root);

	(void)unused;
	kit_run(&t->k);
	assert_in_range(t->ended, 1, TRI_CLOCK_MESSAGES / 2);
	test_free(t);
}

/* ------------------------------------------------------------- the dump - */

static int
looker_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct keep *t = kit_ctx(state);

	(void)msg;
	if (t->ticks++ < 2) {
		kit_tell(self, tr_self_ref(self), TICK);
		return TR_OK;
	}
	t->was_kept = is_kept(t);
	if (tr_dump(tr_system_of(self), fileno(t->dump)) != TR_OK)
		t->late = true;
	return kit_finish(self);
}

static const struct tr_behavior looker = {
	.name = "looker",
	.state_size = sizeof(void *),
	.start = ticker_start,
	.receive = looker_receive,
};

static void
one_that_is_kept_is_idle_in_the_dump(void **unused)
{
	struct keep *t = keep_begin(1, &looker);
	char line[256];
	bool seen = false;

	(void)unused;
	t->dump = tmpfile();
	assert_non_null(t->dump);
	kit_run(&t->k);
	assert_true(t->was_kept);
	assert_false(t->late);
	rewind(t->dump);
	while (fgets(line, sizeof(line), t->dump) != NULL)
		if (strstr(line, "behavior kept") != NULL) {
			seen = true;
			assert_non_null(
			    strstr(line, "mailbox 0 handled 1 idle"));
		}
	assert_true(seen);
	fclose(t->dump);
	test_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(what_waits_in_two_places_is_handled_in_one_turn),
		KIT_TEST(one_that_is_killed_handles_nothing_more),
		KIT_TEST(strangers_reach_one_that_is_kept),
		KIT_TEST(one_kept_by_a_stuck_worker_is_run_by_another),
		KIT_TEST(slow_handlers_let_go_of_what_was_kept),
		KIT_TEST(but_not_where_nobody_else_would_run_it),
		KIT_TEST(those_that_end_at_once_do_not_hold_up_the_loop),
		KIT_TEST(one_that_is_kept_is_idle_in_the_dump),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
