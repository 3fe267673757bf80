/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tr_run() and its root, what stop() may do, and unhandled messages.
 */
#include "kit.h"

enum { GO, DONE, LAST_WORDS, STRANGE };

/* ------------------------------------- the root's end is the result --- */

enum how { BY_RETURN, BY_EXIT, BY_FAIL, BY_STOP, BY_KILL, BY_START };

struct root_end {
	enum how how;
	int code;
	int expected;
	int stops;
};

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct root_end *r;

	(void)kit_start_ctx(self, state, arg);
	r = kit_ctx(state);
	if (r->how == BY_START)
		return r->code;
	kit_tell(self, tr_self_ref(self), GO);
	return TR_OK;
}

static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct root_end *r = kit_ctx(state);

	(void)msg;
	switch (r->how) {
	case BY_RETURN: return r->code;
	case BY_EXIT: return tr_exit(self, r->code);
	case BY_FAIL: return tr_fail(self, r->code, "for a reason");
	case BY_STOP: return tr_stop(self, tr_self_ref(self), tr_forever());
	default: return tr_kill(self, tr_self_ref(self));
	}
}

static void
root_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct root_end *r = kit_ctx(state);

	(void)self;
	(void)why;
	r->stops++;
}

static const struct tr_behavior ending_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = root_start,
	.receive = root_receive,
	.stop = root_stop,
};

static void
log_nothing(enum tr_log_level level, const char *text, void *ctx)
{
	(void)level;
	(void)text;
	(void)ctx;
}

static void
run_returns_how_the_root_ended(void **unused)
{
	static const struct root_end ends[] = {
		{ BY_EXIT, TR_NORMAL, TR_OK, 0 },
		{ BY_EXIT, TR_SHUTDOWN, TR_OK, 0 },
		{ BY_EXIT, -EIO, -EIO, 0 },
		{ BY_RETURN, -EIO, -EIO, 0 },
		{ BY_RETURN, 5, 5, 0 },
		{ BY_FAIL, TR_ENOMEM, TR_ENOMEM, 0 },
		{ BY_STOP, 0, TR_OK, 0 },
		{ BY_KILL, 0, TR_KILLED, 0 },
		{ BY_START, -EIO, -EIO, 0 },
		{ BY_START, 9, 9, 0 },
	};

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2)
		for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
			struct tr_options options = { .workers = workers,
				.log = log_nothing };
			struct root_end r = ends[i];

			assert_int_equal(tr_run(&ending_root, &r, &options),
			    r.expected);
			assert_int_equal(r.stops, r.how == BY_START ? 0 : 1);
		}
}

static void
run_works_without_options(void **unused)
{
	struct root_end r = { .how = BY_EXIT };

	(void)unused;
	assert_int_equal(tr_run(&ending_root, &r, NULL), TR_OK);
	assert_int_equal(r.stops, 1);
}

static void
run_refuses_options_out_of_range(void **unused)
{
	static const struct tr_options bad[] = {
		{ .workers = 65 },
		{ .spin_ns = TR_SECONDS(1) + 1 },
		{ .max_actors = 1023 },
		{ .max_actors = (UINT32_C(1) << 26) + 1 },
		{ .max_message_bytes = (size_t)1073741824 + 1 },
		{ .blocking_threads = 257 },
	};
	struct root_end r = { .how = BY_EXIT };

	(void)unused;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(tr_run(&ending_root, &r, &bad[i]), TR_EINVAL);
	assert_int_equal(r.stops, 0);
}

/* ---------------------------------------- the others are told to stop --- */

enum { CHILDREN = 100 };

struct family {
	atomic_int starts, stops, shutdowns, killed;
	tr_ref root;
	atomic_bool stuck; /* a child of the deadline test has begun */
};

static int
member_start(struct tr_self *self, void *state, const void *arg)
{
	struct family *f;

	(void)kit_start_ctx(self, state, arg);
	f = kit_ctx(state);
	atomic_fetch_add(&f->starts, 1);
	return TR_OK;
}

/* Never idle: each message sends the next. */
static int
member_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct family *f = kit_ctx(state);

	if (tr_tag(msg) == GO)
		kit_tell(self, tr_self_ref(self), GO);
	else if (!atomic_exchange(&f->stuck, true))
		kit_tell(self, f->root, DONE);
	else
		kit_spin_for(self, TR_MS(1));
	return TR_OK;
}

