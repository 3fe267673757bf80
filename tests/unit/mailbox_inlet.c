/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mailbox/inlet.h: each transition of its table, one at a time; what a taken
 * batch looks like; and many senders against one taker, who checks that no
 * message is lost, doubled or out of its sender's order, that an idle actor is
 * scheduled exactly once, and that closing splits what was sent exactly.
 *
 * The main thread is the taker.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mailbox/inlet.h"
#include "scale.h"

enum {
	GENERATION = 7,
	SENDERS = 3,
	SENT = TEST_SCALE(200000), /* by each */
	LIVES = TEST_SCALE(2000), /* of a slot that is opened and closed */
	LIFE_SENT = 60, /* by each sender, a life */
	SATURATED = 65535,
	TOO_LONG_S = 100,
};

static uint64_t
head_of(struct tri_inlet *in)
{
	return atomic_load(&in->head);
}

static struct tri_inlet
inlet_in(uint64_t head)
{
	struct tri_inlet in;

	atomic_init(&in.head, head);
	return in;
}

/* The word of a mailbox that holds n messages, the newest of which is m. */
static uint64_t
word_of(struct tr_msg *m, uint64_t n)
{
	return n << 48 | (uint64_t)(uintptr_t)m;
}

/* ------------------------------------------------- the table's rows ------ */

static void
fresh_memory_is_closed_and_refuses(void **unused)
{
	static struct tri_inlet in; /* zeroed, as fresh memory is */
	struct tr_msg m = { .link = &m, .generation = GENERATION };

	(void)unused;
	assert_int_equal(tri_inlet_push(&in, &m), TRI_PUSH_CLOSED);
	assert_true(head_of(&in) == TRI_INLET_CLOSED);
	assert_ptr_equal(m.link, &m);
	assert_false(tri_inlet_is_msg(head_of(&in)));
}

static void
push_on_idle_asks_the_sender_to_schedule(void **unused)
{
	struct tri_inlet in = inlet_in(TRI_INLET_IDLE);
	struct tr_msg m = { .link = &m };

	(void)unused;
	assert_int_equal(tri_inlet_push(&in, &m), TRI_PUSH_WAKE);
	assert_true(head_of(&in) == word_of(&m, 1));
	assert_null(m.link);
}

static void
push_on_running_and_held_asks_for_nothing(void **unused)
{
	const uint64_t state[] = { TRI_INLET_RUNNING, TRI_INLET_HELD };

	(void)unused;
	for (int i = 0; i < 2; i++) {
		struct tri_inlet in = inlet_in(state[i]);
		struct tr_msg m = { .link = &m };

		assert_int_equal(tri_inlet_push(&in, &m), TRI_PUSH_QUEUED);
		assert_true(head_of(&in) == word_of(&m, 1));
		assert_null(m.link);
	}
}

static void
push_on_a_message_goes_above_it(void **unused)
{
	struct tr_msg first = { .link = NULL }, second = { .link = NULL };
	struct tri_inlet in = inlet_in(word_of(&first, 1));

	(void)unused;
	assert_int_equal(tri_inlet_push(&in, &second), TRI_PUSH_QUEUED);
	assert_true(head_of(&in) == word_of(&second, 2));
	assert_ptr_equal(second.link, &first);
	assert_null(first.link);
	assert_int_equal(tri_inlet_length(head_of(&in)), 2);
	assert_ptr_equal(tri_inlet_msg(head_of(&in)), &second);
}

static void
take_leaves_running_whatever_was_there(void **unused)
{
	const uint64_t state[] = { TRI_INLET_RUNNING, TRI_INLET_IDLE,
		TRI_INLET_HELD };
	struct tr_msg m = { .generation = GENERATION };
	struct tri_inlet in = inlet_in(word_of(&m, 1));
	uint32_t count = 99;

	(void)unused;
	assert_ptr_equal(tri_inlet_take_owner(&in, GENERATION, &count), &m);
	assert_int_equal(count, 1);
	assert_true(head_of(&in) == TRI_INLET_RUNNING);
	for (int i = 0; i < 3; i++) {
		in = inlet_in(state[i]);
		count = 99;
		assert_null(tri_inlet_take_owner(&in, GENERATION, &count));
		assert_int_equal(count, 0);
		assert_true(head_of(&in) == TRI_INLET_RUNNING);
	}
}

