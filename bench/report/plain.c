/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plain.c - the report as plain text, for a terminal.
 *
 * First where we lose, then a line for each benchmark and number of workers.
 * Names and errors come from a file, so control characters are not passed on.
 */
#include "plain.h"

#include "words.h"

#include <string.h>

enum { PLAIN_NAME = 26, PLAIN_FIGURE = 10 };

/* A text without what a terminal would obey, in at least `width` columns. */
static void
plain_text(FILE *out, const char *text, size_t width)
{
	size_t columns = 0;

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		(void)fputc(c < ' ' || c == 127 ? '?' : c, out);
		columns += (c & 0xc0) != 0x80; /* bytes that begin a letter */
	}
	for (; columns < width; columns++)
		(void)fputc(' ', out);
}

static void
plain_member(FILE *out, const char *label, const struct json *head,
    const char *name)
{
	if (*json_text(head, name) == '\0')
		return;
	(void)fprintf(out, "%s", label);
	plain_text(out, json_text(head, name), 0);
}

static void
plain_head(FILE *out, const struct results *results)
{
	const struct json *machine = json_get(results->head, "machine");
	const struct json *build = json_get(results->head, "build");
	const struct json *complete = json_get(results->head, "complete");
	size_t judged = 0;
	size_t small = 0;

	for (size_t i = 0; i < results->count; i++) {
		judged += results->list[i].judged;
		small += strcmp(results->list[i].size, "small") == 0;
	}
	plain_member(out, "Troupe ", build, "version");
	plain_member(out, ", ", build, "compiler");
	plain_member(out, "; ", results->head, "began");
	plain_member(out, "\n", machine, "cpu");
	if (machine != NULL)
		(void)fprintf(out, ", %.0f cpus, %.0f MB",
		    json_number(machine, "cpus"),
		    json_number(machine, "memory_mb"));
	plain_member(out, ", ", machine, "kernel");
	(void)fprintf(out,
	    "\n%zu benchmarks, %zu series, %zu of them judged "
	    "(near, five runs, valid); ~ is not judged\n",
	    results->benches_count, results->count, judged);
	if (complete != NULL && complete->type == JSON_FALSE)
		(void)fprintf(out, "INTERRUPTED: there is less than asked\n");
	if (small > 0)
		(void)fprintf(out,
		    "SMALL SIZES in %zu series: made for tests, no budget "
		    "holds\n",
		    small);
	if (results->left_out > 0)
		(void)fprintf(out, "LEFT OUT: %zu series of further runtimes\n",
		    results->left_out);
}

/* ------------------------------------------------------- where we lose --- */

static void
plain_finding(FILE *out, const struct results *results,
    const struct finding *finding)
{
	const struct result *r = finding->result;
	const char *unit;
	double value = result_budget_value(r, &unit);

	(void)fprintf(out, "  %c ", finding->judged ? ' ' : '~');
	plain_text(out, words_name(r).text, PLAIN_NAME);
	(void)fprintf(out, " %2u w  ", r->workers);
	switch (finding->kind) {
	case FINDING_INVALID:
		plain_text(out, results->runtimes[r->runtime], 0);
		(void)fprintf(out, ": NOT VALID: ");
		plain_text(out, json_text(r->json, "error"), 0);
		break;
	case FINDING_SLOWER:
		(void)fprintf(out, "%s times slower than ",
		    words_ratio(finding->factor).text);
		plain_text(out, results->runtimes[finding->other->runtime], 0);
		(void)fprintf(out, ": %s to ",
		    words_value(r->value, r->unit, "u").text);
		(void)fprintf(out, "%s",
		    words_value(finding->other->value, r->unit, "u").text);
		break;
	case FINDING_MISSED:
		(void)fprintf(out, "%s, ", words_value(value, unit, "u").text);
		(void)fprintf(out, "must be %s",
		    words_exact(result_number(r, "must"), unit, "u").text);
		break;
	case FINDING_SCALING:
	case FINDING_KINDS:
		(void)fprintf(out, "%s times the time of one worker",
		    words_ratio(finding->factor).text);
		break;
	}
	(void)fprintf(out, "\n");
}

static void
plain_findings(FILE *out, const struct results *results,
    const struct findings *findings)
{
	static const char *const titles[FINDING_KINDS] = {
		[FINDING_INVALID] = "Not valid",
		[FINDING_SLOWER] = "Slower than a peer",
		[FINDING_MISSED] = "A budget missed",
		[FINDING_SCALING] = "Two workers take over 1.25 times as long",
	};

	(void)fprintf(out, "\nWhere we lose\n");
	for (int kind = 0; kind < FINDING_KINDS; kind++) {
		if (findings->counts[kind] == 0)
			continue;
		(void)fprintf(out, " %s (%zu judged, %zu not)\n", titles[kind],
		    findings->judged[kind],
		    findings->counts[kind] - findings->judged[kind]);
		for (size_t i = 0; i < findings->count; i++) {
			if ((int)findings->list[i].kind == kind)
				plain_finding(out, results, &findings->list[i]);
		}
	}
	if (findings->count == 0)
		(void)fprintf(out, "  nowhere in these results\n");
}

