/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reserve.c - schedules of sched/reserve.h with mailbox/inlet.h: a worker that
 * keeps actors, and lets them wait, as actors/send.h, actors/run.c,
 * sched/worker.c and sched/share.c do; others that push to them and tell it;
 * thieves that take whom it was told of, and who waits.
 *
 * The owner never sleeps here, so it finds out only what it is told.  The
 * properties: one at a time has an actor, and touches it; each message is taken
 * once, those of a sender in order; nobody is left with messages; a thief gets
 * only what was kept.
 */
#include "world.h"

#include <string.h>

#include "mailbox/inlet.h"

enum { ACTORS = 2, SENDERS = 3, SENDS = 6, OWNER = 0, KIND = 3 };

/* What the owner does, a character each:
 *   a, b  send to that actor
 *   r     what a worker does before a batch, and a batch
 *   p     let others have who waits (in the queue below nobody does)
 *   w     take back the first of those
 *   z     let go of all it keeps
 */
struct shape {
	const char *owner;
	const char *other[SENDERS - 1]; /* a, b: send; t: steal */
	unsigned slots;
	bool fenceless;
	bool waits; /* whoever gets a message waits in its place */
};

struct item {
	struct tr_msg msg;
	unsigned actor;
	bool taken;
};

struct actor {
	/* The two share a place if there are two places. */
	alignas(2 * TRI_LINE) struct tri_inlet inlet;
	struct tr_msg *pending;
	struct tr_msg *newest; /* of pending */
	struct actor *after; /* in the owner's queue */
	bool queued;
	bool held; /* by whom is to touch it */
	unsigned got[SENDERS]; /* of each sender, up to this one */
};

static struct {
	struct shape shape;
	struct tri_reserve reserve;
	struct actor actor[ACTORS];
	struct actor *first, *last; /* of the owner's queue */
	struct item item[SENDERS][SENDS];
	unsigned sent[SENDERS];
	unsigned others; /* that have not ended */
	unsigned turn; /* alternates between who waits and the queue */
	uint64_t history;
} rig;

static tri_word
word_of(struct actor *a)
{
	return tri_word_of(a, KIND);
}

static struct actor *
actor_of(tri_word word)
{
	struct actor *a = tri_word_object(word);

	SCHED_CHECK(tri_word_kind(word) == KIND);
	SCHED_CHECK(a == &rig.actor[0] || a == &rig.actor[1]);
	return a;
}

/* Who has the actor from here on. */
static void
have(struct actor *a)
{
	SCHED_CHECK(!a->held);
	a->held = true;
}

static void
leave(struct actor *a)
{
	SCHED_CHECK(a->held);
	a->held = false;
}

/* ------------------------------------------------------------- running --- */

static void
take_one(struct actor *a, struct tr_msg *m)
{
	struct item *item = tri_container_of(m, struct item, msg);
	unsigned k = (unsigned)(item - rig.item[m->sender]);

	sched_note("actor %u gets %u.%u", item->actor, (unsigned)m->sender, k);
	SCHED_CHECK(a->held && &rig.actor[item->actor] == a);
	SCHED_CHECK(!item->taken);
	SCHED_CHECK(k + 1 > a->got[m->sender]);
	item->taken = true;
	a->got[m->sender] = k + 1;
	rig.history =
	    sched_mix(rig.history, (uint64_t)(m->sender * 16 + k * 2) + 1);
}

static void
push_queue(struct actor *a)
{
	SCHED_CHECK(!a->queued);
	a->queued = true;
	a->after = NULL;
	if (rig.last != NULL)
		rig.last->after = a;
	else
		rig.first = a;
	rig.last = a;
}

/* tri_sched_rest */
static void
rest(tri_word word)
{
	struct actor *a = actor_of(word);
	uint64_t head;

	have(a);
	head = tri_inlet_look_owner(&a->inlet);
	leave(a);
	if (tri_inlet_is_msg(head) || !tri_inlet_rest_owner(&a->inlet, head))
		push_queue(a);
}

/* A batch by the worker `mine` reserves with; 0: it keeps nobody. */
static void
run(struct actor *a, uint64_t mine)
{
	for (;;) {
		uint64_t head;
		uint32_t n;

		while (a->pending != NULL) {
			struct tr_msg *m = a->pending;

			a->pending = m->link;
			take_one(a, m);
		}
		head = tri_inlet_look_owner(&a->inlet);
		if (tri_inlet_is_msg(head)) {
			a->pending = tri_inlet_take_owner(&a->inlet, 1, &n);
			continue;
		}
		leave(a);
		if (head == mine) {
			tri_word before =
			    tri_reserve_keep(&rig.reserve, word_of(a));

			if (before != 0)
				rest(before);
			return;
		}
		if (tri_inlet_rest_owner(&a->inlet, head))
			return;
		have(a);
	}
}