static void
member_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct family *f = kit_ctx(state);

	(void)self;
	atomic_fetch_add(&f->stops, 1);
	if (why->code == TR_SHUTDOWN)
		atomic_fetch_add(&f->shutdowns, 1);
	if (why->code == TR_KILLED)
		atomic_fetch_add(&f->killed, 1);
}

static const struct tr_behavior member = {
	.name = "member",
	.state_size = sizeof(void *),
	.start = member_start,
	.receive = member_receive,
	.stop = member_stop,
};

static int
family_start(struct tr_self *self, void *state, const void *arg)
{
	struct family *f;
	tr_ref child;

	(void)kit_start_ctx(self, state, arg);
	f = kit_ctx(state);
	for (int i = 0; i < CHILDREN; i++) {
		child = tr_spawn(self, &member, f, NULL);
		if (i % 2 == 0)
			kit_tell(self, child, GO);
	}
	return tr_exit(self, TR_NORMAL);
}

static const struct tr_behavior family_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = family_start,
	.receive = kit_ignore,
};

static void
run_stops_whoever_is_left_when_the_root_ends(void **unused)
{
	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct tr_options options = { .workers = workers,
			.stop_ns = TR_SECONDS(50) };
		struct family f = { .starts = 0 };

		assert_int_equal(tr_run(&family_root, &f, &options), TR_OK);
		assert_int_equal(f.starts, CHILDREN);
		assert_int_equal(f.stops, CHILDREN);
		assert_int_equal(f.shutdowns, CHILDREN);
	}
}

/* One child has hours of work in its mailbox; the root ends at once. */
static int
overdue_start(struct tr_self *self, void *state, const void *arg)
{
	struct family *f;
	tr_ref child;

	(void)kit_start_ctx(self, state, arg);
	f = kit_ctx(state);
	f->root = tr_self_ref(self);
	child = tr_spawn(self, &member, f, NULL);
	for (int i = 0; i < 50000; i++)
		kit_tell(self, child, DONE);
	return TR_OK;
}

static int
overdue_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	(void)msg;
	return tr_exit(self, TR_NORMAL);
}

static const struct tr_behavior overdue_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = overdue_start,
	.receive = overdue_receive,
};

static void
run_kills_whoever_is_left_at_the_deadline(void **unused)
{
	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct tr_options options = { .workers = workers,
			.log = log_nothing,
			.stop_ns = TR_MS(20) };
		struct family f = { .starts = 0 };

		assert_int_equal(tr_run(&overdue_root, &f, &options), TR_OK);
		assert_int_equal(f.stops, 1);
		assert_int_equal(f.killed, 1);
	}
}

/* ------------------------------------------------ what stop() may do --- */

struct last {
	tr_ref root, child;
	tr_timer after, every;
	tr_ask_id ask;
	tr_ref spawned;
	int sent, posted, words, answers, ticks;
	int error;
};

static int
last_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct last *l = kit_ctx(state);

	(void)self;
	(void)outcome;
	(void)answer;
	(void)cookie;
	l->answers++;
	return TR_OK;
}

static int
last_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct last *l = kit_ctx(state);

	if (tr_tag(msg) != GO)
		l->ticks++;
	return tr_exit(self, TR_NORMAL);
}

static void
last_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct last *l = kit_ctx(state);

	(void)why;
	l->error = TR_OK;
	l->sent = tr_send(self, l->root, LAST_WORDS, NULL, 0);
	l->ask = tr_ask(self, l->root, LAST_WORDS, NULL, 0, tr_forever(),
	    last_answer, 0);
	l->spawned = tr_spawn(self, &kit_idler, NULL,
	    &(struct tr_spawn_options){ .error = &l->error });
	l->after = tr_after(self, 0, DONE, 0);
	l->every = tr_every(self, TR_MS(1), DONE, 0);
	l->posted = tr_send(self, l->root, DONE, NULL, 0);
}

static const struct tr_behavior last = {
	.name = "last",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = last_receive,
	.stop = last_stop,
};

static int
last_root_start(struct tr_self *self, void *state, const void *arg)
{
	struct last *l;

	(void)kit_start_ctx(self, state, arg);
	l = kit_ctx(state);
	l->root = tr_self_ref(self);
	l->child = tr_spawn(self, &last, l, NULL);
	kit_tell(self, l->child, GO);
	return TR_OK;
}

