/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The report of a fault: what it says, in which order, and that the process
 * ends as it would have without it.
 */
#include "actors/system.h"
#include "rig_crash.h"

#define FORGE(MSG, P)                  \
	MSG(P, heat, { int degrees; }) \
	MSG(P, strike, TR_EMPTY)
TR_PROTOCOL(forge, FORGE);

enum { HEATS = 10 };

/* How the smith ends the process, and in what kind of system. */
static struct {
	void (*blow)(struct tr_self *self);
	struct tr_options options;
	const struct tr_behavior *smith;
	bool in_stop;
	atomic_int ready; /* workers that are about to */
} plan;

static char said[SAID];

/* -------------------------------------------------------------- actors --- */

static int
smith_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	if (!forge_is_strike(msg))
		return TR_OK;
	if (plan.in_stop)
		return tr_exit(self, TR_NORMAL);
	plan.blow(self);
	return TR_OK;
}

static void
smith_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)state;
	(void)why;
	if (plan.in_stop)
		plan.blow(self);
}

static const struct tr_behavior smith = {
	.name = "smith",
	.receive = smith_receive,
	.stop = smith_stop,
	.protocol = &forge_protocol,
};

static int
master_start(struct tr_self *self, void *state, const void *arg)
{
	forge_ref to = forge_of(tr_spawn(self, plan.smith, NULL, NULL));

	(void)state;
	(void)arg;
	for (int i = 0; i < HEATS; i++)
		(void)forge_send_heat(self, to,
		    (struct forge_heat){ .degrees = i });
	return forge_send_strike(self, to);
}

static const struct tr_behavior master = {
	.name = "master",
	.start = master_start,
	.receive = kit_ignore,
};

/* A system whose smith strikes; it has to end the process. */
static void
run_forge(void)
{
	struct tr_system *sys;

	KIT_CHECK(tr_system_new(&sys, &plan.options) == TR_OK);
	KIT_CHECK(tr_ref_valid(tr_system_spawn(sys, &master, NULL, NULL)));
	KIT_CHECK(tr_system_run(sys, NULL) == TR_OK);
}

static void
plan_for(void (*blow)(struct tr_self *self))
{
	memset(&plan, 0, sizeof(plan));
	plan.blow = blow;
	plan.smith = &smith;
	plan.options = (struct tr_options){
		.workers = 1,
		.fault_report = true,
		.fault_messages = 64,
	};
}

/* --------------------------------------------------------------- blows --- */

/* A place that nobody may touch. */
static volatile int *forbidden;

static void
touch(struct tr_self *self)
{
	(void)self;
	*forbidden = 1;
}

static void
touch_beyond_a_file(struct tr_self *self)
{
	int fd = memfd_create("empty", 0);
	volatile int *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

	(void)self;
	KIT_CHECK(p != MAP_FAILED);
	(void)*p;
}

static void
raise_fpe(struct tr_self *self)
{
	(void)self;
	(void)raise(SIGFPE);
}

static void
raise_ill(struct tr_self *self)
{
	(void)self;
	(void)raise(SIGILL);
}

static void
abort_it(struct tr_self *self)
{
	(void)self;
	abort();
}

static void
assert_false_thing(struct tr_self *self)
{
	TR_ASSERT(self == NULL);
}

static void
misuse(struct tr_self *self)
{
	(void)tr_send(self + 1, TR_REF_NONE, 0, NULL, 0);
}

static volatile bool enough; /* never */

/* Deeper than any stack; each level needs the one below it. */
static int
dig(volatile char *above)
{
	volatile char here[4096];

	here[0] = (char)(above[0] + 1);
	return enough ? 0 : dig(here) + here[0];
}

static void
overflow_the_stack(struct tr_self *self)
{
	volatile char top[1] = { 0 };

	(void)self;
	KIT_CHECK(dig(top) != 0);
}

/* ------------------------------------------------------- what it says ---- */

