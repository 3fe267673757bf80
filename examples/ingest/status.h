/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * status.h - how a run ends: the exit codes, and the message that says why.
 *
 * A function that can fail takes a struct fault, returns 0 or -1, and fills
 * the fault before it returns -1.  The text says what happened and where.
 */
#ifndef INGEST_STATUS_H
#define INGEST_STATUS_H

/* The exit codes; --help and README.md list them too. */
enum status {
	STATUS_OK = 0,
	STATUS_INTERNAL = 1, /* no memory, or the counts do not add up */
	STATUS_USAGE = 2, /* unknown option, bad value, unknown column */
	STATUS_NO_FILE = 3, /* an input file is missing */
	STATUS_UNREADABLE = 4, /* an input file may not or cannot be read */
	STATUS_NOT_A_FILE = 5, /* an input is a directory, a device, a pipe */
	STATUS_EMPTY = 6, /* an input file has no row at all */
	STATUS_HEADER = 7, /* a header that cannot be used */
	STATUS_DATABASE = 8, /* any other error of the database */
	STATUS_LOCKED = 9, /* the database is locked by another process */
	STATUS_FULL = 10, /* the disk is full */
	STATUS_TABLE_EXISTS = 11, /* and neither --append nor --replace */
	STATUS_TOO_MANY_REJECTS = 12, /* more than --max-rejects */
	STATUS_REJECTS_FILE = 13, /* the rejects file cannot be written */
	STATUS_INTERRUPTED = 130, /* SIGINT: what was read is in the database */
	STATUS_TERMINATED = 143, /* SIGTERM: likewise */
};

struct fault {
	enum status status;
	char text[1024];
};

/* Fill a fault; returns -1. */
int fault_set(struct fault *fault, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* No memory; returns -1. */
int fault_no_memory(struct fault *fault);

#endif
