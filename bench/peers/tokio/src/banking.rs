// SPDX-License-Identifier: BSD-2-Clause

//! bench/savina/banking.c: an account is a task; while it waits for the answer
//! of another one it does not look into its channel, so nothing has to be put
//! aside.

use std::time::Instant;

use tokio::sync::mpsc::{
    unbounded_channel, UnboundedReceiver, UnboundedSender,
};
use tokio::sync::oneshot;

use crate::{check, Random, Timed};

const SEED: u64 = 123456;
const AMOUNT_MAX: i64 = 100000;
const FIRST_BALANCE: i64 = 1000000000;

type Tx = UnboundedSender<Order>;

enum Order {
    Transfer { to: Tx, cents: i64, done: UnboundedSender<()> },
    Deposit { cents: i64, done: oneshot::Sender<()> },
}

struct Transfer {
    from: usize,
    to: usize,
    cents: i64,
}

fn draw(random: &mut Random, accounts: i64) -> Transfer {
    let from = random.next() % (accounts / 10 * 8);
    let further = random.next() % (accounts - from);
    let cents = AMOUNT_MAX / (1 + random.next());
    Transfer {
        from: from as usize,
        to: (from + further.max(1)) as usize,
        cents,
    }
}

fn expected(transfers: i64, accounts: i64) -> Vec<i64> {
    let mut balances = vec![FIRST_BALANCE; accounts as usize];
    let mut random = Random(SEED);
    for _ in 0..transfers {
        let t = draw(&mut random, accounts);
        balances[t.from] -= t.cents;
        balances[t.to] += t.cents;
    }
    balances
}

/// Returns its balance when nobody can order anything any more.
async fn account(mut inbox: UnboundedReceiver<Order>) -> i64 {
    let mut balance = FIRST_BALANCE;
    while let Some(order) = inbox.recv().await {
        match order {
            Order::Transfer { to, cents, done } => {
                balance -= cents;
                let (deposited_tx, deposited) = oneshot::channel();
                let _ = to.send(Order::Deposit { cents, done: deposited_tx });
                deposited.await.unwrap();
                let _ = done.send(());
            }
            Order::Deposit { cents, done } => {
                balance += cents;
                let _ = done.send(());
            }
        }
    }
    balance
}

pub async fn run(transfers: i64, count: i64) -> Timed {
    check(count >= 10, "banking: at least 10 accounts");
    let expected = expected(transfers, count);

    let start = Instant::now();
    let mut accounts = vec![];
    let mut tasks = vec![];
    for _ in 0..count {
        let (tx, rx) = unbounded_channel();
        accounts.push(tx);
        tasks.push(tokio::spawn(account(rx)));
    }
    let (done_tx, mut done) = unbounded_channel();
    let mut random = Random(SEED);
    for _ in 0..transfers {
        let t = draw(&mut random, count);
        let order = Order::Transfer {
            to: accounts[t.to].clone(),
            cents: t.cents,
            done: done_tx.clone(),
        };
        let _ = accounts[t.from].send(order);
    }
    for _ in 0..transfers {
        done.recv().await.unwrap();
    }
    let time = start.elapsed();

    drop(accounts);
    for (task, balance) in tasks.into_iter().zip(expected) {
        let right = task.await.unwrap() == balance;
        check(right, "banking: an account's balance");
    }
    (transfers, time)
}
