/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench.c - runs one workload in this process and checks what it left behind.
 *
 * What is timed is the workload, actors and all, from its root's first turn to
 * the last answer; the start and the stop of the system are not, as they are
 * not in the peers' programs.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

enum { STOP_SECONDS = 60 };

void
bench_fail(const char *what)
{
	(void)fprintf(stderr, "micro: check failed: %s\n", what);
	_Exit(EXIT_FAILURE);
}

static uint64_t
bench_dead(const struct tr_stats *stats)
{
	uint64_t dead = 0;

	for (int reason = 0; reason < TR_DEAD_REASONS; reason++) {
		if (reason != TR_DEAD_UNHANDLED)
			dead += stats->dead[reason];
	}
	return dead;
}

void
bench_check_stats(struct tr_system *system)
{
	struct tr_stats stats;
	uint64_t dead;

	bench_check(tr_stats(system, &stats) == TR_OK, "tr_stats()");
	dead = bench_dead(&stats);
	if (stats.sent != stats.handled + dead + stats.queued)
		(void)fprintf(stderr,
		    "micro: sent %llu, handled %llu, dead %llu, queued %llu\n",
		    (unsigned long long)stats.sent,
		    (unsigned long long)stats.handled, (unsigned long long)dead,
		    (unsigned long long)stats.queued);
	bench_check(stats.sent == stats.handled + dead + stats.queued,
	    "sent = handled + dead + queued");
	bench_check(dead == 0 && stats.dead[TR_DEAD_UNHANDLED] == 0,
	    "no dead letters");
	bench_check(stats.queued == 0, "nothing is queued in the end");
	bench_check(stats.failed == 0, "no actor failed");
	bench_check(stats.actors == 0 && stats.spawned == stats.ended,
	    "every actor that was spawned has ended");
}

void
bench_system(struct bench *b, const struct tr_behavior *root)
{
	struct tr_options options = { .workers = b->workers, .pin = b->pin };
	struct tr_spawn_options place = {
		.placement = b->pin ? TR_PLACE_WORKER : TR_PLACE_ANY,
	};
	struct tr_stop_report report;
	struct tr_system *system;

	bench_check(tr_system_new(&system, &options) == TR_OK,
	    "tr_system_new()");
	bench_check(tr_ref_valid(tr_system_spawn(system, root, &b, &place)),
	    "tr_system_spawn()");
	bench_check(tr_system_run(system, &report) == TR_OK, "tr_system_run()");
	bench_check(report.killed == 0 && report.left == 0,
	    "every actor stopped in time");
	bench_check(b->end_ns > 0, "the root came to its end");
	bench_check_stats(system);
	bench_check(tr_system_free(system) == TR_OK, "tr_system_free()");
}

void
bench_begin(struct bench *b, struct tr_self *self)
{
	b->begin_ns = tr_now(self);
}

int
bench_end(struct bench *b, struct tr_self *self, uint64_t ops)
{
	b->end_ns = tr_now(self);
	b->ops = ops;
	return tr_system_stop(tr_system_of(self),
	    tr_in(self, TR_SECONDS(STOP_SECONDS)));
}

void
bench_child(const struct bench_case *c, uint64_t size, unsigned workers)
{
	struct bench b = {
		.size = size,
		.workers = workers,
		.value = -1,
	};

	c->run(&b);
	if (b.ops > 0)
		b.value = (double)(b.end_ns - b.begin_ns) / (double)b.ops;
	bench_check(b.value >= 0, "the workload left a figure");
	(void)printf("%.6f %.6f\n", b.value, b.raw);
	bench_check(fflush(stdout) == 0, "writing the result");
}
