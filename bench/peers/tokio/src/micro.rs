// SPDX-License-Identifier: BSD-2-Clause

//! The eight workloads of bench/micro.

use std::sync::Arc;

use tokio::sync::mpsc::{
    unbounded_channel, UnboundedReceiver, UnboundedSender,
};
use tokio::sync::oneshot;

use crate::check;

type Tx = UnboundedSender<Msg>;
type Rx = UnboundedReceiver<Msg>;

enum Msg {
    Ping(Tx),
    Pong,
    Inc,
    Get(Tx),
    Val(i64),
    Token(i64),
    Work,
    Done,
    All(Arc<Vec<Tx>>),
}

fn channel() -> (Tx, Rx) {
    unbounded_channel()
}

async fn wait_done(rx: &mut Rx, n: i64) {
    for _ in 0..n {
        let done = matches!(rx.recv().await, Some(Msg::Done));
        check(done, "micro: everybody is done");
    }
}

async fn pingpong(n: i64) -> i64 {
    let (tx, mut rx) = channel();
    let (ping_tx, mut ping_rx) = channel();
    tokio::spawn(async move {
        while let Some(Msg::Ping(p)) = ping_rx.recv().await {
            let _ = p.send(Msg::Pong);
        }
    });
    for _ in 0..n {
        let _ = ping_tx.send(Msg::Ping(tx.clone()));
        let pong = matches!(rx.recv().await, Some(Msg::Pong));
        check(pong, "pingpong: a pong for each ping");
    }
    2 * n
}

async fn count(n: i64) -> i64 {
    let (tx, mut rx) = channel();
    let (counter_tx, mut counter_rx) = channel();
    tokio::spawn(async move {
        let mut c = 0;
        while let Some(m) = counter_rx.recv().await {
            match m {
                Msg::Inc => c += 1,
                Msg::Get(p) => {
                    let _ = p.send(Msg::Val(c));
                }
                _ => {}
            }
        }
    });
    for _ in 0..n {
        let _ = counter_tx.send(Msg::Inc);
    }
    let _ = counter_tx.send(Msg::Get(tx));
    let all = matches!(rx.recv().await, Some(Msg::Val(v)) if v == n);
    check(all, "count: every message");
    n
}

async fn nto1(n: i64) -> i64 {
    let (tx, mut rx) = channel();
    for _ in 0..64 {
        let tx = tx.clone();
        tokio::spawn(async move {
            for _ in 0..n {
                let _ = tx.send(Msg::Inc);
            }
        });
    }
    for _ in 0..64 * n {
        let inc = matches!(rx.recv().await, Some(Msg::Inc));
        check(inc, "nto1: every message");
    }
    64 * n
}

async fn ring(n: i64) -> i64 {
    let (txs, rxs): (Vec<Tx>, Vec<Rx>) = (0..100).map(|_| channel()).unzip();
    let (done_tx, mut done_rx) = channel();
    for (i, mut rx) in rxs.into_iter().enumerate() {
        let next = txs[(i + 1) % 100].clone();
        let done = done_tx.clone();
        tokio::spawn(async move {
            while let Some(Msg::Token(k)) = rx.recv().await {
                if k == 0 {
                    let _ = done.send(Msg::Done);
                } else {
                    let _ = next.send(Msg::Token(k - 1));
                }
            }
        });
    }
    let _ = txs[0].send(Msg::Token(n));
    wait_done(&mut done_rx, 1).await;
    n
}

async fn fjthrput(n: i64) -> i64 {
    let (done_tx, mut done_rx) = channel();
    let mut txs = vec![];
    for _ in 0..60 {
        let (tx, mut rx) = channel();
        txs.push(tx);
        let done = done_tx.clone();
        tokio::spawn(async move {
            let mut x = 0.5f64;
            for _ in 0..n {
                rx.recv().await;
                x = unsafe { std::ptr::read_volatile(&(x * x)) };
            }
            let _ = done.send(Msg::Done);
        });
    }
    for _ in 0..n {
        for tx in &txs {
            let _ = tx.send(Msg::Work);
        }
    }
    wait_done(&mut done_rx, 60).await;
    60 * n
}

async fn fjcreate(n: i64) -> i64 {
    let (done_tx, mut done_rx) = channel();
    for _ in 0..n {
        let (tx, mut rx) = channel();
        let done = done_tx.clone();
        tokio::spawn(async move {
            rx.recv().await;
            let _ = done.send(Msg::Done);
        });
        let _ = tx.send(Msg::Work);
    }
    wait_done(&mut done_rx, n).await;
    n
}

/// One of the 120: pings a random other `left` times, waiting for each pong.
async fn big_actor(i: u64, mut left: i64, me: Tx, mut rx: Rx, done: Tx) {
    let mut rng = i * 7919 + 1;
    let mut all = Arc::new(vec![]);
    let mut ping = move |all: &Vec<Tx>| {
        rng ^= rng << 13;
        rng ^= rng >> 7;
        rng ^= rng << 17;
        let _ = all[(rng % 120) as usize].send(Msg::Ping(me.clone()));
    };
    while let Some(m) = rx.recv().await {
        match m {
            Msg::All(v) => {
                all = v;
                ping(&all)
            }
            Msg::Ping(p) => {
                let _ = p.send(Msg::Pong);
            }
            Msg::Pong => {
                left -= 1;
                if left == 0 {
                    let _ = done.send(Msg::Done);
                } else if left > 0 {
                    ping(&all)
                }
            }
            _ => {}
        }
    }
}

async fn big(n: i64) -> i64 {
    let (done_tx, mut done_rx) = channel();
    let mut txs = vec![];
    for i in 0..120 {
        let (tx, rx) = channel();
        txs.push(tx.clone());
        tokio::spawn(big_actor(i, n, tx, rx, done_tx.clone()));
    }
    let all = Arc::new(txs.clone());
    for tx in &txs {
        let _ = tx.send(Msg::All(all.clone()));
    }
    wait_done(&mut done_rx, 120).await;
    120 * n
}

fn fib_spawn(n: i64, out: oneshot::Sender<i64>) {
    tokio::spawn(async move {
        if n < 2 {
            let _ = out.send(n);
        } else {
            let (a_tx, a_rx) = oneshot::channel();
            let (b_tx, b_rx) = oneshot::channel();
            fib_spawn(n - 1, a_tx);
            fib_spawn(n - 2, b_tx);
            let _ = out.send(a_rx.await.unwrap() + b_rx.await.unwrap());
        }
    });
}

async fn fib(n: i64) -> i64 {
    let (tx, rx) = oneshot::channel();
    fib_spawn(n, tx);
    let (mut a, mut b, mut actors, mut more) = (0, 1, 1, 1);
    for _ in 0..n {
        (a, b) = (b, a + b);
        (actors, more) = (more, 1 + actors + more);
    }
    check(rx.await == Ok(a), "fib: the nth number");
    actors
}

pub async fn run(name: &str, n: i64) -> i64 {
    match name {
        "pingpong" => pingpong(n).await,
        "count" => count(n).await,
        "nto1" => nto1(n).await,
        "ring" => ring(n).await,
        "fjthrput" => fjthrput(n).await,
        "fjcreate" => fjcreate(n).await,
        "big" => big(n).await,
        "fib" => fib(n).await,
        _ => panic!("no such benchmark: {name}"),
    }
}
