/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Routers: who gets a message, by each strategy; what becomes of payloads,
 * senders, names and routees that come and go.
 */
#include "actors/system.h"
#include "kit.h"

enum { ROUTEES = 8, SENDS = 8000 };
enum { WORK, LAST, DONE, NEXT };

/* What a router's routees report to. */
struct pool {
	tr_ref root, router, routee[ROUTEES + 1];
	int routees;
	atomic_int got[ROUTEES + 1], wrong, finished;
	/* Of each routee: a message's address, and what it got of each key. */
	const void *last_data;
	uint8_t owner[4096]; /* by key: the routee, + 1 */
	int step;
};

static int
pool_index(const struct pool *p, tr_ref ref)
{
	int i = 0;

	while (i < p->routees && !tr_ref_equal(p->routee[i], ref))
		i++;
	return i;
}

static void
pool_spawn(struct tr_self *self, struct pool *p,
    const struct tr_behavior *behavior, int n)
{
	p->root = tr_self_ref(self);
	for (p->routees = 0; p->routees < n; p->routees++)
		p->routee[p->routees] = tr_spawn(self, behavior, p, NULL);
}

static tr_ref
pool_router(struct tr_self *self, struct pool *p, enum tr_route strategy,
    tr_route_key_fn *key)
{
	p->router = tr_router_spawn(self,
	    &(struct tr_router_options){
		.strategy = strategy,
		.routees = p->routee,
		.count = (size_t)p->routees,
		.key = key,
	    });
	return p->router;
}

/* -------------------------------------------------------- round robin --- */

/* Counts, and checks that the sender is who sent. */
static int
counter_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct pool *p = kit_ctx(state);
	int i = pool_index(p, tr_self_ref(self));

	if (!tr_ref_equal(tr_sender(msg), p->root) ||
	    tr_size(msg) != sizeof(uint64_t))
		atomic_fetch_add(&p->wrong, 1);
	/* One sender's messages to one routee keep their order. */
	if (kit_u64(msg) / ROUTEES != (uint64_t)p->got[i])
		atomic_fetch_add(&p->wrong, 1);
	if (atomic_fetch_add(&p->got[i], 1) == SENDS / ROUTEES - 1)
		kit_tell(self, p->root, DONE);
	return TR_OK;
}

static const struct tr_behavior counter = {
	.name = "counter",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = counter_receive,
};

static int
round_start(struct tr_self *self, void *state, const void *arg)
{
	struct pool *p;

	(void)kit_start_ctx(self, state, arg);
	p = kit_ctx(state);
	pool_spawn(self, p, &counter, ROUTEES);
	(void)pool_router(self, p, TR_ROUTE_ROUND_ROBIN, NULL);
	for (uint64_t n = 0; n < SENDS; n++)
		(void)tr_send(self, p->router, WORK, &n, sizeof(n));
	return TR_OK;
}

static int
done_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct pool *p = kit_ctx(state);

	(void)msg;
	return ++p->step == p->routees ? kit_finish(self) : TR_OK;
}

static const struct tr_behavior round_robin = {
	.name = "round robin",
	.state_size = sizeof(void *),
	.start = round_start,
	.receive = done_receive,
};

static void
round_robin_gives_each_the_same_share_in_turn(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 8; workers *= 2) {
		struct pool p = { .routees = 0 };

		kit_play(&k, workers, &round_robin, &p);
		assert_int_equal(p.wrong, 0);
		for (int i = 0; i < ROUTEES; i++)
			assert_int_equal(p.got[i], SENDS / ROUTEES);
	}
}

/* --------------------------------------------------------------- hash --- */

static uint64_t
key_of(const struct tr_msg *msg)
{
	return kit_u64(msg);
}

/* Notes who got a key; a key that was another's before is wrong. */
static int
keeper_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct pool *p = kit_ctx(state);
	int i = pool_index(p, tr_self_ref(self));
	uint64_t key = kit_u64(msg);

	if (tr_tag(msg) == LAST)
		return tr_reply(self, msg, DONE, NULL, 0);
	if (p->owner[key] != 0 && p->owner[key] != i + 1)
		atomic_fetch_add(&p->wrong, 1);
	p->owner[key] = (uint8_t)(i + 1);
	atomic_fetch_add(&p->got[i], 1);
	return TR_OK;
}

