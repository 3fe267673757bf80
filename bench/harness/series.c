/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * series.c - from single runs to what they say together.
 *
 * Runs in different states of the machine do not belong into one median.
 */
#include "series.h"

#include "stats.h"

#include <string.h>

#define FIELD(name) offsetof(struct sample, name)

const char *
series_runtime(const struct series *series)
{
	if (series->peer != NULL)
		return peer_runtime(series->peer);
	return series->program != NULL ? SERIES_OTHER : SERIES_OURS;
}

const char *
series_unit(const struct series *series)
{
	const char *unit = series->bench->unit;

	return unit != NULL ? unit : "ns_per_op";
}

bool
series_is_time(const struct series *series)
{
	const char *unit = series_unit(series);

	return strcmp(unit, "ns_per_op") == 0 || strcmp(unit, "us") == 0;
}

size_t
series_near(const struct series *series, const struct pace *pace)
{
	size_t near = 0;

	for (size_t i = 0; i < series->count; i++)
		near += series->samples[i].state == XFER_NEAR &&
		    pace_is_full(pace, series->samples[i].pace_ns);
	return near;
}

void
series_settle(struct series *series, const struct pace *pace)
{
	bool enough = series_near(series, pace) >= JUDGED_RUNS;

	for (size_t i = 0; i < series->count; i++) {
		struct sample *sample = &series->samples[i];

		sample->pace = pace_of(pace, sample->pace_ns);
		if (enough && sample->state == XFER_NEAR &&
		    !pace_is_full(pace, sample->pace_ns))
			sample->state = XFER_SLOW;
	}
}

static bool
series_counts(const struct sample *sample, enum xfer_state state)
{
	return state == SERIES_ANY || sample->state == state;
}

/* All runs' figure that lies at `offset` in a sample, sorted. */
static size_t
series_gather(const struct series *series, enum xfer_state state, size_t offset,
    double values[RUNS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < series->count; i++) {
		const struct sample *sample = &series->samples[i];

		if (series_counts(sample, state))
			memcpy(&values[n++], (const char *)sample + offset,
			    sizeof(values[0]));
	}
	stats_sort(values, n);
	return n;
}

static struct spread
series_spread(const struct series *series, enum xfer_state state, size_t offset)
{
	double values[RUNS_MAX];
	size_t n = series_gather(series, state, offset, values);

	return (struct spread){
		.median = stats_quantile(values, n, 0.5),
		.min = values[0],
		.max = values[n - 1],
		.p90 = stats_quantile(values, n, 0.9),
	};
}

static double
series_ratio(const struct series *series, enum xfer_state state)
{
	double ratios[RUNS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < series->count; i++) {
		const struct sample *sample = &series->samples[i];

		if (series_counts(sample, state))
			ratios[n++] =
			    sample->raw > 0 ? sample->value / sample->raw : 0;
	}
	stats_sort(ratios, n);
	return stats_quantile(ratios, n, 0.5);
}

/* What is common to the runs: their state, and the worst measurement. */
static void
series_states(const struct series *series, enum xfer_state state,
    struct summary *sum)
{
	sum->xfer_ns = XFER_NONE;
	for (size_t i = 0; i < series->count; i++) {
		const struct sample *sample = &series->samples[i];

		if (!series_counts(sample, state))
			continue;
		if (sum->runs == 0)
			sum->state = sample->state;
		else if (sample->state != sum->state)
			sum->state = XFER_MIXED;
		if (sample->xfer_before_ns > sum->xfer_ns)
			sum->xfer_ns = sample->xfer_before_ns;
		if (sample->xfer_after_ns > sum->xfer_ns)
			sum->xfer_ns = sample->xfer_after_ns;
		sum->runs++;
	}
}

bool
series_summarize(const struct series *series, enum xfer_state state,
    struct summary *sum)
{
	memset(sum, 0, sizeof(*sum));
	series_states(series, state, sum);
	if (sum->runs == 0)
		return false;
	sum->value = series_spread(series, state, FIELD(value));
	sum->ns = series_spread(series, state, FIELD(ns));
	sum->ops = series_spread(series, state, FIELD(ops)).median;
	sum->raw = series_spread(series, state, FIELD(raw)).median;
	sum->cpu_s = series_spread(series, state, FIELD(cpu_s)).median;
	sum->sent = series_spread(series, state, FIELD(sent)).median;
	sum->spawned = series_spread(series, state, FIELD(spawned)).median;
	sum->steals = series_spread(series, state, FIELD(steals)).median;
	sum->parks = series_spread(series, state, FIELD(parks)).median;
	sum->wakeups = series_spread(series, state, FIELD(wakeups)).median;
	sum->asides = series_spread(series, state, FIELD(asides)).median;
	sum->peak_kb = series_spread(series, state, FIELD(peak_kb)).max;
	sum->preempted = series_spread(series, state, FIELD(preempted)).max;
	sum->ratio = series_ratio(series, state);
	return true;
}

bool
series_conclude(const struct series *series, struct summary *sum)
{
	struct summary far;

	if (!series_is_time(series))
		return series_summarize(series, SERIES_ANY, sum);
	if (!series_summarize(series, XFER_FAR, &far))
		far.runs = 0;
	if (series_summarize(series, XFER_NEAR, sum) && sum->runs >= far.runs)
		return true;
	if (far.runs == 0)
		return series_summarize(series, SERIES_ANY, sum);
	*sum = far;
	return true;
}