/* ------------------------------------------------------------- sending --- */

static struct tr_msg *
message(unsigned sender, struct actor *a)
{
	struct item *item = &rig.item[sender][rig.sent[sender]++];

	item->actor = (unsigned)(a - rig.actor);
	item->msg.sender = sender;
	item->msg.generation = 1;
	return &item->msg;
}

/* tri_sched_push_behind */
static void
push_noted(struct actor *a)
{
	tri_word before;

	if (!rig.shape.waits ||
	    !tri_reserve_queue(&rig.reserve, word_of(a), a->newest, &before))
		push_queue(a);
	else if (before != 0)
		rest(before);
}

static void
send_first(struct actor *a, struct tr_msg *m)
{
	have(a);
	SCHED_CHECK(a->pending == NULL);
	m->link = NULL;
	a->pending = a->newest = m;
	leave(a);
	push_noted(a);
}

/* It waits, and has been taken out of its place. */
static void
send_behind(struct actor *a, struct tri_place *p, struct tr_msg *m)
{
	have(a);
	SCHED_CHECK(a->pending != NULL && tri_reserve_note(p) == a->newest);
	m->link = NULL;
	a->newest->link = m;
	a->newest = m;
	leave(a);
	tri_reserve_return(p, word_of(a), m);
}

static void
send_kept(struct actor *a, struct tri_place *p, struct tr_msg *m)
{
	if (tri_reserve_note(p) == NULL)
		send_first(a, m);
	else
		send_behind(a, p, m);
}

/* deliver_kept, tri_deliver_claimed; true: it is sent. */
static bool
send_plain(struct actor *a, struct tri_place *p, struct tr_msg *m)
{
	if (!p->slot.plain || tri_load_relaxed(&p->slot.word) != word_of(a))
		return false;
	if (tri_next_take_plain(&p->slot)) {
		send_kept(a, p, m);
		return true;
	}
	tri_next_leave(&p->slot, word_of(a));
	return false;
}

/* tri_deliver_usual, tri_deliver_other */
static void
own_send(struct actor *a)
{
	const uint64_t mine = tri_inlet_reserved_by(OWNER);
	struct tri_place *p = tri_reserve_place(&rig.reserve, word_of(a));
	struct tr_msg *m = message(OWNER, a);
	uint64_t head = tri_inlet_look(&a->inlet);
	enum tri_inlet_pushed pushed;

	if (head == mine && send_plain(a, p, m))
		return;
	head = tri_inlet_look(&a->inlet);
	if (head == mine && tri_reserve_take(p, word_of(a))) {
		send_kept(a, p, m);
		return;
	}
	if (head == TRI_INLET_IDLE && tri_inlet_reserve(&a->inlet, mine)) {
		send_first(a, m);
		return;
	}
	pushed = tri_inlet_push_over(&a->inlet, m, &head);
	SCHED_CHECK(pushed != TRI_PUSH_CLOSED);
	if (pushed == TRI_PUSH_WAKE)
		push_queue(a);
	else if (tri_inlet_is_reserved(head))
		SCHED_CHECK(head == mine);
}

/* Another worker's, or a foreign thread's: it runs at once whom it wakes. */
static void
other_send(unsigned sender, struct actor *a)
{
	struct tr_msg *m = message(sender, a);
	uint64_t head = tri_inlet_look(&a->inlet);

	switch (tri_inlet_push_over(&a->inlet, m, &head)) {
	case TRI_PUSH_QUEUED:
		if (tri_inlet_is_reserved(head))
			tri_reserve_tell(&rig.reserve, word_of(a));
		break;
	case TRI_PUSH_WAKE:
		have(a);
		run(a, 0);
		break;
	default: sched_fail("the inlet is closed");
	}
}

/* --------------------------------------------------------------- owner --- */

static struct actor *
pop_queue(void)
{
	struct actor *a = rig.first;

	if (a == NULL)
		return NULL;
	rig.first = a->after;
	if (rig.first == NULL)
		rig.last = NULL;
	a->queued = false;
	return a;
}

/* Who waits in its place, and has waited longest. */
static struct actor *
pop_waiting(void)
{
	void *note;
	tri_word word = tri_reserve_pop(&rig.reserve, &note);

	if (word == 0)
		return NULL;
	SCHED_CHECK(actor_of(word)->pending != NULL);
	SCHED_CHECK(actor_of(word)->newest == note);
	return actor_of(word);
}

