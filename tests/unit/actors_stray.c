/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * References that name nobody: of ended actors whose slots live on, of other
 * systems, made up, or none.  Whatever is sent to them becomes a dead letter,
 * and nobody else ever sees it.
 */
#include "kit.h"

enum { NOTE, POISON, ANSWERED, NEXT, OWNED, TRIED };

/* ---------------------------------------------- the dead and nobody --- */

enum { TARGETS = 5 };

struct stray {
	tr_ref root, foreign;
	int sends, tries, deaths, outcomes, poisoned;
	int expected; /* how many refs were tried */
};

static int
stray_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct stray *s = kit_ctx(state);

	(void)answer;
	(void)cookie;
	if (outcome == TR_EDEAD)
		s->deaths++;
	if (++s->outcomes == s->expected)
		return kit_finish(self);
	return TR_OK;
}

/* Everything one can send to a reference. */
static void
stray_probe(struct tr_self *self, struct stray *s, tr_ref to)
{
	struct tr_msg *msg = tr_msg_new(self, OWNED, 100, NULL);
	uint64_t value = 1;

	s->expected++;
	if (tr_send(self, to, POISON, &value, sizeof(value)) == TR_OK)
		s->sends++;
	if (tr_try_send(self, to, TRIED, &value, sizeof(value)) == TR_EDEAD)
		s->tries++;
	if (tr_try_send_msg(self, to, &msg) == TR_EDEAD && msg != NULL)
		s->tries++;
	if (tr_send_msg(self, to, &msg) == TR_OK && msg == NULL)
		s->sends++;
	if (tr_ask(self, to, ANSWERED, &value, sizeof(value), tr_forever(),
		stray_answer, 0) == 0)
		abort();
}

static int
victim_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct stray *s = kit_ctx(state);

	if (tr_tag(msg) != NOTE)
		s->poisoned++;
	return tr_exit(self, TR_NORMAL);
}

static void
victim_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct stray *s = kit_ctx(state);
	tr_ref me = tr_self_ref(self);

	(void)why;
	(void)tr_send(self, s->root, NEXT, &me, sizeof(me));
}

static const struct tr_behavior victim = {
	.name = "victim",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = victim_receive,
	.stop = victim_stop,
};

static int
stray_start(struct tr_self *self, void *state, const void *arg)
{
	struct stray *s;

	(void)kit_start_ctx(self, state, arg);
	s = kit_ctx(state);
	s->root = tr_self_ref(self);
	kit_tell(self, tr_spawn(self, &victim, s, NULL), NOTE);
	return TR_OK;
}

static int
stray_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct stray *s = kit_ctx(state);
	const tr_ref *dead = tr_data(msg, sizeof(*dead));
	tr_ref mine = tr_self_ref(self);

	if (tr_tag(msg) != NEXT || dead == NULL) {
		s->poisoned++;
		return TR_OK;
	}
	stray_probe(self, s, *dead);
	stray_probe(self, s, TR_REF_NONE);
	stray_probe(self, s, s->foreign);
	stray_probe(self, s, (tr_ref){ UINT64_MAX });
	stray_probe(self, s, (tr_ref){ ~mine.bits });
	return TR_OK;
}

static const struct tr_behavior stray_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = stray_start,
	.receive = stray_receive,
};

static void
whatever_is_sent_to_nobody_is_a_dead_letter(void **unused)
{
	struct kit k, other;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct stray s = { .sends = 0 };

		kit_new(&other, 1);
		s.foreign = kit_root(&other, &kit_idler, NULL);
		kit_play(&k, workers, &stray_root, &s);
		assert_int_equal(s.sends, 2 * TARGETS);
		assert_int_equal(s.tries, 2 * TARGETS);
		assert_int_equal(s.outcomes, TARGETS);
		assert_int_equal(s.deaths, TARGETS);
		assert_int_equal(s.poisoned, 0);
		assert_int_equal(kit_letters(&k, TR_DEAD_NO_ACTOR, POISON),
		    TARGETS);
		assert_in_range(kit_letters(&k, TR_DEAD_NO_ACTOR, OWNED),
		    TARGETS, 2 * TARGETS);
		assert_int_equal(tr_system_free(other.sys), TR_OK);
	}
}

/* The hook is told who, whom, what and how much. */
static void
the_hook_is_told_everything_about_a_dead_letter(void **unused)
{
	struct stray s = { .sends = 0 };
	unsigned seen = 0;
	struct kit k;

	(void)unused;
	kit_play(&k, 1, &stray_root, &s);
	assert_in_range(k.letters, 1, KIT_LETTERS);
	for (unsigned i = 0; i < k.letters; i++)
		if (k.letter[i].tag == POISON) {
			assert_int_equal(k.letter[i].size, sizeof(uint64_t));
			assert_true(tr_ref_equal(k.letter[i].sender, s.root));
			if (tr_ref_equal(k.letter[i].target,
				(tr_ref){ UINT64_MAX }))
				seen++;
		}
	assert_int_equal(seen, 1);
}

/* ------------------------------------------------------ near misses --- */

struct miss {
	tr_ref root, child;
	int poisoned, sent;
};

static int
miss_child_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct miss *m = kit_ctx(state);

	(void)self;
	if (tr_tag(msg) == POISON)
		m->poisoned++;
	return TR_OK;
}

static const struct tr_behavior miss_child = {
	.name = "child",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = miss_child_receive,
};

