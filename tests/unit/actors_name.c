/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registered names: unique in their system, given back when their actor ends.
 */
#include "kit.h"

enum { TRY, DONE, END };

/* ------------------------------------------------- one actor's names --- */

static char long_name[65]; /* 64 bytes, one more than allowed */

struct names {
	int first, again, second, empty, longest, over, taken, spawn_over;
	int copied;
	bool none_spawned[2], found, spawned_found, unknown, gone, reused;
	tr_ref root;
};

static int
names_start(struct tr_self *self, void *state, const void *arg)
{
	struct tr_system *sys = tr_system_of(self);
	struct tr_spawn_options options = { .name = "till" };
	char name[16] = "ledger";
	struct names *n;
	tr_ref child;

	(void)kit_start_ctx(self, state, arg);
	n = kit_ctx(state);
	n->root = tr_self_ref(self);
	n->unknown = !tr_ref_valid(tr_whereis(sys, name));
	n->first = tr_register(self, name);
	n->again = tr_register(self, name);
	strcpy(name, "other");
	n->copied = tr_ref_equal(tr_whereis(sys, "ledger"), n->root) &&
	    !tr_ref_valid(tr_whereis(sys, "other")) &&
	    !tr_ref_valid(tr_whereis(sys, "ledge")) &&
	    !tr_ref_valid(tr_whereis(sys, "ledgers"));
	n->second = tr_register(self, "book");
	n->found = tr_ref_equal(tr_whereis(sys, "book"), n->root);
	n->empty = tr_register(self, "");
	n->over = tr_register(self, long_name);
	n->longest = tr_register(self, long_name + 1);
	child = tr_spawn(self, &kit_idler, NULL, &options);
	n->spawned_found = tr_ref_equal(tr_whereis(sys, "till"), child);
	options.error = &n->taken;
	n->none_spawned[0] =
	    !tr_ref_valid(tr_spawn(self, &kit_idler, NULL, &options));
	options.name = long_name;
	options.error = &n->spawn_over;
	n->none_spawned[1] =
	    !tr_ref_valid(tr_spawn(self, &kit_idler, NULL, &options));
	(void)tr_stop(self, child, tr_forever());
	return tr_send(self, n->root, TRY, NULL, 0);
}

/* Try until the child has ended and its name is free. */
static int
names_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct names *n = kit_ctx(state);

	(void)msg;
	if (tr_ref_valid(tr_whereis(tr_system_of(self), "till")))
		return tr_send(self, n->root, TRY, NULL, 0);
	n->gone = true;
	n->reused = tr_register(self, "till") == TR_OK;
	return kit_finish(self);
}

static const struct tr_behavior names_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = names_start,
	.receive = names_receive,
};

static void
names_are_unique_until_their_actor_ends(void **unused)
{
	struct kit k;

	(void)unused;
	memset(long_name, 'n', 64);
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct names n = { .first = 1 };

		kit_play(&k, workers, &names_root, &n);
		assert_true(n.unknown);
		assert_int_equal(n.first, TR_OK);
		assert_int_equal(n.again, TR_OK);
		assert_true(n.copied);
		assert_int_equal(n.second, TR_OK);
		assert_true(n.found);
		assert_int_equal(n.empty, TR_EINVAL);
		assert_int_equal(n.over, TR_EINVAL);
		assert_int_equal(n.longest, TR_OK);
		assert_true(n.spawned_found);
		assert_true(n.none_spawned[0]);
		assert_int_equal(n.taken, TR_EEXIST);
		assert_true(n.none_spawned[1]);
		assert_int_equal(n.spawn_over, TR_EINVAL);
		assert_true(n.gone);
		assert_true(n.reused);
		assert_int_equal(k.stats.spawned, 2);
	}
}

/* -------------------------------------------------- from the outside --- */

