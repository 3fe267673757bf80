/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What bees do of their own accord: one of everything.  See swarm.h.
 */
#include <signal.h>

#include "swarm.h"

static const char data[50000];

/* ------------------------------------------------------------- messages -- */

static void
payload_drop(void *payload, size_t size)
{
	void *p;

	(void)size;
	memcpy(&p, payload, sizeof(p));
	held_free(p);
}

static void
send_owned(struct bee *b, struct tr_self *self)
{
	struct tr_msg *m =
	    tr_msg_new(self, PLAIN, sizeof(void *), payload_drop);
	void *p = held_new(8);

	if (m == NULL) {
		held_free(p);
		return;
	}
	memcpy(tr_msg_data(m), &p, sizeof(p));
	if (draw(b, 2))
		(void)tr_send_msg(self, somebody(b), &m);
	else if (tr_try_send_msg(self, somebody(b), &m) != TR_OK)
		tr_msg_drop(&m);
}

static void
send_something(struct bee *b, struct tr_self *self)
{
	tr_ref to = somebody(b);

	switch (draw(b, 6)) {
	case 0: (void)tr_send(self, to, PLAIN, data, draw(b, 100)); break;
	case 1: (void)tr_send(self, to, PLAIN, data, draw(b, 50000)); break;
	case 2:
		if (tr_try_send(self, to, PLAIN, data, draw(b, 3000)) != TR_OK)
			b->left += b->left < ORDERS;
		break;
	case 3: send_owned(b, self); break;
	case 4:
		(void)tr_post(tr_system_of(self), to, PLAIN, data, draw(b, 80));
		break;
	default:
		(void)tr_send(self,
		    tr_whereis(tr_system_of(self), draw(b, 2) ? "one" : "two"),
		    PASS, NULL, 0);
		break;
	}
}

static void
send_typed(struct bee *b, struct tr_self *self)
{
	hive_ref to = hive_of(somebody(b));

	switch (draw(b, 4)) {
	case 0:
		(void)hive_send_wax(self, to, (struct hive_wax){ .grams = 3 });
		break;
	case 1:
		(void)hive_send_honey(self, to,
		    (struct hive_honey){ .jar = held_new(8) });
		break;
	case 2:
		(void)hive_post_honey(tr_system_of(self), to,
		    (struct hive_honey){ .jar = held_new(8) });
		break;
	default:
		if (hive_try_send_dance(self, to,
			(struct hive_dance){ .angle = 1 }) != TR_OK)
			b->left += b->left < ORDERS;
		break;
	}
}

/* ----------------------------------------------------------------- asks -- */

static int
on_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct bee *b = state;
	struct tr_msg *kept;

	(void)cookie;
	b->ask = 0;
	if (outcome == TR_OK && draw(b, 8) == 0) {
		kept = tr_take(self, answer);
		tr_msg_drop(&kept);
	}
	if (!b->waits)
		return TR_OK;
	b->waits = false;
	(void)tr_become(self, &bee);
	return tr_unstash(self);
}

static void
ask_something(struct bee *b, struct tr_self *self)
{
	tr_ref to = somebody(b);
	int64_t deadline = draw(b, 2) ? tr_in(self, (int64_t)draw(b, 3000000)) :
					tr_in(self, TR_SECONDS(20));

	switch (draw(b, 5)) {
	case 0: (void)tr_cancel(self, b->ask); break;
	case 1:
		b->ask = hive_ask_wax(self, hive_of(to),
		    (struct hive_wax){ .grams = 1 }, deadline, on_answer, 0);
		break;
	case 2:
		b->ask = draw(b, 2) ?
		    hive_ask_honey(self, hive_of(to),
			(struct hive_honey){ .jar = held_new(8) }, deadline,
			on_answer, 0) :
		    hive_ask_count(self, hive_of(to), deadline, on_answer, 0);
		break;
	default:
		b->ask = tr_ask(self, to, REQUEST, data, draw(b, 40), deadline,
		    on_answer, 0);
		break;
	}
	/* Nothing else meanwhile; but not for 20 seconds. */
	if (b->ask != 0 && deadline < tr_in(self, TR_MS(3)) && draw(b, 3) == 0)
		b->waits = tr_become(self, &waiter) == TR_OK;
}

