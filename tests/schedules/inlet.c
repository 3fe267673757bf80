/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inlet.c - schedules of mailbox/inlet.h and mailbox/apart.h: senders, and
 * workers that run the actor one after another as actors/run.c and actors/die.c
 * do.
 *
 * "Scheduled" is a token: the sender that finds the mailbox IDLE makes it, the
 * worker that takes it runs the actor.  The properties: never two tokens or
 * two workers at once; each message that was accepted is taken exactly once,
 * those of one sender to one actor in order; CLOSED is said only while it is
 * closed; an actor does not rest over a message whose push had returned before; a
 * message for a former actor of the slot is marked, and no other.  Freed messages
 * are sent again, so that a mailbox may get a head it had before.
 *
 * A mailbox that moves does so with the first list that is taken.  What senders
 * remember of that is their worker's: here one for all, and each sender may be
 * on it, or not.
 */
#include "engine.h"

#include <string.h>

#include "mailbox/apart.h"

enum {
	SENDERS = 4, /* the last one: who gives the slot to its next actor */
	SPAWNER = SENDERS - 1,
	SENDS = 3,
	STOCK = 2, /* messages per sender */
	LIFE = 2, /* messages until an actor that is to end does so */
	LIVES = 2, /* actors of the slot */
};

enum {
	PLACE = 1, /* handle a lone message in place */
	DETACH = 2, /* and detach every second */
	HAND_OVER = 4, /* let another worker go on after each list */
	END = 8, /* close after LIFE messages */
	REOPEN = 16, /* and give the slot to the next actor, idle, or */
	RUNNING = 32, /* scheduled, or */
	START = 64, /* with a first message */
	MOVE = 128, /* to the other word, with the first list */
	REMEMBER = 256, /* where it is */
};

struct shape {
	unsigned senders, sends, workers, mode;
};

/* What the test knows of a message in the stock. */
struct item {
	struct tr_msg msg;
	uint32_t generation;
	unsigned send; /* which of its sender's */
	bool used;
};

struct send {
	uint64_t called, returned;
	enum tri_inlet_pushed pushed;
	unsigned taken, dead;
};

static struct {
	struct shape shape;
	alignas(2 * TRI_LINE) struct tri_inlet inlet;
	alignas(2 * TRI_LINE) struct tri_inlet other;
	alignas(2 * TRI_LINE) uint32_t generation;
	uint32_t remembered; /* a generation whose mailbox is there */
	struct tr_msg *pending;
	unsigned tokens;
	bool running;
	unsigned life;
	unsigned senders_left;
	uint64_t closing, reopened; /* when; 0: not */
	/* Of a sender to an actor of the slot, taken: 1 and up. */
	unsigned last[SENDERS][LIVES];
	uint64_t history;
	struct send send[SENDERS][SENDS];
	struct item item[SENDERS][STOCK];
} cell;

/* ------------------------------------------------------------- senders -- */

static struct item *
item_new(unsigned sender)
{
	for (unsigned i = 0; i < STOCK; i++)
		if (!cell.item[sender][i].used)
			return &cell.item[sender][i];
	return NULL;
}

static bool
item_is_there(const void *arg)
{
	return item_new((unsigned)(uintptr_t)arg) != NULL;
}

/* As tri_deliver_streamed. */
static bool
push_there(struct tr_msg *m, enum tri_inlet_pushed *pushed)
{
	uint64_t head = tri_inlet_look(&cell.other);

	if (!tri_inlet_is_msg(head) && head != TRI_INLET_RUNNING)
		return false;
	*pushed = tri_inlet_push_over(&cell.other, m, &head);
	return true;
}

static enum tri_inlet_pushed
push(unsigned sender, unsigned k, struct tr_msg *m)
{
	bool remembers =
	    (cell.shape.mode & REMEMBER) != 0 && (sender + k) % 3 != 0;
	enum tri_inlet_pushed pushed;
	uint64_t head;

	if (remembers && cell.remembered == m->generation &&
	    push_there(m, &pushed))
		return pushed;
	if (tri_apart_find(&cell.inlet, &cell.other, &head) == &cell.other)
		cell.remembered = m->generation;
	return tri_apart_push(&cell.inlet, &cell.other, m, &head);
}

