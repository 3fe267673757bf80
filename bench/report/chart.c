/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chart.c - the report's pictures, as SVG.
 *
 * Places across are in per cent of the width, sizes and places down in pixels.
 * So a picture fills whatever width there is, a telephone's or a desk's, and
 * its letters and symbols keep their size.  There is no script in it.  Colours
 * come from the page's style (the classes c0 to c7, a runtime each); nothing
 * depends on them alone: every runtime has its symbol, and what is not judged
 * is hollow.
 */
#include "chart.h"

#include "html.h"
#include "words.h"

#include <math.h>
#include <string.h>

/* ------------------------------------------------------------- symbols --- */

static void
chart_symbol(FILE *out, double x_percent, double y, int runtime, bool judged)
{
	static const char *const paths[RESULTS_RUNTIMES] = {
		"M-5.5 0a5.5 5.5 0 1 0 11 0a5.5 5.5 0 1 0 -11 0z", /* circle */
		"M-4.5 -4.5h9v9h-9z",
		"M0 -5.5L5.5 4.5H-5.5z", /* triangle */
		"M0 -6L6 0L0 6L-6 0z", /* diamond */
		"M0 5.5L5.5 -4.5H-5.5z",
		"M-2 -5.5h4v3.5h3.5v4h-3.5v3.5h-4v-3.5h-3.5v-4h3.5z", /* plus */
		"M-6 -3h12v6h-12z",
		"M-3 -6h6v12h-6z",
	};

	(void)fprintf(out,
	    "<svg x=\"%.2f%%\" y=\"%.1f\" class=\"c%d%s\" overflow=\"visible\">"
	    "<path d=\"%s\"/></svg>",
	    x_percent, y, runtime, judged ? "" : " nj", paths[runtime]);
}

void
chart_legend(FILE *out, const struct results *results, int first)
{
	(void)fprintf(out, "<p class=\"legend\">");
	for (int i = first; i < results->runtimes_count; i++) {
		(void)fprintf(out,
		    "<span><svg width=\"14\" height=\"14\" aria-hidden=\"true\">");
		chart_symbol(out, 50, 7, i, true);
		(void)fprintf(out, "</svg> ");
		html_text(out, results->runtimes[i]);
		(void)fprintf(out, "</span> ");
	}
	(void)fprintf(out,
	    "<span><svg width=\"14\" height=\"14\" aria-hidden=\"true\">");
	chart_symbol(out, 50, 7, first, false);
	(void)fprintf(out, "</svg> hollow or pale: not judged</span></p>\n");
}

/* The picture's beginning: its size, its name and what it shows. */
static void
chart_begin(FILE *out, const char *id, size_t nth, int height,
    const char *title)
{
	(void)fprintf(out,
	    "<svg class=\"chart\" role=\"img\" width=\"100%%\" height=\"%d\" "
	    "aria-labelledby=\"%s%zu-t %s%zu-d\"><title id=\"%s%zu-t\">",
	    height, id, nth, id, nth, id, nth);
	html_text(out, title);
	(void)fprintf(out, "</title><desc id=\"%s%zu-d\">", id, nth);
}

/* ---------------------------------------------------------------- dots --- */

#define DOTS_LEFT  31.0 /* per cent */
#define DOTS_RIGHT 97.0
enum { DOTS_ROW = 25, DOTS_TOP = 26 };

/* An axis of logarithms. */
struct axis {
	double low;
	double high;
};

static double
axis_at(const struct axis *axis, double value)
{
	return DOTS_LEFT +
	    (DOTS_RIGHT - DOTS_LEFT) * (log10(value) - axis->low) /
	    (axis->high - axis->low);
}

/* Names of different suites may be the same, so these are shown: at the first
 * row of each. */
static bool
dots_is_suite(const struct result_bench *bench, const char **suite)
{
	if (*suite != NULL && strcmp(*suite, bench->first->suite) == 0)
		return false;
	*suite = bench->first->suite;
	return true;
}

/* The axis, and how many rows there are, those with suites' names too. */
static size_t
dots_axis(const struct results *results, const struct chart_dots *chart,
    struct axis *axis)
{
	const char *suite = NULL;
	size_t rows = 0;
	bool judged;