static void
names_are_found_from_outside_and_only_in_their_system(void **unused)
{
	struct tr_spawn_options named = { .name = "ledger" };
	struct kit a, b;
	tr_ref in_a, in_b, again;
	int error = TR_OK;

	(void)unused;
	kit_new(&a, 1);
	kit_new(&b, 1);
	in_a = tr_system_spawn(a.sys, &kit_idler, NULL, &named);
	assert_true(tr_ref_valid(in_a));
	assert_true(tr_ref_equal(tr_whereis(a.sys, "ledger"), in_a));
	assert_false(tr_ref_valid(tr_whereis(b.sys, "ledger")));
	in_b = tr_system_spawn(b.sys, &kit_idler, NULL, &named);
	assert_true(tr_ref_valid(in_b));
	assert_false(tr_ref_equal(in_a, in_b));
	assert_true(tr_ref_equal(tr_whereis(a.sys, "ledger"), in_a));
	named.error = &error;
	again = tr_system_spawn(a.sys, &kit_idler, NULL, &named);
	assert_false(tr_ref_valid(again));
	assert_int_equal(error, TR_EEXIST);
	kit_begin(&a);
	assert_true(tr_ref_equal(tr_whereis(a.sys, "ledger"), in_a));
	kit_stop(&a);
	assert_int_equal(tr_system_free(b.sys), TR_OK);
}

/* ---------------------------------------------------- many, and races --- */

enum { RIVALS = 32, PRIZES = 200 };

struct race {
	tr_ref root;
	atomic_int won, lost, wrong, done;
};

static int
rival_start(struct tr_self *self, void *state, const void *arg)
{
	struct race *r;
	char name[32];
	int rc;

	(void)kit_start_ctx(self, state, arg);
	r = kit_ctx(state);
	for (int i = 0; i < PRIZES; i++) {
		snprintf(name, sizeof(name), "prize %d", i);
		rc = tr_register(self, name);
		if (rc == TR_OK)
			atomic_fetch_add(&r->won, 1);
		else if (rc == TR_EEXIST)
			atomic_fetch_add(&r->lost, 1);
		else
			atomic_fetch_add(&r->wrong, 1);
		if (!tr_ref_valid(tr_whereis(tr_system_of(self), name)))
			atomic_fetch_add(&r->wrong, 1);
	}
	return tr_send(self, r->root, DONE, NULL, 0);
}

static const struct tr_behavior rival = {
	.name = "rival",
	.state_size = sizeof(void *),
	.start = rival_start,
	.receive = kit_ignore,
};

static int
race_start(struct tr_self *self, void *state, const void *arg)
{
	struct race *r;

	(void)kit_start_ctx(self, state, arg);
	r = kit_ctx(state);
	r->root = tr_self_ref(self);
	for (unsigned i = 0; i < RIVALS; i++)
		(void)tr_spawn(self, &rival, r,
		    &(struct tr_spawn_options){ .placement = TR_PLACE_WORKER,
			.worker = i % tr_system_workers(tr_system_of(self)) });
	return TR_OK;
}

static int
race_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct race *r = kit_ctx(state);

	(void)msg;
	if (atomic_fetch_add(&r->done, 1) + 1 == RIVALS)
		return kit_finish(self);
	return TR_OK;
}

static const struct tr_behavior race_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = race_start,
	.receive = race_receive,
};

static void
of_many_who_want_a_name_one_gets_it(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 8; workers *= 2) {
		struct race r = { .won = 0 };

		kit_play(&k, workers, &race_root, &r);
		assert_int_equal(r.won, PRIZES);
		assert_int_equal(r.lost, PRIZES * (RIVALS - 1));
		assert_int_equal(r.wrong, 0);
	}
}

/* ------------------------------------- looked up while they come and go --- */

/*
 * Two threads look for a name whose bearers follow one another, and write to
 * each one that they find: once, and once more when they have found the next.
 * Were they to write all the time, two of them would fill the mailbox of a
 * bearer faster than its death can empty it wherever threads take turns (under
 * valgrind one life took 18 ms then, and thousands of dead letters).
 *
 * A life is so short that all could be over before anybody has looked, so the
 * last life is the first one that ends after enough were found.
 */
