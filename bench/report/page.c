/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page.c - the report as a page of HTML.
 *
 * One file that needs no other and no network: its style (page.css) and script
 * (page.js) are in it, and so are the results themselves.  Without the script
 * all of it can be read; it sorts tables, changes between light and dark, and
 * hands out the results.
 */
#include "page.h"

#include "chart.h"
#include "html.h"
#include "method.h"
#include "tables.h"
#include "words.h"

#include <string.h>

enum { CARD_REASONS = 4 }; /* so many series are named, and no more */

/* Made of the files of those names by CMake. */
extern const unsigned char page_css[];
extern const unsigned char page_js[];

static bool
page_is(const struct json *json, const char *name, enum json_type type)
{
	const struct json *member = json_get(json, name);

	return member != NULL && member->type == type;
}

/* ---------------------------------------------------------------- head --- */

static void
page_begin(FILE *out, const struct results *results)
{
	const struct json *build = json_get(results->head, "build");
	const struct json *machine = json_get(results->head, "machine");

	(void)fprintf(out,
	    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
	    "<meta charset=\"utf-8\">\n"
	    "<meta http-equiv=\"Content-Security-Policy\" content=\""
	    "default-src 'none'; style-src 'unsafe-inline'; "
	    "script-src 'unsafe-inline'; img-src data:\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, "
	    "initial-scale=1\">\n"
	    "<meta name=\"color-scheme\" content=\"light dark\">\n"
	    "<title>Troupe: benchmarks</title>\n"
	    "<link rel=\"icon\" href=\"data:,\">\n<style>\n%s</style>\n"
	    "</head>\n<body>\n<header>\n<div class=\"bar\"><h1>Troupe: "
	    "benchmarks</h1><button id=\"theme\" type=\"button\" hidden>"
	    "Light or dark</button></div>\n<p>",
	    (const char *)page_css);
	html_text(out, json_text(results->head, "began"));
	if (build != NULL) {
		(void)fprintf(out, " · Troupe ");
		html_text(out, json_text(build, "version"));
		(void)fprintf(out, " · ");
		html_text(out, json_text(build, "compiler"));
	}
	if (machine != NULL) {
		(void)fprintf(out, " · ");
		html_text(out, json_text(machine, "cpu"));
		(void)fprintf(out, ", %.0f cpus", json_number(machine, "cpus"));
	}
	(void)fprintf(out,
	    "</p>\n<nav aria-label=\"Sections\"><a href=\"#lose\">Where we "
	    "lose</a> <a href=\"#peers\">Peers</a> <a href=\"#benchmarks\">"
	    "Benchmarks</a> <a href=\"#scaling\">Scaling</a> "
	    "<a href=\"#memory\">Memory</a> <a href=\"#method\">Method</a> "
	    "<a href=\"#results\">Data</a></nav>\n</header>\n<main>\n");
}

/* Before any figure, what makes all of them doubtful. */
static void
page_warnings(FILE *out, const struct results *results)
{
	size_t judged = 0;
	size_t small = 0;

	for (size_t i = 0; i < results->count; i++) {
		judged += results->list[i].judged;
		small += strcmp(results->list[i].size, "small") == 0;
	}
	if (page_is(results->head, "complete", JSON_FALSE))
		(void)fprintf(out,
		    "<p class=\"warn\">The run was interrupted: there is less "
		    "here than was asked for.</p>\n");
	if (judged == 0)
		(void)fprintf(out,
		    "<p class=\"warn\">Nothing here was judged: that takes five "
		    "valid runs, near. Read every figure as an "
		    "indication.</p>\n");
	if (small > 0)
		(void)fprintf(out,
		    "<p class=\"warn\">%zu of %zu series were run in small "
		    "sizes, which are made for tests: caches are cold, threads "
		    "still start, no budget holds.</p>\n",
		    small, results->count);
	if (results->left_out > 0)
		(void)fprintf(out,
		    "<p class=\"warn\">%zu series of further runtimes are not "
		    "shown.</p>\n",
		    results->left_out);
}

/* --------------------------------------------------------------- tiles --- */

