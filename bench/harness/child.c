/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * child.c - one benchmark in this process, on real threads.
 *
 * The parent reads standard output: `failed WHY`, or the figures in one line
 * (plan.c knows the order).  A crash says nothing there, and is seen all the
 * same.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

void
bench_fail(const char *what)
{
	char line[160];
	int length;

	length = snprintf(line, sizeof(line), "failed %s\n", what);
	if (length > (int)sizeof(line) - 1)
		length = (int)sizeof(line) - 1;
	/* One call, for several threads may come here at once. */
	if (write(STDOUT_FILENO, line, (size_t)length) != length)
		_Exit(EXIT_FAILURE);
	(void)fprintf(stderr, "bench: check failed: %s\n", what);
	_Exit(EXIT_FAILURE);
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
	bench_check_stats(b, system);
	bench_check(tr_system_free(system) == TR_OK, "tr_system_free()");
}

/* The peak of this process' memory, without its parent's. */
static long
child_peak_kb(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[128];
	long kb = 0;

	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		(void)sscanf(line, "VmHWM: %ld", &kb);
	if (file != NULL)
		(void)fclose(file);
	return kb;
}

static void
child_print(const struct bench *b, long peak_kb)
{
	const struct tr_stats *s = &b->stats;

	(void)printf("%.6f %.6f %" PRId64 " %" PRIu64 " %ld %" PRIu64
		     " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
	    b->value, b->raw, b->end_ns - b->begin_ns, b->ops, peak_kb, s->sent,
	    s->spawned, s->steals, s->parks, s->wakeups);
	bench_check(fflush(stdout) == 0, "writing the result");
}

void
bench_child(struct bench *b)
{
	const struct bench_case *c = b->bench;
	long peak_kb;

	if (c->setup != NULL)
		c->setup(b);
	if (c->run != NULL)
		c->run(b);
	else
		bench_system(b, c->root);
	if (b->ops > 0)
		b->value = (double)(b->end_ns - b->begin_ns) / (double)b->ops;
	bench_check(b->value >= 0, "the benchmark left a figure");
	peak_kb = child_peak_kb();
	if (c->teardown != NULL)
		c->teardown(b);
	child_print(b, peak_kb);
}
