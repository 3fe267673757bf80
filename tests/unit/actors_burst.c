/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bursts (actors/burst.c): who sends a lot to a mailbox that has moved puts it into
 * an array, and nobody can tell, but by the time that it takes.
 *
 * The root, on worker 0, sends; the receiver, on worker 1, has a mailbox that has
 * moved (actors_apart.c), and can be held in a handler.
 */
#include "kit.h"

#include <troupe/supervisor.h>

#include "actors/burst.h"

enum {
	HOLD,
	CRASH,
	ITEM,
	LAST,
	GO,
	DONE,
	SPAWN,
	ENDED,
	QUIT,
	LATE,
	MANY = 300,
	ASKS = 3000
};

/* More than two have room for. */
enum { FLOOD = 2 * TRI_BURST_WORDS + 100 };

/* An item: some are there as they are, some are blocks. */
struct item {
	uint64_t number;
	char rest[TRI_SMALL];
};

static size_t
item_size(uint64_t number)
{
	return number % 5 < 4 ? 8 + number % 5 * 8 : sizeof(struct item);
}

struct play {
	struct kit k;
	const struct tr_behavior *behavior; /* of the receiver */
	void (*const *step)(struct play *t, struct tr_self *self);
	tr_ref root, receiver, other, helper, former, supervisor;
	unsigned steps, starts, turns;
	uint64_t sent; /* items */
	atomic_ulong next; /* item expected */
	atomic_ulong others; /* items at the other one */
	unsigned lost; /* items not in their order */
	atomic_bool held, go, ended;
	atomic_ulong successor; /* tr_ref bits */
	bool opened, closed, shut, moved;
	uint64_t blocks;
	char dump[4096];
};

/* --------------------------------------------------------- receiver ----- */

static int
receiver_hold(struct play *t, struct tr_self *self, int rc)
{
	tri_turn_detach(tri_crew_of(self));
	atomic_store(&t->held, true);
	kit_spin_until(&t->go);
	return rc;
}

static bool
is_item(const struct tr_msg *msg, uint64_t number, tr_ref sender)
{
	size_t size = item_size(number);
	const struct item *i = tr_data(msg, size);

	if (tr_size(msg) != size || i->number != number ||
	    !tr_ref_equal(tr_sender(msg), sender))
		return false;
	for (size_t k = 0; k < size - 8; k++)
		if (i->rest[k] != (char)(number + k))
			return false;
	return true;
}

static int
receiver_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct play *t = kit_ctx(state);

	switch (tr_tag(msg)) {
	case HOLD: return receiver_hold(t, self, TR_OK);
	case CRASH: return receiver_hold(t, self, TR_EINVAL);
	case ITEM:
		t->lost += !is_item(msg, atomic_load(&t->next), t->root);
		atomic_fetch_add(&t->next, 1);
		return TR_OK;
	case LATE: return TR_OK;
	default: return tr_send(self, t->root, DONE, NULL, 0);
	}
}

static void
receiver_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)self;
	(void)why;
	atomic_store(&((struct play *)kit_ctx(state))->ended, true);
}

static const struct tr_behavior receiver = {
	.name = "receiver",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = receiver_receive,
	.stop = receiver_stop,
};

/* Another one, whose mailbox moves, too. */
static int
other_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct play *t = kit_ctx(state);

	(void)self;
	t->lost += kit_u64(msg) != atomic_load(&t->others);
	atomic_fetch_add(&t->others, 1);
	return TR_OK;
}

static const struct tr_behavior other = {
	.name = "other",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = other_receive,
};

/* On the receiver's worker: it spawns the next receiver, into the slot that was
 * freed there, or ends the one that is there, in two ways. */
static int
helper_waits(struct play *t, struct tr_self *self)
{
	const struct tr_self *a = tri_cell(t->k.sys, tri_ref_slot(t->former));
	tr_ref next;

	if ((uint32_t)tri_load_acquire(&a->ident) ==
	    tri_ref_generation(t->former))
		return tr_send(self, tr_self_ref(self), GO, NULL, 0);
	next = tr_spawn(self, t->behavior, t, NULL);
	atomic_store(&t->successor, next.bits);
	return TR_OK;
}

