/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A shop that stays open while its tills crash.
 *
 * Tills, the ledger and the report break down all the time and are started
 * again; in the end each purchase was made once: what the customers have paid
 * is what the ledger has booked, to the cent.
 *
 *     shop [--crash PERCENT] [--sales N] [--seed S] [--log] [--help]
 */
#include "shop.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
usage(int status)
{
	fprintf(status == 0 ? stdout : stderr,
	    "usage: shop [OPTION]...\n"
	    "  --crash PERCENT  how often a till breaks, before booking a "
	    "sale and\n"
	    "                   after that; the ledger a tenth as often "
	    "(2)\n"
	    "  --sales N        1 to %d (1000)\n"
	    "  --seed S         which of them (1)\n"
	    "  --log            what the supervisors say, on standard error\n",
	    SALES_MAX);
	return status;
}

/* A number up to `most`, or -1. */
static long long
number(const char *text, long long most)
{
	char *end;
	long long n;

	if (text == NULL || *text < '0' || *text > '9')
		return -1;
	n = strtoll(text, &end, 10);
	return *end == '\0' && n <= most ? n : -1;
}

static void
log_nothing(enum tr_log_level level, const char *text, void *ctx)
{
	(void)level, (void)text, (void)ctx;
}

/* Fills in what was asked for; otherwise -1 for help, or 2. */
static int
read_options(char **argv, struct tr_options *options)
{
	long long n = 0;

	for (argv++; *argv != NULL && n >= 0; argv++) {
		if (strcmp(*argv, "--help") == 0)
			return -1;
		if (strcmp(*argv, "--log") == 0)
			options->log = NULL;
		else if (strcmp(*argv, "--crash") == 0)
			paper.crash_percent =
			    (unsigned)(n = number(*++argv, 100));
		else if (strcmp(*argv, "--sales") == 0)
			paper.sales =
			    (unsigned)(n = number(*++argv, SALES_MAX));
		else if (strcmp(*argv, "--seed") == 0)
			paper.seed = (uint64_t)(n = number(*++argv, INT64_MAX));
		else
			n = -1;
	}
	return n < 0 || paper.sales == 0 ? 2 : 0;
}

static int64_t
sum_paid(void)
{
	int64_t cents = 0;
	uint32_t i;

	for (i = 0; i < paper.sales; i++)
		cents += paper.receipt[i];
	return cents;
}

static int64_t
sum_booked(void)
{
	int64_t cents = 0;
	uint32_t i;

	for (i = 0; i < paper.booked; i++)
		cents += paper.journal[i].cents;
	return cents;
}

int
main(int argc, char **argv)
{
	struct tr_options options = { .log = log_nothing };
	int64_t paid, booked;
	int rc;

	(void)argc;
	paper.sales = 1000;
	paper.crash_percent = 2;
	paper.seed = 1;
	rc = read_options(argv, &options);
	if (rc != 0)
		return usage(rc < 0 ? 0 : rc);
	rc = tr_run_supervisor(&town, &options);
	if (rc != TR_OK)
		printf("the town gave up: %s\n", tr_strerror(rc));
	paid = sum_paid();
	booked = sum_booked();
	printf("%" PRIu32 " sales booked, %" PRIu64 " restarts\n", paper.booked,
	    paper.restarts);
	printf("money: %" PRId64 ".%02" PRId64 " paid %s %" PRId64 ".%02" PRId64
	       " booked\n",
	    paid / 100, paid % 100, paid == booked ? "=" : "is not",
	    booked / 100, booked % 100);
	return rc == TR_OK && paid == booked ? 0 : 1;
}
