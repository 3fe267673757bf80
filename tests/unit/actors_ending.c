/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How actors end: exit, failure, stop, kill, and the end of the system; that
 * stop() runs exactly once with the right reason; and what becomes of the
 * messages around an end.
 *
 * One subject does what its messages tell it; a director spawns it, acts on
 * it, and ends the run when the subject's stop() has reported.  The director
 * stays on worker 0, the subject on the last one.
 */
#include "kit.h"

enum {
	NOTE, /* counted */
	EXIT, /* tr_exit() with the payload's code */
	EXIT_TALKING, /* the same, and then go on in that turn */
	RETURN, /* return the payload's code */
	FAIL, /* tr_fail() with the payload's code */
	FAIL_OK, /* the same, and return TR_OK */
	STOP_SELF,
	KILL_SELF,
	SLOW, /* compute for 1 ms */
	LINGER, /* work until it is cancelled */
	BUSY, /* to the director: the subject lingers */
	STOPPED, /* to the director: stop() has run */
	GONE, /* left unhandled by everyone */
	BACK,
};

struct scene {
	void (*act)(struct tr_self *self, struct scene *scene);
	tr_ref director, subject;
	int phase;
	int starts, notes, stops;
	struct tr_reason why;
	int rc[8]; /* whatever an act wants to remember */
	bool flag[8];
	atomic_int children, child_stops;
};

static void
command(struct tr_self *self, tr_ref to, uint32_t tag, int code)
{
	(void)tr_send(self, to, tag, &code, sizeof(code));
}

static int
code_of(const struct tr_msg *msg)
{
	const int *code = tr_data(msg, sizeof(*code));

	return code == NULL ? 0 : *code;
}

/* ------------------------------------------------------ the subject --- */

static int
child_start(struct tr_self *self, void *state, const void *arg)
{
	struct scene *s;

	(void)kit_start_ctx(self, state, arg);
	s = kit_ctx(state);
	atomic_fetch_add(&s->children, 1);
	kit_tell(self, s->director, BACK);
	return TR_OK;
}

static void
child_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct scene *s = kit_ctx(state);

	(void)self;
	if (why->code == TR_SHUTDOWN)
		atomic_fetch_add(&s->child_stops, 1);
}

static const struct tr_behavior child = {
	.name = "child",
	.state_size = sizeof(void *),
	.start = child_start,
	.receive = kit_ignore,
	.stop = child_stop,
};

static int
subject_start(struct tr_self *self, void *state, const void *arg)
{
	struct scene *s;

	(void)kit_start_ctx(self, state, arg);
	s = kit_ctx(state);
	s->starts++;
	return TR_OK;
}

static int
subject_talk(struct tr_self *self, struct scene *s, const struct tr_msg *msg)
{
	s->rc[0] = tr_exit(self, code_of(msg));
	s->rc[1] = tr_send(self, s->director, BACK, NULL, 0);
	s->rc[2] = tr_reply(self, msg, BACK, NULL, 0);
	s->flag[0] = tr_ref_valid(tr_spawn(self, &child, s, NULL));
	s->flag[1] = tr_ref_equal(tr_self_ref(self), s->subject);
	return TR_OK;
}

static void
subject_linger(struct tr_self *self, struct scene *s)
{
	s->flag[0] = tr_cancelled(self);
	kit_tell(self, s->director, BUSY);
	while (!tr_cancelled(self))
		sched_yield();
	s->flag[1] = true;
}

static int
subject_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct scene *s = kit_ctx(state);

	switch (tr_tag(msg)) {
	case NOTE: s->notes++; return TR_OK;
	case EXIT: return tr_exit(self, code_of(msg));
	case EXIT_TALKING: return subject_talk(self, s, msg);
	case RETURN: return code_of(msg);
	case FAIL:
		return tr_fail(self, code_of(msg), "row %d of %s", 17,
		    "a file with a name that is too long");
	case FAIL_OK: (void)tr_fail(self, code_of(msg), "short"); return TR_OK;
	case STOP_SELF: return tr_stop(self, tr_self_ref(self), tr_forever());
	case KILL_SELF:
		s->rc[0] = tr_kill(self, tr_self_ref(self));
		s->flag[0] = tr_cancelled(self);
		return TR_OK;
	case SLOW:
		kit_spin_for(self, TR_MS(1));
		s->notes++;
		return TR_OK;
	case LINGER: subject_linger(self, s); return TR_OK;
	default: return tr_unhandled(self, msg);
	}
}

