/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the rows about signals say of Troupe that a script cannot show, or that
 * Erlang does not have: G1, G8, G10, G14, G16.
 */
#include "play.h"

enum { GO = 1, EXITED, DOWN, LATER, WORK, ASK, LAST };

/* ------------------------------------------------------------------ G1 --- */

static void
G1_what_was_sent_before_an_exit_signal_is_handled_first(void **unused)
{
	(void)unused;
	play_row("troupe/G1");
}

/* ------------------------------------------------------------------ G8 --- */

/* Stack that the ends of a chain may lie apart; the frames of as many nested
 * calls would take some hundred times more. */
enum { CHAIN = TEST_SCALE(10000), STACK_SPAN = 8192 };

struct chain {
	struct kit k;
	unsigned pieces, fell;
	uintptr_t lowest, highest; /* frames of stop() */
};

static const struct tr_behavior piece;

static int
piece_start(struct tr_self *self, void *state, const void *arg)
{
	struct chain *c;

	(void)kit_start_ctx(self, state, arg);
	c = kit_ctx(state);
	if (++c->pieces == CHAIN)
		return tr_exit(self, 7);
	return tr_ref_valid(tr_spawn(self, &piece, c,
		   &(struct tr_spawn_options){ .link = true })) ?
	    TR_OK :
	    TR_ENOMEM;
}

static void
piece_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	struct chain *c = kit_ctx(state);

	if (why->code == 7)
		c->fell++;
	if (here < c->lowest)
		c->lowest = here;
	if (here > c->highest)
		c->highest = here;
	if (c->fell == CHAIN)
		(void)kit_finish(self);
}

static const struct tr_behavior piece = {
	.name = "piece",
	.state_size = sizeof(void *),
	.start = piece_start,
	.receive = kit_ignore,
	.stop = piece_stop,
};

static void
G8_a_long_chain_falls_without_recursion(void **unused)
{
	static struct chain c;

	(void)unused;
	c = (struct chain){ .lowest = UINTPTR_MAX };
	/* One worker, so one stack. */
	kit_play(&c.k, 1, &piece, &c);
	assert_int_equal(c.fell, CHAIN);
	assert_true(c.highest - c.lowest < STACK_SPAN);
}

/* ----------------------------------------------------------------- G10 --- */

struct unlinking {
	struct kit k;
	tr_ref partner;
	unsigned exits;
	bool survived;
};

static int
partner_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	(void)msg;
	return tr_exit(self, 7);
}

static const struct tr_behavior partner = {
	.name = "partner",
	.receive = partner_receive,
};

static int
unlinker_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct unlinking *u = kit_ctx(state);
	struct tr_stats stats;

	switch (tr_tag(msg)) {
	case GO:
		/* On another worker: once it has ended its EXIT waits here. */
		do
			(void)tr_stats(tr_system_of(self), &stats);
		while (stats.ended == 0);
		(void)tr_unlink(self, u->partner);
		kit_tell(self, tr_self_ref(self), LATER);
		break;
	case EXITED: u->exits++; break;
	case LATER: u->survived = true; return kit_finish(self);
	default: break;
	}
	return TR_OK;
}

static int
unlinker_start(struct tr_self *self, void *state, const void *arg)
{
	struct unlinking *u;

	(void)kit_start_ctx(self, state, arg);
	u = kit_ctx(state);
	(void)tr_trap_exit(self, true, EXITED);
	u->partner = tr_spawn(self, &partner, NULL,
	    &(struct tr_spawn_options){ .link = true,
		.placement = TR_PLACE_WORKER,
		.worker = 1 });
	kit_tell(self, tr_self_ref(self), GO);
	kit_tell(self, u->partner, GO);
	return TR_OK;
}

static const struct tr_behavior unlinker = {
	.name = "unlinker",
	.state_size = sizeof(void *),
	.start = unlinker_start,
	.receive = unlinker_receive,
};

static void
G10_not_even_an_exit_that_waits_in_the_mailbox(void **unused)
{
	static struct unlinking u;

	(void)unused;
	u = (struct unlinking){ 0 };
	kit_play(&u.k, 2, &unlinker, &u);
	assert_int_equal(u.exits, 0);
	assert_true(u.survived);
	/* It was there, and went the way of what nobody awaits. */
	assert_int_equal(u.k.stats.dead[TR_DEAD_LATE], 1);
}

/* ----------------------------------------------------------------- G14 --- */

