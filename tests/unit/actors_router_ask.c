/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asks through routers: deadlines, cancels, deaths of routees and of the
 * router, and how the least loaded routee is found.
 *
 * A test is a list of steps that its root goes through.  Each step says what
 * it waits for before the next: so many outcomes, or a condition that is
 * looked at again and again.
 */
#include "kit.h"

enum { ROUTEES = 4, ASKS = 64 };
enum { ANSWER, HOLD, FORGET, FAIL, REFUSE, WATCH, DIE, RELEASE, NEXT, COUNT };

struct trial;

/* One step; true: the next one's turn, once nothing is open. */
typedef bool step_fn(struct tr_self *self, struct trial *t);

struct trial {
	enum tr_route strategy;
	step_fn *const *steps;
	int routees;

	tr_ref root, router, routee[ROUTEES];
	tr_ask_id ask[ASKS];
	int asked, open, step, bad;
	int outcome[ASKS], outcomes[ASKS]; /* the last, and how many */
	tr_ref answered_by[ASKS];
	int64_t deadline;
	atomic_int got[ROUTEES], held, seen_cancel, plain;
	atomic_int sender_is_root, sender_is_router, deadline_seen;
};

static void
check(struct trial *t, bool good, int line)
{
	if (!good && t->bad == 0)
		t->bad = line;
}

#define CHECK(t, cond) check((t), (cond), __LINE__)

/* ------------------------------------------------------------ routees --- */

struct routee {
	struct trial *t;
	tr_token held[ASKS];
	int n;
};

static int
routee_index(const struct trial *t, tr_ref ref)
{
	int i = 0;

	while (i < t->routees - 1 && !tr_ref_equal(t->routee[i], ref))
		i++;
	return i;
}

static int
routee_hold(struct tr_self *self, struct routee *r)
{
	r->held[r->n] = tr_reply_token(self);
	if (r->held[r->n++].bits == 0)
		return TR_ENOMEM;
	atomic_fetch_add(&r->t->held, 1);
	return TR_OK;
}

static int
routee_release(struct tr_self *self, struct routee *r)
{
	while (r->n > 0)
		(void)tr_token_reply(self, &r->held[--r->n], ANSWER, NULL, 0);
	return TR_OK;
}

/* At work until nobody wants it any more. */
static int
routee_watch(struct tr_self *self, struct trial *t, const struct tr_msg *msg)
{
	atomic_fetch_add(&t->held, 1);
	while (!tr_cancelled(self))
		sched_yield();
	atomic_fetch_add(&t->seen_cancel, 1);
	return tr_reply(self, msg, ANSWER, NULL, 0);
}

static void
routee_note(struct tr_self *self, struct trial *t, const struct tr_msg *msg)
{
	atomic_fetch_add(&t->got[routee_index(t, tr_self_ref(self))], 1);
	if (tr_ref_equal(tr_sender(msg), t->root))
		atomic_fetch_add(&t->sender_is_root, 1);
	if (tr_ref_equal(tr_sender(msg), t->router))
		atomic_fetch_add(&t->sender_is_router, 1);
	if (t->deadline != 0 && tr_deadline(self) == t->deadline)
		atomic_fetch_add(&t->deadline_seen, 1);
}

static int
routee_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct routee *r = state;

	if (tr_tag(msg) == RELEASE)
		return routee_release(self, r);
	routee_note(self, r->t, msg);
	switch (tr_tag(msg)) {
	case ANSWER: return tr_reply(self, msg, ANSWER, NULL, 0);
	case HOLD: return routee_hold(self, r);
	case FORGET: return TR_OK;
	case FAIL: return tr_reply_error(self, msg, -EIO);
	case REFUSE: return tr_unhandled(self, msg);
	case WATCH: return routee_watch(self, r->t, msg);
	case DIE: return tr_exit(self, TR_NORMAL);
	default: atomic_fetch_add(&r->t->plain, 1); return TR_OK;
	}
}

