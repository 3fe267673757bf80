/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * records.c - schedules of actors/record.c: timers and asks that end while
 * they fire, on another worker than the one they were armed on.
 */
#include "players.h"

/* --------------------------------------------------------------- timers -- */

/* Actor 0 has a timer on worker 0; actor 1, on worker 1, has one at the same
 * time and then tells the other, which comes over, to cancel its own. */
static int
timer_owner(struct tr_self *self, const struct tr_msg *msg)
{
	int rc;

	if (msg == NULL) {
		rig.timer = rig.delay_ns == TICK_NS && !rig.repeats ?
		    tr_after(self, TICK_NS, TICK, 0) :
		    rig.repeats ? tr_repeat(self, rig.delay_ns, TICK, 0) :
				  tr_every(self, rig.delay_ns, TICK, 0);
		SCHED_CHECK(rig.timer != 0);
		return TR_OK;
	}
	if (tr_tag(msg) == TICK) {
		SCHED_CHECK(!rig.cancelled);
		rig.ticks++;
		return TR_OK;
	}
	rc = tr_timer_cancel(self, rig.timer);
	SCHED_CHECK(rc == TR_OK ||
	    (rig.ticks == 1 && rig.delay_ns == TICK_NS && !rig.repeats));
	rig.cancelled = true;
	rig.met = true;
	return TR_OK;
}

static int
timer_other(struct tr_self *self, const struct tr_msg *msg)
{
	if (msg == NULL)
		return tr_after(self, TICK_NS, TICK, 0) == 0 ? TR_ENOMEM :
							       TR_OK;
	return tr_send(self, rig.actor[0], CANCEL, NULL, 0);
}

static void
begin_timers(void)
{
	players_add(1, 1, true, timer_other);
	players_add(0, 0, false, timer_owner);
	world.now += LATER_NS;
}

static void
begin_after(void)
{
	players_begin(0);
	begin_timers();
}

static void
begin_every(void)
{
	players_begin(0);
	rig.delay_ns = TICK_NS + 1;
	begin_timers();
}

static void
begin_repeat(void)
{
	players_begin(0);
	rig.repeats = true;
	begin_timers();
}

/* The owner ends, rather than cancel. */
static int
timer_mortal(struct tr_self *self, const struct tr_msg *msg)
{
	if (msg == NULL || tr_tag(msg) == TICK)
		return timer_owner(self, msg);
	rig.cancelled = true;
	rig.met = true;
	rig.alive--;
	return tr_exit(self, TR_SHUTDOWN);
}

static void
begin_owner_ends(void)
{
	players_begin(0);
	rig.delay_ns = TICK_NS + 1;
	players_add(1, 1, true, timer_other);
	players_add(0, 0, false, timer_mortal);
	world.now += LATER_NS;
}

/* ----------------------------------------------------------------- asks -- */

static int
on_outcome(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	(void)self;
	(void)state;
	(void)cookie;
	sched_note("outcome %d", outcome);
	SCHED_CHECK((answer != NULL) == (outcome == TR_OK));
	SCHED_CHECK(rig.outcomes == 0);
	SCHED_CHECK(outcome == TR_OK || outcome == TR_ETIMEDOUT ||
	    outcome == TR_ECANCELED);
	SCHED_CHECK(outcome != TR_ECANCELED || rig.cancelled);
	SCHED_CHECK(!rig.cancelled || outcome == TR_ECANCELED);
	rig.outcomes++;
	rig.history = sched_mix(rig.history, (uint64_t)(outcome + 1000));
	rig.met = true;
	return TR_OK;
}

/* Asks, and then it is late; nudged, it comes over, and maybe cancels. */
static int
asker(struct tr_self *self, const struct tr_msg *msg)
{
	if (msg == NULL)
		return TR_OK;
	if (tr_tag(msg) == GO) {
		rig.ask = tr_ask(self, rig.actor[1], WORK, NULL, 0,
		    tr_in(self, TICK_NS), on_outcome, 0);
		SCHED_CHECK(rig.ask != 0);
		sched_pass();
		world.now += LATER_NS;
	} else if (tr_tag(msg) == CANCEL && rig.ask != 0 &&
	    tr_cancel(self, rig.ask) == TR_OK) {
		rig.cancelled = true;
	}
	return TR_OK;
}

static int
answerer(struct tr_self *self, const struct tr_msg *msg)
{
	return msg == NULL ? TR_OK : tr_reply(self, msg, WORK, NULL, 0);
}

static int
nudger(struct tr_self *self, const struct tr_msg *msg)
{
	return msg == NULL || tr_tag(msg) == WORK ?
	    TR_OK :
	    tr_send(self, rig.actor[0], tr_tag(msg), NULL, 0);
}

static void
begin_asks(uint32_t nudge)
{
	players_begin(0);
	players_add(0, 0, false, asker);
	players_add(1, 1, true, answerer);
	players_add(2, 1, true, nudger);
	players_post(0, GO);
	players_post(2, nudge);
}

static void
begin_ask(void)
{
	begin_asks(TICK);
}

static void
begin_cancel(void)
{
	begin_asks(CANCEL);
}

/* ---------------------------------------------------------------- cases -- */

static const struct sched_case cases[] = {
	PLAYERS_CASE("after", 2, begin_after, players_work, players_check,
	    "a timer is cancelled on another worker while it fires"),
	PLAYERS_CASE("every", 2, begin_every, players_work, players_check,
	    "the same with one that fires again"),
	PLAYERS_CASE("repeat", 2, begin_repeat, players_work, players_check,
	    "the same with a fixed delay"),
	PLAYERS_CASE("owner_ends", 2, begin_owner_ends, players_work,
	    players_check, "a timer's owner ends elsewhere while it fires"),
	PLAYERS_CASE("ask", 2, begin_ask, players_work, players_check,
	    "an answer, a deadline, and an asker that moves"),
	PLAYERS_CASE("cancel", 2, begin_cancel, players_work, players_check,
	    "and one that cancels"),
};

int
main(int argc, char **argv)
{
	return sched_main(argc, argv, cases, sizeof(cases) / sizeof(*cases),
	    " record.c timer.c ");
}
