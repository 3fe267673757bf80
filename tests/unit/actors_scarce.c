/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each verb when just so many blocks, records and slots are left.
 *
 * An actor takes all that its system has in store, with nothing more to be
 * had, puts back a counted few, and calls one verb.  The verb must succeed if
 * and only if that is what it needs.  When it fails, what was there before is
 * there after, and with memory again the same call succeeds.
 */
#include "rig_faults.h"

enum { NOTE, STEP, REQUEST, HELD_RECORDS = 1 << 17, HELD_SLOTS = 1 << 11 };

/* What is left to a verb, or needed by it. */
struct left {
	unsigned blocks; /* of each class */
	unsigned records;
	unsigned slots;
};

/* What the actor holds back. */
struct hoard {
	struct tri_block *block[2][TRI_CLASSES]; /* own pool, foreign pool */
	unsigned blocks[2][TRI_CLASSES];
	unsigned records, slots;
	uint32_t record[HELD_RECORDS];
	uint32_t slot[HELD_SLOTS];
};

struct verb;

struct tester {
	const struct verb *verb; /* the next step */
	struct left left;
	tr_ref idler;
	tr_token token;
	struct tr_msg *taken;
	unsigned steps, failed, late;
	int outcome; /* expected of the request */
	bool again; /* what was in hand comes once more, to be ignored */
};

struct verb {
	const char *name;
	int (*call)(struct tr_self *self, struct tester *t,
	    const struct tr_msg *msg);
	bool request; /* with an ask in hand */
	bool tick; /* with a timer's tick in hand */
	bool never; /* needs an allocation */
	struct left needs;
};

static struct hoard hoard;
static struct tester tester;

/* ----------------------------------------------------------- the hoard -- */

static void
hoard_pool(struct tri_pool *pool, unsigned which)
{
	for (unsigned c = 0; c < TRI_CLASSES; c++) {
		struct tri_block *b;

		while ((b = tri_pool_alloc(pool, c)) != NULL) {
			b->next = hoard.block[which][c];
			hoard.block[which][c] = b;
			hoard.blocks[which][c]++;
		}
	}
}

/* Give back all but what `keep` holds on to: n of each class. */
static void
unhoard_pool(struct tri_pool *pool, unsigned which, unsigned n)
{
	for (unsigned c = 0; c < TRI_CLASSES; c++)
		for (unsigned i = 0; i < n && hoard.block[which][c]; i++) {
			struct tri_block *b = hoard.block[which][c];

			hoard.block[which][c] = b->next;
			hoard.blocks[which][c]--;
			tri_pool_free(pool, b, c);
		}
}

/* Whatever there is, and nothing more is to be had. */
static void
hoard_all(struct tri_crew *c)
{
	struct tr_system *sys = c->desk.sys;

	faults_refuse_all(FAULT_ALLOC, true);
	faults_refuse_all(FAULT_COMMIT, true);
	faults_refuse_all(FAULT_THREAD, true);
	memset(&hoard, 0, sizeof(hoard));
	hoard_pool(c->desk.pool, 0);
	hoard_pool(sys->foreign.pool, 1);
	while (tri_table_get(&sys->records, &c->desk.records,
	    &hoard.record[hoard.records]))
		hoard.records++;
	while (tri_table_get(&sys->actors, &c->desk.slots,
	    &hoard.slot[hoard.slots]))
		hoard.slots++;
}

static void
unhoard(struct tri_crew *c, const struct left *n)
{
	struct tr_system *sys = c->desk.sys;

	unhoard_pool(c->desk.pool, 0, n->blocks);
	unhoard_pool(sys->foreign.pool, 1, n->blocks);
	for (unsigned i = 0; i < n->records && hoard.records > 0; i++)
		tri_table_put(&sys->records, &c->desk.records,
		    hoard.record[--hoard.records]);
	for (unsigned i = 0; i < n->slots && hoard.slots > 0; i++)
		tri_table_put(&sys->actors, &c->desk.slots,
		    hoard.slot[--hoard.slots]);
}

static void
unhoard_all(struct tri_crew *c)
{
	unhoard(c, &(struct left){ UINT_MAX, UINT_MAX, UINT_MAX });
	for (int kind = 0; kind < FAULT_KINDS; kind++)
		faults_refuse_all((enum fault)kind, false);
}

/* A slab of each class in both pools, so that there are blocks to put back. */
static void
hoard_prepare(struct tri_crew *c)
{
	struct tri_pool *pools[] = { c->desk.pool, c->desk.sys->foreign.pool };

	for (int i = 0; i < 2; i++)
		for (unsigned k = 0; k < TRI_CLASSES; k++) {
			void *block = tri_pool_alloc(pools[i], k);

			assert_non_null(block);
			tri_pool_free(pools[i], block, k);
		}
}

