// SPDX-License-Identifier: BSD-2-Clause

//! The eight workloads of bench/micro with Tokio's tasks and unbounded channels.
//!
//!     cargo build --release --offline
//!     ./target/release/tk pingpong 2000000 [WORKERS]
//!
//! Each workload runs once in a fresh process and prints one line; see
//! ../README.md for its form and for the sizes.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc::{unbounded_channel, UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;

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
        rx.recv().await;
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
        rx.recv().await;
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
    if let Some(Msg::Val(v)) = rx.recv().await {
        assert_eq!(v, n)
    }
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
        rx.recv().await;
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
    done_rx.recv().await;
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

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

fn fib_task(n: i64, out: oneshot::Sender<i64>) -> Task {
    Box::pin(async move {
        if n < 2 {
            let _ = out.send(n);
        } else {
            let (a_tx, a_rx) = oneshot::channel();
            let (b_tx, b_rx) = oneshot::channel();
            tokio::spawn(fib_task(n - 1, a_tx));
            tokio::spawn(fib_task(n - 2, b_tx));
            let _ = out.send(a_rx.await.unwrap() + b_rx.await.unwrap());
        }
    })
}

async fn fib(n: i64) -> i64 {
    let (tx, rx) = oneshot::channel();
    tokio::spawn(fib_task(n, tx));
    print!("fib={} ", rx.await.unwrap());
    let (mut a, mut b) = (1, 1);
    for _ in 2..=n {
        (a, b) = (b, 1 + a + b);
    }
    b
}

async fn run(name: String, n: i64) {
    let start = Instant::now();
    let ops = match name.as_str() {
        "pingpong" => pingpong(n).await,
        "count" => count(n).await,
        "nto1" => nto1(n).await,
        "ring" => ring(n).await,
        "fjthrput" => fjthrput(n).await,
        "fjcreate" => fjcreate(n).await,
        "big" => big(n).await,
        "fib" => fib(n).await,
        _ => panic!("no such workload: {name}"),
    };
    let s = start.elapsed().as_secs_f64();
    let ns = s * 1e9 / ops as f64;
    println!("tokio {name} {ops} ops {s:.3} s {ns:.1} ns/op");
    std::process::exit(0)
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let n = args[2].parse().unwrap();
    let workers = args.get(3).map_or(2, |w| w.parse().unwrap());
    let name = args[1].clone();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async move { tokio::spawn(run(name, n)).await.unwrap() });
}
