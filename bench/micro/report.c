/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.c - from single runs to what is printed.
 *
 * Runs in different states of the machine do not belong into one median, so a
 * series of times is printed as one line for each state (slow runs are left
 * out, there are enough others then).  A verdict is given where the budget
 * holds: near, five runs at least, two workers, full size; bytes, wake-ups and
 * ratios do not depend on the state.
 */
#include "report.h"

#include "machine.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BUDGET_WORKERS = 2 };

static bool
report_is_ours(const struct series *series)
{
	return series->peer == NULL;
}

static bool
report_has_budget(const struct series *series)
{
	return report_is_ours(series) && series->bench->budget;
}

static const char *
report_verdict(const struct report *report, const struct series *series,
    const struct summary *sum)
{
	const struct bench_case *bench = series->bench;
	double value = bench->relative ? sum->ratio : sum->value.median;
	unsigned workers =
	    bench->workers != 0 ? BUDGET_WORKERS : series->workers;

	if (!report_has_budget(series) || !report->full_size ||
	    workers != BUDGET_WORKERS)
		return "";
	if (series_is_time(series) && !bench->relative) {
		if (sum->state != XFER_NEAR)
			return "";
		if (sum->runs < JUDGED_RUNS)
			return "few";
	}
	if (value <= bench->aim)
		return "aim";
	return value <= bench->must ? "must" : "MISSED";
}

/* The JSON object's members up to xfer_ns. */
static void
report_json_begin(const struct series *series, double xfer_ns)
{
	(void)printf("{\"bench\":\"%s\",\"workers\":%u,\"runtime\":\"%s\","
		     "\"xfer_ns\":%.1f",
	    series->bench->name, series->workers, series_runtime(series),
	    xfer_ns);
}

static void
report_json(const struct series *series, const struct summary *sum)
{
	const struct bench_case *bench = series->bench;

	report_json_begin(series, sum->xfer_ns);
	(void)printf(",\"%s\":%.2f,\"min\":%.2f,\"max\":%.2f",
	    series_unit(series), sum->value.median, sum->value.min,
	    sum->value.max);
	if (sum->raw > 0)
		(void)printf(",\"raw_%s\":%.2f,\"ratio\":%.3f",
		    series_unit(series), sum->raw, sum->ratio);
	(void)printf(",\"runs\":%zu,\"state\":\"%s\",\"size\":%" PRIu64
		     ",\"rss_mb\":%.1f,\"preempted\":%.0f,\"cpus\":%d",
	    sum->runs, xfer_state_name(sum->state), series->value_of[0],
	    sum->peak_kb / 1024, sum->preempted, xfer_cpus());
	if (report_has_budget(series))
		(void)printf(",\"must\":%g,\"aim\":%g", bench->must,
		    bench->aim);
	if (report_is_ours(series))
		(void)printf(",\"compiler\":\"%s\"", MACHINE_COMPILER);
	(void)printf("}\n");
}

static void
report_row(const struct report *report, const struct series *series,
    const struct summary *sum)
{
	const struct bench_case *bench = series->bench;

	(void)printf("%-12s %-7s %-9s %-7s %4zu %9.2f %9.2f %9.2f", bench->name,
	    series_runtime(series), series_unit(series),
	    xfer_state_name(sum->state), sum->runs, sum->value.median,
	    sum->value.min, sum->value.max);
	if (report_has_budget(series))
		(void)printf(" %5g %5g %-6s", bench->must, bench->aim,
		    report_verdict(report, series, sum));
	else
		(void)printf(" %5s %5s %-6s", "", "", "");
	(void)printf(" %8.1f %7.1f %5.0f", sum->xfer_ns, sum->peak_kb / 1024,
	    sum->preempted);
	if (sum->raw > 0)
		(void)printf("  raw %.2f, ratio %.3f", sum->raw, sum->ratio);
	(void)printf("\n");
}

