/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trapezoid.c - Savina 23, Trapezoidal Approximation: one split, one join.
 *
 * The area below a curve, cut into pieces that are shared out evenly among
 * workers: a message to each and one back.  It shows whether work that is there
 * at once gets to all cores at once.
 *
 * The original prints the area.  Here the number of pieces is checked, and the
 * area against Simpson's rule.
 */
#include <math.h>

#include "savina.h"

#define AREA(MSG, P)            \
	MSG(P, work, {          \
		uint64_t first; \
		uint64_t count; \
		double width;   \
	})                      \
	MSG(P, result, {        \
		uint64_t count; \
		double area;    \
	})
TR_PROTOCOL(area, AREA);

static const double left_end = 1, right_end = 5;

static double
area_height(double x)
{
	return sin(pow(x, 3) - 1) / (x + 1) * sqrt(1 + exp(sqrt(2 * x)));
}

/* ------------------------------------------------------------- worker --- */

struct worker {
	char none;
};

static int
on_work(struct tr_self *self, struct worker *worker,
    const struct area_work *work)
{
	struct area_result result = { .count = work->count };
	double left, right;

	(void)worker;
	for (uint64_t i = work->first; i < work->first + work->count; i++) {
		left = left_end + (double)i * work->width;
		right = left + work->width;
		result.area += 0.5 * (area_height(left) + area_height(right)) *
		    work->width;
	}
	(void)area_reply_result(self, result);
	return tr_exit(self, TR_NORMAL);
}

TR_ACTOR(worker, struct worker, area, AREA, .work = on_work);

static const struct tr_behavior worker_behavior = {
	.name = "worker",
	.receive = worker_receive,
	.protocol = &area_protocol,
};

/* ------------------------------------------------------------- master --- */

struct master {
	struct bench *b;
	double area;
	uint64_t count; /* pieces of the area */
	uint64_t left; /* workers at work */
};

static int
master_start(struct tr_self *self, void *state, const void *arg)
{
	struct master *master = state;
	struct area_work work = { .first = 0 };
	uint64_t pieces, workers;
	area_ref worker;
	int error = TR_OK;

	master->b = bench_of(arg);
	pieces = bench_param(master->b, "pieces");
	workers = bench_param(master->b, "workers");
	bench_begin(master->b, self);
	master->left = workers;
	work.width = (right_end - left_end) / (double)pieces;
	for (uint64_t i = 0; i < workers && error == TR_OK; i++) {
		work.count = pieces * (i + 1) / workers - work.first;
		worker = area_spawn(self, &worker_behavior, NULL, NULL);
		bench_check(tr_ref_valid(worker.ref), "trapezoid: spawn");
		error = area_send_work(self, worker, work);
		work.first += work.count;
	}
	return error;
}

/* Simpson's rule, fine enough for the twelve waves at the right end. */
static double
master_simpson(void)
{
	enum { STEPS = 100000 };
	double width = (right_end - left_end) / STEPS;
	double sum = area_height(left_end) + area_height(right_end);

	for (int i = 1; i < STEPS; i++)
		sum += (i % 2 == 0 ? 2 : 4) * area_height(left_end + i * width);
	return sum * width / 3;
}

/* The error is width^2 / 12 times how much more the curve climbs at one end
 * than at the other, less than 100; and what is lost by rounding. */
static int
on_result(struct tr_self *self, struct master *master,
    const struct area_result *result)
{
	uint64_t pieces = bench_param(master->b, "pieces");
	double width = (right_end - left_end) / (double)pieces;
	int error;

	master->area += result->area;
	master->count += result->count;
	if (--master->left > 0)
		return TR_OK;
	error = bench_end(master->b, self, pieces);
	bench_check(master->count == pieces, "trapezoid: each piece, once");
	bench_check(fabs(master->area - master_simpson()) <
		100 * width * width / 12 + 1e-10,
	    "trapezoid: the area below the curve");
	return error;
}

TR_ACTOR(master, struct master, area, AREA, .result = on_result);

static const struct tr_behavior master_behavior = {
	.name = "master",
	.state_size = sizeof(struct master),
	.arg_size = sizeof(struct bench *),
	.start = master_start,
	.receive = master_receive,
	.protocol = &area_protocol,
};

const struct bench_case savina_trapezoid = {
	.name = "trapezoid",
	.suite = SAVINA_SUITE,
	.group = SAVINA_PARALLELISM,
	.op = "a piece: two values of a function",
	.params = {
		{ "pieces", { 10000, 10000000, 40000000 } },
		{ "workers", { 100, 100, 100 } },
	},
	.root = &master_behavior,
};
