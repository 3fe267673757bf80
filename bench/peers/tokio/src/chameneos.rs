// SPDX-License-Identifier: BSD-2-Clause

//! bench/savina/chameneos.c: creatures and the mall are tasks with a channel
//! each.

use tokio::sync::mpsc::{unbounded_channel, UnboundedSender};

use crate::check;

const COLORS: u8 = 3;

type Tx = UnboundedSender<Msg>;

enum Msg {
    Meet(u8, Tx),
    Change(u8),
    Fade,
    Met(i64),
}

/// Meets others until it fades, then says how often it met one.
async fn creature(mall: Tx, mut color: u8) {
    let (me, mut inbox) = unbounded_channel();
    let mut count = 0;
    loop {
        let _ = mall.send(Msg::Meet(color, me.clone()));
        match inbox.recv().await {
            Some(Msg::Meet(other, tx)) => {
                check(!tx.same_channel(&me), "chameneos: somebody else");
                color = (2 * COLORS - color - other) % COLORS;
                let _ = tx.send(Msg::Change(color));
            }
            Some(Msg::Change(other)) => color = other,
            _ => break,
        }
        count += 1;
    }
    let _ = mall.send(Msg::Met(count));
}

pub async fn run(meetings: i64, creatures: i64) -> i64 {
    let (mall, mut inbox) = unbounded_channel();
    for i in 0..creatures {
        tokio::spawn(creature(mall.clone(), (i % COLORS as i64) as u8));
    }
    let mut waiting: Option<Tx> = None;
    let (mut left, mut faded, mut sum) = (meetings, 0, 0);
    while faded < creatures {
        match inbox.recv().await {
            Some(Msg::Meet(color, tx)) => {
                if left == 0 {
                    let _ = tx.send(Msg::Fade);
                } else if let Some(first) = waiting.take() {
                    left -= 1;
                    let _ = first.send(Msg::Meet(color, tx));
                } else {
                    waiting = Some(tx);
                }
            }
            Some(Msg::Met(count)) => {
                sum += count;
                faded += 1;
            }
            _ => check(false, "chameneos: a creature's message"),
        }
    }
    check(sum == 2 * meetings, "chameneos: two for a meeting");
    meetings
}
