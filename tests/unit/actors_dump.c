/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tr_dump() to descriptors that are slow, full, closed or broken: an error, or
 * patience; the system goes on meanwhile, and no lock is held.
 */
#include "kit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>

enum { PING, NAME, MANY = 3000 };

/* Far more text than a pipe holds, and somebody at work. */
struct town {
	struct kit k;
	atomic_ullong rounds;
	atomic_bool over, named;
};

static int
walker_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct town *t = kit_ctx(state);

	if (tr_tag(msg) == NAME) {
		assert_int_equal(tr_register(self, "walker"), TR_OK);
		atomic_store(&t->named, true);
	} else if (!atomic_load(&t->over)) {
		atomic_fetch_add(&t->rounds, 1);
		kit_tell(self, tr_self_ref(self), PING);
	}
	return TR_OK;
}

static const struct tr_behavior walker = {
	.name = "walker",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = walker_receive,
};

static tr_ref
town_begin(struct town *t)
{
	tr_ref ref;

	memset(t, 0, sizeof(*t));
	kit_new(&t->k, 2);
	for (int i = 0; i < MANY; i++) {
		char name[16];

		/* Half of them have a name. */
		snprintf(name, sizeof(name), "n%d", i);
		assert_true(
		    tr_ref_valid(tr_system_spawn(t->k.sys, &kit_idler, NULL,
			&(struct tr_spawn_options){
			    .name = i % 2 == 0 ? name : NULL })));
	}
	ref = tr_system_spawn(t->k.sys, &walker, t, NULL);
	assert_int_equal(tr_post(t->k.sys, ref, PING, NULL, 0), TR_OK);
	kit_begin(&t->k);
	return ref;
}

static void
town_end(struct town *t)
{
	atomic_store(&t->over, true);
	kit_stop(&t->k);
}

/* The system is at work: wait until it has done some more. */
static void
town_goes_on(struct town *t)
{
	unsigned long long before = atomic_load(&t->rounds);

	while (atomic_load(&t->rounds) < before + 1000)
		kit_nap();
}

static void
a_reader_that_has_gone_is_an_error(void **unused)
{
	static struct town t;
	sigset_t pending;
	int end[2];

	(void)unused;
	(void)town_begin(&t);
	assert_int_equal(pipe(end), 0);
	assert_int_equal(close(end[0]), 0);
	/* SIGPIPE would end the test. */
	assert_int_equal(tr_dump(t.k.sys, end[1]), -EPIPE);
	assert_int_equal(close(end[1]), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, end), 0);
	assert_int_equal(close(end[0]), 0);
	assert_int_equal(tr_dump(t.k.sys, end[1]), -EPIPE);
	assert_int_equal(close(end[1]), 0);
	assert_int_equal(sigpending(&pending), 0);
	assert_int_equal(sigismember(&pending, SIGPIPE), 0);
	town_goes_on(&t);
	town_end(&t);
}

/* A SIGPIPE of the program's own stays what it was. */
static void
a_signal_that_waits_goes_on_waiting(void **unused)
{
	static struct town t;
	sigset_t pipes, before, pending;
	int end[2], signo;

	(void)unused;
	(void)town_begin(&t);
	sigemptyset(&pipes);
	sigaddset(&pipes, SIGPIPE);
	assert_int_equal(pthread_sigmask(SIG_BLOCK, &pipes, &before), 0);
	assert_int_equal(raise(SIGPIPE), 0);
	assert_int_equal(pipe(end), 0);
	assert_int_equal(close(end[0]), 0);
	assert_int_equal(tr_dump(t.k.sys, end[1]), -EPIPE);
	assert_int_equal(close(end[1]), 0);
	assert_int_equal(sigpending(&pending), 0);
	assert_int_equal(sigismember(&pending, SIGPIPE), 1);
	assert_int_equal(sigwait(&pipes, &signo), 0);
	assert_int_equal(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
	town_end(&t);
}

static void
full_disks_and_bad_descriptors_are_errors(void **unused)
{
	static struct town t;
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	int read_only = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)unused;
	assert_true(full >= 0 && read_only >= 0);
	(void)town_begin(&t);
	assert_int_equal(tr_dump(t.k.sys, full), -ENOSPC);
	assert_int_equal(tr_dump(t.k.sys, read_only), -EBADF);
	assert_int_equal(tr_dump(t.k.sys, -1), -EBADF);
	assert_int_equal(close(full), 0);
	assert_int_equal(close(read_only), 0);
	assert_int_equal(tr_dump(t.k.sys, read_only), -EBADF);
	town_goes_on(&t);
	town_end(&t);
}

