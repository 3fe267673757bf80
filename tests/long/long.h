/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * long.h - what the programs of the long tier share (./dev prove).
 *
 *     --list            say in one line what is shown, and end
 *     --budget SECONDS  do as much as is meant to be done, or what is possible
 *                       in that time; the default is no limit
 *     --small           a taste of it, for ./dev test
 *     --seed N          repeat a run; what was used is printed as `seed N`
 *
 * The last line of the output says what was done; the exit status is 0 when
 * nothing was found wrong.  Memory is looked at in plain builds only: the
 * sanitizers keep memory of their own.
 */
#ifndef TESTS_LONG_H
#define TESTS_LONG_H

#define KIT_STRESS
#include "kit.h"

struct long_run {
	bool small;
	uint64_t seed;
	int64_t began; /* ns */
	int64_t budget; /* ns; 0: no limit */
	long rss_first; /* bytes, at the end of the warm-up */
	long rss_most; /* since then */
};

static inline int64_t
long_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return TR_SECONDS(ts.tv_sec) + ts.tv_nsec;
}

static inline int64_t
long_elapsed(const struct long_run *l)
{
	return long_clock() - l->began;
}

/* Whether `share` percent of the budget are left unused. */
static inline bool
long_time_left(const struct long_run *l, int share)
{
	return l->budget == 0 || long_elapsed(l) < l->budget / 100 * share;
}

static inline void
long_usage(const char *program)
{
	printf("usage: %s [--list] [--small] [--budget SECONDS] [--seed N]\n",
	    program);
	exit(2);
}

/* Read the arguments; `what` is the answer to --list. */
static inline struct long_run
long_begin(int argc, char **argv, const char *what)
{
	struct long_run l = { .began = long_clock() };

	l.seed = (uint64_t)time(NULL) ^ (uint64_t)getpid() << 32;
	for (int i = 1; i < argc; i++) {
		bool more = i + 1 < argc;

		if (strcmp(argv[i], "--list") == 0) {
			printf("%s\n", what);
			exit(0);
		} else if (strcmp(argv[i], "--small") == 0)
			l.small = true;
		else if (strcmp(argv[i], "--budget") == 0 && more)
			l.budget = TR_SECONDS(strtoll(argv[++i], NULL, 10));
		else if (strcmp(argv[i], "--seed") == 0 && more)
			l.seed = strtoull(argv[++i], NULL, 0);
		else
			long_usage(argv[0]);
	}
	if (l.small)
		kit_watchdog();
	printf("seed %" PRIu64 "\n", l.seed);
	fflush(stdout);
	return l;
}

/* Resident bytes of this process. */
static inline long
long_rss(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long total = 0, resident = 0;

	KIT_CHECK(f != NULL);
	KIT_CHECK(fscanf(f, "%ld %ld", &total, &resident) == 2);
	fclose(f);
	return resident * sysconf(_SC_PAGESIZE);
}

/* The warm-up is over: from here on memory has to stay as it is. */
static inline void
long_memory_begin(struct long_run *l)
{
	l->rss_first = long_rss();
	l->rss_most = l->rss_first;
}

static inline void
long_memory_sample(struct long_run *l)
{
	long rss = long_rss();

	if (rss > l->rss_most)
		l->rss_most = rss;
}

static inline double
long_mb(long bytes)
{
	return (double)bytes / 1e6;
}

/* A tenth and 4 MB more than at the end of the warm-up is still flat. */
static inline void
long_memory_end(struct long_run *l)
{
	printf("memory: %.1f MB after the warm-up, %.1f MB at most\n",
	    long_mb(l->rss_first), long_mb(l->rss_most));
	if (TEST_SCALE(60) == 60)
		KIT_CHECK(
		    l->rss_most <= l->rss_first + l->rss_first / 10 + 4000000);
}

#endif /* TESTS_LONG_H */
