/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace.c - what a schedule did, operation by operation.
 */
#include "engine.h"

#include <stdio.h>
#include <string.h>

enum { NAMES = 64 };

struct named {
	uintptr_t at;
	size_t size;
	char name[32];
};

static struct named names[NAMES];
static unsigned named;
/* What is being written. */
static const volatile void *written_at;
static size_t written_size;

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

static const char *
name_of(const volatile void *p)
{
	static char text[64];
	uintptr_t at = (uintptr_t)p;

	for (unsigned i = 0; i < named; i++) {
		if (at - names[i].at >= names[i].size)
			continue;
		snprintf(text, sizeof(text), "%s+%zu", names[i].name,
		    (size_t)(at - names[i].at));
		if (at == names[i].at)
			return names[i].name;
		return text;
	}
	snprintf(text, sizeof(text), "%p", (void *)at);
	return text;
}

static uint64_t
value_at(const volatile void *p, size_t size)
{
	uint64_t value = 0;

	memcpy(&value, (const void *)(uintptr_t)p, size > 8 ? 8 : size);
	return value;
}

void
sched_trace_op(const struct sched_site *site, const volatile void *p,
    size_t size, const char *how)
{
	printf("%6u  t%d  %-20s %-12s:%-4d %-16s %llx%s\n", sched_run.decisions,
	    sched_current(), site->op, base_name(site->file), site->line,
	    name_of(p), (unsigned long long)value_at(p, size), how);
	written_at =
	    site->op[0] == 'l' || strcmp(site->op, "ck load") == 0 ? NULL : p;
	written_size = size;
}

/* What the last operation has made of its object. */
void
sched_trace_written(void)
{
	if (written_at != NULL)
		printf("%6u  t%d  %40s -> %llx\n", sched_run.decisions,
		    sched_current(), "",
		    (unsigned long long)value_at(written_at, written_size));
	written_at = NULL;
}

void
sched_trace_arrival(unsigned thread, const void *p)
{
	printf("%6u  t%u  %-20s %21s %s\n", sched_run.decisions, thread,
	    "(store arrives)", "", name_of(p));
}

void
sched_trace_begin(void)
{
	named = 0;
	written_at = NULL;
}

void
sched_note(const char *format, ...)
{
	va_list ap;

	if (!sched_run.trace)
		return;
	printf("%6u  t%d  -- ", sched_run.decisions, sched_current());
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf("\n");
}

void
sched_name(const volatile void *p, size_t size, const char *name)
{
	if (named == NAMES)
		return;
	names[named].at = (uintptr_t)p;
	names[named].size = size;
	snprintf(names[named].name, sizeof(names[named].name), "%s", name);
	named++;
}
