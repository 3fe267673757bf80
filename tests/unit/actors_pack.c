/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Long backlogs of a worker's own (actors/burst.c): in packs, where the messages of
 * several senders and for several actors come mixed, and in bursts, where one
 * handler sends them all; and nobody can tell.
 *
 * All is on one worker, so what the root sends in a handler waits until that
 * returns.
 */
#include "kit.h"

#include <troupe/supervisor.h>

#include "actors/burst.h"

enum { ITEM, OWNED, ASK, SEND, AGAIN, DONE, CRASH, READY };

enum { SINKS = 3, SENDERS = 2, MANY = 2000, ROUNDS = 20, FEW = 200 };

enum { TURN = TRI_BATCH_MESSAGES };

/* What is sent; too large for a pack with `rest`. */
struct item {
	uint32_t sender;
	uint32_t number;
	char rest[TRI_SMALL];
};

struct play {
	struct kit k;
	/* What the root does, one after the other, each time it is told to. */
	void (*step[3])(struct play *t, struct tr_self *self);
	unsigned steps;
	unsigned kinds; /* of messages: 1: small ones */
	unsigned n; /* messages of each sender to each sink */
	unsigned rounds;
	unsigned
	    turn; /* messages to the first sink, which tells the root then */
	tr_ref root, sender[SENDERS], sink[SINKS];
	uint32_t next[SINKS][SENDERS]; /* expected */
	unsigned lost, handled, to_come, drops, answers, exit_at;
	bool packed, opened, closed, moved;
	uint32_t length[SINKS];
};

struct part {
	struct play *t;
	unsigned number;
};

static int
part_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	memcpy(state, arg, sizeof(struct part));
	return TR_OK;
}

/* ----------------------------------------------------------- looking ---- */

static struct tr_self *
cell_of(const struct play *t, unsigned i)
{
	return tri_cell(t->k.sys, tri_ref_slot(t->sink[i]));
}

static bool
has_pack(const struct play *t, unsigned i)
{
	for (struct tr_msg *m = cell_of(t, i)->pending; m != NULL; m = m->link)
		if (m->kind == TRI_MSG_PACK)
			return true;
	return false;
}

static bool
is_open(struct tr_self *self)
{
	return tri_crew_of(self)->stream.burst != NULL;
}

static void
look(struct play *t)
{
	t->packed = true;
	for (unsigned i = 0; i < SINKS; i++) {
		t->packed &= has_pack(t, i);
		t->length[i] = tri_load_relaxed(&cell_of(t, i)->taken);
	}
}

/* -------------------------------------------------------------- sinks --- */

static size_t
item_size(const struct play *t, uint32_t number)
{
	const size_t size[] = { 8, 16, 9, 32, sizeof(struct item) };

	return size[number % (t->kinds > 1 ? 5 : 4)];
}

static bool
is_item(struct play *t, unsigned sink, const struct tr_msg *msg)
{
	const struct item *i = tr_data(msg, 8);
	size_t size;

	if (i == NULL || i->sender >= SENDERS ||
	    i->number != t->next[sink][i->sender]++ ||
	    !tr_ref_equal(tr_sender(msg), t->sender[i->sender]))
		return false;
	if (tr_tag(msg) != ITEM)
		return true;
	size = item_size(t, i->number);
	for (size_t k = 8; k < size; k++)
		if (i->rest[k - 8] != (char)(i->number + k))
			return false;
	return tr_size(msg) == size;
}

static int
sink_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct part *s = state;
	struct play *t = s->t;

	if (tr_tag(msg) == CRASH)
		return TR_EINVAL;
	t->lost += !is_item(t, s->number, msg);
	t->handled++;
	if (tr_tag(msg) == ASK && tr_reply(self, msg, DONE, NULL, 0) != TR_OK)
		return TR_EINVAL;
	if (s->number == 0 && t->turn > 0 && t->next[0][0] == t->turn)
		kit_tell(self, t->root, AGAIN);
	if (--t->to_come == 0)
		kit_tell(self, t->root, DONE);
	if (s->number == 0 && t->exit_at > 0 && t->next[0][0] == t->exit_at)
		return tr_exit(self, TR_NORMAL);
	return TR_OK;
}

static const struct tr_behavior sink = {
	.name = "sink",
	.state_size = sizeof(struct part),
	.arg_size = sizeof(struct part),
	.start = part_start,
	.receive = sink_receive,
};