static void
rest_gives_back_only_what_nobody_touched(void **unused)
{
	struct tri_inlet in = inlet_in(TRI_INLET_RUNNING);
	struct tr_msg m = { .link = NULL };

	(void)unused;
	assert_true(tri_inlet_rest_owner(&in, TRI_INLET_RUNNING));
	assert_true(head_of(&in) == TRI_INLET_IDLE);
	in = inlet_in(word_of(&m, 1));
	assert_false(tri_inlet_rest_owner(&in, TRI_INLET_RUNNING));
	assert_true(head_of(&in) == word_of(&m, 1));
}

static void
lone_message_is_handled_in_place(void **unused)
{
	struct tr_msg lone = { .generation = GENERATION };
	struct tr_msg late = { .generation = GENERATION };
	struct tri_inlet in = inlet_in(TRI_INLET_IDLE);
	uint32_t count;
	uint64_t seen;

	(void)unused;
	assert_int_equal(tri_inlet_push(&in, &lone), TRI_PUSH_WAKE);
	seen = tri_inlet_look_owner(&in);
	assert_true(seen == word_of(&lone, 1));
	assert_true(tri_inlet_rest_owner(&in, seen));
	assert_true(head_of(&in) == TRI_INLET_IDLE);

	/* A second one came meanwhile: both are still there. */
	assert_int_equal(tri_inlet_push(&in, &lone), TRI_PUSH_WAKE);
	seen = tri_inlet_look_owner(&in);
	assert_int_equal(tri_inlet_push(&in, &late), TRI_PUSH_QUEUED);
	assert_false(tri_inlet_rest_owner(&in, seen));
	assert_ptr_equal(tri_inlet_take_owner(&in, GENERATION, &count), &lone);
	assert_int_equal(count, 2);
	assert_ptr_equal(lone.link, &late);
	assert_null(late.link);
}

static void
close_refuses_from_every_state_and_returns_the_rest(void **unused)
{
	struct tr_msg first = { .generation = GENERATION };
	struct tr_msg second = { .generation = GENERATION };
	struct tri_inlet in;
	uint32_t count;

	(void)unused;
	for (uint64_t s = 0; s < TRI_INLET_STATES; s++) {
		in = inlet_in(s);
		count = 99;
		assert_null(tri_inlet_close_owner(&in, GENERATION, &count));
		assert_int_equal(count, 0);
		assert_true(head_of(&in) == TRI_INLET_CLOSED);
		assert_int_equal(tri_inlet_push(&in, &first), TRI_PUSH_CLOSED);
	}
	in = inlet_in(TRI_INLET_RUNNING);
	assert_int_equal(tri_inlet_push(&in, &first), TRI_PUSH_QUEUED);
	assert_int_equal(tri_inlet_push(&in, &second), TRI_PUSH_QUEUED);
	assert_ptr_equal(tri_inlet_close_owner(&in, GENERATION, &count),
	    &first);
	assert_int_equal(count, 2);
	assert_ptr_equal(first.link, &second);
	assert_null(second.link);
	assert_true(head_of(&in) == TRI_INLET_CLOSED);
}

static void
open_is_idle_or_holds_the_first_message(void **unused)
{
	static struct tri_inlet in;
	struct tr_msg first = { .link = &first, .generation = GENERATION };
	struct tr_msg second = { .generation = GENERATION };
	uint32_t count;

	(void)unused;
	tri_inlet_open(&in, NULL);
	assert_true(head_of(&in) == TRI_INLET_IDLE);
	tri_inlet_open(&in, &first);
	assert_true(head_of(&in) == word_of(&first, 1));
	/* Whoever opened it schedules it, not who sends next. */
	assert_int_equal(tri_inlet_push(&in, &second), TRI_PUSH_QUEUED);
	assert_ptr_equal(tri_inlet_take_owner(&in, GENERATION, &count), &first);
	assert_int_equal(count, 2);
}

