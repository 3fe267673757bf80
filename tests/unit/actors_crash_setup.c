/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the report of a fault needs, from a system's beginning to its end:
 * handlers of the process, a signal stack for each worker, memory.
 */
#include <signal.h>

#include "actors/flight.h"
#include "actors/system.h"
#include "rig_faults.h"

/* ------------------------------------------------------------ handlers --- */

static struct sigaction
handler_of(int signo)
{
	struct sigaction action;

	assert_int_equal(sigaction(signo, NULL, &action), 0);
	return action;
}

static void
handlers_are_installed_once_and_go_with_the_last_system(void **unused)
{
	const struct tr_options asked = { .workers = 1, .fault_report = true };
	const struct tr_options silent = { .workers = 1 };
	static const int signos[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL,
		SIGABRT };
	struct tr_system *a, *b, *c;
	struct sigaction ours;

	(void)unused;
	for (size_t i = 0; i < sizeof(signos) / sizeof(signos[0]); i++) {
		struct sigaction before = handler_of(signos[i]);

		assert_int_equal(tr_system_new(&c, &silent), TR_OK);
		assert_ptr_equal(handler_of(signos[i]).sa_sigaction,
		    before.sa_sigaction);
		assert_int_equal(tr_system_new(&a, &asked), TR_OK);
		ours = handler_of(signos[i]);
		assert_ptr_not_equal(ours.sa_sigaction, before.sa_sigaction);
		assert_int_equal(tr_system_new(&b, &asked), TR_OK);
		assert_int_equal(tr_system_free(a), TR_OK);
		assert_ptr_equal(handler_of(signos[i]).sa_sigaction,
		    ours.sa_sigaction);
		assert_int_equal(tr_system_free(b), TR_OK);
		assert_ptr_equal(handler_of(signos[i]).sa_sigaction,
		    before.sa_sigaction);
		assert_int_equal(handler_of(signos[i]).sa_flags,
		    before.sa_flags);
		assert_int_equal(tr_system_free(c), TR_OK);
	}
}

static void
a_handler_that_came_later_stays(void **unused)
{
	const struct tr_options asked = { .workers = 1, .fault_report = true };
	struct sigaction before = handler_of(SIGILL), ours;
	struct tr_system *sys;

	(void)unused;
	assert_int_equal(tr_system_new(&sys, &asked), TR_OK);
	ours = handler_of(SIGILL);
	(void)signal(SIGILL, SIG_IGN);
	assert_int_equal(tr_system_free(sys), TR_OK);
	assert_true(handler_of(SIGILL).sa_handler == SIG_IGN);
	/* Somebody puts ours back, and then the next system comes and goes. */
	assert_int_equal(sigaction(SIGILL, &ours, NULL), 0);
	assert_int_equal(tr_system_new(&sys, &asked), TR_OK);
	assert_int_equal(tr_system_free(sys), TR_OK);
	assert_ptr_equal(handler_of(SIGILL).sa_sigaction, before.sa_sigaction);
}

/* ----------------------------------------------------- what it needs ----- */

static int
stops_at_once(struct tr_self *self, void *state, const void *arg)
{
	(void)state;
	(void)arg;
	return kit_finish(self);
}

static const struct tr_behavior brief = {
	.name = "brief",
	.start = stops_at_once,
	.receive = kit_ignore,
};

static void
the_callers_thread_has_its_signal_stack_back(void **unused)
{
	const struct tr_options asked = { .workers = 2, .fault_report = true };
	static char room[1 << 16];
	const stack_t own[] = {
		{ .ss_sp = room, .ss_size = sizeof(room) },
		{ .ss_flags = SS_DISABLE },
	};
	stack_t before, after;
	struct kit k;

	(void)unused;
	assert_int_equal(sigaltstack(NULL, &before), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(sigaltstack(&own[i], NULL), 0);
		kit_new_with(&k, asked);
		(void)kit_root(&k, &brief, NULL);
		kit_run(&k);
		assert_int_equal(sigaltstack(NULL, &after), 0);
		assert_int_equal(after.ss_flags, own[i].ss_flags);
		assert_ptr_equal(after.ss_sp, own[i].ss_sp);
	}
	assert_int_equal(sigaltstack(&before, NULL), 0);
}

/* With the n-th request of a kind refused; true: there was one. */
static bool
refused_at(enum fault kind, unsigned long n)
{
	const struct tr_options asked = {
		.workers = 2,
		.max_actors = 1 << 16, /* tables are not made smaller */
		.fault_report = true,
		.fault_messages = 64,
	};
	struct sigaction before = handler_of(SIGSEGV);
	struct tr_system *sys;
	bool hit;
	int rc;

	faults_begin();
	faults_refuse(kind, n, 1);
	rc = faults_system(&sys, &asked);
	hit = atomic_load(&faults.calls[kind]) >= n;
	if (rc == TR_OK)
		assert_int_equal(tr_system_free(sys), TR_OK);
	else
		assert_int_equal(rc, TR_ENOMEM);
	faults_over();
	assert_int_equal(rc == TR_OK, !hit);
	assert_ptr_equal(handler_of(SIGSEGV).sa_sigaction, before.sa_sigaction);
	return hit;
}

static void
without_memory_for_it_a_system_is_refused(void **unused)
{
	static const enum fault kinds[] = { FAULT_ALLOC, FAULT_RESERVE,
		FAULT_COMMIT };

	(void)unused;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		unsigned long n = 1;

		while (refused_at(kinds[i], n))
			n++;
		/* For each worker a stack, or a recorder, at least. */
		assert_true(n > 2);
	}
}

static void
a_recorder_out_of_range_is_refused(void **unused)
{
	struct tr_options options = { .workers = 1 };
	struct tr_system *sys;

	(void)unused;
	options.fault_messages = TRI_FLIGHT_MAX;
	assert_int_equal(tr_system_new(&sys, &options), TR_OK);
	assert_int_equal(tr_system_free(sys), TR_OK);
	options.fault_messages = TRI_FLIGHT_MAX + 1;
	assert_int_equal(tr_system_new(&sys, &options), TR_EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(
		    handlers_are_installed_once_and_go_with_the_last_system),
		KIT_TEST(a_handler_that_came_later_stays),
		KIT_TEST(the_callers_thread_has_its_signal_stack_back),
		KIT_TEST(without_memory_for_it_a_system_is_refused),
		KIT_TEST(a_recorder_out_of_range_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
