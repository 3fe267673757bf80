/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Handlers that misbehave towards their worker: they never return, send and
 * spawn without end, keep what they were given, or leave the thread in an odd
 * state.  Whatever they do, the others keep working and the books balance.
 */
#include "kit.h"

#include <fcntl.h>
#include <fenv.h>

enum { HANG = 42, WORK, DONE, MANY = 400 };

/* ------------------------------------------------- it never returns ------ */

struct jam {
	struct kit k;
	atomic_bool inside, release;
	atomic_int worked, inside_all;
	tr_ref hog;
	unsigned on; /* the hog's worker */
	atomic_int elsewhere; /* turns on other workers than the hog's */
};

static int
helper_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct jam *j = kit_ctx(state);

	(void)msg;
	atomic_fetch_add(&j->worked, 1);
	if (tr_self_worker(self) != j->on)
		atomic_fetch_add(&j->elsewhere, 1);
	return TR_OK;
}

static const struct tr_behavior helper = {
	.name = "helper",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = helper_receive,
};

/* Fill the queue of its worker, the `next` slot last, and hang. */
static int
hog_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct jam *j = kit_ctx(state);
	tr_ref one;

	if (tr_tag(msg) != HANG)
		return TR_OK;
	for (int i = 0; i < MANY; i++) {
		one = tr_spawn(self, &helper, j, NULL);
		kit_tell(self, one, WORK);
	}
	atomic_store(&j->inside, true);
	atomic_fetch_add(&j->inside_all, 1);
	kit_spin_until(&j->release);
	return TR_OK;
}

static const struct tr_behavior hog = {
	.name = "hog",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = hog_receive,
};

static tr_ref
hog_spawn(struct jam *j, unsigned worker)
{
	tr_ref ref = tr_system_spawn(j->k.sys, &hog, j,
	    &(struct tr_spawn_options){ .placement = TR_PLACE_WORKER,
		.worker = worker });

	assert_true(tr_ref_valid(ref));
	assert_int_equal(tr_post(j->k.sys, ref, HANG, NULL, 0), TR_OK);
	return ref;
}

static void
free_in_the_end(struct tr_system *sys)
{
	int rc;

	while ((rc = tr_system_free(sys)) == TR_EBUSY)
		kit_nap();
	assert_int_equal(rc, TR_OK);
}

/* All that waits behind it is done elsewhere, while it still hangs. */
static void
what_waits_behind_a_hog_is_done_by_others(void **unused)
{
	static struct jam j;

	(void)unused;
	for (unsigned workers = 2; workers <= 4; workers *= 2) {
		memset(&j, 0, sizeof(j));
		kit_new(&j.k, workers);
		j.on = 1;
		j.hog = hog_spawn(&j, 1);
		kit_begin(&j.k);
		while (atomic_load(&j.worked) < MANY)
			kit_nap();
		assert_int_equal(j.elsewhere, MANY);
		assert_int_equal(tr_system_free(j.k.sys), TR_EBUSY);
		assert_int_equal(tr_system_stop(j.k.sys,
				     tr_system_now(j.k.sys) + TR_MS(20)),
		    TR_OK);
		assert_int_equal(pthread_join(j.k.thread, NULL), 0);
		assert_int_equal(j.k.run_rc, TR_EBUSY);
		assert_int_equal(j.k.report.left, 1);
		assert_true(tr_ref_equal(j.k.report.left_at[0].ref, j.hog));
		assert_string_equal(j.k.report.left_at[0].behavior, "hog");
		assert_int_equal(j.k.report.left_at[0].tag, HANG);
		assert_int_equal(tr_system_free(j.k.sys), TR_EBUSY);
		atomic_store(&j.release, true);
		free_in_the_end(j.k.sys);
	}
}

