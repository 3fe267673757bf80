/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A system's allocator: what is asked of it, and what a refusal does to the
 * functions that are called outside a turn.
 */
#include <signal.h>

#include "rig_faults.h"

enum { NOTE, LARGE = 100000 };

static const struct tr_allocator counted = { fault_alloc, fault_free, &faults };

/* ------------------------------------------------------- a whole run ---- */

static int
guest_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	return tr_reply(self, msg, NOTE, tr_data(msg, 0), tr_size(msg));
}

static const struct tr_behavior guest = {
	.name = "guest",
	.state_size = LARGE,
	.receive = guest_receive,
};

static int
host_start(struct tr_self *self, void *state, const void *arg)
{
	static const char data[LARGE];
	tr_ref ref = tr_spawn(self, &guest, NULL,
	    &(struct tr_spawn_options){ .name = "guest" });

	(void)state;
	(void)arg;
	return tr_send(self, ref, NOTE, data, sizeof(data));
}

static int
host_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	assert_int_equal(tr_size(msg), LARGE);
	return tr_exit(self, TR_NORMAL);
}

/* It stays on worker 0, the test's thread. */
static const struct tr_behavior host = {
	.name = "host",
	.start = host_start,
	.receive = host_receive,
};

static void
allocator_serves_a_whole_run_and_gets_all_back(void **unused)
{
	(void)unused;
	faults_begin();
	assert_int_equal(tr_run(&host, NULL,
			     &(struct tr_options){ .workers = 1,
				 .allocator = &counted }),
	    TR_OK);
	assert_true(faults.slabs > 0);
	/* State, message and answer are larger than any slab's block. */
	assert_true(faults.calls[FAULT_ALLOC] > faults.slabs + 3);
	faults_over();
}

static void
without_any_memory_nothing_runs(void **unused)
{
	(void)unused;
	faults_begin();
	faults_refuse_all(FAULT_ALLOC, true);
	assert_int_equal(tr_run(&host, NULL,
			     &(struct tr_options){ .allocator = &counted }),
	    TR_ENOMEM);
	assert_int_equal(faults.calls[FAULT_ALLOC], 1);
	faults_over();
}

static void
allocator_may_be_forgotten_once_the_system_is_made(void **unused)
{
	struct tr_allocator mine = counted;
	struct tr_options options = { .workers = 1, .allocator = &mine };
	struct tr_system *sys;
	tr_ref ref;

	(void)unused;
	faults_begin();
	assert_int_equal(tr_system_new(&sys, &options), TR_OK);
	memset(&mine, 0xff, sizeof(mine));
	memset(&options, 0xff, sizeof(options));
	ref = tr_system_spawn(sys, &guest, NULL, NULL);
	assert_true(tr_ref_valid(ref));
	assert_int_equal(tr_post(sys, ref, NOTE, "x", 1), TR_OK);
	assert_int_equal(tr_system_free(sys), TR_OK);
	faults_over();
}

static void
allocator_without_one_of_its_functions_is_refused(void **unused)
{
	struct tr_allocator half[] = { { NULL, fault_free, &faults },
		{ fault_alloc, NULL, &faults } };
	struct tr_system *sys;

	(void)unused;
	faults_begin();
	for (int i = 0; i < 2; i++) {
		assert_int_equal(tr_system_new(&sys,
				     &(struct tr_options){
					 .allocator = &half[i] }),
		    TR_EINVAL);
		assert_null(sys);
	}
	assert_int_equal(faults.calls[FAULT_ALLOC], 0);
}

/* --------------------------------------------- each with one of its own - */

