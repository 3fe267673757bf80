/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A `self` used where it is not its turn ends the process, and the message
 * names the function, the actor, and the turn it was called in.
 *
 * Each case is a child process that has to abort; the parent reads what it
 * said.  The parent never runs a system, so it has one thread when it forks.
 */
#include "kit.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { STEAL = 7, GO, SIZE = 4096 };

/* What the children's actors share. */
static struct {
	_Atomic(struct tr_self *) stolen;
	tr_ref keeper;
	atomic_bool ended;
	struct tr_system *other;
} loot;

/* ------------------------------------------------------------ children --- */

static void
child_prepare(int fd)
{
	const struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)signal(SIGABRT, SIG_DFL);
	(void)dup2(fd, STDERR_FILENO);
	(void)close(fd);
	kit_watchdog();
}

/* Run a case in a child; what it wrote to stderr, and that it aborted. */
static void
must_abort(void (*child)(void), char *said)
{
	size_t used = 0;
	int end[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(end), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close(end[0]);
		child_prepare(end[1]);
		child();
		_exit(0);
	}
	(void)close(end[1]);
	while ((n = read(end[0], said + used, SIZE - 1 - used)) > 0)
		used += (size_t)n;
	said[used] = '\0';
	(void)close(end[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT)
		print_error("status %x; it said: %s\n", (unsigned)status, said);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void
must_say(const char *said, const char *word)
{
	if (strstr(said, word) == NULL)
		print_error("no \"%s\" in: %s\n", word, said);
	assert_non_null(strstr(said, word));
}

/* ------------------------------------------------------------- actors --- */

static int
keeper_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	(void)msg;
	return tr_exit(self, TR_NORMAL);
}

static int
keeper_start(struct tr_self *self, void *state, const void *arg)
{
	(void)state;
	(void)arg;
	atomic_store(&loot.stolen, self);
	return TR_OK;
}

static void
keeper_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)self;
	(void)state;
	(void)why;
	atomic_store(&loot.ended, true);
}

static const struct tr_behavior keeper = {
	.name = "keeper",
	.start = keeper_start,
	.receive = keeper_receive,
	.stop = keeper_stop,
};

static struct tr_self *
stolen_self(void)
{
	struct tr_self *self;

	while ((self = atomic_load(&loot.stolen)) == NULL)
		sched_yield();
	return self;
}

/* A system with a keeper; the thief gets one message. */
static void
play(const struct tr_behavior *thief, unsigned workers)
{
	struct tr_options options = { .workers = workers };
	struct tr_system *sys;
	tr_ref ref;

	if (tr_system_new(&sys, &options) != TR_OK)
		_exit(1);
	loot.keeper = tr_system_spawn(sys, &keeper, NULL, NULL);
	ref = tr_system_spawn(sys, thief, NULL, NULL);
	if (tr_post(sys, ref, STEAL, NULL, 0) != TR_OK)
		_exit(2);
	if (tr_system_run(sys, NULL) != TR_OK)
		_exit(5);
}

/* ------------------------------------------------ in another's turn ------ */

static int
thief_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct tr_self *keepers = atomic_load(&loot.stolen);

	(void)state;
	(void)msg;
	if (keepers == NULL) /* not started yet */
		return tr_send(self, tr_self_ref(self), STEAL, NULL, 0);
	return tr_send(keepers, loot.keeper, GO, NULL, 0);
}

static const struct tr_behavior thief = {
	.name = "thief",
	.receive = thief_receive,
};

static void
thief_of_one(void)
{
	play(&thief, 1);
}

static void
thief_of_two(void)
{
	play(&thief, 2);
}

static void
in_another_actors_turn_it_aborts(void **unused)
{
	void (*const child[])(void) = { thief_of_one, thief_of_two };
	char said[SIZE];

	(void)unused;
	for (int i = 0; i < 2; i++) {
		must_abort(child[i], said);
		must_say(said,
		    "troupe: tr_send: called outside of its "
		    "actor's turn: self is actor keeper (");
		must_say(said, "called in the turn of actor thief (");
		must_say(said, "message tag 7");
	}
}

/* --------------------------------------------------- after its death ---- */

static int
heir_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct tr_self *keepers = atomic_load(&loot.stolen);

	(void)state;
	/* The first of these is what it ends of. */
	if (tr_try_send(self, loot.keeper, GO, NULL, 0) == TR_EDEAD &&
	    atomic_load(&loot.ended))
		return tr_exit(keepers, TR_NORMAL);
	return tr_send(self, tr_self_ref(self), tr_tag(msg), NULL, 0);
}

static const struct tr_behavior heir = {
	.name = "heir",
	.receive = heir_receive,
};

static void
heir_of_one(void)
{
	play(&heir, 1);
}

static void
after_its_death_it_aborts(void **unused)
{
	char said[SIZE];

	(void)unused;
	must_abort(heir_of_one, said);
	must_say(said, "troupe: tr_exit: ");
	must_say(said, "self is actor keeper (");
	must_say(said, "), which has ended; ");
	must_say(said, "in the turn of actor heir (");
	must_say(said, "message tag 7");
}

