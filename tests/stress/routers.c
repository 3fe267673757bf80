/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * routers: asks and plain messages through routers of all strategies, with
 * random deadlines and cancels, while routees are silent, slow or die, while
 * they are added, removed, join and leave the group that a router follows, and
 * while routers themselves are killed and replaced.
 *
 * Every ask of an asker has exactly one outcome, which fits what was done;
 * every message is handled or counted.
 */
#define KIT_STRESS
#include "actors/system.h"
#include "kit.h"

enum {
	ASKERS = 16,
	ROUTEES = 12,
	ROUTERS = 5,
	EACH = TEST_SCALE(30000), /* asks per asker */
	OPEN = 24, /* at once */
	TOKENS = 4,
};

enum { REQUEST, PLAIN, JOINED, NEXT, ENDED, DONE };

static struct {
	tr_ref root;
	_Atomic uint64_t router[ROUTERS]; /* references; they change */
	atomic_ullong asked, ended, by[7], plain;
	int done, replaced;
} storm;

static void
count(int outcome)
{
	static const int kinds[] = { TR_OK, TR_ETIMEDOUT, TR_ECANCELED,
		TR_EDEAD, TR_ENOREPLY, -EIO, TR_EINVAL };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (outcome == kinds[i]) {
			atomic_fetch_add(&storm.by[i], 1);
			return;
		}
	printf("outcome %d\n", outcome);
	kit_failed("an outcome nobody gave", __FILE__, __LINE__);
}

/* ----------------------------------------------------------- routees --- */

struct routee {
	uint64_t seed, place;
	bool joined;
	tr_token token[TOKENS];
	uint64_t value[TOKENS];
};

static int
routee_later(struct tr_self *self, struct routee *r, const struct tr_msg *msg)
{
	uint64_t i = kit_below(&r->seed, TOKENS);

	if (r->token[i].bits != 0)
		KIT_CHECK(tr_token_reply(self, &r->token[i], 0, &r->value[i],
			      sizeof(r->value[i])) == TR_OK);
	r->value[i] = kit_u64(msg);
	r->token[i] = tr_reply_token(self);
	KIT_CHECK(r->token[i].bits != 0);
	return TR_OK;
}

static int
routee_group(struct tr_self *self, struct routee *r)
{
	KIT_CHECK((r->joined ? tr_pg_leave(self, "routees") :
			       tr_pg_join(self, "routees")) == TR_OK);
	r->joined = !r->joined;
	return TR_OK;
}

static int
routee_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct routee *r = state;
	uint64_t value = kit_u64(msg), dice = kit_below(&r->seed, 600);

	if (dice < 8)
		(void)routee_group(self, r);
	if (dice == 8)
		return tr_exit(self, TR_NORMAL);
	if (dice == 9)
		return tr_kill(self, tr_self_ref(self));
	if (tr_tag(msg) == PLAIN) {
		atomic_fetch_add(&storm.plain, 1);
		return TR_OK;
	}
	if (dice < 20)
		return TR_OK; /* no reply */
	if (dice < 30)
		return tr_reply_error(self, msg, -EIO);
	if (dice < 35)
		kit_spin_for(self, TR_US(50));
	if (dice < 100)
		return routee_later(self, r, msg);
	return tr_reply(self, msg, 0, &value, sizeof(value));
}

static int
routee_start(struct tr_self *self, void *state, const void *arg)
{
	struct routee *r = state;

	r->place = *(const uint64_t *)arg;
	r->seed = tr_self_ref(self).bits;
	return routee_group(self, r);
}

/* The root puts another into the place. */
static void
routee_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct routee *r = state;

	(void)why;
	(void)tr_send(self, storm.root, ENDED, &r->place, sizeof(r->place));
}

static const struct tr_behavior routee = {
	.name = "routee",
	.state_size = sizeof(struct routee),
	.arg_size = sizeof(uint64_t),
	.start = routee_start,
	.receive = routee_receive,
	.stop = routee_stop,
};

