/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A router's group lives as long as the router looks at it: it may lose its
 * last member, and who joins afterwards is found.  Asks that nobody was there
 * for leave nothing in the router.
 */
#include "actors/router.h"
#include "kit.h"

enum { JOIN, LEAVE, WORK, BACK };

enum { ROUNDS = 20 };

struct empty {
	tr_ref root, router, member;
	unsigned joined, left, worked, unrouted, step;
	uint32_t relays; /* that the router keeps at the end; one worker only */
	bool alone;
};

static int
member_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct empty *e = kit_ctx(state);
	int rc = TR_OK;

	switch (tr_tag(msg)) {
	case JOIN:
		rc = tr_pg_join(self, "now and then");
		e->joined++;
		break;
	case LEAVE:
		rc = tr_pg_leave(self, "now and then");
		e->left++;
		break;
	default: return tr_reply(self, msg, 0, NULL, 0);
	}
	return rc != TR_OK ? rc : tr_send(self, e->root, BACK, NULL, 0);
}

static const struct tr_behavior member = {
	.name = "member",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = member_receive,
};

static int
root_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct empty *e = kit_ctx(state);

	(void)answer;
	(void)cookie;
	if (outcome == TR_OK)
		e->worked++;
	else if (outcome == TR_EDEAD)
		e->unrouted++;
	return tr_send(self, e->root, BACK, NULL, 0);
}

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct empty *e;

	(void)kit_start_ctx(self, state, arg);
	e = kit_ctx(state);
	e->root = tr_self_ref(self);
	e->member = tr_spawn(self, &member, e, NULL);
	e->router = tr_router_spawn(self,
	    &(struct tr_router_options){
		.group = "now and then",
		.strategy = TR_ROUTE_LEAST_LOADED,
	    });
	return tr_send(self, e->root, BACK, NULL, 0);
}

/* With one worker nobody else looks at it now. */
static uint32_t
relays_of(struct tr_self *self, tr_ref router)
{
	struct tr_system *sys = tr_system_of(self);
	struct tr_self *a = tri_cell(sys, tri_ref_slot(router));
	const struct tr_behavior *b = tri_load_relaxed(&a->behavior);
	const struct tri_router *r = tri_actor_state(a, b);

	return r->relays;
}

/* Join, ask, leave, ask in vain; and again. */
static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct empty *e = kit_ctx(state);

	(void)msg;
	if (e->step == 4 * ROUNDS) {
		if (e->alone)
			e->relays = relays_of(self, e->router);
		return kit_finish(self);
	}
	switch (e->step++ % 4) {
	case 0: kit_tell(self, e->member, JOIN); return TR_OK;
	case 2: kit_tell(self, e->member, LEAVE); return TR_OK;
	default: break;
	}
	return tr_ask(self, e->router, WORK, NULL, 0, tr_forever(), root_answer,
		   0) != 0 ?
	    TR_OK :
	    TR_ENOMEM;
}

static const struct tr_behavior root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = root_start,
	.receive = root_receive,
};

static void
a_router_finds_who_joins_a_group_that_was_empty(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct empty e = { .alone = workers == 1 };

		kit_play(&k, workers, &root, &e);
		assert_int_equal(e.joined, ROUNDS);
		assert_int_equal(e.left, ROUNDS);
		assert_int_equal(e.worked, ROUNDS);
		assert_int_equal(e.unrouted, ROUNDS);
		assert_int_equal(e.relays, 0);
	}
}

/* ------------------------------------------------- a routee that ended --- */

static int
quitter_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	(void)msg;
	return tr_exit(self, TR_NORMAL);
}

static const struct tr_behavior quitter = {
	.name = "quitter",
	.receive = quitter_receive,
};

static int
gone_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct empty *e = kit_ctx(state);

	(void)answer;
	(void)cookie;
	e->unrouted += outcome == TR_EDEAD;
	e->relays = relays_of(self, e->router);
	return kit_finish(self);
}

static int
gone_start(struct tr_self *self, void *state, const void *arg)
{
	struct empty *e;

	(void)kit_start_ctx(self, state, arg);
	e = kit_ctx(state);
	e->member = tr_spawn(self, &quitter, NULL, NULL);
	e->router = tr_router_spawn(self,
	    &(struct tr_router_options){
		.routees = &e->member,
		.count = 1,
		.strategy = TR_ROUTE_LEAST_LOADED,
	    });
	kit_tell(self, e->member, WORK);
	return tr_after(self, TR_MS(1), BACK, 0) != 0 ? TR_OK : TR_ENOMEM;
}

static int
gone_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct empty *e = kit_ctx(state);

	(void)msg;
	return tr_ask(self, e->router, WORK, NULL, 0, tr_forever(), gone_answer,
		   0) != 0 ?
	    TR_OK :
	    TR_ENOMEM;
}

static const struct tr_behavior gone = {
	.name = "gone",
	.state_size = sizeof(void *),
	.start = gone_start,
	.receive = gone_receive,
};

static void
an_ask_that_no_routee_took_leaves_nothing_behind(void **unused)
{
	struct empty e = { .relays = 1000 };
	struct kit k;

	(void)unused;
	kit_play(&k, 1, &gone, &e);
	assert_int_equal(e.unrouted, 1);
	assert_int_equal(e.relays, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(a_router_finds_who_joins_a_group_that_was_empty),
		KIT_TEST(an_ask_that_no_routee_took_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