/* --------------------------------------------------------------- verbs -- */

static int
verb_send(struct tr_self *self, struct tester *t, const struct tr_msg *msg)
{
	(void)msg;
	return tr_send(self, t->idler, NOTE, NULL, 0);
}

static int
verb_send_5000(struct tr_self *self, struct tester *t, const struct tr_msg *msg)
{
	static const char data[5000];

	(void)msg;
	return tr_send(self, t->idler, NOTE, data, sizeof(data));
}

static int
verb_send_large(struct tr_self *self, struct tester *t,
    const struct tr_msg *msg)
{
	static const char data[50000];

	(void)msg;
	return tr_send(self, t->idler, NOTE, data, sizeof(data));
}

static int
verb_try_send(struct tr_self *self, struct tester *t, const struct tr_msg *msg)
{
	(void)msg;
	return tr_try_send(self, t->idler, NOTE, "x", 1);
}

static int
verb_try_send_to_none(struct tr_self *self, struct tester *t,
    const struct tr_msg *msg)
{
	int rc = tr_try_send(self, TR_REF_NONE, NOTE, "x", 1);

	(void)t;
	(void)msg;
	return rc == TR_EDEAD ? TR_OK : rc;
}

static int
verb_post(struct tr_self *self, struct tester *t, const struct tr_msg *msg)
{
	(void)msg;
	return tr_post(tr_system_of(self), t->idler, NOTE, "x", 1);
}

static int
verb_msg_new(struct tr_self *self, struct tester *t, const struct tr_msg *msg)
{
	struct tr_msg *m = tr_msg_new(self, NOTE, 100, NULL);

	(void)msg;
	return m == NULL ? TR_ENOMEM : tr_send_msg(self, t->idler, &m);
}

static int
late_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	(void)self;
	(void)state;
	(void)answer;
	(void)cookie;
	assert_int_equal(outcome, TR_ENOREPLY);
	tester.late++;
	return TR_OK;
}

static int
verb_ask(struct tr_self *self, struct tester *t, const struct tr_msg *msg)
{
	(void)msg;
	if (tr_ask(self, t->idler, NOTE, NULL, 0, tr_forever(), late_answer,
		0) == 0)
		return TR_ENOMEM;
	t->late--;
	return TR_OK;
}

static int
verb_after(struct tr_self *self, struct tester *t, const struct tr_msg *msg)
{
	tr_timer timer = tr_after(self, TR_SECONDS(1000), NOTE, 0);

	(void)t;
	(void)msg;
	return timer == 0 ? TR_ENOMEM : tr_timer_cancel(self, timer);
}

static int
verb_every(struct tr_self *self, struct tester *t, const struct tr_msg *msg)
{
	tr_timer timer = tr_every(self, TR_SECONDS(1000), NOTE, 0);

	(void)t;
	(void)msg;
	return timer == 0 ? TR_ENOMEM : tr_timer_cancel(self, timer);
}

static int
spawn_and_kill(struct tr_self *self, const struct tr_behavior *b,
    const char *name)
{
	int error = TR_OK;
	tr_ref ref = tr_spawn(self, b, NULL,
	    &(struct tr_spawn_options){ .name = name, .error = &error });

	if (!tr_ref_valid(ref))
		return error;
	assert_int_equal(tr_kill(self, ref), TR_OK);
	return TR_OK;
}

static int
verb_spawn(struct tr_self *self, struct tester *t, const struct tr_msg *msg)
{
	(void)t;
	(void)msg;
	return spawn_and_kill(self, &kit_idler, NULL);
}

static const struct tr_behavior starting = {
	.start = kit_start_ctx,
	.state_size = sizeof(void *),
	.receive = kit_ignore,
};

static int
verb_spawn_start(struct tr_self *self, struct tester *t,
    const struct tr_msg *msg)
{
	(void)t;
	(void)msg;
	return spawn_and_kill(self, &starting, NULL);
}

/* State and first message are of one class. */
static const struct tr_behavior stateful = {
	.start = kit_start_ctx,
	.state_size = 60,
	.receive = kit_ignore,
};

static int
verb_spawn_state(struct tr_self *self, struct tester *t,
    const struct tr_msg *msg)
{
	(void)t;
	(void)msg;
	return spawn_and_kill(self, &stateful, NULL);
}