static void
send_one(unsigned sender, unsigned k)
{
	struct send *s = &cell.send[sender][k];
	struct item *item;

	sched_wait(item_is_there, (void *)(uintptr_t)sender);
	item = item_new(sender);
	*item = (struct item){ .used = true, .send = k };
	/* Sender 0 never learns of a slot's next actor. */
	item->generation = sender == 0 ? 1 : cell.generation;
	item->msg.generation = item->generation;
	item->msg.sender = sender;
	s->called = sched_stamp();
	s->pushed = (cell.shape.mode & MOVE) != 0 ?
	    push(sender, k, &item->msg) :
	    tri_inlet_push(&cell.inlet, &item->msg);
	s->returned = sched_stamp();
	if (s->pushed == TRI_PUSH_CLOSED) {
		item->used = false;
		return;
	}
	if (s->pushed == TRI_PUSH_WAKE) {
		SCHED_CHECK(cell.tokens == 0);
		SCHED_CHECK(!cell.running);
		cell.tokens = 1;
	}
}

/* -------------------------------------------------------------- worker -- */

static struct tri_inlet *
where(void)
{
	return (cell.shape.mode & MOVE) != 0 ?
	    tri_apart_owner(&cell.inlet, &cell.other) :
	    &cell.inlet;
}

/* A message leaves the mailbox: once, and in order. */
static void
take(struct tr_msg *m, bool dead)
{
	struct item *item = tri_container_of(m, struct item, msg);
	unsigned *last;
	struct send *s;

	SCHED_CHECK(m->sender < SENDERS && item->used);
	last = &cell.last[m->sender][item->generation - 1];
	s = &cell.send[m->sender][item->send];
	sched_note("message %u.%u%s", (unsigned)m->sender, item->send,
	    dead ? " is dead" : "");
	SCHED_CHECK(((m->flags & TRI_MSG_STALE) != 0) ==
	    (item->generation != cell.generation));
	SCHED_CHECK(s->taken == 0);
	SCHED_CHECK(item->send >= *last);
	*last = item->send + 1;
	s->taken++;
	s->dead += dead || (m->flags & TRI_MSG_STALE) != 0;
	cell.history = sched_mix(cell.history,
	    m->sender * 16 + item->send + 256 * s->dead);
	if ((m->flags & TRI_MSG_STALE) == 0 && cell.life > 0 && !dead)
		cell.life--;
}

static void
dispose(struct tr_msg *m)
{
	struct item *item = tri_container_of(m, struct item, msg);

	memset(m, 0x5a, sizeof(*m));
	item->used = false;
}

static void
take_list(struct tr_msg *m, bool dead)
{
	while (m != NULL) {
		struct tr_msg *next = m->link;

		take(m, dead);
		dispose(m);
		m = next;
	}
}

/* true: it rests, and is not ours any more. */
static bool
rest(uint64_t head)
{
	bool there[SENDERS][SENDS];

	for (unsigned i = 0; i < SENDERS * SENDS; i++) {
		struct send *s = &cell.send[i / SENDS][i % SENDS];

		there[i / SENDS][i % SENDS] = s->returned != 0 &&
		    s->pushed != TRI_PUSH_CLOSED && s->taken == 0;
	}
	cell.running = false;
	if (!tri_inlet_rest_owner(where(), head)) {
		cell.running = true;
		return false;
	}
	for (unsigned i = 0; i < SENDERS * SENDS; i++)
		if (there[i / SENDS][i % SENDS])
			sched_fail("rests over message %u.%u", i / SENDS,
			    i % SENDS);
	return true;
}

/* The slot's next actor. */
static void
reopen(void)
{
	struct item *item = &cell.item[SPAWNER][0];
	struct send *s = &cell.send[SPAWNER][0];

	if (cell.shape.mode & RUNNING) {
		tri_inlet_open_running(&cell.inlet, TRI_INLET_RUNNING);
	} else if (cell.shape.mode & START) {
		*item = (struct item){ .used = true,
			.generation = cell.generation };
		item->msg.sender = SPAWNER;
		item->msg.generation = cell.generation;
		s->called = s->returned = sched_stamp();
		s->pushed = TRI_PUSH_QUEUED;
		item->msg.link = NULL;
		cell.pending = &item->msg;
		tri_inlet_open_running(&cell.inlet, TRI_INLET_RUNNING);
	} else {
		tri_inlet_open(&cell.inlet);
	}
	/* Whoever is told of the new actor, or to run it, is so by later
	 * stores, and those arrive in order. */
	sched_pass();
	sched_drain();
	if (cell.shape.mode & (RUNNING | START))
		cell.tokens++;
	SCHED_CHECK(cell.tokens <= 1);
	cell.reopened = sched_stamp();
}