	*axis = (struct axis){ .low = chart->one ? -0.1 : INFINITY,
		.high = chart->one ? 0.1 : -INFINITY };
	for (size_t b = 0; b < results->benches_count; b++) {
		bool any = false;

		for (int i = 0; i < results->runtimes_count; i++) {
			double value = chart->figure(results,
			    &results->benches[b], i, &judged);

			if (!(value > 0))
				continue;
			any = true;
			axis->low = fmin(axis->low, log10(value));
			axis->high = fmax(axis->high, log10(value));
		}
		if (any)
			rows +=
			    1U + dots_is_suite(&results->benches[b], &suite);
	}
	axis->low -= 0.08;
	axis->high += 0.08;
	return rows;
}

static void
dots_grid(FILE *out, const struct chart_dots *chart, const struct axis *axis,
    int height)
{
	static const double steps[] = { 1, 2, 5 };
	size_t few = axis->high - axis->low < 1.7 ? 3 : 1;

	if (chart->one)
		(void)fprintf(out,
		    "<rect class=\"lose\" x=\"%.2f%%\" y=\"%d\" "
		    "width=\"%.2f%%\" height=\"%d\"/>",
		    DOTS_LEFT, DOTS_TOP, axis_at(axis, 1) - DOTS_LEFT,
		    height - DOTS_TOP);
	for (int decade = (int)floor(axis->low); decade <= axis->high;
	     decade++) {
		for (size_t i = 0; i < few; i++) {
			double value = steps[i] * pow(10, decade);
			double x = axis_at(axis, value);

			if (x < DOTS_LEFT || x > DOTS_RIGHT)
				continue;
			(void)fprintf(out,
			    "<line class=\"grid%s\" x1=\"%.2f%%\" "
			    "x2=\"%.2f%%\" y1=\"%d\" y2=\"%d\"/>"
			    "<text class=\"tick\" x=\"%.2f%%\" y=\"%d\">%g%s"
			    "</text>",
			    chart->one && decade == 0 && i == 0 ? " unit" : "",
			    x, x, DOTS_TOP - 6, height, x, DOTS_TOP - 12, value,
			    chart->unit);
		}
	}
}

static bool
dots_has(const struct results *results, const struct chart_dots *chart,
    const struct result_bench *bench)
{
	bool judged;

	for (int i = 0; i < results->runtimes_count; i++) {
		if (chart->figure(results, bench, i, &judged) > 0)
			return true;
	}
	return false;
}

static void
dots_row(FILE *out, const struct results *results,
    const struct chart_dots *chart, const struct axis *axis,
    const struct result_bench *bench, double y)
{
	double value;
	bool judged;

	(void)fprintf(out, "<g><title>");
	html_text(out, words_name(bench->first).text);
	(void)fprintf(out,
	    "</title><line class=\"row\" x1=\"0\" x2=\"100%%\" "
	    "y1=\"%.1f\" y2=\"%.1f\"/><text x=\"0\" y=\"%.1f\">",
	    y + DOTS_ROW / 2.0, y + DOTS_ROW / 2.0, y + 4);
	html_text(out, bench->first->bench);
	(void)fprintf(out, "</text>");
	/* Ours comes last, so that it lies on top. */
	for (int i = results->runtimes_count - 1; i >= 0; i--) {
		value = chart->figure(results, bench, i, &judged);
		if (value > 0)
			chart_symbol(out, axis_at(axis, value), y, i, judged);
	}
	(void)fprintf(out, "</g>\n");
}

bool
chart_dots(FILE *out, const struct results *results,
    const struct chart_dots *chart)
{
	struct axis axis;
	size_t rows = dots_axis(results, chart, &axis);
	int height = DOTS_TOP + (int)rows * DOTS_ROW;
	const char *suite = NULL;
	double y = DOTS_TOP + DOTS_ROW / 2.0;

	if (rows == 0)
		return false;
	chart_begin(out, chart->id, 0, height, chart->title);
	html_text(out, chart->text);
	(void)fprintf(out, " The figures are in the table below.</desc>\n");
	dots_grid(out, chart, &axis, height);
	for (size_t b = 0; b < results->benches_count; b++) {
		const struct result_bench *bench = &results->benches[b];

		if (!dots_has(results, chart, bench))
			continue;
		if (dots_is_suite(bench, &suite)) {
			(void)fprintf(out,
			    "<text class=\"group\" x=\"0\" y=\"%.1f\">", y + 7);
			html_text(out, suite);
			(void)fprintf(out, "</text>");
			y += DOTS_ROW;
		}
		dots_row(out, results, chart, &axis, bench, y);
		y += DOTS_ROW;
	}
	(void)fprintf(out, "</svg>\n");
	return true;
}

/* ---------------------------------------------------------------- bars --- */

