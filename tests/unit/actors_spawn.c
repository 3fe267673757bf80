/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What spawning refuses, and the reasons it gives.
 */
#include "kit.h"

enum { NOTE, DONE, CHECK };

struct refused {
	int placement, worker, size, stopping;
	bool none[4];
	unsigned filled; /* actors until no slot was free */
	int full;
	bool again; /* a slot that became free was given out */
	int phase;
};

static bool
spawn_fails(struct tr_self *self, const struct tr_behavior *behavior,
    struct tr_spawn_options options, int *error)
{
	options.error = error;
	return !tr_ref_valid(tr_spawn(self, behavior, NULL, &options));
}

static const struct tr_behavior too_large = {
	.name = "too large",
	.state_size = (size_t)1073741824 + 1,
	.receive = kit_ignore,
};

static int
refused_start(struct tr_self *self, void *state, const void *arg)
{
	struct refused *r;

	(void)kit_start_ctx(self, state, arg);
	r = kit_ctx(state);
	r->none[0] = spawn_fails(self, &kit_idler,
	    (struct tr_spawn_options){ .placement = (enum tr_placement)99 },
	    &r->placement);
	r->none[1] = spawn_fails(self, &kit_idler,
	    (struct tr_spawn_options){ .placement = TR_PLACE_WORKER,
		.worker = 2 },
	    &r->worker);
	r->none[2] = spawn_fails(self, &too_large,
	    (struct tr_spawn_options){ 0 }, &r->size);
	(void)kit_finish(self);
	r->none[3] = spawn_fails(self, &kit_idler,
	    (struct tr_spawn_options){ 0 }, &r->stopping);
	return TR_OK;
}

static const struct tr_behavior refused_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = refused_start,
	.receive = kit_ignore,
};

static void
spawn_says_why_it_refused(void **unused)
{
	struct refused r = { 0 };
	struct kit k;

	(void)unused;
	kit_play(&k, 2, &refused_root, &r);
	for (int i = 0; i < 4; i++)
		assert_true(r.none[i]);
	assert_int_equal(r.placement, TR_EINVAL);
	assert_int_equal(r.worker, TR_EINVAL);
	assert_int_equal(r.size, TR_EINVAL);
	assert_int_equal(r.stopping, TR_ESTOPPING);
	assert_int_equal(k.stats.spawned, 1);
}

/*
 * Fill every slot with actors that end at the first message, end one hundred,
 * and spawn as many again.
 */
static int
brief_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	(void)msg;
	return tr_exit(self, TR_NORMAL);
}

static void
brief_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	tr_ref root = *(const tr_ref *)state;

	(void)why;
	kit_tell(self, root, DONE);
}

static int
brief_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	memcpy(state, arg, sizeof(tr_ref));
	return TR_OK;
}

static const struct tr_behavior brief = {
	.name = "brief",
	.state_size = sizeof(tr_ref),
	.arg_size = sizeof(tr_ref),
	.start = brief_start,
	.receive = brief_receive,
	.stop = brief_stop,
};

static int
full_start(struct tr_self *self, void *state, const void *arg)
{
	struct refused *r;
	tr_ref me = tr_self_ref(self), child, ending[100];

	(void)kit_start_ctx(self, state, arg);
	r = kit_ctx(state);
	for (;;) {
		child = tr_spawn(self, &brief, &me,
		    &(struct tr_spawn_options){ .error = &r->full });
		if (!tr_ref_valid(child))
			break;
		if (r->filled < 100)
			ending[r->filled] = child;
		r->filled++;
	}
	for (int i = 0; i < 100; i++)
		kit_tell(self, ending[i], NOTE);
	return TR_OK;
}

/* The hundred are ending: a slot comes free at the latest soon after. */
static int
full_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct refused *r = kit_ctx(state);
	tr_ref child, me = tr_self_ref(self);

	if (tr_tag(msg) == DONE && ++r->phase < 100)
		return TR_OK;
	child = tr_spawn(self, &brief, &me, NULL);
	if (!tr_ref_valid(child)) {
		kit_tell(self, me, CHECK);
		return TR_OK;
	}
	r->again = true;
	return kit_finish(self);
}

static const struct tr_behavior full_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = full_start,
	.receive = full_receive,
};

static void
spawn_without_a_free_slot_is_refused_until_one_is(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct refused r = { .full = TR_OK };

		kit_new_with(&k,
		    (struct tr_options){ .workers = workers,
			.max_actors = 1024 });
		(void)kit_root(&k, &full_root, &r);
		kit_run(&k);
		assert_in_range(r.filled, 200, 1024);
		assert_int_equal(r.full, TR_ENOMEM);
		assert_true(r.again);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(spawn_says_why_it_refused),
		KIT_TEST(spawn_without_a_free_slot_is_refused_until_one_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
