/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * timer.c - timers that are armed and cancelled, as timeouts are.
 *
 * 64 are armed at any time; each new one takes the place of the oldest, which
 * is cancelled.  None fires: they are due in ten seconds.
 */
#include "micro.h"

enum {
	MORE,
	TIMEOUT,
	ARMED = 64,
	PER_TURN = 1000,
};

struct armer {
	struct bench *b;
	uint64_t armed; /* in all */
	tr_timer timers[ARMED];
};

static int
armer_work(struct tr_self *self, struct armer *armer)
{
	tr_timer *timer;

	for (int i = 0; i < PER_TURN && armer->armed < armer->b->size; i++) {
		timer = &armer->timers[armer->armed++ % ARMED];
		if (*timer != 0)
			bench_check(tr_timer_cancel(self, *timer) == TR_OK,
			    "timer: cancelled before it was due");
		*timer = tr_after(self, TR_SECONDS(10), TIMEOUT, armer->armed);
		bench_check(*timer != 0, "timer: armed");
	}
	if (armer->armed < armer->b->size)
		return tr_send(self, tr_self_ref(self), MORE, NULL, 0);
	for (int i = 0; i < ARMED; i++) {
		if (armer->timers[i] != 0)
			(void)tr_timer_cancel(self, armer->timers[i]);
	}
	return bench_end(armer->b, self, armer->b->size);
}

static int
armer_start(struct tr_self *self, void *state, const void *arg)
{
	struct armer *armer = state;

	armer->b = bench_of(arg);
	bench_begin(armer->b, self);
	return armer_work(self, armer);
}

static int
armer_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	bench_check(tr_tag(msg) == MORE, "timer: none fires");
	return armer_work(self, state);
}

static const struct tr_behavior armer_behavior = {
	.name = "armer",
	.state_size = sizeof(struct armer),
	.arg_size = sizeof(struct bench *),
	.start = armer_start,
	.receive = armer_receive,
};

void
timer_run(struct bench *b)
{
	bench_system(b, &armer_behavior);
}