static const struct tr_behavior routee = {
	.name = "routee",
	.state_size = sizeof(struct routee),
	.start = kit_start_ctx,
	.receive = routee_receive,
};

/* --------------------------------------------------------------- root --- */

static int
trial_next(struct tr_self *self, struct trial *t)
{
	while (t->open == 0 && t->steps[t->step] != NULL) {
		if (!t->steps[t->step](self, t))
			return tr_send(self, t->root, NEXT, NULL, 0);
		t->step++;
	}
	return t->open == 0 ? kit_finish(self) : TR_OK;
}

static int
on_outcome(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct trial *t = kit_ctx(state);

	t->outcome[cookie] = outcome;
	t->outcomes[cookie]++;
	if (answer != NULL)
		t->answered_by[cookie] = tr_sender(answer);
	if (outcome == TR_ETIMEDOUT && t->deadline != 0)
		CHECK(t, tr_now(self) >= t->deadline);
	t->open--;
	return trial_next(self, t);
}

/* Ask; `open` counts those that the step waits for. */
static int
ask(struct tr_self *self, struct trial *t, uint32_t tag, int64_t deadline)
{
	int i = t->asked++;

	t->ask[i] = tr_ask(self, t->router, tag, NULL, 0, deadline, on_outcome,
	    (uintptr_t)i);
	CHECK(t, t->ask[i] != 0);
	return i;
}

static void
ask_and_wait(struct tr_self *self, struct trial *t, uint32_t tag, int n)
{
	t->open += n;
	while (n-- > 0)
		(void)ask(self, t, tag, tr_forever());
}

static tr_ref
router_of(struct tr_self *self, struct trial *t, const tr_ref *routees, int n)
{
	return tr_router_spawn(self,
	    &(struct tr_router_options){
		.strategy = t->strategy,
		.routees = routees,
		.count = (size_t)n,
	    });
}

static int
trial_start(struct tr_self *self, void *state, const void *arg)
{
	/* The root is on worker 0, and some routees do not return before it
	 * has had its turn. */
	struct tr_spawn_options away = { .placement = TR_PLACE_WORKER,
		.worker = tr_system_workers(tr_system_of(self)) - 1 };
	struct trial *t;

	(void)kit_start_ctx(self, state, arg);
	t = kit_ctx(state);
	t->root = tr_self_ref(self);
	for (int i = 0; i < t->routees; i++)
		t->routee[i] = tr_spawn(self, &routee, t, &away);
	t->router = router_of(self, t, t->routee, t->routees);
	return tr_send(self, t->root, NEXT, NULL, 0);
}

static int
trial_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct trial *t = kit_ctx(state);

	/* Answers to plain messages, say, are of no interest. */
	return tr_tag(msg) == NEXT ? trial_next(self, t) : TR_OK;
}

static const struct tr_behavior trial = {
	.name = "trial",
	.state_size = sizeof(void *),
	.start = trial_start,
	.receive = trial_receive,
};

/* Play it with each strategy that answers asks, on some numbers of workers. */
static void
play(step_fn *const *steps, int routees, unsigned from_workers,
    void (*then)(struct trial *t, struct kit *k))
{
	static const enum tr_route strategies[] = { TR_ROUTE_ROUND_ROBIN,
		TR_ROUTE_HASH, TR_ROUTE_LEAST_LOADED };
	static struct trial t;
	struct kit k;

	for (size_t s = 0; s < 3; s++)
		for (unsigned w = from_workers; w <= 4; w *= 2) {
			t = (struct trial){ .strategy = strategies[s],
				.steps = steps,
				.routees = routees };
			kit_play(&k, w, &trial, &t);
			assert_int_equal(t.bad, 0);
			for (int i = 0; i < t.asked; i++)
				assert_int_equal(t.outcomes[i], 1);
			then(&t, &k);
		}
}

