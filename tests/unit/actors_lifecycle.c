/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How actors begin: start(), its argument and the state.  What spawning
 * refuses is in actors_spawn.c, how actors end in actors_ending.c.
 */
#include "kit.h"

enum { NOTE, DONE, CHECK };

/* ---------------------------------------------- start comes first --- */

enum { NOTES = 3 };

struct order {
	tr_ref root;
	int seen;
	int log[NOTES + 1]; /* -1 for start, else the note's number */
};

static int
ordered_start(struct tr_self *self, void *state, const void *arg)
{
	struct order *o;

	(void)kit_start_ctx(self, state, arg);
	o = kit_ctx(state);
	o->log[o->seen++] = -1;
	return TR_OK;
}

static int
ordered_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct order *o = kit_ctx(state);

	if (o->seen <= NOTES)
		o->log[o->seen++] = (int)kit_u64(msg);
	if (o->seen == NOTES + 1)
		kit_tell(self, o->root, DONE);
	return TR_OK;
}

static const struct tr_behavior ordered = {
	.name = "ordered",
	.state_size = sizeof(void *),
	.start = ordered_start,
	.receive = ordered_receive,
};

static int
order_root_start(struct tr_self *self, void *state, const void *arg)
{
	struct order *o;
	tr_ref child;

	(void)kit_start_ctx(self, state, arg);
	o = kit_ctx(state);
	o->root = tr_self_ref(self);
	child = tr_spawn(self, &ordered, o, NULL);
	for (uint64_t i = 0; i < NOTES; i++)
		(void)tr_send(self, child, NOTE, &i, sizeof(i));
	return TR_OK;
}

static int
finish_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	(void)msg;
	return kit_finish(self);
}

static const struct tr_behavior order_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = order_root_start,
	.receive = finish_receive,
};

static void
start_runs_before_any_message(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct order o = { .seen = 0 };

		kit_play(&k, workers, &order_root, &o);
		assert_int_equal(o.seen, NOTES + 1);
		assert_int_equal(o.log[0], -1);
		for (int i = 0; i < NOTES; i++)
			assert_int_equal(o.log[i + 1], i);
	}
}

/* ------------------------------------------------------- arguments --- */

enum { BIG = 5000 };

struct big {
	unsigned char byte[BIG];
};

struct args {
	tr_ref root;
	const void *pointer; /* what the pointer child was given */
	atomic_int left;
	atomic_int wrong;
	uint64_t shared; /* what the pointer points to */
};

static struct args *
args_of(struct tr_self *self)
{
	static struct args only;

	(void)self;
	return &only;
}

static void
args_report(struct tr_self *self, bool right)
{
	struct args *a = args_of(self);

	if (!right)
		atomic_fetch_add(&a->wrong, 1);
	kit_tell(self, a->root, DONE);
}

static int
copied_start(struct tr_self *self, void *state, const void *arg)
{
	const uint64_t *value = arg;

	(void)state;
	args_report(self, *value == 4711);
	return TR_OK;
}

static int
big_start(struct tr_self *self, void *state, const void *arg)
{
	const struct big *big = arg;
	bool right = true;

	(void)state;
	for (int i = 0; i < BIG; i++)
		right = right && big->byte[i] == (unsigned char)(i * 7);
	args_report(self, right);
	return TR_OK;
}

static int
pointer_start(struct tr_self *self, void *state, const void *arg)
{
	(void)state;
	args_of(self)->pointer = arg;
	args_report(self, arg == &args_of(self)->shared);
	return TR_OK;
}

static int
zero_start(struct tr_self *self, void *state, const void *arg)
{
	static const struct big zeros;

	(void)state;
	args_report(self,
	    arg != NULL && memcmp(arg, &zeros, sizeof(zeros)) == 0);
	return TR_OK;
}

static int
null_start(struct tr_self *self, void *state, const void *arg)
{
	(void)state;
	args_report(self, arg == NULL);
	return TR_OK;
}