static int
helper_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct play *t = kit_ctx(state);

	switch (tr_tag(msg)) {
	case CRASH: return tr_send(self, t->receiver, CRASH, NULL, 0);
	case ENDED: return tr_kill(self, t->receiver);
	case QUIT: return tr_send(self, t->receiver, QUIT, NULL, 0);
	case GO: return helper_waits(t, self);
	default: break;
	}
	t->receiver = tr_spawn(self, &receiver, t,
	    &(struct tr_spawn_options){ .placement = TR_PLACE_PINNED });
	return tr_send(self, t->root, DONE, NULL, 0);
}

static const struct tr_behavior helper = {
	.name = "helper",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = helper_receive,
};

/* One without stop(), which ends by itself. */
static int
quitter_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	return tr_tag(msg) == QUIT ? tr_exit(self, TR_NORMAL) :
				     receiver_receive(self, state, msg);
}

static const struct tr_behavior quitter = {
	.name = "quitter",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = quitter_receive,
};

/* ------------------------------------------------------------- root ----- */

static bool
is_open(struct tr_self *self)
{
	return tri_crew_of(self)->stream.burst != NULL;
}

static void
hold_by(struct play *t, struct tr_self *self, uint32_t tag)
{
	atomic_store(&t->held, false);
	atomic_store(&t->go, false);
	kit_tell(self, t->receiver, tag);
	kit_spin_until(&t->held);
}

static struct item
item_of(uint64_t number)
{
	struct item i = { .number = number };

	for (size_t k = 0; k < sizeof(i.rest); k++)
		i.rest[k] = (char)(number + k);
	return i;
}

static void
items(struct play *t, struct tr_self *self, uint64_t n)
{
	for (; n > 0; n--, t->sent++) {
		struct item i = item_of(t->sent);

		assert_int_equal(tr_send(self, t->receiver, ITEM, &i,
				     item_size(t->sent)),
		    TR_OK);
	}
}

static void
wait_for(atomic_ulong *what, uint64_t n)
{
	while (atomic_load(what) < n)
		sched_yield();
}

/* The receiver is held, and a burst of so many is put. */
static void
put(struct play *t, struct tr_self *self, uint32_t tag, uint64_t n)
{
	hold_by(t, self, tag);
	items(t, self, n);
	t->opened = is_open(self);
}

/* It has handled a burst and waits for more, as long as that takes. */
static void
keep_waiting(struct play *t, struct tr_self *self)
{
	t->k.sys->burst_looks = UINT32_MAX;
	put(t, self, HOLD, MANY);
	atomic_store(&t->go, true);
	wait_for(&t->next, t->sent);
}

/* The receiver says when all that was sent before is done. */
static void
last(struct play *t, struct tr_self *self)
{
	kit_tell(self, t->receiver, LAST);
	atomic_store(&t->go, true);
}

/* A list that makes its mailbox move, without any burst. */
static void
move(struct play *t, struct tr_self *self)
{
	hold_by(t, self, HOLD);
	for (unsigned i = 0; i < 3 * TRI_APART_LIST; i++, t->sent++) {
		struct item item = item_of(t->sent);

		assert_int_equal(tr_try_send(self, t->receiver, ITEM, &item,
				     item_size(t->sent)),
		    TR_OK);
	}
	last(t, self);
}

static void
finish(struct play *t, struct tr_self *self)
{
	(void)t;
	(void)kit_finish(self);
}

static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct play *t = kit_ctx(state);

	(void)msg;
	/* What a handler opens is closed when it returns. */
	t->closed = !is_open(self);
	t->step[t->steps++](t, self);
	return TR_OK;
}

