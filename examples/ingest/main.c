/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ingest - loads CSV files into SQLite through parallel actors.
 *
 * main() does what comes before and after: it reads the options, plans (opens
 * the files, guesses types), opens the database, runs the actors of
 * pipeline.h until the load has ended, and reports.
 */
#include "pipeline.h"
#include "report.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LARGE_BYTES = 4 << 20 };

/* Run the actors.  What went wrong is in load->fault afterwards. */
static void
ingest_run(struct load *load)
{
	const struct options *o = load->plan->options;
	struct tr_options options = { .workers = o->workers };
	int rc;

	rc = tr_run(&loader_behavior, &load, &options);
	if (rc != TR_OK && load->fault.status == STATUS_OK)
		fault_set(&load->fault, STATUS_INTERNAL,
		    "the load ended with: %s", tr_strerror(rc));
}

static enum status
ingest_finish(struct load *load, int64_t start)
{
	const struct options *o = load->plan->options;
	struct fault close_fault = { .status = STATUS_OK };

	if (!o->quiet && isatty(STDERR_FILENO))
		fputs("\r\x1b[K", stderr);
	if (database_close(&load->database, &close_fault) != 0 &&
	    load->fault.status == STATUS_OK)
		load->fault = close_fault;
	if (load->fault.status == STATUS_OK && load->signal != 0)
		fault_set(&load->fault,
		    load->signal == SIGINT ? STATUS_INTERRUPTED :
					     STATUS_TERMINATED,
		    "stopped by %s; what was read until then is loaded",
		    load->signal == SIGINT ? "Ctrl-C" : "SIGTERM");
	if (!o->quiet && (load->fault.status == STATUS_OK || load->signal != 0))
		report_print(load, pipeline_now() - start);
	if (load->fault.status != STATUS_OK) {
		fprintf(stderr, "ingest: %s\n", load->fault.text);
		report_partial(load);
	}
	return load->fault.status;
}

static enum status
ingest_load(const struct plan *plan, int64_t start)
{
	struct load load = { .source.fd = -1 };
	enum status status;

	if (load_init(&load, plan) != 0)
		fault_no_memory(&load.fault);
	else if (database_open(&load.database, plan, &load.fault) == 0)
		ingest_run(&load);
	status = ingest_finish(&load, start);
	load_fini(&load);
	return status;
}

static enum status
ingest_plan_and_load(const struct options *o)
{
	int64_t start = pipeline_now();
	struct fault fault = { .status = STATUS_OK };
	enum status status;
	struct plan plan;

	if (plan_make(&plan, o, &fault) == 0) {
		status = ingest_load(&plan, start);
	} else {
		fprintf(stderr, "ingest: %s\n", fault.text);
		status = fault.status;
	}
	plan_fini(&plan);
	return status;
}

int
main(int argc, char **argv)
{
	enum status status = STATUS_OK;
	struct fault fault;
	struct options o;

	/* Rows of many MiB go back to the system when they are freed. */
	mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
	/* A file that grows too large is an error to report, not a death. */
	signal(SIGXFSZ, SIG_IGN);
	if (options_parse(&o, argc, argv, &fault) != 0) {
		fprintf(stderr, "ingest: %s\nTry: ingest --help\n", fault.text);
		status = fault.status;
	} else if (o.help) {
		usage_print();
	} else if (o.version) {
		printf("ingest %s\n", INGEST_VERSION);
	} else {
		status = ingest_plan_and_load(&o);
	}
	options_fini(&o);
	return (int)status;
}
