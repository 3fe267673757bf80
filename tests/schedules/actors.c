/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * actors.c - schedules of the whole runtime: mailboxes whose actor ends and
 * whose slot is used again; an actor that fails by too much mail; the mark that
 * tells actors to end without memory; the byte budget; the system's stop, also
 * while somebody is born; posts from outside.
 */
#include "players.h"

/* ----------------------------------------------------------------- mail -- */

/* Ends at its second message. */
static int
mortal(struct tr_self *self, const struct tr_msg *msg)
{
	unsigned sender = 0, k;

	if (msg == NULL)
		return TR_OK;
	while (sender < 3 && !tr_ref_equal(tr_sender(msg), rig.actor[sender]))
		sender++;
	k = *(const unsigned *)tr_data(msg, sizeof(unsigned));
	SCHED_CHECK(rig.got[sender][k] == 0);
	SCHED_CHECK(rig.last[sender] <= k);
	rig.got[sender][k]++;
	rig.last[sender] = k;
	if (++rig.worked == 2) {
		rig.alive--;
		return tr_exit(self, TR_SHUTDOWN);
	}
	return TR_OK;
}

/* Some messages; the first one then gives the slot to somebody. */
static int
sender(struct tr_self *self, const struct tr_msg *msg)
{
	tr_ref next;

	if (msg == NULL)
		return TR_OK;
	for (unsigned k = 0; k < SENDS; k++)
		if (tr_send(self, rig.actor[2], WORK, &k, sizeof(k)) != TR_OK)
			return TR_ENOMEM;
	if (tr_tag(msg) == GO)
		return TR_OK;
	/* Without start() its state says: actor 0. */
	next = tr_spawn(self, &player_plain, NULL, NULL);
	SCHED_CHECK(tr_ref_valid(next));
	rig.alive++;
	return tr_send(self, next, TICK, NULL, 0);
}

static int
sender_or_heir(struct tr_self *self, const struct tr_msg *msg)
{
	if (msg != NULL && tr_tag(msg) == TICK)
		return TR_OK;
	return sender(self, msg);
}

static void
begin_mail(void)
{
	players_begin(0);
	rig.met = true;
	players_add(2, 0, false, mortal);
	players_add(0, 0, true, sender_or_heir);
	players_add(1, 1, true, sender);
	players_post(0, GO);
	players_post(1, CANCEL);
}

/* The same with a bound: what was reserved is given back, also of messages
 * that came for an actor whose slot has its next one. */
static void
begin_bound(void)
{
	players_begin(0);
	rig.met = true;
	rig.max_items = 2;
	players_add(2, 0, false, mortal);
	rig.max_items = 0;
	players_add(0, 0, true, sender_or_heir);
	players_add(1, 1, true, sender);
	players_post(0, GO);
	players_post(1, CANCEL);
}

static uint64_t
check_bound(void)
{
	uint32_t slot = tri_ref_slot(rig.actor[2]);
	struct tri_intake *in = tri_intake(rig.sys, tri_cell(rig.sys, slot));

	/* It may have got too few to end. */
	SCHED_CHECK(rig.worked <= 2);
	SCHED_CHECK(in->waiting == 0);
	return players_check();
}

/* ----------------------------------------------------------------- heir -- */

/* Actor 0, or the heir, which nobody ever wrote to. */
static int
late_sender(struct tr_self *self, const struct tr_msg *msg)
{
	const unsigned k = 0;

	if (msg == NULL)
		return TR_OK;
	if (!tr_ref_equal(tr_self_ref(self), rig.actor[0]))
		sched_fail("it gets what was sent to the one before it");
	return tr_send(self, rig.actor[2], WORK, &k, sizeof(k));
}

/* Makes the mortal one end, and gives its slot to somebody who is idle. */
static int
breeder(struct tr_self *self, const struct tr_msg *msg)
{
	if (msg == NULL)
		return TR_OK;
	for (unsigned k = 0; tr_tag(msg) == GO && k < 2; k++)
		SCHED_CHECK(
		    tr_send(self, rig.actor[2], WORK, &k, sizeof(k)) == TR_OK);
	if (tri_cell_find(rig.sys, rig.actor[2]) != NULL) {
		/* Another worker may have it, and not get on. */
		return rig.ticks++ < 8 ?
		    tr_send(self, tr_self_ref(self), TICK, NULL, 0) :
		    TR_OK;
	}
	SCHED_CHECK(tr_ref_valid(tr_spawn(self, &player_plain, NULL, NULL)));
	rig.alive++;
	return TR_OK;
}

static void
begin_heir(void)
{
	players_begin(0);
	rig.met = true;
	players_add(2, 0, false, mortal);
	players_add(0, 0, true, late_sender);
	players_add(1, 1, true, breeder);
	players_post(0, GO);
	players_post(1, GO);
}