static void
subject_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct scene *s = kit_ctx(state);

	s->stops++;
	s->why = *why;
	kit_tell(self, s->director, STOPPED);
}

static const struct tr_behavior subject = {
	.name = "subject",
	.state_size = sizeof(void *),
	.start = subject_start,
	.receive = subject_receive,
	.stop = subject_stop,
};

/* ----------------------------------------------------- the director --- */

static int
director_start(struct tr_self *self, void *state, const void *arg)
{
	struct scene *s;

	(void)kit_start_ctx(self, state, arg);
	s = kit_ctx(state);
	s->director = tr_self_ref(self);
	s->subject = tr_spawn(self, &subject, s,
	    &(struct tr_spawn_options){ .placement = TR_PLACE_WORKER,
		.worker = tr_system_workers(tr_system_of(self)) - 1 });
	s->act(self, s);
	return TR_OK;
}

static int
director_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct scene *s = kit_ctx(state);

	switch (tr_tag(msg)) {
	case STOPPED: return kit_finish(self);
	case BUSY:
		s->rc[0] = tr_kill(self, s->subject);
		kit_tell(self, s->subject, GONE);
		return TR_OK;
	case BACK: s->phase++; return TR_OK;
	default: return tr_unhandled(self, msg);
	}
}

static const struct tr_behavior director = {
	.name = "director",
	.state_size = sizeof(void *),
	.start = director_start,
	.receive = director_receive,
};

static void
play(struct kit *k, unsigned workers, struct scene *s)
{
	kit_play(k, workers, &director, s);
	assert_int_equal(s->stops, s->starts);
}

/* -------------------------------------- each end, once, with reason --- */

static void
act_exit(struct tr_self *self, struct scene *s)
{
	command(self, s->subject, EXIT, s->rc[7]);
}

static void
act_return(struct tr_self *self, struct scene *s)
{
	command(self, s->subject, RETURN, s->rc[7]);
}

static void
act_fail(struct tr_self *self, struct scene *s)
{
	command(self, s->subject, FAIL, s->rc[7]);
}

static void
act_fail_ok(struct tr_self *self, struct scene *s)
{
	command(self, s->subject, FAIL_OK, s->rc[7]);
}

static void
act_stop(struct tr_self *self, struct scene *s)
{
	s->rc[0] = tr_stop(self, s->subject, tr_forever());
}

static void
act_stop_self(struct tr_self *self, struct scene *s)
{
	kit_tell(self, s->subject, STOP_SELF);
}

static void
act_kill_self(struct tr_self *self, struct scene *s)
{
	kit_tell(self, s->subject, KILL_SELF);
	kit_tell(self, s->subject, NOTE);
}

static void
act_system_stop(struct tr_self *self, struct scene *s)
{
	(void)s;
	(void)kit_finish(self);
}

struct ending {
	void (*act)(struct tr_self *self, struct scene *s);
	int given; /* the code in the command */
	int expected; /* the code that stop() sees */
	unsigned failed; /* in the statistics */
};

static const struct ending endings[] = {
	{ act_exit, TR_NORMAL, TR_NORMAL, 0 },
	{ act_exit, TR_SHUTDOWN, TR_SHUTDOWN, 0 },
	{ act_exit, -EIO, -EIO, 1 },
	{ act_return, -EIO, -EIO, 1 },
	{ act_return, 7, 7, 1 },
	{ act_fail, -EIO, -EIO, 1 },
	{ act_fail, 0, TR_EINVAL, 1 },
	{ act_fail_ok, -EIO, -EIO, 1 },
	{ act_stop, 0, TR_SHUTDOWN, 0 },
	{ act_stop_self, 0, TR_SHUTDOWN, 0 },
	{ act_system_stop, 0, TR_SHUTDOWN, 0 },
};

static void
stop_runs_once_with_the_reason_of_the_end(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2)
		for (size_t i = 0; i < sizeof(endings) / sizeof(*endings);
		     i++) {
			struct scene s = { .act = endings[i].act,
				.rc[7] = endings[i].given };

			play(&k, workers, &s);
			assert_int_equal(s.starts, 1);
			assert_int_equal(s.stops, 1);
			assert_int_equal(s.why.code, endings[i].expected);
			assert_int_equal(k.stats.failed, endings[i].failed);
			assert_int_equal(s.rc[0], TR_OK);
		}
}

