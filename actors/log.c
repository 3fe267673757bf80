/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the library has to say goes to the log hook, and nowhere else.
 */
#include "actors/system.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ERRNO_MAX = 4095 }; /* of the kernel */

void
tri_log(struct tr_system *sys, enum tr_log_level level, const char *format, ...)
{
	char text[256];
	va_list ap;

	if (sys->options.log == NULL)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	sys->options.log(level, text, sys->log_ctx);
}

const char *
tr_strerror(int error)
{
	const char *text;

	switch (error) {
	case TR_OK: return "success";
	case TR_EEXIST: return "the name or signal is taken";
	case TR_EBUSY: return "still running";
	case TR_EDEAD: return "the actor has ended or never existed";
	case TR_EFULL: return "the queue is full";
	case TR_ETIMEDOUT: return "the deadline has passed";
	case TR_ECANCELED: return "canceled";
	case TR_ENOREPLY: return "the request was dropped unanswered";
	case TR_EUNHANDLED: return "the request is not understood";
	case TR_ESTOPPING: return "the system is stopping";
	case TR_SHUTDOWN: return "told to stop";
	case TR_KILLED: return "killed";
	case TR_IGNORE: return "ignored";
	case TR_EGAVEUP: return "too many restarts";
	case TR_NOPROC: return "no such actor";
	default: break;
	}
	text =
	    error < 0 && error >= -ERRNO_MAX ? strerrordesc_np(-error) : NULL;
	return text != NULL ? text : error > 0 ? "user code" : "unknown error";
}