/* ------------------------------------------------------------ senders --- */

static atomic_uint drops;

static void
on_drop(void *payload, size_t size)
{
	(void)payload;
	(void)size;
	atomic_fetch_add(&drops, 1);
}

static int
answered(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct part *s = state;

	(void)self;
	(void)answer;
	(void)cookie;
	s->t->answers += outcome == TR_OK;
	return TR_OK;
}

static void
send_item(struct play *t, struct tr_self *self, unsigned sender, tr_ref to,
    uint32_t number)
{
	struct item i = { .sender = sender, .number = number };
	size_t size = item_size(t, number);
	struct tr_msg *m;

	for (size_t k = 8; k < sizeof(i); k++)
		i.rest[k - 8] = (char)(number + k);
	if (t->kinds > 2 && number % 97 == 50) {
		m = tr_msg_new(self, OWNED, 8, on_drop);
		assert_non_null(m);
		memcpy(tr_msg_data(m), &i, 8);
		assert_int_equal(tr_send_msg(self, to, &m), TR_OK);
		t->drops++;
	} else if (t->kinds > 2 && number % 89 == 30) {
		assert_true(tr_ask(self, to, ASK, &i, 8, tr_forever(), answered,
				0) != 0);
	} else {
		assert_int_equal(tr_send(self, to, ITEM, &i, size), TR_OK);
	}
}

/* To all sinks in turn. */
static void
send_all(struct play *t, struct tr_self *self, unsigned sender, uint32_t from,
    uint32_t n)
{
	for (uint32_t number = from; number < from + n; number++)
		for (unsigned i = 0; i < SINKS; i++)
			send_item(t, self, sender, t->sink[i], number);
}

static int
sender_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct part *s = state;
	uint32_t from = (uint32_t)kit_u64(msg);
	uint64_t next = from + FEW;

	send_all(s->t, self, s->number, from, s->t->rounds > 1 ? FEW : s->t->n);
	look(s->t);
	if (s->t->rounds > 1 && next < s->t->n)
		return tr_send(self, tr_self_ref(self), AGAIN, &next,
		    sizeof(next));
	return TR_OK;
}

static const struct tr_behavior sender = {
	.name = "sender",
	.state_size = sizeof(struct part),
	.arg_size = sizeof(struct part),
	.start = part_start,
	.receive = sender_receive,
};

/* --------------------------------------------------------------- root --- */

static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct play *t = ((struct part *)state)->t;

	(void)msg;
	t->closed = !is_open(self);
	if (t->steps == 3 || t->step[t->steps] == NULL)
		return kit_finish(self);
	t->step[t->steps++](t, self);
	return TR_OK;
}

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct play *t;

	(void)part_start(self, state, arg);
	t = ((struct part *)state)->t;
	t->root = t->sender[0] = tr_self_ref(self);
	for (unsigned i = 0; i < SINKS; i++)
		t->sink[i] =
		    tr_spawn(self, &sink, &(struct part){ t, i }, NULL);
	for (unsigned i = t->step[0] != NULL; i < SENDERS; i++)
		t->sender[i] =
		    tr_spawn(self, &sender, &(struct part){ t, i }, NULL);
	t->to_come = SINKS * t->n * (t->step[0] != NULL ? 1 : SENDERS);
	if (t->step[0] == NULL)
		for (unsigned i = 0; i < SENDERS; i++)
			kit_tell(self, t->sender[i], SEND);
	else
		kit_tell(self, t->root, READY);
	return TR_OK;
}

static const struct tr_behavior root = {
	.name = "root",
	.state_size = sizeof(struct part),
	.arg_size = sizeof(struct part),
	.start = root_start,
	.receive = root_receive,
};

static struct play *
play(struct play shape)
{
	struct play *t = test_calloc(1, sizeof(*t));

	*t = shape;
	atomic_store(&drops, 0);
	kit_play(&t->k, 1, &root, &(struct part){ t, 0 });
	assert_int_equal(t->lost, 0);
	assert_int_equal(atomic_load(&drops), t->drops);
	return t;
}

/* ------------------------------------------------------------- packs ---- */

static void
send_to_each(struct play *t, struct tr_self *self)
{
	send_all(t, self, 0, 0, t->n);
	look(t);
}

