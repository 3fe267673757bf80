/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compare.c - `troupe-bench compare`: two files of results, and a verdict where
 * the difference is more than noise.
 *
 * Results of the same benchmark, runtime, workers and parameters are compared,
 * run by run, in a state of the machine that both have met.  There is a verdict
 * when the two-sided test of Mann and Whitney says that equal programs would
 * differ as much in one of a hundred comparisons at most, and when the medians
 * differ by some per cent: what is certain may still be too small to matter.
 */
#include "compare.h"

#include "args.h"
#include "json.h"
#include "run.h"
#include "series.h"
#include "stats.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
	double alpha;
	double threshold_percent;
	bool json;
	bool help;
};

enum verdict { SAME, BETTER, WORSE, FEW, NO_STATE, INVALID, VERDICTS };

static const char *const verdict_names[VERDICTS] = {
	[SAME] = "same",
	[BETTER] = "better",
	[WORSE] = "worse",
	[FEW] = "few runs",
	[NO_STATE] = "no common state",
	[INVALID] = "INVALID",
};

/* One of the two that are compared. */
struct side {
	const char *path;
	const char *only; /* results of this runtime; NULL: of all */
	const struct json *first;
};

struct values {
	double of[RUNS_MAX];
	size_t count;
};

struct comparison {
	const char *state;
	double a; /* medians */
	double b;
	size_t runs_a;
	size_t runs_b;
	double p;
	enum verdict verdict;
};

static const char compare_usage[] =
    "usage: troupe-bench compare A [B] [options]\n"
    "\n"
    "Compare the results in B with those in A: files that `run --output FILE`\n"
    "or `run --json` has written.  With one file: those of this build with\n"
    "those of the other one (`run --against`).\n"
    "\n"
    "  --alpha P      the difference is noise when equal programs would differ\n"
    "                 as much with a probability above P (0.01; two-sided test\n"
    "                 of Mann and Whitney)\n"
    "  --threshold N  nor is it told below N per cent of the medians (3)\n"
    "  --json         print an object per line\n"
    "  --help         print this and end\n"
    "\n"
    "Exit codes: 0; 1 when something is worse or not valid any more; 2 for a\n"
    "wrong call or files that are no results.\n";

/* ------------------------------------------------------------ results --- */

/* The first result of a file: the document's, or the first line's. */
static const struct json *
compare_results(const struct json_file *file)
{
	const struct json *results = json_get(file->first, "results");

	if (results != NULL)
		return results->type == JSON_ARRAY ? results->first : NULL;
	return json_get(file->first, "bench") != NULL ? file->first : NULL;
}

static bool
compare_read(struct json_file *file, const char *path)
{
	if (!json_read(file, path)) {
		if (file->line > 0)
			(void)fprintf(stderr, "bench: %s:%zu: %s\n", path,
			    file->line, file->error);
		else
			(void)fprintf(stderr, "bench: cannot read %s: %s\n",
			    path, file->error);
		return false;
	}
	if (compare_results(file) != NULL)
		return true;
	(void)fprintf(stderr, "bench: %s: these are no results of a run\n",
	    path);
	return false;
}

static bool
compare_same_params(const struct json *a, const struct json *b)
{
	const struct json *x = json_get(a, "params");
	const struct json *y = json_get(b, "params");

	x = x != NULL ? x->first : NULL;
	y = y != NULL ? y->first : NULL;
	while (x != NULL && y != NULL && x->name != NULL && y->name != NULL &&
	    strcmp(x->name, y->name) == 0 && x->number == y->number) {
		x = x->next;
		y = y->next;
	}
	return x == NULL && y == NULL;
}

static bool
compare_same_text(const struct json *a, const struct json *b, const char *name)
{
	return strcmp(json_text(a, name), json_text(b, name)) == 0;
}

/* Whether a result is one of a side's. */
static bool
compare_is_of(const struct json *result, const struct side *side)
{
	return side->only == NULL ||
	    strcmp(json_text(result, "runtime"), side->only) == 0;
}

static bool
compare_is_same(const struct json *a, const struct json *b)
{
	return compare_same_text(a, b, "suite") &&
	    compare_same_text(a, b, "bench") &&
	    json_number(a, "workers") == json_number(b, "workers") &&
	    compare_same_params(a, b);
}

/* The result of a side that is of the same work as another side's. */
static const struct json *
compare_find(const struct side *side, const struct json *like)
{
	for (const struct json *r = side->first; r != NULL; r = r->next) {
		if (compare_is_of(r, side) && compare_is_same(r, like) &&
		    (side->only != NULL ||
			compare_same_text(r, like, "runtime")))
			return r;
	}
	return NULL;
}