static const struct tr_spawn_options there = { .placement = TR_PLACE_WORKER,
	.worker = 1 };

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct play *t;

	(void)kit_start_ctx(self, state, arg);
	t = kit_ctx(state);
	t->root = tr_self_ref(self);
	t->receiver = tr_spawn(self, t->behavior, t, &there);
	t->other = tr_spawn(self, &other, t, &there);
	t->helper = tr_spawn(self, &helper, t, &there);
	kit_tell(self, t->root, DONE);
	return TR_OK;
}

static const struct tr_behavior root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = root_start,
	.receive = root_receive,
};

/* Messages to an actor that has ended. */
static uint64_t
come_too_late(const struct kit *k)
{
	return k->stats.dead[TR_DEAD_CLOSED] + k->stats.dead[TR_DEAD_NO_ACTOR];
}

typedef void (*const scene[8])(struct play *t, struct tr_self *self);

static struct play *
play_with(const struct tr_behavior *b, scene steps)
{
	struct play *t = test_calloc(1, sizeof(*t));

	t->behavior = b;
	t->step = steps;
	kit_new(&t->k, 2);
	(void)kit_root(&t->k, &root, t);
	kit_run(&t->k);
	assert_int_equal(t->lost, 0);
	return t;
}

static struct play *
play(scene steps)
{
	return play_with(&receiver, steps);
}

/* ------------------------------------------------------- open and closed - */

/* More pushes than it takes. */
static void
many(struct play *t, struct tr_self *self)
{
	put(t, self, HOLD, MANY);
	last(t, self);
}

static void
a_long_run_of_messages_is_a_burst(void **unused)
{
	struct play *t = play((scene){ move, many, finish });

	(void)unused;
	assert_true(t->opened);
	assert_true(t->closed);
	assert_int_equal(t->next, t->sent);
	test_free(t);
}

static bool
has_moved(const struct play *t)
{
	struct tr_self *a = tri_cell(t->k.sys, tri_ref_slot(t->receiver));

	return tri_load_acquire(&a->inlet.head) == TRI_INLET_APART;
}

static void
many_unmoved(struct play *t, struct tr_self *self)
{
	many(t, self);
	t->moved = has_moved(t);
}

static void
its_mailbox_need_not_have_moved(void **unused)
{
	struct play *t = play((scene){ many_unmoved, finish });

	(void)unused;
	assert_true(t->opened);
	assert_true(t->closed);
	assert_false(t->moved);
	assert_int_equal(t->next, t->sent);
	test_free(t);
}

/* The receiver is quicker than the handler that sends. */
static void
catch_up(struct play *t, struct tr_self *self)
{
	keep_waiting(t, self);
	while (!has_moved(t))
		sched_yield();
	t->moved = true;
	/* First into the same one, and then there. */
	items(t, self, MANY);
	last(t, self);
}

static void
but_it_does_when_the_receiver_catches_up(void **unused)
{
	struct play *t = play((scene){ catch_up, many, finish });

	(void)unused;
	assert_true(t->opened);
	assert_true(t->moved);
	assert_true(t->closed);
	assert_int_equal(t->next, t->sent);
	test_free(t);
}

static void
few(struct play *t, struct tr_self *self)
{
	put(t, self, HOLD, TRI_BURST_AFTER / 2);
	last(t, self);
}

/* Each in a handler of its own. */
static void
a_short_one_is_not(void **unused)
{
	struct play *t = play((scene){ move, few, few, few, few, finish });

	(void)unused;
	assert_false(t->opened);
	assert_int_equal(t->next, t->sent);
	test_free(t);
}

static void
flood(struct play *t, struct tr_self *self)
{
	put(t, self, HOLD, FLOOD);
	last(t, self);
}

static void
one_follows_another(void **unused)
{
	struct play *t = play((scene){ move, flood, flood, finish });

	(void)unused;
	assert_true(t->opened);
	assert_int_equal(t->next, t->sent);
	test_free(t);
}

/* What comes in blocks has to go home: that is worth knowing (throttle.c). */
static void
count_blocks(struct play *t, struct tr_self *self)
{
	(void)self;
	for (unsigned i = 0; i < 2; i++)
		t->blocks += tri_load_relaxed(
		    &tri_sched_worker(&t->k.sys->sched, i)->counts.streamed);
	(void)kit_finish(self);
}