static void
a_fault_names_actor_message_and_the_last_ones_before(void **unused)
{
	char words[80];
	const char *at;

	(void)unused;
	plan_for(touch);
	must_end_by(SIGSEGV, run_forge, said);
	(void)snprintf(words, sizeof(words),
	    "troupe: SIGSEGV at address 0x%" PRIxPTR ", thread ",
	    (uintptr_t)forbidden);
	at = must_say(said, words);
	assert_true(at == said);
	at = must_say(at, ": worker 0 of system 1\n");
	at = must_say(at, "troupe: worker 0 of system 1: actor smith (");
	at = must_say(at, ") handles message ");
	at = must_say(at, " strike from master (");
	at = must_say(at,
	    "troupe: the last 12 messages of worker 0 of system 1");
	at = must_say(at, " before: smith (");
	at = must_say(at, ", message ");
	at = must_say(at, " strike from ");
	for (int i = 0; i < HEATS; i++)
		at = must_say(at + 1, " heat from ");
	at = must_say(at, " before: master (");
	(void)must_say(at, ", start\n");
	assert_int_equal(times_said(said, " strike from "), 2);
	assert_int_equal(times_said(said, " heat from "), HEATS);
}

static void
of_more_messages_the_last_ones_are_remembered(void **unused)
{
	(void)unused;
	plan_for(touch);
	plan.options.fault_messages = 3; /* rounded up */
	must_end_by(SIGSEGV, run_forge, said);
	(void)must_say(said, "troupe: the last 4 messages of worker 0");
	assert_int_equal(times_said(said, " before: "), 4);
	assert_int_equal(times_said(said, " heat from "), 3);
}

static void
without_a_recorder_it_says_what_is_in_hand(void **unused)
{
	(void)unused;
	plan_for(touch);
	plan.options.fault_messages = 0;
	must_end_by(SIGSEGV, run_forge, said);
	(void)must_say(said, "actor smith (");
	assert_null(strstr(said, "the last"));
	assert_int_equal(times_said(said, "\n"), 2);
}

static void
a_fault_in_stop_is_told_as_such(void **unused)
{
	(void)unused;
	plan_for(touch);
	plan.in_stop = true;
	must_end_by(SIGSEGV, run_forge, said);
	(void)must_say(said, ") in its stop()\n");
}

static void
each_deadly_signal_is_reported_and_ends_the_process(void **unused)
{
	static const struct {
		int signo;
		void (*blow)(struct tr_self *self);
		const char *words;
	} cases[] = {
		{ SIGSEGV, touch, "troupe: SIGSEGV at address 0x" },
		{ SIGBUS, touch_beyond_a_file, "troupe: SIGBUS at address 0x" },
		{ SIGFPE, raise_fpe, "troupe: SIGFPE, thread " },
		{ SIGILL, raise_ill, "troupe: SIGILL, thread " },
		{ SIGABRT, abort_it, "troupe: SIGABRT, thread " },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		plan_for(cases[i].blow);
		must_end_by(cases[i].signo, run_forge, said);
		(void)must_say(said, cases[i].words);
		(void)must_say(said, "actor smith (");
		assert_int_equal(times_said(said, "the last 12 messages"), 1);
	}
}

static void
an_assertion_is_told_first_and_once(void **unused)
{
	const char *at;

	(void)unused;
	plan_for(assert_false_thing);
	must_end_by(SIGABRT, run_forge, said);
	at = must_say(said, "assertion failed: self == NULL\n");
	at = must_say(at, "troupe: SIGABRT, thread ");
	(void)must_say(at, "actor smith (");
	assert_int_equal(times_said(said, "assertion failed"), 1);
	assert_int_equal(times_said(said, "SIGABRT"), 1);
}

static void
a_misuse_is_told_first_and_once(void **unused)
{
	const char *at;

	(void)unused;
	plan_for(misuse);
	must_end_by(SIGABRT, run_forge, said);
	at = must_say(said, "tr_send: called outside of its actor's turn");
	at = must_say(at, "troupe: SIGABRT, thread ");
	(void)must_say(at, "actor smith (");
	assert_int_equal(times_said(said, "called outside"), 1);
	assert_int_equal(times_said(said, "SIGABRT"), 1);
}

static void
a_stack_that_overflows_is_reported_from_another(void **unused)
{
	(void)unused;
	plan_for(overflow_the_stack);
	must_end_by(SIGSEGV, run_forge, said);
	(void)must_say(said, "actor smith (");
	(void)must_say(said, "the last 12 messages");
}

/* Not the caller's thread: it blocks most signals, and its stack is ours. */
static void
run_on_second_worker(void)
{
	const struct tr_spawn_options second = {
		.placement = TR_PLACE_WORKER,
		.worker = 1,
	};
	struct tr_system *sys;
	tr_ref ref;

	KIT_CHECK(tr_system_new(&sys, &plan.options) == TR_OK);
	ref = tr_system_spawn(sys, &smith, NULL, &second);
	KIT_CHECK(forge_post_strike(sys, forge_of(ref)) == TR_OK);
	KIT_CHECK(tr_system_run(sys, NULL) == TR_OK);
}