static void
answer_late(struct bee *b, struct tr_self *self)
{
	if (tr_token_cancelled(self, &b->token))
		(void)tr_token_reply_error(self, &b->token, TR_ECANCELED);
	else if (draw(b, 2))
		(void)tr_token_reply(self, &b->token, REQUEST, NULL, 0);
	else
		(void)hive_token_reply_honey(self, &b->token,
		    (struct hive_honey){ .jar = held_new(8) });
}

/* ------------------------------------------------------------- offloads -- */

static int
job_work(struct tr_system *system, void *arg)
{
	*(int *)arg = 1;
	(void)tr_post(system, swarm.bee[0], PLAIN, NULL, 0);
	return TR_OK;
}

static int
job_done(struct tr_self *self, void *state, int outcome, void *arg)
{
	(void)self;
	(void)outcome;
	((struct bee *)state)->job = 0;
	held_free(arg);
	return TR_OK;
}

static const struct tr_job job = {
	.work = job_work,
	.done = job_done,
	.drop = held_free,
};

static void
offload(struct bee *b, struct tr_self *self)
{
	int64_t deadline =
	    draw(b, 2) ? tr_forever() : tr_in(self, TR_US(draw(b, 2000)));
	int *arg;

	if (b->job != 0 && draw(b, 2)) {
		(void)tr_cancel(self, b->job);
		return;
	}
	arg = held_new(sizeof(*arg));
	if (tr_offload_blocking(self, &job, arg, deadline, &b->job) != TR_OK)
		held_free(arg);
}

/* ------------------------------------------------------ timers and time -- */

static void
set_timer(struct bee *b, struct tr_self *self)
{
	struct tr_system *sys = tr_system_of(self);
	int64_t delay = (int64_t)draw(b, 2000000);
	uint64_t bytes;

	tr_entropy(sys, &bytes, sizeof(bytes));
	if (tr_wall_time(sys) % 2 == 0)
		delay += (int64_t)(bytes % 1000);
	if (draw(b, 2)) {
		(void)tr_after(self,
		    draw(b, 8) ? delay : TR_SECONDS(delay % 20), TICK, 0);
		return;
	}
	(void)tr_timer_cancel(self, b->timer);
	b->timer = draw(b, 2) ? tr_every(self, TR_MS(2), TICK, 1) :
				tr_repeat(self, TR_MS(1), TICK, 1);
}

/* ---------------------------------------------------------------- blobs -- */

static void
blob_unwrap(void *p, size_t size, void *ctx)
{
	(void)size;
	(void)ctx;
	held_free(p);
}

static void
blob_make(struct bee *b, struct tr_self *self)
{
	struct tr_system *sys = tr_system_of(self);
	tr_blob slice;
	void *p;

	tr_blob_drop(&b->blob);
	switch (draw(b, 3)) {
	case 0:
		(void)!tr_blob_new(sys, data, 1 + draw(b, 5000), &b->blob);
		break;
	case 1: (void)!tr_blob_alloc(sys, 1 + draw(b, 90000), &b->blob); break;
	default:
		p = held_new(32);
		if (tr_blob_wrap(sys, p, 32, blob_unwrap, NULL, &b->blob) !=
		    TR_OK)
			held_free(p);
		break;
	}
	if (tr_blob_size(&b->blob) > 4 && draw(b, 2) &&
	    tr_blob_slice(&b->blob, 1, 3, &slice) == TR_OK) {
		tr_blob_drop(&b->blob);
		b->blob = slice;
	}
}

static void
blob_send(struct bee *b, struct tr_self *self)
{
	tr_ref to = somebody(b);
	size_t sent;

	if (tr_blob_size(&b->blob) == 0 || draw(b, 4) == 0)
		blob_make(b, self);
	switch (draw(b, 4)) {
	case 0: (void)tr_send_blob(self, to, PLAIN, &b->blob); break;
	case 1: (void)!tr_try_send_blob(self, to, PLAIN, &b->blob); break;
	case 2:
		(void)tr_post_blob(tr_system_of(self), to, PLAIN, &b->blob);
		break;
	default:
		(void)tr_pg_send_blob(self, "bees", PLAIN, &b->blob, &sent);
		break;
	}
}

/* --------------------------------------------------- names and groups ---- */

static const char *
draw_group(struct bee *b)
{
	static const char *const names[] = { "bees", "queens", "guards" };

	return names[draw(b, 3)];
}