static void
its_blocks_are_counted(void **unused)
{
	struct play *t = play((scene){ move, flood, flood, count_blocks });

	(void)unused;
	assert_in_range(t->blocks, 1, t->sent / 5 + 1);
	test_free(t);
}

/* There is no fence that a receiver could shut it with. */
static void
fenceless(struct play *t, struct tr_self *self)
{
	struct tri_next *next = &tri_crew_of(self)->worker.q.next;

	next->plain = false;
	many(t, self);
	next->plain = true;
}

static void
without_a_fence_there_is_none(void **unused)
{
	struct play *t = play((scene){ move, fenceless, finish });

	(void)unused;
	assert_false(t->opened);
	assert_int_equal(t->next, t->sent);
	test_free(t);
}

/* To another one in between: the first burst is over. */
static void
two(struct play *t, struct tr_self *self)
{
	uint64_t n = atomic_load(&t->others);

	hold_by(t, self, HOLD);
	for (unsigned i = 0; i < 20; i++) {
		items(t, self, MANY);
		t->opened |= is_open(self);
		for (unsigned k = 0; k < MANY; k++, n++)
			assert_int_equal(tr_send(self, t->other, ITEM, &n,
					     sizeof(n)),
			    TR_OK);
	}
	last(t, self);
	wait_for(&t->others, n);
}

static void
two_receivers_take_turns(void **unused)
{
	struct play *t = play((scene){ move, two, two, finish });

	(void)unused;
	assert_true(t->opened);
	assert_int_equal(t->next, t->sent);
	test_free(t);
}

/* -------------------------------------------------- while it is open ----- */

/* The handler goes on, and what it has sent is handled. */
static void
pause_in_between(struct play *t, struct tr_self *self)
{
	put(t, self, HOLD, MANY);
	atomic_store(&t->go, true);
	wait_for(&t->next, t->sent);
	/* Soon, and long after the receiver has given up waiting. */
	for (unsigned us = 1; us < 5000; us *= 4) {
		items(t, self, 3);
		wait_for(&t->next, t->sent);
		usleep(us);
	}
	t->shut = !is_open(self) ||
	    tri_load_relaxed(&tri_crew_of(self)->stream.burst->shut) != 0;
	items(t, self, MANY);
	last(t, self);
}

static void
what_is_put_is_there_at_once(void **unused)
{
	struct play *t = play((scene){ move, pause_in_between, many, finish });

	(void)unused;
	assert_true(t->opened);
	assert_true(t->shut);
	assert_int_equal(t->next, t->sent);
	test_free(t);
}

/* The pauses differ, so the receiver shuts it at all moments. */
static void
stutter(struct play *t, struct tr_self *self)
{
	for (unsigned i = 0; i < 200; i++) {
		items(t, self, MANY + i);
		kit_spin_for(self, 45000 + 100 * (int64_t)i);
		items(t, self, 1);
	}
	last(t, self);
}

static void
receivers_come_and_go(void **unused)
{
	struct play *t = play((scene){ move, stutter, finish });

	(void)unused;
	assert_int_equal(t->next, t->sent);
	test_free(t);
}

static int
echo_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct play *t = kit_ctx(state);

	(void)msg;
	kit_tell(self, t->root, GO);
	return tr_exit(self, TR_NORMAL);
}

static const struct tr_behavior echo = {
	.name = "echo",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = echo_receive,
};

static void
many_and_dump(struct play *t, struct tr_self *self)
{
	hold_by(t, self, HOLD);
	items(t, self, FLOOD);
	/* The next step shall not be of this turn, which has one open. */
	kit_tell(self, tr_spawn(self, &echo, t, NULL), GO);
}

/* What waits in bursts is in the dump. */
static void
dump(struct play *t, struct tr_self *self)
{
	FILE *f = tmpfile();
	size_t n;

	assert_non_null(f);
	assert_int_equal(tr_dump(t->k.sys, fileno(f)), TR_OK);
	rewind(f);
	n = fread(t->dump, 1, sizeof(t->dump) - 1, f);
	t->dump[n] = '\0';
	fclose(f);
	last(t, self);
}

