/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tables.c - the page's sections that are made of tables.
 *
 * A cell that has a number says it again in data-v, by which the page's script
 * sorts.  What is not judged has a ~ before it.
 */
#include "tables.h"

#include "html.h"
#include "words.h"

#include <string.h>

/* --------------------------------------------------------------- cells --- */

/* A table that is wider than a telephone is scrolled in its own frame. */
static void
table_begin(FILE *out, const char *caption, bool sort)
{
	(void)fprintf(out,
	    "<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
	    "aria-label=\"%s\"><table%s><caption>%s</caption>\n<thead><tr>",
	    caption, sort ? " class=\"sort\"" : "", caption);
}

static void
table_head(FILE *out, const char *name, bool number)
{
	(void)fprintf(out, "<th scope=\"col\"%s>",
	    number ? " class=\"n\"" : "");
	html_text(out, name);
	(void)fprintf(out, "</th>");
}

static void
table_heads(FILE *out, const char *const *names, size_t count, size_t texts)
{
	for (size_t i = 0; i < count; i++)
		table_head(out, names[i], i >= texts);
}

static void
table_body(FILE *out)
{
	(void)fprintf(out, "</tr></thead>\n<tbody>\n");
}

static void
table_end(FILE *out)
{
	(void)fprintf(out, "</tbody></table></div>\n");
}

static void
cell_text(FILE *out, const char *text)
{
	(void)fprintf(out, "<td>");
	html_text(out, text);
	(void)fprintf(out, "</td>");
}

/* With so many decimals; negative: with as many as make four digits. */
static void
cell_number(FILE *out, double number, int decimals)
{
	(void)fprintf(out, "<td class=\"n\" data-v=\"%.6g\">", number);
	if (decimals < 0)
		(void)fprintf(out, "%.4g</td>", number);
	else
		(void)fprintf(out, "%.*f</td>", decimals, number);
}

static void
cell_value(FILE *out, double value, const char *unit, bool judged)
{
	(void)fprintf(out, "<td class=\"n%s\" data-v=\"%.6g\">%s",
	    judged ? "" : " nj", value, judged ? "" : "~");
	html_text(out, words_value(value, unit, "µ").text);
	(void)fprintf(out, "</td>");
}

/* What somebody has chosen. */
static void
cell_exact(FILE *out, double value, const char *unit)
{
	(void)fprintf(out, "<td class=\"n\" data-v=\"%.6g\">", value);
	html_text(out, words_exact(value, unit, "µ").text);
	(void)fprintf(out, "</td>");
}

static void
cell_ratio(FILE *out, double ratio, bool judged)
{
	(void)fprintf(out, "<td class=\"n%s%s\" data-v=\"%.6g\">%s%s%s×</td>",
	    judged ? "" : " nj", ratio < 1 ? " bad" : "", ratio,
	    judged ? "" : "~", ratio < 1 ? "▼ " : "", words_ratio(ratio).text);
}

static void
cell_versus(FILE *out, const struct versus *v)
{
	if (v->other != NULL)
		cell_ratio(out, v->ratio, v->judged);
	else
		(void)fprintf(out, "<td class=\"n\">–</td>");
}

/* A result's figure, or that it was not right. */
static void
cell_result(FILE *out, const struct result *r)
{
	if (r == NULL)
		(void)fprintf(out, "<td class=\"n\">–</td>");
	else if (!r->valid)
		(void)fprintf(out, "<td class=\"n bad\">not valid</td>");
	else
		cell_value(out, r->value, r->unit, r->judged);
}

/* The first cell of a row: a benchmark's name, which leads to its picture. */
static void
cell_bench(FILE *out, const struct result *r)
{
	(void)fprintf(out, "<tr><th scope=\"row\"><a href=\"#bench%zu\">",
	    r->bench_at);
	html_text(out, words_name(r).text);
	(void)fprintf(out, "</a></th>");
}

/* ------------------------------------------------------------ findings --- */