static void
play_least(step_fn *const *steps, int routees,
    void (*then)(struct trial *t, struct kit *k))
{
	static struct trial t;
	struct kit k;

	for (unsigned w = 1; w <= 4; w *= 2) {
		t = (struct trial){ .strategy = TR_ROUTE_LEAST_LOADED,
			.steps = steps,
			.routees = routees };
		kit_play(&k, w, &trial, &t);
		assert_int_equal(t.bad, 0);
		for (int i = 0; i < t.asked; i++)
			assert_int_equal(t.outcomes[i], 1);
		then(&t, &k);
	}
}

/* ------------------------------------------------------------ answers --- */

static bool
step_answers(struct tr_self *self, struct trial *t)
{
	static const uint32_t tags[] = { ANSWER, FORGET, FAIL, REFUSE };

	t->deadline = tr_in(self, TR_SECONDS(100));
	for (int i = 0; i < 4; i++) {
		t->open++;
		(void)ask(self, t, tags[i], t->deadline);
	}
	return true;
}

static step_fn *const answers[] = { step_answers, NULL };

static void
answers_then(struct trial *t, struct kit *k)
{
	bool by_routee = false;

	assert_int_equal(t->outcome[0], TR_OK);
	assert_int_equal(t->outcome[1], TR_ENOREPLY);
	assert_int_equal(t->outcome[2], -EIO);
	assert_int_equal(t->outcome[3], TR_EUNHANDLED);
	for (int i = 0; i < t->routees; i++)
		by_routee |= tr_ref_equal(t->answered_by[0], t->routee[i]);
	assert_true(by_routee);
	assert_int_equal(t->deadline_seen, 4);
	/* Only the least loaded has to put itself between. */
	if (t->strategy == TR_ROUTE_LEAST_LOADED)
		assert_int_equal(t->sender_is_router, 4);
	else
		assert_int_equal(t->sender_is_root, 4);
	assert_int_equal(kit_dead(&k->stats), 0);
}

static void
answers_and_errors_come_back_to_the_asker(void **unused)
{
	(void)unused;
	play(answers, 3, 1, answers_then);
}

/* ----------------------------------------------------------- deadlines -- */

static bool
step_time_out(struct tr_self *self, struct trial *t)
{
	t->deadline = tr_in(self, TR_MS(20));
	t->open += 3;
	for (int i = 0; i < 3; i++)
		(void)ask(self, t, HOLD, t->deadline);
	return true;
}

/* Too late: nobody hears of them. */
static bool
step_release(struct tr_self *self, struct trial *t)
{
	for (int i = 0; i < t->routees; i++)
		kit_tell(self, t->routee[i], RELEASE);
	return true;
}

static bool
step_answer_each(struct tr_self *self, struct trial *t)
{
	ask_and_wait(self, t, ANSWER, 2 * t->routees);
	return true;
}

static step_fn *const deadlines[] = { step_time_out, step_release,
	step_answer_each, NULL };

static void
deadlines_then(struct trial *t, struct kit *k)
{
	(void)k;
	for (int i = 0; i < 3; i++)
		assert_int_equal(t->outcome[i], TR_ETIMEDOUT);
	for (int i = 3; i < t->asked; i++)
		assert_int_equal(t->outcome[i], TR_OK);
}

static void
a_deadline_holds_through_a_router(void **unused)
{
	(void)unused;
	play(deadlines, 3, 1, deadlines_then);
}

/* -------------------------------------------------------------- cancel -- */

/* One at work, and one behind it in the same mailbox. */
static bool
step_watch(struct tr_self *self, struct trial *t)
{
	(void)ask(self, t, WATCH, tr_forever());
	(void)ask(self, t, ANSWER, tr_forever());
	return true;
}

static bool
step_until_at_work(struct tr_self *self, struct trial *t)
{
	(void)self;
	return atomic_load(&t->held) == 1;
}

static bool
step_cancel_both(struct tr_self *self, struct trial *t)
{
	CHECK(t, tr_cancel(self, t->ask[1]) == TR_OK);
	CHECK(t, tr_cancel(self, t->ask[0]) == TR_OK);
	t->open = 2;
	return true;
}

