/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mailboxes apart from their cells (actors/apart.h): nobody can tell, neither
 * who sends, nor who ends the actor, nor who comes after it in its slot.
 *
 * The root, on worker 0, sends while the receiver, on worker 1, is held in a
 * handler; so the receiver takes a list from another worker, as long as the
 * test likes.
 */
#include "kit.h"

#include <troupe/supervisor.h>

#include "actors/burst.h"

enum { HOLD, CRASH, ITEM, LAST, ASK, SPAWN, SPAWNED, DONE, ENDED, LATE };

struct apart {
	struct kit k;
	const struct scene *scene;
	tr_ref root, receiver, spawner, former;
	unsigned step, starts;
	uint64_t next; /* item expected */
	unsigned lost; /* items not in their order */
	atomic_bool held, go;
	bool moved, streamed;
	uint64_t answer;
	char dump[4096];
};

/* What the root does, one after the other, each time the receiver is done. */
struct scene {
	void (*step[6])(struct apart *t, struct tr_self *self);
};

/* Where its mailbox is, by the cell. */
static bool
is_apart(const struct apart *t)
{
	struct tr_self *a = tri_cell(t->k.sys, tri_ref_slot(t->receiver));

	return tri_load_acquire(&a->inlet.head) == TRI_INLET_APART;
}

/* --------------------------------------------------------- receiver ----- */

static int
receiver_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct apart *t = kit_ctx(state);
	uint64_t twice;

	switch (tr_tag(msg)) {
	case HOLD:
		/* What comes now is a list of its own. */
		tri_turn_detach(tri_crew_of(self));
		atomic_store(&t->held, true);
		kit_spin_until(&t->go);
		return TR_OK;
	case CRASH:
		tri_turn_detach(tri_crew_of(self));
		atomic_store(&t->held, true);
		kit_spin_until(&t->go);
		return TR_EINVAL;
	case ITEM: t->lost += kit_u64(msg) != t->next++; return TR_OK;
	case ASK:
		twice = 2 * kit_u64(msg);
		return tr_reply(self, msg, ASK, &twice, sizeof(twice));
	default: return tr_send(self, t->root, DONE, NULL, 0);
	}
}

static const struct tr_behavior receiver = {
	.name = "receiver",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = receiver_receive,
};

/* On worker 1, so that what it spawns gets the slot that was freed there. */
static int
spawner_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct apart *t = kit_ctx(state);

	(void)msg;
	t->receiver = tr_spawn(self, &receiver, t,
	    &(struct tr_spawn_options){ .placement = TR_PLACE_PINNED });
	return tr_send(self, t->root, SPAWNED, NULL, 0);
}

static const struct tr_behavior spawner = {
	.name = "spawner",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = spawner_receive,
};

/* ------------------------------------------------------------- root ----- */

static void
hold(struct apart *t, struct tr_self *self)
{
	atomic_store(&t->held, false);
	atomic_store(&t->go, false);
	kit_tell(self, t->receiver, HOLD);
	kit_spin_until(&t->held);
}

static void
items(struct apart *t, struct tr_self *self, tr_ref to, uint64_t from,
    uint64_t n)
{
	(void)t;
	for (uint64_t i = from; i < from + n; i++)
		assert_int_equal(tr_send(self, to, ITEM, &i, sizeof(i)), TR_OK);
}

/* The same, one by one, and not in bursts (actors_burst.c). */
static void
single_items(struct apart *t, struct tr_self *self, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		assert_int_equal(tr_try_send(self, t->receiver, ITEM, &i,
				     sizeof(i)),
		    TR_OK);
}

/* A list that makes it move. */
static void
flood(struct apart *t, struct tr_self *self)
{
	hold(t, self);
	single_items(t, self, 3 * (uint64_t)TRI_APART_LIST);
	kit_tell(self, t->receiver, LAST);
	atomic_store(&t->go, true);
}

/* One that does not. */
static void
drip(struct apart *t, struct tr_self *self)
{
	hold(t, self);
	single_items(t, self, (uint64_t)TRI_APART_LIST - 2);
	kit_tell(self, t->receiver, LAST);
	atomic_store(&t->go, true);
}

static void
finish(struct apart *t, struct tr_self *self)
{
	t->moved = is_apart(t);
	(void)kit_finish(self);
}

