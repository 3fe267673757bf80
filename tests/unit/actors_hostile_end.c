/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Handlers that misbehave about ends: of asks, of their messages' memory, of
 * themselves, and of the system they live in.
 */
#include "kit.h"

enum { ASK, GO, NOTE, LARGE = 200000 };

/* ------------------------------------------------ asks, answered badly --- */

struct court {
	int outcomes[8], n, want; /* in the order they came */
	int second[6]; /* what second answers returned */
	bool token_zero;
};

static int
court_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct court *c = *(struct court **)state;

	(void)answer;
	(void)cookie;
	c->outcomes[c->n++] = outcome;
	return c->n == c->want ? kit_finish(self) : TR_OK;
}

/* Answers each ask twice, each time in another way. */
static int
twice_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct court *c = kit_ctx(state);
	tr_token token, copy;
	struct tr_msg *m;

	switch (kit_u64(msg)) {
	case 0:
		KIT_CHECK(tr_reply(self, msg, GO, NULL, 0) == TR_OK);
		c->second[0] = tr_reply(self, msg, GO, NULL, 0);
		c->second[1] = tr_reply_error(self, msg, TR_EFULL);
		c->token_zero = tr_reply_token(self).bits == 0;
		return TR_OK;
	case 1:
		token = tr_reply_token(self);
		copy = token;
		KIT_CHECK(
		    tr_token_reply_error(self, &token, TR_EFULL) == TR_OK);
		c->second[2] = tr_token_reply(self, &copy, GO, NULL, 0);
		c->second[3] = tr_reply(self, msg, GO, NULL, 0);
		return TR_OK;
	default:
		m = tr_take(self, msg);
		KIT_CHECK(tr_reply(self, m, GO, NULL, 0) == TR_OK);
		c->second[4] = tr_reply(self, m, GO, NULL, 0);
		c->second[5] = tr_reply_error(self, m, TR_EFULL);
		tr_msg_drop(&m);
		return TR_OK;
	}
}

static const struct tr_behavior twice = {
	.name = "twice",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = twice_receive,
};

static int
court_start(struct tr_self *self, void *state, const void *arg)
{
	struct court *c;
	tr_ref one;

	(void)kit_start_ctx(self, state, arg);
	c = kit_ctx(state);
	one = tr_spawn(self, &twice, c, NULL);
	for (uint64_t i = 0; i < 3; i++)
		if (tr_ask(self, one, ASK, &i, sizeof(i), tr_forever(),
			court_answer, 0) == 0)
			return TR_ENOMEM;
	return TR_OK;
}

static const struct tr_behavior court = {
	.name = "court",
	.state_size = sizeof(void *),
	.start = court_start,
	.receive = kit_ignore,
};

static void
of_two_answers_the_first_counts_and_the_second_is_refused(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct court c = { .want = 3 };

		kit_play(&k, workers, &court, &c);
		assert_int_equal(c.n, 3);
		assert_int_equal(c.outcomes[0], TR_OK);
		assert_int_equal(c.outcomes[1], TR_EFULL);
		assert_int_equal(c.outcomes[2], TR_OK);
		for (int i = 0; i < 6; i++)
			assert_int_equal(c.second[i], TR_EINVAL);
		assert_true(c.token_zero);
		assert_int_equal(kit_dead(&k.stats), 0);
	}
}

/* --------------------------------------------- it takes and forgets ------ */

enum { TAKEN = 50 };

struct hoard {
	int dead, other, taken, made;
	tr_ref thief;
};

/* Takes what it gets, makes more, and has no idea where it all is. */
static int
forgetful_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct hoard *h = kit_ctx(state);

	if (tr_tag(msg) == GO)
		return tr_exit(self, TR_NORMAL);
	h->made += tr_msg_new(self, NOTE, LARGE, NULL) != NULL;
	h->made += tr_msg_new(self, NOTE, 10, NULL) != NULL;
	h->taken += tr_take(self, msg) != NULL;
	return TR_OK;
}

static const struct tr_behavior forgetful = {
	.name = "forgetful",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = forgetful_receive,
};

static int
hoard_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct hoard *h = *(struct hoard **)state;

	(void)answer;
	(void)cookie;
	if (outcome == TR_EDEAD)
		h->dead++;
	else
		h->other++;
	return h->dead + h->other == TAKEN ? kit_finish(self) : TR_OK;
}