static void
a_fault_on_a_thread_of_the_library_is_reported_likewise(void **unused)
{
	static const struct {
		int signo;
		void (*blow)(struct tr_self *self);
	} cases[] = {
		{ SIGSEGV, touch },
		{ SIGSEGV, overflow_the_stack },
		{ SIGFPE, raise_fpe },
		{ SIGABRT, abort_it },
		{ SIGABRT, misuse },
	};
	const char *at;

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		plan_for(cases[i].blow);
		plan.options.workers = 2;
		must_end_by(cases[i].signo, run_on_second_worker, said);
		at = must_say(said, ": worker 1 of system 1\n");
		at = must_say(at, "worker 1 of system 1: actor smith (");
		at = must_say(at, " handles message ");
		at = must_say(at, " strike\n");
		at = must_say(at, "worker 0 of system 1: ");
		at = must_say(at, "the last 1 message of worker 1 ");
		(void)must_say(at, "smith (");
	}
}

/* -------------------------------------------------------- many threads --- */

static void
touch_with_all(struct tr_self *self)
{
	(void)self;
	atomic_fetch_add(&plan.ready, 1);
	while (atomic_load(&plan.ready) < 2)
		continue;
	*forbidden = 1;
}

static void
run_two_smiths(void)
{
	const struct tr_spawn_options second = {
		.placement = TR_PLACE_WORKER,
		.worker = 1,
	};
	const struct tr_spawn_options first = { .placement = TR_PLACE_PINNED };
	struct tr_system *sys;
	tr_ref a, b;

	KIT_CHECK(tr_system_new(&sys, &plan.options) == TR_OK);
	a = tr_system_spawn(sys, &smith, NULL, &first);
	b = tr_system_spawn(sys, &smith, NULL, &second);
	KIT_CHECK(forge_post_strike(sys, forge_of(a)) == TR_OK);
	KIT_CHECK(forge_post_strike(sys, forge_of(b)) == TR_OK);
	KIT_CHECK(tr_system_run(sys, NULL) == TR_OK);
}

static void
of_several_faults_at_once_one_is_reported(void **unused)
{
	(void)unused;
	for (int i = 0; i < 20; i++) {
		plan_for(touch_with_all);
		plan.options.workers = 2;
		must_end_by(SIGSEGV, run_two_smiths, said);
		assert_int_equal(times_said(said, "SIGSEGV"), 1);
		/* Both are named: one faults, the other is at it. */
		(void)must_say(said, "worker 0 of system 1: actor smith (");
		(void)must_say(said, "worker 1 of system 1: actor smith (");
		assert_null(strstr(said, "a fault in this report"));
	}
}

static atomic_bool waits;

static int
waiter_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)self;
	(void)state;
	(void)msg;
	atomic_store(&waits, true);
	while (atomic_load(&waits))
		kit_nap();
	return TR_OK;
}

static const struct tr_behavior waiter = {
	.name = "waiter",
	.receive = waiter_receive,
	.protocol = &forge_protocol,
};

/* A fault on the test's own thread, beside two systems. */
static void
run_foreign(void)
{
	struct kit k, other;
	tr_ref ref;

	atomic_store(&waits, false);
	kit_new_with(&k, plan.options);
	kit_new_with(&other, plan.options);
	ref = tr_system_spawn(k.sys, &waiter, NULL, NULL);
	KIT_CHECK(forge_post_strike(k.sys, forge_of(ref)) == TR_OK);
	kit_begin(&k);
	while (!atomic_load(&waits))
		kit_nap();
	*forbidden = 1;
}

static void
a_fault_on_a_foreign_thread_says_so_and_what_the_workers_do(void **unused)
{
	(void)unused;
	plan_for(NULL);
	must_end_by(SIGSEGV, run_foreign, said);
	(void)must_say(said, ": not a worker's thread\n");
	(void)must_say(said, "worker 0 of system 1: actor waiter (");
	(void)must_say(said, " strike, runs for ");
	(void)must_say(said, "worker 0 of system 2: between two actors\n");
	assert_null(strstr(said, "the last"));
}

static void
run_until_killed(void)
{
	struct tr_system *sys;

	KIT_CHECK(tr_system_new(&sys, &plan.options) == TR_OK);
	if (fork() == 0) {
		/* It may not use the library, and need not. */
		(void)kill(getppid(), SIGSEGV);
		_exit(0);
	}
	for (;;)
		(void)pause();
}