static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct apart *t = kit_ctx(state);

	(void)msg;
	t->scene->step[t->step++](t, self);
	return TR_OK;
}

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	const struct tr_spawn_options there = { .placement = TR_PLACE_WORKER,
		.worker = 1 };
	struct apart *t;

	(void)kit_start_ctx(self, state, arg);
	t = kit_ctx(state);
	t->root = tr_self_ref(self);
	t->receiver = tr_spawn(self, &receiver, t, &there);
	t->spawner = tr_spawn(self, &spawner, t, &there);
	kit_tell(self, t->root, DONE);
	return TR_OK;
}

static const struct tr_behavior root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = root_start,
	.receive = root_receive,
};

static struct apart *
play(const struct scene *scene)
{
	struct apart *t = test_calloc(1, sizeof(*t));

	t->scene = scene;
	kit_new(&t->k, 2);
	(void)kit_root(&t->k, &root, t);
	kit_run(&t->k);
	assert_int_equal(t->lost, 0);
	return t;
}

/* ------------------------------------------------------ it moves or not - */

static void
a_long_list_from_elsewhere_moves_it(void **unused)
{
	static const struct scene scene = { { flood, finish } };
	struct apart *t = play(&scene);

	(void)unused;
	assert_true(t->moved);
	assert_int_equal(t->next, 3 * TRI_APART_LIST);
	test_free(t);
}

static void
a_short_one_does_not(void **unused)
{
	static const struct scene scene = { { drip, finish } };
	struct apart *t = play(&scene);

	(void)unused;
	assert_false(t->moved);
	assert_int_equal(t->next, TRI_APART_LIST - 2);
	test_free(t);
}

/* A list of the receiver's own worker. */
static int
self_start(struct tr_self *self, void *state, const void *arg)
{
	struct apart *t;

	(void)kit_start_ctx(self, state, arg);
	t = kit_ctx(state);
	t->root = tr_self_ref(self);
	t->receiver = tr_spawn(self, &receiver, t,
	    &(struct tr_spawn_options){ .placement = TR_PLACE_PINNED });
	items(t, self, t->receiver, 0, 3 * (uint64_t)TRI_APART_LIST);
	kit_tell(self, t->receiver, LAST);
	return TR_OK;
}

static const struct tr_behavior self_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = self_start,
	.receive = root_receive,
};

static void
a_long_one_from_its_own_worker_does_not(void **unused)
{
	static const struct scene scene = { { finish } };
	struct apart *t = test_calloc(1, sizeof(*t));

	(void)unused;
	t->scene = &scene;
	kit_play(&t->k, 1, &self_root, t);
	assert_false(t->moved);
	assert_int_equal(t->next, 3 * TRI_APART_LIST);
	test_free(t);
}

/* The root is its own receiver's worker until another worker takes that one away,
 * with what it has got by then. */
static int
stolen_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct apart *t = kit_ctx(state);

	if (tr_tag(msg) == LAST)
		return kit_finish(self);
	t->lost += kit_u64(msg) != t->next++;
	atomic_store(&t->go, true);
	return TR_OK;
}

static const struct tr_behavior stolen = {
	.name = "stolen",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = stolen_receive,
};

/* It keeps worker 1 from that for a while. */
static int
keeper_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct apart *t = kit_ctx(state);

	(void)self;
	(void)msg;
	atomic_store(&t->held, true);
	while (atomic_load(&t->held))
		sched_yield();
	return TR_OK;
}

static const struct tr_behavior keeper = {
	.name = "keeper",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = keeper_receive,
};

static int
robbed_start(struct tr_self *self, void *state, const void *arg)
{
	/* More than that, for what is in an open burst is not counted. */
	const uint64_t enough =
	    TRI_APART_STOLEN * (uint64_t)TRI_APART_LIST + TRI_BURST_WORDS;
	struct apart *t;

	(void)kit_start_ctx(self, state, arg);
	t = kit_ctx(state);
	t->root = tr_spawn(self, &keeper, t,
	    &(struct tr_spawn_options){ .placement = TR_PLACE_WORKER,
		.worker = 1 });
	kit_tell(self, t->root, HOLD);
	kit_spin_until(&t->held);
	t->receiver = tr_spawn(self, &stolen, t, NULL);
	items(t, self, t->receiver, 0, enough + 1);
	atomic_store(&t->held, false);
	kit_spin_until(&t->go);
	/* By its first message, before anything was taken from its inlet. */
	t->moved = is_apart(t);
	items(t, self, t->receiver, enough + 1, enough - 1);
	kit_tell(self, t->receiver, LAST);
	return TR_OK;
}