static int
hoard_start(struct tr_self *self, void *state, const void *arg)
{
	static const char text[LARGE];
	struct hoard *h;

	(void)kit_start_ctx(self, state, arg);
	h = kit_ctx(state);
	h->thief = tr_spawn(self, &forgetful, h, NULL);
	for (int i = 0; i < TAKEN; i++) {
		size_t size = i % 2 == 0 ? LARGE : 8;

		if (tr_ask(self, h->thief, ASK, text, size, tr_forever(),
			hoard_answer, 0) == 0 ||
		    tr_send(self, h->thief, NOTE, text, size) != TR_OK)
			return TR_ENOMEM;
	}
	return tr_send(self, h->thief, GO, NULL, 0);
}

static const struct tr_behavior hoard = {
	.name = "hoard",
	.state_size = sizeof(void *),
	.start = hoard_start,
	.receive = kit_ignore,
};

/* AddressSanitizer would tell of memory that the system does not reclaim. */
static void
what_is_taken_and_forgotten_goes_with_actor_and_system(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct hoard h = { .dead = 0 };

		kit_play(&k, workers, &hoard, &h);
		assert_int_equal(h.dead, TAKEN);
		assert_int_equal(h.other, 0);
		assert_int_equal(h.taken, 2 * TAKEN);
		assert_int_equal(h.made, 2 * 2 * TAKEN);
	}
}

/* ------------------------------------------ start() that is the end ------ */

struct short_life {
	atomic_int started, stopped, received, code;
	int way;
};

static int
short_start(struct tr_self *self, void *state, const void *arg)
{
	struct short_life *s;

	(void)kit_start_ctx(self, state, arg);
	s = kit_ctx(state);
	atomic_fetch_add(&s->started, 1);
	kit_tell(self, tr_self_ref(self), NOTE);
	switch (s->way) {
	case 0: return tr_exit(self, TR_NORMAL);
	case 1: return tr_kill(self, tr_self_ref(self));
	case 2: return tr_stop(self, tr_self_ref(self), tr_forever());
	case 3: return tr_fail(self, TR_EFULL, "no");
	case 4: return 77;
	default: (void)tr_exit(self, TR_NORMAL); return TR_EEXIST;
	}
}

static int
short_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct short_life *s = kit_ctx(state);

	(void)self;
	(void)msg;
	atomic_fetch_add(&s->received, 1);
	return TR_OK;
}

static void
short_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct short_life *s = kit_ctx(state);

	(void)self;
	atomic_fetch_add(&s->stopped, 1);
	atomic_store(&s->code, why->code);
}

static const struct tr_behavior short_life = {
	.name = "short life",
	.state_size = sizeof(void *),
	.start = short_start,
	.receive = short_receive,
	.stop = short_stop,
};

static void
a_start_may_exit_kill_itself_or_fail(void **unused)
{
	/* By way: whether stop() runs, the reason, the message, failures. */
	static const int stops[] = { 1, 1, 1, 0, 0, 0 };
	static const int codes[] = { TR_NORMAL, TR_KILLED, TR_SHUTDOWN, 0, 0,
		0 };
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2)
		for (int way = 0; way < 6; way++) {
			struct short_life s = { .way = way };
			struct tr_stats stats;

			kit_new(&k, workers);
			assert_true(tr_ref_valid(
			    tr_system_spawn(k.sys, &short_life, &s, NULL)));
			kit_begin(&k);
			do {
				kit_nap();
				assert_int_equal(tr_stats(k.sys, &stats),
				    TR_OK);
			} while (stats.ended == 0);
			kit_stop(&k);
			assert_int_equal(s.started, 1);
			assert_int_equal(s.stopped, stops[way]);
			assert_int_equal(s.code, codes[way]);
			assert_int_equal(s.received, way == 2);
			assert_int_equal(k.stats.dead[TR_DEAD_CLOSED],
			    way != 2);
			assert_int_equal(k.stats.failed, way >= 3);
		}
}

/* ------------------------------------------------- what stop() may not --- */

struct last_will {
	int spawn, reg, offload, kill, stop;
	bool asked, after, every, token, in_hand;
	tr_ref spawned;
};

static int
no_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	(void)self;
	(void)state;
	(void)outcome;
	(void)answer;
	(void)cookie;
	KIT_CHECK(false);
	return TR_OK;
}

static int
no_work(struct tr_system *system, void *arg)
{
	(void)system;
	(void)arg;
	return 1;
}

static int
no_done(struct tr_self *self, void *state, int outcome, void *arg)
{
	(void)self;
	(void)state;
	(void)arg;
	return outcome;
}

static const struct tr_job no_job = { .work = no_work, .done = no_done };

