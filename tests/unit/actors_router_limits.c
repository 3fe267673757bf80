/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blobs, groups and routers at the limits: mailboxes that are full, a system
 * over its byte budget, a deadline that the asker does not know of.
 */
#include "actors/system.h"
#include "kit.h"

enum { NOTE, REQUEST, ANSWER, TRY, LATER, KEEP, PASS, DONE };

/* ------------------------------------------------------ full mailboxes --- */

enum { BOUND = 2, ASKS = 5 };

struct full {
	enum tr_route strategy;
	tr_ref root, router, routee;
	int outcome[ASKS], answered, refused, got;
	atomic_bool go;
};

static int
bounded_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct full *f = kit_ctx(state);

	if (tr_tag(msg) == KEEP) {
		kit_tell(self, f->root, TRY);
		kit_spin_until(&f->go);
		return TR_OK;
	}
	f->got++;
	return tr_reply(self, msg, ANSWER, NULL, 0);
}

static const struct tr_behavior bounded = {
	.name = "bounded",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = bounded_receive,
};

static int
full_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct full *f = kit_ctx(state);

	(void)answer;
	f->outcome[cookie] = outcome;
	f->refused += outcome == TR_EFULL;
	if (f->refused == ASKS - BOUND)
		atomic_store(&f->go, true);
	return ++f->answered == ASKS ? kit_finish(self) : TR_OK;
}

/* The routee is at work, and nothing is in its mailbox. */
static int
full_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct full *f = kit_ctx(state);

	(void)msg;
	for (uintptr_t i = 0; i < ASKS; i++)
		if (tr_ask(self, f->router, REQUEST, NULL, 0, tr_forever(),
			full_answer, i) == 0)
			return TR_ENOMEM;
	return TR_OK;
}

static int
full_start(struct tr_self *self, void *state, const void *arg)
{
	struct full *f;

	(void)kit_start_ctx(self, state, arg);
	f = kit_ctx(state);
	f->root = tr_self_ref(self);
	f->routee = tr_spawn(self, &bounded, f,
	    &(struct tr_spawn_options){
		.placement = TR_PLACE_WORKER,
		.worker = 1,
		.max_items = BOUND,
	    });
	f->router = tr_router_spawn(self,
	    &(struct tr_router_options){
		.strategy = f->strategy,
		.routees = &f->routee,
		.count = 1,
	    });
	return tr_send(self, f->routee, KEEP, NULL, 0);
}

static const struct tr_behavior full = {
	.name = "full",
	.state_size = sizeof(void *),
	.start = full_start,
	.receive = full_receive,
};

static void
a_full_routee_refuses_what_is_handed_on(void **unused)
{
	static const enum tr_route strategies[] = { TR_ROUTE_ROUND_ROBIN,
		TR_ROUTE_HASH, TR_ROUTE_LEAST_LOADED };
	struct kit k;

	(void)unused;
	for (int s = 0; s < 3; s++) {
		struct full f = { .strategy = strategies[s] };

		kit_play(&k, 2, &full, &f);
		for (int i = 0; i < ASKS; i++)
			assert_true(
			    f.outcome[i] == TR_OK || f.outcome[i] == TR_EFULL);
		assert_int_equal(f.refused, ASKS - BOUND);
		assert_int_equal(f.got, BOUND);
		assert_int_equal(k.stats.dead[TR_DEAD_FULL], f.refused);
	}
}

/* --------------------------------------------------------- the budget --- */

enum { MEMBERS = 3 };

struct poor {
	tr_ref root, member;
	int joined, sent, tried, posted, pg_sent, pg_posted, pg_blob, replied;
	size_t to[2];
	atomic_int freed;
	int got;
};

static void
count_free(void *data, size_t size, void *ctx)
{
	struct poor *p = ctx;

	(void)data;
	(void)size;
	atomic_fetch_add(&p->freed, 1);
}