static const struct tr_behavior keeper = {
	.name = "keeper",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = keeper_receive,
};

/* Every key once. */
static void
hash_send_all(struct tr_self *self, struct pool *p)
{
	for (uint64_t key = 0; key < sizeof(p->owner); key++)
		(void)tr_send(self, p->router, WORK, &key, sizeof(key));
}

static int
hash_start(struct tr_self *self, void *state, const void *arg)
{
	struct pool *p;

	(void)kit_start_ctx(self, state, arg);
	p = kit_ctx(state);
	pool_spawn(self, p, &keeper, ROUTEES);
	(void)pool_router(self, p, TR_ROUTE_HASH, key_of);
	hash_send_all(self, p);
	hash_send_all(self, p);
	return tr_send(self, p->root, NEXT, NULL, 0);
}

/* Until all keys have come: how many there were in all is known. */
static int
hash_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct pool *p = kit_ctx(state);
	int sum = 0;

	(void)msg;
	for (int i = 0; i < p->routees; i++)
		sum += atomic_load(&p->got[i]);
	if (sum < 2 * (int)sizeof(p->owner))
		return tr_send(self, p->root, NEXT, NULL, 0);
	return kit_finish(self);
}

static const struct tr_behavior hash = {
	.name = "hash",
	.state_size = sizeof(void *),
	.start = hash_start,
	.receive = hash_receive,
};

static void
hash_gives_a_key_to_the_same_routee_and_spreads_them(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct pool p = { .routees = 0 };

		kit_play(&k, workers, &hash, &p);
		assert_int_equal(p.wrong, 0);
		for (int i = 0; i < ROUTEES; i++) {
			assert_true(p.got[i] > (int)sizeof(p.owner) / 5);
			assert_true(p.got[i] < (int)sizeof(p.owner) / 3);
		}
	}
}

/* One routee more: keys move to it alone; one taken out: only its own keys and
 * those of the last, which takes its place, may move. */
struct moved {
	struct pool p;
	uint8_t before[4096];
	int to_new, elsewhere, stayed_with_removed, unneeded;
};

static int
moved_start(struct tr_self *self, void *state, const void *arg)
{
	struct moved *m;

	(void)kit_start_ctx(self, state, arg);
	m = kit_ctx(state);
	pool_spawn(self, &m->p, &keeper, ROUTEES + 1);
	m->p.routees = ROUTEES;
	(void)pool_router(self, &m->p, TR_ROUTE_HASH, key_of);
	m->p.routees = ROUTEES + 1;
	hash_send_all(self, &m->p);
	return tr_send(self, m->p.root, NEXT, NULL, 0);
}

static int
moved_next(struct tr_self *self, struct moved *m)
{
	struct pool *p = &m->p;
	const uint8_t added = ROUTEES + 1, removed = 3;

	switch (p->step++) {
	case 0: (void)tr_router_add(self, p->router, p->routee[ROUTEES]); break;
	case 1:
		for (size_t i = 0; i < sizeof(p->owner); i++)
			if (p->owner[i] != m->before[i])
				*(p->owner[i] == added ? &m->to_new :
							 &m->elsewhere) += 1;
		(void)tr_router_remove(self, p->router, p->routee[removed - 1]);
		break;
	default:
		for (size_t i = 0; i < sizeof(p->owner); i++) {
			m->stayed_with_removed += p->owner[i] == removed;
			m->unneeded += p->owner[i] != m->before[i] &&
			    m->before[i] != removed && m->before[i] != added;
		}
		return kit_finish(self);
	}
	memcpy(m->before, p->owner, sizeof(p->owner));
	memset(p->owner, 0, sizeof(p->owner));
	hash_send_all(self, p);
	return tr_send(self, p->root, NEXT, NULL, 0);
}

static int
moved_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct moved *m = kit_ctx(state);
	int sum = 0;

	(void)msg;
	for (int i = 0; i <= ROUTEES; i++)
		sum += atomic_load(&m->p.got[i]);
	if (sum < (m->p.step + 1) * (int)sizeof(m->p.owner))
		return tr_send(self, m->p.root, NEXT, NULL, 0);
	return moved_next(self, m);
}