/* ---------------------------------------------------------------- burst -- */

/* Takes what comes; it fails when that is too much at a time. */
static int
glutton(struct tr_self *self, const struct tr_msg *msg)
{
	(void)self;
	rig.worked += msg != NULL;
	return TR_OK;
}

static void
begin_burst(void)
{
	players_begin(0);
	rig.met = true;
	rig.max_items = 1;
	rig.overflow = TR_FAIL_FULL;
	players_add(2, 0, true, glutton);
	rig.max_items = 0;
	players_add(1, 1, true, sender);
	players_post(1, GO);
}

/* Either all was handled, or it has failed: nobody has to wake it still. */
static uint64_t
check_burst(void)
{
	uint32_t slot = tri_ref_slot(rig.actor[2]);
	struct tri_intake *in = tri_intake(rig.sys, tri_cell(rig.sys, slot));
	struct tr_stats stats;

	SCHED_CHECK(tr_stats(rig.sys, &stats) == TR_OK);
	SCHED_CHECK(stats.failed <= 1);
	SCHED_CHECK(stats.failed == 1 || rig.worked == SENDS);
	SCHED_CHECK((tri_cell_find(rig.sys, rig.actor[2]) == NULL) ==
	    (stats.failed == 1));
	SCHED_CHECK(in->waiting == 0);
	rig.alive -= (unsigned)stats.failed;
	return players_check();
}

/* ----------------------------------------------------------------- mark -- */

/* No block of the smallest class is to be had; of the next there are some. */
static void
dry_up(void)
{
	for (unsigned i = 0; i < WORKERS; i++) {
		struct tri_pool *pool = &tri_crew_at(rig.sys, i)->worker.pool;
		struct tri_pool_class *c = &pool->classes[0];

		tri_pool_free(pool, tri_pool_alloc(pool, 1), 1);
		c->free = c->batches = NULL;
		c->bump = c->bump_end;
	}
	world.dry = true;
}

/*
 * One stops the victim, the other has it end by a message; then each gives a
 * slot, perhaps the victim's, to a new actor and kills that: two messages to
 * itself later, when the victim has had its turn.  Messages with a payload are
 * of another class, of which there are blocks.
 */
static int
ender(struct tr_self *self, const struct tr_msg *msg)
{
	const uint64_t payload[2] = { 0 };
	tr_ref next;

	if (msg == NULL)
		return TR_OK;
	if (tr_tag(msg) == GO)
		tr_stop(self, rig.actor[2], INT64_MAX);
	else if (tr_tag(msg) == CANCEL)
		tr_send(self, rig.actor[2], WORK, payload, sizeof(payload));
	if (tr_tag(msg) != TICK)
		return tr_send(self, tr_self_ref(self),
		    tr_tag(msg) == WORK ? TICK : WORK, payload,
		    sizeof(payload));
	next = tr_spawn(self, &player_plain, NULL, NULL);
	SCHED_CHECK(tr_ref_valid(next));
	tr_kill(self, next);
	if (++rig.told == 2)
		rig.met = true;
	return TR_OK;
}

static int
victim(struct tr_self *self, const struct tr_msg *msg)
{
	return msg == NULL ? TR_OK : tr_exit(self, TR_SHUTDOWN);
}

static void
begin_mark(void)
{
	players_begin(0);
	players_add(2, 0, false, victim);
	players_add(0, 0, true, ender);
	players_add(1, 1, true, ender);
	players_post(0, GO);
	players_post(1, CANCEL);
	rig.alive--;
	dry_up();
}

static uint64_t
check_mark(void)
{
	SCHED_CHECK(rig.stops == 1);
	return players_check();
}

/* --------------------------------------------------------------- budget -- */

/* Two take and give back memory; everyone looks at the budget. */
static void
spend(unsigned thread)
{
	struct tri_pool *pool =
	    &tri_crew_at(rig.sys, thread % WORKERS)->worker.pool;
	void *block = NULL;

	if (thread < WORKERS) {
		block = tri_pool_alloc(pool, TRI_CLASSES - 1);
		SCHED_CHECK(block != NULL);
	}
	tri_budget_poll(rig.sys);
	rig.history =
	    sched_mix(rig.history, (uint64_t)tr_pressure(rig.sys) * 4 + thread);
	if (block == NULL)
		return;
	tri_pool_free(pool, block, TRI_CLASSES - 1);
	tri_budget_poll(rig.sys);
}

static void
begin_budget(void)
{
	players_begin(tri_class_bytes(TRI_CLASSES - 1));
}