static bool
step_until_cancel_seen(struct tr_self *self, struct trial *t)
{
	(void)self;
	return atomic_load(&t->seen_cancel) == 1;
}

static bool
step_answer(struct tr_self *self, struct trial *t)
{
	ask_and_wait(self, t, ANSWER, 1);
	return true;
}

static step_fn *const cancels[] = { step_watch, step_until_at_work,
	step_cancel_both, step_until_cancel_seen, step_answer, NULL };

static void
cancels_then(struct trial *t, struct kit *k)
{
	assert_int_equal(t->outcome[0], TR_ECANCELED);
	assert_int_equal(t->outcome[1], TR_ECANCELED);
	assert_int_equal(t->outcome[2], TR_OK);
	/* The one behind never got to the handler. */
	assert_int_equal(t->got[0], 2);
	assert_int_equal(k->stats.dead[TR_DEAD_CANCELED], 1);
}

static void
a_cancel_reaches_the_routee(void **unused)
{
	(void)unused;
	play(cancels, 1, 2, cancels_then);
}

/* A router in front of a router in front of the routee. */
static bool
step_nest(struct tr_self *self, struct trial *t)
{
	t->router = router_of(self, t, &t->router, 1);
	t->router = router_of(self, t, &t->router, 1);
	return true;
}

static step_fn *const nested[] = { step_nest, step_watch, step_until_at_work,
	step_cancel_both, step_until_cancel_seen, step_answer, NULL };

static void
a_cancel_reaches_through_several_routers(void **unused)
{
	(void)unused;
	play(nested, 1, 2, cancels_then);
}

static step_fn *const nested_answers[] = { step_nest, step_answers, NULL };

static void
nested_then(struct trial *t, struct kit *k)
{
	(void)k;
	assert_int_equal(t->outcome[0], TR_OK);
	assert_int_equal(t->outcome[1], TR_ENOREPLY);
	assert_int_equal(t->outcome[2], -EIO);
	assert_int_equal(t->outcome[3], TR_EUNHANDLED);
	assert_true(tr_ref_equal(t->answered_by[0], t->routee[0]));
}

static void
answers_come_back_through_several_routers(void **unused)
{
	(void)unused;
	play(nested_answers, 1, 1, nested_then);
}

/* -------------------------------------------------------------- deaths -- */

static bool
step_hold_one(struct tr_self *self, struct trial *t)
{
	(void)ask(self, t, HOLD, tr_forever());
	return true;
}

static bool
step_until_held(struct tr_self *self, struct trial *t)
{
	(void)self;
	return atomic_load(&t->held) == t->asked;
}

static bool
step_kill_routees(struct tr_self *self, struct trial *t)
{
	for (int i = 0; i < t->routees; i++)
		(void)tr_kill(self, t->routee[i]);
	t->open = t->asked;
	return true;
}

/* So many of the system's actors have ended: routees, for they alone do. */
static bool
have_ended(struct tr_self *self, int n)
{
	struct tr_stats s;

	return tr_stats(tr_system_of(self), &s) == TR_OK &&
	    s.ended == (uint64_t)n;
}

static bool
step_until_all_dead(struct tr_self *self, struct trial *t)
{
	return have_ended(self, t->routees);
}

static bool
step_until_dead(struct tr_self *self, struct trial *t)
{
	return have_ended(self, t->routees - 1);
}

/* Nobody is left. */
static bool
step_ask_the_dead(struct tr_self *self, struct trial *t)
{
	ask_and_wait(self, t, ANSWER, 2);
	(void)tr_send(self, t->router, COUNT, NULL, 0);
	return true;
}

/* A new one is as good. */
static bool
step_add(struct tr_self *self, struct trial *t)
{
	t->routee[0] = tr_spawn(self, &routee, t, NULL);
	CHECK(t, tr_router_add(self, t->router, t->routee[0]) == TR_OK);
	ask_and_wait(self, t, ANSWER, 2);
	return true;
}

