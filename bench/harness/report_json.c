/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_json.c - results as JSON; bench/README.md describes the members.
 */
#include "report.h"

#include "list.h"
#include "machine.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

static void
json_string(FILE *out, const char *text)
{
	(void)fputc('"', out);
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			(void)fprintf(out, "\\%c", c);
		else if (c < ' ' || c >= 127)
			(void)fprintf(out, "\\u%04x", c);
		else
			(void)fputc(c, out);
	}
	(void)fputc('"', out);
}

static void
json_member(FILE *out, const char *name, const char *text)
{
	(void)fprintf(out, ",\"%s\":", name);
	json_string(out, text);
}

static const char *
json_bool(bool value)
{
	return value ? "true" : "false";
}

static void
json_params(FILE *out, const char *name, const struct series *series,
    const uint64_t value_of[BENCH_PARAMS])
{
	const struct bench_param *params = series->bench->params;

	(void)fprintf(out, ",\"%s\":{", name);
	for (int i = 0; i < BENCH_PARAMS && params[i].name != NULL; i++)
		(void)fprintf(out, "%s\"%s\":%" PRIu64, i > 0 ? "," : "",
		    params[i].name, value_of[i]);
	(void)fprintf(out, "}");
}

/* What a peer was run with, where that is less than the parameters say. */
static void
json_limited(FILE *out, const struct series *series)
{
	uint64_t limited[BENCH_PARAMS];

	memcpy(limited, series->value_of, sizeof(limited));
	if (series->peer != NULL &&
	    peer_limit(series->peer, series->bench, limited))
		json_params(out, "limited", series, limited);
}

static void
json_summary(FILE *out, const struct series *series, const struct summary *sum)
{
	(void)fprintf(out,
	    ",\"ns\":%.0f,\"min_ns\":%.0f,\"max_ns\":%.0f,\"p90_ns\":%.0f"
	    ",\"ops\":%.0f",
	    sum->ns.median, sum->ns.min, sum->ns.max, sum->ns.p90, sum->ops);
	json_member(out, "unit", series_unit(series));
	(void)fprintf(out,
	    ",\"value\":%.4f,\"min\":%.4f,\"max\":%.4f,\"p90\":%.4f",
	    sum->value.median, sum->value.min, sum->value.max, sum->value.p90);
	if (sum->raw > 0)
		(void)fprintf(out, ",\"raw\":%.4f,\"ratio\":%.4f", sum->raw,
		    sum->ratio);
	(void)fprintf(out,
	    ",\"peak_mb\":%.2f,\"cpu_s\":%.4f,\"preempted\":%.0f",
	    sum->peak_kb / 1024, sum->cpu_s, sum->preempted);
	if (series->peer == NULL)
		(void)fprintf(out,
		    ",\"sent\":%.0f,\"spawned\":%.0f,\"steals\":%.0f"
		    ",\"parks\":%.0f,\"wakeups\":%.0f,\"asides\":%.0f",
		    sum->sent, sum->spawned, sum->steals, sum->parks,
		    sum->wakeups, sum->asides);
	if (series->bench->budget && series->peer == NULL)
		(void)fprintf(out, ",\"must\":%g,\"aim\":%g",
		    series->bench->must, series->bench->aim);
}

static void
json_samples(FILE *out, const struct series *series)
{
	(void)fprintf(out, ",\"samples\":[");
	for (size_t i = 0; i < series->count; i++) {
		const struct sample *s = &series->samples[i];

		(void)fprintf(out,
		    "%s{\"ns\":%.0f,\"value\":%.4f,\"state\":\"%s\""
		    ",\"xfer_ns\":[%.1f,%.1f],\"pace\":%.2f"
		    ",\"peak_mb\":%.2f,\"cpu_s\":%.4f}",
		    i > 0 ? "," : "", s->ns, s->value,
		    xfer_state_name(s->state), s->xfer_before_ns,
		    s->xfer_after_ns, s->pace, s->peak_kb / 1024, s->cpu_s);
	}
	(void)fprintf(out, "]");
}