#define BARS_LEFT  21.0 /* per cent */
#define BARS_RIGHT 79.0
enum { BARS_ROW = 21, BARS_HEAD = 22 };

/* What the whole width stands for.  A single run that took many times as long
 * as the others would make all bars short; so its line is cut. */
static double
bars_scale(const struct result_bench *bench)
{
	double most = 0;

	for (size_t i = 0; i < bench->count; i++) {
		const struct result *r = &bench->first[i];
		bool judged;

		if (!r->valid)
			continue;
		most = fmax(most, fmin(r->max, 1.6 * r->value));
		if (result_budget(r, &judged) != BUDGET_NONE &&
		    json_get(r->json, "ratio") == NULL)
			most = fmax(most, result_number(r, "must"));
	}
	return most > 0 ? most * 1.02 : 1;
}

static double
bars_at(double scale, double value)
{
	return BARS_LEFT +
	    (BARS_RIGHT - BARS_LEFT) * fmin(fmax(value, 0) / scale, 1);
}

/* From the quickest to the slowest run, and a dot for each. */
static void
bars_spread(FILE *out, const struct result *r, double scale, double y)
{
	const struct json *samples = json_get(r->json, "samples");
	const struct json *s = samples != NULL ? samples->first : NULL;
	bool all = !r->is_time || strcmp(r->state, "mixed") == 0;

	(void)fprintf(out,
	    "<line class=\"spread%s\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%.1f\" "
	    "y2=\"%.1f\"/>",
	    r->max > scale ? " cut" : "", bars_at(scale, r->min),
	    bars_at(scale, r->max), y, y);
	for (; s != NULL; s = s->next) {
		double value = json_number(s, "value");

		if ((all || strcmp(json_text(s, "state"), r->state) == 0) &&
		    value <= scale)
			(void)fprintf(out,
			    "<circle class=\"run\" cx=\"%.2f%%\" cy=\"%.1f\" "
			    "r=\"2\"/>",
			    bars_at(scale, value), y);
	}
}

static void
bars_budget(FILE *out, const struct result *r, double scale, double y)
{
	static const char *const names[] = { "must", "aim" };
	bool judged;

	if (result_budget(r, &judged) == BUDGET_NONE ||
	    json_get(r->json, "ratio") != NULL)
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		double x = bars_at(scale, result_number(r, names[i]));

		(void)fprintf(out,
		    "<line class=\"%s\" x1=\"%.2f%%\" x2=\"%.2f%%\" "
		    "y1=\"%.1f\" y2=\"%.1f\"/>",
		    names[i], x, x, y - 10, y + 10);
	}
}

static void
bars_row(FILE *out, const struct results *results, const struct result *r,
    double scale, double y)
{
	(void)fprintf(out, "<g class=\"c%d%s\"><title>", r->runtime,
	    r->judged ? "" : " nj");
	html_text(out, results->runtimes[r->runtime]);
	if (r->valid) {
		(void)fprintf(out, ": %u runs, ", r->runs);
		html_text(out, words_value(r->min, r->unit, "µ").text);
		(void)fprintf(out, " to ");
		html_text(out, words_value(r->max, r->unit, "µ").text);
	}
	(void)fprintf(out, "</title><text x=\"0\" y=\"%.1f\">", y + 4);
	html_text(out, results->runtimes[r->runtime]);
	(void)fprintf(out, "</text>");
	if (!r->valid) {
		(void)fprintf(out,
		    "<text class=\"bad\" x=\"%.2f%%\" y=\"%.1f\">not valid"
		    "</text></g>\n",
		    BARS_LEFT, y + 4);
		return;
	}
	(void)fprintf(out,
	    "<rect class=\"bar\" x=\"%.2f%%\" y=\"%.1f\" width=\"%.2f%%\" "
	    "height=\"13\"/>",
	    BARS_LEFT, y - 6.5, bars_at(scale, r->value) - BARS_LEFT);
	bars_spread(out, r, scale, y);
	bars_budget(out, r, scale, y);
	(void)fprintf(out, "<text class=\"value\" x=\"100%%\" y=\"%.1f\">",
	    y + 4);
	html_text(out, words_value(r->value, r->unit, "µ").text);
	(void)fprintf(out, "</text></g>\n");
}

/* How many numbers of workers a benchmark has. */
static int
bars_groups(const struct result_bench *bench)
{
	int groups = 0;

	for (size_t i = 0; i < bench->count; i++)
		groups += i == 0 ||
		    bench->first[i].workers != bench->first[i - 1].workers;
	return groups;
}

