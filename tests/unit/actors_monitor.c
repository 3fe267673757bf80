/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Monitors: one DOWN each, with the reason, behind what the dead had sent.
 */
#include "kit.h"

enum { END = 1, WORD, DOWN, GO, LATER, CHECK };
enum { MANY = TEST_SCALE(100000) };

enum how { EXITS, FAILS, TEXT, KILLED, STOPPED, BAD_START, HOLDS };

struct watch {
	struct kit k;
	enum how how;
	tr_ref victim;
	tr_monitor_id id, second;
	struct tr_down down[4];
	unsigned downs, words, words_before;
	tr_ref sender;
	int again; /* demonitor, once it is over */
	bool name_free;
	unsigned mode;
	unsigned many;
	bool seen[MANY];
	tr_monitor_id ids[MANY];
};

/* -------------------------------------------------------------- victim --- */

static int
victim_start(struct tr_self *self, void *state, const void *arg)
{
	struct watch *w;

	(void)kit_start_ctx(self, state, arg);
	w = kit_ctx(state);
	return w->how == BAD_START ? tr_fail(self, -7, "no start") : TR_OK;
}

static int
victim_end(struct watch *w, struct tr_self *self)
{
	switch (w->how) {
	case FAILS: return -5;
	case TEXT: return tr_fail(self, -6, "row %d", 12);
	case KILLED: (void)tr_kill(self, tr_self_ref(self)); return TR_OK;
	case STOPPED:
		(void)tr_stop(self, tr_self_ref(self), tr_forever());
		return TR_OK;
	case EXITS:
	case BAD_START:
	case HOLDS: break;
	}
	return tr_exit(self, TR_NORMAL);
}

static int
victim_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct watch *w = kit_ctx(state);

	if (tr_tag(msg) != END)
		return TR_OK;
	/* What it says before its end comes before the DOWN. */
	for (int i = 0; i < 10; i++)
		(void)tr_send(self, tr_sender(msg), WORD, NULL, 0);
	return victim_end(w, self);
}

static const struct tr_behavior victim = {
	.name = "victim",
	.state_size = sizeof(void *),
	.start = victim_start,
	.receive = victim_receive,
};

/* ------------------------------------------------------------- watcher --- */

static void
watch_down(struct watch *w, struct tr_self *self, const struct tr_msg *msg)
{
	const struct tr_down *down = tr_data(msg, sizeof(*down));

	KIT_CHECK(down != NULL);
	if (w->downs < 4)
		w->down[w->downs] = *down;
	if (w->downs++ == 0)
		w->words_before = w->words;
	w->sender = tr_sender(msg);
	w->again = tr_demonitor(self, down->monitor);
	w->name_free = !tr_ref_valid(tr_whereis(tr_system_of(self), "victim"));
}

static int
watcher_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct watch *w = kit_ctx(state);

	switch (tr_tag(msg)) {
	case WORD: w->words++; break;
	case DOWN: watch_down(w, self, msg); break;
	case LATER: return kit_finish(self);
	default: break;
	}
	if (w->downs == w->mode)
		return tr_after(self, TR_MS(5), LATER, 0) ? TR_OK : TR_ENOMEM;
	return TR_OK;
}

static int
watcher_start(struct tr_self *self, void *state, const void *arg)
{
	struct watch *w;

	(void)kit_start_ctx(self, state, arg);
	w = kit_ctx(state);
	w->victim = tr_spawn(self, &victim, w,
	    &(struct tr_spawn_options){
		.name = "victim",
		.monitor = &w->id,
		.monitor_tag = DOWN,
		.monitor_cookie = 41,
	    });
	if (w->mode == 2)
		w->second = tr_monitor(self, w->victim, DOWN, 42);
	kit_tell(self, w->victim, END);
	return TR_OK;
}

static const struct tr_behavior watcher = {
	.name = "watcher",
	.state_size = sizeof(void *),
	.start = watcher_start,
	.receive = watcher_receive,
};

static void
play(struct watch *w, enum how how, unsigned monitors)
{
	memset(w, 0, sizeof(*w));
	w->how = how;
	w->mode = monitors;
	kit_play(&w->k, 2, &watcher, w);
	assert_int_equal(w->downs, monitors);
	assert_true(tr_ref_equal(w->down[0].actor, w->victim));
	assert_true(tr_ref_equal(w->sender, w->victim));
	assert_int_equal(w->again, TR_EINVAL);
	assert_true(w->name_free);
}