static void
tile_mean(FILE *out, const struct mean *mean, const char *what)
{
	if (mean->count == 0)
		return;
	(void)fprintf(out, "<li%s><b>%s%s×</b> as fast as ",
	    mean->judged ? "" : " class=\"nj\"", mean->judged ? "" : "~",
	    words_ratio(mean->value).text);
	html_text(out, what);
	(void)fprintf(out, "<small>geometric mean of %s</small></li>\n",
	    words_mean(mean).text);
}

static void
tile_budgets(FILE *out, const struct results *results)
{
	size_t counts[BUDGET_MISSED + 1] = { 0 };
	size_t all = 0;
	bool judged;

	for (size_t i = 0; i < results->count; i++) {
		enum budget budget = result_budget(&results->list[i], &judged);

		all += budget != BUDGET_NONE;
		if (judged)
			counts[budget]++;
	}
	if (all == 0)
		return;
	(void)fprintf(out,
	    "<li><b>%zu of %zu</b> budgets reached"
	    "<small>%zu aim, %zu must, %zu missed, %zu not judged</small>"
	    "</li>\n",
	    counts[BUDGET_AIM] + counts[BUDGET_MUST], all, counts[BUDGET_AIM],
	    counts[BUDGET_MUST], counts[BUDGET_MISSED],
	    all - counts[BUDGET_AIM] - counts[BUDGET_MUST] -
		counts[BUDGET_MISSED]);
}

static void
page_tiles(FILE *out, const struct results *results)
{
	struct mean mean = results_mean(results, 0, results->workers);
	size_t valid = 0;
	size_t judged = 0;

	for (size_t i = 0; i < results->count; i++) {
		valid += results->list[i].valid;
		judged += results->list[i].judged;
	}
	(void)fprintf(out, "<ul class=\"tiles\">\n");
	tile_mean(out, &mean, "the best peer each");
	for (int i = 1; i < results->runtimes_count; i++) {
		mean = results_mean(results, i, results->workers);
		tile_mean(out, &mean, results->runtimes[i]);
	}
	tile_budgets(out, results);
	(void)fprintf(out,
	    "<li><b>%zu of %zu</b> series valid<small>%zu benchmarks, each "
	    "checks its result</small></li>\n"
	    "<li><b>%zu of %zu</b> series judged<small>five valid runs, "
	    "near</small></li>\n</ul>\n",
	    valid, results->count, results->benches_count, judged,
	    results->count);
}

/* --------------------------------------------------------------- peers --- */

static double
page_ratio(const struct results *results, const struct result_bench *bench,
    int runtime, bool *judged)
{
	struct versus v = { .other = NULL };

	if (runtime > 0)
		v = results_versus(results_find(bench, results->workers, 0),
		    results_find(bench, results->workers, runtime));
	*judged = v.judged;
	return v.other != NULL ? v.ratio : 0;
}

static void
page_peers(FILE *out, const struct results *results)
{
	static const struct chart_dots chart = {
		.id = "ratios",
		.title = "How many times as fast as each peer",
		.text = "For each benchmark a symbol for each peer, at its "
			"time divided by ours, on an axis of logarithms. Left "
			"of 1 the peer is faster.",
		.unit = "×",
		.one = true,
		.figure = page_ratio,
	};

	(void)fprintf(out, "<section id=\"peers\"><h2>Beside the peers</h2>\n");
	if (results->runtimes_count == 1) {
		(void)fprintf(out,
		    "<p>No other runtime was run.</p></section>\n");
		return;
	}
	(void)fprintf(out,
	    "<p>The peer’s time divided by ours, %u worker%s: right of 1 we "
	    "are faster, in the shaded part the peer is. All runtimes ran in "
	    "turns, the same work; less of it where a benchmark’s card says "
	    "so.</p>\n",
	    results->workers, results->workers == 1 ? "" : "s");
	chart_legend(out, results, 1);
	if (!chart_dots(out, results, &chart))
		(void)fprintf(out,
		    "<p>There is nothing that can be compared.</p>\n");
	tables_ratios(out, results);
	(void)fprintf(out, "</section>\n");
}

/* ---------------------------------------------------------- benchmarks --- */