static void
open_running_takes_messages_and_wakes_nobody(void **unused)
{
	static struct tri_inlet in;
	struct tr_msg m = { .generation = GENERATION };
	uint32_t count;

	(void)unused;
	tri_inlet_open_running(&in);
	assert_true(head_of(&in) == TRI_INLET_RUNNING);
	assert_int_equal(tri_inlet_push(&in, &m), TRI_PUSH_QUEUED);
	assert_false(tri_inlet_rest_owner(&in, TRI_INLET_RUNNING));
	assert_ptr_equal(tri_inlet_take_owner(&in, GENERATION, &count), &m);
	assert_true(tri_inlet_rest_owner(&in, TRI_INLET_RUNNING));
	assert_true(head_of(&in) == TRI_INLET_IDLE);
}

/* ------------------------------------------------------ taken batches ---- */

/* n messages, pushed in the order of their tags. */
static struct tr_msg *
messages(uint32_t n)
{
	struct tr_msg *all = aligned_alloc(TRI_LINE,
	    (n * sizeof(*all) + TRI_LINE - 1) / TRI_LINE * TRI_LINE);

	assert_non_null(all);
	memset(all, 0, n * sizeof(*all));
	for (uint32_t i = 0; i < n; i++) {
		all[i].tag = i;
		all[i].generation = GENERATION;
	}
	return all;
}

static void
count_saturates_and_the_batch_stays_whole(void **unused)
{
	enum { MANY = SATURATED + 10 };
	struct tri_inlet in = inlet_in(TRI_INLET_RUNNING);
	struct tr_msg *all = messages(MANY), *m;
	uint32_t count, wrong = 0, n = 0;

	(void)unused;
	for (uint32_t i = 0; i < MANY; i++) {
		uint32_t now = i + 1 < SATURATED ? i + 1 : SATURATED;

		wrong += tri_inlet_push(&in, &all[i]) != TRI_PUSH_QUEUED;
		wrong += tri_inlet_length(head_of(&in)) != now;
		wrong += tri_inlet_msg(head_of(&in)) != &all[i];
	}
	m = tri_inlet_take_owner(&in, GENERATION, &count);
	assert_int_equal(count, MANY);
	for (; m != NULL; m = m->link)
		wrong += m->tag != n++;
	assert_int_equal(n, MANY);
	assert_int_equal(wrong, 0);
	free(all);
}

/* Push all in the given order of places; take them, or close; look at the
 * order and at where each one's `ahead` leads. */
static void
check_batch(uint32_t n, uint32_t stride, bool closing)
{
	struct tri_inlet in = inlet_in(TRI_INLET_RUNNING);
	struct tr_msg *all = messages(n), **in_order, *m;
	uint32_t count, at = 0;

	in_order = calloc(n, sizeof(struct tr_msg *));
	assert_non_null(in_order);
	for (uint32_t i = 0; i < n; i++) {
		in_order[i] = &all[(uint64_t)i * stride % n];
		(void)tri_inlet_push(&in, in_order[i]);
	}
	m = closing ? tri_inlet_close_owner(&in, GENERATION, &count) :
		      tri_inlet_take_owner(&in, GENERATION, &count);
	assert_int_equal(count, n);
	for (; m != NULL; m = m->link, at++) {
		uint32_t later = at + TRI_INLET_AHEAD;

		assert_ptr_equal(m, in_order[at]);
		assert_int_equal(m->flags, 0);
		assert_ptr_equal((char *)m + (intptr_t)m->ahead * 32,
		    later < n ? in_order[later] : m);
		tri_inlet_fetch_ahead(m);
	}
	assert_int_equal(at, n);
	free(in_order);
	free(all);
}

static void
batches_are_oldest_first_and_tell_what_is_ahead(void **unused)
{
	(void)unused;
	for (uint32_t n = 1; n < 40; n++) {
		check_batch(n, 1, false);
		check_batch(n, 1, true);
	}
	/* Strides without a common divisor: places all over the memory. */
	check_batch(10007, 1, false);
	check_batch(10007, 10006, false);
	check_batch(10007, 7919, false);
	check_batch(10007, 4409, true);
}

