/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * runq.c - schedules of sched/runq.c: an owner that pushes and pops, thieves
 * that steal and run what they got.
 *
 * The ring is made small, so that few words fill it, wrap it round and go
 * into the overflow list.  The properties: each word comes out exactly once;
 * the owner gets those behind one another in the order they were pushed; its
 * pop says "empty" only if no word was there throughout.
 */
#include "world.h"

#include <string.h>

#include "../rig_runq.h"

enum { WORDS = 10, THIEVES = 2, KIND = 3, STEALS = 2 };

/* What the owner does, a character each:
 *   b  push behind the others
 *   n  push as the next one
 *   l  push what must stay here
 *   s  push what is to run soon
 *   p  pop
 *   w  ask whether anything waits
 */
struct shape {
	const char *owner;
	unsigned ring; /* slots; one stays empty */
	unsigned before; /* words that are there from the start */
	unsigned thieves;
	bool stuck; /* thieves take `next`, too */
	bool tired; /* `next` was used too often in a row */
	bool fenceless; /* and is taken with read-modify-writes */
	bool dry; /* there is no memory for blocks */
};

struct item {
	alignas(TRI_LINE) struct tri_link link;
	unsigned place; /* in the queue; 0: not behind others */
	uint64_t pushed; /* when that had returned */
	uint64_t taken; /* when the call that took it began; 0: not */
	unsigned times;
	int by;
};

static struct {
	struct shape shape;
	struct tri_sched sched;
	struct tri_kind kinds[TRI_KINDS];
	struct tri_runq mine, other[THIEVES];
	struct tri_pool pool[1 + THIEVES];
	struct item item[WORDS];
	unsigned pushed, places;
	unsigned last; /* place of the last one popped */
	struct item *next; /* the last one pushed as the next */
	uint64_t empty[32][2]; /* pops that found nothing: called, returned */
	unsigned empties;
	uint64_t history;
} rig;

static struct tri_link *
item_link(void *ctx, void *object)
{
	(void)ctx;
	return &((struct item *)object)->link;
}

static void
take(tri_word word, uint64_t called)
{
	struct item *item = tri_word_object(word);

	SCHED_CHECK(tri_word_kind(word) == KIND);
	SCHED_CHECK(item >= rig.item && item < rig.item + rig.pushed);
	sched_note("gets word %u", (unsigned)(item - rig.item));
	item->times++;
	item->taken = called;
	item->by = sched_current();
	if (item->times > 1)
		sched_fail("word %u is taken twice",
		    (unsigned)(item - rig.item));
	rig.history = sched_mix(rig.history,
	    (uint64_t)(item - rig.item) * 8 + (uint64_t)(item->by + 1));
}

/* --------------------------------------------------------------- owner -- */

static void
push_back(void)
{
	struct item *item = &rig.item[rig.pushed++];

	item->place = ++rig.places;
	tri_runq_push_back(&rig.mine, tri_word_of(item, KIND));
	item->pushed = sched_stamp();
}

static void
push_next(void)
{
	struct item *item = &rig.item[rig.pushed++], *before = rig.next;

	rig.next = item;
	/* Unless a thief has it, the one before goes behind the others. */
	if (before != NULL)
		before->place = ++rig.places;
	(void)rig_push_next(&rig.mine, tri_word_of(item, KIND));
	item->pushed = sched_stamp();
}

static void
push_local(void)
{
	struct item *item = &rig.item[rig.pushed++];

	item->link.word = tri_word_of(item, KIND);
	tri_runq_push_local(&rig.mine, &item->link);
	item->pushed = sched_stamp();
}

static void
push_soon(void)
{
	struct item *item = &rig.item[rig.pushed++];

	tri_runq_push_soon(&rig.mine, tri_word_of(item, KIND));
	item->pushed = sched_stamp();
}

static void
found_nothing(uint64_t called)
{
	SCHED_CHECK(rig.empties < 32);
	rig.empty[rig.empties][0] = called;
	rig.empty[rig.empties++][1] = sched_stamp();
}

static void
ask(void)
{
	uint64_t called = sched_stamp();

	if (!tri_runq_waits(&rig.mine))
		found_nothing(called);
}