/* Many names at once, so that their table grows. */
static void
take_names(struct bee *b, struct tr_self *self)
{
	char name[8] = "n";
	unsigned i;

	for (i = 0; i < 300; i++) {
		name[1] = (char)('a' + i % 26);
		name[2] = (char)('a' + i / 26);
		name[3] = (char)('a' + draw(b, 26));
		(void)!tr_register(self, name);
	}
}

static void
meet(struct bee *b, struct tr_self *self)
{
	struct tr_system *sys = tr_system_of(self);
	tr_ref members[4];
	char name[8] = "x0";
	size_t sent;

	if (draw(b, 100) == 0)
		take_names(b, self);
	switch (draw(b, 6)) {
	case 0: (void)!tr_pg_join(self, draw_group(b)); break;
	case 1: (void)tr_pg_leave(self, draw_group(b)); break;
	case 2:
		(void)tr_pg_send(self, draw_group(b), PLAIN, data, draw(b, 50),
		    &sent);
		break;
	case 3:
		(void)tr_pg_post(sys, draw_group(b), PLAIN, data, 5, &sent);
		break;
	case 4: (void)tr_pg_members(sys, draw_group(b), members, 4); break;
	default:
		name[1] = (char)('a' + draw(b, 26));
		(void)!tr_register(self,
		    draw(b, 3) == 0     ? "one" :
			draw(b, 2) == 0 ? "two" :
					  name);
		break;
	}
}

/* -------------------------------------------------------------- routers -- */

static uint64_t
key_of(const struct tr_msg *msg)
{
	return tr_size(msg);
}

static void
route(struct bee *b, struct tr_self *self)
{
	unsigned at = (unsigned)draw(b, ROUTERS);
	tr_ref routees[3] = { tr_self_ref(self), swarm.bee[0], swarm.bee[1] };
	struct tr_router_options o = {
		.strategy = (enum tr_route)draw(b, 4),
		.routees = routees,
		.count = draw(b, 4),
		.key = draw(b, 2) ? key_of : NULL,
	};
	tr_ref router;

	if (at < swarm.routers && draw(b, 3) != 0) {
		if (draw(b, 2))
			(void)tr_router_add(self, swarm.router[at],
			    swarm.bee[draw(b, swarm.bees)]);
		else
			(void)tr_router_remove(self, swarm.router[at],
			    swarm.bee[draw(b, swarm.bees)]);
		return;
	}
	if (draw(b, 2)) {
		o.routees = NULL;
		o.count = 0;
		o.group = draw_group(b);
	}
	router = tr_router_spawn(self, &o);
	if (!tr_ref_valid(router))
		return;
	if (swarm.routers < ROUTERS) {
		swarm.router[swarm.routers++] = router;
	} else {
		(void)tr_stop(self, swarm.router[at], tr_in(self, TR_MS(1)));
		swarm.router[at] = router;
	}
}

/* -------------------------------------------------------- life and death -- */

struct tr_spawn_options
draw_options(struct bee *b)
{
	return (struct tr_spawn_options){
		.placement = draw(b, 3) == 0 ? TR_PLACE_PINNED : TR_PLACE_ANY,
		.max_items = draw(b, 3) == 0 ? 1 + (uint32_t)draw(b, 5) : 0,
		.max_bytes = draw(b, 6) == 0 ? 100 + draw(b, 5000) : 0,
		.overflow = (enum tr_overflow)draw(b, 4),
		.max_handler_ns =
		    draw(b, 6) == 0 ? TR_US(1 + draw(b, 5000)) : 0,
	};
}

static void
breed(struct bee *b, struct tr_self *self)
{
	struct tr_spawn_options o = draw_options(b);
	struct bee_arg arg = { draw(b, UINT64_MAX), (unsigned)draw(b, 8) };
	tr_ref child;

	if (swarm.children == 0)
		return;
	swarm.children--;
	o.name = draw(b, 6) == 0 ? "two" : NULL;
	o.link = draw(b, 4) == 0;
	o.monitor = draw(b, 3) == 0 ? &b->monitor : NULL;
	o.monitor_tag = DOWN;
	child = tr_spawn(self, draw(b, 6) == 0 ? &drone : &bee, &arg, &o);
	if (!tr_ref_valid(child))
		return;
	if (swarm.bees < BEES)
		swarm.bee[swarm.bees++] = child;
	else
		swarm.bee[draw(b, BEES)] = child;
}

/* More than a death clears away in one turn. */
static void
bury(struct bee *b, struct tr_self *self, tr_ref whom)
{
	unsigned i, n = 200 + (unsigned)draw(b, 200);

	for (i = 0; i < n; i++)
		(void)tr_send(self, whom, PLAIN, NULL, 0);
}