static int
verb_spawn_named(struct tr_self *self, struct tester *t,
    const struct tr_msg *msg)
{
	static unsigned n;
	char name[32];
	int rc;

	(void)t;
	(void)msg;
	snprintf(name, sizeof(name), "named %u", n++);
	rc = spawn_and_kill(self, &stateful, name);
	assert_true(tr_ref_valid(tr_whereis(tr_system_of(self), name)) ==
	    (rc == TR_OK));
	return rc;
}

static int
verb_register(struct tr_self *self, struct tester *t, const struct tr_msg *msg)
{
	static unsigned n;
	char name[32];

	(void)t;
	(void)msg;
	snprintf(name, sizeof(name), "me %u", n++);
	return tr_register(self, name);
}

static int
job_work(struct tr_system *system, void *arg)
{
	(void)system;
	(void)arg;
	return TR_OK;
}

static int
job_done(struct tr_self *self, void *state, int outcome, void *arg)
{
	(void)self;
	(void)state;
	(void)arg;
	assert_int_equal(outcome, TR_OK);
	tester.late++;
	return TR_OK;
}

static const struct tr_job job = { job_work, job_done, NULL };

static int
verb_offload(struct tr_self *self, struct tester *t, const struct tr_msg *msg)
{
	int rc = tr_offload_blocking(self, &job, NULL, tr_forever(), NULL);

	(void)msg;
	if (rc == TR_OK)
		t->late--;
	return rc;
}

static int
verb_kill(struct tr_self *self, struct tester *t, const struct tr_msg *msg)
{
	(void)t;
	(void)msg;
	return tr_kill(self, TR_REF_NONE);
}

static int
verb_stop(struct tr_self *self, struct tester *t, const struct tr_msg *msg)
{
	(void)t;
	(void)msg;
	return tr_stop(self, TR_REF_NONE, tr_forever());
}

/* The record is kept until the deadline: now. */
static int
verb_stop_until(struct tr_self *self, struct tester *t,
    const struct tr_msg *msg)
{
	(void)t;
	(void)msg;
	return tr_stop(self, TR_REF_NONE, tr_now(self));
}

static int
verb_reply(struct tr_self *self, struct tester *t, const struct tr_msg *msg)
{
	t->outcome = TR_OK;
	return tr_reply(self, msg, NOTE, NULL, 0);
}

static int
verb_reply_large(struct tr_self *self, struct tester *t,
    const struct tr_msg *msg)
{
	static const char data[50000];

	t->outcome = TR_OK;
	return tr_reply(self, msg, NOTE, data, sizeof(data));
}

static int
verb_reply_error(struct tr_self *self, struct tester *t,
    const struct tr_msg *msg)
{
	t->outcome = TR_EBUSY;
	return tr_reply_error(self, msg, TR_EBUSY);
}

static int
verb_unhandled(struct tr_self *self, struct tester *t, const struct tr_msg *msg)
{
	t->outcome = TR_EUNHANDLED;
	return tr_unhandled(self, msg);
}

static int
verb_token(struct tr_self *self, struct tester *t, const struct tr_msg *msg)
{
	(void)msg;
	t->outcome = TR_OK;
	t->token = tr_reply_token(self);
	return t->token.bits == 0 ? TR_ENOMEM : TR_OK;
}

/* A token it could not have: who asked is told so, without the actor. */
static int
verb_token_lost(struct tr_self *self, struct tester *t,
    const struct tr_msg *msg)
{
	(void)msg;
	if (t->outcome == TR_ENOMEM)
		return TR_OK; /* the second call */
	t->token = tr_reply_token(self);
	t->outcome = t->token.bits == 0 ? TR_ENOMEM : TR_OK;
	return t->outcome;
}

static int
verb_take(struct tr_self *self, struct tester *t, const struct tr_msg *msg)
{
	t->outcome = TR_OK;
	t->taken = tr_take(self, msg);
	return t->taken == NULL ? TR_ENOMEM : TR_OK;
}

static int
verb_repeat(struct tr_self *self, struct tester *t, const struct tr_msg *msg)
{
	tr_timer timer = tr_repeat(self, TR_SECONDS(1000), NOTE, 0);

	(void)t;
	(void)msg;
	return timer == 0 ? TR_ENOMEM : tr_timer_cancel(self, timer);
}

/* The idler does not answer. */
static int
verb_forward(struct tr_self *self, struct tester *t, const struct tr_msg *msg)
{
	t->outcome = TR_ENOREPLY;
	return tr_forward(self, t->idler, msg);
}

static int
verb_stash(struct tr_self *self, struct tester *t, const struct tr_msg *msg)
{
	int rc = tr_stash(self, msg);

	t->outcome = TR_ENOREPLY;
	if (rc != TR_OK)
		return rc;
	t->again = true;
	return tr_unstash(self);
}

