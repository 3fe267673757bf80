/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine.c - on what was measured.
 */
#include "machine.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

void
machine_cpu(char *text, size_t size)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[256];
	char *value;

	(void)snprintf(text, size, "unknown cpu");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, "model name", 10) != 0)
			continue;
		value = strchr(line, ':');
		if (value == NULL)
			continue;
		value[strcspn(value, "\n")] = '\0';
		(void)snprintf(text, size, "%s", value + 2);
		break;
	}
	if (file != NULL)
		(void)fclose(file);
}

void
machine_kernel(char *text, size_t size)
{
	struct utsname name;

	if (uname(&name) == 0)
		(void)snprintf(text, size, "%s %s %s", name.sysname,
		    name.release, name.machine);
	else
		(void)snprintf(text, size, "unknown kernel");
}

double
machine_memory_mb(void)
{
	return (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE) /
	    (1024 * 1024);
}