static step_fn *const deaths[] = { step_hold_one, step_until_held,
	step_kill_routees, step_until_all_dead, step_ask_the_dead, step_add,
	NULL };

static void
deaths_then(struct trial *t, struct kit *k)
{
	for (int i = 0; i < 3; i++)
		assert_int_equal(t->outcome[i], TR_EDEAD);
	assert_int_equal(t->outcome[3], TR_OK);
	assert_int_equal(t->outcome[4], TR_OK);
	assert_int_equal(kit_letters(k, TR_DEAD_NO_ACTOR, COUNT), 1);
}

static void
without_routees_asks_end_with_dead(void **unused)
{
	(void)unused;
	play(deaths, 2, 1, deaths_then);
}

static bool
step_some_die(struct tr_self *self, struct trial *t)
{
	for (int i = 0; i < t->routees - 1; i++)
		kit_tell(self, t->routee[i], DIE);
	return true;
}

/* None of these is lost: those who have ended refuse them. */
static bool
step_many(struct tr_self *self, struct trial *t)
{
	for (int i = 0; i < 10; i++)
		(void)tr_send(self, t->router, COUNT, NULL, 0);
	ask_and_wait(self, t, ANSWER, 10);
	return true;
}

static step_fn *const survivor[] = { step_some_die, step_until_dead, step_many,
	NULL };

static void
survivor_then(struct trial *t, struct kit *k)
{
	(void)k;
	for (int i = 0; i < 10; i++) {
		assert_int_equal(t->outcome[i], TR_OK);
		assert_true(
		    tr_ref_equal(t->answered_by[i], t->routee[t->routees - 1]));
	}
	assert_int_equal(kit_letters_of(k, COUNT), 0);
}

static void
what_the_dead_refuse_the_living_get(void **unused)
{
	(void)unused;
	play(survivor, ROUTEES, 1, survivor_then);
}

/* The router ends with asks at its routees and one in its own mailbox. */
static bool
step_hold_several(struct tr_self *self, struct trial *t)
{
	for (int i = 0; i < 10; i++)
		(void)ask(self, t, HOLD, tr_forever());
	return true;
}

static bool
step_kill_router(struct tr_self *self, struct trial *t)
{
	(void)tr_kill(self, t->router);
	(void)ask(self, t, ANSWER, tr_forever());
	t->open = t->strategy == TR_ROUTE_LEAST_LOADED ? t->asked : 1;
	return true;
}

static bool
step_release_ten(struct tr_self *self, struct trial *t)
{
	if (t->strategy != TR_ROUTE_LEAST_LOADED)
		t->open = 10;
	return step_release(self, t);
}

static step_fn *const router_dies[] = { step_hold_several, step_until_held,
	step_kill_router, step_release_ten, NULL };

static void
router_dies_then(struct trial *t, struct kit *k)
{
	(void)k;
	for (int i = 0; i < 10; i++)
		assert_int_equal(t->outcome[i],
		    t->strategy == TR_ROUTE_LEAST_LOADED ? TR_EDEAD : TR_OK);
	assert_int_equal(t->outcome[10], TR_EDEAD);
}

static void
when_the_router_dies_each_ask_ends_once(void **unused)
{
	(void)unused;
	play(router_dies, 3, 1, router_dies_then);
}

/* -------------------------------------------------------- least loaded -- */

/* One ask at each but the last, then one after the other. */
static bool
step_load_all_but_one(struct tr_self *self, struct trial *t)
{
	for (int i = 0; i < t->routees - 1; i++)
		(void)ask(self, t, HOLD, tr_forever());
	return true;
}

static bool
step_one_by_one(struct tr_self *self, struct trial *t)
{
	ask_and_wait(self, t, ANSWER, 1);
	return t->asked >= 40;
}

static bool
step_plain(struct tr_self *self, struct trial *t)
{
	for (int i = 0; i < 20; i++)
		(void)tr_send(self, t->router, COUNT, NULL, 0);
	return true;
}

