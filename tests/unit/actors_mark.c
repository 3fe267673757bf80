/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stopping and killing without memory: the mark of a slot.
 *
 * These tests see the insides: they make the pools' source of slabs dry, take
 * the blocks that are left, and then end actors.
 */
#include "actors/system.h"
#include "kit.h"

enum { WORK = 1, GO, HOARD_MAX = 20000 };

struct dry {
	struct kit k;
	unsigned worked; /* by the victims */
	unsigned started;
	unsigned stopped;
	int reasons[4];
	int stop_rc[4];
	bool no_block; /* there really was none */
	tr_ref victim[4];
	void *(*slab_new)(void *ctx, size_t size);
	struct tr_msg *hoard[HOARD_MAX];
	unsigned hoarded;
};

static int
victim_start(struct tr_self *self, void *state, const void *arg)
{
	struct dry *d = (struct dry *)(uintptr_t)arg;

	d->started++;
	return kit_start_ctx(self, state, arg);
}

static int
victim_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct dry *d = kit_ctx(state);

	(void)self;
	if (tr_tag(msg) == WORK)
		d->worked++;
	return TR_OK;
}

static void
victim_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct dry *d = kit_ctx(state);

	(void)self;
	d->reasons[d->stopped++ % 4] = why->code;
}

static const struct tr_behavior victim = {
	.name = "victim",
	.state_size = sizeof(void *),
	.start = victim_start,
	.receive = victim_receive,
	.stop = victim_stop,
};

static void *
no_slab(void *ctx, size_t size)
{
	(void)ctx;
	(void)size;
	return NULL;
}

/* From now on there is no block without payload. */
static void
dry_up(struct dry *d, struct tr_self *self)
{
	struct tri_memory *memory = &d->k.sys->env->memory;

	d->slab_new = memory->slab_new;
	memory->slab_new = no_slab;
	while (d->hoarded < HOARD_MAX) {
		struct tr_msg *m = tr_msg_new(self, 0, 0, NULL);

		if (m == NULL)
			break;
		d->hoard[d->hoarded++] = m;
	}
	d->no_block = tr_send(self, tr_self_ref(self), 0, NULL, 0) == TR_ENOMEM;
}

static void
dry_end(struct dry *d)
{
	d->k.sys->env->memory.slab_new = d->slab_new;
	while (d->hoarded > 0)
		tr_msg_drop(&d->hoard[--d->hoarded]);
}

/* ------------------------------------------------- stop, kill, both ----- */

static int
ender_start(struct tr_self *self, void *state, const void *arg)
{
	struct dry *d;

	(void)kit_start_ctx(self, state, arg);
	d = kit_ctx(state);
	for (int i = 0; i < 4; i++)
		d->victim[i] = tr_spawn(self, &victim, d,
		    &(struct tr_spawn_options){ .placement = TR_PLACE_PINNED });
	kit_tell(self, tr_self_ref(self), GO);
	return TR_OK;
}

/* It is time; else ask again later. */
static bool
all_started(struct dry *d, struct tr_self *self, const struct tr_msg *msg)
{
	if (tr_tag(msg) == GO && d->started < 4)
		kit_tell(self, tr_self_ref(self), GO);
	return tr_tag(msg) == GO && d->started == 4;
}

static int
ender_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct dry *d = kit_ctx(state);

	if (!all_started(d, self, msg))
		return TR_OK;
	/* They have started: their memory is as an idle actor's. */
	for (int i = 0; i < 4; i++)
		kit_tell(self, d->victim[i], WORK);
	dry_up(d, self);
	d->stop_rc[0] = tr_stop(self, d->victim[0], tr_forever());
	d->stop_rc[1] = tr_kill(self, d->victim[1]);
	d->stop_rc[2] = tr_stop(self, d->victim[2], tr_forever());
	(void)tr_stop(self, d->victim[2], tr_forever());
	(void)tr_kill(self, d->victim[2]);
	d->stop_rc[3] = tr_kill(self, d->victim[3]);
	(void)tr_stop(self, d->victim[3], tr_forever());
	return kit_finish(self);
}

static void
ender_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)self;
	(void)why;
	dry_end(kit_ctx(state));
}

static const struct tr_behavior ender = {
	.name = "ender",
	.state_size = sizeof(void *),
	.start = ender_start,
	.receive = ender_receive,
	.stop = ender_stop,
};