/* ------------------------------------------------------------ askers --- */

struct ask {
	tr_ask_id id;
	uint64_t value; /* 0: not open */
	int64_t deadline;
	bool cancelled;
};

struct asker {
	uint64_t seed, next;
	int left, open;
	struct ask ask[OPEN];
};

static int
on_outcome(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct asker *a = state;
	struct ask *ask = &a->ask[cookie];

	KIT_CHECK(cookie < OPEN && ask->value != 0);
	KIT_CHECK((outcome == TR_OK) == (answer != NULL));
	KIT_CHECK((outcome == TR_ECANCELED) == ask->cancelled);
	if (outcome == TR_OK)
		KIT_CHECK(kit_u64(answer) == ask->value);
	if (outcome == TR_ETIMEDOUT)
		KIT_CHECK(tr_now(self) >= ask->deadline);
	ask->value = 0;
	a->open--;
	count(outcome);
	atomic_fetch_add(&storm.ended, 1);
	if (a->left == 0 && a->open == 0)
		kit_tell(self, storm.root, DONE);
	return TR_OK;
}

static void
ask_one(struct tr_self *self, struct asker *a, size_t i)
{
	tr_ref to = { atomic_load(
	    &storm.router[kit_below(&a->seed, ROUTERS)]) };
	struct ask *ask = &a->ask[i];

	ask->value = ++a->next;
	ask->cancelled = false;
	/* Routees keep tokens for long: there must be an end. */
	ask->deadline = tr_in(self, TR_US(kit_below(&a->seed, 20000)));
	if (kit_below(&a->seed, 4) == 0)
		(void)tr_send(self, to, PLAIN, NULL, 0);
	ask->id = tr_ask(self, to, REQUEST, &ask->value, sizeof(ask->value),
	    ask->deadline, on_outcome, i);
	KIT_CHECK(ask->id != 0);
	a->left--;
	a->open++;
	atomic_fetch_add(&storm.asked, 1);
}

static int
asker_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct asker *a = state;
	size_t i;

	(void)msg;
	for (i = 0; i < OPEN; i++)
		if (a->ask[i].value == 0 && a->left > 0)
			ask_one(self, a, i);
	i = kit_below(&a->seed, OPEN);
	if (a->ask[i].value != 0 && !a->ask[i].cancelled) {
		KIT_CHECK(tr_cancel(self, a->ask[i].id) == TR_OK);
		a->ask[i].cancelled = true;
	}
	if (a->left > 0)
		KIT_CHECK(tr_after(self, (int64_t)kit_below(&a->seed, 300000),
			      NEXT, 0) != 0);
	return TR_OK;
}

static int
asker_start(struct tr_self *self, void *state, const void *arg)
{
	struct asker *a = state;

	a->seed = *(const uint64_t *)arg;
	a->left = EACH;
	return tr_send(self, tr_self_ref(self), NEXT, NULL, 0);
}

static const struct tr_behavior asker = {
	.name = "asker",
	.state_size = sizeof(struct asker),
	.arg_size = sizeof(uint64_t),
	.start = asker_start,
	.receive = asker_receive,
};

/* --------------------------------------------------------------- root --- */

struct root {
	uint64_t seed;
	tr_ref routee[ROUTEES];
};

static void
place_routee(struct tr_self *self, struct root *r, uint64_t i)
{
	tr_ref before = r->routee[i];

	r->routee[i] = tr_spawn(self, &routee, &i, NULL);
	KIT_CHECK(tr_ref_valid(r->routee[i]));
	for (int k = 0; k < ROUTERS; k++) {
		tr_ref router = { atomic_load(&storm.router[k]) };

		if (router.bits == 0)
			continue;
		KIT_CHECK(tr_router_add(self, router, r->routee[i]) == TR_OK);
		/* Some are left for the router to find. */
		if (kit_below(&r->seed, 2) == 0)
			KIT_CHECK(
			    tr_router_remove(self, router, before) == TR_OK);
	}
}