static void
down_says_why(void **unused)
{
	static struct watch w;
	const struct {
		enum how how;
		int code;
		const char *text;
	} ends[] = {
		{ EXITS, TR_NORMAL, "" },
		{ FAILS, -5, "" },
		{ TEXT, -6, "row 12" },
		{ KILLED, TR_KILLED, "" },
		{ STOPPED, TR_SHUTDOWN, "" },
		{ BAD_START, -7, "no start" },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		play(&w, ends[i].how, 1);
		assert_int_equal(w.down[0].reason.code, ends[i].code);
		assert_string_equal(w.down[0].reason.text, ends[i].text);
		assert_int_equal(w.down[0].cookie, 41);
		assert_true(w.down[0].monitor == w.id);
	}
}

static void
down_comes_behind_what_was_sent(void **unused)
{
	static struct watch w;

	(void)unused;
	play(&w, EXITS, 1);
	assert_int_equal(w.words_before, 10);
}

static void
each_monitor_is_its_own(void **unused)
{
	static struct watch w;

	(void)unused;
	play(&w, FAILS, 2);
	assert_true(w.id != w.second);
	assert_int_equal(w.down[0].cookie + w.down[1].cookie, 41 + 42);
	assert_int_equal(w.down[1].reason.code, -5);
}

/* --------------------------------------------------- the dead, and no one - */

static int
noproc_start(struct tr_self *self, void *state, const void *arg)
{
	tr_ref never = { UINT64_C(0xfc00000100000007) };
	struct watch *w;

	(void)kit_start_ctx(self, state, arg);
	w = kit_ctx(state);
	w->mode = 3;
	w->id = tr_monitor(self, w->victim, DOWN, 1);
	w->second = tr_monitor(self, never, DOWN, 2);
	return tr_monitor(self, TR_REF_NONE, DOWN, 3) != 0 ? TR_OK : TR_ENOMEM;
}

static const struct tr_behavior noproc = {
	.name = "noproc",
	.state_size = sizeof(void *),
	.start = noproc_start,
	.receive = watcher_receive,
};

static void
the_dead_and_the_never_born_are_noproc(void **unused)
{
	static struct watch w;

	(void)unused;
	memset(&w, 0, sizeof(w));
	kit_new(&w.k, 2);
	/* A reference of a former system. */
	w.victim.bits =
	    kit_root(&w.k, &kit_idler, NULL).bits ^ (UINT64_C(1) << 57);
	(void)kit_root(&w.k, &noproc, &w);
	kit_run(&w.k);
	assert_int_equal(w.downs, 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(w.down[i].reason.code, TR_NOPROC);
}

/* ----------------------------------------------------------- demonitor --- */

static int
flush_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct watch *w = kit_ctx(state);
	struct tr_stats stats;

	switch (tr_tag(msg)) {
	case WORD: w->words++; break;
	case DOWN: w->downs++; break;
	case GO:
		/* Once the other has ended, its DOWN waits in the mailbox. */
		do
			KIT_CHECK(
			    tr_stats(tr_system_of(self), &stats) == TR_OK);
		while (stats.ended == 0);
		w->again = tr_demonitor(self, w->id);
		return tr_after(self, TR_MS(10), LATER, 0) ? TR_OK : TR_ENOMEM;
	case LATER: return kit_finish(self);
	default: break;
	}
	return TR_OK;
}

static int
flush_start(struct tr_self *self, void *state, const void *arg)
{
	struct watch *w;

	(void)kit_start_ctx(self, state, arg);
	w = kit_ctx(state);
	w->victim = tr_spawn(self, &victim, w,
	    &(struct tr_spawn_options){ .placement = TR_PLACE_WORKER,
		.worker = 1 });
	w->id = tr_monitor(self, w->victim, DOWN, 0);
	w->second = tr_monitor(self, w->victim, DOWN, 0);
	/* One that is withdrawn while its request is on the way. */
	if (w->id == 0 || w->second == 0 ||
	    tr_demonitor(self, w->second) != TR_OK)
		return TR_ENOMEM;
	/* The other's worker may be quick: what comes of END is behind this. */
	kit_tell(self, tr_self_ref(self), GO);
	kit_tell(self, w->victim, END);
	return TR_OK;
}

static const struct tr_behavior flusher = {
	.name = "flusher",
	.state_size = sizeof(void *),
	.start = flush_start,
	.receive = flush_receive,
};

