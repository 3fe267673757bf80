/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * child.c - one benchmark in this process, on real threads.
 *
 *     troupe-bench child NAME SIZE WORKERS [--pin] [--warm-up=N]
 *         [PARAMETER=VALUE]...
 *
 * The parent reads standard output: `failed WHY`, or the figures in one line
 * (see child_print()).  A crash says nothing there, and is seen all the same.
 */
#include "child.h"

#include "list.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	EXIT_USAGE = 2,
	WORKERS_MAX = 64,
	WARM_UP_MAX = 100,
};

struct child {
	struct bench b;
	unsigned warm_up;
};

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
	if (b->ended != NULL)
		b->ended(b);
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
	int64_t ns = b->begin_ns > 0 ? b->end_ns - b->begin_ns : 0;

	(void)printf("%.6f %.6f %" PRId64 " %" PRIu64 " %ld %" PRIu64
		     " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
		     "\n",
	    b->value, b->raw, ns, b->ops, peak_kb, s->sent, s->spawned,
	    s->steals, s->parks, s->wakeups, s->asides);
	bench_check(fflush(stdout) == 0, "writing the result");
}

/* One run; `peak_kb` is of before the output is looked through. */
static void
child_run(struct bench *b, long *peak_kb)
{
	const struct bench_case *c = b->bench;

	if (c->setup != NULL)
		c->setup(b);
	if (c->run != NULL)
		c->run(b);
	else
		bench_system(b, c->root);
	if (b->ops > 0)
		b->value = (double)(b->end_ns - b->begin_ns) / (double)b->ops;
	bench_check(b->value >= 0, "the benchmark left a figure");
	*peak_kb = child_peak_kb();
	if (c->teardown != NULL)
		c->teardown(b);
}

/* A whole number within limits. */
static bool
child_number(const char *text, uint64_t least, uint64_t most, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 &&
	    *number >= least && *number <= most;
}

static bool
child_option(struct child *child, const char *arg)
{
	uint64_t number;

	if (strcmp(arg, "--pin") == 0) {
		child->b.pin = true;
		return true;
	}
	if (strncmp(arg, "--warm-up=", 10) != 0)
		return bench_set(&child->b, arg);
	if (!child_number(arg + 10, 0, WARM_UP_MAX, &number))
		return false;
	child->warm_up = (unsigned)number;
	return true;
}

static bool
child_args(struct child *child, int argc, char *argv[])
{
	const struct bench_case *c = NULL;
	enum bench_size size;
	uint64_t workers;

	if (argc < 3 || !bench_size_of(argv[1], &size) ||
	    !child_number(argv[2], 1, WORKERS_MAX, &workers))
		return false;
	for (size_t i = 0; (c = bench_at(i)) != NULL; i++) {
		if (bench_is_named(c, argv[0]))
			break;
	}
	if (c == NULL)
		return false;
	bench_init(&child->b, c, size, (unsigned)workers);
	for (int i = 3; i < argc; i++) {
		if (!child_option(child, argv[i]))
			return false;
	}
	return true;
}

int
child_main(int argc, char *argv[])
{
	struct child child = { .warm_up = 0 };
	struct bench b;
	long peak_kb;

	if (!child_args(&child, argc, argv)) {
		(void)fprintf(stderr, "bench: wrong arguments of a child\n");
		return EXIT_USAGE;
	}
	for (unsigned i = 0; i < child.warm_up; i++) {
		b = child.b;
		child_run(&b, &peak_kb);
	}
	child_run(&child.b, &peak_kb);
	child_print(&child.b, peak_kb);
	return EXIT_SUCCESS;
}