static int
member_start(struct tr_self *self, void *state, const void *arg)
{
	struct poor *p;

	(void)kit_start_ctx(self, state, arg);
	p = kit_ctx(state);
	if (tr_pg_join(self, "poor") != TR_OK)
		return TR_ENOMEM;
	return tr_send(self, p->root, NOTE, NULL, 0);
}

static int
member_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct poor *p = kit_ctx(state);

	(void)self;
	if (tr_tag(msg) != DONE)
		p->got++;
	return tr_tag(msg) == DONE ? kit_finish(self) : TR_OK;
}

static const struct tr_behavior member = {
	.name = "member",
	.state_size = sizeof(void *),
	.start = member_start,
	.receive = member_receive,
};

/* An answer is never refused. */
static int
poor_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct poor *p = kit_ctx(state);

	(void)cookie;
	p->replied = outcome == TR_OK && tr_msg_blob(answer) != NULL;
	return tr_send(self, p->member, DONE, NULL, 0);
}

static void
poor_try(struct tr_self *self, struct poor *p, const tr_blob *b)
{
	struct tr_system *sys = tr_system_of(self);

	p->sent = tr_send_blob(self, p->member, LATER, b);
	p->tried = tr_try_send_blob(self, p->member, LATER, b);
	p->posted = tr_post_blob(sys, p->member, LATER, b);
	p->pg_sent = tr_pg_send(self, "poor", LATER, "x", 2, &p->to[0]);
	p->pg_blob = tr_pg_send_blob(self, "poor", LATER, b, &p->to[1]);
	p->pg_posted = tr_pg_post(sys, "poor", LATER, "x", 2, NULL);
}

/* As it is for senders between two looks at what is in use. */
static int
poor_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct tr_system *sys = tr_system_of(self);
	struct poor *p = kit_ctx(state);
	size_t end = tri_send_end(sys);
	static char bytes[] = "bytes";
	tr_blob b;
	int rc = TR_OK;

	if (tr_tag(msg) == NOTE && ++p->joined < MEMBERS)
		return TR_OK;
	if (tr_tag(msg) == NOTE)
		return tr_ask(self, p->root, REQUEST, NULL, 0, tr_forever(),
			   poor_answer, 0) != 0 ?
		    TR_OK :
		    TR_ENOMEM;
	if (tr_blob_wrap(sys, bytes, sizeof(bytes), count_free, p, &b) != TR_OK)
		return TR_ENOMEM;
	tri_store_relaxed(&sys->send_end, (size_t)0);
	poor_try(self, p, &b);
	rc = tr_reply_blob(self, msg, ANSWER, &b);
	tri_store_relaxed(&sys->send_end, end);
	tr_blob_drop(&b);
	return rc;
}

static int
poor_start(struct tr_self *self, void *state, const void *arg)
{
	struct poor *p;

	(void)kit_start_ctx(self, state, arg);
	p = kit_ctx(state);
	p->root = tr_self_ref(self);
	for (int i = 0; i < MEMBERS; i++)
		p->member = tr_spawn(self, &member, p, NULL);
	return TR_OK;
}

static const struct tr_behavior poor = {
	.name = "poor",
	.state_size = sizeof(void *),
	.start = poor_start,
	.receive = poor_receive,
};

static void
over_the_budget_only_answers_get_through(void **unused)
{
	struct poor p = { .joined = 0 };
	struct kit k;

	(void)unused;
	kit_play(&k, 1, &poor, &p);
	assert_int_equal(p.sent, TR_OK);
	assert_int_equal(p.tried, TR_EFULL);
	assert_int_equal(p.posted, TR_EFULL);
	assert_int_equal(p.pg_sent, TR_OK);
	assert_int_equal(p.pg_blob, TR_OK);
	assert_int_equal(p.pg_posted, TR_EFULL);
	assert_int_equal(p.to[0], MEMBERS);
	assert_int_equal(p.to[1], MEMBERS);
	assert_true(p.replied);
	assert_int_equal(p.got, 0);
	assert_int_equal(k.stats.dead[TR_DEAD_BUDGET], 1 + 2 * MEMBERS);
	assert_int_equal(p.freed, 1);
}

