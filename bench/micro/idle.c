/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * idle.c - what actors cost that do nothing: to spawn, in memory, in wake-ups.
 */
#include <dirent.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "micro.h"

enum {
	TOUCH, /* to an actor that then idles again */
	FINISH,
	SLEEPERS = 1000,
	SETTLE_MS = 1500, /* until pools are trimmed and workers sleep */
};

/* 24 bytes are what an actor has without any allocation. */
struct sleeper {
	uint64_t words[3];
};

struct root {
	struct bench *b;
};

static int
sleeper_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct sleeper *sleeper = state;

	(void)self;
	(void)msg;
	sleeper->words[0]++;
	return TR_OK;
}

static const struct tr_behavior sleeper_behavior = {
	.name = "sleeper",
	.state_size = sizeof(struct sleeper),
	.receive = sleeper_receive,
};

static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct root *root = state;

	bench_check(tr_tag(msg) == FINISH, "idle: told to finish");
	return bench_end(root->b, self, 0);
}

static void
root_spawn(struct tr_self *self, uint64_t count)
{
	tr_ref ref;

	for (uint64_t i = 0; i < count; i++) {
		ref = tr_spawn(self, &sleeper_behavior, NULL, NULL);
		bench_check(tr_ref_valid(ref), "idle: spawn");
	}
}

/* spawn */

static int
spawn_start(struct tr_self *self, void *state, const void *arg)
{
	struct root *root = state;

	root->b = bench_of(arg);
	bench_begin(root->b, self);
	root_spawn(self, root->b->size);
	return bench_end(root->b, self, root->b->size);
}

static const struct tr_behavior spawn_behavior = {
	.name = "root",
	.state_size = sizeof(struct root),
	.arg_size = sizeof(struct bench *),
	.start = spawn_start,
	.receive = root_receive,
};

void
spawn_run(struct bench *b)
{
	bench_system(b, &spawn_behavior);
}

/* idle_actor */

static double
idle_rss_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	long pages = 0;

	bench_check(file != NULL && fscanf(file, "%*s %ld", &pages) == 1,
	    "idle_actor: /proc/self/statm");
	(void)fclose(file);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static int
idle_actor_start(struct tr_self *self, void *state, const void *arg)
{
	struct root *root = state;
	double before;

	root->b = bench_of(arg);
	root_spawn(self, 1);
	before = idle_rss_bytes();
	root_spawn(self, root->b->size);
	root->b->value = (idle_rss_bytes() - before) / (double)root->b->size;
	return bench_end(root->b, self, 0);
}

static const struct tr_behavior idle_actor_behavior = {
	.name = "root",
	.state_size = sizeof(struct root),
	.arg_size = sizeof(struct bench *),
	.start = idle_actor_start,
	.receive = root_receive,
};

void
idle_actor_run(struct bench *b)
{
	bench_system(b, &idle_actor_behavior);
}

/* idle_wakeups: a thread from outside watches the others sleep. */

struct watch {
	struct bench *b;
	pthread_t thread;
	struct tr_system *system;
	tr_ref root;
	sem_t running; /* posted by the root when all is set up */
};

static void
watch_sleep_ms(uint64_t ms)
{
	struct timespec ts = {
		.tv_sec = (time_t)(ms / 1000),
		.tv_nsec = (long)(ms % 1000) * 1000000,
	};

	bench_check(nanosleep(&ts, NULL) == 0, "idle_wakeups: sleep");
}

/* How often a thread has given up its cpu to wait. */
static uint64_t
watch_waits(const char *tid)
{
	char path[300];
	char line[128];
	unsigned long waits = 0;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/self/task/%s/status", tid);
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	while (fgets(line, sizeof(line), file) != NULL)
		(void)sscanf(line, "voluntary_ctxt_switches: %lu", &waits);
	(void)fclose(file);
	return waits;
}

/* Of all threads but the calling one. */
static uint64_t
watch_all_waits(void)
{
	DIR *tasks = opendir("/proc/self/task");
	uint64_t waits = 0;
	struct dirent *task;

	bench_check(tasks != NULL, "idle_wakeups: /proc/self/task");
	while ((task = readdir(tasks)) != NULL) {
		if (task->d_name[0] != '.' && atoi(task->d_name) != gettid())
			waits += watch_waits(task->d_name);
	}
	(void)closedir(tasks);
	return waits;
}

static void *
watch_main(void *arg)
{
	struct watch *watch = arg;
	uint64_t before;
	int error;

	while (sem_wait(&watch->running) != 0)
		continue;
	watch_sleep_ms(SETTLE_MS);
	before = watch_all_waits();
	watch_sleep_ms(watch->b->size);
	watch->b->value = (double)(watch_all_waits() - before) * 1000 /
	    (double)watch->b->size;
	error = tr_post(watch->system, watch->root, FINISH, NULL, 0);
	bench_check(error == TR_OK, "idle_wakeups: post");
	return NULL;
}

static int
idle_wakeups_start(struct tr_self *self, void *state, const void *arg)
{
	struct root *root = state;
	struct watch *watch;
	tr_ref sleeper;
	int error;

	root->b = bench_of(arg);
	watch = root->b->ctx;
	watch->system = tr_system_of(self);
	watch->root = tr_self_ref(self);
	for (int i = 0; i < SLEEPERS; i++) {
		sleeper = tr_spawn(self, &sleeper_behavior, NULL, NULL);
		error = tr_send(self, sleeper, TOUCH, NULL, 0);
		bench_check(error == TR_OK, "idle_wakeups: send");
	}
	bench_check(sem_post(&watch->running) == 0, "idle_wakeups: go");
	return TR_OK;
}

static const struct tr_behavior idle_wakeups_behavior = {
	.name = "root",
	.state_size = sizeof(struct root),
	.arg_size = sizeof(struct bench *),
	.start = idle_wakeups_start,
	.receive = root_receive,
};

/* That its message has come does not say that its post has returned. */
static void
idle_wakeups_ended(struct bench *b)
{
	struct watch *watch = b->ctx;

	bench_check(pthread_join(watch->thread, NULL) == 0,
	    "idle_wakeups: join");
}

void
idle_wakeups_run(struct bench *b)
{
	struct watch watch = { .b = b };

	b->ctx = &watch;
	b->ended = idle_wakeups_ended;
	bench_check(sem_init(&watch.running, 0, 0) == 0, "idle_wakeups: sem");
	bench_check(pthread_create(&watch.thread, NULL, watch_main, &watch) ==
		0,
	    "idle_wakeups: thread");
	bench_system(b, &idle_wakeups_behavior);
	(void)sem_destroy(&watch.running);
}