/* --------------------------------------------------------------- table --- */

static void
plain_header(FILE *out, const struct results *results)
{
	(void)fprintf(out, "\n%-*s %2s", PLAIN_NAME, "bench", "w");
	for (int i = 0; i < results->runtimes_count; i++) {
		(void)fprintf(out, "  ");
		plain_text(out, results->runtimes[i], PLAIN_FIGURE);
	}
	(void)fprintf(out, " %8s %8s %8s  %s\n", "to best", "to 1 w", "peak MB",
	    "budget");
}

/* A runtime's figure behind *blanks, which then are those that fill its column:
 * so that no line ends in blanks. */
static void
plain_figure(FILE *out, const struct result *result, int *blanks)
{
	struct words figure = { .text = "NOT VALID" };

	if (result == NULL) {
		*blanks += PLAIN_FIGURE + 2;
		return;
	}
	if (result->valid)
		figure = words_value(result->value, result->unit, "u");
	(void)fprintf(out, "%*s %c%s", *blanks, "",
	    result->valid && !result->judged ? '~' : ' ', figure.text);
	*blanks = PLAIN_FIGURE - (int)strlen(figure.text);
	if (*blanks < 0)
		*blanks = 0;
}

static void
plain_versus(FILE *out, const struct versus *v)
{
	char text[WORDS_BYTES + 2] = "";

	if (v->other != NULL)
		(void)snprintf(text, sizeof(text), "%s%s", v->judged ? "" : "~",
		    words_ratio(v->ratio).text);
	(void)fprintf(out, " %8s", text);
}

/* The end of a row: what ours is beside others and its budget. */
static void
plain_ours(FILE *out, const struct results *results,
    const struct result_bench *bench, const struct result *ours)
{
	struct versus best = results_best(results, bench, ours->workers);
	struct versus scaling = results_scaling(bench, ours);
	bool judged;
	enum budget budget = result_budget(ours, &judged);

	plain_versus(out, &best);
	plain_versus(out, &scaling);
	(void)fprintf(out, " %8.1f", ours->peak_mb);
	if (budget != BUDGET_NONE)
		(void)fprintf(out, "  %s%s (%g/%g)", judged ? "" : "~",
		    words_budget(budget), result_number(ours, "must"),
		    result_number(ours, "aim"));
}

static void
plain_row(FILE *out, const struct results *results,
    const struct result_bench *bench, unsigned workers)
{
	const struct result *ours = results_find(bench, workers, 0);
	int blanks = 0;

	plain_text(out, words_name(bench->first).text, PLAIN_NAME);
	(void)fprintf(out, " %2u", workers);
	for (int i = 0; i < results->runtimes_count; i++)
		plain_figure(out, results_find(bench, workers, i), &blanks);
	if (ours != NULL && ours->valid) {
		(void)fprintf(out, "%*s", blanks, "");
		plain_ours(out, results, bench, ours);
	}
	(void)fprintf(out, "\n");
}

static void
plain_table(FILE *out, const struct results *results)
{
	plain_header(out, results);
	for (size_t i = 0; i < results->benches_count; i++) {
		const struct result_bench *bench = &results->benches[i];
		unsigned last = 0;

		for (size_t k = 0; k < bench->count; k++) {
			if (k > 0 && bench->first[k].workers == last)
				continue;
			last = bench->first[k].workers;
			plain_row(out, results, bench, last);
		}
	}
}

/* --------------------------------------------------------------- means --- */

static void
plain_mean(FILE *out, const char *what, const struct mean *mean)
{
	if (mean->count == 0)
		return;
	(void)fprintf(out, "  %s", mean->judged ? "" : "~");
	(void)fprintf(out, "%s times as fast as ",
	    words_ratio(mean->value).text);
	plain_text(out, what, 0);
	(void)fprintf(out, ": of %s\n", words_mean(mean).text);
}

static void
plain_means(FILE *out, const struct results *results)
{
	struct mean mean;

	for (unsigned w = 0; (w = results_next_workers(results, w)) != 0;) {
		bool begun = false;

		for (int i = 0; i < results->runtimes_count; i++) {
			mean = results_mean(results, i, w);
			if (mean.count == 0)
				continue;
			if (!begun)
				(void)fprintf(out,
				    "\nGeometric means, %u worker%s\n", w,
				    w == 1 ? "" : "s");
			begun = true;
			plain_mean(out,
			    i == 0 ? "the best peer each" :
				     results->runtimes[i],
			    &mean);
		}
	}
	mean = results_record_mean(results);
	if (mean.count == 0)
		return;
	(void)fprintf(out,
	    "\nAgainst the best peers of record (must 2.0, aim 3.0)\n");
	plain_mean(out, "they were when the budgets were set", &mean);
}

void
plain_report(FILE *out, const struct results *results,
    const struct findings *findings)
{
	plain_head(out, results);
	plain_findings(out, results, findings);
	plain_table(out, results);
	plain_means(out, results);
}