/* Nobody is left to work, yet posts are taken and one can look inside. */
static void
when_all_workers_hang_one_can_still_look_inside(void **unused)
{
	static struct jam j;
	static char text[1 << 16];
	struct tr_stats stats;
	int hangs = 0;
	FILE *f = tmpfile();

	(void)unused;
	assert_non_null(f);
	memset(&j, 0, sizeof(j));
	kit_new(&j.k, 2);
	(void)hog_spawn(&j, 0);
	j.hog = hog_spawn(&j, 1);
	kit_begin(&j.k);
	while (atomic_load(&j.inside_all) < 2)
		kit_nap();
	for (int i = 0; i < MANY; i++)
		assert_int_equal(tr_post(j.k.sys, j.hog, DONE, NULL, 0), TR_OK);
	assert_int_equal(tr_stats(j.k.sys, &stats), TR_OK);
	assert_true(stats.queued >= MANY + 2 * MANY);
	assert_int_equal(tr_dump(j.k.sys, fileno(f)), TR_OK);
	rewind(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	for (const char *p = text; (p = strstr(p, "running on ")) != NULL; p++)
		hangs++;
	assert_int_equal(hangs, 2);
	assert_non_null(strstr(text, "tag 42"));
	atomic_store(&j.release, true);
	kit_stop(&j.k);
	assert_int_equal(j.worked, 2 * MANY);
	(void)fclose(f);
}

/* --------------------------------------------- it sends without end ------ */

enum { FLOOD = TEST_SCALE(1000000) };

struct flood {
	uint64_t got, sent;
	tr_ref sink;
	bool ordered;
	atomic_bool begun;
};

static int
drain_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct flood *f = kit_ctx(state);

	if (kit_u64(msg) != f->got)
		f->ordered = false;
	return ++f->got == FLOOD ? kit_finish(self) : TR_OK;
}

static const struct tr_behavior drain = {
	.name = "drain",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = drain_receive,
};

static int
flooder_start(struct tr_self *self, void *state, const void *arg)
{
	struct flood *f;

	(void)kit_start_ctx(self, state, arg);
	f = kit_ctx(state);
	f->sink = tr_spawn(self, &drain, f, NULL);
	for (uint64_t i = 0; i < FLOOD; i++)
		if (tr_send(self, f->sink, WORK, &i, sizeof(i)) == TR_OK)
			f->sent++;
	return TR_OK;
}

static const struct tr_behavior flooder = {
	.name = "flooder",
	.state_size = sizeof(void *),
	.start = flooder_start,
	.receive = kit_ignore,
};

static void
a_million_messages_of_one_turn_arrive_in_order(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct flood f = { .ordered = true };

		kit_play(&k, workers, &flooder, &f);
		assert_int_equal(f.sent, FLOOD);
		assert_int_equal(f.got, FLOOD);
		assert_true(f.ordered);
		assert_int_equal(kit_dead(&k.stats), 0);
	}
}

/* Each message makes two: the stop still gets its turn. */
static int
doubler_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct flood *f = kit_ctx(state);

	(void)msg;
	for (int i = 0; i < 2; i++)
		kit_tell(self, tr_self_ref(self), WORK);
	f->sent += 2;
	if (++f->got == 1000)
		return kit_finish(self);
	return TR_OK;
}

static int
doubler_start(struct tr_self *self, void *state, const void *arg)
{
	(void)kit_start_ctx(self, state, arg);
	return tr_send(self, tr_self_ref(self), WORK, NULL, 0);
}

static const struct tr_behavior doubler = {
	.name = "doubler",
	.state_size = sizeof(void *),
	.start = doubler_start,
	.receive = doubler_receive,
};

static void
sending_to_oneself_without_end_does_not_hold_up_the_stop(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct flood f = { .got = 0 };

		kit_play(&k, workers, &doubler, &f);
		assert_true(f.got >= 1000);
		assert_int_equal(k.stats.handled, f.got);
		assert_int_equal(k.stats.dead[TR_DEAD_CLOSED],
		    f.sent + 1 - f.got);
		assert_int_equal(k.report.killed, 0);
	}
}

/* -------------------------------------------- it spawns without end ------ */

enum { SLOTS = 2048 };

struct rabbits {
	atomic_ullong born, started, ended;
	atomic_int refused, error;
	const struct tr_behavior *kind;
};

static void
rabbit_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct rabbits *r = kit_ctx(state);

	(void)self;
	(void)why;
	atomic_fetch_add(&r->ended, 1);
}