static void
end_somebody(struct bee *b, struct tr_self *self)
{
	tr_ref whom = swarm.bee[draw(b, swarm.bees)];

	if (draw(b, 3) != 0)
		return;
	if (draw(b, 8) == 0)
		bury(b, self, whom);
	if (draw(b, 2))
		(void)tr_kill(self, whom);
	else
		(void)tr_stop(self, whom, tr_in(self, TR_MS(draw(b, 3))));
}

/* To many at once, so that the table of links grows. */
static void
link_many(struct bee *b, struct tr_self *self)
{
	struct bee_arg arg = { .left = 0 };
	unsigned i;

	(void)tr_trap_exit(self, true, EXIT);
	for (i = 0; i < 200; i++) {
		tr_ref child;

		arg.seed = draw(b, UINT64_MAX);
		child = tr_spawn(self, &drone, &arg, NULL);
		(void)!tr_link(self, child);
		(void)tr_stop(self, child, tr_forever());
	}
}

/* Some do so with each other at once: what one undoes is on its way while the
 * other does it anew. */
static void
quarrel(struct bee *b, struct tr_self *self)
{
	tr_ref with = swarm.bee[draw(b, 3) % swarm.bees];
	unsigned n;

	for (n = 1 + (unsigned)draw(b, 4); n > 0; n--) {
		if (draw(b, 2))
			(void)!tr_link(self, with);
		else
			(void)tr_unlink(self, with);
	}
}

/* Watch somebody, or be tied to its fate. */
static void
watch_somebody(struct bee *b, struct tr_self *self)
{
	static const int reasons[] = { TR_NORMAL, TR_SHUTDOWN, TR_KILLED, -7 };
	tr_ref whom = somebody(b);

	if (swarm.children > 20 && draw(b, 60) == 0) {
		swarm.children = 0;
		link_many(b, self);
		return;
	}
	switch (draw(b, 9)) {
	case 0:
	case 1: b->monitor = tr_monitor(self, whom, DOWN, 5); break;
	case 2: (void)tr_demonitor(self, b->monitor); break;
	case 3: (void)!tr_link(self, whom); break;
	case 4: (void)tr_unlink(self, whom); break;
	case 5: (void)tr_trap_exit(self, draw(b, 4) != 0, EXIT); break;
	case 6:
	case 7: quarrel(b, self); break;
	default:
		if (draw(b, 2))
			(void)tr_exit_other(self, whom, reasons[draw(b, 4)]);
		break;
	}
}

/* ------------------------------------------------------------- oddities -- */

static int
look_inside(struct bee *b, struct tr_self *self)
{
	struct tr_system *sys = tr_system_of(self);
	struct tr_stats stats;

	switch (draw(b, 6)) {
	case 0: return tr_stats(sys, &stats);
	case 1: (void)tr_dump(sys, swarm.nowhere); break;
	case 2: (void)!tr_signal_send(sys, SIGUSR2, somebody(b), SIGNAL); break;
	case 3: (void)tr_become(self, draw(b, 2) ? &drone : &bee); break;
	case 4:
		if (tr_pressure(sys) != TR_PRESSURE_NONE)
			(void)tr_unstash(self);
		break;
	default:
		if (swarm.may_stop && draw(b, 20) == 0)
			(void)tr_system_stop(sys,
			    tr_in(self, TR_MS(draw(b, 5))));
		break;
	}
	return TR_OK;
}

int
bee_act(struct bee *b, struct tr_self *self)
{
	switch (draw(b, 17)) {
	case 0:
	case 1: send_something(b, self); break;
	case 2: send_typed(b, self); break;
	case 3:
	case 4: ask_something(b, self); break;
	case 5: answer_late(b, self); break;
	case 6: offload(b, self); break;
	case 7: set_timer(b, self); break;
	case 8: blob_send(b, self); break;
	case 9: meet(b, self); break;
	case 10: route(b, self); break;
	case 11: breed(b, self); break;
	case 12: end_somebody(b, self); break;
	case 13: watch_somebody(b, self); break;
	case 14: plant(b, self); break;
	case 15: tend(b, self); break;
	default:
		if (draw(b, 2))
			return look_inside(b, self);
		return draw(b, 2) ? tr_unstash(self) :
				    tr_unstash_n(self, (unsigned)draw(b, 4));
	}
	return TR_OK;
}
