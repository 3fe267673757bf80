/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * burst.c - schedules of mailbox/burst.h: a sender, who puts messages and ends the
 * burst as actors/burst.c does, and a receiver, who takes them, waits, and shuts
 * it.
 *
 * The properties: each message is taken once, in order, or is the sender's again,
 * which only the last one may be; the burst is freed once, by one of the two, and
 * nobody touches it any more (it is overwritten then); a receiver that rests has
 * not left a message behind.
 */
#include "world.h"

#include <string.h>

#include "mailbox/burst.h"

enum { SENDER, RECEIVER };

enum { MESSAGES = 12, PAYLOAD = 1000 };

struct shape {
	unsigned from; /* the word that the first message gets */
	unsigned puts;
	unsigned
	    small; /* those of them, a bit each, that are put as they are */
	unsigned looks; /* in vain, before the receiver shuts it; 0: never */
	bool early; /* it shuts it before it looks */
};

static struct {
	struct shape shape;
	alignas(2 * TRI_LINE) struct tri_burst burst;
	struct tr_msg msg[MESSAGES];
	struct tri_pool pool; /* the receiver's */
	unsigned taken;
	unsigned sent; /* puts that have returned */
	unsigned again; /* those that were the sender's again */
	unsigned left; /* that it did not put */
	unsigned freed;
	bool sender_ended, rests;
} cell;

static void
free_burst(void)
{
	SCHED_CHECK(cell.freed == 0);
	cell.freed++;
	memset(&cell.burst, 0x5a, sizeof(cell.burst));
}

/* -------------------------------------------------------------- sender -- */

/* As stream_close: it is `at` words long. */
static void
send_end(uint32_t at, uint32_t last)
{
	uint32_t end;
	bool own;

	end = tri_burst_end(&cell.burst, at, &own);
	sched_note("ends: %u of %u", (unsigned)end, (unsigned)at);
	SCHED_CHECK(end == at || (own && end == last));
	if (own)
		free_burst();
	if (end < at)
		cell.again++;
	cell.sender_ended = true;
}

static void
send(void)
{
	uint32_t at = cell.shape.from, last = at;
	unsigned n = 0;
	bool open;

	while (n < cell.shape.puts) {
		struct tr_msg *m = &cell.msg[n];

		last = at;
		if (cell.shape.small >> n & 1) {
			uint64_t payload = PAYLOAD + n;

			at += tri_burst_words(sizeof(payload));
			open = tri_burst_put_small(&cell.burst, last, n,
			    &payload, sizeof(payload));
		} else {
			m->tag = n;
			open = tri_burst_put(&cell.burst, at++, m);
		}
		n++;
		if (!open || at >= TRI_BURST_FULL)
			break;
		cell.sent++;
	}
	/* What was not put is pushed, as the last one that was not taken. */
	send_end(at, last);
	cell.left = cell.shape.puts - n;
}

/* ------------------------------------------------------------ receiver -- */

static void
take(struct tr_msg *m, bool small)
{
	unsigned n = cell.taken++;

	sched_note("takes %u", n);
	SCHED_CHECK(n < cell.shape.puts && m->tag == n);
	SCHED_CHECK(small == (cell.shape.small >> n & 1));
	if (small) {
		SCHED_CHECK(*(uint64_t *)tri_msg_payload(m) == PAYLOAD + n);
		tri_pool_free(&cell.pool, m, m->size_class);
	} else {
		SCHED_CHECK(m == &cell.msg[n]);
	}
}

/* true: the burst is over for the receiver. */
static bool
receive_shut(void)
{
	unsigned sent = cell.sent;

	tri_burst_shut(&cell.burst);
	sched_fence_others();
	if (!tri_burst_settle(&cell.burst))
		return false;
	sched_note("rests");
	cell.rests = true;
	/* What the sender believed to be on its way is not left behind. */
	SCHED_CHECK(cell.taken >= sent);
	return true;
}

