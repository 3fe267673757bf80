/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Seeing inside: counters, the dump, dead letters and their hook; and the
 * small things: error texts, the clock, signals that become messages.
 */
#include <fcntl.h>
#include <signal.h>

#include "kit.h"

enum { NOTE, DONE, LOST, REQUEST, CLUE };

/* ---------------------------------------------------------- counters --- */

enum { NOTES = 5000 };

static atomic_int received;

static int
counting_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)self;
	(void)state;
	(void)msg;
	atomic_fetch_add(&received, 1);
	return TR_OK;
}

static const struct tr_behavior counting = {
	.name = "counting",
	.receive = counting_receive,
};

/* Between two quiet moments the equation holds: look until it is quiet. */
static void
counters_add_up_when_it_is_quiet(void **unused)
{
	struct tr_stats s;
	struct kit k;
	tr_ref ref;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		received = 0;
		kit_new(&k, workers);
		ref = tr_system_spawn(k.sys, &counting, NULL, NULL);
		assert_int_equal(tr_post(k.sys, TR_REF_NONE, LOST, NULL, 0),
		    TR_OK);
		for (int i = 0; i < NOTES; i++)
			assert_int_equal(tr_post(k.sys, ref, NOTE, NULL, 0),
			    TR_OK);
		assert_int_equal(tr_stats(k.sys, &s), TR_OK);
		assert_true(kit_balanced(&s));
		assert_true(s.queued >= NOTES);
		assert_int_equal(s.handled, 0);
		assert_int_equal(s.actors, 1);
		kit_begin(&k);
		do {
			kit_nap();
			assert_int_equal(tr_stats(k.sys, &s), TR_OK);
		} while (
		    received < NOTES || s.queued != 0 || s.handled < NOTES);
		assert_true(kit_balanced(&s));
		assert_int_equal(s.sent, NOTES + 1);
		assert_int_equal(s.handled, NOTES);
		assert_int_equal(s.dead[TR_DEAD_NO_ACTOR], 1);
		assert_int_equal(s.workers, workers);
		assert_int_equal(s.actors, 1);
		assert_int_equal(s.spawned, 1);
		assert_int_equal(s.ended, 0);
		assert_int_equal(s.failed, 0);
		assert_true(s.turns > 0);
		kit_stop(&k);
	}
}

/* ------------------------------------------------------ dead letters --- */

enum { LETTERS = 20000 };

struct tally {
	atomic_ullong calls;
	int64_t begun, ended;
};

static void
tally_letter(const struct tr_dead_letter *letter, void *ctx)
{
	struct tally *t = ctx;

	if (letter->tag == LOST)
		atomic_fetch_add(&t->calls, 1);
}

static int
loser_start(struct tr_self *self, void *state, const void *arg)
{
	struct tally *t;

	(void)kit_start_ctx(self, state, arg);
	t = kit_ctx(state);
	t->begun = tr_now(self);
	for (int i = 0; i < LETTERS; i++)
		kit_tell(self, TR_REF_NONE, LOST);
	t->ended = tr_now(self);
	return kit_finish(self);
}

static const struct tr_behavior loser = {
	.name = "loser",
	.state_size = sizeof(void *),
	.start = loser_start,
	.receive = kit_ignore,
};

static void
the_hook_is_called_1000_times_a_second_at_most(void **unused)
{
	struct tally t = { .calls = 0 };
	struct tr_system *sys;
	struct tr_stats stats;
	int64_t seconds;

	(void)unused;
	assert_int_equal(tr_system_new(&sys, NULL), TR_OK);
	assert_int_equal(tr_on_dead_letter(sys, tally_letter, &t), TR_OK);
	assert_true(tr_ref_valid(tr_system_spawn(sys, &loser, &t, NULL)));
	assert_int_equal(tr_system_run(sys, NULL), TR_OK);
	assert_int_equal(tr_stats(sys, &stats), TR_OK);
	assert_int_equal(tr_system_free(sys), TR_OK);
	assert_true(stats.dead[TR_DEAD_NO_ACTOR] >= LETTERS);
	assert_true(kit_balanced(&stats));
	/* A second more on both sides: where seconds begin is not said. */
	seconds = (t.ended - t.begun) / TR_SECONDS(1) + 2;
	assert_true(t.calls <= (uint64_t)seconds * 1000);
	assert_true(t.calls > 0);
}

/* ------------------------------------------------------------ the dump --- */

struct scene {
	tr_ref root, keeper;
	FILE *file;
	int rc, bad_fd;
};

static int
scene_outcome(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	(void)self;
	(void)state;
	(void)outcome;
	(void)answer;
	(void)cookie;
	return TR_OK;
}

static int
keep_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct scene *s = kit_ctx(state);

	(void)msg;
	if (tr_reply_token(self).bits == 0)
		return TR_ENOMEM;
	return tr_send(self, s->root, NOTE, NULL, 0);
}