enum { LIVES = TEST_SCALE(3000), WAITING = 3 };

struct owner_lives {
	struct kit k;
	tr_ref owner;
	tr_monitor_id monitor;
	bool by_link; /* told by an EXIT, else by a DOWN */
	unsigned lives, answered, named, grouped, uncounted;
	uint64_t handled; /* by the owner */
};

static int
owner_start(struct tr_self *self, void *state, const void *arg)
{
	(void)kit_start_ctx(self, state, arg);
	if (tr_register(self, "shop") != TR_OK ||
	    tr_register(self, "store") != TR_OK)
		return TR_EEXIST;
	return tr_pg_join(self, "owners");
}

static int
owner_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct owner_lives *o = kit_ctx(state);

	if (tr_tag(msg) == ASK)
		return tr_reply_token(self).bits != 0 ? TR_OK : TR_ENOMEM;
	o->handled++;
	return tr_tag(msg) == LAST ? tr_fail(self, 7, "that was it") : TR_OK;
}

static const struct tr_behavior owner = {
	.name = "owner",
	.state_size = sizeof(void *),
	.start = owner_start,
	.receive = owner_receive,
};

static int
owed(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct owner_lives *o = kit_ctx(state);

	(void)self;
	(void)answer;
	(void)cookie;
	if (outcome == TR_EDEAD)
		o->answered++;
	return TR_OK;
}

/* The owner gets an ask, WORK, what ends it, and what it must not see. */
static int
heir_begin(struct tr_self *self, struct owner_lives *o)
{
	struct tr_spawn_options other = { .placement = TR_PLACE_WORKER,
		.worker = 1,
		.link = o->by_link,
		.monitor = o->by_link ? NULL : &o->monitor,
		.monitor_tag = DOWN };

	o->owner = tr_spawn(self, &owner, o, &other);
	if (!tr_ref_valid(o->owner) ||
	    tr_ask(self, o->owner, ASK, NULL, 0, tr_forever(), owed, 0) == 0)
		return TR_ENOMEM;
	kit_tell(self, o->owner, WORK);
	kit_tell(self, o->owner, LAST);
	for (int i = 0; i < WAITING; i++)
		kit_tell(self, o->owner, WORK);
	return TR_OK;
}

static int
heir_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct owner_lives *o = kit_ctx(state);
	struct tr_system *sys = tr_system_of(self);
	struct tr_stats stats;

	if (tr_tag(msg) != DOWN && tr_tag(msg) != EXITED)
		return TR_OK;
	o->lives++;
	if (tr_ref_valid(tr_whereis(sys, "shop")) ||
	    tr_ref_valid(tr_whereis(sys, "store")))
		o->named++;
	if (tr_pg_members(sys, "owners", NULL, 0) != 0)
		o->grouped++;
	(void)tr_stats(sys, &stats);
	/* The one it failed on, and those behind it or refused. */
	if (kit_dead(&stats) < (uint64_t)o->lives * (WAITING + 1))
		o->uncounted++;
	if (o->answered != o->lives || o->lives == LIVES)
		return kit_finish(self);
	return heir_begin(self, o);
}

static int
heir_start(struct tr_self *self, void *state, const void *arg)
{
	(void)kit_start_ctx(self, state, arg);
	(void)tr_trap_exit(self, true, EXITED);
	return heir_begin(self, kit_ctx(state));
}

static const struct tr_behavior heir = {
	.name = "heir",
	.state_size = sizeof(void *),
	.start = heir_start,
	.receive = heir_receive,
};

static void
G14_what_it_had_is_free_before_others_are_told(void **unused)
{
	static struct owner_lives o;

	(void)unused;
	for (int by_link = 0; by_link < 2; by_link++) {
		o = (struct owner_lives){ .by_link = by_link };
		kit_play(&o.k, 2, &heir, &o);
		assert_int_equal(o.lives, LIVES);
		assert_int_equal(o.answered, LIVES);
		assert_int_equal(o.named, 0);
		assert_int_equal(o.grouped, 0);
		assert_int_equal(o.uncounted, 0);
		/* WORK and LAST, and nothing behind. */
		assert_int_equal(o.handled, 2 * LIVES);
	}
}

/* ----------------------------------------------------------------- G16 --- */

/* A tag for each way to go astray, and how many take it. */
enum { GONE = 100, NEVER, TRIED, BEHIND, FATAL, REFUSED, POSTED, ANSWERED };
enum { GONES = 3, NEVERS = 2, TRIEDS = 4, BEHINDS = 5, BOUND = 4, SENT = 10 };

