/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench.c - what benchmarks have in both worlds.
 *
 * What is timed is the work, actors and all, from the root's first turn to the
 * last answer; the start and the stop of the system are not, as they are not in
 * the peers' programs.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STOP_SECONDS = 60 };

uint64_t
bench_param(const struct bench *b, const char *name)
{
	const struct bench_param *params = b->bench->params;

	for (int i = 0; i < BENCH_PARAMS && params[i].name != NULL; i++) {
		if (strcmp(params[i].name, name) == 0)
			return b->value_of[i];
	}
	bench_fail("the parameter is one of the benchmark's");
}

bool
bench_set(struct bench *b, const char *setting)
{
	const struct bench_param *params = b->bench->params;
	size_t length = strcspn(setting, "=");
	const char *digits = setting + length + (setting[length] == '=');
	size_t count = strspn(digits, "0123456789");

	if (count == 0 || count >= 20 || digits[count] != '\0')
		return false;
	for (int i = 0; i < BENCH_PARAMS && params[i].name != NULL; i++) {
		if (strlen(params[i].name) != length ||
		    strncmp(params[i].name, setting, length) != 0)
			continue;
		b->value_of[i] = strtoull(digits, NULL, 10);
		b->size = b->value_of[0];
		return true;
	}
	return false;
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
bench_init(struct bench *b, const struct bench_case *c, enum bench_size size,
    unsigned workers)
{
	memset(b, 0, sizeof(*b));
	b->bench = c;
	for (int i = 0; i < BENCH_PARAMS && c->params[i].name != NULL; i++)
		b->value_of[i] = c->params[i].value[size];
	b->size = b->value_of[0];
	b->workers = workers;
	b->value = -1;
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
bench_check_stats(struct bench *b, struct tr_system *system)
{
	const struct tr_stats *stats = &b->stats;
	uint64_t dead;

	bench_check(tr_stats(system, &b->stats) == TR_OK, "tr_stats()");
	dead = bench_dead(stats);
	if (stats->sent != stats->handled + dead + stats->queued)
		(void)fprintf(stderr,
		    "bench: sent %llu, handled %llu, dead %llu, queued %llu\n",
		    (unsigned long long)stats->sent,
		    (unsigned long long)stats->handled,
		    (unsigned long long)dead,
		    (unsigned long long)stats->queued);
	bench_check(stats->sent == stats->handled + dead + stats->queued,
	    "sent = handled + dead + queued");
	bench_check(dead == 0 || b->bench->dead_letters, "no dead letters");
	bench_check(stats->dead[TR_DEAD_UNHANDLED] == 0,
	    "every message was understood");
	bench_check(stats->queued == 0, "nothing is queued in the end");
	bench_check(stats->failed == 0, "no actor failed");
	bench_check(stats->actors == 0 && stats->spawned == stats->ended,
	    "every actor that was spawned has ended");
}
