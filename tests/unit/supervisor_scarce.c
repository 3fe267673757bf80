/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Supervisors that run out of memory: at every allocation, once or from then
 * on; and at what a restart and a stop need.
 *
 * One scene uses all that a supervisor does.  What it is refused is not done;
 * but all lives that have started end, every request is answered, the system
 * can be stopped without killing anybody, and all memory comes back.
 */
#include "rig_faults.h"

#include "rig_tree.h"

/* ------------------------------------------------------------ the scene -- */

static struct scene {
	struct tr_system *sys;
	struct tr_stats stats;
	unsigned asks, answers, step;
	atomic_uint started, stopped, restarted;
	bool waits; /* until enough was restarted */
	tr_ref sup, pool;
	_Atomic uint64_t last[4]; /* who started last, by kind */
} scene;

struct part {
	unsigned kind;
	char text[100]; /* so that it has to be copied */
};

static int
part_start(struct tr_self *self, void *state, const void *arg)
{
	const struct part *p = arg;

	(void)state;
	if (strcmp(p->text, "part") != 0)
		abort();
	if (atomic_exchange(&scene.last[p->kind], tr_self_ref(self).bits) ==
	    tr_self_ref(self).bits)
		atomic_fetch_add(&scene.restarted, 1);
	atomic_fetch_add(&scene.started, 1);
	return TR_OK;
}

static int
part_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)self;
	(void)state;
	return tr_tag(msg) == CRASH ? -5 : TR_OK;
}

static void
part_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)self;
	(void)state;
	(void)why;
	atomic_fetch_add(&scene.stopped, 1);
}

static const struct tr_behavior part = {
	.name = "part",
	.state_size = 100,
	.arg_size = sizeof(struct part),
	.start = part_start,
	.receive = part_receive,
	.stop = part_stop,
};

static const struct part args[4] = {
	{ 0, "part" },
	{ 1, "part" },
	{ 2, "part" },
	{ 3, "part" },
};

static const struct tr_child low_parts[] = {
	{ .id = "one", .behavior = &part, .arg = &args[1], .name = "one" },
};

static const struct tr_supervisor low = {
	.intensity = 1000,
	TR_CHILDREN(low_parts),
};

static const struct tr_child parts[] = {
	{ .id = "zero", .behavior = &part, .arg = &args[0] },
	{ .id = "low", .supervisor = &low },
};

static const struct tr_supervisor whole = {
	.strategy = TR_ONE_FOR_ALL,
	.intensity = 1000,
	TR_CHILDREN(parts),
};

static const struct tr_child pooled[] = {
	{ .id = "pooled",
	    .behavior = &part,
	    .arg = &args[2],
	    .backoff = { .min_ns = TR_MS(1) } },
};

static const struct tr_supervisor pool = {
	.strategy = TR_SIMPLE_ONE_FOR_ONE,
	.intensity = 1000,
	TR_CHILDREN(pooled),
};

static int scene_next(struct tr_self *self);

static int
scene_answered(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	(void)state;
	(void)outcome;
	(void)answer;
	(void)cookie;
	scene.answers++;
	return scene_next(self);
}

static void
scene_crash(struct tr_self *self, unsigned kind)
{
	tr_ref ref = { atomic_load(&scene.last[kind]) };

	if (tr_ref_valid(ref))
		(void)tr_send(self, ref, CRASH, NULL, 0);
}

static tr_ask_id
scene_start(struct tr_self *self, tr_ref sup, const char *id, unsigned kind)
{
	struct part arg = args[kind];
	const struct tr_child child = {
		.id = id,
		.behavior = &part,
		.arg = &arg,
		.name = id,
	};

	return tr_supervisor_start_child(self, sup, &child, tr_forever(),
	    scene_answered, 0);
}

static tr_ask_id
scene_ask(struct tr_self *self, unsigned step)
{
	int64_t ever = tr_forever();
	tr_ask_id (*at)(struct tr_self *, tr_ref, const char *, int64_t,
	    tr_answer_fn *, uintptr_t) = tr_supervisor_restart_child;

	switch (step) {
	case 0:
	case 1:
	case 2: return scene_start(self, scene.pool, NULL, 2);
	case 3: return scene_start(self, scene.sup, "three", 3);
	case 4: scene_crash(self, 1); break;
	case 5: scene_crash(self, 2); break;
	case 6: scene_crash(self, 3); break;
	case 7:
		return tr_supervisor_terminate_child(self, scene.sup, "three",
		    TR_REF_NONE, ever, scene_answered, 0);
	case 8: return at(self, scene.sup, "three", ever, scene_answered, 0);
	case 9: scene_crash(self, 0); break;
	case 10: return at(self, scene.sup, "zero", ever, scene_answered, 0);
	case 11:
		return tr_supervisor_terminate_child(self, scene.sup, "three",
		    TR_REF_NONE, ever, scene_answered, 0);
	case 12:
		return tr_supervisor_delete_child(self, scene.sup, "three",
		    ever, scene_answered, 0);
	default: break;
	}
	return tr_supervisor_which_children(self,
	    step % 2 == 0 ? scene.sup : scene.pool, ever, scene_answered, 0);
}

