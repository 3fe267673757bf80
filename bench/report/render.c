/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * render.c - `troupe-bench report`: from a file of results to a report, plain
 * or as a page.
 */
#include "render.h"

#include "page.h"
#include "plain.h"
#include "run.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char render_usage[] =
    "usage: troupe-bench report FILE [--output PAGE]\n"
    "\n"
    "Print a report of the results in FILE, which `run --output FILE` or\n"
    "`run --json` has written.\n"
    "\n"
    "  -o, --output PAGE  write it to PAGE instead, as a page of HTML that needs\n"
    "                     no other file; the results are in it\n"
    "  --help             print this and end\n"
    "\n"
    "Exit codes: 0, whatever the report says; 1 when it cannot be written; 2 for\n"
    "a wrong call, and when there are no results.\n";

static bool
render_page(const char *output, const char *path, const struct results *results,
    const struct findings *findings)
{
	FILE *out = fopen(output, "we");
	bool ok = out != NULL;

	if (ok) {
		ok = page_write(out, results, findings, path);
		ok = ferror(out) == 0 && ok;
		ok = fclose(out) == 0 && ok;
	}
	if (!ok)
		(void)fprintf(stderr, "bench: cannot write %s: %s\n", output,
		    strerror(errno));
	return ok;
}

/* Whether writing the page would be the end of the results. */
static bool
render_is_same(const char *output, const char *path)
{
	struct stat a;
	struct stat b;

	return stat(output, &a) == 0 && stat(path, &b) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static int
render_file(const char *path, const char *output)
{
	struct results results;
	struct findings findings = { .list = NULL };
	int code = RUN_EXIT_USAGE;

	if (!results_read(&results, path))
		goto done;
	if (output != NULL && render_is_same(output, path)) {
		(void)fprintf(stderr, "bench: %s holds the results\n", output);
		goto done;
	}
	code = RUN_EXIT_FAILED;
	if (!findings_collect(&findings, &results)) {
		(void)fprintf(stderr, "bench: out of memory\n");
		goto done;
	}
	if (output != NULL) {
		if (render_page(output, path, &results, &findings))
			code = EXIT_SUCCESS;
		goto done;
	}
	plain_report(stdout, &results, &findings);
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		code = EXIT_SUCCESS;
	else
		(void)fprintf(stderr, "bench: cannot write the report: %s\n",
		    strerror(errno));
done:
	findings_free(&findings);
	results_free(&results);
	return code;
}

int
render_main(int argc, char *argv[])
{
	static const struct option known[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *output = NULL;
	bool ok = true;
	int letter;

	while ((letter = getopt_long(argc, argv, "o:", known, NULL)) != -1) {
		switch (letter) {
		case 'o': output = optarg; break;
		case 'h':
			(void)fputs(render_usage, stdout);
			return EXIT_SUCCESS;
		default: ok = false; break;
		}
	}
	if (ok && argc - optind != 1) {
		(void)fprintf(stderr, "bench: report takes one file\n");
		ok = false;
	}
	if (!ok) {
		(void)fprintf(stderr, "Try 'troupe-bench report --help'.\n");
		return RUN_EXIT_USAGE;
	}
	return render_file(argv[optind], output);
}