static void
stop_and_kill_work_without_memory(void **unused)
{
	static struct dry d;
	int killed = 0, shutdown = 0;

	(void)unused;
	memset(&d, 0, sizeof(d));
	kit_new(&d.k, 1);
	(void)kit_root(&d.k, &ender, &d);
	kit_run(&d.k);
	assert_true(d.no_block);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(d.stop_rc[i], TR_OK);
		killed += d.reasons[i] == TR_KILLED;
		shutdown += d.reasons[i] == TR_SHUTDOWN;
	}
	assert_int_equal(d.stopped, 4);
	assert_int_equal(killed, 3);
	assert_int_equal(shutdown, 1);
	/* A stop keeps its place behind what was sent; a kill overtakes. */
	assert_int_equal(d.worked, 1);
}

/* --------------------------------------- a mark that is still under way - */

/*
 * The mark of the victim's slot is said to be under way to a former actor.
 * Ending the victim has to wait for it, and must not be forgotten.
 */
static int
late_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct dry *d = kit_ctx(state);
	struct tri_crew *c = (struct tri_crew *)(void *)tri_worker_here;
	struct tri_intake *in;
	uint32_t generation;

	if (!all_started(d, self, msg))
		return TR_OK;
	in = tri_table_at(&d->k.sys->actors, TRI_ACTOR_INTAKE,
	    tri_ref_slot(d->victim[0]));
	generation = tri_ref_generation(d->victim[0]);
	dry_up(d, self);
	tri_store_relaxed(&in->mark_state, (uint64_t)generation - 1);
	d->stop_rc[0] = tr_stop(self, d->victim[0], tr_forever());
	d->reasons[3] = (int)d->stopped;
	TR_ASSERT(tri_load_relaxed(&in->mark_state) ==
	    ((uint64_t)generation << 32 | (generation - 1)));
	/* The former actor's mark was taken. */
	tri_mark_release(c, &in->mark);
	TR_ASSERT(tri_load_relaxed(&in->mark_state) == generation);
	return kit_finish(self);
}

static const struct tr_behavior late = {
	.name = "late",
	.state_size = sizeof(void *),
	.start = ender_start,
	.receive = late_receive,
	.stop = ender_stop,
};

static void
a_mark_in_use_is_sent_again(void **unused)
{
	static struct dry d;

	(void)unused;
	memset(&d, 0, sizeof(d));
	kit_new(&d.k, 1);
	(void)kit_root(&d.k, &late, &d);
	kit_run(&d.k);
	assert_true(d.no_block);
	assert_int_equal(d.stop_rc[0], TR_OK);
	assert_int_equal(d.stopped, 4);
	assert_int_equal(d.reasons[0], TR_SHUTDOWN);
}

/* A reference to an actor that has ended claims nothing. */
static int
gone_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct dry *d = kit_ctx(state);
	struct tri_intake *in;
	tr_ref former = d->victim[0];

	if (!all_started(d, self, msg))
		return TR_OK;
	former.bits -= UINT64_C(1) << 32;
	dry_up(d, self);
	d->stop_rc[0] = tr_stop(self, former, tr_forever());
	d->stop_rc[1] = tr_kill(self, former);
	in = tri_table_at(&d->k.sys->actors, TRI_ACTOR_INTAKE,
	    tri_ref_slot(former));
	TR_ASSERT(tri_load_relaxed(&in->mark_state) == 0);
	d->worked = 100;
	dry_end(d);
	return kit_finish(self);
}

static const struct tr_behavior gone = {
	.name = "gone",
	.state_size = sizeof(void *),
	.start = ender_start,
	.receive = gone_receive,
};

static void
the_dead_cannot_be_told(void **unused)
{
	static struct dry d;

	(void)unused;
	memset(&d, 0, sizeof(d));
	kit_new(&d.k, 1);
	(void)kit_root(&d.k, &gone, &d);
	kit_run(&d.k);
	assert_int_equal(d.stop_rc[0], TR_OK);
	assert_int_equal(d.stop_rc[1], TR_OK);
	assert_int_equal(d.worked, 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(stop_and_kill_work_without_memory),
		KIT_TEST(a_mark_in_use_is_sent_again),
		KIT_TEST(the_dead_cannot_be_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