/* fault_free() looks whether a block comes back to where it is from. */
static void
each_system_keeps_to_its_own_allocator(void **unused)
{
	static const char data[LARGE];
	int owner[2];
	struct tr_system *sys[2];
	tr_ref ref[2];

	(void)unused;
	faults_begin();
	for (int i = 0; i < 2; i++) {
		struct tr_allocator a = { fault_alloc, fault_free, &owner[i] };

		assert_int_equal(tr_system_new(&sys[i],
				     &(struct tr_options){ .workers = 2,
					 .allocator = &a }),
		    TR_OK);
		ref[i] = tr_system_spawn(sys[i], &guest, NULL,
		    &(struct tr_spawn_options){ .name = "guest" });
		assert_true(tr_ref_valid(ref[i]));
	}
	for (int i = 0; i < 20; i++)
		for (int k = 0; k < 2; k++) {
			assert_int_equal(tr_post(sys[k], ref[k], NOTE, data,
					     i % 2 == 0 ? LARGE : 100),
			    TR_OK);
			/* To an actor of the other system: a dead letter. */
			assert_int_equal(tr_post(sys[k], ref[1 - k], NOTE, data,
					     LARGE),
			    TR_OK);
		}
	for (int i = 0; i < 2; i++)
		assert_int_equal(tr_system_free(sys[i]), TR_OK);
	faults_over();
}

/* ------------------------------------------------- outside of any turn -- */

static void
dump_needs_memory_for_its_text_and_does_without_names(void **unused)
{
	char text[4096];
	struct tr_system *sys;
	int fd[2];
	ssize_t n;

	(void)unused;
	faults_begin();
	sys = faults_system_made(&(struct tr_options){ .workers = 1 });
	assert_true(tr_ref_valid(tr_system_spawn(sys, &guest, NULL,
	    &(struct tr_spawn_options){ .name = "somebody" })));
	assert_int_equal(pipe(fd), 0);
	faults_refuse_all(FAULT_ALLOC, true);
	assert_int_equal(tr_dump(sys, fd[1]), TR_ENOMEM);
	faults_refuse(FAULT_ALLOC, faults.calls[FAULT_ALLOC] + 2, 1);
	assert_int_equal(tr_dump(sys, fd[1]), TR_OK);
	n = read(fd[0], text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = '\0';
	assert_non_null(strstr(text, "guest"));
	assert_null(strstr(text, "somebody"));
	assert_non_null(strstr(text, "1 actors listed"));
	close(fd[0]);
	close(fd[1]);
	assert_int_equal(tr_system_free(sys), TR_OK);
	faults_over();
}

static void
signal_without_memory_is_refused_and_can_be_asked_for_again(void **unused)
{
	struct sigaction before, after;
	struct tr_system *sys;
	unsigned long first;
	int rc, refused = 0;

	(void)unused;
	faults_begin();
	assert_int_equal(sigaction(SIGUSR1, NULL, &before), 0);
	sys = faults_system_made(&(struct tr_options){ .workers = 1 });
	first = faults.calls[FAULT_ALLOC];
	do {
		/* The first of its allocations, then the second. */
		faults_refuse(FAULT_ALLOC,
		    faults.calls[FAULT_ALLOC] + 1 + (unsigned long)refused, 1);
		rc = tr_signal_send(sys, SIGUSR1, TR_REF_NONE, NOTE);
		if (rc != TR_OK) {
			assert_int_equal(rc, TR_ENOMEM);
			refused++;
		}
	} while (rc != TR_OK);
	assert_int_equal(refused, 2);
	assert_true(faults.calls[FAULT_ALLOC] > first);
	assert_int_equal(tr_signal_send(sys, SIGUSR1, TR_REF_NONE, NOTE),
	    TR_EEXIST);
	assert_int_equal(tr_system_free(sys), TR_OK);
	assert_int_equal(sigaction(SIGUSR1, NULL, &after), 0);
	assert_ptr_equal(before.sa_handler, after.sa_handler);
	faults_over();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(allocator_serves_a_whole_run_and_gets_all_back),
		KIT_TEST(without_any_memory_nothing_runs),
		KIT_TEST(allocator_may_be_forgotten_once_the_system_is_made),
		KIT_TEST(allocator_without_one_of_its_functions_is_refused),
		KIT_TEST(each_system_keeps_to_its_own_allocator),
		KIT_TEST(dump_needs_memory_for_its_text_and_does_without_names),
		KIT_TEST(
		    signal_without_memory_is_refused_and_can_be_asked_for_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