static void
findings_item(FILE *out, const struct results *results, const struct finding *f)
{
	const struct result *r = f->result;
	const char *unit;
	double value = result_budget_value(r, &unit);

	(void)fprintf(out, "<li><a href=\"#bench%zu\">", r->bench_at);
	html_text(out, words_name(r).text);
	(void)fprintf(out, "</a>, %u worker%s: ", r->workers,
	    r->workers == 1 ? "" : "s");
	if (f->kind == FINDING_INVALID) {
		html_text(out, results->runtimes[r->runtime]);
		(void)fprintf(out, " <em>");
		html_text(out, json_text(r->json, "error"));
		(void)fprintf(out, "</em>");
	} else if (f->kind == FINDING_SLOWER) {
		(void)fprintf(out, "<b>%s×</b> the time of ",
		    words_ratio(f->factor).text);
		html_text(out, results->runtimes[f->other->runtime]);
		(void)fprintf(out, " (");
		html_text(out, words_value(r->value, r->unit, "µ").text);
		(void)fprintf(out, " to ");
		html_text(out, words_value(f->other->value, r->unit, "µ").text);
		(void)fprintf(out, ")");
	} else if (f->kind == FINDING_MISSED) {
		(void)fprintf(out, "<b>");
		html_text(out, words_value(value, unit, "µ").text);
		(void)fprintf(out, "</b>, must be ");
		html_text(out,
		    words_exact(result_number(r, "must"), unit, "µ").text);
	} else {
		(void)fprintf(out, "<b>%s×</b> the time of one worker",
		    words_ratio(f->factor).text);
	}
	(void)fprintf(out, "</li>\n");
}

static void
findings_list(FILE *out, const struct results *results,
    const struct findings *findings, enum finding_kind kind, bool judged)
{
	(void)fprintf(out, "<ul>\n");
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *f = &findings->list[i];

		if (f->kind == kind && f->judged == judged)
			findings_item(out, results, f);
	}
	(void)fprintf(out, "</ul>\n");
}

static void
findings_kind(FILE *out, const struct results *results,
    const struct findings *findings, enum finding_kind kind)
{
	static const char *const titles[FINDING_KINDS] = {
		[FINDING_INVALID] = "Not valid",
		[FINDING_SLOWER] = "Slower than a peer",
		[FINDING_MISSED] = "A budget’s “must” is missed",
		[FINDING_SCALING] = "Two workers take over 1.25× as long",
	};
	size_t judged = findings->judged[kind];
	size_t more = findings->counts[kind] - judged;

	if (judged + more == 0)
		return;
	(void)fprintf(out, "<div class=\"finding%s\"><h3>%s</h3>\n",
	    judged > 0 ? " bold" : "", titles[kind]);
	if (judged > 0)
		findings_list(out, results, findings, kind, true);
	else
		(void)fprintf(out, "<p>Nothing that was judged.</p>\n");
	if (more > 0) {
		(void)fprintf(out,
		    "<details%s><summary>%s%zu not judged</summary>\n",
		    judged == 0 ? " open" : "", judged > 0 ? "and " : "", more);
		findings_list(out, results, findings, kind, false);
		(void)fprintf(out, "</details>\n");
	}
	(void)fprintf(out, "</div>\n");
}

void
tables_findings(FILE *out, const struct results *results,
    const struct findings *findings)
{
	(void)fprintf(out,
	    "<section id=\"lose\"><h2>Where we lose</h2>\n"
	    "<div class=\"findings\">\n");
	for (int kind = 0; kind < FINDING_KINDS; kind++)
		findings_kind(out, results, findings, (enum finding_kind)kind);
	if (findings->count == 0)
		(void)fprintf(out,
		    "<p>Nowhere in these results: every result is valid, no "
		    "peer is faster, no budget is missed, no second worker "
		    "makes it slower.</p>\n");
	(void)fprintf(out, "</div></section>\n");
}

/* -------------------------------------------------------------- ratios --- */

static void
ratios_row(FILE *out, const struct results *results,
    const struct result_bench *bench, unsigned workers)
{
	const struct result *ours = results_find(bench, workers, 0);
	struct versus v = results_best(results, bench, workers);
	bool any = false;

	for (int i = 1; i < results->runtimes_count; i++)
		any = any || results_find(bench, workers, i) != NULL;
	if (!any)
		return;
	cell_bench(out, bench->first);
	cell_number(out, workers, 0);
	cell_result(out, ours);
	for (int i = 1; i < results->runtimes_count; i++) {
		const struct result *other = results_find(bench, workers, i);

		cell_result(out, other);
		v = results_versus(ours, other);
		cell_versus(out, &v);
	}
	v = results_best(results, bench, workers);
	cell_versus(out, &v);
	(void)fprintf(out, "</tr>\n");
}

static void
ratios_means(FILE *out, const struct results *results, unsigned workers)
{
	struct mean mean = results_mean(results, 0, workers);

	if (mean.count == 0)
		return;
	(void)fprintf(out, "<tr><th scope=\"row\">geometric mean</th>");
	cell_number(out, workers, 0);
	(void)fprintf(out, "<td></td>");
	for (int i = 1; i <= results->runtimes_count; i++) {
		if (i < results->runtimes_count)
			(void)fprintf(out, "<td></td>");
		mean =
		    results_mean(results, i % results->runtimes_count, workers);
		if (mean.count > 0)
			cell_ratio(out, mean.value, mean.judged);
		else
			(void)fprintf(out, "<td class=\"n\">–</td>");
	}
	(void)fprintf(out, "</tr>\n");
}