static void
backlogs_of_several_are_packed(void **unused)
{
	struct play *t = play(
	    (struct play){ .kinds = 1, .n = MANY, .step = { send_to_each } });

	(void)unused;
	assert_true(t->packed);
	assert_int_equal(t->handled, SINKS * MANY);
	/* A pack counts as one as long as it is there. */
	for (unsigned i = 0; i < SINKS; i++)
		assert_in_range(t->length[i], MANY, MANY + MANY / 60);
	test_free(t);
}

static void
other_messages_keep_their_places(void **unused)
{
	struct play *t = play(
	    (struct play){ .kinds = 3, .n = MANY, .step = { send_to_each } });

	(void)unused;
	assert_true(t->packed);
	assert_int_equal(t->handled, SINKS * MANY);
	assert_true(t->answers > 0 && t->drops > 0);
	test_free(t);
}

static void
each_sender_keeps_its_name(void **unused)
{
	struct play *t = play((struct play){ .kinds = 2, .n = MANY });

	(void)unused;
	assert_true(t->packed);
	assert_int_equal(t->handled, SENDERS * SINKS * MANY);
	test_free(t);
}

static void
packs_are_emptied_while_they_get_more(void **unused)
{
	struct play *t = play(
	    (struct play){ .kinds = 3, .n = ROUNDS * FEW, .rounds = ROUNDS });

	(void)unused;
	assert_int_equal(t->handled, SENDERS * SINKS * ROUNDS * FEW);
	test_free(t);
}

/* As many as a turn handles, so that it ends with the last of a pack; and then
 * more. */
static void
send_a_turn(struct play *t, struct tr_self *self)
{
	bool first = t->steps == 1;

	send_all(t, self, 0, first ? 0 : TURN, TURN);
	if (!first)
		return;
	look(t);
	t->turn = TURN;
}

static void
turn_may_end_with_a_pack(void **unused)
{
	struct play *t = play((struct play){ .kinds = 1,
	    .n = 2 * TURN,
	    .step = { send_a_turn, send_a_turn } });

	(void)unused;
	assert_true(t->packed);
	assert_int_equal(t->handled, 2 * SINKS * TURN);
	test_free(t);
}

/* -------------------------------------------------------------- the end - */

/* The first sink ends by itself, with most of its messages unread: then all that
 * come are the others'. */
static void
send_and_leave(struct play *t, struct tr_self *self)
{
	send_to_each(t, self);
	t->to_come = 2 * t->n + t->exit_at;
}

static void
who_ends_has_no_use_for_its_packs(void **unused)
{
	struct play *t = play((struct play){ .kinds = 1,
	    .n = MANY,
	    .exit_at = 100,
	    .step = { send_and_leave } });

	(void)unused;
	assert_true(t->packed);
	assert_int_equal(t->handled, 2 * MANY + 100);
	assert_int_equal(t->k.stats.dead[TR_DEAD_CLOSED], MANY - 100);
	test_free(t);
}

static void
kill_them(struct play *t, struct tr_self *self)
{
	send_to_each(t, self);
	for (unsigned i = 0; i < SINKS; i++)
		assert_int_equal(tr_kill(self, t->sink[i]), TR_OK);
	kit_tell(self, t->root, DONE);
}

static void
what_a_killed_one_had_in_packs_is_dead(void **unused)
{
	struct play *t =
	    play((struct play){ .kinds = 3, .n = MANY, .step = { kill_them } });

	(void)unused;
	assert_true(t->packed);
	assert_int_equal(t->handled, 0);
	assert_true(t->k.stats.dead[TR_DEAD_CLOSED] >= SINKS * MANY);
	assert_int_equal(t->k.letter[0].tag, ITEM);
	assert_int_equal(t->k.letter[0].size, 8);
	test_free(t);
}

/* ------------------------------------------------------- the next life -- */

static struct play reborn;

static int
child_start(struct tr_self *self, void *state, const void *arg)
{
	(void)arg;
	*(struct part *)state = (struct part){ &reborn, 0 };
	reborn.sink[0] = tr_self_ref(self);
	if (reborn.rounds++ == 0)
		kit_tell(self, reborn.root, READY);
	return TR_OK;
}

static const struct tr_behavior child = {
	.name = "child",
	.state_size = sizeof(struct part),
	.start = child_start,
	.receive = sink_receive,
};

static const struct tr_child children[] = {
	{ .id = "child", .behavior = &child },
};