static bool
compare_is_valid(const struct json *result)
{
	const struct json *valid = json_get(result, "valid");

	return valid != NULL && valid->type == JSON_TRUE;
}

/* The values of a result's runs in a state (NULL: in any). */
static void
compare_values(const struct json *result, const char *state,
    struct values *values)
{
	const struct json *samples = json_get(result, "samples");
	const struct json *s = samples != NULL ? samples->first : NULL;

	values->count = 0;
	for (; s != NULL && values->count < RUNS_MAX; s = s->next) {
		if (state == NULL || strcmp(json_text(s, "state"), state) == 0)
			values->of[values->count++] = json_number(s, "value");
	}
	stats_sort(values->of, values->count);
}

static bool
compare_is_time(const struct json *result)
{
	const char *unit = json_text(result, "unit");

	return strcmp(unit, "bytes") != 0 && strcmp(unit, "per_s") != 0;
}

/* ------------------------------------------------------------ verdict --- */

/* Whether any values of so many runs could show a difference. */
static bool
compare_can_tell(size_t a, size_t b, double alpha)
{
	double ways = 1;

	for (size_t i = 1; i <= a; i++)
		ways = ways * (double)(b + i) / (double)i;
	return 2 / ways <= alpha;
}

/* Values in the state of which both results have the most runs. */
static void
compare_choose(const struct json *a, const struct json *b, struct values *x,
    struct values *y, const char **state)
{
	static const enum xfer_state states[] = { XFER_NEAR, XFER_FAR,
		XFER_ONE_CPU };
	size_t most = 0;
	const char *name;

	*state = "any";
	if (!compare_is_time(a)) {
		compare_values(a, NULL, x);
		compare_values(b, NULL, y);
		return;
	}
	*state = "-";
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		name = xfer_state_name(states[i]);
		compare_values(a, name, x);
		compare_values(b, name, y);
		if (fmin((double)x->count, (double)y->count) > (double)most) {
			most = x->count < y->count ? x->count : y->count;
			*state = name;
		}
	}
	compare_values(a, *state, x);
	compare_values(b, *state, y);
}

static void
compare_judge(const struct options *options, const struct json *a,
    const struct json *b, struct comparison *c)
{
	struct values x;
	struct values y;

	memset(c, 0, sizeof(*c));
	compare_choose(a, b, &x, &y, &c->state);
	c->runs_a = x.count;
	c->runs_b = y.count;
	c->p = 1;
	if (!compare_is_valid(a) || !compare_is_valid(b)) {
		c->verdict = INVALID;
	} else if (x.count == 0 || y.count == 0) {
		c->verdict = NO_STATE;
	} else {
		c->a = stats_quantile(x.of, x.count, 0.5);
		c->b = stats_quantile(y.of, y.count, 0.5);
		c->p = stats_mann_whitney(x.of, x.count, y.of, y.count);
		if (!compare_can_tell(x.count, y.count, options->alpha))
			c->verdict = FEW;
		else if (c->p <= options->alpha &&
		    fabs(c->b - c->a) * 100 >=
			options->threshold_percent * c->a)
			c->verdict = c->b < c->a ? BETTER : WORSE;
	}
}

/* ------------------------------------------------------------- report --- */

static void
compare_print(const struct options *options, const struct json *a,
    const struct comparison *c)
{
	double change = c->a > 0 ? (c->b / c->a - 1) * 100 : 0;
	char name[64];

	if (options->json) {
		(void)printf("{\"suite\":\"%s\",\"bench\":\"%s\","
			     "\"runtime\":\"%s\",\"workers\":%.0f,"
			     "\"state\":\"%s\",\"runs\":[%zu,%zu],"
			     "\"value\":[%.4f,%.4f],\"change_percent\":%.2f,"
			     "\"p\":%.5f,\"verdict\":\"%s\"}\n",
		    json_text(a, "suite"), json_text(a, "bench"),
		    json_text(a, "runtime"), json_number(a, "workers"),
		    c->state, c->runs_a, c->runs_b, c->a, c->b, change, c->p,
		    verdict_names[c->verdict]);
		return;
	}
	(void)snprintf(name, sizeof(name), "%s/%s", json_text(a, "suite"),
	    json_text(a, "bench"));
	(void)printf("%-24s %-7s %2.0f %-7s %3zu %3zu %12.2f %12.2f %+8.1f %%"
		     " %8.4f  %s\n",
	    name, json_text(a, "runtime"), json_number(a, "workers"), c->state,
	    c->runs_a, c->runs_b, c->a, c->b, change, c->p,
	    verdict_names[c->verdict]);
}