static uint64_t
dumped_length(const struct play *t)
{
	const char *line = strstr(t->dump, "behavior receiver mailbox ");

	assert_non_null(line);
	return strtoull(line + strlen("behavior receiver mailbox "), NULL, 10);
}

static void
its_messages_count_in_the_mailbox(void **unused)
{
	struct play *t = play(
	    (scene){ move, many_and_dump, dump, many_and_dump, dump, finish });

	(void)unused;
	/* The one in hand may count. */
	assert_in_range(dumped_length(t), FLOOD, FLOOD + 1);
	test_free(t);
}

/* ------------------------------------------------------------ the end --- */

/* The receiver ends while there is a burst, and the sender goes on. */
static void
crash(struct play *t, struct tr_self *self)
{
	put(t, self, CRASH, FLOOD);
	atomic_store(&t->go, true);
	kit_spin_until(&t->ended);
	items(t, self, MANY);
	kit_tell(self, t->root, DONE);
}

static void
the_end_of_its_receiver_ends_it(void **unused)
{
	struct play *t = play((scene){ move, crash, finish });

	(void)unused;
	assert_true(t->opened);
	assert_int_equal(t->next, 3 * TRI_APART_LIST);
	assert_int_equal(come_too_late(&t->k), FLOOD + MANY);
	test_free(t);
}

/* It is stopped: what was sent before is handled. */
static void
stop(struct play *t, struct tr_self *self)
{
	put(t, self, HOLD, FLOOD);
	assert_int_equal(tr_stop(self, t->receiver, tr_forever()), TR_OK);
	atomic_store(&t->go, true);
	kit_spin_until(&t->ended);
	kit_tell(self, t->root, DONE);
}

static void
what_was_put_before_a_stop_is_handled(void **unused)
{
	struct play *t = play((scene){ move, stop, finish });

	(void)unused;
	assert_true(t->opened);
	assert_int_equal(t->next, t->sent);
	test_free(t);
}

/* Somebody else ends it, which waits for more of an open burst just then. */
static void
end_waiting(struct play *t, struct tr_self *self)
{
	keep_waiting(t, self);
	kit_tell(self, t->helper, ENDED);
	kit_spin_until(&t->ended);
	items(t, self, MANY);
	kit_tell(self, t->root, DONE);
}

static void
one_that_waits_for_more_can_end(void **unused)
{
	struct play *t = play((scene){ move, end_waiting, finish });

	(void)unused;
	assert_true(t->opened);
	assert_int_equal(t->next, t->sent - MANY);
	assert_int_equal(come_too_late(&t->k), MANY);
	test_free(t);
}

static void
quit_waiting(struct play *t, struct tr_self *self)
{
	struct tr_self *a = tri_cell(t->k.sys, tri_ref_slot(t->receiver));

	keep_waiting(t, self);
	kit_tell(self, t->helper, QUIT);
	while ((uint32_t)tri_load_acquire(&a->ident) ==
	    tri_ref_generation(t->receiver))
		sched_yield();
	items(t, self, MANY);
	kit_tell(self, t->root, DONE);
}

static void
so_can_one_without_a_stop(void **unused)
{
	struct play *t =
	    play_with(&quitter, (scene){ move, quit_waiting, finish });

	(void)unused;
	assert_true(t->opened);
	assert_int_equal(t->next, t->sent - MANY);
	assert_int_equal(come_too_late(&t->k), MANY);
	test_free(t);
}

static void
end(struct play *t, struct tr_self *self)
{
	assert_true(tr_monitor(self, t->receiver, ENDED, 0) != 0);
	assert_int_equal(tr_stop(self, t->receiver, tr_forever()), TR_OK);
}

static void
follow(struct play *t, struct tr_self *self)
{
	t->former = t->receiver;
	kit_tell(self, t->helper, SPAWN);
}

