/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * method.c - the page's section on how and on what was measured.
 *
 * The text says in short what bench/README.md says at length; the figures in it
 * are those of this run.
 */
#include "method.h"

#include "html.h"
#include "words.h"

#include <string.h>

static void
method_row(FILE *out, const char *name, const char *text)
{
	if (*text == '\0')
		return;
	(void)fprintf(out, "<tr><th scope=\"row\">");
	html_text(out, name);
	(void)fprintf(out, "</th><td>");
	html_text(out, text);
	(void)fprintf(out, "</td></tr>\n");
}

static void
method_number(FILE *out, const char *name, const struct json *json,
    const char *member, const char *unit)
{
	char text[64];

	if (json_get(json, member) == NULL)
		return;
	(void)snprintf(text, sizeof(text), "%.0f%s", json_number(json, member),
	    unit);
	method_row(out, name, text);
}

/* The cache line's round trip, over all series. */
static void
method_xfer(FILE *out, const struct results *results)
{
	double least = 0;
	double most = 0;
	char text[64];

	for (size_t i = 0; i < results->count; i++) {
		double ns = result_number(&results->list[i], "xfer_ns");

		/* Mixed may mean that the cpus were busy. */
		if (ns <= 0 || strcmp(results->list[i].state, "mixed") == 0)
			continue;
		least = least > 0 && least < ns ? least : ns;
		most = ns > most ? ns : most;
	}
	(void)snprintf(text, sizeof(text), "%.0f to %.0f ns", least, most);
	if (most > 0)
		method_row(out, "cache line, there and back", text);
}

static void
method_machine(FILE *out, const struct results *results)
{
	const struct json *head = results->head;
	const struct json *machine = json_get(head, "machine");
	const struct json *options = json_get(head, "options");
	const struct json *peers = json_get(head, "peers");

	(void)fprintf(out,
	    "<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
	    "aria-label=\"Machine\"><table class=\"pairs\"><caption>Machine "
	    "and run</caption><tbody>\n");
	method_row(out, "processor", json_text(machine, "cpu"));
	method_number(out, "cpus", machine, "cpus", "");
	method_number(out, "memory", machine, "memory_mb", " MB");
	method_row(out, "kernel", json_text(machine, "kernel"));
	method_xfer(out, results);
	method_row(out, "troupe",
	    json_text(json_get(head, "build"), "version"));
	method_row(out, "compiler",
	    json_text(json_get(head, "build"), "compiler"));
	if (peers != NULL) {
		for (const struct json *p = peers->first; p != NULL;
		     p = p->next)
			method_row(out, p->name != NULL ? p->name : "peer",
			    p->text != NULL ? p->text : "");
	}
	method_row(out, "began", json_text(head, "began"));
	method_number(out, "took", head, "took_s", " s");
	method_number(out, "runs of each", options, "iterations", "");
	method_number(out, "warm-up runs", options, "warm_up", "");
	method_number(out, "near is below", options, "near_ns", " ns");
	method_number(out, "far is above", options, "far_ns", " ns");
	if (json_number(options, "time_limit_s") > 0)
		method_number(out, "time limit", options, "time_limit_s", " s");
	(void)fprintf(out, "</tbody></table></div>\n");
}

/* Notes of all benchmarks, in one place, too. */
static void
method_notes(FILE *out, const struct results *results)
{
	bool any = false;

	for (size_t i = 0; i < results->benches_count; i++) {
		const struct result *first = results->benches[i].first;
		const char *note = json_text(first->json, "note");

		if (*note == '\0')
			continue;
		if (!any)
			(void)fprintf(out,
			    "<h3>Unlike the originals</h3>\n<ul>\n");
		any = true;
		(void)fprintf(out, "<li><b>");
		html_text(out, words_name(first).text);
		(void)fprintf(out, "</b>: ");
		html_text(out, note);
		(void)fprintf(out, "</li>\n");
	}
	if (any)
		(void)fprintf(out, "</ul>\n");
}

void
method_write(FILE *out, const struct results *results)
{
	(void)fprintf(out,
	    "<section id=\"method\"><h2>Machine and method</h2>\n"
	    "<div class=\"cards\"><div>\n");
	method_machine(out, results);
	(void)fprintf(out,
	    "</div><div>\n<ul>\n"
	    "<li><b>A process for each run.</b> No pool is warm, no page "
	    "touched; memory is known for each.</li>\n"
	    "<li><b>Every run checks its result,</b> and that every message "
	    "was handled. One wrong run makes the series <i>not valid</i>.</li>\n"
	    "<li><b>Wall time of the work,</b> actors and all; the start and "
	    "stop of the runtime are not in it, in none of them. Processor "
	    "time is the whole process’s: spinning is not free.</li>\n"
	    "<li><b>Rounds in random order:</b> each runs everything once, "
	    "peers right beside ours. A slow minute is slow for all.</li>\n"
	    "<li><b>Near and far.</b> The time a cache line takes from one "
	    "cpu to another and back is measured before and after each run. "
	    "Runs in different states never share a median, and are not "
	    "compared; <i>mixed</i> ones count only where there is nothing "
	    "else.</li>\n"
	    "<li><b>Slowed down.</b> A cpu that shares its core with somebody "
	    "else’s work is up to two times slower. A run waits for "
	    "full speed, for as long as a run takes; near runs that began "
	    "slower are dropped where five others did not.</li>\n"
	    "<li><b>Judged</b> is what has five near runs at least, all valid. "
	    "The rest has a ~ and is hollow or pale: it is no ground for a "
	    "verdict.</li>\n"
	    "<li><b>The best peer</b> is judged where all peers are; a mean is "
	    "of what is judged, and of everything only where nothing is.</li>\n"
	    "<li><b>Priorities</b> of messages, which some programs of Savina "
	    "ask for, are ignored.</li>\n"
	    "</ul></div></div>\n");
	method_notes(out, results);
	(void)fprintf(out, "</section>\n");
}
