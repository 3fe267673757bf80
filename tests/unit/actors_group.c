/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Process groups: joining, leaving, sending to all, and ending.
 */
#include "actors/system.h"
#include "kit.h"
#include "sched/lock.h"

enum { JOIN, LEAVE, NEWS, CHECK, DONE, LOST };

/* How many groups a system has, by its tables. */
static uint32_t
groups_of(struct tr_system *sys)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < TRI_NAME_SHARDS; i++) {
		tri_lock(sys->env, &sys->groups[i].lock);
		n += sys->groups[i].count;
		tri_unlock(&sys->groups[i].lock);
	}
	return n;
}

/* ---------------------------------------------------- one's own groups --- */

static char long_name[65]; /* 64 bytes, one more than allowed */

struct joins {
	int first, again, other, empty, over, longest, none, left, left_again;
	int rejoined, stopping;
	size_t members, others, unknown;
	uint32_t groups[2];
	bool mine;
};

static int
joins_start(struct tr_self *self, void *state, const void *arg)
{
	struct tr_system *sys = tr_system_of(self);
	struct joins *j;
	tr_ref who = TR_REF_NONE;

	(void)kit_start_ctx(self, state, arg);
	j = kit_ctx(state);
	j->unknown = tr_pg_members(sys, "readers", NULL, 0);
	j->first = tr_pg_join(self, "readers");
	j->again = tr_pg_join(self, "readers");
	j->other = tr_pg_join(self, "writers");
	j->empty = tr_pg_join(self, "");
	j->over = tr_pg_join(self, long_name);
	j->longest = tr_pg_join(self, long_name + 1);
	j->groups[0] = groups_of(sys);
	j->members = tr_pg_members(sys, "readers", &who, 1);
	j->mine = tr_ref_equal(who, tr_self_ref(self));
	j->none = tr_pg_leave(self, "listeners");
	j->left = tr_pg_leave(self, "readers");
	j->left_again = tr_pg_leave(self, "readers");
	j->others = tr_pg_members(sys, "writers", NULL, 0);
	j->groups[1] = groups_of(sys);
	j->rejoined = tr_pg_join(self, "readers");
	return kit_finish(self);
}

static void
joins_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct joins *j = kit_ctx(state);

	(void)why;
	j->stopping = tr_pg_join(self, "late");
}

static const struct tr_behavior joins = {
	.name = "joins",
	.state_size = sizeof(void *),
	.start = joins_start,
	.receive = kit_ignore,
	.stop = joins_stop,
};

static void
an_actor_is_in_a_group_once_until_it_leaves(void **unused)
{
	struct joins j = { .first = 1 };
	struct kit k;

	(void)unused;
	memset(long_name, 'g', 64);
	kit_play(&k, 1, &joins, &j);
	assert_int_equal(j.unknown, 0);
	assert_int_equal(j.first, TR_OK);
	assert_int_equal(j.again, TR_OK);
	assert_int_equal(j.other, TR_OK);
	assert_int_equal(j.empty, TR_EINVAL);
	assert_int_equal(j.over, TR_EINVAL);
	assert_int_equal(j.longest, TR_OK);
	assert_int_equal(j.groups[0], 3);
	assert_int_equal(j.members, 1);
	assert_true(j.mine);
	assert_int_equal(j.none, TR_EINVAL);
	assert_int_equal(j.left, TR_OK);
	assert_int_equal(j.left_again, TR_EINVAL);
	assert_int_equal(j.others, 1);
	/* One without members is gone. */
	assert_int_equal(j.groups[1], 2);
	assert_int_equal(j.rejoined, TR_OK);
	assert_int_equal(j.stopping, TR_ESTOPPING);
}

/* ------------------------------------------------------------ members --- */

enum { CROWD = TEST_SCALE(100000) };