static const struct tr_behavior copied = {
	.name = "copied", .arg_size = sizeof(uint64_t),
	.start = copied_start, .receive = kit_ignore,
}, copied_big = {
	.name = "copied big", .arg_size = sizeof(struct big),
	.start = big_start, .receive = kit_ignore,
}, pointed = {
	.name = "pointed", .start = pointer_start, .receive = kit_ignore,
}, zeroed = {
	.name = "zeroed", .arg_size = sizeof(struct big),
	.start = zero_start, .receive = kit_ignore,
}, nulled = {
	.name = "nulled", .start = null_start, .receive = kit_ignore,
};

static int
args_start(struct tr_self *self, void *state, const void *arg)
{
	struct args *a = args_of(self);
	struct big big;
	uint64_t value = 4711;

	(void)state;
	(void)arg;
	a->root = tr_self_ref(self);
	for (int i = 0; i < BIG; i++)
		big.byte[i] = (unsigned char)(i * 7);
	(void)tr_spawn(self, &copied, &value, NULL);
	(void)tr_spawn(self, &copied_big, &big, NULL);
	(void)tr_spawn(self, &pointed, &a->shared, NULL);
	(void)tr_spawn(self, &zeroed, NULL, NULL);
	(void)tr_spawn(self, &nulled, NULL, NULL);
	value = 0;
	memset(&big, 0xff, sizeof(big));
	return TR_OK;
}

static int
args_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	(void)msg;
	if (atomic_fetch_sub(&args_of(self)->left, 1) == 1)
		return kit_finish(self);
	return TR_OK;
}

static const struct tr_behavior args_root = {
	.name = "root",
	.start = args_start,
	.receive = args_receive,
};

static void
argument_is_copied_or_its_pointer_travels(void **unused)
{
	struct args *a = args_of(NULL);
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		a->left = 5;
		a->wrong = 0;
		a->pointer = NULL;
		kit_play(&k, workers, &args_root, NULL);
		assert_int_equal(a->left, 0);
		assert_int_equal(a->wrong, 0);
		assert_ptr_equal(a->pointer, &a->shared);
	}
}

/* ----------------------------------------------------------- state --- */

static const size_t state_sizes[] = {
	1,
	8,
	23,
	24,
	25,
	32,
	63,
	64,
	65,
	255,
	256,
	4095,
	4096,
	65536,
	1048576,
};

enum {
	SIZES = sizeof(state_sizes) / sizeof(state_sizes[0]),
	STATE_ROUNDS = 5,
};

struct states {
	tr_ref root;
	int at, round; /* what is spawned next */
	int dirty, unaligned, changed;
	struct tr_behavior behavior[SIZES];
};

static struct states states;

static int
state_start(struct tr_self *self, void *state, const void *arg)
{
	const size_t size = *(const size_t *)arg;
	unsigned char *byte = state;

	(void)self;
	for (size_t i = 0; i < size; i++)
		if (byte[i] != 0) {
			states.dirty++;
			break;
		}
	if (size >= 8 && (uintptr_t)state % 8 != 0)
		states.unaligned++;
	memset(state, 0xa5, size);
	return TR_OK;
}

static int
state_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const size_t size = (size_t)kit_u64(msg);
	const unsigned char *byte = state;

	for (size_t i = 0; i < size; i++)
		if (byte[i] != 0xa5) {
			states.changed++;
			break;
		}
	return tr_exit(self, TR_NORMAL);
}

static void
state_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)state;
	(void)why;
	kit_tell(self, states.root, DONE);
}

static void
state_next(struct tr_self *self)
{
	const struct tr_behavior *behavior = &states.behavior[states.at];
	const uint64_t size = state_sizes[states.at];
	tr_ref child = tr_spawn(self, behavior, &state_sizes[states.at], NULL);

	(void)tr_send(self, child, CHECK, &size, sizeof(size));
	if (++states.at == SIZES) {
		states.at = 0;
		states.round++;
	}
}

