/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recmatmul.c - Savina 25, Recursive Matrix Multiplication: divide and conquer
 * through a master.
 *
 * A worker gets a block of C = A * B to compute.  If it is large, it makes
 * eight smaller ones of it, which go back to the master, to be handed out; if
 * not, it multiplies.  Which worker gets a block depends on its place in C, so
 * that what adds up to one block of C is added by one worker.  (The original
 * has it so: with its 20 workers and its sizes only five get any block to
 * multiply.)
 *
 * A and B are read by all.  In the original so is C written by all; here each
 * worker has the blocks of C that it adds to, and sends them when there is no
 * more work.
 *
 * Checked as in the original, by matrices whose product is known exactly.  The
 * original's are A[i][k] = i and B[k][j] = j, to which it is all the same which
 * columns of A meet which rows of B; here they are i + k and k + j.
 */
#include <stdlib.h>
#include <string.h>

#include "savina.h"

enum { BLOCK = 1 /* the tag of a block of C: no fixed size */ };

/* A block of each of the matrices, and its size. */
struct task {
	uint32_t a_row, a_column;
	uint32_t b_row, b_column;
	uint32_t c_row, c_column;
	uint32_t size;
};

#define MATMUL(MSG, P)                      \
	MSG(P, work, { struct task task; }) \
	MSG(P, done, TR_EMPTY)              \
	MSG(P, finish, TR_EMPTY)            \
	MSG(P, finished, TR_EMPTY)
TR_PROTOCOL(matmul, MATMUL);

struct matrices {
	uint32_t size;
	double *a; /* rows of `size`; does not change */
	double *b;
	double *c; /* the master's */
};

struct block {
	uint32_t row, column; /* of its place in C */
	uint32_t size;
	uint32_t padding;
	double value[];
};

/* ------------------------------------------------------------- worker --- */

struct worker_arg {
	matmul_ref master;
	const struct matrices *matrices;
	uint64_t threshold; /* values of a block that is not divided */
};

struct worker {
	struct worker_arg given;
	struct block **block; /* those of C that it adds to */
	size_t blocks;
};

static int
worker_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	((struct worker *)state)->given = *(const struct worker_arg *)arg;
	return TR_OK;
}

static void
worker_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct worker *worker = state;

	(void)self;
	(void)why;
	for (size_t i = 0; i < worker->blocks; i++)
		free(worker->block[i]);
	free(worker->block);
}

static size_t
block_bytes(uint32_t size)
{
	return sizeof(struct block) + (size_t)size * size * sizeof(double);
}

static struct block *
worker_block(struct worker *worker, const struct task *task)
{
	struct block *block;

	for (size_t i = 0; i < worker->blocks; i++) {
		block = worker->block[i];
		if (block->row == task->c_row &&
		    block->column == task->c_column)
			return block;
	}
	worker->block = realloc(worker->block,
	    (worker->blocks + 1) * sizeof(struct block *));
	block = calloc(1, block_bytes(task->size));
	bench_check(worker->block != NULL && block != NULL,
	    "recmatmul: memory");
	block->row = task->c_row;
	block->column = task->c_column;
	block->size = task->size;
	worker->block[worker->blocks++] = block;
	return block;
}

static void
worker_multiply(struct worker *worker, const struct task *task)
{
	const struct matrices *m = worker->given.matrices;
	struct block *block = worker_block(worker, task);
	const double *a, *b;
	double *c;

	for (uint32_t i = 0; i < task->size; i++) {
		a = m->a + (size_t)(task->a_row + i) * m->size + task->a_column;
		c = block->value + (size_t)i * task->size;
		for (uint32_t k = 0; k < task->size; k++) {
			b = m->b + (size_t)(task->b_row + k) * m->size +
			    task->b_column;
			for (uint32_t j = 0; j < task->size; j++)
				c[j] += a[k] * b[j];
		}
	}
}

/* The eight products of quarters; bits 0, 1 and 2 say which. */
static int
worker_divide(struct tr_self *self, const struct worker *worker,
    const struct task *task)
{
	uint32_t half = task->size / 2;
	uint32_t row, column, inner;
	struct matmul_work work;
	int error = TR_OK;

	for (uint32_t i = 0; i < 8 && error == TR_OK; i++) {
		inner = (i & 1) * half;
		column = (i >> 1 & 1) * half;
		row = (i >> 2) * half;
		work.task = (struct task){
			.a_row = task->a_row + row,
			.a_column = task->a_column + inner,
			.b_row = task->b_row + inner,
			.b_column = task->b_column + column,
			.c_row = task->c_row + row,
			.c_column = task->c_column + column,
			.size = half,
		};
		error = matmul_send_work(self, worker->given.master, work);
	}
	return error;
}

static int
on_work(struct tr_self *self, struct worker *worker,
    const struct matmul_work *work)
{
	const struct task *task = &work->task;
	int error = TR_OK;

	if ((uint64_t)task->size * task->size > worker->given.threshold)
		error = worker_divide(self, worker, task);
	else
		worker_multiply(worker, task);
	return error != TR_OK ? error : matmul_reply_done(self);
}

static int
on_finish(struct tr_self *self, struct worker *worker)
{
	struct block *block;
	int error = TR_OK;

	for (size_t i = 0; i < worker->blocks && error == TR_OK; i++) {
		block = worker->block[i];
		error = tr_send(self, worker->given.master.ref, BLOCK, block,
		    block_bytes(block->size));
	}
	if (error != TR_OK)
		return error;
	(void)matmul_reply_finished(self);
	return tr_exit(self, TR_NORMAL);
}