/* ------------------------------------------------- a deadline on the way - */

/* A broker that keeps a request without a deadline, and passes it on while it
 * handles one that has one. */
struct broken {
	tr_ref router, routee, broker;
	struct tr_msg *kept;
	tr_token held;
	int outcome[2], outcomes[2];
	int64_t deadline;
	bool early;
};

static int
holder_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct broken *b = kit_ctx(state);

	(void)msg;
	b->held = tr_reply_token(self);
	return TR_OK;
}

static const struct tr_behavior holder = {
	.name = "holder",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = holder_receive,
};

static int
broker_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct broken *b = kit_ctx(state);

	if (tr_tag(msg) == KEEP) {
		b->kept = tr_take(self, msg);
		return b->kept != NULL ? TR_OK : TR_ENOMEM;
	}
	if (tr_forward_msg(self, b->router, &b->kept) != TR_OK)
		return TR_EINVAL;
	return tr_reply(self, msg, ANSWER, NULL, 0);
}

static const struct tr_behavior broker = {
	.name = "broker",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = broker_receive,
};

static int
broken_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct broken *b = kit_ctx(state);

	(void)answer;
	b->outcome[cookie] = outcome;
	b->outcomes[cookie]++;
	if (cookie == 1)
		return TR_OK;
	b->early = tr_now(self) < b->deadline;
	return kit_finish(self);
}

static int
broken_start(struct tr_self *self, void *state, const void *arg)
{
	struct broken *b;

	(void)kit_start_ctx(self, state, arg);
	b = kit_ctx(state);
	b->routee = tr_spawn(self, &holder, b, NULL);
	b->router = tr_router_spawn(self,
	    &(struct tr_router_options){
		.strategy = TR_ROUTE_LEAST_LOADED,
		.routees = &b->routee,
		.count = 1,
	    });
	b->broker = tr_spawn(self, &broker, b, NULL);
	b->deadline = tr_in(self, TR_SECONDS(1));
	if (tr_ask(self, b->broker, KEEP, NULL, 0, tr_forever(), broken_answer,
		0) == 0 ||
	    tr_ask(self, b->broker, PASS, NULL, 0, b->deadline, broken_answer,
		1) == 0)
		return TR_ENOMEM;
	return TR_OK;
}

static const struct tr_behavior broken = {
	.name = "broken",
	.state_size = sizeof(void *),
	.start = broken_start,
	.receive = kit_ignore,
};

static void
a_deadline_that_came_on_the_way_ends_the_ask(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 2; workers *= 2) {
		struct broken b = { .early = true };

		kit_play(&k, workers, &broken, &b);
		assert_int_equal(b.outcomes[0], 1);
		assert_int_equal(b.outcome[0], TR_ETIMEDOUT);
		assert_false(b.early);
	}
}

/* ------------------------------------------------------ without memory --- */

enum { ALLOCATIONS = 12, WORKERS = 3, JOBS = 40 };

static atomic_int allocations = INT32_MAX; /* how many more succeed */

static void *
alloc_some(void *ctx, size_t size, size_t align)
{
	void *p = NULL;

	(void)ctx;
	if (atomic_fetch_sub(&allocations, 1) <= 0 ||
	    posix_memalign(&p, align, size) != 0)
		return NULL;
	return p;
}

static void
free_some(void *ctx, void *p)
{
	(void)ctx;
	free(p);
}

struct scarce {
	enum tr_route strategy;
	bool group;
	int left; /* allocations from when the router is spawned on */
	tr_ref root, router, worker[WORKERS];
	int joined, error, asked, open, ended[JOBS], outcome[JOBS];
};

static int
worker_start(struct tr_self *self, void *state, const void *arg)
{
	struct scarce *s;

	(void)kit_start_ctx(self, state, arg);
	s = kit_ctx(state);
	if (tr_pg_join(self, "workers") != TR_OK)
		return TR_ENOMEM;
	return tr_send(self, s->root, NOTE, NULL, 0);
}