static const struct tr_behavior moved = {
	.name = "moved",
	.state_size = sizeof(void *),
	.start = moved_start,
	.receive = moved_receive,
};

static void
hash_moves_no_keys_that_need_not_move(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 2; workers *= 2) {
		struct moved m = { .to_new = 0 };

		kit_play(&k, workers, &moved, &m);
		assert_int_equal(m.elsewhere, 0);
		assert_true(m.to_new > 4096 / 9 / 2 && m.to_new < 4096 / 9 * 2);
		assert_int_equal(m.stayed_with_removed, 0);
		assert_int_equal(m.unneeded, 0);
	}
}

/* ---------------------------------------------------------- broadcast --- */

struct broadcast {
	struct pool p;
	atomic_int texts, empties, blobs, others, dropped, freed, answered;
	int outcome;
	tr_blob blob;
};

static struct broadcast *drops_of; /* a drop function has no context */

static void
count_drop(void *payload, size_t size)
{
	(void)payload;
	(void)size;
	atomic_fetch_add(&drops_of->dropped, 1);
}

static void
count_free(void *data, size_t size, void *ctx)
{
	(void)data;
	(void)size;
	(void)ctx;
	atomic_fetch_add(&drops_of->freed, 1);
}

static int
all_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct broadcast *b = kit_ctx(state);
	const char *text = tr_data(msg, 6);

	if (tr_tag(msg) == LAST)
		return tr_send(self, b->p.root, DONE, NULL, 0);
	if (!tr_ref_equal(tr_sender(msg), b->p.root))
		atomic_fetch_add(&b->p.wrong, 1);
	if (tr_msg_blob(msg) != NULL)
		atomic_fetch_add(tr_blob_data(tr_msg_blob(msg)) ==
			    tr_blob_data(&b->blob) ?
			&b->blobs :
			&b->others,
		    1);
	else if (text != NULL && strcmp(text, "hello") == 0)
		atomic_fetch_add(&b->texts, 1);
	else
		atomic_fetch_add(tr_size(msg) == 0 ? &b->empties : &b->others,
		    1);
	return TR_OK;
}

static const struct tr_behavior all = {
	.name = "all",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = all_receive,
};

static int
broadcast_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct broadcast *b = kit_ctx(state);

	(void)self;
	(void)answer;
	(void)cookie;
	b->outcome = outcome;
	atomic_fetch_add(&b->answered, 1);
	return TR_OK;
}

static int
broadcast_start(struct tr_self *self, void *state, const void *arg)
{
	static char bytes[] = "shared";
	struct broadcast *b;
	struct tr_msg *m;

	(void)kit_start_ctx(self, state, arg);
	b = kit_ctx(state);
	drops_of = b;
	pool_spawn(self, &b->p, &all, ROUTEES);
	(void)pool_router(self, &b->p, TR_ROUTE_BROADCAST, NULL);
	if (tr_blob_wrap(tr_system_of(self), bytes, sizeof(bytes), count_free,
		NULL, &b->blob) != TR_OK)
		return TR_ENOMEM;
	(void)tr_send(self, b->p.router, WORK, "hello", 6);
	(void)tr_send(self, b->p.router, WORK, NULL, 0);
	(void)tr_send_blob(self, b->p.router, WORK, &b->blob);
	m = tr_msg_new(self, NEXT, 8, count_drop);
	if (m == NULL)
		return TR_ENOMEM;
	(void)tr_send_msg(self, b->p.router, &m);
	if (tr_ask(self, b->p.router, WORK, NULL, 0, tr_forever(),
		broadcast_answer, 0) == 0)
		return TR_ENOMEM;
	return tr_send(self, b->p.router, LAST, NULL, 0);
}

static int
broadcast_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct broadcast *b = kit_ctx(state);

	(void)msg;
	if (++b->p.step < ROUTEES)
		return TR_OK;
	tr_blob_drop(&b->blob);
	return kit_finish(self);
}