static void
a_withdrawn_monitor_is_never_seen(void **unused)
{
	static struct watch w;

	(void)unused;
	memset(&w, 0, sizeof(w));
	kit_play(&w.k, 2, &flusher, &w);
	assert_int_equal(w.downs, 0);
	assert_int_equal(w.again, TR_OK);
	assert_int_equal(w.words, 10);
	assert_int_equal(w.k.stats.dead[TR_DEAD_LATE], 1);
}

/* ---------------------------------------------------------------- many --- */

static int
many_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const struct tr_down *down = tr_data(msg, sizeof(*down));
	struct watch *w = kit_ctx(state);

	if (tr_tag(msg) != DOWN)
		return TR_OK;
	KIT_CHECK(down->cookie < MANY && !w->seen[down->cookie]);
	w->seen[down->cookie] = true;
	if (++w->many == MANY - (MANY + 3) / 4)
		return kit_finish(self);
	return TR_OK;
}

static int
many_start(struct tr_self *self, void *state, const void *arg)
{
	struct watch *w;

	(void)kit_start_ctx(self, state, arg);
	w = kit_ctx(state);
	w->victim = tr_spawn(self, &victim, w, NULL);
	for (uint64_t i = 0; i < MANY; i++) {
		w->ids[i] = tr_monitor(self, w->victim, DOWN, i);
		KIT_CHECK(w->ids[i] != 0);
	}
	/* A quarter are taken back. */
	for (uint64_t i = 0; i < MANY; i += 4)
		KIT_CHECK(tr_demonitor(self, w->ids[i]) == TR_OK);
	kit_tell(self, w->victim, END);
	return TR_OK;
}

static const struct tr_behavior many = {
	.name = "many",
	.state_size = sizeof(void *),
	.start = many_start,
	.receive = many_receive,
};

static void
all_of_many_monitors_are_told(void **unused)
{
	static struct watch w;

	(void)unused;
	memset(&w, 0, sizeof(w));
	kit_play(&w.k, 2, &many, &w);
	assert_int_equal(w.many, MANY - (MANY + 3) / 4);
	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(w.seen[i], i % 4 != 0);
}

/* --------------------------------------------------- the watcher is gone - */

static int
leave_start(struct tr_self *self, void *state, const void *arg)
{
	struct watch *w;

	(void)kit_start_ctx(self, state, arg);
	w = kit_ctx(state);
	for (int i = 0; i < 100; i++)
		KIT_CHECK(tr_monitor(self, w->victim, DOWN, 0) != 0);
	return tr_exit(self, TR_NORMAL);
}

static const struct tr_behavior leaver = {
	.name = "leaver",
	.state_size = sizeof(void *),
	.start = leave_start,
	.receive = kit_ignore,
};

static int
left_start(struct tr_self *self, void *state, const void *arg)
{
	struct watch *w;

	(void)kit_start_ctx(self, state, arg);
	w = kit_ctx(state);
	w->how = HOLDS;
	w->mode = 1;
	w->victim = tr_spawn(self, &victim, w, NULL);
	w->id = tr_monitor(self, w->victim, DOWN, 0);
	for (int i = 0; i < 20; i++)
		KIT_CHECK(tr_ref_valid(tr_spawn(self, &leaver, w, NULL)));
	return tr_after(self, TR_MS(20), GO, 0) ? TR_OK : TR_ENOMEM;
}

static int
left_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct watch *w = kit_ctx(state);

	if (tr_tag(msg) == GO)
		kit_tell(self, w->victim, END);
	return watcher_receive(self, state, msg);
}

static const struct tr_behavior left = {
	.name = "left",
	.state_size = sizeof(void *),
	.start = left_start,
	.receive = left_receive,
};

static void
watchers_that_ended_leave_nothing_behind(void **unused)
{
	static struct watch w;

	(void)unused;
	memset(&w, 0, sizeof(w));
	kit_play(&w.k, 2, &left, &w);
	assert_int_equal(w.downs, 1);
	assert_int_equal(w.k.stats.dead[TR_DEAD_LATE], 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(down_says_why),
		KIT_TEST(down_comes_behind_what_was_sent),
		KIT_TEST(each_monitor_is_its_own),
		KIT_TEST(the_dead_and_the_never_born_are_noproc),
		KIT_TEST(a_withdrawn_monitor_is_never_seen),
		KIT_TEST(all_of_many_monitors_are_told),
		KIT_TEST(watchers_that_ended_leave_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