/* What a crowd of members and their root share. */
struct crowd {
	tr_ref root;
	int size, told;
	size_t sent, empty, members[2], copied;
	atomic_int joined, heard, wrong, gone;
	int rc, rc_empty, rc_large, rc_name;
	uint32_t groups;
	bool with_blob;
	tr_blob blob;
};

static int
member_start(struct tr_self *self, void *state, const void *arg)
{
	struct crowd *c;

	(void)kit_start_ctx(self, state, arg);
	c = kit_ctx(state);
	if (tr_pg_join(self, "crowd") != TR_OK ||
	    tr_pg_join(self, "others") != TR_OK)
		return TR_ENOMEM;
	if (atomic_fetch_add(&c->joined, 1) == c->size - 1)
		kit_tell(self, c->root, NEWS);
	return TR_OK;
}

static int
member_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct crowd *c = kit_ctx(state);
	bool right =
	    tr_tag(msg) == NEWS && tr_ref_equal(tr_sender(msg), c->root);

	if (c->with_blob)
		right = right && tr_msg_blob(msg) != NULL &&
		    tr_blob_data(tr_msg_blob(msg)) == tr_blob_data(&c->blob);
	else
		right = right && kit_u64(msg) == 42;
	if (!right)
		atomic_fetch_add(&c->wrong, 1);
	if (atomic_fetch_add(&c->heard, 1) == c->size - 1)
		kit_tell(self, c->root, CHECK);
	return tr_exit(self, TR_NORMAL);
}

static const struct tr_behavior member = {
	.name = "member",
	.state_size = sizeof(void *),
	.start = member_start,
	.receive = member_receive,
};

static int
crowd_start(struct tr_self *self, void *state, const void *arg)
{
	struct crowd *c;

	(void)kit_start_ctx(self, state, arg);
	c = kit_ctx(state);
	c->root = tr_self_ref(self);
	/* One that hears nothing, for it left. */
	if (tr_pg_join(self, "crowd") != TR_OK ||
	    tr_pg_leave(self, "crowd") != TR_OK)
		return TR_ENOMEM;
	for (int i = 0; i < c->size; i++)
		if (!tr_ref_valid(tr_spawn(self, &member, c, NULL)))
			return TR_ENOMEM;
	return TR_OK;
}

static void
crowd_tell(struct tr_self *self, struct crowd *c)
{
	static const char byte;
	uint64_t value = 42;

	c->members[0] = tr_pg_members(tr_system_of(self), "crowd", NULL, 0);
	c->rc = c->with_blob ?
	    tr_pg_send_blob(self, "crowd", NEWS, &c->blob, &c->sent) :
	    tr_pg_send(self, "crowd", NEWS, &value, sizeof(value), &c->sent);
	c->empty = 1;
	c->rc_empty = tr_pg_send(self, "nobody", LOST, NULL, 0, &c->empty);
	c->rc_large = tr_pg_send(self, "crowd", LOST, &byte, SIZE_MAX, NULL);
	c->rc_name = tr_pg_send(self, "", LOST, NULL, 0, NULL);
}

/* Wait until the last has left, which is after its last message. */
static int
crowd_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct tr_system *sys = tr_system_of(self);
	struct crowd *c = kit_ctx(state);

	if (tr_tag(msg) == NEWS) {
		crowd_tell(self, c);
		return TR_OK;
	}
	c->members[1] = tr_pg_members(sys, "crowd", NULL, 0) +
	    tr_pg_members(sys, "others", NULL, 0);
	c->groups = groups_of(sys);
	if (c->members[1] > 0 || c->groups > 0)
		return tr_send(self, c->root, CHECK, NULL, 0);
	return kit_finish(self);
}

static const struct tr_behavior crowd = {
	.name = "crowd",
	.state_size = sizeof(void *),
	.start = crowd_start,
	.receive = crowd_receive,
};