static void
messages_for_a_former_actor_are_marked_stale(void **unused)
{
	enum { N = 50 };
	struct tr_msg *all = messages(N), *m;
	struct tri_inlet in = inlet_in(TRI_INLET_RUNNING);
	uint32_t count;

	(void)unused;
	for (int closing = 0; closing < 2; closing++) {
		in = inlet_in(TRI_INLET_RUNNING);
		for (uint32_t i = 0; i < N; i++) {
			all[i].generation = GENERATION - (i % 3 == 0);
			all[i].flags = i % 2 ? TRI_MSG_DUTY : 0;
			(void)tri_inlet_push(&in, &all[i]);
		}
		m = closing ? tri_inlet_close_owner(&in, GENERATION, &count) :
			      tri_inlet_take_owner(&in, GENERATION, &count);
		assert_int_equal(count, N);
		for (; m != NULL; m = m->link)
			assert_int_equal(m->flags,
			    (m->tag % 3 == 0 ? TRI_MSG_STALE : 0) |
				(m->tag % 2 ? TRI_MSG_DUTY : 0));
	}
	free(all);
}

/* ------------------------------------------- many senders, one taker ----- */

struct slot {
	struct tri_inlet in;
	/* Set by whoever was told to schedule, cleared by the taker. */
	atomic_uint scheduled;
	atomic_uint twice; /* told to schedule what was scheduled: never */
};

struct sender {
	struct slot *slot;
	struct tr_msg *messages;
	uint32_t index;
	uint32_t n;
	uint32_t accepted, refused; /* read after the join */
};

/* Messages say who sent them, and tags count up. */
static void
sender_init(struct sender *s, struct slot *slot, uint32_t index, uint32_t n)
{
	memset(s, 0, sizeof(*s));
	s->slot = slot;
	s->index = index;
	s->n = n;
	s->messages = messages(n);
	for (uint32_t i = 0; i < n; i++)
		s->messages[i].sender = index;
}

static enum tri_inlet_pushed
slot_send(struct slot *slot, struct tr_msg *m)
{
	enum tri_inlet_pushed pushed = tri_inlet_push(&slot->in, m);

	if (pushed == TRI_PUSH_WAKE &&
	    atomic_exchange(&slot->scheduled, 1) != 0)
		atomic_fetch_add(&slot->twice, 1);
	return pushed;
}

static void *
sender_main(void *arg)
{
	struct sender *s = arg;

	for (uint32_t i = 0; i < s->n; i++) {
		if (slot_send(s->slot, &s->messages[i]) == TRI_PUSH_CLOSED) {
			s->refused = s->n - i;
			break;
		}
		s->accepted++;
		if (i % 1024 == 0)
			sched_yield();
	}
	return NULL;
}

/* What the taker keeps of what it saw. */
struct tally {
	uint32_t next[SENDERS]; /* the tag that comes next */
	uint64_t n;
	uint32_t wrong;
};

static void
tally_one(struct tally *t, const struct tr_msg *m)
{
	if (m->sender >= SENDERS || m->tag != t->next[m->sender]++)
		t->wrong++;
	t->n++;
}

static void
tally_batch(struct tally *t, const struct tr_msg *m, uint32_t count)
{
	for (; m != NULL; m = m->link, count--)
		tally_one(t, m);
	t->wrong += count != 0;
}

/* One turn of the actor, as a worker would do it. */
static void
slot_turn(struct slot *slot, struct tally *t)
{
	uint64_t seen = tri_inlet_look_owner(&slot->in);
	uint32_t count;

	/* Before it is given back: from then on it may be scheduled. */
	atomic_store(&slot->scheduled, 0);
	if (tri_inlet_length(seen) == 1) {
		tally_one(t, tri_inlet_msg(seen));
		if (tri_inlet_rest_owner(&slot->in, seen))
			return;
		/* What was handled in place is the oldest of them. */
		t->next[tri_inlet_msg(seen)->sender]--;
		t->n--;
	}
	do {
		struct tr_msg *m =
		    tri_inlet_take_owner(&slot->in, GENERATION, &count);

		tally_batch(t, m, count);
	} while (!tri_inlet_rest_owner(&slot->in, TRI_INLET_RUNNING));
}

