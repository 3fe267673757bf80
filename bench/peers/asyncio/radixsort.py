# SPDX-License-Identifier: BSD-2-Clause
"""bench/savina/radixsort.c: a task for each bit.  A stage passes values without
its bit on at once and keeps those with it until all have come by."""

from asyncio import Queue

from common import check, now, random_after, spawn

SEED = 2048


def drawn(values):
    r = SEED
    for _ in range(values):
        r = random_after(r)
        yield r


async def source(values, following):
    for value in drawn(values):
        following.put_nowait(value)


async def stage(inbox, following, bit, values):
    kept = []
    for _ in range(values):
        value = await inbox.get()
        if value & bit == 0:
            following.put_nowait(value)
        else:
            kept.append(value)
    for value in kept:
        following.put_nowait(value)


async def run(values, bits):
    total = sum(drawn(values))

    begin = now()
    pipes = [Queue() for _ in range(bits + 1)]
    for bit in range(bits):
        spawn(stage(pipes[bit], pipes[bit + 1], 1 << bit, values))
    spawn(source(values, pipes[0]))
    last = 0
    for _ in range(values):
        value = await pipes[bits].get()
        check(value >= last, "radixsort: the values in order")
        last = value
        total -= value
    end = now()
    check(total == 0, "radixsort: the sum of the values")
    return values * (bits + 1), end - begin