static void
crowd_play(unsigned workers, struct crowd *c)
{
	struct kit k;

	kit_play(&k, workers, &crowd, c);
	assert_int_equal(c->rc, TR_OK);
	assert_int_equal(c->members[0], c->size);
	assert_int_equal(c->sent, c->size);
	assert_int_equal(c->heard, c->size);
	assert_int_equal(c->wrong, 0);
	assert_int_equal(c->rc_empty, TR_OK);
	assert_int_equal(c->empty, 0);
	assert_int_equal(c->rc_large, TR_EINVAL);
	assert_int_equal(c->rc_name, TR_EINVAL);
	assert_int_equal(c->members[1], 0);
	assert_int_equal(c->groups, 0);
	assert_int_equal(kit_letters_of(&k, LOST), 0);
}

static void
every_member_gets_the_message_and_leaves_when_it_ends(void **unused)
{
	(void)unused;
	for (unsigned workers = 1; workers <= 8; workers *= 2)
		for (int size = 1; size <= 1000; size *= 10) {
			struct crowd c = { .size = size };

			crowd_play(workers, &c);
		}
}

static void
a_group_has_a_hundred_thousand_members(void **unused)
{
	struct crowd c = { .size = CROWD };

	(void)unused;
	crowd_play(2, &c);
}

static atomic_int blob_freed;

static void
free_blob(void *data, size_t size, void *ctx)
{
	(void)data;
	(void)size;
	(void)ctx;
	atomic_fetch_add(&blob_freed, 1);
}

static void
a_blob_to_a_group_is_not_copied(void **unused)
{
	struct crowd c = { .size = 500, .with_blob = true };
	struct tr_system *sys;
	static char text[] = "news";

	(void)unused;
	blob_freed = 0;
	assert_int_equal(tr_system_new(&sys, NULL), TR_OK);
	assert_int_equal(tr_blob_wrap(sys, text, sizeof(text), free_blob, NULL,
			     &c.blob),
	    TR_OK);
	crowd_play(4, &c);
	assert_int_equal(blob_freed, 0);
	tr_blob_drop(&c.blob);
	assert_int_equal(blob_freed, 1);
	assert_int_equal(tr_system_free(sys), TR_OK);
}

/* -------------------------------------------------------------- order --- */

enum { TALKS = TEST_SCALE(20000), HEARERS = 5 };

struct talk {
	tr_ref root, hearer[HEARERS];
	uint64_t next[HEARERS + 1];
	int wrong, joined, done, to_self;
};

static int
hearer_start(struct tr_self *self, void *state, const void *arg)
{
	struct talk *t;

	(void)kit_start_ctx(self, state, arg);
	t = kit_ctx(state);
	if (tr_pg_join(self, "hearers") != TR_OK)
		return TR_ENOMEM;
	return tr_send(self, t->root, JOIN, NULL, 0);
}

static int
hearer_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct talk *t = kit_ctx(state);
	uint64_t n = kit_u64(msg);
	int i = 0;

	while (!tr_ref_equal(t->hearer[i], tr_self_ref(self)))
		i++;
	if (n != t->next[i]++)
		t->wrong++;
	return n == TALKS - 1 ? tr_send(self, t->root, DONE, NULL, 0) : TR_OK;
}

static const struct tr_behavior hearer = {
	.name = "hearer",
	.state_size = sizeof(void *),
	.start = hearer_start,
	.receive = hearer_receive,
};

static int
talk_start(struct tr_self *self, void *state, const void *arg)
{
	struct talk *t;

	(void)kit_start_ctx(self, state, arg);
	t = kit_ctx(state);
	t->root = tr_self_ref(self);
	for (int i = 0; i < HEARERS; i++)
		t->hearer[i] = tr_spawn(self, &hearer, t, NULL);
	return tr_pg_join(self, "hearers");
}

