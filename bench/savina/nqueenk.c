/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nqueenk.c - Savina 30, N-Queens, First K Solutions: divide and conquer
 * through a master, with a message for each solution.
 *
 * A board with a few queens goes to a worker, which sends back the boards with
 * one queen more, for the master to hand out in turn; once there are enough
 * queens it finds all solutions that begin so, and sends each of them.  It ends
 * when there is no more work, or when there are as many solutions as wanted:
 * with the original's parameters there are never as many.
 *
 * Checked: the number of solutions is at least the limit, or else the known
 * one, and never more than that.  (The original compares so, and then does not
 * look at the result.)
 */
#include <stdlib.h>

#include "savina.h"

enum { QUEENS_MAX = 16 };

/* Queens are in columns from the left: the row of each. */
struct board {
	uint8_t queens;
	uint8_t row[QUEENS_MAX];
};

#define QUEENS(MSG, P)                            \
	MSG(P, work, { struct board board; })     \
	MSG(P, solution, { struct board board; }) \
	MSG(P, done, TR_EMPTY)                    \
	MSG(P, finish, TR_EMPTY)                  \
	MSG(P, finished, TR_EMPTY)
TR_PROTOCOL(queens, QUEENS);

/* Whether a queen behind those on the board is safe there.  (One condition for
 * both: what cannot be foretold is best asked once.) */
static bool
board_is_safe(const struct board *board, uint8_t row)
{
	int queens = board->queens;

	for (int i = 0; i < queens; i++) {
		int apart = abs(board->row[i] - row);

		if ((apart == 0) | (apart == queens - i))
			return false;
	}
	return true;
}

/* ------------------------------------------------------------- worker --- */

struct worker_arg {
	queens_ref master;
	uint8_t size;
	uint8_t threshold; /* queens */
};

static int
worker_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	*(struct worker_arg *)state = *(const struct worker_arg *)arg;
	return TR_OK;
}

/* Hand back the boards with one queen more. */
static int
worker_divide(struct tr_self *self, const struct worker_arg *worker,
    struct board board)
{
	struct queens_work more = { board };
	int error = TR_OK;

	more.board.queens++;
	for (uint8_t row = 0; row < worker->size && error == TR_OK; row++) {
		more.board.row[board.queens] = row;
		if (board_is_safe(&board, row))
			error = queens_send_work(self, worker->master, more);
	}
	return error;
}

/* Find all solutions that begin with a board: the next queen moves up; where it
 * is safe it stays and another one comes behind it, and where it can move no
 * more the one before it moves. */
static int
worker_solve(struct tr_self *self, const struct worker_arg *worker,
    struct board board)
{
	uint8_t begin = board.queens;
	uint8_t size = worker->size;
	uint8_t row = 0;
	int error = TR_OK;

	while (error == TR_OK) {
		if (row == size) {
			if (board.queens == begin)
				break;
			row = board.row[--board.queens];
		} else if (board_is_safe(&board, row)) {
			board.row[board.queens++] = row;
			if (board.queens < size) {
				row = 0;
				continue;
			}
			error = queens_send_solution(self, worker->master,
			    (struct queens_solution){ board });
			board.queens--;
		}
		row++;
	}
	return error;
}

static int
on_work(struct tr_self *self, struct worker_arg *worker,
    const struct queens_work *work)
{
	int error;

	if (work->board.queens < worker->threshold)
		error = worker_divide(self, worker, work->board);
	else
		error = worker_solve(self, worker, work->board);
	return error != TR_OK ? error : queens_reply_done(self);
}

static int
on_finish(struct tr_self *self, struct worker_arg *worker)
{
	(void)worker;
	(void)queens_reply_finished(self);
	return tr_exit(self, TR_NORMAL);
}

TR_ACTOR(worker, struct worker_arg, queens, QUEENS, .work = on_work,
    .finish = on_finish);

static const struct tr_behavior worker_behavior = {
	.name = "worker",
	.state_size = sizeof(struct worker_arg),
	.arg_size = sizeof(struct worker_arg),
	.start = worker_start,
	.receive = worker_receive,
	.protocol = &queens_protocol,
};

/* ------------------------------------------------------------- master --- */

