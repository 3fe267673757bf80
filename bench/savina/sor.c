/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sor.c - Savina 28, Successive Over-Relaxation: a grid of tiny actors.
 *
 * A cell of the grid has a value and up to four neighbours.  Cells are coloured
 * like a chessboard: those of one colour tell their neighbours their values,
 * these compute theirs from what they are told and tell them in turn, and so
 * on.  Nothing but the messages keeps the cells in step: a great many small
 * ones, from neighbour to neighbour.
 *
 * Cells of the second colour do not tell their last value, for nobody waits for
 * it any more; the original lets it become dead letters.
 *
 * Checked: the sum of all values is that of plain loops, and for the original's
 * sizes the one that the original has in a table, with its tolerance.  The
 * table is of java.util.Random's numbers, and so are ours; the original has
 * taken them from elsewhere since, and its check fails.
 */
#include <math.h>
#include <stdlib.h>

#include "savina.h"

enum { SEED = 10101010, NEIGHBOURS = 4 };

static const double omega = 1.25;

#define SOR(MSG, P)                                          \
	MSG(P, begin, {                                      \
		sor_ref neighbour[NEIGHBOURS]; /* or none */ \
	})                                                   \
	MSG(P, value, { double value; })                     \
	MSG(P, result, { double value; })
TR_PROTOCOL(sor, SOR);

/* A cell's next value, of the sum of its neighbours' and its own. */
static double
sor_relax(double sum, double value)
{
	return 0.25 * omega * sum + (1 - omega) * value;
}

/* --------------------------------------------------------------- cell --- */

struct cell_arg {
	sor_ref root;
	double value;
	uint32_t iterations;
	bool first; /* of the colour that tells first */
};

struct cell {
	struct cell_arg given;
	sor_ref neighbour[NEIGHBOURS];
	double value;
	double sum; /* of the neighbours' values so far */
	uint32_t neighbours;
	uint32_t came;
	uint32_t iteration;
	bool begun;
};

static int
cell_start(struct tr_self *self, void *state, const void *arg)
{
	struct cell *cell = state;

	(void)self;
	cell->given = *(const struct cell_arg *)arg;
	cell->value = cell->given.value;
	return TR_OK;
}

static int
cell_tell(struct tr_self *self, const struct cell *cell)
{
	int error = TR_OK;

	for (uint32_t i = 0; i < cell->neighbours && error == TR_OK; i++)
		error = sor_send_value(self, cell->neighbour[i],
		    (struct sor_value){ cell->value });
	return error;
}

static int
on_begin(struct tr_self *self, struct cell *cell, const struct sor_begin *begin)
{
	int error = TR_OK;

	for (int i = 0; i < NEIGHBOURS; i++) {
		if (tr_ref_valid(begin->neighbour[i].ref))
			cell->neighbour[cell->neighbours++] =
			    begin->neighbour[i];
	}
	cell->begun = true;
	if (cell->given.first) {
		cell->iteration++;
		error = cell_tell(self, cell);
	}
	return error != TR_OK ? error : tr_unstash(self);
}

static int
on_value(struct tr_self *self, struct cell *cell, const struct sor_value *value)
{
	bool last;
	int error = TR_OK;

	if (!cell->begun)
		return tr_stash(self, tr_msg_in_hand(self));
	cell->sum += value->value;
	if (++cell->came < cell->neighbours)
		return TR_OK;
	cell->value = sor_relax(cell->sum, cell->value);
	cell->sum = 0;
	cell->came = 0;
	last = ++cell->iteration == cell->given.iterations;
	if (!last || cell->given.first)
		error = cell_tell(self, cell);
	if (!last || error != TR_OK)
		return error;
	(void)sor_send_result(self, cell->given.root,
	    (struct sor_result){ cell->value });
	return tr_exit(self, TR_NORMAL);
}

TR_ACTOR(cell, struct cell, sor, SOR, .begin = on_begin, .value = on_value);

static const struct tr_behavior cell_behavior = {
	.name = "cell",
	.state_size = sizeof(struct cell),
	.arg_size = sizeof(struct cell_arg),
	.start = cell_start,
	.receive = cell_receive,
	.protocol = &sor_protocol,
};

/* --------------------------------------------------------------- root --- */

struct grid {
	size_t side;
	double *value; /* row by row */
	double total; /* of the actors' values */
};

/* Whether the cell is of the colour that tells first. */
static bool
grid_first(size_t row, size_t column)
{
	return (row + column) % 2 == 0;
}

/* The cells beside one; returns how many. */
static int
grid_beside(const struct grid *grid, size_t row, size_t column,
    size_t beside[NEIGHBOURS])
{
	size_t at = row * grid->side + column;
	int count = 0;

	if (column + 1 < grid->side)
		beside[count++] = at + 1;
	if (row + 1 < grid->side)
		beside[count++] = at + grid->side;
	if (column > 0)
		beside[count++] = at - 1;
	if (row > 0)
		beside[count++] = at - grid->side;
	return count;
}

struct root {
	struct bench *b;
	struct grid *grid;
	size_t left; /* cells that have not ended */
};

