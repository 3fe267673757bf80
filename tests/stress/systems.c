/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * systems: made, run and freed by several threads at once.
 *
 * Each thread runs one system after the other: some of several workers, some
 * that never run, some with posts waiting.  Every one ends well, numbers and
 * descriptors are given back.
 */
#define KIT_STRESS
#include <dirent.h>

#include "kit.h"

enum {
	THREADS = 4,
	ROUNDS = TEST_SCALE(600),
	VISITORS = 8,
	SYSTEMS = 63,
};

enum { NOTE, DONE };

struct maker {
	pthread_t thread;
	unsigned workers; /* at most */
	uint64_t seed;
	unsigned answered, expected;
};

static int
visitor_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	return tr_reply(self, msg, DONE, NULL, 0);
}

static const struct tr_behavior visitor = {
	.name = "visitor",
	.receive = visitor_receive,
};

static int
host_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct maker *m = kit_ctx(state);

	(void)answer;
	(void)cookie;
	KIT_CHECK(outcome == TR_OK);
	m->answered++;
	return m->answered == m->expected ? tr_exit(self, TR_NORMAL) : TR_OK;
}

static int
host_start(struct tr_self *self, void *state, const void *arg)
{
	struct maker *m;

	(void)kit_start_ctx(self, state, arg);
	m = kit_ctx(state);
	m->expected += VISITORS;
	for (int i = 0; i < VISITORS; i++) {
		tr_ref ref = tr_spawn(self, &visitor, NULL, NULL);

		KIT_CHECK(tr_ask(self, ref, NOTE, NULL, 0, tr_forever(),
			      host_answer, 0) != 0);
	}
	return TR_OK;
}

static const struct tr_behavior host = {
	.name = "host",
	.state_size = sizeof(void *),
	.start = host_start,
	.receive = kit_ignore,
};

/* Made, given something to do, and freed. */
static void
never_run(const struct tr_options *options)
{
	struct tr_system *sys;
	tr_ref ref;

	KIT_CHECK(tr_system_new(&sys, options) == TR_OK);
	ref = tr_system_spawn(sys, &kit_idler, NULL, NULL);
	KIT_CHECK(tr_ref_valid(ref));
	KIT_CHECK(tr_post(sys, ref, NOTE, options, sizeof(*options)) == TR_OK);
	KIT_CHECK(tr_system_free(sys) == TR_OK);
}

static void *
maker_main(void *arg)
{
	struct maker *m = arg;

	for (int i = 0; i < ROUNDS; i++) {
		struct tr_options options = {
			.workers =
			    1 + (unsigned)kit_below(&m->seed, m->workers),
			.max_actors = 1024,
		};

		if (kit_below(&m->seed, 4) == 0)
			never_run(&options);
		else
			KIT_CHECK(tr_run(&host, m, &options) == TR_OK);
		KIT_CHECK(m->answered == m->expected);
	}
	return NULL;
}

static int
descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	KIT_CHECK(dir != NULL);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

/* All numbers are free again: as many systems as there may be run at once,
 * each handles a post, and one more is refused. */
static void
all_at_once(void)
{
	static struct kit k[SYSTEMS];
	struct tr_system *one_more;
	tr_ref ref;

	for (int i = 0; i < SYSTEMS; i++) {
		kit_new_with(&k[i],
		    (struct tr_options){ .workers = 1, .max_actors = 1024 });
		kit_begin(&k[i]);
	}
	KIT_CHECK(tr_system_new(&one_more, NULL) == TR_ENOMEM);
	for (int i = 0; i < SYSTEMS; i++) {
		ref = tr_system_spawn(k[i].sys, &kit_idler, NULL, NULL);
		KIT_CHECK(tr_post(k[i].sys, ref, NOTE, NULL, 0) == TR_OK);
	}
	for (int i = 0; i < SYSTEMS; i++) {
		kit_stop(&k[i]);
		KIT_CHECK(k[i].stats.handled == 1);
	}
}

int
main(int argc, char **argv)
{
	static struct maker maker[THREADS];
	uint64_t seed;
	unsigned workers = kit_stress_args(argc, argv, &seed), answered = 0;
	int before = descriptors();

	for (int i = 0; i < THREADS; i++) {
		maker[i] = (struct maker){ .workers = workers,
			.seed = kit_random(&seed) };
		KIT_CHECK(pthread_create(&maker[i].thread, NULL, maker_main,
			      &maker[i]) == 0);
	}
	for (int i = 0; i < THREADS; i++) {
		KIT_CHECK(pthread_join(maker[i].thread, NULL) == 0);
		answered += maker[i].answered;
	}
	all_at_once();
	KIT_CHECK(descriptors() == before);
	printf("systems: %d threads made %d each, %u asks answered\n", THREADS,
	    ROUNDS, answered);
	return 0;
}
