/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * findings.h - where we lose.
 */
#ifndef BENCH_FINDINGS_H
#define BENCH_FINDINGS_H

#include "results.h"

enum finding_kind {
	FINDING_INVALID, /* a result was wrong; also a peer's */
	FINDING_SLOWER, /* than a peer */
	FINDING_MISSED, /* a budget's must */
	FINDING_SCALING, /* two workers take much longer than one */
	FINDING_KINDS
};

/* Two workers may take this much longer than one. */
#define FINDINGS_SCALING_LIMIT 1.25

struct finding {
	enum finding_kind kind;
	const struct result *result; /* ours, but of what is invalid */
	const struct result *other; /* the peer's; the one with one worker */
	double factor; /* how many times slower, or above must; 0: no number */
	bool judged;
};

struct findings {
	struct finding *list; /* by kind, judged first, the worst first */
	size_t count;
	size_t judged[FINDING_KINDS];
	size_t counts[FINDING_KINDS];
};

/** Collect them.  Returns false when there is no memory. */
bool findings_collect(struct findings *findings, const struct results *results);

void findings_free(struct findings *findings);

#endif /* BENCH_FINDINGS_H */