static int
rabbit_start(struct tr_self *self, void *state, const void *arg)
{
	struct rabbits *r;
	int error = TR_OK;

	(void)kit_start_ctx(self, state, arg);
	r = kit_ctx(state);
	atomic_fetch_add(&r->started, 1);
	for (int i = 0; i < 3; i++) {
		if (tr_ref_valid(tr_spawn(self, r->kind, r,
			&(struct tr_spawn_options){ .error = &error }))) {
			atomic_fetch_add(&r->born, 1);
			continue;
		}
		atomic_store(&r->error, error);
		if (atomic_fetch_add(&r->refused, 1) == 0)
			return kit_finish(self);
	}
	return TR_OK;
}

static const struct tr_behavior rabbit = {
	.name = "rabbit",
	.state_size = sizeof(void *),
	.start = rabbit_start,
	.receive = kit_ignore,
	.stop = rabbit_stop,
};

static void
spawning_without_end_is_refused_in_the_end(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct rabbits r = { .born = 1, .kind = &rabbit };

		kit_new_with(&k,
		    (struct tr_options){ .workers = workers,
			.max_actors = SLOTS });
		(void)kit_root(&k, &rabbit, &r);
		kit_run(&k);
		assert_true(r.refused > 0);
		assert_true(r.error == TR_ENOMEM || r.error == TR_ESTOPPING);
		assert_true(r.born <= SLOTS);
		/* Not much is kept in store by those who need none. */
		assert_true(r.born >= SLOTS / 2);
		assert_int_equal(r.started, r.born);
		assert_int_equal(r.ended, r.born);
		assert_int_equal(k.stats.spawned, r.born);
	}
}

/* --------------------------------------------- it leaves a mess behind --- */

enum { GAMES = TEST_SCALE(20000) };

struct mess {
	tr_ref partner;
	int left, bad;
	char own[100]; /* not in the cell */
};

/* Odd errno, odd rounding, and its own state overwritten. */
static int
vandal_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	errno = -12345;
	(void)fesetround(FE_UPWARD);
	(void)feraiseexcept(FE_ALL_EXCEPT);
	memset(state, 0xff, 24);
	return tr_reply(self, msg, DONE, NULL, 0);
}

static const struct tr_behavior vandal = {
	.name = "vandal",
	.state_size = 24,
	.receive = vandal_receive,
};

static int
victim_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct mess *m = state;

	(void)msg;
	for (size_t i = 0; i < sizeof(m->own); i++)
		m->bad += m->own[i] != 7;
	if (tr_in(self, TR_SECONDS(1)) - tr_now(self) > TR_SECONDS(1))
		m->bad++;
	if (m->bad > 0)
		return tr_fail(self, TR_EINVAL, "%d bad bytes", m->bad);
	if (m->left-- == 0)
		return kit_finish(self);
	return tr_send(self, m->partner, WORK, NULL, 0);
}

static int
victim_start(struct tr_self *self, void *state, const void *arg)
{
	struct mess *m = state;

	(void)arg;
	memset(m->own, 7, sizeof(m->own));
	m->left = GAMES;
	m->partner = tr_spawn(self, &vandal, NULL, NULL);
	if (tr_after(self, TR_US(10), DONE, 0) == 0)
		return TR_ENOMEM;
	return tr_send(self, m->partner, WORK, NULL, 0);
}

static const struct tr_behavior victim = {
	.name = "victim",
	.state_size = sizeof(struct mess),
	.start = victim_start,
	.receive = victim_receive,
};

static void
an_odd_state_of_the_thread_harms_nobody(void **unused)
{
	struct kit k;
	int before = fegetround();

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		kit_play(&k, workers, &victim, NULL);
		assert_int_equal(k.stats.failed, 0);
		(void)fesetround(before);
		(void)feclearexcept(FE_ALL_EXCEPT);
	}
}

/* ------------------------------------------------ its drop takes long ---- */

static struct {
	atomic_bool inside, release;
	atomic_int runs, pings;
} slow;

static void
slow_drop(void *payload, size_t size)
{
	(void)payload;
	(void)size;
	atomic_fetch_add(&slow.runs, 1);
	atomic_store(&slow.inside, true);
	kit_spin_until(&slow.release);
}