static void
card_badges(FILE *out, const struct result_bench *bench)
{
	static const char *const texts[] = { [BUDGET_NONE] = "",
		[BUDGET_AIM] = "▲ aim reached",
		[BUDGET_MUST] = "✓ must reached",
		[BUDGET_MISSED] = "▼ must missed" };
	enum budget budget;
	const char *unit;
	bool judged;

	for (size_t i = 0; i < bench->count; i++) {
		const struct result *r = &bench->first[i];

		budget = result_budget(r, &judged);
		if (budget == BUDGET_NONE)
			continue;
		(void)fprintf(out,
		    "<p class=\"budget\"><span class=\"badge %s%s\">%s%s</span>"
		    " must ",
		    budget == BUDGET_MISSED ? "bad" : "good",
		    judged ? "" : " nj", judged ? "" : "~", texts[budget]);
		(void)result_budget_value(r, &unit);
		html_text(out,
		    words_exact(result_number(r, "must"), unit, "µ").text);
		(void)fprintf(out, ", aim ");
		html_text(out,
		    words_exact(result_number(r, "aim"), unit, "µ").text);
		if (json_get(r->json, "ratio") != NULL)
			(void)fprintf(out, " times the raw round trip: %s",
			    words_ratio(result_number(r, "ratio")).text);
		(void)fprintf(out, "</p>\n");
	}
}

/* Why series are not judged: once for all, each where they are few, or else
 * how many. */
static void
card_unjudged(FILE *out, const struct results *results,
    const struct result_bench *bench)
{
	size_t unjudged = 0;
	size_t same = 0;

	for (size_t i = 0; i < bench->count; i++) {
		unjudged += !bench->first[i].judged;
		same += strcmp(words_unjudged(&bench->first[i]).text,
			    words_unjudged(bench->first).text) == 0;
	}
	if (unjudged == 0)
		return;
	(void)fprintf(out, "<p class=\"why\">~ Not judged: ");
	if (same == bench->count) {
		(void)fprintf(out, "all (");
		html_text(out, words_unjudged(bench->first).text);
		(void)fprintf(out, ").</p>\n");
		return;
	}
	if (unjudged > CARD_REASONS) {
		(void)fprintf(out, "%zu of %zu, see the figures.</p>\n",
		    unjudged, bench->count);
		return;
	}
	for (size_t i = 0; i < bench->count; i++) {
		const struct result *r = &bench->first[i];

		if (r->judged)
			continue;
		html_text(out, results->runtimes[r->runtime]);
		(void)fprintf(out, " with %u (", r->workers);
		html_text(out, words_unjudged(r).text);
		(void)fprintf(out, --unjudged > 0 ? "), " : ").</p>\n");
	}
}

static void
card_errors(FILE *out, const struct results *results,
    const struct result_bench *bench)
{
	for (size_t i = 0; i < bench->count; i++) {
		const struct result *r = &bench->first[i];

		if (r->valid)
			continue;
		(void)fprintf(out, "<p class=\"bad\">▼ ");
		html_text(out, results->runtimes[r->runtime]);
		(void)fprintf(out, " with %u: %.0f runs failed: ", r->workers,
		    result_number(r, "failed"));
		html_text(out, json_text(r->json, "error"));
		(void)fprintf(out, "</p>\n");
	}
}

/* Which peers were run with less, so that a run does not take for ever. */
static void
card_limited(FILE *out, const struct results *results,
    const struct result_bench *bench)
{
	unsigned said = 0;

	for (size_t i = 0; i < bench->count; i++) {
		const struct result *r = &bench->first[i];

		if (json_get(r->json, "limited") == NULL ||
		    (said >> r->runtime & 1) != 0)
			continue;
		(void)fprintf(out, "%s",
		    said == 0 ? "<p class=\"op\"><small>Run with less: " :
				"; ");
		html_text(out, results->runtimes[r->runtime]);
		(void)fprintf(out, " with ");
		html_text(out, words_params(r, "limited").text);
		said |= 1u << r->runtime;
	}
	if (said != 0)
		(void)fprintf(out, "</small></p>\n");
}

