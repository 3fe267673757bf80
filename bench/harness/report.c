/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.c - the table and the comma-separated values.
 */
#include "report.h"

#include "list.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool
report_is_valid(const struct series *series)
{
	return series->failed == 0 && series->count > 0;
}

bool
report_is_judged(const struct series *series, const struct summary *sum)
{
	if (!report_is_valid(series) || sum->runs < JUDGED_RUNS)
		return false;
	return sum->state == XFER_NEAR || !series_is_time(series);
}

/* ------------------------------------------------------------- table --- */

static void
table_row(FILE *out, const struct series *series, const struct summary *sum)
{
	(void)fprintf(out,
	    " %-7s %4zu %10.3f %10.3f %10.3f %10.2f %8.1f %7.2f"
	    " %8.0f %7.0f %7.0f %6.0f %7.1f",
	    xfer_state_name(sum->state), sum->runs, sum->ns.median / 1e6,
	    sum->ns.min / 1e6, sum->ns.p90 / 1e6, sum->value.median,
	    sum->peak_kb / 1024, sum->cpu_s, sum->steals, sum->parks,
	    sum->wakeups, sum->asides, sum->xfer_ns);
	if (sum->raw > 0)
		(void)fprintf(out, "  ratio %.3f", sum->ratio);
	if (strcmp(series_unit(series), "ns_per_op") != 0)
		(void)fprintf(out, "  %s", series_unit(series));
}

void
report_table(FILE *out, const struct rounds *rounds)
{
	struct summary sum;

	(void)fprintf(out,
	    "%-24s %-7s %2s %-7s %4s %10s %10s %10s %10s %8s %7s %8s %7s %7s "
	    "%6s %7s\n",
	    "bench", "runtime", "w", "state", "runs", "median ms", "min ms",
	    "p90 ms", "per op", "peak MB", "cpu s", "steals", "parks",
	    "wakeups", "asides", "xfer ns");
	for (size_t i = 0; i < rounds->count; i++) {
		const struct series *series = &rounds->series[i];
		char name[64];

		(void)snprintf(name, sizeof(name), "%s/%s",
		    series->bench->suite, series->bench->name);
		(void)fprintf(out, "%-24s %-7s %2u", name,
		    series_runtime(series), series->workers);
		if (series_conclude(series, &sum))
			table_row(out, series, &sum);
		if (series->failed > 0)
			(void)fprintf(out, " FAILED: %s", series->error);
		(void)fprintf(out, "\n");
	}
}

/* --------------------------------------------------------------- csv --- */

void
report_csv(FILE *out, const struct rounds *rounds)
{
	struct summary sum;

	(void)fprintf(out,
	    "suite,bench,runtime,workers,size,valid,judged,state,runs,dropped,"
	    "unit,value,min,max,p90,ns,min_ns,max_ns,p90_ns,ops,xfer_ns,"
	    "peak_mb,cpu_s,sent,spawned,steals,parks,wakeups,asides,"
	    "preempted\n");
	for (size_t i = 0; i < rounds->count; i++) {
		const struct series *s = &rounds->series[i];

		if (!series_conclude(s, &sum)) {
			sum = (struct summary){ .state = XFER_MIXED,
				.xfer_ns = s->error_xfer_ns };
		}
		(void)fprintf(out, "%s,%s,%s,%u,%s,%d,%d,%s,%zu,%zu,%s",
		    s->bench->suite, s->bench->name, series_runtime(s),
		    s->workers, bench_size_name(s->size), report_is_valid(s),
		    report_is_judged(s, &sum), xfer_state_name(sum.state),
		    sum.runs, s->count - sum.runs, series_unit(s));
		(void)fprintf(out,
		    ",%.4f,%.4f,%.4f,%.4f,%.0f,%.0f,%.0f,%.0f,%.0f,%.1f",
		    sum.value.median, sum.value.min, sum.value.max,
		    sum.value.p90, sum.ns.median, sum.ns.min, sum.ns.max,
		    sum.ns.p90, sum.ops, sum.xfer_ns);
		(void)fprintf(out,
		    ",%.2f,%.4f,%.0f,%.0f,%.0f,%.0f,%.0f,%.0f,%.0f\n",
		    sum.peak_kb / 1024, sum.cpu_s, sum.sent, sum.spawned,
		    sum.steals, sum.parks, sum.wakeups, sum.asides,
		    sum.preempted);
	}
}