static void
pop(void)
{
	uint64_t called = sched_stamp();
	tri_word word = rig_pop(&rig.mine);
	struct item *item;

	if (word == 0) {
		found_nothing(called);
		return;
	}
	take(word, called);
	item = tri_word_object(word);
	if (item == rig.next)
		rig.next = NULL;
	if (item->place == 0)
		return;
	if (item->place < rig.last)
		sched_fail("word %u comes too late",
		    (unsigned)(item - rig.item));
	rig.last = item->place;
}

static void
own(void)
{
	for (const char *p = rig.shape.owner; *p != '\0'; p++) {
		switch (*p) {
		case 'b': push_back(); break;
		case 'n': push_next(); break;
		case 'l': push_local(); break;
		case 's': push_soon(); break;
		case 'w': ask(); break;
		default: pop(); break;
		}
	}
}

/* -------------------------------------------------------------- thieves - */

static void
steal(struct tri_runq *q)
{
	for (unsigned i = 0; i < STEALS; i++) {
		uint64_t called = sched_stamp();
		unsigned taken = 0, n = 0;
		tri_word word =
		    tri_runq_steal(q, &rig.mine, rig.shape.stuck, &taken);

		for (; word != 0; word = rig_pop(q)) {
			take(word, called);
			n++;
		}
		SCHED_CHECK(n == taken);
	}
}

/* --------------------------------------------------------------- cases -- */

static void
queue_init(struct tri_runq *q, unsigned pool, unsigned ring)
{
	SCHED_CHECK(tri_pool_init(&rig.pool[pool], &world.env.memory, &rig,
	    pool, 1 + THIEVES));
	tri_runq_init(q, &rig.sched, &rig.pool[pool]);
	tri_runq_set_slots(q, ring);
	/* One that several words need more than one of. */
	tri_spill_init(&q->spill, 2);
}

static void
begin(struct shape shape)
{
	world_begin();
	world.fenceless = shape.fenceless;
	memset(&rig, 0, sizeof(rig));
	rig.shape = shape;
	rig.sched.env = &world.env;
	rig.sched.kinds = rig.kinds;
	rig.kinds[KIND].link = item_link;
	world.dry = shape.dry;
	queue_init(&rig.mine, 0, shape.ring);
	rig.mine.next_left = shape.tired ? 0 : TRI_NEXT_USES;
	for (unsigned i = 0; i < THIEVES; i++)
		queue_init(&rig.other[i], 1 + i, 16);
	for (unsigned i = 0; i < shape.before; i++)
		push_back();
	sched_name(&rig.mine.next, sizeof(rig.mine.next), "next");
	sched_name(&rig.mine.pushes, sizeof(rig.mine.pushes), "pushes");
	sched_name(&rig.mine.ring, sizeof(rig.mine.ring), "ring");
	sched_name(&rig.mine.buffer, sizeof(rig.mine.buffer), "slots");
	sched_name(&rig.mine.lock, sizeof(rig.mine.lock), "lock");
	sched_name(&rig.mine.spill.pushed, sizeof(rig.mine.spill.pushed),
	    "pushed");
	sched_name(&rig.mine.spill.taken, sizeof(rig.mine.spill.taken),
	    "taken");
	sched_name(&rig.mine.over.count, sizeof(rig.mine.over.count), "over");
	sched_name(&rig.mine.soon.count, sizeof(rig.mine.soon.count), "soon");
}

static void
body(unsigned thread)
{
	if (thread == 0)
		own();
	else
		steal(&rig.other[thread - 1]);
}

/* Was a word there all the time while a pop found nothing? */
static void
check_empty(uint64_t called, uint64_t returned)
{
	for (unsigned i = 0; i < rig.pushed; i++) {
		const struct item *item = &rig.item[i];

		if (item->pushed < called && item->taken > returned)
			sched_fail("empty, it said, over word %u", i);
	}
}

