/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * words.c - figures and reasons as people read them.
 */
#include "words.h"

#include "series.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Three digits are more than most runs agree in. */
static int
words_digits(double value)
{
	if (value >= 99.95)
		return 0;
	return value >= 9.995 ? 1 : 2;
}

static struct words
words_time(double ns, const char *micro)
{
	struct words w;

	if (ns < 999.5)
		(void)snprintf(w.text, sizeof(w.text), "%.*f ns",
		    words_digits(ns), ns);
	else if (ns < 999.5e3)
		(void)snprintf(w.text, sizeof(w.text), "%.*f %ss",
		    words_digits(ns / 1e3), ns / 1e3, micro);
	else if (ns < 999.5e6)
		(void)snprintf(w.text, sizeof(w.text), "%.*f ms",
		    words_digits(ns / 1e6), ns / 1e6);
	else
		(void)snprintf(w.text, sizeof(w.text), "%.*f s",
		    words_digits(ns / 1e9), ns / 1e9);
	return w;
}

/* A unit that is not ours: nobody knows what is in it. */
static void
words_other(struct words *w, double value, const char *unit)
{
	int length = snprintf(w->text, sizeof(w->text), "%.4g", value);

	if (*unit != '\0')
		w->text[length++] = ' ';
	for (; *unit != '\0' && length < WORDS_BYTES - 1; unit++) {
		if ((*unit >= 'a' && *unit <= 'z') || *unit == '_')
			w->text[length++] = *unit;
	}
	w->text[length] = '\0';
}

struct words
words_value(double value, const char *unit, const char *micro)
{
	struct words w;

	if (strcmp(unit, "ns_per_op") == 0)
		return words_time(value, micro);
	if (strcmp(unit, "us") == 0)
		return words_time(value * 1e3, micro);
	if (strcmp(unit, "bytes") == 0)
		(void)snprintf(w.text, sizeof(w.text), "%.0f B", value);
	else if (strcmp(unit, "per_s") == 0)
		(void)snprintf(w.text, sizeof(w.text), "%.3g /s", value);
	else
		words_other(&w, value, unit);
	return w;
}

struct words
words_exact(double value, const char *unit, const char *micro)
{
	struct words w;

	if (strcmp(unit, "ns_per_op") == 0)
		(void)snprintf(w.text, sizeof(w.text), "%g ns", value);
	else if (strcmp(unit, "us") == 0)
		(void)snprintf(w.text, sizeof(w.text), "%g %ss", value, micro);
	else
		w = words_value(value, unit, micro);
	return w;
}

struct words
words_ratio(double ratio)
{
	struct words w;

	(void)snprintf(w.text, sizeof(w.text), "%.*f", words_digits(ratio),
	    ratio);
	return w;
}

struct words
words_name(const struct result *result)
{
	struct words w;

	(void)snprintf(w.text, sizeof(w.text), "%.32s/%.48s", result->suite,
	    result->bench);
	return w;
}

struct words
words_params(const struct result *result, const char *member)
{
	const struct json *params = json_get(result->json, member);
	const struct json *p = params != NULL ? params->first : NULL;
	struct words w = { .text = "" };
	size_t used = 0;
	int length;

	for (; p != NULL && p->name != NULL; p = p->next) {
		length = snprintf(w.text + used, sizeof(w.text) - used,
		    "%s%.32s=%.0f", used > 0 ? ", " : "", p->name, p->number);
		if (length < 0 || (size_t)length >= sizeof(w.text) - used)
			break;
		used += (size_t)length;
	}
	w.text[used] = '\0';
	return w;
}

struct words
words_unjudged(const struct result *result)
{
	struct words w = { .text = "" };

	if (!result->valid)
		(void)snprintf(w.text, sizeof(w.text), "not valid");
	else if (result->judged)
		w.text[0] = '\0';
	else if (result->is_time && strcmp(result->state, "near") != 0)
		(void)snprintf(w.text, sizeof(w.text), "%.16s",
		    strcmp(result->state, "one_cpu") == 0 ? "one cpu" :
							    result->state);
	else if (result->runs < JUDGED_RUNS)
		(void)snprintf(w.text, sizeof(w.text), "%u run%s", result->runs,
		    result->runs == 1 ? "" : "s");
	else
		(void)snprintf(w.text, sizeof(w.text), "other reasons");
	return w;
}

struct words
words_mean(const struct mean *mean)
{
	struct words w;

	if (!mean->judged)
		(void)snprintf(w.text, sizeof(w.text), "%zu, none judged",
		    mean->all);
	else if (mean->count == mean->all)
		(void)snprintf(w.text, sizeof(w.text), "%zu", mean->all);
	else
		(void)snprintf(w.text, sizeof(w.text), "%zu judged of %zu",
		    mean->count, mean->all);
	return w;
}

const char *
words_budget(enum budget budget)
{
	switch (budget) {
	case BUDGET_AIM: return "aim";
	case BUDGET_MUST: return "must";
	case BUDGET_MISSED: return "MISSED";
	case BUDGET_NONE: break;
	}
	return "";
}