static void
a_full_pipe_that_may_not_block_is_an_error(void **unused)
{
	static struct town t;
	char text[64] = "";
	int end[2];

	(void)unused;
	(void)town_begin(&t);
	assert_int_equal(pipe2(end, O_NONBLOCK), 0);
	assert_int_equal(tr_dump(t.k.sys, end[1]), -EAGAIN);
	/* What fitted is the beginning of the text. */
	assert_true(read(end[0], text, sizeof(text) - 1) > 0);
	assert_int_equal(strncmp(text, "system ", 7), 0);
	assert_int_equal(close(end[0]), 0);
	assert_int_equal(close(end[1]), 0);
	town_goes_on(&t);
	town_end(&t);
}

struct dumper {
	struct town *town;
	int fd;
	int rc;
	atomic_bool done;
};

static void *
dumper_main(void *arg)
{
	struct dumper *d = arg;

	d->rc = tr_dump(d->town->k.sys, d->fd);
	atomic_store(&d->done, true);
	return NULL;
}

/* Wait until nothing more fits into a pipe. */
static void
await_full(int fd)
{
	char byte = 0;
	int flags = fcntl(fd, F_GETFL);

	assert_int_equal(fcntl(fd, F_SETFL, flags | O_NONBLOCK), 0);
	while (write(fd, &byte, 1) == 1)
		continue;
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(fcntl(fd, F_SETFL, flags), 0);
}

/*
 * The writer hangs in a full pipe.  Names can be given and looked up, actors
 * are born, messages go on, others can dump; then the reader goes.
 */
static void
nothing_waits_for_a_reader_that_does_not_read(void **unused)
{
	static struct town t;
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC), end[2];
	struct dumper d = { .town = &t };
	tr_ref walkers = town_begin(&t);
	pthread_t thread;

	(void)unused;
	assert_true(null >= 0);
	assert_int_equal(pipe(end), 0);
	await_full(end[1]);
	d.fd = end[1];
	assert_int_equal(pthread_create(&thread, NULL, dumper_main, &d), 0);
	for (int i = 0; i < 20; i++)
		kit_nap();
	town_goes_on(&t);
	assert_int_equal(tr_post(t.k.sys, walkers, NAME, NULL, 0), TR_OK);
	while (!atomic_load(&t.named))
		kit_nap();
	assert_true(tr_ref_equal(tr_whereis(t.k.sys, "walker"), walkers));
	assert_true(
	    tr_ref_valid(tr_system_spawn(t.k.sys, &kit_idler, NULL, NULL)));
	assert_int_equal(tr_dump(t.k.sys, null), TR_OK);
	town_goes_on(&t);
	assert_false(atomic_load(&d.done));
	assert_int_equal(close(end[0]), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(d.rc, -EPIPE);
	assert_int_equal(close(end[1]), 0);
	assert_int_equal(close(null), 0);
	town_end(&t);
}

static void
a_slow_reader_gets_all_of_it(void **unused)
{
	static struct town t;
	static char text[1 << 20];
	size_t used = 0, actors = 0;
	struct dumper d = { .town = &t };
	pthread_t thread;
	ssize_t n;
	int end[2];

	(void)unused;
	(void)town_begin(&t);
	assert_int_equal(pipe(end), 0);
	d.fd = end[1];
	assert_int_equal(pthread_create(&thread, NULL, dumper_main, &d), 0);
	while (used == 0 || strstr(text, " actors listed\n") == NULL) {
		n = read(end[0], text + used, 1000);
		assert_true(n > 0);
		used += (size_t)n;
		assert_true(used < sizeof(text) - 1000);
		text[used] = '\0';
		if (used % 16 == 0)
			sched_yield();
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(d.rc, TR_OK);
	for (const char *p = text; (p = strstr(p, "\nactor ")) != NULL; p++)
		actors++;
	assert_int_equal(actors, MANY + 1);
	assert_non_null(strstr(text, " name n1000 behavior idler "));
	assert_non_null(strstr(text, " name - behavior walker "));
	assert_int_equal(close(end[0]), 0);
	assert_int_equal(close(end[1]), 0);
	town_end(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(a_reader_that_has_gone_is_an_error),
		KIT_TEST(a_signal_that_waits_goes_on_waiting),
		KIT_TEST(full_disks_and_bad_descriptors_are_errors),
		KIT_TEST(a_full_pipe_that_may_not_block_is_an_error),
		KIT_TEST(nothing_waits_for_a_reader_that_does_not_read),
		KIT_TEST(a_slow_reader_gets_all_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