static void
end(struct tr_msg *in_hand)
{
	struct tr_msg *m;
	uint32_t n;

	if (cell.closing == 0)
		cell.closing = sched_stamp();
	m = (cell.shape.mode & MOVE) != 0 ?
	    tri_apart_close_owner(&cell.inlet, &cell.other, cell.generation,
		&n) :
	    tri_inlet_close_owner(&cell.inlet, cell.generation, &n);
	if (in_hand != NULL) {
		SCHED_CHECK(m == in_hand);
		m = m->link;
		dispose(in_hand);
	}
	take_list(cell.pending, true);
	cell.pending = NULL;
	take_list(m, true);
	cell.generation++;
	cell.running = false;
	cell.life = UINT32_MAX;
	if (cell.shape.mode & REOPEN)
		reopen();
}

/* The mailbox's list without the message in hand, its oldest. */
static void
detach(struct tr_msg *in_hand)
{
	uint32_t n;
	struct tr_msg *list =
	    tri_inlet_take_owner(where(), cell.generation, &n);

	SCHED_CHECK(list == in_hand && cell.pending == NULL);
	cell.pending = list->link;
}

/* true: the turn is over. */
static bool
run_in_place(uint64_t head)
{
	struct tr_msg *m = tri_inlet_msg(head);
	bool detached =
	    (cell.shape.mode & DETACH) != 0 && (cell.history & 1) != 0;

	if (m->generation != cell.generation)
		m->flags |= TRI_MSG_STALE;
	take(m, false);
	if (cell.life == 0) {
		end(m);
		return true;
	}
	if (detached || !rest(head)) {
		detach(m);
		dispose(m);
		return false;
	}
	dispose(m);
	return true;
}

static uint32_t
count_list(const struct tr_msg *m)
{
	uint32_t n = 0;

	for (; m != NULL; m = m->link)
		n++;
	return n;
}

static bool
run_list(void)
{
	uint32_t n;

	cell.pending = (cell.shape.mode & MOVE) != 0 && where() == &cell.inlet ?
	    tri_apart_move_owner(&cell.inlet, &cell.other, cell.generation,
		&n) :
	    tri_inlet_take_owner(where(), cell.generation, &n);
	SCHED_CHECK(n == count_list(cell.pending));
	if ((cell.shape.mode & HAND_OVER) == 0)
		return false;
	cell.running = false;
	cell.tokens = 1;
	return true;
}

static void
run(void)
{
	for (;;) {
		uint64_t head;

		while (cell.pending != NULL && cell.life > 0) {
			struct tr_msg *m = cell.pending;

			cell.pending = m->link;
			take(m, false);
			dispose(m);
		}
		if (cell.life == 0) {
			end(NULL);
			return;
		}
		head = tri_inlet_look_owner(where());
		if (!tri_inlet_is_msg(head)) {
			if (rest(head))
				return;
			continue;
		}
		if ((cell.shape.mode & PLACE) != 0 &&
		    tri_inlet_msg(head)->link == NULL) {
			if (run_in_place(head))
				return;
			continue;
		}
		if (run_list())
			return;
	}
}

static bool
work_or_end(const void *unused)
{
	(void)unused;
	return cell.tokens > 0 || (cell.senders_left == 0 && !cell.running);
}

static void
work(void)
{
	for (;;) {
		sched_wait(work_or_end, NULL);
		if (cell.tokens == 0)
			return;
		cell.tokens--;
		SCHED_CHECK(!cell.running);
		cell.running = true;
		sched_note("runs");
		run();
	}
}

/* --------------------------------------------------------------- cases -- */

static void
begin(struct shape shape)
{
	memset(&cell, 0, sizeof(cell));
	cell.shape = shape;
	cell.generation = 1;
	cell.senders_left = shape.senders;
	cell.life = shape.mode & END ? LIFE : UINT32_MAX;
	tri_inlet_open(&cell.inlet);
	sched_name(&cell.inlet, sizeof(cell.inlet), "inlet");
	sched_name(&cell.other, sizeof(cell.other), "other");
}

static void
body(unsigned thread)
{
	if (thread >= cell.shape.senders) {
		work();
		return;
	}
	for (unsigned k = 0; k < cell.shape.sends; k++)
		send_one(thread, k);
	cell.senders_left--;
}