static bool
somebody_went_on(const void *before)
{
	return cell.sent != (unsigned)(uintptr_t)before || cell.sender_ended;
}

static void
receive(void)
{
	unsigned vain = 0;

	if (cell.shape.early && receive_shut())
		return;
	for (;;) {
		unsigned before = cell.sent;
		struct tr_msg *none = NULL, *m;
		bool small;

		m = tri_burst_take(&cell.burst, &cell.pool, &none, &small);

		if (m != NULL) {
			take(m, small);
			continue;
		}
		if (tri_burst_is_over(&cell.burst)) {
			free_burst();
			return;
		}
		if (++vain == cell.shape.looks) {
			vain = 0;
			if (receive_shut())
				return;
		} else if (!tri_burst_has_any(&cell.burst) &&
		    !tri_burst_is_over(&cell.burst)) {
			sched_wait(somebody_went_on, (void *)(uintptr_t)before);
		}
	}
}

/* --------------------------------------------------------------- cases -- */

static void
begin(struct shape shape)
{
	world_begin();
	memset(&cell, 0, sizeof(cell));
	SCHED_CHECK(tri_pool_init(&cell.pool, &world.env.memory, &cell, 0, 1));
	/* A block is used again and again. */
	memset(&cell.burst, 0xa5, sizeof(cell.burst));
	cell.shape = shape;
	tri_burst_init(&cell.burst, 1);
	/* As if so much had been taken. */
	cell.burst.at = shape.from;
	cell.burst.word[shape.from].payload = 0;
	sched_name(&cell.burst.shut, sizeof(cell.burst.shut), "shut");
	sched_name(&cell.burst.end, sizeof(cell.burst.end), "end");
	sched_name(cell.burst.word, sizeof(cell.burst.word), "word");
}

static void
body(unsigned thread)
{
	if (thread == SENDER)
		send();
	else
		receive();
}

static uint64_t
check(void)
{
	SCHED_CHECK(cell.freed == 1);
	SCHED_CHECK(cell.taken + cell.again + cell.left == cell.shape.puts);
	SCHED_CHECK(cell.again == 0 || cell.rests);
	tri_pool_fini(&cell.pool);
	return sched_mix(cell.taken, cell.rests);
}

static void
begin_patient(void)
{
	begin((struct shape){ .puts = 3, .small = 2 });
}

static void
begin_shut(void)
{
	begin((struct shape){ .puts = 3, .looks = 1 });
}

static void
begin_shut_later(void)
{
	begin((struct shape){ .puts = 4, .small = 5, .looks = 2 });
}

static void
begin_early(void)
{
	begin(
	    (struct shape){ .puts = 3, .small = 4, .looks = 1, .early = true });
}

static void
begin_small(void)
{
	begin((struct shape){ .puts = 3, .small = 7, .looks = 1 });
}

static void
begin_full(void)
{
	begin((struct shape){ .from = TRI_BURST_FULL - 3,
	    .puts = 4,
	    .small = 2,
	    .looks = 2 });
}

#define BURST_CASE(n, b, w)                                                   \
	{                                                                     \
		.name = n, .what = w, .threads = 2, .setup = b, .body = body, \
		.check = check, .buffers = true                               \
	}

static const struct sched_case cases[] = {
	BURST_CASE("patient", begin_patient,
	    "a receiver that waits until the sender has ended it"),
	BURST_CASE("shut", begin_shut, "one that rests as soon as it can"),
	BURST_CASE("shut_later", begin_shut_later,
	    "one that rests after a while"),
	BURST_CASE("early", begin_early, "one that wants none from the outset"),
	BURST_CASE("small", begin_small, "the messages are there as they are"),
	BURST_CASE("full", begin_full, "the words are used up"),
};

int
main(int argc, char **argv)
{
	return sched_main(argc, argv, cases, sizeof(cases) / sizeof(*cases),
	    " burst.h ");
}