static const struct tr_behavior broadcast = {
	.name = "broadcast",
	.state_size = sizeof(void *),
	.start = broadcast_start,
	.receive = broadcast_receive,
};

static void
broadcast_reaches_all_and_copies_only_what_can_be(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct broadcast b = { .outcome = 1 };

		kit_play(&k, workers, &broadcast, &b);
		assert_int_equal(b.p.wrong, 0);
		assert_int_equal(b.texts, ROUTEES);
		assert_int_equal(b.empties, ROUTEES);
		assert_int_equal(b.blobs, ROUTEES);
		assert_int_equal(b.others, 0);
		assert_int_equal(b.freed, 1);
		/* What has an owner is reported and dropped, once. */
		assert_int_equal(b.dropped, 1);
		assert_int_equal(k.stats.dead[TR_DEAD_UNHANDLED], 1);
		assert_int_equal(kit_letters(&k, TR_DEAD_UNHANDLED, NEXT), 1);
		assert_int_equal(b.answered, 1);
		assert_int_equal(b.outcome, TR_EINVAL);
	}
}

/* ------------------------------------------------- the payload stays --- */

enum { LARGE = 50 * 1000 };

struct same {
	struct pool p;
	void *sent;
	bool same;
	int dropped;
};

static int
same_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct same *s = kit_ctx(state);

	if (tr_tag(msg) == DONE)
		return kit_finish(self);
	s->same = tr_data(msg, LARGE) == s->sent;
	return tr_send(self, s->p.root, DONE, NULL, 0);
}

static const struct tr_behavior same_routee = {
	.name = "same",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = same_receive,
};

static int
same_start(struct tr_self *self, void *state, const void *arg)
{
	struct same *s;
	struct tr_msg *m = tr_msg_new(self, WORK, LARGE, NULL);

	(void)kit_start_ctx(self, state, arg);
	s = kit_ctx(state);
	if (m == NULL)
		return TR_ENOMEM;
	s->sent = tr_msg_data(m);
	pool_spawn(self, &s->p, &same_routee, 1);
	(void)pool_router(self, &s->p, TR_ROUTE_ROUND_ROBIN, NULL);
	return tr_send_msg(self, s->p.router, &m);
}

static const struct tr_behavior same_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = same_start,
	.receive = same_receive,
};

static void
a_payload_is_not_copied_on_its_way(void **unused)
{
	struct same s = { .sent = NULL };
	struct kit k;

	(void)unused;
	kit_play(&k, 2, &same_root, &s);
	assert_true(s.same);
}

/* ------------------------------------------------------------- a group --- */

struct follow {
	tr_ref root, router, routee[4];
	int step, asked, answered[4], dead, open;
};

static int
follower_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct follow *f = kit_ctx(state);
	uint64_t i = 0;
	int rc = TR_OK;

	while (!tr_ref_equal(f->routee[i], tr_self_ref(self)))
		i++;
	if (tr_tag(msg) == WORK)
		return tr_reply(self, msg, 0, &i, sizeof(i));
	if (tr_tag(msg) == NEXT)
		rc = tr_pg_join(self, "followed");
	else
		rc = tr_pg_leave(self, "followed");
	return rc != TR_OK ? rc : tr_send(self, f->root, NEXT, NULL, 0);
}

static const struct tr_behavior follower = {
	.name = "follower",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = follower_receive,
};

static int
follow_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct follow *f = kit_ctx(state);

	(void)cookie;
	if (outcome == TR_OK)
		f->answered[kit_u64(answer)]++;
	else if (outcome == TR_EDEAD)
		f->dead++;
	return --f->open == 0 ? tr_send(self, f->root, DONE, NULL, 0) : TR_OK;
}

static void
follow_ask(struct tr_self *self, struct follow *f, int n)
{
	memset(f->answered, 0, sizeof(f->answered));
	f->dead = 0;
	f->open = n;
	while (n-- > 0)
		if (tr_ask(self, f->router, WORK, NULL, 0, tr_forever(),
			follow_answer, 0) == 0)
			f->dead = 1000;
}

