/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keep.c - schedules of actors/keep.c: a keeper on worker 0 and its child on
 * worker 1, which fails, is held, lives again, and ends, while others send to
 * it, kill it, or the keeper ends.
 *
 * The child is found to have handled what it was sent once and in order; when
 * it ended for good nobody has it, its slot and its bond are free.
 */
#include "players.h"

#include <string.h>

#include "actors/keep.h"

enum { CRASH = WORK + 1, LIVES = 2 };

static struct {
	tr_ref child;
	unsigned starts, stops, left;
	unsigned killed; /* that it has seen */
	bool kills, stops_twice, no_release;
} k;

/* ---------------------------------------------------------------- child -- */

static int
child_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	(void)arg;
	SCHED_CHECK(*(unsigned *)state == 0);
	SCHED_CHECK(k.starts == k.stops);
	*(unsigned *)state = 1;
	sched_note("child starts, life %u", k.starts);
	k.starts++;
	return TR_OK;
}

static int
child_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	unsigned n;

	(void)self;
	SCHED_CHECK(*(unsigned *)state == 1);
	if (tr_tag(msg) == CRASH)
		return TR_EINVAL;
	n = *(const unsigned *)tr_data(msg, sizeof(unsigned));
	sched_note("child gets %u", n);
	SCHED_CHECK(rig.got[0][n] == 0 && rig.last[0] <= n);
	rig.got[0][n]++;
	rig.last[0] = n;
	rig.history = sched_mix(rig.history, n * 16 + k.starts);
	return TR_OK;
}

static void
child_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)self;
	SCHED_CHECK(*(unsigned *)state == 1);
	sched_note("child stops: %d", why->code);
	k.killed += why->code == TR_KILLED;
	k.stops++;
}

static const struct tr_behavior child = {
	.name = "child",
	.state_size = sizeof(unsigned),
	.start = child_start,
	.receive = child_receive,
	.stop = child_stop,
};

/* --------------------------------------------------------------- keeper -- */

int
tri_supervisor_told(struct tr_self *self, void *state, bool kill)
{
	(void)state;
	return tr_exit(self, kill ? TR_KILLED : TR_SHUTDOWN);
}

/* The second STOP comes to the next life, and is not for it. */
static int
stop_twice(struct tr_self *self)
{
	const unsigned n = SENDS;

	if (k.starts == LIVES &&
	    tr_send(self, k.child, WORK, &n, sizeof(n)) != TR_OK)
		return TR_ENOMEM;
	tr_stop(self, k.child, INT64_MAX);
	tr_stop(self, k.child, INT64_MAX);
	return TR_OK;
}

int
tri_supervisor_notice(struct tr_self *self, void *state,
    const struct tri_keep_notice *n)
{
	struct tri_crew *c = tri_crew_of(self);

	(void)state;
	sched_note("notice %u", n->events);
	rig.history = sched_mix(rig.history, n->events);
	SCHED_CHECK(n->events != 0 && n->cookie == 7);
	if ((n->events & TRI_KEEP_ENDED) != 0) {
		tri_keep_forget(c, n->bond);
		rig.alive--;
		rig.met = true;
	} else if ((n->events & TRI_KEEP_HELD) != 0) {
		SCHED_CHECK(k.starts == k.stops);
		if (k.left-- > 0)
			return tri_keep_restart(c, n->bond, &child, NULL);
		if (!k.no_release)
			tri_keep_release(c, n->bond);
		else /* it ends with what it has */
			return tr_exit(self, TR_NORMAL);
	} else if (k.kills) {
		tr_kill(self, k.child);
	} else if (k.stops_twice) {
		return stop_twice(self);
	}
	return TR_OK;
}

static int
keeper(struct tr_self *self, const struct tr_msg *msg)
{
	const struct tr_spawn_options o = {
		.placement = TR_PLACE_WORKER,
		.worker = 1,
	};
	const struct tri_keep_options keep = {
		.policy = TRI_KEEP_ALL,
		.cookie = 7,
	};
	struct tri_record *bond;
	int error;

	if (msg != NULL) {
		/* It leaves; its child goes with it. */
		rig.alive -= 2;
		rig.met = true;
		return tr_exit(self, TR_SHUTDOWN);
	}
	k.child = tri_keep_spawn(tri_crew_of(self), &child, NULL, &o, &keep,
	    &bond, &error);
	SCHED_CHECK(tr_ref_valid(k.child));
	rig.alive++;
	return TR_OK;
}

/* Work before, between and behind the failures. */
static int
customer(struct tr_self *self, const struct tr_msg *msg)
{
	if (msg == NULL)
		return TR_OK;
	for (unsigned n = 0; n < SENDS; n++) {
		if (tr_send(self, k.child, WORK, &n, sizeof(n)) != TR_OK)
			return TR_ENOMEM;
		if (!k.kills && n < LIVES &&
		    tr_send(self, k.child, CRASH, NULL, 0) != TR_OK)
			return TR_ENOMEM;
	}
	return TR_OK;
}

/* ---------------------------------------------------------------- cases -- */

static void
begin_alone(void)
{
	players_begin(0);
	memset(&k, 0, sizeof(k));
	k.left = LIVES - 1;
	players_add(0, 0, true, keeper);
}

static void
begin(void)
{
	begin_alone();
	players_add(1, 0, true, customer);
	players_post(1, GO);
}

static uint64_t
check(void)
{
	SCHED_CHECK(k.starts == k.stops);
	return players_check();
}

/* All of the lives, and with work in the order in which it was sent. */
static uint64_t
check_restart(void)
{
	SCHED_CHECK(k.starts == LIVES);
	SCHED_CHECK(rig.got[0][0] == 1 && rig.got[0][1] == 1);
	SCHED_CHECK(rig.got[0][2] == 0);
	return check();
}

static void
begin_kill(void)
{
	begin();
	k.kills = true;
}

static uint64_t
check_kill(void)
{
	SCHED_CHECK(k.starts == LIVES && k.killed == LIVES);
	return check();
}

static void
begin_stop(void)
{
	begin_alone();
	k.stops_twice = true;
}

static uint64_t
check_stop(void)
{
	SCHED_CHECK(k.starts == LIVES && rig.got[0][SENDS] == 1);
	return check();
}

static void
begin_leave(void)
{
	begin();
	k.left = LIVES;
	players_post(0, GO);
}

static void
begin_orphan(void)
{
	begin();
	k.no_release = true;
	rig.alive -= 2;
	rig.met = true;
}

static const struct sched_case cases[] = {
	PLAYERS_CASE("restart", 2, begin, players_work, check_restart,
	    "a child fails twice, lives twice, and is sent to"),
	PLAYERS_CASE("kill", 2, begin_kill, players_work, check_kill,
	    "the same with kills"),
	PLAYERS_CASE("stop", 2, begin_stop, players_work, check_stop,
	    "each life is stopped twice"),
	PLAYERS_CASE("leave", 2, begin_leave, players_work, check,
	    "a keeper ends while its child fails"),
	PLAYERS_CASE("orphan", 2, begin_orphan, players_work, check,
	    "a keeper ends that has a held child"),
};

int
main(int argc, char **argv)
{
	return sched_main(argc, argv, cases, sizeof(cases) / sizeof(*cases),
	    " keep.c die.c ");
}