static void
check_send(const struct send *s)
{
	if (s->pushed != TRI_PUSH_CLOSED) {
		SCHED_CHECK(s->taken == 1);
		SCHED_CHECK(cell.closing != 0 || s->dead == 0);
		return;
	}
	SCHED_CHECK(s->taken == 0);
	SCHED_CHECK(cell.closing != 0 && s->returned > cell.closing);
	SCHED_CHECK(cell.reopened == 0 || s->called < cell.reopened);
}

static uint64_t
check(void)
{
	uint64_t hash = cell.history;

	for (unsigned i = 0; i < cell.shape.senders; i++)
		for (unsigned k = 0; k < cell.shape.sends; k++) {
			check_send(&cell.send[i][k]);
			hash = sched_mix(hash, cell.send[i][k].pushed);
		}
	SCHED_CHECK(cell.tokens == 0 && !cell.running);
	SCHED_CHECK((cell.inlet.head == TRI_INLET_APART ? cell.other.head :
							  cell.inlet.head) ==
	    (cell.closing != 0 && cell.reopened == 0 ? TRI_INLET_CLOSED :
						       TRI_INLET_IDLE));
	SCHED_CHECK(cell.inlet.head == TRI_INLET_APART ||
	    cell.other.head == TRI_INLET_CLOSED);
	return hash;
}

static void
begin_place(void)
{
	begin((struct shape){ 2, 2, 2, PLACE });
}

static void
begin_detach(void)
{
	begin((struct shape){ 2, 3, 1, PLACE | DETACH });
}

static void
begin_lists(void)
{
	begin((struct shape){ 3, 1, 1, 0 });
}

static void
begin_hand_over(void)
{
	begin((struct shape){ 2, 2, 2, HAND_OVER });
}

static void
begin_close(void)
{
	begin((struct shape){ 2, 2, 2, PLACE | END });
}

static void
begin_reuse(void)
{
	begin((struct shape){ 3, 2, 1, PLACE | END | REOPEN | START });
}

static void
begin_reuse_idle(void)
{
	begin((struct shape){ 3, 2, 1, PLACE | DETACH | END | REOPEN });
}

static void
begin_reuse_lists(void)
{
	begin((struct shape){ 2, 3, 2, END | REOPEN | RUNNING | HAND_OVER });
}

static void
begin_move(void)
{
	begin((struct shape){ 2, 3, 1, MOVE | REMEMBER });
}

static void
begin_move_place(void)
{
	begin((struct shape){ 2, 3, 2, MOVE | REMEMBER | PLACE | HAND_OVER });
}

static void
begin_move_close(void)
{
	begin((struct shape){ 2, 3, 1, MOVE | REMEMBER | END });
}

static void
begin_move_reuse(void)
{
	begin((
	    struct shape){ 3, 3, 1, MOVE | REMEMBER | END | REOPEN | RUNNING });
}

#define INLET_CASE(n, t, b, w)                                                \
	{                                                                     \
		.name = n, .what = w, .threads = t, .setup = b, .body = body, \
		.check = check, .buffers = true                               \
	}

static const struct sched_case cases[] = {
	INLET_CASE("place", 4, begin_place,
	    "2 senders, 2 workers, lone messages handled in place"),
	INLET_CASE("detach", 3, begin_detach,
	    "2 senders, lone messages handled in place and detached"),
	INLET_CASE("lists", 4, begin_lists, "3 senders, whole lists taken"),
	INLET_CASE("hand_over", 4, begin_hand_over,
	    "2 senders, 2 workers that hand the actor over"),
	INLET_CASE("close", 4, begin_close, "2 senders to an actor that ends"),
	INLET_CASE("reuse", 4, begin_reuse,
	    "3 senders, the actor ends and the slot is used again"),
	INLET_CASE("reuse_idle", 4, begin_reuse_idle,
	    "the same, and the next actor gets no first message"),
	INLET_CASE("reuse_lists", 4, begin_reuse_lists,
	    "the same with lists and 2 workers"),
	INLET_CASE("move", 3, begin_move, "2 senders to a mailbox that moves"),
	INLET_CASE("move_place", 4, begin_move_place,
	    "the same, 2 workers, lone messages handled in place"),
	INLET_CASE("move_close", 3, begin_move_close,
	    "2 senders to an actor that moves and ends"),
	INLET_CASE("move_reuse", 4, begin_move_reuse,
	    "3 senders, it moves and ends, and the slot is used again"),
};

int
main(int argc, char **argv)
{
	return sched_main(argc, argv, cases, sizeof(cases) / sizeof(*cases),
	    " inlet.h apart.h ");
}