static int
verb_take_tick(struct tr_self *self, struct tester *t, const struct tr_msg *msg)
{
	t->taken = tr_take(self, msg);
	return t->taken == NULL ? TR_ENOMEM : TR_OK;
}

/* Without any thread an offload is refused; one is enough from then on. */
static void
offload_first(struct tr_self *self, struct tester *t)
{
	faults_refuse_all(FAULT_THREAD, true);
	assert_int_equal(verb_offload(self, t, NULL), TR_ENOMEM);
	faults_refuse_all(FAULT_THREAD, false);
	assert_int_equal(verb_offload(self, t, NULL), TR_OK);
}

static const struct verb verbs[] = {
	{ "send", verb_send, .needs = { .blocks = 1 } },
	{ "send 5000", verb_send_5000, .needs = { .blocks = 1 } },
	{ "send large", verb_send_large, .never = true },
	{ "try_send", verb_try_send, .needs = { .blocks = 1 } },
	{ "try_send none", verb_try_send_to_none, .needs = { .blocks = 1 } },
	{ "post", verb_post, .needs = { .blocks = 1 } },
	{ "msg_new", verb_msg_new, .needs = { .blocks = 1 } },
	{ "ask", verb_ask, .needs = { .blocks = 1, .records = 1 } },
	{ "after", verb_after, .needs = { .records = 1 } },
	{ "every", verb_every, .needs = { .records = 1 } },
	{ "spawn", verb_spawn, .needs = { .slots = 1 } },
	{ "spawn start", verb_spawn_start,
	    .needs = { .blocks = 1, .slots = 1 } },
	{ "spawn state", verb_spawn_state,
	    .needs = { .blocks = 2, .slots = 1 } },
	{ "spawn named", verb_spawn_named, .never = true },
	{ "register", verb_register, .never = true },
	{ "offload", verb_offload, .needs = { .records = 1 } },
	{ "stop", verb_stop, .needs = { 0 } },
	{ "stop until", verb_stop_until, .needs = { .records = 1 } },
	{ "kill", verb_kill, .needs = { 0 } },
	{ "reply", verb_reply, .request = true, .needs = { .blocks = 1 } },
	{ "reply large", verb_reply_large, .request = true, .never = true },
	{ "reply_error", verb_reply_error, .request = true, .needs = { 0 } },
	{ "unhandled", verb_unhandled, .request = true, .needs = { 0 } },
	{ "token", verb_token, .request = true, .needs = { .records = 1 } },
	{ "token lost", verb_token_lost, .request = true,
	    .needs = { .records = 1 } },
	{ "repeat", verb_repeat, .needs = { .records = 1 } },
	{ "forward", verb_forward, .request = true, .needs = { 0 } },
	{ "stash", verb_stash, .request = true, .needs = { 0 } },
	{ "forward tick", verb_forward, .tick = true,
	    .needs = { .blocks = 1 } },
	{ "stash tick", verb_stash, .tick = true, .needs = { .blocks = 1 } },
	{ "take tick", verb_take_tick, .tick = true, .needs = { .blocks = 1 } },
	{ "take", verb_take, .request = true, .needs = { .records = 1 } },
};

enum { VERBS = sizeof(verbs) / sizeof(*verbs), MOST = 2 };

/* --------------------------------------------------------------- steps -- */

static bool
verb_should_work(const struct verb *v, const struct left *left)
{
	return !v->never && left->blocks >= v->needs.blocks &&
	    left->records >= v->needs.records && left->slots >= v->needs.slots;
}

/* What was left is still there: all but what the hoard had at first. */
static void
check_left(struct tri_crew *c, const struct hoard *before)
{
	hoard_pool(c->desk.pool, 0);
	hoard_pool(c->desk.sys->foreign.pool, 1);
	while (tri_table_get(&c->desk.sys->records, &c->desk.records,
	    &hoard.record[hoard.records]))
		hoard.records++;
	while (tri_table_get(&c->desk.sys->actors, &c->desk.slots,
	    &hoard.slot[hoard.slots]))
		hoard.slots++;
	for (int i = 0; i < 2; i++)
		for (int k = 0; k < TRI_CLASSES; k++)
			assert_int_equal(hoard.blocks[i][k],
			    before->blocks[i][k]);
	assert_int_equal(hoard.records, before->records);
	assert_int_equal(hoard.slots, before->slots);
}

