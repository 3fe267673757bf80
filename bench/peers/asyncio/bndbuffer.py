# SPDX-License-Identifier: BSD-2-Clause
"""bench/savina/bndbuffer.c: the manager is the buffer; it, the producers and
the consumers are tasks with a queue each.  (For this alone one would take a
queue with room for that many items; but the benchmark is about the
protocol.)"""

from asyncio import Queue
from collections import deque
from math import log

from common import check, random_after, spawn

ITEM, AVAILABLE, FINISHED, CONSUMED = range(4)


def process(data, cost):
    r = cost
    for _ in range(cost * 100):
        r = random_after(r)
        data += log(1.0 / (r + 1) + 0.01)
    return data


async def producer(manager, me, first, items, cost):
    data = 0.0
    for number in range(first, first + items):
        await me.get()
        data = process(data, cost)
        manager.put_nowait((ITEM, me, (number, data)))
    await me.get()
    manager.put_nowait((FINISHED, me, None))


async def consumer(manager, me, cost):
    items, numbers, data = 0, 0, 0.0
    while (item := await me.get()) is not None:
        items += 1
        numbers += item[0]
        data = process(data + item[1], cost)
        manager.put_nowait((AVAILABLE, me, None))
    manager.put_nowait((CONSUMED, me, (items, numbers)))


class Manager:
    def __init__(self, room, held_back_at):
        self.room = room
        self.held_back_at = held_back_at  # that many items: producers wait
        self.pending = deque()
        self.producers = deque()  # that wait
        self.consumers = deque()  # that wait

    def item(self, sender, item):
        if self.consumers:
            self.consumers.popleft().put_nowait(item)
        else:
            check(len(self.pending) < self.room, "bndbuffer: bounded")
            self.pending.append(item)
        if len(self.pending) < self.held_back_at:
            sender.put_nowait(None)
        else:
            self.producers.append(sender)

    def available(self, sender):
        if not self.pending:
            self.consumers.append(sender)
            return
        sender.put_nowait(self.pending.popleft())
        if self.producers:
            self.producers.popleft().put_nowait(None)

    async def run(self, inbox, producers, consumers):
        """Until all items are made and used up."""
        while producers > 0 or len(self.consumers) < consumers:
            kind, sender, item = await inbox.get()
            if kind == ITEM:
                self.item(sender, item)
            elif kind == AVAILABLE:
                self.available(sender)
            else:
                producers -= 1


async def run(each, room, producers, consumers, producer_cost, consumer_cost):
    inbox = Queue()
    manager = Manager(room, room - producers)
    for _ in range(consumers):
        me = Queue()
        manager.consumers.append(me)
        spawn(consumer(inbox, me, consumer_cost))
    for i in range(producers):
        me = Queue()
        me.put_nowait(None)
        spawn(producer(inbox, me, i * each, each, producer_cost))
    await manager.run(inbox, producers, consumers)
    items, numbers = 0, 0
    for me in manager.consumers:
        me.put_nowait(None)
    for _ in range(consumers):
        _, _, (i, n) = await inbox.get()
        items += i
        numbers += n
    made = producers * each
    check(items == made, "bndbuffer: as many items used up as made")
    check(numbers == made * (made - 1) // 2,
          "bndbuffer: each item used up, once,")
    return made