static const struct tr_behavior robbed_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = robbed_start,
	.receive = kit_ignore,
};

static void
one_that_is_stolen_with_a_long_one_moves(void **unused)
{
	struct apart *t = test_calloc(1, sizeof(*t));

	(void)unused;
	kit_play(&t->k, 2, &robbed_root, t);
	assert_true(t->moved);
	assert_int_equal(t->lost, 0);
	assert_int_equal(t->next,
	    2 * (TRI_APART_STOLEN * TRI_APART_LIST + TRI_BURST_WORDS));
	test_free(t);
}

/* ---------------------------------------------------- life after that --- */

/* More items, from who remembers where they go. */
static void
stream(struct apart *t, struct tr_self *self)
{
	hold(t, self);
	items(t, self, t->receiver, t->next, 100);
	t->streamed = tri_crew_of(self)->stream.target == t->receiver.bits;
	kit_tell(self, t->receiver, LAST);
	atomic_store(&t->go, true);
}

static int
answered(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct apart *t = kit_ctx(state);

	(void)cookie;
	assert_int_equal(outcome, TR_OK);
	t->answer = kit_u64(answer);
	kit_tell(self, t->root, DONE);
	return TR_OK;
}

/* A question, to one that rests in its other word. */
static void
ask(struct apart *t, struct tr_self *self)
{
	uint64_t question = 21;
	struct tr_self *a = tri_cell(t->k.sys, tri_ref_slot(t->receiver));

	while (tri_inlet_head(t->k.sys, a) != TRI_INLET_IDLE)
		sched_yield();
	assert_true(tr_ask(self, t->receiver, ASK, &question, sizeof(question),
			tr_forever(), answered, 0) != 0);
}

/* What waits there is in the dump. */
static void
dump(struct apart *t, struct tr_self *self)
{
	FILE *f = tmpfile();
	size_t n;

	assert_non_null(f);
	uint64_t next = t->next;

	hold(t, self);
	/* Pushed: what is in an open burst is not counted. */
	for (unsigned i = 0; i < 5; i++, next++)
		assert_int_equal(tr_try_send(self, t->receiver, ITEM, &next,
				     sizeof(next)),
		    TR_OK);
	assert_int_equal(tr_dump(t->k.sys, fileno(f)), TR_OK);
	rewind(f);
	n = fread(t->dump, 1, sizeof(t->dump) - 1, f);
	t->dump[n] = '\0';
	fclose(f);
	kit_tell(self, t->receiver, LAST);
	atomic_store(&t->go, true);
}

static void
it_goes_on_there(void **unused)
{
	static const struct scene scene = { { flood, stream, ask, dump, stream,
	    finish } };
	struct apart *t = play(&scene);

	(void)unused;
	assert_true(t->moved);
	assert_true(t->streamed);
	assert_int_equal(t->next, 3 * TRI_APART_LIST + 205);
	assert_int_equal(t->answer, 42);
	/* The one in hand may count. */
	assert_true(strstr(t->dump, "behavior receiver mailbox 5 ") != NULL ||
	    strstr(t->dump, "behavior receiver mailbox 6 ") != NULL);
	test_free(t);
}

/* ------------------------------------------------------------ the end --- */

static void
end(struct apart *t, struct tr_self *self)
{
	assert_true(tr_monitor(self, t->receiver, ENDED, 0) != 0);
	assert_int_equal(tr_stop(self, t->receiver, tr_forever()), TR_OK);
}

/* The receiver has ended.  This worker still remembers it. */
static void
follow(struct apart *t, struct tr_self *self)
{
	t->former = t->receiver;
	kit_tell(self, t->former, LATE);
	kit_tell(self, t->spawner, SPAWN);
}

/* The next one of the slot moves as well, and the former one's messages meet
 * it there. */
static void
flood_both(struct apart *t, struct tr_self *self)
{
	assert_int_equal(tri_ref_slot(t->receiver), tri_ref_slot(t->former));
	assert_false(is_apart(t));
	t->next = 0;
	flood(t, self);
}