static int
follow_start(struct tr_self *self, void *state, const void *arg)
{
	struct follow *f;

	(void)kit_start_ctx(self, state, arg);
	f = kit_ctx(state);
	f->root = tr_self_ref(self);
	for (int i = 0; i < 4; i++)
		f->routee[i] = tr_spawn(self, &follower, f, NULL);
	f->router = tr_router_spawn(self,
	    &(struct tr_router_options){
		.group = "followed",
		.name = "follower",
	    });
	follow_ask(self, f, 4); /* nobody there yet */
	return TR_OK;
}

#define FOLLOW_CHECK(f, cond)              \
	do {                               \
		if (!(cond))               \
			(f)->asked = 1000; \
	} while (0)

static int
follow_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct follow *f = kit_ctx(state);

	(void)msg;
	switch (f->step++) {
	case 0: /* the first answers: nobody */
		FOLLOW_CHECK(f, f->dead == 4);
		kit_tell(self, f->routee[0], NEXT);
		break;
	case 1: kit_tell(self, f->routee[1], NEXT); break;
	case 2: /* two have joined */ follow_ask(self, f, 4); break;
	case 3:
		FOLLOW_CHECK(f, f->answered[0] == 2 && f->answered[1] == 2);
		kit_tell(self, f->routee[0], LAST);
		break;
	case 4: kit_tell(self, f->routee[2], NEXT); break;
	case 5: /* one has left, another come */ follow_ask(self, f, 4); break;
	case 6:
		FOLLOW_CHECK(f, f->answered[1] == 2 && f->answered[2] == 2);
		/* One that ends leaves; the ask behind is not lost. */
		(void)tr_kill(self, f->routee[2]);
		(void)tr_send(self, f->root, NEXT, NULL, 0);
		break;
	case 7:
		if (tr_pg_members(tr_system_of(self), "followed", NULL, 0) >
		    1) {
			f->step--;
			return tr_send(self, f->root, NEXT, NULL, 0);
		}
		follow_ask(self, f, 4);
		break;
	default:
		FOLLOW_CHECK(f, f->answered[1] == 4);
		f->asked++;
		return kit_finish(self);
	}
	return TR_OK;
}

static const struct tr_behavior follow = {
	.name = "follow",
	.state_size = sizeof(void *),
	.start = follow_start,
	.receive = follow_receive,
};

static void
a_router_follows_its_group(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct follow f = { .step = 0 };

		kit_play(&k, workers, &follow, &f);
		assert_int_equal(f.asked, 1);
	}
}

/* ------------------------------------------------------ without memory --- */

struct poor {
	struct pool p;
	void *(*alloc)(void *ctx, size_t size);
	atomic_int left; /* allocations that succeed */
	int whole;
};

static struct poor *poor_of; /* an allocator has no context of ours */

static void *
poor_alloc(void *ctx, size_t size)
{
	return atomic_fetch_sub(&poor_of->left, 1) > 0 ?
	    poor_of->alloc(ctx, size) :
	    NULL;
}

static int
poor_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct poor *p = kit_ctx(state);

	if (tr_tag(msg) == DONE)
		return ++p->p.step == 3 ? kit_finish(self) : TR_OK;
	if (tr_tag(msg) == LAST)
		return tr_send(self, p->p.root, DONE, NULL, 0);
	p->whole += tr_data(msg, LARGE) != NULL ? 1 : 100;
	return TR_OK;
}

static const struct tr_behavior poor_routee = {
	.name = "poor",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = poor_receive,
};

/* The message itself is made; of the two copies only one can be. */
static int
poor_start(struct tr_self *self, void *state, const void *arg)
{
	struct tri_memory *memory = &tr_system_of(self)->env->memory;
	struct tr_msg *m = tr_msg_new(self, NEXT, LARGE, NULL);
	struct poor *p;

	(void)kit_start_ctx(self, state, arg);
	p = kit_ctx(state);
	poor_of = p;
	if (m == NULL)
		return TR_ENOMEM;
	pool_spawn(self, &p->p, &poor_routee, 3);
	(void)pool_router(self, &p->p, TR_ROUTE_BROADCAST, NULL);
	kit_tell(self, p->p.router, LAST);
	(void)tr_send_msg(self, p->p.router, &m);
	p->alloc = memory->alloc;
	p->left = 2; /* the router's list of routees, one copy */
	memory->alloc = poor_alloc;
	return TR_OK;
}