static bool
step_until_plain(struct tr_self *self, struct trial *t)
{
	(void)self;
	return atomic_load(&t->plain) == 20;
}

static bool
step_release_held(struct tr_self *self, struct trial *t)
{
	t->open = t->routees - 1;
	return step_release(self, t);
}

static step_fn *const idle_one[] = { step_load_all_but_one, step_until_held,
	step_one_by_one, step_plain, step_until_plain, step_release_held,
	NULL };

static void
idle_one_then(struct trial *t, struct kit *k)
{
	int most = 0;

	(void)k;
	for (int i = 0; i < t->asked; i++)
		assert_int_equal(t->outcome[i], TR_OK);
	for (int i = 0; i < t->routees; i++)
		if (t->got[i] > t->got[most])
			most = i;
	/* Who has one unanswered gets no other. */
	for (int i = 0; i < t->routees; i++)
		assert_int_equal(t->got[i],
		    i == most ? t->asked - (t->routees - 1) + 20 : 1);
}

static void
the_idle_routee_gets_all_while_others_are_loaded(void **unused)
{
	(void)unused;
	play_least(idle_one, ROUTEES, idle_one_then);
}

/* Asks that ended otherwise than by an answer do not count any more. */
static bool
step_unload(struct tr_self *self, struct trial *t)
{
	static const uint32_t tags[] = { FORGET, FAIL, REFUSE };

	t->open += 3;
	for (int i = 0; i < 3; i++)
		(void)ask(self, t, tags[i], tr_forever());
	t->open += 1;
	(void)ask(self, t, HOLD, tr_in(self, TR_MS(10)));
	return true;
}

/* Held ones go one to each: with anybody still counted as loaded, somebody
 * would get two. */
static bool
step_hold_each(struct tr_self *self, struct trial *t)
{
	for (int i = 0; i < ROUTEES; i++)
		atomic_store(&t->got[i], 0);
	atomic_store(&t->held, 0);
	for (int i = 0; i < t->routees; i++)
		(void)ask(self, t, HOLD, tr_forever());
	return true;
}

static bool
step_until_each_holds(struct tr_self *self, struct trial *t)
{
	(void)self;
	return atomic_load(&t->held) == t->routees;
}

static bool
step_release_each(struct tr_self *self, struct trial *t)
{
	for (int i = 0; i < t->routees; i++)
		CHECK(t, atomic_load(&t->got[i]) == 1);
	t->open = t->routees;
	return step_release(self, t);
}

static step_fn *const unload[] = { step_unload, step_hold_each,
	step_until_each_holds, step_release_each, NULL };

static void
unload_then(struct trial *t, struct kit *k)
{
	(void)k;
	assert_int_equal(t->outcome[0], TR_ENOREPLY);
	assert_int_equal(t->outcome[1], -EIO);
	assert_int_equal(t->outcome[2], TR_EUNHANDLED);
	assert_int_equal(t->outcome[3], TR_ETIMEDOUT);
	for (int i = 4; i < t->asked; i++)
		assert_int_equal(t->outcome[i], TR_OK);
}

static void
however_an_ask_ends_it_is_no_load_any_more(void **unused)
{
	(void)unused;
	play_least(unload, ROUTEES, unload_then);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(answers_and_errors_come_back_to_the_asker),
		KIT_TEST(answers_come_back_through_several_routers),
		KIT_TEST(a_deadline_holds_through_a_router),
		KIT_TEST(a_cancel_reaches_the_routee),
		KIT_TEST(a_cancel_reaches_through_several_routers),
		KIT_TEST(without_routees_asks_end_with_dead),
		KIT_TEST(what_the_dead_refuse_the_living_get),
		KIT_TEST(when_the_router_dies_each_ask_ends_once),
		KIT_TEST(the_idle_routee_gets_all_while_others_are_loaded),
		KIT_TEST(however_an_ask_ends_it_is_no_load_any_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