static int
miss_start(struct tr_self *self, void *state, const void *arg)
{
	uint64_t seed = 7;
	struct miss *m;
	tr_ref near;

	(void)kit_start_ctx(self, state, arg);
	m = kit_ctx(state);
	m->root = tr_self_ref(self);
	m->child = tr_spawn(self, &miss_child, m, NULL);
	for (int i = 0; i < 64; i++) {
		near.bits = m->child.bits ^ UINT64_C(1) << i;
		if (tr_ref_equal(near, m->root))
			continue;
		kit_tell(self, near, POISON);
		m->sent++;
	}
	for (int i = 0; i < TEST_SCALE(100000); i++) {
		near.bits = kit_random(&seed);
		/* A true slot with a made-up generation, both ways round. */
		if (i % 3 == 1)
			near.bits =
			    (near.bits << 32) | (m->child.bits & UINT32_MAX);
		else if (i % 3 == 2)
			near.bits = (m->child.bits & ~(uint64_t)UINT32_MAX) |
			    (near.bits >> 32);
		if (tr_ref_equal(near, m->root) || tr_ref_equal(near, m->child))
			continue;
		kit_tell(self, near, POISON);
		m->sent++;
	}
	return kit_finish(self);
}

static const struct tr_behavior miss_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = miss_start,
	.receive = miss_child_receive,
};

static void
made_up_references_reach_nobody(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 2; workers++) {
		struct miss m = { .sent = 0 };

		kit_play(&k, workers, &miss_root, &m);
		assert_int_equal(m.poisoned, 0);
		assert_true(k.stats.dead[TR_DEAD_NO_ACTOR] >= (uint64_t)m.sent);
	}
}

/* --------------------------------------------------- recycled slots --- */

enum { GENERATIONS = 20000, KEPT = 512 };

struct recycle {
	tr_ref root;
	tr_ref old[KEPT]; /* the last of the dead */
	atomic_int poisoned;
	int born, tried_alive;
};

static struct recycle recycle;

static int
heir_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	if (tr_tag(msg) != NOTE)
		atomic_fetch_add(&recycle.poisoned, 1);
	return tr_exit(self, TR_NORMAL);
}

static void
heir_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	tr_ref me = tr_self_ref(self);

	(void)state;
	(void)why;
	(void)tr_send(self, recycle.root, NEXT, &me, sizeof(me));
}

static const struct tr_behavior heir = {
	.name = "heir",
	.receive = heir_receive,
	.stop = heir_stop,
};

/* Poison some of the dead while the newest heir may sit in their slot. */
static int
recycle_next(struct tr_self *self, tr_ref dead)
{
	tr_ref child;

	recycle.old[recycle.born % KEPT] = dead;
	if (++recycle.born == TEST_SCALE(GENERATIONS))
		return kit_finish(self);
	child = tr_spawn(self, &heir, NULL, NULL);
	for (int i = 0; i < 4; i++) {
		dead = recycle.old[(recycle.born * 7 + i * 131) % KEPT];
		kit_tell(self, dead, POISON);
		if (tr_try_send(self, dead, POISON, NULL, 0) != TR_EDEAD)
			recycle.tried_alive++;
	}
	kit_tell(self, child, NOTE);
	return TR_OK;
}

static int
recycle_start(struct tr_self *self, void *state, const void *arg)
{
	(void)state;
	(void)arg;
	recycle.root = tr_self_ref(self);
	return recycle_next(self, TR_REF_NONE);
}

static int
recycle_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const tr_ref *dead = tr_data(msg, sizeof(*dead));

	(void)state;
	if (tr_tag(msg) != NEXT || dead == NULL) {
		atomic_fetch_add(&recycle.poisoned, 1);
		return TR_OK;
	}
	return recycle_next(self, *dead);
}

static const struct tr_behavior recycle_root = {
	.name = "root",
	.start = recycle_start,
	.receive = recycle_receive,
};

static void
messages_to_a_recycled_slot_are_dead_letters(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		memset(&recycle, 0, sizeof(recycle));
		kit_new_with(&k,
		    (struct tr_options){ .workers = workers,
			.max_actors = 1024 });
		(void)kit_root(&k, &recycle_root, NULL);
		kit_run(&k);
		assert_int_equal(recycle.born, TEST_SCALE(GENERATIONS));
		assert_int_equal(recycle.poisoned, 0);
		assert_int_equal(recycle.tried_alive, 0);
	}
}

/* ---------------------------------------------- posts to the wrong --- */

static void
posts_to_another_systems_actor_reach_nobody(void **unused)
{
	struct miss m = { .sent = 0 };
	struct kit a, b;
	tr_ref in_a;

	(void)unused;
	kit_new(&a, 1);
	kit_new(&b, 1);
	in_a = kit_root(&a, &miss_child, &m);
	assert_int_equal(tr_post(b.sys, in_a, POISON, NULL, 0), TR_OK);
	assert_int_equal(tr_post(b.sys, TR_REF_NONE, POISON, NULL, 0), TR_OK);
	kit_begin(&a);
	kit_begin(&b);
	kit_stop(&b);
	kit_stop(&a);
	assert_int_equal(m.poisoned, 0);
	assert_int_equal(kit_letters(&b, TR_DEAD_NO_ACTOR, POISON), 2);
	assert_int_equal(kit_letters_of(&a, POISON), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(whatever_is_sent_to_nobody_is_a_dead_letter),
		KIT_TEST(the_hook_is_told_everything_about_a_dead_letter),
		KIT_TEST(made_up_references_reach_nobody),
		KIT_TEST(messages_to_a_recycled_slot_are_dead_letters),
		KIT_TEST(posts_to_another_systems_actor_reach_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