static void
willful_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct last_will *w = kit_ctx(state);
	tr_ref me = tr_self_ref(self);

	(void)why;
	w->spawned = tr_spawn(self, &kit_idler, NULL,
	    &(struct tr_spawn_options){ .error = &w->spawn });
	w->asked =
	    tr_ask(self, me, ASK, NULL, 0, tr_forever(), no_answer, 0) != 0;
	w->reg = tr_register(self, "undead");
	w->after = tr_after(self, TR_MS(1), NOTE, 0) != 0;
	w->every = tr_every(self, TR_MS(1), NOTE, 0) != 0;
	w->offload =
	    tr_offload_blocking(self, &no_job, NULL, tr_forever(), NULL);
	w->token = tr_reply_token(self).bits != 0;
	w->in_hand = tr_msg_in_hand(self) != NULL;
	/* It is dead already: these are harmless. */
	w->kill = tr_kill(self, me);
	w->stop = tr_stop(self, me, tr_forever());
	(void)tr_exit(self, TR_EINVAL);
	(void)tr_fail(self, TR_EINVAL, "too late");
}

static const struct tr_behavior willful = {
	.name = "willful",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = kit_ignore,
	.stop = willful_stop,
};

static void
in_stop_nothing_new_begins_and_each_refusal_is_an_error(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct last_will w = { .kill = 1 };

		kit_new(&k, workers);
		(void)kit_root(&k, &willful, &w);
		kit_begin(&k);
		kit_stop(&k);
		assert_false(tr_ref_valid(w.spawned));
		assert_int_equal(w.spawn, TR_ESTOPPING);
		assert_false(w.asked || w.after || w.every);
		assert_false(w.token || w.in_hand);
		assert_int_equal(w.reg, TR_ESTOPPING);
		assert_int_equal(w.offload, TR_ESTOPPING);
		assert_int_equal(w.kill, TR_OK);
		assert_int_equal(w.stop, TR_OK);
		assert_int_equal(k.stats.failed, 0);
	}
}

/* -------------------------------------------- the system, from inside ---- */

struct usurper {
	int free, run, nested, hook;
	atomic_int children;
};

static int
child_start(struct tr_self *self, void *state, const void *arg)
{
	struct usurper *u;

	(void)kit_start_ctx(self, state, arg);
	u = kit_ctx(state);
	atomic_fetch_add(&u->children, 1);
	return tr_exit(self, TR_NORMAL);
}

static const struct tr_behavior child = {
	.name = "child",
	.state_size = sizeof(void *),
	.start = child_start,
	.receive = kit_ignore,
};

/* Frees its own system, runs it, and runs another inside of a turn. */
static int
usurper_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct tr_system *sys = tr_system_of(self);
	struct usurper *u = kit_ctx(state);

	(void)msg;
	u->free = tr_system_free(sys);
	u->run = tr_system_run(sys, NULL);
	u->hook = tr_on_dead_letter(sys, NULL, NULL);
	u->nested = tr_run(&child, u, &(struct tr_options){ .workers = 2 });
	/* Its own turn goes on as before. */
	if (tr_system_of(self) != sys ||
	    tr_spawn(self, &child, u, NULL).bits == 0)
		return TR_EINVAL;
	(void)kit_finish(self);
	return tr_system_free(sys) == TR_EBUSY ? TR_OK : TR_EINVAL;
}

static const struct tr_behavior usurper = {
	.name = "usurper",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = usurper_receive,
};

static void
a_system_is_not_freed_or_run_from_inside(void **unused)
{
	struct kit k;
	tr_ref ref;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct usurper u = { .free = 0 };

		kit_new(&k, workers);
		ref = kit_root(&k, &usurper, &u);
		assert_int_equal(tr_post(k.sys, ref, GO, NULL, 0), TR_OK);
		kit_run(&k);
		assert_int_equal(u.free, TR_EBUSY);
		assert_int_equal(u.run, TR_EINVAL);
		assert_int_equal(u.hook, TR_EBUSY);
		assert_int_equal(u.nested, TR_OK);
		assert_int_equal(u.children, 2);
		assert_int_equal(k.stats.failed, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(
		    of_two_answers_the_first_counts_and_the_second_is_refused),
		KIT_TEST(
		    what_is_taken_and_forgotten_goes_with_actor_and_system),
		KIT_TEST(a_start_may_exit_kill_itself_or_fail),
		KIT_TEST(
		    in_stop_nothing_new_begins_and_each_refusal_is_an_error),
		KIT_TEST(a_system_is_not_freed_or_run_from_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