static void
failure_text_is_cut_at_31_bytes(void **unused)
{
	struct scene s = { .act = act_fail, .rc[7] = TR_EINVAL };
	struct kit k;

	(void)unused;
	play(&k, 1, &s);
	assert_int_equal(strlen(s.why.text), 31);
	assert_string_equal(s.why.text, "row 17 of a file with a name th");
	s = (struct scene){ .act = act_fail_ok, .rc[7] = TR_EINVAL };
	play(&k, 1, &s);
	assert_string_equal(s.why.text, "short");
	s = (struct scene){ .act = act_return, .rc[7] = TR_EINVAL };
	play(&k, 1, &s);
	assert_string_equal(s.why.text, "");
}

/* --------------------------------------------------------- tr_exit --- */

static void
act_exit_talking(struct tr_self *self, struct scene *s)
{
	kit_tell(self, s->subject, NOTE);
	command(self, s->subject, EXIT_TALKING, TR_NORMAL);
	kit_tell(self, s->subject, GONE);
}

static void
calls_after_exit_still_work(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct scene s = { .act = act_exit_talking };

		play(&k, workers, &s);
		for (int i = 0; i < 3; i++)
			assert_int_equal(s.rc[i], TR_OK);
		assert_true(s.flag[0]);
		assert_true(s.flag[1]);
		assert_int_equal(s.notes, 1);
		/* Its two messages came before the one of its stop(). */
		assert_in_range(s.phase, 2, 3);
		assert_int_equal(s.children, s.child_stops);
		assert_int_equal(kit_letters_of(&k, GONE), 1);
	}
}

/* --------------------------------- messages around the end, counted --- */

static void
act_queue_then_fail(struct tr_self *self, struct scene *s)
{
	for (int i = 0; i < 5; i++)
		kit_tell(self, s->subject, NOTE);
	command(self, s->subject, s->rc[7] == 0 ? EXIT : RETURN, s->rc[7]);
	for (int i = 0; i < 9; i++)
		kit_tell(self, s->subject, GONE);
}

static void
what_a_dying_actor_leaves_unhandled_is_counted(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct scene s = { .act = act_queue_then_fail, .rc[7] = -EIO };

		play(&k, workers, &s);
		assert_int_equal(s.notes, 5);
		assert_int_equal(kit_letters_of(&k, GONE), 9);
		assert_int_equal(kit_letters(&k, TR_DEAD_FAILED, RETURN), 1);
		assert_int_equal(k.stats.dead[TR_DEAD_FAILED], 1);
		s = (struct scene){ .act = act_queue_then_fail };
		play(&k, workers, &s);
		assert_int_equal(s.notes, 5);
		assert_int_equal(kit_letters_of(&k, GONE), 9);
		assert_int_equal(k.stats.dead[TR_DEAD_FAILED], 0);
	}
}

static void
act_stop_in_the_middle(struct tr_self *self, struct scene *s)
{
	for (int i = 0; i < 100; i++)
		kit_tell(self, s->subject, NOTE);
	s->rc[0] = tr_stop(self, s->subject, tr_forever());
	for (int i = 0; i < 10; i++)
		kit_tell(self, s->subject, GONE);
	s->rc[1] = tr_stop(self, s->subject, tr_forever());
}

static void
stop_comes_behind_what_was_sent_before_it(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct scene s = { .act = act_stop_in_the_middle };

		play(&k, workers, &s);
		assert_int_equal(s.notes, 100);
		assert_int_equal(s.why.code, TR_SHUTDOWN);
		assert_int_equal(kit_letters_of(&k, GONE), 10);
		assert_int_equal(s.rc[0], TR_OK);
		assert_int_equal(s.rc[1], TR_OK);
	}
}

/* The ask's end shows the death also of a subject that never started. */
static int
on_gone(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct scene *s = kit_ctx(state);

	(void)answer;
	(void)cookie;
	s->rc[1] = outcome;
	return kit_finish(self);
}

static void
act_stop_slow(struct tr_self *self, struct scene *s)
{
	for (int i = 0; i < 20000; i++)
		kit_tell(self, s->subject, SLOW);
	if (tr_ask(self, s->subject, GONE, NULL, 0, tr_forever(), on_gone, 0) ==
	    0)
		s->rc[1] = TR_ENOMEM;
	s->rc[0] = tr_stop(self, s->subject, tr_in(self, s->rc[7]));
}