/* worker_run */
static void
own_step(void)
{
	struct actor *a;
	tri_word word;

	if (tri_reserve_is_told(&rig.reserve)) {
		uint64_t told = tri_reserve_listen(&rig.reserve);

		while ((word = tri_reserve_take_told(&rig.reserve, &told)) != 0)
			rest(word);
	}
	a = (rig.turn++ & 1) != 0 ? pop_queue() : NULL;
	if (a == NULL)
		a = pop_waiting();
	if (a == NULL)
		a = pop_queue();
	if (a == NULL)
		return;
	have(a);
	run(a, tri_inlet_reserved_by(OWNER));
}

/* tri_sched_withdraw, tri_actor_reserve */
static void
withdraw(void)
{
	struct actor *a = pop_queue();
	struct tr_msg *newest, *came, *m;
	tri_word before;
	uint32_t n;

	if (a == NULL)
		return;
	have(a);
	newest = NULL;
	for (m = a->pending; m != NULL; m = m->link)
		newest = m;
	m = newest;
	came = tri_inlet_take_noted(&a->inlet, tri_inlet_reserved_by(OWNER), 1,
	    &newest, &n);
	if (m == NULL)
		a->pending = came;
	else
		m->link = came;
	a->newest = newest;
	leave(a);
	if (newest == NULL ||
	    !tri_reserve_queue(&rig.reserve, word_of(a), newest, &before))
		push_queue(a);
	else if (before != 0)
		rest(before);
}

static bool
others_have_ended(const void *unused)
{
	(void)unused;
	return rig.others == 0;
}

static void
own(void)
{
	struct actor *a;
	tri_word word;

	for (const char *p = rig.shape.owner; *p != '\0'; p++) {
		switch (*p) {
		case 'r': own_step(); break;
		case 'p':
			while ((a = pop_waiting()) != NULL)
				push_queue(a);
			break;
		case 'w': withdraw(); break;
		case 'z':
			while ((word = tri_reserve_take_any(&rig.reserve)) != 0)
				rest(word);
			SCHED_CHECK(!tri_reserve_has_any(&rig.reserve));
			break;
		default: own_send(&rig.actor[*p - 'a']); break;
		}
	}
	sched_wait(others_have_ended, NULL);
	while (rig.first != NULL || tri_reserve_waits(&rig.reserve) ||
	    tri_reserve_is_told(&rig.reserve))
		own_step();
}

/* -------------------------------------------------------------- others --- */

static void
steal(unsigned thread)
{
	tri_word word =
	    tri_reserve_steal(&rig.reserve, &world.env, &rig.sent[thread]);

	if (word == 0)
		return;
	sched_note("steals actor %u", (unsigned)(actor_of(word) - rig.actor));
	have(actor_of(word));
	run(actor_of(word), 0);
}

static void
body(unsigned thread)
{
	if (thread == OWNER) {
		own();
		return;
	}
	for (const char *p = rig.shape.other[thread - 1]; *p != '\0'; p++)
		if (*p == 't')
			steal(thread);
		else
			other_send(thread, &rig.actor[*p - 'a']);
	rig.others--;
}

/* --------------------------------------------------------------- cases --- */

static void
begin(struct shape shape)
{
	world_begin();
	world.fenceless = shape.fenceless;
	memset(&rig, 0, sizeof(rig));
	rig.shape = shape;
	for (unsigned i = 0; i < SENDERS - 1; i++)
		rig.others += shape.other[i] != NULL;
	tri_reserve_init(&rig.reserve, shape.slots,
	    world.env.fence_others(&world.env));
	for (unsigned i = 0; i < ACTORS; i++) {
		tri_inlet_open(&rig.actor[i].inlet);
		sched_name(&rig.actor[i].inlet, sizeof(rig.actor[i].inlet),
		    i == 0 ? "a" : "b");
	}
	sched_name(&rig.reserve.told, sizeof(rig.reserve.told), "told");
	sched_name(&rig.reserve.place, sizeof(rig.reserve.place), "places");
}

static uint64_t
check(void)
{
	for (unsigned i = 0; i < SENDERS; i++)
		for (unsigned k = 0; k < rig.sent[i]; k++)
			if (!rig.item[i][k].taken)
				sched_fail("message %u.%u waits for ever", i,
				    k);
	for (unsigned i = 0; i < ACTORS; i++) {
		struct actor *a = &rig.actor[i];

		SCHED_CHECK(!a->held && !a->queued && a->pending == NULL);
		if (a->inlet.head == TRI_INLET_IDLE)
			continue;
		SCHED_CHECK(a->inlet.head == tri_inlet_reserved_by(OWNER));
		SCHED_CHECK(tri_reserve_take(tri_reserve_place(&rig.reserve,
						 word_of(a)),
		    word_of(a)));
	}
	SCHED_CHECK(tri_reserve_take_any(&rig.reserve) == 0);
	return rig.history;
}

