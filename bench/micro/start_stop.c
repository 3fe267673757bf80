/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * start_stop.c - a system is made, run by an actor that stops it, and freed.
 *
 * For each worker a thread, a loop and a pool are made, and taken down: the work
 * grows with them, so the figure is a worker's share.
 */
#include <time.h>

#include "micro.h"

static int
stopper_start(struct tr_self *self, void *state, const void *arg)
{
	(void)state;
	(void)arg;
	return tr_system_stop(tr_system_of(self), tr_in(self, TR_SECONDS(10)));
}

static int
stopper_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	return tr_unhandled(self, msg);
}

static const struct tr_behavior stopper_behavior = {
	.name = "stopper",
	.start = stopper_start,
	.receive = stopper_receive,
};

static void
start_stop_once(struct bench *b)
{
	struct tr_options options = { .workers = b->workers };
	struct tr_system *system;

	bench_check(tr_system_new(&system, &options) == TR_OK,
	    "start_stop: new");
	bench_check(tr_ref_valid(
			tr_system_spawn(system, &stopper_behavior, NULL, NULL)),
	    "start_stop: spawn");
	bench_check(tr_system_run(system, NULL) == TR_OK, "start_stop: run");
	bench_check_stats(b, system);
	bench_check(tr_system_free(system) == TR_OK, "start_stop: free");
}

void
start_stop_run(struct bench *b)
{
	struct timespec begin;
	struct timespec end;

	(void)clock_gettime(CLOCK_MONOTONIC, &begin);
	for (uint64_t i = 0; i < b->size; i++)
		start_stop_once(b);
	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	b->value = ((double)(end.tv_sec - begin.tv_sec) * 1e6 +
		       (double)(end.tv_nsec - begin.tv_nsec) / 1e3) /
	    (double)b->size / b->workers;
}