/* To the group and to each by itself in turn: it is one sequence. */
static int
talk_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct talk *t = kit_ctx(state);
	uint64_t n;

	switch (tr_tag(msg)) {
	case JOIN:
		if (++t->joined < HEARERS)
			return TR_OK;
		for (n = 0; n < TALKS; n++)
			if (n % 3 != 0)
				(void)tr_pg_send(self, "hearers", NEWS, &n,
				    sizeof(n), NULL);
			else
				for (int i = 0; i < HEARERS; i++)
					(void)tr_send(self, t->hearer[i], NEWS,
					    &n, sizeof(n));
		return TR_OK;
	case NEWS:
		n = kit_u64(msg);
		if (n % 3 == 0 || n < t->next[HEARERS])
			t->wrong++;
		t->next[HEARERS] = n + 1;
		t->to_self++;
		return TR_OK;
	default: return ++t->done == HEARERS ? kit_finish(self) : TR_OK;
	}
}

static const struct tr_behavior talk = {
	.name = "talk",
	.state_size = sizeof(void *),
	.start = talk_start,
	.receive = talk_receive,
};

static void
sends_to_the_group_and_to_its_member_keep_their_order(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct talk t = { .wrong = 0 };

		kit_play(&k, workers, &talk, &t);
		assert_int_equal(t.wrong, 0);
		for (int i = 0; i < HEARERS; i++)
			assert_int_equal(t.next[i], TALKS);
		/* The sender is a member too. */
		assert_int_equal(t.to_self, TALKS - (TALKS + 2) / 3);
	}
}

/* ------------------------------------------------------- from outside --- */

static sem_t heard;

static int
outside_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)self;
	(void)state;
	if (kit_u64(msg) == 7 && !tr_ref_valid(tr_sender(msg)))
		sem_post(&heard);
	return TR_OK;
}

static int
outside_start(struct tr_self *self, void *state, const void *arg)
{
	int rc = tr_pg_join(self, "outside");

	(void)state;
	(void)arg;
	sem_post(&heard);
	return rc;
}

static const struct tr_behavior outside = {
	.name = "outside",
	.start = outside_start,
	.receive = outside_receive,
};

static void
groups_are_posted_to_from_other_threads(void **unused)
{
	enum { MEMBERS = 200 };
	uint64_t value = 7;
	size_t sent = 9;
	struct kit k;

	(void)unused;
	sem_init(&heard, 0, 0);
	kit_new(&k, 2);
	assert_int_equal(tr_pg_post(k.sys, "outside", NEWS, &value,
			     sizeof(value), &sent),
	    TR_OK);
	assert_int_equal(sent, 0);
	assert_int_equal(tr_pg_post(k.sys, long_name, NEWS, NULL, 0, NULL),
	    TR_EINVAL);
	for (int i = 0; i < MEMBERS; i++)
		assert_true(
		    tr_ref_valid(tr_system_spawn(k.sys, &outside, NULL, NULL)));
	kit_begin(&k);
	for (int i = 0; i < MEMBERS; i++)
		kit_await(&heard);
	for (int n = 0; n < 10; n++) {
		assert_int_equal(tr_pg_post(k.sys, "outside", NEWS, &value,
				     sizeof(value), &sent),
		    TR_OK);
		assert_int_equal(sent, MEMBERS);
		for (int i = 0; i < MEMBERS; i++)
			kit_await(&heard);
	}
	assert_int_equal(tr_system_stop(k.sys, tr_forever()), TR_OK);
	assert_int_equal(tr_pg_post(k.sys, "outside", NEWS, NULL, 0, &sent),
	    TR_ESTOPPING);
	assert_int_equal(sent, 0);
	kit_stop(&k);
	sem_destroy(&heard);
}

/* ------------------------------------------------------ without memory --- */

enum { POOR = 5, LARGE = 100 * 1000 };

struct poor {
	tr_ref root;
	int joined, heard, refused[4], at_last, join_refused, join_at_last;
	size_t sent[4], sent_at_last;
	uint32_t groups;
};

static void *(*real_alloc)(void *ctx, size_t size);
static int allocations_left;

static void *
alloc_some(void *ctx, size_t size)
{
	return allocations_left-- > 0 ? real_alloc(ctx, size) : NULL;
}