static void
page_card(FILE *out, const struct results *results, size_t nth)
{
	const struct result_bench *bench = &results->benches[nth];
	const struct json *json = bench->first->json;

	(void)fprintf(out, "<article id=\"bench%zu\"><h4>", nth);
	html_text(out, bench->first->bench);
	if (*json_text(json, "group") != '\0') {
		(void)fprintf(out, " <small>");
		html_text(out, json_text(json, "group"));
		(void)fprintf(out, "</small>");
	}
	(void)fprintf(out, "</h4>\n<p class=\"op\">Per operation: ");
	html_text(out, json_text(json, "op"));
	(void)fprintf(out, ". <small>");
	html_text(out, bench->first->size);
	(void)fprintf(out, ": ");
	html_text(out, words_params(bench->first, "params").text);
	(void)fprintf(out, "</small></p>\n");
	card_limited(out, results, bench);
	card_badges(out, bench);
	chart_bars(out, results, nth);
	card_errors(out, results, bench);
	card_unjudged(out, results, bench);
	if (*json_text(json, "note") != '\0') {
		(void)fprintf(out, "<p class=\"why\">Unlike the original: ");
		html_text(out, json_text(json, "note"));
		(void)fprintf(out, "</p>\n");
	}
	(void)fprintf(out, "<details><summary>Figures</summary>\n");
	tables_figures(out, results, bench);
	(void)fprintf(out, "</details></article>\n");
}

static void
page_benchmarks(FILE *out, const struct results *results)
{
	const char *suite = NULL;

	(void)fprintf(out,
	    "<section id=\"benchmarks\"><h2>Benchmarks</h2>\n<p>Less is "
	    "better. A bar is the median; the line goes from the quickest to "
	    "the slowest run, and each run is a dot; a line that ends in dots "
	    "goes on. <span class=\"key must\"></span> must, "
	    "<span class=\"key aim\"></span> aim.</p>\n");
	chart_legend(out, results, 0);
	for (size_t i = 0; i < results->benches_count; i++) {
		const struct result *first = results->benches[i].first;

		if (suite == NULL || strcmp(suite, first->suite) != 0) {
			if (suite != NULL)
				(void)fprintf(out, "</div>\n");
			suite = first->suite;
			(void)fprintf(out, "<h3>");
			html_text(out, suite);
			(void)fprintf(out, "</h3>\n<div class=\"cards\">\n");
		}
		page_card(out, results, i);
	}
	(void)fprintf(out, "</div></section>\n");
}

/* --------------------------------------------------- scaling and memory --- */

/* The workers of the figures beside the pictures: as many as the machine has
 * cpus for, or else the most there are. */
static unsigned
page_scaled(const struct results *results, unsigned *most)
{
	double cpus = json_number(json_get(results->head, "machine"), "cpus");
	unsigned at = 0;

	*most = 0;
	for (unsigned w = 0; (w = results_next_workers(results, w)) != 0;) {
		*most = w;
		if (w > 1 && (at < 2 || !(cpus > 0) || w <= cpus))
			at = w;
	}
	return at;
}

static bool
page_scales(const struct result_bench *bench)
{
	for (size_t i = 0; i < bench->count; i++) {
		const struct result *r = &bench->first[i];

		if (r->runtime == 0 && results_scaling(bench, r).other != NULL)
			return true;
	}
	return false;
}

static void
page_scaling_one(FILE *out, const struct results *results, size_t nth,
    unsigned at, unsigned most)
{
	const struct result_bench *bench = &results->benches[nth];
	const struct result *ours = results_find(bench, at, 0);
	struct versus v = { .other = NULL };

	(void)fprintf(out, "<figure><figcaption><a href=\"#bench%zu\">", nth);
	html_text(out, bench->first->bench);
	(void)fprintf(out, "</a>");
	if (ours != NULL)
		v = results_scaling(bench, ours);
	if (v.other != NULL)
		(void)fprintf(out, " <b%s>%s%s×</b>",
		    v.judged ? "" : " class=\"nj\"", v.judged ? "" : "~",
		    words_ratio(v.ratio).text);
	(void)fprintf(out, "</figcaption>\n");
	chart_scaling(out, results, nth, most);
	(void)fprintf(out, "</figure>\n");
}