/* The first follows a group; the last are one in front of the other. */
static void
place_router(struct tr_self *self, struct root *r, int k)
{
	static const enum tr_route strategies[ROUTERS] = {
		TR_ROUTE_LEAST_LOADED, TR_ROUTE_ROUND_ROBIN, TR_ROUTE_HASH,
		TR_ROUTE_LEAST_LOADED, TR_ROUTE_LEAST_LOADED
	};
	tr_ref inner = { atomic_load(&storm.router[ROUTERS - 2]) }, ref;
	struct tr_router_options o = { .strategy = strategies[k] };

	if (k == 0) {
		o.group = "routees";
	} else if (k == ROUTERS - 1) {
		o.routees = &inner;
		o.count = 1;
	} else {
		o.routees = r->routee;
		o.count = ROUTEES;
	}
	ref = tr_router_spawn(self, &o);
	KIT_CHECK(tr_ref_valid(ref));
	atomic_store(&storm.router[k], ref.bits);
}

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct root *r = state;
	uint64_t own;

	r->seed = *(const uint64_t *)arg;
	storm.root = tr_self_ref(self);
	for (uint64_t i = 0; i < ROUTEES; i++)
		place_routee(self, r, i);
	for (int k = 0; k < ROUTERS; k++)
		place_router(self, r, k);
	for (int i = 0; i < ASKERS; i++) {
		own = kit_random(&r->seed);
		KIT_CHECK(tr_ref_valid(tr_spawn(self, &asker, &own, NULL)));
	}
	return TR_OK;
}

/* With some of the routees that end a router does. */
static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct root *r = state;
	int k = (int)kit_below(&r->seed, ROUTERS);
	tr_ref router = { atomic_load(&storm.router[k]) };

	if (tr_tag(msg) == DONE)
		return ++storm.done == ASKERS ? kit_finish(self) : TR_OK;
	if (storm.done == ASKERS)
		return TR_OK;
	place_routee(self, r, kit_u64(msg));
	if (kit_below(&r->seed, 4) != 0)
		return TR_OK;
	storm.replaced++;
	place_router(self, r, k);
	return kit_below(&r->seed, 2) == 0 ?
	    tr_kill(self, router) :
	    tr_stop(self, router, tr_forever());
}

static const struct tr_behavior root = {
	.name = "root",
	.state_size = sizeof(struct root),
	.arg_size = sizeof(uint64_t),
	.start = root_start,
	.receive = root_receive,
};

static uint32_t
groups_left(struct tr_system *sys)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < TRI_NAME_SHARDS; i++)
		n += sys->groups[i].count;
	return n;
}

int
main(int argc, char **argv)
{
	uint64_t seed;
	unsigned workers = kit_stress_args(argc, argv, &seed);
	struct kit k;

	kit_new(&k, workers);
	(void)kit_root(&k, &root, &seed);
	k.run_rc = tr_system_run(k.sys, &k.report);
	/* Routers let go of the group that they follow. */
	KIT_CHECK(groups_left(k.sys) == 0);
	kit_end(&k);
	KIT_CHECK(storm.asked == (uint64_t)ASKERS * EACH);
	KIT_CHECK(storm.ended == storm.asked);
	KIT_CHECK(storm.by[0] > 0 && storm.plain > 0);
	printf("routers: %llu asks, each ended once: %llu answered, %llu timed "
	       "out, %llu cancelled, %llu dead, %llu no reply, %llu errors; "
	       "%llu plain; %d routers replaced\n",
	    storm.asked, storm.by[0], storm.by[1], storm.by[2], storm.by[3],
	    storm.by[4], storm.by[5], storm.plain, storm.replaced);
	kit_print_stats(&k.stats);
	return 0;
}