static const struct tr_behavior poor_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = poor_start,
	.receive = poor_receive,
};

static void
without_memory_for_all_copies_nobody_gets_one(void **unused)
{
	struct poor p = { .whole = 0 };
	struct kit k;

	(void)unused;
	kit_play(&k, 1, &poor_root, &p);
	assert_int_equal(p.whole, 0);
	assert_true(p.left < 0);
	assert_int_equal(k.stats.dead[TR_DEAD_BUDGET], 1);
	assert_int_equal(kit_letters(&k, TR_DEAD_BUDGET, NEXT), 1);
}

/* ------------------------------------------------------------ options --- */

struct options {
	int error[8], add_self, add_none, add_other;
	bool named, none[8];
	int bad;
};

static void
option(struct tr_self *self, struct options *t, struct tr_router_options o)
{
	int i = t->bad++;

	o.error = &t->error[i];
	t->none[i] = !tr_ref_valid(tr_router_spawn(self, &o));
}

static int
options_start(struct tr_self *self, void *state, const void *arg)
{
	static const char long_name[] = "0123456789012345678901234567890123456"
					"789012345678901234567890123";
	tr_ref me = tr_self_ref(self), none = TR_REF_NONE, router;
	struct options *t;

	(void)kit_start_ctx(self, state, arg);
	t = kit_ctx(state);
	option(self, t, (struct tr_router_options){ .count = 1 });
	option(self, t,
	    (struct tr_router_options){ .routees = &none, .count = 1 });
	option(self, t,
	    (struct tr_router_options){ .routees = &me,
		.count = 1,
		.group = "g" });
	option(self, t, (struct tr_router_options){ .group = "" });
	option(self, t, (struct tr_router_options){ .group = long_name });
	option(self, t,
	    (struct tr_router_options){ .routees = &me,
		.count = ((size_t)1 << 20) + 1 });
	option(self, t,
	    (struct tr_router_options){ .strategy = (enum tr_route)99 });
	router =
	    tr_router_spawn(self, &(struct tr_router_options){ .name = "r" });
	t->named = tr_ref_valid(router) &&
	    tr_ref_equal(tr_whereis(tr_system_of(self), "r"), router);
	option(self, t, (struct tr_router_options){ .name = "r" });
	t->add_self = tr_router_add(self, router, router);
	t->add_none = tr_router_remove(self, router, TR_REF_NONE);
	/* Who is no router does not mind. */
	t->add_other = tr_router_add(self, me, router);
	return tr_send(self, me, DONE, NULL, 0);
}

static int
options_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	(void)msg;
	return kit_finish(self);
}

static const struct tr_behavior options = {
	.name = "options",
	.state_size = sizeof(void *),
	.start = options_start,
	.receive = options_receive,
};

static void
bad_options_are_refused(void **unused)
{
	struct options t = { .bad = 0 };
	struct kit k;

	(void)unused;
	kit_play(&k, 1, &options, &t);
	for (int i = 0; i < 7; i++) {
		assert_true(t.none[i]);
		assert_int_equal(t.error[i], TR_EINVAL);
	}
	assert_true(t.none[7]);
	assert_int_equal(t.error[7], TR_EEXIST);
	assert_true(t.named);
	assert_int_equal(t.add_self, TR_EINVAL);
	assert_int_equal(t.add_none, TR_EINVAL);
	assert_int_equal(t.add_other, TR_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(round_robin_gives_each_the_same_share_in_turn),
		KIT_TEST(hash_gives_a_key_to_the_same_routee_and_spreads_them),
		KIT_TEST(hash_moves_no_keys_that_need_not_move),
		KIT_TEST(broadcast_reaches_all_and_copies_only_what_can_be),
		KIT_TEST(a_payload_is_not_copied_on_its_way),
		KIT_TEST(a_router_follows_its_group),
		KIT_TEST(without_memory_for_all_copies_nobody_gets_one),
		KIT_TEST(bad_options_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