void
report_header(const struct report *report)
{
	time_t now = time(NULL);
	struct tm local;
	char date[32];
	char cpu[128];

	if (report->json)
		return;
	(void)strftime(date, sizeof(date), "%Y-%m-%d %H:%M %Z",
	    localtime_r(&now, &local));
	machine_cpu(cpu, sizeof(cpu));
	(void)printf("troupe %d.%d.%d, %s, %s, %s, %d cpus, %u workers%s\n",
	    TR_VERSION_MAJOR, TR_VERSION_MINOR, TR_VERSION_PATCH, date,
	    MACHINE_COMPILER, cpu, xfer_cpus(), report->workers,
	    report->full_size ? "" : ", not at full size");
	if (xfer_cpus() < 2)
		(void)printf("There is one cpu: nothing is judged by its "
			     "near and far state.\n");
	(void)printf("\n%-12s %-7s %-9s %-7s %4s %9s %9s %9s %5s %5s %-6s "
		     "%8s %7s %5s\n",
	    "bench", "runtime", "unit", "state", "runs", "median", "min", "max",
	    "must", "aim", "", "xfer", "rss MB", "preem");
}

void
report_series(const struct report *report, const struct series *series)
{
	int first = XFER_NEAR;
	int last = XFER_STATES - 1;
	struct summary sum;

	if (!series_is_time(series)) {
		first = SERIES_ANY;
		last = SERIES_ANY;
	}
	for (int state = first; state <= last; state++) {
		if (state == XFER_SLOW ||
		    !series_summarize(series, (enum xfer_state)state, &sum))
			continue;
		if (report->json)
			report_json(series, &sum);
		else
			report_row(report, series, &sum);
	}
	if (series->failed == 0)
		return;
	if (report->json) {
		report_json_begin(series, series->error_xfer_ns);
		(void)printf(",\"failed\":%zu,\"error\":\"%s\"}\n",
		    series->failed, series->error);
	} else {
		(void)printf("%-12s %-7s FAILED, %zu of %u runs: %s\n",
		    series->bench->name, series_runtime(series), series->failed,
		    report->runs, series->error);
	}
}

/*
 * The best peer in the first state in which both ours and a peer have runs, or
 * else of all runs together; returns NULL when there is none.
 */
static const struct series *
report_best(const struct series *group, size_t count, struct summary *ours,
    struct summary *best)
{
	const struct series *found = NULL;
	struct summary sum;

	for (int state = 0; state <= SERIES_ANY && found == NULL; state++) {
		if (state == XFER_MIXED || state == XFER_SLOW ||
		    !series_summarize(&group[0], (enum xfer_state)state, ours))
			continue;
		for (size_t i = 1; i < count; i++) {
			if (!series_summarize(&group[i], (enum xfer_state)state,
				&sum))
				continue;
			if (found == NULL ||
			    sum.value.median < best->value.median) {
				*best = sum;
				found = &group[i];
			}
		}
	}
	return found;
}

static void
report_ratio(const struct report *report, const char *bench, const char *peer,
    const struct summary *ours, double ratio)
{
	const char *state = xfer_state_name(ours->state);

	if (report->json)
		(void)printf("{\"bench\":\"%s\",\"workers\":%u,"
			     "\"runtime\":\"%s/" SERIES_OURS
			     "\",\"xfer_ns\":%.1f,"
			     "\"ratio\":%.3f,\"state\":\"%s\"}\n",
		    bench, report->workers, peer, ours->xfer_ns, ratio, state);
	else
		(void)printf("%-12s %7.2f  %-10s %s\n", bench, ratio, peer,
		    state);
}

void
report_ratios(const struct report *report, const struct series *series,
    size_t count)
{
	struct summary all = { .state = XFER_NEAR, .xfer_ns = XFER_NONE };
	const struct series *peer;
	struct summary ours;
	struct summary best = { .runs = 0 };
	double logs = 0;
	size_t ratios = 0;
	size_t last;

	if (!report->json)
		(void)printf("\n%-12s %7s  %-10s %s\n", "best peer/us", "ratio",
		    "which", "state");
	for (size_t i = 0; i < count; i = last) {
		for (last = i + 1;
		     last < count && series[last].bench == series[i].bench;
		     last++)
			continue;
		peer = report_best(&series[i], last - i, &ours, &best);
		if (peer == NULL || ours.value.median <= 0)
			continue;
		if (ratios == 0)
			all.state = ours.state;
		else if (ours.state != all.state)
			all.state = XFER_MIXED;
		if (ours.xfer_ns > all.xfer_ns)
			all.xfer_ns = ours.xfer_ns;
		logs += log(best.value.median / ours.value.median);
		ratios++;
		report_ratio(report, series[i].bench->name,
		    series_runtime(peer), &ours,
		    best.value.median / ours.value.median);
	}
	if (ratios > 0)
		report_ratio(report, "geomean", "best", &all,
		    exp(logs / (double)ratios));
}