/* Ask one thing after the other; what cannot be asked is left out. */
static int
scene_next(struct tr_self *self)
{
	while (scene.step < 40)
		if (scene_ask(self, scene.step++) != 0) {
			scene.asks++;
			return TR_OK;
		}
	if (scene.waits && atomic_load(&scene.restarted) <= 2)
		return tr_after(self, TR_MS(1), 0, 0) != 0 ? TR_OK : -1;
	return kit_finish(self);
}

static int
scene_begin(struct tr_self *self, void *state, const void *arg)
{
	(void)state;
	(void)arg;
	scene.sup = tr_supervisor_spawn(self, &whole, NULL);
	scene.pool = tr_supervisor_spawn(self, &pool, NULL);
	return scene_next(self);
}

/* A tick: how far is it? */
static int
scene_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	(void)msg;
	return scene_next(self);
}

static const struct tr_behavior root = {
	.name = "root",
	.start = scene_begin,
	.receive = scene_receive,
};

static void
scene_check(int rc)
{
	struct tr_stats *s = &scene.stats;

	assert_int_equal(tr_stats(scene.sys, s), TR_OK);
	if (!kit_balanced(s) || s->actors != 0)
		kit_print_stats(s);
	assert_true(kit_balanced(s));
	assert_int_equal(s->queued, 0);
	assert_int_equal(s->actors, 0);
	assert_int_equal(scene.asks, scene.answers);
	assert_int_equal(scene.started, scene.stopped);
	assert_true(rc == TR_OK || rc == TR_ENOMEM || rc == -EAGAIN);
}

/* true: it took place. */
static bool
scene_play(bool waits)
{
	struct tr_options options = { .workers = 2, .max_actors = 1024 };
	struct tr_stop_report report;
	bool played = false;
	int rc;

	memset(&scene, 0, sizeof(scene));
	scene.waits = waits;
	if (faults_system(&scene.sys, &options) == TR_OK) {
		played =
		    tr_ref_valid(tr_system_spawn(scene.sys, &root, NULL, NULL));
		if (played) {
			rc = tr_system_run(scene.sys, &report);
			scene_check(rc);
		}
		assert_int_equal(tr_system_free(scene.sys), TR_OK);
	}
	faults_over();
	return played;
}

static void
refuse_each(enum fault kind, unsigned long n)
{
	unsigned long k = 0, played = 0, calls;

	do {
		k++;
		faults_begin();
		faults_refuse(kind, k, n);
		played += scene_play(false);
		calls = atomic_load(&faults.calls[kind]);
	} while (k <= calls);
	assert_true(played > 0);
	print_message("  %lu runs, %lu took place\n", k, played);
}

static void
with_all_that_it_needs(void **unused)
{
	(void)unused;
	faults_begin();
	assert_true(scene_play(true));
	assert_true(scene.asks > 30);
	assert_true(scene.started > 8);
	assert_true(scene.restarted > 2);
}

static void
one_allocation_fails(void **unused)
{
	(void)unused;
	refuse_each(FAULT_ALLOC, 1);
}

static void
all_allocations_fail_from_one_on(void **unused)
{
	(void)unused;
	refuse_each(FAULT_ALLOC, ULONG_MAX);
}

static void
commits_fail(void **unused)
{
	(void)unused;
	refuse_each(FAULT_COMMIT, 1);
	refuse_each(FAULT_COMMIT, ULONG_MAX);
}

/* ------------------------------------------- no records, so no timers ---- */

enum { BURNT = 1 << 17 };

static tr_timer burnt[BURNT];
static unsigned burnt_count;

static bool
uses_up_the_timers(struct tr_self *self)
{
	faults_refuse_all(FAULT_COMMIT, true);
	burnt_count = 0;
	while (burnt_count < BURNT &&
	    (burnt[burnt_count] = tr_after(self, INT64_MAX, 0, 0)) != 0)
		burnt_count++;
	assert_true(burnt_count < BURNT);
	return true;
}

/* All on one worker, which has all that is left. */
static void
play_alone(const struct tr_supervisor *spec, const struct step *script)
{
	faults_begin();
	tree.spec = spec;
	tree.step = script;
	pthread_mutex_init(&tree.k.lock, NULL);
	tree.k.sys = faults_system_made(&(struct tr_options){ .workers = 1,
	    .max_actors = 1024,
	    .log = tree_log });
	(void)kit_root(&tree.k, &director, NULL);
	kit_run(&tree.k);
	faults_over();
}