static const struct tr_supervisor supervisor = { TR_CHILDREN(children) };

static int
reborn_start(struct tr_self *self, void *state, const void *arg)
{
	(void)part_start(self, state, arg);
	reborn.root = reborn.sender[0] = tr_self_ref(self);
	assert_true(tr_ref_valid(tr_supervisor_spawn(self, &supervisor, NULL)));
	return TR_OK;
}

static const struct tr_behavior reborn_root = {
	.name = "root",
	.state_size = sizeof(struct part),
	.arg_size = sizeof(struct part),
	.start = reborn_start,
	.receive = root_receive,
};

/* The crash comes in the middle; another actor's messages in between keep it from
 * being one stream. */
static void
send_and_crash(struct play *t, struct tr_self *self)
{
	tr_ref idler = tr_spawn(self, &kit_idler, NULL, NULL);

	for (uint32_t i = 0; i < t->n; i++) {
		if (i == t->n / 2)
			kit_tell(self, t->sink[0], CRASH);
		send_item(t, self, 0, t->sink[0], i);
		kit_tell(self, idler, DONE);
		kit_tell(self, idler, DONE);
	}
	t->packed = has_pack(t, 0);
}

static void
packs_are_for_the_next_life_too(void **unused)
{
	(void)unused;
	reborn = (struct play){ .kinds = 1,
		.n = MANY,
		.to_come = MANY,
		.step = { send_and_crash } };
	kit_play(&reborn.k, 1, &reborn_root, &(struct part){ &reborn, 0 });
	assert_true(reborn.packed);
	assert_int_equal(reborn.rounds, 2);
	assert_int_equal(reborn.lost, 0);
	assert_int_equal(reborn.handled, MANY);
}

/* ------------------------------------------------------------ bursts ---- */

static void
stream(struct play *t, struct tr_self *self)
{
	for (uint32_t i = 0; i < t->n; i++)
		send_item(t, self, 0, t->sink[0], i);
	t->opened = is_open(self);
	t->moved = tri_inlet_look(&cell_of(t, 0)->inlet) == TRI_INLET_APART;
	t->to_come = t->n;
}

static void
one_stream_is_a_burst(void **unused)
{
	struct play *t =
	    play((struct play){ .kinds = 3, .n = MANY, .step = { stream } });

	(void)unused;
	assert_true(t->opened);
	assert_true(t->closed);
	assert_false(t->moved);
	assert_int_equal(t->handled, MANY);
	test_free(t);
}

/* The root sends to itself, and ends. */
static int
narcissus_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct play *t = ((struct part *)state)->t;

	if (tr_tag(msg) != SEND)
		return TR_EINVAL;
	for (uint32_t i = 0; i < t->n; i++)
		kit_tell(self, tr_self_ref(self), ITEM);
	t->opened = is_open(self);
	(void)kit_finish(self);
	return tr_exit(self, TR_NORMAL);
}

static int
narcissus_start(struct tr_self *self, void *state, const void *arg)
{
	(void)part_start(self, state, arg);
	kit_tell(self, tr_self_ref(self), SEND);
	return TR_OK;
}

static const struct tr_behavior narcissus = {
	.name = "narcissus",
	.state_size = sizeof(struct part),
	.arg_size = sizeof(struct part),
	.start = narcissus_start,
	.receive = narcissus_receive,
};

static void
who_ends_has_its_own_backlog_unread(void **unused)
{
	struct play *t = test_calloc(1, sizeof(*t));

	(void)unused;
	t->n = MANY;
	kit_play(&t->k, 1, &narcissus, &(struct part){ t, 0 });
	/* A burst is for somebody else. */
	assert_false(t->opened);
	assert_int_equal(t->k.stats.dead[TR_DEAD_CLOSED], MANY);
	test_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(backlogs_of_several_are_packed),
		KIT_TEST(other_messages_keep_their_places),
		KIT_TEST(each_sender_keeps_its_name),
		KIT_TEST(packs_are_emptied_while_they_get_more),
		KIT_TEST(turn_may_end_with_a_pack),
		KIT_TEST(who_ends_has_no_use_for_its_packs),
		KIT_TEST(what_a_killed_one_had_in_packs_is_dead),
		KIT_TEST(packs_are_for_the_next_life_too),
		KIT_TEST(one_stream_is_a_burst),
		KIT_TEST(who_ends_has_its_own_backlog_unread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