static void
page_scaling(FILE *out, const struct results *results)
{
	unsigned most;
	unsigned at = page_scaled(results, &most);
	const char *suite = NULL;

	(void)fprintf(out, "<section id=\"scaling\"><h2>Scaling</h2>\n");
	if (at == 0) {
		(void)fprintf(out,
		    "<p>One number of workers was run.</p></section>\n");
		return;
	}
	(void)fprintf(out,
	    "<p>How many times as fast as with one worker, on axes of "
	    "logarithms; the figure is ours with %u workers. The grey slope is "
	    "a worker’s worth for each worker, the dashed line the limit: two "
	    "workers may take 1.25× as long as one where nothing can be done "
	    "in parallel. More workers than cpus show the kernel’s "
	    "scheduler.</p>\n",
	    at);
	chart_legend(out, results, 0);
	for (size_t i = 0; i < results->benches_count; i++) {
		const struct result_bench *bench = &results->benches[i];

		if (!page_scales(bench))
			continue;
		if (suite == NULL || strcmp(suite, bench->first->suite) != 0) {
			if (suite != NULL)
				(void)fprintf(out, "</div>\n");
			suite = bench->first->suite;
			(void)fprintf(out, "<h3>");
			html_text(out, suite);
			(void)fprintf(out, "</h3>\n<div class=\"small\">\n");
		}
		page_scaling_one(out, results, i, at, most);
	}
	if (suite != NULL)
		(void)fprintf(out, "</div>\n");
	(void)fprintf(out, "<details><summary>Figures</summary>\n");
	tables_scaling(out, results);
	(void)fprintf(out, "</details></section>\n");
}

static double
page_peak(const struct results *results, const struct result_bench *bench,
    int runtime, bool *judged)
{
	const struct result *r = results_find(bench, results->workers, runtime);

	*judged = true; /* no state of the machine makes it more */
	return r != NULL && r->valid ? r->peak_mb : 0;
}

static void
page_memory(FILE *out, const struct results *results)
{
	static const struct chart_dots chart = {
		.id = "memory",
		.title = "Peak memory in MB",
		.text = "For each benchmark a symbol for each runtime at the "
			"highest resident memory of all runs, on an axis of "
			"logarithms. Less is better.",
		.unit = " MB",
		.figure = page_peak,
	};

	(void)fprintf(out,
	    "<section id=\"memory\"><h2>Memory</h2>\n<p>The highest resident "
	    "memory of all runs, %u worker%s, of the whole process: what the "
	    "runtime needs to be there is in it.</p>\n",
	    results->workers, results->workers == 1 ? "" : "s");
	chart_legend(out, results, 0);
	(void)chart_dots(out, results, &chart);
	(void)fprintf(out,
	    "<details><summary>Figures, and processor time"
	    "</summary>\n");
	tables_memory(out, results);
	(void)fprintf(out, "</details></section>\n");
}

/* ---------------------------------------------------------------- data --- */

static bool
page_data(FILE *out, const struct results *results, const char *path)
{
	bool ok;

	(void)fprintf(out,
	    "<section id=\"results\"><h2>Data</h2>\n<p>All runs of all series "
	    "are in this page, as the element <code>data</code>: JSON as "
	    "<code>bench/README.md</code> describes it, for <code>troupe-bench "
	    "compare</code>.</p>\n<p><button id=\"save\" type=\"button\" hidden>"
	    "Save %s</button></p>\n"
	    "<script type=\"%s\" id=\"data\">\n",
	    results->head != NULL ? "results.json" : "results.jsonl",
	    results->head != NULL ? "application/json" : "application/jsonl");
	ok = html_json(out, path);
	(void)fprintf(out, "</script></section>\n");
	return ok;
}

bool
page_write(FILE *out, const struct results *results,
    const struct findings *findings, const char *path)
{
	bool ok;

	page_begin(out, results);
	page_warnings(out, results);
	page_tiles(out, results);
	tables_findings(out, results, findings);
	page_peers(out, results);
	tables_budgets(out, results);
	page_benchmarks(out, results);
	page_scaling(out, results);
	page_memory(out, results);
	method_write(out, results);
	ok = page_data(out, results, path);
	(void)fprintf(out, "</main>\n<script>\n%s</script>\n</body>\n</html>\n",
	    (const char *)page_js);
	return ok;
}
