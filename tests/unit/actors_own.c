/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owned messages: who owns what after each call, that a drop function runs
 * exactly once in every way a message can go, and tr_take().
 *
 * Each message here carries a pointer to a counter; its drop function counts.
 */
#include "kit.h"

enum {
	EAT, /* handle it and be done */
	END, /* exit */
	FATAL, /* fail while it is in hand */
	TAKE_DROP, /* take it, drop it in the same turn */
	TAKE_KEEP, /* take it; the next message drops it */
	TAKE_SEND, /* take it and send it on to the root */
	TAKE_STOP, /* take it; stop() drops it */
	TAKE_TWICE,
	POKE, /* drop what is kept */
	HOME, /* to the root: the end */
};

struct load {
	atomic_int *drops;
	size_t size; /* of the whole payload */
	unsigned char fill[200];
};

static atomic_int wrong_drops;

static void
load_drop(void *payload, size_t size)
{
	struct load *load = payload;

	if (load->size != size || load->fill[0] != 0x5a ||
	    load->fill[sizeof(load->fill) - 1] != 0xa5)
		atomic_fetch_add(&wrong_drops, 1);
	atomic_fetch_add(load->drops, 1);
}

static struct tr_msg *
load_new(struct tr_self *self, uint32_t tag, atomic_int *drops)
{
	struct tr_msg *msg =
	    tr_msg_new(self, tag, sizeof(struct load), load_drop);
	struct load *load;

	if (msg == NULL)
		abort();
	load = tr_msg_data(msg);
	load->drops = drops;
	load->size = sizeof(*load);
	load->fill[0] = 0x5a;
	load->fill[sizeof(load->fill) - 1] = 0xa5;
	return msg;
}

struct own {
	tr_ref root;
	struct tr_msg *kept; /* by the eater */
	atomic_int drops[32];
	int used;
	int wrong, moved;
	int early; /* drops that ran before the message was dropped */
	int phase;
};

/* --------------------------------------------------------- the eater --- */

static void
eater_take(struct tr_self *self, struct own *o, const struct tr_msg *msg)
{
	const void *data = tr_data(msg, sizeof(struct load));
	struct tr_msg *taken = tr_take(self, msg);

	if (taken == NULL || tr_msg_data(taken) != data)
		o->moved++;
	o->kept = taken;
}

static void
eater_take_twice(struct tr_self *self, struct own *o, const struct tr_msg *msg)
{
	eater_take(self, o, msg);
	if (tr_take(self, msg) != NULL || tr_take(self, o->kept) != NULL)
		o->wrong++;
	tr_msg_drop(&o->kept);
	if (o->kept != NULL)
		o->wrong++;
	tr_msg_drop(&o->kept);
}

static int
eater_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct own *o = kit_ctx(state);
	const struct load *load;

	switch (tr_tag(msg)) {
	case END: return tr_exit(self, TR_NORMAL);
	case FATAL: return TR_EINVAL;
	case TAKE_DROP:
		eater_take(self, o, msg);
		tr_msg_drop(&o->kept);
		return TR_OK;
	case TAKE_KEEP:
	case TAKE_STOP: eater_take(self, o, msg); return TR_OK;
	case POKE:
		load = tr_msg_data(o->kept);
		if (load->size != sizeof(*load) ||
		    tr_take(self, o->kept) != NULL)
			o->wrong++;
		o->early += atomic_load(load->drops);
		tr_msg_drop(&o->kept);
		return TR_OK;
	case TAKE_SEND:
		eater_take(self, o, msg);
		return tr_send_msg(self, o->root, &o->kept);
	case TAKE_TWICE: eater_take_twice(self, o, msg); return TR_OK;
	default: return TR_OK;
	}
}

static void
eater_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct own *o = kit_ctx(state);

	(void)why;
	tr_msg_drop(&o->kept);
	kit_tell(self, o->root, HOME);
}

static const struct tr_behavior eater = {
	.name = "eater",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = eater_receive,
	.stop = eater_stop,
};

static atomic_int *
next_drops(struct own *o)
{
	return &o->drops[o->used++];
}

static void
feed(struct tr_self *self, struct own *o, tr_ref to, uint32_t tag)
{
	struct tr_msg *msg = load_new(self, tag, next_drops(o));

	if (tr_send_msg(self, to, &msg) != TR_OK || msg != NULL)
		o->wrong++;
	if (tr_send_msg(self, to, &msg) != TR_EINVAL ||
	    tr_try_send_msg(self, to, &msg) != TR_EINVAL)
		o->wrong++;
}