/* ------------------------------------------------- on another thread ---- */

static void *
intruder(void *arg)
{
	(void)arg;
	(void)tr_spawn(stolen_self(), &keeper, NULL, NULL);
	return NULL;
}

static void
from_a_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, intruder, NULL) != 0)
		_exit(3);
	play(&kit_idler, 2);
}

static int
job_work(struct tr_system *system, void *arg)
{
	(void)system;
	(void)arg;
	return tr_now(stolen_self()) != 0;
}

static int
job_done(struct tr_self *self, void *state, int outcome, void *arg)
{
	(void)self;
	(void)state;
	(void)arg;
	return outcome;
}

static const struct tr_job job = { .work = job_work, .done = job_done };

static int
offloader_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	(void)msg;
	return tr_offload_blocking(self, &job, NULL, tr_forever(), NULL);
}

static const struct tr_behavior offloader = {
	.name = "offloader",
	.receive = offloader_receive,
};

static void
from_a_job(void)
{
	play(&offloader, 1);
}

static void
on_another_thread_it_aborts(void **unused)
{
	char said[SIZE];

	(void)unused;
	must_abort(from_a_thread, said);
	must_say(said,
	    "troupe: tr_spawn: called outside of its actor's turn, "
	    "on a thread that runs no actors\n");
	must_say(said, "self is actor keeper (generation ");
	must_abort(from_a_job, said);
	must_say(said,
	    "troupe: tr_now: called outside of its actor's turn, "
	    "on a thread that runs no actors\n");
	must_say(said, "self is actor keeper (generation ");
}

/* --------------------------------------------------- what else is not --- */

static void
drop_that_sends(void *payload, size_t size)
{
	(void)payload;
	(void)size;
	(void)tr_send(stolen_self(), loot.keeper, GO, NULL, 0);
}

static int
litterer_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct tr_msg *m;

	(void)state;
	(void)msg;
	if (atomic_load(&loot.stolen) == NULL)
		return tr_send(self, tr_self_ref(self), STEAL, NULL, 0);
	m = tr_msg_new(self, GO, 8, drop_that_sends);
	tr_msg_drop(&m);
	return TR_OK;
}

static const struct tr_behavior litterer = {
	.name = "litterer",
	.receive = litterer_receive,
};

static void
from_a_drop_function(void)
{
	play(&litterer, 1);
}

static int
dreamer_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	static char nothing[256];

	(void)self;
	(void)state;
	(void)msg;
	return tr_exit((struct tr_self *)(void *)nothing, TR_NORMAL);
}

static const struct tr_behavior dreamer = {
	.receive = dreamer_receive,
};

static void
with_a_made_up_self(void)
{
	play(&dreamer, 1);
}

static void
a_drop_function_or_a_made_up_self_aborts(void **unused)
{
	char said[SIZE];

	(void)unused;
	must_abort(from_a_drop_function, said);
	must_say(said, "troupe: tr_send: ");
	must_say(said, "self is actor keeper (");
	must_say(said, "in the turn of actor litterer (");
	must_abort(with_a_made_up_self, said);
	must_say(said, "troupe: tr_exit: ");
	must_say(said, "self is no actor of this system; ");
	must_say(said, "in the turn of actor actor (");
}

static int
smuggler_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	static _Atomic(struct tr_msg *) goods;
	struct tr_msg *mine = atomic_load(&goods);

	(void)state;
	if (tr_system_of(self) != loot.other) {
		/* In the first system: leave something, and let it end. */
		atomic_store(&goods, tr_take(self, msg));
		return tr_system_stop(tr_system_of(self), tr_forever());
	}
	return tr_send_msg(self, tr_self_ref(self), &mine);
}

static const struct tr_behavior smuggler = {
	.name = "smuggler",
	.receive = smuggler_receive,
};

static void
between_systems(void)
{
	struct tr_options options = { .workers = 1 };

	play(&smuggler, 1);
	if (tr_system_new(&loot.other, &options) != TR_OK ||
	    tr_post(loot.other,
		tr_system_spawn(loot.other, &smuggler, NULL, NULL), STEAL, NULL,
		0) != TR_OK)
		_exit(4);
	if (tr_system_run(loot.other, NULL) != TR_OK)
		_exit(5);
}

static void
another_systems_message_aborts(void **unused)
{
	char said[SIZE];

	(void)unused;
	must_abort(between_systems, said);
	must_say(said, "troupe: tr_send_msg: the message is another system's");
	must_say(said, "in the turn of actor smuggler (");
	must_say(said, "message tag 7");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(in_another_actors_turn_it_aborts),
		KIT_TEST(after_its_death_it_aborts),
		KIT_TEST(on_another_thread_it_aborts),
		KIT_TEST(a_drop_function_or_a_made_up_self_aborts),
		KIT_TEST(another_systems_message_aborts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