static void
step_call(struct tr_self *self, struct tester *t, const struct tr_msg *msg)
{
	static struct hoard before;
	struct tri_crew *c = tri_crew_of(self);
	const struct verb *v = t->verb;
	int rc;

	hoard_all(c);
	assert_true(hoard.blocks[0][0] > MOST && hoard.records > MOST);
	before = hoard;
	unhoard(c, &t->left);
	rc = v->call(self, t, msg);
	if (verb_should_work(v, &t->left) != (rc == TR_OK))
		print_error("%s with %u blocks, %u records, %u slots: %d\n",
		    v->name, t->left.blocks, t->left.records, t->left.slots,
		    rc);
	assert_int_equal(verb_should_work(v, &t->left), rc == TR_OK);
	if (rc != TR_OK) {
		if (t->outcome != TR_ENOMEM || !v->request)
			assert_int_equal(rc, TR_ENOMEM);
		check_left(c, &before);
		t->failed++;
	}
	unhoard_all(c);
	if (rc != TR_OK)
		assert_int_equal(v->call(self, t, msg), TR_OK);
}

/* The next of all that may be left, then the next verb; false: no more. */
static bool
step_on(struct tester *t)
{
	t->steps++;
	t->outcome = TR_OK;
	if (t->left.blocks++ < MOST)
		return true;
	t->left.blocks = 0;
	if (t->left.records++ < 1)
		return true;
	t->left.records = 0;
	if (t->left.slots++ < 1)
		return true;
	t->left.slots = 0;
	return ++t->verb < verbs + VERBS;
}

static int step_begin(struct tr_self *self, struct tester *t);

static int
step_answered(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	(void)state;
	(void)answer;
	(void)cookie;
	assert_int_equal(outcome, tester.outcome);
	return step_on(&tester) ? step_begin(self, &tester) : kit_finish(self);
}

static int
step_begin(struct tr_self *self, struct tester *t)
{
	if (t->verb->tick)
		return tr_after(self, 0, STEP, 0) == 0 ? TR_ENOMEM : TR_OK;
	if (!t->verb->request)
		return tr_send(self, tr_self_ref(self), STEP, NULL, 0);
	return tr_ask(self, tr_self_ref(self), REQUEST, NULL, 0, tr_forever(),
		   step_answered, 0) == 0 ?
	    TR_ENOMEM :
	    TR_OK;
}

static int
tester_start(struct tr_self *self, void *state, const void *arg)
{
	(void)state;
	(void)arg;
	hoard_prepare(tri_crew_of(self));
	/* The first record commits memory for more. */
	(void)tr_timer_cancel(self, tr_after(self, 0, NOTE, 0));
	offload_first(self, &tester);
	tester.idler = tr_spawn(self, &kit_idler, NULL, NULL);
	return step_begin(self, &tester);
}

static int
tester_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct tester *t = &tester;
	bool request;

	(void)state;
	if (tr_tag(msg) == NOTE)
		return TR_OK;
	if (t->again) {
		t->again = false;
		return TR_OK;
	}
	request = tr_tag(msg) == REQUEST;
	step_call(self, t, msg);
	if (!request) {
		tr_msg_drop(&t->taken);
		return step_on(t) ? step_begin(self, t) : kit_finish(self);
	}
	if (t->token.bits != 0)
		assert_int_equal(tr_token_reply(self, &t->token, NOTE, NULL, 0),
		    TR_OK);
	if (t->taken != NULL)
		assert_int_equal(tr_reply(self, t->taken, NOTE, NULL, 0),
		    TR_OK);
	tr_msg_drop(&t->taken);
	return TR_OK;
}

static const struct tr_behavior tester_behavior = {
	.name = "tester",
	.start = tester_start,
	.receive = tester_receive,
};

static void
each_verb_works_if_and_only_if_what_it_needs_is_left(void **unused)
{
	struct tr_options options = { .workers = 1, .max_actors = 1024 };
	struct tr_stats stats;
	struct tr_system *sys;

	(void)unused;
	faults_begin();
	tester = (struct tester){ .verb = verbs };
	sys = faults_system_made(&options);
	assert_true(
	    tr_ref_valid(tr_system_spawn(sys, &tester_behavior, NULL, NULL)));
	assert_int_equal(tr_system_run(sys, NULL), TR_OK);
	assert_int_equal(tester.steps, VERBS * (MOST + 1) * 2 * 2);
	assert_true(tester.failed > 0);
	/* What was granted came to its end. */
	assert_int_equal(tester.late, 0);
	assert_int_equal(tr_stats(sys, &stats), TR_OK);
	assert_true(kit_balanced(&stats));
	assert_int_equal(stats.queued, 0);
	assert_int_equal(stats.failed, 0);
	assert_int_equal(tr_system_free(sys), TR_OK);
	faults_over();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(each_verb_works_if_and_only_if_what_it_needs_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