static void
begin_told(void)
{
	begin((struct shape){ "arrar", { "aa" }, 64, false, false });
}

static void
begin_told_two(void)
{
	begin((struct shape){ "arar", { "aa", "a" }, 64, false, false });
}

static void
begin_told_both(void)
{
	begin((struct shape){ "abrrr", { "a", "b" }, 64, false, false });
}

static void
begin_shared(void)
{
	begin((struct shape){ "abrrbrar", { "ab" }, 2, false, false });
}

static void
begin_rest(void)
{
	begin((struct shape){ "arzarz", { "aa" }, 64, false, false });
}

static void
begin_steal(void)
{
	begin((struct shape){ "arrar", { "a", "tt" }, 16, false, false });
}

static void
begin_steal_two(void)
{
	begin((struct shape){ "abrrar", { "bt", "at" }, 16, false, false });
}

static void
begin_steal_locked(void)
{
	begin((struct shape){ "arrar", { "a", "tt" }, 16, true, false });
}

static void
begin_wait(void)
{
	begin((struct shape){ "aarar", { "aa" }, 64, false, true });
}

static void
begin_wait_two(void)
{
	begin((struct shape){ "abapbrr", { "ab", "a" }, 64, false, true });
}

static void
begin_wait_shared(void)
{
	begin((struct shape){ "rabrabrr", { "ab" }, 2, false, true });
}

static void
begin_wait_steal(void)
{
	begin((struct shape){ "aarar", { "a", "tt" }, 16, false, true });
}

static void
begin_wait_steal_two(void)
{
	begin((struct shape){ "abarar", { "t", "tb" }, 16, false, true });
}

static void
begin_wait_steal_locked(void)
{
	begin((struct shape){ "aarar", { "a", "tt" }, 16, true, true });
}

static void
begin_withdraw(void)
{
	begin((struct shape){ "aapawarr", { "aa" }, 64, false, true });
}

static void
begin_withdraw_two(void)
{
	begin((struct shape){ "abpwwbar", { "a", "b" }, 64, false, true });
}

static void
begin_withdraw_steal(void)
{
	begin((struct shape){ "apwaar", { "a", "tt" }, 16, false, true });
}

#define RESERVE_CASE(n, t, b, w)                                              \
	{                                                                     \
		.name = n, .what = w, .threads = t, .setup = b, .body = body, \
		.check = check, .buffers = true                               \
	}

static const struct sched_case cases[] = {
	RESERVE_CASE("told", 2, begin_told,
	    "an actor that is kept, and another sender"),
	RESERVE_CASE("told_two", 3, begin_told_two, "and two others"),
	RESERVE_CASE("told_both", 3, begin_told_both,
	    "two actors, a sender to each"),
	RESERVE_CASE("shared", 2, begin_shared,
	    "two actors, one place to keep them"),
	RESERVE_CASE("rest", 2, begin_rest, "and it is let go of"),
	RESERVE_CASE("steal", 3, begin_steal,
	    "another sender, and a thief while the owner goes on"),
	RESERVE_CASE("steal_two", 3, begin_steal_two,
	    "two actors, two senders that steal"),
	RESERVE_CASE("steal_locked", 3, begin_steal_locked,
	    "a thief where other threads cannot be fenced"),
	RESERVE_CASE("wait", 2, begin_wait,
	    "an actor that waits, and gets more messages"),
	RESERVE_CASE("wait_two", 3, begin_wait_two,
	    "two that wait, until others may have them"),
	RESERVE_CASE("wait_shared", 2, begin_wait_shared, "two, and one place"),
	RESERVE_CASE("wait_steal", 3, begin_wait_steal,
	    "another sender, and a thief of who waits"),
	RESERVE_CASE("wait_steal_two", 3, begin_wait_steal_two,
	    "two that wait, two thieves"),
	RESERVE_CASE("wait_steal_locked", 3, begin_wait_steal_locked,
	    "a thief where other threads cannot be fenced"),
	RESERVE_CASE("withdraw", 2, begin_withdraw,
	    "one is let others have, and taken back, and another sender"),
	RESERVE_CASE("withdraw_two", 3, begin_withdraw_two,
	    "two actors, a sender to each"),
	RESERVE_CASE("withdraw_steal", 3, begin_withdraw_steal,
	    "another sender, and a thief"),
};

int
main(int argc, char **argv)
{
	return sched_main(argc, argv, cases, sizeof(cases) / sizeof(*cases),
	    " reserve.h reserve.c next.h next.c inlet.h ");
}