static void
senders_lose_nothing_and_keep_their_order(void **unused)
{
	static struct slot slot;
	struct sender sender[SENDERS];
	pthread_t thread[SENDERS];
	struct tally t = { .n = 0 };

	(void)unused;
	tri_inlet_open(&slot.in, NULL);
	for (uint32_t i = 0; i < SENDERS; i++) {
		sender_init(&sender[i], &slot, i, SENT);
		assert_int_equal(0,
		    pthread_create(&thread[i], NULL, sender_main, &sender[i]));
	}
	while (t.n < (uint64_t)SENDERS * SENT && t.wrong == 0) {
		if (atomic_load(&slot.scheduled))
			slot_turn(&slot, &t);
		else
			sched_yield();
	}
	for (int i = 0; i < SENDERS; i++) {
		assert_int_equal(0, pthread_join(thread[i], NULL));
		free(sender[i].messages);
	}
	assert_int_equal(t.wrong, 0);
	assert_int_equal(t.n, SENDERS * SENT);
	assert_int_equal(slot.twice, 0);
	assert_int_equal(slot.scheduled, 0);
	assert_true(head_of(&slot.in) == TRI_INLET_IDLE);
}

/* Take some batches and close in the middle of it. */
static void
play_close(uint32_t turns)
{
	static struct slot slot;
	struct sender sender[SENDERS];
	pthread_t thread[SENDERS];
	struct tally t = { .n = 0 };
	uint64_t accepted = 0;
	uint32_t count;
	struct tr_msg *rest;

	tri_inlet_open(&slot.in, NULL);
	atomic_store(&slot.scheduled, 0);
	for (uint32_t i = 0; i < SENDERS; i++) {
		sender_init(&sender[i], &slot, i, SENT / 20 + 1);
		assert_int_equal(0,
		    pthread_create(&thread[i], NULL, sender_main, &sender[i]));
	}
	for (uint32_t i = 0; i < turns; i++) {
		if (atomic_load(&slot.scheduled))
			slot_turn(&slot, &t);
		sched_yield();
	}
	rest = tri_inlet_close_owner(&slot.in, GENERATION, &count);
	tally_batch(&t, rest, count);
	for (int i = 0; i < SENDERS; i++) {
		assert_int_equal(0, pthread_join(thread[i], NULL));
		/* What was accepted is what has arrived. */
		assert_int_equal(t.next[i], sender[i].accepted);
		assert_int_equal(sender[i].accepted + sender[i].refused,
		    sender[i].n);
		accepted += sender[i].accepted;
		free(sender[i].messages);
	}
	assert_int_equal(t.wrong, 0);
	assert_int_equal(slot.twice, 0);
	assert_int_equal(t.n, accepted);
	assert_true(head_of(&slot.in) == TRI_INLET_CLOSED);
}

static void
close_takes_what_was_accepted_and_no_more(void **unused)
{
	(void)unused;
	for (uint32_t turns = 0; turns < 40; turns++)
		play_close(turns * turns);
}

/* ------------------------------------------------ lives of one slot ------ */

struct lives {
	struct slot slot;
	atomic_uint generation; /* of the present life, or the one just over */
	atomic_bool over;
};

struct caller {
	struct lives *lives;
	struct tr_msg *messages;
	uint32_t accepted;
};

enum { CALLS = LIVES * LIFE_SENT };

/* Sends on and on, to the life it has last heard of. */
static void *
caller_main(void *arg)
{
	struct caller *c = arg;
	struct lives *l = c->lives;

	for (uint32_t i = 0; i < CALLS && !atomic_load(&l->over);) {
		struct tr_msg *m = &c->messages[i];

		m->generation = atomic_load(&l->generation);
		/* To see stale ones, let a life end in between now and
		 * then. */
		m->size = m->generation;
		if (i % 64 == 0)
			sched_yield();
		if (tri_inlet_push(&l->slot.in, m) == TRI_PUSH_CLOSED) {
			sched_yield();
			continue;
		}
		c->accepted++;
		i++;
	}
	return NULL;
}

