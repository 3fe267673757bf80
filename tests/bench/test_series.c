/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench/harness/series.c: which runs count; and pace.c, which says how fast the
 * cpus were as they began.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pace.h"
#include "series.h"

static const struct bench_case some_bench = { .name = "some", .suite = "some" };

static void
add(struct series *series, enum xfer_state state, double pace, double value)
{
	series->samples[series->count++] = (struct sample){
		.state = state,
		.pace_ns = pace,
		.value = value,
	};
}

static const struct pace at_best = { .best_ns = 1 };

/* Runs at full speed take 10, slower ones 20. */
static void
fill(struct series *series, unsigned full, unsigned slow)
{
	*series = (struct series){ .bench = &some_bench };
	for (unsigned i = 0; i < full; i++)
		add(series, XFER_NEAR, i % 2 == 0 ? 1 : PACE_FULL, 10);
	for (unsigned i = 0; i < slow; i++)
		add(series, XFER_NEAR, PACE_FULL + 0.01, 20);
	add(series, XFER_MIXED, 1, 30);
}

static void
slow_runs_are_dropped_where_five_others_are_not(void **state)
{
	struct series series;
	struct summary sum;

	(void)state;
	fill(&series, JUDGED_RUNS, JUDGED_RUNS + 2);
	assert_int_equal(series_near(&series, &at_best), JUDGED_RUNS);
	series_settle(&series, &at_best);
	assert_int_equal(series_near(&series, &at_best), JUDGED_RUNS);
	assert_true(series_conclude(&series, &sum));
	assert_int_equal(sum.state, XFER_NEAR);
	assert_int_equal(sum.runs, JUDGED_RUNS);
	assert_true(sum.value.max < 10.5);
	assert_true(series_summarize(&series, XFER_SLOW, &sum));
	assert_int_equal(sum.runs, JUDGED_RUNS + 2);
	assert_true(sum.value.min > 19.5);
}

static void
slow_runs_count_where_too_few_others_do(void **state)
{
	struct series series;
	struct summary sum;

	(void)state;
	fill(&series, JUDGED_RUNS - 1, JUDGED_RUNS + 2);
	series_settle(&series, &at_best);
	assert_int_equal(series_near(&series, &at_best), JUDGED_RUNS - 1);
	assert_true(series_conclude(&series, &sum));
	assert_int_equal(sum.state, XFER_NEAR);
	assert_int_equal(sum.runs, 2 * JUDGED_RUNS + 1);
	assert_true(sum.value.median > 19.5);
	assert_false(series_summarize(&series, XFER_SLOW, &sum));
}

static void
the_pace_is_said_beside_the_best_that_was_seen(void **state)
{
	struct pace pace = { .best_ns = 0 };
	double best;

	(void)state;
	assert_true(pace_measure_ns(&pace) > 0);
	best = pace.best_ns;
	assert_true(pace_is_full(&pace, best));
	assert_true(pace_is_full(&pace, 0)); /* it could not be measured */
	assert_false(pace_is_full(&pace, best * (PACE_FULL + 0.01)));
	/* Nothing can be as fast, or as slow, as this. */
	pace.best_ns = best / 1000;
	assert_false(pace_is_full(&pace, pace_wait_ns(&pace, 0)));
	pace.best_ns = best * 1e6;
	assert_true(pace_is_full(&pace, pace_wait_ns(&pace, 60)));
	assert_true(pace.best_ns < best * 1e6);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    slow_runs_are_dropped_where_five_others_are_not),
		cmocka_unit_test(slow_runs_count_where_too_few_others_do),
		cmocka_unit_test(
		    the_pace_is_said_beside_the_best_that_was_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
