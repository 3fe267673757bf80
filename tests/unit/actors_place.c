/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A lone message is handled while it is still in the inlet, and stays there
 * until one CAS removes it and gives the actor back.  If something came
 * meanwhile that CAS fails, and the message is read once more: so its memory
 * must not go before.
 *
 * The messages here are so large that their memory is gone at once, for good,
 * when they are freed: to read one afterwards ends the program.
 */
#include "kit.h"

enum { LOAD, POKE, BEGIN };

enum { LOADS = 20, LOAD_BYTES = 1 << 20 };

struct place {
	unsigned loads;
	unsigned pokes;
	unsigned wrong;
	unsigned drops;
	bool take;
};

static unsigned *counted_drops; /* of the test that runs */

static void
load_drop(void *payload, size_t size)
{
	unsigned char *bytes = payload;

	if (size == LOAD_BYTES && bytes[0] == 0x5a && bytes[size - 1] == 0xa5)
		++*counted_drops;
}

static int
load_send(struct tr_self *self)
{
	struct tr_msg *m = tr_msg_new(self, LOAD, LOAD_BYTES, load_drop);
	unsigned char *bytes;

	if (m == NULL)
		return TR_ENOMEM;
	bytes = tr_msg_data(m);
	bytes[0] = 0x5a;
	bytes[LOAD_BYTES - 1] = 0xa5;
	return tr_send_msg(self, tr_self_ref(self), &m);
}

/* A poke that comes while a load is in place; it sends the next load, which is
 * alone again.  What comes while a message is in place is detached with it, so
 * every second message is in place: the one that begins, the loads. */
static int
mover_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct place *p = kit_ctx(state);
	struct tr_msg *kept;

	if (tr_tag(msg) == BEGIN)
		return tr_send(self, tr_self_ref(self), POKE, NULL, 0);
	if (tr_tag(msg) == POKE) {
		if (p->pokes++ != p->loads)
			p->wrong++;
		return p->pokes > LOADS ? kit_finish(self) : load_send(self);
	}
	if (p->drops != p->loads++)
		p->wrong++;
	kit_tell(self, tr_self_ref(self), POKE);
	if (p->take) {
		kept = tr_take(self, msg);
		tr_msg_drop(&kept);
	}
	return TR_OK;
}

static int
mover_start(struct tr_self *self, void *state, const void *arg)
{
	(void)kit_start_ctx(self, state, arg);
	return tr_send(self, tr_self_ref(self), BEGIN, NULL, 0);
}

static const struct tr_behavior mover = {
	.name = "mover",
	.state_size = sizeof(void *),
	.start = mover_start,
	.receive = mover_receive,
};

static void
play(bool take)
{
	struct place p = { .take = take };
	struct kit k;

	counted_drops = &p.drops;
	kit_play(&k, 1, &mover, &p);
	assert_int_equal(p.loads, LOADS);
	assert_int_equal(p.pokes, LOADS + 1);
	assert_int_equal(p.drops, LOADS);
	assert_int_equal(p.wrong, 0);
}

static void
a_message_in_place_outlives_what_comes_meanwhile(void **state)
{
	(void)state;
	play(false);
}

static void
a_message_in_place_can_be_taken_before_that(void **state)
{
	(void)state;
	play(true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(a_message_in_place_outlives_what_comes_meanwhile),
		KIT_TEST(a_message_in_place_can_be_taken_before_that),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