static int
states_start(struct tr_self *self, void *state, const void *arg)
{
	(void)state;
	(void)arg;
	states.root = tr_self_ref(self);
	state_next(self);
	return TR_OK;
}

static int
states_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	(void)msg;
	if (states.round == STATE_ROUNDS)
		return kit_finish(self);
	state_next(self);
	return TR_OK;
}

static const struct tr_behavior states_root = {
	.name = "root",
	.start = states_start,
	.receive = states_receive,
};

static void
state_of_any_size_is_zeroed_and_stays(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 2; workers++) {
		memset(&states, 0, sizeof(states));
		for (int i = 0; i < SIZES; i++)
			states.behavior[i] = (struct tr_behavior){
				.name = "stateful",
				.state_size = state_sizes[i],
				.arg_size = sizeof(size_t),
				.start = state_start,
				.receive = state_receive,
				.stop = state_stop,
			};
		kit_play(&k, workers, &states_root, NULL);
		assert_int_equal(states.round, STATE_ROUNDS);
		assert_int_equal(states.dirty, 0);
		assert_int_equal(states.unaligned, 0);
		assert_int_equal(states.changed, 0);
	}
}

/* --------------------------------------------------- failing start --- */

struct failing {
	tr_ref child;
	int start_rc;
	int starts, receives, stops;
	int outcome, outcomes;
};

static int
failing_start(struct tr_self *self, void *state, const void *arg)
{
	struct failing *f;

	(void)kit_start_ctx(self, state, arg);
	f = kit_ctx(state);
	f->starts++;
	return f->start_rc;
}

static int
failing_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct failing *f = kit_ctx(state);

	f->receives++;
	return tr_reply(self, msg, 0, NULL, 0);
}

static void
failing_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct failing *f = kit_ctx(state);

	(void)self;
	(void)why;
	f->stops++;
}

static const struct tr_behavior failing = {
	.name = "failing",
	.state_size = sizeof(void *),
	.start = failing_start,
	.receive = failing_receive,
	.stop = failing_stop,
};

static int
failing_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct failing *f = kit_ctx(state);

	(void)answer;
	(void)cookie;
	f->outcome = outcome;
	f->outcomes++;
	return kit_finish(self);
}

static int
failing_root_start(struct tr_self *self, void *state, const void *arg)
{
	struct failing *f;

	(void)kit_start_ctx(self, state, arg);
	f = kit_ctx(state);
	f->child = tr_spawn(self, &failing, f, NULL);
	kit_tell(self, f->child, NOTE);
	kit_tell(self, f->child, NOTE);
	if (tr_ask(self, f->child, CHECK, NULL, 0, tr_forever(), failing_answer,
		0) == 0)
		return TR_ENOMEM;
	return TR_OK;
}

static const struct tr_behavior failing_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = failing_root_start,
	.receive = kit_ignore,
};

static void
failing_start_skips_stop_and_loses_no_message(void **unused)
{
	static const int codes[] = { TR_EINVAL, -12345, 17 };
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2)
		for (int i = 0; i < 3; i++) {
			struct failing f = { .start_rc = codes[i] };

			kit_play(&k, workers, &failing_root, &f);
			assert_int_equal(f.starts, 1);
			assert_int_equal(f.receives, 0);
			assert_int_equal(f.stops, 0);
			assert_int_equal(f.outcomes, 1);
			assert_int_equal(f.outcome, TR_EDEAD);
			assert_int_equal(k.stats.failed, 1);
			assert_int_equal(kit_letters_of(&k, NOTE), 2);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(start_runs_before_any_message),
		KIT_TEST(argument_is_copied_or_its_pointer_travels),
		KIT_TEST(state_of_any_size_is_zeroed_and_stays),
		KIT_TEST(failing_start_skips_stop_and_loses_no_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