/* ----------------------------------------------- every way to go --- */

static int
ways_start(struct tr_self *self, void *state, const void *arg)
{
	struct tr_msg *msg;
	struct own *o;
	tr_ref to;

	(void)kit_start_ctx(self, state, arg);
	o = kit_ctx(state);
	o->root = tr_self_ref(self);
	to = tr_spawn(self, &eater, o, NULL);
	msg = load_new(self, EAT, next_drops(o)); /* never sent */
	tr_msg_drop(&msg);
	if (msg != NULL)
		o->wrong++;
	feed(self, o, TR_REF_NONE, EAT);
	feed(self, o, to, EAT);
	feed(self, o, to, TAKE_DROP);
	feed(self, o, to, TAKE_KEEP);
	kit_tell(self, to, POKE);
	feed(self, o, to, TAKE_SEND);
	feed(self, o, to, TAKE_TWICE);
	msg = load_new(self, EAT, next_drops(o));
	if (tr_try_send_msg(self, to, &msg) != TR_OK || msg != NULL)
		o->wrong++;
	feed(self, o, to, TAKE_STOP);
	feed(self, o, to, FATAL);
	feed(self, o, to, EAT); /* left in the mailbox */
	feed(self, o, to, EAT);
	return TR_OK;
}

/* The eater has failed: now a try is refused and the message stays. */
static int
ways_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct own *o = kit_ctx(state);
	struct tr_msg *mine;

	if (tr_tag(msg) == TAKE_SEND) {
		if (tr_ref_equal(tr_sender(msg), o->root) ||
		    tr_data(msg, sizeof(struct load)) == NULL)
			o->wrong++;
		return TR_OK;
	}
	mine = load_new(self, EAT, next_drops(o));
	if (tr_try_send_msg(self, tr_sender(msg), &mine) != TR_EDEAD ||
	    mine == NULL)
		o->wrong++;
	else if (((struct load *)tr_msg_data(mine))->size !=
	    sizeof(struct load))
		o->wrong++;
	tr_msg_drop(&mine);
	return kit_finish(self);
}

static const struct tr_behavior ways_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = ways_start,
	.receive = ways_receive,
};

static void
drop_runs_once_whichever_way_a_message_goes(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct own o = { .used = 0 };

		wrong_drops = 0;
		kit_play(&k, workers, &ways_root, &o);
		assert_int_equal(o.used, 13);
		for (int i = 0; i < o.used; i++)
			assert_int_equal(o.drops[i], 1);
		assert_int_equal(wrong_drops, 0);
		assert_int_equal(o.wrong, 0);
		assert_int_equal(o.moved, 0);
		assert_int_equal(o.early, 0);
		assert_int_equal(k.stats.failed, 1);
	}
}

/* -------------------------------------- left over at the system's end --- */

enum { LEFT = 20 };

static int
left_start(struct tr_self *self, void *state, const void *arg)
{
	struct own *o;
	tr_ref to;

	(void)kit_start_ctx(self, state, arg);
	o = kit_ctx(state);
	o->root = tr_self_ref(self);
	to = tr_spawn(self, &eater, o, NULL);
	(void)tr_stop(self, tr_self_ref(self), tr_forever());
	for (int i = 0; i < LEFT; i++)
		feed(self, o, i % 2 == 0 ? to : o->root, EAT);
	return kit_finish(self);
}

static const struct tr_behavior left_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = left_start,
	.receive = kit_ignore,
};

static void
drop_runs_once_for_what_the_end_of_the_system_finds(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct own o = { .used = 0 };

		wrong_drops = 0;
		kit_play(&k, workers, &left_root, &o);
		for (int i = 0; i < LEFT; i++)
			assert_int_equal(o.drops[i], 1);
		assert_int_equal(wrong_drops, 0);
		assert_int_equal(o.wrong, 0);
	}
}

/* ----------------------------------------- taken messages keep still --- */

enum { HOARD = 2000 };

/* Take every message, and look at all of them once the last has come. */
struct hoard {
	struct tr_msg *kept[HOARD];
	const void *where[HOARD];
	int count, changed, moved;
};

static size_t
hoard_size(uint64_t i)
{
	return sizeof(uint64_t) * (size_t)(1 + i % 100);
}

