// SPDX-License-Identifier: BSD-2-Clause

//! Benchmarks of bench/ with Tokio's tasks and unbounded channels.
//!
//!     cargo build --release --offline
//!     ./target/release/tk pingpong 2000000 [WORKERS]
//!     ./target/release/tk banking 50000,1000 [WORKERS]
//!
//! Each runs once in a fresh process, checks its result and prints one line;
//! see ../README.md for its form and for the sizes.

mod banking;
mod bndbuffer;
mod chameneos;
mod micro;
mod nqueenk;
mod radixsort;
mod skynet;

use std::time::{Duration, Instant};

/// How many operations it was, and how long they took.
type Timed = (i64, Duration);

/// Ends the program unless the result is right.
fn check(ok: bool, what: &str) {
    if !ok {
        println!("failed {what} expected");
        std::process::exit(1)
    }
}

/// The suite's own generator of numbers from 0 to 65535.
struct Random(u64);

impl Random {
    fn next(&mut self) -> i64 {
        self.0 = (self.0 * 1309 + 13849) & 65535;
        self.0 as i64
    }
}

async fn run(name: &str, size: &[i64]) -> Timed {
    let start = Instant::now();
    let ops = match (name, size) {
        ("banking", &[transfers, accounts]) => {
            return banking::run(transfers, accounts).await
        }
        ("radixsort", &[values, bits]) => {
            return radixsort::run(values, bits).await
        }
        ("bndbuffer", &[items, room, makers, users, make, using]) => {
            bndbuffer::run(items, room as usize, (makers, make), (users, using))
                .await
        }
        ("chameneos", &[meetings, creatures]) => {
            chameneos::run(meetings, creatures).await
        }
        ("nqueenk", &[size, threshold, workers, limit]) => {
            nqueenk::run(size, threshold, workers as usize, limit).await
        }
        ("skynet", &[leaves]) => skynet::run(leaves).await,
        (name, &[n]) => micro::run(name, n).await,
        _ => panic!("{name}: other parameters expected"),
    };
    (ops, start.elapsed())
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let name = args[1].clone();
    let size: Vec<i64> =
        args[2].split(',').map(|n| n.parse().unwrap()).collect();
    let workers = args.get(3).map_or(2, |w| w.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()
        .unwrap();
    // A task, so that it runs on a worker and not on a further thread.
    let task = async move {
        let (ops, time) = run(&name, &size).await;
        let s = time.as_secs_f64();
        let ns = s * 1e9 / ops as f64;
        println!("tokio {name} {ops} ops {s:.6} s {ns:.1} ns/op");
        std::process::exit(0)
    };
    runtime.block_on(async move { tokio::spawn(task).await.unwrap() });
}