static const struct tr_behavior keeping = {
	.name = "keeping-kind",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = keep_receive,
};

static int
waiting_start(struct tr_self *self, void *state, const void *arg)
{
	struct scene *s;

	(void)kit_start_ctx(self, state, arg);
	s = kit_ctx(state);
	return tr_ask(self, s->keeper, REQUEST, NULL, 0, tr_forever(),
		   scene_outcome, 0) == 0 ?
	    TR_ENOMEM :
	    TR_OK;
}

static const struct tr_behavior waiting = {
	.name = "asking-kind", .state_size = sizeof(void *),
	.start = waiting_start, .receive = kit_ignore,
}, named_idler = {
	.name = "lazy-kind", .receive = kit_ignore,
}, nameless = {
	.receive = kit_ignore,
};

static int
scene_start(struct tr_self *self, void *state, const void *arg)
{
	struct scene *s;

	(void)kit_start_ctx(self, state, arg);
	s = kit_ctx(state);
	s->root = tr_self_ref(self);
	s->keeper = tr_spawn(self, &keeping, s,
	    &(struct tr_spawn_options){ .name = "keeper-name" });
	(void)tr_spawn(self, &named_idler, NULL,
	    &(struct tr_spawn_options){ .name = "lazy-name" });
	(void)tr_spawn(self, &nameless, NULL, NULL);
	(void)tr_spawn(self, &waiting, s, NULL);
	return tr_register(self, "root-name");
}

/* The keeper has the request: all is set. */
static int
scene_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct scene *s = kit_ctx(state);
	struct tr_system *sys = tr_system_of(self);

	(void)msg;
	s->rc = tr_dump(sys, fileno(s->file));
	s->bad_fd = tr_dump(sys, -1);
	return kit_finish(self);
}

static const struct tr_behavior scene_root = {
	.name = "root-kind",
	.state_size = sizeof(void *),
	.start = scene_start,
	.receive = scene_receive,
};

/* The line that holds `what`, or NULL. */
static const char *
line_with(const char *text, const char *what, char *line, size_t size)
{
	const char *at = strstr(text, what), *end;

	if (at == NULL)
		return NULL;
	while (at > text && at[-1] != '\n')
		at--;
	end = strchr(at, '\n');
	snprintf(line, size, "%.*s",
	    end == NULL ? (int)strlen(at) : (int)(end - at), at);
	return line;
}

static void
check_dump(const char *text, bool settled)
{
	char line[512];

	assert_non_null(line_with(text, "keeping-kind", line, sizeof(line)));
	assert_non_null(strstr(line, "keeper-name"));
	if (settled)
		assert_non_null(strstr(line, "idle"));
	assert_non_null(line_with(text, "lazy-name", line, sizeof(line)));
	assert_non_null(strstr(line, "lazy-kind"));
	assert_non_null(strstr(line, "idle"));
	assert_non_null(line_with(text, "asking-kind", line, sizeof(line)));
	if (settled)
		assert_non_null(strstr(line, "waiting"));
	assert_non_null(line_with(text, "root-kind", line, sizeof(line)));
	assert_non_null(strstr(line, "root-name"));
	assert_non_null(strstr(line, "running"));
	assert_non_null(line_with(text, "actor", line, sizeof(line)));
}

static void
the_dump_shows_every_actor_with_its_state(void **unused)
{
	static char text[65536];
	struct kit k;
	size_t size;

	(void)unused;
	for (unsigned workers = 1; workers <= 2; workers++) {
		struct scene s = { .rc = 1 };

		s.file = tmpfile();
		assert_non_null(s.file);
		kit_play(&k, workers, &scene_root, &s);
		assert_int_equal(s.rc, TR_OK);
		assert_true(s.bad_fd < 0);
		rewind(s.file);
		size = fread(text, 1, sizeof(text) - 1, s.file);
		text[size] = '\0';
		fclose(s.file);
		/* Two workers: some may not yet have ended their turn. */
		check_dump(text, workers == 1);
	}
}

/* ------------------------------------------------------------ signals --- */

enum { SIGNALS = 5 };

struct caller {
	sem_t heard;
	atomic_int wrong, count;
};

static int
caller_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct caller *c = kit_ctx(state);

	(void)self;
	if (tr_tag(msg) != CLUE || tr_size(msg) != 0 ||
	    tr_ref_valid(tr_sender(msg)))
		atomic_fetch_add(&c->wrong, 1);
	atomic_fetch_add(&c->count, 1);
	sem_post(&c->heard);
	return TR_OK;
}

static const struct tr_behavior called = {
	.name = "called",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = caller_receive,
};

static void
no_handler(int signo)
{
	(void)signo;
}