static void
move_next(struct play *t, struct tr_self *self)
{
	assert_int_equal(tri_ref_slot(t->receiver), tri_ref_slot(t->former));
	atomic_store(&t->next, 0);
	t->sent = 0;
	move(t, self);
}

/* As if this worker had not sent to the new one: its messages meet that there,
 * and a burst of them does, too. */
static void
haunt(struct play *t, struct tr_self *self)
{
	struct tri_stream *s = &tri_crew_of(self)->stream;

	hold_by(t, self, HOLD);
	items(t, self, 1);
	assert_int_equal(s->target, t->receiver.bits);
	s->target = t->former.bits;
	for (unsigned i = 0; i < MANY; i++)
		kit_tell(self, t->former, LATE);
	t->opened = is_open(self);
	items(t, self, 1);
	last(t, self);
}

static void
a_former_actors_is_not_for_the_next(void **unused)
{
	struct play *t =
	    play((scene){ move, end, follow, move_next, haunt, finish });

	(void)unused;
	assert_true(t->opened);
	assert_int_equal(t->next, t->sent);
	assert_int_equal(kit_letters(&t->k, TR_DEAD_NO_ACTOR, LATE), MANY);
	test_free(t);
}

/* It quits, and the next one is in its slot. */
static void
be_succeeded(struct play *t, struct tr_self *self)
{
	t->former = t->receiver;
	kit_tell(self, t->helper, QUIT);
	kit_tell(self, t->helper, GO);
	while (atomic_load(&t->successor) == 0)
		sched_yield();
	t->receiver = (tr_ref){ atomic_load(&t->successor) };
	assert_int_equal(tri_ref_slot(t->receiver), tri_ref_slot(t->former));
}

/* The slot's next actor is this worker's to run when a message to the former one
 * comes back from its burst. */
static void
succeed(struct play *t, struct tr_self *self)
{
	keep_waiting(t, self);
	be_succeeded(t, self);
	/* Its first comes from elsewhere, so that then it is nobody's. */
	items(t, self, 1);
	while (tri_inlet_head(t->k.sys,
		   tri_cell(t->k.sys, tri_ref_slot(t->receiver))) !=
	    TRI_INLET_IDLE)
		sched_yield();
	items(t, self, 1);
	kit_tell(self, t->former, LATE);
	items(t, self, 1);
	last(t, self);
}

static void
what_comes_back_is_not_for_the_next(void **unused)
{
	struct play *t = play_with(&quitter, (scene){ move, succeed, finish });

	(void)unused;
	assert_true(t->opened);
	assert_int_equal(t->next, t->sent);
	assert_int_equal(kit_letters(&t->k, TR_DEAD_NO_ACTOR, LATE), 1);
	test_free(t);
}

/* The former's slot has its next actor, whose mailbox has moved, too. */
static void
replace(struct play *t, struct tr_self *self)
{
	be_succeeded(t, self);
	move_next(t, self);
}

/* As if this worker had not sent to the new one, which it keeps. */
static void
haunt_kept(struct play *t, struct tr_self *self)
{
	struct tri_stream *s = &tri_crew_of(self)->stream;
	struct tr_self *a = tri_cell(t->k.sys, tri_ref_slot(t->receiver));

	while (tri_inlet_head(t->k.sys, a) != TRI_INLET_IDLE)
		sched_yield();
	items(t, self, 2);
	assert_int_equal(s->target, t->receiver.bits);
	s->target = t->former.bits;
	kit_tell(self, t->former, LATE);
	items(t, self, 2);
	last(t, self);
}

static void
not_for_one_that_its_sender_keeps_either(void **unused)
{
	struct play *t =
	    play_with(&quitter, (scene){ move, replace, haunt_kept, finish });

	(void)unused;
	assert_int_equal(t->next, t->sent);
	assert_int_equal(kit_letters(&t->k, TR_DEAD_NO_ACTOR, LATE), 1);
	test_free(t);
}