static int
root_begin(struct tr_self *self, const struct root *root, const sor_ref *cell,
    size_t row, size_t column)
{
	struct sor_begin begin = { { sor_none } };
	size_t beside[NEIGHBOURS];
	int count = grid_beside(root->grid, row, column, beside);

	for (int k = 0; k < count; k++)
		begin.neighbour[k] = cell[beside[k]];
	return sor_send_begin(self, cell[row * root->grid->side + column],
	    begin);
}

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct root *root = state;
	struct cell_arg given = { .root = sor_of(tr_self_ref(self)) };
	sor_ref *cell;
	size_t side, i;
	int error = TR_OK;

	root->b = bench_of(arg);
	root->grid = root->b->ctx;
	given.iterations = (uint32_t)bench_param(root->b, "iterations");
	side = root->grid->side;
	root->left = side * side;
	bench_begin(root->b, self);
	cell = calloc(root->left, sizeof(*cell));
	bench_check(cell != NULL, "sor: memory");
	for (size_t row = 0; row < side; row++) {
		for (size_t column = 0; column < side; column++) {
			i = row * side + column;
			given.value = root->grid->value[i];
			given.first = grid_first(row, column);
			cell[i] = sor_spawn(self, &cell_behavior, &given, NULL);
			bench_check(tr_ref_valid(cell[i].ref), "sor: spawn");
		}
	}
	for (size_t row = 0; row < side; row++) {
		for (size_t column = 0; column < side && error == TR_OK;
		     column++)
			error = root_begin(self, root, cell, row, column);
	}
	free(cell);
	return error;
}

static int
on_result(struct tr_self *self, struct root *root,
    const struct sor_result *result)
{
	struct grid *grid = root->grid;

	grid->total += result->value;
	if (--root->left > 0)
		return TR_OK;
	return bench_end(root->b, self,
	    grid->side * grid->side * bench_param(root->b, "iterations"));
}

TR_ACTOR(root, struct root, sor, SOR, .result = on_result);

static const struct tr_behavior root_behavior = {
	.name = "root",
	.state_size = sizeof(struct root),
	.arg_size = sizeof(struct bench *),
	.start = root_start,
	.receive = root_receive,
	.protocol = &sor_protocol,
};

/* --------------------------------------------------------------- grid --- */

static void
sor_setup(struct bench *b)
{
	struct savina_java_random random = savina_java_random(SEED);
	struct grid *grid = calloc(1, sizeof(*grid));

	bench_check(grid != NULL, "sor: memory");
	grid->side = bench_param(b, "side");
	bench_check(grid->side > 1, "sor: cells beside each other");
	grid->value = malloc(grid->side * grid->side * sizeof(double));
	bench_check(grid->value != NULL, "sor: memory");
	for (size_t i = 0; i < grid->side * grid->side; i++)
		grid->value[i] = savina_java_double(&random) * 1e-6;
	b->ctx = grid;
}

static void
grid_relax_cell(struct grid *grid, size_t row, size_t column)
{
	double *value = &grid->value[row * grid->side + column];
	size_t beside[NEIGHBOURS];
	int count = grid_beside(grid, row, column, beside);
	double sum = 0;

	for (int k = 0; k < count; k++)
		sum += grid->value[beside[k]];
	*value = sor_relax(sum, *value);
}

/* Relax the cells of one colour. */
static void
grid_relax(struct grid *grid, bool first)
{
	for (size_t row = 0; row < grid->side; row++) {
		for (size_t column = 0; column < grid->side; column++) {
			if (grid_first(row, column) == first)
				grid_relax_cell(grid, row, column);
		}
	}
}

/* After 100 iterations: whether it is the sum that the original has. */
static bool
grid_is_original(const struct grid *grid)
{
	static const struct {
		size_t side;
		double total;
	} original[] = {
		{ 20, 0.000003189420084871275 },
		{ 250, 0.026575660248076397 },
	};

	for (size_t i = 0; i < sizeof(original) / sizeof(*original); i++) {
		if (original[i].side == grid->side)
			return fabs(grid->total - original[i].total) <= 1e-12;
	}
	return true;
}

static void
sor_teardown(struct bench *b)
{
	uint64_t iterations = bench_param(b, "iterations");
	struct grid *grid = b->ctx;
	double total = 0;

	for (uint64_t i = 0; i < iterations; i++) {
		if (i > 0)
			grid_relax(grid, true);
		grid_relax(grid, false);
	}
	for (size_t i = 0; i < grid->side * grid->side; i++)
		total += grid->value[i];
	bench_check(fabs(grid->total - total) <= 1e-9 * total,
	    "sor: the sum of the values");
	if (iterations == 100)
		bench_check(grid_is_original(grid), "sor: the original's sum");
	free(grid->value);
	free(grid);
}

const struct bench_case savina_sor = {
	.name = "sor",
	.suite = SAVINA_SUITE,
	.group = SAVINA_PARALLELISM,
	.op = "a cell's new value: up to four messages",
	.note = "one actor makes all cells; two of the original make half each",
	.params = {
		{ "side", { 10, 20, 250 } },
		{ "iterations", { 40, 100, 100 } },
	},
	.root = &root_behavior,
	.setup = sor_setup,
	.teardown = sor_teardown,
};