void
tables_ratios(FILE *out, const struct results *results)
{
	table_begin(out, "Medians, and how many times as fast we are", true);
	table_head(out, "benchmark", false);
	table_head(out, "workers", true);
	for (int i = 0; i < results->runtimes_count; i++) {
		table_head(out, results->runtimes[i], true);
		if (i > 0)
			table_head(out, "ratio", true);
	}
	table_head(out, "to the best peer", true);
	table_body(out);
	for (unsigned w = 0; (w = results_next_workers(results, w)) != 0;) {
		for (size_t b = 0; b < results->benches_count; b++)
			ratios_row(out, results, &results->benches[b], w);
	}
	(void)fprintf(out, "</tbody><tbody class=\"sum\">\n");
	for (unsigned w = 0; (w = results_next_workers(results, w)) != 0;)
		ratios_means(out, results, w);
	table_end(out);
}

/* ------------------------------------------------------------- budgets --- */

static void
budgets_row(FILE *out, const struct result *r)
{
	static const char *const marks[] = { [BUDGET_NONE] = "",
		[BUDGET_AIM] = "▲ aim",
		[BUDGET_MUST] = "✓ must",
		[BUDGET_MISSED] = "▼ missed" };
	double record = results_record(r);
	const char *unit;
	double value = result_budget_value(r, &unit);
	bool judged;
	enum budget budget = result_budget(r, &judged);

	cell_bench(out, r);
	cell_number(out, r->workers, 0);
	cell_value(out, value, unit, judged);
	cell_exact(out, result_number(r, "must"), unit);
	cell_exact(out, result_number(r, "aim"), unit);
	(void)fprintf(out, "<td class=\"%s%s\" data-v=\"%d\">%s%s</td>",
	    budget == BUDGET_MISSED ? "bad" : "good", judged ? "" : " nj",
	    (int)budget, judged ? "" : "~", marks[budget]);
	if (record > 0 && r->value > 0) {
		cell_exact(out, record, "ns_per_op");
		cell_ratio(out, record / r->value, judged);
	} else {
		(void)fprintf(out,
		    "<td class=\"n\">–</td>"
		    "<td class=\"n\">–</td>");
	}
	(void)fprintf(out, "</tr>\n");
}

void
tables_budgets(FILE *out, const struct results *results)
{
	static const char *const heads[] = { "benchmark", "workers", "measured",
		"must", "aim", "reached", "peer of record", "ratio" };
	struct mean mean = results_record_mean(results);
	bool any = false;
	bool judged;

	for (size_t i = 0; i < results->count; i++)
		any = any ||
		    result_budget(&results->list[i], &judged) != BUDGET_NONE;
	if (!any)
		return;
	(void)fprintf(out,
	    "<section id=\"budgets\"><h2>Budgets</h2>\n<p>What a release must "
	    "reach, and what it aims at, with two workers, in full size, near; "
	    "a figure without a unit is a quotient. The <i>peer of record</i> "
	    "is what the best peer took when the budgets were set; the "
	    "geometric mean beside it must be 2 and aims at 3.</p>\n");
	table_begin(out, "Budgets", true);
	table_heads(out, heads, sizeof(heads) / sizeof(heads[0]), 1);
	table_body(out);
	for (size_t i = 0; i < results->count; i++) {
		if (result_budget(&results->list[i], &judged) != BUDGET_NONE)
			budgets_row(out, &results->list[i]);
	}
	if (mean.count > 0) {
		(void)fprintf(out,
		    "</tbody><tbody class=\"sum\"><tr><th scope=\"row\" "
		    "colspan=\"7\">geometric mean of %s, beside the peers of "
		    "record</th>",
		    words_mean(&mean).text);
		cell_ratio(out, mean.value, mean.judged);
		(void)fprintf(out, "</tr>\n");
	}
	table_end(out);
	(void)fprintf(out, "</section>\n");
}

/* ------------------------------------------------------------- figures --- */

/* What tr_stats() has counted; a peer's series has none of it. */
static void
figures_counter(FILE *out, const struct result *r, const char *name)
{
	if (json_get(r->json, name) != NULL)
		cell_number(out, result_number(r, name), 0);
	else
		(void)fprintf(out, "<td class=\"n\">–</td>");
}