static void
a_signal_from_another_process_names_it(void **unused)
{
	(void)unused;
	plan_for(NULL);
	must_end_by(SIGSEGV, run_until_killed, said);
	(void)must_say(said, "troupe: SIGSEGV from process ");
	(void)must_say(said, ": not a worker's thread\n");
}

/* ------------------------------------------------- a broken report ------- */

static void
a_fault_in_the_report_ends_it_and_nothing_loops(void **unused)
{
	static struct tr_behavior broken;

	(void)unused;
	broken = smith;
	broken.name = (const char *)(uintptr_t)forbidden;
	plan_for(touch);
	plan.smith = &broken;
	must_end_by(SIGSEGV, run_forge, said);
	assert_true(must_say(said, "troupe: SIGSEGV at address") == said);
#ifndef TEST_TSAN /* its handlers block all signals: the kernel ends it */
	(void)must_say(said, "troupe: a fault in this report ends it\n");
#endif
	assert_int_equal(times_said(said, "SIGSEGV"), 1);
}

static void
close_stderr(struct tr_self *self)
{
	int end[2];

	(void)signal(SIGPIPE, SIG_DFL);
	KIT_CHECK(pipe(end) == 0);
	(void)close(end[0]);
	(void)dup2(end[1], STDERR_FILENO);
	touch(self);
}

static void
nobody_who_reads_it_is_no_other_end(void **unused)
{
	(void)unused;
	plan_for(close_stderr);
	must_end_by(SIGSEGV, run_forge, said); /* and not SIGPIPE */
	assert_string_equal(said, "");
}

/* ------------------------------------------------- handlers of others ---- */

static void
own_handler(int signo, siginfo_t *info, void *context)
{
	static const char text[] = "the program's own\n";

	(void)context;
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(1);
	if (signo == SIGABRT)
		return; /* abort() goes on */
	_exit(info->si_addr == (const volatile void *)forbidden ? 42 : 43);
}

static void
own_installed(int signo)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = own_handler;
	action.sa_flags = SA_SIGINFO;
	KIT_CHECK(sigaction(signo, &action, NULL) == 0);
}

static void
run_with_own_handlers(void)
{
	own_installed(SIGSEGV);
	own_installed(SIGABRT);
	run_forge();
}

static void
the_programs_handler_comes_after_the_report(void **unused)
{
	const char *at;
	int status;

	(void)unused;
	plan_for(touch);
	status = child_status(run_with_own_handlers, said);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42); /* it saw the address */
	at = must_say(said, "the last 12 messages");
	(void)must_say(at, "the program's own\n");
	plan_for(abort_it);
	must_end_by(SIGABRT, run_with_own_handlers, said);
	at = must_say(said, "the last 12 messages");
	(void)must_say(at, "the program's own\n");
	assert_int_equal(times_said(said, "the program's own\n"), 1);
}

static void
who_does_not_ask_gets_no_report(void **unused)
{
	(void)unused;
	plan_for(touch);
	plan.options.fault_report = false;
	must_end_by(SIGSEGV, run_forge, said);
	assert_string_equal(said, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(a_fault_names_actor_message_and_the_last_ones_before),
		KIT_TEST(of_more_messages_the_last_ones_are_remembered),
		KIT_TEST(without_a_recorder_it_says_what_is_in_hand),
		KIT_TEST(a_fault_in_stop_is_told_as_such),
		KIT_TEST(each_deadly_signal_is_reported_and_ends_the_process),
		KIT_TEST(an_assertion_is_told_first_and_once),
		KIT_TEST(a_misuse_is_told_first_and_once),
		KIT_TEST(a_stack_that_overflows_is_reported_from_another),
		KIT_TEST(
		    a_fault_on_a_thread_of_the_library_is_reported_likewise),
		KIT_TEST(of_several_faults_at_once_one_is_reported),
		KIT_TEST(
		    a_fault_on_a_foreign_thread_says_so_and_what_the_workers_do),
		KIT_TEST(a_signal_from_another_process_names_it),
		KIT_TEST(a_fault_in_the_report_ends_it_and_nothing_loops),
		KIT_TEST(nobody_who_reads_it_is_no_other_end),
		KIT_TEST(the_programs_handler_comes_after_the_report),
		KIT_TEST(who_does_not_ask_gets_no_report),
	};

	forbidden =
	    mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (forbidden == MAP_FAILED)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