static int
worker_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	return tr_reply(self, msg, ANSWER, NULL, 0);
}

static const struct tr_behavior worker = {
	.name = "worker",
	.state_size = sizeof(void *),
	.start = worker_start,
	.receive = worker_receive,
};

static int
scarce_end(struct tr_self *self)
{
	atomic_store(&allocations, INT32_MAX);
	return kit_finish(self);
}

static int
scarce_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct scarce *s = kit_ctx(state);

	(void)answer;
	s->ended[cookie]++;
	s->outcome[cookie] = outcome;
	return --s->open == 0 ? scarce_end(self) : TR_OK;
}

static int
scarce_start(struct tr_self *self, void *state, const void *arg)
{
	struct scarce *s;

	(void)kit_start_ctx(self, state, arg);
	s = kit_ctx(state);
	s->root = tr_self_ref(self);
	for (int i = 0; i < WORKERS; i++)
		s->worker[i] = tr_spawn(self, &worker, s, NULL);
	return TR_OK;
}

static int
scarce_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct scarce *s = kit_ctx(state);
	struct tr_router_options o = {
		.strategy = s->strategy,
		.routees = s->group ? NULL : s->worker,
		.count = s->group ? 0 : WORKERS,
		.group = s->group ? "workers" : NULL,
		.error = &s->error,
	};

	(void)msg;
	if (++s->joined < WORKERS)
		return TR_OK;
	atomic_store(&allocations, s->left);
	s->router = tr_router_spawn(self, &o);
	for (uintptr_t i = 0; i < JOBS && tr_ref_valid(s->router); i++) {
		if (tr_ask(self, s->router, REQUEST, NULL, 0,
			tr_in(self, TR_SECONDS(100)), scarce_answer, i) == 0)
			break;
		s->asked++;
		s->open++;
	}
	return s->open == 0 ? scarce_end(self) : TR_OK;
}

static const struct tr_behavior scarce = {
	.name = "scarce",
	.state_size = sizeof(void *),
	.start = scarce_start,
	.receive = scarce_receive,
};

/* Whether all was as with memory: the router answered all. */
static bool
scarce_play(struct scarce *s)
{
	struct tr_allocator allocator = { alloc_some, free_some, NULL };
	bool all = true;
	struct kit k;

	kit_new_with(&k,
	    (struct tr_options){ .workers = 2, .allocator = &allocator });
	(void)kit_root(&k, &scarce, s);
	kit_run(&k);
	if (!tr_ref_valid(s->router))
		assert_int_equal(s->error, TR_ENOMEM);
	for (int i = 0; i < JOBS; i++) {
		assert_int_equal(s->ended[i], i < s->asked);
		assert_true(s->outcome[i] == TR_OK ||
		    s->outcome[i] == TR_EDEAD || s->outcome[i] == TR_ENOREPLY);
		all = all && i < s->asked && s->outcome[i] == TR_OK;
	}
	return all;
}

static void
whenever_memory_ends_each_ask_through_a_router_ends_once(void **unused)
{
	static const enum tr_route strategies[] = { TR_ROUTE_ROUND_ROBIN,
		TR_ROUTE_LEAST_LOADED };

	(void)unused;
	for (int group = 0; group < 2; group++)
		for (int i = 0; i < 2; i++)
			for (int n = 0; n <= ALLOCATIONS; n++) {
				struct scarce s = { .strategy = strategies[i],
					.group = group != 0,
					.left = n < ALLOCATIONS ? n : 1000 };
				bool all = scarce_play(&s);

				assert_true(n > 0 || !all);
				assert_true(n < ALLOCATIONS || all);
			}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(a_full_routee_refuses_what_is_handed_on),
		KIT_TEST(over_the_budget_only_answers_get_through),
		KIT_TEST(a_deadline_that_came_on_the_way_ends_the_ask),
		KIT_TEST(
		    whenever_memory_ends_each_ask_through_a_router_ends_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