static void
figures_row(FILE *out, const struct results *results, const struct result *r)
{
	static const char *const counters[] = { "sent", "steals", "parks",
		"wakeups", "asides" };
	const double values[] = { r->value, r->min, r->p90, r->max };

	(void)fprintf(out, "<tr><th scope=\"row\">");
	html_text(out, results->runtimes[r->runtime]);
	(void)fprintf(out, "</th>");
	cell_number(out, r->workers, 0);
	if (!r->valid) {
		(void)fprintf(out,
		    "<td class=\"bad\" colspan=\"15\">not valid: ");
		html_text(out, json_text(r->json, "error"));
		(void)fprintf(out, "</td></tr>\n");
		return;
	}
	cell_text(out, r->judged ? "yes" : words_unjudged(r).text);
	cell_number(out, r->runs, 0);
	cell_number(out, result_number(r, "dropped"), 0);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		cell_value(out, values[i], r->unit, true);
	cell_number(out, result_number(r, "xfer_ns"), 0);
	cell_number(out, r->peak_mb, 1);
	cell_number(out, r->cpu_s, -1);
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		figures_counter(out, r, counters[i]);
	(void)fprintf(out, "</tr>\n");
}

void
tables_figures(FILE *out, const struct results *results,
    const struct result_bench *bench)
{
	static const char *const heads[] = { "runtime", "workers", "judged",
		"runs", "dropped", "median", "min", "90 %", "max", "xfer ns",
		"peak MB", "cpu s", "sent", "steals", "parks", "wake-ups",
		"asides" };

	table_begin(out, "All figures of this benchmark", true);
	table_heads(out, heads, sizeof(heads) / sizeof(heads[0]), 1);
	table_body(out);
	for (size_t i = 0; i < bench->count; i++)
		figures_row(out, results, &bench->first[i]);
	table_end(out);
}

/* ------------------------------------------------------------- scaling --- */

static void
scaling_row(FILE *out, const struct results *results,
    const struct result_bench *bench, int runtime)
{
	const struct result *one = results_find(bench, 1, runtime);
	struct versus v;
	bool any = false;

	for (size_t i = 0; i < bench->count; i++) {
		v = results_scaling(bench, &bench->first[i]);
		any = any ||
		    (bench->first[i].runtime == runtime && v.other != NULL);
	}
	if (!any)
		return;
	cell_bench(out, one);
	cell_text(out, results->runtimes[runtime]);
	cell_result(out, one);
	for (unsigned w = 1; (w = results_next_workers(results, w)) != 0;) {
		const struct result *r = results_find(bench, w, runtime);

		v = r != NULL ? results_scaling(bench, r) :
				(struct versus){ .other = NULL };
		cell_versus(out, &v);
	}
	(void)fprintf(out, "</tr>\n");
}

void
tables_scaling(FILE *out, const struct results *results)
{
	char head[32];

	table_begin(out, "Times as fast as with one worker", true);
	table_head(out, "benchmark", false);
	table_head(out, "runtime", false);
	table_head(out, "1 worker", true);
	for (unsigned w = 1; (w = results_next_workers(results, w)) != 0;) {
		(void)snprintf(head, sizeof(head), "%u workers", w);
		table_head(out, head, true);
	}
	table_body(out);
	for (size_t b = 0; b < results->benches_count; b++) {
		for (int i = 0; i < results->runtimes_count; i++)
			scaling_row(out, results, &results->benches[b], i);
	}
	table_end(out);
}

/* -------------------------------------------------------------- memory --- */

static void
memory_row(FILE *out, const struct results *results,
    const struct result_bench *bench)
{
	cell_bench(out, bench->first);
	for (int i = 0; i < results->runtimes_count; i++) {
		const struct result *r =
		    results_find(bench, results->workers, i);

		if (r != NULL && r->valid) {
			cell_number(out, r->peak_mb, 1);
			cell_number(out, r->cpu_s, -1);
		} else {
			(void)fprintf(out,
			    "<td class=\"n\">–</td>"
			    "<td class=\"n\">–</td>");
		}
	}
	(void)fprintf(out, "</tr>\n");
}

void
tables_memory(FILE *out, const struct results *results)
{
	char head[64];

	table_begin(out, "Peak memory and processor time of a run", true);
	table_head(out, "benchmark", false);
	for (int i = 0; i < results->runtimes_count; i++) {
		(void)snprintf(head, sizeof(head), "%.48s MB",
		    results->runtimes[i]);
		table_head(out, head, true);
		table_head(out, "cpu s", true);
	}
	table_body(out);
	for (size_t b = 0; b < results->benches_count; b++)
		memory_row(out, results, &results->benches[b]);
	table_end(out);
}