static void
haunt(struct apart *t, struct tr_self *self)
{
	struct tri_stream *s = &tri_crew_of(self)->stream;

	hold(t, self);
	items(t, self, t->receiver, t->next, 1);
	t->streamed = s->target == t->receiver.bits;
	/* As if it had not sent to the new one. */
	s->target = t->former.bits;
	kit_tell(self, t->former, LATE);
	items(t, self, t->receiver, t->next + 1, 1);
	kit_tell(self, t->receiver, LAST);
	atomic_store(&t->go, true);
}

static void
the_next_of_its_slot_gets_nothing_of_it(void **unused)
{
	static const struct scene scene = { { flood, end, follow, flood_both,
	    haunt, finish } };
	struct apart *t = play(&scene);

	(void)unused;
	assert_true(t->moved);
	assert_true(t->streamed);
	assert_int_equal(t->next, 3 * TRI_APART_LIST + 2);
	assert_int_equal(kit_letters(&t->k, TR_DEAD_NO_ACTOR, LATE), 2);
	test_free(t);
}

/* ------------------------------------------------------ the next life --- */

static struct apart reborn;

static int
child_start(struct tr_self *self, void *state, const void *arg)
{
	(void)kit_start_ctx(self, state, arg);
	reborn.receiver = tr_self_ref(self);
	reborn.starts++;
	return tr_send(self, reborn.root, DONE, NULL, 0);
}

static const struct tr_behavior child = {
	.name = "child",
	.state_size = sizeof(void *),
	.start = child_start,
	.receive = receiver_receive,
};

#define CHILD                                              \
	.id = "child", .behavior = &child, .arg = &reborn, \
	.options = &(const struct tr_spawn_options)        \
	{                                                  \
		.placement = TR_PLACE_WORKER, .worker = 1  \
	}

static const struct tr_child keeping[] = { { CHILD } };
static const struct tr_child dropping[] = { { CHILD, .drop_mailbox = true } };

static const struct tr_supervisor supervisors[] = {
	{ TR_CHILDREN(keeping) },
	{ TR_CHILDREN(dropping) },
};

/* It fails, and what it has got by then lies in its other word. */
static void
crash(struct apart *t, struct tr_self *self)
{
	atomic_store(&t->held, false);
	atomic_store(&t->go, false);
	kit_tell(self, t->receiver, CRASH);
	kit_spin_until(&t->held);
	items(t, self, t->receiver, t->next, 5);
	atomic_store(&t->go, true);
}

static int
reborn_start(struct tr_self *self, void *state, const void *arg)
{
	(void)kit_start_ctx(self, state, &reborn);
	reborn.root = tr_self_ref(self);
	assert_true(tr_ref_valid(tr_supervisor_spawn(self,
	    *(const struct tr_supervisor *const *)arg, NULL)));
	return TR_OK;
}

static const struct tr_behavior reborn_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.arg_size = sizeof(void *),
	.start = reborn_start,
	.receive = root_receive,
};

static void
play_reborn(const struct tr_supervisor *spec, const struct scene *scene)
{
	reborn = (struct apart){ .scene = scene };
	kit_play(&reborn.k, 2, &reborn_root, &spec);
	assert_int_equal(reborn.lost, 0);
	assert_int_equal(reborn.starts, 2);
	assert_true(reborn.moved);
}

static void
what_waits_there_is_for_its_next_life(void **unused)
{
	static const struct scene scene = { { flood, crash, stream, finish } };

	(void)unused;
	play_reborn(&supervisors[0], &scene);
	assert_int_equal(reborn.next, 3 * TRI_APART_LIST + 105);
	assert_int_equal(kit_letters(&reborn.k, TR_DEAD_CLOSED, ITEM), 0);
}

static void
or_is_dropped(void **unused)
{
	static const struct scene scene = { { flood, crash, stream, finish } };

	(void)unused;
	play_reborn(&supervisors[1], &scene);
	assert_int_equal(reborn.next, 3 * TRI_APART_LIST + 100);
	assert_int_equal(kit_letters(&reborn.k, TR_DEAD_CLOSED, ITEM), 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_long_list_from_elsewhere_moves_it),
		cmocka_unit_test(a_short_one_does_not),
		cmocka_unit_test(a_long_one_from_its_own_worker_does_not),
		cmocka_unit_test(one_that_is_stolen_with_a_long_one_moves),
		cmocka_unit_test(it_goes_on_there),
		cmocka_unit_test(the_next_of_its_slot_gets_nothing_of_it),
		cmocka_unit_test(what_waits_there_is_for_its_next_life),
		cmocka_unit_test(or_is_dropped),
	};

	kit_watchdog();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