static void
stop_kills_at_its_deadline(void **unused)
{
	static const int delays[] = { 20000000, 1, -1 };
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2)
		for (int i = 0; i < 3; i++) {
			struct scene s = { .act = act_stop_slow,
				.rc[7] = delays[i] };

			play(&k, workers, &s);
			assert_int_equal(s.rc[0], TR_OK);
			assert_int_equal(s.rc[1], TR_EDEAD);
			assert_true(s.notes < 20000);
			assert_true(s.starts == 0 || s.why.code == TR_KILLED);
		}
}

/* --------------------------------------------------------- tr_kill --- */

static void
killing_oneself_starts_no_further_handler(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct scene s = { .act = act_kill_self };

		play(&k, workers, &s);
		assert_int_equal(s.notes, 0);
		assert_int_equal(s.rc[0], TR_OK);
		assert_true(s.flag[0]);
		assert_int_equal(s.stops, 1);
		assert_int_equal(s.why.code, TR_KILLED);
		assert_int_equal(kit_letters_of(&k, NOTE), 1);
	}
}

static void
act_linger(struct tr_self *self, struct scene *s)
{
	kit_tell(self, s->subject, LINGER);
	kit_tell(self, s->subject, NOTE);
}

static void
kill_lets_a_running_handler_finish_and_tells_it(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 2; workers <= 4; workers *= 2) {
		struct scene s = { .act = act_linger };

		play(&k, workers, &s);
		assert_int_equal(s.rc[0], TR_OK);
		assert_false(s.flag[0]);
		assert_true(s.flag[1]);
		assert_int_equal(s.notes, 0);
		assert_int_equal(s.stops, 1);
		assert_int_equal(s.why.code, TR_KILLED);
		assert_int_equal(kit_letters_of(&k, NOTE), 1);
		assert_int_equal(kit_letters_of(&k, GONE), 1);
	}
}

/* With one worker the subject cannot run between the sends and the kill. */
static void
act_kill_queued(struct tr_self *self, struct scene *s)
{
	for (int i = 0; i < 100; i++)
		kit_tell(self, s->subject, NOTE);
	s->rc[0] = tr_kill(self, s->subject);
	s->rc[1] = tr_kill(self, s->subject);
	(void)kit_finish(self);
}

static void
a_killed_actor_handles_nothing_more(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct scene s = { .act = act_kill_queued };

		play(&k, workers, &s);
		assert_int_equal(s.rc[0], TR_OK);
		assert_int_equal(s.rc[1], TR_OK);
		if (workers == 1)
			assert_int_equal(s.notes, 0);
		assert_int_equal((unsigned)s.notes + kit_letters_of(&k, NOTE),
		    100);
		assert_true(s.starts == 0 || s.why.code == TR_KILLED);
	}
}

static void
act_stop_and_kill_nobody(struct tr_self *self, struct scene *s)
{
	s->rc[0] = tr_stop(self, TR_REF_NONE, tr_forever());
	s->rc[1] = tr_kill(self, TR_REF_NONE);
	s->rc[2] = tr_stop(self, (tr_ref){ UINT64_MAX }, tr_in(self, 0));
	s->rc[3] = tr_kill(self, (tr_ref){ UINT64_C(0x123456789abcdef) });
	(void)tr_stop(self, s->subject, tr_forever());
}

static void
stopping_or_killing_nobody_is_harmless(void **unused)
{
	struct scene s = { .act = act_stop_and_kill_nobody };
	struct kit k;

	(void)unused;
	play(&k, 2, &s);
	for (int i = 0; i < 4; i++)
		assert_int_equal(s.rc[i], TR_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(stop_runs_once_with_the_reason_of_the_end),
		KIT_TEST(failure_text_is_cut_at_31_bytes),
		KIT_TEST(calls_after_exit_still_work),
		KIT_TEST(what_a_dying_actor_leaves_unhandled_is_counted),
		KIT_TEST(stop_comes_behind_what_was_sent_before_it),
		KIT_TEST(stop_kills_at_its_deadline),
		KIT_TEST(killing_oneself_starts_no_further_handler),
		KIT_TEST(kill_lets_a_running_handler_finish_and_tells_it),
		KIT_TEST(a_killed_actor_handles_nothing_more),
		KIT_TEST(stopping_or_killing_nobody_is_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
