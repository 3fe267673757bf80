// SPDX-License-Identifier: BSD-2-Clause

//! bench/savina/nqueenk.c: a master and workers, each with a channel.

use tokio::sync::mpsc::{
    unbounded_channel, UnboundedReceiver, UnboundedSender,
};

use crate::check;

const QUEENS_MAX: usize = 16;
const KNOWN: [i64; QUEENS_MAX + 1] = [
    1, 1, 0, 0, 2, 10, 4, 40, 92, 352, 724, 2680, 14200, 73712, 365596,
    2279184, 14772512,
];

#[derive(Clone, Copy)]
struct Board {
    queens: u8,
    row: [i8; QUEENS_MAX],
}

enum Msg {
    Work(Board),
    Solution(Board),
    Done,
    Finished,
}

type Tx = UnboundedSender<Msg>;

impl Board {
    /// Whether a queen behind those on the board is safe there.
    fn is_safe(&self, row: i8) -> bool {
        let queens = self.queens as usize;
        self.row[..queens].iter().enumerate().all(|(i, &r)| {
            let distance = (queens - i) as i8;
            r != row && r != row - distance && r != row + distance
        })
    }
}

struct Worker {
    master: Tx,
    size: u8,
    threshold: u8,
}

impl Worker {
    /// Hand back the boards with one queen more.
    fn divide(&self, board: Board) {
        let mut more = board;
        more.queens += 1;
        for row in 0..self.size as i8 {
            more.row[board.queens as usize] = row;
            if board.is_safe(row) {
                let _ = self.master.send(Msg::Work(more));
            }
        }
    }

    /// Find all solutions that begin with a board: the next queen moves up;
    /// where it is safe it stays and another one comes behind it, and where it
    /// can move no more the one before it moves.
    fn solve(&self, mut board: Board) {
        let begin = board.queens;
        let mut row = 0;
        loop {
            if row == self.size as i8 {
                if board.queens == begin {
                    break;
                }
                board.queens -= 1;
                row = board.row[board.queens as usize];
            } else if board.is_safe(row) {
                board.row[board.queens as usize] = row;
                board.queens += 1;
                if board.queens < self.size {
                    row = 0;
                    continue;
                }
                let _ = self.master.send(Msg::Solution(board));
                board.queens -= 1;
            }
            row += 1;
        }
    }

    async fn run(self, mut inbox: UnboundedReceiver<Board>) {
        while let Some(board) = inbox.recv().await {
            if board.queens < self.threshold {
                self.divide(board);
            } else {
                self.solve(board);
            }
            let _ = self.master.send(Msg::Done);
        }
        let _ = self.master.send(Msg::Finished);
    }
}

/// Hands boards out in turn; without workers, it is over.
struct Master {
    workers: Vec<UnboundedSender<Board>>,
    boards: usize,
    working: i64,
}

impl Master {
    fn work(&mut self, board: Board) {
        if !self.workers.is_empty() {
            let next = self.boards % self.workers.len();
            let _ = self.workers[next].send(board);
            self.boards += 1;
            self.working += 1;
        }
    }
}

pub async fn run(size: i64, threshold: i64, workers: usize, limit: i64) -> i64 {
    let (tx, mut rx) = unbounded_channel();
    let mut master = Master { workers: vec![], boards: 0, working: 0 };
    for _ in 0..workers {
        let (worker_tx, worker_rx) = unbounded_channel();
        let (size, threshold) = (size as u8, threshold as u8);
        let worker = Worker { master: tx.clone(), size, threshold };
        master.workers.push(worker_tx);
        tokio::spawn(worker.run(worker_rx));
    }
    let mut solutions = 0;
    let mut left = workers;
    master.work(Board { queens: 0, row: [0; QUEENS_MAX] });
    while left > 0 {
        match rx.recv().await.unwrap() {
            Msg::Work(board) => master.work(board),
            Msg::Solution(mut board) => {
                let whole = board.queens as i64 == size;
                board.queens -= 1;
                let last = board.row[board.queens as usize];
                check(whole && board.is_safe(last), "nqueenk: a solution with all queens");
                solutions += 1;
                if solutions == limit {
                    master.workers.clear();
                }
            }
            Msg::Done => {
                master.working -= 1;
                if master.working == 0 {
                    master.workers.clear();
                }
            }
            Msg::Finished => left -= 1,
        }
    }
    let most = KNOWN[size as usize];
    let enough = solutions >= limit || solutions == most;
    check(enough, "nqueenk: as many solutions as wanted, or all,");
    check(solutions <= most, "nqueenk: no more solutions than there are");
    master.boards as i64 + solutions
}