static int
thrower_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct tr_msg *m = tr_msg_new(self, WORK, 100, slow_drop);

	(void)state;
	(void)msg;
	tr_msg_drop(&m);
	return TR_OK;
}

static const struct tr_behavior thrower = {
	.name = "thrower",
	.receive = thrower_receive,
};

static int
pinger_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	(void)msg;
	atomic_fetch_add(&slow.pings, 1);
	if (atomic_load(&slow.release))
		return TR_OK;
	return tr_send(self, tr_self_ref(self), WORK, NULL, 0);
}

static const struct tr_behavior pinger = {
	.name = "pinger",
	.receive = pinger_receive,
};

static void
a_drop_that_takes_long_holds_up_its_worker_only(void **unused)
{
	struct kit k;
	tr_ref one;

	(void)unused;
	memset(&slow, 0, sizeof(slow));
	kit_new(&k, 2);
	one = tr_system_spawn(k.sys, &thrower, NULL,
	    &(struct tr_spawn_options){ .placement = TR_PLACE_WORKER,
		.worker = 1 });
	assert_int_equal(tr_post(k.sys, one, WORK, NULL, 0), TR_OK);
	kit_begin(&k);
	kit_spin_until(&slow.inside);
	one = tr_system_spawn(k.sys, &pinger, NULL, NULL);
	assert_int_equal(tr_post(k.sys, one, WORK, NULL, 0), TR_OK);
	while (atomic_load(&slow.pings) < 10000)
		kit_nap();
	atomic_store(&slow.release, true);
	kit_stop(&k);
	assert_int_equal(slow.runs, 1);
}

/* ---------------------------------------------- and a hook that is slow -- */

static atomic_ullong hook_calls;

static void
slow_hook(const struct tr_dead_letter *letter, void *ctx)
{
	struct timespec nap = { .tv_nsec = 100000 };

	(void)letter;
	(void)ctx;
	atomic_fetch_add(&hook_calls, 1);
	nanosleep(&nap, NULL);
}

static int
ghost_hunter_start(struct tr_self *self, void *state, const void *arg)
{
	struct flood *f;
	tr_ref ghost = tr_spawn(self, &kit_idler, NULL, NULL);
	uint64_t i = 0;

	(void)kit_start_ctx(self, state, arg);
	f = kit_ctx(state);
	(void)tr_kill(self, ghost);
	/* Whether it is dead already or dies of this: they are dead letters. */
	for (; i < FLOOD; i++)
		if (tr_send(self, ghost, WORK, &i, sizeof(i)) == TR_OK)
			f->sent++;
	return kit_finish(self);
}

static const struct tr_behavior ghost_hunter = {
	.name = "ghost hunter",
	.state_size = sizeof(void *),
	.start = ghost_hunter_start,
	.receive = kit_ignore,
};

static void
a_million_messages_to_the_dead_are_counted_in_spite_of_a_slow_hook(
    void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct flood f = { .got = 0 };

		atomic_store(&hook_calls, 0);
		kit_new(&k, workers);
		assert_int_equal(tr_on_dead_letter(k.sys, slow_hook, NULL),
		    TR_OK);
		(void)kit_root(&k, &ghost_hunter, &f);
		kit_run(&k);
		assert_int_equal(f.sent, FLOOD);
		assert_int_equal(k.stats.dead[TR_DEAD_NO_ACTOR] +
			k.stats.dead[TR_DEAD_CLOSED],
		    FLOOD);
		assert_int_equal(k.stats.handled, 0);
		assert_true(hook_calls > 0 && hook_calls <= FLOOD);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(what_waits_behind_a_hog_is_done_by_others),
		KIT_TEST(when_all_workers_hang_one_can_still_look_inside),
		KIT_TEST(a_million_messages_of_one_turn_arrive_in_order),
		KIT_TEST(
		    sending_to_oneself_without_end_does_not_hold_up_the_stop),
		KIT_TEST(spawning_without_end_is_refused_in_the_end),
		KIT_TEST(an_odd_state_of_the_thread_harms_nobody),
		KIT_TEST(a_drop_that_takes_long_holds_up_its_worker_only),
		KIT_TEST(
		    a_million_messages_to_the_dead_are_counted_in_spite_of_a_slow_hook),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