/* An actor that sends a lot when it stops.  Nobody would end a burst then. */
static void
leaver_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct play *t = kit_ctx(state);

	if (why->code == TR_KILLED)
		return;
	for (unsigned i = 0; i < MANY; i++)
		kit_tell(self, t->receiver, LATE);
	t->opened = is_open(self);
}

static int
leaver_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	(void)msg;
	return tr_exit(self, TR_NORMAL);
}

static const struct tr_behavior leaver = {
	.name = "leaver",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = leaver_receive,
	.stop = leaver_stop,
};

static void
leave(struct play *t, struct tr_self *self)
{
	tr_ref ref = tr_spawn(self, &leaver, t,
	    &(struct tr_spawn_options){ .placement = TR_PLACE_PINNED });

	hold_by(t, self, HOLD);
	kit_tell(self, ref, GO);
	kit_tell(self, t->root, DONE);
}

static void
after_it(struct play *t, struct tr_self *self)
{
	t->shut = !is_open(self);
	items(t, self, MANY);
	last(t, self);
}

static void
who_stops_opens_none(void **unused)
{
	struct play *t = play((scene){ move, leave, after_it, finish });

	(void)unused;
	assert_false(t->opened);
	assert_true(t->shut);
	assert_int_equal(t->next, t->sent);
	test_free(t);
}

/* An actor ends, in several turns, and what it was asked is refused: those
 * messages may go in a burst, too. */
static int
refused(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct play *t = kit_ctx(state);

	(void)self;
	(void)answer;
	(void)cookie;
	assert_int_equal(outcome, TR_EDEAD);
	atomic_fetch_add(&t->others, 1);
	return TR_OK;
}

static int
asker_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct play *t = kit_ctx(state);

	if (tr_tag(msg) != GO)
		return receiver_receive(self, state, msg);
	for (unsigned i = 0; i < ASKS; i++)
		assert_true(tr_ask(self, t->former, GO, NULL, 0, tr_forever(),
				refused, 0) != 0);
	atomic_store(&t->ended, true);
	return TR_OK;
}

static const struct tr_behavior asker = {
	.name = "asker",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = asker_receive,
};

/* Of this worker, so it gets no turn in this handler. */
static void
be_asked(struct play *t, struct tr_self *self)
{
	t->former = tr_spawn(self, &leaver, t,
	    &(struct tr_spawn_options){ .placement = TR_PLACE_PINNED });
	kit_tell(self, t->receiver, GO);
	kit_spin_until(&t->ended);
	assert_int_equal(tr_kill(self, t->former), TR_OK);
	kit_tell(self, t->root, GO);
}

static void
look_on(struct play *t, struct tr_self *self)
{
	t->turns++;
	t->opened |= !t->closed;
	if (atomic_load(&t->others) < ASKS)
		t->steps--; /* once more */
	kit_tell(self, t->root, GO);
}

static void
what_an_end_opens_is_closed_before_the_next_turn(void **unused)
{
	struct play *t =
	    play_with(&asker, (scene){ move, be_asked, look_on, finish });

	(void)unused;
	assert_true(t->turns > 2);
	assert_false(t->opened);
	assert_int_equal(t->others, ASKS);
	test_free(t);
}

/* ------------------------------------------------------ the next life --- */

static struct play reborn;

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
	{ TR_CHILDREN(keeping), .intensity = 1, .period_ns = TR_SECONDS(100) },
};

/* It fails, and a burst is open. */
static void
fail_open(struct play *t, struct tr_self *self)
{
	put(t, self, CRASH, FLOOD);
	atomic_store(&t->go, true);
}

static int
reborn_start(struct tr_self *self, void *state, const void *arg)
{
	(void)kit_start_ctx(self, state, &reborn);
	reborn.root = tr_self_ref(self);
	reborn.helper = tr_spawn(self, &helper, &reborn, &there);
	reborn.supervisor = tr_supervisor_spawn(self,
	    *(const struct tr_supervisor *const *)arg, NULL);
	assert_true(tr_ref_valid(reborn.supervisor));
	return TR_OK;
}

static const struct tr_behavior reborn_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.arg_size = sizeof(void *),
	.start = reborn_start,
	.receive = root_receive,
};