static uint64_t
check(void)
{
	uint64_t hash = rig.history;
	unsigned guard = 0;

	/* What is left, the owner finds. */
	while (tri_runq_waits(&rig.mine) && guard++ < WORDS)
		pop();
	SCHED_CHECK(guard <= WORDS && !tri_runq_waits(&rig.mine));
	for (unsigned i = 0; i < rig.pushed; i++)
		if (rig.item[i].times != 1)
			sched_fail("word %u is lost", i);
	for (unsigned i = 0; i < rig.empties; i++)
		check_empty(rig.empty[i][0], rig.empty[i][1]);
	for (unsigned i = 0; i < rig.pushed; i++)
		hash = sched_mix(hash, (uint64_t)(rig.item[i].by + 1));
	return hash;
}

static void
begin_ring(void)
{
	begin((struct shape){ "bpbwbpp", 4, 2, 2, false, false, false, false });
}

static void
begin_wrap(void)
{
	begin((struct shape){ "bpbpbp", 2, 1, 1, false, false, false, false });
}

static void
begin_next(void)
{
	begin((struct shape){ "nnpnwpp", 4, 0, 2, true, false, false, false });
}

static void
begin_next_locked(void)
{
	begin((struct shape){ "nnpnwpp", 4, 0, 2, true, false, true, false });
}

static void
begin_again(void)
{
	begin((struct shape){ "npnpnp", 4, 0, 1, true, false, false, false });
}

static void
begin_tired(void)
{
	begin((struct shape){ "npnwp", 4, 0, 2, true, true, false, false });
}

static void
begin_overflow(void)
{
	begin(
	    (struct shape){ "bbppbwpp", 4, 3, 1, false, false, false, false });
}

static void
begin_overflow_two(void)
{
	begin((struct shape){ "bpbp", 4, 5, 2, false, false, false, false });
}

static void
begin_list(void)
{
	begin((struct shape){ "bbppbwpp", 4, 3, 1, false, false, false, true });
}

static void
begin_list_two(void)
{
	begin((struct shape){ "bpbp", 4, 5, 2, false, false, false, true });
}

static void
begin_soon(void)
{
	begin(
	    (struct shape){ "sbpspwpp", 4, 0, 2, false, false, false, false });
}

static void
begin_soon_overflow(void)
{
	begin(
	    (struct shape){ "sbpspwpp", 4, 4, 1, false, false, false, false });
}

static void
begin_mixed(void)
{
	begin(
	    (struct shape){ "nlbnpbwppp", 4, 1, 2, true, true, false, false });
}

#define RUNQ_CASE(n, t, b, w)                                                 \
	{                                                                     \
		.name = n, .what = w, .threads = t, .setup = b, .body = body, \
		.check = check, .buffers = true                               \
	}

static const struct sched_case cases[] = {
	RUNQ_CASE("ring", 3, begin_ring, "2 thieves, the ring alone"),
	RUNQ_CASE("wrap", 2, begin_wrap, "a ring of one place, a thief"),
	RUNQ_CASE("next", 3, begin_next, "2 thieves that also take `next`"),
	RUNQ_CASE("next_locked", 3, begin_next_locked,
	    "the same where other threads cannot be fenced"),
	RUNQ_CASE("again", 2, begin_again, "`next` three times, and a thief"),
	RUNQ_CASE("tired", 3, begin_tired, "`next` after its turns are used"),
	RUNQ_CASE("overflow", 2, begin_overflow,
	    "a thief, the ring runs over and is filled again"),
	RUNQ_CASE("overflow_two", 3, begin_overflow_two,
	    "2 thieves, words that the ring has no room for"),
	RUNQ_CASE("list", 2, begin_list, "a thief, and no memory for blocks"),
	RUNQ_CASE("list_two", 3, begin_list_two, "2 thieves, likewise"),
	RUNQ_CASE("soon", 3, begin_soon, "2 thieves, what is to run soon"),
	RUNQ_CASE("soon_overflow", 2, begin_soon_overflow,
	    "that and the overflow list, a thief"),
	RUNQ_CASE("mixed", 3, begin_mixed, "2 thieves, all kinds of pushes"),
};

int
main(int argc, char **argv)
{
	return sched_main(argc, argv, cases, sizeof(cases) / sizeof(*cases),
	    " runq.h runq.c spill.h spill.c next.h next.c ");
}
