/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * post.c - a foreign thread posts to an actor whose worker is awake.
 *
 * The thread stays at most WINDOW posts ahead of the actor, so that memory
 * stays flat; it is never so far behind that the worker goes to sleep.
 */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "micro.h"

enum {
	ITEM,
	WINDOW = 4096,
	PROGRESS_STEP = 64,
};

struct poster {
	struct bench *b;
	pthread_t thread;
	struct tr_system *system;
	tr_ref root;
	sem_t running; /* posted by the root when it has started */
	_Atomic uint64_t handled; /* the root's progress */
};

struct root {
	struct poster *poster;
	uint64_t next; /* the item expected */
};

static uint64_t
poster_handled(struct poster *poster)
{
	/* acq: pairs with rel in root_receive() */
	return atomic_load_explicit(&poster->handled, memory_order_acquire);
}

static void *
poster_main(void *arg)
{
	struct poster *poster = arg;
	uint64_t size = poster->b->size;
	int error;

	while (sem_wait(&poster->running) != 0)
		continue;
	for (uint64_t item = 0; item < size; item++) {
		while (item - poster_handled(poster) >= WINDOW)
			(void)sched_yield();
		error = tr_post(poster->system, poster->root, ITEM, &item,
		    sizeof(item));
		bench_check(error == TR_OK, "post: post");
	}
	return NULL;
}

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct bench *b = bench_of(arg);
	struct root *root = state;

	root->poster = b->ctx;
	root->poster->system = tr_system_of(self);
	root->poster->root = tr_self_ref(self);
	bench_check(sem_post(&root->poster->running) == 0, "post: go");
	return TR_OK;
}

static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const uint64_t *item = tr_data(msg, sizeof(*item));
	struct root *root = state;
	struct bench *b = root->poster->b;

	bench_check(tr_tag(msg) == ITEM && item != NULL && *item == root->next,
	    "post: items arrive in order, once each");
	/* The clock starts when the worker is awake. */
	if (root->next++ == 0)
		bench_begin(b, self);
	if (root->next == b->size)
		return bench_end(b, self, b->size);
	if (root->next % PROGRESS_STEP == 0)
		atomic_store_explicit(&root->poster->handled, root->next,
		    memory_order_release);
	return TR_OK;
}

static const struct tr_behavior root_behavior = {
	.name = "root",
	.state_size = sizeof(struct root),
	.arg_size = sizeof(struct bench *),
	.start = root_start,
	.receive = root_receive,
};

/* That its last item has come does not say that its last post has returned. */
static void
post_ended(struct bench *b)
{
	struct poster *poster = b->ctx;

	bench_check(pthread_join(poster->thread, NULL) == 0, "post: join");
}

void
post_run(struct bench *b)
{
	struct poster poster = { .b = b };

	b->ctx = &poster;
	b->ended = post_ended;
	bench_check(sem_init(&poster.running, 0, 0) == 0, "post: semaphore");
	bench_check(pthread_create(&poster.thread, NULL, poster_main,
			&poster) == 0,
	    "post: thread");
	bench_system(b, &root_behavior);
	(void)sem_destroy(&poster.running);
}