/* It fails while it waits for more. */
static void
crash_waiting(struct play *t, struct tr_self *self)
{
	keep_waiting(t, self);
	atomic_store(&t->held, false);
	atomic_store(&t->go, true);
	kit_tell(self, t->helper, CRASH);
	kit_spin_until(&t->held);
	items(t, self, 1);
}

static void
play_reborn(const struct tr_supervisor *spec, scene steps)
{
	memset(&reborn, 0, sizeof(reborn));
	reborn.step = steps;
	kit_play(&reborn.k, 2, &reborn_root, &spec);
	assert_int_equal(reborn.starts, 2);
	assert_true(reborn.opened);
}

static void
what_waits_in_it_is_for_the_next_life(void **unused)
{
	(void)unused;
	play_reborn(&supervisors[0], (scene){ move, fail_open, many, finish });
	assert_int_equal(reborn.lost, 0);
	assert_int_equal(reborn.next, reborn.sent);
	assert_int_equal(kit_letters(&reborn.k, TR_DEAD_CLOSED, ITEM), 0);
}

static void
or_is_dropped(void **unused)
{
	(void)unused;
	play_reborn(&supervisors[1], (scene){ move, fail_open, many, finish });
	/* The first after them is not the next one. */
	assert_int_equal(reborn.next, reborn.sent - FLOOD);
	assert_int_equal(reborn.k.stats.dead[TR_DEAD_CLOSED], FLOOD);
}

static void
what_comes_while_it_fails_is_for_the_next_life(void **unused)
{
	(void)unused;
	play_reborn(&supervisors[0],
	    (scene){ move, crash_waiting, many, finish });
	assert_int_equal(reborn.lost, 0);
	assert_int_equal(reborn.next, reborn.sent);
}

/* The second failure is the last: nobody starts it again. */
static void
give_up(struct play *t, struct tr_self *self)
{
	assert_true(tr_monitor(self, t->supervisor, DONE, 0) != 0);
	crash_waiting(t, self);
}

static void
or_there_is_none(void **unused)
{
	(void)unused;
	play_reborn(&supervisors[2],
	    (scene){ move, crash_waiting, many, give_up, finish });
	assert_int_equal(reborn.lost, 0);
	assert_int_equal(reborn.next, reborn.sent - 1);
	assert_int_equal(come_too_late(&reborn.k), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_long_run_of_messages_is_a_burst),
		cmocka_unit_test(its_mailbox_need_not_have_moved),
		cmocka_unit_test(but_it_does_when_the_receiver_catches_up),
		cmocka_unit_test(a_short_one_is_not),
		cmocka_unit_test(one_follows_another),
		cmocka_unit_test(its_blocks_are_counted),
		cmocka_unit_test(without_a_fence_there_is_none),
		cmocka_unit_test(two_receivers_take_turns),
		cmocka_unit_test(what_is_put_is_there_at_once),
		cmocka_unit_test(receivers_come_and_go),
		cmocka_unit_test(its_messages_count_in_the_mailbox),
		cmocka_unit_test(the_end_of_its_receiver_ends_it),
		cmocka_unit_test(what_was_put_before_a_stop_is_handled),
		cmocka_unit_test(one_that_waits_for_more_can_end),
		cmocka_unit_test(so_can_one_without_a_stop),
		cmocka_unit_test(a_former_actors_is_not_for_the_next),
		cmocka_unit_test(what_comes_back_is_not_for_the_next),
		cmocka_unit_test(not_for_one_that_its_sender_keeps_either),
		cmocka_unit_test(who_stops_opens_none),
		cmocka_unit_test(
		    what_an_end_opens_is_closed_before_the_next_turn),
		cmocka_unit_test(what_waits_in_it_is_for_the_next_life),
		cmocka_unit_test(or_is_dropped),
		cmocka_unit_test(
		    what_comes_while_it_fails_is_for_the_next_life),
		cmocka_unit_test(or_there_is_none),
	};

	kit_watchdog();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
