/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * findings.c - where we lose: what is wrong, what is slower than a peer, what
 * misses its budget, what more workers make slower.
 *
 * A report that has this at its top can be believed in the rest.
 */
#include "findings.h"

#include <stdlib.h>
#include <string.h>

static void
findings_add(struct findings *findings, struct finding finding)
{
	findings->list[findings->count++] = finding;
	findings->counts[finding.kind]++;
	if (finding.judged)
		findings->judged[finding.kind]++;
}

static void
findings_slower(struct findings *findings, const struct results *results,
    const struct result_bench *bench, const struct result *ours)
{
	struct versus v = results_best(results, bench, ours->workers);

	if (v.other != NULL && v.ratio < 1)
		findings_add(findings,
		    (struct finding){ .kind = FINDING_SLOWER,
			.result = ours,
			.other = v.other,
			.factor = 1 / v.ratio,
			/* That another may be better still changes nothing. */
			.judged = ours->judged && v.other->judged });
}

static void
findings_missed(struct findings *findings, const struct result *ours)
{
	double must = result_number(ours, "must");
	const char *unit;
	bool judged;

	if (result_budget(ours, &judged) == BUDGET_MISSED)
		findings_add(findings,
		    (struct finding){ .kind = FINDING_MISSED,
			.result = ours,
			.factor = must > 0 ?
			    result_budget_value(ours, &unit) / must :
			    0,
			.judged = judged });
}

static void
findings_scaling(struct findings *findings, const struct result_bench *bench,
    const struct result *ours)
{
	struct versus v = results_scaling(bench, ours);

	if (ours->workers == 2 && v.other != NULL &&
	    v.ratio * FINDINGS_SCALING_LIMIT < 1)
		findings_add(findings,
		    (struct finding){ .kind = FINDING_SCALING,
			.result = ours,
			.other = v.other,
			.factor = 1 / v.ratio,
			.judged = v.judged });
}

static int
findings_compare(const void *a, const void *b)
{
	const struct finding *x = a;
	const struct finding *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->judged != y->judged)
		return x->judged ? -1 : 1;
	if (x->factor > y->factor || x->factor < y->factor)
		return x->factor > y->factor ? -1 : 1;
	/* Results lie in one array, in their order. */
	return x->result < y->result ? -1 : x->result > y->result;
}

bool
findings_collect(struct findings *findings, const struct results *results)
{
	memset(findings, 0, sizeof(*findings));
	/* Of what is valid at most one of each other kind, else one in all. */
	findings->list = calloc(results->count * (FINDING_KINDS - 1) + 1,
	    sizeof(findings->list[0]));
	if (findings->list == NULL)
		return false;
	for (size_t i = 0; i < results->count; i++) {
		const struct result *r = &results->list[i];
		const struct result_bench *bench =
		    &results->benches[r->bench_at];

		if (!r->valid)
			findings_add(findings,
			    (struct finding){ .kind = FINDING_INVALID,
				.result = r,
				.judged = true });
		if (r->runtime != 0)
			continue;
		findings_slower(findings, results, bench, r);
		findings_missed(findings, r);
		findings_scaling(findings, bench, r);
	}
	qsort(findings->list, findings->count, sizeof(findings->list[0]),
	    findings_compare);
	return true;
}

void
findings_free(struct findings *findings)
{
	free(findings->list);
	memset(findings, 0, sizeof(*findings));
}