TR_ACTOR(worker, struct worker, matmul, MATMUL, .work = on_work,
    .finish = on_finish);

static const struct tr_behavior worker_behavior = {
	.name = "worker",
	.state_size = sizeof(struct worker),
	.arg_size = sizeof(struct worker_arg),
	.start = worker_start,
	.receive = worker_receive,
	.stop = worker_stop,
	.protocol = &matmul_protocol,
};

/* ------------------------------------------------------------- master --- */

struct master {
	struct bench *b;
	struct matrices *matrices;
	matmul_ref *worker;
	uint64_t workers;
	uint64_t working; /* tasks sent and not done */
	uint64_t finished; /* workers */
};

static int
master_on_work(struct tr_self *self, struct master *master,
    const struct matmul_work *work)
{
	uint64_t place = (uint64_t)work->task.c_row + work->task.c_column;

	master->working++;
	return matmul_send_work(self, master->worker[place % master->workers],
	    *work);
}

static int
master_start(struct tr_self *self, void *state, const void *arg)
{
	struct master *master = state;
	struct worker_arg given = { .master = matmul_of(tr_self_ref(self)) };
	struct matmul_work all = { { 0 } };

	master->b = bench_of(arg);
	master->matrices = master->b->ctx;
	master->workers = bench_param(master->b, "workers");
	given.matrices = master->matrices;
	given.threshold = bench_param(master->b, "threshold");
	bench_begin(master->b, self);
	master->worker = calloc(master->workers, sizeof(*master->worker));
	bench_check(master->worker != NULL, "recmatmul: memory");
	for (uint64_t i = 0; i < master->workers; i++) {
		master->worker[i] =
		    matmul_spawn(self, &worker_behavior, &given, NULL);
		bench_check(tr_ref_valid(master->worker[i].ref),
		    "recmatmul: spawn");
	}
	all.task.size = master->matrices->size;
	return master_on_work(self, master, &all);
}

static void
master_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)self;
	(void)why;
	free(((struct master *)state)->worker);
}

/* What a task was divided into came before its done: all are counted. */
static int
master_on_done(struct tr_self *self, struct master *master)
{
	int error = TR_OK;

	if (--master->working > 0)
		return TR_OK;
	for (uint64_t i = 0; i < master->workers && error == TR_OK; i++)
		error = matmul_send_finish(self, master->worker[i]);
	return error;
}

static int
master_on_block(struct tr_self *self, struct master *master,
    const struct tr_msg *msg)
{
	const struct block *block = tr_data(msg, sizeof(*block));
	struct matrices *m = master->matrices;

	if (tr_tag(msg) != BLOCK || block == NULL)
		return tr_unhandled(self, msg);
	for (uint32_t i = 0; i < block->size; i++)
		memcpy(m->c + (size_t)(block->row + i) * m->size +
			block->column,
		    block->value + (size_t)i * block->size,
		    block->size * sizeof(double));
	return TR_OK;
}

static int
master_on_finished(struct tr_self *self, struct master *master)
{
	uint64_t size = master->matrices->size;

	if (++master->finished < master->workers)
		return TR_OK;
	return bench_end(master->b, self, size * size * size);
}

TR_ACTOR(master, struct master, matmul, MATMUL, .work = master_on_work,
    .done = master_on_done, .finished = master_on_finished,
    .other = master_on_block);

static const struct tr_behavior master_behavior = {
	.name = "master",
	.state_size = sizeof(struct master),
	.arg_size = sizeof(struct bench *),
	.start = master_start,
	.receive = master_receive,
	.stop = master_stop,
	.protocol = &matmul_protocol,
};

/* ----------------------------------------------------------- matrices --- */

static void
recmatmul_setup(struct bench *b)
{
	struct matrices *m = calloc(1, sizeof(*m));
	size_t size = bench_param(b, "size"), row;

	bench_check(m != NULL, "recmatmul: memory");
	m->size = (uint32_t)size;
	m->a = malloc(size * size * sizeof(double));
	m->b = malloc(size * size * sizeof(double));
	m->c = calloc(size * size, sizeof(double));
	bench_check(m->a != NULL && m->b != NULL && m->c != NULL,
	    "recmatmul: memory");
	for (size_t i = 0; i < size * size; i++) {
		row = i / size;
		m->a[i] = m->b[i] = (double)(row + i % size);
	}
	b->ctx = m;
}

/* The sum of (i + k) (k + j) for all k. */
static double
matrices_product(size_t n, size_t i, size_t j)
{
	size_t sum = n * (n - 1) / 2; /* of k */
	size_t squares = n * (n - 1) * (2 * n - 1) / 6;

	return (double)(n * i * j + (i + j) * sum + squares);
}

static void
recmatmul_teardown(struct bench *b)
{
	struct matrices *m = b->ctx;
	size_t size = m->size;
	bool right = true;

	for (size_t i = 0; i < size * size; i++)
		right &= m->c[i] == matrices_product(size, i / size, i % size);
	bench_check(right, "recmatmul: the product, exactly");
	free(m->a);
	free(m->b);
	free(m->c);
	free(m);
}

const struct bench_case savina_recmatmul = {
	.name = "recmatmul",
	.suite = SAVINA_SUITE,
	.group = SAVINA_PARALLELISM,
	.op = "a multiplication and an addition",
	.note = "no priorities; other values; blocks of C are sent, not "
		"written by all",
	.params = {
		{ "size", { 64, 1024, 2048 } }, /* a power of two */
		{ "threshold", { 64, 16384, 16384 } },
		{ "workers", { 20, 20, 20 } },
	},
	.root = &master_behavior,
	.setup = recmatmul_setup,
	.teardown = recmatmul_teardown,
};
