/* SPDX-License-Identifier: BSD-2-Clause */
/* report.c - see report.h. */
#include "report.h"

#include <inttypes.h>
#include <stdio.h>

static void
report_columns(const struct input *input, const struct result *r)
{
	const struct recipe *recipe = &input->recipe;

	for (size_t i = 0; i < recipe->column_count; i++) {
		const struct recipe_column *c = &recipe->columns[i];

		printf("%s%s %s", i == 0 ? "  columns: " : ", ", c->name,
		    value_type_name(c->type));
		if (r->misfits[i] > 0)
			printf(" (%" PRIu64 " did not fit, kept as they are)",
			    r->misfits[i]);
	}
	printf("\n");
}

static void
report_input(const struct load *load, const struct input *input,
    const struct result *r)
{
	printf("%s -> table '%s' in %s\n", input->path, input->table,
	    load->plan->options->into);
	printf("  rows: %" PRIu64 " read = %" PRIu64 " loaded + %" PRIu64
	       " rejected + %" PRIu64 " filtered\n",
	    r->read, r->loaded, r->rejected, r->filtered);
	if (r->rejected > 0)
		printf("  rejects: %s\n", input->rejects);
	report_columns(input, r);
}

void
report_print(const struct load *load, int64_t elapsed_ns)
{
	double seconds = (double)elapsed_ns / 1e9;
	uint64_t rows = 0, bytes = 0;

	for (size_t i = 0; i < load->plan->count; i++) {
		const struct result *r = &load->results[i];

		if (!r->done)
			continue;
		report_input(load, &load->plan->inputs[i], r);
		rows += r->read;
		bytes += r->bytes;
	}
	printf("%" PRIu64 " rows, %.1f MB in %.2f s: %.0f rows/s, %.1f MB/s "
	       "(slowest stage: %s)\n",
	    rows, (double)bytes / 1e6, seconds, (double)rows / seconds,
	    (double)bytes / 1e6 / seconds,
	    progress_bottleneck(&load->progress));
	fflush(stdout);
}

void
report_partial(const struct load *load)
{
	const char *into = load->plan->options->into;
	const struct database *d = &load->database;
	bool any = false;

	for (size_t i = 0; i < load->plan->count; i++) {
		const struct input *input = &load->plan->inputs[i];
		const struct result *r = &load->results[i];

		if (!r->begun || input->same_table)
			continue;
		/* Inputs of one table come last, so they are the current. */
		if (d->input == input || load->plan->options->table != NULL) {
			if (d->table_committed)
				fprintf(stderr,
				    "ingest: %s: table '%s' holds "
				    "%" PRIu64 " rows of this load\n",
				    into, input->table, d->table_rows);
			any |= d->table_committed;
			continue;
		}
		fprintf(stderr,
		    "ingest: %s: table '%s' is complete: %" PRIu64 " rows\n",
		    into, input->table, r->loaded);
		any = true;
	}
	if (!any)
		fprintf(stderr, "ingest: %s: nothing was written\n", into);
}
