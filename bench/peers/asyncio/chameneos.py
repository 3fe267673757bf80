# SPDX-License-Identifier: BSD-2-Clause
"""bench/savina/chameneos.c: creatures and the mall are tasks with a queue
each."""

from asyncio import Queue

from common import check, spawn

COLORS = 3
MEET, CHANGE, FADE, MET = range(4)


async def creature(mall, color):
    """Meets others until it fades, then says how often it met one."""
    me, count = Queue(), 0
    while True:
        mall.put_nowait((MEET, color, me))
        kind, other, sender = await me.get()
        if kind == MEET:
            check(sender is not me, "chameneos: somebody else")
            color = (2 * COLORS - color - other) % COLORS
            sender.put_nowait((CHANGE, color, me))
        elif kind == CHANGE:
            color = other
        else:
            break
        count += 1
    mall.put_nowait((MET, count, me))


async def run(meetings, creatures):
    mall, waiting = Queue(), None
    left, total = meetings, 0
    for i in range(creatures):
        spawn(creature(mall, i % COLORS))
    while creatures > 0:
        message = await mall.get()
        kind, value, sender = message
        if kind == MET:
            total += value
            creatures -= 1
        elif left == 0:
            sender.put_nowait((FADE, None, None))
        elif waiting is None:
            waiting = sender
        else:
            left -= 1
            waiting.put_nowait(message)
            waiting = None
    check(total == 2 * meetings, "chameneos: two for a meeting")
    return meetings
