/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wake.c - a round trip to an actor that is pinned to a sleeping worker.
 *
 * What that takes is mostly the kernel's and, in a virtual machine, the host's
 * to decide: waking a halted cpu takes tens of microseconds there.  So the same
 * round trip is done with two bare threads, an eventfd and an epoll each, in
 * the same process and with the same pauses: half of it before the system runs,
 * half of it after.  Workers and threads are bound to the same two cpus.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "micro.h"
#include "xfer.h"

enum {
	PING,
	PONG,
	TICK,
	GAP_MS = 1, /* long enough for both sides to fall asleep */
};

struct trips {
	int64_t *ns; /* of each round trip */
	size_t count;
	size_t max;
};

struct root {
	struct bench *b;
	tr_ref echo;
	int64_t begin_ns;
};

/* One side of the bare round trip. */
struct side {
	int event;
	int epoll;
};

struct raw {
	struct side driver;
	struct side echo;
	size_t trips;
};

static void
trips_add(struct trips *trips, int64_t ns)
{
	bench_check(trips->count < trips->max, "wake_pinned: one too many");
	trips->ns[trips->count++] = ns;
}

static int
trips_compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static double
trips_median_us(struct trips *trips)
{
	int64_t median;

	bench_check(trips->count == trips->max, "wake_pinned: all were made");
	qsort(trips->ns, trips->count, sizeof(trips->ns[0]), trips_compare);
	median = trips->ns[trips->count / 2];
	return (double)median / 1000;
}

/* The actors. */

static int
echo_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	return tr_send(self, tr_sender(msg), PONG, NULL, 0);
}

static const struct tr_behavior echo_behavior = {
	.name = "echo",
	.receive = echo_receive,
};

static int
root_pause(struct tr_self *self)
{
	return tr_after(self, TR_MS(GAP_MS), TICK, 0) != 0 ? TR_OK : TR_ENOMEM;
}

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct tr_spawn_options place = {
		.placement = TR_PLACE_WORKER,
		.worker = 1,
	};
	struct root *root = state;

	root->b = bench_of(arg);
	root->echo = tr_spawn(self, &echo_behavior, NULL, &place);
	bench_check(tr_ref_valid(root->echo), "wake_pinned: spawn");
	return root_pause(self);
}

static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct root *root = state;
	struct trips *trips = root->b->ctx;

	if (tr_tag(msg) == TICK) {
		root->begin_ns = tr_now(self);
		return tr_send(self, root->echo, PING, NULL, 0);
	}
	bench_check(tr_tag(msg) == PONG, "wake_pinned: a pong");
	trips_add(trips, tr_now(self) - root->begin_ns);
	if (trips->count < trips->max)
		return root_pause(self);
	return bench_end(root->b, self, 0);
}

static const struct tr_behavior root_behavior = {
	.name = "root",
	.state_size = sizeof(struct root),
	.arg_size = sizeof(struct bench *),
	.start = root_start,
	.receive = root_receive,
};

/* The bare threads. */

static void
side_open(struct side *side)
{
	struct epoll_event event = { .events = EPOLLIN };

	side->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	side->epoll = epoll_create1(EPOLL_CLOEXEC);
	bench_check(side->event >= 0 && side->epoll >= 0 &&
		epoll_ctl(side->epoll, EPOLL_CTL_ADD, side->event, &event) == 0,
	    "wake_pinned: eventfd and epoll");
}

static void
side_close(const struct side *side)
{
	(void)close(side->event);
	(void)close(side->epoll);
}

static void
side_wait(const struct side *side)
{
	struct epoll_event event;
	eventfd_t value;

	while (epoll_wait(side->epoll, &event, 1, -1) != 1)
		continue;
	bench_check(eventfd_read(side->event, &value) == 0,
	    "wake_pinned: eventfd");
}

static void *
raw_echo(void *arg)
{
	const struct raw *raw = arg;

	(void)xfer_pin(xfer_cpu(1));
	for (size_t i = 0; i < raw->trips; i++) {
		side_wait(&raw->echo);
		bench_check(eventfd_write(raw->driver.event, 1) == 0,
		    "wake_pinned: eventfd");
	}
	return NULL;
}

/* A thread of its own, so that the main thread's cpus stay as they were. */
static void *
raw_driver(void *arg)
{
	struct epoll_event event;
	struct raw raw = { .trips = 0 };
	struct trips *trips = arg;
	pthread_t echo;
	int64_t begin;

	raw.trips = trips->max / 2;
	side_open(&raw.driver);
	side_open(&raw.echo);
	bench_check(pthread_create(&echo, NULL, raw_echo, &raw) == 0,
	    "wake_pinned: thread");
	(void)xfer_pin(xfer_cpu(0));
	for (size_t i = 0; i < raw.trips; i++) {
		(void)epoll_wait(raw.driver.epoll, &event, 1, GAP_MS);
		begin = clock_now_ns();
		bench_check(eventfd_write(raw.echo.event, 1) == 0,
		    "wake_pinned: eventfd");
		side_wait(&raw.driver);
		trips_add(trips, clock_now_ns() - begin);
	}
	bench_check(pthread_join(echo, NULL) == 0, "wake_pinned: join");
	side_close(&raw.driver);
	side_close(&raw.echo);
	return NULL;
}

static void
raw_run(struct trips *trips)
{
	pthread_t driver;

	bench_check(pthread_create(&driver, NULL, raw_driver, trips) == 0 &&
		pthread_join(driver, NULL) == 0,
	    "wake_pinned: thread");
}

void
wake_run(struct bench *b)
{
	size_t count = (size_t)(b->size + 1) / 2 * 2;
	struct trips trips = { .max = count };
	struct trips raw = { .max = count };

	trips.ns = calloc(count, sizeof(trips.ns[0]));
	raw.ns = calloc(count, sizeof(raw.ns[0]));
	bench_check(trips.ns != NULL && raw.ns != NULL, "wake_pinned: memory");
	b->ctx = &trips;
	b->pin = true;
	raw_run(&raw);
	bench_system(b, &root_behavior);
	raw_run(&raw);
	b->value = trips_median_us(&trips);
	b->raw = trips_median_us(&raw);
	free(trips.ns);
	free(raw.ns);
}