static int
last_root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct last *l = kit_ctx(state);

	if (tr_tag(msg) == LAST_WORDS) {
		l->words++;
		return tr_reply(self, msg, 0, NULL, 0);
	}
	return kit_finish(self);
}

static const struct tr_behavior last_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = last_root_start,
	.receive = last_root_receive,
};

static void
stop_may_send_but_not_ask_spawn_or_arm_timers(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct last l = { .after = 1, .every = 1, .ask = 1 };

		kit_play(&k, workers, &last_root, &l);
		assert_int_equal(l.sent, TR_OK);
		assert_int_equal(l.posted, TR_OK);
		assert_true(l.ask == 0);
		assert_false(tr_ref_valid(l.spawned));
		assert_true(l.error < 0);
		assert_true(l.after == 0);
		assert_true(l.every == 0);
		assert_int_equal(l.words, 1);
		assert_int_equal(l.answers, 0);
		assert_int_equal(l.ticks, 0);
	}
}

/* ------------------------------------------------- behaviours' gaps --- */

static atomic_int gap_stops;

static void
gap_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)self;
	(void)state;
	(void)why;
	atomic_fetch_add(&gap_stops, 1);
}

/* No start: as if it had returned TR_OK. */
static const struct tr_behavior unstarted = {
	.receive = kit_ignore,
	.stop = gap_stop,
};

static int
gap_start(struct tr_self *self, void *state, const void *arg)
{
	tr_ref child;

	(void)state;
	(void)arg;
	for (int i = 0; i < 10; i++) {
		child = tr_spawn(self, &unstarted, NULL, NULL);
		if (i < 5)
			kit_tell(self, child, GO);
	}
	return kit_finish(self);
}

static const struct tr_behavior gap_root = {
	.start = gap_start,
	.receive = kit_ignore,
};

static void
actors_without_start_are_stopped_too(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		gap_stops = 0;
		kit_play(&k, workers, &gap_root, NULL);
		assert_int_equal(gap_stops, 10);
	}
}

/* -------------------------------------------------------- unhandled --- */

struct strange {
	int outcome, outcomes, unhandled_rc;
};

static int
picky_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct strange *s = kit_ctx(state);

	s->unhandled_rc = tr_unhandled(self, msg);
	return s->unhandled_rc;
}

static const struct tr_behavior picky = {
	.name = "picky",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = picky_receive,
};

static int
strange_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct strange *s = kit_ctx(state);

	(void)cookie;
	s->outcome = answer == NULL ? outcome : 1;
	s->outcomes++;
	return kit_finish(self);
}

static int
strange_start(struct tr_self *self, void *state, const void *arg)
{
	tr_ref child = tr_spawn(self, &picky, arg, NULL);

	(void)kit_start_ctx(self, state, arg);
	kit_tell(self, child, STRANGE);
	if (tr_ask(self, child, STRANGE, NULL, 0, tr_forever(), strange_answer,
		0) == 0)
		return TR_ENOMEM;
	return TR_OK;
}

static const struct tr_behavior strange_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = strange_start,
	.receive = kit_ignore,
};

static void
unhandled_is_counted_apart_and_answers_an_ask(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct strange s = { .unhandled_rc = 1 };

		kit_play(&k, workers, &strange_root, &s);
		assert_int_equal(s.unhandled_rc, TR_OK);
		assert_int_equal(s.outcomes, 1);
		assert_int_equal(s.outcome, TR_EUNHANDLED);
		assert_int_equal(k.stats.dead[TR_DEAD_UNHANDLED], 2);
		assert_int_equal(kit_letters(&k, TR_DEAD_UNHANDLED, STRANGE),
		    2);
		assert_int_equal(kit_letters_of(&k, STRANGE), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(run_returns_how_the_root_ended),
		KIT_TEST(run_works_without_options),
		KIT_TEST(run_refuses_options_out_of_range),
		KIT_TEST(run_stops_whoever_is_left_when_the_root_ends),
		KIT_TEST(run_kills_whoever_is_left_at_the_deadline),
		KIT_TEST(stop_may_send_but_not_ask_spawn_or_arm_timers),
		KIT_TEST(actors_without_start_are_stopped_too),
		KIT_TEST(unhandled_is_counted_apart_and_answers_an_ask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