static void
compare_lonely(const struct options *options, const struct json *result,
    const char *path)
{
	if (!options->json)
		(void)printf("%s/%s of %s with %.0f workers is in %s only\n",
		    json_text(result, "suite"), json_text(result, "bench"),
		    json_text(result, "runtime"),
		    json_number(result, "workers"), path);
}

static int
compare_sides(const struct options *options, const struct side *a,
    const struct side *b)
{
	size_t counts[VERDICTS] = { 0 };
	size_t compared = 0;
	struct comparison c;
	const struct json *other;

	if (!options->json)
		(void)printf("%-24s %-7s %2s %-7s %3s %3s %12s %12s %10s %8s  "
			     "%s\n",
		    "bench", "runtime", "w", "state", "nA", "nB", "A", "B",
		    "change", "p", "B is");
	for (const struct json *r = a->first; r != NULL; r = r->next) {
		if (!compare_is_of(r, a))
			continue;
		other = compare_find(b, r);
		if (other == NULL) {
			compare_lonely(options, r, a->path);
			continue;
		}
		compare_judge(options, r, other, &c);
		compare_print(options, r, &c);
		counts[c.verdict]++;
		compared++;
	}
	for (const struct json *r = b->first; r != NULL; r = r->next) {
		if (compare_is_of(r, b) && compare_find(a, r) == NULL)
			compare_lonely(options, r, b->path);
	}
	if (compared == 0) {
		(void)fprintf(stderr,
		    "bench: %s and %s have no result in common\n", a->path,
		    b->path);
		return RUN_EXIT_USAGE;
	}
	if (!options->json)
		(void)printf("%zu better, %zu worse, %zu same, %zu without a "
			     "verdict, %zu invalid\n",
		    counts[BETTER], counts[WORSE], counts[SAME],
		    counts[FEW] + counts[NO_STATE], counts[INVALID]);
	return counts[WORSE] + counts[INVALID] > 0 ? RUN_EXIT_FAILED :
						     EXIT_SUCCESS;
}

static bool
compare_options(struct options *options, int argc, char *argv[])
{
	static const struct option known[] = {
		{ "alpha", required_argument, NULL, 'a' },
		{ "threshold", required_argument, NULL, 't' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	bool ok = true;
	int letter;

	while (
	    ok && (letter = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (letter) {
		case 'a':
			ok = args_number("alpha", optarg, 1e-6, 1,
			    &options->alpha);
			break;
		case 't':
			ok = args_number("threshold", optarg, 0, 1000,
			    &options->threshold_percent);
			break;
		case 'j': options->json = true; break;
		case 'h': options->help = true; break;
		default: ok = false; break;
		}
	}
	if (ok && !options->help && argc - optind != 1 && argc - optind != 2) {
		(void)fprintf(stderr, "bench: compare takes one file or two\n");
		ok = false;
	}
	if (!ok)
		(void)fprintf(stderr, "Try 'troupe-bench compare --help'.\n");
	return ok;
}

static int
compare_two(const struct options *options, const char *path_a,
    const char *path_b)
{
	struct json_file a = { .first = NULL };
	struct json_file b = { .first = NULL };
	struct side sides[2] = { { .path = path_a }, { .path = path_b } };
	int code = RUN_EXIT_USAGE;

	if (compare_read(&a, path_a) && compare_read(&b, path_b)) {
		sides[0].first = compare_results(&a);
		sides[1].first = compare_results(&b);
		code = compare_sides(options, &sides[0], &sides[1]);
	}
	json_free(&a);
	json_free(&b);
	return code;
}

/* The two builds in one file. */
static int
compare_one(const struct options *options, const char *path)
{
	struct json_file file = { .first = NULL };
	struct side sides[2] = { { .path = path, .only = SERIES_OTHER },
		{ .path = path, .only = SERIES_OURS } };
	int code = RUN_EXIT_USAGE;

	if (compare_read(&file, path)) {
		sides[0].first = compare_results(&file);
		sides[1].first = compare_results(&file);
		code = compare_sides(options, &sides[0], &sides[1]);
	}
	json_free(&file);
	return code;
}

int
compare_main(int argc, char *argv[])
{
	struct options options = { .alpha = 0.01, .threshold_percent = 3 };

	if (!compare_options(&options, argc, argv))
		return RUN_EXIT_USAGE;
	if (options.help) {
		(void)fputs(compare_usage, stdout);
		return EXIT_SUCCESS;
	}
	if (argc - optind == 1)
		return compare_one(&options, argv[optind]);
	return compare_two(&options, argv[optind], argv[optind + 1]);
}
