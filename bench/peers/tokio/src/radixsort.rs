// SPDX-License-Identifier: BSD-2-Clause

//! bench/savina/radixsort.c: a task for each bit. A stage passes values without
//! its bit on at once and keeps those with it until all have come by.

use std::time::Instant;

use tokio::sync::mpsc::{unbounded_channel, UnboundedReceiver};

use crate::{check, Random, Timed};

const SEED: u64 = 2048;

type Pipe = UnboundedReceiver<i64>;

fn source(values: i64) -> Pipe {
    let (tx, rx) = unbounded_channel();
    tokio::spawn(async move {
        let mut random = Random(SEED);
        for _ in 0..values {
            let _ = tx.send(random.next());
        }
    });
    rx
}

fn stage(mut pipe: Pipe, bit: i64, values: i64) -> Pipe {
    let (tx, rx) = unbounded_channel();
    tokio::spawn(async move {
        let mut kept = Vec::with_capacity(values as usize);
        for _ in 0..values {
            let value = pipe.recv().await.unwrap();
            if value & bit == 0 {
                let _ = tx.send(value);
            } else {
                kept.push(value);
            }
        }
        for value in kept {
            let _ = tx.send(value);
        }
    });
    rx
}

pub async fn run(values: i64, bits: i64) -> Timed {
    let mut random = Random(SEED);
    let mut sum: i64 = (0..values).map(|_| random.next()).sum();

    let start = Instant::now();
    let mut pipe = source(values);
    for bit in 0..bits {
        pipe = stage(pipe, 1 << bit, values);
    }
    let mut last = 0;
    for _ in 0..values {
        let value = pipe.recv().await.unwrap();
        check(value >= last, "radixsort: the values in order");
        last = value;
        sum -= value;
    }
    let time = start.elapsed();
    check(sum == 0, "radixsort: the sum of the values");
    (values * (bits + 1), time)
}
