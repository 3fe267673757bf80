/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mailbox/inlet.h: many senders against one taker, who checks that no message
 * is lost, doubled or out of its sender's order, that an idle actor is
 * scheduled exactly once, and that closing splits what was sent exactly.
 *
 * The main thread is the taker.
 */
#include <pthread.h>
#include <sched.h>

#include "rig_inlet.h"

enum {
	SENDERS = 3,
	SENT = TEST_SCALE(200000), /* by each */
	LIVES = TEST_SCALE(2000), /* of a slot that is opened and closed */
	LIFE_SENT = 60, /* by each sender, a life */
};

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
	tri_inlet_open(&slot.in);
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

	tri_inlet_open(&slot.in);
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
	tri_inlet_open(&l->slot.in);
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
		cmocka_unit_test(senders_lose_nothing_and_keep_their_order),
		cmocka_unit_test(close_takes_what_was_accepted_and_no_more),
		cmocka_unit_test(
		    slot_that_is_used_again_tells_old_messages_from_new),
	};

	alarm(TOO_LONG_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
