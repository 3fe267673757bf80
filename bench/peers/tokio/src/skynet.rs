// SPDX-License-Identifier: BSD-2-Clause

//! bench/savina/skynet.c: a tree of tasks, ten below each, which send their
//! sums up on a channel of the parent's.

use tokio::sync::mpsc::{unbounded_channel, UnboundedSender};

use crate::check;

const CHILDREN: i64 = 10;

fn spawn_node(parent: UnboundedSender<i64>, first: i64, leaves: i64) {
    tokio::spawn(async move {
        if leaves == 1 {
            let _ = parent.send(first);
            return;
        }
        let (tx, mut rx) = unbounded_channel();
        let each = leaves / CHILDREN;
        for i in 0..CHILDREN {
            spawn_node(tx.clone(), first + i * each, each);
        }
        let mut sum = 0;
        for _ in 0..CHILDREN {
            sum += rx.recv().await.unwrap();
        }
        let _ = parent.send(sum);
    });
}

pub async fn run(leaves: i64) -> i64 {
    let (tx, mut rx) = unbounded_channel();
    spawn_node(tx, 0, leaves);
    let right = rx.recv().await == Some(leaves * (leaves - 1) / 2);
    check(right, "skynet: the sum of all leaves' numbers");
    leaves
}