/* What the taker saw of all lives. */
struct seen {
	uint64_t n, stale;
	uint32_t wrong;
};

/* Each is there once, and STALE if and only if it is for a former life. */
static void
life_check(struct seen *seen, struct tr_msg *m, uint32_t generation,
    uint32_t count)
{
	seen->n += count;
	for (; m != NULL; m = m->link, count--) {
		bool is_stale = (m->flags & TRI_MSG_STALE) != 0;

		seen->wrong += is_stale != (m->size != generation);
		seen->wrong += m->tag != 0; /* taken twice */
		m->tag = 1;
		seen->stale += is_stale;
	}
	seen->wrong += count != 0;
}

static void
live(struct lives *l, uint32_t generation, struct seen *seen)
{
	struct tr_msg *m;
	uint32_t count;

	atomic_store(&l->generation, generation);
	tri_inlet_open(&l->slot.in, NULL);
	for (uint32_t turn = 0; turn < 1 + generation % 8; turn++) {
		if (tri_inlet_look_owner(&l->slot.in) == TRI_INLET_IDLE) {
			sched_yield();
			continue;
		}
		m = tri_inlet_take_owner(&l->slot.in, generation, &count);
		life_check(seen, m, generation, count);
	}
	m = tri_inlet_close_owner(&l->slot.in, generation, &count);
	life_check(seen, m, generation, count);
}

static void
slot_that_is_used_again_tells_old_messages_from_new(void **unused)
{
	static struct lives l;
	struct caller caller[SENDERS];
	pthread_t thread[SENDERS];
	struct seen seen = { .n = 0 };
	uint64_t accepted = 0;

	(void)unused;
	for (int i = 0; i < SENDERS; i++) {
		caller[i] = (struct caller){ .lives = &l };
		caller[i].messages = messages(CALLS);
		for (uint32_t k = 0; k < CALLS; k++)
			caller[i].messages[k].tag = 0;
		assert_int_equal(0,
		    pthread_create(&thread[i], NULL, caller_main, &caller[i]));
	}
	for (uint32_t g = 1; g <= LIVES; g++)
		live(&l, g, &seen);
	atomic_store(&l.over, true);
	for (int i = 0; i < SENDERS; i++) {
		assert_int_equal(0, pthread_join(thread[i], NULL));
		accepted += caller[i].accepted;
		free(caller[i].messages);
	}
	assert_int_equal(seen.wrong, 0);
	assert_int_equal(seen.n, accepted);
	print_message("%u of %u messages were stale\n", (unsigned)seen.stale,
	    (unsigned)seen.n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fresh_memory_is_closed_and_refuses),
		cmocka_unit_test(push_on_idle_asks_the_sender_to_schedule),
		cmocka_unit_test(push_on_running_and_held_asks_for_nothing),
		cmocka_unit_test(push_on_a_message_goes_above_it),
		cmocka_unit_test(take_leaves_running_whatever_was_there),
		cmocka_unit_test(rest_gives_back_only_what_nobody_touched),
		cmocka_unit_test(lone_message_is_handled_in_place),
		cmocka_unit_test(
		    close_refuses_from_every_state_and_returns_the_rest),
		cmocka_unit_test(open_is_idle_or_holds_the_first_message),
		cmocka_unit_test(open_running_takes_messages_and_wakes_nobody),
		cmocka_unit_test(count_saturates_and_the_batch_stays_whole),
		cmocka_unit_test(
		    batches_are_oldest_first_and_tell_what_is_ahead),
		cmocka_unit_test(messages_for_a_former_actor_are_marked_stale),
		cmocka_unit_test(senders_lose_nothing_and_keep_their_order),
		cmocka_unit_test(close_takes_what_was_accepted_and_no_more),
		cmocka_unit_test(
		    slot_that_is_used_again_tells_old_messages_from_new),
	};

	alarm(TOO_LONG_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