void
chart_bars(FILE *out, const struct results *results, size_t nth)
{
	const struct result_bench *bench = &results->benches[nth];
	double scale = bars_scale(bench);
	double y = 4;

	chart_begin(out, "b", nth,
	    bars_groups(bench) * BARS_HEAD + (int)bench->count * BARS_ROW + 6,
	    words_name(bench->first).text);
	(void)fprintf(out,
	    "A bar from zero to the median for each runtime and number of "
	    "workers, a line from its quickest to its slowest run, a dot for "
	    "each run. The figures are in the table below.</desc>\n");
	for (size_t i = 0; i < bench->count; i++) {
		const struct result *r = &bench->first[i];

		if (i == 0 || r->workers != r[-1].workers) {
			(void)fprintf(out,
			    "<text class=\"group\" x=\"0\" y=\"%.1f\">%u "
			    "worker%s</text>",
			    y + 14, r->workers, r->workers == 1 ? "" : "s");
			y += BARS_HEAD;
		}
		bars_row(out, results, r, scale, y + BARS_ROW / 2.0);
		y += BARS_ROW;
	}
	(void)fprintf(out, "</svg>\n");
}

/* ------------------------------------------------------------- scaling --- */

enum { SCALING_HEIGHT = 112, SCALING_BASE = 92, SCALING_TOP = 8 };

#define SCALING_LOW 0.25 /* slower than a quarter is drawn as a quarter */

static double
scaling_x(unsigned workers, unsigned most)
{
	return 8 + 84 * log2(workers) / fmax(log2(most), 1);
}

static double
scaling_y(double times, unsigned most)
{
	double low = log2(SCALING_LOW);
	double high = fmax(log2(most), 1) + 0.2;
	double at = fmin(fmax(log2(times), low), high);

	return SCALING_BASE -
	    (SCALING_BASE - SCALING_TOP) * (at - low) / (high - low);
}

static void
scaling_line(FILE *out, const char *class, double from, double y_from,
    double to, double y_to)
{
	(void)fprintf(out,
	    "<line class=\"%s\" x1=\"%.2f%%\" y1=\"%.1f\" x2=\"%.2f%%\" "
	    "y2=\"%.1f\"/>",
	    class, from, y_from, to, y_to);
}

static void
scaling_runtime(FILE *out, const struct result_bench *bench, int runtime,
    unsigned most)
{
	const struct result *one = results_find(bench, 1, runtime);
	double x_before = scaling_x(1, most);
	double y_before = scaling_y(1, most);
	char class[24];

	if (one == NULL || !one->valid)
		return;
	(void)snprintf(class, sizeof(class), "path c%d", runtime);
	chart_symbol(out, x_before, y_before, runtime, one->judged);
	for (size_t i = 0; i < bench->count; i++) {
		const struct result *r = &bench->first[i];
		struct versus v = results_scaling(bench, r);
		double x;
		double y;

		if (r->runtime != runtime || v.other == NULL)
			continue;
		x = scaling_x(r->workers, most);
		y = scaling_y(v.ratio, most);
		scaling_line(out, class, x_before, y_before, x, y);
		chart_symbol(out, x, y, runtime, v.judged);
		x_before = x;
		y_before = y;
	}
}

void
chart_scaling(FILE *out, const struct results *results, size_t nth,
    unsigned most)
{
	const struct result_bench *bench = &results->benches[nth];

	chart_begin(out, "s", nth, SCALING_HEIGHT,
	    words_name(bench->first).text);
	(void)fprintf(out,
	    "How many times faster each runtime is with more workers than with "
	    "one. The figures are in the table below.</desc>\n");
	scaling_line(out, "grid unit", 3, scaling_y(1, most), 97,
	    scaling_y(1, most));
	scaling_line(out, "limit", 3, scaling_y(1 / 1.25, most), 97,
	    scaling_y(1 / 1.25, most));
	scaling_line(out, "ideal", scaling_x(1, most), scaling_y(1, most),
	    scaling_x(most, most), scaling_y(most, most));
	for (unsigned w = 0; (w = results_next_workers(results, w)) != 0;)
		(void)fprintf(out,
		    "<text class=\"tick\" x=\"%.2f%%\" y=\"%d\">%u</text>",
		    scaling_x(w, most), SCALING_HEIGHT - 3, w);
	for (int i = results->runtimes_count - 1; i >= 0; i--)
		scaling_runtime(out, bench, i, most);
	(void)fprintf(out, "</svg>\n");
}
