// SPDX-License-Identifier: BSD-2-Clause

//! bench/savina/bndbuffer.c: the manager is the buffer; it, the producers and
//! the consumers are tasks with a channel each. (For this alone one would take
//! a channel with room for that many items; but the benchmark is about the
//! protocol.)

use std::collections::VecDeque;

use tokio::sync::mpsc::{
    unbounded_channel, UnboundedReceiver, UnboundedSender,
};

use crate::{check, Random};

struct Item {
    number: i64,
    data: f64,
}

enum Msg {
    Item(Item, UnboundedSender<()>),
    Available(UnboundedSender<Option<Item>>),
    Finished,
    Consumed(i64, i64),
}

type Tx = UnboundedSender<Msg>;

fn process(mut data: f64, cost: i64) -> f64 {
    let mut random = Random(cost as u64);
    for _ in 0..cost {
        for _ in 0..100 {
            data += (1.0 / (random.next() + 1) as f64 + 0.01).ln();
        }
    }
    data
}

/// Makes an item each time that it is told to.
async fn producer(manager: Tx, first: i64, items: i64, cost: i64) {
    let (me, mut inbox) = unbounded_channel();
    let _ = me.send(());
    let mut data = 0.0;
    for number in first..first + items {
        inbox.recv().await;
        data = process(data, cost);
        let _ = manager.send(Msg::Item(Item { number, data }, me.clone()));
    }
    inbox.recv().await;
    let _ = manager.send(Msg::Finished);
}

/// Uses up items until it is told to leave, by no item.
async fn consumer(
    manager: Tx,
    me: UnboundedSender<Option<Item>>,
    mut inbox: UnboundedReceiver<Option<Item>>,
    cost: i64,
) {
    let (mut items, mut numbers, mut data) = (0, 0, 0.0);
    while let Some(Some(item)) = inbox.recv().await {
        items += 1;
        numbers += item.number;
        data = process(data + item.data, cost);
        let _ = manager.send(Msg::Available(me.clone()));
    }
    let _ = manager.send(Msg::Consumed(items, numbers));
}

struct Manager {
    room: usize,
    held_back_at: usize, // that many items wait: producers do, too
    pending: VecDeque<Item>,
    producers: VecDeque<UnboundedSender<()>>, // that wait
    consumers: VecDeque<UnboundedSender<Option<Item>>>, // that wait
}

impl Manager {
    fn item(&mut self, item: Item, producer: UnboundedSender<()>) {
        if let Some(consumer) = self.consumers.pop_front() {
            let _ = consumer.send(Some(item));
        } else {
            check(self.pending.len() < self.room, "bndbuffer: bounded");
            self.pending.push_back(item);
        }
        if self.pending.len() < self.held_back_at {
            let _ = producer.send(());
        } else {
            self.producers.push_back(producer);
        }
    }

    fn available(&mut self, consumer: UnboundedSender<Option<Item>>) {
        if let Some(item) = self.pending.pop_front() {
            let _ = consumer.send(Some(item));
            if let Some(producer) = self.producers.pop_front() {
                let _ = producer.send(());
            }
        } else {
            self.consumers.push_back(consumer);
        }
    }

    /// Until all items are made and used up.
    async fn run(
        &mut self,
        inbox: &mut UnboundedReceiver<Msg>,
        mut producers: i64,
        consumers: usize,
    ) {
        while producers > 0 || self.consumers.len() < consumers {
            match inbox.recv().await {
                Some(Msg::Item(item, tx)) => self.item(item, tx),
                Some(Msg::Available(tx)) => self.available(tx),
                Some(Msg::Finished) => producers -= 1,
                _ => check(false, "bndbuffer: all items first"),
            }
        }
    }
}

/// Producers and consumers: how many, and what an item costs them.
pub async fn run(
    each: i64,
    room: usize,
    (producers, producer_cost): (i64, i64),
    (consumers, consumer_cost): (i64, i64),
) -> i64 {
    let (tx, mut inbox) = unbounded_channel();
    let mut manager = Manager {
        room,
        held_back_at: room - producers as usize,
        pending: VecDeque::with_capacity(room),
        producers: VecDeque::new(),
        consumers: VecDeque::new(),
    };
    for _ in 0..consumers {
        let (me, rx) = unbounded_channel();
        manager.consumers.push_back(me.clone());
        tokio::spawn(consumer(tx.clone(), me, rx, consumer_cost));
    }
    for i in 0..producers {
        tokio::spawn(producer(tx.clone(), i * each, each, producer_cost));
    }
    manager.run(&mut inbox, producers, consumers as usize).await;
    for consumer in &manager.consumers {
        let _ = consumer.send(None);
    }
    let (mut items, mut numbers) = (0, 0);
    for _ in 0..consumers {
        match inbox.recv().await {
            Some(Msg::Consumed(i, n)) => {
                (items, numbers) = (items + i, numbers + n)
            }
            _ => check(false, "bndbuffer: what consumers had"),
        }
    }
    let made = producers * each;
    check(items == made, "bndbuffer: as many items used up as made");
    let sum = made * (made - 1) / 2;
    check(numbers == sum, "bndbuffer: each item used up, once,");
    made
}