struct astray {
	struct kit k;
	tr_ref gone;
	tr_monitor_id monitor;
	unsigned refused; /* TR_EDEAD */
};

static int
fragile_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	return tr_tag(msg) == FATAL ? tr_fail(self, 7, "fatal") :
				      tr_exit(self, TR_NORMAL);
}

static const struct tr_behavior fragile = {
	.name = "fragile",
	.receive = fragile_receive,
};

static void
send_many(struct tr_self *self, tr_ref to, uint32_t tag, int times)
{
	while (times-- > 0)
		kit_tell(self, to, tag);
}

static int
loser_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct astray *a = kit_ctx(state);
	struct tr_spawn_options bound = { .max_items = BOUND };
	tr_ref ref;

	if (tr_tag(msg) == POSTED) /* from outside: nobody gets the answer */
		return tr_reply(self, msg, ANSWERED, NULL, 0);
	if (tr_tag(msg) != DOWN)
		return TR_OK;
	send_many(self, a->gone, GONE, GONES);
	send_many(self, TR_REF_NONE, NEVER, NEVERS);
	for (int i = 0; i < TRIEDS; i++)
		if (tr_try_send(self, a->gone, TRIED, NULL, 0) == TR_EDEAD)
			a->refused++;
	/* One worker: they do not run before this turn is over. */
	ref = tr_spawn(self, &fragile, NULL, NULL);
	send_many(self, ref, WORK, 1);
	send_many(self, ref, BEHIND, BEHINDS);
	ref = tr_spawn(self, &fragile, NULL, NULL);
	send_many(self, ref, FATAL, 1);
	ref = tr_spawn(self, &kit_idler, NULL, &bound);
	send_many(self, ref, REFUSED, SENT);
	return kit_finish(self);
}

static int
loser_start(struct tr_self *self, void *state, const void *arg)
{
	struct astray *a;

	(void)kit_start_ctx(self, state, arg);
	a = kit_ctx(state);
	a->gone = tr_spawn(self, &fragile, NULL,
	    &(struct tr_spawn_options){ .monitor = &a->monitor,
		.monitor_tag = DOWN });
	kit_tell(self, a->gone, WORK);
	return TR_OK;
}

static const struct tr_behavior loser = {
	.name = "loser",
	.state_size = sizeof(void *),
	.start = loser_start,
	.receive = loser_receive,
};

static void
G16_the_dead_letters_are_what_could_not_be_delivered(void **unused)
{
	static struct astray a;
	const struct {
		uint32_t tag;
		enum tr_dead_reason reason;
		unsigned times;
	} rows[] = {
		{ GONE, TR_DEAD_NO_ACTOR, GONES },
		{ NEVER, TR_DEAD_NO_ACTOR, NEVERS },
		{ BEHIND, TR_DEAD_CLOSED, BEHINDS },
		{ FATAL, TR_DEAD_FAILED, 1 },
		{ REFUSED, TR_DEAD_FULL, SENT - BOUND },
		{ ANSWERED, TR_DEAD_NO_SENDER, 1 },
	};
	uint64_t all = 0;
	tr_ref root;

	(void)unused;
	a = (struct astray){ 0 };
	kit_new(&a.k, 1);
	root = kit_root(&a.k, &loser, &a);
	assert_int_equal(tr_post(a.k.sys, root, POSTED, NULL, 0), TR_OK);
	kit_run(&a.k);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(kit_letters(&a.k, rows[i].reason, rows[i].tag),
		    rows[i].times);
		assert_int_equal(kit_letters_of(&a.k, rows[i].tag),
		    rows[i].times);
		all += rows[i].times;
	}
	/* Who was told by tr_try_send() has its message back: none. */
	assert_int_equal(a.refused, TRIEDS);
	assert_int_equal(kit_letters_of(&a.k, TRIED), 0);
	assert_int_equal(kit_dead(&a.k.stats), all);
	assert_int_equal(a.k.letters, all);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(
		    G1_what_was_sent_before_an_exit_signal_is_handled_first),
		KIT_TEST(G8_a_long_chain_falls_without_recursion),
		KIT_TEST(G10_not_even_an_exit_that_waits_in_the_mailbox),
		KIT_TEST(G14_what_it_had_is_free_before_others_are_told),
		KIT_TEST(G16_the_dead_letters_are_what_could_not_be_delivered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