static void
signals_become_messages_until_the_system_ends(void **unused)
{
	struct sigaction action;
	struct kit k, other;
	tr_ref ref;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct caller c = { .count = 0 };

		sem_init(&c.heard, 0, 0);
		kit_new(&k, workers);
		kit_new(&other, 1);
		ref = kit_root(&k, &called, &c);
		assert_int_equal(tr_signal_send(k.sys, SIGUSR1, ref, CLUE),
		    TR_OK);
		assert_int_equal(tr_signal_send(k.sys, SIGUSR1, ref, CLUE),
		    TR_EEXIST);
		assert_int_equal(tr_signal_send(other.sys, SIGUSR1, ref, CLUE),
		    TR_EEXIST);
		assert_int_equal(tr_signal_send(k.sys, 0, ref, CLUE),
		    TR_EINVAL);
		assert_int_equal(tr_signal_send(k.sys, 9999, ref, CLUE),
		    TR_EINVAL);
		assert_int_equal(tr_signal_send(k.sys, SIGKILL, ref, CLUE),
		    TR_EINVAL);
		kit_begin(&k);
		for (int i = 0; i < SIGNALS; i++) {
			assert_int_equal(kill(getpid(), SIGUSR1), 0);
			kit_await(&c.heard);
		}
		kit_stop(&k);
		assert_int_equal(tr_system_free(other.sys), TR_OK);
		assert_int_equal(c.wrong, 0);
		assert_int_equal(c.count, SIGNALS);
		assert_int_equal(sigaction(SIGUSR1, NULL, &action), 0);
		assert_true(action.sa_handler == SIG_DFL);
		sem_destroy(&c.heard);
	}
}

static void
a_signal_with_a_handler_is_not_taken(void **unused)
{
	struct sigaction mine = { .sa_handler = no_handler }, now;
	struct kit k;
	tr_ref ref;

	(void)unused;
	assert_int_equal(sigaction(SIGUSR2, &mine, NULL), 0);
	kit_new(&k, 1);
	ref = kit_root(&k, &kit_idler, NULL);
	assert_int_equal(tr_signal_send(k.sys, SIGUSR2, ref, CLUE), TR_EEXIST);
	assert_int_equal(tr_system_free(k.sys), TR_OK);
	assert_int_equal(sigaction(SIGUSR2, NULL, &now), 0);
	assert_true(now.sa_handler == no_handler);
	(void)signal(SIGUSR2, SIG_DFL);
}

/* --------------------------------------------------------- small things --- */

static void
every_error_has_a_text_of_its_own(void **unused)
{
	static const int codes[] = {
		TR_OK,
		TR_ENOMEM,
		TR_EINVAL,
		TR_EEXIST,
		TR_EBUSY,
		TR_EDEAD,
		TR_EFULL,
		TR_ETIMEDOUT,
		TR_ECANCELED,
		TR_ENOREPLY,
		TR_EUNHANDLED,
		TR_ESTOPPING,
		TR_SHUTDOWN,
		TR_KILLED,
		-EIO,
	};
	const size_t n = sizeof(codes) / sizeof(codes[0]);
	static const int odd[] = { 1, -99999, INT32_MIN, INT32_MAX };

	(void)unused;
	for (size_t i = 0; i < n; i++) {
		assert_non_null(tr_strerror(codes[i]));
		assert_true(strlen(tr_strerror(codes[i])) > 0);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(tr_strerror(codes[i]),
			    tr_strerror(codes[j]));
	}
	for (size_t i = 0; i < 4; i++)
		assert_non_null(tr_strerror(odd[i]));
}

static int
clock_start(struct tr_self *self, void *state, const void *arg)
{
	struct tr_system *sys = tr_system_of(self);
	int64_t now, last = 0;
	int *wrong;

	(void)kit_start_ctx(self, state, arg);
	wrong = kit_ctx(state);
	for (int i = 0; i < 10000; i++) {
		now = i % 2 == 0 ? tr_now(self) : tr_system_now(sys);
		if (now < last)
			(*wrong)++;
		last = now;
		if (tr_in(self, 1000) < now + 1000)
			(*wrong)++;
	}
	return kit_finish(self);
}

static const struct tr_behavior clock_root = {
	.name = "clock",
	.state_size = sizeof(void *),
	.start = clock_start,
	.receive = kit_ignore,
};

static void
there_is_one_clock_and_it_never_goes_back(void **unused)
{
	struct kit k;
	int wrong = 0;

	(void)unused;
	kit_play(&k, 1, &clock_root, &wrong);
	assert_int_equal(wrong, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(counters_add_up_when_it_is_quiet),
		KIT_TEST(the_hook_is_called_1000_times_a_second_at_most),
		KIT_TEST(the_dump_shows_every_actor_with_its_state),
		KIT_TEST(signals_become_messages_until_the_system_ends),
		KIT_TEST(a_signal_with_a_handler_is_not_taken),
		KIT_TEST(every_error_has_a_text_of_its_own),
		KIT_TEST(there_is_one_clock_and_it_never_goes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
