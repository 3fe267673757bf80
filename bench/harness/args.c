/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * args.c - values of options, with a message on stderr when they are wrong.
 */
#include "args.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
args_number(const char *option, const char *text, double least, double most,
    double *number)
{
	char *end;

	errno = 0;
	*number = strtod(text, &end);
	if (end != text && *end == '\0' && errno == 0 && *number >= least &&
	    *number <= most)
		return true;
	(void)fprintf(stderr,
	    "bench: --%s takes a number from %g to %g, not '%s'\n", option,
	    least, most, text);
	return false;
}

bool
args_count(const char *option, const char *text, unsigned most, unsigned *count)
{
	double number;

	if (!args_number(option, text, 1, most, &number))
		return false;
	*count = (unsigned)number;
	if (*count == number)
		return true;
	(void)fprintf(stderr, "bench: --%s takes a whole number, not '%s'\n",
	    option, text);
	return false;
}

bool
args_seconds(const char *option, const char *text, double *seconds)
{
	static const struct {
		const char *unit;
		double seconds;
	} units[] = { { "", 1 }, { "s", 1 }, { "m", 60 }, { "h", 3600 } };
	char *end;

	errno = 0;
	*seconds = strtod(text, &end);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (end == text || strcmp(end, units[i].unit) != 0)
			continue;
		*seconds *= units[i].seconds;
		if (errno == 0 && *seconds > 0 && *seconds <= 1e6)
			return true;
	}
	(void)fprintf(stderr,
	    "bench: --%s takes a time such as 90s, 25m or 2h, not '%s'\n",
	    option, text);
	return false;
}
