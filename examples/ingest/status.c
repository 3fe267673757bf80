/* SPDX-License-Identifier: BSD-2-Clause */
/* status.c - see status.h. */
#include "status.h"

#include <stdarg.h>
#include <stdio.h>

int
fault_set(struct fault *fault, enum status status, const char *format, ...)
{
	va_list ap;

	fault->status = status;
	va_start(ap, format);
	vsnprintf(fault->text, sizeof fault->text, format, ap);
	va_end(ap);
	return -1;
}

int
fault_no_memory(struct fault *fault)
{
	return fault_set(fault, STATUS_INTERNAL, "out of memory");
}