static void
json_series(FILE *out, const struct series *series)
{
	const struct bench_case *c = series->bench;
	struct summary sum;
	bool any = series_conclude(series, &sum);

	(void)fprintf(out, "{\"bench\":");
	json_string(out, c->name);
	json_member(out, "suite", c->suite);
	if (c->group != NULL)
		json_member(out, "group", c->group);
	json_member(out, "runtime", series_runtime(series));
	(void)fprintf(out, ",\"workers\":%u", series->workers);
	json_member(out, "size", bench_size_name(series->size));
	json_params(out, "params", series, series->value_of);
	json_limited(out, series);
	(void)fprintf(out, ",\"valid\":%s,\"judged\":%s",
	    json_bool(report_is_valid(series)),
	    json_bool(any && report_is_judged(series, &sum)));
	(void)fprintf(out, ",\"xfer_ns\":%.1f",
	    any ? sum.xfer_ns : series->error_xfer_ns);
	json_member(out, "state",
	    xfer_state_name(any ? sum.state : XFER_MIXED));
	(void)fprintf(out, ",\"runs\":%zu,\"dropped\":%zu,\"failed\":%zu",
	    any ? sum.runs : 0, series->count - (any ? sum.runs : 0),
	    series->failed);
	if (series->failed > 0)
		json_member(out, "error", series->error);
	if (any)
		json_summary(out, series, &sum);
	else
		(void)fprintf(out, ",\"ns\":null,\"value\":null");
	json_member(out, "op", c->op);
	if (c->note != NULL)
		json_member(out, "note", c->note);
	json_samples(out, series);
	(void)fprintf(out, "}");
}

void
report_json_lines(FILE *out, const struct rounds *rounds)
{
	for (size_t i = 0; i < rounds->count; i++) {
		json_series(out, &rounds->series[i]);
		(void)fprintf(out, "\n");
	}
}

static void
json_machine(FILE *out)
{
	char text[128];

	(void)fprintf(out, " \"machine\":{\"cpus\":%d,\"memory_mb\":%.0f",
	    xfer_cpus(), machine_memory_mb());
	machine_cpu(text, sizeof(text));
	json_member(out, "cpu", text);
	machine_kernel(text, sizeof(text));
	json_member(out, "kernel", text);
	(void)fprintf(out, "},\n");
}

static void
json_build(FILE *out)
{
	(void)fprintf(out, " \"build\":{\"version\":\"%d.%d.%d\"",
	    TR_VERSION_MAJOR, TR_VERSION_MINOR, TR_VERSION_PATCH);
	json_member(out, "compiler", MACHINE_COMPILER);
	(void)fprintf(out, "},\n");
}

/* Of those that were run. */
static void
json_peers(FILE *out, const struct rounds *rounds)
{
	const char *separator = "";
	char text[128];
	bool ran;

	(void)fprintf(out, " \"peers\":{");
	for (int i = 0; i < PEERS; i++) {
		ran = false;
		for (size_t s = 0; s < rounds->count; s++)
			ran = ran || rounds->series[s].peer == peer_at(i);
		if (!ran)
			continue;
		peer_version(peer_at(i), text, sizeof(text));
		(void)fprintf(out, "%s\"%s\":", separator,
		    peer_runtime(peer_at(i)));
		json_string(out, text);
		separator = ",";
	}
	(void)fprintf(out, "},\n");
}

static void
json_options(FILE *out, const struct rounds_options *options)
{
	(void)fprintf(out,
	    " \"options\":{\"iterations\":%u,\"warm_up\":%u,\"pin\":%s"
	    ",\"near_ns\":%g,\"far_ns\":%g,\"timeout_s\":%u"
	    ",\"time_limit_s\":%g},\n",
	    options->iterations, options->warm_up, json_bool(options->pin),
	    options->limits.near_ns, options->limits.far_ns, options->timeout_s,
	    options->budget_s);
}

void
report_json(FILE *out, const struct rounds *rounds,
    const struct report_head *head)
{
	time_t began = (time_t)head->began_s;
	struct tm tm;
	char date[32];

	(void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ",
	    gmtime_r(&began, &tm));
	(void)fprintf(out,
	    "{\"schema\":\"" REPORT_SCHEMA "\",\n"
	    " \"began\":\"%s\",\"took_s\":%.1f,\"complete\":%s,\n",
	    date, head->took_s, json_bool(head->complete));
	json_machine(out);
	json_build(out);
	json_peers(out, rounds);
	json_options(out, &rounds->options);
	(void)fprintf(out, " \"results\":[");
	for (size_t i = 0; i < rounds->count; i++) {
		(void)fprintf(out, i > 0 ? ",\n" : "\n");
		json_series(out, &rounds->series[i]);
	}
	(void)fprintf(out, "\n]}\n");
}
