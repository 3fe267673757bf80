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
#include "engine.h"

#include <string.h>

#include "mailbox/burst.h"

enum { SENDER, RECEIVER };

enum { MESSAGES = 12 };

struct shape {
	unsigned from; /* the place that the first message gets */
	unsigned puts;
	unsigned looks; /* in vain, before the receiver shuts it; 0: never */
	unsigned most; /* messages that it takes at a time */
	bool early; /* it shuts it before it looks */
};

static struct {
	struct shape shape;
	alignas(2 * TRI_LINE) struct tri_burst burst;
	struct tr_msg msg[MESSAGES];
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

/* As stream_close. */
static void
send_end(unsigned n)
{
	uint32_t put = cell.shape.from + n, end;
	bool own;

	end = tri_burst_end(&cell.burst, put, &own);
	sched_note("ends: %u of %u", (unsigned)end - cell.shape.from, n);
	SCHED_CHECK(end == put || (own && n > 0 && end + 1 == put));
	if (own)
		free_burst();
	if (end < put)
		cell.again++;
	cell.sender_ended = true;
}

static void
send(void)
{
	unsigned n = 0;

	while (n < cell.shape.puts) {
		struct tr_msg *m = &cell.msg[n];

		m->tag = n;
		if (!tri_burst_put(&cell.burst, cell.shape.from + n++, m) ||
		    cell.shape.from + n == TRI_BURST_PLACES)
			break;
		cell.sent++;
	}
	/* What was not put is pushed, as the last one that was not taken. */
	send_end(n);
	cell.left = cell.shape.puts - n;
}

/* ------------------------------------------------------------ receiver -- */

static void
take(struct tr_msg *m, unsigned n)
{
	for (; n > 0; n--) {
		SCHED_CHECK(m != NULL && m == &cell.msg[cell.taken]);
		SCHED_CHECK(m->tag == cell.taken);
		sched_note("takes %u", cell.taken);
		cell.taken++;
		m = m->link;
	}
	SCHED_CHECK(m == NULL);
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
		struct tr_msg *first, *last;
		unsigned before = cell.sent;
		unsigned n =
		    tri_burst_take(&cell.burst, cell.shape.most, &first, &last);

		take(first, n);
		if (n > 0)
			continue;
		if (tri_burst_is_over(&cell.burst)) {
			free_burst();
			return;
		}
		if (++vain == cell.shape.looks) {
			vain = 0;
			if (receive_shut())
				return;
		} else if (tri_burst_peek(&cell.burst) == NULL &&
		    !tri_burst_is_over(&cell.burst)) {
			sched_wait(somebody_went_on, (void *)(uintptr_t)before);
		}
	}
}

/* --------------------------------------------------------------- cases -- */

static void
begin(struct shape shape)
{
	memset(&cell, 0, sizeof(cell));
	/* A block is used again and again. */
	memset(&cell.burst, 0xa5, sizeof(cell.burst));
	cell.shape = shape;
	tri_burst_init(&cell.burst);
	/* As if so many had been taken. */
	cell.burst.at = shape.from;
	for (unsigned i = shape.from; i < TRI_BURST_PLACES &&
	     i / TRI_BURST_LINE == shape.from / TRI_BURST_LINE;
	     i++)
		cell.burst.place[i] = NULL;
	sched_name(&cell.burst.shut, sizeof(cell.burst.shut), "shut");
	sched_name(&cell.burst.end, sizeof(cell.burst.end), "end");
	sched_name(cell.burst.place, sizeof(cell.burst.place), "place");
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
	return sched_mix(cell.taken, cell.rests);
}

static void
begin_patient(void)
{
	begin((struct shape){ .puts = 3, .most = 2 });
}

static void
begin_shut(void)
{
	begin((struct shape){ .puts = 3, .looks = 1, .most = 2 });
}

static void
begin_shut_later(void)
{
	begin((struct shape){ .puts = 4, .looks = 2, .most = 1 });
}

static void
begin_early(void)
{
	begin(
	    (struct shape){ .puts = 3, .looks = 1, .most = 3, .early = true });
}

static void
begin_line(void)
{
	begin((struct shape){ .from = 2 * TRI_BURST_LINE - 2,
	    .puts = 4,
	    .looks = 2,
	    .most = 4 });
}

static void
begin_full(void)
{
	begin((struct shape){ .from = TRI_BURST_PLACES - 3,
	    .puts = 4,
	    .looks = 2,
	    .most = 4 });
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
	    "one that takes them one by one, and rests after a while"),
	BURST_CASE("early", begin_early, "one that wants none from the outset"),
	BURST_CASE("line", begin_line, "the places go on in another line"),
	BURST_CASE("full", begin_full, "the places are used up"),
};

int
main(int argc, char **argv)
{
	return sched_main(argc, argv, cases, sizeof(cases) / sizeof(*cases),
	    " burst.h ");
}