struct master {
	struct bench *b;
	queens_ref *worker;
	uint64_t workers;
	uint64_t next; /* worker */
	uint64_t working; /* boards sent and not done */
	uint64_t boards; /* sent */
	uint64_t solutions;
	uint64_t limit;
	uint64_t finished; /* workers */
	uint8_t size;
	bool finish;
};

/* Once it is over, nobody is left who could work. */
static int
master_on_work(struct tr_self *self, struct master *master,
    const struct queens_work *work)
{
	queens_ref worker = master->worker[master->next];

	if (master->finish)
		return TR_OK;
	master->next = (master->next + 1) % master->workers;
	master->working++;
	master->boards++;
	return queens_send_work(self, worker, *work);
}

static int
master_start(struct tr_self *self, void *state, const void *arg)
{
	struct master *master = state;
	struct worker_arg given = { .master = queens_of(tr_self_ref(self)) };
	struct queens_work empty = { { 0 } };

	master->b = bench_of(arg);
	master->size = (uint8_t)bench_param(master->b, "queens");
	master->limit = bench_param(master->b, "limit");
	master->workers = bench_param(master->b, "workers");
	bench_check(master->size <= QUEENS_MAX, "nqueenk: the board");
	given.size = master->size;
	given.threshold = (uint8_t)bench_param(master->b, "threshold");
	bench_begin(master->b, self);
	master->worker = calloc(master->workers, sizeof(*master->worker));
	bench_check(master->worker != NULL, "nqueenk: memory");
	for (uint64_t i = 0; i < master->workers; i++) {
		master->worker[i] =
		    queens_spawn(self, &worker_behavior, &given, NULL);
		bench_check(tr_ref_valid(master->worker[i].ref),
		    "nqueenk: spawn");
	}
	return master_on_work(self, master, &empty);
}

static void
master_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)self;
	(void)why;
	free(((struct master *)state)->worker);
}

static int
master_finish(struct tr_self *self, struct master *master)
{
	int error = TR_OK;

	if (master->finish)
		return TR_OK;
	master->finish = true;
	for (uint64_t i = 0; i < master->workers && error == TR_OK; i++)
		error = queens_send_finish(self, master->worker[i]);
	return error;
}

static int
master_on_solution(struct tr_self *self, struct master *master,
    const struct queens_solution *solution)
{
	struct board board = solution->board;

	bench_check(board.queens-- == master->size &&
		board_is_safe(&board, board.row[board.queens]),
	    "nqueenk: a solution has all queens");
	return ++master->solutions < master->limit ?
	    TR_OK :
	    master_finish(self, master);
}

/* What a board was divided into came before its done: all are counted. */
static int
master_on_done(struct tr_self *self, struct master *master)
{
	return --master->working > 0 ? TR_OK : master_finish(self, master);
}

static int
master_on_finished(struct tr_self *self, struct master *master)
{
	static const uint64_t known[QUEENS_MAX + 1] = { 1, 1, 0, 0, 2, 10, 4,
		40, 92, 352, 724, 2680, 14200, 73712, 365596, 2279184,
		14772512 };
	uint64_t most = known[master->size];

	if (++master->finished < master->workers)
		return TR_OK;
	bench_check(master->solutions >= master->limit ||
		master->solutions == most,
	    "nqueenk: as many solutions as wanted, or all");
	bench_check(master->solutions <= most,
	    "nqueenk: no more solutions than there are");
	return bench_end(master->b, self, master->boards + master->solutions);
}

TR_ACTOR(master, struct master, queens, QUEENS, .work = master_on_work,
    .solution = master_on_solution, .done = master_on_done,
    .finished = master_on_finished);

static const struct tr_behavior master_behavior = {
	.name = "master",
	.state_size = sizeof(struct master),
	.arg_size = sizeof(struct bench *),
	.start = master_start,
	.receive = master_receive,
	.stop = master_stop,
	.protocol = &queens_protocol,
};

const struct bench_case savina_nqueenk = {
	.name = "nqueenk",
	.suite = SAVINA_SUITE,
	.group = SAVINA_PARALLELISM,
	.op = "a board that is sent to a worker, or a solution",
	.note = "no priorities",
	.params = {
		{ "queens", { 8, 12, 14 } },
		{ "threshold", { 4, 4, 4 } },
		{ "workers", { 20, 20, 20 } },
		{ "limit", { 92, 1500000, 1500000 } },
	},
	.root = &master_behavior,
};