static uint64_t
check_budget(void)
{
	SCHED_CHECK(tri_budget_live(rig.sys) == 0);
	if (tr_pressure(rig.sys) != TR_PRESSURE_NONE)
		sched_fail("pressure is left, and nobody will look");
	SCHED_CHECK(!tri_is_over_budget(rig.sys));
	SCHED_CHECK(rig.sys->budget_asked == 0);
	return rig.history;
}

/* ----------------------------------------------------------------- stop -- */

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
begin_stop(void)
{
	players_begin(0);
	rig.ends = true;
	rig.delay_ns = TICK_NS + 1;
	players_add(0, 0, false, answerer);
	players_add(1, 1, true, nudger);
	players_add(2, 1, false, answerer);
	players_post(1, TICK);
	rig.alive = 0;
}

/* Posts go on until the stop refuses them. */
static void
stop(void)
{
	(void)tr_post(rig.sys, rig.actor[2], GO, NULL, 0);
	(void)tr_system_stop(rig.sys, INT64_MAX);
	SCHED_CHECK(
	    tr_post(rig.sys, rig.actor[2], GO, NULL, 0) == TR_ESTOPPING);
}

static void
stop_body(unsigned thread)
{
	if (thread < WORKERS)
		players_work(thread);
	else
		stop();
}

static uint64_t
check_stop(void)
{
	SCHED_CHECK(rig.stops == 3);
	SCHED_CHECK(rig.sys->report.left == 0);
	return players_check();
}

/* ---------------------------------------------------------------- birth -- */

/* It stops the system, and ends: perhaps before its parent goes on. */
static int
newborn_start(struct tr_self *self, void *state, const void *arg)
{
	(void)state;
	(void)arg;
	(void)tr_system_stop(tr_system_of(self), INT64_MAX);
	return tr_exit(self, TR_NORMAL);
}

static int
newborn_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)self;
	(void)state;
	(void)msg;
	return TR_OK;
}

static const struct tr_behavior newborn = {
	.name = "newborn",
	.start = newborn_start,
	.receive = newborn_receive,
};

static int
parent(struct tr_self *self, const struct tr_msg *msg)
{
	const struct tr_spawn_options o = { .placement = TR_PLACE_WORKER,
		.worker = 1 };

	if (msg != NULL)
		SCHED_CHECK(tr_ref_valid(tr_spawn(self, &newborn, NULL, &o)));
	return TR_OK;
}

static void
begin_birth(void)
{
	players_begin(0);
	rig.ends = true;
	players_add(0, 0, true, parent);
	players_post(0, GO);
	rig.alive = 0;
}

/* The system has not ended before its last actor. */
static uint64_t
check_birth(void)
{
	SCHED_CHECK(rig.stops == 1);
	SCHED_CHECK(rig.sys->report.left == 0);
	return players_check();
}

/* ---------------------------------------------------------------- posts -- */

static void
begin_post(void)
{
	players_begin(0);
	rig.met = true;
	players_add(2, 0, false, mortal);
}

static void
post_body(unsigned thread)
{
	if (thread < WORKERS) {
		players_work(thread);
		return;
	}
	for (unsigned k = 0; k < SENDS; k++)
		(void)tr_post(rig.sys, rig.actor[2], WORK, &k, sizeof(k));
}

/* ---------------------------------------------------------------- cases -- */

static const struct sched_case cases[] = {
	PLAYERS_CASE("mail", 2, begin_mail, players_work, players_check,
	    "2 senders, an actor that ends, its slot is used again"),
	PLAYERS_CASE("heir", 2, begin_heir, players_work, players_check,
	    "a sender that is slow, an actor that ends, an idle one after it"),
	PLAYERS_CASE("bound", 2, begin_bound, players_work, check_bound,
	    "the same with a bounded mailbox"),
	PLAYERS_CASE("burst", 2, begin_burst, players_work, check_burst,
	    "a sender, an actor that fails when it has too much"),
	PLAYERS_CASE("mark", 2, begin_mark, players_work, check_mark,
	    "2 workers end actors of a slot, without memory"),
	PLAYERS_CASE("budget", 3, begin_budget, spend, check_budget,
	    "3 look at the byte budget, 2 allocate and free"),
	PLAYERS_CASE("stop", 3, begin_stop, stop_body, check_stop,
	    "the system is stopped from outside"),
	PLAYERS_CASE("birth", 2, begin_birth, players_work, check_birth,
	    "the system is stopped by an actor that is just born, and ends"),
	PLAYERS_CASE("post", 3, begin_post, post_body, players_check,
	    "a foreign thread posts to an actor that ends"),
};

int
main(int argc, char **argv)
{
	return sched_main(argc, argv, cases, sizeof(cases) / sizeof(*cases),
	    " bound.c budget.c mark.c run.c post.c ");
}