static int
hoard_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct hoard *h = kit_ctx(state);
	const uint64_t *word;

	h->where[h->count] = tr_data(msg, 0);
	h->kept[h->count] = tr_take(self, msg);
	if (h->kept[h->count] == NULL)
		return TR_ENOMEM;
	if (++h->count < HOARD)
		return TR_OK;
	for (uint64_t i = 0; i < HOARD; i++) {
		word = tr_msg_data(h->kept[i]);
		if (word != h->where[i])
			h->moved++;
		if (tr_size(h->kept[i]) != hoard_size(i))
			h->changed++;
		for (size_t j = 0; j < hoard_size(i) / sizeof(*word); j++)
			if (word[j] != i * 1000 + j)
				h->changed++;
		tr_msg_drop(&h->kept[i]);
	}
	return kit_finish(self);
}

static const struct tr_behavior hoarder = {
	.name = "hoarder",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = hoard_receive,
};

static int
hoard_root_start(struct tr_self *self, void *state, const void *arg)
{
	tr_ref to = tr_spawn(self, &hoarder, arg, NULL);
	uint64_t word[100];

	(void)state;
	for (uint64_t i = 0; i < HOARD; i++) {
		for (uint64_t j = 0; j < 100; j++)
			word[j] = i * 1000 + j;
		(void)tr_send(self, to, EAT, word, hoard_size(i));
	}
	return TR_OK;
}

static const struct tr_behavior hoard_root = {
	.name = "root",
	.start = hoard_root_start,
	.receive = kit_ignore,
};

static void
taken_messages_stay_where_and_what_they_are(void **unused)
{
	static struct hoard h;
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		memset(&h, 0, sizeof(h));
		kit_play(&k, workers, &hoard_root, &h);
		assert_int_equal(h.count, HOARD);
		assert_int_equal(h.moved, 0);
		assert_int_equal(h.changed, 0);
	}
}

/* ----------------------------------- one message round and round --- */

enum { RING = 8, HOPS = 5120 };

struct lap {
	tr_ref next[RING];
	atomic_int drops;
	const void *where;
	int moved;
};

struct runner {
	struct lap *lap;
	int index;
};

static int
runner_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	memcpy(state, arg, sizeof(struct runner));
	return TR_OK;
}

/* Two bytes of the payload count the hops. */
static int
runner_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct runner *r = state;
	struct tr_msg *mine = tr_take(self, msg);
	struct load *load;

	if (mine == NULL)
		return TR_ENOMEM;
	load = tr_msg_data(mine);
	if (load != r->lap->where)
		r->lap->moved++;
	load->fill[1]++;
	if (load->fill[1] == 0 && ++load->fill[2] == HOPS / 256) {
		tr_msg_drop(&mine);
		return kit_finish(self);
	}
	return tr_send_msg(self, r->lap->next[r->index], &mine);
}

static const struct tr_behavior runner = {
	.name = "runner",
	.state_size = sizeof(struct runner),
	.arg_size = sizeof(struct runner),
	.start = runner_start,
	.receive = runner_receive,
};

static int
lap_start(struct tr_self *self, void *state, const void *arg)
{
	struct runner to;
	struct tr_msg *msg;
	struct lap *lap;
	struct load *load;

	(void)kit_start_ctx(self, state, arg);
	lap = kit_ctx(state);
	for (int i = 0; i < RING; i++) {
		to = (struct runner){ lap, i };
		lap->next[(i + RING - 1) % RING] =
		    tr_spawn(self, &runner, &to, NULL);
	}
	msg = load_new(self, EAT, &lap->drops);
	load = tr_msg_data(msg);
	load->fill[1] = load->fill[2] = 0;
	lap->where = load;
	return tr_send_msg(self, lap->next[0], &msg);
}

static const struct tr_behavior lap_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = lap_start,
	.receive = kit_ignore,
};

static void
a_message_is_sent_on_and_on_without_a_copy(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct lap lap = { .moved = 0 };

		wrong_drops = 0;
		kit_play(&k, workers, &lap_root, &lap);
		assert_int_equal(lap.drops, 1);
		assert_int_equal(lap.moved, 0);
		assert_int_equal(wrong_drops, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(drop_runs_once_whichever_way_a_message_goes),
		KIT_TEST(drop_runs_once_for_what_the_end_of_the_system_finds),
		KIT_TEST(taken_messages_stay_where_and_what_they_are),
		KIT_TEST(a_message_is_sent_on_and_on_without_a_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