static void
alloc_limit(struct tr_self *self, int n)
{
	struct tri_memory *memory = &tr_system_of(self)->env->memory;

	if (memory->alloc != alloc_some)
		real_alloc = memory->alloc;
	allocations_left = n;
	memory->alloc = n < 0 ? real_alloc : alloc_some;
}

static int
poor_member_start(struct tr_self *self, void *state, const void *arg)
{
	struct poor *p;

	(void)kit_start_ctx(self, state, arg);
	p = kit_ctx(state);
	if (tr_pg_join(self, "poor") != TR_OK)
		return TR_ENOMEM;
	return tr_send(self, p->root, JOIN, NULL, 0);
}

static int
poor_member_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct poor *p = kit_ctx(state);

	p->heard += tr_size(msg) == LARGE ? 1 : 100;
	return tr_send(self, p->root, DONE, NULL, 0);
}

static const struct tr_behavior poor_member = {
	.name = "poor member",
	.state_size = sizeof(void *),
	.start = poor_member_start,
	.receive = poor_member_receive,
};

static int
poor_start(struct tr_self *self, void *state, const void *arg)
{
	struct poor *p;

	(void)kit_start_ctx(self, state, arg);
	p = kit_ctx(state);
	p->root = tr_self_ref(self);
	for (int i = 0; i < POOR; i++)
		(void)tr_spawn(self, &poor_member, p, NULL);
	return TR_OK;
}

/* A join wants a member, a group and seats; a large message a block. */
static void
poor_try(struct tr_self *self, struct poor *p)
{
	static const char large[LARGE];

	for (int i = 0; i < 3; i++) {
		alloc_limit(self, i);
		p->join_refused += tr_pg_join(self, "rich") == TR_ENOMEM;
		p->groups += groups_of(tr_system_of(self)) - 1;
	}
	alloc_limit(self, -1);
	p->join_at_last = tr_pg_join(self, "rich");
	for (int i = 0; i < 4; i++) {
		alloc_limit(self, i + 1);
		p->sent[i] = 99;
		p->refused[i] =
		    tr_pg_send(self, "poor", NEWS, large, LARGE, &p->sent[i]);
	}
	alloc_limit(self, -1);
	p->at_last =
	    tr_pg_send(self, "poor", NEWS, large, LARGE, &p->sent_at_last);
}

static int
poor_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct poor *p = kit_ctx(state);

	if (tr_tag(msg) == DONE)
		return p->heard == POOR ? kit_finish(self) : TR_OK;
	if (++p->joined == POOR)
		poor_try(self, p);
	return TR_OK;
}

static const struct tr_behavior poor = {
	.name = "poor",
	.state_size = sizeof(void *),
	.start = poor_start,
	.receive = poor_receive,
};

static void
without_memory_nobody_is_sent_to_and_nobody_joins(void **unused)
{
	struct poor p = { .joined = 0 };
	struct kit k;

	(void)unused;
	kit_play(&k, 1, &poor, &p);
	assert_int_equal(p.join_refused, 3);
	assert_int_equal(p.groups, 0);
	assert_int_equal(p.join_at_last, TR_OK);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(p.refused[i], TR_ENOMEM);
		assert_int_equal(p.sent[i], 0);
	}
	assert_int_equal(p.at_last, TR_OK);
	assert_int_equal(p.sent_at_last, POOR);
	assert_int_equal(p.heard, POOR);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(an_actor_is_in_a_group_once_until_it_leaves),
		KIT_TEST(every_member_gets_the_message_and_leaves_when_it_ends),
		KIT_TEST(a_group_has_a_hundred_thousand_members),
		KIT_TEST(a_blob_to_a_group_is_not_copied),
		KIT_TEST(sends_to_the_group_and_to_its_member_keep_their_order),
		KIT_TEST(groups_are_posted_to_from_other_threads),
		KIT_TEST(without_memory_nobody_is_sent_to_and_nobody_joins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
