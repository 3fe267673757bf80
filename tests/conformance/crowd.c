/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Row S25 at its full size: 100,000 temporary children of a simple_one_for_one
 * supervisor, where a script would take too long.
 *
 * What has to be linear is the work, so the processor's time is measured, which
 * a busy machine does not add to as it does to the clock's: ten times as many
 * children may take some more than ten times as long, for they are in no cache
 * any more, but by far not a hundred times.
 */
#include "play.h"

#include <troupe/supervisor.h>

enum {
	MANY = TEST_SCALE(100000),
	FEW = MANY / 10,
	WINDOW = 256, /* starts that are asked for at a time */
	SLOPE = 25, /* MANY may take so often the time of FEW, */
	SLACK_MS = 50, /* and this */
	STOP_MS = 2000, /* the promise */
};

enum { DOWN = 1, LEAVE };

struct crowd {
	struct kit k;
	unsigned size;
	bool leave; /* they end by themselves */
	tr_ref supervisor;
	tr_monitor_id monitor;
	unsigned asked, started;
	struct tr_child_counts counts; /* when all had started, or left */
	struct tr_reason why;
	int64_t begun, up, gone; /* processor time, ns */
	_Atomic unsigned lives, ends;
};

static int64_t
processor_time(void)
{
	struct timespec t;

	KIT_CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0);
	return TR_SECONDS(t.tv_sec) + t.tv_nsec;
}

/* -------------------------------------------------------------- children - */

static int
one_start(struct tr_self *self, void *state, const void *arg)
{
	struct crowd *c;

	(void)kit_start_ctx(self, state, arg);
	c = kit_ctx(state);
	atomic_fetch_add(&c->lives, 1);
	return TR_OK;
}

static int
one_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	return tr_tag(msg) == LEAVE ? tr_exit(self, TR_NORMAL) :
				      tr_unhandled(self, msg);
}

static void
one_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct crowd *c = kit_ctx(state);

	(void)self;
	(void)why;
	atomic_fetch_add(&c->ends, 1);
}

static const struct tr_behavior one = {
	.name = "one",
	.state_size = sizeof(void *),
	.start = one_start,
	.receive = one_receive,
	.stop = one_stop,
};

static const struct tr_child pattern[] = {
	{ .id = "one", .behavior = &one, .restart = TR_TEMPORARY },
};

static const struct tr_supervisor pool = {
	.name = "pool",
	.strategy = TR_SIMPLE_ONE_FOR_ONE,
	TR_CHILDREN(pattern),
};

/* -------------------------------------------------------- who wants them - */

static void
ask_for_one(struct tr_self *self, struct crowd *c, tr_answer_fn *fn)
{
	struct tr_child child = { .arg = c };

	c->asked++;
	KIT_CHECK(tr_supervisor_start_child(self, c->supervisor, &child,
		      tr_forever(), fn, 0) != 0);
}

static void
ask_how_many(struct tr_self *self, struct crowd *c, tr_answer_fn *fn)
{
	KIT_CHECK(tr_supervisor_count_children(self, c->supervisor,
		      tr_forever(), fn, 0) != 0);
}

/* All have started.  Those who leave have been told to. */
static int
counted(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct crowd *c = kit_ctx(state);

	(void)cookie;
	KIT_CHECK(outcome == TR_OK);
	c->counts =
	    *(const struct tr_child_counts *)tr_data(answer, sizeof(c->counts));
	if (c->leave && c->counts.active > 0) {
		ask_how_many(self, c, counted);
		return TR_OK;
	}
	c->up = processor_time();
	return tr_stop(self, c->supervisor, tr_forever());
}

static int
started(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct crowd *c = kit_ctx(state);
	struct tr_child_info info;

	(void)cookie;
	KIT_CHECK(tr_child_result(outcome, answer, &info) == TR_OK);
	c->started++;
	if (c->leave)
		kit_tell(self, info.ref, LEAVE);
	if (c->asked < c->size)
		ask_for_one(self, c, started);
	else if (c->started == c->size)
		ask_how_many(self, c, counted);
	return TR_OK;
}

static int
director_start(struct tr_self *self, void *state, const void *arg)
{
	struct crowd *c;

	(void)kit_start_ctx(self, state, arg);
	c = kit_ctx(state);
	c->begun = processor_time();
	c->supervisor = tr_supervisor_spawn(self, &pool,
	    &(struct tr_spawn_options){ .monitor = &c->monitor,
		.monitor_tag = DOWN });
	KIT_CHECK(tr_ref_valid(c->supervisor));
	while (c->asked < WINDOW && c->asked < c->size)
		ask_for_one(self, c, started);
	return TR_OK;
}

static int
director_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct crowd *c = kit_ctx(state);

	if (tr_tag(msg) != DOWN)
		return tr_unhandled(self, msg);
	c->why = ((const struct tr_down *)tr_data(msg, sizeof(struct tr_down)))
		     ->reason;
	c->gone = processor_time();
	return kit_finish(self);
}

static const struct tr_behavior director = {
	.name = "director",
	.state_size = sizeof(void *),
	.start = director_start,
	.receive = director_receive,
};

static void
crowd_play(struct crowd *c, unsigned size, bool leave)
{
	*c = (struct crowd){ .size = size, .leave = leave };
	kit_play(&c->k, 2, &director, c);
	assert_int_equal(c->started, size);
	assert_int_equal(c->counts.specs, 1);
	assert_int_equal(c->counts.active, leave ? 0 : size);
	assert_int_equal(c->counts.workers, leave ? 0 : size);
	assert_int_equal(atomic_load(&c->lives), size);
	assert_int_equal(atomic_load(&c->ends), size);
	assert_int_equal(c->why.code, TR_SHUTDOWN);
	print_message("%u children: %.1f ms to %s, %.1f ms to stop\n", size,
	    (double)(c->up - c->begun) / 1e6, leave ? "come and go" : "start",
	    (double)(c->gone - c->up) / 1e6);
}

static void
is_linear(int64_t few_ns, int64_t many_ns)
{
	assert_true(many_ns <= SLOPE * few_ns + TR_MS(SLACK_MS));
}

static void
S25_a_hundred_thousand_start_and_stop(void **unused)
{
	static struct crowd few, many;

	(void)unused;
	crowd_play(&few, FEW, false);
	crowd_play(&many, MANY, false);
	is_linear(few.up - few.begun, many.up - many.begun);
	is_linear(few.gone - few.up, many.gone - many.up);
	assert_true(many.gone - many.up <= TR_MS(STOP_MS));
}

static void
S25_and_end_by_themselves(void **unused)
{
	static struct crowd few, many;

	(void)unused;
	crowd_play(&few, FEW, true);
	crowd_play(&many, MANY, true);
	is_linear(few.up - few.begun, many.up - many.begun);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(S25_a_hundred_thousand_start_and_stop),
		KIT_TEST(S25_and_end_by_themselves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