#define PLAY_ALONE(spec, ...) \
	play_alone((spec),    \
	    (const struct step[]){ __VA_ARGS__, { .plain = NULL } })

static const struct tr_child two[] = { { MEMBER(a) }, { MEMBER(b) } };

static const struct tr_supervisor pair = {
	.name = "pair",
	.intensity = 1000,
	TR_CHILDREN(two),
};

static bool
b_fails_thrice(struct tr_self *self)
{
	(void)self;
	atomic_store(&b.fails, 3);
	return true;
}

static void
a_retry_needs_no_timer_of_its_own(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY_ALONE(&pair, SEEN("+a +b"), DO(b_fails_thrice),
	    DO(uses_up_the_timers), TELL(b, CRASH), SEEN("-b !b !b !b +b"),
	    TELL(a, CRASH), SEEN("-a +a"));
}

static bool
stops_it(struct tr_self *self)
{
	return tr_stop(self, tree.sup, tr_forever()) == TR_OK;
}

/* With the bond of the one there is a record for the timer of the next. */
static void
who_cannot_be_timed_is_killed(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY_ALONE(&pair, SEEN("+a +b"), DO(uses_up_the_timers), DO(stops_it),
	    SEEN("xb -a"), DO(has_ended));
	assert_int_equal(tree.why.code, TR_SHUTDOWN);
	assert_true(tree_logged("no memory to wait for child b to end"));
}

static const struct tr_child pattern[] = {
	{ .id = "one", .behavior = &member },
};

static const struct tr_supervisor many = {
	.name = "many",
	.strategy = TR_SIMPLE_ONE_FOR_ONE,
	TR_CHILDREN(pattern),
};

static bool
starts_a(struct tr_self *self)
{
	return ask_start(self, &(struct tr_child){ .arg = &a });
}

static void
those_who_cannot_be_timed_are_killed(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY_ALONE(&many, DO(starts_a), ANSWER(TR_OK), SEEN("+a"),
	    DO(uses_up_the_timers), DO(stops_it), DO(has_ended), SEEN("xa"));
	assert_int_equal(tree.why.code, TR_SHUTDOWN);
	assert_true(
	    tree_logged("1 children are killed: no memory to wait for"));
}

/* ---------------------------------------------- no blocks, no messages --- */

static struct tr_msg *kept[1 << 15];
static unsigned kept_count;

/* Whoever is told to crash has the last message. */
static bool
crashes_b_and_uses_up_the_blocks(struct tr_self *self)
{
	tell(self, &b, CRASH);
	faults_refuse_all(FAULT_ALLOC, true);
	kept_count = 0;
	for (size_t size = 0; size < 40000; size = size * 2 + 32)
		while (kept_count < 1 << 15 &&
		    (kept[kept_count] = tr_msg_new(self, 0, size, NULL)) !=
			NULL)
			kept_count++;
	assert_true(kept_count < 1 << 15);
	return true;
}

static bool
it_was_tried_in_vain(struct tr_self *self)
{
	(void)self;
	return tree_logged("child b did not start: -12 Cannot allocate memory"
			   "; restart 4 in 10 ms");
}

static bool
gives_them_back(struct tr_self *self)
{
	(void)self;
	assert_int_equal(atomic_load(&b.starts), 1);
	faults_refuse_all(FAULT_ALLOC, false);
	while (kept_count > 0)
		tr_msg_drop(&kept[--kept_count]);
	return true;
}

static void
a_restart_waits_for_memory(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY_ALONE(&pair, SEEN("+a +b"), DO(crashes_b_and_uses_up_the_blocks),
	    SEEN("-b"), DO(it_was_tried_in_vain), DO(gives_them_back),
	    SEEN("+b"));
}

/* To be told to end needs none, and neither has who is held. */
static void
a_stop_needs_no_memory(void **unused)
{
	(void)unused;
	tree_reset();
	PLAY_ALONE(&pair, SEEN("+a +b"), DO(crashes_b_and_uses_up_the_blocks),
	    SEEN("-b"), DO(it_was_tried_in_vain), DO(stops_it), SEEN("-a"),
	    DO(has_ended), DO(gives_them_back));
	assert_int_equal(tree.why.code, TR_SHUTDOWN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(with_all_that_it_needs),
		KIT_TEST(one_allocation_fails),
		KIT_TEST(all_allocations_fail_from_one_on),
		KIT_TEST(commits_fail),
		KIT_TEST(a_retry_needs_no_timer_of_its_own),
		KIT_TEST(who_cannot_be_timed_is_killed),
		KIT_TEST(those_who_cannot_be_timed_are_killed),
		KIT_TEST(a_restart_waits_for_memory),
		KIT_TEST(a_stop_needs_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
