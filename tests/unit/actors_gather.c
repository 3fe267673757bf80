/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Backlogs that are turned round together (actors/gather.c): nobody can tell, but
 * by what is in the cells.
 *
 * The root spawns more actors than wait in its worker's own places, and sends each
 * a long list in one handler; those that wait in the queue for all have theirs in
 * their inlets.
 */
#include "slow_clock.h"

#include "actors/gather.h"

enum { SINK, ACTORS = 200, LIST = 300, LONG = 5000 };

struct gather {
	struct kit k;
	unsigned list; /* messages for each */
	unsigned longer; /* and for every second one, if that is not 0 */
	struct tr_spawn_options options;
	tr_ref sink[ACTORS];
	bool listed[ACTORS]; /* in its inlet */
	unsigned lists;
	unsigned next[ACTORS]; /* message expected */
	unsigned lost, done;
	bool was_gathered[ACTORS];
	unsigned most; /* that somebody gathered */
};

struct sink {
	struct gather *t;
	unsigned number;
};

static struct tr_self *
cell_of(const struct gather *t, unsigned i)
{
	return tri_cell(t->k.sys, tri_ref_slot(t->sink[i]));
}

static unsigned
list_of(const struct gather *t, unsigned i)
{
	return t->longer != 0 && i % 2 == 1 ? t->longer : t->list;
}

static bool
is_gathered(const struct gather *t, unsigned i)
{
	return t->listed[i] && t->next[i] == 0 &&
	    tri_load_relaxed(&cell_of(t, i)->taken) >= list_of(t, i);
}

/* At its first message: how many it has gathered, of those with longer lists if
 * there are any.  Who has been gathered himself sees those that he was with. */
static void
look_round(struct gather *t, unsigned me)
{
	bool counts = !t->was_gathered[me] && list_of(t, me) == t->list;
	unsigned n = 0;

	for (unsigned i = 0; i < ACTORS; i++)
		if (i != me && is_gathered(t, i)) {
			n += t->longer == 0 || list_of(t, i) == t->longer;
			t->was_gathered[i] = true;
		}
	if (counts && n > t->most)
		t->most = n;
}

static int
sink_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct sink *s = state;
	struct gather *t = s->t;

	t->lost += kit_u64(msg) != t->next[s->number]++;
	if (t->next[s->number] == 1 && t->listed[s->number])
		look_round(t, s->number);
	if (t->next[s->number] < list_of(t, s->number))
		return TR_OK;
	if (++t->done == ACTORS)
		return kit_finish(self);
	return tr_exit(self, TR_NORMAL);
}

static int
sink_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	memcpy(state, arg, sizeof(struct sink));
	return TR_OK;
}

static const struct tr_behavior sink = {
	.name = "sink",
	.state_size = sizeof(struct sink),
	.arg_size = sizeof(struct sink),
	.start = sink_start,
	.receive = sink_receive,
};

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct gather *t;

	(void)kit_start_ctx(self, state, arg);
	t = kit_ctx(state);
	for (unsigned i = 0; i < ACTORS; i++)
		t->sink[i] =
		    tr_spawn(self, &sink, &(struct sink){ t, i }, &t->options);
	for (uint64_t n = 0; n < (t->longer != 0 ? t->longer : t->list); n++)
		for (unsigned i = 0; i < ACTORS; i++)
			if (n < list_of(t, i))
				assert_int_equal(tr_send(self, t->sink[i], SINK,
						     &n, sizeof(n)),
				    TR_OK);
	for (unsigned i = 0; i < ACTORS; i++) {
		t->listed[i] =
		    tri_inlet_is_msg(tri_inlet_look(&cell_of(t, i)->inlet));
		t->lists += t->listed[i];
	}
	return TR_OK;
}

static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	return tr_unhandled(self, msg);
}

static const struct tr_behavior root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = root_start,
	.receive = root_receive,
};

/* Whatever is gathered, each gets all, in order.  Returns how many were at a time,
 * beside the one that runs. */
static unsigned
play(unsigned list, unsigned longer, struct tr_spawn_options options)
{
	struct gather *t = test_calloc(1, sizeof(*t));
	unsigned most;

	t->list = list;
	t->longer = longer;
	t->options = options;
	kit_new(&t->k, 1);
	slow_clock(&t->k);
	(void)kit_root(&t->k, &root, t);
	kit_run(&t->k);
	assert_int_equal(t->lost, 0);
	assert_int_equal(t->done, ACTORS);
	assert_true(t->lists > ACTORS / 2);
	most = t->most;
	test_free(t);
	return most;
}

static void
long_lists_are_turned_round_together(void **unused)
{
	(void)unused;
	assert_int_equal(play(LIST, 0, (struct tr_spawn_options){ 0 }), 7);
}

static void
short_ones_are_not(void **unused)
{
	(void)unused;
	assert_int_equal(play(TRI_GATHER_LEAST - 1, 0,
			     (struct tr_spawn_options){ 0 }),
	    0);
}

static void
what_fits_into_a_batch_may_be_long(void **unused)
{
	(void)unused;
	assert_int_equal(play(TRI_GATHER_LEAST, 0,
			     (struct tr_spawn_options){ 0 }),
	    7);
}

/* What fits into a batch is not to wait for what does not by far. */
static void
nor_those_that_are_longer_than_two_batches(void **unused)
{
	(void)unused;
	assert_int_equal(play(TRI_GATHER_LEAST, 300,
			     (struct tr_spawn_options){ 0 }),
	    0);
}

/* It would take too long, for one with a short list. */
static void
nor_those_that_are_much_longer(void **unused)
{
	(void)unused;
	assert_int_equal(play(LIST, LONG, (struct tr_spawn_options){ 0 }), 0);
}

static void
but_those_that_are_as_long(void **unused)
{
	(void)unused;
	assert_int_equal(play(LONG, 0, (struct tr_spawn_options){ 0 }), 7);
}

static void
nor_those_that_need_care(void **unused)
{
	(void)unused;
	assert_int_equal(play(LIST, 0,
			     (struct tr_spawn_options){
				 .max_handler_ns = TR_SECONDS(9) }),
	    0);
}

static void
nor_those_with_a_bound(void **unused)
{
	(void)unused;
	assert_int_equal(play(LIST, 0,
			     (struct tr_spawn_options){ .max_items = 100000 }),
	    0);
}

static void
nor_those_with_a_home(void **unused)
{
	(void)unused;
	assert_int_equal(play(LIST, 0,
			     (struct tr_spawn_options){
				 .placement = TR_PLACE_PINNED }),
	    0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(long_lists_are_turned_round_together),
		cmocka_unit_test(short_ones_are_not),
		cmocka_unit_test(what_fits_into_a_batch_may_be_long),
		cmocka_unit_test(nor_those_that_are_longer_than_two_batches),
		cmocka_unit_test(nor_those_that_are_much_longer),
		cmocka_unit_test(but_those_that_are_as_long),
		cmocka_unit_test(nor_those_that_need_care),
		cmocka_unit_test(nor_those_with_a_bound),
		cmocka_unit_test(nor_those_with_a_home),
	};

	kit_watchdog();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