enum { LIVES = 5000, LOOKERS = 2, FINDS = 20 };

struct fleeting {
	struct kit k;
	sem_t done;
	atomic_bool stop;
	atomic_int left, found, poisoned;
	tr_ref root;
};

static int
fleeting_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	if (tr_tag(msg) == END)
		return tr_exit(self, TR_NORMAL);
	return TR_OK;
}

static void
fleeting_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct fleeting *f = kit_ctx(state);

	(void)why;
	kit_tell(self, f->root, DONE);
}

static const struct tr_behavior fleeting = {
	.name = "fleeting",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = fleeting_receive,
	.stop = fleeting_stop,
};

/* One bearer of the name after the other; the next may have to wait. */
static int
fleeting_root_receive(struct tr_self *self, void *state,
    const struct tr_msg *msg)
{
	struct tr_spawn_options named = { .name = "fleeting" };
	struct fleeting *f = kit_ctx(state);
	tr_ref next;

	if (tr_tag(msg) == DONE && atomic_fetch_sub(&f->left, 1) <= 1 &&
	    atomic_load(&f->found) >= FINDS) {
		sem_post(&f->done);
		return TR_OK;
	}
	next = tr_spawn(self, &fleeting, f, &named);
	if (!tr_ref_valid(next))
		return tr_send(self, f->root, TRY, NULL, 0);
	kit_tell(self, next, END);
	return TR_OK;
}

static int
fleeting_root_start(struct tr_self *self, void *state, const void *arg)
{
	struct fleeting *f;

	(void)kit_start_ctx(self, state, arg);
	f = kit_ctx(state);
	f->root = tr_self_ref(self);
	return tr_send(self, f->root, TRY, NULL, 0);
}

static const struct tr_behavior fleeting_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = fleeting_root_start,
	.receive = fleeting_root_receive,
};

static void
looker_write(struct fleeting *f, tr_ref to)
{
	if (tr_post(f->k.sys, to, TRY, NULL, 0) != TR_OK)
		atomic_fetch_add(&f->poisoned, 1);
}

/* Whatever is found may be written to: alive or not. */
static void *
looker(void *arg)
{
	struct fleeting *f = arg;
	tr_ref found, before = TR_REF_NONE;

	while (!atomic_load(&f->stop)) {
		found = tr_whereis(f->k.sys, "fleeting");
		if (!tr_ref_valid(found) || tr_ref_equal(found, before))
			continue;
		looker_write(f, found);
		if (tr_ref_valid(before))
			looker_write(f, before);
		before = found;
		atomic_fetch_add(&f->found, 1);
	}
	return NULL;
}

static void
names_may_be_looked_up_while_they_come_and_go(void **unused)
{
	static struct fleeting f;
	pthread_t thread[LOOKERS];

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		memset(&f, 0, sizeof(f));
		f.left = TEST_SCALE(LIVES);
		sem_init(&f.done, 0, 0);
		kit_new(&f.k, workers);
		(void)kit_root(&f.k, &fleeting_root, &f);
		kit_begin(&f.k);
		for (int i = 0; i < LOOKERS; i++)
			assert_int_equal(pthread_create(&thread[i], NULL,
					     looker, &f),
			    0);
		kit_await(&f.done);
		atomic_store(&f.stop, true);
		for (int i = 0; i < LOOKERS; i++)
			assert_int_equal(pthread_join(thread[i], NULL), 0);
		kit_stop(&f.k);
		assert_int_equal(f.poisoned, 0);
		sem_destroy(&f.done);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(names_are_unique_until_their_actor_ends),
		KIT_TEST(names_are_found_from_outside_and_only_in_their_system),
		KIT_TEST(of_many_who_want_a_name_one_gets_it),
		KIT_TEST(names_may_be_looked_up_while_they_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
